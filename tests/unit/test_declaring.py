"""What POLICY says of tables before any is made: which column may be NULL, and which value can be put instead of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migrator.adapter import load_adapter
from migrator.errors import CollationRefused, PolicyNotKept
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.equality import Equality
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, DomainType, Identity, PrimaryKey, Table, Unique
from migrator.operations.declaring import check_collations, declared, with_collations
from migrator.plan import plan
from migrator.policies import Policies
from migrator.spec import JobSpec, PolicySetting

SPEC = JobSpec("IMPORT", "SCHEMA", "postgresql://x", Path())
ZERO = PolicySetting(Misfit.ZERO_DATE, "relax")


def must(name: str, type_: t.Type, **more: object) -> Column:
    return replace(Column(name, type_, nullable=False), **more)  # type: ignore[arg-type]


EMP = Table(
    "hr",
    "emp",
    (
        must("id", t.Integer(32)),
        must("hired", t.Date()),
        must("at", t.Timestamp(0)),
        must("name", t.String(20)),
        Column("left", t.Date()),
    ),
    primary_key=PrimaryKey(None, ("id",)),
)


def made(
    table: Table, *settings: PolicySetting, here: str = "mysql", there: str = "postgresql", more: tuple[DomainType, ...] = ()
) -> tuple[dict[str, bool], tuple[Loss, ...], tuple[str, ...]]:
    """Which columns may be NULL, the entries, and the remarks."""
    catalog = Catalog(here, "1", (*more, table))
    found, notes = declared(replace(SPEC, policies=settings), catalog, catalog, load_adapter(there).ddl(catalog))
    (told,) = found.of(Table)
    return {column.name: column.nullable for column in told.columns}, found.losses, notes


def test_only_columns_that_can_have_such_values_are_relaxed() -> None:
    nullable, losses, notes = made(EMP, ZERO)
    assert nullable == {"id": False, "hired": True, "at": True, "name": False, "left": True}
    detail = "may be NULL, and is NOT NULL at the source: zero dates become NULL"
    assert losses == tuple(Loss('TABLE:"hr"."emp"', "relaxed", detail, name, policy="relax") for name in ("hired", "at"))
    assert notes == ()


@pytest.mark.parametrize(("here", "there"), [("mysql", "mysql"), ("mysql", "sqlite"), ("postgresql", "postgresql")])
def test_nothing_is_relaxed_where_the_target_has_such_values_or_the_source_has_none(here: str, there: str) -> None:
    nullable, losses, _ = made(EMP, ZERO, here=here, there=there)
    assert not any(nullable[name] for name in ("id", "hired", "at", "name"))
    assert losses == ()


def test_a_setting_for_a_column_goes_before_the_others() -> None:
    kept = PolicySetting(Misfit.ZERO_DATE, "convert", ("emp", "hired"))
    assert made(EMP, ZERO, kept)[0] == {"id": False, "hired": False, "at": True, "name": False, "left": True}
    alone = PolicySetting(Misfit.ZERO_DATE, "relax", ("hr", "emp", "hired"))
    assert made(EMP, alone)[0] == {"id": False, "hired": True, "at": False, "name": False, "left": True}


def test_two_cases_are_one_entry() -> None:
    _, losses, _ = made(EMP, ZERO, PolicySetting(Misfit.PARTIAL_DATE, "relax"))
    assert [loss.detail.partition(": ")[2] for loss in losses] == [
        "zero dates and dates that no calendar has become NULL"
    ] * 2


KEYED = replace(EMP, primary_key=PrimaryKey(None, ("id", "hired")))
DOMAIN = DomainType("hr", "day", t.Date(), nullable=False)
OF_DOMAIN = replace(EMP, columns=(must("id", t.Integer(32)), Column("hired", t.Domain("hr", "day", t.Date()))))
COUNTED = Table("hr", "emp", (must("hired", t.Integer(64, unsigned=True), identity=Identity()), Column("x", t.Date())))


@pytest.mark.parametrize(
    ("table", "case", "here", "there", "why"),
    [
        (KEYED, "zero_date", "mysql", "postgresql", "is part of the primary key"),
        (OF_DOMAIN, "infinity", "postgresql", "mysql", "is of a domain that is NOT NULL"),
        (COUNTED, "out_of_range", "mysql", "sqlite", "is an identity"),
    ],
)
def test_what_takes_no_null_is_refused_by_its_name_and_remarked_otherwise(
    table: Table, case: str, here: str, there: str, why: str
) -> None:
    more = (DOMAIN,) if table is OF_DOMAIN else ()
    wide = PolicySetting(Misfit(case), "relax")
    nullable, losses, notes = made(table, wide, here=here, there=there, more=more)
    assert [loss.column for loss in losses] == (["at"] if table is KEYED else [])
    assert nullable["hired"] == (table is OF_DOMAIN), "as it was"
    assert notes == (f'POLICY={case}=relax: column "hr"."emp".hired {why}, and takes no NULL',)
    with pytest.raises(PolicyNotKept, match=why):
        made(table, replace(wide, names=("emp", "hired")), here=here, there=there, more=more)


def test_empty_texts_may_be_null_in_oracle() -> None:
    nullable, losses, _ = made(EMP, PolicySetting(Misfit.EMPTY_TEXT, "relax"), there="oracle")
    assert nullable == {"id": False, "hired": False, "at": False, "name": True, "left": True}
    assert [(loss.column, loss.policy) for loss in losses] == [("name", "relax")]


@pytest.mark.parametrize("content", ["ALL", "METADATA_ONLY", "DATA_ONLY"])
def test_a_table_that_is_not_made_is_not_relaxed(content: str) -> None:
    catalog = Catalog("mysql", "1", (EMP,))
    spec = replace(SPEC, policies=(ZERO,), content=content)  # type: ignore[arg-type]
    found, _ = declared(spec, catalog, catalog, load_adapter("postgresql").ddl(catalog))
    assert (found == catalog) == (content == "DATA_ONLY")


@pytest.mark.parametrize(("value", "why"), [("'1900-01-01'", ""), ("'-infinity'", ""), ("'1900-02-30'", "partial_date"),
                                            ("'x'", "is not what"), ("'0000-00-00'", "zero_date")])  # fmt: skip
def test_a_value_is_checked_against_each_column_that_it_may_come_into(value: str, why: str) -> None:
    setting = PolicySetting(Misfit.ZERO_DATE, value)
    if not why:
        assert made(EMP, setting) == ({column.name: column.nullable for column in EMP.columns}, (), ())
        return
    with pytest.raises(PolicyNotKept, match=why) as refused:
        made(EMP, setting)
    assert str(refused.value).startswith(f'MIG-20016: POLICY=zero_date={value}: column "hr"."emp".hired does not take it: ')


# --- texts that compare in another way ------------------------------------------------------------------------------

PEOPLE = Table(
    "hr",
    "people",
    (
        must("name", t.String(20), native="varchar(20)", collation="utf8mb4_general_ci", equality=Equality(case=True)),
        must("town", t.String(20), native="varchar(20)", collation="utf8mb4_general_ci", equality=Equality(case=True)),
        must("id", t.Integer(32)),
    ),
    uniques=(Unique("names", ("name",)),),
)


def entries(*settings: PolicySetting, kept: bool = False) -> list[tuple[str | None, str, str | None]]:
    """Column, rule and policy of the entries about a table with texts that ignore case, as PostgreSQL is to have it."""
    catalog = Catalog("mysql", "1", (PEOPLE,))
    ddl = load_adapter("postgresql").ddl(catalog)
    phases = with_collations(replace(SPEC, policies=settings), catalog, plan(catalog, "ALL", ddl))
    check_collations(phases, ddl, {PEOPLE.qname} if kept else ())
    losses = (loss for phase in phases for step in phase.steps for loss in step.script.losses)
    return [(loss.column, loss.rule, loss.policy) for loss in losses if loss.rule in ("collation-equality", "key-equality")]


def test_entries_about_collations_say_what_is_asked_for_their_column() -> None:
    town = PolicySetting(Misfit.COLLATION, "convert", ("people", "town"))
    rules = [("name", "collation-equality"), ("town", "collation-equality"), ("name", "key-equality")]
    assert entries() == [(*rule, None) for rule in rules]
    assert entries(PolicySetting(Misfit.COLLATION, "warn"), town) == [
        (column, rule, "convert" if column == "town" else "warn") for column, rule in rules
    ]


def test_a_table_whose_texts_compare_in_another_way_is_refused_with_its_columns() -> None:
    name = PolicySetting(Misfit.COLLATION, "refuse", ("hr", "people", "name"))
    with pytest.raises(CollationRefused) as refused:
        entries(name)
    lines = refused.value.message.splitlines()[1:]
    assert len(lines) == 2
    assert all('"people"."name"' in line for line in lines)
    words = "(varchar(20) COLLATE utf8mb4_general_ci at the source, character varying(20) at the target)"
    assert all(line.endswith(words) for line in lines), lines
    stays, numbers = entries(name, kept=True), entries(PolicySetting(Misfit.COLLATION, "refuse", type="integer"))
    assert [policy for _, _, policy in stays] == ["refuse", None, "refuse"], "it is not made"
    assert [policy for _, _, policy in numbers] == [None] * 3


def test_a_policy_says_nothing_of_other_entries() -> None:
    policies = Policies((PolicySetting(Misfit.COLLATION, "refuse"),), (PEOPLE,))
    path = 'TABLE:"hr"."people"'
    others = (
        Loss(path, "type-string", "x", "name"),
        Loss(path, "type-string", "of no column"),
        Loss(path, "collation", "of a column that is not there", "no such"),
        Loss('PROCEDURE:"hr"."p"', "collation", "of a program"),
    )
    assert policies.about(others) == others


OF_TABLE = Table(
    "hr",
    "texts",
    (
        Column("a", t.String(20)),
        Column("b", t.String(20)),
        Column("own", t.String(20), collation="utf8mb4_bin"),
        Column("n", t.Integer(32)),
    ),
    options=(("ENGINE", "InnoDB"), ("COLLATE", "utf8mb4_uca1400_ai_ci")),
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), None),
        (("convert",), "convert"),
        (("warn",), "warn"),
        (("convert", ("texts", "b", "warn")), "warn"),
        (("warn", ("texts", "a", "refuse")), "refuse"),
        (("refuse", ("texts", "a", "convert"), ("texts", "b", "warn")), "warn"),
        ((("texts", "own", "refuse"), ("texts", "n", "refuse")), None),
        ((("texts", "refuse"),), "refuse"),
    ],
    ids=str,
)
def test_the_collation_of_a_table_is_that_of_its_columns_without_one(
    settings: tuple[str | tuple[str, ...], ...], expected: str | None
) -> None:
    """MySQL has not all of MariaDB's. The strictest setting of those columns holds."""
    named = [(one,) if isinstance(one, str) else one for one in settings]
    policies = tuple(PolicySetting(Misfit.COLLATION, action, tuple(names)) for *names, action in named)  # type: ignore[arg-type]
    catalog = Catalog("mysql", "10.11.6-MariaDB", (OF_TABLE,))
    ddl = load_adapter("mysql").ddl(catalog, (8, 0, 40))
    phases = with_collations(replace(SPEC, policies=policies), catalog, plan(catalog, "ALL", ddl))
    losses = [loss for phase in phases for step in phase.steps for loss in step.script.losses if loss.rule == "collation"]
    assert [(loss.column, loss.policy) for loss in losses] == [(None, expected)]
    if expected != "refuse":
        check_collations(phases, ddl)
        return
    with pytest.raises(CollationRefused, match="collation utf8mb4_uca1400_ai_ci becomes utf8mb4_0900_ai_ci"):
        check_collations(phases, ddl)


def test_a_table_without_texts_compares_none() -> None:
    numbers = replace(OF_TABLE, columns=OF_TABLE.columns[-1:])
    policies = Policies((PolicySetting(Misfit.COLLATION, "refuse"),), (numbers,))
    entry = Loss('TABLE:"hr"."texts"', "collation", "of no column")
    assert policies.about([entry]) == (entry,)
