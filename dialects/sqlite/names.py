"""SQLite's identifiers."""

from __future__ import annotations

from migrator.model.objects import QName

RESERVED = "sqlite_"
"""How the names of SQLite's own tables and indexes begin, in any case."""


def quote(name: str) -> str:
    """An identifier, always in double quotes: SQLite's list of keywords grows."""
    return '"' + name.replace('"', '""') + '"'


def qualified(name: QName) -> str:
    """A schema-qualified name."""
    return f"{quote(name.schema)}.{quote(name.name)}"
