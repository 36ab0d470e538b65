"""Whether values fit a declared type: SQLite itself does not ask, so a load does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_PREC, Context, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.model import types as t

_EXACT = Context(prec=MAX_PREC)


def fit(array: pa.Array, source: t.Type, target: t.Type) -> pa.Array:
    """Values that have been converted from ``source``, in the form of ``target`` where they can be parsed.

    Text that a value of the same type travels as (the text escape) stays as it is: it is what the source holds.

    :raises pa.ArrowInvalid: a value is not of the target's type.
    """
    parsed = arrow.parse(array, target) if arrow.escaped(array, target) else array
    if arrow.escaped(parsed, target) and type(source) is not type(target):
        raise pa.ArrowInvalid(f"a text is no {target}")
    for rule in LIMITS:
        if isinstance(target, rule.type) and rule.when(source, target) and not rule.holds(parsed, target):
            raise pa.ArrowInvalid(f"{rule.what} of {target}")
    return parsed


@dataclass(frozen=True)
class Limit:
    """One row: what values of ``type`` keep to, where ``when`` holds of the source's and the target's type."""

    type: type[t.Type]
    what: str
    holds: Callable[[pa.Array, Any], bool]
    when: Callable[[t.Type, Any], bool]


def _all(condition: pa.Array) -> bool:
    return bool(pc.all(condition).as_py() is not False)


def _short(array: pa.Array, type_: t.String | t.Binary) -> bool:
    by_bytes = isinstance(type_, t.Binary) or type_.unit == "byte"
    if _all(pc.less_equal(pc.binary_length(array), type_.length)):  # a character has a byte at least
        return True
    return not by_bytes and _all(pc.less_equal(pc.utf8_length(array), type_.length))


def _in_range(array: pa.Array, type_: t.Integer) -> bool:
    low, high = (0, (1 << type_.bits) - 1) if type_.unsigned else (-1 << (type_.bits - 1), (1 << (type_.bits - 1)) - 1)
    return _all(pc.and_(pc.greater_equal(array, low), pc.less_equal(array, high)))


def _within(array: pa.Array, type_: t.Decimal) -> bool:
    """Whether decimals that came as text have no more digits than declared; what is no number is told later."""
    return not pa.types.is_string(array.type) or all(
        _has_digits(text, type_) for text in array.to_pylist() if text is not None
    )


def _has_digits(text: str, type_: t.Decimal) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return True
    assert type_.precision is not None
    scale = type_.scale or 0
    exponent = number.normalize(_EXACT).as_tuple().exponent
    if not isinstance(exponent, int) or not number:
        return True
    return exponent >= -scale and number.copy_abs() < 10 ** (type_.precision - scale)  # abs() rounds


def _valid_json(array: pa.Array, _: t.Json) -> bool:
    try:
        for text in array.to_pylist():
            if text is not None:
                json.loads(text)
    except ValueError:
        return False
    return True


LIMITS = (
    Limit(t.String, "a text is longer than a value", _short, lambda _, here: here.length is not None),
    Limit(t.Binary, "bytes are longer than a value", _short, lambda _, here: here.length is not None),
    Limit(t.Integer, "a number is out of the range", _in_range, lambda _, here: here.bits == 24),
    Limit(
        t.Decimal,
        "a number has more digits than one",
        _within,
        lambda there, here: here.precision is not None and there != here,
    ),
    Limit(t.Json, "a text is no document", _valid_json, lambda there, _: not isinstance(there, t.Json)),
)
"""What Arrow's own types do not check."""
