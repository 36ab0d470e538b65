"""Contests: each contestant of a route moves the same table, round after round; what arrived is compared every time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from benchmarks.clients import link, schema_of
from benchmarks.ends import End, Fingerprint, OtherRowsArrived, PostgreSQLEnd, Shape, fresh
from benchmarks.measure import Command, Measured, failure, measure
from benchmarks.routes import OURS, Contestant, Move, Route
from benchmarks.tools import missing


@dataclass
class Entry:
    """What a contestant took in each round; ``failed``: why it has no results; ``differs``: something was lost."""

    contestant: Contestant
    runs: list[Measured] = field(default_factory=list)
    command: Command = ""
    failed: str = ""
    differs: bool = False


@dataclass
class Contest:
    """One table on one route."""

    route: Route
    table: str
    entries: list[Entry]

    @property
    def ours(self) -> list[Entry]:
        """Migrator's: the one that is judged, then with more workers."""
        return [entry for entry in self.entries if entry.contestant.name.startswith(OURS)]


@dataclass(frozen=True)
class Course:
    """What all runs of a contest share: where the rows come from, how the table is made, what has to arrive."""

    ends: Mapping[str, End]
    route: Route
    table: str
    shape: Shape
    expected: Fingerprint
    home: Path

    @classmethod
    def lay(cls, ends: Mapping[str, End], route: Route, table: str, home: Path) -> Course:
        """The table as migrator makes it; the rows are those of the source of the target's kind."""
        source, target = ends[route.source], ends[route.target]
        with fresh(target) as template:
            only = f"TABLES={schema_of(source.source)}.{table}"
            measure(link(source.source, template, only, "CONTENT=METADATA_ONLY"))
            shape = target.shape(template, table)
        (home / "keys.sql").write_text(shape.keys)
        return cls(ends, route, table, shape, target.fingerprint(target.source, table), home)

    def run(self, entry: Entry) -> None:
        """One run.

        :raises RuntimeError: it failed.
        """
        contestant, end = entry.contestant, self.ends[self.route.target]
        with fresh(end) as target:
            if not contestant.makes_table:
                end.run(target, self.shape.table)
            entry.command = contestant.command(self._move(target))
            measured = measure(entry.command)
            arrived = end.fingerprint(target, self.table)
        entry.differs = entry.differs or arrived != self.expected
        if entry.differs and not contestant.inexact:
            raise OtherRowsArrived(f"{arrived} arrived, not {self.expected} (count, checksum)")
        entry.runs.append(measured)

    def _move(self, target: sa.URL) -> Move:
        postgresql = self.ends["PostgreSQL"]
        assert isinstance(postgresql, PostgreSQLEnd)
        return Move(
            source=self.ends[self.route.source].source,
            target=target,
            near=self.ends[self.route.target].source,
            table=self.table,
            keys=self.home / "keys.sql",
            work=self.home,
            bin_path=postgresql.server.bin_path,
        )


def compete(ends: Mapping[str, End], route: Route, table: str, home: Path, rounds: int) -> Contest:
    """All runs of one contest, interleaved. Who fails is left out from then on, and the contest says so."""
    contest = Contest(route, table, [Entry(c, failed=missing(c.needs)) for c in route.contestants])
    course = Course.lay(ends, route, table, home)
    for entry in contest.entries * rounds:
        if not entry.failed:
            print(f"{route.name} {table} {entry.contestant.name}", file=sys.stderr)
            try:
                course.run(entry)
            except RuntimeError as error:
                entry.failed = failure(entry.contestant.name, error)
    return contest
