"""MySQL's values on a real server: what is read is what is stored, what is loaded is what is stored, or it is refused."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialects.mysql import ADAPTER, wire
from migrator.adapter import Load, Read
from migrator.arrow import arrow_type
from migrator.errors import MigratorError, RowCountDiffers, RowNotCarried, ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import QName, Table
from migrator.testing import Workbench
from tests.support.sql import fitting

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def bench(mysql: Callable[[], str]) -> Workbench:
    return Workbench.at(ADAPTER, mysql())


def execute(bench: Workbench, *statements: str) -> list[Any]:
    """Run statements as they are; the rows of the last."""
    with bench.connect() as connection:
        for sql in statements:
            result = connection.exec_driver_sql(fitting(sql, connection))
        return [tuple(row) for row in result] if result.returns_rows else []


def read(bench: Workbench, name: str) -> pa.Table:
    """The rows of a table as the adapter reads them."""
    table = bench.described(name)
    with ADAPTER.snapshot(bench.engine, 1) as snapshot, ADAPTER.reading(bench.engine, snapshot) as connection:
        return pa.Table.from_batches(ADAPTER.batches(connection, Read(table.source, table.data_columns)))


def copy(bench: Workbench, source: str, target: str, *, conventional: bool = False) -> int:
    """Move all rows of one table into another that has the same columns."""
    here, there = bench.described(source), bench.described(target)
    load = Load(there.qname, here.data_columns, there.data_columns, conventional=conventional)
    with (
        ADAPTER.snapshot(bench.engine, 1) as snapshot,
        ADAPTER.reading(bench.engine, snapshot) as reading,
        ADAPTER.writing(bench.engine) as writing,
    ):
        stored = ADAPTER.load(writing, load, ADAPTER.batches(reading, Read(here.source, here.data_columns)))
        writing.commit()
        return stored


def checksum(bench: Workbench, name: str) -> int:
    """The server's own sum over the bytes of all rows."""
    return int(execute(bench, f"CHECKSUM TABLE `{name}`")[0][1])


def load_values(bench: Workbench, declaration: str, type_: t.Type, values: Sequence[Any], **load: Any) -> Table:
    """Load values of a neutral type into the column of a fresh table ``t``."""
    execute(bench, "DROP TABLE IF EXISTS t", f"CREATE TABLE t (id INT PRIMARY KEY, v {declaration})")
    table = bench.described("t")
    source = tuple(type(column)(column.name, kind) for column, kind in zip(table.columns, (t.Integer(), type_), strict=True))
    arrays = [pa.array(range(len(values)), pa.int32()), pa.array(values, arrow_type(type_))]
    bench.load(table, source, [pa.RecordBatch.from_arrays(arrays, names=["id", "v"])], **load)
    return table


# --- a table of every type comes back byte for byte -----------------------------------------------------------------

EVERY_TYPE = """
CREATE TABLE {} (
    id INT AUTO_INCREMENT PRIMARY KEY, ti TINYINT, tb TINYINT(1), tu TINYINT UNSIGNED, mi MEDIUMINT, bu BIGINT UNSIGNED,
    z INT(6) UNSIGNED ZEROFILL, de DECIMAL(65,30), fl FLOAT, fd FLOAT(7,3), dd DOUBLE(9,3), b1 BIT(1), b10 BIT(10),
    b64 BIT(64), ch CHAR(5), vc VARCHAR(40), la VARCHAR(20) CHARACTER SET latin1, gb VARCHAR(20) CHARACTER SET gbk,
    u3 VARCHAR(20) CHARACTER SET utf8mb3, u2 VARCHAR(20) CHARACTER SET ucs2, tx TEXT, lt LONGTEXT, bi BINARY(6),
    vb VARBINARY(40), bl LONGBLOB, da DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL, tm TIME(6), ye YEAR,
    en ENUM('a','it''s','b\\\\c','é'), se SET('x','y','z'), js JSON, po POINT, ge GEOMETRY
) CHARACTER SET utf8mb4
"""
ROWS = (
    "(1, -128, -1, 255, -8388608, 18446744073709551615, 42, -12345678901234567890123456789012345.1234567890, 1.17549435e-38,"
    " 12.345, 123456.789, b'1', b'1', b'1000000000000000000000000000000000000000000000000000000000000001', 'é ', 'a\\tb\\n\\\\N\\r\\0',"
    " _latin1 x'80e9', _gbk x'c4e3', 'naïve', 'Ωa', 'NULL', '', x'00ff5c090a00', x'00010203ff5c5c4e', x'', '0000-00-00',"
    " '9999-12-31 23:59:59.999999', '2024-03-31 02:30:00.001', '-838:59:59.000001', 0000, 'it''s', 'x,z', '{\"a\":  1.0}',"
    " ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('LINESTRING(0 0,1 1)'))",
    "(0, 127, 2, 0, 8388607, 0, 999999, 0, -3.4028235e38, -0.001, 0, b'0', b'1111111111', b'0', '', '', '', '', '', '', '\\\\N',"
    " 'x', x'000000000000', x'', x'0d0a', '2024-00-10', '0000-00-00 00:00:00', '1970-01-01 00:00:01', '838:59:59', 2155, 'é',"
    " '', 'null', NULL, NULL)",
    "(3" + ", NULL" * 34 + ")",
)


@pytest.fixture
def every_type(bench: Workbench) -> Workbench:
    modes = "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", "SET NAMES utf8mb4", "SET time_zone = '+00:00'"
    with bench.connect() as connection:
        for sql in (*modes, EVERY_TYPE.format("a"), EVERY_TYPE.format("b"), f"INSERT INTO a VALUES {', '.join(ROWS)}"):
            connection.execute(sa.text(sql.replace(":", "\\:")))
    return bench


@pytest.mark.parametrize("conventional", [False, True], ids=["LOAD DATA", "INSERT"])
def test_rows_of_every_type_are_the_same_afterwards(every_type: Workbench, conventional: bool) -> None:
    assert copy(every_type, "a", "b", conventional=conventional) == 3
    assert checksum(every_type, "a") == checksum(every_type, "b")


def test_values_come_in_the_arrow_form_of_their_type_or_as_text_where_it_has_no_place(every_type: Workbench) -> None:
    row = read(every_type, "a").sort_by("id").to_pylist()[1]
    assert row["bu"] == 2**64 - 1
    assert row["z"] == 42
    assert row["de"] == Decimal("-12345678901234567890123456789012345.1234567890")
    assert row["fl"] == struct.unpack("<f", struct.pack("<f", 1.17549435e-38))[0]
    assert (row["b10"], row["b64"]) == ("0000000001", "1" + "0" * 62 + "1")
    assert (row["la"], row["gb"], row["u2"]) == ("€é", "你", "Ωa")
    assert row["da"] == "0000-00-00"
    mariadb = every_type.server.banner.startswith("MariaDB")
    assert row["tm"] == f"-838:59:59.{1 if mariadb else 0:06}"  # MySQL ends at the second
    assert row["ye"] == 0
    assert row["bi"] == b"\0\xff\\\t\n\0"
    assert row["js"] == ('{"a":  1.0}' if mariadb else '{"a": 1.0}')  # which parses it
    assert row["po"].startswith("E6100000")


def test_text_that_its_character_set_cannot_tell_is_refused_not_replaced(bench: Workbench) -> None:
    execute(bench, "CREATE TABLE t (v VARCHAR(10) CHARACTER SET gbk)", "INSERT INTO t VALUES (_gbk x'a380')")
    with pytest.raises(ValueNotCarried, match=r"column v: .*\\xa3\\x80"):
        read(bench, "t")


# --- any value of a type --------------------------------------------------------------------------------------------


@few
@given(values=st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs",)))), min_size=1, max_size=20))
def test_any_text_survives(bench: Workbench, values: list[str | None]) -> None:
    for conventional in (False, True):
        load_values(
            bench, "LONGTEXT CHARACTER SET utf8mb4", t.String(), values, way="conventional" if conventional else "bulk"
        )
        assert read(bench, "t").column("v").to_pylist() == values


@few
@given(values=st.lists(st.one_of(st.none(), st.binary()), min_size=1, max_size=20))
def test_any_bytes_survive(bench: Workbench, values: list[bytes | None]) -> None:
    for conventional in (False, True):
        load_values(bench, "LONGBLOB", t.Binary(), values, way="conventional" if conventional else "bulk")
        assert read(bench, "t").column("v").to_pylist() == values


@few
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_any_finite_double_survives(bench: Workbench, values: list[float]) -> None:
    load_values(bench, "DOUBLE", t.Float(), values)
    assert read(bench, "t").column("v").to_pylist() == values


@few
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=50))
def test_any_finite_single_survives(bench: Workbench, values: list[float]) -> None:
    load_values(bench, "FLOAT", t.Float(32), values)
    assert read(bench, "t").column("v").to_pylist() == values


@few
@given(
    values=st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-(10**34), max_value=10**34), min_size=1
    )
)
def test_any_decimal_that_fits_survives(bench: Workbench, values: list[Decimal]) -> None:
    load_values(bench, "DECIMAL(65,30)", t.Decimal(65, 30), values)
    assert read(bench, "t").column("v").to_pylist() == values


@few
@given(values=st.lists(st.text("01", min_size=64, max_size=64), min_size=1))
def test_any_bits_survive(bench: Workbench, values: list[str]) -> None:
    load_values(bench, "BIT(64)", t.Bit(64), values)
    assert read(bench, "t").column("v").to_pylist() == values


# --- what the server would change is refused ------------------------------------------------------------------------

REFUSED = {
    "a decimal that would be rounded": ("DECIMAL(65,30)", t.Decimal(), "0." + "0" * 30 + "1"),
    "a decimal out of range": ("DECIMAL(65,30)", t.Decimal(), "1" + "0" * 35),
    "a text that is too long": ("VARCHAR(3)", t.String(), "abcd"),
    "a text with too many trailing blanks": ("VARCHAR(3)", t.String(), "abc "),
    "an infinity": ("DOUBLE", t.Float(), math.inf),
    "a character the column's character set lacks": ("VARCHAR(9) CHARACTER SET latin1", t.String(), "你"),
    "a fraction the column has no digits for": ("DATETIME(3)", t.String(), "2024-01-01 00:00:00.1234"),
    "a day that does not exist": ("DATE", t.String(), "2024-02-30"),
    "a label that the set lacks": ("SET('a','b')", t.String(), "a,c"),
    "a NULL": ("TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", t.String(), None),
    "bytes that are too long": ("VARBINARY(2)", t.Binary(), b"abc"),
    "a text with blanks at its end": ("CHAR(5)", t.String(), "ab "),
    "a label in other letters": ("ENUM('Low','High')", t.String(), "low"),
    "a label with blanks at its end": ("ENUM('a','b')", t.Enum(("a ", "b")), "a "),
    "the number of a label": ("ENUM('a','b')", t.String(), "2"),
    "members of a set in another order": ("SET('a','b')", t.String(), "b,a"),
    "the number of a set": ("SET('a','b')", t.String(), "3"),
    "a leap day of another year": ("DATETIME", t.String(), "1900-02-29 00:00:00"),
}


@pytest.mark.parametrize("conventional", [False, True], ids=["LOAD DATA", "INSERT"])
@pytest.mark.parametrize(("declaration", "type_", "value"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_the_server_would_change_is_refused(
    bench: Workbench, declaration: str, type_: t.Type, value: Any, conventional: bool
) -> None:
    with pytest.raises(ValueNotCarried, match=r"column (t\.)?v"):
        load_values(bench, declaration, type_, [value], way="conventional" if conventional else "bulk")
    assert execute(bench, "SELECT COUNT(*) FROM t") == [(0,)]


def test_a_row_that_the_server_leaves_out_is_missed(bench: Workbench) -> None:
    execute(bench, "CREATE TABLE a (v INT)", "CREATE TABLE b (v INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (1), (2)")
    with pytest.raises((RowCountDiffers, ValueNotCarried), match="Duplicate entry"):
        copy(bench, "a", "b")
    assert execute(bench, "SELECT COUNT(*) FROM b") == [(0,)]


def test_zero_stays_zero_in_an_auto_increment_column(bench: Workbench) -> None:
    execute(
        bench,
        "CREATE TABLE a (id INT)",
        "CREATE TABLE b (id INT AUTO_INCREMENT PRIMARY KEY)",
        "INSERT INTO a VALUES (0), (7)",
    )
    copy(bench, "a", "b")
    assert execute(bench, "SELECT id FROM b ORDER BY id") == [(0,), (7,)]


def test_generated_columns_are_computed_and_invisible_ones_carried(bench: Workbench) -> None:
    columns = "(id INT PRIMARY KEY, twice INT AS (id * 2) STORED, hidden INT INVISIBLE)"
    execute(
        bench,
        f"CREATE TABLE a {columns}",
        f"CREATE TABLE b {columns}",
        "INSERT INTO a (id, hidden) VALUES (1, 5), (2, NULL)",
    )
    copy(bench, "a", "b")
    assert execute(bench, "SELECT id, twice, hidden FROM b ORDER BY id") == [(1, 2, 5), (2, 4, None)]


COMPUTED = "(id INT PRIMARY KEY, price DECIMAL(10,2), total DECIMAL(10,2) AS (price * 1.19) STORED, note TINYTEXT)"


@pytest.mark.parametrize("conventional", [False, True], ids=["LOAD DATA", "INSERT"])
def test_notes_about_computed_columns_hide_no_changed_value(bench: Workbench, conventional: bool) -> None:
    """Each row has a note about its total, and the last one another, about a price that the server has rounded."""
    count = 20_000
    execute(bench, f"CREATE TABLE c {COMPUTED}")
    table = bench.described("c")
    kinds = (t.Integer(), t.Decimal(), t.String())
    source = tuple(type(c)(c.name, kind) for c, kind in zip(table.data_columns, kinds, strict=True))
    way = {"way": "conventional" if conventional else "bulk"}

    def rows(last: str, note: str) -> list[pa.RecordBatch]:
        prices = ["9.99"] * (count - 1) + [last]
        arrays = [pa.array(range(count), pa.int32()), pa.array(prices), pa.array(["x"] * (count - 1) + [note])]
        return [pa.RecordBatch.from_arrays(arrays, names=["id", "price", "note"])]

    for last, note, column in (("9.991", "x", "price"), ("9.99", "5" * 255 + " ", "note")):
        with pytest.raises(ValueNotCarried, match=rf"c\.{column}: Data"):
            bench.load(table, source, rows(last, note), **way)
        assert execute(bench, "SELECT COUNT(*) FROM c") == [(0,)]
    assert bench.load(table, source, rows("0.01", "12345"), **way) == count
    assert execute(bench, "SELECT COUNT(*), MIN(total), MAX(total) FROM c") == [(count, Decimal("0.01"), Decimal("11.89"))]


# --- the wire -------------------------------------------------------------------------------------------------------


def test_rows_longer_than_a_packet_come_whole(bench: Workbench) -> None:
    sizes = [10, 0xFFFFFF - 5, 0xFFFFFF - 4, 0xFFFFFF, 300]
    room = execute(bench, "SELECT @@max_allowed_packet")[0][0]
    sizes = [size for size in sizes if size < room]
    execute(bench, "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v LONGBLOB)", "CREATE TABLE b LIKE a")
    for size in sizes:
        execute(bench, f"INSERT INTO a (v) VALUES (REPEAT('x', {size}))")
    assert [len(value) for value in read(bench, "a").column("v").to_pylist()] == sizes
    copy(bench, "a", "b")
    assert checksum(bench, "a") == checksum(bench, "b")


def test_a_read_that_is_stopped_leaves_connection_and_snapshot_usable(bench: Workbench) -> None:
    execute(bench, "CREATE TABLE t (v LONGTEXT)")
    execute(bench, "INSERT INTO t SELECT REPEAT('x', 100000) FROM seq_1_to_300")
    table = bench.described("t")
    with ADAPTER.snapshot(bench.engine, 1) as snapshot, ADAPTER.reading(bench.engine, snapshot) as connection:
        batches = ADAPTER.batches(connection, Read(table.source, table.columns))
        next(batches)
        execute(bench, "DELETE FROM t")
        batches.close()  # type: ignore[attr-defined]
        assert sum(batch.num_rows for batch in ADAPTER.batches(connection, Read(table.source, table.columns))) == 300


def test_an_error_amid_the_rows_is_raised_and_the_connection_goes_on(bench: Workbench) -> None:
    execute(bench, "CREATE TABLE t (v INT)", "INSERT INTO t VALUES (1), (2)")
    table = QName(bench.schema, "t")
    with ADAPTER.snapshot(bench.engine, 1) as snapshot, ADAPTER.reading(bench.engine, snapshot) as connection:
        failing = Read(table, bench.described("t").columns, "v = 1 OR (SELECT x.v FROM t x) = 1")
        with pytest.raises(ADAPTER.driver_errors(), match="more than 1 row"):
            list(ADAPTER.batches(connection, failing))
        assert connection.exec_driver_sql("SELECT 5").scalar_one() == 5


def test_an_error_of_the_source_ends_the_load_and_nothing_stays(bench: Workbench) -> None:
    execute(bench, "CREATE TABLE t (v INT)")
    table = bench.described("t")

    def failing() -> Any:
        yield pa.record_batch([pa.array([1], pa.int32())], names=["v"])
        raise MigratorError(message="the source broke off")

    with pytest.raises(MigratorError, match="the source broke off"):
        bench.load(table, table.columns, failing())
    assert execute(bench, "SELECT COUNT(*) FROM t") == [(0,)]


def test_no_server_can_ask_the_client_for_a_file(bench: Workbench, tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("1\n")
    execute(bench, "CREATE TABLE t (v INT)")
    with bench.connect() as connection:
        with pytest.raises(RuntimeError, match="local_infile option is false"):
            connection.exec_driver_sql(f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE t")
        connection.invalidate()


def test_an_insert_keeps_within_the_servers_packet(bench: Workbench) -> None:
    values = ["x" * 700_000] * 5
    load_values(bench, "LONGTEXT", t.String(), values, way="conventional")
    assert read(bench, "t").column("v").to_pylist() == values


def test_block_columns_step_over_values_of_every_length_form() -> None:
    values = [b"", b"a" * 250, b"b" * 251, b"c" * 70_000, None]
    heads = [b"\0", b"\xfa", b"\xfc\xfb\0", b"\xfd\x70\x11\x01", b"\xfb"]
    rows = [head + (value or b"") + b"\x011" for head, value in zip(heads, values, strict=True)]
    starts = [sum(map(len, rows[:i])) for i in range(len(rows))]
    first, second = wire.Block(b"".join(rows) + bytes(64), np.array(starts, np.int64)).columns(2)
    assert first.to_pylist() == values
    assert second.to_pylist() == [b"1"] * 5


@pytest.mark.parametrize("conventional", [False, True], ids=["direct", "conventional"])
def test_a_row_that_breaks_a_check_is_refused_by_its_table(bench: Workbench, conventional: bool) -> None:
    execute(
        bench,
        "CREATE TABLE rows_from (a INT, b INT)",
        "INSERT INTO rows_from VALUES (2, 1)",
        "CREATE TABLE ckt (a INT, b INT, CONSTRAINT a_below_b CHECK (a < b))",
    )
    with pytest.raises(RowNotCarried, match=r'table "[^"]+"\."ckt": .*a_below_b'):
        copy(bench, "rows_from", "ckt", conventional=conventional)
