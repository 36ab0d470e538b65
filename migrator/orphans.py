"""Rows whose foreign key refers to a row that is not there."""

from __future__ import annotations

import sqlalchemy as sa

from migrator.model.objects import ForeignKey, QName


def count_orphans(connection: sa.Connection, table: QName, key: ForeignKey) -> int | None:
    """How many rows of a table refer to rows that are not there; None: nobody says by which columns they would.

    A row with a NULL in its key refers to none. Where a foreign key MATCHes FULL, a row that is NULL in some columns of the
    key only stands against it, too.
    """
    columns = key.referred_columns
    if not columns:
        return None
    child = sa.table(table.name, *map(sa.column, key.columns), schema=table.schema).alias("child")
    parent = sa.table(key.referred.name, *map(sa.column, columns), schema=key.referred.schema).alias("parent")
    own = [child.c[name] for name in key.columns]
    there = sa.exists().where(*(parent.c[name] == column for name, column in zip(columns, own, strict=True)))
    against = sa.and_(*(column.is_not(None) for column in own), ~there)
    if key.match == "FULL":
        partly = sa.and_(sa.or_(*(c.is_(None) for c in own)), sa.or_(*(c.is_not(None) for c in own)))
        against = sa.or_(against, partly)
    return int(connection.execute(sa.select(sa.func.count()).select_from(child).where(against)).scalar_one())
