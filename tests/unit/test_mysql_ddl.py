"""MySQL's DDL for objects of other databases: what MySQL cannot do is done nearest, and named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from dialects.mysql import ADAPTER
from dialects.mysql.collations import equality_of
from dialects.mysql.ddl import MySQLDDL
from dialects.mysql.dictionary import VERSIONED
from dialects.mysql.partners import common, partners
from dialects.mysql.types import with_srid
from migrator.ddl import Elsewhere, Script
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.equality import Equality
from migrator.model.objects import (
    Check,
    Column,
    Expression,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    NextValue,
    Now,
    Object,
    Partitioning,
    PrimaryKey,
    Program,
    QName,
    Sequence,
    Table,
    Unique,
)
from migrator.model.objects import Literal as Constant

MARIADB, MYSQL = (10, 11, 6), (8, 0, 40)


def table(*columns: Column, name: str = "t", **parts: Any) -> Table:
    return Table("s", name, columns, **parts)


def ddl(*objects: Object, version: tuple[int, ...] | None = MARIADB, dialect: str = "postgresql") -> MySQLDDL:
    return ADAPTER.ddl(Catalog(dialect, "", objects), version)


def create(made: Table, version: tuple[int, ...] | None = MARIADB, dialect: str = "postgresql") -> Script:
    return ddl(made, version=version, dialect=dialect).create_table(made)


def rules(script: Script) -> set[str]:
    return {loss.rule for loss in script.losses}


# --- columns that foreign keys join ---------------------------------------------------------------------------------


def test_the_type_of_joined_columns_is_found_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are; an entry names some of them."""
    asked: list[int] = []

    def counted(declared: Collection[str], numbered: bool) -> str | None:
        asked.append(len(declared))
        return common(list(declared), numbered)

    monkeypatch.setattr("dialects.mysql.ddl.common", counted)
    parent = table(Column("id", t.Integer(64)), name="p", primary_key=PrimaryKey(None, ("id",)))
    number = Column("p", t.Integer(32))
    keys = (ForeignKey(None, ("p",), parent.qname, ("id",)),)
    children = [table(number, name=f"c{n}", foreign_keys=keys) for n in range(40)]
    made = ddl(parent, *children)
    told = [made.declared(child, number) for child in children]
    assert asked == [41]
    assert {one.sql for one in told} == {"bigint"}
    assert told[1].loss == (
        "is bigint here, not int: foreign keys join it with p.id, c0.p, c2.p, c3.p, c4.p, c5.p, c6.p, c7.p and 32 more,"
        " and want one type of all"
    )


def test_chains_and_cycles_of_keys_join_columns_whatever_comes_first() -> None:
    def referring(name: str, to: str) -> Table:
        return table(
            Column("id", t.Integer()), name=name, foreign_keys=(ForeignKey(None, ("id",), QName("s", to), ("id",)),)
        )

    def groups(*tables: Table) -> set[tuple[str, ...]]:
        found = partners(tables).values()
        return {(one.lead[0].name, *(member.name for member, _ in one.members)) for one in found}

    root = table(Column("id", t.Integer()), name="r")
    chain = [referring("c", "b"), referring("b", "a"), referring("a", "r")]
    assert groups(*chain, root) == {("r", "c", "b", "a", "r")}
    assert groups(root, *reversed(chain)) == {("r", "r", "a", "b", "c")}
    assert groups(referring("x", "y"), referring("y", "z"), referring("z", "x")) == {("x", "x", "y", "z")}
    assert groups(referring("x", "x"), referring("y", "nowhere"), root) == set()
    assert groups(*chain, root, referring("x", "y"), referring("y", "x")) == {("r", "c", "b", "a", "r"), ("x", "x", "y")}


# --- the sizes of rows and keys -------------------------------------------------------------------------------------


def test_a_text_in_a_key_is_bounded_by_what_a_key_holds_and_named() -> None:
    script = create(table(Column("k", t.String(), nullable=False), primary_key=PrimaryKey(None, ("k",))))
    assert "`k` varchar(768) NOT NULL" in script.statements[0]
    assert "key-length" in rules(script)


def test_the_texts_of_a_key_share_its_place() -> None:
    columns = Column("a", t.String()), Column("b", t.String(5000)), Column("n", t.Integer())
    script = create(table(*columns, uniques=(Unique("u", ("a", "b", "n")),)))
    assert "`a` varchar(383)" in script.statements[0]
    assert "`b` varchar(383)" in script.statements[0]


def test_a_text_that_fits_its_key_stays_as_it_is() -> None:
    script = create(table(Column("k", t.String(100)), uniques=(Unique("u", ("k",)),)))
    assert "`k` varchar(100)" in script.statements[0]
    assert script.losses == ()


def test_texts_leave_the_row_until_it_fits_and_keep_their_length_as_a_check() -> None:
    script = create(table(*(Column(f"c{i}", t.String(4000 + i)) for i in range(6))))
    assert "`c5` mediumtext" in script.statements[0] or "`c5` text" in script.statements[0]
    assert "CHECK (char_length(`c5`) <= 4005)" in script.statements[0]
    assert "`c0` varchar(4000)" in script.statements[0]


def test_an_index_over_a_long_text_covers_a_prefix_and_says_so() -> None:
    made = table(Column("x", t.String()), indexes=(Index("i", (IndexKey("x"),)),))
    script = ddl(made).index(made, made.indexes[0])
    assert script.statements == ("CREATE INDEX `i` ON `s`.`t` (`x`(768))",)
    assert rules(script) == {"index-prefix"}


# --- indexes --------------------------------------------------------------------------------------------------------


def test_a_partial_unique_index_never_becomes_one_over_all_rows() -> None:
    where = Expression("deleted IS NULL", "postgresql")
    made = table(Column("x", t.Integer()), indexes=(Index("i", (IndexKey("x"),), unique=True, where=where),))
    script = ddl(made).index(made, made.indexes[0])
    assert script.statements == ()
    assert rules(script) == {"index-partial"}


def test_a_partial_index_becomes_one_over_all_rows_and_says_so() -> None:
    made = table(Column("x", t.Integer()), indexes=(Index("i", (IndexKey("x"),), where=Expression("x > 0", "postgresql")),))
    script = ddl(made).index(made, made.indexes[0])
    assert script.statements == ("CREATE INDEX `i` ON `s`.`t` (`x`)",)
    assert rules(script) == {"index-partial"}


@pytest.mark.parametrize(("version", "statements"), [(MARIADB, 0), (MYSQL, 1)], ids=["MariaDB", "MySQL"])
def test_an_index_over_an_expression_is_for_mysql_only(version: tuple[int, ...], statements: int) -> None:
    key = IndexKey(expression=Expression("length(x)", "postgresql"))
    made = table(Column("x", t.String(10)), indexes=(Index("i", (key,)),))
    script = ddl(made, version=version).index(made, made.indexes[0])
    assert len(script.statements) == statements
    assert bool(script.losses) is not bool(statements)


def test_words_of_an_index_key_that_only_the_source_has_are_named() -> None:
    made = table(Column("v", t.String(20)))
    index = Index("ix", (IndexKey("v", nulls_first=True, opclass="text_pattern_ops", collation='"C"'),))
    script = ddl(made).index(made, index)
    assert script.statements == ("CREATE INDEX `ix` ON `s`.`t` (`v`)",)
    assert rules(script) == {"index-nulls", "index-opclass", "index-collation"}


def test_a_hash_index_becomes_an_ordinary_one_and_says_so() -> None:
    made = table(Column("x", t.Integer()), indexes=(Index("i", (IndexKey("x"),), method="hash"),))
    script = ddl(made).index(made, made.indexes[0])
    assert script.statements == ("CREATE INDEX `i` ON `s`.`t` (`x`)",)
    assert [loss.detail for loss in script.losses] == ["index i (hash) becomes an ordinary index"]


def test_an_index_of_an_unknown_method_is_left_out() -> None:
    made = table(Column("x", t.String(10)), indexes=(Index("i", (IndexKey("x"),), method="gin"),))
    assert ddl(made).index(made, made.indexes[0]).statements == ()


# --- identities and sequences ---------------------------------------------------------------------------------------

ID = Column("id", t.Integer(64), nullable=False, identity=Identity(next_value=42))
KEY = PrimaryKey("pk", ("id",))


def test_an_identity_becomes_auto_increment_and_goes_on_where_it_stood() -> None:
    made = table(ID, primary_key=KEY)
    assert "`id` bigint NOT NULL AUTO_INCREMENT" in create(made).statements[0]
    assert ddl(made).position(made).statements == ("ALTER TABLE `s`.`t` AUTO_INCREMENT = 42",)


def test_a_default_from_the_columns_own_sequence_becomes_auto_increment() -> None:
    sequence = Sequence("s", "t_id_seq", next_value=42, owner=("t", "id"))
    made = table(Column("id", t.Integer(), nullable=False, default=NextValue(QName("s", "t_id_seq"))), primary_key=KEY)
    writer = ddl(sequence, made)
    assert "`id` int NOT NULL AUTO_INCREMENT" in writer.create_table(made).statements[0]
    made_of_it = writer.create_sequence(sequence)
    assert (made_of_it.statements, [loss.rule for loss in made_of_it.losses]) == ((), ["sequence-identity"])
    assert writer.position(sequence) == Script()
    assert writer.position(made).statements == ("ALTER TABLE `s`.`t` AUTO_INCREMENT = 42",)


def test_a_key_that_auto_increment_needs_stands_in_create_table_and_only_there() -> None:
    unique = Unique("u", ("id",))
    made = table(ID, Column("x", t.Integer()), primary_key=PrimaryKey(None, ("x",)), uniques=(unique,))
    assert "UNIQUE (`id`)" in create(made).statements[0]
    assert ddl(made).unique(made, unique) == Script(elsewhere=Elsewhere.KEPT)


@pytest.mark.parametrize(
    "made",
    [
        table(ID),
        table(Column("id", t.Integer(), identity=Identity(increment=-1)), primary_key=KEY),
        table(Column("id", t.Decimal(10, 2), identity=Identity()), primary_key=KEY),
    ],
    ids=["in no key", "counts down", "is no integer"],
)
def test_an_identity_that_cannot_be_auto_increment_is_named(made: Table) -> None:
    script = create(made)
    assert "AUTO_INCREMENT" not in script.statements[0]
    assert "identity" in rules(script)


def test_what_a_generator_does_otherwise_is_named() -> None:
    made = table(replace(ID, identity=Identity(always=True, maximum=99)), primary_key=KEY)
    assert rules(create(made)) == {"identity-always", "identity-bounds", "key-name"}


def test_a_column_that_is_computed_from_auto_increment_becomes_an_ordinary_one() -> None:
    of_id, of_x = (
        Column(f"{name}2", t.Integer(), generated=Generated(Expression(f"{name} * 2", "postgresql"))) for name in ("id", "x")
    )
    made = create(table(ID, Column("x", t.Integer()), of_id, of_x, primary_key=KEY))
    assert "`id2` int,\n    `x2` int GENERATED ALWAYS AS (`x` * 2) STORED" in made.statements[0]
    assert [(loss.rule, loss.column) for loss in made.losses if loss.column] == [("generated", "id2")]


def test_mysql_names_a_sequence_as_a_loss_and_mariadb_makes_it() -> None:
    sequence = Sequence("s", "q", start=5, increment=2)
    assert ddl(sequence, version=MARIADB).create_sequence(sequence).statements
    assert rules(ddl(sequence, version=MYSQL).create_sequence(sequence)) == {"sequence"}


# --- constraints ----------------------------------------------------------------------------------------------------


def key(name: str | None = "fk", **parts: Any) -> ForeignKey:
    return ForeignKey(name, ("id",), QName("s", "p"), ("id",), **parts)


def test_set_default_and_deferral_are_named_and_left_out() -> None:
    made = table(Column("id", t.Integer()), foreign_keys=(key(on_delete="SET DEFAULT", deferrable=True),))
    script = ddl(made).foreign_key(made, made.foreign_keys[0])
    expected = (
        "ALTER TABLE `s`.`t` ADD CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `s`.`p` (`id`)"
        " ON DELETE NO ACTION ON UPDATE NO ACTION"
    )
    assert script.statements == (expected,)
    assert rules(script) == {"set-default", "deferrable", "foreign-key"}


def test_a_check_that_old_rows_may_break_is_left_out_where_it_cannot_be_off() -> None:
    check = Check("c", Expression("id > 0", "postgresql"), validated=False)
    made = table(Column("id", t.Integer()), checks=(check,))
    assert "check" in rules(create(made, MARIADB))
    script = create(made, MYSQL)
    assert "CHECK (id > 0) NOT ENFORCED" in script.statements[0].replace("`", "")
    assert [loss.rule for loss in script.losses] == ["check"]


def test_a_check_that_is_off_stays_off_or_is_left_out() -> None:
    made = table(Column("id", t.Integer()), checks=(Check("c", Expression("id > 0", "mysql"), enforced=False),))
    script = create(made, MYSQL, "mysql")
    assert "CHECK (id > 0) NOT ENFORCED" in script.statements[0]
    assert script.losses == ()
    assert "CHECK" not in create(made, MARIADB, "mysql").statements[0]
    assert rules(create(made, MARIADB, "mysql")) == {"check"}


@pytest.mark.parametrize("version", [MARIADB, MYSQL, None])
def test_a_foreign_key_that_rows_may_break_is_added_unchecked(version: tuple[int, ...] | None) -> None:
    key = ForeignKey("fk", ("id",), QName("s", "p"), ("id",), validated=False)
    made = table(Column("id", t.Integer()), foreign_keys=(key,))
    script = ddl(made, version=version).foreign_key(made, key)
    off, sql, on = script.statements
    assert sql.startswith("ALTER TABLE")
    assert (off, on, script.restoring) == ("SET SESSION foreign_key_checks = 0", "SET SESSION foreign_key_checks = 1", (on,))


def test_a_foreign_key_to_a_table_that_is_missing_is_looked_at_by_the_server_which_refuses_it() -> None:
    key = ForeignKey("fk", ("id",), QName("s", "p"), ("id",), validated=False)
    made = table(Column("id", t.Integer()), foreign_keys=(key,))
    writer = ddl(made, version=MARIADB)
    writer.absent = {key.referred}
    (sql,) = writer.foreign_key(made, key).statements
    assert sql.startswith("ALTER TABLE")


@pytest.mark.parametrize(
    ("source", "version", "untried"),
    [
        ("10.11.6-MariaDB", MARIADB, False),
        ("8.0.40", MARIADB, True),
        ("10.11.6-MariaDB", MYSQL, True),
        ("8.0.40", MYSQL, False),
    ],
)
def test_what_one_of_the_two_servers_has_said_the_other_may_refuse(
    source: str, version: tuple[int, ...], untried: bool
) -> None:
    writer = ADAPTER.ddl(Catalog("mysql", source), version)
    assert writer.untried(Expression("uuid()", "mysql")) is untried
    assert ddl().untried(Expression("1", "postgresql"))


@pytest.mark.parametrize(
    ("source", "version", "told"),
    [
        ("10.11.6-MariaDB", MARIADB, []),
        ("10.11.6-MariaDB", MYSQL, ["that its SRID is 4326 is not declared"]),
        ("8.0.40", MARIADB, ["that its SRID is 4326 is not declared"]),
        ("8.0.40", MYSQL, []),
    ],
)
def test_neither_of_the_two_servers_reads_the_srid_of_the_others_columns(
    source: str, version: tuple[int, ...], told: list[str]
) -> None:
    declaration = with_srid("point", 4326, mariadb="MariaDB" in source)
    made = table(Column("p", t.Native("mysql", "point"), native=declaration))
    script = ADAPTER.ddl(Catalog("mysql", source, (made,)), version).create_table(made)
    assert [loss.detail for loss in script.losses] == told
    assert f"`p` {declaration}" in script.statements[0]


def test_what_a_server_refuses_is_left_out_with_its_words() -> None:
    expression = Expression("id / 2", "postgresql")
    made = table(
        Column("id", t.Integer()),
        Column("d", t.Integer(), default=expression),
        Column("g", t.Integer(), generated=Generated(expression)),
        checks=(Check("c", Expression("id > 0", "postgresql")),),
    )
    writer = ddl(made)
    said = "Function or expression cannot be used"
    writer.refused = {(made.qname, "d"): said, (made.qname, expression): said}
    script = writer.create_table(made)
    assert "DIV" not in script.statements[0]
    assert "CHECK (`id` > 0)" in script.statements[0]
    assert {loss.rule for loss in script.losses} == {"default", "generated"}
    assert all("id / 2" in loss.detail and "MariaDB refuses it: Function" in loss.detail for loss in script.losses)


# --- columns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "collation"),
    [(MARIADB, "utf8mb4_nopad_bin"), (MYSQL, "utf8mb4_0900_bin"), (None, "utf8mb4_bin")],
    ids=["MariaDB", "MySQL", "either"],
)
def test_texts_that_differ_stay_different(version: tuple[int, ...] | None, collation: str) -> None:
    made = table(Column("x", t.String(10)), uniques=(Unique("u", ("x",)),))
    assert f"COLLATE={collation}" in create(made, version).statements[0]
    assert ("trailing-blanks" in rules(ddl(made, version=version).unique(made, made.uniques[0]))) is (version is None)


@pytest.mark.parametrize(
    ("version", "wanted", "collation", "told"),
    [
        (MARIADB, Equality(case=True), "utf8mb4_general_nopad_ci", "'é' and 'É', 'e' and 'é' are equal"),
        (MYSQL, Equality(case=True), "utf8mb4_0900_as_ci", "'é' and 'É', 'é' as one character and as two are equal"),
        (None, Equality(case=True), "utf8mb4_general_ci", "'é' and 'É', 'e' and 'é', 'a' and 'a ' are equal"),
        (MARIADB, Equality(blanks=True), "utf8mb4_bin", None),
        (MYSQL, Equality(blanks=True), "utf8mb4_bin", None),
        (MARIADB, Equality(True, True, True, True), "utf8mb4_unicode_520_nopad_ci", None),
        (MYSQL, Equality(True, True, True, True), "utf8mb4_0900_ai_ci", None),
        (MYSQL, Equality(True, True, True, False, True), "utf8mb4_general_ci", None),
        (MARIADB, Equality(forms=True), "utf8mb4_nopad_bin", "'é' as one character and as two are different"),
    ],
)
def test_a_column_gets_the_collation_that_comes_nearest_and_says_what_differs(
    version: tuple[int, ...] | None, wanted: Equality, collation: str, told: str | None
) -> None:
    script = create(table(Column("x", t.String(10), equality=wanted), uniques=(Unique("u", ("x",)),)), version)
    assert f"`x` varchar(10) COLLATE {collation}" in script.statements[0]
    details = [loss.detail for loss in script.losses if loss.rule == "collation-equality"]
    assert [detail.partition(" here, ")[0] for detail in details] == ([told] if told else [])
    assert ("key-equality" in rules(script)) is (told is not None)


@pytest.mark.parametrize(
    ("column", "version", "clause"),
    [
        (Column("x", t.String(), default=Constant("a'b\\c")), MYSQL, "longtext DEFAULT ('a''b\\\\c')"),
        (Column("x", t.String(), default=Constant("a")), MARIADB, "longtext DEFAULT 'a'"),
        (Column("x", t.Boolean(), default=Constant("true", "boolean")), None, "tinyint(1) DEFAULT 1"),
        (Column("x", t.Timestamp(3), default=Now(precision=6)), None, "datetime(3) DEFAULT CURRENT_TIMESTAMP(3)"),
        (Column("x", t.Timestamp(zoned=True), default=Now()), None, "datetime(6) DEFAULT (UTC_TIMESTAMP(6))"),
        (Column("x", t.Date(), default=Now("date")), None, "date DEFAULT (CURDATE())"),
        (Column("x", t.Timestamp(3), default=Now(precision=0, utc=True)), None, "datetime(3) DEFAULT (UTC_TIMESTAMP())"),
        (Column("x", t.Timestamp(0), default=Now(precision=0)), MYSQL, "datetime DEFAULT CURRENT_TIMESTAMP"),
        (Column("x", t.Timestamp(3), default=Now(precision=2)), MYSQL, "datetime(3) DEFAULT (CURRENT_TIMESTAMP(2))"),
        (
            Column("x", t.Timestamp(3), default=Now(precision=0)),
            None,
            "datetime(3) DEFAULT (CAST(CURRENT_TIMESTAMP AS DATETIME))",
        ),
        (Column("x", t.Time(), default=Now("time", 0)), MYSQL, "time(6) DEFAULT (CURTIME())"),
        (
            Column("x", t.String(30), default=Now(precision=3, utc=True)),
            None,
            "varchar(30) DEFAULT (CAST(UTC_TIMESTAMP(3) AS CHAR))",
        ),
        (Column("x", t.Bit(3), default=Constant("101", "bit")), None, "bit(3) DEFAULT B'101'"),
    ],
)
def test_a_default_is_written_as_its_column_takes_it(column: Column, version: tuple[int, ...] | None, clause: str) -> None:
    assert f"`x` {clause}" in create(table(column), version).statements[0]


def test_the_sources_own_declaration_holds_where_it_means_the_type() -> None:
    kept = Column("a", t.Integer(32, unsigned=True), native="int(5) unsigned zerofill")
    changed = Column("b", t.String(10), native="int(11)")
    sql = create(table(kept, changed), dialect="mysql").statements[0]
    assert "`a` int(5) unsigned zerofill" in sql
    assert "`b` varchar(10)" in sql


def test_mariadbs_own_types_are_not_asked_of_mysql() -> None:
    made = table(Column("u", t.Uuid(), native="uuid"))
    assert "`u` uuid" in create(made, MARIADB, "mysql").statements[0]
    assert "`u` char(36)" in create(made, MYSQL, "mysql").statements[0]


@pytest.mark.parametrize(
    ("collation", "version", "nearest"),
    [
        ("utf8mb4_0900_ai_ci", MARIADB, "utf8mb4_unicode_520_nopad_ci"),
        ("utf8mb4_de_pb_0900_ai_ci", MARIADB, "utf8mb4_unicode_520_nopad_ci"),
        ("utf8mb4_ja_0900_as_cs_ks", MARIADB, "utf8mb4_nopad_bin"),
        ("utf8mb4_zh_0900_as_cs", MARIADB, "utf8mb4_nopad_bin"),
        ("gb18030_bin", MARIADB, "utf8mb4_bin"),
        ("gb18030_chinese_ci", MARIADB, "utf8mb4_general_ci"),
        ("utf8mb4_uca1400_german2_ai_ci", MYSQL, "utf8mb4_general_ci"),
        ("utf8mb4_uca1400_swedish_nopad_ai_ci", MYSQL, "utf8mb4_0900_ai_ci"),
        ("utf8mb3_uca1400_nopad_as_cs", MYSQL, "utf8mb4_0900_bin"),
        ("latin1_swedish_nopad_ci", MYSQL, "latin1_swedish_ci"),
    ],
)
def test_a_collation_that_the_other_server_lacks_becomes_the_nearest_and_is_named(
    collation: str, version: tuple[int, ...], nearest: str
) -> None:
    column = Column("x", t.String(9), equality=equality_of(collation, t.String(9)))
    source = "9.7.4" if version == MARIADB else "10.11.6-MariaDB"
    made = table(column, options=(("ENGINE", "InnoDB"), ("COLLATE", collation)))
    writer = ADAPTER.ddl(Catalog("mysql", source, (made,)), version)
    script = writer.create_table(made)
    assert f"DEFAULT CHARSET={nearest.partition('_')[0]} COLLATE={nearest}" in script.statements[0]
    assert writer.equality(made, column) == equality_of(nearest, column.type)
    changed = column.equality != equality_of(nearest, column.type)
    assert rules(script) == {"collation"} | ({"collation-equality"} if changed else set())


FROM_MARIADB, FROM_MYSQL = "10.11.6-MariaDB", "9.7.4"


def between(source: str, version: tuple[int, ...], *columns: Column, **parts: Any) -> Script:
    """A table of one of the two servers as the other makes it, or a server of the same product."""
    made = table(*columns, **parts)
    return ADAPTER.ddl(Catalog("mysql", source, (made,)), version).create_table(made)


@pytest.mark.parametrize(
    ("source", "version", "binary", "told"),
    [
        (FROM_MARIADB, MYSQL, False, "MySQL parses JSON"),
        (FROM_MYSQL, MARIADB, True, "is kept as its text, and compared as one"),
        (FROM_MYSQL, MYSQL, True, ""),
        (FROM_MARIADB, MARIADB, False, ""),
    ],
)
def test_a_document_is_parsed_by_mysql_and_kept_as_a_text_by_mariadb(
    source: str, version: tuple[int, ...], binary: bool, told: str
) -> None:
    script = between(source, version, Column("d", t.Json(binary=binary), native="json"))
    assert "`d` json" in script.statements[0]
    assert [loss.detail.startswith(told) for loss in script.losses if loss.rule == "type-json"] == [True] * bool(told)
    assert rules(script) <= {"type-json"}


def test_what_one_server_alone_declares_is_named_by_the_other() -> None:
    compressed = Column("c", t.String(9), native="varchar(9) /*M!100301 COMPRESSED*/")
    assert rules(between(FROM_MARIADB, MARIADB, compressed)) == set()
    lost = between(FROM_MARIADB, MYSQL, compressed).losses
    assert [(loss.rule, loss.detail) for loss in lost] == [("declaration", "values are not compressed")]


@pytest.mark.parametrize(
    ("source", "version", "declared", "kept"),
    [
        (FROM_MYSQL, (9, 7), "vector(3)", True),
        (FROM_MYSQL, (8, 4), "varbinary(12)", False),
        (FROM_MYSQL, MARIADB, "varbinary(12)", False),
        ("11.8.2-MariaDB", (11, 8), "vector(3)", True),
    ],
)
def test_a_vector_stays_one_or_becomes_its_bytes_by_name(
    source: str, version: tuple[int, ...], declared: str, kept: bool
) -> None:
    script = between(source, version, Column("v", t.Binary(12), native="vector(3)"))
    assert f"`v` {declared}" in script.statements[0]
    assert rules(script) == (set() if kept else {"declaration"})


@pytest.mark.parametrize(("word", "sql"), [("inet4", "varchar(15)"), ("inet6", "varchar(39)")])
def test_an_address_of_mariadb_becomes_its_text_in_mysql(word: str, sql: str) -> None:
    column = Column("a", t.Native("mysql", word), native=word)
    assert f"`a` {word}" in between(FROM_MARIADB, MARIADB, column).statements[0]
    script = between(FROM_MARIADB, MYSQL, column)
    assert f"`a` {sql} character set ascii" in script.statements[0]
    assert rules(script) == {"type-native"}


NUMBER = Column("id", t.Integer(32), nullable=False, native="int(11)")


def test_an_engine_that_mysql_has_not_becomes_innodb_by_name() -> None:
    script = between(FROM_MARIADB, MYSQL, NUMBER, options=(("ENGINE", "Aria"),))
    assert "ENGINE=InnoDB" in script.statements[0]
    assert [loss.detail for loss in script.losses] == ["engine Aria becomes InnoDB: MySQL has none of that name"]
    assert "ENGINE=MyISAM" in between(FROM_MARIADB, MYSQL, NUMBER, options=(("ENGINE", "MyISAM"),)).statements[0]


def test_partitions_are_innodbs_in_mysql_and_never_of_versions() -> None:
    hashed = Partitioning("mysql", "HASH (`id`)\nPARTITIONS 2", ())
    script = between(FROM_MARIADB, MYSQL, NUMBER, options=(("ENGINE", "MyISAM"),), partitioning=hashed)
    assert "ENGINE=InnoDB" in script.statements[0]
    assert "PARTITION BY HASH (`id`)" in script.statements[0]
    assert rules(script) == {"engine"}
    versions = Partitioning("mysql", "SYSTEM_TIME \n(PARTITION `p0` HISTORY, PARTITION `pc` CURRENT)", ())
    script = between(FROM_MARIADB, MYSQL, NUMBER, options=((VERSIONED, ""),), partitioning=versions)
    assert "PARTITION" not in script.statements[0]
    assert rules(script) == {"partitioning", "system-versioning"}


def test_a_floating_point_column_that_mysql_does_not_count_is_named() -> None:
    counted = Column("id", t.Float(), nullable=False, identity=Identity(), native="double")
    key = PrimaryKey(None, ("id",))
    assert "AUTO_INCREMENT" in between(FROM_MARIADB, (8, 0), counted, primary_key=key).statements[0]
    script = between(FROM_MARIADB, (9, 7), counted, primary_key=key)
    assert "AUTO_INCREMENT" not in script.statements[0]
    assert rules(script) == {"identity"}


@pytest.mark.parametrize(
    ("native", "type_", "collation", "fits"),
    [
        ("text", t.String(65_535, unit="byte", lob=True), "utf8mb4_general_ci", False),
        ("varchar(1000)", t.String(1000), "utf8mb4_general_ci", False),
        ("varchar(1000)", t.String(1000), "latin1_swedish_ci", True),
        ("varchar(700)", t.String(700), "utf8mb4_general_ci", True),
    ],
)
def test_a_unique_key_over_longer_texts_than_mysql_has_is_left_out_by_name(
    native: str, type_: t.Type, collation: str, fits: bool
) -> None:
    unique = Unique("u", ("v",))
    made = table(Column("v", type_, native=native), uniques=(unique,), options=(("COLLATE", collation),))
    writer = ADAPTER.ddl(Catalog("mysql", FROM_MARIADB, (made,)), MYSQL)
    script = writer.unique(made, unique)
    assert bool(script.statements) == fits
    assert rules(script) == (set() if fits else {"unique"})


# --- scripts --------------------------------------------------------------------------------------------------------


def test_a_programs_semicolons_are_hidden_by_another_delimiter() -> None:
    source = "CREATE TRIGGER `tr` BEFORE INSERT ON `old` FOR EACH ROW BEGIN SET NEW.x = '//'; END"
    program = Program("s", "tr", "TRIGGER", Expression(source, "mysql"), table="t")
    writer = ddl(program, dialect="mysql")
    (sql,) = writer.create_program(program).statements
    assert sql.startswith("CREATE TRIGGER `s`.`tr` BEFORE INSERT ON `s`.`t` FOR EACH ROW")
    assert writer.as_script(sql) == f"DELIMITER $$\n{sql}$$\nDELIMITER ;"


@pytest.mark.parametrize(("version", "begins"), [(MYSQL, "USE `s`"), (MARIADB, "CREATE FUNCTION `s`.`f`")])
def test_mysql_makes_a_routine_while_its_database_is_the_current_one(version: tuple[int, ...], begins: str) -> None:
    """Its parameters' character set is that of the current database there, and MariaDB's that of the routine's."""
    program = Program("s", "f", "FUNCTION", Expression("CREATE FUNCTION `f`(a char) RETURNS int RETURN 1", "mysql"))
    script = ddl(program, version=version, dialect="mysql").create_program(program)
    assert script.statements[0].startswith(begins)


def test_names_are_always_in_backticks() -> None:
    assert ddl().quote("we`ird") == "`we``ird`"


# --- what round trips have shown ------------------------------------------------------------------------------------


def test_a_floating_point_default_of_many_digits_is_not_cut_as_a_decimal_would_be() -> None:
    many = "15" + "0" * 299  # as PostgreSQL prints 1.5e300
    made = table(
        Column("f", t.Float(), default=Constant(many, "number")),
        Column("d", t.Decimal(4, 1), default=Constant("1.5", "number")),
    )
    (sql,) = create(made).statements
    assert "`f` double DEFAULT 1.5e+300" in sql
    assert "`d` decimal(4,1) DEFAULT 1.5" in sql


def test_what_auto_increment_does_not_do_is_named() -> None:
    identity = Identity(always=True, increment=5, maximum=1000, cycle=True)
    script = create(
        table(Column("id", t.Integer(), nullable=False, identity=identity), primary_key=PrimaryKey("pk", ("id",)))
    )
    details = sorted((loss.rule, loss.detail.split(",")[0].split(" (")[0]) for loss in script.losses)
    assert details == [
        ("identity", "counts by 1"),
        ("identity", "does not begin anew after its last value"),
        ("identity-always", "takes given values too"),
        ("identity-bounds", "counts beyond 1000"),
        ("key-name", "the primary key has no name here"),
    ]


@pytest.mark.parametrize(("name", "expected"), [(None, set()), ("t_pkey", set()), ("my key", {"key-name"})])
def test_the_name_of_a_primary_key_is_a_loss_unless_nobody_chose_it(name: str | None, expected: set[str]) -> None:
    made = table(Column("id", t.Integer(), nullable=False), primary_key=PrimaryKey(name, ("id",)))
    assert rules(create(made)) == expected


def test_a_sequence_of_few_bits_ends_where_those_end_and_keeps_its_comment() -> None:
    sequence = Sequence("s", "little", bits=16, comment="it's")
    script = ddl(sequence).create_sequence(sequence)
    (sql,) = script.statements
    assert sql == "CREATE SEQUENCE `s`.`little` START WITH 1 INCREMENT BY 1 MAXVALUE 32767 CACHE 1 COMMENT 'it''s'"
    assert script.losses == ()


def test_an_invisible_column_is_visible_where_there_are_none_and_named() -> None:
    made = table(Column("id", t.Integer()), Column("h", t.Integer(), invisible=True))
    for version, word, lost in (
        (MARIADB, " INVISIBLE", set()),
        (MYSQL, " INVISIBLE", set()),
        ((8, 0, 22), "", {"invisible"}),
    ):
        script = create(made, version)
        assert f"`h` int{word}" in script.statements[0]
        assert ("INVISIBLE" in script.statements[0]) == bool(word)
        assert rules(script) == lost


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("strftime('%Y', 'now', 'utc')", "what STRFTIME"),
        ("strftime('%Y', '2020-01-01')", "what STRFTIME of string, string"),
        ("unixepoch('now')", "what UNIXEPOCH of string"),
    ],
)
def test_a_default_that_is_left_out_is_told_by_the_words_of_its_own_sql(sql: str, why: str) -> None:
    made = table(Column("c", t.String(9), default=Expression(sql, "sqlite")))
    (detail,) = [loss.detail for loss in create(made, dialect="sqlite").losses if loss.rule == "default"]
    assert detail.startswith(f"default {sql} is left out: {why}")
