"""Another session that wants a table for itself while a job reads it."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.support.sql import scalar

_WAITS = {
    "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock'",
}
_GIVES_UP = {
    "postgresql": "SET lock_timeout = '30s'",
    "mysql": "SET SESSION lock_wait_timeout = 30",
}
"""So that nobody waits for ever who waits for a session that waits: that it gave up fails the test."""


class Waiting:
    """Runs a statement in a session of its own; at the end of the block it has ended, whatever it had to wait for."""

    def __init__(self, url: str, statement: str) -> None:
        self.url, self.statement = url, statement
        self._backend = sa.make_url(url).get_backend_name()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        engine = sa.create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(_GIVES_UP[self._backend])
            connection.exec_driver_sql(self.statement)

    def begin(self) -> None:
        """Run it until it waits, or has ended."""
        self._thread.start()
        waits = _WAITS[self._backend]
        until = time.monotonic() + 10
        while self._thread.is_alive() and not scalar(self.url, waits):
            assert time.monotonic() < until, f"{self.statement} neither waits nor ends"
            time.sleep(0.02)

    @property
    def waits(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread.is_alive()

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread.ident is not None:
            self._thread.join(15)
            assert kind is not None or not self._thread.is_alive(), f"{self.statement} still waits"
