"""POLICY: values that have no place at the target are refused, or changed and counted, whichever way they come."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.model.misfits import Misfit
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import Run, done, pump, remap
from tests.support.sql import execute, rows, scalar

Fresh = Callable[..., str]
TABLE = re.compile(r'TABLE:"[^"]*"\."t"\.')


@pytest.fixture
def fresh(sqlite_file: Fresh, postgresql: Fresh, mysql: Fresh) -> Callable[[str], str]:
    """Gives new databases of each kind."""
    numbers = iter(range(100))
    makers: dict[str, Fresh] = {"postgresql": postgresql, "mysql": mysql}
    return lambda kind: makers[kind]() if kind in makers else sqlite_file(f"{next(numbers)}.db")


def load(source: str, target: str, *arguments: str) -> Run:
    """Import from one database into another."""
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *arguments)


def told(run: Run, *rules: str) -> dict[str, str]:
    """The entries of the loss list with these rules, by what they are about in table ``t``."""
    found = [loss.rsplit(" [", 1) for loss in run.losses]
    kept = (TABLE.sub("", text) for text, rule in found if rule.removesuffix("]") in rules)
    return dict(text.split(": ", 1) for text in kept)


# --- zero dates, all the way ----------------------------------------------------------------------------------------

DATES = (
    "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME(3), ts TIMESTAMP NULL, s VARCHAR(20))",
    "SET SESSION sql_mode = ''",
    "INSERT INTO t VALUES (1, '2024-02-29', '2024-02-29 12:00:00.125', '2024-02-29 12:00:00', '0000-00-00'), "
    "(2, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 'x'), (3, NULL, NULL, NULL, NULL), "
    "(4, '0000-00-00', '1999-01-01', '0000-00-00 00:00:00', 'y')",
)
WITHOUT_ZEROS = [
    (1, "2024-02-29", "2024-02-29 12:00:00.125", "2024-02-29 12:00:00+00", "0000-00-00"),
    (2, None, None, None, "x"),
    (3, None, None, None, None),
    (4, None, "1999-01-01 00:00:00", None, "y"),
]
ZEROS = {
    '"d"': "zero dates became NULL (2 rows)",
    '"dt"': "zero dates became NULL (1 row)",
    '"ts"': "zero dates became NULL (2 rows)",
}
FOUND = "SELECT id, d::text, dt::text, ts::text, s FROM t ORDER BY id"


@pytest.mark.parametrize(("action", "code"), [("convert", 0), ("warn", 5)])
@pytest.mark.parametrize("method", ["DIRECT_PATH", "EXTERNAL_TABLE", "CONVENTIONAL_PATH"])
def test_zero_dates_become_null_by_every_access_method(
    mysql: Fresh, postgresql: Fresh, method: str, action: str, code: int
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    run = load(source, target, f"POLICY=zero_date={action}", f"ACCESS_METHOD={method}")
    assert run.code == code, run.out + run.err
    assert told(run, "zero-date") == ZEROS
    assert rows(target, FOUND) == WITHOUT_ZEROS
    assert ("completed with 3 error(s)" in run.out) == (action == "warn")


@pytest.mark.parametrize("settings", [(), ("POLICY=zero_date=refuse",), ("POLICY=nan=convert",)])
def test_zero_dates_are_refused_by_default(mysql: Fresh, postgresql: Fresh, settings: tuple[str, ...]) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    run = load(source, target, *settings)
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert "0000-00-00" in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 0


def test_a_dump_file_set_is_converted_as_a_link_is(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    where = (f"DIRECTORY={tmp_path}", remap(source, target), "NOLOGFILE=YES")
    run = done(pump("impdp", target, *where, "POLICY=zero_date=convert"))
    assert told(run, "zero-date") == ZEROS
    assert rows(target, FOUND) == WITHOUT_ZEROS


def test_what_policies_changed_is_verified_and_nothing_else(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    link, dump = (f"NETWORK_LINK={source}", remap(source, target)), (f"DIRECTORY={tmp_path}", remap(source, target))
    done(pump("impdp", target, *link, "NOLOGFILE=YES", "POLICY=zero_date=convert"))
    for where in (link, dump):
        done(pump("verify", target, *where, "POLICY=zero_date=convert"))
        without = pump("verify", target, *where)
        assert without.code == 5
        assert "2 changed" in without.out
    execute(target, "UPDATE t SET d = '2024-03-01' WHERE id = 4", "UPDATE t SET ts = NULL WHERE id = 1")
    for where in (link, dump):
        found = pump("verify", target, *where, "POLICY=zero_date=convert")
        assert found.code == 5
        assert "2 changed" in found.out


def test_null_is_not_put_where_it_may_not_be(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    make = "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL)"
    execute(source, make, "SET SESSION sql_mode = ''", "INSERT INTO t VALUES (1, '2024-01-01'), (2, '0000-00-00')")
    run = load(source, target, "POLICY=zero_date=convert")
    assert run.code == 5
    assert "column d: '0000-00-00' (zero_date) would become NULL, and the column is NOT NULL" in run.out
    assert told(run, "zero-date") == {}
    assert scalar(target, "SELECT count(*) FROM t") == 0


def test_rejected_rows_are_told_as_they_came_and_not_counted(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    """Of two rows with a zero date one breaks a constraint: it is in the reject file, the other in the loss list."""
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    execute(target, "CREATE TABLE t (id integer CHECK (id <> 4), d date, dt timestamp NOT NULL, ts timestamptz, s text)")
    link = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", "CONTENT=DATA_ONLY")
    run = pump("impdp", target, *link, "POLICY=zero_date=convert", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    assert run.code == 5
    lines = [json.loads(line) for line in (tmp_path / "import_rejects.ndjson").read_text().splitlines()]
    values = {line["values"]["id"]: (line["values"]["d"], line["reason"]) for line in lines if "values" in line}
    assert values.keys() == {"2", "3", "4"}
    assert values["4"][0] == "0000-00-00"
    assert values["2"] == (
        "0000-00-00",
        "column dt: '0000-00-00 00:00:00.000' (zero_date) would become NULL, and the column is NOT NULL",
    )
    assert rows(target, "SELECT id, d::text FROM t") == [(1, "2024-02-29")]
    assert told(run, "zero-date") == {}
    execute(target, "TRUNCATE t", "ALTER TABLE t ALTER dt DROP NOT NULL")
    run = pump("impdp", target, *link, "POLICY=zero_date=convert", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    assert told(run, "zero-date") == {
        '"d"': "zero dates became NULL (1 row)",
        '"dt"': "zero dates became NULL (1 row)",
        '"ts"': "zero dates became NULL (1 row)",
    }
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]


# --- each case on the databases that can produce it -----------------------------------------------------------------

CASES: list[tuple[str, str, str, tuple[str, ...], str, dict[str, str], list[tuple[Any, ...]]]] = [
    (
        "partial_date", "mysql", "postgresql",
        ("CREATE TABLE t (id INT PRIMARY KEY, v DATE)", "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
         "INSERT INTO t VALUES (1, '2025-00-10'), (2, '2025-02-30'), (3, '2025-10-01'), (4, '0009-01-01')"),
        "SELECT id, v::text FROM t ORDER BY id",
        {'"v"': "dates that no calendar has became NULL (2 rows)"},
        [(1, None), (2, None), (3, "2025-10-01"), (4, "0009-01-01")],
    ),
    (
        "infinity", "postgresql", "mysql",
        ("CREATE TABLE t (id integer PRIMARY KEY, v date, w timestamptz, x double precision, y numeric)",
         "INSERT INTO t VALUES (1, 'infinity', '-infinity', 'Infinity', 'Infinity'), (2, '2024-01-01', now(), 1.5, 2.5)"),
        "SELECT id, v IS NULL, w IS NULL, x, y + 0e0 FROM t ORDER BY id",
        {f'"{name}"': "infinite values became NULL (1 row)" for name in "vwxy"},
        [(1, 1, 1, None, None), (2, 0, 0, 1.5, 2.5)],
    ),
    (
        "nan", "postgresql", "mysql",
        ("CREATE TABLE t (id integer PRIMARY KEY, v real, w double precision, x numeric(9,2))",
         "INSERT INTO t VALUES (1, 'NaN', 'NaN', 'NaN'), (2, 0.5, 0.25, 1.25), (3, NULL, 'NaN', NULL)"),
        "SELECT id, v, w, x + 0e0 FROM t ORDER BY id",
        {'"v"': "NaN became NULL (1 row)", '"w"': "NaN became NULL (2 rows)", '"x"': "NaN became NULL (1 row)"},
        [(1, None, None, None), (2, 0.5, 0.25, 1.25), (3, None, None, None)],
    ),
    (
        "nan", "postgresql", "sqlite",
        ("CREATE TABLE t (id integer PRIMARY KEY, v double precision, w numeric(9,2), x numeric)",
         "INSERT INTO t VALUES (1, 'NaN', 'NaN', 'NaN'), (2, 0.5, 1.25, 7)"),
        "SELECT id, v, w, x FROM t ORDER BY id",
        {'"v"': "NaN became NULL (1 row)", '"w"': "NaN became NULL (1 row)"},
        [(1, None, None, "NaN"), (2, 0.5, 1.25, "7")],
    ),
    (
        "nul_byte", "mysql", "postgresql",
        ("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), w TEXT)",
         r"INSERT INTO t VALUES (1, 'a\0b', '\0'), (2, 'ab', NULL)"),
        "SELECT id, v, w FROM t ORDER BY id",
        {'"v"': "NUL characters were removed from texts (1 row)", '"w"': "NUL characters were removed from texts (1 row)"},
        [(1, "ab", ""), (2, "ab", None)],
    ),
    (
        "nul_byte", "sqlite", "postgresql",
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, 'c')"),
        "SELECT id, v FROM t ORDER BY id",
        {'"v"': "NUL characters were removed from texts (1 row)"},
        [(1, "ab"), (2, "c")],
    ),
    *(
        (
            "invalid_bytes", "sqlite", there,
            ("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
             "INSERT INTO t VALUES (1, CAST(x'636166e9' AS TEXT)), (2, 'café'), (3, NULL)"),
            "SELECT id, v FROM t ORDER BY id",
            {'"v"': "wrong bytes in texts became U+FFFD (1 row)"},
            [(1, "caf\ufffd"), (2, "café"), (3, None)],
        )
        for there in ("postgresql", "mysql")
    ),
    (
        "out_of_range", "postgresql", "mysql",
        ("CREATE TABLE t (id integer PRIMARY KEY, v date, w timestamp)",
         "INSERT INTO t VALUES (1, '0044-03-15 BC', '12024-01-01'), (2, '9999-12-31', '2024-01-01')"),
        "SELECT id, CAST(v AS CHAR), CAST(w AS CHAR) FROM t ORDER BY id",
        {'"v"': "values out of range became NULL (1 row)", '"w"': "values out of range became NULL (1 row)"},
        [(1, None, None), (2, "9999-12-31", "2024-01-01 00:00:00.000000")],
    ),
    (
        "out_of_range", "mysql", "sqlite",
        ("CREATE TABLE t (id INT PRIMARY KEY, v BIGINT UNSIGNED)",
         "INSERT INTO t VALUES (1, 18446744073709551615), (2, 9223372036854775807)"),
        "SELECT id, v FROM t ORDER BY id",
        {'"v"': "values out of range became NULL (1 row)"},
        [(1, None), (2, 9223372036854775807)],
    ),
    (
        "fraction", "postgresql", "mysql",
        ("CREATE TABLE t (id integer PRIMARY KEY, v numeric)",
         f"INSERT INTO t VALUES (1, 0.{'1' * 30}5), (2, 1.5), (3, 1e-40)"),
        "SELECT id, CAST(v AS CHAR) FROM t ORDER BY id",
        {'"v"': "numbers were rounded, and times cut, to the digits after the point that the column has (2 rows)"},
        [(1, f"0.{'1' * 29}2"), (2, f"1.5{'0' * 29}"), (3, f"0.{'0' * 30}")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("case", "here", "there", "made", "query", "entries", "expected"), CASES)
def test_a_case_is_refused_or_converted(
    fresh: Callable[[str], str],
    case: str,
    here: str,
    there: str,
    made: tuple[str, ...],
    query: str,
    entries: dict[str, str],
    expected: list[tuple[Any, ...]],
) -> None:
    source, refusing, target = fresh(here), fresh(there), fresh(there)
    execute(source, *made)
    refused = load(source, refusing)
    assert refused.code == 5, refused.out + refused.err
    assert scalar(refusing, "SELECT count(*) FROM t") == 0
    run = done(load(source, target, f"POLICY={case}=convert", "VERIFY=YES"))
    assert told(run, case.replace("_", "-")) == entries
    assert rows(target, query) == expected
    assert '. . verified "' in run.out


NARROW = "CREATE TABLE t (id INTEGER PRIMARY KEY, v SMALLINT, d DECIMAL(4,1), s VARCHAR(3), w {}(0), b {})"
TYPES = {"postgresql": ("TIMESTAMP", "REAL"), "mysql": ("DATETIME", "FLOAT"), "sqlite": ("DATETIME", "INTEGER")}
WIDE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, v bigint, d numeric(9,3), s text, w timestamp, b double precision)",
    "INSERT INTO t VALUES (1, 32768, 999.95, 'äöüß', '2024-01-01 23:59:59.999999', 1e39), "
    "(2, -32768, -1.25, 'abc', '1969-12-31 23:59:59', 2), (3, NULL, NULL, NULL, NULL, NULL)",
)
SHOWN = {
    "postgresql": "SELECT id, v, d::text, s, w::text, b FROM t ORDER BY id",
    "mysql": "SELECT id, v, CAST(d AS CHAR), s, CAST(w AS CHAR), b FROM t ORDER BY id",
    "sqlite": "SELECT id, v, CAST(d AS TEXT), s, w, b FROM t ORDER BY id",
}


@pytest.mark.parametrize("there", sorted(TYPES))
def test_values_are_fitted_to_narrower_columns_that_exist(fresh: Callable[[str], str], there: str) -> None:
    """999.95 is rounded to 1000.0, which is then out of range; both entries tell."""
    source, target = fresh("postgresql"), fresh(there)
    execute(source, *WIDE)
    execute(target, NARROW.format(*TYPES[there]))
    policies = "POLICY=out_of_range=convert,fraction=convert,too_long=convert"
    run = done(load(source, target, "CONTENT=DATA_ONLY", policies))
    assert told(run, "out-of-range") == {f'"{name}"': "values out of range became NULL (1 row)" for name in "vdb"}
    assert told(run, "fraction") == {
        '"d"': "numbers were rounded, and times cut, to the digits after the point that the column has (2 rows)",
        '"w"': "numbers were rounded, and times cut, to the digits after the point that the column has (1 row)",
    }
    assert told(run, "too-long") == {'"s"': "values that were too long were cut (1 row)"}
    assert rows(target, SHOWN[there]) == [
        (1, None, None, "äöü", "2024-01-01 23:59:59", None),
        (2, -32768, "-1.3", "abc", "1969-12-31 23:59:59", 2),
        (3, None, None, None, None, None),
    ]


# --- which setting holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ("zero_date=refuse,t:zero_date=convert", 0),
        ("t.dt:zero_date=convert,zero_date=warn,t.dt:nan=refuse", 2),
        ("type:date:zero_date=convert,type:timestamp:zero_date=warn", 2),
        ("zero_date=convert,T.TS:zero_date=warn", 1),
    ],
)
def test_settings_are_of_columns_tables_types_or_all(mysql: Fresh, postgresql: Fresh, settings: str, warned: int) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    run = load(source, target, f"POLICY={settings}")
    assert told(run, "zero-date") == ZEROS, run.out
    assert run.code == (5 if warned else 0)
    assert (f"completed with {warned} error(s)" in run.out) == (warned > 0)


def test_a_column_that_is_refused_fails_the_table(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    run = load(source, target, "POLICY=zero_date=convert,t.dt:zero_date=refuse")
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert told(run, "zero-date") == {}


def test_a_setting_for_nothing_is_told(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    run = done(load(source, target, "POLICY=zero_date=convert,no_such.column:nan=warn"))
    assert "POLICY=no_such.column:nan=warn: the job has no such table or column" in run.out


# --- the ledger -----------------------------------------------------------------------------------------------------


def test_the_ledger_is_in_a_file_and_in_the_master_table(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES)
    options = (f"DIRECTORY={tmp_path}", "LEDGER=losses", "KEEP_MASTER=YES", "JOB_NAME=KEPT")
    run = load(source, target, "POLICY=zero_date=warn", *options)
    ledger = json.loads((tmp_path / "losses.json").read_text())
    entries = ledger["entries"]
    assert ledger["job"] == '"public"."KEPT"'
    assert len(entries) == len(run.losses)
    assert next(entry for entry in entries if entry["rule"] == "zero-date") == {
        "part_of": "",
        "object": 'TABLE:"public"."t"',
        "rule": "zero-date",
        "detail": "zero dates became NULL",
        "column": "d",
        "rows": 2,
        "policy": "warn",
        "each": False,
    }
    recorded = Recorded.of(target, "KEPT")
    with recorded.database.connect() as connection:
        assert [row.detail for row in recorded.table.rows(connection, "LOSS")] == entries


def test_a_script_has_its_ledger_too(mysql: Fresh, tmp_path: Path) -> None:
    source = mysql()
    execute(source, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)")
    options = (f"DIRECTORY={tmp_path}", "SQLFILE=t.sql", "LEDGER=t.json", "NOLOGFILE=YES", f"NETWORK_LINK={source}")
    run = done(pump("impdp", "oracle:", *options))
    entries = json.loads((tmp_path / "t.json").read_text())["entries"]
    assert len(entries) == len(run.losses) > 0
    assert {"oracle-empty-string"} <= {entry["rule"] for entry in entries}
    assert all(f"loss: {entry['object']}" in (tmp_path / "t.sql").read_text() for entry in entries)


# --- going on after a death -----------------------------------------------------------------------------------------

MANY = 200_000


@pytest.mark.parametrize("local", [False, True])
def test_counts_are_exact_whenever_a_job_dies(mysql: Fresh, postgresql: Fresh, tmp_path: Path, local: bool) -> None:
    """Every seventh date of 200,000 is zero; the job is killed with some granules done."""
    source, target, name = mysql(), postgresql(), "CONVERTING"
    execute(
        source,
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE)",
        "SET SESSION sql_mode = ''",
        f"INSERT INTO t SELECT seq, IF(seq MOD 7 = 0, '0000-00-00', '2024-01-01') FROM seq_1_to_{MANY}",
    )
    place = ("MASTER_TABLE=LOCAL",) if local else ()
    where = (f"NETWORK_LINK={source}", remap(source, target), "PARALLEL_THRESHOLD=128K", f"JOB_NAME={name}")
    ledger = (f"DIRECTORY={tmp_path}", "LEDGER=losses")
    recorded = Recorded.of(target, name, local=local)
    with ended(begin("impdp", target, *where, *place, *ledger, "POLICY=zero_date=convert", cwd=tmp_path)) as process:
        until(lambda: recorded.granules_done() > 2, "a granule")
        kill(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, name, local=local, link=source)
    assert again.returncode == 0, again.stdout
    assert f"zero dates became NULL ({MANY // 7} rows) [zero-date]" in again.stdout
    (entry,) = [e for e in json.loads((tmp_path / "losses.json").read_text())["entries"] if e["rule"] == "zero-date"]
    assert entry["rows"] == MANY // 7
    assert rows(target, "SELECT count(*), count(d) FROM t") == [(MANY, MANY - MANY // 7)]


# --- hostile values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("zero_date", "zero_date is not [[schema.]table[.column]:]case=action"),
        ("zero=convert", "'zero' is none of invalid_bytes, nul_byte"),
        ("zero_date=drop", "'drop' is none of refuse, convert, warn"),
        ("zero_date=", "'' is none of"),
        ("=convert", "'' is none of"),
        ("a.b.c.d:nan=warn", "a.b.c.d has more than a schema, a table and a column"),
        ("type:point:nan=warn", "'point' is none of the types integer"),
        ("a:b:nan=warn", "is not [[schema.]table[.column]:]case=action"),
        (":nan=warn", "an item is empty"),
        ("nan=warn,nan=convert", "POLICY=nan=warn and POLICY=nan=convert exclude each other"),
        ("'; DROP TABLE t; --=convert", "no closing quote"),
        ('"a:nan=convert', "no closing quote"),
        ("nan=convert=warn", "'nan=convert' is none of"),
    ],
)
def test_what_is_no_policy_is_refused(value: str, message: str) -> None:
    run = pump("impdp", "sqlite:///there.db", "NETWORK_LINK=sqlite:///x.db", f"POLICY={value}")
    assert run.code == 1
    assert message in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("impdp", "SQLFILE=x.sql"), "so POLICY has no meaning"),
        (("impdp", "CONTENT=METADATA_ONLY"), "so POLICY has no meaning"),
        (("impdp", "QUERY=t:WHERE a = 1"), "QUERY on a dump file set chooses among rows when POLICY has changed them"),
        (("expdp",), "unknown parameter name 'POLICY'"),
        (("impdp", "VERIFY_ONLY=YES", "LEDGER=x"), "so POLICY has no meaning"),
    ],
)
def test_where_a_policy_has_no_meaning_it_is_refused(arguments: tuple[str, ...], message: str) -> None:
    client, *rest = arguments
    run = pump(client, "sqlite:///there.db", *rest, "POLICY=nan=convert")
    assert run.code == 1
    assert message in run.err


def test_a_ledger_does_not_take_the_place_of_a_database(sqlite_file: Fresh, tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    execute(target, "CREATE TABLE u (id INTEGER PRIMARY KEY)")
    path = Path(target.removeprefix("sqlite:///"))
    run = load(source, target, f"DIRECTORY={path.parent}", f"LEDGER={path.name}")
    assert run.code == 1
    assert scalar(target, "SELECT count(*) FROM u") == 0


def test_names_of_cases_are_those_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert all(f"| `{misfit}` |" in page for misfit in Misfit)


# --- what types and keys change -------------------------------------------------------------------------------------


def ledger_of(directory: Path) -> dict[tuple[str | None, str], dict[str, Any]]:
    """The entries of LEDGER=losses by column and rule."""
    entries = json.loads((directory / "losses.json").read_text())["entries"]
    return {(entry["column"], entry["rule"]): entry for entry in entries}


def test_rows_of_types_that_change_are_counted_without_a_policy(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, at timestamptz, span interval, tags text[], n integer)",
        "INSERT INTO t VALUES (1, now(), '1 day', '{a}', 1), (2, now(), NULL, NULL, 2), (3, NULL, NULL, NULL, NULL)",
    )
    done(load(source, target, f"DIRECTORY={tmp_path}", "LEDGER=losses"))
    found = {key: entry["rows"] for key, entry in ledger_of(tmp_path).items()}
    assert found == {("at", "type-timestamp"): 2, ("span", "type-interval"): 1, ("tags", "type-array"): 1}


@pytest.mark.parametrize(
    ("here", "there", "detail"),
    [
        (
            "BINARY",
            "utf8mb4_general_ci",
            "the primary key holds 'a' and 'A', 'e' and 'é', 'a' and 'a ' for equal, and refuses one of the two",
        ),
        ("NOCASE", "utf8mb4_nopad_bin", "the primary key lets in both 'a' and 'A', which are equal at the source"),
    ],
)
def test_a_key_that_exists_and_tells_case_otherwise_is_in_the_ledger(
    sqlite_file: Fresh, mysql: Fresh, tmp_path: Path, here: str, there: str, detail: str
) -> None:
    source, target = sqlite_file(), mysql()
    execute(source, f"CREATE TABLE t (name VARCHAR(20) COLLATE {here} PRIMARY KEY, at TIMESTAMPTZ, n DECIMAL(5,2))")
    execute(source, "INSERT INTO t VALUES ('a', '2024-01-01 00:00:00+00:00', 1.25)")
    execute(target, f"CREATE TABLE t (name VARCHAR(20) COLLATE {there} PRIMARY KEY, at DATETIME(6), n DOUBLE)")
    run = done(load(source, target, "CONTENT=DATA_ONLY", f"DIRECTORY={tmp_path}", "LEDGER=losses"))
    assert told(run, "key-equality") == {'"name"': detail}
    found = ledger_of(tmp_path)
    assert found["at", "existing-zone"]["rows"] == 1
    assert found["n", "existing-float"]["rows"] == 1
    assert len(run.losses) == len(found) == 3


def test_a_key_that_the_job_makes_and_that_tells_case_is_in_the_ledger(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (name VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, "
        "code VARCHAR(5) COLLATE utf8mb4_bin UNIQUE, mail VARCHAR(50) COLLATE utf8mb4_unicode_ci, UNIQUE mails (mail))",
    )
    run = done(load(source, target))
    both = {column: detail.partition("lets in both ")[2] for column, detail in told(run, "key-equality").items()}
    assert both == {
        '"name"': "'a' and 'A', 'e' and 'é', 'a' and 'a ', which are equal at the source",
        '"code"': "'a' and 'a ', which are equal at the source",
        '"mail"': "'a' and 'A', 'e' and 'é', 'é' as one character and as two, 'a' and 'a ', which are equal at the source",
    }


# --- entries that were not logged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_entry_is_told_once_whenever_a_job_dies(mysql: Fresh, postgresql: Fresh, tmp_path: Path, forgotten: bool) -> None:
    """The job dies after a table is done; as if before it had told of it, if that is ``forgotten``."""
    source, target, name = mysql(), postgresql(), "TELLING"
    execute(
        source,
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE)",
        "CREATE TABLE u (id INT PRIMARY KEY)",
        "SET SESSION sql_mode = ''",
        "INSERT INTO t SELECT seq, IF(seq = 7, '0000-00-00', '2024-01-01') FROM seq_1_to_40000",
        "INSERT INTO u SELECT seq FROM seq_1_to_10",
    )
    execute(target, "CREATE TABLE u (id integer PRIMARY KEY)")
    where = (f"NETWORK_LINK={source}", remap(source, target), "PARALLEL_THRESHOLD=128K", f"JOB_NAME={name}")
    options = ("TABLE_EXISTS_ACTION=APPEND", "POLICY=zero_date=convert")
    recorded = Recorded.of(target, name)

    def is_told() -> bool:
        if recorded.granules_done() < 2:
            return False
        with recorded.database.connect() as connection:
            return any("zero dates" in row.detail["text"] for row in recorded.table.rows(connection, "MESSAGE"))

    with sa.create_engine(target, poolclass=NullPool).connect() as other:
        other.exec_driver_sql("LOCK TABLE u IN SHARE MODE")  # nobody gets rows into it
        with ended(begin("impdp", target, *where, *options, cwd=tmp_path)) as process:
            until(is_told, "the entry")
            kill(process)
    assert {row.name for row in recorded.granules() if row.state != "COMPLETED"} == {"u"}
    if forgotten:
        execute(target, f"""DELETE FROM "{name}" WHERE kind = 'MESSAGE' AND detail LIKE '%zero dates%'""")
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, name, link=source)
    assert again.returncode == 0, again.stdout
    assert again.stdout.count("zero dates became NULL (1 row) [zero-date]") == forgotten
