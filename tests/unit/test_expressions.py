"""Expressions between dialects: names as they really are, strict translation, references that follow renames."""

from __future__ import annotations

import pytest

from migrator.expressions import Language, Names, Untranslatable, rename_tables, tables_in, translate, with_value
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog

NAMES = Names.of(
    Catalog(
        "sqlite",
        "",
        (
            o.Table("main", "Order Details", (o.Column("UnitPrice", t.Float()), o.Column("Qty", t.Integer()))),
            o.Table("main", "person", (o.Column("age", t.Integer()),)),
        ),
    )
)


def quote(name: str) -> str:
    return name if name.islower() and name.isidentifier() else f'"{name}"'


@pytest.mark.parametrize(
    ("sql", "read", "write", "expected"),
    [
        ("unitprice >= 0", "sqlite", "postgres", '"UnitPrice" >= 0'),
        ("[UnitPrice] * `Qty`", "sqlite", "postgres", '"UnitPrice" * "Qty"'),
        ("AGE between 1 and 99", "mysql", "postgres", "age BETWEEN 1 AND 99"),
        ('select "UnitPrice" from "Order Details"', "sqlite", "mysql", 'SELECT `UnitPrice` FROM `Order Details`'),
        ("a || b", "postgres", "mysql", "CONCAT(a, b)"),
        ("\"age\" > 1", "postgres", "oracle", "age > 1"),
    ],
)  # fmt: skip
def test_identifiers_come_out_as_the_catalog_spells_them(sql: str, read: str, write: str, expected: str) -> None:
    assert translate(sql, Language(read), write, NAMES, quote) == expected


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(Untranslatable, match="not understood"):
        translate("this is ( not sql", Language("postgres"), "mysql", NAMES, quote)


def test_what_the_target_cannot_say_is_refused() -> None:
    with pytest.raises(Untranslatable):
        translate("SELECT * FROM t TABLESAMPLE (10 PERCENT)", Language("postgres"), "sqlite", NAMES, quote)


def test_a_query_follows_a_renamed_table_and_keeps_its_old_name_as_alias() -> None:
    renames = {o.QName("hr", "emp"): o.QName("hr", "staff")}
    sql = rename_tables("SELECT emp.id FROM emp JOIN hr.dept ON dept.id = emp.dept", Language("postgres"), renames, "hr")
    assert sql == 'SELECT emp.id FROM "staff" AS "emp" JOIN hr.dept ON dept.id = emp.dept'


def test_a_query_without_the_table_stays_letter_for_letter() -> None:
    sql = "select   x\nfrom other"
    assert rename_tables(sql, Language("postgres"), {o.QName("hr", "emp"): o.QName("hr", "staff")}, "hr") == sql


def test_tables_in_a_query_are_found_but_not_its_own_names() -> None:
    found = tables_in("WITH w AS (SELECT * FROM a) SELECT * FROM w JOIN s.b ON true", "postgres", "public")
    assert set(found) == {o.QName("public", "a"), o.QName("s", "b")}


def test_a_domains_check_becomes_a_check_of_the_column() -> None:
    assert with_value('VALUE > 0 AND "VALUE" < 9', Language("postgres"), "The Year") == '"The Year" > 0 AND "VALUE" < 9'
