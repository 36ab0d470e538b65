"""Past states: MariaDB's system-versioned tables keep every version of a row, with the times at which it was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import Snapshot
from migrator.errors import NoPastState
from migrator.model.objects import QName

from . import paths
from .dictionary import flavor

_TABLES = """
SELECT table_schema, table_name, table_type, CAST(create_time AS CHAR),
    create_time + INTERVAL 1 SECOND > CAST(:time AS DATETIME(6))
FROM information_schema.tables WHERE table_schema IN :schemas
"""


@contextmanager
def past(engine: sa.Engine, time: str) -> Iterator[Snapshot]:
    """The state at a time. What else its queries name, in a subquery of QUERY for example, is of that time too.

    :raises NoPastState: the server has no system-versioned tables, or the time is still to come.
    """
    with engine.connect() as connection:
        if not flavor(connection).mariadb:
            raise NoPastState(detail="MySQL keeps no past states")
        if connection.exec_driver_sql("SELECT CAST(%s AS DATETIME(6)) > SYSDATE(6)", (time,)).scalar_one():
            raise NoPastState(detail=f"{time} UTC is still to come")
    with paths.snapshot(engine, 1, time) as found:
        yield found


def without_past(connection: sa.Connection, tables: Sequence[QName], time: str) -> Mapping[QName, str]:
    """Of ``tables`` those whose rows at ``time`` are not kept, and why. To alter a table makes it anew."""
    query = sa.text(_TABLES).bindparams(sa.bindparam("schemas", expanding=True))
    found = connection.execute(query, {"time": time, "schemas": sorted({table.schema for table in tables}) or [""]})
    known = {QName(schema, name): (kind, made, later) for schema, name, kind, made, later in found}
    lost = {}
    for table in tables:
        kind, made, later = known.get(table, ("", None, 0))
        if kind != "SYSTEM VERSIONED":
            lost[table] = "is not system-versioned"
        elif later is None or later:
            lost[table] = f"was made or altered at {made} UTC, and has no history before"
    return lost
