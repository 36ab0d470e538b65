"""A job on a server of each kind is watched, left, attached to, stopped, started again; so is one recorded locally."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.held import ROWS, HeldRows
from tests.support.pump import remap
from tests.support.sql import scalar
from tests.support.terminal import CTRL_C, ROOT, Terminal

PROMPT = "Import> "


@pytest.fixture(params=["postgresql", "mysql", "local"])
def target(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; for ``local`` the master table goes into the local one."""
    url: str = request.getfixturevalue("postgresql" if request.param == "local" else request.param)()
    return url


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Where the master table goes."""
    return "LOCAL" if request.node.callspec.params["target"] == "local" else "DATABASE"


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> Iterator[HeldRows]:
    rows = HeldRows(postgresql(), tmp_path)
    yield rows
    rows.release()


def test_a_job_is_left_attached_to_stopped_and_started_again(held: HeldRows, target: str, place: str) -> None:
    link = f"NETWORK_LINK={held.source}"
    options = ("NOLOGFILE=YES", "JOB_NAME=NIGHTLY", f"MASTER_TABLE={place}", remap(held.source, target), held.query)
    with Terminal("impdp", target, link, *options, environment=held.environment) as terminal:
        terminal.expect("TABLE_DATA")
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        assert "State: EXECUTING" in terminal.command("status", PROMPT)
        terminal.type("exit\n")
        assert terminal.ends() == 0
    with Terminal("impdp", target, link, "ATTACH=nightly", environment=held.environment) as terminal:
        terminal.expect(PROMPT)
        assert "State: EXECUTING" in terminal.shown
        assert "PARALLEL is 2" in terminal.command("parallel=2", PROMPT)
        terminal.type("stop_job=immediate\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("\n")
        terminal.expect("ORA-39097")
        assert terminal.ends() == 0
    held.release()
    command = [sys.executable, "-m", "migrator", "impdp", f"USERID={target}", link, "ATTACH=NIGHTLY"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **held.environment}
    script = "status\nstart_job\ncontinue_client\n"
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "State: STOPPED" in done.stdout
    assert "Current Parallelism: 2" in done.stdout
    assert "successfully completed at" in done.stdout
    assert scalar(target, "SELECT count(*) FROM t") == ROWS


def test_a_job_is_attached_to_by_each_name_that_is_shown_of_it(held: HeldRows, target: str, place: str) -> None:
    """The log and errors name the schema of its master table, lists of jobs its owner."""
    link = f"NETWORK_LINK={held.source}"
    options = ("NOLOGFILE=YES", "JOB_NAME=NIGHTLY", f"MASTER_TABLE={place}", remap(held.source, target), held.query)
    with Terminal("impdp", target, link, *options, environment=held.environment) as terminal:
        started = re.search(r'Starting (".+"\."NIGHTLY"):', terminal.expect("TABLE_DATA"))
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        terminal.type("exit\n")
        assert terminal.ends() == 0
    assert started is not None
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **held.environment}
    command = [sys.executable, "-m", "migrator", "jobs", target]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    owner = listed.splitlines()[1].split()[0]
    assert "@" not in owner
    for name in (started[1], f"{owner}.NIGHTLY"):
        with Terminal("impdp", target, link, f"ATTACH={name}", environment=held.environment) as terminal:
            terminal.expect(PROMPT)
            assert "Job: NIGHTLY" in terminal.shown
            assert "ORA-39001: invalid argument value: there is no worker 99\n Action: " in terminal.command(
                "stop_worker=99", PROMPT
            )
    with Terminal("impdp", target, link, "ATTACH=nobody.NIGHTLY", environment=held.environment) as terminal:
        terminal.expect("ORA-31626: job does not exist: nobody.NIGHTLY")
        assert terminal.ends() == 1
    with Terminal("impdp", target, link, "ATTACH=NIGHTLY", environment=held.environment) as terminal:
        terminal.expect(PROMPT)
        terminal.type("stop_job=immediate\n\n")
        terminal.expect(f"ORA-39097: job {re.escape(started[1])} was stopped")
        terminal.ends()
