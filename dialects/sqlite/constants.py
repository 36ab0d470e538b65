"""Constants as SQLite stores them, which is how rows of the column's type come into it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from migrator.expressions import Untranslatable
from migrator.expressions.constants import value_of
from migrator.model import types as t
from migrator.model.objects import Literal

from .paths import stored
from .types import affinity

_INFINITY = float("inf")


def constant(value: Literal, type_: t.Type, declared: str) -> str:
    """Another database's constant for a column of ``type_`` that is ``declared`` so.

    :raises Untranslatable: it is no value of the type, or SQLite would change it.
    """
    array = value_of(value, type_, outside=True)
    try:
        (kept,) = stored(array, type_, affinity(declared)).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Untranslatable(f"'{value.value}' cannot be kept exactly: {str(error).splitlines()[0]}") from error
    return _written(kept)


def _written(value: Any) -> str:
    match value:
        case bytes():
            return f"X'{value.hex().upper()}'"
        case float() if abs(value) == _INFINITY:
            return "9e999" if value > 0 else "-9e999"
        case int() | float():
            return repr(value)
    text = str(value).replace("'", "''")
    return f"'{text}'"
