"""docs/traps.md leads to tests that are there, and misses none."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./([\w/]+\.py)\)")
NUMBERED = re.compile(r"^\| (\d+) \| .* \| (.*) \|$", re.MULTILINE)


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of a module's tests."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(x.name for x in ast.walk(tree) if isinstance(x, ast.FunctionDef) and x.name.startswith("test_"))


def test_every_test_that_is_named_is_there() -> None:
    named = LINK.findall(PAGE)
    assert len(named) > 100
    assert [(name, path) for name, path in named if name not in names_in(path)] == []


def test_every_trap_and_every_case_has_a_test() -> None:
    rows = NUMBERED.findall(PAGE)
    assert [int(number) for number, _ in rows] == [*range(1, 26), *range(1, 34)]
    assert [number for number, shown in rows if not LINK.search(shown)] == []


@pytest.mark.parametrize("source", ["mysql", "postgresql", "sqlite", "oracle"])
def test_every_test_of_traps_is_named(source: str) -> None:
    path = f"tests/e2e/test_traps_of_{source}.py"
    general = {"test_only_rows_that_have_no_place_are_refused", "test_every_statement_for_oracle_passes_the_grammar"}
    general |= {"test_a_script_for_oracle_itself_loses_nothing_and_passes_the_grammar"}
    assert names_in(path) - general - {name for name, where in LINK.findall(PAGE) if where == path} == set()
