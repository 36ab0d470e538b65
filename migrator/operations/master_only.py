"""impdp MASTER_ONLY: the master table of a dump file set, as a table to look at; no object and no row is imported."""

from __future__ import annotations

from collections.abc import Iterator

from migrator import filters
from migrator.adapter import Server
from migrator.dump.master import Entry
from migrator.ends import Database
from migrator.job.session import Start, session
from migrator.job.table import Row
from migrator.operations.rows import object_rows
from migrator.operations.work import Work
from migrator.origins import open_dump
from migrator.plan import NO_OBJECTS, TABLE_DATA, plan


def master_only(work: Work, target: Database, server: Server, start: Start | None) -> int:
    """Leave a master table that says what the set holds; the exit code.

    OBJECT rows are the set's objects, GRANULE rows its tables' rows, as the export recorded them, and where they lie. The
    set's files are in these, not in FILE rows, which are a job's to delete. A master table that a job before has left
    unfinished is begun anew.
    """
    spec, log = work.spec, work.log
    dump = open_dump(spec, work.secrets, log.message)
    catalog = filters.select(dump.catalog, spec, server.schema)
    wanted = {(table.source.schema, table.source.name) for table in filters.tables_with_rows(spec, catalog)}
    entries = [entry for entry in dump.master.entries if (entry.schema, entry.table) in wanted]
    with session(spec, target, server, start) as job:
        work.begin(job)
        job.record.clear("OBJECT", "GRANULE")
        phases = plan(catalog, spec.content)
        job.record.insert(object_rows((p for p in phases if p.path not in NO_OBJECTS), "COMPLETED"))
        job.record.insert(_granules(entries))
        job.note(exported={"job": dump.master.job, "command": dump.master.command, "set": dump.header.set_id})
        log.master(job.job, "loaded")
        log.starting(job.job, spec.command)
        work.say(filters.unmatched(spec, dump.catalog))
        return log.finish(job.job, "COMPLETED")


def _granules(entries: list[Entry]) -> Iterator[Row]:
    for item, entry in enumerate(entries, 1):
        yield Row(
            "GRANULE",
            item,
            TABLE_DATA,
            entry.schema,
            entry.table,
            entry.state,
            worker=entry.worker,
            rows=entry.rows,
            bytes=entry.bytes,
            estimate=entry.bytes,
            seconds=entry.seconds,
            error=entry.error,
            detail={"pieces": [vars(piece) for piece in entry.pieces]},
        )
