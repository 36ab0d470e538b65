"""Every type of each database into every type of each: what a column reads otherwise is told, or refused.

What is read is what each server itself prints, by its plain driver. No entry, no change; but a number is the same however
many zeros follow its point, a time however many follow its second, and MySQL's truth values are 0 and 1, its
year 0 is written 0000.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from migrator.adapter import Facts, Load, Read, as_heard_by
from migrator.converting import Counts, converter
from migrator.ends import database_errors
from migrator.errors import InternalError, MigratorError
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from migrator.operations.matching import matched
from migrator.operations.target import of_existing
from migrator.policies import Policies
from tests.support.ends import ENDS, End, MySQLEnd
from tests.support.literals import MARIADB_ALONE
from tests.support.servers import Servers

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

PG, MY, LITE = "postgresql", "mysql", "sqlite"

SOURCES: Mapping[str, Mapping[str, Sequence[str]]] = {
    PG: {
        "boolean": ("true", "false"),
        "integer": ("7",),
        "numeric(9,2)": ("1.50", "-12.00"),
        "real": ("0.1", "1e-7"),
        "double precision": ("'NaN'", "2", "'-0'"),
        "char(3)": ("'a'", "'1'"),
        "text": (
            "''",
            "'007'",
            "'1.50'",
            "'12'",
            "'true'",
            "'2020-01-02T10:20:30'",
            "'10:20:30'",
            "'ab '",
            "'2020-01-02 23:59:60'",
            "'24:00:00'",
            "'10.0.0.1'",
            "'{a}'",
            "'08:00:2b:01:02:03'",
            "'$1.50'",
            "'[1,3)'",
        ),
        "bytea": ("'a'",),
        "date": ("'2020-01-02'", "'infinity'"),
        "time": ("'10:20:30'",),
        "timestamp": ("'2020-01-02 00:00:00'", "'2020-01-02 10:20:30.5'"),
        "timestamptz": ("'2020-01-02 10:20:30Z'", "'infinity'"),
        "interval": ("'10:20:30'", "'1 day'"),
        "jsonb": ("'1.0'",),
        "uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",),
        "bit(3)": ("B'101'",),
        "varbit(1)": ("B''", "B'1'"),
        "inet": ("'10.0.0.1'", "'10.0.0.0/8'"),
        "money": ("'1.50'",),
        "text[]": ("'{a}'",),
        '"char"': ("'a'",),
    },
    MY: {
        "tinyint(1)": ("1", "7"),
        "int(5) zerofill": ("7",),
        "decimal(9,2)": ("1.50", "-12"),
        "float": ("0.1",),
        "char(3)": ("'a'", "'1'"),
        "varchar(20)": ("''", "'007'", "'1.50'", "'12'", "'2020-01-02T10:20:30'", "'10:20:30'", "'ab '"),
        "varbinary(5)": ("'a'",),
        "date": ("'2020-01-02'", "'0000-00-00'"),
        "time": ("'10:20:30'",),
        "datetime": ("'2020-01-02 00:00:00'", "'2020-01-02 10:20:30'"),
        "timestamp(3) null": ("'2020-01-02 10:20:30.5'",),
        "year": ("2018", "0"),
        "enum('a','12')": ("'a'", "'12'"),
        "bit(3)": ("b'101'",),
        "uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",),
        "set('a','12')": ("'a,12'", "''"),
        "inet6": ("'::1'",),
        "point": ("POINT(1,2)",),
    },
    LITE: {
        "BOOLEAN": ("1",),
        "INTEGER": ("7",),
        "DECIMAL(9,2)": ("1.5", "2"),
        "REAL": ("0.1", "2.0"),
        "CHAR(3)": ("'a'", "'ab '"),
        "TEXT": ("''", "'007'", "'1.50'", "'12'", "'2020-01-02T10:20:30'", "'10:20:30'"),
        "BLOB": ("x'61'",),
        "DATE": ("'2020-01-02'",),
        "TIME": ("'10:20:30'",),
        "DATETIME": ("'2020-01-02 10:20:30'",),
        "YEAR": ("2018",),
        "UUID": ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",),
    },
}
TARGETS: Mapping[str, Sequence[str]] = {
    PG: ("boolean", "smallint", "numeric(9,4)", "double precision", "char(5)", "varchar(40)", "bytea", "date", "time",
         "timestamp(0)", "timestamptz", "interval", "jsonb", "uuid", "bit varying(5)", "xml", "json", "inet", "macaddr",
         "oid", "money", "int4range", "tsvector", "text[]", '"char"', "name"),
    MY: ("tinyint(1)", "int(8) zerofill", "decimal(9,4)", "double", "char(5)", "varchar(40)", "blob", "date", "time",
         "datetime", "timestamp(6) null", "year", "json", "uuid", "bit(3)", "enum('1','a','12')",
         "enum('false','true')", "set('false','true','1')",
         "enum('10:20:30','2020-01-02','2020-01-02 10:20:30','2020-01-02 10:20:30.000000')", "inet6", "geometry"),
    LITE: ("BOOLEAN", "INTEGER", "DECIMAL(9,4)", "DOUBLE", "CHAR(5)", "TEXT", "BLOB", "DATE", "TIME", "DATETIME(0)", "YEAR",
           "UUID"),
}  # fmt: skip

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_ZEROS = re.compile(r"(:\d\d)(?:\.0+|(\.\d*?[1-9])0+)(?=$|\+)")
_UTC = re.compile(r"\+00(?::00)?$")
_NUMBERS = {"t": "1", "f": "0", "0000": "0"}
"""What is shown of a truth value by PostgreSQL, and of the year 0 by MySQL, as numbers."""


def is_same(before: str | None, after: str | None) -> bool:
    """Whether two texts say the same number, time or truth value."""
    if before == after or before is None or after is None:
        return before == after
    texts = _NUMBERS.get(before, before), _NUMBERS.get(after, after)
    if all(map(_NUMBER.fullmatch, texts)):
        return _number(texts[0]) == _number(texts[1])
    return _time(before) == _time(after)


def _number(text: str) -> tuple[bool, Decimal]:
    """A number, and whether it has a minus sign, as -0 has."""
    return Decimal(text).is_signed(), Decimal(text)


def _time(text: str) -> str:
    return _UTC.sub("", _ZEROS.sub(r"\1\2", text))


def _of_midnight(text: str) -> str:
    return _time(text).removesuffix(" 00:00:00")


def _truth(text: str) -> str:
    return {"t": "1", "true": "1", "f": "0", "false": "0"}.get(text.rstrip(), text)


def _single(text: str) -> str:
    return str(np.float32(text))


def _double(text: str) -> str:
    return str(np.float64(text))


def _unfilled(text: str) -> str:
    return re.sub(r"^0+(?=\d)", "", text)


def _digits(text: str) -> str:
    return text.removeprefix("\\x").replace("-", "").lower()


def _bits(was: str, now: str) -> tuple[str, str]:
    """Bits as they are in a text, in bytes, or as the number that they write."""
    if now.startswith("\\x"):
        return "\\x" + (f"{int(was, 2):0{-(-len(was) // 8) * 2}x}" if was else ""), now
    return (was, now) if now.startswith(was) else (str(int(was, 2)), now)


SAID: Mapping[str, Callable[[str, str], tuple[str, str]]] = {
    "declaration": lambda was, now: (was.removeprefix("\\x").upper(), now),
    "existing-bits": _bits,
    "existing-array": lambda was, now: ("{" + was + "}", now),
    "existing-bytes": lambda was, now: ("\\x" + was.encode().hex(), now),
    "existing-float": lambda was, now: (_double(was), _double(now)),
    "existing-json": lambda was, now: (str(json.loads(was)), str(json.loads(now))),
    "existing-midnight": lambda was, now: (_of_midnight(was), _of_midnight(now)),
    "existing-truth": lambda was, now: (_truth(was), _truth(now)),
    "existing-uuid": lambda was, now: (_digits(was), _digits(now)),
    "existing-written": lambda was, now: (was.replace("T", " "), now),
    "existing-zeros": lambda was, now: (_unfilled(was), _unfilled(now)),
    "existing-zone": lambda was, now: (_of_midnight(was.replace("T", " ")), _of_midnight(now)),
    "negative-zero": lambda was, now: (was.removeprefix("-"), now),
    "padding": lambda was, now: (was.rstrip(), now.rstrip()),
}
"""Each rule's entry by what it says: how a value was read, and how it is, without what the entry names."""


_OF_SINGLES = {**SAID, "existing-float": lambda was, now: (_single(was), _single(now))}
"""The same where the source's or the target's column has floating-point numbers of 32 bits."""


def is_said(before: str | None, after: str | None, rules: Iterable[str], kinds: Iterable[t.Type] = ()) -> bool:
    """Whether the entries of some rules say all that is read otherwise of a value between columns of two types."""
    said = _OF_SINGLES if t.Float(32) in kinds else SAID
    if before is None or after is None or is_same(before, after):
        return is_same(before, after)
    for rule in sorted(set(rules) & said.keys()):
        before, after = said[rule](before, after)
    return is_same(before, after)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("1.50", "1.5", True),
        ("t", "1", True),
        ("1e-07", "1e-7", True),
        ("10:20:30.500", "10:20:30.5", True),
        ("007", "7", False),
        ("1  ", "1", False),
        ("-0", "0", False),
        ("10", "1", False),
    ],
)
def test_what_counts_as_the_same(before: str, after: str, same: bool) -> None:
    assert is_same(before, after) == same


def test_digits_beyond_32_bits_count_where_no_column_has_32() -> None:
    change, rules = ("0.1", "0.10000000149011612"), ("existing-float",)
    assert is_said(*change, rules, (t.Float(32), t.Float()))
    assert not is_said(*change, rules, (t.Decimal(), t.Float()))


Ends = Mapping[str, tuple[End, End]]


@pytest.fixture(scope="module")
def ends(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """Of each kind of database one with a table for each type of SOURCES, and one with a table for each of TARGETS."""
    path = tmp_path_factory.mktemp("existing")
    running = {PG: servers.postgresql(), MY: servers.mysql()}
    urls: dict[str, list[str]] = {LITE: [f"sqlite:///{path}/{name}.db" for name in ("source", "target")]}
    fresh = {name: [server.fresh() for _ in range(2)] for name, server in running.items()}
    urls |= {name: [url.render_as_string(hide_password=False) for url in made] for name, made in fresh.items()}
    found = {name: (ENDS[name](urls[name][0]), ENDS[name](urls[name][1])) for name in ENDS}
    for name, (source, target) in found.items():
        lacking = MARIADB_ALONE if isinstance(source, MySQLEnd) and not source.is_mariadb else frozenset()
        for number, (declaration, values) in enumerate(SOURCES[name].items()):
            if declaration in lacking:
                continue
            source.run(f"CREATE TABLE t{number} (id integer, v {declaration})")
            source.put(f"t{number}", [(str(n), value) for n, value in enumerate(values)])
        for number, declaration in enumerate(TARGETS[name]):
            if declaration in lacking:
                continue
            target.run(f"CREATE TABLE t{number} (id integer, v {declaration})")
    yield found
    for pair in found.values():
        for end in pair:
            end.close()
    for name, made in fresh.items():
        for url in made:
            running[name].drop(url.database or "")


def rows_of(end: End, table: Table) -> list[pa.RecordBatch]:
    """The rows of a table, each by itself."""
    with end.reading() as connection:
        batches = list(end.adapter.batches(connection, Read(table.source, table.columns)))
    return [batch.slice(number, 1) for batch in batches for number in range(batch.num_rows)]


def stored(here: End, there: End, table: Table, made: Table, row: pa.RecordBatch) -> tuple[str | None, Counts]:
    """What a target's table reads of a row, and how many of its values the entries about it count.

    :raises MigratorError: it is refused.
    """
    source, target = matched(table, made)
    existing = Catalog(there.adapter.name, "", (replace(made, schema=table.schema, name=table.name),))
    losses = of_existing(table, existing, Facts(), here.adapter.name, there.adapter, Policies((), (table,)))
    rules = [(loss.column, loss.rule) for loss in losses if loss.each and loss.column is not None]
    changing = converter(source, target, [{} for _ in source], here.adapter, there.adapter, rules)
    counts: Counts = Counter()
    batch = row if changing is None else changing.convert(row, counts)
    load = Load(made.qname, as_heard_by(there.adapter.name, source, here.adapter.name), target)
    with database_errors(there.adapter), there.writing() as connection:
        there.adapter.load(connection, load, [batch])
    ((_, read),) = there.shown(made.name, ("id", "v"))
    there.run(f"DELETE FROM {made.name}")
    return read, counts


def untold(here: End, there: End) -> Iterator[str]:
    """The values that read otherwise than the entries that count them say."""
    sources, targets = (tuple(end.catalog(proof=proof).of(Table)) for end, proof in ((here, True), (there, False)))
    taken = refused = 0
    for table in sources:
        before = [value for _, value in here.shown(table.name, ("id", "v"))]
        rows = rows_of(here, table)
        assert len(rows) == len(before)
        for made in targets:
            for row, was in zip(rows, before, strict=True):
                try:
                    read, counts = stored(here, there, table, made, row)
                except InternalError:
                    raise
                except MigratorError:
                    refused += 1
                    continue
                taken += 1
                rules = [str(rule) for _, rule, _ in counts]
                if not is_said(was, read, rules, (table.column("v").type, made.column("v").type)):
                    change = f"{table.column('v').native} to {made.column('v').native}: {was!r} reads {read!r}"
                    yield f"{change}, said: {rules}"
    assert taken > len(sources)
    assert refused > len(sources)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_reads_otherwise_untold(source: str, target: str, ends: Ends) -> None:
    assert list(untold(ends[source][0], ends[target][1])) == []
