"""Every value of PostgreSQL's types comes back as the server's own text shows it, whichever way the rows go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialects.postgresql import ADAPTER, copy_in
from migrator import arrow
from migrator.adapter import Load, Read
from migrator.errors import RowCountDiffers, ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column, QName, Table
from tests.support.servers import Servers

pytestmark = pytest.mark.postgresql

VALUES: dict[str, tuple[str, ...]] = {
    "boolean": ("t", "f"),
    "smallint": ("-32768", "0", "32767"),
    "integer": ("-2147483648", "2147483647"),
    "bigint": ("-9223372036854775808", "9223372036854775807"),
    "numeric": ("0", "-0.00", "NaN", "1e-30", "1" * 1000 + "." + "7" * 1000),
    "numeric ": ("Infinity", "-Infinity"),
    "numeric(10,2)": ("12345678.90", "-0.01", "10000.00", "0"),
    "numeric(10,4)": ("1.5000", "NaN"),
    "numeric(38,10)": ("1234567890123456789012345678.0123456789",),
    "numeric(60,20)": ("1234567890123456789012345678901234567890.01234567890123456789",),
    "numeric(3,-2)": ("12300", "-99900"),
    "real": ("1.1", "3.4028235e38", "1e-45", "NaN", "-Infinity", "-0"),
    "double precision": ("0.1", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "-0", "123456789012345680"),
    "text": (
        "",
        " ",
        "\\N",
        "\\.",
        "\\",
        "a\tb\nc\rd\\e",
        "é 漢字 🙂",
        "%s :x ? $1",
        "NULL",
        "{}",
        '"',
        "'",
        "\x01\x7f",
        "x" * 70_000,
    ),
    "character varying(5)": ("", "ab   ", "ééééé"),
    "character varying": ("any length",),
    "character(5)": ("ab", "", "abcde"),
    '"char"': ("a",),
    "name": ("a name",),
    "bytea": ("", "\\x00", "\\x" + bytes(range(256)).hex(), "\\x5c785c6e09"),
    "date": ("2024-02-29", "1999-12-31", "0001-01-01", "9999-12-31"),
    "date ": ("infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC", "10000-01-01", "5874897-12-31", "1970-01-01"),
    "timestamp": ("1969-12-31 23:59:59.999999", "2024-02-29 12:00:00.1", "0001-01-01 00:00:00"),
    "timestamp ": (
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00.5 BC",
        "294276-12-31 23:59:59.999999",
        "2024-01-01 00:00:00",
    ),
    "timestamp(3)": ("2024-02-29 12:00:00.123", "infinity"),
    "timestamp with time zone": ("2024-02-29 12:00:00.123456+02", "9999-12-31 23:59:59.999999+00"),
    "timestamp with time zone ": (
        "infinity",
        "4713-01-01 00:00:00+00 BC",
        "2024-02-29 12:00:00.12+02",
        "12024-01-01 00:00:00+00",
    ),
    "time": ("00:00:00", "23:59:59.999999", "12:00:00.5"),
    "time ": ("24:00:00", "12:30:00.25"),
    "time with time zone": ("12:00:00.5+05:30", "24:00:00-12"),
    "interval": ("1 year 2 mons 3 days 26:00:00", "-1 mon +1 day -00:00:00.000001", "00:00:00", "178000000 years"),
    "interval year to month": ("-1-5",),
    "interval(2)": ("1 day 00:00:01.25",),
    "uuid": ("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "json": ('{"a":   1.0, "a": 2}', "12345678901234567890.123", "null", '"\\u0000"'),
    "jsonb": ('{"a": 12345678901234567890.1230, "b": [null, "\\n"]}', "null", '"x"'),
    "bit(3)": ("101",),
    "bit varying(9)": ("", "101010101"),
    "inet": ("10.0.0.1", "::1/128", "10.0.0.0/8"),
    "macaddr": ("08:00:2b:01:02:03",),
    "money": ("$12.34", "-$1,000.00"),
    "point": ("(1,2.5)",),
    "tsvector": ("'a':1 'b c':2A",),
    "int4range": ("[1,5)", "empty", "(,5)"),
    "regclass": ("pg_catalog.pg_class",),
    "integer[]": ("{1,NULL,3}", "{{1,2},{3,NULL}}", "{}", "[0:1]={1,2}"),
    "text[]": ('{a,"b,c",NULL,"NULL","","\\"q\\" \\\\ "}',),
    "mood": ("o'k", 'very "happy"', ""),
    "mood[]": ('{"o\'k",NULL}',),
    "posint": ("1", "7"),
    "addr": ('("a ""street"", 1",2,"o\'k")', "(,,)"),
}
"""Literals for each declaration (a blank at the end makes another list for the same type)."""

INFINITE = pytest.mark.since(14, "infinite numerics")
NEGATIVE_SCALE = pytest.mark.since(15, "scales below zero")
SINCE = {"numeric ": INFINITE, "numeric(3,-2)": NEGATIVE_SCALE}
DECLARATIONS = [pytest.param(d, marks=[SINCE[d]] if d in SINCE else []) for d in VALUES]


@dataclass(frozen=True)
class Database:
    """A database with user-defined types, and tables made on it for one test."""

    engine: sa.Engine
    version: int

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for sql in statements:
                connection.exec_driver_sql(sql.replace("%", "%%"))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql.replace("%", "%%"))]

    def table(self, name: str) -> Table:
        with self.engine.connect() as connection:
            catalog = ADAPTER.catalog(connection, ["public"])
        found = catalog.table(QName("public", name))
        assert found is not None
        return found

    def read(self, table: Table) -> list[pa.RecordBatch]:
        with ADAPTER.snapshot(self.engine, 1) as snapshot, ADAPTER.reading(self.engine, snapshot) as connection:
            return list(ADAPTER.batches(connection, Read(table.qname, table.data_columns)))

    def load(self, target: str, columns: Sequence[Column], batches: Sequence[pa.RecordBatch], *, slow: bool = False) -> int:
        load = Load(QName("public", target), tuple(columns), tuple(columns), conventional=slow)
        with ADAPTER.writing(self.engine) as connection:
            stored = ADAPTER.load(connection, load, batches)
            connection.commit()
        return stored

    def texts(self, table: str) -> list[tuple[object, ...]]:
        return self.rows(f"SELECT id, v::text, v IS NULL FROM public.{table} ORDER BY id")


@pytest.fixture(scope="module", params=[16, 18])
def database(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    server = servers.postgresql(request.param)
    url = server.fresh()
    database = Database(ADAPTER.engine(url), server.version)
    database.run(
        "CREATE TYPE mood AS ENUM ('sad', 'o''k', 'very \"happy\"', '')",
        "CREATE DOMAIN posint AS integer CHECK (VALUE > 0)",
        "CREATE TYPE addr AS (street text, no integer, m mood)",
    )
    yield database
    server.drop(url.database or "")


@pytest.fixture
def values(database: Database) -> Iterator[Callable[[str, Sequence[str]], Table]]:
    """``values(declaration, literals)``: a table ``source`` of these values and NULL, and an empty ``target`` like it."""

    def make(declaration: str, literals: Sequence[str]) -> Table:
        database.run(f"CREATE TABLE source (id integer, v {declaration})", "CREATE TABLE target (LIKE source)")
        with database.engine.begin() as connection:
            for number, literal in enumerate((*literals, None)):
                insert = f"INSERT INTO source VALUES (%s, CAST(CAST(%s AS text) AS {declaration}))"
                connection.exec_driver_sql(insert, (number, literal))
        return database.table("source")

    yield make
    database.run("DROP TABLE IF EXISTS source, target")


def by_bulk(database: Database, table: Table) -> None:
    database.load("target", table.columns, database.read(table))


def by_insert(database: Database, table: Table) -> None:
    database.load("target", table.columns, database.read(table), slow=True)


def by_text(database: Database, table: Table) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copy_in, "BINARY", {})
        database.load("target", table.columns, database.read(table))


@pytest.mark.parametrize("way", [by_bulk, by_text, by_insert])
@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_values_come_back_as_the_server_shows_them(
    declaration: str,
    way: Callable[[Database, Table], None],
    database: Database,
    values: Callable[[str, Sequence[str]], Table],
) -> None:
    table = values(declaration.strip(), VALUES[declaration])
    way(database, table)
    expected = database.texts("source")
    assert len(expected) == len(VALUES[declaration]) + 1
    assert database.texts("target") == expected


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_a_stream_is_the_same_or_is_refused(
    declaration: str, database: Database, values: Callable[[str, Sequence[str]], Table]
) -> None:
    table = values(declaration.strip(), VALUES[declaration])
    load = Load(QName("public", "target"), table.columns, database.table("target").columns)
    assert ADAPTER.takes_stream(load, "pgcopy") is (declaration.strip() not in {"regclass", '"char"', "mood[]", "addr"})
    if not ADAPTER.takes_stream(load, "pgcopy"):
        return
    sent: list[int] = []
    with (
        ADAPTER.snapshot(database.engine, 1) as snapshot,
        ADAPTER.reading(database.engine, snapshot) as reading,
        ADAPTER.writing(database.engine) as writing,
    ):
        pieces = ADAPTER.stream(reading, Read(table.qname, table.columns), "pgcopy", sent.append)
        assert ADAPTER.load_stream(writing, load, "pgcopy", pieces) == len(VALUES[declaration]) + 1
        assert sent == [len(VALUES[declaration]) + 1]
        writing.commit()
    assert database.texts("target") == database.texts("source")


@pytest.mark.parametrize(
    ("declaration", "form"),
    [
        ("smallint", pa.int16()),
        ("numeric(10,2)", pa.decimal128(10, 2)),
        ("numeric(60,20)", pa.decimal256(60, 20)),
        ("numeric", pa.string()),
        ("numeric(10,4)", pa.string()),
        ("date", pa.date32()),
        ("date ", pa.string()),
        ("time", pa.time64("us")),
        ("time ", pa.string()),
        ("timestamp", pa.timestamp("us")),
        ("timestamp ", pa.string()),
        ("timestamp with time zone", pa.timestamp("us", "UTC")),
        ("uuid", pa.binary(16)),
        ("bytea", pa.binary()),
        ("interval", pa.string()),
        ("integer[]", pa.string()),
    ],
)
def test_only_what_arrow_cannot_hold_travels_as_text(
    declaration: str, form: pa.DataType, database: Database, values: Callable[[str, Sequence[str]], Table]
) -> None:
    (batch,) = database.read(values(declaration.strip(), VALUES[declaration]))
    assert batch.schema.field("v").type == form


@pytest.mark.parametrize("declaration", ["date ", "timestamp ", "timestamp with time zone ", "time "])
def test_escaped_values_are_written_as_the_server_writes_them(
    declaration: str, database: Database, values: Callable[[str, Sequence[str]], Table]
) -> None:
    (batch,) = database.read(values(declaration.strip(), VALUES[declaration]))
    assert batch.column("v").to_pylist() == [text for _, text, _ in database.texts("source")]


# --- where rows end -------------------------------------------------------------------------------------------------

ENDINGS = {
    "NULL": "NULL::text",
    "a negative number": "-1",
    "bytes like the trailer's": r"'\xffff'::bytea",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_row_is_taken_for_the_end(ending: str, database: Database) -> None:
    """The stream's trailer is two bytes 0xFF; rows of every length end in the same bytes."""
    database.run(
        "DROP TABLE IF EXISTS source, target",
        f"CREATE TABLE source AS SELECT id, repeat('x', id) AS code, {ENDINGS[ending]} AS v FROM generate_series(0, 60) id",
        "CREATE TABLE target (LIKE source)",
    )
    table = database.table("source")
    assert sum(batch.num_rows for batch in database.read(table)) == 61
    sent: list[int] = []
    with (
        ADAPTER.snapshot(database.engine, 1) as snapshot,
        ADAPTER.reading(database.engine, snapshot) as reading,
        ADAPTER.writing(database.engine) as writing,
    ):
        pieces = ADAPTER.stream(reading, Read(table.qname, table.columns), "pgcopy", sent.append)
        load = Load(QName("public", "target"), table.columns, database.table("target").columns)
        assert ADAPTER.load_stream(writing, load, "pgcopy", pieces) == 61
        writing.commit()
    assert sent == [61]
    assert database.rows("SELECT * FROM source EXCEPT SELECT * FROM target") == []


# --- generated values -----------------------------------------------------------------------------------------------

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""0001-01-01 and the end of 9999 in microseconds since 1970."""

GENERATED: tuple[tuple[t.Type, str, st.SearchStrategy[object], pa.DataType], ...] = (
    (t.Integer(64), "bigint", st.integers(-(2**63), 2**63 - 1), pa.int64()),
    (t.Float(64), "double precision", st.floats(), pa.float64()),
    (t.Float(32), "real", st.floats(width=32), pa.float32()),
    (t.Decimal(30, 9), "numeric(30,9)", st.decimals(-(10**20), 10**20, places=9), pa.decimal128(30, 9)),
    (t.Decimal(50, 9), "numeric(50,9)", st.decimals(-(10**20), 10**20, places=9), pa.decimal256(50, 9)),
    (t.String(), "text", st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), pa.string()),
    (t.Binary(), "bytea", st.binary(), pa.binary()),
    (t.Timestamp(), "timestamp", st.integers(FIRST, LAST), pa.timestamp("us")),
    (t.Timestamp(6, True), "timestamptz", st.integers(FIRST, LAST), pa.timestamp("us", "UTC")),
    (t.Time(), "time", st.integers(0, 86_399_999_999), pa.time64("us")),
    (t.Date(), "date", st.integers(-719_162, 2_932_896), pa.date32()),
    (t.Boolean(), "boolean", st.booleans(), pa.bool_()),
    (t.Uuid(), "uuid", st.binary(min_size=16, max_size=16), pa.binary(16)),
)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "text"])
@pytest.mark.parametrize(("type_", "declaration", "strategy", "form"), GENERATED, ids=[g[1] for g in GENERATED])
def test_any_value_survives_the_way_in_and_out(
    type_: t.Type, declaration: str, strategy: st.SearchStrategy[object], form: pa.DataType, binary: bool, database: Database
) -> None:
    column = Column("v", type_, native=declaration)
    database.run("DROP TABLE IF EXISTS target", f"CREATE TABLE target (v {declaration})")
    numbers = pa.types.is_temporal(form)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.none() | strategy, min_size=1, max_size=40))
    def survives(values: list[object]) -> None:
        integers = pa.int32() if form == pa.date32() else pa.int64()
        array = pa.array(values, integers).cast(form) if numbers else pa.array(values, form)
        database.run("TRUNCATE target")
        assert database.load("target", [column], [arrow.batch_of([column], [array])]) == len(values)
        (batch,) = database.read(Table("public", "target", (column,)))
        assert _same(batch.column("v"), array)

    with pytest.MonkeyPatch.context() as patch:
        if not binary:
            patch.setattr(copy_in, "BINARY", {})
        survives()
    database.run("DROP TABLE target")


def _same(first: pa.Array, second: pa.Array) -> bool:
    """Equality that holds NaN equal to NaN and minus zero apart from zero."""
    return first.type == second.type and [repr(v) for v in first] == [repr(v) for v in second]


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declaration", "source", "value", "why"),
    [
        ("text", t.String(), "a\0b", "NUL"),
        ("jsonb", t.Json(), '"\\u0000\0"', "NUL"),
        ("varchar(3)", t.String(), "abc  ", "longer than 3"),
        ("numeric(10,2)", t.Decimal(), "1.005", "more than 2 digits"),
        ("numeric(10,2)", t.Decimal(), "5e-3", "more than 2 digits"),
        pytest.param("numeric(3,-2)", t.Decimal(), "12345", "more than -2 digits", marks=NEGATIVE_SCALE),
        ("date", t.String(), "2024-01-01 10:00", "time of day"),
        ("time", t.String(), "2024-01-01 10:00", "date would be dropped"),
        ("timestamp", t.String(), "2024-01-01 10:00+02", "time zone"),
        ("timestamp", t.String(), "2024-01-01 10:00:00 Europe/Berlin", "time zone"),
        ("timestamp", t.String(), "2024-01-01 10:00:00.1234567", "more than 6 digits"),
        ("timestamp(3)", t.String(), "2024-01-01 10:00:00.1234 BC", "more than 3 digits"),
        ("timestamp(0) with time zone", t.String(), "2024-01-01 10:00:00.5+02", "more than 0 digits"),
        ("time(3) with time zone", t.String(), "10:00:00.1234+02", "more than 3 digits"),
        ("time", t.String(), "23:59:60", "second 60"),
        ("time with time zone", t.String(), "23:59:60+02", "second 60"),
        ("timestamp", t.String(), "2024-01-01 10:00:60", "second 60"),
        ("timestamp", t.String(), "2024-01-01 24:00:00", "hour 24"),
        ("timestamp with time zone", t.String(), "2024-01-01 10:00:60+02", "second 60"),
        ("timestamp with time zone", t.String(), "2024-01-01T24:00:00+02", "hour 24"),
        ("interval", t.Interval(), "1 day 00:00:60", "second 60"),
        ("interval", t.Interval(), "00:00:00.1234567", "more than 6 digits"),
        ("interval(2)", t.Interval(), "1 day 00:00:00.123", "more than 2 digits"),
        ("interval year to month", t.Interval(), "1 year 2 days", "would be dropped"),
        ("interval year to month", t.Interval(), "00:00:05", "would be dropped"),
        ("interval year", t.Interval(), "1 year 2 mons", "would be dropped"),
        ("interval day", t.Interval(), "1 day 10:00:00", "would be dropped"),
        ("interval minute", t.Interval(), "00:00:01", "would be dropped"),
    ],
)
@pytest.mark.parametrize("slow", [False, True], ids=["bulk", "conventional"])
def test_what_postgresql_would_change_silently_is_refused(
    declaration: str, source: t.Type, value: str, why: str, slow: bool, database: Database
) -> None:
    database.run("DROP TABLE IF EXISTS target", f"CREATE TABLE target (v {declaration})")
    batch = pa.record_batch([pa.array([None, value])], ["v"])
    with pytest.raises(ValueNotCarried, match=f"column v: .*{why}"):
        database.load("target", [Column("v", source)], [batch], slow=slow)
    assert database.rows("SELECT count(*) FROM target") == [(0,)]


def test_fractions_finer_than_the_column_are_refused(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (v timestamp(3))")
    batch = pa.record_batch([pa.array([1_500, None], pa.timestamp("us"))], ["v"])
    with pytest.raises(ValueNotCarried, match="more than 3 digits"):
        database.load("target", [Column("v", t.Timestamp(6))], [batch])


@pytest.mark.parametrize(
    ("declaration", "value", "stored"),
    [
        ("timestamp(3)", "2024-01-01 10:00:00.123000 BC", "2024-01-01 10:00:00.123 BC"),
        ("interval(2)", "1 day 00:00:00.120000", "1 day 00:00:00.12"),
        ("interval year to month", "1 year 2 mons", "1 year 2 mons"),
        ("interval year", "20 years", "20 years"),
        ("interval day", "10 days 00:00:00", "10 days"),
        ("interval minute", "26:10:00", "26:10:00"),
    ],
)
def test_texts_of_which_nothing_would_be_dropped_are_not_refused(
    declaration: str, value: str, stored: str, database: Database
) -> None:
    database.run("DROP TABLE IF EXISTS target", f"CREATE TABLE target (v {declaration})")
    assert database.load("target", [Column("v", t.Interval())], [pa.record_batch([pa.array([value])], ["v"])]) == 1
    assert database.rows("SELECT v::text FROM target") == [(stored,)]


def test_zeros_at_the_end_of_a_fraction_are_not_refused(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (v numeric(10,2))")
    batch = pa.record_batch([pa.array(["1.500", "2e1", "NaN"])], ["v"])
    assert database.load("target", [Column("v", t.Decimal())], [batch]) == 3
    assert database.rows("SELECT v::text FROM target") == [("1.50",), ("20.00",), ("NaN",)]


# --- the shape of tables and streams --------------------------------------------------------------------------------


@pytest.mark.parametrize("slow", [False, True], ids=["bulk", "conventional"])
def test_rows_of_a_table_without_columns_are_counted(slow: bool, database: Database) -> None:
    database.run("DROP TABLE IF EXISTS source, target", "CREATE TABLE source ()", "CREATE TABLE target ()")
    database.run(*["INSERT INTO source DEFAULT VALUES"] * 3)
    batches = database.read(database.table("source"))
    assert sum(batch.num_rows for batch in batches) == 3
    assert database.load("target", (), batches, slow=slow) == 3
    assert database.rows("SELECT count(*) FROM target") == [(3,)]


def test_large_values_make_batches_of_their_own(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS source, target", "CREATE TABLE source (id integer, v bytea)")
    database.run("CREATE TABLE target (LIKE source)")
    size = arrow.BATCH_BYTES + 1
    database.run(f"INSERT INTO source SELECT i, decode(repeat('ab', {size}), 'hex') FROM generate_series(1, 3) i")
    table = database.table("source")
    batches = database.read(table)
    assert [batch.num_rows for batch in batches] == [1, 1, 1]
    assert database.load("target", table.columns, batches) == 3
    assert database.rows("SELECT count(*) FROM source JOIN target USING (id, v)") == [(3,)]


def test_an_identity_always_takes_the_sources_values(database: Database) -> None:
    for slow in (False, True):
        database.run("DROP TABLE IF EXISTS target")
        database.run(
            "CREATE TABLE target (id integer GENERATED ALWAYS AS IDENTITY, g integer GENERATED ALWAYS AS (id * 2) STORED)"
        )
        batch = pa.record_batch([pa.array([7, 9], pa.int32())], ["id"])
        assert database.load("target", [Column("id", t.Integer(32))], [batch], slow=slow) == 2
        assert database.rows("SELECT id, g FROM target ORDER BY id") == [(7, 14), (9, 18)]


def test_rows_that_a_trigger_suppresses_are_noticed(database: Database) -> None:
    database.run(
        "DROP TABLE IF EXISTS target",
        "CREATE TABLE target (v integer)",
        "CREATE OR REPLACE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER skip BEFORE INSERT ON target FOR EACH ROW WHEN (new.v = 2) EXECUTE FUNCTION skip()",
    )
    batch = pa.record_batch([pa.array([1, 2, 3], pa.int32())], ["v"])
    for slow in (False, True):
        with pytest.raises(RowCountDiffers, match="3 rows were sent, the database reports 2"):
            database.load("target", [Column("v", t.Integer(32))], [batch], slow=slow)
    database.run("DROP TABLE target")


def test_rows_of_inheriting_tables_are_left_to_them(database: Database) -> None:
    database.run(
        "DROP TABLE IF EXISTS source",
        "CREATE TABLE source (id integer)",
        "CREATE TABLE heir (more text) INHERITS (source)",
        "INSERT INTO source VALUES (1)",
    )
    database.run("INSERT INTO heir VALUES (2, 'x')")
    assert [batch.num_rows for batch in database.read(database.table("source"))] == [1]
    assert [batch.num_rows for batch in database.read(database.table("heir"))] == [1]
    database.run("DROP TABLE heir, source")


def test_a_policy_that_hides_rows_is_an_error_not_a_smaller_table(database: Database) -> None:
    database.run(
        "DROP TABLE IF EXISTS source",
        "DROP ROLE IF EXISTS migrator_reader",
        "CREATE ROLE migrator_reader",
        "CREATE TABLE source (id integer)",
        "INSERT INTO source VALUES (1), (2)",
        "GRANT SELECT ON source TO migrator_reader",
        "CREATE POLICY half ON source USING (id = 1)",
        "ALTER TABLE source ENABLE ROW LEVEL SECURITY",
    )
    table = database.table("source")
    with ADAPTER.snapshot(database.engine, 1) as snapshot, ADAPTER.reading(database.engine, snapshot) as connection:
        connection.exec_driver_sql("SET LOCAL ROLE migrator_reader")
        with pytest.raises(ADAPTER.driver_errors()) as caught:
            list(ADAPTER.batches(connection, Read(table.qname, table.columns)))
    line, about = ADAPTER.explain(caught.value)
    assert line == 'query would be affected by row-level security policy for table "source"'
    assert about == "privilege"
    database.run("DROP TABLE source", "DROP ROLE migrator_reader")


def test_a_failing_source_ends_the_copy_and_leaves_the_connection_usable(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (v integer)")
    batch = pa.record_batch([pa.array([1], pa.int32())], ["v"])

    def interrupted() -> Iterator[pa.RecordBatch]:
        yield batch
        raise KeyboardInterrupt

    column = Column("v", t.Integer(32))
    with ADAPTER.writing(database.engine) as connection:
        load = Load(QName("public", "target"), (column,), (column,))
        with pytest.raises(KeyboardInterrupt):
            ADAPTER.load(connection, load, interrupted())
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM public.target").scalar_one() == 0
    database.run("DROP TABLE target")


def test_a_reader_that_is_closed_early_leaves_the_connection_usable(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS source", "CREATE TABLE source (v text)")
    database.run("INSERT INTO source SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
    table = database.table("source")
    with ADAPTER.snapshot(database.engine, 1) as snapshot, ADAPTER.reading(database.engine, snapshot) as connection:
        batches = ADAPTER.batches(connection, Read(table.qname, table.columns))
        assert next(batches).num_rows < 20_000
        batches.close()  # type: ignore[attr-defined]
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM public.source").scalar_one() == 20_000
    database.run("DROP TABLE source")


def test_an_error_in_the_middle_of_a_read_is_raised(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS source", "CREATE TABLE source (v integer)")
    database.run("INSERT INTO source SELECT i FROM generate_series(-20000, 5) i")
    table = database.table("source")
    with ADAPTER.snapshot(database.engine, 1) as snapshot, ADAPTER.reading(database.engine, snapshot) as connection:
        with pytest.raises(ADAPTER.driver_errors()) as caught:
            list(ADAPTER.batches(connection, Read(table.qname, table.columns, "1 / v < 2")))
        assert ADAPTER.explain(caught.value) == ("division by zero", "row")
    database.run("DROP TABLE source")


def test_a_batch_is_the_same_in_however_many_pieces_it_is_sent(database: Database) -> None:
    """Bits of truth values and of NULLs are packed, so that a piece may begin within a byte of them."""
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (id integer, b boolean, n bigint, v text)")
    columns = [Column("id", t.Integer(32)), Column("b", t.Boolean()), Column("n", t.Integer(64)), Column("v", t.String())]
    rows = [
        (i, None if i % 7 == 3 else i % 3 == 0, None if i % 5 == 2 else i * i, None if i % 11 == 4 else "x" * i)
        for i in range(199)
    ]
    values = [pa.array(column, arrow.arrow_type(c.type)) for column, c in zip(zip(*rows, strict=True), columns, strict=True)]
    batch = pa.record_batch(values, [column.name for column in columns]).slice(3)
    for size, pieces_of in ((1, [196]), (700, range(2, 196)), (1 << 20, [1])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(copy_in, "_PIECE", size)
            pieces = len(list(copy_in.copy_rows(batch)))
            database.run("TRUNCATE target")
            database.load("target", columns, [batch])
        assert pieces in pieces_of
        with database.engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT id, b, n, v FROM target ORDER BY id").all()
        assert [tuple(row) for row in found] == rows[3:]
    database.run("DROP TABLE target")


def test_a_value_that_the_server_refuses_is_named_with_its_column(database: Database) -> None:
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (id integer, v integer)")
    columns = [Column("id", t.Integer(32)), Column("v", t.String())]
    batch = pa.record_batch([pa.array([1, 2], pa.int32()), pa.array(["5", "five"])], ["id", "v"])
    with pytest.raises(ADAPTER.driver_errors()) as caught:
        database.load("target", columns, [batch])
    line, _ = ADAPTER.explain(caught.value)
    assert line == 'invalid input syntax for type integer: "five" (COPY target, line 2, column v: "five")'
    database.run("DROP TABLE target")


@pytest.mark.parametrize(
    ("value", "column", "before_13"),
    [
        ("2020-13-01 00:00:00", "ts", None),
        ("2020-01-01 00:00:00+99", "tz", None),
        ("x", "tz", "tz or pair"),
        ("x", "ts", "ts or pair"),
        ("x", "i", "i or n or list or pair"),
        ("{5,x}", "list", "i or n or list or pair"),
        ("99999999999", "n", "i or n or list or pair"),
        ("(5,x)", "pair", "d or pair"),
        ("abcd", "v", "v"),
        ("date", "f", "pair or f"),
        ("1e999,1", "pt", "pair or pt"),
    ],
)
def test_a_value_that_is_refused_by_the_conventional_path_is_told_with_its_column(
    value: str, column: str, before_13: str | None, database: Database
) -> None:
    """Before version 13 with the columns of its type, if the server names that, and with those that may have it in them."""
    database.run(
        "DROP TABLE IF EXISTS target",
        "DROP TYPE IF EXISTS couple, feeling; DROP DOMAIN IF EXISTS number",
        "CREATE TYPE couple AS (a integer, b date); CREATE TYPE feeling AS ENUM ('good'); CREATE DOMAIN number AS integer",
        "CREATE TABLE target (d date, ts timestamp(3), tm time, tz timestamptz, i integer, n number, list integer[],"
        " pair couple, v varchar(3), longer varchar(5), f feeling, pt point)",
    )
    names = ("d", "ts", "tm", "tz", "i", "n", "list", "pair", "v", "longer", "f", "pt")
    columns = tuple(Column(name, t.String()) for name in names)
    batch = pa.record_batch([pa.array([value if name == column else None], pa.string()) for name in names], list(names))
    load = Load(QName("public", "target"), columns, columns, conventional=True)
    with (
        ADAPTER.writing(database.engine) as connection,
        pytest.raises((ValueNotCarried, *ADAPTER.driver_errors())) as caught,
    ):
        ADAPTER.load(connection, load, [batch])
    told = before_13 if database.version < 13 else column
    if told is None:
        assert not isinstance(caught.value, ValueNotCarried)
    else:
        assert str(caught.value).startswith(f"MIG-20002: column {told}: ")
    database.run("DROP TABLE target", "DROP TYPE couple, feeling; DROP DOMAIN number")


def test_a_column_that_is_there_no_more_is_named_by_the_server(database: Database) -> None:
    """Of a type that the server alone reads, so that it is asked what it makes of each value."""
    database.run("DROP TABLE IF EXISTS target", "CREATE TABLE target (id integer)")
    source, target = Column("price", t.String()), Column("price", t.Native("postgresql", "money"))
    load = Load(QName("public", "target"), (source,), (target,))
    with ADAPTER.writing(database.engine) as connection, pytest.raises(ADAPTER.driver_errors()) as caught:
        ADAPTER.load(connection, load, [pa.record_batch([pa.array(["$1.50"])], ["price"])])
    assert ADAPTER.explain(caught.value)[0].startswith('column "price" of relation "target" does not exist')
    database.run("DROP TABLE target")
