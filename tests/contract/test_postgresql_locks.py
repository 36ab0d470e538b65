"""What keeps PostgreSQL's tables as they are while a job reads them, and what tells that one was changed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from dialects.postgresql import ADAPTER, locks
from migrator.adapter import Read
from migrator.errors import StateGone, TableLocked
from migrator.model import types as t
from migrator.model.objects import Column, QName
from tests.support.sql import execute
from tests.support.waiting import Waiting

TABLES = (
    "DROP TABLE IF EXISTS t, u, p, heir, root, leaf CASCADE",
    "CREATE TABLE t (id integer)",
    "INSERT INTO t VALUES (1)",
    "CREATE TABLE u (id integer)",
    "CREATE TABLE p (id integer) PARTITION BY LIST (id)",
    "CREATE TABLE root PARTITION OF p FOR VALUES IN (1, 2) PARTITION BY LIST (id)",
    "CREATE TABLE leaf PARTITION OF root FOR VALUES IN (1)",
    "INSERT INTO p VALUES (1)",
    "CREATE TABLE heir () INHERITS (u)",
)
T, U, P = (QName("public", name) for name in "tup")


@pytest.fixture(scope="module")
def database(lasting: Callable[[str], str]) -> str:
    return lasting("postgresql")


@pytest.fixture
def url(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(locks, "PAUSE", 0.01)
    execute(database, *TABLES)
    return database


@contextmanager
def reading(url: str, sessions: int = 1) -> Iterator[list[sa.Connection]]:
    """Connections on one snapshot of now."""
    engine = ADAPTER.engine(sa.make_url(url))
    with ExitStack() as opened:
        snapshot = opened.enter_context(ADAPTER.snapshot(engine, sessions))
        yield [opened.enter_context(ADAPTER.reading(engine, snapshot)) for _ in range(sessions)]


def count(connection: sa.Connection, table: QName) -> int:
    batches = ADAPTER.batches(connection, Read(table, (Column("id", t.Integer()),)))
    return sum(batch.num_rows for batch in batches)


@pytest.mark.parametrize("statement", ["TRUNCATE t", "ALTER TABLE t ADD x integer", "DROP TABLE t", "VACUUM FULL t"])
def test_a_worker_does_not_wait_behind_a_session_that_waits_for_its_job(url: str, statement: str) -> None:
    with Waiting(url, statement) as other, reading(url, 2) as (first, second):
        ADAPTER.secure(first, [T, U, P])
        other.begin()
        assert other.waits
        with pytest.raises(TableLocked, match=r't": session \d+ holds, or waits for, an exclusive lock'):
            count(second, T)
        assert (count(second, U), count(second, P), count(first, T)) == (0, 1, 1)


def test_a_worker_that_has_a_table_keeps_it(url: str) -> None:
    with Waiting(url, "TRUNCATE t") as other, reading(url, 2) as (first, second):
        ADAPTER.secure(first, [T])
        assert count(second, T) == 1
        other.begin()
        assert count(second, T) == 1
        assert other.waits


def test_a_lock_that_is_given_back_soon_is_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    with reading(url) as (first,), sa.create_engine(url, poolclass=NullPool).connect() as other:
        other.exec_driver_sql("LOCK TABLE t")

        def pause(seconds: float) -> None:
            if seconds:
                pauses.append(seconds)
            if len(pauses) == 2:
                other.rollback()

        monkeypatch.setattr(locks, "time", SimpleNamespace(sleep=pause))
        ADAPTER.secure(first, [T])
        assert pauses == [locks.PAUSE] * 2
        assert count(first, T) == 1


@pytest.mark.parametrize(
    "statements",
    [
        ("TRUNCATE t",),
        ("ALTER TABLE t ALTER id TYPE bigint",),
        ("DROP TABLE t",),
        ("DROP TABLE t", "CREATE TABLE t (id integer)"),
        ("ALTER TABLE t RENAME TO x", "ALTER TABLE u RENAME TO t", "ALTER TABLE x RENAME TO u"),
        ("TRUNCATE leaf",),
        ("ALTER TABLE root DETACH PARTITION leaf",),
        ("CREATE TABLE more PARTITION OF root FOR VALUES IN (2)",),
    ],
    ids=lambda statements: statements[-1],
)
def test_what_a_snapshot_has_lost_is_told(url: str, statements: tuple[str, ...]) -> None:
    with reading(url) as (first,):
        execute(url, *statements)
        with pytest.raises(StateGone, match=r'"public"\."[tp]"'):
            ADAPTER.secure(first, [T, P])


def test_what_leaves_the_rows_of_a_snapshot_alone_is_no_error(url: str) -> None:
    with reading(url) as (first,):
        execute(
            url,
            "INSERT INTO t VALUES (2)",
            "DELETE FROM t WHERE id = 1",
            "ALTER TABLE t ADD x integer DEFAULT 5",
            "CREATE INDEX ON t (id)",
            "GRANT SELECT ON t TO PUBLIC",
            "ANALYZE t",
            "TRUNCATE heir",
            "INSERT INTO p VALUES (1)",
        )
        ADAPTER.secure(first, [T, U, P])
        assert (count(first, T), count(first, P)) == (1, 1)


def test_a_table_of_which_a_user_may_read_a_part_only_is_read_without_a_lock(url: str) -> None:
    execute(url, "DROP SCHEMA IF EXISTS hidden CASCADE", "CREATE SCHEMA hidden", "CREATE TABLE hidden.h (id integer)")
    execute(url, "DROP ROLE IF EXISTS partly", "CREATE ROLE partly LOGIN PASSWORD 'x'", "GRANT SELECT (id) ON t TO partly")
    try:
        partly = sa.make_url(url).set(username="partly", password="x").render_as_string(hide_password=False)
        with reading(partly) as (first,):
            ADAPTER.secure(first, [T, U, QName("hidden", "h")])
            assert count(first, T) == 1
    finally:
        execute(url, "DROP OWNED BY partly", "DROP ROLE partly")
