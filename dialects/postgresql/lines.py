"""Rows as :data:`~migrator.adapter.LINES`: COPY's own text, but for two escapes and the truth values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from migrator import arrow
from migrator.adapter import LineRule, Load, Read, stored_as_lines
from migrator.model import types as t
from migrator.model.objects import Column

from . import copy_in, paths
from .types import quote

# --- out ------------------------------------------------------------------------------------------------------------

_GIVEN: tuple[tuple[type[t.Type], Callable[[Any], bool], str], ...] = (
    (t.Boolean, lambda _: True, "{}::integer"),
    (t.Integer, lambda _: True, "{}"),
    (t.Decimal, lambda decimal: decimal.precision is not None, "{}"),
    (t.String, lambda _: True, "{}"),
    (t.Date, lambda _: True, "{}"),
    (t.Timestamp, lambda timestamp: not timestamp.zoned, "{}"),
    (t.Timestamp, lambda timestamp: timestamp.zoned, "{} AT TIME ZONE 'UTC'"),
)
"""The types whose text is that of lines, and what is asked for then."""


def _given(column: Column) -> str | None:
    type_ = t.base_of(column.type)
    found = (asked for kind, when, asked in _GIVEN if isinstance(type_, kind) and when(type_))
    return next(found, None)


def gives(columns: Sequence[Column]) -> bool:
    """Whether rows of columns can be had as lines."""
    return bool(columns) and all(map(_given, columns))


def stream(connection: sa.Connection, read: Read, sent: Callable[[int], None]) -> Iterator[bytes]:
    """The rows of a table; at the end ``sent`` is told how many the server says that it has sent."""
    forms = [form for form in map(_given, read.columns) if form is not None]
    asked = (form.format(quote(column.name)) for form, column in zip(forms, read.columns, strict=True))
    sql = f"COPY (SELECT {', '.join(asked)} FROM {paths.rows_of(connection, read)}\n) TO STDOUT"
    rows = 0
    for messages in paths.copy_out(paths.driver(connection), sql, paths.PIECE):
        rows += len(messages)
        piece = b"".join(messages)
        yield _ESCAPED.sub(_unescaped, piece) if b"\\f" in piece or b"\\v" in piece else piece
    sent(rows)


_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CHARACTERS = {b"f": b"\f", b"v": b"\v"}


def _unescaped(found: re.Match[bytes]) -> bytes:
    return _CHARACTERS.get(found[1], found[0])


# --- in -------------------------------------------------------------------------------------------------------------


def _holds(theirs: t.String, ours: t.String) -> bool:
    """Whether no text is too long: of one that is, the server cuts blanks without an error."""
    if theirs.fixed or ours.fixed:
        return theirs == ours
    return ours.length is None or (theirs.length is not None and theirs.length <= ours.length)


_AS_THEY_ARE: tuple[LineRule, ...] = (
    (t.Boolean, t.Boolean, lambda theirs, ours: True),
    (t.Boolean, t.Integer, lambda theirs, ours: True),
    (t.Integer, t.Integer, lambda theirs, ours: True),
    (t.Integer, t.Decimal, lambda theirs, ours: (ours.scale or 0) >= 0),
    (t.Decimal, t.Decimal, lambda theirs, ours: theirs == ours),
    (t.String, t.String, _holds),
    (t.Date, t.Date, lambda theirs, ours: True),
    (t.Timestamp, t.Timestamp, lambda theirs, ours: theirs.precision <= ours.precision and theirs.zoned == ours.zoned),
)
"""When COPY stores a text as it is, or refuses it."""


def takes(load: Load) -> bool:
    """Whether lines of the source's columns need nobody who looks at them."""
    pairs = zip(load.source, load.target, strict=True)
    return not load.conventional and all(stored_as_lines(_AS_THEY_ARE, source, target) for source, target in pairs)


def load(connection: sa.Connection, into: Load, pieces: Iterable[bytes]) -> int:
    """Store rows that are lines already; the number stored.

    :raises ValueNotCarried: a text has bytes that the server refuses without saying in which column.
    """
    return paths.copy_pieces(connection, into, _texts(into, pieces), "text")


def _texts(into: Load, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if copy_in.NUL in piece or not arrow.is_utf8(piece):
            _refuse_no_text(into, piece)
        yield piece


def _refuse_no_text(into: Load, piece: bytes) -> None:
    for line in piece.split(b"\n"):
        for field, column in zip(line.split(b"\t"), into.target, strict=False):  # the end of the last line is an empty one
            copy_in.refuse_changes(arrow.utf8(pa.array([field], pa.binary()), column.name), copy_in.Target(column.name, ""))
