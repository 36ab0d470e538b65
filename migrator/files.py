"""Opening the files that a job names so that no other file is touched: ordinary files, by their own name only.

Every function refuses symbolic links, devices, pipes and directories. What counts is what has been opened, looked at by its
descriptor before a byte is changed; a path that is looked at first may lead elsewhere by the time it is opened.

:raises OSError: by every function; ``strerror`` says why in words.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from migrator.errors import is_text

Objection = Callable[[bytes], str | None]
"""Looks at the first bytes of a file: why it must not be overwritten; None: it may be."""

HEAD = 4096
"""How many bytes an objection sees."""

PATIENCE = 5.0
"""Seconds for which a file that another process writes is waited for: that process may be about to end."""
_LOOK = 0.05

LARGEST = 16 << 20
"""How many bytes a file that a person writes has at most."""

_CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NOT_ORDINARY = "it is not an ordinary file"


def read(path: Path) -> io.BufferedReader:
    """A file opened for reading."""
    return io.BufferedReader(io.FileIO(_open(path, os.O_RDONLY), "rb"))


def read_linked(path: Path) -> io.BufferedReader:
    """A file opened for reading, reached through symbolic links too: nothing is changed through them."""
    return io.BufferedReader(io.FileIO(_open(path, os.O_RDONLY, _CAREFULLY & ~os.O_NOFOLLOW), "rb"))


def content(file: io.BufferedReader) -> bytes:
    """All of a file that a person writes, such as one of parameters or a password."""
    found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST >> 20} MB")
    return found


def small(path: Path) -> bytes:
    """All of a file that a person writes."""
    with read_linked(path) as file:
        return content(file)


def update(path: Path) -> io.FileIO:
    """A file opened for reading and writing, as it is; made empty where there is none."""
    return io.FileIO(_open_to_change(path), "r+b")


def create(path: Path) -> io.FileIO:
    """A new file opened for reading and writing; one that is there is an error."""
    return io.FileIO(_open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), "r+b")


def overwrite(path: Path, objection: Objection | None = None, *, alone: bool = False) -> io.FileIO:
    """A file opened for reading and writing and emptied, or made; ``alone``: :func:`lock` it before that."""
    file = update(path)
    try:
        if alone:
            lock(file)
        _object(file, objection)
        file.seek(0)
        file.truncate()
    except BaseException:
        file.close()
        raise
    return file


def _append(path: Path, objection: Objection) -> io.FileIO:
    file = update(path)
    try:
        _object(file, objection)
        file.seek(0, io.SEEK_END)
    except BaseException:
        file.close()
        raise
    return file


def log(path: Path, *, again: bool = False) -> TextIO:
    """A text file written line by line in the place of an earlier one; with ``again``, after what is in it."""
    binary = _append(path, not_text) if again else overwrite(path, not_text)
    return io.TextIOWrapper(io.BufferedWriter(binary), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def lock(file: io.FileIO) -> None:
    """Keep everybody else who locks it from a file until it is closed, or its process ends.

    A process that is suspended keeps its locks: when it wakes up, nobody has touched what it was writing.

    :raises BlockingIOError: another process has locked it.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise BlockingIOError(error.errno, "another process is writing it") from error
            time.sleep(_LOOK)
        else:
            return


@contextmanager
def replacing(path: Path, objection: Objection) -> Iterator[TextIO]:
    """A text file that takes its place, or an earlier one's, when it is whole.

    It is written beside it under a name that nobody can foresee. Renaming changes the directory only: it writes through no
    link, and into no device, that might have come to the place meanwhile.
    """
    _check(path, objection)
    partial = path.with_name(f".migrator-{secrets.token_hex(8)}.partial")
    binary = io.BufferedWriter(create(partial))
    try:
        with io.TextIOWrapper(binary, encoding="utf-8") as stream:
            yield stream
        _check(path, objection)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def not_text(head: bytes) -> str | None:
    """An objection to overwriting dump files, databases and whatever else is not text."""
    if is_dump(head):
        return "it is a dump file"
    return "it is not a text file" if b"\0" in head else None


def not_a_dump(head: bytes) -> str | None:
    """An objection to overwriting, as an earlier dump file, what is none; one that is empty had just been begun."""
    return (
        None if not head or is_dump(head) else "it is no dump file of migrator, and REUSE_DUMPFILES overwrites nothing else"
    )


def is_dump(head: bytes) -> bool:
    """Whether a file that begins so is a dump file of ours: an archive whose first member is its header."""
    return head.startswith(b"PK\x03\x04") and head[30:].startswith(b"header.json")


def misnamed(path: Path) -> str | None:
    """Why no file can have this path, whose directory is there; None: one can."""
    if not is_text(str(path)):
        return "its path has bytes that are no text"
    try:
        name, whole = os.fsencode(path.name), os.fsencode(path)
    except UnicodeEncodeError:
        return f"this locale's encoding, {sys.getfilesystemencoding()}, cannot write it"
    for text, most in ((name, "PC_NAME_MAX"), (whole, "PC_PATH_MAX")):
        limit = os.pathconf(path.parent, most)
        if len(text) > limit:
            return f"it has {len(text)} bytes, and the file system takes {limit}"
    return None


# --- opening --------------------------------------------------------------------------------------------------------


def _refused(why: str) -> PermissionError:
    return PermissionError(errno.EPERM, why)


def _open(path: Path, flags: int, care: int = _CAREFULLY) -> int:
    try:
        descriptor = os.open(path, flags | care, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refused("it is a symbolic link") from error
        if error.errno == errno.ENXIO or (error.errno == errno.EEXIST and path.exists() and not path.is_file()):
            raise _refused(_NOT_ORDINARY) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _refused(_NOT_ORDINARY)
    return descriptor


def _open_to_change(path: Path) -> int:
    descriptor = _open(path, os.O_RDWR | os.O_CREAT)
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        raise _refused("it has another name elsewhere (a hard link)")
    return descriptor


def _object(file: io.FileIO | io.BufferedReader, objection: Objection | None) -> None:
    why = None if objection is None else objection(file.read(HEAD))
    if why is not None:
        raise _refused(why)


def _check(path: Path, objection: Objection) -> None:
    try:
        with read(path) as file:
            _object(file, objection)
    except FileNotFoundError:
        return
