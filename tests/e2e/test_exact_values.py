"""Values that a database would change without a word: they come as they are, or the loss list counts them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from migrator.model.objects import QName
from tests.e2e.test_plan import plan
from tests.e2e.test_verify import verify
from tests.support.catalogs import schema_catalog
from tests.support.moved import moved
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]
Fresh = Callable[..., str]


def types(url: str, table: str) -> dict[str, Any]:
    """The neutral types of a table's columns."""
    schema = schema_of(url)
    found = schema_catalog(url, schema).table(QName(schema, table))
    assert found is not None
    return {column.name: column.type for column in found.columns}


# --- labels ---------------------------------------------------------------------------------------------------------

LABELS = (
    "CREATE TYPE padded AS ENUM ('a ', 'b', 'it''s\\ ')",
    "CREATE TYPE both_ AS ENUM ('a', 'a ')",
    "CREATE TYPE cases AS ENUM ('a', 'A', 'ä', '')",
    "CREATE TABLE t (id integer PRIMARY KEY, p padded DEFAULT 'a ', b both_ NOT NULL, c cases)",
    "INSERT INTO t VALUES (1, 'a ', 'a', 'a'), (2, 'it''s\\ ', 'a ', 'A'), (3, NULL, 'a', 'ä'), (4, 'b', 'a ', '')",
    "CREATE UNIQUE INDEX told ON t (p, c)",
)


def test_labels_that_an_enum_cannot_keep_make_it_a_text(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(source, *LABELS)
    there = moved(source, target, tmp_path, "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    query = "SELECT id, {0}, {1}, {2} FROM t ORDER BY id"
    here = rows(source, query.format("p::text", "b::text", "c::text"))
    assert there.rows(query.format("p", "b", "c")) == here
    declared = dict(rows(target, "SELECT column_name, column_type FROM information_schema.columns WHERE table_name = 't' "
                                 "AND table_schema = DATABASE()"))  # fmt: skip
    assert (declared["p"], declared["b"]) == ("varchar(6)", "varchar(2)")
    assert declared["c"].startswith("enum(")
    for column in ("p", "b"):
        assert "ENUM cuts off blanks" in there.losses("t", column)["type-enum"]
    assert "type-enum" not in there.losses("t", "c")
    there.refuses("INSERT INTO t (id, p, b) VALUES (9, 'a', 'a')", "CONSTRAINT|Check constraint")
    execute(target, "INSERT INTO t (id, b) VALUES (9, 'a ')")
    assert scalar(target, "SELECT CONCAT(p, '|', b) FROM t WHERE id = 9") == "a |a "


# --- there and back -------------------------------------------------------------------------------------------------

NUMBERS = (
    "CREATE TABLE t (id integer PRIMARY KEY, hundreds numeric/*!15 (5,-2)*/, small numeric/*!15 (2,5)*/, one real,"
    " yes boolean DEFAULT true)",
    "INSERT INTO t VALUES (1, 1234567, 0.00012, 0.1, true), (2, -100, -0.00099, 3.4028235e38, false),"
    " (3, NULL, NULL, 1e-45, NULL), (4, 0, 0, -1.17549435e-38, true)",
)


@pytest.mark.parametrize("via", ["sqlite", "mysql"])
def test_numbers_and_truths_come_back_as_what_they_were(
    postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh, via: str, tmp_path: Path
) -> None:
    source, between, back = postgresql(), mysql() if via == "mysql" else sqlite_file(), postgresql()
    execute(source, *NUMBERS)
    there, again = moved(source, between, tmp_path), moved(between, back, tmp_path)
    assert (there.run.code, again.run.code) == (0, 0)
    query = "SELECT id, hundreds::text, small::text, one::text, yes FROM t ORDER BY id"
    assert [(row[0], *map(_number, row[1:3]), *row[3:]) for row in rows(back, query)] == [
        (row[0], *map(_number, row[1:3]), *row[3:]) for row in rows(source, query)
    ]
    here, found = types(source, "t"), types(back, "t")
    told = {entry["column"] for entry in (*there.entries, *again.entries)}
    assert {name for name in here if here[name] != found[name]} <= told
    assert {name: found[name] for name in ("one", "yes")} == {name: here[name] for name in ("one", "yes")}
    if via == "sqlite":
        assert found == here
    execute(back, "INSERT INTO t (id) VALUES (9)")
    assert scalar(back, "SELECT yes FROM t WHERE id = 9") is True


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def test_a_single_that_is_none_is_a_double_with_an_entry(sqlite_file: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = sqlite_file(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, good FLOAT4, bad FLOAT4, small FLOAT4, large FLOAT4)",
        "INSERT INTO t VALUES (1, 0.5, 0.1, 1e-46, 1e39), (2, 9e999, 2, 3, 4), (3, NULL, NULL, NULL, NULL), (4, 7, 0, 0, 0)",
    )
    there = moved(source, target, tmp_path)
    assert {name: words for name, words in there.declared("t").items() if name != "id"} == {
        "good": "real", "bad": "double precision", "small": "double precision", "large": "double precision"
    }  # fmt: skip
    assert there.rows("SELECT good, bad, small, large FROM t WHERE id = 1") == [(0.5, 0.1, 1e-46, 1e39)]
    assert there.column("SELECT good::text FROM t ORDER BY id") == ["0.5", "Infinity", None, "7"]
    floats = [entry for entry in there.entries if entry["rule"] == "floats"]
    assert {entry["column"]: entry["rows"] for entry in floats} == {"bad": 1, "small": 1, "large": 1}


def test_a_changed_single_is_told_as_a_difference(postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path) -> None:
    """The target's own declaration says 32 bits, and its rows need not keep to that."""
    source, target = postgresql(), sqlite_file()
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, v real)", "INSERT INTO t VALUES (1, 0.1), (2, 0.5)")
    assert moved(source, target, tmp_path).run.code == 0
    same = (target, f"NETWORK_LINK={source}", remap(source, target))
    done(verify(*same))
    execute(target, "UPDATE t SET v = 0.1 WHERE id = 1")
    changed = verify(*same)
    assert changed.code == 5
    assert "1 changed" in changed.out, changed.out


# --- changes that nobody can refuse ---------------------------------------------------------------------------------


@pytest.mark.parametrize("via", ["sqlite", "mysql"])
def test_a_negative_zero_that_becomes_zero_is_counted(
    postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh, via: str, tmp_path: Path
) -> None:
    source, target = postgresql(), mysql() if via == "mysql" else sqlite_file()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, d double precision, r real, n numeric)",
        "INSERT INTO t VALUES (1, '-0', '-0', 0), (2, 0, -1.5, 1), (3, NULL, NULL, NULL), (4, '-0', 0, -0.5)",
    )
    there = moved(source, target, tmp_path, "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    signs = [[struct.pack("<d", value)[7] >> 7 for value in there.column(f"SELECT {name} * 1e0 FROM t WHERE {name} = 0")]
             for name in ("d", "r")]  # fmt: skip
    kept = [sum(sign) for sign in signs]
    assert [there.counted("t", "negative-zero").get(name, 0) for name in ("d", "r")] == [2 - kept[0], 1 - kept[1]]
    assert ("-0 became 0 (2 rows) [negative-zero]" in there.run.out) == (kept[0] == 0)


def test_days_that_sqlite_keeps_and_takes_for_texts_are_counted(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), sqlite_file()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, d date, w timestamp, i timestamptz)",
        "INSERT INTO t VALUES (1, '12024-01-01', 'infinity', '0044-03-15 BC'),"
        " (2, '0044-03-15 BC', '2024-01-01', '-infinity'),"
        " (3, '9999-12-31', '9999-12-31 23:59:59.999999', '0001-01-01'), (4, NULL, NULL, NULL)",
        "CREATE VIEW late AS SELECT id FROM t WHERE d > DATE '2020-01-01'",
    )
    there = moved(source, target, tmp_path, "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    assert there.counted("t", "far-date") == {"d": 2, "w": 1, "i": 2}
    query = "SELECT id FROM late ORDER BY id"
    assert (rows(source, query), there.rows(query)) == ([(1,), (3,)], [(3,)])


def test_days_with_zeros_that_have_no_year_in_sqlite_are_counted(mysql: Fresh, sqlite_file: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), sqlite_file()
    execute(
        source,
        "SET sql_mode = ''",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, w DATETIME)",
        "INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00'), (2, '2025-10-00', '2025-10-01'), (3, '2025-10-10', NULL)",
        "CREATE VIEW years AS SELECT id, YEAR(d) AS y FROM t",
    )
    there = moved(source, target, tmp_path)
    assert there.run.code == 0, there.run.out
    assert there.counted("t", "far-date") == {"d": 2, "w": 1}
    query = "SELECT id, y FROM years ORDER BY id"
    assert (rows(source, query), there.rows(query)) == ([(1, 0), (2, 2025), (3, 2025)], [(1, None), (2, None), (3, 2025)])


@pytest.mark.parametrize("way", ["in", "out"])
def test_texts_that_end_at_nul_in_sqlites_functions_are_counted(
    mysql: Fresh, sqlite_file: Fresh, way: str, tmp_path: Path
) -> None:
    source, target = (mysql(), sqlite_file()) if way == "in" else (sqlite_file(), mysql())
    text = "CONCAT('a', CHAR(0), 'bc')" if way == "in" else "'a' || CHAR(0) || 'bc'"
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s VARCHAR(9), plain VARCHAR(9), b BLOB)",
        f"INSERT INTO t VALUES (1, {text}, 'abc', X'6100'), (2, 'abc', '', NULL), (3, NULL, NULL, NULL)",
    )
    there = moved(source, target, tmp_path, "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    assert there.counted("t", "nul-ends") == {"s": 1}


def test_blanks_that_a_char_does_not_keep_are_kept_or_refused(sqlite_file: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = sqlite_file(), mysql()
    execute(
        source,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, full CHAR(3), plain VARCHAR(3))",
        "INSERT INTO t VALUES (1, 'ab ', 'a '), (2, 'abc', 'b'), (3, NULL, NULL), (4, 'd  ', 'c')",
    )
    there = moved(source, target, tmp_path)
    query = "SELECT id, full, plain FROM t ORDER BY id"
    assert there.rows(query) == rows(source, query)
    execute(target, "TRUNCATE TABLE t", "ALTER TABLE t MODIFY plain CHAR(3)")
    again = moved(source, target, tmp_path, "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=APPEND")
    assert "column plain: 'a ' is not what" in again.why("t")


# --- what the server computes ---------------------------------------------------------------------------------------

PRICES = (
    "CREATE TABLE o (id INT PRIMARY KEY, price DECIMAL(10,2), `it's` DECIMAL(10,2) AS (price * 1.19) STORED,"
    " half DECIMAL(10,1) AS (price / 3) VIRTUAL, KEY by_half (half))",
    "INSERT INTO o (id, price) VALUES (1, 9.99), (2, 0.01), (3, NULL)",
)
COMPUTED = "SELECT id, price, `it's`, half FROM o ORDER BY id"


def test_a_rounded_generated_column_comes_out_of_a_dump_file_set_and_from_elsewhere(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target, elsewhere, last = mysql(), mysql(), postgresql(), mysql()
    execute(source, *PRICES)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    done(pump("impdp", target, f"DIRECTORY={tmp_path}", remap(source, target), "NOLOGFILE=YES"))
    assert rows(target, COMPUTED) == rows(source, COMPUTED)
    execute(
        elsewhere,
        "CREATE TABLE o (id integer PRIMARY KEY, price numeric(10,2),"
        " total numeric(10,2) GENERATED ALWAYS AS (price * 1.19) STORED)",
        "INSERT INTO o SELECT n, n * 0.01 FROM generate_series(1, 20000) n",
    )
    there = moved(elsewhere, last, tmp_path, "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    query = "SELECT count(*), sum(price), sum(total) FROM o"
    assert there.rows(query) == rows(elsewhere, query)


# --- days -----------------------------------------------------------------------------------------------------------

ODD_DAYS = (
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
    "CREATE TABLE t (d DATE PRIMARY KEY, dt DATETIME(3))",
    "INSERT INTO t VALUES ('2023-02-31', '2023-02-29 12:00:00.125'), ('0000-00-00', '0000-00-00 12:00:00'),"
    " ('2023-00-31', '0000-01-01 00:00:00'), ('0000-05-05', NULL), ('2024-02-29', '2023-11-31 00:00:00')",
)
SHOWN_DAYS = "SELECT CAST(d AS CHAR), CAST(dt AS CHAR) FROM t ORDER BY 1"


@pytest.mark.parametrize("method", ["DIRECT_PATH", "CONVENTIONAL_PATH", "EXTERNAL_TABLE", "INSERT_AS_SELECT"])
@pytest.mark.parametrize(
    ("statements", "query"),
    [(PRICES, COMPUTED), (ODD_DAYS, SHOWN_DAYS)],
    ids=["rounded-generated-columns", "days-that-no-calendar-has"],
)
def test_rounded_generated_columns_and_days_of_no_calendar_move_by_every_method(
    mysql: Fresh, statements: tuple[str, ...], query: str, method: str, tmp_path: Path
) -> None:
    source, target = mysql(), mysql()
    execute(source, *statements)
    there = moved(source, target, tmp_path, f"ACCESS_METHOD={method}", "VERIFY=YES")
    assert there.run.code == 0, there.run.out
    assert there.rows(query) == rows(source, query)


def test_a_text_that_is_no_day_is_refused_by_its_name(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, d text)")
    execute(target, "CREATE TABLE t (id INT PRIMARY KEY, d DATE)")
    days = ("2023-02-29", "2100-02-29", "2023-04-31", "2023-13-01", "2024-01-32")
    execute(source, "INSERT INTO t VALUES (0, '2024-02-29')")
    execute(source, *(f"INSERT INTO t VALUES ({n}, '{text}')" for n, text in enumerate(days, 1)))
    link = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", "CONTENT=DATA_ONLY")
    run = pump("impdp", target, *link, "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    lines = [json.loads(line) for line in (tmp_path / "import_rejects.ndjson").read_text().splitlines()]
    reasons = {line["values"]["d"]: line["reason"] for line in lines if "values" in line}
    assert run.code == 5
    assert reasons == {text: f"column d: '{text}' is no day of the calendar" for text in days}
    assert rows(target, "SELECT id, CAST(d AS CHAR) FROM t") == [(0, "2024-02-29")]


def test_a_year_that_postgresql_has_not_is_out_of_range_by_policy_load_and_profile(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, refusing, target = mysql(), postgresql(), postgresql()
    execute(
        source,
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME)",
        "INSERT INTO t VALUES (1, '0000-01-01', '0000-05-05 12:00:00'), (2, '0000-00-00', '0001-01-01'),"
        " (3, '0000-00-05', '0000-02-30 00:00:00'), (4, '2024-02-29', NULL)",
    )
    run = plan("impdp", refusing, f"NETWORK_LINK={source}", remap(source, refusing), "PROFILE=YES", "--json")
    (table,) = json.loads(run.out)["profile"]
    found = {(one["column"], one["case"]): one["rows"] for one in table["findings"]}
    assert found == {
        ("d", "zero_date"): 1, ("d", "partial_date"): 1, ("d", "out_of_range"): 1,
        ("dt", "partial_date"): 1, ("dt", "out_of_range"): 1,
    }  # fmt: skip
    others = "POLICY=zero_date=convert,partial_date=convert"
    refused = moved(source, refusing, tmp_path, others)
    assert "0000-0" in refused.why("t")
    assert refused.column("SELECT count(*) FROM t") == [0]
    there = moved(source, target, tmp_path, f"{others},out_of_range=convert")
    assert there.run.code == 0, there.run.out
    assert there.rows("SELECT d::text, dt::text FROM t ORDER BY id") == [
        (None, None), (None, "0001-01-01 00:00:00"), (None, None), ("2024-02-29", None)
    ]  # fmt: skip
    assert there.counted("t", "out-of-range") == {"d": 1, "dt": 1}
    assert there.counted("t", "partial-date") == {"d": 1, "dt": 1}
