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

from migrator.errors import MigratorError
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, begin_again, until
from tests.support.pump import done, pump, schema_of
from tests.support.servers import PrivateServer, Servers

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
    own = servers.private_postgresql() if request.param == "postgresql" else servers.private_mariadb()
    yield own
    own.stop()


@pytest.fixture
def moments() -> random.Random:
    print(f"MIGRATOR_TEST_SEED={SEED}")
    return random.Random(SEED)


class Bereft:
    """A job whose server dies under it, until it has had enough; it goes on each time."""

    def __init__(
        self, server: PrivateServer, moments: random.Random, client: str, url: str, *arguments: str, cwd: Path,
        local: bool = False, link: str = "",
    ) -> None:  # fmt: skip
        self._server, self._moments = server, moments
        self._client, self._url, self._cwd, self._local, self._link = client, url, cwd, local, link
        self._arguments = (*arguments, f"JOB_NAME={JOB}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=1M")
        self.kills = self.resumed = 0

    def run(self, kills: int) -> None:
        """Run to the end; the server is killed ``kills`` times at most on the way."""
        process = begin(self._client, self._url, *self._arguments, cwd=self._cwd)
        while self.kills < kills and not self._ends(process):
            self._server.kill(self._moments)
            self.kills += 1
            try:
                said, _ = process.communicate(timeout=SECONDS)
            finally:
                process.kill()  # one that hangs
                self._server.start()
            if "successfully completed" in said:
                return
            assert process.returncode == 1, said
            assert len(UNREACHABLE.findall(said)) == 1, said
            assert not GIVEN_UP.search(said), said
            process = self._go_on()
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said

    def _ends(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the next moment; whether the job has ended before it came."""
        if self._moments.random() < 0.8:  # else at any moment, before there is anything to go on with too
            before = self._incarnation()
            until(lambda: process.poll() is not None or self._incarnation() > before, "the job's begin")
        try:
            process.wait(timeout=self._moments.uniform(0.0, 2.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _incarnation(self) -> int:
        recorded = Recorded.of(self._url, JOB, local=self._local)
        try:
            return recorded.job().incarnation if recorded.exists() else 0
        except (ValueError, MigratorError):  # it was dropped, or is just being made
            return 0

    def _go_on(self) -> subprocess.Popen[str]:
        if not Recorded.of(self._url, JOB, local=self._local).exists():  # it had not recorded anything
            for dump in self._cwd.glob("*.dmp"):
                dump.unlink()
            return begin(self._client, self._url, *self._arguments, cwd=self._cwd)
        self.resumed += 1
        time.sleep(float(LEASE) + 0.1)
        return begin_again(self._url, JOB, local=self._local, link=self._link)


def kill_often(bereft: Callable[[], Bereft], check: Callable[[], None]) -> None:
    """Run jobs until the server has died ``KILLS`` times; after each job, look at what came out."""
    kills = resumed = 0
    while kills < KILLS:
        job = bereft()
        job.run(min(KILLS - kills, 3))
        check()
        kills, resumed = kills + job.kills, resumed + job.resumed
    assert resumed > 0


def shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def check_equal(url: str, expected: list[tuple[object, ...]]) -> None:
    """Every row is there once, and the job's record is gone."""
    assert contents(url) == expected
    assert JOB not in sa.inspect(sa.create_engine(url, poolclass=sa.NullPool)).get_table_names()


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

    kill_often(bereft, lambda: check_equal(targets[-1], expected))


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

    kill_often(bereft, lambda: check_equal(targets[-1], expected))


# --- the server is the source ---------------------------------------------------------------------------------------


def filled(server: PrivateServer, source: str) -> str:
    """The URL of a database with the rows."""
    url = shown(server.fresh())
    done(pump("impdp", url, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "NOLOGFILE=YES"))
    return url


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
        return Bereft(server, moments, "expdp", url, *arguments, cwd=dumps, local=local)

    def check() -> None:
        target = sqlite_file(f"check{next(targets)}.db")
        done(pump("impdp", target, *where, f"REMAP_SCHEMA={schema_of(url)}:main", "NOLOGFILE=YES"))
        check_equal(target, expected)

    kill_often(bereft, check)


def test_at_the_other_end_of_a_link(
    source: str, server: PrivateServer, moments: random.Random, tmp_path: Path, sqlite_file: Callable[..., str]
) -> None:
    url, expected, numbers = filled(server, source), contents(source), iter(range(1000))
    targets: list[str] = []

    def bereft() -> Bereft:
        targets.append(sqlite_file(f"target{next(numbers)}.db"))
        where = (f"NETWORK_LINK={url}", f"REMAP_SCHEMA={schema_of(url)}:main")
        return Bereft(server, moments, "impdp", targets[-1], *where, cwd=tmp_path, link=url)

    kill_often(bereft, lambda: check_equal(targets[-1], expected))
