"""Rows that a unique key of the target holds for equal, as the target itself tells.

What texts a collation holds for equal, only its database knows. So the columns of a key go, as the job would load them, into
a temporary table of the target whose columns compare as the key's, and are counted there; nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Load, execute_verbatim
from migrator.ddl import DDL, Emitter
from migrator.ends import Database, database_errors
from migrator.model.objects import QName


def equal_rows(target: Database, ddl: DDL, make: str, load: Load, rows: Iterable[pa.RecordBatch]) -> int:
    """How many of the rows are equal to another one by all columns of ``load``; those with a NULL are not.

    ``make``: the statement that makes the temporary table which it fills.

    :raises MigratorError: the target does not take the rows, or has no room for a temporary table.
    """
    adapter = target.adapter
    with database_errors(adapter), adapter.writing(target.engine) as connection:
        try:
            Emitter(ddl, connection).run((make,))
            adapter.load(connection, load, rows)
            return _equal(connection, ddl, load.table, [column.name for column in load.target])
        finally:
            connection.invalidate()  # the table goes with the connection


def _equal(connection: sa.Connection, ddl: DDL, table: QName, names: Sequence[str]) -> int:
    columns = ddl.columns(names)
    given = " AND ".join(f"{ddl.quote(name)} IS NOT NULL" for name in names)
    groups = f"SELECT count(*) AS n FROM {ddl.name_of(table)} WHERE {given} GROUP BY {columns} HAVING count(*) > 1"
    sql = f"SELECT coalesce(sum(n), 0) FROM ({groups}) g"
    return int(execute_verbatim(connection, sql).scalar_one())
