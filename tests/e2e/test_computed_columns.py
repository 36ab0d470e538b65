"""Columns that databases compute: a verification compares what they compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]
Fresh = Callable[..., str]

TABLE = (
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b varchar(20), s integer GENERATED ALWAYS AS (a * 2) STORED, "
    "w varchar(60) GENERATED ALWAYS AS (upper(b)) STORED)"
)
ROWS = "INSERT INTO t (id, a, b) VALUES (1, 1, 'one'), (2, NULL, 'zwei'), (3, 3, NULL)"
OTHER = TABLE.replace("upper(b)", "lower(b)")


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_file")("target.db"))
    return str(request.getfixturevalue(request.param)())


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
@pytest.mark.parametrize("by", ["link", "dump set"])
def test_what_both_compute_is_compared(
    engine: str, by: str, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = str(request.getfixturevalue(engine)())
    execute(source, TABLE, ROWS)
    where = (f"NETWORK_LINK={source}",)
    if by == "dump set":
        where = (f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp")
        done(pump("expdp", source, *where, "NOLOGFILE=YES"))
    done(pump("impdp", target, *where, remap(source, target), "NOLOGFILE=YES", "VERIFY=YES"))
    assert rows(target, "SELECT s, w FROM t ORDER BY id") == [(2, "ONE"), (None, "ZWEI"), (6, None)]
    assert done(pump("verify", target, *where, remap(source, target))).code == 0
    execute(target, "DROP TABLE t", OTHER, ROWS)
    run = pump("verify", target, *where, remap(source, target))
    assert run.code == 5, run.out
    assert "ONE" in run.out
    assert "one" in run.out


def test_expressions_of_ones_own_are_an_entry_of_the_loss_list_and_no_difference_to_an_import(
    mysql: Fresh, target: str
) -> None:
    source = mysql()
    execute(source, TABLE, ROWS)
    execute(target, OTHER)
    run = pump(
        *("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "VERIFY=YES"),
        "TABLE_EXISTS_ACTION=APPEND",
    )
    assert any("[existing-generated]" in loss and '"w"' in loss for loss in run.losses)
    assert rows(target, "SELECT w FROM t ORDER BY id") == [("one",), ("zwei",), (None,)]
    assert run.code == 0, run.out
