"""Tables of storage engines without transactions: what came in stays, whatever becomes of the load."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.support.jobs import LEASE, begin, ended, go_on, kill, until
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows, scalar

JOB = "LASTING"
HOLD = """CREATE TRIGGER hold BEFORE INSERT ON t FOR EACH ROW
BEGIN
    IF NEW.id = 3 THEN DO GET_LOCK('migrator-test', 60); END IF;
END"""
"""Stops a load before the last row, while the others are in the table."""
WAITING = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User lock'"


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    url = sqlite_file()
    execute(url, "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1), (2), (3)")
    return url


def killed(source: str, target: str, action: str, tmp_path: Path) -> None:
    """A load into a table that was there, which died while its rows came in."""
    execute(target, "CREATE TABLE t (id int) ENGINE=MyISAM", HOLD)
    job = (f"NETWORK_LINK={source}", remap(source, target), f"JOB_NAME={JOB}", f"TABLE_EXISTS_ACTION={action}")
    with sa.create_engine(target, poolclass=NullPool).connect() as holding:
        holding.exec_driver_sql("SELECT GET_LOCK('migrator-test', 60)")
        with ended(begin("impdp", target, *job, "NOLOGFILE=YES", cwd=tmp_path)) as process:
            until(lambda: process.poll() is not None or scalar(target, WAITING) == 1, "rows")
            kill(process)
    until(lambda: scalar(target, WAITING) == 0, "the end of the statement")
    execute(target, "DROP TRIGGER hold")
    assert scalar(target, "SELECT count(*) FROM t") in {2, 3}
    time.sleep(float(LEASE) + 0.1)


def test_a_table_that_the_job_emptied_is_loaded_anew(source: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    target = mysql()
    killed(source, target, "TRUNCATE", tmp_path)
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert rows(target, "SELECT count(*), count(DISTINCT id) FROM t") == [(3, 3)]


def test_rows_among_those_of_others_are_in_doubt(source: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    target = mysql()
    killed(source, target, "APPEND", tmp_path)
    left = scalar(target, "SELECT count(*) FROM t")
    again = go_on(target, JOB, link=source)
    assert again.returncode == 1
    assert "MIG-31654: job cannot be started again" in again.stdout
    assert "its storage engine has no transactions" in again.stdout
    assert scalar(target, "SELECT count(*) FROM t") == left


def test_rows_that_no_snapshot_holds_are_named(
    mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), sqlite_file("copy.db")
    execute(source, "CREATE TABLE t (id int) ENGINE=MyISAM", "CREATE TABLE other (id int) ENGINE=InnoDB")
    exported = done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    imported = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    for run in (exported, imported):
        (loss,) = [loss for loss in run.losses if "no-snapshot" in loss]
        assert "MyISAM has no transactions" in loss
        assert '."t"' in loss


def test_rows_of_a_load_that_failed_are_named(source: str, mysql: Callable[[], str]) -> None:
    target = mysql()
    execute(source, "UPDATE t SET id = 1 WHERE id = 3")
    execute(target, "CREATE TABLE t (id int PRIMARY KEY) ENGINE=MyISAM")
    where = (f"NETWORK_LINK={source}", remap(source, target), "TABLE_EXISTS_ACTION=APPEND", "NOLOGFILE=YES")
    run = pump("impdp", target, *where, "ACCESS_METHOD=CONVENTIONAL")
    assert run.code == 5
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert "rows of it that had come in stay in the table: its storage engine has no transactions" in run.out
