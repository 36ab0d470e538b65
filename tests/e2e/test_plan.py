"""``migrator plan``: the job's own choices, told beforehand, and nothing done."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from migrator.cli import main
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.rows import tables_of
from tests.support.sql import execute, rows


def plan(client: str, url: str, *arguments: str) -> Run:
    """Run ``migrator plan client url arguments`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["plan", client, url, *arguments])
    return Run(code, out.getvalue(), err.getvalue())


def planned(client: str, url: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    """A plan as JSON."""
    run = plan(client, url, *arguments, "--json")
    assert run.code == code, run.err
    found: dict[str, Any] = json.loads(run.out)
    return found


def methods(plan_: dict[str, Any]) -> dict[str, str]:
    return {table["table"]: table["method"] for table in plan_["tables"]}


def used(run: Run) -> dict[str, str]:
    """The methods that a job's log says it used."""
    return dict(re.findall(r'ported "[^"]*"\."(.*?)"\s.* using (\w+)$', run.out, re.MULTILINE))


def files(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


def prepared(url: str) -> None:
    """Tables that were there: one with a key, one with a trigger's place left free, one without anything."""
    execute(
        url,
        "CREATE TABLE keyed (id integer PRIMARY KEY, v integer)",
        "CREATE TABLE plain (id integer, v integer)",
        "INSERT INTO keyed VALUES (100, 1)",
    )


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    url = sqlite_file("source.db")
    execute(
        url,
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, v INTEGER)",
        "CREATE TABLE plain (id INTEGER, v INTEGER)",
        "CREATE TABLE new (id INTEGER, v INTEGER)",
        *[f"INSERT INTO {table} VALUES (1, 10), (2, 20)" for table in ("keyed", "plain", "new")],
    )
    return url


@pytest.fixture
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_file")("target.db"))
    return str(request.getfixturevalue(request.param)())


every_target = pytest.mark.parametrize("target", ["sqlite", "postgresql", "mysql"], indirect=True)


def test_a_plan_of_an_export_writes_nothing_and_chooses_as_the_export_then_does(source: str, tmp_path: Path) -> None:
    before = files(tmp_path)
    arguments = (f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp", "METRICS=YES", "QUERY=plain:WHERE v > 10")
    found = planned("expdp", source, *arguments)
    assert files(tmp_path) == before
    assert methods(found) == {"keyed": "direct_path", "plain": "external_table", "new": "direct_path"}
    assert methods(found) == used(done(pump("expdp", source, *arguments)))


@every_target
def test_a_plan_of_an_import_writes_nothing_and_chooses_as_the_import_then_does(
    source: str, target: str, tmp_path: Path
) -> None:
    place = tmp_path / "dumps"
    place.mkdir()
    done(pump("expdp", source, f"DIRECTORY={place}", "DUMPFILE=x.dmp", "NOLOGFILE=YES"))
    prepared(target)
    before, tables = files(place), tables_of(target)
    arguments = (f"DIRECTORY={place}", "DUMPFILE=x.dmp", "METRICS=YES", "TABLE_EXISTS_ACTION=APPEND", remap(source, target))
    found = planned("impdp", target, *arguments)
    assert (files(place), tables_of(target)) == (before, tables)
    assert rows(target, "SELECT id FROM keyed") == [(100,)]
    assert methods(found) == {"keyed": "external_table", "plain": "direct_path", "new": "direct_path"}
    run = pump("impdp", target, *arguments)
    assert methods(found) == used(run)
    assert rows(target, "SELECT id FROM keyed ORDER BY id") == [(1,), (2,), (100,)]


@every_target
def test_the_json_says_of_each_table_the_rule_what_lifts_it_and_how_much_it_is(
    source: str, target: str, tmp_path: Path
) -> None:
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp"))
    prepared(target)
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp", remap(source, target))
    found = planned("impdp", target, *where, "TABLE_EXISTS_ACTION=APPEND")
    (keyed,) = (table for table in found["tables"] if table["table"] == "keyed")
    assert keyed.pop("bytes") > 0
    assert keyed == {
        "schema": schema_of(target),
        "table": "keyed",
        "method": "external_table",
        "loaded_by": "",
        "reason": "the table was there before the job and has a unique index",
        "barred": [
            {
                "rule": "unique-index",
                "methods": ["direct_path"],
                "sentence": "the table was there before the job and has a unique index",
                "lift": "drop the index for the job, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
                "unknown": False,
            }
        ],
        "granules": 1,
        "rows": 2,
        "problem": "",
        "remark": "",
    }
    assert (found["operation"], found["mode"], found["estimated"]) == ("IMPORT", "FULL", False)
    assert found["objects"]["TABLE/TABLE"] == 1


def test_tables_that_take_no_rows_are_named_and_the_exit_code_is_the_jobs(
    source: str, sqlite_file: Callable[..., str]
) -> None:
    target = sqlite_file("target.db")
    execute(target, "CREATE TABLE keyed (id INTEGER PRIMARY KEY, v INTEGER)", "CREATE TABLE plain (id INTEGER)")
    link = f"NETWORK_LINK={source}"
    found = planned("impdp", target, link, "NOLOGFILE=YES", code=5)
    assert methods(found) == {"keyed": "", "plain": "", "new": "insert_as_select"}
    assert {table["loaded_by"] for table in found["tables"]} == {""}
    found = planned("impdp", target, link, "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND", code=5)
    problems = {table["table"]: table["problem"] for table in found["tables"] if table["problem"]}
    assert list(problems) == ["plain"]
    assert "has no such column" in problems["plain"]
    assert pump("impdp", target, link, "NOLOGFILE=YES").code == 5


def test_a_target_file_that_is_not_there_is_not_made(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    assert set(methods(planned("impdp", sqlite_file("none.db"), f"NETWORK_LINK={source}")).values()) == {"insert_as_select"}
    assert [path.name for path in tmp_path.iterdir()] == ["source.db"]


def test_a_plan_refuses_a_method_as_the_job_does(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    target = sqlite_file("target.db")
    prepared(target)
    arguments = (
        f"NETWORK_LINK={source}",
        "TABLE_EXISTS_ACTION=APPEND",
        "ACCESS_METHOD=DIRECT_PATH",
        f"DIRECTORY={tmp_path}",
    )
    refused = plan("impdp", target, *arguments)
    assert refused.code == 1
    assert refused.err == pump("impdp", target, *arguments).err
    assert "ORA-31696" in refused.err


def test_every_table_that_a_method_is_refused_for_is_named(source: str, sqlite_file: Callable[..., str]) -> None:
    target = sqlite_file("target.db")
    prepared(target)
    execute(target, "CREATE UNIQUE INDEX plain_id ON plain (id)")
    link = (f"NETWORK_LINK={source}", "TABLE_EXISTS_ACTION=APPEND", "NOLOGFILE=YES")
    refused = pump("impdp", target, *link, "ACCESS_METHOD=DIRECT_PATH")
    assert refused.code == 1
    assert 'TABLE_DATA:"main"."keyed"' in refused.err
    assert '; 1 more refused: "main"."plain")' in refused.err


def test_the_table_shows_method_reason_and_what_lifts_it(source: str, tmp_path: Path) -> None:
    run = plan("expdp", source, f"DIRECTORY={tmp_path}", "QUERY=plain:WHERE v > 10")
    assert run.code == 0
    (line,) = (line for line in run.out.splitlines() if '"main"."plain"' in line)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert "about rows" in run.out, "they are the source's estimate"
    assert cells[3:] == ["1", "external_table", "QUERY chooses among the table's rows", "leave QUERY out for the table"]


def test_a_plan_of_a_script_lists_objects_and_losses(source: str, tmp_path: Path) -> None:
    execute(source, "CREATE TABLE texts (t TEXT NOT NULL)")
    found = planned("impdp", "oracle:", f"NETWORK_LINK={source}", "SQLFILE=x.sql", f"DIRECTORY={tmp_path}")
    assert found["tables"] == []
    assert found["objects"]["TABLE/TABLE"] == 4
    assert any(loss["rule"] == "oracle-empty-string" for loss in found["losses"])
    assert [path.name for path in tmp_path.iterdir()] == ["source.db"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan"], "'plan' is no command"),
        (["plan", "jobs"], "'plan jobs' is no command"),
        (["plan", "expdp", "sqlite:///x.db", "FORMAT=YAML"], "'FORMAT': YAML is neither JSON nor TABLE"),
        (["verify", "sqlite:///x.db", "--format=xml"], "FORMAT=JSON (or --json) prints JSON, FORMAT=TABLE"),
        (["plan", "expdp", "sqlite:///x.db", "ATTACH=j"], "ATTACH starts no job"),
        (["plan", "impdp", "sqlite:///x.db", "MASTER_ONLY=YES"], "MASTER_ONLY=YES moves neither objects nor rows"),
    ],
)
def test_what_is_no_job_has_no_plan(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert said in capsys.readouterr().err
