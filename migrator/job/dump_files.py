"""The dump files of an export: which there are, who writes which, and how the set is ended.

Every file is recorded in the master table before it is made. A worker writes a file alone; a file that no worker writes
any more is gone on with, until it is full (FILESIZE). An object of a store cannot be gone on with: it is there, whole, when
its worker has ended it, and what was to be in it is unloaded again when its worker dies before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from migrator import templates
from migrator.adapter import Scope
from migrator.config import Secrets
from migrator.dump import crypt, writer
from migrator.dump.crypt import DataKey, Encryption
from migrator.dump.header import DumpOptions, DumpTarget, SetHeader
from migrator.dump.master import Master, Piece
from migrator.dump.reader import is_whole, sound
from migrator.dump.storage import Storage, storage_of
from migrator.errors import DumpSpaceExhausted, FileNotWritable, MigratorError
from migrator.job.lanes import Lane
from migrator.job.session import Session
from migrator.job.table import Row
from migrator.job.worker import FileGiven, FileWanted
from migrator.model.catalog import Catalog
from migrator.spec import JobSpec


def set_header(
    spec: JobSpec, job: str, set_id: str, catalog: Catalog, secrets: Secrets, data_files: Scope | None = None
) -> SetHeader:
    """What the files of a new set say of it. What is encrypted in it has a fresh key, which ``secrets`` lock.

    ``data_files``: what the data files hold that it is to have instead of rows.
    """
    encryption = None
    if spec.encryption != "NONE":
        key = DataKey.fresh(spec.encryption_algorithm)
        data, metadata = spec.encryption in {"ALL", "DATA_ONLY"}, spec.encryption in {"ALL", "METADATA_ONLY"}
        locks = crypt.wrap(key, spec.encryption_mode, secrets, set_id)
        encryption = Encryption(data, metadata, spec.encryption_algorithm, spec.encryption_mode, locks)
    options = DumpOptions(spec.compression, spec.compression_algorithm, spec.checksum, encryption, spec.filesize)
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    return SetHeader(set_id, options, job, spec.mode, created, catalog.dialect, catalog.version, data_files)


def recorded_header(form: dict[str, Any]) -> SetHeader:
    """The header of a job's files, as the master table has it."""
    header, _ = SetHeader.read(json.dumps(form).encode())
    return header


@dataclass
class _File:
    """A file of the set: recorded as ``number``; ``lane``: who writes it; ``writer``: the living worker that wrote it last;
    ``full``: nobody will write it any more. Whether it was ended, the file itself says."""

    number: int
    name: str
    filesize: int | None
    lane: int | None = None
    writer: int | None = None
    full: bool = False


class ExportFiles:
    """The files of one export."""

    def __init__(self, spec: JobSpec, job: Session, secrets: Secrets) -> None:
        self._job, self._record = job, job.record
        self._header = recorded_header(job.recall("header"))
        self._storage = storage_of(spec.dumpfiles[0], secrets.credential)
        encryption = self._header.options.encryption
        self._key: DataKey | None = None
        if encryption is not None:
            self._key = crypt.unlock(encryption, secrets, self._header.set_id)
        self._reuse = spec.reuse_dumpfiles
        recorded = self._record.rows("FILE")
        self._files = [_File(row.item, row.name, row.detail["filesize"]) for row in recorded]
        self._last = max((row.item for row in recorded), default=0)
        for row, file in zip(recorded, self._files, strict=True):
            if row.state == "PENDING":
                self._finish_making(row, file)

    # --- names ------------------------------------------------------------------------------------------------------

    @property
    def _specifications(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._job.recall("dumpfiles")
        return found

    def _names(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The names that are left, in order: templates in turn, those added later after those there were."""
        taken = {file.name for file in self._files}
        given = [entry for entry in self._specifications if not entry["added"]]
        first = {entry["template"]: entry for entry in given}
        for name in templates.files(tuple(first)):
            if name not in taken:
                template = next(t for t in first if templates.names(t, name))
                yield name, first[template]
        for entry in self._specifications:
            if entry["added"]:
                yield from ((name, entry) for name in templates.files((entry["template"],)) if name not in taken)

    @property
    def possible(self) -> int | None:
        """How many workers can have a file each; None: any number."""
        if any(templates.most(entry["template"]) > 1 for entry in self._specifications):
            return None
        return len([file for file in self._files if not file.full]) + len(list(self._names()))

    def add(self, detail: dict[str, Any]) -> str:
        """ADD_FILE: more names for files that are needed from now on."""
        added = [
            {"template": name, "filesize": detail.get("filesize"), "reuse": bool(detail.get("reuse")), "added": True}
            for name in detail["files"]
        ]
        self._job.note(dumpfiles=[*self._specifications, *added])
        return f"added {', '.join(detail['files'])}"

    # --- files ------------------------------------------------------------------------------------------------------

    def claim(self, count: int) -> None:
        """Make the first ``count`` files, empty, before anything is written, if there are so many names."""
        possible = self.possible
        for _ in range(max(1, count if possible is None else min(count, possible))):
            self._make(0)

    def _make(self, needed: int) -> _File:
        """The next file, recorded and made.

        :raises DumpSpaceExhausted: there is no further name.
        :raises DumpFileExists: the file is there and may not be reused.
        """
        name, entry = next(self._names(), (None, {}))
        if name is None:
            raise DumpSpaceExhausted(needed=needed, detail="")
        filesize = entry["filesize"]
        file = _File(self._last + 1, name, filesize)
        reuse = self._reuse or entry["reuse"]
        detail = {"filesize": filesize, "reuse": reuse}
        self._record.insert([Row("FILE", file.number, name=name, state="PENDING", detail=detail)])
        try:
            writer.claim(self._storage, name, reuse)
        except MigratorError:
            self._record.remove("FILE", file.number)
            raise
        self._record.change("FILE", file.number, state="EXECUTING")
        self._files.append(file)
        self._last = file.number
        return file

    def _finish_making(self, row: Row, file: _File) -> None:
        """Make a file that was recorded when the job died, and that may or may not have been made."""
        if not _begins(self._target(file)):
            writer.claim(self._storage, file.name, row.detail["reuse"])
        self._record.change("FILE", row.item, state="EXECUTING")

    def next(self, lane: Lane, wanted: FileWanted) -> FileGiven:
        """A file for a worker; the one it had, if it had one, is full.

        :raises DumpSpaceExhausted: there is none.
        :raises JobTakenOver: the files are another process's.
        """
        self._record.job()
        for file in self._files:
            if file.lane == lane.number:
                file.lane = None
                file.full = file.full or not wanted.first
        going_on = wanted.first and self._storage.resumes
        free = (f for f in self._files if f.lane is None and not f.full and (going_on or self._empty(f)))
        file = next(free, None) or self._make(wanted.size)
        file.lane = file.writer = lane.number
        return FileGiven(self._target(file), self._pieces(file.number))

    def free(self, lane: Lane, *, died: bool) -> list[Row]:
        """A worker is gone; its file can be gone on with. The granules that were in objects which it has not ended."""
        mine = [file for file in self._files if file.writer == lane.number]
        for file in mine:
            file.writer = None
            if file.lane == lane.number:
                file.lane = None
            if not self._storage.resumes:
                file.full = not died or self._size(file) > 0
        return self._again(mine) if died and not self._storage.resumes else []

    def _empty(self, file: _File) -> bool:
        """Whether a file can be begun. An object can until something that is recorded is in it."""
        return self._size(file) == 0 if self._storage.resumes else not self._pieces(file.number)

    def _size(self, file: _File) -> int:
        """How many bytes of a file are there. An object under its name counts if it is this very file."""
        target = self._target(file)
        if not self._storage.resumes and not _begins(target):
            return 0
        with _reached(file.name):
            try:
                return self._storage.size(file.name)
            except FileNotFoundError:
                return 0

    def _target(self, file: _File) -> DumpTarget:
        return DumpTarget(file.name, file.number, self._header, self._key, file.filesize, self._storage)

    def _pieces(self, number: int) -> tuple[Piece, ...]:
        """What is recorded to lie in a file."""
        done = self._record.rows("GRANULE", state="COMPLETED")
        return tuple(piece for row in done for piece in _pieces_of(row) if piece.file == number)

    # --- how it ends ------------------------------------------------------------------------------------------------

    def lost(self) -> list[Row]:
        """Granules whose pieces are not in their files, to be unloaded again: after a loss of power, and those in objects
        that were not ended. What lies in directories is read."""
        return self._again(self._files)

    def _again(self, files: Sequence[_File]) -> list[Row]:
        """The granules whose pieces are not in those of their files that are among these; they are not done any more."""
        done = self._record.rows("GRANULE", state="COMPLETED")
        recorded: dict[int, list[Piece]] = {file.number: [] for file in files}
        for piece in chain.from_iterable(map(_pieces_of, done)):
            if piece.file in recorded:
                recorded[piece.file].append(piece)
        with ThreadPoolExecutor() as threads:
            there = set(chain.from_iterable(threads.map(self._there, files, recorded.values())))
        lost = [row for row in done if any(p.file in recorded and p not in there for p in _pieces_of(row))]
        for row in lost:
            self._record.change("GRANULE", row.item, state="PENDING")
        return lost

    def _there(self, file: _File, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """Those pieces that are in their file: an object is as it was sent."""
        if self._storage.resumes:
            return tuple(sound(self._target(file), pieces))
        size = self._size(file)
        return [piece for piece in pieces if piece.end <= size]

    def seal(self, catalog: Catalog, master: Master) -> tuple[str, ...]:
        """End the set, in a directory in its first file, in a store in a fresh object; the files. Those without a row go."""
        empty = [file for file in self._files if self._empty(file)]
        if self._storage.resumes:
            last = self._files[0]
            self._end_files([file for file in self._files if file is not last and file not in empty])
        else:
            last = empty.pop(0) if empty else self._make(0)
        spare = [] if self._storage.resumes else empty
        self._drop([file for file in empty if file is not last])
        names = {file.number: templates.bare(file.name) for file in self._files}

        def further(needed: int) -> DumpTarget:
            if spare:
                self._files.append(spare.pop(0))
                return self._target(self._files[-1])
            return self._target(self._make(needed))

        writer.seal(self._target(last), self._pieces(last.number), catalog, master, names, further)
        return tuple(file.name for file in sorted(self._files, key=lambda file: file.number))

    def _end_files(self, files: Sequence[_File]) -> None:
        """Make files whole that were not ended, since their worker died or the disk was full."""
        for file in files:
            pieces = self._pieces(file.number)
            if not is_whole(self._target(file), pieces):
                with writer.DumpFile.going_on(self._target(file), pieces):
                    pass

    def _drop(self, files: Sequence[_File]) -> None:
        """Files are no part of the set."""
        delete(self._storage, self._header, [(file.number, file.name) for file in files])
        self._files = [file for file in self._files if file not in files]

    def delete(self) -> None:
        """Remove all files: the job is no more."""
        self._drop(self._files)


def _pieces_of(granule: Row) -> Iterator[Piece]:
    return (Piece(**piece) for piece in granule.detail["pieces"])


@contextmanager
def _reached(name: str) -> Iterator[None]:
    """:raises FileNotWritable: the directory, or the store, refuses."""
    try:
        yield
    except OSError as error:
        raise FileNotWritable(path=name, detail=error.strerror or str(error)) from error


def _begins(target: DumpTarget) -> bool:
    """Whether an ordinary file is there that begins as this one does, as far as it goes."""
    start = target.start
    with _reached(target.name):
        try:
            with target.storage.read(target.name) as file:
                return start.startswith(file.read(len(start)))
        except (FileNotFoundError, PermissionError):
            return False


def delete(storage: Storage, header: SetHeader, files: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Delete the files of a job that is killed, or that ends before it begins; those that were there.

    What begins otherwise is not this job's and stays. A name is recorded before it is claimed, and another file may have
    come to the place since; and REUSE_DUMPFILES overwrites an object when the new one is whole, not before.
    """
    deleted = []
    for number, name in files:
        if _begins(DumpTarget(name, number, header, storage=storage)):
            with _reached(name):
                storage.delete(name)
            deleted.append(name)
    return tuple(deleted)
