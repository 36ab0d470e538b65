"""How many bytes a MySQL table's rows have: by the pages of its storage engine, or by the optimizer's statistics.

Nothing is analyzed for it, since that writes to the source: InnoDB recounts its pages by itself when a table has changed
much.
"""

from __future__ import annotations

import sqlalchemy as sa

from migrator.adapter import Estimation
from migrator.model.objects import QName

FRESH_STATISTICS = "/*!80000 SET SESSION information_schema_stats_expiry = 0 */"
"""MySQL 8 shows what it knew a day ago otherwise; MariaDB passes over this."""

_PAGES = """
SELECT COALESCE(data_length, 0) FROM information_schema.tables WHERE table_schema = :schema AND table_name = :name
"""
"""InnoDB keeps rows and their large values in the pages of the clustered index: these are no index's in this figure."""

_HAS_WIDTHS = """
SELECT COUNT(*) FROM information_schema.tables
WHERE table_schema = 'mysql' AND table_name IN ('table_stats', 'column_stats')
"""
"""Both are there on MariaDB, and shown to users who may read them."""

_STATISTICS = """
SELECT t.cardinality * SUM(s.avg_length * (1 - s.nulls_ratio)) FROM mysql.table_stats t
JOIN mysql.column_stats s ON s.db_name = t.db_name AND s.table_name = t.table_name
WHERE t.db_name = :schema AND t.table_name = :name GROUP BY t.cardinality
HAVING COUNT(s.avg_length) = (
    SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = :schema AND table_name = :name)
"""
"""What ANALYZE TABLE … PERSISTENT found, if it was of every column: it passes over TEXT and BLOB unless they are named.
MySQL knows no widths but those that follow from the pages."""


def estimate(connection: sa.Connection, table: QName, method: Estimation) -> int:
    """See :meth:`migrator.adapter.Adapter.estimate`."""
    which = {"schema": table.schema, "name": table.name}
    found = _statistics(connection, which) if method == "STATISTICS" else None
    if found is not None:
        return found
    connection.exec_driver_sql(FRESH_STATISTICS)
    return int(connection.execute(sa.text(_PAGES), which).scalar_one())


def _statistics(connection: sa.Connection, which: dict[str, str]) -> int | None:
    if connection.execute(sa.text(_HAS_WIDTHS)).scalar_one() < 2:
        return None
    found = connection.execute(sa.text(_STATISTICS), which).scalar_one_or_none()
    return None if found is None else int(found)
