"""Emptying tables as TRUNCATE does, without their triggers: SQLite has DELETE only, for which they fire."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from migrator.model.objects import QName

from .names import quote

_TRIGGERS = """
SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY rowid
"""


def without(connection: sa.Connection, tables: Sequence[QName], statements: Sequence[str]) -> tuple[str, ...]:
    """``statements`` between those that drop all triggers of ``tables`` and those that make them again, in their order.

    SQLite keeps the text of a trigger as it was written. All is to be done in one transaction.
    """
    triggers = [row for table in tables for row in connection.exec_driver_sql(_TRIGGERS, (table.name,))]
    dropped = (f"DROP TRIGGER main.{quote(name)}" for name, _ in triggers)
    return (*dropped, *statements, *(sql for _, sql in triggers))
