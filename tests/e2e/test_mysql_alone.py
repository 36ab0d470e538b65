"""MySQL where MariaDB is otherwise, and between the two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.model.objects import Expression, Table
from tests.support.catalogs import schema_catalog
from tests.support.moved import Moved, loaded, moved
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, rows

pytestmark = pytest.mark.product("MySQL", "no data files to copy and no past states, but roles for all")
Fresh = Callable[[], str]


@pytest.mark.parametrize(
    ("asked", "why"),
    [("TRANSPORTABLE=ALWAYS", "this is MySQL"), ("FLASHBACK_TIME=2024-01-01", "MySQL keeps no past states")],
)
def test_what_mysql_has_not_is_refused(asked: str, why: str, mysql: Fresh) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (a INT)")
    run = pump("expdp", url, asked, "NOLOGFILE=YES")
    assert run.code == 1
    assert why in run.err


def test_rows_come_back_from_mariadb(mysql: Fresh, mariadb: Fresh) -> None:
    source, between, back = mysql(), mariadb(), mysql()
    execute(
        source,
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, raw VARBINARY(9) DEFAULT X'00FF', v VARCHAR(20),"
        " hidden INT INVISIBLE, doc JSON, places GEOMETRYCOLLECTION, twice INT AS (hidden * 2) VIRTUAL)",
        "INSERT INTO t (v, hidden, doc, places) VALUES ('a ', 1, '{\"b\": [1.50]}', ST_GeomFromText("
        "'GEOMETRYCOLLECTION(POINT(1 2))')), ('😀', NULL, NULL, NULL)",
    )
    for here, there in ((source, between), (between, back)):
        done(pump("impdp", there, f"NETWORK_LINK={here}", remap(here, there), "NOLOGFILE=YES", "VERIFY=YES"))
    shown = "SELECT id, HEX(raw), HEX(v), hidden, CAST(doc AS CHAR), HEX(ST_AsBinary(places)), twice FROM t ORDER BY id"
    assert rows(back, shown) == rows(source, shown)
    assert len(rows(between, "SELECT id FROM t")) == 2


def imported(source: str, target: str, directory: Path, dumped: bool) -> Moved:
    """What an import over a link has made, or one of a dump set."""
    if not dumped:
        return moved(source, target, directory, "VERIFY=YES")
    where = f"DUMPFILE={sa.make_url(target).database}.dmp"
    done(pump("expdp", source, f"DIRECTORY={directory}", where, "NOLOGFILE=YES"))
    return loaded(target, directory, where, remap(source, target), "VERIFY=YES")


@pytest.mark.parametrize("dumped", [False, True], ids=["a link", "a dump set"])
def test_a_negative_zero_that_mariadb_has_not_is_counted(dumped: bool, mysql: Fresh, mariadb: Fresh, tmp_path: Path) -> None:
    source, target, home = mysql(), mariadb(), mysql()
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, d double, f float)")
    execute(source, "INSERT INTO t VALUES (1, '-0', '-0'), (2, 0, '-0'), (3, NULL, -1.5)")
    there, back = (imported(source, url, tmp_path, dumped) for url in (target, home))
    assert (there.counted("t", "negative-zero"), back.counted("t", "negative-zero")) == ({"d": 1, "f": 2}, {})
    shown = "SELECT CAST(d AS CHAR), CAST(f * 1e0 AS CHAR) FROM t ORDER BY id"
    assert rows(home, shown) == rows(source, shown) == [("-0", "-0"), ("0", "-0"), (None, "-1.5")]
    assert rows(target, shown) == [("0", "0"), ("0", "0"), (None, "-1.5")]


def test_documents_that_mysql_parses_and_mariadb_keeps_are_named(mysql: Fresh, mariadb: Fresh, tmp_path: Path) -> None:
    source, parsed, kept = mariadb(), mysql(), mariadb()
    document = '{"b":1.50,"a":[1,2],"a":3,"n":12345678901234567890.123}'
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, d json)", f"INSERT INTO t VALUES (1, '{document}')")
    there, back = (moved(here, url, tmp_path, "VERIFY=YES") for here, url in ((source, parsed), (parsed, kept)))
    assert "MySQL parses JSON" in there.losses("t", "d")["type-json"]
    assert "compared as" in back.losses("t", "d")["type-json"]
    mine = '{"a": 3, "b": 1.5, "n": 1.2345678901234567e19}'
    assert rows(parsed, "SELECT CAST(d AS CHAR) FROM t") == rows(kept, "SELECT d FROM t") == [(mine,)]


def test_vectors_stay_vectors_and_are_bytes_where_there_are_none(mysql: Fresh, mariadb: Fresh, tmp_path: Path) -> None:
    source, there, elsewhere = mysql(), mysql(), mariadb()
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, v vector(3))")
    execute(source, "INSERT INTO t VALUES (1, STRING_TO_VECTOR('[1,-2.5,0.1]')), (2, STRING_TO_VECTOR('[7]')), (3, NULL)")
    for url, word, said in ((there, "vector(3)", set()), (elsewhere, "varbinary(12)", {"declaration"})):
        made = moved(source, url, tmp_path, "VERIFY=YES")
        declared = "SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'v'"
        assert (rows(url, declared), made.losses("t", "v").keys()) == ([(word,)], said)
        assert made.rows("SELECT id, HEX(v) FROM t ORDER BY id") == rows(source, "SELECT id, HEX(v) FROM t ORDER BY id")


def test_a_view_of_documents_is_left_out_by_name(mysql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    view = "CREATE JSON RELATIONAL DUALITY VIEW v AS SELECT JSON_DUALITY_OBJECT('_id' : id, 'a' : a) FROM t"
    with sa.create_engine(source).begin() as connection:
        for statement in ("CREATE TABLE t (id int PRIMARY KEY, a int)", view):
            connection.exec_driver_sql(statement)
    made = moved(source, target, tmp_path)
    assert made.losses("v") == {"view": "not carried: a JSON relational duality view"}


def test_a_view_of_sums_within_sums_is_a_view_again(mysql: Fresh, tmp_path: Path) -> None:
    """The information schema has functions in it that nobody may call."""
    source, target = mysql(), mysql()
    view = "SELECT a, COUNT(*) AS n, GROUPING(a) AS g FROM t GROUP BY a WITH ROLLUP HAVING a IS NULL OR a > 1"
    execute(source, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2), (2)", f"CREATE VIEW v AS {view}")
    done(moved(source, target, tmp_path).run)
    assert rows(target, "SELECT a, n, g FROM v") == [(2, 2, 0), (None, 3, 1)]


ONES_OWN = {
    "aria": "CREATE TABLE aria (id int PRIMARY KEY) ENGINE=Aria",
    "parted": "CREATE TABLE parted (id int PRIMARY KEY) ENGINE=MyISAM PARTITION BY HASH (id) PARTITIONS 2",
    "versions": "CREATE TABLE versions (id int PRIMARY KEY) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME"
    " (PARTITION p0 HISTORY, PARTITION pc CURRENT)",
    "counted": "CREATE TABLE counted (id double PRIMARY KEY AUTO_INCREMENT)",
    "addresses": "CREATE TABLE addresses (id inet6 PRIMARY KEY)",
    "sorted_": "CREATE TABLE sorted_ (id varchar(9) COLLATE utf8mb4_uca1400_swedish_ai_ci PRIMARY KEY)",
    "long_": "CREATE TABLE long_ (id text UNIQUE)",
}


def test_tables_that_mariadb_alone_has_are_made_and_what_they_lose_is_named(
    mysql: Fresh, mariadb: Fresh, tmp_path: Path
) -> None:
    source, target = mariadb(), mysql()
    execute(source, *ONES_OWN.values())
    execute(source, *(f"INSERT INTO {name} VALUES ('{'::1' if name == 'addresses' else 1}')" for name in ONES_OWN))
    made = moved(source, target, tmp_path, "VERIFY=YES")
    assert made.run.code == 0, made.run.out
    assert {name: made.rows(f"SELECT COUNT(*) FROM {name}") for name in ONES_OWN} == {name: [(1,)] for name in ONES_OWN}
    assert made.losses("aria").keys() == {"engine", "no-snapshot"}
    assert made.losses("parted").keys() == {"engine", "no-snapshot"}
    assert {"partitioning", "system-versioning"} <= {entry["rule"] for entry in made.entries}
    assert made.losses("counted", "id").keys() == {"identity"}
    assert made.losses("addresses", "id").keys() == {"type-native"}
    assert "collation" in made.losses("sorted_", "id")
    assert made.losses("long_").keys() == {"unique"}


def test_texts_of_collations_that_mysql_alone_has_come_with_the_nearest(
    mysql: Fresh, mariadb: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), mariadb()
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) COLLATE utf8mb4_sv_0900_ai_ci, b text CHARACTER SET gb18030,"
        " c varchar(9) COLLATE utf8mb4_ja_0900_as_cs_ks) COLLATE utf8mb4_0900_as_cs",
        "INSERT INTO t VALUES (1, 'å ', '中😀', 'アあ')",
    )
    made = moved(source, target, tmp_path, "VERIFY=YES")
    assert made.run.code == 0, made.run.out
    assert [name for name in "abc" if "collation" in made.losses("t", name)] == ["a", "b", "c"]
    assert made.rows("SELECT a, b, c FROM t") == [("å ", "中😀", "アあ")]


def test_indexes_are_read_in_one_order_whatever_the_server_tells_first(mysql: Fresh) -> None:
    """A job that goes on compares its plan with the one that it began with."""
    url = mysql()
    keys = ", ".join(f"KEY {name} (a, b)" for name in ("c", "a", "d", "b"))
    execute(url, *(f"CREATE TABLE t{number} (a int, b int, {keys}, UNIQUE KEY z (b))" for number in range(10)))
    tables = schema_catalog(url, schema_of(url)).of(Table)
    assert [[index.name for index in table.indexes] for table in tables] == [["a", "b", "c", "d"]] * 10


def test_checks_are_read_with_the_characters_that_they_have(mysql: Fresh) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (`é日` varchar(9), CONSTRAINT c CHECK (`é日` <> 'Ã©€日'))")
    (table,) = schema_catalog(url, schema_of(url)).of(Table)
    assert [check.expression.sql for check in table.checks] == ["(`é日` <> 'Ã©€日')"]


def test_a_view_has_the_columns_that_its_list_calls_so(
    mysql: Fresh, mariadb: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    """The server keeps the list apart from the text, which calls them otherwise."""
    source = mysql()
    execute(
        source,
        "CREATE TABLE t (a INT, b INT)",
        "INSERT INTO t VALUES (1, 2)",
        "CREATE VIEW swapped (b, a) AS SELECT a, b FROM t",
        "CREATE VIEW `odd` (`x`, `was AS it`, `m``n`) AS SELECT a, '😀', b FROM t",
        "CREATE VIEW reading AS SELECT b, a + 1 AS more FROM swapped",
        "CREATE VIEW plain AS SELECT a FROM t",
    )
    expected = {
        "swapped": [("b", 1), ("a", 2)],
        "odd": [("x", 1), ("was AS it", "😀"), ("m`n", 2)],
        "reading": [("b", 1), ("more", 3)],
        "plain": [("a", 1)],
    }
    for target in (mysql(), mariadb(), postgresql()):
        there = moved(source, target, tmp_path)
        assert there.run.code == 0, there.run.out
        with sa.create_engine(target, poolclass=sa.NullPool).connect() as connection:
            for view, columns in expected.items():
                found = connection.exec_driver_sql(f"SELECT * FROM {view}")
                assert list(zip(found.keys(), found.one(), strict=True)) == columns, (target, view)


def test_expressions_of_indexes_are_read_exactly(mysql: Fresh) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (a varchar(9), KEY i ((concat(a, 'é😀?')))) DEFAULT CHARSET utf8mb4")
    (table,) = schema_catalog(url, schema_of(url)).of(Table)
    (index,) = table.indexes
    assert [key.expression for key in index.keys] == [Expression("concat(`a`,'é😀?')", "mysql")]
