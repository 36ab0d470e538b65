"""A client at work: logging mode and, on Ctrl-C or ATTACH, interactive-command mode.

In logging mode the client shows the log of the job whose process it started, or reads it from the master table of a job that
it attached to. Leaving the client, however it ends, leaves the job alone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import FrameType
from typing import Literal, Protocol, TextIO

import sqlalchemy as sa

from migrator import command_line, commands, console, templates
from migrator.commands import Command
from migrator.config import Config, Secrets
from migrator.ends import Database
from migrator.errors import ConflictingParameters, InvalidUrl, InvalidValue, JobDetached, JobNotFound, MigratorError, redact
from migrator.job import control
from migrator.job.control import Attachment, Job, JobStatus
from migrator.job.launch import Began, Exit, Failed, JobProcess, Line, Moved, Order, RowsEnded, Said, TableDone
from migrator.job.report import elapsed_text
from migrator.job.session import ATTACHED, Start, local_database
from migrator.job.table import MasterTable
from migrator.params import Client, Request, dotted
from migrator.spec import JobSpec

_POLL = 0.2
"""Seconds after which a client looks whether Ctrl-C was pressed."""
_LOOK = 0.5
"""Seconds between two looks at a master table's messages."""
_ALONGSIDE = frozenset({"ATTACH", "ENCRYPTION_PASSWORD", "ENCRYPTION_PWD_PROMPT", "NETWORK_LINK", "STATUS"})
"""The parameters that may be given with ATTACH."""
_OPERATIONS: dict[Client, str] = {"expdp": "EXPORT", "impdp": "IMPORT"}

Mode = Literal["PROMPT", "LOG", "EXIT"]


class Feed(Protocol):
    """What a client in logging mode listens to."""

    def hear(self, seconds: float) -> Said | None:
        """What is said next; None: nothing within this time."""


class MasterTableFeed:
    """The messages of a job that another client has started, from now on."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._last = job.messages(None)[0][0]
        self._heard: deque[Said] = deque()

    def hear(self, seconds: float) -> Said | None:
        """The next line of its log, or how it ended.

        :raises JobDetached: nobody works on it any more.
        :raises JobNotFound: its master table is gone: the job is over.
        """
        until = time.monotonic() + seconds
        while not self._heard:
            self._look()
            if self._heard or time.monotonic() >= until:
                break
            time.sleep(min(_LOOK, seconds))
        return self._heard.popleft() if self._heard else None

    def _look(self) -> None:
        status = self._job.status()
        for item, text in self._job.messages(self._last):
            self._last = item
            self._heard.append(Line(text))
        if self._heard:
            return
        if status.state == "COMPLETED":
            self._heard.append(Exit(5 if status.errors else 0))
        elif status.state == "STOPPED":
            self._heard.extend((Line(status.error), Exit(1)))
        elif status.state == control.NOT_RUNNING:
            raise JobDetached(job=self._job.qname, detail=f"has shown no heartbeat for {status.age:.0f} seconds")


class Session:
    """One client and the job it is attached to."""

    def __init__(
        self,
        client: Client,
        config: Config,
        secrets: Secrets,
        database: Database,
        feed: JobProcess | MasterTableFeed,
        every: int,
    ) -> None:
        """``secrets``, ``database``: the job's; ``every``: seconds between two shows of the status in logging mode."""
        self.client, self.config, self.secrets, self.database = client, config, secrets, database
        self.feed, self.every = feed, every
        self.job: Job | None = None
        self.code = 0
        self._ending = False
        self._filesize: int | None = None
        self._reuse = False
        self.pressed: list[int] = []
        """Ctrl-C, where the client has not turned to it yet."""
        self._kept: deque[Said] = deque()
        """What the job said while the client waited for something else."""
        self._processes = ExitStack()
        """The job processes that this client has started at the prompt, and lets go of at its end."""

    def run(self, mode: Mode) -> int:
        """Go through the modes, from one on, until the client ends; its exit code."""
        with self._processes, console.terminal(sys.stdout, sys.stderr) as (out, bar):
            while mode != "EXIT":
                if mode == "LOG":
                    if bar is not None:
                        bar.resume()
                    mode = self._log(out, bar)
                    if bar is not None:
                        bar.pause()
                else:
                    with _handled(signal.default_int_handler):
                        mode = self._prompt()
        return self.code

    # --- logging mode -----------------------------------------------------------------------------------------------

    def _log(self, out: TextIO, bar: console.TerminalProgress | None) -> Mode:
        """Show what the job says until it ends or Ctrl-C is pressed.

        :raises MigratorError: what ended the job.
        """
        shown = time.monotonic()
        with _handled(lambda number, _: self.pressed.append(number)):
            while True:
                try:
                    said = self._hear()
                except JobNotFound:
                    if not self._ending:
                        raise
                    return "EXIT"
                if said is not None and self._show(said, out, bar):
                    return "EXIT"
                if self.pressed and self._attached():
                    self.pressed.clear()
                    return "PROMPT"
                if self.every and time.monotonic() - shown >= self.every and self._attached():
                    shown = time.monotonic()
                    out.write(status_text(self._job().status()))

    def _hear(self) -> Said | None:
        return self._kept.popleft() if self._kept else self.feed.hear(_POLL)

    def _show(self, said: Said, out: TextIO, bar: console.TerminalProgress | None) -> bool:
        """Show one thing; whether it was the last."""
        if isinstance(said, Line):
            out.write(f"{said.text}\n")
            out.flush()
        elif isinstance(said, Exit):
            self.code = 0 if self._ending else said.code
            return True
        elif isinstance(said, Failed):
            raise said.error
        elif bar is not None:
            _advance(bar, said)
        return False

    def _attached(self) -> bool:
        """Whether the job has a master table to look at; a job that has just been launched has none yet."""
        return self.job is not None or not isinstance(self.feed, JobProcess) or self.feed.job is not None

    def _job(self) -> Job:
        if self.job is None:
            assert isinstance(self.feed, JobProcess)
            opened = self.feed.job
            assert opened is not None
            place = local_database() if opened.local else self.database
            self.job = Job(place, MasterTable(opened.schema, opened.name))
        return self.job

    # --- interactive-command mode -----------------------------------------------------------------------------------

    def _prompt(self) -> Mode:
        """Read and obey one command. Ctrl-C begins a new line, the end of the input leaves the client."""
        try:
            line = input(commands.PROMPTS[self.client])
        except EOFError:
            print()
            return "EXIT"
        except KeyboardInterrupt:
            print()
            return "PROMPT"
        if not line.strip():
            return "PROMPT"
        try:
            command, value = commands.parse(self.client, line)
            return self._obey(command, value)
        except MigratorError as error:
            print(f"{redact(str(error))}\n", file=sys.stderr, flush=True)
            return "PROMPT" if not isinstance(error, JobNotFound) else self._over()
        except KeyboardInterrupt:
            print()
            return "PROMPT"

    def _over(self) -> Mode:
        """The job has ended; a client that has its process hears how."""
        self.code = 1
        return "LOG" if isinstance(self.feed, JobProcess) else "EXIT"

    def _obey(self, command: Command, value: str | None) -> Mode:
        obey: dict[str, Callable[[str], Mode]] = {
            "ADD_FILE": self._add_file,
            "CONTINUE_CLIENT": self._continue,
            "EXIT_CLIENT": lambda _: "EXIT",
            "FILESIZE": self._set_filesize,
            "HELP": self._help,
            "KILL_JOB": self._kill,
            "PARALLEL": self._parallel,
            "REUSE_DUMPFILES": self._set_reuse,
            "START_JOB": self._start,
            "STATUS": self._status,
            "STOP_JOB": self._stop,
            "STOP_WORKER": self._stop_worker,
        }
        return obey[command.name](value or "")

    def _help(self, _: str) -> Mode:
        print(commands.help_text(self.client))
        return "PROMPT"

    def _status(self, value: str) -> Mode:
        if value:
            self.every = command_line.seconds(value)
        print(status_text(self._job().status()))
        return "PROMPT"

    def _parallel(self, value: str) -> Mode:
        print(self._job().set_degree(command_line.degree(value)))
        return "PROMPT"

    def _stop_worker(self, value: str) -> Mode:
        if not value.isdecimal():
            raise InvalidValue(name="STOP_WORKER", detail=f"'{value}' is no worker's number")
        print(self._job().ask("STOP_WORKER", value=int(value)))
        return "PROMPT"

    def _set_filesize(self, value: str) -> Mode:
        self._filesize = templates.size(value)
        return "PROMPT"

    def _set_reuse(self, value: str) -> Mode:
        self._reuse = value != "NO"
        return "PROMPT"

    def _add_file(self, value: str) -> Mode:
        job = self._job()
        files = command_line.added_files(value, self.config, job.spec())
        print(job.ask("ADD_FILE", files=list(files), filesize=self._filesize, reuse=self._reuse))
        return "PROMPT"

    def _stop(self, value: str) -> Mode:
        if not _sure():
            return "PROMPT"
        print(self._job().ask("STOP_JOB", immediate=bool(value)), flush=True)
        return self._end()

    def _kill(self, _: str) -> Mode:
        if not _sure():
            return "PROMPT"
        job = self._job()
        if job.status().running:
            print(job.ask("KILL_JOB"), flush=True)
            return self._end()
        for name in job.kill_stopped(self._secrets(job.spec())):
            print(f"Deleted {name}")
        return "EXIT"

    def _end(self) -> Mode:
        """Show the rest of the log. A client that had started the job fails with it, one that came to end it does not."""
        self._ending = not isinstance(self.feed, JobProcess)
        return "LOG"

    def _continue(self, _: str) -> Mode:
        if not self._job().status().running:
            return "LOG" if self._start("") == "PROMPT" else "EXIT"
        return "LOG"

    def _start(self, value: str) -> Mode:
        """Start the job again, in a process of its own that this client listens to from now on."""
        job = self._job()
        job.await_lease(lambda text: print(text, flush=True))
        spec = job.spec()
        process = self._processes.enter_context(JobProcess())
        process.send(Order(spec, self._urls(spec), self._secrets(spec), Start(job.table, job.database, bool(value))))
        heard: list[Said] = []
        while process.job is None:
            said = process.hear(_POLL)
            if isinstance(said, Failed):
                raise said.error
            heard += [] if said is None else [said]
        self.feed = process
        self._kept.extend(heard)
        return "PROMPT"

    def _secrets(self, spec: JobSpec) -> Secrets:
        return command_line.with_credential(self.secrets, spec.credential, self.config)

    def _urls(self, spec: JobSpec) -> dict[str, sa.URL]:
        urls = {spec.connection: self.database.url}
        if spec.network_link is not None:
            urls[spec.network_link] = self.config.resolve(spec.network_link)
        return urls


def _advance(bar: console.TerminalProgress, said: Said) -> None:
    if isinstance(said, Began):
        bar.begin(said.tables, said.rows, said.size)
    elif isinstance(said, Moved):
        bar.advance(said.rows, said.bytes)
    elif isinstance(said, TableDone):
        bar.table_done(said.name)
    elif isinstance(said, RowsEnded):
        bar.end()


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """What Ctrl-C does while the block lasts."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _sure() -> bool:
    return input(commands.SURE).strip().lower() in {"", "y", "ye", "yes"}


# --- how clients begin ----------------------------------------------------------------------------------------------


def follow(process: JobProcess, client: Client, config: Config, order: Order, every: int, pressed: list[int]) -> int:
    """Be the client of a job whose process this one has started; the exit code. ``pressed`` notes Ctrl-C until then."""
    database = Database(order.urls[order.spec.connection])
    session = Session(client, config, order.secrets, database, process, every)
    session.pressed = pressed
    return session.run("LOG")


def attach(client: Client, request: Request, config: Config) -> int:
    """Be the client of a job that is on record; the exit code.

    :raises ConflictingParameters: parameters are given that are no connections, or the job is the other client's.
    :raises JobNotFound: there is no such job.
    """
    others = sorted(set(request.values) - _ALONGSIDE)
    if others:
        raise ConflictingParameters(detail=f"with ATTACH only connections are given, not {', '.join(others)}")
    database = Database(config.resolve(config.reference(command_line.only_word(request.words))))
    link = request.one("NETWORK_LINK")
    if link is not None:
        config.reference(link)
    schema, name = _job_name(request)
    job = control.find(database, name, schema, lambda spec: _same(config, spec, database))
    status = job.status()
    if status.state == "COMPLETED":
        raise JobNotFound(job=f"{job.qname} has completed, and its master table is kept")
    if status.operation != _OPERATIONS[client]:
        detail = f"job {job.qname} is an {status.operation.lower()}, which {client} does not attach to"
        raise ConflictingParameters(detail=detail)
    with Attachment(ATTACHED, f"{socket.gethostname()}:{os.getpid()}") as attachment:
        attachment.begin(job.database, job.table)
        every = command_line.seconds(request.one("STATUS") or "0")
        secrets = command_line.secrets(request, config)
        session = Session(client, config, secrets, database, MasterTableFeed(job), every)
        session.job = job
        print(status_text(status, whole=True))
        return session.run("PROMPT")


def _job_name(request: Request) -> tuple[str | None, str | None]:
    """The schema and the name that ATTACH gives."""
    (text,) = request.values["ATTACH"]
    parts = dotted(text, "ATTACH") if text else []
    if len(parts) > 2:
        raise InvalidValue(name="ATTACH", detail=f"{text} has more than a schema and a name")
    return (parts[0] if len(parts) == 2 else None), (parts[-1] if parts else None)


def _same(config: Config, spec: JobSpec, database: Database) -> bool:
    """Whether a job's connection is this one, whoever's password is used."""
    try:
        url = config.resolve(spec.connection)
    except InvalidUrl:
        return False
    return url.set(password=None) == database.url.set(password=None)


# --- status as text -------------------------------------------------------------------------------------------------


def status_text(status: JobStatus, *, whole: bool = False) -> str:
    """The status as STATUS shows it; ``whole``: as ATTACH does, with what does not change."""
    lines = [f"\nJob: {status.name}"]
    if whole:
        lines.append(f"  Owner: {status.owner}")
    lines += [f"  Operation: {status.operation}", f"  Mode: {status.mode}"]
    if whole:
        lines += [f"  Starts: {status.incarnation}", f"  {status.operation.capitalize()} Job Parameters:"]
        lines.append(f"     CLIENT_COMMAND        {status.command}")
    lines += [
        f"  State: {status.state}",
        f"  Bytes Processed: {status.bytes:,}",
        f"  Percent Done: {status.percent}",
        f"  Estimated Time Left: {eta_text(status.eta)}",
        f"  Current Parallelism: {status.degree}",
        f"  Job Error Count: {status.errors}",
        f"  Job Heartbeat: {status.age:.0f} seconds ago",
        f"  Attached Clients: {status.attached}",
        f"  Progress: {status.longops}",
    ]
    if status.error:
        lines.append(f"  Reason: {status.error}")
    for file in status.files:
        lines.append(f"  Dump File: {file.path}")
        lines.append(f"    bytes written: {'unknown' if file.bytes is None else f'{file.bytes:,}'}")
    for worker in status.workers:
        lines += _worker_lines(worker)
    return redact("\n".join(lines)) + "\n"


def _worker_lines(worker: control.WorkerStatus) -> Iterator[str]:
    yield f"\nWorker {worker.number} Status:"
    yield f"  State: {worker.state}"
    if worker.state != "EXECUTING":
        return
    if worker.schema:
        yield f"  Object Schema: {worker.schema}"
    yield f"  Object Name: {worker.name}"
    yield f"  Object Type: {worker.path}"
    if worker.method:
        yield f"  Access Method: {worker.method}"
        yield f"  Completed Rows: {worker.rows:,}"
        yield f"  Completed Bytes: {worker.bytes:,}"
        yield f"  Percent Done: {'unknown' if worker.percent is None else worker.percent}"


def eta_text(eta: float | None) -> str:
    """A number of seconds that may not be known."""
    return "unknown" if eta is None else elapsed_text(timedelta(seconds=round(eta)))


_COLUMNS = ("OWNER", "JOB NAME", "OPERATION", "MODE", "STATE", "DEGREE", "ATTACHED", "DONE", "TIME LEFT")


def jobs_text(statuses: Sequence[JobStatus]) -> str:
    """Jobs as ``migrator jobs`` lists them."""
    rows = [_COLUMNS, *map(_cells, statuses)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n" if statuses else "no jobs\n"


def _cells(status: JobStatus) -> tuple[str, ...]:
    numbers = (str(status.degree), str(status.attached), f"{status.percent}%", eta_text(status.eta))
    return (status.owner, status.name, status.operation, status.mode, str(status.state), *numbers)
