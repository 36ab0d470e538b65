"""What POLICY changes in a table's rows on their way, the same for an import, a comparison with its source and a profile."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from migrator.adapter import Adapter
from migrator.converting import Converter, converter
from migrator.ends import TableRows
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


def read_for(changed: Converter | None, rows: R) -> R:
    """Rows that may come with bytes where texts are none, if they come from a database and are to be changed."""
    if changed is None or not isinstance(rows, TableRows):
        return rows
    return replace(rows, read=changed.reading(rows.read))
