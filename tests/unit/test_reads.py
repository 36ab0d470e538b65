"""Which rows a read is of: those that QUERY asks for, within a granule."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from migrator.adapter import Granule, Read
from migrator.model.objects import QName

ROWS = [(1, 1), (1, 2), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("where", "granule", "expected"),
    [
        (None, "", ROWS),
        ("a = 1 OR b = 3", "", [(1, 1), (1, 2), (3, 3)]),
        ("a = 1 OR b = 3", "b >= 2", [(1, 2), (3, 3)]),
        ("a = 1 OR b = 3", "b = 1 OR b = 2", [(1, 1), (1, 2)]),
        ("a = 1 -- not the others", "b >= 2", [(1, 2)]),
        (None, "b >= 2", [(1, 2), (2, 2), (3, 3)]),
    ],
)
def test_rows_meet_the_query_and_the_granules_condition(
    where: str | None, granule: str, expected: list[tuple[int, int]]
) -> None:
    condition = Read(QName("main", "t"), (), where, Granule(where=granule)).condition
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", ROWS)
        found = connection.execute(f"SELECT a, b FROM t{' WHERE ' if condition else ''}{condition}").fetchall()
    assert found == expected


def test_what_is_more_than_a_condition_is_no_sql() -> None:
    condition = Read(QName("main", "t"), (), "a = 1 LIMIT 1", Granule()).condition
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        with pytest.raises(sqlite3.OperationalError, match="syntax error"):
            connection.execute(f"SELECT a FROM t WHERE {condition}")
