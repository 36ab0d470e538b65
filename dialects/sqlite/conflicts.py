"""Constraints that drop or change rows instead of raising an error: those declared with ON CONFLICT.

``INSERT OR ABORT`` counts for more than they do, but also for more than the conflict clauses in the bodies of triggers,
which may well mean what they say. So only tables with such constraints are filled by it.
"""

from __future__ import annotations

import sqlalchemy as sa

from migrator.model.objects import QName

from .declaration import read_table


def insert_into(connection: sa.Connection, table: QName) -> str:
    """How an INSERT into a table begins, so that a row which breaks a constraint is an error of that statement alone."""
    query = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)"
    sql = connection.exec_driver_sql(query, (table.name,)).scalar() if table.schema == "main" else None
    clauses = read_table(sql).clauses if sql is not None else []
    return "INSERT OR ABORT INTO" if any(c.on_conflict not in {"", "ABORT"} for c in clauses) else "INSERT INTO"
