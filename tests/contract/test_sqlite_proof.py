"""The rows of a SQLite column decide its neutral type; what its declaration did not say is a loss."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from dialects.sqlite.apart import asked_apart
from migrator.adapter import load_adapter
from migrator.ends import Database, database_errors
from migrator.errors import DatabaseError, MigratorError
from migrator.model import types as t
from migrator.model.objects import Table
from migrator.origins import database_origin
from migrator.spec import JobSpec, TableName
from tests.support.sqlite import catalog, make, table_of

New = Callable[..., str]


@pytest.mark.parametrize(
    ("declared", "stored", "expected"),
    [
        ("INT", [1, -(2**31), None], t.Integer(32)),
        ("INTEGER", [2**63 - 1, -(2**63)], t.Integer(64)),
        ("INT UNSIGNED", [2**32 - 1, 0], t.Integer(32, unsigned=True)),
        ("BOOLEAN", [0, 1, None], t.Boolean()),
        ("REAL", [1, 2.5], t.Float()),
        ("NUMERIC", [1, 2.5, 2**53], t.Float()),
        ("NUMERIC", [float(2**53 + 2), 2.0**62, -(2.0**63), 1.5], t.Float()),
        ("FLOAT4", [0.5, -(2.0**127), 2.0**-149, 3.4028234663852886e38, 0.10000000149011612, float("inf"), 7], t.Float(32)),
        ("DECIMAL(10,2)", [0.1, 15.86, 99999999.99, -7], t.Decimal(10, 2)),
        ("DECIMAL(20,0)", [2**60, -1], t.Decimal(20, 0)),
        ("DECIMAL(20,6)", [0.1, 123456789.123456], t.Decimal(20, 6)),
        ("VARCHAR(3)", ["abc", "日本語", ""], t.String(3)),
        ("CHAR(3)", ["abc", "日本語", None], t.String(3)),
        ("CHAR(3)", ["abc", "a"], t.String(3)),
        ("BLOB", [b"", b"\xff"], t.Binary()),
        ("DATE", ["2024-02-29", "0001-01-01", None], t.Date()),
        ("DATETIME", ["2024-02-29 12:00:00", "1969-12-31 23:59:59"], t.Timestamp(0)),
        ("DATETIME", ["2024-02-29 12:00:00.123"], t.Timestamp(3)),
        ("DATETIME(6)", ["2024-02-29 12:00:00.123456"], t.Timestamp(6)),
        ("TIMESTAMPTZ", ["2024-02-29 12:00:00.5+00:00"], t.Timestamp(1, zoned=True)),
        ("TIME", ["23:59:59", "00:00:00"], t.Time(0)),
        ("TIMETZ", ["23:59:59+02", "10:20:30.5-05:30", "24:00:00-12", "00:00:00+00:19:32", None], t.Time(zoned=True)),
        ("TIMETZ", ["24:00:00.0+00", "00:00:00-15:59:59", "10:20:30+15"], t.Time(zoned=True)),
        ("YEAR", [0, 1901, 2155], t.Year()),
        ("JSON", ['{"a": 1}', "null", None], t.Json()),
        ("UUID", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], t.Uuid()),
        ("DATETIME", [], t.Timestamp()),
        ("", [], t.String()),
    ],
)
def test_values_of_the_declared_type_keep_it_without_a_loss(
    sqlite_file: New, declared: str, stored: list[Any], expected: t.Type
) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", [(value,) for value in stored]))
    assert catalog(url).losses == ()
    assert table_of(url, "t").columns[0].type == expected


@pytest.mark.parametrize(
    ("declared", "stored", "expected", "rule", "rows"),
    [
        ("SMALLINT", [1, 70_000], t.Integer(24), "integers", 1),
        ("INT", [1, 2**40, 2**41], t.Integer(64), "integers", 2),
        ("INT UNSIGNED", [-1], t.Integer(32), "integers", 1),
        ("BOOLEAN", [0, 2], t.Integer(64), "integers", 1),
        ("INTEGER", [1, 1.5], t.Float(), "floats", 1),
        ("DECIMAL(10,2)", [0.1, 0.125, 1e9], t.Float(), "floats", 2),
        ("DECIMAL(20,6)", [0.1 + 0.2], t.Float(), "floats", 1),
        ("INTEGER", ["a", "b", None], t.String(), "texts", 2),
        ("VARCHAR(2)", ["abcd", "abc", "ab"], t.String(4), "longer-text", 2),
        ("BLOB", ["a"], t.String(), "texts", 1),
        ("TEXT", [b"a"], t.Binary(), "blobs", 1),
        ("DATETIME", ["2024-02-29"], t.Date(), "dates", 1),
        ("DATE", ["2024-02-29 12:00:00.25"], t.Timestamp(2), "timestamps", 1),
        ("DATETIME", [1_700_000_000], t.Integer(64), "integers", 1),
        ("DATETIME", [1.5, 2], t.Float(), "floats", 2),
        ("DATETIME", ["2024-02-29 12:00:00", "yesterday"], t.String(), "texts", 1),
        ("DATE", ["2023-02-29"], t.String(), "texts", 1),
        ("DATETIME", ["2024-02-29 12:00:00", 0], t.String(), "dates-as-text", 1),
        ("TIME", ["24:00:00"], t.String(), "texts", 1),
        ("TIMETZ", ["10:20:30+02", "now"], t.String(), "texts", 1),
        ("TIMETZ", ["10:20:30", "10:20+02", "23:59:60+00", "10:20:30.+02", "10:20:30+2"], t.String(), "texts", 5),
        ("TIMETZ", ["24:00:00.5+00", "24:00:01+00", "24:00:00.000001-15"], t.String(), "texts", 3),
        ("TIMETZ", ["10:20:30+16", "10:20:30+99", "10:20:30-02:60", "10:20:30+02:00:60"], t.String(), "texts", 4),
        ("JSON", ["{"], t.String(), "texts", 1),
        ("UUID", ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"], t.String(), "texts", 1),
        ("YEAR", [1900], t.Integer(64), "integers", 1),
        ("", [1, 2], t.Integer(64), "integers", 2),
        ("", [b"a"], t.Binary(), "blobs", 1),
    ],
)
def test_values_of_one_other_type_choose_it_with_a_counted_loss(
    sqlite_file: New, declared: str, stored: list[Any], expected: t.Type, rule: str, rows: int
) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", [(value,) for value in stored]))
    (loss,) = catalog(url).losses
    assert (loss.object, loss.column, loss.rule, loss.rows) == ('TABLE:"main"."t"', "c", rule, rows)
    assert table_of(url, "t").columns[0].type == expected


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("INTEGER", [1, "a"]),
        ("TEXT", ["a", b"a"]),
        ("REAL", [1.5, b"a"]),
        ("NUMERIC", [2**53 + 1, 1.5]),
        ("NUMERIC", [2**63 - 1, 1.5]),
        ("DATETIME", ["2024-02-29 12:00:00", 1.5]),
        ("", ["a", 1]),
    ],
)
def test_values_without_a_common_type_keep_the_declared_one_and_are_named(
    sqlite_file: New, declared: str, stored: list[Any]
) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", [(value,) for value in stored]))
    (loss,) = catalog(url).losses
    assert loss.rule == "mixed-storage"
    assert table_of(url, "t").columns[0].type == table_of(url, "t", proof=False).columns[0].type


def test_timestamps_written_in_several_ways_are_a_loss(sqlite_file: New) -> None:
    url = sqlite_file()
    rows = [("2024-02-29T12:00:00",), ("2024-02-29 12:00:00.5",)]
    make(url, "CREATE TABLE t (c DATETIME)", ("INSERT INTO t VALUES (?)", rows))
    (loss,) = catalog(url).losses
    assert (loss.rule, loss.rows) == ("timestamp-spelling", 1)
    assert table_of(url, "t").columns[0].type == t.Timestamp(1)


def test_a_primary_key_that_holds_nulls_becomes_a_unique_constraint(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (a TEXT PRIMARY KEY)", ("INSERT INTO t VALUES (?)", [(None,), (None,), ("a",)]))
    (loss,) = catalog(url).losses
    assert (loss.rule, loss.rows) == ("null-in-key", 2)
    table = table_of(url, "t")
    assert table.primary_key is None
    assert [unique.columns for unique in table.uniques] == [("a",)]
    assert table.columns[0].nullable


def test_a_key_without_nulls_takes_them_as_far_as_it_is_declared(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (a TEXT PRIMARY KEY)", ("INSERT INTO t VALUES (?)", [("a",)]))
    make(url, "CREATE TABLE u (a TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE v (a TEXT PRIMARY KEY) STRICT")
    nullable = {name: table_of(url, name).columns[0].nullable for name in ("t", "u", "v")}
    assert nullable == {"t": True, "u": False, "v": False}
    assert table_of(url, "t").primary_key is not None


def test_without_proof_no_row_is_read(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER)", ("INSERT INTO t VALUES (?)", [("a",)]))
    without = catalog(url, proof=False)
    assert without.losses == ()
    assert table_of(url, "t", proof=False).rows is None


def test_a_job_looks_at_the_rows_of_its_own_tables_only(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER); CREATE TABLE u (c INTEGER); INSERT INTO t VALUES (1); INSERT INTO u VALUES ('a')")
    spec = JobSpec("EXPORT", "TABLE", url, Path("/"), tables=(TableName(None, "t"),))
    with database_origin(spec, Database(sa.make_url(url))) as origin:
        seen = {table.name: table.rows for table in origin.found.of(Table)}
    assert seen == {"t": 1, "u": None}


@pytest.mark.parametrize(
    "value", [0.29, 1.005, 9999999.99, 99999999.994, -0.07, 0.285, 2.675, 1e15, -(1e8), 5, "x", b"x", None]
)
def test_a_number_is_a_decimal_where_it_is_the_one_nearest_to_it(sqlite_file: New, value: Any) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c DECIMAL(10,2))", ("INSERT INTO t VALUES (?)", [(value,)]))
    number = None if value is None else value if isinstance(value, str | bytes) else Decimal(repr(value))
    held = number is None or (isinstance(number, Decimal) and round(number, 2) == number and abs(number) < 10**8)
    assert (table_of(url, "t").columns[0].type == t.Decimal(10, 2)) is held


def test_a_table_of_hundreds_of_columns_is_proven(sqlite_file: New) -> None:
    url = sqlite_file()
    columns = ", ".join(f"c{i} {'INTEGER' if i % 2 else 'DATETIME'}" for i in range(700))
    make(url, f"CREATE TABLE t ({columns})", ("INSERT INTO t (c699, c698) VALUES (?, ?)", [("x", "2024-02-29 12:00:00")]))
    table = table_of(url, "t")
    assert (table.rows, table.columns[699].type, table.columns[698].type) == (1, t.String(), t.Timestamp(0))


@pytest.mark.parametrize(
    "declared",
    ["rowid TEXT, ", 'id INTEGER PRIMARY KEY, "rowid" TEXT, ', "rowid TEXT, _rowid_ TEXT, oid TEXT, ", ""],
    ids=["a column rowid", "another rowid", "no word for it", "a rowid"],
)
def test_two_halves_of_a_table_say_what_the_whole_does(
    sqlite_file: New, declared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_file()
    first, last = ("2024-02-29 12:00:00", "x", 1, 1.5), ("2024-02-29T12:00:00.123", "longer", None, "text")
    rows = [(at, *values) for at, values in ((-5, first), (0, (None,) * 4), (9000, last), (2**60, last))]
    insert = ("INSERT INTO t (key, at, label, n, mixed) VALUES (?, ?, ?, ?, ?)", rows)
    make(url, f"CREATE TABLE t ({declared}key INTEGER, at DATETIME, label VARCHAR(3), n INTEGER, mixed REAL)", insert)
    make(url, "CREATE TABLE empty (n INTEGER)")
    if "oid" not in declared:
        make(url, "UPDATE t SET {} = key".format("_rowid_" if "rowid" in declared else "rowid"))
    monkeypatch.setattr("dialects.sqlite.dictionary._LARGE", 2**62)
    whole = catalog(url)
    monkeypatch.setattr("dialects.sqlite.dictionary._LARGE", 1)
    assert catalog(url) == whole
    assert {loss.column: loss.rows for loss in whole.losses} == {"at": 2, "label": 2, "mixed": 2}


def test_a_half_that_cannot_be_read_is_the_error_that_the_whole_is(
    sqlite_file: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (n INTEGER, v TEXT)", ("INSERT INTO t VALUES (?, ?)", [(n, "x" * 900) for n in range(200)]))
    file = Path(sa.make_url(url).database or "")
    whole = file.read_bytes()
    at, size = len(whole) * 7 // 10, len(whole) // 10
    file.write_bytes(whole[:at] + b"\xff" * size + whole[at + size :])
    errors = []
    for large in (2**62, 1):
        monkeypatch.setattr("dialects.sqlite.dictionary._LARGE", large)
        with pytest.raises(MigratorError, match="malformed") as caught, database_errors(load_adapter("sqlite")):
            catalog(url)
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT max(i) FROM n"
_WAITING = f"""
import signal, sqlalchemy as sa, sys
from dialects.sqlite.apart import asked_apart
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have been told to ignore it
with asked_apart(sa.make_url(sys.argv[1]), {_ENDLESS!r}) as answer:
    print("runs", flush=True)
    answer()
"""


def half_of(parent: int) -> psutil.Process:
    """The process that runs a query apart, of which there is one."""
    children = (process for process in psutil.process_iter(["ppid", "cmdline"]) if process.info["ppid"] == parent)
    (found,) = (child for child in children if "end_with_parent" in " ".join(child.info["cmdline"] or ()))
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_process_of_a_half_ends_with_its_parent(sqlite_file: New, number: signal.Signals) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (n INTEGER)")
    command = [sys.executable, "-c", _WAITING, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "runs\n"
            half = half_of(parent.pid)
            parent.send_signal(number)
            half.wait(timeout=20)
        finally:
            parent.kill()
    assert not half.is_running()


def test_no_process_stays_when_nobody_waits_for_the_other_half(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (n INTEGER)")
    with asked_apart(sa.make_url(url), _ENDLESS):
        half = half_of(os.getpid())
    assert not half.is_running()


def test_a_half_whose_process_is_killed_is_an_error_that_says_so(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (n INTEGER)")
    with asked_apart(sa.make_url(url), _ENDLESS) as answer:
        half_of(os.getpid()).kill()
        with pytest.raises(DatabaseError, match="the process that reads half of the rows has ended with -9"):
            answer()
