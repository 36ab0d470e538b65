"""Where a job's objects and rows come from: a database, or a dump file set, laid open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any

import sqlalchemy as sa

from migrator import filters
from migrator.adapter import Adapter, DataFiles, Estimation, Facts, Granule, Read, Scope, Snapshot
from migrator.config import Secrets
from migrator.dump import reader
from migrator.dump.master import Piece
from migrator.ends import Database, DumpedFiles, DumpedRows, TableRows, database_errors
from migrator.errors import ChangedMeanwhile, DatabaseError, NoPastState, NotADumpFile, RowsMissing
from migrator.job.table import is_master_table
from migrator.model.catalog import Catalog, path_of
from migrator.model.codec import digest, encode
from migrator.model.objects import Column, QName, Table
from migrator.spec import JobSpec
from migrator.verification.scans import Digest

Resolve = Callable[[str], sa.URL]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """A granule as the master table records it: how to read it (JSON-ready), and about how many bytes it has.

    ``rows``: how many rows it has, None: not known before they are read.
    """

    detail: dict[str, Any]
    bytes: int
    rows: int | None = None


@dataclass(frozen=True)
class Held:
    """Data files that are kept as they are, by table, and the catalog of the state that they are in."""

    files: Mapping[QName, DataFiles]
    catalog: Catalog


@dataclass(frozen=True)
class Origin:
    """A source laid open. ``readers``: how many may read at once (None: any number)."""

    found: Catalog
    """All objects of the source's schemas, or of the dump file set."""
    catalog: Catalog
    """Those that the job is about."""
    parts: Callable[[Table], tuple[Part, ...]]
    """The granules of a table's rows; none where the source has none of its rows."""
    rows: Callable[[Table, tuple[Column, ...], dict[str, Any]], TableRows | DumpedRows]
    """The rows of a granule, by what was recorded of it."""
    readers: int | None
    identity: str
    """A checksum of what must be the same when a job is started again."""
    mark: str = ""
    """What tells later whether rows have changed, see :meth:`~migrator.adapter.Adapter.mark`."""
    notes: tuple[str, ...] = ()
    estimate: Callable[[Table, Estimation], int] = lambda table, method: 0
    """About how many bytes a table's rows have, see :meth:`~migrator.adapter.Adapter.estimate`; asked of databases only."""
    unfiltered: Mapping[QName, str] = field(default_factory=dict)
    """The QUERY conditions, by table, that the rows have not been chosen by yet."""
    facts: Callable[[Sequence[QName]], Mapping[QName, Facts]] = lambda tables: {}
    """What the access-method rules ask of tables, see :meth:`~migrator.adapter.Adapter.facts`; asked of databases only."""
    queried: frozenset[QName] = frozenset()
    """The tables whose rows a QUERY chooses as they are read."""
    digest: Callable[[Table], Digest | None] = lambda table: None
    """The digest of a table's rows that was taken when they were exported; None: there is none."""
    state: tuple[Database, Snapshot] | None = None
    """The database that rows are read from, and the state that all of them are read in; None: it is a dump file set."""
    changed: Callable[[Table, dict[str, Any], str, int], str | None] = lambda table, detail, mark, rows: None
    """Why a granule's rows are no longer those that were read at a mark; None: nothing shows it."""
    data_files: Scope | None = None
    """What each of the data files holds that come instead of rows; None: rows come."""
    hold: Callable[[Sequence[Table]], AbstractContextManager[Held]] | None = None
    """Keeps the data files of tables as they are; of a database whose data files are to be copied only."""
    traits: Mapping[QName, Mapping[str, str]] = field(default_factory=dict)
    """What must be alike where data files are taken, by table; of a dump file set."""
    files: Callable[[dict[str, Any]], DumpedFiles] | None = None
    """The data files of a granule, by what was recorded of it; of a dump file set that has some instead of rows."""
    whole: Table | None = None
    """What stands for the database in a dump file set whose data files hold it whole: a table without columns."""

    @property
    def inventoried(self) -> tuple[Catalog, Catalog]:
        """All objects, and those of the job, for the inventory. In a file that is copied whole no object is lost."""
        if self.data_files == "database":
            return replace(self.found, losses=()), replace(self.catalog, losses=())
        return self.found, self.catalog


# --- a database -----------------------------------------------------------------------------------------------------


@contextmanager
def database_origin(spec: JobSpec, database: Database) -> Iterator[Origin]:
    """A database, on one snapshot that lasts as long as the block."""
    adapter = database.adapter
    adapter.find(database.url)
    server = database.server()
    with database_errors(adapter), database.connect() as connection, ExitStack() as stack:
        schemas = filters.schemas_wanted(spec, server.schema, adapter.schemas(connection))

        def look() -> tuple[Catalog, Catalog]:
            proof = not (spec.estimate_only or spec.transportable)
            whole = without_master_tables(adapter.catalog(connection, schemas, proof=proof))
            return whole, filters.select(whole, spec, server.schema)

        locked = None
        if spec.access_method == "INSERT_AS_SELECT" and adapter.capabilities.locks_linked:
            locked = _sources(spec, look()[1])
            stack.enter_context(adapter.locking(database.engine, locked))
        snapshot = stack.enter_context(_state(spec, database))
        reading = stack.enter_context(adapter.reading(database.engine, snapshot))  # open until all granules are read
        whole, catalog = look()
        if locked is not None and not set(locked).issuperset(_sources(spec, catalog)):
            raise DatabaseError(detail="tables were made while the job locked those there were; run the job again")
        conditions = filters.conditions(spec, catalog)
        if spec.past is not None:
            _check_past(spec.past, _sources(spec, catalog), adapter, connection)

        def read(table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> Read:
            part = QName(*detail["part"]) if detail.get("part") else None
            granule = Granule(part, detail.get("where", ""))
            return Read(table.source, columns, conditions.get(table.source), granule, detail.get("policies", False))

        def at_source(table: Table) -> Table:
            return catalog.table(table.source) or table

        def rows(table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> TableRows:
            return TableRows(database, snapshot, read(table, columns, detail))

        grouping = "GROUP_PARTITION_TABLE_DATA" in spec.data_options

        def granules(table: Table) -> tuple[Granule, ...]:
            if grouping and table.partitioning is not None:
                return (Granule(bytes=table.bytes or 0),)
            return adapter.granules(reading, at_source(table), spec.parallel_threshold)

        def parts(table: Table) -> tuple[Part, ...]:
            if spec.transportable:
                return (Part({}, table.bytes or 0),)
            return tuple(
                Part(
                    {
                        "part": None if granule.part is None else [granule.part.schema, granule.part.name],
                        "where": granule.where,
                    },
                    granule.bytes,
                )
                for granule in granules(table)
            )

        def estimate(table: Table, method: Estimation) -> int:
            return adapter.estimate(reading, at_source(table), method)

        def changed(table: Table, detail: dict[str, Any], mark: str, rows: int) -> str | None:
            if not mark:
                return None  # this database cannot tell
            return adapter.changed(reading, read(table, at_source(table).columns, detail), mark, rows)

        @contextmanager
        def hold(tables: Sequence[Table]) -> Iterator[Held]:
            with database_errors(adapter), adapter.holding(database.engine, [table.source for table in tables]) as files:
                _, kept = look()
                if _identity(kept) != identity:
                    detail = "objects were made, changed or dropped while the job began"
                    raise ChangedMeanwhile(detail=detail)
                yield Held(files, kept)

        notes = filters.unmatched(spec, whole)
        if snapshot.note and spec.parallel > 1 and not spec.transportable:
            notes = (*notes, snapshot.note)
        identity, mark = _identity(catalog), adapter.mark(reading)
        yield Origin(
            whole,
            catalog,
            parts,
            rows,
            None if spec.transportable else snapshot.readers,
            identity,
            mark,
            notes,
            estimate,
            facts=lambda tables: adapter.facts(connection, tables),
            queried=frozenset(conditions),
            state=(database, snapshot),
            changed=changed,
            data_files=adapter.capabilities.data_files if spec.transportable else None,
            hold=hold if spec.transportable else None,
        )


def _state(spec: JobSpec, database: Database) -> AbstractContextManager[Snapshot]:
    """The one state that all rows are read in."""
    adapter, engine = database.adapter, database.engine
    if spec.flashback_scn is not None:
        return adapter.numbered(engine, spec.flashback_scn)
    return adapter.snapshot(engine, spec.parallel) if spec.past is None else adapter.past(engine, spec.past)


def _sources(spec: JobSpec, catalog: Catalog) -> list[QName]:
    """The tables whose rows are read."""
    return [table.source for table in filters.tables_with_rows(spec, catalog)]


def _check_past(time: str, tables: Sequence[QName], adapter: Adapter, connection: sa.Connection) -> None:
    """:raises NoPastState: a table's rows of that time cannot be read."""
    lost = adapter.without_past(connection, tables, time)
    if lost:
        raise NoPastState(detail="; ".join(f"table {table} {why}" for table, why in lost.items()))


def without_master_tables(catalog: Catalog) -> Catalog:
    """The catalog without the records of jobs, which no job moves."""
    masters = {t for t in catalog.of(Table) if is_master_table([column.name for column in t.columns])}
    paths = {path_of(table) for table in masters}
    objects = tuple(obj for obj in catalog.objects if obj not in masters)
    losses = tuple(loss for loss in catalog.losses if loss.object not in paths)
    return replace(catalog, objects=objects, losses=losses) if masters else catalog


_VOLATILE = frozenset({"bytes", "rows", "next_value"})


def _identity(catalog: Catalog) -> str:
    """A checksum of the objects: of everything but estimates and the positions of sequences."""

    def steady(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: steady(inner) for name, inner in value.items() if name not in _VOLATILE}
        return [steady(inner) for inner in value] if isinstance(value, list | tuple) else value

    return digest(steady(encode(catalog)))


# --- a dump file set ------------------------------------------------------------------------------------------------


def open_dump(spec: JobSpec, secrets: Secrets, say: Say) -> reader.DumpSet:
    """A request's dump file set, its checksums checked where the request or the set says so.

    :raises NotADumpFile: a file is not as it was written.
    """
    dump = reader.open_set(spec.dumpfiles, secrets)
    if spec.verify_checksum or (spec.verify_checksum is None and dump.header.options.checksum is not None):
        verify(dump, say)
    return dump


@contextmanager
def dump_origin(spec: JobSpec, default_schema: str, secrets: Secrets, say: Say) -> Iterator[Origin]:
    """A dump file set."""
    dump = open_dump(spec, secrets, say)
    copied = dump.header.data_files
    if copied == "database" and len(dump.master.entries) != 1:
        raise NotADumpFile(path=spec.dumpfiles[0], detail="is damaged: it must hold the files of one database")
    catalog = filters.select(dump.catalog, spec, default_schema)

    def parts(table: Table) -> tuple[Part, ...]:
        entry = dump.master.entry(table.source.schema, table.source.name)
        if entry is None:
            return ()
        if entry.state != "COMPLETED":
            raise RowsMissing(table=table.source, detail=entry.error)
        return tuple(
            Part(
                {"pieces": [vars(piece) for piece in group]},
                sum(piece.bytes for piece in group),
                sum(piece.rows for piece in group),
            )
            for group in (_grouped(entry.pieces, spec.parallel_threshold) if copied is None else (entry.pieces,))
        )

    def rows(table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> DumpedRows:
        pieces = tuple(Piece(**piece) for piece in detail["pieces"])
        return DumpedRows(dump.dump, pieces, tuple(column.name for column in columns))

    def files(detail: dict[str, Any]) -> DumpedFiles:
        return DumpedFiles(dump.dump, tuple(Piece(**piece) for piece in detail["pieces"]))

    def digest(table: Table) -> Digest | None:
        entry = dump.master.entry(table.source.schema, table.source.name)
        return reduce(add, entry.digests) if entry is not None and entry.digests else None

    notes = filters.unmatched(spec, dump.catalog)
    conditions = filters.conditions(spec, catalog)
    yield Origin(
        dump.catalog,
        catalog,
        parts,
        rows,
        None,
        dump.header.set_id,
        notes=notes,
        unfiltered=conditions,
        digest=digest,
        data_files=copied,
        files=None if copied is None else files,
        traits={QName(entry.schema, entry.table): entry.traits for entry in dump.master.entries},
        whole=Table(dump.master.entries[0].schema, dump.master.entries[0].table, ()) if copied == "database" else None,
    )


def _grouped(pieces: tuple[Piece, ...], size: int) -> Iterator[tuple[Piece, ...]]:
    """Pieces in their order, in groups of about the size of a granule; one empty group for a table without rows."""
    group: list[Piece] = []
    for piece in pieces:
        if group and sum(p.bytes for p in group) + piece.bytes > size:
            yield tuple(group)
            group = []
        group.append(piece)
    yield tuple(group)


def verify(dump: reader.DumpSet, say: Say) -> None:
    """Check the checksums of a set's files.

    :raises NotADumpFile: a file is not as it was written.
    """
    say("Verifying dump file checksums")
    for path in reader.verify(dump):
        say(f'verified checksum for dump file "{path}"')


@contextmanager
def origin(spec: JobSpec, resolve: Resolve, default_schema: str, secrets: Secrets, say: Say) -> Iterator[Origin]:
    """What an import or SQLFILE job takes its objects from."""
    if spec.network_link is None:
        with dump_origin(spec, default_schema, secrets, say) as opened:
            yield opened
    else:
        with database_origin(spec, Database(resolve(spec.network_link))) as opened:
            yield opened
