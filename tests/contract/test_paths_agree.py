"""Between every two databases, and within each: a value comes to the same on every path, or is refused on every path.

Values are what the source server's own SQL makes; they are compared with what the two servers print, by plain drivers.
``MIGRATOR_TEST_EXAMPLES`` asks for more than the few examples of a usual run, and for other ones each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.catalog import Catalog
from migrator.model.objects import QName, Table
from tests.support.ends import ENDS, End, MySQLEnd
from tests.support.examples import few
from tests.support.literals import HELD, MARIADB_ALONE, SETUP
from tests.support.meaning import limit, meaning
from tests.support.paths import BESIDE_V, PATHS, Refused, Rows, Stored, moved, read
from tests.support.servers import Servers

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

FEW = few(3)

NEIGHBOURS = {
    "sqlite": ("INTEGER", "TEXT", "BLOB", "DECIMAL_TEXT"),
    "postgresql": ("bigint", "text", "bytea", "numeric"),
    "mysql": ("bigint", "text", "longblob", "decimal(65,30)"),
}
"""How the columns id, w, b and d are declared."""
BESIDE = {
    "sqlite": ("'w\\'", "x'5c4e00'", "'1.5'"),
    "postgresql": ("'w\\'", "'\\x5c4e00'", "1.5"),
    "mysql": ("_utf8mb4 x'775c'", "x'5c4e00'", "1.5"),
}
"""What stands in w, b and d: ends of fields that are easily taken for more."""


@dataclass(frozen=True)
class Bench:
    """Each database twice: as a source with a table ``s0``, ``s1`` … for each column of ``HELD``, and as an empty target."""

    sources: dict[str, End]
    targets: dict[str, End]
    catalogs: dict[str, Catalog]
    directory: Path

    def described(self, source: End, name: str) -> tuple[Catalog, Table]:
        """A source's table. SQLite's types are those of its rows."""
        catalog = source.catalog() if source.name == "sqlite" else self.catalogs[source.name]
        table = catalog.table(QName(source.server.schema, name))
        assert table is not None
        return catalog, table


@pytest.fixture(scope="module")
def bench(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    directory = tmp_path_factory.mktemp("paths")
    running = {"postgresql": servers.postgresql(), "mysql": servers.mysql()}
    urls = {f"{name} {use}": running[name].fresh() for name in running for use in ("source", "target")}
    where = {use: url.render_as_string(hide_password=False) for use, url in urls.items()}
    where |= {f"sqlite {use}": f"sqlite:///{directory}/{use}.db" for use in ("source", "target")}
    sources, targets = ({name: end(where[f"{name} {use}"]) for name, end in ENDS.items()} for use in ("source", "target"))
    for name, source in sources.items():
        for statement in SETUP[name]:
            source.run(statement)
            targets[name].run(statement)
        for number, held in enumerate(HELD[name]):
            if _is_mysql(source) and held.declaration in MARIADB_ALONE:
                continue
            id_, w, b, d = NEIGHBOURS[name]
            source.run(f"CREATE TABLE s{number} (id {id_}, v {held.declaration}, w {w}, b {b}, d {d})")
    yield Bench(sources, targets, {name: source.catalog() for name, source in sources.items()}, directory)
    for end in (*sources.values(), *targets.values()):
        end.close()
    for use, url in urls.items():
        running[use.split()[0]].drop(url.database or "")


def _is_mysql(end: End) -> bool:
    return isinstance(end, MySQLEnd) and not end.is_mariadb


# --- one table, its rows, every path --------------------------------------------------------------------------------


def fill(source: End, name: str, values: Sequence[str]) -> None:
    """Make values and a NULL what a table holds, as rows 0, 1, 2 …"""
    beside = BESIDE[source.name]
    source.put(name, [(str(number), value, *beside) for number, value in enumerate((*values, "NULL"))])


def assert_paths_agree(bench: Bench, source: End, name: str, *, broken: frozenset[str] = frozenset()) -> None:
    """Move the rows of a table to each database on each path: those together that it has a place for, any other alone.

    ``broken``: the rows that have no place anywhere.
    """
    catalog, table = bench.described(source, name)
    printed = {row[0] or "": dict(zip(COLUMNS, row, strict=True)) for row in source.shown(name, COLUMNS)}
    type_ = table.columns[1].type
    for target in bench.targets.values():
        product = "MySQL" if _is_mysql(target) else "MariaDB"
        limits = {id_: limit(target.name, type_, row["v"], product=product) for id_, row in printed.items()}
        fitting = [id_ for id_, found in limits.items() if found is None and id_ not in broken]
        if fitting:
            with read(source, catalog, table, fitting) as rows:
                assert_moved(bench.directory, rows, target, [printed[id_] for id_ in fitting])
        for id_ in printed.keys() - fitting:
            with read(source, catalog, table, [id_]) as rows:
                assert_refused(bench.directory, rows, target, printed[id_])


COLUMNS = ("id", "v", *BESIDE_V)
Printed = dict[str, str | None]


def assert_moved(directory: Path, rows: Rows, target: End, printed: Sequence[Printed]) -> None:
    """The rows mean the same to the target as to their source, and are the same to it on every path."""
    types = {column.name: column.type for column in rows.table.columns}
    values: set[tuple[str | None, ...]] = set()
    for path in PATHS:
        outcome = moved(path, rows, target, directory)
        if outcome is None:
            continue
        where = f"{rows.end.name} to {target.name}, {path.name}, {types['v']}"
        assert isinstance(outcome, Stored), f"{where}: {printed} refused: {outcome.why}"
        names = ("id", "v", path.beside)
        mean = partial(meaning, parsed="mysql" if _is_mysql(target) else "numeric" if _is_mysql(rows.end) else "")
        came = [[mean(types[n], text) for n, text in zip(names, row, strict=True)] for row in outcome.rows]
        assert came == [[mean(types[n], row[n]) for n in names] for row in printed], where
        values.add(tuple(row[1] for row in outcome.rows))
        assert len(values) == 1, f"{where}: another text than on the paths before: {values}"


_NAMED = re.compile(r"(\b|_)v\b|rowid|has no equivalent")


def assert_refused(directory: Path, rows: Rows, target: End, printed: Printed) -> None:
    """A row is refused on every path, by its column or by its key."""
    for path in PATHS:
        outcome = moved(path, rows, target, directory)
        if outcome is not None:
            where = f"{rows.end.name} to {target.name}, {path.name}, {rows.table.columns[1].type}"
            assert isinstance(outcome, Refused), f"{where}: {printed} became {outcome}"
            assert _NAMED.search(outcome.why), f"{where}: no column is named: {outcome.why}"


# --- values ---------------------------------------------------------------------------------------------------------

OF_MARIADB = pytest.mark.product("MariaDB", "UUIDs and addresses among its types")
EVERY = [
    pytest.param(
        *(name, number),
        id=f"{name} {held.declaration}",
        marks=OF_MARIADB if name == "mysql" and held.declaration in MARIADB_ALONE else (),
    )
    for name in HELD
    for number, held in enumerate(HELD[name])
]


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_odd_values_come_to_the_same_on_every_path(bench: Bench, name: str, number: int) -> None:
    source, held, table = bench.sources[name], HELD[name][number], f"s{number}"
    for values in (held.odd, *((value,) for value in held.stray)):
        fill(source, table, values)
        assert_paths_agree(bench, source, table)
    for value in held.broken:
        fill(source, table, [value])
        assert_paths_agree(bench, source, table, broken=frozenset("0"))


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_usual_values_come_to_the_same_on_every_path(bench: Bench, name: str, number: int) -> None:
    source, held, table = bench.sources[name], HELD[name][number], f"s{number}"
    one = held.values | st.sampled_from(held.odd) if held.odd else held.values

    @FEW
    @given(st.lists(one, min_size=1, max_size=12))
    def agree(values: list[str]) -> None:
        fill(source, table, values)
        assert_paths_agree(bench, source, table)

    agree()
