"""An export over a link: rows come from the linked database, the job is in the connected one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import done, pump, remap, schema_of
from tests.support.restarts import check_equal
from tests.support.rows import assert_same_rows
from tests.support.sql import execute, rows, scalar

BACKENDS = ("sqlite", "postgresql", "mysql")
JOB = "LINKED"


def fresh(request: pytest.FixtureRequest, backend: str, name: str) -> str:
    """The URL of a fresh database; ``name``: of a file."""
    if backend == "sqlite":
        return str(request.getfixturevalue("sqlite_file")(name))
    return str(request.getfixturevalue(backend)())


@pytest.fixture
def reader(postgresql: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """A PostgreSQL database: its owner's URL, and that of a user who may read its table and change nothing."""
    owner, role = postgresql(), f"reader_{uuid.uuid4().hex[:8]}"
    execute(owner, "CREATE TABLE t (id integer PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    execute(owner, f"CREATE ROLE {role} LOGIN", f"ALTER ROLE {role} SET default_transaction_read_only = on")
    execute(owner, f"GRANT SELECT ON t TO {role}")
    yield owner, sa.make_url(owner).set(username=role).render_as_string(hide_password=False)
    execute(owner, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("home", BACKENDS)
@pytest.mark.parametrize("kind", BACKENDS)
def test_rows_come_from_the_link_and_the_master_table_is_in_the_connected_database(
    kind: str, home: str, request: pytest.FixtureRequest, sample: Callable[[str], str], tmp_path: Path
) -> None:
    chinook = sample("chinook.sqlite")
    linked, connected = chinook, fresh(request, home, "home.db")
    if kind != "sqlite":
        linked = fresh(request, kind, "")
        done(pump("impdp", linked, f"NETWORK_LINK={chinook}", remap(chinook, linked), f"DIRECTORY={tmp_path}"))
    execute(connected, "CREATE TABLE own (id integer)")
    run = done(pump("expdp", connected, f"NETWORK_LINK={linked}", f"DIRECTORY={tmp_path}", "KEEP_MASTER=YES"))
    assert len(run.rows) == 11
    assert f'Master table "{schema_of(connected)}"."SYS_EXPORT_SCHEMA_01" successfully unloaded' in run.out
    assert len(Recorded.of(connected, "SYS_EXPORT_SCHEMA_01").granules()) == 11
    target = f"sqlite:///{tmp_path}/target.db"
    done(pump("impdp", target, remap(linked, target), f"DIRECTORY={tmp_path}", "LOGFILE=back.log"))
    assert_same_rows(linked, target)


def test_a_user_who_may_change_nothing_is_read_from_elsewhere(
    reader: tuple[str, str], mysql: Callable[[], str], tmp_path: Path
) -> None:
    _, limited = reader
    alone = pump("expdp", limited, f"DIRECTORY={tmp_path}")
    assert alone.code == 1
    assert "cannot execute CREATE TABLE in a read-only transaction" in alone.err
    run = done(pump("expdp", mysql(), f"NETWORK_LINK={limited}", "TABLES=public.t", f"DIRECTORY={tmp_path}"))
    assert run.rows == {"t": 3}
    target = f"sqlite:///{tmp_path}/target.db"
    done(pump("impdp", target, "REMAP_SCHEMA=public:main", f"DIRECTORY={tmp_path}", "LOGFILE=back.log"))
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == [(1, "a"), (2, "b"), (3, None)]


def test_all_that_an_export_takes_holds_over_a_link(
    reader: tuple[str, str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    _, limited = reader
    home = sqlite_file("home.db")
    execute(home, "CREATE TABLE own (id integer)")
    link = (f"NETWORK_LINK={limited}", "TABLES=public.t", f"DIRECTORY={tmp_path}")
    sizes = done(pump("expdp", home, *link, "ESTIMATE_ONLY=YES"))
    assert '"public"."t"' in sizes.out
    plan = pump("plan", "expdp", home, *link)
    assert plan.code == 0, plan.err
    assert "direct_path" in plan.out
    done(pump("expdp", home, *link, "QUERY=public.t:WHERE id > 1", "ENCRYPTION_PASSWORD=swordfish", "CHECKSUM=YES"))
    target = f"sqlite:///{tmp_path}/target.db"
    opened = ("REMAP_SCHEMA=public:main", f"DIRECTORY={tmp_path}", "LOGFILE=back.log", "ENCRYPTION_PASSWORD=swordfish")
    done(pump("impdp", target, *opened))
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(2,), (3,)]
    assert rows(home, "SELECT name FROM sqlite_schema") == [("own",)]


def test_a_database_that_is_not_there_is_not_made(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    here, gone = sqlite_file("here.db"), sqlite_file("gone.db")
    execute(here, "CREATE TABLE t (id integer)")
    for connected, linked in ((gone, here), (here, gone)):
        run = pump("expdp", connected, f"NETWORK_LINK={linked}", f"DIRECTORY={tmp_path}")
        assert run.code == 1
        assert "gone.db" in run.err
        assert not (tmp_path / "gone.db").exists()


def test_a_file_that_is_linked_to_itself_is_recorded_elsewhere(
    sqlite_file: Callable[..., str], state_home: Path, tmp_path: Path
) -> None:
    here = sqlite_file("here.db")
    execute(here, "CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1)")
    (tmp_path / "there.db").hardlink_to(tmp_path / "here.db")
    link = (f"NETWORK_LINK=sqlite:///{tmp_path}/there.db", f"DIRECTORY={tmp_path}")
    done(pump("expdp", here, *link, "KEEP_MASTER=YES"))
    assert rows(here, "SELECT name FROM sqlite_schema") == [("t",)]
    assert scalar(f"sqlite:///{state_home}/migrator/jobs.db", "SELECT count(*) FROM SYS_EXPORT_SCHEMA_01 WHERE kind='JOB'")
    refused = pump("expdp", here, *link, "MASTER_TABLE=DATABASE", "REUSE_DUMPFILES=YES")
    assert refused.code == 1
    assert "UDE-00010: MASTER_TABLE=DATABASE" in refused.err


@pytest.mark.parametrize("home", BACKENDS)
def test_an_export_over_a_link_that_was_killed_goes_on(home: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    linked, connected = hoard(tmp_path / "source.db", 200_000), fresh(request, home, "home.db")
    execute(connected, "CREATE TABLE own (id integer)")
    expected, recorded = contents(linked), Recorded.of(connected, JOB)

    options = (f"NETWORK_LINK={linked}", "DUMPFILE=big%U.dmp", "PARALLEL_THRESHOLD=256K", f"JOB_NAME={JOB}", "NOLOGFILE=YES")
    with ended(begin("expdp", connected, *options, cwd=tmp_path)) as process:
        until(lambda: process.poll() is not None or recorded.granules_done() > 2)
        said = kill(process)
    assert "completed" not in said, said
    time.sleep(float(LEASE) + 0.1)
    again = go_on(connected, JOB, link=linked)
    assert again.returncode == 0, again.stdout
    target = f"sqlite:///{tmp_path}/target.db"
    done(pump("impdp", target, f"DIRECTORY={tmp_path}", "DUMPFILE=big%U.dmp", "NOLOGFILE=YES"))
    check_equal(target, expected, JOB)
