"""SQLite's DDL for objects of other databases: what stands where, and what is named as lost. Every statement is run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from migrator.adapter import load_adapter
from migrator.ddl import DDL, Elsewhere, Script
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.equality import Equality
from migrator.model.objects import (
    Check,
    Column,
    Default,
    DomainType,
    Expression,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    Literal,
    NewUuid,
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
    View,
)

ID = Column("id", t.Integer(64), nullable=False)
PEOPLE_SEQ = Sequence("hr", "people_seq", next_value=42)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def ddl(*objects: Object, dialect: str = "postgresql") -> DDL:
    return load_adapter("sqlite").ddl(Catalog(dialect, "16", objects))


def people(*columns: Column, **parts: object) -> Table:
    return replace(Table("hr", "people", (ID, *columns), primary_key=PrimaryKey("people_pk", ("id",))), **parts)


def run(database: sqlite3.Connection, script: Script) -> str:
    """Run a script; its statements, blanks made one."""
    for statement in script.statements:
        database.execute(statement)
    return " ".join(" ".join(script.statements).split())


def rules(script: Script) -> list[tuple[str, str | None]]:
    return [(loss.rule, loss.column) for loss in script.losses]


# --- tables ---------------------------------------------------------------------------------------------------------


def test_all_constraints_stand_in_the_table(database: sqlite3.Connection) -> None:
    table = people(
        Column("boss", t.Integer(64)),
        Column("name", t.String(20), nullable=False, default=Literal("it's")),
        uniques=(Unique("people_uq", ("name",), deferrable=True),),
        checks=(Check("people_ck", Expression("char_length(name) > 1", "postgresql")),),
        foreign_keys=(
            ForeignKey("people_fk", ("boss",), QName("hr", "people"), ("id",), on_delete="SET NULL", deferrable=True),
        ),
    )
    made = ddl(table)
    script = made.create_table(table)
    assert run(database, script) == (
        'CREATE TABLE "people" ( "id" BIGINT NOT NULL, "boss" INTEGER, "name" VARCHAR(20) DEFAULT \'it\'\'s\' NOT NULL,'
        ' CONSTRAINT "people_pk" PRIMARY KEY ("id"), CONSTRAINT "people_uq" UNIQUE ("name"),'
        ' CONSTRAINT "people_ck" CHECK (LENGTH("name") > 1),'
        ' CONSTRAINT "people_fk" FOREIGN KEY ("boss") REFERENCES "people" ("id") ON DELETE SET NULL DEFERRABLE )'
    )
    assert rules(script) == [("deferrable", None)]
    assert made.unique(table, table.uniques[0]) == Script(elsewhere=Elsewhere.CHANGED)
    assert made.foreign_key(table, table.foreign_keys[0]) == Script(elsewhere=Elsewhere.KEPT)


@pytest.mark.parametrize(
    "identity", [replace(ID, identity=Identity(next_value=42)), replace(ID, default=NextValue(QName("hr", "people_seq")))]
)
def test_a_generated_key_counts_on_where_the_source_stood(database: sqlite3.Connection, identity: Column) -> None:
    table = replace(people(), columns=(identity,))
    made = ddl(PEOPLE_SEQ, table)
    created = run(database, made.create_table(table))
    assert '"id" INTEGER CONSTRAINT "people_pk" PRIMARY KEY AUTOINCREMENT NOT NULL' in created
    run(database, made.position(table))
    database.execute("INSERT INTO people DEFAULT VALUES")
    assert database.execute("SELECT id FROM people").fetchall() == [(42,)]


def test_a_key_goes_on_after_the_largest_loaded_one_where_that_is_higher(database: sqlite3.Connection) -> None:
    table = replace(people(), columns=(replace(ID, identity=Identity(next_value=3)),))
    made = ddl(table)
    run(database, made.create_table(table))
    database.execute("INSERT INTO people VALUES (99)")
    run(database, made.position(table))
    database.execute("INSERT INTO people DEFAULT VALUES")
    assert database.execute("SELECT max(id) FROM people").fetchone() == (100,)


def test_an_identity_that_counts_otherwise_is_named(database: sqlite3.Connection) -> None:
    table = replace(people(), columns=(replace(ID, identity=Identity(always=True, increment=-5)),))
    script = ddl(table).create_table(table)
    assert rules(script) == [("identity", "id"), ("identity-always", "id")]
    run(database, script)


def test_an_identity_that_is_no_key_is_named(database: sqlite3.Connection) -> None:
    table = people(Column("n", t.Integer(64), nullable=False, identity=Identity()))
    script = ddl(table).create_table(table)
    assert rules(script) == [("identity", "n")]
    assert '"n" INTEGER NOT NULL' in run(database, script)


def test_a_sequence_that_feeds_a_key_is_that_keys_counter() -> None:
    table = replace(people(), columns=(replace(ID, default=NextValue(QName("hr", "people_seq"))),))
    made = ddl(PEOPLE_SEQ, table).create_sequence(PEOPLE_SEQ)
    assert (made.statements, [loss.rule for loss in made.losses]) == ((), ["sequence-identity"])


def test_a_sequence_that_feeds_no_key_is_not_carried() -> None:
    sequence = Sequence("hr", "tickets")
    (loss,) = ddl(sequence).create_sequence(sequence).losses
    assert loss.detail == "not carried: there are no sequences in SQLite"


def test_an_enum_is_checked_and_a_set_is_text(database: sqlite3.Connection) -> None:
    table = people(Column("e", t.Enum(("it's", "b"))), Column("s", t.SetOf(("x", "y"))))
    script = ddl(table).create_table(table)
    run(database, script)
    assert rules(script) == [("type-enum", "e"), ("type-setof", "s")]
    database.execute("INSERT INTO people VALUES (1, 'it''s', 'x,y')")
    with pytest.raises(sqlite3.IntegrityError):
        database.execute("INSERT INTO people VALUES (2, 'c', '')")


@pytest.mark.parametrize(
    ("default", "type_", "expected"),
    [
        (Literal("", "null"), t.String(), "NULL"),
        (Literal("1", "boolean"), t.Boolean(), "1"),
        (Literal("00FF", "binary"), t.Binary(), "X'00FF'"),
        (Literal("101", "bit"), t.Bit(3), "'101'"),
        (Literal("101", "bit"), t.Bit(8), "'00000101'"),
        (Literal("101", "bit"), t.Integer(), "5"),
        (Now(utc=True), t.Timestamp(0), "CURRENT_TIMESTAMP"),
        (Now(utc=True), t.Timestamp(), "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"),
        (Now(precision=3, utc=True), t.Timestamp(3), "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"),
        (Now("date", utc=True), t.Date(), "CURRENT_DATE"),
        (Now("time", utc=True), t.Time(0), "CURRENT_TIME"),
        (Now("time", utc=True), t.Time(), "(strftime('%H:%M:%f', 'now'))"),
        (Now(), t.Time(0), "(time('now', 'localtime'))"),
        (Now(), t.Date(), "(date('now', 'localtime'))"),
        (Now("date"), t.Timestamp(3), "(strftime('%Y-%m-%d 00:00:00.000', 'now', 'localtime'))"),
        (Literal("2.50", "number"), t.Decimal(), "'2.50'"),
        (Literal("2.50", "number"), t.Decimal(5, 2), "2.5"),
        (Literal("0.1", "number"), t.Float(32), "0.10000000149011612"),
        (Literal("Infinity"), t.Float(), "9e999"),
        (Literal("2024-01-01 00:00:00+02"), t.Timestamp(3, zoned=True), "'2023-12-31 22:00:00.000+00:00'"),
        (Literal("it's"), t.String(), "'it''s'"),
        (Now(), t.Timestamp(0), "(datetime('now', 'localtime'))"),
        (Now(), t.Timestamp(), "(strftime('%Y-%m-%d %H:%M:%f', 'now', 'localtime'))"),
        (Now(precision=3), t.Timestamp(3), "(strftime('%Y-%m-%d %H:%M:%f', 'now', 'localtime'))"),
        (Now("date"), t.Date(), "(date('now', 'localtime'))"),
        (Now(precision=3), t.Timestamp(2), "(substr(strftime('%Y-%m-%d %H:%M:%f', 'now', 'localtime'), 1, 22))"),
        (Now("time", 1, utc=True), t.Time(), "(substr(strftime('%H:%M:%f', 'now'), 1, 10))"),
        (Now(precision=1), t.Timestamp(zoned=True), "(substr(strftime('%Y-%m-%d %H:%M:%f', 'now'), 1, 21) || '+00:00')"),
        (Now(), t.Timestamp(0, zoned=True), "(strftime('%Y-%m-%d %H:%M:%S+00:00', 'now'))"),
        (Now(), t.Timestamp(zoned=True), "(strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))"),
        (Expression("length('A')", "postgresql"), t.Integer(), "(LENGTH('A'))"),
    ],
)
def test_a_default_is_written_as_sqlite_takes_it(
    database: sqlite3.Connection, default: Default, type_: t.Type, expected: str
) -> None:
    table = people(Column("c", type_, default=default))
    script = ddl(table).create_table(table)
    assert f"DEFAULT {expected}," in run(database, script)
    database.execute("INSERT INTO people (id) VALUES (1)")


@pytest.mark.parametrize(
    ("type_", "lost"),
    [
        (t.Timestamp(6), ["default", "clock-moment"]),
        (t.Domain("hr", "moment", t.Timestamp(6)), ["default", "clock-moment"]),
        (t.Timestamp(3), ["clock", "clock-moment"]),  # which PostgreSQL rounds to them
        (t.Date(), ["clock-moment"]),  # of which a clock with microseconds gives the day
    ],
)
def test_digits_that_the_clock_does_not_have_are_named(database: sqlite3.Connection, type_: t.Type, lost: list[str]) -> None:
    now = Now(precision=6)
    moment = DomainType("hr", "moment", t.Timestamp(6), default=now)
    table = people(Column("c", type_, default=None if isinstance(type_, t.Domain) else now))
    script = ddl(moment, table).create_table(table)
    assert " DEFAULT (" in run(database, script)
    assert rules(script) == [(rule, "c") for rule in lost]


def test_its_own_clock_has_the_digits_that_it_has_whatever_the_column_declares(database: sqlite3.Connection) -> None:
    table = people(Column("c", t.Timestamp(2), default=Now(precision=3, utc=True)))
    script = ddl(table, dialect="sqlite").create_table(table)
    assert "DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))," in run(database, script)


def test_a_random_uuid_is_one_of_version_4(database: sqlite3.Connection) -> None:
    table = people(Column("c", t.Uuid(), default=NewUuid()))
    run(database, ddl(table).create_table(table))
    for i in range(50):
        database.execute("INSERT INTO people (id) VALUES (?)", (i,))
    digit = "[0-9a-f]"
    pattern = "-".join((digit * 8, digit * 4, "4" + digit * 3, "[89ab]" + digit * 3, digit * 12))
    (good,) = database.execute("SELECT count(DISTINCT c) FROM people WHERE c GLOB ?", (pattern,)).fetchone()
    assert good == 50


def test_generated_columns_are_kept(database: sqlite3.Connection) -> None:
    full = Generated(Expression("name || '!'", "postgresql"), stored=True)
    table = people(Column("name", t.String(20)), Column("loud", t.String(20), generated=full))
    made = run(database, ddl(table).create_table(table))
    assert """"loud" VARCHAR(20) GENERATED ALWAYS AS ("name" || '!') STORED""" in made


GENERAL = Equality(case=True, letters=True, accents=True, blanks=True)
"""MySQL's utf8mb4_general_ci."""


def test_what_sqlite_has_no_place_for_is_named(database: sqlite3.Connection) -> None:
    table = people(
        Column("seen", t.Timestamp(), on_update=Now(), comment="when", invisible=True),
        Column("name", t.String(9), equality=GENERAL, collation="utf8mb4_general_ci"),
        comment="all of them",
        partitioning=Partitioning("mysql", "HASH (id)"),
    )
    script = ddl(table, dialect="mysql").create_table(table)
    assert set(rules(script)) == {
        ("on-update", "seen"),
        ("invisible", "seen"),
        ("collation-equality", "name"),
        ("comment", None),
        ("partitioning", None),
    }
    assert '"name" VARCHAR(9) COLLATE NOCASE' in run(database, script)
    (said,) = (loss.detail for loss in script.losses if loss.rule == "collation-equality")
    assert said.startswith("'é' and 'É', 'e' and 'é', 'a' and 'a ' are different here, ")


def test_blanks_at_the_end_do_not_count_where_they_did_not(database: sqlite3.Connection) -> None:
    table = people(Column("name", t.String(9), equality=Equality(blanks=True)))
    script = ddl(table, dialect="mysql").create_table(table)
    assert rules(script) == []
    assert '"name" VARCHAR(9) COLLATE RTRIM' in run(database, script)


@pytest.mark.parametrize("check", [{"validated": False}, {"enforced": False}])
def test_a_check_that_does_not_hold_for_all_rows_is_named(database: sqlite3.Connection, check: dict[str, bool]) -> None:
    table = people(checks=(Check("positive", Expression("id > 0", "postgresql"), **check),))
    script = ddl(table).create_table(table)
    run(database, script)
    assert rules(script) == [("check", None)]
    database.execute("INSERT INTO people VALUES (-1)")


@pytest.mark.parametrize("taken", [(), ("rowid",), ("rowid", "_rowid_")])
def test_on_update_is_a_trigger_that_ends(database: sqlite3.Connection, taken: tuple[str, ...]) -> None:
    columns = (Column("seen", t.Timestamp(0), on_update=Now()), *(Column(name, t.Integer()) for name in taken))
    table = people(Column("name", t.String(9)), *columns)
    made = ddl(table, dialect="mysql")
    run(database, made.create_table(table))
    run(database, made.on_update(table))
    database.execute("PRAGMA recursive_triggers = ON")
    database.execute("INSERT INTO people (id, name, seen) VALUES (1, 'a', 'then'), (2, 'b', 'then'), (3, 'c', 'then')")
    database.execute("UPDATE people SET name = 'A' WHERE id = 1")
    database.execute("UPDATE people SET name = 'b' WHERE id = 2")
    database.execute("UPDATE people SET name = 'x', seen = 'given' WHERE id = 3")
    first, *others = database.execute("SELECT seen FROM people ORDER BY id").fetchall()
    assert first[0][:2] == "20"
    assert others == [("then",), ("given",)]


def test_on_update_is_named_where_no_trigger_can_find_the_row() -> None:
    columns = (
        Column("seen", t.Timestamp(), on_update=Now()),
        *(Column(n, t.Integer()) for n in ("rowid", "_rowid_", "oid")),
    )
    table = people(*columns)
    made = ddl(table, dialect="mysql")
    assert made.on_update(table) == Script()
    (loss,) = (loss for loss in made.create_table(table).losses if loss.rule == "on-update")
    assert "no longer" in loss.detail


# --- indexes, views and the rest ------------------------------------------------------------------------------------


def test_an_index_keeps_order_condition_and_expression_and_names_the_rest(database: sqlite3.Connection) -> None:
    keys = (IndexKey("name", descending=True), IndexKey(expression=Expression("length(name)", "postgresql")))
    index = Index("ix", keys, unique=True, where=Expression("name IS NOT NULL", "postgresql"), include=("id",))
    table = people(Column("name", t.String(20)), indexes=(index,))
    made = ddl(table)
    run(database, made.create_table(table))
    script = made.index(table, index)
    assert run(database, script) == (
        'CREATE UNIQUE INDEX "ix" ON "people" ("name" DESC, (LENGTH("name"))) WHERE "name" IS NOT NULL'
    )
    assert rules(script) == [("index-include", None)]


def test_words_of_an_index_key_that_only_the_source_has_are_named(database: sqlite3.Connection) -> None:
    key = IndexKey("id", descending=True, nulls_first=False, opclass="int8_ops_desc", collation='"C"')
    table = people(indexes=(Index("ix", (key,)),))
    run(database, ddl(table).create_table(table))
    script = ddl(table).index(table, table.indexes[0])
    assert run(database, script) == 'CREATE INDEX "ix" ON "people" ("id" DESC)'
    assert rules(script) == [("index-nulls", "id"), ("index-opclass", "id"), ("index-collation", "id")]


def test_a_sequence_that_counts_otherwise_than_a_rowid_is_named(database: sqlite3.Connection) -> None:
    sequence = replace(PEOPLE_SEQ, increment=5, cycle=True)
    serial = replace(ID, default=NextValue(QName("hr", "people_seq")))
    table = replace(people(), columns=(serial,))
    script = ddl(sequence, table).create_table(table)
    assert "AUTOINCREMENT" in run(database, script)
    assert [loss.detail for loss in script.losses] == ["counts up by one (at the source: increment 5, cycling)"]


def test_an_index_of_another_kind_is_named() -> None:
    index = Index("ix", (IndexKey("id"),), method="gin")
    table = people(indexes=(index,))
    script = ddl(table).index(table, index)
    assert script.statements == ()
    assert script.losses[0].detail == "index ix is left out: SQLite has no gin indexes"


def test_a_hash_index_becomes_an_ordinary_one_and_says_so() -> None:
    index = Index("ix", (IndexKey("id"),), method="hash")
    table = people(indexes=(index,))
    script = ddl(table).index(table, index)
    assert len(script.statements) == 1
    assert [loss.detail for loss in script.losses] == ["index ix (hash) becomes an ordinary index"]


def test_a_view_loses_its_schema_names(database: sqlite3.Connection) -> None:
    table = people(Column("Name", t.String(20)))
    view = View("hr", "names", Expression('SELECT p."Name" FROM hr.people AS p WHERE p.id > 1', "postgresql"), ("n",), True)
    made = ddl(table, view)
    run(database, made.create_table(table))
    script = made.create_view(view)
    assert run(database, script) == 'CREATE VIEW "names" ("n") AS SELECT "p"."Name" FROM "people" AS "p" WHERE "p"."id" > 1'
    assert rules(script) == [("materialized-view", None)]


def test_a_trigger_of_another_database_is_not_carried() -> None:
    trigger = Program("hr", "touch", "TRIGGER", Expression("CREATE TRIGGER …", "postgresql"), "people")
    (loss,) = ddl(trigger).create_program(trigger).losses
    assert loss.rule == "program"


def test_tables_are_emptied_with_delete(database: sqlite3.Connection) -> None:
    table = people()
    made = ddl(table)
    run(database, made.create_table(table))
    database.execute("INSERT INTO people VALUES (1)")
    run(database, made.truncate(table))
    assert database.execute("SELECT count(*) FROM people").fetchone() == (0,)


@pytest.mark.parametrize(
    ("dialect", "collation", "sorts"),
    [
        ("mysql", "utf8mb4_general_ci", "otherwise"),
        ("mysql", "utf8mb4_bin", "alike"),
        ("postgresql", "people_bin", "otherwise"),
        ("sqlite", "people_bin", "alike"),
    ],
)
def test_only_the_source_knows_which_of_its_collations_sort_as_none_does(dialect: str, collation: str, sorts: str) -> None:
    name = Column("name", t.String(9), collation=collation, equality=Equality(case=True))
    script = ddl(table := people(name), dialect=dialect).create_table(table)
    told = [loss.column for loss in script.losses if loss.rule == "collation"]
    assert told == {"otherwise": ["name"], "alike": []}[sorts]
