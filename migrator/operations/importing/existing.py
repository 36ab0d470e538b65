"""TABLE_EXISTS_ACTION: what becomes of the tables of an import that were there before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from migrator.job.session import Start
from migrator.model.catalog import path_of
from migrator.model.objects import QName, Table
from migrator.operations.importing.job import Import, listed
from migrator.operations.target import EXISTS, met
from migrator.plan import parents_first

NOT_DROPPED = "ORA-39083: Object type {} failed to drop with error:"
STAYS = (
    "{} stays as it was, with its rows. If other objects depend on it, drop them first and make them again afterwards; "
    "TABLE_EXISTS_ACTION=TRUNCATE keeps the table and loads new rows into it"
)


def recalled(start: Start) -> frozenset[QName] | None:
    """The tables that were there before a job that is started again; None: it has not recorded them yet."""
    said = start.recall("existing")
    return None if said is None else frozenset(QName(*name) for name in said)


def treat(job: Import) -> None:
    """TABLE_EXISTS_ACTION for every table of the job that was there already; once in the life of a job."""
    tables = met(job.catalog, job.existing)
    treated: dict[str, Any] | None = job.session.recall("treated")
    action = job.spec.table_exists_action
    job.builder.skipped |= job.kept(tables)
    if action == "SKIP":
        job.without_rows |= set(tables)
    if treated is None:
        _tell(job, tables)
        if action != "SKIP" and tables:
            tables = _without_refused(job, tables)
        job.log.losses_of(loss for losses in job.told_of_existing().values() for loss in losses)
        if action == "TRUNCATE" and tables:
            _truncate(job, [table for name in tables if (table := job.there.catalog.table(name)) is not None])
        if action == "REPLACE" and tables:
            _drop(job, [table for name in tables if (table := job.there.catalog.table(name)) is not None])
        treated = {"without_rows": listed(job.without_rows), "failed": listed(job.builder.failed)}
        if action == "REPLACE" and tables:
            job.there = job.read_target()  # triggers and sequences go with their tables
            job.labels = job.there.labels
        job.session.note(treated=treated, labels=sorted(job.labels))
    job.without_rows |= {QName(*name) for name in treated["without_rows"]}
    job.builder.failed |= {QName(*name) for name in treated["failed"]}
    job.existing = job.existed()


def _without_refused(job: Import, tables: Sequence[QName]) -> list[QName]:
    """Existing tables but for those that stay and cannot be loaded: these are left as they are, with their rows."""
    stay = {name: decision for name, decision in job.decisions.items() if name in job.builder.skipped}
    refused = {name: why for name, decision in stay.items() if (why := decision.refusal) is not None}
    for name in tables:
        if name in refused:
            job.fail_to_load(name, refused[name])
            job.without_rows.add(name)
    return [name for name in tables if name not in refused]


def _tell(job: Import, tables: Sequence[QName]) -> None:
    action = job.spec.table_exists_action
    tell = job.log.error if action == "SKIP" else job.log.message
    for name in tables if action in EXISTS else ():
        tell(EXISTS[action].format(name))


def _truncate(job: Import, tables: Sequence[Table]) -> None:
    """Empty tables, all or none; where DDL cannot be rolled back one by one, children first."""
    headline = "ORA-39120: Table {} can't be truncated, data will be skipped. Failing error is:"
    if job.adapter.capabilities.transactional_ddl:
        names = ", ".join(str(table.qname) for table in tables)
        if not job.builder.empty(headline.format(names), *tables):
            job.without_rows |= {table.qname for table in tables}
        return
    emptied = list(tables)
    for table in _children_first(tables):
        if not job.builder.empty(headline.format(table.qname), table, among=emptied):
            job.without_rows.add(table.qname)
            emptied.remove(table)  # its rows stay, and with them those that they refer to


def _drop(job: Import, tables: Sequence[Table]) -> None:
    """Drop tables, and before them their foreign keys; a table that cannot be dropped keeps its own.

    Where DDL can be rolled back, all is tried without that table once more. Where it cannot, its keys are made again
    while what they refer to is there.
    """
    left = _children_first(tables)
    whole = job.adapter.capabilities.transactional_ddl
    while whole and left:
        scripts = [(table, script) for table in left for script in _drops_of_keys(job, table)]
        scripts += [(table, _drop_of(job, table)) for table in left]
        failed = job.builder.execute_together([script for _, script in scripts])
        if failed is None:
            return
        stays = scripts[failed][0]
        job.builder.failed.add(stays.qname)
        left.remove(stays)
        job.log.message(STAYS.format(stays.qname))
    for table in left:
        for headline, statements in _drops_of_keys(job, table):
            job.builder.execute(headline, statements)
    for table in left:
        if not job.builder.execute(*_drop_of(job, table)):
            job.builder.failed.add(table.qname)
            job.log.message(STAYS.format(table.qname))
            _make_keys_again(job, table)


def _drops_of_keys(job: Import, table: Table) -> Iterator[tuple[str, Sequence[str]]]:
    for key in table.foreign_keys:
        headline = NOT_DROPPED.format(f'REF_CONSTRAINT:"{table.schema}"."{key.name}"')
        yield headline, job.ddl.drop_foreign_key(table.qname, key).statements


def _drop_of(job: Import, table: Table) -> tuple[str, Sequence[str]]:
    return NOT_DROPPED.format(path_of(table)), job.ddl.drop_table(table.qname).statements


def _make_keys_again(job: Import, table: Table) -> None:
    """Give a table that stays the foreign keys again that it had."""
    ddl = job.adapter.ddl(job.there.catalog, job.ddl.version)
    for key in table.foreign_keys:
        label = f'REF_CONSTRAINT:"{table.schema}"."{key.name}"'
        headline = f"{label} of a table that stays can't be made again:"
        if job.builder.execute(headline, ddl.foreign_key(table, key).statements):
            job.log.message(f"{label} is made again, since its table stays")


def _children_first(tables: Iterable[Table]) -> list[Table]:
    """Tables before those that their foreign keys lead to."""
    return [table for group in reversed(parents_first(tables)) for table in group]
