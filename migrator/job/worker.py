"""A worker: moves one table's rows at a time, from an end to an end. Failures are values of the outcome.

A worker keeps its reading connection (and with it the snapshot) and its dump file open from one move to the next; rows
that go into a database are one transaction a table.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Adapter, Load
from migrator.arrow import prefetch
from migrator.ddl import Emitter, Statement
from migrator.dump.reader import batches as dumped_batches
from migrator.dump.writer import DumpFile
from migrator.ends import Database, DumpedRows, DumpTarget, TableRows, database_errors
from migrator.errors import InternalError, MigratorError, RowCountDiffers
from migrator.job.master import Piece
from migrator.model.catalog import Catalog
from migrator.model.objects import QName

Advance = Callable[[int, int], None]
"""Told of rows and bytes as they pass."""


@dataclass(frozen=True)
class Store:
    """Rows go into a table of a database; with ``where``, through a staging table, and only those that meet it."""

    database: Database
    load: Load
    where: str | None = None
    staging: QName | None = None


@dataclass(frozen=True)
class Move:
    """One table's rows to move. ``size``: the estimated bytes; ``method`` as METRICS prints it."""

    table: QName
    rows_from: TableRows | DumpedRows
    rows_to: Store | DumpTarget
    method: str
    size: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a move; ``error`` None: all rows are where they should be."""

    move: Move
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    pieces: tuple[Piece, ...] = ()
    error: MigratorError | None = None
    worker: int = 1


class _Passing:
    """Counts what passes by."""

    def __init__(self, advance: Advance) -> None:
        self.rows = self.bytes = 0
        self._advance = advance

    def batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            self.bytes += batch.nbytes
            self._advance(batch.num_rows, batch.nbytes)
            yield batch

    def pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes += len(piece)
            self._advance(0, len(piece))
            yield piece


class Worker:
    """Performs moves one after the other; close it at the job's end."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._reader: tuple[TableRows, sa.Connection, ExitStack] | None = None
        self._file: DumpFile | None = None

    def close(self) -> None:
        """Close what is open; a dump file is whole after that."""
        self._release_reader()
        if self._file is not None:
            self._file.close()
            self._file = None

    # --- performing -------------------------------------------------------------------------------------------------

    def perform(self, move: Move) -> Outcome:
        """Move the rows, all or none."""
        started = time.monotonic()
        passing = _Passing(self._advance)
        pieces: tuple[Piece, ...] = ()
        try:
            if isinstance(move.rows_to, DumpTarget):
                pieces = self._dump(move, move.rows_to, passing)
                rows = sum(piece.rows for piece in pieces)
            elif move.rows_to.staging is not None:
                rows = self._store_staged(move, move.rows_to, move.rows_to.staging, passing)
            else:
                rows = self._store(move, move.rows_to, passing)
        except MigratorError as error:
            self._release_reader()
            return Outcome(move, seconds=time.monotonic() - started, error=error)
        except Exception as error:
            self._release_reader()
            detail = traceback.format_exc() if os.environ.get("MIGRATOR_TRACE") else f"{type(error).__name__}: {error}"
            return Outcome(move, seconds=time.monotonic() - started, error=InternalError(detail=detail))
        return Outcome(move, rows, passing.bytes, time.monotonic() - started, pieces)

    def _dump(self, move: Move, target: DumpTarget, passing: _Passing) -> tuple[Piece, ...]:
        file = self._dump_file(target)
        batches = self._batches(move.rows_from)
        reader = self._adapter_of(move.rows_from)
        ahead = prefetch(batches)
        try:
            with database_errors(reader) if reader is not None else nullcontext():
                return file.write(_member_name(move.table), passing.batches(ahead))
        finally:
            ahead.close()

    def _store(self, move: Move, target: Store, passing: _Passing) -> int:
        adapter = target.database.adapter
        source = self._adapter_of(move.rows_from)
        with (
            database_errors(source or adapter),
            database_errors(adapter),
            adapter.writing(target.database.engine) as connection,
        ):
            try:
                stored = self._transfer(move, target, adapter, connection, passing)
                self._check_count(move, stored, passing.rows)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        return stored

    def _store_staged(self, move: Move, target: Store, staging: QName, passing: _Passing) -> int:
        """Load all rows into a staging table, let SQL move on those wanted, drop the staging table."""
        adapter, load = target.database.adapter, target.load
        ddl = adapter.ddl(Catalog(adapter.name, ""))
        with target.database.connect() as connection:
            Emitter(ddl, connection).run(ddl.create_staging(staging, load.target).statements)
        try:
            staged = replace(load, table=staging, conventional=False, fresh=True)
            self._store(move, replace(target, load=staged), passing)
            with database_errors(adapter), adapter.writing(target.database.engine) as connection:
                done = connection.execute(Statement(ddl.insert_from(load.table, load.target, staging, target.where or "")))
                connection.commit()
                return int(done.rowcount)
        finally:
            with target.database.connect() as connection:
                Emitter(ddl, connection).run(ddl.drop_table(staging).statements)

    def _transfer(self, move: Move, target: Store, adapter: Adapter, connection: sa.Connection, passing: _Passing) -> int:
        load = target.load
        native = _shared_format(move)
        if native and isinstance(move.rows_from, TableRows):
            read = move.rows_from
            raw = prefetch(adapter.stream(self._reading(read), read.read, native))
            try:
                passed = passing.pieces(raw)
                stored = adapter.load_stream(connection, load, native, passed)
            finally:
                raw.close()
            passing.rows = stored
            self._advance(stored, 0)
            return stored
        ahead = prefetch(self._batches(move.rows_from))
        try:
            return adapter.load(connection, load, passing.batches(ahead))
        finally:
            ahead.close()

    def _check_count(self, move: Move, stored: int, sent: int) -> None:
        expected = move.rows_from.rows if isinstance(move.rows_from, DumpedRows) else sent
        if stored != sent or sent != expected:
            raise RowCountDiffers(table=move.table, sent=expected, stored=stored, detail="every row counts")

    # --- what is open -----------------------------------------------------------------------------------------------

    def _adapter_of(self, rows: TableRows | DumpedRows) -> Adapter | None:
        return rows.database.adapter if isinstance(rows, TableRows) else None

    def _batches(self, rows: TableRows | DumpedRows) -> Iterator[pa.RecordBatch]:
        if isinstance(rows, TableRows):
            return rows.database.adapter.batches(self._reading(rows), rows.read)
        files = dict(rows.files)
        wanted = list(rows.columns)
        return (batch.select(wanted) for piece in rows.pieces for batch in dumped_batches(files[piece.file], piece))

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

    def _dump_file(self, target: DumpTarget) -> DumpFile:
        if self._file is None:
            self._file = DumpFile(target.path, target.number, target.set_id)
        return self._file


def _shared_format(move: Move) -> str | None:
    """The native format that both ends speak and in which nothing changes, None: Arrow."""
    source, target = move.rows_from, move.rows_to
    if not isinstance(source, TableRows) or not isinstance(target, Store) or target.load.conventional:
        return None
    here, there = source.database.adapter, target.database.adapter
    if here.name != there.name or not there.same_stream(target.load):
        return None
    return next((f for f in here.capabilities.formats if f in there.capabilities.formats), None)


def _member_name(table: QName) -> str:
    """A name for the eye only, safe in an archive."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in f"{table.schema}.{table.name}")[:80]
