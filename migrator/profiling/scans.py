"""The queries of a profile: one over a table's rows, more only where a SELECT has not room for all that is asked.

What a single row cannot show takes a query of its own: rows that a unique key would hold for equal, and rows whose foreign
key refers to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Adapter, Read, execute_verbatim
from migrator.model.measures import AS_TEXT, Ask
from migrator.model.objects import ForeignKey

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
    """How many rows there are that are equal to another by the columns of a read; those with a NULL in it are none.

    Of texts the source's own collation would decide, so they are not among them.
    """
    keys = [f"k{at}" for at in range(len(read.columns))]
    items = ", ".join(f"{_quoted(adapter, column.name)} AS {key}" for column, key in zip(read.columns, keys, strict=True))
    given = " AND ".join(f"{name} IS NOT NULL" for name in keys)
    rows = f"SELECT {items} FROM {adapter.rows_of(connection, read)}\n"
    groups = f"SELECT count(*) AS n FROM ({rows}) r WHERE {given} GROUP BY {', '.join(keys)} HAVING count(*) > 1"
    (count,) = _one(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups}) g")
    return int(count)


def orphans(connection: sa.Connection, adapter: Adapter, child: Read, parent: Read, key: ForeignKey) -> int:
    """How many rows of ``child`` refer to none of ``parent``; MATCH FULL: also those with some of the key NULL."""
    own = [_quoted(adapter, name) for name in key.columns]
    other = [_quoted(adapter, name) for name in key.referred_columns]
    equal = " AND ".join(f"p.{there} = c.{here}" for here, there in zip(own, other, strict=True))
    of_child = f"SELECT {', '.join(own)} FROM {adapter.rows_of(connection, child)}\n"
    of_parent = f"SELECT {', '.join(dict.fromkeys(other))} FROM {adapter.rows_of(connection, parent)}\n"
    given = (" OR " if key.match == "FULL" else " AND ").join(f"c.{name} IS NOT NULL" for name in own)
    missing = f"NOT EXISTS (SELECT 1 FROM ({of_parent}) p WHERE {equal})"
    (count,) = _one(connection, f"SELECT count(*) FROM ({of_child}) c WHERE ({given}) AND {missing}")
    return int(count)


def _quoted(adapter: Adapter, name: str) -> str:
    quoted: str = adapter.dialect().identifier_preparer.quote_identifier(name)
    return quoted


def _one(connection: sa.Connection, sql: str) -> Sequence[Any]:
    """The one row of a query."""
    return tuple(execute_verbatim(connection, sql).one())
