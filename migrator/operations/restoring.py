"""impdp of a dump file set that holds the data file of a whole database: it takes the place of an empty one."""

from __future__ import annotations

from dataclasses import replace

from migrator.access import Method
from migrator.adapter import Server
from migrator.ends import Database
from migrator.errors import SourceChanged
from migrator.inventory import take
from migrator.job.claims import Claims
from migrator.job.coordinator import Coordinator
from migrator.job.session import Session, Start, session
from migrator.job.table import Row
from migrator.job.worker import Move, Place
from migrator.model.objects import QName, Table
from migrator.operations import transport
from migrator.operations.rows import RowsMoved, begin_progress, granules, skipped_now
from migrator.operations.work import Work
from migrator.origins import Origin
from migrator.plan import TABLE_DATA, prefix


def restore(work: Work, opened: Origin, target: Database, server: Server, start: Start | None) -> int:
    """Put the file into the database, or go on with that; the exit code. The master table is on this machine.

    :raises DatabaseNotEmpty: the database cannot take it.
    """
    assert opened.whole is not None
    local = replace(work.spec, master_table="LOCAL")
    if start is None:
        with target.connect() as connection:
            transport.check_whole(opened, target.adapter, connection)
    claims = Claims(target, server, None)
    with session(local, target, server, start) as job:
        work.begin(job)
        work.log.master(job.job, "loaded")
        work.log.starting(job.job, work.spec.command)
        claims.take(job, work.log.message)
        _Restoring(work, opened, opened.whole, target, job).run(claims)
        if not work.log.errors:
            work.log.inventory(take(*opened.inventoried))
        return work.log.finish(job.job, "COMPLETED")


class _Restoring:
    """One such import, under its master table."""

    def __init__(self, work: Work, opened: Origin, whole: Table, target: Database, job: Session) -> None:
        self.work, self.origin, self.whole, self.target, self.job = work, opened, whole, target, job
        self.record = job.record

    def run(self, claims: Claims) -> None:
        """Put the file there, if it is not recorded to be."""
        if self.job.restarted:
            self._check()
        else:
            self._plan()
        claims.shut_out(self.job, (), self.work.log.message)
        coordinator = Coordinator(self.record, self.work.log, self.work.progress, 1, lost=lambda: self.job.heart.lost)
        try:
            self.job.executing()
            self._move(coordinator)
            coordinator.close()
        except BaseException:
            coordinator.abandon()
            raise

    def _plan(self) -> None:
        self.work.say(self.origin.notes)
        self.record.clear("OBJECT", "GRANULE")
        self.record.insert(granules(self.origin, {self.whole.qname: self.whole}, {}))
        self.job.note(plan=self.origin.identity, source=self.origin.identity)

    def _check(self) -> None:
        """:raises SourceChanged: it is another dump file set."""
        if self.origin.identity != self.job.recall("source"):
            raise SourceChanged(object="the dump file set", detail="it is not the one that the job began with")
        rows = self.record.rows("GRANULE")
        self.work.log.restarting(sum(row.state == "COMPLETED" for row in rows), len(rows))
        for row in skipped_now(self.record, rows):
            self.work.log.error(f"granule {row.item} of {QName(row.schema, row.name)} was in progress and is skipped")

    def _move(self, coordinator: Coordinator) -> None:
        rows = self.record.rows("GRANULE")
        moves = [self._granule(row) for row in rows if row.state in {"PENDING", "FAILED"}]
        if not moves:
            return
        self.work.log.processing(f"{prefix(self.work.spec)}/{TABLE_DATA}")
        begin_progress(self.work.progress, rows)
        moved = RowsMoved(self.work.log, self.work.progress, "imported", [replace(row, state="PENDING") for row in rows])
        for move, outcome, worker in coordinator.move(moves):
            moved.ended(move, outcome, worker)
        self.work.progress.end()

    def _granule(self, row: Row) -> Move:
        name = QName(row.schema, row.name)
        assert self.origin.files is not None
        files = self.origin.files(row.detail)
        place = Place(self.target, name, self.record.claim(row.item))
        return Move(row.item, name, files, place, str(Method.DATA_FILE_COPY), row.estimate)
