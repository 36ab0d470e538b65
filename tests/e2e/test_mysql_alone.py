"""MySQL where MariaDB is otherwise, and between the two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.moved import Moved, loaded, moved
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


def imported(source: str, target: str, directory: Path, dumped: bool) -> Moved:
    """What an import over a link has made, or one of a dump set."""
    if not dumped:
        return moved(source, target, directory, "VERIFY=YES")
    where = f"DUMPFILE={sa.make_url(target).database}.dmp"
    done(pump("expdp", source, f"DIRECTORY={directory}", where, "NOLOGFILE=YES"))
    return loaded(target, directory, where, remap(source, target), "VERIFY=YES")


@pytest.mark.parametrize("dumped", [False, True], ids=["a link", "a dump set"])
def test_a_negative_zero_that_mariadb_has_not_is_counted(dumped: bool, mysql: Fresh, mariadb: Fresh, tmp_path: Path) -> None:
    source, target, home = mysql(), mariadb(), mysql()
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, d double, f float)")
    execute(source, "INSERT INTO t VALUES (1, '-0', '-0'), (2, 0, '-0'), (3, NULL, -1.5)")
    there, back = (imported(source, url, tmp_path, dumped) for url in (target, home))
    assert (there.counted("t", "negative-zero"), back.counted("t", "negative-zero")) == ({"d": 1, "f": 2}, {})
    shown = "SELECT CAST(d AS CHAR), CAST(f * 1e0 AS CHAR) FROM t ORDER BY id"
    assert rows(home, shown) == rows(source, shown) == [("-0", "-0"), ("0", "-0"), (None, "-1.5")]
    assert rows(target, shown) == [("0", "0"), ("0", "0"), (None, "-1.5")]
