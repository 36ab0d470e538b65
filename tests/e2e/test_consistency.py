"""Integrity: one snapshot for all readers, generators that go on, keys that hold, cycles, and counts that are checked."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator import operations
from migrator.spec import JobSpec
from tests.support.meddling import Meddler
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, inspect, scalar

CYCLE = (
    "CREATE TABLE dept (id INTEGER NOT NULL PRIMARY KEY, head INTEGER)",
    "CREATE TABLE emp (id INTEGER NOT NULL PRIMARY KEY, dept INTEGER NOT NULL, boss INTEGER,"
    " FOREIGN KEY (dept) REFERENCES dept (id))",
    "INSERT INTO dept VALUES (1, NULL), (2, NULL)",
    "INSERT INTO emp VALUES (10, 1, 10), (20, 2, 10), (30, 2, 20)",
    "UPDATE dept SET head = 10 WHERE id = 1",
)
CLOSE = (
    "ALTER TABLE dept ADD CONSTRAINT dept_head FOREIGN KEY (head) REFERENCES emp (id)",
    "ALTER TABLE emp ADD CONSTRAINT emp_boss FOREIGN KEY (boss) REFERENCES emp (id)",
)


@pytest.fixture(params=["postgresql", "mysql", "sqlite"])
def source(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_file")("source.db")
    else:
        url = request.getfixturevalue(request.param)()
    return url


@pytest.mark.parametrize("parallel", [1, 2])
def test_all_tables_are_read_in_the_state_the_job_began_with(source: str, parallel: int, tmp_path: Path) -> None:
    execute(source, "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY)", "CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY)")
    execute(source, "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")
    url = f"{source}?timeout=0.2" if source.startswith("sqlite") else source  # a waiting writer is refused soon
    meddler = Meddler(url, "INSERT INTO a VALUES (2)", "INSERT INTO b VALUES (2)", "DELETE FROM b WHERE id = 1")
    spec = JobSpec(
        "EXPORT", "SCHEMA", source, tmp_path, dumpfiles=(str(tmp_path / "x%U.dmp"),), content="ALL", parallel=parallel
    )
    out = io.StringIO()
    assert operations.run(spec, sa.make_url, out, meddler) == 0, out.getvalue()
    assert meddler.refused == "" or "locked" in meddler.refused
    target = f"sqlite:///{tmp_path}/target.db"
    done(pump("impdp", target, "DUMPFILE=x%U.dmp", remap(source, target), f"DIRECTORY={tmp_path}"))
    assert (scalar(target, "SELECT group_concat(id) FROM a"), scalar(target, "SELECT group_concat(id) FROM b")) == ("1", "1")


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_cycles_and_self_references_are_moved_with_their_rows(
    kind: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = request.getfixturevalue(kind)(), request.getfixturevalue(kind)()
    execute(source, *CYCLE, *CLOSE)
    lite = sqlite_file("cycle.db")
    for here, there in ((source, target), (source, lite)):
        run = done(pump("impdp", there, f"NETWORK_LINK={here}", remap(here, there), f"DIRECTORY={tmp_path}"))
        assert run.rows == {"dept": 2, "emp": 3}
        assert scalar(there, "SELECT count(*) FROM emp JOIN dept ON dept.head = emp.id") == 1
    with inspect(target) as inspector:
        found = {key["name"] for table in ("dept", "emp") for key in inspector.get_foreign_keys(table, schema_of(target))}
    assert {"dept_head", "emp_boss"} <= found
    assert len(found) == 3


ORPHANS = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))",
    "INSERT INTO c VALUES (1, 99)",
)


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite"])
def test_orphans_are_loaded_and_named(
    kind: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source = sqlite_file("orphans.db")
    execute(source, *ORPHANS)
    target = sqlite_file("target.db") if kind == "sqlite" else request.getfixturevalue(kind)()
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    assert run.code == 5
    if kind == "sqlite":
        assert 'ORA-02298: cannot validate the foreign keys of "main"."c" - parent keys not found' in run.out
    elif kind == "postgresql":
        assert 'ORA-02298: cannot validate REF_CONSTRAINT:"public"."c" FOREIGN KEY (p) - parent keys not found' in run.out
    else:
        (label,) = re.findall(r"ORA-39083: Object type (.+) failed to create with error:", run.out)
        assert label == f'REF_CONSTRAINT:"{schema_of(target)}"."c" FOREIGN KEY (p)'
    assert scalar(target, "SELECT count(*) FROM c") == 1


@pytest.mark.parametrize("way", ["link", "dump"])
@pytest.mark.parametrize("there", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize("here", ["postgresql", "mysql", "sqlite"])
def test_identities_go_on_where_the_source_stood_in_empty_tables_too(
    here: str, there: str, way: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    make = {
        "postgresql": "CREATE TABLE {} (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, x INTEGER)",
        "mysql": "CREATE TABLE {} (id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY, x INTEGER)",
        "sqlite": "CREATE TABLE {} (id INTEGER PRIMARY KEY AUTOINCREMENT, x INTEGER)",
    }[here]
    source = sqlite_file("source.db") if here == "sqlite" else request.getfixturevalue(here)()
    target = sqlite_file("target.db") if there == "sqlite" else request.getfixturevalue(there)()
    for table, kept in (("filled", "id = 1"), ("emptied", "1 = 0"), ("fresh", "")):
        execute(source, make.format(table))
        if kept:
            execute(source, *[f"INSERT INTO {table} (x) VALUES ({n})" for n in range(7)])
            execute(source, f"DELETE FROM {table} WHERE NOT ({kept})")
    where = (remap(source, target), f"DIRECTORY={tmp_path}")
    if way == "link":
        done(pump("impdp", target, f"NETWORK_LINK={source}", *where))
    else:
        done(pump("expdp", source, f"DIRECTORY={tmp_path}"))
        done(pump("impdp", target, *where))
    execute(target, *[f"INSERT INTO {table} (x) VALUES (42)" for table in ("filled", "emptied", "fresh")])
    found = {table: scalar(target, f"SELECT id FROM {table} WHERE x = 42") for table in ("filled", "emptied", "fresh")}
    assert found == {"filled": 8, "emptied": 8, "fresh": 1}


def test_a_query_is_answered_by_the_targets_sql_engine_when_rows_come_from_a_dump(
    sample: Callable[[str], str], postgresql: Callable[..., str], mysql: Callable[[], str], tmp_path: Path
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"))
    for target in (postgresql(), mysql(), f"sqlite:///{tmp_path}/t.db"):
        name = "`GenreId`" if target.startswith("mysql") else '"GenreId"'
        run = pump(
            "impdp",
            target,
            f"REMAP_SCHEMA=main:{schema_of(target)}",
            "TABLES=main.Genre",
            f"QUERY=main.Genre:WHERE {name} <= 5",
            f"DIRECTORY={tmp_path}",
            "METRICS=Y",
        )
        done(run)
        assert run.rows == {"Genre": 5}
        assert "using external_table" in run.out
        with inspect(target) as inspector:
            schema = None if target.startswith("sqlite") else schema_of(target)
            assert inspector.get_table_names(schema) == ["Genre"]
