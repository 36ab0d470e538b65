"""Changing values deep inside a model value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")


def rebuilt(value: T, change: Callable[[Any], Any]) -> T:
    """``value`` with ``change`` applied to every dataclass value inside it, innermost first."""
    if isinstance(value, tuple):
        return tuple(rebuilt(item, change) for item in value)  # type: ignore[return-value]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    items = {f.name: getattr(value, f.name) for f in fields(value)}
    changed = {name: new for name, old in items.items() if (new := rebuilt(old, change)) is not old and new != old}
    result: T = change(replace(value, **changed) if changed else value)
    return result
