"""What the coordinator does when a worker is stopped or dies, against a pool that says what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import Granule, Load, Read, Snapshot
from migrator.ends import Database, TableRows
from migrator.errors import DatabaseError, WorkerDied
from migrator.job.coordinator import Coordinator, Record
from migrator.job.lanes import Finished, Pool
from migrator.job.table import DoneMark, Row
from migrator.job.worker import Build, Failure, Made, Move, Outcome, Store, Task
from migrator.model.objects import QName
from migrator.operations.work import NoProgress
from tests.support.records import log, recorded

TABLE = QName("main", "t")
TARGET = Database(sa.make_url("sqlite:///target.db"))
Ending = Callable[[Task], Finished]


class Scripted(Pool):
    """A pool without workers: each task ends as the next ending says."""

    def __init__(self, *endings: Ending) -> None:
        self._endings = list(endings)
        self.begun: list[Task] = []
        self.lanes = []
        self.stopping = False

    def run(self, tasks: Iterable[Task]) -> Iterator[Finished]:
        """End the tasks one after the other."""
        for task in tasks:
            self.begun.append(task)
            yield self._endings.pop(0)(task)


def stopped(task: Task) -> Finished:
    return Finished(task, 1, None, stopped=True)


def died(task: Task) -> Finished:
    return Finished(task, 1, None)


def ended(task: Task) -> Finished:
    return Finished(task, 1, Outcome(rows=7))


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    rows = [Row("OBJECT", item, state="EXECUTING", incarnation=1) for item in (1, 2, 3)]
    with recorded(tmp_path / "jobs.db", *rows, Row("GRANULE", 1, state="EXECUTING", incarnation=1)) as made:
        yield made


def coordinator(record: Record, *endings: Ending) -> tuple[Coordinator, Scripted]:
    made, pool = Coordinator(record, log(), NoProgress(), 2), Scripted(*endings)
    made.pool = pool
    return made, pool


def build(record: Record, *items: int) -> Build:
    marks = {item: DoneMark(record.table, "OBJECT", item, 1) for item in items}
    return Build(TARGET, tuple(Made(item, f"INDEX:{item}", (f"CREATE INDEX {item}",), marks[item]) for item in items))


def move(record: Record, *, marked: bool) -> Move:
    rows = TableRows(TARGET, Snapshot(None), Read(TABLE, (), None, Granule(None, "")))
    done = DoneMark(record.table, "GRANULE", 1, 1) if marked else None
    return Move(1, TABLE, rows, Store(TARGET, Load(TABLE, (), ())), "direct_path", done=done)


def after(record: Record, items: Sequence[int], ending: Ending) -> Ending:
    """An ending before which the worker has made some objects."""

    def end(task: Task) -> Finished:
        for item in items:
            DoneMark(record.table, "OBJECT", item, 1).set(record.connection)
        return ending(task)

    return end


@pytest.mark.parametrize("ending", [stopped, died])
def test_what_a_worker_had_built_is_not_built_again(record: Record, ending: Ending) -> None:
    job, pool = coordinator(record, after(record, [1, 2], ending), after(record, [3], ended))
    results = list(job.build([build(record, 1, 2, 3)]))
    assert [(made.item, failure) for made, failure, _ in results] == [(1, None), (2, None), (3, None)]
    (_, again) = pool.begun
    assert isinstance(again, Build)
    assert [(made.item, made.begun) for made in again.objects] == [(3, True)]
    assert {row.state for row in record.rows("OBJECT")} == {"COMPLETED"}


def test_a_build_whose_worker_had_ended_it_all_is_done(record: Record) -> None:
    job, pool = coordinator(record, after(record, [1, 2, 3], stopped))
    assert [failure for _, failure, _ in job.build([build(record, 1, 2, 3)])] == [None] * 3
    assert len(pool.begun) == 1


def test_a_build_over_which_workers_die_fails_by_what_is_left(record: Record) -> None:
    job, pool = coordinator(record, after(record, [1], died), died, died)
    results = {made.item: failure for made, failure, _ in job.build([build(record, 1, 2, 3)])}
    assert len(pool.begun) == 3
    assert results[1] is None
    assert all(
        isinstance(failure, Failure) and "3 workers died" in str(failure.error) for failure in (results[2], results[3])
    )
    assert [row.state for row in record.rows("OBJECT")] == ["COMPLETED", "FAILED", "FAILED"]


def test_an_object_that_failed_is_one_failure(record: Record) -> None:
    failure = Failure(2, DatabaseError(detail="no"), "CREATE INDEX 2")
    job, _ = coordinator(record, after(record, [1, 3], lambda task: Finished(task, 1, Outcome(failures=(failure,)))))
    assert [found for _, found, _ in job.build([build(record, 1, 2, 3)])] == [None, failure, None]
    assert [row.state for row in record.rows("OBJECT")] == ["COMPLETED", "FAILED", "COMPLETED"]


def test_stopping_workers_does_not_fail_a_table(record: Record) -> None:
    job, pool = coordinator(record, *[stopped] * 5, ended)
    ((_, outcome, _),) = job.move([move(record, marked=True)])
    assert outcome.error is None
    assert len(pool.begun) == 6


def test_three_dead_workers_fail_a_table(record: Record) -> None:
    job, pool = coordinator(record, died, stopped, died, died, ended)
    ((_, outcome, _),) = job.move([move(record, marked=True)])
    assert isinstance(outcome.error, WorkerDied)
    assert len(pool.begun) == 4


@pytest.mark.parametrize("ending", [stopped, died])
def test_rows_that_have_no_mark_are_not_sent_twice(record: Record, ending: Ending) -> None:
    """Their database may have committed them before the worker could say so."""
    job, pool = coordinator(record, ending, ended)
    with pytest.raises(WorkerDied, match="told when the job is started again"):
        list(job.move([move(record, marked=False)]))
    assert len(pool.begun) == 1
    assert [row.state for row in record.rows("GRANULE")] == ["EXECUTING"]
