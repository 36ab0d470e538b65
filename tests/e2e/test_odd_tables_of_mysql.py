"""Tables that MariaDB has and others do not: the same at another MariaDB, and a named loss elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import Run, done, pump, remap
from tests.support.rows import assert_same_rows
from tests.support.sql import execute, is_mariadb, rows, scalar


def linked(source: str, target: str, directory: Path, *arguments: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={directory}", *arguments)


def shown(url: str, table: str) -> str:
    return str(rows(url, f"SHOW CREATE TABLE {table}")[0][1])


PARTITIONED = (
    """CREATE TABLE t (id int, d date COMMENT 'x\n PARTITION BY y', PRIMARY KEY (id, d)) PARTITION BY RANGE (year(d))
        SUBPARTITION BY HASH (id) SUBPARTITIONS 2
        (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)""",
    """CREATE TABLE t (id int, d date, PRIMARY KEY (id, d)) PARTITION BY LIST (id % 2)
        SUBPARTITION BY KEY (d) (PARTITION p0 VALUES IN (0) (SUBPARTITION s0, SUBPARTITION s1 COMMENT 'PARTITION BY'),
        PARTITION p1 VALUES IN (1) (SUBPARTITION s2, SUBPARTITION s3))""",
    """CREATE TABLE t (id int, d date, n varchar(30) NOT NULL DEFAULT 'a', PRIMARY KEY (id, d, n))
        PARTITION BY LIST COLUMNS (n) (PARTITION p0 VALUES IN ('a\n PARTITION BY b') COMMENT 'c\n PARTITION BY d',
        PARTITION p1 VALUES IN ('a'))""",
    "CREATE TABLE t (id int, d date, PRIMARY KEY (id)) PARTITION BY LINEAR HASH (id) PARTITIONS 3",
)


@pytest.mark.parametrize("table", PARTITIONED)
def test_partitions_of_all_depths_are_kept(table: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, table, "INSERT INTO t (id, d) SELECT seq, IF(seq % 3, '2019-01-01', '2021-01-01') FROM seq_1_to_60")
    done(linked(source, target, tmp_path, "VERIFY=YES"))
    assert shown(target, "t") == shown(source, "t")
    assert_same_rows(source, target)


VERSIONED = {
    "named": "PERIOD FOR system_time (rs, re)) WITH SYSTEM VERSIONING",
    "partitioned": """PERIOD FOR system_time (rs, re)) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME LIMIT 10
        (PARTITION p1 HISTORY, PARTITION p2 HISTORY, PARTITION pc CURRENT)""",
}


@pytest.mark.product("MariaDB", "system-versioned tables")
@pytest.mark.parametrize("end", VERSIONED.values(), ids=VERSIONED)
def test_named_moments_of_versions_are_those_of_the_target(end: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        f"""CREATE TABLE t (x int, k int WITHOUT SYSTEM VERSIONING, rs timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,
            `re` timestamp(6) GENERATED ALWAYS AS ROW END COMMENT 'until', {end.replace("re)", "`re`)")}""",
        "INSERT INTO t (x, k) VALUES (1, 1), (2, 2)",
        "UPDATE t SET x = x + 1",
    )
    run = done(linked(source, target, tmp_path, "VERIFY=YES"))
    assert shown(target, "t") == shown(source, "t")
    assert rows(target, "SELECT x, k FROM t ORDER BY x") == [(2, 1), (3, 2)]
    assert [loss for loss in run.losses if "system-versioning" not in loss] == []


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_moments_of_versions_are_values_of_now_where_none_are_kept(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        """CREATE TABLE t (x int, y int WITHOUT SYSTEM VERSIONING, rs timestamp(6) GENERATED ALWAYS AS ROW START,
            `re` timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR system_time (rs, `re`)) WITH SYSTEM VERSIONING""",
        "INSERT INTO t (x) VALUES (1)",
    )
    run = done(linked(source, target, tmp_path, "VERIFY=YES"))
    assert len([loss for loss in run.losses if "versions of rows are not kept here" in loss]) == 2
    assert [loss for loss in run.losses if "WITHOUT SYSTEM VERSIONING=`y`" in loss]
    assert scalar(target, "SELECT rs > '2020-01-01' AND re > '2037-01-01' FROM t")


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_columns_without_versions_have_none_at_the_target(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 4 WITHOUT SYSTEM VERSIONING, `o,``p` int) WITH SYSTEM VERSIONING",
        "CREATE TABLE u (`o, x` int NOT NULL WITHOUT SYSTEM VERSIONING COMMENT 'c', n int WITH SYSTEM VERSIONING)",
    )
    run = done(linked(source, target, tmp_path))
    for table in ("t", "u"):
        assert shown(target, table) == shown(source, table)
        assert re.search("WITHOUT SYSTEM VERSIONING", shown(target, table))
    assert [loss for loss in run.losses if "system-versioning" not in loss] == []


def test_a_table_that_does_not_open_fails_alone(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(
        source,
        "CREATE TABLE a1 (a int) ENGINE=InnoDB",
        "CREATE TABLE broken (a int, KEY (a)) ENGINE=MERGE UNION=(a1)",
        "CREATE TABLE good (a int)",
        "INSERT INTO good VALUES (1), (2)",
    )
    for asked in ((), ("ESTIMATE=STATISTICS",)):
        run = pump("expdp", source, f"DIRECTORY={tmp_path}", f"DUMPFILE=t{len(asked)}.dmp", *asked)
        assert run.code == 5
        assert run.rows == {"a1": 0, "good": 2}
        assert re.search('ORA-31693: Table data object .*"broken" failed to unload', run.out)
        assert "Unable to open underlying table" in run.out


def test_a_table_of_other_tables_rows_gets_rows_of_its_own_by_name(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE m1 (a int PRIMARY KEY) ENGINE=MyISAM",
        "CREATE TABLE m2 LIKE m1",
        "INSERT INTO m1 VALUES (1)",
        "INSERT INTO m2 VALUES (2)",
        "CREATE TABLE both_ (a int PRIMARY KEY) ENGINE=MERGE UNION=(m1, m2) INSERT_METHOD=LAST",
    )
    run = done(linked(source, target, tmp_path, "VERIFY=YES"))
    assert_same_rows(source, target)
    assert [loss for loss in run.losses if '"both_"' in loss and "[merge]" in loss]
    assert "ENGINE=MyISAM" in shown(target, "both_")


@pytest.mark.product("MariaDB", "sequences")
def test_a_table_that_may_be_read_in_part_fails_alone(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    user = f"{sa.make_url(source).database}_part"
    execute(
        source,
        "CREATE TABLE part (a int, b int DEFAULT 5, e text DEFAULT '?') PARTITION BY HASH (a) PARTITIONS 2",
        "CREATE SEQUENCE counted",
        "CREATE TABLE whole (a int)",
        "INSERT INTO part (a, b) VALUES (1, 2)",
        "INSERT INTO whole VALUES (1)",
        f"CREATE USER {user}@localhost IDENTIFIED BY 'part'",
        f"GRANT SELECT (a, e) ON part TO {user}@localhost",
        f"GRANT INSERT ON counted TO {user}@localhost",
        f"GRANT SELECT ON whole TO {user}@localhost",
    )
    mine = sa.make_url(source).set(username=user, password="part").render_as_string(hide_password=False)
    try:
        run = pump("expdp", mine, f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", "MASTER_TABLE=LOCAL")
    finally:
        execute(source, f"DROP USER {user}@localhost")
    assert run.code == 5
    assert run.rows == {"whole": 1}
    assert re.search('ORA-31693: Table data object .*"part" failed to unload', run.out)
    assert [loss for loss in run.losses if '"part"' in loss and "foreign keys are not carried: SHOW command denied" in loss]
    assert [loss for loss in run.losses if '"part"' in loss and "partitions are not carried: SHOW command denied" in loss]
    assert [loss for loss in run.losses if "SEQUENCE:" in loss and "not carried: SELECT command denied" in loss]


HIDDEN = "/*M! IGNORED */ /*!80000 INVISIBLE */"
"""How each of the two servers says it; a comment to the other."""

REPLAYED = {
    "hidden indexes": f"""CREATE TABLE t (a int, b int AUTO_INCREMENT, c int, UNIQUE KEY ua (a) {HIDDEN},
        KEY kb (b) {HIDDEN}, KEY kc (c, a) COMMENT 'x' {HIDDEN})""",
    "a counter in a virtual column": "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, c int, w int AS (id + 1) VIRTUAL)",
    "a counter within a primary key": """CREATE TABLE t (c int, id int AUTO_INCREMENT, a int, PRIMARY KEY (c, id))
        ENGINE=MyISAM""",
    "a counter within a key": "CREATE TABLE t (c int, id int AUTO_INCREMENT, KEY k (c, id)) ENGINE=Aria TRANSACTIONAL=0",
}


OF_MARIADB = pytest.mark.product("MariaDB", "such a counter")


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(sql, marks=OF_MARIADB if "counter in a virtual" in name or "Aria" in sql else ())
        for name, sql in REPLAYED.items()
    ],
    ids=REPLAYED,
)
def test_what_a_server_has_another_of_its_kind_has_too(table: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, table, "INSERT INTO t (c) VALUES (1), (2), (3)")
    run = done(linked(source, target, tmp_path, "VERIFY=YES"))
    for one in ("AUTO_INCREMENT", "IGNORED", "INVISIBLE", "VIRTUAL"):
        assert shown(target, "t").count(one) == shown(source, "t").count(one)
    rules = {loss.rpartition("[")[2] for loss in run.losses}
    assert rules <= {"no-snapshot]", "table-options]"}
    assert_same_rows(source, target)


def test_an_index_that_is_hidden_no_more_is_named(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(source, f"CREATE TABLE t (a int, b int, UNIQUE KEY ua (a) {HIDDEN}, KEY kb (b) {HIDDEN}, KEY kc (b, a))")
    run = done(linked(source, target, tmp_path))
    named = [loss for loss in run.losses if "[index-hidden]" in loss]
    assert {loss.split(" index ")[1].split(",")[0] for loss in named} == {"ua", "kb"}


def test_a_counter_that_stands_beyond_what_postgresql_can_give_gives_nothing(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE far (id bigint unsigned AUTO_INCREMENT PRIMARY KEY)",
        "ALTER TABLE far AUTO_INCREMENT = 9223372036854775900",
        "CREATE TABLE last (id bigint unsigned AUTO_INCREMENT PRIMARY KEY)",
        "INSERT INTO last VALUES (9223372036854775807)",
        "CREATE TABLE used (id int AUTO_INCREMENT PRIMARY KEY)",
        "ALTER TABLE used AUTO_INCREMENT = 3000000000",
    )
    run = done(linked(source, target, tmp_path))
    detail = "gives no more numbers: the next would be {}, the last here is 9223372036854775807 [identity-position]"
    assert [loss for loss in run.losses if "[identity-position]" in loss] == [
        f'TABLE:"public"."far"."id": {detail.format(9223372036854775900)}',
        f'TABLE:"public"."last"."id": {detail.format(9223372036854775808)}',
    ]
    for table in ("far", "last", "used"):
        with pytest.raises(sa.exc.DBAPIError, match="reached maximum value of sequence"):
            execute(target, f"INSERT INTO {table} DEFAULT VALUES")
    with pytest.raises(sa.exc.DBAPIError):
        execute(source, "INSERT INTO used VALUES (NULL)")


def test_keys_that_set_columns_without_a_sign_come_back(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    """PostgreSQL has checks for UNSIGNED; MariaDB refuses keys that set columns of checks."""
    source, between, back = mysql(), postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id int unsigned PRIMARY KEY, up int unsigned,"
        " CONSTRAINT tree FOREIGN KEY (up) REFERENCES p (id) ON DELETE SET NULL)",
        "CREATE TABLE c (a int unsigned, b int unsigned NOT NULL,"
        " CONSTRAINT sets FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE,"
        " CONSTRAINT drops FOREIGN KEY (b) REFERENCES p (id) ON DELETE CASCADE ON UPDATE RESTRICT)",
        "INSERT INTO p VALUES (1, NULL), (2, 1), (4, NULL)",
        "INSERT INTO c VALUES (4, 2), (NULL, 2)",
    )
    done(linked(source, between, tmp_path))
    told = [re.sub(r"\(.*\) is", "is", loss) for loss in done(linked(between, back, tmp_path)).losses]
    why = "is left out: what foreign key {} leads to has the same, and a column that a key sets can have none [check]"
    schema = sa.make_url(back).database
    assert told == [
        f'TABLE:"{schema}"."c": check c_a_check {why.format("sets")}',
        f'TABLE:"{schema}"."p": check p_up_check {why.format("tree")}',
    ]
    rules = (
        "SELECT constraint_name, delete_rule, update_rule FROM information_schema.referential_constraints"
        " WHERE constraint_schema = DATABASE() ORDER BY 1"
    )
    assert [name for name, *_ in rows(back, rules)] == ["drops", "sets", "tree"]
    for refused in ("INSERT INTO p VALUES (-1, NULL)", "INSERT INTO p VALUES (3, -1)", "INSERT INTO c VALUES (-1, 1)"):
        with pytest.raises(sa.exc.DBAPIError):
            execute(back, refused)
    execute(back, "UPDATE p SET id = 3 WHERE id = 4")
    assert rows(back, "SELECT a FROM c ORDER BY a") == [(None,), (3,)]


def test_a_check_that_goes_with_that_of_its_key_says_so(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    """MariaDB takes no check of an AUTO_INCREMENT column, and none of a column that a key sets."""
    source, between, back = mysql(), postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id int unsigned AUTO_INCREMENT PRIMARY KEY)",
        "CREATE TABLE c (a int unsigned, CONSTRAINT sets FOREIGN KEY (a) REFERENCES p (id)"
        " ON DELETE SET NULL ON UPDATE CASCADE)",
    )
    done(linked(source, between, tmp_path))
    told = [loss for loss in done(linked(between, back, tmp_path)).losses if loss.endswith("[check]")]
    had = "what foreign key sets leads to had the same, which is left out, too, and a column that a key sets can have none"
    assert [re.sub(r".*\) is left out: ", "", loss) for loss in told] == [f"{had} [check]", "id is AUTO_INCREMENT [check]"]
    execute(back, "INSERT INTO p VALUES (-5)", "INSERT INTO c VALUES (-5)")


def test_checks_of_a_chain_of_keys_are_told_by_its_end(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    bounds = ("CHECK (x >= 0 AND x <= 9)", "CHECK (x <= 9 AND x >= 0)", "CHECK (x BETWEEN 0 AND 9)")
    key = "CONSTRAINT {} FOREIGN KEY (x) REFERENCES {} ON UPDATE CASCADE"
    execute(
        source,
        f"CREATE TABLE a (x int PRIMARY KEY {bounds[0]})",
        f"CREATE TABLE b (x int PRIMARY KEY {bounds[1]}, {key.format('of_a', 'a')})",
        f"CREATE TABLE c (x int PRIMARY KEY {bounds[2]}, {key.format('of_b', 'b')})",
        f"CREATE TABLE m (x int PRIMARY KEY {bounds[0]})",
        f"CREATE TABLE n (x int PRIMARY KEY {bounds[0]}, {key.format('of_m', 'm')})",
        f"ALTER TABLE m ADD {key.format('of_n', 'n')}",
        "INSERT INTO a VALUES (3)",
        "INSERT INTO b VALUES (3)",
        "INSERT INTO c VALUES (3)",
    )
    run = linked(source, target, tmp_path)
    told = [re.sub(r".*leads to (has the same), .*", r"\1", loss) for loss in run.losses if loss.endswith("[check]")]
    assert told == ["has the same"] * 2, run.losses
    assert sorted(re.findall(r'REF_CONSTRAINT:".*"."(\w+)" failed to create', run.out)) == ["of_m", "of_n"]
    for table in "abc":
        with pytest.raises(sa.exc.DBAPIError):
            execute(target, f"INSERT INTO {table} VALUES (-1)")
    execute(target, "UPDATE a SET x = 4")
    assert rows(target, "SELECT x FROM c") == [(4,)]
    with pytest.raises(sa.exc.DBAPIError):
        execute(target, "UPDATE a SET x = -1")


def test_a_check_that_says_more_than_its_key_stays(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id int PRIMARY KEY CHECK (id > 0))",
        "CREATE TABLE c (a int CHECK (a > 5), CONSTRAINT sets FOREIGN KEY (a) REFERENCES p ON UPDATE CASCADE)",
    )
    run = linked(source, target, tmp_path)
    assert run.code == 5
    assert re.search('REF_CONSTRAINT:".*"."sets" failed to create', run.out)
    assert "`a` > 5" in shown(target, "c")


SRIDS = (
    "CREATE TABLE t (id int PRIMARY KEY, p point /*M! REF_SYSTEM_ID=4326 */ NOT NULL /*!80003 SRID 4326 */,"
    " g geometry /*M! REF_SYSTEM_ID=3857 */ /*!80003 SRID 3857 */, plain point, SPATIAL KEY (p))"
)


def test_the_srid_that_a_column_is_declared_for_is_kept(mysql: Callable[[], str], tmp_path: Path) -> None:
    """SHOW CREATE TABLE of MariaDB does not have it."""
    source, target = mysql(), mysql()
    execute(source, SRIDS, "INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), NULL, NULL)")
    run = done(linked(source, target, tmp_path))
    assert run.losses == []
    declared = (
        "SELECT g_geometry_column, srid FROM information_schema.geometry_columns"
        " WHERE g_table_schema = DATABASE() ORDER BY g_geometry_column"
        if is_mariadb(target)
        else "SELECT column_name, COALESCE(srs_id, 0) FROM information_schema.st_geometry_columns"
        " WHERE table_schema = DATABASE() ORDER BY column_name"
    )
    assert rows(target, declared) == [("g", 3857), ("p", 4326), ("plain", 0)]
    assert scalar(target, "SELECT ST_SRID(p) FROM t") == 4326


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_number_without_a_sign_has_none_elsewhere(
    kind: str, mysql: Callable[[], str], postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), {"postgresql": postgresql, "sqlite": sqlite_file}[kind]()
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, f float unsigned, d double unsigned)")
    execute(source, "INSERT INTO t VALUES (1, 0, 0), (2, 0.1, 3.4e38), (3, NULL, NULL)")
    run = done(linked(source, target, tmp_path))
    assert run.losses == []
    assert scalar(target, "SELECT count(*) FROM t") == 3
    for column in ("f", "d"):
        with pytest.raises(sa.exc.IntegrityError):
            execute(target, f"INSERT INTO t (id, {column}) VALUES (9, -0.1)")


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_elsewhere_the_srid_of_a_column_is_named(
    kind: str, mysql: Callable[[], str], postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), {"postgresql": postgresql, "sqlite": sqlite_file}[kind]()
    execute(source, SRIDS)
    run = done(linked(source, target, tmp_path))
    told = {loss.rpartition('."')[2].split('"')[0]: loss for loss in run.losses if loss.endswith("[declaration]")}
    assert "that its SRID is 4326 is not declared" in told["p"]
    assert "that its SRID is 3857 is not declared" in told["g"]
    assert "not declared" not in told["plain"]


@pytest.mark.product("MariaDB", "texts that are checked to be JSON")
def test_a_text_that_is_checked_to_be_json_stays_what_it_is(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        """CREATE TABLE t (short varchar(20) CHECK (json_valid(short)), number int CHECK (json_valid(number)), own json,
            folded longtext COLLATE utf8mb4_general_ci CHECK (json_valid(folded)))""",
        """INSERT INTO t VALUES ('"a"', 1, '[1]', '"A"')""",
    )
    run = done(linked(source, target, tmp_path, "VERIFY=YES"))
    assert run.losses == []
    assert shown(target, "t") == shown(source, "t")
    assert_same_rows(source, target)


def test_the_comment_on_a_primary_key_is_named(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, "CREATE TABLE t (id int, a int, PRIMARY KEY (id, a) COMMENT 'by whom', KEY (a) COMMENT 'kept')")
    run = done(linked(source, target, tmp_path))
    assert [loss.partition(": ")[2] for loss in run.losses] == [
        "the comment on the primary key is not carried: by whom [constraint-comment]"
    ]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite", "mysql"])
def test_a_counter_within_the_values_of_another_column_is_named_where_there_is_none(
    kind: str, mysql: Callable[[], str], postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), {"postgresql": postgresql, "sqlite": sqlite_file, "mysql": mysql}[kind]()
    execute(source, "CREATE TABLE t (g int, id int AUTO_INCREMENT, PRIMARY KEY (g, id)) ENGINE=MyISAM")
    execute(source, "INSERT INTO t (g) VALUES (1), (1), (2)")
    run = done(linked(source, target, tmp_path))
    told = [loss for loss in run.losses if "for each value of g" in loss]
    assert bool(told) == (kind != "mysql")
    if kind == "mysql":
        assert shown(target, "t") == shown(source, "t")
