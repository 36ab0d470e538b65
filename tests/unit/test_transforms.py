"""REMAP_SCHEMA and REMAP_TABLE: names change everywhere, rows are still found, text follows or is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator import transforms
from migrator.adapter import load_adapter
from migrator.errors import ConflictingParameters, NamesCollide
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.plan import plan
from migrator.schema_names import requalify
from migrator.spec import JobSpec, TableRemap


def spec(schemas: tuple[tuple[str, str], ...] = (), tables: tuple[TableRemap, ...] = ()) -> JobSpec:
    return JobSpec("IMPORT", "FULL", "postgresql://x/y", Path("/tmp"), remap_schema=schemas, remap_table=tables)


MOOD = t.Enum(("ok",), "mood", "hr")
EMP = o.Table(
    "hr",
    "emp",
    (
        o.Column("id", t.Integer(), default=o.NextValue(o.QName("hr", "emp_seq"))),
        o.Column("mood", MOOD, default=o.Expression("'ok'::hr.mood", "postgresql")),
        o.Column("moods", t.Array(MOOD)),
    ),
    foreign_keys=(o.ForeignKey("fk", ("id",), o.QName("hr", "emp"), ("id",)),),
)
CATALOG = Catalog(
    "postgresql",
    "",
    (
        o.Schema("hr"),
        o.EnumType("hr", "mood", ("ok",)),
        o.Sequence("hr", "emp_seq", owner=("emp", "id")),
        EMP,
        o.View("hr", "v", o.Expression("SELECT emp.id FROM hr.emp", "postgresql"), depends_on=(o.QName("hr", "emp"),)),
        o.Program("hr", "f", "FUNCTION", o.Expression("CREATE FUNCTION hr.f() AS 'select 1'", "postgresql")),
    ),
)


def find(catalog: Catalog, kind: type) -> o.Object:
    return next(obj for obj in catalog.objects if isinstance(obj, kind))


def test_without_remaps_nothing_changes() -> None:
    assert transforms.remapped(CATALOG, spec()) == CATALOG


def test_remap_schema_moves_every_object_and_reference() -> None:
    moved = transforms.remapped(CATALOG, spec((("hr", "app"),)))
    assert [getattr(obj, "schema", obj.name) for obj in moved.objects] == ["app"] * 6
    table = find(moved, o.Table)
    assert isinstance(table, o.Table)
    assert table.columns[0].default == o.NextValue(o.QName("app", "emp_seq"))
    assert table.columns[1].type == t.Enum(("ok",), "mood", "app")
    assert table.columns[1].default == o.Expression("'ok'::app.mood", "postgresql")
    assert table.columns[2].type == t.Array(t.Enum(("ok",), "mood", "app"))
    assert table.foreign_keys[0].referred == o.QName("app", "emp")
    view = find(moved, o.View)
    assert isinstance(view, o.View)
    assert view.definition.sql == "SELECT emp.id FROM app.emp"
    assert view.depends_on == (o.QName("app", "emp"),)


def test_a_moved_table_remembers_where_its_rows_are() -> None:
    moved = transforms.remapped(CATALOG, spec((("hr", "app"),), (TableRemap(None, "emp", "staff"),)))
    table = find(moved, o.Table)
    assert isinstance(table, o.Table)
    assert table.qname == o.QName("app", "staff")
    assert table.source == o.QName("hr", "emp")


def test_remap_table_is_followed_by_keys_owners_and_views() -> None:
    moved = transforms.remapped(CATALOG, spec(tables=(TableRemap("hr", "emp", "staff"),)))
    table, sequence, view = find(moved, o.Table), find(moved, o.Sequence), find(moved, o.View)
    assert isinstance(table, o.Table)
    assert isinstance(sequence, o.Sequence)
    assert isinstance(view, o.View)
    assert table.foreign_keys[0].referred == o.QName("hr", "staff")
    assert sequence.owner == ("staff", "id")
    assert '"staff" AS "emp"' in view.definition.sql


def test_remap_table_of_another_schema_leaves_the_table_alone() -> None:
    moved = transforms.remapped(CATALOG, spec(tables=(TableRemap("sales", "emp", "staff"),)))
    assert moved == CATALOG


def test_a_program_whose_text_was_remapped_is_in_the_loss_list_of_the_plan() -> None:
    moved = transforms.remapped(CATALOG, spec((("hr", "app"),)))
    ddl = load_adapter("postgresql").ddl(moved)
    losses = [loss for phase in plan(moved, "ALL", ddl) for step in phase.steps for loss in step.script.losses]
    assert [(loss.object, loss.rule) for loss in losses] == [('FUNCTION:"app"."f"', "program-remap")]


def fitted(source: Catalog, asked: JobSpec) -> Catalog:
    return transforms.fitted(source, transforms.remapped(source, asked), asked, load_adapter("postgresql").capabilities)


def test_two_tables_may_not_come_to_one_name() -> None:
    catalog = CATALOG.with_objects((o.Table("a", "x", ()), o.Table("b", "x", ())))
    with pytest.raises(NamesCollide, match=r'"a"\."x" and "b"\."x"'):
        fitted(catalog, spec((("a", "c"), ("b", "c"))))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from hr.t", "select * from app.t"),
        ('select * from "hr".t', 'select * from "app".t'),
        ("select 'hr.t' from hr.t -- hr.t", "select 'hr.t' from app.t -- hr.t"),
        ("select hr from x.hr.y", "select hr from x.hr.y"),
        ("select a.hr from a", "select a.hr from a"),
        ("x = 'it''s hr.t'", "x = 'it''s hr.t'"),
        ("shr.t", "shr.t"),
        ("(nextval('hr.s'::regclass) + 1)", "(nextval('app.s'::regclass) + 1)"),
        ("""nextval('hr."a ''b"'::regclass)""", """nextval('app."a ''b"'::regclass)"""),
        ("'hr.s'::text", "'hr.s'::text"),
    ],
)
def test_schema_names_are_replaced_before_dots_only(sql: str, expected: str) -> None:
    assert requalify(sql, {"hr": "app"}) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (r"concat('\' hr.x \'', `hr`.`f`(1))", r"concat('\' hr.x \'', `app`.`f`(1))"),
        (r"'it''s \\' || hr.x || 'hr.y'", r"'it''s \\' || app.x || 'hr.y'"),
        ('"hr.x" + "\\" hr.y" + hr.z', '"hr.x" + "\\" hr.y" + app.z'),
        ("1 --hr.x\n", "1 --app.x\n"),  # two minus signs
        ("1 -- hr.x\n+ hr.y # hr.z", "1 -- hr.x\n+ app.y # hr.z"),
    ],
)
def test_literals_and_comments_of_mysql_are_left_alone(sql: str, expected: str) -> None:
    assert requalify(sql, {"hr": "app"}, "`") == expected


def test_literals_with_escapes_of_postgresql_are_left_alone() -> None:
    sql = r"E'\' hr.x \'' || 'c:\' || hr.f(1) || type'hr.x'"
    assert requalify(sql, {"hr": "app"}) == sql.replace("hr.f", "app.f")


def test_remaps_find_names_that_differ_in_case_only() -> None:
    moved = transforms.remapped(CATALOG, spec((("HR", "app"),), (TableRemap("Hr", "EMP", "staff"),)))
    table = find(moved, o.Table)
    assert isinstance(table, o.Table)
    assert (table.qname, table.source) == (o.QName("app", "staff"), o.QName("hr", "emp"))


def test_a_remap_of_nothing_is_remarked_on() -> None:
    request = spec((("hr", "app"), ("hq", "app")), (TableRemap(None, "emp", "staff"), TableRemap("hr", "epm", "staff")))
    assert transforms.unmatched(request, CATALOG) == (
        "REMAP_SCHEMA: the job has no schema hq",
        "REMAP_TABLE: the job has no table hr.epm",
    )


def test_children_of_a_renamed_table_follow_it() -> None:
    child = o.Table("hr", "temp", (o.Column("id", t.Integer()),), parents=(o.QName("hr", "emp"),))
    moved = transforms.remapped(CATALOG.with_objects((EMP, child)), spec(tables=(TableRemap(None, "emp", "staff"),)))
    assert moved.table(o.QName("hr", "temp")) == o.Table(
        "hr", "temp", child.columns, parents=(o.QName("hr", "staff"),), origin=child.qname
    )


def test_a_program_whose_text_names_a_renamed_table_is_a_loss() -> None:
    def program(name: str, text: str) -> o.Program:
        return o.Program("hr", name, "FUNCTION", o.Expression(text, "postgresql"))

    objects = (EMP, program("uses", "... FROM Emp e"), program("other", "... FROM temp, emp_old"))
    moved = transforms.remapped(CATALOG.with_objects(objects), spec(tables=(TableRemap(None, "emp", "staff"),)))
    assert [str(loss) for loss in moved.losses] == ['FUNCTION:"hr"."uses": its source text still names emp [program-remap]']


@pytest.mark.parametrize("kind", [o.Sequence, lambda schema, name: o.EnumType(schema, name, ("a",))])
def test_sequences_and_types_may_not_come_to_one_name(kind) -> None:  # type: ignore[no-untyped-def]
    catalog = CATALOG.with_objects((kind("a", "x"), kind("b", "x")))
    with pytest.raises(NamesCollide):
        fitted(catalog, spec((("a", "b"),)))


@pytest.mark.parametrize(
    "contradiction",
    [
        spec((("hr", "a"), ("HR", "b"))),
        spec(tables=(TableRemap(None, "emp", "a"), TableRemap("hr", "EMP", "b"))),
    ],
)
def test_two_names_for_one_object_contradict_each_other(contradiction: JobSpec) -> None:
    with pytest.raises(ConflictingParameters, match=r"two names: .*a.* and .*b"):
        transforms.remapped(CATALOG, contradiction)


def test_a_remap_that_is_said_twice_is_one() -> None:
    once, twice = spec((("hr", "a"),)), spec((("hr", "a"), ("hr", "a")))
    assert transforms.remapped(CATALOG, twice) == transforms.remapped(CATALOG, once)


def test_entries_of_what_was_read_follow_the_names() -> None:
    read = CATALOG.with_losses(
        Loss('TABLE:"hr"."emp"', "r", "of a table"),
        Loss('TABLE:"hr"."left ""behind"""', "r", "of what is not carried"),
        Loss('SCHEMA:"hr"', "r", "of a schema"),
        Loss("DATABASE", "r", "of no schema"),
    )
    moved = transforms.remapped(read, spec((("hr", 'a"pp'),), (TableRemap(None, "emp", "staff"),)))
    assert [loss.object for loss in moved.losses] == [
        'TABLE:"a""pp"."staff"',
        'TABLE:"a""pp"."left ""behind"""',
        'SCHEMA:"a""pp"',
        "DATABASE",
    ]
