"""One schema as its authors wrote it for several databases: how close a translation from one to another comes.

A column is *identical* to what the authors wrote for the target, *compatible* (it holds every value of the source's column,
with its meaning), the *authors'* own loss (theirs does not hold every value either), or *lossy*. What types hold is told
here by their manuals, not by the type tables that are judged.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import sqlalchemy as sa

from dialects.oracle.types import neutral
from dialects.sqlite.types import affinity
from migrator.adapter import load_adapter
from migrator.model.catalog import Catalog, path_of
from migrator.model.objects import Column, Schema, Table
from migrator.numbers import as_integers
from migrator.spec import NumberTypes

SCHEMAS = ("chinook", "omop", "quartz", "ruoyi", "sbatch", "sint")
DIALECTS = ("oracle", "postgresql", "mysql", "sqlite")
Row = dict[str, str]
Verdict = Literal["identical", "compatible", "authors", "lossy"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNLIMITED = math.inf


@dataclass(frozen=True)
class Holds:
    """What a declared type holds: a kind of values, and how many digits, characters … of them."""

    kind: str
    sizes: tuple[float, ...] = ()

    def all_of(self, other: Holds) -> bool:
        """Whether every value of ``other`` fits here. Truth values are numbers, a number of 15 digits is a float."""
        if other.kind == "boolean" and self.kind == "number":
            return True
        if other.kind == "number" and self.kind == "float":
            return sum(other.sizes) <= 15
        return self.kind == other.kind and all(a >= b for a, b in zip(self.sizes, other.sizes, strict=True))


def number(digits: float, scale: float = 0) -> Holds:
    return Holds("number", (digits - scale, scale))


def integer(bits: int) -> Holds:
    """Every integer of ``bits``; of the decimal digits that it takes to write one, the first has not every value."""
    return number(math.log10(2.0 ** (bits - 1)))


def text(characters: float) -> Holds:
    return Holds("text", (characters,))


def a_time(precision: float) -> Holds:
    """A date with a time of day; a date alone has the precision -1."""
    return Holds("time", (precision,))


Types = tuple[tuple[str, Callable[..., Holds]], ...]

_COMMON: Types = (
    (r"SMALLINT|INT2", lambda: integer(16)),
    (r"INT|INTEGER|INT4", lambda: integer(32)),
    (r"BIGINT|INT8", lambda: integer(64)),
    (r"(?:NUMERIC|DECIMAL)\((\d+),(\d+)\)", lambda p, s: number(int(p), int(s))),
    (r"(?:N?(?:VAR)?CHAR|CHARACTER(?: VARYING)?)\((\d+)\)", lambda n: text(int(n))),
    (r"CHAR", lambda: text(1)),
    (r"DATE", lambda: a_time(-1)),
)

HOLDS: Mapping[str, Types] = {
    "postgresql": (
        (r"BOOL|BOOLEAN", lambda: Holds("boolean")),
        (r"NUMERIC", lambda: number(131072 + 16383, 16383)),
        (r"TEXT", lambda: text(UNLIMITED)),
        (r"BYTEA", lambda: Holds("bytes", (UNLIMITED,))),
        (r"REAL|DOUBLE PRECISION", lambda: Holds("float")),
        (r"TIMESTAMP\((\d)\)(?: WITHOUT TIME ZONE)?", lambda p: a_time(int(p))),
        (r"TIMESTAMP(?: WITHOUT TIME ZONE)?", lambda: a_time(6)),
        *_COMMON,
    ),
    "mysql": (
        (r"TINYINT(?:\(\d+\))?", lambda: integer(8)),
        (r"(SMALLINT|INT|INTEGER|BIGINT)\(\d+\)", lambda word: holds("mysql", word)),
        (r"TEXT", lambda: text(65_535)),
        (r"LONGTEXT", lambda: text(UNLIMITED)),
        (r"BLOB", lambda: Holds("bytes", (65_535,))),
        (r"LONGBLOB", lambda: Holds("bytes", (UNLIMITED,))),
        (r"FLOAT|DOUBLE", lambda: Holds("float")),
        (r"DATETIME", lambda: a_time(0)),
        (r"DATETIME\((\d)\)", lambda p: a_time(int(p))),
        *_COMMON,
    ),
    "sqlite": (
        (r"INTEGER|BIGINT", lambda: integer(64)),
        (r"DECIMAL_TEXT\((\d+),(\d+)\)", lambda p, s: number(int(p), int(s))),
        (r"DECIMAL_TEXT", lambda: number(UNLIMITED)),
        (r"TEXT|CLOB", lambda: text(UNLIMITED)),
        (r"BLOB|LONGBLOB", lambda: Holds("bytes", (UNLIMITED,))),
        (r"REAL|FLOAT|DOUBLE", lambda: Holds("float")),
        (r"BOOLEAN", lambda: Holds("boolean")),
        (r"DATETIME\((\d)\)", lambda p: a_time(int(p))),
        (r"DATETIME|TIMESTAMP", lambda: a_time(6)),
        *_COMMON,
    ),
    "oracle": (
        (r"(?:NUMBER|NUMERIC)\((\d+)\)", lambda p: number(int(p))),
        (r"(?:NUMBER|NUMERIC)\((\d+),(\d+)\)", lambda p, s: number(int(p), int(s))),
        (r"INTEGER", lambda: number(38)),
        (r"NUMBER|FLOAT", lambda: number(126 + 130, 130)),
        (r"BINARY_FLOAT|BINARY_DOUBLE", lambda: Holds("float")),
        (r"(?:VARCHAR2?|CHAR)\((\d+)(?: CHAR| BYTE)?\)", lambda n: text(int(n))),
        (r"CLOB", lambda: text(UNLIMITED)),
        (r"BLOB", lambda: Holds("bytes", (UNLIMITED,))),
        (r"DATE", lambda: a_time(0)),
        (r"TIMESTAMP", lambda: a_time(6)),
        (r"TIMESTAMP\((\d)\)", lambda p: a_time(int(p))),
    ),
}
"""What types hold at most."""

SURE: Mapping[str, Types] = {
    "mysql": ((r"TEXT", lambda: text(16_383)),),
    "oracle": (
        (r"(?:VARCHAR2?|CHAR)\((\d+)(?: CHAR)?\)", lambda n: text(min(int(n), 1000))),  # 4000 bytes in all
        (r"VARCHAR2\((\d+) BYTE\)", lambda n: text(int(n) // 4)),
        (r"NUMBER", lambda: number(38)),
    ),
}
"""What types are sure to hold, whatever the characters or the digits, where that is less."""


def holds(dialect: str, declared: str, *, surely: bool = False) -> Holds:
    """What a declaration holds: of a source's at most, of a target's surely."""
    plain = re.sub(r"\s*,\s*", ",", declared.upper())
    for pattern, make in (*(SURE.get(dialect, ()) if surely else ()), *HOLDS[dialect]):
        if found := re.fullmatch(pattern, plain):
            return make(*found.groups())
    raise AssertionError(f"no row for {declared} of {dialect}")


SYNONYMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "postgresql": (
        (r"INT|INT4", "INTEGER"),
        (r"INT8", "BIGINT"),
        (r"BOOL", "BOOLEAN"),
        (r"CHAR", "CHARACTER(1)"),
        (r"CHAR\((\d+)\)", r"CHARACTER(\1)"),
        (r"VARCHAR\((\d+)\)", r"CHARACTER VARYING(\1)"),
        (r"TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"),
    ),
    "mysql": (
        (r"(?:INT|INTEGER)(?:\(\d+\))?", "INT"),
        (r"(SMALLINT|BIGINT)\(\d+\)", r"\1"),
        (r"NUMERIC(\(.*\))", r"DECIMAL\1"),
        (r"NVARCHAR(\(.*\))", r"VARCHAR\1"),
        (r"DATETIME\(0\)", "DATETIME"),
    ),
    "oracle": (
        (r"INTEGER", "NUMBER(38)"),
        (r"(?:NUMBER|NUMERIC)\((\d+),0\)", r"NUMBER(\1)"),
        (r"NUMERIC(\(.*\))", r"NUMBER\1"),
        (r"VARCHAR2?\((\d+)(?: CHAR)?\)", r"VARCHAR2(\1)"),
        (r"CHAR\((\d+) CHAR\)", r"CHAR(\1)"),
        (r"TIMESTAMP", "TIMESTAMP(6)"),
    ),
    "sqlite": (),
}
"""Spellings of one type."""


def spelled(dialect: str, declared: str) -> str:
    """A type without differences of spelling only; of SQLite's declarations only the affinity counts."""
    plain = re.sub(r"\s*,\s*", ",", declared.upper())
    if dialect == "sqlite":
        return affinity(plain)
    for pattern, usual in SYNONYMS[dialect]:
        if found := re.fullmatch(pattern, plain):
            return found.expand(usual)
    return plain


# --- the authors' schemas -------------------------------------------------------------------------------------------


def authors(data_dir: Path, name: str) -> list[Row]:
    """The columns of a schema: each dialect's type and nullability, by the names of the file."""
    with (data_dir / "golden" / f"{name}.tsv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def schema_like(rows: list[Row], dialect: str, url: str) -> None:
    """Tables with the columns that the authors wrote for ``dialect``, on a real server."""
    engine = sa.create_engine(url)
    quote = engine.dialect.identifier_preparer.quote_identifier
    tables: dict[str, list[str]] = {}
    for row in rows:
        if row[dialect]:
            null = "" if row[f"{dialect}_null"] == "NULL" else " NOT NULL"
            tables.setdefault(row["table"], []).append(f"{quote(row['column'])} {row[dialect]}{null}")
    with engine.begin() as connection:
        for table, columns in tables.items():
            connection.exec_driver_sql(f"CREATE TABLE {quote(table)} ({', '.join(columns)})")
    engine.dispose()


def oracle_catalog(rows: list[Row]) -> Catalog:
    """The tables that the authors wrote for Oracle, as its type table reads their declarations."""
    tables: dict[str, list[Column]] = {}
    for row in rows:
        if declared := row["oracle"]:
            column = Column(row["column"], neutral(declared), row["oracle_null"] == "NULL", native=declared)
            tables.setdefault(row["table"], []).append(column)
    made = (Table("app", name, tuple(columns)) for name, columns in tables.items())
    return Catalog("oracle", "19", (Schema("app"), *made))


# --- scores ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One column: what the authors wrote for source and target, what it becomes, and the rules of the losses about that."""

    row: Row
    source: str
    theirs: str
    ours: str
    verdict: Verdict
    losses: frozenset[str]


Made = Mapping[tuple[str, str], tuple[str, frozenset[str]]]
"""Each column's declaration and the rules of its losses, by the table's and the column's name in small letters."""


def translated(catalog: Catalog, target: str, number_types: NumberTypes) -> Made:
    """What the columns become for ``target``."""
    adapter = load_adapter(target)
    fitted = as_integers(catalog, number_types, adapter.capabilities)
    ddl = adapter.ddl(fitted)
    found = {}
    for table in fitted.of(Table):
        path = path_of(table)
        losses = [loss for loss in (*fitted.losses, *ddl.create_table(table).losses) if loss.object == path]
        for column in table.columns:
            rules = frozenset(loss.rule for loss in losses if loss.column == column.name)
            found[table.name.lower(), column.name.lower()] = (ddl.declaration(table, column), rules)
    return found


def judged(rows: list[Row], source: str, target: str, catalog: Catalog, number_types: NumberTypes) -> list[Judged]:
    """Every column that the authors wrote for both databases."""
    made = translated(catalog, target, number_types)
    found = []
    for row in rows:
        if row[source] and row[target]:
            ours, losses = made[row["table"].lower(), row["column"].lower()]
            verdict = _verdict(holds(source, row[source]), target, ours, row[target])
            if verdict == "lossy" and "number-types" in losses:  # NARROW is what authors do
                verdict = "authors"
            found.append(Judged(row, row[source], row[target], ours, verdict, losses))
    return found


def _verdict(values: Holds, target: str, ours: str, theirs: str) -> Verdict:
    if spelled(target, ours) == spelled(target, theirs):
        return "identical"
    if holds(target, ours, surely=True).all_of(values):
        return "compatible"
    return "lossy" if holds(target, theirs, surely=True).all_of(values) else "authors"


@dataclass(frozen=True)
class Score:
    """How the columns of an ordered pair of databases were judged."""

    source: str
    target: str
    number_types: NumberTypes
    columns: tuple[Judged, ...]

    def count(self, verdict: Verdict) -> int:
        """How many columns got a verdict."""
        return sum(column.verdict == verdict for column in self.columns)

    @property
    def identical(self) -> float:
        """Per cent of the columns that are as the authors wrote them."""
        return 100 * self.count("identical") / len(self.columns)

    def __str__(self) -> str:
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in VERDICTS)
        how = f" ({self.number_types})" if self.source == "oracle" else ""
        pair = f"{self.source} to {self.target}{how}"
        return f"{pair}: {len(self.columns)} columns, {self.identical:.1f} % identical: {counts}"
