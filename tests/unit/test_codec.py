"""Model values survive their JSON form; unknown classes and fields are refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.codec import decode, encode

SIMPLE_TYPES = st.one_of(
    st.builds(t.Boolean),
    st.builds(t.Integer, st.sampled_from([8, 16, 24, 32, 64]), st.booleans(), st.none() | st.integers(1, 20)),
    st.builds(t.Decimal, st.none() | st.integers(1, 65), st.none() | st.integers(-5, 65)),
    st.builds(t.Float, st.sampled_from([32, 64])),
    st.builds(t.String, st.none() | st.integers(1, 9999), st.booleans(), st.sampled_from(["char", "byte"]), st.booleans()),
    st.builds(t.Timestamp, st.integers(0, 9), st.booleans()),
    st.builds(t.Enum, st.lists(st.text(), max_size=4).map(tuple), st.none() | st.text(), st.none() | st.text()),
    st.builds(t.Native, st.sampled_from(["postgresql", "mysql"]), st.text()),
)
TYPES = st.recursive(
    SIMPLE_TYPES, lambda inner: st.builds(t.Array, inner) | st.builds(t.Domain, st.text(), st.text(), inner)
)
DEFAULTS = st.one_of(
    st.none(),
    st.builds(o.Literal, st.text(), st.sampled_from(["string", "number", "null"])),
    st.builds(o.Now, st.sampled_from(["date", "timestamp"])),
    st.builds(o.NextValue, st.builds(o.QName, st.text(), st.text())),
    st.builds(o.Expression, st.text(), st.text()),
)
COLUMNS = st.builds(o.Column, name=st.text(), type=TYPES, nullable=st.booleans(), default=DEFAULTS)


@given(st.lists(COLUMNS, max_size=5))
def test_a_table_of_any_columns_comes_back_equal(columns: list[o.Column]) -> None:
    key = o.ForeignKey("fk", ("a",), o.QName("s", "t"), ("b",), on_delete="SET NULL", set_columns=("a",))
    table = o.Table("s", "t", tuple(columns), primary_key=o.PrimaryKey(None, ("a",)), foreign_keys=(key,))
    assert decode(json.loads(json.dumps(encode(table)))) == table


def test_a_catalog_with_every_kind_of_object_comes_back_equal() -> None:
    expression = o.Expression("a > 0", "postgresql")
    catalog = Catalog(
        "postgresql",
        "PostgreSQL 16",
        (
            o.Schema("s", "comment"),
            o.EnumType("s", "mood", ("ok", "it's")),
            o.DomainType("s", "d", t.Integer(), checks=(o.Check("c", expression),)),
            o.Sequence("s", "q", increment=-1, next_value=-5, owner=("t", "a")),
            o.Table(
                "s",
                "t",
                (o.Column("a", t.Integer(), identity=o.Identity(always=True, next_value=7)),),
                indexes=(o.Index("i", (o.IndexKey(expression=expression, descending=True),), where=expression),),
                partitioning=o.Partitioning("postgresql", "RANGE (a)", (o.Partition("p", "FOR VALUES FROM (1) TO (2)"),)),
            ),
            o.View("s", "v", expression, ("x",), depends_on=(o.QName("s", "t"),)),
            o.Program("s", "f", "FUNCTION", expression),
        ),
        (Loss('TABLE:"s"."t"', "rule", "detail", "a", 3),),
    )
    assert decode(json.loads(json.dumps(encode(catalog)))) == catalog


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown model class 'Gadget'"):
        decode({"is": "Gadget"})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        decode({"is": "Schema", "name": "s", "colour": "red"})


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        (o.Schema("hr"), 'SCHEMA:"hr"'),
        (o.Table("hr", "emp", ()), 'TABLE:"hr"."emp"'),
        (o.EnumType("hr", "mood", ()), 'TYPE:"hr"."mood"'),
        (o.DomainType("hr", "d", t.Date()), 'DOMAIN:"hr"."d"'),
        (o.View("hr", "v", o.Expression("", "x"), materialized=True), 'MATERIALIZED_VIEW:"hr"."v"'),
        (o.Program("hr", "g", "TRIGGER", o.Expression("", "x")), 'TRIGGER:"hr"."g"'),
    ],
)
def test_paths_name_the_object_type_as_data_pump_does(obj: o.Object, path: str) -> None:
    assert path_of(obj) == path
