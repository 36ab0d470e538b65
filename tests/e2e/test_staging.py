"""Staging tables, through which rows go that SQL has to choose among: each job has its own, and they go with it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from migrator.job.control import Job
from tests.support.hoard import hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, go_on, kill, until
from tests.support.pump import done, pump, schema_of
from tests.support.servers import libpq, pymysql_arguments
from tests.support.sql import inspect, rows, scalar

ROWS = 20_000
JOB = "STAGED"
ODD, EVEN = ("QUERY=big:" + f'"WHERE id % 2 = {rest}"' for rest in (1, 0))


class Staged:
    """Imports from a dump set into a table that is there, whose rows SQL chooses among."""

    def __init__(self, target: str, directory: Path) -> None:
        self.target, self.directory = target, directory
        self.where = (f"DIRECTORY={directory}", "DUMPFILE=x.dmp", f"REMAP_SCHEMA=main:{schema_of(target)}", "NOLOGFILE=YES")
        source = hoard(directory / "source.db", ROWS)
        done(pump("expdp", source, *self.where[:2], "PARALLEL_THRESHOLD=256K", "NOLOGFILE=YES"))
        done(pump("impdp", target, *self.where, "CONTENT=METADATA_ONLY"))

    def begin(self, name: str, query: str, *options: str) -> subprocess.Popen[str]:
        """One of the imports."""
        which = ("INCLUDE=TABLE:\"= 'big'\"", "TABLE_EXISTS_ACTION=APPEND", query, f"JOB_NAME={name}", *options)
        return begin("impdp", self.target, *self.where, *which, "PARALLEL_THRESHOLD=64K", cwd=self.directory)

    def staging(self) -> list[str]:
        """The staging tables there are."""
        with inspect(self.target) as found:
            return [name for name in found.get_table_names() if name.lower().startswith("migrator_staging")]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody gets rows into the table."""
        url = sa.make_url(self.target)
        if url.get_backend_name() == "postgresql":
            with psycopg.connect(libpq(url)) as connection:
                connection.execute("LOCK TABLE big IN SHARE MODE")
                yield
        else:
            with pymysql.connect(**pymysql_arguments(url)) as other, other.cursor() as cursor:
                cursor.execute("LOCK TABLES big READ")
                yield

    def waiting(self) -> int:
        """How many wait for the table."""
        postgresql = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        mysql = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%lock'"
        return int(scalar(self.target, postgresql if self.target.startswith("postgresql") else mysql))

    def killed(self, name: str, *options: str) -> Recorded:
        """An import that was killed when rows were in a staging table and not yet in theirs."""
        recorded = Recorded.of(self.target, name, local="MASTER_TABLE=LOCAL" in options)
        with self.locked():
            process = self.begin(name, ODD, *options)
            try:
                until(lambda: process.poll() is not None or (self.waiting() == 1 and bool(self.staging())), "a staged load")
            finally:
                said = kill(process)
            assert self.staging(), said
        time.sleep(float(LEASE) + 0.1)
        return recorded


@pytest.fixture
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> Staged:
    return Staged(request.getfixturevalue(request.param)(), tmp_path)


@pytest.mark.parametrize("staged", ["postgresql", "mysql"], indirect=True)
def test_a_staged_load_that_is_killed_goes_on(staged: Staged) -> None:
    staged.killed(JOB)
    again = go_on(staged.target, JOB)
    assert again.returncode == 0, again.stdout
    assert rows(staged.target, "SELECT count(*), count(DISTINCT id), min(id % 2) FROM big") == [(ROWS / 2, ROWS / 2, 1)]
    assert staged.staging() == []


@pytest.mark.parametrize(
    ("staged", "options"),
    [("postgresql", ()), ("mysql", ("MASTER_TABLE=LOCAL",))],
    ids=["", "local master table"],
    indirect=["staged"],
)
def test_a_job_that_is_killed_when_it_does_not_run_takes_its_staging_tables_along(
    staged: Staged, options: tuple[str, ...]
) -> None:
    recorded = staged.killed(JOB, *options)
    Job(recorded.database, recorded.table).kill_stopped(Recorded.of(staged.target, JOB).database)
    assert staged.staging() == []
    assert not recorded.exists()


@pytest.mark.parametrize("staged", ["postgresql"], indirect=True)
def test_a_running_job_that_is_killed_takes_its_staging_tables_along(staged: Staged) -> None:
    recorded = Recorded.of(staged.target, JOB)
    with staged.locked():
        process = staged.begin(JOB, ODD, "PARALLEL=2")
        until(lambda: process.poll() is not None or staged.waiting() == 2, "staged loads")
        with recorded.database.connect() as connection:
            recorded.table.ask(connection, "KILL_JOB")
        time.sleep(1)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "ORA-39098" in said
    assert staged.staging() == []
    assert not recorded.exists()
    assert scalar(staged.target, "SELECT count(*) FROM big") == 0


@pytest.mark.parametrize(
    ("names", "options"),
    [((f"{'LONG_' * 8}ODD", f"{'LONG_' * 8}EVEN"), ()), ((JOB, JOB), ("MASTER_TABLE=LOCAL",))],
    ids=["alike names", "one name on two machines"],
)
@pytest.mark.parametrize("staged", ["postgresql"], indirect=True)
def test_jobs_at_work_at_once_do_not_meet(
    staged: Staged,
    names: tuple[str, str],
    options: tuple[str, ...],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    processes = []
    with staged.locked():
        for number, (name, query) in enumerate(zip(names, (ODD, EVEN), strict=True), 1):
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("machine")))
            processes.append(staged.begin(name, query, *options))
            until(lambda number=number: staged.waiting() == number, "a staged load")  # type: ignore[misc]
        assert len(staged.staging()) == 2
    for process in processes:
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said
    assert rows(staged.target, "SELECT count(*), count(DISTINCT id) FROM big") == [(ROWS, ROWS)]
    assert staged.staging() == []
