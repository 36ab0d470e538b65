"""SKIP_CONSTRAINT_ERRORS, REJECT_ROWS_WITH_REPL_CHAR: good rows are loaded, those that the database refuses set aside.

Rows are loaded a batch at a time, each under a savepoint, by the table's own access method. A batch with a row that is
refused is taken back and loaded in halves, down to single rows; so a bad row costs a few loads of parts of its batch, and
no good row is loaded by itself without need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Adapter
from migrator.errors import RejectLimitReached, TextNotCarried, ValueNotCarried
from migrator.model.objects import QName

Put = Callable[[pa.RecordBatch], int]
"""Loads a batch; how many rows are stored."""
Reject = Callable[[pa.RecordBatch, str], None]
"""Sets a row aside, for a reason."""


@dataclass(frozen=True)
class Rejecting:
    """A granule's bad rows go into a part of the reject file ``beside``.

    ``key``: the columns that tell a row. ``limit``: more rows of the granule than that fail it; None: any number.
    ``texts``: only rows with a text that the database's character set does not have are bad, others fail the granule.
    ``again``: a row may need another of its own table, so rows that are refused are tried until no more of them get in.
    """

    beside: Path
    key: tuple[str, ...] = ()
    limit: int | None = None
    again: bool = False
    texts: bool = False


RECORDED = "rejected"
"""The name under which the master table has what a granule's load rejected."""


@dataclass(frozen=True)
class Rejected:
    """What one load rejected: how many rows, the part of the reject file they are in, the first one's reason."""

    rows: int = 0
    part: str = ""
    reason: str = ""

    def recorded(self) -> dict[str, Any]:
        """What the master table records of it; nothing where no row was rejected."""
        return {RECORDED: vars(self)} if self.rows else {}

    @classmethod
    def of(cls, detail: dict[str, Any]) -> Rejected:
        """What is recorded of a granule."""
        return cls(**detail.get(RECORDED, {}))


NONE_REJECTED = Rejected()


class Sieve:
    """Loads batches into a table by ``put``, and leaves out the rows that the database refuses; ``texts``: for a text."""

    def __init__(self, adapter: Adapter, connection: sa.Connection, put: Put, reject: Reject, texts: bool = False) -> None:
        self._adapter, self._connection, self._put, self._reject = adapter, connection, put, reject
        self._texts = texts

    def load(self, batch: pa.RecordBatch) -> int:
        """Load what can be loaded of a batch; how many rows are stored."""
        savepoint = self._connection.begin_nested()
        try:
            stored = self._put(batch)
        except Exception as error:
            reason = self._reason(error)
            if reason is None:
                raise
            savepoint.rollback()
        else:
            savepoint.commit()
            return stored
        if batch.num_rows == 1:
            self._reject(batch, reason)
            return 0
        middle = batch.num_rows // 2
        return self.load(_rows(batch, 0, middle)) + self.load(_rows(batch, middle, batch.num_rows))

    def _reason(self, error: Exception) -> str | None:
        """Why a row is refused; None: that is not what the error is about."""
        if isinstance(error, TextNotCarried if self._texts else ValueNotCarried):
            return error.message
        if not isinstance(error, self._adapter.driver_errors()):
            return None
        explained = self._adapter.explain(error)
        return explained.text if explained.about in ({"text"} if self._texts else {"row", "text"}) else None


def _rows(batch: pa.RecordBatch, start: int, stop: int) -> pa.RecordBatch:
    """Some of a batch's rows, in memory of their own: no adapter has to care that they were part of more."""
    part = batch.slice(start, stop - start)
    return part.take(pa.array(range(part.num_rows))) if part.num_columns else part


def sift(
    adapter: Adapter,
    connection: sa.Connection,
    batches: Iterable[pa.RecordBatch],
    put: Put,
    reject: Reject,
    *,
    again: bool = False,
    texts: bool = False,
) -> int:
    """Load batches but for the rows that the database refuses, which ``reject`` gets; how many rows are stored."""
    waiting: list[tuple[pa.RecordBatch, str]] = []
    set_aside: Reject = (lambda row, reason: waiting.append((row, reason))) if again else reject
    sieve = Sieve(adapter, connection, put, set_aside, texts)
    stored = sum(sieve.load(batch) for batch in batches)
    tried = len(waiting) + 1
    while len(waiting) < tried and waiting:
        tried, refused = len(waiting), list(waiting)
        waiting.clear()
        stored += sum(sieve.load(row) for row, _ in refused)
    for row, reason in waiting:
        reject(row, reason)
    return stored


def limited(reject: Reject, table: QName, limit: int | None) -> Reject:
    """``reject``, until it was called ``limit`` times.

    :raises RejectLimitReached: by what is returned, when it is called once more.
    """
    count = 0

    def counting(row: pa.RecordBatch, reason: str) -> None:
        nonlocal count
        count += 1
        if limit is not None and count > limit:
            raise RejectLimitReached(table=table, limit=limit, reason=reason)
        reject(row, reason)

    return counting
