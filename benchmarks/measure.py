"""Running a command line and taking its wall time and the peak memory of its processes together."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

Command = str | Sequence[str]
LIMIT_SECONDS = 1800.0
"""What takes longer has failed: some tools hang where others end with an error."""
_SAMPLE_SECONDS = 0.05
_FAILURE_LENGTH = 200


@dataclass(frozen=True)
class Measured:
    """One run: ``seconds`` on the wall, ``peak`` bytes of memory of all its processes at once, shared pages counted once."""

    seconds: float
    peak: int


def median(runs: Sequence[Measured]) -> float:
    """The median of their seconds."""
    return statistics.median(run.seconds for run in runs)


def peak_megabytes(runs: Sequence[Measured]) -> float:
    """The most memory that any of them took."""
    return max(run.peak for run in runs) / 1e6


def _members(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def _resident(process: psutil.Process) -> int:
    """The proportional set sizes of a process and of those it has started."""
    total = 0
    for member in _members(process):
        with suppress(psutil.NoSuchProcess):
            total += member.memory_full_info().pss
    return total


def _kill(process: psutil.Process) -> None:
    for member in _members(process):
        with suppress(psutil.NoSuchProcess):
            member.kill()


def measure(command: Command, limit: float = LIMIT_SECONDS) -> Measured:
    """Run a shell line or an argument list.

    :raises RuntimeError: it failed, or took longer than ``limit`` seconds; the message is what it printed.
    """
    line = ["bash", "-c", f"set -euo pipefail; {command}"] if isinstance(command, str) else list(command)
    started, peak, overdue = time.perf_counter(), 0, False
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        while True:
            with suppress(subprocess.TimeoutExpired):
                _, printed = process.communicate(timeout=_SAMPLE_SECONDS)
                break
            peak = max(peak, _resident(watched))
            overdue = time.perf_counter() - started > limit
            if overdue:
                _kill(watched)
    seconds = time.perf_counter() - started
    if overdue:
        raise RuntimeError(f"{command}\ntook longer than {limit:.0f} seconds: {printed.strip()[-2000:]}")
    if process.returncode != 0:
        raise RuntimeError(f"{command}\nfailed ({process.returncode}): {printed.strip()[-2000:]}")
    return Measured(seconds, peak)


def failure(name: str, error: RuntimeError) -> str:
    """Why a tool has no result, in a line; all it said goes to the standard error stream."""
    print(f"{name}: {error}", file=sys.stderr)
    command, _, said = str(error).partition("\n")
    line = " ".join((said or command).split())
    return line if len(line) <= _FAILURE_LENGTH else f"… {line[-_FAILURE_LENGTH:]}"


def migrator(client: str, url: str, *arguments: str) -> list[str]:
    """The argument list of a migrator job without a log file."""
    return [sys.executable, "-m", "migrator", client, url, *arguments, "NOLOGFILE=YES"]
