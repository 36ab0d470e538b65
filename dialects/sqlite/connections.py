"""Connections to a SQLite file, and one state of it for several readers.

Catalogs, DDL and loads go through Python's own driver. Rows are read through ADBC, which has a SQLite library of its own:
the locks of one library mean nothing to the other within a process, and a closing one drops them. So a file is written
through one driver only (see :mod:`.staging` for how rows come to it), and a reader checks that the file is still in the
snapshot's state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import ConnectArgsType
from sqlalchemy.pool import NullPool

from migrator.adapter import Snapshot
from migrator.errors import DatabaseError, InvalidUrl, MissingDatabaseFile, MissingDriver

LOCK_TIMEOUT = 10.0
"""How many seconds a connection waits for another one's lock."""

_WRITER_CACHE = 32 << 10
"""How many KiB of pages a writer keeps in memory. Until it has more, others may still read."""

STAGED = tuple(f".migrator-rows{n}" for n in range(10))
"""What ends the names of the files with rows on their way into a file; see :mod:`.staging`."""


def file_of(url: sa.URL) -> Path:
    """The file a URL names.

    :raises InvalidUrl: it names a database in memory, or has parameters.
    """
    shown = url.render_as_string()
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InvalidUrl(url=shown, detail="a plain path to a database file is needed, as in sqlite:///hr.db")
    if set(url.query) - {"timeout"}:
        raise InvalidUrl(url=shown, detail="of the driver's parameters only timeout is taken")
    lock_timeout(url)
    return Path(url.database)


def files_of(url: sa.URL) -> tuple[Path, ...]:
    """The file a URL names, its journal, its write-ahead log with its index, and the files of rows on their way into it.

    :raises InvalidUrl: it names no plain file.
    """
    path = file_of(url)
    return (path, *(path.with_name(path.name + suffix) for suffix in ("-journal", "-wal", "-shm", *STAGED)))


def lock_timeout(url: sa.URL) -> float:
    """How many seconds a connection waits for another one's lock: the URL's ``timeout``, else LOCK_TIMEOUT.

    :raises InvalidUrl: it is no number.
    """
    given = url.query.get("timeout", str(LOCK_TIMEOUT))
    try:
        return float(str(given))
    except ValueError as error:
        detail = "timeout is a number of seconds"
        raise InvalidUrl(url=url.render_as_string(), detail=detail) from error


def existing_file(url: sa.URL) -> Path:
    """The file a URL names.

    :raises MissingDatabaseFile: it is not there.
    """
    path = file_of(url)
    if not path.is_file():
        raise MissingDatabaseFile(path=path)
    return path


def engine(url: sa.URL) -> sa.Engine:
    """An engine that makes the file where it is missing; foreign keys are checked after loading, not row by row."""
    file_of(url)
    waiting = {"timeout": str(lock_timeout(url))}
    return prepared(sa.create_engine(url.set(drivername="sqlite+pysqlite", query=waiting), poolclass=NullPool))


def prepared(made: sa.Engine) -> sa.Engine:
    """The engine, whose new connections check no foreign keys."""

    @sa.event.listens_for(made, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = OFF")

    return made


def adbc_driver() -> Any:
    """ADBC's DBAPI module.

    :raises MissingDriver: it is not installed.
    """
    try:
        import adbc_driver_sqlite.dbapi as driver
    except ImportError as error:
        raise MissingDriver(dialect="sqlite", detail=error) from error
    return driver


def read_only(path: Path) -> str:
    """The URI of a file that is never made."""
    return f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"


class ADBCDialect(DefaultDialect):
    """SQLAlchemy over ADBC's SQLite driver, for reading only."""

    name = "sqlite"
    driver = "adbc"
    default_paramstyle = "qmark"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """ADBC's DBAPI module.

        :raises MissingDriver: it is not installed.
        """
        module: ModuleType = adbc_driver()
        return module

    def create_connect_args(self, url: sa.URL) -> ConnectArgsType:
        """Open the file for reading only: it is never made."""
        return [read_only(existing_file(url))], {}

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run a statement; ADBC takes no empty parameters."""
        cursor.execute(statement, parameters or None)


sa.dialects.registry.register("sqlite.adbc", __name__, "ADBCDialect")


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a file."""
    return path.with_name(path.name + "-wal")


def _state(path: Path, journal: str) -> str:
    """What tells one committed state of a file from another: the log in WAL mode, else the file itself."""
    written = wal_of(path) if journal == "wal" else path
    try:
        facts = written.stat()
    except FileNotFoundError:
        return f"{journal} -"
    return f"{journal} {facts.st_mtime_ns} {facts.st_size}"


@contextmanager
def snapshot(source: sa.Engine) -> Iterator[Snapshot]:
    """Hold a read transaction. Readers that come later are checked against its token.

    With a rollback journal nobody can commit meanwhile, so any number of readers see one state. With a write-ahead log
    others do commit, and only readers that begin before they do are let in: one reader is safest.
    """
    path = existing_file(source.url)
    with source.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").all()
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        if journal == "wal":
            yield Snapshot(_state(path, journal), 1, "the file has a write-ahead log: one reader keeps one state of it")
        else:
            yield Snapshot(_state(path, journal), None)


def is_logged(snapshot_: Snapshot) -> bool:
    """Whether the file of a snapshot has a write-ahead log."""
    return (snapshot_.token or "").startswith("wal ")


def check(path: Path, snapshot_: Snapshot) -> None:
    """Check that a file is in the snapshot's state.

    :raises DatabaseError: another program has changed it since.
    """
    if snapshot_.token is None:
        return
    journal = snapshot_.token.split()[0]
    if _state(path, journal) != snapshot_.token:
        raise DatabaseError(detail=f"{path} was changed by another program since the job began; run the job again")


@contextmanager
def reading(source: sa.Engine, snapshot_: Snapshot) -> Iterator[sa.Connection]:
    """A connection through ADBC in a read transaction on the snapshot's state.

    :raises DatabaseError: another program has changed the file since the snapshot was taken.
    """
    path = existing_file(source.url)
    reader = sa.create_engine(source.url.set(drivername="sqlite+adbc", query={}), poolclass=NullPool)
    with reader.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(lock_timeout(source.url) * 1000)}").all()
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").all()
        check(path, snapshot_)
        yield connection


@contextmanager
def writing(target: sa.Engine, *, checking: bool = False) -> Iterator[sa.Connection]:
    """A connection in a write transaction that the caller commits; ``checking``: foreign keys are checked."""
    with target.connect() as connection:
        if checking:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_WRITER_CACHE}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def unchecked_references(connection: sa.Connection) -> Iterator[None]:
    """Statements of the context check no foreign keys: the caller looks for rows that refer to nothing.

    The commit would look too, had it not to be ended here: the statements that follow check theirs at once.
    """
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = OFF")
