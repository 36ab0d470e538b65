"""Digits after the second: of a database whose rows say what type a column is of, targets take what the column lets in.

The rows of today have only so many digits. A database that spells times out (SQLite) takes more from rows that come later;
one that rounds to what it is told would round those.
"""

from __future__ import annotations

from dataclasses import replace

from migrator.adapter import Adapter, Capabilities, load_adapter
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Column, Object, Table

MOST = 6
"""Of a column that does not say how many."""

RULE = "timestamp-digits"
"""The rule of entries about columns that are made with more digits than their rows have, all of which may be shown."""
SPELLING = "timestamp-spelling"
"""That of a source's entries about times whose spelling is not kept anyhow."""


def as_let_in(catalog: Catalog, target: Capabilities) -> Catalog:
    """The catalog with as many digits after the second as its columns let in, where rows have fewer.

    It stays as it is where the target, as the source, has no types but what rows say.
    """
    source = load_adapter(catalog.dialect)
    if not source.capabilities.types_by_rows or target.types_by_rows:
        return catalog
    told = {(loss.object, loss.column) for loss in catalog.losses if loss.rule == SPELLING}
    losses: list[Loss] = []

    def changed(obj: Object) -> Object:
        if not isinstance(obj, Table):
            return obj
        at_source = path_of(replace(obj, schema=obj.source.schema, name=obj.source.name))
        columns = []
        for column in obj.columns:
            type_ = _widened(source, column)
            columns.append(replace(column, type=type_))
            if type_ != column.type and (at_source, column.source) not in told:
                detail = f"times may be shown with {_digits(type_)} digits after the second: {column.native or 'the column'}"
                detail += f" lets so many in, its rows have {_digits(column.type)}"
                losses.append(Loss(path_of(obj), RULE, detail, column.name))
        return replace(obj, columns=tuple(columns))

    return catalog.with_objects(tuple(changed(obj) for obj in catalog.objects)).with_losses(*losses)


def _digits(type_: t.Type) -> int:
    return type_.precision if isinstance(type_, t.Time | t.Timestamp) else MOST


def _widened(source: Adapter, column: Column) -> t.Type:
    type_ = column.type
    if not isinstance(type_, t.Time | t.Timestamp) or column.carried is not None:
        return type_
    meant = source.meaning(column.native)
    let_in = meant.precision if isinstance(meant, t.Time | t.Timestamp) else MOST
    return replace(type_, precision=max(type_.precision, min(let_in, MOST)))
