"""What a database computes by its own rules, moved to others: the same values, or a named loss and all rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.explaining import entries
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, rows

Fresh = Callable[..., str]


@pytest.fixture(params=["mysql", "sqlite"])
def elsewhere(request: pytest.FixtureRequest) -> str:
    """A fresh database that is no PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_file" if request.param == "sqlite" else "mysql")()
    return url


def move(source: str, target: str, directory: Path, *options: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={directory}", *options)


def test_generated_columns_keep_their_values(postgresql: Fresh, elsewhere: str, tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        """CREATE TABLE g (id integer PRIMARY KEY, i integer, d date, f double precision, a text,
            half integer GENERATED ALWAYS AS (i / 2) STORED,
            days integer GENERATED ALWAYS AS (d - date '2020-01-01') STORED,
            more integer GENERATED ALWAYS AS (greatest(i, 0)) STORED,
            rounded integer GENERATED ALWAYS AS (round(f)::int) STORED,
            begins boolean GENERATED ALWAYS AS (a LIKE 'a%') STORED)""",
        "INSERT INTO g VALUES (1, 7, '2020-02-01', 2.5, 'abc'), (2, NULL, NULL, 3.5, 'ABC')",
        "INSERT INTO g VALUES (3, -7, '1999-01-01', NULL, NULL)",
    )
    run = done(move(source, elsewhere, tmp_path))
    query = "SELECT id, half, days, more, rounded, begins FROM g ORDER BY id"
    assert rows(elsewhere, query) == rows(source, query)
    lost = [loss for loss in run.losses if "[generated]" in loss]
    assert len(lost) == 1
    assert '"rounded"' in lost[0]
    execute(elsewhere, "INSERT INTO g (id, i, d, a) VALUES (4, 9, '2020-01-03', 'Abc')")
    ((half, days, more, begins),) = rows(elsewhere, "SELECT half, days, more, begins FROM g WHERE id = 4")
    assert (half, days, more, begins) == (4, 2, 9, 0)


def test_defaults_checks_and_partial_indexes_mean_the_same_or_are_named(
    postgresql: Fresh, elsewhere: str, tmp_path: Path
) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1'",
        """CREATE TABLE c (id integer PRIMARY KEY, n integer DEFAULT (7 / 2), m integer DEFAULT f(1),
            u text DEFAULT current_user, k integer CONSTRAINT no_four CHECK (k / 2 <> 4),
            s text CONSTRAINT starts CHECK (s LIKE 'a%'), w text CONSTRAINT shouted CHECK (upper(w) = w))""",
        "CREATE INDEX ON c (n) WHERE k / 2 > 1",
        "INSERT INTO c (id, k, s, w) VALUES (1, 10, 'ab', 'X')",
    )
    run = done(move(source, elsewhere, tmp_path))
    execute(elsewhere, "INSERT INTO c (id, k, s) VALUES (2, 7, 'abc')")
    assert rows(elsewhere, "SELECT id, n, m FROM c ORDER BY id") == [(1, 3, 1), (2, 3, None)]
    for refused in ("(3, 9, 'a')", "(3, 1, 'Ab')"):
        with pytest.raises(Exception, match=r"(?i)check|constraint"):
            execute(elsewhere, f"INSERT INTO c (id, k, s) VALUES {refused}")
    losses = "\n".join(run.losses)
    assert "check shouted" in losses
    assert losses.count("[default]") == 2
    assert "check no_four" not in losses
    assert "check starts" not in losses


def test_a_generated_column_that_postgresql_cannot_have_brings_its_rows(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE b (s varchar(9) COLLATE utf8mb4_general_ci, same boolean GENERATED ALWAYS AS (s = 'ABC') STORED)",
        "INSERT INTO b (s) VALUES ('abc'), ('x')",
    )
    run = done(move(source, target, tmp_path))
    assert rows(target, "SELECT s, same FROM b ORDER BY s") == [("abc", 1), ("x", 0)]
    assert any('"same"' in loss and "[generated]" in loss for loss in run.losses)


def test_values_that_the_target_computes_are_not_said_to_be_no_rows(
    postgresql: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(), sqlite_file("target.db")
    execute(
        source,
        "CREATE TABLE g (n numeric(30,2), same numeric(30,2) GENERATED ALWAYS AS (n) STORED)",
        "INSERT INTO g (n) VALUES (1.5), (2)",
    )
    run = done(move(source, target, tmp_path, "LEDGER=ledger.json"))
    assert rows(target, "SELECT typeof(n), typeof(same) FROM g") == [("text", "text")] * 2, run.out
    found = {entry.column: entry.rows for entry in entries(tmp_path / "ledger.json") if entry.rule == "type-decimal"}
    assert found == {"n": 2, "same": None}


def test_a_domains_rules_become_the_columns_own(postgresql: Fresh, elsewhere: str, tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE DOMAIN level AS integer DEFAULT 5 NOT NULL CHECK (VALUE > 0)",
        "CREATE TABLE d (id integer PRIMARY KEY, n level)",
        "INSERT INTO d (id) VALUES (1)",
    )
    done(move(source, elsewhere, tmp_path))
    execute(elsewhere, "INSERT INTO d (id) VALUES (2)")
    assert rows(elsewhere, "SELECT id, n FROM d ORDER BY id") == [(1, 5), (2, 5)]
    for refused in ("NULL", "-1"):
        with pytest.raises(Exception, match=r"(?i)null|check|constraint"):
            execute(elsewhere, f"INSERT INTO d VALUES (3, {refused})")


def test_the_end_of_inheritance_is_named(postgresql: Fresh, elsewhere: str, tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE TABLE parent (id integer)",
        "CREATE TABLE child (more integer) INHERITS (parent)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (2, 3)",
    )
    run = done(move(source, elsewhere, tmp_path))
    assert rows(elsewhere, "SELECT id FROM parent") == [(1,)]
    assert rows(elsewhere, "SELECT id, more FROM child") == [(2, 3)]
    (loss,) = (loss for loss in run.losses if "[inheritance]" in loss)
    assert '"child"' in loss
    assert '"parent"' in loss


def test_all_that_a_target_cannot_have_is_told_at_once(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(source, 'CREATE TABLE u (id integer, "A" integer, a integer)', 'CREATE TABLE v ("B" integer, b integer)')
    run = move(source, target, tmp_path)
    assert run.code == 1
    told = run.out + run.err
    u, v = (f'TABLE:"{schema_of(target)}"."{name}"' for name in ("u", "v"))
    assert f"{u}.A and {u}.a would both be named a in " in told
    assert f"; {v}.B and {v}.b would both be named b in " in " ".join(told.split())


def test_programs_keep_the_mode_they_were_written_for(mysql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (a varchar(9), b varchar(19))",
        "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
        "CREATE TRIGGER joined BEFORE INSERT ON t FOR EACH ROW SET NEW.b = NEW.a || '!'",
        "SET SESSION time_zone = 'SYSTEM'",
        "CREATE EVENT later ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t WHERE a = 'x' || 'y'",
    )
    run = done(move(source, target, tmp_path))
    assert not [loss for loss in run.losses if "sql-mode" in loss]
    execute(target, "INSERT INTO t (a) VALUES ('hey')")
    assert rows(target, "SELECT b FROM t") == [("hey!",)]
    for query in (
        "SELECT sql_mode FROM information_schema.triggers WHERE trigger_schema = '{}'",
        "SELECT sql_mode, time_zone FROM information_schema.events WHERE event_schema = '{}'",
    ):
        assert rows(target, query.format(schema_of(target))) == rows(source, query.format(schema_of(source)))


@pytest.mark.product("MariaDB", "periods")
def test_a_period_of_mariadb_is_named(mysql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE p (s date, e date, PERIOD FOR valid (s, e))",
        "INSERT INTO p VALUES ('2020-01-01', '2020-01-02')",
    )
    run = done(move(source, target, tmp_path))
    assert rows(target, "SELECT s, e FROM p") == [(datetime.date(2020, 1, 1), datetime.date(2020, 1, 2))]
    assert any("period valid" in loss for loss in run.losses)
