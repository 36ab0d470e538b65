"""Rows of a table that refer to one another by its foreign keys: which of them can come in, and in what order.

Whether a row is taken depends on others then, and no part of the rows shows what is wrong with one of them. So they are
looked at together. What a row refers to is found among them by equal values, as the source wrote them; where the database
calls more values equal, it finds more rows than that, and has the last word about each anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import pyarrow as pa
import pyarrow.compute as pc

from migrator import arrow
from migrator.model.objects import Column, ForeignKey, QName


@dataclass(frozen=True)
class Reference:
    """A foreign key of a table to itself: its columns and those that it refers to, by their places in a row.

    ``nulled``: the places of those that can be NULL, so that a row refers to none; empty: it has to refer to one.
    """

    columns: tuple[int, ...]
    referred: tuple[int, ...]
    nulled: tuple[int, ...]


def references(table: QName, columns: Sequence[Column], keys: Iterable[ForeignKey]) -> tuple[Reference, ...]:
    """The keys by which rows of ``columns``, as the table has them, refer to others of them."""
    places = {column.name: place for place, column in enumerate(columns)}
    found = []
    for key in keys:
        to = key.referred_columns or key.columns
        if key.referred == table and places.keys() >= {*key.columns, *to}:
            own = tuple(places[name] for name in key.columns)
            free = tuple(place for place in own if columns[place].nullable)
            nulled = free if key.match == "SIMPLE" or free == own else ()
            found.append(Reference(own, tuple(places[name] for name in to), nulled))
    return tuple(found)


def _alike(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The rows of batches, those together that came in batches of one schema."""
    found: dict[pa.Schema, list[pa.RecordBatch]] = {}
    for batch in batches:
        found.setdefault(batch.schema, []).append(batch)
    return [part for alike in found.values() for part in pa.Table.from_batches(alike).combine_chunks().to_batches()]


class Pool:
    """Rows that wait for one another, by their numbers: from 0, part by part. ``source``: how they came.

    A column travels as text in a batch with a value that its type has no form for, as bytes in one with a text that is none
    (see :mod:`migrator.arrow`). No row changes its form here: the parts of a pool are its rows of one form.
    """

    def __init__(self, batches: Sequence[pa.RecordBatch], source: Sequence[Column], keys: Sequence[Reference]) -> None:
        self._parts = _alike(batches)
        ends: list[int] = list(accumulate((part.num_rows for part in self._parts), initial=0))
        self._starts, self._rows = ends[:-1], ends[-1]
        self._batch_rows = max(1, self._rows * arrow.BATCH_BYTES // (sum(part.nbytes for part in self._parts) or 1))
        self._source, self._keys = source, keys
        self._needs = tuple(map(self._found, keys))
        self._users: dict[int, list[int]] = {}
        for needs in self._needs:
            for row, needed in needs.items():
                self._users.setdefault(needed, []).append(row)

    def _found(self, key: Reference) -> dict[int, int]:
        """The row that another one refers to, where it is one of them."""
        own, to = self._values(key.columns), self._values(key.referred)
        found = pc.index_in(own, value_set=to, skip_nulls=True).to_pylist()
        return {row: needed for row, needed in enumerate(found) if needed is not None and needed != row}

    def _values(self, places: Sequence[int]) -> pa.ChunkedArray:
        """The values of some columns, all in one; NULL where one of them is."""
        return pa.chunked_array([self._joined(part, places) for part in self._parts], pa.binary())

    def _joined(self, part: pa.RecordBatch, places: Sequence[int]) -> pa.Array:
        texts = [arrow.as_text(part.column(place), self._source[place].type).cast(pa.binary()) for place in places]
        if len(texts) == 1:
            return texts[0]
        sizes = [pc.binary_length(text).cast(pa.string()).cast(pa.binary()) for text in texts]
        return pc.binary_join_element_wise(*sizes, *texts, b" ")

    # --- rows -------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._rows

    def _part(self, number: int) -> int:
        """The part that a row is in."""
        return bisect_right(self._starts, number) - 1

    def rows(self, numbers: Iterable[int]) -> list[pa.RecordBatch]:
        """Some rows in that order: as many in a batch as follow one another in a part."""
        return [self._taken(part, run) for part, run in groupby(numbers, self._part)]

    def _taken(self, part: int, numbers: Iterable[int]) -> pa.RecordBatch:
        start = self._starts[part]
        return self._parts[part].take(pa.array([number - start for number in numbers], pa.int64()))

    def runs(self, numbers: Iterable[int]) -> Iterator[list[int]]:
        """Some rows in that order, cut so that each run is a batch, and none larger than is usual."""
        for _, group in groupby(numbers, self._part):
            run = list(group)
            for start in range(0, len(run), self._batch_rows):
                yield run[start : start + self._batch_rows]

    def apart(self) -> Iterator[pa.RecordBatch]:
        """All rows in batches, as they were if none referred to another of them; the last column has their numbers."""
        for part, first in zip(self._parts, self._starts, strict=True):
            numbered = self._apart(part, first)
            for start in range(0, part.num_rows, self._batch_rows):
                batch = numbered.slice(start, self._batch_rows)
                yield batch.take(pa.array(range(batch.num_rows)))

    def _apart(self, part: pa.RecordBatch, first: int) -> pa.RecordBatch:
        """The rows of a part, the number of whose first row is given."""
        arrays, numbers = list(part.columns), range(first, first + part.num_rows)
        for key, needs in zip(self._keys, self._needs, strict=True):
            referring = pa.array([number in needs for number in numbers], pa.bool_())
            for place in key.nulled:
                arrays[place] = pc.if_else(referring, pa.scalar(None, arrays[place].type), arrays[place])
            for place, to in () if key.nulled else zip(key.columns, key.referred, strict=True):
                if arrays[place].type == arrays[to].type:
                    arrays[place] = pc.if_else(referring, part.column(to), arrays[place])
        return pa.RecordBatch.from_arrays([*arrays, pa.array(numbers, pa.int64())], [*part.schema.names, ""])

    # --- what becomes of them ---------------------------------------------------------------------------------------

    def needs_another(self, number: int) -> bool:
        """Whether a row refers to another one of them."""
        return any(number in needs for needs in self._needs)

    def leave_out(self, numbers: Iterable[int], out: set[int]) -> None:
        """Add rows to ``out``, and all that need one of them; it has all that need one of its own."""
        left = [row for row in numbers if row not in out]
        out.update(left)
        while left:
            users = set(self._users.get(left.pop(), ())) - out
            out |= users
            left += users

    def in_order(self, numbers: set[int]) -> tuple[list[int], list[int]]:
        """Some rows: those that can come in one after the other, in that order; and those in, or after, a circle.

        What they need of the others is there. Of rows that can come in next, those of one part do together.
        """
        missing = dict.fromkeys(sorted(numbers), 0)
        for needs in self._needs:
            for row in missing.keys() & needs.keys():
                missing[row] += needs[row] in missing
        ready = [deque[int]() for _ in self._parts]
        for row, count in missing.items():
            if not count:
                ready[self._part(row)].append(row)
        placed: list[int] = []
        queue = deque[int]()
        while queue := queue or next(filter(None, ready), queue):
            placed.append(queue.popleft())
            for user in self._users.get(placed[-1], ()):
                if user in missing:
                    missing[user] -= 1
                    if not missing[user]:
                        ready[self._part(user)].append(user)
        return placed, [row for row, count in missing.items() if count]

    def circles(self, numbers: Collection[int]) -> list[list[int]]:
        """Of rows in, or after, circles: those of each circle that needs no other row of them."""
        among, left = set(numbers), set(numbers)
        found: list[list[int]] = []
        for first in self._needed_first(among):
            circle = [first] if first in left else []
            left.discard(first)
            for row in circle:  # which grows by what its rows need: only a circle's is not placed before them
                more = self._needed(row) & left
                left -= more
                circle += more
            inside = set(circle)
            if circle and all(self._needed(row) & among <= inside for row in circle):
                found.append(circle)
        return found

    def _needed(self, row: int) -> set[int]:
        return {needs[row] for needs in self._needs if row in needs}

    def _needed_first(self, among: set[int]) -> list[int]:
        """Some rows, each before those that need it, but for those that it needs itself."""
        begun, ended = set[int](), dict[int, None]()
        for first in sorted(among):
            stack = [first]
            while stack:
                row = stack[-1]
                if row in begun:
                    ended.setdefault(stack.pop())
                else:
                    begun.add(row)
                    stack += [user for user in self._users.get(row, ()) if user in among and user not in begun]
        return list(reversed(ended))
