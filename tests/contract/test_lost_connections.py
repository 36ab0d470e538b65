"""What a database does not do any more ends a job: connections that were ended, and databases that are full."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrator.adapter import Adapter, Load, Read
from migrator.ends import Database, database_errors
from migrator.errors import ConnectionLost, DiskFull, FatalError
from migrator.model import types as t
from migrator.model.objects import Column, QName
from tests.support.pump import schema_of
from tests.support.sql import execute, scalar

COLUMNS = (Column("a", t.Integer(64)), Column("b", t.String()))
_SESSION = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
_END = {"postgresql": "SELECT pg_terminate_backend({}, 10000)", "mysql": "KILL {}"}


@pytest.fixture(
    params=[pytest.param("postgresql", marks=pytest.mark.postgresql), pytest.param("mysql", marks=pytest.mark.mysql)]
)
def database(request: pytest.FixtureRequest) -> Database:
    """A database with an empty table t."""
    url = request.getfixturevalue(request.param)()
    execute(url, "CREATE TABLE t (a bigint, b text)")
    return Database(sa.make_url(url))


def rows(count: int = 100_000) -> pa.RecordBatch:
    return pa.record_batch([pa.array(range(count), pa.int64()), pa.array(["x" * 50] * count)], names=["a", "b"])


def table(database: Database) -> QName:
    return QName(schema_of(url_of(database)), "t")


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def session(database: Database, connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql(_SESSION[database.adapter.name]).scalar_one())


def end(database: Database, number: int) -> None:
    with database.connect() as other:
        other.exec_driver_sql(_END[database.adapter.name].format(number))


def stored(database: Database, batches: Callable[[int], Iterator[pa.RecordBatch]], *, conventional: bool = False) -> None:
    """Load as a worker does: all or nothing. ``batches`` is told the session's number."""
    adapter: Adapter = database.adapter
    with database_errors(adapter), adapter.writing(database.engine) as connection:
        load = Load(table(database), COLUMNS, COLUMNS, conventional)
        try:
            adapter.load(connection, load, batches(session(database, connection)))
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


@pytest.mark.parametrize("conventional", [False, True], ids=["direct", "conventional"])
def test_a_load_whose_session_is_ended_says_that_the_connection_is_lost(database: Database, conventional: bool) -> None:
    def batches(number: int) -> Iterator[pa.RecordBatch]:
        yield rows()
        end(database, number)
        for _ in range(20):
            yield rows()

    with pytest.raises(ConnectionLost) as lost:
        stored(database, batches, conventional=conventional)
    assert isinstance(lost.value, FatalError)
    assert "\n" not in str(lost.value)
    assert "sqlalche.me" not in str(lost.value)
    assert scalar(url_of(database), "SELECT count(*) FROM t") == 0


def test_a_read_whose_session_is_ended_says_that_the_connection_is_lost(database: Database) -> None:
    stored(database, lambda _: iter([rows()] * 10))
    with pytest.raises(ConnectionLost):
        read_until_ended(database)


def read_until_ended(database: Database) -> None:
    """Read t by a session that is ended after the first batch."""
    adapter = database.adapter
    with (
        database_errors(adapter),
        adapter.snapshot(database.engine, 1) as snapshot,
        adapter.reading(database.engine, snapshot) as connection,
    ):
        batches = adapter.batches(connection, Read(table(database), COLUMNS))
        next(batches)
        end(database, session_of_reader(database))
        list(batches)


def session_of_reader(database: Database) -> int:
    """The session that reads t."""
    sql = {
        "postgresql": "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY %' AND pid <> pg_backend_pid()"
        " AND datname = current_database()",
        "mysql": "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT `a`%' AND db = DATABASE()",
    }
    return int(scalar(url_of(database), sql[database.adapter.name]))


def test_every_statement_after_the_end_says_that_the_connection_is_lost(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        end(database, session(database, connection))
        with pytest.raises(ConnectionLost), database_errors(database.adapter):
            connection.exec_driver_sql("SELECT 1")
        with pytest.raises(ConnectionLost, match="it had ended before"), database_errors(database.adapter):
            connection.exec_driver_sql("SELECT 1")


def test_an_interrupted_load_ends_at_once_and_stores_nothing(database: Database) -> None:
    def batches(_: int) -> Iterator[pa.RecordBatch]:
        yield rows()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored(database, batches)
    assert scalar(url_of(database), "SELECT count(*) FROM t") == 0


@pytest.mark.mysql
def test_a_load_that_is_interrupted_within_a_packet_ends_at_once(
    mysql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server waits for the rest of the packet, so that it would never answer."""
    from pymysql.connections import Connection

    url = mysql()
    execute(url, "CREATE TABLE t (a bigint, b text)")
    written = Connection._write_bytes

    def half(self: Connection, data: bytes) -> None:
        if len(data) < 100_000:
            written(self, data)
            return
        written(self, data[:50_000])
        raise KeyboardInterrupt

    monkeypatch.setattr(Connection, "_write_bytes", half)
    with pytest.raises(KeyboardInterrupt):
        stored(Database(sa.make_url(url)), lambda _: iter([rows()]))
    assert scalar(url, "SELECT count(*) FROM t") == 0


# --- full -----------------------------------------------------------------------------------------------------------


def run(url: str, *statements: str) -> None:
    with Database(sa.make_url(url)).connect() as connection:
        for sql in statements:
            connection.exec_driver_sql(sql)


@pytest.mark.postgresql
def test_a_full_disk_of_postgresql_is_said_so(postgresql: Callable[[], str]) -> None:
    raised = "RAISE 'could not extend file' USING ERRCODE = 'disk_full'"
    with pytest.raises(DiskFull, match="no room left: could not extend file"):
        run(postgresql(), f"DO $$ BEGIN {raised}; END $$")


@pytest.mark.mysql
def test_a_full_table_of_mysql_is_said_so(mysql: Callable[[], str]) -> None:
    with pytest.raises(DiskFull, match="no room left: The table 't' is full"):
        run(
            mysql(),
            "SET max_heap_table_size = 16384",
            "CREATE TABLE t (v CHAR(200)) ENGINE = MEMORY",
            "INSERT INTO t SELECT REPEAT('x', 200) FROM information_schema.columns",
        )


@pytest.mark.mysql
@pytest.mark.parametrize(
    "message", ['Error writing file "t.MYD" (errno: 28 "No space left on device")', "Got error 28 from storage engine"]
)
def test_a_full_disk_of_mysql_is_said_so(message: str, mysql: Callable[[], str]) -> None:
    with pytest.raises(DiskFull, match="no room left"):
        run(mysql(), f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1030, MESSAGE_TEXT = '{message}'")


def test_a_full_sqlite_file_is_said_so(sqlite_file: Callable[[], str]) -> None:
    fill = ("CREATE TABLE t (v)", "PRAGMA max_page_count = 10", "INSERT INTO t VALUES (zeroblob(100000))")
    with pytest.raises(DiskFull, match="database or disk is full"):
        run(sqlite_file(), *fill)
