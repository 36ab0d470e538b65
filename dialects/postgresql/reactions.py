"""What acts by itself when rows of a table change: PostgreSQL's catalog shows it to everybody, whoever's it is."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from migrator.adapter import Reaction
from migrator.model.objects import QName

from . import on_update
from .facts import PARTS

_BEFORE_UPDATE_OF_A_ROW = 1 | 2 | 16
_ACTIONS = "CASE {} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END"
_FOLLOWS = "k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = {parts} AND k.{column} IN ('c', 'n', 'd')"
_KEY = "EXISTS (SELECT FROM pg_catalog.pg_constraint p WHERE p.contype = 'p' AND p.conrelid = k.confrelid {})"


def _following(verb: str, column: str, apart: str = "") -> str:
    """The foreign keys of other tables, or its own, whose rows follow."""
    action = _ACTIONS.format(f"k.{column}")
    told = f"format('foreign key %%I of %%s (ON {verb} %%s)', k.conname, k.conrelid::regclass, {action})"
    which = _FOLLOWS.format(parts=PARTS, column=column)
    return f"SELECT '{verb}', {told}, NULL, NULL FROM table_ c, pg_catalog.pg_constraint k WHERE {which}{apart}"


_OWN = f"""CASE WHEN g.tgname = '{on_update.TRIGGER}' AND g.tgtype = {_BEFORE_UPDATE_OF_A_ROW} AND g.tgenabled = 'O'
    AND NOT f.prosecdef AND f.proconfig IS NULL THEN f.prosrc END"""
"""What the function of a trigger does that may be migrator's own."""

_QUERY = f"""
WITH table_ AS (
    SELECT c.oid, c.relkind, pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s)
SELECT v.verb, format('trigger %%I', g.tgname), {_OWN}, c.owned
    FROM table_ c, pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid,
    (VALUES ('INSERT', 4), ('UPDATE', 16), ('DELETE', 8)) v (verb, bit)
    WHERE g.tgrelid = {PARTS} AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & v.bit <> 0
UNION SELECT v.verb, format('rule %%I', r.rulename), NULL, NULL FROM table_ c, pg_catalog.pg_rewrite r,
    (VALUES ('INSERT', '3'), ('UPDATE', '2'), ('DELETE', '4')) v (verb, type)
    WHERE r.ev_class = {PARTS} AND r.ev_enabled IN ('O', 'A') AND r.ev_type::text = v.type
UNION SELECT v.verb, 'row level security', NULL, NULL FROM table_ c, (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) v (verb)
    WHERE pg_catalog.row_security_active(c.oid)
UNION {_following("DELETE", "confdeltype")}
UNION {_following("UPDATE", "confupdtype", f" AND NOT {_KEY.format('AND k.confkey <@ p.conkey')}")}
ORDER BY 1, 2
"""


def reactions(connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
    """See :meth:`migrator.adapter.Adapter.reactions`."""
    return tuple(dict.fromkeys(_found(connection, table)))


def _found(connection: sa.Connection, table: QName) -> Iterator[Reaction]:
    for verb, what, body, owned in connection.exec_driver_sql(_QUERY, (table.schema, table.name)):
        if body is None or not on_update.is_body(body):
            yield Reaction(verb, what)
        elif owned:
            yield Reaction(verb, what, can_rest=True)
        else:
            yield Reaction(verb, f"{what}, which only the owner of the table may switch off")
