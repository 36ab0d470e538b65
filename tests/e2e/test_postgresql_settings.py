"""Settings of a database or a user that would change what is read, written or computed: a job has its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from dialects.postgresql import ADAPTER
from dialects.postgresql.paths import SESSION
from tests.support.pump import done, pump
from tests.support.sql import execute, rows

HOSTILE = {
    "array_nulls": "off",
    "backslash_quote": "off",
    "bytea_output": "escape",
    "check_function_bodies": "on",
    "DateStyle": "SQL, DMY",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "extra_float_digits": "-10",
    "gin_fuzzy_search_limit": "1",
    "idle_in_transaction_session_timeout": "5s",
    "idle_session_timeout": "5s",
    "ignore_checksum_failure": "on",
    "IntervalStyle": "sql_standard",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "lock_timeout": "1s",
    "quote_all_identifiers": "on",
    "session_replication_role": "replica",
    "standard_conforming_strings": "off",
    "statement_timeout": "10s",
    "TimeZone": "Asia/Kathmandu",
    "timezone_abbreviations": "India",
    "transaction_timeout": "10s",
    "transform_null_equals": "on",
    "xmlbinary": "hex",
    "xmloption": "document",
    "zero_damaged_pages": "on",
}
"""A value of each setting that a job must not take over."""

MADE = (
    """CREATE TABLE t (id integer PRIMARY KEY, a text[], b bytea, i interval, f double precision, s timestamptz,
        d date DEFAULT '2020-02-03', k text DEFAULT 'a\\b', u uuid, n name, m numeric[], CONSTRAINT same CHECK (id <> 9))""",
    "INSERT INTO t (id, a, b, i, f, s, m) VALUES"
    " (1, '{NULL,\"NULL\",b}', '\\x00ff', '1 mon -2 days 3:04', 0.1::float8 + 0.2, '2020-01-02 03:04:05.6+00',"
    " '{1,NULL}'), (2, NULL, '', NULL, 1e-7, '1999-12-31 23:59:59+00', NULL)",
    "CREATE TABLE e (id integer REFERENCES t)",
    "INSERT INTO e VALUES (1)",
    "CREATE VIEW v AS SELECT id FROM t WHERE a = NULL::text[]",
)


def hostile(url: str) -> None:
    """All hostile settings of the database that its server knows."""
    known = {name for (name,) in rows(url, "SELECT name FROM pg_settings")}
    database = sa.make_url(url).database
    execute(url, *(f"ALTER DATABASE {database} SET {n} = '{value}'" for n, value in HOSTILE.items() if n in known))


def seen(url: str) -> list[tuple[object, ...]]:
    """All rows and the view, as texts that no setting changes."""
    engine = ADAPTER.engine(sa.make_url(url))
    with engine.connect() as connection:
        connection.exec_driver_sql("SET extra_float_digits = 3")
        queries = ("SELECT t::text FROM t ORDER BY id", "SELECT id FROM e", "SELECT pg_get_viewdef('v'::regclass)")
        return [tuple(row) for sql in queries for row in connection.exec_driver_sql(sql)]


def test_every_setting_of_a_session_is_tried() -> None:
    assert {name for name, _ in SESSION} == set(HOSTILE)


@pytest.mark.parametrize("method", [(), ("ACCESS_METHOD=CONVENTIONAL_PATH",)], ids=["any", "conventional"])
@pytest.mark.parametrize("version", [16, 18])
def test_settings_of_both_databases_change_nothing(
    version: int, method: tuple[str, ...], postgresql: Callable[..., str]
) -> None:
    source, target = postgresql(version), postgresql(version)
    execute(source, *MADE)
    before = seen(source)
    hostile(source)
    hostile(target)
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", *method))
    assert seen(target) == before
    assert done(pump("verify", target, f"NETWORK_LINK={source}")).code == 0


def test_rows_that_come_are_seen_by_foreign_keys(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE e (id integer)", "INSERT INTO e VALUES (1)")
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY)", "CREATE TABLE e (id integer REFERENCES t)")
    hostile(target)
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND")
    assert "violates foreign key constraint" in run.out, run.out
    assert rows(target, "SELECT * FROM e") == []
