"""The master table: a job's record, a table of the job's database named as the job. ``SELECT`` on it is documented use.

Every row is of one kind: the job, an object to make, a granule of rows to move, a dump file, a worker, a request of an
attached client, a line of the log, a client that is attached, an entry of the loss list. The coordinator writes them but for
two: clients write their own rows and requests, and the worker that loads a granule's rows marks the granule done in the same
transaction. Each process that takes the job over has a higher incarnation; changes by an earlier one find no row to change.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from migrator.errors import BadLease, JobExists, JobNotFound, JobTakenOver, TablesTaken
from migrator.model.objects import QName

Kind = Literal["JOB", "OBJECT", "GRANULE", "FILE", "WORKER", "REQUEST", "MESSAGE", "CLIENT", "LOSS"]
State = Literal["DEFINING", "EXECUTING", "COMPLETED", "STOP PENDING", "STOPPED", "PENDING", "FAILED", "SKIPPED"]

ENDED = frozenset({"STOPPED", "COMPLETED"})
"""The states of a job that no process works on."""

SUPERSEDED = "superseded"
"""What a job's record says once another job has taken tables that it had left when it stopped or died: which, ``tables``,
and that ``job``."""

SKIPPED = "it was in progress and START_JOB=SKIP_CURRENT left it out"
"""The error of an object or granule that was skipped."""

LASTING = ("ADD_FILE",)
"""The requests that a job obeys even when it was started again since."""

_OF_CLIENTS = ("REQUEST", "CLIENT")
"""The kinds of rows that clients write."""

_CHUNK, _CHUNK_BYTES = 100, 8192
"""How many rows one INSERT takes, and about how many bytes of texts in them: each is a transaction, and a packet that a
server takes which takes 16 KiB."""


@dataclass(frozen=True)
class MasterColumn:
    """A column of every master table: its name, its type, and what it means."""

    name: str
    type: sa.types.TypeEngine[Any]
    meaning: str


BRIEFLY = 50
"""The part of a lease for which a heartbeat waits for a lock: those of a job and of its clients leave others time enough."""


def own_lease() -> float:
    """Seconds without a heartbeat after which a job of this process counts as not running, and a client as not attached.

    A job's lease is on record: others go by that, not by their own.

    :raises BadLease: MIGRATOR_LEASE is none.
    """
    given = os.environ.get("MIGRATOR_LEASE", "10")
    try:
        seconds = float(given)
    except ValueError as error:
        raise BadLease(value=given) from error
    if not 0 < seconds <= threading.TIMEOUT_MAX:  # which NaN is not either
        raise BadLease(value=given)
    return seconds


def _text() -> sa.Text:
    return sa.Text().with_variant(sa.Text(2**31), "mysql", "mariadb")


COLUMNS = (
    MasterColumn(
        "kind", sa.String(10), "what the row is: JOB, OBJECT, GRANULE, FILE, WORKER, REQUEST, MESSAGE, CLIENT or LOSS"
    ),
    MasterColumn("item", sa.BigInteger(), "its number within the kind, in the order of the plan; the job is 1"),
    MasterColumn("object_path", sa.String(100), "the object type path, as logs show it; a request's verb; a loss's rule"),
    MasterColumn("object_schema", sa.String(255), "the object's schema; the job's owner"),
    MasterColumn("object_name", sa.String(700), "the object's name; the job's name; a dump file's path"),
    MasterColumn("state", sa.String(12), "PENDING, EXECUTING, COMPLETED, FAILED or SKIPPED; the job's state"),
    MasterColumn("incarnation", sa.Integer(), "how often the job had been started when the row last began to execute"),
    MasterColumn("worker", sa.Integer(), "the worker that did it or does it; the job's degree of parallelism"),
    MasterColumn("attempts", sa.Integer(), "how often it was begun"),
    MasterColumn("row_count", sa.BigInteger(), "rows moved; the errors that the job has logged; the rows of a loss"),
    MasterColumn("byte_count", sa.BigInteger(), "bytes moved, as Arrow has them; the losses that the job has logged"),
    MasterColumn("estimated_bytes", sa.BigInteger(), "bytes expected"),
    MasterColumn("seconds", sa.Double(), "time spent on it"),
    MasterColumn("changed_at", sa.DateTime(), "when the row was last changed; a job's and an attached client's heartbeat"),
    MasterColumn("error", _text(), "why it failed, or how a request was answered"),
    MasterColumn("detail", _text(), "what else is recorded of it, as JSON: the job's request, a granule's bounds or pieces"),
)
"""The columns of every master table."""

NAMES = tuple(column.name for column in COLUMNS)

_NOW = {"changed_at": sa.func.current_timestamp()}
"""A change's time, by the database's clock."""


@dataclass(frozen=True)
class Row:
    """One row of a master table; fields as :data:`COLUMNS` explains them."""

    kind: Kind
    item: int
    path: str = ""
    schema: str = ""
    name: str = ""
    state: State = "PENDING"
    incarnation: int = 0
    worker: int = 0
    attempts: int = 0
    rows: int = 0
    bytes: int = 0
    estimate: int = 0
    seconds: float = 0.0
    changed: datetime | None = None
    error: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def lease(self) -> float:
        """Of a job: the seconds without a heartbeat after which it counts as not running."""
        recorded = self.detail.get("lease")
        return own_lease() if recorded is None else float(recorded)

    def lives(self, age: float) -> bool:
        """Of a job whose heart beat ``age`` seconds ago: whether a process works on it."""
        return self.state not in ENDED and age < self.lease


@dataclass(frozen=True)
class Totals:
    """Sums over rows of a master table."""

    count: int = 0
    bytes: int = 0
    estimate: int = 0
    seconds: float = 0.0


_FIELDS = dict(
    zip(
        (
            *("kind", "item", "path", "schema", "name", "state", "incarnation", "worker", "attempts", "rows", "bytes"),
            *("estimate", "seconds", "changed", "error", "detail"),
        ),
        NAMES,
        strict=True,
    )
)


def is_master_table(columns: Sequence[str]) -> bool:
    """Whether a table with these columns is a job's record, which is no part of what jobs move."""
    return tuple(name.lower() for name in columns) == NAMES


@cache
def _table(schema: str | None, name: str) -> sa.Table:
    columns = [
        sa.Column(c.name, c.type, primary_key=c.name in {"kind", "item"}, autoincrement=False, nullable=True)
        for c in COLUMNS
    ]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema, mysql_engine="InnoDB", mariadb_engine="InnoDB")


@dataclass(frozen=True)
class MasterTable:
    """One job's master table, by name. It holds no connection: every call takes one, in autocommit mode unless said.

    What is told an incarnation happens only while the job is in it: a process whose job another has taken over changes
    nothing any more.
    """

    schema: str | None
    name: str

    @property
    def qname(self) -> QName:
        """The table's name, which is the job's."""
        return QName(self.schema or "", self.name)

    @property
    def table(self) -> sa.Table:
        """The table as SQLAlchemy sees it."""
        return _table(self.schema, self.name)

    # --- the table --------------------------------------------------------------------------------------------------

    def exists(self, connection: sa.Connection) -> bool:
        """Whether a table or view of this name is there."""
        return sa.inspect(connection).has_table(self.name, self.schema)

    def is_ours(self, connection: sa.Connection) -> bool:
        """Whether it is there and is a master table."""
        if not self.exists(connection):
            return False
        nothing = sa.select(sa.text("*")).select_from(self.table).where(sa.false())
        return is_master_table(list(connection.execute(nothing).keys()))

    def create(self, connection: sa.Connection) -> None:
        """Make the table; one that a process has made and not filled, because it died, is taken.

        :raises JobExists: a table, view or job has the name.
        """
        if not self.exists(connection):
            self.table.create(connection, checkfirst=False)
        elif not self.is_ours(connection) or self.rows(connection, "JOB"):
            raise JobExists(job=self.qname)

    def define(self, connection: sa.Connection, job: Row) -> None:
        """Put the job's own row into a fresh table.

        :raises JobExists: another process was faster.
        """
        try:
            self.insert(connection, [job])
        except sa.exc.IntegrityError as error:
            raise JobExists(job=self.qname) from error

    def drop(self, connection: sa.Connection) -> None:
        """Remove the table."""
        self.table.drop(connection, checkfirst=False)

    # --- rows -------------------------------------------------------------------------------------------------------

    def insert(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        """Add rows."""
        for part in _parts([_values(row) for row in rows]):
            connection.execute(self.table.insert().values([{**values, **_NOW} for values in part]))

    def remove(self, connection: sa.Connection, kind: Kind, item: int, incarnation: int) -> None:
        """Remove one row."""
        table = self.table
        connection.execute(
            table.delete().where(table.c.kind == kind, table.c.item == item, self.in_incarnation(incarnation))
        )

    def clear(self, connection: sa.Connection, kinds: Sequence[Kind], incarnation: int) -> None:
        """Remove the rows of some kinds."""
        connection.execute(self.table.delete().where(self.table.c.kind.in_(kinds), self.in_incarnation(incarnation)))

    def in_incarnation(self, incarnation: int | sa.BindParameter[int]) -> sa.ColumnElement[bool]:
        """That the job is in this incarnation; as a derived table, since MySQL reads no table that it changes."""
        c = self.table.c
        job = sa.select(c.incarnation).where(c.kind == "JOB").distinct().subquery("job")
        return sa.select(job.c.incarnation).scalar_subquery() == incarnation

    def rows(self, connection: sa.Connection, kind: Kind, *, after: int = 0, state: State | None = None) -> list[Row]:
        """The rows of a kind, in order; those after a number, or in a state, only."""
        table = self.table
        wanted = sa.select(table).where(table.c.kind == kind, table.c.item > after).order_by(table.c.item)
        if state is not None:
            wanted = wanted.where(table.c.state == state)
        return [_row(found) for found in connection.execute(wanted)]

    def last(self, connection: sa.Connection, kind: Kind) -> int:
        """The number of the last row of a kind; 0: there is none."""
        c = self.table.c
        found = connection.execute(sa.select(sa.func.max(c.item)).where(c.kind == kind)).scalar_one()
        return int(found or 0)

    def job(self, connection: sa.Connection) -> Row:
        """The job's own row.

        :raises JobNotFound: there is none: the process that made the table died at once.
        """
        found = self.rows(connection, "JOB")
        if not found:
            raise JobNotFound(job=self.qname)
        return found[0]

    def age(self, connection: sa.Connection) -> float:
        """Seconds since the job's heartbeat, by the database's clock."""
        c = self.table.c
        return _seconds(connection.execute(sa.select(self._now(), c.changed_at).where(c.kind == "JOB")).one())

    def pulse(self, connection: sa.Connection) -> tuple[datetime, float]:
        """When the job's heart beat, or its process or a worker changed something, last; and how many seconds ago.

        Where one connection writes, a heart cannot beat while a worker does.
        """
        c = self.table.c
        newest = sa.func.max(c.changed_at)
        found = connection.execute(sa.select(self._now(), newest).where(c.kind.notin_(_OF_CLIENTS))).one()
        return found[1], _seconds(found)

    def _now(self) -> sa.ColumnElement[datetime]:
        return sa.type_coerce(sa.func.current_timestamp(), sa.DateTime())

    def change(
        self,
        connection: sa.Connection,
        kind: Kind,
        item: int,
        *,
        within: int | None = None,
        keep_time: bool = False,
        **values: Any,
    ) -> bool:
        """Change the fields of one row; False: there is none (any more).

        ``within``: only while the job is in this incarnation. ``keep_time``: it is no heartbeat.
        """
        changes = _columns(values)
        statement = _changing(self, tuple(changes), within is not None, kind == "JOB", keep_time)
        return connection.execute(statement, _given(kind, item, within, changes)).rowcount == 1

    def beat(self, connection: sa.Connection, incarnation: int, **values: Any) -> None:
        """The job lives; with ``values``, something of it changes.

        :raises JobTakenOver: another process has started the job since.
        """
        if not self.change(connection, "JOB", 1, within=incarnation, **values):
            raise self.taken_over(connection)

    def taken_over(self, connection: sa.Connection) -> JobTakenOver:
        """Why the job is not this process's any more: another one has started it, or another job has its tables."""
        job = sa.select(self.table).where(self.table.c.kind == "JOB").with_for_update()  # not as the transaction began
        by = next((_row(found).detail.get(SUPERSEDED) for found in connection.execute(job)), None)
        return JobTakenOver(job=self.qname) if by is None else TablesTaken(job=self.qname, tables=by["tables"], by=by["job"])

    def see_no_commits(self, connection: sa.Connection) -> None:
        """Look whether a worker is between its mark and its commit: nobody else can change its row then.

        :raises sqlalchemy.exc.OperationalError: one is.
        """
        connection.execute(sa.select(self.table.c.item).where(self._at_work()).with_for_update(nowait=True))

    def _at_work(self) -> sa.ColumnElement[bool]:
        return self.table.c.kind.in_(("OBJECT", "GRANULE")) & (self.table.c.state == "EXECUTING")

    def take_over(self, connection: sa.Connection, before: int | None = None, *, skip_current: bool = False) -> Row:
        """Start the job anew in its next incarnation: what was executing is pending again, or skipped.

        ``before``: the incarnation that it must be in, None: whichever it is in.

        :raises JobTakenOver: another process does the same.
        """
        table, before = self.table, self.job(connection).incarnation if before is None else before
        mine = (table.c.kind == "JOB") & (table.c.incarnation == before)
        values = {"state": "EXECUTING", "incarnation": before + 1}
        if connection.execute(table.update().where(mine).values({**_columns(values), **_NOW})).rowcount != 1:
            raise self.taken_over(connection)
        self.set_free(connection, before, skip_current=skip_current)
        answered = (table.c.state != "PENDING") | table.c.object_path.notin_(LASTING)
        old = (table.c.kind == "WORKER") | ((table.c.kind == "REQUEST") & answered)
        connection.execute(table.delete().where(old))
        return replace(self.job(connection), incarnation=before + 1)  # not of who took it over in the meantime

    def shut_out(self, connection: sa.Connection, before: int, **values: Any) -> bool:
        """Let no process go on with the job as it was in an incarnation; ``values`` change with it. False: it is in another.

        Nobody goes on with it by that: it is no heartbeat.
        """
        values |= {"incarnation": before + 1}
        if not self.change(connection, "JOB", 1, within=before, keep_time=True, **values):
            return False
        self.set_free(connection, before)
        return True

    def set_free(self, connection: sa.Connection, incarnation: int, *, skip_current: bool = False) -> None:
        """What was at work in this incarnation or before it is pending again, or skipped."""
        then: dict[str, Any] = {"state": "PENDING"}
        if skip_current:
            then = {"state": "SKIPPED", "error": SKIPPED, "incarnation": incarnation + 1}
        left = self._at_work() & (self.table.c.incarnation <= incarnation)
        connection.execute(self.table.update().where(left).values(then))

    def begin(self, connection: sa.Connection, kind: Kind, item: int, incarnation: int, **values: Any) -> bool:
        """An object or granule begins to execute; False: it is done already."""
        changes = _columns({"state": "EXECUTING", "incarnation": incarnation, **values})
        statement = _beginning(self, tuple(changes))
        return connection.execute(statement, _given(kind, item, incarnation, changes)).rowcount == 1

    def totals(self, connection: sa.Connection, kind: Kind) -> dict[State, Totals]:
        """The sums over the rows of a kind, by state."""
        c = self.table.c
        sums = [sa.func.coalesce(sa.func.sum(column), 0) for column in (c.byte_count, c.estimated_bytes, c.seconds)]
        wanted = sa.select(c.state, sa.func.count(), *sums).where(c.kind == kind).group_by(c.state)
        return {
            state: Totals(int(count), int(size), int(estimate), float(seconds))
            for state, count, size, estimate, seconds in map(tuple, connection.execute(wanted))
        }

    # --- requests and attached clients ------------------------------------------------------------------------------

    def ask(self, connection: sa.Connection, verb: str, **detail: Any) -> int:
        """Put a request; its number."""
        number = time.time_ns()
        self.insert(connection, [Row("REQUEST", number, path=verb, detail=detail)])
        return number

    def withdraw(self, connection: sa.Connection, kind: Kind, item: int, state: State = "PENDING") -> bool:
        """Remove one row if it is in a state; False: it is not (any more)."""
        table = self.table
        which = (table.c.kind == kind, table.c.item == item, table.c.state == state)
        return connection.execute(table.delete().where(*which)).rowcount == 1

    def clients(self, connection: sa.Connection, role: str | None = None) -> int:
        """How many clients are attached; those of a role only, if one is given."""
        c = self.table.c
        wanted = sa.select(self._now(), c.changed_at).where(c.kind == "CLIENT")
        if role is not None:
            wanted = wanted.where(c.object_path == role)
        lease = own_lease()
        return sum(_seconds(found) < lease for found in connection.execute(wanted))


@dataclass(frozen=True)
class DoneMark:
    """How a worker marks an object or granule done, in the transaction that does it."""

    table: MasterTable
    kind: Kind
    item: int
    incarnation: int

    def set(self, connection: sa.Connection, **values: Any) -> None:
        """Mark it, in the transaction of ``connection``.

        :raises JobTakenOver: it is not this incarnation's to do any more; the transaction must be rolled back.
        """
        changes = _columns({"state": "COMPLETED", "error": "", **values})
        given = _given(self.kind, self.item, self.incarnation, changes)
        changed = connection.execute(_ending(self.table, tuple(changes)), given)
        if changed.rowcount != 1:
            raise self.table.taken_over(connection)

    def confirm(self, connection: sa.Connection) -> None:
        """See that it is still this incarnation's to do.

        :raises JobTakenOver: it is not, or it is done.
        """
        c = self.table.table.c
        wanted = sa.select(c.state, c.incarnation).where(c.kind == self.kind, c.item == self.item).with_for_update()
        found = connection.execute(wanted).one_or_none()
        if found is None or tuple(found) != ("EXECUTING", self.incarnation):
            raise self.table.taken_over(connection)


# --- statements -----------------------------------------------------------------------------------------------------
#
# What changes one row is made once for each table and set of columns, since making it takes longer than the database does.

_NEW = "new_"
"""What the parameters of new values begin with: SQLAlchemy has the columns' own names for itself."""
_WITHIN = sa.bindparam("within", type_=sa.Integer())


def _given(kind: Kind, item: int, within: int | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The parameters of these statements."""
    values = {_NEW + name: value for name, value in changes.items()}
    return values | {"of": kind, "number": item} | ({} if within is None else {"within": within})


def _updating(table: sa.Table, changed: Iterable[str]) -> sa.Update:
    one = table.update().where(table.c.kind == sa.bindparam("of"), table.c.item == sa.bindparam("number"))
    return one.values({name: sa.bindparam(_NEW + name) for name in changed})


@cache
def _changing(master: MasterTable, changed: tuple[str, ...], guarded: bool, of_job: bool, keep_time: bool) -> sa.Update:
    """See :meth:`MasterTable.change`. ``guarded``: only while the job, whose own row it may be, is in an incarnation."""
    statement = _updating(master.table, changed)
    if guarded:
        statement = statement.where(master.table.c.incarnation == _WITHIN if of_job else master.in_incarnation(_WITHIN))
    return statement if keep_time else statement.values(_NOW)


@cache
def _beginning(master: MasterTable, changed: tuple[str, ...]) -> sa.Update:
    """See :meth:`MasterTable.begin`."""
    c = master.table.c
    left = c.state.notin_(("COMPLETED", "SKIPPED"))
    statement = _updating(master.table, changed).where(left, master.in_incarnation(_WITHIN))
    return statement.values(**_NOW, attempts=c.attempts + 1)


@cache
def _ending(master: MasterTable, changed: tuple[str, ...]) -> sa.Update:
    """See :meth:`DoneMark.set`."""
    c = master.table.c
    begun = (c.state == "EXECUTING", c.incarnation == _WITHIN)
    return _updating(master.table, changed).where(*begun).values(_NOW)


# --- rows and values ------------------------------------------------------------------------------------------------


def _seconds(found: sa.Row[Any]) -> float:
    """How long ago the second of two times was at the first."""
    now, then = tuple(found)
    return float((now.replace(tzinfo=None) - then).total_seconds())


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {_FIELDS[name]: json.dumps(value) if name == "detail" else value for name, value in values.items()}


def _values(row: Row) -> dict[str, Any]:
    return _columns({name: value for name, value in vars(row).items() if name != "changed"})


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in the parts that one INSERT takes each: a row at least."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        own = sum(len(value.encode()) for value in row.values() if isinstance(value, str))
        if part and (len(part) == _CHUNK or size + own > _CHUNK_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += own
    if part:
        yield part


def _row(found: sa.Row[Any]) -> Row:
    values = dict(zip(_FIELDS, found, strict=True))
    texts = {name: values[name] or "" for name in ("path", "schema", "name", "error")}  # Oracle has no empty text
    return replace(Row(**{**values, **texts, "detail": {}}), detail=json.loads(values["detail"] or "{}"))
