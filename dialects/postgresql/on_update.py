"""The trigger that does MySQL's ON UPDATE CURRENT_TIMESTAMP: what it is called, what it does, and how it is known again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.model import types as t
from migrator.model.objects import CLOCK_DIGITS, Column, QName

from .defaults import UNITS
from .types import NAME_BYTES, quote

TRIGGER = "on_update_current_timestamp"

_TOUCH = "    IF NEW.{0} IS NOT DISTINCT FROM OLD.{0} THEN NEW.{0} := {1}; END IF;"
_TOUCHED = re.compile(r'THEN NEW\.("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*) := (.+); END IF;$', re.MULTILINE)


def function_of(table: str) -> str:
    """The name of the function that a table's trigger calls."""
    name = f"{table}_on_update"
    return name if len(name.encode()) <= NAME_BYTES else f"on_update_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def body(columns: Iterable[Column]) -> str:
    """What the function does: columns that an UPDATE leaves as they are have the time of the statement."""
    return _around(_TOUCH.format(quote(column.name), _statement_time(_digits(column))) for column in columns)


def is_body(text: str) -> bool:
    """Whether :func:`body` has written it, for whatever columns."""
    found = _TOUCHED.findall(text)
    known = bool(found) and all(time in _TIMES for _, time in found)
    return known and text == _around(_TOUCH.format(name, time) for name, time in found)


@contextmanager
def resting(connection: sa.Connection, table: QName) -> Iterator[None]:
    """See :meth:`migrator.adapter.Adapter.resting`; a table of which something is yet to be checked cannot be altered."""
    alter = f"ALTER TABLE {quote(table.schema)}.{quote(table.name)}"
    execute_verbatim(connection, f"{alter} DISABLE TRIGGER {TRIGGER}")
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    execute_verbatim(connection, f"{alter} ENABLE TRIGGER {TRIGGER}")


def _around(lines: Iterable[str]) -> str:
    return "\n".join(("", "BEGIN", *lines, "    RETURN NEW;", "END", ""))


def _digits(column: Column) -> int:
    base = t.base_of(column.type)
    return base.precision if isinstance(base, t.Timestamp) else CLOCK_DIGITS


def _statement_time(digits: int) -> str:
    """When the statement began, with so many digits after the second: MySQL cuts the others off."""
    now = "pg_catalog.statement_timestamp()"
    if digits >= CLOCK_DIGITS:
        return now
    if digits in UNITS:
        return f"pg_catalog.date_trunc('{UNITS[digits]}', {now})"
    beyond = f"pg_catalog.mod(EXTRACT(microseconds FROM {now})::bigint, {10 ** (CLOCK_DIGITS - digits)})"
    return f"{now} - {beyond} * INTERVAL '1 microsecond'"


_TIMES = {_statement_time(digits) for digits in range(CLOCK_DIGITS + 1)}
