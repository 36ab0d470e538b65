"""Between types: what becomes of values of one type in a column of another, as one table.

A column of a table that was there before may have any type. What its database reads out of a text is another matter than
what the text says: MySQL takes ``'2'`` for an enumeration's second label and ``'18'`` for the year 2018, PostgreSQL takes
``now`` for a date and ``1_000`` for a number. So a text goes into a column of another type only if it is what that type
writes for one value; everything else is refused by its column. What all values of a column lose alike is an entry of the
loss list. Between types without a row here, :func:`migrator.arrow.convert` and the target's own parser keep some values and
refuse others; types that one database alone has are left to its adapter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t

Kept = Callable[[pa.Array, Any], pa.Array]
"""Which texts a column of a type gives back as they are; of NULL it says nothing."""


def _always(source: Any, target: Any) -> bool:
    return True


@dataclass(frozen=True)
class Passage:
    """One row: what becomes of values of ``source`` in a column of ``target``, where ``when`` holds of both.

    ``kept``: any other text is refused; None: none is, here. ``rule``, ``detail``: the entry about a table that was there.
    ``each``: that is about every value. ``refused``: no value has a place, for this reason. ``parsed``: which values have
    one, whoever reads them at the target tells.
    """

    source: tuple[type[t.Type], ...]
    target: type[t.Type] | tuple[type[t.Type], ...]
    kept: Kept | None = None
    when: Callable[[Any, Any], bool] = _always
    rule: str = ""
    detail: str = ""
    each: bool = False
    refused: str = ""
    parsed: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether each value has a place, but for those that POLICY is about."""
        return self.kept is None and not self.refused and not self.parsed

    def holds(self, source: t.Type, target: t.Type) -> bool:
        """Whether the row is about these types."""
        return isinstance(source, self.source) and isinstance(target, self.target) and self.when(source, target)


# --- texts that come back -------------------------------------------------------------------------------------------


def _written(pattern: str) -> Kept:
    return lambda text, _: pc.match_substring_regex(text, f"^({pattern})$")


def _labels(text: pa.Array, type_: t.Enum | t.SetOf) -> pa.Array:
    """Whether texts are labels; of a set, labels in its order, with commas between."""
    if isinstance(type_, t.Enum):
        return pc.is_in(text, value_set=pa.array(type_.labels, pa.string()))
    places = {label: place for place, label in enumerate(type_.labels)}

    def ordered(value: str) -> bool:
        found = [places.get(label, -1) for label in value.split(",")] if value else []
        return -1 not in found and found == sorted(set(found))

    return _one_by_one(text, ordered)


def _one_by_one(text: pa.Array, kept: Callable[[str], bool]) -> pa.Array:
    """What ``kept`` says of each text, asked once of equal ones."""
    coded = text.dictionary_encode()
    known = pa.array([kept(value) for value in coded.dictionary.to_pylist()], pa.bool_())
    return known.take(coded.indices)


def _float(text: pa.Array, type_: t.Float) -> pa.Array:
    """Whether texts are what a float's shortest text says, but for zeros at the end."""
    return _one_by_one(text, lambda value: _is_float(value, np.float32 if type_.bits == 32 else np.float64))


def _is_float(text: str, kind: Callable[[str], Any]) -> bool:
    if text in {"NaN", "Infinity", "-Infinity"}:
        return True
    if not _FLOAT.fullmatch(text):
        return False
    with np.errstate(over="ignore"):
        shortest = str(kind(text))
    exponents = "e" in text.lower(), "e" in shortest
    return exponents[0] == exponents[1] and shortest.strip("-") != "inf" and Decimal(text) == Decimal(shortest)


def _no_blank_at_end(text: pa.Array, _: t.String) -> pa.Array:
    return pc.invert(pc.ends_with(text, " "))


def _no_declaration(text: pa.Array, _: t.Xml) -> pa.Array:
    """Whether nothing is said of an encoding, which databases drop."""
    return pc.invert(pc.starts_with(text, "<?xml"))


_WHOLE = r"0|-?[1-9]\d*"
_PLAIN = r"(?:0|-?[1-9]\d*)(?:\.\d+)?|-0\.\d*[1-9]\d*|NaN|-?Infinity"
_YEARS = r"19(?:0[1-9]|[1-9]\d)|20\d\d|21(?:[0-4]\d|5[0-5])"
_DAY = r"(?:\d{4}|[1-9]\d{4,})-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_TO_MIDNIGHT = rf"(?:{_CLOCK}|24:00:00(?:\.0+)?)"
_OFFSET = r"Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?"
_ENDLESS = "-?infinity"
_HOURS = r"(?:\d\d|[1-9]\d{2,}):[0-5]\d:[0-5]\d(?:\.\d+)?"
_SPAN = rf"(?:[+-]?\d+ years? ?)?(?:[+-]?\d+ mons? ?)?(?:[+-]?\d+ days? ?)?(?:[+-]?{_HOURS})?|{_ENDLESS}"
_FLOAT = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

# --- the table ------------------------------------------------------------------------------------------------------

_WORDS = (t.String, t.Json, t.Xml, t.Enum, t.SetOf, t.Native, t.Array, t.Interval)
"""Types that are text on their way, and of which any text may be a value."""
AS_WRITTEN = (t.String, t.Xml, t.Native, t.Enum, t.SetOf)
"""Types that show a time as it is written."""
_PARSED = (t.Json, t.Xml, t.Native)
"""Types into whose columns a value of another comes as its text, which may be none of theirs."""
_NUMBERS = (t.Integer, t.Decimal, t.Float)
_NUMERIC = (t.Boolean, *_NUMBERS, t.Year)
_CALENDAR = (t.Date, t.Time, t.Timestamp)
_ANY = (t.Type,)


def _zones(source: bool | None, target: bool) -> Callable[[Any, Any], bool]:
    """Whether times are zoned so at the source (None: or not) and at the target."""
    return lambda here, there: there.zoned is target and source in (None, getattr(here, "zoned", False))


def _from_zone(here: Any, _: t.Type) -> bool:
    return bool(here.zoned)


def _other_labels(here: t.Type, there: t.Enum | t.SetOf) -> bool:
    return type(here) is not type(there) or here.labels != there.labels


def _is_reread(here: t.Type, there: t.Json) -> bool:
    return there.binary and not (isinstance(here, t.Json) and here.binary)


def _becomes_fixed(here: t.Type, there: t.String) -> bool:
    return there.fixed and not (isinstance(here, t.String) and here.fixed)


def _into_hours(here: t.Type, there: t.Interval) -> bool:
    alike = (isinstance(here, t.Interval) and here.kind == "day_second") or (isinstance(here, t.Time) and not here.zoned)
    return there.kind == "day_second" and not alike


def _one_kind(here: t.Type, there: t.Type) -> bool:
    """Whether a type's values are values of another, but for their size."""
    match here, there:
        case t.Native() | t.Array(), _:
            return False
        case t.Interval(kind=kind), t.Interval(kind=taken):
            return taken in (kind, "mixed")
        case t.Bit(length=int(length)), t.Bit(length=int(room), varying=True):
            return length <= room
        case t.Bit(length=length, varying=varying), t.Bit(length=room, varying=takes_fewer):
            return room is None or (length == room and takes_fewer >= varying)
    return type(here) is type(there)


def _is_truth_value(_: t.Type, there: t.Integer) -> bool:
    """Whether a number is what MySQL calls BOOLEAN."""
    return there.display == 1 and there.bits == 8 and not there.unsigned


def _has_16_bytes(_: t.Type, there: t.Binary) -> bool:
    return there.length in (None, 16)


def tells_members(here: t.SetOf) -> bool:
    """Whether the text of a set tells its members: of one that is empty, and of the empty text alone, it is the same."""
    return "" not in here.labels


def is_array(here: t.SetOf, _: t.Array) -> bool:
    """Whether a set becomes the array of its members."""
    return tells_members(here)


def _another(here: t.Type, there: t.Type) -> bool:
    return type(here) is not type(there)


def _is_wider(here: t.Float, there: t.Float) -> bool:
    return here.bits < there.bits


_RULE_TRUTH = "existing-truth"
_RULE_BITS = "existing-bits"
_RULE_FLOAT = "existing-float"
_RULE_MIDNIGHT = "existing-midnight"
_RULE_UUID = "existing-uuid"
_RULE_WRITTEN = "existing-written"
_RULE_ZONE = "existing-zone"

_ZEROS = "what a text says is kept, and not how it is written: zeros at the end, the T before a time of day"
_SHORTEST = "a floating-point number becomes the shortest text that says it, as its database need not write it"
_WORD, _NUMBER, _DIGITS = "a truth value becomes its word", "a truth value becomes 0 or 1", "bits become a text of 0 and 1"
_NEAR = "a floating-point number becomes the decimal that its shortest text says"
_UUID_BYTES = "a UUID becomes its 16 bytes"
_TEXT_BYTES = "a text becomes its bytes in UTF-8, and bytes that are no text stay as they are"
_SET_ARRAY = "a set becomes the array of its members"
_TO_UTC = "an instant becomes date and time of day in UTC"
_AS_UTC = "date and time of day are taken to be in UTC"
_REREAD = "what a document says is kept, and not how it is written: blanks, the order of keys"

PASSAGES = (
    Passage((t.Binary,), t.Binary),
    Passage((t.Binary,), t.Uuid, None, rule=_RULE_UUID, detail="16 bytes become a UUID", each=True, parsed=True),
    Passage((t.Binary,), t.Type, refused="bytes are no value of another type"),
    Passage((*_NUMERIC, t.Bit, t.Uuid), _CALENDAR, refused="only dates and times are dates or times"),
    Passage(_CALENDAR, (*_NUMERIC, t.Bit, t.Uuid, t.Binary), refused="a date or a time is no value of another type"),
    Passage((t.Time,), (t.Date, t.Timestamp), refused="a time of day is on no day"),
    Passage((t.Date, t.Timestamp), (t.Time, t.Interval), refused="a date is no time of day and no span of time"),
    Passage((t.Time,), t.Interval, when=_from_zone, refused="a time of day with an offset is no span of time"),
    Passage((*_NUMBERS, t.Year), (t.Binary, t.Bit, t.Uuid), refused="a number is no bytes and no bits"),
    Passage((t.Boolean,), (t.Binary, t.Uuid), refused="a truth value is no bytes"),
    Passage((t.Boolean,), t.Year, refused="a truth value is no year"),
    Passage((t.Uuid,), (*_NUMERIC, t.Bit), refused="a UUID is no number"),
    Passage((t.Bit,), (t.Decimal, t.Float, t.Year, t.Uuid), refused="bits are no number but a whole one"),
    Passage((*_NUMERIC, t.Bit, t.Uuid), t.Interval, refused="a number is no span of time, nor are bits or a UUID"),
    Passage((t.Float,), t.Boolean, refused="a floating-point number is no truth value"),
    Passage((t.Boolean,), (t.Enum, t.SetOf), _labels, _always, _RULE_TRUTH, _WORD, each=True),
    Passage((t.Float,), (t.Enum, t.SetOf), _labels, _always, _RULE_FLOAT, _SHORTEST, each=True),
    Passage((t.Bit,), (t.Enum, t.SetOf), _labels, _always, _RULE_BITS, _DIGITS, each=True),
    Passage((t.Timestamp,), (t.Enum, t.SetOf), _labels, _from_zone, _RULE_ZONE, _TO_UTC, each=True),
    Passage(_ANY, (t.Enum, t.SetOf), _labels, _other_labels),
    Passage((t.SetOf,), t.Array, None, is_array, "existing-array", _SET_ARRAY, each=True, parsed=True),
    Passage(_NUMBERS, t.Year, _written(f"0|{_YEARS}")),
    Passage(_WORDS, t.Year, _written(f"0000|{_YEARS}")),
    Passage((t.Timestamp,), t.String, None, _from_zone, _RULE_ZONE, _TO_UTC, each=True),
    Passage((t.Timestamp,), (t.Xml, t.Native), None, _from_zone, _RULE_ZONE, _TO_UTC, each=True, parsed=True),
    Passage((t.Boolean,), t.String, None, _always, _RULE_TRUTH, _WORD, each=True),
    Passage((t.Boolean,), _PARSED, None, _always, _RULE_TRUTH, _WORD, each=True, parsed=True),
    Passage((t.Float,), t.String, None, _always, _RULE_FLOAT, _SHORTEST, each=True),
    Passage((t.Float,), _PARSED, None, _always, _RULE_FLOAT, _SHORTEST, each=True, parsed=True),
    Passage((t.Bit,), t.String, None, _always, _RULE_BITS, _DIGITS, each=True),
    Passage((t.Bit,), _PARSED, None, _always, _RULE_BITS, _DIGITS, each=True, parsed=True),
    Passage(
        _WORDS,
        t.String,
        _no_blank_at_end,
        _becomes_fixed,
        "char-blanks",
        "blanks at the end do not count: none is kept there",
    ),
    Passage(
        (t.String,),
        t.String,
        when=lambda here, there: here.fixed and not there.fixed,
        rule="char-blanks",
        detail="blanks at the end count: 'a' and 'a ' are two texts there, and one at the source",
    ),
    Passage(
        _WORDS, t.Boolean, _written("t|f|true|false|0|1"), _always, _RULE_TRUTH, "a word becomes a truth value", each=True
    ),
    Passage((t.Boolean,), t.Integer, when=_is_truth_value),
    Passage((t.Boolean,), _NUMBERS, None, _always, _RULE_TRUTH, _NUMBER, each=True),
    Passage((t.Boolean,), t.Bit, None, _always, _RULE_TRUTH, _NUMBER, each=True, parsed=True),
    Passage((t.Integer,), t.Boolean, when=lambda here, there: _is_truth_value(there, here), parsed=True),
    Passage(
        (*_NUMERIC, t.Bit), t.Boolean, None, _another, _RULE_TRUTH, "0 or 1 becomes a truth value", each=True, parsed=True
    ),
    Passage(_WORDS, t.Integer, _written(_WHOLE)),
    Passage(_WORDS, t.Decimal, _written(_PLAIN), _always, _RULE_WRITTEN, _ZEROS, each=True),
    Passage(_WORDS, t.Float, _float, _always, _RULE_WRITTEN, _ZEROS, each=True),
    Passage(
        (t.Decimal,),
        t.Float,
        rule=_RULE_FLOAT,
        detail="a decimal becomes the nearest number that binary digits can say",
        each=True,
    ),
    Passage((t.Float,), t.Decimal, None, rule=_RULE_FLOAT, detail=_NEAR, each=True),
    Passage((t.Float,), t.Float, None, _is_wider, _RULE_FLOAT, "a number is shown with digits for 64 bits", each=True),
    Passage(_WORDS, t.Binary, rule="existing-bytes", detail=_TEXT_BYTES, each=True),
    Passage((t.Bit,), t.Binary, None, rule=_RULE_BITS, detail="bits become whole bytes", each=True, parsed=True),
    Passage(
        (t.Bit,), t.Integer, None, rule=_RULE_BITS, detail="bits become the number that they write", each=True, parsed=True
    ),
    Passage(_WORDS, t.Bit, _written("[01]*"), _always, _RULE_BITS, "a text of 0 and 1 becomes bits", each=True),
    Passage(
        _WORDS,
        t.Uuid,
        rule=_RULE_UUID,
        detail="a UUID is kept, and not how it is written: capitals, braces",
        each=True,
        parsed=True,
    ),
    Passage(_WORDS, t.Json, when=_is_reread, rule="existing-json", detail=_REREAD, each=True, parsed=True),
    Passage((t.String, t.Json, t.Enum, t.SetOf, t.Native, t.Array), t.Xml, _no_declaration),
    Passage(
        (t.Timestamp,), t.Date, None, _from_zone, _RULE_ZONE, "an instant becomes its day in UTC", each=True, parsed=True
    ),
    Passage(
        (t.Timestamp,), t.Date, None, _always, _RULE_MIDNIGHT, "a day's midnight becomes the day", each=True, parsed=True
    ),
    Passage(_WORDS, t.Date, _written(f"{_DAY}(?: BC)?|{_ENDLESS}")),
    Passage((t.Timestamp,), t.Timestamp, None, _zones(True, False), _RULE_ZONE, _TO_UTC, each=True),
    Passage((t.Timestamp, t.Date), t.Timestamp, None, _zones(False, True), _RULE_ZONE, _AS_UTC, each=True),
    Passage(
        _WORDS,
        t.Timestamp,
        _written(f"{_DAY}[ T]{_CLOCK}(?:{_OFFSET})?(?: BC)?|{_ENDLESS}"),
        _zones(None, True),
        _RULE_ZONE,
        f"{_AS_UTC} where a text has no zone; of one with a zone the instant is kept",
        each=True,
    ),
    Passage(
        _WORDS, t.Timestamp, _written(f"{_DAY}[ T]{_CLOCK}(?: BC)?|{_ENDLESS}"), _always, _RULE_WRITTEN, _ZEROS, each=True
    ),
    Passage((t.Time,), t.Time, _written(_CLOCK), _zones(True, False)),
    Passage((t.Time,), t.Time, None, _zones(False, True), _RULE_ZONE, "a time of day is taken to be in UTC", each=True),
    Passage(_WORDS, t.Time, _written(f"{_TO_MIDNIGHT}(?:{_OFFSET})"), _zones(None, True), _RULE_WRITTEN, _ZEROS, each=True),
    Passage(_WORDS, t.Time, _written(_TO_MIDNIGHT), _always, _RULE_WRITTEN, _ZEROS, each=True),
    Passage(_WORDS[:-1], t.Interval, _written(f"-?{_HOURS}"), _into_hours, _RULE_WRITTEN, _ZEROS, each=True),
    Passage(_ANY, t.Interval, _written(f"-?{_HOURS}"), _into_hours),
    Passage(_WORDS[:-1], t.Interval, _written(_SPAN), _always, _RULE_WRITTEN, _ZEROS, each=True),
    Passage((t.Time,), t.Interval),
    Passage(_NUMERIC, _NUMBERS),
    Passage((t.Date,), t.Timestamp, None, _always, _RULE_MIDNIGHT, "a day becomes its midnight", each=True),
    Passage((t.Uuid,), t.Binary, None, _has_16_bytes, _RULE_UUID, _UUID_BYTES, each=True),
    Passage((t.Uuid,), t.Binary, None, _always, _RULE_UUID, _UUID_BYTES, each=True, parsed=True),
    Passage(_ANY, t.String),
    Passage(_ANY, t.Type, when=_one_kind),
)
"""The first row that holds is taken; types that have none are those of which only the values tell."""


@lru_cache(maxsize=4096)
def passage(source: t.Type, target: t.Type) -> Passage | None:
    """What becomes of values of ``source`` in a column of ``target``; None: nothing that is said here."""
    here, there = t.base_of(source), t.base_of(target)
    if here == there:
        return None
    return next((row for row in PASSAGES if row.holds(here, there)), None)


def refuse_others(found: Passage, text: pa.Array, column: str, target: t.Type) -> None:
    """Refuse what does not come back from a column of ``target`` as it is.

    :raises ValueNotCarried: naming the column and one of the values.
    """
    if found.refused:
        if text.null_count < len(text):
            raise ValueNotCarried(column=column, detail=f"{found.refused}, and the column is {target}")
        return
    if found.kept is None:
        return
    lost = pc.invert(found.kept(text, t.base_of(target)))
    lost = pc.and_(pc.fill_null(lost, False), text.is_valid())
    if pc.any(lost, min_count=0).as_py():
        value = text.filter(lost)[0].as_py()
        detail = f"{abridged(value)!r} is not what {target} writes: another value would be stored, or none"
        raise ValueNotCarried(column=column, detail=detail)
