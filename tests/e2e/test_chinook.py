"""Chinook through all databases and back: after each hop every value of every row equals the start."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.explaining import Round
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.rows import assert_same_rows, rows_of, tables_of
from tests.support.sql import inspect

TABLES = 11
ROWS = 15607

Hop = Callable[[str, str], Run]


@pytest.fixture
def by_link(tmp_path: Path) -> Hop:
    """Move by NETWORK_LINK."""
    return lambda source, target: done(
        pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "FULL=Y", f"DIRECTORY={tmp_path}")
    )


@pytest.fixture
def by_dump(tmp_path: Path) -> Hop:
    """Move by a dump file set of one or two files."""
    made: list[str] = []

    def hop(source: str, target: str) -> Run:
        made.append(source)
        file = f"DUMPFILE=hop{len(made)}_%U.dmp"
        done(pump("expdp", source, "FULL=Y", file, f"DIRECTORY={tmp_path}", "PARALLEL=2"))
        return done(pump("impdp", target, "FULL=Y", file, remap(source, target), f"DIRECTORY={tmp_path}", "PARALLEL=2"))

    return hop


def check(start: str, url: str, run: Run) -> None:
    assert sorted(tables_of(url, schema_of(url))) == sorted(tables_of(start))
    assert len(run.rows) == TABLES
    assert sum(run.rows.values()) == ROWS
    assert_same_rows(start, url, target_schema=schema_of(url))


@pytest.mark.parametrize("way", ["by_link", "by_dump"])
def test_every_value_is_the_same_after_every_hop(
    way: str,
    request: pytest.FixtureRequest,
    sample: Callable[[str], str],
    postgresql: Callable[..., str],
    mysql: Callable[[], str],
    sqlite_file: Callable[[], str],
) -> None:
    hop: Hop = request.getfixturevalue(way)
    start = sample("chinook.sqlite")
    stations = [start, postgresql(), mysql(), sqlite_file()]
    for source, target in pairwise(stations):
        check(start, target, hop(source, target))
    end = stations[-1]
    for table in tables_of(start):
        first, last = rows_of(start, table), rows_of(end, table)
        storage = [sorted(map(repr, rows.values)) for rows in (first, last)]
        assert storage[0] == storage[1], f"{table}: SQLite stores other values or storage classes than at the start"


@pytest.mark.parametrize("via", ["postgresql", "mysql"])
def test_the_loss_lists_explain_every_difference(
    via: str, request: pytest.FixtureRequest, sample: Callable[[str], str], sqlite_file: Callable[[], str], tmp_path: Path
) -> None:
    made = Round.made(sample("chinook.sqlite"), request.getfixturevalue(via)(), sqlite_file(), tmp_path)
    assert made.unexplained() == []
    assert made.unseen() == []


def test_keys_are_the_same_at_the_end(
    by_link: Hop, sample: Callable[[str], str], postgresql: Callable[..., str], mysql: Callable[[], str]
) -> None:
    start = sample("chinook.sqlite")
    stations = [start, postgresql(), mysql()]
    for source, target in pairwise(stations):
        by_link(source, target)

    def keys(url: str) -> dict[str, tuple[object, ...]]:
        schema = None if url == start else schema_of(url)
        with inspect(url) as inspector:
            return {
                table: (
                    inspector.get_pk_constraint(table, schema)["constrained_columns"],
                    sorted(
                        (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                        for key in inspector.get_foreign_keys(table, schema)
                    ),
                    sorted(column["name"] for column in inspector.get_columns(table, schema) if not column["nullable"]),
                )
                for table in tables_of(start)
            }

    expected = keys(start)
    for url in stations[1:]:
        assert keys(url) == expected
