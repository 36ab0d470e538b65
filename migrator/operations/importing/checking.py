"""VERIFY: what an import checks when rows are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from migrator.differences import OWN
from migrator.errors import RowsDiffer
from migrator.job.rejecting import Rejected
from migrator.job.table import Row
from migrator.job.worker import LOST
from migrator.model.objects import QName
from migrator.operations import comparing
from migrator.operations.importing.job import Import
from migrator.operations.verified import METHODS, TableVerified, result_text, row_text


def verify_rows(job: Import) -> None:
    """VERIFY: the rows of every table that this job has loaded are those they were loaded from."""
    granules = {name: rows for name, rows in job.granules().items() if name in job.tables and name not in job.without_rows}
    failed = [name for name, rows in granules.items() if any(row.state not in {"COMPLETED", "SKIPPED"} for row in rows)]
    done = {name: rows for name, rows in granules.items() if any(row.state == "COMPLETED" for row in rows)}
    tables = {job.tables[name]: _loaded(rows) for name, rows in done.items() if name not in failed}
    job.log.message("Verifying rows of the target against those they were loaded from")
    for name in failed:
        job.log.message(f"{name} is not verified, since it failed to load")
    quiet = nullcontext() if job.adapter.capabilities.writes_while_read else job.coordinator.silent()
    with quiet, comparing.reading(job.target, job.spec) as rows_of:
        there = job.read_target().catalog
        scan, tell = job.coordinator.scan, partial(_tell_verified, job, granules)
        own = {name: {loss.column for loss in told if loss.rule == OWN} for name, told in job.about_existing.items()}
        comparing.Comparison(job.origin, there, job.ddl, job.policies, rows_of, scan, tell, own).of(tables)
        job.coordinator.pool.close()  # readers let go of the target before anybody writes to it


def _loaded(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The granules of a table whose rows came in, as far as the database took them."""
    return [row.detail for row in rows if row.state == "COMPLETED" and LOST not in row.detail]


def _tell_verified(job: Import, granules: Mapping[QName, Sequence[Row]], found: TableVerified) -> None:
    """A table's line, or an error.

    Rows that were rejected are no difference, nor are those of a damaged granule, nor those that a table had before the job.
    """
    left_out = sum(Rejected.of(row.detail).rows for row in granules[found.table])
    lost = sum(LOST in row.detail for row in granules[found.table])
    appended = found.table in job.existing and job.spec.table_exists_action == "APPEND"
    as_rejected = found.lost <= left_out if appended else found.lost == left_out  # a rejected row may have been there
    known = not found.problem and found.whole and as_rejected and (appended or not found.added)
    if not (found.equal or known):
        error = RowsDiffer(table=found.table, detail=result_text(found))
        job.log.error(str(error), *(f"  {row_text(row)}" for row in found.examples))
        return
    assert found.rows is not None
    job.log.rows("verified", found.table, found.bytes, found.rows[0], found.seconds, METHODS[found.method], 1)
    if left_out and found.lost == left_out:
        job.log.message(f"{found.table} has all rows but {left_out}, as many as were rejected")
    elif left_out and not found.lost:
        job.log.message(f"{found.table} has all rows: the {left_out} rejected were there before")
    elif left_out:
        job.log.message(f"{found.table} has all rows but {found.lost}: others of the {left_out} rejected were there before")
    if lost:
        job.log.message(f"{found.table} has all rows but those of {lost} granule(s), which are lost")
    if found.added:
        job.log.message(f"{found.table} has {found.added} rows more, which were there before or came in from elsewhere")
