"""How values travel: exact forms, the text escape, conversions that never round, streams that overlap."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator import arrow
from migrator.errors import ValueNotCarried
from migrator.model import types as t


@given(st.lists(st.none() | st.binary(max_size=100), max_size=50))
def test_gather_takes_any_slices_of_the_wire(values: list[bytes | None]) -> None:
    data = b"".join(b"#" + (v or b"") for v in values) + b"\0" * 64
    lengths = np.array([len(v or b"") for v in values], np.int64)
    starts = np.cumsum(lengths + 1) - lengths
    nulls = np.array([v is None for v in values], bool)
    array = arrow.gather(np.frombuffer(data, np.uint8), starts.astype(np.int64), lengths, nulls if nulls.any() else None)
    array.validate(full=True)
    assert array.to_pylist() == values


def test_gather_takes_long_values() -> None:
    values = [b"x" * 100_000, b"", b"y" * 70_000]
    data = np.frombuffer(b"".join(values) + b"\0" * 64, np.uint8)
    lengths = np.array([len(v) for v in values], np.int64)
    assert arrow.gather(data, np.cumsum(lengths) - lengths, lengths).to_pylist() == values


def test_text_that_is_not_utf8_is_refused_with_its_column_and_row() -> None:
    with pytest.raises(ValueNotCarried, match=r"column t\.name: .*row 2 of its batch.* is not valid UTF-8"):
        arrow.utf8(pa.array([b"good", b"file\x96name"]), "t.name")


@given(st.lists(st.none() | st.uuids(), max_size=20))
def test_uuids_turn_into_bytes_and_back(values: list[uuid.UUID | None]) -> None:
    text = pa.array([None if v is None else str(v) for v in values], pa.string())
    packed = arrow.uuid_bytes(text)
    assert packed.to_pylist() == [None if v is None else v.bytes for v in values]
    assert arrow.uuid_text(packed).to_pylist() == text.to_pylist()


def test_a_sliced_uuid_array_prints_its_own_values() -> None:
    values = [uuid.UUID(int=n) for n in range(4)]
    packed = arrow.uuid_bytes(pa.array([str(v) for v in values]))
    assert arrow.uuid_text(packed[1:3]).to_pylist() == [str(v) for v in values[1:3]]


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (t.Decimal(10, 2), ["1.50", "NaN"]),
        (t.Timestamp(), ["2024-01-01 00:00:00", "infinity"]),
        (t.Date(), ["0044-03-15 BC"]),
        (t.Boolean(), ["maybe"]),
        (t.Integer(8), ["128"]),
    ],
)
def test_what_a_type_cannot_hold_travels_as_text(type_: t.Type, text: list[str]) -> None:
    array = arrow.parse(pa.array(text), type_)
    assert array.to_pylist() == text
    assert arrow.escaped(array, type_)


def test_what_a_type_can_hold_is_parsed() -> None:
    assert arrow.parse(pa.array(["1.50", None]), t.Decimal(10, 2)).to_pylist() == [Decimal("1.50"), None]
    assert arrow.parse(pa.array(["t", "f", None]), t.Boolean()).to_pylist() == [True, False, None]


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=12))
def test_decimals_print_without_exponents(value: Decimal) -> None:
    text = arrow.as_text(pa.array([value], pa.decimal128(38, 12)), t.Decimal(38, 12))[0].as_py()
    assert "E" not in text
    assert Decimal(text) == value


@pytest.mark.parametrize(
    ("values", "source", "target", "expected"),
    [
        (pa.array([True, None]), t.Boolean(), t.Integer(8), [1, None]),
        (pa.array([1, 0], pa.int8()), t.Integer(8), t.Boolean(), [True, False]),
        (pa.array([5], pa.uint64()), t.Integer(64, True), t.Decimal(20, 0), [Decimal(5)]),
        (pa.array([2**64 - 1], pa.uint64()), t.Integer(64, True), t.Decimal(20, 0), [Decimal(2**64 - 1)]),
        (pa.array(["101"]), t.Bit(3), t.Binary(1), [b"\x05"]),
        (pa.array(["1", "0", None]), t.Bit(1), t.Boolean(), [True, False, None]),
        (pa.array(["2024-02-29"]), t.String(10), t.Date(), ["2024-02-29"]),
        (pa.array([0.5, None, float("inf")]), t.Float(64), t.Float(32), [0.5, None, float("inf")]),
        (pa.array([Decimal("1.20")], pa.decimal128(9, 2)), t.Decimal(9, 2), t.String(), ["1.20"]),
    ],
)
def test_conversions_keep_the_value(values: pa.Array, source: t.Type, target: t.Type, expected: list[object]) -> None:
    converted = arrow.convert(values, "c", source, target)
    if isinstance(target, t.Date):
        assert [str(v) for v in converted.to_pylist()] == expected
    else:
        assert converted.to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "source", "target", "said"),
    [
        (pa.array([2**32 - 1], pa.uint32()), t.Integer(32, True), t.Integer(32), "from -2147483648 to 2147483647"),
        (pa.array([-1]), t.Integer(64), t.Integer(32, True), "from 0 to 4294967295"),
        (pa.array([2**31], pa.uint32()), t.Integer(32, True), t.Integer(24), "from -8388608 to 8388607"),
        (pa.array(["70000"]), t.Decimal(), t.Integer(16), "70000 is no whole number from -32768 to 32767"),
        (pa.array(["1", None, "1.5", "2.5"]), t.Decimal(), t.Integer(16), "1.5 is no whole number from -32768 to 32767"),
        (
            pa.array([Decimal("1.500"), None, Decimal("1.255"), Decimal("2.255")], pa.decimal128(9, 3)),
            t.Decimal(9, 3),
            t.Decimal(5, 2),
            r"1.255 \(Rescaling Decimal value would cause data loss\)",
        ),
    ],
)
def test_what_is_no_number_of_a_column_is_told_with_its_value_and_the_columns_own_range(
    values: pa.Array, source: t.Type, target: t.Type, said: str
) -> None:
    with pytest.raises(ValueNotCarried, match=f"{said}$"):
        arrow.convert(values, "c", source, target)


@pytest.mark.parametrize(
    ("values", "source", "target"),
    [
        (pa.array([2], pa.int8()), t.Integer(8), t.Boolean()),
        (pa.array([300], pa.int32()), t.Integer(32), t.Integer(8)),
        (pa.array([Decimal("1.25")], pa.decimal128(9, 2)), t.Decimal(9, 2), t.Decimal(9, 1)),
        (pa.array([Decimal("1.5")], pa.decimal128(9, 1)), t.Decimal(9, 1), t.Integer(32)),
        (pa.array([1], pa.timestamp("us")), t.Timestamp(), t.Date()),
        (pa.array([-1], pa.int32()), t.Integer(32), t.Integer(32, True)),
        (pa.array([0.5, 0.1]), t.Float(64), t.Float(32)),
        (pa.array([1e39, None]), t.Float(64), t.Float(32)),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_column(values: pa.Array, source: t.Type, target: t.Type) -> None:
    with pytest.raises(ValueNotCarried, match="column price"):
        arrow.convert(values, "price", source, target)


def test_an_escaped_column_is_left_to_the_targets_parser() -> None:
    text = pa.array(["infinity"])
    assert arrow.convert(text, "c", t.Timestamp(), t.Timestamp(zoned=True)) is text


def test_nanoseconds_that_are_zero_are_none() -> None:
    text = pa.array(["2024-01-01 00:00:00.123456000", "1969-12-31 23:59:59.100000000", None])
    found = arrow.convert(text, "c", t.Timestamp(9), t.Timestamp())
    assert found.type == pa.timestamp("us")
    assert [str(v) for v in found.to_pylist()] == ["2024-01-01 00:00:00.123456", "1969-12-31 23:59:59.100000", "None"]


@pytest.mark.parametrize("value", ["2024-01-01 00:00:00.1234560001", "0044-03-15 00:00:00.000000000 BC"])
def test_a_time_that_arrow_does_not_hold_is_left_to_the_targets_parser(value: str) -> None:
    found = arrow.convert(pa.array([value]), "c", t.Timestamp(9), t.Timestamp())
    assert found.to_pylist() == [value.replace(".000000000", ".000000")]


def test_prefetch_hands_over_everything_in_order() -> None:
    assert list(arrow.prefetch(range(1000))) == list(range(1000))


def test_prefetch_raises_what_the_maker_raised_after_what_it_made() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken")

    stream = arrow.prefetch(items())
    assert next(stream) == 1
    with pytest.raises(KeyError, match="broken"):
        next(stream)


def test_closing_prefetch_stops_and_closes_the_maker() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    stream = arrow.prefetch(items())
    next(stream)
    stream.close()
    assert closed.is_set()


@pytest.mark.parametrize("target", [t.Float(), t.Decimal(10, 0), t.Date(), t.Boolean(), t.Integer(8)])
def test_digits_of_bits_are_never_read_as_a_number(target: t.Type) -> None:
    with pytest.raises(ValueNotCarried):
        arrow.convert(pa.array(["1" * 11]), "c", t.Bit(11), target)


def test_decimals_that_came_as_text_are_the_whole_numbers_that_they_are() -> None:
    whole = arrow.convert(pa.array(["1.0", "-100.00", "7", None]), "c", t.Decimal(), t.Integer(16))
    assert (whole.type, whole.to_pylist()) == (pa.int16(), [1, -100, 7, None])
    truths = arrow.convert(pa.array(["1.0", "0", None]), "c", t.Decimal(), t.Boolean())
    assert truths.to_pylist() == [True, False, None]
    for text, target in (("1.10", t.Integer()), ("NaN", t.Integer()), ("1e-20", t.Integer()), ("2.0", t.Boolean())):
        with pytest.raises(ValueNotCarried):
            arrow.convert(pa.array([text]), "c", t.Decimal(), target)


def test_a_decimal_beyond_all_floats_does_not_become_infinite() -> None:
    infinite = arrow.convert(pa.array(["Infinity", "-Infinity", "1.5", None]), "c", t.Decimal(), t.Float(32))
    assert infinite.to_pylist() == [float("inf"), float("-inf"), 1.5, None]
    for text, bits in (("1e40", 32), ("-1e40", 32), ("1e400", 64)):
        with pytest.raises(ValueNotCarried, match="out of range"):
            arrow.convert(pa.array([text]), "c", t.Decimal(), t.Float(bits))


# --- what COLUMN_TYPE writes otherwise ------------------------------------------------------------------------------


@given(st.lists(st.none() | st.uuids(), min_size=1), st.integers(0, 3))
def test_a_uuid_swapped_as_mysql_does_it_comes_back(values: list[UUID | None], offset: int) -> None:
    def stored(value: UUID) -> bytes:
        """What MySQL's manual says of ``UUID_TO_BIN(value, 1)``: the third group first, then the second, then the first."""
        first, second, third, *rest = str(value).split("-")
        return bytes.fromhex("".join((third, second, first, *rest)))

    array = pa.array([b"x"] * offset + [None if value is None else stored(value) for value in values], pa.binary())[offset:]
    found = arrow.convert(array, "c", t.Binary(), t.Uuid(swapped=True))
    assert arrow.as_text(found, t.Uuid()).to_pylist() == [None if value is None else str(value) for value in values]


@given(st.lists(st.binary(max_size=20), min_size=1))
def test_bytes_become_uuids_if_all_of_them_are_16(values: list[bytes]) -> None:
    if all(len(value) == 16 for value in values):
        assert arrow.convert(pa.array(values, pa.binary()), "c", t.Binary(), t.Uuid()).to_pylist() == values
    else:
        with pytest.raises(ValueNotCarried, match="and a UUID has 16"):
            arrow.convert(pa.array(values, pa.binary()), "c", t.Binary(), t.Uuid())


def members(text: str) -> list[str]:
    """The elements of an array as PostgreSQL's manual says that they are written."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)', text[1:-1])
    return [plain or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) for quoted, plain in found]


@given(
    st.lists(
        st.text(st.characters(exclude_characters=",\0", exclude_categories=["Cs"]), min_size=1), min_size=1, unique=True
    )
)
def test_a_set_is_the_array_of_its_members(labels: list[str]) -> None:
    (found,) = arrow.convert(pa.array([",".join(labels)]), "c", t.SetOf(tuple(labels)), t.Array(t.String())).to_pylist()
    assert found[0] + found[-1] == "{}"
    assert members(found) == labels


def test_members_are_quoted_where_postgresql_quotes_them() -> None:
    sets = ["", "a,b", "NULL,null ", 'a b,"q",x\\y,{z}', None]
    found = arrow.convert(pa.array(sets), "c", t.SetOf(("a",)), t.Array(t.String())).to_pylist()
    assert found == ["{}", "{a,b}", '{"NULL","null "}', '{"a b","\\"q\\"","x\\\\y","{z}"}', None]
