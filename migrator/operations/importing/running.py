"""An import from its beginning to its end: planned, on record, run phase by phase."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache

import sqlalchemy as sa

from migrator import rejects
from migrator.dump import reader
from migrator.ends import Database
from migrator.errors import JobKilled, MigratorError
from migrator.inventory import Inventory, Made, take
from migrator.job.claims import Claims
from migrator.job.session import Start, names, session
from migrator.model.catalog import Catalog
from migrator.model.objects import QName, Schema, Table
from migrator.naming import parts_of
from migrator.operations.broken_checks import with_broken_checks
from migrator.operations.declaring import check_collations
from migrator.operations.importing import checking, existing, loading, losses, orphaned, renaming, resuming
from migrator.operations.importing.job import Import, identity, listed
from migrator.operations.master_only import master_only
from migrator.operations.naming import Named
from migrator.operations.restoring import restore
from migrator.operations.rows import estimate, granules, object_rows
from migrator.operations.target import accepted, check_one_method, drawn_up, is_restored, met, of_catalog
from migrator.operations.work import Work, linked
from migrator.origins import Origin, origin, verify
from migrator.plan import REF_CONSTRAINT, SCHEMAS, TABLE_DATA, prefix
from migrator.spec import JobSpec
from migrator.transforms import remapped


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
    with origin(spec, work.resolve, server.schema, work.secrets, log.message) as found:
        ddl_there = target.adapter.ddl(found.catalog, server.version)
        opened = with_broken_checks(spec, found, ddl_there, _staying(spec, found, target))
        before = (None, None) if start is None else (renaming.chosen(start), existing.recalled(start))
        named = accepted(spec, opened, target, server, *before)
        if is_restored(spec, opened):
            return restore(work, opened, target, server, start)
        ddl, phases = drawn_up(spec, opened, named.catalog, target, server, link)
        tables = [table.qname for table in named.catalog.of(Table)]
        claims = Claims(target, server, tables, appends=spec.table_exists_action == "APPEND")
        with ExitStack() as stack:
            with claims.told(own=None if start is None else start.table):
                job = stack.enter_context(session(spec, target, server, start, _relations(named.catalog)))
            connection = stack.enter_context(target.connect())
            work.begin(job)
            if spec.network_link is None:
                log.master(job.job, "loaded")
            log.starting(job.job, spec.command)
            claims.take(job, log.message)
            importing = Import(work, opened, ddl, phases, target, connection, job)
            _run(importing, named, claims)
            if spec.content != "DATA_ONLY":
                log.inventory(_inventory(importing))
            return log.finish(job.job, "COMPLETED")


def _staying(spec: JobSpec, found: Origin, target: Database) -> Callable[[Table], bool]:
    """Whether TABLE_EXISTS_ACTION leaves a table of the source alone, since one has the name there that it is to have."""

    @cache
    def names() -> dict[QName, QName]:
        return {table.source: table.qname for table in remapped(found.catalog, spec).of(Table)}

    @cache
    def is_there(name: QName) -> bool:
        with target.connect() as connection:
            return sa.inspect(connection).has_table(name.name, name.schema)

    return lambda table: spec.table_exists_action == "SKIP" and is_there(names()[table.source])


def _verify_only(work: Work, job: QName) -> int:
    """VERIFY_ONLY: check that the set is complete and its files are as they were written; import nothing."""
    dump = reader.open_set(work.spec.dumpfiles, work.secrets)
    work.log.master(job, "loaded")
    work.log.starting(job, work.spec.command)
    work.log.message("dump file set is complete")
    verify(dump, work.log.message)
    work.log.message("dump file set is consistent")
    return work.log.finish(job, "COMPLETED")


def _relations(catalog: Catalog) -> set[QName]:
    """What shares the name space of tables in some database: tables, views, sequences, indexes and constraints."""
    names = {QName(obj.schema, obj.name) for obj in catalog.objects if not isinstance(obj, Schema)}
    for table in catalog.of(Table):
        names |= {QName(table.schema, part.name) for part in parts_of(table) if part.name}
    return names


def _run(job: Import, named: Named, claims: Claims) -> None:
    """Run all phases."""
    if not job.session.restarted:
        _plan(job, named)
    recorded = job.begin()
    try:
        if job.session.restarted:
            resuming.check(job, recorded)
        claims.shut_out(job.session, job.changing(), job.log.message)
        job.session.executing()
        _run_phases(job)
        if job.spec.verify:
            checking.verify_rows(job)
        renaming.settle(job)
        job.coordinator.close()
        losses.record(job)
    except JobKilled:
        job.coordinator.abandon()
        try:
            losses.tell(job)
            loading.gather_rejects(job)
            orphaned.gather(job)
        except MigratorError as error:
            job.log.message(str(error))
        raise
    except BaseException:
        job.coordinator.abandon()
        raise


def _inventory(job: Import) -> Inventory:
    """What became of the source's objects."""
    states = {row.item: row.state for row in job.record.rows("OBJECT")}
    numbered = zip((s for phase in job.phases for s in phase.steps), (i for items in job.items for i in items), strict=True)
    made = tuple((step, states[item]) for step, item in numbered)
    told = (*job.of_catalog(), *losses.changed(losses.counted(job)), *losses.of_keys(job))
    return take(job.origin.found, job.origin.catalog, Made(made, told, frozenset(job.builder.skipped), _rowless(job)))


def _rowless(job: Import) -> frozenset[QName]:
    """The tables that do not have their rows, which failed; those that SKIP or REPLACE leave alone are there."""
    failed = {name for name, rows in job.granules().items() if any(row.state in {"FAILED", "SKIPPED"} for row in rows)}
    stays = job.spec.table_exists_action in {"SKIP", "REPLACE"}
    return frozenset(failed - job.without_rows if stays else failed | job.without_rows)


def _run_phases(job: Import) -> None:
    renaming.keep(job)
    existing.treat(job)
    for phase, items in zip(job.phases, job.items, strict=True):
        path = f"{prefix(job.spec)}/{phase.path}"
        if phase.path == TABLE_DATA:
            job.loading = True
            loading.load(job, path)
            job.loading = False
            loading.raise_identities(job)
            loading.gather_rejects(job)
            if job.session.restarted:
                losses.tell(job)
        else:
            job.builder.run(phase, items, path, job.labels)
            if phase.path == SCHEMAS:
                renaming.keep(job)
            if phase.path == REF_CONSTRAINT:
                orphaned.settle(job)
    orphaned.check_inline_keys(job)
    orphaned.gather(job)


def _plan(job: Import, named: Named) -> None:
    """Record every object and granule; then that this is the plan. ``named``: how they come to be what they are.

    :raises AccessMethodRefused: ACCESS_METHOD, or a dump file set with data files, asks for what a rule bars.
    :raises CollationRefused: texts of a table that is to be made compare in another way, which POLICY refuses.
    """
    check_one_method(job.spec, job.origin, job.decisions)
    kept, schemas = job.kept(job.there.tables), job.there.schemas(job.there.labels)
    check_collations(job.phases, job.ddl, kept, job.there.labels)
    remarks = (remark for decision in job.decisions.values() for remark in decision.remarks)
    job.work.say((*job.origin.notes, *named.notes, *remarks))
    estimates = estimate(job.work, job.origin, job.tables.values())
    staying = job.there.without(set(met(job.catalog, job.there.tables)) - kept).labels
    job.log.losses_of(of_catalog(job.spec, job.catalog, kept, schemas, job.adapter.name, staying))
    job.record.clear("OBJECT", "GRANULE")
    job.record.insert(object_rows(job.phases))
    job.record.insert(granules(job.origin, job.tables, estimates))
    job.session.note(
        plan=identity(job.phases),
        **renaming.noted(named),
        source=job.origin.identity,
        mark=job.origin.mark,
        existing=listed(job.there.tables),
        labels=sorted(job.there.labels),
        rejects=None if job.spec.reject_file is None else str(rejects.claim(job.spec.reject_file)),
    )
