"""Whole numbers of a database without integer types, such as Oracle's ``NUMBER(10)``, as integers of one that has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrator.adapter import Capabilities, load_adapter
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Object, Table
from migrator.spec import NumberTypes


@dataclass(frozen=True)
class Width:
    """One row: whole numbers of ``least`` to ``most`` decimal digits become integers of ``bits``."""

    least: int
    most: int
    bits: int

    @property
    def holds_all(self) -> bool:
        """Whether every number of so many digits fits."""
        return 1 << (self.bits - 1) >= int("9" * self.most)


WIDTHS: Mapping[NumberTypes, tuple[Width, ...]] = {
    "EXACT": (Width(1, 4, 16), Width(5, 9, 32), Width(10, 18, 64)),
    "NARROW": (Width(1, 9, 32), Width(10, 11, 32), Width(12, 18, 64), Width(19, 20, 64), Width(38, 38, 32)),
}
"""The integer of each precision; numbers that have no row stay decimals. ``NARROW`` is the habit of those who wrote one
schema for several databases: ``NUMBER(10)`` and ``(11)`` stand for a 32-bit integer, ``(19)`` and ``(20)`` for a 64-bit
one, and ``INTEGER`` means an integer."""


def as_integers(catalog: Catalog, wanted: NumberTypes, target: Capabilities) -> Catalog:
    """The catalog with integers for its whole decimals, where the source has no integers and the target has.

    A type that does not hold every value is in the loss list: a value that it does not hold is refused by the load.
    """
    if load_adapter(catalog.dialect).capabilities.integers or not target.integers:
        return catalog
    losses: list[Loss] = []

    def changed(obj: Object) -> Object:
        if not isinstance(obj, Table):
            return obj
        columns = []
        for column in obj.columns:
            width = _width(column.type, wanted) if column.carried is None else None
            if width is None:
                columns.append(column)
                continue
            columns.append(replace(column, type=t.Integer(width.bits)))
            if not width.holds_all:
                detail = f"{column.native or column.type} becomes an integer of {width.bits} bits: larger values are refused"
                losses.append(Loss(path_of(obj), "number-types", detail, column.name))
        return replace(obj, columns=tuple(columns))

    return catalog.with_objects(tuple(changed(obj) for obj in catalog.objects)).with_losses(*losses)


def _width(type_: t.Type, wanted: NumberTypes) -> Width | None:
    if not isinstance(type_, t.Decimal) or type_.precision is None or type_.scale:
        return None
    digits = type_.precision
    return next((width for width in WIDTHS[wanted] if width.least <= digits <= width.most), None)
