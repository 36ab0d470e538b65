"""Files of a dump set as the objects of a store that speaks S3, through Arrow's client."""

from __future__ import annotations

import ctypes
import errno
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from pyarrow import fs

from migrator import templates
from migrator.config import Credential
from migrator.dump.storage import StoreError

_IN_FLIGHT = 64 << 20
"""Bytes on their way to an object store before writing waits for them: memory stays flat when the network is slow."""

_READ_AHEAD = 4 << 20
"""Bytes that one request reads, at least."""

_SECONDS = 60.0
"""How long a request to an object store may hang."""

_HELD = 64 << 20
"""Up to how many bytes of an object are held in memory rather than read twice."""

_NO_OBJECT = "no such object"
_REQUEST_ID = re.compile(r"\s*\(Request ID: [^)]*\)")


@dataclass(frozen=True)
class ObjectStorage:
    """Objects of a store that speaks S3, named by URIs: ``s3://bucket/key``.

    An object comes into being whole, when its upload of many parts is completed. The upload of a writer that died leaves
    nothing under its name; the store keeps its parts, unseen, until the bucket's rule for incomplete uploads removes them.
    A store has no way of claiming a name: of two jobs that write one object at once, the later one to end wins, and the
    other's set is refused when it is read, since its files carry another identity.
    """

    credential: Credential

    resumes = False
    largest = 10_000 * (10 << 20)
    """The parts that an upload may have, at pyarrow's fixed size of a part."""
    held = _HELD

    def claim(self, name: str, reuse: bool) -> None:
        """Look whether the name is free, or may be reused, in a bucket that is there."""
        if not self.exists(name):
            self._check_bucket(name)
        elif not reuse:
            raise FileExistsError(errno.EEXIST, "the object exists")

    def append(self, name: str, end: int | None = 0) -> BinaryIO:
        """An upload from the object's beginning.

        :raises OSError: ``end`` is not 0, for an object cannot be added to.
        """
        if end:
            raise OSError(errno.ENOTSUP, "an object cannot be added to")
        with _in_words():
            return cast(BinaryIO, _Upload(_store(self.credential).open_output_stream(_path(name))))

    def settle(self, file: BinaryIO) -> None:
        """Nothing: the store has what it has taken."""

    def abandon(self, file: BinaryIO) -> None:
        """Leave the upload as it is: no object comes of it."""
        cast(_Upload, file).abandon()

    def read(self, name: str) -> BinaryIO:
        """The object, read by ranges."""
        try:
            with _in_words():
                return io.BufferedReader(_Object(_store(self.credential).open_input_file(_path(name))), _READ_AHEAD)
        except FileNotFoundError:
            self._check_bucket(name)
            raise

    def exists(self, name: str) -> bool:
        """Whether the object is there, completed."""
        return bool(self._info(name).type == fs.FileType.File)

    def size(self, name: str) -> int:
        """The object's size in bytes."""
        info = self._info(name)
        if info.type != fs.FileType.File:
            self._check_bucket(name)
            raise FileNotFoundError(errno.ENOENT, _NO_OBJECT)
        return int(info.size)

    def same(self, name: str, other: str) -> bool:
        """Whether two names are one."""
        return name == other

    def delete(self, name: str) -> None:
        """Delete the object, if it is there."""
        if self.exists(name):
            with _in_words():
                _store(self.credential).delete_file(_path(name))

    def _info(self, name: str) -> Any:
        with _in_words():
            return _store(self.credential).get_file_info(_path(name))

    def _check_bucket(self, name: str) -> None:
        """:raises FileNotFoundError: there is no bucket for an object of this name."""
        bucket = _path(name).partition("/")[0]
        with _in_words():
            found = _store(self.credential).get_file_info(bucket)
        if found.type == fs.FileType.NotFound:
            raise FileNotFoundError(errno.ENOENT, f"no such bucket: {bucket}")


class _Object(io.RawIOBase):
    """An object, read by ranges."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any, /) -> int:
        with _in_words():
            return int(self._file.readinto(buffer))

    def close(self) -> None:
        self._file.close()
        super().close()


class _Upload:
    """An object on its way. Not a stream of Python's own: those close themselves when forgotten, which would complete it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._in_flight = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, data: bytes | memoryview) -> int:
        """Send bytes on; waits where too many are on their way."""
        size = memoryview(data).nbytes
        with _in_words():
            self._stream.write(data)
        self._in_flight += size
        if self._in_flight >= _IN_FLIGHT:
            self.flush()
        return size

    def tell(self) -> int:
        """How many bytes were written."""
        return int(self._stream.tell())

    def flush(self) -> None:
        """Wait until whole parts have arrived."""
        with _in_words():
            self._stream.flush()
        self._in_flight = 0

    def close(self) -> None:
        """Complete the object."""
        with _in_words():
            self._stream.close()

    def abandon(self) -> None:
        """Never complete the object.

        Arrow completes an upload that is forgotten, and has no other way of ending one. So it is never forgotten: the
        interpreter does not get to it even when it ends, where Arrow would wait for its own threads, which are gone.
        """
        if not self._stream.closed:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._stream))

    @property
    def closed(self) -> bool:
        """Whether the object is complete."""
        return bool(self._stream.closed)


def _path(name: str) -> str:
    match = templates.OBJECT.fullmatch(name)
    assert match is not None, name
    return match["path"]


@contextmanager
def _in_words() -> Iterator[None]:
    """What the store says becomes the error's ``strerror``."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, _NO_OBJECT) from error
    except OSError as error:
        raise StoreError(errno.EIO, " ".join(_REQUEST_ID.sub("", str(error)).split())) from error


@cache
def _store(credential: Credential) -> fs.S3FileSystem:
    """The store that a credential opens, one per process."""
    scheme, _, host = (credential.endpoint or "").rstrip("/").rpartition("://")
    return fs.S3FileSystem(
        access_key=credential.access_key,
        secret_key=credential.secret_key,
        region=credential.region,
        scheme=scheme or None,
        endpoint_override=host or None,
        connect_timeout=_SECONDS,
        request_timeout=_SECONDS,
    )
