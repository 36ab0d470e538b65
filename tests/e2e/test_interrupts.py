"""A job that is to stop at once does, whatever the server is waiting for, and goes on to the end later."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import SECONDS, begin, ended, go_on, job_of, until
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, scalar

JOB = "INTERRUPTED"
ROWS = 1_000_000
_LOADING = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'LOAD DATA%'"


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    """A table that takes some seconds to load."""
    url = sqlite_file("source.db")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i, hex(i) FROM n"
    execute(url, "CREATE TABLE big (id INTEGER PRIMARY KEY, t VARCHAR(20) NOT NULL)", f"INSERT INTO big {numbers}")
    return url


@pytest.mark.mysql
@pytest.mark.parametrize("by", ["link", "dump"])
def test_an_import_into_mysql_ends_and_leaves_no_row(by: str, source: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    target, where = mysql(), f"DIRECTORY={tmp_path}"
    if by == "dump":
        done(pump("expdp", source, where))
    rows_from = f"NETWORK_LINK={source}" if by == "link" else "DUMPFILE=expdat.dmp"
    job = (rows_from, where, remap(source, target), f"JOB_NAME={JOB}")
    with ended(begin("impdp", target, *job, cwd=tmp_path)) as process:
        until(lambda: scalar(target, _LOADING) > 0, "the load")
        job_of(process).send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, out
    assert "stopped by user request" in out
    assert "Traceback" not in out
    assert scalar(target, "SELECT count(*) FROM big") == 0
    again = go_on(target, JOB, link=source if by == "link" else "")
    assert again.returncode == 0, again.stdout
    assert scalar(target, "SELECT count(DISTINCT id) FROM big") == ROWS
