"""Reading dump file sets: whole and ours, or refused with the reason."""

from __future__ import annotations

import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from migrator import files, templates
from migrator.config import NO_SECRETS, Secrets
from migrator.dump import archive, oracle
from migrator.dump.archive import BLOCK, Member, local_header
from migrator.dump.crypt import DataKey, context, opened, unlock
from migrator.dump.header import HEADER, LaterFormat, SetHeader
from migrator.dump.writer import CATALOG, COMPRESSED, ENCRYPTED, MASTER, SET
from migrator.errors import (
    ChecksumError,
    DumpFileMissing,
    IncompatibleDump,
    IncompleteDumpSet,
    NoChecksum,
    NotADumpFile,
    NotEncrypted,
)
from migrator.job.master import Master, Piece
from migrator.model.catalog import Catalog
from migrator.model.codec import decode

LARGEST_TEXT = 1 << 31
"""The most bytes of a catalog: more is taken for damage."""

_DAMAGE = (
    zipfile.BadZipFile,
    pa.ArrowException,
    ValueError,  # JSON, UTF-8
    LookupError,
    TypeError,
    EOFError,
    OSError,
    RuntimeError,  # a member said to be encrypted, or of a method or flag that zipfile does not have
    OverflowError,
    MemoryError,
    zlib.error,  # a member said to be compressed
    lzma.LZMAError,
    struct.error,
)
"""What the readers of archives, JSON and Arrow raise at bytes that nobody wrote."""


@contextmanager
def _damage(path: Path, what: str) -> Iterator[None]:
    """What the reading of damaged bytes raises.

    :raises NotADumpFile: with what could not be read.
    """
    try:
        yield
    except _DAMAGE as error:
        raise NotADumpFile(path=path, detail=f"is damaged: {what}: {error}") from error


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DumpFiles:
    """Where the rows of a set are: its files by number, and what decrypts them. A picklable value for workers."""

    header: SetHeader
    files: tuple[tuple[int, Path], ...]
    key: DataKey | None = field(default=None, repr=False)

    def path(self, number: int) -> Path:
        """One file."""
        return dict(self.files)[number]

    def batches(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """The batches of one piece. No batch is handed out of a piece whose bytes are not those that were written.

        :raises NotADumpFile: the piece is damaged, or has another number of rows than recorded.
        """
        path, rows = self.path(piece.file), 0
        with _damage(path, piece.member), self._stream(path, piece) as stream:
            for batch in stream:
                rows += batch.num_rows
                if rows > piece.rows:
                    break
                yield batch
        if rows != piece.rows:
            detail = f"is damaged: {piece.member} has {rows} rows, {piece.rows} were recorded"
            raise NotADumpFile(path=path, detail=detail)

    @contextmanager
    def _stream(self, path: Path, piece: Piece) -> Iterator[pa.RecordBatchStreamReader]:
        member = Member(piece.member, piece.end, piece.stored, int(piece.checksum, 16))
        with files.read(path) as file:
            _check_header(file, member)
            if self.header.options.data_encrypted:
                assert self.key is not None
                place = context(self.header.set_id, piece.file, piece.member)
                chunks = _Chunks(opened(_Part(file, member), self.key, place))
                with pa.ipc.open_stream(pa.PythonFile(chunks, "r")) as stream:
                    yield stream
                return
            _check_sum(file, member)
        with pa.OSFile(str(path)) as whole, pa.ipc.open_stream(whole.get_stream(member.data, member.size)) as stream:
            yield stream


def _check_header(file: BinaryIO, member: Member) -> None:
    """A member is where it was written, by its name; afterwards the file stands at its bytes.

    :raises ValueError: it is not.
    """
    header = local_header(member.name)
    file.seek(member.start)
    if file.read(len(header)) != header:
        raise ValueError("it is not where it was written")


def _check_sum(file: BinaryIO, member: Member) -> None:
    crc, left = 0, member.size
    while left and (block := file.read(min(BLOCK, left))):
        crc, left = zlib.crc32(block, crc), left - len(block)
    if left or crc != member.crc:
        raise ValueError("its checksum is another")


class _Part:
    """The bytes of a member."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self._file, self._left = file, member.size

    def read(self, size: int, /) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Chunks(io.RawIOBase):
    """Chunks as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        taken, wanted = [], size if size >= 0 else LARGEST_TEXT
        while wanted:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
                if not self._rest:
                    break
            taken.append(self._rest[:wanted])
            wanted -= len(taken[-1])
            self._rest = self._rest[len(taken[-1]) :]
        return b"".join(taken)


# --- sets -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DumpSet:
    """A complete set: its files, the catalog and the master record."""

    dump: DumpFiles
    catalog: Catalog
    master: Master

    @property
    def header(self) -> SetHeader:
        """What the files say of the set."""
        return self.dump.header


@dataclass(frozen=True)
class OpenedFile:
    """One file of a set, looked into. ``index``: the content of set.json, None where it is not in this file."""

    path: Path
    number: int
    header: SetHeader
    index: dict[str, Any] | None


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        with files.read(path) as file:
            head = file.read(oracle.BLOCK)
    except FileNotFoundError as error:
        raise DumpFileMissing(path=path, detail="no such file") from error
    except OSError as error:
        raise DumpFileMissing(path=path, detail=error.strerror) from error
    if not head.startswith(b"PK\x03\x04"):
        oracle.refuse(path, head)
        raise NotADumpFile(path=path, detail="is not a dump file of migrator")
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise NotADumpFile(path=path, detail="is cut short or was never completed") from error


def open_file(path: Path) -> OpenedFile:
    """Look into a dump file.

    :raises DumpFileMissing: it cannot be read.
    :raises NotADumpFile: it is not ours, cut short or damaged.
    :raises IncompatibleDump: it is of another layout.
    """
    with _damage(path, "directory"), _archive(path) as members:
        if HEADER not in members.namelist():
            raise NotADumpFile(path=path, detail="is an archive, but not a dump file of migrator")
        try:
            header, number = SetHeader.read(members.read(HEADER))
        except LaterFormat as error:
            raise IncompatibleDump(path=path, version=error.args[0]) from error
        index = json.loads(members.read(SET)) if SET in members.namelist() else None
        return OpenedFile(path, number, header, _checked_index(index))


def _checked_index(index: Any) -> dict[str, Any] | None:
    """:raises ValueError: it is not as set.json is (TypeError and KeyError likewise)."""
    if index is None:
        return None
    if not isinstance(index, dict):
        raise TypeError("set.json is no object")
    form: dict[str, Any] = {"files": {int(number): str(name) for number, name in index["files"]}}
    for name in ("catalog", "master"):
        entry = index[name]
        parts = [(int(file), str(member), int(crc, 16)) for file, member, crc in entry["parts"]]
        form[name] = {"name": str(entry["name"]), "size": int(entry["size"]), "parts": parts}
    return form


class _Found:
    """The files of a set as they are found."""

    def __init__(self) -> None:
        self.files: dict[int, OpenedFile] = {}
        self.index: dict[str, Any] | None = None
        self.foreign: list[Path] = []

    @property
    def header(self) -> SetHeader:
        return next(iter(self.files.values())).header

    @property
    def missing(self) -> list[int]:
        """The numbers of the files not found."""
        return [] if self.index is None else sorted(set(self.index["files"]) - set(self.files))

    @property
    def complete(self) -> bool:
        return self.index is not None and not self.missing

    def take(self, template: str, number: int) -> bool:
        """Look for one file of a template; False: it is not there, or is another set's, which ends the search by it.

        :raises DumpFileMissing: it is not there, and the name was no template but this very file's.
        :raises IncompleteDumpSet: likewise, it is another set's, or it repeats a file.
        :raises NotADumpFile: it is not ours, cut short or damaged.
        """
        path, named = templates.fill(template, number), templates.most(template) == 1
        if not path.exists() and not named:
            return False
        if self._add(open_file(path)):
            return True
        if named:
            raise IncompleteDumpSet(detail=f'"{path}" belongs to another export than the files before it')
        self.foreign.append(path)
        return False

    def take_recorded(self, number: int, path: Path) -> bool:
        """Look for file ``number`` under the name that it was written by."""
        return path.exists() and (file := open_file(path)).number == number and self._add(file)

    def _add(self, file: OpenedFile) -> bool:
        if self.files and file.header.set_id != self.header.set_id:
            return False
        if self.files and file.header != self.header:
            raise NotADumpFile(path=file.path, detail="is damaged: its header is not that of the files before it")
        known = self.files.setdefault(file.number, file)
        if known is not file and not known.path.samefile(file.path):
            raise IncompleteDumpSet(detail=f'"{file.path}" repeats "{known.path}": both are file {file.number} of the set')
        self.index = self.index or file.index
        return True


def _search(names: Sequence[str]) -> _Found:
    """Look for the files by incrementing the templates, until the set is complete."""
    found = _Found()
    alive = list(dict.fromkeys(names))
    for number in count(1):
        alive = [name for name in alive if found.take(name, number) and number < templates.most(name)]
        if found.complete or not alive:
            break
    if not found.files:
        raise DumpFileMissing(path=templates.fill(names[0], 1), detail="no such file")
    _take_recorded(found, names)
    return found


def _take_recorded(found: _Found, names: Sequence[str]) -> None:
    """A file that incrementing did not reach, since one before it was never written, is known by its recorded name."""
    for number in found.missing:
        assert found.index is not None
        for name in names:
            path = Path(name).with_name(found.index["files"][number])
            if templates.names(name, path) and path not in found.foreign and found.take_recorded(number, path):
                break


def open_set(names: Sequence[str], secrets: Secrets = NO_SECRETS) -> DumpSet:
    """The dump file set that the templates ``names`` name.

    :raises DumpFileMissing: a file that is named, or a template's first, is not there.
    :raises NotADumpFile: a file is not ours, cut short or damaged.
    :raises IncompleteDumpSet: files are missing, repeated, or belong to another export.
    :raises NotEncrypted: a password is demanded, and the set has none.
    """
    found = _search(names)
    if found.index is None:
        detail = "the file with the master record is not among the files named, or was never completed"
        raise IncompleteDumpSet(detail=detail)
    if found.missing:
        missing = ", ".join(found.index["files"][number] for number in found.missing)
        foreign = "".join(f'; "{path}" belongs to another export' for path in found.foreign)
        raise IncompleteDumpSet(detail=f"missing {missing}{foreign}")
    header, encryption = found.header, found.header.options.encryption
    if encryption is None and secrets.demanded:
        raise NotEncrypted
    key = unlock(encryption, secrets, header.set_id) if encryption is not None else None
    dump = DumpFiles(header, tuple((file.number, file.path) for file in found.files.values()), key)
    return _described(dump, found.index)


def _described(dump: DumpFiles, index: dict[str, Any]) -> DumpSet:
    first = dump.files[0][1]
    with _damage(first, SET):
        last = dump.path(index["master"]["parts"][-1][0])
    with _damage(last, CATALOG):
        catalog = decode(_text(dump, index["catalog"], CATALOG))
        if not isinstance(catalog, Catalog):
            raise TypeError("it is no catalog")
    with _damage(last, MASTER):
        master = Master.from_json(_text(dump, index["master"], MASTER))
        for entry in master.entries:
            for piece in entry.pieces:
                dump.path(piece.file), int(piece.checksum, 16)
    return DumpSet(dump, catalog, master)


def _text(dump: DumpFiles, entry: dict[str, Any], plain: str) -> Any:
    """A document of the set from its parts.

    :raises ValueError: it is damaged (and what zipfile raises for that).
    """
    options, name = dump.header.options, plain
    name += COMPRESSED if options.text_codec is not None else ""
    name += ENCRYPTED if options.metadata_encrypted else ""
    text = b""
    for file, member, crc in entry["parts"]:
        with zipfile.ZipFile(dump.path(file)) as members:
            part = members.read(member)
        if zlib.crc32(part) != crc or not member.startswith(name):
            raise ValueError(f"{member} is not what was written")
        text += part
    if options.metadata_encrypted:
        assert dump.key is not None
        text = b"".join(opened(io.BytesIO(text), dump.key, context(dump.header.set_id, 0, name)))
    if options.text_codec is not None:
        if not 0 <= entry["size"] < LARGEST_TEXT:
            raise ValueError(f"{entry['size']} bytes are too many")
        text = options.text_codec.decompress(text, entry["size"], asbytes=True)
    return json.loads(text.decode("utf-8", "surrogatepass"))


def verify(dump: DumpSet) -> Iterator[Path]:
    """Check the checksums of all files; each as it is found to be right.

    :raises NoChecksum: the set was written without.
    :raises ChecksumError: a file is not as it was written.
    """
    algorithm = dump.header.options.checksum
    for _, path in sorted(dump.dump.files):
        if algorithm is None:
            raise NoChecksum(path=path)
        try:
            right = archive.verify(path, algorithm)
        except OSError as error:
            raise DumpFileMissing(path=path, detail=error.strerror or str(error)) from error
        if not right:
            raise ChecksumError(path=path)
        yield path
