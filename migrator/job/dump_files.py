"""The dump files of an export: which there are, who writes which, and how the set is ended.

Every file is recorded in the master table before it is made. A worker writes a file alone; a file that no worker writes
any more is gone on with, until it is full (FILESIZE).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from migrator import files, templates
from migrator.config import Secrets
from migrator.dump import crypt, writer
from migrator.dump.crypt import DataKey, Encryption
from migrator.dump.header import DumpOptions, DumpTarget, SetHeader
from migrator.errors import DumpSpaceExhausted, MigratorError
from migrator.job.lanes import Lane
from migrator.job.master import Master, Piece
from migrator.job.session import Session
from migrator.job.table import Row
from migrator.job.worker import FileGiven, FileWanted
from migrator.model.catalog import Catalog
from migrator.spec import JobSpec


def set_header(spec: JobSpec, job: str, set_id: str, catalog: Catalog, secrets: Secrets) -> SetHeader:
    """What the files of a new set say of it. What is encrypted in it has a fresh key, which ``secrets`` lock."""
    encryption = None
    if spec.encryption != "NONE":
        key = DataKey.fresh(spec.encryption_algorithm)
        data, metadata = spec.encryption in {"ALL", "DATA_ONLY"}, spec.encryption in {"ALL", "METADATA_ONLY"}
        locks = crypt.wrap(key, spec.encryption_mode, secrets, set_id)
        encryption = Encryption(data, metadata, spec.encryption_algorithm, spec.encryption_mode, locks)
    options = DumpOptions(spec.compression, spec.compression_algorithm, spec.checksum, encryption, spec.filesize)
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    return SetHeader(set_id, options, job, spec.mode, created, catalog.dialect, catalog.version)


@dataclass
class _File:
    """A file of the set: recorded as ``number``; ``lane``: who writes it; ``full``: nobody will; ``broken``: whoever wrote
    it died before it was whole."""

    number: int
    path: Path
    filesize: int | None
    lane: int | None = None
    full: bool = False
    broken: bool = False


class DumpFiles:
    """The files of one export."""

    def __init__(self, spec: JobSpec, job: Session, secrets: Secrets) -> None:
        self._job, self._record = job, job.record
        self._header, _ = SetHeader.read(json.dumps(job.recall("header")).encode())
        encryption = self._header.options.encryption
        self._key: DataKey | None = None
        if encryption is not None:
            self._key = crypt.unlock(encryption, secrets, self._header.set_id)
        self._reuse = spec.reuse_dumpfiles
        recorded = self._record.rows("FILE")
        self._files = [_File(row.item, Path(row.name), row.detail["filesize"], broken=True) for row in recorded]
        for row, file in zip(recorded, self._files, strict=True):
            if row.state == "PENDING":
                self._finish_making(row, file)

    # --- names ------------------------------------------------------------------------------------------------------

    @property
    def _specifications(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._job.recall("dumpfiles")
        return found

    def _names(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The names that are left, in order: templates in turn, those added later after those there were."""
        taken = {file.path for file in self._files}
        given = [entry for entry in self._specifications if not entry["added"]]
        first = {entry["template"]: entry for entry in given}
        paths = templates.paths(tuple(first))
        for path in paths:
            if path not in taken:
                template = next(t for t in first if templates.names(t, path))
                yield path, first[template]
        for entry in self._specifications:
            if entry["added"]:
                yield from ((path, entry) for path in templates.paths((entry["template"],)) if path not in taken)

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
        path, entry = next(self._names(), (None, {}))
        if path is None:
            raise DumpSpaceExhausted(needed=needed, detail="")
        filesize = entry["filesize"]
        file = _File(len(self._files) + 1, path, filesize)
        reuse = self._reuse or entry["reuse"]
        detail = {"filesize": filesize, "reuse": reuse}
        self._record.insert([Row("FILE", file.number, name=str(path), state="PENDING", detail=detail)])
        try:
            writer.create(path, reuse)
        except MigratorError:
            self._record.remove("FILE", file.number)
            raise
        self._record.change("FILE", file.number, state="EXECUTING")
        self._files.append(file)
        return file

    def _finish_making(self, row: Row, file: _File) -> None:
        """Make a file that was recorded when the job died, and that may or may not have been made."""
        if not _begins(file.path, self._target(file).start):
            writer.create(file.path, row.detail["reuse"])
        self._record.change("FILE", row.item, state="EXECUTING")

    def next(self, lane: Lane, wanted: FileWanted) -> FileGiven:
        """A file for a worker; the one it had, if it had one, is full.

        :raises DumpSpaceExhausted: there is none.
        """
        for file in self._files:
            if file.lane == lane.number:
                file.lane = None
                file.full = file.full or not wanted.first
        free = (f for f in self._files if f.lane is None and not f.full and (wanted.first or self._empty(f)))
        file = next(free, None) or self._make(wanted.size)
        file.lane, file.broken = lane.number, False
        return FileGiven(self._target(file), self._pieces(file.number))

    def free(self, lane: Lane, *, died: bool) -> None:
        """A worker is gone; its file can be gone on with."""
        for file in self._files:
            if file.lane == lane.number:
                file.lane, file.broken = None, died

    def _empty(self, file: _File) -> bool:
        return file.path.stat().st_size == 0

    def _target(self, file: _File) -> DumpTarget:
        return DumpTarget(file.path, file.number, self._header, self._key, file.filesize)

    def _pieces(self, number: int) -> tuple[Piece, ...]:
        """What is recorded to lie in a file."""
        done = self._record.rows("GRANULE", state="COMPLETED")
        pieces = (Piece(**piece) for row in done for piece in row.detail["pieces"])
        return tuple(piece for piece in pieces if piece.file == number)

    # --- how it ends ------------------------------------------------------------------------------------------------

    def lost(self) -> list[Row]:
        """Granules whose pieces are not in their files any more, as after a loss of power."""
        sizes = {file.number: file.path.stat().st_size if file.path.is_file() else 0 for file in self._files}
        done = self._record.rows("GRANULE", state="COMPLETED")
        return [row for row in done if any(p["end"] > sizes.get(p["file"], 0) for p in row.detail["pieces"])]

    def seal(self, catalog: Catalog, master: Master) -> tuple[Path, ...]:
        """End the set in its first file; the files of the set. Files without a row go."""
        first = self._files[0]
        for file in [file for file in self._files[1:] if self._empty(file)]:
            file.path.unlink()
            self._files.remove(file)
        if self._empty(first):
            with writer.DumpFile.create(self._target(first)):
                pass
        for file in self._files[1:]:
            if file.broken:
                with writer.DumpFile.resume(self._target(file), self._pieces(file.number), check=False):
                    pass
        names = {file.number: file.path.name for file in self._files}
        writer.seal(self._target(first), self._pieces(first.number), catalog, master, names, self._further)
        return tuple(file.path for file in self._files)

    def _further(self, needed: int) -> DumpTarget:
        return self._target(self._make(needed))

    def delete(self) -> None:
        """Remove all files: the job is no more."""
        delete([file.path for file in self._files])


def _begins(path: Path, start: bytes) -> bool:
    """Whether a file is there that begins with these bytes, as far as it goes."""
    try:
        with files.read(path) as file:
            return start.startswith(file.read(len(start)))
    except FileNotFoundError:
        return False


def delete(paths: Sequence[Path]) -> None:
    """Remove the files of a job that is killed, or that ends before it begins."""
    for path in paths:
        path.unlink(missing_ok=True)
