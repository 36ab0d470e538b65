"""Somebody who writes to a job's source while the job reads it."""

from __future__ import annotations

import sqlalchemy as sa

from migrator.operations.work import NoProgress
from tests.support.sql import execute


class Meddler(NoProgress):
    """Does something to the source the moment before the first row is read; what the server said to it."""

    def __init__(self, url: str, *statements: str) -> None:
        self.url, self.statements, self.refused = url, statements, ""

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        try:
            execute(self.url, *self.statements)
        except sa.exc.OperationalError as error:
            self.refused = str(error)
