"""Granules on real servers: each row lies in one of them whatever the key, and a granule is read by a range, not a scan."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.adapter import Granule, Key, Read, key_granules, load_adapter
from migrator.model import types as t
from migrator.model.objects import Column, QName, Table
from migrator.testing import Workbench
from tests.support import sqlite
from tests.support.jobs import next_second
from tests.support.sql import fitting

EXAMPLES = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
SIZES = st.sampled_from([1, 100, 1000, 1 << 30])


def covered(bench: Workbench, table: Table, size: int) -> int:
    """How many granules there are; together they have each number of ``n`` once."""
    granules = bench.granules(table, size)
    with bench.connect() as connection:
        numbers = connection.exec_driver_sql(f"SELECT n FROM {bench.ddl(table).name_of(table)}").scalars().all()
    assert sorted(chain(*bench.granule_rows(table, granules, "n"))) == sorted(numbers)
    return len(granules)


def execute(bench: Workbench, *statements: str) -> None:
    with bench.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(fitting(statement, connection))


def plan(bench: Workbench, sql: str) -> str:
    """What the server says about how it runs a query, in a transaction as a job reads in."""
    with bench.reading() as connection:
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN {sql}".replace("%", "%%")))


# --- the walk along a key -------------------------------------------------------------------------------------------


class Numbers:
    """The rows of a sorted list, a number of ``width(n)`` bytes each."""

    def __init__(self, numbers: Sequence[int], width: Callable[[int], int] = lambda _: 10) -> None:
        self.numbers, self.width = sorted(numbers), width

    def _from(self, start: Key | None) -> list[int]:
        return [n for n in self.numbers if start is None or n >= int(start[0])]

    def row_bytes(self, start: Key | None) -> float | None:
        widths = [self.width(n) for n in self._from(start)[:3]]
        return sum(widths) / len(widths) if widths else None

    def skip(self, start: Key | None, rows: int) -> Key | None:
        return next(((str(n),) for n in self._from(start)[rows:]), None)

    def count(self, start: Key | None) -> int:
        return len(self._from(start))

    def between(self, start: Key | None, end: Key | None) -> str:
        return f"{start and start[0]}..{end and end[0]}"


def test_a_key_is_cut_at_about_the_size() -> None:
    assert key_granules(Numbers([5, 1, 3, 9, 7]), 20) == (
        Granule(where="None..5", bytes=20),
        Granule(where="5..9", bytes=20),
        Granule(where="9..None", bytes=10),
    )


def test_an_empty_table_is_one_granule() -> None:
    assert key_granules(Numbers([]), 20) == (Granule(),)


def test_where_rows_are_longer_a_granule_has_fewer() -> None:
    granules = key_granules(Numbers(range(40), lambda n: 10 if n < 20 else 100), 200)
    assert [granule.where for granule in granules][:2] == ["None..20", "20..22"]


@given(st.sets(st.integers(), max_size=50), st.integers(1, 1000))
def test_granules_of_one_key_follow_each_other(numbers: set[int], size: int) -> None:
    bounds = [granule.where.split("..") for granule in key_granules(Numbers(list(numbers)), size)]
    if numbers:
        assert [bounds[0][0], bounds[-1][1]] == ["None", "None"]
        assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]


# --- MySQL ----------------------------------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_LATIN = st.text(st.characters(codec="latin-1"), max_size=12)
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=10)
_DATES = st.dates().map(str)
_MOMENTS = st.datetimes().map(lambda moment: moment.isoformat(" "))
_SPANS = st.integers(-(838 * 3600), 838 * 3600).map(
    lambda s: f"{'-' * (s < 0)}{abs(s) // 3600}:{abs(s) // 60 % 60}:{abs(s) % 60}"
)

MYSQL_KEYS: dict[str, tuple[Sequence[str], st.SearchStrategy[tuple[Any, ...]]]] = {
    "signed": (["bigint"], st.tuples(st.integers(-(2**63), 2**63 - 1))),
    "unsigned": (["bigint unsigned"], st.tuples(st.integers(0, 2**64 - 1))),
    "zerofill": (["int(8) zerofill"], st.tuples(st.integers(0, 2**32 - 1))),
    "decimal": (["decimal(40,10)"], st.tuples(_DECIMALS)),
    "text": (["varchar(50)"], st.tuples(_TEXT)),
    "binary collation": (["varchar(50) COLLATE utf8mb4_bin"], st.tuples(_TEXT)),
    "german collation": (["varchar(50) COLLATE utf8mb4_german2_ci"], st.tuples(_TEXT)),
    "no padding": (["varchar(50) COLLATE utf8mb4_unicode_nopad_ci"], st.tuples(_TEXT)),
    "latin1": (["char(50) CHARACTER SET latin1"], st.tuples(_LATIN)),
    "utf16": (["varchar(50) CHARACTER SET utf16"], st.tuples(_TEXT)),
    "bytes": (["varbinary(50)"], st.tuples(st.binary(max_size=12))),
    "fixed bytes": (["binary(16)"], st.tuples(st.binary(max_size=16))),
    "uuid": (["uuid"], st.tuples(st.uuids(version=4).map(str))),
    "address": (["inet6"], st.tuples(st.ip_addresses(v=6).map(str))),
    "date": (["date"], st.tuples(_DATES)),
    "moment": (["datetime(6)"], st.tuples(_MOMENTS)),
    "span": (["time"], st.tuples(_SPANS)),
    "number and text": (["int", "varchar(50)"], st.tuples(st.integers(-2, 2), _TEXT)),
    "three": (["date", "int", "varbinary(9)"], st.tuples(_DATES, st.integers(0, 1), st.binary(max_size=2))),
    "year": (["year", "int"], st.tuples(st.sampled_from([0, 1901, 1970, 2001, 2155]), st.integers(0, 5))),
    "enum": (["enum('z','a','m')", "int"], st.tuples(st.sampled_from("zam"), st.integers(0, 5))),
    "float": (["float"], st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False))),
}
WHOLE = {"year", "enum", "float"}
"""Keys whose values have no literals that compare as the index is ordered."""


@pytest.fixture
def mariadb(mysql: Callable[[], str]) -> Workbench:
    return Workbench.at(load_adapter("mysql"), mysql())


OF_MARIADB = ("no padding", "uuid", "address")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.product("MariaDB", kind) if kind in OF_MARIADB else ()) for kind in MYSQL_KEYS],
)
def test_mysql_ranges_of_a_key_hold_every_row_once(mariadb: Workbench, kind: str) -> None:
    types, values = MYSQL_KEYS[kind]
    names = [f"`k%%{i}`" for i in range(len(types))]
    columns = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in zip(names, types, strict=True))
    execute(mariadb, f"CREATE TABLE t ({columns}, n int, PRIMARY KEY ({', '.join(names)}))")
    table = mariadb.described("t")
    marks = ", ".join(["%s"] * (len(types) + 1))

    @EXAMPLES
    @given(st.lists(values, max_size=40), SIZES)
    def check(keys: list[tuple[Any, ...]], size: int) -> None:
        with mariadb.connect() as connection:
            connection.exec_driver_sql("DELETE FROM t")
            rows = [(*key, number) for number, key in enumerate(keys)]
            if rows:  # keys that the collation holds for equal are ignored
                connection.exec_driver_sql(f"INSERT IGNORE INTO t VALUES ({marks})", rows)
            held = connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar_one()
        granules = covered(mariadb, table, size)
        most = 1 if kind in WHOLE else max(1, held)
        assert granules == most if size == 1 else granules <= most

    check()


def test_mysql_reads_a_granule_by_the_index(mariadb: Workbench) -> None:
    execute(
        mariadb,
        "CREATE TABLE one (k varchar(40) PRIMARY KEY, n int)",
        "CREATE TABLE two (a int, k varchar(40), n int, PRIMARY KEY (a, k))",
        "INSERT INTO one SELECT UUID(), seq FROM seq_1_to_5000",
        "INSERT INTO two SELECT seq %% 2, UUID(), seq FROM seq_1_to_5000",
        "ANALYZE TABLE one, two",
    )
    for name in ("one", "two"):
        granules = mariadb.granules(mariadb.described(name), 20_000)
        assert len(granules) >= 10
        for granule in granules[1:-1]:
            told = _explained(mariadb, f"SELECT * FROM {name} WHERE {granule.where}")
            assert (told["type"], told["key"]) == ("range", "PRIMARY")
            assert int(told["rows"]) < 2500


def test_mysql_samples_rows_in_the_order_of_the_key_whatever_its_name(mariadb: Workbench) -> None:
    execute(
        mariadb,
        "CREATE TABLE named (n int PRIMARY KEY, v varchar(1000))",
        "INSERT INTO named SELECT seq, REPEAT('x', IF(seq > 500, 1, 1000)) FROM seq_1_to_1000",
    )
    assert len(mariadb.granules(mariadb.described("named"), 20_000)) > 20


def _explained(bench: Workbench, sql: str) -> Mapping[str, Any]:
    form = "" if bench.server.version >= (10,) else "FORMAT=TRADITIONAL "
    with bench.connect() as connection:
        return dict(connection.exec_driver_sql(f"EXPLAIN {form}{sql}").mappings().one())


def test_mysql_tables_without_a_usable_key_are_read_by_partition_or_whole(mariadb: Workbench) -> None:
    execute(
        mariadb,
        "CREATE TABLE heap (n int)",
        "CREATE TABLE prefixed (k text NOT NULL, n int, PRIMARY KEY (k(3)))",
        "CREATE TABLE nullable (k int, n int, UNIQUE (k))",
        "CREATE TABLE stored_by (k int NOT NULL, n int, UNIQUE (k))",
        "CREATE TABLE parts (n int) PARTITION BY HASH (n) PARTITIONS 4",
        *(f"INSERT INTO {name} (n) SELECT seq FROM seq_1_to_100" for name in ("heap", "nullable", "parts")),
        "INSERT INTO prefixed SELECT LPAD(seq, 3, '0'), seq FROM seq_1_to_100",
        "INSERT INTO stored_by SELECT seq, seq FROM seq_1_to_100",
    )
    found = {
        name: covered(mariadb, mariadb.described(name), 1) for name in ("heap", "prefixed", "nullable", "stored_by", "parts")
    }
    assert found == {"heap": 1, "prefixed": 1, "nullable": 1, "stored_by": 100, "parts": 4}


@pytest.mark.parametrize(
    ("changes", "noticed"),
    [
        (("SELECT 1",), False),
        (("INSERT INTO other VALUES (3, 3)", "DELETE FROM other WHERE n = 3"), False),
        (("ANALYZE TABLE t",), False),
        (("UPDATE t SET v = 9 WHERE n = 1",), True),
        *(
            pytest.param(changes, True, marks=pytest.mark.product("MariaDB", "the time at which a table was altered"))
            for changes in (
                ("UPDATE t SET v = 9 WHERE n = 1", "ALTER TABLE t FORCE"),
                ("TRUNCATE TABLE t", "INSERT INTO t SELECT * FROM other", "ALTER TABLE t FORCE"),
                ("RENAME TABLE t TO gone, other TO t",),
            )
        ),
    ],
)
def test_mysql_notices_a_change(mariadb: Workbench, changes: tuple[str, ...], noticed: bool) -> None:
    """A table that is written anew has no time of its last change any more."""
    execute(mariadb, "CREATE TABLE t (n int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    execute(mariadb, "CREATE TABLE other (n int PRIMARY KEY, v int)", "INSERT INTO other VALUES (1, 3), (2, 4)")
    table = mariadb.described("t")
    next_second()
    with mariadb.reading() as connection:
        mark = mariadb.adapter.mark(connection)
        (granule,) = mariadb.adapter.granules(connection, table, 1_000_000)
    execute(mariadb, *changes)
    with mariadb.reading() as connection:
        reason = mariadb.adapter.changed(connection, Read(table.source, table.columns, granule=granule), mark, 2)
    assert bool(reason) == noticed, reason


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=[16, 18])
def pg(postgresql: Callable[..., str], request: pytest.FixtureRequest) -> Workbench:
    return Workbench.at(load_adapter("postgresql"), postgresql(request.param))


def reads_ranges(pg: Workbench) -> bool:
    """Whether a range of blocks is read without the rest: before PostgreSQL 14 each granule is a scan of the whole table."""
    return pg.server.version >= (14,)


def test_postgresql_ranges_of_blocks_hold_every_row_once(pg: Workbench) -> None:
    execute(pg, "CREATE TABLE t (n int, v text)", "ALTER TABLE t ALTER v SET STORAGE EXTERNAL")
    table = pg.described("t")

    @EXAMPLES
    @given(
        st.lists(st.tuples(st.integers(0, 300), st.sampled_from([0, 500, 5000])), max_size=4),
        st.sampled_from([1, 9000, 1 << 30]),
    )
    def check(inserts: list[tuple[int, int]], size: int) -> None:
        execute(pg, "TRUNCATE t")
        for position, (rows, length) in enumerate(inserts):
            execute(
                pg, f"INSERT INTO t SELECT {position} * 1000 + g, repeat('x', {length}) FROM generate_series(1, {rows}) g"
            )
            execute(pg, "DELETE FROM t WHERE n %% 3 = 1")
        granules = covered(pg, table, size)
        with pg.connect() as connection:
            blocks = connection.exec_driver_sql("SELECT pg_relation_size('t') / 8192").scalar_one()
        assert granules <= max(1, blocks)
        if size == 1:
            most = blocks if reads_ranges(pg) else min(blocks, 4)
            assert granules == max(1, most)

    check()


def test_postgresql_reads_a_granule_by_a_range_of_blocks(pg: Workbench) -> None:
    execute(pg, "CREATE TABLE t AS SELECT g AS n, repeat('x', 200) AS v FROM generate_series(1, 20000) g")
    table = pg.described("t")
    granules = pg.granules(table, 100_000)
    if reads_ranges(pg):
        assert len(granules) > 30
        assert all(80_000 < granule.bytes <= 110_000 for granule in granules)
    else:
        assert len(granules) == 4
    scan = "Tid Range Scan" if reads_ranges(pg) else "Seq Scan"
    for granule in granules:
        assert scan in plan(pg, f"SELECT * FROM ONLY public.t WHERE n > 0 AND ({granule.where})")


def test_postgresql_partitions_are_parts_and_inheriting_tables_are_not(pg: Workbench) -> None:
    execute(
        pg,
        "CREATE TABLE parts (n int, v text) PARTITION BY RANGE (n)",
        "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (900) PARTITION BY LIST ((n %% 2))",
        'CREATE TABLE "High%%Even" PARTITION OF high FOR VALUES IN (0)',
        "CREATE TABLE high_odd PARTITION OF high DEFAULT",
        "INSERT INTO parts SELECT g, repeat('x', 1000) FROM generate_series(0, 899) g",
        "CREATE TABLE parent (n int)",
        "CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO parent VALUES (1), (2)",
        "INSERT INTO child VALUES (3)",
        "CREATE TABLE none (n int) PARTITION BY LIST (n)",
    )
    table = pg.described("parts")
    granules = pg.granules(table, 50_000)
    assert {granule.part for granule in granules} == {QName("public", n) for n in ("low", "High%Even", "high_odd")}
    assert covered(pg, table, 50_000) == len(granules) > 10
    parent = pg.described("parent")
    assert sorted(chain(*pg.granule_rows(parent, pg.granules(parent, 1), "n"))) == [1, 2]
    assert pg.granules(pg.described("none"), 1) == (Granule(),)


def test_postgresql_partitions_that_may_not_be_read_alone_are_read_through_the_table(pg: Workbench) -> None:
    execute(
        pg,
        "CREATE TABLE parts (n int) PARTITION BY LIST (n)",
        "CREATE TABLE part PARTITION OF parts DEFAULT",
        "INSERT INTO parts SELECT generate_series(1, 1000)",
        "CREATE ROLE reader_of_parts",
        "GRANT SELECT ON parts TO reader_of_parts",
    )
    table = pg.described("parts")
    try:
        with pg.reading() as connection:
            connection.exec_driver_sql("SET LOCAL ROLE reader_of_parts")
            (granule,) = pg.adapter.granules(connection, table, 1)
            read = Read(table.source, table.columns, granule=granule)
            assert sum(batch.num_rows for batch in pg.adapter.batches(connection, read)) == 1000
    finally:
        execute(pg, "DROP OWNED BY reader_of_parts", "DROP ROLE reader_of_parts")


def test_postgresql_nobody_rewrites_a_table_while_its_granules_are_read(pg: Workbench) -> None:
    execute(pg, "CREATE TABLE t AS SELECT generate_series(1, 100) AS n")
    table = pg.described("t")
    with pg.reading() as connection, pg.connect() as other:
        pg.adapter.granules(connection, table, 1)
        other.exec_driver_sql("SET lock_timeout = '100ms'")
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            other.exec_driver_sql("VACUUM FULL t")


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("SELECT 1", False),
        ("INSERT INTO other VALUES (1)", False),
        ("ANALYZE parts", False),
        ("VACUUM (FREEZE) parts", False),
        ("VACUUM FULL parts", True),
        ("DROP TABLE part", True),
        ("CREATE TABLE more PARTITION OF parts FOR VALUES IN (5)", True),
        ("UPDATE parts SET v = v WHERE n = 1", True),
        ("DELETE FROM parts WHERE n = 1", True),
    ],
)
def test_postgresql_notices_a_change(pg: Workbench, change: str, noticed: bool) -> None:
    execute(
        pg,
        "CREATE TABLE other (n int)",
        "CREATE TABLE parts (n int, v int) PARTITION BY LIST (n)",
        "CREATE TABLE part PARTITION OF parts FOR VALUES IN (1, 2)",
        "INSERT INTO parts VALUES (1, 1), (2, 2)",
    )
    table = pg.described("parts")
    with pg.reading() as connection:
        mark = pg.adapter.mark(connection)
        (granule,) = pg.adapter.granules(connection, table, 1)
    execute(pg, change)
    with pg.reading() as connection:
        reason = pg.adapter.changed(connection, Read(table.source, table.columns, granule=granule), mark, 2)
    assert bool(reason) == noticed, reason


# --- SQLite ---------------------------------------------------------------------------------------------------------

_INTEGERS = st.integers(-(2**63), 2**63 - 1)
_ANY = st.one_of(
    _INTEGERS,
    st.floats(allow_nan=False),
    st.binary(max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["1", "2.0", "a", "A", "a ", "\0b", "it's"]),
)

SQLITE_KEYS: dict[str, tuple[str, str, int, st.SearchStrategy[tuple[Any, ...]]]] = {
    "rowid": ("k0 INTEGER PRIMARY KEY, n INTEGER", "", 1, st.tuples(_INTEGERS)),
    "a column named rowid": ("rowid TEXT, k0 INTEGER PRIMARY KEY, n INTEGER", "", 1, st.tuples(_INTEGERS)),
    "no type": ("k0 PRIMARY KEY, n INTEGER", "WITHOUT ROWID", 1, st.tuples(_ANY)),
    "text": ("k0 TEXT PRIMARY KEY, n INTEGER", "WITHOUT ROWID", 1, st.tuples(_ANY)),
    "real": ("k0 REAL PRIMARY KEY, n INTEGER", "WITHOUT ROWID", 1, st.tuples(_ANY)),
    "two": (
        "k0 NUMERIC, k1 TEXT COLLATE NOCASE, n INTEGER, PRIMARY KEY (k1, k0)",
        "WITHOUT ROWID",
        2,
        st.tuples(_ANY, _ANY),
    ),
    "rtrim": ("k0 TEXT, k1, n INTEGER, PRIMARY KEY (k0 COLLATE RTRIM, k1)", "WITHOUT ROWID", 2, st.tuples(_ANY, _ANY)),
}
"""By name: the columns, the options, how many columns the key has, its values."""


@pytest.mark.parametrize("kind", SQLITE_KEYS)
def test_sqlite_ranges_of_a_key_hold_every_row_once(sqlite_file: Callable[[], str], kind: str) -> None:
    columns, options, width, values = SQLITE_KEYS[kind]
    url = sqlite_file()
    sqlite.make(url, f"CREATE TABLE t ({columns}) {options}")
    bench = Workbench.at(sqlite.SQLITE, url)
    table = replace(bench.described("t"), columns=(Column("n", t.Integer(64), native="INTEGER"),))
    names = ", ".join(f"k{i}" for i in range(width))

    @EXAMPLES
    @given(st.lists(values, max_size=40), SIZES)
    def check(keys: list[tuple[Any, ...]], size: int) -> None:
        with sqlite.opened(url) as connection:
            connection.execute("DELETE FROM t")
            insert = f"INSERT OR IGNORE INTO t ({names}, n) VALUES ({', '.join('?' * (width + 1))})"
            connection.executemany(insert, [(*key, n) for n, key in enumerate(keys)])
            (held,) = connection.execute("SELECT count(*) FROM t").fetchone()
        granules = covered(bench, table, size)
        assert granules == max(1, held) if size == 1 else granules <= max(1, held)

    check()


def test_sqlite_samples_rows_in_the_order_of_the_key_whatever_its_name(sqlite_file: Callable[[], str]) -> None:
    url = sqlite_file()
    rows = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000) SELECT i,"
    sqlite.make(url, "CREATE TABLE t (n integer PRIMARY KEY, v text) WITHOUT ROWID")
    sqlite.make(url, f"INSERT INTO t {rows} substr(hex(zeroblob(500)), 1, iif(i > 500, 1, 1000)) FROM s")
    bench = Workbench.at(sqlite.SQLITE, url)
    assert len(bench.granules(bench.described("t"), 20_000)) > 20


def test_sqlite_keys_that_cannot_be_walked_are_one_granule(sqlite_file: Callable[[], str]) -> None:
    url = sqlite_file()
    script = """
        CREATE TABLE names_taken (rowid, oid, _rowid_, n INTEGER);
        CREATE TABLE descending (a INTEGER, b INTEGER, n INTEGER, PRIMARY KEY (a, b DESC)) WITHOUT ROWID;
        INSERT INTO names_taken (n) VALUES (1), (2);
        INSERT INTO descending VALUES (1, 1, 1), (1, 2, 2);"""
    sqlite.make(url, script)
    bench = Workbench.at(sqlite.SQLITE, url)
    assert [covered(bench, bench.described(name), 1) for name in ("names_taken", "descending")] == [1, 1]


def test_sqlite_knows_about_how_large_a_table_is(sqlite_file: Callable[[], str]) -> None:
    url = sqlite_file()
    rows = ("INSERT INTO t VALUES (?, ?)", [(n, "x" * 1000) for n in range(500)])
    sqlite.make(url, "CREATE TABLE t (n INTEGER PRIMARY KEY, v TEXT); CREATE TABLE empty (n);", rows)
    bench = Workbench.at(sqlite.SQLITE, url)
    table = bench.described("t")
    assert table.bytes == pytest.approx(500 * 1000, rel=0.1)
    assert bench.described("empty").bytes == 0
    assert sum(granule.bytes for granule in bench.granules(table, 50_000)) == pytest.approx(table.bytes, rel=0.1)
    assert all(granule.bytes < 60_000 for granule in bench.granules(table, 50_000))


def marked(url: str) -> str:
    bench = Workbench.at(sqlite.SQLITE, url)
    with bench.reading() as connection:
        return sqlite.SQLITE.mark(connection)


def test_sqlite_tells_a_commit_in_the_log_from_copying_the_log_back(sqlite_file: Callable[[], str]) -> None:
    url = sqlite_file()
    with closing(sqlite3.connect(sqlite.path_of(url), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE t (n INTEGER)")
        first = marked(url)
        assert first == marked(url)
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        assert marked(url) == first
        other.execute("BEGIN")
        other.execute("INSERT INTO t VALUES (1)")
        assert marked(url) == first
        other.execute("COMMIT")
        second = marked(url)
        assert second != first
        other.execute("UPDATE t SET n = 2")
        assert marked(url) not in (first, second)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    closed = marked(url)
    assert closed == marked(url)
    sqlite.make(url, "UPDATE t SET n = 3")
    assert marked(url) != closed
