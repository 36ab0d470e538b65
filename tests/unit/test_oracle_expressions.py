"""What PostgreSQL's expressions become in Oracle's SQL, what that changes, and what is refused."""

from __future__ import annotations

import pytest

from dialects.oracle import ADAPTER
from migrator.expressions import Untranslatable
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog

STAFF = o.Table(
    "hr",
    "staff",
    (
        o.Column("id", t.Integer()),
        o.Column("active", t.Boolean()),
        o.Column("pay", t.Decimal(10, 2)),
        o.Column("Name", t.String(20)),
        o.Column("note", t.String()),
        o.Column("hired", t.Date()),
    ),
)
DDL = ADAPTER.ddl(Catalog("postgresql", "16", (STAFF,)))


def condition(sql: str) -> str:
    return DDL.adapted(o.Expression(sql, "postgresql"), STAFF, condition=True, fixed=True).sql


def query(sql: str) -> str:
    return DDL.expression(o.Expression(sql, "postgresql"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("active", "active = 1"),
        ("NOT active AND id > 3", "NOT active = 1 AND id > 3"),
        ("active = true OR false", "active = 1 OR 1 = 0"),
        ("\"Name\" = ANY (ARRAY['a'::text, 'b'::text])", "\"Name\" IN ('a', 'b')"),
        ("(\"Name\")::text = ANY ((ARRAY['a'::character varying])::text[])", "\"Name\" IN ('a')"),
        ("pay > '0'::numeric", "pay > (0)"),
        ("hired > '2020-02-29'::date", "hired > DATE '2020-02-29'"),
        ("length(note) < 5", "LENGTH(note) < 5"),
        ("id % 2 = 0", "MOD(id, 2) = 0"),
        ("CASE WHEN active THEN id > 1 ELSE true END = true", None),
    ],
)
def test_conditions(sql: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Untranslatable):
            condition(sql)
    else:
        assert condition(sql) == expected


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("\"Name\" <> ''", "'' is NULL"),
        ("note = 'x'", "does not compare"),
        ("lower(note) = 'x'", "does not compare"),
        ("hired < CURRENT_DATE", "the same value every time"),
        ("id IS DISTINCT FROM 1", "two NULLs"),
        ("active IS TRUE", "IS TRUE"),
        ("(id > 1) = active", "condition used as a value"),
        ("\"Name\" LIKE 'a\\_b'", "backslash"),
        ("id & 1 = 1", "bit operators"),
        ("hired::text = '2020'", "cast to"),
        ("'20200229'::date < hired", "cast to DATE"),
        ('"Name" COLLATE "C" < \'a\'', "collations"),
        ("\"Name\" + ' ' > 1", "calculates with a text"),
        ("my_function(id) = 1", "function MY_FUNCTION"),
        ("'{1,2}'::int[] = ARRAY[id]", "ARRAY"),
    ],
)
def test_what_oracle_cannot_say_or_would_take_otherwise_is_refused(sql: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        condition(sql)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT true AS yes, CURRENT_DATE AS day FROM staff s", "SELECT 1 AS yes, TRUNC(CURRENT_DATE) AS day FROM staff s"),
        ("SELECT 1 AS x", "SELECT 1 AS x FROM dual"),
        ("SELECT id FROM staff UNION ALL SELECT 0", "SELECT id FROM staff UNION ALL SELECT 0 FROM dual"),
        (
            "SELECT id + 1 AS next, count(*) AS n FROM staff GROUP BY 1",
            "SELECT id + 1 AS next, COUNT(*) AS n FROM staff GROUP BY id + 1",
        ),
        (
            "SELECT id % 7 AS day, max(pay) AS top FROM staff GROUP BY day",
            "SELECT MOD(id, 7) AS day, MAX(pay) AS top FROM staff GROUP BY MOD(id, 7)",
        ),
        (
            "SELECT s.id, sum(pay) AS x FROM staff s GROUP BY id ORDER BY x",
            "SELECT s.id, SUM(pay) AS x FROM staff s GROUP BY id ORDER BY x",
        ),
        ("SELECT name FROM hr.staff LIMIT 3", 'SELECT "Name" FROM hr.staff FETCH FIRST 3 ROWS ONLY'),
        ("SELECT concat(name, '-', id) AS x FROM staff", "SELECT (\"Name\" || '-' || id) AS x FROM staff"),
        (
            "SELECT a.id FROM staff AS a JOIN staff AS b ON b.active AND a.id = b.id",
            "SELECT a.id FROM staff a JOIN staff b ON b.active = 1 AND a.id = b.id",
        ),
        (
            "SELECT CASE WHEN active THEN 'yes' ELSE 'no' END AS date FROM staff",
            "SELECT CASE WHEN active = 1 THEN 'yes' ELSE 'no' END AS \"date\" FROM staff",
        ),
    ],
)
def test_queries(sql: str, expected: str) -> None:
    assert query(sql) == expected


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id > 1 AS big FROM staff", "condition used as a value"),
        ("SELECT DISTINCT note FROM staff", "does not compare"),
        ("SELECT note FROM staff GROUP BY note", "does not compare"),
        ("SELECT note FROM staff UNION SELECT 'x'", "does not compare"),
        ("SELECT count(*) FILTER (WHERE active) FROM staff", "FILTER"),
        ("WITH RECURSIVE r AS (SELECT 1 AS x) SELECT x FROM r", "recursive"),
        ("SELECT id, max(pay) AS top FROM staff", "shows id without grouping"),
        ("SELECT max(pay) AS top FROM staff GROUP BY id ORDER BY hired", "shows hired without grouping"),
        ("SELECT unnest(ARRAY[1, 2])", "function"),
        ("SELECT id FROM staff EXCEPT SELECT 1", "EXCEPT"),
    ],
)
def test_queries_that_oracle_has_not_are_refused(sql: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        query(sql)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("SELECT \"Name\" || 'x' FROM staff", "oracle-concat"),
        ("SELECT id / 2 FROM staff", "oracle-division"),
        ("SELECT mod(id, boss) FROM staff", "division-by-zero"),
        ("SELECT mod(id, NULLIF(boss, 1)) FROM staff", "division-by-zero"),
        ("SELECT id FROM staff WHERE \"Name\" ~ '^a'", "oracle-regexp"),
    ],
)
def test_what_means_something_else_is_named(sql: str, rule: str) -> None:
    assert [found for found, _ in DDL.adapted(o.Expression(sql, "postgresql")).changes] == [rule]


@pytest.mark.parametrize("divisor", ["NULLIF(boss, 0)", "(NULLIF(boss, (0.0)))", "3"])
def test_a_remainder_by_what_is_never_zero_changes_nothing(divisor: str) -> None:
    assert DDL.adapted(o.Expression(f"SELECT mod(id, {divisor}) FROM staff", "postgresql")).changes == ()


def test_functions_that_skip_nulls_change_nothing() -> None:
    assert DDL.adapted(o.Expression("SELECT concat(\"Name\", 'x') FROM staff", "postgresql")).changes == ()


def test_oracles_own_expressions_are_left_alone() -> None:
    assert DDL.expression(o.Expression("NVL(a,  b)", "oracle")) == "NVL(a,  b)"
