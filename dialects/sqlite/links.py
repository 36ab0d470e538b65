"""Rows from one file to another inside SQLite: the source is attached to the target's connection, read-only.

A value keeps its storage class: it has met the affinity of its column before, and the target's column has the same. (Only a
schema that was rewritten by hand, PRAGMA writable_schema, could give a column values that its affinity would change.)
"""

from __future__ import annotations

import sqlite3
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import Load, Read, Snapshot
from migrator.errors import LinkRefused, RowCountDiffers
from migrator.model.objects import Table

from . import connections
from .conflicts import insert_into
from .names import qualified, quote

LINK = "migrator_link"
"""The name under which the source is attached."""


@contextmanager
def linking(target: sa.Engine, source: sa.Engine, snapshot: Snapshot) -> Iterator[sa.Connection]:
    """A connection in a write transaction on the target, with the source attached in the snapshot's state.

    The snapshot's own connection keeps others from committing to the source, so that each transaction here reads one state;
    with a write-ahead log it does not.

    :raises LinkRefused: the source has a write-ahead log, another encoding of text than the target, or a view that names
        its database.
    :raises DatabaseError: another program has changed the source since the snapshot was taken.
    """
    path = connections.existing_file(source.url)
    if connections.is_logged(snapshot):
        raise LinkRefused(detail=f"{path} has a write-ahead log, and others may commit to it between two transactions")
    with _with_uris(target).connect() as connection:
        with _readable_here():
            uri = f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro"
            connection.exec_driver_sql(f"ATTACH ? AS {LINK}", (uri,))
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(f"SELECT count(*) FROM {LINK}.sqlite_schema").all()  # takes the lock
        connections.check(path, snapshot)
        yield connection


def _with_uris(target: sa.Engine) -> sa.Engine:
    """The same engine, on whose connections file names may be URIs."""
    file = f"file:{urllib.parse.quote(str(connections.file_of(target.url).absolute()))}"
    url = target.url.set(database=file, query={**target.url.query, "uri": "true"})
    return connections.prepared(sa.create_engine(url, poolclass=NullPool))


@contextmanager
def _readable_here() -> Iterator[None]:
    """:raises LinkRefused: the source cannot be read beside the target."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if any(words in str(error.orig) for words in _UNLIKE):
            raise LinkRefused(detail=str(error.orig)) from error
        raise


_UNLIKE = ("text encoding", "cannot reference objects in database main")
"""What SQLite says of a file that it cannot read beside another: its encoding, or views and triggers that say "main"."""


def same_values(load: Load, here: Table, there: Table) -> bool:
    """Whether columns are declared alike; NULL is no rowid: it would become the next number.

    A column that is declared ANY takes values as they are in a STRICT table, and with the affinity of numbers in another.
    """
    alike = _is_strict(here) == _is_strict(there)
    return all(
        a.native == b.native and (alike or a.native.upper() != "ANY") and (b.identity is None or not a.nullable)
        for a, b in zip(load.source, load.target, strict=True)
    )


def _is_strict(table: Table) -> bool:
    return ("STRICT", "") in table.options


def insert_select(connection: sa.Connection, load: Load, read: Read) -> int:
    """Store the rows of a read by one INSERT … SELECT."""
    where = f" WHERE ({read.condition}\n)" if read.condition else ""
    rows = f"{LINK}.{quote(read.table.name)}{where}"
    target = qualified(load.table)
    into = ", ".join(quote(column.name) for column in load.target)
    values = ", ".join(quote(column.name) for column in load.source)
    insert = insert_into(connection, load.table)
    driver: Any = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    stored = driver.execute(f"{insert} {target} ({into}) SELECT {values} FROM {rows}").rowcount
    sent = int(driver.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])
    if stored != sent:
        raise RowCountDiffers(table=load.table, sent=sent, stored=stored, detail="a trigger may have left rows out")
    return stored
