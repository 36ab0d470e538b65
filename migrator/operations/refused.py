"""What a target has refused to make: the source's own words for it, and the rows that stand against a foreign key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from migrator.ddl import expressions_of
from migrator.model.objects import Check, ForeignKey, Index, Program, QName, Table, View


def source_text(part: Any) -> str:
    """The SQL of an object, or of a part of a table, as its source wrote it; empty: it is not SQL there."""
    match part:
        case View(definition=sql) | Program(create=sql) | Check(expression=sql):
            return sql.sql
        case Index():
            return ", ".join(expression.sql for expression in expressions_of(part))
        case Table(partitioning=partitioning) if partitioning is not None:
            return f"PARTITION BY {partitioning.clause}"
        case _:
            return ""


def count_orphans(connection: sa.Connection, table: QName, key: ForeignKey) -> int:
    """How many rows of a table refer to rows that are not there. A row with a NULL in its key refers to none.

    Where a foreign key MATCHes FULL, a row that is NULL in some columns of the key only stands against it, too.
    """
    columns = key.referred_columns or key.columns
    child = sa.table(table.name, *map(sa.column, key.columns), schema=table.schema).alias("child")
    parent = sa.table(key.referred.name, *map(sa.column, columns), schema=key.referred.schema).alias("parent")
    own = [child.c[name] for name in key.columns]
    there = sa.exists().where(*(parent.c[name] == column for name, column in zip(columns, own, strict=True)))
    against = sa.and_(*(column.is_not(None) for column in own), ~there)
    if key.match == "FULL":
        partly = sa.and_(sa.or_(*(c.is_(None) for c in own)), sa.or_(*(c.is_not(None) for c in own)))
        against = sa.or_(against, partly)
    return int(connection.execute(sa.select(sa.func.count()).select_from(child).where(against)).scalar_one())
