"""Dump sets beside the databases' own dumps: ``python -m benchmarks.dumps [--rows 300000] [--rounds 3]``.

Each table is exported and imported by migrator (COMPRESSION=ALL PARALLEL=2), by pg_dump and pg_restore (-Fd -j2, gzip) on
PostgreSQL, by mydumper and myloader (two threads, gzip) on MariaDB. An import ends with the rows and the primary key in a
fresh database. The runs of the contestants are interleaved; the table shows medians, each tool's time and size as a multiple
of migrator's, and the peak memory of the tool's processes. What arrived is compared by count and checksum after every run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import pymysql
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.measure import Measured, measure, migrator
from benchmarks.run import Bench, fingerprint, schema_of, shown
from tests.support.servers import PostgreSQL, Server, Servers, libpq, pymysql_arguments

OURS = "migrator"
Command = str | list[str]


@dataclass(frozen=True)
class Dump:
    """One table's dump into a directory, and from it into a fresh database."""

    server: Server
    source: sa.URL
    target: sa.URL
    table: str
    directory: Path

    def client(self, name: str) -> str:
        """A client program of PostgreSQL."""
        assert isinstance(self.server, PostgreSQL)
        return quote(str(self.server.bin_path / name))


@dataclass(frozen=True)
class Contestant:
    """A tool that dumps and restores the tables of one kind of database."""

    name: str
    source: str
    unload: Callable[[Dump], Command]
    load: Callable[[Dump], Command]


def _where(dump: Dump) -> list[str]:
    return [f"DIRECTORY={dump.directory}", "DUMPFILE=bench%U.dmp", "PARALLEL=2"]


def _expdp(dump: Dump) -> Command:
    tables = f"TABLES={schema_of(dump.source)}.{dump.table}"
    return migrator("expdp", shown(dump.source), tables, *_where(dump), "COMPRESSION=ALL")


def _impdp(dump: Dump) -> Command:
    remap = f"REMAP_SCHEMA={schema_of(dump.source)}:{schema_of(dump.target)}"
    return migrator("impdp", shown(dump.target), remap, *_where(dump))


def _pg_dump(dump: Dump) -> Command:
    where = f"-f {quote(str(dump.directory / 'dump'))} {quote(libpq(dump.source))}"
    return f"{dump.client('pg_dump')} -Fd -j2 -t {dump.table} {where}"


def _pg_restore(dump: Dump) -> Command:
    return f"{dump.client('pg_restore')} -Fd -j2 -d {quote(libpq(dump.target))} {quote(str(dump.directory / 'dump'))}"


def _maria(url: sa.URL) -> str:
    where = pymysql_arguments(url)
    place = f"-S {quote(where['unix_socket'])}" if "unix_socket" in where else f"-h {where['host']} -P {where['port']}"
    return f"-u {quote(where['user'])} -p {quote(where['password'])} {place} -t 2 -B {quote(where['database'])}"


def _mydumper(dump: Dump) -> Command:
    return f"mydumper {_maria(dump.source)} -T {dump.table} --compress -o {quote(str(dump.directory))}"


def _myloader(dump: Dump) -> Command:
    return f"myloader {_maria(dump.target)} -d {quote(str(dump.directory))}"


CONTESTANTS = (
    Contestant(OURS, "PostgreSQL", _expdp, _impdp),
    Contestant("pg_dump, pg_restore -Fd -j2", "PostgreSQL", _pg_dump, _pg_restore),
    Contestant(OURS, "MariaDB", _expdp, _impdp),
    Contestant("mydumper --compress, myloader -t 2", "MariaDB", _mydumper, _myloader),
)


@dataclass
class Contest:
    """One table of one source, and what each contestant took in each round: for the export, for the import, on disk."""

    source: str
    table: str
    exports: dict[str, list[Measured]] = field(default_factory=dict)
    imports: dict[str, list[Measured]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def _arrived(url: sa.URL, table: str) -> tuple[int, int]:
    if url.get_backend_name() == "postgresql":
        return fingerprint(url, table)
    with pymysql.connect(**pymysql_arguments(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        ((count,),) = cursor.fetchall()
        cursor.execute(f"CHECKSUM TABLE {table}")
        ((_, checksum),) = cursor.fetchall()
    return int(count), int(checksum)


def compete(server: Server, home: Path, source: str, url: sa.URL, table: str, rounds: int) -> Contest:
    """All runs of one contest.

    :raises RuntimeError: a contestant failed, or brought other rows than there are.
    """
    contest, expected = Contest(source, table), _arrived(url, table)
    for contestant in [c for c in CONTESTANTS if c.source == source] * rounds:
        directory = home / "dump"
        directory.mkdir()
        dump = Dump(server, url, server.fresh(), table, directory)
        contest.exports.setdefault(contestant.name, []).append(measure(contestant.unload(dump)))
        contest.sizes[contestant.name] = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        contest.imports.setdefault(contestant.name, []).append(measure(contestant.load(dump)))
        arrived = _arrived(dump.target, table)
        if arrived != expected:
            raise RuntimeError(f"{contestant.name}: {source} {table}: {arrived} arrived, not {expected}")
        server.drop(dump.target.database or "")
        shutil.rmtree(directory)
    return contest


def _cells(runs: dict[str, list[Measured]], name: str) -> tuple[str, str, str]:
    seconds = statistics.median(run.seconds for run in runs[name])
    ours = statistics.median(run.seconds for run in runs[OURS])
    return f"{seconds:.2f}", f"{seconds / ours:.2f}", f"{max(run.peak for run in runs[name]) / 1e6:.0f}"


def _rows(contest: Contest) -> Iterator[tuple[str, ...]]:
    for name, size in contest.sizes.items():
        relative = (f"{size / 1e6:.1f}", f"{size / contest.sizes[OURS]:.2f}")
        yield contest.source, contest.table, name, *_cells(contest.exports, name), *relative, *_cells(contest.imports, name)


def report(contests: list[Contest], rows: int, rounds: int) -> Table:
    """Medians and ratios."""
    title = f"dump sets of {rows:,} rows of lineitem; medians of {rounds} interleaved runs; × is a multiple of migrator's"
    heads = ("export s", "×", "peak MB", "dump MB", "×", "import s", "×", "peak MB")
    table = Table("source", "table", "tool", *heads, title=title)
    for contest in contests:
        for row in _rows(contest):
            table.add_row(*row)
    return table


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the largest table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", nargs="*", default=["MariaDB", "PostgreSQL"])
    parser.add_argument("--tables", nargs="*", default=[sample.name for sample in data.SAMPLES])
    arguments = parser.parse_args()
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            bench = Bench.prepare(servers, home, arguments.rows)
            of = {"MariaDB": servers.mysql(), "PostgreSQL": servers.postgresql()}
            contests = [
                compete(of[source], home, source, bench.sources[source], table, arguments.rounds)
                for source in arguments.sources
                for table in arguments.tables
            ]
    finally:
        servers.stop()
    Console(width=140).print(report(contests, arguments.rows, arguments.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
