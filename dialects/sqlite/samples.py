"""The declarations of SQLite's manual and those in wide use, and what each means: the rows of docs/types.md."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model import types as t

from .types import neutral

_DECLARATIONS = (
    *("INT", "INTEGER", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "UNSIGNED BIG INT", "INT2", "INT8"),
    *("CHARACTER(20)", "VARCHAR(255)", "VARYING CHARACTER(255)", "NCHAR(55)", "NATIVE CHARACTER(70)", "NVARCHAR(100)"),
    *("TEXT", "CLOB", "STRING", "BLOB", "BINARY(4)", "VARBINARY(8)", ""),
    *("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT", "FLOATING POINT"),
    *("NUMERIC", "DECIMAL(10,5)", "DECIMAL(18,2)", "MONEY"),
    *("BOOLEAN", "DATE", "DATETIME", "TIMESTAMP", "TIME", "JSON", "UUID", "POINT", "ANY"),
)

SAMPLES: Mapping[str, t.Type] = {declaration: neutral(declaration) for declaration in _DECLARATIONS}
"""What the names are meant to hold; the rows decide, see :mod:`.proof`. The empty one: a column without a type."""
