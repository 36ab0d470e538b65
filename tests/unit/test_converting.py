"""Values that have no place at the target: each kind is found, changed and counted, and nothing else is."""

from __future__ import annotations

import pickle
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator import arrow
from migrator.adapter import load_adapter
from migrator.between import passage
from migrator.converting import FINDERS, Converter, Counts, check_value, converter, pair_of, recalled, recorded
from migrator.errors import ValueNotCarried
from migrator.model import types as t
from migrator.model.catalog import Action
from migrator.model.misfits import Misfit
from migrator.model.objects import Column
from migrator.policies import CASES


def between(
    source: t.Type,
    target: t.Type,
    misfit: Misfit,
    there: str = "postgresql",
    *,
    here: str = "sqlite",
    action: Action = "convert",
    nullable: bool = True,
    native: str = "",
) -> Converter | None:
    """What converts a column ``c`` between two databases."""
    columns = ((Column("c", source),), (Column("c", target, nullable=nullable, native=native),))
    return converter(*columns, [{misfit: action}], load_adapter(here), load_adapter(there))


def converted(made: Converter | None, array: pa.Array) -> tuple[pa.Array, Counts]:
    """The array after its conversion, and what was counted."""
    assert made is not None
    counts = Counts()
    return made.convert(pa.record_batch([array], names=["c"]), counts).column(0), counts


US = pa.timestamp("us")
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("misfit", "there", "source", "target", "values", "expected", "rows"),
    [
        ("zero_date", "postgresql", t.Date(), t.Date(), ["2024-02-29", "0000-00-00", None],
         [date(2024, 2, 29), None, None], 1),
        (
            "zero_date", "postgresql", t.Timestamp(3), t.Timestamp(3),
            ["0000-00-00 00:00:00.000", "0000-00-00 00:00:00", "0009-01-01 00:00:01"],
            [None, None, datetime(9, 1, 1, 0, 0, 1)], 2,
        ),
        ("zero_date", "postgresql", t.String(10), t.Date(), ["0000-00-00", "x"], [None, "x"], 1),
        (
            "partial_date", "postgresql", t.Date(), t.Date(),
            ["2025-00-10", "2025-10-00", "2025-02-29", "2024-02-29", "0000-00-00", "2025-13-01", None],
            [None, None, None, "2024-02-29", "0000-00-00", None, None], 4,
        ),
        ("partial_date", "postgresql", t.Timestamp(0), t.Timestamp(0), ["2025-00-10 01:02:03"], [None], 1),
        ("infinity", "mysql", t.Timestamp(), t.Timestamp(), ["infinity", "-infinity", "2024-01-01 00:00:00"],
         [None, None, datetime(2024, 1, 1)], 2),
        ("infinity", "mysql", t.Float(), t.Float(), [INF, -INF, 1.5, None], [None, None, 1.5, None], 2),
        ("infinity", "postgresql", t.Decimal(), t.Decimal(5, 2), ["Infinity", "1.5"], [None, "1.5"], 1),
        ("nan", "mysql", t.Float(32), t.Float(32), pa.array([NAN, 2.5], pa.float32()), [None, 2.5], 1),
        ("nan", "sqlite", t.Float(), t.Float(), [NAN, INF], [None, INF], 1),
        ("nan", "mysql", t.Decimal(5, 2), t.Decimal(5, 2), ["NaN", "1.25"], [None, Decimal("1.25")], 1),
        ("fraction", "postgresql", t.Decimal(9, 3), t.Decimal(9, 2), [Decimal("1.005"), Decimal("-1.005"), Decimal("1.100")],
         [Decimal("1.010"), Decimal("-1.010"), Decimal("1.100")], 2),
        ("fraction", "postgresql", t.Decimal(3, 2), t.Integer(16), [Decimal("9.99"), Decimal("2.00"), None],
         [Decimal("10.00"), Decimal("2.00"), None], 1),
        ("fraction", "postgresql", t.Decimal(), t.Decimal(9, 2), ["1.005", "1e-9", "1E+3", "NaN", "2.10", None],
         ["1.01", "0.00", "1E+3", "NaN", "2.10", None], 2),
        ("fraction", "postgresql", t.Decimal(6, 0), t.Decimal(6, -2), [Decimal(149), Decimal(250), Decimal(300)],
         [Decimal(100), Decimal(300), Decimal(300)], 2),
        ("fraction", "postgresql", t.Float(), t.Integer(32), [1.5, -0.4, 7.0, NAN, None], [2.0, -0.0, 7.0, NAN, None], 2),
        ("fraction", "postgresql", t.Float(), t.Decimal(9, 1), [0.25, 1e-20, 3.0], [0.3, 0.0, 3.0], 2),
        ("fraction", "postgresql", t.Float(64), t.Float(32), [0.5, 0.1, 1e39, None],
         [0.5, 0.10000000149011612, 1e39, None], 1),
        ("fraction", "postgresql", t.Timestamp(6), t.Timestamp(3),
         [datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2024, 1, 1, 0, 0, 0, 125000)],
         [datetime(1969, 12, 31, 23, 59, 59, 999000), datetime(2024, 1, 1, 0, 0, 0, 125000)], 1),
        ("fraction", "mysql", t.Time(6), t.Time(0), [time(23, 59, 59, 500000), time(1), None],
         [time(23, 59, 59), time(1), None], 1),
        ("fraction", "mysql", t.Interval("day_second", 6), t.Interval("day_second", 0),
         ["-838:59:58.000001", "24:00:00.000000", "00:00:00"], ["-838:59:58", "24:00:00.000000", "00:00:00"], 1),
        ("out_of_range", "postgresql", t.Integer(64), t.Integer(16), [32767, 32768, -32768, -32769, None],
         [32767, None, -32768, None, None], 2),
        ("out_of_range", "mysql", t.Integer(32), t.Integer(32, unsigned=True),
         pa.array([-1, 0, 5], pa.int32()), [None, 0, 5], 1),
        ("out_of_range", "sqlite", t.Integer(64, unsigned=True), t.Integer(64, unsigned=True),
         pa.array([2**63 - 1, 2**63], pa.uint64()), [2**63 - 1, None], 1),
        ("out_of_range", "postgresql", t.Decimal(9, 2), t.Decimal(4, 2), [Decimal("99.99"), Decimal("-100.00")],
         [Decimal("99.99"), None], 1),
        ("out_of_range", "postgresql", t.Decimal(20, 0), t.Integer(64), [Decimal(2**63 - 1), Decimal(2**63)],
         [Decimal(2**63 - 1), None], 1),
        ("out_of_range", "postgresql", t.Decimal(), t.Integer(8), ["127", "128", "1e3", "-129", "-128", "x", None],
         ["127", None, None, None, "-128", "x", None], 3),
        ("out_of_range", "postgresql", t.Decimal(), t.Decimal(2, 2), ["0.99", "1", "-1.0", "NaN"],
         ["0.99", None, None, "NaN"], 2),
        ("out_of_range", "postgresql", t.Boolean(), t.Decimal(2, 2), [True, False, None], [None, False, None], 1),
        ("out_of_range", "postgresql", t.Float(), t.Integer(64), [2.0**63, -(2.0**63), NAN, 1.0],
         [None, -(2.0**63), NAN, 1.0], 1),
        ("out_of_range", "postgresql", t.Float(64), t.Float(32), [1e39, -1e39, 1.5, INF], [None, None, 1.5, INF], 2),
        ("out_of_range", "mysql", t.Date(), t.Date(), ["0044-03-15 BC", "12024-01-01", "9999-12-31"],
         [None, None, date(9999, 12, 31)], 2),
        ("out_of_range", "postgresql", t.Date(), t.Date(), ["0000-01-01", "0000-00-00", "0000-00-05", "0001-01-01"],
         [None, "0000-00-00", "0000-00-05", "0001-01-01"], 1),
        ("out_of_range", "postgresql", t.Timestamp(), t.Timestamp(), ["0000-05-05 12:00:00", "12024-01-01 00:00:00"],
         [None, "12024-01-01 00:00:00"], 1),
        ("too_long", "postgresql", t.String(), t.String(3), ["äöüß", "äöü", "", None], ["äöü", "äöü", "", None], 1),
        ("too_long", "mysql", t.String(10), t.String(4, unit="byte"), ["aäöü", "abcd"], ["aä", "abcd"], 1),
        ("too_long", "postgresql", t.Binary(), t.Binary(2), [b"\0\1\2", b"\0\1"], [b"\0\1", b"\0\1"], 1),
        ("nul_byte", "postgresql", t.String(), t.String(), ["a\0b\0", "ab", None], ["ab", "ab", None], 1),
        ("nul_byte", "postgresql", t.Json(), t.Json(binary=True),
         ['{"a": "\\u0000\\u0000x"}', '"\\\\u0000"', '"\\\\\\u0000"', None],
         ['{"a": "x"}', '"\\\\u0000"', '"\\\\"', None], 2),
        ("nul_byte", "postgresql", t.Json(), t.Json(), ['"\\u0000"', '"\0"'], ['"\\u0000"', '""'], 1),
        ("invalid_bytes", "sqlite", t.String(), t.String(), [b"caf\xe9", "ü".encode(), None],
         ["caf\ufffd", "ü", None], 1),
    ],
)  # fmt: skip
def test_what_has_no_place_is_changed_and_counted(
    misfit: str, there: str, source: t.Type, target: t.Type, values: Any, expected: list[Any], rows: int
) -> None:
    kind = {t.Float: pa.float64(), t.Integer: pa.int64()}.get(type(source))
    array = values if isinstance(values, pa.Array) else pa.array(values, kind) if kind else pa.array(values)
    here = "postgresql" if misfit in {"nan", "infinity"} else "sqlite"
    found, counts = converted(between(source, target, Misfit(misfit), there, here=here), array)
    shown = [repr(value) for value in found.to_pylist()]
    assert shown == [repr(value) for value in expected]
    assert counts == ({("c", misfit, "convert"): rows} if rows else {})


def test_every_case_has_a_finder_and_a_row() -> None:
    assert list(CASES) == list(Misfit)
    assert [*FINDERS, Misfit.COLLATION] == list(Misfit), "which is about no value"


def test_the_action_is_recorded_with_the_count() -> None:
    _, counts = converted(between(t.Date(), t.Date(), Misfit.ZERO_DATE, action="warn"), pa.array(["0000-00-00"] * 3))
    assert recorded(counts) == {"converted": [{"column": "c", "case": "zero_date", "policy": "warn", "rows": 3}]}
    assert recalled(recorded(counts)) == counts
    assert recorded(Counts()) == {}


@pytest.mark.parametrize("misfit", list(Misfit))
def test_what_is_refused_is_not_touched(misfit: Misfit) -> None:
    assert between(t.String(), t.Date(), misfit, "mysql", action="refuse") is None


@pytest.mark.parametrize(
    ("misfit", "source", "target", "here", "there"),
    [
        (Misfit.ZERO_DATE, t.Date(), t.Date(), "postgresql", "postgresql"),
        (Misfit.ZERO_DATE, t.Date(), t.String(), "mysql", "postgresql"),
        (Misfit.ZERO_DATE, t.Date(), t.Date(), "mysql", "sqlite"),
        (Misfit.ZERO_DATE, t.Date(), t.Date(), "mysql", "mysql"),
        (Misfit.INFINITY, t.Float(), t.Float(), "sqlite", "postgresql"),
        (Misfit.NAN, t.Decimal(5, 2), t.Decimal(5, 2), "mysql", "sqlite"),
        (Misfit.OUT_OF_RANGE, t.Integer(16), t.Integer(32), "mysql", "postgresql"),
        (Misfit.OUT_OF_RANGE, t.Boolean(), t.Decimal(3, 2), "postgresql", "postgresql"),
        (Misfit.OUT_OF_RANGE, t.Boolean(), t.Float(32), "postgresql", "postgresql"),
        (Misfit.OUT_OF_RANGE, t.Integer(64, unsigned=True), t.Decimal(20, 0), "mysql", "postgresql"),
        (Misfit.FRACTION, t.Decimal(5, 2), t.Decimal(9, 2), "mysql", "postgresql"),
        (Misfit.FRACTION, t.Timestamp(3), t.Timestamp(6), "mysql", "postgresql"),
        (Misfit.TOO_LONG, t.String(5), t.String(20, unit="byte"), "mysql", "postgresql"),
        (Misfit.NUL_BYTE, t.String(), t.String(), "mysql", "sqlite"),
        (Misfit.NUL_BYTE, t.Binary(), t.Binary(), "mysql", "postgresql"),
        (Misfit.INVALID_BYTES, t.String(), t.String(), "postgresql", "postgresql"),
        (Misfit.INVALID_BYTES, t.Binary(), t.Binary(), "sqlite", "postgresql"),
    ],
)
def test_columns_that_cannot_have_such_values_are_not_looked_at(
    misfit: Misfit, source: t.Type, target: t.Type, here: str, there: str
) -> None:
    found = between(source, target, misfit, there, here=here)
    assert found is None or not found.changes


def test_a_column_that_both_databases_declare_alike_keeps_all_it_had() -> None:
    """SQLite binds no value by VARCHAR(3)."""
    columns = (Column("c", t.String(30), native="VARCHAR(3)"),), (Column("c", t.String(3), native="VARCHAR(3)"),)
    sqlite = load_adapter("sqlite")
    assert converter(*columns, [{Misfit.TOO_LONG: "convert"}], sqlite, sqlite) is None


def test_null_in_a_column_that_takes_none_is_refused_with_its_value() -> None:
    made = between(t.Date(), t.Date(), Misfit.ZERO_DATE, nullable=False)
    with pytest.raises(ValueNotCarried, match=r"column c: '0000-00-00' \(zero_date\) would become NULL"):
        converted(made, pa.array(["2024-01-01", "0000-00-00"]))
    assert converted(made, pa.array(["2024-01-01"]))[1] == {}


# --- values of one's own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misfit", "here", "there", "source", "target", "action", "array", "expected", "rows"),
    [
        ("zero_date", "mysql", "postgresql", t.Date(), t.Date(), "'1900-01-01'",
         pa.array(["0000-00-00", "2020-01-01", None]), [date(1900, 1, 1), date(2020, 1, 1), None], 1),
        ("zero_date", "mysql", "postgresql", t.Date(), t.Date(), "'-infinity'",
         pa.array(["0000-00-00", "2020-01-01"]), ["-infinity", "2020-01-01"], 1),
        ("zero_date", "mysql", "postgresql", t.Timestamp(3), t.Timestamp(3), "'1900-01-01'",
         pa.array(["0000-00-00 00:00:00", None]), [datetime(1900, 1, 1), None], 1),
        ("zero_date", "mysql", "postgresql", t.Timestamp(zoned=True), t.Timestamp(zoned=True), "'12024-01-01'",
         pa.array(["0000-00-00 00:00:00", None]), ["12024-01-01 00:00:00+00", None], 1),
        ("zero_date", "mysql", "postgresql", t.Timestamp(), t.Timestamp(), "'0044-03-15 BC'",
         pa.array(["0000-00-00 00:00:00", None]), ["0044-03-15 00:00:00 BC", None], 1),
        ("infinity", "postgresql", "mysql", t.Float(), t.Float(), "'-999'",
         pa.array([1.5, INF, -INF]), [1.5, -999.0, -999.0], 2),
        ("infinity", "postgresql", "mysql", t.Decimal(), t.Decimal(65, 30), "'-999'",
         pa.array(["1.50", "Infinity", None]), ["1.50", "-999", None], 1),
        ("nan", "postgresql", "sqlite", t.Float(), t.Float(), "'0'", pa.array([NAN, 1.0]), [0.0, 1.0], 1),
        ("fraction", "mysql", "postgresql", t.Decimal(9, 4), t.Decimal(9, 2), "'1.25'",
         pa.array([Decimal("1.5"), Decimal("2.3456")], pa.decimal128(9, 4)), [Decimal("1.5"), Decimal("1.25")], 1),
        ("fraction", "postgresql", "mysql", t.Timestamp(6), t.Timestamp(0), "'2000-01-01'",
         pa.array([1, 2_000_000], US), [datetime(2000, 1, 1), datetime(1970, 1, 1, 0, 0, 2)], 1),
        ("out_of_range", "postgresql", "mysql", t.Integer(64), t.Integer(16), "'-1'", pa.array([1, 70_000]), [1, -1], 1),
        ("too_long", "postgresql", "mysql", t.String(), t.String(4), "'it''s'", pa.array(["a", "abcde"]), ["a", "it's"], 1),
        ("too_long", "postgresql", "mysql", t.Binary(), t.Binary(2), "'ab'", pa.array([b"abc", b"x"]), [b"ab", b"x"], 1),
        ("nul_byte", "mysql", "postgresql", t.String(), t.String(), "''", pa.array(["a\0", "b"]), ["", "b"], 1),
        ("empty_text", "mysql", "oracle", t.String(), t.String(3), "'-'", pa.array(["", "b", None]), ["-", "b", None], 1),
    ],
)  # fmt: skip
def test_a_value_of_ones_own_is_put_instead(
    misfit: str,
    here: str,
    there: str,
    source: t.Type,
    target: t.Type,
    action: str,
    array: pa.Array,
    expected: list[Any],
    rows: int,
) -> None:
    """In a column that is NOT NULL, too."""
    made = between(source, target, Misfit(misfit), there, here=here, action=action, nullable=False)
    found, counts = converted(made, array)
    assert found.to_pylist() == expected
    assert counts == {("c", misfit, action): rows}
    assert recalled(recorded(counts)) == counts


@pytest.mark.parametrize(
    ("source", "target", "there", "value", "why"),
    [
        (t.Date(), t.Date(), "postgresql", "1900-01-01", None),
        (t.Date(), t.Date(), "postgresql", "-infinity", None),
        (t.Date(), t.Date(), "mysql", "-infinity", "infinity"),
        (t.Date(), t.Date(), "mysql", "0000-00-00", None),
        (t.Date(), t.Date(), "postgresql", "0000-00-00", "zero_date"),
        (t.Date(), t.Date(), "mysql", "1900-02-30", "partial_date"),
        (t.Date(), t.Date(), "mysql", "11111-01-01", "out_of_range"),
        (t.Date(), t.Date(), "postgresql", "yesterday", "is not what"),
        (t.Timestamp(), t.Timestamp(), "postgresql", "1900-01-01", None),
        (t.Timestamp(0), t.Timestamp(0), "postgresql", "1900-01-01 00:00:00.5", "fraction"),
        (t.String(), t.Timestamp(), "postgresql", "1900-01-01", None),
        (t.Timestamp(), t.Date(), "postgresql", "1900-01-01", None),
        (t.Integer(64), t.Integer(16), "postgresql", "-1", None),
        (t.Integer(64), t.Integer(16), "postgresql", "40000", "no whole number from"),
        (t.Integer(64), t.Integer(16), "postgresql", "4.5", "is not what"),
        (t.Decimal(9, 4), t.Decimal(9, 2), "postgresql", "1.25", None),
        (t.Decimal(9, 4), t.Decimal(9, 2), "postgresql", "1.255", "data loss"),
        (t.Decimal(), t.Decimal(9, 2), "postgresql", "NaN", None),
        (t.Decimal(), t.Decimal(9, 2), "mysql", "NaN", "nan"),
        (t.Float(), t.Float(32), "postgresql", "0.1", "more digits"),
        (t.String(), t.String(3), "postgresql", "äöü", None),
        (t.String(), t.String(3), "postgresql", "äöüß", "too_long"),
        (t.Binary(), t.Binary(2), "mysql", "ab", None),
        (t.Binary(), t.Binary(2), "mysql", "abc", "too_long"),
        (t.Binary(9), t.Binary(3), "mysql", "äß", "too_long"),
        (t.String(), t.String(), "postgresql", "a\0", "nul_byte"),
        (t.String(), t.String(3), "oracle", "", "empty_text"),
        (t.Json(), t.Json(binary=True), "postgresql", "{", "is no JSON"),
        (t.Enum(("a", "b")), t.Enum(("a", "b")), "postgresql", "c", "is not what"),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_ones_own_has_a_place_itself(
    source: t.Type, target: t.Type, there: str, value: str, why: str | None
) -> None:
    adapter = load_adapter(there)
    pair = pair_of(Column("c", source), Column("c", target), load_adapter("sqlite"), adapter)
    if why is None:
        check_value(value, pair, adapter)
        return
    with pytest.raises(ValueNotCarried, match=why):
        check_value(value, pair, adapter)


def test_a_value_that_has_no_place_in_a_column_is_put_nowhere() -> None:
    labels = t.Enum(("a", "b"))
    for value, put in (("'a'", True), ("''", False)):
        made = between(t.String(), labels, Misfit.NUL_BYTE, "postgresql", here="mysql", action=value)
        assert (made is not None and made.changes) == put
    assert between(labels, labels, Misfit.NUL_BYTE, "postgresql", here="mysql") is None, "no label has NUL"


@settings(deadline=None)
@given(st.integers(-(2**17), 2**17), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_what_is_accepted_is_in_range_and_takes_the_place_of_all_that_is_not(own: int, values: list[int | None]) -> None:
    adapter, kinds = load_adapter("mysql"), (t.Integer(64), t.Integer(16))
    pair = pair_of(Column("c", kinds[0]), Column("c", kinds[1]), adapter, adapter)
    try:
        check_value(str(own), pair, adapter)
    except ValueNotCarried:
        assert not -(2**15) <= own < 2**15
        return
    assert -(2**15) <= own < 2**15
    found, counts = converted(between(*kinds, Misfit.OUT_OF_RANGE, "mysql", action=f"'{own}'"), pa.array(values, pa.int64()))
    inside = [v is None or -(2**15) <= v < 2**15 for v in values]
    assert found.to_pylist() == [v if kept else own for v, kept in zip(values, inside, strict=True)]
    assert counts.total() == inside.count(False)


# --- empty texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [t.String(), t.String(9), t.SetOf(("a",)), t.Enum(("", "a"))], ids=str)
def test_an_empty_text_is_refused_where_it_would_be_null_and_no_server_says_so(source: t.Type) -> None:
    """Oracle takes it for NULL: what is not asked for is refused before it gets there."""
    columns = (Column("c", source),), (Column("c", t.String(9)),)
    made = converter(*columns, [{}], load_adapter("mysql"), load_adapter("oracle"))
    assert converted(made, pa.array(["a", None, " "]))[0].to_pylist() == ["a", None, " "]
    with pytest.raises(ValueNotCarried, match=r"column c: '' \(empty_text\) would become NULL$"):
        converted(made, pa.array(["a", ""]))


@pytest.mark.parametrize("action", ["convert", "warn", "relax"])
def test_an_empty_text_becomes_null_where_that_is_asked(action: Action) -> None:
    may, must = (
        between(t.String(), t.String(9), Misfit.EMPTY_TEXT, "oracle", action=action, nullable=nullable)
        for nullable in (True, False)
    )
    found, counts = converted(may, pa.array(["", "a"]))
    assert found.to_pylist() == [None, "a"]
    assert counts == {("c", "empty_text", action): 1}
    with pytest.raises(ValueNotCarried, match="the column is NOT NULL"):
        converted(must, pa.array([""]))


@pytest.mark.parametrize(
    ("source", "there"), [(t.Integer(32), "oracle"), (t.Binary(), "oracle"), (t.String(), "postgresql")]
)
def test_empty_texts_are_looked_for_in_texts_for_oracle_alone(source: t.Type, there: str) -> None:
    assert between(source, source, Misfit.EMPTY_TEXT, there, here="mysql") is None


def test_zoned_times_get_their_arrow_form_again() -> None:
    made = between(t.Timestamp(zoned=True), t.Timestamp(zoned=True), Misfit.ZERO_DATE)
    found, _ = converted(made, pa.array(["0000-00-00 00:00:00", "2024-01-01 12:00:00"]))
    assert found.type == pa.timestamp("us", "UTC")
    made = between(t.Timestamp(zoned=True), t.Timestamp(zoned=True), Misfit.INFINITY, "mysql", here="postgresql")
    found, _ = converted(made, pa.array(["infinity", "2024-01-01 12:00:00.5+00"]))
    assert [str(value) for value in found.cast(pa.timestamp("us")).to_pylist()] == ["None", "2024-01-01 12:00:00.500000"]


@pytest.mark.parametrize(
    "target", [t.String(), t.Xml(), t.Native("postgresql", "name"), t.Enum(("2020-01-02 10:20:30",))], ids=str
)
def test_a_time_in_a_text_is_one_that_its_database_prints_and_the_zone_that_it_loses_is_told(target: t.Type) -> None:
    adapter = load_adapter("postgresql")
    for source in (t.Timestamp(), t.Timestamp(zoned=True)):
        made = converter((Column("c", source),), (Column("c", target),), [{}], adapter, adapter)
        moment = pa.array([datetime(2020, 1, 2, 10, 20, 30)], arrow.arrow_type(source))
        for array in (moment, pa.array(["2020-01-02 10:20:30+00" if source.zoned else "2020-01-02 10:20:30"])):
            text = arrow.convert(converted(made, array)[0], "c", source, target)
            assert text.to_pylist() == ["2020-01-02 10:20:30"]
        found = passage(source, target)
        assert (found is not None and found.rule == "existing-zone") == source.zoned


@pytest.mark.parametrize(
    ("here", "there", "counted"),
    [((9, 7), (10, 11), 1), ((10, 11), (9, 7), None), ((9, 7), (8, 4), None), ((10, 11), (11, 8), None)],
)
def test_a_zero_loses_its_sign_between_mysql_and_mariadb(
    here: tuple[int, ...], there: tuple[int, ...], counted: int | None
) -> None:
    columns = (Column("c", t.Float(), native="double"),)
    ends = [load_adapter("mysql").at(version) for version in (here, there)]
    made = converter(columns, columns, [{}], *ends)
    found = None if made is None else converted(made, pa.array([-0.0, 0.0, None]))[1]["c", "negative-zero", None]
    assert found == counted


def test_a_converter_can_be_sent_to_a_worker() -> None:
    made = between(t.Date(), t.Date(), Misfit.ZERO_DATE)
    assert pickle.loads(pickle.dumps(made)) == made


def test_an_empty_batch_passes() -> None:
    for misfit in Misfit:
        made = between(t.String(), t.Date(), misfit, "mysql")
        if made is not None:
            assert converted(made, pa.array([], pa.string()))[0].to_pylist() == []


@settings(deadline=None)
@given(st.lists(st.none() | st.decimals(-(10**12), 10**12, places=6), max_size=20), st.integers(0, 5))
def test_rounding_is_that_of_decimals_and_counts_what_changed(values: list[Decimal | None], scale: int) -> None:
    made = between(t.Decimal(20, 6), t.Decimal(20, scale), Misfit.FRACTION)
    found, counts = converted(made, pa.array(values, pa.decimal128(20, 6)))
    expected = [None if v is None else v.quantize(Decimal(1).scaleb(-scale), "ROUND_HALF_UP") for v in values]
    assert found.to_pylist() == expected
    assert counts.total() == sum(a != b for a, b in zip(values, expected, strict=True))


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20), st.sampled_from([8, 16, 24, 32]), st.booleans())
def test_numbers_in_range_stay_and_others_go(values: list[int | None], bits: int, unsigned: bool) -> None:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    made = between(t.Integer(64), t.Integer(bits, unsigned), Misfit.OUT_OF_RANGE, "mysql")
    found, counts = converted(made, pa.array(values, pa.int64()))
    assert found.to_pylist() == [v if v is not None and low <= v <= high else None for v in values]
    assert counts.total() == sum(v is not None and not low <= v <= high for v in values)
