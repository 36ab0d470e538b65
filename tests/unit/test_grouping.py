"""Parentheses that say what operators belong to: as each database takes them, where it is not the same everywhere."""

from __future__ import annotations

import pytest

from dialects.mysql.expressions import PRECEDENCE as MYSQL
from dialects.postgresql.expressions import PRECEDENCE as POSTGRESQL
from dialects.sqlite.expressions import PRECEDENCE as SQLITE
from migrator.expressions.grouping import grouped

LANGUAGES = {"mysql": MYSQL, "postgres": POSTGRESQL, "sqlite": SQLITE}


@pytest.mark.parametrize(
    ("read", "sql", "expected"),
    [
        ("mysql", "a > 1 = b > 1", "((a > 1) = b) > 1"),
        ("mysql", "a = b in (0, 1)", "a = (b in (0, 1))"),
        ("mysql", "a > b is true", "(a > b) is true"),
        ("mysql", "!a = b", "(!a) = b"),
        ("mysql", "!a + b", "(!a) + b"),
        ("mysql", "a || b && c xor d", "a || ((b && c) xor d)"),
        ("mysql", "a | b & c << d + e ^ -f", "a | (b & (c << (d + (e ^ (-f)))))"),
        ("mysql", "a between b and c = 1", "(a between b and c) = 1"),
        ("mysql", "a between b and c between d and e", "a between b and (c between d and e)"),
        ("mysql", "-a div b mod c", "((-a) div b) mod c"),
        ("mysql", "_utf8mb4'a = b > c' = d > e", "(_utf8mb4'a = b > c' = d) > e"),
        ("mysql", "`a = b` > c = d", "(`a = b` > c) = d"),
        ("mysql", "d = date '2020-01-01' = e", "(d = date '2020-01-01') = e"),
        ("mysql", "if(a = b > c, cast(a = b < c as char), 1)", "if((a = b) > c, cast((a = b) < c as char), 1)"),
        ("mysql", "case a = b > c when 1 then 2 end + 1 = 2 = 3", "(case (a = b) > c when 1 then 2 end + 1 = 2) = 3"),
        ("mysql", "not a = b > c", "not (a = b) > c"),
        (
            "mysql",
            "select a = b > c as x, count(*), t.* from t join u on a = b > c where a not in (1) = b order by a = b > c desc",
            "select (a = b) > c as x, count(*), t.* from t join u on (a = b) > c where (a not in (1)) = b"
            " order by (a = b) > c desc",
        ),
        ("mysql", "replace(a, b, c) = d > e", "(replace(a, b, c) = d) > e"),
        ("sqlite", "a = b > c", "a = (b > c)"),
        ("sqlite", "a = b IN (0, 1)", "(a = b) IN (0, 1)"),
        ("sqlite", "a < b IS NOT NULL = c", "((a < b) IS NOT NULL) = c"),
        ("sqlite", "a NOT NULL = b", "(a NOT NULL) = b"),
        ("sqlite", "a + b || c", "a + (b || c)"),
        ("sqlite", "-a || b", "(-a) || b"),
        ("sqlite", "a & b | c << d", "((a & b) | c) << d"),
        ("sqlite", "a = NOT b = c", "a = (NOT b = c)"),
        ("sqlite", "a LIKE b ESCAPE c = d", "(a LIKE b ESCAPE c) = d"),
        ("sqlite", "NOT a IS b IS NOT c", "NOT (a IS b) IS NOT c"),
        ("sqlite", "[a = b] = 'x = y > z' > 1", "[a = b] = ('x = y > z' > 1)"),
        ("sqlite", "a COLLATE NOCASE = b > c", "(a COLLATE NOCASE) = (b > c)"),
        ("postgres", "a = b IS NULL", "(a = b) IS NULL"),
        ("postgres", "-2 ^ 2", "(-2) ^ 2"),
        ("postgres", "a || b & c", "(a || b) & c"),
        ("postgres", "a = b IN (true)", "a = (b IN (true))"),
        ("postgres", "a !~~ 'x' || b", "(a !~~ 'x') || b"),
        ("postgres", "a::character varying(3) = b[1] IS NULL", "(a::character varying(3) = b[1]) IS NULL"),
        ("postgres", "sum(a) OVER (ORDER BY b) = c IS TRUE", "(sum(a) OVER (ORDER BY b) = c) IS TRUE"),
        ("postgres", "a @> b || c", "(a @> b) || c"),
        ("postgres", "~a & 3", "(~a) & 3"),
        ("postgres", "@ a || b + c", "(@ a) || (b + c)"),
        ("postgres", "a + ~b & c", "(a + (~b)) & c"),
        ("postgres", "~a + b", "~(a + b)"),
        ("postgres", "~ ~a # b", "(~ (~a)) # b"),
    ],
)  # fmt: skip
def test_an_operation_within_another_gets_its_parentheses(read: str, sql: str, expected: str) -> None:
    assert grouped(sql, read, LANGUAGES[read]) == expected


@pytest.mark.parametrize("read", LANGUAGES)
@pytest.mark.parametrize(
    "sql",
    [
        "a + b * c - d = e",
        "a = 1 OR NOT b < 2 AND c IS NOT NULL",
        "a BETWEEN 1 + 2 AND b * 3 AND c IN (1, 2)",
        "-a * b + 3",
        "SELECT count(*), t.* FROM t WHERE a LIKE 'x' AND EXISTS (SELECT 1 FROM u) ORDER BY 1 DESC LIMIT 3",
    ],
)
def test_what_everybody_takes_alike_stays_as_it_is(read: str, sql: str) -> None:
    assert grouped(sql, read, LANGUAGES[read]) == sql
