"""Records that are no jobs, or jobs of another version, stand in nobody's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import Adapter
from migrator.ends import Database
from migrator.errors import JobNotFound, RecordUnreadable
from migrator.job import control
from migrator.job.session import local_database
from migrator.job.table import Kind, MasterTable, Row
from migrator.model.objects import QName
from tests.support.hoard import hoard
from tests.support.pump import Run, done, pump, schema_of
from tests.support.sql import execute

STRANGE = {"request": {"shape": "round", "command": "impdp FROM=LATER"}, "lease": 1.0}


@pytest.fixture
def source(tmp_path: Path) -> str:
    return hoard(tmp_path / "source.db", 10)


def kept(url: str, source: str, name: str, table: str) -> Run:
    """A job that leaves its master table."""
    where = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES")
    return pump("impdp", url, *where, f"JOB_NAME={name}", "KEEP_MASTER=YES", f"INCLUDE=TABLE:\"= '{table}'\"")


def write(database: Database, name: str, *rows: Row) -> MasterTable:
    """A master table with these rows only."""
    table = MasterTable(database.server().schema, name)
    with database.connect() as connection:
        table.create(connection)
        table.insert(connection, rows)
    return table


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_tables_are_found_by_all_of_their_columns(kind: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue(kind)())
    database = Database(sa.make_url(url))
    columns = {"one": "Kind INTEGER, item INTEGER", "two": "item INTEGER, kind INTEGER", "three": "kind INTEGER"}
    execute(url, *(f"CREATE TABLE {name} ({listed})" for name, listed in columns.items()))
    execute(url, "CREATE TABLE four (kind INTEGER, item INTEGER, other INTEGER)", "CREATE VIEW five AS SELECT * FROM three")
    with database.connect() as connection:
        schema = database.server().schema
        assert database.adapter.tables_of(connection, [schema], ["kind", "item"]) == (QName(schema, "one"),)
        assert Adapter.tables_of(database.adapter, connection, [schema], ["kind", "item"]) == (QName(schema, "one"),)
        assert not MasterTable(schema, "one").is_ours(connection)


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_a_job_that_ends_while_jobs_are_listed_is_not_listed(kind: str, source: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue(kind)())
    for name, table in (("ENDING", "loose"), ("STAYING", "hollow")):
        done(kept(url, source, name, table))
    database = Database(sa.make_url(url))
    jobs = control.jobs_in(database)
    with database.connect() as connection:
        next(job for job in jobs if job.table.name == "ENDING").table.drop(connection)
    assert [status.name for status in control.standing(jobs)] == ["STAYING"]


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_a_job_that_ends_between_being_found_and_being_read_is_not_listed(
    kind: str, source: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(request.getfixturevalue(kind)())
    for name, table in (("ENDING", "loose"), ("STAYING", "hollow")):
        done(kept(url, source, name, table))
    database = Database(sa.make_url(url))
    read = MasterTable.rows

    def ending(table: MasterTable, connection: sa.Connection, kind: Kind) -> list[Row]:
        if table.name == "ENDING":
            with database.connect() as another:
                table.drop(another)
        return read(table, connection, kind)

    with monkeypatch.context() as patched:
        patched.setattr(MasterTable, "rows", ending)
        assert [job.table.name for job in control.jobs_in(database)] == ["STAYING"]


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_a_master_table_of_no_job_is_passed_over_and_taken(kind: str, source: str, request: pytest.FixtureRequest) -> None:
    """A process was killed between CREATE TABLE and its first INSERT. Tables of types that SQLAlchemy warns of are none."""
    url = str(request.getfixturevalue(kind)())
    execute(url, "CREATE TABLE place (id INTEGER, p POINT)")
    done(kept(url, source, "OTHER", "hollow"))
    database = Database(sa.make_url(url))
    write(database, "BROKEN")
    listed = pump("jobs", url)
    assert listed.code == 0, listed.err
    assert "OTHER" in listed.out
    assert "BROKEN" not in listed.out
    assert control.find(database, "other").table.name == "OTHER"
    assert control.find(database, None).table.name == "OTHER"
    with pytest.raises(JobNotFound):
        control.find(database, "BROKEN")
    assert pump("impdp", url, "ATTACH=BROKEN").err.startswith("ORA-31626: job does not exist: BROKEN")
    done(kept(url, source, "BROKEN", "loose"))
    assert control.find(database, "BROKEN").status().state == "COMPLETED"


def test_a_record_of_another_version_is_in_nobodys_way(source: str, postgresql: Callable[..., str]) -> None:
    url = postgresql()
    database = Database(sa.make_url(url))
    strange = Row("JOB", 1, "IMPORT/SCHEMA", "main", "STRANGE", "STOPPED", 1, 1, detail=STRANGE)
    local = local_database()
    Path(str(local.url.database)).parent.mkdir(parents=True)
    write(local, "STRANGE", strange)
    done(kept(url, source, "OTHER", "hollow"))
    assert control.find(database, None).table.name == "OTHER"
    assert control.find(database, "OTHER").table.name == "OTHER"
    with pytest.raises(RecordUnreadable, match="STRANGE"):
        control.find(database, "strange")
    refused = pump("impdp", url, "ATTACH=STRANGE")
    assert refused.code == 1
    assert refused.err.startswith('MIG-31656: the record of job "main"."STRANGE" cannot be read: ')
    listed = pump("jobs", url)
    assert "STRANGE" in listed.out
    assert "OTHER" in listed.out
    done(kept(url, source, "STRANGE", "loose"))
    assert control.find(database, "STRANGE").table.schema == "public"
