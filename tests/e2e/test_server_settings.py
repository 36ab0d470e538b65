"""What a MariaDB server's own settings would do to results: sessions of jobs do not have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap
from tests.support.rows import assert_same_rows
from tests.support.servers import PrivateMariaDB, Servers
from tests.support.sql import execute, rows, scalar

SETTINGS = {
    "sql_select_limit": "1000",
    "max_join_size": "100",
    "max_statement_time": "0.01",
    "sql_buffer_result": "1",
    "sql_auto_is_null": "1",
    "sql_safe_updates": "1",
    "sql_quote_show_create": "0",
    "sql_notes": "0",
    "max_error_count": "0",
    "note_verbosity": "''",
    "completion_type": "'CHAIN'",
    "tx_isolation": "'READ-UNCOMMITTED'",
    "system_versioning_asof": "'2001-01-01 00:00:00'",
    "check_constraint_checks": "0",
    "foreign_key_checks": "0",
    "unique_checks": "0",
    "explicit_defaults_for_timestamp": "0",
    "default_storage_engine": "MyISAM",
    "default_tmp_storage_engine": "MEMORY",
    "sql_if_exists": "1",
    "default_regex_flags": "'DOTALL'",
    "old_mode": "''",
    "group_concat_max_len": "4",
    "max_sort_length": "8",
    "div_precision_increment": "0",
    "default_week_format": "3",
    "lc_time_names": "'de_DE'",
    "time_zone": "'+07:00'",
    "sql_mode": "''",
    "init_connect": "'SET sql_select_limit = 7'",
}
"""Each would change or cut a result, or let something pass."""


@pytest.fixture
def server(servers: Servers) -> Iterator[PrivateMariaDB]:
    own = servers.private_mysql()
    yield own
    own.stop()


def fresh(server: PrivateMariaDB) -> str:
    return server.fresh().render_as_string(hide_password=False)


def twist(url: str) -> None:
    execute(url, *(f"SET GLOBAL {name} = {value}" for name, value in SETTINGS.items()))


def straighten(url: str) -> None:
    for name in ("sql_select_limit", "max_statement_time", "max_join_size", "system_versioning_asof"):
        execute(url, f"SET GLOBAL {name} = DEFAULT")
    execute(url, "SET GLOBAL time_zone = 'SYSTEM'", "SET GLOBAL init_connect = ''")


def test_every_row_is_moved_and_compared_whatever_the_server_is_set_to(server: PrivateMariaDB, tmp_path: Path) -> None:
    source, set_, link = (fresh(server) for _ in range(3))
    execute(
        source,
        "CREATE TABLE many (id INT PRIMARY KEY, t VARCHAR(40), at TIMESTAMP NULL DEFAULT NULL, later TIMESTAMP NOT NULL)",
        "INSERT INTO many SELECT seq, CONCAT(REPEAT('same', 5), seq), '2024-05-05', '2024-05-06' FROM seq_1_to_5000",
        "CREATE TABLE heap (t VARCHAR(40))",
        "INSERT INTO heap SELECT CONCAT('row ', seq) FROM seq_1_to_3000",
        "CREATE TABLE kept (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
        "INSERT INTO kept SELECT seq, seq FROM seq_1_to_2000",
        "CREATE TABLE computed (id INT PRIMARY KEY, n DECIMAL(20,10) AS (id / 7) STORED)",
        "INSERT INTO computed (id) SELECT seq FROM seq_1_to_1500",
        "CREATE TABLE child (id INT PRIMARY KEY, p INT REFERENCES many (id), CHECK (p > 0))",
        "INSERT INTO child SELECT seq, seq FROM seq_1_to_1200",
        *(f"CREATE TABLE t{number} (a INT, b INT)" for number in range(12)),
    )
    twist(source)
    where = f"DIRECTORY={tmp_path}"
    done(pump("expdp", source, where, "DUMPFILE=all.dmp"))
    done(pump("impdp", set_, where, "DUMPFILE=all.dmp", remap(source, set_), "VERIFY=YES"))
    done(pump("impdp", link, where, f"NETWORK_LINK={source}", remap(source, link), "VERIFY=YES"))
    done(pump("verify", link, f"NETWORK_LINK={source}", remap(source, link)))
    straighten(source)
    for target in (set_, link):
        assert_same_rows(source, target)
        assert "ON UPDATE" not in str(rows(target, "SHOW CREATE TABLE many"))
        assert scalar(target, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()") == 17


def test_what_is_not_there_for_a_session_of_ours_is_found(server: PrivateMariaDB, tmp_path: Path) -> None:
    """Rows that are one too few at the end are seen, though the server would show the same few of both."""
    source, target = fresh(server), fresh(server)
    for url, count in ((source, 5000), (target, 4000)):
        execute(url, "CREATE TABLE many (id INT PRIMARY KEY)", f"INSERT INTO many SELECT seq FROM seq_1_to_{count}")
    twist(source)
    run = pump("verify", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    assert run.code == 5
    assert "5000" in run.out


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ("v INT REFERENCES many (id)", "2"),
        ("v INT CHECK (v < 2)", "2"),
        ("v DECIMAL(4,1)", "1.25"),
    ],
)
def test_a_server_that_checks_less_takes_no_more(column: str, row: str, server: PrivateMariaDB, tmp_path: Path) -> None:
    source, target = fresh(server), fresh(server)
    execute(source, "CREATE TABLE t (v DECIMAL(9,2))", f"INSERT INTO t VALUES ({row})")
    execute(target, "CREATE TABLE many (id INT PRIMARY KEY)", f"CREATE TABLE t ({column})")
    twist(target)
    append = ("TABLE_EXISTS_ACTION=APPEND", f"DIRECTORY={tmp_path}")
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *append)
    assert run.code != 0
    straighten(target)
    assert rows(target, "SELECT v FROM t") == []


@pytest.mark.parametrize("size", [1024, 16384, 65536])
def test_rows_are_loaded_in_packets_that_the_server_takes(size: int, server: PrivateMariaDB, tmp_path: Path) -> None:
    source, target = fresh(server), fresh(server)
    execute(
        source,
        "CREATE TABLE many (id INT PRIMARY KEY, t VARCHAR(40))",
        "INSERT INTO many SELECT seq, CONCAT('row ', seq) FROM seq_1_to_50000",
        f"SET GLOBAL max_allowed_packet = {size}",
    )
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", "MASTER_TABLE=LOCAL"))
    run = done(pump("impdp", target, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", remap(source, target)))
    assert run.rows == {"many": 50000}
    assert_same_rows(source, target)


def test_a_record_of_many_objects_is_written_in_packets_that_the_server_takes(
    server: PrivateMariaDB, tmp_path: Path
) -> None:
    source, target = fresh(server), fresh(server)
    tables = [f"{'a_table_of_a_long_name' * 2}_{number}" for number in range(110)]
    execute(source, *(f"CREATE TABLE {name} (id INT PRIMARY KEY)" for name in tables))
    execute(source, "SET GLOBAL max_allowed_packet = 16384")
    assert len(done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")).rows) == len(tables)
    run = done(pump("impdp", target, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", remap(source, target)))
    assert len(run.rows) == len(tables)
