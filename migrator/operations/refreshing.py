"""``migrator refresh``: the rows of an import that differ from its source, and no others, made as the source's are.

Rows that differ are found by digests, as ``migrator verify`` finds them, and told by their primary key. Tables that refer to
one another are done in one transaction, see :mod:`migrator.operations.reconciling`; a table that cannot be done is told why,
and the others are done without it, but where the database tells at the end only that some of them cannot. There is no record
of it: who begins again finds what is done by comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from migrator.config import NO_SECRETS, Secrets
from migrator.ends import DumpedRows, TableRows, database_errors
from migrator.errors import FatalError, MigratorError, NotRefreshed
from migrator.job.claims import Claims
from migrator.job.report import loss_line
from migrator.job.worker import Fold
from migrator.model.catalog import Loss
from migrator.model.objects import QName, Table
from migrator.operations.comparing import Comparison, Ended, Pair
from migrator.operations.declaring import refused_collations
from migrator.operations.matching import matched
from migrator.operations.reconciling import Failed, Reconciling, Surplus, Task, Written, picked
from migrator.operations.rows import changes
from migrator.operations.verified import RowDiffers, TableVerified, row_text
from migrator.operations.verifying import Sides, sides
from migrator.origins import Resolve
from migrator.plan import parents_first
from migrator.spec import JobSpec
from migrator.verification import narrowing
from migrator.verification.hashing import Hashes
from migrator.verification.narrowing import EXAMPLES, Apart, Taken
from migrator.verification.scans import Collecting, Dividing, Rows, shown

Say = Callable[[str], None]

ROUNDS = 16
"""How many times both sides of a table are read at most to find which rows differ."""


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

    ``removing``: rows that the target alone has are taken out; ``planned``: all is tried, told and rolled back.

    :raises MigratorError: an end cannot be read at all.
    """
    with sides(_Looking, spec, resolve, secrets) as opened:
        for note in opened.notes:
            say(note)
        return _Refreshing(opened, say, removing=removing, planned=planned).run()


class _Looking(Comparison):
    """Compares tables but for what the target computes in them, and keeps which rows of each differ."""

    @cached_property
    def found(self) -> dict[QName, tuple[Pair, Apart, Surplus]]:
        """Which rows differ, of the tables that were looked at."""
        return {}

    def own_of(self, made: Table) -> Collection[str | None]:
        """All: what the target computes is its own."""
        return {column.name for column in made.columns}

    def by_rows(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, TableVerified]]:
        """Which rows differ, of the tables that may. Without a digest before: the first look is at the rows themselves."""
        told = {pair.made: pair for pair in pairs if not pair.unread and self._unkeyed(pair) is None}
        yield from super().by_rows([pair for pair in pairs if pair.made not in told])
        looks: list[tuple[Pair, list[Fold]]] = []
        for pair in told.values():
            try:
                bits = narrowing.bits_for(max(map(_rows_there, pair.rows)))
            except FatalError:
                raise
            except MigratorError as error:
                yield pair, TableVerified(pair.made, pair.table.source, problem=str(error))
                continue
            looks.append((pair, [Dividing(side, bits) if bits else Collecting(side) for side in pair.sides]))
        large: list[tuple[Pair, tuple[int, int], Sequence[Taken]]] = []
        for tally in self.tallied(looks):
            pair, (source, target) = tally.pair, tally.found
            if tally.error is not None:
                yield pair, TableVerified(pair.made, pair.table.source, problem=str(tally.error))
            elif isinstance(source, Rows):
                yield pair, self._apart(pair, (source.total, target.total), [(source, target)])
            else:  # workers that are at work cannot be asked for something else
                large.append((pair, (source.total, target.total), narrowing.rounds(source, target)))
        for pair, totals, parts in large:
            if len(parts) > ROUNDS:
                why = f"more than {ROUNDS * narrowing.MOST} rows are to be looked at for those that differ"
                yield pair, TableVerified(pair.made, pair.table.source, problem=why)
            else:
                yield pair, self._apart(pair, totals, (self._collected(pair, taken) for taken in parts if taken.any()))

    def with_rows(self, pair: Pair, found: TableVerified) -> TableVerified:
        """Of a table whose rows cannot be told apart it is enough that they differ."""
        return replace(found, problem=found.problem or self._unkeyed(pair) or "")

    def _unkeyed(self, pair: Pair) -> str | None:
        return _unkeyed(pair.table, self.made(pair))

    def _collected(self, pair: Pair, taken: Taken) -> tuple[Rows, Rows]:
        return self.collected(pair, len(taken).bit_length() - 1, taken)

    def _apart(self, pair: Pair, totals: tuple[int, int], parts: Iterable[tuple[Rows, Rows]]) -> TableVerified:
        """Which rows differ in parts of both sides, which are those that may."""
        found = TableVerified(pair.made, pair.table.source, totals)
        every = Apart.none()
        try:
            for rows in parts:
                apart = narrowing.apart(*rows)
                if apart is None:
                    return replace(found, problem="rows have keys that cannot be told apart")
                every += apart
        except Ended as why:
            return replace(found, problem=str(why))
        every = Apart(*map(np.sort, (every.changed, every.missing, every.extra)))
        if not any(map(len, (every.changed, every.missing, every.extra))):
            return replace(found, equal=True)
        self.found[pair.made] = pair, every, _surplus(pair, every.extra)
        return found


def _rows_there(rows: Sequence[TableRows | DumpedRows]) -> int:
    """How many rows there are, or at most: in their table, whatever is read of it."""
    first = next((part for part in rows if isinstance(part, TableRows)), None)
    if first is None:
        return sum(part.rows for part in rows if isinstance(part, DumpedRows))
    adapter = first.database.adapter
    with database_errors(adapter), adapter.reading(first.database.engine, first.snapshot) as connection:
        return adapter.count(connection, first.read.table)


def _surplus(pair: Pair, keys: Hashes) -> Surplus:
    """The rows that the target alone has, by the hashes of their keys."""
    if not len(keys):
        return Surplus()
    side = pair.sides[1]
    key = tuple(pair.columns[place].target for place in side.key)
    found: list[pa.RecordBatch] = []
    told: list[dict[str, str | None]] = []
    for rows in pair.rows[1]:
        for _, batch in picked(replace(rows, read=replace(rows.read, columns=key)), side, keys):
            found.append(batch)
            if len(told) < EXAMPLES:
                texts = [shown(batch.column(column.name)[:EXAMPLES], column.type) for column in key]
                told += [dict(zip((column.name for column in key), row, strict=True)) for row in zip(*texts, strict=True)]
    return Surplus(found, [RowDiffers("extra", row) for row in told[:EXAMPLES]])


class _Refreshing:
    """Refreshes the tables of two open ends."""

    def __init__(self, opened: Sides[_Looking], say: Say, *, removing: bool, planned: bool) -> None:
        self._opened, self._say, self._removing, self._planned = opened, say, removing, planned
        self._claims = Claims(opened.target, opened.server, {table.qname for table in opened.tables})
        self._left = False
        """Whether rows differ still."""

    def run(self) -> int:
        """Refresh all tables; the exit code."""
        tasks = list(self._tasks(self._opened.comparison.of(self._opened.tables)))
        self._opened.looked()
        for group in _joined(task for task in tasks if task.does):
            self._reconcile(group)
        for task in tasks:
            if not task.does:
                self._tell(task, Written())
        return 5 if self._left else 0

    def _tasks(self, found: Iterable[TableVerified]) -> Iterator[Task]:
        for table, result in zip(self._opened.tables, found, strict=True):
            made = self._opened.there.table(table.qname)
            if made is None or result.problem or result.rows is None:
                self._refuse(result.table, result.problem)
            elif result.equal:
                self._say(f". . {result.table}: {result.rows[1]} rows, as they were")
            else:
                pair, apart, surplus = self._opened.comparison.found[made.qname]
                yield Task(table, made, pair, apart, surplus, result.rows[1], self._removing)
        for result in self._opened.without:
            self._refuse(result.table, result.problem)

    def _refuse(self, name: QName, why: str) -> None:
        self._left = True
        self._say(NotRefreshed(table=name, detail=why).explained())

    def _reconcile(self, tasks: list[Task]) -> None:
        """Give tables the rows of their source; without one that cannot have them, if need be."""
        while tasks:
            work = Reconciling(self._opened, self._claims, tasks, planned=self._planned)
            try:
                for task in tasks:
                    self._see_that_it_can_be(task, work)
                work.run()
            except Failed as failed:
                stays = f"the {failed.task.extra} row(s) that the source does not have stay: " if failed.removal else ""
                self._refuse(failed.task.name, f"{stays}{_why(failed.error)}")
                instead = [replace(failed.task, removing=False)] if failed.removal else []
                tasks = [one for task in tasks for one in (instead if task is failed.task else [task])]
            except FatalError:
                raise
            except MigratorError as error:
                for task in tasks:
                    self._refuse(task.name, _why(error))
                return
            else:
                for task in tasks:
                    self._tell(task, work.written[task.name], work.declared(task))
                return

    def _see_that_it_can_be(self, task: Task, work: Reconciling) -> None:
        """:raises Failed: a table's texts are not to compare as they would."""
        refusal: MigratorError | None
        try:
            refusal = refused_collations(work.declared(task), task.table, task.made)
        except FatalError:
            raise
        except MigratorError as error:
            refusal = error
        if refusal is not None:
            raise Failed(task, refusal, removal=False)

    # --- what is told -----------------------------------------------------------------------------------------------

    def _tell(self, task: Task, written: Written, declared: Iterable[Loss] = ()) -> None:
        removed = task.extra if task.removing else 0
        kept = task.rows - task.changed - task.extra
        told = f"{task.changed} changed, {task.added} added, {removed} removed, {kept} as they were"
        self._say(f". . {task.name}: {told}{' (planned)' if self._planned else ''}")
        if written.replaced:
            self._say(f"  rows of {task.name} exchange values: those that were changed were deleted and inserted again")
        self._left = self._left or bool(task.extra and not task.removing)
        if task.extra and not self._removing:
            self._say(f"{task.name} has {task.extra} row(s) that the source does not have; --remove takes them out")
        for row in task.surplus.some:
            self._say(f"  {row_text(row)}")
        if written.refused is not None:
            self._left = True
            self._say(f"The identities of {task.name} can't be set to go on after its rows: {written.refused}")
        if task.puts:
            for loss in (*_counted(declared, written), *changes(task.name, written.counts)):
                self._left = self._left or loss.policy == "warn"
                self._say(loss_line(loss))


def _counted(declared: Iterable[Loss], written: Written) -> Iterator[Loss]:
    """Those about rows that were written, with their number where each row counts."""
    for loss in declared:
        if not (loss.each and loss.column is not None):
            yield loss
        elif rows := written.counts[loss.column, loss.rule, None]:
            yield replace(loss, rows=rows)


def _joined(tasks: Iterable[Task]) -> list[list[Task]]:
    """Tasks in groups of tables that refer to one another, by others perhaps; in each those that others refer to first."""
    by_name = {task.name: task for task in tasks}
    order = [by_name[table.qname] for group in parents_first([task.made for task in by_name.values()]) for table in group]
    groups: list[list[Task]] = []
    for task in order:
        near = {task.name, *(key.referred for key in task.made.foreign_keys)}
        joined = [group for group in groups if any(other.name in near or _refers(other, task.name) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(other for group in joined for other in group), task])
    return groups


def _refers(task: Task, name: QName) -> bool:
    return any(key.referred == name for key in task.made.foreign_keys)


def _why(error: MigratorError) -> str:
    return str(error.facts["detail"] if isinstance(error, NotRefreshed) else error)


def _unkeyed(table: Table, made: Table) -> str | None:
    """Why rows of a table cannot be told by their key; None: they can."""
    if table.primary_key is None or made.primary_key is None:
        return "it has no primary key" + (" at the source" if table.primary_key is None else " at the target")
    source, target = matched(table, made)
    names = {here.name: there.name for here, there in zip(source, target, strict=True)}
    key = {names.get(table.column(name).source) for name in table.primary_key.columns}
    return None if key == set(made.primary_key.columns) else "its primary key is another than at the source"
