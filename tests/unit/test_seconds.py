"""Digits after the second: rows of SQLite say how times are spelled, not how many digits come later."""

from __future__ import annotations

import pytest

from dialects.mysql import ADAPTER as MYSQL
from dialects.oracle import ADAPTER as ORACLE
from dialects.postgresql import ADAPTER as POSTGRESQL
from dialects.sqlite import ADAPTER as SQLITE
from migrator.adapter import Adapter
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import Column, QName, Table
from migrator.seconds import as_let_in


def catalog(*columns: Column, losses: tuple[Loss, ...] = (), dialect: str = "sqlite") -> Catalog:
    return Catalog(dialect, "3", (Table("shop", "t", columns, origin=QName("main", "t")),), losses)


def types_of(made: Catalog) -> list[t.Type]:
    return [column.type for column in next(made.of(Table)).columns]


@pytest.mark.parametrize("target", [MYSQL, ORACLE, POSTGRESQL])
@pytest.mark.parametrize(
    ("native", "by_rows", "expected"),
    [
        ("DATETIME", t.Timestamp(0), t.Timestamp(6)),
        ("TIMESTAMP", t.Timestamp(3), t.Timestamp(6)),
        ("DATETIME(3)", t.Timestamp(0), t.Timestamp(3)),
        ("DATETIME(3)", t.Timestamp(6), t.Timestamp(6)),
        ("DATETIME(9)", t.Timestamp(0), t.Timestamp(6)),
        ("TIMESTAMPTZ", t.Timestamp(0, zoned=True), t.Timestamp(6, zoned=True)),
        ("TIME", t.Time(0), t.Time(6)),
        ("TIME(2)", t.Time(0), t.Time(2)),
        ("DATE", t.Timestamp(0), t.Timestamp(6)),
        ("DATETIME", t.Date(), t.Date()),
        ("DATETIME", t.String(), t.String()),
    ],
)
def test_a_column_takes_the_digits_that_it_lets_in(target: Adapter, native: str, by_rows: t.Type, expected: t.Type) -> None:
    made = as_let_in(catalog(Column("c", by_rows, native=native)), target.capabilities)
    assert types_of(made) == [expected]
    assert [(loss.object, loss.column, loss.rule) for loss in made.losses] == [
        ('TABLE:"shop"."t"', "c", "timestamp-digits")
    ] * (by_rows != expected)


def test_who_is_told_of_the_spelling_anyhow_is_told_once() -> None:
    loss = Loss('TABLE:"main"."t"', "timestamp-spelling", "it is another", "c")
    columns = (Column(name, t.Timestamp(0), native="DATETIME") for name in ("c", "d"))
    made = as_let_in(catalog(*columns, losses=(loss,)), POSTGRESQL.capabilities)
    assert types_of(made) == [t.Timestamp(6), t.Timestamp(6)]
    assert [(loss.rule, loss.column) for loss in made.losses] == [("timestamp-spelling", "c"), ("timestamp-digits", "d")]


def test_times_stay_as_they_are_spelled_from_sqlite_to_sqlite_and_where_types_are_declared() -> None:
    spelled = catalog(Column("c", t.Timestamp(0), native="DATETIME"))
    declared = catalog(Column("c", t.Timestamp(0), native="timestamp(0)"), dialect="postgresql")
    assert as_let_in(spelled, SQLITE.capabilities) == spelled
    assert as_let_in(declared, MYSQL.capabilities) == declared
