"""What is taken of a stream of batches, by a worker beside the rows: digests, and on a second look the rows that differ.

Every value is a picklable description with a ``fold`` that reads all batches and gives a small picklable result. Results of
the granules of a table are added up in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from migrator import arrow
from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t
from migrator.model.objects import Column
from migrator.verification.forms import FORMS, alike, form_of
from migrator.verification.hashing import Hashes, mixed, seed, total

_ALL = (1 << 64) - 1


@dataclass(frozen=True)
class Compared:
    """A column that is compared: as the source has it, as the target has it, and in which form."""

    source: Column
    target: Column
    form: str


def converted(array: pa.Array, pair: Compared) -> pa.Array:
    """The source's values in the Arrow form of the target's type.

    One that does not fit it makes them texts: no import can have brought it to the target, so it differs.
    """
    target = pair.target.type
    try:
        return arrow.convert(array, pair.target.name, pair.source.type, target)
    except ValueNotCarried:
        if len(array) == 1:
            return pa.array([f"no {target}: {shown(array, pair.source.type)[0]}"])
    half = len(array) // 2
    parts = [converted(part, pair) for part in (array[:half], array[half:])]
    if parts[0].type == parts[1].type:
        return pa.concat_arrays(parts)
    texts = [arrow.as_text(part, target) for part in parts]
    common = pa.binary() if any(pa.types.is_binary(text.type) for text in texts) else pa.string()
    return pa.concat_arrays([text.cast(common) for text in texts])


class Hashed(NamedTuple):
    """Hashes of a batch: of each row, of each row's key, and per column of each value."""

    rows: Hashes
    keys: Hashes
    columns: list[Hashes]


@dataclass(frozen=True)
class Side:
    """One side of a comparison, as its batches are read. ``key``: the places of the key's columns, empty: rows have none.

    ``converted``: these are the source's rows, which are compared as an import converts them; ``policies``: what its
    policies make of a batch before (picklable).
    """

    columns: tuple[Compared, ...]
    converted: bool
    key: tuple[int, ...] = ()
    policies: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None

    def arrays(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """A batch's columns in the Arrow forms of the target's types, or as text."""
        if not self.converted:
            return list(batch.columns)
        if self.policies is not None:
            batch = self.policies(batch)
        return [converted(array, pair) for array, pair in zip(batch.columns, self.columns, strict=True)]

    def keys(self, batch: pa.RecordBatch) -> Hashes:
        """The hashes of a batch's keys; it may have the key's columns alone."""
        if self.policies is not None:
            batch = self.policies(batch)
        columns = []
        for place in self.key:
            pair = self.columns[place]
            array = batch.column(pair.source.name if self.converted else pair.target.name)
            array = converted(array, pair) if self.converted else array
            columns.append(FORMS[pair.form](array, t.base_of(pair.target.type)).hashes(seed(place)))
        return _together(batch.num_rows, columns)

    def hashed(self, batch: pa.RecordBatch) -> Hashed:
        """The hashes of a batch."""
        return self.hashed_of(batch.num_rows, self.arrays(batch))

    def hashed_of(self, rows: int, arrays: Sequence[pa.Array]) -> Hashed:
        """The hashes of ``rows`` rows, given by :meth:`arrays`."""
        columns = [
            FORMS[pair.form](array, t.base_of(pair.target.type)).hashes(seed(number))
            for number, (array, pair) in enumerate(zip(arrays, self.columns, strict=True))
        ]
        every = _together(rows, columns)
        return Hashed(every, _together(rows, [columns[place] for place in self.key]) if self.key else every, columns)


def as_exported(columns: Sequence[Column]) -> Side:
    """Rows of these columns as an export digests them, which knows no target: in the forms of their own types."""
    return Side(tuple(Compared(column, column, form_of(column.type, column.type)) for column in columns), converted=False)


def as_exported_to(columns: Sequence[Compared]) -> Side | None:
    """A target's rows as the export digested the source's; None: its types have other words for the same values."""
    if not all(alike(pair.source.type, pair.target.type) for pair in columns):
        return None
    own = (replace(pair, form=form_of(pair.source.type, pair.source.type)) for pair in columns)
    return Side(tuple(own), converted=False)


def _together(rows: int, columns: Sequence[Hashes]) -> Hashes:
    """One hash a row of the hashes of its values, which tell their columns by themselves."""
    found = np.zeros(rows, np.uint64)
    for hashes in columns:
        found += hashes
    return mixed(found)


# --- all rows -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digest:
    """The digest of a multiset of rows: their number, and the sums of the hashes of rows, and of each column's values.

    One that a database has taken itself has no columns.
    """

    rows: int = 0
    total: int = 0
    columns: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values; :meth:`from_json` reads them back equal."""
        return {"rows": self.rows, "total": f"{self.total:016x}", "columns": [f"{column:016x}" for column in self.columns]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Digest:
        """The digest that :meth:`to_json` wrote.

        :raises ValueError: it has another form (KeyError, TypeError likewise).
        """
        return cls(int(data["rows"]), int(data["total"], 16), tuple(int(column, 16) for column in data["columns"]))

    def __add__(self, other: Digest) -> Digest:
        return Digest(self.rows + other.rows, (self.total + other.total) & _ALL, _sums(self.columns, other.columns))


def _sums(some: Sequence[int], others: Sequence[int]) -> tuple[int, ...]:
    return tuple((a + b) & _ALL for a, b in zip(some, others, strict=True))


@dataclass(frozen=True)
class Digesting:
    """Takes the digest of rows."""

    side: Side

    def begun(self) -> Taking:
        """The digest of rows that are still to come."""
        return Taking(self.side)

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Digest:
        """The digest of all batches."""
        taking = self.begun()
        for _ in taking.watching(batches):
            pass
        return taking.digest


class Taking:
    """A digest that is taken of batches on their way."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.digest = Digest(0, 0, (0,) * len(side.columns))
        """Of what has passed."""

    def watching(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches."""
        for batch in batches:
            rows, _, columns = self._side.hashed(batch)
            self.digest += Digest(batch.num_rows, total(rows), tuple(map(total, columns)))
            yield batch


# --- some rows ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Buckets:
    """Rows by the first bits of their keys' hashes: how many there are, and the sum of the hashes of the rows."""

    counts: npt.NDArray[np.int64]
    sums: Hashes

    @property
    def total(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def __add__(self, other: Buckets) -> Buckets:
        return Buckets(self.counts + other.counts, self.sums + other.sums)


@dataclass(frozen=True)
class Dividing:
    """Divides rows among ``2 ** bits`` buckets, so that only those that differ need a closer look."""

    side: Side
    bits: int

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Buckets:
        """The buckets of all batches."""
        counts, sums = np.zeros(1 << self.bits, np.int64), np.zeros(1 << self.bits, np.uint64)
        for batch in batches:
            rows, keys, _ = self.side.hashed(batch)
            places = bucket(keys, self.bits)
            np.add.at(counts, places, 1)
            np.add.at(sums, places, rows)
        return Buckets(counts, sums)


def bucket(keys: Hashes, bits: int) -> npt.NDArray[np.int64]:
    """The bucket of each key's hash."""
    if not bits:
        return np.zeros(len(keys), np.int64)
    return (keys >> np.uint64(64 - bits)).astype(np.int64)


def among(hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
    """Which hashes are among the ``wanted`` ones, which are sorted."""
    if not len(wanted):
        return np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
    return np.asarray(wanted[places] == hashes)


@dataclass(frozen=True)
class Rows:
    """Rows by the hash of their key and of themselves."""

    keys: Hashes
    rows: Hashes

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def __add__(self, other: Rows) -> Rows:
        return Rows(np.concatenate([self.keys, other.keys]), np.concatenate([self.rows, other.rows]))


@dataclass(frozen=True)
class Collecting:
    """Collects the hashes of all rows in certain ``buckets`` of ``2 ** bits``; None: of all rows."""

    side: Side
    bits: int = 0
    buckets: npt.NDArray[np.bool_] | None = None

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Rows:
        """The rows of all batches."""
        keys, rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for batch in batches:
            hashed = self.side.hashed(batch)
            wanted = slice(None) if self.buckets is None else self.buckets[bucket(hashed.keys, self.bits)]
            keys.append(hashed.keys[wanted])
            rows.append(hashed.rows[wanted])
        return Rows(np.concatenate(keys), np.concatenate(rows))


@dataclass(frozen=True)
class Value:
    """A value as people read it (None: NULL), and its hash."""

    text: str | None
    hash: int


@dataclass(frozen=True)
class Fetched:
    """Rows by their hashes; per column the sum of the hashes of values, each with its row's key, of others."""

    values: Mapping[int, tuple[Value, ...]]
    columns: tuple[int, ...]

    def __add__(self, other: Fetched) -> Fetched:
        return Fetched({**self.values, **other.values}, _sums(self.columns, other.columns))


@dataclass(frozen=True)
class Fetching:
    """Fetches the rows with certain hashes, of each one; digests the columns of those with ``changed`` ones (sorted)."""

    side: Side
    hashes: frozenset[int]
    changed: Hashes

    def fold(self, batches: Iterable[pa.RecordBatch]) -> Fetched:
        """The rows of all batches."""
        wanted = np.array(sorted(self.hashes), np.uint64)
        values: dict[int, tuple[Value, ...]] = {}
        columns = (0,) * len(self.side.columns)
        for batch in batches:
            arrays = self.side.arrays(batch)
            hashed = self.side.hashed_of(batch.num_rows, arrays)
            values.update(self._there(arrays, hashed, wanted))
            changed = among(hashed.rows, self.changed)
            keys = mixed(hashed.keys[changed])
            columns = _sums(columns, [total(mixed(column[changed] ^ keys)) for column in hashed.columns])
        return Fetched(values, columns)

    def _there(self, arrays: Sequence[pa.Array], hashed: Hashed, wanted: Hashes) -> Iterator[tuple[int, tuple[Value, ...]]]:
        places = np.flatnonzero(among(hashed.rows, wanted)).tolist()
        if not places:
            return
        texts = [shown(array.take(places), pair.target.type) for array, pair in zip(arrays, self.side.columns, strict=True)]
        for number, place in enumerate(places):
            row = tuple(Value(text[number], int(hashes[place])) for text, hashes in zip(texts, hashed.columns, strict=True))
            yield int(hashed.rows[place]), row


_SHOWN = 1000
"""How many characters of a value are shown at most."""


def shown(array: pa.Array, type_: t.Type) -> list[str | None]:
    """Values as people read them, bytes in hexadecimal digits; long ones are cut."""
    text: Any = arrow.as_text(array, type_)
    if pa.types.is_binary(text.type):
        return [None if value is None else abridged(f"0x{value[:_SHOWN].hex()}", _SHOWN) for value in text.to_pylist()]
    return [None if value is None else abridged(value, _SHOWN) for value in text.to_pylist()]
