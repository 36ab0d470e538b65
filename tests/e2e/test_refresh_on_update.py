"""``migrator refresh`` of tables with migrator's own trigger, which does ON UPDATE CURRENT_TIMESTAMP as MySQL does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.jobs import begin, ended, kill, until
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

THEN = "2001-02-03 04:05:06"
SEEN = "seen DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
NOTE = (
    f"CREATE TABLE note (id INTEGER PRIMARY KEY, v VARCHAR(20), above INTEGER, {SEEN})",
    f"INSERT INTO note VALUES (1, 'a', NULL, '{THEN}'), (2, 'b', 1, '{THEN}')",
)
EDITED = "UPDATE note SET v = 'edited', seen = seen WHERE id = 2"
"""A row changes at the source, and the time in it does not."""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE%AS t SET%' AND wait_event_type = 'Lock'"


@pytest.fixture(params=["postgresql", "sqlite"])
def target(request: pytest.FixtureRequest, sqlite_file: Callable[..., str]) -> str:
    return sqlite_file("target.db") if request.param == "sqlite" else str(request.getfixturevalue(request.param)())


POSTGRESQL = pytest.mark.parametrize("target", ["postgresql"], indirect=True)


@pytest.fixture
def source(mysql: Callable[..., str]) -> str:
    url = mysql()
    execute(url, *NOTE)
    return url


def refresh(source: str, target: str, *arguments: str) -> Run:
    return pump("refresh", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *arguments)


def imported(source: str, target: str) -> None:
    done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))


def notes(url: str) -> list[tuple[object, ...]]:
    return [(*values, str(seen)) for *values, seen in rows(url, "SELECT id, v, seen FROM note ORDER BY id")]


def acts(target: str, where: str = "id = 1") -> bool:
    """Whether an UPDATE sets the time."""
    execute(target, f"UPDATE note SET v = 'by hand' WHERE {where}")
    return str(scalar(target, f"SELECT seen FROM note WHERE {where}")) > THEN


def why_refused(run: Run) -> str:
    assert run.code == 5, run.err
    (line,) = [line for line in run.out.splitlines() if line.startswith("MIG-20018: ")]
    return line.partition(" is not refreshed: ")[2]


def test_rows_have_the_time_of_the_source_and_the_trigger_acts_afterwards(source: str, target: str) -> None:
    imported(source, target)
    execute(source, EDITED, f"INSERT INTO note VALUES (3, 'c', 2, '{THEN}')")
    run = done(refresh(source, target))
    assert f'. . "{schema_of(target)}"."note": 1 changed, 1 added, 0 removed, 1 as they were' in run.out
    assert notes(target) == [(1, "a", THEN), (2, "edited", THEN), (3, "c", THEN)]
    assert acts(target)


def test_it_acts_after_a_plan_too(source: str, target: str) -> None:
    imported(source, target)
    execute(source, EDITED)
    done(refresh(source, target, "--plan"))
    assert notes(target)[1] == (2, "b", THEN)
    assert acts(target)


def test_it_is_as_it_was(source: str, sqlite_file: Callable[..., str]) -> None:
    """SQLite can only drop a trigger and make it again."""
    target = sqlite_file("target.db")
    imported(source, target)
    made = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    before = rows(target, made)
    execute(source, EDITED)
    done(refresh(source, target))
    assert rows(target, made) == before
    assert len(before) == 1


@POSTGRESQL
def test_foreign_keys_that_wait_for_the_end_are_checked_before_it_acts_again(source: str, target: str) -> None:
    """PostgreSQL alters no table while something of it waits to be checked."""
    imported(source, target)
    execute(
        target,
        "ALTER TABLE note ADD CONSTRAINT above FOREIGN KEY (above) REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED",
    )
    execute(source, EDITED, f"INSERT INTO note VALUES (3, 'c', 4, '{THEN}'), (4, 'd', 3, '{THEN}')")
    done(refresh(source, target))
    assert notes(target) == notes(source)
    execute(source, f"INSERT INTO note VALUES (5, 'e', 6, '{THEN}')", "UPDATE note SET v = 'f', seen = seen WHERE id = 3")
    execute(source, "UPDATE note SET above = 99, seen = seen WHERE id = 4")
    assert "above" in why_refused(refresh(source, target))
    assert acts(target)


@POSTGRESQL
def test_partitions_have_it_too(source: str, target: str) -> None:
    imported(source, target)
    execute(
        target,
        "CREATE TABLE whole (LIKE note INCLUDING ALL) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (2)",
        "CREATE TABLE high PARTITION OF whole FOR VALUES FROM (2) TO (9)",
        "INSERT INTO whole SELECT * FROM note",
        "DROP TABLE note",
        "ALTER TABLE whole RENAME TO note",
        "CREATE TRIGGER on_update_current_timestamp BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION note_on_update()",
    )
    execute(source, EDITED, "UPDATE note SET v = 'too', seen = seen WHERE id = 1")
    done(refresh(source, target))
    assert notes(target) == [(1, "too", THEN), (2, "edited", THEN)]
    assert acts(target, "id = 1")
    assert acts(target, "id = 2")


OTHER = {
    "postgresql": (
        "CREATE OR REPLACE FUNCTION note_on_update() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.v := ''seen''; RETURN NEW; END'",
    ),
    "sqlite": (
        "DROP TRIGGER note_on_update",
        "CREATE TRIGGER note_on_update AFTER UPDATE ON note BEGIN SELECT 1; END",
    ),
}


def test_a_trigger_of_its_name_that_does_something_else_bars_it(source: str, target: str) -> None:
    imported(source, target)
    execute(target, *OTHER[target.partition(":")[0].partition("+")[0]])
    execute(source, EDITED)
    assert why_refused(refresh(source, target)).startswith("it would act by itself on UPDATE: trigger ")
    assert notes(target)[1] == (2, "b", THEN)


@POSTGRESQL
def test_who_does_not_own_the_table_is_told_so(source: str, target: str) -> None:
    imported(source, target)
    execute(source, EDITED)
    role = f"r{uuid.uuid4().hex[:12]}"
    execute(target, f"CREATE ROLE {role} LOGIN PASSWORD 'x'", f"GRANT ALL ON SCHEMA public TO {role}")
    execute(target, f"GRANT ALL ON note TO {role}")
    other = sa.make_url(target).set(username=role, password="x").render_as_string(hide_password=False)
    try:
        why = why_refused(refresh(source, other))
    finally:
        execute(target, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    which = "trigger on_update_current_timestamp, which only the owner of the table may switch off"
    assert why == f"it would act by itself on UPDATE: {which}"


def test_it_acts_when_the_process_was_killed_meanwhile(source: str, target: str, tmp_path: Path) -> None:
    """PostgreSQL waits for a row that somebody else holds, SQLite before the commit for somebody who reads."""
    imported(source, target)
    execute(source, EDITED)
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    if target.startswith("sqlite"):
        holding, is_off = ("BEGIN", "SELECT id FROM note"), (tmp_path / "target.db-journal").exists
    else:
        holding, is_off = ("SELECT id FROM note WHERE id = 2 FOR UPDATE",), lambda: bool(scalar(target, WAITING))
    engine = sa.create_engine(target, poolclass=sa.NullPool)
    with engine.connect() as held, ended(begin("refresh", target, *where, cwd=tmp_path)) as process:
        for statement in holding:
            held.exec_driver_sql(statement)
        until(is_off, "a transaction without the trigger")
        kill(process)
    assert notes(target)[1] == (2, "b", THEN)
    assert acts(target)
