"""What SQLite lets in and others do not: one file of it, moved once to each database, and what became of it.

``docs/traps.md`` leads from each trap to the tests about it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.ddl import Script
from tests.support import plsql
from tests.support.catalogs import catalog_of
from tests.support.moved import Moved, moved
from tests.support.sql import execute, is_mariadb

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]

LONG_NAME = "c" * 63

SOURCE = f"""
    -- values that are not of their column's type
    CREATE TABLE amounts (id INTEGER PRIMARY KEY, qty INTEGER);
    INSERT INTO amounts VALUES (1, 10), (2, 'lots-of-it'), (3, 30);
    CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO files VALUES (1, 'fine.txt'), (2, CAST(x'66696c65966e616d652e747874' AS TEXT)), (3, 'also.txt');
    CREATE TABLE days (id INTEGER PRIMARY KEY, at DATETIME);
    INSERT INTO days VALUES (1, '2024-02-29 12:00:00'), (2, 2460370.5), (3, 1709208000);
    CREATE TABLE seconds (id INTEGER PRIMARY KEY, at DATETIME);
    INSERT INTO seconds VALUES (1, 1709208000), (2, NULL);
    CREATE TABLE clocks (id INTEGER PRIMARY KEY, at DATETIME, hour TIME, at_3 TIMESTAMP(3));
    INSERT INTO clocks VALUES (1, '2024-02-29 12:00:00', '12:00:00', '2024-02-29 12:00:00');
    CREATE TABLE flags (id INTEGER PRIMARY KEY, plain BOOLEAN, more BOOLEAN);
    INSERT INTO flags VALUES (1, 0, 0), (2, 1, 2), (3, NULL, -1);
    CREATE TABLE fine (id INTEGER PRIMARY KEY, at DATETIME);
    INSERT INTO fine VALUES (1, '2024-01-01 00:00:00.123456789'), (2, '2024-01-01 00:00:00.123456000');
    CREATE TABLE numbers (id INTEGER PRIMARY KEY, price NUMERIC(10,2), any_ NUMERIC, float_ REAL);
    INSERT INTO numbers VALUES (1, 15.86, 1.5, 5e-324), (2, 99999999.99, 9007199254740992, 1.7976931348623157e308);
    CREATE TABLE nul_bytes (id INTEGER PRIMARY KEY, v TEXT);
    INSERT INTO nul_bytes VALUES (1, 'hello' || char(0)), (2, 'plain');
    CREATE TABLE nothings (id INTEGER PRIMARY KEY, s TEXT, b BLOB);
    INSERT INTO nothings VALUES (1, '', x''), (2, NULL, NULL);
    CREATE TABLE labels (name TEXT PRIMARY KEY);
    INSERT INTO labels VALUES ('a'), ('A'), ('a '), ('ä');
    -- declarations
    CREATE TABLE affinities (id INTEGER PRIMARY KEY, a UNSIGNED BIG INT, b INT8, c VARYING CHARACTER(255),
        d NATIVE CHARACTER(9), e BOOLEAN, f DATE, g DATETIME, h INT3, i FOO, j NUMERIC);
    INSERT INTO affinities VALUES (1, 9223372036854775807, -1, 'c', 'd', 1, '2024-02-29', '2024-02-29 12:00:00', -8388608,
        1.5, 0.25);
    CREATE TABLE collide (id INTEGER PRIMARY KEY, {LONG_NAME}_first TEXT, {LONG_NAME}_second TEXT);
    INSERT INTO collide VALUES (1, 'first', 'second');
    CREATE TABLE wide (id INTEGER PRIMARY KEY, a VARCHAR(10000), b VARCHAR(10000), c VARCHAR(4000));
    INSERT INTO wide VALUES (1, replace(hex(zeroblob(5000)), '0', '語'), 'b', replace(hex(zeroblob(2000)), '0', '語'));
    -- what a file says only in its CREATE statements
    CREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT, x INTEGER);
    INSERT INTO counters VALUES (3, 1), (7, 2);
    DELETE FROM counters WHERE id = 7;
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, x INTEGER);
    INSERT INTO numbered VALUES (5, 0);
    CREATE TABLE bosses (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES bosses ON DELETE SET NULL);
    INSERT INTO bosses VALUES (1, 2), (2, 1);
    CREATE TABLE workers (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES bosses ON DELETE CASCADE);
    INSERT INTO workers VALUES (1, 1);
    CREATE TABLE computed (n INTEGER NOT NULL, twice INTEGER GENERATED ALWAYS AS (n * 2) STORED, CHECK (n < 100));
    INSERT INTO computed VALUES (1);
    CREATE TABLE computed_of_key (id INTEGER PRIMARY KEY, twice INTEGER GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO computed_of_key VALUES (7);
    CREATE TABLE people (name TEXT COLLATE NOCASE PRIMARY KEY, alias TEXT, age INTEGER);
    INSERT INTO people VALUES ('Ann', 'a', 3), ('Bob', 'b', 4);
    CREATE UNIQUE INDEX alias_once ON people (alias COLLATE NOCASE);
    CREATE INDEX grown ON people (age DESC) WHERE age > 3;
    CREATE INDEX lowered ON people (lower(alias));
    CREATE TABLE defaults (id INTEGER PRIMARY KEY, n INTEGER DEFAULT '', m INTEGER DEFAULT '5', s TEXT DEFAULT 'it''s',
        at DATETIME DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT CURRENT_DATE, said TEXT DEFAULT CURRENT_TIMESTAMP,
        here DATETIME DEFAULT (datetime('now', 'localtime')));
"""


@pytest.fixture(scope="module")
def source(lasting: Callable[[str], str]) -> str:
    url = lasting("sqlite")
    connection = sqlite3.connect(sa.make_url(url).database or "")
    connection.executescript(SOURCE)
    connection.close()
    return url


@pytest.fixture(scope="module")
def postgresql_(source: str, lasting: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The file in PostgreSQL, by a job that changes no value."""
    return moved(source, lasting("postgresql"), tmp_path_factory.mktemp("postgresql"))


@pytest.fixture(scope="module")
def mysql_(source: str, lasting: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The file in MariaDB or MySQL, by a job that changes values as POLICY says."""
    policies = "POLICY=nul_byte=convert,invalid_bytes=convert"
    return moved(source, lasting("mysql"), tmp_path_factory.mktemp("mysql"), policies)


@pytest.fixture(params=["postgresql_", "mysql_"])
def there(request: pytest.FixtureRequest) -> Moved:
    found: Moved = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def oracle(source: str) -> Script:
    """The file as a script for Oracle."""
    return plsql.script(catalog_of(source))


def test_only_rows_that_have_no_place_are_refused(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.refused == {"amounts", "files", "days", "nul_bytes"}
    assert mysql_.refused == {"amounts", "days"}


# --- values that are not of their column's type ---------------------------------------------------------------------


def test_a_text_among_integers_is_named_with_its_row(there: Moved) -> None:
    assert "column amounts.qty: the row with rowid 2 holds the text 'lots-of-it'" in there.why("amounts")
    assert "mixed-storage" in there.losses("amounts", "qty")
    assert there.column("SELECT count(*) FROM amounts") == [0]


def test_bytes_that_are_no_text_are_named_with_their_row_or_replaced_and_counted(postgresql_: Moved, mysql_: Moved) -> None:
    assert "column files.name: the row with rowid 2" in postgresql_.why("files")
    assert mysql_.column("SELECT name FROM files ORDER BY id") == ["fine.txt", "file\ufffdname.txt", "also.txt"]
    assert mysql_.counted("files", "invalid-bytes") == {"name": 1}


def test_dates_in_several_forms_are_refused_and_in_one_form_they_choose_the_type(there: Moved) -> None:
    assert "column days.at" in there.why("days")
    assert there.column("SELECT at FROM seconds ORDER BY id") == [1709208000, None]
    assert there.counted("seconds", "integers") == {"at": 1}


def test_truth_values_are_only_those_that_are_0_or_1(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.columns("flags") == "id bigint, plain boolean, more bigint"
    for there in (postgresql_, mysql_):
        assert there.rows("SELECT plain, more FROM flags ORDER BY id") == [(0, 0), (1, 2), (None, -1)]
        assert there.counted("flags", "integers") == {"more": 2}


def test_times_have_the_digits_of_their_rows_and_who_lets_more_in_is_told(there: Moved) -> None:
    at, hour, at_3 = came_to_clocks(there)
    assert (at, hour, at_3) == ("2024-02-29 12:00:00", "12:00:00", "2024-02-29 12:00:00")
    assert digits_told(there) == {"at": ["0", "6"], "hour": ["0", "6"], "at_3": ["0", "3"]}


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_a_time_that_comes_later_keeps_the_digits_that_are_declared_if_asked(
    database: str, source: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    there = moved(source, lasting(database), tmp_path, "TABLES=clocks", "FRACTIONAL_SECONDS=DECLARED")
    at, hour = "2024-02-29 12:00:00.123456", "12:00:00.123456"
    execute(there.url, f"INSERT INTO clocks VALUES (2, '{at}', '{hour}', '{at[:-3]}')")
    assert came_to_clocks(there, 2) == [at, hour, at[:-3]]
    assert [value.partition(".")[0] for value in came_to_clocks(there)] == [at[:19], hour[:8], at[:19]]
    assert digits_told(there) == {"at": ["6", "0"], "hour": ["6", "0"], "at_3": ["3", "0"]}


def came_to_clocks(there: Moved, id_: int = 1) -> list[str]:
    """A row of ``clocks`` as texts."""
    shown = ", ".join(f"CAST({name} AS CHAR(30))" for name in ("at", "hour", "at_3"))
    (row,) = there.rows(f"SELECT {shown} FROM clocks WHERE id = {id_}")
    return [str(value).strip() for value in row]


def digits_told(there: Moved) -> dict[str, list[str]]:
    """The numbers in the entries about the digits of ``clocks``."""
    told = {name: there.losses("clocks", name)["timestamp-digits"] for name in ("at", "hour", "at_3")}
    return {name: re.findall(r"\b\d(?= digits| in)|\d$", detail) for name, detail in told.items()}


def test_digits_after_the_microsecond_are_kept_as_text_and_counted(there: Moved) -> None:
    assert there.column("SELECT at FROM fine ORDER BY id") == [
        "2024-01-01 00:00:00.123456789",
        "2024-01-01 00:00:00.123456000",
    ]
    assert there.counted("fine", "texts") == {"at": 2}


def test_numbers_are_what_their_values_say(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.declared("numbers")["price"] == "numeric(10,2)"
    for there in (postgresql_, mysql_):
        assert [str(price) for price in there.column("SELECT price FROM numbers ORDER BY id")] == ["15.86", "99999999.99"]
        assert there.rows("SELECT any_, float_ FROM numbers ORDER BY id") == [
            (1.5, 5e-324),
            (9007199254740992.0, 1.7976931348623157e308),
        ]


def test_a_nul_in_a_text_is_refused_only_where_it_has_no_place(postgresql_: Moved, mysql_: Moved) -> None:
    """POLICY lets the other job remove it, but MySQL has a place for it."""
    assert "column v" in postgresql_.why("nul_bytes")
    assert mysql_.column("SELECT v FROM nul_bytes ORDER BY id") == ["hello\0", "plain"]
    assert mysql_.counted("nul_bytes", "nul-byte") == {}


def test_an_empty_value_is_not_null_and_oracles_script_says_where_it_would_be(there: Moved, oracle: Script) -> None:
    assert there.rows("SELECT s, b FROM nothings ORDER BY id") == [("", b""), (None, None)]
    told = [loss.detail for loss in oracle.losses if loss.rule == "oracle-empty-string" and "nothings" in loss.object]
    assert told == ["'' becomes NULL in s"]


def test_texts_that_differ_stay_different_in_keys(there: Moved) -> None:
    assert sorted(there.column("SELECT name FROM labels")) == ["A", "a", "a ", "ä"]


# --- declarations ---------------------------------------------------------------------------------------------------


def test_a_made_up_declaration_means_what_its_affinity_and_its_rows_say(postgresql_: Moved, mysql_: Moved) -> None:
    assert postgresql_.columns("affinities") == (
        "id bigint, a numeric(20,0), b bigint, c character varying(255), d character varying(9), e boolean, f date, "
        "g timestamp(0) without time zone, h integer, i double precision, j double precision"
    )
    ((shown, created),) = mysql_.rows("SHOW CREATE TABLE affinities")
    declared = re.findall(
        r"^  `(\w+)` (.*?)(?: COLLATE utf8mb4_0900_bin)?(?: NOT NULL.*| DEFAULT.*)?,$",
        re.sub(r"int\((?!1\))\d+\)(?= |,)", "int", created),
        re.M,
    )
    assert shown == "affinities"
    assert ", ".join(f"{name} {words}" for name, words in declared) == (
        "id bigint, a bigint unsigned, b bigint, c varchar(255), d varchar(9), e tinyint(1), f date, g datetime, "
        "h mediumint, i double, j double"
    )
    for there in (postgresql_, mysql_):
        assert there.rows("SELECT a, b, i, j FROM affinities") == [(2**63 - 1, -1, 1.5, 0.25)]


def test_columns_that_differ_after_63_characters_stay_two(there: Moved) -> None:
    told = [e["detail"] for e in there.entries if e["rule"] == "name-cut" and LONG_NAME in e["detail"]]
    assert len({detail.split(" is named ")[1] for detail in told}) == len(told) == 2
    assert there.rows("SELECT * FROM collide") == [(1, "first", "second")]


def test_texts_that_are_longer_than_a_row_are_whole(there: Moved) -> None:
    assert there.rows("SELECT char_length(a), char_length(b), char_length(c) FROM wide") == [(10000, 1, 4000)]
    assert there.column("SELECT c FROM wide") == ["語" * 4000]


def test_oracle_says_that_4000_characters_may_be_too_many_bytes(oracle: Script) -> None:
    (loss,) = (loss for loss in oracle.losses if "wide" in loss.object and (loss.column, loss.rule) == ("c", "type-string"))
    assert "4000 bytes" in loss.detail


# --- what a file says only in its CREATE statements -----------------------------------------------------------------


def test_a_key_goes_on_after_the_largest_it_ever_gave(there: Moved) -> None:
    execute(there.url, "INSERT INTO counters (x) VALUES (3)")
    assert there.column("SELECT id FROM counters ORDER BY id") == [3, 8]


def test_a_key_without_autoincrement_says_that_its_last_numbers_do_not_come_again(there: Moved) -> None:
    execute(there.url, "INSERT INTO numbered (x) VALUES (1)", "DELETE FROM numbered WHERE id = 6")
    execute(there.url, "INSERT INTO numbered (x) VALUES (2)")
    assert there.rows("SELECT id, x FROM numbered ORDER BY id") == [(5, 0), (7, 2)]
    assert list(there.losses("numbered", "id")) == ["identity-reuse"]
    assert there.losses("counters", "id") == {}


def test_a_foreign_key_at_a_column_keeps_its_action_and_may_refer_to_its_own_table(there: Moved) -> None:
    assert there.rows("SELECT id, boss FROM bosses ORDER BY id") == [(1, 2), (2, 1)]
    execute(there.url, "DELETE FROM bosses WHERE id = 1")
    assert there.rows("SELECT id, boss FROM bosses") == [(2, None)]
    assert there.column("SELECT count(*) FROM workers") == [0]


def test_a_check_behind_a_computed_column_is_a_check(there: Moved) -> None:
    assert there.rows("SELECT n, twice FROM computed WHERE n = 1") == [(1, 2)]
    execute(there.url, "INSERT INTO computed (n) VALUES (9)")
    assert there.column("SELECT twice FROM computed WHERE n = 9") == [18]
    there.refuses("INSERT INTO computed (n) VALUES (100)", r"(?i)check|constraint")


def test_a_column_that_is_computed_from_a_counter_keeps_its_values(postgresql_: Moved, mysql_: Moved) -> None:
    for there in (postgresql_, mysql_):
        assert there.rows("SELECT id, twice FROM computed_of_key") == [(7, 14)]
    assert "generated" not in postgresql_.losses("computed_of_key", "twice")
    assert "is AUTO_INCREMENT" in mysql_.losses("computed_of_key", "twice")["generated"]


def test_keys_that_ignore_case_do_so_or_say_that_they_do_not(postgresql_: Moved, mysql_: Moved) -> None:
    assert "lets in both 'a' and 'A'" in postgresql_.losses("people", "name")["key-equality"]
    mysql_.refuses("INSERT INTO people VALUES ('ANN', 'x', 1)", "Duplicate entry")
    equal = "'e' and 'é' are equal here, " if is_mariadb(mysql_.url) else "'é' and 'É', 'é' as one character and as two"
    assert equal in mysql_.losses("people", "name")["collation-equality"]
    execute(mysql_.url, "INSERT INTO people VALUES ('ann ', 'x', 1)", "DELETE FROM people WHERE name = 'ann '")


def test_an_index_that_ignores_case_says_that_it_does_not(there: Moved) -> None:
    assert "NOCASE" in there.losses("people", "alias")["index-collation"]


def test_an_index_keeps_order_condition_and_expression_or_says_what_it_does_otherwise(
    postgresql_: Moved, mysql_: Moved
) -> None:
    (definition,) = postgresql_.column("SELECT indexdef FROM pg_indexes WHERE indexname = 'grown'")
    assert definition.endswith("(age DESC) WHERE (age > 3)")
    assert "index grown covers all rows" in mysql_.losses("people")["index-partial"]
    for there in (postgresql_, mysql_):
        assert "index lowered is left out" in there.losses("people")["index"]


def test_a_default_that_is_none_of_its_columns_values_is_left_out_by_name(there: Moved) -> None:
    execute(there.url, "INSERT INTO defaults (id) VALUES (9)")
    assert there.rows("SELECT n, m, s FROM defaults WHERE id = 9") == [(None, 5, "it's")]
    assert "default" in there.losses("defaults", "n")


def test_a_default_that_takes_the_clocks_time_takes_it_in_utc(there: Moved) -> None:
    """SQLite's clock runs in UTC, whatever the time zone of a session elsewhere."""
    elsewhere = "SET time_zone = '+05:00'" if there.url.startswith("mysql") else "SET TIME ZONE 'Asia/Karachi'"
    execute(there.url, elsewhere, "INSERT INTO defaults (id) VALUES (10)")
    ((at, said),) = there.rows("SELECT at, said FROM defaults WHERE id = 10")
    for value in (at, datetime.fromisoformat(said)):
        assert abs(value - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)
    assert len(said) == len("2024-02-29 12:00:00")


def test_every_statement_for_oracle_passes_the_grammar(oracle: Script) -> None:
    assert [sql for sql in oracle.statements if plsql.errors(sql)] == []
