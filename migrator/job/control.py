"""A job as an attached client sees it: through its master table, from any process and any machine that reaches the table.

Clients ask by REQUEST rows, which the job's coordinator answers; each shows by a CLIENT row that it is attached.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from migrator import templates
from migrator.config import NO_SECRETS, Secrets
from migrator.dump.storage import storage_of
from migrator.ends import Database
from migrator.errors import (
    AmbiguousJob,
    InvalidRequest,
    JobIsRunning,
    JobNotFound,
    JobNotRunning,
    MigratorError,
    RecordUnreadable,
)
from migrator.job import dump_files
from migrator.job.session import local_database
from migrator.job.table import BRIEFLY, ENDED, LASTING, NAMES, MasterTable, Row, State, Totals, own_lease
from migrator.model.objects import QName
from migrator.spec import JobSpec

NOT_RUNNING = "NOT RUNNING"
"""The state of a job whose process is gone without having stopped it."""
_LOOK = 0.2
_NONE = Totals()


# --- status as values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WorkerStatus:
    """What one worker does; ``method``, ``rows``, ``bytes`` and ``estimate`` are about the granule it moves."""

    number: int
    state: State | str
    path: str = ""
    schema: str = ""
    name: str = ""
    method: str = ""
    rows: int = 0
    bytes: int = 0
    estimate: int = 0

    @property
    def percent(self) -> int | None:
        """How far its granule is; None: not known."""
        return min(99, 100 * self.bytes // self.estimate) if self.estimate else None


@dataclass(frozen=True)
class DumpFileStatus:
    """A dump file of an export; ``bytes`` None: it cannot be seen from here."""

    path: str
    bytes: int | None


@dataclass(frozen=True)
class JobStatus:
    """A job at a moment: ``bytes`` of ``total`` moved, ``age`` seconds after its heartbeat; ``error``: why it stopped."""

    owner: str
    name: str
    operation: str
    mode: str
    state: State | str
    degree: int
    incarnation: int
    bytes: int
    total: int
    eta: float | None
    """About how many seconds are left; None: not known."""
    errors: int
    attached: int
    age: float
    error: str
    command: str
    degree_why: str = ""
    """Of a running job whose PARALLEL has windows: why it is that degree."""
    files: tuple[DumpFileStatus, ...] = ()
    workers: tuple[WorkerStatus, ...] = ()

    @property
    def running(self) -> bool:
        """Whether a process works on it."""
        return self.state not in {NOT_RUNNING, *ENDED}

    @property
    def percent(self) -> int:
        """How much of the rows' bytes has moved; 100 when all has."""
        return 100 * self.bytes // self.total if self.total else 0

    @property
    def longops(self) -> str:
        """The progress as V$SESSION_LONGOPS puts it."""
        done, total = self.bytes >> 20, -(-self.total >> 20)
        return f"{self.name}: {self.operation} : {done} out of {total} MB done"


# --- a job ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A job on record: its master table, and the database that holds it."""

    database: Database
    table: MasterTable

    @property
    def qname(self) -> QName:
        """The master table's name."""
        return self.table.qname

    @property
    def owner(self) -> str:
        """The user whose job it is."""
        with self._open() as connection:
            return self.row(connection).schema

    @contextmanager
    def _open(self) -> Iterator[sa.Connection]:
        """A connection; an error because the master table went away meanwhile says so."""
        with self.database.connect() as connection:
            try:
                yield connection
            except sa.exc.SQLAlchemyError as error:
                if self.table.exists(connection):
                    raise
                raise JobNotFound(job=self.qname) from error

    # --- looking ----------------------------------------------------------------------------------------------------

    def row(self, connection: sa.Connection) -> Row:
        """The job's own row.

        :raises JobNotFound: its master table is gone.
        """
        if not self.table.exists(connection):
            raise JobNotFound(job=self.qname)
        return self.table.job(connection)

    def status(self) -> JobStatus:
        """How it stands.

        :raises JobNotFound: its master table is gone.
        """
        with self._open() as connection:
            row = self.row(connection)
            age = self.table.age(connection)
            granules = self.table.totals(connection, "GRANULE")
            workers = tuple(map(_worker, self.table.rows(connection, "WORKER")))
            files = tuple(DumpFileStatus(file.name, _size(file.name)) for file in self.table.rows(connection, "FILE"))
            attached = self.table.clients(connection)
        state = row.state if row.state in ENDED or row.lives(age) else NOT_RUNNING
        workers = workers if row.lives(age) else ()
        done, total = _progress(granules, workers)
        operation, _, mode = row.path.partition("/")
        why = row.detail.get("degree_why", "") if row.lives(age) else ""
        return JobStatus(
            *(row.schema, row.name, operation, mode, state, row.worker, row.incarnation, done, total),
            *(_eta(granules, workers, total - done), row.rows, attached, age, row.error),
            *(row.detail.get("request", {}).get("command", ""), why, files, workers),
        )

    def spec(self) -> JobSpec:
        """The job's request.

        :raises RecordUnreadable: another version of migrator has written it.
        """
        with self._open() as connection:
            request = self.row(connection).detail.get("request")
        try:
            return JobSpec.from_json(request or {})
        except (TypeError, KeyError, ValueError) as error:
            raise RecordUnreadable(job=self.qname, detail=str(error)) from error

    def messages(self, after: int | None) -> list[tuple[int, str]]:
        """The lines of its log after one, with their numbers; None: no line, but the number of the last."""
        with self._open() as connection:
            if after is None:
                return [(self.table.last(connection, "MESSAGE"), "")]
            return [(row.item, row.detail["text"]) for row in self.table.rows(connection, "MESSAGE", after=after)]

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(self, verb: str, patience: float = 30.0, **detail: Any) -> str:
        """Put a request and wait for its answer; an empty text for a job that ended over it.

        A job with its hands full answers later than ``patience``; the request stands then.

        :raises JobNotRunning: nobody is there to answer, and it is nothing that can wait.
        :raises InvalidRequest: the job refuses.
        """
        status = self.status()
        if not status.running and verb not in LASTING:
            raise JobNotRunning(job=self.qname, state=status.state)
        with self._open() as connection:
            number = self.table.ask(connection, verb, **detail)
        if not status.running:
            return f"{verb} takes effect when the job is started again"
        until = time.monotonic() + patience
        while time.monotonic() < until:
            answer = self._answer(number)
            if answer is not None:
                return answer
            time.sleep(_LOOK)
        return f"the job is busy; {verb} takes effect when it looks"

    def _answer(self, number: int) -> str | None:
        with self._open() as connection:
            if not self.table.exists(connection):
                return ""
            request = next((r for r in self.table.rows(connection, "REQUEST", after=number - 1) if r.item == number), None)
            if request is None or request.state == "COMPLETED":
                return "" if request is None else request.error
            if request.state == "FAILED":
                raise InvalidRequest(detail=request.error.removeprefix(str(InvalidRequest(detail=""))))
            if not _alive(self.table, connection) and self.table.withdraw(connection, "REQUEST", number):
                raise JobNotRunning(job=self.qname, state=NOT_RUNNING)
        return None

    def set_degree(self, degree: int) -> str:
        """PARALLEL: of a running job by request, of a stopped one at once; what became of it.

        :raises InvalidRequest: the job is stopped, and has windows.
        """
        with self._open() as connection:
            if not _alive(self.table, connection):
                degrees = self.spec().degrees
                if degrees.windows:
                    detail = f"the job goes by the clock when it is started again, PARALLEL={degrees}; set it then"
                    raise InvalidRequest(detail=detail)
                self.table.change(connection, "JOB", 1, worker=degree, keep_time=True)
                return f"PARALLEL is {degree} when the job is started again"
        return self.ask("PARALLEL", value=degree)

    def kill_stopped(self, secrets: Secrets = NO_SECRETS) -> tuple[str, ...]:
        """Drop the master table of a job that is not running; the dump files that were deleted with it.

        ``secrets`` open the way to objects of a store.

        :raises JobIsRunning: it is running.
        """
        with self._open() as connection:
            row, age = self.row(connection), self.table.age(connection)
            if row.lives(age):
                raise JobIsRunning(job=self.qname, seconds=round(age, 1))
            self.table.take_over(connection)  # a process that comes back to life finds the job is not its own
            files = [(file.item, file.name) for file in self.table.rows(connection, "FILE")]
            deleted: tuple[str, ...] = ()
            if files:
                storage = storage_of(files[0][1], secrets.credential)
                deleted = dump_files.delete(storage, dump_files.recorded_header(row.detail["header"]), files)
            self.table.drop(connection)
        return deleted

    def await_lease(self, say: Callable[[str], None]) -> None:
        """Make sure that no process works on the job; a dead one's lease is waited for.

        :raises JobIsRunning: its heart beats.
        """
        with self._open() as connection:
            before, age = self.row(connection), self.table.age(connection)
        if not before.lives(age):
            return
        left = f"{before.lease - age:.0f} seconds"
        say(f"The job's heart beat {age:.0f} seconds ago; if its process is dead, the job can be started in {left}")
        while before.lives(age):
            time.sleep(_LOOK)
            with self._open() as connection:
                row, age = self.row(connection), self.table.age(connection)
            if row.state == "STOPPED":
                return
            if row.changed != before.changed:
                raise JobIsRunning(job=self.qname, seconds=round(age, 1))


def _alive(table: MasterTable, connection: sa.Connection) -> bool:
    return table.job(connection).lives(table.age(connection))


def _size(name: str) -> int | None:
    path = Path(name)
    return path.stat().st_size if not templates.is_uri(name) and path.is_file() else None


def _worker(row: Row) -> WorkerStatus:
    state = row.state if row.state == "EXECUTING" else "IDLE"
    method = str(row.detail.get("method", ""))
    return WorkerStatus(row.item, state, row.path, row.schema, row.name, method, row.rows, row.bytes, row.estimate)


def _progress(granules: dict[State, Totals], workers: tuple[WorkerStatus, ...]) -> tuple[int, int]:
    """The bytes that have moved, and those that will have: what is done as it was, the rest as estimated."""
    done, current = granules.get("COMPLETED", _NONE), granules.get("EXECUTING", _NONE)
    moving = sum(worker.bytes for worker in workers if worker.state == "EXECUTING") if current.count else 0
    rest = max(current.estimate, moving) + granules.get("PENDING", _NONE).estimate
    return done.bytes + moving, done.bytes + rest


def _eta(granules: dict[State, Totals], workers: tuple[WorkerStatus, ...], left: int) -> float | None:
    """The seconds that are left at the speed so far, with as many workers as there are."""
    done = granules.get("COMPLETED", _NONE)
    if not done.bytes or not done.seconds:
        return None
    at_work = sum(worker.state == "EXECUTING" for worker in workers)
    return left * done.seconds / done.bytes / at_work if at_work else None


# --- finding jobs ---------------------------------------------------------------------------------------------------


def jobs_in(database: Database, schema: str | None = None) -> list[Job]:
    """The jobs recorded in a database, or in one schema of it."""
    database.adapter.find(database.url)
    with database.connect() as connection:
        tables = master_tables(database, connection, schema)
        return [Job(database, table) for table in tables if _has_job(table, connection)]


def master_tables(database: Database, connection: sa.Connection, schema: str | None = None) -> list[MasterTable]:
    """The master tables in a database, or in one schema of it; one may not have a job's row yet."""
    schemas = (schema,) if schema is not None else database.adapter.schemas(connection)
    found = database.adapter.tables_of(connection, schemas, NAMES) if schemas else ()
    return sorted((MasterTable(name.schema, name.name) for name in found), key=lambda table: str(table.qname))


def _has_job(table: MasterTable, connection: sa.Connection) -> bool:
    """Whether a master table that was found is a job's; it is none if it has gone since."""
    try:
        return bool(table.rows(connection, "JOB"))
    except sa.exc.SQLAlchemyError:
        if table.exists(connection):
            raise
        return False


def standing(jobs: Iterable[Job]) -> Iterator[JobStatus]:
    """How jobs stand; one whose master table has gone since it was found is no job any more."""
    for job in jobs:
        with suppress(JobNotFound):
            yield job.status()


def local_jobs() -> list[Job]:
    """The jobs recorded in the local database; it is not made if it is not there."""
    database = local_database()
    return jobs_in(database) if Path(str(database.url.database)).exists() else []


def find(
    database: Database, name: str | None, owner: str | None = None, mine: Callable[[JobSpec], bool] = lambda spec: True
) -> Job:
    """The job of a name, or the only one: in the connected user's schema, or recorded locally.

    ``owner``: the schema of its master table, as logs and errors name the job, or the user whose job it is, as lists of jobs
    do; it may then be in any schema. ``mine``: whether a job that is recorded locally is one of this database.

    :raises RecordUnreadable: the only one is recorded locally, by another version of migrator.
    :raises JobNotFound: there is none.
    :raises AmbiguousJob: no name is given, and there are several.
    """
    database.adapter.find(database.url)
    where = database.server().schema if owner is None else None
    jobs = list(_named(jobs_in(database, where), name))
    unreadable: RecordUnreadable | None = None
    for job in _named(local_jobs(), name):
        try:
            jobs += [job] if job.database != database and mine(job.spec()) else []
        except RecordUnreadable as error:
            unreadable = error
    found = [job for job in jobs if owner in {None, job.table.schema}] or [job for job in jobs if job.owner == owner]
    if not found and name is not None and unreadable is not None:
        raise unreadable
    if len(found) > 1 and (name is None or owner is not None):
        raise AmbiguousJob(names=", ".join(str(job.qname) for job in found))
    if not found:
        wanted = ".".join(part for part in (owner, name) if part is not None)
        raise JobNotFound(job=wanted or "there is none to attach to")
    return found[0]


def _named(jobs: list[Job], name: str | None) -> Iterator[Job]:
    """The jobs of a name as it is spelled, else in any case."""
    if name is None:
        yield from jobs
        return
    exact = [job for job in jobs if job.table.name == name]
    yield from exact or [job for job in jobs if job.table.name.lower() == name.lower()]


# --- being attached -------------------------------------------------------------------------------------------------


@dataclass
class Attachment:
    """Shows in a job's master table that a client is attached, while its block lasts and ``gone`` is not set."""

    role: str
    who: str
    gone: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def begin(self, database: Database, table: MasterTable) -> None:
        """Be attached from now on.

        :raises BadLease: MIGRATOR_LEASE is none.
        """
        self._thread = threading.Thread(
            target=self._beat, args=(database, table, own_lease()), name="attachment", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self, database: Database, table: MasterTable, lease: float) -> None:
        item = time.time_ns()
        row = Row("CLIENT", item, path=self.role, name=self.who, state="EXECUTING")
        while not self.gone.is_set():
            with suppress(MigratorError), database.connect() as connection:  # a lock, or the job's end: the lease shows it
                database.adapter.hurry(connection, lease / BRIEFLY)
                if not table.change(connection, "CLIENT", item):
                    table.insert(connection, [row])
            if self._ended.wait(lease / 5):
                break
        with suppress(MigratorError), database.connect() as connection:  # the job may be over, and the table gone
            table.withdraw(connection, "CLIENT", item, "EXECUTING")
