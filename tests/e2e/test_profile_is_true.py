"""PROFILE and the import after it: what is found is refused, what is not found is loaded, what is suggested takes all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.e2e.test_plan import plan
from tests.support.pump import pump, remap
from tests.support.sql import execute, is_mariadb, scalar, tells_json

Fresh = Callable[..., str]


@pytest.fixture
def fresh(sqlite_file: Fresh, postgresql: Fresh, mysql: Fresh) -> Callable[[str], str]:
    """Gives new databases of each kind."""
    numbers = iter(range(100))
    makers: dict[str, Fresh] = {"postgresql": postgresql, "mysql": mysql}
    return lambda kind: makers[kind]() if kind in makers else sqlite_file(f"{next(numbers)}.db")


FLOATS = [
    *("0.29", "0.58", "0.1", "0.30000000000000004", "1e-20", "1000000000000000.5", "123456789.123456789", "99.995", "2.5"),
    *("-9223372036854775808e0", "9223372036854775807e0", "32768", "1e16", "1e23"),
]
TIMES = "'2024-02-29 12:00:00.5'", "'2024-02-29 00:00:00'", "'9999-12-31 23:59:59.999999'"

Tables = Sequence[tuple[str, Sequence[str], Sequence[str]]]
"""Columns by their type at the source, their values, and their types at the target: a table for each value and type."""

VALUES: Mapping[str, Tables] = {
    "postgresql": (
        ("float8", [*FLOATS, "'NaN'", "'Infinity'"], ["smallint", "bigint", "decimal(30,15)", "decimal(23,2)"]),
        ("float4", ["0.1234567", "2.5", "16777216"], ["decimal(20,6)"]),
        ("numeric", ["1.0", "100.00", "1.5", "1e40", "1e-20", "'NaN'", "9223372036854775808"], ["bigint", "real"]),
        ("bigint", ["9007199254740992", "9007199254740993"], ["double precision"]),
        ("char(10)", ["'abc'"], ["varchar(5)", "varchar(10)"]),
        ("timestamptz", ["'2024-02-29 12:00+00'", "'2024-02-29 00:00+00'"], ["date"]),
        ("interval", ["'1 month'", "'10:20:30'"], ["time", "char(30)", "varchar(5)"]),
        ("timestamptz", ["'2024-02-29 12:00+00'", "'2050-01-01 12:00+00'"], ["timestamp"]),
        ("varchar(3)", ["'a'", "'a '"], ["char(3)"]),
        ("text", ["'é'", "'ż'"], ["varchar(5) character set latin1", "varchar(5) character set utf8mb4"]),
        ("text[]", ["'{a,b}'"], ["char(9)"]),
        ("timetz", ["'10:20:30+02'"], ["time", "date"]),
        ("time", ["'10:20:30'"], ["time", "date", "datetime"]),
        ("numeric", ["20200102", "NULL"], ["date", "blob"]),
        ("bytea", ["'a'", "NULL"], ["text", "json"]),
        ("bigint", ["12345"], ["varchar(3)", "char(20)", "json"]),
        ("bit(3)", ["'101'"], ["bit(3)", "bit(5)"]),
        ("boolean", ["true"], ["varchar(3)", "decimal(3,1)", "decimal(2,2)"]),
        ("uuid", ["'00000000-0000-0000-0000-00000000000a'"], ["char(36)", "varchar(9)", "binary(16)"]),
    ),
    "mysql": (
        ("double", FLOATS, ["smallint", "bigint", "decimal(30,15)", "decimal(23,2)"]),
        ("float", ["0.1234567", "0.29", "2.5", "1e10"], ["decimal(20,6)"]),
        ("double(9,2)", ["1.5", "1.25"], ["decimal(9,1)"]),
        ("bigint unsigned", ["18446744073709551615", "9007199254740993"], ["bigint", "double precision"]),
        ("varchar(3)", ["'a'", "'a '"], ["char(3)"]),
        ("blob", ["'a'"], ["text"]),
        ("time", ["'10:20:30'"], ["date", "interval", "interval hour"]),
        ("year", ["2020"], ["varchar(3)", "date", "numeric(4,0)"]),
        ("bit(3)", ["b'101'"], ["bit(3)", "bit(5)", "varbit(2)"]),
        ("timestamp", ["'2024-02-29 12:00:00'"], ["timestamp", "time"]),
        ("datetime(6)", ["'0000-00-00 00:00:00'", *TIMES], ["date", "timestamp(0)"]),
    ),
    "sqlite": (
        ("real", [*FLOATS, "9e999"], ["smallint", "bigint", "decimal(30,15)", "decimal(23,2)"]),
        ("integer", ["9007199254740993", "-9223372036854775808"], ["double precision"]),
        ("text", ["'a'||char(0)||'b'", "'abcdef'", "'żółć漢'"], ["varchar(5)"]),
        ("datetime", TIMES, ["date"]),
    ),
}


def tables(kind: str) -> Iterator[tuple[str, str, str]]:
    for here, values, targets in VALUES[kind]:
        yield from ((here, value, there) for value in values for there in targets)


def profiled(source: str, target: str, *arguments: str) -> dict[str, dict[str, Any]]:
    run = plan("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "PROFILE=YES", *arguments, "--json")
    assert run.err == ""
    return {table["table"]: table for table in json.loads(run.out)["profile"]}


def imported(source: str, target: str, *arguments: str) -> Mapping[str, int]:
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *arguments)
    assert run.err == ""
    return run.rows


def untrue(
    cases: Mapping[str, tuple[str, ...]], found: Mapping[str, Any], loaded: Mapping[str, int]
) -> Iterator[tuple[object, ...]]:
    """The cases of which PROFILE has found something and whose row was loaded, or the other way round."""
    for name, case in cases.items():
        (column,) = found[name]["columns"]
        told, done = bool(found[name]["findings"]), loaded.get(name) == 1
        if told == done and not (column["unknown"] and not told):
            yield (*case, found[name]["findings"], done)


@pytest.mark.parametrize(
    ("here", "there"),
    [("postgresql", "mysql"), ("mysql", "postgresql"), ("sqlite", "mysql")],
)
def test_what_is_found_is_refused_and_all_else_is_loaded(fresh: Callable[[str], str], here: str, there: str) -> None:
    source, target = fresh(here), fresh(there)
    cases = {f"t{at}": case for at, case in enumerate(tables(here))}
    made = [sql for name, (type_, value, _) in cases.items() for sql in _made(name, type_, value)]
    execute(source, *(["SET SESSION sql_mode = ''"] if here == "mysql" else []), *made)
    execute(target, *(f"CREATE TABLE {name} (c {type_})" for name, (_, _, type_) in cases.items()))
    found = profiled(source, target, "TABLE_EXISTS_ACTION=APPEND")
    loaded = imported(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert list(untrue(cases, found, loaded)) == []
    assert 0 < len(loaded) < len(cases)


SPECIAL = {
    "postgresql": (
        *(("numeric", value) for value in ("'NaN'", "'Infinity'", "1e40", "1e-20")),
        *((f"numeric({digits})", "'NaN'") for digits in ("10,2", "30,10", "5,-2")),
        ("date", "'infinity'"),
        ("timestamp", "'10000-01-01'"),
    ),
    "mysql": (("date", "'0000-00-00'"), ("varchar(3)", "x'610062'")),
    "sqlite": (("date", "'2024-02-30'"), ("varchar(3)", "'a'||char(0)||'b'")),
}
"""Values besides, by their types at the source."""


@pytest.mark.parametrize(("here", "there"), [(here, there) for here in VALUES for there in VALUES if here != there])
def test_what_is_found_of_tables_that_the_job_makes_is_what_it_refuses(
    fresh: Callable[[str], str], here: str, there: str
) -> None:
    source, target = fresh(here), fresh(there)
    given = dict.fromkeys([*((type_, value) for type_, value, _ in tables(here)), *SPECIAL[here]])
    cases = {f"t{at}": case for at, case in enumerate(given)}
    made = [sql for name, (type_, value) in cases.items() for sql in _made(name, type_, value)]
    execute(source, *(["SET SESSION sql_mode = ''"] if here == "mysql" else []), *made)
    found, loaded = profiled(source, target), imported(source, target)
    assert list(untrue(cases, found, loaded)) == []
    assert loaded


def test_what_a_column_of_the_same_kind_leaves_out_is_not_known_and_what_it_takes_is_not_missed(
    fresh: Callable[[str], str],
) -> None:
    """MySQL's DATE and DATETIME take days that no calendar has, and TIMESTAMP takes none, nor those after 2038."""
    source, target = fresh("mysql"), fresh("mysql")
    cases = {
        "a": ("date", "'2025-02-30'", "date NOT NULL", []),
        "b": ("date", "'2025-02-30'", "datetime", []),
        "c": ("date", "'2025-02-30'", "timestamp", ["other_type"]),
        "d": ("datetime", "'2050-01-01 12:00:00'", "timestamp", ["other_type"]),
        "e": ("timestamp", "'2024-02-29 12:00:00'", "timestamp(3)", []),
    }
    made = [sql for name, (type_, value, _, _) in cases.items() for sql in _made(name, type_, value)]
    execute(source, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", *made)
    execute(target, *(f"CREATE TABLE {name} (c {type_})" for name, (_, _, type_, _) in cases.items()))
    found = profiled(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert {name: found[name]["columns"][0]["unknown"] for name in cases} == {name: case[3] for name, case in cases.items()}
    assert not [name for name in cases if found[name]["findings"]]
    loaded = imported(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert set(loaded) == {"a", "b", "e"}


def _made(name: str, type_: str, value: str) -> tuple[str, str]:
    return f"CREATE TABLE {name} (c {type_})", f"INSERT INTO {name} VALUES ({value})"


# --- suggestions ----------------------------------------------------------------------------------------------------

UUID = "00000000-0000-0000-0000-00000000000a"
DOCUMENTS = {
    '[1e5, -0, 1E+3, "a-b", "1.", true]': True,
    '{"a": "\\\\u00e9 \\\\" \\\\\\\\"}': True,
    "[1.]": False,
    "[1e]": False,
    "[-]": False,
    '["\\\\x"]': False,
    '["\\\\ud800"]': False,
    "[01]": False,
    "[1,]": False,
    "[" * 31 + "]" * 31: True,
    '{"a": ' * 32 + "1" + "}" * 32: False,
    f"[{'[[]],' * 40} [1]]": True,
    f'["{"[" * 99}", "\\\\\\\\"]': True,
}
"""Texts, and whether they are JSON; backslashes are doubled, as MySQL writes them."""

SUGGESTED: Mapping[str, Mapping[str, Mapping[str, bool]]] = {
    "postgresql": {
        "numeric": {"(1.0), (0.00), (NULL)": True, "(100.00), (5)": True, "('NaN'), (1)": False},
        "timestamp": {
            "('2024-01-01'), ('9999-12-31')": True,
            "('infinity'), ('infinity')": False,
            "('2024-01-01'), ('0044-03-15 BC')": False,
            "('2024-01-01'), ('10000-01-01')": False,
        },
        "char(36)": {f"('{UUID}')": True, f"('{UUID[:-1]}')": False},
        "char(40)": {f"('{UUID}')": False, "('[1]')": True},
        "text": {f"('{text}')".replace("\\\\", "\\"): json_ for text, json_ in DOCUMENTS.items()},
    },
    "mysql": {
        "decimal(40,20)": {"(1.0), (0)": True, "(1e-20), (0)": False},
        "datetime": {
            "('2024-01-01'), ('9999-12-31')": True,
            "('2024-01-01'), ('0000-00-00')": False,
            "('2024-01-01'), ('0000-01-01')": False,
        },
        "text": {f"('{text}')": json_ for text, json_ in DOCUMENTS.items()},
    },
    "sqlite": {
        "decimal(10,2)": {"(1.0), (0)": True, "(1.5), (2)": False},
        "datetime": {"('2024-01-01 00:00:00'), (NULL)": True},
        "text": {
            f"('{UUID}')": True,
            f"('{UUID}' || char(0) || 'zz')": False,
            "('[1]' || char(0) || 'x')": False,
            "(CAST(x'5b22ff225d' AS TEXT))": False,
            """('["ż"]')""": True,
            **{f"('{text}')".replace("\\\\", "\\"): json_ for text, json_ in DOCUMENTS.items()},
        },
    },
}
"""Values by their types, and whether a narrower type is suggested for them."""

OF_DOCUMENTS = ("char(40)", "text")
"""PostgreSQL's types of these for which only json is suggested."""


@pytest.mark.parametrize(("here", "there"), [("postgresql", "mysql"), ("mysql", "postgresql"), ("sqlite", "mysql")])
def test_a_suggested_type_takes_every_value(fresh: Callable[[str], str], here: str, there: str) -> None:
    source, target = fresh(here), fresh(there)
    cases = [(type_, values, proved) for type_, all_ in SUGGESTED[here].items() for values, proved in all_.items()]
    made = (
        sql
        for at, (type_, values, _) in enumerate(cases)
        for sql in (f"CREATE TABLE t{at} (c {type_})", f"INSERT INTO t{at} VALUES {values}")
    )
    execute(source, *(["SET SESSION sql_mode = ''"] if here == "mysql" else []), *made)
    found = profiled(source, target)
    suggested = {name: table["suggestions"][0] for name, table in found.items() if table["suggestions"]}
    told = tells_json(source)
    proved = {f"t{at}" for at, (type_, _, taken) in enumerate(cases) if taken and (told or type_ not in OF_DOCUMENTS)}
    assert set(suggested) == proved
    chosen = ",".join(f"{name}.c:{suggestion['type']}" for name, suggestion in suggested.items())
    loaded = imported(source, target, f"COLUMN_TYPE={chosen}")
    assert {name: loaded.get(name) for name in suggested} == {name: found[name]["rows"] for name in suggested}


DEEP = "[" * 40 + "]" * 40
"""Deeper than MariaDB takes it; MySQL takes a hundred."""

READ_AGAIN: Mapping[tuple[str, str], Mapping[str, tuple[str, Mapping[str, bool]]]] = {
    ("mysql", "postgresql"): {
        "json": ("json", {"[1.]": False, "[-]": False, '["\\\\x41"]': False, '{"a": [1, "1."]}': True, '"a"': True}),
    },
    ("postgresql", "mysql"): {
        "json": (
            "json",
            {DEEP: False, "[" * 101 + "]" * 101: False, '["\\ud800"]': False, '["\\ud83d\\ude00"]': True, "1": True},
        ),
        "jsonb": ("json", {DEEP: False, "[" * 101 + "]" * 101: False, '{"a": null}': True}),
    },
    ("postgresql", "postgresql"): {
        "json": ("jsonb", {'{"a": 1, "a": 2}': False, "[1e200000]": False}),
    },
}
"""Documents that one database takes, by the type they have, the type at the target, and whether that takes them."""


@pytest.mark.parametrize("ends", READ_AGAIN, ids="-".join)
def test_documents_that_another_database_may_not_read_are_not_called_clean(
    fresh: Callable[[str], str], ends: tuple[str, str]
) -> None:
    source, target = fresh(ends[0]), fresh(ends[1])
    cases = [(here, text, taken) for here, (_, texts) in READ_AGAIN[ends].items() for text, taken in texts.items()]
    if ends[0] == "mysql" and not is_mariadb(source):
        cases = [case for case in cases if case[2]]  # it takes no others itself
    execute(source, *(sql for at, (here, text, _) in enumerate(cases) for sql in _made(f"t{at}", here, f"'{text}'")))
    execute(target, *(f"CREATE TABLE t{at} (c {READ_AGAIN[ends][here][0]})" for at, (here, _, _) in enumerate(cases)))
    found = profiled(source, target, "TABLE_EXISTS_ACTION=APPEND")
    loaded = imported(source, target, "TABLE_EXISTS_ACTION=APPEND")
    clean = tells_json(source)  # else no document is called so
    told = [("other_type" not in found[f"t{at}"]["columns"][0]["unknown"], f"t{at}" in loaded) for at, _ in enumerate(cases)]
    parses = ends[1] == "mysql" and not is_mariadb(target)  # whatever is a text at its source may be other numbers there
    assert told == [
        (taken and clean and not (parses and here == "json"), taken or (parses and text == DEEP))
        for here, text, taken in cases
    ]


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "collation", "counted"),
    [("mysql", "utf8mb4_unicode_520_nopad_ci", 4), ("mysql", "utf8mb4_nopad_bin", 0), ("sqlite", "NOCASE", 2)],
)
def test_the_target_tells_which_texts_its_key_holds_for_equal(
    fresh: Callable[[str], str], there: str, collation: str, counted: int
) -> None:
    source, target = fresh("sqlite"), fresh(there)
    values = "('e'), ('é'), ('É'), ('E'), ('x'), ('z'), ('Z '), (NULL)"
    execute(source, "CREATE TABLE t (v VARCHAR(9) UNIQUE)", f"INSERT INTO t VALUES {values}")
    execute(target, f"CREATE TABLE t (v VARCHAR(9) COLLATE {collation} UNIQUE)")
    table = profiled(source, target, "TABLE_EXISTS_ACTION=APPEND")["t"]
    told = {finding["case"]: finding["rows"] for finding in table["findings"]}
    assert (told.get("duplicates", 0), table["remarks"]) == (counted, [])
    loaded = imported(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert ("t" in loaded) is (counted == 0)
    assert scalar(target, "SELECT count(*) FROM t") == (8 if counted == 0 else 0)


def test_a_key_that_is_to_be_made_is_asked_too_and_a_script_says_that_nobody_knows(
    fresh: Callable[[str], str],
) -> None:
    source, target = fresh("sqlite"), fresh("mysql")
    execute(
        source,
        "CREATE TABLE t (v VARCHAR(9) COLLATE NOCASE UNIQUE)",
        "INSERT INTO t VALUES ('e'), ('é'), ('É'), ('x'), ('x ')",
    )
    table = profiled(source, target)["t"]
    equal = 3 if is_mariadb(target) else 2  # MySQL has a collation that tells accents apart
    assert [(finding["case"], finding["rows"]) for finding in table["findings"]] == [("duplicates", equal)]
    run = plan("impdp", "mysql:", f"NETWORK_LINK={source}", "SQLFILE=x.sql", "PROFILE=YES", "--json")
    assert run.code == 0
    (written,) = json.loads(run.out)["profile"]
    (remark,) = written["remarks"]
    assert (written["findings"], written["unread"]) == ([], [])
    assert "which texts are equal there, only the target itself can tell" in remark
