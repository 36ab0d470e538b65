"""``migrator retry-rejects``: the rows of a reject file, loaded again; those that are refused once more stay in a new file.

All rows come in by one transaction. While it lasts the file's name ends in ``.loading``, and ``.loaded`` after it (an
earlier file of that name is left alone): one that is still named ``.loading`` when no process works on it was interrupted
just when the rows were committed, or before.

A table that is a job's is refused. That is asked twice: before the transaction holds the tables, which would have a job wait
that is at work, and once it keeps others from emptying or dropping them. A job that has begun to is seen then, and one that
begins later waits until the rows are in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from migrator import rejects
from migrator.adapter import Adapter, Load
from migrator.converting import Converter
from migrator.ends import Database, database_errors
from migrator.errors import ObjectNotFound, RejectFileNotUsable, RowsNotTakenBack
from migrator.job.claims import Claims
from migrator.job.rejecting import Mutual, Stored, sift, sift_mutual
from migrator.job.worker import by_one_statement
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, QName, Table
from migrator.operations.matching import matched
from migrator.plan import parents_first

Say = Callable[[str], None]

LOADING, LOADED = ".loading", ".loaded"
"""What is added to a reject file's name while its rows are loaded, and after that."""


def retry(path: Path, database: Database, say: Say) -> int:
    """Load a reject file's rows again; the exit code: 5 if rows are refused once more.

    :raises RejectFileNotUsable: it cannot be read or is none, or it is being loaded.
    :raises ObjectNotFound: a table is not there.
    :raises TableClaimed: a table is a job's that is at work, or that can be started again.
    """
    if not path.exists():
        _must_not_be_loading(path)
    groups = _groups(path)
    left = rejects.claim(path)
    try:
        loading = _renamed(path, LOADING)
    except RejectFileNotUsable:
        left.unlink()
        raise
    adapter, committing = database.adapter, False
    try:
        claims = Claims(database, database.server(), {section.table for section in groups}, appends=True)
        with claims.told(), adapter.writing(database.engine, checking=True) as connection:
            tables = _tables(database, groups)
            claims.see_none()  # what a job has is not held up
            with database_errors(adapter):
                for section in groups:
                    _, stored = _columns(section, tables[section.table])
                    adapter.hold(connection, section.table, [column.name for column in stored])
            claims.see_none()
            claims.tell_unknown(say)
            found = _Retry(adapter, connection, left, loading, say).run(groups, tables)
            committing = True
            connection.commit()
    except BaseException:
        if not committing:
            rejects.gather(left, [])
            _numbered(loading, path)
        raise
    _numbered(loading, path.with_name(f"{path.name}{LOADED}"))
    if found:
        say(f"Rejected rows are in {left}")
    return 5 if found else 0


def _groups(path: Path) -> list[rejects.Section]:
    """The tables of a reject file, one section for each form in which their rows came. All of the file is read."""
    found: dict[rejects.Form, rejects.Section] = {}
    for section, _ in rejects.read(path):
        found.setdefault(section.form, section)
    if not found:
        raise RejectFileNotUsable(path=path, detail="it holds no row")
    return list(found.values())


def _renamed(path: Path, suffix: str) -> Path:
    """The file under a longer name, which nothing else has."""
    longer = path.with_name(f"{path.name}{suffix}")
    try:
        os.link(path, longer)
        path.unlink()
    except OSError as error:
        _must_not_be_loading(path)
        raise RejectFileNotUsable(path=path, detail=error.strerror or str(error)) from error
    return longer


def _must_not_be_loading(path: Path) -> None:
    """Say so where the file has the name that it has while its rows are loaded.

    :raises RejectFileNotUsable: it has.
    """
    loading = path.with_name(f"{path.name}{LOADING}")
    if loading.exists():
        detail = f"{loading.name} is there: its rows are being loaded, or that was interrupted and is to be looked at"
        raise RejectFileNotUsable(path=path, detail=detail)


def _numbered(loading: Path, wanted: Path) -> None:
    """Give the file the name ``wanted``, or one numbered after it that nothing else has."""
    for path in rejects.numbered(wanted):
        with suppress(FileExistsError):
            os.link(loading, path)
            loading.unlink()
            return


def _columns(section: rejects.Section, made: Table) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns of a section whose values come in, and those that take them, as :func:`matched` has them."""
    types = section.chosen
    columns = (
        replace(column, type=types[column.name], carried=column) if column.name in types else column
        for column in section.columns
    )
    return matched(Table(made.schema, made.name, tuple(columns)), made)


class _Retry:
    """Loads the rows of ``loading`` in the transaction of ``connection``; those that are refused go to ``left``."""

    def __init__(self, adapter: Adapter, connection: sa.Connection, left: Path, loading: Path, say: Say) -> None:
        self._adapter, self._connection, self._left, self._loading, self._say = adapter, connection, left, loading, say

    def run(self, groups: list[rejects.Section], tables: Mapping[QName, Table]) -> bool:
        """Load all rows, those of tables that others refer to first; whether some are refused."""
        order = [table.qname for group in parents_first(list(tables.values())) for table in group]
        parts = [
            part
            for number, section in enumerate(sorted(groups, key=lambda section: order.index(section.table)), 1)
            if (part := self._load(number, section, tables[section.table]))
        ]
        return rejects.gather(self._left, parts)

    def _load(self, number: int, section: rejects.Section, made: Table) -> str:
        """Load the rows of one table; the part of the new file with those that are refused, empty if there are none."""
        if not self._adapter.takes_back(self._connection, made.qname):
            raise RowsNotTakenBack(table=made.qname)
        source, target = _columns(section, made)
        load = Load(made.qname, source, target, conventional=True)
        part = rejects.PartWriter(self._left, number, made.qname, source, section.key, section.clocks, section.chosen)
        names = [column.name for column in source]
        clocks = tuple((place, section.clocks[name]) for place, name in enumerate(names) if name in section.clocks)
        converter = Converter(source, clocks=clocks)

        def put(batch: pa.RecordBatch) -> Stored:
            return Stored(self._adapter.load(self._connection, load, [converter.changed(batch)]))

        def at_once(batches: Sequence[pa.RecordBatch]) -> Stored:
            rows = by_one_statement(
                *(self._adapter, self._connection, load),
                lambda staged: self._adapter.load(self._connection, staged, map(converter.changed, batches)),
            )
            return Stored(rows)

        batches = (batch.select(names) for batch in self._batches(section))
        if any(key.referred == made.qname for key in made.foreign_keys):
            mutual = Mutual(made.qname, source, target, made.foreign_keys, put, at_once)
            stored = sift_mutual(self._adapter, self._connection, batches, mutual, part.add)
        else:
            stored = sift(self._adapter, self._connection, batches, put, part.add)
        part.finish()
        self._say(f"{made.qname}: {stored.rows} rows loaded, {part.rows} rejected")
        return part.path.name if part.rows else ""

    def _batches(self, wanted: rejects.Section) -> Iterator[pa.RecordBatch]:
        for section, batch in rejects.read(self._loading):
            if section.form == wanted.form:
                yield batch


def _tables(database: Database, groups: Sequence[rejects.Section]) -> dict[QName, Table]:
    """The tables of a reject file as they are, by their names.

    Read in a session of its own: MariaDB's dictionary would join the rows' transaction, and knows no savepoints.
    """
    with database.connect() as connection:
        there = database.adapter.catalog(connection, sorted({section.table.schema for section in groups}), proof=False)
    return {section.table: _table(there, section.table) for section in groups}


def _table(there: Catalog, name: QName) -> Table:
    table = there.table(name)
    if table is None:
        raise ObjectNotFound(name=name)
    return table
