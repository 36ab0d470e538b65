"""Reading dump file sets: whole and ours, or refused with the reason."""

from __future__ import annotations

import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from migrator.dump.files import find
from migrator.dump.writer import CATALOG, HEADER, MAGIC, MASTER
from migrator.errors import DumpFileMissing, IncompatibleDump, IncompleteDumpSet, NotADumpFile
from migrator.job.master import Master, Piece
from migrator.model.catalog import Catalog
from migrator.model.codec import FORMAT, decode

MANY = 1 << 20

_DAMAGE = (
    zipfile.BadZipFile,
    pa.ArrowException,
    ValueError,  # JSON, UTF-8
    KeyError,
    EOFError,
    OSError,
    NotImplementedError,  # a flag or method that stored members do not have
    RuntimeError,  # a member said to be encrypted
    OverflowError,
    zlib.error,  # a member said to be compressed
    lzma.LZMAError,
    struct.error,
)
"""What the readers of archives, JSON and Arrow raise at bytes that nobody wrote."""


@dataclass(frozen=True)
class DumpSet:
    """A complete set: its files by number, the catalog and the master record."""

    files: dict[int, Path]
    catalog: Catalog
    master: Master


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> Any:
    try:
        return json.loads(archive.read(name))
    except _DAMAGE as error:
        raise NotADumpFile(path=path, detail=f"is damaged: {name}: {error}") from error


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise DumpFileMissing(path=path, detail="no such file") from error
    except OSError as error:
        raise DumpFileMissing(path=path, detail=error.strerror or str(error)) from error
    except _DAMAGE as error:
        with path.open("rb") as file:
            ours = file.read(4) == b"PK\x03\x04"
        why = "is cut short, damaged or was never completed" if ours else "is not a dump file of migrator"
        raise NotADumpFile(path=path, detail=why) from error


def _header(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    if HEADER not in archive.namelist():
        raise NotADumpFile(path=path, detail="is an archive, but not a dump file of migrator")
    header = _member(archive, path, HEADER)
    if not isinstance(header, dict) or header.get("magic") != MAGIC:
        raise NotADumpFile(path=path, detail="is an archive, but not a dump file of migrator")
    if header.get("format", 0) > FORMAT:
        raise IncompatibleDump(path=path, version=header.get("format"))
    return header


def open_set(templates: Sequence[str]) -> DumpSet:
    """The dump file set that ``templates`` name.

    :raises NotADumpFile: a file is not ours, cut short or damaged.
    :raises IncompleteDumpSet: files are missing or belong to another export.
    """
    files: dict[int, Path] = {}
    names: list[str] = []
    catalog: Catalog | None = None
    master: Master | None = None
    set_id: str | None = None
    for path in find(templates):
        with _archive(path) as archive:
            header = _header(archive, path)
            if set_id is not None and header["set"] != set_id:
                raise IncompleteDumpSet(detail=f'"{path}" belongs to another export than the files before it')
            set_id = header["set"]
            if header["number"] in files:
                raise IncompleteDumpSet(detail=f'"{path}" and "{files[header["number"]]}" are the same file of the set')
            files[header["number"]] = path
            if MASTER in archive.namelist():
                body = _member(archive, path, MASTER)
                try:
                    names, master = body["files"], Master.from_json(body["master"])
                    catalog = decode(_member(archive, path, CATALOG))
                except (KeyError, TypeError, ValueError) as error:
                    raise NotADumpFile(path=path, detail=f"is damaged: {error}") from error
    if catalog is None or master is None:
        raise IncompleteDumpSet(
            detail="the file with the master record is not among the files named, or was never completed"
        )
    missing = [name for number, name in enumerate(names, 1) if number not in files]
    if missing:
        raise IncompleteDumpSet(detail="missing " + ", ".join(missing))
    return DumpSet(files, catalog, master)


def batches(path: Path, piece: Piece) -> Iterator[pa.RecordBatch]:
    """The batches of one piece. The checksum of its bytes is checked at its end, before the last batch is handed out.

    :raises NotADumpFile: the piece is damaged, or has another number of rows than recorded.
    """
    rows = 0
    held: pa.RecordBatch | None = None
    try:
        with _archive(path) as archive, archive.open(piece.member) as stored:
            with pa.ipc.open_stream(pa.PythonFile(stored, "r")) as stream:
                for batch in stream:
                    if held is not None:
                        yield held
                    held = batch
                    rows += batch.num_rows
            while stored.read(MANY):
                pass
    except _DAMAGE as error:
        raise NotADumpFile(path=path, detail=f"is damaged: {piece.member}: {error}") from error
    if rows != piece.rows:
        raise NotADumpFile(path=path, detail=f"is damaged: {piece.member} has {rows} rows, {piece.rows} were recorded")
    if held is not None:
        yield held
