"""Staging tables: through them rows go that SQL has to choose among. They belong to one job and go with it.

Their names tell the job, so that those of a run that was killed are found, and the run, so that a process that comes back to
life meets none of another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa

from migrator.model.objects import QName

_PREFIX = "MIGRATOR_STAGING_"


def _prefix(job: QName) -> str:
    return f"{_PREFIX}{hashlib.sha256(str(job).encode()).hexdigest()[:12]}_"


def name(job: QName, incarnation: int, item: int, schema: str) -> QName:
    """The staging table of a granule; short enough for every database."""
    return QName(schema, f"{_prefix(job)}{incarnation}_{item}")


def drop_all(connection: sa.Connection, job: QName, schemas: Iterable[str]) -> None:
    """Remove the staging tables of all runs of a job."""
    inspector = sa.inspect(connection)
    prefix = _prefix(job)
    for schema in schemas:
        for found in inspector.get_table_names(schema=schema):
            if found.startswith(prefix):
                sa.Table(found, sa.MetaData(), schema=schema).drop(connection, checkfirst=False)
