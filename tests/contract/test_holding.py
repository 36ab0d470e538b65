"""Who is to add rows to a table keeps others from emptying or dropping it first, with no privilege but to insert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.model.objects import QName
from tests.support.pump import schema_of
from tests.support.sql import execute, rows

USER = "holding"

MADE = {"postgresql": f"CREATE ROLE {USER} LOGIN PASSWORD 'x'", "mysql": f"CREATE USER {USER}@'%' IDENTIFIED BY 'x'"}
IMPATIENT = {"postgresql": "SET lock_timeout = '200ms'", "mysql": "SET lock_wait_timeout = 1"}
FIRES = (
    "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''it fires''; END'",
    "CREATE TRIGGER told BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION told()",
)


@pytest.fixture(params=["postgresql", "mysql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    make: Callable[[], str] = request.getfixturevalue(request.param)
    with ExitStack() as left:
        url = make()
        execute(url, f"DROP USER IF EXISTS {USER}")
        left.callback(execute, url, f"DROP USER {USER}")
        execute(url, "CREATE TABLE t (a int DEFAULT 1, b int NOT NULL, c int NOT NULL)", "INSERT INTO t VALUES (1, 1, 1)")
        execute(url, MADE[request.param])
        left.callback(execute, url, "DROP TABLE t")
        yield url


@pytest.mark.parametrize("granted", ["INSERT", "INSERT (b, c)"])
@pytest.mark.parametrize("change", ["TRUNCATE TABLE t", "DROP TABLE t"])
def test_nobody_empties_or_drops_a_table_that_is_held(url: str, change: str, granted: str) -> None:
    execute(url, f"GRANT {granted} ON t TO {USER}")
    inserting = sa.make_url(url).set(username=USER, password="x")
    adapter = adapter_for_backend(inserting.get_backend_name())
    impatient = (IMPATIENT[adapter.name], change)
    with adapter.writing(adapter.engine(inserting)) as connection:
        adapter.hold(connection, QName(schema_of(url), "t"), ["b", "c"])
        with pytest.raises(sa.exc.OperationalError, match=r"lock timeout|Lock wait timeout"):
            execute(url, *impatient)
        connection.rollback()
    assert rows(url, "SELECT a, b FROM t") == [(1, 1)]
    execute(url, *impatient[:-1], "TRUNCATE TABLE t")


def test_holding_a_table_fires_no_trigger(postgresql: Callable[[], str]) -> None:
    """One may look at statements, which need not add a row."""
    url = sa.make_url(postgresql())
    execute(url, "CREATE TABLE t (a int)", *FIRES)
    adapter = adapter_for_backend("postgresql")
    with adapter.writing(adapter.engine(url)) as connection:
        adapter.hold(connection, QName("public", "t"), ["a"])
    with pytest.raises(sa.exc.DBAPIError, match="it fires"):
        execute(url, "INSERT INTO t SELECT 1 WHERE false")
