"""The columns of Oracle's scripts are nullable where the source's are, whatever '' is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from tests.support import plsql
from tests.support.catalogs import catalog_of
from tests.support.golden import Row, authors, schema_like

SCHEMAS = ("chinook", "quartz", "ruoyi", "sbatch", "sint")


def nullability(catalog: Catalog) -> dict[tuple[str, str], str]:
    """Whether each column in the script is ``NULL`` or ``NOT NULL``, by names in small letters."""
    found = {}
    tables = {plsql.ADAPTER.ddl(catalog).name_of(table): table for table in catalog.of(Table)}
    for sql in plsql.script(catalog).statements:
        head = re.match(r"CREATE TABLE (.+) \($", sql.splitlines()[0])
        if head is not None:
            table = tables[head[1]]
            for column, line in zip(table.columns, sql.splitlines()[1:], strict=False):
                null = "NOT NULL" if line.rstrip(",").endswith(" NOT NULL") else "NULL"
                found[table.name.lower(), column.name.lower()] = null
    return found


def wanted(rows: list[Row], dialect: str) -> dict[tuple[str, str], str]:
    return {(row["table"].lower(), row["column"].lower()): row[f"{dialect}_null"] for row in rows if row[dialect]}


def test_from_sqlite(sample: Callable[[str], str], data_dir: Path) -> None:
    assert nullability(catalog_of(sample("chinook.sqlite"))) == wanted(authors(data_dir, "chinook"), "sqlite")


@pytest.mark.parametrize("name", [*SCHEMAS, "omop"])
def test_from_postgresql(name: str, data_dir: Path, postgresql: Callable[..., str]) -> None:
    rows, url = authors(data_dir, name), postgresql()
    schema_like(rows, "postgresql", url)
    assert nullability(catalog_of(url)) == wanted(rows, "postgresql")


@pytest.mark.parametrize("name", SCHEMAS)
def test_from_mysql(name: str, data_dir: Path, mysql: Callable[[], str]) -> None:
    rows, url = authors(data_dir, name), mysql()
    schema_like(rows, "mysql", url)
    assert nullability(catalog_of(url)) == wanted(rows, "mysql")
