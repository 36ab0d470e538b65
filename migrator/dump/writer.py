"""Writing dump files: ZIP64 archives of stored members that stock tools can list and pyarrow can read.

``header.json`` comes first; then the pieces, each an Arrow IPC stream; the set ends with the catalog, the master record and
``set.json``, which says where these two are. A set without it is incomplete and refused by the reader.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import pyarrow as pa

from migrator import templates
from migrator.dump.archive import Archive, Cuttable, Member, joined
from migrator.dump.crypt import Sealer, context, sealed_size
from migrator.dump.header import HEADER, DumpTarget
from migrator.dump.master import Master, Piece
from migrator.dump.storage import Storage
from migrator.errors import (
    DumpFileExists,
    DumpFileInUse,
    DumpSpaceExhausted,
    FileNotWritable,
    FileSizeTooSmall,
    NotADumpFile,
)
from migrator.model.catalog import Catalog
from migrator.model.codec import encode

CATALOG, MASTER, SET = "catalog.json", "master.json", "set.json"
COMPRESSED, ENCRYPTED = ".zst", ".aes"
_END_OF_STREAM = 8
"""What an Arrow stream ends with."""
_MORE_DIGITS = 16
"""How much longer the header of a later file may be than this one's."""

NextFile = Callable[[int], DumpTarget]
"""Gives a worker its next file, which has room for so many bytes; raises DumpSpaceExhausted where there is none."""


def claim(storage: Storage, name: str, reuse: bool) -> None:
    """Claim a dump file's name, in a directory by making the file empty.

    :raises DumpFileExists: it is there and may not be reused.
    :raises DumpFileInUse: another process is writing it.
    :raises FileNotWritable: the directory, the disk or the store refuses, or what is there is no dump file.
    """
    try:
        storage.claim(name, reuse)
    except FileExistsError as error:
        raise DumpFileExists(path=name) from error
    except OSError as error:
        raise _not_writable(name, error) from error


def no_further_file(needed: int) -> DumpTarget:
    """The next file of a set that has no more.

    :raises DumpSpaceExhausted: always.
    """
    raise DumpSpaceExhausted(needed=needed, detail="")


def _not_writable(name: str, error: OSError) -> FileNotWritable:
    kind = DumpFileInUse if isinstance(error, BlockingIOError) else FileNotWritable
    return kind(path=name, detail=error.strerror or str(error))


@contextmanager
def _file_errors(target: DumpTarget) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_writable(target.name, error) from error


class _Foreign(Exception):
    """Wraps what the reader of the rows raised, so that it is not taken for an error of this file."""


def _not_ours(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    iterator = iter(batches)
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except Exception as error:
            raise _Foreign(error) from error
        yield batch


class _Chunks:
    """Takes what Arrow writes, so that its size is known before it goes into a file."""

    closed = False

    def __init__(self) -> None:
        self.held: list[memoryview] = []

    def write(self, data: bytes | pa.Buffer) -> int:
        view = memoryview(data)
        self.held.append(view)
        return view.nbytes

    def flush(self) -> None:
        """Nothing is buffered here."""

    def take(self) -> tuple[list[memoryview], int]:
        """What came since the last time, and its size."""
        taken, self.held = self.held, []
        return taken, sum(view.nbytes for view in taken)


class _Stream:
    """A piece in the making: one Arrow stream, one member. The member is begun with the first batch that has room."""

    def __init__(self, file: DumpFile, name: str, schema: pa.Schema) -> None:
        self.name, self.schema = name, schema
        self._file, self._start = file, file.archive.end
        self._chunks = _Chunks()
        options = pa.ipc.IpcWriteOptions(compression=file.target.header.options.data_codec, use_threads=False)
        self._stream = pa.ipc.new_stream(pa.PythonFile(self._chunks, "w"), schema, options=options)
        self._sink: Archive | Sealer | None = None
        self.rows = self.bytes = self._written = 0

    def add(self, batch: pa.RecordBatch) -> int:
        """Write a batch, 0. Where there is no room for it: the bytes it takes; nothing is written, finish the stream."""
        self._stream.write_batch(batch)
        chunks, size = self._chunks.take()
        if not self._file.has_room(self.name, self._written + size + _END_OF_STREAM, self._start):
            return size + _END_OF_STREAM
        if self._sink is None:
            self._sink = self._file.begin(self.name)
        for chunk in joined(chunks):
            self._sink.write(chunk)
        self._written += size
        self.rows, self.bytes = self.rows + batch.num_rows, self.bytes + batch.nbytes
        return 0

    def finish(self) -> list[Piece]:
        """End the member. Without a batch it is not there."""
        self._stream.close()
        if self._sink is None:
            return []
        for chunk in joined(self._chunks.take()[0]):
            self._sink.write(chunk)
        if isinstance(self._sink, Sealer):
            self._sink.finish()
        member = self._file.archive.finish_member()
        number = self._file.number
        return [Piece(number, member.name, self.rows, self.bytes, member.size, member.end, f"{member.crc:08x}")]


class DumpFile:
    """What one worker writes: a file of the set, and when FILESIZE is reached the next, and so on."""

    def __init__(self, target: DumpTarget, archive: Archive, next_file: NextFile = no_further_file) -> None:
        self.target, self.archive = target, archive
        self._next_file = next_file
        self._whole = archive.mark()
        self._open = True

    @classmethod
    def create(cls, target: DumpTarget, next_file: NextFile = no_further_file) -> DumpFile:
        """Begin a file. In a directory it is there already, if its name was claimed.

        :raises DumpFileInUse: another process is writing it.
        :raises FileNotWritable: the directory, the disk or the store refuses.
        """
        with _file_errors(target):
            return cls(target, _begun(target), next_file)

    @classmethod
    def going_on(cls, target: DumpTarget, pieces: Sequence[Piece], next_file: NextFile = no_further_file) -> DumpFile:
        """Go on with a file that holds the pieces recorded; what comes after them is cut off. Without any, begin it.

        :raises DumpFileInUse: another process is writing it.
        :raises NotADumpFile: the file does not begin as it did, or does not hold the pieces.
        """
        if not pieces:
            return cls.create(target, next_file)
        members = [target.header_member()]
        members += sorted((piece.stored_as for piece in pieces), key=lambda member: member.end)
        assert target.storage.resumes
        with _file_errors(target):
            file = cast(io.FileIO, target.storage.append(target.name, None))
            try:
                archive = Archive.resume(file, members, target.header.options.checksum)
            except BaseException as error:
                file.close()
                if isinstance(error, ValueError):
                    detail = f"does not hold what was written: {error}"
                    raise NotADumpFile(path=target.name, detail=detail) from error
                raise
        return cls(target, archive, next_file)

    @property
    def number(self) -> int:
        """Its number in the set, from 1."""
        return self.target.number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def close(self) -> None:
        """Write the directory of the archive; the file is whole then."""
        if self._open:
            self._open = False
            _end(self.target, self.archive)

    def abandon(self) -> None:
        """Let go of the file as it is: it is not whole, and can be gone on with."""
        if self._open:
            self._open = False
            _abandon(self.target, self.archive)

    # --- rows -------------------------------------------------------------------------------------------------------

    def write(self, name: str, batches: Iterable[pa.RecordBatch]) -> tuple[Piece, ...]:
        """Store batches as one piece, or as several: where their schema changes on the way (the text escape), and where
        a file is full.

        Without a batch there is no piece. If the batches raise, or the disk is full, the file is cut back to what it was;
        files that were filled before that keep members that no record names.

        :raises FileNotWritable: the disk is full, or the like.
        :raises DumpSpaceExhausted: all files are full.
        """
        self._whole = self.archive.mark()
        try:
            return tuple(self._pieces(name, batches))
        except BaseException as error:
            with _file_errors(self.target):
                self.archive.back(self._whole)
            if isinstance(error, _Foreign):
                raise error.args[0] from None
            if isinstance(error, OSError):
                raise _not_writable(self.target.name, error) from error
            raise

    def _pieces(self, name: str, batches: Iterable[pa.RecordBatch]) -> Iterator[Piece]:
        stream: _Stream | None = None
        for batch in _not_ours(batches):
            if stream is not None and not stream.schema.equals(batch.schema):
                yield from stream.finish()
                stream = None
            parts = [batch]
            while parts:
                stream = stream or _Stream(self, self._member_name(name), batch.schema)
                needed = stream.add(parts[-1])
                if not needed:
                    parts.pop()
                    continue
                yield from stream.finish()
                if self._empty_has_room(stream.name, needed):
                    self._go_on(needed)
                else:
                    parts += _halves(parts.pop(), name, needed)
                stream = None
        if stream is not None:
            yield from stream.finish()

    def _member_name(self, name: str) -> str:
        options = self.target.header.options
        shown = "" if options.metadata_encrypted else f"-{name}"
        return f"data/{len(self.archive.members):06d}{shown}.arrow{ENCRYPTED if options.data_encrypted else ''}"

    def begin(self, member: str) -> Archive | Sealer:
        """Begin a member of rows; what takes its bytes."""
        self.archive.begin(member)
        header, key = self.target.header, self.target.key
        if not header.options.data_encrypted:
            return self.archive
        assert key is not None
        return Sealer(self.archive, key, context(header.set_id, self.number, member))

    # --- room -------------------------------------------------------------------------------------------------------

    def has_room(self, member: str, size: int, start: int | None = None) -> bool:
        """Whether a member of rows, of ``size`` bytes before encryption, has room (``start``: if it is begun, where)."""
        stored = sealed_size(size) if self.target.header.options.data_encrypted else size
        return self._fits(self.archive.size_with(member, stored, start))

    def _fits(self, size: int) -> bool:
        limit = self.target.limit
        return limit is None or size <= limit

    def _empty_has_room(self, member: str, size: int) -> bool:
        stored = sealed_size(size) if self.target.header.options.data_encrypted else size
        return self._fits(self.archive.size_alone(member, stored) + _MORE_DIGITS)

    def _go_on(self, needed: int) -> None:
        """Close the file, which is full, and begin the next."""
        full, end = self.target, self.archive
        target = self._next_file(needed)
        with _file_errors(target):
            self.archive = _begun(target)
        self.target, self._whole = target, self.archive.mark()
        _end(full, end)

    # --- the end of the set -----------------------------------------------------------------------------------------

    def seal(self, catalog: Catalog, master: Master, named: Mapping[int, str]) -> dict[int, str]:
        """End the set, whose files are ``named`` by number: add the catalog, the master record, and where they are.

        The names of all files, with those that this took.

        :raises FileNotWritable: the disk is full, or the like.
        :raises DumpSpaceExhausted: all files are full.
        """
        names = dict(named)
        try:
            where: dict[str, Any] = {
                "catalog": self._add_text(CATALOG, encode(catalog), names),
                "master": self._add_text(MASTER, master.to_json(), names),
            }
            body = _set_text(where, names)
            if not self._fits(self.archive.size_with(SET, len(body))):
                self._go_on(len(body))
                names[self.number] = templates.bare(self.target.name)
                body = _set_text(where, names)
                if not self._fits(self.archive.size_with(SET, len(body))):
                    raise FileSizeTooSmall(needed=len(body), detail=": FILESIZE is too small for the list of files")
            self.archive.add(SET, body)
        except OSError as error:
            raise _not_writable(self.target.name, error) from error
        return names

    def _add_text(self, name: str, form: Any, names: dict[int, str]) -> dict[str, Any]:
        """Add one document, cut where a file is full; where it is."""
        header, key = self.target.header, self.target.key
        text = json.dumps(form, ensure_ascii=False).encode("utf-8", "surrogatepass")
        size, codec = len(text), header.options.text_codec
        if codec is not None:
            name, text = f"{name}{COMPRESSED}", codec.compress(text, asbytes=True)
        if header.options.metadata_encrypted:
            assert key is not None
            name, sealed = f"{name}{ENCRYPTED}", io.BytesIO()
            sealer = Sealer(sealed, key, context(header.set_id, 0, name))
            sealer.write(text)
            sealer.finish()
            text = sealed.getvalue()
        parts = []
        for member in self._cut(name, text):
            names[self.number] = templates.bare(self.target.name)
            parts.append([self.number, member.name, f"{member.crc:08x}"])
        return {"name": name, "size": size, "parts": parts}

    def _cut(self, name: str, text: bytes) -> Iterator[Member]:
        if self._fits(self.archive.size_with(name, len(text))):
            yield self.archive.add(name, text)
            return
        number = 0
        while text:
            number += 1
            member = f"{name}.{number:04d}"
            limit = self.target.limit
            assert limit is not None
            room = limit - self.archive.size_with(member, 0)
            if room <= 0:
                self._go_on(len(text))
                continue
            yield self.archive.add(member, text[:room])
            text = text[room:]


def _begun(target: DumpTarget) -> Archive:
    """A new archive with its header. A claimed file keeps its first bytes, which are the same, all the time."""
    file = target.storage.append(target.name, None)
    archive = Archive(file, target.header.options.checksum)
    try:
        archive.add(HEADER, target.header.of_file(target.number))
        if isinstance(file, Cuttable):
            file.truncate(archive.end)
    except BaseException:
        _abandon(target, archive)
        raise
    return archive


def _abandon(target: DumpTarget, archive: Archive) -> None:
    """Let go of a file as if its writer had died."""
    target.storage.abandon(cast(BinaryIO, archive.file))


def _end(target: DumpTarget, archive: Archive) -> None:
    """Write the directory of a file; it is whole then, and on the disk."""
    with _file_errors(target):
        try:
            archive.finish()
            target.storage.settle(cast(BinaryIO, archive.file))
        except BaseException:
            _abandon(target, archive)
            raise
        archive.close()


def _halves(batch: pa.RecordBatch, name: str, needed: int) -> list[pa.RecordBatch]:
    """The second half of a batch, and the first.

    :raises FileSizeTooSmall: it is one row.
    """
    if batch.num_rows == 1:
        raise FileSizeTooSmall(needed=needed, detail=f": a row of {name} is larger than FILESIZE")
    half = batch.num_rows // 2
    return [batch.slice(half), batch.slice(0, half)]


def _set_text(where: Mapping[str, Any], names: Mapping[int, str]) -> bytes:
    return json.dumps({"files": sorted(names.items()), **where}, ensure_ascii=False).encode("utf-8", "surrogateescape")


def seal(
    target: DumpTarget,
    pieces: Sequence[Piece],
    catalog: Catalog,
    master: Master,
    named: Mapping[int, str],
    next_file: NextFile = no_further_file,
) -> dict[int, str]:
    """End a set: the last parts of all its files' names, by number.

    In a directory a file of it that holds ``pieces`` is gone on with. An object is a new one, without any.

    :raises FileNotWritable: the disk is full, or the like.
    :raises DumpSpaceExhausted: all files are full.
    """
    with DumpFile.going_on(target, pieces, next_file) as file:
        return file.seal(catalog, master, named)
