"""Canonical forms, digests and the search for rows that differ."""

from __future__ import annotations

import datetime
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.arrow import batch_of, convert
from migrator.model import types as t
from migrator.model.objects import Column
from migrator.verification import hashing, narrowing
from migrator.verification.forms import FORMS, MEANINGS, RULES, alike, form_of
from migrator.verification.narrowing import KINDS, apart, compare
from migrator.verification.scans import (
    Collecting,
    Compared,
    Digest,
    Digesting,
    Dividing,
    Fetching,
    Rows,
    Side,
    bucket,
    converted,
    shown,
)

START = hashing.seed(7)
COLUMNS = (
    Compared(Column("n", t.Integer(64)), Column("n", t.Integer(64)), "whole"),
    Compared(Column("s", t.String()), Column("s", t.String()), "text"),
)
Row = tuple[int | None, str | None]
rows = st.lists(st.tuples(st.none() | st.integers(-3, 3), st.none() | st.sampled_from(["", "a", "b" * 300])), max_size=30)


def batches(values: Sequence[Row], cuts: Sequence[int] = ()) -> list[pa.RecordBatch]:
    """Rows as batches, cut at some places."""
    ends = [0, *sorted(cut % (len(values) + 1) for cut in cuts), len(values)]
    found = []
    for start, end in itertools.pairwise(ends):
        part = values[start:end]
        arrays = [pa.array([n for n, _ in part], pa.int64()), pa.array([s for _, s in part], pa.string())]
        found.append(batch_of([pair.target for pair in COLUMNS], arrays))
    return found


def digest(values: Sequence[Row], cuts: Sequence[int] = ()) -> Digest:
    found: Digest = Digesting(Side(COLUMNS, converted=False)).fold(batches(values, cuts))
    return found


def hashes(form: str, array: pa.Array, type_: t.Type) -> list[int]:
    found: list[int] = FORMS[form](array, type_).hashes(START).tolist()
    return found


# --- digests --------------------------------------------------------------------------------------------------------


@given(rows, rows)
def test_digests_are_equal_if_and_only_if_the_multisets_are(first: list[Row], second: list[Row]) -> None:
    assert (digest(first) == digest(second)) == (Counter(first) == Counter(second))


@given(rows, st.lists(st.integers(0, 100), max_size=4), st.randoms(use_true_random=False))
def test_neither_order_nor_batches_matter(values: list[Row], cuts: list[int], chance: random.Random) -> None:
    other = list(values)
    chance.shuffle(other)
    assert digest(values) == digest(other, cuts)


@given(rows, rows)
def test_digests_of_parts_add_up(first: list[Row], second: list[Row]) -> None:
    assert digest(first) + digest(second) == digest([*first, *second])


@given(rows.filter(bool))
def test_a_doubled_row_shows_however_often_it_is_doubled(values: list[Row]) -> None:
    assert len({digest([*values, *[values[0]] * more]).total for more in range(4)}) == 4


def test_null_is_no_empty_text_and_a_value_belongs_to_its_column() -> None:
    assert digest([(1, None)]) != digest([(1, "")])
    assert digest([(1, "a"), (2, "b")]).columns == digest([(1, "b"), (2, "a")]).columns
    assert digest([(1, "a"), (2, "b")]).total != digest([(1, "b"), (2, "a")]).total
    pair = (COLUMNS[0], replace(COLUMNS[0], source=Column("m", t.Integer(64))))
    side = Side(pair, converted=False)
    one, other = (pa.record_batch([pa.array([a]), pa.array([b])], ["n", "m"]) for a, b in ((1, 2), (2, 1)))
    assert Digesting(side).fold([one]) != Digesting(side).fold([other])


def test_rows_without_columns_are_counted() -> None:
    empty = pa.record_batch([pa.nulls(3)], ["x"]).select([])
    assert Digesting(Side((), converted=True)).fold([empty, empty]).rows == 6


# --- hashes ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=600) | st.sampled_from([b"", b"\0", b"\0" * 8, b"\0" * 9, b"x" * 256, b"x" * 257])))
def test_bytes_have_one_hash_each_wherever_they_lie(values: list[bytes]) -> None:
    array = pa.array([b"before", *values, None], pa.binary()).slice(1)
    found = hashing.of_bytes(array, START).tolist()[:-1]
    assert found == [hashing.of_bytes(pa.array([value]), START)[0] for value in values]
    assert len(set(found)) == len(set(values))


@given(st.lists(st.integers(0, 2**64 - 1), unique=True))
def test_words_have_hashes_of_their_own(values: list[int]) -> None:
    words = np.array(values, np.uint64)
    assert len(set(hashing.of_words([words], START).tolist())) == len(values)
    assert hashing.total(words) == sum(values) % 2**64


# --- forms ----------------------------------------------------------------------------------------------------------

TIMES = [
    datetime.datetime(2020, 1, 1, 10, 5),
    datetime.datetime(1, 1, 1),
    None,
    datetime.datetime(9999, 12, 31, 23, 59, 59, 1),
]
SAME: list[tuple[str, t.Type, pa.Array, pa.Array]] = [
    ("whole", t.Boolean(), pa.array([True, False, None]), pa.array(["t", "FALSE", None])),
    ("whole", t.Integer(16), pa.array([1, -7, None], pa.int16()), pa.array(["1", "-07", None])),
    ("whole", t.Integer(64, unsigned=True), pa.array([2**64 - 1, 0], pa.uint64()), pa.array([str(2**64 - 1), "0"])),
    (
        "decimal",
        t.Decimal(10, 2),
        pa.array([Decimal("1.50"), Decimal("0"), Decimal("-7"), Decimal("100"), None], pa.decimal128(10, 2)),
        pa.array(["1.5", "-0.000", "-007.", "1E+2", None]),
    ),
    ("decimal", t.Decimal(50, 2), pa.array([Decimal("-1.5")], pa.decimal256(50, 2)), pa.array(["-1.50"])),
    ("decimal", t.Decimal(4, 2), pa.array(["NaN", "1.5", "12345.678"]), pa.array(["NaN", "01.50", "12345.6780"])),
    ("digits", t.Decimal(), pa.array(["1" * 90 + ".10", "-0", "1e-3"]), pa.array(["1" * 90 + ".1", "0.0", "0.001"])),
    ("float", t.Float(), pa.array([0.0, -0.0, 1.5, float("nan")]), pa.array(["-0", "0", "1.50", "NaN"])),
    ("float", t.Float(32), pa.array([0.1, None], pa.float32()), pa.array([np.float64(np.float32(0.1)), None], pa.float64())),
    ("padded", t.String(5, fixed=True), pa.array(["a", "", " b", None]), pa.array(["a    ", "  ", " b", None])),
    ("uuid", t.Uuid(), pa.array([bytes(range(16))], pa.binary(16)), pa.array(["{00010203-0405-0607-0809-0A0B0C0D0E0F}"])),
    ("day", t.Date(), pa.array([0, 18262, None], pa.date32()), pa.array(["1970-01-01", "2020-01-01", None])),
    ("clock", t.Time(), pa.array([0, 3_600_500_000], pa.time64("us")), pa.array(["00:00:00", "01:00:00.500"])),
    (
        "moment",
        t.Timestamp(),
        pa.array(TIMES, pa.timestamp("us")),
        pa.array(["2020-01-01T10:05", "0001-01-01", None, "9999-12-31 23:59:59.0000010"]),
    ),
    (
        "moment",
        t.Timestamp(zoned=True),
        pa.array(TIMES[:2], pa.timestamp("us", "UTC")),
        pa.array(["2020-01-01 11:05:00.000+01", "0001-01-01 00:00:00Z"]),
    ),
    (
        "moment",
        t.Timestamp(),
        pa.array(["infinity", "2020-01-01 10:05:00"]),
        pa.array(["infinity", "2020-01-01 10:05:00.0"]),
    ),
    (
        "offset clock",
        t.Time(zoned=True),
        pa.array(["10:00:00+00", "10:00:00.5+01"]),
        pa.array(["10:00:00Z", "10:00:00.50+01:00"]),
    ),
    (
        "span",
        t.Interval(),
        pa.array(["1 year 2 mons", "-838:59:59", "3 days", "-00:00:00.500", "1 day 26:00:00", None]),
        pa.array(["14 mons", "-838:59:59.000000", "3 days 00:00:00", "-00:00:00.5", "1 day 26:00:00.0", None]),
    ),
    (
        "document",
        t.Json(binary=True),
        pa.array(['{"b":1.50,"a":["x"]}', "1e2", '{"a":1,"a":2}', "no document", None]),
        pa.array(['{"a": ["\\u0078"], "b": 1.5}', "100", '{"a":2}', "no document", None]),
    ),
    ("rounded document", t.Json(binary=True), pa.array(["12345678901234567890.123"]), pa.array(["1.2345678901234567e19"])),
]


@pytest.mark.parametrize(("form", "type_", "first", "second"), SAME, ids=[f"{row[0]}-{row[1]}" for row in SAME])
def test_values_that_mean_the_same_have_one_hash(form: str, type_: t.Type, first: pa.Array, second: pa.Array) -> None:
    assert hashes(form, first, type_) == hashes(form, second, type_)
    assert hashes(form, first, type_) == [hashes(form, first[i : i + 1], type_)[0] for i in range(len(first))]


DIFFERENT: list[tuple[str, t.Type, list[Any]]] = [
    ("whole", t.Integer(64), ["0", "1", "-1", None, "9223372036854775807"]),
    ("decimal", t.Decimal(10, 2), ["0", "0.01", "-0.01", "1", "NaN", "Infinity", "-Infinity", "10", None]),
    ("digits", t.Decimal(), ["0", "0.1", "0.01", "1", "10", "-1", "NaN", None]),
    ("float", t.Float(), ["0", "5e-324", "-5e-324", "NaN", "Infinity", "-Infinity", "0.1", "0.30000000000000004", "0.3"]),
    ("text", t.String(), ["", " ", "a", "A", "a ", "\0", "é", "e\u0301", None]),
    ("padded", t.String(3, fixed=True), ["", " a", "a", "A", None]),
    (
        "day",
        t.Date(),
        ["2023-02-28", "2023-02-30", "0000-00-00", "0044-03-15 BC", "0044-03-15", "infinity", "-infinity", None],
    ),
    ("clock", t.Time(), ["00:00:00", "24:00:00", "00:00:00.000001", "23:59:59.999999", None]),
    ("moment", t.Timestamp(), ["2020-01-01", "2020-01-01 00:00:00.000001", "2020-01-01 00:00:00+01", "infinity", None]),
    ("offset clock", t.Time(zoned=True), ["10:00:00+00", "11:00:00+01", "10:00:00+00:30", "10:00:00-00:30", None]),
    ("span", t.Interval(), ["00:00:00", "1 day", "24:00:00", "1 mon", "30 days", "1 year", "-24:00:00", "360 days", None]),
    (
        "document",
        t.Json(binary=True),
        ["1", '"1"', "null", "[]", "{}", '""', "[1,2]", "[2,1]", "true", "1.0000000000000000001", None],
    ),
    ("uuid", t.Uuid(), ["00010203-0405-0607-0809-0a0b0c0d0e0f", "0f0e0d0c-0b0a-0908-0706-050403020100", "no uuid", None]),
]


@pytest.mark.parametrize(("form", "type_", "values"), DIFFERENT, ids=[f"{row[0]}-{row[1]}" for row in DIFFERENT])
def test_values_that_mean_something_else_have_another(form: str, type_: t.Type, values: list[Any]) -> None:
    assert len(set(hashes(form, pa.array(values, pa.string()), type_))) == len(values)


@given(st.lists(st.none() | st.decimals(-(10**6), 10**6, places=3)), st.integers(0, 5))
def test_decimals_are_compared_by_value_as_numbers_and_as_text(values: list[Decimal | None], zeros: int) -> None:
    typed = pa.array(values, pa.decimal128(12, 3))
    text = pa.array([None if value is None else f"{value}{'0' * zeros}" for value in values], pa.string())
    assert hashes("decimal", typed, t.Decimal(12, 3)) == hashes("decimal", text, t.Decimal(12, 3))
    assert hashes("digits", typed, t.Decimal()) == hashes("digits", text, t.Decimal())


@given(st.lists(st.none() | st.datetimes(datetime.datetime(1, 1, 1)), min_size=1))
def test_timestamps_are_one_beside_a_value_that_makes_them_text(values: list[datetime.datetime | None]) -> None:
    typed = pa.array(values, pa.timestamp("us"))
    escaped = pa.concat_arrays([typed.cast(pa.string()), pa.array(["infinity"])])
    assert hashes("moment", escaped, t.Timestamp())[:-1] == hashes("moment", typed, t.Timestamp())


def test_every_type_has_a_form() -> None:
    assert {rule.form for rule in RULES} <= set(FORMS) == set(MEANINGS)
    assert form_of(t.String(3), t.String(3, fixed=True)) == "padded"
    assert form_of(t.Integer(), t.Decimal(80)) == "digits"
    assert form_of(t.Integer(), t.Decimal(8)) == "decimal"
    assert form_of(t.Json(), t.Json(binary=True)) == "document"
    assert form_of(t.Json(binary=True), t.Json()) == "text"
    assert form_of(t.Uuid(), t.Domain("s", "d", t.Uuid())) == "uuid"


def test_the_sources_values_are_compared_as_they_are_converted() -> None:
    pair = Compared(Column("at", t.Timestamp(zoned=True)), Column("at", t.String()), "text")
    moments = pa.record_batch([pa.array([0], pa.timestamp("us", "UTC"))], ["at"])
    stored = pa.record_batch([pa.array(["1970-01-01 00:00:00.000000"])], ["at"])
    source, target = (Digesting(Side((pair,), converted=converted)) for converted in (True, False))
    assert source.fold([moments]) == target.fold([stored])


UNFIT: list[tuple[t.Type, t.Type, pa.Array, list[int]]] = [
    (t.Integer(32), t.Integer(16), pa.array([1, 99999, None, -7], pa.int32()), [0, 2, 3]),
    (t.Decimal(10, 3), t.Decimal(10, 2), pa.array([Decimal("1.5"), Decimal("1.005")], pa.decimal128(10, 3)), [0]),
    (t.Timestamp(), t.Date(), pa.array(TIMES[:2], pa.timestamp("us")), [1]),
    (t.Binary(), t.Uuid(), pa.array([bytes(16), b"short", None], pa.binary()), [0, 2]),
    (t.Integer(8), t.Boolean(), pa.array([0, 1, 2, None], pa.int8()), [0, 1, 3]),
    (t.Bit(3), t.Integer(8), pa.array(["101", "1" * 9], pa.string()), [0]),
    (t.String(), t.Integer(), pa.array(["7", "seven", None]), [0, 2]),
]


@pytest.mark.parametrize(("source", "target", "values", "fit"), UNFIT, ids=[f"{row[0]}-{row[1]}" for row in UNFIT])
def test_a_value_that_does_not_fit_differs_and_the_others_do_not(
    source: t.Type, target: t.Type, values: pa.Array, fit: list[int]
) -> None:
    pair = Compared(Column("c", source), Column("c", target), form_of(source, target))
    found = hashes(pair.form, converted(values, pair), target)
    for place in range(len(values)):
        alone = values[place : place + 1]
        assert found[place] == hashes(pair.form, converted(alone, pair), target)[0]
        if place in fit:
            there = convert(alone, "c", source, target)
            assert found[place] == hashes(pair.form, there, target)[0]


# --- rows that differ -----------------------------------------------------------------------------------------------


def multiset(values: Sequence[tuple[int, int]]) -> Rows:
    return Rows(np.array([k for k, _ in values], np.uint64), np.array([r for _, r in values], np.uint64))


keyed = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12)


def _expected(source: Sequence[tuple[int, int]], target: Sequence[tuple[int, int]]) -> dict[str, int]:
    """The same by counting, one row after the other."""
    here, there = Counter(source), Counter(target)
    gone, new = here - there, there - here
    doubled = sum(count for row, count in new.items() if row in here)
    gone_keys, new_keys = Counter[int](), Counter[int]()
    for (key, _), count in gone.items():
        gone_keys[key] += count
    for row, count in new.items():
        if row not in here:
            new_keys[row[0]] += count
    changed = gone_keys & new_keys
    counts = {
        "changed": changed.total(),
        "missing": (gone_keys - changed).total(),
        "doubled": doubled,
        "extra": (new_keys - changed).total(),
    }
    return {kind: count for kind, count in counts.items() if count}


@given(keyed, keyed)
def test_rows_are_told_apart_by_key(source: list[tuple[int, int]], target: list[tuple[int, int]]) -> None:
    def distinct(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(key, 10 * key + value) for key, value in pairs]  # a row's values have its key among them

    found = compare(multiset(distinct(source)), multiset(distinct(target)))
    assert dict(found.counts) == _expected(distinct(source), distinct(target))
    assert {example.kind for example in found.examples} == set(found.counts)


@given(keyed, keyed)
def test_rows_without_a_key_are_missing_doubled_or_extra(
    source: list[tuple[int, int]], target: list[tuple[int, int]]
) -> None:
    def bare(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(value, value) for _, value in pairs]

    found = compare(multiset(bare(source)), multiset(bare(target)))
    assert dict(found.counts) == _expected(bare(source), bare(target))
    assert "changed" not in found.counts


def test_rows_of_one_key_are_told_apart() -> None:
    found = apart(multiset([(1, 10), (2, 20), (3, 30), (5, 50)]), multiset([(1, 10), (2, 21), (4, 40), (5, 51)]))
    assert found is not None
    there = [list(keys) for keys in (found.changed, found.missing, found.extra)]
    assert there == [[2, 5], [3], [4]]


@pytest.mark.parametrize("twice", [([(1, 10), (1, 11)], [(1, 10)]), ([(1, 10)], [(1, 10), (1, 10)])])
def test_rows_whose_keys_are_there_twice_are_not(twice: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> None:
    assert apart(*map(multiset, twice)) is None


def test_many_differences_are_counted_and_some_are_shown() -> None:
    source = multiset([(n, n) for n in range(1000)])
    target = multiset([(n, n + 10_000) for n in range(500)])
    found = compare(source, target)
    assert found.counts == {"changed": 500, "missing": 500}
    assert Counter(example.kind for example in found.examples) == {"changed": 10, "missing": 10}
    assert list(found.counts) == [kind for kind in KINDS if kind in found.counts]


def test_only_rows_in_buckets_that_differ_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "MOST", 50)
    source: list[Row] = [(n, str(n)) for n in range(1000)]
    target: list[Row] = [(n, "x" if n == 500 else str(n)) for n in range(1000)]
    side = Side(COLUMNS, converted=False, key=(0,))
    bits = narrowing.bits_for(1000)
    assert bits > 0
    divided = [Dividing(side, bits).fold(batches(values, [300, 600])) for values in (source, target)]
    (buckets,) = narrowing.rounds(*divided)
    assert int(buckets.sum()) == 1
    here, there = (Collecting(side, bits, buckets).fold(batches(values, [100])) for values in (source, target))
    assert len(here.rows) < 10
    found = compare(here, there)
    assert found.counts == {"changed": 1}
    (example,) = found.examples
    assert example.source is not None
    of_source, of_target = found.changed
    fetched = Fetching(side, frozenset({example.source}), of_source).fold(batches(source, [400]))
    assert [value.text for value in fetched.values[example.source]] == ["500", "500"]
    at_target = Fetching(side, frozenset(), of_target).fold(batches(target, [400]))
    assert [here == there for here, there in zip(fetched.columns, at_target.columns, strict=True)] == [True, False]


def test_where_all_rows_differ_buckets_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "MOST", 50)
    side = Side(COLUMNS, converted=False, key=(0,))
    bits = narrowing.bits_for(1000)
    divided = [Dividing(side, bits).fold(batches([(n, text) for n in range(1000)])) for text in ("a", "b")]
    parts = narrowing.rounds(*divided)
    held = [int(divided[0].counts[part].sum()) for part in parts]
    assert sum(held) == 1000
    assert max(held) <= 50 + int(divided[0].counts.max())
    assert (sum(part.astype(int) for part in parts) == (divided[0].counts > 0)).all(), "each once"


def test_values_are_shown_as_people_read_them() -> None:
    assert shown(pa.array([b"\0\xff", None, b"x" * 5000]), t.Binary()) == ["0x00ff", None, f"0x{'78' * 499}…"]
    assert shown(pa.array(["a", "", None, "y" * 5000]), t.String()) == ["a", "", None, "y" * 1000 + "…"]


def test_buckets_are_of_the_first_bits() -> None:
    keys = np.array([0, 1 << 63, (1 << 64) - 1], np.uint64)
    assert bucket(keys, 1).tolist() == [0, 1, 1]
    assert bucket(keys, 0).tolist() == [0, 0, 0]


# --- digests that an export has recorded ----------------------------------------------------------------------------


@given(rows)
def test_a_digest_is_read_back_as_it_was_written(values: list[Row]) -> None:
    found = digest(values)
    assert Digest.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        (t.Integer(8), t.Integer(64), True),
        (t.Boolean(), t.Integer(8), True),
        (t.Integer(64), t.Integer(64, unsigned=True), False),
        (t.Float(32), t.Float(64), True),
        (t.Decimal(10, 2), t.Decimal(12, 2), True),
        (t.Decimal(10, 2), t.Decimal(12, 3), False),
        (t.Decimal(10, 2), t.Decimal(50, 2), False),
        (t.Decimal(10, 2), t.Float(), False),
        (t.String(), t.String(3), True),
        (t.Uuid(), t.String(36), False),
        (t.Interval(), t.String(), False),
        (t.Timestamp(zoned=True), t.Timestamp(), False),
        (t.Timestamp(3), t.Timestamp(6), True),
    ],
)
def test_digests_of_an_export_are_compared_where_types_have_the_same_words(
    source: t.Type, target: t.Type, same: bool
) -> None:
    assert alike(source, target) is same
