"""Interactive-command mode at a real terminal, against jobs that are held up by locks on their target."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from tests.support.servers import libpq
from tests.support.sql import execute, rows, scalar
from tests.support.terminal import CTRL_C, ROOT, SECONDS, Terminal

TABLES = ("a", "b", "c", "d", "e", "f")
ROWS = 2000
SECRET = "s3cret-Q7"
PROMPT = "Import> "


class Held:
    """A network import into tables that are locked one by one, so that it cannot end before the test lets it."""

    def __init__(self, source: str, target: str, home: Path) -> None:
        self.source = sa.make_url(source).set(password=SECRET).render_as_string(hide_password=False)
        self.target = sa.make_url(target).set(password=SECRET).render_as_string(hide_password=False)
        self.environment = {
            "MIGRATOR_LEASE": "2",
            "XDG_STATE_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "MIGRATOR_CONFIG": "",
        }
        self._locks: dict[str, psycopg.Connection] = {}
        create = [f"CREATE TABLE {name} (id integer PRIMARY KEY, v text)" for name in TABLES]
        fill = [f"INSERT INTO {name} SELECT i, md5(i::text) FROM generate_series(1, {ROWS}) i" for name in TABLES]
        execute(source, *create, *fill)
        execute(target, *create)
        for name in TABLES:
            self._locks[name] = psycopg.connect(libpq(sa.make_url(target)))
            self._locks[name].execute(f"LOCK TABLE {name} IN SHARE MODE")

    def release(self, *names: str) -> None:
        """Let the rows of some tables in; of all if none is named."""
        for name in names or list(self._locks):
            self._locks.pop(name).close()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The import's command line."""
        options = ("TABLE_EXISTS_ACTION=APPEND", "JOB_NAME=NIGHTLY", "NOLOGFILE=YES", "METRICS=YES")
        return "impdp", self.target, f"NETWORK_LINK={self.source}", *options

    def begin(self, degree: int = 1) -> Terminal:
        """The import at a terminal, when all its workers wait."""
        terminal = Terminal(*self.arguments, f"PARALLEL={degree}", environment=self.environment)
        terminal.expect("Processing object type SCHEMA_EXPORT/TABLE/TABLE_DATA")
        self.await_waiting(degree)
        return terminal

    def interrupted(self, degree: int = 1) -> Terminal:
        """The import at a terminal, in interactive-command mode."""
        terminal = self.begin(degree)
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        return terminal

    def attach(self, *options: str) -> Terminal:
        """Another client at another terminal, attached to the import."""
        arguments = ("impdp", self.target, f"NETWORK_LINK={self.source}", "ATTACH=NIGHTLY", *options)
        terminal = Terminal(*arguments, environment=self.environment)
        terminal.expect(PROMPT)
        return terminal

    def waiting(self) -> list[str]:
        """The tables whose rows wait for their lock: one session of a worker each."""
        query = "SELECT l.relation::regclass::text FROM pg_locks l WHERE NOT l.granted ORDER BY 1"
        return [str(row[0]) for row in rows(self.target, query)]

    def await_waiting(self, count: int) -> list[str]:
        """Wait until so many workers wait, and see that it stays so; for which tables."""
        until(lambda: len(self.waiting()) == count)
        time.sleep(1.0)
        waiting = self.waiting()
        assert len(waiting) == count
        return waiting

    def loaded(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: scalar(self.target, f"SELECT count(*) FROM {name}") for name in TABLES}

    def process(self) -> psutil.Process:
        """The job's process."""
        (found,) = self._processes()
        return found

    def _processes(self) -> list[psutil.Process]:
        name = sa.make_url(self.target).database or ""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if (title := " ".join(process.info["cmdline"] or ())).startswith("migrator IMPORT") and name in title
        ]

    def state(self) -> str:
        """The job's state in its master table."""
        return str(scalar(self.target, "SELECT state FROM \"NIGHTLY\" WHERE kind = 'JOB'"))

    def is_on_record(self) -> bool:
        """Whether the job has a master table."""
        return bool(scalar(self.target, "SELECT to_regclass('\"NIGHTLY\"') IS NOT NULL"))

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self._processes():
            process.kill()
        self.release()


COMPLETE = dict.fromkeys(TABLES, ROWS)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> Iterator[Held]:
    with ExitStack() as stack:
        job = Held(postgresql(), postgresql(), tmp_path)
        stack.callback(job.end)
        yield job


# --- the commands


def test_help_lists_the_clients_commands(held: Held) -> None:
    with held.interrupted() as terminal:
        shown = terminal.command("help", PROMPT)
    commands = re.findall(r"^([A-Z_]+)", shown, re.MULTILINE)
    expected = ["CONTINUE_CLIENT", "EXIT_CLIENT", "HELP", "KILL_JOB", "PARALLEL", "START_JOB", "STATUS", "STOP_JOB"]
    assert [name for name in commands if name.isupper() and len(name) > 1] == [*expected, "STOP_WORKER"]


def test_what_is_no_command_is_refused_and_the_prompt_comes_again(held: Held) -> None:
    with held.interrupted() as terminal:
        assert "UDI-00053: unrecognized client command 'FROB'" in terminal.command("frob", PROMPT)
        assert "it may be STOP_JOB, STOP_WORKER" in terminal.command("stop", PROMPT)
        refused = terminal.command("parallel=0", PROMPT)
        assert "UDI-00014: invalid value for parameter, 'PARALLEL'" in refused
        assert " Action: migrator help PARALLEL shows what it takes." in refused
        assert "unrecognized client command 'ADD_FILE'" in terminal.command("add_file=x.dmp", PROMPT)
        refused = terminal.command("help=me", PROMPT)
        assert "it takes no value" in refused
        assert " Action: HELP shows the commands and what they take." in refused
        time.sleep(0.5)  # a key pressed after the prompt appeared and before input() reads would end no line
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)


def test_status_shows_the_job_and_each_worker(held: Held) -> None:
    with held.interrupted(2) as terminal:
        at_work = "SELECT count(*) FROM \"NIGHTLY\" WHERE kind = 'WORKER' AND state = 'EXECUTING'"
        until(lambda: scalar(held.target, at_work) == 2)
        shown = terminal.command("status", PROMPT)
    assert "Job: NIGHTLY" in shown
    assert "Operation: IMPORT" in shown
    assert "State: EXECUTING" in shown
    assert "Current Parallelism: 2" in shown
    assert re.search(r"Progress: NIGHTLY: IMPORT : \d+ out of \d+ MB done", shown)
    assert re.findall(r"Worker (\d) Status:\s+State: EXECUTING\s+Object Schema: public", shown) == ["1", "2"]
    assert shown.count("Access Method: network_link") == 2


def test_status_at_an_interval_is_shown_in_logging_mode(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.command("status=1", PROMPT)
        terminal.type("continue\n")
        terminal.expect("State: EXECUTING")
        terminal.expect("State: EXECUTING")
        held.release()
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0


def test_continue_client_shows_what_the_log_said_meanwhile(held: Held) -> None:
    with held.interrupted() as terminal:
        held.release()
        until(lambda: not held.is_on_record())
        terminal.type("CONTINUE_CLIENT\n")
        for _ in TABLES:
            terminal.expect(r'\. \. imported "public"')
        terminal.expect('Job "public"."NIGHTLY" successfully completed at')
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_a_command_after_the_jobs_end_shows_how_it_ended(held: Held) -> None:
    with held.interrupted() as terminal:
        held.release()
        until(lambda: not held.is_on_record())
        terminal.type("status\n")
        terminal.expect("ORA-31626: job does not exist")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0


def test_parallel_is_raised_and_lowered_while_the_job_runs(held: Held) -> None:
    with held.interrupted() as terminal:
        assert "PARALLEL is 4" in terminal.command("parallel=4", PROMPT)
        first = held.await_waiting(4)
        assert "PARALLEL is 2" in terminal.command("PARALLEL=2", PROMPT)
        assert held.await_waiting(4) == first, "what is at work ends"
        held.release(*first[:3])
        assert first[3] in held.await_waiting(2)
        assert "PARALLEL is 1" in terminal.command("PARALLEL=1", PROMPT)
        held.release(first[3])
        held.await_waiting(1)
        held.release()
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_stop_worker_gives_its_work_to_another(held: Held) -> None:
    with held.interrupted(2) as terminal:
        assert "ORA-39001" in terminal.command("stop_worker=9", PROMPT)
        assert "worker 1 is stopped" in terminal.command("stop_worker=1", PROMPT)
        held.release()
        terminal.type("continue\n")
        terminal.expect("worker 1 was stopped")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_stop_worker_of_a_job_with_one_worker_gives_its_work_to_another(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.command("stop_worker=1", PROMPT)
        held.release()
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_stop_job_lets_workers_end_and_start_job_does_the_rest(held: Held) -> None:
    with held.interrupted() as terminal:
        (first,) = held.await_waiting(1)
        terminal.type("stop_job\n")
        terminal.expect(re.escape("Are you sure you wish to stop this job ([yes]/no): "))
        terminal.type("no\n")
        terminal.expect(PROMPT)
        assert held.state() == "EXECUTING"
        terminal.type("stop_job\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("\n")
        terminal.expect("the job stops when its workers have ended what they are doing")
        until(lambda: held.state() == "STOP PENDING")
        held.release(first)
        terminal.expect("ORA-39097: job .*NIGHTLY.* was stopped by user request")
        assert terminal.ends() == 1
    assert held.state() == "STOPPED"
    assert held.loaded() == {name: ROWS if name == first else 0 for name in TABLES}
    with held.attach() as terminal:
        assert "State: STOPPED" in terminal.shown
        held.release()
        terminal.command("start_job", PROMPT)
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE
    assert not held.is_on_record()


def test_stop_job_immediate_rolls_back_what_is_at_work(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.type("stop_job=imm\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("y\n")
        terminal.expect("ORA-39097")
        assert terminal.ends() == 1
    assert held.state() == "STOPPED"
    assert held.loaded() == dict.fromkeys(TABLES, 0)
    with held.attach() as terminal:
        assert "is STOPPED" in terminal.command("stop_worker=1", PROMPT)
        assert "PARALLEL is 3 when the job is started again" in terminal.command("parallel=3", PROMPT)
        terminal.type("continue_client\n")
        until(lambda: set(held.waiting()) == {"a", "b", "c"})
        held.release()
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_start_job_skip_current_leaves_out_what_was_in_progress(held: Held) -> None:
    with held.interrupted() as terminal:
        (first,) = held.await_waiting(1)
        terminal.type("stop=immediate\n")
        terminal.expect("it may be STOP_JOB, STOP_WORKER")
        terminal.type("stop_j=immediate\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("yes\n")
        assert terminal.ends() == 1
    held.release()
    with held.attach() as terminal:
        terminal.command("start_job=skip_current", PROMPT)
        terminal.type("continue\n")
        terminal.expect(f'granule \\d+ of "public"."{first}" was in progress and is skipped')
        terminal.expect(r"completed with 1 error\(s\) at")
        assert terminal.ends() == 5
    assert held.loaded() == {name: 0 if name == first else ROWS for name in TABLES}


def test_kill_job_drops_the_master_table(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.type("kill_job\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("yes\n")
        terminal.expect("ORA-39098: job .* was killed by user request")
        assert terminal.ends() == 1
    assert not held.is_on_record()
    assert held.loaded() == dict.fromkeys(TABLES, 0)


def test_a_stopped_job_can_be_killed(held: Held) -> None:
    with held.begin() as terminal:
        held.process().terminate()
        terminal.expect("ORA-39097")
        assert terminal.ends() == 1
    assert held.state() == "STOPPED"
    with held.attach() as terminal:
        terminal.type("kill\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("\n")
        assert terminal.ends() == 0
    assert not held.is_on_record()


def test_exit_client_leaves_the_job_and_another_client_attaches(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.type("exit\n")
        assert terminal.ends() == 0
    assert held.state() == "EXECUTING"
    with held.attach() as terminal:
        assert "State: EXECUTING" in terminal.shown
        assert "CLIENT_COMMAND" in terminal.shown
        until(lambda: "Attached Clients: 1" in terminal.command("status", PROMPT))
        terminal.type("continue\n")
        time.sleep(1.0)
        held.release()
        for _ in TABLES:
            terminal.expect(r'\. \. imported "public"')
        terminal.expect('Job "public"."NIGHTLY" successfully completed at')
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_the_end_of_the_input_leaves_the_job(held: Held) -> None:
    with held.interrupted() as terminal:
        terminal.type("\x04")
        assert terminal.ends() == 0
    assert held.state() == "EXECUTING"


def test_an_attached_client_stops_the_job_and_the_first_one_hears_of_it(held: Held) -> None:
    with held.begin() as first, held.attach() as second:
        second.type("stop_job=immediate\n")
        second.expect(re.escape("([yes]/no): "))
        second.type("yes\n")
        assert second.ends() == 0
        first.expect("ORA-39097")
        assert first.ends() == 1


# --- how clients are lost


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_the_job_goes_on_without_its_client(held: Held, number: signal.Signals) -> None:
    with held.begin() as terminal:
        os.kill(terminal.process.pid, number)
        terminal.process.wait()
    held.release()
    until(lambda: not held.is_on_record())
    assert held.loaded() == COMPLETE


def test_a_job_goes_on_while_its_client_is_stopped(held: Held) -> None:
    with held.begin() as terminal:
        terminal.process.send_signal(signal.SIGSTOP)
        held.release()
        until(lambda: not held.is_on_record())
        terminal.process.send_signal(signal.SIGCONT)
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_a_job_whose_process_is_killed_is_started_again_after_its_lease(held: Held) -> None:
    with held.begin() as terminal:
        held.process().kill()
        terminal.expect("ORA-31623: job .*NIGHTLY.* its process was ended by SIGKILL")
        assert terminal.ends() == 1
    assert held.state() == "EXECUTING"
    with held.attach() as terminal:
        held.release()
        terminal.command("start_job", PROMPT)
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert held.loaded() == COMPLETE


def test_a_job_that_does_not_run_says_so(held: Held) -> None:
    with held.begin() as terminal:
        held.process().kill()
        assert terminal.ends() == 1
    time.sleep(2.5)
    with held.attach() as terminal:
        assert "State: NOT RUNNING" in terminal.shown
        assert "ORA-39004: invalid state" in terminal.command("stop_worker=1", PROMPT)


# --- who sees what


def test_no_secret_is_shown_anywhere(held: Held) -> None:
    with held.interrupted(2) as terminal:
        job = held.process()
        mine = [job, *job.children(recursive=True), psutil.Process(terminal.process.pid)]
        assert len(mine) >= 4, "the job, its workers, its client"
        for process in mine:
            assert SECRET not in " ".join(process.cmdline())
            assert SECRET not in " ".join(process.environ().values())
        assert terminal.command("status", PROMPT).count(SECRET) == 0
        recorded = rows(held.target, 'SELECT * FROM "NIGHTLY"')
        assert SECRET not in repr(recorded)
        assert SECRET not in terminal.shown


def test_jobs_lists_those_of_a_database(held: Held) -> None:
    with held.begin(), held.attach():

        def listed() -> str:
            command = [sys.executable, "-m", "migrator", "jobs", held.target]
            environment = {**os.environ, "PYTHONPATH": str(ROOT), **held.environment}
            return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

        line = r"postgres +NIGHTLY +IMPORT +SCHEMA +EXECUTING +1 +2 +[0-9]+% +unknown\n"
        until(lambda: re.search(line, listed()) is not None)


def test_attach_takes_connections_only(held: Held) -> None:
    with Terminal("impdp", held.target, "ATTACH=NIGHTLY", "PARALLEL=2", environment=held.environment) as terminal:
        terminal.expect("UDI-00010: with ATTACH only connections are given, not PARALLEL")
        assert terminal.ends() == 1
    with Terminal("impdp", held.target, "ATTACH=NIGHTLY", environment=held.environment) as terminal:
        terminal.expect("ORA-31626: job does not exist: NIGHTLY")
        assert terminal.ends() == 1
    with held.begin(), Terminal("impdp", held.target, "ATTACH", environment=held.environment) as terminal:
        terminal.expect("Job: NIGHTLY")
    with Terminal("expdp", held.target, "ATTACH=nightly", environment=held.environment) as terminal:
        terminal.expect("is an import, which expdp does not attach to")
        assert terminal.ends() == 1
