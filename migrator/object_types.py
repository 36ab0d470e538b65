"""The object types that INCLUDE and EXCLUDE name, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrator.errors import ObjectPathNotFound

EXPORT_PREFIXES = ("DATABASE_EXPORT", "SCHEMA_EXPORT", "TABLE_EXPORT")
"""What full object paths begin with; it says which mode wrote them and filters nothing."""


@dataclass(frozen=True)
class ObjectType:
    """One name of an object type and what it means.

    ``scope``: ``object`` stands by itself in a catalog, ``part`` belongs to a table, ``rows`` are a table's rows,
    ``container`` holds other objects, ``absent`` is a Data Pump type that no job moves. ``named``: whether a name clause
    can tell one from another.
    """

    name: str
    scope: Literal["object", "part", "rows", "container", "absent"]
    meaning: str
    named: bool = True


_ABSENT = [
    "GRANT",
    "OBJECT_GRANT",
    "SYSTEM_GRANT",
    "ROLE_GRANT",
    "PROCOBJ_GRANT",
    "ROLE",
    "DEFAULT_ROLE",
    "PROFILE",
    "PASSWORD_HISTORY",
    "STATISTICS",
    "TABLE_STATISTICS",
    "INDEX_STATISTICS",
    "MARKER",
    "SYNONYM",
    "PUBLIC_SYNONYM",
    "DB_LINK",
    "DIRECTORY",
    "CONTEXT",
    "LIBRARY",
    "TABLESPACE",
    "TABLESPACE_QUOTA",
    "JOB",
    "AUDIT",
    "PROCACT_SCHEMA",
    "PROCACT_SYSTEM",
    "PROCDEPOBJ",
    "PROCOBJ",
    "REFRESH_GROUP",
    "XMLSCHEMA",
    "CLUSTER",
    "DIMENSION",
    "OPERATOR",
    "INDEXTYPE",
    "JAVA_SOURCE",
    "JAVA_CLASS",
]

OBJECT_TYPES = (
    ObjectType("SCHEMA", "container", "a schema and everything in it"),
    ObjectType("USER", "object", "a schema's own definition, not what is in it"),
    ObjectType("TYPE", "object", "enumerations and other types"),
    ObjectType("DOMAIN", "object", "domains"),
    ObjectType("SEQUENCE", "object", "sequences"),
    ObjectType("TABLE", "object", "tables with their parts, rows and triggers"),
    ObjectType("TABLE_DATA", "rows", "the rows of tables; the name is the table's"),
    ObjectType("INDEX", "part", "indexes of tables and materialized views"),
    ObjectType("CONSTRAINT", "part", "primary key, unique, check and exclusion constraints"),
    ObjectType("REF_CONSTRAINT", "part", "foreign keys"),
    ObjectType("COMMENT", "part", "comments on every kind of object", named=False),
    ObjectType("VIEW", "object", "views"),
    ObjectType("MATERIALIZED_VIEW", "object", "materialized views"),
    ObjectType("TRIGGER", "object", "triggers"),
    ObjectType("FUNCTION", "object", "functions"),
    ObjectType("PROCEDURE", "object", "procedures"),
    ObjectType("PACKAGE", "object", "packages"),
    ObjectType("AGGREGATE", "object", "aggregate functions"),
    ObjectType("EVENT", "object", "scheduled events"),
    ObjectType("RULE", "object", "rewrite rules"),
    ObjectType("POLICY", "object", "row security policies; without a name clause ROW_SECURITY as well"),
    ObjectType("ROW_SECURITY", "object", "that policies are in force on a table; the name is the table's"),
    *(ObjectType(name, "absent", "known to Data Pump; no job moves it yet") for name in _ABSENT),
)
"""Every type a filter may name; another one is refused."""

_BY_NAME = {row.name: row for row in OBJECT_TYPES}
_BY_NAME["RLS_POLICY"] = _BY_NAME["POLICY"]


def find(path: str) -> ObjectType:
    """The type a path such as ``table`` or ``SCHEMA_EXPORT/TABLE/INDEX/INDEX`` ends in.

    :raises ObjectPathNotFound: a component is no object type.
    """
    components = [word.strip().upper() for word in path.split("/")]
    if components[0] in EXPORT_PREFIXES:
        components = components[1:]
    if not components or any(word not in _BY_NAME for word in components):
        movable = ", ".join(row.name for row in OBJECT_TYPES if row.scope != "absent")
        raise ObjectPathNotFound(path=path.strip(), known=movable)
    return _BY_NAME[components[-1]]
