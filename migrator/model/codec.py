"""The one JSON form of model values: written into dump files, read back equal.

A value is ``{"is": "Table", "schema": …}`` with fields that hold their defaults left out; tuples are lists. ``FORMAT``
rises when a reader of the older form could misread the newer one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from migrator.model import catalog, objects, types

FORMAT = 1

_CLASSES: dict[str, type[Any]] = {
    name: value
    for module in (types, objects, catalog)
    for name, value in vars(module).items()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
}


def encode(value: Any) -> Any:
    """A JSON-ready form of a model value (or of a tuple, text, number, truth value or None)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        data: dict[str, Any] = {"is": type(value).__name__}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if field.default is dataclasses.MISSING or item != field.default:
                data[field.name] = encode(item)
        return data
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def decode(data: Any) -> Any:
    """The model value that :func:`encode` wrote.

    :raises ValueError: the data names a class or field this version does not have.
    """
    if isinstance(data, dict):
        fields = {name: decode(item) for name, item in data.items() if name != "is"}
        kind = _CLASSES.get(str(data.get("is")))
        if kind is None:
            raise ValueError(f"unknown model class {data.get('is')!r}")
        try:
            return kind(**fields)
        except TypeError as error:
            raise ValueError(str(error)) from error
    if isinstance(data, list):
        return tuple(decode(item) for item in data)
    return data


def digest(value: Any) -> str:
    """A checksum of JSON-ready values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
