"""An import that goes on: what the master table records must be so, or rows could be lost or doubled."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.errors import RequestChanged, RowsInDoubt, SourceChanged, TargetChanged
from migrator.job.rejecting import Rejected
from migrator.job.table import Row
from migrator.model.objects import QName
from migrator.operations.importing.job import NOT_TAKEN_BACK, Import, identity
from migrator.operations.rows import skipped_now, tell_doubts
from migrator.plan import TABLE


def check(job: Import, recorded: dict[int, Row]) -> None:
    """What the master table records must be so, or rows could be lost or doubled.

    :raises RequestChanged: the plan is another.
    :raises SourceChanged: rows have changed at the source.
    :raises TargetChanged: what had been made is not there as it was.
    :raises RowsInDoubt: rows may or may not be there.
    """
    if job.origin.identity != job.session.recall("source"):
        what = "the dump file set" if job.spec.network_link is None else "the catalog"
        raise SourceChanged(object=what, detail="it is not the one that the job began with")
    if identity(job.phases) != job.session.recall("plan"):
        raise RequestChanged(detail="its objects would be made otherwise than they were; was migrator updated?")
    granules = job.granules()
    for name, rows in granules.items():
        _check_source(job, name, rows)
        _check_rows(job, name, rows)
    _check_tables(job, recorded)
    every = [row for rows in job.granules().values() for row in rows]
    job.log.restarting(sum(row.state == "COMPLETED" for row in every), len(every))
    tell_doubts(job.log, job.origin, job.session.recall("mark"), every)
    for row in skipped_now(job.record, (*every, *recorded.values())):
        what = row.name if row.kind == "OBJECT" else f"granule {row.item} of {QName(row.schema, row.name)}"
        job.log.error(f"{what} was in progress and is skipped")
    job.session.note(mark=job.origin.mark)


def _check_source(job: Import, name: QName, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.state == "COMPLETED":
            read = row.rows + Rejected.of(row.detail).rows
            changed = job.origin.changed(job.tables[name], row.detail, job.session.recall("mark"), read)
            if changed is not None:
                raise SourceChanged(object=f"table {job.tables[name].source}", detail=changed)


def _check_tables(job: Import, recorded: dict[int, Row]) -> None:
    made = job.there.tables
    for phase, items in zip(job.phases, job.items, strict=True):
        for item, step in zip(items, phase.steps, strict=True):
            missing = step.path == TABLE and step.table is not None and step.table not in made
            if missing and recorded[item].state == "COMPLETED":
                raise TargetChanged(object=f"table {step.table}", detail="it is not there any more")


def _check_rows(job: Import, name: QName, rows: Sequence[Row]) -> None:
    """The rows of a table that only this job fills must be those that its done marks count."""
    begun = [row for row in rows if row.attempts and row.state in {"PENDING", "EXECUTING"}]
    failed = [row for row in rows if row.state == "FAILED"]
    if job.origin.data_files is not None:  # files take the place of whatever an earlier attempt has left
        for row in failed:
            job.record.change("GRANULE", row.item, state="PENDING")
        return
    there = job.record.database == job.target
    exact = there and job.takes_back(name)
    ours = name not in job.existing or job.spec.table_exists_action in {"TRUNCATE", "REPLACE"}
    if not exact and begun and not ours:
        elsewhere = "the master table is not in the database that the rows go into"
        raise RowsInDoubt(table=name, detail=elsewhere if not there else NOT_TAKEN_BACK)
    if (begun and not exact) or (failed and ours):  # of a table that failed, some rows may be removed already
        _begin_anew(job, name, rows, in_doubt=bool(begun) and not exact)
        return
    if failed and not job.takes_back(name):
        job.log.error(f"{name}: what failed to load is not loaded again, some of its rows may be there: {NOT_TAKEN_BACK}")
    else:
        for row in failed:
            job.record.change("GRANULE", row.item, state="PENDING")
    done = [row for row in rows if row.state == "COMPLETED"]
    if done and name not in job.existing and exact:
        recorded = sum(row.rows for row in done)
        counted = _count(job, name)
        if counted != recorded:
            raise TargetChanged(object=f"table {name}", detail=f"it has {counted} rows, the job had loaded {recorded}")


def _count(job: Import, name: QName) -> int:
    if job.there.catalog.table(name) is None:
        raise TargetChanged(object=f"table {name}", detail="it is not there any more")
    return job.adapter.count(job.connection, name)


def _begin_anew(job: Import, name: QName, rows: Sequence[Row], *, in_doubt: bool) -> None:
    """Let a table's rows come in once more, but for those that are skipped.

    A table without rows is left alone, since foreign keys may refer to it by now; not if rows are ``in_doubt``, which
    may be committed at this moment: TRUNCATE waits for that.

    :raises RowsInDoubt: those that may be there cannot be removed.
    """
    there = job.there.catalog.table(name) is not None and (in_doubt or _count(job, name) > 0)
    if there and not job.empty(name):
        raise RowsInDoubt(table=name, detail="it cannot be emptied")
    for row in rows:
        if row.state != "SKIPPED":
            job.record.change("GRANULE", row.item, state="PENDING", rows=0, bytes=0)
