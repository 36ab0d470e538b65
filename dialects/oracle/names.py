"""Names that Oracle wants unique in a schema, where other databases want them unique in a table or by their case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from migrator.model.catalog import Catalog
from migrator.model.objects import Check, ForeignKey, Index, PrimaryKey, QName, Sequence, Table, Unique, View

Part: TypeAlias = PrimaryKey | Unique | ForeignKey | Check | Index
Relation: TypeAlias = Table | View | Sequence
Named = TypeVar("Named", PrimaryKey, Unique, ForeignKey, Check, Index)

_SPACES: dict[type, tuple[str, ...]] = {
    PrimaryKey: ("constraint", "index"),  # keys bring an index of their name
    Unique: ("constraint", "index"),
    Index: ("index",),
}
"""In what a name must be unique; the other constraints: among constraints."""


class SchemaNames:
    """The names of a catalog as Oracle keeps them; ``stored`` gives the form in which it keeps one."""

    def __init__(self, catalog: Catalog, stored: Callable[[str], str]) -> None:
        self._stored = stored
        self._relations: dict[tuple[str, str], list[Relation]] = {}
        for obj in catalog.objects:
            if isinstance(obj, Relation):
                self._relations.setdefault((stored(obj.schema), stored(obj.name)), []).append(obj)
        self._taken: set[tuple[str, str, str]] = set()
        self._names: dict[tuple[QName, Part], str] = {}
        tables = list(catalog.of(Table))
        parts: list[tuple[Table, Part]] = [(table, part) for table in tables for part in constraints_of(table)]
        parts += [(table, index) for table in tables for index in table.indexes]
        for table, part in parts:
            if part.name:
                self._names[table.qname, part] = self._free(table, part, part.name)

    def _free(self, table: Table, part: Part, wanted: str) -> str:
        schema, number, name = self._stored(table.schema), 0, wanted
        while True:
            claimed = {(schema, space, self._stored(name)) for space in _SPACES.get(type(part), ("constraint",))}
            if not claimed & self._taken:
                self._taken |= claimed
                return name
            number += 1
            name = f"{wanted}_{table.name}" if number == 1 else f"{wanted}_{table.name}_{number}"

    def of(self, table: Table, part: Part) -> str | None:
        """The name of a constraint or index, its own or one with the table's name added; None where it has none."""
        return self._names.get((table.qname, part), part.name)

    def alike(self, obj: Relation) -> list[Relation]:
        """The tables, views and sequences that Oracle would keep under the name of ``obj``, itself among them."""
        return self._relations.get((self._stored(obj.schema), self._stored(obj.name)), [])


def constraints_of(table: Table) -> Iterator[PrimaryKey | Unique | ForeignKey | Check]:
    """All constraints of a table, its keys first."""
    yield from keys_of(table)
    yield from table.foreign_keys
    yield from table.checks


def keys_of(table: Table) -> Iterator[PrimaryKey | Unique]:
    """The primary key and the unique constraints of a table."""
    if table.primary_key is not None:
        yield table.primary_key
    yield from table.uniques
