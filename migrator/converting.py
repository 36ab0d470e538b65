"""Values that have no place at the target, found and changed in Arrow batches between a reader and a writer.

Each kind of value (:class:`~migrator.model.misfits.Misfit`) is one row of :data:`FINDERS`: which pairs of a source's and
a target's column can meet it, and how it is found and changed, all values of a column at once. A value is looked for in the
form in which it travels, which is text where its type's own Arrow form cannot hold it (see :mod:`migrator.arrow`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.adapter import Adapter, Read
from migrator.between import AS_WRITTEN, passage, refuse_others
from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t
from migrator.model.catalog import Action, value_of
from migrator.model.misfits import BECOME_NULL, OF_TYPES, Misfit
from migrator.model.objects import Column

Counts = Counter[tuple[str, str, Action | None]]
"""How many values of each column (by its name at the target) are concerned: by which misfit, as which action asked; or by
which rule of the loss list, to which there is no action."""


@dataclass(frozen=True)
class Pair:
    """A column as its values come, and as the target has it. ``lacks``: what the target has no place for there."""

    source: Column
    target: Column
    lacks: frozenset[Misfit] = frozenset()
    largest: int | None = None
    """The largest integer of the target's database; None: as types say."""
    no_dates: str = ""
    """A pattern of the dates that the target's database does not have, and the source's may; empty: there are none."""
    alike: bool = False
    """Whether both are columns of one kind of database, declared in the same words."""

    @property
    def kinds(self) -> tuple[t.Type, t.Type]:
        """What the values are at the source, and at the target."""
        return t.base_of(self.source.type), t.base_of(self.target.type)


@dataclass(frozen=True)
class Change:
    """Changed values of a batch's column, and which were: a mask without NULLs."""

    array: pa.Array
    mask: pa.Array


Find = Callable[[pa.Array, Pair], Change | None]


@dataclass(frozen=True)
class Finder:
    """How one kind of value is found and changed. ``concerns``: whether a pair can meet it, which is of a type that can."""

    concerns: Callable[[Pair], bool]
    find: Find


# --- masks ----------------------------------------------------------------------------------------------------------


def _told(array: pa.Array, mask: pa.Array, instead: Callable[[], pa.Array]) -> Change | None:
    """The change of the values where ``mask`` holds; None: there is none. NULL in the mask means no."""
    mask = pc.fill_null(mask, False)
    if isinstance(mask, pa.ChunkedArray):
        mask = mask.combine_chunks()
    return Change(instead(), mask) if pc.any(mask, min_count=0).as_py() else None


def _nulled(array: pa.Array, mask: pa.Array) -> Change | None:
    return _told(array, mask, lambda: pc.if_else(pc.fill_null(mask, False), pa.scalar(None, array.type), array))


def _is_text(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type))


def _replaced(array: pa.Array, mask: pa.Array, change: Callable[[Any], Any]) -> Change | None:
    """The values where ``mask`` holds changed one by one, for changes that few values need."""
    mask = pc.fill_null(mask, False)
    few = array.filter(mask)
    if not len(few):
        return None
    changed = pa.array([change(value) for value in few.to_pylist()], array.type)
    differs = pc.fill_null(pc.not_equal(changed, few), True)
    if not pc.any(differs, min_count=0).as_py():
        return None
    which = pc.replace_with_mask(mask, mask, differs)
    return Change(pc.replace_with_mask(array, mask, changed), which)


# --- texts ----------------------------------------------------------------------------------------------------------


def _valid_text(array: pa.Array, pair: Pair) -> Change | None:
    """Texts that a reader has handed on as bytes, since one of them is no UTF-8."""
    if not pa.types.is_binary(array.type):
        return None
    values = array.to_pylist()
    texts = [None if value is None else value.decode(errors="replace") for value in values]
    wrong = [text is not None and text.encode() != value for text, value in zip(texts, values, strict=True)]
    return Change(pa.array(texts, pa.string()), pa.array(wrong, pa.bool_()))


def _may_be_no_text(pair: Pair) -> bool:
    return Misfit.INVALID_BYTES in pair.lacks and not isinstance(pair.kinds[1], t.Binary)


def _without_nul_in_labels(type_: t.Type) -> bool:
    """Whether a type lists its texts, and none of them has NUL."""
    return isinstance(type_, t.Enum | t.SetOf) and not any("\0" in label for label in type_.labels)


_ESCAPED_NUL = r"((?:^|[^\\])(?:\\\\)*)\\u0000"
"""In JSON: the escape of NUL, and not of a backslash that the digits follow."""


def _without_nul(array: pa.Array, pair: Pair) -> Change | None:
    if not _is_text(array):
        return None
    found = pc.match_substring(array, "\0")
    kind = pair.kinds[1]
    if not (isinstance(kind, t.Json) and kind.binary):
        return _told(array, found, lambda: pc.replace_substring(array, "\0", ""))
    found = pc.or_(found, pc.match_substring_regex(array, _ESCAPED_NUL))

    def removed() -> pa.Array:
        text = pc.replace_substring(array, "\0", "")
        while pc.any(pc.match_substring_regex(text, _ESCAPED_NUL), min_count=0).as_py():
            text = pc.replace_substring_regex(text, _ESCAPED_NUL, r"\1")
        return text

    return _told(array, found, removed)


def _cut(array: pa.Array, pair: Pair) -> Change | None:
    match pair.kinds[1]:
        case t.String(length=int(length), unit="char") if _is_text(array):
            long = pc.greater(pc.utf8_length(array), length)
            return _told(array, long, lambda: pc.utf8_slice_codeunits(array, 0, length))
        case t.String(length=int(length)) if _is_text(array):
            long = pc.greater(pc.binary_length(array), length)
            return _replaced(array, long, lambda text: text.encode()[:length].decode(errors="ignore"))
        case t.Binary(length=int(length)) if pa.types.is_binary(array.type):
            return _told(array, pc.greater(pc.binary_length(array), length), lambda: pc.binary_slice(array, 0, length))
    return None


def _empty(array: pa.Array, pair: Pair) -> Change | None:
    return _nulled(array, pc.equal(array, "")) if _is_text(array) else None


def _may_be_too_long(pair: Pair) -> bool:
    match pair.kinds:
        case t.String(length=int(here), unit=a), t.String(length=int(there), unit=b):
            return here * (4 if (a, b) == ("char", "byte") else 1) > there
        case t.String() | t.Json() | t.Xml(), t.String(length=int()):
            return True
        case t.Binary(length=here), t.Binary(length=int(there)):
            return here is None or here > there
    return False


# --- dates ----------------------------------------------------------------------------------------------------------

_ZERO = r"^0000-00-00(?:[ T]00:00:00(?:\.0*)?)?$"
_DATE = r"^\d{4}-\d\d-\d\d(?:$|[ T])"
_INFINITE = r"(?i)^[+-]?inf(?:inity)?$"
_NOT_A_NUMBER = r"(?i)^[+-]?nan$"
_DATES = (t.Date, t.Timestamp)


def _zero_dates(array: pa.Array, pair: Pair) -> Change | None:
    return _nulled(array, pc.match_substring_regex(array, _ZERO)) if _is_text(array) else None


def _partial_dates(array: pa.Array, pair: Pair) -> Change | None:
    if not _is_text(array):
        return None
    dated = pc.and_(pc.match_substring_regex(array, _DATE), pc.invert(pc.match_substring_regex(array, _ZERO)))
    dated = pc.fill_null(dated, False)
    texts = array.filter(dated)
    if not len(texts):
        return None
    year, month, day = (
        np.asarray(pc.utf8_slice_codeunits(texts, start, stop).cast(pa.int32())) for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[np.where(month > 12, 0, month)]
    wrong = (day == 0) | (day > days + (leap & (month == 2)))
    return _nulled(array, pc.replace_with_mask(dated, dated, pa.array(wrong)))


def _infinities(array: pa.Array, pair: Pair) -> Change | None:
    if _is_text(array):
        return _nulled(array, pc.match_substring_regex(array, _INFINITE))
    return _nulled(array, pc.is_inf(array)) if pa.types.is_floating(array.type) else None


def _not_numbers(array: pa.Array, pair: Pair) -> Change | None:
    if _is_text(array):
        return _nulled(array, pc.match_substring_regex(array, _NOT_A_NUMBER))
    return _nulled(array, pc.is_nan(array)) if pa.types.is_floating(array.type) else None


# --- numbers --------------------------------------------------------------------------------------------------------

_EXACT = Context(prec=MAX_PREC)
_WIDEST = 76
"""The most digits of Arrow's decimals."""
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def scale_of(type_: t.Type) -> int | None:
    """How many digits after the point a type's numbers have; None: any number, or it has none."""
    match type_:
        case t.Integer():
            return 0
        case t.Decimal(precision=int(), scale=scale):
            return scale or 0
    return None


def digits_of(type_: t.Type) -> int | None:
    """How many digits after the second a type's times have."""
    return min(type_.precision, 6) if isinstance(type_, t.Time | t.Timestamp | t.Interval) else None


def _rounded(array: pa.Array, pair: Pair) -> Change | None:
    """Numbers and times with no more digits after the point than their column has."""
    target = pair.kinds[1]
    digits, scale = digits_of(target), scale_of(target)
    if digits is not None:
        return _fewer_digits(array, digits)
    if isinstance(target, t.Float) and pa.types.is_float64(array.type):
        near = array.cast(pa.float32()).cast(pa.float64())
        rounded = pc.and_(pc.is_finite(near), pc.not_equal(near, array))
        return _told(array, rounded, lambda: pc.if_else(rounded, near, array))
    if scale is None:
        return None
    if pa.types.is_decimal(array.type) and array.type.scale > scale:
        wide = array.cast(pa.decimal256(_WIDEST, array.type.scale))
        near = pc.round(wide, scale, "half_towards_infinity")
        return _told(array, pc.not_equal(near, wide), lambda: near)
    if pa.types.is_floating(array.type) and isinstance(target, t.Integer):
        near = pc.round(array, 0, "half_towards_infinity")
        return _told(array, pc.and_(pc.is_finite(array), pc.not_equal(near, array)), lambda: near)
    if pa.types.is_floating(array.type):
        array = arrow.as_text(array, pair.kinds[0])
    if not _is_text(array):
        return None
    suspect = rf"\.\d{{{scale}}}\d*[1-9]|\d[eE]" if scale >= 0 else r"\d"
    return _replaced(array, pc.match_substring_regex(array, suspect), lambda text: _rounded_text(text, scale))


def _rounded_text(text: str, scale: int) -> str:
    """A decimal's text rounded; what is no decimal, or has few enough digits, stays."""
    try:
        number = Decimal(text)
        exponent = number.normalize(_EXACT).as_tuple().exponent
    except InvalidOperation:
        return text
    if not isinstance(exponent, int) or -exponent <= scale:
        return text
    return format(number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT), "f")


def _fewer_digits(array: pa.Array, digits: int) -> Change | None:
    if _is_text(array):
        more = rf"\.\d{{{digits}}}\d*[1-9]"
        kept = rf"(\.\d{{{digits}}})\d+" if digits else r"()\.\d+"
        cut = pc.fill_null(pc.match_substring_regex(array, more), False)
        return _told(array, cut, lambda: pc.if_else(cut, pc.replace_substring_regex(array, kept, r"\1"), array))
    if not pa.types.is_temporal(array.type) or pa.types.is_date(array.type) or digits >= 6:
        return None
    ticks = np.asarray(pc.fill_null(array.cast(pa.int64()), 0))
    beyond = ticks % 10 ** (6 - digits)  # of times before 1970, too, what follows the digits that are kept
    nulls = np.asarray(array.is_null())
    return _told(array, pa.array(beyond != 0), lambda: pa.array(ticks - beyond, pa.int64(), mask=nulls).cast(array.type))


def _is_narrower(pair: Pair) -> bool:
    """Whether floats of 64 bits go into 32."""
    match pair.kinds:
        case t.Float(bits=64), t.Float(bits=32):
            return True
    return False


def _may_have_more_digits(pair: Pair) -> bool:
    source, target = pair.kinds
    digits, scale = digits_of(target), scale_of(target)
    if digits is not None:
        had = 6 if isinstance(source, t.String) else getattr(source, "precision", None)
        return isinstance(source, t.Time | t.Timestamp | t.Interval | t.String) and (had is None or had > digits)
    if isinstance(target, t.Float):
        return _is_narrower(pair)
    if scale is None or not isinstance(source, t.Decimal | t.Float | t.String):
        return False
    had = scale_of(source)
    return had is None or had > scale


def limits_of(type_: t.Type, largest: int | None) -> tuple[int, int] | None:
    """The numbers that a type's stay between, both left out; None: there are none."""
    match type_:
        case t.Integer(bounds=(least, most)):
            return least - 1, (most if largest is None else min(most, largest)) + 1
        case t.Decimal(precision=int(precision), scale=scale):
            bound: int = 10 ** max(precision - (scale or 0), 0)
            if largest is None or scale:
                return -bound, bound
            return max(-bound, -largest - 2), min(bound, largest + 1)
    return None


def limits_between(pair: Pair) -> tuple[int, int] | None:
    """The numbers that values of a pair stay between, both left out; None: there are none, or no whole numbers say them.

    Floating-point numbers have limits for numbers that are none: for whole ones, up to which each of them is told from the
    next, and for decimals.
    """
    match pair.kinds:
        case t.Integer(), t.Float(bits=bits):
            last: int = 1 << (_WHOLE_BITS[bits])
            return -last - 1, last + 1
        case t.Decimal(), t.Float(bits=bits):
            largest = (1 << _EXPONENTS[bits]) - (1 << (_EXPONENTS[bits] - _WHOLE_BITS[bits] - 1))
            return -largest, largest
    return limits_of(pair.kinds[1], pair.largest)


_WHOLE_BITS = {32: 24, 64: 53}
_EXPONENTS = {32: 128, 64: 1024}
"""How many binary digits floating-point numbers have, and the power of two that none of them reaches."""


def _beyond(array: pa.Array, pair: Pair) -> Change | None:
    """Numbers and dates out of range."""
    target = pair.kinds[1]
    if isinstance(target, _DATES):
        return _nulled(array, pc.match_substring_regex(array, pair.no_dates)) if _is_text(array) else None
    if isinstance(target, t.Float) and pa.types.is_floating(array.type):
        if not _is_narrower(pair):
            return None
        return _nulled(array, pc.and_(pc.is_finite(array), pc.greater(pc.abs(array), _LARGEST_FLOAT32)))
    limits = limits_between(pair)
    if limits is None:
        return None
    if _is_text(array):
        suspects = array.filter(long := pc.fill_null(pc.match_substring_regex(array, _many_digits(limits)), False))
        if not len(suspects):
            return None
        wrong = pa.array([_outside(text, limits) for text in suspects.to_pylist()], pa.bool_())
        return _nulled(array, pc.replace_with_mask(long, long, wrong))
    mask = _outside_numbers(array, limits)
    return None if mask is None else _nulled(array, mask)


def _many_digits(limits: tuple[int, int]) -> str:
    """A pattern of the texts that may be outside of limits: those with as many digits, or an exponent."""
    digits = min((len(str(abs(limit))) for limit in limits if abs(limit) > 1), default=1)
    return rf"[1-9]\d{{{digits - 1},}}|[eE]|^\s*-"


def _outside(text: str, limits: tuple[int, int]) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and not limits[0] < number < limits[1]


def _outside_numbers(array: pa.Array, limits: tuple[int, int]) -> pa.Array | None:
    low, high = limits
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    if pa.types.is_integer(array.type):
        held = np.iinfo(array.type.to_pandas_dtype())
        least, most = max(low + 1, int(held.min)), min(high - 1, int(held.max))
        return pc.or_(pc.less(array, pa.scalar(least, array.type)), pc.greater(array, pa.scalar(most, array.type)))
    if pa.types.is_decimal(array.type):
        scale = array.type.scale
        if len(str(high)) + scale > _WIDEST or len(str(low)) + scale > _WIDEST:
            return None
        wide = pa.decimal256(_WIDEST, scale)
        numbers = array.cast(wide)
        return pc.or_(
            pc.less_equal(numbers, pa.scalar(Decimal(low), wide)), pc.greater_equal(numbers, pa.scalar(Decimal(high), wide))
        )
    if pa.types.is_floating(array.type):
        below = (pc.less if float(low) > low else pc.less_equal)(array, float(low))  # the nearest float may be in range
        above = (pc.greater if float(high) < high else pc.greater_equal)(array, float(high))
        return pc.and_(pc.is_finite(array), pc.or_(below, above))
    return None


def _may_be_out_of_range(pair: Pair) -> bool:
    source, target = pair.kinds
    if isinstance(target, _DATES):
        return pair.no_dates != ""
    there = limits_between(pair)
    if isinstance(target, t.Float) and there is None:
        return _is_narrower(pair)
    if there is None or isinstance(source, _DATES):
        return False
    if isinstance(source, t.Boolean):
        return there[1] <= 1
    here = limits_of(source, None)
    if isinstance(target, t.Float):
        return here is None or here[0] < there[0] or here[1] > there[1]
    return here is None or here[0] < there[0] or here[1] > there[1] or scale_of(source) != scale_of(target)


# --- the finders ----------------------------------------------------------------------------------------------------


def _lacking(misfit: Misfit) -> Callable[[Pair], bool]:
    """Whether the target has no place for a misfit."""
    return lambda pair: misfit in pair.lacks


FINDERS: Mapping[Misfit, Finder] = {
    Misfit.INVALID_BYTES: Finder(_may_be_no_text, _valid_text),
    Misfit.NUL_BYTE: Finder(_lacking(Misfit.NUL_BYTE), _without_nul),
    Misfit.ZERO_DATE: Finder(_lacking(Misfit.ZERO_DATE), _zero_dates),
    Misfit.PARTIAL_DATE: Finder(_lacking(Misfit.PARTIAL_DATE), _partial_dates),
    Misfit.INFINITY: Finder(_lacking(Misfit.INFINITY), _infinities),
    Misfit.NAN: Finder(_lacking(Misfit.NAN), _not_numbers),
    Misfit.FRACTION: Finder(_may_have_more_digits, _rounded),
    Misfit.OUT_OF_RANGE: Finder(_may_be_out_of_range, _beyond),
    Misfit.TOO_LONG: Finder(_may_be_too_long, _cut),
    Misfit.EMPTY_TEXT: Finder(_lacking(Misfit.EMPTY_TEXT), _empty),
}
"""How each kind of value is found, in the order in which they are looked for."""

_TAKEN = frozenset({Misfit.EMPTY_TEXT})
"""What a target takes for something else, where it would refuse the others: it is refused here."""


def _concerns(misfit: Misfit, pair: Pair) -> bool:
    """Whether a pair of columns can meet a misfit."""
    return _can_be(misfit, pair.kinds[0]) and FINDERS[misfit].concerns(pair)


def _can_be(misfit: Misfit, type_: t.Type) -> bool:
    """Whether values of a type can be a misfit."""
    return isinstance(type_, OF_TYPES[misfit]) and not (misfit is Misfit.NUL_BYTE and _without_nul_in_labels(type_))


# --- values that are put instead ------------------------------------------------------------------------------------

_MOMENT = re.compile(r"(?P<day>\d{4,}-\d\d-\d\d)(?P<clock>[ T][\d:.]+)?(?P<era> BC)?")


def _as_written(value: str, type_: t.Type) -> pa.Array:
    """A value as those of a type are written: a day is its midnight where there is a time of day, an instant is in UTC."""
    found = _MOMENT.fullmatch(value)
    if isinstance(type_, t.Timestamp) and found is not None:
        zone = "+00" if type_.zoned else ""
        value = f"{found['day']}{found['clock'] or ' 00:00:00'}{zone}{found['era'] or ''}"
    return pa.array([value])


def _put(change: Change, value: str, pair: Pair) -> pa.Array:
    """The values of a column, with ``value`` where something was found."""
    type_, target = pair.kinds
    array, literal = change.array, _as_written(value, target if isinstance(type_, t.String) else type_)
    if not _is_text(array):
        literal = arrow.parse(literal, type_)
    if _is_text(literal) and not _is_text(array):
        array = arrow.as_text(array, type_)
    return pc.if_else(change.mask, literal.cast(array.type)[0], array)


def check_value(value: str, pair: Pair, there: Adapter) -> None:
    """Check that a value can be put instead of others on their way from one column to another, that of ``there``.

    :raises ValueNotCarried: the target's column does not take it, or the source's could not have it.
    """
    name, kinds = pair.target.name, pair.kinds
    for kind in kinds:
        found = passage(t.String(), kind)
        if found is not None and found.kept is not None:
            refuse_others(found, _as_written(value, kind), name, kind)
        if isinstance(kind, t.Json) and not _is_json(value):
            raise ValueNotCarried(column=name, detail=f"{abridged(value)!r} is no JSON")
    text = _as_written(value, kinds[1] if isinstance(kinds[0], t.String) else kinds[0])
    arrow.convert(arrow.parse(text, kinds[0]), name, *kinds)
    lacks = {misfit for misfit in Misfit if _lacks(there, misfit, pair.target)}
    if isinstance(kinds[1], _DATES):
        lacks.add(Misfit.PARTIAL_DATE)
    bytes_ = isinstance(kinds[1], t.Binary)  # a text becomes its bytes in UTF-8 there
    written = replace(pair.source, type=t.Binary() if bytes_ else t.String())
    text = text.cast(pa.binary()) if bytes_ else text
    alone = replace(pair, source=written, lacks=frozenset(lacks), no_dates=there.no_dates, alike=False)
    for misfit, finder in FINDERS.items():
        if _concerns(misfit, alone) and finder.find(text, alone) is not None:
            raise ValueNotCarried(column=name, detail=f"{abridged(value)!r} ({misfit}) has no place there either")


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


# --- batches --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Treatment:
    """What is done in the column at ``position`` of a batch: each misfit that it may have, with its action."""

    position: int
    pair: Pair
    actions: tuple[tuple[Misfit, Action], ...]


@dataclass(frozen=True)
class Converter:
    """Changes the batches of one table: ``source`` are their columns. Picklable.

    ``counted``: columns by their positions, with their names at the target, whose values a rule of the loss list is about.
    ``inevitable``: likewise, of :data:`INEVITABLE`. ``clocks``: columns of times that become texts, and whether their
    database shows zeros at the end of a second's fraction. ``to_bytes``: columns of texts, by their names, that become
    bytes, so that wrong ones among them have a place.
    """

    source: tuple[Column, ...]
    treatments: tuple[Treatment, ...] = ()
    counted: tuple[tuple[int, str, str], ...] = ()
    inevitable: tuple[tuple[int, str, str], ...] = ()
    clocks: tuple[tuple[int, bool], ...] = ()
    to_bytes: frozenset[str] = frozenset()

    @property
    def changes(self) -> bool:
        """Whether there are values that it makes others of, or lets in, and not only such as it counts."""
        return bool(self.treatments or self.clocks or self.to_bytes)

    @property
    def any_bytes(self) -> frozenset[str]:
        """The columns whose texts may come as bytes, to be made texts here, or to stay bytes."""
        treated = ((self.source[one.position].name, one.actions) for one in self.treatments)
        return self.to_bytes.union(name for name, actions in treated if Misfit.INVALID_BYTES in dict(actions))

    def reading(self, read: Read) -> Read:
        """What to read so that all values come which are changed here."""
        return replace(read, any_bytes=self.any_bytes)

    def convert(self, batch: pa.RecordBatch, counts: Counts) -> pa.RecordBatch:
        """The batch with what its policies change; ``counts`` is told.

        :raises ValueNotCarried: a value would become NULL in a column that takes none, or would be taken for another.
        """
        for position, column, rule in self.counted:
            counts[column, rule, None] += batch.num_rows - batch.column(position).null_count
        for position, column, rule in self.inevitable:
            if changed := INEVITABLE[rule].count(batch.column(position)):
                counts[column, rule, None] += changed
        if not self.changes:
            return batch
        arrays = list(batch.columns)
        for treatment in self.treatments:
            arrays[treatment.position] = _treated(arrays[treatment.position], treatment, counts)
        for position, zeros in self.clocks:
            arrays[position] = arrow.clock_text(arrays[position], self.source[position].type, zeros)
        return arrow.batch_of(self.source, arrays)

    def changed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch as :meth:`convert` gives it, for those who do not count."""
        return self.convert(batch, Counter())


# --- changes that no policy can refuse ------------------------------------------------------------------------------


_FAR = r"BC$|infinity$|^[0-9]{5}|^[0-9-]{4,7}-00"
"""Days that are none of the years 0 to 9999, or have zeros for month or day."""


def _negative_zeros(array: pa.Array) -> int:
    if not pa.types.is_floating(array.type):
        return 0
    values = np.asarray(array)  # NULL is NaN there
    return int(np.count_nonzero(np.signbit(values) & (values == 0)))


def _lose_sign(pair: Pair, here: Adapter, there: Adapter) -> bool:
    source, target = pair.kinds
    if not isinstance(source, t.Float):
        return False
    if isinstance(target, t.Integer | t.Decimal) or (isinstance(target, t.Json) and target.binary):
        return True
    may_have = here.capabilities.negative_zero or here.name != there.name
    return isinstance(target, t.Float) and may_have and not there.capabilities.negative_zero


def _far_dates(array: pa.Array) -> int:
    if _is_text(array):
        return int(pc.sum(pc.match_substring_regex(array, _FAR)).as_py() or 0)
    last = pa.scalar(date.max if pa.types.is_date(array.type) else datetime.max).cast(array.type)
    return int(pc.sum(pc.greater(array, last)).as_py() or 0)


def _sort_as_texts(pair: Pair, here: Adapter, there: Adapter) -> bool:
    both = all(isinstance(kind, _DATES) for kind in pair.kinds)
    return both and there.capabilities.clocks_are_texts and not here.capabilities.clocks_are_texts


def _with_nul(array: pa.Array) -> int:
    characters = array.buffers()[2] if _is_text(array) else None
    if characters is None or np.frombuffer(characters, np.uint8).all():
        return 0
    return int(pc.sum(pc.match_substring(array, "\0")).as_py() or 0)


def _end_at_nul(pair: Pair, here: Adapter, there: Adapter) -> bool:
    both = all(isinstance(kind, t.String) for kind in pair.kinds) and Misfit.NUL_BYTE not in pair.lacks
    return both and here.capabilities.ends_at_nul != there.capabilities.ends_at_nul


@dataclass(frozen=True)
class Inevitable:
    """One row: what nobody can refuse, in which columns it can be, and of how many values of an array it is so."""

    detail: str
    concerns: Callable[[Pair, Adapter, Adapter], bool]
    count: Callable[[pa.Array], int]


INEVITABLE: Mapping[str, Inevitable] = {
    "negative-zero": Inevitable("-0 became 0", _lose_sign, _negative_zeros),
    "far-date": Inevitable(
        "days before Christ, after the year 9999, at infinity and with zeros are texts here: so they compare and sort, and "
        "they have neither year nor month",
        _sort_as_texts,
        _far_dates,
    ),
    "nul-ends": Inevitable(
        "the length and the pieces of a text with NUL end there in one of the two databases, and not in the other",
        _end_at_nul,
        _with_nul,
    ),
}
"""By their rules, what databases change with values that are equal for them, so that no row is refused: they are counted."""


def _treated(array: pa.Array, treatment: Treatment, counts: Counts) -> pa.Array:
    pair, changed = treatment.pair, False
    for misfit, action in treatment.actions:
        change = FINDERS[misfit].find(array, pair)
        if change is None:
            continue
        instead = value_of(action)
        why = _refusal(misfit, action, pair) if instead is None else ""
        if why:
            value = array.filter(change.mask)[0].as_py()
            raise ValueNotCarried(column=pair.target.name, detail=f"{abridged(str(value))!r} ({misfit}) {why}")
        array, changed = change.array if instead is None else _put(change, instead, pair), True
        counts[pair.target.name, misfit, action] += change.mask.true_count
    return _settled(array, pair.source.type) if changed else array


def _refusal(misfit: Misfit, action: Action, pair: Pair) -> str:
    """Why what is found of a misfit cannot be changed; empty: it can."""
    if action == "refuse":
        return "would become NULL"
    refused = misfit in BECOME_NULL and not pair.target.nullable
    return "would become NULL, and the column is NOT NULL" if refused else ""


def _settled(array: pa.Array, type_: t.Type) -> pa.Array:
    """Values in the Arrow form of their type, if all of them have one now; else as they are."""
    if not arrow.escaped(array, type_):
        return array
    base = t.base_of(type_)
    if isinstance(base, t.Timestamp) and base.zoned:
        naive = arrow.parse(arrow.without_utc(array), replace(base, zoned=False))
        return array if _is_text(naive) else naive.cast(arrow.arrow_type(base))
    return arrow.parse(array, base)


def converter(
    source: Sequence[Column],
    target: Sequence[Column],
    actions: Iterable[Mapping[Misfit, Action]],
    here: Adapter,
    there: Adapter,
    rules: Collection[tuple[str, str]] = (),
) -> Converter | None:
    """What changes the rows of a table on their way from ``here``; None: nothing can be met that is to be changed.

    ``actions``: of each column. A column that both databases declare alike has a place for all that it had before.
    ``here`` and ``there``: with the capabilities of the servers, which may be two products of one kind.
    ``rules``: of the loss list about each value of a column, with the column's name at the target, to be counted.
    """
    treatments, inevitable, clocks, to_bytes = [], [], [], []
    for position, (a, b, asked) in enumerate(zip(source, target, actions, strict=True)):
        pair = pair_of(a, b, here, there)
        inevitable += [(position, b.name, rule) for rule, one in INEVITABLE.items() if one.concerns(pair, here, there)]
        found = in_force(asked, pair, there).items()
        wanted = tuple((misfit, action) for misfit, action in found if action != "refuse" or misfit in _TAKEN)
        if wanted:
            treatments.append(Treatment(position, pair, wanted))
        if isinstance(pair.kinds[0], t.Time | t.Timestamp) and isinstance(pair.kinds[1], AS_WRITTEN):
            clocks.append((position, here.capabilities.clock_zeros is True))
        if _becomes_bytes(pair):
            to_bytes.append(a.name)
    positions = {column.name: position for position, column in enumerate(target)}
    counted = tuple((positions[name], name, rule) for name, rule in rules if name in positions)
    made = Converter(tuple(source), tuple(treatments), counted, tuple(inevitable), tuple(clocks), frozenset(to_bytes))
    return made if treatments or counted or inevitable or clocks or to_bytes else None


def _becomes_bytes(pair: Pair) -> bool:
    """Whether a text, which may be none at the source, becomes bytes."""
    wrong = Misfit.INVALID_BYTES in pair.lacks and isinstance(pair.kinds[0], OF_TYPES[Misfit.INVALID_BYTES])
    return wrong and isinstance(pair.kinds[1], t.Binary)


def pair_of(source: Column, target: Column, here: Adapter, there: Adapter) -> Pair:
    """A column of ``here`` and the one of ``there`` that its values go to."""
    alike = here.name == there.name and source.native == target.native != ""
    lacks = frozenset(_lacking_between(here, there, source, target))
    no_dates = there.no_dates if there.no_dates != here.no_dates else ""
    return Pair(source, target, lacks, there.capabilities.largest_integer, no_dates, alike)


def concerning(pair: Pair) -> Iterator[Misfit]:
    """What a pair of columns can meet, in the order in which it is looked for."""
    for misfit in FINDERS:
        if _concerns(misfit, pair) and not (pair.alike and misfit is not Misfit.INVALID_BYTES):
            yield misfit


def possible(column: Column, here: Adapter) -> Iterator[Misfit]:
    """What values of a column of ``here`` can be, wherever they go."""
    base = t.base_of(column.type)
    return (misfit for misfit in Misfit if _can_be(misfit, base) and not _lacks(here, misfit, column))


def in_force(asked: Mapping[Misfit, Action], pair: Pair, there: Adapter) -> dict[Misfit, Action]:
    """What becomes of each misfit that a pair of columns can meet: a value that the target's column does not take is put
    nowhere, so that what was to become it is refused."""
    actions = {misfit: asked.get(misfit, "refuse") for misfit in concerning(pair)}
    return {misfit: "refuse" if unfit(action, pair, there) else action for misfit, action in actions.items()}


def unfit(action: Action, pair: Pair, there: Adapter) -> str:
    """Why the value that ``action`` puts instead of others has no place in a pair's column; empty: it has, or puts none."""
    value = value_of(action)
    try:
        if value is not None:
            check_value(value, pair, there)
    except ValueNotCarried as why:
        return str(why.facts["detail"])
    return ""


def _lacking_between(here: Adapter, there: Adapter, source: Column, target: Column) -> Iterator[Misfit]:
    """What values of a source's column may be and those of the target's may not; texts travel as UTF-8 in any case."""
    for misfit in Misfit:
        if (misfit is Misfit.INVALID_BYTES or _lacks(there, misfit, target)) and not _lacks(here, misfit, source):
            yield misfit


def _lacks(adapter: Adapter, misfit: Misfit, column: Column) -> bool:
    lacking = adapter.lacks.get(misfit)
    return lacking is not None and lacking(column)


# --- what is recorded -----------------------------------------------------------------------------------------------

RECORDED = "converted"
"""The name under which the master table has what was changed in a granule."""


def recorded(counts: Counts) -> dict[str, Any]:
    """What the master table records of a granule; nothing where nothing was changed."""
    found = [
        {"column": column, "case": str(what), "policy": action, "rows": rows}
        for (column, what, action), rows in sorted(counts.items(), key=str)
    ]
    return {RECORDED: found} if found else {}


def recalled(detail: Mapping[str, Any]) -> Counts:
    """What :func:`recorded` wrote."""
    return Counter({(one["column"], one["case"], one["policy"]): one["rows"] for one in detail.get(RECORDED, ())})
