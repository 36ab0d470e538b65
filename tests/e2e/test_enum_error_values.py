"""The error value of MySQL's ENUM, number 0, is carried exactly from MySQL to MySQL; and lets no other value slip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

MANY = 70_000
"""More than a packet of the protocol counts warnings."""
LEVELS = "CREATE TABLE t (id INT PRIMARY KEY, v ENUM('a','b') NOT NULL, w ENUM('x','y'), e ENUM('','z'))"
NUMBERS = "SELECT id, v + 0, w + 0, e + 0 FROM t WHERE id <= 3 ORDER BY id"


@pytest.fixture
def source(mysql: Callable[..., str]) -> str:
    url = mysql()
    execute(
        url,
        LEVELS,
        "SET SESSION sql_mode = ''",
        "INSERT INTO t VALUES (1, '', 'x', ''), (2, 'a', 'wrong', 'z'), (3, 'b', NULL, NULL)",
    )
    return url


@pytest.mark.parametrize("method", ["AUTOMATIC", "CONVENTIONAL_PATH", "EXTERNAL_TABLE", "INSERT_AS_SELECT"])
def test_error_values_stay_what_they_are(source: str, mysql: Callable[..., str], method: str) -> None:
    url = mysql()
    link = (f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "DATA_OPTIONS=VALIDATE_TABLE_DATA")
    options = link[:3] if method == "INSERT_AS_SELECT" else link
    done(pump("impdp", url, *options, f"ACCESS_METHOD={method}", "VERIFY=YES"))
    assert rows(url, NUMBERS) == [(1, 0, 1, 1), (2, 1, 0, 2), (3, 2, None, None)]


def test_so_many_of_them_that_the_protocol_does_not_count_them_come_from_a_dump_set(
    mysql: Callable[..., str], tmp_path: Path
) -> None:
    source, url = mysql(), mysql()
    execute(source, LEVELS, "SET SESSION sql_mode = ''", f"INSERT INTO t SELECT seq, '', '', '' FROM seq_1_to_{MANY}")
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    done(pump("impdp", url, *where, remap(source, url)))
    assert rows(url, "SELECT count(*), sum(v + 0), sum(w + 0) FROM t") == [(MANY, 0, 0)]


@pytest.mark.parametrize(
    ("method", "narrow"),
    [
        ("AUTOMATIC", "ENUM('a') NOT NULL"),
        ("CONVENTIONAL_PATH", "ENUM('a') NOT NULL"),
        ("EXTERNAL_TABLE", "ENUM('b','') NOT NULL"),
    ],
)
def test_a_label_that_the_target_lacks_is_refused_beside_them(
    source: str, mysql: Callable[..., str], method: str, narrow: str
) -> None:
    url = mysql()
    execute(url, LEVELS.replace("ENUM('a','b') NOT NULL", narrow))
    where = (f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND")
    run = pump("impdp", url, *where, f"ACCESS_METHOD={method}")
    assert run.code == 5
    assert "MIG-20002: column v" in run.out
    assert rows(url, NUMBERS) == []


@pytest.mark.parametrize("method", ["AUTOMATIC", "CONVENTIONAL_PATH", "EXTERNAL_TABLE"])
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1", "ucs2"])
def test_an_error_value_that_reads_like_a_label_is_refused(mysql: Callable[..., str], charset: str, method: str) -> None:
    source, url = mysql(), mysql()
    execute(
        source,
        f"CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a','','é') CHARACTER SET {charset})",
        "SET SESSION sql_mode = ''",
        "INSERT INTO t VALUES (1, ''), (2, 'a'), (3, NULL), (4, 'é')",
    )
    link = (f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "DATA_OPTIONS=VALIDATE_TABLE_DATA")
    done(pump("impdp", url, *link, f"ACCESS_METHOD={method}", "VERIFY=YES"))
    assert rows(url, "SELECT id, e + 0, e FROM t ORDER BY id") == [(1, 2, ""), (2, 1, "a"), (3, None, None), (4, 3, "é")]
    execute(source, "SET SESSION sql_mode = ''", "INSERT INTO t VALUES (5, 'wrong')")
    run = pump("impdp", url, *link, f"ACCESS_METHOD={method}", "TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 5
    assert "MIG-20002: column e: a row holds the error value" in run.out
    assert rows(url, "SELECT count(*) FROM t") == [(0,)]


def test_an_error_value_that_reads_like_a_label_stays_one_inside_the_server(mysql: Callable[..., str]) -> None:
    source, url = mysql(), mysql()
    execute(source, LEVELS, "SET SESSION sql_mode = ''", "INSERT INTO t VALUES (1, 'a', 'x', 'wrong')")
    done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "ACCESS_METHOD=INSERT_AS_SELECT"))
    assert rows(url, NUMBERS) == [(1, 1, 1, 0)]
