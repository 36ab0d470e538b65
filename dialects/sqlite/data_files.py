"""The file of a database: SQLite's backup interface copies one state of it, page by page, and puts it into a database."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from migrator.adapter import Block, DataFile, DataFiles
from migrator.errors import DataFilesUnreachable, NotADataFile
from migrator.model.objects import QName

from .connections import existing_file, file_of, lock_timeout
from .dictionary import SCHEMA

NAME = "main"
"""The name of the one file."""
_OURS = ".migrator"
"""What follows the name of a database where its new content is put together."""
_PAGES = 1024
"""How many pages are copied before others may be told of it."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_THE_COPY = ((18, 20), (24, 28), (40, 44), (92, 100))
"""The bytes of the header that differ in a copy: who may write, the counters of changes and of the schema, the library."""


@contextmanager
def holding(engine: sa.Engine) -> Iterator[Mapping[QName, DataFiles]]:
    """A copy of the database as it is now. The database itself is free again when the copy is made."""
    path = existing_file(engine.url)
    with tempfile.TemporaryDirectory(prefix="migrator-") as directory:
        copy = Path(directory) / "copy.db"
        with engine.connect() as connection, closing(sqlite3.connect(copy)) as target:
            _backup(_driver(connection), target, lock_timeout(engine.url))
        yield {QName(SCHEMA, path.name): DataFiles((DataFile(NAME, copy, copy.stat().st_size),))}


def misfit(connection: sa.Connection, version: str) -> str:
    """Why the database cannot take the file of another; empty: nothing shows it."""
    (here,) = connection.exec_driver_sql("SELECT sqlite_version()").one()
    if _release(here) < _release(version):
        return f"the file comes from SQLite {version}, and this is the earlier {here}"
    return "" if _is_empty(connection) else "there is something in the database, and the file would take its place"


def _release(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2]]


def _is_empty(connection: sa.Connection) -> bool:
    return int(connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()) == 0


def place(connection: sa.Connection, blocks: Iterable[Block], confirm: Callable[[], None]) -> None:
    """Put the file's content into the empty database. One that has it already, since it was put there before, stays.

    :raises NotADataFile: the blocks are no such file, or there is something else in the database.
    """
    path = file_of(connection.engine.url)
    whole = path.with_name(path.name + _OURS)
    whole.unlink(missing_ok=True)  # of a job that was killed
    try:
        _put_together(whole, blocks, path)
        confirm()
        if _is_empty(connection):
            with closing(sqlite3.connect(f"file:{quote(str(whole))}?mode=ro&immutable=1", uri=True)) as source:
                _backup(source, _driver(connection), lock_timeout(connection.engine.url))
        elif not _alike(whole, path):
            raise NotADataFile(object=path, detail="there is something else in the database")
    except OSError as error:
        raise DataFilesUnreachable(object=path, detail=f"{whole}: {error.strerror}") from error
    finally:
        whole.unlink(missing_ok=True)


def _put_together(whole: Path, blocks: Iterable[Block], of: Path) -> None:
    with os.fdopen(os.open(whole, _NEW, 0o600), "wb") as file:
        for block in blocks:
            if (block.name, block.offset) != (NAME, file.tell()):
                detail = f"{block.name} at {block.offset} is no part of {NAME}, or not the next one"
                raise NotADataFile(object=of, detail=detail)
            file.write(block.data)
        if not file.tell():
            raise NotADataFile(object=of, detail="the file is empty")


def _alike(one: Path, other: Path) -> bool:
    """Whether two files hold the same database."""
    with one.open("rb") as first, other.open("rb") as second:
        if _without_counters(first.read(100)) != _without_counters(second.read(100)):
            return False
        while block := first.read(1 << 20):
            if block != second.read(len(block)):
                return False
        return not second.read(1)


def _without_counters(header: bytes) -> bytes:
    found = bytearray(header)
    for start, end in _OF_THE_COPY:
        found[start:end] = bytes(end - start)
    return bytes(found)


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _backup(source: Any, target: Any, patience: float) -> None:
    """Copy all pages; each side waits for others' locks as long as its connections do."""
    moved = [time.monotonic()]

    def watch(status: int, _remaining: int, _total: int) -> None:
        if status not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            moved[0] = time.monotonic()
        elif time.monotonic() - moved[0] > patience:
            raise sqlite3.OperationalError("database is locked")

    source.backup(target, pages=_PAGES, progress=watch)
