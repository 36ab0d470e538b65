"""Which access method moves a table's rows: the documented rules as data, and :func:`choose`.

Each rule asks one fact and bars one method; the first method that no rule bars is taken. Facts that a database would not
tell count as true. ``docs/access-methods.md`` is written from :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.adapter import Facts


class Method(StrEnum):
    """The ways rows can move, the fastest first; the values are the words METRICS prints."""

    DIRECT_PATH = "direct_path"
    CONVENTIONAL_PATH = "conventional_path"


@dataclass(frozen=True)
class Situation:
    """What the rules look at. ``fresh``: this job makes the table; ``unloading``: rows are read, not stored."""

    facts: Facts = field(default_factory=Facts)
    fresh: bool = True
    unloading: bool = False


@dataclass(frozen=True)
class Rule:
    """One reason why a method is not used. ``sentence`` is what the log and the documentation say."""

    name: str
    bars: Method
    holds: Callable[[Situation], bool]
    sentence: str


RULES: tuple[Rule, ...] = (
    Rule(
        "trigger",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and not s.fresh and s.facts.triggers,
        "the table existed before the job and has an active insert trigger",
    ),
    Rule(
        "referential",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and not s.fresh and s.facts.foreign_keys,
        "the table existed before the job and has a referential constraint",
    ),
    Rule(
        "unique-index",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and not s.fresh and s.facts.unique_indexes,
        "the table existed before the job and has a unique index",
    ),
    Rule(
        "partitioned",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and not s.fresh and s.facts.partitioned,
        "the table existed before the job and is partitioned",
    ),
    Rule(
        "row-security",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and s.facts.row_security,
        "fine-grained access control is active on the table",
    ),
    Rule(
        "bulk-refused",
        Method.DIRECT_PATH,
        lambda s: not s.unloading and bool(s.facts.bulk_load_refused),
        "the server does not take bulk loads",
    ),
)


@dataclass(frozen=True)
class Choice:
    """The method and the rules that barred faster ones."""

    method: Method
    barred: tuple[Rule, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not a faster method; empty for the fastest."""
        return "; ".join(rule.sentence for rule in self.barred)


def choose(situation: Situation) -> Choice:
    """The fastest method that no rule bars."""
    barred = tuple(rule for rule in RULES if rule.holds(situation))
    for method in Method:
        if all(rule.bars is not method for rule in barred):
            return Choice(method, barred)
    return Choice(Method.CONVENTIONAL_PATH, barred)
