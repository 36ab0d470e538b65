"""What the values of a table mean otherwise in one that is there already: entries of the loss list.

Values themselves are carried exactly, or refused; what is told here is what their new columns and keys make of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from migrator.ddl import unique_keys
from migrator.model import types as t
from migrator.model.catalog import Loss, path_of
from migrator.model.objects import Column, Table

_Types = tuple[t.Type, t.Type]


@dataclass(frozen=True)
class Difference:
    """One row: when the types of a column at the source and at the target differ in a way that each of its values shows."""

    rule: str
    detail: str
    holds: Callable[[t.Type, t.Type], bool]


def _zone(source: bool, target: bool) -> Callable[[t.Type, t.Type], bool]:
    def holds(here: t.Type, there: t.Type) -> bool:
        both = isinstance(here, t.Timestamp) and isinstance(there, t.Timestamp)
        return both and (getattr(here, "zoned", None), getattr(there, "zoned", None)) == (source, target)

    return holds


DIFFERENCES = (
    Difference("existing-zone", "an instant becomes date and time of day in UTC", _zone(True, False)),
    Difference("existing-zone", "date and time of day are taken to be in UTC", _zone(False, True)),
    Difference(
        "existing-float",
        "a decimal becomes the nearest number that binary digits can say",
        lambda here, there: isinstance(here, t.Decimal) and isinstance(there, t.Float),
    ),
)
"""How types differ; what is none of these keeps its meaning."""


def differences(table: Table, existing: Table, source: Sequence[Column], target: Sequence[Column]) -> Iterator[Loss]:
    """The entries about rows of ``table`` that go into ``existing``: columns ``source`` into those of ``target``."""
    path = path_of(table)
    for here, there in zip(source, target, strict=True):
        types = t.base_of(here.type), t.base_of(there.type)
        found = next((row for row in DIFFERENCES if row.holds(*types)), None)
        if found is not None:
            yield Loss(path, found.rule, found.detail, there.name, each=True)
    folded = {there.name: (here.ignore_case, there.ignore_case) for here, there in zip(source, target, strict=True)}
    for label, columns in unique_keys(existing):
        for name in columns:
            if folded.get(name) == (False, True):
                yield Loss(path, "key-case", f"{label} holds 'a' and 'A' for equal, and refuses one of the two", name)
            elif folded.get(name) == (True, False):
                yield Loss(path, "key-case", f"{label} lets in both 'a' and 'A', which are equal at the source", name)
