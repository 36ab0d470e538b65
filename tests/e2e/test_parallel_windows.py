"""PARALLEL by windows of the day: more workers when one begins, fewer when it ends, and by the clock after a restart."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from migrator import operations, windows
from migrator.config import Config
from migrator.job.session import Start
from migrator.spec import JobSpec
from tests.support.held import ROWS, HeldRows
from tests.support.jobs import Recorded
from tests.support.pump import done, pump
from tests.support.sql import execute, scalar

pytestmark = pytest.mark.postgresql
JOB = "NIGHTLY"
DEGREES = "PARALLEL=1,22:00-06:00=3"


class Day:
    """A clock that a job's granules move on: it is evening until one is at work, and night until three are."""

    def __init__(self, recorded: Recorded, at_dawn: Callable[[], None]) -> None:
        self._recorded, self._at_dawn = recorded, at_dawn
        self._time = "21:59"

    def __call__(self) -> datetime:
        working = sum(row.state == "EXECUTING" for row in self._recorded.granules()) if self._recorded.exists() else 0
        if self._time == "21:59" and working == 1:
            self._time = "22:00"
        elif self._time == "22:00" and working == 3:
            self._time = "06:00"
            self._at_dawn()
        return datetime.fromisoformat(f"2024-02-29 {self._time}")


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> HeldRows:
    held = HeldRows(postgresql(), tmp_path)
    execute(held.source, "ANALYZE t")
    return held


def arguments(held: HeldRows, directory: Path) -> tuple[str, ...]:
    """An import of rows that are held, in many granules; each is read by a worker of its own."""
    where = (f"NETWORK_LINK={held.source}", f"DIRECTORY={directory}", "NOLOGFILE=YES", "ACCESS_METHOD=DIRECT_PATH")
    return (*where, held.query, "PARALLEL_THRESHOLD=64K", "KEEP_MASTER=YES", f"JOB_NAME={JOB}", DEGREES)


def told(out: str) -> list[str]:
    return re.findall(r"^PARALLEL is .*$", out, re.MULTILINE)


BY_DAY, BY_NIGHT = "PARALLEL is 1: no window until 22:00", "PARALLEL is 3: window 22:00-06:00"


def test_workers_come_with_the_night_and_go_with_the_day(
    held: HeldRows, postgresql: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = postgresql()
    recorded = Recorded.of(target, JOB)
    monkeypatch.setattr(windows, "now", Day(recorded, held.release))
    run = done(pump("impdp", target, *arguments(held, tmp_path)))
    assert told(run.out) == [BY_DAY, BY_NIGHT, BY_DAY]
    assert scalar(target, "SELECT count(*) FROM t") == ROWS
    assert {row.worker for row in recorded.granules()} == {1, 2, 3}
    assert recorded.job().worker == 1


def test_a_job_that_is_started_again_goes_by_the_clock(
    held: HeldRows, postgresql: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = postgresql()
    recorded = Recorded.of(target, JOB)

    def stop() -> None:
        with recorded.database.connect() as connection:
            recorded.table.ask(connection, "PARALLEL", value=2)
            recorded.table.ask(connection, "STOP_JOB", immediate=True)

    monkeypatch.setattr(windows, "now", Day(recorded, stop))
    run = pump("impdp", target, *arguments(held, tmp_path))
    assert run.code == 1
    assert told(run.out) == [BY_DAY, BY_NIGHT, BY_DAY, "PARALLEL is 2: by hand until 22:00"]
    assert (recorded.job().state, recorded.job().worker) == ("STOPPED", 2)
    held.release()
    monkeypatch.setattr(windows, "now", lambda: datetime.fromisoformat("2024-03-01 23:00"))
    out = io.StringIO()
    spec = JobSpec.from_json(recorded.job().detail["request"])
    assert operations.run(spec, Config().resolve, out, start=Start(recorded.table, recorded.database)) == 0
    assert told(out.getvalue()) == [BY_NIGHT]
    assert scalar(target, "SELECT count(*) FROM t") == ROWS
