"""From each database to each other one and back: what differs is what the two ledgers say, and they say nothing else.

Catalogs are compared attribute by attribute, rows as plain drivers print them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.model.objects import Table
from tests.support.explaining import Round
from tests.support.printed import rows_that_differ
from tests.support.rich import SCHEMAS, ZERO_DATES
from tests.support.servers import Servers
from tests.support.sql import is_mariadb, rows

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]
Fresh = Callable[[str], str]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """``fresh("mysql")``: the URL of an empty database of a kind."""
    made: Iterator[int] = iter(range(100))

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{next(made)}.db"
        return str(request.getfixturevalue(kind)())

    return make


def fill(servers: Servers, url: str, script: str) -> None:
    """Run a script in a database with its own client."""
    target = sa.make_url(url)
    if target.get_backend_name() != "sqlite":
        server = servers.postgresql() if target.get_backend_name() == "postgresql" else servers.mysql()
        server.run_script(target, script)
        return
    with closing(sqlite3.connect(target.database or "")) as connection:
        connection.executescript(script)


@pytest.mark.parametrize(("first", "via"), list(permutations(SCHEMAS, 2)))
def test_what_differs_is_what_the_ledgers_say(first: str, via: str, servers: Servers, fresh: Fresh, tmp_path: Path) -> None:
    source = fresh(first)
    fill(servers, source, SCHEMAS[first])
    made = Round.made(source, fresh(via), fresh(first), tmp_path)
    assert [str(difference) for difference in made.unexplained()] == []
    assert [str(entry) for entry in made.unseen()] == []
    heirs = {parent.name for table in made.catalogs[0].of(Table) for parent in table.parents}  # PostgreSQL shows their rows
    parsed = {"kinds"} if via == "mysql" and not is_mariadb(made.via) else set()  # its JSON is not kept as a text
    differing = rows_that_differ(source, made.back, made.catalogs[0])
    assert heirs <= differing.keys() <= heirs | parsed, differing
    for url in (source, made.via, made.back):
        shown = rows(url, "SELECT price, number FROM dear ORDER BY price")
        assert [tuple(map(float, row)) for row in shown] == [(10.5, 2), (99, 1)]


@pytest.mark.parametrize("via", ["postgresql", "sqlite"])
def test_values_that_were_changed_are_counted(via: str, servers: Servers, fresh: Fresh, tmp_path: Path) -> None:
    source = fresh("mysql")
    fill(servers, source, ZERO_DATES)
    made = Round.made(source, fresh(via), fresh("mysql"), tmp_path, "POLICY=zero_date=convert")
    told = {entry.column: entry.rows for entry in made.told if entry.rule == "zero-date"}
    here, there = (
        rows(url, "SELECT id, CONCAT(day), CONCAT(moment) FROM zero_dates ORDER BY id") for url in (source, made.back)
    )
    changed = [sum(a[place] != b[place] for a, b in zip(here, there, strict=True)) for place in (1, 2)]
    assert changed == [told.get("day", 0), told.get("moment", 0)] == ([2, 1] if via == "postgresql" else [0, 0])
    assert [str(difference) for difference in made.unexplained()] == []
