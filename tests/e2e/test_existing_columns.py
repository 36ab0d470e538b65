"""Rows into tables that were there: what a column reads otherwise than the source is an entry with its rows, or refused.

What is read is what each server itself prints, by its plain driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ends import ENDS, End
from tests.support.moved import Moved, moved
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

Fresh = Callable[[], str]
EXISTING = "TABLE_EXISTS_ACTION=APPEND"


@pytest.fixture
def urls(postgresql: Fresh, mysql: Fresh, sqlite_file: Callable[..., str]) -> Callable[[str, str], str]:
    """A fresh database of a kind, for what its name says."""
    fresh: Mapping[str, Callable[[str], str]] = {
        "postgresql": lambda _: postgresql(),
        "mysql": lambda _: mysql(),
        "sqlite": lambda name: sqlite_file(f"{name}.db"),
    }
    return lambda kind, name: fresh[kind](name)


def fill(end: End, declarations: Sequence[str], values: Sequence[Sequence[str]] = ()) -> None:
    """A table of two columns, ``id`` and ``v``, for each declaration of the latter."""
    for number, declaration in enumerate(declarations):
        end.run(f"CREATE TABLE t{number} (id integer, v {declaration})")
        if values:
            rows = ", ".join(f"({n}, {value})" for n, value in enumerate(values[number]))
            end.run(f"INSERT INTO t{number} VALUES {rows}")


# --- what becomes of each -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Values of a source's column, what is read of them in a target's (none: they are refused), and the entries by rules."""

    source: tuple[str, str]
    values: Sequence[str]
    target: tuple[str, str]
    read: Sequence[str | None] = ()
    entries: Mapping[str, int | None] | None = None
    why: str = ""


PG, MY, LITE = "postgresql", "mysql", "sqlite"
TEXTS = ("'a'", "''", "NULL")
CASES = (
    Case((PG, "char(3)"), TEXTS, (PG, "char(5)"), ("a    ", "     ", None), {"padding": 2}),
    Case((PG, "char(5)"), TEXTS, (PG, "char(3)"), ("a  ", "   ", None), {"padding": 2}),
    Case((PG, "char(3)"), TEXTS, (PG, "text"), ("a  ", "   ", None), {"char-blanks": None}),
    Case((PG, "varchar(3)"), TEXTS, (PG, "char(3)"), ("a  ", "   ", None), {"char-blanks": None, "padding": 2}),
    Case((PG, "text"), ("'a '",), (PG, "char(3)"), why="'a ' is not what char(3) writes"),
    Case((PG, "char(3)"), TEXTS, (MY, "char(5)"), ("a", "", None), {"padding": 2}),
    Case((PG, "char(5)"), TEXTS, (MY, "char(3)"), ("a", "", None), {"padding": 2}),
    Case((PG, "text"), ("'a '",), (MY, "char(3)"), why="'a ' is not what char(3) writes"),
    Case((PG, "text"), ("'abcd'",), (MY, "char(3)"), why="'abcd' is longer than 3 characters"),
    Case((PG, "text"), ("'abcd'",), (PG, "char(3)"), why="longer than 3 characters: 'abcd'"),
    Case((MY, "char(3)"), TEXTS, (PG, "char(3)"), ("a  ", "   ", None), {"padding": 2}),
    Case((MY, "char(3)"), TEXTS, (MY, "char(5)"), ("a", "", None), {}),
    Case((MY, "char(3)"), TEXTS, (MY, "varchar(5)"), ("a", "", None), {"char-blanks": None}),
    Case((MY, "varchar(3)"), ("'a '",), (MY, "char(3)"), why="'a ' is not what char(3) writes"),
    Case((LITE, "CHAR(3)"), ("'a '",), (MY, "char(3)"), why="'a ' is not what char(3) writes"),
    Case((PG, "integer"), ("12", "-99"), (PG, "char(3)"), ("12 ", "-99"), {"padding": 2}),
    Case((PG, "integer"), ("12", "-99"), (PG, "varchar(3)"), ("12", "-99"), {}),
    Case((PG, "integer"), ("1234",), (PG, "char(3)"), why="longer than 3 characters: '1234'"),
    Case((PG, "integer"), ("1234",), (PG, "varchar(3)"), why="longer than 3 characters: '1234'"),
    Case((MY, "int"), ("12", "-99"), (MY, "char(3)"), ("12", "-99"), {}),
    Case((MY, "int"), ("1234",), (MY, "char(3)"), why="'1234' is longer than 3 characters"),
    Case((MY, "int"), ("-999",), (MY, "varchar(3)"), why="'-999' is longer than 3 characters"),
    Case((MY, "datetime"), ("'2020-01-02 10:20:30'",), (MY, "varchar(30)"), ("2020-01-02 10:20:30",), {}),
    Case((MY, "datetime(3)"), ("'2020-01-02 10:20:30.5'",), (MY, "text"), ("2020-01-02 10:20:30.500",), {}),
    Case((MY, "datetime(6)"), ("'2020-01-02 10:20:30.5'",), (PG, "text"), ("2020-01-02 10:20:30.500000",), {}),
    Case((PG, "timestamp"), ("'2020-01-02 10:20:30'", "'2020-01-02 10:20:30.5'"), (MY, "varchar(30)"),
         ("2020-01-02 10:20:30", "2020-01-02 10:20:30.5"), {}),
    Case((PG, "timestamp"), ("'infinity'", "'2020-01-02 10:20:30'"), (PG, "text"), ("infinity", "2020-01-02 10:20:30"), {}),
    Case((PG, "timestamptz"), ("'infinity'", "'2020-01-02 10:20:30Z'"), (PG, "text"), ("infinity", "2020-01-02 10:20:30"),
         {"existing-zone": 2}),
    Case((PG, "timestamptz"), ("'infinity'", "'2020-01-02 10:20:30Z'", "'0044-03-15 10:20:30Z BC'"), (PG, "timestamp"),
         ("infinity", "2020-01-02 10:20:30", "0044-03-15 10:20:30 BC"), {"existing-zone": 3}),
    Case((PG, "time(3)"), ("'10:20:30'",), (PG, "text"), ("10:20:30",), {}),
    Case((LITE, "DATETIME"), ("'2020-01-02T10:20:30'",), (PG, "text"), ("2020-01-02 10:20:30",),
         {"timestamp-spelling": 1, "existing-clock": 1}),
    Case((MY, "int(5) zerofill"), ("7", "NULL"), (MY, "int"), ("7", None), {"existing-zeros": 1}),
    Case((MY, "int(5) zerofill"), ("7",), (MY, "int(8) zerofill"), ("00000007",), {"existing-zeros": 1}),
    Case((MY, "int"), ("7",), (MY, "int(5) zerofill"), ("00007",), {"existing-zeros": 1}),
    Case((MY, "int(5) zerofill"), ("7",), (MY, "varchar(9)"), ("7",), {"existing-zeros": 1}),
    Case((MY, "int(5) zerofill"), ("7",), (PG, "bigint"), ("7",), {"existing-zeros": 1}),
    Case((PG, "boolean"), ("true", "false", "NULL"), (MY, "enum('false','true')"), ("true", "false", None),
         {"existing-truth": 2}),
    Case((PG, "boolean"), ("true", "false", "NULL"), (MY, "set('false','true')"), ("true", "false", None),
         {"existing-truth": 2}),
    Case((PG, "boolean"), ("true",), (MY, "enum('0','1')"), why="'true' is not what enum('0','1') writes"),
    Case((LITE, "BOOLEAN"), ("1", "0", "NULL"), (MY, "set('false','true')"), ("true", "false", None), {"existing-truth": 2}),
    Case((MY, "year"), ("0", "2018"), (PG, "text"), ("0000", "2018"), {}),
    Case((PG, "double precision"), ("'NaN'", "'-Infinity'", "'-0'"), (PG, "text"), ("NaN", "-Infinity", "-0"),
         {"existing-float": 3}),
    Case((PG, "double precision"), ("'-0'", "1"), (PG, "integer"), ("0", "1"), {"negative-zero": 1}),
    Case((PG, "double precision"), ("'-0'", "1"), (PG, "jsonb"), ("0", "1"), {"existing-float": 2, "negative-zero": 1}),
    Case((PG, "double precision"), ("'-0'", "1"), (PG, "json"), ("-0", "1"), {"existing-float": 2}),
    Case((PG, "bit(3)"), ("B'101'",), (PG, "interval"), why="no span of time"),
    Case((MY, "year"), ("2018",), (PG, "interval"), why="no span of time"),
    Case((PG, "text"), ("'300'",), (MY, "tinyint"), why="'300' is out of range of tinyint"),
    Case((PG, "text"), ("'2020-01-02 25:00:00'",), (MY, "datetime"), why="25:00:00' is not what timestamp(0) writes"),
    Case((PG, "text"), ("'2020-01-02 10:20:30.1234567'",), (MY, "datetime(6)"), why="more than 6 digits after the second"),
    Case((PG, "text"), ("'10:20:30.1234567'",), (MY, "time(6)"), why="more than 6 digits after the second"),
    Case((PG, "interval"), ("'900:00:00'",), (MY, "time"), why="'900:00:00' is beyond 838:59:59"),
    Case((LITE, "DECIMAL(9,2)"), ("1.5",), (PG, "text"), ("1.50",), {"existing-written": 1}),
    Case((PG, "boolean"), ("true", "NULL"), (MY, "enum('false','true')"), ("true", None), {"existing-truth": 1}),
    Case((MY, "point"), ("POINT(1,2)",), (MY, "text"), ("00000000" "0101000000" "000000000000F03F" "0000000000000040",),
         {"declaration": 1}),
)  # fmt: skip


def entries_of(found: Moved, table: str) -> dict[str, int | None]:
    """The rows of each rule's entry about the values of a table."""
    return {rule: found.counted(table, rule)["v"] for rule in found.losses(table, "v")}


@pytest.mark.parametrize("ends", sorted({(case.source[0], case.target[0]) for case in CASES}), ids=" to ".join)
def test_what_is_read_is_told(ends: tuple[str, str], urls: Callable[[str, str], str], tmp_path: Path) -> None:
    cases = [case for case in CASES if (case.source[0], case.target[0]) == ends]
    source, target = urls(ends[0], "source"), urls(ends[1], "target")
    with closing(ENDS[ends[0]](source)) as here, closing(ENDS[ends[1]](target)) as there:
        fill(here, [case.source[1] for case in cases], [case.values for case in cases])
        fill(there, [case.target[1] for case in cases])
        found = moved(source, target, tmp_path, EXISTING)
        for number, case in enumerate(cases):
            table, said = f"t{number}", f"{case.source} to {case.target}"
            assert (table in found.refused) == bool(case.why), f"{said}: {found.run.out}"
            if case.why:
                assert case.why in found.why(table), said
            else:
                assert entries_of(found, table) == case.entries, said
            assert tuple(value for _, value in there.shown(table, ("id", "v"))) == tuple(case.read), said


def test_times_in_texts_are_verified_as_their_server_prints_them(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, a timestamp, b time, c timestamptz)",
        "INSERT INTO t VALUES (1, '2020-01-02 10:20:30.5', '10:20:30', '2020-01-02 10:20:30Z'), (2, 'infinity', NULL, NULL)",
    )
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY, a varchar(40), b varchar(40), c varchar(40))")
    found = moved(source, target, tmp_path, EXISTING)
    assert found.rows("SELECT a, b, c FROM t WHERE id = 1") == [("2020-01-02 10:20:30.5", "10:20:30", "2020-01-02 10:20:30")]
    done(pump("verify", target, f"NETWORK_LINK={source}", remap(source, target)))
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", "NOLOGFILE=YES"))
    from_dump = (f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", remap(source, target))
    done(pump("impdp", target, *from_dump, "TABLE_EXISTS_ACTION=TRUNCATE", "NOLOGFILE=YES"))
    done(pump("verify", target, *from_dump))
    execute(target, "UPDATE t SET b = '10:20:30.0' WHERE id = 1")
    assert pump("verify", target, *from_dump).code == 5


# --- by other ways --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "declaration", "value", "text"),
    [
        ("postgresql", "timestamp", "2020-01-02 10:20:30.5", "2020-01-02 10:20:30.5"),
        ("mysql", "datetime(3)", "2020-01-02 10:20:30.5", "2020-01-02 10:20:30.500"),
        ("sqlite", "datetime", "2020-01-02T10:20:30.500", "2020-01-02 10:20:30.5"),
    ],
)
def test_a_rejected_time_becomes_the_same_text_later(
    source: str, declaration: str, value: str, text: str, urls: Callable[[str, str], str], tmp_path: Path
) -> None:
    there, here = urls(source, "source"), urls("mysql", "target")
    execute(
        there,
        f"CREATE TABLE t (id integer PRIMARY KEY, v {declaration})",
        f"INSERT INTO t VALUES (1, '{value}'), (2, '{value}')",
    )
    execute(here, "CREATE TABLE t (id integer PRIMARY KEY, v varchar(23))", "INSERT INTO t VALUES (2, 'before')")
    link = (f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}", EXISTING)
    assert pump("impdp", here, *link, "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS").code == 5
    assert rows(here, "SELECT id, v FROM t ORDER BY id") == [(1, text), (2, "before")]
    execute(here, "DELETE FROM t WHERE id = 2")
    (rejected,) = tmp_path.glob("*.ndjson")
    done(pump("retry-rejects", str(rejected), here))
    assert rows(here, "SELECT id, v FROM t ORDER BY id") == [(1, text), (2, text)]


def test_a_time_of_sqlite_is_one_text_whatever_is_beside_it(urls: Callable[[str, str], str], tmp_path: Path) -> None:
    there, here = urls("sqlite", "source"), urls("postgresql", "target")
    execute(there, "CREATE TABLE t (id integer PRIMARY KEY, v datetime)")
    execute(there, "INSERT INTO t VALUES (1, '2020-01-02T10:20:30.500'), (2, '0000-01-01 00:00:00.000')")
    execute(here, "CREATE TABLE t (id integer PRIMARY KEY, v text)")
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), f"DIRECTORY={tmp_path}", EXISTING))
    assert rows(here, "SELECT v FROM t ORDER BY id") == [("2020-01-02 10:20:30.5",), ("0000-01-01 00:00:00",)]
