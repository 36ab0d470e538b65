"""Others who want a table for themselves while a job reads it: the job ends, and no row is lost without a word."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialects.mysql import ADAPTER as MYSQL
from dialects.postgresql import ADAPTER as POSTGRESQL
from dialects.postgresql import locks
from dialects.sqlite import ADAPTER as SQLITE
from migrator import operations
from migrator.adapter import Adapter
from migrator.operations import NoProgress
from migrator.spec import JobSpec
from tests.support.meddling import Meddler as Intruder
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows, scalar
from tests.support.waiting import Waiting

TABLES = ("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY)", "CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY)")
ROWS = ("INSERT INTO a VALUES (1), (2)", "INSERT INTO b VALUES (1), (2), (3)")


class Meddler(NoProgress):
    """Lets another session begin the moment before the first row is read."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        self._waiting.begin()


@pytest.mark.parametrize(
    ("server", "statement", "parallel", "code"),
    [
        ("postgresql", "TRUNCATE TABLE b", 1, 5),
        ("postgresql", "ALTER TABLE b ADD x INTEGER", 2, 5),
        ("mysql", "TRUNCATE TABLE b", 1, 0),
        ("mysql", "ALTER TABLE b ADD x INTEGER", 1, 0),
    ],
)
def test_a_job_ends_although_another_session_waits_for_it(
    server: str,
    statement: str,
    parallel: int,
    code: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On PostgreSQL, which does not know that the sessions that read are one job's, without the table that is wanted."""
    monkeypatch.setattr(locks, "ATTEMPTS", 2)
    source, out = request.getfixturevalue(server)(), io.StringIO()
    execute(source, *TABLES, *ROWS)
    spec = JobSpec("EXPORT", "SCHEMA", source, tmp_path, dumpfiles=(str(tmp_path / "x%U.dmp"),), parallel=parallel)
    with Waiting(source, statement) as other:
        assert operations.run(replace(spec, content="ALL"), sa.make_url, out, Meddler(other)) == code, out.getvalue()
    moved = dict(re.findall(r'exported "[^"]*"\."(\w)" .* (\d+) rows', out.getvalue()))
    refused = re.findall(
        r'MIG-00054: could not obtain lock on relation "(?:public\.)?(\w)": session \d+ holds, or waits for, an excl',
        out.getvalue(),
    )
    assert (moved, refused) == (({"a": "2"}, ["b"]) if code else ({"a": "2", "b": "3"}, []))


def meddling(monkeypatch: pytest.MonkeyPatch, adapter: Adapter, *statements: str) -> None:
    """Run statements between the moment that a job's state is taken and the look at its catalog, once."""
    catalog, left = type(adapter).catalog, list(statements)

    def look(self: Adapter, connection: sa.Connection, *args: object, **kwargs: object) -> object:
        while left:
            execute(connection.engine.url, left.pop(0))
        return catalog(self, connection, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(type(adapter), "catalog", look)


@pytest.mark.parametrize("statement", ["TRUNCATE TABLE b", "ALTER TABLE b ALTER id TYPE bigint"])
def test_a_table_whose_rows_are_gone_from_the_state_is_no_empty_table(
    statement: str, postgresql: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *TABLES, *ROWS)
    meddling(monkeypatch, POSTGRESQL, statement)
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert run.code == 1, run.out
    assert 'MIG-20013: the rows of "public"."b" cannot be read any more as they were' in run.out + run.err
    assert scalar(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert run.rows == {"a": 2, "b": int(scalar(source, "SELECT count(*) FROM b"))}


def test_mysql_itself_tells_of_a_table_whose_rows_are_gone(
    mysql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = mysql(), mysql()
    execute(source, *TABLES, *ROWS)
    meddling(monkeypatch, MYSQL, "TRUNCATE TABLE b")
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    assert run.code == 1, run.out
    assert "Table definition has changed" in run.out + run.err
    assert not run.rows


@pytest.mark.parametrize(
    "statements",
    [
        ("RENAME TABLE a TO c, b TO a, c TO b",),
        ("ALTER TABLE b DROP COLUMN v, ALGORITHM=INSTANT", "ALTER TABLE b ADD v INTEGER, ALGORITHM=INSTANT"),
    ],
    ids=["exchanged", "a column made anew"],
)
def test_mysql_keeps_tables_as_they_are_that_have_no_key_to_look_at(
    statements: tuple[str, ...], mysql: Callable[[], str], tmp_path: Path
) -> None:
    """The server itself does not tell a state's reader of these statements; the others wait until the job ends."""
    source, target = mysql(), mysql()
    execute(source, "CREATE TABLE a (id INTEGER, v INTEGER)", "CREATE TABLE b (id INTEGER, v INTEGER)")
    execute(source, "INSERT INTO a VALUES (1, 1)", "INSERT INTO b VALUES (2, 2)")
    meddler, out = Intruder(source, "SET SESSION lock_wait_timeout = 1", *statements), io.StringIO()
    spec = JobSpec("EXPORT", "SCHEMA", source, tmp_path, dumpfiles=(str(tmp_path / "x%U.dmp"),), content="ALL")
    assert operations.run(spec, sa.make_url, out, meddler) == 0, out.getvalue()
    assert "Lock wait timeout" in meddler.refused
    done(pump("impdp", target, "DUMPFILE=x%U.dmp", f"DIRECTORY={tmp_path}", remap(source, target)))
    assert rows(target, "SELECT id, v FROM a UNION ALL SELECT id, v FROM b") == [(1, 1), (2, 2)]


def test_a_table_that_a_sqlite_file_has_under_a_new_name_is_told(
    sqlite_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others may write to the file that a job reads."""
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    with sa.create_engine(source, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    execute(source, *TABLES, *ROWS)
    meddling(monkeypatch, SQLITE, "ALTER TABLE b RENAME TO c")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert run.code == 1, run.out
    assert 'MIG-20013: the rows of "main"."c" cannot be read any more as they were' in run.out + run.err
    assert done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES")).rows == {"a": 2, "c": 3}
