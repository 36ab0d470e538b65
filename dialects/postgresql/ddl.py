"""PostgreSQL's DDL."""

from __future__ import annotations

from migrator.ddl import DDL


class PostgreSQLDDL(DDL):
    """PostgreSQL's DDL, 12 to 18."""
