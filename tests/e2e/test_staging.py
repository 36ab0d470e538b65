"""Staging tables, through which rows go that SQL has to choose among: each job has its own, and they go with it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from tests.support.hoard import hoard
from tests.support.jobs import LEASE, SECONDS, begin, ended, go_on, kill, until
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

    def tables(self) -> set[str]:
        """The tables there are."""
        with inspect(self.target) as found:
            return set(found.get_table_names())

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


@pytest.fixture
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> Staged:
    return Staged(request.getfixturevalue(request.param)(), tmp_path)


@pytest.mark.parametrize("staged", ["postgresql", "mysql"], indirect=True)
def test_a_staged_load_that_is_killed_goes_on(staged: Staged) -> None:
    """It is killed when rows are in a staging table and not yet in theirs."""
    with staged.locked(), ended(staged.begin(JOB, ODD)) as process:
        until(lambda: process.poll() is not None or staged.waiting() == 1, "a staged load")
        said = kill(process)
    assert "completed" not in said, said
    time.sleep(float(LEASE) + 0.1)
    again = go_on(staged.target, JOB)
    assert again.returncode == 0, again.stdout
    assert rows(staged.target, "SELECT count(*), count(DISTINCT id), min(id % 2) FROM big") == [(ROWS / 2, ROWS / 2, 1)]
    assert staged.tables() == {"big", "loose", "hollow"}


@pytest.mark.parametrize("staged", ["postgresql"], indirect=True)
def test_jobs_at_work_at_once_do_not_meet(staged: Staged) -> None:
    with ExitStack() as processes:
        with staged.locked():
            begun = [
                processes.enter_context(ended(staged.begin(f"{'LONG_' * 10}{name}", query)))
                for name, query in (("ODD", ODD), ("EVEN", EVEN))
            ]
            until(lambda: staged.waiting() == 2, "staged loads")
        for process in begun:
            said, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, said
    assert rows(staged.target, "SELECT count(*), count(DISTINCT id) FROM big") == [(ROWS, ROWS)]
    assert staged.tables() == {"big", "loose", "hollow"}
