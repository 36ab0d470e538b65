"""SQLFILE: the script is what an import would run; each runs on its real server, Oracle's passes the grammar."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from tests.support.pump import done, pump, remap, schema_of
from tests.support.rows import tables_of
from tests.support.servers import Servers
from tests.support.sql import execute


def chinook_dump(sample: Callable[[str], str], directory: Path) -> str:
    source = sample("chinook.sqlite")
    done(pump("expdp", source, "DUMPFILE=chinook.dmp", f"DIRECTORY={directory}"))
    return source


def test_the_postgresql_script_runs_on_postgresql(
    sample: Callable[[str], str], postgresql: Callable[..., str], servers: Servers, tmp_path: Path
) -> None:
    source = chinook_dump(sample, tmp_path)
    done(
        pump(
            "impdp",
            "postgresql:",
            "DUMPFILE=chinook.dmp",
            "SQLFILE=pg.sql",
            "REMAP_SCHEMA=main:music",
            f"DIRECTORY={tmp_path}",
        )
    )
    url = postgresql()
    servers.postgresql().run_script(sa.make_url(url), (tmp_path / "pg.sql").read_text("utf-8"))
    assert sorted(tables_of(url, "music")) == sorted(tables_of(source))


def test_the_mysql_script_runs_on_mariadb(
    sample: Callable[[str], str], mysql: Callable[[], str], servers: Servers, tmp_path: Path
) -> None:
    source = chinook_dump(sample, tmp_path)
    url = mysql()
    where = (f"DIRECTORY={tmp_path}", "EXCLUDE=USER", remap(source, url))
    done(pump("impdp", "mysql:", "DUMPFILE=chinook.dmp", "SQLFILE=my.sql", *where))
    servers.mysql().run_script(sa.make_url(url), (tmp_path / "my.sql").read_text("utf-8"))
    assert sorted(tables_of(url, schema_of(url))) == sorted(tables_of(source))


def test_the_sqlite_script_runs_in_sqlite(sample: Callable[[str], str], tmp_path: Path) -> None:
    source = chinook_dump(sample, tmp_path)
    done(pump("impdp", "sqlite:", "DUMPFILE=chinook.dmp", "SQLFILE=lite.sql", f"DIRECTORY={tmp_path}"))
    target = tmp_path / "made.db"
    connection = sqlite3.connect(target)
    connection.executescript((tmp_path / "lite.sql").read_text("utf-8"))
    connection.close()
    assert sorted(tables_of(f"sqlite:///{target}")) == sorted(tables_of(source))


def test_a_script_from_a_network_link_connects_to_the_link_only(sample: Callable[[str], str], tmp_path: Path) -> None:
    source = sample("chinook.sqlite")
    run = pump("impdp", "oracle:", f"NETWORK_LINK={source}", "SQLFILE=ora.sql", f"DIRECTORY={tmp_path}")
    done(run)
    script = (tmp_path / "ora.sql").read_text("utf-8")
    assert 'CREATE TABLE main."Album"' in script or 'CREATE TABLE "main"."Album"' in script


def test_losses_stand_in_the_script_as_comments(sakila: Callable[[], str], tmp_path: Path) -> None:
    source = sakila()
    run = done(pump("impdp", "oracle:", f"NETWORK_LINK={source}", "SQLFILE=ora.sql", f"DIRECTORY={tmp_path}"))
    script = (tmp_path / "ora.sql").read_text("utf-8")
    assert run.losses
    for loss in run.losses:
        assert f"-- loss: {loss}".splitlines()[0] in script


def test_objects_stand_under_their_paths_in_the_order_of_an_import(sample: Callable[[str], str], tmp_path: Path) -> None:
    chinook_dump(sample, tmp_path)
    done(pump("impdp", "postgresql:", "DUMPFILE=chinook.dmp", "SQLFILE=pg.sql", f"DIRECTORY={tmp_path}"))
    lines = (tmp_path / "pg.sql").read_text("utf-8").splitlines()
    paths = [line.removeprefix("-- new object type path: ") for line in lines if line.startswith("-- new object type")]
    wanted = ["TABLE/TABLE", "TABLE/INDEX/INDEX", "TABLE/CONSTRAINT/CONSTRAINT", "TABLE/CONSTRAINT/REF_CONSTRAINT"]
    positions = [paths.index(f"DATABASE_EXPORT/SCHEMA/{path}") for path in wanted]
    assert positions == sorted(positions)


def test_a_script_has_the_source_of_what_is_left_out(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE TABLE t (x text CONSTRAINT odd CHECK (x ~ 'x'))",
        "CREATE INDEX i ON t (upper(x))",
        "CREATE VIEW v AS SELECT upper(x) AS u FROM t",
    )
    done(pump("impdp", "mysql:", f"NETWORK_LINK={source}", "SQLFILE=m.sql", f"DIRECTORY={tmp_path}"))
    script = (tmp_path / "m.sql").read_text("utf-8")
    assert '-- CONSTRAINT:"public"."odd" at the source: (x ~ \'x\'::text)\n' in script
    assert '-- INDEX:"public"."i" at the source: upper(x)\n' in script
    assert '-- VIEW:"public"."v" at the source: SELECT upper(x) AS u\n--    FROM public.t\n' in script
    assert "\nCREATE VIEW" not in script
