"""Memory does not grow with the table: ``python -m benchmarks.memory [--rows 3000000]``.

Every path moves lineitem with PARALLEL=2, with a tenth of the rows and with all of them; the peaks of both runs, all of
migrator's processes together, are printed. The exit code is 1 if ten times the rows took more than ``ALLOWED`` times the
memory anywhere, or a job took ``MOST`` or more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks import data, report
from benchmarks.clients import link, schema_of, shown
from benchmarks.ends import MariaDBEnd, PostgreSQLEnd
from benchmarks.measure import Measured, measure, migrator
from benchmarks.report import Results, verdicts
from tests.support.servers import Servers

ALLOWED = 1.25
"""How much more memory ten times the rows may take: allocators and caches, not rows."""
MOST = 300_000_000
"""Bytes that no job may reach."""
_PARALLEL = ("PARALLEL=2", "PARALLEL_THRESHOLD=8M")
"""Small enough for a tenth of the rows to be work for two, too."""


def paths(servers: Servers, home: Path) -> Iterator[tuple[str, list[str]]]:
    """Jobs over every adapter's reader and writer and over dump files, each using what the ones before have made."""
    lite = sa.make_url(f"sqlite:///{home / 'source.db'}")
    first, second, restored = (servers.postgresql().fresh() for _ in range(3))
    maria, again = servers.mysql().fresh(), servers.mysql().fresh()
    end = sa.make_url(f"sqlite:///{home / 'end.db'}")
    yield "SQLite > PostgreSQL", link(lite, first, *_PARALLEL)
    yield "PostgreSQL > PostgreSQL", link(first, second, *_PARALLEL)
    yield "PostgreSQL > MariaDB", link(first, maria, *_PARALLEL)
    yield "MariaDB > MariaDB", link(maria, again, *_PARALLEL)
    yield "MariaDB > SQLite", link(maria, end, *_PARALLEL)
    dump = (f"DIRECTORY={home}", "DUMPFILE=memory%U.dmp", *_PARALLEL)
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


def judge(few: dict[str, Measured], full: dict[str, Measured], rows: int) -> Results:
    """Both peaks of every path, and whether they keep to the limits."""
    heads = ("path", f"{rows // 10:,} rows: MB", f"{rows:,} rows: MB", "ratio", "wanted", "", "seconds")
    wanted = f"at most {ALLOWED}, under {MOST / 1e6:.0f} MB"
    lines = []
    for name, run in full.items():
        ratio = run.peak / few[name].peak
        verdict = "met" if ratio <= ALLOWED and max(run.peak, few[name].peak) < MOST else "missed"
        peaks_ = (f"{few[name].peak / 1e6:.0f}", f"{run.peak / 1e6:.0f}")
        lines.append([name, *peaks_, f"{ratio:.2f}", wanted, verdict, f"{run.seconds:.1f}"])
    return Results("peak memory, PARALLEL=2", heads, lines, [verdicts(line[5] for line in lines)])


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    report.add_page(parser)
    arguments = parser.parse_args()
    servers = Servers()
    try:
        few, full = peaks(servers, arguments.rows // 10), peaks(servers, arguments.rows)
        versions = [PostgreSQLEnd(servers.postgresql()).version(), MariaDBEnd(servers.mysql()).version()]
    finally:
        servers.stop()
    results = judge(few, full, arguments.rows)
    report.publish([results], arguments.markdown, "benchmarks.memory", {}, versions)
    return 1 if any("missed" in row for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
