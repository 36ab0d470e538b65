"""PARALLEL by windows of the day: how they are written, when they are open, and what a job does at their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from migrator import windows
from migrator.errors import ConflictingParameters, InvalidRequest, InvalidValue
from migrator.interactive import status_text
from migrator.job import coordinator
from migrator.job.control import Job
from migrator.job.coordinator import Coordinator, Hours, Record
from migrator.job.table import Row
from migrator.operations.work import NoProgress
from migrator.params import parse
from migrator.spec import JobSpec
from migrator.windows import Degrees, Window, degrees
from tests.support.records import JOB, SPEC, log, recorded

NIGHT = Window(22 * 60, 6 * 60, 8)
NOON = Window(12 * 60, 13 * 60 + 30, 4)
DAY_AND_NIGHT = Degrees(2, (NIGHT, NOON))


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2024-02-29 {time}")


# --- how they are written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "meant"),
    [
        (["4"], Degrees(4)),
        (["2", "22:00-06:00=8", "12:00-13:30=4"], DAY_AND_NIGHT),
        (["22:00 - 6:00 = 8"], Degrees(1, (NIGHT,))),
        (["22:00-24:00=8", "2"], Degrees(2, (Window(22 * 60, 0, 8),))),
        (["00:00-12:00=1", "12:00-24:00=2"], Degrees(1, (Window(0, 720, 1), Window(720, 0, 2)))),
    ],
)
def test_parallel_is_a_number_and_windows(items: list[str], meant: Degrees) -> None:
    assert degrees(items) == meant
    assert degrees(str(meant).split(",")) == meant, "it is shown as it can be written"


@pytest.mark.parametrize(
    ("items", "why"),
    [
        (["2", "3"], "2 and 3: outside windows there is one number"),
        (["22:00-06:00=0"], "'0' is no number from 1 to 9999"),
        (["22:00-06:00="], "'' is no number from 1 to 9999"),
        (["10000"], "'10000' is no number from 1 to 9999"),
        *(
            ([item], f"'{item}' is neither a number of workers nor a window, HH:MM-HH:MM=n, such as 22:00-06:00=8")
            for item in ("22:00-06:00", "22-06=8", "22.00-06.00=4", "many", "-1")
        ),
        (["22:00-24:30=8"], "a window is from one time of the day to another"),
        (["22:00-06:60=8"], "a window is from one time of the day to another"),
        (["22:00-22:00=8"], "a window is from one time of the day to another"),
        (["00:00-24:00=8"], "is all day: then it is the number alone, 8"),
        (["24:00-06:00=8"], "a window is from one time of the day to another"),
        (["22:00-06:00=8", "05:59-07:00=4"], "the windows 22:00-06:00 and 05:59-07:00 overlap"),
        (["01:00-02:00=8", "22:00-06:00=4"], "the windows 01:00-02:00 and 22:00-06:00 overlap"),
        (["22:00-06:00=8", "22:00-06:00=8"], "the windows 22:00-06:00 and 22:00-06:00 overlap"),
    ],
)
def test_what_is_neither_is_refused(items: list[str], why: str) -> None:
    with pytest.raises(InvalidValue, match="PARALLEL") as refused:
        degrees(items)
    assert why in str(refused.value)


def test_a_parameter_file_has_a_window_a_line(tmp_path: Path) -> None:
    path = tmp_path / "nightly.par"
    path.write_text("PARALLEL=2,\n  22:00-06:00=8,\n  12:00-13:30=4\nTABLES=a\n")
    request = parse("expdp", [f"PARFILE={path}"])
    assert degrees((request.one("PARALLEL") or "").split(",")) == DAY_AND_NIGHT


def test_it_is_one_value() -> None:
    with pytest.raises(ConflictingParameters, match="PARALLEL takes one value and is given twice"):
        parse("expdp", ["PARALLEL=2", "PARALLEL=22:00-06:00=8"])


# --- when they are open ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "degree", "why"),
    [
        ("21:59:59", 2, "no window until 22:00"),
        ("22:00:00", 8, "window 22:00-06:00"),
        ("00:00:00", 8, "window 22:00-06:00"),
        ("05:59:59", 8, "window 22:00-06:00"),
        ("06:00:00", 2, "no window until 12:00"),
        ("12:00:00", 4, "window 12:00-13:30"),
        ("13:30:00", 2, "no window until 22:00"),
    ],
)
def test_a_window_covers_its_first_minute_and_not_its_last(time: str, degree: int, why: str) -> None:
    assert (DAY_AND_NIGHT.at(at(time)), DAY_AND_NIGHT.why(at(time))) == (degree, why)


def test_the_next_bound_is_after_this_minute() -> None:
    assert DAY_AND_NIGHT.until(at("22:00:30")) == "06:00"
    assert DAY_AND_NIGHT.until(at("06:00:00")) == "12:00"


def test_a_state_that_several_read_is_held_for_the_most() -> None:
    assert (DAY_AND_NIGHT.most, Degrees(9, (NOON,)).most, Degrees(3).most) == (8, 9, 3)


# --- what a job does ------------------------------------------------------------------------------------------------


class Clock:
    """A clock that a test sets."""

    def __init__(self, time: str) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return at(self.time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock("21:59:00")
    monkeypatch.setattr(windows, "now", made)
    monkeypatch.setattr(coordinator, "_POLL", 0.0)
    return made


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    request = JobSpec(**{**vars(SPEC), "parallel": 2, "windows": (NIGHT, NOON)}).to_json()
    row = Row(**{**vars(JOB), "worker": 2, "detail": {"request": request}})
    with recorded(tmp_path / "jobs.db", job=row) as made:
        yield made


@pytest.fixture
def job(record: Record, clock: Clock) -> Coordinator:
    detail = record.table.job(record.connection).detail

    def note(**values: Any) -> None:
        record.job(detail={**detail, **values})

    return Coordinator(record, log(), NoProgress(), 2, hours=Hours(DAY_AND_NIGHT, note))


def shown(record: Record) -> str:
    """The degree as STATUS shows it."""
    text = status_text(Job(record.database, record.table).status())
    return next(line.partition(": ")[2] for line in text.splitlines() if "Current Parallelism" in line)


def test_workers_get_more_when_a_window_begins_and_fewer_when_it_ends(
    job: Coordinator, record: Record, clock: Clock
) -> None:
    seen = []
    for time in ("21:59:00", "22:00:00", "03:00:00", "06:00:00", "06:01:00"):
        clock.time = time
        job.tick()
        seen.append((job.pool.degree, shown(record)))
    by_day, by_night = (2, "2 (no window until 12:00)"), (8, "8 (window 22:00-06:00)")
    assert seen == [(2, "2 (no window until 22:00)"), by_night, by_night, by_day, by_day]
    job.tell()
    lines = [row.detail["text"] for row in record.rows("MESSAGE")]
    assert lines == [
        "PARALLEL is 2: no window until 22:00",
        "PARALLEL is 8: window 22:00-06:00",
        "PARALLEL is 2: no window until 12:00",
    ]


def test_a_number_that_a_client_sets_holds_until_the_next_bound(job: Coordinator, record: Record, clock: Clock) -> None:
    clock.time = "23:00:00"
    job.tick()
    number = record.table.ask(record.connection, "PARALLEL", value=3)
    job.tick()
    clock.time = "05:59:00"
    job.tick()
    assert (job.pool.degree, shown(record)) == (3, "3 (by hand until 06:00)")
    (request,) = (row for row in record.rows("REQUEST") if row.item == number)
    assert request.error == "PARALLEL is 3 until 06:00"
    clock.time = "06:00:00"
    job.tick()
    assert (job.pool.degree, shown(record)) == (2, "2 (no window until 12:00)")


def test_a_number_for_a_stopped_job_with_windows_is_refused(record: Record) -> None:
    record.job(state="STOPPED")
    with pytest.raises(InvalidRequest, match="goes by the clock when it is started again, PARALLEL=2,22:00-06:00=8"):
        Job(record.database, record.table).set_degree(4)
    assert record.table.job(record.connection).worker == 2


def test_a_job_without_windows_asks_no_clock(record: Record, clock: Clock) -> None:
    job = Coordinator(record, log(), NoProgress(), 5)
    job.tick()
    assert (job.pool.degree, shown(record)) == (5, "2")
