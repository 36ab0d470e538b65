"""Orphans: rows that came in without the one that a foreign key refers to, listed as they pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from migrator.model.objects import Column, ForeignKey, QName
from migrator.rejects import PartWriter

RECORDED = "orphans"
"""The name under which the master table has what was found of a foreign key that rows break."""


@dataclass(frozen=True)
class Listed:
    """How many rows refer to none (None: nobody could tell), and the part of the list that they are in, if there is one."""

    rows: int | None = None
    part: str = ""

    def recorded(self) -> dict[str, Any]:
        """What the master table records of it."""
        return {RECORDED: vars(self)}

    @classmethod
    def of(cls, detail: dict[str, Any]) -> Listed | None:
        """What is recorded of a foreign key, by jobs from before there were lists as a number only; None: nothing yet."""
        if RECORDED not in detail:
            return None
        recorded = detail[RECORDED]
        return cls(**recorded) if isinstance(recorded, dict) else cls(recorded)


@dataclass(frozen=True)
class Listing:
    """Writes the rows that it is given, orphans all of them, into a part of the list ``beside``.

    ``item``: a number in the part's name; ``columns``: as the rows have them; ``key``: the names of those that tell a row.
    """

    beside: Path
    item: int
    table: QName
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign_key: ForeignKey

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Listed:
        """Write all rows; they are on the disk then.

        :raises RejectFileNotUsable: the file cannot be written.
        """
        referred = ", ".join(self.foreign_key.referred_columns)
        reason = f"there is no such row of {self.foreign_key.referred} by its {referred}"
        part = PartWriter(self.beside, self.item, self.table, self.columns, self.key, {}, foreign_key=self.foreign_key)
        try:
            for batch in batches:
                if batch.num_rows:
                    part.add(batch, reason)
            part.finish()
        except BaseException:
            part.drop()
            raise
        return Listed(part.rows, part.path.name if part.rows else "")
