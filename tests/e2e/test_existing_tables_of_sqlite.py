"""Tables of SQLite that were there before the job: their keys, triggers and conflict clauses lose no row unseen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import load_adapter
from migrator.ddl import Emitter
from migrator.job.worker import transaction
from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from tests.support.pump import Run, done, pump
from tests.support.sql import execute, rows, scalar

SQLITE = load_adapter("sqlite")
METHODS = ("INSERT_AS_SELECT", "EXTERNAL_TABLE", "CONVENTIONAL_PATH")


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    return sqlite_file("source.db")


@pytest.fixture
def target(sqlite_file: Callable[..., str]) -> str:
    return sqlite_file("target.db")


def imported(source: str, target: str, action: str, *arguments: str) -> Run:
    """An import over a link into tables that are there."""
    options = (f"TABLE_EXISTS_ACTION={action}", "NOLOGFILE=YES", "METRICS=YES", *arguments)
    return pump("impdp", target, f"NETWORK_LINK={source}", *options)


def orphans_of(run: Run) -> dict[str, int]:
    """By their tables: how many rows refer to rows that are not there, as the log tells; the exit code says so too."""
    lines = [line for line in run.out.splitlines() if line.endswith("refer to rows that are not there")]
    found = {line.split('"')[3]: int(line.split()[0]) for line in lines}
    for table in found:
        assert f'ORA-02298: cannot validate the foreign keys of "main"."{table}" - parent keys not found' in run.out
    assert run.code == (5 if found else 0), run.out
    return found


# --- foreign keys ---------------------------------------------------------------------------------------------------

PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY)"
CHILD = "CREATE TABLE c (id INTEGER, p INTEGER REFERENCES p (id))"


@pytest.mark.parametrize("method", METHODS)
def test_the_targets_keys_count_where_the_source_has_none(method: str, source: str, target: str) -> None:
    execute(source, "CREATE TABLE c (id INTEGER, p INTEGER)", "INSERT INTO c VALUES (1, 99), (2, 1), (3, NULL)")
    execute(target, PARENT, CHILD, "INSERT INTO p VALUES (1)")
    run = imported(source, target, "APPEND", f"ACCESS_METHOD={method}")
    assert orphans_of(run) == {"c": 1}
    assert scalar(target, "SELECT count(*) FROM c") == 3


@pytest.mark.parametrize(("action", "content"), [("TRUNCATE", "ALL"), ("REPLACE", "ALL"), ("REPLACE", "METADATA_ONLY")])
def test_tables_outside_the_job_that_lose_their_parents_are_named(
    action: str, content: str, source: str, target: str
) -> None:
    execute(source, PARENT, "INSERT INTO p VALUES (1)")
    execute(target, PARENT, CHILD, "CREATE TABLE other (p INTEGER REFERENCES p (id))")
    execute(
        target, "INSERT INTO p VALUES (1), (7)", "INSERT INTO c VALUES (1, 7), (2, 7)", "INSERT INTO other VALUES (NULL)"
    )
    run = imported(source, target, action, f"CONTENT={content}")
    assert orphans_of(run) == {"c": 2}


@pytest.mark.parametrize("action", ["APPEND", "SKIP"])
def test_orphans_of_tables_that_the_job_does_not_touch_are_none_of_its_errors(action: str, source: str, target: str) -> None:
    execute(source, "CREATE TABLE q (id INTEGER)", "INSERT INTO q VALUES (1)")
    execute(target, PARENT, CHILD, "INSERT INTO c VALUES (1, 7)", *(["CREATE TABLE q (id INTEGER)"] * (action == "APPEND")))
    assert orphans_of(imported(source, target, action)) == {}


@pytest.mark.parametrize("action", ["TRUNCATE", "REPLACE"])
def test_a_parent_whose_rows_come_back_leaves_no_orphans(action: str, source: str, target: str) -> None:
    execute(source, PARENT, "INSERT INTO p VALUES (1), (7)")
    execute(target, PARENT, CHILD, "INSERT INTO p VALUES (7)", "INSERT INTO c VALUES (1, 7)")
    assert orphans_of(imported(source, target, action)) == {}


def test_a_key_that_sqlite_cannot_check_is_an_error_of_the_job(source: str, target: str) -> None:
    execute(source, CHILD, "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER)", "INSERT INTO c VALUES (1, 2)")
    execute(target, "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER)")
    execute(target, "CREATE TABLE c (id INTEGER, p INTEGER REFERENCES p (n))")
    run = imported(source, target, "APPEND")
    assert run.code == 5
    assert 'ORA-02298: cannot validate the foreign keys of "main"."c"\n' in run.out
    assert "foreign key mismatch" in run.out
    assert rows(target, "SELECT * FROM c") == [(1, 2)]


# --- triggers -------------------------------------------------------------------------------------------------------

TRIGGERS = (
    "CREATE TRIGGER g AFTER DELETE ON P BEGIN DELETE FROM o; END",
    'CREATE TRIGGER "b""%s" BEFORE DELETE ON p WHEN OLD.id > 0 BEGIN SELECT RAISE(ABORT, \':kept\'); END',
    "CREATE TRIGGER i AFTER INSERT ON p BEGIN INSERT INTO told VALUES (NEW.id); END",
)
GUARDED = (
    "CREATE TABLE p (id INTEGER)",
    "CREATE TABLE o (id INTEGER)",
    "CREATE TABLE told (id INTEGER)",
    "INSERT INTO p VALUES (7)",
    "INSERT INTO o VALUES (5)",
    *TRIGGERS,
)


def triggers(url: str) -> list[str]:
    return [sql for (sql,) in rows(url, "SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")]


def test_truncate_fires_no_trigger_and_leaves_all_of_them(source: str, target: str) -> None:
    execute(source, "CREATE TABLE p (id INTEGER)", "INSERT INTO p VALUES (1)")
    execute(target, *GUARDED)
    before = triggers(target)
    assert len(before) == len(TRIGGERS)
    done(imported(source, target, "TRUNCATE"))
    assert rows(target, "SELECT id FROM p") == [(1,)]
    assert rows(target, "SELECT id FROM o") == [(5,)]
    assert rows(target, "SELECT id FROM told") == [(1,)]
    assert triggers(target) == before


def test_a_table_that_cannot_be_emptied_keeps_its_rows_and_its_triggers(target: str) -> None:
    execute(target, *GUARDED)
    before = triggers(target)
    with closing(sa.create_engine(target, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()) as connection:
        ddl, table = SQLITE.ddl(Catalog("sqlite", "")), Table("main", "p", ())
        statements = SQLITE.emptying(connection, [table.qname], ddl.truncate(table).statements)
        assert len(statements) == 2 * len(TRIGGERS) + 1
        with pytest.raises(sa.exc.OperationalError, match="no such table: gone"), transaction(connection):
            Emitter(ddl, connection).run((*statements[:-1], "DELETE FROM gone"))
    assert rows(target, "SELECT id FROM p") == [(7,)]
    assert triggers(target) == before


# --- constraints that drop rows -------------------------------------------------------------------------------------

CLAUSES = {
    "replace": "CREATE TABLE c (id INTEGER UNIQUE ON CONFLICT REPLACE, v TEXT)",
    "ignore": "CREATE TABLE c (id INTEGER, v TEXT, UNIQUE (id) ON CONFLICT IGNORE)",
    "rollback": "CREATE TABLE c (id INTEGER UNIQUE ON CONFLICT ROLLBACK, v TEXT)",
    "default": "CREATE TABLE c (id INTEGER, v TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'none')",
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clause", CLAUSES)
def test_a_row_that_breaks_a_constraint_is_an_error_whatever_its_clause_says(
    clause: str, method: str, source: str, target: str
) -> None:
    execute(source, "CREATE TABLE c (id INTEGER, v TEXT)", "INSERT INTO c VALUES (0, 'z'), (1, NULL)")
    execute(target, CLAUSES[clause], "INSERT INTO c VALUES (1, 'precious')")
    run = imported(source, target, "APPEND", f"ACCESS_METHOD={method}")
    assert run.code == 5
    assert "constraint failed: c." in run.out
    assert rows(target, "SELECT id, v FROM c") == [(1, "precious")]


@pytest.mark.parametrize("method", METHODS)
def test_what_a_trigger_says_of_conflicts_holds(method: str, source: str, target: str) -> None:
    execute(source, "CREATE TABLE c (id INTEGER, tag TEXT)", "INSERT INTO c VALUES (1, 'a'), (2, 'a')")
    execute(target, "CREATE TABLE c (id INTEGER UNIQUE, tag TEXT)", "CREATE TABLE tags (tag TEXT PRIMARY KEY)")
    execute(target, "CREATE TRIGGER g AFTER INSERT ON c BEGIN INSERT OR IGNORE INTO tags VALUES (NEW.tag); END")
    done(imported(source, target, "APPEND", f"ACCESS_METHOD={method}"))
    assert rows(target, "SELECT tag FROM tags") == [("a",)]


# --- values ---------------------------------------------------------------------------------------------------------

TEXTS = "INSERT INTO c VALUES ('007'), ('1e3'), ('9007199254740993.0')"


def test_any_of_a_strict_table_is_not_any_of_another(source: str, target: str) -> None:
    execute(source, "CREATE TABLE c (v ANY) STRICT", TEXTS)
    execute(target, "CREATE TABLE c (v ANY)")
    run = imported(source, target, "APPEND")
    assert run.code == 5
    assert "using insert_as_select" not in run.out
    assert "the text 007 would become another number's text" in run.out
    assert rows(target, "SELECT v FROM c") == []


@pytest.mark.parametrize("strict", ["", " STRICT"])
def test_any_is_any_between_tables_alike(strict: str, source: str, target: str) -> None:
    execute(source, f"CREATE TABLE c (v ANY){strict}", TEXTS, "INSERT INTO c VALUES (1.5), (x'00'), (7)")
    execute(target, f"CREATE TABLE c (v ANY){strict}")
    run = done(imported(source, target, "APPEND"))
    assert "using insert_as_select" in run.out
    values = "SELECT typeof(v), quote(v) FROM c ORDER BY rowid"
    assert rows(target, values) == rows(source, values)
