"""How Oracle declares each neutral type, and what it says that costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.oracle import ADAPTER
from dialects.oracle.types import TYPES, neutral
from migrator.adapter import TypeRule, rule_for
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Table


def rule(type_: t.Type) -> TypeRule:
    return rule_for(TYPES, type_, "Oracle", "emp.x", "emp")


def concrete(kind: type[t.Type]) -> list[type[t.Type]]:
    return [kind, *(below for child in kind.__subclasses__() for below in concrete(child))]


@pytest.mark.parametrize(
    ("type_", "declared"),
    [
        (t.Boolean(), "NUMBER(1)"),
        (t.Integer(8), "NUMBER(3)"),
        (t.Integer(16, unsigned=True), "NUMBER(5)"),
        (t.Integer(24, unsigned=True), "NUMBER(8)"),
        (t.Integer(32), "NUMBER(10)"),
        (t.Integer(64), "NUMBER(19)"),
        (t.Integer(64, unsigned=True), "NUMBER(20)"),
        (t.Decimal(10, 2), "NUMBER(10, 2)"),
        (t.Decimal(5, 0), "NUMBER(5)"),
        (t.Decimal(3, -2), "NUMBER(3, -2)"),
        (t.Decimal(2, 7), "NUMBER(2, 7)"),
        (t.Float(32), "BINARY_FLOAT"),
        (t.Float(64), "BINARY_DOUBLE"),
        (t.String(160), "VARCHAR2(160 CHAR)"),
        (t.String(1000), "VARCHAR2(1000 CHAR)"),
        (t.String(4000, unit="byte"), "VARCHAR2(4000 BYTE)"),
        (t.String(0), "VARCHAR2(1 CHAR)"),
        (t.String(1, fixed=True), "CHAR(1 CHAR)"),
        (t.String(), "CLOB"),
        (t.String(255, lob=True), "CLOB"),
        (t.Binary(16), "RAW(16)"),
        (t.Binary(2001), "BLOB"),
        (t.Binary(), "BLOB"),
        (t.Date(), "DATE"),
        (t.Timestamp(0), "TIMESTAMP(0)"),
        (t.Timestamp(6, zoned=True), "TIMESTAMP(6) WITH TIME ZONE"),
        (t.Interval("day_second", 3), "INTERVAL DAY(9) TO SECOND(3)"),
        (t.Interval("year_month"), "INTERVAL YEAR(9) TO MONTH"),
        (t.Year(), "NUMBER(4)"),
        (t.Uuid(), "RAW(16)"),
        (t.Native("oracle", "SDO_GEOMETRY"), "SDO_GEOMETRY"),
    ],
)
def test_types_that_oracle_has_lose_nothing(type_: t.Type, declared: str) -> None:
    assert (rule(type_).declare(type_), rule(type_).loss) == (declared, "")


@pytest.mark.parametrize(
    ("type_", "declared", "named"),
    [
        (t.Decimal(), "NUMBER", "38 digits"),
        (t.Decimal(65, 30), "NUMBER", "38 digits"),
        (t.Decimal(10, 200), "NUMBER", "38 digits"),
        (t.String(1001), "VARCHAR2(1001 CHAR)", "4000 bytes"),
        (t.String(4000), "VARCHAR2(4000 CHAR)", "4000 bytes"),
        (t.String(10, fixed=True), "CHAR(10 CHAR)", "padded"),
        (t.String(2000, fixed=True), "CHAR(2000 CHAR)", "2000 bytes"),
        (t.Time(3), "INTERVAL DAY(1) TO SECOND(3)", "since midnight"),
        (t.Time(6, zoned=True), "VARCHAR2(21)", "as text"),
        (t.Interval(), "VARCHAR2(100)", "months and days"),
        (t.Json(), "CLOB", "21c"),
        (t.Xml(), "XMLTYPE", "as written"),
        (t.Bit(8), "VARCHAR2(8)", "digits 0 and 1"),
        (t.Bit(None, varying=True), "CLOB", "digits 0 and 1"),
        (t.Enum(("no", "maybe")), "VARCHAR2(5 CHAR)", "order of the labels"),
        (t.SetOf(("read", "write")), "VARCHAR2(10 CHAR)", "not checked"),
        (t.Array(t.Integer()), "CLOB", "text form"),
        (t.Native("postgresql", "tsvector"), "CLOB", "text form"),
    ],
)
def test_what_a_type_cannot_keep_is_named(type_: t.Type, declared: str, named: str) -> None:
    assert rule(type_).declare(type_) == declared
    assert named in rule(type_).loss


@pytest.mark.parametrize("kind", [kind for kind in concrete(t.Type) if kind not in {t.Type, t.Domain, t.Native}])
def test_every_neutral_type_has_a_row(kind: type[t.Type]) -> None:
    assert any(row.type is kind and row.when is None for row in TYPES)


@given(bits=st.sampled_from([8, 16, 24, 32, 64]), unsigned=st.booleans())
def test_an_integer_column_takes_its_largest_and_smallest_value(bits: int, unsigned: bool) -> None:
    largest, smallest = (2**bits - 1, 0) if unsigned else (2 ** (bits - 1) - 1, -(2 ** (bits - 1)))
    type_ = t.Integer(bits, unsigned=unsigned)
    digits = int(rule(type_).declare(type_).removeprefix("NUMBER(").removesuffix(")"))
    assert max(len(str(largest)), len(str(-smallest))) == digits


@pytest.mark.parametrize(
    ("type_", "check"),
    [
        (t.Boolean(), "x IN (0, 1)"),
        (t.Integer(8, unsigned=True), "x >= 0"),
        (t.Json(), "x IS JSON"),
        (t.Enum(("it's", "", "b")), "x IN ('it''s', 'b')"),
        (t.Bit(4), "REGEXP_LIKE(x, '^[01]*$')"),
    ],
)
def test_a_check_restores_the_range_of_a_narrower_type(type_: t.Type, check: str) -> None:
    assert rule(type_).restriction(type_, "x") == check


@pytest.mark.parametrize(
    ("declaration", "meaning"),
    [
        ("CHAR(10 CHAR)", t.String(10, fixed=True)),
        ("CHAR", t.String(1, fixed=True, unit="byte")),
        ("VARCHAR2(20)", t.String(20, unit="byte")),
        ("VARCHAR2(20 BYTE)", t.String(20, unit="byte")),
        ("NVARCHAR2(20)", t.String(20)),
        ("NATIONAL CHARACTER VARYING (20)", t.String(20)),
        ("NUMBER", t.Decimal()),
        ("NUMBER(*,0)", t.Decimal(38, 0)),
        ("NUMBER(3,-2)", t.Decimal(3, -2)),
        ("number(10, 2)", t.Decimal(10, 2)),
        ("INTEGER", t.Decimal(38, 0)),
        ("DEC(5,1)", t.Decimal(5, 1)),
        ("FLOAT(126)", t.Decimal()),
        ("DOUBLE PRECISION", t.Decimal()),
        ("BINARY_FLOAT", t.Float(32)),
        ("LONG", t.String(lob=True)),
        ("NCLOB", t.String(lob=True)),
        ("LONG RAW", t.Binary(lob=True)),
        ("RAW(16)", t.Binary(16)),
        ("DATE", t.Timestamp(0)),
        ("TIMESTAMP", t.Timestamp(6)),
        ("TIMESTAMP(9) WITH TIME ZONE", t.Timestamp(9, zoned=True)),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", t.Timestamp(3, zoned=True)),
        ("INTERVAL YEAR(4) TO MONTH", t.Interval("year_month")),
        ("INTERVAL DAY(2) TO SECOND(9)", t.Interval("day_second", 9)),
        ("INTERVAL DAY TO SECOND", t.Interval("day_second", 6)),
        ("JSON", t.Json(binary=True)),
        ("SYS.XMLTYPE", t.Xml()),
        ("BFILE", t.Native("oracle", "BFILE", opaque=True)),
        ("MDSYS.SDO_GEOMETRY", t.Native("oracle", "MDSYS.SDO_GEOMETRY", opaque=True)),
        ("UROWID(100)", t.Native("oracle", "UROWID(100)")),
    ],
)
def test_what_a_declaration_means(declaration: str, meaning: t.Type) -> None:
    assert neutral(declaration) == meaning


@pytest.mark.parametrize(
    "declared", ["NUMBER(*,0)", "FLOAT(20)", "LONG", "DATE", "BOOLEAN", "JSON", "NVARCHAR2(9)", "BFILE"]
)
def test_within_oracle_a_declaration_stays_as_it_is(declared: str) -> None:
    column = Column("x", neutral(declared), native=declared)
    table = Table("hr", "emp", (column,))
    script = ADAPTER.ddl(Catalog("oracle", "23", (table,))).create_table(table)
    assert script.statements == (f"CREATE TABLE hr.emp (\n    x {declared}\n)",)
    assert script.losses == ()
