"""Master tables made without a job, in SQLite files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from migrator.ends import Database
from migrator.job.coordinator import Record
from migrator.job.report import JobLog
from migrator.job.table import MasterTable, Row
from migrator.spec import JobSpec

JOB = Row("JOB", 1, "IMPORT/SCHEMA", "main", "MADE", "EXECUTING", 1, 1)
SPEC = JobSpec(operation="IMPORT", mode="SCHEMA", connection="sqlite:///x.db", directory=Path("."))


@contextmanager
def recorded(path: Path, *rows: Row, job: Row = JOB) -> Iterator[Record]:
    """A coordinator's hold on a new master table with these rows."""
    database = Database(sa.make_url(f"sqlite:///{path}"))
    table = MasterTable("main", job.name)
    with database.connect() as connection:
        table.create(connection)
        table.define(connection, job)
        table.insert(connection, rows)
        yield Record(table, database, connection, job.incarnation)


def log() -> JobLog:
    """A log that nobody reads."""
    return JobLog(SPEC, io.StringIO())


def all_rows(record: Record) -> list[tuple[object, ...]]:
    """The whole master table."""
    return [tuple(row) for row in record.connection.execute(sa.select(record.table.table).order_by("kind", "item"))]
