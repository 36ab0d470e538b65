"""Granules: how they are planned, and told as tables when they end.

The log has one line a table, when its last granule is done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from migrator.converting import INEVITABLE, Counts, recalled
from migrator.ends import DumpedFiles, HeldFiles
from migrator.errors import MigratorError, RejectLimitReached, RowsNotTakenBack, SourceInDoubt
from migrator.job.coordinator import Record
from migrator.job.rejecting import Rejected
from migrator.job.report import JobLog, Progress
from migrator.job.table import Row, State
from migrator.job.worker import LOST, Move, Outcome
from migrator.model.catalog import Loss
from migrator.model.misfits import Misfit
from migrator.model.objects import QName, Table
from migrator.operations.work import Work
from migrator.origins import Origin, Part
from migrator.plan import TABLE_DATA, Phase, prefix
from migrator.policies import entry

Stays = Callable[[QName, int], str]
"""Undoes what it can of a table that failed after so many rows came in; what is to be said of those that stay."""


def estimate(work: Work, origin: Origin, tables: Iterable[Table]) -> dict[QName, int]:
    """Log the sizes of the tables' rows as ESTIMATE asks, the largest first; they, by the tables' names at the source.

    None without ESTIMATE.
    """
    method, log = work.spec.estimate, work.log
    if method is None:
        return {}
    log.estimating(method, f"{prefix(work.spec)}/{TABLE_DATA}")
    sizes = {table.source: origin.estimate(table, method) for table in tables}
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], str(item[0]))):
        log.estimated(name, size)
    log.total_estimate(method, sum(sizes.values()))
    return sizes


def object_rows(phases: Iterable[Phase], state: State = "PENDING") -> Iterator[Row]:
    """The objects of a plan, in its order."""
    items = count(1)
    for phase in phases:
        for step in phase.steps:
            schema = "" if step.table is None else step.table.schema
            yield Row("OBJECT", next(items), phase.path, schema, step.label, state)


def granules(origin: Origin, tables: Mapping[QName, Table], estimates: Mapping[QName, int]) -> Iterator[Row]:
    """The granules of tables, under the names they are recorded by.

    A table's estimate, where there is one, is divided among its granules.
    """
    items = count(1)
    for name, table in tables.items():
        parts = origin.parts(table)
        for part, size in zip(parts, _sizes(parts, estimates.get(table.source)), strict=True):
            yield Row("GRANULE", next(items), TABLE_DATA, name.schema, name.name, estimate=size, detail=part.detail)


def _sizes(parts: Sequence[Part], estimated: int | None) -> list[int]:
    total = sum(part.bytes for part in parts)
    if estimated is None:
        return [part.bytes for part in parts]
    return [estimated * part.bytes // total if total else estimated // len(parts) for part in parts]


def skipped_now(record: Record, rows: Iterable[Row]) -> list[Row]:
    """What START_JOB=SKIP_CURRENT has skipped when this run of the job began."""
    return [row for row in rows if row.state == "SKIPPED" and row.incarnation == record.incarnation]


def tell_doubts(log: JobLog, origin: Origin, mark: str, rows: Iterable[Row]) -> None:
    """An error of the job where some of its rows were read at ``mark``, and may have changed since without a trace."""
    why = origin.forgotten(mark) if any(row.state == "COMPLETED" for row in rows) else ""
    if why:
        log.error(*SourceInDoubt(detail=why).explained().splitlines())


@dataclass(frozen=True)
class Rejects:
    """The reject file of a job, and how many rows of a table may go there (None: any number)."""

    path: Path
    limit: int | None = None


class _Table:
    """What is known of one table's granules."""

    def __init__(self) -> None:
        self.left: set[int] = set()
        self.rows = self.bytes = 0
        self.seconds = 0.0
        self.error: MigratorError | None = None
        self.rejected: list[Rejected] = []
        self.converted = Counts()
        self.lost: list[str] = []
        self._ended: dict[int, Outcome] = {}

    def end(self, item: int, outcome: Outcome) -> None:
        self.left.discard(item)
        self._ended[item] = outcome
        self.add(outcome.rows, outcome.bytes, outcome.seconds)
        self.error = self.error or outcome.error
        self.reject(outcome.rejected)
        self.converted += outcome.converted
        self.lose(outcome.lost)

    def again(self, item: int) -> None:
        self.left.add(item)
        outcome = self._ended.pop(item)
        self.add(-outcome.rows, -outcome.bytes, -outcome.seconds)

    def add(self, rows: int, size: int, seconds: float) -> None:
        self.rows, self.bytes, self.seconds = self.rows + rows, self.bytes + size, self.seconds + seconds

    def reject(self, rejected: Rejected) -> None:
        if rejected.rows:
            self.rejected.append(rejected)

    def lose(self, text: str) -> None:
        if text:
            self.lost.append(text)

    def too_many(self, name: QName, limit: int | None) -> MigratorError | None:
        """The error of a table of which more rows than ``limit`` are rejected."""
        if limit is None or sum(rejected.rows for rejected in self.rejected) <= limit:
            return None
        return RejectLimitReached(table=name, limit=limit, reason=self.rejected[-1].reason)


class RowsMoved:
    """Counts granules into tables and writes their lines; what was done in an earlier run of the job counts."""

    def __init__(
        self,
        log: JobLog,
        progress: Progress,
        verb: Literal["exported", "imported"],
        rows: Iterable[Row],
        stays: Stays = lambda table, rows: "",
        rejects: Rejects | None = None,
    ) -> None:
        self._limit = None if rejects is None else rejects.limit
        self._log, self._progress, self._verb, self._stays = log, progress, verb, stays
        self._tables: dict[QName, _Table] = {}
        for row in rows:
            table = self._tables.setdefault(QName(row.schema, row.name), _Table())
            if row.state == "COMPLETED":
                table.rows, table.bytes, table.seconds = (
                    table.rows + row.rows,
                    table.bytes + row.bytes,
                    table.seconds + row.seconds,
                )
                table.reject(Rejected.of(row.detail))
                table.converted += recalled(row.detail)
                table.lose(row.detail.get(LOST, ""))
            elif row.state != "SKIPPED":
                table.left.add(row.item)

    def ended(self, move: Move, outcome: Outcome, worker: int) -> None:
        """A granule has ended."""
        table = self._tables[move.name]
        table.end(move.item, outcome)
        if table.left:
            return
        self._progress.table_done(str(move.name))
        table.error = table.error or table.too_many(move.name, self._limit)
        if table.error is not None:
            self._failed(move.name, table, table.error)
        elif isinstance(move.rows_from, HeldFiles | DumpedFiles):
            self._log.files(self._verb, move.name, table.bytes, table.seconds, move.method, worker)
        else:
            self._log.rows(self._verb, move.name, table.bytes, table.rows, table.seconds, move.method, worker)
            for lost in table.lost:
                self._log.error(lost)
            if table.rejected:
                self._log.rejected(sum(rejected.rows for rejected in table.rejected), table.rejected[0].reason)
            self._tell_changes(move.name, table.converted)

    def recall(self, told: Collection[str]) -> None:
        """Tell what was rejected, or lost, of tables that were wholly done before: their job may have died over saying so.

        ``told``: the lines of its log.
        """
        for name, table in self._tables.items():
            ended = any(f". . {self._verb} {name} " in line or f"Table data object {name} failed" in line for line in told)
            if table.left or ended:
                continue
            error = table.too_many(name, self._limit)
            if error is not None:
                self._failed(name, table, error)
                continue
            for lost in table.lost:
                self._log.error(lost)
            if table.rejected:
                self._log.message(f"{name} was {self._verb} before the job was started again")
                self._log.rejected(sum(rejected.rows for rejected in table.rejected), table.rejected[0].reason)

    def again(self, move: Move) -> None:
        """A granule that had ended is lost, and will end once more."""
        self._tables[move.name].again(move.item)

    def _failed(self, name: QName, table: _Table, error: MigratorError) -> None:
        what = "unload" if self._verb == "exported" else "load"
        lines = [
            f"ORA-31693: Table data object {name} failed to {what} and is being skipped due to error:",
            f"ORA-02354: error in {self._verb[:-2]}ing data",
            *error.explained().split("\n"),
        ]
        came = not isinstance(error, RowsNotTakenBack)  # which is said before any row comes in
        staying = self._stays(name, table.rows) if came else ""
        if staying:
            lines.append(staying)
        self._log.error(*lines)
        if staying:
            self._tell_changes(name, table.converted)

    def _tell_changes(self, name: QName, converted: Counts) -> None:
        for loss in changes(name, converted):
            self._log.loss(loss)


def changes(name: QName, converted: Counts) -> tuple[Loss, ...]:
    """The entries of the loss list about values of a table that were changed."""
    changed = [(c, Misfit(what), action, n) for (c, what, action), n in converted.items() if action is not None]
    others = sorted((column, str(what), n) for (column, what, _), n in converted.items() if what in INEVITABLE)
    inevitable = (Loss(f"TABLE:{name}", rule, INEVITABLE[rule].detail, column, n) for column, rule, n in others)
    return (*(entry(name, *one) for one in sorted(changed)), *inevitable)


def begin_progress(progress: Progress, rows: Sequence[Row]) -> None:
    """Say what is about to move: all that is not done."""
    left = [row for row in rows if row.state in {"PENDING", "EXECUTING"}]
    size = sum(row.estimate for row in left)
    progress.begin(len({(row.schema, row.name) for row in left}), None, size or None)


def largest_first(moves: Iterable[Move]) -> list[Move]:
    """Moves in the order in which they should begin: the largest tables first, a table's granules in their order."""
    sizes: dict[QName, int] = {}
    every = list(moves)
    for move in every:
        sizes[move.name] = sizes.get(move.name, 0) + move.size
    return sorted(every, key=lambda move: (-sizes[move.name], str(move.name), move.item))
