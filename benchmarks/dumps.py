"""Dump sets beside the databases' own dumps: ``python -m benchmarks.dumps [--rows 300000] [--rounds 3]``.

Each table is exported and imported by migrator (COMPRESSION=ALL PARALLEL=2), by pg_dump and pg_restore (-Fd -j2, gzip) on
PostgreSQL, by mydumper and myloader (two threads, gzip) on MariaDB. An import ends with the rows and the primary key in a
fresh database. The runs of the contestants are interleaved; the table shows medians, each tool's time and size as a multiple
of migrator's, what these are wanted to be, and the peak memory of the tool's processes together. What arrived is compared by
count and checksum after every run. The exit code is 1 if migrator failed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join

import sqlalchemy as sa

from benchmarks import report
from benchmarks.clients import mydumper, myloader, schema_of, shown
from benchmarks.ends import End, OtherRowsArrived, PostgreSQLEnd, bench, fresh
from benchmarks.measure import Command, Measured, failure, measure, median, migrator, peak_megabytes
from benchmarks.report import Results, verdicts
from benchmarks.routes import OURS
from benchmarks.tools import MYDUMPER, Tool, missing
from benchmarks.wanted import Wanted, judged, times_as_fast, within
from tests.support.servers import libpq

MOST_MEGABYTES = 300
"""What all of migrator's processes together have to stay under."""


@dataclass(frozen=True)
class Dump:
    """One table's dump into a directory, and from it into a fresh database."""

    end: End
    source: sa.URL
    target: sa.URL
    table: str
    directory: Path

    def client(self, name: str, url: sa.URL, *options: str) -> str:
        """A client program of PostgreSQL that reads or writes the dump, in two processes."""
        assert isinstance(self.end, PostgreSQLEnd)
        return join([str(self.end.server.bin_path / name), "-Fd", "-j2", *options, libpq(url)])

    @property
    def parameters(self) -> list[str]:
        """Those of migrator."""
        return [f"DIRECTORY={self.directory}", "DUMPFILE=bench%U.dmp", "PARALLEL=2"]


def _expdp(dump: Dump) -> Command:
    tables = f"TABLES={schema_of(dump.source)}.{dump.table}"
    return migrator("expdp", shown(dump.source), tables, *dump.parameters, "COMPRESSION=ALL")


def _impdp(dump: Dump) -> Command:
    remap = f"REMAP_SCHEMA={schema_of(dump.source)}:{schema_of(dump.target)}"
    return migrator("impdp", shown(dump.target), remap, *dump.parameters)


def _pg_dump(dump: Dump) -> Command:
    return dump.client("pg_dump", dump.source, "-t", dump.table, "-f", str(dump.directory / "dump"))


def _pg_restore(dump: Dump) -> Command:
    return dump.client("pg_restore", dump.target, str(dump.directory / "dump"), "-d")


def _mydumper(dump: Dump) -> Command:
    return mydumper(dump.source, dump.table, dump.directory, "--compress")


def _myloader(dump: Dump) -> Command:
    return myloader(dump.target, dump.directory)


EXPORT, SIZE, IMPORT, TOGETHER = "export s", "dump MB", "import s", "together s"


@dataclass(frozen=True)
class Contestant:
    """A tool that dumps and restores the tables of one kind of database, and what is wanted of migrator beside it."""

    name: str
    source: str
    unload: Callable[[Dump], Command]
    load: Callable[[Dump], Command]
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    needs: tuple[Tool, ...] = ()


CONTESTANTS = (
    Contestant(OURS, "PostgreSQL", _expdp, _impdp),
    Contestant(
        "pg_dump, pg_restore -Fd -j2",
        "PostgreSQL",
        _pg_dump,
        _pg_restore,
        {EXPORT: times_as_fast(3), SIZE: within(1.2), TOGETHER: times_as_fast(2.2)},
    ),
    Contestant(OURS, "MariaDB", _expdp, _impdp),
    Contestant(
        "mydumper --compress, myloader -t 2",
        "MariaDB",
        _mydumper,
        _myloader,
        {EXPORT: times_as_fast(2.5), IMPORT: times_as_fast(1)},
        (MYDUMPER,),
    ),
)
SOURCES = ("PostgreSQL", "MariaDB")


@dataclass
class Entry:
    """What a contestant took in each round, or why it has no results."""

    contestant: Contestant
    exports: list[Measured] = field(default_factory=list)
    imports: list[Measured] = field(default_factory=list)
    size: int = 0
    failed: str = ""
    commands: tuple[Command, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """Medians of seconds, and the dump's size."""
        together = [out.seconds + in_.seconds for out, in_ in zip(self.exports, self.imports, strict=True)]
        return {
            EXPORT: median(self.exports),
            SIZE: self.size / 1e6,
            IMPORT: median(self.imports),
            TOGETHER: statistics.median(together),
        }

    @property
    def peaks(self) -> dict[str, float]:
        """Megabytes of memory."""
        return {EXPORT: peak_megabytes(self.exports), IMPORT: peak_megabytes(self.imports)}


@dataclass
class Contest:
    """One table of one source."""

    source: str
    table: str
    entries: list[Entry]

    @property
    def ours(self) -> Entry:
        """Migrator's."""
        return next(entry for entry in self.entries if entry.contestant.name == OURS)


def _run(entry: Entry, end: End, table: str, directory: Path) -> None:
    with fresh(end) as target:
        dump = Dump(end, end.source, target, table, directory)
        entry.commands = (entry.contestant.unload(dump), entry.contestant.load(dump))
        out = measure(entry.commands[0])
        entry.size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        in_ = measure(entry.commands[1])
        arrived, expected = end.fingerprint(target, table), end.fingerprint(end.source, table)
    if arrived != expected:
        raise OtherRowsArrived(f"{arrived} arrived, not {expected} (count, checksum)")
    entry.exports.append(out)
    entry.imports.append(in_)


def compete(end: End, home: Path, source: str, table: str, rounds: int) -> Contest:
    """All runs of one contest, interleaved. Who fails is left out from then on, and the contest says so."""
    contest = Contest(source, table, [Entry(c, failed=missing(c.needs)) for c in CONTESTANTS if c.source == source])
    for entry in contest.entries * rounds:
        if entry.failed:
            continue
        print(f"{source} {table} {entry.contestant.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=home) as directory:
            try:
                _run(entry, end, table, Path(directory))
            except RuntimeError as error:
                entry.failed = failure(entry.contestant.name, error)
    return contest


def _rows(contest: Contest) -> Iterator[list[str]]:
    for entry in contest.entries:
        name = [contest.source, contest.table, entry.contestant.name]
        if entry.failed:
            yield [*name, *[""] * 5, entry.failed]
            continue
        for what, figure in entry.figures.items():
            yield [*name, what, f"{figure:.2f}", *_beside(contest.ours, entry, what), _peak(entry, what)]


def _beside(ours: Entry, entry: Entry, what: str) -> tuple[str, str, str]:
    """A figure as a multiple of migrator's, what is wanted, and whether it is met."""
    if ours.failed:
        return "", "", ""
    ratio = entry.figures[what] / ours.figures[what]
    wanted, verdict = judged(entry.contestant.wanted.get(what), ratio)
    if entry is ours and what in entry.peaks:
        return f"{ratio:.2f}", f"under {MOST_MEGABYTES} MB", "met" if entry.peaks[what] < MOST_MEGABYTES else "missed"
    return f"{ratio:.2f}", wanted, verdict


def _peak(entry: Entry, what: str) -> str:
    return f"{entry.peaks[what]:.0f}" if what in entry.peaks else ""


def contests_report(contests: list[Contest], rows: int, rounds: int) -> Results:
    """Medians, ratios and targets."""
    title = f"dump sets of {rows:,} rows of lineitem; medians of {rounds} interleaved runs"
    heads = ("source", "table", "tool", "what", "", "× migrator", "wanted", "", "peak MB")
    lines = [row for contest in contests for row in _rows(contest)]
    commands = {
        f"{contest.source}: {entry.contestant.name}, {way}": command
        for contest in contests[::-1]
        for entry in contest.entries
        for way, command in zip(("export", "import"), entry.commands, strict=False)
    }
    return Results(title, heads, lines, [verdicts(line[7] for line in lines)], commands)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", nargs="+", default=SOURCES, choices=SOURCES)
    report.add_options(parser)
    arguments = parser.parse_args()
    with bench(arguments.rows) as (ends, home, hidden):
        contests = [
            compete(ends[source], home, source, table, arguments.rounds)
            for source in arguments.sources
            for table in arguments.tables
        ]
        versions = [end.version() for end in ends.values()]
    results = contests_report(contests, arguments.rows, arguments.rounds)
    report.publish([results], arguments.markdown, "benchmarks.dumps", hidden, versions)
    return 1 if any(contest.ours.failed for contest in contests) else 0


if __name__ == "__main__":
    sys.exit(main())
