"""One state of a SQLite file for all readers, files that are not there, and errors in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import Read
from migrator.errors import DatabaseError, InvalidUrl, MissingDatabaseFile
from migrator.model.objects import QName
from tests.support.sqlite import SQLITE, make, opened, path_of, table_of

New = Callable[..., str]


def engine(url: str) -> sa.Engine:
    return SQLITE.engine(sa.make_url(url))


def count(connection: sa.Connection, url: str) -> int:
    table = table_of(url, "t", proof=False)
    return sum(batch.num_rows for batch in SQLITE.batches(connection, Read(table.qname, table.columns)))


def test_a_source_that_is_not_there_is_not_made(sqlite_file: New) -> None:
    url = sqlite_file()
    with pytest.raises(MissingDatabaseFile, match=r"test\.db does not exist"), SQLITE.snapshot(engine(url), 1):
        pass
    assert not Path(path_of(url)).exists()


def test_a_target_that_is_not_there_is_made(sqlite_file: New) -> None:
    url = sqlite_file()
    with SQLITE.writing(engine(url)) as connection:
        connection.exec_driver_sql("CREATE TABLE t (c)")
        connection.commit()
    assert table_of(url, "t").name == "t"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x.db?mode=ro&uri=true", "sqlite:///x.db?cache=shared"]
)
def test_a_url_that_is_no_plain_path_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        SQLITE.engine(sa.make_url(url))


def test_a_path_with_signs_of_urls_is_read(sqlite_file: New) -> None:
    url = sqlite_file("a%20b#c.db")
    make(url, "CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (1)")
    with SQLITE.snapshot(engine(url), 1) as snapshot, SQLITE.reading(engine(url), snapshot) as connection:
        assert count(connection, url) == 1


def test_nobody_commits_while_a_snapshot_of_a_rollback_journal_is_held(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (1)")
    with SQLITE.snapshot(engine(url), 4) as snapshot:
        assert snapshot.readers is None
        with closing(sqlite3.connect(path_of(url), timeout=0)) as other:
            other.execute("INSERT INTO t VALUES (2)")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.commit()
        with SQLITE.reading(engine(url), snapshot) as first, SQLITE.reading(engine(url), snapshot) as second:
            assert count(first, url) == count(second, url) == 1


def test_a_reader_of_a_write_ahead_log_keeps_its_state(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "PRAGMA journal_mode = wal; CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (1)")
    with opened(url) as other, SQLITE.snapshot(engine(url), 4) as snapshot:
        assert (snapshot.readers, "write-ahead log" in snapshot.note) == (1, True)
        with SQLITE.reading(engine(url), snapshot) as connection:
            other.execute("INSERT INTO t VALUES (2)")
            other.commit()
            assert count(connection, url) == 1


def test_a_reader_that_would_see_a_later_state_is_refused(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "PRAGMA journal_mode = wal; CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (1)")
    with opened(url) as other, SQLITE.snapshot(engine(url), 1) as snapshot:
        other.execute("INSERT INTO t VALUES (2)")
        other.commit()
        with pytest.raises(DatabaseError, match="was changed by another program"), SQLITE.reading(engine(url), snapshot):
            pass


@pytest.mark.parametrize(("parameters", "milliseconds"), [("", 10_000), ("?timeout=0.25", 250)])
def test_every_connection_waits_as_long_as_the_url_says(sqlite_file: New, parameters: str, milliseconds: int) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER)")
    source = engine(url + parameters)
    ask = "PRAGMA busy_timeout"
    with SQLITE.snapshot(source, 1) as snapshot, SQLITE.reading(source, snapshot) as reader, source.connect() as writer:
        waits = [connection.exec_driver_sql(ask).scalar_one() for connection in (reader, writer)]
    assert waits == [milliseconds, milliseconds]


def test_a_reader_cannot_write(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c)")
    with SQLITE.snapshot(engine(url), 1) as snapshot, SQLITE.reading(engine(url), snapshot) as connection:
        with pytest.raises(SQLITE.driver_errors()) as caught:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)").close()
        line, _ = SQLITE.explain(caught.value)
        assert "readonly" in line
        assert "\n" not in line


def test_the_catalog_is_the_same_through_both_drivers(sample: Callable[[str], str]) -> None:
    source = engine(sample("northwind.sqlite"))
    with SQLITE.snapshot(source, 1) as snapshot, SQLITE.reading(source, snapshot) as adbc, source.connect() as plain:
        assert SQLITE.catalog(adbc, ["main"]).objects == SQLITE.catalog(plain, ["main"]).objects


def test_the_catalog_of_another_schema_is_empty(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c)")
    with engine(url).connect() as connection:
        assert SQLITE.schemas(connection) == ("main",)
        assert SQLITE.catalog(connection, []).objects == ()


def test_a_file_that_is_no_database_is_explained(sqlite_file: New) -> None:
    url = sqlite_file()
    Path(path_of(url)).write_bytes(b"not a database, but long enough to have a header" * 20)
    with pytest.raises(SQLITE.driver_errors()) as caught, SQLITE.snapshot(engine(url), 1):
        pass
    assert SQLITE.explain(caught.value) == ("file is not a database", "file")


def test_a_full_disk_is_explained_and_nothing_is_stored(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c)")
    with SQLITE.writing(engine(url)) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 4").all()
        with pytest.raises(SQLITE.driver_errors()) as caught:
            connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(1000000))")
        assert SQLITE.explain(caught.value) == ("database or disk is full", "room")
    assert table_of(url, "t").rows == 0


def test_rows_whose_parents_are_missing_are_counted(sqlite_file: New) -> None:
    url = sqlite_file()
    script = """
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (a REFERENCES p, b REFERENCES p);
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES (1, NULL), (2, 1), (3, 1), (NULL, NULL);
    """
    make(url, script)
    with engine(url).connect() as connection:
        assert SQLITE.orphans(connection, QName("main", "c")) == 2
        assert SQLITE.orphans(connection, QName("main", "p")) == 0
