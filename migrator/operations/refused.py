"""What a target has refused to make, in the source's own words for it."""

from __future__ import annotations

from typing import Any

from migrator.ddl import expressions_of
from migrator.model.objects import Check, Index, Program, Table, View


def source_text(part: Any) -> str:
    """The SQL of an object, or of a part of a table, as its source wrote it; empty: it is not SQL there."""
    match part:
        case View(definition=sql) | Program(create=sql) | Check(expression=sql):
            return sql.sql
        case Index():
            return ", ".join(expression.sql for expression in expressions_of(part))
        case Table(partitioning=partitioning) if partitioning is not None:
            return f"PARTITION BY {partitioning.clause}"
        case _:
            return ""
