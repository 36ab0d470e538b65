"""The inventory: what became of each object of a source, so that none is left behind unsaid.

It is taken from both sides. What the source has is what the plan of its whole catalog would make; what was moved is what
the master table records of the job's own plan. The two need not agree: what is neither moved, left out on request, there
already nor named as unsupported has failed, with an error of its own, or is missing, which is an error of the job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from migrator.ddl import Elsewhere
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import QName, Table
from migrator.plan import NO_OBJECTS, TABLE, Step, plan


class Fate(StrEnum):
    """What becomes of an object, in the words and the order of the inventory."""

    MOVED = "moved"
    CONVERTED = "converted"
    FILTERED = "filtered out"
    THERE = "there already"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    MISSING = "missing"


_SCHEMA = "USER"
_ELSEWHERE = {Elsewhere.KEPT: Fate.MOVED, Elsewhere.CHANGED: Fate.CONVERTED, Elsewhere.LEFT_OUT: Fate.UNSUPPORTED}


@dataclass(frozen=True)
class Item:
    """An object, or a part of a table: its ``kind`` as filters name it (``TABLE``, ``INDEX``), and what logs call it."""

    kind: str
    label: str


@dataclass(frozen=True)
class Inventory:
    """The fates of a source's objects."""

    fates: tuple[tuple[Item, Fate], ...]

    def count(self, kind: str | None = None) -> Counter[Fate]:
        """How many objects, of one kind or of all, there are of each fate."""
        return Counter(fate for item, fate in self.fates if kind in {None, item.kind})

    def kinds(self) -> tuple[str, ...]:
        """The kinds of objects that the source has, in the order of the plan."""
        return tuple(dict.fromkeys(item.kind for item, _ in self.fates))

    def of(self, fate: Fate) -> tuple[str, ...]:
        """The labels of the objects of one fate."""
        return tuple(item.label for item, found in self.fates if found is fate)

    def sum(self, kind: str | None = None) -> str:
        """The counts as a sum: ``12 = 10 moved + 2 filtered out``."""
        counts = self.count(kind)
        parts = [f"{counts[fate]} {fate}" for fate in Fate if counts[fate]]
        return f"{counts.total()} = {' + '.join(parts) or '0'}"


def items(catalog: Catalog) -> Counter[Item]:
    """All objects of a catalog and all parts of its tables."""
    return Counter(_item(step) for step in steps(catalog))


def steps(catalog: Catalog) -> Iterator[Step]:
    """The steps of a plan that stand for objects."""
    return (step for phase in plan(catalog, "METADATA_ONLY") for step in phase.steps if step.path not in NO_OBJECTS)


def _item(step: Step) -> Item:
    return Item(step.path.rsplit("/", 1)[-1], step.label)


@dataclass(frozen=True)
class Made:
    """What was made of a job's plan: its steps, and how the master table records each (``COMPLETED``, ``SKIPPED`` …).

    ``losses``: the entries of the catalog it was planned from. ``kept``: the tables that were there before the job and stay
    as they are. ``rowless``: those that do not have their rows, since these failed.
    """

    steps: tuple[tuple[Step, str], ...]
    losses: tuple[Loss, ...] = ()
    kept: frozenset[QName] = frozenset()
    rowless: frozenset[QName] = frozenset()

    def fates(self) -> Iterator[tuple[Item, Fate]]:
        """The fate of each object of the plan; what the statements of others make shares the fate of its table."""
        changed = {loss.object for loss in self.losses}
        tables = {step.table: self._fate(step, state, changed) for step, state in self.steps if step.path == TABLE}
        for step, state in self.steps:
            if step.path in NO_OBJECTS:
                continue
            if step.path == TABLE and step.table in self.rowless:
                yield _item(step), Fate.FAILED
                continue
            if step.script.decides:
                yield _item(step), self._fate(step, state, changed)
                continue
            fate = tables.get(step.table, Fate.MOVED)
            is_there = fate in {Fate.MOVED, Fate.CONVERTED}
            kept = Elsewhere.CHANGED if step.label in changed else Elsewhere.KEPT
            yield _item(step), _ELSEWHERE[step.script.elsewhere or kept] if is_there else fate

    def _fate(self, step: Step, state: str, changed: Collection[str]) -> Fate:
        if step.table in self.kept or (state == "SKIPPED" and step.script.statements):
            return Fate.THERE
        if state == "COMPLETED":
            return Fate.CONVERTED if step.script.losses or step.label in changed else Fate.MOVED
        return {"SKIPPED": Fate.UNSUPPORTED, "FAILED": Fate.FAILED}.get(state, Fate.MISSING)


def take(found: Catalog, chosen: Catalog, made: Made | None = None, rowless: Collection[QName] = frozenset()) -> Inventory:
    """The inventory of a job: ``found`` has all objects of the source, ``chosen`` those that the job is about, before its
    transforms. ``made`` None: they are all carried as they are, as an export does, but for the tables ``rowless``, whose
    rows failed.

    An entry of the loss list about an object that the job does not make names one that the target, or any catalog, cannot
    have.
    """
    all_items, wanted = items(found), items(chosen)
    failed = {path_of(table) for table in chosen.of(Table) if table.source in rowless}
    carried = [(item, Fate.FAILED if item.label in failed else Fate.MOVED) for item in wanted.elements()]
    fates = carried if made is None else list(made.fates())
    fates += [(item, Fate.UNSUPPORTED) for item in _unmade(chosen.losses if made is None else made.losses, fates)]
    fates += [(item, Fate.FILTERED) for item in (all_items - wanted).elements()]
    known = [(item, Fate.FILTERED) for item in all_items]
    unmade = set(_unmade(chosen.losses, known))
    fates += [(item, Fate.FILTERED) for item in _unmade(found.losses, known) if item not in unmade]
    for kind, count in _lost(all_items, fates).items():
        fate = Fate.MOVED if kind == _SCHEMA else Fate.MISSING  # REMAP_SCHEMA makes one schema of two
        fates += [(Item(kind, f"another {kind}"), fate)] * count
    places = {kind: place for place, kind in enumerate(dict.fromkeys(item.kind for item in all_items))}
    return Inventory(tuple(sorted(fates, key=lambda pair: places.get(pair[0].kind, len(places)))))


def _unmade(losses: Iterable[Loss], fates: Iterable[tuple[Item, Fate]]) -> Iterator[Item]:
    labels = {item.label for item, _ in fates}
    for label in dict.fromkeys(loss.object for loss in losses):
        if ":" in label and label not in labels:
            yield Item(label.partition(":")[0], label)


def _lost(known: Counter[Item], fates: Iterable[tuple[Item, Fate]]) -> Counter[str]:
    """How many objects of each kind the job's plan does without, although nothing left them out."""
    had = Counter(item.kind for item in known.elements())
    have = Counter(item.kind for item, fate in fates)
    return had - have
