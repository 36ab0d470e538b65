"""Fixtures of all tests: fresh databases on real servers, sample data, and a list of missing servers at the end."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.golden import Score
from tests.support.servers import PostgreSQL, Server, ServerMissing, Servers, libpq

pytest.register_assert_rewrite("migrator.testing", "tests.support.rows")

_MAY_BE_MYSQL = any(os.environ.get(f"MIGRATOR_TEST_{given}") for given in ("MYSQL_ROOT", "MYSQL_URL"))
collect_ignore = [] if _MAY_BE_MYSQL else ["contract/test_mysql_contract.py", "e2e/test_mysql_alone.py"]
"""Tests of MySQL itself are for `make mysql`: elsewhere none of them is said to have passed, or been skipped."""

SERVERS = pytest.StashKey[Servers]()
SCORES = pytest.StashKey[list[Score]]()
TOLD = pytest.StashKey[list[str]]()
"""The scores of other processes of this run."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVERS] = Servers()
    config.stash[SCORES] = []
    config.stash[TOLD] = []


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[SERVERS].stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the servers they use, so that ``-m "not mysql"`` selects what can run without one.

    Outside of the unit tests, one whose parameter names a server asks for it by that name.
    """
    shared = {"mariadb": "mysql", "with_fdw": "postgresql"}
    for item in items:
        asked = getattr(item, "callspec", None) if "unit" not in item.path.parts else None
        named = (name for name in (asked.params.values() if asked is not None else ()) if isinstance(name, str))
        fixtures = {shared.get(name, name) for name in (*getattr(item, "fixturenames", ()), *named)}
        for name in ("postgresql", "mysql"):
            if name in fixtures or (name == "mysql" and item.get_closest_marker("product")):
                item.add_marker(name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs a part of the tests tells the one that runs them all what that shows at the end."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput |= {"missing": config.stash[SERVERS].missing, "scores": list(map(str, config.stash[SCORES]))}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {})  # a process that has crashed has told nothing, and failed its test
    node.config.stash[SERVERS].missing.update(told.get("missing", {}))
    node.config.stash[TOLD].extend(told.get("scores", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missing = config.stash[SERVERS].missing
    if missing:
        terminalreporter.section("missing servers")
        for name, why in missing.items():
            terminalreporter.line(f"missing servers: {name}: {why}")
    scores = [*map(str, config.stash[SCORES]), *config.stash[TOLD]]
    if scores:
        terminalreporter.section("types against what the authors of the same schemas wrote")
        for score in scores:
            terminalreporter.line(score)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of this run."""
    return pytestconfig.stash[SERVERS]


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs keep master tables that are not in their databases: never the user's own place."""
    home = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home


class _Fresh:
    """Makes databases and drops them at the end of a test."""

    def __init__(self) -> None:
        self._made: list[tuple[Server, str]] = []

    def on(self, find: Callable[[], Server]) -> str:
        try:
            server = find()
        except ServerMissing as why:
            pytest.fail(str(why), pytrace=False)
        url = server.fresh()
        self._made.append((server, url.database or ""))
        return url.render_as_string(hide_password=False)

    def drop(self) -> None:
        for server, name in self._made:
            server.drop(name)


@pytest.fixture
def postgresql(servers: Servers) -> Iterator[Callable[..., str]]:
    """``postgresql(version=None)``: the URL of a fresh database on PostgreSQL 16 or 18 (None: the newest)."""
    fresh = _Fresh()
    yield lambda version=None: fresh.on(lambda: servers.postgresql(version))
    fresh.drop()


@pytest.fixture
def with_fdw(servers: Servers) -> Iterator[Callable[[], str]]:
    """``with_fdw()``: the URL of a fresh database that has the extension postgres_fdw, on the PostgreSQL of the packages."""
    fresh = _Fresh()

    def make() -> str:
        url = fresh.on(servers.postgresql_with_fdw)
        with psycopg.connect(libpq(sa.make_url(url))) as connection:
            connection.execute("CREATE EXTENSION postgres_fdw")
        return url

    yield make
    fresh.drop()


@pytest.fixture(autouse=True)
def asks_for_a_version(request: pytest.FixtureRequest) -> None:
    """A test marked ``since(version, what)`` must fail on an older PostgreSQL, and only since the server refuses its SQL."""
    refused = (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.DataError)
    wrapped = (sa.exc.ProgrammingError, sa.exc.NotSupportedError, sa.exc.DataError)
    for mark in request.node.iter_markers("since"):
        version, what = mark.args
        servers: Servers = request.getfixturevalue("servers")
        if servers.postgresql().version < version:
            reason = f"never: PostgreSQL before {version} has no {what}"
            request.applymarker(pytest.mark.xfail(strict=True, raises=refused + wrapped, reason=reason))


@pytest.fixture(autouse=True)
def is_about_a_product(request: pytest.FixtureRequest) -> None:
    """A test marked ``product(name, what)`` is about MariaDB or MySQL alone: on the other one the run names it."""
    for mark in request.node.iter_markers("product"):
        product, what = mark.args
        servers: Servers = request.getfixturevalue("servers")
        found = servers.mysql().product
        if found != product:
            pytest.skip(f"{request.node.name} is about {product} alone, which has {what}: this is {found}")


@pytest.fixture
def mariadb(servers: Servers) -> Iterator[Callable[[], str]]:
    """``mariadb()``: the URL of a fresh database on MariaDB, beside MySQL if that is what ``mysql`` is."""
    fresh = _Fresh()
    yield lambda: fresh.on(servers.mariadb)
    fresh.drop()


@pytest.fixture
def mysql(servers: Servers) -> Iterator[Callable[[], str]]:
    """``mysql()``: the URL of a fresh database on MariaDB or MySQL."""
    fresh = _Fresh()
    yield lambda: fresh.on(servers.mysql)
    fresh.drop()


@pytest.fixture(scope="module")
def lasting(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """``lasting("mysql")``: the URL of a fresh database of that kind for all tests of a module; jobs keep their records
    with it."""
    fresh, place, numbers = _Fresh(), tmp_path_factory.mktemp("lasting"), itertools.count(1)
    kinds: dict[str, Callable[[], Server]] = {"postgresql": servers.postgresql, "mysql": servers.mysql}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place))
        yield lambda kind: fresh.on(kinds[kind]) if kind in kinds else f"sqlite:///{place}/{next(numbers)}.db"
    fresh.drop()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Callable[..., str]:
    """``sqlite_file(name="test.db")``: the URL of a SQLite file that does not exist yet."""
    return lambda name="test.db": f"sqlite:///{tmp_path / name}"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The directory of sample databases that nobody here wrote (``databases/``, ``golden/``)."""
    default = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    path = Path(os.environ.get("MIGRATOR_TEST_DATA") or default).resolve()
    if not (path / "databases").is_dir():
        pytest.fail(f"no sample data in {path}: set MIGRATOR_TEST_DATA to the directory that has databases/", pytrace=False)
    return path


@pytest.fixture
def sample(data_dir: Path, tmp_path: Path) -> Callable[[str], str]:
    """``sample("chinook.sqlite")``: the URL of a copy of a sample SQLite database."""

    def copy(name: str) -> str:
        target = tmp_path / name
        shutil.copyfile(data_dir / "databases" / name, target)
        return f"sqlite:///{target}"

    return copy


@pytest.fixture(scope="session")
def scores(pytestconfig: pytest.Config) -> list[Score]:
    """How close translations come to golden schemas: what is added here is shown at the end."""
    return pytestconfig.stash[SCORES]


@pytest.fixture
def pagila(postgresql: Callable[..., str], servers: Servers, data_dir: Path) -> Callable[..., str]:
    """``pagila(version=None)``: the URL of a fresh PostgreSQL database with the Pagila sample."""

    def load(version: int | None = None) -> str:
        url = postgresql(version)
        script = (data_dir / "databases" / "pagila-postgresql.sql").read_text("utf-8")
        servers.postgresql(version).run_script(sa.make_url(url), script)
        return url

    return load


@pytest.fixture
def mysql_script(mysql: Callable[[], str], servers: Servers, data_dir: Path) -> Callable[[str, str], str]:
    """``mysql_script(file, database)``: a fresh database filled by a script that names its own database."""

    def load(file: str, database: str) -> str:
        url = mysql()
        script = (data_dir / "databases" / file).read_text("utf-8")
        renamed = re.sub(rf"\b{database}\b", sa.make_url(url).database or "", script)
        renamed = re.sub(r"^GRANT .* TO ('.*'@'.*');$", r"CREATE USER IF NOT EXISTS \1;\n\g<0>", renamed, flags=re.MULTILINE)
        servers.mysql().run_script(sa.make_url(url), renamed)
        return url

    return load


@pytest.fixture
def sakila(mysql_script: Callable[[str, str], str]) -> Callable[[], str]:
    """``sakila()``: the URL of a fresh MariaDB or MySQL database with the Sakila sample."""
    return lambda: mysql_script("sakila-mysql.sql", "sakila")


@pytest.fixture
def oddities_mysql(mysql_script: Callable[[str, str], str]) -> Callable[[], str]:
    """``oddities_mysql()``: the URL of a fresh MariaDB or MySQL database with zero dates, odd charsets, bits, geometry."""
    return lambda: mysql_script("oddities-mysql.sql", "pgloader_mytest")


@pytest.fixture
def pg_dump(servers: Servers) -> Callable[..., str]:
    """``pg_dump(url, *options)``: what the pg_dump of the server's own version prints."""

    def dump(url: str, *options: str) -> str:
        target = sa.make_url(url)
        server = next(s for s in servers.running(PostgreSQL) if s.url.query == target.query and s.url.host == target.host)
        return server.dump(target, *options)

    return dump
