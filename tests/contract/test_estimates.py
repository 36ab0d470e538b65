"""How large the rows of a table are: BLOCKS follows what lies on disk, STATISTICS what the database has counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import Estimation, adapter_for_backend
from migrator.model.objects import QName
from tests.support.pump import schema_of
from tests.support.sql import execute, scalar

LARGE = 1 << 20


def estimate(url: str, name: str, method: Estimation) -> int:
    """What the adapter says of a table, as a job asks it."""
    target = sa.make_url(url)
    adapter = adapter_for_backend(target.get_backend_name())
    engine, schema = adapter.engine(target), schema_of(url)
    with engine.connect() as connection:
        table = adapter.catalog(connection, [schema], proof=False).table(QName(schema, name))
    assert table is not None
    with adapter.snapshot(engine, 1) as snapshot, adapter.reading(engine, snapshot) as reading:
        return adapter.estimate(reading, table, method)


def close_to(expected: float) -> object:
    """A tenth more or less."""
    return pytest.approx(expected, rel=0.1)


# --- SQLite


NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"


def filled(url: str, name: str = "t", options: str = "") -> str:
    """A SQLite file with a table of 1000 rows: an integer key and a text of 500 letters."""
    table = '"' + name.replace('"', '""') + '"'
    execute(
        url,
        f"CREATE TABLE {table} (id INTEGER NOT NULL PRIMARY KEY, note TEXT){options}",
        f"INSERT INTO {table} {NUMBERS} SELECT i, replace(hex(zeroblob(250)), '0', 'x') FROM n",
    )
    return url


def size_of(url: str) -> int:
    return Path(str(sa.make_url(url).database)).stat().st_size


@pytest.mark.parametrize("name", ["t", 'it\'s "x"'])
@pytest.mark.parametrize("options", ["", " WITHOUT ROWID"])
def test_sqlite_blocks_are_the_pages_of_the_table(sqlite_file: Callable[..., str], name: str, options: str) -> None:
    url = filled(sqlite_file(), name, options)
    schema_page = int(scalar(url, "PRAGMA page_size"))
    pages = size_of(url) - schema_page
    assert estimate(url, name, "BLOCKS") == pages
    execute(url, f"""CREATE INDEX i ON "{name.replace('"', '""')}" (note)""")
    assert estimate(url, name, "BLOCKS") == pages < size_of(url) - schema_page


def test_sqlite_blocks_hold_large_values(sqlite_file: Callable[..., str]) -> None:
    url = sqlite_file()
    execute(url, "CREATE TABLE t (b BLOB)", f"INSERT INTO t VALUES (zeroblob({LARGE}))")
    assert estimate(url, "t", "BLOCKS") == close_to(LARGE)


def test_sqlite_statistics_are_rows_as_analyzed_times_their_width(sqlite_file: Callable[..., str]) -> None:
    url = filled(sqlite_file())
    assert estimate(url, "t", "STATISTICS") == estimate(url, "t", "BLOCKS")
    execute(url, "CREATE TABLE other (a)", "INSERT INTO other VALUES (1)", "ANALYZE")
    execute(url, "DELETE FROM t WHERE id > 100")
    assert estimate(url, "t", "STATISTICS") == close_to(1000 * 500)
    execute(url, "ANALYZE")
    assert estimate(url, "t", "STATISTICS") == close_to(100 * 500)
    assert estimate(url, "t", "BLOCKS") < 100 * 500 * 2


def test_sqlite_statistics_of_a_partial_index_do_not_count(sqlite_file: Callable[..., str]) -> None:
    url = filled(sqlite_file())
    execute(url, "CREATE INDEX few ON t (note) WHERE id < 10", "CREATE INDEX i ON t (note)", "ANALYZE")
    assert estimate(url, "t", "STATISTICS") == close_to(1000 * 500)


# --- PostgreSQL


FILL = "INSERT INTO {} SELECT i, repeat('x', 500) FROM generate_series({}, {}) i"


def test_postgresql_blocks_are_the_tables_and_those_of_its_large_values(postgresql: Callable[..., str]) -> None:
    url = postgresql()
    execute(url, "CREATE TABLE t (id int PRIMARY KEY, note text)", FILL.format("t", 1, 1000))
    assert estimate(url, "t", "BLOCKS") == scalar(url, "SELECT pg_relation_size('t')")
    execute(url, "ALTER TABLE t ALTER note SET STORAGE EXTERNAL", f"INSERT INTO t VALUES (0, repeat('y', {LARGE}))")
    assert estimate(url, "t", "BLOCKS") >= scalar(url, "SELECT pg_relation_size('t')") + LARGE


@pytest.mark.parametrize("version", [16, 18])
def test_postgresql_statistics_follow_the_rows_and_blocks_the_disk(postgresql: Callable[..., str], version: int) -> None:
    url = postgresql(version)
    execute(url, "CREATE TABLE t (id int, note text) WITH (autovacuum_enabled = off)", FILL.format("t", 1, 1000))
    blocks = estimate(url, "t", "BLOCKS")
    assert estimate(url, "t", "STATISTICS") == blocks
    execute(url, "DELETE FROM t WHERE id > 100", "UPDATE t SET note = NULL WHERE id > 50", "ANALYZE t")
    assert estimate(url, "t", "STATISTICS") == close_to(50 * 504 + 50 * 4)
    assert estimate(url, "t", "BLOCKS") >= blocks


def test_postgresql_partitions_add_up(postgresql: Callable[..., str]) -> None:
    url = postgresql()
    execute(
        url,
        "CREATE TABLE t (id int, note text) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (501) WITH (autovacuum_enabled = off)",
        "CREATE TABLE high PARTITION OF t FOR VALUES FROM (501) TO (9999) WITH (autovacuum_enabled = off)",
        FILL.format("t", 1, 1000),
        "ANALYZE low",
    )
    low, high = (int(scalar(url, f"SELECT pg_relation_size('{name}')")) for name in ("low", "high"))
    assert estimate(url, "t", "BLOCKS") == low + high
    assert estimate(url, "t", "STATISTICS") == close_to(500 * 508 + high)


# --- MySQL


def test_mysql_blocks_are_the_pages_of_the_rows(mysql: Callable[[], str]) -> None:
    url = mysql()
    execute(
        url,
        "CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB, note CHAR(200), KEY (note)) ENGINE=InnoDB",
        f"INSERT INTO t VALUES (1, RANDOM_BYTES(1000), ''), (2, REPEAT('x', {LARGE}), '')",
    )
    scalar(url, "ANALYZE TABLE t")
    assert LARGE < estimate(url, "t", "BLOCKS") < 2 * LARGE
    assert estimate(url, "t", "STATISTICS") == estimate(url, "t", "BLOCKS")


@pytest.mark.product("MariaDB", "widths among its statistics")
def test_mariadb_statistics_are_rows_times_widths_as_analyzed(mysql: Callable[[], str]) -> None:
    url = mysql()
    numbers = NUMBERS.replace("WITH RECURSIVE n (i) AS (SELECT 1", "WITH RECURSIVE n (i) AS (SELECT 1 AS i")
    execute(
        url,
        "CREATE TABLE t (id INT, note VARCHAR(600)) ENGINE=InnoDB",
        f"INSERT INTO t {numbers} SELECT i, IF(i <= 500, REPEAT('x', 500), NULL) FROM n",
    )
    scalar(url, "ANALYZE TABLE t PERSISTENT FOR ALL")
    assert estimate(url, "t", "STATISTICS") == close_to(500 * 500 + 1000 * 4)
    execute(url, "ALTER TABLE t MODIFY note TEXT", "DELETE FROM t WHERE id > 10")
    scalar(url, "ANALYZE TABLE t PERSISTENT FOR ALL")  # not of the TEXT
    assert estimate(url, "t", "STATISTICS") == estimate(url, "t", "BLOCKS")


def test_mysql_needs_no_right_to_the_statistics(mysql: Callable[[], str]) -> None:
    url = mysql()
    database = sa.make_url(url).database
    execute(url, "CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    execute(url, f"CREATE USER '{database}'@'%' IDENTIFIED BY 'x'", f"GRANT SELECT ON `{database}`.* TO '{database}'@'%'")
    try:
        limited = sa.make_url(url).set(username=database, password="x").render_as_string(hide_password=False)
        assert estimate(limited, "t", "STATISTICS") == estimate(url, "t", "BLOCKS") > 0
    finally:
        execute(url, f"DROP USER '{database}'@'%'")
