"""A job that dies, whatever kills it and whenever, goes on to the end with every row once."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.held import HeldRows
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, ended, go_on, kill, next_second, until
from tests.support.pump import done, pump, schema_of
from tests.support.restarts import Killed, check_equal, kill_often
from tests.support.sql import execute

KILLS = int(os.environ.get("MIGRATOR_TEST_KILLS", "20"))
"""How often each kind of job is killed; ``make soak`` kills more often."""
SEED = int(os.environ.get("MIGRATOR_TEST_SEED") or random.randrange(10**6))
"""What the moments come from; a failing test prints it."""
ROWS = 1_000_000
JOB = "UNKILLABLE"

Fresh = Callable[[], str]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite file with a table of a million rows, one without a key, and an empty one."""
    return hoard(tmp_path_factory.mktemp("source") / "source.db", ROWS)


@pytest.fixture
def fresh(
    request: pytest.FixtureRequest,
    sqlite_file: Callable[..., str],
    postgresql: Callable[..., str],
    mysql: Callable[..., str],
) -> Fresh:
    """Gives new databases of the kind that the test is for."""
    names = iter(range(1000))
    makers: dict[str, Fresh] = {
        "sqlite": lambda: sqlite_file(f"target{next(names)}.db"),
        "postgresql": postgresql,
        "mysql": mysql,
    }
    return makers[request.param]


@pytest.fixture
def moments() -> random.Random:
    print(f"MIGRATOR_TEST_SEED={SEED}")
    return random.Random(SEED)


@pytest.mark.parametrize("fresh", ["sqlite", "postgresql", "mysql"], indirect=True)
def test_an_import_over_a_link_survives(source: str, fresh: Fresh, moments: random.Random, tmp_path: Path) -> None:
    expected, targets = contents(source), []

    def job() -> Killed:
        targets.append(fresh())
        where = f"REMAP_SCHEMA=main:{schema_of(targets[-1])}"
        return Killed(
            moments, JOB, "impdp", targets[-1], f"NETWORK_LINK={source}", where, "PARALLEL=2", cwd=tmp_path, link=source
        )

    kill_often(job, lambda: check_equal(targets[-1], expected, JOB), KILLS)


@pytest.mark.parametrize("fresh", ["sqlite", "postgresql", "mysql"], indirect=True)
def test_an_import_of_a_dump_set_survives(source: str, fresh: Fresh, moments: random.Random, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")
    done(pump("expdp", source, *where, "PARALLEL_THRESHOLD=1M", "NOLOGFILE=YES"))
    expected, targets = contents(source), []

    def job() -> Killed:
        targets.append(fresh())
        return Killed(
            moments,
            JOB,
            "impdp",
            targets[-1],
            *where,
            f"REMAP_SCHEMA=main:{schema_of(targets[-1])}",
            "PARALLEL=2",
            cwd=tmp_path,
        )

    kill_often(job, lambda: check_equal(targets[-1], expected, JOB), KILLS)


@pytest.mark.parametrize("fresh", ["sqlite", "postgresql", "mysql"], indirect=True)
def test_an_export_survives(
    source: str, fresh: Fresh, moments: random.Random, tmp_path: Path, sqlite_file: Callable[..., str]
) -> None:
    url = fresh()
    done(pump("impdp", url, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "NOLOGFILE=YES"))
    next_second()
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")
    expected, numbers = contents(source), iter(range(1000))

    def job() -> Killed:
        for dump in dumps.glob("*.dmp"):
            dump.unlink()
        local = url.startswith("sqlite")
        return Killed(moments, JOB, "expdp", url, *where, "PARALLEL=2", "FILESIZE=20M", cwd=dumps, local=local)

    def check() -> None:
        target = sqlite_file(f"check{next(numbers)}.db")
        done(pump("impdp", target, *where, f"REMAP_SCHEMA={schema_of(url)}:main", "NOLOGFILE=YES"))
        check_equal(target, expected, JOB)

    kill_often(job, check, KILLS)


@pytest.mark.parametrize("fresh", ["postgresql", "mysql"], indirect=True)
def test_an_import_that_is_recorded_elsewhere_survives(
    source: str, fresh: Fresh, moments: random.Random, tmp_path: Path
) -> None:
    """Whether the last rows were committed cannot be told, so the job loads tables that are its own anew."""
    expected, targets = contents(source), []

    def job() -> Killed:
        targets.append(fresh())
        where = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(targets[-1])}", "PARALLEL=2")
        return Killed(
            moments, JOB, "impdp", targets[-1], *where, "MASTER_TABLE=LOCAL", cwd=tmp_path, local=True, link=source
        )

    kill_often(job, lambda: check_equal(targets[-1], expected, JOB), max(1, KILLS // 4))


# --- what may not have changed --------------------------------------------------------------------------------------


def stopped_job(client: str, url: str, *arguments: str, cwd: Path, local: bool = False) -> Recorded:
    """A job that died after some of its granules."""
    recorded = Recorded.of(url, JOB, local=local)
    job = (*arguments, f"JOB_NAME={JOB}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=64K")
    with ended(begin(client, url, *job, cwd=cwd)) as process:
        until(lambda: recorded.granules_done() > 0, "a granule")
        kill(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    time.sleep(float(LEASE) + 0.1)
    return recorded


def test_a_source_that_changed_is_refused(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    here, there = postgresql(), postgresql()
    done(pump("impdp", here, f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", "NOLOGFILE=YES"))
    recorded = stopped_job("impdp", there, f"NETWORK_LINK={here}", cwd=tmp_path)
    execute(here, "UPDATE public.big SET amount = amount + 1")
    again = go_on(there, JOB, link=here)
    assert again.returncode == 1
    assert 'MIG-31651: job cannot be started again: table "public"."big" changed at the source' in again.stdout
    assert recorded.exists()


def test_a_target_that_changed_is_refused(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    there = postgresql()
    stopped_job("impdp", there, f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", cwd=tmp_path)
    execute(there, "DELETE FROM public.big WHERE id = (SELECT min(id) FROM public.big)")
    again = go_on(there, JOB, link=source)
    assert again.returncode == 1
    assert 'MIG-31652: job cannot be started again: table "public"."big" changed at the target: it has ' in again.stdout


def test_another_dump_set_is_refused(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    there, where = postgresql(), (f"DIRECTORY={tmp_path}", "DUMPFILE=big.dmp")
    done(pump("expdp", source, *where, "PARALLEL_THRESHOLD=64K", "NOLOGFILE=YES"))
    stopped_job("impdp", there, *where, "REMAP_SCHEMA=main:public", cwd=tmp_path)
    done(pump("expdp", source, *where, "REUSE_DUMPFILES=YES", "NOLOGFILE=YES"))
    again = go_on(there, JOB)
    assert again.returncode == 1
    assert "the dump file set changed at the source: it is not the one that the job began with" in again.stdout


def test_a_running_job_is_not_started_twice(postgresql: Callable[..., str], tmp_path: Path) -> None:
    held, there = HeldRows(postgresql(), tmp_path), postgresql()
    recorded = Recorded.of(there, JOB)
    job = (f"NETWORK_LINK={held.source}", held.query, f"JOB_NAME={JOB}", "NOLOGFILE=YES")
    with ended(begin("impdp", there, *job, cwd=tmp_path, lease="30")) as process:
        until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "its rows")
        again = go_on(there, JOB, link=held.source)
        held.release()
        said, _ = process.communicate(timeout=SECONDS)
    assert again.returncode == 1
    assert "ORA-39004" in again.stdout
    assert process.returncode == 0, said


# --- names and endings ----------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused(source: str, postgresql: Callable[..., str]) -> None:
    url = postgresql()
    execute(url, "CREATE VIEW public.taken AS SELECT 1 AS a")
    run = pump("impdp", url, f"NETWORK_LINK={source}", "JOB_NAME=taken", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES")
    assert run.code == 1
    assert run.err.startswith("ORA-31634: job already exists")


def test_jobs_are_numbered(source: str, postgresql: Callable[..., str]) -> None:
    url = postgresql()
    link = (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", "INCLUDE=TABLE:\"= 'hollow'\"", "NOLOGFILE=YES")
    first = done(pump("impdp", url, *link, "KEEP_MASTER=YES"))
    second = pump("impdp", url, *link)
    assert 'Starting "public"."SYS_IMPORT_SCHEMA_01"' in first.out
    assert 'Starting "public"."SYS_IMPORT_SCHEMA_02"' in second.out
    kept = Recorded.of(url, "SYS_IMPORT_SCHEMA_01")
    assert kept.job().state == "COMPLETED"
    assert not Recorded.of(url, "SYS_IMPORT_SCHEMA_02").exists()


def test_a_job_that_never_ran_leaves_no_master_table(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = postgresql()
    execute(url, "CREATE TABLE public.t (a int)")
    (tmp_path / "x.dmp").write_text("precious")
    run = pump("expdp", url, f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp", f"JOB_NAME={JOB}", "NOLOGFILE=YES")
    assert run.code == 1
    assert run.err.startswith("ORA-27038")
    assert not Recorded.of(url, JOB).exists()


def test_master_tables_are_not_exported(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = postgresql()
    link = (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES")
    done(pump("impdp", url, *link, "KEEP_MASTER=YES", "JOB_NAME=KEPT"))
    run = done(pump("expdp", url, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    assert set(run.rows) == {"big", "loose", "hollow"}


def test_no_secret_is_in_the_master_table(source: str, mysql: Callable[[], str]) -> None:
    url = mysql()
    link = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES")
    done(pump("impdp", url, *link, "KEEP_MASTER=YES", "JOB_NAME=KEPT"))
    password = sa.make_url(url).password
    assert password
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM KEPT")).all()
    assert rows
    assert str(password) not in str(rows)
