"""Long values: cut by the batches, buffers and packets between two databases, longer than a server takes, and by memory."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.arrow import BATCH_BYTES
from migrator.model.objects import QName
from tests.support.ends import ENDS, End, MySQLEnd
from tests.support.paths import PATHS, Refused, Stored, moved, read
from tests.support.servers import Servers

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

LENGTHS = (0, 1, 250, 251, 65_535, 65_536, BATCH_BYTES - 1, BATCH_BYTES + 1, 3)
"""Lengths in bytes at which forms of length fields change, and batches end."""
MIB = 1 << 20
PIECE = "é\\\t\n'\"😀\r"
TEXT = {"sqlite": "TEXT", "postgresql": "text", "mysql": "longtext"}
BYTES = {"sqlite": "BLOB", "postgresql": "bytea", "mysql": "longblob"}
ID = {"sqlite": "INTEGER", "postgresql": "bigint", "mysql": "bigint"}
OTHER = {"sqlite": "d DECIMAL_TEXT", "postgresql": "d numeric", "mysql": "d decimal(65,30)"}

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def fresh(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """The URL of a new database of each kind."""
    directory, made = tmp_path_factory.mktemp("long"), []

    def make(name: str) -> str:
        if name == "sqlite":
            return f"sqlite:///{directory}/{len(list(directory.iterdir()))}.db"
        server = servers.postgresql() if name == "postgresql" else servers.mysql()
        url = server.fresh()
        made.append((server, url.database or ""))
        return url.render_as_string(hide_password=False)

    yield make
    for server, name in made:
        server.drop(name)


@pytest.fixture
def end(fresh: Fresh) -> Iterator[Callable[[str], End]]:
    made: list[End] = []

    def make(name: str) -> End:
        made.append(ENDS[name](fresh(name)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def text_of(length: int) -> str:
    """A text of about so many bytes of UTF-8, whose characters lie across any boundary."""
    raw = (PIECE * (length // len(PIECE.encode()) + 1)).encode()[:length]
    return raw.decode(errors="ignore")


def as_text(end: End, value: str) -> str:
    if end.name == "postgresql":
        return f"'{value.replace(chr(39), 2 * chr(39))}'"
    return f"CAST(x'{value.encode().hex()}' AS TEXT)" if end.name == "sqlite" else f"_utf8mb4 x'{value.encode().hex()}'"


def as_bytes(end: End, value: bytes) -> str:
    return f"'\\x{value.hex()}'" if end.name == "postgresql" else f"x'{value.hex()}'"


# --- boundaries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENDS)
def test_values_that_batches_and_buffers_cut_come_whole_on_every_path(
    end: Callable[[str], End], name: str, tmp_path: Path
) -> None:
    source = end(name)
    columns = f"v {TEXT[name]}, w {TEXT[name]}, b {BYTES[name]}, {OTHER[name]}"
    source.run(f"CREATE TABLE big (id {ID[name]}, {columns})")
    texts: list[str | None] = [text_of(length) for length in LENGTHS] + [None]
    octets: list[bytes | None] = [bytes(range(256)) * (length // 256) + bytes(length % 256) for length in LENGTHS] + [None]
    rows = [
        (str(id_), "NULL" if v is None else as_text(source, v), "'w'", "NULL" if b is None else as_bytes(source, b), "1.5")
        for id_, (v, b) in enumerate(zip(texts, octets, strict=True))
    ]
    source.put("big", rows)
    catalog = source.catalog()
    table = catalog.table(QName(source.server.schema, "big"))
    assert table is not None
    digits = [None if b is None else f"\\x{b.hex()}" for b in octets]
    for target in map(end, ENDS):
        with read(source, catalog, table, [row[0] for row in rows]) as found:
            assert len(found.batches) > 1
            for path in PATHS:
                outcome = moved(path, found, target, tmp_path)
                if outcome is None:
                    continue
                assert isinstance(outcome, Stored), f"{target.name}, {path.name}: {outcome.why}"
                assert [row[1] for row in outcome.rows] == texts, f"{target.name}, {path.name}"
                if path.beside == "b":
                    assert [row[2] for row in outcome.rows] == digits, f"{target.name}, {path.name}"


# --- longer than a server takes -------------------------------------------------------------------------------------


@pytest.fixture
def four_megabytes(end: Callable[[str], End]) -> Iterator[MySQLEnd]:
    """MySQL with the smallest usual ``max_allowed_packet``; what is there already may be longer."""
    server = end("mysql")
    assert isinstance(server, MySQLEnd)
    before = server.shown("(SELECT @@GLOBAL.max_allowed_packet AS n) x", ["n"])[0][0]
    yield server
    server.run(f"SET GLOBAL max_allowed_packet = {before}")


LONG = {
    "longtext": "CONCAT('\"', REPEAT('a', {}), '\"')",
    "longtext character set utf8mb3": "REPEAT('é', {} / 2)",
    "longtext character set gbk": "REPEAT('你', {} / 2)",
    "longtext character set latin1": "REPEAT('é', {})",
    "json": "CONCAT('\"', REPEAT('a', {}), '\"')",
    "longblob": "REPEAT(x'5c', {})",
    "geometry": "ST_LineFromText(CONCAT('LINESTRING(0 0', REPEAT(',1 1', {} / 16), ')'))",
}


@pytest.mark.parametrize("declaration", LONG)
def test_a_value_longer_than_mysqls_packet_is_moved_or_refused_by_its_column(
    end: Callable[[str], End], four_megabytes: MySQLEnd, declaration: str, tmp_path: Path
) -> None:
    source = four_megabytes
    source.run(f"CREATE TABLE big (id bigint, v {declaration}, w text, b longblob, d decimal(65,30))")
    source.run(f"INSERT INTO big VALUES (0, {LONG[declaration].format(5 * MIB)}, 'w', x'00', 1.5)")
    printed = source.shown("big", ("v",))
    source.run(f"SET GLOBAL max_allowed_packet = {4 * MIB}")
    target = end("mysql")  # a connection has the packet that was allowed when it began
    catalog = source.catalog()
    table = catalog.table(QName(source.server.schema, "big"))
    assert table is not None
    with read(source, catalog, table, ["0"]) as rows:
        for path in PATHS:
            outcome = moved(path, rows, target, tmp_path)
            if path.conventional:
                assert isinstance(outcome, Refused)
                assert ".v: a value of" in outcome.why
            elif outcome is not None:
                assert isinstance(outcome, Stored), outcome
                assert [row[1] for row in outcome.rows] == [row[0] for row in printed]


def test_a_field_that_sqlite_does_not_hold_is_refused(end: Callable[[str], End], tmp_path: Path) -> None:
    source, target = end("postgresql"), end("sqlite")
    source.run("CREATE TABLE big (id bigint, v text, w text, b bytea, d numeric)")
    source.run(f"INSERT INTO big VALUES (0, repeat('a', {MIB}), 'w', '', 1)")
    catalog = source.catalog()
    table = catalog.table(QName("public", "big"))
    assert table is not None
    target.limit_length(MIB)  # type: ignore[attr-defined]
    with read(source, catalog, table, ["0"]) as rows:
        for path in PATHS[:-1]:
            outcome = moved(path, rows, target, tmp_path)
            assert isinstance(outcome, Refused)
            assert "too big" in outcome.why


# --- memory ---------------------------------------------------------------------------------------------------------

FIELD = 32 * MIB
"""A database's own limit, 1 GB, would take minutes; memory is counted in fields, whatever their length."""
FIELDS_AT_ONCE = 12
"""Two batches wait, one is read, one is written, and what is sent of it is another form: text, digits, literals."""

FILLED = {
    "sqlite": f"randomblob({FIELD})",
    "postgresql": f"decode(repeat('5c', {FIELD}), 'hex')",
    "mysql": f"REPEAT(x'5c', {FIELD})",
}


@pytest.mark.parametrize("way", ["direct", "conventional"])
@pytest.mark.parametrize(("name", "into"), [("sqlite", "postgresql"), ("postgresql", "mysql"), ("mysql", "sqlite")])
def test_memory_is_a_small_multiple_of_the_longest_field(fresh: Fresh, name: str, into: str, way: str) -> None:
    urls, sums = [fresh(name), fresh(into)], []
    source, target = (ENDS[kind](url) for kind, url in zip((name, into), urls, strict=True))
    for each in (source, target):
        each.run(f"CREATE TABLE big (id {ID[each.name]}, v {BYTES[each.name]})")
    for number in range(4):
        source.run(f"INSERT INTO big VALUES ({number}, {FILLED[name]})")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.large", *urls, way], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    for each in (source, target):
        sums.append([hashlib.md5((row[0] or "").encode()).hexdigest() for row in each.shown("big", ("v",))])
        each.close()
    assert told["refused"] == ""
    assert sorted(sums[0]) == sorted(sums[1])
    assert told["peak"] - told["before"] < FIELDS_AT_ONCE * FIELD
