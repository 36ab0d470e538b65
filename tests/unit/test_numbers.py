"""NUMBER_TYPES: which integers whole decimals become."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialects.oracle import ADAPTER as ORACLE
from dialects.oracle.types import neutral
from dialects.postgresql import ADAPTER as POSTGRESQL
from migrator import transforms
from migrator.command_line import from_arguments
from migrator.config import Config
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Table
from migrator.numbers import WIDTHS, as_integers
from migrator.spec import JobSpec


def catalog(*declarations: str, dialect: str = "oracle") -> Catalog:
    columns = (Column(f"c{n}", neutral(declared), native=declared) for n, declared in enumerate(declarations))
    return Catalog(dialect, "19", (Table("hr", "emp", tuple(columns)),))


def types_of(made: Catalog) -> list[t.Type]:
    return [column.type for column in next(made.of(Table)).columns]


DECLARED = (
    "NUMBER(4)",
    "NUMBER(5)",
    "NUMBER(9)",
    "NUMBER(10)",
    "NUMBER(18)",
    "NUMBER(19)",
    "INTEGER",
    "NUMBER(10,2)",
    "NUMBER",
)


def test_exact_integers_hold_every_value() -> None:
    made = as_integers(catalog(*DECLARED), "EXACT", POSTGRESQL.capabilities)
    integers = [t.Integer(bits) for bits in (16, 32, 32, 64, 64)]
    assert types_of(made) == [*integers, t.Decimal(19, 0), t.Decimal(38, 0), t.Decimal(10, 2), t.Decimal()]
    assert made.losses == ()


def test_narrow_integers_are_those_that_people_write_and_name_what_they_do_not_hold() -> None:
    made = as_integers(catalog(*DECLARED), "NARROW", POSTGRESQL.capabilities)
    integers = [t.Integer(bits) for bits in (32, 32, 32, 32, 64, 64, 32)]
    assert types_of(made) == [*integers, t.Decimal(10, 2), t.Decimal()]
    assert [(loss.column, loss.detail.split(":")[0]) for loss in made.losses] == [
        ("c3", "NUMBER(10) becomes an integer of 32 bits"),
        ("c5", "NUMBER(19) becomes an integer of 64 bits"),
        ("c6", "INTEGER becomes an integer of 32 bits"),
    ]


@pytest.mark.parametrize(("dialect", "target"), [("oracle", ORACLE), ("postgresql", POSTGRESQL)])
def test_decimals_stay_where_either_side_gives_no_reason(dialect: str, target: type) -> None:
    whole = catalog("NUMBER(10)", dialect=dialect)
    assert as_integers(whole, "NARROW", target.capabilities) == whole


def test_every_exact_row_holds_its_numbers() -> None:
    assert all(row.holds_all for row in WIDTHS["EXACT"])


@pytest.mark.parametrize(("given", "bits"), [((), 64), (("NUMBER_TYPES=exact",), 64), (("NUMBER_TYPES=NARROW",), 32)])
def test_the_parameter_reaches_the_transforms(given: tuple[str, ...], bits: int, tmp_path: Path) -> None:
    spec = from_arguments("impdp", ["postgresql:", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql", *given], Config())
    source = catalog("NUMBER(10)")
    made = transforms.fitted(source, transforms.remapped(source, spec), spec, POSTGRESQL.capabilities)
    assert types_of(made) == [t.Integer(bits)]
    assert JobSpec.from_json(spec.to_json()) == spec
