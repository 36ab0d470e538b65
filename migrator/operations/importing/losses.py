"""The loss list of an import, of all its runs: what was changed, converted, left out or not made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from migrator.converting import Counts, recalled
from migrator.ddl import NOT_VALIDATED
from migrator.job.builder import is_made
from migrator.job.report import loss_line
from migrator.job.table import Row
from migrator.model.catalog import Loss
from migrator.model.objects import ForeignKey, QName, Table
from migrator.operations import ledger
from migrator.operations.importing import orphaned
from migrator.operations.importing.job import Import
from migrator.operations.refused import source_text
from migrator.operations.rows import changes
from migrator.plan import Step


def of_columns(job: Import, table: Table) -> tuple[Loss, ...]:
    """The entries about a table's columns: those of its making, or of how it is, if it was there."""
    entries = job.about_existing if table.qname in job.existing else job.declared
    return entries.get(table.qname, ())


def looked_for(job: Import, table: Table) -> Iterator[Loss]:
    """Those about each value of a column, of which rows are to be looked at: all rows have one in a column without NULLs."""
    full = _without_nulls(table)
    return (loss for loss in of_columns(job, table) if loss.each and loss.column not in full)


def _without_nulls(table: Table) -> frozenset[str]:
    """The columns that have a value in each row which comes in."""
    return frozenset(column.name for column in table.columns if not column.nullable and column.generated is None)


def counted(job: Import) -> dict[QName, Counts]:
    """What was counted while rows passed, by their tables, in all runs of the job."""
    found: dict[QName, Counts] = {}
    for name, rows in job.granules().items():
        for row in rows:
            if row.state == "COMPLETED":
                found[name] = found.get(name, Counts()) + recalled(row.detail)
    return found


def changed(counted: Mapping[QName, Counts]) -> tuple[Loss, ...]:
    """The entries about values that were changed on their way into tables."""
    return tuple(loss for name, counts in counted.items() for loss in changes(name, counts))


def tell(job: Import) -> None:
    """Log the entries that no run of the job has logged: its rows were committed, and then it died."""
    told = job.said()
    for loss in changed(counted(job)):
        if loss_line(loss) not in told:
            job.log.loss(loss)


def _losses(job: Import, counted: Mapping[QName, Counts]) -> Iterator[Loss]:
    """All entries of the loss list, of all runs of the job; those about each value of a column with its rows."""
    yield from job.of_catalog()
    recorded = {row.item: row for row in job.record.rows("OBJECT")}
    broken = orphaned.entries(job)
    for phase, items in zip(job.phases, job.items, strict=True):
        for item, step in zip(items, phase.steps, strict=True):
            row = recorded[item]
            if is_made(row):
                of_making = [loss for loss in step.script.losses if loss.rule != NOT_VALIDATED]
                yield from (_with_rows(job, loss, step.table, counted) for loss in of_making)
            elif row.state == "FAILED":
                yield _not_made(job, step, row)
            yield from broken.get(item, ())
    for name, told in job.told_of_existing().items():
        yield from (_with_rows(job, loss, name, counted) for loss in told)
    yield from changed(counted)


def of_keys(job: Import) -> tuple[Loss, ...]:
    """The entries about foreign keys that are there, and that rows break."""
    return tuple(loss for losses in orphaned.entries(job).values() for loss in losses)


def _not_made(job: Import, step: Step, row: Row) -> Loss:
    """The entry about an object that the target refused, as the log says; of a foreign key or check, the rows against it."""
    said = source_text(step.part)
    detail = f"not made: {row.error}" + (f"; at the source: {said}" if said else "")
    of_key = isinstance(step.part, ForeignKey)
    against = orphaned.against(job, row) if of_key else (job.builder.breaking(step), "")
    return Loss(step.label, "not-made", detail + against[1], rows=against[0])


def record(job: Import) -> None:
    """Put the loss list into the master table, and where LEDGER says.

    :raises FileNotWritable: LEDGER cannot be written.
    """
    losses = tuple(_losses(job, counted(job)))
    job.record.clear("LOSS")
    job.record.insert(ledger.rows(losses))
    if job.spec.ledger is not None:
        ledger.write(job.spec.ledger, job.session.job, losses)


def _with_rows(job: Import, loss: Loss, name: QName | None, counted: Mapping[QName, Counts]) -> Loss:
    """An entry about a table with its number of rows, if that was counted: not of a column that the target computes."""
    if not loss.each or loss.column is None or name is None or name not in counted:
        return loss
    if job.origin.data_files is None and loss.column in _without_nulls(job.tables[name]):
        return replace(loss, rows=sum(row.rows for row in job.granules()[name] if row.state == "COMPLETED"))
    rows = counted[name][loss.column, loss.rule, None]
    computed = (column.name for column in job.tables[name].columns if column.generated is not None)
    return loss if not rows and loss.column in computed else replace(loss, rows=rows)
