"""Truer or narrower types that all values of a column prove: suggestions, which nobody applies but the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from migrator.model import types as t
from migrator.model.measures import Measure
from migrator.model.objects import Column
from migrator.profiling.scans import Answer


@dataclass(frozen=True)
class Evidence:
    """What the rows say about a column. ``values``: how many have one."""

    column: Column
    values: int
    facts: Mapping[Measure, Answer]
    key: bool = False
    """Whether it is part of a key."""

    @property
    def type(self) -> t.Type:
        """What the column is at the source."""
        return t.base_of(self.column.type)

    def none(self, measure: Measure) -> bool:
        """Whether no value is of this kind, as far as it was asked."""
        return self.facts.get(measure) == 0

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the greatest value of decimals, without digits after the point."""
        least, most = self.facts.get(Measure.LEAST), self.facts.get(Measure.MOST)
        if not isinstance(self.type, t.Decimal) or least is None or most is None:
            return None
        return int(Decimal(least)), int(Decimal(most))


@dataclass(frozen=True)
class Proof:
    """One row: the type that the evidence proves (None: it does not), and how that is said, over facts and ``values``."""

    name: str
    type: Callable[[Evidence], t.Type | None]
    sentence: str
    meaning: str


def _boolean(seen: Evidence) -> t.Type | None:
    numbers = isinstance(seen.type, t.Integer | t.Decimal)
    return t.Boolean() if numbers and not seen.key and seen.none(Measure.NOT_BOOLEAN) else None


def _exact(seen: Evidence) -> bool:
    return isinstance(seen.type, t.Decimal) and seen.none(Measure.NO_NUMBER)


def _integer(seen: Evidence) -> t.Type | None:
    limits = seen.range
    if not _exact(seen) or not seen.none(Measure.SCALE) or limits is None:
        return None
    least, most = limits
    return next((t.Integer(bits) for bits in (16, 32, 64) if -1 << (bits - 1) <= least and most < 1 << (bits - 1)), None)


def _decimal(seen: Evidence) -> t.Type | None:
    limits, scale = seen.range, seen.facts.get(Measure.SCALE)
    unlimited = isinstance(seen.type, t.Decimal) and seen.type.precision is None
    if not (unlimited and _exact(seen)) or limits is None or not isinstance(scale, int):
        return None
    return t.Decimal(max(len(str(abs(limit))) for limit in limits) + scale, scale)


def _date(seen: Evidence) -> t.Type | None:
    dated = isinstance(seen.type, t.Timestamp) and not seen.type.zoned and seen.none(Measure.NO_NUMBER)
    return t.Date() if dated and seen.none(Measure.TIMED) else None


def _uuid(seen: Evidence) -> t.Type | None:
    return t.Uuid() if seen.none(Measure.NOT_UUID) else None


def _json(seen: Evidence) -> t.Type | None:
    return t.Json() if seen.none(Measure.NOT_JSON) else None


PROOFS = (
    Proof(
        "boolean",
        _boolean,
        "each of {values} values is 0 or 1",
        "No value is anything but 0 or 1; not of a column that is part of a key.",
    ),
    Proof(
        "integer",
        _integer,
        "each of {values} values is whole, from {least} to {most}",
        "No decimal has a digit after the point, and all are in range; the smallest of 16, 32 and 64 bits.",
    ),
    Proof(
        "decimal",
        _decimal,
        "{values} values from {least} to {most}, with at most {scale} digits after the point",
        "A decimal without limits has values of so many digits.",
    ),
    Proof(
        "date", _date, "each of {values} values is at midnight, from {least} to {most}", "No timestamp has a time of day."
    ),
    Proof(
        "uuid", _uuid, "each of {values} values is a UUID in small letters", "Each text is a UUID as databases write them."
    ),
    Proof("json", _json, "each of {values} values is a JSON object or array", "Each text is a JSON object or array."),
)
"""The types that can be proved, the narrowest first."""


@dataclass(frozen=True)
class Suggestion:
    """A type for a column, and its proof. ``rule``: the row of :data:`PROOFS`; ``values``: how many were looked at."""

    column: str
    rule: str
    type: t.Type
    proof: str
    values: int
    least: str | None = None
    most: str | None = None
    declared: str = ""
    """How the target would declare it; empty: there is none."""

    def __str__(self) -> str:
        return f"{self.column}: {self.declared or self.type}: {self.proof}"


def suggestion(seen: Evidence, taken: t.Type) -> Suggestion | None:
    """The narrowest type that the evidence proves; None: there is none, or ``taken``, what the column becomes, is as narrow.

    Nothing follows from a column without values.
    """
    if not seen.values:
        return None
    for proof, type_ in _proved(seen):
        if _no_wider(t.base_of(taken), type_):
            return None
        told = {str(measure): answer for measure, answer in seen.facts.items()}
        least, most = told.get("least"), told.get("most")
        sentence = proof.sentence.format(values=seen.values, **told)
        return Suggestion(
            seen.column.name,
            proof.name,
            type_,
            sentence,
            seen.values,
            None if least is None else str(least),
            None if most is None else str(most),
        )
    return None


def _proved(seen: Evidence) -> Iterator[tuple[Proof, t.Type]]:
    for proof in PROOFS:
        type_ = proof.type(seen)
        if type_ is not None:
            yield proof, type_


def _no_wider(taken: t.Type, proved: t.Type) -> bool:
    """Whether what a column becomes anyhow is of the kind that was proved."""
    if isinstance(taken, t.Decimal) and isinstance(proved, t.Decimal):
        return taken.precision is not None
    return isinstance(taken, type(proved))
