"""Rows that refer to one another: as many come in as can, whatever their order, circles and duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.adapter import Load, load_adapter
from migrator.job import rejecting
from migrator.job.mutual import Pool, references
from migrator.job.rejecting import Mutual, sift_mutual
from migrator.model import types as t
from migrator.model.objects import Column, ForeignKey, QName

EMP = QName("main", "emp")
COLUMNS = (Column("id", t.Integer(64), nullable=False), Column("mgr", t.Integer(64)), Column("sal", t.Integer(64)))
KEY = ForeignKey(None, ("mgr",), EMP, ("id",))
Row = tuple[int, int | None, int]


def batch(rows: Sequence[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(column, pa.int64()) for column in columns], names=["id", "mgr", "sal"])


def can_come_in(rows: Sequence[Row], there: set[int]) -> set[int]:
    """The largest set of good rows that refer to none but themselves and what is there."""
    found = {id_: mgr for id_, mgr, sal in rows if sal > 0}
    while lost := {id_ for id_, mgr in found.items() if mgr is not None and mgr not in found.keys() | there}:
        found = {id_: mgr for id_, mgr in found.items() if id_ not in lost}
    return set(found)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    path: Path = tmp_path_factory.mktemp("mutual") / "emp.db"
    made = load_adapter("sqlite").engine(sa.make_url(f"sqlite:///{path}"))
    with made.connect() as connection:
        key = "mgr INTEGER REFERENCES emp (id)"
        connection.exec_driver_sql(f"CREATE TABLE emp (id INTEGER PRIMARY KEY, {key}, sal INTEGER CHECK (sal > 0))")
    return made


@st.composite
def staff(draw: st.DrawFn) -> tuple[list[Row], int]:
    """Rows of employees, who may refer to any other, to nobody, to one who was there (0) or one who is nowhere; batches."""
    ids = draw(st.permutations(range(1, draw(st.integers(1, 14)) + 1)))
    managers = st.sampled_from([None, 0, 99, *ids])
    rows = [(id_, draw(managers), draw(st.sampled_from([1, 1, 1, 1, -1]))) for id_ in ids]
    return rows, draw(st.integers(1, 8))


def test_rows_that_wait_take_no_more_memory_than_they_may(database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch fills it: all are looked at once more, together."""
    monkeypatch.setattr(rejecting, "POOL_BYTES", 1)
    check_that_all_come_in_that_can(database, [(1, 4, 1), (2, 1, 1), (3, 5, 1), (4, 2, 1), (5, 3, -1), (6, 99, 1)], 2)


@settings(deadline=None, max_examples=60)
@given(staff())
def test_as_many_rows_come_in_as_can(database: sa.Engine, given_: tuple[list[Row], int]) -> None:
    check_that_all_come_in_that_can(database, *given_)


def check_that_all_come_in_that_can(database: sa.Engine, rows: list[Row], size: int) -> None:
    """Let rows come in by batches of a size."""
    adapter, refused = load_adapter("sqlite"), list[int]()
    with adapter.writing(database, checking=True) as connection:
        connection.exec_driver_sql("INSERT INTO emp VALUES (0, NULL, 1)")
        load = Load(EMP, COLUMNS, COLUMNS)

        def put(one: pa.RecordBatch) -> int:
            return adapter.load(connection, load, [one])

        def at_once(batches: Sequence[pa.RecordBatch]) -> int:
            return adapter.load(connection, load, batches)

        mutual = Mutual(EMP, COLUMNS, COLUMNS, (KEY,), put, put, at_once)
        batches = [batch(rows[start : start + size]) for start in range(0, len(rows), size)]
        count = sift_mutual(adapter, connection, batches, mutual, lambda row, _: refused.append(row.column(0)[0].as_py()))
        stored = set(connection.exec_driver_sql("SELECT id FROM emp WHERE id > 0").scalars())
        connection.rollback()
    assert stored == can_come_in(rows, {0})
    assert sorted([*stored, *refused]) == sorted(id_ for id_, _, _ in rows)
    assert count == len(stored)


def test_keys_of_more_columns_are_no_sums_of_their_texts() -> None:
    columns = tuple(Column(name, t.String()) for name in "abcd")
    (key,) = references(EMP, columns, [ForeignKey(None, ("c", "d"), EMP, ("a", "b"))])
    values = [["1", "12"], ["23", "3"], ["12", "9"], ["3", "9"]]
    pool = Pool([pa.record_batch([pa.array(column) for column in values], names=list("abcd"))], columns, [key])
    assert pool.with_dependents([0]) == {0}
    assert pool.with_dependents([1]) == {0, 1}
    assert pool.in_order({0, 1}) == ([], [])
    assert pool.in_order(set()) == ([1, 0], [])


def test_a_key_whose_columns_do_not_come_is_left_to_the_database() -> None:
    assert references(EMP, COLUMNS, [ForeignKey(None, ("boss",), EMP, ("id",))]) == ()
    assert references(EMP, COLUMNS, [ForeignKey(None, ("mgr",), QName("main", "dept"), ("id",))]) == ()


def test_texts_and_bytes_of_one_column_are_one_pool() -> None:
    columns = (Column("id", t.String()), Column("up", t.String()))
    keys = references(EMP, columns, [ForeignKey(None, ("up",), EMP, ("id",))])
    texts = pa.record_batch([pa.array(["a", "b"]), pa.array([None, "c"], pa.string())], names=["id", "up"])
    odd = pa.record_batch([pa.array([b"c", b"\xff"]), pa.array([b"a", b"b"])], names=["id", "up"])
    pool = Pool([texts, odd], columns, keys)
    assert pool.with_dependents([2]) == {1, 2, 3}
    assert pool.in_order(set()) == ([0, 2, 1, 3], [])
