"""Makes the objects of a plan, phase by phase: logs what fails, and goes on without what depends on it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.ddl import DDL, NOT_VALIDATED, Emitter
from migrator.ends import Database, answer, database_errors
from migrator.errors import FatalError, MigratorError, ObjectExists
from migrator.job.coordinator import Coordinator
from migrator.job.report import JobLog
from migrator.job.table import Row, State
from migrator.job.worker import Build, Failure, Made, transaction
from migrator.model.catalog import Loss
from migrator.model.objects import Check, ForeignKey, QName, Table
from migrator.plan import NO_OBJECTS, OF_OBJECTS, SIDE_BY_SIDE, TABLE, Phase, Step

Numbered = Sequence[tuple[int, Step]]
"""Steps with their items of the master table."""

DEPENDENT_SKIPPED = "ORA-39112: Dependent object type {} skipped, base object type TABLE:{} creation failed"
"""What is said of what is not made, or not loaded, because its table was not made."""

NOT_MADE = "see the loss list"
"""The error of an object that has no counterpart, and is skipped."""
NO_TABLE = "its table was not made"
"""The error of what belongs to a table that failed."""

_SMALL_TOGETHER = 20
"""How many objects on small tables a worker makes in one go."""
_SMALL = 16 << 20
"""Up to how many bytes a table counts as small."""


def is_told(step: Step, kept: Collection[QName]) -> bool:
    """Whether there is something to make, or to say, of a step; ``kept``: tables whose metadata is left alone."""
    return step.script.is_told and step.table not in kept


def is_in_the_way(step: Step, existing: Collection[str]) -> bool:
    """Whether it is an error that a step's object is among the ``existing`` ones; a schema may always be there."""
    return step.label in existing and step.path != "USER"


def is_made(row: Row) -> bool:
    """Whether an object is there by a job, or is nothing by itself; its entries are true then."""
    return row.state == "COMPLETED" or (row.state == "SKIPPED" and row.error == NOT_MADE)


class Builder:
    """Runs the DDL steps of a plan. What an earlier run of the job has made, or failed to make, is not tried again."""

    def __init__(
        self,
        coordinator: Coordinator,
        database: Database,
        ddl: DDL,
        connection: sa.Connection,
        log: JobLog,
        recorded: Mapping[int, Row],
        sizes: Mapping[QName, int],
    ) -> None:
        """``recorded``: the rows of the master table by item; ``sizes``: the bytes of tables, for batches."""
        self._coordinator, self._database, self._connection, self._log = coordinator, database, connection, log
        self._recorded, self._sizes = recorded, sizes
        self._emitter = Emitter(ddl, connection)
        self.failed: set[QName] = set()
        """Tables that were not made; each of their dependents is an error of its own."""
        self.skipped: set[QName] = set()
        """Tables that existed and whose metadata is left alone."""

    def run(self, phase: Phase, items: Sequence[int], path: str, existing: frozenset[str]) -> None:
        """Run one phase's steps, logging it under ``path``; objects labelled in ``existing`` are there already.

        Those are left alone, and so are where an existing sequence stands, and the checks of an existing domain.
        """
        numbered = list(zip(items, phase.steps, strict=True))
        for item, step in numbered:
            if step.path == TABLE and step.table in self.failed and self._recorded[item].state == "PENDING":
                self._coordinator.record.change("OBJECT", item, state="FAILED", error="the one that is there stays")
        wanted = [
            (item, step)
            for item, step in numbered
            if is_told(step, self.skipped)
            and not (step.path == TABLE and step.table in self.failed)
            and not (step.path in NO_OBJECTS and step.table in self.failed)
            and not (step.path in OF_OBJECTS and step.label.partition(":")[2] in existing)
        ]
        left = [(item, step) for item, step in wanted if not self._known(item, step)]
        if not left:
            return
        self._log.processing(path)
        started = time.monotonic()
        told: list[Loss] = []
        ready = [(item, step) for item, step in left if self._ready(item, step, existing, told)]
        self._log.losses_of(told)
        made = self._side_by_side(ready) if phase.path in SIDE_BY_SIDE else self._in_order(ready)
        self._log.completed(path.rsplit("/", 1)[-1], made, int(time.monotonic() - started), 1)

    # --- which ------------------------------------------------------------------------------------------------------

    def _known(self, item: int, step: Step) -> bool:
        """Whether an earlier run has dealt with a step."""
        row = self._recorded[item]
        state: State = row.state
        if state in {"FAILED", "SKIPPED"} and step.path == TABLE and step.table is not None:
            self.failed.add(step.table)
        return state in {"COMPLETED", "FAILED", "SKIPPED"}

    def _ready(self, item: int, step: Step, existing: frozenset[str], told: list[Loss]) -> bool:
        """Whether there is something to make, and what it needs is there; ``told`` takes what changes with it."""
        if step.table is not None and step.table in self.failed:
            self.dependent_skipped(step.label, step.table)
            self._coordinator.record.change("OBJECT", item, state="FAILED", error=NO_TABLE)
            return False
        if step.label in existing:
            if is_in_the_way(step, existing):
                self._log.error(str(ObjectExists(path=step.label)))
            self._coordinator.record.change("OBJECT", item, state="SKIPPED", error="it exists")
            return False
        told += (loss for loss in step.script.losses if loss.rule != NOT_VALIDATED)
        if not step.script.statements:
            self._coordinator.record.change("OBJECT", item, state="SKIPPED", error=NOT_MADE)
        return bool(step.script.statements)

    def breaking(self, step: Step) -> int | None:
        """How many rows break a step's check; None: nobody tells."""
        name, part = step.table, step.part
        if name is None or not isinstance(part, Check):
            return None
        return answer(self._database.adapter, lambda: self._breaking(name, part))[0]

    def _breaking(self, name: QName, check: Check) -> int | None:
        """How many rows of a table break a check."""
        ddl = self._emitter.ddl
        table = ddl.catalog.table(name)
        if table is None:
            return None
        condition = ddl.expression(check.expression, table, condition=True, fixed=True, changes={})
        sql = f"SELECT count(*) FROM {ddl.name_of(table)} WHERE NOT ({condition}\n)"
        return int(execute_verbatim(self._connection, sql).scalar_one())

    def dependent_skipped(self, label: str, table: QName) -> None:
        """Log what is not made, or not loaded, because its table was not made."""
        self._log.error(DEPENDENT_SKIPPED.format(label, table))

    # --- making -----------------------------------------------------------------------------------------------------

    def _in_order(self, steps: Numbered) -> int:
        made = 0
        for item, step in steps:
            made += self._ended(step, self.make(item, step))
        return made

    def _side_by_side(self, steps: Numbered) -> int:
        of = dict(steps)
        ended = self._coordinator.build(list(self._builds(steps)))
        return sum(self._ended(of[made.item], failure) for made, failure, _ in ended)

    def _made(self, item: int, step: Step) -> Made:
        done = self._coordinator.record.mark(self._database, "OBJECT", item)
        begun = self._recorded[item].attempts > 0
        return Made(item, step.label, step.script.statements, done, begun=begun, restoring=step.script.restoring)

    def _ended(self, step: Step, failure: Failure | None) -> bool:
        if failure is None:
            return True
        if not isinstance(step.part, ForeignKey):  # of which more is to be told
            self.refused(step, str(failure.error), failure.statement, *self._told_against(step))
        if step.path == TABLE and step.table is not None:
            self.failed.add(step.table)
        return False

    def refused(self, step: Step, error: str, statement: str, *told: str) -> None:
        """Log that the target has refused to make an object."""
        headline = f"ORA-39083: Object type {step.label} failed to create with error:"
        self._log.error(headline, error, "Failing sql is:", statement, *told)

    def make(self, item: int, step: Step) -> Failure | None:
        """Make an object at once."""
        return self._coordinator.make(self._database, self._connection, self._made(item, step))

    def _told_against(self, step: Step) -> Iterator[str]:
        if isinstance(step.part, Check) and (rows := self.breaking(step)):
            yield f"{rows} row(s) break this check: mend them at the source or here, and run that SQL"

    def _builds(self, steps: Numbered) -> Iterator[Build]:
        """Steps as tasks for workers: those on large tables alone and first, those on small ones in batches."""
        large = [(item, step) for item, step in steps if self._size(step) > _SMALL]
        large.sort(key=lambda numbered: -self._size(numbered[1]))
        small = [(item, step) for item, step in steps if self._size(step) <= _SMALL]
        for item, step in large:
            yield Build(self._database, (self._made(item, step),), step.touches)
        for first in range(0, len(small), _SMALL_TOGETHER):
            batch = small[first : first + _SMALL_TOGETHER]
            touches = frozenset(name for _, step in batch for name in step.touches)
            yield Build(self._database, tuple(self._made(item, step) for item, step in batch), touches)

    def _size(self, step: Step) -> int:
        return 0 if step.table is None else self._sizes.get(step.table, 0)

    # --- other statements -------------------------------------------------------------------------------------------

    def empty(self, headline: str, *tables: Table, among: Iterable[Table] = ()) -> bool:
        """Empty tables, without their triggers; whether all went well, as :meth:`execute` tells it.

        ``among``: as :meth:`~migrator.ddl.DDL.truncate` has it.

        :raises FatalError: as :meth:`execute`.
        """
        with database_errors(self._database.adapter):
            truncate = self._emitter.ddl.truncate(*tables, among=among).statements
            names = [table.qname for table in tables]
            statements = self._database.adapter.emptying(self._connection, names, truncate)
        return self.execute(headline, statements)

    def execute(self, headline: str, statements: Iterable[str]) -> bool:
        """Run statements, together where DDL can be rolled back; whether all went well, else nothing has changed there.

        A failure is logged under ``headline`` with its SQL.

        :raises FatalError: as :meth:`execute_together`.
        """
        return self.execute_together([(headline, tuple(statements))]) is None

    def execute_together(self, scripts: Sequence[tuple[str, Sequence[str]]]) -> int | None:
        """Run scripts; the place of the one that failed, which is logged under its headline with its SQL.

        Where DDL can be rolled back they are one transaction: nothing of them stays if one fails.

        :raises FatalError: the connection is lost, the database full, or the job another process's.
        """
        steps = [(place, headline, sql) for place, (headline, statements) in enumerate(scripts) for sql in statements]
        at = (0, "", "")
        self._coordinator.record.job()  # a job that another process has taken over destroys nothing any more
        adapter = self._database.adapter
        whole = adapter.capabilities.transactional_ddl
        try:
            with database_errors(adapter), transaction(self._connection) if whole else nullcontext():
                for at in steps:
                    self._emitter.run(at[2:])
        except FatalError:
            raise
        except MigratorError as error:
            place, headline, sql = at
            self._log.error(headline, str(error), "Failing sql is:", sql)
            return place
        return None
