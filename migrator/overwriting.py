"""What a job's own files may take the place of: never a database, and only a file of their own kind.

All of them are looked at before the first is opened, so that a job that is refused has changed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from migrator import files, templates
from migrator.adapter import adapter_for_backend
from migrator.errors import ConflictingParameters, DumpFileExists, FileNotWritable, LogFileNotWritable, MigratorError
from migrator.spec import JobSpec


@dataclass(frozen=True)
class _Written:
    """A file, or files by a ``template``, that a job writes, and what it says of one that it must not overwrite."""

    parameter: str
    path: Path
    objection: files.Objection | None
    error: type[MigratorError] = FileNotWritable
    template: bool = False

    def stands_for(self, path: Path) -> bool:
        """Whether ``path`` is one of these files, by this or another name."""
        if not self.template:
            return self.path.resolve() == path.resolve() or _same_file(self.path, path)
        return templates.names(str(self.path.parent.resolve() / self.path.name), str(path.resolve()))

    def existing(self) -> list[Path]:
        """The files that are there."""
        if not self.template:
            return [self.path]
        return [path for path in self.path.parent.iterdir() if self.stands_for(path)]


def _same_file(one: Path, other: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samefile(one, other)
    return False


def _written(job: JobSpec) -> Iterator[_Written]:
    if job.logfile is not None:
        yield _Written("LOGFILE", job.logfile, files.not_text, LogFileNotWritable)
    if job.sqlfile is not None:
        yield _Written("SQLFILE", job.sqlfile, files.not_text)
    if job.ledger is not None:
        yield _Written("LEDGER", job.ledger, files.not_text)
    if job.operation == "EXPORT":  # without REUSE_DUMPFILES no file is overwritten
        objection = files.not_a_dump if job.reuse_dumpfiles else None
        for name in job.dumpfiles:
            if templates.is_uri(name):
                continue  # no database of a job is an object
            if templates.most(name) > 1:
                yield _Written("DUMPFILE", Path(name), objection, template=True)
            else:
                yield _Written("DUMPFILE", Path(templates.fill(name, 1)), objection)


def _files(databases: Iterable[sa.URL]) -> list[Path]:
    return [file for url in databases for file in adapter_for_backend(url.get_backend_name()).files(url)]


def check(job: JobSpec, databases: Iterable[sa.URL]) -> None:
    """Look at every file that a job writes; ``databases``: those that it connects to.

    :raises ConflictingParameters: one is a file of a database.
    :raises LogFileNotWritable: LOGFILE would overwrite something else than a text.
    :raises FileNotWritable: SQLFILE would, or DUMPFILE something else than a dump file.
    """
    of_databases = _files(databases)
    for written in _written(job):
        for file in of_databases:
            if written.stands_for(file):
                named = f"{written.parameter}={written.path.name}"
                detail = f"{named} would overwrite {file}, which belongs to a database of the job"
                raise ConflictingParameters(detail=detail)
        if written.objection is not None:
            for path in written.existing():
                _check_kind(path, written.objection, written.error)


def check_added(job: JobSpec, names: tuple[str, ...], *, reuse: bool, databases: Iterable[sa.URL]) -> None:
    """Look at dump files that are added to a job; as :func:`check`.

    :raises DumpFileExists: one is there, and not to be overwritten.
    """
    added = replace(job, dumpfiles=names, reuse_dumpfiles=reuse, logfile=None, sqlfile=None)
    check(added, databases)
    for written in _written(added):
        if not reuse and not written.template and written.path.exists():
            raise DumpFileExists(path=written.path)


def _check_kind(path: Path, objection: files.Objection, error: type[MigratorError]) -> None:
    if not path.is_file():
        return
    try:
        with files.read(path) as file:
            why = objection(file.read(files.HEAD))
    except OSError as unreadable:
        why = unreadable.strerror or str(unreadable)
    if why is not None:
        raise error(path=path, detail=why)


@contextmanager
def nothing_left_empty(databases: Iterable[sa.URL]) -> Iterator[None]:
    """Delete files of databases that were not there before, if the block raises and has put nothing into them."""
    missing = [file for file in _files(databases) if not file.exists()]
    try:
        yield
    except BaseException:
        _delete_empty(missing)
        raise


@contextmanager
def nothing_made(databases: Iterable[sa.URL]) -> Iterator[None]:
    """Delete files of databases that were not there before: connecting made them, and nothing was put into them."""
    missing = [file for file in _files(databases) if not file.exists()]
    try:
        yield
    finally:
        _delete_empty(missing)


def _delete_empty(files_: Iterable[Path]) -> None:
    for file in files_:
        with suppress(OSError):
            if file.stat().st_size == 0:
                file.unlink()
