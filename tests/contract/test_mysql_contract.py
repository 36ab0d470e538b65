"""The contract of :mod:`migrator.testing`, kept on MySQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from migrator.adapter import load_adapter
from migrator.testing import AdapterContract, Gap
from tests.support.servers import Servers


@pytest.fixture(scope="module")
def mysql_database(servers: Servers) -> Iterator[str]:
    server = servers.mysql()
    url = server.fresh()
    yield url.render_as_string(hide_password=False)
    server.drop(url.database or "")


@pytest.mark.mysql
@pytest.mark.product("MySQL", "a zero with a sign, and JSON that it parses")
class TestMySQL(AdapterContract):
    adapter = load_adapter("mysql")
    gaps: ClassVar[tuple[Gap, ...]] = (
        Gap("test_values_survive[json text]", "never", "MySQL parses JSON"),
        Gap("test_what_was_loaded_is_verified[json text]", "never", "as above: it is another text"),
        Gap("test_values_survive[float not finite]", "never", "MySQL has no NaN and no infinities"),
        Gap("test_what_was_loaded_is_verified[float not finite]", "never", "as above: it is not loaded"),
        Gap(
            "test_a_value_that_does_not_fit_is_refused[a text that is no UUID]",
            "never",
            "MySQL has no type for UUIDs: the column is one of texts",
            pytest.fail.Exception,
        ),
    )

    @pytest.fixture
    def url(self, mysql_database: str) -> str:
        return mysql_database
