"""Reading dump file sets: whole and ours, or refused with the reason."""

from __future__ import annotations

import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, BinaryIO

import pyarrow as pa

from migrator import templates
from migrator.config import NO_SECRETS, Secrets
from migrator.dump import archive, oracle
from migrator.dump.archive import BLOCK, Member, local_header
from migrator.dump.crypt import DataKey, context, opened, unlock
from migrator.dump.header import HEADER, DumpTarget, LaterFormat, SetHeader
from migrator.dump.master import Master, Piece
from migrator.dump.storage import LOCAL, Storage, StoreError, storage_of
from migrator.dump.writer import CATALOG, COMPRESSED, ENCRYPTED, MASTER, SET
from migrator.errors import (
    ChecksumError,
    DumpFileMissing,
    GranuleDamaged,
    IncompatibleDump,
    IncompleteDumpSet,
    NoChecksum,
    NotADumpFile,
    NotEncrypted,
)
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
def _damage(name: str, what: str, kind: type[NotADumpFile] = NotADumpFile) -> Iterator[None]:
    """What the reading of damaged bytes raises.

    :raises DumpFileMissing: an object store does not give them.
    :raises NotADumpFile: with what could not be read, as one of this ``kind``.
    """
    try:
        yield
    except StoreError as error:
        raise DumpFileMissing(path=name, detail=error.strerror) from error
    except _DAMAGE as error:
        raise kind(path=name, detail=f"is damaged: {what}: {error}") from error


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DumpFiles:
    """Where the rows of a set are: its files by number, and what decrypts them. A picklable value for workers."""

    header: SetHeader
    files: tuple[tuple[int, str], ...]
    key: DataKey | None = field(default=None, repr=False)
    storage: Storage = LOCAL

    def name(self, number: int) -> str:
        """One file."""
        return dict(self.files)[number]

    def batches(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """The batches of one piece. No batch is handed out of a piece whose bytes are not those that were written.

        :raises GranuleDamaged: the piece is damaged, or has another number of rows than recorded.
        """
        name, rows = self.name(piece.file), 0
        with _damage(name, piece.member, GranuleDamaged), self._stream(name, piece) as stream:
            for batch in stream:
                rows += batch.num_rows
                if rows > piece.rows:
                    break
                yield batch
        if rows != piece.rows:
            detail = f"is damaged: {piece.member} has {rows} rows, {piece.rows} were recorded"
            raise GranuleDamaged(path=name, detail=detail)

    @contextmanager
    def _stream(self, name: str, piece: Piece) -> Iterator[pa.RecordBatchStreamReader]:
        member = piece.stored_as
        with self.storage.read(name) as file:
            _check_header(file, member)
            with pa.ipc.open_stream(self._opened(file, member, piece)) as stream:
                yield stream

    def _opened(self, file: BinaryIO, member: Member, piece: Piece) -> Any:
        """What Arrow reads: bytes that are checked, or are while they are read, of the file that stands before them."""
        if self.header.options.data_encrypted:
            assert self.key is not None
            place = context(self.header.set_id, piece.file, piece.member)
            return pa.PythonFile(_Chunks(opened(_Part(file, member), self.key, place)), "r")
        if member.size <= self.storage.held:
            held = io.BytesIO(file.read(member.size))
            _check_sum(held, member)
            return held.getbuffer()
        _check_sum(file, member)
        file.seek(member.data)
        return pa.PythonFile(_Part(file, member), "r")


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
    """The bytes of a member, of a file that stands before them."""

    closed = False

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

    name: str
    number: int
    header: SetHeader
    index: dict[str, Any] | None


@contextmanager
def reading(storage: Storage, name: str) -> Iterator[BinaryIO]:
    """A file opened for reading.

    :raises DumpFileMissing: it cannot be opened.
    """
    try:
        file = storage.read(name)
    except OSError as error:
        raise _missing(storage, name, error) from error
    with file:
        yield file


def _missing(storage: Storage, name: str, error: OSError) -> DumpFileMissing:
    local = isinstance(error, FileNotFoundError) and storage.resumes
    return DumpFileMissing(path=name, detail="no such file" if local else error.strerror or str(error))


def _archive(name: str, file: BinaryIO) -> zipfile.ZipFile:
    head = file.read(oracle.BLOCK)
    if not head.startswith(b"PK\x03\x04"):
        oracle.refuse(name, head)
        raise NotADumpFile(path=name, detail="is not a dump file of migrator")
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        if isinstance(error.__context__, StoreError):
            raise error.__context__ from None
        raise NotADumpFile(path=name, detail="is cut short or was never completed") from error


def is_whole(target: DumpTarget, pieces: Iterable[Piece]) -> bool:
    """Whether a file of an export has its end, with all that was recorded to be in it. No row is read.

    :raises DumpFileMissing: it cannot be read.
    """
    wanted = {target.header_member(), *(piece.stored_as for piece in pieces)}
    places = {(member.name, member.start, member.size, member.crc) for member in wanted}
    with reading(target.storage, target.name) as file:
        try:
            with zipfile.ZipFile(file) as members:
                found = {(info.filename, info.header_offset, info.file_size, info.CRC) for info in members.filelist}
                comment = len(members.comment)
        except _DAMAGE:
            return False
    return places <= found and comment == archive.comment_size(target.header.options.checksum)


def sound(target: DumpTarget, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Those pieces of an export's file whose bytes are there as they were written.

    All are read. The system may have died before it had written them, which leaves zeros, or no file.

    :raises DumpFileMissing: the file is there and cannot be opened.
    :raises NotADumpFile: something else has come to its place.
    """
    try:
        file = target.storage.read(target.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _missing(target.storage, target.name, error) from error
    with file:
        with _damage(target.name, HEADER):
            head = file.read(len(target.start))
        if any(found not in {0, written} for found, written in zip(head, target.start, strict=False)):
            raise NotADumpFile(path=target.name, detail="is not the file that was written: it begins otherwise")
        if _is_sound(file, target.header_member()):
            yield from (piece for piece in pieces if _is_sound(file, piece.stored_as))


def _is_sound(file: BinaryIO, member: Member) -> bool:
    try:
        _check_header(file, member)
        _check_sum(file, member)
        return file.read(len(member.descriptor)) == member.descriptor
    except (OSError, ValueError):  # the disk does not give the bytes, or they are others
        return False


def open_file(storage: Storage, name: str) -> OpenedFile:
    """Look into a dump file.

    :raises DumpFileMissing: it cannot be read.
    :raises NotADumpFile: it is not ours, cut short or damaged.
    :raises IncompatibleDump: it is of another layout.
    """
    with reading(storage, name) as file, _damage(name, "directory"), _archive(name, file) as members:
        if HEADER not in members.namelist():
            raise NotADumpFile(path=name, detail="is an archive, but not a dump file of migrator")
        try:
            header, number = SetHeader.read(members.read(HEADER))
        except LaterFormat as error:
            raise IncompatibleDump(path=name, version=error.args[0]) from error
        index = json.loads(members.read(SET)) if SET in members.namelist() else None
        return OpenedFile(name, number, header, _checked_index(index))


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

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.files: dict[int, OpenedFile] = {}
        self.index: dict[str, Any] | None = None
        self.foreign: list[str] = []

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
        name, only = templates.fill(template, number), templates.most(template) == 1
        if not only and not self._exists(name):
            return False
        if self.add(open_file(self.storage, name)):
            return True
        if only:
            raise IncompleteDumpSet(detail=f'"{name}" belongs to another export than the files before it')
        self.foreign.append(name)
        return False

    def take_recorded(self, number: int, name: str) -> bool:
        """Look for file ``number`` under the name that it was written by."""
        return self._exists(name) and (file := open_file(self.storage, name)).number == number and self.add(file)

    def _exists(self, name: str) -> bool:
        try:
            return self.storage.exists(name)
        except OSError as error:
            raise _missing(self.storage, name, error) from error

    def add(self, file: OpenedFile) -> bool:
        """Take a file of the set; False: it is another set's.

        :raises NotADumpFile: its header is damaged.
        :raises IncompleteDumpSet: it repeats a file.
        """
        if self.files and file.header.set_id != self.header.set_id:
            return False
        if self.files and file.header != self.header:
            raise NotADumpFile(path=file.name, detail="is damaged: its header is not that of the files before it")
        known = self.files.setdefault(file.number, file)
        if known is not file and not self.storage.same(known.name, file.name):
            raise IncompleteDumpSet(detail=f'"{file.name}" repeats "{known.name}": both are file {file.number} of the set')
        self.index = self.index or file.index
        return True


def _search(storage: Storage, names: Sequence[str]) -> _Found:
    """Look for the files by incrementing the templates, until the set is complete."""
    found = _Found(storage)
    alive = list(dict.fromkeys(names))
    for number in count(1):
        alive = [name for name in alive if found.take(name, number) and number < templates.most(name)]
        if found.complete or not alive:
            break
    if not found.files:
        found.add(open_file(storage, templates.fill(names[0], 1)))  # says what is missing: the file, or its bucket
    _take_recorded(found, names)
    return found


def _take_recorded(found: _Found, names: Sequence[str]) -> None:
    """A file that incrementing did not reach, since one before it was never written, is known by its recorded name."""
    for number in found.missing:
        assert found.index is not None
        for name in names:
            recorded = templates.beside(name, found.index["files"][number])
            taken = templates.names(name, recorded) and recorded not in found.foreign
            if taken and found.take_recorded(number, recorded):
                break


def open_set(names: Sequence[str], secrets: Secrets = NO_SECRETS) -> DumpSet:
    """The dump file set that the templates ``names`` name.

    :raises DumpFileMissing: a file that is named, or a template's first, is not there.
    :raises NotADumpFile: a file is not ours, cut short or damaged.
    :raises IncompleteDumpSet: files are missing, repeated, or belong to another export.
    :raises NotEncrypted: a password is demanded, and the set has none.
    """
    storage = storage_of(names[0], secrets.credential)
    found = _search(storage, names)
    if found.index is None:
        detail = "the file with the master record is not among the files named, or was never completed"
        raise IncompleteDumpSet(detail=detail)
    if found.missing:
        missing = ", ".join(found.index["files"][number] for number in found.missing)
        foreign = "".join(f'; "{name}" belongs to another export' for name in found.foreign)
        raise IncompleteDumpSet(detail=f"missing {missing}{foreign}")
    header, encryption = found.header, found.header.options.encryption
    if encryption is None and secrets.demanded:
        raise NotEncrypted
    key = unlock(encryption, secrets, header.set_id) if encryption is not None else None
    dump = DumpFiles(header, tuple((file.number, file.name) for file in found.files.values()), key, storage)
    return _described(dump, found.index)


def _described(dump: DumpFiles, index: dict[str, Any]) -> DumpSet:
    first = dump.files[0][1]
    with _damage(first, SET):
        last = dump.name(index["master"]["parts"][-1][0])
    with _damage(last, CATALOG):
        catalog = decode(_text(dump, index["catalog"], CATALOG))
        if not isinstance(catalog, Catalog):
            raise TypeError("it is no catalog")
    with _damage(last, MASTER):
        master = Master.from_json(_text(dump, index["master"], MASTER))
        for entry in master.entries:
            for piece in entry.pieces:
                dump.name(piece.file), int(piece.checksum, 16)
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
        with dump.storage.read(dump.name(file)) as stream, zipfile.ZipFile(stream) as members:
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


def verify(dump: DumpSet) -> Iterator[str]:
    """Check the checksums of all files; each as it is found to be right.

    :raises NoChecksum: the set was written without.
    :raises ChecksumError: a file is not as it was written.
    """
    algorithm = dump.header.options.checksum
    for _, name in sorted(dump.dump.files):
        if algorithm is None:
            raise NoChecksum(path=name)
        try:
            with dump.dump.storage.read(name) as file:
                right = archive.verify(file, algorithm)
        except OSError as error:
            raise DumpFileMissing(path=name, detail=error.strerror or str(error)) from error
        if not right:
            raise ChecksumError(path=name)
        yield name
