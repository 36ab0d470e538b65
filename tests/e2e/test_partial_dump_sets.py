"""A dump file set that lacks the rows of a table, because its export failed, brings all others; that one is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.cli import main
from tests.support.pump import Run, pump, schema_of
from tests.support.rows import tables_of
from tests.support.sql import execute, scalar

LACKING = 'MIG-20004: "main"."bad": the dump file set has none of its rows, since the export failed'


@pytest.fixture
def where(sqlite_file: Callable[..., str], tmp_path: Path) -> tuple[str, ...]:
    """How an import names a set that has the rows of one table, and of the other none."""
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE good (a INT)", "INSERT INTO good VALUES (1)", "CREATE TABLE bad (a INT PRIMARY KEY)")
    execute(source, "INSERT INTO bad VALUES (1), ('abc')", "CREATE INDEX bad_a ON bad (a)")
    exported = pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=part.dmp", "NOLOGFILE=YES")
    assert exported.code == 5, exported.err
    return f"DIRECTORY={tmp_path}", "DUMPFILE=part.dmp", "NOLOGFILE=YES"


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def target(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    name = {"sqlite": "sqlite_file"}.get(request.param, request.param)
    made: str = request.getfixturevalue(name)()
    return made


def imported(target: str, where: tuple[str, ...], *options: str) -> Run:
    return pump("impdp", target, *where, f"REMAP_SCHEMA=main:{schema_of(target)}", *options)


def test_the_other_tables_are_loaded(target: str, where: tuple[str, ...]) -> None:
    run = imported(target, where)
    assert run.code == 5, run.err
    assert f'ORA-31693: Table data object "{schema_of(target)}"."bad" failed to load' in run.out
    assert LACKING in run.out
    assert run.out.count("ORA-31693") == 1
    assert scalar(target, "SELECT count(*) FROM good") == 1
    assert scalar(target, "SELECT count(*) FROM bad") == 0


@pytest.mark.parametrize("action", ["APPEND", "TRUNCATE", "REPLACE"])
def test_a_table_that_is_there_keeps_its_rows(target: str, where: tuple[str, ...], action: str) -> None:
    execute(target, "CREATE TABLE bad (a INT)", "INSERT INTO bad VALUES (7)")
    run = imported(target, where, f"TABLE_EXISTS_ACTION={action}")
    assert run.code == 5, run.err
    assert LACKING in run.out
    assert scalar(target, "SELECT sum(a) FROM bad") == 7
    assert scalar(target, "SELECT count(*) FROM good") == 1


def test_a_table_that_is_to_be_replaced_is_said_to_stay_as_it_is(target: str, where: tuple[str, ...]) -> None:
    execute(target, "CREATE TABLE bad (a INT)", "INSERT INTO bad VALUES (7)")
    run = imported(target, where, "TABLE_EXISTS_ACTION=REPLACE")
    assert "creation failed" not in run.out
    assert "failed to create" not in run.out
    assert "failed: TABLE" not in run.out
    assert "there already" in run.out
    assert run.out.count("ORA-") == 1, run.out
    assert "completed with 1 error(s)" in run.out


@pytest.mark.parametrize("server", ["postgresql", "mysql"])
def test_what_it_refers_to_is_told_not_to_be_replaced(
    server: str, request: pytest.FixtureRequest, where: tuple[str, ...]
) -> None:
    url = request.getfixturevalue(server)()
    execute(url, "CREATE TABLE good (a INT PRIMARY KEY)", "INSERT INTO good VALUES (3)")
    execute(url, "CREATE TABLE bad (a INT, CONSTRAINT mine FOREIGN KEY (a) REFERENCES good (a))")
    execute(url, "INSERT INTO bad VALUES (3)")
    run = imported(url, where, "TABLE_EXISTS_ACTION=REPLACE")
    assert run.code == 5, run.err
    assert f'ORA-39083: Object type TABLE:"{schema_of(url)}"."good" failed to drop with error' in run.out
    assert scalar(url, "SELECT sum(good.a) FROM good JOIN bad ON good.a = bad.a") == 3


@pytest.mark.parametrize("action", ["SKIP", "APPEND", "TRUNCATE", "REPLACE"])
def test_the_plan_and_the_job_agree(target: str, where: tuple[str, ...], action: str) -> None:
    execute(target, "CREATE TABLE bad (a INT)", "CREATE INDEX bad_a ON bad (a)", "INSERT INTO bad VALUES (7)")
    options = (*where, f"REMAP_SCHEMA=main:{schema_of(target)}", f"TABLE_EXISTS_ACTION={action}")
    planned = json.loads(pump("plan", "impdp", target, *options, "--json").out)
    run = pump("impdp", target, *options)
    assert planned["existing"] == []
    assert planned["objects"] == {"TABLE/TABLE": 1}
    assert tables_of(target, schema_of(target)) == ["bad", "good"]
    told = [loss.rpartition(" [")[2][:-1] for loss in run.losses]
    assert sorted(told) == sorted(loss["rule"] for loss in planned["losses"])
    assert sum(line.count("ORA-") for line in run.out.splitlines() if "39152" not in line and "39153" not in line) == 1


def test_nothing_is_said_of_names_in_the_table_that_stays(
    sqlite_file: Callable[..., str], mysql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file("source.db"), mysql()
    execute(source, "CREATE TABLE bad (a INT PRIMARY KEY)", "INSERT INTO bad VALUES (1), ('abc')")
    execute(source, 'CREATE INDEX "PRIMARY" ON bad (a)')
    files = (f"DIRECTORY={tmp_path}", "DUMPFILE=part.dmp", "NOLOGFILE=YES")
    assert pump("expdp", source, *files).code == 5
    execute(target, "CREATE TABLE bad (a INT)")
    run = imported(target, files, "TABLE_EXISTS_ACTION=REPLACE")
    assert [loss for loss in run.losses if "[index-name]" in loss] == []


def test_a_plan_says_so(where: tuple[str, ...], sqlite_file: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "impdp", sqlite_file("target.db"), *where])
    assert "MIG-20004" in capsys.readouterr().out


def test_its_rows_can_be_left_out(target: str, where: tuple[str, ...]) -> None:
    run = imported(target, where, "EXCLUDE=TABLE_DATA:\"= 'bad'\"")
    assert run.code == 0, run.out + run.err
    assert scalar(target, "SELECT count(*) FROM bad") == 0
