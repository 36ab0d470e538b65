"""Workers end with their job, whatever ends it; one that dies is replaced; a job that stops can be started again."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from migrator.dump.master import Piece
from migrator.job.session import Session
from tests.support.held import ROWS, HeldRows
from tests.support.hoard import contents, hoard
from tests.support.jobs import (
    LEASE,
    SECONDS,
    Recorded,
    begin,
    ended,
    go_on,
    job_of,
    kill,
    kill_job,
    kill_worker,
    until,
    workers_of,
)
from tests.support.pump import done, pump, pump_process, remap
from tests.support.sql import execute, scalar

JOB = "WORKED"


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    """Two tables that take a while to export."""
    url = sqlite_file("source.db")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i, hex(i) FROM n"
    for name in ("a", "b"):
        execute(url, f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, t VARCHAR(20) NOT NULL)")
        execute(url, f"INSERT INTO {name} {numbers}")
    return url


@contextmanager
def exporting(url: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """An export whose rows are on their way; client and job have ended when the block has."""
    dump = (f"DIRECTORY={directory}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES", f"JOB_NAME={JOB}")
    process = begin("expdp", url, *dump, "PARALLEL=2", "PARALLEL_THRESHOLD=128K", cwd=directory)
    recorded = Recorded.of(url, JOB, local=True)
    try:
        until(lambda: recorded.exists() and any(row.state == "COMPLETED" for row in recorded.granules()), "a granule")
        yield process
    finally:
        kill(process)


@contextmanager
def importing(source: str, target: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """An import by two workers, some of whose rows are in."""
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", f"JOB_NAME={JOB}")
    process = begin("impdp", target, *link, "PARALLEL=2", "PARALLEL_THRESHOLD=256K", cwd=directory)
    recorded = Recorded.of(target, JOB)
    try:
        begun = {"COMPLETED", "EXECUTING"}
        until(lambda: recorded.exists() and begun <= {row.state for row in recorded.granules()}, "rows on their way")
        yield process
    finally:
        kill(process)


def restored(directory: Path, target: str) -> tuple[int, int]:
    """How many rows of each table come out of the dump set."""
    done(pump("impdp", target, f"DIRECTORY={directory}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES"))
    return scalar(target, "SELECT count(*) FROM a"), scalar(target, "SELECT count(*) FROM b")


def test_a_terminated_export_can_be_started_again(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    with exporting(source, tmp_path) as process:
        job_of(process).send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "stopped by user request at" in out
    assert Recorded.of(source, JOB, local=True).job().state == "STOPPED"
    again = go_on(source, JOB, local=True)
    assert again.returncode == 0, again.stdout
    assert restored(tmp_path, sqlite_file("restored.db")) == (400_000, 400_000)


def test_workers_do_not_outlive_a_killed_job(source: str, tmp_path: Path) -> None:
    with exporting(source, tmp_path) as process:
        job = job_of(process)
        workers = job.children(recursive=True)
        job.kill()
    assert len(workers) >= 2
    _, left = psutil.wait_procs(workers, timeout=SECONDS)
    assert left == []


def test_a_worker_that_dies_is_replaced(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    with exporting(source, tmp_path) as process:
        workers_of(job_of(process))[0].kill()
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, out
    assert "died; what it had not committed is rolled back" in out
    assert restored(tmp_path, sqlite_file("restored.db")) == (400_000, 400_000)


@pytest.mark.postgresql
def test_a_suspended_export_destroys_nothing_when_it_wakes(
    postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """Its job is started again meanwhile, and does not go on in a file that the old process may still write."""
    held = HeldRows(postgresql(), tmp_path)
    recorded = Recorded.of(held.source, JOB)
    dump = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES", f"JOB_NAME={JOB}", held.query)
    with ended(begin("expdp", held.source, *dump, cwd=tmp_path)) as process:
        until(lambda: (tmp_path / "x01.dmp").exists() and (tmp_path / "x01.dmp").stat().st_size > 0, "an open dump file")
        job = job_of(process)
        job.suspend()
        held.release()
        time.sleep(float(LEASE) + 0.2)
        refused = go_on(held.source, JOB)
        assert refused.returncode == 1, refused.stdout
        assert f'ORA-27086: unable to lock file "{tmp_path}/x01.dmp": another process is writing it' in refused.stdout
        assert recorded.job().state == "STOPPED"
        job.resume()
        process.communicate(timeout=SECONDS)
        assert process.returncode == 1, "the job is not this process's any more"
    again = go_on(held.source, JOB)
    assert again.returncode == 0, again.stdout
    target = sqlite_file("restored.db")
    done(pump("impdp", target, *dump[:3], "REMAP_SCHEMA=public:main"))
    assert scalar(target, "SELECT count(*) FROM t") == ROWS


def test_a_job_that_was_taken_over_before_it_began_leaves_its_files(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the other process's now."""
    executing = Session.executing

    def after_another(session: Session) -> None:
        session.record.table.take_over(session.record.connection)
        executing(session)

    monkeypatch.setattr(Session, "executing", after_another)
    run = pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES", f"JOB_NAME={JOB}")
    assert run.code == 1
    assert "MIG-31650" in run.err
    assert (tmp_path / "x01.dmp").exists()


def test_an_export_whose_dump_file_lost_bytes_unloads_them_again(
    source: str, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """As after a loss of power."""
    with exporting(source, tmp_path) as process:
        kill(process)
    whole = [row for row in Recorded.of(source, JOB, local=True).granules() if row.state == "COMPLETED"]
    piece = Piece(**whole[0].detail["pieces"][0])
    with (tmp_path / f"x{piece.file:02}.dmp").open("r+b") as file:
        file.seek(piece.stored_as.data + 1000)
        file.write(bytes(2000))
    time.sleep(float(LEASE) + 0.1)
    again = go_on(source, JOB, local=True)
    assert again.returncode == 0, again.stdout
    said = re.findall(r"granule (\d+) of \S+ is not in its dump file, and is unloaded again", again.stdout)
    assert said == [str(whole[0].item)]
    assert restored(tmp_path, sqlite_file("restored.db")) == (400_000, 400_000)


def test_an_export_whose_disk_was_full_goes_on(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES", f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=128K")
    run = pump_process("expdp", source, *where, largest_file=2 << 20)
    assert run.code == 1
    assert "ORA-31641: unable to create or write file" in run.err
    assert any(row.state == "COMPLETED" for row in Recorded.of(source, JOB, local=True).granules())
    again = go_on(source, JOB, local=True)
    assert again.returncode == 0, again.stdout
    assert restored(tmp_path, sqlite_file("restored.db")) == (400_000, 400_000)


# --- imports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_an_import_outlives_a_worker_and_then_its_coordinator(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    many, target = hoard(tmp_path / "many.db", 250_000), str(request.getfixturevalue(kind)())
    with importing(many, target, tmp_path) as process:
        first = set(workers_of(job_of(process)))
        assert kill_worker(process, random.Random(1))
        until(lambda: bool(set(workers_of(job_of(process))) - first), "another worker")
        assert any(row.state != "COMPLETED" for row in Recorded.of(target, JOB).granules())
        said = kill_job(process)
    assert "died; what it had not committed is rolled back" in said
    assert "ORA-31623" in said
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, link=many)
    assert again.returncode == 0, again.stdout
    assert contents(target) == contents(many)


def test_a_coordinator_waits_out_the_lock_of_its_own_worker(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """More rows than SQLite's cache holds keep readers out, here for longer than the coordinator waits for a lock."""
    source = hoard(tmp_path / "source.db", 600_000)
    target = f"{sqlite_file('target.db')}?timeout=0.05"
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "ACCESS_METHOD=DIRECT_PATH"))
    assert run.rows["big"] == 600_000
