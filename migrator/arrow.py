"""How rows travel: each neutral type has one Arrow type, and any value that it cannot hold travels as text.

**The text escape.** In any single batch a column may be ``string`` instead of its own Arrow type, because one of its values
(PostgreSQL's ``infinity``, ``NaN`` in a numeric, a year BC, MySQL's ``0000-00-00``, the year 0) has no place there. The text
is what the source database itself prints. Writers take both forms, batch by batch; the target's parser decides, strictly.

| neutral type | Arrow type |
|---|---|
| Boolean | bool |
| Integer | int8/16/32/64 or uint8/16/32/64 (24 bits: 32) |
| Decimal | decimal128/256(precision, scale); without precision, or with a scale outside 0..precision: string |
| Float | float32, float64 |
| String, Json, Xml, Enum, SetOf, Interval, zoned Time, Array, Native | string (the database's own text) |
| Bit | string of 0 and 1 |
| Binary | binary |
| Date | date32 |
| Time | time64[us] |
| Timestamp | timestamp[us], zoned: timestamp[us, UTC]; precision over 6: string |
| Year | int16 |
| Uuid | fixed_size_binary(16) |
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Generator, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from migrator.between import is_array, passage, refuse_others
from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t
from migrator.model.objects import Column

BATCH_BYTES = 1 << 20
"""About how many bytes of wire data a reader puts into one batch."""

PREFETCH = 2
"""How many batches a reader may be ahead of its writer."""

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
T = TypeVar("T")

_SIGNED = {8: pa.int8(), 16: pa.int16(), 24: pa.int32(), 32: pa.int32(), 64: pa.int64()}
_UNSIGNED = {8: pa.uint8(), 16: pa.uint16(), 24: pa.uint32(), 32: pa.uint32(), 64: pa.uint64()}


def arrow_type(type_: t.Type) -> pa.DataType:
    """The Arrow type in which values of ``type_`` travel (see the module's table)."""
    match t.base_of(type_):
        case t.Boolean():
            return pa.bool_()
        case t.Integer(bits=bits, unsigned=unsigned):
            return (_UNSIGNED if unsigned else _SIGNED)[bits]
        case t.Decimal(precision=int(p), scale=s) if p <= 76 and 0 <= (s or 0) <= p:
            return pa.decimal128(p, s or 0) if p <= 38 else pa.decimal256(p, s or 0)
        case t.Float(bits=bits):
            return pa.float32() if bits == 32 else pa.float64()
        case t.Binary():
            return pa.binary()
        case t.Date():
            return pa.date32()
        case t.Time(zoned=False, precision=p) if p <= 6:
            return pa.time64("us")
        case t.Timestamp(zoned=zoned, precision=p) if p <= 6:
            return pa.timestamp("us", "UTC" if zoned else None)
        case t.Year():
            return pa.int16()
        case t.Uuid():
            return pa.binary(16)
        case _:
            return pa.string()


def batch_of(columns: Sequence[Column], arrays: Sequence[pa.Array]) -> pa.RecordBatch:
    """A batch whose schema tells each array's real type, so that the text escape shows."""
    fields = [pa.field(c.name, a.type, c.nullable) for c, a in zip(columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(list(arrays), schema=pa.schema(fields))


def escaped(array: pa.Array, type_: t.Type) -> bool:
    """Whether this array of ``type_`` travels as text although its type has an Arrow form."""
    return pa.types.is_string(array.type) and not pa.types.is_string(arrow_type(type_))


# --- building arrays from wire bytes --------------------------------------------------------------------------------

_MOST = 1 << 31
"""How many bytes the offsets of a binary array reach, and one more."""


def validity(nulls: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    """Arrow's validity bitmap for a mask of NULLs (None: no NULL)."""
    return None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little").tobytes())


def gather(data: Bytes, starts: Offsets, lengths: Offsets, nulls: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """The slices ``data[starts[i]:starts[i] + lengths[i]]`` as one Arrow binary array, without a Python object per value.

    ``lengths`` of NULLs must be 0.

    :raises ValueNotCarried: the slices together exceed 2 GiB (make batches smaller).
    """
    count = len(starts)
    if int(lengths.sum()) >= _MOST:
        raise ValueNotCarried(column="(batch)", detail="one batch holds more than 2 GiB in a column")
    if not count:
        return pa.array([], pa.binary())
    wide = len(data) >= _MOST
    bounds = np.empty(2 * count, np.int64 if wide else np.int32)
    bounds[0::2], bounds[1::2] = starts, starts + lengths
    kind = pa.large_binary() if wide else pa.binary()
    values_and_gaps = pa.Array.from_buffers(kind, 2 * count - 1, [None, pa.py_buffer(bounds), pa.py_buffer(data)])
    values = values_and_gaps.take(pa.array(np.arange(0, 2 * count, 2))).cast(pa.binary())
    return pa.Array.from_buffers(pa.binary(), count, [validity(nulls), *values.buffers()[1:]])


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8."""
    offsets = np.array([0, len(text)], np.int64)
    array = pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def utf8(array: pa.Array, column: str) -> pa.Array:
    """A binary array as text.

    :raises ValueNotCarried: a value is not UTF-8; the message tells which of the batch.
    """
    text = array.view(pa.string())
    try:
        text.validate(full=True)
    except pa.ArrowInvalid as error:
        for position, value in enumerate(array):
            try:
                if value.is_valid:
                    value.as_py().decode()
            except UnicodeDecodeError as why:
                detail = f"value {why.object[:40]!r} (row {position + 1} of its batch) is not valid UTF-8 text"
                raise ValueNotCarried(column=column, detail=detail) from error
        raise
    return text


def text_or_bytes(array: pa.Array, column: str, any_bytes: bool) -> pa.Array:
    """A binary array as text; with ``any_bytes`` as it is, where a value is not UTF-8.

    :raises ValueNotCarried: a value is not UTF-8.
    """
    try:
        return utf8(array, column)
    except ValueNotCarried:
        if any_bytes:
            return array
        raise


def parse(text: pa.Array, type_: t.Type) -> pa.Array:
    """A text array parsed to the Arrow type of ``type_``; where any value does not fit it, the text itself (the escape)."""
    wanted = arrow_type(type_)
    if wanted == text.type:
        return text
    try:
        if pa.types.is_boolean(wanted):
            return _booleans(text)
        if wanted == pa.binary(16):
            return uuid_bytes(text)
        if pa.types.is_time(wanted):  # Arrow reads times only as part of timestamps
            return pc.binary_join_element_wise("1970-01-01", text, " ").cast(pa.timestamp("us")).cast(wanted)
        parsed = text.cast(wanted)
        return text if wanted in _FIRST and _before(parsed, _FIRST[wanted]) else parsed
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return text


_FIRST = {
    pa.date32(): -719_162,
    pa.timestamp("us"): -62_135_596_800_000_000,
    pa.timestamp("us", "UTC"): -62_135_596_800_000_000,
}
"""0001-01-01, since 1970. Databases do not agree on the year 0: to MySQL it is one, to PostgreSQL there is none."""


def _before(parsed: pa.Array, first: int) -> bool:
    least = pc.min(parsed.view(pa.int32() if pa.types.is_date(parsed.type) else pa.int64())).as_py()
    return least is not None and least < first


def _booleans(text: pa.Array) -> pa.Array:
    lowered = pc.utf8_lower(text)
    true = pc.is_in(lowered, value_set=pa.array(["t", "true", "1"]))
    known = pc.or_(true, pc.is_in(lowered, value_set=pa.array(["f", "false", "0"])))
    if pc.any(pc.and_(pc.invert(known), text.is_valid())).as_py():
        raise pa.ArrowInvalid("not a truth value")
    return pc.if_else(text.is_valid(), true, pa.scalar(None, pa.bool_()))


# --- UUIDs ----------------------------------------------------------------------------------------------------------

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def uuid_text(array: pa.Array) -> pa.Array:
    """fixed_size_binary(16) as the usual 36 characters, in lower case."""
    count = len(array)
    raw = np.frombuffer(array.buffers()[1], np.uint8)[16 * array.offset : 16 * (array.offset + count)].reshape(count, 16)
    digits = np.empty((count, 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[raw >> 4], _DIGITS[raw & 15]
    text = np.full((count, 36), ord("-"), np.uint8)
    for start, stop, shift in ((0, 8, 0), (8, 12, 1), (12, 16, 2), (16, 20, 3), (20, 32, 4)):
        text[:, start + shift : stop + shift] = digits[:, start:stop]
    offsets = np.arange(0, 36 * (count + 1), 36, dtype=np.int32)
    nulls = None if array.null_count == 0 else ~np.asarray(array.is_valid())
    return pa.Array.from_buffers(pa.string(), count, [validity(nulls), pa.py_buffer(offsets), pa.py_buffer(text.tobytes())])


def uuid_bytes(text: pa.Array) -> pa.Array:
    """UUIDs written with or without hyphens or braces, as fixed_size_binary(16).

    :raises pa.ArrowInvalid: a value is no UUID.
    """
    bare = pc.replace_substring_regex(pc.utf8_lower(text), "[-{}]", "")
    good = pc.fill_null(pc.match_substring_regex(bare, "^[0-9a-f]{32}$"), True)
    if not pc.all(good, min_count=0).as_py():
        raise pa.ArrowInvalid("not a UUID")
    packed = bytes.fromhex("".join([value or "0" * 32 for value in bare.to_pylist()]))
    nulls = None if text.null_count == 0 else ~np.asarray(text.is_valid())
    return pa.Array.from_buffers(pa.binary(16), len(text), [validity(nulls), pa.py_buffer(packed)])


def check(batch: pa.RecordBatch, columns: Sequence[Column]) -> None:
    """Look at every value of a batch: it is what Arrow says, and its column can hold it.

    :raises ValueNotCarried: a value is neither text, number nor date of its type, or out of its column's range.
    """
    for array, column in zip(batch.columns, columns, strict=True):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            raise ValueNotCarried(column=column.name, detail=f"invalid data: {str(error).splitlines()[0]}") from error
        if not _in_range(array, t.base_of(column.type)):
            raise ValueNotCarried(column=column.name, detail=f"invalid data: a value is no {column.type}")


def _in_range(array: pa.Array, type_: t.Type) -> bool:
    match type_:
        case t.Integer(bits=24, bounds=(least, most)) if pa.types.is_integer(array.type):
            found = pc.min_max(array).as_py()
            return found["min"] is None or (least <= found["min"] and found["max"] <= most)
        case t.String(length=int(length), unit="char"):
            return (pc.max(pc.utf8_length(array)).as_py() or 0) <= length
        case t.String(length=int(length)) | t.Binary(length=int(length)):
            return (pc.max(pc.binary_length(array)).as_py() or 0) <= length
        case _:
            return True


# --- converting between neutral types -------------------------------------------------------------------------------


def as_text(array: pa.Array, type_: t.Type) -> pa.Array:
    """The values as text every database's parser takes: ISO dates, plain decimals, ``true``/``false``, UUIDs in lower case.

    Zoned timestamps are printed in UTC without the zone. Binary values are returned as they are (they have no text).
    """
    if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
        return array
    if pa.types.is_fixed_size_binary(array.type):
        return uuid_text(array)
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return array.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_decimal(array.type):
        text = array.cast(pa.string())
        if pc.any(pc.match_substring(text, "E")).as_py():  # Arrow prints small decimals as 1E-8
            return pa.array([None if v is None else format(v, "f") for v in array.to_pylist()], pa.string())
        return text
    if isinstance(type_, t.Year):
        return pc.utf8_lpad(array.cast(pa.string()), 4, "0")
    if pa.types.is_floating(array.type):
        text = array.cast(pa.string())
        for word, instead in () if pc.all(pc.is_finite(array), min_count=0).as_py() else _NO_NUMBERS:
            text = pc.replace_substring_regex(text, word, instead)
        return text
    return array.cast(pa.string())


_NO_NUMBERS = (("^-?nan$", "NaN"), ("inf$", "Infinity"))
"""How Arrow writes what is no number, and how databases do."""


def clock_text(array: pa.Array, type_: t.Type, zeros: bool) -> pa.Array:
    """Times as :func:`as_text` has them, with as many digits after the second as their type has, or (``zeros`` False) with
    as many as they need; of instants that have come as text, without the zone, which is UTC.
    """
    type_ = t.base_of(type_)
    if pa.types.is_string(array.type):
        text = array
        if isinstance(type_, t.Timestamp) and type_.zoned:
            text = without_utc(text)
        return text if zeros else _bare(pc.replace_substring_regex(text, r"^(\d{4}-\d\d-\d\d)T", r"\1 "))
    text = as_text(array, type_)
    if not zeros:
        return _bare(text)
    surplus = 6 - min(getattr(type_, "precision", 6), 6)
    surplus += surplus == 6  # without digits, without the point too
    return pc.utf8_slice_codeunits(text, 0, -surplus) if surplus else text


def without_utc(text: pa.Array) -> pa.Array:
    """Instants that have come as text, without the offset of UTC."""
    return pc.replace_substring_regex(text, r"(:\d\d(?:\.\d+)?)\+00(?::00)?($| )", r"\1\2")


def _bare(text: pa.Array) -> pa.Array:
    """Times without zeros at the end of a second's fraction."""
    return pc.replace_substring_regex(text, r"(:\d\d)(?:(\.\d*[1-9])0+|\.0*)$", r"\1\2")


_UNSWAPPED = (4, 5, 6, 7, 2, 3, 0, 1, *range(8, 16))
"""Where MySQL's ``UUID_TO_BIN(…, 1)`` has put the bytes of a UUID: the highest part of the time first, the lowest third."""


def _identifiers(array: pa.Array, *, swapped: bool) -> pa.Array:
    """Bytes as UUIDs.

    :raises pa.ArrowInvalid: they are more or fewer than 16.
    """
    wrong = array.filter(pc.fill_null(pc.not_equal(pc.binary_length(array), 16), False))
    if len(wrong):
        value = wrong[0].as_py()
        raise pa.ArrowInvalid(f"X'{abridged(value.hex().upper())}' has {len(value)} bytes, and a UUID has 16")
    fixed = array.cast(pa.binary(16))
    if not swapped or not len(fixed):
        return fixed
    raw = np.frombuffer(fixed.buffers()[1], np.uint8)[16 * fixed.offset : 16 * (fixed.offset + len(fixed))].reshape(-1, 16)
    nulls = None if fixed.null_count == 0 else ~np.asarray(fixed.is_valid())
    return pa.Array.from_buffers(pa.binary(16), len(fixed), [validity(nulls), pa.py_buffer(raw[:, _UNSWAPPED].tobytes())])


# --- sets as arrays -------------------------------------------------------------------------------------------------

_PLAIN_MEMBER = re.compile(r'(?!(?i:null)\Z)[^\s{}",\\]+', re.ASCII)
"""What PostgreSQL writes in an array without quotes around it."""


def _members(array: pa.Array) -> pa.Array:
    """Sets, whose members are joined with commas, as the texts of arrays, as PostgreSQL writes them."""
    coded = array.dictionary_encode()
    written = [_array_text(value.split(",") if value else []) for value in coded.dictionary.to_pylist()]
    return pa.array(written, pa.string()).take(coded.indices)


def _array_text(members: Sequence[str]) -> str:
    return "{" + ",".join(map(_array_member, members)) + "}"


def _array_member(text: str) -> str:
    if _PLAIN_MEMBER.fullmatch(text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def convert(array: pa.Array, column: str, source: t.Type, target: t.Type) -> pa.Array:
    """Values of ``source`` in the Arrow form of ``target``, or as text where only the target's own parser can tell.

    Nothing is rounded, cut or wrapped around.

    :raises ValueNotCarried: a value does not fit the target type.
    """
    wanted = arrow_type(target)
    found = passage(source, target)
    if found is not None and (found.kept is not None or found.refused):
        refuse_others(found, as_text(array, t.base_of(source)), column, target)
        if found.refused:  # there is none but NULL
            return pa.nulls(len(array), wanted)
    if array.type == wanted and not _needs_text_change(source, target):
        return array
    if escaped(array, source):
        return without_utc(array) if _loses_zone(t.base_of(source), t.base_of(target)) else array
    here, there = t.base_of(source), t.base_of(target)
    try:
        return _convert(array, here, there, wanted)
    except _REFUSALS as error:
        alone, why = _first_refused(array, error, here, there, wanted)
        detail = f"a value does not fit {target}: {_reason(alone, str(why).splitlines()[0], here, there)}"
        raise ValueNotCarried(column=column, detail=detail) from why


_REFUSALS = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError)
_OUTSIDE = re.compile(r"Integer value \S+ not in range: .*|Failed to parse string: '.*' as a scalar of type u?int\d+")


def _first_refused(
    array: pa.Array, why: Exception, source: t.Type, target: t.Type, wanted: pa.DataType
) -> tuple[pa.Array, Exception]:
    """The first of the values that cannot be converted, alone, and the error about it; ``why``: that about all of them."""
    while len(array) > 1:
        first = array[: len(array) // 2]
        try:
            _convert(first, source, target, wanted)
        except _REFUSALS as error:
            array, why = first, error
        else:
            array = array[len(first) :]
    return array, why


def _reason(alone: pa.Array, why: str, source: t.Type, target: t.Type) -> str:
    """Why a value cannot be converted: in Arrow's words, but for ranges, which are those that two of its types share."""
    if alone.null_count == len(alone):
        return why
    value = as_text(alone, source)[0].as_py()
    shown = abridged(value.hex() if isinstance(value, bytes) else value)
    if isinstance(target, t.Integer) and _OUTSIDE.fullmatch(why) is not None:
        least, most = target.bounds
        return f"{shown} is no whole number from {least} to {most}"
    return why if shown in why else f"{shown} ({why})"


def _loses_zone(source: t.Type, target: t.Type) -> bool:
    """Whether instants become the date and time of day that they are in UTC."""
    return isinstance(source, t.Timestamp) and isinstance(target, t.Timestamp) and source.zoned and not target.zoned


def _needs_text_change(source: t.Type, target: t.Type) -> bool:
    match t.base_of(source), t.base_of(target):
        case (t.Bit(), t.Bit() | t.String()):
            return False
        case t.Bit(), _:
            return True
        case t.SetOf() as here, t.Array() as there:
            return is_array(here, there)
    return False


def _convert(array: pa.Array, source: t.Type, target: t.Type, wanted: pa.DataType) -> pa.Array:
    match source, target:
        case t.SetOf(), t.Array() if is_array(source, target):
            return _members(array)
        case _, t.String() | t.Json() | t.Xml() | t.Enum() | t.SetOf() | t.Native() | t.Array() | t.Interval():
            return as_text(array, source)
        case t.Boolean(), t.Integer() | t.Float() | t.Year():
            return array.cast(pa.int8()).cast(wanted)
        case t.Integer() | t.Year(), t.Boolean():
            if pc.any(pc.and_(pc.not_equal(array, 0), pc.not_equal(array, 1))).as_py():
                raise pa.ArrowInvalid("only 0 and 1 are truth values")
            return array.cast(pa.bool_())
        case t.Decimal(), t.Boolean() if pa.types.is_string(array.type):
            return _booleans(pc.replace_substring_regex(array, r"^([01])\.0*$", r"\1"))
        case t.Decimal(), t.Boolean() if pa.types.is_decimal(array.type):
            return _convert(array.cast(pa.decimal128(1, 0)).cast(pa.int8()), t.Integer(8), target, wanted)
        case t.Bit(), t.Boolean() | t.Integer() if pc.any(pc.equal(array, "")).as_py():
            raise pa.ArrowInvalid("no bits are no number")
        case t.Bit(length=1), t.Boolean():
            return pc.equal(array, "1")
        case t.Bit(), t.Binary():
            return _bits_as_bytes(array)
        case t.Bit(), t.Integer():
            values = [None if v is None else int(v, 2) for v in array.to_pylist()]
            return pa.array(values, wanted)
        case t.Bit(), _:
            raise pa.ArrowInvalid(f"{source} is not {target}")
        case t.Boolean(), t.Bit():
            return pc.if_else(array, "1", "0")
        case t.Binary(), t.Uuid(swapped=swapped):
            return _identifiers(array, swapped=swapped)
        case t.Uuid(), t.Binary():
            return array.cast(pa.binary())
        case _, t.Uuid() if pa.types.is_string(array.type):  # which a text may stand in for, and nobody else looks at it then
            return uuid_bytes(array)
        case ((t.Boolean() | t.Year()), t.Decimal()):
            return _convert(array.cast(pa.int16()), t.Integer(16), target, wanted)
        case t.Integer(), t.Decimal():
            return array.cast(pa.decimal128(20, 0)).cast(wanted) if pa.types.is_decimal(wanted) else as_text(array, source)
        case t.Decimal(), t.Integer() if pa.types.is_string(array.type):
            return pc.replace_substring_regex(array, r"^([+-]?\d+)\.0*$", r"\1").cast(wanted)
        case ((t.Decimal() | t.Float()), t.Decimal()):
            return (
                array.cast(wanted)
                if pa.types.is_decimal(array.type) and pa.types.is_decimal(wanted)
                else as_text(array, source)
            )
        case t.Timestamp(), t.Timestamp() if pa.types.is_string(array.type):
            return parse(pc.replace_substring_regex(array, r"(\.\d{6})0+($|\D)", r"\1\2"), target)
        case t.Timestamp(), t.Timestamp():
            return array.cast(pa.timestamp("us")).cast(wanted) if pa.types.is_timestamp(wanted) else as_text(array, source)
        case t.Date(), t.Timestamp():
            return array.cast(pa.timestamp("us")).cast(wanted)
        case t.Timestamp(), t.Date():
            days = array.cast(pa.timestamp("us")).cast(pa.date32())
            if not pc.all(pc.equal(days.cast(pa.timestamp("us")), array.cast(pa.timestamp("us"))), min_count=0).as_py():
                raise pa.ArrowInvalid("a time of day would be lost")
            return days
        case t.Float(), t.Float() if pa.types.is_float64(array.type) and pa.types.is_float32(wanted):
            return _narrowed(array)
        case t.Decimal(), t.Float():
            return _nearest(array, wanted)
        case ((t.Integer() | t.Year() | t.Decimal() | t.Float()), (t.Integer() | t.Year() | t.Decimal() | t.Float())):
            return array.cast(wanted)
        case _, _ if pa.types.is_string(array.type):
            return parse(array, target)
        case _ if type(source) is type(target):
            return array.cast(wanted)
        case _:
            raise pa.ArrowInvalid(f"{source} is not {target}")


def _nearest(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The floats nearest to decimals, which Arrow's own cast misrounds.

    :raises pa.ArrowInvalid: a number is beyond all of them.
    """
    floats = pa.array([None if v is None else float(v) for v in array.to_pylist()], wanted)
    beyond = pc.is_inf(floats)
    if pa.types.is_string(array.type):
        beyond = pc.and_(beyond, pc.invert(pc.match_substring(array, "inf", ignore_case=True)))
    if pc.any(beyond).as_py():
        raise pa.ArrowInvalid(f"{array.filter(pc.fill_null(beyond, False))[0]} is out of range")
    return floats


def _narrowed(array: pa.Array) -> pa.Array:
    """Floats of 64 bits in 32, which Arrow's own cast rounds, or makes infinite.

    :raises pa.ArrowInvalid: it would change one.
    """
    narrow = array.cast(pa.float32())
    changed = pc.and_(pc.invert(pc.is_nan(array)), pc.not_equal(narrow.cast(pa.float64()), array))
    if pc.any(changed).as_py():
        raise pa.ArrowInvalid(f"{array.filter(pc.fill_null(changed, False))[0]} has more digits than 32 bits hold")
    return narrow


def _bits_as_bytes(array: pa.Array) -> pa.Array:
    def pack(bits: str) -> bytes:
        width = -(-len(bits) // 8)
        return int(bits or "0", 2).to_bytes(width, "big")

    return pa.array([None if v is None else pack(v) for v in array.to_pylist()], pa.binary())


def conform(batch: pa.RecordBatch, source: Sequence[Column], target: Sequence[Column]) -> list[pa.Array]:
    """A batch's columns in the Arrow forms of the target's columns (or as text), in the target's order.

    :raises ValueNotCarried: a value does not fit.
    """
    return [
        convert(array, there.name, here.type, there.type)
        for array, here, there in zip(batch.columns, source, target, strict=True)
    ]


# --- streams --------------------------------------------------------------------------------------------------------


def prefetch(items: Iterable[T], ahead: int = PREFETCH) -> Generator[T]:
    """The same items, made in a thread of their own so that reading and writing overlap; at most ``ahead`` wait.

    An exception of the maker is raised at the consumer. Closing the iterator stops the maker.
    """
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(item: tuple[str, Any]) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not put(("item", item)):
                    return
            put(("end", None))
        except BaseException as error:  # handed over, raised at the consumer
            put(("error", error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    maker = threading.Thread(target=make, name="prefetch", daemon=True)
    maker.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        maker.join()
