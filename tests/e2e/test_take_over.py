"""A job whose process sleeps for longer than its lease is another's: when it wakes up, it ends and changes nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from migrator.errors import ResourceBusy
from migrator.job.table import Row
from tests.support.held import ROWS as HELD
from tests.support.held import HeldRows
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, begin_again, ended, freeze, go_on, kill, until, wake
from tests.support.pump import remap
from tests.support.sql import scalar

JOB = "SLEEPING"


@contextmanager
def asleep(
    recorded: Recorded, client: str, url: str, *arguments: str, cwd: Path
) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A job that was stopped by SIGSTOP, with its workers, when some of its granules were done and some at work."""
    arguments = (*arguments, f"JOB_NAME={JOB}", "NOLOGFILE=YES", "KEEP_MASTER=YES", "PARALLEL_THRESHOLD=512K")
    process = begin(client, url, *arguments, cwd=cwd)
    members: list[psutil.Process] = []
    try:
        members = _frozen_with_work_left(process, recorded)
        time.sleep(float(LEASE) + 0.5)
        yield process, members
    finally:
        with suppress(psutil.NoSuchProcess):
            kill(process)


def _frozen_with_work_left(process: subprocess.Popen[str], recorded: Recorded) -> list[psutil.Process]:
    """Not between a worker's mark and its commit, when nobody can take its job over, nor between two of its granules."""
    some = {"COMPLETED", "EXECUTING", "PENDING"}
    while True:
        until(lambda: recorded.exists() and some <= states(recorded), "rows on their way")
        members = freeze(process, recorded)
        try:
            with recorded.database.connect() as connection:
                recorded.table.see_no_commits(connection)
                found = states(recorded)
        except ResourceBusy:
            found = set()
        if some <= found:
            return members
        wake(members)


def states(recorded: Recorded) -> set[str]:
    return {row.state for row in recorded.granules()}


def messages(recorded: Recorded) -> list[Row]:
    with recorded.database.connect() as connection:
        return recorded.table.rows(connection, "MESSAGE")


def goes_under(process: subprocess.Popen[str], members: list[psutil.Process]) -> None:
    """Wake the first process; it must end, and say why."""
    wake(members)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert said.count(f'"{JOB}" was started by another process; this one ends') == 1, said
    assert "MIG-31650: " in said
    assert "ORA-31693" not in said


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_an_import_that_wakes_up_changes_nothing(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    source, target = hoard(tmp_path / "source.db", 150_000), str(request.getfixturevalue(kind)())
    recorded = Recorded.of(target, JOB)
    link = (f"NETWORK_LINK={source}", remap(source, target), "PARALLEL=2")
    with (
        asleep(recorded, "impdp", target, *link, cwd=tmp_path) as (first, members),
        ended(begin_again(target, JOB, link=source)) as second,
    ):
        until(lambda: any(row.incarnation == 2 for row in recorded.granules()), "the second process's work")
        goes_under(first, members)
        said, _ = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, said
    assert contents(target) == contents(source)
    job, lines = recorded.job(), [str(row.detail["text"]) for row in messages(recorded)]
    assert (job.state, job.incarnation, job.rows, job.error) == ("COMPLETED", 2, 0, "")
    assert states(recorded) == {"COMPLETED"}
    again = next(number for number, line in enumerate(lines) if line.startswith("Restarting "))
    assert [line for line in lines[again:] if line.startswith(("MIG-", "ORA-", "Starting ")) or "stopped" in line] == []
    assert sum(row.rows for row in recorded.granules()) == 165_000


# --- whose lease it is ----------------------------------------------------------------------------------------------


def test_a_sleeping_job_with_a_long_lease_is_not_taken_over(
    postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    held, target = HeldRows(postgresql(), tmp_path), postgresql()
    recorded, link = Recorded.of(target, JOB), f"NETWORK_LINK={held.source}"
    options = (f"JOB_NAME={JOB}", "NOLOGFILE=YES", held.query)
    process = begin("impdp", target, link, *options, cwd=tmp_path, lease="30")
    try:
        until(lambda: recorded.exists() and "EXECUTING" in states(recorded), "its rows")
        members = freeze(process, recorded)
        time.sleep(3 * float(LEASE))
        again = go_on(target, JOB, link=held.source)
        assert again.returncode == 1
        assert "ORA-39004: invalid state" in again.stdout
        wake(members)
        held.release()
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said
    finally:
        held.release()
        kill(process)
    assert scalar(target, "SELECT count(*) FROM t") == HELD
