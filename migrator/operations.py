"""The four jobs, each as one readable line of work: export, import, network-link import, SQLFILE.

A job decides everything before it does anything: connect, read the catalog, filter, transform, plan; then the phases run.
Return values are the exit codes of the Data Pump clients: 0 completed, 5 completed with errors in the log.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

import sqlalchemy as sa

from migrator import filters, transforms
from migrator.access import Choice, Method, Situation, choose
from migrator.adapter import Adapter, Facts, Load, Read, Server, adapter_for_backend
from migrator.ddl import Emitter
from migrator.dump import files as dump_files
from migrator.dump import reader, writer
from migrator.ends import Database, DumpedRows, DumpTarget, TableRows, database_errors
from migrator.errors import (
    ConflictingParameters,
    FileNotWritable,
    MigratorError,
    RowsMissing,
    TargetSchemaMissing,
    ValueNotCarried,
)
from migrator.job.coordinator import Builder, run_moves
from migrator.job.executors import Lane, open_lanes
from migrator.job.master import Entry, Master
from migrator.job.report import JobLog, Progress
from migrator.job.worker import Move, Outcome, Store
from migrator.model.catalog import Catalog, path_of
from migrator.model.objects import Column, QName, Schema, Table
from migrator.plan import POSITION, TABLE_DATA, Phase, parents_first, plan, prefix
from migrator.spec import JobSpec, TableExistsAction

Resolve = Callable[[str], sa.URL]


def run(spec: JobSpec, resolve: Resolve, out: TextIO, progress: Progress | None = None) -> int:
    """Run one job; the exit code.

    :raises MigratorError: the job could not be started, or met a fatal error (the log says so too).
    """
    job = {"EXPORT": export, "IMPORT": import_, "SQL_FILE": sqlfile}[spec.operation]
    with JobLog(spec, out) as log:
        try:
            return job(spec, resolve, log, progress or NoProgress())
        except BaseException as error:
            log.fatal(error)
            raise


class NoProgress:
    """Shows nothing."""

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        """A job begins."""

    def advance(self, rows: int, size: int) -> None:
        """Rows and bytes passed."""

    def table_done(self, name: str) -> None:
        """A table's rows are all there."""

    def end(self) -> None:
        """The job is over."""


# --- where a job's objects and rows come from -----------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """A source laid open: the selected catalog, how to get a table's rows, how many may read at once (None: any)."""

    catalog: Catalog
    rows: Callable[[Table, tuple[Column, ...]], TableRows | DumpedRows | None]
    size: Callable[[Table], int]
    readers: int | None
    notes: tuple[str, ...] = ()
    unfiltered: Mapping[QName, str] = field(default_factory=dict)
    """The QUERY conditions, by table, that the rows have not been chosen by yet."""


@contextmanager
def _database_origin(spec: JobSpec, database: Database) -> Iterator[Origin]:
    adapter = database.adapter
    adapter.find(database.url)
    server = database.server()
    with database_errors(adapter), adapter.snapshot(database.engine, spec.parallel) as snapshot:
        with database.connect() as connection:
            schemas = filters.schemas_wanted(spec, server.schema, adapter.schemas(connection))
            whole = adapter.catalog(connection, schemas)
        catalog = filters.select(whole, spec, server.schema)
        conditions = filters.conditions(spec, catalog)

        def rows(table: Table, columns: tuple[Column, ...]) -> TableRows:
            return TableRows(database, snapshot, Read(table.source, columns, conditions.get(table.source)))

        notes = filters.unmatched(spec, whole)
        if snapshot.note and spec.parallel > 1:
            notes = (*notes, snapshot.note)
        yield Origin(catalog, rows, lambda table: table.bytes or 0, snapshot.readers, notes)


@contextmanager
def _dump_origin(spec: JobSpec, default_schema: str) -> Iterator[Origin]:
    dump = reader.open_set(spec.dumpfiles)
    numbered = tuple(dump.files.items())
    catalog = filters.select(dump.catalog, spec, default_schema)

    def entry(table: Table) -> Entry | None:
        return dump.master.entry(table.source.schema, table.source.name)

    def rows(table: Table, columns: tuple[Column, ...]) -> DumpedRows | None:
        found = entry(table)
        if found is None:
            return None
        if found.state != "COMPLETED":
            raise RowsMissing(table=table.source, detail=found.error)
        return DumpedRows(numbered, found.pieces, tuple(column.name for column in columns))

    def size(table: Table) -> int:
        found = entry(table)
        return found.bytes if found is not None else 0

    notes = filters.unmatched(spec, dump.catalog)
    yield Origin(catalog, rows, size, None, notes, filters.conditions(spec, catalog))


@contextmanager
def _origin(spec: JobSpec, resolve: Resolve, default_schema: str) -> Iterator[Origin]:
    if spec.network_link is None:
        with _dump_origin(spec, default_schema) as origin:
            yield origin
    else:
        with _database_origin(spec, Database(resolve(spec.network_link))) as origin:
            yield origin


def job_name(spec: JobSpec, owner: str) -> QName:
    """The job's name: JOB_NAME, or SYS_<operation>_<mode>_01."""
    return QName(owner, spec.job_name or f"SYS_{spec.operation}_{spec.mode}_01")


# --- export ---------------------------------------------------------------------------------------------------------


def export(spec: JobSpec, resolve: Resolve, log: JobLog, progress: Progress) -> int:
    """expdp: catalog and rows of a database into a dump file set."""
    database = Database(resolve(spec.connection))
    database.adapter.find(database.url)
    server = database.server()
    log.banner([server.banner])
    job = job_name(spec, server.user)
    with _database_origin(spec, database) as origin:
        log.starting(job, spec.command)
        _say(log, origin.notes)
        for phase in plan(origin.catalog, spec.content):
            if phase.path not in {TABLE_DATA, POSITION}:
                log.processing(f"{prefix(spec)}/{phase.path}")
                log.completed(phase.path.rsplit("/", 1)[-1], len(phase.steps), 0, 1)
        for loss in origin.catalog.losses:
            log.loss(loss)
        with _claimed(spec, origin) as paths:
            master = Master(str(job), spec.operation, spec.mode, server.user, spec.command)
            master = _unload(spec, origin, paths, master, log, progress)
            written = tuple(path for path in paths if path.stat().st_size > 0)
            writer.seal(paths[0], origin.catalog, master, [path.name for path in written])
    log.master(job, "unloaded")
    log.dump_set(job, written)
    return log.finish(job, "COMPLETED")


@contextmanager
def _claimed(spec: JobSpec, origin: Origin) -> Iterator[tuple[Path, ...]]:
    """The dump files this job writes, made empty; deleted again when the export fails, for half a set is of no use."""
    limits = [spec.parallel, *([origin.readers] if origin.readers is not None else [])]
    paths = dump_files.enough_for(spec.dumpfiles, max(1, min(limits)))
    made: list[Path] = []
    try:
        for path in paths:
            writer.create(path, spec.reuse_dumpfiles)
            made.append(path)
        yield paths
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    for path in paths:
        if path.stat().st_size == 0:
            path.unlink()


def _unload(spec: JobSpec, origin: Origin, paths: Sequence[Path], master: Master, log: JobLog, progress: Progress) -> Master:
    set_id = uuid.uuid4().hex
    tables = filters.tables_with_rows(spec, origin.catalog)
    method = choose(Situation(unloading=True)).method
    moves = []
    for table in tables:
        rows_from = origin.rows(table, table.columns)
        assert rows_from is not None
        moves.append(Move(table.qname, rows_from, DumpTarget(paths[0], 1, set_id), method, origin.size(table)))

    def route(move: Move, lane: Lane) -> Move:
        target = DumpTarget(paths[lane.number - 1], lane.number, set_id)
        return Move(move.table, move.rows_from, target, move.method, move.size)

    if moves:
        log.processing(f"{prefix(spec)}/{TABLE_DATA}")
        _begin(progress, moves)
        with open_lanes(min(len(paths), len(moves)), progress.advance) as lanes:
            for outcome in run_moves(moves, lanes, route):
                if isinstance(outcome.error, FileNotWritable):
                    raise outcome.error  # the file has no end, so nothing could read the set
                master = master.with_entry(_entry(outcome))
                _log_outcome(log, "exported", outcome)
                progress.table_done(str(outcome.move.table))
        progress.end()
    else:
        with writer.DumpFile(paths[0], 1, set_id):
            pass
    return master


def _entry(outcome: Outcome) -> Entry:
    return Entry(
        outcome.move.table.schema,
        outcome.move.table.name,
        "COMPLETED" if outcome.error is None else "FAILED",
        outcome.rows,
        outcome.bytes,
        outcome.move.method,
        outcome.worker,
        outcome.seconds,
        str(outcome.error or ""),
        outcome.pieces,
    )


def _begin(progress: Progress, moves: Sequence[Move]) -> None:
    size = sum(move.size for move in moves)
    progress.begin(len(moves), None, size or None)


def _log_outcome(log: JobLog, verb: Literal["exported", "imported"], outcome: Outcome) -> None:
    move = outcome.move
    if outcome.error is None:
        log.rows(verb, move.table, outcome.bytes, outcome.rows, outcome.seconds, move.method, outcome.worker)
        return
    what = "unload" if verb == "exported" else "load"
    log.error(
        f"ORA-31693: Table data object {move.table} failed to {what} and is being skipped due to error:",
        f"ORA-02354: error in {verb[:-2]}ing data",
        str(outcome.error),
    )


def _say(log: JobLog, notes: Sequence[str]) -> None:
    for note in notes:
        log.message(note)


# --- import and network link ----------------------------------------------------------------------------------------


def import_(spec: JobSpec, resolve: Resolve, log: JobLog, progress: Progress) -> int:
    """impdp: a dump file set, or a linked database, into a database."""
    linked = _linked(spec, resolve)
    target = Database(resolve(spec.connection))
    server = target.server()
    log.banner([server.banner, *([linked.banner] if linked is not None else [])])
    with _origin(spec, resolve, server.schema) as origin:
        catalog = transforms.apply(origin.catalog, spec, target.adapter.capabilities)
        check_target(catalog, target.adapter)
        if linked is not None and linked.identity and linked.identity == server.identity:
            check_source_is_kept(catalog, spec.table_exists_action)
        job = job_name(spec, server.user)
        if spec.network_link is None:
            log.master(job, "loaded")
        log.starting(job, spec.command)
        _say(log, (*origin.notes, *transforms.unmatched(spec, origin.catalog)))
        for loss in catalog.losses:
            log.loss(loss)
        with target.connect() as connection:
            _Import(spec, origin, catalog, target, server, connection, log, progress).run()
    return log.finish(job, "COMPLETED")


def _linked(spec: JobSpec, resolve: Resolve) -> Server | None:
    """Reach the linked database first: a target file is not made for a source that is not there."""
    if spec.network_link is None:
        return None
    link = Database(resolve(spec.network_link))
    link.adapter.find(link.url)
    return link.server()


def check_source_is_kept(catalog: Catalog, action: TableExistsAction) -> None:
    """A job within one database, however it is reached, does not empty or drop a table whose rows it is to read.

    :raises ConflictingParameters: it would.
    """
    if action not in {"TRUNCATE", "REPLACE"}:
        return
    read = {table.source for table in catalog.of(Table)}
    for table in catalog.of(Table):
        if table.qname in read:
            detail = f"would destroy {table.qname}, which NETWORK_LINK reads: both databases are one"
            raise ConflictingParameters(detail=f"TABLE_EXISTS_ACTION={action} {detail}")


def check_target(catalog: Catalog, adapter: Adapter) -> None:
    """A target with one fixed schema takes that schema's objects only.

    :raises TargetSchemaMissing: an object belongs to another.
    """
    only = adapter.capabilities.single_schema
    if only is None:
        return
    for obj in catalog.objects:
        schema = obj.name if isinstance(obj, Schema) else obj.schema
        if schema != only:
            raise TargetSchemaMissing(schema=schema, database=adapter.title, only=only)


class _Import:
    """One import into a connected database."""

    def __init__(
        self,
        spec: JobSpec,
        origin: Origin,
        catalog: Catalog,
        target: Database,
        server: Server,
        connection: sa.Connection,
        log: JobLog,
        progress: Progress,
    ) -> None:
        self.spec, self.origin, self.catalog, self.target = spec, origin, catalog, target
        self.connection, self.log, self.progress = connection, log, progress
        self.adapter = target.adapter
        self.ddl = self.adapter.ddl(catalog, server.version)
        self.phases = plan(catalog, spec.content, self.ddl)
        self.builder = Builder(self.adapter, self.ddl, connection, log)
        self.there = self._read_target()
        self.existing = {table.qname: table for table in self.there.of(Table)}
        self.without_rows: set[QName] = set()
        """Tables that existed and take no rows from this job."""

    def run(self) -> None:
        """Run all phases."""
        self._treat_existing_tables()
        labels = self._existing_labels()
        for phase in self.phases:
            path = f"{prefix(self.spec)}/{phase.path}"
            if phase.path == TABLE_DATA:
                self._load(path)
                self._check_inline_keys()
            else:
                self.builder.run(phase, path, labels)

    # --- what is there already --------------------------------------------------------------------------------------

    def _schemas(self) -> list[str]:
        wanted = {obj.schema for obj in self.catalog.objects if not isinstance(obj, Schema)}
        return [schema for schema in self.adapter.schemas(self.connection) if schema in wanted]

    def _read_target(self) -> Catalog:
        return self.adapter.catalog(self.connection, self._schemas(), proof=False)

    def _existing_labels(self) -> frozenset[str]:
        schemas = {path_of(Schema(name)) for name in self.adapter.schemas(self.connection)}
        others = {path_of(obj) for obj in self.there.objects if not isinstance(obj, Table)}
        return frozenset(schemas | others)

    def _treat_existing_tables(self) -> None:
        """TABLE_EXISTS_ACTION for every table of the job that is there already."""
        tables = [table for table in self.catalog.of(Table) if table.qname in self.existing]
        action = self.spec.table_exists_action
        for table in tables:
            if action == "SKIP":
                text = "exists. All dependent metadata and data will be skipped due to table_exists_action of skip"
                self.log.error(f"ORA-39151: Table {table.qname} {text}")
                self.builder.skipped.add(table.qname)
                self.without_rows.add(table.qname)
            elif action in {"APPEND", "TRUNCATE"}:
                verb = "appended to existing table" if action == "APPEND" else "loaded into the truncated existing table"
                code = "ORA-39152" if action == "APPEND" else "ORA-39153"
                text = f"exists. Data will be {verb} but all dependent metadata will be skipped"
                self.log.message(f"{code}: Table {table.qname} {text} due to table_exists_action of {action.lower()}")
                self.builder.skipped.add(table.qname)
        if action == "TRUNCATE" and tables:
            self._truncate([table.qname for table in tables])
        if action == "REPLACE" and tables:
            self._drop([self.existing[table.qname] for table in tables])
            self.there = self._read_target()  # triggers and sequences go with their tables

    def _truncate(self, tables: Sequence[QName]) -> None:
        names = ", ".join(map(str, tables))
        headline = f"ORA-39120: Table {names} can't be truncated, data will be skipped. Failing error is:"
        if not self.builder.execute(headline, self.ddl.truncate(*tables).statements):
            self.without_rows |= set(tables)

    def _drop(self, tables: Sequence[Table]) -> None:
        headline = "ORA-39083: Object type {} failed to drop with error:"
        for table in tables:
            for key in table.foreign_keys:
                label = f'REF_CONSTRAINT:"{table.schema}"."{key.name}"'
                self.builder.execute(headline.format(label), self.ddl.drop_foreign_key(table.qname, key).statements)
        for table in tables:
            if self.builder.execute(headline.format(path_of(table)), self.ddl.drop_table(table.qname).statements):
                del self.existing[table.qname]
            else:
                self.builder.failed.add(table.qname)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _load(self, path: str) -> None:
        made = self._read_target()
        with_rows = filters.tables_with_rows(self.spec, self.catalog)
        for table in with_rows:
            if table.qname in self.builder.failed:
                self.builder.dependent_skipped(f"TABLE_DATA:{table.qname}", table.qname)
        barred = self.builder.failed | self.without_rows
        tables = [table for table in with_rows if table.qname not in barred]
        groups = parents_first(tables) if self.existing else (tuple(tables),)
        bulk_refused = ""
        planned: list[list[Move]] = []
        for group in groups:
            moves = []
            for table in group:
                try:
                    move, bulk_refused = self._move(table, made.table(table.qname), bulk_refused)
                except MigratorError as error:
                    self._refuse(table, error)
                    continue
                if move is not None:
                    moves.append(move)
            planned.append(moves)
        every = [move for moves in planned for move in moves]
        if not every:
            return
        self.log.processing(path)
        _begin(self.progress, every)
        with open_lanes(self._lanes(every), self.progress.advance) as lanes:
            for moves in planned:
                for outcome in run_moves(moves, lanes, lambda move, _: move):
                    _log_outcome(self.log, "imported", outcome)
                    self.progress.table_done(str(outcome.move.table))
        self.progress.end()

    def _lanes(self, moves: Sequence[Move]) -> int:
        limits = [self.spec.parallel, len(moves), self.origin.readers, self.adapter.capabilities.max_writers]
        return max(1, min(limit for limit in limits if limit is not None))

    def _refuse(self, table: Table, error: MigratorError) -> None:
        self.log.error(
            f"ORA-31693: Table data object {table.qname} failed to load and is being skipped due to error:", str(error)
        )

    def _move(self, table: Table, made: Table | None, bulk_refused: str) -> tuple[Move | None, str]:
        """One table's move; None where the dump set was made without rows."""
        if made is None:
            raise ValueNotCarried(column=table.qname, detail="the table is not there to be loaded")
        fresh = table.qname not in self.existing
        facts = Facts(bulk_load_refused=bulk_refused)
        if not fresh or not bulk_refused:
            facts = self.adapter.facts(self.connection, table.qname)
        where = self.origin.unfiltered.get(table.source)
        choice = choose(Situation(facts, fresh, filtered=where is not None))
        source, target = _matched(table, made)
        rows_from = self.origin.rows(table, source)
        if rows_from is None:
            return None, facts.bulk_load_refused
        load = Load(made.qname, source, target, choice.method is Method.CONVENTIONAL_PATH, fresh)
        if choice.barred and self.spec.metrics:
            self.log.message(f"{table.qname}: {choice.method}, because {choice.reason}")
        staging = QName(made.schema, f"MIGRATOR_STAGING_{uuid.uuid4().hex[:8]}")
        store = Store(self.target, load, where, staging if choice.method is Method.EXTERNAL_TABLE else None)
        return Move(table.qname, rows_from, store, self._method(choice), self.origin.size(table)), facts.bulk_load_refused

    def _method(self, choice: Choice) -> str:
        return "network_link" if self.spec.network_link is not None else str(choice.method)

    def _check_inline_keys(self) -> None:
        """Foreign keys that stood in CREATE TABLE were not checked while rows came in table by table."""
        if "foreign_key" not in self.adapter.capabilities.inline:
            return
        for table in self.catalog.of(Table):
            if not table.foreign_keys or table.qname in self.builder.failed | self.without_rows:
                continue
            orphans = self.adapter.orphans(self.connection, table.qname)
            if orphans:
                text = f"{orphans} rows of {table.qname} refer to rows that are not there"
                self.log.error(f"ORA-02298: cannot validate the foreign keys of {table.qname} - parent keys not found", text)


def _matched(table: Table, made: Table) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns whose values move, as they come and as the target has them.

    Columns that the target generates are left to it.

    :raises ValueNotCarried: the target has no column for one of the source's.
    """
    there = {column.name: column for column in made.columns}
    folded = {column.name.lower(): column for column in made.columns}
    pairs = []
    for column in table.columns:
        found = there.get(column.name) or folded.get(column.name.lower())
        if found is None:
            raise ValueNotCarried(column=column.name, detail=f"table {made.qname} has no such column")
        if found.generated is None:
            pairs.append((column, found))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


# --- SQLFILE --------------------------------------------------------------------------------------------------------


def sqlfile(spec: JobSpec, resolve: Resolve, log: JobLog, progress: Progress) -> int:
    """impdp SQLFILE: the DDL that an import would run, as a script; nothing is connected to but a network link."""
    assert spec.sqlfile is not None
    adapter, server = _script_target(spec, resolve)
    log.banner([server.banner if server is not None else f"{adapter.title} (script only)"])
    default_schema = server.schema if server is not None else ""
    with _origin(spec, resolve, default_schema) as origin:
        catalog = transforms.apply(origin.catalog, spec, adapter.capabilities)
        check_target(catalog, adapter)
        owner = server.user if server is not None else adapter.name
        job = job_name(spec, owner)
        if spec.network_link is None:
            log.master(job, "loaded")
        log.starting(job, spec.command)
        _say(log, (*origin.notes, *transforms.unmatched(spec, origin.catalog)))
        ddl = adapter.ddl(catalog, server.version if server is not None else None)
        phases = plan(catalog, "METADATA_ONLY", ddl)
        with _replacing(spec.sqlfile) as stream:
            _write_script(spec, catalog, phases, Emitter(ddl, stream=stream), log)
    return log.finish(job, "COMPLETED")


def _script_target(spec: JobSpec, resolve: Resolve) -> tuple[Adapter, Server | None]:
    if spec.connection.endswith(":"):
        return adapter_for_backend(spec.connection.removesuffix(":").split("+")[0]), None
    target = Database(resolve(spec.connection))
    return target.adapter, target.server()


def _write_script(spec: JobSpec, catalog: Catalog, phases: Sequence[Phase], emitter: Emitter, log: JobLog) -> None:
    emitter.comment(f"DDL for {emitter.ddl.adapter.title}, written by migrator from {catalog.dialect} {catalog.version}")
    for loss in catalog.losses:
        emitter.comment(f"loss: {loss}")
        log.loss(loss)
    emitter.run(emitter.ddl.script_head())
    for phase in phases:
        steps = [step for step in phase.steps if step.script.statements or step.script.losses]
        if not steps:
            continue
        path = f"{prefix(spec)}/{phase.path}"
        log.processing(path)
        emitter.comment(f"new object type path: {path}")
        for step in steps:
            for loss in step.script.losses:
                emitter.comment(f"loss: {loss}")
                log.loss(loss)
            emitter.run(step.script.statements)


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place only when it is whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            yield stream
        os.replace(partial, path)
    except OSError as error:
        raise FileNotWritable(path=path, detail=error.strerror or str(error)) from error
    finally:
        partial.unlink(missing_ok=True)


__all__ = ["export", "import_", "run", "sqlfile"]
