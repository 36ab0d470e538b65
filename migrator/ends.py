"""The ends of a job as small picklable values: a database, a dump file set. They hold no connection.

Errors of databases and drivers leave this module and the worker as :class:`~migrator.errors.MigratorError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TypeVar

import sqlalchemy as sa

from migrator.adapter import Adapter, DataFiles, Read, Server, Snapshot, Trouble, adapter_for_backend
from migrator.dump.master import Piece
from migrator.dump.reader import DumpFiles
from migrator.errors import (
    ConnectionLost,
    ConnectionRefused,
    DatabaseError,
    DiskFull,
    FatalError,
    InsufficientPrivilege,
    MigratorError,
    NotADatabase,
    ReadOnlyDatabase,
    ResourceBusy,
    ScriptsOnly,
    mask,
)

T = TypeVar("T")

_ERRORS: dict[Trouble | None, Callable[..., MigratorError]] = {
    None: DatabaseError,
    "privilege": InsufficientPrivilege,
    "connection": ConnectionLost,
    "room": DiskFull,
    "read-only": ReadOnlyDatabase,
    "lock": ResourceBusy,
    "row": DatabaseError,
    "text": DatabaseError,
    "file": partial(NotADatabase, url=""),
}


@contextmanager
def database_errors(adapter: Adapter) -> Iterator[None]:
    """What a database or driver raises becomes one line.

    :raises DatabaseError: with the database's own words.
    :raises InsufficientPrivilege: where it was about a privilege.
    :raises ConnectionLost: the connection is no more.
    :raises DiskFull: the database has no room left.
    :raises ReadOnlyDatabase: it takes no changes.
    :raises NotADatabase: the file is none; :meth:`Database.connect` says which.
    """
    try:
        yield
    except MigratorError:
        raise
    except Exception as error:
        if not isinstance(error, adapter.driver_errors()):
            raise
        raise _explained(adapter, error) from error


def answer(adapter: Adapter, ask: Callable[[], T]) -> tuple[T | None, MigratorError | None]:
    """What a database answers, or why it does not.

    :raises FatalError: the job cannot go on.
    """
    try:
        with database_errors(adapter):
            return ask(), None
    except FatalError:
        raise
    except MigratorError as error:
        return None, error


def _explained(adapter: Adapter, error: Exception) -> MigratorError:
    if isinstance(error, sa.exc.PendingRollbackError):
        return ConnectionLost(detail="it had ended before")
    text, about = adapter.explain(error)
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        about = "connection"
    return _ERRORS[about](detail=text)


@cache
def _engine(adapter: Adapter, url: sa.URL) -> sa.Engine:
    return adapter.engine(url)


@dataclass(frozen=True)
class Database:
    """A database at the end of a job."""

    url: sa.URL = field(repr=False)

    @property
    def adapter(self) -> Adapter:
        """The adapter that speaks to it."""
        return adapter_for_backend(self.url.get_backend_name())

    @property
    def engine(self) -> sa.Engine:
        """Its engine, one per process."""
        return _engine(self.adapter, self.url)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in autocommit mode, for the catalog and DDL.

        :raises ConnectionRefused: the server cannot be reached or refuses the login.
        :raises NotADatabase: the file is none.
        :raises ScriptsOnly: the adapter cannot connect.
        """
        if not self.adapter.capabilities.connects:
            raise ScriptsOnly(operation="Connecting", database=self.adapter.title)
        try:
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        except MigratorError:
            raise
        except Exception as error:
            if not isinstance(error, self.adapter.driver_errors()):
                raise
            detail = self.adapter.explain(error).text
            raise ConnectionRefused(url=self._shown, detail=detail) from error
        with database_errors(self.adapter), connection:
            try:
                with database_errors(self.adapter):
                    yield connection
            except FatalError:
                connection.invalidate()  # a lost connection cannot even be closed in good order
                raise
            except NotADatabase as error:
                if error.facts["url"]:
                    raise
                raise NotADatabase(url=self._shown, detail=error.facts["detail"]) from error

    @property
    def _shown(self) -> str:
        return mask(self.url.render_as_string())

    def server(self) -> Server:
        """Who is at the other end, with what its database always does where it does not say."""
        with self.connect() as connection:
            found = self.adapter.server(connection)
        if found.ignores_table_case is None:
            return replace(found, ignores_table_case=self.adapter.capabilities.ignores_table_case)
        return found


# --- where a table's rows come from --------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableRows:
    """Rows read from a database on a snapshot."""

    database: Database
    snapshot: Snapshot
    read: Read


@dataclass(frozen=True)
class DumpedRows:
    """Rows that lie in the pieces of a dump file set; ``columns``: which of theirs are wanted."""

    dump: DumpFiles
    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows the pieces were recorded to hold."""
        return sum(piece.rows for piece in self.pieces)


@dataclass(frozen=True)
class HeldFiles:
    """Data files on the server's disk, kept as they are until they are copied."""

    held: DataFiles


@dataclass(frozen=True)
class DumpedFiles:
    """Data files in the pieces of a dump file set."""

    dump: DumpFiles
    pieces: tuple[Piece, ...]


RowsFrom = TableRows | DumpedRows | HeldFiles | DumpedFiles
"""Where the rows of a granule come from."""
