"""impdp: a dump file set, or a linked database, into a database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from migrator import rejects, transforms
from migrator.access import Choice, Method
from migrator.adapter import Fact, Load, load_adapter
from migrator.converting import Converter, Counts, converter, recalled
from migrator.ddl import DDL
from migrator.dump import reader
from migrator.ends import Database, TableRows, database_errors
from migrator.errors import (
    FatalError,
    JobKilled,
    MigratorError,
    RequestChanged,
    RowsDiffer,
    RowsInDoubt,
    SourceChanged,
    TargetChanged,
)
from migrator.inventory import Inventory, Made, take
from migrator.job.builder import NOT_MADE, Builder
from migrator.job.coordinator import Coordinator
from migrator.job.rejecting import Rejected, Rejecting
from migrator.job.report import loss_line
from migrator.job.session import Session, Start, names, session
from migrator.job.table import Row
from migrator.job.worker import LOST, Move, Place, Store
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.codec import digest
from migrator.model.objects import Column, ForeignKey, QName, Schema, Table
from migrator.operations import comparing, ledger, methods, transport
from migrator.operations.master_only import master_only
from migrator.operations.refused import count_orphans, source_text
from migrator.operations.restoring import restore
from migrator.operations.rows import (
    Rejects,
    RowsMoved,
    begin_progress,
    changes,
    estimate,
    granules,
    largest_first,
    object_rows,
    skipped_now,
)
from migrator.operations.target import (
    EXISTS,
    Decision,
    There,
    accepted,
    check,
    decide,
    drawn_up,
    is_restored,
    met,
    of_existing,
    staying,
    way_in,
    with_rows,
)
from migrator.operations.verified import METHODS, TableVerified, result_text, row_text
from migrator.operations.work import Work, linked
from migrator.origins import Origin, origin, verify
from migrator.plan import POSITION, TABLE, TABLE_DATA, Phase, Step, parents_first, prefix
from migrator.policies import Policies

NOT_TAKEN_BACK = "its storage engine has no transactions"
"""Why rows that came into a table stay there."""
NOT_DROPPED = "ORA-39083: Object type {} failed to drop with error:"


def import_(work: Work, start: Start | None) -> int:
    """Run an import, or go on with one; the exit code."""
    spec, log = work.spec, work.log
    link = linked(spec, work.resolve)
    target = Database(work.resolve(spec.connection))
    server = target.server()
    log.banner([server.banner, *([link.banner] if link is not None else [])])
    if spec.verify_only:
        return _verify_only(work, QName(server.schema, next(names(spec))))
    if spec.master_only:
        return master_only(work, target, server, start)
    with origin(spec, work.resolve, server.schema, work.secrets, log.message) as opened:
        catalog = accepted(spec, opened, target)
        if is_restored(spec, opened):
            return restore(work, opened, target, server, start)
        ddl, phases = drawn_up(spec, opened, catalog, target, server, link)
        with session(spec, target, server, start, relations(catalog)) as job, target.connect() as connection:
            work.begin(job)
            if spec.network_link is None:
                log.master(job.job, "loaded")
            log.starting(job.job, spec.command)
            importing = _Import(work, opened, ddl, phases, target, connection, job)
            importing.run()
            if spec.content != "DATA_ONLY":
                log.inventory(importing.inventory())
            return log.finish(job.job, "COMPLETED")


def _verify_only(work: Work, job: QName) -> int:
    """VERIFY_ONLY: check that the set is complete and its files are as they were written; import nothing."""
    dump = reader.open_set(work.spec.dumpfiles, work.secrets)
    work.log.master(job, "loaded")
    work.log.starting(job, work.spec.command)
    work.log.message("dump file set is complete")
    verify(dump, work.log.message)
    work.log.message("dump file set is consistent")
    return work.log.finish(job, "COMPLETED")


def relations(catalog: Catalog) -> set[QName]:
    """What shares the name space of tables in some database: tables, views, sequences, indexes and constraints."""
    names = {QName(obj.schema, obj.name) for obj in catalog.objects if not isinstance(obj, Schema)}
    for table in catalog.of(Table):
        keys = (table.primary_key, *table.uniques, *table.indexes, *table.foreign_keys, *table.checks)
        names |= {QName(table.schema, key.name) for key in keys if key is not None and key.name}
    return names


def _identity(phases: Sequence[Phase]) -> str:
    """A checksum of what a job makes, but for where sequences stand."""
    steps = [(step.path, step.label, step.script.statements) for p in phases for step in p.steps if p.path != POSITION]
    return digest(steps)


class _Import:
    """One import into a connected database, under its master table."""

    def __init__(
        self,
        work: Work,
        opened: Origin,
        ddl: DDL,
        phases: Sequence[Phase],
        target: Database,
        connection: sa.Connection,
        job: Session,
    ) -> None:
        self.spec, self.log, self.progress, self.work = work.spec, work.log, work.progress, work
        self.origin, self.ddl, self.catalog, self.target, self.phases = opened, ddl, ddl.catalog, target, phases
        self.connection, self.job, self.record = connection, job, job.record
        self.adapter = target.adapter
        self.there = self._read_target()
        self.tables = with_rows(self.spec, self.catalog)
        self.policies = Policies(self.spec.policies, self.tables.values())
        self.without_rows: set[QName] = set()
        """Tables that existed and take no rows from this job."""
        self.loading = False
        numbers = count(1)
        self.items = [[next(numbers) for _ in phase.steps] for phase in phases]

    def run(self) -> None:
        """Run all phases."""
        if not self.job.restarted:
            self._plan()
        self.existing = self._existed()
        self.labels = frozenset(self.job.recall("labels"))
        coordinator = Coordinator(
            self.record,
            self.log,
            self.progress,
            self.job.degree,
            limit=self._limit,
            lost=lambda: self.job.heart.lost,
            single_writer=self.adapter.capabilities.max_writers == 1,
        )
        self.coordinator = coordinator
        recorded = {row.item: row for row in self.record.rows("OBJECT")}
        sizes = {name: sum(row.estimate for row in rows) for name, rows in self._granules().items()}
        self.builder = Builder(coordinator, self.target, self.ddl, self.connection, self.log, recorded, sizes)
        try:
            if self.job.restarted:
                self._check(recorded)
            self.job.executing()
            self._run_phases()
            if self.spec.verify:
                self._verify()
            coordinator.close()
            self._record_losses()
        except JobKilled:
            coordinator.abandon()
            try:
                self._tell_changes()
                self._gather_rejects()
            except MigratorError as error:
                self.log.message(str(error))
            raise
        except BaseException:
            coordinator.abandon()
            raise

    def inventory(self) -> Inventory:
        """What became of the source's objects."""
        states = {row.item: row.state for row in self.record.rows("OBJECT")}
        numbered = zip(
            (s for phase in self.phases for s in phase.steps), (i for items in self.items for i in items), strict=True
        )
        made = tuple((step, states[item]) for step, item in numbered)
        losses = (*self.catalog.losses, *self._changes())
        return take(self.origin.found, self.origin.catalog, Made(made, losses, frozenset(self.builder.skipped)))

    def _run_phases(self) -> None:
        self._treat_existing_tables()
        for phase, items in zip(self.phases, self.items, strict=True):
            path = f"{prefix(self.spec)}/{phase.path}"
            if phase.path == TABLE_DATA:
                self.loading = True
                self._load(path)
                self.loading = False
                self._raise_identities()
                self._gather_rejects()
                if self.job.restarted:
                    self._tell_changes()
            else:
                self.builder.run(phase, items, path, self.labels)
        self._check_inline_keys()

    def _limit(self) -> int | None:
        readers = self.origin.readers if self.loading else None
        limits = [readers, self.adapter.capabilities.max_writers]
        return min((limit for limit in limits if limit is not None), default=None)

    # --- what is to be done -----------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Record every object and granule; then that this is the plan.

        :raises AccessMethodRefused: ACCESS_METHOD, or a dump file set with data files, asks for what a rule bars.
        """
        check(self.spec, self.origin, self._decisions())
        unmatched = (*transforms.unmatched(self.spec, self.origin.catalog), *self.policies.unmatched)
        self.work.say((*self.origin.notes, *unmatched))
        estimates = estimate(self.work, self.origin, self.tables.values())
        for loss in self.catalog.losses:
            self.log.loss(loss)
        self.record.clear("OBJECT", "GRANULE")
        self.record.insert(object_rows(self.phases))
        self.record.insert(granules(self.origin, self.tables, estimates))
        self.job.note(
            plan=_identity(self.phases),
            source=self.origin.identity,
            mark=self.origin.mark,
            existing=_listed(self.there.tables),
            labels=sorted(self.there.labels),
            rejects=None if self.spec.reject_file is None else str(rejects.claim(self.spec.reject_file)),
        )

    def _granules(self) -> dict[QName, list[Row]]:
        found: dict[QName, list[Row]] = {}
        for row in self.record.rows("GRANULE"):
            found.setdefault(QName(row.schema, row.name), []).append(row)
        return found

    # --- going on with a job ----------------------------------------------------------------------------------------

    def _check(self, recorded: dict[int, Row]) -> None:
        """What the master table records must be so, or rows could be lost or doubled.

        :raises RequestChanged: the plan is another.
        :raises SourceChanged: rows have changed at the source.
        :raises TargetChanged: what had been made is not there as it was.
        :raises RowsInDoubt: rows may or may not be there.
        """
        if self.origin.identity != self.job.recall("source"):
            what = "the dump file set" if self.spec.network_link is None else "the catalog"
            raise SourceChanged(object=what, detail="it is not the one that the job began with")
        if _identity(self.phases) != self.job.recall("plan"):
            raise RequestChanged(detail="its objects would be made otherwise than they were; was migrator updated?")
        granules = self._granules()
        for name, rows in granules.items():
            self._check_source(name, rows)
            self._check_rows(name, rows)
        self._check_tables(recorded)
        every = [row for rows in self._granules().values() for row in rows]
        self.log.restarting(sum(row.state == "COMPLETED" for row in every), len(every))
        if not self.job.recall("mark") and self.spec.network_link is not None:
            self.log.message("the source cannot tell whether its rows have changed since")
        for row in skipped_now(self.record, (*every, *recorded.values())):
            what = row.name if row.kind == "OBJECT" else f"granule {row.item} of {QName(row.schema, row.name)}"
            self.log.error(f"{what} was in progress and is skipped")
        self.job.note(mark=self.origin.mark)

    def _check_source(self, name: QName, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.state == "COMPLETED":
                read = row.rows + Rejected.of(row.detail).rows
                changed = self.origin.changed(self.tables[name], row.detail, self.job.recall("mark"), read)
                if changed is not None:
                    raise SourceChanged(object=f"table {self.tables[name].source}", detail=changed)

    def _check_tables(self, recorded: dict[int, Row]) -> None:
        made = self.there.tables
        for phase, items in zip(self.phases, self.items, strict=True):
            for item, step in zip(items, phase.steps, strict=True):
                missing = step.path == TABLE and step.table is not None and step.table not in made
                if missing and recorded[item].state == "COMPLETED":
                    raise TargetChanged(object=f"table {step.table}", detail="it is not there any more")

    def _check_rows(self, name: QName, rows: Sequence[Row]) -> None:
        """The rows of a table that only this job fills must be those that its done marks count."""
        begun = [row for row in rows if row.attempts and row.state in {"PENDING", "EXECUTING"}]
        failed = [row for row in rows if row.state == "FAILED"]
        if self.origin.data_files is not None:  # files take the place of whatever an earlier attempt has left
            for row in failed:
                self.record.change("GRANULE", row.item, state="PENDING")
            return
        there = self.record.database == self.target
        exact = there and self._takes_back(name)
        ours = name not in self.existing or self.spec.table_exists_action in {"TRUNCATE", "REPLACE"}
        if not exact and begun and not ours:
            elsewhere = "the master table is not in the database that the rows go into"
            raise RowsInDoubt(table=name, detail=elsewhere if not there else NOT_TAKEN_BACK)
        if (begun and not exact) or (failed and ours):  # of a table that failed, some rows may be removed already
            self._begin_anew(name, rows, in_doubt=bool(begun) and not exact)
            return
        if failed and not self._takes_back(name):
            self.log.error(
                f"{name}: what failed to load is not loaded again, some of its rows may be there: {NOT_TAKEN_BACK}"
            )
        else:
            for row in failed:
                self.record.change("GRANULE", row.item, state="PENDING")
        done = [row for row in rows if row.state == "COMPLETED"]
        if done and name not in self.existing and exact:
            recorded = sum(row.rows for row in done)
            counted = self._count(name)
            if counted != recorded:
                raise TargetChanged(object=f"table {name}", detail=f"it has {counted} rows, the job had loaded {recorded}")

    def _takes_back(self, name: QName) -> bool:
        """Whether rows that come into a table, and the mark that they are there, are one transaction."""
        return self.there.catalog.table(name) is None or self.adapter.takes_back(self.connection, name)

    def _count(self, name: QName) -> int:
        if self.there.catalog.table(name) is None:
            raise TargetChanged(object=f"table {name}", detail="it is not there any more")
        return self.adapter.count(self.connection, name)

    def _begin_anew(self, name: QName, rows: Sequence[Row], *, in_doubt: bool) -> None:
        """Let a table's rows come in once more, but for those that are skipped.

        A table without rows is left alone, since foreign keys may refer to it by now; not if rows are ``in_doubt``, which
        may be committed at this moment: TRUNCATE waits for that.

        :raises RowsInDoubt: those that may be there cannot be removed.
        """
        there = self.there.catalog.table(name) is not None and (in_doubt or self._count(name) > 0)
        if there and not self._empty(name):
            raise RowsInDoubt(table=name, detail="it cannot be emptied")
        for row in rows:
            if row.state != "SKIPPED":
                self.record.change("GRANULE", row.item, state="PENDING", rows=0, bytes=0)

    # --- what is there already --------------------------------------------------------------------------------------

    def _existed(self) -> set[QName]:
        """The tables that were there before the job; those that it has replaced are its own."""
        existing = {QName(*name) for name in self.job.recall("existing")}
        treated = self.job.recall("treated")
        if treated is not None and self.spec.table_exists_action == "REPLACE":
            existing &= {QName(*name) for name in treated["failed"]}
        return existing

    def _read_target(self) -> There:
        return There.read(self.adapter, self.connection, self.catalog)

    def _decisions(self) -> dict[QName, Decision]:
        """What becomes of the tables that rows are for, before anything is changed."""
        tables = tuple(self.tables.values())
        return decide(self.spec, self.origin, self.target, self.connection, tables, self.there)

    def _treat_existing_tables(self) -> None:
        """TABLE_EXISTS_ACTION for every table of the job that was there already; once in the life of a job."""
        tables = met(self.catalog, self.existing)
        treated: dict[str, Any] | None = self.job.recall("treated")
        action = self.spec.table_exists_action
        self.builder.skipped |= staying(self.spec, tables)
        if action == "SKIP":
            self.without_rows |= set(tables)
        if treated is None:
            self._tell_existing(tables)
            if action in {"APPEND", "TRUNCATE"} and tables:
                tables = self._without_refused(tables)
            for loss in (loss for losses in self.told_of_existing.values() for loss in losses):
                self.log.loss(loss)
            if action == "TRUNCATE" and tables:
                self._truncate([table for name in tables if (table := self.there.catalog.table(name)) is not None])
            if action == "REPLACE" and tables:
                self._drop([table for name in tables if (table := self.there.catalog.table(name)) is not None])
            treated = {"without_rows": _listed(self.without_rows), "failed": _listed(self.builder.failed)}
            if action == "REPLACE" and tables:
                self.there = self._read_target()  # triggers and sequences go with their tables
                self.labels = self.there.labels
            self.job.note(treated=treated, labels=sorted(self.labels))
        self.without_rows |= {QName(*name) for name in treated["without_rows"]}
        self.builder.failed |= {QName(*name) for name in treated["failed"]}
        self.existing = self._existed()

    def _without_refused(self, tables: Sequence[QName]) -> list[QName]:
        """Existing tables but for those that no method may load: these are left as they are."""
        refused = {name: why for name, decision in self._decisions().items() if (why := decision.refusal) is not None}
        for name in tables:
            if name in refused:
                self._fail_to_load(name, refused[name])
                self.without_rows.add(name)
        return [name for name in tables if name not in refused]

    def _tell_existing(self, tables: Sequence[QName]) -> None:
        action = self.spec.table_exists_action
        tell = self.log.error if action == "SKIP" else self.log.message
        for name in tables if action in EXISTS else ():
            tell(EXISTS[action].format(name))

    def _truncate(self, tables: Sequence[Table]) -> None:
        """Empty tables, all or none; where DDL cannot be rolled back one by one, children first."""
        headline = "ORA-39120: Table {} can't be truncated, data will be skipped. Failing error is:"
        if self.adapter.capabilities.transactional_ddl:
            names = ", ".join(str(table.qname) for table in tables)
            if not self.builder.empty(headline.format(names), *tables):
                self.without_rows |= {table.qname for table in tables}
            return
        emptied = list(tables)
        for table in _children_first(tables):
            if not self.builder.empty(headline.format(table.qname), table, among=emptied):
                self.without_rows.add(table.qname)
                emptied.remove(table)  # its rows stay, and with them those that they refer to

    def _drop(self, tables: Sequence[Table]) -> None:
        """Drop tables, and before them their foreign keys; a table that cannot be dropped keeps its own.

        Where DDL can be rolled back, all is tried without that table once more. Where it cannot, its keys are made again
        while what they refer to is there.
        """
        left = _children_first(tables)
        whole = self.adapter.capabilities.transactional_ddl
        while whole and left:
            scripts = [(table, script) for table in left for script in self._drops_of_keys(table)]
            scripts += [(table, self._drop_of(table)) for table in left]
            failed = self.builder.execute_together([script for _, script in scripts])
            if failed is None:
                return
            self.builder.failed.add(scripts[failed][0].qname)
            left.remove(scripts[failed][0])
        for table in left:
            for headline, statements in self._drops_of_keys(table):
                self.builder.execute(headline, statements)
        for table in left:
            if not self.builder.execute(*self._drop_of(table)):
                self.builder.failed.add(table.qname)
                self._make_keys_again(table)

    def _drops_of_keys(self, table: Table) -> Iterator[tuple[str, Sequence[str]]]:
        for key in table.foreign_keys:
            headline = NOT_DROPPED.format(f'REF_CONSTRAINT:"{table.schema}"."{key.name}"')
            yield headline, self.ddl.drop_foreign_key(table.qname, key).statements

    def _drop_of(self, table: Table) -> tuple[str, Sequence[str]]:
        return NOT_DROPPED.format(path_of(table)), self.ddl.drop_table(table.qname).statements

    def _make_keys_again(self, table: Table) -> None:
        """Give a table that stays the foreign keys again that it had."""
        ddl = self.adapter.ddl(self.there.catalog, self.ddl.version)
        for key in table.foreign_keys:
            label = f'REF_CONSTRAINT:"{table.schema}"."{key.name}"'
            headline = f"{label} of a table that stays can't be made again:"
            if self.builder.execute(headline, ddl.foreign_key(table, key).statements):
                self.log.message(f"{label} is made again, since its table stays")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _load(self, path: str) -> None:
        granules = self._granules()
        if self.job.restarted:
            done = [row for rows in granules.values() if all(row.state == "COMPLETED" for row in rows) for row in rows]
            RowsMoved(self.log, self.progress, "imported", done, self._undo, self._rejects()).recall(self._told())
        left = [row for rows in granules.values() for row in rows if row.state == "PENDING"]
        if not left:
            return
        self.there = self._read_target()
        made = self.there.catalog
        for name in self.tables:
            if name in self.builder.failed:
                self.builder.dependent_skipped(f"TABLE_DATA:{name}", name)
        barred = self.builder.failed | self.without_rows
        tables = [table for name, table in self.tables.items() if name in granules and name not in barred]
        groups = _in_order(tables, made) if self.existing else (tuple(tables),)
        there = [table for table in tables if made.table(table.qname) is not None]
        choices = methods.loading(self.spec, self.origin, self.target, self.connection, there, self.existing, made.of(Table))
        planned = [self._moves(group, granules, made, choices) for group in groups]
        every = {move.item for moves in planned for move in moves}
        if not every:
            return
        self.log.processing(path)
        begin_progress(self.progress, [row for row in left if row.item in every])
        of_tables = [row for table in tables for row in granules[table.qname] if row.state != "FAILED"]
        moved = RowsMoved(self.log, self.progress, "imported", of_tables, self._undo, self._rejects())
        for moves in planned:
            for move, outcome, worker in self.coordinator.move(largest_first(moves)):
                moved.ended(move, outcome, worker)
        self.progress.end()

    def _moves(
        self, tables: Sequence[Table], granules: dict[QName, list[Row]], made: Catalog, choices: Mapping[QName, Choice]
    ) -> list[Move]:
        moves: list[Move] = []
        for table in tables:
            left = [row for row in granules[table.qname] if row.state == "PENDING"]
            if not left:
                continue
            try:
                moves += list(self._table_moves(table, left, made.table(table.qname), choices))
            except FatalError:
                raise
            except MigratorError as error:
                self._fail_to_load(table.qname, error)
                for row in left:
                    self.record.change("GRANULE", row.item, state="FAILED", error=str(error))
        return moves

    def _fail_to_load(self, name: QName, why: MigratorError) -> None:
        self.log.error(f"ORA-31693: Table data object {name} failed to load and is being skipped due to error:", str(why))

    def _table_moves(
        self, table: Table, rows: Sequence[Row], made: Table | None, choices: Mapping[QName, Choice]
    ) -> Iterator[Move]:
        source, target = way_in(table, made, choices.get(table.qname))
        assert made is not None
        choice = choices[table.qname]
        if choice.method is Method.DATA_FILE_COPY:
            yield from self._file_moves(table, rows, made, choice)
            return
        if choice.reason and self.spec.metrics:
            self.log.message(f"{table.qname}: {choice.method}, because {choice.reason}")
        staged = choice.method is Method.EXTERNAL_TABLE
        no_bulk = any(bar.rule.asks is Fact.BULK_REFUSED for bar in choice.barred)
        conventional = choice.method is Method.CONVENTIONAL_PATH or (staged and no_bulk)
        load = Load(made.qname, source, target, conventional, table.qname not in self.existing)
        validated = "VALIDATE_TABLE_DATA" in self.spec.data_options
        changing = self._converter(table, source, target)
        marked = self._takes_back(made.qname)
        lossy = marked and "CONTINUE_LOAD_ON_FORMAT_ERROR" in self.spec.data_options
        unfiltered, inside = self.origin.unfiltered.get(table.source), choice.method is Method.INSERT_AS_SELECT
        changing = None if inside else changing
        store = Store(self.target, load, staged, unfiltered, converter=changing, validated=validated, inside=inside)
        for row in rows:
            rows_from = self.origin.rows(table, source, row.detail)
            if changing is not None and isinstance(rows_from, TableRows):
                rows_from = replace(rows_from, read=replace(rows_from.read, any_bytes=changing.any_bytes))
            done = self.record.mark(self.target, "GRANULE", row.item) if marked else None
            to = replace(store, rejecting=self._rejecting(table, made), detail=row.detail)
            method = methods.label(self.spec, choice)
            yield Move(row.item, table.qname, rows_from, to, method, row.estimate, done, lossy=lossy)

    def _converter(self, table: Table, source: Sequence[Column], target: Sequence[Column]) -> Converter | None:
        """What changes the values that have no place at the target, as POLICY asks; None: there can be none."""
        actions = [self.policies.of(table, column) for column in source]
        rules = [(loss.column, loss.rule) for loss in self._of_columns(table) if loss.each and loss.column is not None]
        return converter(source, target, actions, load_adapter(self.origin.catalog.dialect), self.adapter, rules)

    # --- rows that are rejected -------------------------------------------------------------------------------------

    def _rejects(self) -> Rejects | None:
        """Where rejected rows go, and how many may; None: none are."""
        path = self.job.recall("rejects")
        return None if path is None else Rejects(Path(path), self.spec.reject_limit)

    def _rejecting(self, table: Table, made: Table) -> Rejecting | None:
        rejects = self._rejects()
        if rejects is None:
            return None
        key = tuple(table.column(name).source for name in table.primary_key.columns) if table.primary_key is not None else ()
        to_itself = any(key.referred == made.qname for key in made.foreign_keys)
        texts = "SKIP_CONSTRAINT_ERRORS" not in self.spec.data_options
        return Rejecting(rejects.path, key, rejects.limit, to_itself, texts)

    def _gather_rejects(self) -> None:
        """Put the rejected rows of all granules whose other rows are there into one file."""
        into = self._rejects()
        if into is None:
            return
        done = self.record.rows("GRANULE", state="COMPLETED")
        if rejects.gather(into.path, [found.part for row in done if (found := Rejected.of(row.detail)).rows]):
            self.log.message(f"Rejected rows are in {into.path}")

    # --- losses -----------------------------------------------------------------------------------------------------

    def _of_columns(self, table: Table) -> tuple[Loss, ...]:
        """The entries about a table's columns: those of its making, or of how it is, if it was there."""
        entries = self.told_of_existing if table.qname in self.existing else self.declared
        return entries.get(table.qname, ())

    @cached_property
    def declared(self) -> dict[QName, tuple[Loss, ...]]:
        """The entries about making each table."""
        steps = (step for phase in self.phases for step in phase.steps if step.path == TABLE and step.table is not None)
        return {step.table: step.script.losses for step in steps if step.table is not None}

    @cached_property
    def told_of_existing(self) -> dict[QName, tuple[Loss, ...]]:
        """The entries about tables that take rows and were there before the job."""
        found: dict[QName, tuple[Loss, ...]] = {}
        if self.spec.table_exists_action not in {"APPEND", "TRUNCATE"}:
            return found
        for name, table in self.tables.items():
            existing = self.there.catalog.table(name)
            if name in self.existing - self.without_rows and existing is not None:
                found[name] = of_existing(table, existing)
        return found

    def _counted(self) -> dict[QName, Counts]:
        """What was counted while rows passed, by their tables, in all runs of the job."""
        found: dict[QName, Counts] = {}
        for name, rows in self._granules().items():
            for row in rows:
                if row.state == "COMPLETED":
                    found[name] = found.get(name, Counts()) + recalled(row.detail)
        return found

    def _changes(self) -> tuple[Loss, ...]:
        """The entries about values that were changed on their way into tables, of all runs of the job."""
        return tuple(loss for name, counts in self._counted().items() for loss in changes(name, counts))

    def _tell_changes(self) -> None:
        """Log the entries that no run of the job has logged: its rows were committed, and then it died."""
        told = self._told()
        for loss in self._changes():
            if loss_line(loss) not in told:
                self.log.loss(loss)

    def _raise_identities(self) -> None:
        """Let the identities of tables that were there go on after the rows that came in."""
        for name, rows in self._granules().items():
            if name not in self.existing or not any(row.rows for row in rows if row.state == "COMPLETED"):
                continue
            raised: Mapping[str, int] = {}
            refused: MigratorError | None = None
            try:
                with database_errors(self.adapter):
                    raised = self.adapter.raise_identities(self.connection, name)
            except FatalError:
                raise
            except MigratorError as error:
                refused = error
            if refused is not None:
                self.log.error(f"The identities of {name} can't be set to go on after its rows:", str(refused))
            for column, last in raised.items():
                self.log.message(f"{name}: the identity of {column} goes on after {last}")

    def _told(self) -> set[str]:
        """The lines of the log of all runs of the job."""
        return {row.detail["text"] for row in self.record.rows("MESSAGE")} | {*self.record.said}

    def _losses(self) -> Iterator[Loss]:
        """All entries of the loss list, of all runs of the job; those about each value of a column with its rows."""
        counted = self._counted()
        yield from self.catalog.losses
        recorded = {row.item: row for row in self.record.rows("OBJECT")}
        for phase, items in zip(self.phases, self.items, strict=True):
            for item, step in zip(items, phase.steps, strict=True):
                row = recorded[item]
                if row.state == "COMPLETED" or (row.state == "SKIPPED" and row.error == NOT_MADE):
                    of_table = None if step.table is None else counted.get(step.table)
                    yield from (_with_rows(loss, of_table) for loss in step.script.losses)
                elif row.state == "FAILED":
                    yield self._not_made(step, row.error)
        for name, losses in self.told_of_existing.items():
            yield from (_with_rows(loss, counted.get(name)) for loss in losses)
        yield from self._changes()

    def _not_made(self, step: Step, error: str) -> Loss:
        """The entry about an object that the target refused, as the log says; of a foreign key, the rows against it."""
        said = source_text(step.part)
        detail = f"not made: {error}" + (f"; at the source: {said}" if said else "")
        orphans = self._orphans(step.table, step.part) if isinstance(step.part, ForeignKey) else None
        return Loss(step.label, "not-made", detail, rows=orphans)

    def _orphans(self, table: QName | None, key: ForeignKey) -> int | None:
        """How many rows refer by ``key`` to rows that are not there; None: the database does not tell."""
        assert table is not None
        try:
            with database_errors(self.adapter):
                return count_orphans(self.connection, table, key)
        except FatalError:
            raise
        except MigratorError:
            return None

    def _record_losses(self) -> None:
        """Put the loss list into the master table, and where LEDGER says.

        :raises FileNotWritable: LEDGER cannot be written.
        """
        losses = tuple(self._losses())
        self.record.clear("LOSS")
        self.record.insert(ledger.rows(losses))
        if self.spec.ledger is not None:
            ledger.write(self.spec.ledger, self.job.job, losses)

    # --- when rows are there ----------------------------------------------------------------------------------------

    def _file_moves(self, table: Table, rows: Sequence[Row], made: Table, choice: Choice) -> Iterator[Move]:
        assert self.origin.files is not None
        transport.check_table(self.origin, self.adapter, self.connection, table, made)
        for row in rows:
            done = self.record.mark(self.target, "GRANULE", row.item)
            files = self.origin.files(row.detail)
            place = Place(self.target, made.qname, self.record.claim(row.item))
            yield Move(row.item, table.qname, files, place, str(choice.method), row.estimate, done)

    def _undo(self, name: QName, rows: int) -> str:
        """Empty a table of this job that got some of its rows only; what is to be said of those that stay."""
        kept = not self._takes_back(name)
        if not rows and not kept:
            return ""
        staying = f"{rows} rows of it had been committed before, and stay in the table"
        if kept:
            staying = f"rows of it that had come in stay in the table: {NOT_TAKEN_BACK}"
        if name in self.existing:
            return staying
        for row in self._granules()[name]:
            if row.state == "COMPLETED":
                self.record.change("GRANULE", row.item, state="FAILED", rows=0, error="another part of the table failed")
        return "" if self._empty(name) else staying

    def _empty(self, name: QName) -> bool:
        """Take all rows out of a table of this job, if it is there; whether that went well."""
        table = self.there.catalog.table(name)
        headline = f"ORA-39120: Table {name} can't be truncated:"
        return table is None or self.builder.empty(headline, table)

    # --- verifying --------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        """VERIFY: the rows of every table that this job has loaded are those they were loaded from."""
        granules = self._granules()
        loaded = {table: self._loaded(rows) for name, table in self.tables.items() if (rows := granules.get(name))}
        tables = {table: rows for table, rows in loaded.items() if rows and table.qname not in self.without_rows}
        self.log.message("Verifying rows of the target against those they were loaded from")
        quiet = nullcontext() if self.adapter.capabilities.writes_while_read else self.coordinator.silent()
        with quiet, comparing.reading(self.target, self.spec) as rows_of:
            there = self._read_target().catalog
            rejected = {name: sum(Rejected.of(row.detail).rows for row in rows) for name, rows in granules.items()}
            scan, tell = self.coordinator.scan, partial(self._tell_verified, rejected)
            comparing.Comparison(self.origin, there, self.ddl, rows_of, scan, tell).of(tables)
            self.coordinator.pool.close()  # readers let go of the target before anybody writes to it

    def _loaded(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The granules of a table that were loaded; none where one of them failed, which the log has said."""
        if any(row.state not in {"COMPLETED", "SKIPPED"} or LOST in row.detail for row in rows):
            return []
        return [row.detail for row in rows if row.state == "COMPLETED"]

    def _tell_verified(self, rejected: Mapping[QName, int], found: TableVerified) -> None:
        """A table's line, or an error.

        Rows that were ``rejected`` are no difference, nor are those that a table had before the job.
        """
        left_out = rejected[found.table]
        appended = found.table in self.existing and self.spec.table_exists_action == "APPEND"
        known = not found.problem and found.whole and found.lost == left_out and (appended or not found.added)
        if not (found.same or known):
            error = RowsDiffer(table=found.table, detail=result_text(found))
            self.log.error(str(error), *(f"  {row_text(row)}" for row in found.examples))
            return
        self.log.rows("verified", found.table, found.bytes, found.rows[0], found.seconds, METHODS[found.method], 1)
        if left_out:
            self.log.message(f"{found.table} has all rows but {left_out}, as many as were rejected")
        if found.added:
            self.log.message(f"{found.table} has {found.added} rows more, which were there before or came in from elsewhere")

    def _check_inline_keys(self) -> None:
        """Foreign keys that stand in CREATE TABLE were not checked while rows came in, or went with all of their table.

        So those of the target's tables count: of each that took rows, and of any that refer to an emptied or replaced one.
        """
        if "foreign_key" not in self.adapter.capabilities.inline:
            return
        ours = {table.qname: table for table in self.catalog.of(Table)}
        made = {name for name in ours if name not in self.existing}
        filled = [name for name in ours if name not in self.builder.failed | self.without_rows]
        emptied = self._emptied(ours)
        referring = [t.qname for t in self.there.catalog.of(Table) if any(key.referred in emptied for key in t.foreign_keys)]
        for name in dict.fromkeys((*filled, *(name for name in referring if name not in made))):
            if name not in made or any(key.validated for key in ours[name].foreign_keys):
                self._check_keys_of(name)

    def _emptied(self, ours: Collection[QName]) -> set[QName]:
        """The tables of the job that were there and lost their rows to it."""
        if self.spec.table_exists_action not in {"TRUNCATE", "REPLACE"}:
            return set()
        treated = self.job.recall("treated")
        left = {QName(*name) for name in (*treated["without_rows"], *treated["failed"])}
        return {QName(*name) for name in self.job.recall("existing")}.intersection(ours) - left

    def _check_keys_of(self, name: QName) -> None:
        headline = f"ORA-02298: cannot validate the foreign keys of {name}"
        orphans, why = 0, ""
        try:
            with database_errors(self.adapter):
                orphans = self.adapter.orphans(self.connection, name)
        except FatalError:
            raise
        except MigratorError as error:
            why = str(error)
        if orphans:
            headline += " - parent keys not found"
            why = f"{orphans} rows of {name} refer to rows that are not there"
        if why:
            self.log.error(headline, why)


def _with_rows(loss: Loss, counts: Counts | None) -> Loss:
    """An entry with its number of rows, if that was counted; None: no rows came in."""
    if not loss.each or loss.column is None or counts is None:
        return loss
    return replace(loss, rows=counts[loss.column, loss.rule, None])


def _in_order(tables: Iterable[Table], made: Catalog) -> Iterator[list[Table]]:
    """Tables in groups, by the foreign keys of the source and of those that are at the target."""
    by_name = {table.qname: table for table in tables}
    both = []
    for name, table in by_name.items():
        there = made.table(name)
        both.append(replace(table, foreign_keys=(*table.foreign_keys, *(there.foreign_keys if there is not None else ()))))
    for group in parents_first(both):
        yield [by_name[table.qname] for table in group]


def _children_first(tables: Iterable[Table]) -> list[Table]:
    """Tables before those that their foreign keys lead to."""
    return [table for group in reversed(parents_first(tables)) for table in group]


def _listed(names: Collection[QName]) -> list[list[str]]:
    return [[name.schema, name.name] for name in sorted(names, key=str)]
