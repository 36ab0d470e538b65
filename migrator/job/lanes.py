"""Lanes: one worker each, in a thread of this process or in a process of its own; and the pool that hands out tasks.

Coordinator and worker talk over a pipe: tasks go down, outcomes, progress and requests for dump files come up. A worker
whose coordinator is gone ends at once: what it had not committed is rolled back.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkServerContext
from typing import Protocol

import setproctitle

from migrator.adapter import adapters_in_use
from migrator.errors import MigratorError, WorkerDied
from migrator.job.worker import Advanced, FileGiven, FileWanted, Outcome, Scan, Task, Worker

_TICK = 0.2
"""Seconds between two looks at requests while workers work."""
_PATIENCE = 2.0
"""Seconds that a worker which is to end at once may take."""
_SHARED = "migrator.job.shared"
_REPORT = 0.1
"""Seconds between two reports of progress."""
_TURN = 0.0005
"""Seconds after which a thread lets another run: the reader is not to wait while the writer encodes (5 ms, else)."""


# --- the worker's side ----------------------------------------------------------------------------------------------


class _Wire:
    """The worker's end of the pipe, as the worker uses it."""

    def __init__(self, pipe: Connection, cancelled: threading.Event) -> None:
        self._pipe, self._cancelled = pipe, cancelled
        self._lock = threading.Lock()
        self._rows = self._bytes = 0
        self._next = 0.0

    def advance(self, rows: int, size: int) -> None:
        if self._cancelled.is_set():
            raise WorkerDied(worker="the", detail="was stopped")
        with self._lock:
            self._rows, self._bytes = self._rows + rows, self._bytes + size
            if time.monotonic() >= self._next:
                self._send_progress()

    def _send_progress(self) -> None:
        self._next = time.monotonic() + _REPORT
        if self._rows or self._bytes:
            self._pipe.send(Advanced(self._rows, self._bytes))
        self._rows = self._bytes = 0

    def next_file(self, wanted: FileWanted) -> FileGiven:
        with self._lock:
            self._pipe.send(wanted)
            answer = self._pipe.recv()
        assert isinstance(answer, FileGiven)
        return answer

    def finish(self, outcome: Outcome) -> None:
        with self._lock:
            self._send_progress()
            self._pipe.send(outcome)


def _serve(pipe: Connection, cancelled: threading.Event) -> None:
    """Perform tasks until the coordinator says None or is gone."""
    sys.setswitchinterval(_TURN)
    wire = _Wire(pipe, cancelled)
    worker = Worker(wire.advance, wire.next_file)
    try:
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):
            try:
                while (task := pipe.recv()) is not None:
                    outcome = worker.perform(task)
                    if cancelled.is_set():
                        break  # it counts as dead: what it has not committed is done again
                    wire.finish(outcome)
                else:
                    pipe.send(worker.close())
            finally:
                worker.abandon()
    finally:
        pipe.close()  # whatever has happened, or the coordinator would wait for it


def _serve_process(pipe: Connection, number: int) -> None:
    setproctitle.setproctitle(f"migrator worker {number}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the coordinator decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    coordinator = multiprocessing.parent_process()
    assert coordinator is not None

    def end_with_coordinator() -> None:
        coordinator.join()
        os._exit(1)

    threading.Thread(target=end_with_coordinator, name="coordinator", daemon=True).start()
    _serve(pipe, threading.Event())


# --- the coordinator's side -----------------------------------------------------------------------------------------


class _Vessel(Protocol):
    """What a worker lives in."""

    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...


class _Thread:
    def __init__(self, pipe: Connection, number: int) -> None:
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=_serve, args=(pipe, self._cancelled), name=f"worker {number}", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Ask it to end at the next batch."""
        self._cancelled.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)


class _Process:
    def __init__(self, pipe: Connection, number: int, context: ForkContext | ForkServerContext) -> None:
        self._process = context.Process(target=_serve_process, args=(pipe, number), name=f"worker {number}", daemon=True)
        self._process.start()
        pipe.close()

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        self._process.join(timeout)


_AHEAD = 4
"""How many workers are forked ahead at most: each fork takes milliseconds."""

_ahead: dict[int, tuple[Connection, _Process]] = {}
"""Workers that nobody has needed yet, by their numbers, and the ends of their pipes."""


def fork_ahead(workers: int) -> None:
    """Fork the first ones of so many workers, which share what this process has loaded; it must have no thread yet."""
    for number in range(1, min(workers, _AHEAD) + 1):
        ours, theirs = multiprocessing.Pipe()
        _ahead[number] = ours, _Process(theirs, number, multiprocessing.get_context("fork"))


def dismiss() -> None:
    """End the workers that nobody has needed."""
    while _ahead:
        _, (pipe, process) = _ahead.popitem()
        process.kill()
        pipe.close()


def _later() -> ForkServerContext:
    """How workers are made while threads run: forked from a process that has none, and has loaded their libraries."""
    context = multiprocessing.get_context("forkserver")
    libraries = sorted({module for adapter in adapters_in_use() for module in adapter.libraries})
    context.set_forkserver_preload([__name__, *libraries, _SHARED])
    return context


@dataclass(eq=False)
class Lane:
    """One worker, ``number`` from 1 as the log's W-n, and what it is doing."""

    number: int
    in_process: bool
    task: Task | None = None
    rows: int = 0
    bytes: int = 0
    began: float = 0.0
    stopped: bool = False
    """Whether it was ended on demand."""
    vessel: _Vessel = field(init=False, repr=False)
    pipe: Connection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.in_process and self.number in _ahead:
            self.pipe, self.vessel = _ahead.pop(self.number)
            return
        self.pipe, theirs = multiprocessing.Pipe()
        self.vessel = _Process(theirs, self.number, _later()) if self.in_process else _Thread(theirs, self.number)

    def submit(self, task: Task) -> None:
        """Start a task."""
        self.task, self.rows, self.bytes, self.began = task, 0, 0, time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # a dead worker is noticed when its end of the pipe closes
            self.pipe.send(task)

    def close(self) -> None:
        """Let the worker end what it holds, such as its dump file; it has no task.

        :raises MigratorError: it could not, for example because the disk is full.
        :raises WorkerDied: it died before.
        """
        try:
            self.pipe.send(None)
            error = self.pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as died:
            raise WorkerDied(worker=self.number, detail="died") from died
        self.vessel.join()
        self.pipe.close()
        if error is not None:
            raise error

    def kill(self) -> None:
        """End the worker at once; a thread at its next batch.

        A thread that waits for its database is not waited for: what it commits after all has its done mark with it.
        """
        self.vessel.kill()
        self.pipe.close()
        self.vessel.join(_PATIENCE)


@dataclass(frozen=True)
class Finished:
    """A task that a worker has ended; ``outcome`` None: the worker died over it, or was ``stopped``."""

    task: Task
    worker: int
    outcome: Outcome | None
    stopped: bool = False


class Pool:
    """Workers, made as they are needed, up to a degree that may change while they work."""

    def __init__(
        self,
        degree: int,
        *,
        limit: Callable[[], int | None],
        advance: Callable[[int, int], None],
        next_file: Callable[[Lane, FileWanted], FileGiven] | None,
        tick: Callable[[], None],
        begin: Callable[[Task, int], Outcome | None],
        gone: Callable[[Lane, bool], None],
    ) -> None:
        """``limit``: how many may work at once whatever the degree; ``tick`` is called a few times a second while workers
        work, and ends the work by raising; ``begin``, before a worker gets a task, and may know its outcome; ``gone``,
        when a worker is no more, and whether it died."""
        self._gone = gone
        self._limit, self._advance, self._next_file, self._tick, self._begin = limit, advance, next_file, tick, begin
        self.degree = degree
        self.stopping = False
        """Whether no more tasks are handed out."""
        self.lanes: list[Lane] = []
        self._several = False
        """Whether there is enough to do for a process of its own to be worth its start."""

    @property
    def width(self) -> int:
        """How many workers may work at once."""
        limit = self._limit()
        return self.degree if limit is None else max(1, min(self.degree, limit))

    @property
    def working(self) -> list[Lane]:
        """The lanes that have a task."""
        return [lane for lane in self.lanes if lane.task is not None]

    def run(self, tasks: Iterable[Task]) -> Iterator[Finished]:
        """Perform tasks in their order, each when a worker is free and nothing it touches is being worked on."""
        waiting = list(tasks)
        self._several = len(waiting) > 1
        while self.working or (waiting and not self.stopping):
            self._tick()
            yield from self._hand_out(waiting)
            for lane in self._talking():
                finished = self._listen(lane)
                if finished is not None:
                    yield finished

    def _hand_out(self, waiting: list[Task]) -> Iterator[Finished]:
        while len(self.working) < self.width and not self.stopping:
            touched = {name for lane in self.working if lane.task is not None for name in lane.task.touches}
            task = next((task for task in waiting if touched.isdisjoint(task.touches)), None)
            if task is None:
                return
            waiting.remove(task)
            lane = self._free_lane(task)
            known = self._begin(task, lane.number)
            if known is None:
                lane.submit(task)
            else:
                yield Finished(task, lane.number, known)

    def _free_lane(self, task: Task) -> Lane:
        stays = isinstance(task, Scan) and task.stays
        free = next((lane for lane in self.lanes if lane.task is None and not (stays and lane.in_process)), None)
        if free is None:
            taken = {lane.number for lane in self.lanes}
            number = next(n for n in range(1, len(taken) + 2) if n not in taken)
            free = Lane(number, in_process=self.width > 1 and self._several and not stays)
            self.lanes.append(free)
        return free

    def _talking(self) -> list[Lane]:
        pipes = {lane.pipe: lane for lane in self.working}
        return [pipes[pipe] for pipe in wait(list(pipes), _TICK) if isinstance(pipe, Connection)] if pipes else []

    def _listen(self, lane: Lane) -> Finished | None:
        task = lane.task
        assert task is not None
        try:
            said = lane.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.lanes.remove(lane)
            lane.kill()
            self._gone(lane, True)
            return Finished(task, lane.number, None, lane.stopped)
        if isinstance(said, Advanced):
            lane.rows, lane.bytes = lane.rows + said.rows, lane.bytes + said.bytes
            self._advance(said.rows, said.bytes)
        elif isinstance(said, FileWanted):
            assert self._next_file is not None
            lane.pipe.send(self._next_file(lane, said))
        else:
            lane.task = None
            return Finished(task, lane.number, said)
        return None

    # --- changing ---------------------------------------------------------------------------------------------------

    def close_idle(self) -> None:
        """End workers beyond the degree that have no task. One that is found dead is gone as any that died.

        :raises MigratorError: one could not end what it held, for example because the disk is full.
        """
        for lane in [lane for lane in self.lanes if lane.task is None][: max(0, len(self.lanes) - self.width)]:
            self._end(lane)

    def _end(self, lane: Lane) -> None:
        self.lanes.remove(lane)
        try:
            lane.close()
        except MigratorError as error:
            lane.kill()
            self._gone(lane, True)
            if not isinstance(error, WorkerDied):
                raise
        else:
            self._gone(lane, False)

    def kill_one(self, number: int) -> bool:
        """End one worker at once; its task ends without an outcome. False: there is none of that number."""
        lane = next((lane for lane in self.lanes if lane.number == number), None)
        if lane is None:
            return False
        lane.stopped = True
        lane.vessel.kill()
        return True

    def close(self) -> None:
        """Let all workers end; none has a task. As :meth:`close_idle`."""
        while self.lanes:
            self._end(self.lanes[-1])

    def kill(self) -> None:
        """End all workers at once."""
        while self.lanes:
            self.lanes.pop().kill()
