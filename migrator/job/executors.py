"""Lanes: one worker each, in this process or in a spawned one. The coordinator does not ask which.

A lane takes one move at a time. Spawned workers get values and send values back; progress comes over a queue.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

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


def _begin(reports: Any) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the coordinator decides
    _worker = Worker(lambda rows, size: reports.put((rows, size)))


def _perform(move: Move) -> Outcome:
    assert _worker is not None
    return _worker.perform(move)


def _end() -> None:
    assert _worker is not None
    _worker.close()


class ProcessLane:
    """A worker in a spawned process of its own."""

    def __init__(self, number: int, reports: Any) -> None:
        self.number = number
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(reports,))

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

    def kill(self) -> None:
        """End the process at once."""
        for process in list((self._executor._processes or {}).values()):
            process.kill()
        self._executor.shutdown(wait=False, cancel_futures=True)


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
    reports = multiprocessing.get_context("spawn").SimpleQueue()
    listener = threading.Thread(target=_listen, args=(reports, advance), name="progress", daemon=True)
    listener.start()
    lanes = [ProcessLane(number, reports) for number in range(1, count + 1)]
    try:
        yield tuple(lanes)
    except BaseException:
        for lane_ in lanes:
            lane_.kill()
        raise
    else:
        for lane_ in lanes:
            lane_.close()
    finally:
        reports.put(None)
        listener.join()


def _listen(reports: Any, advance: Advance) -> None:
    while (report := reports.get()) is not None:
        advance(*report)
