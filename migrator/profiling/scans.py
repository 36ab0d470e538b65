"""The queries of a profile: one over a table's rows, more only where a SELECT has not room for all that is asked.

What a single row cannot show takes a query of its own: rows that a unique key would hold for equal, and rows whose foreign
key refers to nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Adapter, Read, execute_verbatim
from migrator.model.measures import AS_TEXT, Ask
from migrator.model.objects import ForeignKey
from migrator.orphans import count_dangling, first_dangling

Answer = int | str | None
"""A number, or the text of a value; None: there is no value, or nobody can tell."""


@dataclass(frozen=True)
class Scan:
    """What the rows of a table answer. ``queries``: how often they were gone through for it."""

    rows: int
    answers: Mapping[Ask, Answer] = field(default_factory=dict)
    queries: int = 1


def scan(connection: sa.Connection, adapter: Adapter, version: tuple[int, ...], read: Read, asks: Sequence[Ask]) -> Scan:
    """The answers to ``asks``; those that the database has no expression for are not among them."""
    found = ((ask, adapter.aggregate(ask, version)) for ask in dict.fromkeys(asks))
    asked = [(ask, sql) for ask, sql in found if sql is not None]
    size = adapter.capabilities.select_list - 1
    parts = [asked[start : start + size] for start in range(0, len(asked), size)] or [[]]
    rows, answers = 0, dict[Ask, Answer]()
    for part in parts:
        items = ", ".join(["count(*)", *(sql for _, sql in part)])
        rows, *values = _one(connection, f"SELECT {items} FROM {adapter.rows_of(connection, read)}")
        answers |= {ask: _answer(ask, value) for (ask, _), value in zip(part, values, strict=True)}
    return Scan(int(rows), answers, len(parts))


def _answer(ask: Ask, value: Any) -> Answer:
    if value is None:
        return None
    return str(value) if ask.what in AS_TEXT else int(value)


def duplicates(connection: sa.Connection, adapter: Adapter, read: Read) -> int:
    """How many of the rows are equal to another by all columns of the read.

    Of texts the source's own collation would decide, so they are not among them.
    """
    columns = [adapter.dialect().identifier_preparer.quote_identifier(column.name) for column in read.columns]
    rows = f"SELECT {', '.join(columns)} FROM {adapter.rows_of(connection, read)}\n"
    return count_equal(connection, f"({rows}) r", columns)


def count_equal(connection: sa.Connection, rows: str, columns: Sequence[str]) -> int:
    """How many of the rows are equal to another by all ``columns``, as SQL writes them; those with a NULL in one are not.

    ``rows``: what follows FROM.
    """
    given = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    groups = f"SELECT count(*) AS n FROM {rows} WHERE {given} GROUP BY {', '.join(columns)} HAVING count(*) > 1"
    (count,) = _one(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups}) g")
    return int(count)


def orphans(
    connection: sa.Connection,
    adapter: Adapter,
    child: Read,
    parent: Read | None,
    key: ForeignKey,
    exact: Collection[str] = (),
) -> int:
    """How many rows of ``child`` refer to none of ``parent``, see :func:`migrator.orphans.count_dangling`."""
    rows, of = adapter.rows_of(connection, child), None if parent is None else adapter.rows_of(connection, parent)
    return count_dangling(connection, adapter, rows, of, key, exact)


def first_orphans(
    connection: sa.Connection,
    adapter: Adapter,
    child: Read,
    parent: Read | None,
    key: ForeignKey,
    exact: Collection[str],
    columns: Sequence[str],
) -> tuple[dict[str, str | None], ...]:
    """Some of the rows that :func:`orphans` counts, by the values of ``columns`` as texts."""
    rows, of = adapter.rows_of(connection, child), None if parent is None else adapter.rows_of(connection, parent)
    found = first_dangling(connection, adapter, rows, of, key, exact, columns)
    return tuple(dict(zip(columns, map(_shown, row), strict=True)) for row in found)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _one(connection: sa.Connection, sql: str) -> Sequence[Any]:
    """The one row of a query."""
    return tuple(execute_verbatim(connection, sql).one())
