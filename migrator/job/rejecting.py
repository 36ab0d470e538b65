"""SKIP_CONSTRAINT_ERRORS, REJECT_ROWS_WITH_REPL_CHAR: good rows are loaded, those that the database refuses set aside.

Rows are loaded a batch at a time, each under a savepoint, by the table's own access method. A batch with a row that is
refused is taken back and loaded in halves, down to single rows; so a bad row costs a few loads of parts of its batch, and
no good row is loaded by itself without need.

Where rows refer to others of their own table, halves show nothing: a batch that is refused waits then, and all that wait
are looked at together, see :mod:`migrator.job.mutual`. First it is found which of them are refused as if they referred to
none of the others; those are left out, with all that need them. The rest comes in with parents first, and the rows of each
circle at once. Then those are tried likewise that do refer to others: it may be only that change which was refused. What is
left out still is tried row by row until no more of it gets in. So each row that is rejected was refused by the database as
it is, with all others there that can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Adapter
from migrator.converting import Counts
from migrator.errors import RejectLimitReached, TextNotCarried, ValueNotCarried
from migrator.job.mutual import Pool, references
from migrator.model import types as t
from migrator.model.objects import Column, ForeignKey, QName
from migrator.orphans import count_orphans


@dataclass(frozen=True)
class Stored:
    """How many rows are stored, and the values that were changed in them on their way."""

    rows: int = 0
    converted: Counts = field(default_factory=Counts)

    def __add__(self, other: Stored) -> Stored:
        return Stored(self.rows + other.rows, self.converted + other.converted)


NONE_STORED = Stored()


def _all(stored: Iterable[Stored]) -> Stored:
    return sum(stored, NONE_STORED)


Put = Callable[[pa.RecordBatch], Stored]
"""Loads a batch. What it stored may be taken back: it counts only where it is returned further."""
PutAll = Callable[[Sequence[pa.RecordBatch]], Stored]
"""Loads batches by one statement, as a :data:`Put` does one."""
Reject = Callable[[pa.RecordBatch, str], None]
"""Sets a row aside, for a reason."""
Ready = Callable[[], None]
"""What comes before each try to load rows, and is not taken back with it."""


def _is_ready() -> None:
    """Nothing comes before."""


@dataclass(frozen=True)
class Rejecting:
    """A granule's bad rows go into a part of the reject file ``beside``.

    ``key``: the columns that tell a row. ``limit``: more rows of the granule than that fail it; None: any number.
    ``texts``: only rows with a text that the database's character set does not have are bad, others fail the granule.
    ``keys``: the foreign keys of the table, if one of them refers to the table itself: a row may need another one.
    ``chosen``: the types that the job has chosen for columns, by their names at the source.
    """

    beside: Path
    key: tuple[str, ...] = ()
    limit: int | None = None
    keys: tuple[ForeignKey, ...] = ()
    texts: bool = False
    chosen: Mapping[str, t.Type] = field(default_factory=dict)


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

    def __init__(
        self,
        adapter: Adapter,
        connection: sa.Connection,
        put: Put,
        reject: Reject,
        texts: bool = False,
        ready: Ready = _is_ready,
    ) -> None:
        self._adapter, self._connection, self._put, self._reject = adapter, connection, put, reject
        self._texts, self._ready = texts, ready

    def load(self, batch: pa.RecordBatch) -> Stored:
        """Load what can be loaded of a batch."""
        stored, reason = self.whole(batch)
        if reason is None:
            return stored
        if batch.num_rows == 1:
            self._reject(batch, reason)
            return NONE_STORED
        middle = batch.num_rows // 2
        return self.load(_rows(batch, 0, middle)) + self.load(_rows(batch, middle, batch.num_rows))

    def whole(self, batch: pa.RecordBatch) -> tuple[Stored, str | None]:
        """Load all of a batch or nothing; what is stored, and why it is refused, None: it is not."""
        self._ready()
        savepoint = self._connection.begin_nested()
        try:
            stored = self._put(batch)
        except Exception as error:
            reason = self._reason(error)
            if reason is None:
                raise
            savepoint.rollback()
            return NONE_STORED, reason
        savepoint.commit()
        return stored, None

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
    texts: bool = False,
    ready: Ready = _is_ready,
) -> Stored:
    """Load batches but for the rows that the database refuses, which ``reject`` gets."""
    sieve = Sieve(adapter, connection, put, reject, texts, ready)
    return _all(map(sieve.load, batches))


# --- rows that refer to one another ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutual:
    """How rows of ``table`` that refer to one another come in. ``source``: as they come, ``target``: as the table has them.

    ``keys``: all foreign keys of the table. ``put`` loads a batch; ``at_once`` loads rows of circles, where the database
    looks for those that a statement's rows refer to when it has all of them.
    """

    table: QName
    source: tuple[Column, ...]
    target: tuple[Column, ...]
    keys: tuple[ForeignKey, ...]
    put: Put
    at_once: PutAll
    ready: Ready = _is_ready


POOL_BYTES = 64 << 20
"""How many bytes of rows wait for one another at most; those that get in neither then nor later are looked at once more."""


Orphans = list[int | None]
"""How many rows refer to none, by each foreign key; None: nobody can tell."""


class _Dangling(Exception):
    """Rows came in that refer to none."""


def sift_mutual(
    adapter: Adapter, connection: sa.Connection, batches: Iterable[pa.RecordBatch], mutual: Mutual, reject: Reject
) -> Stored:
    """As :func:`sift`, where rows refer to others of their own table."""
    return _MutualSieve(adapter, connection, mutual).load(batches, reject)


class _MutualSieve:
    def __init__(self, adapter: Adapter, connection: sa.Connection, mutual: Mutual) -> None:
        self._adapter, self._connection, self._mutual = adapter, connection, mutual

    def load(self, batches: Iterable[pa.RecordBatch], reject: Reject) -> Stored:
        stored, waiting, late = NONE_STORED, list[pa.RecordBatch](), list[pa.RecordBatch]()
        sieve = self._sieve(self._mutual.put)
        for batch in batches:
            more, refusal = sieve.whole(batch)
            stored += more
            waiting += [] if refusal is None else [batch]
            if sum(held.nbytes for held in waiting) > POOL_BYTES:
                stored += self._load_pool(waiting, late)
        waiting, late = [*late, *waiting], []
        stored += self._load_pool(waiting, late) if waiting else NONE_STORED
        return stored + self._one_by_one(late, reject)

    def _load_pool(self, waiting: list[pa.RecordBatch], late: list[pa.RecordBatch]) -> Stored:
        """Load the rows that wait, so that none do; those that do not get in are ``late``."""
        mutual = self._mutual
        pool = Pool(waiting, mutual.source, references(mutual.table, mutual.target, mutual.keys))
        waiting.clear()
        bad = self._bad(pool)
        out, doubtful = set[int](), set[int]()
        pool.leave_out(bad, doubtful)
        pool.leave_out((row for row in bad if not pool.needs_another(row)), out)
        stored = self._load_rows(pool, set(range(len(pool))) - doubtful, out)
        stored += self._load_rows(pool, doubtful - out, out)
        late += pool.rows(sorted(out))
        return stored

    def _load_rows(self, pool: Pool, numbers: set[int], out: set[int]) -> Stored:
        """Load some rows of a pool; to ``out`` are added those that are refused, with all that need them."""
        stored = NONE_STORED
        while numbers:
            line, rest = pool.in_order(numbers)
            for run in pool.runs(line):
                stored += self._load_units(pool, [[row] for row in run], partial(self._in_line, pool), out)
            circles = pool.circles(rest)
            stored += self._load_units(pool, circles, partial(self._at_once, pool, cache(self._orphans)), out)
            numbers = set(rest).difference(out, *circles)
        return stored

    def _load_units(
        self, pool: Pool, units: list[list[int]], whole: Callable[[list[int]], Stored | None], out: set[int]
    ) -> Stored:
        """Load units, each of which comes in with all its rows or none, by ``whole``: all of them, or else in halves."""
        units = [unit for unit in units if out.isdisjoint(unit)]
        stored = whole([row for unit in units for row in unit]) if units else NONE_STORED
        if stored is not None:
            return stored
        if len(units) == 1:
            pool.leave_out(units[0], out)
            return NONE_STORED
        middle = len(units) // 2
        return _all(self._load_units(pool, half, whole, out) for half in (units[:middle], units[middle:]))

    def _in_line(self, pool: Pool, numbers: list[int]) -> Stored | None:
        """Load rows of one batch that need none after them; None: one is refused."""
        (batch,) = pool.rows(numbers)
        stored, refusal = self._sieve(self._mutual.put).whole(batch)
        return stored if refusal is None else None

    def _bad(self, pool: Pool) -> list[int]:
        """The rows that are refused even if all others are there that they refer to."""
        bad: list[int] = []
        put = self._mutual.put
        savepoint = self._connection.begin_nested()
        sieve = Sieve(
            *(self._adapter, self._connection),
            lambda batch: put(batch.select(range(batch.num_columns - 1))),
            lambda row, _: bad.append(row.column(row.num_columns - 1)[0].as_py()),
        )
        for batch in pool.apart():
            sieve.load(batch)
        savepoint.rollback()
        return bad

    def _at_once(self, pool: Pool, before: Callable[[], Orphans], numbers: list[int]) -> Stored | None:
        """Load rows that need one another; None: one is refused. ``before``: what refers to none without them."""
        savepoint = self._connection.begin_nested()
        try:
            stored = self._unchecked(pool.rows(sorted(numbers)), before)
        except Exception as error:
            known = isinstance(error, self._adapter.driver_errors())
            about = self._adapter.explain(error).about if known else None
            if not isinstance(error, _Dangling | ValueNotCarried) and about not in {"row", "text", "privilege"}:
                raise
            savepoint.rollback()
            return None
        savepoint.commit()
        return stored

    def _unchecked(self, rows: Sequence[pa.RecordBatch], before: Callable[[], Orphans]) -> Stored:
        """Load rows, while the database does not look for those they refer to if it would do that row by row.

        :raises _Dangling: some refer to none, or nobody can tell.
        """
        unchecked = self._adapter.unchecked_references(self._connection)
        if unchecked is None:
            return self._mutual.at_once(rows)
        there = before()
        if None in there:
            raise _Dangling
        with unchecked:
            stored = _all(map(self._mutual.put, rows))
        if self._orphans() != there:
            raise _Dangling
        return stored

    def _orphans(self) -> Orphans:
        return [count_orphans(self._connection, self._adapter, self._mutual.table, key) for key in self._mutual.keys]

    def _one_by_one(self, rows: list[pa.RecordBatch], reject: Reject) -> Stored:
        """Load rows one by one until no more of them get in."""
        refused: list[tuple[pa.RecordBatch, str]] = []
        sieve = self._sieve(self._mutual.put, lambda row, reason: refused.append((row, reason)))
        singles = (_rows(batch, row, row + 1) for batch in rows for row in range(batch.num_rows))
        stored, tried = _all(map(sieve.load, singles)), sum(batch.num_rows for batch in rows)
        while refused and len(refused) < tried:
            tried, again = len(refused), [row for row, _ in refused]
            refused.clear()
            stored += _all(map(sieve.load, again))
        for row, reason in refused:
            reject(row, reason)
        return stored

    def _sieve(self, put: Put, reject: Reject = lambda row, reason: None) -> Sieve:
        return Sieve(self._adapter, self._connection, put, reject, ready=self._mutual.ready)


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
