"""PROFILE: what the rows of each database prove, found on real servers by planted values, one of each kind and one not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrator.adapter import Adapter, Read, load_adapter
from migrator.errors import DatabaseError
from tests.e2e.test_plan import plan, planned
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, is_mariadb, tells_json
from tests.support.sql import rows as shown

Fresh = Callable[..., str]


def profiled(source: str, target: str, *arguments: str) -> dict[str, Any]:
    """The plan of an import, with its profile; its exit code is that of a job which meets what was found."""
    run = plan("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "PROFILE=YES", *arguments, "--json")
    assert run.err == ""
    found: dict[str, Any] = json.loads(run.out)
    told = [one for table in found["profile"] for one in table["findings"] if one["action"] != "convert"]
    assert run.code == (5 if told else 0)
    return found


def tables(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {table["table"]: table for table in found["profile"]}


def facts(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Per column what its values are, without what says nothing."""
    return {column["name"]: column["facts"] for column in table["columns"]}


def findings(table: dict[str, Any]) -> dict[tuple[str | None, str], int]:
    return {(one["column"], one["case"]): one["rows"] for one in table["findings"]}


def suggestions(table: dict[str, Any]) -> dict[str, str]:
    return {one["column"]: one["declared"] or one["type"] for one in table["suggestions"]}


UUID = "123e4567-e89b-12d3-a456-42661417400"

# --- types that the values prove ------------------------------------------------------------------------------------

COLUMNS = (
    "id integer PRIMARY KEY, yes {small}, no {small}, whole {decimal}, cents {decimal}, "
    "days {timestamp}, times {timestamp}, uuids {text}, texts {text}, documents {text}, words {text}"
)
VALUES = (
    "(1, 0, 0, -7, 1.5, '2024-02-29 00:00:00', '2024-02-29 00:00:00', '{uuid}0', '{uuid}0', '{{\"a\": 1}}', '[1]')",
    "(2, 1, 2, 70000, 2, '1999-12-31 00:00:00', '1999-12-31 00:00:01', '{uuid}f', '{uuid}F', ' [2]', '{{a: 1}}')",
    "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
)
WORDS = {
    "sqlite": {"small": "INTEGER", "decimal": "DECIMAL(10,2)", "timestamp": "DATETIME", "text": "TEXT"},
    "postgresql": {"small": "smallint", "decimal": "numeric(10,2)", "timestamp": "timestamp", "text": "text"},
    "mysql": {"small": "TINYINT", "decimal": "DECIMAL(10,2)", "timestamp": "DATETIME", "text": "TEXT"},
}


@pytest.fixture
def fresh(sqlite_file: Fresh, postgresql: Fresh, mysql: Fresh) -> Callable[[str], str]:
    """Gives new databases of each kind."""
    numbers = iter(range(100))
    makers: dict[str, Fresh] = {"postgresql": postgresql, "mysql": mysql}
    return lambda kind: makers[kind]() if kind in makers else sqlite_file(f"{next(numbers)}.db")


@pytest.mark.parametrize(
    ("here", "there", "declared"),
    [
        ("sqlite", "postgresql", ["boolean", "integer", "date", "uuid", "json"]),
        ("postgresql", "mysql", ["tinyint(1)", "int", "date", "uuid", "json"]),
        ("mysql", "postgresql", ["boolean", "integer", "date", "uuid", "json"]),
    ],
)
def test_types_are_suggested_for_the_columns_whose_values_prove_them_and_for_no_other(
    fresh: Callable[[str], str], here: str, there: str, declared: list[str]
) -> None:
    source, target = fresh(here), fresh(there)
    values = ", ".join(VALUES).format(uuid=UUID)
    execute(source, f"CREATE TABLE t ({COLUMNS.format(**WORDS[here])})", f"INSERT INTO t VALUES {values}")
    (table,) = profiled(source, target)["profile"]
    assert (table["rows"], table["queries"], table["problem"]) == (3, 1, "")
    expected = dict(zip(["yes", "whole", "days", "uuids", "documents"], declared, strict=True))
    if there == "mysql" and not is_mariadb(target):
        expected["uuids"] = "char(36) character set ascii"
    if not tells_json(source):
        del expected["documents"]
    assert suggestions(table) == expected
    assert findings(table) == {}
    found = facts(table)
    assert {name: found[name]["nulls"] for name in ("id", "yes", "texts")} == {"id": 0, "yes": 1, "texts": 1}
    assert [found[name]["not_boolean"] for name in ("yes", "no", "whole")] == [0, 1, 2]
    assert [found[name]["scale"] for name in ("whole", "cents")] == [0, 1]
    assert [float(found["whole"][name]) for name in ("least", "most")] == [-7, 70000]
    assert [found[name]["timed"] for name in ("days", "times")] == [0, 1]
    assert [found[name]["not_uuid"] for name in ("uuids", "texts", "words")] == [0, 1, 2]
    not_json = [found[name].get("not_json") for name in ("documents", "words", "texts")]
    assert not_json == ([0, 1, 2] if tells_json(source) else [None] * 3)
    assert (found["uuids"]["characters"], found["uuids"]["bytes"], found["uuids"]["empty"]) == (36, 36, 0)
    (whole,) = (one for one in table["suggestions"] if one["column"] == "whole")
    assert (whole["rule"], whole["values"]) == ("integer", 2)
    assert whole["proof"].startswith("each of 2 values is whole, from -7")


DOCUMENT = f"""'{json.dumps({"a": 40 * "x"})}'"""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The columns of each read of a table of SQLite, as a load would read it."""
    found: list[list[str]] = []
    adapter = type(load_adapter("sqlite"))
    batches = adapter.batches

    def reading(self: Adapter, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        found.append([column.name for column in read.columns])
        return batches(self, connection, read)

    monkeypatch.setattr(adapter, "batches", reading)
    return found


def test_documents_are_read_together_and_wrong_bytes_suggest_nothing(
    sqlite_file: Fresh, postgresql: Fresh, reads: list[list[str]]
) -> None:
    source = sqlite_file("s.db")
    execute(source, "CREATE TABLE t (a TEXT, b TEXT, c TEXT)", f"INSERT INTO t VALUES ({DOCUMENT}, {DOCUMENT}, {DOCUMENT})")
    assert sorted(suggestions(tables(profiled(source, postgresql()))["t"])) == ["a", "b", "c"]
    assert reads == [["a", "b", "c"]]
    reads.clear()
    execute(source, "UPDATE t SET b = CAST(X'7B2261223A22' || X'FF' || X'227D' AS TEXT)")
    assert sorted(suggestions(tables(profiled(source, postgresql()))["t"])) == ["a", "c"]
    assert reads == [["a", "b", "c"], ["a"], ["b"], ["c"]]


def test_documents_that_could_not_be_read_are_named(
    sqlite_file: Fresh, postgresql: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = sqlite_file("s.db"), postgresql()
    execute(source, "CREATE TABLE t (n INTEGER, a TEXT)", f"INSERT INTO t VALUES (1, {DOCUMENT})")

    def locked(self: Adapter, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        raise DatabaseError(detail="canceling statement due to lock timeout")

    monkeypatch.setattr(type(load_adapter("sqlite")), "batches", locked)
    run = plan("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "PROFILE=YES", "--json")
    table = tables(json.loads(run.out))["t"]
    assert run.code == 5
    assert suggestions(table) == {"n": "boolean"}
    assert [why.partition(": ")[0] for why in table["unread"]] == ["the documents of a could not be looked at"]
    assert "lock timeout" in table["unread"][0]


def test_an_export_has_facts_and_suggestions_and_postgresql_12_to_15_cannot_tell_json(postgresql: Fresh) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE TABLE t (n numeric, x numeric, d date, f float8, b bytea, s varchar(10))",
        "INSERT INTO t VALUES (100.50, 'NaN', 'infinity', 'Infinity', '\\x00ff', ''), "
        "(-2, 3, '0044-03-15 BC', 1.5, NULL, 'żó')",
    )
    (table,) = planned("expdp", source, "PROFILE=YES")["profile"]
    found = facts(table)
    assert suggestions(table) == {"n": "decimal(4,1)"}
    assert {name: found["n"][name] for name in ("least", "most", "scale", "no_number")} == {
        "least": "-2",
        "most": "100.50",
        "scale": 1,
        "no_number": 0,
    }
    assert (found["x"]["no_number"], found["x"]["most"]) == (1, "3")
    assert found["d"]["least"] == found["d"]["most"] == "0044-03-15 BC"
    assert (found["f"]["no_number"], found["f"]["most"], found["b"]["bytes"]) == (1, "1.5", 2)
    assert (found["s"]["empty"], found["s"]["characters"], found["s"]["bytes"]) == (1, 2, 4)
    assert "not_json" not in found["s"]  # it has no room for a document
    assert table["findings"] == []


# --- values without a place -----------------------------------------------------------------------------------------

MYSQL_ODDITIES = (
    "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME(3), ts TIMESTAMP NULL, s VARCHAR(9), l TEXT CHARSET latin1, "
    "big BIGINT UNSIGNED, m DECIMAL(9,3))",
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
    "INSERT INTO t VALUES (1, '2024-02-29', '2024-02-29 12:00:00.125', '2024-02-29 12:00:00', 'x', 'é', 5, 1.5), "
    "(2, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 'a\0b', '\0', 18446744073709551615, 2), "
    "(3, '2023-02-29', '2024-04-31 00:00:00', NULL, '\0\0', NULL, NULL, NULL), "
    "(4, '2024-00-10', '0000-00-00 00:00:01', NULL, '', '', 0, 3.125), "
    "(5, '1900-02-29', '2000-02-29', NULL, NULL, NULL, 1, 4)",
)


def test_the_values_of_mysql_that_postgresql_has_no_place_for_are_counted_before_any_is_moved(
    mysql: Fresh, postgresql: Fresh
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *MYSQL_ODDITIES)
    (table,) = profiled(source, target)["profile"]
    assert findings(table) == {
        ("d", "zero_date"): 1,
        ("d", "partial_date"): 3,
        ("dt", "zero_date"): 1,
        ("dt", "partial_date"): 2,
        ("ts", "zero_date"): 1,
        ("s", "nul_byte"): 2,
        ("l", "nul_byte"): 1,
    }
    assert {one["action"] for one in table["findings"]} == {"refuse"}
    assert facts(table)["d"]["least"] == facts(table)["d"]["most"] == "2024-02-29"
    assert facts(table)["big"]["most"] == "18446744073709551615"
    assert facts(table)["l"]["bytes"] == 2


def test_a_plan_counts_what_policy_then_changes(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(source, *MYSQL_ODDITIES)
    settings = ("POLICY=zero_date=convert,partial_date=warn,nul_byte=convert", "NOLOGFILE=YES")
    told = {
        (loss["column"], loss["rule"], loss["policy"]): loss["rows"]
        for loss in profiled(source, target, *settings)["losses"]
    }
    wanted = {key: rows for key, rows in told.items() if key[2] is not None}
    assert len(wanted) == 7
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *settings)
    assert run.code == 5  # a warning is an error of the job
    for (column, rule, _), rows in wanted.items():
        entry = f'TABLE:"public"."t"."{column}": '
        (line,) = (line for line in run.losses if line.startswith(entry) and line.endswith(f"[{rule}]"))
        assert f"({rows} row" in line


def test_the_values_of_postgresql_that_mysql_has_no_place_for_are_counted(postgresql: Fresh, mysql: Fresh) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, d date, ts timestamp, f float8, n numeric, p numeric(5,2), i interval)",
        "INSERT INTO t VALUES (1, '2024-02-29', '2024-02-29 12:00', 1.5, 1.5, 9, '1 month'), "
        "(2, 'infinity', '-infinity', 'NaN', 'NaN', 'NaN', NULL), "
        "(3, '10000-01-01', '0044-03-15 BC', 'Infinity', 1e40, 1, '1 s'), "
        "(4, NULL, NULL, '-Infinity', 1e-31, NULL, '2 s')",
    )
    found = profiled(source, target)
    (table,) = found["profile"]
    assert findings(table) == {
        ("d", "infinity"): 1,
        ("d", "out_of_range"): 1,
        ("ts", "infinity"): 1,
        ("ts", "out_of_range"): 1,
        ("f", "infinity"): 2,
        ("f", "nan"): 1,
        ("n", "nan"): 1,
        ("n", "fraction"): 1,
        ("n", "out_of_range"): 1,
        ("p", "nan"): 1,
    }
    assert [loss["rows"] for loss in found["losses"] if loss["column"] == "i" and loss["each"]] == [3]


def test_the_columns_of_a_table_that_is_there_decide(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, target = sqlite_file(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r DECIMAL(9,2), s TEXT, ts DATETIME, j TEXT)",
        "INSERT INTO t VALUES (1, 32767, 1.5, 'abcde', '2024-01-01 00:00:00.125', '{\"a\": \"\\\\u0000\"}'), "
        "(2, 32768, 2, 'abcdef', '2024-01-01 00:00:00.120', '{\"a\": \"\\u0000\"}'), "
        "(3, -32769, 999.99, 'a' || char(0), '2024-01-01 00:00:00.1', '[]'), (4, NULL, NULL, NULL, NULL, NULL)",
    )
    execute(target, "CREATE TABLE t (id bigint, n smallint, r numeric(3,0), s varchar(5), ts timestamp(2), j jsonb, u text)")
    found = profiled(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert findings(tables(found)["t"]) == {
        ("n", "out_of_range"): 2,
        ("r", "fraction"): 2,
        ("s", "nul_byte"): 1,
        ("s", "too_long"): 1,
        ("ts", "fraction"): 1,
        ("j", "nul_byte"): 1,
    }


def test_what_is_no_number_in_sqlite_shows_by_its_storage_class(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, target = sqlite_file(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mixed INTEGER, f REAL, b BLOB)",
        "INSERT INTO t VALUES (1, 5, 9e999, x'00'), (2, 'lots', 0.5, x'0000'), (3, x'01', NULL, NULL), (4, 1.5, -2, 'text')",
    )
    found = facts(tables(profiled(source, target))["t"])
    kinds = ("integers", "reals", "texts", "blobs", "nulls")
    assert [found["mixed"][kind] for kind in kinds] == [1, 1, 1, 1, 0]
    assert [found["b"][kind] for kind in kinds] == [0, 0, 1, 2, 1]
    assert (found["f"]["no_number"], found["f"]["least"], found["f"]["most"]) == (1, "-2.0", "0.5")


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_rows_whose_foreign_key_refers_to_nothing_are_counted(
    fresh: Callable[[str], str], postgresql: Fresh, kind: str
) -> None:
    source, target = fresh(kind), postgresql()
    off = "PRAGMA foreign_keys = OFF" if kind == "sqlite" else "SET foreign_key_checks = 0"
    execute(
        source,
        "CREATE TABLE p (a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
        "CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, CONSTRAINT k FOREIGN KEY (a, b) REFERENCES p (a, b))",
        off,
        "INSERT INTO p VALUES (1, 1), (2, 2)",
        "INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, NULL, 7), (4, 9, 9)",
    )
    found = tables(profiled(source, target))
    assert findings(found["c"]) == {("a, b", "orphans"): 2}
    assert [one["examples"] for one in found["c"]["findings"]] == [[{"id": "2"}, {"id": "4"}]]
    assert findings(found["p"]) == {}
    filtered = tables(profiled(source, target, "QUERY=p:WHERE a > 1 -- not the first"))
    assert findings(filtered["c"]) == {("a, b", "orphans"): 3}
    exported = tables(planned("expdp", source, "PROFILE=YES"))
    assert findings(exported["c"]) == {("a, b", "orphans"): 2}


def test_all_rows_that_refer_to_a_table_or_a_column_that_is_not_there_refer_to_nothing(
    sqlite_file: Fresh, postgresql: Fresh
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(
        source,
        "PRAGMA foreign_keys = OFF",
        "CREATE TABLE p (a INTEGER PRIMARY KEY)",
        "CREATE TABLE c (a INTEGER REFERENCES nowhere (a), b INTEGER REFERENCES nowhere, c TEXT REFERENCES p (missing))",
        "INSERT INTO c VALUES (1, 1, 'missing'), (2, NULL, NULL), (NULL, NULL, 'x')",
    )
    expected = {("a", "orphans"): 2, ("b", "orphans"): 1, ("c", "orphans"): 2}
    assert findings(tables(profiled(source, target))["c"]) == expected
    assert findings(tables(planned("expdp", source, "PROFILE=YES"))["c"]) == expected


def test_a_value_refers_to_what_sqlite_finds_by_the_affinity_of_its_parent(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, target = sqlite_file(), postgresql()
    execute(
        source,
        "CREATE TABLE p (a TEXT PRIMARY KEY)",
        "CREATE TABLE c (a INTEGER REFERENCES p (a))",
        "INSERT INTO p VALUES ('01'), ('2')",
        "INSERT INTO c VALUES (1), (2)",
    )
    assert shown(source, "SELECT count(*) FROM pragma_foreign_key_check('c')") == [(1,)]
    assert findings(tables(profiled(source, target))["c"]) == {("a", "orphans"): 1}


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_a_text_that_is_spelled_otherwise_refers_to_nothing_where_every_character_counts(
    fresh: Callable[[str], str], postgresql: Fresh, kind: str
) -> None:
    source, target, back = fresh(kind), postgresql(), fresh(kind)
    text = "TEXT COLLATE NOCASE" if kind == "sqlite" else "VARCHAR(9) COLLATE utf8mb4_general_ci"
    execute(
        source,
        f"CREATE TABLE p (a {text} NOT NULL, PRIMARY KEY (a))",
        f"CREATE TABLE c (id INTEGER PRIMARY KEY, a {text}, FOREIGN KEY (a) REFERENCES p (a))",
        "INSERT INTO p VALUES ('A'), ('b')",
        "INSERT INTO c VALUES (1, 'a'), (2, 'b'), (3, NULL)",
    )
    assert findings(tables(profiled(source, target))["c"]) == {("a", "orphans"): 1}
    assert findings(tables(profiled(source, back))["c"]) == {}


def test_rows_that_a_key_of_the_target_holds_for_equal_are_counted(postgresql: Fresh, mysql: Fresh) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        'CREATE TABLE t (id integer PRIMARY KEY, code varchar(9) UNIQUE, "a %s" integer)',
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'A', 1), (3, 'a ', NULL), (4, 'b', NULL), (5, NULL, 2)",
    )
    new = tables(profiled(source, target))
    assert findings(new["t"]) == {}
    execute(
        target,
        "CREATE TABLE t (id INT PRIMARY KEY, code VARCHAR(9) COLLATE utf8mb4_general_ci, `a %s` INT, "
        "UNIQUE codes (code), UNIQUE numbers (`a %s`), UNIQUE part (code(1)))",
    )
    there = tables(profiled(source, target, "TABLE_EXISTS_ACTION=APPEND"))
    assert findings(there["t"]) == {("code", "duplicates"): 3, ("a %s", "duplicates"): 2}
    details = {one["column"]: one["detail"] for one in there["t"]["findings"]}
    assert "unique codes at the target" in details["code"] or "unique index codes" in details["code"]


# --- scripts, trouble, words ----------------------------------------------------------------------------------------


def test_empty_texts_are_counted_for_oracle(sqlite_file: Fresh) -> None:
    source = sqlite_file()
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, must TEXT NOT NULL, may TEXT)",
        "INSERT INTO t VALUES (1, '', ''), (2, '', 'x'), (3, 'x', NULL)",
    )
    found = planned("impdp", "oracle:", f"NETWORK_LINK={source}", "SQLFILE=x.sql", "PROFILE=YES")
    assert findings(tables(found)["t"]) == {("must", "empty_text"): 2, ("may", "empty_text"): 1}
    counts = {loss["column"]: loss["rows"] for loss in found["losses"] if loss["rule"] == "oracle-empty-string"}
    assert counts == {"must": 2, None: None}


def test_a_table_that_cannot_be_read_is_named_and_the_others_are_profiled(postgresql: Fresh) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE TABLE good (v integer)",
        "CREATE TABLE bad (v integer)",
        "INSERT INTO good VALUES (1)",
    )
    asked = ("PROFILE=YES", "QUERY=bad:WHERE v / 0 = 1")
    execute(source, "INSERT INTO bad VALUES (1)")
    found = tables(planned("expdp", source, *asked, code=5))
    assert "division by zero" in found["bad"]["problem"]
    assert (found["good"]["rows"], found["good"]["problem"]) == (1, "")
    assert '"public"."bad": ' in plan("expdp", source, *asked).out.partition("Not profiled:")[2]


def test_a_key_that_could_not_be_looked_at_is_named_and_the_plan_is_not_a_clean_one(
    sqlite_file: Fresh, postgresql: Fresh
) -> None:
    """Which texts a key holds for equal, a temporary table tells: this user may not make one."""
    source, target, role = sqlite_file(), sa.make_url(postgresql()), "maker_of_no_tables"
    execute(source, "CREATE TABLE t (v TEXT)", "INSERT INTO t VALUES ('a')")
    execute(
        target,
        "CREATE TABLE t (v text UNIQUE)",
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT, INSERT ON t TO {role}",
        f'REVOKE TEMP ON DATABASE "{target.database}" FROM PUBLIC',
    )
    limited = target.set(username=role).render_as_string(hide_password=False)
    asked = (f"NETWORK_LINK={source}", remap(source, limited), "TABLE_EXISTS_ACTION=APPEND", "PROFILE=YES")
    try:
        found = tables(planned("impdp", limited, *asked, code=5))["t"]
        assert (found["findings"], found["remarks"], found["problem"]) == ([], [], "")
        (unread,) = found["unread"]
        assert "could not be looked at: " in unread
        assert "permission denied to create temporary tables" in unread
        assert f'"public"."t": {unread}' in plan("impdp", limited, *asked).out.partition("Not profiled:")[2]
    finally:
        execute(target, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_table_shows_columns_findings_and_suggestions(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(source, *MYSQL_ODDITIES, "CREATE TABLE u (yes TINYINT)", "INSERT INTO u VALUES (1), (0)")
    arguments = (f"NETWORK_LINK={source}", remap(source, target))
    run = plan("impdp", target, *arguments, "PROFILE=YES")
    assert run.code == 5, run.err
    (line,) = (line for line in run.out.splitlines() if '"public"."t"' in line and " dt " in line)
    assert "zero_date 1, partial_date 2" in line
    found = run.out.partition("Findings:")[2]
    assert '  "public"."t": d: 1 row: MySQL\'s date 0000-00-00' in found
    assert '  "public"."u": yes: boolean: each of 2 values is 0 or 1' in run.out.partition("values prove:")[2]
    unasked = plan("impdp", target, *arguments)
    assert "PROFILE" not in unasked.out
    assert "profile" not in planned("impdp", target, *arguments)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "impdp", "PROFILE=YES"), "PROFILE asks a database for its rows, and needs NETWORK_LINK"),
        (("plan", "expdp", "PROFILE=YES", "CONTENT=METADATA_ONLY"), "moves no rows, so PROFILE has no meaning"),
        (("plan", "expdp", "PROFILE=YES", "TRANSPORTABLE=ALWAYS", "FULL=YES"), "PROFILE has no meaning"),
        (("expdp", "PROFILE=YES"), "PROFILE=YES is for migrator plan"),
        (("verify", "PROFILE=YES", "NETWORK_LINK=sqlite:///x.db"), "PROFILE=YES is for migrator plan"),
    ],
)
def test_where_there_are_no_rows_to_look_at_profile_is_refused(
    words: tuple[str, ...], said: str, sqlite_file: Fresh, capsys: pytest.CaptureFixture[str]
) -> None:
    from migrator.cli import main

    url = sqlite_file()
    execute(url, "CREATE TABLE t (v INTEGER)")
    command, *rest = words
    place = [*rest[:1], url, *rest[1:]] if command == "plan" else [url, *rest]
    assert main([command, *place]) == 1
    assert said in capsys.readouterr().err


# --- databases that nobody here made --------------------------------------------------------------------------------


def test_the_oddities_of_mysql(oddities_mysql: Callable[[], str], postgresql: Fresh) -> None:
    found = tables(profiled(oddities_mysql(), postgresql()))
    assert not [table for table in found.values() if table["problem"] or table["remarks"]]
    assert {name: findings(table) for name, table in found.items() if table["findings"]} == {
        "events": {("created_at", "zero_date"): 1},
        "zero_dates_notnull": {("created_at", "zero_date"): 1, ("updated_at", "zero_date"): 1},
    }
    assert {name: suggestions(table) for name, table in found.items() if table["suggestions"]} == {
        "base64": {"id": "uuid"},
        "fcm_batches": dict.fromkeys(("success", "failed", "modified"), "boolean"),
        "flags": dict.fromkeys(("is_active", "is_visible"), "boolean"),
        "type_mapping_test": {"flag": "boolean"},
    }


def test_texts_in_a_column_of_integers_show(sample: Callable[[str], str]) -> None:
    found = facts(tables(planned("expdp", sample("oddities-type-mismatch.sqlite"), "PROFILE=YES"))["products"])
    kinds = ("integers", "reals", "texts", "blobs")
    assert [found["qty"][kind] for kind in kinds] == [2, 0, 1, 0]
    assert [found["name"][kind] for kind in kinds] == [0, 0, 3, 0]


def test_chinook_is_clean(sample: Callable[[str], str], postgresql: Fresh) -> None:
    found = tables(profiled(sample("chinook.sqlite"), postgresql()))
    assert {name: findings(table) for name, table in found.items() if table["findings"]} == {}
    assert {table["queries"] for table in found.values()} == {1}
    assert suggestions(found["Invoice"])["InvoiceDate"] == "date"
    assert facts(found["Track"])["Milliseconds"]["most"] == "5286953"


def test_a_profile_is_of_the_rows_that_the_job_moves(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, "CREATE TABLE t (v INTEGER)", "INSERT INTO t VALUES (1), (2), (3)")
    found = tables(profiled(source, target, "QUERY=t:WHERE v > 1", "NOLOGFILE=YES"))
    assert (found["t"]["rows"], facts(found["t"])["v"]["least"]) == (2, "2")
    run = done(
        pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "QUERY=t:WHERE v > 1", "NOLOGFILE=YES")
    )
    assert run.rows == {"t": 2}


def test_what_policy_cannot_change_and_what_rounding_brings_out_of_range_are_told_before(
    postgresql: Fresh, mysql: Fresh
) -> None:
    """35 nines before the point and 31 behind it: rounded to the 30 digits of MySQL's it has 36 before."""
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, f float8 NOT NULL, n numeric)",
        f"INSERT INTO t VALUES (1, 'NaN', 1), (2, 0, {'9' * 35}.{'9' * 31}), (3, 0, 1e40)",
    )
    found = tables(profiled(source, target, "POLICY=fraction=convert,nan=convert,out_of_range=convert"))["t"]
    told = {one["case"]: (one["rows"], one["action"]) for one in found["findings"]}
    assert told == {"nan": (1, "refuse"), "fraction": (1, "convert"), "out_of_range": (2, "convert")}
    execute(source, "UPDATE t SET f = 0")
    settings = ("POLICY=fraction=convert,out_of_range=convert", "NOLOGFILE=YES")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *settings))
    assert [loss for loss in run.losses if "values out of range became NULL (2 rows)" in loss], run.out
