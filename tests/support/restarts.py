"""Jobs that die again and again, whatever kills them, and go on each time until they have had enough."""

from __future__ import annotations

import random
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from migrator.errors import MigratorError
from tests.support.hoard import contents
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, begin_again, ended, kill, kill_job, kill_worker, until

_MOST_JOBS = 20
"""How many jobs may end before one has died in mid-work."""

DOUBT = "MIG-31663"
"""What a job says, and goes on, whose source may have changed unseen."""

COMPLETED = re.compile(r"successfully completed|completed with \d+ error")
"""What a job says that came to its end; each time that it went on may have had the error :data:`DOUBT`."""

LONGEST = 2.5
"""Seconds within which a job dies at first; less for the next jobs when one has ended before."""


class Mortal(ABC):
    """A job of :mod:`tests.support.hoard`'s rows that meets its death at random moments."""

    def __init__(
        self, moments: random.Random, name: str, client: str, url: str, *arguments: str, cwd: Path,
        local: bool = False, link: str = "", forgets: bool = False,
    ) -> None:  # fmt: skip
        """``local``: it is recorded on this machine; ``link``: the URL of its NETWORK_LINK; ``forgets``: its source does not
        know what was written to it before it began again, so that the job may end with the error that says so."""
        self.moments, self.name = moments, name
        self._client, self._url, self._cwd, self._local, self._link = client, url, cwd, local, link
        self._arguments = (*arguments, f"JOB_NAME={name}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=1M")
        self.kills = self.resumed = 0
        self._forgets, self._doubts = forgets, False
        self._within = LONGEST

    @abstractmethod
    def strike(self, process: subprocess.Popen[str]) -> str:
        """Make it die; what it had said."""

    def run(self, kills: int, within: float = LONGEST) -> None:
        """Run to the end; it dies ``kills`` times at most on the way, each within so many seconds of work."""
        self._within = within
        start = self._begin
        while self._lives_on(start(), kills):
            start = self._go_on

    def _lives_on(self, process: subprocess.Popen[str], kills: int) -> bool:
        """Wait for a process's death, if it is to have one, or its end; whether the job is to go on."""
        with ended(process):
            if self.kills < kills and not self._ends(process):
                self.kills += 1
                said = self.strike(process)
                self._doubts |= DOUBT in said
                completed = COMPLETED.search(said)
                assert completed is None or self._expects(completed[0]), said
                return not (completed and self._is_over())
            said, _ = process.communicate(timeout=SECONDS)
        self._doubts |= DOUBT in said
        assert process.returncode == (5 if self._forgets and self._doubts else 0), said
        return False

    def _expects(self, end: str) -> bool:
        """Whether a job may end so: with errors where it says what it cannot know."""
        return end == "successfully completed" or (self._forgets and self._doubts)

    @property
    def recorded(self) -> Recorded:
        """Its master table."""
        return Recorded.of(self._url, self.name, local=self._local)

    def _ends(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the next moment; whether the job has ended before it came."""
        if self.moments.random() < 0.8:  # else at any moment, before there is anything to go on with too
            before = self._incarnation()
            until(lambda: process.poll() is not None or self._incarnation() > before, "the job's begin")
        try:
            process.wait(timeout=self.moments.uniform(0.0, self._within))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _incarnation(self) -> int:
        try:
            return self.recorded.job().incarnation if self.recorded.exists() else 0
        except (MigratorError, sa.exc.SQLAlchemyError):  # it was dropped, or is just being made
            return 0

    def _is_over(self) -> bool:
        """Whether a job that has said its last line has ended; a record of a completed job that stayed is dropped."""
        recorded = self.recorded
        if not recorded.exists():
            return True
        over = recorded.job().state == "COMPLETED"
        if over:
            with recorded.database.connect() as connection:
                recorded.table.drop(connection)
        return over

    def _begin(self) -> subprocess.Popen[str]:
        return begin(self._client, self._url, *self._arguments, cwd=self._cwd)

    def _go_on(self) -> subprocess.Popen[str]:
        if not self._incarnation():  # it died before it had recorded anything
            for dump in self._cwd.glob("*.dmp"):
                dump.unlink()
            return self._begin()
        self.resumed += 1
        time.sleep(float(LEASE) + 0.1)
        return begin_again(self._url, self.name, local=self._local, link=self._link)


class Killed(Mortal):
    """A job that is killed: all its processes at once, some with a worker before, or the job's process alone."""

    def strike(self, process: subprocess.Popen[str]) -> str:
        """Kill it."""
        how = self.moments.random()
        if how < 0.3 and kill_worker(process, self.moments):  # the job replaces it; then the job is killed too
            time.sleep(self.moments.uniform(0, 0.2))
        return kill_job(process) if how > 0.7 else kill(process)


def kill_often(mortal: Callable[[], Mortal], check: Callable[[], None], times: int, at_once: int | None = None) -> None:
    """Run jobs until so many deaths have happened, of one job ``at_once`` at most, and one at least in mid-work; look at
    what comes out of each."""
    kills = resumed = jobs = 0
    within = LONGEST
    while kills < times or not resumed:
        jobs += 1
        assert jobs <= _MOST_JOBS + times, (
            f"of {jobs} jobs none went on: {kills} deaths came before their begin or after their end"
        )
        job = mortal()
        job.run(max(1, min(times - kills, at_once or times)), within)
        check()
        if not job.resumed:
            within *= 0.7
        kills, resumed = kills + job.kills, resumed + job.resumed


def check_equal(url: str, expected: list[tuple[object, ...]], job: str) -> None:
    """Every row is there once, keys and indexes too, and nothing of the job."""
    assert contents(url) == expected
    left = sa.inspect(sa.create_engine(url, poolclass=sa.NullPool)).get_table_names()
    assert set(left) == {row[0] for row in expected}, f"of {job}"
