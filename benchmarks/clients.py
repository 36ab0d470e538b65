"""Command lines of migrator and of the databases' own clients, made from SQLAlchemy's URLs."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import join, quote

import sqlalchemy as sa

from benchmarks.measure import migrator
from tests.support.servers import libpq, pymysql_arguments


def shown(url: sa.URL) -> str:
    """A URL with its password, for a command line."""
    return url.render_as_string(hide_password=False)


def schema_of(url: sa.URL) -> str:
    """The schema that a database's tables are in."""
    return {"sqlite": "main", "postgresql": "public"}.get(url.get_backend_name(), url.database or "")


def link(source: sa.URL, target: sa.URL, *arguments: str) -> list[str]:
    """The job that moves one database into another by NETWORK_LINK."""
    remap = f"REMAP_SCHEMA={schema_of(source)}:{schema_of(target)}"
    return migrator("impdp", shown(target), f"NETWORK_LINK={shown(source)}", remap, *arguments)


def psql(bin_path: Path, url: sa.URL) -> str:
    """``psql`` on a database; a statement or a file is yet to be named."""
    return join([str(bin_path / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", libpq(url)])


def mariadb(url: sa.URL, program: str = "mariadb") -> str:
    """``mariadb``, or another client, on a database; its own options are yet to be named."""
    where = pymysql_arguments(url)
    place = ["--socket", where["unix_socket"]] if "unix_socket" in where else ["-h", where["host"], "-P", str(where["port"])]
    options = ["--no-defaults", "--default-character-set=utf8mb4", "-u", where["user"], *place, where["database"]]
    return f"MYSQL_PWD={quote(where['password'])} {program} {join(options)}"


def _two_threads(url: sa.URL) -> str:
    where = pymysql_arguments(url)
    place = ["-S", where["unix_socket"]] if "unix_socket" in where else ["-h", where["host"], "-P", str(where["port"])]
    return join(["-u", where["user"], "-p", where["password"], *place, "-t", "2", "-B", where["database"]])


def mydumper(url: sa.URL, table: str, directory: Path, *options: str) -> str:
    """``mydumper`` of one table, with two threads."""
    return f"mydumper {_two_threads(url)} {join(['-T', table, *options, '-o', str(directory)])}"


def myloader(url: sa.URL, directory: Path) -> str:
    """``myloader`` of a dump, with two threads."""
    return f"myloader {_two_threads(url)} -d {quote(str(directory))}"


def duckdb(statement: str, *attached: sa.URL) -> str:
    """A statement in DuckDB, in which these databases are attached as ``sqlite``, ``postgresql`` and ``mysql``."""
    attach = [part for url in attached for part in ("--attach", shown(url))]
    return join([sys.executable, "-m", "benchmarks.duck", *attach, statement])


def pgloader(source: sa.URL, target: sa.URL, table: str, batch: int, script: Path) -> str:
    """``pgloader`` of one table's rows into the target's table, ``batch`` of them read ahead, by a script."""
    named, schema = f"INCLUDING ONLY TABLE NAMES LIKE '{table}'", ""
    if source.get_backend_name() == "mysql":
        named = f"INCLUDING ONLY TABLE NAMES MATCHING '{table}'"
        schema = f"ALTER SCHEMA '{source.database}' RENAME TO 'public'"
    load = f"LOAD DATABASE FROM {_pgloader_url(source)} INTO {_pgloader_url(target)}"
    text = f"{load} WITH data only, no truncate, prefetch rows = {batch} {named} {schema};"
    run = join(["pgloader", "--quiet", "--root-dir", str(script.parent / "pgloader"), str(script)])
    return f"echo {quote(text)} > {quote(str(script))}; {run}"


def _pgloader_url(url: sa.URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"sqlite://{url.database}"
    scheme = {"mysql": "mysql", "postgresql": "pgsql"}[url.get_backend_name()]
    user = f"{url.username}:{url.password}" if url.password else url.username
    directory = url.query.get("unix_socket") or url.query.get("host")
    port = url.port or {"mysql": 3306, "pgsql": 5432}[scheme]
    place = f"unix:{directory}" if directory else url.host
    return f"{scheme}://{user}@{place}:{port}/{url.database}"
