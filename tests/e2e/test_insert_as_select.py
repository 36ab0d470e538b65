"""Rows that the target's SQL engine selects from the linked database: exact, of one state, and once."""

from __future__ import annotations

import io
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from migrator import operations
from migrator.access import RULES
from migrator.operations import NoProgress
from migrator.spec import JobSpec
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, next_second, until
from tests.support.pump import Run, done, pump, remap
from tests.support.rows import assert_same_rows, tables_of
from tests.support.servers import Servers, pymysql_arguments
from tests.support.sql import execute, rows, scalar

JOB = "INSIDE"
SENTENCES = {rule.name: rule.sentence for rule in RULES}


def linked(source: str, target: str, *arguments: str) -> Run:
    """An import over a link."""
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "METRICS=YES", *arguments)


# --- SQLite ---------------------------------------------------------------------------------------------------------

VALUES = (
    *("NULL", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "-0.0", "1e308", "9e999", "-9e999", "1e15"),
    *("''", "'abc'", "'1 '", "'a' || char(0) || 'b'", "CAST(x'ff00fe' AS TEXT)", "x''", "x'00ff'", "x'31'", "'ü€𝄞'"),
)
DECLARED = ("", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(3)", "DECIMAL(10,2)", "BOOLEAN", "DATETIME", "JSON")


def quoted_values(url: str, table: str) -> list[tuple[object, ...]]:
    """The storage class and every byte of each value."""
    with closing(sqlite3.connect(str(sa.make_url(url).database))) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        items = ", ".join(f"typeof({name}), CASE typeof({name}) WHEN 'real' THEN printf('%!.17g', {name}) "
                          f"ELSE hex({name}) END" for name in columns)  # fmt: skip
        return connection.execute(f"SELECT {items} FROM {table} ORDER BY rowid").fetchall()


def test_every_value_keeps_its_storage_class_and_its_bytes(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(DECLARED))
    inserts = [f"INSERT INTO t VALUES ({', '.join([value] * len(DECLARED))})" for value in VALUES]
    execute(source, f"CREATE TABLE t ({columns})", *inserts)
    run = done(linked(source, target))
    assert "using insert_as_select" in run.out
    assert run.rows == {"t": len(VALUES)}
    expected = quoted_values(source, "t")
    assert {kind for row in expected for kind in row[::2]} == {"null", "integer", "real", "text", "blob"}
    assert quoted_values(target, "t") == expected


TABLES = (
    "CREATE TABLE sequenced (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)",
    "CREATE TABLE keyed (a TEXT COLLATE NOCASE, b REAL, v BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE backward (a INTEGER, v TEXT, PRIMARY KEY (a DESC)) WITHOUT ROWID",
    "CREATE TABLE computed (a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2) STORED, v TEXT)",
    "CREATE TABLE strict (a INT, b TEXT, c ANY) STRICT",
    'CREATE TABLE "odd ""name%" ("select" INTEGER, "a b" TEXT, "rowid" TEXT)',
    "CREATE TABLE hollow (a INTEGER)",
    "INSERT INTO sequenced VALUES (7, 'seven'), (9, 'nine')",
    "DELETE FROM sequenced WHERE id = 9",
    "INSERT INTO keyed VALUES ('a', 1, x'01'), ('B', 2.5, NULL), ('c', -1, x'')",
    "INSERT INTO backward VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO computed (a, v) VALUES (1, 'x'), (2, 'y')",
    "INSERT INTO strict VALUES (1, 'b', 2.5), (2, NULL, x'00')",
    """INSERT INTO "odd ""name%" VALUES (1, 'b', 'r')""",
)


@pytest.mark.parametrize("threshold", ["64M", "40K"])
def test_tables_of_every_kind_move_inside_the_engine(threshold: str, sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    execute(source, *TABLES, f"INSERT INTO keyed {many} SELECT 'k' || i, i, zeroblob(100) FROM n")
    run = done(linked(source, target, f"PARALLEL_THRESHOLD={threshold}", "PARALLEL=2"))
    assert run.out.count("using insert_as_select") == len(run.rows) == 7
    assert_same_rows(source, target)
    execute(target, "INSERT INTO sequenced (v) VALUES ('next')")
    assert scalar(target, "SELECT id FROM sequenced WHERE v = 'next'") == 10


def test_files_are_named_by_any_characters(tmp_path: Path) -> None:
    source, target = (f"{part} %41?#'é.db" for part in ("source", "target"))
    with closing(sqlite3.connect(tmp_path / source)) as connection:
        connection.executescript("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)")
    here, there = (sa.URL.create("sqlite", database=str(tmp_path / name)).render_as_string() for name in (source, target))
    run = done(linked(here, there))
    assert "using insert_as_select" in run.out
    with closing(sqlite3.connect(tmp_path / target)) as connection:
        assert connection.execute("SELECT id FROM t").fetchall() == [(1,)]


def ordinary_tables(url: str) -> list[str]:
    """A file's tables but for virtual ones, and those that belong to these."""
    query = (
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [name for (name,) in rows(url, query)]


@pytest.mark.parametrize("sample_file", ["chinook.sqlite", "northwind.sqlite", "datasette-fixtures.sqlite"])
def test_samples_move_inside_the_engine(
    sample_file: str, sample: Callable[[str], str], sqlite_file: Callable[..., str]
) -> None:
    source, target = sample(sample_file), sqlite_file("target.db")
    run = done(linked(source, target))
    assert "using insert_as_select" in run.out
    assert "using network_link" not in run.out
    tables = ordinary_tables(source)
    assert sorted(run.rows) == tables
    assert_same_rows(source, target, tables)


PLAIN = ("CREATE TABLE t (id INTEGER, v TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")


def streamed(run: Run, rule: str) -> None:
    """The rows were streamed, as a rule says."""
    done(run)
    assert "using network_link" in run.out
    assert SENTENCES[rule] in run.out


def test_a_file_with_a_write_ahead_log_is_streamed(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    with closing(sqlite3.connect(str(sa.make_url(source).database))) as connection:
        assert connection.execute("PRAGMA journal_mode = wal").fetchone() == ("wal",)
    run = linked(source, target)
    streamed(run, "link-reach")
    assert "has a write-ahead log, and others may commit to it between two transactions" in run.out
    assert_same_rows(source, target)


def test_files_of_two_encodings_are_streamed(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    with closing(sqlite3.connect(str(sa.make_url(source).database))) as connection:
        connection.executescript(f"PRAGMA encoding = 'UTF-16le'; {'; '.join(PLAIN)}")
    run = linked(source, target)
    streamed(run, "link-reach")
    assert "same text encoding" in run.out
    assert_same_rows(source, target)


def test_a_file_whose_views_name_its_database_is_streamed(sqlite_file: Callable[..., str]) -> None:
    """SQLite reads no such file under another name than main."""
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN, "CREATE VIEW all_of_t AS SELECT * FROM main.t")
    run = linked(source, target)
    streamed(run, "link-reach")
    assert_same_rows(source, target)
    assert rows(target, "SELECT count(*) FROM all_of_t") == rows(source, "SELECT count(*) FROM t")


def test_rows_that_a_query_chooses_are_streamed(sqlite_file: Callable[..., str]) -> None:
    """A table that the condition names would be the target's, which has the same one."""
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN, "CREATE TABLE wanted (id INTEGER)", "INSERT INTO wanted VALUES (2)")
    run = linked(source, target, "QUERY=t:WHERE id IN (SELECT id FROM wanted)")
    streamed(run, "link-query")
    assert rows(target, "SELECT id FROM t") == [(2,)]
    assert '"wanted"' in run.out.split("using insert_as_select")[0].splitlines()[-1]


def test_rows_that_are_looked_at_are_streamed(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    execute(target, "CREATE TABLE t (id INTEGER CHECK (id <> 2), v TEXT)")
    options = ("TABLE_EXISTS_ACTION=APPEND", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", f"DIRECTORY={tmp_path}")
    run = linked(source, target, *options)
    assert run.code == 5
    assert "using network_link" in run.out
    assert f"{SENTENCES['link-looked-at']} (SKIP_CONSTRAINT_ERRORS)" in run.out
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (3,)]
    refused = linked(source, target, *options, "ACCESS_METHOD=INSERT_AS_SELECT")
    assert refused.code == 1
    assert "rule link-looked-at" in refused.err


def test_a_column_that_is_declared_otherwise_has_its_values_checked(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    execute(target, "CREATE TABLE t (id INTEGER, v VARCHAR(9))")
    streamed(linked(source, target, "TABLE_EXISTS_ACTION=APPEND"), "link-converted")
    assert_same_rows(source, target)
    execute(source, "INSERT INTO t VALUES (4, 'longer than nine')")
    refused = linked(source, target, "TABLE_EXISTS_ACTION=TRUNCATE")
    assert refused.code == 5
    assert "longer than" in refused.out
    assert rows(target, "SELECT * FROM t") == []


def test_no_null_becomes_a_number(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, PLAIN[0], "INSERT INTO t VALUES (NULL, 'a'), (5, 'b')")
    execute(target, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    done(pump("expdp", source, f"DIRECTORY={tmp_path}"))
    for run in (
        linked(source, target, "TABLE_EXISTS_ACTION=APPEND"),
        pump("impdp", target, f"DIRECTORY={tmp_path}", "TABLE_EXISTS_ACTION=APPEND"),
        pump("impdp", target, f"DIRECTORY={tmp_path}", "TABLE_EXISTS_ACTION=APPEND", "ACCESS_METHOD=CONVENTIONAL"),
    ):
        assert run.code == 5
        assert "NULL would become the next number of the rowid" in run.out
        assert rows(target, "SELECT * FROM t") == []


def test_what_acts_on_rows_acts_on_these(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    execute(target, PLAIN[0], "CREATE UNIQUE INDEX t_id ON t (id)", "CREATE TABLE log (id INTEGER)")
    execute(target, "CREATE TRIGGER logging AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END")
    run = done(linked(source, target, "TABLE_EXISTS_ACTION=APPEND", "TABLES=main.t"))
    assert "using insert_as_select" in run.out
    assert rows(target, "SELECT id FROM log ORDER BY id") == [(1,), (2,), (3,)]
    again = linked(source, target, "TABLE_EXISTS_ACTION=APPEND", "TABLES=main.t")
    assert again.code == 5
    assert "UNIQUE constraint failed: t.id" in again.out
    assert scalar(target, "SELECT count(*) FROM t") == 3


def test_rows_that_a_table_passes_over_are_missed(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    execute(target, "CREATE TABLE t (id INTEGER, v TEXT)", "INSERT INTO t VALUES (2, 'there')")
    execute(target, "CREATE TRIGGER g BEFORE INSERT ON t WHEN NEW.id = 2 BEGIN SELECT RAISE(IGNORE); END")
    run = linked(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5
    assert "3 rows were sent, the database reports 2 (a trigger may have left rows out)" in run.out
    assert rows(target, "SELECT * FROM t") == [(2, "there")]


class Meddler(NoProgress):
    """Tries to change the source the moment before the first row is read."""

    def __init__(self, url: str, *before: str) -> None:
        self.url, self.before, self.refused = url, before, ""

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        try:
            execute(self.url, *self.before, "INSERT INTO t VALUES (4, 'd')", "DELETE FROM t WHERE id = 1")
        except sa.exc.OperationalError as error:
            self.refused = str(error)


def test_nobody_changes_the_source_between_its_tables(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    spec, meddler, out = (
        JobSpec("IMPORT", "SCHEMA", target, tmp_path, network_link=source),
        Meddler(f"{source}?timeout=0.2"),
        io.StringIO(),
    )
    assert operations.run(spec, sa.make_url, out, meddler) == 0, out.getvalue()
    assert "locked" in meddler.refused
    assert_same_rows(source, target)


# --- one server of MariaDB ------------------------------------------------------------------------------------------

ASKED = "ACCESS_METHOD=INSERT_AS_SELECT"
ODD = (
    "CREATE TABLE odd (id int AUTO_INCREMENT PRIMARY KEY, f float, d double, n decimal(65,30), b bit(9), e enum('a','b'),"
    " s set('x','y'), day date, at datetime(6), ts timestamp(3) NULL, span time(6), y year, j json, p point,"
    " raw varbinary(9), old varchar(9) CHARACTER SET latin1, cs varchar(9) COLLATE utf8mb4_bin,"
    " twice double AS (f * 2) STORED, hidden int DEFAULT 7 INVISIBLE) DEFAULT CHARSET utf8mb4",
    "CREATE TABLE cut (id int, v varchar(9)) PARTITION BY HASH (id) PARTITIONS 3",
    "CREATE TABLE kept (id int PRIMARY KEY, v int) /*M! WITH SYSTEM VERSIONING */",
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "INSERT INTO odd (id, f, d, n, b, e, s, day, at, ts, span, y, j, p, raw, old, cs, hidden) VALUES "
    "(0, 0.1, 1.7976931348623157e308, 12345678901234567890123456789012345.012345678901234567890123456789, b'101010101',"
    " 'wrong', 'x,y', '2024-00-10', '0000-00-00', '1970-01-01 00:00:01', '-838:59:59', 1901, '{\"a\": 1.0}', POINT(1, 2),"
    " X'00FF', X'80E9', 'a ', 8), (-5, NULL, -0.0, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO cut SELECT seq, CONCAT('v', seq) FROM seq_1_to_500",
    "INSERT INTO kept VALUES (1, 1), (2, 2)",
    "UPDATE kept SET v = 3 WHERE id = 1",
)


def test_rows_of_another_database_of_the_server_are_selected_by_it(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    execute(source, *ODD)
    run = done(linked(source, target, ASKED, "PARALLEL=2"))
    assert run.out.count("using insert_as_select") == 3
    assert run.rows == {"odd": 2, "cut": 500, "kept": 2}
    assert_same_rows(source, target)
    binary = "SELECT id, hidden, HEX(old), HEX(cs), e + 0, HEX(b), HEX(p), CAST(ts AS CHAR) FROM odd ORDER BY id"
    assert rows(target, binary) == rows(source, binary)
    execute(target, "INSERT INTO odd (y) VALUES (2000)")
    assert scalar(target, "SELECT max(id) FROM odd") == 1


def test_writers_wait_while_the_server_selects(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, *PLAIN)
    meddler = Meddler(source, "SET lock_wait_timeout = 1")
    schemas = ((sa.make_url(source).database or "", sa.make_url(target).database or ""),)
    spec = JobSpec(
        "IMPORT", "SCHEMA", target, tmp_path, network_link=source, remap_schema=schemas, access_method="INSERT_AS_SELECT"
    )
    out = io.StringIO()
    assert operations.run(spec, sa.make_url, out, meddler) == 0, out.getvalue()
    assert "Lock wait timeout exceeded" in meddler.refused
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
    execute(source, "INSERT INTO t VALUES (4, 'd')")  # nothing stays locked


def test_a_plain_link_between_databases_of_a_server_is_a_stream(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    execute(source, *PLAIN)
    assert "using network_link" in done(linked(source, target)).out


def asked_and_refused(run: Run, why: str) -> None:
    """The method that was asked for is barred by a rule."""
    assert run.code == 1
    assert "ORA-31696" in run.err
    assert why in run.err


def test_another_server_or_another_user_is_refused(mysql: Callable[[], str], servers: Servers) -> None:
    source, target, user = mysql(), mysql(), f"u{uuid.uuid4().hex[:8]}"
    execute(source, *PLAIN, f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'", f"GRANT ALL ON *.* TO '{user}'@'%'")
    other = sa.make_url(target).set(username=user, password="x").render_as_string(hide_password=False)
    try:
        asked_and_refused(
            linked(source, other, ASKED), f"the job is {user}@% at its target and migrator@localhost at its source"
        )
    finally:
        execute(source, f"DROP USER '{user}'@'%'")
    private = servers.private_mysql()
    try:
        there = private.fresh().render_as_string(hide_password=False)
        asked_and_refused(linked(source, there, ASKED), "the two databases are not on one server")
        assert "t" not in tables_of(there)
    finally:
        private.stop()


def test_text_of_another_character_set_is_not_converted_by_the_way(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    execute(source, "CREATE TABLE t (v varchar(9)) CHARACTER SET latin1", "INSERT INTO t VALUES ('é')")
    execute(target, "CREATE TABLE t (v varchar(9)) CHARACTER SET utf8mb4")
    run = linked(source, target, ASKED, "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5
    assert "column t.v: its text is latin1 at the source and utf8mb4 here" in run.out
    assert rows(target, "SELECT * FROM t") == []
    done(linked(source, target, "TABLE_EXISTS_ACTION=APPEND"))
    assert rows(target, "SELECT v FROM t") == [("é",)]


@pytest.mark.parametrize("declared", ["id int NOT NULL, v text", "id bigint, v text"])
def test_a_column_that_takes_less_or_other_values_is_refused(declared: str, mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    execute(source, "CREATE TABLE t (id int, v text)", "INSERT INTO t VALUES (1, 'a')")
    execute(target, f"CREATE TABLE t ({declared})")
    asked_and_refused(linked(source, target, ASKED, "TABLE_EXISTS_ACTION=APPEND"), "rule link-converted")


@pytest.mark.parametrize("there", [False, True], ids=["a table that it made", "a table that was there"])
def test_a_copy_inside_the_server_that_was_killed_goes_on(there: bool, mysql: Callable[[], str], tmp_path: Path) -> None:
    """Another session has inserted its last row, and not yet thought better of it: there the job waits to be killed."""
    source, target = mysql(), mysql()
    for url in (source, target) if there else (source,):
        execute(url, "CREATE TABLE big (id int PRIMARY KEY, v char(40))")
    execute(source, "INSERT INTO big SELECT seq, 'some text' FROM seq_1_to_100000")
    next_second()
    link = (f"NETWORK_LINK={source}", remap(source, target), ASKED, f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=128K")
    options = (*link, "NOLOGFILE=YES", *(["TABLE_EXISTS_ACTION=APPEND"] if there else []))
    recorded = Recorded.of(target, JOB)
    with (
        closing(pymysql.connect(**pymysql_arguments(sa.make_url(target)), autocommit=True)) as other,
        other.cursor() as cursor,
        ended(begin("impdp", target, *options, cwd=tmp_path)) as process,
    ):
        until(lambda: process.poll() is not None or cursor.execute("SHOW TABLES LIKE 'big'") == 1, "the table")
        other.begin()  # no earlier: MySQL would show the tables of that moment
        cursor.execute("INSERT INTO big VALUES (100000, 'another text')")  # of many granules the last one has it
        until(lambda: process.poll() is not None or recorded.granules_done() > 0, "a granule")
        assert "completed" not in kill(process)
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert rows(target, "SELECT count(*), sum(id) FROM big") == [(100_000, 50_000 * 100_001)]


# --- ACCESS_METHOD --------------------------------------------------------------------------------------------------


def test_a_stream_can_be_asked_for(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    run = done(linked(source, target, "ACCESS_METHOD=DIRECT_PATH"))
    assert "using network_link" in run.out
    assert '"main"."t": direct_path, because ACCESS_METHOD=DIRECT_PATH' in run.out


def test_what_cannot_be_selected_by_the_engine_is_refused_before_anything_is_changed(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str]
) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *PLAIN)
    other = postgresql()
    refused = linked(source, other, "ACCESS_METHOD=INSERT_AS_SELECT")
    assert refused.code == 1
    assert "using client specified INSERT_AS_SELECT method (rule link-kind" in refused.err
    execute(target, "CREATE TABLE t (id TEXT, v TEXT)", "INSERT INTO t VALUES ('x', 'y')")
    refused = linked(source, target, "ACCESS_METHOD=INSERT_AS_SELECT", "TABLE_EXISTS_ACTION=TRUNCATE")
    assert refused.code == 1
    assert "rule link-converted" in refused.err
    assert rows(target, "SELECT * FROM t") == [("x", "y")]
