"""SQLite's type tables: what declarations mean, and that what is declared keeps its values and reads back the same."""

from __future__ import annotations

import sqlite3

import pytest

from dialects.sqlite.types import TYPES, affinity, neutral
from migrator.adapter import rule_for
from migrator.model import types as t


def declared(type_: t.Type) -> str:
    return rule_for(TYPES, type_, "SQLite", "t.c", "t").declare(type_)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "BLOB"),
        ("INT", "INTEGER"),
        ("unsigned big int", "INTEGER"),
        ("FLOATING POINT", "INTEGER"),  # POINT ends in INT
        ("CHARINT", "INTEGER"),
        ("VARYING CHARACTER(255)", "TEXT"),
        ("CLOB", "TEXT"),
        ("BLOB", "BLOB"),
        ("DOUBLE PRECISION", "REAL"),
        ("FLOAT", "REAL"),
        ("DECIMAL(10,5)", "NUMERIC"),
        ("BOOLEAN", "NUMERIC"),
        ("DATETIME", "NUMERIC"),
        ("STRING", "NUMERIC"),
    ],
)
def test_the_first_substring_decides_the_affinity(words: str, expected: str) -> None:
    assert affinity(words) == expected


@pytest.mark.parametrize("words", ["", "INT", "VARCHAR(3)", "BLOB", "REAL", "NUMERIC(5)", "DATE", "JSON", "ANY THING"])
def test_affinities_are_those_of_sqlite_itself(words: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE t (c {words})")
        connection.execute("INSERT INTO t VALUES ('12')")
        (stored,) = connection.execute("SELECT typeof(c) FROM t").fetchone()
    connection.close()
    expected = {"INTEGER": "integer", "NUMERIC": "integer", "REAL": "real", "TEXT": "text", "BLOB": "text"}
    assert stored == expected[affinity(words)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("INTEGER", t.Integer(64)),
        ("int", t.Integer(32)),
        ("SMALLINT UNSIGNED", t.Integer(16, unsigned=True)),
        ("smallint unsigned", t.Integer(16, unsigned=True)),
        ("INTEGER(10) UNSIGNED", t.Integer(32, unsigned=True)),
        ("UNSIGNED BIG INT", t.Integer(64, unsigned=True)),
        ("INT8", t.Integer(64)),
        ("tinyint(1)", t.Integer(8, display=1)),
        ("NVARCHAR(160)", t.String(160)),
        ("VARYING CHARACTER(255)", t.String(255)),
        ("NATIVE CHARACTER(70)", t.String(70)),
        ("char(70)", t.String(70)),
        ("text", t.String()),
        ("CLOB", t.String(lob=True)),
        ("double precision", t.Float()),
        ("NUMERIC(10,2)", t.Decimal(10, 2)),
        ("decimal ( 12 , 4 )", t.Decimal(12, 4)),
        ("NUMERIC(5)", t.Decimal(5, 0)),
        ("NUMERIC", t.Float()),
        ("NUMERIC(5,-2)", t.Float()),
        ("DECIMAL(2,5)", t.Float()),
        ("DECIMAL_TEXT(5,-2)", t.Decimal(5, -2)),
        ("DECIMAL_TEXT ( 5 , -2 )", t.Decimal(5, -2)),
        ("DECIMAL_TEXT(2,5)", t.Decimal(2, 5)),
        ("DECIMAL_TEXT", t.Decimal()),
        ("VARCHAR(-1)", t.String()),
        ("FLOAT", t.Float()),
        ("FLOAT4", t.Float(32)),
        ("BOOLEAN", t.Boolean()),
        ("DATETIME", t.Timestamp()),
        ("DATETIME(3)", t.Timestamp(3)),
        ("TIME", t.Time()),
        ("UUID", t.Uuid()),
        ("JSON", t.Json()),
    ],
)
def test_a_known_name_has_its_own_meaning(words: str, expected: t.Type) -> None:
    assert neutral(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("intege", t.Integer(64)),
        ("short integer", t.Integer(64)),
        ("text nocase", t.String()),
        ("FOO", t.Float()),
        ("LONG REAL", t.Float()),
        ("VARCHAR(MAX)", t.String()),
        ("", t.String()),
    ],
)
def test_an_unknown_name_means_what_its_affinity_says(words: str, expected: t.Type) -> None:
    assert neutral(words) == expected


KEPT: tuple[t.Type, ...] = (
    t.Boolean(),
    *(t.Integer(bits, unsigned) for bits in (8, 16, 24, 32, 64) for unsigned in (False, True)),
    t.Integer(8, display=1),
    t.Decimal(10, 2),
    t.Decimal(15, 15),
    t.Decimal(16, 2),
    t.Decimal(65, 30),
    t.Decimal(),
    t.Float(),
    t.String(),
    t.String(20),
    t.String(lob=True),
    t.Binary(),
    t.Binary(20),
    t.Binary(16, fixed=True),
    t.Binary(lob=True),
    t.Date(),
    *(kind(precision) for kind in (t.Time, t.Timestamp) for precision in (0, 3, 6)),
    t.Time(6, zoned=True),
    t.Timestamp(6, zoned=True),
    t.Year(),
    t.Json(),
    t.Uuid(),
    t.Xml(),
    t.Bit(1),
    t.Bit(8),
    t.Bit(8, varying=True),
    t.Bit(None, varying=True),
)


@pytest.mark.parametrize("type_", KEPT, ids=repr)
def test_a_declaration_reads_back_as_the_type_it_was_made_for(type_: t.Type) -> None:
    assert neutral(declared(type_)) == type_


@pytest.mark.parametrize(
    "type_",
    [t.Json(), t.Decimal(20, 5), t.Decimal(), t.Bit(8), t.Interval(), t.Enum(("1",)), t.SetOf(("1",)), t.Xml()],
    ids=repr,
)
def test_text_that_may_look_like_a_number_gets_text_affinity(type_: t.Type) -> None:
    assert affinity(declared(type_)) == "TEXT"


@pytest.mark.parametrize("type_", [t.Boolean(), t.Integer(), t.Decimal(15, 2), t.Float(), t.Year()], ids=repr)
def test_numbers_are_kept_as_numbers(type_: t.Type) -> None:
    assert affinity(declared(type_)) in {"INTEGER", "REAL", "NUMERIC"}


def test_a_decimal_longer_than_a_real_holds_is_text_and_says_so() -> None:
    rule = rule_for(TYPES, t.Decimal(16, 2), "SQLite", "t.c", "t")
    assert rule.loss == "is kept as text, and sorts as text: SQLite's numbers hold 15 digits"
    assert not rule_for(TYPES, t.Decimal(15, 2), "SQLite", "t.c", "t").loss


def test_an_enum_is_checked_with_its_quotes() -> None:
    rule = rule_for(TYPES, t.Enum(("it's", "b")), "SQLite", "t.c", "t")
    assert rule.restriction(t.Enum(("it's", "b")), '"c"') == "\"c\" IN ('it''s', 'b')"
