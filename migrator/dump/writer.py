"""Writing dump files: a ZIP64 archive of stored members that stock tools can list and pyarrow can read.

``header.json`` comes first; then the pieces, each an Arrow IPC stream; the first file of a set ends with the catalog and
the master record. A file without them at its set's end is incomplete and refused by the reader.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from migrator.errors import DumpFileExists, FileNotWritable
from migrator.job.master import Master, Piece
from migrator.model.catalog import Catalog
from migrator.model.codec import FORMAT, encode

MAGIC = "migrator dump"
HEADER, CATALOG, MASTER = "header.json", "catalog.json", "master.json"


def create(path: Path, reuse: bool) -> None:
    """Claim a dump file's name by making the file empty.

    :raises DumpFileExists: it is there and may not be reused.
    :raises FileNotWritable: the directory or the disk refuses.
    """
    if path.exists() and not path.is_file():
        raise FileNotWritable(path=path, detail="it is not an ordinary file")
    try:
        with path.open("wb" if reuse else "xb"):
            pass
    except FileExistsError as error:
        raise DumpFileExists(path=path) from error
    except OSError as error:
        raise FileNotWritable(path=path, detail=error.strerror) from error


def _not_writable(path: Path, error: OSError) -> FileNotWritable:
    return FileNotWritable(path=path, detail=os.strerror(error.errno) if error.errno else str(error))


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_writable(path, error) from error


class _Foreign(Exception):
    """Wraps what the reader of the rows raised, so that it is not taken for an error of this file."""


@contextmanager
def _not_ours() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _Foreign(error) from error


class DumpFile:
    """One file of a set, open for writing by one worker. ``number`` counts the set's files from 1."""

    def __init__(self, path: Path, number: int, set_id: str) -> None:
        self.path, self.number = path, number
        self._pieces = 0
        header = {"magic": MAGIC, "format": FORMAT, "set": set_id, "number": number}
        with _file_errors(path):
            self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)
            try:
                self._archive.writestr(HEADER, json.dumps(header))
            except OSError:
                self._abandon()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def write(self, name: str, batches: Iterable[pa.RecordBatch]) -> tuple[Piece, ...]:
        """Store batches as one piece, or as several where their schema changes on the way (the text escape).

        Without a batch there is no piece. If the batches raise, the piece begun is left as a member that no record names.
        """
        pieces: list[Piece] = []
        iterator = iter(batches)
        batch = next(iterator, None)
        while batch is not None:
            piece, batch = self._write_piece(name, batch, iterator)
            pieces.append(piece)
        return tuple(pieces)

    def _write_piece(
        self, name: str, first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]
    ) -> tuple[Piece, pa.RecordBatch | None]:
        self._pieces += 1
        member = f"data/{self._pieces:06d}-{name}.arrow"
        rows = size = 0
        batch: pa.RecordBatch | None = first
        try:
            stored = self._archive.open(member, "w", force_zip64=True)
            with stored, pa.ipc.new_stream(pa.PythonFile(stored, "w"), first.schema) as stream:
                while batch is not None and batch.schema.equals(first.schema):
                    stream.write_batch(batch)
                    rows, size = rows + batch.num_rows, size + batch.nbytes
                    with _not_ours():
                        batch = next(rest, None)
        except OSError as error:
            self._abandon()
            raise _not_writable(self.path, error) from error
        except _Foreign as error:
            raise error.args[0] from None
        return Piece(self.number, member, rows, size), batch

    def close(self) -> None:
        """Write the directory of the archive; the file is whole then."""
        if self._archive.fp is None:
            return
        with _file_errors(self.path):
            self._archive.close()

    def _abandon(self) -> None:
        """Let go of a file that the disk refuses, without trying to complete it."""
        file, self._archive.fp = self._archive.fp, None
        if file is not None:
            with suppress(OSError):
                file.close()


def seal(path: Path, catalog: Catalog, master: Master, files: Iterable[str]) -> None:
    """End a set: add the catalog, the names of all files and the master record to its first file, closed before.

    :raises FileNotWritable: the disk is full, or the like.
    """
    body: dict[str, Any] = {"files": list(files), "master": master.to_json()}
    with _file_errors(path), zipfile.ZipFile(path, "a", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr(CATALOG, json.dumps(encode(catalog), ensure_ascii=False))
        archive.writestr(MASTER, json.dumps(body, ensure_ascii=False))
