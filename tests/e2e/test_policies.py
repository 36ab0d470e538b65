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


# --- columns that are NOT NULL ---------------------------------------------------------------------------------------

NOT_NULL = (
    "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, dt DATETIME NOT NULL DEFAULT '0000-00-00', "
    "s VARCHAR(10) NOT NULL, n INT NOT NULL)",
    "INSERT INTO t VALUES (1, '2024-02-29', '0000-00-00 00:00:00', '0000-00-00', 1), "
    "(2, '0000-00-00', '0000-00-00 00:00:00', 'x', 2), (3, '2024-01-01', '2024-01-01 10:00:00', '', 3)",
)
NULLABLE = "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = 't'"
NULLED = [(1, "2024-02-29", None), (2, None, None), (3, "2024-01-01", "2024-01-01 10:00:00")]
SHOWN_DATES = "SELECT id, d::text, dt::text FROM t ORDER BY id"


@pytest.fixture
def not_null(mysql: Fresh) -> str:
    """A MySQL database with zero dates in columns that are NOT NULL."""
    url = mysql()
    execute(url, "SET SESSION sql_mode = ''", *NOT_NULL)
    return url


@pytest.fixture
def from_either(tmp_path: Path) -> Callable[..., Run]:
    """Imports a database by a link, or from a dump file set of it."""

    def run(by: str, source: str, target: str, *arguments: str) -> Run:
        if by == "link":
            return load(source, target, *arguments)
        if not list(tmp_path.glob("*.dmp")):
            done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
        return pump("impdp", target, f"DIRECTORY={tmp_path}", remap(source, target), "NOLOGFILE=YES", *arguments)

    return run


BY = pytest.mark.parametrize("by", ["link", "dump"])


@BY
def test_not_null_is_left_out_where_dates_may_become_null(
    not_null: str, postgresql: Fresh, from_either: Callable[..., Run], by: str
) -> None:
    target = postgresql()
    run = done(from_either(by, not_null, target, "POLICY=zero_date=relax", "VERIFY=YES"))
    said = "may be NULL, and is NOT NULL at the source: zero dates become NULL"
    assert told(run, "relaxed") == {'"d"': said, '"dt"': said}
    assert told(run, "zero-date") == {'"d"': ZEROS['"dt"'], '"dt"': ZEROS['"d"']}
    assert dict(rows(target, NULLABLE)) == {"id": "NO", "d": "YES", "dt": "YES", "s": "NO", "n": "NO"}
    assert rows(target, SHOWN_DATES) == NULLED


def test_the_plan_has_the_entries_of_the_job(not_null: str, postgresql: Fresh) -> None:
    target = postgresql()
    where = (f"NETWORK_LINK={not_null}", remap(not_null, target), "POLICY=zero_date=relax", "PROFILE=YES", "--json")
    run = pump("plan", "impdp", target, *where)
    assert run.code == 0, run.out + run.err
    found = {(one["column"], one["rule"]): one["rows"] for one in json.loads(run.out)["losses"]}
    assert found.items() >= {("d", "relaxed"): None, ("d", "zero-date"): 1, ("dt", "zero-date"): 2}.items()
    assert ("s", "relaxed") not in found


def test_what_is_made_first_is_filled_later(not_null: str, postgresql: Fresh) -> None:
    """The entries about NOT NULL are those of the job that makes the table."""
    target = postgresql()
    made = done(load(not_null, target, "POLICY=zero_date=relax", "CONTENT=METADATA_ONLY"))
    assert told(made, "relaxed").keys() == {'"d"', '"dt"'}
    filled = done(load(not_null, target, "POLICY=zero_date=relax", "CONTENT=DATA_ONLY"))
    assert told(filled, "relaxed") == {}
    assert told(filled, "zero-date").keys() == {'"d"', '"dt"'}
    assert rows(target, SHOWN_DATES) == NULLED


def test_a_table_that_is_there_keeps_its_not_null(not_null: str, postgresql: Fresh) -> None:
    target = postgresql()
    execute(target, "CREATE TABLE t (id integer, d date NOT NULL, dt timestamp, s text, n integer)")
    run = load(not_null, target, "POLICY=zero_date=relax", "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5
    assert 'POLICY=zero_date=relax: column "public"."t".d is there already, and takes no NULL' in run.out
    assert "column d: '0000-00-00' (zero_date) would become NULL, and the column is NOT NULL" in run.out
    assert told(run, "relaxed") == {}
    assert scalar(target, "SELECT count(*) FROM t") == 0


@BY
def test_a_primary_key_is_never_relaxed(mysql: Fresh, postgresql: Fresh, from_either: Callable[..., Run], by: str) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (d DATE PRIMARY KEY, e DATE NOT NULL)",
        "INSERT INTO t VALUES ('2024-01-01', '0000-00-00'), ('0000-00-00', '2024-01-01')",
    )
    named = from_either(by, source, target, "POLICY=t.d:zero_date=relax")
    assert named.code == 1
    assert "MIG-20016" in named.err
    assert ".d is part of the primary key" in named.err
    assert scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'") == 0
    wide = from_either(by, source, target, "POLICY=zero_date=relax")
    assert wide.code == 5
    assert ".d is part of the primary key, and takes no NULL" in wide.out
    assert "column d: '0000-00-00' (zero_date) would become NULL, and the column is NOT NULL" in wide.out
    assert told(wide, "relaxed").keys() == {'"e"'}
    assert scalar(target, "SELECT count(*) FROM t") == 0


def test_a_key_of_the_source_may_be_null_in_a_table_that_is_there_and_takes_it(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (d DATE PRIMARY KEY, n INT)",
        "INSERT INTO t VALUES ('2024-01-01', 1), ('0000-00-00', 2)",
    )
    execute(target, "CREATE TABLE t (d date, n integer)")
    run = done(load(source, target, "POLICY=t.d:zero_date=relax", "TABLE_EXISTS_ACTION=APPEND"))
    assert told(run, "zero-date", "relaxed") == {'"d"': ZEROS['"dt"']}
    assert rows(target, "SELECT d::text, n FROM t ORDER BY n") == [("2024-01-01", 1), (None, 2)]


# --- values of one's own --------------------------------------------------------------------------------------------


@BY
@pytest.mark.parametrize("method", ["DIRECT_PATH", "EXTERNAL_TABLE", "CONVENTIONAL_PATH"])
def test_a_value_is_put_instead_of_zero_dates(
    not_null: str, postgresql: Fresh, from_either: Callable[..., Run], by: str, method: str
) -> None:
    target = postgresql()
    policy = "POLICY=zero_date='1900-01-01',t.d:zero_date='-infinity'"
    run = done(from_either(by, not_null, target, policy, f"ACCESS_METHOD={method}", "VERIFY=YES"))
    assert told(run, "zero-date", "relaxed") == {
        '"d"': "zero dates became '-infinity' (1 row)",
        '"dt"': "zero dates became '1900-01-01' (2 rows)",
    }
    assert dict(rows(target, NULLABLE)) == dict.fromkeys(("id", "d", "dt", "s", "n"), "NO")
    assert rows(target, SHOWN_DATES) == [
        (1, "2024-02-29", "1900-01-01 00:00:00"),
        (2, "-infinity", "1900-01-01 00:00:00"),
        (3, "2024-01-01", "2024-01-01 10:00:00"),
    ]


@pytest.mark.parametrize("there", ["mysql", "sqlite"])
def test_values_are_put_instead_of_what_numbers_and_dates_cannot_be(fresh: Callable[[str], str], there: str) -> None:
    source, target = fresh("postgresql"), fresh(there)
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, v date, w timestamptz, x double precision, y numeric(9,2), z real)",
        "INSERT INTO t VALUES (1, 'infinity', '-infinity', 'Infinity', 'NaN', 'NaN'), (2, '2024-01-01', "
        "'2024-01-01 10:00:00+00', 1.5, 2.5, 0.5), (3, NULL, NULL, NULL, NULL, NULL)",
    )
    policy = "POLICY=infinity='-999',type:date:infinity='9999-12-31',type:timestamp:infinity='9999-12-31 23:59:59',nan='0'"
    run = done(load(source, target, policy, "VERIFY=YES"))
    found = told(run, "infinity", "nan")
    assert found.items() >= {'"y"': "NaN became '0' (1 row)", '"z"': "NaN became '0' (1 row)"}.items()
    query = "SELECT id, v, w, x, y + 0e0, z FROM t ORDER BY id"
    if there == "sqlite":
        assert len(found) == 2, "dates are texts there, and floating-point numbers are infinite"
        assert [row[4:] for row in rows(target, query)] == [(0, 0), (2.5, 0.5), (None, None)]
        return
    assert found['"v"'] == "infinite values became '9999-12-31' (1 row)"
    assert [tuple(None if v is None else str(v) for v in row) for row in rows(target, query)] == [
        ("1", "9999-12-31", "9999-12-31 23:59:59", "-999.0", "0.0", "0.0"),
        ("2", "2024-01-01", "2024-01-01 10:00:00", "1.5", "2.5", "0.5"),
        ("3", None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("value", "day", "instant"),
    [
        ("1970-01-01", "1970-01-01", "1970-01-01 00:00:00+00"),
        ("infinity", "infinity", "infinity"),
        ("12024-01-01", "12024-01-01", "12024-01-01 00:00:00+00"),
        ("0044-03-15 BC", "0044-03-15 BC", "0044-03-15 00:00:00+00 BC"),
    ],
)
def test_any_date_of_the_target_can_be_put(mysql: Fresh, postgresql: Fresh, value: str, day: str, instant: str) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, ts TIMESTAMP NOT NULL)",
        "INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00'), (2, '2024-01-02', '2024-01-02 10:00:00')",
    )
    done(load(source, target, f"POLICY=zero_date='{value}'", "VERIFY=YES"))
    found = rows(target, "SELECT d::text, ts::text FROM t ORDER BY id")
    assert found == [(day, instant), ("2024-01-02", "2024-01-02 10:00:00+00")]


def test_a_parfile_has_the_quotes_as_they_are(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    execute(source, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", r"INSERT INTO t VALUES (1, 'a\0b'), (2, 'c')")
    parfile = tmp_path / "own.par"
    parfile.write_text("POLICY=t.v:nul_byte='it''s, \"a=b\": gone'\n")
    run = done(load(source, target, f"PARFILE={parfile}"))
    assert told(run, "nul-byte") == {'"v"': "texts with NUL became 'it''s, \"a=b\": gone' (1 row)"}
    assert rows(target, "SELECT v FROM t ORDER BY id") == [('it\'s, "a=b": gone',), ("c",)]


@BY
@pytest.mark.parametrize(
    ("value", "why"),
    [("'1900-02-30'", "'1900-02-30' (partial_date) has no place there"), ("'soon'", "'soon' is not what date writes")],
)
def test_a_value_that_is_none_of_the_column_stops_the_job(
    not_null: str, postgresql: Fresh, from_either: Callable[..., Run], by: str, value: str, why: str
) -> None:
    target = postgresql()
    run = from_either(by, not_null, target, f"POLICY=zero_date={value}")
    assert run.code == 1
    assert f"MIG-20016: POLICY=zero_date={value}: column " in run.err
    assert why in run.err
    assert scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0


def test_a_table_that_is_there_and_does_not_take_a_value_stays_as_it_is(postgresql: Fresh, mysql: Fresh) -> None:
    source, target = postgresql(), mysql()
    execute(source, "CREATE TABLE t (id integer, v integer)", "INSERT INTO t VALUES (1, 70000)")
    execute(target, "CREATE TABLE t (id INT, v SMALLINT)", "INSERT INTO t VALUES (9, 9)")
    action = "TABLE_EXISTS_ACTION=TRUNCATE"
    run = load(source, target, action, "POLICY=out_of_range='-40000'")
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert "MIG-20016" in run.out
    assert rows(target, "SELECT id, v FROM t") == [(9, 9)]
    run = done(load(source, target, action, "POLICY=out_of_range='-1'"))
    assert told(run, "out-of-range") == {'"v"': "values out of range became '-1' (1 row)"}
    assert rows(target, "SELECT id, v FROM t") == [(1, -1)]


@pytest.mark.parametrize("action", ["TRUNCATE", "SKIP"])
def test_a_value_is_judged_by_the_table_that_is_there(postgresql: Fresh, mysql: Fresh, action: str) -> None:
    """A table that is skipped takes none, whatever it is."""
    source, target = postgresql(), mysql()
    execute(source, "CREATE TABLE t (id integer, v numeric)", "INSERT INTO t VALUES (1, 'NaN')")
    execute(target, "CREATE TABLE t (id INT, v DECIMAL(65, 0))")
    wide = 10**40
    how = ("NOLOGFILE=YES", f"TABLE_EXISTS_ACTION={action}", f"POLICY=nan='{wide}'")
    where = (f"NETWORK_LINK={source}", remap(source, target), *how)
    for client in (("plan", "impdp"), ("impdp",)):
        run = pump(*client, target, *where)
        assert run.code == (5 if action == "SKIP" else 0), run.out + run.err
    assert rows(target, "SELECT id, v FROM t") == ([] if action == "SKIP" else [(1, wide)])


# --- texts that compare in another way -------------------------------------------------------------------------------

IGNORING_CASE = (
    "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci, code VARCHAR(9) COLLATE utf8mb4_bin, "
    "UNIQUE names (name)) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    "INSERT INTO t VALUES (1, 'Ann', 'a'), (2, 'Bob', 'b')",
)


@BY
def test_texts_that_compare_in_another_way_are_refused_before_anything_is_made(
    mysql: Fresh, postgresql: Fresh, from_either: Callable[..., Run], by: str
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *IGNORING_CASE)
    for policy in ("collation=refuse", "t.name:collation=refuse", "type:string:collation=refuse"):
        run = from_either(by, source, target, f"POLICY={policy}")
        assert run.code == 1, run.out
        assert "MIG-20017" in run.err
        assert '"name": the primary key' not in run.err
        assert '"name": ' in run.err
        assert "COLLATE utf8mb4_general_ci at the source, character varying(20) at the target" in run.err
        assert ('"code"' in run.err) == ("name" not in policy)
        assert scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0
    run = done(from_either(by, source, target, "POLICY=collation=refuse,t.name:collation=convert,t.code:collation=convert"))
    assert told(run, "key-equality").keys() == {'"name"'}


@BY
@pytest.mark.parametrize(
    ("policy", "errors"), [("collation=warn", 3), ("t.code:collation=warn", 1), ("collation=convert", 0)]
)
def test_texts_that_compare_in_another_way_are_errors_if_that_is_asked(
    mysql: Fresh, postgresql: Fresh, from_either: Callable[..., Run], tmp_path: Path, by: str, policy: str, errors: int
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *IGNORING_CASE)
    ledger = () if by == "dump" else (f"DIRECTORY={tmp_path}",)
    run = from_either(by, source, target, f"POLICY={policy}", *ledger, "LEDGER=losses")
    assert run.code == (5 if errors else 0), run.out
    assert (f"completed with {errors} error(s)" in run.out) == (errors > 0)
    assert rows(target, "SELECT name, code FROM t ORDER BY id") == [("Ann", "a"), ("Bob", "b")]
    action = policy.partition("=")[2]
    expected = {None, action} if policy.startswith("t.") else {action}
    rules = ("key-equality", "collation-equality")
    assert {entry["policy"] for entry in ledger_of(tmp_path).values() if entry["rule"] in rules} == expected


@BY
@pytest.mark.parametrize(
    ("statements", "entry"),
    [
        (("CREATE TABLE t (name varchar(9), PRIMARY KEY (name COLLATE NOCASE))",), "the primary key compares as the column"),
        (
            ("CREATE TABLE t (name varchar(9))", "CREATE UNIQUE INDEX u ON t (name COLLATE NOCASE)"),
            "index u compares name as its column",
        ),
    ],
    ids=["key", "index"],
)
def test_keys_with_collations_of_their_own_compare_in_another_way(
    sqlite_file: Fresh, postgresql: Fresh, from_either: Callable[..., Run], by: str, statements: tuple[str, ...], entry: str
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, *statements)
    run = from_either(by, source, target, "POLICY=collation=refuse")
    assert run.code == 1, run.out
    assert "MIG-20017" in run.err
    assert entry in run.err
    assert scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0
    warned = from_either(by, source, target, "POLICY=t.name:collation=warn")
    assert warned.code == 5, warned.out
    assert "completed with 1 error(s)" in warned.out


OWN_COLLATION = (
    "CREATE SCHEMA app",
    "CREATE COLLATION app.x (LOCALE = 'C')",
    "CREATE TABLE t (id integer PRIMARY KEY, name text COLLATE app.x)",
    "INSERT INTO t VALUES (1, 'a')",
)
NOT_CARRIED = 'collation "app"."x" is not carried'
SCHEMA = ("SCHEMAS=public",)


@BY
@pytest.mark.parametrize("action", ["refuse", "warn", "convert"])
def test_a_collation_of_ones_own_that_is_not_carried_is_refused_or_told(
    postgresql: Fresh, from_either: Callable[..., Run], tmp_path: Path, by: str, action: str
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *OWN_COLLATION)
    policy = f"POLICY=t.name:collation={action}"
    where = (f"NETWORK_LINK={source}", *SCHEMA, policy)
    code = {"refuse": 1, "warn": 5, "convert": 0}[action]
    run = from_either(by, source, target, *SCHEMA, policy)
    assert run.code == code, run.out + run.err
    assert ("MIG-20017" in run.err and NOT_CARRIED in run.err) == (action == "refuse")
    assert (told(run, "collation") == {'"name"': NOT_CARRIED}) == (action != "refuse")
    found = scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'")
    assert found == (0 if action == "refuse" else 1)
    assert pump("plan", "impdp", postgresql(), *where, "REMAP_TABLE=t:u", "REMAP_SCHEMA=public:other").code == code
    script = (f"DIRECTORY={tmp_path}", f"SQLFILE={action}.sql", "NOLOGFILE=YES")
    assert pump("impdp", target, *where, *script).code == code


OF_DOMAIN = (
    'CREATE DOMAIN word AS text COLLATE "C"',
    "CREATE TABLE t (id integer PRIMARY KEY, name word)",
    "INSERT INTO t VALUES (1, 'a')",
)
OF_RANGE = (
    "CREATE COLLATION mine (LOCALE = 'C')",
    "CREATE TYPE words AS RANGE (SUBTYPE = text, COLLATION = mine)",
    "CREATE TABLE t (id integer PRIMARY KEY, name words)",
    "INSERT INTO t VALUES (1, '[a,b]')",
)


@BY
@pytest.mark.parametrize(
    ("made", "setting", "code"),
    [
        (OF_DOMAIN, "collation=refuse", 1),
        (OF_DOMAIN, "collation=warn", 5),
        (OF_DOMAIN, "collation=convert", 0),
        (OF_DOMAIN, "type:string:collation=refuse,collation=warn", 1),
        (OF_DOMAIN, "t.name:collation=refuse", 1),
        (OF_DOMAIN, "collation=refuse,t.name:collation=warn", 5),
        (OF_RANGE, "collation=refuse", 1),
        (OF_RANGE, "collation=warn", 5),
    ],
)
def test_the_collation_of_a_domain_or_type_is_refused_or_told(
    postgresql: Fresh, from_either: Callable[..., Run], by: str, made: tuple[str, ...], setting: str, code: int
) -> None:
    """A domain's collation goes by the settings of the columns that are of it."""
    source, target = postgresql(), postgresql()
    execute(source, *made)
    run = from_either(by, source, target, f"POLICY={setting}")
    assert run.code == code, run.out + run.err
    what = "the domain's own collation" if made is OF_DOMAIN else 'collation "public"."mine"'
    assert (f"{what} is not carried" in run.err and "MIG-20017" in run.err) == (code == 1)
    found = scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'")
    assert found == (0 if code == 1 else 1)


@pytest.mark.parametrize("content", ["ALL", "DATA_ONLY"])
def test_the_collation_of_a_domain_that_is_there_is_no_case(postgresql: Fresh, content: str) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *OF_DOMAIN)
    execute(target, *OF_DOMAIN[:2])
    run = load(source, target, "TABLE_EXISTS_ACTION=APPEND", f"CONTENT={content}", "POLICY=collation=refuse")
    assert rows(target, "SELECT id, name FROM t") == [(1, "a")], run.out + run.err


@pytest.mark.parametrize("action", ["refuse", "warn"])
@pytest.mark.parametrize("content", ["ALL", "DATA_ONLY"])
def test_what_is_not_carried_is_no_case_of_a_table_that_stays(postgresql: Fresh, action: str, content: str) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *OWN_COLLATION)
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY, name text)")
    how = ("TABLE_EXISTS_ACTION=APPEND", f"CONTENT={content}", f"POLICY=collation={action}")
    run = done(load(source, target, *SCHEMA, *how))
    assert rows(target, "SELECT id, name FROM t") == [(1, "a")]
    assert told(run, "collation") == {'"name"': NOT_CARRIED}


@pytest.mark.parametrize("action", ["refuse", "warn", "convert"])
def test_a_key_that_is_there_and_tells_case_otherwise_is_refused_or_told(
    sqlite_file: Fresh, mysql: Fresh, action: str
) -> None:
    source, target = sqlite_file(), mysql()
    execute(source, "CREATE TABLE t (name VARCHAR(20) PRIMARY KEY)", "INSERT INTO t VALUES ('a')")
    execute(target, "CREATE TABLE t (name VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY)", "INSERT INTO t VALUES ('b')")
    run = load(source, target, "TABLE_EXISTS_ACTION=TRUNCATE", f"POLICY=t.name:collation={action}")
    assert run.code == (0 if action == "convert" else 5), run.out
    assert rows(target, "SELECT name FROM t") == [("b" if action == "refuse" else "a",)]
    assert ("ORA-31693" in run.out) == ("MIG-20017" in run.out) == (action == "refuse")
    assert ("COLLATE utf8mb4_general_ci at the target" in run.out) == (action == "refuse")
    assert (told(run, "key-equality") == {}) == (action == "refuse")


def test_plan_and_script_say_what_the_job_would(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    execute(source, *IGNORING_CASE)
    link = (f"NETWORK_LINK={source}", remap(source, target))
    for action, code in (("refuse", 1), ("warn", 5), ("convert", 0)):
        policy = f"POLICY=t.name:collation={action}"
        assert pump("plan", "impdp", target, *link, policy).code == code
        assert load(source, target, policy, f"DIRECTORY={tmp_path}", f"SQLFILE={action}.sql").code == code
        assert (tmp_path / f"{action}.sql").exists() == (action != "refuse")


# --- empty texts on their way to Oracle -----------------------------------------------------------------------------


@BY
def test_a_script_for_oracle_lets_columns_be_null_that_may_hold_empty_texts(mysql: Fresh, tmp_path: Path, by: str) -> None:
    source = mysql()
    execute(source, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) NOT NULL, n INT NOT NULL, d DATE NOT NULL)")
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    origin = (f"NETWORK_LINK={source}",) if by == "link" else ()
    nothing = pump("impdp", "oracle:", *where, *origin, "SQLFILE=t.sql", "POLICY=no_such:nan=warn")
    assert (nothing.code, (tmp_path / "t.sql").exists()) == (1, False)
    assert "no_such:nan=warn: the job has no such table or column" in nothing.err
    run = done(pump("impdp", "oracle:", *where, *origin, "SQLFILE=t.sql", "POLICY=empty_text=relax"))
    assert told(run, "relaxed") == {'"v"': "may be NULL, and is NOT NULL at the source: empty texts become NULL"}
    script = (tmp_path / "t.sql").read_text()
    found = re.findall(r"^ {4}(\w+) [A-Z0-9]+(?:\(.*?\))?( NOT NULL)?,?$", script, re.MULTILINE)
    assert {name: bool(must) for name, must in found} == {"id": True, "v": False, "n": True, "d": True}


@pytest.mark.parametrize(("action", "entries"), [("refuse", {}), ("relax", {"v": 2}), ("'-'", {"v": 2})])
def test_a_profile_counts_empty_texts_with_what_policy_does_about_them(
    mysql: Fresh, action: str, entries: dict[str, int]
) -> None:
    source = mysql()
    execute(
        source,
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) NOT NULL)",
        "INSERT INTO t VALUES (1, ''), (2, 'x'), (3, '')",
    )
    arguments = (f"NETWORK_LINK={source}", "SQLFILE=x.sql", "PROFILE=YES", f"POLICY=empty_text={action}", "--json")
    found = json.loads(pump("plan", "impdp", "oracle:", *arguments).out)
    (finding,) = found["profile"][0]["findings"]
    assert (finding["column"], finding["case"], finding["rows"], finding["action"]) == ("v", "empty_text", 2, action)
    assert {one["column"]: one["rows"] for one in found["losses"] if one["rule"] == "empty-text"} == entries


# --- which setting holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ("zero_date=refuse,t:zero_date=convert", 0),
        ("t.dt:zero_date=convert,zero_date=warn,t.dt:partial_date=refuse", 2),
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


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("POLICY=no_such.column:nan=warn", "no_such.column:nan=warn: the job has no such table or column"),
        ("POLICY=t.dtt:zero_date=relax", "t.dtt:zero_date=relax: the job has no such table or column (the nearest: t.dt)"),
        ("POLICY=tt:zero_date=relax", "tt:zero_date=relax: the job has no such table or column (the nearest: t)"),
        ("POLICY=t.id:zero_date=relax", ".id is int(11), whose values are never that; they can be out_of_range"),
        ("POLICY=t.d:infinity='2000-01-01'", ".d is date, whose values are never that; they can be zero_date, partial_date"),
        ("POLICY=labels.e:nul_byte=''", ".e is enum('a','b'), whose values are never that; they can be "),
        ('POLICY="order items"."a.b":nan=warn', '"order items"."a.b":nan=warn: the job has no such table or column'),
        ("POLICY=type:integer:zero_date=relax", "values of integer are never zero_date; they can be out_of_range"),
        ("COLUMN_TYPE=t.dtt:date", "t.dtt:date: the job has no such column (the nearest: t.dt)"),
        ("COLUMN_TYPE=t.id:date", ".id is int(11), which cannot become date"),
    ],
)
def test_a_setting_for_what_there_is_not_stops_the_job(
    mysql: Fresh, postgresql: Fresh, from_either: Callable[..., Run], parameter: str, message: str
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *DATES, "CREATE TABLE labels (e ENUM('a', 'b'))")
    for by in ("link", "dump"):
        run = from_either(by, source, target, parameter)
        assert run.code == 1, run.out
        assert f"UDI-00014: invalid value for parameter, '{parameter.partition('=')[0]}': " in run.err
        assert message in run.err
    where = (f"NETWORK_LINK={source}", remap(source, target), parameter)
    for client in (("plan", "impdp"), ("verify",)):
        run = pump(*client, target, *where)
        assert (run.code, message in run.err) == (1, True), run.err
    assert scalar(target, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0


def test_a_setting_that_has_nothing_to_do_is_remarked(mysql: Fresh, postgresql: Fresh) -> None:
    source, postgres, other = mysql(), postgresql(), mysql()
    execute(source, *DATES, "CREATE TABLE numbers (id INT PRIMARY KEY)")
    run = done(load(source, postgres, "POLICY=zero_date=convert,numbers:zero_date=relax"))
    assert 'POLICY=numbers:zero_date=relax: "' in run.out
    assert '"."numbers" has no column whose values can be that' in run.out
    run = done(load(source, other, "POLICY=t.d:zero_date=convert"))
    assert '"."t".d have a place there as they are' in run.out
    assert scalar(other, "SELECT count(*) FROM t WHERE CAST(d AS CHAR) = '0000-00-00'") == 2


@BY
@pytest.mark.parametrize("where", ["", "t:", "type:string:"])
def test_a_value_acts_in_the_columns_that_take_it(
    mysql: Fresh, postgresql: Fresh, from_either: Callable[..., Run], by: str, where: str
) -> None:
    """No label of an ENUM has NUL, and a value that is no document has no place among documents, where NUL stays refused."""
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b'), s VARCHAR(9), c CHAR(3) CHARACTER SET ascii, m SET('x'))",
        r"INSERT INTO t VALUES (1, 'a', 'a\0b', 'abc', 'x'), (2, 'b', 'c', NULL, '')",
        "CREATE TABLE u (id INT PRIMARY KEY, d DATE, n DOUBLE)",
    )
    run = done(from_either(by, source, target, f"POLICY={where}nul_byte=''", "VERIFY=YES"))
    assert told(run, "nul-byte") == {'"s"': "texts with NUL became '' (1 row)"}
    assert rows(target, "SELECT id, e::text, s FROM t ORDER BY id") == [(1, "a", ""), (2, "b", "c")]


@pytest.mark.parametrize(("infinite", "loaded"), [("n", 2), ("d", 0)])
def test_a_wide_value_is_the_default_in_columns_that_do_not_take_it(
    postgresql: Fresh, mysql: Fresh, infinite: str, loaded: int
) -> None:
    """It is a number, and dates stay refused, where one is infinite."""
    source, target, there = postgresql(), mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, d date, n double precision)",
        f"INSERT INTO t (id, {infinite}) VALUES (1, 'infinity'), (2, NULL)",
    )
    execute(there, "CREATE TABLE t (id INT PRIMARY KEY, d DATE, n DOUBLE)")
    for to in (target, there):
        run = load(source, to, "POLICY=infinity='-999'", "TABLE_EXISTS_ACTION=APPEND")
        assert run.code == (0 if loaded else 5), run.out + run.err
        assert (
            "POLICY=infinity='-999': column \"public\".\"t\".d does not take it ('-999' is not what date writes" in run.out
        )
        assert scalar(to, "SELECT count(*) FROM t") == loaded
        assert told(run, "infinity") == ({'"n"': "infinite values became '-999' (1 row)"} if loaded else {})
    where = (f"NETWORK_LINK={source}", remap(source, mysql()), "POLICY=infinity='-999'", "PROFILE=YES", "--json")
    (finding,) = json.loads(pump("plan", "impdp", target, *where, "TABLE_EXISTS_ACTION=APPEND").out)["profile"][0][
        "findings"
    ]
    assert (finding["column"], finding["action"]) == (infinite, "'-999'" if loaded else "refuse")
    named = load(source, mysql(), "POLICY=t.d:infinity='-999'")
    assert named.code == 1
    assert "MIG-20016" in named.err


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


@pytest.mark.parametrize(
    ("local", "action", "became"),
    [
        (False, "convert", "NULL"),
        (True, "convert", "NULL"),
        (False, "relax", "NULL"),
        (False, "'1900-01-01'", "'1900-01-01'"),
    ],
)
def test_counts_are_exact_whenever_a_job_dies(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path, local: bool, action: str, became: str
) -> None:
    """Every seventh date of 200,000 is zero; the job is killed with some granules done."""
    source, target, name = mysql(), postgresql(), "CONVERTING"
    execute(
        source,
        f"CREATE TABLE t (id INT PRIMARY KEY, d DATE {'NULL' if action == 'convert' else 'NOT NULL'})",
        "SET SESSION sql_mode = ''",
        f"INSERT INTO t SELECT seq, IF(seq MOD 7 = 0, '0000-00-00', '2024-01-01') FROM seq_1_to_{MANY}",
    )
    place = ("MASTER_TABLE=LOCAL",) if local else ()
    where = (f"NETWORK_LINK={source}", remap(source, target), "PARALLEL_THRESHOLD=128K", f"JOB_NAME={name}")
    ledger = (f"DIRECTORY={tmp_path}", "LEDGER=losses")
    recorded = Recorded.of(target, name, local=local)
    with ended(begin("impdp", target, *where, *place, *ledger, f"POLICY=zero_date={action}", cwd=tmp_path)) as process:
        until(lambda: recorded.granules_done() > 2, "a granule")
        kill(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, name, local=local, link=source)
    assert again.returncode == 0, again.stdout
    assert f"zero dates became {became} ({MANY // 7} rows) [zero-date]" in again.stdout
    (entry,) = [e for e in json.loads((tmp_path / "losses.json").read_text())["entries"] if e["rule"] == "zero-date"]
    assert entry["rows"] == MANY // 7
    kept = "SELECT count(*), count(d) FILTER (WHERE d = '2024-01-01') FROM t"
    assert rows(target, kept) == [(MANY, MANY - MANY // 7)]


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
        ("nul_byte=relax", "'relax' is none of refuse, convert, warn, or a value in single quotes: nul_byte"),
        ("collation=relax", "'relax' is none of refuse, convert, warn: collation"),
        ("collation='x'", "'x' is none of refuse, convert, warn: collation"),
        ("nan='1", "no closing quote"),
        ("nan='1''", "no closing quote"),
        ("nan='1'2", "is none of"),
        ("nan=1", "'1' is none of refuse, convert, warn, relax, or a value in single quotes: nan"),
        ("nan='1',nan='2'", "POLICY=nan='1' and POLICY=nan='2' exclude each other"),
    ],
)
def test_what_is_no_policy_is_refused(value: str, message: str) -> None:
    run = pump("impdp", "sqlite:///there.db", "NETWORK_LINK=sqlite:///x.db", f"POLICY={value}")
    assert run.code == 1
    assert message in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
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
