"""Objects that are there already, and objects whose table could not be made: what an import does about each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import Run, done, pump
from tests.support.sql import execute, rows, scalar

SOURCE = (
    "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''marked''; RETURN NEW; END'",
    "CREATE TABLE t (id serial PRIMARY KEY, note text)",
    "CREATE INDEX t_note ON t (note)",
    "CREATE TRIGGER t_mark BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION mark()",
    "CREATE SEQUENCE tickets",
    "INSERT INTO t (note) VALUES ('a'), ('b')",
    "SELECT setval('tickets', 5)",
)

Load = Callable[..., Run]


@pytest.fixture
def target(postgresql: Callable[..., str]) -> str:
    return postgresql()


@pytest.fixture
def load(postgresql: Callable[..., str], target: str, tmp_path: Path) -> Load:
    source = postgresql()
    execute(source, *SOURCE)
    return lambda *arguments: pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", *arguments)


def test_replace_makes_again_what_goes_with_the_table(load: Load, target: str) -> None:
    done(load())
    run = load("TABLE_EXISTS_ACTION=REPLACE")
    assert "ORA-39083" not in run.out, run.out
    assert scalar(target, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == "t_mark"
    execute(target, "INSERT INTO t (note) VALUES ('c')")
    assert rows(target, "SELECT id, note FROM t ORDER BY 1") == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize("arguments", [(), ("CONTENT=DATA_ONLY",), ("TABLE_EXISTS_ACTION=REPLACE",)])
def test_a_sequence_that_exists_stands_where_it_stood(load: Load, target: str, arguments: tuple[str, ...]) -> None:
    done(load())
    execute(target, "SELECT setval('tickets', 1000)")
    load(*arguments)
    assert scalar(target, "SELECT last_value FROM tickets") == 1000


def test_what_depends_on_a_table_that_was_not_made_is_named(load: Load, target: str) -> None:
    execute(target, "CREATE VIEW t AS SELECT 1 AS id")
    run = load()
    assert run.code == 5
    assert 'ORA-39083: Object type TABLE:"public"."t" failed to create with error:' in run.out
    skipped = [line for line in run.out.splitlines() if line.startswith("ORA-39112")]
    assert [line.split(" skipped, ")[0].removeprefix("ORA-39112: Dependent object type ") for line in skipped] == [
        'TABLE_DATA:"public"."t"',
        'INDEX:"public"."t_note"',
        'CONSTRAINT:"public"."t_pkey"',
        'TRIGGER:"public"."t_mark"',
    ]
    assert all(line.endswith('base object type TABLE:"public"."t" creation failed') for line in skipped)


def test_a_table_that_cannot_be_truncated_keeps_its_rows(load: Load, target: str) -> None:
    done(load())
    execute(target, "CREATE TABLE mine (t integer REFERENCES t)", "INSERT INTO mine VALUES (2)")
    run = load("TABLE_EXISTS_ACTION=TRUNCATE")
    assert 'ORA-39120: Table "public"."t" can\'t be truncated, data will be skipped. Failing error is:' in run.out
    assert rows(target, "SELECT id, note FROM t ORDER BY 1") == [(1, "a"), (2, "b")]
