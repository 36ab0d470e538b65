"""SQLite's identifiers."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.model.objects import QName

RESERVED = "sqlite_"
"""How the names of SQLite's own tables and indexes begin, in any case."""

ROWIDS = ("rowid", "_rowid_", "oid")
"""What a row's own number is called, in any case, where no column is."""


def rowid_of(columns: Iterable[str]) -> str:
    """What the rows' own number is called in a table with these columns; empty: all its names are theirs."""
    taken = {column.lower() for column in columns}
    return next((name for name in ROWIDS if name not in taken), "")


def quote(name: str) -> str:
    """An identifier, always in double quotes: SQLite's list of keywords grows."""
    return '"' + name.replace('"', '""') + '"'


def qualified(name: QName) -> str:
    """A schema-qualified name."""
    return f"{quote(name.schema)}.{quote(name.name)}"
