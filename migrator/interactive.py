"""Interactive-command mode, which a client enters on Ctrl-C or with ATTACH, and clients that attach.

A client that attaches reads the job's log from its master table.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import sqlalchemy as sa

from migrator import command_line, commands, console, overwriting, templates
from migrator.client import POLL, ClientSession, Mode
from migrator.commands import Command
from migrator.config import Config, Secrets, check_text
from migrator.ends import Database
from migrator.errors import (
    ConflictingParameters,
    InvalidArgument,
    InvalidUrl,
    InvalidValue,
    JobDetached,
    JobNotFound,
    MigratorError,
    redact,
)
from migrator.job import control
from migrator.job.control import Attachment, Job, JobStatus
from migrator.job.launch import Exit, Failed, JobProcess, Line, Order, Said
from migrator.job.report import elapsed_text
from migrator.job.session import ATTACHED, Start, local_database
from migrator.job.table import MasterTable
from migrator.params import Client, Request, dotted
from migrator.spec import JobSpec
from migrator.windows import degree

_LOOK = 0.5
"""Seconds between two looks at a master table's messages."""
_ALONGSIDE = frozenset({"ATTACH", "ENCRYPTION_PASSWORD", "ENCRYPTION_PWD_PROMPT", "NETWORK_LINK", "STATUS"})
"""The parameters that may be given with ATTACH."""
_OPERATIONS: dict[Client, str] = {"expdp": "EXPORT", "impdp": "IMPORT"}


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


class Prompt:
    """The commands that a person gives about the job of a client's session."""

    def __init__(self, session: ClientSession, job: Job | None = None) -> None:
        """``job`` None: the one whose process the session listens to."""
        self._session, self._attached_to = session, job
        self._database = Database(session.url)
        self._filesize: int | None = None
        self._reuse = False

    def _job(self) -> Job:
        if self._attached_to is None:
            assert isinstance(self._session.feed, JobProcess)
            opened = self._session.feed.job
            assert opened is not None
            place = local_database() if opened.local else self._database
            self._attached_to = Job(place, MasterTable(opened.schema, opened.name))
        return self._attached_to

    def status(self) -> str:
        """How the job stands, as STATUS shows it."""
        return status_text(self._job().status())

    def ask(self) -> Mode:
        """Read and obey one command. Ctrl-C begins a new line, the end of the input leaves the client."""
        try:
            line = input(commands.PROMPTS[self._session.client])
        except EOFError:
            console.say()
            return "EXIT"
        except KeyboardInterrupt:
            console.say()
            return "PROMPT"
        if not line.strip():
            return "PROMPT"
        try:
            command, value = commands.parse(self._session.client, check_text("command", line, secret=True))
            return self._obey(command, value)
        except MigratorError as error:
            print(f"{error.explained(self._session.client)}\n", file=sys.stderr, flush=True)
            return "PROMPT" if not isinstance(error, JobNotFound) else self._over()
        except KeyboardInterrupt:
            console.say()
            return "PROMPT"

    def _over(self) -> Mode:
        """The job has ended; a client that has its process hears how."""
        self._session.code = 1
        return "LOG" if isinstance(self._session.feed, JobProcess) else "EXIT"

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
        console.say(commands.help_text(self._session.client))
        return "PROMPT"

    def _status(self, value: str) -> Mode:
        if value:
            self._session.every = command_line.seconds(value)
        console.say(self.status())
        return "PROMPT"

    def _parallel(self, value: str) -> Mode:
        console.say(self._job().set_degree(degree(value)))
        return "PROMPT"

    def _stop_worker(self, value: str) -> Mode:
        if not value.isdecimal():
            raise InvalidArgument(name="STOP_WORKER", detail=f"'{value}' is no worker's number")
        console.say(self._job().ask("STOP_WORKER", value=int(value)))
        return "PROMPT"

    def _set_filesize(self, value: str) -> Mode:
        self._filesize = templates.filesize(value)
        return "PROMPT"

    def _set_reuse(self, value: str) -> Mode:
        self._reuse = value != "NO"
        return "PROMPT"

    def _add_file(self, value: str) -> Mode:
        job = self._job()
        spec = job.spec()
        files = command_line.added_files(value, self._session.config, spec)
        overwriting.check_added(spec, files, reuse=self._reuse, databases=[self._session.url])
        console.say(job.ask("ADD_FILE", files=list(files), filesize=self._filesize, reuse=self._reuse))
        return "PROMPT"

    def _stop(self, value: str) -> Mode:
        if not _sure():
            return "PROMPT"
        console.say(self._job().ask("STOP_JOB", immediate=bool(value)))
        return self._end()

    def _kill(self, _: str) -> Mode:
        if not _sure():
            return "PROMPT"
        job = self._job()
        if job.status().running:
            console.say(job.ask("KILL_JOB"))
            return self._end()
        for name in job.kill_stopped(self._secrets(job.spec())):
            console.say(f"Deleted {name}")
        return "EXIT"

    def _end(self) -> Mode:
        """Show the rest of the log. A client that had started the job fails with it, one that came to end it does not."""
        self._session.ending = not isinstance(self._session.feed, JobProcess)
        return "LOG"

    def _continue(self, _: str) -> Mode:
        if not self._job().status().running:
            return "LOG" if self._start("") == "PROMPT" else "EXIT"
        return "LOG"

    def _start(self, value: str) -> Mode:
        """Start the job again, in a process of its own that this client listens to from now on."""
        job = self._job()
        job.await_lease(console.say)
        spec = job.spec()
        process = self._session.processes.enter_context(JobProcess())
        process.send(Order(spec, self._urls(spec), self._secrets(spec), Start(job.table, job.database, bool(value))))
        heard: list[Said] = []
        while process.job is None:
            said = process.hear(POLL)
            if isinstance(said, Failed):
                raise said.error
            heard += [] if said is None else [said]
        self._session.feed = process
        self._session.kept.extend(heard)
        return "PROMPT"

    def _secrets(self, spec: JobSpec) -> Secrets:
        return command_line.with_credential(self._session.secrets, spec.credential, self._session.config)

    def _urls(self, spec: JobSpec) -> dict[str, sa.URL]:
        urls = {spec.connection: self._session.url}
        if spec.network_link is not None:
            urls[spec.network_link] = self._session.config.linked(spec.network_link, self._session.url)
        return urls


def _sure() -> bool:
    return input(commands.SURE).strip().lower() in {"", "y", "ye", "yes"}


# --- attaching ----------------------------------------------------------------------------------------------


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
        config.link(link)
    owner, name = _job_name(request)
    job = control.find(database, name, owner, lambda spec: _same(config, spec, database))
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
        feed = MasterTableFeed(job)
        session = ClientSession(client, config, secrets, database.url, feed, every, lambda made: Prompt(made, job))
        console.say(status_text(status, whole=True))
        return session.run("PROMPT")


def _job_name(request: Request) -> tuple[str | None, str | None]:
    """The owner or schema, and the name, that ATTACH gives."""
    (text,) = request.values["ATTACH"]
    parts = dotted(text, "ATTACH") if text else []
    if len(parts) > 2:
        raise InvalidValue(name="ATTACH", detail=f"{text} has more than an owner and a name")
    return (parts[0] if len(parts) == 2 else None), (parts[-1] if parts else None)


def _same(config: Config, spec: JobSpec, database: Database) -> bool:
    """Whether a job's connection is this one, whoever's password is used."""
    try:
        url = config.url(config.reference(spec.connection))
    except InvalidUrl:
        return False
    return url._replace(password=None) == database.url._replace(password=None)  # set() leaves out what is None


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
        f"  Current Parallelism: {status.degree}{status.degree_why and f' ({status.degree_why})'}",
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
