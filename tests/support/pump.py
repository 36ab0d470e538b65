"""Running migrator as a user does, by its command line, and looking at what it said."""

from __future__ import annotations

import io
import re
import resource
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from migrator.cli import in_process, main


@dataclass(frozen=True)
class Run:
    """One run: the exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def losses(self) -> list[str]:
        """The entries of the loss list, each with its place, also where several are told as one sentence."""
        told = r"^\. \. loss(?:: (?P<one>.*)| in \d+ places: (?P<what>.*)(?P<places>(?:\n {4}.*)+))$"
        found: list[str] = []
        for entry in re.finditer(told, self.out, re.MULTILINE):
            places = re.split(r",\s+(?=[A-Z_]+\b)", (entry["places"] or "").strip())
            found += [entry["one"]] if entry["one"] is not None else [f"{place}: {entry['what']}" for place in places]
        return found

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows moved, by table name."""
        found = re.findall(
            r'^(?:W-\d+ )?\. \. (?:exported|imported) "[^"]*"\."(.*?)"\s+\S+ [KMGT]?B +(\d+) rows', self.out, re.M
        )
        return {name: int(count) for name, count in found}


def pump(client: str, url: str, *arguments: str) -> Run:
    """Run ``migrator client url arguments`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([client, url, *arguments], in_process)
    return Run(code, out.getvalue(), err.getvalue())


def pump_process(client: str, url: str, *arguments: str, cwd: Path | None = None, largest_file: int | None = None) -> Run:
    """Run ``migrator client url arguments`` as a process of its own, which may write files of ``largest_file`` bytes."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = [sys.executable, "-m", "migrator", client, url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, preexec_fn=limit)
    return Run(done.returncode, done.stdout, done.stderr)


def done(run: Run) -> Run:
    """The run, which must have completed without an error."""
    assert run.code == 0, f"exit code {run.code}\n{run.out}\n{run.err}"
    return run


def schema_of(url: str) -> str:
    """The schema that a test's tables are in: SQLite's main, PostgreSQL's public, a MySQL database's name."""
    target = sa.make_url(url)
    fixed = {"sqlite": "main", "postgresql": "public"}
    return fixed.get(target.get_backend_name()) or str(target.database)


def remap(source: str, target: str) -> str:
    """The REMAP_SCHEMA that leads from one database's schema to another's."""
    return f"REMAP_SCHEMA={schema_of(source)}:{schema_of(target)}"
