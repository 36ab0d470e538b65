"""A plan and its job, run one after the other: they name the same methods, the same errors and the same exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap
from tests.support.sql import execute

Where = Callable[..., str]

SOURCE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)",
    "CREATE TABLE log (id INTEGER)",
    "CREATE TRIGGER logging AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END",
    "INSERT INTO t VALUES (1, 10), (2, 20)",
    "DELETE FROM log",
)

KEYED = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"
LOG = "CREATE TABLE log (id INTEGER)"
SITUATIONS: dict[str, tuple[str, ...]] = {
    "missing": (),
    "as it is at the source": SOURCE[:3],
    "without a key": ("CREATE TABLE t (id INTEGER, v INTEGER)",),
    "with another type": ("CREATE TABLE t (id INTEGER, v TEXT)",),
    "without a column": (KEYED.replace(", v INTEGER", ""),),
    "with a trigger": (KEYED, LOG, SOURCE[2].replace("logging", "another")),
    "referred to": (KEYED, "CREATE TABLE mine (t INTEGER REFERENCES t (id))"),
}
ACTIONS = ("SKIP", "APPEND", "TRUNCATE", "REPLACE")
CONTENTS = ("ALL", "DATA_ONLY", "METADATA_ONLY")
MOST = [
    *product(SITUATIONS, ACTIONS, ["ALL"]),
    *product(["missing", "as it is at the source", "without a column"], ACTIONS, CONTENTS[1:]),
]
BESIDES = {"ORA-31693", "ORA-02354", "ORA-39083", "ORA-39152", "ORA-39153", "MIG-30001"}
"""Codes of the log's lines before an error, or about none, and of what the database itself says."""


def codes(text: str) -> set[str]:
    return set(re.findall(r"(?:ORA|UDI|MIG)-[0-9]+", text)) - BESIDES


def planned(url: str, *arguments: str) -> tuple[int, set[str], dict[str, str]]:
    """What a plan says: the exit code, the codes of errors, and the tables' methods."""
    run = pump("plan", "impdp", url, *arguments, "--json")
    if run.code == 1:
        return run.code, codes(run.err), {}
    found = json.loads(run.out)
    there = {"ORA-39151" if label.startswith("TABLE:") else "ORA-31684" for label in found["existing"]}
    problems = codes(" ".join(table["problem"] for table in found["tables"]))
    return run.code, there | problems, {one["table"]: one["method"] for one in found["tables"] if one["method"]}


def job(url: str, *arguments: str) -> tuple[int, set[str], dict[str, str]]:
    """What its job does."""
    run = pump("impdp", url, *arguments, "METRICS=YES")
    used = re.findall(r'imported "[^"]*"\."(.*?)"\s.* using (\w+)$', run.out, re.MULTILINE)
    return run.code, codes(run.err if run.code == 1 else run.out), dict(used)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A dump file set of the source, as arguments, and the source."""
    place = tmp_path_factory.mktemp("dump")
    url = f"sqlite:///{place}/source.db"
    execute(url, *SOURCE)
    arguments = (f"DIRECTORY={place}", "DUMPFILE=x.dmp", "NOLOGFILE=YES")
    done(pump("expdp", url, *arguments))
    return url, f"DIRECTORY={place}"


@pytest.mark.parametrize(("situation", "action", "content"), MOST)
def test_they_agree_about_a_dump_file_set(
    dump: tuple[str, str], sqlite_file: Where, situation: str, action: str, content: str
) -> None:
    target = sqlite_file("target.db")
    execute(target, *SITUATIONS[situation])
    arguments = (dump[1], "DUMPFILE=x.dmp", "NOLOGFILE=YES", f"TABLE_EXISTS_ACTION={action}", f"CONTENT={content}")
    assert planned(target, *arguments) == job(target, *arguments)


@pytest.mark.parametrize(("action", "method"), [*product(ACTIONS, ("AUTOMATIC", "DIRECT_PATH"))])
@pytest.mark.parametrize("situation", ["as it is at the source", "with another type"])
def test_they_agree_about_a_link(
    dump: tuple[str, str], sqlite_file: Where, situation: str, action: str, method: str
) -> None:
    target = sqlite_file("target.db")
    execute(target, *SITUATIONS[situation])
    link = (f"NETWORK_LINK={dump[0]}", "NOLOGFILE=YES", f"TABLE_EXISTS_ACTION={action}", f"ACCESS_METHOD={method}")
    assert planned(target, *link) == job(target, *link)


@pytest.mark.parametrize(("action", "content"), [("SKIP", "ALL"), ("REPLACE", "METADATA_ONLY"), ("APPEND", "DATA_ONLY")])
def test_they_agree_about_a_view_of_a_tables_name(
    dump: tuple[str, str], sqlite_file: Where, action: str, content: str
) -> None:
    target = sqlite_file("target.db")
    execute(target, "CREATE VIEW t AS SELECT 1 AS id, 2 AS v")
    arguments = (dump[1], "DUMPFILE=x.dmp", "NOLOGFILE=YES", f"TABLE_EXISTS_ACTION={action}", f"CONTENT={content}")
    code, errors, methods = planned(target, *arguments)
    assert (code, methods) == job(target, *arguments)[::2]
    assert (code, len(errors)) == (5, 1)


def test_they_agree_about_a_set_without_rows(dump: tuple[str, str], sqlite_file: Where, tmp_path: Path) -> None:
    set_ = (f"DIRECTORY={tmp_path}", "DUMPFILE=bare.dmp", "NOLOGFILE=YES")
    done(pump("expdp", dump[0], *set_, "CONTENT=METADATA_ONLY"))
    target = sqlite_file("target.db")
    execute(target, *SITUATIONS["without a column"])
    code, errors, _ = planned(target, *set_, "TABLE_EXISTS_ACTION=APPEND")
    assert (code, errors, {}) == job(target, *set_, "TABLE_EXISTS_ACTION=APPEND")


ON_A_SERVER = {
    "a disabled unique index": (
        "CREATE UNIQUE INDEX i ON t (id)",
        "UPDATE pg_index SET indisvalid = false FROM pg_class WHERE oid = indexrelid AND relname = 'i'",
    ),
    "a rule": ("CREATE TABLE log (id integer)", "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.id)"),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("situation", ON_A_SERVER)
def test_they_agree_about_what_a_replaced_table_had(
    postgresql: Callable[[], str], dump: tuple[str, str], situation: str, action: str
) -> None:
    target = postgresql()
    execute(target, "CREATE TABLE t (id integer, v integer)", *ON_A_SERVER[situation])
    arguments = (dump[1], "DUMPFILE=x.dmp", "NOLOGFILE=YES", "TABLES=t", remap(dump[0], target))
    found = planned(target, *arguments, f"TABLE_EXISTS_ACTION={action}")
    assert found == job(target, *arguments, f"TABLE_EXISTS_ACTION={action}")
    assert found[2] == {"t": "direct_path"} or action != "REPLACE"


def test_a_plan_says_what_would_let_a_table_be_loaded_that_no_method_may_load(
    postgresql: Callable[[], str], dump: tuple[str, str]
) -> None:
    target = postgresql()
    execute(target, "CREATE TABLE t (id integer, v integer)", *ON_A_SERVER["a disabled unique index"])
    where = (dump[1], "DUMPFILE=x.dmp", "NOLOGFILE=YES", "TABLES=t", remap(dump[0], target))
    run = pump("plan", "impdp", target, *where, "TABLE_EXISTS_ACTION=APPEND", "--json")
    (table,) = json.loads(run.out)["tables"]
    assert run.code == 5
    lifts = {bar["rule"]: bar["lift"] for bar in table["barred"]}
    assert lifts["disabled-unique-index"] == "build the index anew, or drop it"
