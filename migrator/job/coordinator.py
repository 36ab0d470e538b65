"""The coordinator: hands tasks to workers, keeps the master table, hears requests of clients, says what the log says.

It is the one writer of the master table but for the done marks that workers set with their rows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

import sqlalchemy as sa

from migrator import converting, windows
from migrator.ends import Database, DumpedRows, database_errors
from migrator.errors import (
    DumpSpaceExhausted,
    FatalError,
    FileNotWritable,
    InvalidRequest,
    JobKilled,
    JobStopped,
    MigratorError,
    NotADumpFile,
    ResourceBusy,
    WorkerDied,
)
from migrator.job.lanes import Finished, Lane, Pool
from migrator.job.rejecting import Rejected
from migrator.job.report import JobLog, Progress
from migrator.job.table import DoneMark, Kind, MasterTable, Row
from migrator.job.worker import (
    LOST,
    Build,
    Claim,
    Failure,
    FileGiven,
    FileWanted,
    Made,
    Move,
    Outcome,
    Scan,
    Store,
    Task,
    make,
)
from migrator.model.objects import QName
from migrator.windows import Degrees, Window

_NEWS = 1.0
_POLL = 0.5
_ATTEMPTS = 3
"""How often a task is begun before a worker that dies over it makes it fail."""
_FATAL = (FatalError,)
_FATAL_TO_EXPORTS = (FatalError, FileNotWritable, DumpSpaceExhausted, NotADumpFile)
"""What stops a job over a granule that is left to be done again, instead of failing its table."""


@dataclass
class Record:
    """The coordinator's hold on its job's master table, through a connection of its own.

    Every call that writes raises :class:`~migrator.errors.JobTakenOver` once another process has started the job.
    """

    table: MasterTable
    database: Database
    connection: sa.Connection = field(repr=False)
    incarnation: int = 1
    said: deque[str] = field(default_factory=deque, repr=False)
    """Lines of the log that are not in the table yet."""
    messages: int | None = None
    """How many lines are in the table; None: not looked yet."""
    log: JobLog | None = field(default=None, repr=False)
    """The log whose errors and losses are recorded with every change of the job's row, so that a restart knows of them."""

    def mark(self, database: Database, kind: Kind, item: int) -> DoneMark | None:
        """How a worker marks something done that it does in ``database``; None: the coordinator has to, afterwards."""
        return DoneMark(self.table, kind, item, self.incarnation) if database == self.database else None

    def claim(self, item: int) -> Claim:
        """How a worker sees that a granule is still this process's to do, in whatever database it does it."""
        return Claim(self.database, DoneMark(self.table, "GRANULE", item, self.incarnation))

    def begin(self, kind: Kind, item: int, **values: Any) -> bool:
        """Something begins to execute; False: it is done already."""
        begun = self.table.begin(self.connection, kind, item, self.incarnation, **values)
        if not begun:
            self.job()
        return begun

    def change(self, kind: Kind, item: int, **values: Any) -> None:
        """Change a row."""
        if not self.table.change(self.connection, kind, item, within=self.incarnation, **values):
            self.job()

    def insert(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        self.job()
        try:
            self.table.insert(self.connection, rows)
        except sa.exc.IntegrityError:  # of the process that took the job over since, which numbers its rows as this one
            self.job()
            raise

    def remove(self, kind: Kind, item: int) -> None:
        """Remove one row."""
        self.job()
        self.table.remove(self.connection, kind, item, self.incarnation)

    def clear(self, *kinds: Kind) -> None:
        """Remove the rows of some kinds."""
        self.job()
        self.table.clear(self.connection, kinds, self.incarnation)

    def rows(self, kind: Kind, **which: Any) -> list[Row]:
        """The rows of a kind."""
        return self.table.rows(self.connection, kind, **which)

    def job(self, **values: Any) -> None:
        """Change the job's own row.

        :raises JobTakenOver: another process has started the job since.
        """
        counted = {} if self.log is None else {"rows": self.log.errors, "bytes": self.log.losses}
        self.table.beat(self.connection, self.incarnation, **counted, **values)

    def write_messages(self) -> None:
        """Put the lines of the log into the table."""
        lines = [self.said.popleft() for _ in range(len(self.said))]
        while True:
            if self.messages is None:
                self.messages = self.table.last(self.connection, "MESSAGE")
            numbered = enumerate(lines, self.messages + 1)
            try:
                self.insert([Row("MESSAGE", number, state="COMPLETED", detail={"text": line}) for number, line in numbered])
            except sa.exc.IntegrityError:  # the last line of the process whose job this was came just now
                self.messages = None
            else:
                self.messages += len(lines)
                return


def _items(task: Task) -> tuple[int, ...]:
    """The items of the master table that a task is about; a scan is not in it."""
    match task:
        case Move():
            return (task.item,)
        case Build():
            return tuple(made.item for made in task.objects)
        case Scan():
            return ()


def _done_without(move: Move, outcome: Outcome) -> Outcome:
    """The outcome of a granule in a damaged part of a dump file set: done without its rows, where that may be."""
    if not (move.lossy and isinstance(outcome.error, NotADumpFile) and isinstance(move.rows_from, DumpedRows)):
        return outcome
    text = f"{move.rows_from.rows} rows of {move.name}, granule {move.item}, are lost: {outcome.error}"
    return Outcome(seconds=outcome.seconds, lost=text)


class Files(Protocol):
    """The dump files of an export."""

    def next(self, lane: Lane, wanted: FileWanted) -> FileGiven:
        """A file for a worker."""

    def free(self, lane: Lane, *, died: bool) -> list[Row]:
        """A worker is no more; the granules that are lost with it and must be moved again."""

    def add(self, detail: dict[str, Any]) -> str:
        """Do what ADD_FILE asks for; what was done."""


@dataclass
class Hours:
    """The windows of PARALLEL, as a job goes by them."""

    degrees: Degrees
    note: Callable[..., None] = lambda **values: None
    """Records facts of the job as a whole."""
    begun: tuple[Window | None] | None = None
    """The window that the degree was set for, None in it: that none was open; None: nothing was set yet."""


class Coordinator:
    """Drives the tasks of one job, phase by phase."""

    def __init__(
        self,
        record: Record,
        log: JobLog,
        progress: Progress,
        degree: int,
        *,
        limit: Callable[[], int | None] = lambda: None,
        files: Files | None = None,
        lost: Callable[[], MigratorError | None] = lambda: None,
        single_writer: bool = False,
        hours: Hours | None = None,
    ) -> None:
        """``limit``: how many workers there may be whatever the degree; ``lost``: why the job is not this process's any
        more; ``single_writer``: while a worker writes, nobody else can, so that news is written between tasks only;
        ``hours``: the times at which the degree changes by itself."""
        self._hours = Hours(Degrees()) if hours is None else hours
        self.record, self._log, self._progress = record, log, progress
        self._files, self._lost, self._single_writer = files, lost, single_writer
        self._stopping = self._silent = False
        self._told = self._polled = 0.0
        self._told_errors = log.errors
        self._workers: set[int] = set()
        self._lost_rows: list[Row] = []
        log.sink = record.said.append
        self.pool = Pool(
            degree,
            limit=limit,
            advance=progress.advance,
            next_file=None if files is None else files.next,
            tick=self.tick,
            begin=self._begin,
            gone=self._gone,
        )

    # --- rows -------------------------------------------------------------------------------------------------------

    def move(
        self,
        moves: Sequence[Move],
        details: Mapping[int, dict[str, Any]] = MappingProxyType({}),
        again: Callable[[Move], None] = lambda move: None,
    ) -> Iterator[tuple[Move, Outcome, int]]:
        """Perform moves as workers come free; each with its outcome and its worker.

        ``details``: what is recorded of an export's granules, by item, which their pieces are added to. ``again`` is told of
        a granule that was moved and is lost, since its worker died before it had ended its dump file: it comes once more.

        :raises JobStopped: a client asked for it, and what was at work has ended.
        :raises JobKilled: a client asked for it.
        :raises FatalError: a connection is lost, or a database full.
        :raises FileNotWritable: a dump file.
        :raises DumpSpaceExhausted: there is no further dump file.
        :raises NotADumpFile: a dump file does not hold any more what was written to it.
        """
        for finished in self._run(moves, again):
            task = finished.task
            assert isinstance(task, Move)
            assert finished.outcome is not None
            outcome = _done_without(task, finished.outcome)
            if isinstance(outcome.error, _FATAL if task.rows_to is not None else _FATAL_TO_EXPORTS):
                raise outcome.error  # the granule is done again when the job is started again
            state = "COMPLETED" if outcome.error is None else "FAILED"
            values: dict[str, Any] = {"worker": finished.worker}
            if outcome.error is not None or outcome.lost or task.done is None:
                values |= {"state": state, "rows": outcome.rows, "bytes": outcome.bytes, "seconds": outcome.seconds}
                values |= {"error": "" if outcome.error is None else str(outcome.error)}
                if isinstance(task.rows_to, Store) and (task.rows_to.noting or outcome.lost):
                    values["detail"] = outcome.recorded(task.rows_to.detail)
                elif task.rows_to is None:
                    values["detail"] = {**details[task.item], "pieces": [vars(piece) for piece in outcome.pieces]}
                    if outcome.found is not None:
                        values["detail"]["digest"] = outcome.found.to_json()
            self.record.change("GRANULE", task.item, **values)
            yield task, outcome, finished.worker

    # --- objects ----------------------------------------------------------------------------------------------------

    def build(self, builds: Sequence[Build]) -> Iterator[tuple[Made, Failure | None, int]]:
        """Make objects as workers come free; each with what went wrong, and its worker.

        :raises FatalError: a connection is lost, or the database full.
        """
        for finished in self._run(builds):
            task, outcome = finished.task, finished.outcome
            assert isinstance(task, Build)
            assert outcome is not None
            if isinstance(outcome.error, FatalError):
                raise outcome.error
            failures = {failure.item: failure for failure in outcome.failures}
            for made in task.objects:
                failure = failures.get(made.item)
                if outcome.error is not None:
                    failure = Failure(made.item, outcome.error, "")
                self._settle(made, failure, finished.worker)
                yield made, failure, finished.worker

    def scan(self, scans: Sequence[Scan]) -> Iterator[tuple[Scan, Outcome]]:
        """Look at rows as workers come free; each scan with its outcome.

        :raises JobStopped: as :meth:`move`, and JobKilled.
        :raises FatalError: a connection is lost.
        """
        for finished in self._run(scans):
            assert isinstance(finished.task, Scan)
            assert finished.outcome is not None
            if isinstance(finished.outcome.error, FatalError):
                raise finished.outcome.error
            yield finished.task, finished.outcome

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While the block lasts, nothing is written into the master table, since a snapshot of its database bars that."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def make(self, database: Database, connection: sa.Connection, made: Made) -> Failure | None:
        """Make one object at once, on a connection of the coordinator's.

        :raises FatalError: the connection is lost, or the database full.
        """
        self.tick()
        self.record.begin("OBJECT", made.item)
        failure = make(database.adapter, connection, made)
        self._settle(made, failure, 1)
        return failure

    def _settle(self, made: Made, failure: Failure | None, worker: int) -> None:
        if failure is not None and isinstance(failure.error, FatalError):
            raise failure.error
        if failure is not None:
            self.record.change("OBJECT", made.item, state="FAILED", error=str(failure.error), worker=worker)
        elif made.done is None:
            self.record.change("OBJECT", made.item, state="COMPLETED", worker=worker)

    # --- tasks ------------------------------------------------------------------------------------------------------

    def _run(self, tasks: Sequence[Task], lost: Callable[[Move], None] = lambda move: None) -> Iterator[Finished]:
        died: dict[tuple[int, ...], int] = {}
        moves = {task.item: task for task in tasks if isinstance(task, Move)}
        left = list(tasks)
        while left:
            again: list[Task] = []
            for finished in self.pool.run(left):
                while self._lost_rows:
                    move = moves[self._lost_rows.pop().item]
                    lost(move)
                    again.append(move)
                if finished.outcome is not None:
                    yield finished
                    continue
                how = "was stopped" if finished.stopped else "died"
                text = f"worker {finished.worker} {how}; what it had not committed is rolled back"
                self._log.message(text, finished.worker)
                if isinstance(finished.task, Move) and finished.task.in_doubt:
                    detail = f"{how}; whether {finished.task.name} has its last rows is told when the job is started again"
                    raise WorkerDied(worker=finished.worker, detail=detail)
                made, task = self._divided(finished.task)
                if made is not None:
                    yield Finished(made, finished.worker, Outcome())
                if task is None:
                    continue
                items = _items(task)
                died[items] = died.get(items, 0) + (not finished.stopped)
                if died[items] < _ATTEMPTS:
                    again.append(task)
                else:
                    error = WorkerDied(worker=finished.worker, detail=f"died; {_ATTEMPTS} workers died over this")
                    yield Finished(task, finished.worker, Outcome(error=error))
            left = again
        if self._stopping:
            raise JobStopped(job=self.record.table.qname)

    def _divided(self, task: Task) -> tuple[Build | None, Task | None]:
        """What of a task a dead worker had done, as far as that can be seen here, and what is left."""
        if not isinstance(task, Build):
            return None, task
        done = {row.item for row in self.record.rows("OBJECT", state="COMPLETED")}
        made = tuple(made for made in task.objects if made.item in done)
        left = tuple(replace(made, begun=True) for made in task.objects if made.item not in done)
        return replace(task, objects=made) if made else None, replace(task, objects=left) if left else None

    def _begin(self, task: Task, worker: int) -> Outcome | None:
        """Record that a task begins; its outcome if it is done already."""
        if isinstance(task, Build):
            for made in task.objects:
                self.record.begin("OBJECT", made.item, worker=worker)
            return None
        if isinstance(task, Scan) or self.record.begin("GRANULE", task.item, worker=worker):
            return None
        row = next(row for row in self.record.rows("GRANULE", after=task.item - 1) if row.item == task.item)
        rejected, converted = Rejected.of(row.detail), converting.recalled(row.detail)
        lost = row.detail.get(LOST, "")
        return Outcome(row.rows, row.bytes, row.seconds, rejected=rejected, converted=converted, lost=lost)

    def _gone(self, lane: Lane, died: bool) -> None:
        if self._files is None:
            return
        for row in self._files.free(lane, died=died):
            self.again(row)
            self._lost_rows.append(row)

    def again(self, row: Row) -> None:
        """Say that a granule has to be unloaded again."""
        name = QName(row.schema, row.name)
        self._log.message(f"granule {row.item} of {name} is not in its dump file, and is unloaded again")

    # --- news, and what clients ask --------------------------------------------------------------------------------

    def tick(self) -> None:
        """Tell and listen, where it is time to.

        :raises JobStopped: a client asked for it.
        :raises JobKilled: a client asked for it.
        :raises JobTakenOver: another process has started the job since.
        :raises FileNotWritable: a worker that was to end could not end its dump file.
        """
        lost = self._lost()
        if lost is not None:
            raise lost
        now = time.monotonic()
        if now - self._polled >= _POLL and not self._silent:
            self._polled = now
            self._listen()
        news = now - self._told >= _NEWS or self._log.errors != self._told_errors
        if news and not (self._silent or (self._single_writer and self.pool.working)):
            self._told = now
            self.tell()

    def _listen(self) -> None:
        """Do what the clock says, and answer what clients ask."""
        try:
            with database_errors(self.record.database.adapter):
                self._follow_the_clock()
                for request in self.record.rows("REQUEST", state="PENDING"):
                    self._answer(request)
        except ResourceBusy:  # where one connection writes, that is this job's own worker: it is asked again later
            if not (self._single_writer and self.pool.working):
                raise

    def tell(self) -> None:
        """Write into the master table what workers do, and what the log said."""
        self._told_errors = self._log.errors
        rows = [self._worker_row(lane) for lane in self.pool.lanes]
        for row in rows:
            if row.item in self._workers:
                self.record.change(
                    "WORKER", **{name: value for name, value in vars(row).items() if name not in {"kind", "changed"}}
                )
            else:
                self._workers.add(row.item)
                self.record.insert([row])
        self.record.write_messages()

    def _worker_row(self, lane: Lane) -> Row:
        task = lane.task
        row = Row("WORKER", lane.number, worker=lane.number, rows=lane.rows, bytes=lane.bytes)
        if isinstance(task, Move):
            return replace(
                row,
                path="TABLE_DATA",
                schema=task.name.schema,
                name=task.name.name,
                state="EXECUTING",
                estimate=task.size,
                seconds=time.monotonic() - lane.began,
                detail={"method": task.method, "granule": task.item},
            )
        if isinstance(task, Scan):
            name, detail = task.name, {"method": "verify"}
            return replace(row, path="TABLE_DATA", schema=name.schema, name=name.name, state="EXECUTING", detail=detail)
        if isinstance(task, Build):
            return replace(row, path="OBJECT", state="EXECUTING", name=task.objects[0].label)
        return row

    def _answer(self, request: Row) -> None:
        verb, detail = request.path, request.detail
        try:
            answer = self._obey(verb, detail)
        except (JobStopped, JobKilled):
            self.record.change("REQUEST", request.item, state="COMPLETED")
            raise
        except MigratorError as error:
            self.record.change("REQUEST", request.item, state="FAILED", error=str(error))
            if isinstance(error, _FATAL_TO_EXPORTS):
                raise
        else:
            self.record.change("REQUEST", request.item, state="COMPLETED", error=answer)

    def _obey(self, verb: str, detail: dict[str, Any]) -> str:
        obey: dict[str, Callable[[dict[str, Any]], str]] = {
            "PARALLEL": self._set_degree,
            "STOP_JOB": self._stop_job,
            "KILL_JOB": self._kill_job,
            "STOP_WORKER": self._stop_worker,
        }
        if self._files is not None:
            obey["ADD_FILE"] = self._files.add
        if verb not in obey:
            raise InvalidRequest(detail=f"this job takes no {verb}")
        return obey[verb](detail)

    def _set_degree(self, detail: dict[str, Any]) -> str:
        degree = int(detail["value"])
        if not self._hours.degrees.windows:
            self._change_degree(degree)
            return f"PARALLEL is {degree}"
        until = self._hours.degrees.until(windows.now())
        self._change_degree(degree, f"by hand until {until}")
        return f"PARALLEL is {degree} until {until}"

    def _follow_the_clock(self) -> None:
        """Set the degree anew where another window is open than when it was set last, or none any more.

        What a client has asked for holds until then.
        """
        hours, moment = self._hours, windows.now()
        window = hours.degrees.window(moment)
        if hours.degrees.windows and hours.begun != (window,):
            self._change_degree(hours.degrees.at(moment), hours.degrees.why(moment))
            hours.begun = (window,)

    def _change_degree(self, degree: int, why: str = "") -> None:
        """``why``: of a job with windows, for its log and its status."""
        self.record.job(worker=degree)
        if why:
            self._hours.note(degree_why=why)
            self._log.message(f"PARALLEL is {degree}: {why}")
        self.pool.degree = degree
        self.pool.close_idle()

    def _stop_job(self, detail: dict[str, Any]) -> str:
        if not detail.get("immediate"):
            self._stopping = self.pool.stopping = True
            self.record.job(state="STOP PENDING")
        if detail.get("immediate") or not self.pool.working:
            raise JobStopped(job=self.record.table.qname)
        return "the job stops when its workers have ended what they are doing"

    def _kill_job(self, _: dict[str, Any]) -> str:
        raise JobKilled(job=self.record.table.qname)

    def _stop_worker(self, detail: dict[str, Any]) -> str:
        if not self.pool.kill_one(int(detail["value"])):
            raise InvalidRequest(detail=f"there is no worker {detail['value']}")
        return f"worker {detail['value']} is stopped; what it was doing is done again"

    # --- how it ends ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """All is done: let the workers end.

        :raises WorkerDied: one was dead, and rows are lost that it had not ended in an object of a store.
        """
        self.pool.close()
        if self._lost_rows:
            raise WorkerDied(worker="process", detail="died before its dump file was ended; start the job again")
        self.tell()

    def abandon(self) -> None:
        """End the workers at once."""
        self.pool.kill()
