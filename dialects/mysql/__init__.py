"""The MySQL and MariaDB adapter: MySQL 8 and MariaDB 10.6 to 11, over PyMySQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import pymysql as sa_pymysql

from migrator.adapter import (
    LINES,
    Adapter,
    Block,
    Capabilities,
    DataFiles,
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
)
from migrator.errors import InvalidUrl, InvalidUrlParameter, MissingDriver, mask, redact
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.measures import Ask
from migrator.model.objects import Column, QName, Table

from . import dictionary, facts, measures, messages
from .collations import sorts_by_characters
from .ddl import MySQLDDL
from .expressions import SEMANTICS
from .samples import SAMPLES
from .types import LACKS, NO_DATES, TYPES, is_mariadb, is_zerofill, narrowed_by, neutral, unsaid

_DUPLICATE_CODES = frozenset({1007, 1050, 1061, 1068, 1304, 1359, 1537, 1826, 3822, 4127})
"""A database, table, key, primary key, routine, trigger, event, constraint or sequence is there already."""

_RELATIONS = NameSpace(frozenset({"table", "view", "sequence"}))
_FOREIGN_KEYS = NameSpace(frozenset({"foreign_key"}))
_KEYS = NameSpace(frozenset({"unique", "index"}), "table")


class MySQL(Adapter):
    """MySQL 8 and MariaDB."""

    name = "mysql"
    title = "MySQL"
    backends = ("mysql", "mariadb")
    driver = "pymysql"
    sqlglot = "mysql"
    capabilities = Capabilities(
        ignores_column_case=True,
        cuts_clock=True,
        clock_begins="statement",
        pads_texts=False,
        clock_zeros=True,
        inline=frozenset({"primary_key", "check"}),
        identifier_limit=(64, "characters"),
        select_list=4000,
        name_spaces=(_RELATIONS, _FOREIGN_KEYS, _KEYS, NameSpace(frozenset({"check"}))),
        reserved_names=frozenset({"primary", "gen_clust_index"}),
        not_in_names=r"[\U00010000-\U0010ffff]|[ \t\n\v\f\r]+\Z",
        not_in_check_names=r"[\U00010000-\U0010ffff]",
        reserved_columns=frozenset({"db_row_id", "db_trx_id", "db_roll_ptr", "fts_doc_id"}),
        reserved_but_for=frozenset({("FTS_DOC_ID", t.Integer(64, unsigned=True))}),  # else none has a FULLTEXT index
        negative_zero=False,
        max_readers=1,
        gives=(LINES,),
        takes=(LINES,),
        digests="sha256 of the row's literals",
        reads_links=True,
        locks_linked=True,
        data_files="table",
    )
    types = TYPES
    samples = SAMPLES
    lacks = LACKS
    no_dates = NO_DATES
    answers = facts.ANSWERS
    semantics = SEMANTICS
    libraries = (f"{__name__}.paths",)

    def capabilities_of(self, version: tuple[int, ...] | None) -> Capabilities:
        """MySQL alone has a zero with a sign."""
        known = super().capabilities_of(version)
        return replace(known, negative_zero=version is not None and not is_mariadb(version))

    @property
    def servers(self) -> Mapping[str, tuple[int, ...] | None]:
        """MySQL and MariaDB."""
        return {"MySQL": (8, 4), "MariaDB": (10, 11)}

    def unsaid(self, declaration: str) -> str:
        """What a declaration says that its neutral type does not."""
        return unsaid(declaration)

    def fills_zeros(self, declaration: str) -> bool:
        """ZEROFILL shows them."""
        return is_zerofill(declaration)

    def sorts_by_characters(self, collation: str) -> bool:
        """Whether a collation sorts texts by the numbers of their characters, but for blanks at the end."""
        return sorts_by_characters(collation)

    def meaning(self, declaration: str) -> t.Type | None:
        """What a declaration means."""
        return neutral(declaration)

    def unsaid_options(self, options: Sequence[tuple[str, str]]) -> str:
        """All but the engine that most tables have, and the collation, which columns tell of."""
        said = [f"{name}={value}" if value else name for name, value in options if name != "COLLATE"]
        said = [option for option in said if option != "ENGINE=InnoDB"]
        return f"options are not carried: {', '.join(said)}" if said else ""

    def dialect(self) -> sa.Dialect:
        """A SQLAlchemy dialect for writing SQL without a connection."""
        made: sa.Dialect = sa_pymysql.MySQLDialect_pymysql(paramstyle="named")
        return made

    def engine(self, url: sa.URL) -> sa.Engine:
        """An engine with PyMySQL: text as utf8mb4, times in UTC, strict checks.

        :raises MissingDriver: PyMySQL is not installed.
        :raises InvalidUrlParameter: the URL has one that PyMySQL has not, or a wrong value of one.
        """
        try:
            from . import paths, wire
        except ImportError as error:
            raise MissingDriver(dialect=self.name, detail=str(error)) from error
        _check_parameters(url)
        arguments: dict[str, object] = {
            "client_flag": wire.CLIENT_FLAGS,
            "init_command": paths.SESSION,
            "local_infile": False,
        }
        if "unix_socket" in url.query:  # no network to protect, and preparing TLS takes 20 ms a connection
            arguments["ssl_disabled"] = True
        return sa.create_engine(
            url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"}),
            poolclass=sa.NullPool,
            connect_args=arguments,
        )

    def server(self, connection: sa.Connection) -> Server:
        """Who is at the other end.

        :raises InvalidUrl: the URL names no database.
        """
        found = dictionary.flavor(connection)
        identity = "CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir)"
        owner = "SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"
        sql = f"SELECT {owner}, DATABASE(), {identity}, @@lower_case_table_names"
        user, schema, where, folding = connection.exec_driver_sql(sql).one()
        if schema is None:
            url = connection.engine.url.render_as_string(hide_password=True)
            raise InvalidUrl(url=url, detail="it names no database; add /name at its end")
        title = "MariaDB" if found.mariadb else "MySQL"
        banner = f"{title} {'.'.join(map(str, found.version))}"
        return Server(banner, found.version, str(user), str(schema), str(where), ignores_table_case=folding != 0)

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the server says that a table, key, constraint or program is there already."""
        driver_error = getattr(error, "orig", None) or error
        return bool(driver_error.args) and driver_error.args[0] in _DUPLICATE_CODES

    def explain(self, error: BaseException) -> Explanation:
        """The server's message and number in one line."""
        driver_error = getattr(error, "orig", None) or error
        code, *texts = driver_error.args if driver_error.args else (None,)
        if not isinstance(code, int):
            return Explanation(redact(" ".join(str(driver_error).split())))
        message = " ".join(str(texts[0] if texts else driver_error).split()) or "the connection is closed"
        return Explanation(redact(f"{message} ({code})"), messages.about(code, message))

    # --- reading ----------------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """All databases but the server's own."""
        return dictionary.schemas(connection)

    def tables_of(self, connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[QName, ...]:
        """By information_schema.columns."""
        return dictionary.tables_of(connection, schemas, columns)

    def catalog(
        self, connection: sa.Connection, schemas: Sequence[str], *, proof: bool | Collection[QName] = True
    ) -> Catalog:
        """All objects of these databases. Declared types bind the values here, so there is nothing to prove."""
        return dictionary.read(connection, schemas)

    def server_objects(self, connection: sa.Connection) -> Sequence[Loss]:
        """Accounts and roles, but for those of root and of the server itself."""
        return dictionary.server_objects(connection)

    def facts(self, connection: sa.Connection, tables: Sequence[QName]) -> Mapping[QName, Facts]:
        """What the access-method rules ask of each table."""
        return facts.facts(connection, tables)

    def snapshot(self, engine: sa.Engine, readers: int) -> AbstractContextManager[Snapshot]:
        """One reader's own state: MySQL cannot hand a state to a second connection."""
        from . import paths

        return paths.snapshot(engine, readers)

    def past(self, engine: sa.Engine, time: str) -> AbstractContextManager[Snapshot]:
        """The state of MariaDB's system-versioned tables at a time.

        :raises NoPastState: the server is MySQL, or the time is still to come.
        """
        from . import history

        return history.past(engine, time)

    def without_past(self, connection: sa.Connection, tables: Sequence[QName], time: str) -> Mapping[QName, str]:
        """Tables that are not system-versioned, or were made or altered after the time."""
        from . import history

        return history.without_past(connection, tables, time)

    def reading(self, engine: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A connection in a read-only transaction on a consistent state."""
        from . import paths

        return paths.reading(snapshot)

    def secure(self, connection: sa.Connection, tables: Sequence[QName]) -> None:
        """By opening them: who wants to alter a table waits for the transactions that have."""
        from . import paths

        paths.secure(connection, tables)

    def batches(self, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        """The rows, read from the wire without a Python object per value."""
        from . import paths

        return paths.batches(connection, read)

    def stream(self, connection: sa.Connection, read: Read, format_: str, sent: Callable[[int], None]) -> Iterator[bytes]:
        """The rows of a text result as lines."""
        from . import lines

        return lines.stream(connection, read, sent)

    def digest(self, connection: sa.Connection, read: Read) -> tuple[int, int] | None:
        """By the SHA-256 of each row's values."""
        from . import paths

        return paths.digest(connection, read)

    def granules(self, connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
        """Ranges of the key that rows are stored by; without one partitions, or the table."""
        from . import granules

        return granules.granules(connection, table, size)

    def estimate(self, connection: sa.Connection, table: Table, method: Estimation) -> int:
        """The pages that hold the rows, or rows times widths as ANALYZE TABLE … PERSISTENT found them (MariaDB)."""
        from . import estimates

        return estimates.estimate(connection, table.source, method)

    def rows_of(self, connection: sa.Connection, read: Read) -> str:
        """The table, or one partition of it, and the condition."""
        from . import paths

        return paths.rows_of(read)

    def refers(self, value: str, key: str, *, exactly: bool = False) -> str:
        """By the columns' collation, which an index serves; of what that finds, by the bytes that texts have in UTF-8."""
        equal = super().refers(value, key)
        if not exactly:
            return equal
        spelled = (f"CAST(CONVERT({column} USING utf8mb4) AS BINARY)" for column in (key, value))
        return f"{equal} AND {' = '.join(spelled)}"

    def aggregate(self, ask: Ask, version: tuple[int, ...]) -> str | None:
        """See :mod:`.measures`."""
        return measures.aggregate(ask)

    def narrowed_by(self, table: Table, column: Column) -> str:
        """A character set that lacks some characters; TIMESTAMP, whose days are those of a calendar, from 1970 to 2038."""
        return narrowed_by(table, column)

    def mark(self, connection: sa.Connection) -> str:
        """The server's time and last logged transaction."""
        from . import granules

        return granules.mark(connection)

    def changed(self, connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
        """By the rows' number, the last logged transaction and the table's time of change."""
        from . import granules

        return granules.changed(connection, read, mark, rows)

    def forgotten(self, connection: sa.Connection, mark: str) -> str:
        """That the server was started again, which it forgets tables' times of change by."""
        from . import granules

        return granules.forgotten(connection, mark)

    # --- writing ----------------------------------------------------------------------------------------------------

    def writing(self, engine: sa.Engine, *, checking: bool = False) -> AbstractContextManager[sa.Connection]:
        """A connection for loading rows, in a transaction that the caller commits. InnoDB defers no constraint."""
        from . import paths

        return paths.writing(engine)

    def reactions(self, connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
        """Triggers and foreign keys, and that some may be hidden."""
        from . import reactions

        return reactions.reactions(connection, table)

    def takes_back(self, connection: sa.Connection, table: QName) -> bool:
        """Whether the table's storage engine has savepoints."""
        from . import paths

        return paths.takes_back(connection, table)

    def unchecked_references(self, connection: sa.Connection) -> AbstractContextManager[None]:
        """``foreign_key_checks = 0``: InnoDB checks each row as it comes in."""
        from . import paths

        return paths.unchecked_references(connection)

    def deferring(self, connection: sa.Connection, tables: Sequence[QName]) -> AbstractContextManager[None]:
        """``foreign_key_checks = 0``, under which nothing follows either; then rows that refer to none are looked for."""
        from . import references

        return references.deferring(connection, tables)

    def load(self, connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
        """Store the rows by LOAD DATA LOCAL, or by INSERT where that is asked for."""
        from . import paths

        store = paths.insert if load.conventional else paths.load_data
        with paths.given_up_when_broken(connection):
            return store(connection, load, batches)

    def load_stream(self, connection: sa.Connection, load: Load, format_: str, pieces: Iterable[bytes]) -> int:
        """LOAD DATA LOCAL of what its lines are."""
        from . import lines, paths

        with paths.given_up_when_broken(connection):
            return lines.load(connection, load, pieces)

    def gives_stream(self, columns: Sequence[Column], format_: str) -> bool:
        """Whether the text of every column, as the server sends it, is that of lines."""
        from . import lines

        return lines.gives(columns)

    def takes_stream(self, load: Load, format_: str) -> bool:
        """Whether LOAD DATA stores the text of every column as it is, or has a warning about it."""
        from . import lines

        return lines.takes(load)

    def locking(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Kept]:
        """LOCK TABLES … READ."""
        from . import links

        return links.locking(engine, tables)

    def linking(self, engine: sa.Engine, source: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A connection to the source's own server, while the source's tables are locked."""
        from . import links

        return links.linking(engine, source, snapshot.kept or Kept())

    def insert_select(self, connection: sa.Connection, load: Load, read: Read) -> int:
        """Store the rows of another database of the server."""
        from . import links

        return links.insert_select(connection, load, read)

    def same_values(self, load: Load, here: Table, there: Table) -> bool:
        """Whether columns are declared alike, NULL and collation included."""
        from . import links

        return links.same_values(load)

    # --- data files -------------------------------------------------------------------------------------------------

    def no_data_files(self, connection: sa.Connection) -> str:
        """MariaDB has data files to copy; MySQL's, which are alike, are left alone."""
        from . import data_files

        return data_files.no_data_files(connection)

    def holding(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Mapping[QName, DataFiles]]:
        """Tablespaces of one table each, under FLUSH TABLES … FOR EXPORT."""
        from . import data_files

        return data_files.holding(engine, tables)

    def misfit(self, connection: sa.Connection, table: Table | None, version: str, traits: Mapping[str, str]) -> str:
        """By the release, the size of pages and the row format."""
        from . import data_files

        return data_files.misfit(connection, table, version, traits)

    def place(self, connection: sa.Connection, table: QName, blocks: Iterable[Block], confirm: Callable[[], None]) -> None:
        """By DISCARD TABLESPACE and IMPORT TABLESPACE."""
        from . import data_files, paths

        with paths.given_up_when_broken(connection):
            data_files.place(connection, table, blocks, confirm)

    # --- objects ----------------------------------------------------------------------------------------------------

    def name_spaces(self, version: tuple[int, ...] | None) -> tuple[NameSpace, ...]:
        """A version of 10 or more means MariaDB, where a check's name is its table's, and no key's there."""
        if version is None or not is_mariadb(version):
            return self.capabilities.name_spaces
        checks = NameSpace(frozenset({"check", "unique"}), "table"), NameSpace(frozenset({"check", "foreign_key"}), "table")
        return _RELATIONS, _FOREIGN_KEYS, _KEYS, *checks

    def ddl(self, catalog: Catalog, version: tuple[int, ...] | None = None) -> MySQLDDL:
        """The writer of MySQL's DDL, as :meth:`name_spaces` has the version."""
        return MySQLDDL(self, catalog, version)


_PARAMETERS = frozenset(
    {
        "charset",
        "connect_timeout",
        "program_name",
        "read_default_file",
        "read_default_group",
        "read_timeout",
        "ssl_ca",
        "ssl_cert",
        "ssl_check_hostname",
        "ssl_disabled",
        "ssl_key",
        "ssl_key_password",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "unix_socket",
        "write_timeout",
    }
)
"""What a URL may tell the driver. All else is this adapter's to say, or nothing that a text could say."""


def _check_parameters(url: sa.URL) -> None:
    """:raises InvalidUrlParameter: the driver does not take the URL's parameters."""
    shown = mask(url.render_as_string())
    unknown = sorted(set(url.query) - _PARAMETERS)
    if unknown:
        detail = f"unknown parameter {', '.join(unknown)}; there are {', '.join(sorted(_PARAMETERS))}"
        raise InvalidUrlParameter(url=shown, detail=detail)
    try:
        sa_pymysql.MySQLDialect_pymysql().create_connect_args(url)
    except ValueError as error:
        raise InvalidUrlParameter(url=shown, detail=f"a parameter has a wrong value: {error}") from error


ADAPTER = MySQL()
"""The value registered under the entry point ``mysql``."""
