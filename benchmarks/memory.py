"""Memory does not grow with the table: ``python -m benchmarks.memory [--rows 3000000]``.

Every path moves lineitem with a tenth of the rows and with all of them; the peaks of both runs are printed. The exit code
is 1 if ten times the rows took more than ``ALLOWED`` times the memory anywhere.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.measure import Measured, measure, migrator
from benchmarks.run import link, schema_of, shown
from tests.support.servers import Servers

ALLOWED = 1.25
"""How much more memory ten times the rows may take: allocators and caches, not rows."""


def paths(servers: Servers, home: Path) -> Iterator[tuple[str, list[str]]]:
    """Jobs over every adapter's reader and writer and over dump files, each using what the ones before have made."""
    lite = sa.make_url(f"sqlite:///{home / 'source.db'}")
    first, second, restored = (servers.postgresql().fresh() for _ in range(3))
    maria, again = servers.mysql().fresh(), servers.mysql().fresh()
    end = sa.make_url(f"sqlite:///{home / 'end.db'}")
    yield "SQLite > PostgreSQL", link(lite, first)
    yield "PostgreSQL > PostgreSQL", link(first, second)
    yield "PostgreSQL > MariaDB", link(first, maria)
    yield "MariaDB > MariaDB", link(maria, again)
    yield "MariaDB > SQLite", link(maria, end)
    dump = (f"DIRECTORY={home}", "DUMPFILE=memory.dmp")
    yield "PostgreSQL > dump set", migrator("expdp", shown(first), f"SCHEMAS={schema_of(first)}", *dump)
    yield "dump set > PostgreSQL", migrator("impdp", shown(restored), *dump)
    for server, url in [(servers.postgresql(), url) for url in (first, second, restored)]:
        server.drop(url.database or "")
    for url in (maria, again):
        servers.mysql().drop(url.database or "")


def peaks(servers: Servers, rows: int) -> dict[str, Measured]:
    """What each path took."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        data.write(home / "source.db", rows, ("lineitem",))
        return {name: measure(command) for name, command in paths(servers, home)}


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    rows: int = parser.parse_args().rows
    servers = Servers()
    try:
        few, all_ = peaks(servers, rows // 10), peaks(servers, rows)
    finally:
        servers.stop()
    table = Table("path", f"{rows // 10:,} rows: MB", f"{rows:,} rows: MB", "ratio", "seconds", title="peak resident memory")
    flat = True
    for name, run in all_.items():
        ratio = run.peak / few[name].peak
        flat = flat and ratio <= ALLOWED
        megabytes = (f"{few[name].peak / 1e6:.0f}", f"{run.peak / 1e6:.0f}")
        table.add_row(name, *megabytes, f"{ratio:.2f}", f"{run.seconds:.1f}")
    Console(width=110).print(table)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
