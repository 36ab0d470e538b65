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
    EXTERNAL_TABLE = "external_table"


MEANINGS = {
    Method.DIRECT_PATH: "the database's own bulk protocol, both to unload and to load",
    Method.CONVENTIONAL_PATH: "INSERT through the SQL engine, which fires triggers and checks keys row by row",
    Method.EXTERNAL_TABLE: "the rows go into a staging table by the bulk protocol, and those wanted on by INSERT … SELECT",
}
"""What each method does, for the documentation."""


@dataclass(frozen=True)
class Situation:
    """What the rules look at.

    ``fresh``: this job makes the table; ``unloading``: rows are read, not stored; ``filtered``: a QUERY has to choose among
    rows that come from a dump file set, which only the target's SQL engine can do.
    """

    facts: Facts = field(default_factory=Facts)
    fresh: bool = True
    unloading: bool = False
    filtered: bool = False


@dataclass(frozen=True)
class Rule:
    """One reason why methods are not used. ``sentence`` is what the log and the documentation say."""

    name: str
    bars: frozenset[Method]
    holds: Callable[[Situation], bool]
    sentence: str


_DIRECT = frozenset({Method.DIRECT_PATH})

RULES: tuple[Rule, ...] = (
    Rule(
        "trigger",
        _DIRECT,
        lambda s: not s.unloading and not s.fresh and s.facts.triggers,
        "the table existed before the job and has an active insert trigger",
    ),
    Rule(
        "referential",
        _DIRECT,
        lambda s: not s.unloading and not s.fresh and s.facts.foreign_keys,
        "the table existed before the job and has a referential constraint",
    ),
    Rule(
        "unique-index",
        _DIRECT,
        lambda s: not s.unloading and not s.fresh and s.facts.unique_indexes,
        "the table existed before the job and has a unique index",
    ),
    Rule(
        "partitioned",
        _DIRECT,
        lambda s: not s.unloading and not s.fresh and s.facts.partitioned,
        "the table existed before the job and is partitioned",
    ),
    Rule(
        "row-security",
        _DIRECT,
        lambda s: not s.unloading and s.facts.row_security,
        "fine-grained access control is active on the table",
    ),
    Rule(
        "bulk-refused",
        _DIRECT,
        lambda s: not s.unloading and bool(s.facts.bulk_load_refused),
        "the server does not take bulk loads",
    ),
    Rule(
        "query",
        frozenset({Method.DIRECT_PATH, Method.CONVENTIONAL_PATH}),
        lambda s: s.filtered,
        "QUERY chooses among the rows of a dump file set, which takes the SQL engine",
    ),
)


@dataclass(frozen=True)
class Choice:
    """The method and the rules that barred faster ones; no rule bars the external table."""

    method: Method
    barred: tuple[Rule, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not a faster method; empty for the fastest."""
        return "; ".join(rule.sentence for rule in self.barred)


def choose(situation: Situation) -> Choice:
    """The fastest method that no rule bars."""
    barred = tuple(rule for rule in RULES if rule.holds(situation))
    method = next(method for method in Method if all(method not in rule.bars for rule in barred))
    return Choice(method, barred)
