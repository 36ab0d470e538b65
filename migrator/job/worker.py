"""A worker: moves a granule of rows at a time from an end to an end, or makes objects. Failures are values of the outcome.

A worker keeps its reading connection (and with it the snapshot) and its dump file open from one task to the next. Rows
that go into a database and the mark that they are there are one transaction.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa

from migrator import converting
from migrator.adapter import Adapter, Load, stream_format
from migrator.arrow import check, prefetch
from migrator.converting import Converter, Counts
from migrator.ddl import Emitter, Statement
from migrator.dump import blocks
from migrator.dump.header import DumpTarget
from migrator.dump.master import Piece
from migrator.dump.writer import DumpFile
from migrator.ends import Database, DumpedFiles, DumpedRows, HeldFiles, RowsFrom, TableRows, database_errors
from migrator.errors import (
    ConnectionLost,
    DatabaseError,
    FatalError,
    InternalError,
    LinkRefused,
    MigratorError,
    RowCountDiffers,
    RowsNotTakenBack,
)
from migrator.job import rejecting as rejects
from migrator.job.rejecting import NONE_REJECTED, Mutual, Reject, Rejected, Rejecting, Stored, limited, sift, sift_mutual
from migrator.job.table import DoneMark
from migrator.model.catalog import Catalog
from migrator.model.objects import QName
from migrator.rejects import PartWriter
from migrator.verification.scans import Digest, Digesting

Advance = Callable[[int, int], None]
"""Told of rows and bytes as they pass."""


LOST = "lost"
"""The name under which the master table has what is to be said of a granule that its table does without."""


@dataclass(frozen=True)
class Store:
    """Rows go into a table of a database; ``staged``: through a temporary table, and only those that meet ``where``.

    ``rejecting``: rows that the database refuses are set aside; None: they fail the granule. ``converter``: changes values
    that have no place in their columns. ``validated``: each value is looked at before it is sent. ``inside``: the database
    selects the rows itself from the one that they come from. ``detail``: what the master table records of the granule, to
    which is added what became of its rows.
    """

    database: Database
    load: Load
    staged: bool = False
    where: str | None = None
    rejecting: Rejecting | None = None
    converter: Converter | None = None
    validated: bool = False
    inside: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def noting(self) -> bool:
        """Whether there may be something to record of a granule besides its rows."""
        return self.rejecting is not None or self.converter is not None

    def prepared(self, batches: Iterable[pa.RecordBatch], counts: Counts) -> Iterator[pa.RecordBatch]:
        """The batches as they are sent: with what is to be converted, which ``counts`` is told; and looked at.

        :raises ValueNotCarried: a value is not of its column's type, or cannot become what it is to be.
        """
        for batch in batches:
            if self.converter is not None:
                batch = self.converter.convert(batch, counts)
            if self.validated:
                check(batch, self.load.source)
            yield batch


@dataclass(frozen=True)
class Claim:
    """A granule is this incarnation's to do, as long as the master table says so."""

    database: Database
    mark: DoneMark

    def confirm(self) -> None:
        """:raises JobTakenOver: it is not, or it is done."""
        with self.database.connect() as connection:
            self.mark.confirm(connection)


@dataclass(frozen=True)
class Place:
    """Data files take the place of a table's own, or of an empty database's, while that is claimed."""

    database: Database
    table: QName
    claim: Claim


@dataclass(frozen=True)
class Move:
    """A granule of the rows of table ``name`` to move: ``item`` of the master table. ``size``: the estimated bytes;
    ``method`` as METRICS prints it; ``rows_to`` None: the worker's dump file; ``done``: how to mark it done with its rows,
    None where the coordinator does that; ``digesting``: takes a digest of what goes into a dump file."""

    item: int
    name: QName
    rows_from: RowsFrom
    rows_to: Store | Place | None
    method: str
    size: int = 0
    done: DoneMark | None = None
    digesting: Digesting | None = None
    lossy: bool = False
    """Whether the table may do without it where it lies in a damaged part of a dump file set."""
    claim: Claim | None = None
    """How to see, before its rows are committed, that it is this process's to do; None: ``done`` does, or nothing can."""

    @property
    def touches(self) -> frozenset[QName]:
        """What no other task may touch at the same time: nothing, rows of one table come in side by side."""
        return frozenset()

    @property
    def in_doubt(self) -> bool:
        """Whether nothing tells, when its worker has died, that its rows are there: they have no mark in their database.

        Data files are placed once more as if they had not been."""
        return isinstance(self.rows_to, Store) and self.done is None


@dataclass(frozen=True)
class Made:
    """One object to make: ``item`` of the master table, its statements, and how to mark it done (None: coordinator).

    ``restoring``: the statements that set the session back.
    """

    item: int
    label: str
    statements: tuple[str, ...]
    done: DoneMark | None = None
    begun: bool = False
    """A worker had begun to make it before: where DDL and mark are not one transaction, some of it may be there."""
    restoring: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """Objects to make one after the other; ``touches``: the tables that their DDL locks against other DDL."""

    database: Database
    objects: tuple[Made, ...]
    touches: frozenset[QName] = frozenset()


class Fold(Protocol):
    """Makes something small of rows."""

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Any:
        """What becomes of all batches."""


@dataclass(frozen=True, eq=False)
class Scan:
    """Rows of table ``name`` to look at, which stay where they are: ``fold`` makes what the outcome has ``found``.

    ``fold`` None: their database digests them itself, see :meth:`~migrator.adapter.Adapter.digest`. ``stays``: their
    snapshot is held by a connection of the coordinator's own process. ``touches``: as a :class:`Build`'s. A scan is equal to
    itself only.
    """

    name: QName
    rows_from: TableRows | DumpedRows
    fold: Fold | None
    stays: bool = False
    touches: frozenset[QName] = frozenset()


Task = Move | Build | Scan


@dataclass(frozen=True)
class Failure:
    """An object that could not be made: its item, the error, and the statement that met it."""

    item: int
    error: MigratorError
    statement: str


@dataclass(frozen=True)
class Outcome:
    """What became of a task; ``error`` None: all rows are where they should be. ``failures``: of a build's objects;
    ``rejected``: the rows that were set aside; ``converted``: the values that were changed; ``found``: by a scan, or the
    digest that was taken of rows on their way."""

    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    pieces: tuple[Piece, ...] = ()
    error: MigratorError | None = None
    failures: tuple[Failure, ...] = ()
    rejected: Rejected = NONE_REJECTED
    found: Any = None
    converted: Counts = field(default_factory=Counts)
    lost: str = ""
    """What is to be said of a granule that its table does without."""

    def recorded(self, detail: dict[str, Any]) -> dict[str, Any]:
        """What the master table records of a granule: ``detail``, and what became of its rows."""
        rest = {name: value for name, value in detail.items() if name not in {rejects.RECORDED, converting.RECORDED, LOST}}
        lost = {LOST: self.lost} if self.lost else {}
        return {**rest, **self.rejected.recorded(), **converting.recorded(self.converted), **lost}


# --- what a worker says while it works ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Advanced:
    """So many more rows and bytes have passed."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class FileWanted:
    """The worker needs a dump file: its ``first``, or another because that is full, with room for ``size`` bytes."""

    size: int
    first: bool


@dataclass(frozen=True)
class FileGiven:
    """A dump file to write, and what it holds already."""

    target: DumpTarget
    pieces: tuple[Piece, ...]


class _Passing:
    """Counts what passes by."""

    def __init__(self, advance: Advance) -> None:
        self.rows = self.bytes = 0
        self.converted = Counts()
        self._advance = advance

    def batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            self.bytes += batch.nbytes
            self._advance(batch.num_rows, batch.nbytes)
            yield batch

    def files(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Blocks of data files: how many rows these hold is not known."""
        for batch in batches:
            size = blocks.size(batch)
            self.bytes += size
            self._advance(0, size)
            yield batch

    def pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes += len(piece)
            self._advance(0, len(piece))
            yield piece


_Through = Callable[[Callable[[Load], int], int], int]
"""Lets a table be filled with so many bytes, and has the rows moved on if it is a temporary one; how many are stored."""

STALE_BYTES = 4 << 20
"""How many bytes of rows that are no longer there a temporary table may hold before it is truncated. Each use looks at
them all; but the truncated states of a table are in the catalog until the transaction ends, and are looked at as well."""


class _Putting:
    """Puts batches into the table of a load, by way of a temporary one if it is staged."""

    def __init__(self, adapter: Adapter, connection: sa.Connection, target: Store) -> None:
        self._adapter, self._connection, self._target = adapter, connection, target
        self._staging = Staging(adapter, connection, target.load, target.where) if target.staged else None
        self._through: _Through = self._straight if self._staging is None else self._staging.through

    def ready(self) -> None:
        """Free what rows have left behind that are no longer there. Within what may be taken back they would come again."""
        if self._staging is not None:
            self._staging.free()

    def put(self, batch: pa.RecordBatch) -> Stored:
        """Load a batch."""
        return self._put([batch], self._through)

    def at_once(self, batches: Sequence[pa.RecordBatch]) -> Stored:
        """Load batches by one statement."""
        if self._staging is not None or (len(batches) == 1 and not self._target.load.conventional):
            return self._put(batches, self._through)
        return self._put(batches, self._by_one_statement)

    def named(self, reject: Reject) -> Reject:
        """``reject``, told of the table where the database speaks of the temporary one that its rows wait in."""
        if self._staging is None:
            return reject
        waiting, table = self._staging.name, self._target.load.table.name
        return lambda row, reason: reject(row, reason.replace(waiting, table))

    def _put(self, batches: Sequence[pa.RecordBatch], through: _Through) -> Stored:
        counts = Counts()

        def load(into: Load) -> int:
            return self._adapter.load(self._connection, into, self._target.prepared(batches, counts))

        return Stored(through(load, sum(batch.nbytes for batch in batches)), counts)

    def _straight(self, load: Callable[[Load], int], size: int) -> int:
        return load(self._target.load)

    def _by_one_statement(self, load: Callable[[Load], int], size: int) -> int:
        return by_one_statement(self._adapter, self._connection, self._target.load, load)


class Worker:
    """Performs tasks one after the other. ``next_file`` gives it dump files."""

    def __init__(self, advance: Advance, next_file: Callable[[FileWanted], FileGiven]) -> None:
        self._advance, self._next_file = advance, next_file
        self._reader: tuple[TableRows, sa.Connection, ExitStack] | None = None
        self._file: DumpFile | None = None

    def close(self) -> MigratorError | None:
        """Close what is open; a dump file is whole after that, unless an error is returned."""
        self._release_reader()
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except MigratorError as error:
            return error
        return None

    def abandon(self) -> None:
        """Let go of what is open, as it is."""
        self._release_reader()
        if self._file is not None:
            self._file.abandon()
            self._file = None

    # --- performing -------------------------------------------------------------------------------------------------

    def perform(self, task: Task) -> Outcome:
        """Move the rows, all or none; make the objects, each whole or not at all; or look at rows."""
        started = time.monotonic()
        try:
            outcome = self._perform(task)
        except MigratorError as error:
            self._release_reader()
            outcome = Outcome(error=error)
        except Exception as error:
            self._release_reader()
            detail = traceback.format_exc() if os.environ.get("MIGRATOR_TRACE") else f"{type(error).__name__}: {error}"
            outcome = Outcome(error=InternalError(detail=detail))
        return replace(outcome, seconds=time.monotonic() - started)

    def _perform(self, task: Task) -> Outcome:
        match task:
            case Build():
                return self._build(task)
            case Scan():
                return self._scan(task)
            case _:
                return self._move(task)

    # --- objects ----------------------------------------------------------------------------------------------------

    def _build(self, build: Build) -> Outcome:
        adapter = build.database.adapter
        with build.database.connect() as connection:
            failures = [failure for made in build.objects if (failure := make(adapter, connection, made)) is not None]
        return Outcome(failures=tuple(failures))

    # --- rows -------------------------------------------------------------------------------------------------------

    def _move(self, move: Move) -> Outcome:
        passing = _Passing(self._advance)
        if isinstance(move.rows_to, Place):
            self._place(move, move.rows_to, passing)
            return Outcome(bytes=passing.bytes)
        if move.rows_to is None:
            return self._dump(move, passing)
        return self._store(move, move.rows_to, passing)

    def _dump(self, move: Move, passing: _Passing) -> Outcome:
        file = self._dump_file()
        copied = isinstance(move.rows_from, HeldFiles)
        taken = None if move.digesting is None else move.digesting.begun()
        with self._ahead(move.rows_from) as batches:
            passed = passing.files(batches) if copied else passing.batches(batches)
            pieces = file.write(_member_name(move.name), passed if taken is None else taken.watching(passed))
        digest = None if taken is None else taken.digest
        return Outcome(0 if copied else sum(piece.rows for piece in pieces), passing.bytes, pieces=pieces, found=digest)

    def _scan(self, scan: Scan) -> Outcome:
        if scan.fold is None:
            return self._digest(scan.rows_from)
        passing = _Passing(self._advance)
        with self._ahead(scan.rows_from) as batches:
            found = scan.fold.fold(passing.batches(batches))
        return Outcome(passing.rows, passing.bytes, found=found)

    def _digest(self, rows: RowsFrom) -> Outcome:
        assert isinstance(rows, TableRows)
        adapter = rows.database.adapter
        with database_errors(adapter):
            found = adapter.digest(self._reading(rows), rows.read)
        if found is None:
            return Outcome(error=DatabaseError(detail=f"{adapter.title} cannot digest a row of {rows.read.table}"))
        return Outcome(found[0], found=Digest(*found))

    @contextmanager
    def _ahead(self, rows: RowsFrom) -> Iterator[Iterable[pa.RecordBatch]]:
        """The batches of rows, read ahead; errors of their database in its own words."""
        reader = self._adapter_of(rows)
        ahead = prefetch(self._batches(rows))
        try:
            with database_errors(reader) if reader is not None else nullcontext():
                yield ahead
        finally:
            ahead.close()

    def _store(self, move: Move, target: Store, passing: _Passing) -> Outcome:
        adapter = target.database.adapter
        source = self._adapter_of(move.rows_from)
        started = time.monotonic()
        with (
            database_errors(source or adapter),
            database_errors(adapter),
            _writing(move, target) as connection,
        ):
            try:
                stored, rejected = self._stored(move, target, adapter, connection, passing)
                outcome = Outcome(stored, passing.bytes, rejected=rejected, converted=passing.converted)
                if move.done is not None:
                    seconds = time.monotonic() - started
                    noted = {"detail": outcome.recorded(target.detail)} if target.noting else {}
                    move.done.set(connection, rows=stored, bytes=passing.bytes, seconds=seconds, **noted)
                elif move.claim is not None:
                    move.claim.confirm()
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        return outcome

    def _stored(
        self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing
    ) -> tuple[int, Rejected]:
        if target.rejecting is not None:
            return self._put_sifted(move, target, target.rejecting, adapter, connection, passing)
        put = self._put_inside if target.inside else self._put_staged if target.staged else self._put
        return put(move, target, adapter, connection, passing), NONE_REJECTED

    def _put_sifted(
        self,
        move: Move,
        target: Store,
        rejecting: Rejecting,
        adapter: Adapter,
        connection: sa.Connection,
        passing: _Passing,
    ) -> tuple[int, Rejected]:
        """Load the rows that the database takes; how many are stored, and what became of the others."""
        load = target.load
        if not adapter.takes_back(connection, load.table):
            raise RowsNotTakenBack(table=load.table)
        clocks = {load.source[place].name: zeros for place, zeros in target.converter.clocks} if target.converter else {}
        part = PartWriter(rejecting.beside, move.item, load.table, load.source, rejecting.key, clocks, rejecting.chosen)
        putting = _Putting(adapter, connection, target)
        reject = putting.named(limited(part.add, load.table, rejecting.limit))
        ahead = prefetch(self._batches(move.rows_from))
        passed = passing.batches(ahead)
        try:
            if rejecting.keys:
                ways = (putting.put, putting.at_once, putting.ready)
                mutual = Mutual(load.table, load.source, load.target, rejecting.keys, *ways)
                stored = sift_mutual(adapter, connection, passed, mutual, reject)
            else:
                stored = sift(adapter, connection, passed, putting.put, reject, rejecting.texts, putting.ready)
            passing.converted += stored.converted
            counted = stored.rows + part.rows if target.where is None else passing.rows
            self._check_count(move, counted, passing.rows)
            part.finish()
        except BaseException:
            part.drop()
            raise
        finally:
            ahead.close()
        return stored.rows, Rejected(part.rows, part.path.name, part.reason) if part.rows else NONE_REJECTED

    def _place(self, move: Move, target: Place, passing: _Passing) -> None:
        """Place data files, and mark it done; a worker that dies before the mark has it done once more."""
        adapter = target.database.adapter
        started = time.monotonic()
        with database_errors(adapter), target.database.connect() as connection:
            ahead = prefetch(self._batches(move.rows_from))
            try:
                found = blocks.blocks(passing.files(ahead), target.table)
                adapter.place(connection, target.table, found, target.claim.confirm)
            finally:
                ahead.close()
            if move.done is not None:
                move.done.set(connection, rows=0, bytes=passing.bytes, seconds=time.monotonic() - started)

    def _put(self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing) -> int:
        """Load all rows into the table; how many are stored."""
        stored = self._transfer(move, target, adapter, connection, passing)
        self._check_count(move, stored, passing.rows)
        return stored

    def _put_staged(self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing) -> int:
        """Load all rows through a temporary table; how many are stored."""

        def put(load: Load) -> int:
            staged = replace(target, load=load)
            return self._put(replace(move, rows_to=staged), staged, adapter, connection, passing)

        return through_staging(adapter, connection, target.load, target.where, put)

    def _put_inside(self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing) -> int:
        """Let the database select the rows; how many are stored. Their bytes are the estimated ones: none come by here."""
        assert isinstance(move.rows_from, TableRows)
        passing.rows = adapter.insert_select(connection, target.load, move.rows_from.read)
        passing.bytes = move.size if passing.rows else 0
        self._advance(passing.rows, passing.bytes)
        return passing.rows

    def _transfer(self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing) -> int:
        load = target.load
        native = _shared_format(move)
        if native and isinstance(move.rows_from, TableRows):
            read = move.rows_from
            sent: list[int] = []
            raw = prefetch(read.database.adapter.stream(self._reading(read), read.read, native, sent.append))
            try:
                passed = passing.pieces(raw)
                stored = adapter.load_stream(connection, load, native, passed)
            finally:
                raw.close()
            (passing.rows,) = sent
            self._advance(stored, 0)
            return stored
        ahead = prefetch(self._batches(move.rows_from))
        try:
            return adapter.load(connection, load, target.prepared(passing.batches(ahead), passing.converted))
        finally:
            ahead.close()

    def _check_count(self, move: Move, stored: int, sent: int) -> None:
        expected = move.rows_from.rows if isinstance(move.rows_from, DumpedRows) else sent
        if stored != sent or sent != expected:
            raise RowCountDiffers(table=move.name, sent=expected, stored=stored, detail="every row counts")

    # --- what is open -----------------------------------------------------------------------------------------------

    def _adapter_of(self, rows: RowsFrom) -> Adapter | None:
        return rows.database.adapter if isinstance(rows, TableRows) else None

    def _batches(self, rows: RowsFrom) -> Iterator[pa.RecordBatch]:
        match rows:
            case TableRows():
                return rows.database.adapter.batches(self._reading(rows), rows.read)
            case HeldFiles(held):
                return blocks.batches(held)
            case DumpedFiles():
                return (batch for piece in rows.pieces for batch in rows.dump.batches(piece))
            case DumpedRows(columns=columns):
                wanted = list(columns)
                return (batch.select(wanted) for piece in rows.pieces for batch in rows.dump.batches(piece))

    def _reading(self, rows: TableRows) -> sa.Connection:
        if self._reader is None or self._reader[0].snapshot != rows.snapshot or self._reader[0].database != rows.database:
            self._release_reader()
            stack = ExitStack()
            adapter = rows.database.adapter
            with database_errors(adapter):
                connection = stack.enter_context(adapter.reading(rows.database.engine, rows.snapshot))
            self._reader = (rows, connection, stack)
        return self._reader[1]

    def _release_reader(self) -> None:
        if self._reader is not None:
            _, connection, stack = self._reader
            self._reader = None
            try:
                stack.close()
            except Exception:
                connection.invalidate()

    def _dump_file(self) -> DumpFile:
        if self._file is None:
            given = self._next_file(FileWanted(0, first=True))
            self._file = DumpFile.going_on(given.target, given.pieces, self._another_file)
        return self._file

    def _another_file(self, size: int) -> DumpTarget:
        return self._next_file(FileWanted(size, first=False)).target


@contextmanager
def _writing(move: Move, target: Store) -> Iterator[sa.Connection]:
    """A connection for a move's rows, whose SQL reads where they come from if it is to select them itself.

    :raises ConnectionLost: it does not any more; it did when the method was chosen.
    """
    adapter, engine = target.database.adapter, target.database.engine
    with ExitStack() as stack:
        if not target.inside:
            checking = target.rejecting is not None and not target.load.fresh
            yield stack.enter_context(adapter.writing(engine, checking=checking))
            return
        assert isinstance(move.rows_from, TableRows)
        try:
            linked = adapter.linking(engine, move.rows_from.database.engine, move.rows_from.snapshot)
            connection = stack.enter_context(linked)
        except LinkRefused as why:
            raise ConnectionLost(detail=why.message) from why
        yield connection


def through_staging(
    adapter: Adapter, connection: sa.Connection, load: Load, where: str | None, put: Callable[[Load], int]
) -> int:
    """Let ``put`` fill a temporary table, which goes with the connection, and SQL move on its rows, or those that meet
    ``where``; how many are stored. The caller commits.

    :raises RowCountDiffers: SQL stored another number of rows than there are.
    """
    return Staging(adapter, connection, load, where).through(put)


def by_one_statement(
    adapter: Adapter,
    connection: sa.Connection,
    load: Load,
    put: Callable[[Load], int],
) -> int:
    """As :func:`through_staging`, where the connection has more to do: the temporary table goes at once."""
    stored = Staging(adapter, connection, load, None).through(put)
    ddl = adapter.ddl(Catalog(adapter.name, ""))
    connection.execute(Statement(ddl.drop_temporary(ddl.staging_for(load.table))))
    return stored


class Staging:
    """A temporary table for the rows of a load, which goes with the connection; made at once."""

    def __init__(
        self,
        adapter: Adapter,
        connection: sa.Connection,
        load: Load,
        where: str | None,
    ) -> None:
        self._connection, self._load, self._where = connection, load, where
        ddl = adapter.ddl(Catalog(adapter.name, ""))
        staging = ddl.staging_for(load.table)
        self.name = staging.name
        self._staged = replace(load, table=staging, fresh=True, staged_for=load.table)
        self._empty, self._truncate = f"DELETE FROM {ddl.name_of(staging)}", ddl.truncate_temporary(staging)
        insert_into = adapter.insert_into(connection, load.table)
        self._move_on = ddl.insert_from(load.table, load.target, staging, where, insert_into)
        self._used, self._held = False, 0
        """Whether rows were put into the table, and how many bytes of them since it was truncated."""
        connection.execute(Statement(ddl.create_staging(staging, load.target)))

    def free(self) -> None:
        """Truncate the table, if it holds much that is no longer there."""
        if self._held > STALE_BYTES:
            self._connection.execute(Statement(self._truncate))
            self._held = 0

    def through(self, put: Callable[[Load], int], size: int = 0) -> int:
        """Let ``put`` fill the table with ``size`` bytes, and SQL move its rows on, or those that meet the condition; how
        many are stored.

        :raises RowCountDiffers: SQL stored another number of rows than there are.
        """
        if self._used:
            self._connection.execute(Statement(self._empty))
        self._used = True
        self._held += size
        sent = put(self._staged)
        stored = int(self._connection.execute(Statement(self._move_on)).rowcount)
        if self._where is None and stored != sent:
            detail = "a trigger or rule left rows out?"
            raise RowCountDiffers(table=self._load.table, sent=sent, stored=stored, detail=detail)
        return stored


def make(adapter: Adapter, connection: sa.Connection, made: Made) -> Failure | None:
    """Make one object and mark it done; in one transaction where the database can roll DDL back.

    Where it cannot, or the mark is the coordinator's, a statement that a killed worker may have run before is taken as run
    if the database says that its object is there. If one fails, those that set the session back still do.

    :raises FatalError: the connection is lost, or the database full.
    """
    emitter = Emitter(adapter.ddl(Catalog(adapter.name, "")), connection)
    whole = adapter.capabilities.transactional_ddl
    statement = ""
    try:
        with database_errors(adapter), transaction(connection) if whole else nullcontext():
            for statement in made.statements:
                try:
                    emitter.run((statement,))
                except Exception as error:
                    if not made.begun or (whole and made.done is not None) or not adapter.is_duplicate(error):
                        raise
                    if whole:  # all of it was made together
                        return None
            if made.done is not None:
                made.done.set(connection)
    except FatalError:
        raise
    except MigratorError as error:
        for restoring in () if whole else made.restoring:
            with suppress(sa.exc.SQLAlchemyError):
                emitter.run((restoring,))
        return Failure(made.item, error, statement)
    return None


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[None]:
    """A transaction on a connection that is in autocommit mode else."""
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(sa.exc.SQLAlchemyError):  # it may have ended already, with its connection or because the disk is full
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _shared_format(move: Move) -> str | None:
    """The format in which rows pass from one end to the other unparsed and unchanged, None: Arrow."""
    source, target = move.rows_from, move.rows_to
    if not isinstance(source, TableRows) or not isinstance(target, Store) or target.load.conventional or target.validated:
        return None
    if target.converter is not None:
        return None
    return stream_format(source.database.adapter, source.read.columns, target.database.adapter, target.load)


def _member_name(table: QName) -> str:
    """A name for the eye only, safe in an archive."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in f"{table.schema}.{table.name}")[:80]
