"""Running a command line and taking its wall time and the peak memory of its processes together."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """One run: ``seconds`` on the wall, ``peak`` bytes of memory of all its processes at once, shared pages counted once."""

    seconds: float
    peak: int


def _resident(process: psutil.Process) -> int:
    """The proportional set sizes of a process and of those it has started."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += member.memory_full_info().pss
    return total


def measure(command: str | Sequence[str]) -> Measured:
    """Run a shell line or an argument list.

    :raises RuntimeError: it failed; the message is what it printed.
    """
    line = ["bash", "-c", f"set -euo pipefail; {command}"] if isinstance(command, str) else list(command)
    started, peak = time.perf_counter(), 0
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        while True:
            with suppress(subprocess.TimeoutExpired):
                _, printed = process.communicate(timeout=_SAMPLE_SECONDS)
                break
            peak = max(peak, _resident(watched))
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{command}\nfailed ({process.returncode}): {printed.strip()[-2000:]}")
    return Measured(seconds, peak)


def migrator(client: str, url: str, *arguments: str) -> list[str]:
    """The argument list of a migrator job without a log file."""
    return [sys.executable, "-m", "migrator", client, url, *arguments, "NOLOGFILE=YES"]
