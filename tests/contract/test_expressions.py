"""Expressions between databases: on real servers, what is carried gives the same value for every row, or is refused."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import adapter_for_backend
from migrator.expressions import Untranslatable
from migrator.model.catalog import Catalog
from migrator.model.objects import Expression
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, rows

Fresh = Callable[[str], str]

TABLES = {
    "postgresql": (
        "CREATE TYPE mood AS ENUM ('low', 'high')",
        """CREATE TABLE t (id integer PRIMARY KEY, i integer, j integer NOT NULL, n numeric(8,2),
            f double precision, b boolean, a text, c varchar(20), d date, e date, ts timestamp(3),
            us timestamp(3), m mood)""",
    ),
    "mysql": (
        """CREATE TABLE t (id integer PRIMARY KEY, i integer, j integer NOT NULL, n decimal(8,2), f double, b tinyint(1),
            a text, c varchar(20), d date, e date, ts datetime(3), us datetime(3), m enum('low', 'high'))
            CHARACTER SET utf8mb4 COLLATE {collation}""",
    ),
    "sqlite": (
        """CREATE TABLE t (id integer PRIMARY KEY, i int, j int NOT NULL, n decimal(8,2), f real, b boolean,
            a text, c varchar(20), d date, e date, ts datetime(3), us datetime(3), m text)""",
    ),
}
"""One table, as each database has it."""

MORE = {
    "postgresql": ("ALTER TABLE t ADD l numeric(20,6) NOT NULL DEFAULT 12345678901234.5",),
    "mysql": (
        "ALTER TABLE t ADD ch char(5) NOT NULL DEFAULT 'ab', ADD u bigint unsigned NOT NULL DEFAULT 7,"
        " ADD y year NOT NULL DEFAULT 2018",
    ),
}
"""Columns of types that only one has: padded, without a sign, a year, or with more digits than SQLite's numbers."""

ROWS = (
    "1, 7, 2, 12.50, 2.5, {true}, 'abc', 'x', '2020-02-29', '2019-12-31',"
    " '2020-02-29 12:30:59.500', '2020-02-29 12:30:59.250', 'low'",
    "2, -7, 2, -12.50, -2.5, {false}, 'ABC', 'a', '1999-12-31', '2000-03-01',"
    " '1999-12-31 23:59:59.000', '2000-01-01 00:00:00.000', 'high'",
    "3, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    "4, 0, -3, 0.01, 0.1, {true}, ' a%b_c*[x]? ', 'ä', '2024-01-01', '2024-01-01',"
    " '2024-01-01 00:00:00.000', '2024-01-01 00:00:00.000', 'low'",
    "5, 1000000000, 300000, 999999.99, 1e15, {false}, 'Äb', 'b', '2001-03-04', '2001-03-05',"
    " '2001-03-04 05:06:07.008', '2001-03-04 05:06:07.008', 'high'",
    "6, 5, 3, 0.10, 3.5, {true}, '', 'abc', '2020-03-01', '2020-02-28',"
    " '2020-03-01 00:00:00.001', '2020-02-28 00:00:00.000', 'low'",
)
"""NULLs, halves, negative and large numbers, capitals, letters with marks, patterns' own characters, a leap day."""


PAIRS = list(permutations(TABLES, 2))
"""Each database and another one; within one, expressions stay as they are."""


@dataclass(frozen=True)
class Case:
    """An expression, and the databases it is carried to."""

    sql: str
    to: str = "postgresql mysql sqlite"


CASES: dict[str, Sequence[Case]] = {
    "postgresql": (
        *map(
            Case,
            (
                "i / 2",
                "i % 2",
                "mod(i, 3)",
                "i / 2 * 2 + j - 1",
                "(i + j) * 2",
                "i - (j - 2)",
                "-i",
                "abs(i)",
                "i > j",
                "i > 1 AND (i < 6 OR j = 3)",
                "NOT (i > 1)",
                "i IS NULL",
                "i IS NOT NULL",
                "i IS DISTINCT FROM j",
                "i IS NOT DISTINCT FROM 7",
                "i BETWEEN 0 AND 7",
                "i = ANY (ARRAY[7, 5])",
                "i <> ALL (ARRAY[7, 5])",
                "greatest(i, 0)",
                "least(i, j, 3)",
                "COALESCE(i, j, 0)",
                "NULLIF(i, 7)",
                "n > 0.1",
                "n >= '0.10'::numeric",
                "n > '-12'::numeric",
                "i > '3'::smallint",
                "f * 2",
                "f + i",
                "f / 4",
                "f > '2'::double precision",
                "i::double precision / 4",
                "b",
                "b IS TRUE",
                "b = false",
                "NOT b",
                "b::integer",
                "a ~~ 'a%'",
                "a ~~ 'A%'",
                "a !~~ '%b%'",
                "a NOT LIKE '%!%b%' ESCAPE '!'",
                "i NOT IN (7, 5)",
                "i NOT BETWEEN 1 AND 6",
                "(i > 1) IS NOT TRUE",
                "a ~~ '%a\\%b\\_c*[%'",
                "a ~~ '_b%'",
                "a = 'abc'",
                "a <> 'abc'",
                "a = ANY (ARRAY['abc'::text, 'ABC'::text])",
                "(c)::text = ANY ((ARRAY['x'::character varying, 'A'::character varying])::text[])",
                "(a || '-'::text) || c",
                "concat(a, '-', c, i)",
                "i::text || a",
                "length(a)",
                '"substring"(a, 2, 2)',
                '"left"(a, 2)',
                "btrim(a)",
                "replace(a, 'b', 'BB')",
                "strpos(a, 'b')",
                "COALESCE(a, '')",
                "CASE WHEN i > 3 THEN 'big'::text WHEN i IS NULL THEN NULL::text ELSE a END",
                "CASE i WHEN 7 THEN 1 ELSE 0 END",
                "COALESCE(n, 0)",
                "CASE WHEN i > 3 THEN l END IS NULL",
                "d - '2020-01-01'::date",
                "d - e",
                "d + 1",
                "d - j",
                "d > '2000-01-01'::date",
                "greatest(d, e)",
                "EXTRACT(year FROM d)",
                "date_part('month'::text, ts)",
                "EXTRACT(year FROM d)::integer + 1",
                "EXTRACT(hour FROM ts)",
                "ts::date",
                "ts > us",
                "ts >= '2020-02-29 12:30:59.5'::timestamp without time zone",
                "to_char(d, 'YYYY-MM')",
                "m = 'low'::mood",
                "i # 3",
                "i & 3",
                "i | 8",
            ),
        ),
        Case("n + 1", "mysql"),
        Case("n * n", "mysql"),
        Case("round(n, 1)", "mysql"),
        Case("round(n)", "mysql"),
        Case("floor(n)", "mysql"),
        Case("COALESCE(l, 0)", "mysql"),
        Case("CASE WHEN i > 3 THEN l ELSE i END", "mysql"),
        Case("l > 1", "mysql"),
        *(
            Case(sql, "")
            for sql in (
                "round(f)",
                "f::integer",
                "n / 3",
                "a < 'b'",
                "upper(a)",
                "a ~ '^a'",
                "a ~~* 'A%'",
                "a NOT ILIKE 'A%'",
                "i BETWEEN SYMMETRIC 3 AND 1",
                "ts - us",
                "now()",
                "d::timestamp",
                "age(ts)",
                "random()",
                "my_function(i)",
                "i / 0",
                "'5'::numeric / '2'::numeric",
                "i % (-0)",
                "f / 0.0",
                'a COLLATE "C"',
                "d::text",
                "i::numeric / 2",
                "power(f, 2)",
                "greatest(a, c)",
                "ARRAY[i]",
                '"substring"(a, i)',
                "date_part('', ts)",
            )
        ),
    ),
    "mysql": (
        *map(
            Case,
            (
                "i DIV 2",
                "i MOD 2",
                "i % j",
                "i + j",
                "i * j",
                "i DIV j",
                "i <=> j",
                "greatest(i, j)",
                "least(i, 0)",
                "if(i > 3, 'x', a)",
                "ifnull(i, 0)",
                "b",
                "i and 1",
                "b = 1",
                "n > 0.1",
                "f / 4",
                "f * i",
                "a = 'abc'",
                "a like 'a%'",
                "concat(a, '-', c)",
                "concat(a, i)",
                "char_length(a)",
                "substr(a, 2, 1)",
                "trim(a)",
                "d = '2020-02-29'",
                "ts > '2020-01-01 00:00:00'",
                "datediff(d, e)",
                "year(d)",
                "year(d) % 4",
                "year(d) * 1234567",
                "extract(month from ts)",
                "date_format(ts, '%Y-%m-%d')",
                "m = 'low'",
                "isnull(i)",
                "case when b then i else j end",
                "date(ts)",
                "date(d)",
                "cast(ts as date)",
                "datediff(date(ts), e)",
                "year(date(ts))",
                "replace(a, 'b', 'BB')",
                "u > 3",
                "u % 4",
                "u + 1",
                "i > cast('-1' as signed)",
                "i > cast('5' as decimal)",
                "f > cast('2.4' as double)",
                "y > 1999",
                "y between 1999 and 2018",
                "y + 1",
            ),
        ),
        Case("n + 1", "postgresql"),
        Case("u < 18446744073709551615", "postgresql"),
        *(
            Case(sql, "")
            for sql in (
                "i / 2",
                "a < 'b'",
                "length(a)",
                "a = 1",
                "i & 3",
                "d + 1",
                "round(f)",
                "upper(a)",
                "a regexp 'x'",
                "now()",
                "i xor j",
                "md5(a)",
                "m > 'low'",
                "date(a)",
                "date(i)",
                "date(concat(d, ''))",
                "ch like 'ab'",
                "concat(ch, '|')",
                "coalesce(ch, '')",
                "u div 2",
                "cast(u as signed)",
                "i > cast('6.5' as signed)",
                "i > cast('99999999999999999999' as signed)",
                "n > cast('0.005' as decimal)",
                "u < cast('12345678901' as decimal)",
                "y = 18",
                "y between 0 and 50",
                "y in (18, 19)",
                "case y when 18 then 1 end",
                "y = i",
                "sum(f) over ()",
            )
        ),
    ),
    "sqlite": (
        *map(
            Case,
            (
                "i / 2",
                "i / j",
                "i % j",
                "i + j",
                "i * j",
                "i | j",
                "i & 3",
                "f / 4",
                "f * i",
                "f * 0.1",
                "n * 2",
                "n + 0.1",
                "i * 0.5",
                "n > 0.1",
                "max(i, j)",
                "min(i, 0)",
                "iif(i > 3, 1, 0)",
                "ifnull(i, 0)",
                "b",
                "b = 1",
                "i",
                "i and 1",
                "i is j",
                "i is not j",
                "i == 7",
                "a = 'abc'",
                "a in ('abc', 'ABC')",
                "a like '%\\%'",
                "a like '%*%'",
                "a || '-' || c",
                "a || i",
                "length(a)",
                "substr(a, 2)",
                "trim(a)",
                "instr(a, 'b')",
                "d < '2000-01-01'",
                "d = e",
                "strftime('%Y', d)",
                "CAST(strftime('%m', ts) AS INTEGER)",
                "CAST(strftime('%Y', d) AS INTEGER) / 4",
                "CAST(strftime('%Y', d) AS INTEGER) % 4",
                "strftime('%Y-%m-%d %H:%M:%S', ts)",
                "b is true",
                "CAST(i AS REAL) / 4",
                "i > CAST('-1' AS INTEGER)",
                "n > CAST('0.1' AS NUMERIC)",
                "case when i > 3 then 'x' when i is null then a end",
            ),
        ),
        *(
            Case(sql, "")
            for sql in (
                "n / 2",
                "a like 'a%'",
                "a < 'b'",
                "ts > us",
                "ts > '2020-01-01'",
                "d > '2020'",
                "a = 1",
                "round(f)",
                "upper(a)",
                "CAST(f AS INTEGER)",
                "i > CAST('6.5' AS INTEGER)",
                "i < CAST('99999999999999999999' AS INTEGER)",
                "i > CAST('6' AS SIGNED)",
                "CAST('5' AS NUMERIC) / 2",
                "typeof(a)",
                "date('now')",
                "julianday(d)",
                "a glob 'a*'",
                'a = "abc"',
                "mod(i, 2)",
                "random()",
            )
        ),
    ),
}


@pytest.fixture
def fresh(postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh) -> Fresh:
    """``fresh("mysql")``: the URL of a fresh database."""
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return {"postgresql": postgresql, "mysql": mysql, "sqlite": lambda: sqlite_file(f"{len(made)}.db")}[name]()

    return make


def source_of(name: str, url: str, *more: str) -> Catalog:
    """The table with its rows in a database, changed by ``more``, and the database's catalog."""
    collation = ""
    if name == "mysql":
        (version,) = rows(url, "SELECT VERSION()")
        collation = "utf8mb4_nopad_bin" if "MariaDB" in str(version) else "utf8mb4_0900_bin"
    truths = ("true", "false") if name == "postgresql" else ("1", "0")
    inserts = (f"INSERT INTO t VALUES ({row.format(true=truths[0], false=truths[1])})" for row in ROWS)
    execute(url, *(sql.format(collation=collation) for sql in TABLES[name]), *inserts, *more)
    adapter = adapter_for_backend(sa.make_url(url).get_backend_name())
    with adapter.engine(sa.make_url(url)).connect() as connection:
        return adapter.catalog(connection, [schema_of(url)])


def plain(value: object) -> object:
    """A value as all databases' drivers could give it."""
    match value:
        case bool() | int() | float() | Decimal():
            return round(float(value), 9)
        case datetime.datetime() | datetime.date() | str() if re.match(r"\d{4}-\d\d-\d\d", str(value)):
            return re.sub(r"(:\d\d)\.(\d*?)0*$", r"\1.\2", str(value)).removesuffix(".")
        case _:
            return value


def values(url: str, sql: str) -> list[object]:
    """The expression's value for every row; the driver itself runs it, so that no character of it means anything else."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"SELECT {sql} FROM t ORDER BY id")
        return [plain(value) for (value,) in cursor.fetchall()]


def make_views(url: str, views: dict[str, str]) -> None:
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        for name, sql in views.items():
            connection.connection.cursor().execute(f"CREATE VIEW {name} AS {sql}")
        connection.connection.commit()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_is_carried_gives_the_same_values(source: str, target: str, fresh: Fresh, tmp_path: Path) -> None:
    there, here = fresh(source), fresh(target)
    catalog = source_of(source, there, *MORE.get(source, ()))
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    adapter = adapter_for_backend(sa.make_url(here).get_backend_name())
    with adapter.engine(sa.make_url(here)).connect() as connection:
        ddl = adapter.ddl(catalog, adapter.server(connection).version)
    (table,) = (obj for obj in catalog.objects if getattr(obj, "name", "") == "t")
    wrong = []
    for case in CASES[source]:
        try:
            sql = ddl.expression(Expression(case.sql, source), table, read=True)  # type: ignore[arg-type]
        except Untranslatable as why:
            if target in case.to.split():
                wrong.append(f"{case.sql} is refused: {why}")
            continue
        if target not in case.to.split():
            wrong.append(f"{case.sql} is carried: {sql}")
            continue
        expected, found = values(there, case.sql), values(here, sql)
        if expected != found:
            wrong.append(f"{case.sql} -> {sql}: {expected} {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("source", ["mysql", "sqlite"])
def test_the_least_numbers_have_others_with_the_other_sign(source: str, fresh: Fresh, tmp_path: Path) -> None:
    there, here = fresh(source), fresh("postgresql")
    execute(
        there,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, i INT, s SMALLINT, CHECK (-i > -3000000000))",
        "INSERT INTO t VALUES (1, -2147483648, -32768), (2, 5, 6)",
    )
    query = "SELECT id, -i, abs(s), abs(-i) FROM t ORDER BY id"
    make_views(there, {"signs": "SELECT id, -i AS a, abs(s) AS b, abs(-i) AS c FROM t"})
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    assert rows(here, "SELECT * FROM signs ORDER BY id") == rows(there, query)


VIEWS: dict[str, dict[str, str]] = {
    "postgresql": {
        "halves": "SELECT id, i / 2 AS half, d + 1 AS tomorrow, d - '2020-01-01'::date AS days FROM t WHERE i / 2 <> 1",
        "matching": "SELECT id FROM t WHERE a LIKE 'a%' OR a IN ('ABC', 'x')",
        "grouped": "SELECT i > 3 AS big, count(*) AS n, sum(i) AS total, max(d) AS last FROM t GROUP BY i > 3"
        " HAVING count(*) > 0",
        "joined": "SELECT x.id, y.a, greatest(x.i, y.j) AS g FROM t x LEFT JOIN t y ON y.id = x.id + 1 AND y.b",
        "on_views": "SELECT h.half + 1 AS more FROM halves h JOIN matching m USING (id)",
        "with_query": "WITH w AS (SELECT id, i FROM t WHERE i IS NOT NULL)"
        " SELECT w.id, (SELECT count(*) FROM t z WHERE z.i > w.i) AS larger FROM w"
        " WHERE EXISTS (SELECT 1 FROM t q WHERE q.j = w.i) OR w.id IN (SELECT id FROM t WHERE b)",
        "with_own_name": "WITH t AS (SELECT id, i FROM t WHERE i > 4)"
        " SELECT t.id, (SELECT count(*) FROM public.t z WHERE z.i < t.i) AS less FROM t",
        "with_later": "WITH q AS (SELECT id FROM t), t AS (SELECT 1 AS id) SELECT q.id, t.id AS one FROM q, t",
        "with_hidden": "WITH t AS (SELECT 1 AS id), t_1 AS (SELECT 2 AS id)"
        " SELECT y.id, u.id AS one, t_1.id AS two FROM public.t y, t u, t_1",
        "either": "SELECT i AS x FROM t WHERE b UNION SELECT j FROM t",
        "sorted": "SELECT id, i FROM t ORDER BY i DESC, id LIMIT 4",
        "starred": "SELECT * FROM t WHERE j > 0",
        "named_outside": "SELECT y.x, y.i FROM (SELECT id, i FROM t) AS y(x)",
        "sorted_by_shown": "SELECT coalesce(i, 6) AS i FROM t ORDER BY i LIMIT 4",
        "sorted_by_column": "SELECT -i AS i FROM t WHERE i IS NOT NULL ORDER BY i + 0 LIMIT 2",
        "sorted_by_total": "SELECT b, sum(i) AS i FROM t GROUP BY b ORDER BY i DESC LIMIT 2",
        "sorted_in_whole": "SELECT -i AS i FROM t ORDER BY +i",
        "left_out_plus": "SELECT -i AS i FROM t WHERE i IS NOT NULL ORDER BY +i LIMIT 2",
        "left_out": "SELECT id, upper(a) AS u FROM t",
        "left_out_too": "SELECT id FROM left_out",
        "left_out_now": "SELECT now() AS n",
        "left_out_window": "SELECT id, row_number() OVER (ORDER BY a) AS r FROM t",
        "left_out_first": "SELECT a FROM t ORDER BY a LIMIT 1",
    },
    "mysql": {
        "halves": "SELECT id, i DIV 2 AS half, ifnull(i, 0) AS z, datediff(d, e) AS days FROM t WHERE i AND i <> 1",
        "grouped": "SELECT b, count(*) AS n, sum(i) AS total FROM t GROUP BY b",
        "by_key": "SELECT t.id, t.i, count(u.id) AS n FROM t LEFT JOIN t u ON u.i < t.i GROUP BY t.id",
        "joined": "SELECT concat(x.a, '-', y.a) AS both_of, if(x.b, 'yes', 'no') AS yes FROM t x JOIN t y ON x.id = y.j",
        "with_own_name": "WITH t AS (SELECT id, i FROM t WHERE i > 4) SELECT t.id FROM t",
        "with_later": "WITH q AS (SELECT id FROM t), T AS (SELECT 1 AS id) SELECT q.id, t.id AS one FROM q, t",
        "sorted_by_shown": "SELECT coalesce(i, 6) AS i FROM t ORDER BY i LIMIT 4",
        "sorted_by_column": "SELECT -i AS i FROM t WHERE i IS NOT NULL ORDER BY i + 0 LIMIT 2",
        "sorted_by_total": "SELECT b, sum(i) AS i FROM t GROUP BY b ORDER BY i DESC LIMIT 2",
        "left_out": "SELECT i / 2 AS half FROM t",
        "left_out_group": "SELECT b, i FROM t GROUP BY b",
    },
    "sqlite": {
        "halves": "SELECT id, i / 2 AS half, n * 2 AS twice, strftime('%Y', d) AS year FROM t WHERE i",
        "grouped": 'SELECT b, count(*) AS n, sum(f) AS total, avg(i) AS mean FROM "T" GROUP BY 1',
        "joined": "SELECT x.[id], y.a || '!' AS loud FROM t AS x, t AS y WHERE x.id = y.j ORDER BY y.id",
        "sorted_by_shown": "SELECT coalesce(i, 6) AS i FROM t ORDER BY i LIMIT 4",
        "sorted_by_column": "SELECT -i AS i FROM t WHERE i IS NOT NULL ORDER BY i + 0 LIMIT 2",
        "sorted_by_total": "SELECT b, sum(i) AS i FROM t GROUP BY b ORDER BY i DESC LIMIT 2",
        "sorted_in_whole": "SELECT -i AS i FROM t ORDER BY +i",
        "left_out_plus": "SELECT -i AS i FROM t WHERE i IS NOT NULL ORDER BY +i LIMIT 2",
        "left_out": "SELECT id FROM t WHERE a LIKE 'a%'",
        "left_out_group": "SELECT b, i FROM t GROUP BY b",
        "left_out_name": "SELECT id FROM elsewhere",
        "with_query": "WITH q AS (SELECT id FROM t), r AS (SELECT id FROM q WHERE id > 2)"
        " SELECT r.id FROM r, q WHERE q.id = 1",
        "inner_query": "SELECT y.id FROM (WITH t AS (SELECT 5 AS id) SELECT id FROM t) y, t WHERE t.id = 2",
        "starred": "SELECT * FROM (SELECT i AS x, id FROM t) p JOIN (SELECT id, j AS y FROM t) q USING (id)",
        "left_out_star": "SELECT * FROM (SELECT id FROM t) p JOIN (SELECT id FROM t) q USING (id)"
        " JOIN (SELECT id, j FROM t) r ON r.j = p.id",
        "left_out_commas": "SELECT q.i FROM (SELECT id FROM t) p, (SELECT id, i FROM t) q"
        " JOIN (SELECT id FROM t) r USING (id)",
        "left_out_later": "WITH q AS (SELECT id FROM t), t AS (SELECT 1 AS id) SELECT id FROM q",
        "left_out_around": "WITH q AS (SELECT id FROM (WITH z AS (SELECT id FROM T) SELECT id FROM z)),"
        " t AS (SELECT 1 AS id) SELECT id FROM q",
    },
}
"""Views by name; the names of those that cannot be carried say so."""


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_views_show_the_same_rows_or_are_named(source: str, target: str, fresh: Fresh, tmp_path: Path) -> None:
    there, here = fresh(source), fresh(target)
    source_of(source, there)
    make_views(there, VIEWS[source])
    run = done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    left_out = {name for name in VIEWS[source] if any(f'."{name}": not carried' in loss for loss in run.losses)}
    assert left_out == {name for name in VIEWS[source] if name.startswith("left_out")}, run.out
    for name in VIEWS[source].keys() - left_out:
        assert shown(here, name) == shown(there, name), name
    told = {name for name in VIEWS[source] if any(f'."{name}": rows are sorted by i as' in loss for loss in run.losses)}
    assert told == VIEWS[source].keys() & {"sorted_in_whole"}


@pytest.mark.parametrize(("target", "carried"), [("postgresql", True), ("mysql", False)])
def test_sorting_by_what_is_shown_by_a_columns_name_is_carried_where_nulls_come_last_by_a_word(
    target: str, carried: bool, fresh: Fresh, tmp_path: Path
) -> None:
    there, here = fresh("sqlite"), fresh(target)
    source_of("sqlite", there)
    make_views(there, {"v": "SELECT coalesce(i, 6) AS i FROM t ORDER BY i NULLS LAST LIMIT 4"})
    run = done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    refused = "i is a column of a table and another one of the query"
    assert any(refused in loss for loss in run.losses) is not carried, run.out
    assert not carried or shown(here, "v") == shown(there, "v")


SEVERAL = {
    "equals_several": "SELECT id FROM t WHERE j = (SELECT j FROM t)",
    "shows_several": "SELECT x.id, (SELECT y.i FROM t y WHERE y.j = x.j) AS i FROM t x",
    "either_of_several": "SELECT (SELECT i FROM t WHERE id = 1 UNION ALL SELECT j FROM t) AS i",
    "several_of_a_key": "SELECT x.id, (SELECT y.i FROM t y WHERE y.id = y.j OR y.id = 1) AS i FROM t x",
}
"""Views with a query in place of a value that has several rows."""
SINGLE = {
    "of_all": "SELECT id FROM t WHERE j = (SELECT max(j) FROM t)",
    "limited": "SELECT id FROM t WHERE j = (SELECT j FROM t ORDER BY id LIMIT 1)",
    "by_key": "SELECT x.id, (SELECT y.i FROM t y WHERE y.b AND y.id = x.j) AS i FROM t x",
    "without_table": "SELECT id, (SELECT i + 1) AS i FROM t",
    "is_in": "SELECT id FROM t WHERE j IN (SELECT i FROM t) AND EXISTS (SELECT i FROM t)",
}
"""Views with queries that have one row at most, or are no values."""


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_value_of_several_rows_that_is_one_of_them_elsewhere_is_named(
    source: str, target: str, fresh: Fresh, tmp_path: Path
) -> None:
    there, here = fresh(source), fresh(target)
    source_of(source, there)
    make_views(there, SEVERAL | SINGLE)
    run = done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    named = {view for view in SEVERAL | SINGLE if any(f'."{view}":' in loss for loss in run.losses if "several" in loss)}
    assert named == (set(SEVERAL) if "sqlite" in {source, target} else set()), run.out
    for view in SINGLE:
        assert shown(here, view) == shown(there, view), view
    for url in (there, here):
        for view in SEVERAL:
            if "sqlite" in url:
                assert shown(url, view)
            else:
                with pytest.raises(sa.exc.DBAPIError, match=r"more than (one|1) row"):
                    shown(url, view)


RENAMED = {
    "inner_query": "SELECT y.id FROM (WITH t AS (SELECT 5 AS id) SELECT id FROM t) y, t WHERE t.id = 2",
    "read_twice": "SELECT x.id FROM t x JOIN T ON t.id = x.j",
    "with_pluses": "SELECT +(id) AS id FROM t WHERE i > +4 OR +i = '5' ORDER BY +id",
}
"""Views of a table that gets another name."""
RENAMED_IN_SCHEMAS = {
    "inner_query": RENAMED["inner_query"],
    "filtered": "WITH t AS (SELECT id FROM {schema}.t WHERE i > 4) SELECT id FROM t",
    "of_another_case": "SELECT id FROM {quote}T{quote}",
    "with_pluses": RENAMED["with_pluses"],
}
"""Where tables have schemas: one has the table's name for a query of its own, and one is of a table that only its case tells
from the other."""


@pytest.mark.parametrize("engine", list(TABLES))
def test_views_of_a_renamed_table_show_the_same_rows(engine: str, fresh: Fresh, tmp_path: Path) -> None:
    there, here = fresh(engine), fresh(engine)
    source_of(engine, there)
    views, quote = RENAMED, "`" if engine == "mysql" else '"'
    if engine != "sqlite":
        execute(there, f"CREATE TABLE {quote}T{quote} (id integer)", f"INSERT INTO {quote}T{quote} VALUES (9)")
        views = {name: sql.format(schema=schema_of(there), quote=quote) for name, sql in RENAMED_IN_SCHEMAS.items()}
    make_views(there, views)
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), "REMAP_TABLE=t:t2", f"DIRECTORY={tmp_path}"))
    for name in views:
        assert shown(here, name) == shown(there, name), name


def test_a_view_of_a_table_that_stays_behind_shows_no_other_whose_name_differs_in_case(fresh: Fresh, tmp_path: Path) -> None:
    """A MariaDB server that tells tables apart by case."""
    there, here = fresh("mysql"), fresh("mysql")
    execute(there, "CREATE TABLE emp (x integer)", "CREATE TABLE EMP (x integer)", "INSERT INTO emp VALUES (1)")
    execute(there, "CREATE VIEW v AS SELECT x FROM EMP")
    execute(here, "CREATE TABLE EMP (x integer)", "INSERT INTO EMP VALUES (2)")
    only = ("EXCLUDE=TABLE:\"='EMP'\"", "REMAP_TABLE=emp:staff")
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), *only, f"DIRECTORY={tmp_path}"))
    assert rows(here, "SELECT * FROM staff") == [(1,)]
    assert rows(here, "SELECT * FROM v") == [(2,)]


def test_a_view_in_which_the_new_name_of_a_table_is_another_query_is_named(fresh: Fresh, tmp_path: Path) -> None:
    there, here = fresh("sqlite"), fresh("sqlite")
    source_of("sqlite", there)
    make_views(there, {"v": "WITH q AS (SELECT id FROM t), t2 AS (SELECT 7 AS id) SELECT q.id FROM q, t2"})
    run = done(pump("impdp", here, f"NETWORK_LINK={there}", "REMAP_TABLE=t:t2", f"DIRECTORY={tmp_path}"))
    assert any("[view-remap]" in loss and "it has a query t2 of its own" in loss for loss in run.losses), run.out


def shown(url: str, view: str) -> list[list[str]]:
    """A view's rows, in one order for all databases."""
    return sorted([repr(plain(value)) for value in row] for row in rows(url, f"SELECT * FROM {view}"))


LOOSE = {
    "postgresql": (
        "c char(3), s interval, j jsonb, k uuid",
        "('a', '30 days', '1.0', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')",
    ),
    "mysql": ("c char(3) COLLATE utf8mb4_general_ci, s json, j bit(3), k enum('x', 'y')", "('a', '1', b'101', 'x')"),
}
"""Columns, of which some have values that are equal though they are written otherwise: declarations, and a row."""


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] in LOOSE and pair[0] != pair[1]])
def test_groups_of_what_is_equal_by_rules_of_its_own_are_named(
    source: str, target: str, fresh: Fresh, tmp_path: Path
) -> None:
    there, here = fresh(source), fresh(target)
    columns, row = LOOSE[source]
    execute(there, f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES {row}")
    for name in "csjk":
        execute(there, f"CREATE VIEW by_{name} AS SELECT {name}, count(*) AS n FROM t GROUP BY {name}")
        execute(there, f"CREATE VIEW each_{name} AS SELECT DISTINCT {name} FROM t")
    run = done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}"))
    made = {name for name in "csjk" for view in (f"by_{name}", f"each_{name}") if f'."{view}": not carried' not in run.out}
    assert made == ({"k"} if source == "postgresql" else {"j", "k"})
    assert rows(here, "SELECT n FROM by_k") == [(1,)]
