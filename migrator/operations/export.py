"""expdp: catalog and rows of a database into a dump file set."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from migrator import filters, templates
from migrator.access import Choice, Method
from migrator.dump.master import Entry, Master, Piece
from migrator.ends import Database, HeldFiles
from migrator.errors import JobKilled, JobTakenOver, SourceChanged
from migrator.inventory import take
from migrator.job.coordinator import Coordinator, Hours
from migrator.job.dump_files import ExportFiles, set_header
from migrator.job.session import Session, Start, session
from migrator.job.table import SKIPPED, Row
from migrator.job.worker import Move
from migrator.model.objects import QName, Table
from migrator.operations import methods, transport
from migrator.operations.broken_checks import with_broken_checks
from migrator.operations.rows import RowsMoved, begin_progress, estimate, granules, largest_first, skipped_now, tell_doubts
from migrator.operations.work import Work, linked, source_of
from migrator.origins import Held, Origin, database_origin
from migrator.plan import NO_OBJECTS, TABLE_DATA, plan, prefix
from migrator.verification.scans import Digest, Digesting, as_exported


def export(work: Work, start: Start | None) -> int:
    """Run an export, or go on with one; the exit code."""
    spec, log = work.spec, work.log
    link = linked(spec, work.resolve)
    database = Database(work.resolve(spec.connection))
    database.adapter.find(database.url)
    server = database.server()
    log.banner([server.banner, *([link.banner] if link is not None else [])])
    transport.check_source(spec, database)
    read_itself = link is None or link.is_same(server)
    with (
        database_origin(spec, source_of(spec, work.resolve)) as found,
        session(spec, database, server, start, is_read=read_itself) as job,
    ):
        origin = with_broken_checks(spec, found)
        work.begin(job)
        log.starting(job.job, spec.command)
        begun = _Export(work, origin, job)
        if spec.estimate_only:
            begun.estimate()
        else:
            written = begun.run()
            if spec.content != "DATA_ONLY":
                log.inventory(take(*origin.inventoried, rowless=begun.rowless()))
            log.master(job.job, "unloaded")
            log.dump_set(job.job, written)
        return log.finish(job.job, "COMPLETED")


class _Export:
    """One export of an open source under its master table."""

    def __init__(self, work: Work, origin: Origin, job: Session) -> None:
        self.work, self.spec, self.log = work, work.spec, work.log
        self.origin, self.job, self.record = origin, job, job.record
        self.tables = {table.source: table for table in filters.tables_with_rows(work.spec, origin.catalog)}
        self.choices = methods.unloading(work.spec, origin, tuple(self.tables.values()))
        methods.check_unloading(self.choices)
        self.held: Held | None = None
        """Data files that are copied instead of rows."""

    def estimate(self) -> None:
        """ESTIMATE_ONLY: log how large the rows are, and record it; a table is one granule."""
        self.work.say(self.origin.notes)
        sizes = estimate(self.work, self.origin, self.tables.values())
        self.record.clear("GRANULE")
        self.record.insert(
            Row("GRANULE", item, TABLE_DATA, name.schema, name.name, estimate=size)
            for item, (name, size) in enumerate(sizes.items(), 1)
        )

    def run(self) -> tuple[str, ...]:
        """Write the set; its files."""
        with ExitStack() as holding:
            if self.origin.hold is not None:
                self.held = holding.enter_context(self.origin.hold(tuple(self.tables.values())))
            return self._run(holding)

    def _run(self, holding: ExitStack) -> tuple[str, ...]:
        """``holding``: keeps the data files as they are, or says that it has not."""
        if self.job.restarted:
            self._check()
        else:
            self._plan()
        self.files = files = ExportFiles(self.spec, self.job, self.work.secrets)
        coordinator = Coordinator(
            self.record,
            self.log,
            self.work.progress,
            self.job.degree,
            limit=self._limit,
            files=files,
            lost=lambda: self.job.heart.lost,
            hours=Hours(self.spec.degrees, self.job.note),
        )
        executing = self.job.restarted
        try:
            self._claim(coordinator)
            self.job.executing()
            executing = True
            self._unload(coordinator)
            holding.close()
            coordinator.close()
            return files.seal(self.origin.catalog if self.held is None else self.held.catalog, self._master())
        except BaseException as error:
            coordinator.abandon()
            if isinstance(error, JobKilled) or not (executing or isinstance(error, JobTakenOver)):
                files.delete()
            raise

    def _limit(self) -> int | None:
        limits = [self.files.possible, self.origin.readers]
        return min((limit for limit in limits if limit is not None), default=None)

    def _claim(self, coordinator: Coordinator) -> None:
        """Make the first files now, so that one that may not be overwritten is known before any row moves."""
        if not self.job.restarted:
            limit = self._limit()
            self.files.claim(self.job.degree if limit is None else min(limit, self.job.degree))
            return
        for row in self.files.lost():
            coordinator.again(row)

    # --- what is to be done -----------------------------------------------------------------------------------------

    def _plan(self) -> None:
        self.work.say(self.origin.notes)
        estimates = estimate(self.work, self.origin, self.tables.values())
        if self.held is not None:
            estimates = {name: files.size for name, files in self.held.files.items()}
        for phase in plan(self.origin.catalog, self.spec.content):
            if phase.path not in NO_OBJECTS:
                self.log.processing(f"{prefix(self.spec)}/{phase.path}")
                self.log.completed(phase.path.rsplit("/", 1)[-1], len(phase.steps), 0, 1)
        if self.origin.data_files != "database":  # which loses nothing
            self.log.losses_of(self.origin.catalog.losses)
        self.record.clear("GRANULE", "FILE")
        self.record.insert(granules(self.origin, self._units(), estimates))
        header = set_header(
            self.spec, str(self.job.job), uuid.uuid4().hex, self.origin.catalog, self.work.secrets, self.origin.data_files
        )
        self.job.note(
            plan=self.origin.identity,
            mark=self.origin.mark,
            header=json.loads(header.of_file(1)),
            dumpfiles=[
                {"template": templates.dated(name, datetime.now()), "filesize": None, "reuse": False, "added": False}
                for name in self.spec.dumpfiles
            ],
        )

    def rowless(self) -> set[QName]:
        """The tables whose rows are not all in the set: of these none are."""
        return {QName(row.schema, row.name) for row in self.record.rows("GRANULE") if row.state != "COMPLETED"}

    def _units(self) -> dict[QName, Table]:
        """What granules are of: tables, or what stands for the database whose data files are copied."""
        if self.origin.data_files == "database" and self.held is not None:
            return {name: Table(name.schema, name.name, ()) for name in self.held.files}
        return self.tables

    def _check(self) -> None:
        """The source must be as it was: what is unloaded already and what is still to come must be of one state.

        :raises SourceChanged: it is not.
        """
        if self.job.recall("plan") != self.origin.identity:
            raise SourceChanged(object="the catalog", detail="objects were made, changed or dropped")
        if self.held is not None:
            self._copy_again()
        done = self.record.rows("GRANULE", state="COMPLETED")
        for row in done:
            table = self.tables[QName(row.schema, row.name)]
            changed = self.origin.changed(table, self._read(row), self.job.recall("mark"), row.rows)
            if changed is not None:
                raise SourceChanged(object=f"table {table.qname}", detail=changed)
        rows = self.record.rows("GRANULE")
        self.log.restarting(len(done), len(rows))
        tell_doubts(self.log, self.origin, self.job.recall("mark"), rows)
        for name in sorted({QName(row.schema, row.name) for row in skipped_now(self.record, rows)}, key=str):
            head = f"ORA-31693: Table data object {name} failed to unload and is being skipped due to error:"
            self.log.error(head, f"a part of {SKIPPED}")
        self.job.note(mark=self.origin.mark)

    def _copy_again(self) -> None:
        """Data files that were copied before are of another state than those that are kept now: all are copied again."""
        done = self.record.rows("GRANULE", state="COMPLETED")
        for row in done:
            self.record.change("GRANULE", row.item, state="PENDING", rows=0, bytes=0, detail={})
        if done:
            self.log.message("the data files were let go meanwhile: those that had been copied are copied again")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _unload(self, coordinator: Coordinator) -> None:
        every = self.record.rows("GRANULE")
        skipped = {(row.schema, row.name) for row in every if row.state == "SKIPPED"}
        rows = [row for row in every if (row.schema, row.name) not in skipped]
        moved = RowsMoved(self.log, self.work.progress, "exported", rows)
        moves = []
        for row in rows:
            if row.state == "COMPLETED":
                continue
            moves.append(self._granule(row))
        if not moves:
            return
        self.log.processing(f"{prefix(self.spec)}/{TABLE_DATA}")
        for name in dict.fromkeys(move.name for move in moves if self.held is None):
            self._tell_choice(name, self.choices[name])
        begin_progress(self.work.progress, rows)
        details = {row.item: row.detail for row in rows}
        for move, outcome, worker in coordinator.move(largest_first(moves), details, moved.again):
            moved.ended(move, outcome, worker)
        self.work.progress.end()

    def _granule(self, row: Row) -> Move:
        name = QName(row.schema, row.name)
        if self.held is not None:
            return Move(row.item, name, HeldFiles(self.held.files[name]), None, str(Method.DATA_FILE_COPY), row.estimate)
        table = self.tables[name]
        rows = self.origin.rows(table, table.columns, self._read(row))
        method = str(self.choices[table.source].method)
        digesting = Digesting(as_exported(table.columns)) if self.spec.digest else None
        return Move(row.item, table.qname, rows, None, method, row.estimate, digesting=digesting)

    def _read(self, row: Row) -> dict[str, Any]:
        """What was recorded of a granule, and whether policies choose among its rows."""
        method = self.choices[QName(row.schema, row.name)].method
        return {**row.detail, "policies": method is Method.EXTERNAL_TABLE}

    def _tell_choice(self, name: QName, choice: Choice) -> None:
        if choice.reason and self.spec.metrics:
            self.log.message(f"{name}: {choice.method}, because {choice.reason}")
        if remark := choice.remark(name):
            self.log.error(remark)

    def _master(self) -> Master:
        """What the dump set records of its rows."""
        entries = []
        granules: dict[QName, list[Row]] = {}
        for row in self.record.rows("GRANULE"):
            granules.setdefault(QName(row.schema, row.name), []).append(row)
        for name in self._units():
            rows = granules[name]
            undone = [row for row in rows if row.state != "COMPLETED"]
            failed = next((row for row in undone if row.error), undone[0] if undone else None)
            pieces = tuple(Piece(**piece) for row in rows for piece in row.detail.get("pieces", ()))
            entries.append(
                Entry(
                    name.schema,
                    name.name,
                    "COMPLETED" if failed is None else "FAILED",
                    sum(row.rows for row in rows),
                    sum(row.bytes for row in rows),
                    worker=rows[-1].worker,
                    seconds=sum(row.seconds for row in rows),
                    error="" if failed is None else failed.error,
                    pieces=pieces if failed is None else (),
                    digests=() if failed is not None else _digests(rows),
                    traits={} if self.held is None else self.held.files[name].traits,
                )
            )
        return Master(
            str(self.job.job), self.spec.operation, self.spec.mode, self.job.job.schema, self.spec.command, tuple(entries)
        )


def _digests(rows: Sequence[Row]) -> tuple[Digest, ...]:
    return tuple(Digest.from_json(digest) for row in rows if (digest := row.detail.get("digest")) is not None)
