"""A database carried to another and back, and what the entries of the two loss ledgers say about the differences.

An entry tells of a difference if it is about that object (and column, or names that key, check or index), and its rule is
about that attribute: :data:`ABOUT`. What :data:`ALIKE` lists needs no entry: it is spelled otherwise, and nothing is lost or
means something else. What entries tell that no catalog of the first database shows is in :data:`UNSEEN`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from migrator.model import types as t
from migrator.model.catalog import Loss
from tests.support.catalogs import catalog_of
from tests.support.differing import Difference, differences, label_of
from tests.support.pump import done, pump, remap


def entries(path: Path) -> list[Loss]:
    """The entries of a LEDGER."""
    return [Loss(**entry) for entry in json.loads(path.read_text("utf-8"))["entries"]]


@dataclass(frozen=True)
class Round:
    """A database that was carried to another and from there to a third, of the kind of the first."""

    first: str
    via: str
    back: str
    told: tuple[Loss, ...]

    @classmethod
    def made(cls, first: str, via: str, back: str, directory: Path, *options: str) -> Round:
        """Carry it; ``options`` are those of the first job."""
        told: list[Loss] = []
        for source, target, more in ((first, via, options), (via, back, ())):
            files = (f"DIRECTORY={directory}", "LEDGER=ledger.json", "NOLOGFILE=YES")
            done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *files, *more))
            told += entries(directory / "ledger.json")
        return cls(first, via, back, tuple(told))

    @property
    def ends(self) -> tuple[str, str]:
        """The adapters' names of the two kinds of databases."""
        kinds = [sa.make_url(url).get_backend_name() for url in (self.first, self.via)]
        return kinds[0], kinds[1]

    @cached_property
    def differences(self) -> list[Difference]:
        """What differs between the first database and the last."""
        return differences(catalog_of(self.first), catalog_of(self.back))

    def retyped(self, table: str) -> set[str]:
        """The columns of a table whose types are not what they were."""
        found = (d.columns for d in self.differences if d.object == table and d.what == "column.type")
        return set().union(*found)

    def unexplained(self) -> list[Difference]:
        """The differences that no entry tells of, and that are not alike."""
        told = [d for d in self.differences if any(tells(entry, d) for entry in self.told)]
        left = [d for d in self.differences if d not in told]
        return [d for d in left if not any(alike.holds(self, d) for alike in ALIKE)]

    def unseen(self) -> list[Loss]:
        """The entries that tell of no difference, although a catalog would show it."""
        return [
            entry
            for entry in self.told
            if not any(fnmatch(entry.rule, rule) for rule in UNSEEN) and not any(tells(entry, d) for d in self.differences)
        ]


# --- what entries tell of -------------------------------------------------------------------------------------------

ABOUT: Mapping[str, tuple[str, ...]] = {
    "type-*": ("column.type", "column.native"),
    "declaration": ("column.type", "column.native", "check"),
    "key-length": ("column.type",),
    "identity-bigint": ("column.type",),
    "enum": ("object",),
    "domain": ("object", "column.*", "check"),
    "comment": ("*.comment",),
    "collation*": ("column.collation", "column.ignore_case"),
    "generated": ("column.generated",),
    "virtual": ("column.generated",),
    "not-null": ("column.nullable",),
    "default": ("column.default",),
    "on-update": ("column.on_update",),
    "invisible": ("column.invisible",),
    "identity*": ("column.identity", "column.default"),
    "check": ("check", "check.*"),
    "index": ("index",),
    "index-method": ("index", "index.method"),
    "index-partial": ("index", "index.where"),
    "index-include": ("index.include",),
    "index-prefix": ("index.keys.length",),
    "index-nulls": ("index.keys.nulls_first",),
    "index-opclass": ("index.keys.opclass",),
    "index-collation": ("index.keys.collation",),
    "index-name": ("index", "unique"),
    "key-name": ("primary_key.name",),
    "nulls-not-distinct": ("*.nulls_distinct",),
    "deferrable": ("*.deferrable", "*.initially_deferred"),
    "match-full": ("foreign_key.match",),
    "set-columns": ("foreign_key.set_columns",),
    "set-default": ("foreign_key.on_*",),
    "table-options": ("table.options",),
    "partitioning": ("table.partitioning",),
    "partition-only": ("index", "foreign_key"),
    "inheritance": ("table.parents",),
    "null-in-key": ("primary_key", "unique"),
    "view": ("object",),
    "program": ("object",),
    "sequence": ("object",),
    "materialized-view": ("view.materialized",),
    "check-option": ("view.check_option",),
    "view-option": ("view.options",),
}
"""The attributes that each rule is about, both as patterns."""

UNSEEN: Mapping[str, str] = {
    "definer": "no catalog of ours has definers",
    "grants": "no catalog of ours has privileges",
    "key-case": "it is about values that may come later",
    "collation-case": "as above, and the collation itself may be that of the database",
}
"""The rules of entries that tell of no difference between catalogs, and why."""


def tells(entry: Loss, difference: Difference) -> bool:
    """Whether an entry tells of a difference."""
    if label_of(entry) != difference.object:
        return False
    if not any(fnmatch(difference.what, what) for rule, whats in ABOUT.items() if fnmatch(entry.rule, rule) for what in whats):
        return False
    if difference.part and difference.part in entry.detail:
        return True
    if entry.column is not None:
        return entry.column in difference.columns
    return not difference.part and all(name in entry.detail for name in difference.columns)


# --- what needs no entry --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alike:
    """One row: differences in ``what`` that lose nothing where ``when`` holds, and ``why``. ``via``: the database between."""

    what: str
    why: str
    when: Callable[[Round, Difference], bool] = lambda round_, difference: True
    via: Sequence[str] = ("postgresql", "mysql", "sqlite")

    def holds(self, round_: Round, difference: Difference) -> bool:
        """Whether the row is about a difference."""
        return fnmatch(difference.what, self.what) and round_.ends[1] in self.via and self.when(round_, difference)


def wider(before: t.Type, after: t.Type) -> bool:
    """Whether every value of a type is one of the other, with the same meaning."""
    match before, after:
        case t.Boolean(), t.Integer():
            return True
        case t.Integer(), t.Integer():
            return _bits(before) <= _bits(after) and (before.unsigned or not after.unsigned)
        case t.Integer(), t.Decimal(precision=int(digits), scale=0):
            return len(str(1 << before.bits)) <= digits
        case t.Year(), t.Integer(bits=bits):
            return bits >= 16
        case t.String() | t.Xml(), t.String():
            return _length(after) >= (_length(before) if isinstance(before, t.String) else math.inf)
        case t.Binary(), t.Binary():
            return _length(after) >= _length(before)
        case t.Timestamp(zoned=a), t.Timestamp(zoned=b) if a == b:
            return before.precision <= after.precision
        case t.Time(), t.Time() | t.Interval():
            return before.precision <= after.precision
        case t.Json(), t.Json():
            return True
    return False


def _bits(type_: t.Integer) -> int:
    """The bits that hold its numbers with a sign."""
    return type_.bits + type_.unsigned


def _length(type_: t.String | t.Binary) -> float:
    if type_.length is None:
        return math.inf
    return type_.length * (4 if getattr(type_, "unit", "byte") == "char" else 1)


def _is_wider(round_: Round, difference: Difference) -> bool:
    return wider(difference.before, difference.after)


def _type_differs(round_: Round, difference: Difference) -> bool:
    """Whether the types of all columns concerned differ, or have come to differ on the way."""
    return difference.before is None and difference.columns <= round_.retyped(difference.object)


ALIKE: tuple[Alike, ...] = (
    Alike("column.type", "a wider type: its range is kept by a check, or any value of it was let in", _is_wider),
    Alike("check", "what keeps the range of a narrower type", _type_differs),
)
