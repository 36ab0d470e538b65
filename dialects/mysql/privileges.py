"""What the server hides from a user: the information schema leaves out, without a word, what the user may not see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from migrator.model.catalog import Loss, path_of
from migrator.model.objects import Schema

_PART = r"\*|`(?:[^`]|``)+`"
_GRANT = re.compile(rf"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?) ON (?P<schema>{_PART})\.(?P<object>{_PART}) ")
_PRIVILEGE = re.compile(r"(?P<name>[A-Z_ ]+?)\s*(?P<columns>\([^)]*\))?(?:,\s*|$)")
ALL = "ALL PRIVILEGES"


@dataclass(frozen=True)
class Grant:
    """Privileges on a schema's objects. ``schema``: a LIKE pattern, ``%`` for all; ``object``: None for all of them.

    ``partly``: others are on columns of the object only.
    """

    privileges: frozenset[str]
    schema: str
    object: str | None
    revoked: bool = False
    partly: bool = False

    def covers(self, schema: str) -> bool:
        """Whether it is about all objects of a schema."""
        return self.object is None and _like(self.schema).fullmatch(schema) is not None


@dataclass(frozen=True)
class Hidden:
    """Something that is shown only to those who have one of ``privileges`` on its schema, or one of ``globally`` on all."""

    what: str
    privileges: tuple[str, ...]
    globally: tuple[str, ...] = ()


HIDDEN = (
    Hidden("tables", ("SELECT",)),
    Hidden("triggers", ("TRIGGER",)),
    Hidden("events", ("EVENT",)),
    Hidden("routines", ("EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"), ("SELECT", "SHOW_ROUTINE", "SHOW CREATE ROUTINE")),
)

SHOWING_KEYS = (
    *("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW", "TRIGGER"),
    "DELETE HISTORY",
)
"""The privileges on tables; with SELECT alone, foreign keys are hidden."""
SHOWING_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
"""The privileges on a table that show all of its columns."""


def grants(connection: sa.Connection) -> tuple[Grant, ...]:
    """What the connected user, and the roles that are active, may do."""
    return tuple(parsed(str(line) for (line,) in connection.exec_driver_sql("SHOW GRANTS")))


def parsed(lines: Iterable[str]) -> Iterator[Grant]:
    """The grants in the lines of SHOW GRANTS; those of roles, proxies and single routines are passed over."""
    for line in lines:
        found = _GRANT.match(line)
        if found is None:
            continue
        listed = tuple(_PRIVILEGE.finditer(found["privileges"]))
        schema, name = (None if part == "*" else _plain(part[1:-1]) for part in (found["schema"], found["object"]))
        privileges = frozenset(match["name"].strip() for match in listed if not match["columns"])
        partly = any(match["columns"] for match in listed)
        yield Grant(privileges, "%" if schema is None else schema, name, found["verb"] == "REVOKE", partly)


def _like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern, in which a backslash escapes, as a regular expression."""
    parts = re.split(r"(\\.|%|_)", pattern)
    return re.compile("".join({"%": ".*", "_": "."}.get(p) or re.escape(p.removeprefix("\\")) for p in parts), re.DOTALL)


def _has(held: Iterable[Grant], schema: str, privileges: Iterable[str]) -> bool:
    wanted = {ALL, *privileges}
    covering = [grant for grant in held if grant.covers(schema)]
    given = {name for grant in covering if not grant.revoked for name in grant.privileges}
    taken = {name for grant in covering if grant.revoked for name in grant.privileges}
    return bool(wanted & (given - taken))


def has_on(held: Iterable[Grant], schema: str, table: str | None, privileges: Iterable[str]) -> bool:
    """Whether one of ``privileges`` is held on all of a schema, or on ``table`` alone."""
    held = tuple(held)
    alone = (grant for grant in held if grant.object == table is not None and _like(grant.schema).fullmatch(schema))
    wanted = {ALL, *privileges}
    return _has(held, schema, wanted) or any(wanted & grant.privileges for grant in alone if not grant.revoked)


def losses(held: Iterable[Grant], schema: str) -> Iterator[Loss]:
    """What the user cannot see of a schema, if it is there."""
    held = tuple(held)
    everywhere = tuple(grant for grant in held if grant.schema == "%")
    for hidden in HIDDEN:
        if _has(held, schema, hidden.privileges) or _has(everywhere, schema, hidden.globally) or _reads_proc(hidden, held):
            continue
        detail = f"{hidden.what} are not shown without the privilege {' or '.join(hidden.privileges)}"
        yield Loss(path_of(Schema(schema)), "privileges", f"{detail}: any that are there are not carried")


def _reads_proc(hidden: Hidden, held: Iterable[Grant]) -> bool:
    """MariaDB shows routines to those who may read the table that holds them."""
    on_proc = (g for g in held if (g.schema, g.object) == ("mysql", "proc") or g.covers("mysql"))
    return hidden.what == "routines" and any({ALL, "SELECT"} & grant.privileges for grant in on_proc)


def hides_keys(held: Iterable[Grant], schema: str) -> bool:
    """Whether the information schema hides a schema's foreign keys; SHOW CREATE TABLE does not."""
    return not _has(held, schema, SHOWING_KEYS)


def shows_keys(held: Iterable[Grant]) -> bool:
    """Whether the foreign keys of all schemas are shown, also of those that the user does not know of."""
    return _has([grant for grant in held if grant.schema == "%"], "", SHOWING_KEYS)


def hides_columns(held: Iterable[Grant], schema: str, table: str) -> bool:
    """Whether the information schema hides those columns of a table on which no privilege is held."""
    held = tuple(held)
    partly = any(grant.partly and (grant.schema, grant.object) == (schema, table) for grant in held)
    return partly and not has_on(held, schema, table, SHOWING_COLUMNS)


# --- foreign keys, from SHOW CREATE TABLE ---------------------------------------------------------------------------

_NAME = r"`((?:[^`]|``)+)`"
_NAMES = r"\(((?:`(?:[^`]|``)+`(?:, ?)?)+)\)"
_ACTION = r"(RESTRICT|CASCADE|SET NULL|SET DEFAULT|NO ACTION)"
_FOREIGN_KEY = re.compile(
    rf"^\s*CONSTRAINT {_NAME} FOREIGN KEY {_NAMES} REFERENCES (?:{_NAME}\.)?{_NAME} {_NAMES}"
    rf"(?: ON DELETE {_ACTION})?(?: ON UPDATE {_ACTION})?,?$",
    re.MULTILINE,
)


def key_rows(sql: str, schema: str, *, default: str) -> Iterator[Mapping[str, Any]]:
    """The foreign keys in a CREATE TABLE of ``schema`` as rows like the information schema's, a row for each column.

    ``default``: the action that the server does not write.
    """
    for name, columns, referred_schema, referred, keys, on_delete, on_update in sorted(_FOREIGN_KEY.findall(sql)):
        for column, key in zip(_split(columns), _split(keys), strict=True):
            yield {
                "constraint_name": _plain(name),
                "column_name": column,
                "referenced_table_schema": _plain(referred_schema) or schema,
                "referenced_table_name": _plain(referred),
                "referenced_column_name": key,
                "delete_rule": on_delete or default,
                "update_rule": on_update or default,
            }


def _plain(name: str) -> str:
    return name.replace("``", "`")


def _split(names: str) -> list[str]:
    return [_plain(name) for name in re.findall(_NAME, names)]
