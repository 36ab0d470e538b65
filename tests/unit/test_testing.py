"""The contract's own cases and comparisons: that they ask what they say they ask."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from migrator import arrow
from migrator.model import types as t
from migrator.testing import CASES, REFUSALS, Case, Gap, Refusal
from migrator.testing.cases import array_of
from migrator.testing.values import values_of


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_is_of_its_types_arrow_form_and_holds_a_null(case: Case) -> None:
    array = case.array
    assert array.type == arrow.arrow_type(case.type)
    assert array.null_count == 1
    assert len(array) == len(case.values) + 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.name for refusal in REFUSALS])
def test_a_refused_value_has_its_sources_arrow_form(refusal: Refusal) -> None:
    assert array_of(refusal.source, [refusal.value]).type == arrow.arrow_type(refusal.source)


def test_every_neutral_type_has_a_case() -> None:
    """Domains are their base type, native types are an adapter's own."""
    every = {kind for kind in t.Type.__subclasses__() if kind not in (t.Domain, t.Native)}
    assert {type(case.type) for case in CASES} == every


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pa.array([0.0, -0.0]), t.Float()),
        (pa.array(['{"a": 1}', '{"a": 1.5}']), t.Json(binary=True)),
        (pa.array(['{"a":1}', '{"a": 1}']), t.Json()),
        (pa.array(["1 mon", "30 days"]), t.Interval()),
        (pa.array(["a", "a "]), t.String()),
    ],
)
def test_values_that_differ_in_meaning_are_not_equal(values: pa.Array, type_: t.Type) -> None:
    first, second = values_of(values, type_, type_)
    assert first != second


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pa.array(['{"a": 1, "b": 2}', '{"b":2,"a":1}']), t.Json(binary=True)),
        (pa.array(["P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"]), t.Interval()),
        (pa.array(["-838:59:59", "PT-838H-59M-59S"]), t.Interval("day_second")),
        (pa.array(["ab   ", "ab"]), t.String(5, fixed=True)),
        (pa.array(["1.50", "1.5"]), t.Decimal()),
    ],
)
def test_values_of_one_meaning_are_equal(values: pa.Array, type_: t.Type) -> None:
    first, second = values_of(values, type_, type_)
    assert first == second


def test_a_span_tells_months_from_days() -> None:
    assert values_of(pa.array(["1 mon 1 day -00:00:01"]), t.Interval(), t.Interval()) == [(1, 1, -timedelta(seconds=1))]


def test_a_gap_is_about_a_test_or_one_of_its_cases() -> None:
    assert Gap("test_x", "never", "because of that").covers("test_x", "any case")
    assert Gap("test_x[bit]", "never", "because of that").covers("test_x", "bit")
    assert not Gap("test_x[bit]", "never", "because of that").covers("test_x", "bits")
