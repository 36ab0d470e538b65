"""One transaction that gives tables the rows of their source: what differs is known, and told by the primary key.

Rows that are to come wait in temporary tables, and statements move them on: by UPDATE and INSERT, or, where the database
refuses that for a value that another of these rows still has, by deleting those that were changed and inserting them again.
Each statement must be about as many rows as differ. Rows that the target alone has go before others come, as far as no row
refers to them yet, and else after that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal

import pyarrow as pa

from migrator.adapter import Change, Fact, Load, Reaction, adapter_of, as_heard_by
from migrator.arrow import prefetch
from migrator.converting import Counts
from migrator.ddl import Statement
from migrator.differences import differences
from migrator.ends import DumpedRows, TableRows, answer, database_errors
from migrator.errors import FatalError, MigratorError, NotRefreshed
from migrator.job.claims import Claims
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import ForeignKey, QName, Table
from migrator.operations.changing import policy_converter, read_for
from migrator.operations.comparing import Pair
from migrator.operations.matching import matched
from migrator.operations.verified import RowDiffers
from migrator.operations.verifying import Sides
from migrator.verification.hashing import Hashes
from migrator.verification.narrowing import Apart
from migrator.verification.scans import Side, among

Purpose = Literal["_CHANGED", "_MISSING", "_EXTRA"]
"""What rows wait for in a temporary table, as its name has it."""


@dataclass(frozen=True)
class Surplus:
    """The rows that the target alone has: their keys, and some of them as they are told."""

    keys: Sequence[pa.RecordBatch] = ()
    some: Sequence[RowDiffers] = ()


@dataclass(frozen=True)
class Task:
    """A table whose rows differ: at the source and at the target, and how its values get there.

    ``rows``: how many the target has; ``removing``: those that it alone has are taken out.
    """

    table: Table
    made: Table
    pair: Pair
    apart: Apart
    surplus: Surplus
    rows: int
    removing: bool

    @property
    def name(self) -> QName:
        """The table at the target."""
        return self.made.qname

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key at the target."""
        return self.made.primary_key.columns if self.made.primary_key is not None else ()

    @property
    def changed(self) -> int:
        """How many rows have other values."""
        return len(self.apart.changed)

    @property
    def added(self) -> int:
        """How many rows are missing."""
        return len(self.apart.missing)

    @property
    def extra(self) -> int:
        """How many rows the target alone has."""
        return len(self.apart.extra)

    @property
    def puts(self) -> tuple[Change, ...]:
        """What is done so that the source's rows are there."""
        verbs: tuple[tuple[Change, int], ...] = (("UPDATE", self.changed), ("INSERT", self.added))
        return tuple(verb for verb, rows in verbs if rows)

    @property
    def does(self) -> tuple[Change, ...]:
        """What is done at all."""
        return (*self.puts, *(("DELETE",) if self.removing and self.extra else ()))

    @property
    def own(self) -> tuple[str, ...]:
        """The columns whose values the target alone has."""
        taken = {column.name for column in matched(self.table, self.made)[1]}
        return tuple(c.name for c in self.made.columns if c.generated is None and c.name not in taken)


class Failed(Exception):
    """The rows of a table cannot be written, or those that it alone has not be taken out (``removal``), for an error."""

    def __init__(self, task: Task, error: MigratorError, *, removal: bool) -> None:
        super().__init__(task, error)
        self.task, self.error, self.removal = task, error, removal


@dataclass
class Written:
    """What is to be told of a table whose rows are written."""

    counts: Counts = field(default_factory=Counts)
    replaced: bool = False
    """Whether rows that were changed were deleted and inserted again."""
    refused: MigratorError | None = None
    """Why its identities do not go on after its rows."""


class Reconciling:
    """Gives tables, those that others refer to first, the rows of their source in one transaction."""

    def __init__(self, opened: Sides[Any], claims: Claims, tasks: Sequence[Task], *, planned: bool) -> None:
        """``planned``: all is rolled back."""
        self._opened, self._claims, self._tasks, self._planned = opened, claims, tasks, planned
        self._target, self._adapter = opened.target, opened.target.adapter
        self._ddl = self._adapter.ddl(Catalog(self._adapter.name, ""), opened.server.version)
        self._dialect = opened.origin.catalog.dialect
        self._adapters = adapter_of(opened.origin.catalog), adapter_of(opened.there)
        self.written = {task.name: Written() for task in tasks}
        self._deferred, self._is_deferred = ExitStack(), False
        self._acting: dict[QName, tuple[Reaction, ...]] = {}
        """What acts by itself, as it was asked last: a second connection finds a SQLite file locked that is written to."""
        self._rest: dict[QName, int] = {}
        """How many rows are to be taken out that others referred to at first."""

    def run(self) -> None:
        """Do it.

        :raises Failed: something cannot be done with one of the tables; nothing has changed.
        :raises MigratorError: nothing can be done with them; nothing has changed.
        """
        adapter, names = self._adapter, [task.name for task in self._tasks]
        self._see_nothing_acts()
        with self._claims.told(), adapter.writing(self._target.engine, checking=True) as self._connection:
            with database_errors(adapter):
                for task in self._tasks:
                    columns = [column.name for column in matched(task.table, task.made)[1]]
                    adapter.hold(self._connection, task.name, columns)
            self._claims.see_none()
            self._see_nothing_acts()  # nor has somebody added it since it was looked for; nobody can from now on
            with database_errors(adapter):
                with self._resting(), self._deferred:
                    if any(key.referred in names for key in self._circular()):
                        self._defer()
                    self._write()
                if self._planned:
                    self._connection.rollback()
                else:
                    self._connection.commit()

    def _write(self) -> None:
        for task in reversed(self._tasks):
            if "DELETE" in task.does:
                with self._blamed_on(task, removal=True):
                    self._rest[task.name] = self._take_out_unreferred(task)
        for task in self._tasks:
            if task.puts:
                with self._blamed_on(task):
                    self._put(task)
        for task in reversed(self._tasks):
            if self._rest.get(task.name):
                with self._blamed_on(task, removal=True):
                    self._take_out(task, self._rest[task.name])

    @contextmanager
    def _blamed_on(self, task: Task, *, removal: bool = False) -> Iterator[None]:
        try:
            with database_errors(self._adapter):
                yield
        except FatalError:
            raise
        except MigratorError as error:
            raise Failed(task, error, removal=removal) from error

    # --- what bars a table, and what is deferred --------------------------------------------------------------------

    def _see_nothing_acts(self) -> None:
        """:raises Failed: something would act by itself, or a table's rows cannot be taken back."""
        for task in self._tasks:
            with self._blamed_on(task, removal=not task.puts):
                self._acting[task.name] = self._reactions(task.name)
                self._see_none_acts(task, task.puts)
            if "DELETE" in task.does:
                with self._blamed_on(task, removal=True):
                    self._see_none_acts(task, ("DELETE",))

    def _reactions(self, name: QName) -> tuple[Reaction, ...]:
        with self._target.connect() as connection:
            if not self._adapter.takes_back(connection, name):
                raise NotRefreshed(table=name, detail="its storage engine has no transactions")
            found = self._adapter.reactions(connection, name)
        if found is None:
            raise NotRefreshed(table=name, detail=f"{self._adapter.title} is not asked yet what acts when rows change")
        return found

    def _see_none_acts(self, task: Task, verbs: Sequence[Change]) -> None:
        acting = dict.fromkeys(
            f"on {one.on}: {one.what}" for one in self._acting[task.name] if one.on in verbs and not one.can_rest
        )
        if acting:
            raise NotRefreshed(table=task.name, detail=f"it would act by itself {'; '.join(acting)}")

    @contextmanager
    def _resting(self) -> Iterator[None]:
        """Without migrator's own triggers, which would give rows that are updated the time of now."""
        with ExitStack() as triggers:
            for task in self._tasks:
                if "UPDATE" in task.puts and any(one.can_rest for one in self._acting[task.name]):
                    with self._blamed_on(task):
                        triggers.enter_context(self._adapter.resting(self._connection, task.name))
            yield

    def _circular(self) -> Iterator[ForeignKey]:
        """The foreign keys that lead to their own table, or to one that comes later."""
        later = {task.name for task in self._tasks}
        for task in self._tasks:
            yield from (key for key in task.made.foreign_keys if key.referred in later)
            later.discard(task.name)

    def _defer(self) -> None:
        """From now on what the database can defer is checked at the end."""
        if not self._is_deferred:
            tables = [task.name for task in self._tasks]
            self._deferred.enter_context(self._adapter.deferring(self._connection, tables))
            self._is_deferred = True

    # --- rows of the source -----------------------------------------------------------------------------------------

    def _put(self, task: Task) -> None:
        """Update the rows that were changed, and add those that are missing."""
        written = self.written[task.name]
        staged = self._stage_source(task, written.counts)
        savepoint = self._connection.begin_nested()
        try:
            self._update_and_add(task, *staged)
        except Exception as error:
            if not isinstance(error, self._adapter.driver_errors()) or self._adapter.explain(error).about != "row":
                raise
            savepoint.rollback()
            self._replace(task, staged, self._adapter.explain(error).text)
            written.replaced = True
        else:
            savepoint.commit()
        for table in staged:
            self._execute(self._ddl.drop_temporary(table))
        if not self._planned:
            written.refused = self._raise_identities(task.name)

    def _update_and_add(self, task: Task, changed: QName, missing: QName) -> None:
        columns = matched(task.table, task.made)[1]
        values = [column for column in columns if column.name not in task.key]
        updating = self._ddl.update_from(task.made, values, task.key, changed) if task.changed else ""
        insert_into = self._adapter.insert_into(self._connection, task.name)
        adding = self._ddl.insert_from(task.name, columns, missing, None, insert_into)
        steps = [("updated", task.changed, updating), ("added", task.added, adding)]
        if any(key.referred == task.name for key in task.made.foreign_keys):
            steps.reverse()  # a row that was changed may refer to one that is missing
        for done, rows, statement in steps:
            if rows:
                self._run(task, done, rows, statement)

    def _replace(self, task: Task, staged: tuple[QName, QName], why: str) -> None:
        """Delete the rows that were changed, and insert them again with those that are missing: they exchange values.

        :raises NotRefreshed: that would do something else, too; with ``why`` the database refuses it as it is.
        """
        hint = f"; --remove takes out first the {task.extra} row(s) that the source does not have" * (
            bool(task.extra) and not task.removing
        )
        rest = self._rest.pop(task.name, 0)
        if not task.changed and not rest:
            raise NotRefreshed(table=task.name, detail=f"{why}{hint}")
        again = f"{why}{hint}; rows that were changed cannot be deleted and inserted again instead, as"
        if task.own:
            lost = f"{again} what the target alone knows of them would be lost: {', '.join(task.own)}"
            raise NotRefreshed(table=task.name, detail=lost)
        try:
            self._see_none_acts(task, ("DELETE", "INSERT"))
        except NotRefreshed as error:
            raise NotRefreshed(table=task.name, detail=f"{again} {error.facts['detail']}") from error
        self._defer()
        if rest:
            self._take_out(task, rest)
        columns = matched(task.table, task.made)[1]
        statements = self._ddl.replace_from(task.made, columns, task.key, staged, task.changed)
        steps = (("deleted", task.changed), ("added", task.changed + task.added))[-len(statements) :]
        try:
            for (done, rows), statement in zip(steps, statements, strict=True):
                self._run(task, done, rows, statement)
        except Exception as error:
            if not hint or not isinstance(error, self._adapter.driver_errors()):
                raise
            raise NotRefreshed(table=task.name, detail=f"{self._adapter.explain(error).text}{hint}") from error

    def _stage_source(self, task: Task, counts: Counts) -> tuple[QName, QName]:
        """Let the rows of the source wait in temporary tables: those that were changed, and those that are missing."""
        source, target = matched(task.table, task.made)
        load = Load(task.name, as_heard_by(self._adapter.name, source, self._dialect), target)
        wanted = task.apart.changed, task.apart.missing
        into = self._staging(load, "_CHANGED"), self._staging(load, "_MISSING")
        found = [0, 0]
        rows = prefetch(self._of_source(task, wanted, counts))
        try:
            for number, batch in rows:
                found[number] += self._adapter.load(self._connection, into[number], [batch])
        finally:
            rows.close()
        if found != list(map(len, wanted)):
            detail = f"{sum(map(len, wanted))} rows differed, {sum(found)} were found again"
            raise NotRefreshed(table=task.name, detail=detail)
        return into[0].table, into[1].table

    def _of_source(self, task: Task, wanted: Sequence[Hashes], counts: Counts) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows of the source whose keys have certain hashes, as they are sent; each with the number of its hashes."""
        source, target = matched(task.table, task.made)
        rules = [(loss.column, loss.rule) for loss in self.declared(task) if loss.each and loss.column is not None]
        changing = policy_converter(self._opened.policies, task.table, (source, target), self._adapters, rules)
        for rows in task.pair.rows[0]:
            for number, batch in picked(read_for(changing, rows), task.pair.sides[0], *wanted):
                moved = batch.select([column.name for column in source])
                yield number, moved if changing is None else changing.convert(moved, counts)

    def declared(self, task: Task) -> tuple[Loss, ...]:
        """The entries about values of the source that a table as it is does not keep as they are."""
        found = differences(task.table, task.made, *matched(task.table, task.made), self._adapters)
        return tuple(self._opened.policies.about(found))

    def _raise_identities(self, name: QName) -> MigratorError | None:
        """Let the table count on after its rows, with them: who begins again would not find that it does not."""
        with self._connection.begin_nested() as savepoint:
            _, refused = answer(self._adapter, partial(self._adapter.raise_identities, self._connection, name))
            if refused is not None:
                savepoint.rollback()
        return refused

    # --- rows that the target alone has -----------------------------------------------------------------------------

    def _take_out_unreferred(self, task: Task) -> int:
        """Remove the rows that the source does not have, but for those that others refer to yet; how many those are."""
        staged = self._stage_surplus(task)
        left = 0
        for by, key in self._referring(task):
            left += self._execute(self._ddl.drop_referred(task.made, task.key, staged, by, key))
        self._take_out(task, task.extra - left, staged)
        return left

    def _take_out(self, task: Task, rows: int, staged: QName | None = None) -> None:
        """Remove the rows that the source does not have, ``rows`` of which are there still."""
        staged = staged or self._stage_surplus(task)
        if rows:
            self._run(task, "removed", rows, self._ddl.delete_by(task.made, task.key, staged))
        self._execute(self._ddl.drop_temporary(staged))

    def _stage_surplus(self, task: Task) -> QName:
        """Let the keys of the rows that the source does not have wait in a temporary table."""
        read = {compared.target.name: compared.target for compared in task.pair.columns}
        key = [column for column in matched(task.table, task.made)[1] if column.name in task.key]
        load = self._staging(Load(task.name, tuple(read[column.name] for column in key), tuple(key)), "_EXTRA")
        batches = [batch.select([column.name for column in key]) for batch in task.surplus.keys]
        self._adapter.load(self._connection, load, batches)
        return load.table

    def _referring(self, task: Task) -> Iterator[tuple[QName, ForeignKey]]:
        """The foreign keys that lead to a table."""
        for table in self._opened.there.of(Table):
            for key in table.foreign_keys:
                if key.referred == task.name and key.referred_columns:
                    yield table.qname, key

    # --- statements -------------------------------------------------------------------------------------------------

    @cached_property
    def _by_insert(self) -> bool:
        """Whether rows come by INSERT, since the server takes none in bulk."""
        name = self._tasks[0].name
        with self._target.connect() as connection:
            return self._adapter.facts(connection, [name])[name].holds(Fact.BULK_REFUSED)

    def _staging(self, load: Load, purpose: Purpose) -> Load:
        """A new temporary table for rows that are to come to a table, or go from it."""
        staging = self._ddl.staging_for(load.table, purpose)
        self._execute(self._ddl.create_alike(staging, load.table, load.target))
        return replace(load, table=staging, conventional=self._by_insert, fresh=True, staged_for=load.table)

    def _execute(self, sql: str) -> int:
        return int(self._connection.execute(Statement(sql)).rowcount)

    def _run(self, task: Task, done: str, rows: int, sql: str) -> None:
        """Run a statement that is about so many rows.

        :raises NotRefreshed: the database says that it was about others.
        """
        found = self._execute(sql)
        if found != rows:
            why = "somebody else has changed them, or something left rows out"
            detail = f"{rows} rows were to be {done}, the database reports {found}: {why}"
            raise NotRefreshed(table=task.name, detail=detail)


def picked(rows: TableRows | DumpedRows, side: Side, *wanted: Hashes) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows whose keys have certain hashes, which are sorted; each batch with the number of its hashes."""
    for batch in _batches(rows):
        hashes = side.keys(batch)
        for number, some in enumerate(wanted):
            found = among(hashes, some)
            if found.any():
                yield number, batch.filter(pa.array(found))


def _batches(rows: TableRows | DumpedRows) -> Iterator[pa.RecordBatch]:
    if isinstance(rows, DumpedRows):
        yield from (batch.select(list(rows.columns)) for piece in rows.pieces for batch in rows.dump.batches(piece))
        return
    adapter = rows.database.adapter
    with database_errors(adapter), adapter.reading(rows.database.engine, rows.snapshot) as connection:
        yield from adapter.batches(connection, rows.read)
