"""impdp SQLFILE: the DDL that an import would run, as a script; nothing is connected to but a network link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from migrator import files, transforms
from migrator.adapter import Adapter, Server, adapter_for_backend
from migrator.ddl import DDL, Emitter
from migrator.ends import Database
from migrator.errors import FileNotWritable
from migrator.inventory import Made, take
from migrator.job.report import JobLog
from migrator.job.session import names
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import QName
from migrator.operations import ledger
from migrator.operations.declaring import (
    asked,
    check_collations,
    check_settings,
    declared,
    with_collations,
    with_default_collation,
)
from migrator.operations.naming import named
from migrator.operations.refused import source_text
from migrator.operations.target import check_collations_there, check_schemas, of_programs
from migrator.operations.trials import tried
from migrator.operations.work import Work
from migrator.origins import Origin, Resolve, origin
from migrator.plan import Phase, plan, prefix
from migrator.spec import JobSpec


def sqlfile(work: Work) -> int:
    """Write the script; the exit code. There is nothing to restart: the script takes its place when it is whole."""
    spec, log = work.spec, work.log
    assert spec.sqlfile is not None
    adapter, server = script_target(spec, work.resolve)
    log.banner([server.banner if server is not None else f"{adapter.title} (script only)"])
    default_schema = server.schema if server is not None else ""
    with origin(spec, work.resolve, default_schema, work.secrets, log.message) as opened:
        catalog, remarks = scripted(spec, opened, work.resolve, adapter, server)
        job = QName(server.schema if server is not None else adapter.name, next(names(spec)))
        if spec.network_link is None:
            log.master(job, "loaded")
        log.starting(job, spec.command)
        work.say((*opened.notes, *remarks))
        ddl = script_ddl(spec, work.resolve, adapter, server, catalog)
        phases = with_collations(spec, catalog, plan(catalog, "METADATA_ONLY", ddl))
        check_collations(phases, ddl)
        with _replacing(spec.sqlfile) as stream:
            told = (*catalog.losses, *of_programs(catalog, (), adapter.name))
            losses = _write_script(spec, catalog, told, phases, Emitter(ddl, stream=stream), log)
        if spec.ledger is not None:
            ledger.write(spec.ledger, job, losses)
        written = tuple((s, "COMPLETED" if s.script.statements else "SKIPPED") for phase in phases for s in phase.steps)
        log.inventory(take(opened.found, opened.catalog, Made(written, told)))
    return log.finish(job, "COMPLETED")


def script_target(spec: JobSpec, resolve: Resolve) -> tuple[Adapter, Server | None]:
    """Whose DDL a script is in, and the server there, if one is named."""
    if spec.connection.endswith(":"):
        return adapter_for_backend(spec.connection.removesuffix(":").split("+")[0]), None
    target = Database(resolve(spec.connection))
    return target.adapter, target.server()


def scripted(
    spec: JobSpec, opened: Origin, resolve: Resolve, adapter: Adapter, server: Server | None
) -> tuple[Catalog, tuple[str, ...]]:
    """What a script makes, under names that the server has for it, where one is named; and remarks.

    :raises TargetSchemaMissing: an object's schema cannot be there.
    :raises PolicyNotKept: POLICY asks of a column what its table does not let be.
    :raises InvalidValue: it names what the job does not have, or a case that a column's values never are.
    """
    if server is None:
        moved = transforms.remapped(opened.catalog, spec)
        catalog = transforms.fitted(opened.catalog, moved, spec, adapter.capabilities_of(None))
        notes = transforms.unmatched(spec, opened.catalog)
    else:
        names = named(spec, opened, Database(resolve(spec.connection)), server, makes_parts=True)
        catalog, notes = names.catalog, names.notes
        check_collations_there(catalog, Database(resolve(spec.connection)))
    check_schemas(catalog, adapter)
    idle = check_settings(spec, catalog)
    ddl = adapter.ddl(catalog, None if server is None else server.version)
    catalog = with_default_collation(asked(spec, catalog), adapter, server)
    catalog, remarks = declared(spec, opened.catalog, catalog, ddl)
    return catalog, (*notes, *idle, *remarks)


def script_ddl(spec: JobSpec, resolve: Resolve, adapter: Adapter, server: Server | None, catalog: Catalog) -> DDL:
    """The writer of a script's DDL; where a server is named, it has tried the expressions of other databases."""
    return adapter.ddl(catalog) if server is None else tried(Database(resolve(spec.connection)), server, catalog)


def _write_script(
    spec: JobSpec, catalog: Catalog, told: Sequence[Loss], phases: Sequence[Phase], emitter: Emitter, log: JobLog
) -> list[Loss]:
    """Write the statements, and the losses as comments, those ``told`` before all others; the losses."""
    losses = list(told)
    emitter.comment(f"DDL for {emitter.ddl.adapter.title}, written by migrator from {catalog.dialect} {catalog.version}")
    for loss in told:
        emitter.comment(f"loss: {loss}")
    log.losses_of(told)
    emitter.run(emitter.ddl.script_head())
    for phase in phases:
        steps = [step for step in phase.steps if step.script.is_told or step.script.is_left_out]
        if not steps:
            continue
        path = f"{prefix(spec)}/{phase.path}"
        log.processing(path)
        emitter.comment(f"new object type path: {path}")
        log.losses_of(loss for step in steps for loss in step.script.losses)
        for step in steps:
            for loss in step.script.losses:
                emitter.comment(f"loss: {loss}")
            losses += step.script.losses
            emitter.run(step.script.statements)
            if step.script.is_left_out and (said := source_text(step.part)):
                emitter.comment(f"{step.label} at the source: {said}")
    return losses


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place only when it is whole."""
    try:
        with files.replacing(path, files.not_text) as stream:
            yield stream
    except OSError as error:
        raise FileNotWritable(path=path, detail=error.strerror or str(error)) from error
