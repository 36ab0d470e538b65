"""What entries of the loss list excuse in a database that comes back: a new name is one, a thing that is gone is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.equality import Equality
from migrator.model.objects import (
    Check,
    Column,
    Expression,
    ForeignKey,
    Generated,
    Index,
    IndexKey,
    Now,
    PrimaryKey,
    QName,
    Table,
)
from tests.support.explaining import Round
from tests.support.pump import Run
from tests.support.trying import keys_that_failed

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


def unseen(detail: str, rule: str, *columns: Column) -> list[str]:
    """What an entry about a column tells untruly, of which there is one in each of several databases: by their names."""
    entry = Loss('TABLE:"s"."t"', rule, detail, "a")
    kinds = [column.comment or "" for column in columns]
    made = Round(f"{kinds[0]}://a", f"{kinds[1]}://b", f"{kinds[2]}://c", (entry,))
    tables = [Table("s", "t", (replace(column, comment=None),)) for column in columns]
    catalogs = [Catalog(kind, "", (table,)) for kind, table in zip(kinds, tables, strict=True)]
    vars(made).update(catalogs=(catalogs[0], catalogs[2]), targets=(catalogs[1], catalogs[2]))
    assert made.unseen() == made.untrue()
    return [told.detail for told in made.untrue()]


def in_each(first: str, via: str, *types: t.Type, default: Now | None = None, native: str = "") -> tuple[Column, ...]:
    """The column in a database, in the one between, and in the last, which is of the kind of the first."""
    kinds = (first, via, first)
    return tuple(
        Column("a", type_, default=default, native=native, comment=kind) for type_, kind in zip(types, kinds, strict=True)
    )


LATER = "later times keep {} digits after the second, as its rows have: DATETIME lets {} in (FRACTIONAL_SECONDS)"


@pytest.mark.parametrize(
    ("detail", "kept", "first", "true"),
    [
        (LATER.format(3, 6), 3, "sqlite", True),
        (LATER.format(2, 6), 3, "sqlite", False),
        (LATER.format(3, 3), 3, "sqlite", False),
        (LATER.format(3, 6), 6, "sqlite", False),
        (LATER.format(3, 6), 3, "mysql", False),
        (LATER.format(3, 6).replace("DATETIME", "TIME"), 3, "sqlite", False),
        ("times are rounded", 3, "sqlite", False),
    ],
)
def test_later_times_have_the_digits_that_are_told(detail: str, kept: int, first: str, true: bool) -> None:
    made = in_each(first, "postgresql", t.Timestamp(3), t.Timestamp(kept), t.Timestamp(3), native="DATETIME")
    assert unseen(detail, "timestamp-digits", *made) == ([] if true else [detail])


PADDED = "values are read filled up with blanks to their length (at the source: without blanks at their end)"
FIXED, VARYING = t.String(9, fixed=True), t.String(9)


@pytest.mark.parametrize(
    ("first", "via", "type_", "true"),
    [
        ("mysql", "postgresql", FIXED, True),
        ("postgresql", "mysql", FIXED, True),  # on the way back
        ("mysql", "postgresql", VARYING, False),
        ("mysql", "sqlite", FIXED, False),
        ("mysql", "mysql", FIXED, False),
    ],
)
def test_blanks_at_the_end_of_a_text_of_a_fixed_length_are_all_that_padding_tells_of(
    first: str, via: str, type_: t.Type, true: bool
) -> None:
    made = in_each(first, via, type_, type_, type_)
    assert unseen(PADDED, "padding", *made) == ([] if true else [PADDED])
    assert unseen("values are read otherwise", "padding", *made) == ["values are read otherwise"]


BEGUN = "the current time is when the statement began (at the source: the transaction)"


@pytest.mark.parametrize(
    ("first", "via", "default", "true"),
    [
        ("postgresql", "mysql", Now(), True),
        ("sqlite", "postgresql", Now(), True),  # on the way back
        ("sqlite", "mysql", Now(), False),
        ("postgresql", "mysql", None, False),
    ],
)
def test_a_clock_has_another_beginning_only_where_databases_begin_it_so(
    first: str, via: str, default: Now | None, true: bool
) -> None:
    made = in_each(first, via, t.Timestamp(), t.Timestamp(), t.Timestamp(), default=default)
    assert unseen(BEGUN, "clock-moment", *made) == ([] if true else [BEGUN])


BELOW = "a difference with a number that has no sign may be less than 0 here, and is an error at the source then"


@pytest.mark.parametrize(
    ("first", "type_", "sql", "true"),
    [
        ("mysql", t.Integer(unsigned=True), "`a` - 1", True),
        ("mysql", t.Year(), "`a` - 2000", True),
        ("mysql", t.Integer(), "`a` - 1", False),
        ("mysql", t.Integer(unsigned=True), "`a` + 1", False),
        ("mysql", t.Integer(unsigned=True), "`b` - 1 + `a`", False),
        ("mysql", t.Integer(unsigned=True), "`a` + (-1)", False),
        ("sqlite", t.Integer(unsigned=True), "`a` - 1", False),
    ],
)
def test_a_calculation_is_an_error_below_zero_only_where_mysql_has_it_of_a_number_without_a_sign(
    first: str, type_: t.Type, sql: str, true: bool
) -> None:
    plain = in_each(first, "postgresql", type_, t.Integer(64), type_)
    made = tuple(replace(column, generated=Generated(Expression(sql, "mysql"))) for column in plain)
    assert unseen(BELOW, "unsigned-arithmetic", *made) == ([] if true else [BELOW])
    of_a_check = f"check low ({sql} < 5): {BELOW}"
    assert unseen(of_a_check, "unsigned-arithmetic", *plain) == ([] if true else [of_a_check])


TEXT, OTHER = Column("a", t.String()), Column("b", t.Integer())
CASELESS = replace(TEXT, equality=Equality(case=True))
WORDS = {
    "rows": 'insert or update on table "t" violates foreign key constraint "k"',
    "types": 'foreign key constraint "k" cannot be implemented Key columns are of incompatible types: text and integer.',
    "key": 'there is no unique constraint matching given keys for referenced table "u"',
    "mysql": 'Can\'t create table `t` (errno: 150 "Foreign key constraint is incorrectly formed") (1005)',
    "none": "permission denied for table u",
}


def failing(why: str, own: Column, other: Column, *told: Loss, name: str | None = "leads", said: str = "leads") -> set[str]:
    """The tables that are known to have a foreign key no more, of a key that leads from one column to another."""
    key = ForeignKey(name, (own.name,), QName("s", "u"), (other.name,))
    to = Table("s", "u", (other,), primary_key=PrimaryKey(None, (other.name,)))
    others = (Table("s", "v", (own,)), to)
    catalog = Catalog("postgresql", "", (Table("s", "t", (own,), foreign_keys=(key,)), *others))
    out = f'ORA-39083: Object type REF_CONSTRAINT:"s"."{said}" failed to create with error:\nMIG-30001: {WORDS[why]}\n'
    found, unknown = keys_that_failed([Run(5, out, "")], [catalog], told)
    assert [(one.name, one.why) for one in unknown] == ([] if found else [(said, f"MIG-30001: {WORDS[why]}")])
    return set(found)


def test_the_tables_of_a_foreign_key_that_could_not_be_made_are_known() -> None:
    assert failing("types", TEXT, OTHER) == {"t", "u"}
    assert failing("types", TEXT, OTHER, name=None, said="t") == {"t", "u"}
    assert failing("types", TEXT, OTHER, said="other") == set()


def test_a_foreign_key_fails_only_for_what_is_so_of_it() -> None:
    lost = Loss('TABLE:"s"."u"', "unique", "unique constraint is left out")
    assert failing("rows", CASELESS, CASELESS) == {"t", "u"}
    assert failing("rows", TEXT, TEXT) == set()
    assert failing("types", TEXT, TEXT) == set()
    assert failing("key", TEXT, TEXT, lost) == {"t", "u"}
    assert failing("key", TEXT, TEXT) == set()
    assert failing("mysql", TEXT, CASELESS) == {"t", "u"}
    assert failing("mysql", TEXT, TEXT) == set()
    assert failing("none", TEXT, OTHER) == set()
