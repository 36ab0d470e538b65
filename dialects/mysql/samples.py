"""Every type of MySQL and MariaDB as a column declares it, and what it means: the rows of docs/types.md."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model import types as t

from .types import neutral

_DECLARATIONS = (
    *("tinyint(1)", "tinyint", "tinyint unsigned", "smallint", "smallint unsigned", "mediumint", "mediumint unsigned"),
    *("int", "int unsigned", "int(6) unsigned zerofill", "bigint", "bigint unsigned"),
    *("decimal(10,2)", "decimal(38,10)", "decimal(65,30)", "decimal(10,2) unsigned", "decimal(8,2) unsigned zerofill"),
    *("float", "float unsigned", "float(7,3)", "double", "double(9,3)"),
    *("bit(1)", "bit(10)", "bit(64)"),
    *("char(5)", "char(0)", "char(255)", "varchar(40)", "varchar(5000)", "varchar(16000)"),
    *("varchar(100) /*M!100301 COMPRESSED*/", "tinytext", "text", "mediumtext", "longtext", "text /*M!100301 COMPRESSED*/"),
    *(
        "binary(1)",
        "binary(6)",
        "varbinary(40)",
        "tinyblob",
        "blob",
        "mediumblob",
        "longblob",
        "blob /*M!100301 COMPRESSED*/",
    ),
    *("enum('a','it''s','b,c')", "set('x','y','z')"),
    *("uuid", "inet4", "inet6"),
    *("date", "datetime", "datetime(6)", "timestamp", "timestamp(3)", "time", "time(6)", "year"),
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"),
)


def _meaning(declaration: str) -> t.Type:
    found = neutral(declaration)
    assert found is not None
    return found


SAMPLES: Mapping[str, t.Type] = {**{text: _meaning(text) for text in _DECLARATIONS}, "json": t.Json()}
"""MariaDB's JSON is the text as it was written; MySQL's is parsed."""
