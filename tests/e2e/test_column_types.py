"""COLUMN_TYPE: a table is made with the chosen types; values that do not fit them are refused, whichever way they come."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.test_profile import profiled
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, inspect, is_mariadb, rows, scalar

Fresh = Callable[..., str]
UUID = "123e4567-e89b-12d3-a456-426614174000"
MAKE = (
    "CREATE TABLE t (id integer PRIMARY KEY, flag {small} DEFAULT 1 NOT NULL, few {decimal}, whole {decimal}, "
    "cents {decimal}, day {timestamp}, u {text}, j {text})"
)
GOOD = "(1, 0, 1, 7, 1.5, '2024-02-29 00:00:00', '{uuid}', '{{\"a\": 1}}'), (2, 1, NULL, NULL, NULL, NULL, NULL, NULL)"
TYPES = (
    "COLUMN_TYPE=t.flag:boolean,t.few:Boolean,t.whole:integer,t.cents:decimal(3,1)",
    "COLUMN_TYPE=t.day:date,t.u:uuid,t.j:json",
)
WORDS = {
    "sqlite": {"small": "INTEGER", "decimal": "DECIMAL(9,2)", "timestamp": "DATETIME", "text": "TEXT"},
    "postgresql": {"small": "smallint", "decimal": "numeric(9,2)", "timestamp": "timestamp", "text": "text"},
    "mysql": {"small": "TINYINT", "decimal": "DECIMAL(9,2)", "timestamp": "DATETIME", "text": "TEXT"},
}
DECLARED = {  # as SQLAlchemy tells: of SQLite's UUID the affinity
    "sqlite": ["BOOLEAN", "BOOLEAN", "INTEGER", "DECIMAL(3, 1)", "DATE", "NUMERIC", "TEXT"],
    "postgresql": ["BOOLEAN", "BOOLEAN", "INTEGER", "NUMERIC(3, 1)", "DATE", "UUID", "JSON"],
    "MariaDB": ["TINYINT", "TINYINT", "INTEGER", "DECIMAL(3, 1)", "DATE", "UUID", "LONGTEXT"],
    "MySQL": ["TINYINT", "TINYINT", "INTEGER", "DECIMAL(3, 1)", "DATE", "CHAR(36) COLLATE ASCII_GENERAL_CI", "JSON"],
}


@pytest.fixture
def fresh(sqlite_file: Fresh, postgresql: Fresh, mysql: Fresh) -> Callable[[str], str]:
    """Gives new databases of each kind."""
    numbers = iter(range(100))
    makers: dict[str, Fresh] = {"postgresql": postgresql, "mysql": mysql}
    return lambda kind: makers[kind]() if kind in makers else sqlite_file(f"{next(numbers)}.db")


def filled(url: str, kind: str) -> str:
    execute(url, MAKE.format(**WORDS[kind]), f"INSERT INTO t VALUES {GOOD.format(uuid=UUID)}")
    return url


PAIRS = [
    ("sqlite", "postgresql"),
    ("postgresql", "mysql"),
    ("mysql", "sqlite"),
    ("postgresql", "postgresql"),
    ("sqlite", "sqlite"),
]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_a_table_is_made_with_the_chosen_types_and_has_all_values(
    fresh: Callable[[str], str], here: str, there: str, tmp_path: Path
) -> None:
    source, target = filled(fresh(here), here), fresh(there)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "VERIFY=YES", *TYPES))
    assert sum("as COLUMN_TYPE asks" in loss for loss in run.losses) == 7
    with inspect(target) as inspector:
        found = {column["name"]: column for column in inspector.get_columns("t")}
    kinds = [str(found[name]["type"].compile()) for name in ("flag", "few", "whole", "cents", "day", "u", "j")]
    product = there if there != "mysql" else "MariaDB" if is_mariadb(target) else "MySQL"
    assert [kind.upper() for kind in kinds] == DECLARED[product]
    (one, two) = rows(target, "SELECT id, flag, few, whole, cents, day, u FROM t ORDER BY id")
    assert [int(one[1]), int(one[2]), one[3], float(one[4]), str(one[5]), str(one[6])] == [0, 1, 7, 1.5, "2024-02-29", UUID]
    assert (int(two[1]), *two[2:]) == (1, None, None, None, None, None)
    execute(target, "INSERT INTO t (id) VALUES (3)")
    assert int(scalar(target, "SELECT flag FROM t WHERE id = 3")) == 1  # the default came along


BAD = {
    "flag": ("small", "boolean", "2"),
    "few": ("decimal", "boolean", "0.5"),
    "whole": ("decimal", "smallint", "32768"),
    "cents": ("decimal", "decimal(3,1)", "1.25"),
    "days": ("timestamp", "date", "'2024-02-29 00:00:01'"),
    "uuids": ("text", "uuid", "'x'"),
    "documents": ("text", "json", "'{a'"),
}


@pytest.mark.parametrize(("here", "there"), [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("postgresql", "mysql")])
def test_a_value_that_does_not_fit_is_refused_with_its_column(fresh: Callable[[str], str], here: str, there: str) -> None:
    source, target = fresh(here), fresh(there)
    for name, (kind, _, value) in BAD.items():
        execute(source, f"CREATE TABLE of_{name} ({name} {WORDS[here][kind]})", f"INSERT INTO of_{name} VALUES ({value})")
    types = ",".join(f"of_{name}.{name}:{type_}" for name, (_, type_, _) in BAD.items())
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", f"COLUMN_TYPE={types}")
    assert run.code == 5
    for name in BAD:
        (why,) = re.findall(rf'Table data object "[^"]*"."of_{name}" failed to load.*\n.*\n(.*)', run.out)
        assert name in why.replace(f"of_{name}", ""), why
        assert scalar(target, f"SELECT count(*) FROM of_{name}") == 0


def test_a_dump_file_set_and_a_renamed_table_follow(fresh: Callable[[str], str], tmp_path: Path) -> None:
    source, target = filled(fresh("sqlite"), "sqlite"), fresh("postgresql")
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    done(pump("impdp", target, *where, remap(source, target), "REMAP_TABLE=t:u", "VERIFY=YES", *TYPES))
    assert rows(target, "SELECT flag, few, whole, day FROM u ORDER BY id") == [
        (False, True, 7, date(2024, 2, 29)),
        (True, None, None, None),
    ]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_rows_that_follow_find_the_types_that_were_chosen(fresh: Callable[[str], str], here: str, there: str) -> None:
    source, target = filled(fresh(here), here), fresh(there)
    given = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *TYPES)
    done(pump("impdp", target, *given, "CONTENT=METADATA_ONLY"))
    run = done(pump("impdp", target, *given, "CONTENT=DATA_ONLY"))
    assert "keeps its type" not in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 2


def test_a_profile_confirms_what_was_chosen(fresh: Callable[[str], str]) -> None:
    source, target = filled(fresh("sqlite"), "sqlite"), fresh("postgresql")
    execute(source, "UPDATE t SET whole = 7.25, flag = 5 WHERE id = 1")
    (plain,) = profiled(source, target)["profile"]
    assert {one["column"] for one in plain["suggestions"]} == {"few", "day", "u", "j"}
    (table,) = profiled(source, target, *TYPES)["profile"]
    assert table["suggestions"] == []
    assert {(one["column"], one["case"], one["rows"]) for one in table["findings"]} == {
        ("whole", "fraction", 1),
        ("flag", "other_type", 1),
    }


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("t.flag", "is not [schema.]table.column:type"),
        ("flag:boolean", "is not [schema.]table.column:type"),
        ("t.flag:varchar", "'varchar' is none of boolean, smallint"),
        ("t.flag:decimal", "'decimal' is none of"),
        ("t.flag:decimal(2,3)", "no digits, or more after the point than in all"),
        ("t.nothing:boolean", "t.nothing:boolean: the job has no such column"),
        ("t.u:boolean", "is TEXT, which cannot become boolean"),
        ("t.flag:uuid", "is INTEGER, which cannot become uuid"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(sqlite_file: Fresh, setting: str, said: str) -> None:
    source, target = filled(sqlite_file("source.db"), "sqlite"), sqlite_file("target.db")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", f"COLUMN_TYPE={setting}")
    assert run.code == 1
    assert said in run.err


@pytest.mark.parametrize("there", ["postgresql", "mysql", "sqlite"])
def test_what_a_declaration_said_besides_is_told_of_columns_of_another_type_too(
    fresh: Callable[[str], str], there: str
) -> None:
    source, target = fresh("mysql"), fresh(there)
    execute(
        source, "CREATE TABLE t (id INT PRIMARY KEY, z INT(5) ZEROFILL, f FLOAT(7,3))", "INSERT INTO t VALUES (1, 7, 1.5)"
    )
    chosen = "COLUMN_TYPE=t.z:bigint,t.f:text"
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", chosen))
    told = {loss.partition('"t".')[2] for loss in run.losses if loss.endswith("[declaration]")}
    assert told == {
        '"z": values are shown without leading zeros [declaration]',
        '"f": values are not rounded to 3 digits after the point [declaration]',
    }


def test_a_type_for_a_declared_column_of_sqlite_does_not_make_it_one_of_any(fresh: Callable[[str], str]) -> None:
    source, target = fresh("sqlite"), fresh("postgresql")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, a)", "INSERT INTO t VALUES (1, 1, 1)")
    chosen = "COLUMN_TYPE=t.n:bigint,t.a:bigint"
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", chosen))
    said = [loss.partition('"t".')[2] for loss in run.losses if loss.endswith("[declaration]")]
    assert said == ['"a": values of any type are let in at the source [declaration]']


def test_two_types_for_one_column_exclude_each_other(sqlite_file: Fresh) -> None:
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY)")
    link = (f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    run = pump("impdp", sqlite_file("t.db"), *link, "COLUMN_TYPE=t.id:smallint,main.t.id:bigint")
    assert run.code == 1
    assert "COLUMN_TYPE=t.id:smallint and COLUMN_TYPE=main.t.id:bigint exclude each other" in run.err
    done(pump("impdp", sqlite_file("t.db"), *link, "COLUMN_TYPE=t.id:bigint,main.t.id:BIGINT"))
