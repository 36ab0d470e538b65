"""What entries of the loss list excuse in a database that comes back: a new name is one, a thing that is gone is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import Check, Column, Expression, ForeignKey, Index, IndexKey, Now, QName, Table
from tests.support.explaining import Round
from tests.support.pump import Run
from tests.support.trying import without_keys

INDEX = Index("by_a_with_a_long_name", (IndexKey("a"),))
CHECK = Check("positive", Expression("a > 0", "postgresql"))
TABLE = Table("s", "t", (Column("a", t.Integer()), Column("b", t.Integer())), indexes=(INDEX,), checks=(CHECK,))
CUT = Loss('TABLE:"s"."t"', "name-cut", "by_a_with_a_long_name is named by_a_1234 here")
MET = Loss('TABLE:"s"."t"', "constraint-name", "check positive is named t_positive here")


class Told(Round):
    """A round whose catalogs are given."""

    @classmethod
    def of(cls, after: Table, *told: Loss) -> list[str]:
        """What is not explained."""
        made = cls("postgresql://a", "mysql://b", "postgresql://c", told)
        vars(made)["catalogs"] = tuple(Catalog("postgresql", "", (table,)) for table in (TABLE, after))
        return [difference.what for difference in made.unexplained()]


@pytest.mark.parametrize("told", [(CUT,), (CUT, replace(CUT, detail="by_a_1234 is named by_a here"))])
def test_a_cut_name_is_no_loss(told: tuple[Loss, ...]) -> None:
    name = told[-1].detail.split()[-2]
    assert Told.of(replace(TABLE, indexes=(replace(INDEX, name=name),)), *told) == []


def test_what_lost_its_name_on_the_way_is_not_to_be_lost_itself() -> None:
    assert Told.of(replace(TABLE, indexes=()), CUT) == ["index"]
    assert Told.of(replace(TABLE, checks=()), MET) == ["check"]


def test_what_has_another_name_is_compared_with_what_it_was() -> None:
    unique = replace(INDEX, name="by_a_1234", unique=True)
    assert Told.of(replace(TABLE, indexes=(unique,)), CUT) == ["index.unique"]
    weaker = replace(CHECK, name="t_positive", expression=Expression("a > -1", "postgresql"))
    assert Told.of(replace(TABLE, checks=(weaker,)), MET) == ["check.expression"]


def clock(value: Now) -> Table:
    return Table("s", "t", (Column("a", t.Timestamp(3), default=value),))


def told_of_a_clock(detail: str, first: Now, via: Now, back: Now) -> tuple[list[str], list[Loss]]:
    """What an entry of a clock does not explain, and whether it is one of what nobody sees."""
    entry = Loss('TABLE:"s"."t"', "clock", detail, "a")
    made = Round("postgresql://a", "mysql://b", "postgresql://c", (entry,))
    between = Catalog("mysql", "", (clock(via),))
    before, after = (Catalog("postgresql", "", (clock(value),)) for value in (first, back))
    vars(made).update(catalogs=(before, after), targets=(between, after))
    return [difference.what for difference in made.unexplained()], made.unseen()


CUT_OFF = "the current time is cut off to 2 digits after the second (at the source: rounded)"


def test_an_entry_of_a_clock_excuses_that_it_is_cut_off_but_no_other_digits() -> None:
    two = Now(precision=2)
    assert told_of_a_clock(CUT_OFF, two, two, two) == ([], [])
    assert told_of_a_clock(CUT_OFF, two, two, replace(two, cut=True)) == ([], [])
    assert told_of_a_clock(CUT_OFF, two, two, Now(precision=3, cut=True)) == (["column.default"], [])
    assert told_of_a_clock(CUT_OFF, two, two, replace(two, utc=True)) == (["column.default"], [])


@pytest.mark.parametrize("detail", [CUT_OFF.replace("2 digits after the second", "whole seconds"), CUT_OFF])
def test_an_entry_of_a_clock_that_no_database_has_is_seen(detail: str) -> None:
    _, unseen = told_of_a_clock(detail, Now(), Now(), Now())
    assert [entry.detail for entry in unseen] == [detail]


def test_the_tables_of_a_foreign_key_that_could_not_be_made_are_known() -> None:
    def catalog(name: str | None) -> Catalog:
        key = ForeignKey(name, ("a",), QName("s", "u"), ("a",))
        others = tuple(Table("s", other, TABLE.columns) for other in ("u", "v"))
        return Catalog("postgresql", "", (replace(TABLE, foreign_keys=(key,)), *others))

    def run(label: str) -> Run:
        return Run(5, f"ORA-39083: Object type REF_CONSTRAINT:{label} failed to create with error:\nno such index\n", "")

    assert without_keys([run('"s"."leads"')], [catalog("leads")]) == {"t", "u"}
    assert without_keys([run('"s"."t"')], [catalog(None)]) == {"t", "u"}
    assert without_keys([run('"s"."other"')], [catalog("leads")]) == frozenset()
