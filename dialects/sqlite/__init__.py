"""The SQLite adapter."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from migrator.adapter import (
    Adapter,
    Block,
    Capabilities,
    DataFiles,
    Estimation,
    Explanation,
    Facts,
    Granule,
    Load,
    NameSpace,
    Reaction,
    Read,
    Server,
    Snapshot,
    Trouble,
)
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.measures import Ask
from migrator.model.objects import QName, Table

from . import (
    conflicts,
    connections,
    data_files,
    estimates,
    facts,
    granules,
    links,
    measures,
    on_update,
    paths,
    reactions,
    triggers,
)
from .ddl import SQLiteDDL
from .dictionary import SCHEMA, read_catalog, tables_of
from .expressions import SEMANTICS
from .names import RESERVED
from .samples import SAMPLES
from .types import DIALECT, LACKS, TYPES, neutral, unsaid

_TROUBLE: dict[int, Trouble] = {
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "privilege",
    sqlite3.SQLITE_FULL: "room",
    sqlite3.SQLITE_IOERR_WRITE: "room",  # a quota, or a limit of the file's size
    sqlite3.SQLITE_NOTADB: "file",
    sqlite3.SQLITE_CORRUPT: "file",
    sqlite3.SQLITE_BUSY: "lock",
    sqlite3.SQLITE_LOCKED: "lock",
    sqlite3.SQLITE_CONSTRAINT: "row",
    sqlite3.SQLITE_MISMATCH: "row",
    sqlite3.SQLITE_TOOBIG: "row",
}
"""What codes of errors are about, extended ones or primary ones."""


class SQLiteAdapter(Adapter):
    """SQLite 3.37 and later, a file at a time."""

    name = DIALECT
    title = "SQLite"
    backends = ("sqlite",)
    driver = "pysqlite"
    sqlglot = "sqlite"
    capabilities = Capabilities(
        single_schema=SCHEMA,
        inline=frozenset({"primary_key", "unique", "check", "foreign_key"}),
        transactional_ddl=True,
        identifier_limit=(1_000_000, "bytes"),
        select_list=1900,
        name_spaces=(NameSpace(frozenset({"table", "view", "index"})),),
        reserved_prefix=RESERVED,
        ignores_table_case=True,
        nulls_in_primary_keys=True,
        cuts_clock=True,
        clock_begins="statement",
        ignores_column_case=True,
        max_writers=1,
        writes_while_read=False,
        reads_links=True,
        link_is_fastest=True,
        types_by_rows=True,
        negative_zero=False,
        clocks_are_texts=True,
        ends_at_nul=True,
        largest_integer=(1 << 63) - 1,
        data_files="database",
    )
    types = TYPES
    samples = SAMPLES
    lacks = LACKS
    answers = facts.ANSWERS
    semantics = SEMANTICS
    libraries = (f"{__name__}.paths",)

    def meaning(self, declaration: str) -> t.Type | None:
        """What a declaration means."""
        return neutral(declaration)

    def unsaid(self, declaration: str) -> str:
        """That a column takes values of any type, or is of none that is known."""
        return unsaid(declaration)

    def unsaid_options(self, options: Sequence[tuple[str, str]]) -> str:
        """WITHOUT ROWID and STRICT."""
        return f"options are not carried: {', '.join(name for name, _ in options)}" if options else ""

    # --- connecting -------------------------------------------------------------------------------------------------

    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's SQLite dialect."""
        return SQLiteDialect_pysqlite(paramstyle="named", dbapi=SQLiteDialect_pysqlite.import_dbapi())

    def engine(self, url: sa.URL) -> sa.Engine:
        """An engine; connecting makes the file where it is missing."""
        return connections.engine(url)

    def server(self, connection: sa.Connection) -> Server:
        """The library's version, and which file it is, whatever links lead there."""
        version, path = connection.exec_driver_sql(
            "SELECT sqlite_version(), file FROM pragma_database_list WHERE seq = 0"
        ).one()
        numbers = tuple(int(part) for part in version.split("."))
        identity = "{0.st_dev} {0.st_ino}".format(os.stat(path)) if path else ""
        return Server(f"SQLite {version}", numbers, SCHEMA, SCHEMA, identity)

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether SQLite says that a table, index, view or trigger is there already."""
        return "already exists" in str(getattr(error, "orig", None) or error)

    def explain(self, error: BaseException) -> Explanation:
        """SQLite's own words."""
        original = getattr(error, "orig", None) or error
        text = str(original).splitlines()[0] if str(original) else type(original).__name__
        code = getattr(original, "sqlite_errorcode", 0)
        return Explanation(text, _TROUBLE.get(code) or _TROUBLE.get(code & 0xFF))

    def driver_errors(self) -> tuple[type[Exception], ...]:
        """SQLAlchemy's, Python's and ADBC's errors."""
        return (*super().driver_errors(), connections.adbc_driver().Error)

    def files(self, url: sa.URL) -> tuple[Path, ...]:
        """The file, and those that SQLite keeps beside it."""
        return connections.files_of(url)

    def find(self, url: sa.URL) -> None:
        """The file must be there: connecting would make it."""
        connections.existing_file(url)

    # --- reading ----------------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """The one schema of a file."""
        return (SCHEMA,)

    def tables_of(self, connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[QName, ...]:
        """By pragma_table_info."""
        return tables_of(connection, columns) if SCHEMA in schemas else ()

    def catalog(
        self, connection: sa.Connection, schemas: Sequence[str], *, proof: bool | Collection[QName] = True
    ) -> Catalog:
        """All objects of the file."""
        version = self.server(connection).version
        if SCHEMA not in schemas:
            return Catalog(DIALECT, ".".join(map(str, version)))
        return read_catalog(connection, ".".join(map(str, version)), proof=proof)

    def facts(self, connection: sa.Connection, tables: Sequence[QName]) -> Mapping[QName, Facts]:
        """What the access-method rules ask of each table."""
        return facts.facts(connection, tables)

    def snapshot(self, engine: sa.Engine, readers: int) -> AbstractContextManager[Snapshot]:
        """A read transaction; see :func:`.connections.snapshot`."""
        return connections.snapshot(engine)

    def reading(self, engine: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A connection through ADBC; see :func:`.connections.reading`."""
        return connections.reading(engine, snapshot)

    def batches(self, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        """The rows, through a connection from :meth:`reading`."""
        return paths.batches(connection, read)

    def granules(self, connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
        """Ranges of rowids, or of the primary key in a table without them."""
        return granules.granules(connection, table, size)

    def estimate(self, connection: sa.Connection, table: Table, method: Estimation) -> int:
        """The pages of a table, or the number of its rows as ANALYZE found it times the width of the first of them."""
        return estimates.estimate(connection, table, method)

    def rows_of(self, connection: sa.Connection, read: Read) -> str:
        """The table and the condition."""
        return measures.rows_of(read)

    def refers(self, value: str, key: str, *, exactly: bool = False) -> str:
        """As SQLite checks it: by the affinity and the collation of the key's column, without those of the value's.

        That is what an index serves; what it finds may be spelled otherwise.
        """
        equal = f"{key} = +{value}"
        return f"{equal} AND {key} COLLATE BINARY = +{value}" if exactly else equal

    def aggregate(self, ask: Ask, version: tuple[int, ...]) -> str | None:
        """See :mod:`.measures`."""
        return measures.aggregate(ask)

    def mark(self, connection: sa.Connection) -> str:
        """What tells one committed state of the file from another."""
        return granules.mark(connection)

    def changed(self, connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
        """By the file: SQLite does not tell which table was written to."""
        return granules.changed(connection, mark)

    # --- writing ----------------------------------------------------------------------------------------------------

    def hurry(self, connection: sa.Connection, seconds: float) -> None:
        """``PRAGMA busy_timeout``: a writer that waits until the last reader has gone lets no other one in."""
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def writing(self, engine: sa.Engine, *, checking: bool = False) -> AbstractContextManager[sa.Connection]:
        """A connection in a write transaction. ``checking``: foreign keys are checked too, but for deferred ones."""
        return connections.writing(engine, checking=checking)

    def load(self, connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
        """Store the rows by INSERT, many of them by way of files; see :mod:`.staging`."""
        return paths.load(connection, load, batches)

    def linking(self, engine: sa.Engine, source: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """The source is attached; see :func:`.links.linking`."""
        return links.linking(engine, source, snapshot)

    def insert_select(self, connection: sa.Connection, load: Load, read: Read) -> int:
        """Store the rows of an attached file."""
        return links.insert_select(connection, load, read)

    def emptying(self, connection: sa.Connection, tables: Sequence[QName], truncate: Sequence[str]) -> tuple[str, ...]:
        """The tables' triggers are dropped for the DELETE, and made again; see :func:`.triggers.without`."""
        return triggers.without(connection, tables, truncate)

    def insert_into(self, connection: sa.Connection, table: QName) -> str:
        """``INSERT OR ABORT INTO`` a table with constraints that have ON CONFLICT; see :func:`.conflicts.insert_into`."""
        return conflicts.insert_into(connection, table)

    def same_values(self, load: Load, here: Table, there: Table) -> bool:
        """Whether columns are declared alike and take values alike, and no NULL becomes a number."""
        return links.same_values(load, here, there)

    def unchecked_references(self, connection: sa.Connection) -> AbstractContextManager[None]:
        """``PRAGMA defer_foreign_keys``: each row is a statement here."""
        return connections.unchecked_references(connection)

    def deferring(self, connection: sa.Connection, tables: Sequence[QName]) -> AbstractContextManager[None]:
        """Until the commit, which looks once more."""
        return reactions.deferring(connection)

    def reactions(self, connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
        """Triggers, and foreign keys that follow."""
        return reactions.reactions(connection, table)

    def resting(self, connection: sa.Connection, table: QName) -> AbstractContextManager[None]:
        """By DROP TRIGGER in the transaction."""
        return on_update.resting(connection, table)

    def orphans(self, connection: sa.Connection, table: QName) -> int:
        """Rows of a table whose foreign keys refer to nothing."""
        name = table.name.replace("'", "''")
        found = connection.exec_driver_sql(f"SELECT count(*) FROM pragma_foreign_key_check('{name}')").scalar_one()
        return int(found)

    # --- data files -------------------------------------------------------------------------------------------------

    def holding(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Mapping[QName, DataFiles]]:
        """The file, by the backup interface; whatever tables are asked for."""
        return data_files.holding(engine)

    def misfit(self, connection: sa.Connection, table: Table | None, version: str, traits: Mapping[str, str]) -> str:
        """By the library's release, and by what is in the database."""
        return data_files.misfit(connection, version)

    def place(self, connection: sa.Connection, table: QName, blocks: Iterable[Block], confirm: Callable[[], None]) -> None:
        """By the backup interface, into an empty database."""
        data_files.place(connection, blocks, confirm)

    # --- objects ----------------------------------------------------------------------------------------------------

    def ddl(self, catalog: Catalog, version: tuple[int, ...] | None = None) -> SQLiteDDL:
        """The writer of SQLite's DDL."""
        return SQLiteDDL(self, catalog, version)


ADAPTER = SQLiteAdapter()
"""The adapter that the entry point names."""
