"""Collations that hold the same texts for equal, and sort them otherwise."""

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
