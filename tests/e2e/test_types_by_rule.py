"""COLUMN_TYPE where values are written otherwise: bytes as UUIDs, values as texts, texts as bytes, sets as arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.e2e.test_profile import profiled
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.servers import Servers
from tests.support.sql import execute, rows, scalar

Fresh = Callable[[str], str]

ID = UUID("6ccd780c-baba-1026-9564-5b8c656024db")
SWAPPED = bytes.fromhex("1026BABA6CCD780C95645B8C656024DB")
"""What MySQL's manual has for ``UUID_TO_BIN('6ccd780c-baba-1026-9564-5b8c656024db', 1)``."""


@pytest.fixture
def fresh(sqlite_file: Callable[..., str], postgresql: Callable[..., str], mysql: Callable[..., str]) -> Fresh:
    """Gives new databases of each kind."""
    numbers = iter(range(100))
    makers: dict[str, Callable[..., str]] = {"postgresql": postgresql, "mysql": mysql}
    return lambda kind: makers[kind]() if kind in makers else sqlite_file(f"{next(numbers)}.db")


def moved(source: str, target: str, *arguments: str) -> Run:
    """An import over a link, verified."""
    given = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "VERIFY=YES")
    return pump("impdp", target, *given, *arguments)


def why(run: Run, table: str) -> str:
    """Why a table failed to load."""
    (found,) = re.findall(rf'Table data object "[^"]*"."{table}" failed to load.*\n.*\n(.*)', run.out)
    return str(found)


def about(run: Run, column: str, rule: str) -> list[str]:
    """The entries of a rule about a column."""
    return [loss for loss in run.losses if f'."{column}"' in loss and f"[{rule}]" in loss]


# --- 16 bytes as UUIDs ----------------------------------------------------------------------------------------------

BYTES = {"mysql": "varbinary(20)", "postgresql": "bytea", "sqlite": "BLOB"}
HEX = {"mysql": "X'{}'", "sqlite": "X'{}'", "postgresql": "'\\x{}'"}
PAIRS = [("mysql", "postgresql"), ("postgresql", "mysql"), ("sqlite", "postgresql"), ("postgresql", "sqlite")]


def identifiers(fresh: Fresh, kind: str, *values: bytes | None) -> str:
    """A database with the table ``t`` of bytes, numbered from 1 on."""
    url = fresh(kind)
    written = ("NULL" if value is None else HEX[kind].format(value.hex()) for value in values)
    inserts = (f"INSERT INTO t VALUES ({number}, {value})" for number, value in enumerate(written, 1))
    execute(url, f"CREATE TABLE t (id integer PRIMARY KEY, b {BYTES[kind]})", *inserts)
    return url


def uuids(url: str) -> list[tuple[int, str | None]]:
    return [
        (number, None if value is None else str(value)) for number, value in rows(url, "SELECT id, b FROM t ORDER BY id")
    ]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_16_bytes_become_the_uuid_that_they_are(fresh: Fresh, here: str, there: str) -> None:
    source, target = identifiers(fresh, here, ID.bytes, None, bytes(16), b"\xff" * 16), fresh(there)
    run = done(moved(source, target, "COLUMN_TYPE=t.b:uuid"))
    assert uuids(target) == [(1, str(ID)), (2, None), (3, str(UUID(int=0))), (4, str(UUID(int=(1 << 128) - 1)))]
    assert len(about(run, "b", "column-type")) == 1
    assert '"t"' in next(line for line in run.out.splitlines() if "verified" in line)


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_a_uuid_with_its_time_swapped_comes_back_into_order(fresh: Fresh, here: str, there: str) -> None:
    source, target = identifiers(fresh, here, SWAPPED, None), fresh(there)
    done(moved(source, target, "COLUMN_TYPE=t.b:uuid_swapped"))
    assert uuids(target) == [(1, str(ID)), (2, None)]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_rows_that_follow_their_table_come_into_order_too(fresh: Fresh, here: str, there: str, tmp_path: Path) -> None:
    source, target = identifiers(fresh, here, SWAPPED, None), fresh(there)
    where, chosen = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"), "COLUMN_TYPE=t.b:uuid_swapped"
    done(pump("expdp", source, *where))
    done(pump("impdp", target, *where, remap(source, target), "CONTENT=METADATA_ONLY", chosen))
    run = done(pump("impdp", target, *where, remap(source, target), "CONTENT=DATA_ONLY", "VERIFY=YES", chosen))
    assert "keeps its type" not in run.out
    assert uuids(target) == [(1, str(ID)), (2, None)]


def test_a_fixed_length_in_mysql_has_its_zeros(fresh: Fresh) -> None:
    source, target = fresh("mysql"), fresh("postgresql")
    execute(
        source, "CREATE TABLE t (id int PRIMARY KEY, b binary(16) UNIQUE DEFAULT X'01')", "INSERT INTO t (id) VALUES (1)"
    )
    run = done(moved(source, target, "COLUMN_TYPE=t.b:uuid"))
    assert uuids(target) == [(1, "01000000-0000-0000-0000-000000000000")]
    execute(target, "DELETE FROM t", "INSERT INTO t (id) VALUES (2)")
    assert uuids(target) == [(2, "01000000-0000-0000-0000-000000000000")], "the default is the same value"
    assert about(run, "b", "default") == []


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_bytes_of_another_length_are_refused_with_their_value(fresh: Fresh, here: str, there: str) -> None:
    source, target = identifiers(fresh, here, ID.bytes, b"\x01\x02"), fresh(there)
    run = moved(source, target, "COLUMN_TYPE=t.b:uuid")
    assert run.code == 5
    assert "b: a value does not fit uuid: X'0102' has 2 bytes, and a UUID has 16" in why(run, "t")
    assert scalar(target, "SELECT count(*) FROM t") == 0


@pytest.mark.parametrize("made", [(), ("CREATE TABLE t (id integer PRIMARY KEY, b char(36))",)], ids=["made", "there"])
@pytest.mark.parametrize(("choice", "good"), [("uuid", ID.bytes), ("uuid_swapped", SWAPPED)])
@pytest.mark.parametrize("there", ["postgresql", "mysql", "sqlite"])
def test_they_are_rejected_as_they_were_and_loaded_when_they_are_mended(
    fresh: Fresh, there: str, choice: str, good: bytes, made: tuple[str, ...], tmp_path: Path
) -> None:
    """Into a table that the job makes, and into one whose texts stand in for UUIDs."""
    source, target = identifiers(fresh, "sqlite", good, good[:15], bytes(17)), fresh(there)
    execute(target, *made)
    where = (f"DIRECTORY={tmp_path}", "LOGFILE=import.log", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    given = (
        f"NETWORK_LINK={source}",
        remap(source, target),
        "VERIFY=YES",
        f"COLUMN_TYPE=t.b:{choice}",
        "TABLE_EXISTS_ACTION=APPEND",
    )
    pump("impdp", target, *where, *given)
    assert uuids(target) == [(1, str(ID))]
    path = next(tmp_path.glob("*.ndjson"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rejected = [line for line in lines if "values" in line]
    assert [line["values"]["b"] for line in rejected] == [{"hex": good[:15].hex()}, {"hex": bytes(17).hex()}]
    assert "has 15 bytes" in rejected[0]["reason"]
    path.write_text(path.read_text().replace(good[:15].hex() + '"', good.hex() + '"').replace("00" * 17, "ff" * 16))
    done(pump("retry-rejects", str(path), target))
    assert uuids(target) == [(1, str(ID)), (2, str(ID)), (3, str(UUID(int=(1 << 128) - 1)))]


@pytest.mark.parametrize(("there", "declared"), [("mysql", "char(36)"), ("postgresql", "text"), ("sqlite", "TEXT")])
def test_a_text_that_is_there_stands_in_for_a_uuid(fresh: Fresh, there: str, declared: str) -> None:
    """As MySQL 8 has it, which has no UUIDs of its own."""
    source, target = identifiers(fresh, "sqlite", SWAPPED, None), fresh(there)
    execute(target, f"CREATE TABLE t (id integer PRIMARY KEY, b {declared})")
    done(moved(source, target, "TABLE_EXISTS_ACTION=APPEND", "COLUMN_TYPE=t.b:uuid_swapped"))
    assert uuids(target) == [(1, str(ID)), (2, None)]


@pytest.mark.parametrize(("there", "declared"), [("mysql", "char(36)"), ("postgresql", "text"), ("sqlite", "TEXT")])
@pytest.mark.parametrize("here", ["mysql", "postgresql", "sqlite"])
def test_a_text_that_stands_in_for_a_uuid_has_no_other(fresh: Fresh, here: str, there: str, declared: str) -> None:
    source, target = fresh(here), fresh(there)
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, b varchar(40))",
        f"INSERT INTO t VALUES (1, '{{{str(ID).upper()}}}'), (2, NULL)",
    )
    execute(target, f"CREATE TABLE t (id integer PRIMARY KEY, b {declared})")
    given = ("TABLE_EXISTS_ACTION=TRUNCATE", "COLUMN_TYPE=t.b:uuid")
    done(moved(source, target, *given))
    assert uuids(target) == [(1, str(ID)), (2, None)]
    execute(source, "INSERT INTO t VALUES (3, 'x')")
    refused = moved(source, target, *given)
    assert refused.code == 5
    assert "b: a value does not fit uuid: x" in why(refused, "t")


@pytest.mark.parametrize(("here", "there"), [("postgresql", "mysql"), ("sqlite", "postgresql")])
def test_of_a_table_that_stays_only_what_is_done_is_told(fresh: Fresh, here: str, there: str, tmp_path: Path) -> None:
    source, target = fresh(here), fresh(there)
    made = "CREATE TABLE t (id integer PRIMARY KEY, n decimal(9,2) DEFAULT (1 + 1) CHECK (n > 0), d decimal(9,2))"
    execute(source, made, "INSERT INTO t VALUES (1, 2, 1)")
    execute(target, "CREATE TABLE t (id integer PRIMARY KEY, n decimal(9,2), d text)")
    where, chosen = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"), "COLUMN_TYPE=t.n:text,t.d:text"
    done(pump("expdp", source, *where))
    given = (*where, remap(source, target), chosen)
    for stays in (("CONTENT=DATA_ONLY",), ("TABLE_EXISTS_ACTION=TRUNCATE",)):
        run = done(pump("impdp", target, *given, *stays))
        for rule in ("column-type", "column-type-named", "default"):
            assert about(run, "n", rule) == [], (stays, rule)
        assert len(re.findall(r'COLUMN_TYPE: column "[^"]*"."t".n is there already, and keeps its type', run.out)) == 1
        assert '"t".d is there' not in run.out
    replaced = done(pump("impdp", target, *given, "TABLE_EXISTS_ACTION=REPLACE"))
    assert len(about(replaced, "n", "column-type")) == 1
    assert "keeps its type" not in replaced.out


def test_a_profile_counts_bytes_of_another_length_and_suggests_nothing(fresh: Fresh) -> None:
    for here in ("mysql", "sqlite", "postgresql"):
        source, target = identifiers(fresh, here, ID.bytes, None, b"", bytes(17)), fresh("postgresql")
        (plain,) = profiled(source, target)["profile"]
        assert (plain["suggestions"], plain["findings"]) == ([], [])
        for choice in ("uuid", "uuid_swapped"):
            (table,) = profiled(source, target, f"COLUMN_TYPE=t.b:{choice}")["profile"]
            assert [(one["column"], one["case"], one["rows"]) for one in table["findings"]] == [("b", "other_type", 2)]


# --- values as texts ------------------------------------------------------------------------------------------------

ALL_TEXTS = (
    "COLUMN_TYPE=t.i:text,t.n:text,t.f:text,t.r:text,t.d:text,t.ts:text,t.b:text",
    "COLUMN_TYPE=t.u:text,t.j:text,t.tz:text,t.k:text,t.a:text,t.iv:text,t.bits:text",
)
OF_POSTGRESQL = (
    "CREATE TABLE t (id int PRIMARY KEY, i int, n numeric(9,2), f float8, r real, d date, ts timestamp(3), b boolean, "
    "u uuid, j jsonb, tz timestamptz, k time, a int[], iv interval, bits bit varying(9))",
    "INSERT INTO t VALUES (1, -7, 1.5, 0.1, 0.1, '2024-02-29', '2024-02-29 23:59:59.5', true, "
    f"'{ID}', '{{\"a\": 1}}', '2024-02-29 23:59:59+02', '23:59:59.25', '{{{{1,NULL}}}}', '1 year 2 days 03:00', '0101')",
    "INSERT INTO t VALUES (2, 0, 'NaN', 'NaN', '-Infinity', 'infinity', '0044-03-15 BC', false, NULL, "
    "'[]', '-infinity', '24:00', '{}', '-1 mon', '')",
    "INSERT INTO t (id) VALUES (3)",
)
TEXTS = [
    (
        *("-7", "1.50", "0.1", "0.1", "2024-02-29", "2024-02-29 23:59:59.5", "true", str(ID), '{"a": 1}'),
        *("2024-02-29 21:59:59", "23:59:59.25", "{{1,NULL}}", "1 year 2 days 03:00:00", "0101"),
    ),
    (
        *("0", "NaN", "NaN", "-Infinity", "infinity", "0044-03-15 00:00:00 BC", "false", None, "[]"),
        *("-infinity", "24:00:00", "{}", "-1 mons", ""),
    ),
    (None,) * 14,
]


@pytest.mark.parametrize("there", ["postgresql", "mysql", "sqlite"])
def test_a_value_becomes_the_text_that_says_it(fresh: Fresh, there: str, tmp_path: Path) -> None:
    source, target = fresh("postgresql"), fresh(there)
    execute(source, *OF_POSTGRESQL)
    done(moved(source, target, *ALL_TEXTS))
    read = "SELECT i, n, f, r, d, ts, b, u, j, tz, k, a, iv, bits FROM t ORDER BY id"
    assert rows(target, read) == TEXTS
    again = fresh(there)
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    done(pump("impdp", again, *where, remap(source, again), "VERIFY=YES", *ALL_TEXTS))
    assert rows(again, read) == TEXTS, "a dump file set gives the same"


def test_dates_that_no_calendar_has_are_kept_as_texts(fresh: Fresh) -> None:
    source = fresh("mysql")
    execute(
        source,
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL DEFAULT '0000-00-00', dt datetime(3) DEFAULT '2024-01-01',"
        " tm time, y year, v decimal(9,2) DEFAULT 1,"
        " ti timestamp NOT NULL DEFAULT current_timestamp ON UPDATE current_timestamp)",
        "INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00 00:00:00', '-838:59:59', 0, -0.5, '2024-01-01 00:00:00'),"
        " (2, '2025-00-10', '2025-02-30 00:00:00.125', '800:00:01', 1999, 10, '2024-01-01 00:00:00')",
    )
    for there in ("postgresql", "sqlite"):
        target = fresh(there)
        run = done(moved(source, target, "COLUMN_TYPE=t.d:text,t.dt:text,t.tm:text,t.y:text,t.v:text,t.ti:text"))
        assert rows(target, "SELECT d, dt, tm, y, v FROM t ORDER BY id") == [
            ("0000-00-00", "0000-00-00 00:00:00.000", "-838:59:59", "0000", "-0.50"),
            ("2025-00-10", "2025-02-30 00:00:00.125", "800:00:01", "1999", "10.00"),
        ]
        execute(target, "DELETE FROM t", "INSERT INTO t (id, ti) VALUES (3, 'x')")
        assert rows(target, "SELECT d, dt, v FROM t") == [("0000-00-00", "2024-01-01 00:00:00.000", "1.00")]
        assert "is left out, as COLUMN_TYPE chooses another type: it is computed" in about(run, "ti", "default")[0]
        assert "no longer changes by itself" in about(run, "ti", "on-update")[0]


def test_an_exclusion_constraint_that_was_written_for_numbers_is_named(fresh: Fresh) -> None:
    source, target = fresh("postgresql"), fresh("postgresql")
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, n numeric(9,2), CONSTRAINT apart EXCLUDE USING btree (n WITH =))",
        "INSERT INTO t VALUES (1, 1.5), (2, 2)",
    )
    run = done(moved(source, target, "COLUMN_TYPE=t.n:text"))
    assert "exclusion constraint apart was written for other values" in about(run, "n", "column-type-named")[0]


def test_what_was_written_for_numbers_is_named(fresh: Fresh) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(9,2) CHECK (price > 0), other INTEGER CHECK (other > 0))",
        "CREATE INDEX by_half ON t (price / 2)",
        "CREATE VIEW dear AS SELECT id FROM t WHERE price > 100",
        "CREATE VIEW ids AS SELECT id FROM t",
        "INSERT INTO t VALUES (1, 7, 1)",
    )
    run = done(moved(source, target, "COLUMN_TYPE=t.price:text"))
    named = [loss for loss in run.losses if "[column-type-named]" in loss]
    assert len(named) == 3
    for what in ("check price > 0 was written", "index by_half was written", '"dear"'):
        assert any(what in loss for loss in named), (what, named)


# --- texts as bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("here", ["mysql", "sqlite"])
@pytest.mark.parametrize("there", ["postgresql", "mysql", "sqlite"])
def test_a_text_with_nul_becomes_its_bytes(fresh: Fresh, here: str, there: str) -> None:
    source, target = fresh(here), fresh(there)
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, v varchar(20) DEFAULT 'é')")
    nul = "char(97, 0, 233)" if here == "sqlite" else "concat('a', char(0), 'é')"
    execute(source, f"INSERT INTO t VALUES (1, {nul}), (2, ''), (3, NULL), (4, 'é ')")
    done(moved(source, target, "COLUMN_TYPE=t.v:binary"))
    execute(target, "INSERT INTO t (id) VALUES (5)")
    found = [value if value is None else bytes(value) for (value,) in rows(target, "SELECT v FROM t ORDER BY id")]
    assert found == [b"a\0\xc3\xa9", b"", None, b"\xc3\xa9 ", b"\xc3\xa9"]


@pytest.mark.parametrize("there", ["postgresql", "mysql"])
def test_bytes_that_are_no_text_stay_as_they_are(fresh: Fresh, there: str) -> None:
    source, target = fresh("sqlite"), fresh(there)
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, v TEXT)")
    execute(source, "INSERT INTO t VALUES (1, CAST(X'ff00fe' AS TEXT)), (2, 'é'), (3, NULL)")
    done(moved(source, target, "COLUMN_TYPE=t.v:binary"))
    assert rows(target, "SELECT v FROM t ORDER BY id") == [(b"\xff\0\xfe",), ("é".encode(),), (None,)]


# --- what such columns hold for equal ----------------------------------------------------------------------------------

CASELESS = (
    "CREATE TABLE t (id int PRIMARY KEY, name varchar(20) COLLATE utf8mb4_general_ci UNIQUE, "
    "e enum('Low','High') COLLATE utf8mb4_general_ci UNIQUE, j varchar(20) COLLATE utf8mb4_general_ci, "
    "u varchar(36) COLLATE utf8mb4_general_ci)",
    f"INSERT INTO t VALUES (1, 'a', 'Low', '[]', '{ID}')",
)
OTHERWISE = "COLUMN_TYPE=t.name:binary,t.e:text,t.j:json,t.u:uuid"


def test_texts_that_were_equal_are_told_apart_and_named(fresh: Fresh) -> None:
    source, target = fresh("mysql"), fresh("postgresql")
    execute(source, *CASELESS)
    run = done(moved(source, target, OTHERWISE))
    for column, keys in (("name", 1), ("e", 1), ("j", 0)):
        assert len(about(run, column, "collation-equality")) == 1, column
        assert len(about(run, column, "key-equality")) == keys, column
    assert about(run, "u", "collation-equality") == [], "no two UUIDs were equal that are not"
    assert "labels and ranges are no longer checked, and the texts are what is compared" in about(run, "e", "column-type")[0]
    assert "the bytes are what is compared and sorted" in about(run, "name", "column-type")[0]
    execute(target, "INSERT INTO t (id, name, e) VALUES (2, 'A', 'low')")


@pytest.mark.parametrize("there", ["postgresql", "sqlite", "mysql"])
def test_bytes_of_texts_that_were_equal_are_refused_if_policy_does(fresh: Fresh, there: str) -> None:
    source = fresh("mysql")
    execute(source, *CASELESS)
    refused = moved(source, fresh(there), "COLUMN_TYPE=t.name:binary", "POLICY=t.name:collation=refuse")
    assert refused.code == 1
    assert "lets in both 'a' and 'A'" in refused.err


@pytest.mark.parametrize("there", ["mysql", "sqlite"])
def test_the_text_of_a_label_compares_as_the_label_where_it_can(fresh: Fresh, there: str) -> None:
    source, target = fresh("mysql"), fresh(there)
    execute(source, *CASELESS)
    done(moved(source, target, "COLUMN_TYPE=t.e:text"))
    assert refuses(target, "INSERT INTO t (id, e) VALUES (2, 'LOW')")


# --- sets as arrays -------------------------------------------------------------------------------------------------


def test_a_set_becomes_the_array_of_its_members(fresh: Fresh, tmp_path: Path) -> None:
    source = fresh("mysql")
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, s set('write','read','a b','\"q\\\\','{NULL}','NULL') DEFAULT 'read,write')",
        "INSERT INTO t VALUES (1, 'read,write'), (2, ''), (3, NULL), (4, 'NULL'), (5, 'a b,\"q\\\\,{NULL},NULL')",
    )
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where))
    for given in ((f"NETWORK_LINK={source}",), (f"DIRECTORY={tmp_path}",)):
        target = fresh("postgresql")
        done(pump("impdp", target, *given, "NOLOGFILE=YES", remap(source, target), "VERIFY=YES", "COLUMN_TYPE=t.s:array"))
        execute(target, "INSERT INTO t (id) VALUES (6)")
        assert rows(target, "SELECT s FROM t ORDER BY id") == [
            (["write", "read"],),
            ([],),
            (None,),
            (["NULL"],),
            (["a b", '"q\\', "{NULL}", "NULL"],),
            (["write", "read"],),
        ]


def test_a_set_becomes_an_array_where_there_are_arrays_only(fresh: Fresh, tmp_path: Path) -> None:
    source = fresh("mysql")
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, s set('a','b'))")
    for target in (fresh("mysql"), fresh("sqlite"), "oracle:"):
        script = (f"DIRECTORY={tmp_path}", "SQLFILE=x.sql") if target == "oracle:" else ("NOLOGFILE=YES",)
        schemas = () if target == "oracle:" else (remap(source, target),)
        run = pump("impdp", target, f"NETWORK_LINK={source}", *schemas, *script, "COLUMN_TYPE=t.s:array")
        assert (run.code, '"t".s cannot become array: the target has none, PostgreSQL alone has' in run.err) == (1, True)


@pytest.mark.parametrize("choice", ["array", "text"])
def test_a_set_with_the_empty_text_as_a_member_becomes_no_array_and_no_text(fresh: Fresh, choice: str) -> None:
    """The empty set, and the one of the empty text alone, would be the same."""
    source, target = fresh("mysql"), fresh("postgresql")
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, s set('','b'))")
    run = moved(source, target, f"COLUMN_TYPE=t.s:{choice}")
    assert run.code == 1
    assert f"which cannot become {choice}" in run.err


# --- scripts --------------------------------------------------------------------------------------------------------


def test_a_script_declares_the_chosen_types(fresh: Fresh, tmp_path: Path) -> None:
    source = fresh("mysql")
    execute(
        source,
        "SET sql_mode = ''",
        "CREATE TABLE t (id int PRIMARY KEY, b binary(16) NOT NULL, d date DEFAULT '0000-00-00', v varchar(9) DEFAULT 'é',"
        " s set('r','w') DEFAULT 'r')",
    )
    chosen = ("COLUMN_TYPE=t.b:uuid_swapped,t.d:text,t.v:binary,t.s:array",)
    done(pump("impdp", "postgresql:", f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql", *chosen))
    script = (tmp_path / "x.sql").read_text()
    for line in ("b uuid NOT NULL", "d text DEFAULT '0000-00-00'", "v bytea DEFAULT '\\xc3a9'", "s text[] DEFAULT '{r}'"):
        assert line in script
    assert script.count("as COLUMN_TYPE asks") == 4


# --- texts whose case does not count --------------------------------------------------------------------------------

PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, name varchar(20) {} UNIQUE DEFAULT 'Zoë', v int)"
OF_PEOPLE = "INSERT INTO people VALUES (1, 'Ann', 1), (2, 'bob', 2), (3, NULL, 3)"
COLLATED = {"mysql": "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "sqlite": "COLLATE NOCASE"}


CHOICES = ("ignore_case", "ignore_accents")


@pytest.fixture
def without_icu(servers: Servers) -> Iterator[str]:
    """A database on a PostgreSQL of the wheel, which is built without ICU; that of the packages has it."""
    own = servers.private_postgresql()
    yield own.fresh().render_as_string(hide_password=False)
    own.stop()


@pytest.mark.parametrize("here", ["mysql", "sqlite"])
def test_case_does_not_count_in_postgresql_either(fresh: Fresh, with_fdw: Callable[[], str], here: str) -> None:
    source, target = fresh(here), with_fdw()
    execute(source, PEOPLE.format(COLLATED[here]), OF_PEOPLE)
    run = done(moved(source, target, "COLUMN_TYPE=people.name:ignore_case"))
    assert rows(target, "SELECT name FROM people WHERE name = 'ANN'") == [("Ann",)]
    assert refuses(target, "INSERT INTO people VALUES (4, 'BOB', 4)")
    assert rows(target, "SELECT v FROM people WHERE name = 'bób'") == []
    execute(target, "INSERT INTO people (id) VALUES (5)")
    assert scalar(target, "SELECT name FROM people WHERE id = 5") == "Zoë"
    assert "LIKE" in about(run, "name", "column-type")[0]
    again = moved(source, target, "COLUMN_TYPE=people.name:ignore_case", "TABLE_EXISTS_ACTION=REPLACE")
    assert done(again), "the collation is there already"


def test_accents_do_not_count_if_that_is_chosen(fresh: Fresh, with_fdw: Callable[[], str]) -> None:
    source, target = fresh("mysql"), with_fdw()
    execute(source, PEOPLE.format(COLLATED["mysql"]), OF_PEOPLE)
    done(moved(source, target, "COLUMN_TYPE=people.name:ignore_accents"))
    assert rows(target, "SELECT v FROM people WHERE name = 'BÓB'") == [(2,)]


def test_rows_that_follow_find_the_comparison_that_was_chosen(fresh: Fresh, with_fdw: Callable[[], str]) -> None:
    source, target, other = fresh("mysql"), with_fdw(), with_fdw()
    execute(source, PEOPLE.format(COLLATED["mysql"]), OF_PEOPLE)
    chosen = "COLUMN_TYPE=people.name:ignore_case"
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    done(pump("impdp", target, *link, chosen, "CONTENT=METADATA_ONLY"))
    follow = (chosen, "CONTENT=DATA_ONLY")
    assert "keeps its type" not in done(moved(source, target, *follow)).out
    execute(other, PEOPLE.format(""))
    assert "is there already, and keeps its type" in done(moved(source, other, *follow)).out


def test_a_server_without_icu_is_refused_and_nothing_is_made(fresh: Fresh, without_icu: str) -> None:
    source = fresh("sqlite")
    execute(source, PEOPLE.format(COLLATED["sqlite"]), OF_PEOPLE)
    for choice in CHOICES:
        run = moved(source, without_icu, f"COLUMN_TYPE=people.name:{choice}")
        assert run.code == 1
        assert f'MIG-10012: collation "public"."{choice}" cannot be made: ICU is not supported' in run.err
        assert rows(without_icu, "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


def test_a_profile_counts_what_such_a_key_holds_for_equal(fresh: Fresh, with_fdw: Callable[[], str]) -> None:
    source, target = fresh("postgresql"), with_fdw()
    execute(source, PEOPLE.format(""), OF_PEOPLE, "INSERT INTO people VALUES (4, 'BOB', 4), (5, 'Bób', 5)")
    for choice, equal in zip(CHOICES, (2, 3), strict=True):
        (table,) = profiled(source, target, f"COLUMN_TYPE=people.name:{choice}")["profile"]
        assert [(one["case"], one["rows"]) for one in table["findings"]] == [("duplicates", equal)]
    assert rows(target, "SELECT 1 FROM pg_collation WHERE collname LIKE 'ignore%'") == [], "nothing stays"


def test_another_collation_of_that_name_is_in_the_way(fresh: Fresh, with_fdw: Callable[[], str]) -> None:
    source, target = fresh("sqlite"), with_fdw()
    execute(source, PEOPLE.format(COLLATED["sqlite"]), OF_PEOPLE)
    execute(target, 'CREATE COLLATION ignore_case FROM "C"')
    run = moved(source, target, "COLUMN_TYPE=people.name:ignore_case")
    assert (run.code, "MIG-10012" in run.err) == (1, True)
    assert "there is another one of that name" in run.err


def test_a_script_makes_the_collation_before_its_table(fresh: Fresh, tmp_path: Path) -> None:
    source = fresh("mysql")
    execute(source, PEOPLE.format(COLLATED["mysql"]))
    given = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA={schema_of(source)}:app", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql")
    done(pump("impdp", "postgresql:", *given, "COLUMN_TYPE=people.name:ignore_case"))
    script = (tmp_path / "x.sql").read_text()
    made = (
        "CREATE COLLATION IF NOT EXISTS app.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
    )
    assert script.index(made) < script.index("name character varying(20) COLLATE app.ignore_case DEFAULT 'Zoë'")
    assert "'e' and 'é', 'a' and 'a ' are different here, where comparisons" in script


def test_such_a_collation_is_for_postgresql(fresh: Fresh) -> None:
    source = fresh("sqlite")
    execute(source, PEOPLE.format(COLLATED["sqlite"]))
    for target in (fresh("mysql"), fresh("sqlite")):
        run = moved(source, target, "COLUMN_TYPE=people.name:ignore_case")
        assert (run.code, "ignore_case is for PostgreSQL" in run.err) == (1, True)


def refuses(url: str, statement: str) -> bool:
    """Whether a statement breaks a key."""
    with pytest.raises(sa.exc.IntegrityError):
        execute(url, statement)
    return True


# --- verified later -------------------------------------------------------------------------------------------------


def test_a_later_comparison_takes_the_same_choices(fresh: Fresh) -> None:
    source, target = fresh("mysql"), fresh("postgresql")
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, b binary(16), n decimal(9,2), s set('a','b'), v varchar(9))",
        f"INSERT INTO t VALUES (1, X'{SWAPPED.hex()}', 1, 'a,b', concat('x', char(0)))",
    )
    chosen = "COLUMN_TYPE=t.b:uuid_swapped,t.n:text,t.s:array,t.v:binary"
    done(moved(source, target, chosen))
    given = (f"NETWORK_LINK={source}", remap(source, target), chosen)
    done(pump("verify", target, *given))
    execute(target, "UPDATE t SET b = '00000000-0000-0000-0000-000000000001', n = '1.0'")
    found = pump("verify", target, *given)
    assert found.code == 5
    assert str(ID) in found.out
    assert "'1.00' at the source, '1.0' at the target" in found.out
