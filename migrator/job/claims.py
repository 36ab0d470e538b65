"""The tables that an import has for itself, from before it makes, fills or empties one until it has ended.

A claim is in the job's row of its master table, and lasts as long as the job's heart beats: no session's lock, which a
pooler would keep and a lost connection would drop. A job says first what it wants, and then looks at the records of others:
of two that do so at once, one at least sees the other. A claim is *held* once nobody stands against it; of two that are not,
a lot decides which goes first.

A job that has stopped or died holds nothing. Who then takes its tables shuts it out of its own record before anything
changes: a process that was thought dead commits nothing any more, and the job is not started again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Server
from migrator.ends import Database, answer, database_errors
from migrator.errors import (
    ClaimNotLifted,
    InsufficientPrivilege,
    MasterTableRefused,
    MigratorError,
    ResourceBusy,
    TableClaimed,
    mask,
)
from migrator.job.control import master_tables
from migrator.job.coordinator import Record
from migrator.job.session import Session, await_commits, local_database, superseded
from migrator.job.table import ENDED, SUPERSEDED, MasterTable, Row, own_lease
from migrator.model.objects import QName

_CLAIM = "claim"
"""The name of a claim in a job's record."""
_LOOK = 0.2
"""Seconds between two looks at other jobs' records."""
_NAMED = 3
"""How many tables an error names."""


@dataclass(frozen=True)
class Rival:
    """Another job that claims some of a job's tables: its record, and those ``tables``; None: it has the whole database."""

    database: Database
    table: MasterTable
    tables: tuple[QName, ...] | None
    token: str
    held: bool
    row: Row
    pulse: datetime
    age: float

    @property
    def busy(self) -> TableClaimed:
        """What is said to who wants its tables."""
        return self._has("which is at work")

    @property
    def left(self) -> TableClaimed:
        """What is said to who wants the tables of one that has stopped or died, and does not shut it out."""
        return self._has("which has stopped and can be started again")

    def locked(self, lock: MigratorError) -> TableClaimed:
        """What is said to who finds a lock there that may be its own, though its heart has not beaten for long."""
        state = f"whose heart beat {self.age:.0f} seconds ago, or of a program that is no job: {lock.facts['detail']}"
        return self._has(state)

    def _has(self, state: str) -> TableClaimed:
        return TableClaimed(tables=self.named, job=self.table.qname, state=state)

    @property
    def named(self) -> str:
        """The tables, for messages."""
        return _listed(self.tables or ())

    @property
    def waited_for(self) -> str:
        """What is said while nobody knows whether its process is dead."""
        beat = f"Job {self.table.qname} has {self.named}, and its heart beat {self.age:.0f} seconds ago"
        return f"{beat}; if its process is dead, this job goes on in {self.row.lease - self.age:.0f} seconds"


class Claims:
    """What a job is to have for itself in its target."""

    def __init__(self, target: Database, server: Server, tables: Collection[QName] | None, *, appends: bool = False) -> None:
        """``tables`` None: the whole database; ``appends``: it adds rows to tables that are there, beside others that do."""
        self._target, self._appends = target, appends
        self._token = uuid.uuid4().hex
        """What tells this job's record from others, whatever URL leads there; and the lot that decides who goes first."""
        self._folded = bool(server.ignores_table_case)
        self._whole = tables is None
        self._wanted = {self._key(name): name for name in tables or ()}
        shown = mask(target.url.set(username=None, password=None).render_as_string())
        self._where = [server.identity, "" if target.adapter.files(target.url) else shown]
        self._gone: list[Rival] = []
        """Jobs that have stopped or died."""
        self._unknown: dict[str, MigratorError] = {}
        """Jobs whose records cannot be read, and why."""

    def take(self, job: Session, say: Callable[[str], None]) -> None:
        """Claim the tables, once for each start of a job. ``say`` is told of what is waited for, and what is not known.

        A job whose heart has beaten lately is waited for until it beats again, or counts as dead.

        :raises TableClaimed: one is another job's.
        """
        with self.told(job.record):
            self._note(job, held=False)
            seen: dict[str, datetime] = {}
            while living := self._living(job.record):
                for other in living:
                    if other.token not in seen:
                        say(other.waited_for)
                    before = seen.setdefault(other.token, other.pulse)
                    first = other.held or other.token < self._token
                    if first and other.pulse != before:
                        raise other.busy
                time.sleep(_LOOK)
            self._note(job, held=True)
        self.tell_unknown(say)

    def tell_unknown(self, say: Callable[[str], None]) -> None:
        """Tell of the jobs that could not be looked at."""
        for unknown, why in self._unknown.items():
            say(f"Whether {unknown} has tables of this job is not known: {why}")

    def _living(self, record: Record) -> list[Rival]:
        """The jobs in the way that are at work, or have died so lately that nobody knows."""
        others = list(self._rivals(record))
        self._gone = [other for other in others if not other.row.lives(other.age)]
        return [other for other in others if other.row.lives(other.age)]

    def see_none(self) -> None:
        """Look whether a job has the tables that is at work or can be started again, and claim nothing.

        :raises TableClaimed: one has.
        """
        for other in self._rivals(None):
            raise other.busy if other.row.lives(other.age) else other.left

    def shut_out(self, job: Session, tables: Collection[QName], say: Callable[[str], None]) -> None:
        """Let no job go on that has stopped or died and has claimed some of ``tables``, which are about to change.

        :raises TableClaimed: one lives again.
        :raises ClaimNotLifted: the record of one cannot be changed.
        :raises WorkUncommitted: one of its workers is in the middle of a commit, and does not end.
        """
        changing = {self._key(name): name for name in tables}
        for other in self._gone:
            theirs = tuple(changing.values()) if other.tables is None else other.tables
            taken = theirs if self._whole else tuple(name for name in theirs if self._key(name) in changing)
            if not (self._whole or taken):
                continue
            try:
                with self.told(job.record):
                    while not _is_out(other, taken, job.job):
                        time.sleep(_LOOK)
            except InsufficientPrivilege as error:
                detail = error.facts["detail"]
                raise ClaimNotLifted(job=other.table.qname, tables=_listed(taken), detail=detail) from error
            say(f"Job {other.table.qname}, which had stopped, cannot be started again: this job takes {_listed(taken)}")

    @contextmanager
    def told(self, record: Record | None = None, own: MasterTable | None = None) -> Iterator[None]:
        """Where nothing can be recorded because another connection writes, and that may be a rival's, it is told as such.

        ``record``: the job's own, None: it is not open yet; ``own``: where it is then, None: there is none.

        :raises TableClaimed: it may.
        """
        try:
            with database_errors(self._target.adapter):
                yield
        except (ResourceBusy, MasterTableRefused) as error:
            lock = error.__cause__ if isinstance(error, MasterTableRefused) else error
            others, _ = answer(self._target.adapter, lambda: list(self._rivals(record)))
            working = [other for other in others or () if other.row.state not in ENDED and other.table != own]
            if type(lock) is not ResourceBusy or not working:  # its kinds are about other locks
                raise
            living = [other for other in working if other.row.lives(other.age)]
            raise (living[0].busy if living else working[0].locked(lock)) from error

    # --- what is on record ------------------------------------------------------------------------------------------

    def _note(self, job: Session, *, held: bool) -> None:
        tables = None if self._whole else [[name.schema, name.name] for name in self._wanted.values()]
        claim = {"token": self._token, "tables": tables, "held": held, "where": self._where, "appends": self._appends}
        job.note(**{_CLAIM: claim})

    def _rivals(self, record: Record | None) -> Iterator[Rival]:
        """The other jobs that have not ended and claim some of the tables; ``record``: this job's own."""
        yield from self._in(self._target, record)
        local = local_database()
        if local != self._target and Path(str(local.url.database)).exists():
            try:
                yield from self._in(local, record)
            except MigratorError as error:
                self._unknown[f"a job that is on record in {local.url.database}"] = error

    def _in(self, place: Database, record: Record | None) -> Iterator[Rival]:
        there = None if record is None or place != record.database else record.connection
        with place.connect() if there is None else nullcontext(there) as connection:
            for table in master_tables(place, connection):
                found, refused = answer(place.adapter, partial(self._rival, place, table, connection))
                if found is not None:
                    yield found
                elif refused is not None and table.exists(connection):
                    self._unknown[f"job {table.qname}"] = refused

    def _rival(self, place: Database, table: MasterTable, connection: sa.Connection) -> Rival | None:
        rows = table.rows(connection, "JOB")
        claim: dict[str, Any] | None = rows[0].detail.get(_CLAIM) if rows else None
        if claim is None or claim["token"] == self._token or not (place == self._target or self._is_here(claim)):
            return None
        if rows[0].state == "COMPLETED" or SUPERSEDED in rows[0].detail or (self._appends and claim["appends"]):
            return None
        tables: tuple[QName, ...] | None = None
        if claim["tables"] is not None:
            theirs = (QName(*name) for name in claim["tables"])
            tables = tuple(name for name in theirs if self._whole or self._key(name) in self._wanted)
            if not tables:
                return None
        pulse, age = table.pulse(connection)
        return Rival(place, table, tables, claim["token"], claim["held"], rows[0], pulse, age)

    def _is_here(self, claim: dict[str, Any]) -> bool:
        return any(mine and mine == theirs for mine, theirs in zip(self._where, claim["where"], strict=True))

    def _key(self, name: QName) -> QName:
        return QName(name.schema.lower(), name.name.lower()) if self._folded else name


def _is_out(other: Rival, taken: tuple[QName, ...], by: QName) -> bool:
    """Shut a job out of its record, since another takes tables; False: the record has changed meanwhile."""
    with other.database.connect() as connection:
        if not other.table.exists(connection):
            return True
        row, (_, age) = other.table.job(connection), other.table.pulse(connection)
        if row.state == "COMPLETED" or SUPERSEDED in row.detail:
            return True
        if row.lives(age):
            raise other.busy
        await_commits(other.table, other.database, own_lease())
        detail = {**row.detail, SUPERSEDED: {"job": str(by), "tables": _listed(taken)}}
        return other.table.shut_out(
            connection, row.incarnation, state="STOPPED", error=str(superseded(detail[SUPERSEDED])), detail=detail
        )


def _listed(tables: tuple[QName, ...]) -> str:
    if not tables:
        return "all tables"
    more = len(tables) - _NAMED
    named = ", ".join(map(str, tables[:_NAMED]))
    return f"table{'s' if len(tables) > 1 else ''} {named}" + (f" and {more} more" if more > 0 else "")
