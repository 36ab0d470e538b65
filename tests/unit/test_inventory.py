"""The inventory: every object of a source has a fate, and what has none is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.ddl import Elsewhere, Script
from migrator.inventory import Fate, Made, take
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.plan import Step, plan

TABLE = o.Table(
    "s",
    "t",
    (o.Column("id", t.Integer(), identity=o.Identity()),),
    primary_key=o.PrimaryKey("pk", ("id",)),
    indexes=(o.Index("i", (o.IndexKey("id"),)),),
)
OTHER = o.Table("s", "u", (o.Column("id", t.Integer()),))
VIEW = o.View("s", "v", o.Expression("select 1", "postgresql"))
CATALOG = Catalog("postgresql", "", (o.Schema("s"), TABLE, OTHER, VIEW))
LOSS = Loss('TABLE:"s"."t"', "type-integer", "it is another type")
MADE = Script(("CREATE",))


def steps(catalog: Catalog = CATALOG, script: Script = MADE) -> list[Step]:
    return [replace(step, script=script) for phase in plan(catalog, "ALL") for step in phase.steps]


def made(states: dict[str, str], scripts: dict[str, Script] | None = None, catalog: Catalog = CATALOG) -> Made:
    """What was made: all of it, but for steps that ``states`` tells of; ``scripts``: steps with other statements."""
    return Made(
        tuple(
            (replace(step, script=(scripts or {}).get(step.label, MADE)), states.get(step.label, "COMPLETED"))
            for step in steps(catalog)
        ),
        catalog.losses,
    )


def fates(inventory: object) -> dict[str, Fate]:
    return {item.label: fate for item, fate in inventory.fates}  # type: ignore[attr-defined]


def test_an_export_moves_what_it_does_not_filter_out() -> None:
    chosen = CATALOG.with_objects((o.Schema("s"), replace(TABLE, indexes=())))
    inventory = take(CATALOG, chosen)
    assert inventory.sum() == "6 = 3 moved + 3 filtered out"
    assert inventory.of(Fate.FILTERED) == ('TABLE:"s"."u"', 'INDEX:"s"."i"', 'VIEW:"s"."v"')


def test_a_table_whose_rows_failed_has_failed_and_its_parts_are_what_they_are() -> None:
    lacking = replace(made({}), rowless=frozenset({TABLE.qname}))
    found = fates(take(CATALOG, CATALOG, lacking))
    assert found['TABLE:"s"."t"'] is Fate.FAILED
    assert found['INDEX:"s"."i"'] is Fate.MOVED
    assert take(CATALOG, CATALOG, lacking).sum() == "6 = 5 moved + 1 failed"
    there = replace(lacking, kept=frozenset({TABLE.qname}))
    assert fates(take(CATALOG, CATALOG, there))['TABLE:"s"."t"'] is Fate.FAILED


def test_the_kinds_come_in_the_plans_order_with_a_sum_each() -> None:
    inventory = take(CATALOG, CATALOG)
    assert inventory.kinds() == ("USER", "TABLE", "INDEX", "CONSTRAINT", "VIEW")
    assert inventory.sum("TABLE") == "2 = 2 moved"


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("COMPLETED", Fate.MOVED),
        ("SKIPPED", Fate.THERE),
        ("FAILED", Fate.FAILED),
        ("PENDING", Fate.MISSING),
        ("EXECUTING", Fate.MISSING),
    ],
)
def test_the_master_table_tells_the_fate(state: str, fate: Fate) -> None:
    inventory = take(CATALOG, CATALOG, made({'VIEW:"s"."v"': state}))
    assert fates(inventory)['VIEW:"s"."v"'] is fate
    assert inventory.count()[Fate.MOVED] == (6 if fate is Fate.MOVED else 5)


@pytest.mark.parametrize("losses", [True, False], ids=["of the source", "of the statement"])
def test_what_has_an_entry_in_the_loss_list_is_converted(losses: bool) -> None:
    catalog = CATALOG.with_losses(LOSS) if losses else CATALOG
    scripts = {} if losses else {LOSS.object: Script(("CREATE",), (LOSS,))}
    assert fates(take(catalog, catalog, made({}, scripts, catalog)))[LOSS.object] is Fate.CONVERTED


def test_what_has_no_statement_but_an_entry_is_unsupported() -> None:
    scripts = {'VIEW:"s"."v"': Script((), (replace(LOSS, object='VIEW:"s"."v"'),))}
    inventory = take(CATALOG, CATALOG, made({'VIEW:"s"."v"': "SKIPPED"}, scripts))
    assert inventory.of(Fate.UNSUPPORTED) == ('VIEW:"s"."v"',)


def test_a_key_that_is_made_with_its_table_has_its_tables_fate() -> None:
    scripts = {'CONSTRAINT:"s"."pk"': Script()}
    inventory = take(CATALOG, CATALOG, made({'TABLE:"s"."t"': "FAILED", 'CONSTRAINT:"s"."pk"': "PENDING"}, scripts))
    assert fates(inventory)['CONSTRAINT:"s"."pk"'] is Fate.FAILED


def test_a_schema_that_needs_no_statement_is_moved() -> None:
    inventory = take(CATALOG, CATALOG, made({'SCHEMA:"s"': "PENDING"}, {'SCHEMA:"s"': Script()}))
    assert fates(inventory)['SCHEMA:"s"'] is Fate.MOVED


def test_what_belongs_to_a_table_that_stays_as_it_was_is_there_already() -> None:
    result = replace(made({'INDEX:"s"."i"': "PENDING"}), kept=frozenset({TABLE.qname}))
    inventory = take(CATALOG, CATALOG, result)
    assert inventory.of(Fate.THERE) == ('TABLE:"s"."t"', 'INDEX:"s"."i"', 'CONSTRAINT:"s"."pk"')


def test_an_entry_about_something_no_catalog_has_is_an_unsupported_object() -> None:
    catalog = CATALOG.with_losses(Loss('EVENT:"s"."nightly"', "program", "not carried"), Loss("DATABASE", "extension", "x"))
    inventory = take(catalog, catalog)
    assert inventory.of(Fate.UNSUPPORTED) == ('EVENT:"s"."nightly"',)
    assert inventory.sum("EVENT") == "1 = 1 unsupported"


def test_what_no_catalog_has_is_filtered_out_with_what_it_is_a_part_of() -> None:
    catalog = CATALOG.with_losses(Loss('GRANT:"s"."t"', "grant", "x", part_of='TABLE:"s"."t"'))
    inventory = take(catalog, replace(catalog, losses=()))
    assert inventory.of(Fate.FILTERED) == ('GRANT:"s"."t"',)
    assert inventory.sum("GRANT") == "1 = 1 filtered out"


def test_what_a_transform_leaves_out_with_an_entry_is_unsupported() -> None:
    without = CATALOG.with_objects((o.Schema("s"), TABLE, OTHER)).with_losses(Loss('VIEW:"renamed"."v"', "no-views", "why"))
    inventory = take(CATALOG, CATALOG, made({}, catalog=without))
    assert inventory.of(Fate.UNSUPPORTED) == ('VIEW:"renamed"."v"',)
    assert not inventory.of(Fate.MISSING)


def test_what_a_jobs_plan_does_without_is_missing() -> None:
    """A transform that dropped a view by mistake would show here."""
    without = CATALOG.with_objects((o.Schema("s"), TABLE, OTHER))
    inventory = take(CATALOG, CATALOG, made({}, catalog=without))
    assert inventory.of(Fate.MISSING) == ("another VIEW",)


def test_schemas_that_become_one_are_both_moved() -> None:
    two = CATALOG.with_objects((o.Schema("r"), *CATALOG.objects))
    assert take(two, two, made({})).sum("USER") == "2 = 2 moved"


@pytest.mark.parametrize(
    ("elsewhere", "state", "fate"),
    [
        (Elsewhere.KEPT, "COMPLETED", Fate.MOVED),
        (Elsewhere.CHANGED, "COMPLETED", Fate.CONVERTED),
        (Elsewhere.LEFT_OUT, "COMPLETED", Fate.UNSUPPORTED),
        (Elsewhere.CHANGED, "FAILED", Fate.FAILED),
    ],
)
def test_what_the_tables_statement_makes_has_a_fate_of_its_own_if_the_table_is_made(
    elsewhere: Elsewhere, state: str, fate: Fate
) -> None:
    key = 'CONSTRAINT:"s"."pk"'
    scripts = {key: Script(elsewhere=elsewhere), LOSS.object: Script(("CREATE",), (LOSS,))}
    inventory = take(CATALOG, CATALOG, made({LOSS.object: state, key: "PENDING"}, scripts))
    assert fates(inventory)[key] is fate


@pytest.mark.parametrize(
    ("script", "told", "decides", "left_out"),
    [
        (Script(("CREATE",)), True, True, False),
        (Script(("CREATE",), (LOSS,)), True, True, False),
        (Script((), (LOSS,)), True, True, True),
        (Script(), False, False, False),
        (Script((), (LOSS,), Elsewhere.CHANGED), True, False, False),
        (Script(elsewhere=Elsewhere.LEFT_OUT), False, False, True),
        (Script((), (LOSS,), Elsewhere.LEFT_OUT), True, False, True),
        (Script(elsewhere=Elsewhere.KEPT), False, False, False),
    ],
)
def test_a_script_says_itself_what_becomes_of_its_object(script: Script, told: bool, decides: bool, left_out: bool) -> None:
    assert (script.is_told, script.decides, script.is_left_out) == (told, decides, left_out)
