"""Rows that are read only when a test lets them: jobs that stay where they are on any machine."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pymysql
import sqlalchemy as sa

from tests.support.pump import schema_of
from tests.support.servers import libpq, pymysql_arguments
from tests.support.sql import execute

ROWS = 20000
_LOCK = 4711


class HeldRows:
    """A table ``t``, whose rows a job gets that reads them with :attr:`query`, after :meth:`release`."""

    query = f'QUERY="WHERE (SELECT count(*) FROM pg_advisory_xact_lock_shared({_LOCK})) = 1"'

    def __init__(self, source: str, directory: Path) -> None:
        self.source, self.directory = source, directory
        self.environment = {"MIGRATOR_LEASE": "2", "XDG_STATE_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
        execute(source, "CREATE TABLE t (id integer PRIMARY KEY, v varchar(40))")
        execute(source, f"INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, {ROWS}) i")
        self._lock: psycopg.Connection | None = None
        self.hold()

    def hold(self) -> None:
        """From now on rows are not read."""
        self._lock = psycopg.connect(libpq(sa.make_url(self.source)))
        self._lock.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))

    def release(self) -> None:
        """Let the rows be read."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class Gate:
    """What a job cannot get past that reads a table of MySQL with :attr:`query`: the rows whose ``id`` is above ``last``."""

    def __init__(self, source: str, table: str, last: int) -> None:
        lock = f"{schema_of(source)}.gate"
        free = f"IS_FREE_LOCK('{lock}') OR GET_LOCK(CONCAT('{lock}', LEFT(id, 0)), 600)"  # of a constant MySQL asks at once
        self.query = f"QUERY={table}:WHERE id <= {last} OR {free}"
        self._held = pymysql.connect(**pymysql_arguments(sa.make_url(source)))
        with self._held.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, 0)", (lock,))

    def open(self) -> None:
        """Let the rows be read."""
        self._held.close()
