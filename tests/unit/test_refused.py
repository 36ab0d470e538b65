"""What a target has refused: the source's words for it, and the rows that stand against a foreign key."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from migrator.adapter import load_adapter
from migrator.model.objects import Check, Expression, ForeignKey, Index, IndexKey, Partitioning, QName, Table, View
from migrator.operations.refused import source_text
from migrator.orphans import count_orphans

SQL = Expression("f(a)", "postgresql")


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (View("s", "v", SQL), "f(a)"),
        (Check("c", SQL), "f(a)"),
        (Index("i", (IndexKey("a"), IndexKey(expression=SQL)), where=Expression("a > 0", "postgresql")), "f(a), a > 0"),
        (Table("s", "t", (), partitioning=Partitioning("postgresql", "HASH (a)")), "PARTITION BY HASH (a)"),
        (Table("s", "t", ()), ""),
        (ForeignKey("k", ("a",), QName("s", "t"), ("a",)), ""),
    ],
)
def test_the_words_of_the_source(part: Any, text: str) -> None:
    assert source_text(part) == text


@pytest.mark.parametrize(("match", "orphans"), [("SIMPLE", 2), ("FULL", 4)])
def test_rows_with_a_null_refer_to_none_unless_the_key_matches_full(match: Any, orphans: int) -> None:
    key = ForeignKey("k", ("x", "y"), QName("main", "p"), ("a", "b"), match=match)
    with sa.create_engine("sqlite://").connect() as connection:
        for sql in (
            "CREATE TABLE p (a, b)",
            "CREATE TABLE c (x, y)",
            "INSERT INTO p VALUES (1, 1), (NULL, 7)",
            "INSERT INTO c VALUES (1, 1), (1, 2), (2, 1), (NULL, 7), (NULL, 8), (NULL, NULL)",
        ):
            connection.exec_driver_sql(sql)
        assert count_orphans(connection, load_adapter("sqlite"), QName("main", "c"), key) == orphans


def test_a_key_can_refer_to_its_own_table() -> None:
    key = ForeignKey("boss", ("boss",), QName("main", "e"), ("id",))
    with sa.create_engine("sqlite://").connect() as connection:
        connection.exec_driver_sql("CREATE TABLE e (id, boss)")
        connection.exec_driver_sql("INSERT INTO e VALUES (1, NULL), (2, 1), (3, 9)")
        assert count_orphans(connection, load_adapter("sqlite"), key.referred, key) == 1
