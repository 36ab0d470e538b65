"""Every statement for Oracle passes the grammar of PL/SQL, and the gate itself rejects what Oracle would."""

from __future__ import annotations

import pytest

from dialects.oracle import ADAPTER
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog
from tests.support import plsql


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (x NUMBER(10) NOT NULL DEFAULT 5);",
        "CREATE TABLE a (x VARCHAR2 NOT NULL);",
        "CREATE TABLE a (x RAW);",
        "CREATE TABLE a (x CLOB(4000));",
        "CREATE TABLE a (x TIMESTAMP WITH TIME ZONE(6));",
        "CREATE TABLE a (x NUMBER(1) DEFAULT TRUE);",
        "CREATE TABLE a (x NUMBER, );",
        "CREATE TABLE a (date DATE);",
        "CREATE TABLE a (mode NUMBER);",
        "CREATE TABLE a (x SERIAL PRIMARY KEY) WITHOUT ROWID;",
        "CREATE TABLE IF NOT a (x NUMBER);",
        "ALTER TABLE a ADD COLUMN x NUMBER;",
        "ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b (y) ON UPDATE CASCADE;",
        "ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b (y) ON DELETE RESTRICT;",
        "CREATE INDEX i ON a (x) WHERE x > 0;",
        "CREATE INDEX i ON a (x) INCLUDE (y);",
        "CREATE SEQUENCE s START WITH 1 NO CYCLE;",
        "COMMENT ON TABLE a AS 'x';",
        "CREATE VIEW v AS SELECT x FROM a AS b;",
        "CREATE VIEW v AS SELECT x = 1 AS y FROM a;",
        "CREATE VIEW v AS SELECT x FROM a LIMIT 3;",
        "CREATE VIEW v AS WITH RECURSIVE r AS (SELECT 1 AS x FROM dual) SELECT x FROM r;",
        "DROP TABLE a CASCADE;",
    ],
)
def test_the_gate_rejects_what_oracle_rejects(sql: str) -> None:
    assert plsql.errors(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (x VARCHAR2(10 CHAR) DEFAULT 'RAW, CLOB(1), TRUE' NOT NULL, \"TRUE\" NUMBER);",
        "CREATE SEQUENCE s START WITH -5 INCREMENT BY -1 MINVALUE -100 MAXVALUE -1;",
        "CREATE OR REPLACE EDITIONABLE TRIGGER t BEFORE INSERT ON a FOR EACH ROW\nBEGIN\n  :new.x := 1;\nEND;\n/",
        "CREATE TABLE a (x CLOB CHECK (x IS JSON), y INTERVAL YEAR(9) TO MONTH, z XMLTYPE);",
    ],
)
def test_the_gate_accepts_what_oracle_accepts(sql: str) -> None:
    assert plsql.errors(sql) == ()


def number(name: str, **facts: object) -> o.Column:
    return o.Column(name, t.Integer(32), **facts)  # type: ignore[arg-type]


def postgresql(sql: str) -> o.Expression:
    return o.Expression(sql, "postgresql")


ALL_TYPES: tuple[t.Type, ...] = (
    t.Boolean(),
    *(t.Integer(bits, unsigned=unsigned) for bits in (8, 16, 24, 32, 64) for unsigned in (False, True)),
    *(t.Decimal(*digits) for digits in ((None, None), (38, 10), (3, -2), (2, 7), (65, 30))),
    *(t.Float(32), t.Float(64)),
    *(t.String(length, fixed) for length in (None, 0, 1, 160, 1500, 4000, 4001) for fixed in (False, True)),
    *(t.String(160, unit="byte"), t.String(255, lob=True)),
    *(t.Binary(16), t.Binary(16, fixed=True), t.Binary(), t.Binary(lob=True)),
    *(t.Date(), t.Time(3), t.Time(6, zoned=True), t.Timestamp(0), t.Timestamp(6, zoned=True)),
    *(t.Interval(), t.Interval("year_month"), t.Interval("day_second", 3), t.Year()),
    *(t.Json(), t.Json(binary=True), t.Uuid(), t.Xml(), t.Bit(), t.Bit(8), t.Bit(None, varying=True)),
    *(t.Enum(("a'b", "c", "")), t.SetOf(("a", "b")), t.Array(t.Integer()), t.Domain("hr", "year", t.Integer())),
    t.Native("postgresql", "tsvector"),
)

DEPARTMENT = o.Table(
    "hr",
    "department",
    (
        number("id", nullable=False, identity=o.Identity(next_value=281)),
        o.Column("name", t.String(30), nullable=False, comment="what people say & write; it's short"),
        number("manager_id"),
        o.Column("updated", t.Timestamp(6, zoned=True), nullable=False, default=o.Now(), on_update=o.Now()),
    ),
    o.PrimaryKey("department_pk", ("id",)),
    (o.Unique("name_key", ("name",)),),
    (o.Check("id_positive", postgresql("id > 0"), validated=False),),
    (
        o.ForeignKey(
            "manager", ("manager_id",), o.QName("hr", "employee"), ("id",), deferrable=True, initially_deferred=True
        ),
    ),
    comment="Departments\n\nand their managers",
)

EMPLOYEE = o.Table(
    "hr",
    "employee",
    (
        number("id", nullable=False, identity=o.Identity(always=True, start=-5, increment=5)),
        o.Column("E-Mail", t.String(), nullable=False),
        number("date", nullable=False, default=o.Literal("0", "number")),
        o.Column("salary", t.Decimal(8, 2), default=o.Literal("0.00", "number")),
        o.Column("hired", t.Date(), default=o.Literal("2020-02-29")),
        o.Column("active", t.Boolean(), nullable=False, default=o.Literal("true", "boolean")),
        number("department_id", invisible=True),
        number("manager_id"),
        o.Column("yearly", t.Decimal(9, 2), generated=o.Generated(postgresql("salary * 12"))),
        o.Column("key", t.Uuid(), default=o.NewUuid()),
        o.Column("number", t.Integer(64), default=o.NextValue(o.QName("hr", "numbers"))),
    ),
    o.PrimaryKey("employee_pk", ("id",)),
    (o.Unique("name_key", ("E-Mail", "department_id")),),
    (o.Check("id_positive", postgresql("active AND (\"E-Mail\" ~~ '%@%') OR (date = ANY (ARRAY[1, 2]))")),),
    (
        o.ForeignKey("boss", ("manager_id",), o.QName("hr", "employee"), ("id",), on_delete="SET NULL", on_update="CASCADE"),
        o.ForeignKey("unit", ("department_id",), o.QName("hr", "department"), ("id",), on_delete="CASCADE"),
    ),
    (
        o.Index("by_pay", (o.IndexKey("salary", descending=True), o.IndexKey("id"))),
        o.Index("by_mail", (o.IndexKey(expression=postgresql('lower("E-Mail")')),), unique=True),
        o.Index("one_boss", (o.IndexKey("department_id"),), unique=True, where=postgresql("active")),
        o.Index("some", (o.IndexKey("hired"),), where=postgresql("active"), include=("salary",)),
    ),
)

PAID_STAFF = postgresql("SELECT id, salary FROM hr.employee WHERE active")
TOTALS = postgresql("SELECT sum(salary) AS total FROM hr.employee")

HR = Catalog(
    "postgresql",
    "16",
    (
        o.Schema("hr"),
        o.Sequence("hr", "numbers", increment=-1, minimum=-100, next_value=-7, cycle=True),
        DEPARTMENT,
        EMPLOYEE,
        o.View("hr", "Paid Staff", PAID_STAFF, ("id", "Pay"), check_option="LOCAL"),
        o.View("hr", "totals", TOTALS, materialized=True, comment="once"),
    ),
)


def test_a_schema_of_all_object_kinds_parses() -> None:
    assert plsql.rejected(HR) == {}


@pytest.mark.parametrize("type_", ALL_TYPES, ids=repr)
def test_a_column_of_every_type_parses(type_: t.Type) -> None:
    table = o.Table("hr", "t", (o.Column("select", type_, nullable=False), o.Column("x", type_, invisible=True)))
    assert plsql.rejected(Catalog("postgresql", "16", (table,))) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("CASE", "user", "rowid", "size", "column", "ROW", "Mt_Rwc", "percent%(ens)yah", "q?marks", "dot.s", "[Brackets]"),
        *("42numbers", "a :: b", "it's", "zwölf", "_x", "a\nb", "$x", "x$y#z"),
    ],
)
def test_every_name_survives(name: str) -> None:
    table = o.Table(name, name, (number(name, comment=name),), o.PrimaryKey(name, (name,)))
    made = plsql.script(Catalog("postgresql", "16", (o.Schema(name), table)))
    assert [plsql.errors(sql) for sql in made.statements if plsql.errors(sql)] == []
    assert any(name in sql for sql in made.statements)


def test_a_program_of_oracle_ends_with_a_slash() -> None:
    body = "CREATE TRIGGER hr.touch BEFORE UPDATE ON hr.employee FOR EACH ROW\nBEGIN\n  :new.salary := 0;\nEND;"
    trigger = o.Program("hr", "touch", "TRIGGER", o.Expression(body, "oracle"), "employee")
    *_, last = plsql.script(Catalog("oracle", "19", (trigger,))).statements
    assert last.endswith("END;\n/")
    assert plsql.errors(last) == ()


def test_dropping_and_emptying_a_table_parses() -> None:
    ddl = ADAPTER.ddl(HR)
    for script in (ddl.drop_table(EMPLOYEE.qname), ddl.truncate(EMPLOYEE)):
        assert [plsql.errors(ddl.as_script(sql)) for sql in script.statements] == [()]
