"""The jobs: export, import, network-link import, SQLFILE.

A job decides everything before it does anything: connect, read the catalog, filter, transform, plan; then the phases run
under its master table. Return values are the exit codes of the Data Pump clients: 0 completed, 5 completed with errors in
the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from migrator import overwriting
from migrator.config import NO_SECRETS, Secrets
from migrator.errors import MasterTableStays
from migrator.job.coordinator import Record
from migrator.job.report import JobLog, Progress
from migrator.job.session import Start
from migrator.operations.export import export
from migrator.operations.importing import import_
from migrator.operations.script import sqlfile
from migrator.operations.work import NoProgress, Work, connected
from migrator.origins import Resolve
from migrator.spec import JobSpec


def run(
    spec: JobSpec,
    resolve: Resolve,
    out: TextIO,
    progress: Progress | None = None,
    secrets: Secrets = NO_SECRETS,
    start: Start | None = None,
    opened: Callable[[Record], None] = lambda record: None,
) -> int:
    """Run one job, or with ``start`` go on with a recorded one; the exit code.

    ``secrets`` open the dump file set; ``opened`` is told when the job has its master table.

    :raises MigratorError: the job could not be started, or met a fatal error (the log says so too).
    :raises FileNotWritable: a file that it is to write would take the place of another kind of file.
    """
    databases = connected(spec, resolve)
    if start is None:
        overwriting.check(spec, databases)
    with JobLog(spec, out, again=start is not None) as log:
        work = Work(spec, resolve, log, progress or NoProgress(), secrets, opened)
        try:
            if spec.operation == "SQL_FILE":
                return sqlfile(work)
            if spec.operation == "EXPORT":
                return export(work, start)
            with overwriting.nothing_left_empty(databases[:1]):
                return import_(work, start)
        except MasterTableStays as error:
            return log.after_all(error)
        except BaseException as error:
            log.fatal(error)
            raise


__all__ = ["run"]
