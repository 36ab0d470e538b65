"""The reject file: rows that an import left out because the database refused them, with the reason of each.

A list of orphans, rows that came in without the one that a foreign key refers to, is such a file too.

One JSON value a line. A line with ``section`` begins the rows of one table that one granule's load rejected, and tells the
columns as they came; each line after it is a row, with its key, its values and the reason. Values are text that reads back
as exactly the value, or ``{"hex": …}`` where they are bytes, or null.

Each attempt to load a granule writes a *part*, a file of its own beside the reject file, before its rows are committed; the
master table's done mark names it. So a part counts if and only if its granule's rows are there, and :func:`gather` can be
repeated, whatever had been gathered before.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import stat
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from migrator import arrow, files
from migrator.errors import RejectFileNotUsable
from migrator.model import types as t
from migrator.model.codec import decode, encode
from migrator.model.objects import Column, ForeignKey, QName

BATCH_ROWS = 1000
"""How many rows of a reject file make a batch when it is read."""

Form = tuple[QName, tuple[Column, ...], tuple[str, ...], frozenset[tuple[str, bool]], frozenset[tuple[str, t.Type]]]
"""All of a :class:`Section` but its name: the table, its columns, those of its key, its ``clocks``, and the ``chosen``."""

_BROKEN = "foreign_key"
"""What a line has that begins orphans."""


@dataclass(frozen=True)
class Section:
    """What the rows of one part have in common: its name, their table, its columns as they came, the names of its key's.

    ``clocks``: columns of times that become texts, as :class:`migrator.converting.Converter` has them, by their names.
    ``chosen``: the types that the job has chosen for columns, by their names; what is there may stand in for one.
    ``foreign_key``: that of which the rows lack what it refers to; they are in their table, and no reject file has them.
    """

    part: str
    table: QName
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    clocks: Mapping[str, bool] = field(default_factory=dict)
    chosen: Mapping[str, t.Type] = field(default_factory=dict)
    foreign_key: ForeignKey | None = None

    @property
    def form(self) -> Form:
        """All but the part's name: the rows of parts that have it in common are read alike."""
        return self.table, self.columns, self.key, frozenset(self.clocks.items()), frozenset(self.chosen.items())

    def line(self) -> dict[str, Any]:
        """The line that begins it."""
        table = [self.table.schema, self.table.name]
        clocks = {"clocks": dict(self.clocks)} if self.clocks else {}
        broken = {} if self.foreign_key is None else {_BROKEN: encode(self.foreign_key)}
        chosen = {"chosen": {name: encode(type_) for name, type_ in self.chosen.items()}} if self.chosen else {}
        kept = {"key": list(self.key), **broken, **clocks, **chosen}
        return {"section": self.part, "table": table, **kept, "columns": encode(self.columns)}

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Section:
        """What :meth:`line` wrote.

        :raises ValueError: it is not that, or it begins a list of orphans.
        """
        if _BROKEN in line:
            raise ValueError("it begins a list of rows that are in their table, and lack the row that they refer to")
        columns = decode(line["columns"])
        if not all(isinstance(column, Column) for column in columns):
            raise ValueError("its columns are none")
        schema, name = line["table"]
        clocks = {str(column): bool(zeros) for column, zeros in line.get("clocks", {}).items()}
        chosen = {str(column): decode(type_) for column, type_ in line.get("chosen", {}).items()}
        if not all(isinstance(type_, t.Type) for type_ in chosen.values()):
            raise ValueError("the types chosen for its columns are none")
        return cls(line["section"], QName(schema, name), columns, tuple(line["key"]), clocks, chosen)


# --- values ---------------------------------------------------------------------------------------------------------


def values_of(array: pa.Array, column: Column) -> list[Any]:
    """The values of a column, JSON-ready."""
    text = arrow.as_text(array, column.type)
    if pa.types.is_binary(text.type):
        return [None if value is None else {"hex": value.hex()} for value in text.to_pylist()]
    zone = "Z" if pa.types.is_timestamp(array.type) and array.type.tz is not None else ""
    return [None if value is None else f"{value}{zone}" for value in text.to_pylist()]


def array_of(values: Sequence[Any], column: Column) -> pa.Array:
    """What :func:`values_of` wrote, as it was.

    :raises ValueError: a value is of another kind.
    """
    given = [value for value in values if value is not None]
    if isinstance(t.base_of(column.type), t.Binary) or any(isinstance(value, dict) for value in given):
        return pa.array([None if value is None else _bytes_of(value, column) for value in values], pa.binary())
    if not all(isinstance(value, str) for value in given):
        raise ValueError(f"column {column.name} has a value that is neither text in quotes nor null")
    return arrow.parse(pa.array(values, pa.string()), column.type)


def _bytes_of(value: Any, column: Column) -> bytes:
    """Bytes as they are written, or those of a text that came among bytes, in a column of text.

    :raises ValueError: it is neither.
    """
    if isinstance(value, str) and not isinstance(t.base_of(column.type), t.Binary):
        return value.encode()
    if not (isinstance(value, dict) and set(value) == {"hex"} and isinstance(value["hex"], str)):
        raise ValueError(f'column {column.name} has a value that is neither {{"hex": "…"}} nor null')
    try:
        return bytes.fromhex(value["hex"])
    except ValueError as error:
        raise ValueError(f"column {column.name}: {error}") from error


# --- writing --------------------------------------------------------------------------------------------------------


class PartWriter:
    """Writes one part; the file is made with the first row. ``beside``: the reject file it is a part of."""

    def __init__(
        self,
        beside: Path,
        item: int,
        table: QName,
        columns: tuple[Column, ...],
        key: tuple[str, ...],
        clocks: Mapping[str, bool],
        chosen: Mapping[str, t.Type] | None = None,
        foreign_key: ForeignKey | None = None,
    ) -> None:
        self.path = _part(beside, item)
        self.rows = 0
        self.reason = ""
        """Why the first row was rejected."""
        self._section = Section(self.path.name, table, columns, key, clocks, chosen or {}, foreign_key)
        self._file: BinaryIO | None = None

    def add(self, rows: pa.RecordBatch, reason: str) -> None:
        """Write rows, of which there is one at least.

        :raises RejectFileNotUsable: the file cannot be written.
        """
        with _file_errors(self.path):
            if self._file is None:
                self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
                self._write(self._section.line())
                self.reason = reason
            columns = self._section.columns
            values = {c.name: values_of(array, c) for array, c in zip(rows.columns, columns, strict=True)}
            for row in range(rows.num_rows):
                cells = {name: of_column[row] for name, of_column in values.items()}
                key = {name: cells[name] for name in self._section.key if name in cells}
                self._write({"table": str(self._section.table), "key": key, "values": cells, "reason": reason})
        self.rows += rows.num_rows

    def finish(self) -> None:
        """All rows are written: from now on they are on the disk, whatever happens.

        :raises RejectFileNotUsable: the file cannot be written.
        """
        if self._file is not None:
            with _file_errors(self.path):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                _sync_directory(self.path.parent)

    def drop(self) -> None:
        """The rows it tells of are not left out after all: nothing stays of it."""
        if self._file is not None:
            with suppress(OSError):  # the disk may be full; nothing names this file
                self._file.close()
                self.path.unlink(missing_ok=True)

    def _write(self, value: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")


def _part(beside: Path, number: int) -> Path:
    """A new name for a part of a reject file."""
    return beside.with_name(f"{beside.name}.{number}.{uuid.uuid4().hex[:12]}")


def _parts(path: Path) -> Iterator[Path]:
    """The files beside a reject file that are named as its parts."""
    named = re.compile(rf"{re.escape(path.name)}\.[0-9]+\.[0-9a-f]{{12}}")
    for found in path.parent.iterdir():
        if named.fullmatch(found.name) and stat.S_ISREG(found.lstat().st_mode):
            yield found


def numbered(wanted: Path) -> Iterator[Path]:
    """``wanted``, and names numbered after it, without end."""
    yield wanted
    for number in itertools.count(2):
        yield wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")


def claim(wanted: Path) -> Path:
    """Make an empty reject file that is nobody else's: ``wanted``, or one numbered after it. Only its owner may read it.

    :raises RejectFileNotUsable: none can be made there.
    """
    for path in numbered(wanted):
        with _file_errors(path):
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                continue
        return path
    raise AssertionError("numbers end")


def gather(path: Path, parts: Sequence[str]) -> bool:
    """Put ``parts`` together in the reject file ``path``, and remove them; whether there are any.

    What is in the file already is taken from there, so it can be done again, after parts were gathered and some of them no
    longer count. Without any the file is removed.

    :raises RejectFileNotUsable: a part is in neither place, or a file cannot be read or written.
    """
    with _file_errors(path):
        if parts:
            _rewrite(path, parts)
        else:
            path.unlink(missing_ok=True)
        for stray in list(_parts(path)):
            stray.unlink(missing_ok=True)
        _sync_directory(path.parent)
    return bool(parts)


def _rewrite(path: Path, parts: Sequence[str]) -> None:
    partial = _part(path, os.getpid())
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            there = _copy(path, out, parts) if path.exists() else set()
            for part in (part for part in parts if part not in there):
                with _file_errors(path.with_name(part)):
                    _copy(path.with_name(part), out, [part])
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _copy(path: Path, out: BinaryIO, wanted: Sequence[str]) -> set[str]:
    """Copy the sections that are wanted; which were there."""
    found: set[str] = set()
    taken = False
    with files.read(path) as lines:
        for line in lines:
            if line.startswith(b'{"section": '):
                name = json.loads(line)["section"]
                taken = name in wanted and name not in found
                found |= {name} if taken else set()
            if taken:
                out.write(line)
    return found


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[tuple[Section, pa.RecordBatch]]:
    """The rows of a reject file, of one section a batch.

    :raises RejectFileNotUsable: it cannot be read, or is none.
    """
    with _file_errors(path), files.read(path) as lines:
        section: Section | None = None
        rows: list[_Row] = []
        for number, line in enumerate(lines, 1):
            begins, row = _line(path, number, line)
            if row is not None and section is None:
                raise _no_line(path, number, ValueError("no section begins before it"))
            rows += [] if row is None else [row]
            if section is not None and rows and (begins is not None or len(rows) == BATCH_ROWS):
                yield section, _batch(path, section, rows)
                rows = []
            section = begins or section
        if section is not None and rows:
            yield section, _batch(path, section, rows)


@dataclass(frozen=True)
class _Row:
    """A line that holds a row: its number, and the values."""

    number: int
    values: Mapping[str, Any]


_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a line raises that somebody has written otherwise."""


def _no_line(path: Path, number: int, error: Exception) -> RejectFileNotUsable:
    why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return RejectFileNotUsable(path=path, detail=f"line {number} is no line of a reject file: {why}")


def _line(path: Path, number: int, line: bytes) -> tuple[Section | None, _Row | None]:
    """The section that a line begins, or the row that it holds.

    :raises RejectFileNotUsable: neither.
    """
    try:
        value = json.loads(line)
        return (Section.read(value), None) if "section" in value else (None, _Row(number, dict(value["values"])))
    except _UNREADABLE as error:
        raise _no_line(path, number, error) from error


def _batch(path: Path, section: Section, rows: Sequence[_Row]) -> pa.RecordBatch:
    """Rows of a section.

    :raises RejectFileNotUsable: one of them, which is named, has other columns or values.
    """
    try:
        return _batch_of(section, rows)
    except _UNREADABLE:
        for row in rows:
            try:
                _batch_of(section, [row])
            except _UNREADABLE as error:
                raise _no_line(path, row.number, error) from error
        raise


def _batch_of(section: Section, rows: Sequence[_Row]) -> pa.RecordBatch:
    names = [column.name for column in section.columns]
    for row in rows:
        if row.values.keys() != set(names):
            raise ValueError(f"it has values of {', '.join(row.values)}, and its section has the columns {', '.join(names)}")
    arrays = [array_of([row.values[column.name] for row in rows], column) for column in section.columns]
    return arrow.batch_of(section.columns, arrays)


# --- files ----------------------------------------------------------------------------------------------------------


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    """:raises RejectFileNotUsable: instead of what the operating system says."""
    try:
        yield
    except OSError as error:
        raise RejectFileNotUsable(path=path, detail=error.strerror or str(error)) from error


def _sync_directory(directory: Path) -> None:
    """Let the names of a directory's files be on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
