"""What a column is declared as counts by the product that says it: a type's name in one says nothing in another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows, scalar

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]
Fresh = Callable[..., str]
INTO = ("NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND")


@pytest.mark.parametrize(
    ("engine", "type_", "value", "refusal"),
    [
        ("postgresql", "jsonb", """{"a":1,"a":2}""", "key twice"),
        ("mysql", "double(9,2)", 1.23456, "1.23456 has more than 2 digits after the point"),
    ],
)
def test_what_sqlite_calls_so_is_held_against_the_type_of_that_name(
    engine: str, type_: str, value: object, refusal: str, sqlite_file: Fresh, request: pytest.FixtureRequest
) -> None:
    source, target = sqlite_file("source.db"), str(request.getfixturevalue(engine)())
    table = f"CREATE TABLE t (id integer PRIMARY KEY, v {type_})"
    execute(source, table, f"INSERT INTO t VALUES (1, {value!r})")
    execute(target, table)
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *INTO)
    assert run.code == 5
    assert refusal in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 0


def test_what_mysql_calls_timestamp_has_a_zone(mysql: Fresh, sqlite_file: Fresh) -> None:
    source, target = mysql(), sqlite_file("target.db")
    execute(source, "SET time_zone = '+00:00'", "CREATE TABLE t (id integer PRIMARY KEY, at timestamp NULL)")
    execute(source, "SET time_zone = '+00:00'", "INSERT INTO t VALUES (1, '2024-01-01 10:00:00')")
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY, at timestamp)")
    done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *INTO))
    assert rows(target, "SELECT at FROM t") == [("2024-01-01 10:00:00.000000",)]  # no "+00:00" behind it


def test_a_timestamp_that_is_computed_is_so_at_another_server(mysql: Fresh) -> None:
    """MariaDB takes no NULL in its declaration, which other nullable TIMESTAMPs have."""
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, at datetime, v timestamp AS (at) VIRTUAL, s timestamp(3) AS (at) STORED)",
        "INSERT INTO t (id, at) VALUES (1, '2024-01-01 10:00:00'), (2, NULL)",
    )
    done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    shown = "SELECT id, v, s FROM t ORDER BY id"
    assert rows(target, shown) == rows(source, shown)
    assert rows(target, "SELECT v IS NULL, s IS NULL FROM t ORDER BY id") == [(0, 0), (1, 1)]


@pytest.mark.parametrize("method", ["AUTOMATIC", "CONVENTIONAL_PATH"])
def test_a_date_that_is_computed_is_the_same(method: str, mysql: Fresh) -> None:
    """MySQL computes it by the session's mode, in which 31 February may be a day."""
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, x varchar(20), g date AS (cast(x AS date)) VIRTUAL)",
        "CREATE TABLE u (id integer PRIMARY KEY, x varchar(20), g date AS (cast(x AS date)) STORED)",
        "SET SESSION sql_mode = ''",
        "INSERT INTO t (id, x) VALUES (1, '2023-02-31'), (2, '2023-02-28')",
        "INSERT INTO u (id, x) VALUES (1, '2023-02-31'), (2, '2023-02-28')",
    )
    given = [rows(source, f"SELECT id, g FROM {table} ORDER BY id") for table in "tu"]
    assert given[1][0] == (1, None)
    pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"ACCESS_METHOD={method}", "NOLOGFILE=YES")
    for table, expected in zip("tu", given, strict=True):
        assert set(rows(target, f"SELECT id, g FROM {table}")) <= set(expected)


@pytest.mark.product("MariaDB", "checks that are a column's own")
def test_a_check_of_a_column_stays_the_columns(mysql: Fresh) -> None:
    """MariaDB shows it there, and gives it no name; what ALTER TABLE makes of the column is its end."""
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer NOT NULL DEFAULT 1 COMMENT 'one' CHECK (id > 0), n integer CHECK (n > id),"
        " yes boolean CHECK (yes IN (0, 1)), twice integer AS (n * 2) STORED CHECK (twice < 100), doc json,"
        " CHECK (n < 10), CONSTRAINT named CHECK (n <> 3))",
        "INSERT INTO t (id, n, yes) VALUES (1, 2, 1)",
    )
    done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    shown = [rows(url, "SHOW CREATE TABLE t")[0][1] for url in (source, target)]
    assert shown[0] == shown[1]
    assert "CHECK (`n` > `id`)," in shown[0]
