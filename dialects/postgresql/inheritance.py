"""Columns that a table has from its parents."""

from __future__ import annotations

from dataclasses import replace

from migrator.model.objects import Column


def is_as_above(column: Column, above: Column | None) -> bool:
    """Whether a column is that of the parent, but for a comment of its own or a default that it has no more."""
    same = {column, replace(column, comment=None)}
    return above in same or (above is not None and replace(above, default=None, constant=None) in same)
