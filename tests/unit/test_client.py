"""A client in logging mode: what it shows of jobs, and for how long."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
import sqlalchemy as sa

from migrator import console
from migrator.client import ClientSession, Mode
from migrator.config import NO_SECRETS, Config
from migrator.job.launch import Began, Exit, Line, Said


class Script:
    """A job that says what is written here."""

    def __init__(self, *said: Said) -> None:
        self.said = deque(said)

    def hear(self, seconds: float) -> Said | None:
        return self.said.popleft() if self.said else None


class Restart:
    """A prompt at which the job is started again once."""

    def __init__(self, session: ClientSession, again: Script) -> None:
        self.session, self.again = session, again

    def ask(self) -> Mode:
        self.session.feed = self.again
        return "LOG"

    def status(self) -> str:
        return ""


class Bar:
    """A progress bar that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        return lambda *_: self.asked.append(name)


def test_the_bar_of_a_job_goes_when_another_process_takes_the_job_over(monkeypatch: pytest.MonkeyPatch) -> None:
    out, bar = io.StringIO(), Bar()

    @contextmanager
    def terminal(*_: object) -> Iterator[tuple[TextIO, Bar]]:
        yield out, bar

    monkeypatch.setattr(console, "terminal", terminal)
    first, again = Script(Began(5, None, None)), Script(Line("Restarting"), Began(4, None, None), Exit(0))
    session = ClientSession(
        "impdp", Config(), NO_SECRETS, sa.make_url("sqlite:///x.db"), first, 0, lambda made: Restart(made, again)
    )
    session.pressed.append(2)
    assert session.run("LOG") == 0
    assert bar.asked == ["resume", "begin", "pause", "end", "resume", "begin", "pause"]
    assert out.getvalue() == "Restarting\n"
