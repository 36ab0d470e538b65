"""What POLICY changes in a table's rows on their way, the same for an import, a comparison with its source and a profile.

And between which columns they are on their way where the table is not made yet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from migrator.adapter import Adapter
from migrator.converting import Converter, converter
from migrator.ddl import DDL
from migrator.ends import TableRows
from migrator.model import types as t
from migrator.model.objects import Column, Table
from migrator.policies import Policies

R = TypeVar("R")


def policy_converter(
    policies: Policies,
    table: Table,
    columns: tuple[Sequence[Column], Sequence[Column]],
    adapters: tuple[Adapter, Adapter],
    rules: Collection[tuple[str, str]] = (),
) -> Converter | None:
    """What changes the values of ``columns``, at the source and at the target, as POLICY asks; None: there can be none.

    ``rules``: see :func:`migrator.converting.converter`.
    """
    actions = [policies.of(table, column) for column in columns[0]]
    return converter(*columns, actions, *adapters, rules)


def column_to_be(table: Table, column: Column, at_source: Table | None, ddl: DDL) -> tuple[Column, Column]:
    """A column as its values come, and as the target will see it when it is made: by what its declaration means there.

    ``at_source``: the table at its source, if that has it.

    :raises UnsupportedType: the target has no such type.
    """
    source = column.at_source if at_source is None else at_source.column(column.source)
    declaration = ddl.declaration(table, column)
    meant = ddl.adapter.meaning(declaration)
    asked_for = column.carried is not None or meant is None or isinstance(meant, t.Native)
    known = column.type if asked_for or meant is None else meant
    native = column.native if ddl.adapter.name == ddl.catalog.dialect else declaration
    return source, replace(column, type=known, native=native, equality=ddl.equality(table, column))


def read_for(changed: Converter | None, rows: R) -> R:
    """Rows that may come with bytes where texts are none, if they come from a database and are to be changed."""
    if changed is None or not isinstance(rows, TableRows):
        return rows
    return replace(rows, read=changed.reading(rows.read))
