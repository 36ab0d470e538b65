"""MySQL where MariaDB is otherwise, and between the two."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

pytestmark = pytest.mark.product("MySQL", "no data files to copy and no past states, but roles for all")
Fresh = Callable[[], str]


@pytest.mark.parametrize(
    ("asked", "why"),
    [("TRANSPORTABLE=ALWAYS", "this is MySQL"), ("FLASHBACK_TIME=2024-01-01", "MySQL keeps no past states")],
)
def test_what_mysql_has_not_is_refused(asked: str, why: str, mysql: Fresh) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (a INT)")
    run = pump("expdp", url, asked, "NOLOGFILE=YES")
    assert run.code == 1
    assert why in run.err


def test_rows_come_back_from_mariadb(mysql: Fresh, mariadb: Fresh) -> None:
    source, between, back = mysql(), mariadb(), mysql()
    execute(
        source,
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, raw VARBINARY(9) DEFAULT X'00FF', v VARCHAR(20),"
        " hidden INT INVISIBLE, doc JSON, places GEOMETRYCOLLECTION, twice INT AS (hidden * 2) VIRTUAL)",
        "INSERT INTO t (v, hidden, doc, places) VALUES ('a ', 1, '{\"b\": [1.50]}', ST_GeomFromText("
        "'GEOMETRYCOLLECTION(POINT(1 2))')), ('😀', NULL, NULL, NULL)",
    )
    for here, there in ((source, between), (between, back)):
        done(pump("impdp", there, f"NETWORK_LINK={here}", remap(here, there), "NOLOGFILE=YES", "VERIFY=YES"))
    shown = "SELECT id, HEX(raw), HEX(v), hidden, CAST(doc AS CHAR), HEX(ST_AsBinary(places)), twice FROM t ORDER BY id"
    assert rows(back, shown) == rows(source, shown)
    assert len(rows(between, "SELECT id FROM t")) == 2
