"""COPY BINARY to Arrow: rows are stepped through and decoded a column at a time by numpy.

A row on the wire is an int16 number of fields, then per field an int32 length (-1: NULL) and its bytes, all big-endian.
Dates and timestamps that Arrow's readers cannot hold (infinity, years BC or over 9999, the time 24:00) turn their column
of the batch into text, written as PostgreSQL writes it under ``TimeZone = UTC`` and ``DateStyle = ISO``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.arrow import Bytes, Offsets
from migrator.errors import InternalError
from migrator.model import types as t
from migrator.model.objects import Column

from .types import as_text

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What a stream begins with: signature, no flags, no extension."""
TRAILER = b"\xff\xff"
"""What it ends with."""
_PADDING = bytes(64)

_DAYS = 10_957
"""Days from 1970-01-01, Arrow's epoch, to 2000-01-01, PostgreSQL's."""
_DAY = 86_400_000_000
"""Microseconds of a day."""
_FIRST_DAY, _LAST_DAY = -730_119, 2_921_939
"""0001-01-01 and 9999-12-31 in days since 2000."""


@dataclass(frozen=True)
class Field:
    """One column of a batch on the wire: value ``i`` is ``data[starts[i]:starts[i] + lengths[i]]``; NULLs have length 0."""

    column: Column
    data: Bytes
    starts: Offsets
    lengths: Offsets
    nulls: npt.NDArray[np.bool_] | None

    def fixed(self, dtype: str) -> npt.NDArray[Any]:
        """The values as numbers of a fixed width, NULLs as 0."""
        width = np.dtype(dtype).itemsize
        wrong = self.lengths != width
        if self.nulls is not None:
            wrong &= ~self.nulls
        if wrong.any():
            came = int(self.lengths[wrong][0])
            raise InternalError(detail=f"column {self.column.name}: {self.column.native} came in {came} bytes, not {width}")
        big_endian = _at(self.data, self.starts, dtype)
        values = big_endian.astype(big_endian.dtype.newbyteorder("="))
        if self.nulls is not None:
            values[self.nulls] = np.zeros(1, values.dtype)
        return values

    def words(self) -> npt.NDArray[np.int16]:
        """The values as int16 numbers, a row each, as many as the longest has; what is past a value's end is anything."""
        width = int(self.lengths.max(initial=0)) or 8
        words = _at(self.data, self.starts, f"V{width}").view(">i2").reshape(-1, width // 2).astype(np.int16)
        if self.nulls is not None:
            words[self.nulls] = 0
        return words

    def array(self, type_: pa.DataType, values: npt.NDArray[Any]) -> pa.Array:
        """Numbers of the Arrow type's own width as an array of it."""
        return pa.Array.from_buffers(type_, len(values), [arrow.validity(self.nulls), pa.py_buffer(values)])

    def binary(self) -> pa.Array:
        """The values as bytes."""
        return arrow.gather(self.data, self.starts, self.lengths, self.nulls)

    def text(self) -> pa.Array:
        """The values as text."""
        return arrow.utf8(self.binary(), self.column.name)


def _at(data: Bytes, positions: Offsets, dtype: str) -> npt.NDArray[Any]:
    """What lies at each of these places, whatever they are multiples of."""
    return np.ndarray((len(data) - np.dtype(dtype).itemsize + 1,), dtype, data, strides=(1,))[positions]


# --- one column -----------------------------------------------------------------------------------------------------


def _number(dtype: str) -> Callable[[Field], pa.Array]:
    return lambda field: field.array(arrow.arrow_type(field.column.type), field.fixed(dtype))


def _boolean(field: Field) -> pa.Array:
    bits = np.packbits(field.fixed(">u1") != 0, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(field.starts), [arrow.validity(field.nulls), pa.py_buffer(bits)])


def _uuid(field: Field) -> pa.Array:
    return field.array(pa.binary(16), np.ascontiguousarray(field.fixed("V16")).view(np.uint8).reshape(-1, 16))


def _date(field: Field) -> pa.Array:
    days = field.fixed(">i4").astype(np.int64)
    odd = (days < _FIRST_DAY) | (days > _LAST_DAY)
    array = field.array(pa.date32(), (np.where(odd, 0, days) + _DAYS).astype(np.int32))
    if not odd.any():
        return array
    limits = np.iinfo(np.int32)
    return _with_odd(array.cast(pa.string()), odd, [_date_text(int(v), limits.min, limits.max) for v in days[odd]])


def _timestamp(field: Field) -> pa.Array:
    micros = field.fixed(">i8")
    zoned = "UTC" if getattr(t.base_of(field.column.type), "zoned", False) else None
    odd = (micros < _FIRST_DAY * _DAY) | (micros >= (_LAST_DAY + 1) * _DAY)
    array = field.array(pa.timestamp("us", zoned), np.where(odd, 0, micros) + _DAYS * _DAY)
    if not odd.any():
        return array
    zone = "+00" if zoned else ""
    text = pc.binary_join_element_wise(_trimmed(array.cast(pa.timestamp("us")).cast(pa.string())), zone, "")
    return _with_odd(text, odd, [_timestamp_text(int(v), zone) for v in micros[odd]])


def _time(field: Field) -> pa.Array:
    micros = field.fixed(">i8")
    odd = micros >= _DAY
    array = field.array(pa.time64("us"), np.where(odd, 0, micros))
    return _with_odd(_trimmed(array.cast(pa.string())), odd, ["24:00:00"] * int(odd.sum())) if odd.any() else array


_MOST_DIGITS = 18
"""How many decimal digits an int64 holds, whatever they are."""
_GROUP = 4
"""How many decimal digits each of a numeric's own digits has."""


def _numeric(field: Field) -> pa.Array:
    """Four int16 (how many digits, the weight of the first, the sign, how many decimals are shown), then the digits."""
    type_ = arrow.arrow_type(field.column.type)
    words = field.words()
    digits, weight, sign = (words[:, place].astype(np.int64) for place in range(3))
    values = np.zeros(len(words), np.int64)
    for place in range(words.shape[1] - 4):
        digit = np.where(place < digits, words[:, 4 + place], 0).astype(np.int64)
        power = _GROUP * (weight - place) + type_.scale
        values += np.where(
            power >= 0, digit * _POWERS[power.clip(0, _MOST_DIGITS)], digit // _POWERS[(-power).clip(0, _GROUP)]
        )
    negative = sign == _NEGATIVE
    values[negative] = -values[negative]
    array = field.array(type_, np.stack((values, values >> 63), axis=1))
    odd = ~negative & (sign != 0)
    if not odd.any():
        return array
    plain = pa.array([None if value is None else f"{value:f}" for value in array.to_pylist()], pa.string())
    return _with_odd(plain, odd, [_NOT_FINITE[int(v)] for v in sign[odd]])


_POWERS = 10 ** np.arange(_MOST_DIGITS + 1, dtype=np.int64)
_NEGATIVE = 0x4000
_NOT_FINITE = {-0x4000: "NaN", -0x3000: "Infinity", -0x1000: "-Infinity"}
"""A numeric's sign, if it is no number's."""


# --- values that have no place in Arrow -----------------------------------------------------------------------------


def _trimmed(text: pa.Array) -> pa.Array:
    """Times as PostgreSQL writes them: without the zeros at the end of a fraction (there always is one)."""
    return pc.replace_substring_regex(text, r"\.?0+$", "")


def _with_odd(text: pa.Array, odd: npt.NDArray[np.bool_], values: list[str]) -> pa.Array:
    return pc.replace_with_mask(text, pa.array(odd), pa.array(values, pa.string()))


def _date_text(days: int, minus_infinity: int, infinity: int) -> str:
    if days in (minus_infinity, infinity):
        return "-infinity" if days == minus_infinity else "infinity"
    return "".join(_day(days))


def _day(days: int) -> tuple[str, str]:
    """The day as ``0044-03-15`` and its era."""
    day = np.datetime64(days + _DAYS, "D")
    month = day.astype("datetime64[M]")
    year = int(day.astype("datetime64[Y]").astype(np.int64)) + 1970
    number = f"{int(month.astype(np.int64)) % 12 + 1:02d}-{int((day - month).astype(np.int64)) + 1:02d}"
    return (f"{year:04d}-{number}", "") if year > 0 else (f"{1 - year:04d}-{number}", " BC")


def _timestamp_text(micros: int, zone: str) -> str:
    limits = np.iinfo(np.int64)
    if micros in (limits.min, limits.max):
        return "-infinity" if micros == limits.min else "infinity"
    days, rest = divmod(micros, _DAY)
    date, era = _day(days)
    seconds, fraction = divmod(rest, 1_000_000)
    shown = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{date} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{shown}{zone}{era}"


# --- the columns of a batch -----------------------------------------------------------------------------------------

DECODERS: tuple[tuple[type[t.Type], Callable[[Any], bool], Callable[[Field], pa.Array]], ...] = (
    (t.Boolean, lambda _: True, _boolean),
    (t.Integer, lambda i: i.bits == 16 and not i.unsigned, _number(">i2")),
    (t.Integer, lambda i: i.bits == 32 and not i.unsigned, _number(">i4")),
    (t.Integer, lambda i: i.bits == 64 and not i.unsigned, _number(">i8")),
    (t.Decimal, lambda d: d.precision is not None and 0 <= (d.scale or 0) <= d.precision <= _MOST_DIGITS, _numeric),
    (t.Float, lambda f: f.bits == 32, _number(">f4")),
    (t.Float, lambda f: f.bits == 64, _number(">f8")),
    (t.String, lambda _: True, Field.text),
    (t.Enum, lambda _: True, Field.text),
    (t.Json, lambda j: not j.binary, Field.text),
    (t.Binary, lambda _: True, Field.binary),
    (t.Date, lambda _: True, _date),
    (t.Time, lambda x: not x.zoned, _time),
    (t.Timestamp, lambda _: True, _timestamp),
    (t.Uuid, lambda _: True, _uuid),
)
"""The types whose binary form is decoded. All others are asked for as text."""


def _decoder(type_: t.Type) -> Callable[[Field], pa.Array] | None:
    base = t.base_of(type_)
    return next((decode for kind, when, decode in DECODERS if isinstance(base, kind) and when(base)), None)


def selected(column: Column, name: str) -> str:
    """How a query asks for a column (``name``: quoted) so that :func:`decode` understands it."""
    return name if _decoder(column.type) else as_text(column.type, name)


def decode(rows: Sequence[bytes], columns: Sequence[Column]) -> pa.RecordBatch:
    """Rows as they came, one ``bytes`` each, as a batch."""
    if not columns:
        return pa.record_batch([pa.nulls(len(rows))], ["rows"]).select([])
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    ends = np.cumsum(sizes)
    data = np.frombuffer(b"".join((*rows, _PADDING)), np.uint8)
    position = ends - sizes + 2
    arrays = []
    for column in columns:
        lengths = _int32(data, position)
        starts = position + 4
        nulls = lengths < 0
        lengths[nulls] = 0
        arrays.append(_decode(Field(column, data, starts, lengths, nulls if nulls.any() else None)))
        position = starts + lengths
    if not np.array_equal(position, ends):
        raise InternalError(detail="rows of COPY BINARY are not framed one a message")
    return arrow.batch_of(columns, arrays)


def _int32(data: Bytes, position: Offsets) -> Offsets:
    return _at(data, position, ">i4").astype(np.int64)


def _decode(field: Field) -> pa.Array:
    decoder = _decoder(field.column.type)
    return decoder(field) if decoder else arrow.parse(field.text(), field.column.type)
