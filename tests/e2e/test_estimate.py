"""ESTIMATE, ESTIMATE_ONLY and MASTER_ONLY by the command line: what the log says, what is written, and what stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import Recorded
from tests.support.pump import Run, done, pump, remap
from tests.support.sql import execute, rows

UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def size(text: str) -> float:
    number, unit = text.split()
    return float(number) * UNITS[unit]


def estimated(run: Run) -> dict[str, float]:
    """The sizes that the log gives, by table."""
    found = re.findall(r'^\.  estimated "[^"]*"\."(.*?)" +([\d.]+ [KMG]B)$', run.out, re.MULTILINE)
    return {name: size(text) for name, text in found}


def total(run: Run, method: str) -> float:
    (found,) = re.findall(rf"^Total estimation using {method} method: (.*)$", run.out, re.MULTILINE)
    return size(found)


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def source(request: pytest.FixtureRequest, sample: Callable[[str], str]) -> str:
    """The URL of a database with the tables of Chinook."""
    start = sample("chinook.sqlite")
    if request.param == "sqlite":
        return start
    url: str = request.getfixturevalue(request.param)()
    done(pump("impdp", url, f"NETWORK_LINK={start}", remap(start, url), "NOLOGFILE=YES"))
    return url


# --- ESTIMATE_ONLY


@pytest.mark.parametrize("method", ["BLOCKS", "STATISTICS"])
def test_an_estimate_alone_writes_no_dump_file(source: str, method: str, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    run = done(pump("expdp", source, "ESTIMATE_ONLY=YES", f"ESTIMATE={method}", "LOGFILE=e.log", f"DIRECTORY={tmp_path}"))
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"e.log"}
    sizes = estimated(run)
    assert len(sizes) == 11
    assert sizes["Track"] > sizes["Genre"]
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
    assert total(run, method) == pytest.approx(sum(sizes.values()), rel=0.01)
    assert total(run, method) > 200_000
    lines = run.out.splitlines()
    begin = lines.index(f"Estimate in progress using {method} method...")
    assert lines[begin - 1].startswith("Starting ")
    assert lines[begin + 1] == "Processing object type SCHEMA_EXPORT/TABLE/TABLE_DATA"
    assert lines[-1].startswith("Job ")
    assert not run.rows
    assert "Master table" not in run.out


def test_an_estimate_alone_leaves_a_master_table_if_it_is_kept(source: str) -> None:
    kept = ("JOB_NAME=measured", "KEEP_MASTER=YES", "MASTER_TABLE=LOCAL", "NOLOGFILE=YES")
    run = done(pump("expdp", source, "ESTIMATE_ONLY=YES", *kept))
    sizes = {row.name: row.estimate for row in Recorded.of(source, "measured", local=True).granules()}
    assert sizes == {name: pytest.approx(text, rel=0.001) for name, text in estimated(run).items()}
    done(pump("expdp", source, "ESTIMATE_ONLY=YES", "JOB_NAME=again", "NOLOGFILE=YES"))
    assert not Recorded.of(source, "again", local=True).exists()


def test_an_estimate_is_of_the_tables_that_would_be_exported(source: str) -> None:
    run = done(pump("expdp", source, "ESTIMATE_ONLY=YES", "TABLES=Track,Album", "NOLOGFILE=YES"))
    assert set(estimated(run)) == {"Track", "Album"}
    run = done(pump("expdp", source, "ESTIMATE_ONLY=YES", "EXCLUDE=TABLE_DATA", "NOLOGFILE=YES"))
    assert (estimated(run), total(run, "BLOCKS")) == ({}, 0)


# --- ESTIMATE


def test_an_export_and_a_link_log_the_same_estimate(source: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    export = done(pump("expdp", source, "ESTIMATE=BLOCKS", f"DIRECTORY={tmp_path}"))
    target = sqlite_file("target.db")
    link = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "ESTIMATE=BLOCKS", "NOLOGFILE=YES"))
    assert estimated(export) == estimated(link)
    assert len(estimated(link)) == 11
    assert export.rows == link.rows
    plain = done(pump("expdp", source, f"DIRECTORY={tmp_path}", "REUSE_DUMPFILES=YES"))
    assert "stimat" not in plain.out


def test_the_progress_is_reckoned_by_the_estimate(source: str, tmp_path: Path) -> None:
    kept = ("JOB_NAME=measured", "KEEP_MASTER=YES", "MASTER_TABLE=LOCAL", f"DIRECTORY={tmp_path}")
    run = done(pump("expdp", source, "ESTIMATE=BLOCKS", "PARALLEL_THRESHOLD=40K", *kept))
    recorded: dict[str, int] = {}
    for row in Recorded.of(source, "measured", local=True).granules():
        recorded[row.name] = recorded.get(row.name, 0) + row.estimate
    sizes = estimated(run)
    assert recorded == {name: pytest.approx(sizes[name], rel=0.01, abs=100) for name in recorded}


# --- MASTER_ONLY


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def target(request: pytest.FixtureRequest, sqlite_file: Callable[..., str]) -> str:
    url: str = sqlite_file("target.db") if request.param == "sqlite" else request.getfixturevalue(request.param)()
    return url


def test_the_master_table_alone_says_what_the_set_holds(target: str, sample: Callable[[str], str], tmp_path: Path) -> None:
    where = f"DIRECTORY={tmp_path}"
    exported = done(pump("expdp", sample("chinook.sqlite"), where, "FILESIZE=100K", "DUMPFILE=a%U.dmp", "JOB_NAME=nightly"))
    files = {path.name: path.stat().st_size for path in tmp_path.glob("*.dmp")}
    run = done(pump("impdp", target, where, "DUMPFILE=a%U.dmp", "MASTER_ONLY=YES", "JOB_NAME=held"))
    (loaded,) = [line for line in run.out.splitlines() if line.startswith("Master table")]
    assert loaded.endswith('"held" successfully loaded')
    assert not run.rows
    job = Recorded.of(target, "held")
    granules = job.granules()
    assert {row.name: row.rows for row in granules} == exported.rows
    assert {row.state for row in granules} == {"COMPLETED"}
    assert {piece["file"] for row in granules for piece in row.detail["pieces"]} <= set(range(1, len(files) + 1))
    assert job.job().state == "COMPLETED"
    assert '"nightly"' in job.job().detail["exported"]["job"]
    objects = dict(rows(target, "SELECT object_path, count(*) FROM held WHERE kind = 'OBJECT' GROUP BY object_path"))
    assert objects["TABLE/TABLE"] == 11
    assert rows(target, "SELECT count(*) FROM held WHERE kind = 'FILE'") == [(0,)]
    assert {path.name: path.stat().st_size for path in tmp_path.glob("*.dmp")} == files


def test_the_master_table_alone_holds_what_is_asked_for(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    where, target = f"DIRECTORY={tmp_path}", sqlite_file("target.db")
    done(pump("expdp", sample("chinook.sqlite"), where))
    done(pump("impdp", target, where, "MASTER_ONLY=YES", "TABLES=Track,Album", "JOB_NAME=held"))
    assert {row.name for row in Recorded.of(target, "held").granules()} == {"Track", "Album"}
    taken = pump("impdp", target, where, "MASTER_ONLY=YES", "JOB_NAME=held")
    assert (taken.code, taken.err.split(":")[0]) == (1, "ORA-31634")
    done(pump("impdp", target, where))
    assert rows(target, "SELECT count(*) FROM Track") == [(3503,)]


def test_a_damaged_set_leaves_no_master_table(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    where, target = f"DIRECTORY={tmp_path}", sqlite_file("target.db")
    done(pump("expdp", sample("chinook.sqlite"), where, "CHECKSUM=YES"))
    dump = tmp_path / "expdat.dmp"
    content = bytearray(dump.read_bytes())
    content[10] ^= 1
    dump.write_bytes(content)
    execute(target, "CREATE TABLE t (id INTEGER)")
    run = pump("impdp", target, where, "MASTER_ONLY=YES", "JOB_NAME=held")
    assert (run.code, run.err.split(":")[0]) == (1, "ORA-39411")
    assert not Recorded.of(target, "held").exists()
