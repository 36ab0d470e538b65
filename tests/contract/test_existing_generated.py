"""Columns that both tables compute: the server's own texts of their expressions are told apart where they differ."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

TABLE = (
    "CREATE TABLE t (a varchar(9), `f g` int, joined varchar(30) AS (concat(a, '{}', `f g`)),"
    " same varchar(30) AS (replace(a, '(', `f g` )))"
)


def test_a_blank_in_a_literal_is_told_of(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    execute(source, TABLE.replace("{}", r"\' "), "INSERT INTO t (a, `f g`) VALUES ('x', 1)")
    execute(target, TABLE.replace("{}", r"\'"))
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = done(pump("impdp", target, *link, "TABLE_EXISTS_ACTION=APPEND"))
    assert rows(source, "SELECT joined FROM t") == [("x' 1",)]
    assert rows(target, "SELECT joined FROM t") == [("x'1",)]
    (told,) = run.losses
    assert '"joined"' in told
    assert told.endswith("[existing-generated]")


def test_the_same_expression_over_a_column_that_compares_otherwise_is_told_of(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    table = "CREATE TABLE t (a varchar(9) COLLATE {}, b int, is_x int AS (a = 'x') STORED, more int AS (b + 1))"
    execute(source, table.format("utf8mb4_general_ci"), "INSERT INTO t (a, b) VALUES ('X', 1)")
    execute(target, table.format("utf8mb4_bin"))
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = done(pump("impdp", target, *link, "TABLE_EXISTS_ACTION=APPEND"))
    assert rows(source, "SELECT is_x FROM t") == [(1,)]
    assert rows(target, "SELECT is_x FROM t") == [(0,)]
    (told,) = (loss for loss in run.losses if loss.endswith("[existing-generated]"))
    assert '"is_x"' in told
    assert "over columns that compare otherwise" in told
