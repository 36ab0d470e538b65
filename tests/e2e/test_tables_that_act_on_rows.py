"""Tables that were there before the job and act on the rows that come into them: by triggers, and by rewrite rules.

What comes in is what the table makes of it, so the loss list says that it acts. Where it puts something else in the place
of rows, they would not come in at all: such a table is not loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialects.sqlite import facts
from migrator.adapter import Facts
from migrator.cli import main
from migrator.model.objects import QName
from tests.support.pump import Run, pump, remap
from tests.support.sql import execute, rows

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, note varchar(10))"
CHANGING = {
    "postgresql": (
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''changed''; RETURN NEW; END'",
        "CREATE TRIGGER changing BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION change()",
    ),
    "mysql": ("CREATE TRIGGER changing BEFORE INSERT ON t FOR EACH ROW SET NEW.note = 'changed'",),
    "sqlite": ("CREATE TRIGGER changing AFTER INSERT ON t BEGIN UPDATE t SET note = 'changed' WHERE id = NEW.id; END",),
}
"""By database: a trigger that gives each row that comes in another value."""
NOT_ON_INSERT = {
    "postgresql": (
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''changed''; RETURN NEW; END'",
        'CREATE TRIGGER "before insert" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION change()',
        "CREATE TRIGGER gone AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION change()",
    ),
    "mysql": (
        "CREATE TRIGGER `before insert` BEFORE UPDATE ON t FOR EACH ROW SET NEW.note = 'changed'",
        "CREATE TRIGGER gone AFTER DELETE ON t FOR EACH ROW SET @gone = OLD.id",
    ),
    "sqlite": (
        "CREATE TRIGGER \"before insert\" AFTER UPDATE ON t BEGIN UPDATE t SET note = 'changed' WHERE id = NEW.id; END",
        "CREATE TRIGGER 'INSERT' /* insert */ AFTER -- INSERT\nDELETE ON t BEGIN INSERT INTO t VALUES (OLD.id, 'x'); END",
        "CREATE TRIGGER IF NOT EXISTS main.[insert on t] update OF note ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER `x``insert` DELETE ON t BEGIN SELECT 1; END",
    ),
}
"""By database: triggers that no row that comes in fires, although their names and texts have the word."""

Load = Callable[..., tuple[Run, list[tuple[str, str]]]]


@pytest.fixture
def load(sqlite_file: Callable[..., str], tmp_path: Path) -> Load:
    source = sqlite_file("source.db")
    execute(source, TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")

    def load(target: str, action: str) -> tuple[Run, list[tuple[str, str]]]:
        """The run, and the object and rule of each entry about what acts on rows."""
        run = pump(
            "impdp",
            target,
            f"NETWORK_LINK={source}",
            remap(source, target),
            f"DIRECTORY={tmp_path}",
            f"TABLE_EXISTS_ACTION={action}",
            "LEDGER=ledger.json",
        )
        entries = json.loads((tmp_path / "ledger.json").read_text())["entries"]
        acting = {"existing-trigger", "existing-rule"}
        return run, [(entry["object"].rpartition(".")[2], entry["rule"]) for entry in entries if entry["rule"] in acting]

    return load


@pytest.fixture
def made(postgresql: Callable[..., str], mysql: Callable[[], str], sqlite_file: Callable[..., str]) -> Callable[[str], str]:
    """The URL of a fresh database, by its kind."""
    return lambda kind: {"postgresql": postgresql, "mysql": mysql, "sqlite": sqlite_file}[kind]()


@pytest.mark.parametrize("action", ["APPEND", "TRUNCATE"])
@pytest.mark.parametrize("kind", sorted(CHANGING))
def test_a_table_whose_triggers_may_change_rows_says_so(
    kind: str, action: str, load: Load, made: Callable[[str], str]
) -> None:
    target = made(kind)
    execute(target, TABLE, *CHANGING[kind])
    run, told = load(target, action)
    assert rows(target, "SELECT id, note FROM t ORDER BY id") == [(1, "changed"), (2, "changed")]
    assert told == [('"t"', "existing-trigger")], run.out
    assert run.out.count("[existing-trigger]") == 1


@pytest.mark.parametrize("kind", sorted(CHANGING))
def test_a_table_that_the_job_makes_and_one_without_triggers_say_nothing(
    kind: str, load: Load, made: Callable[[str], str]
) -> None:
    target = made(kind)
    execute(target, TABLE)
    assert load(target, "APPEND")[1] == []
    execute(target, "DELETE FROM t", *CHANGING[kind])
    assert load(target, "REPLACE")[1] == []
    assert rows(target, "SELECT id, note FROM t ORDER BY id") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("kind", sorted(NOT_ON_INSERT))
def test_a_table_whose_triggers_fire_on_other_changes_says_nothing(
    kind: str, load: Load, made: Callable[[str], str]
) -> None:
    target = made(kind)
    execute(target, TABLE, *NOT_ON_INSERT[kind])
    run, told = load(target, "APPEND")
    assert told == [], run.out
    assert rows(target, "SELECT id, note FROM t ORDER BY id") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    "head",
    [
        "CREATE TRIGGER before INSERT",
        'create trigger if not exists main."an ""update" after insert',
        "CREATE TRIGGER 'delete'/* DELETE */before--UPDATE\nInsert",
        "CREATE TRIGGER €$é BEFORE INSERT",
    ],
)
def test_a_trigger_of_sqlite_fires_on_insert_however_that_is_written(
    head: str, load: Load, sqlite_file: Callable[..., str]
) -> None:
    target = sqlite_file()
    execute(target, TABLE, f"{head} ON t BEGIN SELECT 'delete'; END")
    run, told = load(target, "APPEND")
    assert told == [('"t"', "existing-trigger")], run.out


def test_a_plan_says_it_too(made: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    source, target = made("sqlite"), made("postgresql")
    execute(source, TABLE)
    execute(target, TABLE, *CHANGING["postgresql"])
    arguments = [f"NETWORK_LINK={source}", remap(source, target), "TABLE_EXISTS_ACTION=APPEND", "--json"]
    assert main(["plan", "impdp", target, *arguments]) == 0
    assert "existing-trigger" in {loss["rule"] for loss in json.loads(capsys.readouterr().out)["losses"]}


def test_a_plan_asks_for_the_facts_of_its_tables_once(
    sqlite_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, TABLE)
    execute(target, TABLE, *CHANGING["sqlite"])
    ask, asked = facts.facts, []

    def counted(connection: sa.Connection, tables: Sequence[QName]) -> dict[QName, Facts]:
        asked.append([table.name for table in tables])
        return ask(connection, tables)

    monkeypatch.setattr(facts, "facts", counted)
    arguments = [f"NETWORK_LINK={source}", "TABLE_EXISTS_ACTION=APPEND", "--json"]
    assert main(["plan", "impdp", target, *arguments]) == 0
    assert "existing-trigger" in {loss["rule"] for loss in json.loads(capsys.readouterr().out)["losses"]}
    assert asked == [["t"]]


def test_a_rule_that_does_more_than_insert_is_told(load: Load, postgresql: Callable[..., str]) -> None:
    target = postgresql()
    execute(target, TABLE, "CREATE RULE r AS ON INSERT TO t DO ALSO UPDATE t SET note = 'changed'")
    run, told = load(target, "APPEND")
    assert run.code == 0, run.out
    assert rows(target, "SELECT id, note FROM t ORDER BY id") == [(1, "changed"), (2, "changed")]
    assert told == [('"t"', "existing-rule")]


@pytest.mark.parametrize("where", ["", " WHERE new.id = 2"])
def test_a_table_whose_rule_sends_rows_elsewhere_is_not_loaded(
    where: str, load: Load, postgresql: Callable[..., str]
) -> None:
    target = postgresql()
    execute(
        target,
        TABLE,
        "CREATE TABLE elsewhere (LIKE t)",
        f"CREATE RULE r AS ON INSERT TO t{where} DO INSTEAD INSERT INTO elsewhere VALUES (new.id, new.note)",
    )
    run, _ = load(target, "APPEND")
    assert run.code == 5, run.out
    assert "rule instead-rule: the table was there before the job" in run.out
    assert rows(target, "SELECT id FROM t UNION ALL SELECT id FROM elsewhere") == []
    execute(target, "ALTER TABLE t DISABLE RULE r")
    run, told = load(target, "APPEND")
    assert (run.code, told) == (0, []), run.out
    assert rows(target, "SELECT id, note FROM t ORDER BY id") == [(1, "a"), (2, "b")]
