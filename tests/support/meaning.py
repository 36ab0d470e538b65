"""What values mean: which texts of two servers are one value, and which values a database has no place for.

Both are tables of rows with a reason, so that a change of a value that nobody has agreed to is none of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

import numpy as np

from migrator.model import types as t

# --- one value in the words of two servers --------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """One row: values of ``type`` (where ``when`` holds of it) are one if ``of`` makes the same of what servers print."""

    type: type[t.Type]
    of: Callable[[str], object]
    why: str
    when: Callable[[Any], bool] = lambda type_: True


_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _number(text: str) -> object:
    try:
        number = _EXACT.create_decimal(text)
    except InvalidOperation:
        return text
    if not number:
        return Decimal(0)
    return number.normalize(_EXACT) if number.is_finite() else str(number)


def _double(text: str) -> object:
    return repr(float(text) + 0.0)


def _single(text: str) -> object:
    return repr(np.float32(text) + np.float32(0))


def _clock(text: str) -> object:
    return re.sub(r"(:\d\d)(?:\.0+|(\.\d*?[1-9])0+)(?=\D|$)", r"\1\2", text.replace("T", " "))


_INSTANT = re.compile(
    r"(?P<year>\d{4})(?P<day>-(?!00)\d\d-(?!00)\d\d)[ T](?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"(?:(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)?(?P<era> BC)?"
)


def _instant(text: str) -> object:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return _clock(text)
    year = 1 - int(found["year"]) if found["era"] else int(found["year"])
    offset = int(found["hours"] or 0) * 60 + int(found["minutes"] or 0)
    moment = np.datetime64(f"{year:0{4 + (year < 0)}d}{found['day']}T{found['clock']}", "us")
    return str(moment + np.timedelta64(offset if found["sign"] == "-" else -offset, "m"))


def _bare(text: str) -> object:
    return text.removeprefix("\\x").lower()


def _geometry(type_: t.Type) -> bool:
    return isinstance(type_, t.Native) and type_.declaration == "point"


FORMS = (
    Form(
        t.Boolean,
        lambda text: text.translate({ord("t"): "1", ord("f"): "0"}),
        "PostgreSQL prints t and f, others have 1 and 0",
    ),
    Form(t.Year, int, "MySQL prints the year 0 as 0000"),
    Form(t.Decimal, _number, "how many zeros end a number is a matter of its type; SQLite keeps short ones as REAL"),
    Form(
        t.Float,
        _single,
        "servers print as many digits as tell the number; MariaDB, SQLite: no minus zero",
        lambda f: f.bits == 32,
    ),
    Form(t.Float, _double, "as above"),
    Form(
        t.String,
        lambda text: text.rstrip(" "),
        "PostgreSQL prints char(n) with its padding, MySQL without; SQLite has no such type, and all blanks count",
        lambda s: s.fixed,
    ),
    Form(
        t.Timestamp,
        _instant,
        "an instant is one in any zone; MySQL prints none, SQLite +00:00, PostgreSQL +00",
        lambda x: x.zoned,
    ),
    Form(t.Timestamp, _clock, "a fraction's last zeros are a matter of the type; ISO 8601 lets T stand for the blank"),
    Form(t.Time, _clock, "as above"),
    Form(t.Interval, _clock, "as above: MySQL prints TIME(6) with all digits", lambda span: span.kind == "day_second"),
    Form(t.Native, _bare, "MySQL has no text of a geometry: its bytes become hexadecimal digits", _geometry),
)
"""All other texts must be the same, character by character."""


def _whole(digits: str) -> float:
    return int(digits) if abs(int(digits)) < 1 << 64 else float(digits)


DOCUMENTS: dict[str, Callable[[str], object]] = {
    "mysql": lambda text: json.loads(text, parse_int=_whole),
    "numeric": lambda text: json.loads(text, parse_int=Decimal, parse_float=Decimal),
}
"""Documents as values: the order of keys, repeated ones and blanks are nothing; to ``mysql`` neither are digits beyond those
of a double."""


def meaning(type_: t.Type, text: str | None, *, parsed: str = "") -> object:
    """What a value of a column of ``type_`` means, given what a server prints; two of the same meaning are equal.

    ``parsed``: which of :data:`DOCUMENTS` documents are; empty: texts.
    """
    if text is None:
        return None
    base = t.base_of(type_)
    if parsed and isinstance(base, t.Json):
        return DOCUMENTS[parsed](text)
    return next((form.of(text) for form in FORMS if isinstance(base, form.type) and form.when(base)), text)


# --- what a database has no place for -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """One row: ``target`` has no place for the values of ``type`` of which ``holds`` says so, given the source's text.

    ``whole``: of the type it says that there is no such type at all, so that not even a NULL has a place. ``product``: the
    only one of MySQL's family that it is about; empty: both.
    """

    target: str
    type: type[t.Type]
    holds: Callable[[str, Any], bool]
    why: str
    whole: bool = False
    product: str = ""


_ODD_FLOATS = frozenset({"NaN", "Infinity", "-Infinity", "Inf", "-Inf"})


def _odd_day(text: str, _: t.Type) -> bool:
    return text in {"infinity", "-infinity"} or text.endswith(" BC") or re.match(r"\d{5}", text) is not None


def _odd_moment(text: str, type_: t.Timestamp) -> bool:
    """Besides, an offset that leads to a day before the first one."""
    if _odd_day(text, type_):
        return True
    return type_.zoned and not text.startswith("0000-") and str(_instant(text)).startswith("0000-")


def _no_day(text: str, _: t.Type) -> bool:
    """The zero date, one whose month or day is zero, and the year 0."""
    return text.startswith("0000-") or re.match(r"\d{4}-(00|\d\d-00)", text) is not None


def _finer(text: str, type_: t.Decimal) -> bool:
    """No number, or one with more digits after the point than the type has."""
    number = _number(text)
    if not isinstance(number, Decimal):
        return number not in _ODD_FLOATS
    exponent = number.as_tuple().exponent
    return bool(number) and type_.scale is not None and isinstance(exponent, int) and -exponent > type_.scale


def _over_65_digits(text: str, type_: t.Decimal) -> bool:
    number = _number(text)
    if not isinstance(number, Decimal) or _finer(text, type_):
        return True
    whole, fraction = number.adjusted() + 1, -min(0, int(number.as_tuple().exponent))
    return (type_.precision is None or type_.precision > 65) and (whole > 35 or fraction > 30)


def _kept_as_real(type_: t.Decimal) -> bool:
    return type_.precision is not None and type_.precision <= 15 and 0 <= (type_.scale or 0) <= type_.precision


def _lone_surrogate(text: str, _: t.Type) -> bool:
    return re.search(r"[\ud800-\udfff]", json.dumps(json.loads(text), ensure_ascii=False)) is not None


def _of(dialect: str, declaration: str) -> Callable[[str, Any], bool]:
    return lambda _, native: native.dialect == dialect and native.declaration == declaration


LIMITS = (
    Limit("sqlite", t.Float, lambda text, _: text == "NaN", "SQLite would store NULL"),
    Limit(
        "sqlite", t.Decimal, lambda text, d: _kept_as_real(d) and text in _ODD_FLOATS, "as above, and no infinite decimals"
    ),
    Limit("sqlite", t.Integer, lambda text, _: int(text) >= 1 << 63, "integers of 64 bits have a sign"),
    Limit("sqlite", t.Enum, lambda text, enum: text not in enum.labels, "'' is no label; MySQL stores it for a wrong one"),
    Limit("postgresql", t.String, lambda text, _: "\0" in text, "no character NUL in a text"),
    Limit("postgresql", t.Json, lambda text, j: j.binary and r"\u0000" in text, "nor in a document that is parsed"),
    Limit("postgresql", t.Date, _no_day, "no zero dates, no year 0"),
    Limit("postgresql", t.Timestamp, lambda text, x: not x.zoned and _no_day(text, x), "as above"),
    Limit("postgresql", t.Timestamp, lambda text, x: x.zoned and text.startswith("0000-"), "as above"),
    Limit("postgresql", t.Decimal, _finer, "no number, or its digits would be cut"),
    Limit("mysql", t.Float, lambda text, _: text in _ODD_FLOATS, "no NaN and no infinities"),
    Limit("mysql", t.Decimal, _over_65_digits, "65 digits at most, neither NaN nor infinities"),
    Limit("mysql", t.Date, _odd_day, "the years 0 to 9999"),
    Limit("mysql", t.Timestamp, _odd_moment, "the years 0 to 9999"),
    Limit("mysql", t.Json, _lone_surrogate, "JSON is text, which has no lone surrogates"),
    Limit(
        "mysql",
        t.Uuid,
        lambda text, _: re.match(r".{8}-.{4}-[89a-f].{3}-[0-7]", text.lower()) is not None,
        "MariaDB keeps another order of bytes for those of old, and takes none that it could not tell from them",
        product="MariaDB",
    ),
)


def limit(target: str, type_: t.Type, text: str | None, *, product: str = "MariaDB") -> Limit | None:
    """Why a database has no place for a value of ``type_``, given what its source prints; None: it has one."""
    base = t.base_of(type_)
    for row in LIMITS:
        if (
            row.target == target
            and row.product in {"", product}
            and isinstance(base, row.type)
            and (text is not None or row.whole)
            and row.holds(text or "", base)
        ):
            return row
    return None
