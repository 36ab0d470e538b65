"""``migrator refresh``: the rows of an import that differ from its source, and no others, are made as they are there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa

from migrator.adapter import Reaction
from migrator.ends import Database
from migrator.errors import JobStopped
from migrator.model.objects import QName
from migrator.operations import refreshing
from migrator.operations.reconciling import Reconciling
from migrator.operations.refreshing import _Refreshing
from migrator.verification import narrowing
from tests.support.hoard import contents, hoard
from tests.support.jobs import begin, ended, kill, until
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

TABLES = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, paid DECIMAL(9,2), seen TIMESTAMP)",
    "CREATE TABLE child (a INTEGER, b VARCHAR(10), parent INTEGER NOT NULL REFERENCES parent (id), PRIMARY KEY (a, b))",
)
FILLED = (
    "INSERT INTO parent VALUES (1, 'one', 1.50, NULL), (2, 'two', NULL, '2024-02-29 12:00:00'), (3, 'three', 3, NULL)",
    "INSERT INTO child VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 2)",
)


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    url = sqlite_file("source.db")
    execute(url, *TABLES, *FILLED)
    return url


@pytest.fixture(params=["postgresql", "mysql", "sqlite"])
def target(request: pytest.FixtureRequest, sqlite_file: Callable[..., str]) -> str:
    return sqlite_file("target.db") if request.param == "sqlite" else str(request.getfixturevalue(request.param)())


SERVERS = pytest.mark.parametrize("target", ["postgresql", "mysql"], indirect=True)
"""Where a table that is there can be altered, and a row be held."""

Pump = Callable[..., Run]


@pytest.fixture
def imported(source: str, target: str, tmp_path: Path) -> Pump:
    """Runs ``migrator refresh`` with the command line of an import that is done."""
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    done(pump("impdp", target, *where))
    return lambda *arguments: pump("refresh", target, *where, *arguments)


def table(url: str, name: str) -> str:
    return f'"{schema_of(url)}"."{name}"'


def parents(url: str) -> list[tuple[object, ...]]:
    found = rows(url, "SELECT id, name, paid FROM parent ORDER BY 1")
    return [(number, name, None if paid is None else float(paid)) for number, name, paid in found]


def children(url: str) -> list[tuple[object, ...]]:
    return rows(url, "SELECT a, b, parent FROM child ORDER BY 1, 2")


def equal(source: str, target: str) -> bool:
    """Whether another program finds both tables alike."""
    return parents(source) == parents(target) and children(source) == children(target)


# --- what moves -----------------------------------------------------------------------------------------------------


def test_nothing_moves_where_nothing_differs(imported: Pump, target: str) -> None:
    run = done(imported())
    assert f". . {table(target, 'parent')}: 3 rows, as they were" in run.out
    assert f". . {table(target, 'child')}: 3 rows, as they were" in run.out


def test_rows_that_changed_came_and_went_are_made_as_at_the_source(imported: Pump, source: str, target: str) -> None:
    execute(
        source,
        "UPDATE parent SET name = 'TWO', paid = 2.25, seen = NULL WHERE id = 2",
        "INSERT INTO parent VALUES (4, 'four', NULL, '2024-03-01 00:00:00')",
        "UPDATE child SET parent = 4 WHERE a = 1 AND b = 'x'",
        "DELETE FROM parent WHERE id = 1",
        "DELETE FROM child WHERE a = 2",
    )
    run = done(imported("--remove"))
    assert f". . {table(target, 'parent')}: 1 changed, 1 added, 1 removed, 1 as they were" in run.out
    assert f". . {table(target, 'child')}: 1 changed, 0 added, 1 removed, 1 as they were" in run.out
    assert equal(source, target)
    assert "as they were" in done(imported()).out


def test_rows_that_the_target_alone_has_stay_unless_asked(imported: Pump, source: str, target: str) -> None:
    execute(target, "INSERT INTO parent VALUES (9, 'mine', NULL, NULL)")
    run = imported()
    assert run.code == 5
    assert f"{table(target, 'parent')} has 1 row(s) that the source does not have; --remove takes them out" in run.out
    assert """  extra "id"='9'""" in run.out.splitlines()
    assert (9, "mine", None) in parents(target)
    done(imported("--remove"))
    assert equal(source, target)


def test_a_plan_changes_nothing(imported: Pump, source: str, target: str) -> None:
    execute(source, "UPDATE parent SET name = 'TWO' WHERE id = 2")
    execute(target, "INSERT INTO parent VALUES (9, 'mine', NULL, NULL)")
    before = parents(target)
    run = done(imported("--remove", "--plan"))
    assert f". . {table(target, 'parent')}: 1 changed, 0 added, 1 removed, 2 as they were (planned)" in run.out
    assert parents(target) == before


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_rows_that_are_the_same_are_not_written(imported: Pump, source: str, target: str) -> None:
    execute(source, "UPDATE parent SET name = 'TWO' WHERE id = 2")
    versions = dict(rows(target, "SELECT id, xmin::text FROM parent"))
    done(imported())
    after = dict(rows(target, "SELECT id, xmin::text FROM parent"))
    assert [number for number in after if after[number] != versions[number]] == [2]


def test_columns_that_the_target_alone_has_keep_their_values(imported: Pump, source: str, target: str) -> None:
    execute(target, "ALTER TABLE parent ADD note varchar(10)", "UPDATE parent SET note = 'mine'")
    execute(source, "UPDATE parent SET name = 'TWO' WHERE id = 2")
    done(imported())
    assert equal(source, target)
    assert rows(target, "SELECT DISTINCT note FROM parent") == [("mine",)]


# --- what is refused ------------------------------------------------------------------------------------------------


def refused(run: Run, target: str, name: str) -> str:
    """Why a table was left as it was."""
    assert run.code == 5, run.err
    head = f"MIG-20018: table {table(target, name)} is not refreshed: "
    lines = run.out.splitlines()
    (line,) = [line for line in lines if line.startswith(head)]
    assert "TABLE_EXISTS_ACTION=TRUNCATE" in lines[lines.index(line) + 1], "what to do about it"
    return line.removeprefix(head)


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_rows_are_not_removed_that_others_would_follow(imported: Pump, source: str, target: str, action: str) -> None:
    key = f"CONSTRAINT follows FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE {action}"
    execute(target, f"CREATE TABLE follower (id integer PRIMARY KEY, parent bigint, {key})")
    execute(target, "INSERT INTO follower VALUES (1, 3)")
    execute(source, "DELETE FROM parent WHERE id = 3", "UPDATE parent SET name = 'TWO' WHERE id = 2")
    run = imported("--remove")
    why = refused(run, target, "parent")
    assert re.search("on DELETE: foreign key .*follower", why)
    assert f"(ON DELETE {action})" in why
    assert rows(target, "SELECT id, parent FROM follower") == [(1, 3)]
    assert rows(target, "SELECT name FROM parent ORDER BY id") == [("one",), ("TWO",), ("three",)]


@SERVERS
def test_a_key_that_follows_another_key_than_the_primary_bars_an_update(imported: Pump, source: str, target: str) -> None:
    execute(
        target, "CREATE UNIQUE INDEX names ON parent (name)", "CREATE TABLE follower AS SELECT name FROM parent WHERE id = 0"
    )
    execute(
        target, "ALTER TABLE follower ADD CONSTRAINT follows FOREIGN KEY (name) REFERENCES parent (name) ON UPDATE CASCADE"
    )
    execute(target, "INSERT INTO follower VALUES ('two')")
    execute(source, "UPDATE parent SET name = 'TWO' WHERE id = 2")
    assert "on UPDATE: foreign key follows of" in refused(imported(), target, "parent")
    assert rows(target, "SELECT name FROM follower") == [("two",)]


TRIGGERS = {
    "postgresql": (
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER acting BEFORE {} ON parent FOR EACH ROW EXECUTE FUNCTION act()",
    ),
    "mysql": ("CREATE TRIGGER acting BEFORE {} ON parent FOR EACH ROW SET @acted = 1",),
    "sqlite": ("CREATE TRIGGER acting BEFORE {} ON parent BEGIN SELECT 1; END",),
}
CHANGES = {
    "UPDATE": "UPDATE parent SET name = 'TWO' WHERE id = 2",
    "INSERT": "INSERT INTO parent VALUES (4, 'four', NULL, NULL)",
    "DELETE": "DELETE FROM parent WHERE id = 3",
}


@pytest.mark.parametrize("verb", list(CHANGES))
def test_a_trigger_on_what_would_be_done_bars_it(imported: Pump, source: str, target: str, verb: str) -> None:
    execute(target, *(statement.format(verb) for statement in TRIGGERS[target.partition(":")[0].partition("+")[0]]))
    execute(source, CHANGES[verb])
    before = parents(target)
    stays = "the 1 row(s) that the source does not have stay: " if verb == "DELETE" else ""
    assert refused(imported("--remove"), target, "parent") == f"{stays}it would act by itself on {verb}: trigger acting"
    assert parents(target) == before


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_a_rule_bars_it(imported: Pump, source: str, target: str, verb: str) -> None:
    execute(target, f"CREATE RULE acting AS ON {verb} TO parent DO INSTEAD NOTHING")
    execute(source, CHANGES[verb])
    why = refused(imported("--remove"), target, "parent")
    assert why.endswith(f"it would act by itself on {verb}: rule acting")


@SERVERS
def test_a_table_without_the_key_is_refused(imported: Pump, source: str, target: str) -> None:
    execute(source, "UPDATE child SET parent = 1")
    execute(target, "ALTER TABLE child DROP " + ("PRIMARY KEY" if "mysql" in target else "CONSTRAINT child_pkey"))
    before = children(target)
    assert refused(imported(), target, "child") == "it has no primary key at the target"
    execute(target, "ALTER TABLE child ADD PRIMARY KEY (b, a, parent)")
    assert refused(imported(), target, "child") == "its primary key is another than at the source"
    assert children(target) == before


def test_a_table_that_two_go_into_is_refused(imported: Pump, source: str, target: str, tmp_path: Path) -> None:
    execute(
        source, "CREATE TABLE more (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)", "INSERT INTO more VALUES (8, 'x')"
    )
    before = parents(target)
    run = imported("REMAP_TABLE=more:parent", "TABLES=parent,more", "--remove")
    assert run.code == 1, "each would count the other's rows as its own surplus"
    assert parents(target) == before


@SERVERS
def test_a_row_that_the_target_refuses_leaves_its_table_as_it_was(imported: Pump, source: str, target: str) -> None:
    execute(target, "ALTER TABLE parent ADD CONSTRAINT small CHECK (name <> 'seven')")
    execute(
        source,
        "INSERT INTO parent VALUES (7, 'seven', NULL, NULL)",
        "UPDATE parent SET name = 'TWO' WHERE id = 2",
        "UPDATE child SET parent = 1",
    )
    assert "small" in refused(imported(), target, "parent")
    assert rows(target, "SELECT name FROM parent ORDER BY id") == [("one",), ("two",), ("three",)]
    assert children(target) == children(source), "the other table has its own transaction"


def test_a_table_of_which_too_many_rows_differ_is_refused(
    imported: Pump, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "MOST", 1)
    monkeypatch.setattr(refreshing, "ROUNDS", 2)
    execute(source, "UPDATE parent SET name = 'x'")
    assert "more than 2 rows are to be looked at" in refused(imported(), target, "parent")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS",), "refresh has no DATA_OPTIONS"),
        (('QUERY="WHERE id = 1"',), "with QUERY the source's other rows"),
        (("CONTENT=METADATA_ONLY",), "CONTENT=METADATA_ONLY moves no rows: there are none to refresh"),
        (("ATTACH=LEFT",), "ATTACH starts no job: there are no rows to refresh"),
    ],
)
@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_what_it_does_not_do_is_refused(imported: Pump, arguments: tuple[str, ...], why: str) -> None:
    run = imported(*arguments)
    assert run.code == 1
    assert why in run.err


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["mysql"], indirect=True)
def test_keys_that_the_target_holds_for_equal_are_not_mixed_up(
    sqlite_file: Callable[..., str], target: str, tmp_path: Path
) -> None:
    source = sqlite_file("keys.db")
    execute(source, "CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v INTEGER)", "INSERT INTO t VALUES ('a', 1), ('b', 2)")
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", "TABLE_EXISTS_ACTION=APPEND")
    execute(target, "CREATE TABLE t (k varchar(10) COLLATE utf8mb4_general_ci PRIMARY KEY, v integer)")
    done(pump("impdp", target, *where))
    execute(source, "UPDATE t SET k = 'A' WHERE k = 'a'", "UPDATE t SET v = 3 WHERE k = 'b'")
    run = pump("refresh", target, *where[:3])
    assert "Duplicate entry 'A'" in (why := refused(run, target, "t"))
    assert "--remove takes out first the 1 row(s) that the source does not have" in why
    assert rows(target, "SELECT k, v FROM t ORDER BY k") == [("a", 1), ("b", 2)], "what it would take the place of stays"
    done(pump("refresh", target, *where[:3], "--remove"))
    assert rows(target, "SELECT k, v FROM t ORDER BY k") == [("A", 1), ("b", 3)]


def test_a_table_without_a_key_is_no_trouble_as_long_as_nothing_differs(
    sqlite_file: Callable[..., str], target: str
) -> None:
    source = sqlite_file("loose.db")
    refresh = filled(source, target, "CREATE TABLE loose (a INTEGER)", "INSERT INTO loose VALUES (1), (1), (NULL)")
    assert f". . {table(target, 'loose')}: 3 rows, as they were" in done(refresh()).out
    execute(source, "INSERT INTO loose VALUES (1)")
    assert refused(refresh(), target, "loose") == "it has no primary key at the source"


# --- values that rows exchange, and rows that refer to one another --------------------------------------------------

SEATS = (
    "CREATE TABLE seat (id INTEGER PRIMARY KEY, holder VARCHAR(10) NOT NULL UNIQUE)",
    "CREATE TABLE booking (id INTEGER PRIMARY KEY, seat INTEGER NOT NULL REFERENCES seat (id), note VARCHAR(10))",
    "INSERT INTO seat VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO booking VALUES (10, 1, 'x'), (20, 2, 'x'), (30, 3, 'x')",
)
SWAPPED = (
    "UPDATE seat SET holder = '' WHERE id = 1",
    "UPDATE seat SET holder = 'a' WHERE id = 2",
    "UPDATE seat SET holder = 'b' WHERE id = 1",
)


def everything(url: str, *tables: str) -> list[list[tuple[object, ...]]]:
    return [rows(url, f"SELECT * FROM {name} ORDER BY 1") for name in tables]


def filled(source: str, target: str, *statements: str) -> Pump:
    """Runs ``migrator refresh`` from a source with certain tables, which are imported."""
    execute(source, *statements)
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    done(pump("impdp", target, *where))
    return lambda *arguments: pump("refresh", target, *where, *arguments)


def test_unique_values_that_rows_exchange_come_right(sqlite_file: Callable[..., str], target: str) -> None:
    """And rows that refer to those rows stay."""
    source = sqlite_file("seats.db")
    refresh = filled(source, target, *SEATS)
    execute(source, *SWAPPED, "INSERT INTO seat VALUES (4, 'd')")
    run = done(refresh())
    assert f". . {table(target, 'seat')}: 2 changed, 1 added, 0 removed, 1 as they were" in run.out
    assert f"rows of {table(target, 'seat')} exchange values" in run.out
    assert everything(target, "seat", "booking") == everything(source, "seat", "booking")


def test_rows_that_exchange_values_are_not_deleted_where_something_would_be_lost(
    sqlite_file: Callable[..., str], target: str
) -> None:
    source = sqlite_file("seats.db")
    refresh = filled(source, target, *SEATS)
    execute(source, *SWAPPED)
    execute(target, "ALTER TABLE seat ADD colour varchar(10)", "UPDATE seat SET colour = 'red'")
    before = everything(target, "seat")
    assert "what the target alone knows of them would be lost: colour" in refused(refresh(), target, "seat")
    assert everything(target, "seat") == before


def test_a_row_comes_in_whose_unique_value_a_row_has_that_is_taken_out(sqlite_file: Callable[..., str], target: str) -> None:
    """Which may have others that refer to it, and go first."""
    source = sqlite_file("seats.db")
    refresh = filled(source, target, *SEATS)
    execute(source, "INSERT INTO seat VALUES (4, 'd')", "INSERT INTO booking VALUES (40, 4, 'x')")
    execute(target, "INSERT INTO seat VALUES (9, 'd')", "INSERT INTO booking VALUES (90, 9, 'x')")
    before = everything(target, "seat", "booking")
    run = refresh()
    assert "--remove takes out first the 1 row(s) that the source does not have" in refused(run, target, "seat")
    refused(run, target, "booking")
    assert everything(target, "seat", "booking") == before
    done(refresh("--remove"))
    assert everything(target, "seat", "booking") == everything(source, "seat", "booking")


def test_a_row_that_is_taken_out_may_be_referred_to_until_others_are_changed(
    sqlite_file: Callable[..., str], target: str
) -> None:
    """Where it has a value that another needs, too, the database must look at foreign keys later."""
    source = sqlite_file("seats.db")
    refresh = filled(source, target, *SEATS)
    execute(target, "INSERT INTO seat VALUES (8, 'h'), (9, 'd')", "UPDATE booking SET seat = 8")
    done(refresh("--remove"))
    assert everything(target, "seat", "booking") == everything(source, "seat", "booking")
    execute(source, "INSERT INTO seat VALUES (4, 'd')", "UPDATE booking SET seat = 4 WHERE id = 10")
    execute(target, "INSERT INTO seat VALUES (9, 'd')", "UPDATE booking SET seat = 9 WHERE id = 10")
    before = everything(target, "seat", "booking")
    run = refresh("--remove")
    if target.startswith("postgresql"):
        assert "violates foreign key constraint" in refused(run, target, "seat")
        assert everything(target, "seat", "booking") == before
        return
    done(run)
    assert everything(target, "seat", "booking") == everything(source, "seat", "booking")


def test_which_rows_refer_to_one_is_told_as_its_own_column_compares(sqlite_file: Callable[..., str]) -> None:
    source, target = sqlite_file("seats.db"), sqlite_file("target.db")
    refresh = filled(
        source,
        target,
        "CREATE TABLE seat (name VARCHAR(10) PRIMARY KEY COLLATE NOCASE)",
        "CREATE TABLE booking (id INTEGER PRIMARY KEY, seat VARCHAR(10) NOT NULL REFERENCES seat (name))",
        "INSERT INTO seat VALUES ('A')",
        "INSERT INTO booking VALUES (10, 'a')",
    )
    execute(target, "INSERT INTO seat VALUES ('B')", "UPDATE booking SET seat = 'b'")
    done(refresh("--remove"))
    assert everything(target, "seat", "booking") == everything(source, "seat", "booking")


HEADS = (
    "CREATE TABLE team (id INTEGER PRIMARY KEY, head INTEGER REFERENCES player (id) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE player (id INTEGER PRIMARY KEY, team INTEGER NOT NULL REFERENCES team (id))",
    "INSERT INTO team VALUES (1, NULL)",
    "INSERT INTO player VALUES (1, 1)",
)


def test_tables_that_refer_to_one_another_are_done_together(sqlite_file: Callable[..., str], target: str) -> None:
    source = sqlite_file("teams.db")
    refresh = filled(source, target, *HEADS)
    execute(source, "INSERT INTO player VALUES (5, 2)", "INSERT INTO team VALUES (2, 5)", "UPDATE team SET head = 1")
    done(refresh())
    assert everything(target, "team", "player") == everything(source, "team", "player")
    execute(source, "DELETE FROM team WHERE id = 2", "DELETE FROM player WHERE id = 5")
    done(refresh("--remove"))
    assert everything(target, "team", "player") == everything(source, "team", "player")


def test_where_they_cannot_be_they_are_refused_and_stay_as_they_are(
    sqlite_file: Callable[..., str], postgresql: Callable[[], str]
) -> None:
    """PostgreSQL defers what is declared DEFERRABLE, and no other key."""
    source, target = sqlite_file("teams.db"), postgresql()
    refresh = filled(source, target, *(statement.replace(" DEFERRABLE INITIALLY DEFERRED", "") for statement in HEADS))
    execute(source, "INSERT INTO player VALUES (5, 2)", "INSERT INTO team VALUES (2, 5)")
    before = everything(target, "team", "player")
    run = refresh()
    for name in ("team", "player"):
        assert "violates foreign key constraint" in refused(run, target, name)
    assert everything(target, "team", "player") == before


STAFF = (
    "CREATE TABLE office (id INTEGER PRIMARY KEY)",
    "CREATE TABLE staff (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES staff (id), office INTEGER REFERENCES office (id))",
    "INSERT INTO office VALUES (1)",
    "INSERT INTO staff VALUES (1, NULL, 1), (2, 1, 1), (3, 2, 1), (4, 3, 1)",
)


def test_rows_may_refer_to_rows_of_their_own_table_in_any_order(sqlite_file: Callable[..., str], target: str) -> None:
    source = sqlite_file("staff.db")
    refresh = filled(source, target, *STAFF)
    execute(source, "UPDATE staff SET boss = 1 WHERE id = 4", "DELETE FROM staff WHERE id IN (2, 3)")
    execute(source, "INSERT INTO staff VALUES (5, 6, 1), (6, 7, 1), (7, 5, 1)", "UPDATE staff SET boss = 5 WHERE id = 1")
    done(refresh("--remove"))
    assert everything(target, "staff") == everything(source, "staff")


def test_rows_that_would_refer_to_none_are_refused(sqlite_file: Callable[..., str], target: str) -> None:
    """Also where the database looks later, or does not look, since the table refers to itself."""
    source = sqlite_file("staff.db")
    refresh = filled(source, target, *STAFF)
    execute(source, "INSERT INTO office VALUES (2)", "INSERT INTO staff VALUES (5, 1, 2)", "UPDATE staff SET boss = 5")
    before = everything(target, "office", "staff")
    why = refused(refresh("TABLES=staff"), target, "staff")
    assert re.search("(?=.*staff)(?=.*office)(?=.*foreign key)", why), why
    assert target.startswith("postgresql") or "1 row(s) of " in why, "PostgreSQL says which value it is"
    assert everything(target, "office", "staff") == before
    done(refresh())
    assert everything(target, "office", "staff") == everything(source, "office", "staff")


def test_a_row_that_would_refer_to_none_is_told_from_one_that_did(sqlite_file: Callable[..., str]) -> None:
    """One such row is mended, and another one would come: the number stays."""
    source, target = sqlite_file("staff.db"), sqlite_file("target.db")
    refresh = filled(source, target, *STAFF)
    execute(target, "UPDATE staff SET office = 99 WHERE id = 1")
    execute(source, "UPDATE staff SET office = 99 WHERE id = 2")
    before = everything(target, "staff")
    assert "office" in refused(refresh("TABLES=staff"), target, "staff")
    assert everything(target, "staff") == before


@pytest.mark.mysql
def test_rows_that_another_database_refers_to_are_not_left_alone(
    sqlite_file: Callable[..., str], mysql: Callable[[], str]
) -> None:
    source, target, other = sqlite_file("staff.db"), mysql(), mysql()
    refresh = filled(source, target, *STAFF)
    referring = f"id bigint, FOREIGN KEY (id) REFERENCES {schema_of(target)}.staff (id)"
    execute(other, f"CREATE TABLE elsewhere ({referring})", "INSERT INTO elsewhere VALUES (4)")
    execute(source, "DELETE FROM staff WHERE id = 4", "UPDATE staff SET office = NULL WHERE id = 3")
    why = refused(refresh("--remove"), target, "staff")
    left = rows(target, "SELECT id FROM staff")
    execute(other, "DROP TABLE elsewhere")
    assert "elsewhere" in why
    assert len(left) == 4


def test_what_is_planned_is_what_is_done(sqlite_file: Callable[..., str], target: str) -> None:
    """Values and keys are looked at: all of it is tried."""
    source = sqlite_file("planned.db")
    refresh = filled(source, target, *SEATS, *STAFF, "CREATE TABLE lone (id INTEGER PRIMARY KEY, v VARCHAR(10) UNIQUE)")
    execute(source, *SWAPPED, "INSERT INTO lone VALUES (1, 'x'), (2, 'y')", "DELETE FROM booking WHERE id = 30")
    execute(source, "INSERT INTO staff VALUES (5, 4, 1)")
    execute(target, "INSERT INTO lone VALUES (3, 'x')")
    tables = ("seat", "booking", "office", "staff", "lone")
    before = everything(target, *tables)
    planned = refresh("--plan")
    assert everything(target, *tables) == before
    run = refresh()
    assert planned.out.replace(" (planned)", "") == run.out
    assert planned.code == run.code == 5
    for told in ("'seat'", "'booking'", "'staff'"):
        assert f"{table(target, told.strip(chr(39)))}: " in run.out
    assert "row(s) that the source does not have" in refused(run, target, "lone")
    planned = done(refresh("--remove", "--plan"))
    run = done(refresh("--remove"))
    assert planned.out.replace(" (planned)", "") == run.out
    assert f"{table(target, 'booking')}: 0 changed, 0 added, 1 removed, 2 as they were" in run.out
    assert everything(target, *tables) == everything(source, *tables)


# --- dump file sets -------------------------------------------------------------------------------------------------


def test_a_dump_file_set_is_a_source(source: str, target: str, tmp_path: Path) -> None:
    """The source itself may be gone."""
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=shop.dmp", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    onto = (*where, remap(source, target))
    done(pump("impdp", target, *onto))
    before = [parents(target), children(target)]
    execute(
        target,
        "INSERT INTO parent VALUES (9, 'mine', NULL, NULL)",
        "UPDATE parent SET name = 'TWO' WHERE id = 2",
        "DELETE FROM child WHERE a = 2",
        "UPDATE child SET parent = 9",
    )
    run = done(pump("refresh", target, *onto, "--remove"))
    assert f". . {table(target, 'parent')}: 1 changed, 0 added, 1 removed, 2 as they were" in run.out
    assert [parents(target), children(target)] == before


# --- other sources --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", ["postgresql mysql", "mysql postgresql", "postgresql postgresql", "mysql mysql"])
def test_any_source_is_read(kinds: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    source, target = (str(request.getfixturevalue(kind)()) for kind in kinds.split())
    execute(
        source,
        "CREATE TABLE t (a varchar(20), b date, n decimal(12,3), f double precision, x varchar(2000), PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES ('é', '2024-02-29', 1.5, 0.1, 'x'), ('F', '2024-02-29', NULL, NULL, '')",
        "INSERT INTO t VALUES ('z', '1900-01-01', 0, 1e300, NULL)",
        "CREATE TABLE same (id integer PRIMARY KEY)",
        "INSERT INTO same VALUES (1), (2)",
    )
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", "PARALLEL=2")
    done(pump("impdp", target, *where))
    execute(
        source,
        "UPDATE t SET n = 2.125, x = NULL WHERE a = 'é'",
        "UPDATE t SET x = 'y' WHERE a = 'z'",
        "DELETE FROM t WHERE a = 'F'",
        "INSERT INTO t VALUES ('F', '2024-03-01', 7, -1.5, 'new')",
    )
    run = done(pump("refresh", target, *where, "--remove"))
    assert f". . {table(target, 'same')}: 2 rows, as they were" in run.out
    assert f". . {table(target, 't')}: 2 changed, 1 added, 1 removed, 0 as they were" in run.out
    everything = "SELECT a, b, n, f, x FROM t ORDER BY n"
    assert rows(target, everything) == rows(source, everything)
    assert pump("verify", target, *where).code == 0


def test_rows_are_found_among_many(
    sqlite_file: Callable[..., str], target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sqlite_file("many.db")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, hex(i), i % 7 FROM n"
    execute(source, "CREATE TABLE t (id INTEGER, k VARCHAR(20), v INTEGER, PRIMARY KEY (k, id))", f"INSERT INTO t {numbers}")
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", "PARALLEL_THRESHOLD=64K")
    done(pump("impdp", target, *where))
    execute(
        source,
        "UPDATE t SET v = NULL WHERE id % 500 = 0",
        "DELETE FROM t WHERE id % 500 = 1",
        "INSERT INTO t VALUES (9000, 'x', 1)",
    )
    monkeypatch.setattr(narrowing, "MOST", 8)
    looked = Mock(side_effect=narrowing.apart)
    monkeypatch.setattr(narrowing, "apart", looked)
    run = done(pump("refresh", target, *where, "--remove"))
    assert looked.call_count > 1, "those that differ are looked at in parts"
    assert f". . {table(target, 't')}: 10 changed, 1 added, 10 removed, 4980 as they were" in run.out
    everything = "SELECT id, k, v FROM t ORDER BY id"
    assert rows(target, everything) == rows(source, everything)


# --- values ---------------------------------------------------------------------------------------------------------


def test_policies_hold_and_count_what_is_written(sqlite_file: Callable[..., str], target: str, tmp_path: Path) -> None:
    source = sqlite_file("long.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(20))", "INSERT INTO t VALUES (1, 'abcdef'), (2, 'b')")
    execute(target, "CREATE TABLE t (id bigint PRIMARY KEY, v varchar(4))")
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    policy = "POLICY=too_long=convert"
    done(pump("impdp", target, *where, policy, "TABLE_EXISTS_ACTION=APPEND"))
    execute(source, "UPDATE t SET v = 'bcdefg' WHERE id = 2")
    assert "v" in refused(pump("refresh", target, *where), target, "t"), "nothing is cut that nobody lets be cut"
    run = done(pump("refresh", target, *where, policy))
    assert f". . {table(target, 't')}: 1 changed, 0 added, 0 removed, 1 as they were" in run.out
    (loss,) = [line for line in run.out.splitlines() if line.startswith(". . loss:")]
    assert "values that were too long were cut (1 row)" in loss
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == [(1, "abcd"), (2, "bcde")]
    run = pump("refresh", target, *where, "POLICY=too_long=warn")
    assert run.code == 0, "nothing is written, so nothing is warned of"


def test_losses_are_told_and_counted_of_the_rows_that_are_written(
    postgresql: Callable[..., str], mysql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, v boolean)", "INSERT INTO t VALUES (1, true), (2, true)")
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY, v varchar(5))")
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    (loss,) = done(pump("impdp", target, *where, "TABLE_EXISTS_ACTION=APPEND")).losses
    execute(source, "UPDATE t SET v = false WHERE id = 2")
    (told,) = done(pump("refresh", target, *where)).losses
    assert told == loss.replace(" [", " (1 row) [")
    assert done(pump("refresh", target, *where)).losses == []


@SERVERS
def test_computed_columns_are_left_to_the_target(imported: Pump, source: str, target: str) -> None:
    execute(target, "ALTER TABLE parent ADD twice decimal(9,2) GENERATED ALWAYS AS (paid * 2) STORED")
    execute(source, CHANGES["UPDATE"], CHANGES["INSERT"])
    done(imported())
    assert rows(target, "SELECT id FROM parent WHERE twice = paid * 2 ORDER BY id") == [(1,), (3,)]
    assert equal(source, target)


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_identities_go_on_after_rows_that_came_in(sqlite_file: Callable[..., str], target: str, tmp_path: Path) -> None:
    source = sqlite_file("ids.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'a')")
    execute(target, "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v varchar(9))")
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    execute(source, "INSERT INTO t VALUES (41, 'b')")
    done(pump("refresh", target, *where))
    execute(target, "INSERT INTO t (v) VALUES ('c')")
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == [(1, "a"), (41, "b"), (42, "c")]


@pytest.mark.mysql
def test_a_column_that_changes_by_itself_keeps_its_value_where_the_target_alone_has_it(
    sqlite_file: Callable[..., str], mysql: Callable[[], str]
) -> None:
    source, target = sqlite_file("seen.db"), mysql()
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'new')")
    execute(
        target,
        "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(9), seen DATETIME NOT NULL ON UPDATE CURRENT_TIMESTAMP)",
        "INSERT INTO t VALUES (1, 'old', '2001-01-01')",
    )
    done(pump("refresh", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    assert rows(target, "SELECT id, v, CAST(seen AS CHAR) FROM t") == [(1, "new", "2001-01-01 00:00:00")]


def test_a_table_that_does_not_fit_is_refused_and_no_other(imported: Pump, source: str, target: str) -> None:
    execute(target, "ALTER TABLE parent DROP COLUMN seen")
    execute(source, "UPDATE child SET parent = 3 WHERE a = 2", "UPDATE parent SET name = 'ONE' WHERE id = 1")
    run = imported()
    assert run.code == 5
    assert f"MIG-20018: table {table(target, 'parent')} is not refreshed: MIG-20002: column seen: " in run.out
    assert children(source) == children(target)
    assert (1, "one", 1.5) in parents(target)


# --- others at work -------------------------------------------------------------------------------------------------


def test_identities_are_raised_with_the_rows_and_not_after_them(
    postgresql: Callable[[], str], sqlite_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies once rows are committed leaves nothing undone that the next one would not find."""
    source, target = sqlite_file("numbered.db"), postgresql()
    execute(source, "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)")
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    done(pump("impdp", target, *where))
    execute(source, "INSERT INTO numbered (v) VALUES ('a'), ('b')")
    monkeypatch.setattr(_Refreshing, "_tell", Mock(side_effect=JobStopped(job="none")))
    assert pump("refresh", target, *where).code != 0
    execute(target, "INSERT INTO numbered (v) VALUES ('c')")
    assert rows(target, "SELECT id, v FROM numbered ORDER BY 1") == [(1, "a"), (2, "b"), (3, "c")]


def test_a_row_may_come_to_refer_to_one_that_is_missing_yet(
    sqlite_file: Callable[..., str], target: str, tmp_path: Path
) -> None:
    source = sqlite_file("tree.db")
    execute(
        source,
        "CREATE TABLE employee (id INTEGER PRIMARY KEY, manager INTEGER REFERENCES employee (id))",
        "INSERT INTO employee VALUES (1, NULL), (5, 1)",
    )
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    done(pump("impdp", target, *where))
    execute(source, "INSERT INTO employee VALUES (9, 1)", "UPDATE employee SET manager = 9 WHERE id = 5")
    done(pump("refresh", target, *where))
    assert rows(target, "SELECT id, manager FROM employee ORDER BY 1") == [(1, None), (5, 9), (9, 1)]


def test_rows_of_tables_that_inherit_are_those_of_others(postgresql: Callable[[], str]) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE TABLE city (id integer PRIMARY KEY, name text)",
        "CREATE TABLE capital (PRIMARY KEY (id)) INHERITS (city)",
        "INSERT INTO city VALUES (7, 'Bonn'), (8, 'Basel')",
        "INSERT INTO capital VALUES (8, 'Bern')",
    )
    where = (f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    done(pump("impdp", target, *where))
    execute(source, "UPDATE ONLY city SET name = 'Basle' WHERE id = 8", "DELETE FROM ONLY city WHERE id = 7")
    execute(source, "INSERT INTO capital VALUES (7, 'Berlin')")
    done(pump("refresh", target, *where, "--remove"))
    every = "SELECT tableoid::regclass::text, id, name FROM city ORDER BY 1, 2"
    assert rows(target, every) == [("capital", 7, "Berlin"), ("capital", 8, "Bern"), ("city", 8, "Basle")]


@pytest.mark.parametrize(("action", "code"), [("refuse", 5), ("warn", 5), ("convert", 0)])
def test_how_texts_compare_is_as_policy_says(
    sqlite_file: Callable[..., str], mysql: Callable[[], str], action: str, code: int
) -> None:
    source, target = sqlite_file("texts.db"), mysql()
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(9) UNIQUE)", "INSERT INTO t VALUES (1, 'a')")
    execute(target, "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(9) COLLATE utf8mb4_general_ci UNIQUE)")
    policy = f"POLICY=t.v:collation={action}"
    run = pump("refresh", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", policy)
    assert run.code == code
    assert rows(target, "SELECT id, v FROM t") == [(1, "a")] * (action != "refuse")
    assert ("MIG-20017" in run.out) == (action == "refuse")


@SERVERS
def test_a_row_that_somebody_else_takes_away_meanwhile_leaves_its_table_as_it_is(
    imported: Pump, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(source, "UPDATE parent SET name = 'x' WHERE id > 1")
    writing = Reconciling._update_and_add

    def after_another(self: Reconciling, task: Any, *rest: Any) -> None:
        execute(target, "UPDATE parent SET id = 33 WHERE id = 3")
        writing(self, task, *rest)

    monkeypatch.setattr(Reconciling, "_update_and_add", after_another)
    monkeypatch.setattr("migrator.adapter.Adapter.hold", lambda *_: None)
    assert "2 rows were to be updated, the database reports 1" in refused(imported(), target, "parent")
    assert rows(target, "SELECT id, name FROM parent ORDER BY id") == [(1, "one"), (2, "two"), (33, "three")]


def test_a_table_of_a_job_that_can_be_started_again_is_refused(
    imported: Pump, source: str, target: str, tmp_path: Path
) -> None:
    execute(source, CHANGES["UPDATE"])
    where = (
        f"NETWORK_LINK={source}",
        remap(source, target),
        f"DIRECTORY={tmp_path}",
        "TABLE_EXISTS_ACTION=APPEND",
        "JOB_NAME=LEFT",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("migrator.operations.importing.loading.load", Mock(side_effect=JobStopped(job="LEFT")))
        assert pump("impdp", target, *where).code == 1
    run = imported()
    assert "MIG-31659" in refused(run, target, "parent")
    assert rows(target, "SELECT name FROM parent WHERE id = 2") == [("two",)]


# --- who may not see ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_row_level_security_bars_it(imported: Pump, source: str, target: str) -> None:
    """For a user who is held by it; a superuser is not."""
    role = f"r{uuid.uuid4().hex[:12]}"
    url = sa.make_url(target)
    execute(
        target,
        f"CREATE ROLE {role} LOGIN PASSWORD 'x'",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT ALL ON parent, child TO {role}",
        "ALTER TABLE parent ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY seen ON parent USING (true)",
    )
    execute(source, CHANGES["UPDATE"])
    other = url.set(username=role, password="x").render_as_string(hide_password=False)
    try:
        run = pump("refresh", other, f"NETWORK_LINK={source}", remap(source, target))
        assert "row-level security policy" in refused(run, target, "parent"), "rows that are not shown would be missing"
        with Database(sa.make_url(other)).connect() as connection:
            found = Database(sa.make_url(other)).adapter.reactions(connection, QName("public", "parent"))
        assert found == tuple(Reaction(verb, "row level security") for verb in ("DELETE", "INSERT", "UPDATE"))
    finally:
        execute(target, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("target", ["mysql"], indirect=True)
def test_what_a_user_is_not_shown_counts_as_there(imported: Pump, source: str, target: str) -> None:
    user, schema = f"u{uuid.uuid4().hex[:12]}", schema_of(target)
    rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, CREATE TEMPORARY TABLES"
    execute(target, f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'", f"GRANT {rights} ON `{schema}`.* TO '{user}'@'%'")
    execute(source, CHANGES["UPDATE"])
    other = sa.make_url(target).set(username=user, password="x").render_as_string(hide_password=False)
    where = (f"NETWORK_LINK={source}", remap(source, target))
    try:
        why = refused(pump("refresh", other, *where), target, "parent")
        assert "on UPDATE: triggers, perhaps, which are not shown without the privilege TRIGGER" in why
        assert "on UPDATE: foreign keys of other databases, perhaps, which are not shown to this user" in why
        execute(target, f"GRANT TRIGGER ON *.* TO '{user}'@'%'")
        done(pump("refresh", other, *where))
        assert equal(source, target)
    finally:
        execute(target, f"DROP USER '{user}'@'%'")


@pytest.mark.parametrize("verb", list(CHANGES))
def test_the_database_must_say_that_it_changed_as_many_rows_as_differ(
    postgresql: Callable[[], str], sqlite_file: Callable[..., str], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a trigger that nobody is shown swallows one of them."""
    source, target = sqlite_file("source.db"), postgresql()
    refresh = filled(source, target, *TABLES, *FILLED)
    swallows = "IF OLD.id = 3 THEN RETURN NULL; END IF; RETURN OLD;" if verb == "DELETE" else "RETURN NULL;"
    execute(
        target,
        f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {swallows} END'",
        f"CREATE TRIGGER acting BEFORE {verb} ON parent FOR EACH ROW EXECUTE FUNCTION act()",
    )
    execute(source, CHANGES[verb])
    if verb == "DELETE":
        execute(target, "INSERT INTO parent VALUES (9, 'mine', NULL, NULL)")
    before = parents(target)
    monkeypatch.setattr(type(Database(sa.make_url(target)).adapter), "reactions", lambda *_: ())
    rows_, done_, found = {"UPDATE": (1, "updated", 0), "INSERT": (1, "added", 0), "DELETE": (2, "removed", 1)}[verb]
    why = f"{rows_} rows were to be {done_}, the database reports {found}"
    assert why in refused(refresh("--remove"), target, "parent")
    assert parents(target) == before


@pytest.mark.mysql
@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_table_without_transactions_is_refused_and_others_are_done(
    sqlite_file: Callable[..., str], mysql: Callable[[], str], engine: str
) -> None:
    """What has been done to half of it could not be taken back."""
    source, target = sqlite_file("source.db"), mysql()
    tables = [f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, v VARCHAR(10))" for name in ("plain", "sound")]
    refresh = filled(
        source, target, *tables, *(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b')" for name in ("plain", "sound"))
    )
    if engine == "Aria" and not scalar(target, "SELECT count(*) FROM information_schema.engines WHERE engine = 'Aria'"):
        pytest.skip("MySQL has no Aria")
    execute(target, f"ALTER TABLE plain ENGINE = {engine}")
    for name in ("plain", "sound"):
        execute(source, f"UPDATE {name} SET v = 'c' WHERE id = 2", f"DELETE FROM {name} WHERE id = 1")
    run = refresh("--remove")
    assert refused(run, target, "plain") == "its storage engine has no transactions"
    assert everything(target, "plain", "sound") == [[(1, "a"), (2, "b")], [(2, "c")]]


# --- when it dies ---------------------------------------------------------------------------------------------------


@SERVERS
def test_tables_that_are_committed_stay_so_when_it_is_killed(
    sqlite_file: Callable[..., str], target: str, tmp_path: Path
) -> None:
    """Nothing is on record: what is done shows. Tables that refer to one another are done together, or not at all."""
    source = sqlite_file("three.db")
    made = ("CREATE TABLE apart (id INTEGER PRIMARY KEY, v INTEGER)", "INSERT INTO apart VALUES (1, 1), (2, 2), (3, 3)")
    refresh = filled(
        source, target, *made, *SEATS, "CREATE TABLE big (id INTEGER PRIMARY KEY, booking INTEGER REFERENCES booking)"
    )
    execute(source, "INSERT INTO big VALUES (10000, 20)")
    done(refresh())
    execute(source, "UPDATE apart SET v = v + 1 WHERE id > 1", "DELETE FROM apart WHERE id = 1")
    execute(
        source, "UPDATE seat SET holder = 'z' WHERE id = 1", "UPDATE booking SET note = 'y'", "UPDATE big SET booking = 10"
    )
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "--remove")
    with held_row(target), ended(begin("refresh", target, *where, cwd=tmp_path)) as process:
        until(lambda: writing(target), "rows on their way")
        kill(process)
    assert everything(target, "apart") == everything(source, "apart"), "its transaction was committed"
    assert everything(target, "seat") == [[(1, "a"), (2, "b"), (3, "c")]]
    assert everything(target, "booking") == [[(10, 1, "x"), (20, 2, "x"), (30, 3, "x")]]
    run = done(refresh("--remove"))
    assert f". . {table(target, 'apart')}: 2 rows, as they were" in run.out
    tables = ("apart", "seat", "booking", "big")
    assert everything(target, *tables) == everything(source, *tables)


def test_a_file_is_as_it_was_when_it_is_killed(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, target = hoard(tmp_path / "many.db", 100_000), sqlite_file("target.db")
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}")
    done(pump("impdp", target, *where))
    before = contents(target)
    execute(source, "UPDATE big SET label = 'new' || id WHERE id % 2 = 0", "DELETE FROM big WHERE id % 10 = 1")
    with ended(begin("refresh", target, *where, "--remove", cwd=tmp_path)) as process:
        until((tmp_path / "target.db-journal").exists, "rows on their way")
        kill(process)
    assert contents(target) == before
    done(pump("refresh", target, *where, "--remove"))
    assert contents(target) == contents(source)


@SERVERS
def test_one_that_is_killed_is_run_again(target: str, tmp_path: Path) -> None:
    """In the middle of a table's transaction: the statement waits for a row that somebody else holds."""
    source = hoard(tmp_path / "many.db", 20_000)
    where = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    done(pump("impdp", target, *where))
    execute(source, "UPDATE big SET label = 'new' WHERE id % 2 = 0", "DELETE FROM big WHERE id % 10 = 1")
    with held_row(target), ended(begin("refresh", target, *where, "--remove", cwd=tmp_path)) as process:
        until(lambda: writing(target), "rows on their way")
        kill(process)
    assert scalar(target, "SELECT count(*) FROM big WHERE label = 'new'") == 0
    done(pump("refresh", target, *where, "--remove"))
    assert contents(target) == contents(source)
    assert f". . {table(target, 'big')}: 18000 rows, as they were" in done(pump("refresh", target, *where)).out


@contextmanager
def held_row(target: str) -> Iterator[None]:
    """One of the rows that change is locked while the block lasts."""
    engine = sa.create_engine(target, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT id FROM big WHERE id = 10000 FOR UPDATE")
        yield


def writing(target: str) -> bool:
    """Whether a statement changes rows at this moment."""
    if target.startswith("postgresql"):
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE%AS t SET%' AND state = 'active'"
    else:
        asked = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE%JOIN%'"
    return bool(scalar(target, asked))
