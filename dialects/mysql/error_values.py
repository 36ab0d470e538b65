"""The error value of an ENUM: the empty text with the number 0, which a server that is not strict puts for a wrong label.

Nobody can ask for it. A server that is not strict, as LOAD DATA LOCAL makes it, takes the empty text for it, with a warning
for each. So as many warnings as there are such values, and of no other kind, show that they came in and nothing was changed.
Where the empty text is a label, too, one would come in as the other, so that those values are refused as they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from migrator.adapter import Load
from migrator.errors import ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column

_TRUNCATED = 1265
_STRICT = "STRICT_ALL_TABLES"


_TOLD = b"\xff"
"""What stands for an error value that reads like a label: no text of UTF-8."""


def told(name: str, text: str) -> str:
    """The SQL of ``text``, the bytes of a label of the column ``name``, which tells error values from the empty label."""
    return f"CASE WHEN {name} + 0 = 0 THEN X'{_TOLD.hex()}' ELSE {text} END"


def refuse(array: pa.Array, column: str) -> None:
    """:raises ValueNotCarried: one of the values that a server has sent of a column is an error value told so."""
    if pc.any(pc.equal(array, pa.scalar(_TOLD, array.type))).as_py():
        detail = f"a row holds the error value, which reads like the label ''; {column} + 0 = 0 finds it"
        raise ValueNotCarried(column=column, detail=detail)


def columns(load: Load) -> tuple[int, ...]:
    """The places of the columns whose empty texts are error values at both ends: no label of theirs is empty."""
    pairs = zip(load.source, load.target, strict=True)
    return tuple(place for place, pair in enumerate(pairs) if all(map(_without_empty_label, pair)))


def _without_empty_label(column: Column) -> bool:
    type_ = t.base_of(column.type)
    return isinstance(type_, t.Enum) and "" not in type_.labels


def counted(batch: pa.RecordBatch, places: tuple[int, ...]) -> list[int]:
    """How many error values each row of a batch has; empty: none has any."""
    found = [pc.fill_null(pc.equal(array, pa.scalar("", array.type)), False) for array in map(batch.column, places)]
    if not any(pc.any(one).as_py() for one in found):
        return []
    return [sum(row) for row in zip(*(one.to_pylist() for one in found), strict=True)]


@contextmanager
def taken(driver: Any, mode: str) -> Iterator[None]:
    """A session of a mode takes error values while the context lasts, and makes warnings of other errors in values, too."""
    modes = ",".join(one for one in mode.split(",") if one != _STRICT)
    driver.query(f"SET SESSION sql_mode = '{modes}'")
    try:
        yield
    finally:
        driver.query(f"SET SESSION sql_mode = '{mode}'")


def nothing_else(load: Load, shown: Sequence[tuple[str, str, str]], count: int, expected: int) -> bool:
    """Whether ``count`` warnings, of which the server has ``shown`` some, are those of so many error values."""
    names = {load.target[place].name for place in columns(load)}
    ours = (int(code) == _TRUNCATED and any(f"'{name}'" in message for name in names) for _, code, message in shown)
    return count == expected and all(ours)
