"""What earlier runs of a job met counts when it goes on: rows that failed come again, errors stay errors, changes show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from migrator.spec import TableExistsAction
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, Recorded, begin, begin_again, ended, go_on, kill, until
from tests.support.pump import done, pump
from tests.support.servers import libpq
from tests.support.sql import execute, scalar

JOB = "MENDED"
OPTIONS = (f"JOB_NAME={JOB}", "NOLOGFILE=YES")
ROWS = 60_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return hoard(tmp_path_factory.mktemp("source") / "source.db", ROWS)


def killed(recorded: Recorded, when: Callable[[], bool], client: str, url: str, *arguments: str, cwd: Path) -> None:
    """Begin a job and kill it when something has come about; its lease is over then."""
    with ended(begin(client, url, *arguments, *OPTIONS, cwd=cwd)) as process:
        until(lambda: process.poll() is not None or (recorded.exists() and when()), "its moment")
        said = kill(process)
    assert "completed" not in said, said
    time.sleep(float(LEASE) + 0.1)


def killed_at_its_view(here: str, there: str, cwd: Path) -> Recorded:
    """An import over a link, on PostgreSQL, that was killed when it was about to make a view."""
    hold = (
        """CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(99); END $$""",
        "CREATE EVENT TRIGGER hold ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION hold()",
    )
    execute(there, *hold)
    recorded = Recorded.of(there, JOB)
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(libpq(sa.make_url(there))) as lock:
        lock.execute("SELECT pg_advisory_lock(99)")
        killed(recorded, lambda: scalar(there, waits) == 1, "impdp", there, f"NETWORK_LINK={here}", cwd=cwd)
    return recorded


def states(recorded: Recorded, table: str = "") -> set[str]:
    """The states of the granules of a table, or of all."""
    return {row.state for row in recorded.granules() if table in {"", row.name}}


# --- rows that failed -----------------------------------------------------------------------------------------------

CHECK_NEW_TABLES = (
    """CREATE FUNCTION add_check() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF to_regclass('public.big') IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'barred') THEN
            ALTER TABLE public.big ADD CONSTRAINT barred CHECK (id <> 5);
        END IF;
    END $$""",
    "CREATE EVENT TRIGGER add_check ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION add_check()",
)


def half_failed(source: str, target: str, action: TableExistsAction, tmp_path: Path) -> Recorded:
    """An import that was killed when rows of its first granule had been refused and others had come in."""
    link = (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public")
    if action != "SKIP":
        done(pump("impdp", target, *link, "CONTENT=METADATA_ONLY", "NOLOGFILE=YES"))
        execute(target, "ALTER TABLE big ADD CONSTRAINT barred CHECK (id <> 5)")
    else:
        execute(target, *CHECK_NEW_TABLES)
    recorded = Recorded.of(target, JOB)
    arguments = (*link, f"TABLE_EXISTS_ACTION={action}", "PARALLEL_THRESHOLD=128K")
    some = {"FAILED", "COMPLETED", "PENDING"}
    killed(recorded, lambda: some <= states(recorded, "big"), "impdp", target, *arguments, cwd=tmp_path)
    return recorded


@pytest.mark.parametrize("action", ["SKIP", "APPEND"])
def test_rows_that_had_failed_are_loaded_when_the_reason_is_gone(
    action: TableExistsAction, source: str, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    target = postgresql()
    half_failed(source, target, action, tmp_path)
    execute(target, "ALTER TABLE big DROP CONSTRAINT barred")
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert contents(target) == contents(source)


@pytest.mark.parametrize("action", ["SKIP", "APPEND"])
def test_rows_that_fail_again_are_an_error(
    action: TableExistsAction, source: str, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    target = postgresql()
    half_failed(source, target, action, tmp_path)
    again = go_on(target, JOB, link=source)
    assert again.returncode == 5, again.stdout
    assert 'ORA-31693: Table data object "public"."big" failed to load' in again.stdout
    assert 'violates check constraint "barred"' in again.stdout
    left = scalar(target, "SELECT count(*) FROM big")
    if action == "SKIP":
        assert left == 0
    else:
        assert 0 < left < ROWS
        assert f"{left} rows of it had been committed before, and stay in the table" in again.stdout
    assert scalar(target, "SELECT count(*) FROM loose") == ROWS // 10


def test_a_table_that_failed_and_is_referred_to_is_loaded_again(postgresql: Callable[..., str], tmp_path: Path) -> None:
    """A foreign key that was made meanwhile keeps TRUNCATE away, and there is nothing to empty."""
    here, there = postgresql(), postgresql()
    execute(here, "CREATE TABLE parent (id int PRIMARY KEY, v text)", "INSERT INTO parent VALUES (1, 'a'), (5, 'b')")
    execute(here, "CREATE TABLE child (p int REFERENCES parent)", "INSERT INTO child VALUES (NULL)")
    execute(here, "CREATE VIEW v AS SELECT * FROM parent")
    done(pump("impdp", there, f"NETWORK_LINK={here}", "CONTENT=METADATA_ONLY", "EXCLUDE=VIEW", "NOLOGFILE=YES"))
    execute(there, "DROP TABLE child, parent", *[text.replace("big", "parent") for text in CHECK_NEW_TABLES])
    recorded = killed_at_its_view(here, there, tmp_path)
    assert states(recorded, "parent") == {"FAILED"}
    execute(there, "ALTER TABLE parent DROP CONSTRAINT barred")
    again = go_on(there, JOB, link=here)
    assert again.returncode == 5, "the first run had told of an error"
    assert "ORA-" not in again.stdout
    assert scalar(there, "SELECT count(*) FROM parent") == 2
    assert scalar(there, "SELECT count(*) FROM v") == 2


# --- errors of earlier runs -----------------------------------------------------------------------------------------


def test_an_index_that_failed_before_the_kill_is_an_error_after_it(postgresql: Callable[..., str], tmp_path: Path) -> None:
    here, there = postgresql(), postgresql()
    execute(here, "CREATE TABLE t (id int, v text)", "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 10) i")
    execute(here, "CREATE INDEX t_v ON t (v)", "CREATE VIEW w AS SELECT * FROM t")
    refuse = (
        """CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no index today'; END $$""",
        "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION refuse()",
    )
    execute(there, *refuse)
    killed_at_its_view(here, there, tmp_path)
    again = go_on(there, JOB, link=here)
    assert again.returncode == 5, again.stdout
    assert "completed with 1 error(s)" in again.stdout
    assert scalar(there, "SELECT count(*) FROM w") == 10
    assert scalar(there, "SELECT to_regclass('t_v') IS NULL")


def test_an_error_that_is_no_objects_counts_at_once(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    """A table that existed and was skipped: the job is killed as soon as rows of another are on their way."""
    there = postgresql()
    execute(there, "CREATE TABLE hollow (a int)")
    recorded, link = Recorded.of(there, JOB), (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public")
    arguments = (*link, "PARALLEL_THRESHOLD=128K")
    killed(recorded, lambda: "EXECUTING" in states(recorded), "impdp", there, *arguments, cwd=tmp_path)
    again = go_on(there, JOB, link=source)
    assert again.returncode == 5, again.stdout
    assert "completed with 1 error(s)" in again.stdout
    assert contents(there) == contents(source)


# --- what was in progress and is left out ---------------------------------------------------------------------------


class Gates:
    """Tables whose first rows are read at once, and the others only while their gate is open."""

    def __init__(self, url: str, **rows: int) -> None:
        self._url = url
        self._locks: dict[str, psycopg.Connection] = {}
        self._numbers = {name: 4700 + number for number, name in enumerate(rows)}
        for name, count in rows.items():
            execute(url, f"CREATE TABLE {name} (id int PRIMARY KEY, v varchar(40)) WITH (fillfactor = 50)")
            execute(url, f"INSERT INTO {name} SELECT i, md5(i::text) FROM generate_series(1, {count}) i")
            self.close(name)

    def queries(self, **first: int) -> tuple[str, ...]:
        """The QUERY of each table, with the number of rows before the gate."""
        gate = "(SELECT count(*) FROM pg_advisory_xact_lock_shared({})) = 1"
        return tuple(
            f'QUERY={name}:"WHERE CASE WHEN id <= {count} THEN true ELSE {gate.format(self._numbers[name])} END"'
            for name, count in first.items()
        )

    def close(self, name: str) -> None:
        self._locks[name] = psycopg.connect(libpq(sa.make_url(self._url)))
        self._locks[name].execute("SELECT pg_advisory_lock(%s)", (self._numbers[name],))

    def waits(self, name: str) -> bool:
        """Whether a job waits at a gate."""
        here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        waiting = f"SELECT count(*) FROM pg_locks WHERE objid = {self._numbers[name]} AND NOT granted AND {here}"
        return bool(scalar(self._url, waiting))

    def open(self, *names: str) -> None:
        for name in names or list(self._locks):
            self._locks.pop(name).close()


@contextmanager
def gates(url: str, **rows: int) -> Iterator[Gates]:
    made = Gates(url, **rows)
    try:
        yield made
    finally:
        made.open()


SMALL = "PARALLEL_THRESHOLD=64K"


def test_an_export_without_what_was_in_progress_names_the_table(postgresql: Callable[..., str], tmp_path: Path) -> None:
    here, there = postgresql(), postgresql()
    recorded, where = Recorded.of(here, JOB), (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp")
    with gates(here, a=20_000, b=2_000) as held:
        queries = held.queries(a=5_000, b=2_000)
        killed(recorded, lambda: held.waits("a"), "expdp", here, *where, *queries, SMALL, cwd=tmp_path)
        again = go_on(here, JOB, skip=True)
    assert again.returncode == 5, again.stdout
    assert 'ORA-31693: Table data object "public"."a" failed to unload' in again.stdout
    assert 'exported "public"."a"' not in again.stdout
    assert 'exported "public"."b"' in again.stdout
    taken = pump("impdp", there, *where, "NOLOGFILE=YES")
    assert taken.code == 5
    assert 'MIG-20004: "public"."a": the dump file set has none of its rows' in taken.out
    assert "START_JOB=SKIP_CURRENT left it out" in taken.out
    assert scalar(there, "SELECT count(*) FROM a") == 0
    assert scalar(there, "SELECT count(*) FROM b") == 2_000


def test_an_import_without_what_was_in_progress_names_it(postgresql: Callable[..., str], tmp_path: Path) -> None:
    """And goes on naming it in its exit code, if it is killed at once and started a third time."""
    here, there = postgresql(), postgresql()
    recorded, link = Recorded.of(there, JOB), f"NETWORK_LINK={here}"
    with gates(here, a=20_000, b=20_000) as held:
        arguments = (link, *held.queries(a=5_000, b=5_000), SMALL)
        killed(recorded, lambda: held.waits("a"), "impdp", there, *arguments, cwd=tmp_path)
        held.open("a")
        (current,) = [row for row in recorded.granules() if row.state == "EXECUTING"]
        with ended(begin_again(there, JOB, link=here, skip=True)) as second:
            until(lambda: held.waits("b"), "the gate of b")
            said = kill(second)
        assert f'granule {current.item} of "public"."a" was in progress and is skipped' in said
    time.sleep(float(LEASE) + 0.1)
    again = go_on(there, JOB, link=here)
    assert again.returncode == 5, again.stdout
    assert "completed with 1 error(s)" in again.stdout
    assert 0 < scalar(there, "SELECT count(*) FROM a") < 20_000
    assert scalar(there, "SELECT count(*) FROM b") == 20_000


# --- changes between runs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", ["", "b"])
def test_a_second_restart_looks_for_changes_since_the_first(
    changed: str, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    """The first run reads part of a, then b changes; the second run reads part of b, rightly."""
    here, there = postgresql(), postgresql()
    recorded, where = Recorded.of(here, JOB), (f"DIRECTORY={tmp_path}", "DUMPFILE=x%U.dmp")
    with gates(here, a=15_000, b=10_000) as held:
        arguments = (*where, *held.queries(a=5_000, b=5_000), SMALL)
        killed(recorded, lambda: held.waits("a"), "expdp", here, *arguments, cwd=tmp_path)
        assert states(recorded, "b") == {"PENDING"}
        execute(here, "UPDATE b SET v = 'changed' WHERE id <= 10")  # they stay in the first block, which has room
        held.open("a")
        with ended(begin_again(here, JOB)) as second:
            until(lambda: second.poll() is not None or held.waits("b"), "the gate of b")
            said = kill(second)
        assert "MIG-31651" not in said
        assert 'exported "public"."a"' in said
        held.open("b")
    if changed:
        execute(here, f"UPDATE {changed} SET v = 'later' WHERE id = 1")
    time.sleep(float(LEASE) + 0.1)
    again = go_on(here, JOB)
    if changed:
        assert again.returncode == 1
        assert f'MIG-31651: job cannot be started again: table "public"."{changed}" changed at the source' in again.stdout
        return
    assert again.returncode == 0, again.stdout
    done(pump("impdp", there, *where, "NOLOGFILE=YES"))
    assert scalar(there, "SELECT count(*) FROM b WHERE v = 'changed'") == 10
    assert scalar(there, "SELECT count(DISTINCT id) FROM a") == 15_000


def test_rows_that_went_from_a_replaced_table_are_missed(
    source: str, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    there = postgresql()
    link = (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public")
    done(pump("impdp", there, *link, "CONTENT=METADATA_ONLY", "NOLOGFILE=YES"))
    recorded, arguments = Recorded.of(there, JOB), (*link, "TABLE_EXISTS_ACTION=REPLACE", "PARALLEL_THRESHOLD=128K")
    begun = {"COMPLETED", "PENDING"}
    killed(recorded, lambda: begun <= states(recorded, "big"), "impdp", there, *arguments, cwd=tmp_path)
    execute(there, "DELETE FROM big WHERE id = (SELECT min(id) FROM big)")
    again = go_on(there, JOB, link=source)
    assert again.returncode == 1
    assert 'MIG-31652: job cannot be started again: table "public"."big" changed at the target: it has ' in again.stdout
