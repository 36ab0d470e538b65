"""Sequences whose column makes another thing of their numbers, or has numbers that no sequence gives."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump, remap
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


LAST = "9223372036854775807"


@pytest.mark.product("MariaDB", "sequences")
@pytest.mark.parametrize(
    ("sequence", "stands_at", "loss"),
    [
        ("INCREMENT -1", f"-{int(LAST) + 1}, false", f"the next would be -{int(LAST) + 1}, the last here is -{LAST}"),
        ("", f"{LAST}, false", f"the next would be {LAST}, the last here is {int(LAST) - 1}"),
        (f"START {LAST}", f"{LAST}, false", f"the next would be {LAST}, the last here is {int(LAST) - 1}"),
        ("", LAST, None),
        ("INCREMENT -1", f"-{int(LAST) + 1}", None),
        (f"MAXVALUE {int(LAST) - 1}", f"{int(LAST) - 1}", None),
        ("INCREMENT -1", f"-{LAST}", f"the next would be -{int(LAST) + 1}, the last here is -{LAST}"),
    ],
)
def test_the_last_number_of_a_bigint_is_no_sequences_at_mariadb(
    sequence: str, stands_at: str, loss: str | None, postgresql: Callable[..., str], mysql: Callable[[], str]
) -> None:
    """None gives a number again; that it ends there is said, and where there was one more to come that, too."""
    source, target = postgresql(), mysql()
    execute(source, f"CREATE SEQUENCE s {sequence}", f"SELECT setval('s', {stands_at})")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", remap(source, target)))
    bound = [] if "MAXVALUE" in sequence else [": a sequence here ends there [sequence-bounds]"]
    said = bound if loss is None else [*bound, f'"s": gives no more numbers: {loss}']
    assert [one for one, part in zip(run.losses, said, strict=True) if part in one] == run.losses
    with pytest.raises(sa.exc.DBAPIError, match="run out"):
        scalar(target, "SELECT NEXTVAL(s)")


@pytest.mark.product("MariaDB", "sequences")
def test_a_falling_sequence_gives_all_numbers_that_mariadbs_have(
    postgresql: Callable[..., str], mysql: Callable[[], str]
) -> None:
    source, target = postgresql(), mysql()
    execute(source, "CREATE SEQUENCE s INCREMENT -1", f"SELECT setval('s', -{LAST}, false)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", remap(source, target)))
    (told,) = run.losses
    assert told.endswith(f"the bound -{int(LAST) + 1} becomes -{LAST}: a sequence here ends there [sequence-bounds]")
    assert scalar(target, "SELECT NEXTVAL(s)") == -int(LAST)


@pytest.mark.product("MariaDB", "sequences")
def test_a_sequence_that_comes_back_from_mariadb_ends_where_it_was_said_to_end(
    postgresql: Callable[..., str], mysql: Callable[[], str]
) -> None:
    """MariaDB has no number 9223372036854775807 for it, and PostgreSQL's does not give it either, after that."""
    source, between, back = postgresql(), mysql(), postgresql()
    execute(source, "CREATE SEQUENCE s")
    there = done(pump("impdp", between, f"NETWORK_LINK={source}", "NOLOGFILE=YES", remap(source, between)))
    assert [one.partition('"s": ')[2] for one in there.losses] == [
        f"the bound {LAST} becomes {int(LAST) - 1}: a sequence here ends there [sequence-bounds]"
    ]
    again = done(pump("impdp", back, f"NETWORK_LINK={between}", "NOLOGFILE=YES", remap(between, back)))
    assert not again.losses
    for url in (between, back):
        execute(url, f"SELECT setval('s', {int(LAST) - 1})" if url == back else f"SELECT SETVAL(s, {int(LAST) - 1})")
        with pytest.raises(sa.exc.DBAPIError, match=r"run out|reached maximum value"):
            scalar(url, "SELECT nextval('s')" if url == back else "SELECT NEXTVAL(s)")
