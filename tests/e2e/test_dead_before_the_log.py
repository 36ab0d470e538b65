"""Jobs that die when all rows of a table are committed, and before the log says what became of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator import operations
from migrator.operations.work import NoProgress
from migrator.spec import JobSpec
from tests.support import resume
from tests.support.hoard import hoard
from tests.support.pump import done, pump
from tests.support.sql import execute, rows, scalar

JOB = "SPEECHLESS"


class Died(BaseException):
    """The job's process is gone."""


class Dying(NoProgress):
    """Ends a job just before the log has a table's line."""

    def table_done(self, name: str) -> None:
        """Die."""
        raise Died(name)


def die(spec: JobSpec) -> None:
    """Run a job until then."""
    with pytest.raises(Died):
        operations.run(replace(spec, job_name=JOB), sa.make_url, io.StringIO(), Dying())


@pytest.mark.parametrize("limit", [None, 1])
def test_rows_were_rejected(
    sqlite_file: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: int | None
) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, "CREATE TABLE t (id INTEGER, v INTEGER)", "INSERT INTO t VALUES (1, NULL), (2, 2)")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
    execute(source, f"INSERT INTO t {numbers} SELECT i, CASE WHEN i < 20000 THEN i END FROM n")
    execute(target, "CREATE TABLE t (id INTEGER, v INTEGER NOT NULL)")
    spec = JobSpec("IMPORT", "SCHEMA", target, tmp_path, network_link=source, table_exists_action="TRUNCATE")
    spec = replace(spec, data_options=("SKIP_CONSTRAINT_ERRORS",), parallel_threshold=65536)
    file = tmp_path / "rejects.ndjson"
    die(replace(spec, reject_file=file, reject_limit=limit))
    assert rows(target, "SELECT count(*) FROM t") == [(19998,)]
    assert resume.main(target, JOB, link=source) == 5
    said = capsys.readouterr().out
    assert ("2 row(s) were rejected, the first of them" in said) == (limit is None)
    assert ('ORA-31693: Table data object "main"."t" failed to load' in said) == (limit is not None)


def test_a_damaged_granule_was_left_out(
    sqlite_file: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ("PARALLEL_THRESHOLD=64K", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", hoard(tmp_path / "source.db", 20_000), *small))
    dump, target = tmp_path / "expdat.dmp", sqlite_file("target.db")
    damaged = bytearray(dump.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    dump.write_bytes(damaged)
    spec = JobSpec("IMPORT", "SCHEMA", target, tmp_path, dumpfiles=(str(dump),))
    die(replace(spec, data_options=("CONTINUE_LOAD_ON_FORMAT_ERROR",), parallel_threshold=65536))
    left = scalar(target, "SELECT count(*) FROM big")
    assert 0 < left < 20_000
    assert resume.main(target, JOB) == 5
    assert f'{20_000 - left} rows of "main"."big", granule' in capsys.readouterr().out
    assert scalar(target, "SELECT count(*) FROM big") == left
