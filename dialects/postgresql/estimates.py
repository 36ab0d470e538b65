"""How many bytes a PostgreSQL table's rows have: by blocks, or by what ANALYZE found."""

from __future__ import annotations

import sqlalchemy as sa

from migrator.adapter import Estimation
from migrator.model.objects import Table

from . import paths

_RELATIONS = """
SELECT COALESCE(pg_catalog.pg_relation_size(c.oid), 0) + COALESCE(pg_catalog.pg_relation_size(c.reltoastrelid), 0) AS blocks,
       c.reltuples::float8 * CASE WHEN c.reltuples > 0 THEN (
           SELECT pg_catalog.sum(s.avg_width * (1 - s.null_frac)) FROM pg_catalog.pg_stats s
           WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
       ) END AS statistics
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s::pg_catalog.regclass
   OR c.oid = ANY (ARRAY(SELECT relid FROM pg_catalog.pg_partition_tree(%s::pg_catalog.regclass)))
"""
"""A table and its partitions. pg_stats shows the columns that the user may read; a foreign table has no blocks here."""


def estimate(connection: sa.Connection, table: Table, method: Estimation) -> int:
    """See :meth:`migrator.adapter.Adapter.estimate`; a partition without statistics counts by its blocks."""
    name = paths.qualified(table.source)
    relations = connection.exec_driver_sql(_RELATIONS, (name, name)).all()
    return sum(int(r.blocks if method == "BLOCKS" or r.statistics is None else r.statistics) for r in relations)
