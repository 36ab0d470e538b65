"""A ZIP64 archive of stored members that is only ever appended to, so that it can be streamed, cut back and continued.

A member is a local header without sizes, the bytes, and a data descriptor with CRC-32 and sizes. Its header depends on its
name alone: where a member lies follows from its name, its size and its end. The directory comes last. With a checksum the
archive's comment holds the digest of every byte before it.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

from migrator.spec import ChecksumAlgorithm

_DESCRIPTOR = struct.Struct("<4sLQQ")
_DESCRIPTOR_FOLLOWS, _PRIVATE = 0x08, 0o600 << 16
ZIP64_VERSION = 45
_ENTRY = 46 + 28
"""An entry of the directory without its name, with the extra field for what lies beyond 2 GiB."""
_END = 22 + 56 + 20
"""What ends the directory, with ZIP64's part of it."""
BLOCK = 1 << 20
"""How much is read at once."""


_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_SIZES_FOLLOW = struct.pack("<HHQQ", 1, 16, 0, 0)
_NO_TIME, _NO_DATE, _UTF8 = 0, 0x21, 0x800


def local_header(name: str) -> bytes:
    """What stands before a member's bytes: the same whatever Python writes or reads it.

    Python's own has changed between patch releases, and a member is found by the length and bytes of its header.
    """
    encoded = name.encode()
    flags = _DESCRIPTOR_FOLLOWS | (0 if name.isascii() else _UTF8)
    sizes = (0, 0xFFFFFFFF, 0xFFFFFFFF)
    fixed = (ZIP64_VERSION, flags, zipfile.ZIP_STORED, _NO_TIME, _NO_DATE, *sizes, len(encoded), len(_SIZES_FOLLOW))
    return _LOCAL.pack(b"PK\x03\x04", *fixed) + encoded + _SIZES_FOLLOW


def _info(name: str, size: int = 0, crc: int = 0, start: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.flag_bits, info.external_attr = _DESCRIPTOR_FOLLOWS, _PRIVATE
    info.extract_version = info.create_version = ZIP64_VERSION
    info.file_size = info.compress_size = size
    info.CRC, info.header_offset = crc, start
    return info


@dataclass(frozen=True)
class Member:
    """A member: its bytes lie from ``start`` to ``end`` of the file, header and descriptor included."""

    name: str
    end: int
    size: int
    crc: int

    @property
    def data(self) -> int:
        """Where its bytes begin."""
        return self.end - _DESCRIPTOR.size - self.size

    @property
    def start(self) -> int:
        """Where its header begins."""
        return self.data - len(local_header(self.name))

    @property
    def descriptor(self) -> bytes:
        """What stands after its bytes."""
        return _DESCRIPTOR.pack(b"PK\x07\x08", self.crc, self.size, self.size)


# --- checksums ------------------------------------------------------------------------------------------------------


class Digest(Protocol):
    """A checksum in the making, as those of hashlib."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """The checksum so far."""

    def copy(self) -> Digest:
        """A checksum that goes on from here by itself."""


class _Crc32:
    def __init__(self, crc: int = 0) -> None:
        self._crc = crc

    def update(self, data: bytes | memoryview, /) -> None:
        self._crc = zlib.crc32(data, self._crc)

    def hexdigest(self) -> str:
        return f"{self._crc:08x}"

    def copy(self) -> _Crc32:
        return _Crc32(self._crc)


_DIGESTS: dict[ChecksumAlgorithm, Callable[[], Digest]] = {
    "CRC32": _Crc32,
    "SHA256": hashlib.sha256,
    "SHA384": hashlib.sha384,
    "SHA512": hashlib.sha512,
}


def _comment(algorithm: ChecksumAlgorithm, digest: Digest) -> bytes:
    return f"{algorithm} {digest.hexdigest()}".encode()


def comment_size(algorithm: ChecksumAlgorithm | None) -> int:
    """How long the comment of an archive with such a checksum is."""
    return 0 if algorithm is None else len(_comment(algorithm, _DIGESTS[algorithm]()))


def verify(file: BinaryIO, algorithm: ChecksumAlgorithm) -> bool:
    """Whether the file ends with the checksum of all that is before it."""
    digest = _DIGESTS[algorithm]()
    length = len(_comment(algorithm, digest))
    left = file.seek(0, os.SEEK_END) - length
    file.seek(0)
    while left > 0 and (block := file.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
    return left == 0 and file.read() == _comment(algorithm, digest)


# --- writing --------------------------------------------------------------------------------------------------------


class Output(Protocol):
    """A file to append to. Unbuffered: what a call took is with the system, and a refusal is told at once.

    One that is no :class:`Cuttable` is only appended to.
    """

    def write(self, data: bytes | memoryview, /) -> int | None:
        """Take some of the bytes; how many."""

    def close(self) -> None:
        """Let go of the file."""


@runtime_checkable
class Cuttable(Output, Protocol):
    """A file to append to that can be cut."""

    def truncate(self, size: int, /) -> int:
        """Cut the file to a size."""

    def seek(self, offset: int, /) -> int:
        """Go on from there."""


@dataclass(frozen=True)
class Mark:
    """A state of an archive to go back to."""

    end: int
    members: int
    digest: Digest | None


class Archive:
    """An archive in the making."""

    def __init__(self, file: Output, checksum: ChecksumAlgorithm | None = None) -> None:
        self.file, self._algorithm = file, checksum
        self._digest = _DIGESTS[checksum]() if checksum is not None else None
        self._comment_size = comment_size(checksum)
        self._open: str | None = None
        self._size = self._crc = 0
        self._entries = 0
        self.members: list[Member] = []
        self.end = 0
        """How long the file is."""

    @classmethod
    def resume(cls, file: io.FileIO, members: Sequence[Member], checksum: ChecksumAlgorithm | None) -> Archive:
        """Go on with a file that holds ``members``, in this order; what comes after the last is cut off.

        With a checksum all bytes are read, else what stands before and behind each member's own.

        :raises ValueError: the file does not hold them.
        """
        archive = cls(file, checksum)
        end = members[-1].end
        if os.fstat(file.fileno()).st_size < end:
            raise ValueError(f"it has {os.fstat(file.fileno()).st_size} bytes, {end} were recorded")
        for member in members:
            archive._take(file, member)
        file.truncate(end)
        file.seek(end)
        return archive

    def _take(self, file: io.FileIO, member: Member) -> None:
        if member.start < self.end:
            raise ValueError(f"{member.name} overlaps the member before it")
        before, after, crc = local_header(member.name), member.descriptor, member.crc
        if self._digest is None:
            file.seek(member.start)
            header = file.read(len(before))
            file.seek(member.data + member.size)
            tail = file.read(len(after))
        else:
            file.seek(self.end)
            self._pass(file, member.start - self.end, self._digest)
            header, _ = self._pass(file, len(before), self._digest)
            _, crc = self._pass(file, member.size, self._digest)
            tail, _ = self._pass(file, len(after), self._digest)
        if (header, crc, tail) != (before, member.crc, after):
            raise ValueError(f"{member.name} is damaged")
        self._keep(member)
        self.end = member.end

    @staticmethod
    def _pass(file: io.FileIO, size: int, digest: Digest) -> tuple[bytes, int]:
        """Take ``size`` bytes that are there into the digest; the last ones read, and the CRC-32 of all."""
        block, crc = b"", 0
        while size > 0:
            block = file.read(min(BLOCK, size))
            if not block:
                raise ValueError("it ends before what was recorded")
            crc = zlib.crc32(block, crc)
            digest.update(block)
            size -= len(block)
        return block, crc

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left.nbytes:
            done = self.file.write(left)
            assert done is not None
            left = left[done:]
        if self._digest is not None:
            self._digest.update(data)
        self.end += memoryview(data).nbytes

    def begin(self, name: str) -> None:
        """Begin a member."""
        assert self._open is None
        self._open, self._size, self._crc = name, 0, 0
        self._write(local_header(name))

    def write(self, data: bytes | memoryview) -> None:
        """More bytes of the member."""
        self._write(data)
        self._crc = zlib.crc32(data, self._crc)
        self._size += memoryview(data).nbytes

    def finish_member(self) -> Member:
        """End the member."""
        assert self._open is not None
        end = self.end + _DESCRIPTOR.size
        member = Member(self._open, end, self._size, self._crc)
        self._write(member.descriptor)
        self._open = None
        self._keep(member)
        return member

    def _keep(self, member: Member) -> None:
        self.members.append(member)
        self._entries += _entry_size(member.name)

    def add(self, name: str, data: bytes) -> Member:
        """A whole member."""
        self.begin(name)
        self.write(data)
        return self.finish_member()

    def mark(self) -> Mark:
        """The state now, for :meth:`back`."""
        assert self._open is None
        return Mark(self.end, len(self.members), self._digest.copy() if self._digest is not None else None)

    def back(self, mark: Mark) -> None:
        """Cut off what was written since ``mark``. In a file that cannot be cut it stays, and the directory names it not."""
        if isinstance(self.file, Cuttable):
            self.file.truncate(mark.end)
            self.file.seek(mark.end)
            self._open, self.end, self._digest = None, mark.end, mark.digest
        elif self._open is not None:
            self.finish_member()
        del self.members[mark.members :]
        self._entries = sum(_entry_size(member.name) for member in self.members)

    def finish(self) -> None:
        """Write the directory; the file is whole then."""
        tail = _Tail(self.end)
        archive = zipfile.ZipFile(tail, "w", allowZip64=True)
        archive.filelist += [_info(m.name, m.size, m.crc, m.start) for m in self.members]
        archive.start_dir = self.end
        if self._algorithm is None or self._digest is None:
            archive.close()
            self._write(tail.getvalue())
        else:
            archive.comment = bytes(self._comment_size)
            archive.close()
            self._write(tail.getvalue()[: -self._comment_size])
            self._write(_comment(self._algorithm, self._digest))

    def close(self) -> None:
        """Close the file as it is."""
        self.file.close()

    def size_with(self, name: str, size: int, start: int | None = None) -> int:
        """At most how long the finished file is with one more member, of ``size`` bytes (begun at ``start``, if it is)."""
        return self._size_of(name, size, self.end if start is None else start, self._entries)

    def size_alone(self, name: str, size: int) -> int:
        """The same of a file that has this one's first member only."""
        return self._size_of(name, size, self.members[0].end, _entry_size(self.members[0].name))

    def _size_of(self, name: str, size: int, start: int, entries: int) -> int:
        member = len(local_header(name)) + size + _DESCRIPTOR.size
        return start + member + entries + _entry_size(name) + _END + self._comment_size


def _entry_size(name: str) -> int:
    return _ENTRY + len(name.encode())


class _Tail(io.BytesIO):
    """Takes what zipfile writes at the end of a file that begins elsewhere."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self._offset = offset

    def tell(self) -> int:
        return self._offset + super().tell()

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation("it is only appended to")


def joined(chunks: Iterable[bytes | memoryview], small: int = 1 << 16) -> Iterable[bytes | memoryview]:
    """The same bytes in fewer chunks: small ones are put together."""
    together = bytearray()
    for chunk in chunks:
        if memoryview(chunk).nbytes < small:
            together += chunk
            if len(together) < small:
                continue
        if together:
            yield bytes(together)
            together.clear()
        if memoryview(chunk).nbytes >= small:
            yield chunk
    if together:
        yield bytes(together)
