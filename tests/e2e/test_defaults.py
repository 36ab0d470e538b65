"""Defaults between databases, on real servers: a row made by one has the value, in the form, of a row that was moved; or the
default is left out by name, and costs neither the table nor its rows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import Run, done, pump, remap
from tests.support.sql import execute, is_mariadb, rows, scalar

Fresh = Callable[..., str]

KINDS = ("postgresql", "mysql", "sqlite")
PAIRS = list(permutations(KINDS, 2))


@dataclass(frozen=True)
class Case:
    """A column with its default. ``named``: the databases that leave the default out."""

    declaration: str
    named: str = ""


CONSTANTS: dict[str, tuple[Case, ...]] = {
    "postgresql": (
        Case("date default '2024-01-01 23:00'::timestamp"),
        Case("time(0) default '10:00:00.6'"),
        Case("timestamp(0) default '2024-01-01 10:00:00.6'"),
        Case("timestamp default date '2024-01-01'"),
        Case("timestamptz default '2024-01-01 00:00:00.5+05'"),
        Case("timestamptz(0) default 'epoch'"),
        Case("timetz default '10:00:00+02'"),
        Case("interval default '1 day 02:00'"),
        Case("int default 1.5"),
        Case("int default 2.5::float8"),
        Case("int default -7/2"),
        Case("numeric(5,1) default 1.25"),
        Case("numeric/*!15 (5,-2)*/ default 1234"),
        Case("numeric(38,10) default 1234567890123456789012345678.0123456789"),
        Case("numeric default 12345678901234567890.123456789"),
        Case("numeric default 1.50"),
        Case("numeric default 1e40", "mysql"),
        Case("numeric default 1e-40", "mysql"),
        Case("numeric default 'NaN'", "mysql"),
        Case("real default 16777217"),
        Case("real default 0.1"),
        Case("float8 default 0.1::real"),
        Case("float8 default 1e300"),
        Case("float8 default 'Infinity'", "mysql"),
        Case("float8 default 'NaN'", "mysql sqlite"),
        Case("date default 'infinity'", "mysql"),
        Case("timestamp default '-infinity'", "mysql"),
        Case("date default '0044-03-15 BC'", "mysql"),
        Case("text default true"),
        Case("text default 1.50"),
        Case("varchar(20) default 'a' || 1"),
        Case("varchar(3) default 'abc   '"),
        Case("varchar(3) default 'abcd'", "mysql sqlite"),
        Case("char(5) default 'ab'"),
        Case("boolean default 'yes'"),
        Case("bytea default '\\x00ff27'"),
        Case("bit(3) default b'101'"),
        Case("bit varying(5) default b'10'"),
        Case("uuid default 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
        Case('json default \'{"a": [1, "x"]}\''),
        Case("int[] default '{1,2}'"),
        Case("inet default '10.0.0.1'"),
        Case("money default 5", "mysql sqlite"),
        Case("text default 'x' || null"),
        Case("boolean default (1 = 1)"),
        Case("numeric(6,3) default 1.005 * 2"),
    ),
    "mysql": (
        Case("date default '2024-01-01'"),
        Case("datetime(3) default '2024-01-01 10:00:00.250'"),
        Case("timestamp default '2024-01-01 00:00:00'"),
        Case("time default '-10:00:00'"),
        Case("year default 2024"),
        Case("decimal(5,1) default 1.25"),
        Case("decimal(65,30) default 1.000000000000000000000000000001"),
        Case("float default 16777217"),
        Case("double default 1e-5"),
        Case("bigint unsigned default 18446744073709551615", "sqlite"),
        Case("bit(4) default b'101'"),
        Case("varchar(9) default 1.50"),
        Case("char(3) default 'a'"),
        Case("varbinary(3) default 'a'"),
        Case("enum('a','b') default 'b'"),
    ),
    "sqlite": (
        Case("int default 1.5", "postgresql mysql"),
        Case("int default '5'"),
        Case("decimal(5,1) default 1.25", "postgresql mysql"),
        Case("decimal(5,1) default 1.5"),
        Case("real default 1e999", "mysql"),
        Case("real default 0.1"),
        Case("boolean default true"),
        Case("text default 1.50"),
        Case("varchar(3) default 'abcd'", "postgresql mysql"),
        Case("blob default x'00ff'"),
        Case("date default '2024-01-01'"),
        Case("time default '10:00:00'"),
        Case("time default '25:00'", "postgresql mysql"),
        Case("datetime default '2024-02-30 00:00:00'", "postgresql mysql"),
        Case("timestamp default '2024-01-01 10:00:00'"),
    ),
}
"""Constants that are converted to their column's type, and some that other databases do not have."""

CLOCKS: dict[str, tuple[Case, ...]] = {
    "postgresql": (
        Case("date default now()"),
        Case("date default localtimestamp"),
        Case("time(0) default now()"),
        Case("time(3) default localtime"),
        Case("timestamp(0) default now()"),
        Case("timestamp(3) default current_date"),
        Case("timestamptz(3) default now()"),
        Case("timestamptz default current_date", "mysql sqlite"),
        Case("timetz default now()", "mysql sqlite"),
        Case("text default now()", "mysql sqlite"),
        Case("date default date_trunc('second', now())"),
        Case("text default date_trunc('second', now())", "mysql sqlite"),
        Case("text default timezone('utc', date_trunc('milliseconds', now()))", "mysql sqlite"),
        Case("text default localtimestamp(0)", "mysql sqlite"),
        Case("text default localtime", "mysql sqlite"),
    ),
    "mysql": (
        Case("date default (current_timestamp)"),
        Case("time default (curtime())"),
        Case("time default (now())"),
        Case("datetime(3) default (curdate())"),
        Case("datetime default (curtime())", "postgresql sqlite"),
        Case("int default (now())", "postgresql sqlite"),
        Case("varchar(30) default (curdate())"),
    ),
    "sqlite": (
        Case("date default current_timestamp"),
        Case("datetime default current_timestamp"),
        Case("time default current_time"),
        Case("int default current_timestamp", "postgresql mysql"),
    ),
}
"""The current time in columns of several types."""


def move(source: str, target: str, directory: Path) -> Run:
    return done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={directory}"))


def make(url: str, table: str, cases: Sequence[Case]) -> None:
    columns = "".join(f", c{number} {case.declaration}" for number, case in enumerate(cases))
    execute(url, f"CREATE TABLE {table} (id integer PRIMARY KEY{columns})")


def moved_defaults(cases: Sequence[Case], there: str, here: str, directory: Path) -> list[tuple[str, list[object]]]:
    """Move two tables, one with the defaults that are kept, one with those that are left out by name; each that is kept,
    with its values in the moved row and in a row that the target's defaults have made."""
    target = sa.make_url(here).get_backend_name()
    kept = [case for case in cases if target not in case.named.split()]
    named = [case for case in cases if target in case.named.split()]
    make(there, "kept", kept)
    make(there, "named", named)
    execute(there, "INSERT INTO kept (id) VALUES (1)", f"INSERT INTO named VALUES (1{', NULL' * len(named)})")
    run = move(there, here, directory)
    left_out = [re.search(r'"(\w+)"\."?c(\d+)', loss) for loss in run.losses if "[default]" in loss]
    places = sorted(found.groups() for found in left_out if found)
    assert len(left_out) == len(named)
    assert places == sorted(("named", str(number)) for number in range(len(named)))
    execute(here, *(f"INSERT INTO {table} (id) VALUES (2)" for table in ("kept", "named")))
    assert rows(here, "SELECT * FROM named ORDER BY id") == [(number, *[None] * len(named)) for number in (1, 2)]
    shown = "typeof(c{0}) || ' ' || quote(c{0})" if target == "sqlite" else "c{0}"
    asked = ", ".join(shown.format(number) for number in range(len(kept)))
    moved, new = rows(here, f"SELECT {asked} FROM kept ORDER BY id")
    return [(case.declaration, list(pair)) for case, *pair in zip(kept, moved, new, strict=True)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_constant_is_what_a_moved_row_has_or_is_left_out_by_name(
    source: str, target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    made = moved_defaults(CONSTANTS[source], lasting(source), lasting(target), tmp_path)
    wrong = [(case, values) for case, values in made if values[0] != values[1] or values[0] is None]
    assert [case for case in wrong if "null" not in case[0]] == []


def test_a_constant_that_only_the_server_refuses_costs_nothing_else(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("sqlite"), lasting("mysql")
    execute(
        source,
        "CREATE TABLE y (id integer PRIMARY KEY, a year DEFAULT 1800, b year DEFAULT 2024, c date DEFAULT '2024-01-01')",
        "INSERT INTO y VALUES (1, 2000, 2000, '2000-01-01')",
    )
    run = move(source, here, tmp_path)
    (lost,) = (loss for loss in run.losses if "[default]" in loss)
    assert '"a"' in lost
    assert "refuses it" in lost
    execute(here, "INSERT INTO y (id) VALUES (2)")
    assert [row[1:3] for row in rows(here, "SELECT * FROM y ORDER BY id")] == [(2000, 2000), (None, 2024)]


@pytest.mark.parametrize("target", ["mysql", "sqlite", "postgresql"])
def test_a_column_without_nulls_is_not_told_that_null_is_its_default(
    target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    source, there = lasting("postgresql"), lasting(target)
    execute(source, "CREATE TABLE t (n int, a numeric(10,2) DEFAULT NULL NOT NULL, b text DEFAULT NULL::text)")
    done(pump("impdp", there, f"NETWORK_LINK={source}", remap(source, there), f"DIRECTORY={tmp_path}"))
    with pytest.raises(sa.exc.DBAPIError):
        execute(there, "INSERT INTO t (n) VALUES (1)")
    execute(there, "INSERT INTO t (n, a) VALUES (2, 1)")
    assert rows(there, "SELECT n, b FROM t") == [(2, None)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_clock_gives_what_the_columns_type_has(
    source: str, target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    made = moved_defaults(CLOCKS[source], lasting(source), lasting(target), tmp_path)
    forms = [(case, [(type(v), re.sub(r"\d", "0", str(v))) for v in values]) for case, values in made]
    assert [form for form in forms if len(set(map(_form, form[1]))) > 1] == []


def _form(shown: tuple[type, str]) -> tuple[type, str]:
    """The type and the digits' places, a fraction's aside where the driver shows it only if there is one."""
    return shown[0], shown[1] if shown[0] is str else shown[1].partition(".")[0]


CUT = (
    "CREATE TABLE t (id int, a datetime DEFAULT now(), b datetime(3) DEFAULT now(3), c timestamp NULL DEFAULT now(),"
    " d time DEFAULT (curtime()), e datetime(3) DEFAULT (utc_timestamp(3)), f datetime(6) DEFAULT now(6))"
)
IS_CUT = (
    "a = date_trunc('second', statement_timestamp()::timestamp)",
    "b = date_trunc('milliseconds', statement_timestamp()::timestamp)",
    "c = date_trunc('second', statement_timestamp())",
    "d = date_trunc('second', statement_timestamp()::time)",
    "e = date_trunc('milliseconds', statement_timestamp() AT TIME ZONE 'utc')",
    "f = statement_timestamp()::timestamp",
)


def late_in_a_second(url: str, returning: str) -> list[tuple[object, ...]]:
    """A row of defaults that PostgreSQL makes when the next second is nearer than the last."""
    execute(url, "SELECT pg_sleep(1.7 - extract(second FROM clock_timestamp())::numeric % 1)")
    return rows(url, f"INSERT INTO t (id) VALUES (1) RETURNING {returning}")


OWN_CLOCKS = (
    "date_trunc('second'::text, now())",
    "date_trunc('milliseconds'::text, now())",
    "timezone('utc'::text, now())",
    "timezone('utc'::text, date_trunc('second'::text, now()))",
    "now()",
    "CURRENT_TIMESTAMP(2)",
    "statement_timestamp()",
    "timezone('utc'::text, date_trunc('second'::text, clock_timestamp()))",
    "(transaction_timestamp())::timestamp(2) with time zone",
)
HOLDING_CLOCKS = (
    *("date", "text", "varchar(40)", "time", "timestamp", "timestamp(0)", "timestamptz", "timestamptz(0)"),
    *("moment", "said"),
)
OWN_TEXTS = ("LOCALTIMESTAMP", "LOCALTIMESTAMP(0)", "LOCALTIME", "LOCALTIME(3)", "CURRENT_TIME", "CURRENT_DATE")


def test_a_clock_of_postgresql_is_the_same_words_in_postgresql(lasting: Callable[[str], str], tmp_path: Path) -> None:
    """Whatever the type of its column, which may be one where a rounded time is another than one that is cut off."""
    source, here = lasting("postgresql"), lasting("postgresql")
    held = [f"{type_} DEFAULT {sql}" for type_ in HOLDING_CLOCKS for sql in OWN_CLOCKS]
    held += [f"timetz DEFAULT {sql}" for sql in OWN_CLOCKS if "utc" not in sql]
    held += [f"{type_} DEFAULT {sql}" for type_ in ("text", "char(40)", "said") for sql in OWN_TEXTS]
    columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(held))
    execute(
        source,
        "CREATE DOMAIN moment AS timestamp(3) DEFAULT date_trunc('second', now())",
        "CREATE DOMAIN said AS text DEFAULT date_trunc('second', now())",
        f"CREATE TABLE t ({columns}, d moment, e said)",
    )
    run = move(source, here, tmp_path)
    defaults = (
        "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute"
        " ON attrelid = adrelid AND attnum = adnum ORDER BY attnum",
        "SELECT typname, typdefault FROM pg_type WHERE typname IN ('moment', 'said') ORDER BY typname",
    )
    for query in defaults:
        assert rows(here, query) == rows(source, query)
    assert [loss for loss in run.losses if "[default]" in loss or "[clock]" in loss] == []


def test_a_clock_of_mariadb_is_never_ahead_of_time_in_postgresql(lasting: Callable[[str], str], tmp_path: Path) -> None:
    """The servers round where MariaDB cuts off; on the way back, and to another PostgreSQL, all is as it was."""
    source, here, again, back = lasting("mysql"), lasting("postgresql"), lasting("postgresql"), lasting("mysql")
    execute(source, CUT)
    assert move(source, here, tmp_path).losses == []
    assert late_in_a_second(here, ", ".join(IS_CUT)) == [(True,) * len(IS_CUT)]
    execute(here, "DELETE FROM t")
    assert move(here, again, tmp_path).losses == []
    assert late_in_a_second(again, ", ".join(IS_CUT)) == [(True,) * len(IS_CUT)]
    for url in (source, here):
        execute(url, "ALTER TABLE t DROP COLUMN c, DROP COLUMN d")  # an instant, which is UTC's from now on, and an interval
    run = move(here, back, tmp_path)
    assert [loss for loss in run.losses if "[clock]" in loss or "[default]" in loss] == []
    defaults = "SELECT column_default FROM information_schema.columns WHERE table_schema = database() ORDER BY column_name"
    assert rows(back, defaults) == rows(source, defaults)


def test_a_clock_that_is_rounded_or_cut_off_elsewhere_is_named(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, mariadb = lasting("postgresql"), lasting("mysql")
    execute(
        source,
        "CREATE TABLE r (a timestamp(0) DEFAULT now(), b timestamptz(3) DEFAULT CURRENT_TIMESTAMP(2),"
        " c time(0) DEFAULT now(), d timestamp DEFAULT now(),"
        " e timestamp DEFAULT date_trunc('second', now()), f date DEFAULT now(), g timestamp DEFAULT CURRENT_TIMESTAMP(0),"
        " h time DEFAULT LOCALTIME(0))",
    )
    told = [loss.partition(".")[2] for loss in move(source, mariadb, tmp_path).losses if "[clock]" in loss]
    assert sorted(re.sub(r'^.*"\."?', "", loss) for loss in told) == [
        'a": the current time is cut off to whole seconds (at the source: rounded) [clock]',
        'b": the current time is cut off to 2 digits after the second (at the source: rounded) [clock]',
        'c": the current time is cut off to whole seconds (at the source: rounded) [clock]',
        'g": the current time is cut off to whole seconds (at the source: rounded) [clock]',
        'h": the current time is cut off to whole seconds (at the source: rounded) [clock]',
    ]
    execute(mariadb, "SET time_zone = '+00:00', timestamp = 1700000000.987654", "INSERT INTO r () VALUES ()")
    ((*made,),) = rows(mariadb, f"SELECT {', '.join(f'MICROSECOND({name})' for name in 'abcdegh')} FROM r")
    assert made == [0, 980000, 0, 987654, 0, 0, 0]


OF_POSTGRESQL = {
    "timestamp DEFAULT date_trunc('second', now())": "22:13:20",
    "timestamptz DEFAULT date_trunc('milliseconds', now())": "22:13:20.987",
    "timestamp DEFAULT timezone('utc', date_trunc('second', now()))": "22:13:20",
    "timestamp DEFAULT CURRENT_TIMESTAMP(0)": "22:13:20",
    "timestamptz(3) DEFAULT CURRENT_TIMESTAMP(2)": "22:13:20.98",
    "timestamp(2) DEFAULT CURRENT_TIMESTAMP(4)": "22:13:20.98",
    "timestamp(3) DEFAULT now()": "22:13:20.987",
    "timestamp DEFAULT timezone('utc', now())": "22:13:20.987654",
    "time DEFAULT LOCALTIME(0)": "22:13:20",
    "time(3) DEFAULT LOCALTIME(5)": "22:13:20.987",
    "time DEFAULT LOCALTIME": "22:13:20.987654",
}
OF_SQLITE = {
    "datetime DEFAULT CURRENT_TIMESTAMP": "22:13:20",
    "datetime DEFAULT (datetime('now', 'localtime'))": "22:13:20",
    "datetime DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))": "22:13:20.987",
    "timestamp(2) DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))": "22:13:20.98",
    "time DEFAULT CURRENT_TIME": "22:13:20",
    "text DEFAULT CURRENT_TIMESTAMP": "22:13:20",
}
OF_MARIADB = {
    "datetime(6) DEFAULT /*M! now() */ /*!80000 now(6) */": "22:13:20.987654",  # which MySQL wants to be said
    "datetime(6) DEFAULT (cast(now() AS datetime))": "22:13:20",
    "timestamp(6) DEFAULT (now(2))": "22:13:20.98",
    "datetime(3) DEFAULT (now(6))": "22:13:20.987",
    "datetime DEFAULT now()": "22:13:20",
    "datetime(6) DEFAULT (utc_timestamp())": "22:13:20",
    "time(6) DEFAULT (curtime())": "22:13:20",
    "time(6) DEFAULT (utc_time(3))": "22:13:20.987",
    "varchar(40) DEFAULT (now())": "22:13:20",
    "varchar(40) DEFAULT (now(4))": "22:13:20.9876",
    "varchar(40) DEFAULT (utc_timestamp(6))": "22:13:20.987654",
    "decimal(20,0) DEFAULT (now())": "221320",
}


@pytest.mark.parametrize("options", [(), ("FRACTIONAL_SECONDS=DECLARED",)])
@pytest.mark.parametrize(
    ("database", "clocks"), [("postgresql", OF_POSTGRESQL), ("sqlite", OF_SQLITE), ("mysql", OF_MARIADB)]
)
def test_a_clock_has_its_own_digits_in_mariadb(
    database: str, clocks: dict[str, str], options: Sequence[str], lasting: Callable[[str], str], tmp_path: Path
) -> None:
    """At one and the same moment, 987654 microseconds after the second."""
    source, here = lasting(database), lasting("mysql")
    execute(source, f"CREATE TABLE t (id integer{''.join(f', c{n} {sql}' for n, sql in enumerate(clocks))})")
    run = done(pump("impdp", here, f"NETWORK_LINK={source}", remap(source, here), "NOLOGFILE=YES", *options))
    assert [loss for loss in run.losses if "[default]" in loss] == []
    execute(here, "SET time_zone = '+00:00', timestamp = 1700000000.987654", "INSERT INTO t (id) VALUES (1)")
    (made,) = rows(here, f"SELECT {', '.join(f'CAST(c{n} AS CHAR)' for n in range(len(clocks)))} FROM t")
    at = [re.sub(r"^2023-?11-?14 ?", "", value) for value in made]
    assert [re.sub(r"(\.\d*?)0+$", r"\1", value).rstrip(".") for value in at] == [*clocks.values()]


UTC = "statement_timestamp() AT TIME ZONE 'utc'"
FEWER = {
    "datetime(6) DEFAULT (now(2))": "statement_timestamp()::timestamp(2)",
    "datetime(6) DEFAULT (utc_timestamp(2))": "statement_timestamp()::timestamptz(2) AT TIME ZONE 'utc'",
    "datetime(6) DEFAULT (cast(now() AS datetime))": "date_trunc('second', statement_timestamp()::timestamp)",
    "datetime(6) DEFAULT (utc_timestamp())": "date_trunc('second', statement_timestamp() AT TIME ZONE 'utc')",
    "time(6) DEFAULT (curtime(1))": "statement_timestamp()::time(1)",
    "time(6) DEFAULT (utc_time(1))": "(statement_timestamp()::timestamptz(1) AT TIME ZONE 'utc')::time",
    "varchar(40) DEFAULT (utc_timestamp(6))": f"to_char({UTC}, 'YYYY-MM-DD HH24:MI:SS.US')",
    "varchar(40) DEFAULT (utc_time(3))": f"to_char({UTC}, 'HH24:MI:SS.MS')",
    "varchar(40) DEFAULT (utc_timestamp())": f"to_char({UTC}, 'YYYY-MM-DD HH24:MI:SS')",
    "varchar(40) DEFAULT (utc_timestamp(2))": "NULL",
}


def test_a_clock_has_its_own_digits_in_postgresql(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("mysql"), lasting("postgresql")
    execute(source, f"CREATE TABLE t (id integer{''.join(f', c{n} {sql}' for n, sql in enumerate(FEWER))})")
    losses = move(source, here, tmp_path).losses
    told = {rule: [loss for loss in losses if f"[{rule}]" in loss] for rule in ("clock", "default")}
    for rule, columns in {"clock": (0, 1, 4, 5), "default": (9,)}.items():
        assert [f'"c{n}"' in loss for n, loss in zip(columns, told[rule], strict=True)] == [True] * len(columns)
    asked = ", ".join(f"c{n} IS NOT DISTINCT FROM {sql}" for n, sql in enumerate(FEWER.values()))
    assert rows(here, f"INSERT INTO t (id) VALUES (1) RETURNING {asked}") == [(True,) * len(FEWER)]


IN_SQLITE = {
    "timestamp(0) DEFAULT now()": 0,
    "timestamp DEFAULT CURRENT_TIMESTAMP(1)": 1,
    "timestamp(2) DEFAULT now()": 2,
    "timestamptz(2) DEFAULT now()": 2,
    "time DEFAULT LOCALTIME(2)": 2,
    "timestamp(4) DEFAULT timezone('utc', now())": 3,
    "timestamp(5) DEFAULT now()": 3,
    "timestamp(3) DEFAULT now()": 3,
}


def test_a_clock_has_its_own_digits_in_sqlite(lasting: Callable[[str], str], tmp_path: Path) -> None:
    """Which has three at most: then an entry says that, and none that it has more."""
    source, here, back = lasting("postgresql"), lasting("sqlite"), lasting("postgresql")
    execute(source, f"CREATE TABLE t (id integer{''.join(f', c{n} {sql}' for n, sql in enumerate(IN_SQLITE))})")
    told = [re.sub(r'^.*"(c\d)"', r"\1", loss) for loss in move(source, here, tmp_path).losses]
    digits = (
        "whole seconds",
        *(f"{n} digits after the second" for n in (1, 2, 2, 2)),
        None,
        None,
        "3 digits after the second",
    )
    assert [loss for loss in told if "[clock]" in loss or "[default]" in loss] == [
        f"c{n}: the current time has three digits after the second [default]"
        if places is None
        else f"c{n}: the current time is cut off to {places} (at the source: rounded) [clock]"
        for n, places in enumerate(digits)
    ]
    execute(here, "INSERT INTO t (id) VALUES (1)")
    (made,) = rows(here, f"SELECT {', '.join(f'c{n}' for n in range(len(IN_SQLITE)))} FROM t")
    assert [len(str(value).partition(".")[2].removesuffix("+00:00")) for value in made] == [*IN_SQLITE.values()]
    execute(here, "DELETE FROM t")
    assert [loss for loss in move(here, back, tmp_path).losses if "[default]" in loss] == []


def test_a_clock_that_cannot_be_cut_off_is_named(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("mysql"), lasting("postgresql")
    execute(source, "CREATE TABLE odd (a datetime(2) DEFAULT now(2))")
    (told,) = move(source, here, tmp_path).losses
    assert "the current time is rounded to 2 digits after the second (at the source: cut off) [clock]" in told


BEGUN = {
    "postgresql": ("timestamp DEFAULT now()", "transaction"),
    "mysql": ("datetime(6) DEFAULT now(6)", "statement"),
    "sqlite": ("datetime DEFAULT CURRENT_TIMESTAMP", "statement"),
}
"""A clock of each database, and what its time is the beginning of."""


def moments(url: str) -> int:
    """How many times of day two statements of one transaction have by a column's default, a good second apart."""
    with closing(sa.create_engine(url, poolclass=sa.NullPool).connect()) as connection, connection.begin() as made:
        connection.exec_driver_sql("INSERT INTO t (id) VALUES (1)")
        time.sleep(1.05)
        connection.exec_driver_sql("INSERT INTO t (id) VALUES (2)")
        (number,) = connection.exec_driver_sql("SELECT COUNT(DISTINCT at) FROM t").one()
        made.rollback()
    return int(number)


@pytest.mark.parametrize(("source", "target"), [*PAIRS, *((kind, kind) for kind in KINDS)])
def test_whether_a_clock_begins_with_the_transaction_or_the_statement_is_named_if_it_changes(
    source: str, target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    there, here = lasting(source), lasting(target)
    clock, begins = BEGUN[source]
    execute(there, f"CREATE TABLE t (id integer PRIMARY KEY, at {clock}, day date DEFAULT '2020-02-29')")
    told = [loss for loss in move(there, here, tmp_path).losses if "[clock-moment]" in loss]
    now = begins if target == "postgresql" else BEGUN[target][1]
    expected = f'"t"."at": the current time is when the {now} began (at the source: the {begins}) [clock-moment]'
    assert [loss[loss.index('"t"') :] for loss in told] == ([expected] if now != begins else [])
    assert [{1: "transaction", 2: "statement"}[moments(url)] for url in (there, here)] == [begins, now]


CALLED = {
    "timestamp DEFAULT statement_timestamp()": "",
    "timestamptz DEFAULT statement_timestamp()": "",
    "date DEFAULT statement_timestamp()::date": "",
    "time DEFAULT statement_timestamp()::time": "",
    "timestamp(0) DEFAULT date_trunc('second', statement_timestamp())": "",
    "timestamp DEFAULT timezone('utc', statement_timestamp())": "",
    "timestamp DEFAULT transaction_timestamp()": "the transaction",
    "timestamp DEFAULT clock_timestamp()": "when it is called",
}
"""PostgreSQL's clocks that are called by their names, and of what their time is where that is not the statement's."""


def test_the_clocks_of_statement_and_transaction_and_call_are_the_statements_elsewhere(
    lasting: Callable[[str], str], tmp_path: Path
) -> None:
    """And what has been the statement's is that again on the way back."""
    source, here, back = lasting("postgresql"), lasting("mysql"), lasting("postgresql")
    execute(source, f"CREATE TABLE t (id integer{''.join(f', c{n} {sql}' for n, sql in enumerate(CALLED))})")
    told = [loss[loss.index('"t"') :] for loss in move(source, here, tmp_path).losses if "[type-" not in loss]
    assert told == [
        f'"t"."c{n}": the current time is when the statement began (at the source: {begins}) [clock-moment]'
        for n, begins in enumerate(CALLED.values())
        if begins
    ]
    assert [loss for loss in move(here, back, tmp_path).losses if "[type-" not in loss] == []
    defaults = "SELECT column_default FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position"
    before, after = ([value for (value,) in rows(url, defaults)][1:] for url in (source, back))
    cast = {"time": "({})::interval"}  # which is what a TIME becomes
    of_statement = {n: sql.split()[0] for n, (sql, begins) in enumerate(CALLED.items()) if not begins}
    kept = {n: type_ for n, type_ in of_statement.items() if type_ != "timestamptz"}
    assert [after[n] for n in kept] == [cast.get(type_, "{}").format(before[n]) for n, type_ in kept.items()]
    again = lasting("postgresql")
    assert move(source, again, tmp_path).losses == []
    assert rows(again, defaults) == rows(source, defaults)


@pytest.mark.parametrize("target", ["mysql", "postgresql", "sqlite"])
def test_the_days_of_a_view_and_of_an_expression_begin_so_too(
    target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    source, here = lasting("postgresql"), lasting(target)
    execute(
        source,
        "CREATE TABLE t (id integer, day date, until date DEFAULT CURRENT_DATE + 7)",
        "CREATE VIEW old AS SELECT id FROM t WHERE day < CURRENT_DATE",
        "CREATE VIEW young AS SELECT id FROM t WHERE day > '2020-02-29'",
    )
    losses = [re.sub(r'^.*?(\w+:|:)"[^"]*"\.', "", loss) for loss in move(source, here, tmp_path).losses]
    told = [loss.partition(":")[0] for loss in losses if "[clock-moment]" in loss]
    assert told == (['"t"."until"', '"old"'] if target == "mysql" else [])


@pytest.mark.parametrize(
    ("source", "clock"),
    [
        ("postgresql", "timestamptz DEFAULT timezone('utc', now())"),
        ("postgresql", "timestamptz DEFAULT timezone('utc', date_trunc('second', now()))"),
        ("mysql", "timestamp NULL DEFAULT (utc_timestamp())"),
    ],
)
def test_utcs_digits_that_a_session_takes_for_its_own_are_no_clock_of_utc(
    source: str, clock: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    """An instant that is hours away in any session whose zone is not UTC: the same words do it, and nothing else does."""
    there = lasting(source)
    execute(there, f"CREATE TABLE t (id integer PRIMARY KEY, at {clock})")
    for target in KINDS:
        here = lasting(target)
        told = [loss for loss in move(there, here, tmp_path).losses if "[default]" in loss]
        if target == source:
            assert told == []
            assert hours_away(here) == hours_away(there) == 5
            continue
        assert ['"at": default ' in loss and "is left out" in loss for loss in told] == [True]
        execute(here, "INSERT INTO t (id) VALUES (1)")
        assert rows(here, "SELECT at FROM t") == [(None,)]


def hours_away(url: str) -> int:
    """How many hours a column's default is away from the current time, in a session five hours behind UTC."""
    if url.startswith("postgresql"):
        zone = "SET TIME ZONE INTERVAL '-05:00' HOUR TO MINUTE"
        away = "round(extract(epoch FROM at - now()) / 3600)"
    else:
        zone, away = "SET time_zone = '-05:00'", "round(timestampdiff(SECOND, now(), at) / 3600)"
    with closing(sa.create_engine(url, poolclass=sa.NullPool).connect()) as connection, connection.begin() as made:
        for statement in (zone, "INSERT INTO t (id) VALUES (1)"):
            connection.exec_driver_sql(statement)
        (hours,) = connection.exec_driver_sql(f"SELECT {away} FROM t").one()
        made.rollback()
    return int(hours)


RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.since(13, "gen_random_uuid()")
@pytest.mark.parametrize("target", ["mysql", "sqlite"])
def test_a_random_uuid_stays_one(target: str, lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("postgresql"), lasting(target)
    execute(source, "CREATE TABLE u (id integer PRIMARY KEY, k uuid DEFAULT gen_random_uuid())")
    run = move(source, here, tmp_path)
    execute(here, *(f"INSERT INTO u (id) VALUES ({number})" for number in range(50)))
    made = [str(value) for (value,) in rows(here, "SELECT k FROM u")]
    assert all(RANDOM.fullmatch(value) for value in made), made
    assert len({*made}) == 50
    assert {value[19] for value in made} == {*"89ab"}
    is_text = target == "mysql" and not is_mariadb(here)
    assert ["[type-uuid]" in loss for loss in run.losses] == [True] * is_text


def test_a_uuid_of_the_clock_that_becomes_random_is_named(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("mysql"), lasting("postgresql")
    execute(source, "CREATE TABLE u (id integer PRIMARY KEY, k char(36) DEFAULT (uuid()))")
    run = move(source, here, tmp_path)
    assert len([loss for loss in run.losses if "[uuid-version]" in loss and '"k"' in loss]) == 1
    execute(here, "INSERT INTO u (id) VALUES (1)")
    assert RANDOM.fullmatch(str(scalar(here, "SELECT k FROM u")))


def test_comments_that_are_too_long_are_cut_by_name(lasting: Callable[[str], str], tmp_path: Path) -> None:
    source, here = lasting("postgresql"), lasting("mysql")
    execute(
        source,
        "CREATE TABLE c (id integer PRIMARY KEY, a text, b text)",
        f"COMMENT ON TABLE c IS '{'ä' * 2049}'",
        f"COMMENT ON COLUMN c.a IS '{'b' * 1025}'",
        f"COMMENT ON COLUMN c.b IS '{'b' * 1024}'",
        "COMMENT ON COLUMN c.id IS 'é😀!'",
        "INSERT INTO c VALUES (1, 'x', 'y')",
    )
    run = move(source, here, tmp_path)
    assert rows(here, "SELECT * FROM c") == [(1, "x", "y")]
    named = [loss for loss in run.losses if "[comment]" in loss]
    assert [(said in loss) for said, loss in zip(("U+FFFD", "1025", "2049"), named, strict=True)] == [True] * 3
    comments = "SELECT column_comment FROM information_schema.columns WHERE table_schema = database() AND table_name = 'c'"
    assert [text for (text,) in rows(here, f"{comments} ORDER BY ordinal_position")] == ["é\ufffd!", "b" * 1024, "b" * 1024]


GENERATORS = {
    "given": "bigserial",
    "kept": "integer GENERATED BY DEFAULT AS IDENTITY",
    "used": "serial",
}


@pytest.mark.parametrize("target", ["mysql", "sqlite"])
def test_an_identity_that_rows_are_beyond_is_named_where_it_goes_on_after_them(
    target: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    source, here = lasting("postgresql"), lasting(target)
    execute(
        source,
        *(f"CREATE TABLE {name} (id {type_} PRIMARY KEY, x integer)" for name, type_ in GENERATORS.items()),
        *(f"INSERT INTO {name} (id, x) VALUES (-3, 1), (5, 2)" for name in GENERATORS),
        "INSERT INTO used (x) SELECT 0 FROM generate_series(1, 2)",
        "DELETE FROM used WHERE id = 5",
    )
    run = move(source, here, tmp_path)
    named = [loss for loss in run.losses if "[identity-position]" in loss]
    assert [re.findall(r'"(\w+)"', loss)[1:] for loss in named] == [["given", "id"], ["kept", "id"]]
    assert all("1 comes next" in loss for loss in named)
    execute(here, *(f"INSERT INTO {name} (x) VALUES (3)" for name in GENERATORS))
    assert [scalar(here, f"SELECT max(id) FROM {name}") for name in GENERATORS] == [6, 6, 3]


SPELLED = (
    "text default (strftime('%Y-%M-%d', '2024-05-06 07:08:09'))",
    "text default (strftime('%Y-%m-%dT%H:%M:%SZ', '2024-05-06 07:08:09'))",
    "text default (strftime('%H:%M:%s', '2024-05-06 07:08:09'))",
    "text default abc",
    "text default 1.50",
    "text default x'414243'",
    "real default 1.5e+300",
    "varchar(3) default 'abcdef'",
)


def test_between_two_files_of_sqlite_a_default_gives_what_it_gave(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *(f"CREATE TABLE t{number} (id integer PRIMARY KEY, v {text})" for number, text in enumerate(SPELLED)))
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    for number, text in enumerate(SPELLED):
        for url in (source, target):
            execute(url, f"INSERT INTO t{number} (id) VALUES (1)")
        given, kept = (rows(url, f"SELECT v, typeof(v) FROM t{number}") for url in (source, target))
        assert given == kept, text


@pytest.mark.parametrize("capitals", ["'%Y-%M-%d %H:%m:%S'", "'%Y-%m-%d %H:%M:%s'"])
def test_a_clock_of_sqlite_that_is_no_usual_one_stays_that_clock_or_is_left_out(
    sqlite_file: Fresh, postgresql: Fresh, capitals: str
) -> None:
    source, target, other = sqlite_file("source.db"), sqlite_file("target.db"), postgresql()
    execute(source, f"CREATE TABLE t (id integer PRIMARY KEY, v text DEFAULT (strftime({capitals}, 'now')))")
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert capitals in str(scalar(target, "SELECT sql FROM sqlite_master WHERE name = 't'"))
    run = done(pump("impdp", other, f"NETWORK_LINK={source}", "NOLOGFILE=YES", remap(source, other)))
    assert any("default strftime" in loss and loss.endswith("[default]") for loss in run.losses)
    execute(other, "INSERT INTO t (id) VALUES (1)")
    assert scalar(other, "SELECT v FROM t") is None
