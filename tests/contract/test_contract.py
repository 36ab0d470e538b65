"""The contract of :mod:`migrator.testing`, kept by every adapter of this distribution on real databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import pytest

from migrator.adapter import load_adapter
from migrator.testing import CASES, AdapterContract, DeclarationContract, Gap
from tests.support.servers import Server, Servers


def fresh_database(server: Server) -> Iterator[str]:
    url = server.fresh()
    yield url.render_as_string(hide_password=False)
    server.drop(url.database or "")


@pytest.fixture(scope="module")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("contract") / "contract.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # else a reader keeps writers waiting
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def postgresql_16_database(servers: Servers) -> Iterator[str]:
    yield from fresh_database(servers.postgresql(16))


@pytest.fixture(scope="module")
def postgresql_18_database(servers: Servers) -> Iterator[str]:
    yield from fresh_database(servers.postgresql(18))


@pytest.fixture(scope="module")
def mariadb_database(servers: Servers) -> Iterator[str]:
    yield from fresh_database(servers.mariadb())


class TestSQLite(AdapterContract):
    adapter = load_adapter("sqlite")
    gaps: ClassVar[tuple[Gap, ...]] = (
        Gap("test_values_survive[unsigned integer of 64 bits]", "never", "SQLite's integers have 64 bits and a sign"),
        Gap("test_values_survive[negative zero]", "never", "SQLite keeps minus zero as zero"),
        Gap("test_values_survive[float not finite]", "never", "SQLite has no NaN: it would store NULL"),
        Gap("test_what_was_loaded_is_verified[unsigned integer of 64 bits]", "never", "as above: it is not loaded"),
        Gap("test_what_was_loaded_is_verified[float not finite]", "never", "as above: it is not loaded"),
        Gap(
            "test_a_foreign_key_acts",
            "never",
            "SQLite checks foreign keys only on connections that ask for it",
            pytest.fail.Exception,
        ),
    )

    @pytest.fixture
    def url(self, sqlite_database: str) -> str:
        return sqlite_database


class PostgreSQLContract(AdapterContract):
    adapter = load_adapter("postgresql")
    cases = tuple(case for case in CASES if case.name != "xml")  # the wheel's servers are built without libxml
    gaps: ClassVar[tuple[Gap, ...]] = (
        Gap("test_values_survive[text with NUL]", "never", "PostgreSQL's text has no place for U+0000"),
        Gap("test_what_was_loaded_is_verified[text with NUL]", "never", "as above: it is not loaded"),
    )


@pytest.mark.postgresql
class TestPostgreSQL16(PostgreSQLContract):
    @pytest.fixture
    def url(self, postgresql_16_database: str) -> str:
        return postgresql_16_database


@pytest.mark.postgresql
class TestPostgreSQL18(PostgreSQLContract):
    @pytest.fixture
    def url(self, postgresql_18_database: str) -> str:
        return postgresql_18_database


@pytest.mark.mysql
class TestMariaDB(AdapterContract):
    """MySQL's is in a file that is for it alone."""

    adapter = load_adapter("mysql")
    gaps: ClassVar[tuple[Gap, ...]] = (
        Gap("test_values_survive[negative zero]", "never", "MariaDB stores -0.0 as 0.0"),
        Gap("test_values_survive[float not finite]", "never", "MySQL has no NaN and no infinities"),
        Gap("test_what_was_loaded_is_verified[float not finite]", "never", "as above: it is not loaded"),
    )

    @pytest.fixture
    def url(self, mariadb_database: str) -> str:
        return mariadb_database


class TestOracle(DeclarationContract):
    adapter = load_adapter("oracle")
    gaps: ClassVar[tuple[Gap, ...]] = (
        Gap('test_a_hostile_name_is_quoted_in_scripts[quote " two]', "never", "no name holds a double quote in Oracle"),
    )
