"""Values out of and into SQLite: exact for each storage class, or refused by the row."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator import arrow
from migrator.errors import ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column
from tests.support.sqlite import Cell, batches, carry, cells, load, make, opened, table_of, values

New = Callable[..., str]

LATE = 3000
"""More NULLs than ADBC looks at when it guesses a type."""


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "late"),
    [
        ("INTEGER", 2**63 - 1),
        ("REAL", -1.5),
        ("TEXT", "é"),
        ("BLOB", b"\0"),
        ("NUMERIC(10,2)", 0.25),
        ("DATE", "2024-02-29"),
    ],
)
def test_a_value_after_thousands_of_nulls_is_read(sqlite_file: New, declared: str, late: Any) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", [(None,)] * LATE + [(late,)]))
    found = values(url, "t", "c")
    assert found[:LATE] == [None] * LATE
    assert str(found[LATE]) == str(late)


@pytest.mark.parametrize("declared", ["INTEGER", "REAL", "TEXT", "BLOB", "NUMERIC(10,2)", "DATETIME", "BOOLEAN", "UUID", ""])
def test_a_column_of_nulls_has_its_type(sqlite_file: New, declared: str) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", [(None,), (None,)]))
    (batch,) = batches(url, "t")
    assert batch.schema.types == [arrow.arrow_type(table_of(url, "t").columns[0].type)]
    assert batch.column(0).null_count == 2


def test_an_empty_table_has_no_batches(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    assert batches(url, "t") == []


def test_text_is_read_whole_with_its_nul_bytes(sqlite_file: New) -> None:
    url = sqlite_file()
    texts = ["", "a\0b", "\0", "日本語", "\ufeff", None]
    make(url, "CREATE TABLE t (c TEXT)", ("INSERT INTO t VALUES (?)", [(text,) for text in texts]))
    assert values(url, "t", "c") == texts


def test_an_empty_blob_is_no_null(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c BLOB)", ("INSERT INTO t VALUES (?)", [(b"",), (None,), (b"\xff" * 3_000_000,)]))
    assert values(url, "t", "c") == [b"", None, b"\xff" * 3_000_000]


def test_large_values_make_small_batches(sqlite_file: New) -> None:
    url = sqlite_file()
    rows = [(b"x" * 1_000_000,) for _ in range(20)]
    make(url, "CREATE TABLE t (c BLOB)", ("INSERT INTO t VALUES (?)", rows))
    assert max(batch.nbytes for batch in batches(url, "t")) <= 2 * arrow.BATCH_BYTES


def test_decimals_are_those_the_floats_stand_for(sqlite_file: New) -> None:
    url = sqlite_file()
    written = ["15.86", "0.99", "-0.01", "99999999.99", "5", "0.1"]
    make(url, "CREATE TABLE t (c NUMERIC(10,2))", ("INSERT INTO t VALUES (?)", [(text,) for text in written]))
    assert values(url, "t", "c") == [Decimal(text).quantize(Decimal("0.01")) for text in written]


def test_a_condition_may_end_in_a_comment(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER)", ("INSERT INTO t VALUES (?)", [(1,), (2,)]))
    (batch,) = batches(url, "t", "c > 1 -- the larger")
    assert batch.column(0).to_pylist() == [2]


# --- values that are not of their column's type ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "fitting", "other", "said"),
    [
        ("INTEGER", 1, "x", "the row with rowid 3001 holds the text 'x'"),
        ("INTEGER", 1, b"\1", "the row with rowid 3001 holds the blob X'01'"),
        ("REAL", 1.5, "x", "the row with rowid 3001 holds the text 'x'"),
        ("TEXT", "x", b"\xff", "the row with rowid 3001 holds the blob X'FF'"),
        ("BLOB", b"\1", "x", "the row with rowid 3001 holds the text 'x'"),
        ("BLOB", b"\1", 7, "the row with rowid 3001 holds the integer 7"),
        ("NUMERIC(10,2)", 1.25, "x", "the row with rowid 3001 holds the text 'x'"),
        ("DATE", "2024-02-29", 7.5, "the row with rowid 3001 holds the real 7.5"),
        ("BOOLEAN", 1, "yes", "the row with rowid 3001 holds the text 'yes'"),
    ],
)
def test_a_value_of_another_storage_class_is_refused_by_its_row(
    sqlite_file: New, declared: str, fitting: Any, other: Any, said: str
) -> None:
    url = sqlite_file()
    rows = [(fitting,)] * LATE + [(other,), (fitting,)]
    make(url, f"CREATE TABLE t (c {declared})", ("INSERT INTO t VALUES (?)", rows))
    with pytest.raises(ValueNotCarried) as caught:
        batches(url, "t")
    assert f"column t.c: {said}" in str(caught.value)


def test_text_that_is_not_utf8_is_refused_by_its_row(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c TEXT)", ("INSERT INTO t VALUES (?)", [("fine",)] * 5))
    with opened(url) as connection:
        connection.execute("INSERT INTO t VALUES (CAST(x'66FF' AS TEXT))")
    with pytest.raises(ValueNotCarried, match=r"the row with rowid 6 holds b'f\\xff', which is not valid UTF-8"):
        batches(url, "t")


def test_a_row_of_a_table_without_rowids_is_named_by_its_key(sqlite_file: New) -> None:
    url = sqlite_file()
    script = "CREATE TABLE t (a TEXT, b INTEGER, c INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID"
    make(url, script, ("INSERT INTO t VALUES (?, ?, ?)", [("k", 7, "x"), ("k", 8, 1)]))
    with pytest.raises(ValueNotCarried, match="the row with b, a 7, k holds the text 'x'"):
        batches(url, "t")


def test_rows_left_out_by_a_condition_are_not_looked_at(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (c INTEGER)", ("INSERT INTO t VALUES (?)", [(1,), ("x",)]))
    (batch,) = batches(url, "t", "typeof(c) = 'integer'")
    assert batch.column(0).to_pylist() == [1]


# --- any value ------------------------------------------------------------------------------------------------------

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False).map(lambda value: value + 0.0)  # minus zero is kept as zero
TEXTS = st.text()
BLOBS = st.binary()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(INTEGERS, FLOATS, TEXTS, BLOBS), max_size=20), holes=st.sets(st.integers(0, 79)))
def test_any_row_comes_back_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], holes: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    source, target = f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db"
    holed = [tuple(None if 4 * i + j in holes else cell for j, cell in enumerate(row)) for i, row in enumerate(rows)]
    make(source, "CREATE TABLE t (i INTEGER, f REAL, s TEXT, b BLOB)", ("INSERT INTO t VALUES (?, ?, ?, ?)", holed))
    assert carry(source, target).refused == {}
    assert cells(target, "t") == cells(source, "t")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stored=st.lists(st.one_of(st.none(), INTEGERS, FLOATS, TEXTS, BLOBS), min_size=1, max_size=6))
def test_any_mixture_comes_back_or_is_refused(tmp_path_factory: pytest.TempPathFactory, stored: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("mixed")
    source, target = f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db"
    make(source, "CREATE TABLE t (a NUMERIC, b, c DATETIME, d BOOLEAN)")
    with opened(source) as connection:
        connection.executemany("INSERT INTO t VALUES (?1, ?1, ?1, ?1)", [(value,) for value in stored])
    carried = carry(source, target)
    if not carried.refused:
        assert by_number(cells(target, "t")) == by_number(cells(source, "t"))
        assert cells(target, "t") == cells(source, "t") or ("floats", "b") in carried.losses


def by_number(rows: list[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Cells with integers and reals that are one number held for equal."""
    return [
        tuple(("number", value) if kind in {"integer", "real"} else (kind, value) for kind, value in row) for row in rows
    ]


# --- loading --------------------------------------------------------------------------------------------------------


def loaded(url: str, declared: str, type_: t.Type, *batch: pa.Array) -> list[Any]:
    """What SQLite holds after arrays of ``type_`` were loaded into a column declared so: storage class and value."""
    make(url, f"CREATE TABLE t (c {declared})")
    column = Column("c", type_)
    load(url, "t", [column], *(arrow.batch_of([column], [array]) for array in batch))
    with opened(url) as connection:
        return [(kind.decode(), value) for kind, value in connection.execute("SELECT typeof(c), c FROM t ORDER BY rowid")]


def test_decimals_are_stored_as_the_nearest_numbers(sqlite_file: New) -> None:
    array = pa.array([Decimal("15.86"), Decimal("2.00"), None], pa.decimal128(10, 2))
    assert loaded(sqlite_file(), "DECIMAL(10,2)", t.Decimal(10, 2), array) == [
        ("real", 15.86),
        ("integer", 2),
        ("null", None),
    ]


def test_long_decimals_are_stored_as_text(sqlite_file: New) -> None:
    array = pa.array([Decimal("12345678901234567890.10")], pa.decimal128(38, 2))
    found = loaded(sqlite_file(), "DECIMAL_TEXT(38,2)", t.Decimal(38, 2), array)
    assert found == [("text", b"12345678901234567890.10")]


def test_a_decimal_that_a_number_does_not_hold_is_refused(sqlite_file: New) -> None:
    array = pa.array([Decimal("12345678901234567.89")], pa.decimal128(38, 2))
    with pytest.raises(ValueNotCarried, match="more than 15 digits"):
        loaded(sqlite_file(), "NUMERIC(38,2)", t.Decimal(38, 2), array)


def test_times_are_iso_text_with_the_digits_of_their_type(sqlite_file: New) -> None:
    instant = pa.array([1_700_000_000_500_000, -1_000], pa.timestamp("us"))
    millis = loaded(sqlite_file("3.db"), "DATETIME(3)", t.Timestamp(3), instant)
    assert millis == [("text", b"2023-11-14 22:13:20.500"), ("text", b"1969-12-31 23:59:59.999")]
    seconds = pa.array([1_700_000_000_000_000], pa.timestamp("us"))
    assert loaded(sqlite_file("0.db"), "DATETIME(0)", t.Timestamp(0), seconds) == [("text", b"2023-11-14 22:13:20")]
    zoned = seconds.cast(pa.timestamp("us", "UTC"))
    found = loaded(sqlite_file("z.db"), "TIMESTAMPTZ(6)", t.Timestamp(zoned=True), zoned)
    assert found == [("text", b"2023-11-14 22:13:20.000000+00:00")]


def test_digits_of_a_second_that_the_type_lacks_are_refused(sqlite_file: New) -> None:
    with pytest.raises(ValueNotCarried, match="more than 0 digits after the second"):
        loaded(sqlite_file(), "DATETIME(0)", t.Timestamp(0), pa.array([1], pa.timestamp("us")))


def test_a_value_that_its_source_holds_as_text_is_kept_as_text(sqlite_file: New) -> None:
    array = pa.array(["0000-00-00", "infinity", "2024-02-29"])
    found = loaded(sqlite_file(), "DATE", t.Date(), array)
    assert found == [("text", b"0000-00-00"), ("text", b"infinity"), ("text", b"2024-02-29")]


@pytest.mark.parametrize("text", ["007", "1.50", "1e3", "12345678901234567890", " 5"])
def test_a_text_that_affinity_would_rewrite_is_refused(sqlite_file: New, text: str) -> None:
    with pytest.raises(ValueNotCarried, match="would become another number's text"):
        loaded(sqlite_file(), "JSON", t.Json(), pa.array([text]))


def test_minus_zero_and_infinity_are_numbers_and_nan_is_refused(sqlite_file: New) -> None:
    found = loaded(sqlite_file("inf.db"), "DOUBLE", t.Float(), pa.array([math.inf, -0.0, 5e-324]))
    assert found == [("real", math.inf), ("real", 0.0), ("real", 5e-324)]
    with pytest.raises(ValueNotCarried, match="NaN would become NULL"):
        loaded(sqlite_file("nan.db"), "DOUBLE", t.Float(), pa.array([math.nan]))


def test_an_unsigned_number_above_int64_is_refused(sqlite_file: New) -> None:
    with pytest.raises(ValueNotCarried):
        loaded(sqlite_file(), "BIGINT UNSIGNED", t.Integer(64, unsigned=True), pa.array([2**63], pa.uint64()))
