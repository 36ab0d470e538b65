"""The database server dies under a job: the job stops with one error, and goes on when the server is there again."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, ended, go_on, kill, next_second, until
from tests.support.pump import done, pump, schema_of
from tests.support.restarts import COMPLETED, Mortal, check_equal, kill_often
from tests.support.servers import PostgreSQL, PrivateServer, Servers
from tests.support.sql import execute

KILLS = max(1, int(os.environ.get("MIGRATOR_TEST_KILLS", "20")) // 6)
"""How often the server dies under each kind of job."""
SEED = int(os.environ.get("MIGRATOR_TEST_SEED") or random.randrange(10**6))
ROWS = 200_000
JOB = "OUTLIVING"
UNREACHABLE = re.compile(r"^(MIG-03113|MIG-12541): ", re.MULTILINE)
GIVEN_UP = re.compile(r"ORA-31693|ORA-39083|ORA-39112|ORA-39120|MIG-00600|Traceback")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return hoard(tmp_path_factory.mktemp("source") / "source.db", ROWS)


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[PrivateServer]:
    """A server that the tests may kill."""
    own = servers.private_postgresql() if request.param == "postgresql" else servers.private_mysql()
    yield own
    own.stop()


@pytest.fixture
def moments() -> random.Random:
    print(f"MIGRATOR_TEST_SEED={SEED}")
    return random.Random(SEED)


class Bereft(Mortal):
    """A job whose server dies under it."""

    def __init__(
        self, server: PrivateServer, moments: random.Random, client: str, url: str, *arguments: str, cwd: Path,
        local: bool = False, link: str = "", forgets: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(moments, JOB, client, url, *arguments, cwd=cwd, local=local, link=link, forgets=forgets)
        self._server = server

    def strike(self, process: subprocess.Popen[str]) -> str:
        """Kill the server, see that the job says so and nothing else, and start the server again."""
        self._server.kill(self.moments)
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            kill(process)  # one that hangs
            self._server.start()
        if not COMPLETED.search(said):
            assert process.returncode == 1, said
            assert len(UNREACHABLE.findall(said)) == 1, said
            assert not GIVEN_UP.search(said), said
        return said


def shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


# --- the server is the target ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("local", [False, True], ids=["", "local master table"])
def test_under_an_import_over_a_link(
    source: str, server: PrivateServer, moments: random.Random, tmp_path: Path, local: bool
) -> None:
    expected, targets = contents(source), []

    def bereft() -> Bereft:
        targets.append(shown(server.fresh()))
        where = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(targets[-1])}", "PARALLEL=2")
        where = (*where, "MASTER_TABLE=LOCAL") if local else where
        return Bereft(server, moments, "impdp", targets[-1], *where, cwd=tmp_path, local=local, link=source)

    kill_often(bereft, lambda: check_equal(targets[-1], expected, JOB), KILLS, 3)


def test_under_an_import_of_a_dump_set(source: str, server: PrivateServer, moments: random.Random, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")
    done(pump("expdp", source, *where, "PARALLEL_THRESHOLD=1M", "NOLOGFILE=YES"))
    expected, targets = contents(source), []

    def bereft() -> Bereft:
        targets.append(shown(server.fresh()))
        arguments = (*where, f"REMAP_SCHEMA=main:{schema_of(targets[-1])}", "PARALLEL=2")
        return Bereft(server, moments, "impdp", targets[-1], *arguments, cwd=tmp_path)

    kill_often(bereft, lambda: check_equal(targets[-1], expected, JOB), KILLS, 3)


# --- the server is the source ---------------------------------------------------------------------------------------


def filled(server: PrivateServer, source: str) -> str:
    """The URL of a database with the rows."""
    url = shown(server.fresh())
    done(pump("impdp", url, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "NOLOGFILE=YES"))
    next_second()
    return url


def forgets(server: PrivateServer) -> bool:
    """Whether the server does not know of what was written to tables before it was started again."""
    return not isinstance(server, PostgreSQL)


@pytest.mark.parametrize("local", [False, True], ids=["", "local master table"])
def test_under_an_export(
    source: str, server: PrivateServer, moments: random.Random, tmp_path: Path, sqlite_file: Callable[..., str], local: bool
) -> None:
    url, expected, targets = filled(server, source), contents(source), iter(range(1000))
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")

    def bereft() -> Bereft:
        for dump in dumps.glob("*.dmp"):
            dump.unlink()
        arguments = (*where, "PARALLEL=2", "FILESIZE=5M", *(["MASTER_TABLE=LOCAL"] if local else []))
        return Bereft(server, moments, "expdp", url, *arguments, cwd=dumps, local=local, forgets=forgets(server))

    def check() -> None:
        target = sqlite_file(f"check{next(targets)}.db")
        done(pump("impdp", target, *where, f"REMAP_SCHEMA={schema_of(url)}:main", "NOLOGFILE=YES"))
        check_equal(target, expected, JOB)

    kill_often(bereft, check, KILLS, 3)


def test_at_the_other_end_of_a_link(
    source: str, server: PrivateServer, moments: random.Random, tmp_path: Path, sqlite_file: Callable[..., str]
) -> None:
    url, expected, numbers = filled(server, source), contents(source), iter(range(1000))
    targets: list[str] = []

    def bereft() -> Bereft:
        targets.append(sqlite_file(f"target{next(numbers)}.db"))
        where = (f"NETWORK_LINK={url}", f"REMAP_SCHEMA={schema_of(url)}:main")
        return Bereft(server, moments, "impdp", targets[-1], *where, cwd=tmp_path, link=url, forgets=forgets(server))

    kill_often(bereft, lambda: check_equal(targets[-1], expected, JOB), KILLS, 3)


@pytest.mark.parametrize("server", ["mariadb"], indirect=True)
def test_a_source_that_forgets_is_in_doubt(
    source: str, server: PrivateServer, moments: random.Random, tmp_path: Path, postgresql: Callable[..., str]
) -> None:
    """A row changed that the job had read, and the server was started again: the job says so, and verify finds the row."""
    url, target = filled(server, source), postgresql()
    link, remap = f"NETWORK_LINK={url}", f"REMAP_SCHEMA={schema_of(url)}:public"
    small = (f"JOB_NAME={JOB}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=64K")
    recorded = Recorded.of(target, JOB)
    with ended(begin("impdp", target, link, remap, *small, cwd=tmp_path)) as process:
        until(lambda: recorded.granules_done() > 0, "a granule")
        kill(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    execute(url, "UPDATE big SET amount = amount + 1 WHERE id = (SELECT least FROM (SELECT min(id) AS least FROM big) AS b)")
    server.kill(moments)
    server.start()
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, link=url)
    assert again.returncode == 5, again.stdout
    assert "MIG-31663: rows may have changed at the source since the job began" in again.stdout
    assert "completed with 1 error(s)" in again.stdout
    verified = pump("verify", target, link, remap)
    assert verified.code == 5
    assert "1 changed" in verified.out


# --- data files -----------------------------------------------------------------------------------------------------


@pytest.mark.product("MariaDB", "data files that can be copied")
@pytest.mark.parametrize("server", ["mariadb"], indirect=True)
@pytest.mark.parametrize("client", ["expdp", "impdp"])
def test_under_a_job_that_copies_data_files(
    client: str, source: str, server: PrivateServer, moments: random.Random, tmp_path: Path
) -> None:
    """What it has of a file that it was importing is discarded when it is there again; and no lock outlives it."""
    filled, targets = shown(server.fresh()), []
    done(pump("impdp", filled, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(filled)}", "NOLOGFILE=YES"))
    next_second()
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")
    if client == "impdp":
        done(pump("expdp", filled, "TRANSPORTABLE=ALWAYS", *where, "NOLOGFILE=YES"))
    expected = contents(source)

    def bereft() -> Bereft:
        targets.append(shown(server.fresh()))
        if client == "impdp":
            given = (*where, f"REMAP_SCHEMA={schema_of(filled)}:{schema_of(targets[-1])}", "PARALLEL=2")
            return Bereft(server, moments, "impdp", targets[-1], *given, cwd=tmp_path)
        for dump in dumps.glob("*.dmp"):
            dump.unlink()
        return Bereft(server, moments, "expdp", filled, "TRANSPORTABLE=ALWAYS", *where, "PARALLEL=2", cwd=dumps)

    def check() -> None:
        if client == "expdp":
            given = (*where, f"REMAP_SCHEMA={schema_of(filled)}:{schema_of(targets[-1])}", "NOLOGFILE=YES")
            done(pump("impdp", targets[-1], *given))
        check_equal(targets[-1], expected, JOB)

    kill_often(bereft, check, KILLS, 3)
