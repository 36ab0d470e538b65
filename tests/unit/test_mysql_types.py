"""MySQL's type table: what a COLUMN_TYPE means, and how neutral types are declared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.mysql import ADAPTER
from dialects.mysql.dictionary import as_written, expression_default, text_default, unescaped
from dialects.mysql.types import TYPES, is_unsigned, neutral, srid_of, unsaid, with_srid
from migrator.adapter import rule_for
from migrator.errors import UnsupportedType
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Expression, Literal, NewUuid, NextValue, Now, QName

MEANINGS = [
    ("tinyint(1)", t.Integer(8, display=1)),
    ("tinyint(4)", t.Integer(8)),
    ("tinyint(1) unsigned", t.Integer(8, unsigned=True)),
    ("smallint(5) unsigned", t.Integer(16, unsigned=True)),
    ("mediumint(9)", t.Integer(24)),
    ("int(11)", t.Integer(32)),
    ("int", t.Integer(32)),
    ("int(5) unsigned zerofill", t.Integer(32, unsigned=True)),
    ("bigint(20) unsigned", t.Integer(64, unsigned=True)),
    ("decimal(65,30)", t.Decimal(65, 30)),
    ("decimal(10,2) unsigned", t.Decimal(10, 2)),
    ("float(7,3)", t.Float(32)),
    ("double", t.Float(64)),
    ("bit(64)", t.Bit(64)),
    ("char(0)", t.String(0, fixed=True)),
    ("varchar(255)", t.String(255)),
    ("tinytext", t.String(255, unit="byte", lob=True)),
    ("mediumtext", t.String(16_777_215, unit="byte", lob=True)),
    ("longtext", t.String(None, lob=True)),
    ("binary(16)", t.Binary(16, fixed=True)),
    ("varbinary(8)", t.Binary(8)),
    ("blob", t.Binary(65_535, lob=True)),
    ("longblob", t.Binary(None, lob=True)),
    ("date", t.Date()),
    ("datetime", t.Timestamp(0)),
    ("datetime(6)", t.Timestamp(6)),
    ("timestamp(3)", t.Timestamp(3, zoned=True)),
    ("time(2)", t.Interval("day_second", 2)),
    ("year(4)", t.Year()),
    ("json", t.Json(binary=True)),
    ("uuid", t.Uuid()),
    ("inet6", t.Native("mysql", "inet6")),
    ("point", t.Native("mysql", "point")),
    ("enum('a','it''s','x,y',')')", t.Enum(("a", "it's", "x,y", ")"))),
    ("set('read','write')", t.SetOf(("read", "write"))),
]


@pytest.mark.parametrize(("declaration", "meaning"), MEANINGS, ids=[declaration for declaration, _ in MEANINGS])
def test_a_column_type_means_a_neutral_type(declaration: str, meaning: t.Type) -> None:
    assert neutral(declaration) == meaning


@pytest.mark.parametrize("declaration", ["", "made up", "xmltype"])
def test_an_unknown_column_type_means_nothing(declaration: str) -> None:
    assert neutral(declaration) is None


@given(st.lists(st.text(st.characters(exclude_characters="\\", exclude_categories=("Cs",)), max_size=8), min_size=1))
def test_labels_are_read_as_they_were_written(labels: list[str]) -> None:
    written = ",".join("'" + label.replace("'", "''") + "'" for label in labels)
    assert neutral(f"enum({written})") == t.Enum(tuple(labels))


def test_a_label_does_not_make_an_enum_unsigned() -> None:
    assert not is_unsigned("enum('a unsigned b')")


DECLARED = [
    (t.Boolean(), "tinyint(1)"),
    (t.Integer(24, unsigned=True), "mediumint unsigned"),
    (t.Integer(8, display=1), "tinyint(1)"),
    (t.Decimal(65, 30), "decimal(65,30)"),
    (t.Decimal(5), "decimal(5,0)"),
    (t.Decimal(3, -2), "decimal(5,0)"),
    (t.Decimal(2, 7), "decimal(7,7)"),
    (t.Float(32), "float"),
    (t.String(255, fixed=True), "char(255)"),
    (t.String(10), "varchar(10)"),
    (t.String(10, unit="byte"), "varchar(10)"),
    (t.String(20_000), "mediumtext"),
    (t.String(), "longtext"),
    (t.String(300, unit="byte", lob=True), "text"),
    (t.Binary(20), "varbinary(20)"),
    (t.Binary(), "longblob"),
    (t.Timestamp(3), "datetime(3)"),
    (t.Timestamp(0), "datetime"),
    (t.Time(6), "time(6)"),
    (t.Uuid(), "char(36) character set ascii"),
    (t.Bit(64), "bit(64)"),
    (t.Bit(65), "varchar(65)"),
    (t.Enum(("it's", "back\\slash")), "enum('it''s','back\\\\slash')"),
    (t.Enum(("a", "")), "enum('a','')"),
    (t.Enum(("a ", "abc")), "varchar(3)"),
    (t.Enum(()), "varchar(1)"),
    (t.SetOf(("a ", "b")), "longtext"),
    (t.SetOf(("a,b", "c")), "longtext"),
    (t.Native("mysql", "inet6"), "inet6"),
]


@pytest.mark.parametrize(("type_", "declaration"), DECLARED, ids=[str(type_) for type_, _ in DECLARED])
def test_a_neutral_type_is_declared(type_: t.Type, declaration: str) -> None:
    assert rule_for(TYPES, type_, "MySQL", "c", "t").declare(type_) == declaration


@pytest.mark.parametrize(
    ("type_", "declaration"),
    [
        (t.Enum(("x" * 256,)), "varchar(256)"),
        (t.Enum(tuple(map(str, range(65_536)))), "varchar(5)"),
        (t.SetOf(tuple(map(str, range(65)))), "longtext"),
    ],
    ids=["long label", "many labels", "many members"],
)
def test_what_has_too_many_labels_is_a_text(type_: t.Type, declaration: str) -> None:
    assert rule_for(TYPES, type_, "MySQL", "c", "t").declare(type_) == declaration


@pytest.mark.parametrize(
    "type_",
    [
        t.Decimal(),
        t.Decimal(66, 2),
        t.Decimal(40, 31),
        t.Decimal(3, -2),
        t.Timestamp(9),
        t.Timestamp(zoned=True),
        t.Time(zoned=True),
        t.Interval(),
        t.Json(),
        t.Xml(),
        t.Bit(8, varying=True),
        t.Array(t.Integer()),
    ],
    ids=str,
)
def test_a_declaration_that_keeps_less_says_what_is_lost(type_: t.Type) -> None:
    assert rule_for(TYPES, type_, "MySQL", "c", "t").loss


def test_every_row_of_the_type_table_has_a_reason() -> None:
    assert all(rule.reason for rule in TYPES)


def test_a_type_of_another_database_becomes_its_text_which_is_named() -> None:
    rule = rule_for(TYPES, t.Native("postgresql", "tsvector"), ADAPTER.title, "films.fulltext", "films")
    assert (rule.sql, rule.loss) == ("longtext", "is kept as the text its database prints")


def test_a_type_without_a_text_form_is_refused_by_the_columns_name() -> None:
    with pytest.raises(UnsupportedType, match=r"films\.clip has type BFILE, which has no equivalent in MySQL"):
        rule_for(TYPES, t.Native("oracle", "BFILE", opaque=True), ADAPTER.title, "films.clip", "films")


# --- defaults -------------------------------------------------------------------------------------------------------

DEFAULTS = [
    ("NULL", t.String(5), None),
    ("'NULL'", t.String(5), Literal("NULL")),
    ("'it''s'", t.String(5), Literal("it's")),
    (r"'back\\slash'", t.String(9), Literal("back\\slash")),
    (r"'a\0b\n'", t.String(9), Literal("a\0b\n")),
    ("5", t.Integer(), Literal("5", "number")),
    ("-1.50", t.Decimal(10, 2), Literal("-1.50", "number")),
    ("b'101'", t.Bit(3), Literal("101", "bit")),
    (r"'ab\0\0'", t.Binary(4), Literal("61620000", "binary")),
    ("current_timestamp()", t.Timestamp(0), Now("timestamp", 0)),
    ("cast(current_timestamp() as datetime)", t.Timestamp(6), Now("timestamp", 0)),
    ("cast(now() as datetime)", t.Timestamp(6), Now("timestamp", 0)),
    (
        "cast(current_timestamp(2) as datetime)",
        t.Timestamp(6),
        Expression("cast(current_timestamp(2) as datetime)", "mysql"),
    ),
    ("curtime()", t.Time(6), Now("time", 0)),
    ("current_timestamp(3)", t.Timestamp(3), Now("timestamp", 3)),
    ("curdate()", t.Date(), Now("date")),
    ("utc_timestamp(3)", t.Timestamp(3), Now("timestamp", 3, utc=True)),
    ("utc_date()", t.Date(), Now("date", utc=True)),
    ("uuid()", t.Uuid(), NewUuid(1)),
    ("uuid_v4()", t.Uuid(), NewUuid()),
    ("nextval(`s`.`a``b`)", t.Integer(64), NextValue(QName("s", "a`b"))),
    ("concat('a','b')", t.String(5), Expression("concat('a','b')", "mysql")),
    ("'0000-00-00'", t.Date(), Literal("0000-00-00")),
]


@pytest.mark.parametrize(("sql", "type_", "default"), DEFAULTS, ids=[sql for sql, _, _ in DEFAULTS])
def test_a_default_that_mariadb_tells_as_an_expression(sql: str, type_: t.Type, default: object) -> None:
    assert expression_default(sql, type_) == default


@pytest.mark.parametrize(
    ("text", "type_", "default"),
    [
        ("it's", t.String(5), Literal("it's")),
        ("5", t.Integer(), Literal("5", "number")),
        ("5", t.String(5), Literal("5")),
        ("b'101'", t.Bit(3), Literal("101", "bit")),
        ("0x00FF", t.Binary(2), Literal("307830304646", "binary")),
    ],
)
def test_a_default_that_mysql_tells_as_a_text(text: str, type_: t.Type, default: object) -> None:
    assert text_default(text, type_) == default


@given(st.text())
def test_a_string_literal_means_what_was_written(text: str) -> None:
    written = ADAPTER.ddl(Catalog("mysql", "")).literal(text)
    assert unescaped(written[1:-1]) == text


@pytest.mark.parametrize(
    ("told", "written"),
    [
        (r"(`s` <> _utf8mb4\'plain\')", "(`s` <> 'plain')"),
        (r"_utf8mb4\'it\\\'s\'", r"'it\'s'"),
        (r"_utf8mb4\'a\\\\b\'", r"'a\\b'"),
        (r"(`x_utf8` = _latin1\'see _utf8mb4\')", "(`x_utf8` = 'see _utf8mb4')"),
        ("json_array()", "json_array()"),
    ],
)
def test_expressions_of_mysqls_information_schema_are_read_as_they_were_written(told: str, written: str) -> None:
    assert as_written(told) == written


@pytest.mark.parametrize(
    ("mariadb", "declaration"), [(True, "point /*M!100301 REF_SYSTEM_ID=4326*/"), (False, "point /*!80003 SRID 4326*/")]
)
def test_a_column_declared_for_an_srid_says_so_in_words_of_its_own_server(mariadb: bool, declaration: str) -> None:
    assert with_srid("point", 4326, mariadb=mariadb) == declaration
    assert neutral(declaration) == t.Native("mysql", "point")
    assert srid_of(declaration) == 4326
    assert unsaid(declaration).startswith("that its SRID is 4326 is not declared; the text is the hexadecimal digits")
    assert srid_of("point") is None
    assert srid_of("enum('SRID 7')") is None
