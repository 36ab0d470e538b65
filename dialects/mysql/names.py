"""MySQL's identifiers."""

from __future__ import annotations

from migrator.model.objects import QName


def quote(name: str) -> str:
    """An identifier, always in backticks: the reserved words of MySQL and MariaDB differ."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A character literal; the backslash escapes in MySQL's."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0") + "'"


def qualified(name: QName) -> str:
    """A schema-qualified name."""
    return f"{quote(name.schema)}.{quote(name.name)}"


SQL_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
"""The mode of all sessions and scripts. Strict: nothing is cut or turned into another value. NO_AUTO_VALUE_ON_ZERO: 0 stays
0 in an AUTO_INCREMENT column."""
