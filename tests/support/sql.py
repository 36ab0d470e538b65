"""Running SQL in a test's databases through SQLAlchemy, every connection closed again."""

from __future__ import annotations

import re
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
    """Run statements in one transaction; PostgreSQL's as :func:`for_version` makes them."""
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            fitting = _fitting(statement, connection)
            formatted = connection.dialect.paramstyle in ("format", "pyformat")
            if fitting:
                connection.exec_driver_sql(fitting.replace("%", "%%") if formatted else fitting)


def _fitting(statement: str, connection: sa.Connection) -> str:
    return for_version(statement, _version(connection)) if connection.dialect.name == "postgresql" else statement


def for_version(script: str, version: int) -> str:
    """SQL for a PostgreSQL server: what stands between ``/*!15`` and ``*/`` is a comment for those before version 15."""
    return re.sub(r"/\*!(1\d) (.*?)\*/", lambda part: part[2] if version >= int(part[1]) else "", script, flags=re.DOTALL)


def version_at(url: str | sa.URL) -> int:
    """The major version of a server."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return _version(connection)


def tells_json(url: str | sa.URL) -> bool:
    """Whether the server can tell if a text is JSON: PostgreSQL before version 16 cannot."""
    return sa.make_url(url).get_backend_name() != "postgresql" or version_at(url) >= 16


def _version(connection: sa.Connection) -> int:
    return int((connection.dialect.server_version_info or (0,))[0])


def outside_transactions(url: str | sa.URL, statement: str) -> None:
    """Run a statement that a transaction cannot have; PostgreSQL's as :func:`for_version` makes it."""
    with sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(_fitting(statement, connection))


def rows(url: str | sa.URL, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def scalar(url: str | sa.URL, query: str) -> Any:
    """The first value of a query's first row."""
    return rows(url, query)[0][0]
