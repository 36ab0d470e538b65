"""The coordinator: hands moves to lanes, runs DDL phases, and writes the log as Data Pump does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import sqlalchemy as sa

from migrator.adapter import Adapter
from migrator.ddl import DDL, Emitter
from migrator.ends import database_errors
from migrator.errors import InternalError, MigratorError, ObjectExists
from migrator.job.executors import Lane
from migrator.job.report import JobLog
from migrator.job.worker import Move, Outcome
from migrator.model.objects import QName
from migrator.plan import POSITION, TABLE, Phase, Step


def run_moves(moves: Iterable[Move], lanes: Sequence[Lane], route: Callable[[Move, Lane], Move]) -> Iterator[Outcome]:
    """Perform all moves, the largest first, as lanes come free; outcomes as they end.

    ``route`` fits a move to the lane that takes it (an export's lane has its own dump file).
    """
    waiting = sorted(moves, key=lambda move: move.size)
    free = list(reversed(lanes))
    running: dict[Future[Outcome], tuple[Move, Lane]] = {}
    while waiting or running:
        while waiting and free:
            lane = free.pop()
            move = route(waiting.pop(), lane)
            running[lane.submit(move)] = (move, lane)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            move, lane = running.pop(future)
            free.append(lane)
            try:
                outcome = future.result()
            except BrokenProcessPool as error:
                raise InternalError(detail=f"worker {lane.number} died while moving {move.table}") from error
            yield replace(outcome, worker=lane.number)


class Builder:
    """Runs the DDL steps of a plan on a connection, logs what fails, and goes on without what depends on it."""

    def __init__(self, adapter: Adapter, ddl: DDL, connection: sa.Connection, log: JobLog) -> None:
        self._adapter, self._log = adapter, log
        self._emitter = Emitter(ddl, connection)
        self.failed: set[QName] = set()
        """Tables that were not made; each of their dependents is an error of its own."""
        self.skipped: set[QName] = set()
        """Tables that existed and whose metadata is left alone."""

    def run(self, phase: Phase, path: str, existing: frozenset[str]) -> None:
        """Run one phase's steps, logging it under ``path``; objects labelled in ``existing`` are there already.

        Those are left alone, and so is where an existing sequence stands.
        """
        steps = [
            step
            for step in phase.steps
            if (step.script.statements or step.script.losses)
            and step.table not in self.skipped
            and not (step.path == TABLE and step.table in self.failed)
            and not (step.path == POSITION and (step.table in self.failed or _positioned(step) in existing))
        ]
        if not steps:
            return
        self._log.processing(path)
        started = time.monotonic()
        made = sum(self._step(step, existing) for step in steps)
        self._log.completed(path.rsplit("/", 1)[-1], made, int(time.monotonic() - started), 1)

    def _step(self, step: Step, existing: frozenset[str]) -> bool:
        if step.table is not None and step.table in self.failed:
            self.dependent_skipped(step.label, step.table)
            return False
        if step.label in existing:
            if step.path != "USER":
                self._log.error(str(ObjectExists(path=step.label)))
            return False
        for loss in step.script.losses:
            self._log.loss(loss)
        if not step.script.statements:
            return False
        made = self.execute(f"ORA-39083: Object type {step.label} failed to create with error:", step.script.statements)
        if not made and step.path == TABLE and step.table is not None:
            self.failed.add(step.table)
        return made

    def dependent_skipped(self, label: str, table: QName) -> None:
        """Log what is not made, or not loaded, because its table was not made."""
        base = f"base object type TABLE:{table} creation failed"
        self._log.error(f"ORA-39112: Dependent object type {label} skipped, {base}")

    def execute(self, headline: str, statements: Iterable[str]) -> bool:
        """Run statements; whether all went well. A failure is logged under ``headline`` with its SQL."""
        sql = ""
        try:
            for sql in statements:
                with database_errors(self._adapter):
                    self._emitter.run((sql,))
        except MigratorError as error:
            self._log.error(headline, str(error), "Failing sql is:", sql)
            return False
        return True


def _positioned(step: Step) -> str:
    """The label of the sequence that a step positions."""
    return step.label.removeprefix("POSITION:")
