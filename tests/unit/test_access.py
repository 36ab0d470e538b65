"""Access methods: one test for each rule holding and not holding, and what becomes of rules that conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.access import LINK_ANSWERS, MEANINGS, RULES, Bar, Link, LinkFact, Method, Rule, Situation, choose
from migrator.adapter import Always, Asked, Fact, Facts, Never, installed, load_adapter
from migrator.errors import AccessMethodRefused, DataFileCopyRefused, NoAccessMethod
from migrator.model.objects import QName

TABLE = QName("hr", "emp")


def so(*facts: Fact) -> Facts:
    return Facts(dict.fromkeys(facts, True))


def held(rule: Rule) -> Situation:
    """A situation in which a rule is to be followed."""
    unloading = rule.direction == "unload"
    if isinstance(rule.asks, Fact):
        return Situation(so(rule.asks), fresh=False, unloading=unloading)
    if isinstance(rule.asks, LinkFact):
        return Situation(fresh=False, link=Link({rule.asks: "why"}, fastest=True))
    return Situation(fresh=False, unloading=unloading, parameters=frozenset({rule.asks}))


def not_held(rule: Rule) -> list[Situation]:
    """Situations beside it in which it is not: another fact, a fresh table, the other direction, what voids it."""
    so_far = held(rule)
    link = so_far.link and Link(fastest=True)
    found = [Situation(Facts(dict.fromkeys(Fact, False)), fresh=False, unloading=so_far.unloading, link=link)]
    if rule.existing:
        found.append(replace(so_far, fresh=True))
    if rule.direction != "both":
        found.append(replace(so_far, unloading=not so_far.unloading))
    if rule.unless is not None:
        found.append(replace(so_far, parameters=frozenset({rule.unless})))
    return found


every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)


@every_rule
def test_the_rule_bars_its_methods(rule: Rule) -> None:
    situation = held(rule)
    assert rule.holds(situation)
    choice = choose(situation, Method.DATA_FILE_COPY if rule.bars == {Method.DATA_FILE_COPY} else None)
    assert choice.method not in rule.bars
    assert rule in [bar.rule for bar in choice.barred]
    if choice.method is not Method.DIRECT_PATH:
        assert rule.sentence in choice.reason


@every_rule
def test_the_rule_does_not_hold(rule: Rule) -> None:
    for situation in not_held(rule):
        assert not rule.holds(situation)


@every_rule
def test_a_rule_is_named_once_and_says_what_lifts_it(rule: Rule) -> None:
    assert [other.name for other in RULES].count(rule.name) == 1
    assert rule.bars
    assert rule.lift


@pytest.mark.parametrize("unloading", [False, True])
def test_where_no_rule_holds_the_direct_path_is_taken(unloading: bool) -> None:
    choice = choose(Situation(unloading=unloading))
    assert (choice.method, choice.barred, choice.reason) == (Method.DIRECT_PATH, (), "")


def test_what_bars_the_direct_path_alone_leaves_the_external_table() -> None:
    for rule in RULES:
        if rule.bars == {Method.DIRECT_PATH} and rule.asks is not Fact.BULK_REFUSED:
            assert choose(held(rule)).method is Method.EXTERNAL_TABLE


def test_attributes_that_conflict_leave_the_conventional_path() -> None:
    choice = choose(Situation(so(Fact.TRIGGER, Fact.STAGING_REFUSED), fresh=False))
    assert choice.method is Method.CONVENTIONAL_PATH
    assert [bar.rule.name for bar in choice.why] == ["trigger", "staging-refused"]


def test_a_server_without_bulk_loads_takes_rows_by_the_conventional_path_but_for_a_query() -> None:
    facts = so(Fact.BULK_REFUSED)
    assert choose(Situation(facts)).method is Method.CONVENTIONAL_PATH
    assert choose(Situation(facts, parameters=frozenset({"QUERY"}))).method is Method.EXTERNAL_TABLE


def test_a_disabled_unique_index_leaves_no_method() -> None:
    choice = choose(Situation(so(Fact.DISABLED_UNIQUE_INDEX)))
    why = choice.refusal(TABLE, "import")
    assert isinstance(why, NoAccessMethod)
    assert "rule disabled-unique-index" in why.message


def test_where_no_method_is_left_what_bars_faster_ones_alone_is_not_to_be_lifted() -> None:
    choice = choose(Situation(so(Fact.DISABLED_UNIQUE_INDEX, Fact.TRIGGER), fresh=False))
    assert {bar.rule.name for bar in choice.barred} == {"disabled-unique-index", "trigger"}
    why = choice.refusal(TABLE, "import")
    assert isinstance(why, NoAccessMethod)
    assert "rule trigger" not in why.message
    assert str(TABLE) in why.message


def test_a_fact_that_could_not_be_read_counts_as_true_and_says_so() -> None:
    facts = Facts({Fact.TRIGGER: None}, {Fact.TRIGGER: "hr lacks the privilege TRIGGER"})
    choice = choose(Situation(facts, fresh=False))
    assert choice.method is Method.EXTERNAL_TABLE
    assert choice.reason.endswith("(unknown, so taken to be so: hr lacks the privilege TRIGGER)")


def test_what_lifts_a_fact_that_could_not_be_read_is_first_of_all_to_let_the_user_read_it() -> None:
    unread = choose(Situation(Facts({Fact.TRIGGER: None}), fresh=False), Method.DIRECT_PATH)
    (bar,) = unread.barred
    assert bar.lift == f"grant the user the privilege to see whether it is so; or, if it is so: {bar.rule.lift}"
    refused = unread.refusal(TABLE, "import")
    assert refused is not None
    assert bar.lift in refused.action.format(**refused.facts)
    (bar,) = choose(Situation(so(Fact.TRIGGER), fresh=False)).barred
    assert bar.lift == bar.rule.lift


def test_a_trigger_can_be_dropped_where_no_database_disables_one() -> None:
    (bar,) = choose(Situation(so(Fact.TRIGGER), fresh=False)).barred
    assert "drop it for the job" in bar.lift


def test_the_method_asked_for_is_taken_where_no_rule_bars_it() -> None:
    for method in Method:
        choice = choose(Situation(link=Link()), method)
        assert choice.method is method
        assert choice.refusal(TABLE, "import") is None
        fastest = {Method.DATA_FILE_COPY, Method.INSERT_AS_SELECT, Method.DIRECT_PATH}
        assert choice.reason == ("" if method in fastest else f"ACCESS_METHOD={method.name}")


def test_the_method_asked_for_is_refused_with_the_table_and_the_rule() -> None:
    choice = choose(Situation(so(Fact.TRIGGER), fresh=False), Method.DIRECT_PATH)
    why = choice.refusal(TABLE, "import")
    assert isinstance(why, AccessMethodRefused)
    assert str(why).startswith(f"ORA-31696: unable to import TABLE_DATA:{TABLE} using client specified DIRECT_PATH method")
    assert "rule trigger: the table was there before the job and has an active insert trigger" in str(why)
    assert "disable the trigger" in why.action.format(**why.facts)


def test_data_files_are_copied_on_demand_only_and_then_nothing_else_is_done() -> None:
    facts = so(Fact.NO_DATA_FILE)
    assert choose(Situation(facts)).barred == ()
    assert choose(Situation(so(Fact.TRIGGER), fresh=False), Method.DATA_FILE_COPY).barred == ()
    why = choose(Situation(facts), Method.DATA_FILE_COPY).refusal(TABLE, "export")
    assert isinstance(why, DataFileCopyRefused)
    assert f"export TABLE_DATA:{TABLE} using client specified DATA_FILE_COPY method (rule no-data-file" in str(why)


@pytest.mark.parametrize("unloading", [False, True])
def test_what_chooses_or_changes_rows_bars_the_copying_of_data_files(unloading: bool) -> None:
    for parameter in ("QUERY", "REMAP_DATA", *(["SAMPLE"] if unloading else [])):
        situation = Situation(unloading=unloading, parameters=frozenset({parameter}))
        assert choose(situation, Method.DATA_FILE_COPY).method is None


def test_rows_are_never_unloaded_by_the_conventional_path() -> None:
    choice = choose(Situation(unloading=True), Method.CONVENTIONAL_PATH)
    assert "no table is unloaded so" in str(choice.refusal(TABLE, "export"))
    assert [method for method in Method if not MEANINGS[method][0]] == [Method.INSERT_AS_SELECT, Method.CONVENTIONAL_PATH]


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_link_is_read_by_the_targets_engine_where_that_is_fastest_or_asked_for() -> None:
    assert choose(Situation(link=Link(fastest=True))).method is Method.INSERT_AS_SELECT
    assert choose(Situation(link=Link())).method is Method.DIRECT_PATH
    assert choose(Situation(link=Link()), Method.INSERT_AS_SELECT).method is Method.INSERT_AS_SELECT


def test_rows_that_come_over_no_link_are_not_said_to_have_missed_it() -> None:
    trigger = choose(Situation(so(Fact.TRIGGER), fresh=False))
    assert Method.INSERT_AS_SELECT not in trigger.possible
    assert [bar.rule.name for bar in trigger.why] == ["trigger"]
    streamed = choose(Situation(link=Link({LinkFact.OUT_OF_REACH: "it is far"})))
    assert (streamed.method, streamed.reason) == (Method.DIRECT_PATH, "")


def test_a_link_that_is_out_of_reach_says_why() -> None:
    far = Link({LinkFact.OUT_OF_REACH: "it is far"}, fastest=True)
    assert choose(Situation(link=far)).reason.endswith("(it is far)")
    refused = choose(Situation(link=far), Method.INSERT_AS_SELECT).refusal(TABLE, "import")
    assert isinstance(refused, AccessMethodRefused)
    assert "rule link-reach" in str(refused)
    assert "(it is far)" in str(refused)


def test_what_acts_on_any_insert_does_not_stand_in_the_way_of_the_targets_engine() -> None:
    facts = so(Fact.TRIGGER, Fact.REFERENTIAL, Fact.UNIQUE_INDEX, Fact.PARTITIONED, Fact.STAGING_REFUSED)
    assert choose(Situation(facts, fresh=False, link=Link(fastest=True))).method is Method.INSERT_AS_SELECT


def test_every_fact_about_a_link_is_asked_by_a_rule_and_answered() -> None:
    assert {rule.asks for rule in RULES if isinstance(rule.asks, LinkFact)} == set(LinkFact) == set(LINK_ANSWERS)


@pytest.mark.parametrize("name", installed())
def test_every_database_says_of_every_fact_where_it_is_answered_or_why_it_is_never_so(name: str) -> None:
    answers = load_adapter(name).answers
    assert set(answers) == set(Fact)
    for answer in answers.values():
        assert isinstance(answer, Always | Asked | Never)
        assert answer.where if isinstance(answer, Asked) else answer.why


def test_every_fact_is_asked_by_a_rule() -> None:
    assert {rule.asks for rule in RULES if isinstance(rule.asks, Fact)} == set(Fact)


def test_a_bar_tells_what_the_database_adds() -> None:
    assert str(Bar(RULES[0], "trigger audit")) == f"{RULES[0].sentence} (trigger audit)"
