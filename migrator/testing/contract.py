"""The contract as test classes; :mod:`migrator.testing` says how to use them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from io import StringIO
from itertools import chain
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrator import arrow
from migrator.adapter import LINES, Adapter, Always, Asked, Fact, Granule, Load, Read, execute_verbatim
from migrator.ddl import Emitter, Script
from migrator.errors import MigratorError, UnsupportedType
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.measures import Ask, Measure
from migrator.model.misfits import Misfit
from migrator.model.objects import (
    Check,
    Column,
    Expression,
    ForeignKey,
    Identity,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Sequence,
    Table,
    Unique,
)
from migrator.model.objects import Literal as Constant
from migrator.testing.cases import CASES, HOSTILE_NAMES, KEYS, REFUSALS, Case, KeyCase, Refusal, array_of
from migrator.testing.values import values_of
from migrator.testing.workbench import Way, Workbench
from migrator.verification.forms import form_of
from migrator.verification.scans import Compared, Digesting, Side


@dataclass(frozen=True)
class Gap:
    """A test, or with ``[case]`` one case of it, that an adapter does not pass, and why.

    ``notimpl``: the database could, the adapter does not; ``notyet``: the database's next version will; ``never``.
    """

    test: str
    kind: Literal["notimpl", "notyet", "never"]
    reason: str
    raises: type[BaseException] | tuple[type[BaseException], ...] = (MigratorError, AssertionError)

    def covers(self, function: str, case: str | None) -> bool:
        """Whether it is about this test and case."""
        return self.test in (function, f"{function}[{case}]")


def shape(table: Table) -> dict[str, Any]:
    """What must come back of a table's columns, keys and indexes, whatever names the database gives constraints.

    A unique constraint and a unique index on the same columns are one thing in some databases.
    """
    indexes = {(index.name, tuple((key.column, key.descending) for key in index.keys)): index for index in table.indexes}
    return {
        "columns": [(column.name, column.nullable) for column in table.columns],
        "primary key": table.primary_key and table.primary_key.columns,
        "unique": {unique.columns for unique in table.uniques}
        | {tuple(column for column, _ in keys) for (_, keys), index in indexes.items() if index.unique},
        "checks": len(table.checks),
        "foreign keys": {
            (k.columns, k.referred.name, k.referred_columns, k.on_delete, k.on_update) for k in table.foreign_keys
        },
        "indexes": {name_and_keys for name_and_keys, index in indexes.items() if not index.unique},
    }


ID = Column("id", t.Integer(64), nullable=False)
WAYS: tuple[Way, ...] = ("bulk", "conventional", "staged")


def _numbered(column: Column, array: pa.Array, start: int = 1) -> pa.RecordBatch:
    ids = pa.array(range(start, start + len(array)), pa.int64())
    return arrow.batch_of((ID, column), (ids, array))


def _keyed(workbench: Workbench, name: str, *columns: Column, **parts: Any) -> Table:
    return workbench.table(name, ID, *columns, primary_key=PrimaryKey(None, ("id",)), **parts)


def _own_formats(adapter: Adapter) -> list[str]:
    """The product's own stream formats, in which rows can go from one of its databases to another."""
    gives, takes = adapter.capabilities.gives, adapter.capabilities.takes
    return [format_ for format_ in gives if format_ in takes and format_ != LINES]


TEXT_OF_LINES: tuple[tuple[t.Type, str, str], ...] = (
    (t.String(), "a\tb\nc\\d\re\bf\fg\vh\\Ni \u8a9e\U0001f600'\"", "a\\tb\\nc\\\\d\\re\\bf\fg\vh\\\\Ni \u8a9e\U0001f600'\""),
    (t.String(), "\\N", "\\\\N"),
    (t.String(), "", ""),
    (t.String(10), " blanks   ", " blanks   "),
    (t.Boolean(), "true", "1"),
    (t.Boolean(), "false", "0"),
    (t.Integer(16), "-32768", "-32768"),
    (t.Integer(64), "9223372036854775807", "9223372036854775807"),
    (t.Decimal(38, 10), "-0.0000000001", "-0.0000000001"),
    (t.Date(), "2024-02-29", "2024-02-29"),
    (t.Timestamp(0), "1999-12-31 23:59:59", "1999-12-31 23:59:59"),
    (t.Timestamp(6), "2024-02-29 12:00:00.000001", "2024-02-29 12:00:00.000001"),
    (t.Timestamp(6, zoned=True), "2024-02-29 12:00:00.123456", "2024-02-29 12:00:00.123456"),
)
"""Values by their type and their text, and the field that stands for them in LINES."""


def _lines() -> tuple[tuple[Column, ...], pa.RecordBatch, str]:
    """Columns of all values in :data:`TEXT_OF_LINES`, a row of these and one of NULLs, and both as LINES."""
    columns = tuple(Column(f"c{i}", type_) for i, (type_, _, _) in enumerate(TEXT_OF_LINES))
    arrays = [array_of(type_, (value, None)) for type_, value, _ in TEXT_OF_LINES]
    batch = arrow.batch_of((ID, *columns), (pa.array([1, 2], pa.int64()), *arrays))
    fields = [field for _, _, field in TEXT_OF_LINES]
    return columns, batch, "".join("\t".join(row) + "\n" for row in (["1", *fields], ["2", *["\\N"] * len(fields)]))


def _filled(workbench: Workbench, keyed: KeyCase, rows: int) -> Table:
    """A table with the numbers from 0 on in ``n``, its rows in a mixed order under the key of ``keyed``."""
    key = PrimaryKey(None, tuple(column.name for column in keyed.columns)) if keyed.columns else None
    columns = (*keyed.columns, Column("n", t.Integer(64)), Column("v", t.String()))
    (table,) = workbench.create(workbench.table("ctr_granules", *columns, primary_key=key))
    order = [(position * 77) % rows for position in range(rows)] if rows > 1 else list(range(rows))
    rows_keys = [keyed.values(n) for n in order]
    keys = [array_of(type_, [key[at] for key in rows_keys]) for at, type_ in enumerate(keyed.types)]
    values = [pa.array(order, pa.int64()), pa.array([f"{n} " * n for n in order])]
    workbench.load(table, columns, [arrow.batch_of(columns, (*keys, *values))])
    return workbench.described(table.name)


def _changes(
    workbench: Workbench, table: Table, granules: Iterable[Granule], mark: str, rows: Iterable[int]
) -> list[str | None]:
    """What shows that the granules, of so many rows, changed since ``mark``."""
    with workbench.reading() as connection:
        reads = [Read(table.source, table.data_columns, granule=granule) for granule in granules]
        return [workbench.adapter.changed(connection, r, mark, n) for r, n in zip(reads, rows, strict=True)]


class DeclarationContract:
    """What holds of every adapter, whether it connects or only writes scripts."""

    adapter: ClassVar[Adapter]
    cases: ClassVar[tuple[Case, ...]] = CASES
    refusals: ClassVar[tuple[Refusal, ...]] = REFUSALS
    gaps: ClassVar[tuple[Gap, ...]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each case, refusal, name or way of loading that it asks for."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases, ids=[case.name for case in self.cases])
        if "refusal" in metafunc.fixturenames:
            metafunc.parametrize("refusal", self.refusals, ids=[refusal.name for refusal in self.refusals])
        if "name" in metafunc.fixturenames:
            metafunc.parametrize("name", HOSTILE_NAMES)
        if "keyed" in metafunc.fixturenames:
            metafunc.parametrize("keyed", KEYS, ids=[key.name for key in KEYS])
        if "way" in metafunc.fixturenames:
            metafunc.parametrize("way", WAYS)

    @pytest.fixture(autouse=True)
    def declared_gap(self, request: pytest.FixtureRequest) -> None:
        """Expect a declared gap to fail, and to fail only as declared."""
        parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
        of = next((parameters[name] for name in ("case", "refusal", "name") if name in parameters), None)
        case = of if isinstance(of, str) else getattr(of, "name", None)
        for gap in self.gaps:
            if gap.covers(request.node.originalname, case):
                mark = pytest.mark.xfail(strict=True, raises=gap.raises, reason=f"{gap.kind}: {gap.reason}")
                request.applymarker(mark)

    def test_every_gap_names_a_test_and_a_reason(self) -> None:
        tests = {name for name in dir(self) if name.startswith("test_")}
        cases = [*HOSTILE_NAMES, *(case.name for case in self.cases), *(refusal.name for refusal in self.refusals)]
        known = tests | {f"{test}[{case}]" for test in tests for case in cases}
        for gap in self.gaps:
            assert gap.test in known, gap
            assert len(gap.reason.split()) > 2, gap

    def test_a_type_is_declared_or_refused_by_the_columns_name(self, case: Case) -> None:
        table = Table("s", "things", (replace(ID, name="the id"), Column("the value", case.type)))
        ddl = self.adapter.ddl(Catalog(self.adapter.name, "", (table,)))
        if any(rule.matches(case.type) for rule in self.adapter.types):
            assert ddl.quote("the value") in ddl.create_table(table).statements[0]
        else:
            with pytest.raises(UnsupportedType, match="the value"):
                ddl.create_table(table)

    def test_a_hostile_name_is_quoted_in_scripts(self, name: str) -> None:
        table = Table("s", name, (Column(name, t.Integer()),))
        ddl = self.adapter.ddl(Catalog(self.adapter.name, "", (table,)))
        stream = StringIO()
        Emitter(ddl, stream=stream).run(ddl.create_table(table).statements)
        assert stream.getvalue().count(ddl.quote(name)) >= 2


class AdapterContract(DeclarationContract):
    """What holds of every adapter that connects."""

    @pytest.fixture
    def workbench(self, url: str) -> Iterator[Workbench]:
        """The adapter on the database at ``url``, cleared after the test."""
        workbench = Workbench.at(self.adapter, url)
        yield workbench
        workbench.clear()

    # --- the connection ---------------------------------------------------------------------------------------------

    def test_the_server_says_who_it_is(self, workbench: Workbench) -> None:
        assert workbench.server.banner
        assert all(isinstance(part, int) for part in workbench.server.version)
        with workbench.connect() as connection:
            assert workbench.schema in self.adapter.schemas(connection)

    def test_an_error_of_the_database_is_explained_in_one_line(self, workbench: Workbench) -> None:
        with workbench.connect() as connection, pytest.raises(self.adapter.driver_errors()) as caught:
            connection.exec_driver_sql("SELECT * FROM no_such_table")
        line, about = self.adapter.explain(caught.value)
        assert "no_such_table" in line
        assert "\n" not in line
        assert about is None

    # --- values -----------------------------------------------------------------------------------------------------

    def test_values_survive(self, workbench: Workbench, case: Case, way: Way) -> None:
        column = Column("v", case.type)
        (table,) = workbench.create(_keyed(workbench, "ctr_values", column))
        array = case.array
        stored = workbench.load(table, (ID, column), [_numbered(column, array)], way=way)
        assert stored == len(array)
        read = [value for _, value in workbench.rows(table.name, (ID.type, case.type))]
        assert read == values_of(array, case.type, case.type)

    def test_what_was_loaded_is_verified(self, workbench: Workbench, case: Case) -> None:
        source = (ID, Column("v", case.type))
        (table,) = workbench.create(_keyed(workbench, "ctr_verified", source[1]))
        batch = _numbered(source[1], case.array)
        workbench.load(table, source, [batch])
        pairs = zip(source, table.data_columns, strict=True)
        columns = tuple(Compared(here, there, form_of(here.type, there.type)) for here, there in pairs)
        loaded, stored = (Digesting(Side(columns, converted=converted)) for converted in (True, False))
        with workbench.reading() as connection:
            found = stored.fold(self.adapter.batches(connection, Read(table.qname, table.data_columns)))
        assert found == loaded.fold([batch])
        assert found != loaded.fold([batch[1:]])

    def test_a_value_that_does_not_fit_is_refused(self, workbench: Workbench, refusal: Refusal, way: Way) -> None:
        column = Column("v", refusal.target, nullable=refusal.value is not None)
        (table,) = workbench.create(_keyed(workbench, "ctr_refusals", column))
        source = replace(column, type=refusal.source, nullable=True)
        batch = _numbered(source, array_of(refusal.source, [refusal.value]))
        with pytest.raises((MigratorError, *self.adapter.driver_errors())):
            workbench.load(table, (ID, source), [batch], way=way)
        assert workbench.rows(table.name, [c.type for c in table.columns]) == []

    def test_batches_of_typed_values_and_of_text_mix(self, workbench: Workbench, way: Way) -> None:
        types: tuple[t.Type, ...] = (t.Integer(), t.Decimal(10, 2), t.Date(), t.Timestamp(), t.Boolean(), t.Uuid())
        texts = ("7", "1.50", "2024-02-29", "2024-02-29 12:00:00.5", "true", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
        columns = tuple(Column(f"c{i}", type_) for i, type_ in enumerate(types))
        (table,) = workbench.create(_keyed(workbench, "ctr_mix", *columns))
        typed = [array_of(type_, [text, None]) for type_, text in zip(types, texts, strict=True)]
        plain = [pa.array([None, text], pa.string()) for text in texts]
        batches = [
            arrow.batch_of((ID, *columns), (pa.array(ids, pa.int64()), *arrays))
            for ids, arrays in (((1, 2), typed), ((3, 4), plain), ((5, 6), typed))
        ]
        assert workbench.load(table, (ID, *columns), batches, way=way) == 6
        rows = workbench.rows("ctr_mix", (ID.type, *types))
        full = tuple(values_of(array, type_, type_)[0] for array, type_ in zip(typed, types, strict=True))
        empty = (None,) * len(types)
        assert [row[1:] for row in rows] == [full, empty, empty, full, full, empty]

    def test_slices_of_batches_are_loaded_as_slices(self, workbench: Workbench, way: Way) -> None:
        types: tuple[t.Type, ...] = (t.Integer(), t.String(), t.Boolean(), t.Binary(), t.Date(), t.Decimal(10, 2))
        columns = tuple(Column(f"c{i}", type_) for i, type_ in enumerate(types))
        (table,) = workbench.create(_keyed(workbench, "ctr_slices", *columns))
        arrays = [
            pa.array(range(20), pa.int64()),
            pa.array([None if i % 3 == 0 else i for i in range(20)], pa.int32()),
            pa.array([None if i % 5 == 0 else "é" * i for i in range(20)]),
            pa.array([None if i % 7 == 0 else i % 2 == 0 for i in range(20)]),
            pa.array([None if i % 4 == 0 else bytes([i]) * i for i in range(20)], pa.binary()),
            pa.array(range(20), pa.int32()).cast(pa.date32()),
            pa.array([Decimal(i) / 4 for i in range(20)], pa.decimal128(10, 2)),
        ]
        whole = arrow.batch_of((ID, *columns), arrays)
        pieces = [whole.slice(3, 9), whole.slice(12, 0), whole.slice(12, 5)]
        assert workbench.load(table, (ID, *columns), pieces, way=way) == 14
        rows = workbench.rows("ctr_slices", (ID.type, *types))
        assert rows == list(zip(*(column.slice(3, 14).to_pylist() for column in whole.columns), strict=True))

    def test_an_empty_table_is_carried(self, workbench: Workbench, way: Way) -> None:
        (table,) = workbench.create(_keyed(workbench, "ctr_empty", Column("v", t.String())))
        assert workbench.load(table, table.columns, [], way=way) == 0
        assert workbench.rows(table.name, (ID.type, t.String())) == []

    def test_many_batches_are_stored_each_once(self, workbench: Workbench, way: Way) -> None:
        text, amount = Column("text", t.String()), Column("amount", t.Decimal(12, 3))
        (table,) = workbench.create(_keyed(workbench, "ctr_many", text, amount))

        def batches() -> Iterator[pa.RecordBatch]:
            for start in range(0, 20_000, 1000):
                ids = pa.array(range(start, start + 1000), pa.int64())
                texts = pa.array([f"row {i}\t\\ '\"" for i in range(start, start + 1000)])
                amounts = pa.array([Decimal(i) for i in range(start, start + 1000)], pa.decimal128(12, 3))
                yield arrow.batch_of((ID, text, amount), (ids, texts, amounts))

        assert workbench.load(table, (ID, text, amount), batches(), way=way) == 20_000
        rows = workbench.rows("ctr_many", (ID.type, text.type, amount.type))
        assert rows == [(i, f"row {i}\t\\ '\"", Decimal(i)) for i in range(20_000)]

    def test_a_wide_table_is_carried(self, workbench: Workbench) -> None:
        kinds: tuple[t.Type, ...] = (t.Integer(), t.String(10), t.Date())
        columns = tuple(Column(f"column_{i}", kinds[i % 3]) for i in range(300))
        (table,) = workbench.create(_keyed(workbench, "ctr_wide", *columns))
        samples = [
            pa.array([1, None], pa.int32()),
            pa.array([None, "é"]),
            pa.array([19000, None], pa.int32()).cast(pa.date32()),
        ]
        batch = arrow.batch_of((ID, *columns), (pa.array([1, 2], pa.int64()), *(samples[i % 3] for i in range(300))))
        assert workbench.load(table, (ID, *columns), [batch]) == 2
        rows = workbench.rows("ctr_wide", (ID.type, *(c.type for c in columns)))
        assert rows == list(zip(*(column.to_pylist() for column in batch.columns), strict=True))

    def test_rows_are_limited_by_a_condition(self, workbench: Workbench) -> None:
        column = Column("v", t.String())
        (table,) = workbench.create(_keyed(workbench, "ctr_where", column))
        workbench.load(table, (ID, column), [_numbered(column, pa.array(["a", "100%", "c:d"]))])
        quoted = workbench.ddl().quote("v")
        rows = workbench.rows(table.name, (ID.type, column.type), f"{quoted} LIKE '100%' OR {quoted} = 'c:d'")
        assert rows == [(2, "100%"), (3, "c:d")]

    def test_rows_that_are_not_committed_are_not_stored(self, workbench: Workbench, way: Way) -> None:
        column = Column("v", t.String())
        (table,) = workbench.create(_keyed(workbench, "ctr_rollback", column))
        load = Load(table.qname, (ID, column), table.columns, conventional=way == "conventional")
        with self.adapter.writing(workbench.engine) as connection:
            self.adapter.load(connection, load, [_numbered(column, pa.array(["a", "b"]))])
            connection.rollback()
        assert workbench.rows(table.name, (ID.type, column.type)) == []

    def test_a_snapshot_does_not_see_later_rows(self, workbench: Workbench) -> None:
        (table,) = workbench.create(_keyed(workbench, "ctr_snapshot", Column("v", t.String())))
        workbench.insert(table, id="1", v="'before'")
        table = workbench.described(table.name)
        with (
            self.adapter.snapshot(workbench.engine, 1) as snapshot,
            self.adapter.reading(workbench.engine, snapshot) as connection,
        ):
            workbench.insert(table, id="2", v="'after'")
            batches = list(self.adapter.batches(connection, Read(table.source, table.columns)))
        assert sum(batch.num_rows for batch in batches) == 1
        assert len(workbench.rows(table.name, (ID.type, t.String()))) == 2

    def test_a_native_stream_carries_the_same_rows(self, workbench: Workbench) -> None:
        kinds: tuple[t.Type, ...] = (t.String(), t.Decimal(10, 2), t.Timestamp(), t.Binary())
        columns = tuple(Column(f"c{i}", kind) for i, kind in enumerate(kinds))
        tables = (_keyed(workbench, name, *columns) for name in ("ctr_stream", "ctr_stream_2"))
        first, second = workbench.create(*tables)
        values: tuple[str | bytes, ...] = ("a\t\\N'", "-1.50", "1969-12-31 23:59:59.999999", bytes(range(256)))
        arrays = [array_of(kind, (value, None)) for kind, value in zip(kinds, values, strict=True)]
        batch = arrow.batch_of((ID, *columns), (pa.array([1, 2], pa.int64()), *arrays))
        workbench.load(first, (ID, *columns), [batch])
        types = [column.type for column in first.columns]
        for format_ in _own_formats(self.adapter):
            load = Load(second.qname, first.columns, second.columns)
            assert self.adapter.takes_stream(load, format_)
            with (
                self.adapter.snapshot(workbench.engine, 1) as snapshot,
                self.adapter.reading(workbench.engine, snapshot) as reading,
                self.adapter.writing(workbench.engine) as writing,
            ):
                sent: list[int] = []
                pieces = self.adapter.stream(reading, Read(first.source, first.columns), format_, sent.append)
                assert self.adapter.load_stream(writing, load, format_, pieces) == 2
                assert sent == [2]
                writing.commit()
            assert workbench.rows(second.name, types) == workbench.rows(first.name, types)
            ddl = workbench.ddl(second)
            workbench.run(ddl, ddl.truncate(second))

    def test_lines_that_it_gives_are_the_fields_of_its_values(self, workbench: Workbench) -> None:
        if LINES not in self.adapter.capabilities.gives:
            return
        columns, batch, lines = _lines()
        (table,) = workbench.create(_keyed(workbench, "ctr_lines", *columns))
        workbench.load(table, (ID, *columns), [batch])
        table = workbench.described(table.name)
        assert self.adapter.gives_stream(table.columns, LINES)
        sent: list[int] = []
        with workbench.reading() as reading:
            given = b"".join(self.adapter.stream(reading, Read(table.source, table.columns), LINES, sent.append))
        assert sorted(given.decode().split("\n")) == sorted(lines.split("\n"))
        assert sent == [2]

    def test_lines_that_it_takes_are_the_values_of_their_fields(self, workbench: Workbench) -> None:
        if LINES not in self.adapter.capabilities.takes:
            return
        columns, batch, lines = _lines()
        first, second = workbench.create(*(_keyed(workbench, name, *columns) for name in ("ctr_lines", "ctr_lines_2")))
        workbench.load(first, (ID, *columns), [batch])
        first, second = workbench.described(first.name), workbench.described(second.name)
        load = Load(second.qname, (ID, *columns), second.columns)
        assert self.adapter.takes_stream(load, LINES)
        with self.adapter.writing(workbench.engine) as writing:
            assert self.adapter.load_stream(writing, load, LINES, [lines.encode()]) == 2
            writing.commit()
        types = [column.type for column in first.columns]
        assert workbench.rows(second.name, types) == workbench.rows(first.name, types)

    # --- granules ---------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("rows", [0, 1, 120])
    def test_granules_hold_every_row_once(self, workbench: Workbench, keyed: KeyCase, rows: int) -> None:
        table = _filled(workbench, keyed, rows)
        for size in (300, 3000, 1 << 30):
            granules = workbench.granules(table, size)
            assert granules == workbench.granules(table, size)
            assert sorted(chain(*workbench.granule_rows(table, granules, "n"))) == list(range(rows))

    def test_a_granule_and_a_condition_both_limit_the_rows(self, workbench: Workbench) -> None:
        table = _filled(workbench, KEYS[0], 50)
        n = workbench.ddl().quote("n")
        found = workbench.granule_rows(table, workbench.granules(table, 2000), "n", f"{n} = 3 OR {n} >= 40 -- and so on")
        assert sorted(chain(*found)) == [3, *range(40, 50)]

    def test_native_streams_keep_to_a_granule(self, workbench: Workbench) -> None:
        table = _filled(workbench, KEYS[0], 200)
        (copy,) = workbench.create(workbench.table("ctr_granules_2", *table.columns))
        granules = workbench.granules(table, 2000)
        load = Load(copy.qname, table.columns, copy.columns)
        for format_ in _own_formats(self.adapter):
            stored: list[int] = []
            sent: list[int] = []
            with workbench.reading() as reading, self.adapter.writing(workbench.engine) as writing:
                for granule in granules:
                    read = Read(table.source, table.columns, granule=granule)
                    pieces = self.adapter.stream(reading, read, format_, sent.append)
                    stored.append(self.adapter.load_stream(writing, load, format_, pieces))
                writing.commit()
            assert stored == sent == [len(rows) for rows in workbench.granule_rows(table, granules, "n")]
            assert sorted(row[1] for row in workbench.rows(copy.name, [c.type for c in table.columns])) == list(range(200))
            ddl = workbench.ddl(copy)
            workbench.run(ddl, ddl.truncate(copy))

    def test_only_a_change_shows_as_a_change(self, workbench: Workbench) -> None:
        table = _filled(workbench, KEYS[0], 40)
        with workbench.reading() as connection:
            if not self.adapter.mark(connection):
                return
        ddl = workbench.ddl()
        name, key, n, v = ddl.name_of(table), ddl.quote("k0"), ddl.quote("n"), ddl.quote("v")
        changes = (
            f"UPDATE {name} SET {v} = 'x' WHERE {n} = 7",
            f"INSERT INTO {name} ({key}, {n}, {v}) SELECT {key} + 1, 1000, 'new' FROM {name} WHERE {n} = 7",
            f"DELETE FROM {name} WHERE {n} = 1000",
        )
        time.sleep(1.05)  # a clock that counts seconds must have moved on since the rows were written
        granules = workbench.granules(table, 2000)
        for change in changes:
            rows = [len(held) for held in workbench.granule_rows(table, granules, "n")]
            with workbench.reading() as connection:
                mark = self.adapter.mark(connection)
            if change == changes[0]:
                assert not any(_changes(workbench, table, granules, mark, rows))
            with workbench.connect() as connection:
                connection.exec_driver_sql(change)
            assert any(_changes(workbench, table, granules, mark, rows)), change

    # --- names ------------------------------------------------------------------------------------------------------

    def test_a_hostile_name_is_kept(self, workbench: Workbench, name: str, way: Way) -> None:
        column = Column(name, t.String(20))
        index = Index(f"{name} ix", (IndexKey(name),))
        (table,) = workbench.create(_keyed(workbench, name, column, indexes=(index,)))
        assert [found.name for found in table.columns] == ["id", name]
        assert [found.name for found in table.indexes] == [index.name]
        workbench.load(table, (ID, column), [_numbered(column, pa.array(["x", None]))], way=way)
        assert workbench.rows(table.name, (ID.type, column.type)) == [(1, "x"), (2, None)]

    # --- objects ----------------------------------------------------------------------------------------------------

    def _family(self, workbench: Workbench) -> tuple[Table, Table]:
        parent = workbench.table(
            "ctr_parent",
            Column("a", t.Integer(), nullable=False),
            Column("b", t.String(20), nullable=False),
            Column("name", t.String(50)),
            primary_key=PrimaryKey("ctr_parent_pk", ("b", "a")),
            uniques=(Unique("ctr_parent_uq", ("name", "a")),),
        )
        child = _keyed(
            workbench,
            "ctr_child",
            Column("b", t.String(20)),
            Column("a", t.Integer()),
            Column("boss", t.Integer(64)),
            Column("amount", t.Decimal(10, 2), nullable=False, default=Constant("0.50", "number")),
            Column("note", t.String(100), default=Constant("it's \\ 100%: ?")),
            checks=(Check("ctr_child_ck", Expression(f"{workbench.ddl().quote('amount')} >= 0", self.adapter.name)),),
            foreign_keys=(
                ForeignKey("ctr_child_fk", ("b", "a"), parent.qname, ("b", "a"), on_delete="CASCADE"),
                ForeignKey("ctr_boss_fk", ("boss",), QName(workbench.schema, "ctr_child"), ("id",), on_delete="SET NULL"),
            ),
            indexes=(
                Index("ctr_child_ix", (IndexKey("note"), IndexKey("amount", descending=True))),
                Index("ctr_child_ux", (IndexKey("boss"), IndexKey("amount")), unique=True),
                Index("ctr_child_fk_ix", (IndexKey("b"), IndexKey("a"))),
            ),
        )
        return parent, child

    def test_keys_indexes_and_checks_come_back(self, workbench: Workbench) -> None:
        family = self._family(workbench)
        described = workbench.create(*family)
        assert [shape(table) for table in described] == [shape(table) for table in family]

    def test_a_table_made_from_its_description_has_the_same_description(self, workbench: Workbench) -> None:
        first = workbench.create(*self._family(workbench))
        workbench.clear()
        second = workbench.create(*first)
        assert [replace(table, rows=None, bytes=None) for table in second] == [
            replace(table, rows=None, bytes=None) for table in first
        ]

    def test_a_declaration_made_from_its_description_is_the_same(self, workbench: Workbench, case: Case) -> None:
        (first,) = workbench.create(_keyed(workbench, "ctr_declared", Column("v", case.type)))
        workbench.clear()
        (second,) = workbench.create(replace(first, rows=None, bytes=None))
        assert second.columns == first.columns

    def test_a_default_acts(self, workbench: Workbench) -> None:
        family = self._family(workbench)
        _, child = workbench.create(*family)
        workbench.insert(child, id="1")
        (row,) = workbench.rows(child.name, [column.type for column in family[1].columns])
        assert row[-1] == "it's \\ 100%: ?"
        assert row[-2] == Decimal("0.50")

    def test_a_foreign_key_acts(self, workbench: Workbench) -> None:
        _, child = workbench.create(*self._family(workbench))
        with pytest.raises(self.adapter.driver_errors()):
            workbench.insert(child, id="1", boss="99")

    def test_a_check_acts(self, workbench: Workbench) -> None:
        _, child = workbench.create(*self._family(workbench))
        with pytest.raises(self.adapter.driver_errors()):
            workbench.insert(child, id="1", amount="-1")

    def test_the_access_rules_get_their_facts(self, workbench: Workbench) -> None:
        _, child = workbench.create(*self._family(workbench))
        (plain,) = workbench.create(workbench.table("ctr_plain", Column("v", t.String())))
        with workbench.connect() as connection:
            names = [child.qname, plain.qname, QName(child.schema, "ctr_not_there"), QName(child.schema, "")]
            facts = self.adapter.facts(connection, names)
        keyed, *others = (facts[name] for name in names)
        assert keyed.holds(Fact.REFERENTIAL)
        assert keyed.holds(Fact.UNIQUE_INDEX)
        assert not keyed.holds(Fact.TRIGGER)
        for none in others:
            assert not none.holds(Fact.REFERENTIAL)
            assert not none.holds(Fact.UNIQUE_INDEX)

    def test_every_fact_is_asked_or_said_never_to_be_so(self, workbench: Workbench) -> None:
        (table,) = workbench.create(workbench.table("ctr_plain", Column("v", t.String())))
        with workbench.connect() as connection:
            found = self.adapter.facts(connection, [table.qname])[table.qname].found
        assert set(self.adapter.answers) == set(Fact)
        assert set(found) == {fact for fact, answer in self.adapter.answers.items() if isinstance(answer, Asked)}
        no_files = isinstance(self.adapter.answers[Fact.NO_DATA_FILE], Always)
        assert no_files == (self.adapter.capabilities.data_files is None)

    def test_what_a_profile_asks_is_asked_of_all_values(self, workbench: Workbench) -> None:
        number, text = Column('more :: %colons% "q?"', t.Decimal(9, 2)), Column("s", t.String(40))
        moment = Column("d", t.Timestamp(0))
        columns = (number, text, moment)
        (table,) = workbench.create(workbench.table("ctr_profile", *columns))
        uuid = "123e4567-e89b-12d3-a456-426614174000"
        arrays = (
            array_of(number.type, ["0.00", "1.00", "2.50", None]),
            array_of(text.type, ["", "żó", uuid, None]),
            array_of(moment.type, ["2024-02-29 00:00:00", "1999-12-31 00:00:01", None, None]),
        )
        workbench.load(table, columns, [arrow.batch_of(columns, arrays)])
        expected = {
            Ask(number, Measure.NULLS): 1,
            Ask(number, Measure.NO_NUMBER): 0,
            Ask(number, Measure.NOT_BOOLEAN): 1,
            Ask(number, Misfit.FRACTION, digits=0): 1,
            Ask(number, Misfit.FRACTION, digits=1): 0,
            Ask(number, Misfit.OUT_OF_RANGE, limits=(0, 2)): 2,
            Ask(number, Misfit.OUT_OF_RANGE, limits=(-1, 3)): 0,
            Ask(text, Measure.NULLS): 1,
            Ask(text, Measure.EMPTY): 1,
            Ask(text, Measure.CHARACTERS): 36,
            Ask(text, Measure.BYTES): 36,
            Ask(text, Measure.NOT_UUID): 2,
            Ask(text, Misfit.TOO_LONG, length=2): 1,
            Ask(text, Misfit.TOO_LONG, length=3, in_bytes=True): 2,
            Ask(moment, Measure.TIMED): 1,
        }
        asked = {ask: self.adapter.aggregate(ask, workbench.server.version) for ask in expected}
        if not self.adapter.capabilities.select_list:
            assert set(asked.values()) == {None}
            return
        with workbench.reading() as connection:
            rows = self.adapter.rows_of(connection, Read(table.source, columns, f"1 = 1 -- {uuid}"))
            sql = f"SELECT {', '.join(map(str, asked.values()))} FROM {rows}"
            found = execute_verbatim(connection, sql).one()
        assert dict(zip(asked, map(int, found), strict=True)) == expected

    def test_facts_take_as_many_queries_for_many_tables_as_for_one(self, workbench: Workbench) -> None:
        names = [QName(workbench.schema, f"ctr_many_{number}") for number in range(50)]

        def queries(tables: list[QName]) -> int:
            counted: list[str] = []
            with workbench.connect() as connection:
                sa.event.listen(connection, "before_cursor_execute", lambda *told: counted.append(str(told[2])))
                self.adapter.facts(connection, tables)
            return len(counted)

        assert 0 < queries(names) == queries(names[:1])

    @pytest.mark.parametrize("ids", [(), (0, 1, 3)], ids=["an empty table", "rows with a gap and a zero"])
    def test_an_identity_goes_on_where_the_source_stood(self, workbench: Workbench, ids: tuple[int, ...], way: Way) -> None:
        identity, name = replace(ID, identity=Identity(next_value=42)), Column("name", t.String(20))
        made = workbench.table("ctr_identity", identity, name, primary_key=PrimaryKey(None, ("id",)))
        (table,) = workbench.create(made)
        batch = arrow.batch_of((ID, name), (pa.array(ids, pa.int64()), pa.array([f"n{i}" for i in ids], pa.string())))
        workbench.load(table, (ID, name), [batch], way=way)
        ddl = workbench.ddl(made)
        workbench.run(ddl, ddl.position(made))
        found = workbench.described("ctr_identity").columns[0].identity
        assert found is not None
        assert found.next_value == 42
        workbench.insert(table, name="'next'")
        assert workbench.rows(table.name, (ID.type, name.type)) == [*((i, f"n{i}") for i in ids), (42, "next")]

    def test_a_sequence_goes_on_where_the_source_stood_or_is_named_as_a_loss(self, workbench: Workbench) -> None:
        sequence = Sequence(workbench.schema, "ctr_sequence", 100, 5, minimum=50, maximum=10_000, next_value=125)
        ddl = workbench.ddl(sequence)
        created = ddl.create_sequence(sequence)
        if not created.statements:
            assert created.losses
            return
        workbench.run(ddl, created)
        try:
            workbench.run(ddl, ddl.position(sequence))
            (found,) = [s for s in workbench.catalog().of(Sequence) if s.name == "ctr_sequence"]
            assert (found.start, found.increment, found.minimum, found.maximum) == (100, 5, 50, 10_000)
            assert found.next_value == 125
        finally:
            workbench.run(ddl, Script((f"DROP SEQUENCE {ddl.name_of(sequence)}",)))

    def test_comments_are_kept_or_named_as_losses(self, workbench: Workbench) -> None:
        comment = 'it\'s "quoted" \\ 100%: ? ünï'
        made = replace(_keyed(workbench, "ctr_comments", Column("v", t.String(10), comment=comment)), comment=comment)
        (table,) = workbench.create(made)
        ddl = workbench.ddl(made)
        lost = [*ddl.create_table(made).losses, *ddl.comments(made).losses]
        assert (table.comment, table.columns[1].comment) == (comment, comment) or any(
            "comment" in loss.rule for loss in lost
        )
