"""What an empty table costs: ``python -m benchmarks.schemas [--sizes 20 200 2000] [--rounds 3]``.

The schemas have a few, hundreds and thousands of tables without rows.

Export, import and plan are whole jobs, beside ``pg_dump -s`` and ``mariadb-dump -d``. Reading the catalog is timed inside a
process that has its libraries loaded; the queries are those that SQLAlchemy sends while it is read. With 2,000 tables, a
round takes minutes. The exit code is 1 if migrator failed anywhere.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join

import sqlalchemy as sa

from benchmarks import report
from benchmarks.clients import mariadb, schema_of, shown
from benchmarks.ends import End, PostgreSQLEnd, bench, fresh
from benchmarks.measure import Command, Measured, failure, measure, median, migrator
from benchmarks.report import Results, verdicts
from benchmarks.routes import OURS
from benchmarks.tools import MARIADB_DUMP, Tool, missing
from benchmarks.wanted import Wanted, judged
from migrator.adapter import adapter_for_backend
from migrator.model.objects import Table
from tests.support.servers import libpq

SIZES = (20, 200, 2_000)
AS_FAST = Wanted("at most the time of the dump", 1.0)
NO_MORE = Wanted("no more than for the fewest", 1.0)
LINEAR = Wanted("linear", 1.0)
"""The largest schema takes at most as many times as long as it has more tables than the one before."""


@dataclass(frozen=True)
class Schema:
    """A database with empty tables, a fresh one, and a directory for the dump."""

    end: End
    source: sa.URL
    target: sa.URL
    directory: Path

    @property
    def dump(self) -> list[str]:
        """The parameters of the dump."""
        return [f"DIRECTORY={self.directory}", "DUMPFILE=empty.dmp"]


def _export(schema: Schema) -> Command:
    return migrator("expdp", shown(schema.source), f"SCHEMAS={schema_of(schema.source)}", *schema.dump)


def _import(schema: Schema) -> Command:
    remap = f"REMAP_SCHEMA={schema_of(schema.source)}:{schema_of(schema.target)}"
    return migrator("impdp", shown(schema.target), remap, *schema.dump)


def _plan(schema: Schema) -> Command:
    wanted = (f"SCHEMAS={schema_of(schema.source)}", *schema.dump, "REUSE_DUMPFILES=YES")
    return [sys.executable, "-m", "migrator", "plan", "expdp", shown(schema.source), *wanted]


def _pg_dump(schema: Schema) -> Command:
    assert isinstance(schema.end, PostgreSQLEnd)
    return join([str(schema.end.server.bin_path / "pg_dump"), "-s", libpq(schema.source)])


def _mariadb_dump(schema: Schema) -> Command:
    return f"{mariadb(schema.source, 'mariadb-dump')} -d"


@dataclass(frozen=True)
class Step:
    """What is done with a schema, in this order."""

    name: str
    command: Callable[[Schema], Command]
    database: str = ""
    """The only kind of database it is done on; empty: every kind."""
    needs: tuple[Tool, ...] = ()


STEPS = (
    Step("export", _export),
    Step("import", _import),
    Step("plan", _plan),
    Step("pg_dump -s", _pg_dump, "PostgreSQL"),
    Step("mariadb-dump -d", _mariadb_dump, "MariaDB", (MARIADB_DUMP,)),
)
PEERS = {step.database: step.name for step in STEPS if step.database}


@dataclass
class Line:
    """One step on one kind of database: its runs by the number of tables, or why it failed."""

    database: str
    name: str
    runs: dict[int, list[Measured]] = field(default_factory=dict)
    failed: str = ""

    def seconds(self, size: int) -> float:
        """The median."""
        return median(self.runs[size])


@dataclass
class Reading:
    """How long a catalog took to read each time, and with how many queries, by the number of tables."""

    runs: dict[int, list[float]] = field(default_factory=dict)
    queries: dict[int, int] = field(default_factory=dict)


def ddl(size: int) -> str:
    """So many tables, each with a primary key, a default and an index."""
    table = """CREATE TABLE t{0:05} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL,
        amount DECIMAL(15,2) DEFAULT 0, made TIMESTAMP NULL, note TEXT);\nCREATE INDEX i{0:05} ON t{0:05} (name);\n"""
    return "".join(table.format(number) for number in range(size))


def read_catalog(url: sa.URL, size: int) -> tuple[float, int]:
    """Read the catalog of a schema of so many tables as a job does: the seconds, and the number of queries."""
    adapter = adapter_for_backend(url.get_backend_name())
    engine, queries = adapter.engine(url), 0

    def count(*_: object) -> None:
        nonlocal queries
        queries += 1

    sa.event.listen(engine, "before_cursor_execute", count)
    started = time.perf_counter()
    with adapter.snapshot(engine, 1) as snapshot, adapter.reading(engine, snapshot) as connection:
        found = len(list(adapter.catalog(connection, [schema_of(url)]).of(Table)))
    seconds = time.perf_counter() - started
    engine.dispose()
    if found != size:
        raise RuntimeError(f"{found} tables were read, not {size}")
    return seconds, queries


class EmptyTables:
    """The measurements on some kinds of database, with some numbers of tables."""

    def __init__(self, ends: Mapping[str, End], home: Path, sizes: Sequence[int]) -> None:
        self.home, self.sizes = home, sorted(sizes)
        self.ends = {name: ends[name] for name in PEERS}
        self.lines = [
            Line(database, step.name, failed=missing(step.needs))
            for database in self.ends
            for step in STEPS
            if step.database in ("", database)
        ]
        self.readings = {database: Reading() for database in self.ends}
        self.commands: dict[str, Command] = {}

    @property
    def ours(self) -> list[Line]:
        """Migrator's lines."""
        return [line for line in self.lines if line.name not in PEERS.values()]

    def measure(self, rounds: int) -> None:
        """All runs."""
        for database, end in self.ends.items():
            with ExitStack() as stack:
                sources = {size: stack.enter_context(fresh(end)) for size in self.sizes}
                for size, source in sources.items():
                    end.run(source, ddl(size))
                    read_catalog(source, size)  # the libraries are loaded, the server's caches are warm
                for size in self.sizes * rounds:
                    self._read(database, sources[size], size)
                    self._round(database, end, sources[size], size)

    def _read(self, database: str, source: sa.URL, size: int) -> None:
        reading = self.readings[database]
        seconds, reading.queries[size] = read_catalog(source, size)
        reading.runs.setdefault(size, []).append(seconds)

    def _round(self, database: str, end: End, source: sa.URL, size: int) -> None:
        directory = self.home / "empty"
        directory.mkdir()
        with fresh(end) as target:
            schema = Schema(end, source, target, directory)
            for line in self.lines:
                if line.database == database and not line.failed:
                    print(f"{database} {size} {line.name}", file=sys.stderr)
                    self._step(line, schema, size)
        shutil.rmtree(directory)

    def _step(self, line: Line, schema: Schema, size: int) -> None:
        step = next(step for step in STEPS if step.name == line.name)
        command = self.commands[f"{line.database}: {line.name}"] = step.command(schema)
        try:
            line.runs.setdefault(size, []).append(measure(command))
        except RuntimeError as error:
            line.failed = failure(line.name, error)

    def report(self, rounds: int) -> Results:
        """Medians, and what a table costs where there are many."""
        heads = ["database", "what", *(f"{size:,} tables s" for size in self.sizes), "ms a table", "×", "wanted", ""]
        rows = [row for database in self.ends for row in (*self._jobs(database), *self._readings(database))]
        return Results(
            f"empty tables; medians of {rounds} runs",
            heads,
            rows,
            [f"× is how many times as long the largest schema takes as the one before; {verdicts(row[-1] for row in rows)}"],
            self.commands,
        )

    def _jobs(self, database: str) -> list[list[str]]:
        return [self._job(line) for line in self.lines if line.database == database]

    def _job(self, line: Line) -> list[str]:
        if line.failed:
            return [line.database, self._whose(line.name), *([""] * len(self.sizes)), "", "", "", line.failed]
        seconds = [line.seconds(size) for size in self.sizes]
        wanted = None if line.name in PEERS.values() else LINEAR
        return [line.database, self._whose(line.name), *(f"{s:.2f}" for s in seconds), *self._growth(seconds, wanted)]

    def _readings(self, database: str) -> list[list[str]]:
        reading, peer = self.readings[database], PEERS[database]
        seconds = [statistics.median(reading.runs[size]) for size in self.sizes]
        queries = [reading.queries[size] for size in self.sizes]
        counted = ["", "", *judged(NO_MORE, queries[0] / queries[-1])]
        (line,) = (line for line in self.lines if line.database == database and line.name == peer)
        cost, growth, *_ = self._growth(seconds, None)
        target = ["", ""] if line.failed else judged(AS_FAST, line.seconds(self.sizes[-1]) / seconds[-1])
        return [
            [database, f"{OURS}: reading the catalog", *(f"{s:.3f}" for s in seconds), cost, growth, *target],
            [database, "its queries (a number, not seconds)", *(str(number) for number in queries), *counted],
        ]

    def _growth(self, seconds: Sequence[float], wanted: Wanted | None) -> list[str]:
        more = self.sizes[-1] / self.sizes[-2]
        cost = (seconds[-1] - seconds[-2]) / (self.sizes[-1] - self.sizes[-2]) * 1000
        growth = seconds[-1] / seconds[-2]
        return [f"{cost:.2f}", f"{growth:.1f}", *judged(wanted, more / growth)]

    @staticmethod
    def _whose(name: str) -> str:
        return name if name in PEERS.values() else f"{OURS}: {name}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of tables, two or more")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each")
    report.add_page(parser)
    arguments = parser.parse_args()
    with bench(0) as (ends, home, hidden):
        empty = EmptyTables(ends, home, arguments.sizes)
        empty.measure(arguments.rounds)
        versions = [ends[database].version() for database in empty.ends]
    report.publish([empty.report(arguments.rounds)], arguments.markdown, "benchmarks.schemas", hidden, versions)
    return 1 if any(line.failed for line in empty.ours) else 0


if __name__ == "__main__":
    sys.exit(main())
