"""What the text of a CREATE statement tells, whatever way it is written."""

from __future__ import annotations

import pytest

from dialects.sqlite.declaration import Clause, read_index, read_table, read_view
from dialects.sqlite.defaults import default_of
from migrator.model import types as t
from migrator.model.objects import Default, Expression, Literal, Now


def test_constraints_of_columns_and_of_the_table_are_found_with_their_names() -> None:
    text = read_table(
        """CREATE TABLE t (
            id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,
            a TEXT COLLATE nocase CONSTRAINT a_known NOT NULL CONSTRAINT a_once UNIQUE,
            b INT CHECK (b > (1 + 2)) REFERENCES u (x, y) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT both UNIQUE (a, [b c]),
            CONSTRAINT c1 FOREIGN KEY (a, b) REFERENCES v NOT DEFERRABLE INITIALLY IMMEDIATE
            CHECK (a <> ')') -- SQLite takes table constraints without a comma between
        )"""
    )
    assert text.autoincrement
    assert text.collations == {"a": "NOCASE"}
    assert text.clauses == [
        Clause("PRIMARY KEY", "pk", columns=("id",)),
        Clause("UNIQUE", "a_once", columns=("a",)),
        Clause("CHECK", expression="b > (1 + 2)"),
        Clause("FOREIGN KEY", columns=("b",), deferrable=True, initially_deferred=True),
        Clause("UNIQUE", "both", columns=("a", "b c")),
        Clause("FOREIGN KEY", "c1", columns=("a", "b")),
        Clause("CHECK", expression="a <> ')'"),
    ]


def test_a_check_after_a_generated_column_is_no_part_of_it() -> None:
    text = read_table("CREATE TABLE t (id, d INT GENERATED ALWAYS AS (id * 2) STORED, e AS (upper('(')), CHECK (id > 0))")
    assert text.generated == {"d": "id * 2", "e": "upper('(')"}
    assert [clause.expression for clause in text.of("CHECK")] == ["id > 0"]


@pytest.mark.parametrize(
    "name", ['"a b"', "[a b]", "`a b`", "'a b'"], ids=["double quotes", "brackets", "backticks", "single quotes"]
)
def test_a_name_is_read_in_every_way_of_quoting(name: str) -> None:
    text = read_table(f"CREATE TABLE t ({name}TEXT COLLATE RTRIM, UNIQUE ({name}))")
    assert text.collations == {"a b": "RTRIM"}
    assert text.named("UNIQUE", [("A B", "RTRIM")]) is not None


def test_conflict_clauses_are_found() -> None:
    text = read_table("CREATE TABLE t (a INT NOT NULL ON CONFLICT IGNORE, b INT UNIQUE ON CONFLICT REPLACE)")
    assert [(clause.kind, clause.on_conflict) for clause in text.clauses] == [("NOT NULL", "IGNORE"), ("UNIQUE", "REPLACE")]


def test_words_in_types_comments_and_strings_are_no_constraints() -> None:
    text = read_table("CREATE TABLE t (a INT auto_increment DEFAULT 'UNIQUE, CHECK (1)' /* PRIMARY KEY */, b [x,y])")
    assert text.clauses == []


def test_an_index_is_read_with_expressions_collations_and_condition() -> None:
    keys, where = read_index("CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE DESC, lower(b || ','), \"c d\") WHERE a > 0 ;")
    assert keys == [("a", "NOCASE"), ("lower(b || ',')", ""), ('"c d"', "")]
    assert where == "a > 0"


def test_a_view_is_read_with_its_columns() -> None:
    assert read_view('CREATE TEMP VIEW IF NOT EXISTS "as" (a, [b c]) AS SELECT 1, 2 ;') == (("a", "b c"), "SELECT 1, 2")
    assert read_view("CREATE VIEW v AS\n SELECT x AS y FROM t") == ((), "SELECT x AS y FROM t")


@pytest.mark.parametrize(
    ("sql", "type_", "expected"),
    [
        (None, t.String(), None),
        ("NULL", t.String(), None),
        ("'it''s'", t.String(), Literal("it's")),
        ('""', t.String(), Literal("")),
        ("'0'", t.Integer(), Literal("0", "number")),
        ("(-1)", t.Integer(), Literal("-1", "number")),
        ("0x1F", t.Integer(), Literal("31", "number")),
        ("-0X1f", t.Integer(), Literal("-31", "number")),
        ("0xFFFFFFFFFFFFFFFF", t.Integer(), Literal("-1", "number")),
        ("1.50", t.Decimal(5, 2), Literal("1.50", "number")),
        ("0", t.String(), Literal("0")),
        ("1", t.Boolean(), Literal("1", "boolean")),
        ("TRUE", t.Boolean(), Literal("1", "boolean")),
        ("true", t.Integer(), Literal("1", "number")),
        ("x'0aff'", t.Binary(), Literal("0AFF", "binary")),
        ("CURRENT_TIMESTAMP", t.Timestamp(), Now("timestamp", 0, utc=True)),
        ("current_date", t.Date(), Now("date", utc=True)),
        ("(strftime('%Y-%m-%d %H:%M:%f', 'now'))", t.Timestamp(), Now("timestamp", 3, utc=True)),
        ("(strftime('%H:%M:%f', 'now', 'localtime'))", t.Time(), Now("time", 3)),
        ("(substr(strftime('%H:%M:%f', 'now'), 1, 10))", t.Time(), Now("time", 1, utc=True)),
        ("(substr(strftime('%Y-%m-%d %H:%M:%f', 'now', 'localtime'), 1, 22))", t.Timestamp(), Now("timestamp", 2)),
        (
            "(substr(strftime('%Y-%m-%d %H:%M:%f', 'now'), 1, 21) || '+00:00')",
            t.Timestamp(zoned=True),
            Now("timestamp", 1, utc=True),
        ),
        ("DATETIME('now', 'localtime')", t.Timestamp(), Now("timestamp", 0)),
        ("(strftime('%Y-%m-%d %H:%M:%S+00:00', 'now'))", t.Timestamp(zoned=True), Now("timestamp", 0, utc=True)),
        ("(strftime('%Y-%m-%dT%H:%M:%fZ','now'))", t.Timestamp(zoned=True), Now("timestamp", 3, utc=True)),
        ("strftime('%Y-%m-%dT%H:%M:%fZ','now')", t.String(), Expression("strftime('%Y-%m-%dT%H:%M:%fZ','now')", "sqlite")),
        ("strftime('%Y-%M-%d %H:%m:%S','now')", t.String(), Expression("strftime('%Y-%M-%d %H:%m:%S','now')", "sqlite")),
        ("strftime('%Y-%m-%d %H:%M:%s','now')", t.String(), Expression("strftime('%Y-%m-%d %H:%M:%s','now')", "sqlite")),
        ("STRFTIME('%Y-%m-%d %H:%M:%S', 'now')", t.String(), Now("timestamp", 0, utc=True)),
        ("abc", t.String(), Literal("abc")),
        ("1.5e+300", t.Float(), Literal("1.5e+300", "number")),
        ("'101'", t.Bit(3), Literal("101", "bit")),
        ("abs(random())", t.Integer(), Expression("abs(random())", "sqlite")),
    ],
)
def test_a_default_means_what_the_column_would_store(sql: str | None, type_: t.Type, expected: Default | None) -> None:
    assert default_of(sql, type_) == expected


@pytest.mark.parametrize(
    ("sql", "type_"), [("'\"0\"'", t.Integer()), ("0", t.Timestamp()), ("2", t.Boolean()), ("5", t.Binary())]
)
def test_a_default_that_the_type_does_not_hold_is_refused(sql: str, type_: t.Type) -> None:
    with pytest.raises(ValueError, match="no value of the column's type"):
        default_of(sql, type_)
