"""The trigger that does MySQL's ON UPDATE CURRENT_TIMESTAMP: what it is called, what it does, and how it is known again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.model import types as t
from migrator.model.objects import CLOCK_DIGITS, Now, QName

from . import clock
from .names import ROWIDS, quote

_NAMED = '"((?:[^"]|"")+)"'
_COMPARED = re.compile(f"OLD.{_NAMED} COLLATE BINARY")
_SET = re.compile(f"NEW.{_NAMED} IS OLD.{_NAMED} THEN (.+?) ELSE NEW.{_NAMED} END")
_TIMES = {
    clock.now(Now(utc=utc), t.Timestamp(zoned=zoned), digits)
    for utc in (False, True)
    for zoned in (False, True)
    for digits in range(CLOCK_DIGITS + 1)
}
_TEXT = "SELECT sql FROM main.sqlite_schema WHERE type = 'trigger' AND name = ?"


def trigger(table: str, columns: Sequence[str], times: Mapping[str, str], rowid: str) -> str:
    """What makes the trigger: a row of which one of ``columns`` changes is changed once more.

    ``times``: what asks for the time, by the columns that are to have it; ``rowid``: what the rows' own number is called.
    """
    changed = " OR ".join(f"OLD.{name} COLLATE BINARY IS NOT NEW.{name}" for name in map(quote, columns))
    sets = ", ".join(
        f"{name} = CASE WHEN NEW.{name} IS OLD.{name} THEN {time} ELSE NEW.{name} END"
        for name, time in ((quote(column), time) for column, time in times.items())
    )
    return (
        f"CREATE TRIGGER {quote(_name(table))} AFTER UPDATE ON {quote(table)} FOR EACH ROW WHEN {changed}\n"
        f"BEGIN\n    UPDATE {quote(table)} SET {sets} WHERE {rowid} = NEW.{rowid};\nEND"
    )


def is_own(table: str, text: str) -> bool:
    """Whether :func:`trigger` has written it, for whatever columns."""
    columns = [name.replace('""', '"') for name in _COMPARED.findall(text)]
    times = {name.replace('""', '"'): time for name, _, time, _ in _SET.findall(text)}
    known = bool(times) and _TIMES.issuperset(times.values())
    return known and any(text == trigger(table, columns, times, rowid) for rowid in ROWIDS)


@contextmanager
def resting(connection: sa.Connection, table: QName) -> Iterator[None]:
    """See :meth:`migrator.adapter.Adapter.resting`: SQLite keeps the text of a trigger as it was written."""
    name = _name(table.name)
    text = connection.exec_driver_sql(_TEXT, (name,)).scalar_one()
    connection.exec_driver_sql(f"DROP TRIGGER main.{quote(name)}")
    yield
    connection.exec_driver_sql(text)


def _name(table: str) -> str:
    return f"{table}_on_update"
