"""PostgreSQL 12 to 18: reads and writes, over psycopg 3 and pgpq."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import (
    LINES,
    RELATIONS,
    Adapter,
    Capabilities,
    Estimation,
    Explanation,
    Facts,
    Granule,
    Kept,
    Load,
    NameSpace,
    Reaction,
    Read,
    Server,
    Snapshot,
    Trouble,
)
from migrator.errors import CollationNotThere, MissingDriver, redact
from migrator.model.catalog import Catalog, Loss
from migrator.model.measures import Ask
from migrator.model.objects import Column, QName, Table

from . import facts
from .collations import FOLDINGS, default_collation, folding, refusal
from .ddl import PostgreSQLDDL
from .expressions import SEMANTICS
from .samples import SAMPLES
from .types import DIALECT, LACKS, NO_DATES, TYPES, USUAL_SEQUENCE, has_fields, unsaid

_STREAM = "pgcopy"
"""The native stream format: the bytes of COPY BINARY."""
_DUPLICATE_STATES = frozenset({"42P06", "42P07", "42710", "42723"})
"""A schema, relation, constraint or other object, function is there already."""
_DEPENDENTS = "2BP01"
"""Something cannot be dropped, since other objects depend on it: one a line of the detail."""
_TROUBLE: dict[str, Trouble] = {
    "42501": "privilege",
    "53100": "room",  # disk full
    "25006": "read-only",
    "57P01": "connection",  # ended by an administrator
    "57P02": "connection",  # another backend crashed
    "57P04": "connection",  # the database was dropped
    "57P05": "connection",  # idle for too long
    "55P03": "lock",  # not available, or not within lock_timeout
    "22021": "text",  # not of the database's character set
    "22P05": "text",  # of another, and without a counterpart
    "25P03": "connection",  # idle in a transaction for too long
    "25P04": "connection",  # a transaction that took too long
}
_TROUBLE_OF_CLASS: dict[str, Trouble] = {
    "08": "connection",
    "22": "row",  # a value: out of range, too long, of another form, a text that is none
    "23": "row",  # a constraint
    "44": "row",  # a view's check option
}
"""What SQLSTATEs are about, by themselves or by their class."""
_NO_ROW = frozenset({"22P03", "22P04"})
"""SQLSTATEs of class 22 that say that a COPY is broken, whatever the row."""


class PostgreSQL(Adapter):
    """PostgreSQL's side of everything."""

    name = DIALECT
    title = "PostgreSQL"
    backends = ("postgresql", "postgres")
    driver = "psycopg"
    sqlglot = "postgres"
    capabilities = Capabilities(
        transactional_ddl=True,
        arrays=True,
        compares=frozenset(row.equality for row in FOLDINGS),
        cuts_clock=False,
        clock_begins="transaction",
        pads_texts=True,
        clock_zeros=False,
        identifier_limit=(63, "bytes"),
        name_spaces=(
            NameSpace(RELATIONS),
            NameSpace(frozenset({"primary_key", "unique", "check", "foreign_key"}), "table"),
        ),
        nameless_keys=frozenset({("primary_key", "{table}_pkey"), ("unique", "{table}_{columns}_key")}),
        reserved_columns=frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}),
        identity_sequence=USUAL_SEQUENCE,
        tables_without_columns=True,
        select_list=1600,
        reads_links=True,
        locks_linked=True,
        gives=(_STREAM, LINES),
        takes=(_STREAM, LINES),
        digests="hashtextextended of the row as text",
    )
    types = TYPES
    samples = SAMPLES
    lacks = LACKS
    no_dates = NO_DATES
    answers = facts.ANSWERS
    semantics = SEMANTICS
    libraries = (f"{__name__}.paths",)

    def unsaid(self, declaration: str) -> str:
        """What a declaration says that its neutral type does not."""
        return unsaid(declaration)

    def unsaid_options(self, options: Sequence[tuple[str, str]]) -> str:
        """UNLOGGED, and the parameters of storage."""
        said = ["UNLOGGED" if name == "unlogged" else f"{name}={value}" for name, value in options]
        return f"options are not carried: {', '.join(said)}" if said else ""

    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's PostgreSQL dialect with named parameters."""
        from sqlalchemy.dialects.postgresql import psycopg

        return psycopg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]

    def engine(self, url: sa.URL) -> sa.Engine:
        """An engine over psycopg whose connections have the settings of :data:`.paths.SESSION`."""
        try:
            import pgpq  # noqa: F401
            import psycopg
        except ImportError as error:
            raise MissingDriver(dialect=self.name, detail=error) from error
        logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what it cannot do on a lost connection, errors tell
        from .paths import prepare_session

        utf8 = {"client_encoding": "UTF8"}  # whatever the database's own is: rows are sent and read as that
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool, connect_args=utf8)

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: psycopg.Connection[Any], _record: object) -> None:
            prepare_session(connection)

        return engine

    def server(self, connection: sa.Connection) -> Server:
        """The server's version, the user, and the first schema of the search path; its start tells it from others."""
        sql = (
            "SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int,"
            " current_user, pg_catalog.current_schema(),"
            " pg_catalog.concat_ws(' ', extract(epoch FROM pg_catalog.pg_postmaster_start_time()),"
            " pg_catalog.current_database())"
        )
        version, number, user, schema, identity = connection.exec_driver_sql(sql).one()
        numbers, sorts_by = (number // 10000, number % 10000), default_collation(connection)
        banner = f"PostgreSQL {version}"
        return Server(banner, numbers, str(user), str(schema or "public"), str(identity), collation=sorts_by)

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the server says that a schema, relation, constraint, function or primary key is there already."""
        report = getattr(getattr(error, "orig", None) or error, "diag", None)
        if report is None:
            return False
        another_key = report.sqlstate == "42P16" and "multiple primary keys" in (report.message_primary or "")
        return another_key or report.sqlstate in _DUPLICATE_STATES

    def explain(self, error: BaseException) -> Explanation:
        """The server's message, its detail and, for COPY, the line and column; never the SQL."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        report = getattr(cause, "diag", None)
        if report is None or not report.message_primary:
            return Explanation(redact(" ".join(str(cause).split())), _own_trouble(cause))
        state = report.sqlstate or ""
        parts = [report.message_primary, report.message_detail, _copy_context(report.context)]
        if state == _DEPENDENTS and report.message_detail:
            parts = [f"{report.message_primary}:", "; ".join(report.message_detail.splitlines())]
        about = None if state in _NO_ROW else _TROUBLE.get(state) or _TROUBLE_OF_CLASS.get(state[:2])
        return Explanation(redact(" ".join(" ".join(p for p in parts if p).split())), about)

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """All schemas but the system's, temporary ones and those an extension made."""
        from . import dictionary

        return dictionary.schemas(connection)

    def tables_of(self, connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[QName, ...]:
        """By pg_attribute."""
        from . import dictionary

        return dictionary.tables_of(connection, schemas, columns)

    def catalog(
        self, connection: sa.Connection, schemas: Sequence[str], *, proof: bool | Collection[QName] = True
    ) -> Catalog:
        """All objects of these schemas."""
        from . import dictionary

        return dictionary.read(connection, schemas)

    def server_objects(self, connection: sa.Connection) -> Sequence[Loss]:
        """Roles and tablespaces."""
        from . import left_behind

        return left_behind.server_objects(connection)

    def facts(self, connection: sa.Connection, tables: Sequence[QName]) -> Mapping[QName, Facts]:
        """What the access-method rules ask of each table."""
        return facts.facts(connection, tables)

    def snapshot(self, engine: sa.Engine, readers: int) -> AbstractContextManager[Snapshot]:
        """An exported snapshot: any number of readers."""
        from . import paths

        return paths.snapshot(engine, readers)

    def numbered(self, engine: sa.Engine, number: str) -> AbstractContextManager[Snapshot]:
        """A snapshot that another session has exported."""
        from . import paths

        return paths.numbered(engine, number)

    def reading(self, engine: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A read-only transaction on the snapshot."""
        from . import paths

        return paths.reading(engine, snapshot)

    def secure(self, connection: sa.Connection, tables: Sequence[QName]) -> None:
        """LOCK TABLE … IN ACCESS SHARE MODE."""
        from . import locks

        locks.secure(connection, tables)

    def batches(self, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        """COPY TO STDOUT in binary, decoded by numpy."""
        from . import paths

        return paths.batches(connection, read)

    def stream(self, connection: sa.Connection, read: Read, format_: str, sent: Callable[[int], None]) -> Iterator[bytes]:
        """COPY TO STDOUT in binary or as text, unparsed."""
        from . import lines, paths

        rows = lines.stream if format_ == LINES else paths.stream
        return rows(connection, read, sent)

    def digest(self, connection: sa.Connection, read: Read) -> tuple[int, int]:
        """By a hash of each row's text."""
        from . import paths

        return paths.digest(connection, read)

    def granules(self, connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
        """Ranges of blocks; of each partition its own."""
        from . import granules

        return granules.granules(connection, table, size)

    def estimate(self, connection: sa.Connection, table: Table, method: Estimation) -> int:
        """The blocks of a table and of its TOAST table, or rows times widths as ANALYZE found them; of all partitions."""
        from . import estimates

        return estimates.estimate(connection, table, method)

    def rows_of(self, connection: sa.Connection, read: Read) -> str:
        """The table, without those that inherit from it, and the condition; row security is set as the read asks."""
        from . import paths

        return paths.rows_of(connection, read)

    def refers(self, value: str, key: str, *, exactly: bool = False) -> str:
        """By the columns' collation, or character by character."""
        if not exactly:
            return super().refers(value, key)
        return " = ".join(f'{column}::text COLLATE "C"' for column in (key, value))

    def refuses_collations(self, connection: sa.Connection, tables: Iterable[Table]) -> CollationNotThere | None:
        """They are ICU's, and made in the schemas of the tables."""
        found = ((table.schema, column.compares) for table in tables for column in table.columns)
        wanted = {(schema, folding(equality)): None for schema, equality in found if equality is not None}
        return refusal(connection, wanted) if wanted else None

    def aggregate(self, ask: Ask, version: tuple[int, ...]) -> str | None:
        """See :mod:`.measures`."""
        from . import measures

        return measures.aggregate(ask, version)

    def narrowed_by(self, table: Table, column: Column) -> str:
        """The fields of a span of time."""
        return column.native if has_fields(column.native) else ""

    def mark(self, connection: sa.Connection) -> str:
        """The oldest transaction whose end the snapshot does not see."""
        from . import granules

        return granules.mark(connection)

    def changed(self, connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
        """By the transactions that wrote the rows, and by their number."""
        from . import granules

        return granules.changed(connection, read, mark, rows)

    @contextmanager
    def writing(self, engine: sa.Engine, *, checking: bool = False) -> Iterator[sa.Connection]:
        """A connection in a transaction; leaving without a commit rolls back. ``checking``: no constraint is deferred."""
        with engine.connect() as connection:
            connection.begin()
            if checking:
                connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            yield connection

    def count(self, connection: sa.Connection, table: QName) -> int:
        """Without the rows of inheriting tables."""
        from . import paths

        return paths.count(connection, table)

    def load(self, connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
        """COPY FROM STDIN, binary or text a batch; conventional: INSERT of each row."""
        from . import paths

        with paths.given_up_when_broken(connection):
            return paths.load(connection, load, batches)

    def raise_identities(self, connection: sa.Connection, table: QName) -> Mapping[str, int | None]:
        """Those of identity columns and of ``serial`` ones."""
        from . import paths

        return paths.raise_identities(connection, table)

    def load_stream(self, connection: sa.Connection, load: Load, format_: str, pieces: Iterable[bytes]) -> int:
        """COPY FROM STDIN in binary or as text, unparsed."""
        from . import lines, paths

        store = lines.load if format_ == LINES else paths.load_stream
        with paths.given_up_when_broken(connection):
            return store(connection, load, pieces)

    def locking(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Kept]:
        """LOCK TABLE … IN SHARE MODE."""
        from . import links

        return links.locking(engine, tables)

    def linking(self, engine: sa.Engine, source: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A connection with a foreign server of postgres_fdw, while the source's tables are locked."""
        from . import links

        return links.linking(engine, source, snapshot.kept)

    def insert_select(self, connection: sa.Connection, load: Load, read: Read) -> int:
        """Store the rows of a foreign table."""
        from . import links, paths

        with paths.given_up_when_broken(connection):
            return links.insert_select(connection, load, read)

    def uncertain(self, columns: Sequence[Column]) -> str:
        """Types whose text means something in their own database only."""
        from . import links

        return links.uncertain(columns)

    def same_values(self, load: Load, here: Table, there: Table) -> bool:
        """Whether columns are declared alike, types that are objects by what they are."""
        from . import links

        return links.same_values(load)

    def gives_stream(self, columns: Sequence[Column], format_: str) -> bool:
        """All types have a binary form; which have a text that others write too is a table's to say."""
        from . import lines

        return format_ != LINES or lines.gives(columns)

    def takes_stream(self, load: Load, format_: str) -> bool:
        """Whether types are equal and no binary form holds object identifiers; whether COPY has no need of one who looks."""
        from . import lines, paths

        return lines.takes(load) if format_ == LINES else paths.same_stream(load)

    def reactions(self, connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
        """Triggers and foreign keys, rules, row level security."""
        from . import reactions

        return reactions.reactions(connection, table)

    def resting(self, connection: sa.Connection, table: QName) -> AbstractContextManager[None]:
        """By DISABLE TRIGGER, which ends with the transaction if the process does."""
        from . import on_update

        return on_update.resting(connection, table)

    @contextmanager
    def deferring(self, connection: sa.Connection, tables: Sequence[QName]) -> Iterator[None]:
        """Constraints that are DEFERRABLE, unique ones among them."""
        connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
        yield
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    def hold(self, connection: sa.Connection, table: QName, columns: Sequence[str]) -> None:
        """By a lock, since triggers fire for statements that add no row; who may add to some columns only may take none."""
        from . import locks

        if not locks.hold_to_add(connection, table):
            super().hold(connection, table, columns)

    def ddl(self, catalog: Catalog, version: tuple[int, ...] | None = None) -> PostgreSQLDDL:
        """The writer of PostgreSQL's DDL."""
        return PostgreSQLDDL(self, catalog, version)


def _own_trouble(error: BaseException) -> Trouble | None:
    """What an error of the driver's own is about: its operational errors come from a connection that broke."""
    import psycopg

    return "connection" if type(error) is psycopg.OperationalError else None


def _copy_context(context: str | None) -> str:
    """Where in a COPY it was; of JSON, where in the document comes before."""
    line = next((line for line in (context or "").splitlines() if line.startswith("COPY ")), "")
    return f"({line})" if line else ""


ADAPTER = PostgreSQL()
