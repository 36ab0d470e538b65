"""The locks that keep tables as they are while a job reads them, and what tells that one was not as it was.

A job reads in several sessions. The first holds ACCESS SHARE on all its tables until the job ends, so that nobody alters,
empties or drops one meanwhile. Who wants to waits for it, and all who come after that one wait in its queue: a worker too,
for ever, since the server does not know that both sessions are one job's. So no session of a job waits in that queue: each
asks for the lock before it reads, and is refused at once if somebody is before it.

TRUNCATE, and an ALTER TABLE that writes a table anew, leave nothing of it to an older snapshot. What the snapshot knows of a
table's file tells whether that has happened before the lock was there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa
from psycopg import errors

from migrator.adapter import execute_verbatim
from migrator.errors import StateGone, TableLocked
from migrator.model.objects import QName

from .types import quote

ATTEMPTS = 6
"""How often a lock is asked for."""
PAUSE = 0.5
"""Seconds between two attempts."""
_BATCH = 500
"""How many tables one statement locks."""
_HELD = "migrator.held"
"""Under this name a connection's ``info`` holds the relations that its transaction has locked."""

_NAMED = "ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[])) AS w (schema, name)"
_VISIBLE = "pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
_NOW = f"""CASE WHEN {_VISIBLE}
    THEN pg_catalog.to_regclass(pg_catalog.format('%%I.%%I', w.schema, w.name))::pg_catalog.oid END"""

_LOCKABLE = f"""
SELECT w.schema, w.name, c.relkind = 'p' AS partitioned FROM {_NAMED}
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
WHERE c.relkind IN ('r', 'p') AND c.oid = {_NOW} AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
"""
"""The tables that the user may lock; reading another one says what is missing."""

_GONE = f"""
SELECT w.schema, w.name FROM {_NAMED}
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
CROSS JOIN LATERAL (SELECT {_NOW} AS oid) now
WHERE {_VISIBLE} IS NOT FALSE AND (
    c.oid IS DISTINCT FROM now.oid
    OR NULLIF(c.relfilenode, 0) IS DISTINCT FROM pg_catalog.pg_relation_filenode(now.oid)
    OR EXISTS (
       SELECT FROM pg_catalog.pg_partition_tree(now.oid) t LEFT JOIN pg_catalog.pg_class p ON p.oid = t.relid
       WHERE NULLIF(p.relfilenode, 0) IS DISTINCT FROM pg_catalog.pg_relation_filenode(t.relid) OR EXISTS (
           SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = t.relid AND i.inhrelid NOT IN (
               SELECT u.relid FROM pg_catalog.pg_partition_tree(now.oid) u))))
"""
"""The tables that are not those of the snapshot: a query reads relations as the snapshot has them, functions as they are."""

_WAITING = """
SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l
WHERE l.relation = ANY (%s::pg_catalog.regclass[]) AND l.mode = 'AccessExclusiveLock'
  AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
ORDER BY 1
"""


def secure(connection: sa.Connection, tables: Sequence[QName]) -> None:
    """See :meth:`migrator.adapter.Adapter.secure`."""
    names = [table.schema for table in tables], [table.name for table in tables]
    found = connection.exec_driver_sql(_LOCKABLE, names).all()
    wanted = [("" if row.partitioned else "ONLY ") + f"{quote(row.schema)}.{quote(row.name)}" for row in found]
    for start in range(0, len(wanted), _BATCH):
        hold(connection, wanted[start : start + _BATCH])
    gone = connection.exec_driver_sql(_GONE, names).all()
    if gone:
        raise StateGone(tables=", ".join(str(QName(*row)) for row in gone))


def hold(connection: sa.Connection, relations: Sequence[str]) -> None:
    """Keep relations as they are until the transaction ends; ``ONLY`` before a name leaves out what inherits from it.

    One that the user may read in parts only cannot be locked, and is not.

    :raises TableLocked: another session has, or waits for, a lock that does not go with it, and that stays so.
    """
    held: set[str] = connection.info.setdefault(_HELD, set())
    wanted = [relation for relation in relations if relation not in held]
    if not wanted:
        return
    sql = f"LOCK TABLE {', '.join(wanted)} IN ACCESS SHARE MODE NOWAIT"
    refused = ""
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE if attempt else 0)
        try:
            with connection.begin_nested():
                execute_verbatim(connection, sql)
        except sa.exc.DBAPIError as error:
            if isinstance(error.orig, errors.InsufficientPrivilege):
                for relation in wanted if len(wanted) > 1 else ():
                    hold(connection, [relation])
                return
            if not isinstance(error.orig, errors.LockNotAvailable):
                raise
            refused = error.orig.diag.message_primary or ""
        else:
            held.update(wanted)
            return
    raise TableLocked(detail=f"{refused}: {_others(connection, wanted)}")


def hold_to_add(connection: sa.Connection, table: QName) -> bool:
    """Wait for a table, and let nobody empty or drop it until the transaction ends; False: the user may not.

    Who may add rows may, but not who may add to some columns only. A foreign table has no locks.
    """
    sql = f"LOCK TABLE {quote(table.schema)}.{quote(table.name)} IN ROW EXCLUSIVE MODE"
    try:
        with connection.begin_nested():
            execute_verbatim(connection, sql)
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, errors.InsufficientPrivilege):
            return False
        if not isinstance(error.orig, errors.WrongObjectType):
            raise
    return True


def _others(connection: sa.Connection, relations: Sequence[str]) -> str:
    """Who has exclusive locks on relations, or waits for them."""
    names = [relation.removeprefix("ONLY ") for relation in relations]
    found = [str(pid) for (pid,) in connection.exec_driver_sql(_WAITING, (names,))]
    who = f"session {', '.join(found)}" if found else "another session"
    return f"{who} holds, or waits for, an exclusive lock on it"
