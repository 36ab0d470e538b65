"""``migrator refresh``: the rows of an import that differ from its source, and no others, made as the source's are.

Rows that differ are found by digests, as ``migrator verify`` finds them, and told by their primary key. Those that were
changed are updated and those that are missing are added, in one transaction for each table, referred ones first; those that
the target alone has go last, referring ones first, and only where that is asked for. There is no record of it: who begins
again finds what is done by comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Load, adapter_of, as_heard_by
from migrator.config import NO_SECRETS, Secrets
from migrator.converting import Counts
from migrator.ddl import DDL
from migrator.differences import differences
from migrator.ends import DumpedRows, TableRows, answer, database_errors
from migrator.errors import FatalError, MigratorError, NotRefreshed
from migrator.job.claims import Claims
from migrator.job.report import loss_line
from migrator.job.worker import by_one_statement
from migrator.model.catalog import Loss
from migrator.model.objects import QName, Table
from migrator.operations.changing import policy_converter, read_for
from migrator.operations.comparing import Comparison, Pair, named_row
from migrator.operations.declaring import refused_collations
from migrator.operations.matching import matched
from migrator.operations.rows import changes
from migrator.operations.verified import RowDiffers, TableVerified, row_text
from migrator.operations.verifying import Sides, sides
from migrator.origins import Resolve
from migrator.plan import parents_first
from migrator.spec import JobSpec
from migrator.verification import narrowing
from migrator.verification.hashing import Hashes
from migrator.verification.narrowing import EXAMPLES, MOST, Apart
from migrator.verification.scans import Fetching, Side

Say = Callable[[str], None]


def refresh(
    spec: JobSpec,
    resolve: Resolve,
    say: Say,
    secrets: Secrets = NO_SECRETS,
    *,
    removing: bool = False,
    planned: bool = False,
) -> int:
    """Make the rows of an import as its source has them; the exit code: 5 if not all of them are.

    ``removing``: rows that the target alone has are taken out; ``planned``: it is only said what would be done.

    :raises MigratorError: an end cannot be read at all.
    :raises TableClaimed: a table is a job's that is at work, or that can be started again.
    """
    with sides(_Looking, spec, resolve, secrets) as opened:
        for note in opened.notes:
            say(note)
        return _Refreshing(opened, say, removing=removing, planned=planned).run()


class _Looking(Comparison):
    """Compares tables but for what the target computes in them, and keeps which rows of each differ."""

    @cached_property
    def apart(self) -> dict[QName, tuple[Pair, Apart]]:
        """Which rows differ, of the tables that were looked at."""
        return {}

    def own_of(self, made: Table) -> Collection[str | None]:
        """All: what the target computes is its own."""
        return {column.name for column in made.columns}

    def with_rows(self, pair: Pair, found: TableVerified) -> TableVerified:
        """Which rows differ, by their hashes."""
        rows, whole = self.collected(pair, found)
        if not whole:
            return replace(found, problem=f"too many rows differ: by the hashes of their keys more than {MOST} may")
        parted = narrowing.apart(*rows)
        if parted is None:
            return replace(found, problem="rows have keys that cannot be told apart")
        self.apart[pair.made] = pair, parted
        return found


@dataclass(frozen=True)
class _Task:
    """A table whose rows differ: at the source and at the target, and how its values get there."""

    table: Table
    made: Table
    pair: Pair
    apart: Apart
    rows: int
    """How many the target has."""

    @property
    def name(self) -> QName:
        return self.made.qname

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key at the target."""
        return self.made.primary_key.columns if self.made.primary_key is not None else ()

    @property
    def kept(self) -> int:
        """How many rows of the target are as the source's."""
        return self.rows - len(self.apart.changed) - len(self.apart.extra)


class _Refreshing:
    """Refreshes the tables of two open ends."""

    def __init__(self, opened: Sides[_Looking], say: Say, *, removing: bool, planned: bool) -> None:
        self._opened, self._say, self._removing, self._planned = opened, say, removing, planned
        self._target, self._adapter = opened.target, opened.target.adapter
        self._adapters = adapter_of(opened.origin.catalog), adapter_of(opened.there)
        names = {table.qname for table in opened.tables}
        self._claims = Claims(opened.target, opened.server, names)
        self._left = False
        """Whether rows differ still."""

    def run(self) -> int:
        """Refresh all tables; the exit code."""
        found = self._opened.comparison.of(self._opened.tables)
        tasks = {task.name: task for task in self._tasks(found)}
        order = [name for group in parents_first([task.made for task in tasks.values()]) for name in _names(group)]
        there = [name for name in order if self._try(tasks[name], self._put)]
        for name in reversed(there):  # a row that the source does not have may stand where one of its own could not go
            if len(tasks[name].apart.extra):
                self._try(tasks[name], self._take_out)
        return 5 if self._left else 0

    def _tasks(self, found: Iterable[TableVerified]) -> Iterator[_Task]:
        for table, result in zip(self._opened.tables, found, strict=True):
            made = self._opened.there.table(table.qname)
            if result.equal:
                self._say(f". . {result.table}: {result.rows[1]} rows, as they were")
            elif made is None:
                self._refuse(result.table, result.problem)
            else:
                try:
                    task = self._task(table, made, result)
                except FatalError:
                    raise
                except MigratorError as error:
                    self._refuse(result.table, _why(error))
                else:
                    yield task
        for result in self._opened.without:
            self._refuse(result.table, result.problem)

    def _task(self, table: Table, made: Table, result: TableVerified) -> _Task:
        """
        :raises NotRefreshed: its rows cannot be told apart, or compared.
        :raises ValueNotCarried: the target has no such column.
        :raises CollationRefused: its texts are not to compare as they would.
        """
        if why := _unkeyed(table, made) or result.problem:
            raise NotRefreshed(table=made.qname, detail=why)
        task = _Task(table, made, *self._opened.comparison.apart[made.qname], result.rows[1])
        if (refusal := refused_collations(self._declared(task), table, made)) is not None:
            raise refusal
        return task

    def _refuse(self, name: QName, why: str) -> None:
        self._left = True
        self._say(str(NotRefreshed(table=name, detail=why)))

    def _try(self, task: _Task, do: Callable[[_Task], None]) -> bool:
        """Whether something could be done with a table; if not, it is told why."""
        try:
            do(task)
        except FatalError:
            raise
        except MigratorError as error:
            self._refuse(task.name, _why(error))
            return False
        return True

    # --- rows of the source -----------------------------------------------------------------------------------------

    def _put(self, task: _Task) -> None:
        """Update the rows that were changed, and add those that are missing."""
        wanted = {"UPDATE": len(task.apart.changed), "INSERT": len(task.apart.missing)}
        if not any(wanted.values()):
            return
        verbs = [verb for verb, rows in wanted.items() if rows]
        self._see_nothing_acts(task, verbs)
        told = f"{wanted['UPDATE']} changed, {wanted['INSERT']} added, {task.kept} as they were"
        if self._planned:
            self._say(f". . {task.name}: {told} (planned)")
            return
        counts = Counts()
        steps = [self._update, self._add]
        if any(key.referred == task.name for key in task.made.foreign_keys):
            steps.reverse()  # a row that was changed may refer to one that is missing
        with self._writing(task, verbs) as connection:
            for step in steps:
                step(task, connection, counts)
            self._raise_identities(task.name, connection)
        self._say(f". . {task.name}: {told}")
        for loss in (*self._counted(task, counts), *changes(task.name, counts)):
            self._left = self._left or loss.policy == "warn"
            self._say(loss_line(loss))

    def _declared(self, task: _Task) -> tuple[Loss, ...]:
        """The entries about values of the source that the table as it is does not keep as they are."""
        found = differences(task.table, task.made, *matched(task.table, task.made), self._adapters)
        return tuple(self._opened.policies.about(found))

    def _counted(self, task: _Task, counts: Counts) -> Iterator[Loss]:
        """Those about rows that were written, with their number where each row counts."""
        for loss in self._declared(task):
            if not (loss.each and loss.column is not None):
                yield loss
            elif rows := counts[loss.column, loss.rule, None]:
                yield replace(loss, rows=rows)

    def _update(self, task: _Task, connection: sa.Connection, counts: Counts) -> None:
        load = self._load(task)
        columns = [column for column in load.target if column.name not in task.key]

        def moving(ddl: DDL, staging: QName) -> str:
            return ddl.update_from(task.made, columns, task.key, staging)

        if len(task.apart.changed):
            rows = self._of_source(task, task.apart.changed, counts)
            self._through(connection, load, moving, rows)

    def _add(self, task: _Task, connection: sa.Connection, counts: Counts) -> None:
        if len(task.apart.missing):
            rows = self._of_source(task, task.apart.missing, counts)
            by_one_statement(
                *(self._adapter, connection, self._load(task)), lambda into: self._adapter.load(connection, into, rows)
            )

    def _load(self, task: _Task) -> Load:
        source, target = matched(task.table, task.made)
        arriving = as_heard_by(self._adapter.name, source, self._opened.origin.catalog.dialect)
        return Load(task.name, arriving, target, conventional=True)

    def _of_source(self, task: _Task, hashes: Hashes, counts: Counts) -> Iterator[pa.RecordBatch]:
        """The rows of the source with certain hashes, as they are sent."""
        source, target = matched(task.table, task.made)
        rules = [(loss.column, loss.rule) for loss in self._declared(task) if loss.each and loss.column is not None]
        changing = policy_converter(self._opened.policies, task.table, (source, target), self._adapters, rules)
        found = 0
        for rows in task.pair.rows[0]:
            for batch in _picked(read_for(changing, rows), task.pair.sides[0], hashes):
                found += batch.num_rows
                moved = batch.select([column.name for column in source])
                yield moved if changing is None else changing.convert(moved, counts)
        if found != len(hashes):
            raise NotRefreshed(table=task.name, detail=f"{len(hashes)} rows differed, {found} were found again")

    # --- rows that the target alone has -----------------------------------------------------------------------------

    def _take_out(self, task: _Task) -> None:
        """Remove the rows that the source does not have, or say that they are there."""
        rows = len(task.apart.extra)
        if not self._removing:
            self._left = True
            self._say(f"{task.name} has {rows} row(s) that the source does not have; --remove takes them out")
            self._name(task)
            return
        self._see_nothing_acts(task, ["DELETE"])
        if not self._planned:
            with self._writing(task, ["DELETE"]) as connection:
                self._delete(task, connection)
        self._say(f". . {task.name}: {rows} removed{' (planned)' if self._planned else ''}")
        self._name(task)

    def _name(self, task: _Task) -> None:
        """Say which rows the target alone has, or had; some of them."""
        pair, some = task.pair, frozenset(map(int, task.apart.extra[:EXAMPLES]))
        rows = (batch for part in pair.rows[1] for batch in _picked(part, pair.sides[1], task.apart.extra[:EXAMPLES]))
        for row in Fetching(pair.sides[1], some).fold(rows).values.values():
            self._say(f"  {row_text(RowDiffers('extra', named_row(pair, row)))}")

    def _delete(self, task: _Task, connection: sa.Connection) -> None:
        read = {compared.target.name: compared.target for compared in task.pair.columns}
        key = [column for column in matched(task.table, task.made)[1] if column.name in task.key]
        load = Load(task.name, tuple(read[column.name] for column in key), tuple(key), conventional=True)

        def moving(ddl: DDL, staging: QName) -> str:
            return ddl.delete_by(task.made, task.key, staging)

        rows = (
            batch.select([column.name for column in key])
            for part in task.pair.rows[1]
            for batch in _picked(part, task.pair.sides[1], task.apart.extra)
        )
        self._through(connection, load, moving, rows)

    # --- what both need ---------------------------------------------------------------------------------------------

    def _through(
        self,
        connection: sa.Connection,
        load: Load,
        moving: Callable[[DDL, QName], str],
        rows: Iterable[pa.RecordBatch],
    ) -> None:
        """Let a statement do something with rows that wait in a temporary table; it must be about as many."""
        by_one_statement(*(self._adapter, connection, load), lambda into: self._adapter.load(connection, into, rows), moving)

    @contextmanager
    def _writing(self, task: _Task, verbs: Sequence[str]) -> Iterator[sa.Connection]:
        """A transaction in which a table is nobody else's, and no job's, and nothing acts by itself on some statements."""
        adapter = self._adapter
        with self._claims.told(), adapter.writing(self._target.engine, checking=True) as connection:
            with database_errors(adapter):
                adapter.hold(connection, task.name, [column.name for column in matched(task.table, task.made)[1]])
            self._claims.see_none()
            self._see_nothing_acts(task, verbs)  # nor has somebody added it since it was planned; nobody can from now on
            with database_errors(adapter):
                yield connection
                connection.commit()

    def _see_nothing_acts(self, task: _Task, verbs: Sequence[str]) -> None:
        """:raises NotRefreshed: something would act by itself, or its rows cannot be taken back."""
        with self._target.connect() as connection:
            if not self._adapter.takes_back(connection, task.name):
                raise NotRefreshed(table=task.name, detail="its storage engine has no transactions")
            found = self._adapter.reactions(connection, task.name)
        if found is None:
            detail = f"{self._adapter.title} is not asked yet what acts when rows change"
            raise NotRefreshed(table=task.name, detail=detail)
        acting = dict.fromkeys(f"on {one.on}: {one.what}" for one in found if one.on in verbs)
        if acting:
            raise NotRefreshed(table=task.name, detail=f"it would act by itself {'; '.join(acting)}")

    def _raise_identities(self, name: QName, connection: sa.Connection) -> None:
        """Let the table count on after its rows, with them: who begins again would not find that it does not."""
        with connection.begin_nested() as savepoint:
            _, refused = answer(self._adapter, partial(self._adapter.raise_identities, connection, name))
            if refused is not None:
                savepoint.rollback()
        if refused is not None:
            self._left = True
            self._say(f"The identities of {name} can't be set to go on after its rows: {refused}")


def _why(error: MigratorError) -> str:
    return str(error.facts["detail"] if isinstance(error, NotRefreshed) else error)


def _names(tables: Iterable[Table]) -> list[QName]:
    return [table.qname for table in tables]


def _unkeyed(table: Table, made: Table) -> str | None:
    """Why rows of a table cannot be told by their key; None: they can."""
    if table.primary_key is None or made.primary_key is None:
        return "it has no primary key" + (" at the source" if table.primary_key is None else " at the target")
    source, target = matched(table, made)
    names = {here.name: there.name for here, there in zip(source, target, strict=True)}
    key = {names.get(table.column(name).source) for name in table.primary_key.columns}
    return None if key == set(made.primary_key.columns) else "its primary key is another than at the source"


def _picked(rows: TableRows | DumpedRows, side: Side, hashes: Hashes) -> Iterator[pa.RecordBatch]:
    """The rows with certain hashes."""
    assert isinstance(rows, TableRows)
    adapter = rows.database.adapter
    with database_errors(adapter), adapter.reading(rows.database.engine, rows.snapshot) as connection:
        for batch in adapter.batches(connection, rows.read):
            found = np.isin(side.hashed(batch).rows, hashes)
            if found.any():
                yield batch.filter(pa.array(found))
