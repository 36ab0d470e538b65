"""Column types and nullability for Oracle, scored against what the authors of the same schemas wrote for it.

A column is *identical* to the authors' choice, *compatible* (it holds every value of the source's column, with its
meaning), or *lossy*; each lossy column must be named as a loss.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from tests.support import plsql
from tests.support.catalogs import catalog_of

UNLIMITED = math.inf


@dataclass(frozen=True)
class Holds:
    """What a declared type holds: a kind of values, and how many digits, characters … of them."""

    kind: str
    sizes: tuple[float, ...] = ()

    def all_of(self, other: Holds) -> bool:
        """Whether every value of ``other`` fits here."""
        kinds = {other.kind} | ({"number"} if other.kind == "boolean" else set())
        return self.kind in kinds and (
            other.kind != self.kind or all(a >= b for a, b in zip(self.sizes, other.sizes, strict=True))
        )


def number(digits: float, scale: float = 0) -> Holds:
    return Holds("number", (digits - scale, scale))


SOURCE: tuple[tuple[str, Callable[..., Holds]], ...] = (
    (r"BOOL", lambda: Holds("boolean")),
    (r"TINYINT(?:\(\d+\))?", lambda: number(3)),
    (r"(?:SMALLINT|INT2)(?:\(\d+\))?", lambda: number(5)),
    (r"(?:INT|INTEGER|INT4)(?:\(\d+\))?", lambda: number(10)),
    (r"(?:BIGINT|INT8)(?:\(\d+\))?", lambda: number(19)),
    (r"NUMERIC\((\d+),(\d+)\)", lambda p, s: number(int(p), int(s))),
    (r"NUMERIC", lambda: Holds("number", (131072, 16383))),
    (r"N?(?:VAR)?CHAR\((\d+)\)", lambda n: Holds("text", (int(n),))),
    (r"CHAR", lambda: Holds("text", (1,))),
    (r"TEXT", lambda: Holds("text", (UNLIMITED,))),
    (r"(?:BYTEA|BLOB|LONGBLOB)", lambda: Holds("bytes", (UNLIMITED,))),
    (r"DATE", lambda: Holds("time", (0, 0))),
    (r"DATETIME", lambda: Holds("time", (1, 0))),
    (r"DATETIME\((\d)\)", lambda p: Holds("time", (1, int(p)))),
    (r"TIMESTAMP", lambda: Holds("time", (1, 6))),
)
"""What the source's types hold, as its manual says. Times: whether there is a time of day, digits of the second."""

SQLITE = ((r"INTEGER", lambda: number(19)), *SOURCE)
"""What SQLite's types hold where it differs."""

ORACLE: tuple[tuple[str, Callable[..., Holds]], ...] = (
    (r"NUMBER\((\d+)\)", lambda p: number(int(p))),
    (r"NUMBER\((\d+), (\d+)\)", lambda p, s: number(int(p), int(s))),
    (r"NUMBER", lambda: number(38)),
    (r"(?:VARCHAR2|CHAR)\((\d+) CHAR\)", lambda n: Holds("text", (min(int(n), 1000),))),  # 4000 bytes in all
    (r"VARCHAR2\((\d+) BYTE\)", lambda n: Holds("text", (int(n) // 4,))),
    (r"CLOB", lambda: Holds("text", (UNLIMITED,))),
    (r"BLOB", lambda: Holds("bytes", (UNLIMITED,))),
    (r"DATE", lambda: Holds("time", (1, 0))),
    (r"TIMESTAMP\((\d)\)", lambda p: Holds("time", (1, int(p)))),
)
"""What Oracle's types are sure to hold, whatever the characters."""


def holds(declared: str, table: tuple[tuple[str, Callable[..., Holds]], ...]) -> Holds:
    for pattern, make in table:
        if found := re.fullmatch(pattern, declared):
            return make(*found.groups())
    raise AssertionError(f"no row for {declared}")


def spelled(declared: str) -> str:
    """A type without differences of spelling only."""
    return re.sub(r"[ ]?\bCHAR\)|,0\)", ")", declared.upper().replace("VARCHAR(", "VARCHAR2(")).replace(", ", ",")


def authors(data_dir: Path, name: str) -> list[dict[str, str]]:
    with (data_dir / "golden" / f"{name}.tsv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def schema_like(rows: list[dict[str, str]], dialect: str, url: str) -> None:
    """Tables with the columns that the authors wrote for ``dialect``, on a real server."""
    tables: dict[str, list[str]] = {}
    engine = sa.create_engine(url)
    quote = engine.dialect.identifier_preparer.quote_identifier
    for row in rows:
        if row[dialect]:
            null = "" if row[f"{dialect}_null"] == "NULL" else " NOT NULL"
            tables.setdefault(row["table"], []).append(f"{quote(row['column'])} {row[dialect]}{null}")
    with engine.begin() as connection:
        for table, columns in tables.items():
            connection.exec_driver_sql(f"CREATE TABLE {quote(table)} ({', '.join(columns)})")
    engine.dispose()


def columns_of(catalog: Catalog) -> dict[tuple[str, str], tuple[str, str]]:
    """The declared type and nullability of each column in the Oracle script, by names in small letters."""
    found = {}
    tables = {plsql.ADAPTER.ddl(catalog).name_of(table): table for table in catalog.of(Table)}
    for sql in plsql.script(catalog).statements:
        head = re.match(r"CREATE TABLE (.+) \($", sql.splitlines()[0])
        if head is None:
            continue
        table = tables[head[1]]
        for column, line in zip(table.columns, sql.splitlines()[1:], strict=False):
            declared = re.match(r'\s+(?:"[^"]+"|\S+) (\w+(?:\([^)]*\))?)', line)
            assert declared is not None
            null = "NOT NULL" if line.rstrip(",").endswith(" NOT NULL") else "NULL"
            found[table.name.lower(), column.name.lower()] = (declared[1], null)
    return found


def score(rows: list[dict[str, str]], dialect: str, catalog: Catalog) -> dict[str, list[dict[str, str]]]:
    """The columns that are identical, compatible and lossy. Nullability must be the source's."""
    ours = columns_of(catalog)
    source = SQLITE if dialect == "sqlite" else SOURCE
    scores: dict[str, list[dict[str, str]]] = {"identical": [], "compatible": [], "lossy": []}
    for row in rows:
        if not row[dialect]:
            continue
        declared, null = ours[row["table"].lower(), row["column"].lower()]
        assert null == row[f"{dialect}_null"], row
        if spelled(declared) == spelled(row["oracle"]):
            scores["identical"].append(row)
        elif holds(declared, ORACLE).all_of(holds(row[dialect], source)):
            scores["compatible"].append(row)
        else:
            scores["lossy"].append(row)
    return scores


def named(catalog: Catalog) -> set[tuple[str, str]]:
    """The columns whose type is a named loss, in small letters."""
    losses = [loss for loss in plsql.script(catalog).losses if loss.rule.startswith("type-")]
    return {(loss.object.split('"')[3].lower(), (loss.column or "").lower()) for loss in losses}


def test_chinooks_script_has_no_lossy_column(sample: Callable[[str], str], data_dir: Path) -> None:
    rows = authors(data_dir, "chinook")
    scores = score(rows, "sqlite", catalog_of(sample("chinook.sqlite")))
    assert scores["lossy"] == []
    assert len(scores["identical"]) + len(scores["compatible"]) == len(rows)


# PostgreSQL's NUMERIC without a precision has no equal; VARCHAR2 holds 4000 bytes, which 2000 characters can exceed.


@pytest.mark.parametrize(
    ("name", "lossy"),
    [
        ("chinook", set()),
        ("omop", {"NUMERIC"}),
        ("quartz", set()),
        ("ruoyi", {"VARCHAR(2000)"}),
        ("sbatch", set()),
        ("sint", set()),
    ],
)
def test_a_lossy_column_from_postgresql_is_named(
    name: str, lossy: set[str], data_dir: Path, postgresql: Callable[..., str]
) -> None:
    assert lossy_types(authors(data_dir, name), "postgresql", postgresql()) == lossy


@pytest.mark.parametrize(
    ("name", "lossy"),
    [
        ("chinook", set()),
        ("quartz", set()),
        ("ruoyi", {"VARCHAR(2000)"}),
        ("sbatch", set()),
        ("sint", set()),
    ],
)
def test_a_lossy_column_from_mysql_is_named(name: str, lossy: set[str], data_dir: Path, mysql: Callable[[], str]) -> None:
    assert lossy_types(authors(data_dir, name), "mysql", mysql()) == lossy


def lossy_types(rows: list[dict[str, str]], dialect: str, url: str) -> set[str]:
    """The types whose columns are lossy, each of which is named."""
    schema_like(rows, dialect, url)
    catalog = catalog_of(url)
    found = score(rows, dialect, catalog)["lossy"]
    assert {(row["table"].lower(), row["column"].lower()) for row in found} <= named(catalog)
    return {row[dialect] for row in found}
