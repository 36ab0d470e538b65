"""FRACTIONAL_SECONDS: rows of SQLite say how times are spelled, their declarations how many digits come later."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialects.mysql import ADAPTER as MYSQL
from dialects.oracle import ADAPTER as ORACLE
from dialects.postgresql import ADAPTER as POSTGRESQL
from dialects.sqlite import ADAPTER as SQLITE
from migrator import transforms
from migrator.adapter import Adapter
from migrator.command_line import from_arguments
from migrator.config import Config
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import Column, QName, Table
from migrator.seconds import with_fractional_seconds
from migrator.spec import FractionalSeconds, JobSpec


def catalog(*columns: Column, losses: tuple[Loss, ...] = (), dialect: str = "sqlite") -> Catalog:
    return Catalog(dialect, "3", (Table("shop", "t", columns, origin=QName("main", "t")),), losses)


def types_of(made: Catalog) -> list[t.Type]:
    return [column.type for column in next(made.of(Table)).columns]


@pytest.mark.parametrize("target", [MYSQL, ORACLE, POSTGRESQL])
@pytest.mark.parametrize(
    ("native", "by_rows", "let_in"),
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
def test_a_column_has_the_digits_of_its_rows_or_those_that_it_lets_in_and_the_other_is_told(
    target: Adapter, native: str, by_rows: t.Type, let_in: t.Type
) -> None:
    of_rows = with_fractional_seconds(catalog(Column("c", by_rows, native=native)), "ROWS", target.capabilities)
    declared = with_fractional_seconds(catalog(Column("c", by_rows, native=native)), "DECLARED", target.capabilities)
    assert (types_of(of_rows), types_of(declared)) == ([by_rows], [let_in])
    for made, told in ((of_rows, "later times keep"), (declared, "times may be shown with")):
        entries = [(loss.object, loss.column, loss.rule, told in loss.detail) for loss in made.losses]
        assert entries == [('TABLE:"shop"."t"', "c", "timestamp-digits", True)] * (by_rows != let_in)


@pytest.mark.parametrize(("wanted", "told"), [("ROWS", ["c", "d"]), ("DECLARED", ["d"])])
def test_who_is_told_of_the_spelling_anyhow_is_not_told_that_it_may_change(
    wanted: FractionalSeconds, told: list[str]
) -> None:
    loss = Loss('TABLE:"main"."t"', "timestamp-spelling", "it is another", "c")
    columns = (Column(name, t.Timestamp(0), native="DATETIME") for name in ("c", "d"))
    made = with_fractional_seconds(catalog(*columns, losses=(loss,)), wanted, POSTGRESQL.capabilities)
    assert [loss.column for loss in made.losses if loss.rule == "timestamp-digits"] == told


@pytest.mark.parametrize("wanted", ["ROWS", "DECLARED"])
def test_times_stay_as_they_are_from_sqlite_to_sqlite_and_where_types_are_declared(wanted: FractionalSeconds) -> None:
    spelled = catalog(Column("c", t.Timestamp(0), native="DATETIME"))
    declared = catalog(Column("c", t.Timestamp(0), native="timestamp(0)"), dialect="postgresql")
    assert with_fractional_seconds(spelled, wanted, SQLITE.capabilities) == spelled
    assert with_fractional_seconds(declared, wanted, MYSQL.capabilities) == declared


@pytest.mark.parametrize(
    ("given", "digits"), [((), 0), (("FRACTIONAL_SECONDS=rows",), 0), (("FRACTIONAL_SECONDS=DECLARED",), 6)]
)
def test_the_parameter_reaches_the_transforms(given: tuple[str, ...], digits: int, tmp_path: Path) -> None:
    spec = from_arguments("impdp", ["postgresql:", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql", *given], Config())
    source = catalog(Column("c", t.Timestamp(0), native="DATETIME"))
    made = transforms.fitted(source, transforms.remapped(source, spec), spec, POSTGRESQL.capabilities)
    assert types_of(made) == [t.Timestamp(digits)]
    assert JobSpec.from_json(spec.to_json()) == spec
