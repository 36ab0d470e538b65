"""Constants as values of columns, in the form in which rows travel: a default is what a row with that value would have."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import pyarrow as pa

from migrator import arrow
from migrator.errors import ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column, Literal

from . import Untranslatable

_OFFSET = re.compile(r".*\d(Z|[+-]\d\d(:?\d\d)?)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ZERO_DATE = re.compile(r"0000-|\d{4}-00-|\d{4}-\d\d-00")
_END_OF_DAY = re.compile(r"24:00:00(\.0+)?")
_OUTSIDE = (t.Date, t.Timestamp)
"""Types of which databases have values that travel as text: infinity, days before the year 1, MySQL's zero dates."""


def value_of(constant: Literal, type_: t.Type, *, outside: bool = False) -> pa.Array:
    """A constant as the one value of a column of ``type_``, in that type's Arrow form, nothing rounded or cut.

    ``outside``: days and times that have no place there are passed as their text.

    :raises Untranslatable: it is no value of that type.
    """
    base = t.base_of(type_)
    try:
        array = _read(constant, base)
        column = Column("constant", base)
        arrow.check(arrow.batch_of((column,), (array,)), (column,))
    except (ValueError, ArithmeticError, ValueNotCarried) as error:  # Arrow's own errors are ValueErrors
        raise _no_value(constant, base) from error
    known = array.type == arrow.arrow_type(base) or _END_OF_DAY.fullmatch(constant.value)
    if not known and not (outside and isinstance(base, _OUTSIDE)):
        raise _no_value(constant, base)
    return array


def bits(value: Literal, type_: t.Bit) -> str:
    """A constant's digits as a column of bits holds them: filled up to its length, where it has one."""
    digits = format(int(value.value), "b") if value.kind == "number" else value.value
    return digits if type_.varying or type_.length is None else digits.zfill(type_.length)


def number(value: Literal) -> Decimal:
    """A constant as an exact number; bits and truth values are numbers too.

    :raises ValueError: it is none.
    """
    try:
        return Decimal(int(value.value or "0", 2) if value.kind == "bit" else value.value)
    except InvalidOperation as error:
        raise ValueError(value.value) from error


def _no_value(constant: Literal, base: t.Type) -> Untranslatable:
    if isinstance(base, _OUTSIDE) and _ZERO_DATE.match(constant.value):
        return Untranslatable("there is no such day")
    return Untranslatable(f"'{constant.value}' is no value of {base}")


def instant(text: str) -> str:
    """A day with a time as the instant that it is in a session that has UTC as its time zone."""
    zoned = _OFFSET.fullmatch(text) and not _DAY.fullmatch(text)
    return text if zoned or not text[:1].isdigit() else f"{text}+00:00"


def _read(constant: Literal, base: t.Type) -> pa.Array:
    match base:
        case t.Binary():
            return pa.array([bytes.fromhex(constant.value) if constant.kind == "binary" else constant.value.encode()])
        case _ if constant.kind == "binary" or (isinstance(base, t.Native) and constant.kind != "string"):
            raise ValueError("it is written as a value of another type")
        case t.Boolean() if constant.kind == "bit":
            return arrow.parse(pa.array([str(number(constant))]), base)
        case t.Integer() | t.Year():
            return _whole(number(constant), base)
        case t.Decimal():
            exact = number(constant)
            return arrow.parse(pa.array([format(exact, "f") if exact.is_finite() else constant.value]), base)
        case t.Float():
            near = float(number(constant)) if constant.kind == "bit" else float(constant.value)
            return pa.array([near], pa.float64()).cast(arrow.arrow_type(base))
        case t.Timestamp(zoned=True):
            return arrow.parse(pa.array([instant(constant.value)]), base)
        case t.Bit():
            return pa.array([_fitting_bits(bits(constant, base), base)])
        case _:
            return arrow.parse(pa.array([constant.value]), base)


def _whole(exact: Decimal, base: t.Type) -> pa.Array:
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise ValueError("it is no whole number")
    return pa.array([int(exact)], arrow.arrow_type(base))


def _fitting_bits(digits: str, base: t.Bit) -> str:
    fits = base.length is None or (len(digits) <= base.length if base.varying else len(digits) == base.length)
    if not fits or set(digits) - {"0", "1"}:
        raise ValueError("it is not so many bits")
    return digits
