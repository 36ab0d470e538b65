"""A connection that is lost and a database that is full stop the job, not one table; it goes on when that is mended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from tests.support.held import ROWS as HELD
from tests.support.held import HeldRows
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, go_on, kill, until
from tests.support.pump import Run, done, pump, pump_process, remap
from tests.support.sql import execute, scalar

JOB = "FATED"
ROWS = 300_000
OPTIONS = (f"JOB_NAME={JOB}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=1M")
_SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND query LIKE :statement",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    " AND coalesce(info, '') LIKE :statement",
}
_LOADING = {"postgresql": "COPY %", "mysql": "LOAD DATA%"}
_END = {"postgresql": "SELECT pg_terminate_backend(:session, 10000)", "mysql": "KILL :session"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite file with a table that has an index, and takes a while to move."""
    url = f"sqlite:///{tmp_path_factory.mktemp('source') / 'source.db'}"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
    execute(url, "CREATE TABLE big (id INTEGER PRIMARY KEY, label VARCHAR(60) NOT NULL)")
    execute(url, f"INSERT INTO big {numbers} SELECT i, 'row ' || i || ' ' || hex(i * 7919) FROM n")
    execute(url, "CREATE INDEX big_label ON big (label)")
    return url


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> Iterator[HeldRows]:
    rows = HeldRows(postgresql(), tmp_path)
    yield rows
    rows.release()


def end_sessions(url: str, statement: str = "%") -> int:
    """End the other sessions of a database whose statement, at work or their last, is like this; how many there were."""
    database = Database(sa.make_url(url))
    kind = database.adapter.name
    with database.connect() as connection:
        found = connection.execute(sa.text(_SESSIONS[kind]), {"statement": statement}).scalars().all()
        for number in found:
            with suppress(sa.exc.DBAPIError):  # it has ended meanwhile
                connection.execute(sa.text(_END[kind]), {"session": number})
    return len(found)


@contextmanager
def job(client: str, url: str, *arguments: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A job as a process, which has ended when the block has."""
    process = begin(client, url, *arguments, *OPTIONS, cwd=directory)
    try:
        yield process
    finally:
        if process.poll() is None:
            kill(process)


def stopped(process: subprocess.Popen[str]) -> str:
    """What a job said that must have been stopped by a lost connection."""
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, out
    assert out.count("MIG-03113: connection lost: ") == 1, out
    assert "stopped due to fatal error at" in out
    assert "ORA-31693" not in out
    assert "Traceback" not in out
    return out


def goes_on(url: str, *, local: bool = False, link: str = "") -> None:
    """The job is recorded as stopped, and goes on to its end."""
    recorded = Recorded.of(url, JOB, local=local)
    assert recorded.job().state == "STOPPED"
    assert "MIG-03113" in recorded.job().error
    again = go_on(url, JOB, local=local, link=link)
    assert again.returncode == 0, again.stdout
    assert "successfully completed at" in again.stdout
    assert not recorded.exists()


# --- connections ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_the_session_that_loads_is_ended(
    kind: str, parallel: int, source: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target: str = request.getfixturevalue(kind)()
    recorded = Recorded.of(target, JOB)
    link, where = f"NETWORK_LINK={source}", remap(source, target)
    with job("impdp", target, link, where, f"PARALLEL={parallel}", directory=tmp_path) as process:
        until(lambda: recorded.exists() and any(row.state == "COMPLETED" for row in recorded.granules()), "a granule")
        until(lambda: end_sessions(target, _LOADING[kind]) >= 0 and process.poll() is not None, "the end")
        stopped(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    assert not any(row.state == "FAILED" for row in recorded.granules())
    goes_on(target, link=source)
    assert scalar(target, "SELECT count(*) FROM big") == scalar(target, "SELECT count(DISTINCT id) FROM big") == ROWS


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_the_session_that_reads_over_a_link_is_ended(
    kind: str, held: HeldRows, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target: str = request.getfixturevalue(kind)()
    link, where = f"NETWORK_LINK={held.source}", remap(held.source, target)
    with job("impdp", target, link, where, held.query, directory=tmp_path) as process:
        until(lambda: end_sessions(held.source, "COPY %") > 0, "a read")
        stopped(process)
    held.release()
    goes_on(target, link=held.source)
    assert scalar(target, "SELECT count(DISTINCT id) FROM t") == HELD


def test_the_session_that_exports_is_ended(held: HeldRows, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp")
    with job("expdp", held.source, *where, held.query, directory=tmp_path) as process:
        until(lambda: end_sessions(held.source, "COPY %") > 0, "a read")
        stopped(process)
    held.release()
    goes_on(held.source)
    target = sqlite_file("target.db")
    done(pump("impdp", target, *where, remap(held.source, target), "NOLOGFILE=YES"))
    assert scalar(target, "SELECT count(DISTINCT id) FROM t") == HELD


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_all_sessions_of_the_target_are_ended(
    kind: str, held: HeldRows, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The coordinator's own too, through which it keeps the master table."""
    target: str = request.getfixturevalue(kind)()
    recorded = Recorded.of(target, JOB)
    link, where = f"NETWORK_LINK={held.source}", remap(held.source, target)
    with job("impdp", target, link, where, held.query, directory=tmp_path) as process:
        until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "a load")
        assert end_sessions(target) > 1
        held.release()
        stopped(process)
    goes_on(target, link=held.source)
    assert scalar(target, "SELECT count(DISTINCT id) FROM t") == HELD


# --- room -----------------------------------------------------------------------------------------------------------


def size_of(url: str) -> int:
    return Path(str(sa.make_url(url).database)).stat().st_size


def full(run: Run) -> None:
    """The job must have been stopped because there was no room."""
    assert run.code == 1, run.out + run.err
    assert run.err.startswith("MIG-01653: the database has no room left: disk I/O error"), run.err
    assert "stopped due to fatal error at" in run.out
    assert "ORA-31693" not in run.out
    assert "ORA-39083" not in run.out


def test_a_directory_of_records_without_room_is_named(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """It is not the database, which has room."""
    url, where = sqlite_file(), (f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp")
    execute(url, *(f"CREATE TABLE t{number} (id integer PRIMARY KEY)" for number in range(300)))
    run = pump_process("expdp", url, *where, "NOLOGFILE=YES", largest_file=50_000)
    assert run.code == 1, run.out + run.err
    state = Path(os.environ["XDG_STATE_HOME"]) / "migrator"
    told = f"MIG-12167: directory {state}, for the record of jobs on this machine, takes no more: disk I/O error"
    assert run.err.startswith(told), run.err
    assert done(pump("expdp", url, *where, "NOLOGFILE=YES", "TABLES=t7", "REUSE_DUMPFILES=YES")).rows == {"t7": 0}


@pytest.mark.parametrize("short_of", ["rows", "an index"])
def test_a_sqlite_file_that_may_not_grow(
    short_of: str, source: str, sqlite_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGRATOR_LEASE", LEASE)
    link, rows_only, whole, target = f"NETWORK_LINK={source}", *map(sqlite_file, ("rows.db", "whole.db", "target.db"))
    done(pump("impdp", rows_only, link, "EXCLUDE=INDEX", *OPTIONS))
    done(pump("impdp", whole, link, *OPTIONS))
    limit = size_of(rows_only) // 2 if short_of == "rows" else (size_of(rows_only) + size_of(whole)) // 2
    full(pump_process("impdp", target, link, *OPTIONS, largest_file=limit))
    assert Recorded.of(target, JOB).job().state == "STOPPED"
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert scalar(target, "SELECT count(DISTINCT id) FROM big") == ROWS
    assert scalar(target, "SELECT count(*) FROM sqlite_master WHERE name = 'big_label'") == 1
    assert scalar(target, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") == 0
