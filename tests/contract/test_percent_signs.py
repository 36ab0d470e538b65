"""Percent signs in names and texts, which drivers take for the marks of parameters, in every query that is made of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import sqlalchemy as sa

from migrator.adapter import Read, adapter_for_backend, execute_verbatim
from migrator.model.objects import Literal, Sequence, Table
from migrator.testing import Workbench
from tests.support.sql import execute, is_mariadb

NAMES = ("100%s", "%(x)s", "%")


@pytest.fixture(params=["postgresql", "mysql"])
def bench(request: pytest.FixtureRequest) -> Workbench:
    url = cast(Callable[[], str], request.getfixturevalue(request.param))()
    return Workbench.at(adapter_for_backend(sa.make_url(url).get_backend_name()), url)


def test_sql_is_run_as_it_is_written(bench: Workbench) -> None:
    with bench.connect() as connection:
        found = execute_verbatim(connection, "SELECT 'a%b', '%s', '%(x)s', '%%', 5 % 3").one()
    assert tuple(found) == ("a%b", "%s", "%(x)s", "%%", 2)


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_columns_with_percent_signs_are_read_as_any(bench: Workbench, name: str) -> None:
    quote, adapter = bench.ddl().quote, bench.adapter
    table, key, text = quote(name), quote(f"{name}k"), quote(f"{name}t")
    counts = adapter.name != "mysql" or is_mariadb(bench.engine.url)
    execute(
        bench.engine.url,
        *([f"CREATE SEQUENCE {quote(name + 'q')} START WITH 7"] if counts else []),
        f"CREATE TABLE {table} ({key} integer PRIMARY KEY, {text} varchar(9) DEFAULT '%s 😀')",
        f"INSERT INTO {table} ({key}) VALUES (1), (2), (3)",
    )
    catalog = bench.catalog()
    assert [found.next_value for found in catalog.of(Sequence)] == [7] * counts
    (found,) = catalog.of(Table)
    assert found.columns[1].default == Literal("%s 😀")
    whole = Read(found.source, found.columns)
    with bench.reading() as connection:
        assert adapter.changed(connection, whole, adapter.mark(connection), 4) == "it has 3 rows, not 4"
        assert cast(tuple[int, int], adapter.digest(connection, whole))[0] == 3
        assert adapter.count(connection, found.source) == 3
        adapter.secure(connection, [found.source])
    with adapter.locking(bench.engine, [found.source]) if adapter.capabilities.locks_linked else bench.connect():
        granules = bench.granules(found, 1)
    assert sorted(row for rows in bench.granule_rows(found, granules, f"{name}k") for row in rows) == [1, 2, 3]


@pytest.mark.parametrize("name", NAMES)
def test_sequences_of_columns_with_percent_signs_go_on(postgresql: Callable[[], str], name: str) -> None:
    bench = Workbench.at(adapter_for_backend("postgresql"), postgresql())
    table, column = bench.ddl().quote(name), bench.ddl().quote(f"{name}k")
    execute(bench.engine.url, f"CREATE TABLE {table} ({column} serial PRIMARY KEY)", f"INSERT INTO {table} VALUES (41)")
    (made,) = bench.catalog().of(Table)
    with bench.adapter.writing(bench.engine) as connection:
        assert bench.adapter.raise_identities(connection, made.qname) == {f"{name}k": 41}
