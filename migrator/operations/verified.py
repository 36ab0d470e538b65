"""What a verification has found, as values, as JSON and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from migrator.errors import abridged
from migrator.model.catalog import Loss
from migrator.model.objects import QName, quoted
from migrator.verification.narrowing import KINDS, Kind

Method = Literal["database", "export", "stream"]
METHODS: Mapping[Method, str] = {
    "database": "digests of the databases",
    "export": "digests of the export",
    "stream": "digests of the rows",
}
"""How a table was compared, in words."""

_LOST: tuple[Kind, ...] = ("changed", "missing")
_ADDED: tuple[Kind, ...] = ("changed", "doubled", "extra")


@dataclass(frozen=True)
class ValueDiffers:
    """A value that a changed row has at the source, and at the target; None: NULL."""

    column: str
    source: str | None
    target: str | None


@dataclass(frozen=True)
class RowDiffers:
    """A row that differs. ``row``: the values of its key, or all of them where rows have no key; ``changed``: its values."""

    kind: Kind
    row: Mapping[str, str | None]
    changed: tuple[ValueDiffers, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"kind": self.kind, "row": dict(self.row), "changed": [vars(value) for value in self.changed]}


@dataclass(frozen=True)
class TableVerified:
    """What was found of a table. ``equal``: both sides were read, and have the same rows; never beside a ``problem``.

    ``rows``: at the source and at the target; None: they were not counted. ``differing``: how many rows differ, and how.
    ``columns``: those whose values differ in rows that are changed, or all in all where there are as many rows on both
    sides. ``whole``: all rows that differ were counted. ``problem``: why the rows, or columns of theirs, could not be
    compared. ``ledger``: the declared changes that were applied to the source's values. ``left_out``: columns that the
    target alone has. ``method``: the databases took the digests themselves, the source's was recorded by its export, or the
    rows of both were read.
    """

    table: QName
    source: QName
    rows: tuple[int, int] | None = None
    bytes: int = 0
    seconds: float = 0.0
    equal: bool = False
    columns: tuple[str, ...] = ()
    differing: Mapping[Kind, int] = field(default_factory=dict)
    whole: bool = True
    examples: tuple[RowDiffers, ...] = ()
    problem: str = ""
    ledger: tuple[Loss, ...] = ()
    left_out: tuple[str, ...] = ()
    method: Method = "stream"

    def __post_init__(self) -> None:
        if self.equal and self.problem:
            raise ValueError(f"{self.table} cannot be equal where it could not be compared: {self.problem}")

    @property
    def lost(self) -> int:
        """How many of the source's rows the target does not have as they are."""
        return sum(self.differing.get(kind, 0) for kind in _LOST)

    @property
    def added(self) -> int:
        """How many rows the target has that are not the source's."""
        return sum(self.differing.get(kind, 0) for kind in _ADDED)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "source": {"schema": self.source.schema, "table": self.source.name},
            "equal": self.equal,
            "method": self.method,
            "rows": None if self.rows is None else {"source": self.rows[0], "target": self.rows[1]},
            "columns": list(self.columns),
            "differing": dict(self.differing),
            "whole": self.whole,
            "examples": [example.to_json() for example in self.examples],
            "problem": self.problem,
            "ledger": [vars(loss) for loss in self.ledger],
            "left_out": list(self.left_out),
        }


@dataclass(frozen=True)
class Verification:
    """What was found of all tables, and remarks."""

    tables: tuple[TableVerified, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 5 where a table differs or could not be compared."""
        return 0 if all(table.equal for table in self.tables) else 5

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        tables = [table.to_json() for table in self.tables]
        return {"equal": self.code == 0, "tables": tables, "notes": list(self.notes)}


# --- in words -------------------------------------------------------------------------------------------------------

_SHOWN = 40
_SHOWN_ROW = 300
"""How many characters of a value, and of a row, are shown."""


def result_text(table: TableVerified) -> str:
    """What was found of a table: ``equal``, or how many rows differ in which way."""
    if table.equal:
        return "equal"
    counts = ", ".join(f"{table.differing[kind]} {kind}" for kind in KINDS if kind in table.differing)
    found = counts if table.whole else f"at least {counts}"
    if table.problem:
        return f"{table.problem}; by the other columns: {found}" if counts else table.problem
    return found


def row_text(row: RowDiffers) -> str:
    """A row that differs: ``changed "id"=5: "name" was 'a', is 'b'``."""
    named = abridged(", ".join(f"{quoted(name)}={_value_text(value)}" for name, value in row.row.items()), _SHOWN_ROW)
    changed = "; ".join(
        f"{quoted(value.column)} is {_value_text(value.source)} at the source, {_value_text(value.target)} at the target"
        for value in row.changed
    )
    return f"{row.kind} {named}: {changed}" if changed else f"{row.kind} {named}"


def _value_text(value: str | None) -> str:
    return "NULL" if value is None else "'" + abridged(value, _SHOWN).replace("'", "''") + "'"
