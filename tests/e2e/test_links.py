"""Configured links: who is logged in at the linked database, and that a job goes on with them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.held import Gate
from tests.support.jobs import SECONDS, Recorded, begin, ended, kill, next_second, until
from tests.support.pump import Run, done, pump, pump_process, remap, schema_of
from tests.support.sql import execute, rows

JOB = "OVER_A_LINK"


@pytest.fixture
def databases(mysql: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Two MariaDB databases, the first with a table, each by the URL of one user with a password."""
    source, target, user = mysql(), mysql(), f"u{uuid.uuid4().hex[:8]}"
    execute(source, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    grants = [f"GRANT ALL ON `{schema_of(url)}`.* TO '{user}'@'%'" for url in (source, target)]
    execute(source, f"CREATE USER '{user}'@'%' IDENTIFIED BY 'lion'", *grants)
    here, there = (sa.make_url(url).set(username=user, password="lion") for url in (source, target))
    yield here.render_as_string(hide_password=False), there.render_as_string(hide_password=False)
    execute(source, f"DROP USER '{user}'@'%'")


@pytest.fixture
def configured(databases: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The databases, the first also by the names of links."""
    url = sa.make_url(databases[0])
    bare = sa.URL.create(url.drivername, None, None, url.host, url.port, url.database, url.query).render_as_string()
    named = sa.make_url(bare).set(username=url.username).render_as_string()
    config = tmp_path / "config.toml"
    config.write_text(
        f'[links.MINE]\nkind = "connected user"\nurl = "{bare}"\n'
        f'[links.FIXED]\nkind = "fixed user"\nurl = "{named}"\npassword_env = "LINK_PASSWORD"\n'
        f'[links.OPEN]\nkind = "public"\nurl = "{named}"\npassword_env = "LINK_PASSWORD"\n'
        f'[links.CURRENT]\nkind = "current user"\nurl = "{bare}"\n'
    )
    monkeypatch.setenv("MIGRATOR_CONFIG", str(config))
    monkeypatch.setenv("LINK_PASSWORD", "lion")
    return databases


@pytest.mark.parametrize("link", ["MINE", "FIXED", "OPEN"])
@pytest.mark.parametrize("way", [pump, pump_process])
def test_a_link_is_used_by_the_user_of_its_kind(
    link: str, way: Callable[..., Run], configured: tuple[str, str], tmp_path: Path
) -> None:
    source, target = configured
    done(way("impdp", target, f"NETWORK_LINK={link}", remap(source, target), f"DIRECTORY={tmp_path}"))
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert "lion" not in (tmp_path / "import.log").read_text()


def test_a_link_of_a_fixed_user_works_from_anywhere_one_of_the_connected_user_does_not(
    configured: tuple[str, str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    target = sqlite_file()
    where = (remap(configured[0], target), f"DIRECTORY={tmp_path}")
    refused = pump("impdp", target, "NETWORK_LINK=MINE", *where)
    assert refused.code == 1
    assert 'ORA-39200: Link name "MINE" is invalid: it is used by the connected user' in refused.err
    assert not Path(str(sa.make_url(target).database)).exists()
    done(pump("impdp", target, "NETWORK_LINK=FIXED", *where))
    current = pump("impdp", target, "NETWORK_LINK=CURRENT", *where)
    assert current.code == 1
    assert 'ORA-39200: Link name "CURRENT" is invalid' in current.err


def test_an_export_over_a_link_has_its_name_and_no_password_in_the_record(
    configured: tuple[str, str], tmp_path: Path
) -> None:
    _, target = configured
    done(pump("expdp", target, "NETWORK_LINK=MINE", f"DIRECTORY={tmp_path}", f"JOB_NAME={JOB}", "KEEP_MASTER=YES"))
    request = Recorded.of(target, JOB).job().detail["request"]
    assert request["network_link"] == "MINE"
    assert "lion" not in str(request)
    execute(target, f"DROP TABLE {JOB}")
    done(pump("plan", "expdp", target, "NETWORK_LINK=MINE"))


def test_a_job_over_a_link_of_the_connected_user_is_started_again_by_its_name(
    configured: tuple[str, str], tmp_path: Path
) -> None:
    source, target = configured
    execute(source, "CREATE TABLE big (id int PRIMARY KEY, v char(40))")
    execute(source, "INSERT INTO big SELECT seq, 'some text' FROM seq_1_to_60000")
    next_second()
    options = ("NETWORK_LINK=MINE", remap(source, target), f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=128K", "NOLOGFILE=YES")
    recorded, gate = Recorded.of(target, JOB), Gate(source, "big", 30_000)
    with ended(begin("impdp", target, *options, gate.query, cwd=tmp_path)) as process:
        until(lambda: process.poll() is not None or recorded.granules_done() > 0, "a granule")
        assert "completed" not in kill(process)
    gate.open()
    again = subprocess.run(
        [sys.executable, "-m", "migrator", "impdp", target, f"ATTACH={JOB}"],
        input="START_JOB\nCONTINUE_CLIENT\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert rows(target, "SELECT count(*), sum(id) FROM big") == [(60_000, 30_000 * 60_001)]
