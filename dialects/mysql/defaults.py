"""Constants of other databases as MySQL's defaults: what MySQL or MariaDB would round, cut or replace is none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from migrator.arrow import as_text
from migrator.expressions import Untranslatable
from migrator.expressions.constants import value_of
from migrator.model import types as t
from migrator.model.objects import Literal

_MICROSECONDS = 6
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def constant(value: Literal, type_: t.Type, declared: str, quoted: Callable[[str], str]) -> str:
    """A constant for a column of ``type_`` that is ``declared`` so. ``quoted`` writes a text.

    :raises Untranslatable: the column does not hold it as it is.
    """
    array = value_of(value, type_)
    known = array[0].as_py()
    text = known.hex() if isinstance(known, bytes) else str(as_text(array, type_)[0].as_py())
    match type_:
        case t.Boolean():
            return "1" if known else "0"
        case t.Integer():
            return text
        case t.Decimal():
            return _decimal(text, declared)
        case t.Float():
            if not math.isfinite(known):
                raise Untranslatable(f"there is no {text} here")
            return repr(known)
        case t.Year():
            return f"'{known:04}'"  # the number 0 would be the year 2000 in a text
        case t.Binary(length=length, fixed=fixed):
            if fixed and len(known) < (length or 0):
                raise Untranslatable(f"bytes are shorter than {length}: zeros would be added")
            return f"X'{text}'" if text else "''"
        case t.Uuid():
            return quoted(str(as_text(array, type_)[0].as_py()))
        case t.Bit() if declared.startswith("bit"):
            return f"B'{text}'"
        case t.Timestamp(precision=digits) | t.Time(zoned=False, precision=digits):
            return quoted(_clock(text, min(digits, _MICROSECONDS)))
    return quoted(text)


def _decimal(text: str, declared: str) -> str:
    digits = _DECIMAL.match(declared)
    exact = Decimal(text)
    if not exact.is_finite():
        raise Untranslatable(f"there is no {text} here")
    written = format(exact.normalize(), "f") if exact else "0"
    whole, _, fraction = written.lstrip("-").partition(".")
    if digits and (len(fraction) > int(digits[2]) or len(whole.lstrip("0")) > int(digits[1]) - int(digits[2])):
        raise Untranslatable(f"{written} does not fit {digits[0]}")
    return format(exact, "f")


def _clock(text: str, digits: int) -> str:
    seconds, _, fraction = text.partition(".")
    if fraction[digits:].strip("0"):
        raise Untranslatable(f"{text} has more than {digits} digits after the second")
    fraction = fraction[:digits].rstrip("0")
    return f"{seconds}.{fraction}" if fraction else seconds
