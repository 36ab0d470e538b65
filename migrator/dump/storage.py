"""Where the files of a dump set lie: in directories, or in an object store.

Both take files that are written from their beginning to their end and read anywhere, which is what ``zipfile`` needs. They
differ in what an interrupted job leaves, see :attr:`Storage.resumes`.
"""

from __future__ import annotations

import errno
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from migrator import files, templates
from migrator.config import Credential


class StoreError(OSError):
    """What an object store says; it has nothing to do with the bytes that it holds."""


class Storage(Protocol):
    """Files by name. A small value that can be sent to a worker. Files that are written are unbuffered.

    :raises OSError: by every method; :class:`FileNotFoundError` and :class:`FileExistsError` mean what they say.
    """

    @property
    def resumes(self) -> bool:
        """Whether a file that was not closed is there after its writer died, to be cut and written on.

        Where it is not, a restarted job must write again, into another file, whatever such a file was to hold.
        """

    @property
    def largest(self) -> int | None:
        """The greatest size of a file in bytes; None: as the disk has room."""

    @property
    def held(self) -> int:
        """Up to how many bytes are better held in memory than read twice."""

    def claim(self, name: str, reuse: bool) -> None:
        """Make sure that a file can be written under this name; ``reuse``: in the place of one that is there."""

    def append(self, name: str, end: int | None = 0) -> BinaryIO:
        """A file, cut to its first ``end`` bytes, opened for writing after them. It is whole when it is closed.

        In a directory no other process opens it so until then (:class:`BlockingIOError`).

        ``end`` None: uncut and at its beginning, for reading too, where the storage resumes; else a new file.

        Left by an error as a context manager, it is as if its writer had died.
        """

    def settle(self, file: BinaryIO) -> None:
        """Wait until a file that :meth:`append` gave would survive a loss of power, but for what closing it does."""

    def abandon(self, file: BinaryIO) -> None:
        """Let go of a file that :meth:`append` gave, as if its writer had died."""

    def read(self, name: str) -> BinaryIO:
        """A file opened for reading anywhere."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def size(self, name: str) -> int:
        """A file's size in bytes."""

    def same(self, name: str, other: str) -> bool:
        """Whether two names are those of one file."""

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""


def storage_of(name: str, credential: Credential | None = None) -> Storage:
    """The storage of a file named by its path, or by a URI to which ``credential`` opens the way."""
    if not templates.is_uri(name):
        return LOCAL
    from migrator.dump.object_store import ObjectStorage  # Arrow's client of object stores is large

    return ObjectStorage(credential or Credential())


@dataclass(frozen=True)
class LocalStorage:
    """Ordinary files, named by their paths. What was written stays, whatever becomes of the writer."""

    resumes = True
    largest = None
    held = 0

    def claim(self, name: str, reuse: bool) -> None:
        """Make the file empty."""
        path = Path(name)
        (files.overwrite(path, files.not_a_dump, alone=True) if reuse else files.create(path)).close()

    def append(self, name: str, end: int | None = 0) -> BinaryIO:
        """The file, locked, cut and opened at its end.

        :raises OSError: it is shorter than ``end``.
        """
        file = files.update(Path(name))
        try:
            files.lock(file)
            if end is None:
                return cast(BinaryIO, file)
            size = file.seek(0, io.SEEK_END)
            if size < end:
                raise OSError(errno.EINVAL, f"it has {size} bytes, {end} were written")
            file.truncate(end)
            file.seek(end)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, file)

    def settle(self, file: BinaryIO) -> None:
        """Wait until the disk has it."""
        os.fsync(file.fileno())

    def abandon(self, file: BinaryIO) -> None:
        """Close the file as it is."""
        file.close()

    def read(self, name: str) -> BinaryIO:
        """The file, opened for reading."""
        return files.read(Path(name))

    def exists(self, name: str) -> bool:
        """Whether the name is taken, by whatever it is."""
        path = Path(name)
        return path.exists() or path.is_symlink()

    def size(self, name: str) -> int:
        """The file's size in bytes."""
        return Path(name).stat(follow_symlinks=False).st_size

    def same(self, name: str, other: str) -> bool:
        """Whether two names, of files that are there, are those of one file."""
        return Path(name).samefile(other)

    def delete(self, name: str) -> None:
        """Delete the file, if it is there."""
        Path(name).unlink(missing_ok=True)


LOCAL: Storage = LocalStorage()
"""The directories of this machine."""
