"""``migrator verify``: whether the target of an import has the source's rows, and which differ.

The source is what the import read: a linked database, or the pieces of a dump file set, whose own source may be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from migrator import filters, overwriting, windows
from migrator.adapter import Server
from migrator.config import NO_SECRETS, Secrets
from migrator.ends import Database
from migrator.errors import FatalError, NothingSelected, RowsNotExported, WorkerDied
from migrator.job.lanes import Pool
from migrator.job.report import Progress
from migrator.job.worker import Scan
from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from migrator.operations import transport
from migrator.operations.comparing import Comparison, Scanned, Scanner, reading
from migrator.operations.declaring import check_settings
from migrator.operations.naming import named
from migrator.operations.target import check_schemas
from migrator.operations.verified import TableVerified, Verification
from migrator.operations.work import NoProgress
from migrator.origins import Origin, Part, Resolve, origin
from migrator.policies import Policies
from migrator.spec import JobSpec
from migrator.windows import Degrees

C = TypeVar("C", bound=Comparison)


@dataclass(frozen=True)
class Sides(Generic[C]):
    """Both ends of an import, open to be compared; ``without``: the tables of which the source has no rows."""

    origin: Origin
    target: Database
    server: Server
    comparison: C
    tables: Mapping[Table, Sequence[dict[str, Any]]]
    without: Sequence[TableVerified]
    there: Catalog
    policies: Policies
    notes: tuple[str, ...]
    looked: Callable[[], None]
    """Ends what is held of the target to be compared: somebody may write to it."""


@contextmanager
def sides(
    kind: type[C], spec: JobSpec, resolve: Resolve, secrets: Secrets = NO_SECRETS, progress: Progress | None = None
) -> Iterator[Sides[C]]:
    """Open both ends of an import, each in one state, for a ``kind`` of comparison.

    :raises NothingSelected: there is no table to be compared.
    :raises MigratorError: an end cannot be read at all.
    """
    shown = progress or NoProgress()
    target = Database(resolve(spec.connection))
    target.adapter.find(target.url)
    notes: list[str] = []
    with overwriting.nothing_made([target.url]):
        server = target.server()
        with (
            origin(spec, resolve, server.schema, secrets, notes.append) as opened,
            ExitStack() as looking,
        ):
            connection = looking.enter_context(target.connect())
            rows_of = looking.enter_context(reading(target, spec))
            scan = looking.enter_context(scanner(spec.degrees, shown))
            transport.check_rows(opened)
            names = named(spec, opened, target, server, makes_parts=False)
            catalog = names.catalog
            check_schemas(catalog, target.adapter)
            notes += [*opened.notes, *names.notes, *check_settings(spec, catalog)]
            parts, without = _parts(opened, filters.tables_with_rows(spec, catalog))
            if not parts and not without:
                raise NothingSelected
            tables = {table: [part.detail for part in found] for table, found in parts.items()}
            there = _catalog_of(target, connection, tables)
            ddl = target.adapter.ddl(catalog, server.version)
            shown.begin(len(tables), None, 2 * sum(part.bytes for found in parts.values() for part in found) or None)
            policies = Policies(spec.policies, tables)
            told = lambda found: shown.table_done(str(found.table))  # noqa: E731
            comparison = kind(opened, there, ddl, policies, rows_of, scan, told)
            noted = tuple(notes)
            yield Sides(opened, target, server, comparison, tables, without, there, policies, noted, looking.close)


def verify_job(
    spec: JobSpec, resolve: Resolve, secrets: Secrets = NO_SECRETS, progress: Progress | None = None
) -> Verification:
    """Compare the target of an import with its source.

    :raises MigratorError: as :func:`sides`.
    """
    with sides(Comparison, spec, resolve, secrets, progress) as open_:
        found = open_.comparison.of(open_.tables)
        if progress is not None:
            progress.end()
        return Verification((*found, *open_.without), open_.notes)


def _parts(opened: Origin, tables: Iterable[Table]) -> tuple[dict[Table, tuple[Part, ...]], list[TableVerified]]:
    """The granules of tables at the source, and what is said of those whose rows a dump file set does not have."""
    parts: dict[Table, tuple[Part, ...]] = {}
    without: list[TableVerified] = []
    for table in tables:
        found = opened.parts(table)
        why = opened.lacking(table) or (None if found else RowsNotExported(table=table.source))
        if why is None:
            parts[table] = found
        else:
            without.append(TableVerified(table.qname, table.source, problem=str(why)))
    return parts, without


def _catalog_of(target: Database, connection: sa.Connection, tables: Iterable[Table]) -> Catalog:
    wanted = {table.schema for table in tables}
    present = [schema for schema in target.adapter.schemas(connection) if schema in wanted]
    return target.adapter.catalog(connection, present, proof=False)


@contextmanager
def scanner(degrees: Degrees, progress: Progress) -> Iterator[Scanner]:
    """Workers for scans that belong to no job."""

    def follow_the_clock() -> None:
        pool.degree = degrees.at(windows.now())

    pool = Pool(
        degrees.at(windows.now()),
        limit=lambda: None,
        advance=progress.advance,
        next_file=None,
        tick=follow_the_clock,
        begin=lambda task, worker: None,
        gone=lambda lane, died: None,
    )

    def scan(scans: Sequence[Scan]) -> Scanned:
        for finished in pool.run(scans):
            assert isinstance(finished.task, Scan)
            if finished.outcome is None:
                raise WorkerDied(worker=finished.worker, detail="died")
            if isinstance(finished.outcome.error, FatalError):
                raise finished.outcome.error
            yield finished.task, finished.outcome

    try:
        yield scan
        pool.close()
    finally:
        pool.kill()
