"""Canonical forms: per neutral type, what two values that mean the same have in common, however they travel.

Columns are compared in the target's type, since the source's values are converted to it as an import converts them. A form
takes an array of that type, typed or escaped to text (see :mod:`migrator.arrow`), and gives each value as words of 64 bits,
or as text where it has none: ``infinity``, a year BC, ``0000-00-00``. NULL is neither, so it is no empty text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.model import types as t
from migrator.verification.hashing import Hashes, of_bytes, of_words, seed

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Canonical:
    """Values in a form: ``words`` (those of a value that has none are any), ``texts``: of such values, NULL elsewhere.

    Without ``words`` every value is a text; without ``texts`` none is.
    """

    nulls: Mask | None
    words: tuple[Hashes, ...] = ()
    texts: pa.Array | None = None

    def hashes(self, start: np.uint64) -> Hashes:
        """A hash of each value; ``start``: the column's."""
        if self.texts is None:
            found = of_words(self.words, start)
        elif not self.words:
            found = of_bytes(self.texts, start ^ _TEXT)
        else:
            found = of_words(self.words, start)
            as_text = np.asarray(self.texts.is_valid())
            found[as_text] = of_bytes(self.texts.drop_null(), start ^ _TEXT)
        if self.nulls is not None:
            found[self.nulls] = of_words([_NULL], start)[0]
        return found


Form = Callable[[pa.Array, t.Type], Canonical]
_TEXT, _NULL = seed(1 << 20), np.array([seed(1 << 21)])


def _nulls(array: pa.Array) -> Mask | None:
    return np.asarray(array.is_null()) if array.null_count else None


# --- words ----------------------------------------------------------------------------------------------------------


def _fixed(array: pa.Array, width: int) -> npt.NDArray[np.uint64]:
    """The words of an array of ``width`` words a value."""
    words = np.frombuffer(array.buffers()[1], np.uint64)[array.offset * width : (array.offset + len(array)) * width]
    return words.reshape(-1, width)


def _wordy(typed: pa.Array, width: int = 1, rest: pa.Array | None = None, nulls: Mask | None = None) -> Canonical:
    """An array of 64 bits a value, or a multiple of that; ``rest``: texts of what is NULL in it and no NULL."""
    if not len(typed):
        return Canonical(None, tuple(np.zeros(0, np.uint64) for _ in range(width)))
    words = _fixed(typed, width)
    return Canonical(_nulls(typed) if rest is None else nulls, tuple(words[:, i] for i in range(width)), rest)


def _read(text: pa.Array, pattern: str, cast: Callable[[pa.Array], pa.Array], width: int = 1) -> Canonical:
    """Texts that fit a pattern as ``cast`` reads them, all others as they are."""
    typed = _readable(pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string())), cast)
    rest = pc.if_else(typed.is_valid(), pa.scalar(None, pa.string()), text)
    if rest.null_count == len(rest):
        return _wordy(typed, width)
    return _wordy(typed, width, rest, _nulls(text))


def _readable(text: pa.Array, cast: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What of some texts can be read, NULL for what cannot, such as the day 2023-02-30."""
    try:
        return cast(text)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return cast(pa.array([None], pa.string()))
    half = len(text) // 2
    return pa.concat_arrays([_readable(text[:half], cast), _readable(text[half:], cast)])


def _whole(array: pa.Array, type_: t.Type) -> Canonical:
    integer = type_ if isinstance(type_, t.Integer) else t.Integer()
    wide = pa.uint64() if integer.unsigned and integer.bits == 64 else pa.int64()
    if pa.types.is_string(array.type):
        return _read(_truths(array), r"^[+-]?[0-9]+$", lambda text: text.cast(wide))
    return _wordy((array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array).cast(wide))


def _truths(text: pa.Array) -> pa.Array:
    """Truth values that came as words, as numbers."""
    for pattern, number in (("^(?i:t|true)$", "1"), ("^(?i:f|false)$", "0")):
        text = pc.replace_substring_regex(text, pattern, number)
    return text


def _float(array: pa.Array, _: t.Type) -> Canonical:
    if pa.types.is_string(array.type):
        reals = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^NaN$|^-?(Infinity|inf)$"
        return _read(array, reals, lambda text: _one_zero(text.cast(pa.float64())))
    return _wordy(_one_zero(array.cast(pa.float64())))


def _one_zero(reals: pa.Array) -> pa.Array:
    """Floats with one zero and one NaN."""
    values = np.array(reals.fill_null(0.0)) + 0.0
    values[np.isnan(values)] = np.nan
    return pa.array(values, mask=_nulls(reals))


# --- decimals -------------------------------------------------------------------------------------------------------

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_PLAIN = r"^-?[0-9]+(\.[0-9]+)?$"
_LONGEST = 200_000
"""More digits than any database's decimals have: a number that needs them stays as it is written."""


def _decimal(array: pa.Array, type_: t.Type) -> Canonical:
    wanted = arrow.arrow_type(type_)
    width = wanted.byte_width // 8
    if pa.types.is_string(array.type):
        return _read(_digits_of(array), _PLAIN, lambda text: text.cast(wanted), width)
    return _wordy(array.cast(wanted), width)


def _digits(array: pa.Array, type_: t.Type) -> Canonical:
    return Canonical(_nulls(array), texts=_digits_of(arrow.as_text(array, type_)))


def _digits_of(text: pa.Array) -> pa.Array:
    """Decimals without needless zeros and signs: ``-0.50`` is ``-0.5``, ``+7.`` is ``7``, ``1e2`` is ``100``."""
    plain = pc.match_substring_regex(text, _PLAIN)
    if not pc.all(plain, min_count=0).as_py():
        shown = [_plain_digits(value) for value in text.filter(pc.invert(plain)).to_pylist()]
        text = pc.replace_with_mask(text, pc.fill_null(pc.invert(plain), False), pa.array(shown, pa.string()))
    for pattern, instead in ((r"(\.[0-9]*?)0+$", r"\1"), (r"\.$", ""), (r"^(-?)0+([0-9])", r"\1\2"), (r"^-0$", "0")):
        text = pc.replace_substring_regex(text, pattern, instead)
    return text


def _plain_digits(text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        return text
    return format(number, "f")


# --- texts and bytes ------------------------------------------------------------------------------------------------


def _text(array: pa.Array, type_: t.Type) -> Canonical:
    return Canonical(_nulls(array), texts=arrow.as_text(array, type_))


def _padded(array: pa.Array, type_: t.Type) -> Canonical:
    return Canonical(_nulls(array), texts=pc.ascii_rtrim(arrow.as_text(array, type_), characters=" "))


def _bytes(array: pa.Array, type_: t.Type) -> Canonical:
    fixed = pa.types.is_fixed_size_binary(array.type)
    return Canonical(_nulls(array), texts=array.cast(pa.binary()) if fixed else arrow.as_text(array, type_))


def _uuid(array: pa.Array, _: t.Type) -> Canonical:
    if pa.types.is_string(array.type):
        digits = pc.replace_substring_regex(pc.utf8_lower(array), "[-{}]", "")
        return _read(digits, "^[0-9a-f]{32}$", arrow.uuid_bytes, 2)
    return _wordy(array.cast(pa.binary(16)), 2)


# --- days and times -------------------------------------------------------------------------------------------------

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SECONDS = r":[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"


def _day(array: pa.Array, _: t.Type) -> Canonical:
    def days(text: pa.Array) -> pa.Array:
        return text.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())

    if pa.types.is_string(array.type):
        return _read(array, f"^{_DAY}$", days)
    return _wordy(array.cast(pa.int32()).cast(pa.int64()))


def _clock(array: pa.Array, _: t.Type) -> Canonical:
    def ticks(text: pa.Array) -> pa.Array:
        moments = pc.binary_join_element_wise("1970-01-01", text, " ").cast(pa.timestamp("us"))
        return moments.cast(pa.int64())

    if pa.types.is_string(array.type):
        return _read(_fewest(array), f"^{_CLOCK}{_SECONDS}$", ticks)
    return _wordy(array.cast(pa.int64()))


def _moment(array: pa.Array, _: t.Type) -> Canonical:
    """Microseconds; of an instant, in UTC, which is also what a timestamp without a zone is taken to be in."""
    if pa.types.is_string(array.type):
        return _read(_fewest(array), f"^{_DAY}([ T]{_CLOCK}({_SECONDS})?{_ZONE}?)?$", _ticks)
    return _wordy(array.cast(pa.int64()))


def _ticks(text: pa.Array) -> pa.Array:
    for pattern, instead in ((f"^({_DAY})$", r"\1 00:00"), (f"^({_DAY}[ T]{_CLOCK}({_SECONDS})?)$", r"\1Z")):
        text = pc.replace_substring_regex(text, pattern, instead)
    return text.cast(pa.timestamp("us", "UTC")).cast(pa.int64())


def _fewest(text: pa.Array) -> pa.Array:
    """Times without zeros at the end of a fraction of a second."""
    return pc.replace_substring_regex(text, r"(:[0-9]{2})(?:\.0*|(\.[0-9]*[1-9])0*)($|[^0-9])", r"\1\2\3")


def _offset_clock(array: pa.Array, type_: t.Type) -> Canonical:
    text = _fewest(arrow.as_text(array, type_))
    for pattern, instead in (("Z$", "+00"), ("^(.*[+-][0-9]{2}):?00$", r"\1")):
        text = pc.replace_substring_regex(text, pattern, instead)
    return Canonical(_nulls(array), texts=text)


# --- intervals ------------------------------------------------------------------------------------------------------

_HOURS = re.compile(r"(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d{1,6})0*)?")
_PART = re.compile(r"(?P<amount>[+-]?\d+) (?P<unit>year|mon|day)s?")
_MONTHS = {"year": 12, "mon": 1, "day": 0}


def _span(array: pa.Array, type_: t.Type) -> Canonical:
    """Microseconds where an interval has nothing else, and else a text of months, days and microseconds."""
    text = arrow.as_text(array, type_)
    parts = pc.extract_regex(text, r"^(?P<s>[+-]?)(?P<h>[0-9]{1,9}):(?P<m>[0-9]{2}):(?P<sec>[0-9]{2}(?:\.[0-9]{1,6}0*)?)$")
    hours, minutes = (pc.struct_field(parts, name).cast(pa.int64()) for name in ("h", "m"))
    seconds = pc.round(pc.multiply(pc.struct_field(parts, "sec").cast(pa.float64()), 1e6)).cast(pa.int64())
    ticks = pc.add(pc.multiply(pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60)), 1_000_000), seconds)
    ticks = pc.if_else(pc.equal(pc.struct_field(parts, "s"), "-"), pc.negate(ticks), ticks)
    left = pc.and_(text.is_valid(), ticks.is_null())
    if not pc.any(left).as_py():
        return _wordy(ticks)
    spans = [_months_days_ticks(value) for value in text.filter(left).to_pylist()]
    clocks = pa.array([span if isinstance(span, int) else None for span in spans], pa.int64())
    words = [span if isinstance(span, str) else None for span in spans]
    ticks = pc.replace_with_mask(ticks, left, clocks)
    rest = pc.replace_with_mask(pa.nulls(len(text), pa.string()), left, pa.array(words, pa.string()))
    return _wordy(ticks, 1, rest, _nulls(text))


def _months_days_ticks(text: str) -> int | str:
    """A span as PostgreSQL writes it, ``1 year 2 mons -3 days 04:05:06.7``; its text where it is written otherwise."""
    months = days = 0
    left = text.strip()
    while (part := _PART.match(left)) is not None:
        amount = int(part["amount"])
        months, days = months + amount * _MONTHS[part["unit"]], days + (amount if part["unit"] == "day" else 0)
        left = left[part.end() :].lstrip()
    clock = _HOURS.fullmatch(left)
    if left and clock is None:
        return text
    ticks = 0
    if clock is not None:
        seconds = int(clock["hours"]) * 3600 + int(clock["minutes"]) * 60 + int(clock["seconds"])
        ticks = seconds * 1_000_000 + int((clock["fraction"] or "").ljust(6, "0"))
        ticks = -ticks if clock["sign"] == "-" else ticks
    return f"{months} months {days} days {ticks}" if months or days else ticks


# --- JSON -----------------------------------------------------------------------------------------------------------


class _NoDocument(Exception):
    """NaN or Infinity, which Python's parser takes and JSON does not have."""


def _document(array: pa.Array, _: t.Type, number: Callable[[str], Any]) -> Canonical:
    shown = [None if text is None else _parsed(text, number) for text in array.to_pylist()]
    return Canonical(_nulls(array), texts=pa.array(shown, pa.binary()))


def _parsed(text: str, number: Callable[[str], Any]) -> bytes:
    """A document with sorted keys and numbers by value; a text that is none as it is."""

    def refuse(constant: str) -> None:
        raise _NoDocument(constant)

    try:
        value = json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse)
    except (ValueError, ArithmeticError, RecursionError, _NoDocument):
        return text.encode("utf-8", "surrogatepass")
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _exactly(text: str) -> Any:
    sign, digits, exponent = Decimal(text).normalize(_EXACT).as_tuple()
    return {"\0number": [sign if digits != (0,) else 0, "".join(map(str, digits)), exponent]}


def _as_float(text: str) -> Any:
    return {"\0number": float(text) + 0.0}


# --- which form -----------------------------------------------------------------------------------------------------

FORMS: dict[str, Form] = {
    "whole": _whole,
    "decimal": _decimal,
    "digits": _digits,
    "float": _float,
    "text": _text,
    "padded": _padded,
    "bytes": _bytes,
    "uuid": _uuid,
    "day": _day,
    "clock": _clock,
    "offset clock": _offset_clock,
    "moment": _moment,
    "span": _span,
    "document": partial(_document, number=_exactly),
    "rounded document": partial(_document, number=_as_float),
}
"""The forms by their names."""

MEANINGS: dict[str, tuple[str, str]] = {
    "whole": ("truth values, whole numbers, years", "`true` and 1"),
    "decimal": ("decimals of a fixed number of digits", "1.5 and 1.50"),
    "digits": ("decimals of any number of digits", "1.5, 1.50 and 1.5e0"),
    "float": (
        "floating-point numbers",
        "0 and -0 (the loss list counts those that change); one NaN and another; a number of 32 bits and the same in 64",
    ),
    "text": ("texts, labels, bits, arrays, types that one database alone has", "nothing else: case and blanks count"),
    "padded": ("texts, where the target's have a fixed length", "with and without blanks at the end"),
    "bytes": ("bytes", "nothing else"),
    "uuid": ("UUIDs", "in capitals, in braces, without hyphens"),
    "day": ("dates", "nothing else"),
    "clock": ("times of day", "fractions of a second with zeros at the end"),
    "offset clock": ("times of day with an offset", "`+00` and `+00:00`; fractions as above"),
    "moment": ("timestamps", "the same instant in two zones; `T` and a blank; fractions as above"),
    "span": ("intervals: months, days and time are three things", "`1 year` and `12 mons`; fractions as above"),
    "document": (
        "JSON that the target parses",
        "order of keys, blanks, how numbers and characters are written; repeated keys",
    ),
    "rounded document": (
        "JSON whose numbers the target keeps as floats, as the loss list says",
        "besides, one float's numbers",
    ),
}
"""Of each form: which values are compared in it, and what else means the same there."""


@dataclass(frozen=True)
class FormRule:
    """One row: values whose target is of ``type`` are compared in this form, where ``when`` holds for source and target."""

    form: str
    type: type[t.Type]
    when: Callable[[Any, Any], bool] = lambda source, target: True


def _into_fixed(_: t.Type, target: t.String) -> bool:
    """Whether the target strips blanks or fills up with them. (A text with blanks at the end has no place there.)"""
    return target.fixed


RULES = (
    FormRule("whole", t.Boolean),
    FormRule("whole", t.Integer),
    FormRule("whole", t.Year),
    FormRule("decimal", t.Decimal, lambda _, target: pa.types.is_decimal(arrow.arrow_type(target))),
    FormRule("digits", t.Decimal),
    FormRule("float", t.Float),
    FormRule("padded", t.String, _into_fixed),
    FormRule("bytes", t.Binary),
    FormRule("uuid", t.Uuid),
    FormRule("day", t.Date),
    FormRule("offset clock", t.Time, lambda _, target: target.zoned),
    FormRule("clock", t.Time),
    FormRule("moment", t.Timestamp),
    FormRule("span", t.Interval),
    FormRule("document", t.Json, lambda _, target: target.binary),
    FormRule("text", t.Type),
)
"""In which form values are compared; the first row that holds is taken."""

LEDGER_FORMS = {("document", "type-json"): "rounded document"}
"""By a form and the rule of a declared loss: the form in which that loss is applied to the source's values as well."""


def form_of(source: t.Type, target: t.Type) -> str:
    """The form in which values of ``source``, converted, are compared with those of ``target``."""
    here, there = t.base_of(source), t.base_of(target)
    return next(rule.form for rule in RULES if isinstance(there, rule.type) and rule.when(here, there))


def alike(source: t.Type, target: t.Type) -> bool:
    """Whether a value of either type has the same words in the form of ``source``'s own."""
    fixed = {isinstance(base, t.String) and base.fixed for base in (t.base_of(source), t.base_of(target))}
    if len(fixed) > 1:
        return False
    here, there = arrow.arrow_type(source), arrow.arrow_type(target)
    if all(pa.types.is_decimal(type_) for type_ in (here, there)):
        return bool((here.scale, here.byte_width) == (there.scale, there.byte_width))
    whole = all(pa.types.is_boolean(type_) or pa.types.is_integer(type_) for type_ in (here, there))
    if whole and pa.uint64() not in {here, there}:
        return True
    floats = pa.types.is_floating(here) and pa.types.is_floating(there)
    return bool(floats or (here == there and type(t.base_of(source)) is type(t.base_of(target))))
