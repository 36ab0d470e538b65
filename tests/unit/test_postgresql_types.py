"""What PostgreSQL's types mean, and how it declares those of others."""

from __future__ import annotations

import pytest

from dialects.postgresql import ADAPTER
from dialects.postgresql.types import NATIVE, TYPES, is_spelling, neutral, quote
from migrator.adapter import rule_for
from migrator.errors import UnsupportedType
from migrator.model import types as t

NUMERIC_4_2 = (4 << 16 | 2) + 4
NUMERIC_3_MINUS_2 = (3 << 16 | (-2 & 0x7FF)) + 4
YEAR_TO_MONTH = 6 << 16 | 0xFFFF
DAY_TO_SECOND_3 = (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12) << 16 | 3


@pytest.mark.parametrize(
    ("name", "modifier", "meaning"),
    [
        ("bool", -1, t.Boolean()),
        ("int2", -1, t.Integer(16)),
        ("int4", -1, t.Integer(32)),
        ("int8", -1, t.Integer(64)),
        ("numeric", -1, t.Decimal()),
        ("numeric", NUMERIC_4_2, t.Decimal(4, 2)),
        ("numeric", NUMERIC_3_MINUS_2, t.Decimal(3, -2)),
        ("float4", -1, t.Float(32)),
        ("float8", -1, t.Float(64)),
        ("text", -1, t.String()),
        ("varchar", -1, t.String()),
        ("varchar", 14, t.String(10)),
        ("bpchar", 9, t.String(5, fixed=True)),
        ("bpchar", -1, t.String()),
        ("bytea", -1, t.Binary()),
        ("date", -1, t.Date()),
        ("time", -1, t.Time(6)),
        ("timetz", 0, t.Time(0, zoned=True)),
        ("timestamp", 3, t.Timestamp(3)),
        ("timestamptz", -1, t.Timestamp(6, zoned=True)),
        ("interval", -1, t.Interval()),
        ("interval", YEAR_TO_MONTH, t.Interval("year_month")),
        ("interval", DAY_TO_SECOND_3, t.Interval("mixed", 3)),
        ("json", -1, t.Json()),
        ("jsonb", -1, t.Json(binary=True)),
        ("uuid", -1, t.Uuid()),
        ("xml", -1, t.Xml()),
        ("bit", 3, t.Bit(3)),
        ("varbit", 9, t.Bit(9, varying=True)),
        ("varbit", -1, t.Bit(None, varying=True)),
    ],
)
def test_a_native_type_has_a_neutral_meaning(name: str, modifier: int, meaning: t.Type) -> None:
    assert neutral(name, modifier, "") == meaning


def test_every_native_rule_is_tried_above() -> None:
    cases = test_a_native_type_has_a_neutral_meaning.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {rule.name for rule in NATIVE} == {name for name, _, _ in cases}


def test_a_type_of_postgresql_alone_keeps_its_declaration() -> None:
    assert neutral("inet", -1, "inet") == t.Native("postgresql", "inet")


DECLARATIONS: list[tuple[t.Type, str]] = [
    (t.Boolean(), "boolean"),
    (t.Integer(8, unsigned=True), "smallint"),
    (t.Integer(16, unsigned=True), "integer"),
    (t.Integer(24, unsigned=True), "integer"),
    (t.Integer(32, unsigned=True), "bigint"),
    (t.Integer(64, unsigned=True), "numeric(20,0)"),
    (t.Integer(8), "smallint"),
    (t.Integer(16), "smallint"),
    (t.Integer(24), "integer"),
    (t.Integer(32), "integer"),
    (t.Integer(64), "bigint"),
    (t.Decimal(), "numeric"),
    (t.Decimal(10), "numeric(10,0)"),
    (t.Decimal(1000, 500), "numeric(1000,500)"),
    (t.Decimal(3, -2), "numeric(3,-2)"),
    (t.Decimal(1200, 0), "numeric"),
    (t.Float(32), "real"),
    (t.Float(64), "double precision"),
    (t.String(), "text"),
    (t.String(100, lob=True), "text"),
    (t.String(10), "character varying(10)"),
    (t.String(10, fixed=True), "character(10)"),
    (t.String(0), "character varying(1)"),
    (t.String(10_485_761), "text"),
    (t.String(10, unit="byte"), "character varying(10)"),
    (t.String(10, fixed=True, unit="byte"), "character(10)"),
    (t.Binary(), "bytea"),
    (t.Binary(16, fixed=True), "bytea"),
    (t.Binary(16), "bytea"),
    (t.Date(), "date"),
    (t.Time(), "time without time zone"),
    (t.Time(3), "time(3) without time zone"),
    (t.Time(zoned=True), "time with time zone"),
    (t.Time(9, zoned=True), "time with time zone"),
    (t.Time(9), "time without time zone"),
    (t.Timestamp(), "timestamp without time zone"),
    (t.Timestamp(0, zoned=True), "timestamp(0) with time zone"),
    (t.Timestamp(9), "timestamp without time zone"),
    (t.Timestamp(9, zoned=True), "timestamp with time zone"),
    (t.Interval(), "interval"),
    (t.Interval("day_second", 3), "interval(3)"),
    (t.Interval("year_month"), "interval year to month"),
    (t.Interval("day_second", 9), "interval"),
    (t.Year(), "smallint"),
    (t.Json(binary=True), "jsonb"),
    (t.Json(), "json"),
    (t.Uuid(), "uuid"),
    (t.Xml(), "xml"),
    (t.Bit(8), "bit(8)"),
    (t.Bit(8, varying=True), "bit varying(8)"),
    (t.Bit(None, varying=True), "bit varying"),
    (t.Enum(("a",), "Mood", "s"), 's."Mood"'),
    (t.Enum(("a", "b")), "text"),
    (t.SetOf(("a", "b")), "text"),
    (t.Array(t.Array(t.Integer(32))), "integer[][]"),
    (t.Array(t.Enum(("a",), "mood", "s")), "s.mood[]"),
    (t.Domain("s", "posint", t.Integer(32)), "s.posint"),
    (t.Native("mysql", "geometry"), "text"),
    (t.Native("postgresql", "inet"), "inet"),
]


@pytest.mark.parametrize(("type_", "declaration"), DECLARATIONS, ids=[repr(type_) for type_, _ in DECLARATIONS])
def test_a_neutral_type_has_a_declaration(type_: t.Type, declaration: str) -> None:
    assert rule_for(TYPES, type_, "PostgreSQL", "c", "t").declare(type_) == declaration


def test_every_row_of_the_table_is_tried_above() -> None:
    tried = {id(rule_for(TYPES, type_, "PostgreSQL", "c", "t")) for type_, _ in DECLARATIONS}
    assert [rule for rule in TYPES if id(rule) not in tried] == []


@pytest.mark.parametrize(
    ("type_", "check"),
    [
        (t.Integer(8, unsigned=True), "c >= 0 AND c <= 255"),
        (t.Integer(24, unsigned=True), "c >= 0 AND c <= 16777215"),
        (t.Integer(64, unsigned=True), "c >= 0 AND c <= 18446744073709551615"),
        (t.Integer(8), ""),
        (t.Year(), "c = 0 OR c >= 1901 AND c <= 2155"),
        (t.Enum(("it's", "{b}")), "c IN ('it''s', '{b}', '')"),
        (t.String(10, unit="byte"), "octet_length(c) <= 10"),
        (t.Binary(16, fixed=True), "octet_length(c) = 16"),
        (t.String(0), "c = ''"),
    ],
)
def test_a_check_restores_the_range_that_a_wider_type_lets_in(type_: t.Type, check: str) -> None:
    assert rule_for(TYPES, type_, "PostgreSQL", "c", "t").restriction(type_, "c") == check


@pytest.mark.parametrize(
    "type_", [t.Time(9), t.Timestamp(9), t.Timestamp(9, zoned=True), t.SetOf(("a",)), t.String(1 << 30), t.Decimal(2000)]
)
def test_what_a_declaration_cannot_keep_is_a_named_loss(type_: t.Type) -> None:
    assert rule_for(TYPES, type_, "PostgreSQL", "c", "t").loss


@pytest.mark.parametrize("type_", [t.Integer(24, unsigned=True), t.Year(), t.Uuid(), t.Bit(1), t.Json(), t.Decimal(3, -2)])
def test_a_wider_type_with_its_range_restored_loses_nothing(type_: t.Type) -> None:
    assert not rule_for(TYPES, type_, "PostgreSQL", "c", "t").loss


def test_a_type_of_another_database_becomes_its_text_which_is_named() -> None:
    rule = rule_for(TYPES, t.Native("mysql", "geometry"), "PostgreSQL", "t.shape", "t")
    assert (rule.sql, rule.loss) == ("text", "is kept as the text its database prints")


def test_a_type_without_a_text_form_is_refused_by_the_columns_name() -> None:
    with pytest.raises(UnsupportedType, match=r"t\.file has type BFILE, which has no equivalent in PostgreSQL"):
        rule_for(TYPES, t.Native("oracle", "BFILE", opaque=True), "PostgreSQL", "t.file", "t")


@pytest.mark.parametrize(
    ("declaration", "kept"),
    [
        ("character varying", True),
        ("character varying[]", True),
        ("timestamp(6) with time zone", True),
        ("interval day to second(3)", True),
        ("bpchar", True),
        ("character varying(10)", False),
        ("text", False),
        ("interval", False),
    ],
)
def test_a_spelling_that_the_neutral_type_does_not_tell_is_kept_at_home(declaration: str, kept: bool) -> None:
    assert is_spelling(declaration) is kept


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain_1$", "plain_1$"),
        ("Mixed", '"Mixed"'),
        ("select", '"select"'),
        ("values", '"values"'),
        ("tablesample", '"tablesample"'),
        ("1st", '"1st"'),
        ('a"b', '"a""b"'),
        ("ümläut", '"ümläut"'),
        ("", '""'),
    ],
)
def test_a_name_is_quoted_unless_it_reads_back_the_same(name: str, written: str) -> None:
    assert quote(name) == written


def test_the_adapter_declares_by_this_table() -> None:
    assert ADAPTER.types is TYPES
