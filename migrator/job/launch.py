"""A job as a process of its own, seen from the client that starts it.

The client sends one :class:`Order` and then hears what the job says. Passwords go through the pipe, never through arguments
or the environment. The process is the leader of a session of its own: neither Ctrl-C nor the loss of the terminal reaches
it. This module loads no database library, so that the process can load them while the client reads the command line.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING, Self

from migrator.errors import JobDetached, MigratorError, redact
from migrator.model.objects import QName

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrator.config import Secrets
    from migrator.job.session import Start
    from migrator.spec import JobSpec

_TAIL = 2000
"""How much of what a process printed before it died is shown."""
_FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 20),
}
"""Batches come and go in several threads: what was freed is used again by all of them, and large blocks are given back.

What a batch is made of is no large block: the system would have to clear its pages each time."""


@dataclass(frozen=True)
class Order:
    """What a job process is to do. ``urls``: the request's connections by their references, passwords included."""

    spec: JobSpec
    urls: Mapping[str, sa.URL] = field(repr=False)
    secrets: Secrets = field(repr=False)
    start: Start | None = None


# --- what a job says ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    text: str


@dataclass(frozen=True)
class Opened:
    """The job has its master table: in the job's database, or in the local one."""

    schema: str | None
    name: str
    local: bool


@dataclass(frozen=True)
class Began:
    """Rows begin to move: as :meth:`~migrator.job.report.Progress.begin`."""

    tables: int
    rows: int | None
    size: int | None


@dataclass(frozen=True)
class Moved:
    """So many more rows and bytes have moved."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class TableDone:
    """The rows of a table are all there, or were given up."""

    name: str


@dataclass(frozen=True)
class RowsEnded:
    """No more rows move."""


@dataclass(frozen=True)
class Failed:
    """The job has ended with an error that stopped it."""

    error: MigratorError


@dataclass(frozen=True)
class Exit:
    """The job has ended, with this exit code."""

    code: int


Said = Line | Opened | Began | Moved | TableDone | RowsEnded | Failed | Exit


# --- the process ----------------------------------------------------------------------------------------------------


class JobProcess:
    """A process that runs one job; it is started here and does nothing before it has its order.

    A context manager that lets go of the process: a job goes on, a process without an order ends.
    """

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "migrator.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env={**_FRUGAL, **os.environ},
        )
        self._said = _own(self._process)
        self.job: Opened | None = None
        """The job's master table, as soon as the process has told of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._said.close()
        self._errors.close()
        self._process.poll()
        self._process.returncode = self._process.returncode or 0  # whether it has ended is not this client's concern

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, order: Order) -> None:
        """Let the job begin."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # a dead process is noticed when it is listened to
            pickle.dump(order, self._process.stdin)
            self._process.stdin.close()

    def hear(self, seconds: float) -> Said | None:
        """What the job says next; None: nothing within this time.

        :raises JobDetached: the process has died.
        """
        try:
            if not self._said.poll(seconds):
                return None
            said: Said = self._said.recv()
        except (EOFError, ConnectionResetError) as died:
            raise self._died() from died
        if isinstance(said, Opened):
            self.job = said
        return said

    def terminate(self) -> None:
        """Stop the job, as STOP_JOB=IMMEDIATE does."""
        self._process.terminate()

    def _died(self) -> JobDetached:
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._errors.seek(0)
        printed = self._errors.read().decode(errors="replace")[-_TAIL:].strip()
        job = "of this client" if self.job is None else str(QName(self.job.schema or "", self.job.name))
        return JobDetached(job=job, detail=redact(f"{how}{': ' if printed else ''}{' '.join(printed.split())}"))


def _own(process: subprocess.Popen[bytes]) -> Connection:
    """The reading end of a process's output, for messages."""
    assert process.stdout is not None
    with process.stdout as stream:
        return Connection(os.dup(stream.fileno()), writable=False)
