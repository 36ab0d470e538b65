"""Kinds of values that one database has and another has not, or one column and not another."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from migrator.model import types as t


class Misfit(StrEnum):
    """Why a value has no place in a column, in the words of POLICY; :mod:`migrator.policies` says what each means.

    The last is about no value alone: two texts that are equal in one column are not in the other.
    """

    INVALID_BYTES = "invalid_bytes"
    NUL_BYTE = "nul_byte"
    ZERO_DATE = "zero_date"
    PARTIAL_DATE = "partial_date"
    INFINITY = "infinity"
    NAN = "nan"
    FRACTION = "fraction"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    EMPTY_TEXT = "empty_text"
    COLLATION = "collation"


BECOME_NULL = frozenset(
    {Misfit.ZERO_DATE, Misfit.PARTIAL_DATE, Misfit.INFINITY, Misfit.NAN, Misfit.OUT_OF_RANGE, Misfit.EMPTY_TEXT}
)
"""The misfits that are NULL when they are converted."""

_TEXTS = (t.String, t.Json, t.Xml, t.Enum, t.SetOf)
_NUMBERS = (t.Boolean, t.Integer, t.Decimal, t.Float)
_DATES = (t.Date, t.Timestamp)
_INEXACT = (t.Decimal, t.Float, t.String)

OF_TYPES: Mapping[Misfit, tuple[type[t.Type], ...]] = MappingProxyType(
    {
        Misfit.INVALID_BYTES: _TEXTS,
        Misfit.NUL_BYTE: _TEXTS,
        Misfit.ZERO_DATE: (*_TEXTS, *_DATES),
        Misfit.PARTIAL_DATE: (*_TEXTS, *_DATES),
        Misfit.INFINITY: (*_INEXACT, *_DATES),
        Misfit.NAN: _INEXACT,
        Misfit.FRACTION: (*_INEXACT, t.Time, t.Timestamp, t.Interval),
        Misfit.OUT_OF_RANGE: (*_NUMBERS, t.String, *_DATES),
        Misfit.TOO_LONG: (t.String, t.Json, t.Xml, t.Binary),
        Misfit.EMPTY_TEXT: t.COLLATED,
        Misfit.COLLATION: t.COLLATED,
    }
)
"""The types at the source whose values can be a misfit: a text may say a number or a date."""
