"""Access methods: one test for each rule holding and not holding."""

from __future__ import annotations

import pytest

from migrator.access import RULES, Method, Situation, choose
from migrator.adapter import Facts

CASES = {
    "trigger": (Situation(Facts(triggers=True), fresh=False), Situation(Facts(triggers=True), fresh=True)),
    "referential": (Situation(Facts(foreign_keys=True), fresh=False), Situation(Facts(foreign_keys=True), fresh=True)),
    "unique-index": (Situation(Facts(unique_indexes=True), fresh=False), Situation(Facts(unique_indexes=True), fresh=True)),
    "partitioned": (Situation(Facts(partitioned=True), fresh=False), Situation(Facts(partitioned=True), fresh=True)),
    "row-security": (Situation(Facts(row_security=True)), Situation(Facts(row_security=True), unloading=True)),
    "bulk-refused": (Situation(Facts(bulk_load_refused="off")), Situation(Facts())),
    "query": (Situation(filtered=True), Situation(filtered=False)),
}


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES} == set(CASES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_holds_bars_its_method_and_says_why(rule) -> None:  # type: ignore[no-untyped-def]
    choice = choose(CASES[rule.name][0])
    assert choice.method not in rule.bars
    assert choice.method is (Method.EXTERNAL_TABLE if rule.name == "query" else Method.CONVENTIONAL_PATH)
    assert choice.reason == rule.sentence


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_where_no_rule_holds_the_direct_path_is_taken(rule) -> None:  # type: ignore[no-untyped-def]
    choice = choose(CASES[rule.name][1])
    assert (choice.method, choice.barred) == (Method.DIRECT_PATH, ())
