"""migrator at a real pseudo-terminal, as a person uses it: what is typed, and what appears."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 40.0
CTRL_C = "\x03"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def _at_terminal() -> None:
    """Make the standard input the controlling terminal; what ends programs at one does, whoever ran the tests ignored it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A terminal in which one command runs; a context manager that ends the command if it still runs."""

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        """All that has appeared."""
        self._read = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "migrator", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200", "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
            preexec_fn=_at_terminal,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def command(self, line: str, prompt: str) -> str:
        """Type a line at the prompt and wait for the next prompt; what appeared between."""
        self.type(f"{line}\n")
        self.expect(re.escape(line))
        return self.expect(re.escape(prompt))

    def expect(self, pattern: str) -> str:
        """Wait until a pattern appears; what appeared since the last one, up to this one."""
        deadline = time.monotonic() + SECONDS
        while True:
            found = re.search(pattern, self.shown[self._read :])
            if found is not None:
                before = self.shown[self._read : self._read + found.end()]
                self._read += found.end()
                return before
            assert time.monotonic() < deadline, f"{pattern!r} did not appear at the end of:\n{self.shown}"
            assert self._receive(0.2) or self.process.poll() is None or self._receive(0.2), (
                f"the command ended before {pattern!r} appeared:\n{self.shown}"
            )

    def ends(self) -> int:
        """Wait for the command's end; its exit code."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None or self._receive(0.1):
            self._receive(0.1)
            assert time.monotonic() < deadline, f"it does not end:\n{self.shown}"
        return self.process.returncode

    def _receive(self, seconds: float) -> bool:
        """Take in what appears within a time; whether anything did."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # how Linux says that nobody holds the terminal any more
            return False
        self.shown += _ESCAPES.sub("", data.decode(errors="replace"))
        return bool(data)
