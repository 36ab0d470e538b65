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
    """Run statements in one transaction, each as :func:`fitting` makes it."""
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            sql = fitting(statement, connection)
            formatted = connection.dialect.paramstyle in ("format", "pyformat")
            if sql:
                connection.exec_driver_sql(sql.replace("%", "%%") if formatted else sql)


def fitting(statement: str, connection: sa.Connection) -> str:
    """A statement as :func:`for_version` or :func:`for_mysql` makes it, empty where the server has none of it."""
    if connection.dialect.name == "postgresql":
        return for_version(statement, _version(connection))
    return statement if getattr(connection.dialect, "is_mariadb", True) else for_mysql(statement)


def for_mysql(script: str) -> str:
    """MariaDB's SQL for a MySQL server, without what stands between ``/*M!`` and ``*/``: collations have other names there,
    and there are no tables ``seq_1_to_9``."""
    own = re.sub(r"^/\*M! .*?\*/;$|/\*M! .*?\*/", "", script, flags=re.DOTALL | re.MULTILINE)
    for mariadb, mysql in _COLLATIONS.items():
        own = own.replace(mariadb, mysql)
    return _COUNTED.sub(_counting, own)


_COLLATIONS = {"utf8mb4_nopad_bin": "utf8mb4_0900_bin", "utf8mb4_unicode_520_nopad_ci": "utf8mb4_0900_ai_ci"}


_COUNTED = re.compile(r"\bseq_1_to_(\d+)\b")


def _counting(table: re.Match[str]) -> str:
    items = f"CONCAT('[', REPEAT('0,', {table[1]} - 1), '0]')"
    return f"JSON_TABLE({items}, '$[*]' COLUMNS (seq FOR ORDINALITY)) AS {table[0]}"


def for_version(script: str, version: int) -> str:
    """SQL for a PostgreSQL server: what stands between ``/*!15`` and ``*/`` is a comment for those before version 15."""
    return re.sub(r"/\*!(1\d) (.*?)\*/", lambda part: part[2] if version >= int(part[1]) else "", script, flags=re.DOTALL)


def version_at(url: str | sa.URL) -> int:
    """The major version of a server."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return _version(connection)


def is_mariadb(url: str | sa.URL) -> bool:
    """Whether a server of MySQL's family is MariaDB."""
    return product_of(str(scalar(url, "SELECT VERSION()"))) == "MariaDB"


def product_of(version: str) -> str:
    """Which product of MySQL's family says that it is of this version."""
    return "MariaDB" if "mariadb" in version.lower() else "MySQL"


def tells_json(url: str | sa.URL) -> bool:
    """Whether the server can tell if a text is JSON: PostgreSQL before version 16 cannot."""
    return sa.make_url(url).get_backend_name() != "postgresql" or version_at(url) >= 16


def _version(connection: sa.Connection) -> int:
    return int((connection.dialect.server_version_info or (0,))[0])


def outside_transactions(url: str | sa.URL, statement: str) -> None:
    """Run a statement that a transaction cannot have, as :func:`fitting` makes it."""
    with sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(fitting(statement, connection))


def rows(url: str | sa.URL, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def scalar(url: str | sa.URL, query: str) -> Any:
    """The first value of a query's first row."""
    return rows(url, query)[0][0]
