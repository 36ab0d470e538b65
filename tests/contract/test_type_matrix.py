"""Every type of every manual has a row in docs/types.md, and on real servers it is moved as the row says."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from dialects.mysql.types import is_geometry
from migrator.adapter import adapter_for_backend, load_adapter
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Table
from migrator.type_matrix import Cell, Target, cell, targets
from tests.support import manual, plsql
from tests.support.manual import ManualType
from tests.support.pump import Run, done, pump, remap, schema_of

MANUALS = {
    "postgresql": manual.POSTGRESQL,
    "mysql": manual.MYSQL,
    "sqlite": manual.SQLITE,
    "oracle": manual.ORACLE,
}
COLUMNS = 12
"""How many types are in one table: few enough for MySQL's rows of 65535 bytes."""

NOT_IN_GRAMMAR = re.compile(r"VECTOR|BOOLEAN|JSON$|REF |LONG RAW|XMLTYPE|(NATIONAL )?N?CHAR(ACTER)? VARYING|NATIONAL ")
"""Oracle's own declarations that the grammar is too old for, or too narrow; its dictionary tells none of the ANSI words."""

# --- the rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "row"), [pytest.param(d, r, id=f"{d} {r.declaration}") for d, rows in MANUALS.items() for r in rows]
)
def test_a_type_of_the_manual_has_one_of_three_outcomes_on_every_database(dialect: str, row: ManualType) -> None:
    source = load_adapter(dialect)
    assert row.sample in source.samples
    for target in targets():
        found = cell(source, row.sample, target)
        assert bool(found.declared) != bool(found.refusal) or row.sample == ""  # SQLite's column without a type
        if target.adapter is source and target.title in {source.title, "MariaDB"}:
            assert found.exact or (target.title == "MySQL" and row.sample in {"uuid", "json", "inet4", "inet6"})
            assert found.declared == row.sample or target.title == "MySQL" or row.sample == "json"
        if found.refusal:
            assert f"column t.c has type {row.sample}" in found.refusal


def test_every_row_is_of_the_manual() -> None:
    for dialect, rows in MANUALS.items():
        assert set(load_adapter(dialect).samples) == {row.sample for row in rows}


def test_a_type_without_a_text_form_stays_within_its_database() -> None:
    refused = {d: [s for s in load_adapter(d).samples if _cell(d, s, "PostgreSQL").refusal] for d in MANUALS}
    assert [dialect for dialect, samples in refused.items() if samples] == ["oracle"]
    assert "BFILE" in refused["oracle"]
    assert "ROWID" not in refused["oracle"]


def _cell(dialect: str, sample: str, title: str) -> Cell:
    return cell(load_adapter(dialect), sample, next(target for target in targets() if target.title == title))


@pytest.mark.parametrize("dialect", MANUALS)
def test_what_types_become_on_oracle_passes_the_grammar(dialect: str) -> None:
    source = load_adapter(dialect)
    samples = [s for s in source.samples if not NOT_IN_GRAMMAR.match(s)]
    columns = [Column(f"c{n}", source.samples[s], native=s) for n, s in enumerate(samples)]
    table = Table("s", "t", tuple(columns))
    script = plsql.ADAPTER.ddl(Catalog(dialect, "", (table,))).create_table(table)
    assert plsql.errors(f"{script.statements[0]};") == ()


# --- real servers ---------------------------------------------------------------------------------------------------


def tables_of(rows: Sequence[ManualType]) -> Iterator[tuple[str, list[tuple[str, ManualType]]]]:
    """Table and column names for the types."""
    wide = [row for row in rows if "16000" in row.declaration]
    narrow = [row for row in rows if row not in wide]
    groups = [narrow[start : start + COLUMNS] for start in range(0, len(narrow), COLUMNS)]
    for number, group in enumerate([*groups, wide] if wide else groups):
        yield f"t{number}", [(f"c{n}", row) for n, row in enumerate(group)]


def fill(url: str, rows: Sequence[ManualType]) -> None:
    """Tables with a column of each type, a row for each of its values, and a row of NULLs."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            for sql in manual.POSTGRESQL_SETUP:
                connection.exec_driver_sql(sql)
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET time_zone = '+00:00'")
        for table, columns in tables_of(rows):
            declared = ", ".join(f"{name} {row.declaration}" for name, row in columns)
            connection.exec_driver_sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {declared})")
            for number in range(max(len(row.values) for _, row in columns) + 1):
                values = [row.values[number] if number < len(row.values) else "NULL" for _, row in columns]
                connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({number}, {', '.join(values)})".replace("%", "%%"))
    engine.dispose()


def shown(url: str, table: str, column: str, type_: t.Type) -> list[str | None]:
    """A column's values as the server itself prints them, read past the program under test."""
    engine = sa.create_engine(url)
    form = {"postgresql": f"{column}::text", "mysql": _mysql_form(column, type_), "sqlite": column}[engine.dialect.name]
    with engine.connect() as connection:
        values = connection.exec_driver_sql(f"SELECT {form} FROM {table} ORDER BY id").scalars().all()
    engine.dispose()
    return [None if value is None else value.hex() if isinstance(value, bytes) else str(value) for value in values]


def _mysql_form(column: str, type_: t.Type) -> str:
    if isinstance(type_, t.Binary) or is_geometry(type_):
        return f"HEX({column})"
    if isinstance(type_, t.Bit) and type_.length and type_.length <= 64 and not type_.varying:
        return f"LPAD(BIN({column}), {type_.length}, '0')"
    return f"{column} * 1e0" if isinstance(type_, t.Float) else f"CAST({column} AS CHAR)"


_FRACTION = re.compile(r"(\.\d*?)0+$")


def meant(value: str | None, type_: t.Type) -> Any:
    """What a printed value means, whoever printed it."""
    if value is None:
        return None
    match t.base_of(type_):
        case t.Boolean():
            return {"true": "1", "false": "0"}.get(value, value)
        case t.Integer() | t.Decimal() | t.Year():
            return Decimal(value).normalize()
        case t.Float(bits=32):
            return struct.pack("<f", float(value))
        case t.Float():
            return float(value)
        case t.Binary():
            return value.removeprefix("\\x").lower()
        case t.Timestamp() | t.Time() | t.Interval():
            return _FRACTION.sub(r"\1", re.sub(r"[+]00(:00)?$", "", value)).rstrip(".")
        case t.Json():
            return json.loads(value, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=list)
        case t.String(fixed=True):
            return value.rstrip(" ")
        case _:
            return value


def losses_of(run: Run, table: str, column: str) -> list[str]:
    """What the log names as lost of a column's type."""
    pattern = re.compile(rf'TABLE:"[^"]+"\."{table}"\."{column}": (.*) \[(?:type-\w+|declaration|padding|number-types)\]')
    return [found[1] for loss in run.losses if (found := pattern.fullmatch(loss))]


def check(source_url: str, target_url: str, of_manual: Sequence[ManualType]) -> None:
    """Move all types that the source's version has, and compare each with its row of docs/types.md."""
    version = server_at(source_url).version
    rows = [row for row in of_manual if version >= (row.since,)]
    fill(source_url, rows)
    run = done(pump("impdp", target_url, f"NETWORK_LINK={source_url}", remap(source_url, target_url), "NOLOGFILE=YES"))
    source = adapter_for_backend(sa.make_url(source_url).get_backend_name())
    target = server_at(target_url)
    there, here = columns_at(source_url), columns_at(target_url)
    differing: list[str] = []
    for table, columns in tables_of(rows):
        for name, row in columns:
            found = cell(source, row.sample, target)
            what = f"{row.declaration} ({table}.{name})"
            if sorted(losses_of(run, table, name)) != sorted(x for x in found.losses if not x.startswith("''")):
                differing.append(f"{what}: {losses_of(run, table, name)} is named, not {found.losses}")
            if source is target.adapter and there[table, name].native != here[table, name].native:
                differing.append(f"{what}: becomes {here[table, name].native}")
            type_ = there[table, name].type
            if source.name != "sqlite" and row.sample == row.declaration and type_ != source.samples[row.sample]:
                differing.append(f"{what}: is read as {type_}")
            if found.exact:
                old, new = (shown(url, table, name, type_) for url in (source_url, target_url))
                if [meant(v, type_) for v in old] != [meant(v, type_) for v in new]:
                    differing.append(f"{what}: {old} becomes {new}")
    assert differing == []


def columns_at(url: str) -> dict[tuple[str, str], Column]:
    adapter = adapter_for_backend(sa.make_url(url).get_backend_name())
    engine = adapter.engine(sa.make_url(url))
    with adapter.snapshot(engine, 1) as snapshot, adapter.reading(engine, snapshot) as connection:
        catalog = adapter.catalog(connection, [schema_of(url)])
    return {(table.name, column.name): column for table in catalog.of(Table) for column in table.columns}


def server_at(url: str) -> Target:
    adapter = adapter_for_backend(sa.make_url(url).get_backend_name())
    with adapter.engine(sa.make_url(url)).connect() as connection:
        version = adapter.server(connection).version
    return Target(adapter.title, adapter, version)


@pytest.mark.parametrize("version", [16, 18])
def test_within_postgresql(postgresql: Callable[..., str], version: int) -> None:
    check(postgresql(version), postgresql(version), manual.POSTGRESQL)


def test_from_postgresql_to_mysql(postgresql: Callable[..., str], mysql: Callable[[], str]) -> None:
    check(postgresql(), mysql(), manual.POSTGRESQL)


def test_from_postgresql_to_sqlite(postgresql: Callable[..., str], sqlite_file: Callable[..., str]) -> None:
    check(postgresql(), sqlite_file(), manual.POSTGRESQL)


@pytest.mark.product("MariaDB", "a JSON that is a text")
def test_within_mysql(mysql: Callable[[], str]) -> None:
    check(mysql(), mysql(), manual.MYSQL)


@pytest.mark.product("MariaDB", "a JSON that is a text")
def test_from_mysql_to_postgresql(mysql: Callable[[], str], postgresql: Callable[..., str]) -> None:
    check(mysql(), postgresql(), manual.MYSQL)


@pytest.mark.product("MariaDB", "a JSON that is a text")
def test_from_mysql_to_sqlite(mysql: Callable[[], str], sqlite_file: Callable[..., str]) -> None:
    check(mysql(), sqlite_file(), manual.MYSQL)


def test_within_sqlite(sqlite_file: Callable[..., str]) -> None:
    check(sqlite_file("a.db"), sqlite_file("b.db"), manual.SQLITE)


def test_from_sqlite_to_postgresql(sqlite_file: Callable[..., str], postgresql: Callable[..., str]) -> None:
    check(sqlite_file(), postgresql(), manual.SQLITE)


def test_from_sqlite_to_mysql(sqlite_file: Callable[..., str], mysql: Callable[[], str]) -> None:
    check(sqlite_file(), mysql(), manual.SQLITE)
