"""Workers end with their job, whatever ends it, and what they left unfinished is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from migrator.errors import InternalError
from migrator.job.executors import open_lanes
from tests.support.pump import pump_process
from tests.support.sql import execute

SECONDS = 30.0


@pytest.fixture
def source(sqlite_file) -> str:  # type: ignore[no-untyped-def]
    """Two tables that take a while to export."""
    url: str = sqlite_file("source.db")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i, hex(i) FROM n"
    for name in ("a", "b"):
        execute(url, "PRAGMA journal_mode = WAL", f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, t VARCHAR(20) NOT NULL)")
        execute(url, f"INSERT INTO {name} {numbers}")
    return url


@contextmanager
def exporting(url: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """An export whose rows are on their way."""
    dump = (f"DIRECTORY={directory}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES")
    command = [sys.executable, "-m", "migrator", "expdp", url, *dump]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: any(path.stat().st_size > 1 << 16 for path in directory.glob("x*.dmp")))
        yield process


def until(condition) -> None:  # type: ignore[no-untyped-def]
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def test_a_terminated_export_cleans_up_behind_itself(source: str, tmp_path: Path) -> None:
    with exporting(source, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.startswith("ORA-31625: ")
    assert list(tmp_path.glob("x*.dmp")) == []


LANES = """
import os, sys, time
from migrator.job.executors import open_lanes

if __name__ == "__main__":
    with open_lanes(2, print) as lanes:
        pids = [lane._executor.submit(os.getpid).result() for lane in lanes]
        print(*pids, flush=True)
        time.sleep(600)
"""


def test_workers_do_not_outlive_a_killed_job(tmp_path: Path) -> None:
    script = tmp_path / "lanes.py"
    script.write_text(LANES)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(workers) == 2
    _, left = psutil.wait_procs(workers, timeout=SECONDS)
    assert left == []


def test_lanes_end_when_a_worker_has_died() -> None:
    workers: list[psutil.Process] = []

    def lose_one() -> None:
        with open_lanes(2, lambda rows, size: None) as lanes:
            workers.extend(psutil.Process(lane._executor.submit(os.getpid).result()) for lane in lanes)  # type: ignore[attr-defined]
            workers[0].kill()

    with pytest.raises(InternalError, match="worker 1 died"):
        lose_one()
    _, left = psutil.wait_procs(workers, timeout=SECONDS)
    assert left == []


def test_an_export_whose_disk_is_full_leaves_no_half_set(source: str, tmp_path: Path) -> None:
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES")
    run = pump_process("expdp", source, *where, largest_file=1 << 20)
    assert run.code == 1
    assert run.err.startswith("ORA-31641: unable to create or write file")
    assert list(tmp_path.glob("x*.dmp")) == []
