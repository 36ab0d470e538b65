"""REMAP_SCHEMA follows the literals that name objects, and names those that it leaves as they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.pump import done, pump
from tests.support.sql import execute, rows

MADE = (
    "CREATE SCHEMA a",
    "CREATE SEQUENCE a.q",
    "CREATE TYPE a.mood AS ENUM ('ok')",
    "CREATE FUNCTION a.f(a.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE a.t (id int)",
)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("'a.t'::regclass", "b.t"),
        ("'a'::regnamespace", "b"),
        ("CAST('a.t'::text AS regclass)", "b.t"),
        ("CAST('A.T'::varchar AS regclass)", "b.t"),
        ("CAST('a.mood[]'::text AS regtype)", "b.mood[]"),
        ("CAST('a.f'::text AS regproc)", "b.f"),
        ("CAST('a.f(a.mood)'::text AS regprocedure)", "b.f(b.mood)"),
        ("CAST('\"a\"'::text AS regnamespace)", "b"),
        ("to_regclass('a.t')", "b.t"),
        ("to_regtype('a.mood')", "b.mood"),
        ("to_regproc('a.f')", "b.f"),
        ("to_regprocedure('a.f(a.mood)')", "b.f(b.mood)"),
        ("to_regnamespace('a')", "b"),
        ("ARRAY['a'::regnamespace, to_regnamespace('a')]", "{b,b}"),
        ("'{a.t,a.q}'::regclass[]", "{b.t,b.q}"),
        ("CASE WHEN to_regclass('a.t') IS NULL THEN 'a.q'::text::regclass ELSE 'a.t'::text::regclass END", "b.t"),
    ],
)
def test_a_literal_that_names_an_object_follows_the_schema(
    expression: str, shown: str, postgresql: Callable[..., str]
) -> None:
    url = postgresql()
    execute(url, *MADE, f"CREATE VIEW a.v AS SELECT {expression} AS r")
    execute(url, f"CREATE TABLE a.d (id int, r text DEFAULT ({expression})::text)")
    execute(url, f"CREATE TABLE a.c (id int, r text CHECK (({expression})::text = r))")
    run = done(pump("impdp", url, f"NETWORK_LINK={url}", "SCHEMAS=a", "REMAP_SCHEMA=a:b", "NOLOGFILE=YES"))
    assert [loss for loss in run.losses if "schema-in-literal" in loss] == []
    execute(url, "INSERT INTO b.d VALUES (1)", f"INSERT INTO b.c VALUES (1, '{shown}')")
    assert rows(url, "SELECT r::text FROM b.v") == rows(url, "SELECT r FROM b.d") == [(shown,)]


@pytest.mark.parametrize("declaration", ["regclass DEFAULT 'a.t'", "regnamespace DEFAULT 'a'"])
def test_a_default_that_is_the_name_of_an_object_follows_the_schema(
    declaration: str, postgresql: Callable[..., str]
) -> None:
    url = postgresql()
    execute(url, *MADE, f"CREATE TABLE a.d (id int, r {declaration})")
    done(pump("impdp", url, f"NETWORK_LINK={url}", "SCHEMAS=a", "REMAP_SCHEMA=a:b", "NOLOGFILE=YES"))
    execute(url, "INSERT INTO b.d VALUES (1)")
    assert rows(url, "SELECT r::text FROM b.d") == [("b.t" if "class" in declaration else "b",)]


@pytest.mark.parametrize(
    ("expression", "literal"),
    [
        ("has_table_privilege('a.t', 'SELECT')", "'a.t'"),
        ("has_schema_privilege('a', 'USAGE')", "'a'"),
        ("EXISTS (SELECT FROM pg_namespace WHERE nspname = 'a')", "'a'"),
        ("('a.' || 't'::text)::regclass", "'a.'"),
        ("to_regclass(lower('A.T'))", "'A.T'"),
        ("query_to_xml('SELECT * FROM a.t', true, true, '')", "'SELECT * FROM a.t'"),
    ],
)
def test_a_literal_that_may_name_the_schema_is_told_where_it_is_left(
    expression: str, literal: str, postgresql: Callable[..., str]
) -> None:
    url = postgresql()
    execute(url, *MADE, f"CREATE VIEW a.v AS SELECT {expression} AS r")
    run = done(pump("impdp", url, f"NETWORK_LINK={url}", "SCHEMAS=a", "REMAP_SCHEMA=a:b", "NOLOGFILE=YES"))
    assert [loss for loss in run.losses if loss.startswith("VIEW")] == [
        f'VIEW:"b"."v": REMAP_SCHEMA leaves literals as they are that may name a schema: {literal} [schema-in-literal]'
    ]


def test_a_literal_that_only_looks_like_the_schema_is_not_told(postgresql: Callable[..., str]) -> None:
    url = postgresql()
    execute(url, "CREATE SCHEMA a", "CREATE TABLE a.t (v text DEFAULT 'a', CHECK (v IN ('a', 'b')))")
    execute(url, "CREATE VIEW a.v AS SELECT v, 'See https://a.example, a. O.' AS r FROM a.t WHERE v LIKE '%@a.example'")
    run = done(pump("impdp", url, f"NETWORK_LINK={url}", "SCHEMAS=a", "REMAP_SCHEMA=a:b", "NOLOGFILE=YES"))
    assert run.losses == []
