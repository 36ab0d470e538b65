"""Rows whose foreign key refers to a row that is not there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Adapter, execute_verbatim
from migrator.model.objects import ForeignKey, QName


def count_orphans(connection: sa.Connection, adapter: Adapter, table: QName, key: ForeignKey) -> int | None:
    """How many rows of a table refer to rows that are not there; None: nobody says by which columns they would."""
    if not key.referred_columns:
        return None
    quote = adapter.dialect().identifier_preparer.quote_identifier
    child, parent = (f"{quote(name.schema)}.{quote(name.name)}" for name in (table, key.referred))
    return count_dangling(connection, adapter, child, parent, key)


def count_dangling(
    connection: sa.Connection,
    adapter: Adapter,
    child: str,
    parent: str | None,
    key: ForeignKey,
    exact: Collection[str] = (),
) -> int:
    """How many rows of ``child``, which follows FROM, refer by ``key`` to none of ``parent``, as :func:`dangling` has it."""
    sql = f"SELECT count(*) FROM {_dangling_of(adapter, child, parent, key, exact, key.columns)}"
    return int(execute_verbatim(connection, sql).scalar_one())


FIRST = 3
"""How many orphans are shown as examples."""


def first_dangling(
    connection: sa.Connection,
    adapter: Adapter,
    child: str,
    parent: str | None,
    key: ForeignKey,
    exact: Collection[str],
    columns: Sequence[str],
) -> list[tuple[Any, ...]]:
    """The values of ``columns`` in some of the rows that :func:`count_dangling` counts."""
    quote = adapter.dialect().identifier_preparer.quote_identifier
    rows = _dangling_of(adapter, child, parent, key, exact, (*key.columns, *columns))
    sql = f"SELECT {', '.join(f'c.{quote(name)}' for name in columns)} FROM {rows} LIMIT {FIRST}"
    return [tuple(row) for row in execute_verbatim(connection, sql)]


def _dangling_of(
    adapter: Adapter, child: str, parent: str | None, key: ForeignKey, exact: Collection[str], columns: Sequence[str]
) -> str:
    quote = adapter.dialect().identifier_preparer.quote_identifier
    own = ", ".join(dict.fromkeys(map(quote, columns)))
    of_child = f"SELECT {own} FROM {child}\n"  # the condition may end in a comment
    return f"({of_child}) c WHERE {dangling(adapter, 'c', parent, key, exact)}"


def orphans_of(adapter: Adapter, table: QName, parent: str, key: ForeignKey) -> str:
    """The SQL of whether a row of a table refers to none of ``parent``, in a query that gives the table no other name."""
    quote = adapter.dialect().identifier_preparer.quote_identifier
    return dangling(adapter, f"{quote(table.schema)}.{quote(table.name)}", parent, key)


def dangling(adapter: Adapter, child: str, parent: str | None, key: ForeignKey, exact: Collection[str] = ()) -> str:
    """The SQL of whether a row of ``child``, as the query calls it, refers by ``key`` to none of ``parent``.

    ``parent`` follows FROM; None: there is no such table, so that all rows that refer to one do. ``exact``: the columns
    referred to of which texts that are spelled otherwise are others. A row with a NULL in its key refers to none. Where it
    MATCHes FULL, a row that is NULL in some columns of the key only stands against it, too.
    """
    quote = adapter.dialect().identifier_preparer.quote_identifier
    own = [f"{child}.{quote(name)}" for name in key.columns]
    given = (" OR " if key.match == "FULL" else " AND ").join(f"{value} IS NOT NULL" for value in own)
    if parent is None:
        return f"({given})"
    other = [quote(name) for name in key.referred_columns]
    exactly = [name in exact for name in key.referred_columns]
    pairs = zip(own, other, exactly, strict=True)
    equal = " AND ".join(adapter.refers(here, f"p.{there}", exactly=one) for here, there, one in pairs)
    of_parent = f"SELECT {', '.join(dict.fromkeys(other))} FROM {parent}\n"
    return f"({given}) AND NOT EXISTS (SELECT 1 FROM ({of_parent}) p WHERE {equal})"
