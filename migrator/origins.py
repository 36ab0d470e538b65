"""Where a job's objects and rows come from: a database, or a dump file set, laid open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from typing import Any

import sqlalchemy as sa

from migrator import filters
from migrator.adapter import Adapter, DataFiles, Estimation, Facts, Granule, Kept, Read, Scope, Snapshot
from migrator.config import Secrets
from migrator.dump import reader
from migrator.dump.master import Entry, Piece
from migrator.ends import Database, DumpedFiles, DumpedRows, TableRows, database_errors
from migrator.errors import ChangedMeanwhile, DatabaseError, MigratorError, NoPastState, NotADumpFile, RowsMissing
from migrator.job.table import is_master_table
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.codec import digest, encode
from migrator.model.objects import Column, Program, QName, Schema, Table, View
from migrator.rename_map import is_rename_map
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
    lacking: Callable[[Table], MigratorError | None] = lambda table: None
    """Why there are no rows of a table although it had some; None: there are."""
    digest: Callable[[Table], Digest | None] = lambda table: None
    """The digest of a table's rows that was taken when they were exported; None: there is none."""
    state: tuple[Database, Snapshot] | None = None
    """The database that rows are read from, and the state that all of them are read in; None: it is a dump file set."""
    changed: Callable[[Table, dict[str, Any], str, int], str | None] = lambda table, detail, mark, rows: None
    """Why a granule's rows are no longer those that were read at a mark; None: nothing shows it."""
    forgotten: Callable[[str], str] = lambda mark: ""
    """Why nobody may know of rows that changed since a mark; empty: it would show."""
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
        looks = _Looks(spec, adapter, connection, schemas, server.schema)
        locked, kept = _lock(spec, database, looks, stack)
        snapshot = replace(stack.enter_context(_state(spec, database)), kept=kept)
        reading = stack.enter_context(adapter.reading(database.engine, snapshot))  # open until all granules are read
        whole, catalog = looks.look()
        if locked is not None and not set(locked).issuperset(_sources(spec, catalog)):
            raise DatabaseError(detail="tables were made while the job locked those there were; run the job again")
        if not spec.transportable:
            adapter.secure(reading, _sources(spec, catalog))
        conditions = filters.conditions(spec, catalog)
        if spec.past is not None:
            _check_past(spec.past, _sources(spec, catalog), adapter, connection)
        opened = _Opened(spec, database, snapshot, reading, looks, catalog, conditions)
        yield opened.origin(whole)


@dataclass(frozen=True)
class _Looks:
    """How a job looks at the catalog of its source."""

    spec: JobSpec
    adapter: Adapter
    connection: sa.Connection
    schemas: Sequence[str]
    schema: str
    """The connected user's."""

    def look(self) -> tuple[Catalog, Catalog]:
        """All that is there now, and what of it belongs to the job."""
        proof: bool | list[QName] = not (self.spec.estimate_only or self.spec.transportable)
        if proof and self.adapter.capabilities.types_by_rows:  # to look at the rows of other tables may take an hour
            proof = [table.qname for table in self._look(proof=False)[1].of(Table)]
        return self._look(proof=proof)

    def _look(self, *, proof: bool | list[QName]) -> tuple[Catalog, Catalog]:
        whole = without_records(self.adapter.catalog(self.connection, self.schemas, proof=proof))
        if self.spec.mode == "FULL":
            whole = replace(whole, losses=(*whole.losses, *self.adapter.server_objects(self.connection)))
        return whole, filters.select(whole, self.spec, self.schema)


def _lock(spec: JobSpec, database: Database, looks: _Looks, stack: ExitStack) -> tuple[list[QName] | None, Kept | None]:
    """The tables that are locked until the ``stack`` ends, before the state is taken, and by what; None: none need be."""
    if spec.access_method != "INSERT_AS_SELECT" or not database.adapter.capabilities.locks_linked:
        return None, None
    locked = _sources(spec, looks.look()[1])
    return locked, stack.enter_context(database.adapter.locking(database.engine, locked))


@dataclass(frozen=True)
class _Opened:
    """A database, read in the one state that ``snapshot`` holds, through the connection ``reading``."""

    spec: JobSpec
    database: Database
    snapshot: Snapshot
    reading: sa.Connection
    looks: _Looks
    catalog: Catalog
    conditions: Mapping[QName, str]

    @property
    def adapter(self) -> Adapter:
        """The database's."""
        return self.database.adapter

    @cached_property
    def identity(self) -> str:
        """A checksum of the job's objects."""
        return _identity(self.catalog)

    def origin(self, whole: Catalog) -> Origin:
        """The database laid open; ``whole``: all that is there."""
        copied = self.spec.transportable
        return Origin(
            whole,
            self.catalog,
            self.parts,
            self.rows,
            None if copied else self.snapshot.readers,
            self.identity,
            self.adapter.mark(self.reading),
            self.notes(whole),
            self.estimate,
            facts=lambda tables: self.adapter.facts(self.looks.connection, tables),
            queried=frozenset(self.conditions),
            state=(self.database, self.snapshot),
            changed=self.changed,
            forgotten=lambda mark: self.adapter.forgotten(self.reading, mark),
            data_files=self.adapter.capabilities.data_files if copied else None,
            hold=self.hold if copied else None,
        )

    def notes(self, whole: Catalog) -> tuple[str, ...]:
        """What is remarked of the request, and of the state."""
        notes = (*filters.unmatched(self.spec, whole), *filters.needed_anyway(self.spec, self.catalog))
        alone = self.snapshot.note and self.spec.degrees.most > 1 and not self.spec.transportable
        return (*notes, self.snapshot.note) if alone else notes

    def rows(self, table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> TableRows:
        """The rows of a granule."""
        return TableRows(self.database, self.snapshot, self._read(table, columns, detail))

    def parts(self, table: Table) -> tuple[Part, ...]:
        """The granules of a table."""
        if self.spec.transportable:
            return (Part({}, table.bytes or 0),)
        return tuple(_part(granule) for granule in self._granules(table))

    def estimate(self, table: Table, method: Estimation) -> int:
        """About how many bytes a table's rows have."""
        return self.adapter.estimate(self.reading, self._at_source(table), method)

    def changed(self, table: Table, detail: dict[str, Any], mark: str, rows: int) -> str | None:
        """Why a granule's rows are no longer those that were read at a mark; None: nothing shows it."""
        if not mark:
            return None  # this database cannot tell
        return self.adapter.changed(self.reading, self._read(table, self._at_source(table).columns, detail), mark, rows)

    @contextmanager
    def hold(self, tables: Sequence[Table]) -> Iterator[Held]:
        """Keep the data files of tables as they are."""
        engine, sources = self.database.engine, [table.source for table in tables]
        with database_errors(self.adapter), self.adapter.holding(engine, sources) as files:
            _, kept = self.looks.look()
            if _identity(kept) != self.identity:
                raise ChangedMeanwhile(detail="objects were made, changed or dropped while the job began")
            yield Held(files, kept)

    def _read(self, table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> Read:
        part = QName(*detail["part"]) if detail.get("part") else None
        granule = Granule(part, detail.get("where", ""))
        return Read(table.source, columns, self.conditions.get(table.source), granule, detail.get("policies", False))

    def _granules(self, table: Table) -> tuple[Granule, ...]:
        grouping = "GROUP_PARTITION_TABLE_DATA" in self.spec.data_options
        if grouping and table.partitioning is not None:
            return (Granule(bytes=table.bytes or 0),)
        return self.adapter.granules(self.reading, self._at_source(table), self.spec.parallel_threshold)

    def _at_source(self, table: Table) -> Table:
        return self.catalog.table(table.source) or table


def _part(granule: Granule) -> Part:
    """A granule as the master table records it."""
    part = None if granule.part is None else [granule.part.schema, granule.part.name]
    return Part({"part": part, "where": granule.where}, granule.bytes)


def _state(spec: JobSpec, database: Database) -> AbstractContextManager[Snapshot]:
    """The one state that all rows are read in."""
    adapter, engine = database.adapter, database.engine
    if spec.flashback_scn is not None:
        return adapter.numbered(engine, spec.flashback_scn)
    return adapter.snapshot(engine, spec.degrees.most) if spec.past is None else adapter.past(engine, spec.past)


def _sources(spec: JobSpec, catalog: Catalog) -> list[QName]:
    """The tables whose rows are read."""
    return [table.source for table in filters.tables_with_rows(spec, catalog)]


def _check_past(time: str, tables: Sequence[QName], adapter: Adapter, connection: sa.Connection) -> None:
    """:raises NoPastState: a table's rows of that time cannot be read."""
    lost = adapter.without_past(connection, tables, time)
    if lost:
        raise NoPastState(detail="; ".join(f"table {table} {why}" for table, why in lost.items()))


def without_records(catalog: Catalog) -> Catalog:
    """The catalog without the records of jobs and their rename maps, which no job moves, nor the views that read them."""
    records = {t for t in catalog.of(Table) if is_master_table([column.name for column in t.columns]) or is_rename_map(t)}
    if not records:
        return catalog
    views = _reading(catalog, {table.qname for table in records})
    gone = {(table.schema, table.name) for table in records} | {(view.schema, view.name) for view in views}
    paths = {path_of(table) for table in records} | {path_of(view) for view in views}
    paths |= {path_of(program) for program in catalog.of(Program) if (program.schema, program.table) in gone}
    losses = [loss for loss in catalog.losses if paths.isdisjoint({loss.object, loss.part_of})]
    for view in views:
        detail = "not carried: it reads records of jobs, which no job moves"
        losses.append(Loss(path_of(view), "job-records", detail, part_of=path_of(Schema(view.schema))))
    objects = tuple(obj for obj in catalog.objects if path_of(obj) not in paths)
    return replace(catalog, objects=objects, losses=tuple(losses))


def _reading(catalog: Catalog, tables: Collection[QName]) -> list[View]:
    """The views that read some of ``tables``, themselves or through other views."""
    names, views = set(tables), list(catalog.of(View))
    while more := {QName(v.schema, v.name) for v in views if not names.isdisjoint(v.depends_on)} - names:
        names |= more
    return [view for view in views if QName(view.schema, view.name) in names]


_VOLATILE = frozenset({"bytes", "rows", "next_value"})
_PASSING = frozenset({"identity-position"})
"""The rules of entries about where numbers stand."""


def _identity(catalog: Catalog) -> str:
    """A checksum of the objects: of everything but estimates and the positions of sequences, and what no job makes."""
    catalog = replace(catalog, losses=tuple(loss for loss in catalog.losses if not (loss.part_of or loss.rule in _PASSING)))

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
    if dump.header.data_files == "database" and len(dump.master.entries) != 1:
        raise NotADumpFile(path=spec.dumpfiles[0], detail="is damaged: it must hold the files of one database")
    catalog = filters.select(dump.catalog, spec, default_schema)
    yield _OpenedDump(spec, dump).origin(catalog)


@dataclass(frozen=True)
class _OpenedDump:
    """A dump file set that a job reads."""

    spec: JobSpec
    dump: reader.DumpSet

    def origin(self, catalog: Catalog) -> Origin:
        """The set laid open; ``catalog``: the job's objects."""
        header, entries = self.dump.header, self.dump.master.entries
        notes = (*filters.unmatched(self.spec, self.dump.catalog), *filters.needed_anyway(self.spec, catalog))
        return Origin(
            self.dump.catalog,
            catalog,
            self.parts,
            self.rows,
            None,
            header.set_id,
            notes=notes,
            unfiltered=filters.conditions(self.spec, catalog),
            lacking=self.lacking,
            digest=self.digest,
            data_files=header.data_files,
            files=None if header.data_files is None else self.files,
            traits={QName(entry.schema, entry.table): entry.traits for entry in entries},
            whole=Table(entries[0].schema, entries[0].table, ()) if header.data_files == "database" else None,
        )

    def lacking(self, table: Table) -> RowsMissing | None:
        """That the export could not read all rows of a table, if so: there is none of them."""
        entry = self._entry(table)
        if entry is None or entry.state == "COMPLETED":
            return None
        return RowsMissing(table=table.source, detail=entry.error)

    def parts(self, table: Table) -> tuple[Part, ...]:
        """The granules of a table: groups of pieces; an empty one where rows are lacking."""
        entry = self._entry(table)
        if entry is None:
            return ()
        if entry.state != "COMPLETED":
            return (_group(()),)
        if self.dump.header.data_files is not None:
            return (replace(_group(entry.pieces), rows=None),)  # pieces of blocks: nobody has counted rows
        lossy = "CONTINUE_LOAD_ON_FORMAT_ERROR" in self.spec.data_options
        size = 0 if lossy else self.spec.parallel_threshold  # what is damaged is to cost no more than its piece
        return tuple(map(_group, _grouped(entry.pieces, size)))

    def rows(self, table: Table, columns: tuple[Column, ...], detail: dict[str, Any]) -> DumpedRows:
        """The rows of a granule."""
        return DumpedRows(self.dump.dump, _pieces(detail), tuple(column.name for column in columns))

    def files(self, detail: dict[str, Any]) -> DumpedFiles:
        """The data files of a granule."""
        return DumpedFiles(self.dump.dump, _pieces(detail))

    def digest(self, table: Table) -> Digest | None:
        """The digest of a table's rows; None: none was taken."""
        entry = self._entry(table)
        return reduce(add, entry.digests) if entry is not None and entry.digests else None

    def _entry(self, table: Table) -> Entry | None:
        return self.dump.master.entry(table.source.schema, table.source.name)


def _group(pieces: tuple[Piece, ...]) -> Part:
    """Pieces as the master table records them."""
    detail = {"pieces": [vars(piece) for piece in pieces]}
    return Part(detail, sum(piece.bytes for piece in pieces), sum(piece.rows for piece in pieces))


def _pieces(detail: dict[str, Any]) -> tuple[Piece, ...]:
    """What :func:`_group` recorded."""
    return tuple(Piece(**piece) for piece in detail["pieces"])


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
