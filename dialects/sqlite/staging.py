"""Rows on their way into SQLite: ADBC fills a file from Arrow batches, and SQLite takes its rows by INSERT … SELECT.

ADBC stores a batch without making an object of Python for each value, and lets the interpreter do something else meanwhile.
But its SQLite library is another one than that which holds the target's locks (see :mod:`.connections`), so it never opens
the target: it fills a file of its own and closes it. Then that is attached to the connection in whose transaction the rows
are to be. The files lie beside the target, and belong to whoever may write to it at the moment, which is one connection.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted_path

import pyarrow as pa
import sqlalchemy as sa

from migrator.arrow import prefetch
from migrator.errors import DatabaseError, DiskFull

from .connections import STAGED, adbc_driver

SIZES = tuple(size << 20 for size in (8, 8, 8, 8, 8, 16, 32, 64, 64, 64))
"""About how many bytes go into each file of a transaction: a connection detaches none before its transaction ends, and
attaches ten at most. While a file's rows are stored, the next one is filled."""

LARGEST_ROW = 1 << 10
"""How many bytes rows may have on average: a second copy of larger ones costs more than it saves."""
LARGEST_BATCH = 16 << 20
"""A batch of more bytes holds a value that is as large, whatever its other rows are like."""

BOUND = frozenset(
    {
        *(pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()),
        *(pa.float32(), pa.float64(), pa.string(), pa.binary()),
    }
)
"""The Arrow types whose values are all bound as they are (a NaN becomes NULL, as everywhere in SQLite)."""

_PREPARE = (
    "PRAGMA page_size = 65536",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
)
"""Nobody else looks into the file, and none is left of it when its job goes on after a crash."""


@dataclass(frozen=True)
class Place:
    """Where a file of rows lies, under which name it is attached, and about how many bytes it takes."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class Staged:
    """A file that holds rows."""

    place: Place
    num_rows: int

    def move_on(self, driver: sqlite3.Connection, insert_into: str) -> int:
        """Store the rows by ``insert_into`` and a SELECT, and give up the file; how many are stored."""
        driver.execute(f"ATTACH ? AS {self.place.name}", (str(self.place.path),))
        stored = driver.execute(f"{insert_into} SELECT * FROM {self.place.name}.staged").rowcount
        os.truncate(self.place.path, 0)  # its room is given up, though it stays attached (for nobody to read) until the end
        self.place.path.unlink()
        return stored


def in_files(connection: sa.Connection, batches: Iterator[pa.RecordBatch]) -> Generator[Staged | pa.RecordBatch]:
    """The rows of batches in their order: in files as far as these are worth it and there may be more of them, else as
    batches. The connection is in a write transaction.

    :raises DiskFull: there is no room for a file.
    """
    ahead = deque(islice(batches, 1))
    if ahead and ahead[0].nbytes <= LARGEST_ROW * ahead[0].num_rows:
        ahead.extend(islice(batches, 1))
    places = _places(connection) if len(ahead) > 1 else ()
    rows = chain(_let_go(ahead), batches)
    if not places or not _cleared(places):
        yield from rows
        return
    try:
        with closing(prefetch(_staged(rows, places), 1)) as staged:
            yield from staged
    finally:
        for place in places:
            with suppress(OSError):
                place.path.unlink()


def _cleared(places: Sequence[Place]) -> bool:
    """Remove what a process that was killed may have left at the places, and see whether files can be made there: not in a
    directory that takes none, nor under names that are too long or another's."""
    try:
        for place in places:
            place.path.unlink(missing_ok=True)
        os.close(os.open(places[0].path, os.O_CREAT | os.O_EXCL, 0o600))
        places[0].path.unlink()
    except OSError:
        return False
    return True


def _let_go(ahead: deque[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, none of which is kept."""
    while ahead:
        yield ahead.popleft()


def _places(connection: sa.Connection) -> Sequence[Place]:
    """Places for as many files as may still be attached; none where texts have another encoding than ADBC's files."""
    driver: Any = connection.connection.dbapi_connection
    if connection.exec_driver_sql("PRAGMA encoding").scalar_one() != "UTF-8":
        return ()
    attached, file = connection.exec_driver_sql(
        "SELECT count(*) FILTER (WHERE name NOT IN ('main', 'temp')), max(file) FILTER (WHERE name = 'main')"
        " FROM pragma_database_list"
    ).one()
    free = range(attached, min(len(STAGED), driver.getlimit(sqlite3.SQLITE_LIMIT_ATTACHED)))
    return [Place(Path(f"{file}{STAGED[n]}"), f"migrator_rows_{n}", size) for n, size in zip(free, SIZES, strict=False)]


class _File:
    """A file that is being filled."""

    def __init__(self, place: Place, width: int) -> None:
        self.place, self.rows, self.bytes = place, 0, 0
        self._beside = _ROW + width
        self._insert = f"INSERT INTO staged VALUES ({', '.join('?' * width)})"
        with _naming(place.path), ExitStack() as opened:
            os.close(os.open(place.path, os.O_CREAT | os.O_EXCL, 0o600))
            driver = adbc_driver().connect(f"file:{quoted_path(str(place.path))}", autocommit=True)
            self._cursor = opened.enter_context(closing(opened.enter_context(closing(driver)).cursor()))
            for statement in (*_PREPARE, "BEGIN", f"CREATE TABLE staged ({', '.join(f'c{n}' for n in range(width))})"):
                self._cursor.execute(statement)
            self.close = opened.pop_all().close

    def add(self, batch: pa.RecordBatch) -> None:
        with _naming(self.place.path):
            self._cursor.executemany(self._insert, batch)
        self.rows, self.bytes = self.rows + batch.num_rows, self.bytes + batch.nbytes + batch.num_rows * self._beside

    @property
    def full(self) -> bool:
        return self.bytes >= self.place.size

    def filled(self) -> Staged:
        with _naming(self.place.path):
            self._cursor.execute("COMMIT")
        self.close()
        return Staged(self.place, self.rows)


_ROW = 8
"""About how many bytes SQLite adds to a row, besides one for each of its values."""


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors tell which file they are about; values have no part in them, as any is taken.

    :raises DiskFull: there is no room for it.
    """
    try:
        yield
    except (OSError, adbc_driver().Error) as error:
        text = str(error).splitlines()[0]
        full = any(words in text for words in _FULL)
        raise (DiskFull if full else DatabaseError)(detail=f"{path}: {text}") from error


_FULL = ("database or disk is full", "disk I/O error", os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
"""What is said where there is no room; an I/O error is a quota's, or that of a limit of the file's size."""


def _staged(batches: Iterable[pa.RecordBatch], places: Sequence[Place]) -> Iterator[Staged | pa.RecordBatch]:
    free = iter(places)
    file: _File | None = None
    try:
        for batch in batches:
            fits = batch.nbytes <= LARGEST_BATCH and BOUND.issuperset(batch.schema.types)
            if file is not None and (file.full or not fits):
                staged, file = file.filled(), None
                yield staged
            if file is None and fits:
                place = next(free, None)
                file = _File(place, batch.num_columns) if place is not None else None
            if file is None:
                yield batch
            else:
                file.add(batch)
        if file is not None:
            staged, file = file.filled(), None
            yield staged
    finally:
        if file is not None:
            file.close()
