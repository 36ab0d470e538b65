"""An import recorded elsewhere than in its target died: the target cannot tell whether the last rows were committed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.spec import TableExistsAction
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import done, pump
from tests.support.sql import execute

JOB = "DOUBTFUL"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return hoard(tmp_path_factory.mktemp("source") / "source.db", 200_000)


def half_loaded(source: str, target: str, action: TableExistsAction, tmp_path: Path) -> Recorded:
    """An import into tables that are there, recorded elsewhere, which died over some of their rows."""
    where = (f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", "NOLOGFILE=YES")
    done(pump("impdp", target, *where))
    if action == "APPEND":
        execute(target, "TRUNCATE public.big, public.loose")
    job = (f"JOB_NAME={JOB}", "MASTER_TABLE=LOCAL", f"TABLE_EXISTS_ACTION={action}", "PARALLEL_THRESHOLD=1M")
    recorded = Recorded.of(target, JOB, local=True)
    some = {"COMPLETED", "EXECUTING"}
    with ended(begin("impdp", target, *where, *job, cwd=tmp_path)) as process:
        until(lambda: recorded.exists() and some <= {row.state for row in recorded.granules()}, "rows")
        kill(process)
    assert any(row.state == "EXECUTING" for row in recorded.granules())
    time.sleep(float(LEASE) + 0.1)
    return recorded


@pytest.mark.parametrize("action", ["TRUNCATE", "REPLACE"])
def test_tables_that_the_job_emptied_are_loaded_anew(
    source: str, postgresql: Callable[..., str], tmp_path: Path, action: TableExistsAction
) -> None:
    there = postgresql()
    half_loaded(source, there, action, tmp_path)
    again = go_on(there, JOB, local=True, link=source)
    assert again.returncode == 0, again.stdout
    assert contents(there) == contents(source)


def test_rows_in_doubt_among_rows_of_others_are_refused(source: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    there = postgresql()
    recorded = half_loaded(source, there, "APPEND", tmp_path)
    again = go_on(there, JOB, local=True, link=source)
    assert again.returncode == 1
    assert 'MIG-31654: job cannot be started again: whether the last rows sent to "public"."' in again.stdout
    assert recorded.exists()


def test_rows_in_doubt_that_cannot_be_removed_are_refused(
    source: str, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    there = postgresql()
    recorded = half_loaded(source, there, "TRUNCATE", tmp_path)
    execute(there, "CREATE TABLE public.other (id bigint REFERENCES public.big (id))")
    again = go_on(there, JOB, local=True, link=source)
    assert again.returncode == 1
    assert "MIG-31654: job cannot be started again" in again.stdout
    assert "it cannot be emptied" in again.stdout
    assert recorded.exists()
