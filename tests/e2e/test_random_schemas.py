"""Random schemas with random values, from each database to each other one and back: all that differs is in the ledgers.

``MIGRATOR_TEST_EXAMPLES`` asks for more than the few examples of a usual run, and for other ones each time. What it found
once is a test of its own where the defect was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given

from migrator.model.catalog import Catalog
from migrator.model.objects import QName
from tests.support.ends import ENDS, End
from tests.support.examples import few
from tests.support.explaining import Round
from tests.support.literals import HELD, MARIADB_ALONE, SETUP
from tests.support.meaning import limit
from tests.support.printed import rows_that_differ
from tests.support.pump import done, pump, remap
from tests.support.random_schemas import SPELLINGS, Drawn, DrawnTable, schemas
from tests.support.servers import Servers

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

FEW = few(2)


@contextmanager
def databases(servers: Servers, directory: Path, *kinds: str) -> Iterator[list[str]]:
    """An empty database of each kind."""
    running = {"postgresql": servers.postgresql(), "mysql": servers.mysql()}
    urls = []
    for number, kind in enumerate(kinds):
        file = directory / f"{number}.db"
        file.unlink(missing_ok=True)
        urls.append(sa.make_url(f"sqlite:///{file}") if kind == "sqlite" else running[kind].fresh())
    yield [url.render_as_string(hide_password=False) for url in urls]
    for kind, url in zip(kinds, urls, strict=True):
        if kind != "sqlite":
            running[kind].drop(url.database or "")


def fill(source: End, drawn: Drawn, target: str) -> None:
    """Make a schema with its rows, but for the values that the target has no place for."""
    for statement in (*SETUP[source.name], *drawn.statements()):
        source.run(statement)
    catalog, quoted = source.catalog(), SPELLINGS[source.name].name
    found = [(quoted(table.name), id_) for table in drawn.tables for id_ in _without_place(source, catalog, table, target)]
    for table in drawn.tables if found else ():
        if table.refers is not None:
            source.run(f"UPDATE {quoted(table.name)} SET {quoted('ref')} = NULL")
    for name, id_ in found:
        source.run(f"DELETE FROM {name} WHERE {quoted('id')} = {id_}")


def _without_place(source: End, catalog: Catalog, table: DrawnTable, target: str) -> Iterator[str]:
    """The rows with a value that the target has no place for."""
    described = catalog.table(QName(source.server.schema, table.name))
    assert described is not None
    quoted = SPELLINGS[source.name].name
    names = ["id", *(column.name for column in table.columns)]
    for row in source.shown(quoted(table.name), [quoted(name) for name in names]):
        limits = (limit(target, described.column(name).type, text) for name, text in zip(names, row, strict=True))
        if any(found is not None for found in limits):
            yield row[0] or ""


@pytest.mark.parametrize(("first", "via"), list(permutations(HELD, 2)))
def test_what_differs_is_in_the_ledgers(first: str, via: str, servers: Servers, tmp_path: Path) -> None:
    is_mysql = servers.mysql().product == "MySQL"
    lacking, parsed = MARIADB_ALONE if is_mysql else frozenset(), "mysql" if is_mysql and via == "mysql" else ""

    @FEW
    @given(schemas(first, lacking))
    def goes_there_and_back(drawn: Drawn) -> None:
        with databases(servers, tmp_path, first, via, first) as (source, between, back):
            with closing(ENDS[first](source)) as end:
                fill(end, drawn, via)
            made = Round.made(source, between, back, tmp_path)
            for here, there in ((source, between), (between, back)):
                done(pump("verify", there, f"NETWORK_LINK={here}", remap(here, there)))
            assert rows_that_differ(source, back, made.catalogs[0], parsed=parsed) == {}
            assert [str(difference) for difference in made.unexplained()] == []
            assert [str(entry) for entry in made.untrue()] == []

    goes_there_and_back()
