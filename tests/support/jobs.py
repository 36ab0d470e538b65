"""Jobs as processes that die, and how they go on."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa

from migrator.ends import Database
from migrator.errors import MigratorError
from migrator.job.session import local_database
from migrator.job.table import MasterTable, Row

LEASE = "1"
"""Seconds without a heartbeat after which a dead job can be started again, in tests."""
SECONDS = 180.0
"""How long anything may take on a busy machine; what takes longer hangs."""


@dataclass(frozen=True)
class Recorded:
    """A job's master table."""

    table: MasterTable
    database: Database

    @classmethod
    def of(cls, url: str, name: str, *, local: bool = False) -> Recorded:
        """The job ``name`` of the database at ``url``; ``local``: recorded on this machine.

        A file of SQLite is waited for as long as the test may take: on a busy machine the job holds it for long.
        """
        database = local_database() if local else Database(sa.make_url(url))
        if database.url.get_backend_name() == "sqlite":
            database = Database(database.url.update_query_dict({"timeout": str(SECONDS)}))
        return cls(MasterTable("main" if local else database.server().schema, name), database)

    def exists(self) -> bool:
        """Whether it is there; the file of a SQLite database may not be, nor its directory."""
        if self.database.url.get_backend_name() == "sqlite" and not Path(str(self.database.url.database)).exists():
            return False
        with self.database.connect() as connection:
            return self.table.exists(connection)

    def is_held(self) -> bool:
        """Whether somebody is writing to the file of SQLite that it is in; nobody else can, nor read it, at times."""
        if self.database.url.get_backend_name() != "sqlite":
            return False
        with closing(sqlite3.connect(str(self.database.url.database), timeout=0)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                return True
        return False

    def job(self) -> Row:
        """The job's row."""
        with self.database.connect() as connection:
            return self.table.job(connection)

    def granules_done(self) -> int:
        """How many granules are recorded as done."""
        try:
            return sum(row.state == "COMPLETED" for row in self.granules()) if self.exists() else 0
        except MigratorError:  # the record's database is not there yet
            return 0

    def granules(self) -> list[Row]:
        """The rows of its granules."""
        with self.database.connect() as connection:
            return self.table.rows(connection, "GRANULE")


def begin(client: str, url: str, *arguments: str, cwd: Path, lease: str = LEASE) -> subprocess.Popen[str]:
    """Start a job as a process of its own, by a client; the client's process."""
    command = [sys.executable, "-m", "migrator", client, url, *arguments]
    environment = {**os.environ, "MIGRATOR_LEASE": lease}
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def begin_again(
    url: str, name: str, *, local: bool = False, link: str = "", skip: bool = False, lease: str = LEASE
) -> subprocess.Popen[str]:
    """Go on with a recorded job, as a process without a client; ``link``: the URL of its NETWORK_LINK; ``skip``: without
    what was in progress."""
    options = ("local" if local else "", link, "skip" if skip else "")
    command = [sys.executable, "-m", "tests.support.resume", url, name, *options]
    environment = {**os.environ, "MIGRATOR_LEASE": lease}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def go_on(
    url: str, name: str, *, local: bool = False, link: str = "", skip: bool = False
) -> subprocess.CompletedProcess[str]:
    """Go on with a recorded job, to its end."""
    process = begin_again(url, name, local=local, link=link, skip=skip)
    said, _ = process.communicate(timeout=SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, said)


def job_of(process: subprocess.Popen[str]) -> psutil.Process:
    """The process of the job that a client has started, or that goes on without one; its own descendants are workers."""
    found = psutil.Process(process.pid)
    if "tests.support.resume" in found.cmdline():
        return found
    (job,) = found.children()
    return job


def workers_of(job: psutil.Process) -> list[psutil.Process]:
    """The worker processes of a job, or of the client that has started it."""
    found = []
    for child in job.children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # it has ended meanwhile
            if "".join(child.cmdline()[:1]).startswith("migrator worker "):
                found.append(child)
    return found


def kill(process: subprocess.Popen[str]) -> str:
    """Kill a job with all its processes at once, as a machine does that loses its power; what it had said."""
    members = []
    with suppress(psutil.NoSuchProcess):
        members = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    said, _ = process.communicate(timeout=SECONDS)
    psutil.wait_procs(members, timeout=SECONDS)
    return said


def kill_job(process: subprocess.Popen[str]) -> str:
    """Kill the job's process alone and wait until client and workers have ended by themselves; what it had said."""
    job: psutil.Process | None = None
    members: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess, ValueError):  # it has ended, or not begun
        job = job_of(process)
        members = job.children(recursive=True)
        job.kill()
    said, _ = process.communicate(timeout=SECONDS)
    _, left = psutil.wait_procs(members, timeout=SECONDS)
    assert left == []
    return said


def kill_worker(process: subprocess.Popen[str], moments: random.Random) -> bool:
    """Kill one worker alone; whether there was one."""
    with suppress(psutil.NoSuchProcess, ValueError):
        workers = workers_of(job_of(process))
        if workers:
            moments.choice(workers).kill()
            return True
    return False


def freeze(process: subprocess.Popen[str], recorded: Recorded) -> list[psutil.Process]:
    """Stop a job and its workers by SIGSTOP, as a machine does that is put to sleep; they, to be resumed.

    Not while one of them writes to the file of SQLite that the job is ``recorded`` in: nobody could read it meanwhile.
    """
    job = job_of(process)
    while True:
        job.suspend()  # it makes no more of them
        members = [job, *workers_of(job)]
        for member in members:
            member.suspend()
        if not recorded.is_held():
            return members
        wake(members)
        time.sleep(0.01)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that no test leaves behind: when the test fails, it is killed, and the failure tells what it said."""
    try:
        yield process
    except BaseException as error:
        with suppress(ValueError):  # its output was read
            error.add_note(kill(process))
        raise


def wake(members: list[psutil.Process]) -> None:
    """Let them go on, workers first: the job's process may end them at once."""
    for member in reversed(members):
        with suppress(psutil.NoSuchProcess):
            member.resume()


def until(condition: Callable[[], bool], what: str = "it") -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.01)


def next_second() -> None:
    """Wait for it: InnoDB tells the time of a table's last change in whole seconds, MariaDB when one was made or altered,
    and what was written in the second of a job's begin counts as written since."""
    time.sleep(1.05 - time.time() % 1)
