"""Tables that PostgreSQL has and others do not, and rows that go through a staging table into identities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap
from tests.support.rows import tables_of
from tests.support.sql import execute, rows


@pytest.mark.parametrize("target", ["sqlite", "mysql"])
def test_a_table_without_columns_stays_behind_by_name(
    target: str, request: pytest.FixtureRequest, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source = postgresql()
    execute(source, "CREATE TABLE nothing ()", "CREATE TABLE something (id integer)", "INSERT INTO something VALUES (1)")
    url = request.getfixturevalue("sqlite_file" if target == "sqlite" else "mysql")()
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), f"DIRECTORY={tmp_path}"))
    (loss,) = (loss for loss in run.losses if "no-columns" in loss)
    assert '"nothing"' in loss
    assert list(tables_of(url)) == ["something"]
    assert rows(url, "SELECT id FROM something") == [(1,)]


@pytest.mark.parametrize("version", [16, 18])
def test_rows_of_a_dump_set_that_a_condition_picks_keep_numbers_that_are_always_generated(
    version: int, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(version), postgresql(version)
    execute(
        source,
        "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, v integer)",
        "INSERT INTO t (v) VALUES (10), (20), (30)",
        "DELETE FROM t WHERE id = 1",
    )
    where = f"DIRECTORY={tmp_path}"
    done(pump("expdp", source, where, "DUMPFILE=t.dmp"))
    run = done(pump("impdp", target, where, "DUMPFILE=t.dmp", 'QUERY=t:"WHERE v > 20"', "METRICS=Y"))
    assert "external_table" in run.out
    assert rows(target, "SELECT id, v FROM t") == [(3, 30)]
