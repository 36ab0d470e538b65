"""Rows from one database to another inside a server: INSERT … SELECT, while the tables it reads are locked against writers.

INSERT … SELECT does not read a transaction's snapshot: InnoDB reads the latest rows for it, under locks of its own. So a
session holds the tables as they are for as long as the job reads them. A lock by a name of its own, which only that session
can have, tells that the target is the same server, and that the session is still there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import Kept, Load, Read, execute_verbatim
from migrator.errors import ConnectionLost, LinkRefused, RowCountDiffers, ValueNotCarried
from migrator.model.objects import QName

from . import paths
from .names import qualified, quote

_WAIT = 60
"""How many seconds to wait for those who write to the tables."""

_BEHIND = 10
"""How many seconds to wait for those who wait for these tables: they wait for the session that keeps the tables as they are,
so that none would end before the other."""


@contextmanager
def locking(engine: sa.Engine, tables: Sequence[QName]) -> Iterator[Kept]:
    """Keep others from changing tables."""
    name = f"migrator-{uuid.uuid4().hex}"
    with engine.connect() as connection, paths.given_up_when_broken(connection):
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_WAIT}, wait_timeout = 31536000")
        connection.exec_driver_sql(f"DO GET_LOCK('{name}', 0)")
        if tables:
            names = ", ".join(f"{qualified(table)} READ" for table in tables)
            execute_verbatim(connection, f"LOCK TABLES {names}")
        yield Kept(name)


@contextmanager
def linking(target: sa.Engine, source: sa.Engine, kept: Kept) -> Iterator[sa.Connection]:
    """A connection for loading rows whose SQL reads the locked tables.

    :raises LinkRefused: the source is on another server, or is reached as another user, who may see other rows.
    """
    with paths.writing(target) as connection:
        if not _locked(connection, kept):
            raise LinkRefused(detail="the two databases are not on one server")
        with source.connect() as other:
            users = [c.exec_driver_sql("SELECT CURRENT_USER()").scalar_one() for c in (connection, other)]
        if users[0] != users[1]:
            raise LinkRefused(detail=f"the job is {users[0]} at its target and {users[1]} at its source")
        with paths.given_up_when_broken(connection):
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_BEHIND}")
            connection.info[_KEPT] = kept
            yield connection


_KEPT = "migrator.kept"
"""Under this name a linking connection's ``info`` holds what the tables that it reads are kept by."""


def _locked(connection: sa.Connection, kept: Kept) -> bool:
    """Whether the session that locks the source's tables is one of the connection's server."""
    return connection.exec_driver_sql("SELECT IS_USED_LOCK(%s)", (kept.name,)).scalar_one() is not None


def insert_select(connection: sa.Connection, load: Load, read: Read) -> int:
    """Store the rows of a read by one INSERT … SELECT.

    :raises ConnectionLost: the session that locked the tables is gone.
    :raises ValueNotCarried: the server changed a value, or text would be converted.
    """
    _check_character_sets(connection, load, read)
    into = ", ".join(quote(column.name) for column in load.target)
    values = ", ".join(quote(column.name) for column in load.source)
    rows, driver = paths.rows_of(read), paths.driver_of(connection)
    paths.set_mode(connection, load)
    connection.exec_driver_sql("SET SESSION sql_notes = 0")  # of columns declared alike, it has notes on computed ones only
    stored = int(driver.query(f"INSERT INTO {qualified(load.table)} ({into}) SELECT {values} FROM {rows}"))
    if driver._result.warning_count:
        paths.refuse_warnings(driver, load)
    sent = int(execute_verbatim(connection, f"SELECT COUNT(*) FROM {rows}").scalar_one())
    if stored != sent:
        raise RowCountDiffers(table=load.table, sent=sent, stored=stored, detail="no warning")
    if not _locked(connection, connection.info[_KEPT]):
        raise ConnectionLost(detail="the connection that locked the source's tables is gone")
    return stored


def _check_character_sets(connection: sa.Connection, load: Load, read: Read) -> None:
    here, there = paths.character_sets(connection, read.table), paths.character_sets(connection, load.table)
    for source, target in zip(load.source, load.target, strict=True):
        if here.get(source.name) != there.get(target.name):
            detail = f"its text is {here.get(source.name)} at the source and {there.get(target.name)} here"
            raise ValueNotCarried(column=f"{load.table.name}.{target.name}", detail=detail)


def same_values(load: Load) -> bool:
    """Whether columns are declared alike. NULL is none of the target's values: it would become a number, or the time."""
    pairs = zip(load.source, load.target, strict=True)
    return all(a.native == b.native and a.collation == b.collation and (b.nullable or not a.nullable) for a, b in pairs)
