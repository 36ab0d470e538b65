"""FLASHBACK_TIME and FLASHBACK_SCN: rows of the state that is asked for, or a refusal by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.held import Gate
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.rows import tables_of
from tests.support.servers import libpq
from tests.support.sql import execute, rows, scalar

JOB = "BACK"


def now(url: str) -> str:
    """A MariaDB server's time in UTC; a table made before is older than it by more than a second."""
    time.sleep(1.1)
    return str(scalar(url, "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)"))


def versioned(url: str, count: int = 3) -> str:
    """Two system-versioned tables that were changed after a moment; the moment."""
    execute(
        url,
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), twice int AS (id * 2) STORED) WITH SYSTEM VERSIONING",
        "CREATE TABLE u (id int, v varchar(20)) WITH SYSTEM VERSIONING "
        "PARTITION BY SYSTEM_TIME (PARTITION past HISTORY, PARTITION present CURRENT)",
        f"INSERT INTO t (id, v) SELECT seq, CONCAT('v', seq) FROM seq_1_to_{count}",
        "INSERT INTO u VALUES (1, 'one'), (2, 'two')",
    )
    moment = now(url)
    time.sleep(0.01)
    execute(
        url, "DELETE FROM t WHERE id = 1", "UPDATE t SET v = 'new' WHERE id = 2", "INSERT INTO t (id, v) VALUES (-9, 'x')"
    )
    execute(url, "DELETE FROM u WHERE id = 2", "UPDATE u SET v = 'new'")
    return moment


THEN = [(1, "v1", 2), (2, "v2", 4), (3, "v3", 6)]


@pytest.mark.product("MariaDB", "system-versioned tables")
@pytest.mark.parametrize("way", ["link", "dump"])
def test_rows_are_those_of_the_time(
    way: str, mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), sqlite_file("target.db")
    moment = versioned(source)
    where = (remap(source, target), f"DIRECTORY={tmp_path}")
    if way == "link":
        done(pump("impdp", target, f"NETWORK_LINK={source}", *where, f"FLASHBACK_TIME={moment}"))
    else:
        done(pump("expdp", source, f"DIRECTORY={tmp_path}", f"FLASHBACK_TIME='{moment}'", "PARALLEL=2"))
        done(pump("impdp", target, *where, "LOGFILE=back.log"))
    assert rows(target, "SELECT id, v, twice FROM t ORDER BY id") == THEN
    assert rows(target, "SELECT id, v FROM u ORDER BY id") == [(1, "one"), (2, "two")]
    present = sqlite_file("present.db")
    done(pump("impdp", present, f"NETWORK_LINK={source}", remap(source, present), "NOLOGFILE=YES"))
    assert rows(present, "SELECT id, v FROM u ORDER BY id") == [(1, "new")]


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_the_time_is_written_as_oracle_has_it_and_a_query_is_of_that_time_too(
    mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), sqlite_file("target.db")
    moment = versioned(source)
    asked = f"FLASHBACK_TIME=\"TO_TIMESTAMP('{moment}', 'YYYY-MM-DD HH24:MI:SS.FF')\""
    query = "QUERY=t:WHERE id IN (SELECT id FROM u)"
    done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}", asked, query))
    assert rows(target, "SELECT id, v, twice FROM t ORDER BY id") == THEN[:2]


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_a_job_in_the_past_goes_on_although_its_tables_change(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    moment = versioned(source, 40_000)
    recorded, gate = Recorded.of(target, JOB), Gate(source, "t", 20_000)
    options = (remap(source, target), f"FLASHBACK_TIME={moment}", f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=40K", gate.query)
    link = f"NETWORK_LINK={source}"
    with ended(begin("impdp", target, link, *options, "NOLOGFILE=YES", cwd=tmp_path)) as process:
        until(lambda: process.poll() is not None or recorded.granules_done() > 0, "a granule")
        said = kill(process)
    assert "completed" not in said, said
    gate.open()
    execute(source, "DELETE FROM t WHERE id > 100", "INSERT INTO u VALUES (7, 'seven')")
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert rows(target, "SELECT count(*), min(id), max(id), sum(id) FROM t") == [(40_000, 1, 40_000, 20_000 * 40_001)]
    assert rows(target, "SELECT id FROM u ORDER BY id") == [(1,), (2,)]


def refused(run: Run, text: str) -> None:
    """The job was refused with a text."""
    assert run.code == 1
    assert text in run.err


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_tables_that_keep_no_past_are_refused_by_name(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(source, "CREATE TABLE plain (id int)", "CREATE TABLE kept (id int) WITH SYSTEM VERSIONING")
    execute(source, "INSERT INTO kept VALUES (1)", "INSERT INTO plain VALUES (1)")
    before = str(scalar(source, "SELECT CAST(UTC_TIMESTAMP(6) - INTERVAL 1 HOUR AS CHAR)"))
    where, schema = f"DIRECTORY={tmp_path}", schema_of(source)
    run = pump("expdp", source, where, f"FLASHBACK_TIME={now(source)}")
    refused(run, f'ORA-08180: no snapshot found based on specified time: table "{schema}"."plain" is not system-versioned')
    done(pump("expdp", source, where, f"FLASHBACK_TIME={now(source)}", "TABLES=kept"))
    run = pump("expdp", source, where, f"FLASHBACK_TIME={before}", "TABLES=kept", "REUSE_DUMPFILES=YES")
    refused(run, f'table "{schema}"."kept" was made or altered at ')
    later = str(scalar(source, "SELECT CAST(UTC_TIMESTAMP(6) + INTERVAL 1 HOUR AS CHAR)"))
    refused(pump("expdp", source, where, f"FLASHBACK_TIME={later}", "TABLES=kept"), "is still to come")
    assert tables_of(source) == ["plain"]  # no master table was left


@pytest.mark.product("MariaDB", "system-versioned tables")
@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("id int, v int, w int WITHOUT SYSTEM VERSIONING", "has a column that keeps no past values: w"),
        (
            "id int, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END,"
            " PERIOD FOR SYSTEM_TIME (s, e)",
            "has a column that numbers transactions instead of their times: s",
        ),
    ],
)
def test_tables_that_keep_less_than_their_rows_are_refused(
    columns: str, why: str, mysql: Callable[[], str], tmp_path: Path
) -> None:
    """The server would give values of now among those of then."""
    source = mysql()
    execute(source, f"CREATE TABLE less ({columns}) WITH SYSTEM VERSIONING", "INSERT INTO less (id) VALUES (1)")
    run = pump("expdp", source, f"DIRECTORY={tmp_path}", f"FLASHBACK_TIME={now(source)}")
    refused(run, f'ORA-08180: no snapshot found based on specified time: table "{schema_of(source)}"."less" {why}')


@pytest.mark.product("MariaDB", "system-versioned tables")
def test_a_time_before_all_history_is_refused(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(source, "CREATE TABLE kept (id int) WITH SYSTEM VERSIONING", "INSERT INTO kept VALUES (1)")
    for time_ in ("1969-12-31 23:59:59", "0001-01-01"):
        refused(pump("expdp", source, f"DIRECTORY={tmp_path}", f"FLASHBACK_TIME={time_}"), "when no history begins")
    refused(pump("expdp", source, f"DIRECTORY={tmp_path}", "FLASHBACK_TIME=1970-01-01"), "was made or altered at ")


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_what_keeps_no_past_at_all_says_so_and_reads_the_present_when_asked(
    backend: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source = sqlite_file() if backend == "sqlite" else request.getfixturevalue(backend)()
    execute(source, "CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1)")
    where = f"DIRECTORY={tmp_path}"
    refused(pump("expdp", source, where, "FLASHBACK_TIME='2024-02-29 12:00:00'"), "keeps no past states")
    if backend == "sqlite":
        refused(pump("expdp", source, where, "FLASHBACK_SCN=1"), "ORA-08181")
    assert done(pump("expdp", source, where, "FLASHBACK_TIME=systimestamp")).rows == {"t": 1}


# --- FLASHBACK_SCN --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [16, 18])
def test_an_exported_snapshot_is_read_by_all_workers(
    version: int, postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = postgresql(version), sqlite_file("target.db")
    execute(source, "CREATE TABLE a AS SELECT i FROM generate_series(1, 30000) i", "CREATE TABLE b AS SELECT * FROM a")
    with psycopg.connect(libpq(sa.make_url(source))) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        name = holder.execute("SELECT pg_export_snapshot()").fetchone()
        assert name is not None
        execute(source, "DELETE FROM a WHERE i > 10", "INSERT INTO b VALUES (0)")
        where = (f"DIRECTORY={tmp_path}", "PARALLEL=2", "PARALLEL_THRESHOLD=100K", "DUMPFILE=x%U.dmp")
        run = done(pump("expdp", source, *where, f"FLASHBACK_SCN={name[0]}"))
    assert run.rows == {"a": 30_000, "b": 30_000}
    done(pump("impdp", target, remap(source, target), f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp", "LOGFILE=back.log"))
    assert rows(target, "SELECT min(i), max(i) FROM a UNION ALL SELECT min(i), max(i) FROM b") == [(1, 30_000)] * 2
    gone = pump("expdp", source, *where, f"FLASHBACK_SCN={name[0]}", "REUSE_DUMPFILES=YES")
    refused(gone, "ORA-08181: specified number is not a valid system change number")


def test_a_snapshot_of_another_database_or_by_no_name_is_refused(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source, other = postgresql(), postgresql()
    execute(source, "CREATE TABLE t (id integer)")
    with psycopg.connect(libpq(sa.make_url(other))) as holder:
        name = holder.execute("SELECT pg_export_snapshot()").fetchone()
        assert name is not None
        refused(pump("expdp", source, f"DIRECTORY={tmp_path}", f"FLASHBACK_SCN={name[0]}"), "different database")
    run = pump("expdp", source, f"DIRECTORY={tmp_path}", "FLASHBACK_SCN=1'; DROP TABLE t; --")
    refused(run, "is no name that pg_export_snapshot() gives")


def test_mariadb_has_no_numbers_for_its_states(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(source, "CREATE TABLE t (id integer)")
    refused(pump("expdp", source, f"DIRECTORY={tmp_path}", "FLASHBACK_SCN=1"), "MySQL has no numbers for its states")
