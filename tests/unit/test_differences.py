"""Entries about columns that both tables compute: what counts as the same expression."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.adapter import load_adapter
from migrator.differences import differences
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.equality import Equality

ADAPTERS = load_adapter("sqlite"), load_adapter("sqlite")


def computing(sql: str, dialect: str) -> o.Table:
    expression = o.Expression(sql, dialect)
    columns = (o.Column("a", t.String(9)), o.Column("b c", t.String(9)), o.Column("f", t.Float()))
    return o.Table("s", "t", (*columns, o.Column("g", t.String(9), generated=o.Generated(expression))))


def entries(source: tuple[str, str], target: tuple[str, str]) -> list[str]:
    here, there = computing(*source), computing(*target)
    return [str(loss) for loss in differences(here, there, here.columns[:1], there.columns[:1], ADAPTERS)]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (("concat(a,'\\' ',b)", "mysql"), ("concat(a,'\\'',b)", "mysql")),
        (('"a b" || c', "postgresql"), ("ab || c", "postgresql")),
        (('"a b" || c', "sqlite"), ("[ab] || c", "sqlite")),
        (('"null" || c', "postgresql"), ("null || c", "postgresql")),
        (("'a b' || c", "postgresql"), ("'ab' || c", "postgresql")),
        (("$$it's a$$ || 'b c'", "postgresql"), ("$$it's a$$ || 'bc'", "postgresql")),
        (("(a)||('b')", "postgresql"), ("a)||('b'", "postgresql")),
        (("upper('(') || a", "postgresql"), ("(upper('(')) || a", "postgresql")),
        (("concat(a,'\\\\')", "mysql"), ("concat(a,'\\\\')", "postgresql")),
        (('concat(a,"b")', "mysql"), ('concat(a,"b")', "postgresql")),
        (("a - -1", "postgresql"), ("a", "postgresql")),
        (("a || 'b", "postgresql"), ('a || "b', "postgresql")),
        (("(`a` || `b`)", "mysql"), ("(a || b)", "postgresql")),
        (("`a` / 2", "mysql"), ("a / 2", "sqlite")),
        (("upper(a)", "postgresql"), ("upper(a)", "sqlite")),
        (("round(f)", "postgresql"), ("round(f)", "mysql")),
        (("substr(a, 0)", "sqlite"), ("substr(a, 0)", "mysql")),
        (("a < 'b'", "postgresql"), ("a < 'b'", "mysql")),
        (("a LIKE 'a%'", "postgresql"), ("a LIKE 'a%'", "sqlite")),
        (('concat(a, "b c")', "postgresql"), ('concat(a, "b c")', "sqlite")),
        (("cast(f AS integer)", "sqlite"), ("cast(f AS integer)", "postgresql")),
    ],
)
def test_expressions_that_differ_are_told_of(source: tuple[str, str], target: tuple[str, str]) -> None:
    assert entries(source, target) == [
        f'TABLE:"s"."t"."g": the target\'s own expression computes it: {target[0]}; at the source it is {source[0]}'
        " [existing-generated]"
    ]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (("a||'b  c'", "sqlite"), ("a  ||\n'b  c'", "sqlite")),
        (("((a || '(') || b)", "postgresql"), ("(a || '(') || b", "postgresql")),
        (("(coalesce(`a`,`b c`))", "mysql"), ('COALESCE(a, "b c")', "postgresql")),
        (("a || b -- both", "sqlite"), ("a || /* and */ b", "sqlite")),
        (("replace(`a`,'b','c')", "mysql"), ("replace(a, 'b', 'c')", "sqlite")),
        (("a || 'b", "postgresql"), ("a || 'b", "postgresql")),
    ],
)
def test_blanks_comments_quotes_of_names_and_outer_parentheses_do_not_count(
    source: tuple[str, str], target: tuple[str, str]
) -> None:
    assert entries(source, target) == []


@pytest.mark.parametrize(
    "dialects",
    [
        (("postgresql", ""), ("sqlite", "")),
        (("postgresql", ""), ("postgresql", "")),
        (("postgresql", ""), ("postgresql", " ")),
    ],
)
def test_the_same_words_over_columns_that_compare_otherwise_are_told_of(
    dialects: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    here, there = (computing(f"coalesce(a, 'x'){blank}", dialect) for dialect, blank in dialects)
    assert not list(differences(here, there, here.columns[:1], there.columns[:1], ADAPTERS))
    folded = replace(there.columns[0], equality=Equality(case=True))
    there = replace(there, columns=(folded, *there.columns[1:]))
    assert [loss.rule for loss in differences(here, there, here.columns[:1], there.columns[:1], ADAPTERS)] == [
        "existing-generated"
    ]


@pytest.mark.parametrize("target", [t.String(), t.Xml(), t.Native("postgresql", "name")], ids=str)
@pytest.mark.parametrize(
    ("source", "rule"), [(t.Timestamp(), "existing-clock"), (t.Decimal(9, 2), "existing-written")], ids=str
)
def test_what_sqlite_writes_otherwise_is_told_of_whatever_shows_it(source: t.Type, rule: str, target: t.Type) -> None:
    adapters = load_adapter("sqlite"), load_adapter("postgresql")
    here, there = (o.Table("s", "t", (o.Column("c", type_),)) for type_ in (source, target))
    assert rule in {loss.rule for loss in differences(here, there, here.columns, there.columns, adapters)}
