"""Running SQL in a test's databases through SQLAlchemy, every connection closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool


@contextmanager
def inspect(url: str) -> Iterator[sa.Inspector]:
    """SQLAlchemy's inspector of a database."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        yield sa.inspect(connection)


def execute(url: str | sa.URL, *statements: str) -> None:
    """Run statements in one transaction."""
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            formatted = connection.dialect.paramstyle in ("format", "pyformat")
            connection.exec_driver_sql(statement.replace("%", "%%") if formatted else statement)


def outside_transactions(url: str | sa.URL, statement: str) -> None:
    """Run a statement that a transaction cannot have."""
    with sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(statement)


def rows(url: str | sa.URL, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def scalar(url: str | sa.URL, query: str) -> Any:
    """The first value of a query's first row."""
    return rows(url, query)[0][0]
