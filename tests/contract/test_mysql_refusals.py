"""A table that the server does not open, or not for this user, is told by the server's words; another error ends the job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import pymysql
import pytest
import sqlalchemy as sa

from dialects.mysql.exact import Texts
from dialects.mysql.messages import Refusal
from migrator.ends import Database
from migrator.model.objects import QName, Table
from tests.support.sql import execute

TIMEOUT = "Lock wait timeout exceeded"


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Another connection holds a table for itself."""
    with Database(sa.make_url(url)).connect() as connection:
        connection.exec_driver_sql(f"LOCK TABLES {table} WRITE")
        yield


@contextmanager
def impatient(url: str) -> Iterator[tuple[Database, sa.Connection]]:
    """A connection that waits for a second."""
    database = Database(sa.make_url(url))
    with database.connect() as connection:
        connection.exec_driver_sql("SET SESSION lock_wait_timeout = 1")
        yield database, connection


@pytest.mark.product("MariaDB", "sequences")
def test_a_sequence_that_is_locked_is_no_sequence_that_one_may_not_read(mysql: Callable[[], str]) -> None:
    url = mysql()
    execute(url, "CREATE SEQUENCE counted")
    with locked(url, "counted"), impatient(url) as (database, connection), pytest.raises(sa.exc.DBAPIError, match=TIMEOUT):
        database.adapter.catalog(connection, [str(database.url.database)])


def test_a_table_that_is_locked_is_no_table_that_does_not_open(mysql: Callable[[], str]) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    with impatient(url) as (database, connection):
        (table,) = database.adapter.catalog(connection, [str(database.url.database)]).of(Table)
        with locked(url, "t"), pytest.raises(sa.exc.DBAPIError, match=TIMEOUT):
            database.adapter.granules(connection, table, 10)


@pytest.mark.parametrize("code", [1205, 1213, 1969, 2013])
def test_only_a_refusal_leaves_a_table_out(code: int) -> None:
    """A lock, a deadlock, a statement's time and a lost connection are none."""

    def show(sql: str, column: str) -> str:
        raise sa.exc.OperationalError(sql, {}, pymysql.err.OperationalError(code, "no"))

    with pytest.raises(sa.exc.OperationalError):
        Texts(None, True, show).table(QName("s", "t"))  # type: ignore[arg-type]


def test_a_full_disk_is_no_refusal() -> None:
    def show(sql: str, column: str) -> str:
        raise sa.exc.OperationalError(sql, {}, pymysql.err.OperationalError(1030, 'Got error 28 "No space left on device"'))

    with pytest.raises(sa.exc.OperationalError):
        Texts(None, True, show).table(QName("s", "t"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        *((code, "privileges") for code in (1044, 1142, 1143, 1227)),
        *((code, "unopened") for code in (29, 1194, 1932)),
    ],
)
def test_a_refusal_is_kept_in_the_servers_words(code: int, rule: Literal["privileges", "unopened"]) -> None:
    def show(sql: str, column: str) -> str:
        raise sa.exc.OperationalError(sql, {}, pymysql.err.OperationalError(code, "the server's\nwords"))

    texts, name = Texts(None, True, show), QName("s", "t")  # type: ignore[arg-type]
    assert texts.table(name) == ""
    assert texts.refusals == {name: Refusal("the server's words", rule)}
