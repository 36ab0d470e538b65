"""A client in logging mode: it shows what its job says, and at Ctrl-C lets a person give commands.

This module loads no database library: a client that only shows a log is small and there at once. Leaving the client, however
it ends, leaves the job alone.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from migrator import console
from migrator.errors import JobNotFound
from migrator.job.launch import Began, Exit, Failed, JobProcess, Line, Moved, RowsEnded, Said, TableDone

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrator.config import Config, Secrets
    from migrator.params import Client

POLL = 0.2
"""Seconds after which a client looks whether Ctrl-C was pressed."""

Mode = Literal["PROMPT", "LOG", "EXIT"]


class Feed(Protocol):
    """What a client in logging mode listens to."""

    def hear(self, seconds: float) -> Said | None:
        """What is said next; None: nothing within this time."""


class Prompt(Protocol):
    """A client's interactive-command mode."""

    def ask(self) -> Mode:
        """Read and obey one command; the mode that follows."""

    def status(self) -> str:
        """How the job stands, as text."""


class ClientSession:
    """One client and the job it is attached to."""

    def __init__(
        self,
        client: Client,
        config: Config,
        secrets: Secrets,
        url: sa.URL,
        feed: JobProcess | Feed,
        every: int,
        prompt: Callable[[ClientSession], Prompt],
    ) -> None:
        """``secrets``, ``url``: the job's; ``every``: seconds between two shows of the status in logging mode; ``prompt``
        makes the interactive-command mode when it is needed."""
        self.client, self.config, self.secrets, self.url = client, config, secrets, url
        self.feed, self.every = feed, every
        self._make_prompt = prompt
        self._prompt: Prompt | None = None
        self.code = 0
        self.ending = False
        """Whether this client, which has not started the job, has asked for its end."""
        self.pressed: list[int] = []
        """Ctrl-C, where the client has not turned to it yet."""
        self.kept: deque[Said] = deque()
        """What the job said while the client waited for something else."""
        self.processes = ExitStack()
        """The job processes that this client has started at the prompt, and lets go of at its end."""

    @property
    def prompt(self) -> Prompt:
        """Its interactive-command mode."""
        if self._prompt is None:
            self._prompt = self._make_prompt(self)
        return self._prompt

    def run(self, mode: Mode) -> int:
        """Go through the modes, from one on, until the client ends; its exit code."""
        with self.processes, console.terminal(sys.stdout, sys.stderr) as (out, bar):
            shown = self.feed
            while mode != "EXIT":
                if mode == "LOG":
                    if bar is not None and shown is not self.feed:
                        bar.end()
                    if bar is not None:
                        bar.resume()
                    shown = self.feed
                    mode = self._log(out, bar)
                    if bar is not None:
                        bar.pause()
                else:
                    with _handled(signal.default_int_handler):
                        mode = self.prompt.ask()
        return self.code

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
                    if not self.ending:
                        raise
                    return "EXIT"
                if said is not None and self._show(said, out, bar):
                    return "EXIT"
                if self.pressed and self._attached():
                    self.pressed.clear()
                    return "PROMPT"
                if self.every and time.monotonic() - shown >= self.every and self._attached():
                    shown = time.monotonic()
                    out.write(self.prompt.status())

    def _hear(self) -> Said | None:
        return self.kept.popleft() if self.kept else self.feed.hear(POLL)

    def _show(self, said: Said, out: TextIO, bar: console.TerminalProgress | None) -> bool:
        """Show one thing; whether it was the last."""
        if isinstance(said, Line):
            out.write(f"{said.text}\n")
            out.flush()
        elif isinstance(said, Exit):
            self.code = 0 if self.ending else said.code
            return True
        elif isinstance(said, Failed):
            raise said.error
        elif bar is not None:
            _advance(bar, said)
        return False

    def _attached(self) -> bool:
        """Whether the job has a master table to look at; a job that has just been launched has none yet."""
        return not isinstance(self.feed, JobProcess) or self.feed.job is not None


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
