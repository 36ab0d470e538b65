"""What the expressions of other databases become in Oracle's SQL, what that changes, and what is not carried."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dialects.oracle import ADAPTER
from migrator.expressions import Untranslatable
from migrator.expressions.queries import Carried
from migrator.expressions.semantics import Change
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog

STAFF = o.Table(
    "hr",
    "staff",
    (
        o.Column("id", t.Integer(), nullable=False),
        o.Column("boss", t.Integer()),
        o.Column("active", t.Boolean()),
        o.Column("pay", t.Decimal(10, 2)),
        o.Column("fortune", t.Decimal(30, 2)),
        o.Column("tiny", t.Decimal(30, 30)),
        o.Column("huge", t.Decimal(38, 2)),
        o.Column("rate", t.Float()),
        o.Column("Name", t.String(20)),
        o.Column("login", t.String(20), nullable=False),
        o.Column("note", t.String()),
        o.Column("hired", t.Date()),
        o.Column("seen", t.Timestamp(3)),
    ),
)
ROOMS = o.Table("hr", "rooms", (o.Column("id", t.Integer()), o.Column("note", t.String(20))))

PEOPLE = o.Table(
    "hr",
    "people",
    (
        o.Column("id", t.Integer(), nullable=False),
        o.Column("z", t.String(20), collation="utf8mb4_general_ci"),
        o.Column("b", t.String(20), collation="utf8mb4_nopad_bin"),
        o.Column("share", t.Decimal(10, 2)),
        o.Column("rate", t.Float()),
    ),
)


def column(table: str, declaration: t.Type, native: str) -> o.Table:
    return o.Table("main", table, (o.Column("id", t.Integer()), o.Column("x", declaration, native=native)))


TABLES: Mapping[str, tuple[o.Table, ...]] = {
    "postgresql": (STAFF, ROOMS),
    "mysql": (PEOPLE,),
    "sqlite": (column("prices", t.Decimal(10, 2), "NUMERIC(10,2)"), column("names", t.String(20), "VARCHAR(20)")),
}


def written(source: str, sql: str, *, condition: bool = False, table: int = 0) -> tuple[str, list[Change]]:
    changes: dict[Change, None] = {}
    ddl = ADAPTER.ddl(Catalog(source, "", TABLES[source]))
    expression = o.Expression(sql, source)
    return ddl.expression(
        expression, TABLES[source][table], condition=condition, fixed=True, changes=changes
    ), list(changes)  # fmt: skip


def condition(sql: str) -> str:
    return written("postgresql", sql, condition=True)[0]


def viewed(source: str, sql: str) -> Carried:
    schema = TABLES[source][0].schema
    names = tuple(o.QName(schema, table.name) for table in TABLES[source])
    view = o.View(schema, "seen_by", o.Expression(sql, source), depends_on=names)
    return ADAPTER.ddl(Catalog(source, "", (*TABLES[source], view))).query(view)


def query(sql: str) -> str:
    return viewed("postgresql", sql).sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("active", "active = 1"),
        ("NOT active AND id > 3", "NOT active = 1 AND id > 3"),
        ("active = true OR false", "active = 1 OR 0 = 1"),
        ("(id > 1) = active", "CASE WHEN id > 1 THEN 1 WHEN NOT id > 1 THEN 0 END = active"),
        ("active IS TRUE", "CASE WHEN active = 1 THEN 1 ELSE 0 END = 1"),
        ("(id > boss) IS FALSE", "CASE WHEN NOT (id > boss) THEN 1 ELSE 0 END = 1"),
        ("(id > 1) IS NULL", "CASE WHEN id > 1 THEN 1 WHEN NOT id > 1 THEN 0 END IS NULL"),
        ("CASE WHEN active THEN id > 1 ELSE true END",
         "CASE WHEN active = 1 THEN CASE WHEN id > 1 THEN 1 WHEN NOT id > 1 THEN 0 END ELSE 1 END = 1"),
        ("id IS DISTINCT FROM boss", "DECODE(id, boss, 1, 0) = 0"),
        ("id IS NOT DISTINCT FROM boss", "DECODE(id, boss, 1, 0) = 1"),
        ("\"Name\" = ANY (ARRAY['a'::text, 'b'::text])", "\"Name\" IN ('a', 'b')"),
        ("(\"Name\")::text = ANY ((ARRAY['a'::character varying])::text[])", "\"Name\" IN ('a')"),
        ("pay > '0'::numeric", "pay > 0"),
        ("hired > '2020-02-29'::date", "hired > DATE '2020-02-29'"),
        ("seen < '2020-02-29 10:00:00'", "seen < TIMESTAMP '2020-02-29 10:00:00.000'"),
        ("hired + 7 > hired", "hired + 7 > hired"),
        ("id % 2 = 0", "MOD(id, 2) = 0"),
        ("id / 2 = 1", "TRUNC(id / 2) = 1"),
        ("rate / 2 = 1", "rate / TO_BINARY_DOUBLE(2) = 1"),
        ("\"Name\" LIKE 'a\\_b%'", "\"Name\" LIKE 'a\\_b%' ESCAPE '\\'"),
        ("\"Name\" LIKE 'ab%'", "\"Name\" LIKE 'ab%'"),
        ("EXTRACT(year FROM hired) > 2000", "EXTRACT(YEAR FROM hired) > 2000"),
        ("COALESCE(boss, id) > 0", "COALESCE(boss, id) > 0"),
    ],
)  # fmt: skip
def test_conditions(sql: str, expected: str) -> None:
    assert written("postgresql", sql, condition=True) == (expected, [])


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("\"Name\" <> ''", "'' is NULL in Oracle"),
        ("note = 'x'", "note is a LOB here"),
        ("note IN ('x', 'y')", "note is a LOB here"),
        ("trim(note) = 'x'", "is a LOB here"),
        ("COALESCE(note, 'x') IS NULL", "some of its texts are LOBs"),
        ("lower(\"Name\") = 'x'", "LOWER"),
        ("\"Name\" ~ '^a'", "a pattern match"),
        ("\"Name\" ILIKE 'a'", "ILIKE"),
        ("hired < CURRENT_DATE", "the same value is wanted every time"),
        ("id & 1 = 1", "Oracle is not known to have: the bits"),
        ("hired::text = '2020'", "CAST AS TEXT"),
        ("'20200229'::date < hired", "what '20200229' is as DATE differs"),
        ('"Name" COLLATE "C" < \'a\'', "COLLATE"),
        ("\"Name\" + ' ' > 1", "what \\+ of text"),
        ("my_function(id) = 1", "MY_FUNCTION"),
        ("'{1,2}'::int[] = ARRAY[id]", "INT\\[\\]"),
        ("EXTRACT(dow FROM hired) = 1", "EXTRACT DOW"),
        ("substr(\"Name\", 0, 2) = 'a'", "SUBSTRING"),
    ],
)
def test_what_oracle_cannot_say_or_would_take_otherwise_is_not_carried(sql: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        condition(sql)


@pytest.mark.parametrize(
    ("source", "sql", "why"),
    [
        ("mysql", "z = 'a'", "= of caseless, string"),
        ("mysql", "substr(b, 0, 2) = 'a'", "SUBSTR"),
        ("mysql", "id / 2 > 1", "/ of integer, integer"),
        ("mysql", "b LIKE 'a%' AND z LIKE 'a%'", "LIKE of caseless"),
        ("sqlite", "x LIKE 'a%'", "LIKE of number"),
    ],
)
def test_what_means_something_else_at_the_source_is_not_carried(source: str, sql: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        written(source, sql, condition=True)


def test_decimals_of_sqlite_are_calculated_as_the_floats_that_they_are() -> None:
    sql, changes = written("sqlite", "x * 3 > 0.3", condition=True)
    assert (sql, changes) == ("TO_BINARY_DOUBLE(x) * TO_BINARY_DOUBLE(3) > 0.3", [])


def test_like_of_sqlite_takes_capital_letters_for_small_ones() -> None:
    with pytest.raises(Untranslatable, match="capital and small letters"):
        written("sqlite", "x LIKE 'a%'", condition=True, table=1)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT true AS yes, CURRENT_DATE AS day FROM staff s",
         "SELECT 1 AS yes, TRUNC(CURRENT_DATE) AS day FROM hr.staff s"),
        ("SELECT 1 AS x", "SELECT 1 AS x FROM dual"),
        ("SELECT id > 1 AS big FROM staff",
         "SELECT CASE WHEN id > 1 THEN 1 WHEN NOT id > 1 THEN 0 END AS big FROM hr.staff"),
        ("SELECT id FROM staff UNION ALL SELECT 0", "SELECT id FROM hr.staff UNION ALL SELECT 0 FROM dual"),
        ("SELECT id + 1 AS next, count(*) AS n FROM staff GROUP BY 1",
         "SELECT id + 1 AS next, COUNT(*) AS n FROM hr.staff GROUP BY id + 1"),
        ("SELECT id % 7 AS day, max(pay) AS top FROM staff GROUP BY day",
         "SELECT MOD(id, 7) AS day, MAX(pay) AS top FROM hr.staff GROUP BY MOD(id, 7)"),
        ("SELECT s.id, sum(pay) AS x FROM staff s GROUP BY id ORDER BY x",
         "SELECT s.id, SUM(pay) AS x FROM hr.staff s GROUP BY s.id ORDER BY x"),
        ("SELECT \"Name\" FROM hr.staff LIMIT 3", 'SELECT "Name" FROM hr.staff FETCH FIRST 3 ROWS ONLY'),
        ("SELECT concat(\"Name\", '-', id) AS x FROM staff", "SELECT \"Name\" || '-' || TO_CHAR(id) AS x FROM hr.staff"),
        ("SELECT a.id FROM staff AS a JOIN staff AS b ON b.active AND a.id = b.id",
         "SELECT a.id FROM hr.staff a JOIN hr.staff b ON b.active = 1 AND a.id = b.id"),
        ("SELECT CASE WHEN active THEN 'yes' ELSE 'no' END AS date FROM staff",
         "SELECT CASE WHEN active = 1 THEN 'yes' ELSE 'no' END AS \"date\" FROM hr.staff"),
        ("SELECT id, note FROM rooms GROUP BY id, note", "SELECT id, note FROM hr.rooms GROUP BY id, note"),
        ("SELECT *, id + 1 AS next FROM rooms", "SELECT rooms.*, id + 1 AS next FROM hr.rooms"),
        ("SELECT a.id, b.note FROM staff AS a JOIN rooms AS b USING (id)",
         "SELECT id, b.note FROM hr.staff a JOIN hr.rooms b USING (id)"),
        ("SELECT a.id FROM staff AS a JOIN rooms AS b USING (id) WHERE EXISTS (SELECT 1 FROM rooms AS a WHERE a.id = boss)",
         "SELECT id FROM hr.staff a JOIN hr.rooms b USING (id) WHERE EXISTS (SELECT 1 FROM hr.rooms a WHERE a.id = boss)"),
        ("SELECT b.* FROM staff AS a JOIN rooms AS b USING (id)",
         "SELECT id, b.note FROM hr.staff a JOIN hr.rooms b USING (id)"),
        ("SELECT t.x FROM (SELECT id FROM staff UNION ALL SELECT 3) AS t(x)",
         "SELECT t.x FROM (SELECT id AS x FROM hr.staff UNION ALL SELECT 3 FROM dual) t"),
    ],
)  # fmt: skip
def test_queries(sql: str, expected: str) -> None:
    carried = viewed("postgresql", sql)
    assert (carried.sql, carried.changes) == (expected, ())


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT DISTINCT note FROM staff", "note is a LOB here"),
        ("SELECT note FROM staff GROUP BY note", "note is a LOB here"),
        ("SELECT max(note) AS x FROM staff", "MAX of text"),
        ("SELECT note FROM staff UNION SELECT 'x'", "note is a LOB here"),
        ("SELECT note FROM staff UNION ALL SELECT 'x'", "note is a LOB in one of its queries"),
        ("SELECT id FROM staff ORDER BY note", "note is a LOB here"),
        ("SELECT count(DISTINCT note) AS n FROM staff", "note is a LOB here"),
        ("SELECT count(*) FILTER (WHERE active) FROM staff", "FILTER"),
        ("WITH RECURSIVE r AS (SELECT 1 AS x) SELECT x FROM r", "RECURSIVE"),
        ("SELECT id, max(pay) AS top FROM staff", "shows id without grouping"),
        ("SELECT max(pay) AS top FROM staff GROUP BY id ORDER BY hired", "shows hired without grouping"),
        ("SELECT unnest(ARRAY[1, 2])", "means elsewhere is not known"),
        ("SELECT id FROM staff EXCEPT SELECT 1", "EXCEPT"),
        ("SELECT row_number() OVER (ORDER BY id) AS n FROM staff", "ROW_NUMBER"),
        ("SELECT a.id FROM staff AS a LEFT JOIN rooms AS b USING (id)", "USING has of both tables"),
        (
            "SELECT 1 AS x FROM staff AS a JOIN rooms USING (id) WHERE EXISTS (SELECT 1 FROM rooms AS c WHERE c.id = a.id)",
            "a query in it names the table of id",
        ),
        (
            "SELECT 1 AS x FROM staff AS a JOIN rooms AS b USING (id) JOIN rooms AS c ON c.id = a.boss",
            "id is a column of c too",
        ),
        (
            "SELECT 1 AS x FROM rooms AS c, staff AS a JOIN rooms AS b USING (id) WHERE c.id = a.boss",
            "id is a column of c too",
        ),
        ("SELECT t.x FROM staff AS t(x)", "names for the columns of a table"),
        ("SELECT t.x FROM (SELECT id FROM staff ORDER BY boss) AS t(x)", "names for the columns of a query in FROM"),
    ],
)
def test_queries_that_oracle_has_not_are_not_carried(sql: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        query(sql)


@pytest.mark.parametrize(
    ("sql", "expected", "rule"),
    [
        ("\"Name\" || 'x'", "\"Name\" || 'x'", "oracle-concat"),
        ('trim("Name")', 'TRIM("Name")', "oracle-empty-string"),
        ('substr("Name", 1, 2)', 'SUBSTR("Name", 1, 2)', "oracle-empty-string"),
        ("length(note)", "LENGTH(note)", "oracle-clob"),
        ('concat("Name", login)', '"Name" || login', "oracle-empty-string"),
        ("login || login", "login || login", "oracle-empty-string"),
        ("fortune * fortune", "fortune * fortune", "oracle-digits"),
        ("fortune + tiny", "fortune + tiny", "oracle-digits"),
        ("id + tiny", "id + tiny", "oracle-digits"),
        ("pay - 0.00000000000000000000000000000000001", "pay - 0.00000000000000000000000000000000001", "oracle-digits"),
        ("sum(huge)", "SUM(huge)", "oracle-digits"),
        ("rate / boss", "rate / TO_BINARY_DOUBLE(boss)", "division-by-zero"),
    ],
)
def test_what_means_something_else_is_named(sql: str, expected: str, rule: str) -> None:
    made, changes = written("postgresql", sql)
    assert (made, [found for found, _ in changes]) == (expected, [rule])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("login || 'x'", "login || 'x'"),
        ("concat(\"Name\", 'x')", "\"Name\" || 'x'"),
        ('length("Name")', 'LENGTH("Name")'),
        ("pay * pay", "pay * pay"),
        ('concat("Name", id)', '"Name" || TO_CHAR(id)'),
        ("fortune + pay", "fortune + pay"),
        ("tiny + 1", "tiny + 1"),
        ("sum(pay)", "SUM(pay)"),
        ("rate * 2 + rate - id", "rate * 2 + rate - id"),
    ],
)
def test_what_means_the_same_has_no_entry(sql: str, expected: str) -> None:
    assert written("postgresql", sql) == (expected, [])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("mod(id, boss)", "id - boss * TRUNC(id / boss)"),
        ("mod(id, NULLIF(boss, 0))", "MOD(id, NULLIF(boss, 0))"),
        ("mod(id, 3)", "MOD(id, 3)"),
        ("id / boss", "TRUNC(id / boss)"),
    ],
)
def test_a_division_by_zero_is_the_error_that_it_was(sql: str, expected: str) -> None:
    assert written("postgresql", sql) == (expected, [])


def test_a_division_by_zero_that_may_be_null_is() -> None:
    made, changes = written("mysql", "7 % id")
    assert made == "MOD(7, NULLIF(id, 0))"
    assert [rule for rule, _ in changes] == ["division-by-zero"]


def test_oracles_own_expressions_are_left_alone() -> None:
    assert ADAPTER.ddl(Catalog("oracle", "")).expression(o.Expression("NVL(a,  b)", "oracle")) == "NVL(a,  b)"
