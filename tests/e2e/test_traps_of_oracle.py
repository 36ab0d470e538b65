"""What Oracle holds and others do not: a dump file set as an export from Oracle would write it, loaded into each database.

No server of Oracle is here, and no reader of it yet. So these tests show what becomes of Oracle's declarations and of
values in the form in which they travel; not that they are read so from Oracle: how its ``NUMBER(3)`` rounds 401.78 and its
``FLOAT(5)`` 123.45, that it stores ``''`` as NULL, which text it prints for a year before Christ. What others become *on*
Oracle is shown by scripts that pass its grammar, in the tests of the other sources.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dialects.oracle.types import neutral
from migrator import arrow
from migrator.ddl import Script
from migrator.model import objects as o
from migrator.model.catalog import Catalog
from tests.support import plsql
from tests.support.dumps import exported
from tests.support.moved import Moved, loaded
from tests.support.pump import schema_of
from tests.support.sql import execute, version_at

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]

LEAST, MOST = 2.22507485850720e-308, 1.79e308
"""The numbers at the ends of a BINARY_DOUBLE that others have been seen to lose."""

Rows = Sequence[Sequence[Any]]


def column(name: str, declaration: str, **facts: Any) -> o.Column:
    """A column that Oracle declares so."""
    return o.Column(name, neutral(declaration), native=declaration, **facts)


def table(name: str, columns: Mapping[str, str], **parts: Any) -> o.Table:
    """A table with a key and columns that Oracle declares so."""
    made = (column("id", "NUMBER(9)", nullable=False), *(column(*item) for item in columns.items()))
    return o.Table("hr", name, made, o.PrimaryKey(None, ("id",)), **parts)


def check(name: str, sql: str) -> o.Check:
    return o.Check(name, o.Expression(sql, "oracle"), validated=False)


TABLES: tuple[tuple[o.Table, Rows], ...] = (
    (
        table("numbers", {"any_": "NUMBER", "digits": "NUMBER(38,10)", "hundreds": "NUMBER(3,-2)", "tiny": "NUMBER(2,7)"}),
        [("12345678901234567890.123456789", Decimal("1.5"), "12300", "0.0000012"), ("-0.1", None, "0", None)],
    ),
    (table("long_numbers", {"v": "NUMBER"}), [("1234567890123456789012345678901234567890",), ("1E-130",)]),
    (
        table("whole", {f"n{digits}": f"NUMBER({digits})" for digits in (1, 4, 5, 9, 10, 18, 19, 38)}),
        [[Decimal(sign * int("9" * digits)) for digits in (1, 4, 5, 9, 10, 18, 19, 38)] for sign in (1, -1)],
    ),
    (table("thousands", {"v": "NUMBER(24,-3)", "w": "NUMBER(7,5)"}), [("111111111111111000", Decimal("12.34567"))]),
    (
        table("floats", {"f": "FLOAT(5)", "s": "BINARY_FLOAT", "d": "BINARY_DOUBLE"}),
        [("120", 0.5, LEAST), ("-2", 1.17549435e-38, MOST)],
    ),
    (table("odd_floats", {"d": "BINARY_DOUBLE"}), [(math.nan,), (math.inf,), (1.5,)]),
    (
        table("days", {"d": "DATE", "z": "TIMESTAMP(6) WITH TIME ZONE", "l": "TIMESTAMP(6) WITH LOCAL TIME ZONE"}),
        [(datetime(2024, 2, 29, 23, 59, 59), *[datetime(2020, 10, 25, 4, 30, tzinfo=UTC)] * 2)],
    ),
    (table("nanoseconds", {"t": "TIMESTAMP(9)"}), [("2024-01-01 00:00:00.123456789",), ("2024-01-01 00:00:00.123456000",)]),
    (table("microseconds", {"t": "TIMESTAMP(9)"}), [("2024-01-01 00:00:00.123456000",), (None,)]),
    (
        table("spans", {"m": "INTERVAL YEAR(4) TO MONTH", "s": "INTERVAL DAY(2) TO SECOND(6)"}),
        [("-01-05", "+24 23:34:05.878667"), ("+10-02", "+00 00:00:00.000001"), ("+01-02", None)],
    ),
    (
        table("texts", {"f": "CHAR(10 BYTE)", "v": "VARCHAR2(10 BYTE)", "c": "CLOB", "l": "LONG"}),
        [("ab        ", "äöü€", "", "x"), ("ab        ", "ab", None, None)],
    ),
    (
        table("raws", {"r16": "RAW(16)", "r32": "RAW(32)", "l": "LONG RAW", "b": "BLOB"}),
        [(bytes(range(16)), bytes(range(32)), b"\0\xff", b""), (b"\xff", None, None, None)],
    ),
    (table("ids", {"r": "RAW(16)"}), [(bytes(range(16)),), (None,)]),
    (table("old_rules", {"n": "NUMBER(5)"}, checks=(check("above_zero", "n > 0"),)), [(Decimal(-n),) for n in range(6)]),
)
COUNTED = o.Table(
    "hr",
    "counters",
    (
        column("id", "NUMBER(9)", nullable=False, identity=o.Identity(start=101, increment=101, next_value=404)),
        column("made", "DATE", default=o.Expression("SYSDATE", "oracle")),
        column("code", "VARCHAR2(20)"),
    ),
    o.PrimaryKey(None, ("id",)),
)
EXPORTED = Catalog("oracle", "19", (o.Schema("hr"), *(made for made, _ in TABLES), COUNTED))


def batch(made: o.Table, rows: Rows) -> pa.RecordBatch:
    """Rows as they travel, numbered."""
    numbered = [(Decimal(number), *row) for number, row in enumerate(rows, 1)]
    return arrow.batch_of(
        made.columns,
        [
            pa.array(values, arrow.arrow_type(c.type))
            for values, c in zip(zip(*numbered, strict=True), made.columns, strict=True)
        ],
    )


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the dump file set."""
    directory = tmp_path_factory.mktemp("oracle")
    rows = {made.name: batch(made, rows) for made, rows in TABLES}
    rows["counters"] = batch(COUNTED, [(None, "a"), (None, "b"), (None, "c")])
    exported(directory, EXPORTED, rows)
    return directory


def load(dump: Path, url: str, *arguments: str) -> Moved:
    return loaded(url, dump, f"REMAP_SCHEMA=hr:{schema_of(url)}", *arguments)


@pytest.fixture(scope="module")
def postgresql_(dump: Path, lasting: Callable[[str], str]) -> Moved:
    """The set in PostgreSQL."""
    return load(dump, lasting("postgresql"))


@pytest.fixture(scope="module")
def mysql_(dump: Path, lasting: Callable[[str], str]) -> Moved:
    """The set in MariaDB or MySQL."""
    return load(dump, lasting("mysql"))


@pytest.fixture(scope="module")
def converted(dump: Path, lasting: Callable[[str], str]) -> Moved:
    """The set in MariaDB or MySQL, by a job that changes values as POLICY says."""
    return load(dump, lasting("mysql"), "POLICY=nan=convert,infinity=convert,fraction=convert,out_of_range=convert")


@pytest.fixture(scope="module")
def sqlite(dump: Path, lasting: Callable[[str], str]) -> Moved:
    """The set in SQLite."""
    return load(dump, lasting("sqlite"))


@pytest.fixture(scope="module")
def oracle() -> Script:
    """The set as a script for Oracle itself."""
    return plsql.script(EXPORTED)


def test_only_rows_that_have_no_place_are_refused(
    postgresql_: Moved, mysql_: Moved, converted: Moved, sqlite: Moved
) -> None:
    assert postgresql_.refused == {"nanoseconds"}
    assert mysql_.refused == {"long_numbers", "odd_floats", "nanoseconds"}
    assert converted.refused == set()
    assert sqlite.refused == {"odd_floats"}


# --- numbers --------------------------------------------------------------------------------------------------------


def test_a_number_without_a_precision_is_exact(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.declared("numbers")["any_"] == "numeric"
    assert postgresql_.column("SELECT any_::text FROM numbers ORDER BY id") == ["12345678901234567890.123456789", "-0.1"]
    assert sqlite.column("SELECT any_ FROM numbers ORDER BY id") == ["12345678901234567890.123456789", "-0.1"]
    assert mysql_.column("SELECT any_ FROM numbers ORDER BY id") == [
        Decimal("12345678901234567890.123456789"),
        Decimal("-0.1"),
    ]
    assert "does not fit" in mysql_.losses("numbers", "any_")["type-decimal"]


def test_a_number_that_a_decimal_of_mysql_does_not_hold_is_refused_or_counted(
    postgresql_: Moved, mysql_: Moved, converted: Moved
) -> None:
    assert [Decimal(v) for v in postgresql_.column("SELECT v::text FROM long_numbers ORDER BY id")] == [
        Decimal("1234567890123456789012345678901234567890"),
        Decimal("1E-130"),
    ]
    assert "column long_numbers.v: " in mysql_.why("long_numbers")
    assert converted.column("SELECT v FROM long_numbers ORDER BY id") == [None, Decimal(0)]
    assert converted.counted("long_numbers", "out-of-range") == {"v": 1}
    assert converted.counted("long_numbers", "fraction") == {"v": 1}


def test_a_whole_number_gets_an_integer_that_holds_all_its_digits(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.columns("whole") == (
        "id integer, n1 smallint, n4 smallint, n5 integer, n9 integer, n10 bigint, n18 bigint, n19 numeric(19,0), "
        "n38 numeric(38,0)"
    )
    names = "n1, n4, n5, n9, n10, n18, n19, n38"
    for there in (postgresql_, mysql_):
        found = [[int(value) for value in row] for row in there.rows(f"SELECT {names} FROM whole ORDER BY id")]
        assert found == [[sign * int("9" * digits) for digits in (1, 4, 5, 9, 10, 18, 19, 38)] for sign in (1, -1)]


def test_a_scale_below_zero_or_above_the_precision_is_kept_or_named(
    postgresql_: Moved, mysql_: Moved, sqlite: Moved
) -> None:
    found = (*map(postgresql_.declared("numbers").get, ("hundreds", "tiny")), postgresql_.declared("thousands")["v"])
    if version_at(postgresql_.url) >= 15:
        assert found == ("numeric(3,-2)", "numeric(2,7)", "numeric(24,-3)")
        postgresql_.refuses("INSERT INTO numbers (id, tiny) VALUES (9, 0.001)", "numeric field overflow")
    else:
        assert found == ("numeric", "numeric", "numeric")
        for table, column in (("numbers", "hundreds"), ("numbers", "tiny"), ("thousands", "v")):
            assert "can be declared from PostgreSQL 15 on" in postgresql_.losses(table, column)["type-decimal"]
    for there in (postgresql_, mysql_, sqlite):
        (first, _) = there.rows("SELECT hundreds, tiny FROM numbers ORDER BY id")
        assert tuple(map(Decimal, first)) == (12300, Decimal("0.0000012"))
        ((v, w),) = there.rows("SELECT v, w FROM thousands")
        assert (Decimal(v), Decimal(str(w))) == (111111111111111000, Decimal("12.34567"))
    assert "is not enforced" in mysql_.losses("numbers", "hundreds")["type-decimal"]


def test_a_float_of_oracle_is_a_decimal_and_a_binary_one_is_exact(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.columns("floats") == "id integer, f numeric, s real, d double precision"
    for there in (postgresql_, mysql_, sqlite):
        assert there.column("SELECT d FROM floats ORDER BY id") == [LEAST, MOST]
        assert [Decimal(value) for value in there.column("SELECT f FROM floats ORDER BY id")] == [120, -2]
        assert "not rounded to binary digits" in there.losses("floats", "f")["declaration"]
    assert postgresql_.column("SELECT s FROM floats WHERE id = 1") == [0.5]


def test_not_a_number_and_infinity_are_kept_refused_or_counted(
    postgresql_: Moved, mysql_: Moved, converted: Moved, sqlite: Moved
) -> None:
    assert postgresql_.column("SELECT d::text FROM odd_floats ORDER BY id") == ["NaN", "Infinity", "1.5"]
    assert "column d" in mysql_.why("odd_floats")
    assert "NaN would become NULL" in sqlite.why("odd_floats")
    assert converted.column("SELECT d FROM odd_floats ORDER BY id") == [None, None, 1.5]
    assert converted.counted("odd_floats", "nan") == converted.counted("odd_floats", "infinity") == {"d": 1}


# --- dates and times ------------------------------------------------------------------------------------------------


def test_a_date_keeps_its_time_of_day(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.declared("days")["d"] == "timestamp(0) without time zone"
    for there in (postgresql_, mysql_, sqlite):
        assert str(there.column("SELECT d FROM days")[0]) == "2024-02-29 23:59:59"


def test_an_instant_stays_one_and_the_offset_it_was_written_with_is_named(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.declared("days")["z"] == postgresql_.declared("days")["l"] == "timestamp with time zone"
    assert postgresql_.rows("SELECT (z AT TIME ZONE 'UTC')::text, (l AT TIME ZONE 'UTC')::text FROM days") == [
        ("2020-10-25 04:30:00", "2020-10-25 04:30:00")
    ]
    assert mysql_.rows("SELECT z, l FROM days") == [(datetime(2020, 10, 25, 4, 30),) * 2]
    assert "offset or region" in postgresql_.losses("days", "z")["declaration"]
    assert "time zone than the session's" in postgresql_.losses("days", "l")["declaration"]


def test_nanoseconds_are_refused_or_counted_and_microseconds_are_kept(
    postgresql_: Moved, mysql_: Moved, converted: Moved, sqlite: Moved
) -> None:
    for there in (postgresql_, mysql_):
        assert re.search(r"column (nanoseconds\.)?t: ", there.why("nanoseconds"))
        assert str(there.column("SELECT t FROM microseconds ORDER BY id")[0]) == "2024-01-01 00:00:00.123456"
    assert converted.counted("nanoseconds", "fraction") == {"t": 1}
    assert sqlite.column("SELECT t FROM nanoseconds ORDER BY id") == [
        "2024-01-01 00:00:00.123456789",
        "2024-01-01 00:00:00.123456000",
    ]


def test_spans_of_months_are_months_and_of_days_are_days(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.rows("SELECT m::text, s::text FROM spans ORDER BY id") == [
        ("-1 years -5 mons", "24 days 23:34:05.878667"),
        ("10 years 2 mons", "00:00:00.000001"),
        ("1 year 2 mons", None),
    ]
    assert mysql_.column("SELECT m FROM spans ORDER BY id") == ["-01-05", "+10-02", "+01-02"]
    assert mysql_.losses("spans", "m")["type-interval"] == "an interval becomes its text"


# --- texts and bytes ------------------------------------------------------------------------------------------------


def test_a_length_in_bytes_stays_one_and_blanks_stay(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.declared("texts")["f"] == "character(10)"
    postgresql_.refuses("INSERT INTO texts (id, v) VALUES (9, 'äöüäöü')", "violates check constraint")
    assert postgresql_.column("SELECT octet_length(f) FROM texts ORDER BY id") == [10, 10]
    for there in (postgresql_, mysql_, sqlite):
        assert there.column("SELECT v FROM texts ORDER BY id") == ["äöü€", "ab"]


def test_an_empty_large_object_is_not_null(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    for there in (postgresql_, mysql_, sqlite):
        assert there.column("SELECT c FROM texts ORDER BY id") == ["", None]
        assert there.column("SELECT b FROM raws ORDER BY id") == [b"", None]


def test_raw_bytes_are_never_taken_for_a_uuid(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.columns("raws") == "id integer, r16 bytea, r32 bytea, l bytea, b bytea"
    for there in (postgresql_, mysql_):
        assert there.rows("SELECT r16, r32, l FROM raws ORDER BY id") == [
            (bytes(range(16)), bytes(range(32)), b"\0\xff"),
            (b"\xff", None, None),
        ]


CHOSEN = ("odd_floats.d:text", "nanoseconds.t:text", "ids.r:uuid", "raws.r16:uuid", "numbers.any_:text")


def test_what_has_no_place_is_kept_as_a_text_if_that_is_chosen(dump: Path, lasting: Callable[[str], str]) -> None:
    there = load(dump, lasting("mysql"), "VERIFY=YES", f"COLUMN_TYPE={','.join(CHOSEN)}")
    assert there.column("SELECT d FROM odd_floats ORDER BY id") == ["NaN", "Infinity", "1.5"]
    assert there.column("SELECT t FROM nanoseconds ORDER BY id") == [
        "2024-01-01 00:00:00.123456789",
        "2024-01-01 00:00:00.123456",
    ]
    assert there.column("SELECT any_ FROM numbers ORDER BY id") == ["12345678901234567890.123456789", "-0.1"]


def test_raw_bytes_are_a_uuid_if_that_is_chosen(dump: Path, lasting: Callable[[str], str]) -> None:
    there = load(dump, lasting("postgresql"), "VERIFY=YES", f"COLUMN_TYPE={','.join(CHOSEN)}")
    assert there.column("SELECT r::text FROM ids ORDER BY id") == ["00010203-0405-0607-0809-0a0b0c0d0e0f", None]
    assert "X'FF' has 1 bytes, and a UUID has 16" in there.why("raws")


# --- rules ----------------------------------------------------------------------------------------------------------


def test_a_check_without_validation_holds_for_new_rows_or_is_left_out_by_name(
    postgresql_: Moved, mysql_: Moved, sqlite: Moved, oracle: Script
) -> None:
    for there in (postgresql_, mysql_, sqlite):
        assert there.column("SELECT count(*) FROM old_rules") == [6]
    told = [there.losses("old_rules").get("check", "") for there in (postgresql_, mysql_, sqlite)]
    assert all("above_zero" in detail for detail in told)
    assert any("ENABLE NOVALIDATE" in sql for sql in oracle.statements)


def test_an_identity_goes_on_in_its_steps(postgresql_: Moved, mysql_: Moved) -> None:
    for there in (postgresql_, mysql_):
        execute(there.url, "INSERT INTO counters (code) VALUES ('d')")
        assert there.column("SELECT id FROM counters WHERE code = 'd'") == [404]
    assert "counts by 1, not by 101" in mysql_.losses("counters", "id")["identity"]


def test_a_default_in_oracles_own_words_is_left_out_by_name(postgresql_: Moved, mysql_: Moved, sqlite: Moved) -> None:
    for there in (postgresql_, mysql_, sqlite):
        assert "SYSDATE" in there.losses("counters", "made")["default"]


def test_a_script_for_oracle_itself_loses_nothing_and_passes_the_grammar(oracle: Script) -> None:
    assert oracle.losses == ()
    known = [sql.replace("LONG RAW", "BLOB") for sql in oracle.statements]  # which the grammar is too young for
    assert [sql for sql in known if plsql.errors(sql)] == []
