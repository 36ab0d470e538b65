"""Each database says of what it is to make that it is there already, and of nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from tests.support.sql import execute

TABLE = ("CREATE TABLE t (a int NOT NULL, b int)",)
VIEW = "CREATE VIEW v AS SELECT a FROM t"
INDEX = "CREATE INDEX t_a ON t (a)"
KEY = "ALTER TABLE t ADD CONSTRAINT t_key PRIMARY KEY (a)"
UNIQUE = "ALTER TABLE t ADD CONSTRAINT t_b UNIQUE (b)"
WRONG = "CREATE INDEX t_x ON t (no_column)"
TOO_MANY = "ALTER TABLE t ADD CONSTRAINT t_c UNIQUE (b, b)"


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        *[(kind, statement) for kind in ("postgresql", "mysql", "sqlite_file") for statement in (*TABLE, INDEX, VIEW)],
        *[(kind, statement) for kind in ("postgresql", "mysql") for statement in (KEY, UNIQUE)],
    ],
)
def test_what_is_there_already(kind: str, statement: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue(kind)())
    adapter = Database(sa.make_url(url)).adapter
    execute(url, *TABLE)
    if statement not in TABLE:
        execute(url, statement)
    with pytest.raises(sa.exc.DBAPIError) as refused:
        execute(url, statement)
    assert adapter.is_duplicate(refused.value)


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
@pytest.mark.parametrize("statement", [WRONG, TOO_MANY])
def test_what_is_wrong(kind: str, statement: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue(kind)())
    adapter = Database(sa.make_url(url)).adapter
    execute(url, *TABLE)
    with pytest.raises(sa.exc.DBAPIError) as refused:
        execute(url, statement)
    assert not adapter.is_duplicate(refused.value)
