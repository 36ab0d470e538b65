"""Values of one type into columns of another that are there already: each arrives as it is, or is refused by its column.

The table of :mod:`migrator.between` is walked on each database, on every path there is. What a column gives back is what the
server itself prints; a value that is refused leaves nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from migrator import arrow
from migrator.adapter import Load
from migrator.between import PASSAGES, passage
from migrator.ends import database_errors
from migrator.errors import MigratorError
from migrator.job.worker import through_staging
from migrator.model import types as t
from migrator.model.objects import Column, Table
from migrator.operations.matching import matched
from tests.support.ends import ENDS, End, MySQLEnd
from tests.support.literals import MARIADB_ALONE
from tests.support.pump import pump, remap
from tests.support.servers import Servers
from tests.support.sql import execute, rows

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

PATHS = ("direct path", "conventional path", "external table")
WORDS = t.String()


@dataclass(frozen=True)
class Case:
    """Values of a type into columns of one declaration: what is printed of those that are ``kept``, and which are not."""

    source: t.Type
    declaration: str
    kept: Mapping[str, str]
    refused: tuple[str, ...] = ()

    def values(self, text: str) -> pa.Array:
        """A value and a NULL as they travel."""
        array = pa.array([text, None], pa.string())
        return array.cast(pa.binary()) if isinstance(self.source, t.Binary) else arrow.parse(array, self.source)


def same(*texts: str) -> dict[str, str]:
    """Values that are printed as they are written."""
    return {text: text for text in texts}


DAY, CLOCK, MOMENT = "2020-01-02", "10:20:30", "2020-01-02 10:20:30"
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
SIX = f"{MOMENT}.000000"
ROLLING = f"{DAY} 23:59:60", f"{DAY} 24:00:00"
"""What some parsers take for the next day's midnight."""

CASES: dict[str, tuple[Case, ...]] = {
    "postgresql": (
        Case(WORDS, "boolean", {"true": "t", "0": "f"}, ("yes", "TRUE", "on")),
        Case(WORDS, "integer", same("12", "-5"), ("0x10", "1_000", " 12", "007", "+5", "1.7")),
        Case(WORDS, "numeric(9,2)", {"1.5": "1.50", "-0.25": "-0.25"}, ("1.505", "1e1", " 2", "007", "1_0")),
        Case(WORDS, "numeric", same("1.50", "NaN"), ("1e3", "-0")),
        Case(WORDS, "real", same("0.1", "NaN"), ("0.123456789", "16777217.0", "1e3", "1e39")),
        Case(WORDS, "double precision", {"2.50": "2.5", "1e-07": "1e-07"}, ("0.30000000000000004441", "0x1p3")),
        Case(WORDS, "character(5)", {"ab": "ab   "}, ("ab ",)),
        Case(t.String(5, fixed=True), "character varying(5)", same("ab   ")),
        Case(WORDS, "bytea", {"é": "\\xc3a9"}),
        Case(WORDS, "bit varying(9)", same("0101"), ("x1F", "2")),
        Case(WORDS, "uuid", {UUID: UUID, f"{{{UUID.upper()}}}": UUID}, ("a",)),
        Case(WORDS, "jsonb", {'{"b":1,"a":[{"b":2}]}': '{"a": [{"b": 2}], "b": 1}'}, ('{"a":1,"\\u0061":2}', "[")),
        Case(WORDS, "json", same('{"a":1,"a":2}'), ("[",)),
        Case(WORDS, "xml", {}, ('<?xml version="1.0" encoding="UTF-8"?><a/>',)),
        Case(WORDS, "date", same(DAY, "infinity", "0044-03-15 BC", "10000-01-02"),
             ("now", "12/11/2020", "20200102", f"{DAY} 00:00:00", f"0{DAY}")),
        Case(WORDS, "timestamp(3)", {f"{DAY}T{CLOCK}": MOMENT}, (f"{MOMENT}+02", f"{MOMENT}.1234", DAY, "epoch", *ROLLING)),
        Case(WORDS, "timestamptz", {f"{MOMENT}+02": f"{DAY} 08:20:30+00", MOMENT: f"{MOMENT}+00"},
             (f"{MOMENT} CET", *ROLLING, f"{DAY} 24:00:00+00")),
        Case(WORDS, "time", same(CLOCK, "24:00:00"), ("10:20", f"{MOMENT}", "allballs", "10:20:30 PM", "23:59:60")),
        Case(WORDS, "timetz", same("10:20:30+02", "24:00:00+00"), (CLOCK, "23:59:60+00")),
        Case(WORDS, "interval", same("1 year 2 mons", "-00:00:01", "24:00:00", "100:00:00"),
             ("5", "P1D", "90 minutes", "00:00:60", "010:20:30")),
        Case(WORDS, "mood", same("sad"), ("SAD", "2")),
        Case(t.Boolean(), "truth", same("true", "false")),
        Case(t.Boolean(), "mood", {}, ("true", "false")),
        Case(t.Integer(), "mood", {}, ("1",)),
        Case(WORDS, "name", same("ab"), ("x" * 70,)),
        Case(WORDS, "regclass", same("pg_class"), ("nosuch", "PG_CLASS")),
        Case(WORDS, '"char"', same("a"), ("ab",)),
        Case(WORDS, "money", same("$1.50"), ("1.505", "1.5")),
        Case(WORDS, "inet", same("10.0.0.1"), ("10.0.0.1/32", "a")),
        Case(WORDS, "character(3)[]", same("{abc}"), ('{"abc "}', "{ab}", "a")),
        Case(t.Array(t.String()), "character(3)[]", same("{abc}"), ('{"abc "}',)),
        Case(t.SetOf(("a", "b c", "NULL")), "text[]", {"a,b c": '{a,"b c"}', "NULL": '{"NULL"}', "": "{}"}),
        Case(t.SetOf(("", "a")), "text[]", {}, ("", "a")),
        Case(t.Decimal(9, 3), "money", {}, ("1.505",)),
        Case(t.Decimal(9, 3), "real", {"1.100": "1.1"}),
        Case(t.Binary(), "text", {}, ("a",)),
        Case(t.Timestamp(zoned=True), "text", {f"{MOMENT}Z": SIX}),
        Case(t.Timestamp(zoned=True), "name", {f"{MOMENT}Z": SIX}),
        Case(t.Timestamp(zoned=True), "inet", {}, (f"{MOMENT}Z",)),
        Case(t.Timestamp(zoned=True), "timestamp",
             {f"{MOMENT}Z": MOMENT, "infinity": "infinity", "0044-03-15 10:20:30.5+00 BC": "0044-03-15 10:20:30.5 BC"}),
        Case(t.Timestamp(zoned=True), "date", {f"{DAY} 00:00:00Z": DAY, "0044-03-15 00:00:00+00 BC": "0044-03-15 BC"},
             (f"{MOMENT}Z", "0044-03-15 10:20:30+00 BC")),
        Case(t.Timestamp(), "timestamptz", {MOMENT: f"{MOMENT}+00"}),
        Case(t.Date(), "timestamptz", {DAY: f"{DAY} 00:00:00+00"}),
        Case(t.Time(), "timestamp", {}, (CLOCK, "24:00:00")),
        Case(t.Time(), "date", {}, (CLOCK, "24:00:00")),
        Case(t.Time(), "timetz", {CLOCK: f"{CLOCK}+00"}),
        Case(t.Time(zoned=True), "time", {}, ("10:20:30+02",)),
        Case(t.Interval(), "interval hour", same("1 day 10:00:00"), ("10:30:00",)),
        Case(t.Decimal(), "date", {}, ("20200102",)),
        Case(t.Decimal(), "time", {}, ("1020",)),
        Case(t.Decimal(), "bytea", {}, ("12",)),
        Case(t.Boolean(), "uuid", {}, ("true",)),
        Case(t.Boolean(), "numeric(3,1)", {"true": "1.0"}),
        Case(t.Date(), "integer", {}, (DAY,)),
        Case(t.Timestamp(), "time", {}, (MOMENT,)),
        Case(t.Time(zoned=True), "interval", {}, ("10:20:30+02",)),
        Case(t.Uuid(), "numeric", {}, (UUID,)),
        Case(t.Bit(3), "numeric", {}, ("101",)),
        Case(t.Float(), "boolean", {}, ("1",)),
        Case(t.Json(), "jsonb", {'{"b":1}': '{"b": 1}'}),
        Case(t.Boolean(), "text", same("true", "false")),
        Case(t.Bit(3), "json", same("101"), ("010",)),
        Case(t.Boolean(), "bit varying(3)", {"true": "1"}),
        Case(t.Integer(), "boolean", {"1": "t", "0": "f"}, ("2",)),
        Case(t.Integer(8, display=1), "boolean", {"1": "t", "0": "f"}, ("2",)),
        Case(t.Integer(), "character(3)", {"12": "12 ", "-99": "-99"}, ("1234",)),
        Case(t.Integer(), "character varying(3)", same("123"), ("1234",)),
        Case(t.Float(), "text", {"NaN": "NaN", "-inf": "-Infinity", "0.1": "0.1"}),
        Case(t.Float(), "name", {"0.5": "0.5"}),
        Case(t.Float(), "numeric(9,2)", {"0.25": "0.25"}, ("0.255",)),
        Case(t.Float(32), "double precision", {"0.1": "0.10000000149011612"}),
        Case(t.Bit(3), "text", same("101")),
        Case(t.Bit(1), "boolean", {"1": "t"}),
        Case(t.Binary(), "uuid", {"abcdefghijklmnop": "61626364-6566-6768-696a-6b6c6d6e6f70"}, ("abc",)),
        Case(t.Bit(1, varying=True), "boolean", {"1": "t", "0": "f"}, ("",)),
        Case(t.Bit(3), "bytea", {"101": "\\x05"}),
        Case(t.Bit(9, varying=True), "bytea", {"": "\\x", "100000001": "\\x0101"}),
        Case(t.Bit(3), "integer", {"101": "5"}),
        Case(t.Bit(9, varying=True), "integer", {"011": "3"}, ("",)),
        Case(t.Bit(3), "interval", {}, ("101",)),
        Case(t.Uuid(), "interval", {}, (UUID,)),
        Case(t.Uuid(), "bytea", {UUID: "\\x" + UUID.replace("-", "")}),
        Case(t.Timestamp(), "date", {f"{DAY} 00:00:00": DAY}, (MOMENT,)),
        Case(t.Date(), "timestamp", {DAY: f"{DAY} 00:00:00"}),
    ),
    "mysql": (
        Case(WORDS, "enum('x','Y','1')", same("x", "1"), ("2", "X", "y", "x ")),
        Case(t.Integer(), "enum('x','y')", {}, ("2",)),
        Case(t.Integer(), "enum('2','1')", same("1", "2"), ("0", "3")),
        Case(t.Integer(), "set('2','1')", same("1", "2"), ("0", "3")),
        Case(t.Decimal(9, 2), "enum('1.50','1')", same("1.50"), ("1.00", "2.00")),
        Case(t.Float(), "enum('2','0.5')", same("0.5"), ("1", "1.5")),
        Case(t.Float(), "set('2','0.5')", same("0.5"), ("1",)),
        Case(t.Boolean(), "enum('false','true')", same("true", "false")),
        Case(t.Boolean(), "set('false','true')", same("true", "false")),
        Case(t.Boolean(), "enum('x','1')", {}, ("true", "false")),
        Case(t.Bit(3), "enum('x','101')", same("101"), ("001",)),
        Case(WORDS, "set('a','b')", same("a,b", ""), ("3", "b,a", "A")),
        Case(WORDS, "year", same("2018", "0000"), ("18", "0", "2156")),
        Case(t.Integer(), "year", {"2018": "2018", "0": "0000"}, ("18", "70")),
        Case(t.Boolean(), "year", {}, ("true", "false")),
        Case(t.Boolean(), "bit(1)", {"true": "1", "false": "0"}),
        Case(t.Boolean(), "bit(3)", {}, ("true",)),
        Case(t.Boolean(), "varchar(5)", same("true", "false")),
        Case(t.Boolean(), "json", same("true", "false")),
        Case(WORDS, "tinyint(1)", same("1"), ("true", "01")),
        Case(WORDS, "int", same("12"), ("1.7", " 12", "1e3", "+5")),
        Case(WORDS, "decimal(5,1)", same("1.5"), ("1.5e1", "1.55", "007")),
        Case(WORDS, "float", {"0.5": "0.5"}, ("0.123456789", "16777217")),
        Case(t.Float(), "double(9,2)", same("1.25"), ("1.255", "1e-07")),
        Case(WORDS, "char(10)", same("abc"), ("abc ",)),
        Case(WORDS, "blob", {"é": "\\xc3a9"}),
        Case(WORDS, "bit(3)", same("101"), ("5", "11")),
        Case(t.Bit(3, varying=True), "bit(3)", same("101"), ("", "1")),
        Case(t.Bit(3, varying=True), "int", {"011": "3"}, ("",)),
        Case(WORDS, "uuid", {UUID.upper(): UUID}, ("a",)),
        Case(WORDS, "json", same('{"a":1,"a":2}'), ("[",)),
        Case(WORDS, "date", same(DAY), ("20200102", "20-01-02", "2020/1/4", f"{DAY} 00:00:00", f"0{DAY}")),
        Case(WORDS, "datetime", {f"{DAY}T{CLOCK}": MOMENT},
             (DAY, "20200102102030", f"{MOMENT}+02:00", f"{MOMENT}.5", *ROLLING)),
        Case(WORDS, "datetime(6)", same(f"{MOMENT}.123456"), (f"{MOMENT}.1234567",)),
        Case(WORDS, "timestamp", same(MOMENT), ("20200102102030", *ROLLING)),
        Case(WORDS, "time", same(CLOCK, "24:00:00", "-838:59:59"),
             ("1112", "11:12", "1 10:00", "10:20:30.5", "23:59:60", "010:20:30")),
        Case(WORDS, "time(6)", same(f"{CLOCK}.123456"), (f"{CLOCK}.1234567",)),
        Case(t.Integer(), "time", {}, ("1112",)),
        Case(t.Interval(), "time", same(CLOCK), ("1 day", "1 day 10:00:00")),
        Case(t.Time(), "datetime", {}, (CLOCK, "24:00:00")),
        Case(t.Date(), "timestamp", {DAY: f"{DAY} 00:00:00"}),
        Case(t.Integer(), "char(3)", same("123", "-12"), ("1234",)),
        Case(t.Integer(), "varchar(3)", same("123"), ("-123",)),
        Case(t.Year(), "varchar(4)", {"2018": "2018", "0": "0000"}),
        Case(t.String(3, fixed=True), "char(5)", {"ab ": "ab"}),
        Case(t.Uuid(), "blob", {UUID: "\\x" + UUID.replace("-", "")}),
        Case(t.Binary(), "text", {}, ("a",)),
        Case(t.Decimal(), "date", {}, ("20200102",)),
        Case(t.Decimal(), "blob", {}, ("12",)),
        Case(t.Time(zoned=True), "time", {}, ("10:20:30+02",)),
        Case(WORDS, "inet4", same("10.0.0.1"), ("10.1", "a")),
        Case(WORDS, "inet6", same("::1", "::ffff:10.0.0.1"), ("0::1", "10.0.0.1")),
        Case(WORDS, "point", {}, ("a", "0101")),
    ),
    "sqlite": (
        Case(WORDS, "BOOLEAN", same("1"), ("yes", "01")),
        Case(WORDS, "INT", same("12"), ("007", " 12", "1.7")),
        Case(WORDS, "NUMERIC", {"1.5": "1.5"}, ("1e3", "00123")),
        Case(WORDS, "DECIMAL(9,2)", {"1.5": "1.5"}, ("1.505", "007")),
        Case(WORDS, "DATE", same(DAY), ("now", "20200102")),
        Case(WORDS, "DATETIME(0)", same(MOMENT), (f"{MOMENT}+02:00", DAY, *ROLLING)),
        Case(WORDS, "TIME(0)", same(CLOCK), ("10:20", "23:59:60", "24:00:00")),
        Case(WORDS, "YEAR", same("2018"), ("18", "0")),
        Case(t.Integer(), "YEAR", same("2018", "0"), ("18",)),
        Case(t.Bit(3, varying=True), "INT", {"011": "3"}, ("",)),
        Case(t.Bit(1, varying=True), "BOOLEAN", same("1", "0"), ("",)),
        Case(WORDS, "BLOB", {"é": "\\xc3a9"}),
        Case(t.Binary(), "TEXT", {}, ("a",)),
        Case(t.Time(), "DATETIME", {}, (CLOCK,)),
    ),
}  # fmt: skip


OF_EACH: Mapping[t.Type, tuple[str, str]] = {
    t.Boolean(): ("true", "false"),
    t.Integer(): ("7", "2"),
    t.Decimal(9, 2): ("1.50", "2.00"),
    t.Float(): ("0.5", "2"),
    t.String(): ("a", "2"),
    t.Date(): (DAY, "2020-01-03"),
    t.Time(): (f"{CLOCK}.000000", "10:20:31"),
    t.Time(zoned=True): (f"{CLOCK}+02", f"{CLOCK}+03"),
    t.Timestamp(): (SIX, DAY),
    t.Timestamp(zoned=True): (SIX, f"{MOMENT}.5"),
    t.Interval(): ("1 day", "2 days"),
    t.Year(): ("2018", "2019"),
    t.Json(): ("{}", "2"),
    t.Uuid(): (UUID, UUID.replace("a", "b")),
    t.Xml(): ("<a/>", "<b/>"),
    t.Bit(3): ("101", "010"),
    t.Enum(("b", "2")): ("b", "2"),
    t.SetOf(("c", "2")): ("c", "2"),
    t.Array(t.String()): ("{d}", "{e}"),
    t.Native("postgresql", "inet"): ("10.0.0.1", "2"),
}
"""A type of each class but bytes, with the texts of two values."""
LABELS = ",".join(dict.fromkeys(f"'{text}'" for text, _ in OF_EACH.values()))
CASES["mysql"] += tuple(
    Case(source, f"{kind}({LABELS})", same(text), (other,))
    for kind in ("enum", "set")
    for source, (text, other) in OF_EACH.items()
)
CASES["sqlite"] += tuple(Case(source, "TEXT", same(text)) for source, (text, _) in OF_EACH.items())


@dataclass(frozen=True)
class Bench:
    """Each database with a table for each case, and how its adapter describes them."""

    ends: dict[str, End]
    tables: dict[str, dict[str, Table]]
    urls: dict[str, str]


@pytest.fixture(scope="module")
def bench(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    running = {"postgresql": servers.postgresql(), "mysql": servers.mysql()}
    fresh = {name: server.fresh() for name, server in running.items()}
    urls = {name: url.render_as_string(hide_password=False) for name, url in fresh.items()}
    urls["sqlite"] = f"sqlite:///{tmp_path_factory.mktemp('between')}/there.db"
    ends = {name: end(urls[name]) for name, end in ENDS.items()}
    ends["postgresql"].run("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    ends["postgresql"].run("CREATE TYPE truth AS ENUM ('false', 'true')")
    found = {}
    for name, end in ends.items():
        lacking = MARIADB_ALONE if isinstance(end, MySQLEnd) and not end.is_mariadb else frozenset()
        for number, case in enumerate(CASES[name]):
            if case.declaration in lacking:
                continue
            end.run(f"CREATE TABLE t{number} (id INTEGER, v {case.declaration})")
        found[name] = {table.name: table for table in end.catalog(proof=False).of(Table)}
    yield Bench(ends, found, urls)
    for end in ends.values():
        end.close()
    for name, url in fresh.items():
        running[name].drop(url.database or "")


OF_MARIADB = pytest.mark.product("MariaDB", "UUIDs and addresses among its types")
EACH = [
    pytest.param(
        *(name, number),
        id=f"{name} {case.source} to {case.declaration}",
        marks=OF_MARIADB if name == "mysql" and case.declaration in MARIADB_ALONE else (),
    )
    for name, cases in CASES.items()
    for number, case in enumerate(cases)
]
NAMED = re.compile(r"\bv\b")
PARSED = {'{"a":1,"a":2}': '{"a": 2}'}
"""What MySQL, which parses documents, makes of them."""


def put(end: End, made: Table, case: Case, text: str, path: str) -> None:
    """A value and a NULL, by one path."""
    table = Table("s", "t", (Column("id", t.Integer()), Column("v", case.source)))
    source, target = matched(table, made)
    load = Load(made.qname, source, target, path == "conventional path")
    assert not any(end.adapter.takes_stream(load, format_) for format_ in end.adapter.capabilities.takes)
    assert not end.adapter.same_values(load, table, made)
    batch = arrow.batch_of(source, [pa.array([1, 2], pa.int32()), case.values(text)])
    with database_errors(end.adapter), end.writing(fresh=path == "external table") as connection:
        if path == "external table":
            through_staging(end.adapter, connection, load, None, lambda into: end.adapter.load(connection, into, [batch]))
        else:
            end.adapter.load(connection, load, [batch])


@pytest.mark.parametrize(("name", "number"), EACH)
def test_a_value_arrives_as_it_is_or_is_refused_on_every_path(bench: Bench, name: str, number: int) -> None:
    end, case = bench.ends[name], CASES[name][number]
    made = bench.tables[name][f"t{number}"]
    for path in PATHS:
        for text, printed in case.kept.items():
            if isinstance(end, MySQLEnd) and not end.is_mariadb and case.declaration == "json":
                printed = PARSED.get(text, printed)
            put(end, made, case, text, path)
            assert end.shown(made.name, ("id", "v")) == [("1", printed), ("2", None)], path
            end.run(f"DELETE FROM {made.name}")
        for text in case.refused:
            with pytest.raises(MigratorError) as refusal:
                put(end, made, case, text, path)
            assert NAMED.search(str(refusal.value)), f"no column is named: {refusal.value}"
            assert end.shown(made.name, ("id", "v")) == [], f"{path}: {text!r}"


def walked(bench: Bench) -> Iterator[tuple[t.Type, t.Type]]:
    """The types of each case."""
    for name, cases in CASES.items():
        for number, case in enumerate(cases):
            if (made := bench.tables[name].get(f"t{number}")) is not None:
                yield case.source, t.base_of(made.column("v").type)


def test_every_row_of_the_table_is_walked_on_some_database(bench: Bench) -> None:
    met = {passage(*types) for types in walked(bench)}
    unwalked = [row for row in PASSAGES if row not in met and (row.kept or row.rule or row.refused)]
    assert unwalked == []


def test_a_row_about_all_types_is_walked_from_each_class_into_each(bench: Bench) -> None:
    pairs = [(passage(here, there), type(here), type(there)) for here, there in walked(bench)]
    targets = {there for _, there in walked(bench)}
    asked = {(passage(here, there), type(here), type(there)) for here in OF_EACH for there in targets}
    of_all = {row for row in PASSAGES if row.source == (t.Type,) and row.target is not t.Type}
    assert {pair for pair in asked if pair[0] in of_all} <= set(pairs)
    assert of_all <= {row for row, _, _ in pairs}


def test_a_link_tells_what_a_column_makes_of_all_its_values(bench: Bench, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path}/source.db"
    execute(source, "CREATE TABLE one (id INTEGER, at TIMESTAMPTZ, doc TEXT, word TEXT, raw TEXT, n DECIMAL(5,2))")
    execute(source, f"INSERT INTO one VALUES (1, '{MOMENT}+00:00', '{{}}', 'a', 'b', 1.25)")
    end = bench.ends["postgresql"]
    end.run("CREATE TABLE one (id bigint, at timestamp, doc jsonb, word character(3), raw bytea, n double precision)")
    target = bench.urls["postgresql"]
    run = pump(
        "impdp", target, f"NETWORK_LINK={source}", remap(source, target), "TABLE_EXISTS_ACTION=APPEND", "NOLOGFILE=YES"
    )
    assert run.code == 0, run.out + run.err
    rules = {line.rpartition('."')[2].split('"')[0]: line.rpartition("[")[2].rstrip("]") for line in run.losses}
    assert rules == {
        "at": "existing-zone",
        "doc": "existing-json",
        "word": "padding",
        "raw": "existing-bytes",
        "n": "existing-float",
    }
    assert rows(target, "SELECT id, at::text, doc::text, word, raw, n FROM one") == [(1, MOMENT, "{}", "a  ", b"b", 1.25)]


@pytest.mark.parametrize("name", sorted(ENDS))
@pytest.mark.parametrize("own", ["", "GENERATED ALWAYS AS (id * 2)", "GENERATED ALWAYS AS ( (id*100) )"])
def test_a_column_that_the_target_computes_takes_no_values_unseen(bench: Bench, tmp_path: Path, name: str, own: str) -> None:
    """Values of the source's own have no place there; what both compute each in its own way is told."""
    source, target = f"sqlite:///{tmp_path}/source.db", bench.urls[name]
    table = f"computed{len(own)}"
    execute(source, f"CREATE TABLE {table} (id INTEGER, g INTEGER {own})", f"INSERT INTO {table} (id) VALUES (1)")
    bench.ends[name].run(f"CREATE TABLE {table} (id INTEGER, g INTEGER GENERATED ALWAYS AS (id * 100) STORED)")
    run = pump(
        "impdp", target, f"NETWORK_LINK={source}", remap(source, target), "TABLE_EXISTS_ACTION=APPEND", "NOLOGFILE=YES"
    )
    if own:
        assert run.code == 0, run.out + run.err
        told = [line for line in run.losses if "the target's own expression computes it" in line]
        assert len(told) == ("2" in own), run.out
        assert rows(target, f"SELECT id, g FROM {table}") == [(1, 100)]
    else:
        assert run.code == 5, run.out + run.err
        assert "MIG-20014: column" in run.out
        assert rows(target, f"SELECT id, g FROM {table}") == []
