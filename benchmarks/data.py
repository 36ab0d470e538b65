"""Generated tables, the same for the same number of rows: many narrow columns, texts of every kind, large bytes.

They are written into a SQLite file, from which migrator fills the other sources.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Row = tuple[Any, ...]
CHUNK = 50_000

WORDS = np.array(
    ["quick", "ironic", "naïve", "日本語", "tab\there", "back\\slash", "it's", '"quoted"', "two\nlines", "😀", "%s", ""]
)


@dataclass(frozen=True)
class Sample:
    """A table: its SQLite DDL, how many of the rows asked for it has, and how its rows are made from their numbers."""

    name: str
    ddl: str
    share: float
    rows: Callable[[np.random.Generator, int, int], Iterator[Row]]

    @property
    def mariadb_ddl(self) -> str:
        """For MariaDB: with microseconds, and numbers for booleans, of which every tool makes the same column elsewhere."""
        return self.ddl.replace("TIMESTAMP", "DATETIME(6)").replace("BOOLEAN", "TINYINT")


def _texts(random: np.random.Generator, count: int, words: int) -> list[str]:
    chosen = WORDS[random.integers(0, len(WORDS), (count, words))]
    return [" ".join(row) for row in chosen]


def _dates(random: np.random.Generator, count: int) -> list[str]:
    days = np.datetime64("1992-01-01") + random.integers(0, 2500, count)
    return list(np.datetime_as_string(days))


def _lineitem(random: np.random.Generator, first: int, count: int) -> Iterator[Row]:
    number = np.arange(first, first + count)
    modes = np.array(["AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB", "REG AIR"])
    columns = (
        (number // 4).tolist(),
        (number % 4).tolist(),
        *(random.integers(1, 200_000, count).tolist() for _ in range(2)),
        *((random.integers(0, top, count) / 100).tolist() for top in (5_000, 10_000_000, 10, 8)),
        *(np.array(letters)[random.integers(0, len(letters), count)].tolist() for letters in (["A", "N", "R"], ["F", "O"])),
        *(_dates(random, count) for _ in range(3)),
        modes[random.integers(0, len(modes), count)].tolist(),
        _texts(random, count, 4),
    )
    return zip(*columns, strict=True)


def _events(random: np.random.Generator, first: int, count: int) -> Iterator[Row]:
    stamps = np.datetime64("2020-01-01T00:00:00.000000") + random.integers(0, 10**14, count)
    notes: list[str | None] = [None if i % 5 == 0 else text for i, text in enumerate(_texts(random, count, 12))]
    columns = (
        range(first, first + count),
        random.integers(-(2**63), 2**63 - 1, count).tolist(),
        [text.replace("T", " ") for text in np.datetime_as_string(stamps)],
        random.normal(size=count).tolist(),
        random.integers(0, 2, count).tolist(),
        [f'{{"user": {user}, "tags": ["a", "é"], "ok": true}}' for user in random.integers(0, 10**6, count)],
        notes,
    )
    return zip(*columns, strict=True)


def _blobs(random: np.random.Generator, first: int, count: int) -> Iterator[Row]:
    return ((number, f"file {number}.bin", random.bytes(16_384)) for number in range(first, first + count))


SAMPLES = (
    Sample(
        "lineitem",
        """CREATE TABLE lineitem (l_orderkey BIGINT NOT NULL, l_linenumber INT NOT NULL, l_partkey INT NOT NULL,
            l_suppkey INT NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, l_extendedprice DECIMAL(15,2) NOT NULL,
            l_discount DECIMAL(15,2) NOT NULL, l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL,
            l_linestatus CHAR(1) NOT NULL, l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL,
            l_receiptdate DATE NOT NULL, l_shipmode VARCHAR(10) NOT NULL, l_comment VARCHAR(60) NOT NULL,
            PRIMARY KEY (l_orderkey, l_linenumber))""",
        1.0,
        _lineitem,
    ),
    Sample(
        "events",
        """CREATE TABLE events (id BIGINT NOT NULL PRIMARY KEY, big BIGINT NOT NULL, at TIMESTAMP NOT NULL,
            score DOUBLE NOT NULL, flag BOOLEAN NOT NULL, payload JSON NOT NULL, note TEXT)""",
        0.5,
        _events,
    ),
    Sample(
        "blobs",
        "CREATE TABLE blobs (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, data BLOB NOT NULL)",
        0.01,
        _blobs,
    ),
)


EVERY = tuple(sample.name for sample in SAMPLES)


def write(path: Path, rows: int, names: tuple[str, ...] = EVERY) -> None:
    """A new SQLite file with the samples of these names, the largest of which has ``rows`` rows."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for sample in (sample for sample in SAMPLES if sample.name in names):
            connection.execute(sample.ddl)
            _fill(connection, sample, max(1, int(rows * sample.share)))
        connection.commit()


def _fill(connection: sqlite3.Connection, sample: Sample, rows: int) -> None:
    random = np.random.default_rng(rows)
    for first in range(0, rows, CHUNK):
        made = sample.rows(random, first, min(CHUNK, rows - first))
        marks = ", ".join("?" * len(connection.execute(f"SELECT * FROM {sample.name} LIMIT 0").description))
        connection.executemany(f"INSERT INTO {sample.name} VALUES ({marks})", made)
