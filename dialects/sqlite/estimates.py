"""How many bytes a SQLite table's rows have: by the file's pages, or by what ANALYZE found."""

from __future__ import annotations

import sqlalchemy as sa

from migrator.adapter import Estimation
from migrator.model.objects import Table

from .granules import SAMPLED_ROWS, length_of
from .names import quote


def estimate(connection: sa.Connection, table: Table, method: Estimation) -> int:
    """See :meth:`migrator.adapter.Adapter.estimate`. Counting pages reads those of the table."""
    rows = _rows(connection, table.source.name) if method == "STATISTICS" else None
    return _pages(connection, table.source.name) if rows is None else int(rows * _width(connection, table))


def _pages(connection: sa.Connection, name: str) -> int:
    """The bytes of a table's pages, those of large values included; a virtual table has none."""
    asked = f"SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name = {_text(name)} AND aggregate = TRUE"
    return int(connection.exec_driver_sql(asked).scalar_one())


def _rows(connection: sa.Connection, name: str) -> int | None:
    """How many rows ANALYZE found in a table or in the longest of its indexes (a partial one has fewer).

    None: the table was not analyzed.
    """
    if not connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'").scalar_one():
        return None
    asked = f"SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = {_text(name)} COLLATE NOCASE"
    found = connection.exec_driver_sql(asked).scalar_one()
    return None if found is None else int(found)


def _width(connection: sa.Connection, table: Table) -> float:
    """The average width of the first rows: SQLite gathers none."""
    length = length_of(column.name for column in table.data_columns)
    asked = f"SELECT coalesce(avg(n), 0) FROM (SELECT {length} AS n FROM {quote(table.source.name)} LIMIT {SAMPLED_ROWS})"
    return float(connection.exec_driver_sql(asked).scalar_one())


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
