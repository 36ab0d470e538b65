"""Rows whose foreign key refers to a row that is not there."""

from __future__ import annotations

from collections.abc import Collection

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
    """How many rows of ``child`` refer by ``key`` to none of ``parent``; both are what follows FROM.

    ``parent`` None: there is no such table, so that all rows that refer to one are counted. ``exact``: the columns referred
    to of which texts that are spelled otherwise are others. A row with a NULL in its key refers to none. Where a foreign key
    MATCHes FULL, a row that is NULL in some columns of the key only stands against it, too.
    """
    quote = adapter.dialect().identifier_preparer.quote_identifier
    own = [quote(name) for name in key.columns]
    given = (" OR " if key.match == "FULL" else " AND ").join(f"c.{name} IS NOT NULL" for name in own)
    of_child = f"SELECT {', '.join(dict.fromkeys(own))} FROM {child}\n"  # the condition may end in a comment
    sql = f"SELECT count(*) FROM ({of_child}) c WHERE ({given})"
    if parent is not None:
        other = [quote(name) for name in key.referred_columns]
        exactly = [name in exact for name in key.referred_columns]
        equal = " AND ".join(
            adapter.refers(f"c.{here}", f"p.{there}", exactly=one)
            for here, there, one in zip(own, other, exactly, strict=True)
        )
        of_parent = f"SELECT {', '.join(dict.fromkeys(other))} FROM {parent}\n"
        sql += f" AND NOT EXISTS (SELECT 1 FROM ({of_parent}) p WHERE {equal})"
    return int(execute_verbatim(connection, sql).scalar_one())
