"""The order of a job, and what each content asks for."""

from __future__ import annotations

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
        o.View("s", "v", TEXT),
        o.Program("s", "g", "TRIGGER", TEXT, table="t"),
        TABLE,
        o.Program("s", "f", "FUNCTION", TEXT, after_tables=False),
        o.Sequence("s", "q"),
        o.EnumType("s", "e", ("a",)),
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
