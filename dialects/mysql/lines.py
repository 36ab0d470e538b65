"""Rows as :data:`~migrator.adapter.LINES`: out of the server's text protocol and into LOAD DATA, without a value parsed.

A row on the wire is four bytes of packet header, then per field its length and its text. What stands between the texts is
overwritten by marks, which then become tabs and ends of lines, so that all rows of a block are done at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing

import numpy as np
import sqlalchemy as sa

from migrator.adapter import LineRule, Load, Read, stored_as_lines
from migrator.model import types as t
from migrator.model.objects import Column

from . import paths, wire

# --- out ------------------------------------------------------------------------------------------------------------

_GIVEN = (t.Boolean, t.Integer, t.Decimal, t.String, t.Date, t.Timestamp)
"""The types whose text in a result is that of lines."""

_END, _TAB, _NULL, _TAB_NULL, _NOTHING = range(1, 6)
"""The marks: bytes that texts hardly have."""

_ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\b", b"\\b"))
_CONTROLS = bytes.maketrans(bytes([_END, _TAB]), b"\n\t")
_NULLS = ((bytes([_NULL]), b"\\N"), (bytes([_TAB_NULL]), b"\t\\N"))


def gives(columns: Sequence[Column]) -> bool:
    """Whether rows of columns can be had as lines."""
    return bool(columns) and all(isinstance(t.base_of(column.type), _GIVEN) for column in columns)


def stream(connection: sa.Connection, read: Read, sent: Callable[[int], None]) -> Generator[bytes]:
    """The rows of a table; at the end ``sent`` is told how many they are."""
    rows, count = 0, len(read.columns)
    with closing(paths.blocks(connection, read, paths.character_sets(connection, read.table))) as blocks:
        for block in blocks:
            rows += len(block.starts)
            yield of_block(block, count)
    sent(rows)


def of_block(block: wire.Block, columns: int) -> bytes:
    """The rows of a block, of ``columns`` values each."""
    marked = _marked(block, columns)
    if marked is None:
        return bytes(paths.joined([paths.replaced(array, _ESCAPES) for array in block.columns(columns)]))
    for special, instead in _ESCAPES:
        if special in marked:
            marked = marked.replace(special, instead)
    lines = marked.translate(_CONTROLS, bytes([_NOTHING]))
    for special, instead in _NULLS:
        if special in lines:
            lines = lines.replace(special, instead)
    return lines[1:] + b"\n"


def _marked(block: wire.Block, columns: int) -> bytes | None:
    """A block with marks between the texts, each row begun by the end of the one before; None: a text has such bytes itself,
    or there is no room for them, as in a row of several packets.
    """
    if not block.framed:
        return None
    data = np.frombuffer(block.data, np.uint8)
    marked, marks = data.copy(), 0
    for offset, mark in enumerate((_END, _NOTHING, _NOTHING, _NOTHING)):
        marked[block.starts - wire.HEADER + offset] = mark
    at = block.starts
    for column in range(columns):
        starts, lengths, nulls = wire.fields(data, at)
        marked[at] = _TAB if column else _NOTHING
        if nulls is not None:
            marked[at[nulls]] = _TAB_NULL if column else _NULL
        for width in range(1, int((starts - at).max(initial=1))):
            wide = starts - at > width
            marked[at[wide] + width] = _NOTHING
            marks += int(wide.sum())
        at = starts + lengths
    marks += (wire.HEADER + columns) * len(block.starts)
    there = np.count_nonzero(marked - np.uint8(_END) <= _NOTHING - _END)
    return marked.tobytes() if there == marks else None


# --- in -------------------------------------------------------------------------------------------------------------

_AS_THEY_ARE: tuple[LineRule, ...] = (
    (t.Boolean, t.Boolean, lambda theirs, ours: True),
    (t.Boolean, t.Integer, lambda theirs, ours: True),
    (t.Integer, t.Integer, lambda theirs, ours: theirs == ours),
    (t.Decimal, t.Decimal, lambda theirs, ours: theirs == ours),
    (t.String, t.String, lambda theirs, ours: theirs == ours or not ours.fixed),  # CHAR cuts blanks without a warning
    (t.Date, t.Date, lambda theirs, ours: True),
    (t.Timestamp, t.Timestamp, lambda theirs, ours: theirs.precision <= ours.precision and theirs.zoned >= ours.zoned),
)
"""When LOAD DATA stores a text as it is, or has a warning about it."""


def takes(load: Load) -> bool:
    """Whether lines of the source's columns need nobody who looks at them."""
    return all(itertools.starmap(_takes, zip(load.source, load.target, strict=True)))


def _takes(source: Column, target: Column) -> bool:
    if source.nullable and not target.nullable:  # NULL would become the next number, or the current time
        return False
    return stored_as_lines(_AS_THEY_ARE, source, target)


def load(connection: sa.Connection, load_: Load, pieces: Iterable[bytes]) -> int:
    """Store rows that are lines already; the number stored.

    :raises ValueNotCarried: the server changed a value.
    """
    paths.set_mode(connection, load_)
    computed = paths.computed_columns(connection, load_.table)
    driver, statement = paths.driver_of(connection), paths.load_statement(load_)
    stored = 0
    for part in _parts(pieces, paths.rows_a_statement(connection, len(computed))):
        loaded = wire.load_data(driver, statement, part)
        if loaded.warnings:
            paths.refuse_warnings(driver, load_, computed=computed)
        stored += loaded.rows
    return stored


def _parts(pieces: Iterable[bytes], most: int | None) -> Iterator[Iterable[bytes]]:
    """What each LOAD DATA is of: all rows, or ``most``.

    Rows are made before the server waits for them: a value that is refused there costs no connection.
    """
    if most is None:
        waiting = iter(pieces)
        yield itertools.chain(list(itertools.islice(waiting, 1)), waiting)
        return
    for piece in pieces:
        lines = piece.split(b"\n")[:-1]
        for start in range(0, len(lines), most):
            yield [b"\n".join((*lines[start : start + most], b""))]
