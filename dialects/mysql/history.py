"""Past states: MariaDB's system-versioned tables keep every version of a row, with the times at which it was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import Snapshot
from migrator.errors import NoPastState
from migrator.model.objects import QName

from . import paths
from .dictionary import ROW_START, UNVERSIONED, flavor

_TABLES = """
SELECT table_schema, table_name, table_type, CAST(create_time AS CHAR),
    create_time + INTERVAL 1 SECOND > CAST(:time AS DATETIME(6))
FROM information_schema.tables WHERE table_schema IN :schemas
"""

_COLUMNS = f"""
SELECT table_schema, table_name, column_name, generation_expression = '{ROW_START}' FROM information_schema.columns
WHERE table_schema IN :schemas
    AND (extra LIKE '%{UNVERSIONED}%' OR (generation_expression = '{ROW_START}' AND data_type = 'bigint'))
ORDER BY ordinal_position
"""
"""The columns whose past values are not kept; and those that number transactions, which the server finds no time for."""
_OLDEST = "1970-01-01"
"""No row's version has an older time: those are timestamps."""


@contextmanager
def past(engine: sa.Engine, time: str) -> Iterator[Snapshot]:
    """The state at a time. What else its queries name, in a subquery of QUERY for example, is of that time too.

    :raises NoPastState: the server has no system-versioned tables, or the time is still to come.
    """
    with engine.connect() as connection:
        if not flavor(connection).mariadb:
            raise NoPastState(detail="MySQL keeps no past states")
        if time < _OLDEST:
            raise NoPastState(detail=f"{time} UTC is before {_OLDEST}, when no history begins")
        if connection.exec_driver_sql("SELECT CAST(%s AS DATETIME(6)) > SYSDATE(6)", (time,)).scalar_one():
            raise NoPastState(detail=f"{time} UTC is still to come")
    with paths.snapshot(engine, 1, time) as found:
        yield found


def without_past(connection: sa.Connection, tables: Sequence[QName], time: str) -> Mapping[QName, str]:
    """Of ``tables`` those whose rows at ``time`` are not kept, and why. To alter a table makes it anew."""
    schemas = sorted({table.schema for table in tables}) or [""]
    found = connection.execute(_of_schemas(_TABLES), {"time": time, "schemas": schemas})
    known = {QName(schema, name): (kind, made, later) for schema, name, kind, made, later in found}
    lost = {}
    for table in tables:
        kind, made, later = known.get(table, ("", None, 0))
        if kind != "SYSTEM VERSIONED":
            lost[table] = "is not system-versioned"
        elif later is None or later:
            lost[table] = f"was made or altered at {made} UTC, and has no history before"
    for schema, name, column, numbers in connection.execute(_of_schemas(_COLUMNS), {"schemas": schemas}):
        if (table := QName(schema, name)) in tables:
            why = "numbers transactions instead of their times" if numbers else "keeps no past values"
            lost.setdefault(table, f"has a column that {why}: {column}")
    return lost


def _of_schemas(query: str) -> sa.TextClause:
    return sa.text(query).bindparams(sa.bindparam("schemas", expanding=True))
