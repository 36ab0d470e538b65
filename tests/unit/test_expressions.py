"""Expressions as texts: what is not understood, references that follow renames, tables that are read."""

from __future__ import annotations

import pytest

from migrator.expressions import Language, Untranslatable, names_all, parse, rename_tables, tables_in, with_value
from migrator.model import objects as o


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(Untranslatable, match="not understood"):
        parse("this is ( not sql", Language("postgres"))


def test_a_query_follows_a_renamed_table_and_keeps_its_old_name_as_alias() -> None:
    renames = {o.QName("hr", "emp"): o.QName("hr", "staff")}
    sql = rename_tables("SELECT emp.id FROM emp JOIN hr.dept ON dept.id = emp.dept", Language("postgres"), renames, "hr")
    assert sql == 'SELECT emp.id FROM "staff" AS "emp" JOIN hr.dept ON dept.id = emp.dept'


@pytest.mark.parametrize(
    "sql", ["select   x\nfrom other", "select   hr.other.x from hr.other", "with   emp as (select 1 as x) select x from emp"]
)
def test_a_query_without_the_table_stays_letter_for_letter(sql: str) -> None:
    assert rename_tables(sql, Language("postgres"), {o.QName("hr", "emp"): o.QName("hr", "staff")}, "hr") == sql


@pytest.mark.parametrize(
    ("sql", "ignores_case", "expected"),
    [
        ("SELECT x FROM EMP", True, 'SELECT x FROM "staff" AS "EMP"'),
        ("SELECT x FROM EMP", False, "SELECT x FROM EMP"),
        ("SELECT x FROM Kin", True, "SELECT x FROM Kin"),
        ("WITH Emp AS (SELECT x FROM hr.emp) SELECT x FROM emp", True,
         'WITH Emp AS (SELECT x FROM "hr"."staff" AS "emp") SELECT x FROM emp'),
        ("SELECT x FROM (WITH emp AS (SELECT 1 AS x) SELECT x FROM emp) AS y, emp", False,
         'SELECT x FROM (WITH emp AS (SELECT 1 AS x) SELECT x FROM emp) AS y, "staff" AS "emp"'),
    ],
)  # fmt: skip
def test_a_name_means_the_renamed_table_only_where_the_database_says_so(sql: str, ignores_case: bool, expected: str) -> None:
    renames = {o.QName("hr", old): o.QName("hr", new) for old, new in (("emp", "staff"), ("kin", "folk"), ("Kin", "Kin"))}
    read = Language("postgres", ignores_case=ignores_case, ignores_table_case=ignores_case)
    assert rename_tables(sql, read, renames, "hr") == expected


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("sqlite", "select  -x as x from emp where +x = '3' order by +x -- so",
         'select  -x as x from "staff" AS "emp" where +x = \'3\' order by +x -- so'),
        ("sqlite", "SELECT x = x > 1 FROM main.'emp' INDEXED BY i",
         'SELECT x = x > 1 FROM "main"."staff" AS "emp" INDEXED BY i'),
        ("postgres", "SELECT ü FROM ONLY main.emp e WHERE (x > (+ 5))",
         'SELECT ü FROM ONLY "main"."staff" e WHERE (x > (+ 5))'),
        ("mysql", "select `main`.`emp`.`x` AS `+(x)` from `main`.`emp` where `main`.`b`.`y` = 1",
         "select `emp`.`x` AS `+(x)` from `main`.`staff` AS `emp` where `b`.`y` = 1"),
    ],
)  # fmt: skip
def test_all_else_of_a_query_stays_letter_for_letter(dialect: str, sql: str, expected: str) -> None:
    renames = {o.QName("main", "emp"): o.QName("main", "staff")}
    assert rename_tables(sql, Language(dialect), renames, "main") == expected


def test_a_new_name_that_the_query_has_for_a_part_of_itself_is_refused() -> None:
    renames = {o.QName("main", "emp"): o.QName("main", "staff")}
    with pytest.raises(Untranslatable, match="it has a query staff of its own"):
        rename_tables("WITH staff AS (SELECT x FROM emp) SELECT x FROM staff", Language("sqlite"), renames, "main")


def test_tables_in_a_query_are_found_but_not_its_own_names() -> None:
    found = tables_in("WITH w AS (SELECT * FROM a) SELECT * FROM w JOIN s.b ON true", "postgres", "public")
    assert set(found) == {o.QName("public", "a"), o.QName("s", "b")}


def test_a_domains_check_becomes_a_check_of_the_column() -> None:
    assert with_value('VALUE > 0 AND "VALUE" < 9', Language("postgres"), "The Year") == '"The Year" > 0 AND "VALUE" < 9'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a + 1 AS b, t.c, * FROM t", True),
        ("SELECT a, max(b) FROM t", False),
        ("SELECT 1 FROM t", False),
        ("SELECT a + 1 FROM t UNION SELECT b FROM t", False),
    ],
)
def test_a_query_names_all_its_columns_or_computes_some_without(sql: str, expected: bool) -> None:
    assert names_all(sql, Language("sqlite")) is expected
