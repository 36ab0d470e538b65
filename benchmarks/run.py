"""How long migrator takes, beside the databases' own bulk tools: ``python -m benchmarks.run [--rows 300000] [--rounds 3]``.

Every job moves one table by NETWORK_LINK into a fresh database and ends with its rows and its primary key. The runs of the
contestants are interleaved; the table shows medians, each tool's time as a multiple of migrator's and, where migrator goes
with two workers too, as a multiple of that, what the multiple is wanted to be, and whether it is. What arrived is compared
by count and checksum after every run. ``benchmarks.dumps`` does the same for dump file sets.

Servers are those of the tests, on one machine: PostgreSQL runs without fsync, MariaDB writes its log once a second. A tool
that is missing is named in its row. The exit code is 1 if migrator failed anywhere.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from benchmarks import data, report
from benchmarks.clients import link
from benchmarks.ends import End, bench, fresh
from benchmarks.measure import Measured, measure, median, peak_megabytes
from benchmarks.race import Contest, Entry, compete
from benchmarks.report import Results, verdicts
from benchmarks.routes import ROUTES
from benchmarks.wanted import Wanted, judged

HEADS = ("path", "table", "tool", "seconds", "(min-max)", "× migrator", "× PARALLEL=2", "wanted", "", "peak MB", "rows")
WITH_MORE = "with PARALLEL=2"


def seconds_of_an_empty_job(ends: Mapping[str, End], home: Path) -> Measured:
    """What migrator takes however few rows there are: its processes, their imports, catalogs, the master table."""
    path = home / "empty.db"
    data.write(path, 0, ())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(data.SAMPLES[0].ddl)
    with fresh(ends["PostgreSQL"]) as target:
        return measure(link(sa.make_url(f"sqlite:///{path}"), target))


def _row(contest: Contest, entry: Entry) -> list[str]:
    name = [contest.route.name, contest.table, entry.contestant.name]
    if entry.failed:
        return [*name, *[""] * 7, entry.failed]
    seconds = [run.seconds for run in entry.runs]
    spread = f"({min(seconds):.2f}-{max(seconds):.2f})"
    ratios = [None if ours.failed else median(entry.runs) / median(ours.runs) for ours in contest.ours]
    shown = [*("" if ratio is None else f"{ratio:.2f}" for ratio in ratios), ""][:2]
    verdict = _verdict(entry.contestant.wanted.of(contest.table), ratios)
    peak = f"{peak_megabytes(entry.runs):.0f}"
    return [*name, f"{median(entry.runs):.2f}", spread, *shown, *verdict, peak, _exactness(entry)]


def _verdict(wanted: Wanted | None, ratios: Sequence[float | None]) -> tuple[str, str]:
    """The words of what is wanted, and whether migrator reaches it, or only with more workers does."""
    if ratios[0] is None:
        return "", ""
    words, verdict = judged(wanted, ratios[0])
    later = wanted is not None and any(ratio is not None and wanted.met(ratio) for ratio in ratios[1:])
    return words, WITH_MORE if verdict == "missed" and later else verdict


def _exactness(entry: Entry) -> str:
    if not entry.contestant.inexact:
        return "all"
    return f"{'not exact' if entry.differs else 'all of these, but'}: {entry.contestant.inexact}"


def contests_report(contests: list[Contest], rows: int, rounds: int, empty: float) -> Results:
    """Medians, ratios and targets."""
    title = f"network links, rows and primary key; {rows:,} rows of lineitem; medians of {rounds} interleaved runs"
    lines = [_row(contest, entry) for contest in contests for entry in contest.entries]
    found = [line[HEADS.index("wanted") + 1] for line in lines]
    notes = [
        verdicts(found),
        f"{found.count(WITH_MORE)} more are with two workers, which a single stream of the tool is then compared with.",
        f"Of migrator's seconds, {empty:.2f} are what a job on an empty table takes.",
    ]
    commands = {f"{c.route.name}: {e.contestant.name}": e.command for c in contests[::-1] for e in c.entries if e.command}
    return Results(title, HEADS, lines, notes, commands)


def main() -> int:
    """Measure and print."""
    names = [route.name for route in ROUTES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", nargs="+", default=names, choices=names, metavar="PATH", help=", ".join(names))
    report.add_options(parser)
    arguments = parser.parse_args()
    routes, rounds = [route for route in ROUTES if route.name in arguments.paths], arguments.rounds
    with bench(arguments.rows) as (ends, home, hidden):
        contests = [compete(ends, route, table, home, rounds) for route in routes for table in arguments.tables]
        empty = median([seconds_of_an_empty_job(ends, home) for _ in range(rounds)])
        versions = [end.version() for end in ends.values()]
    results = contests_report(contests, arguments.rows, rounds, empty)
    report.publish([results], arguments.markdown, "benchmarks.run", hidden, versions)
    return 1 if any(ours.failed for contest in contests for ours in contest.ours) else 0


if __name__ == "__main__":
    sys.exit(main())
