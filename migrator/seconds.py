"""FRACTIONAL_SECONDS: how many digits after the second the times of a database have whose rows say what type a column is of.

Such a database (SQLite) spells times out, and takes more digits from rows that come later than those of today have. A target
with declared types cuts or rounds what comes later. With more digits than rows have, it shows their times with more, too.
"""

from __future__ import annotations

from dataclasses import replace

from migrator.adapter import Adapter, Capabilities, load_adapter
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Column, Object, Table
from migrator.spec import FractionalSeconds

MOST = 6
"""Of a column that does not say how many."""

RULE = "timestamp-digits"
"""The rule of entries about columns that let more digits in than their rows have."""
SPELLING = "timestamp-spelling"
"""That of a source's entries about times whose spelling is not kept anyhow."""


def with_fractional_seconds(catalog: Catalog, wanted: FractionalSeconds, target: Capabilities) -> Catalog:
    """The catalog with as many digits after the second as its rows have, or as its columns let in where these are more.

    It stays as it is where the target, as the source, has no types but what rows say. Where rows and columns differ, the
    loss list says what becomes of times: of later ones with ``ROWS``, of today's with ``DECLARED``.
    """
    source = load_adapter(catalog.dialect)
    if not source.capabilities.types_by_rows or target.types_by_rows:
        return catalog
    told = (
        {(loss.object, loss.column) for loss in catalog.losses if loss.rule == SPELLING} if wanted == "DECLARED" else set()
    )
    losses: list[Loss] = []

    def changed(obj: Object) -> Object:
        if not isinstance(obj, Table):
            return obj
        at_source = path_of(replace(obj, schema=obj.source.schema, name=obj.source.name))
        columns = []
        for column in obj.columns:
            let_in = _let_in(source, column)
            columns.append(replace(column, type=let_in) if wanted == "DECLARED" else column)
            if let_in != column.type and (at_source, column.source) not in told:
                losses.append(Loss(path_of(obj), RULE, _detail(column, let_in, wanted), column.name))
        return replace(obj, columns=tuple(columns))

    return catalog.with_objects(tuple(changed(obj) for obj in catalog.objects)).with_losses(*losses)


def _detail(column: Column, let_in: t.Type, wanted: FractionalSeconds) -> str:
    declared, has, most = column.native or "the column", _digits(column.type), _digits(let_in)
    if wanted == "DECLARED":
        return f"times may be shown with {most} digits after the second: {declared} lets so many in, its rows have {has}"
    return (
        f"later times keep {has} digits after the second, as its rows have: {declared} lets {most} in (FRACTIONAL_SECONDS)"
    )


def _digits(type_: t.Type) -> int:
    return type_.precision if isinstance(type_, t.Time | t.Timestamp) else MOST


def _let_in(source: Adapter, column: Column) -> t.Type:
    """The type with the digits that the declaration lets in, if these are more."""
    type_ = column.type
    if not isinstance(type_, t.Time | t.Timestamp) or column.carried is not None:
        return type_
    meant = source.meaning(column.native)
    let_in = meant.precision if isinstance(meant, t.Time | t.Timestamp) else MOST
    return replace(type_, precision=max(type_.precision, min(let_in, MOST)))
