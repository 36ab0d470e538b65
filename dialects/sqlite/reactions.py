"""What acts by itself when rows of a table change, and foreign keys that are checked when all is done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import sqlalchemy as sa

from migrator.adapter import Change, Reaction
from migrator.errors import DatabaseError
from migrator.model.objects import QName

from . import on_update

_TRIGGERS = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY 1"
_KEYS = """SELECT m.name, k."from", k.on_delete, k.on_update, k."to"
    FROM main.sqlite_schema m, pragma_foreign_key_list(m.name) k
    WHERE m.type = 'table' AND lower(k."table") = lower(?) ORDER BY 1, k.id, k.seq"""
_COLUMNS = 'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq'
_PRIMARY = "SELECT name FROM pragma_table_info(?) WHERE pk"
_FOLLOWS = {"CASCADE", "SET NULL", "SET DEFAULT"}


def reactions(connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
    """See :meth:`migrator.adapter.Adapter.reactions`."""
    return tuple(dict.fromkeys(_found(connection, table.name)))


def _found(connection: sa.Connection, table: str) -> Iterator[Reaction]:
    for name, sql in connection.exec_driver_sql(_TRIGGERS, (table,)):
        if on_update.is_own(table, sql):
            yield Reaction("UPDATE", f"trigger {name}", can_rest=True)
            continue
        for verb in get_args(Change):
            if re.search(
                rf"\b{verb}\b", sql, re.IGNORECASE
            ):  # in what it does perhaps: that it is for another one is not sure
                yield Reaction(verb, f"trigger {name}")
    primary = {name.lower() for (name,) in connection.exec_driver_sql(_PRIMARY, (table,))}
    for name, column, deletes, updates, referred in connection.exec_driver_sql(_KEYS, (table,)):
        if deletes in _FOLLOWS:
            yield Reaction("DELETE", f"foreign key of {name} ({column}) (ON DELETE {deletes})")
        if updates in _FOLLOWS and referred is not None and referred.lower() not in primary:
            yield Reaction("UPDATE", f"foreign key of {name} ({column}) (ON UPDATE {updates})")


@contextmanager
def deferring(connection: sa.Connection) -> Iterator[None]:
    """See :meth:`migrator.adapter.Adapter.deferring`; the commit itself would not say which rows there are.

    :raises DatabaseError: a row refers to none that did not before.
    """
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    before = _orphans(connection)
    yield
    found = _orphans(connection) - before
    for child, parent, key, _ in found:
        rows = sum(number for orphan, number in found.items() if orphan[:3] == (child, parent, key))
        columns = ", ".join(connection.exec_driver_sql(_COLUMNS, (child, key)).scalars())
        raise DatabaseError(detail=f"{rows} row(s) of {child} would refer to none of {parent} (foreign key {columns})")


def _orphans(connection: sa.Connection) -> Counter[tuple[str, str, int, int | None]]:
    """Rows that refer to none, by table, the one that it refers to, the number of its key, and rowid where it has one."""
    found = connection.exec_driver_sql('SELECT "table", parent, fkid, rowid FROM pragma_foreign_key_check')
    return Counter((child, parent, key, rowid) for child, parent, key, rowid in found)
