"""The tools that migrator is measured against: whether they are here, and in which version; and the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

_PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"


@dataclass(frozen=True)
class Program:
    """A program, and the Debian package that has it."""

    name: str
    package: str

    def version(self) -> str | None:
        """What it says of itself, None if it is not installed."""
        path = shutil.which(self.name, path=_PATH)
        if path is None:
            return None
        printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        return printed.strip().partition("\n")[0]

    @property
    def hint(self) -> str:
        """How it is installed."""
        return f"apt-get install {self.package}"


@dataclass(frozen=True)
class Packages:
    """A tool that is Python packages: those of the extra ``bench``."""

    name: str
    packages: tuple[str, ...]

    def version(self) -> str | None:
        """The packages' versions, None if one is not installed."""
        try:
            return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in self.packages)
        except importlib.metadata.PackageNotFoundError:
            return None

    @property
    def hint(self) -> str:
        """How it is installed."""
        return "pip install '.[bench]'"


Tool = Program | Packages

_SCANNERS = tuple(f"duckdb-extension-{kind}-scanner" for kind in ("mysql", "postgres", "sqlite"))

MARIADB = Program("mariadb", "mariadb-client")
MARIADB_DUMP = Program("mariadb-dump", "mariadb-client")
MYDUMPER = Program("mydumper", "mydumper")
PGLOADER = Program("pgloader", "pgloader")
SQLITE3 = Program("sqlite3", "sqlite3")
DUCKDB = Packages("DuckDB with its scanners", ("duckdb", *_SCANNERS))

TOOLS: tuple[Tool, ...] = (MARIADB, MARIADB_DUMP, MYDUMPER, PGLOADER, SQLITE3, DUCKDB)


def missing(needed: Iterable[Tool]) -> str:
    """Which of these tools are not installed, and what installs them; empty if all are."""
    return "; ".join(f"{tool.name} is missing ({tool.hint})" for tool in needed if tool.version() is None)


def versions() -> dict[str, str]:
    """Of each tool."""
    ours = f"Python {platform.python_version()}, SQLAlchemy {importlib.metadata.version('sqlalchemy')}"
    return {"migrator": ours} | {tool.name: tool.version() or f"missing ({tool.hint})" for tool in TOOLS}


def machine() -> str:
    """Processors, memory and system, in one line."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    system = [line.partition("=")[2].strip('"') for line in _lines("/etc/os-release") if line.startswith("PRETTY_NAME=")]
    memory = psutil.virtual_memory().total / 2**30
    processor, name = next(iter(models), platform.machine()), next(iter(system), platform.platform())
    return f"{os.cpu_count()} × {processor}, {memory:.0f} GiB, {name}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
