"""Which rows differ: the multisets of two sides' rows compared by their hashes, and told apart by their keys' hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from migrator.verification.hashing import Hashes
from migrator.verification.scans import Buckets, Rows

Kind = Literal["changed", "missing", "doubled", "extra"]
"""A row has a key that both sides have and other values; is not in the target; is there once more than in the source; is in
the target only."""
KINDS: tuple[Kind, ...] = ("changed", "missing", "doubled", "extra")

Counts = npt.NDArray[np.int64]
Taken = npt.NDArray[np.bool_]
"""Of each bucket whether it is looked at."""

EXAMPLES = 10
"""How many rows of each kind are shown."""
MOST = 1 << 21
"""About how many rows a side are looked at one by one at a time."""
_FEWEST_BITS, _MOST_BITS = 16, 22


@dataclass(frozen=True)
class Example:
    """A row that differs, by its hash at the source and at the target (None: it is not there)."""

    kind: Kind
    source: int | None
    target: int | None


@dataclass(frozen=True)
class Differences:
    """How many rows differ in each way, and some of them; ``changed``: the hashes of all that are changed, on each side."""

    counts: Mapping[Kind, int]
    examples: tuple[Example, ...]
    changed: tuple[Hashes, Hashes]


def bits_for(rows: int) -> int:
    """By how many bits of a hash so many rows are divided, so that a bucket has few of them; 0: they are few already."""
    return 0 if rows <= MOST else min(max((rows >> 3).bit_length(), _FEWEST_BITS), _MOST_BITS)


class Rounds(Sequence[Taken]):
    """Parts of so many buckets, by their numbers; one is as long as there are buckets, and is made when it is asked for."""

    def __init__(self, buckets: int, numbers: Sequence[Counts]) -> None:
        self._buckets, self._numbers = buckets, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Taken: ...
    @overload
    def __getitem__(self, index: slice) -> Rounds: ...
    def __getitem__(self, index: int | slice) -> Taken | Rounds:
        if isinstance(index, slice):
            return Rounds(self._buckets, self._numbers[index])
        taken = np.zeros(self._buckets, np.bool_)
        taken[self._numbers[index]] = True
        return taken


def rounds(source: Buckets, target: Buckets) -> Rounds:
    """The buckets that differ, in parts to be looked at each: of :data:`MOST` rows at most and a last bucket."""
    differ = np.flatnonzero((source.counts != target.counts) | (source.sums != target.sums))
    rows = np.maximum(source.counts, target.counts)[differ]
    number = (np.cumsum(rows) - rows) // MOST
    return Rounds(len(source.counts), np.split(differ, np.flatnonzero(np.diff(number)) + 1))


@dataclass(frozen=True)
class _Surplus:
    """The rows that one side has more of: their hashes, their keys', how many more, and whether the other side has any."""

    rows: Hashes
    keys: Hashes
    counts: Counts
    known: npt.NDArray[np.bool_]

    def where(self, mask: npt.NDArray[np.bool_]) -> _Surplus:
        return _Surplus(self.rows[mask], self.keys[mask], self.counts[mask], self.known[mask])

    def by_key(self) -> tuple[Hashes, Hashes, Counts]:
        """The keys, of each a row, and how many rows it has."""
        keys, first, places = np.unique(self.keys, return_index=True, return_inverse=True)
        counts = np.zeros(len(keys), np.int64)
        np.add.at(counts, places, self.counts)
        return keys, self.rows[first], counts


def _surplus(here: Rows, there: Rows) -> _Surplus:
    rows, first, counts = np.unique(here.rows, return_index=True, return_counts=True)
    others, other_counts = np.unique(there.rows, return_counts=True)
    _, known, places = np.intersect1d(rows, others, assume_unique=True, return_indices=True)
    of_both = np.zeros(len(rows), np.bool_)
    of_both[known] = True
    counts[known] -= other_counts[places]
    return _Surplus(rows, here.keys[first], counts, of_both).where(counts > 0)


@dataclass(frozen=True)
class Apart:
    """The rows that differ, by the hashes of their keys."""

    changed: Hashes
    missing: Hashes
    extra: Hashes

    @classmethod
    def none(cls) -> Apart:
        """No row."""
        return cls(*(np.zeros(0, np.uint64) for _ in range(3)))

    def __add__(self, other: Apart) -> Apart:
        pairs = ((self.changed, other.changed), (self.missing, other.missing), (self.extra, other.extra))
        return Apart(*(np.concatenate(pair) for pair in pairs))


def apart(source: Rows, target: Rows) -> Apart | None:
    """Which rows differ, of two sides with one key; None: rows of one side have keys that cannot be told apart."""
    if any(len(np.unique(side.keys)) < len(side.keys) for side in (source, target)):
        return None
    both, here, there = np.intersect1d(source.keys, target.keys, assume_unique=True, return_indices=True)
    differs = source.rows[here] != target.rows[there]
    return Apart(
        source.keys[here][differs],
        source.keys[~np.isin(source.keys, both)],
        target.keys[~np.isin(target.keys, both)],
    )


def compare(source: Rows, target: Rows) -> Differences:
    """What of two sides' rows differs. Rows without a key have their own hash for its: none of them counts as changed."""
    gone, new = _surplus(source, target), _surplus(target, source)
    doubled, extra = new.where(new.known), new.where(~new.known)
    gone_keys, gone_rows, missing = gone.by_key()
    new_keys, new_rows, added = extra.by_key()
    _, of_gone, of_new = np.intersect1d(gone_keys, new_keys, assume_unique=True, return_indices=True)
    changed = np.minimum(missing[of_gone], added[of_new])
    missing[of_gone] -= changed
    added[of_new] -= changed
    counts: dict[Kind, int] = {
        "changed": int(changed.sum()),
        "missing": int(missing.sum()),
        "doubled": int(doubled.counts.sum()),
        "extra": int(added.sum()),
    }
    examples = (
        *(Example("changed", int(a), int(b)) for a, b in zip(gone_rows[of_gone][:EXAMPLES], new_rows[of_new], strict=False)),
        *(Example("missing", int(row), None) for row in gone_rows[missing > 0][:EXAMPLES]),
        *(Example("doubled", None, int(row)) for row in doubled.rows[:EXAMPLES]),
        *(Example("extra", None, int(row)) for row in new_rows[added > 0][:EXAMPLES]),
    )
    return Differences(
        {kind: count for kind, count in counts.items() if count},
        examples,
        (np.sort(gone_rows[of_gone]), np.sort(new_rows[of_new])),
    )
