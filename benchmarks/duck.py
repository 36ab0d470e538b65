"""One statement in DuckDB: ``python -m benchmarks.duck --attach URL … STATEMENT``.

The databases of the URLs (SQLAlchemy's) are attached as ``mysql``, ``postgresql`` and ``sqlite`` by DuckDB's scanners, which
come from Python packages: nothing is downloaded.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import duckdb
import sqlalchemy as sa

from tests.support.servers import libpq, pymysql_arguments

TYPES = {"mysql": "mysql", "postgresql": "postgres", "sqlite": "sqlite"}
"""What DuckDB calls a kind of database, by SQLAlchemy's name."""


def extension(kind: str) -> Path:
    """The file of the scanner for a kind of database."""
    (package,) = importlib.import_module(f"duckdb_extension_{kind}_scanner").__path__
    return Path(package) / "extensions" / f"v{duckdb.__version__}" / f"{kind}_scanner.duckdb_extension"


def _address(url: sa.URL) -> str:
    kind = url.get_backend_name()
    if kind == "sqlite":
        return url.database or ""
    if kind == "postgresql":
        return libpq(url)
    where = pymysql_arguments(url)
    place = f"socket={where['unix_socket']}" if "unix_socket" in where else f"port={where['port']}"
    return f"host={where['host']} {place} user={where['user']} password={where['password']} database={where['database']}"


def main() -> int:
    """Attach and execute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attach", action="append", type=sa.make_url, default=[], metavar="URL")
    parser.add_argument("statement")
    arguments = parser.parse_args()
    with duckdb.connect() as connection:
        for url in arguments.attach:
            kind = TYPES[url.get_backend_name()]
            connection.load_extension(str(extension(kind)))
            connection.execute(f"ATTACH '{_address(url)}' AS {url.get_backend_name()} (TYPE {kind})")
        connection.execute(arguments.statement)
    return 0


if __name__ == "__main__":
    sys.exit(main())
