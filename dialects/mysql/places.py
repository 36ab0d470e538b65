"""Where the server has the files of a table, and whether this process reaches them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from migrator.errors import DataFilesUnreachable
from migrator.model.objects import QName

TABLESPACE, CONFIGURATION = "ibd", "cfg"
"""The names of the two files: the tablespace, and what the server says of its columns and indexes."""

MARIADB_ALONE = "of this family it is MariaDB whose data files are copied, and this is MySQL"
"""Why MySQL's files are left alone: nor does it say what a file is called, having no character set ``filename``."""

_WHERE = """
SELECT @@datadir AS directory, CAST(CONVERT(:schema USING filename) AS BINARY) AS folder,
       CAST(CONVERT(:name USING filename) AS BINARY) AS base
"""
_PLACES = """
SELECT table_schema AS table_schema, table_name AS table_name, @@datadir AS directory,
       CAST(CONVERT(table_schema USING filename) AS BINARY) AS folder,
       CAST(CONVERT(table_name USING filename) AS BINARY) AS base
FROM information_schema.tables WHERE table_schema IN :schemas
"""
_FOLDERS = """
SELECT schema_name AS schema_name, @@datadir AS directory, CAST(CONVERT(schema_name USING filename) AS BINARY) AS folder
FROM information_schema.schemata WHERE schema_name IN :schemas
"""


@dataclass(frozen=True)
class Spot:
    """The files of ``table``: those that begin with ``base`` in ``folder``."""

    table: QName
    folder: Path
    base: str

    @classmethod
    def of(cls, connection: sa.Connection, table: QName) -> Spot:
        """Where the server has the files of a table."""
        found = connection.execute(sa.text(_WHERE), {"schema": table.schema, "name": table.name}).one()
        return cls(table, Path(found.directory) / found.folder.decode(), found.base.decode())

    def path(self, name: str) -> Path:
        """One of the files."""
        return self.folder / f"{self.base}.{name}"

    def unreachable(self, detail: str) -> DataFilesUnreachable:
        """The error of files that this process does not reach."""
        return DataFilesUnreachable(object=self.table, detail=detail)


# --- what the rules ask ---------------------------------------------------------------------------------------------


def unreadable(connection: sa.Connection, schemas: Sequence[str]) -> dict[QName, str]:
    """Why this process cannot read the data files of the tables in some schemas, by table; empty: it can."""
    found = connection.execute(_about(_PLACES, schemas))
    spots = (
        Spot(QName(row.table_schema, row.table_name), Path(row.directory) / row.folder.decode(), row.base.decode())
        for row in found
    )
    return {spot.table: _unreadable(spot.path(TABLESPACE)) for spot in spots}


def _unreadable(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return f"{path} is no ordinary file"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return "" if os.access(path, os.R_OK) else f"{path}: {os.strerror(errno.EACCES)}"


def unwritable(connection: sa.Connection, schemas: Sequence[str]) -> dict[str, str]:
    """Why this process cannot put files that are the server's own where the tables of some schemas are; empty: it can.

    Of a schema that is not there yet: where the schemas are.
    """
    there = {
        row.schema_name: Path(row.directory) / row.folder.decode() for row in connection.execute(_about(_FOLDERS, schemas))
    }
    directory = Path(str(connection.exec_driver_sql("SELECT @@datadir").scalar_one()))
    return {schema: _unwritable(there.get(schema, directory)) for schema in schemas}


def _unwritable(folder: Path) -> str:
    try:
        found = folder.stat()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if os.geteuid() not in {0, found.st_uid}:
        return f"{folder} belongs to another user"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder}: {os.strerror(errno.EACCES)}"


def _about(query: str, schemas: Sequence[str]) -> sa.TextClause:
    return sa.text(query).bindparams(sa.bindparam("schemas", expanding=True, value=list(schemas)))
