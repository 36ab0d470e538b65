"""Which column of a target takes the values of which column of a source."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from migrator.errors import ColumnIsComputed, NotATable, TableNotThere, ValueNotCarried
from migrator.model import types as t
from migrator.model.catalog import Catalog, path_of
from migrator.model.objects import Column, QName, Sequence, Table, View


def absent(there: Catalog, name: QName) -> TableNotThere:
    """The error of a table that a target does not have; where a view or sequence has its name, that says so."""
    others = (obj for obj in there.objects if isinstance(obj, View | Sequence))
    found = next((path_of(obj) for obj in others if QName(obj.schema, obj.name) == name), None)
    return TableNotThere(table=name) if found is None else NotATable(table=name, found=found)


def matched(table: Table, made: Table) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns whose values move, as they come, by their names at the source, and as the target has them.

    A column that is computed at the source is left to the target, if that computes one too.

    :raises ValueNotCarried: the target has no column for one of the source's.
    :raises ColumnIsComputed: it computes one whose values the source has.
    """
    there = {column.name: column for column in made.columns}
    folded = {column.name.lower(): column for column in made.columns}
    pairs = []
    for column in table.columns:
        found = there.get(column.name) or folded.get(column.name.lower())
        if found is None:
            raise ValueNotCarried(column=column.name, detail=f"table {made.qname} has no such column")
        if found.generated is not None and column.generated is None:
            raise ColumnIsComputed(column=f"{made.qname}.{found.name}", expression=found.generated.expression.sql)
        if found.generated is None:
            pairs.append((column.at_source, _as_chosen(column, found)))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def computed(table: Table, made: Table, apart: Collection[str | None] = ()) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns that both tables compute, as :func:`matched` gives those that move; without those of ``apart``, and
    without the moments at which versions of rows begin and end.
    """
    there = {column.name.lower(): column for column in made.columns if column.generated is not None}
    pairs = [
        (column.at_source, found)
        for column in table.columns
        if column.generated is not None
        and not column.generated.versions
        and (found := there.get(column.name.lower())) is not None
        and found.name not in apart
    ]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


@dataclass(frozen=True)
class StandIn:
    """One row: for a ``chosen`` type, columns of ``source`` may have one of these types at the target."""

    chosen: type[t.Type]
    source: tuple[type[t.Type], ...]
    types: tuple[type[t.Type], ...]


STAND_INS = (
    StandIn(t.Boolean, (t.Integer, t.Decimal), (t.Integer, t.Decimal)),
    StandIn(t.Uuid, (t.Binary, t.String), (t.Uuid, t.String)),
)
"""What a target has for a chosen type that it does not have itself; a UUID's does not say in which order its bytes come."""


def _as_chosen(column: Column, found: Column) -> Column:
    """The target's column; where it stands in for a type that was chosen, it takes that one's values only."""
    if column.carried is None:
        return found
    here, there = t.base_of(column.carried.type), t.base_of(found.type)
    chosen = any(
        isinstance(column.type, row.chosen) and isinstance(here, row.source) and isinstance(there, row.types)
        for row in STAND_INS
    )
    return replace(found, type=column.type) if chosen else found
