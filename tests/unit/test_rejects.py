"""Reject files: values read back as they were, parts are gathered whatever was gathered before; few loads sift rows."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator import arrow, rejects
from migrator.adapter import load_adapter
from migrator.errors import MigratorError, RejectFileNotUsable, RejectLimitReached, ValueNotCarried
from migrator.job.rejecting import Rejected, Stored, limited, sift
from migrator.job.worker import Outcome
from migrator.model import types as t
from migrator.model.objects import Column, QName

TABLE = QName("hr", "emp")
COLUMNS = (Column("id", t.Integer(64)), Column("label", t.String()))

VALUES: tuple[tuple[t.Type, st.SearchStrategy[object]], ...] = (
    (t.Boolean(), st.booleans()),
    (t.Integer(64), st.integers(-(2**63), 2**63 - 1)),
    (t.Integer(64, unsigned=True), st.integers(0, 2**64 - 1)),
    (t.Decimal(38, 10), st.decimals(-(10**27), 10**27, places=10)),
    (t.Decimal(76, 30), st.decimals(-(10**45), 10**45, places=30)),
    (t.Float(64), st.floats(allow_nan=False)),
    (t.Float(32), st.floats(width=32, allow_nan=False)),
    (t.String(), st.text()),
    (t.Binary(), st.binary()),
    (t.Date(), st.dates()),
    (t.Time(), st.times()),
    (t.Timestamp(), st.datetimes()),
    (t.Timestamp(zoned=True), st.datetimes(timezones=st.just(datetime.UTC))),
    (t.Uuid(), st.uuids().map(lambda value: value.bytes)),
)


@pytest.mark.parametrize(("type_", "strategy"), VALUES, ids=[str(type_) for type_, _ in VALUES])
@settings(deadline=None)
@given(data=st.data())
def test_values_read_back_as_they_were(type_: t.Type, strategy: st.SearchStrategy[object], data: st.DataObject) -> None:
    with decimal.localcontext(prec=80):
        values = data.draw(st.lists(st.none() | strategy, min_size=1, max_size=5))
        array = pa.array(values, arrow.arrow_type(type_))
    column = Column("c", type_)
    written = json.loads(json.dumps(rejects.values_of(array, column)))
    assert rejects.array_of(written, column).equals(array)


def test_values_that_travel_as_text_stay_text() -> None:
    column = Column("c", t.Timestamp(zoned=True))
    array = pa.array(["infinity", None, "0044-03-15 00:00:00 BC"])
    assert rejects.array_of(rejects.values_of(array, column), column).equals(array)


def part(beside: Path, item: int, *ids: int) -> str:
    writer = rejects.PartWriter(beside, item, TABLE, COLUMNS, ("id",), {})
    for id_ in ids:
        writer.add(pa.record_batch([pa.array([id_], pa.int64()), pa.array(["x"])], names=["id", "label"]), "too small")
    writer.finish()
    return writer.path.name


def ids(path: Path) -> list[int]:
    return [id_ for _, batch in rejects.read(path) for id_ in batch.column("id").to_pylist()]


def test_parts_that_count_are_gathered_and_all_are_removed(tmp_path: Path) -> None:
    path = rejects.claim(tmp_path / "x_rejects.ndjson")
    first, _stray, second = part(path, 1, 1, 2), part(path, 2, 3), part(path, 2, 4)
    assert rejects.gather(path, [first, second])
    assert ids(path) == [1, 2, 4]
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_gathering_again_keeps_what_counts_and_adds_what_is_new(tmp_path: Path) -> None:
    path = rejects.claim(tmp_path / "x_rejects.ndjson")
    kept, anew = part(path, 1, 1), part(path, 2, 2)
    rejects.gather(path, [kept, anew])
    again = part(path, 2, 2)
    for _ in range(2):
        assert rejects.gather(path, [kept, again])
        assert ids(path) == [1, 2]


def test_a_part_that_is_gone_is_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    path = rejects.claim(tmp_path / "x_rejects.ndjson")
    first = part(path, 1, 1)
    rejects.gather(path, [first])
    with pytest.raises(RejectFileNotUsable, match=r"000000000000: No such file"):
        rejects.gather(path, [first, f"{path.name}.2.000000000000"])
    assert ids(path) == [1]


def test_parts_of_another_file_are_left_alone(tmp_path: Path) -> None:
    path, other = rejects.claim(tmp_path / "x[1].ndjson"), rejects.claim(tmp_path / "x1.ndjson")
    theirs = part(other, 1, 5)
    assert not rejects.gather(path, [])
    assert rejects.gather(other, [theirs])
    assert ids(other) == [5]


@pytest.mark.parametrize(
    "line", ["", "[]", "1", "{", '{"values": {}}', '{"section": "a", "table": ["a"], "key": [], "columns": []}', "\x00"]
)
def test_what_is_no_reject_file_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(f"{line}\n")
    with pytest.raises(RejectFileNotUsable, match="line 1 is no line of a reject file"):
        list(rejects.read(path))


def test_what_is_recorded_of_a_granule_is_read_back() -> None:
    rejected = Rejected(3, "x.1.abc", str(uuid.uuid4()))
    recorded = Outcome(rejected=rejected).recorded({"where": "a > 1"})
    assert Rejected.of(recorded) == rejected
    assert recorded["rejected"]["rows"] == 3
    assert Outcome().recorded({"where": "", "rejected": vars(rejected)}) == {"where": ""}


# --- sifting --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(bad=st.sets(st.integers(0, 999), max_size=6))
def test_only_bad_rows_are_rejected_and_few_loads_find_them(bad: set[int]) -> None:
    loads, stored, found = [0], list[int](), list[int]()

    def put(batch: pa.RecordBatch) -> Stored:
        loads[0] += 1
        values = batch.column("n").to_pylist()
        if bad.intersection(values):
            raise ValueNotCarried(column="n", detail="bad")
        stored.extend(values)
        return Stored(len(values))

    batches = [pa.record_batch([pa.array(range(start, start + 500))], names=["n"]) for start in (0, 500)]
    with sa.create_engine("sqlite://").connect() as connection:
        count = sift(
            load_adapter("sqlite"), connection, batches, put, lambda row, _: found.extend(row.column("n").to_pylist())
        )
    assert found == sorted(bad)
    assert stored == [n for n in range(1000) if n not in bad]
    assert count.rows == len(stored)
    assert loads[0] <= 2 + 20 * len(bad)


def test_an_error_that_is_about_no_row_is_raised() -> None:
    def put(_: pa.RecordBatch) -> Stored:
        raise MigratorError(message="the disk is full")

    batch = pa.record_batch([pa.array([1, 2])], names=["n"])
    with sa.create_engine("sqlite://").connect() as connection, pytest.raises(MigratorError, match="the disk is full"):
        sift(load_adapter("sqlite"), connection, [batch], put, lambda row, reason: None)


def test_the_row_beyond_the_limit_is_an_error() -> None:
    taken: list[str] = []
    row = pa.record_batch([pa.array([1])], names=["n"])
    reject = limited(lambda _, reason: taken.append(reason), TABLE, 1)
    reject(row, "first")
    with pytest.raises(RejectLimitReached, match=r"more than 1 rows of .*second"):
        reject(row, "second")
    assert taken == ["first"]


@pytest.mark.parametrize("rejected", [False, True])
def test_files_that_are_no_parts_are_left_alone(rejected: bool, tmp_path: Path) -> None:
    path = rejects.claim(tmp_path / "x.ndjson")
    parts = [part(path, 1, 1)] if rejected else []
    files = [
        "x.ndjson.old.gz",
        "x.ndjson.2024.bak",
        "x.ndjson.1.0123456789ab.gz",
        "x.ndjson.a.0123456789ab",
        "x-ndjson.1.0123456789ab",
    ]
    for name in files:
        (tmp_path / name).write_text("theirs")
    (tmp_path / "x.ndjson.7.0123456789ab").mkdir()
    (tmp_path / "x.ndjson.8.0123456789ab").symlink_to("x.ndjson.old.gz")
    stray = part(path, 2, 2)
    assert rejects.gather(path, parts) is rejected
    kept = {*files, "x.ndjson.7.0123456789ab", "x.ndjson.8.0123456789ab"} | ({path.name} if rejected else set())
    assert {found.name for found in tmp_path.iterdir()} == kept
    assert stray not in kept


# --- files that somebody has written ---------------------------------------------------------------------------------


def written(tmp_path: Path, *lines: str, columns: tuple[Column, ...] = COLUMNS) -> Path:
    """A file with a section on its first line and ``lines`` after it."""
    path = tmp_path / "x.ndjson"
    section = json.dumps(rejects.Section("x.1", TABLE, columns).line())
    path.write_text("".join(f"{line}\n" for line in (section, *lines)))
    return path


GOOD = '{"values": {"id": "1", "label": "a"}}'
BAD = {
    '{"values": {"id": 5, "label": "a"}}': "column id has a value that is neither text in quotes nor null",
    '{"values": {"label": "a"}}': "it has values of label, and its section has the columns id, label",
    '{"values": {"id": "1", "label": "a", "v": "2"}}': "it has values of id, label, v, and its section",
    '{"values": {"id": "1", "label": {"hex": "zz"}}}': "column label: non-hexadecimal number",
    '{"values": {"id": "1", "label": {"text": "z"}}}': "column label has a value that is neither ",
    '{"values": {"id": "1", "label": {"hex": 5}}}': "column label has a value that is neither ",
    '{"values": {"id": "1", "label": ["a"]}}': "column label has a value that is neither text",
    '{"values": 5}': "object is not iterable",
    '{"reason": "x"}': "it has no 'values'",
    '{"section": "x.2"}': "it has no 'columns'",
    "5": "not iterable",
    "{": "Expecting property name",
}


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("line", "why"), BAD.items())
def test_a_line_that_cannot_be_read_is_named(line: str, why: str, last: bool, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, GOOD, line, *([] if last else [GOOD]))
    with pytest.raises(RejectFileNotUsable) as refused:
        list(rejects.read(path))
    assert str(refused.value).startswith(f"MIG-20008: reject file {path}: line 4 is no line of a reject file: ")
    assert why in str(refused.value)


def test_a_row_before_any_section_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(GOOD)
    with pytest.raises(RejectFileNotUsable, match="line 1 is no line of a reject file: no section begins before it"):
        list(rejects.read(path))


def test_text_and_bytes_of_one_column_are_bytes(tmp_path: Path) -> None:
    path = written(
        tmp_path, GOOD, '{"values": {"id": "2", "label": {"hex": "ff"}}}', '{"values": {"id": null, "label": null}}'
    )
    ((_, batch),) = rejects.read(path)
    assert batch.column("label").to_pylist() == [b"a", b"\xff", None]


def test_bytes_are_not_taken_from_text(tmp_path: Path) -> None:
    path = written(tmp_path, '{"values": {"b": "00ff"}}', columns=(Column("b", t.Binary()),))
    with pytest.raises(RejectFileNotUsable, match=r"line 2 .* column b has a value that is neither"):
        list(rejects.read(path))


def test_parts_are_of_one_form_if_their_rows_are_read_alike() -> None:
    one = rejects.Section("1", QName("s", "t"), (Column("c", t.String()),), ("c",), {"c": True})
    assert replace(one, part="2", clocks={"c": True}).form == one.form
    others = (replace(one, clocks={}), replace(one, key=()), replace(one, table=QName("s", "u")), replace(one, columns=()))
    assert len({one.form, *(other.form for other in others)}) == 5


def test_sections_and_full_batches_end_where_they_end(tmp_path: Path) -> None:
    path = rejects.claim(tmp_path / "x.ndjson")
    many = range(rejects.BATCH_ROWS + 1)
    rejects.gather(path, [part(path, 1, *many), part(path, 2, 7)])
    assert [batch.num_rows for _, batch in rejects.read(path)] == [rejects.BATCH_ROWS, 1, 1]
    assert ids(path) == [*many, 7]
