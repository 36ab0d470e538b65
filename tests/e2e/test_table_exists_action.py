"""TABLE_EXISTS_ACTION: SKIP, APPEND, TRUNCATE and REPLACE on every target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import Run, done, pump, remap
from tests.support.sql import execute, is_mariadb, rows


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    url = sqlite_file("source.db")
    execute(
        url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id))",
        "INSERT INTO parent VALUES (1, 'one'), (2, 'two')",
        "INSERT INTO child VALUES (10, 1), (20, 2), (30, 2)",
    )
    return url


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_file")("target.db"))
    return str(request.getfixturevalue(request.param)())


@pytest.fixture
def load(source: str, target: str, tmp_path: Path) -> Callable[..., Run]:
    def run(*arguments: str) -> Run:
        return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", *arguments)

    done(run())
    return run


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    return {
        "parent": rows(url, "SELECT id, name FROM parent ORDER BY 1"),
        "child": rows(url, "SELECT id, parent FROM child ORDER BY 1"),
    }


def move(source: str, target: str, *arguments: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *arguments)


BOTH = {"parent": [(1, "one"), (2, "two")], "child": [(10, 1), (20, 2), (30, 2)]}


def test_skip_is_the_default_and_leaves_the_table_alone(load: Callable[..., Run], target: str) -> None:
    execute(target, "UPDATE parent SET name = 'mine' WHERE id = 1")
    run = load()
    assert run.code == 5
    assert "ORA-39151: Table" in run.out
    assert "table_exists_action of skip" in run.out
    assert contents(target) == {**BOTH, "parent": [(1, "mine"), (2, "two")]}


def test_append_adds_the_rows_and_leaves_the_metadata(load: Callable[..., Run], target: str) -> None:
    execute(target, "DELETE FROM child")
    execute(target, "DELETE FROM parent")
    done(load("TABLE_EXISTS_ACTION=APPEND"))
    assert contents(target) == BOTH


def test_append_of_rows_that_are_there_fails_and_changes_nothing(load: Callable[..., Run], target: str) -> None:
    run = load("TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5
    assert run.out.count("ORA-31693") == 2
    assert contents(target) == BOTH


def test_truncate_empties_the_tables_first(load: Callable[..., Run], target: str) -> None:
    execute(target, "UPDATE parent SET name = 'mine'")
    done(load("TABLE_EXISTS_ACTION=TRUNCATE"))
    assert contents(target) == BOTH


def test_truncate_leaves_a_table_that_has_no_column_for_one_of_the_source(load: Callable[..., Run], target: str) -> None:
    execute(target, "ALTER TABLE child RENAME COLUMN parent TO other")
    run = load("TABLE_EXISTS_ACTION=TRUNCATE", "EXCLUDE=TABLE:\"= 'parent'\"")
    assert run.code == 5
    assert "has no such column" in run.out
    assert rows(target, "SELECT id, other FROM child ORDER BY 1") == BOTH["child"]


def test_replace_makes_the_tables_anew(load: Callable[..., Run], target: str) -> None:
    execute(target, "ALTER TABLE parent ADD COLUMN extra INT")
    done(load("TABLE_EXISTS_ACTION=REPLACE"))
    assert contents(target) == BOTH


def test_data_only_appends_to_tables_that_are_there(load: Callable[..., Run], target: str) -> None:
    execute(target, "DELETE FROM child")
    execute(target, "DELETE FROM parent")
    done(load("CONTENT=DATA_ONLY"))
    assert contents(target) == BOTH


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_a_table_that_views_depend_on_is_not_replaced_and_stays_whole(load: Callable[..., Run], target: str) -> None:
    execute(
        target,
        "CREATE VIEW names AS SELECT name FROM parent",
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM parent",
        "UPDATE parent SET name = 'mine' WHERE id = 1",
        "UPDATE child SET parent = 1",
    )
    run = load("TABLE_EXISTS_ACTION=REPLACE")
    assert run.code == 5
    _, _, said = run.out.partition('ORA-39083: Object type TABLE:"public"."parent" failed to drop with error:\n')
    why, failing, sql, stays, *_ = said.splitlines()
    assert why == (
        "MIG-30001: cannot drop table parent because other objects depend on it: "
        "view names depends on table parent; materialized view counted depends on table parent"
    )
    assert (failing, sql) == ("Failing sql is:", "DROP TABLE public.parent")
    assert stays.startswith('"public"."parent" stays as it was, with its rows. If other objects depend on it, drop them')
    assert contents(target) == {"parent": [(1, "mine"), (2, "two")], "child": BOTH["child"]}
    assert rows(target, "SELECT name FROM names ORDER BY 1") == [("mine",), ("two",)]
    keys = (
        "SELECT conname FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace ORDER BY 1"
    )
    assert rows(target, keys) == [("child_parent_fkey",), ("child_pkey",), ("parent_pkey",)]


def test_metadata_only_moves_no_row(source: str, target: str, tmp_path: Path) -> None:
    where = (remap(source, target), f"DIRECTORY={tmp_path}")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "CONTENT=METADATA_ONLY", *where))
    assert run.rows == {}
    assert contents(target) == {"parent": [], "child": []}


def test_remap_table_and_query(source: str, target: str, tmp_path: Path) -> None:
    where = (remap(source, target), f"DIRECTORY={tmp_path}")
    run = pump(
        "impdp",
        target,
        f"NETWORK_LINK={source}",
        "TABLES=parent",
        "REMAP_TABLE=parent:ancestor",
        'QUERY=parent:"WHERE id > 1"',
        *where,
    )
    done(run)
    assert run.rows == {"ancestor": 1}
    assert rows(target, "SELECT id, name FROM ancestor") == [(2, "two")]


@pytest.mark.parametrize("action", ["SKIP", "APPEND", "TRUNCATE", "REPLACE"])
def test_a_job_is_not_named_as_what_it_makes(load: Callable[..., Run], target: str, action: str) -> None:
    execute(target, "DELETE FROM child WHERE id = 30")
    run = load("JOB_NAME=PARENT", f"TABLE_EXISTS_ACTION={action}")
    assert run.code == 1
    assert run.err.startswith("ORA-31634: ")
    assert rows(target, "SELECT id FROM child ORDER BY id") == [(10,), (20,)]
    assert rows(target, "SELECT count(*) FROM parent") == [(2,)]


@pytest.mark.parametrize(("fields", "came"), [("", True), (" hour", False)])
def test_a_span_of_time_loses_no_part_in_a_domain_that_has_fewer_fields(
    postgresql: Callable[[], str], fields: str, came: bool
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE DOMAIN span AS interval", "CREATE TABLE t (v span)", "INSERT INTO t VALUES ('1 day 02:03:04')")
    execute(target, f"CREATE DOMAIN span AS interval{fields}", "CREATE TABLE t (v span)")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "TABLE_EXISTS_ACTION=APPEND", "NOLOGFILE=YES")
    assert rows(target, "SELECT v::text FROM t") == [("1 day 02:03:04",)] * came
    assert ("MIG-20002: column v: a part of the span would be dropped" in run.out) is not came


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_sequence_that_no_column_owns_does_not_go_on_after_rows_that_come_in_and_is_told_of(
    source: str, request: pytest.FixtureRequest, engine: str
) -> None:
    target = request.getfixturevalue(engine)()
    if engine == "mysql" and not is_mariadb(target):
        pytest.skip("MySQL has no sequences")
    value = "nextval('numbers')" if engine == "postgresql" else "nextval(numbers)"
    execute(
        target,
        "CREATE SEQUENCE numbers",
        f"CREATE TABLE parent (id bigint DEFAULT {value}, name varchar(20))",
        f"CREATE TABLE child (id bigint, parent {'serial' if engine == 'postgresql' else 'int'})",
    )
    run = done(move(source, target, "TABLE_EXISTS_ACTION=APPEND"))
    (told,) = [loss for loss in run.losses if "[existing-sequence]" in loss]
    assert '"parent"."id": its next number is that of ' in told
    assert '"numbers", which stays where it is: a row that came in may have it' in told
    execute(target, "INSERT INTO parent (name) VALUES ('new')")
    assert rows(target, "SELECT id FROM parent WHERE name = 'new'") == [(1,)]


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_the_sequence_of_a_table_that_is_there_already_is_not_said_to_live_on_in_it(
    postgresql: Callable[..., str], request: pytest.FixtureRequest, engine: str
) -> None:
    source = postgresql()
    target = request.getfixturevalue("sqlite_file")("t.db") if engine == "sqlite" else request.getfixturevalue("mysql")()
    execute(source, "CREATE TABLE t (id serial PRIMARY KEY, v integer)", "INSERT INTO t (v) VALUES (1)")
    execute(target, "CREATE TABLE t (v integer, id bigint)")
    run = done(move(source, target, "TABLE_EXISTS_ACTION=APPEND"))
    assert "[sequence-identity]" not in run.out
    assert "converted" not in run.out
    assert rows(target, "SELECT id, v FROM t") == [(1, 1)]
