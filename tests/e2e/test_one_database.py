"""A network link that leads back to the target by another name: the job does not destroy what it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump, schema_of
from tests.support.sql import execute, rows

ALIASES: dict[str, Callable[[sa.URL], sa.URL]] = {
    "postgresql": lambda url: url.update_query_dict({"application_name": "other"}),
    "mysql": lambda url: url.update_query_dict({"connect_timeout": "9"}),
}


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def names(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two URLs of one database with one table."""
    if request.param == "sqlite":
        one, other = f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"
    else:
        one = str(request.getfixturevalue(request.param)())
        other = ALIASES[request.param](sa.make_url(one)).render_as_string(hide_password=False)
    execute(one, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
    if request.param == "sqlite":
        (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
    return one, other


@pytest.mark.parametrize("action", ["TRUNCATE", "REPLACE"])
@pytest.mark.parametrize("remaps", [(), ("REMAP_TABLE=u:t",)])
def test_a_table_that_is_read_is_not_destroyed(names: tuple[str, str], action: str, remaps: tuple[str, ...]) -> None:
    one, other = names
    run = pump("impdp", one, f"NETWORK_LINK={other}", f"TABLE_EXISTS_ACTION={action}", "NOLOGFILE=YES", *remaps)
    assert run.code == 1
    assert f"UDI-00010: TABLE_EXISTS_ACTION={action} would destroy" in run.err
    assert rows(one, "SELECT id FROM t ORDER BY 1") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("names", ["postgresql", "mysql"], indirect=True)  # SQLite's writer would wait for its reader
def test_a_copy_within_a_database_may_replace_what_it_does_not_read(names: tuple[str, str]) -> None:
    one, other = names
    execute(one, "CREATE TABLE copy (id INTEGER)", "INSERT INTO copy VALUES (9)")
    only = (f"TABLES={schema_of(one)}.t", "REMAP_TABLE=t:copy", "EXCLUDE=CONSTRAINT", "NOLOGFILE=YES")
    done(pump("impdp", one, f"NETWORK_LINK={other}", "TABLE_EXISTS_ACTION=TRUNCATE", *only))
    assert rows(one, "SELECT id FROM copy ORDER BY 1") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("names", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", [("impdp",), ("plan", "impdp")])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_file_is_not_written_while_it_is_read(names: tuple[str, str], command: tuple[str, ...], mode: str) -> None:
    """SQLite's writer would wait for its reader, and say that the database is locked."""
    one, _ = names
    execute(one, f"PRAGMA journal_mode = {mode}")
    first, *rest = (*command, one, f"NETWORK_LINK={one}", "TABLES=t", "REMAP_TABLE=t:copy", "NOLOGFILE=YES")
    run = pump(first, *rest)
    assert run.code == 1
    assert run.err.startswith("UDI-00010: ")
    assert "NETWORK_LINK reads the database that is to be written" in run.err
    assert run.err.count("\n") == 2
