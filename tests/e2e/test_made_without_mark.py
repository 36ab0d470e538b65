"""An object whose DDL a worker had run when it was killed, before its mark was there, is taken as made."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.held import ROWS, HeldRows
from tests.support.jobs import LEASE, Recorded, begin, go_on, kill, until
from tests.support.pump import remap
from tests.support.sql import execute, inspect, scalar

JOB = "UNMARKED"


@pytest.mark.parametrize(
    ("kind", "local", "begun"),
    [
        ("mysql", False, True),
        ("postgresql", True, True),
        ("mysql", False, False),
    ],
)
def test_an_index_that_is_there(
    kind: str, local: bool, begun: bool, postgresql: Callable[..., str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    held, target = HeldRows(postgresql(), tmp_path), str(request.getfixturevalue(kind)())
    execute(held.source, "CREATE INDEX t_v ON t (v)")
    recorded, link = Recorded.of(target, JOB, local=local), f"NETWORK_LINK={held.source}"
    options = (remap(held.source, target), held.query, f"JOB_NAME={JOB}", "NOLOGFILE=YES")
    process = begin("impdp", target, link, *options, *(["MASTER_TABLE=LOCAL"] if local else []), cwd=tmp_path)
    try:
        until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "rows")
    finally:
        kill(process)
        held.release()
    execute(target, "CREATE INDEX t_v ON t (v)")
    if begun:
        with recorded.database.connect() as connection:
            (row,) = [row for row in recorded.table.rows(connection, "OBJECT") if row.path == "TABLE/INDEX/INDEX"]
            assert recorded.table.begin(connection, "OBJECT", row.item, 1)
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, local=local, link=held.source)
    assert again.returncode == (0 if begun else 5), again.stdout
    assert ("ORA-39083: Object type INDEX:" in again.stdout) == (not begun)
    assert scalar(target, "SELECT count(DISTINCT id) FROM t") == ROWS
    with inspect(target) as found:
        assert [index["column_names"] for index in found.get_indexes("t")] == [["v"]]
