"""The order of a job, and what each content asks for."""

from __future__ import annotations

from migrator import object_types
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.plan import parents_first, plan

TEXT = o.Expression("select 1", "postgresql")
KEY = o.ForeignKey("fk", ("id",), o.QName("s", "t"), ("id",))
TABLE = o.Table(
    "s",
    "t",
    (o.Column("id", t.Integer(), identity=o.Identity(), comment="key"),),
    primary_key=o.PrimaryKey("pk", ("id",)),
    foreign_keys=(KEY,),
    indexes=(o.Index("i", (o.IndexKey("id"),)),),
)
CATALOG = Catalog(
    "postgresql",
    "",
    (
        o.Program("s", "g", "TRIGGER", TEXT, table="t"),
        o.EnumType("s", "e", ("a",)),
        o.Sequence("s", "q"),
        o.Program("s", "f", "FUNCTION", TEXT),
        TABLE,
        o.View("s", "v", TEXT),
        o.Schema("s"),
    ),
)


def paths(content: str) -> list[str]:
    return [phase.path for phase in plan(CATALOG, content)]  # type: ignore[arg-type]


def test_data_comes_before_indexes_and_constraints_and_foreign_keys_after_them() -> None:
    assert paths("ALL") == [
        "USER",
        "TYPE/TYPE_SPEC",
        "SEQUENCE/SEQUENCE",
        "FUNCTION/FUNCTION",
        "TABLE/TABLE",
        "TABLE/TABLE_DATA",
        "TABLE/COMMENT",
        "SEQUENCE/POSITION",
        "TABLE/INDEX/INDEX",
        "TABLE/CONSTRAINT/CONSTRAINT",
        "TABLE/CONSTRAINT/REF_CONSTRAINT",
        "VIEW/VIEW",
        "TABLE/TRIGGER",
    ]


def test_what_can_need_one_another_is_made_in_the_catalogs_order() -> None:
    made = (
        o.Program("s", "for_domain", "FUNCTION", TEXT),
        o.DomainType("s", "domain", t.Integer()),
        o.Program("s", "for_table", "FUNCTION", TEXT),
        o.View("s", "for_table", TEXT),
        o.View("s", "waits", TEXT, materialized=True),
        TABLE,
        o.Program("s", "of_row", "PROCEDURE", TEXT),
        o.View("s", "last", TEXT),
        o.Program("s", "of_view", "FUNCTION", TEXT),
    )
    steps = [step.label for phase in plan(Catalog("postgresql", "", made), "ALL") for step in phase.steps]
    assert [label for label in steps if label != 'INDEX:"s"."i"' and "CONSTRAINT" not in label] == [
        'FUNCTION:"s"."for_domain"',
        'DOMAIN:"s"."domain"',
        'FUNCTION:"s"."for_table"',
        'VIEW:"s"."for_table"',
        'TABLE:"s"."t"',
        'PROCEDURE:"s"."of_row"',
        'TABLE:"s"."t"',  # its rows
        'COMMENT:TABLE:"s"."t"',
        'POSITION:TABLE:"s"."t"',
        'MATERIALIZED_VIEW:"s"."waits"',
        'VIEW:"s"."last"',
        'FUNCTION:"s"."of_view"',
    ]


def test_rules_and_policies_are_parts_of_their_tables_and_no_events() -> None:
    kinds = ("EVENT", "POLICY", "ROW_SECURITY", "RULE", "TRIGGER")
    programs = tuple(o.Program("s", kind.lower(), kind, TEXT, table=None if kind == "EVENT" else "t") for kind in kinds)
    phases = plan(Catalog("postgresql", "", programs), "ALL")
    assert [(phase.path, phase.steps[0].label) for phase in phases] == [
        ("TABLE/TRIGGER", 'TRIGGER:"s"."trigger"'),
        ("TABLE/RULE", 'RULE:"s"."rule"'),
        ("TABLE/POLICY", 'POLICY:"s"."policy"'),
        ("TABLE/ROW_SECURITY", 'ROW_SECURITY:"s"."row_security"'),
        ("EVENT", 'EVENT:"s"."event"'),
    ]
    assert {object_types.find(phase.path).name for phase in phases} == set(kinds)


def test_metadata_only_moves_no_rows() -> None:
    assert "TABLE/TABLE_DATA" not in paths("METADATA_ONLY")


def test_data_only_moves_rows_only() -> None:
    assert paths("DATA_ONLY") == ["TABLE/TABLE_DATA"]


def test_parents_come_before_children_and_a_cycle_comes_last() -> None:
    def table(name: str, *parents: str) -> o.Table:
        keys = tuple(o.ForeignKey(None, ("x",), o.QName("s", p), ("x",)) for p in parents)
        return o.Table("s", name, (), foreign_keys=keys)

    groups = parents_first([table("c", "b"), table("b", "a"), table("a", "a"), table("x", "y"), table("y", "x")])
    assert [[t.name for t in group] for group in groups] == [["a"], ["b"], ["c"], ["x", "y"]]
