"""Sequences whose column makes another thing of their numbers, or has numbers that no sequence gives."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support.pump import done, pump
from tests.support.sql import execute, rows, scalar

pytestmark = pytest.mark.postgresql

TABLES = (
    "CREATE SEQUENCE sq", "CREATE TABLE coded (code text PRIMARY KEY DEFAULT 'A' || nextval('sq'))",
    "ALTER SEQUENCE sq OWNED BY coded.code", "INSERT INTO coded DEFAULT VALUES",
    "CREATE SEQUENCE nq", "CREATE TABLE odd (n numeric PRIMARY KEY DEFAULT nextval('nq'))",
    "ALTER SEQUENCE nq OWNED BY odd.n", "INSERT INTO odd VALUES ('NaN'), (7), ('-3.5'), (1e30)",
    "CREATE DOMAIN number AS integer CHECK (VALUE > 0)",
    "CREATE SEQUENCE dq", "CREATE TABLE of_domain (n number PRIMARY KEY DEFAULT nextval('dq'))",
    "ALTER SEQUENCE dq OWNED BY of_domain.n", "INSERT INTO of_domain VALUES (9)",
    "CREATE DOMAIN small AS number CHECK (VALUE < 1000)",
    "CREATE SEQUENCE eq", "CREATE TABLE of_small (n small PRIMARY KEY DEFAULT nextval('eq'))",
    "ALTER SEQUENCE eq OWNED BY of_small.n", "INSERT INTO of_small VALUES (11)",
)  # fmt: skip


def test_they_come_and_go_on(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *TABLES)
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    for table in ("coded", "odd", "of_domain", "of_small"):
        query = f"SELECT t::text FROM {table} t ORDER BY 1"
        assert rows(target, query) == rows(source, query)
    execute(target, "INSERT INTO coded DEFAULT VALUES")
    assert scalar(target, "SELECT max(code) FROM coded") == "A2"
    assert [scalar(target, f"SELECT nextval('{name}')") for name in ("nq", "dq")] == [1, 1]


@pytest.mark.parametrize("action", ["APPEND", "TRUNCATE"])
def test_rows_that_come_into_a_table_that_is_there_raise_what_can_be_raised(
    action: str, postgresql: Callable[..., str]
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *TABLES)
    execute(target, *(statement for statement in TABLES if not statement.startswith("INSERT")))
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", f"TABLE_EXISTS_ACTION={action}")
    codes = {"ORA-31684", "ORA-39152" if action == "APPEND" else "ORA-39153"}  # sequences and tables are there
    assert set(re.findall(r"^((?:ORA|MIG)-\d+): ", run.out, re.M)) == codes, run.out
    assert '"public"."coded": the identity of code stays where it is: the column\'s values are no numbers' in run.out
    assert [scalar(target, f"SELECT nextval('{name}')") for name in ("sq", "nq", "dq", "eq")] == [1, 8, 10, 12]
