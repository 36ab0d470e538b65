"""What acts by itself when rows of a table change; what the information schema hides from the user counts as there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import sqlalchemy as sa

from migrator.adapter import Change, Reaction
from migrator.model.objects import QName

from . import privileges

_TRIGGERS = """SELECT event_manipulation, trigger_name FROM information_schema.triggers
    WHERE event_object_schema = %s AND event_object_table = %s ORDER BY 1, 2"""
_FOLLOWS = ("CASCADE", "SET NULL", "SET DEFAULT")
_KEYS = f"""SELECT constraint_schema, table_name, constraint_name, delete_rule, update_rule, unique_constraint_name
    FROM information_schema.referential_constraints
    WHERE unique_constraint_schema = %s AND referenced_table_name = %s
    AND (delete_rule IN {_FOLLOWS} OR update_rule IN {_FOLLOWS}) ORDER BY 1, 2, 3"""


def reactions(connection: sa.Connection, table: QName) -> tuple[Reaction, ...]:
    """See :meth:`migrator.adapter.Adapter.reactions`."""
    return tuple(_found(connection, table))


def _found(connection: sa.Connection, table: QName) -> Iterator[Reaction]:
    held = privileges.grants(connection)
    for verb, name in connection.exec_driver_sql(_TRIGGERS, (table.schema, table.name)):
        yield Reaction(verb, f"trigger {name}")
    if not privileges.has_on(held, table.schema, table.name, ("TRIGGER",)):
        for verb in get_args(Change):
            yield Reaction(verb, "triggers, perhaps, which are not shown without the privilege TRIGGER")
    for schema, name, key, on_delete, on_update, referred in connection.exec_driver_sql(_KEYS, (table.schema, table.name)):
        if on_delete in _FOLLOWS:
            yield Reaction("DELETE", f"foreign key {key} of {schema}.{name} (ON DELETE {on_delete})")
        if on_update in _FOLLOWS and referred != "PRIMARY":
            yield Reaction("UPDATE", f"foreign key {key} of {schema}.{name} (ON UPDATE {on_update})")
    if not privileges.shows_keys(held):
        for verb in get_args(Change)[1:]:
            yield Reaction(verb, "foreign keys of other databases, perhaps, which are not shown to this user")
