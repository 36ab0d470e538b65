"""A job's session: its master table made or taken over, its states, and what stays of it when it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from migrator import windows
from migrator.adapter import Server, adapter_for_backend
from migrator.ends import Database, database_errors
from migrator.errors import (
    ConflictingParameters,
    ConnectionLost,
    DatabaseError,
    InsufficientPrivilege,
    JobExists,
    JobIsRunning,
    JobKilled,
    JobNotFound,
    JobStopped,
    JobTakenOver,
    MasterTableRefused,
    MasterTableStays,
    MigratorError,
    ResourceBusy,
    StateDirectoryFull,
    StateDirectoryRefused,
    TargetChanged,
    WorkUncommitted,
    is_text,
)
from migrator.job.coordinator import Record
from migrator.job.table import BRIEFLY, SUPERSEDED, MasterTable, Row, own_lease
from migrator.model.objects import QName
from migrator.spec import JobSpec

ATTACHED = "ATTACH"
"""The role of a client that reads the job's messages from its master table."""
_MOST = 99
_LOOK = 0.1


@dataclass(frozen=True)
class Start:
    """How a recorded job starts again: with ``skip_current``, without what was in progress."""

    table: MasterTable
    database: Database
    skip_current: bool = False

    def recall(self, name: str) -> Any:
        """A fact recorded of the job as a whole; None: there is none.

        :raises JobNotFound: it is on record no more.
        """
        with self.database.connect() as connection:
            if not self.table.is_ours(connection):
                raise JobNotFound(job=self.table.qname)
            return self.table.job(connection).detail.get(name)


@dataclass
class Session:
    """A job at work: its name, its master table, and the facts recorded of the job as a whole."""

    job: QName
    record: Record
    detail: dict[str, Any]
    heart: Heart
    degree: int
    """PARALLEL, as clients have set it last; of a job with windows as the clock says."""
    restarted: bool
    """Whether the job had been planned when the session began."""
    errors: int = 0
    losses: int = 0
    """How many its log has counted before this session."""

    def note(self, **values: Any) -> None:
        """Record facts of the job as a whole."""
        self.detail = {**self.detail, **values}
        self.record.job(detail=self.detail)

    def recall(self, name: str) -> Any:
        """A fact recorded before; None: there is none."""
        return self.detail.get(name)

    def executing(self) -> None:
        """From now on the job keeps its master table when it stops."""
        self.record.job(state="EXECUTING")


# --- where master tables are ----------------------------------------------------------------------------------------


def local_database() -> Database:
    """The SQLite database of this machine's user for master tables that cannot be in the job's own, which may not be there.

    :raises StateDirectoryRefused: it is named by bytes that are no text.
    """
    state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    path = state / "migrator" / "jobs.db"
    if not is_text(str(path)):
        raise StateDirectoryRefused(path=path.parent, detail="it has bytes that are no text")
    database = Database(sa.URL.create("sqlite", database=str(path)))
    if not sa.event.contains(database.engine, "handle_error", _tell_where_there_is_no_room):
        sa.event.listen(database.engine, "handle_error", _tell_where_there_is_no_room)
    return database


def _tell_where_there_is_no_room(context: sa.ExceptionContext) -> None:
    """Nobody who is told that a database is full would think of the one that job records are in.

    :raises StateDirectoryFull: it is.
    """
    text, about = adapter_for_backend("sqlite").explain(context.original_exception)
    if about == "room" and context.engine is not None:
        raise StateDirectoryFull(path=Path(str(context.engine.url.database)).parent, detail=text)


def _place_in_local_database() -> tuple[Database, str]:
    """The local database and its schema; its directory is made.

    :raises StateDirectoryRefused: that cannot be.
    """
    database = local_database()
    directory = Path(str(database.url.database)).parent
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StateDirectoryRefused(path=directory, detail=error.strerror or str(error)) from error
    return database, "main"


def home(spec: JobSpec, database: Database, server: Server, *, is_read: bool) -> tuple[Database, str]:
    """The database and schema of a job's master table. ``is_read``: the job reads its database, and holds a state of it.

    :raises ConflictingParameters: MASTER_TABLE=DATABASE asks for a place where it cannot be.
    :raises StateDirectoryRefused: it is to be in the local database, whose directory cannot be made.
    """
    unwritable = is_read and not database.adapter.capabilities.writes_while_read
    if unwritable and spec.master_table == "DATABASE":
        title = database.adapter.title
        detail = f"MASTER_TABLE=DATABASE: {title} cannot be written while it is read; the export's master table is LOCAL"
        raise ConflictingParameters(detail=detail)
    if spec.master_table == "LOCAL" or unwritable:
        return _place_in_local_database()
    return database, server.schema


def names(spec: JobSpec) -> Iterator[str]:
    """The names a job may have: JOB_NAME, or the first of SYS_<operation>_<mode>_01 … that is free."""
    if spec.job_name is not None:
        yield spec.job_name
    else:
        yield from (f"SYS_{spec.operation}_{spec.mode}_{number:02}" for number in range(1, _MOST + 1))


class Heart:
    """Beats while its block lasts, on a connection of its own, whatever the coordinator is waiting for.

    A job whose heart could not beat for its whole lease may have been started again by another process, so it is given up,
    unless its database has one writer: that is then this job's own worker, and nobody else can write either.
    """

    def __init__(self, table: MasterTable, database: Database, incarnation: int) -> None:
        self._table, self._database, self._incarnation = table, database, incarnation
        self._lease = own_lease()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self.lost: MigratorError | None = None
        """Why the job is not this process's any more."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        alone = self._database.adapter.capabilities.max_writers == 1
        last = time.monotonic()
        while not self._ended.wait(self._lease / 5):
            began = time.monotonic()
            try:
                with self._database.connect() as connection:
                    self._database.adapter.hurry(connection, self._lease / BRIEFLY)
                    self._table.beat(connection, self._incarnation)
            except JobTakenOver as error:
                self.lost = error
                return
            except MigratorError as error:  # a lock, or a server that restarts: the lease shows whether it lasts
                if not alone and time.monotonic() - last >= self._lease:
                    self.lost = ConnectionLost(detail=f"no heartbeat for {self._lease:.0f} seconds: {error.message}")
                    return
            else:
                last = began


# --- beginning and ending -------------------------------------------------------------------------------------------


@contextmanager
def session(
    spec: JobSpec,
    database: Database,
    server: Server,
    start: Start | None,
    taken: Collection[QName] = (),
    *,
    is_read: bool = False,
) -> Iterator[Session]:
    """A job's session. The master table goes when the job has completed, was killed, or ends before it executed.

    ``taken``: what the job itself is to make; ``is_read``: it reads this database.

    :raises JobExists: the name is taken.
    :raises MasterTableRefused: the table cannot be made.
    :raises JobIsRunning: a job to be started again has a living process.
    :raises TargetChanged: another job has taken its tables since.
    :raises MasterTableStays: it has completed, and its table cannot be dropped.
    """
    if start is None:
        place, schema = home(spec, database, server, is_read=is_read)
    else:
        place, schema = start.database, start.table.schema or ""
    with place.connect() as connection:
        if start is None:
            own = {name.name.lower() for name in taken if place == database and name.schema == schema}
            opened = _define(spec, place, schema, server.user, connection, own)
        else:
            opened = _take_over(spec, start, place, connection)
        try:
            with opened.heart, database_errors(place.adapter):
                yield opened
        except BaseException as error:
            _end_badly(opened, error)
            raise
        opened.record.write_messages()
        opened.record.job(state="COMPLETED")
        _let_clients_see(opened.record)
        if spec.keep_master or spec.master_only:
            return
        try:
            with database_errors(place.adapter):
                opened.record.table.drop(connection)
        except InsufficientPrivilege as refused:
            raise MasterTableStays(job=opened.job, detail=refused.facts["detail"]) from refused


def _define(
    spec: JobSpec, place: Database, schema: str, owner: str, connection: sa.Connection, own: Collection[str]
) -> Session:
    """``own``: names in lower case that the job needs for what it makes."""
    taken: JobExists | None = None
    detail = {"request": spec.to_json(), "lease": own_lease()}
    degree = spec.degrees.at(windows.now())
    for name in names(spec):
        table = MasterTable(schema, name)
        row = Row("JOB", 1, f"{spec.operation}/{spec.mode}", owner, name, "DEFINING", 1, degree, detail=detail)
        try:
            if name.lower() in own:
                raise JobExists(job=table.qname)
            _create(table, place, connection)
            table.define(connection, row)
        except JobExists as error:
            taken = error
        else:
            return _session(row, Record(table, place, connection))
    assert taken is not None
    raise taken


def _session(row: Row, record: Record) -> Session:
    heart = Heart(record.table, record.database, record.incarnation)
    planned = "plan" in row.detail
    failed = sum(found.state == "FAILED" for found in record.rows("OBJECT")) if planned else 0
    return Session(record.table.qname, record, row.detail, heart, row.worker, planned, max(row.rows, failed), row.bytes)


def _create(table: MasterTable, place: Database, connection: sa.Connection) -> None:
    try:
        with database_errors(place.adapter):
            table.create(connection)
    except (DatabaseError, InsufficientPrivilege) as error:
        if table.exists(connection):  # made by another job meanwhile
            raise JobExists(job=table.qname) from error
        raise MasterTableRefused(job=table.qname, detail=error.message) from error


def _take_over(spec: JobSpec, start: Start, place: Database, connection: sa.Connection) -> Session:
    table, lease = start.table, own_lease()
    if not table.is_ours(connection):
        raise JobNotFound(job=table.qname)
    row, age = table.job(connection), table.age(connection)
    if row.lives(age):
        raise JobIsRunning(job=table.qname, seconds=round(age, 1))
    if (by := row.detail.get(SUPERSEDED)) is not None:
        raise superseded(by)
    await_commits(table, place, lease)
    taken = table.take_over(connection, row.incarnation, skip_current=start.skip_current)
    opened = _session(taken, Record(table, place, connection, taken.incarnation))
    opened.note(lease=lease)
    if spec.windows:
        opened.degree = spec.degrees.at(windows.now())
    return opened


def superseded(by: Mapping[str, str]) -> TargetChanged:
    """Why a job is not started again, by what its record says under :data:`SUPERSEDED`: ``job``, and its ``tables``."""
    return TargetChanged(object=by["tables"], detail=f"job {by['job']} took what this job had left there")


def await_commits(table: MasterTable, place: Database, lease: float) -> None:
    """Workers of the process before may still be committing.

    :raises WorkUncommitted: one does not end within the lease.
    """
    until = time.monotonic() + lease
    while True:
        try:
            with place.connect() as connection:
                return table.see_no_commits(connection)
        except ResourceBusy as error:
            if time.monotonic() > until:
                raise WorkUncommitted(job=table.qname, detail=error.facts["detail"]) from error
        time.sleep(_LOOK)


def _let_clients_see(record: Record) -> None:
    """Attached clients learn how the job ended from its master table, and detach; this waits for them, not for ever."""
    until = time.monotonic() + own_lease()
    while time.monotonic() < until and record.table.clients(record.connection, ATTACHED):
        time.sleep(_LOOK)


def _end_badly(opened: Session, error: BaseException) -> None:
    """Keep the record of a job that can be started again; the error that ended the job goes before errors in here.

    The end is recorded through a new connection: the job's may be lost, or a signal came in the middle of its statement.
    """
    record = opened.record
    with suppress(sa.exc.SQLAlchemyError):
        record.connection.invalidate()
    try:
        with record.database.connect() as connection:
            record.connection = connection
            record.job()
            executed = record.table.job(connection).state != "DEFINING"
            if isinstance(error, JobKilled) or not executed:
                record.table.drop(connection)
            else:
                record.write_messages()
                record.job(state="STOPPED", error=_reason(opened.job, error))
    except (MigratorError, sa.exc.SQLAlchemyError):
        return  # the database is gone, or the job is another process's: clients see that nobody works on it


def _reason(job: QName, error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        error = JobStopped(job=job)
    return str(error) if isinstance(error, MigratorError) else f"{type(error).__name__}: {error}"
