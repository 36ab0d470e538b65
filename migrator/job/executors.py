"""Lanes: one worker each, in this process or in a spawned one. The coordinator does not ask which.

A lane takes one move at a time. Spawned workers get values and send values back; progress comes over a pipe for each lane,
so that a worker that is killed leaves no lock behind. A worker ends with the process that started it, however that ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Protocol

from migrator.errors import InternalError
from migrator.job.worker import Advance, Move, Outcome, Worker


class Lane(Protocol):
    """One worker. ``number`` counts from 1, as the log's W-n does."""

    number: int

    def submit(self, move: Move) -> Future[Outcome]:
        """Start a move; the result never raises but for a lost process."""

    def close(self) -> None:
        """End the worker; its dump file is whole after that."""


class InlineLane:
    """A worker in this process: ``submit`` returns when the move is done."""

    def __init__(self, number: int, advance: Advance) -> None:
        self.number = number
        self._worker = Worker(advance)

    def submit(self, move: Move) -> Future[Outcome]:
        """Perform the move at once."""
        future: Future[Outcome] = Future()
        future.set_result(self._worker.perform(move))
        return future

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


_worker: Worker | None = None


def _begin(reports: Connection) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the coordinator decides
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _worker = Worker(lambda rows, size: reports.send((rows, size)))


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: nobody would take its outcome, and servers roll back."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _perform(move: Move) -> Outcome:
    assert _worker is not None
    return _worker.perform(move)


def _end() -> None:
    assert _worker is not None
    _worker.close()


class ProcessLane:
    """A worker in a spawned process of its own. ``reports``: where its progress can be read, to the end of the lane."""

    def __init__(self, number: int) -> None:
        self.number = number
        context = multiprocessing.get_context("spawn")
        self.reports, self._writer = context.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(self._writer,))

    def submit(self, move: Move) -> Future[Outcome]:
        """Send the move to the process."""
        return self._executor.submit(_perform, move)

    def close(self) -> None:
        """End the process when it has closed what it holds."""
        try:
            self._executor.submit(_end).result()
        except BrokenProcessPool as error:
            raise InternalError(detail=f"worker {self.number} died") from error
        finally:
            self._executor.shutdown()
            self._writer.close()

    def kill(self) -> None:
        """End the process at once."""
        for process in list((self._executor._processes or {}).values()):
            process.kill()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._writer.close()


@contextmanager
def open_lanes(count: int, advance: Advance) -> Iterator[tuple[Lane, ...]]:
    """``count`` workers; closed at the end, killed when the block raises."""
    if count == 1:
        lane = InlineLane(1, advance)
        try:
            yield (lane,)
        finally:
            lane.close()
        return
    lanes = [ProcessLane(number) for number in range(1, count + 1)]
    listener = threading.Thread(target=_listen, args=([lane_.reports for lane_ in lanes], advance), name="progress")
    listener.start()
    try:
        yield tuple(lanes)
        for lane_ in lanes:
            lane_.close()
    except BaseException:
        for lane_ in lanes:
            lane_.kill()
        raise
    finally:
        listener.join()


def _listen(reports: Sequence[Connection], advance: Advance) -> None:
    """Pass on what workers report until each of them is gone."""
    open_ = list(reports)
    while open_:
        for reader in wait(open_):
            assert isinstance(reader, Connection)
            try:
                rows, size = reader.recv()
            except EOFError:
                reader.close()
                open_.remove(reader)
            else:
                advance(rows, size)
