"""The process of one job: ``python -m migrator.process`` reads an order from its standard input and runs it.

What it says goes to its standard output as messages, through a thread that waits for the client as long as it must: a client
that is stopped, or gone, holds up nothing. SIGTERM stops the job as STOP_JOB=IMMEDIATE does.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import pickle
import select
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TextIO, cast

import setproctitle

from migrator import windows
from migrator.errors import InternalError, Interrupted, JobStopped, MigratorError, redact
from migrator.job.launch import Began, Exit, Failed, Line, Moved, Opened, Order, RowsEnded, Said, TableDone

if TYPE_CHECKING:
    from migrator.adapter import Adapter
    from migrator.spec import JobSpec

_PACE = 0.1
"""Seconds between two messages about rows moved."""
_LOOK = 1.0
"""Seconds after which a silent job looks whether its client is there."""


class Voice(io.TextIOBase):
    """What the job says, as the log's text stream and as its progress; said by a thread, in order."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._waiting: deque[Said] = deque()
        self._rows = self._bytes = 0
        self._open = ""
        self._news = threading.Condition()
        self._ended = False
        self.deaf = threading.Event()
        """Whether the client is gone."""
        self._thread = threading.Thread(target=self._speak, name="voice", daemon=True)
        self._thread.start()

    # --- the log ----------------------------------------------------------------------------------------------------

    def write(self, text: str) -> int:
        """Say the lines that ``text`` completes."""
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            self.say(Line(line))
        return len(text)

    # --- progress ---------------------------------------------------------------------------------------------------

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        """Rows begin to move."""
        self.say(Began(tables, rows, size))

    def advance(self, rows: int, size: int) -> None:
        """Rows and bytes have moved."""
        with self._news:
            self._rows, self._bytes = self._rows + rows, self._bytes + size

    def table_done(self, name: str) -> None:
        """A table's rows are all there."""
        self.say(TableDone(name))

    def end(self) -> None:
        """No more rows move."""
        self.say(RowsEnded())

    # --- speaking ---------------------------------------------------------------------------------------------------

    def say(self, said: Said) -> None:
        """Say something when its turn comes."""
        with self._news:
            if not self.deaf.is_set():
                self._add_moved()
                self._waiting.append(said)
                self._news.notify()

    def finish(self) -> None:
        """Wait until all is said, or nobody listens."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join()
        self._pipe.close()

    def _add_moved(self) -> None:
        if self._rows or self._bytes:
            self._waiting.append(Moved(self._rows, self._bytes))
            self._rows = self._bytes = 0

    def _speak(self) -> None:
        silent = 0.0
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._ended, _PACE)
                self._add_moved()
                said, ended = list(self._waiting), self._ended
                self._waiting.clear()
            silent = 0.0 if said else silent + _PACE
            if not self._send(said) or (silent >= _LOOK and not self._is_heard()):
                self.deaf.set()
                return
            if ended:
                return

    def _send(self, said: list[Said]) -> bool:
        try:
            for one in said:
                self._pipe.send(one)
        except OSError:
            return False
        return True

    def _is_heard(self) -> bool:
        poll = select.poll()
        poll.register(self._pipe.fileno(), 0)
        return not poll.poll(0)


def main() -> int:
    """Run the order on standard input; the exit code."""
    pipe = Connection(os.dup(sys.stdout.fileno()), readable=False)
    os.register_at_fork(after_in_child=pipe.close)  # the client hears of this process's end, whoever lives longer
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no message
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads for matrices, of which there are none
    gc.disable()  # what is imported stays: looking through it for garbage is a tenth of the time that it takes
    importlib.import_module("migrator.operations")  # while the client reads its command line
    from migrator.job import lanes

    written = sys.stdin.buffer.read()
    if not written:
        return 0
    order: Order = pickle.loads(written)
    adapters: dict[str, Adapter] = {}
    with suppress(Exception):  # the job says so when it comes to it, whatever a dialect's module raises
        adapters |= _adapters(order)
    gc.freeze()
    gc.enable()
    degree = order.spec.degrees.at(windows.now())
    if adapters and degree > 1 and _takes_several(order.spec, adapters):
        lanes.fork_ahead(degree)
    setproctitle.setproctitle(f"migrator {order.spec.operation} {order.spec.command}")
    voice = Voice(pipe)
    try:
        said = _run(order, voice)
        voice.say(said)
    finally:
        lanes.dismiss()
        voice.finish()
    return said.code if isinstance(said, Exit) else 1


def _adapters(order: Order) -> dict[str, Adapter]:
    """The databases' adapters, with the libraries that move rows."""
    from migrator.adapter import adapter_for_backend

    adapters = {reference: adapter_for_backend(url.get_backend_name()) for reference, url in order.urls.items()}
    for library in {library for adapter in adapters.values() for library in adapter.libraries}:
        importlib.import_module(library)
    return adapters


def _takes_several(spec: JobSpec, adapters: Mapping[str, Adapter]) -> bool:
    """Whether several workers may move rows."""
    read = adapters.get(spec.network_link or (spec.connection if spec.operation == "EXPORT" else ""))
    written = adapters[spec.connection] if spec.operation == "IMPORT" else None
    one_reader = read is not None and read.capabilities.max_readers == 1
    one_writer = written is not None and written.capabilities.max_writers == 1
    return spec.operation != "SQL_FILE" and not (one_reader or one_writer)


def _run(order: Order, voice: Voice) -> Exit | Failed:
    from migrator import operations
    from migrator.job.control import Attachment
    from migrator.job.coordinator import Record
    from migrator.job.session import local_database

    records: list[Record] = []

    def opened(record: Record) -> None:
        records.append(record)
        local = record.database == local_database()
        voice.say(Opened(record.table.schema, record.table.name, local))
        attachment.begin(record.database, record.table)

    attachment = Attachment("START", f"{socket.gethostname()}:{os.getppid()}", gone=voice.deaf)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with attachment:
            out, resolve = cast(TextIO, voice), order.urls.__getitem__
            return Exit(operations.run(order.spec, resolve, out, voice, order.secrets, order.start, opened))
    except MigratorError as error:
        return Failed(error)
    except KeyboardInterrupt:
        job = records[0].table.name if records else order.spec.operation
        return Failed(JobStopped(job=job) if records else Interrupted(job=job))
    except Exception as error:
        if os.environ.get("MIGRATOR_TRACE") == "1":
            import traceback

            voice.write("".join(traceback.format_exception(error)))
        return Failed(InternalError(detail=redact(f"{type(error).__name__}: {error}")))


def _terminate(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows is not to be interrupted again
    raise KeyboardInterrupt


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    os._exit(ended)  # a worker's thread that waits for its database must not hold up the end
