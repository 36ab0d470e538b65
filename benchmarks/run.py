"""How long migrator takes, beside the databases' own bulk tools: ``python -m benchmarks.run [--rows 300000] [--rounds 3]``.

Every job moves one table into a fresh PostgreSQL database and ends with its rows and its primary key. The runs of the
contestants are interleaved; the table shows medians, and each tool's time as a multiple of migrator's. What arrived is
compared by count and checksum after every run. Servers are those of the tests: on one machine, without fsync.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import psycopg
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.measure import Measured, measure, migrator
from tests.support.servers import PostgreSQL, Servers, libpq, pymysql_arguments

OURS = "migrator"


@dataclass
class Bench:
    """The servers, and the sources filled with the samples."""

    postgresql: PostgreSQL
    sources: dict[str, sa.URL]

    @classmethod
    def prepare(cls, servers: Servers, home: Path, rows: int) -> Bench:
        """Fill a SQLite file, and from it a MariaDB and a PostgreSQL database."""
        lite = sa.make_url(f"sqlite:///{home / 'source.db'}")
        data.write(home / "source.db", rows)
        sources = {"SQLite": lite, "PostgreSQL": servers.postgresql().fresh(), "MariaDB": servers.mysql().fresh()}
        for name in ("PostgreSQL", "MariaDB"):
            measure(link(lite, sources[name]))
        return cls(servers.postgresql(), sources)


@dataclass
class Contest:
    """One table from one source, and what each contestant took in each round."""

    source: str
    table: str
    results: dict[str, list[Measured]] = field(default_factory=dict)


def shown(url: sa.URL) -> str:
    """A URL with its password, for a command line."""
    return url.render_as_string(hide_password=False)


def schema_of(url: sa.URL) -> str:
    """The schema that a database's tables are in."""
    return {"sqlite": "main", "postgresql": "public"}.get(url.get_backend_name(), url.database or "")


def link(source: sa.URL, target: sa.URL, *arguments: str) -> list[str]:
    """The job that moves one database into another by NETWORK_LINK."""
    remap = f"REMAP_SCHEMA={schema_of(source)}:{schema_of(target)}"
    return migrator("impdp", shown(target), f"NETWORK_LINK={shown(source)}", remap, *arguments)


def _mariadb(url: sa.URL) -> str:
    where = pymysql_arguments(url)
    place = ["--socket", where["unix_socket"]] if "unix_socket" in where else ["-h", where["host"], "-P", str(where["port"])]
    options = ["--no-defaults", "--default-character-set=utf8mb4", "-u", where["user"], *place, where["database"]]
    return f"MYSQL_PWD={quote(where['password'])} mariadb " + " ".join(quote(option) for option in options)


@dataclass(frozen=True)
class Move:
    """One table to move into a fresh database; ``keys``: a script that makes its primary key."""

    source: sa.URL
    target: sa.URL
    table: str
    keys: Path
    bin_path: Path

    @property
    def psql(self) -> str:
        """The client on the target."""
        return f"{self.client('psql')} -qX -v ON_ERROR_STOP=1 {quote(libpq(self.target))}"

    def client(self, name: str) -> str:
        """A client program of PostgreSQL."""
        return quote(str(self.bin_path / name))

    def copied(self, unload: str, options: str) -> str:
        """A shell line: what ``unload`` prints is copied into the target's table, which then gets its key."""
        load = quote(f"COPY {self.table} FROM STDIN WITH ({options})")
        return f"{unload} | {self.psql} -c {load}; {self.psql} -f {quote(str(self.keys))}"


def _by_migrator(move: Move) -> list[str]:
    return link(move.source, move.target, f"TABLES={schema_of(move.source)}.{move.table}")


def _by_psql(move: Move) -> str:
    unload = quote(f"COPY {move.table} TO STDOUT (FORMAT binary)")
    return move.copied(f"{move.client('psql')} -qX {quote(libpq(move.source))} -c {unload}", "FORMAT binary")


def _by_pg_dump(move: Move) -> str:
    dump = f"{move.client('pg_dump')} -Fc -Z0 -t {move.table} {quote(libpq(move.source))}"
    return f"{dump} | {move.client('pg_restore')} -d {quote(libpq(move.target))}"


def _by_mariadb(move: Move) -> str:
    columns = {"blobs": "id, name, concat('\\\\x', hex(data))"}.get(move.table, "*")
    query = quote(f"SELECT {columns} FROM {move.table}")
    return move.copied(f"{_mariadb(move.source)} -B -N --quick -e {query}", "NULL 'NULL'")


def _by_sqlite3(move: Move) -> str:
    columns = {
        "blobs": "id, name, '\\x' || hex(data)",
        "events": "id, big, at, printf('%!.17g', score), flag, payload, note",  # else floats are printed with 15 digits
    }.get(move.table, "*")
    query = quote(f"SELECT {columns} FROM {move.table}")
    return move.copied(f"sqlite3 -csv {quote(move.source.database or '')} {query}", "FORMAT csv")


@dataclass(frozen=True)
class Contestant:
    """A tool that moves a table from a kind of source; ``makes_table``: or finds it made."""

    name: str
    sources: tuple[str, ...]
    command: Callable[[Move], str | list[str]]
    makes_table: bool = False


CONTESTANTS = (
    Contestant(OURS, ("MariaDB", "PostgreSQL", "SQLite"), _by_migrator, makes_table=True),
    Contestant("psql COPY BINARY | psql", ("PostgreSQL",), _by_psql),
    Contestant("pg_dump -Fc -Z0 | pg_restore", ("PostgreSQL",), _by_pg_dump, makes_table=True),
    Contestant("mariadb -B | psql", ("MariaDB",), _by_mariadb),
    Contestant("sqlite3 -csv | psql", ("SQLite",), _by_sqlite3),
)


def fingerprint(url: sa.URL, table: str) -> tuple[int, int]:
    """A table's number of rows and a checksum of their text."""
    query = f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"
    with psycopg.connect(libpq(url)) as connection:
        count, checksum = connection.execute(query).fetchone() or (0, 0)
        return int(count), int(checksum)


def compete(bench: Bench, home: Path, source: str, table: str, rounds: int) -> Contest:
    """All runs of one contest.

    :raises RuntimeError: a contestant failed, or brought other rows than migrator did.
    """
    contest, server = Contest(source, table), bench.postgresql
    url, template = bench.sources[source], server.fresh()
    measure(link(url, template, f"TABLES={schema_of(url)}.{table}", "CONTENT=METADATA_ONLY"))
    made = server.dump(template, "--section=pre-data")
    keys = home / "keys.sql"
    keys.write_text(server.dump(template, "--section=post-data"))
    server.drop(template.database or "")
    arrived: dict[str, tuple[int, int]] = {}
    for contestant in [c for c in CONTESTANTS if source in c.sources] * rounds:
        target = server.fresh()
        if not contestant.makes_table:
            server.run_script(target, made)
        command = contestant.command(Move(url, target, table, keys, server.bin_path))
        contest.results.setdefault(contestant.name, []).append(measure(command))
        arrived[contestant.name] = fingerprint(target, table)
        server.drop(target.database or "")
    if len(set(arrived.values())) > 1:
        raise RuntimeError(f"{source} {table}: not the same rows arrived: {arrived}")
    return contest


def seconds_of_an_empty_job(bench: Bench, home: Path) -> float:
    """What migrator takes however few rows there are: its processes, their imports, catalogs, the master table."""
    path = home / "empty.db"
    data.write(path, 0, ())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(data.SAMPLES[0].ddl)
    target = bench.postgresql.fresh()
    measured = measure(link(sa.make_url(f"sqlite:///{path}"), target))
    bench.postgresql.drop(target.database or "")
    return measured.seconds


def report(contests: list[Contest], rows: int, rounds: int) -> Table:
    """Medians and ratios."""
    title = f"into PostgreSQL, rows and primary key; {rows:,} rows of lineitem; medians of {rounds} interleaved runs"
    table = Table("source", "table", "tool", "seconds", "(min-max)", "× migrator", "peak MB", title=title)
    for contest in contests:
        ours = statistics.median(run.seconds for run in contest.results[OURS])
        for name, runs in contest.results.items():
            seconds = sorted(run.seconds for run in runs)
            median = statistics.median(seconds)
            peak = max(run.peak for run in runs) / 1e6
            spread = f"({seconds[0]:.2f}-{seconds[-1]:.2f})"
            table.add_row(
                contest.source, contest.table, name, f"{median:.2f}", spread, f"{median / ours:.2f}", f"{peak:.0f}"
            )
    return table


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the largest table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", nargs="*", default=["MariaDB", "PostgreSQL", "SQLite"])
    parser.add_argument("--tables", nargs="*", default=[sample.name for sample in data.SAMPLES])
    arguments = parser.parse_args()
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            bench = Bench.prepare(servers, home, arguments.rows)
            pairs = [(source, table) for source in arguments.sources for table in arguments.tables]
            contests = [compete(bench, home, source, table, arguments.rounds) for source, table in pairs]
            empty = statistics.median(seconds_of_an_empty_job(bench, home) for _ in range(3))
    finally:
        servers.stop()
    console = Console(width=110)
    console.print(report(contests, arguments.rows, arguments.rounds))
    console.print(f"Of migrator's seconds, {empty:.2f} are what a job on an empty table takes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
