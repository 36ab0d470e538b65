"""Collations that hold the same texts for equal and sort them otherwise, and texts that are read with other blanks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from tests.support.moved import moved
from tests.support.pump import done, pump
from tests.support.sql import execute, outside_transactions, rows


def test_an_order_that_changes_is_named_although_equal_texts_stay_equal(
    mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source = mysql()
    execute(
        source,
        "CREATE TABLE t (a varchar(9) CHARACTER SET latin1 COLLATE latin1_general_cs, b varchar(9) COLLATE utf8mb4_bin)",
        "INSERT INTO t VALUES ('a', 'a'), ('B', 'B')",
    )
    made = moved(source, sqlite_file(), tmp_path)
    done(made.run)
    assert made.losses("t", "a") == {"collation": "sorts as texts without a collation do (at the source: latin1_general_cs)"}
    assert made.losses("t", "b") == {}
    assert made.column("SELECT a FROM t ORDER BY a") == ["B", "a"]


def test_texts_of_a_fixed_length_that_are_read_with_other_blanks_are_named(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, between, back = mysql(), postgresql(), mysql()
    execute(source, "CREATE TABLE t (a char(4), b varchar(4), c char(0))", "INSERT INTO t VALUES ('x', 'x', '')")
    made = moved(source, between, tmp_path)
    done(made.run)
    stripped, filled = "without blanks at their end", "filled up with blanks to their length"
    assert made.losses("t", "a")["padding"] == f"values are read {filled} (at the source: {stripped})"
    assert [made.losses("t", name).get("padding") for name in "bc"] == [None, None]
    assert made.rows("SELECT a, b, c FROM t") == [("x   ", "x", "")]
    made = moved(between, back, tmp_path)
    done(made.run)
    assert made.losses("t", "a")["padding"] == f"values are read {stripped} (at the source: {filled})"
    assert [made.losses("t", name).get("padding") for name in "bc"] == [None, None]


def test_databases_that_sort_texts_by_other_defaults_are_named_once(
    with_fdw: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    url = with_fdw()
    name = f"{sa.make_url(url).database}_sorted"
    outside_transactions(url, f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'")
    by_english = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    execute(url, "CREATE TABLE t (a text, b text)", "CREATE TABLE u (a text)", "INSERT INTO t VALUES ('a', 'b'), ('B', 'A')")
    told = "DATABASE: texts without a collation of their own are sorted {} (at the source: {}) [default-collation]"
    characters, english = "by the numbers of their characters", "by en-US"
    other = sqlite_file()
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")

    def named(target: str, source: str, *more: str) -> list[str]:
        run = done(pump("impdp", target, f"NETWORK_LINK={source}", *where, *more))
        return [loss for loss in run.losses if "default-collation" in loss]

    try:
        assert named(by_english, url) == [told.format(english, characters)]
        order = "SELECT a FROM t ORDER BY a"
        assert (rows(url, order), rows(by_english, order)) == ([("B",), ("a",)], [("a",), ("B",)])
        assert named(other, by_english, "REMAP_SCHEMA=public:main") == [told.format(characters, english)]
        assert named("postgresql:", by_english, "SQLFILE=x.sql") == [
            told.format("as the database's default has it", english)
        ]
        assert named(with_fdw(), url) == named(sqlite_file("same.db"), url, "REMAP_SCHEMA=public:main") == []
    finally:
        outside_transactions(url, f"DROP DATABASE {name} WITH (FORCE)")
