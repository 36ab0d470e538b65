"""Arrow to COPY FROM STDIN: binary where each column's Arrow form is exactly the target's type, else text.

Text leaves the judging of values to PostgreSQL's own parser. Neither form makes a Python object per value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import MAX_PREC, Context, Decimal, InvalidOperation
from typing import Literal

import numpy as np
import pgpq
import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t

from .copy_binary import HEADER, TRAILER
from .documents import repeats_a_key

_EXACT = Context(prec=MAX_PREC)
Format = Literal["binary", "text"]


@dataclass(frozen=True)
class Target:
    """A column as the table has it: the base type's name in pg_catalog (``enum``: any enumeration, empty: any other type)
    and its modifier (-1: none). ``declared``: its whole type in the server's words, empty where the table has no such
    column. ``said``: the base type, of an array that of its elements, in those words; empty: values of others may be in it.
    ``parses``: documents come as texts that nobody has parsed before."""

    column: str
    type: str
    modifier: int = -1
    declared: str = ""
    said: str = ""
    parses: bool = False


# --- binary ---------------------------------------------------------------------------------------------------------


def _exactly(*types: pa.DataType) -> Callable[[pa.Array], pa.Array | None]:
    return lambda array: array if array.type in types else None


def _widened(wanted: pa.DataType) -> Callable[[pa.Array], pa.Array | None]:
    def widen(array: pa.Array) -> pa.Array | None:
        if not pa.types.is_integer(array.type):
            return None
        try:
            return array.cast(wanted)
        except pa.ArrowInvalid:  # out of range: the parser of the text form says so, with the value
            return None

    return widen


def _decimal(array: pa.Array) -> pa.Array | None:
    if pa.types.is_integer(array.type):
        return array.cast(pa.decimal128(20, 0))
    return array if pa.types.is_decimal128(array.type) else None


def _versioned(array: pa.Array) -> pa.Array | None:
    """jsonb on the wire: the version byte 1, then the text."""
    if not pa.types.is_string(array.type):
        return None
    return pc.binary_join_element_wise(pa.scalar(b"\x01"), array.cast(pa.binary()), pa.scalar(b""))


_TEXT = _exactly(pa.string())

BINARY: dict[str, Callable[[pa.Array], pa.Array | None]] = {
    "bool": _exactly(pa.bool_()),
    "int2": _widened(pa.int16()),
    "int4": _widened(pa.int32()),
    "int8": _widened(pa.int64()),
    "float4": _exactly(pa.float32()),
    "float8": _exactly(pa.float64()),
    "numeric": _decimal,
    "text": _TEXT,
    "varchar": _TEXT,
    "bpchar": _TEXT,
    "json": _TEXT,
    "enum": _TEXT,
    "jsonb": _versioned,
    "bytea": _exactly(pa.binary()),
    "uuid": _exactly(pa.binary(16)),
    "date": _exactly(pa.date32()),
    "time": _exactly(pa.time64("us")),
    "timestamp": _exactly(pa.timestamp("us")),
    "timestamptz": _exactly(pa.timestamp("us", "UTC")),
}
"""Per type of pg_catalog: an array in the one Arrow form whose binary encoding the type reads, None: it has none."""


def binary_forms(arrays: Sequence[pa.Array], targets: Sequence[Target]) -> list[pa.Array] | None:
    """The arrays as binary COPY takes them, None where any of them must go as text."""
    forms = []
    for array, target in zip(arrays, targets, strict=True):
        encode = BINARY.get(target.type)
        form = encode(array) if encode else None
        if form is None:
            return None
        forms.append(form)
    return forms


_PIECE = 128 << 10
"""About how many bytes of a batch are encoded at once: the encoder is slower where they leave the processor's cache, and no
other thread runs meanwhile."""


def copy_rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The batch's rows in COPY's binary format, in pieces, without the header and trailer of a whole stream."""
    if not batch.num_columns:
        yield bytes(2 * batch.num_rows)
        return
    rows = max(1, batch.num_rows * _PIECE // max(1, batch.nbytes))
    for start in range(0, batch.num_rows, rows):
        encoder = pgpq.ArrowToPostgresBinaryEncoder(batch.schema)
        piece = batch.slice(start, rows)
        whole = b"".join((encoder.write_header(), encoder.write_batch(piece), encoder.finish()))  # each may hold bytes back
        yield whole[len(HEADER) : -len(TRAILER)]


# --- text -----------------------------------------------------------------------------------------------------------

_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))


def copy_lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The batch's rows in COPY's text format."""
    if not batch.num_columns:
        yield b"\n" * int(batch.num_rows)
        return
    if not batch.num_rows:
        return
    fields = [_field(array) for array in batch.columns]
    fields[-1] = pc.binary_join_element_wise(fields[-1], _large("\n"), _large(""))
    lines = pc.binary_join_element_wise(*fields, _large("\t"))
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int64)
    yield bytes(memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]])


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def texts(arrays: Sequence[pa.Array], targets: Sequence[Target]) -> list[list[str | None]]:
    """The columns of a batch as texts that PostgreSQL's own parser reads, a list for each column.

    :raises ValueNotCarried: PostgreSQL would store another value without an error.
    """
    for array, target in zip(arrays, targets, strict=True):
        refuse_changes(array, target)
    texts = (_hexadecimal(a, "\\x") if pa.types.is_binary(a.type) else arrow.as_text(a, _NO_TYPE) for a in arrays)
    return [text.to_pylist() for text in texts]


def _field(array: pa.Array) -> pa.Array:
    if pa.types.is_binary(array.type):
        text = _hexadecimal(array, "\\\\x")
    else:
        text = arrow.as_text(array, _NO_TYPE)
        if pa.types.is_string(array.type):
            for character, escape in _ESCAPES:
                text = pc.replace_substring(text, character, escape)
    return pc.fill_null(text.cast(pa.large_string()), r"\N")


_NO_TYPE = t.Type()  # as_text decides by the array's own type


def _hexadecimal(array: pa.Array, head: str) -> pa.Array:
    r"""Bytes as ``\x…``, bytea's own text; ``head``: what stands before the digits, with or without COPY's escape."""
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    raw = memoryview(array.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    doubled = pa.py_buffer((offsets - offsets[0]) * 2)
    nulls = None if array.null_count == 0 else ~np.asarray(array.is_valid())
    digits = pa.Array.from_buffers(
        pa.large_string(), len(array), [arrow.validity(nulls), doubled, pa.py_buffer(raw.hex().encode())]
    )
    return pc.binary_join_element_wise(_large(head), digits, _large(""))


# --- what PostgreSQL would change without an error ------------------------------------------------------------------

NUL = b"\0"
"""The character that no text here holds."""

_ZONE = r"(?i):\d\d(\.\d+)?\s*([+-]\d|z\b|[a-z]{3,})"
_60TH = (r":\d+:60", "the second 60 would become the next minute's first")
_NEXT_DAY = (r"[ T]24:", "the hour 24 would become the next day's first")
_SILENT: dict[str, tuple[tuple[str, str], ...]] = {
    "date": ((r"[1-9]\d?:\d|:\d*[1-9]|:\d+\.\d*[1-9]", "a time of day would be dropped"),),
    "time": ((r"\d-\d+-\d", "a date would be dropped"), (_ZONE, "a time zone would be dropped"), _60TH),
    "timetz": (_60TH,),
    "timestamp": ((_ZONE, "a time zone would be dropped"), _60TH, _NEXT_DAY),
    "timestamptz": (_60TH, _NEXT_DAY),
    "interval": (_60TH,),
}
"""Per type: texts that its parser takes although it drops a part of them, or makes another value of it."""


_SECONDS = frozenset({"time", "timetz", "timestamp", "timestamptz", "interval"})
"""Types that round a text with more digits after the second than they have."""


_DAY = r"[1-9][0-9:]*:|:[0-9:.]*[1-9]"
_MONTH = rf"{_DAY}|[1-9]\d* (day|\d+:)"
_FINER_PARTS = (
    (1 << 12, ""),
    (1 << 11, r":\d+:[0-9.]*[1-9]"),
    (1 << 10, r"\d:[0-9:.]*[1-9]"),
    (1 << 3, _DAY),
    (1 << 1, _MONTH),
    (1 << 2, rf"{_MONTH}|[1-9]\d* mon|\d-\d*[1-9]"),
)
"""The bits of an interval's fields from the second to the year: texts with a part finer than it, which would be dropped."""


def _finer_part(modifier: int) -> str:
    fields = 0x7FFF if modifier < 0 else modifier >> 16
    return next(pattern for bit, pattern in _FINER_PARTS if fields & bit)


def _second_digits(target: Target) -> int:
    """How many digits after the second a column has."""
    return min(target.modifier & 0xFFFF, 6)  # an interval's fields stand above its precision; 0xFFFF and -1: all there are


def refuse_changes(array: pa.Array, target: Target) -> None:
    """Refuse what the column would round, cut or drop, and the character NUL, which no text here holds.

    :raises ValueNotCarried: naming the column.
    """
    if pa.types.is_string(array.type):
        _refuse_nul(array, target)
        if target.type == "jsonb" and target.parses:
            _refuse(pa.array(map(repeats_a_key, array.to_pylist()), pa.bool_()), target, "a document has a key twice")
        for pattern, what in _SILENT.get(target.type, ()):
            _refuse(pc.match_substring_regex(array, pattern), target, what)
        if target.type in _SECONDS:
            digits = _second_digits(target)
            finer = pc.match_substring_regex(array, rf"\.\d{{{digits}}}\d*[1-9]")
            _refuse(finer, target, f"a value has more than {digits} digits after the second")
        if target.type == "interval" and (finer_part := _finer_part(target.modifier)):
            _refuse(pc.match_substring_regex(array, finer_part), target, "a part of the span would be dropped")
    if target.modifier < 0:
        return
    if target.type in {"varchar", "bpchar"} and pa.types.is_string(array.type):  # PostgreSQL cuts blanks past the end
        length = target.modifier - 4
        counted = array if target.type == "varchar" else pc.utf8_rtrim(array, characters=" ")
        _refuse_long(array.filter(pc.greater(pc.utf8_length(counted), length)), target, length)
    if target.type in {"time", "timestamp", "timestamptz"} and pa.types.is_temporal(array.type) and target.modifier < 6:
        micros, unit = array.cast(pa.int64()), 10 ** (6 - target.modifier)
        rounded = pc.not_equal(pc.multiply(pc.divide(micros, unit), unit), micros)
        _refuse(rounded, target, f"a value has more than {target.modifier} digits after the second")
    if target.type == "numeric":
        _refuse_rounding(array, target)


def _refuse(mask: pa.Array, target: Target, what: str) -> None:
    if pc.any(mask).as_py():
        raise ValueNotCarried(column=target.column, detail=what)


def _refuse_long(long: pa.Array, target: Target, length: int) -> None:
    if len(long):
        detail = f"a text is longer than {length} characters: {abridged(long[0].as_py())!r}"
        raise ValueNotCarried(column=target.column, detail=detail)


def _refuse_nul(array: pa.Array, target: Target) -> None:
    _, starts, data = array.buffers()
    if data is None or not len(array):
        return
    offsets = np.frombuffer(starts, np.int32)
    values = np.frombuffer(data, np.uint8)[offsets[array.offset] : offsets[array.offset + len(array)]]
    if len(values) and values.min() == 0:
        raise ValueNotCarried(column=target.column, detail="a text holds the character NUL, which PostgreSQL cannot store")


def _refuse_rounding(array: pa.Array, target: Target) -> None:
    scale = (((target.modifier - 4) & 0x7FF) ^ 1024) - 1024
    what = f"a value has more than {scale} digits after the point"
    if pa.types.is_decimal(array.type) and array.type.scale > scale:
        _refuse(pc.not_equal(pc.round(array, scale), array), target, what)
    if pa.types.is_string(array.type):
        suspect = rf"\.\d{{{scale}}}\d|[eE]" if scale >= 0 else r"\d"
        finer = array.filter(pc.fill_null(pc.match_substring_regex(array, suspect), False))
        if any(_finer(value, scale) for value in finer.to_pylist()):
            raise ValueNotCarried(column=target.column, detail=what)


def _finer(value: str, scale: int) -> bool:
    """Whether a decimal has a digit other than 0 past ``scale``; what is no decimal is left to PostgreSQL."""
    try:
        number = Decimal(value).normalize(_EXACT)
    except InvalidOperation:
        return False
    exponent = number.as_tuple().exponent
    return bool(number) and isinstance(exponent, int) and -exponent > scale  # 0 is a multiple of anything


# --- a batch --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Encoded:
    """A batch ready for COPY in one of its formats."""

    format: Format
    batch: pa.RecordBatch


def prepare(arrays: Sequence[pa.Array], rows: int, targets: Sequence[Target]) -> Encoded:
    """The columns of a batch in the form that they can take.

    :raises ValueNotCarried: PostgreSQL would store another value without an error.
    """
    for array, target in zip(arrays, targets, strict=True):
        refuse_changes(array, target)
    forms = binary_forms(arrays, targets)
    names = [target.column for target in targets]
    return Encoded("text" if forms is None else "binary", _batch(arrays if forms is None else forms, names, rows))


def _batch(arrays: Sequence[pa.Array], names: Sequence[str], count: int) -> pa.RecordBatch:
    if not arrays:
        return pa.record_batch([pa.nulls(count)], ["rows"]).select([])
    return pa.RecordBatch.from_arrays(list(arrays), names=list(names))
