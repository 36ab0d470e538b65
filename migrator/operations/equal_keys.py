"""Rows that a unique key of the target holds for equal, as the target itself tells.

What texts a collation holds for equal, only its database knows. So the columns of a key go, as the job would load them, into
a temporary table of the target whose columns compare as the key's, and are counted there; nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from migrator.adapter import Load
from migrator.ddl import DDL, Emitter
from migrator.ends import Database, database_errors
from migrator.profiling.scans import count_equal


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
            return count_equal(connection, ddl.name_of(load.table), [ddl.quote(column.name) for column in load.target])
        finally:
            connection.invalidate()  # the table goes with the connection
