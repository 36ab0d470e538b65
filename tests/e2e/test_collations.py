"""Collations that hold the same texts for equal and sort them otherwise, and texts that are read with other blanks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.moved import moved
from tests.support.pump import done
from tests.support.sql import execute


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
