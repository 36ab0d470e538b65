"""What MySQL and MariaDB hold and others do not: one schema of it, moved once to each database, and what became of it.

``docs/traps.md`` leads from each trap to the tests about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.ddl import Script
from tests.support import plsql
from tests.support.catalogs import catalog_of
from tests.support.moved import Moved, moved
from tests.support.pump import pump, remap
from tests.support.sql import execute, is_mariadb, rows

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]

LONG_DECIMAL = "-1234567890123456789012345678901234.567890123456789012345678901234"
DOCUMENT = '{"n": 12345678901234567890.123, "a": 1, "a": 2}'

SOURCE = (
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+02:00'",
    # numbers
    "CREATE TABLE integers (id INT PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, su SMALLINT UNSIGNED,"
    " mi MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, bi BIGINT, bu BIGINT UNSIGNED)",
    "INSERT INTO integers VALUES"
    " (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 9223372036854775807),"
    " (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 9223372036854775807)",
    "CREATE TABLE past_int64 (id INT PRIMARY KEY, v BIGINT UNSIGNED)",
    "INSERT INTO past_int64 VALUES (1, 18446744073709551615)",
    "CREATE TABLE flags (id INT PRIMARY KEY, flag TINYINT(1), small TINYINT(4))",
    "INSERT INTO flags VALUES (1, 0, 0), (2, 1, 1), (3, 42, 42), (4, 2, 2), (5, -1, -1), (6, NULL, NULL)",
    "CREATE TABLE bits (id INT PRIMARY KEY, one BIT(1) DEFAULT b'0', eight BIT(8) DEFAULT b'00000000',"
    " sixteen BIT(16) NOT NULL DEFAULT b'1000', full BIT(64))",
    "INSERT INTO bits VALUES (1, b'1', b'10000001', b'1', 18446744073709551615), (2, b'0', b'0', b'0', NULL)",
    "CREATE TABLE decimals (id INT PRIMARY KEY, v DECIMAL(64,30))",
    f"INSERT INTO decimals VALUES (1, {LONG_DECIMAL})",
    # dates and times
    "CREATE TABLE zero_dates (id INT PRIMARY KEY, d DATE DEFAULT '0000-00-00', dt DATETIME)",
    "INSERT INTO zero_dates VALUES (1, '0000-00-00', '0000-00-00 00:00:00'), (2, '2024-02-29', '2024-02-29 12:00:00'),"
    " (3, '0009-01-01', '0009-01-01 00:00:00')",
    "CREATE TABLE zero_moments (id INT PRIMARY KEY, created_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',"
    " updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00')",
    "INSERT INTO zero_moments VALUES (1, '2024-01-01 10:00:00', '0000-00-00 00:00:00'),"
    " (2, '0000-00-00 00:00:00', '0000-00-00 00:00:00'), (3, '2024-01-03 10:00:00', '2024-01-04 10:00:00')",
    "CREATE TABLE partial_dates (id INT PRIMARY KEY, d DATE, dt DATETIME(3) DEFAULT '0000-00-00 01:00:00.000')",
    "INSERT INTO partial_dates VALUES (1, '0001-00-00', NULL), (2, '2025-00-10', NULL), (3, '2025-02-30', NULL),"
    " (4, '0018-04-01', NULL)",
    "CREATE TABLE years (id INT PRIMARY KEY, y YEAR, d DATE)",
    "INSERT INTO years VALUES (1, '18', '0018-04-01'), (2, '0018', '0018-04-01'), (3, '78', NULL), (4, 0, NULL)",
    "CREATE TABLE times (id INT PRIMARY KEY, t TIME, t3 TIME(3), t6 TIME(6), dt3 DATETIME(3), dt6 DATETIME(6))",
    "INSERT INTO times VALUES (1, '-1:0:0', '12:00:00.125', '-838:59:59.000001', '2024-01-01 00:00:00.125',"
    " '2024-01-01 00:00:00.000001'), (2, '838:59:59', '-800:00:01.5', '24:00:00', NULL, NULL)",
    "CREATE TABLE moments (id INT PRIMARY KEY, wall DATETIME, instant TIMESTAMP(6) NULL)",
    "INSERT INTO moments VALUES (1, '2024-03-31 02:30:00', '2024-03-31 02:30:00.5')",
    # texts and bytes
    "CREATE TABLE choices (id INT PRIMARY KEY, level ENUM('Low','Med','High'), odd ENUM('it''s','b,c','é'),"
    " perms SET('read','write','execute'))",
    "INSERT INTO choices VALUES (1, 'low', 'it''s', 'read,write'), (2, 'HIGH', 'b,c', ''), (3, 'no such', 'É', NULL)",
    "CREATE TABLE charsets (id INT PRIMARY KEY, l VARCHAR(9) CHARACTER SET latin1)",
    "INSERT INTO charsets VALUES (1, _latin1 x'80'), (2, _latin1 x'636166e980')",
    "CREATE TABLE identifiers (id INT PRIMARY KEY, long_ BINARY(16), short BINARY(8), written CHAR(36))",
    "INSERT INTO identifiers VALUES (1, 0xa3cda7d5a0eebc999c0b4ef8bb6d6bb9, 0xdeadbeefcafebabe,"
    " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (2, 0xff, 0xff, 'none')",
    "CREATE TABLE nul_bytes (id INT PRIMARY KEY, v VARCHAR(20))",
    r"INSERT INTO nul_bytes VALUES (1, 'hello\0'), (2, 'plain')",
    "CREATE TABLE documents (id INT PRIMARY KEY, doc JSON)",
    f"INSERT INTO documents VALUES (1, '{DOCUMENT}')",
    "CREATE TABLE nothings (id INT PRIMARY KEY, s VARCHAR(9) NOT NULL, t LONGTEXT, b LONGBLOB)",
    "INSERT INTO nothings VALUES (1, '', '', x''), (2, 'x', NULL, NULL)",
    # what columns do by themselves
    "CREATE TABLE defaults (id INT PRIMARY KEY, letter VARCHAR(9) DEFAULT (_latin1 b'1000001'),"
    " bytes_ VARBINARY(9) DEFAULT (_latin1 X'4D7953514C'), day DATE DEFAULT (curdate()),"
    " doc LONGTEXT DEFAULT (_utf8mb4'[]'), moment DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), made CHAR(36) DEFAULT (uuid()),"
    " quoted INT DEFAULT '7', long_ TEXT DEFAULT ('long'))",
    "INSERT INTO defaults (id) VALUES (1)",
    "CREATE TABLE adults (id INT PRIMARY KEY, age INT, CONSTRAINT grown CHECK (age BETWEEN 18 AND 99),"
    " changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
    "INSERT INTO adults (id, age) VALUES (1, 18), (2, 99)",
    "CREATE TABLE computed (id INT PRIMARY KEY, n INT, twice INT AS (n * 2) STORED, thrice INT AS (n * 3) VIRTUAL,"
    " shown VARCHAR(9) AS (format(n, 1)) STORED, hidden INT DEFAULT 5 INVISIBLE)",
    "INSERT INTO computed (id, n, hidden) VALUES (1, 7, 6)",
    "CREATE TABLE computed_for (n INT, twice INT AS (n * 2) STORED, FOREIGN KEY (n) REFERENCES computed (id))",
    "INSERT INTO computed_for (n) VALUES (1)",
    "CREATE TABLE counters (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, x INT) AUTO_INCREMENT = 101",
    # keys and names
    "CREATE TABLE owners (id BIGINT UNSIGNED PRIMARY KEY)",
    "CREATE TABLE owned (owner BIGINT UNSIGNED, INDEX by_owner (owner), FOREIGN KEY (owner) REFERENCES owners (id))",
    "INSERT INTO owners VALUES (5)",
    "INSERT INTO owned VALUES (5)",
    "CREATE TABLE owned_too (owner BIGINT UNSIGNED, INDEX by_owner (owner))",
    "SET SESSION foreign_key_checks = 0",
    "CREATE TABLE orphans (owner BIGINT UNSIGNED, CONSTRAINT lost FOREIGN KEY (owner) REFERENCES owners (id))",
    "INSERT INTO orphans VALUES (99)",
    "SET SESSION foreign_key_checks = 1",
    "CREATE TABLE people (name VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY,"
    " code VARCHAR(20) COLLATE utf8mb4_bin UNIQUE)",
    "INSERT INTO people VALUES ('Ann', 'a'), ('Bob', 'A')",
)

ODD_DATES = {"zero_dates", "zero_moments", "partial_dates"}


@pytest.fixture(scope="module")
def source(lasting: Callable[[str], str]) -> str:
    url = lasting("mysql")
    execute(url, *SOURCE)
    return url


@pytest.fixture(scope="module")
def postgresql_(source: str, lasting: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The schema in PostgreSQL, by a job that changes no value."""
    return moved(source, lasting("postgresql"), tmp_path_factory.mktemp("postgresql"))


@pytest.fixture(scope="module")
def converted(source: str, lasting: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The schema in PostgreSQL, by a job that changes values as POLICY says."""
    policies = "POLICY=zero_date=convert,partial_date=convert,nul_byte=convert"
    return moved(source, lasting("postgresql"), tmp_path_factory.mktemp("converted"), policies)


@pytest.fixture(scope="module")
def sqlite(source: str, lasting: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The schema in SQLite."""
    return moved(source, lasting("sqlite"), tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def oracle(source: str) -> Script:
    """The schema as a script for Oracle."""
    return plsql.script(catalog_of(source))


def test_only_rows_that_have_no_place_are_refused(postgresql_: Moved, converted: Moved, sqlite: Moved) -> None:
    assert postgresql_.refused == ODD_DATES | {"nul_bytes"}
    assert converted.refused == {"zero_moments"}
    assert sqlite.refused == {"past_int64", "choices"}


# --- numbers --------------------------------------------------------------------------------------------------------


def test_an_integer_gets_the_next_wider_type_that_has_all_its_values(postgresql_: Moved) -> None:
    assert postgresql_.columns("integers") == (
        "id integer, ti smallint, tu smallint, si smallint, su integer, mi integer, mu integer, i integer, "
        "iu bigint, bi bigint, bu numeric(20,0)"
    )
    assert postgresql_.rows("SELECT * FROM integers ORDER BY id") == rows_of_integers()
    assert postgresql_.column("SELECT sum(bu)::text FROM integers") == ["18446744073709551614"]
    assert postgresql_.column("SELECT v FROM past_int64") == [Decimal(18446744073709551615)]


def rows_of_integers() -> list[tuple[int, ...]]:
    return [
        (1, -128, 0, -32768, 0, -8388608, 0, -(2**31), 0, -(2**63), 2**63 - 1),
        (2, 127, 255, 32767, 65535, 8388607, 2**24 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**63 - 1),
    ]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("tu", ("-1", "256")),
        ("su", ("-1", "65536")),
        ("mu", ("-1", "16777216")),
        ("iu", ("-1", "4294967296")),
        ("bu", ("-1", "18446744073709551616")),
    ],
)
def test_an_unsigned_column_stays_without_negative_numbers(postgresql_: Moved, column: str, values: tuple[str, ...]) -> None:
    for value in values:
        postgresql_.refuses(f"INSERT INTO integers (id, {column}) VALUES (9, {value})", "violates check constraint")


def test_sqlite_has_every_integer_of_64_bits_and_refuses_larger_ones(sqlite: Moved) -> None:
    assert sqlite.rows("SELECT * FROM integers ORDER BY id") == rows_of_integers()
    assert "column past_int64.v: " in sqlite.why("past_int64")
    assert "type-integer" in sqlite.losses("past_int64", "v")


def test_a_tinyint_of_one_digit_is_a_number_whatever_it_is_used_for(postgresql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.columns("flags") == "id integer, flag smallint, small smallint"
    for there in (postgresql_, sqlite):
        assert there.column("SELECT flag FROM flags ORDER BY id") == [0, 1, 42, 2, -1, None]


def test_bits_keep_their_number_and_their_defaults(postgresql_: Moved, sqlite: Moved, oracle: Script) -> None:
    expected = [("1", "10000001", f"{1:016b}", "1" * 64), ("0", "0" * 8, "0" * 16, None)]
    assert postgresql_.rows('SELECT one::text, eight::text, sixteen::text, "full"::text FROM bits ORDER BY id') == expected
    assert sqlite.rows('SELECT one, eight, sixteen, "full" FROM bits ORDER BY id') == expected
    for there, text in ((postgresql_, "::text"), (sqlite, "")):
        execute(there.url, "INSERT INTO bits (id) VALUES (9)")
        found = there.rows(f"SELECT one{text}, eight{text}, sixteen{text} FROM bits WHERE id = 9")
        assert found == [("0", "0" * 8, f"{8:016b}")]
    assert any('"FULL" VARCHAR2(64)' in sql.upper() or " full VARCHAR2(64)" in sql for sql in oracle.statements)


def test_a_decimal_longer_than_others_take_is_exact(postgresql_: Moved, sqlite: Moved, oracle: Script) -> None:
    assert postgresql_.declared("decimals")["v"] == "numeric(64,30)"
    for there, query in ((postgresql_, "SELECT v::text FROM decimals"), (sqlite, "SELECT v FROM decimals")):
        assert there.column(query) == [LONG_DECIMAL]
    assert sqlite.counted("decimals", "type-decimal") == {"v": 1}
    (loss,) = (loss for loss in oracle.losses if (loss.object.endswith('."decimals"'), loss.column) == (True, "v"))
    assert "38 digits" in loss.detail


# --- dates and times ------------------------------------------------------------------------------------------------


def test_a_zero_date_is_refused_by_name_unless_it_is_to_be_null(postgresql_: Moved, converted: Moved) -> None:
    assert "0000-00-00" in postgresql_.why("zero_dates")
    assert postgresql_.column("SELECT count(*) FROM zero_dates") == [0]
    assert converted.rows("SELECT d::text, dt::text FROM zero_dates ORDER BY id") == [
        (None, None),
        ("2024-02-29", "2024-02-29 12:00:00"),
        ("0009-01-01", "0009-01-01 00:00:00"),
    ]
    assert converted.counted("zero_dates", "zero-date") == {"d": 1, "dt": 1}


def test_a_zero_date_stays_what_it_is_where_dates_are_texts(sqlite: Moved) -> None:
    assert sqlite.column("SELECT d FROM zero_dates ORDER BY id") == ["0000-00-00", "2024-02-29", "0009-01-01"]
    assert sqlite.column("SELECT d FROM partial_dates ORDER BY id")[:3] == ["0001-00-00", "2025-00-10", "2025-02-30"]


def test_a_default_of_the_zero_date_is_left_out_by_name(postgresql_: Moved) -> None:
    for table, column in (("zero_dates", "d"), ("zero_moments", "created_at"), ("partial_dates", "dt")):
        assert "there is no such day" in postgresql_.losses(table, column)["default"]
    postgresql_.refuses("INSERT INTO zero_moments (id) VALUES (9)", "null value in column")


def test_a_zero_date_becomes_null_in_a_column_that_was_not_null_when_somebody_allows_it(
    source: str, converted: Moved, tmp_path: Path
) -> None:
    """Who wants NULLs there says so to the target's column; the job counts them then."""
    assert "(zero_date) would become NULL, and the column is NOT NULL" in converted.why("zero_moments")
    assert converted.column("SELECT count(*) FROM zero_moments") == [0]
    allow = "ALTER TABLE zero_moments ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL"
    execute(converted.url, allow)
    rest = ("TABLES=zero_moments", "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=APPEND", "POLICY=zero_date=convert")
    run = moved(source, converted.url, tmp_path, *rest)
    assert run.run.code == 0
    assert run.counted("zero_moments", "zero-date") == {"created_at": 1, "updated_at": 2}
    assert run.rows("SELECT created_at IS NULL, updated_at IS NULL FROM zero_moments ORDER BY id") == [
        (False, True),
        (True, True),
        (False, False),
    ]


def test_a_zero_date_becomes_null_in_a_column_that_was_not_null_when_the_job_is_to_relax_it(
    source: str, lasting: Callable[[str], str], tmp_path: Path
) -> None:
    """The columns are made without NOT NULL; dates that no calendar has are another case."""
    rest = ("TABLES=zero_moments,partial_dates", "POLICY=zero_date=relax,partial_date='1900-01-01'")
    there = moved(source, lasting("postgresql"), tmp_path, *rest)
    assert there.run.code == 0
    said = "may be NULL, and is NOT NULL at the source: zero dates become NULL"
    for column in ("created_at", "updated_at"):
        told = there.losses("zero_moments", column)
        assert told["relaxed"] == said
        assert "there is no such day" in told["default"]
    assert there.counted("zero_moments", "zero-date") == {"created_at": 1, "updated_at": 2}
    assert there.rows("SELECT created_at::text, updated_at::text FROM zero_moments ORDER BY id") == [
        ("2024-01-01 10:00:00", None),
        (None, None),
        ("2024-01-03 10:00:00", "2024-01-04 10:00:00"),
    ]
    assert there.column("SELECT d::text FROM partial_dates ORDER BY id") == ["1900-01-01"] * 3 + ["0018-04-01"]
    assert there.details("partial_dates", "partial-date", "d") == ["dates that no calendar has became '1900-01-01'"]


def test_a_date_that_no_calendar_has_is_refused_or_counted(postgresql_: Moved, converted: Moved) -> None:
    assert "column d" in postgresql_.why("partial_dates")
    assert converted.column("SELECT d::text FROM partial_dates ORDER BY id") == [None, None, None, "0018-04-01"]
    assert converted.counted("partial_dates", "partial-date") == {"d": 3}


def test_a_year_has_four_digits_and_a_date_of_the_year_18_stays_there(postgresql_: Moved, sqlite: Moved) -> None:
    for there in (postgresql_, sqlite):
        assert there.column("SELECT y FROM years ORDER BY id") == [2018, 2018, 1978, 0]
    assert postgresql_.column("SELECT d FROM years ORDER BY id")[:2] == [date(18, 4, 1)] * 2
    assert sqlite.column("SELECT d FROM years ORDER BY id")[:2] == ["0018-04-01"] * 2


def test_times_are_spans_of_up_to_838_hours_with_a_sign(
    source: str, postgresql_: Moved, sqlite: Moved, oracle: Script
) -> None:
    end = 1 if is_mariadb(source) else 0  # MySQL ends at the second
    assert postgresql_.rows("SELECT t::text, t3::text, t6::text FROM times ORDER BY id") == [
        ("-01:00:00", "12:00:00.125", "-838:59:59" + end * ".000001"),
        ("838:59:59", "-800:00:01.5", "24:00:00"),
    ]
    assert sqlite.rows("SELECT t, t3, t6 FROM times ORDER BY id") == [
        ("-01:00:00", "12:00:00.125", f"-838:59:59.{end:06}"),
        ("838:59:59", "-800:00:01.500", "24:00:00.000000"),
    ]
    assert any("t3 INTERVAL DAY(9) TO SECOND(3)" in sql for sql in oracle.statements)


def test_digits_after_the_second_stay_as_many(postgresql_: Moved) -> None:
    assert postgresql_.columns("times") == (
        "id integer, t interval(0), t3 interval(3), t6 interval, dt3 timestamp(3) without time zone, "
        "dt6 timestamp without time zone"
    )
    assert postgresql_.rows("SELECT dt3::text, dt6::text FROM times WHERE id = 1") == [
        ("2024-01-01 00:00:00.125", "2024-01-01 00:00:00.000001")
    ]


def test_wall_clocks_are_not_shifted_and_instants_stay_instants(postgresql_: Moved, sqlite: Moved) -> None:
    """The rows were written by a session in another time zone than the job's, on the night in which clocks change."""
    assert postgresql_.declared("moments")["instant"] == "timestamp with time zone"
    assert postgresql_.declared("moments")["wall"] == "timestamp(0) without time zone"
    assert postgresql_.rows("SELECT wall::text, (instant AT TIME ZONE 'UTC')::text FROM moments") == [
        ("2024-03-31 02:30:00", "2024-03-31 00:30:00.5")
    ]
    assert sqlite.rows("SELECT wall, instant FROM moments") == [("2024-03-31 02:30:00", "2024-03-31 00:30:00.500000+00:00")]


# --- texts and bytes ------------------------------------------------------------------------------------------------


def test_labels_come_as_they_are_declared_and_a_wrong_one_as_the_empty_text(postgresql_: Moved) -> None:
    assert postgresql_.rows("SELECT level, odd FROM choices ORDER BY id") == [("Low", "it's"), ("High", "b,c"), ("", "é")]
    assert "not in the order of the labels" in postgresql_.losses("choices", "level")["type-enum"]
    postgresql_.refuses("INSERT INTO choices (id, level) VALUES (9, 'Nope')", "violates check constraint")


def test_sqlite_refuses_what_is_no_label(sqlite: Moved) -> None:
    assert "CHECK constraint failed" in sqlite.why("choices")
    assert sqlite.column("SELECT count(*) FROM choices") == [0]


def test_a_set_is_its_members_joined_and_the_empty_set_is_not_null(postgresql_: Moved, oracle: Script) -> None:
    assert postgresql_.column("SELECT perms FROM choices ORDER BY id") == ["read,write", "", None]
    assert "any text is let in" in postgresql_.losses("choices", "perms")["type-setof"]
    assert any(loss.rule == "type-setof" for loss in oracle.losses)


def test_latin1_is_what_mysql_takes_it_for(postgresql_: Moved, sqlite: Moved) -> None:
    for there in (postgresql_, sqlite):
        assert there.column("SELECT l FROM charsets ORDER BY id") == ["€", "café€"]


def test_bytes_stay_bytes_with_the_zeros_they_are_filled_up_with(postgresql_: Moved, sqlite: Moved) -> None:
    assert postgresql_.columns("identifiers") == "id integer, long_ bytea, short bytea, written character(36)"
    expected = [
        (bytes.fromhex("a3cda7d5a0eebc999c0b4ef8bb6d6bb9"), bytes.fromhex("deadbeefcafebabe")),
        (b"\xff" + bytes(15), b"\xff" + bytes(7)),
    ]
    for there in (postgresql_, sqlite):
        assert there.rows("SELECT long_, short FROM identifiers ORDER BY id") == expected


def test_a_nul_in_a_text_is_refused_by_its_column_or_removed_and_counted(
    postgresql_: Moved, converted: Moved, sqlite: Moved
) -> None:
    assert "column v" in postgresql_.why("nul_bytes")
    assert converted.column("SELECT v FROM nul_bytes ORDER BY id") == ["hello", "plain"]
    assert converted.counted("nul_bytes", "nul-byte") == {"v": 1}
    assert sqlite.column("SELECT v FROM nul_bytes ORDER BY id") == ["hello\0", "plain"]


def test_a_document_is_the_text_that_the_server_keeps(source: str, postgresql_: Moved, sqlite: Moved) -> None:
    """MariaDB keeps numbers of any length, and a key that comes twice."""
    ((kept,),) = rows(source, "SELECT CAST(doc AS CHAR) FROM documents")
    assert (kept == DOCUMENT) == is_mariadb(source)
    assert postgresql_.declared("documents")["doc"] == ("json" if is_mariadb(source) else "jsonb")
    there = "doc::text" if is_mariadb(source) else "doc = '{}'::jsonb".format(kept.replace(":", r"\:"))
    assert postgresql_.column(f"SELECT {there} FROM documents") == [kept if is_mariadb(source) else True]
    assert sqlite.column("SELECT doc FROM documents") == [kept]


def test_an_empty_text_is_not_null_and_oracles_script_says_where_it_would_be(
    postgresql_: Moved, sqlite: Moved, oracle: Script
) -> None:
    for there in (postgresql_, sqlite):
        assert there.rows("SELECT s, t, b FROM nothings ORDER BY id") == [("", "", b""), ("x", None, None)]
    told = [loss for loss in oracle.losses if loss.rule == "oracle-empty-string" and "nothings" in loss.object]
    assert {(loss.column, loss.detail) for loss in told} == {
        ("s", "'' is NULL here, so a row that holds '' is refused"),
        (None, "'' becomes NULL in t"),
    }


# --- what columns do by themselves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["postgresql_", "sqlite"])
def test_a_default_gives_the_same_or_is_left_out_by_name(source: str, target: str, request: pytest.FixtureRequest) -> None:
    there: Moved = request.getfixturevalue(target)
    execute(there.url, "INSERT INTO defaults (id) VALUES (9)")
    same = ("letter", "bytes_", "doc", "quoted", "long_")
    ((*expected,),) = rows(source, f"SELECT {', '.join(same)} FROM defaults WHERE id = 1")
    ((*found,),) = there.rows(f"SELECT {', '.join(same)} FROM defaults WHERE id = 9")
    left_out = {
        name for name in (*same, "day", "moment", "made") if "left out" in there.losses("defaults", name).get("default", "")
    }
    assert {name for name, old, new in zip(same, expected, found, strict=True) if old != new} == left_out & set(same)
    ((day, moment, made),) = there.rows("SELECT day, moment, made FROM defaults WHERE id = 9")
    assert {name for name, value in (("day", day), ("moment", moment), ("made", made)) if value is None} == left_out - set(
        same
    )
    assert expected == ["A", b"MySQL", "[]", 7, "long"]


def test_a_check_holds_and_a_column_that_changes_by_itself_is_named(postgresql_: Moved) -> None:
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'grown'"
    assert postgresql_.column(query) == ["CHECK (((age >= 18) AND (age <= 99)))"]
    postgresql_.refuses("INSERT INTO adults (id, age) VALUES (9, 17)", "violates check constraint")
    assert "a trigger does" in postgresql_.losses("adults", "changed")["on-update"]
    assert postgresql_.column("SELECT count(changed) FROM adults") == [2]


@pytest.mark.parametrize("target", ["postgresql_", "sqlite"])
def test_computed_columns_are_computed_on_or_keep_their_values_by_name(target: str, request: pytest.FixtureRequest) -> None:
    there: Moved = request.getfixturevalue(target)
    assert there.rows("SELECT id, n, twice, thrice, shown, hidden FROM computed WHERE id = 1") == [(1, 7, 14, 21, "7.0", 6)]
    assert there.rows("SELECT n, twice FROM computed_for") == [(1, 2)]
    assert "ordinary one" in there.losses("computed", "shown")["generated"]
    execute(there.url, "INSERT INTO computed (id, n) VALUES (9, 5)")
    assert there.rows("SELECT twice, thrice, hidden FROM computed WHERE id = 9") == [(10, 15, 5)]


@pytest.mark.parametrize("target", ["postgresql_", "sqlite"])
def test_an_invisible_column_comes_and_is_said_to_be_visible(target: str, request: pytest.FixtureRequest) -> None:
    there: Moved = request.getfixturevalue(target)
    assert "visible" in there.losses("computed", "hidden")["invisible"]


@pytest.mark.parametrize("target", ["postgresql_", "sqlite"])
def test_an_empty_table_counts_on_where_it_stood(target: str, request: pytest.FixtureRequest) -> None:
    there: Moved = request.getfixturevalue(target)
    execute(there.url, "INSERT INTO counters (x) VALUES (1)", "INSERT INTO counters (x) VALUES (2)")
    assert there.column("SELECT id FROM counters ORDER BY id") == [101, 102]


# --- keys and names -------------------------------------------------------------------------------------------------


def test_both_ends_of_a_foreign_key_have_one_type(postgresql_: Moved) -> None:
    assert postgresql_.declared("owners")["id"] == postgresql_.declared("owned")["owner"] == "numeric(20,0)"
    postgresql_.refuses("INSERT INTO owned VALUES (6)", "violates foreign key constraint")


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("INSERT INTO nothings (id) VALUES (9)", "23502"),
        ("INSERT INTO owned VALUES (6)", "23503"),
        ("INSERT INTO people VALUES ('Ann', 'z')", "23505"),
        ("INSERT INTO adults (id, age) VALUES (9, 100)", "23514"),
    ],
)
def test_constraints_hold_for_new_rows(postgresql_: Moved, statement: str, state: str) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught:
        execute(postgresql_.url, statement)
    assert getattr(caught.value.orig, "sqlstate", None) == state


def test_rows_without_their_parent_are_loaded_and_their_key_is_named(postgresql_: Moved) -> None:
    assert postgresql_.column("SELECT owner FROM orphans") == [Decimal(99)]
    assert postgresql_.column("SELECT convalidated FROM pg_constraint WHERE conname = 'lost'") == [False]
    assert 'ORA-02298: cannot validate REF_CONSTRAINT:"public"."lost"' in postgresql_.run.out
    postgresql_.refuses("INSERT INTO orphans VALUES (98)", "violates foreign key constraint")


@pytest.mark.parametrize("target", ["postgresql_", "sqlite"])
def test_indexes_of_one_name_get_names_of_their_own(target: str, request: pytest.FixtureRequest) -> None:
    there: Moved = request.getfixturevalue(target)
    told = [there.losses(table).get("index-name", "") for table in ("owned", "owned_too")]
    assert sum("by_owner" in detail for detail in told) >= 1


def test_texts_that_were_equal_but_for_case_are_told_apart_by_name(postgresql_: Moved) -> None:
    assert "lets in both 'a' and 'A'" in postgresql_.losses("people", "name")["key-equality"]
    assert "lets in both 'a' and 'a '" in postgresql_.losses("people", "code")["key-equality"]
    for column in ("name", "code"):
        assert len(postgresql_.details("people", "collation-equality", column)) == 1
    assert postgresql_.rows("SELECT name, code FROM people ORDER BY name") == [("Ann", "a"), ("Bob", "A")]


def test_texts_that_would_be_told_apart_stop_the_job_if_that_is_asked(source: str, lasting: Callable[[str], str]) -> None:
    target = lasting("postgresql")
    link = (f"NETWORK_LINK={source}", remap(source, target), "TABLES=people", "NOLOGFILE=YES")
    run = pump("impdp", target, *link, "POLICY=people.name:collation=refuse")
    assert run.code == 1
    assert "the primary key lets in both 'a' and 'A'" in run.err
    assert "COLLATE utf8mb4_general_ci at the source" in run.err
    assert rows(target, "SELECT 1 FROM information_schema.tables WHERE table_name = 'people'") == []
    run = pump("impdp", target, *link, "POLICY=people.name:collation=warn")
    assert run.code == 5
    assert rows(target, "SELECT name FROM people ORDER BY name") == [("Ann",), ("Bob",)]


def test_every_statement_for_oracle_passes_the_grammar(oracle: Script) -> None:
    assert [sql for sql in oracle.statements if plsql.errors(sql)] == []
