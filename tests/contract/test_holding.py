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

GRANTS = {
    "postgresql": (f"CREATE ROLE {USER} LOGIN PASSWORD 'x'", f"GRANT INSERT ON t TO {USER}"),
    "mysql": (f"CREATE USER {USER}@'%' IDENTIFIED BY 'x'", f"GRANT INSERT (b, c) ON t TO {USER}"),
}
IMPATIENT = {"postgresql": "SET lock_timeout = '200ms'", "mysql": "SET lock_wait_timeout = 1"}
FIRES = {
    "postgresql": (
        "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        "AS 'BEGIN INSERT INTO told VALUES (1); RETURN NULL; END'",
        "CREATE TRIGGER told AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION told()",
    ),
    "mysql": ("CREATE TRIGGER told AFTER INSERT ON t FOR EACH ROW INSERT INTO told VALUES (1)",),
}


@pytest.fixture(params=["postgresql", "mysql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    make: Callable[[], str] = request.getfixturevalue(request.param)
    with ExitStack() as left:
        url = make()
        execute(url, f"DROP USER IF EXISTS {USER}")
        left.callback(execute, url, f"DROP USER {USER}")
        execute(url, "CREATE TABLE t (a int DEFAULT 1, b int NOT NULL, c int NOT NULL)", "INSERT INTO t VALUES (1, 1, 1)")
        execute(url, "CREATE TABLE told (n int)", *FIRES[request.param], *GRANTS[request.param])
        left.callback(execute, url, "DROP TABLE t")
        yield url


@pytest.mark.parametrize("change", ["TRUNCATE TABLE t", "DROP TABLE t"])
def test_nobody_empties_or_drops_a_table_that_is_held(url: str, change: str) -> None:
    inserting = sa.make_url(url).set(username=USER, password="x")
    adapter = adapter_for_backend(inserting.get_backend_name())
    impatient = (IMPATIENT[adapter.name], change)
    with adapter.writing(adapter.engine(inserting)) as connection:
        adapter.hold(connection, QName(schema_of(url), "t"), ["b", "c"])
        with pytest.raises(sa.exc.OperationalError, match=r"lock timeout|Lock wait timeout"):
            execute(url, *impatient)
        connection.rollback()
    assert rows(url, "SELECT a, b FROM t") == [(1, 1)]
    assert rows(url, "SELECT n FROM told") == []
    execute(url, *impatient[:-1], "TRUNCATE TABLE t")
