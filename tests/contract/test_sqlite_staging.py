"""Rows that go into SQLite by way of files: the same as those that do not, in their order, and nothing stays behind."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from dialects.sqlite import staging
from migrator import arrow
from migrator.errors import DiskFull, RowCountDiffers, ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column
from tests.support.disk import files_end_at
from tests.support.sqlite import SQLITE, cells, load, make, opened, path_of

New = Callable[..., str]

NUMBER = Column("id", t.Integer(64))
TEXT = Column("name", t.String())
EVERY = 100
"""How many rows a batch has here."""


def numbered(*ranges: range) -> list[pa.RecordBatch]:
    """Batches of two columns, the text made of the number."""
    return [
        arrow.batch_of((NUMBER, TEXT), [pa.array(numbers, pa.int64()), pa.array([f"n{n}" for n in numbers])])
        for numbers in ranges
    ]


def ten_thousand() -> list[pa.RecordBatch]:
    return numbered(*(range(first, first + EVERY) for first in range(0, 10_000, EVERY)))


def beside(url: str) -> list[str]:
    """The files of the directory that a database is in."""
    return sorted(path.name for path in Path(path_of(url)).parent.iterdir())


def parts(url: str, batches: list[pa.RecordBatch]) -> Iterator[staging.Staged | pa.RecordBatch]:
    """What becomes of batches on their way into a database."""
    with SQLITE.writing(SQLITE.engine(sa.make_url(url))) as connection:
        yield from staging.in_files(connection, iter(batches))


# --- what is stored -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "type_", "values"),
    [
        ("INTEGER", t.Integer(64), pa.array([-(2**63), 2**63 - 1, 0, None])),
        ("TINYINT", t.Integer(8), pa.array([-128, 127, None, 0], pa.int8())),
        ("BOOLEAN", t.Boolean(), pa.array([True, False, None, True])),
        ("DOUBLE", t.Float(), pa.array([5e-324, -1.7976931348623157e308, float("inf"), None])),
        ("FLOAT4", t.Float(32), pa.array([0.1, -2.5, None, 3.4028234663852886e38], pa.float32())),
        ("TEXT", t.String(), pa.array(["", "a\0b", None, "\U0001f600", "007", "1e5"])),
        ("CHAR(3)", t.String(3, fixed=True), pa.array(["a  ", "", None, "äöü"])),
        ("BLOB", t.Binary(), pa.array([b"", b"\0\xff", None, b"x" * 5000])),
        ("DECIMAL(6,2)", t.Decimal(6, 2), pa.array(["15.86", "-0.01", None, "5.00"]).cast(pa.decimal128(6, 2))),
        (
            "DECIMAL_TEXT(20,2)",
            t.Decimal(20, 2),
            pa.array(["15.86", "-123456789012345678.01", None]).cast(pa.decimal128(20, 2)),
        ),
        ("DATE", t.Date(), pa.array([0, -719_162, None, 2_932_896], pa.int32()).cast(pa.date32())),
        ("DATETIME(6)", t.Timestamp(6), pa.array([0, 1, None, -1], pa.timestamp("us"))),
        ("TIMESTAMPTZ(0)", t.Timestamp(0, zoned=True), pa.array([0, None, 1_000_000], pa.timestamp("us", "UTC"))),
        ("UUID", t.Uuid(), pa.array([b"\0" * 16, None, bytes(range(16))], pa.binary(16))),
        ("TEXT", t.String(), pa.array([None, None], pa.string())),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_is_stored_alike_in_a_file_and_from_a_batch(
    sqlite_file: New, declared: str, type_: t.Type, values: pa.Array
) -> None:
    one, several = sqlite_file("one.db"), sqlite_file("several.db")
    columns = (Column("c", type_, declared),)
    batch = arrow.batch_of(columns, [values])
    for url in (one, several):
        make(url, f"CREATE TABLE t (c {declared})")
    assert load(one, "t", columns, batch) == len(values)
    assert load(several, "t", columns, batch, batch) == 2 * len(values)
    assert cells(several, "t") == 2 * cells(one, "t")


def test_several_batches_go_by_a_file_and_one_does_not(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    batches = numbered(range(3), range(3, 5))
    assert [(type(part), part.num_rows) for part in parts(url, batches)] == [(staging.Staged, 5)]
    assert list(parts(url, batches[:1])) == batches[:1]
    assert list(parts(url, [])) == []


def test_rows_keep_their_order_over_many_files(sqlite_file: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "SIZES", (5 << 10,) * len(staging.SIZES))  # the last ones find no file
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    kinds = [type(part) for part in parts(url, ten_thousand())]
    assert kinds[: len(staging.SIZES)] == [staging.Staged] * len(staging.SIZES)
    assert set(kinds[len(staging.SIZES) :]) == {pa.RecordBatch}
    assert load(url, "t", (NUMBER, TEXT), *ten_thousand()) == 10_000
    assert [number for (_, number), _ in cells(url, "t")] == list(range(10_000))


def test_a_batch_of_large_values_takes_its_turn_without_a_file(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    large = arrow.batch_of((NUMBER, TEXT), [pa.array([5]), pa.array(["x" * (staging.LARGEST_BATCH + 1)])])
    batches = [*numbered(range(3), range(3, 5)), large, *numbered(range(6, 9))]
    assert [type(part) for part in parts(url, batches)] == [staging.Staged, pa.RecordBatch, staging.Staged]
    assert load(url, "t", (NUMBER, TEXT), *batches) == 9
    assert [number for (_, number), _ in cells(url, "t")] == list(range(9))


def test_large_rows_go_without_a_file(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    row = arrow.batch_of((NUMBER, TEXT), [pa.array([5]), pa.array(["x" * staging.LARGEST_ROW])])
    assert list(parts(url, [row, row])) == [row, row]


def test_a_file_of_texts_in_utf_16_is_filled_without_other_files(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER, name TEXT)")
    assert load(url, "t", (NUMBER, TEXT), *ten_thousand()) == 10_000
    assert cells(url, "t")[-1] == (("integer", 9999), ("text", b"n9999"))


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_row_that_breaks_a_constraint_is_told_in_the_words_of_sqlite(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER UNIQUE, name TEXT)")
    with pytest.raises(sqlite3.IntegrityError, match=r"^UNIQUE constraint failed: t\.id$"):
        load(url, "t", (NUMBER, TEXT), *numbered(range(10), range(20, 30), range(9, 12)))
    assert cells(url, "t") == []
    assert beside(url) == [Path(path_of(url)).name]


def test_rows_that_a_trigger_leaves_out_are_missed(sqlite_file: New) -> None:
    url = sqlite_file()
    make(
        url,
        "CREATE TABLE t (id INTEGER, name TEXT);"
        "CREATE TRIGGER g BEFORE INSERT ON t WHEN NEW.id = 7 BEGIN SELECT RAISE(IGNORE); END",
    )
    with pytest.raises(RowCountDiffers, match="20 rows were sent, the database reports 19"):
        load(url, "t", (NUMBER, TEXT), *numbered(range(10), range(10, 20)))


def test_a_trigger_sees_the_rows_one_after_the_other(sqlite_file: New) -> None:
    url = sqlite_file()
    make(
        url,
        "CREATE TABLE t (id INTEGER, name TEXT); CREATE TABLE seen (id INTEGER, before INTEGER);"
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO seen SELECT NEW.id, count(*) FROM t; END",
    )
    load(url, "t", (NUMBER, TEXT), *numbered(range(3), range(3, 6)))
    assert [(number, before) for (_, number), (_, before) in cells(url, "seen")] == [(n, n + 1) for n in range(6)]


def test_a_value_of_a_later_batch_that_cannot_be_kept_is_told(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, score DOUBLE)")
    score = Column("score", t.Float(), "DOUBLE")
    batches = [arrow.batch_of((NUMBER, score), [pa.array([1]), pa.array([value])]) for value in (1.5, 2.5, float("nan"))]
    with pytest.raises(ValueNotCarried, match=r"t\.score.*NaN would become NULL"):
        load(url, "t", (NUMBER, score), *batches)
    assert beside(url) == [Path(path_of(url)).name]


# --- the files ------------------------------------------------------------------------------------------------------


def test_a_file_is_the_users_alone_and_goes_with_its_rows(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    with SQLITE.writing(SQLITE.engine(sa.make_url(url))) as connection:
        (part,) = staging.in_files(connection, iter(numbered(range(3), range(3, 5))))
    assert not part.place.path.exists()
    for part in parts(url, numbered(range(3), range(3, 5))):
        assert isinstance(part, staging.Staged)
        assert stat.S_IMODE(part.place.path.stat().st_mode) == 0o600
        assert part.place.path in SQLITE.files(sa.make_url(url))
    assert beside(url) == [Path(path_of(url)).name]


def test_what_a_killed_process_has_left_is_in_nobodys_way(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    for place in (f"{path_of(url)}{ending}" for ending in staging.STAGED):
        Path(place).write_bytes(b"SQLite format 3\0, half of it")
    assert load(url, "t", (NUMBER, TEXT), *ten_thousand()) == 10_000
    assert beside(url) == [Path(path_of(url)).name]


def test_a_file_that_finds_no_room_is_a_full_disk(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (id INTEGER, name TEXT)")
    wide = arrow.batch_of((NUMBER, TEXT), [pa.array(range(5000)), pa.array(["x" * 900] * 5000)])
    with files_end_at(1 << 20), pytest.raises(DiskFull, match="-rows0: "):
        load(url, "t", (NUMBER, TEXT), wide, wide)
    with opened(url) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert beside(url) == [Path(path_of(url)).name]
