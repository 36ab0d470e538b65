"""What every operation works with: the request, how connections resolve, the log, the progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from migrator.adapter import Server
from migrator.config import NO_SECRETS, Secrets, is_dialect_only
from migrator.ends import Database
from migrator.job.coordinator import Record
from migrator.job.report import JobLog, Progress
from migrator.job.session import Session
from migrator.origins import Resolve
from migrator.spec import JobSpec


@dataclass(frozen=True)
class Work:
    """A job's request and its surroundings."""

    spec: JobSpec
    resolve: Resolve
    log: JobLog
    progress: Progress
    secrets: Secrets = NO_SECRETS
    """What encrypts or decrypts the dump file set."""
    opened: Callable[[Record], None] = lambda record: None
    """Told when the job has its master table."""

    def begin(self, job: Session) -> None:
        """The job has its master table, which from now on counts what the log does; earlier runs' errors count on."""
        self.log.counted(job.errors, job.losses)
        job.record.log = self.log
        self.opened(job.record)

    def say(self, notes: Sequence[str]) -> None:
        """Log remarks."""
        for note in notes:
            self.log.message(note)


class NoProgress:
    """Shows nothing."""

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        """A job begins."""

    def advance(self, rows: int, size: int) -> None:
        """Rows and bytes passed."""

    def table_done(self, name: str) -> None:
        """A table's rows are all there."""

    def end(self) -> None:
        """The job is over."""


def source_of(spec: JobSpec, resolve: Resolve) -> Database:
    """The database that a job reads: the linked one, else an export's own."""
    return Database(resolve(spec.network_link or spec.connection))


def linked(spec: JobSpec, resolve: Resolve) -> Server | None:
    """Who is at the other end of the job's link, which is reached before anything else is; None: there is no link.

    :raises MissingDatabaseFile: connecting would make a database that is not there.
    """
    if spec.network_link is None:
        return None
    link = source_of(spec, resolve)
    link.adapter.find(link.url)
    return link.server()


def connected(spec: JobSpec, resolve: Resolve) -> list[sa.URL]:
    """The databases that a job connects to: its own first, then its link's."""
    references = [reference for reference in (spec.connection, spec.network_link) if reference is not None]
    return [resolve(reference) for reference in references if not is_dialect_only(reference)]
