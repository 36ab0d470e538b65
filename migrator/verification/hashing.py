"""64-bit hashes of columns of values, by numpy; sums of them do not depend on the rows' order or batches.

A word is mixed by the finalizer of SplitMix64, which is a bijection: two different words never have one hash. Bytes are
taken eight at a time, and long values, whose cost is in their bytes, go one by one through BLAKE2. What can be told apart by
chance only is told apart but for one time in 2**64. There is no secret in it: it finds accidents, not forgeries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from migrator.arrow import Bytes, Offsets

Hashes = npt.NDArray[np.uint64]
"""One word a value: a hash, or what one is taken of."""

LONG = 256
"""Values of more bytes go through BLAKE2."""

_WORD = 8
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LENGTH = np.uint64(0x9E3779B97F4A7C15)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def mixed(words: Hashes) -> Hashes:
    """The finalizer of SplitMix64, of every word."""
    x = words ^ (words >> np.uint64(30))
    x *= _FIRST
    x ^= x >> np.uint64(27)
    x *= _SECOND
    x ^= x >> np.uint64(31)
    return x


def seed(number: int) -> np.uint64:
    """A constant for the column, or the purpose, of that number."""
    return np.uint64(mixed(np.array([number + 1], np.uint64) * _LENGTH)[0])


def total(hashes: Hashes) -> int:
    """The sum of hashes, modulo 2**64."""
    return int(np.sum(hashes, dtype=np.uint64))


def of_words(words: Sequence[Hashes], start: np.uint64) -> Hashes:
    """A hash of each value that has a word in each of ``words``."""
    found = mixed(words[0] + start)
    for more in words[1:]:
        found = mixed(found ^ more)
    return found


def of_bytes(values: pa.Array, start: np.uint64) -> Hashes:
    """A hash of each value of a binary or string array; of NULLs, any."""
    data, starts, lengths = slices(values)
    found = mixed(lengths.astype(np.uint64) * _LENGTH + start)
    long = lengths > LONG
    if long.any():
        view = data.data
        for i in np.flatnonzero(long).tolist():
            value = view[starts[i] : starts[i] + lengths[i]]
            found[i] ^= np.uint64(int.from_bytes(hashlib.blake2b(value, digest_size=_WORD).digest(), "little"))
        found[long] = mixed(found[long])
        lengths = np.where(long, 0, lengths)
    return _of_short(data, starts, lengths, found)


def _of_short(data: Bytes, starts: Offsets, lengths: Offsets, found: Hashes) -> Hashes:
    longest = int(lengths.max()) if len(lengths) else 0
    windows = np.lib.stride_tricks.as_strided(data, (max(len(data) - _WORD + 1, 0), _WORD), (1, 1))
    shortest = int(lengths.min()) if len(lengths) else 0
    going = None  # the rows that have bytes left; None: all
    for at in range(0, longest, _WORD):
        if at >= shortest:
            going = np.flatnonzero(lengths > at) if going is None else going[lengths[going] > at]
        begin, left = (starts, lengths) if going is None else (starts[going], lengths[going])
        words = windows[begin + at].view("<u8")[:, 0].astype(np.uint64, copy=False)
        spare = _WORD - np.minimum(left - at, _WORD)
        words &= _ALL >> (spare * 8).astype(np.uint64)
        if going is None:
            found = mixed(found ^ words)
        else:
            found[going] = mixed(found[going] ^ words)
    return found


def slices(values: pa.Array) -> tuple[Bytes, Offsets, Offsets]:
    """Where the values of a binary or string array lie: ``data[starts[i]:starts[i] + lengths[i]]``.

    A word's worth of padding follows them; NULLs have length 0.
    """
    count = len(values)
    if not count:
        return np.zeros(_WORD, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64)
    _, offsets, buffer = values.buffers()
    ends = np.frombuffer(offsets, np.int32, count + 1, values.offset * 4).astype(np.int64)
    raw = np.zeros(0, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8)[ends[0] : ends[-1]]
    lengths = np.diff(ends)
    if values.null_count:
        lengths[np.asarray(values.is_null())] = 0
    return np.concatenate([raw, np.zeros(_WORD, np.uint8)]), ends[:-1] - ends[0], lengths
