"""Kinds of values that one database has and another has not, or one column and not another."""

from __future__ import annotations

from enum import StrEnum


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
