"""Rows that refer to one another: as many come in as can, whatever their order, circles and duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.adapter import Load, load_adapter
from migrator.job import rejecting
from migrator.job.mutual import Pool, references
from migrator.job.rejecting import Mutual, Stored, sift_mutual
from migrator.model import types as t
from migrator.model.objects import Column, ForeignKey, QName

EMP = QName("main", "emp")
COLUMNS = tuple(Column(name, t.Integer(64), nullable=name != "id") for name in ("id", "mgr", "sal", "aide"))
KEYS = tuple(ForeignKey(None, (name,), EMP, ("id",)) for name in ("mgr", "aide"))
Row = tuple[int, int | None, int, int | None]


@dataclass(frozen=True)
class Rule:
    """What a table asks of ``mgr``, as SQL and as Python."""

    sql: str = ""
    holds: Callable[[int, int | None], bool] = lambda id_, mgr: True
    null: bool = True


RULES = {
    "none": Rule(),
    "a check that it refers": Rule(" CHECK (mgr IS NOT NULL)", lambda id_, mgr: mgr is not None),
    "a check that it refers to another": Rule(
        " NOT NULL CHECK (mgr <> id)", lambda id_, mgr: mgr not in {None, id_}, null=False
    ),
}


def batch(rows: Sequence[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(column, pa.int64()) for column in columns], names=[c.name for c in COLUMNS])


def can_come_in(rows: Sequence[Row], rule: Rule, there: set[int]) -> set[int]:
    """The largest set of good rows that refer to none but themselves and what is there."""
    found = {id_: {mgr, aide} - {None} for id_, mgr, sal, aide in rows if sal > 0 and rule.holds(id_, mgr)}
    while lost := {id_ for id_, needed in found.items() if not needed <= found.keys() | there}:
        found = {id_: needed for id_, needed in found.items() if id_ not in lost}
    return set(found)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    path: Path = tmp_path_factory.mktemp("mutual") / "emp.db"
    return load_adapter("sqlite").engine(sa.make_url(f"sqlite:///{path}"))


def sifted(
    engine: sa.Engine, rule: Rule, batches: Sequence[pa.RecordBatch], keys: tuple[ForeignKey, ...] = KEYS
) -> tuple[list[int], list[int]]:
    """Let batches come into a new table, which has the row 0; which rows are stored then, and which were refused."""
    adapter, refused = load_adapter("sqlite"), list[int]()
    columns = tuple(replace(column, nullable=rule.null) if column.name == "mgr" else column for column in COLUMNS)
    mgr = f"mgr INTEGER{rule.sql} REFERENCES emp (id)"
    with adapter.writing(engine, checking=True) as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS emp")
        connection.exec_driver_sql(
            f"CREATE TABLE emp (id INTEGER PRIMARY KEY, {mgr}, sal CHECK (sal > 0), aide INTEGER REFERENCES emp (id))"
        )
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql("INSERT INTO emp (id, mgr) VALUES (0, 0)")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        load = Load(EMP, columns, columns)

        def put(one: pa.RecordBatch) -> Stored:
            return at_once([one])

        def at_once(some: Sequence[pa.RecordBatch]) -> Stored:
            return Stored(adapter.load(connection, load, some))

        mutual = Mutual(EMP, columns, columns, keys, put, at_once)
        count = sift_mutual(adapter, connection, batches, mutual, lambda row, _: refused.append(row.column(0)[0].as_py()))
        stored = list(connection.exec_driver_sql("SELECT id FROM emp WHERE id > 0 ORDER BY id").scalars())
        connection.rollback()
    assert count.rows == len(stored)
    return stored, refused


@st.composite
def staff(draw: st.DrawFn) -> tuple[list[Row], int]:
    """Rows of employees, who may refer to any other, to nobody, to one who was there (0) or one who is nowhere; batches."""
    ids = draw(st.permutations(range(1, draw(st.integers(1, 14)) + 1)))
    managers, aides = st.sampled_from([None, 0, 99, *ids]), st.sampled_from([None] * 20 + [*ids])
    rows = [(id_, draw(managers), draw(st.sampled_from([1, 1, 1, 1, -1])), draw(aides)) for id_ in ids]
    return rows, draw(st.integers(1, 8))


def test_rows_that_wait_take_no_more_memory_than_they_may(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch fills it: all are looked at once more, together."""
    monkeypatch.setattr(rejecting, "POOL_BYTES", 1)
    rows = [(1, 4, 1), (2, 1, 1), (3, 5, 1), (4, 2, 1), (5, 3, -1), (6, 99, 1)]
    check_that_all_come_in_that_can(engine, RULES["none"], [(*row, None) for row in rows], 2)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@settings(deadline=None, max_examples=60)
@given(given_=staff())
def test_as_many_rows_come_in_as_can(engine: sa.Engine, rule: Rule, given_: tuple[list[Row], int]) -> None:
    check_that_all_come_in_that_can(engine, rule, *given_)


def check_that_all_come_in_that_can(engine: sa.Engine, rule: Rule, rows: list[Row], size: int) -> None:
    """Let rows come in by batches of a size."""
    batches = [batch(rows[start : start + size]) for start in range(0, len(rows), size)]
    stored, refused = sifted(engine, rule, batches)
    assert set(stored) == can_come_in(rows, rule, {0})
    assert sorted([*stored, *refused]) == sorted(id_ for id_, *_ in rows)


def test_one_circle_that_is_refused_leaves_the_others_in(engine: sa.Engine) -> None:
    """Two rows refer to 3, which only one may: the one that is in a circle with it, since the circles come first."""
    rows = [(1, 2), (2, 1), (3, 4), (4, 3), (5, 3), (6, 5), (7, 8), (8, 7), (9, 99)]
    bad = {7, 8}
    batches = [batch([(id_, mgr, -1 if id_ in bad else 1, None) for id_, mgr in rows])]
    stored, refused = sifted(engine, Rule(" UNIQUE"), batches)
    assert stored == [1, 2, 3, 4]
    assert sorted(refused) == [5, 6, 7, 8, 9]


def test_no_circle_comes_in_unchecked_where_nobody_can_look_for_its_parents(engine: sa.Engine) -> None:
    """It is not known what a key refers to: rows of a circle are refused one by one, also the one that lacks nothing."""
    keys = (KEYS[0], ForeignKey(None, ("aide",), EMP, ()))
    rows = [(1, 2, 1, 77), (2, 1, 1, None), (3, 4, 1, None), (4, None, 1, None)]
    assert sifted(engine, RULES["none"], [batch(rows)], keys) == ([3, 4], [1, 2])


def left_out(pool: Pool, number: int) -> set[int]:
    """A row, and all that need it."""
    out: set[int] = set()
    pool.leave_out([number], out)
    return out


def test_keys_of_more_columns_are_no_sums_of_their_texts() -> None:
    columns = tuple(Column(name, t.String()) for name in "abcd")
    (key,) = references(EMP, columns, [ForeignKey(None, ("c", "d"), EMP, ("a", "b"))])
    values = [["1", "12"], ["23", "3"], ["12", "9"], ["3", "9"]]
    pool = Pool([pa.record_batch([pa.array(column) for column in values], names=list("abcd"))], columns, [key])
    assert left_out(pool, 0) == {0}
    assert left_out(pool, 1) == {0, 1}
    assert pool.in_order(set()) == ([], [])
    assert pool.in_order({0, 1}) == ([1, 0], [])


def test_a_key_whose_columns_do_not_come_is_left_to_the_database() -> None:
    assert references(EMP, COLUMNS, [ForeignKey(None, ("boss",), EMP, ("id",))]) == ()
    assert references(EMP, COLUMNS, [ForeignKey(None, ("mgr",), QName("main", "dept"), ("id",))]) == ()


def test_texts_and_bytes_of_one_column_are_one_pool() -> None:
    columns = (Column("id", t.String()), Column("up", t.String()))
    keys = references(EMP, columns, [ForeignKey(None, ("up",), EMP, ("id",))])
    texts = pa.record_batch([pa.array(["a", "b"]), pa.array([None, "c"], pa.string())], names=["id", "up"])
    odd = pa.record_batch([pa.array([b"c", b"\xff"]), pa.array([b"a", b"b"])], names=["id", "up"])
    pool = Pool([texts, odd], columns, keys)
    assert left_out(pool, 2) == {1, 2, 3}
    assert pool.in_order({0, 1, 2, 3}) == ([0, 2, 1, 3], [])
