"""A catalog: the ordered objects of a database or a dump set, and the list of what could not be carried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar

from migrator.model.objects import DomainType, EnumType, Object, Program, QName, Table, View, quoted

T = TypeVar("T")

Action: TypeAlias = str
"""What a policy has done about values that have no place at the target: a word that :mod:`migrator.policies` has, or the
value that is put instead of them, in single quotes as in SQL."""


def value_of(action: Action) -> str | None:
    """The value that an action puts instead of others; None: it puts none."""
    return action[1:-1].replace("''", "'") if action.startswith("'") else None


DATABASE = "DATABASE"
"""What stands for the database itself where objects are named."""


@dataclass(frozen=True)
class Loss:
    """One change of type or meaning, or one thing left behind.

    ``object``: its path, such as ``TABLE:"hr"."emp"``; ``column`` where one is concerned. ``rule``: the identifier of the
    rule that says so. ``detail``: one sentence. ``rows``: how many rows are affected, None where that was not counted.
    ``policy``: what POLICY asked for, None where nothing but this can be done. ``each``: it is about every row with a value
    in ``column``, so that they can be counted when they have passed. ``part_of``: the object that this one, which has no
    place in the model, is left out with (a table, its schema, the database).
    """

    object: str
    rule: str
    detail: str
    column: str | None = None
    rows: int | None = None
    policy: Action | None = None
    each: bool = False
    part_of: str = ""

    @property
    def where(self) -> str:
        """What it is about: the object, or a column of it."""
        return f"{self.object}.{quoted(self.column)}" if self.column else self.object

    @property
    def what(self) -> str:
        """What it says of that."""
        counted = "" if self.rows is None else f" ({self.rows} {'row' if self.rows == 1 else 'rows'})"
        return f"{self.detail}{counted} [{self.rule}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


Reason = Literal["LENGTH", "CHARACTERS", "RESERVED", "COLLISION"]
"""Why something has another name: the target has no such long ones, keeps it for itself, or something else has it."""

COLUMN = "COLUMN"
"""The kind of a rename of a column."""


@dataclass(frozen=True)
class Rename:
    """A name that something has at the target instead of its own, which is too long there, or another's.

    ``kind``: as filters name it (TABLE, INDEX, REF_CONSTRAINT), or COLUMN. ``schema``, ``table`` and ``name``: where it is
    at the target (``table`` is empty where it is no part of one), and what it is called there. ``source_name``: what it
    would be called, which is its name at the source but where REMAP_TABLE gives another; ``source_schema`` and
    ``source_table``: where it is there. ``number``: which it is of those of its kind and table that have that name there.
    """

    kind: str
    schema: str
    table: str
    name: str
    source_schema: str
    source_table: str
    source_name: str
    reason: Reason
    number: int = 1


@dataclass(frozen=True)
class Catalog:
    """Objects in the order of their making, of one database (``dialect``: the adapter's name, ``version`` as it says)."""

    dialect: str
    version: str
    objects: tuple[Object, ...] = ()
    losses: tuple[Loss, ...] = ()
    renames: tuple[Rename, ...] = ()
    """The names that a target has for them instead of their own; a source's catalog has none."""
    collation: str = ""
    """What sorts texts that have no collation of their own; empty: the numbers of their characters."""

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The numbers that the version begins with; None: with none."""
        found = re.match(r"\d+(?:\.\d+)*", self.version)
        return None if found is None else tuple(map(int, found[0].split(".")))

    def of(self, kind: type[T]) -> Iterator[T]:
        """The objects of one class, in order."""
        return (o for o in self.objects if isinstance(o, kind))

    def table(self, name: QName) -> Table | None:
        """The table of that name, None where there is none."""
        return self._tables.get(name)

    def relation(self, name: QName) -> Table | View | None:
        """The table or view of that name, None where there is none."""
        return self._relations.get(name)

    @cached_property
    def _relations(self) -> dict[QName, Table | View]:
        return {QName(obj.schema, obj.name): obj for obj in self.objects if isinstance(obj, Table | View)}

    @cached_property
    def _tables(self) -> dict[QName, Table]:
        return {table.qname: table for table in self.of(Table)}

    def with_objects(self, objects: tuple[Object, ...]) -> Catalog:
        """The same catalog with other objects."""
        return replace(self, objects=objects)

    def with_renamed(self, objects: tuple[Object, ...]) -> Catalog:
        """The same catalog with its own objects under other names, of columns too; what its losses are about follows."""
        there = {path_of(old): (old, new) for old, new in zip(self.objects, objects, strict=True) if old != new}

        def following(loss: Loss) -> Loss:
            if loss.object not in there:
                return loss
            old, new = there[loss.object]
            column = loss.column
            if isinstance(old, Table) and isinstance(new, Table):
                names = (own.name for was, own in zip(old.columns, new.columns, strict=True) if was.name == column)
                column = next(names, column)
            return replace(loss, object=path_of(new), column=column)

        return replace(self, objects=objects, losses=tuple(map(following, self.losses)))

    def with_losses(self, *losses: Loss) -> Catalog:
        """The same catalog with more losses."""
        return replace(self, losses=(*self.losses, *losses))


def object_type(obj: Object) -> str:
    """The object's type as filters and logs name it: ``TABLE``, ``MATERIALIZED_VIEW``, ``FUNCTION``."""
    if isinstance(obj, Program):
        return obj.kind
    if isinstance(obj, View) and obj.materialized:
        return "MATERIALIZED_VIEW"
    return {EnumType: "TYPE", DomainType: "DOMAIN"}.get(type(obj), type(obj).__name__.upper())


def path_of(obj: Object) -> str:
    """How logs and losses name an object: ``TABLE:"hr"."emp"``, ``RULE:"hr"."emp"."no_delete"``."""
    label = object_type(obj)
    schema = getattr(obj, "schema", None)
    if isinstance(obj, Program) and obj.named_by_table and obj.table is not None:
        return f"{label}:{QName(obj.schema, obj.table)}.{quoted(obj.name)}"
    return f"{label}:{quoted(obj.name)}" if schema is None else f"{label}:{QName(schema, obj.name)}"
