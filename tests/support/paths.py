"""The paths that rows can take from one database into another, each tried on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path as File

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Load, Read, stream_format
from migrator.dump.reader import DumpFiles
from migrator.dump.writer import DumpFile
from migrator.ends import database_errors
from migrator.errors import InternalError, MigratorError
from migrator.job.worker import through_staging
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Table
from tests.support.dumps import Maker
from tests.support.ends import End, Shown

BESIDE_V = ("w", "b", "d")
"""The columns that may stand beside ``v``: a text, bytes, a decimal that no binary form has."""


@dataclass(frozen=True)
class Path:
    """One path. ``beside``: the column that moves along, since it may choose the form of the whole row."""

    name: str
    beside: str = "w"
    conventional: bool = False
    staged: bool = False
    dumped: bool = False
    native: bool = False


PATHS = (
    Path("direct path"),
    Path("direct path beside bytes", beside="b"),
    Path("direct path beside a decimal", beside="d"),
    Path("conventional path", conventional=True),
    Path("conventional path beside bytes", beside="b", conventional=True),
    Path("external table", staged=True),
    Path("dump set", dumped=True),
    Path("native stream", native=True),
)


@dataclass(frozen=True)
class Stored:
    """The rows came in; what the target shows of them."""

    rows: tuple[Shown, ...]


@dataclass(frozen=True)
class Refused:
    """Nothing came in; why."""

    why: str


Outcome = Stored | Refused


@dataclass(frozen=True)
class Rows:
    """The rows of a table as its adapter reads them, or why it does not; ``connection``: what they were read by."""

    end: End
    catalog: Catalog
    table: Table
    read: Read
    connection: sa.Connection
    batches: tuple[pa.RecordBatch, ...] = ()
    refused: Refused | None = None


@contextmanager
def read(end: End, catalog: Catalog, table: Table, ids: Sequence[str]) -> Iterator[Rows]:
    """Read rows of a table by their column ``id``."""
    wanted = Read(table.source, table.columns, f"id IN ({', '.join(ids)})")
    with end.reading() as connection:
        try:
            with database_errors(end.adapter):
                batches = tuple(end.adapter.batches(connection, wanted))
        except InternalError:
            raise
        except MigratorError as error:
            yield Rows(end, catalog, table, wanted, connection, refused=Refused(str(error)))
        else:
            yield Rows(end, catalog, table, wanted, connection, batches)


def moved(path: Path, rows: Rows, target: End, directory: File) -> Outcome | None:
    """What becomes of rows on a path; None: these two databases have no such path. The target is empty again afterwards."""
    if rows.refused is not None:
        return rows.refused
    try:
        made = target.make(rows.catalog, rows.table)
    except MigratorError as error:
        return Refused(str(error))
    names = ("id", "v", path.beside)
    source, there = _columns(rows.table, names), _columns(made, names)
    load = Load(made.qname, source, there, path.conventional, fresh=True)
    if path.native and stream_format(rows.end.adapter, source, target.adapter, load) is None:
        return None
    try:
        with database_errors(target.adapter), target.writing(fresh=path.staged) as connection:
            _put(path, rows, load, target, connection, directory)
    except InternalError:
        raise
    except MigratorError as error:
        outcome: Outcome = Refused(str(error))
    else:
        outcome = Stored(tuple(target.shown(made.name, names)))
        target.run(f"DELETE FROM {made.name}")
    assert not target.shown(made.name, names), f"{path.name}: rows stay although {outcome}"
    return outcome


def _put(path: Path, rows: Rows, load: Load, target: End, connection: sa.Connection, directory: File) -> None:
    adapter, names = target.adapter, [column.name for column in load.source]
    if path.native:
        format_ = stream_format(rows.end.adapter, load.source, adapter, load)
        assert format_ is not None
        sent: list[int] = []
        pieces = rows.end.adapter.stream(rows.connection, replace(rows.read, columns=load.source), format_, sent.append)
        assert adapter.load_stream(connection, load, format_, pieces) == sent[0]
        return
    batches = [batch.select(names) for batch in rows.batches]
    incoming = dumped(batches, directory) if path.dumped else batches
    if path.staged:
        through_staging(adapter, connection, load, None, lambda staged: adapter.load(connection, staged, incoming))
    else:
        adapter.load(connection, load, incoming)


def _columns(table: Table, names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(column for name in names for column in table.columns if column.name == name)


def dumped(batches: Sequence[pa.RecordBatch], directory: File) -> list[pa.RecordBatch]:
    """Batches written to a dump file as one piece or more, and read from it again."""
    target = Maker(directory).next_file()
    File(target.name).unlink(missing_ok=True)
    with DumpFile.create(target) as file:
        pieces = file.write("rows", batches)
    files = DumpFiles(target.header, ((target.number, target.name),), target.key)
    return [batch for piece in pieces for batch in files.batches(piece)]
