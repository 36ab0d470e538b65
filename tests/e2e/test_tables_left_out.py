"""Views and foreign keys that need a table which the job leaves out: neither leads to another table, or to none, unsaid."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import Run, done, pump, remap
from tests.support.servers import Servers
from tests.support.sql import execute, rows

Fresh = Callable[..., str]

WITHOUT = "EXCLUDE=TABLE:\"IN ('Case')\""

ALIKE = (
    'CREATE TABLE "Case" (id integer PRIMARY KEY, name text)',
    'CREATE TABLE "case" (id integer PRIMARY KEY, other text)',
)
"""Two tables whose names differ in case only."""

UNCARRIED = 'not carried: it reads "{}"."Case", which is left out [view]'


def move(source: str, target: str, *options: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *options)


def refers_to_left_out(source: str) -> None:
    """A table whose key refers to another, which has a row for its own."""
    execute(
        source,
        'CREATE TABLE "Case" (id integer PRIMARY KEY)',
        'CREATE TABLE ch (id integer PRIMARY KEY, p integer CONSTRAINT ch_p REFERENCES "Case" (id))',
        'INSERT INTO "Case" VALUES (1)',
        "INSERT INTO ch VALUES (1, 1)",
    )


@pytest.mark.parametrize("engine", ["mysql", "sqlite_file"])
def test_a_view_of_a_table_that_is_left_out_does_not_read_one_whose_name_differs_in_case(
    postgresql: Fresh, request: pytest.FixtureRequest, engine: str
) -> None:
    source, target = postgresql(), request.getfixturevalue(engine)()
    execute(source, *ALIKE, 'CREATE VIEW vc AS SELECT id FROM "Case"')
    run = done(move(source, target, WITHOUT))
    (loss,) = [loss for loss in run.losses if loss.startswith("VIEW:")]
    assert loss.endswith('."Case", which is left out [view]')
    assert "1 unsupported" in run.out
    with pytest.raises(Exception, match="vc"):
        rows(target, "SELECT * FROM vc")


def test_no_script_for_oracle_has_a_view_of_a_table_that_is_left_out(postgresql: Fresh, tmp_path: Path) -> None:
    source = postgresql()
    execute(source, *ALIKE, 'CREATE VIEW vc AS SELECT id FROM "Case"')
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=o.sql", "NOLOGFILE=YES")
    run = done(pump("impdp", "oracle:", *where, WITHOUT))
    assert f'VIEW:"public"."vc": {UNCARRIED.format("public")}' in run.losses
    assert "CREATE VIEW" not in (tmp_path / "o.sql").read_text("utf-8")


def test_a_server_that_folds_names_does_not_get_its_own_kind_of_view_for_another_table(
    mysql: Fresh, servers: Servers
) -> None:
    source, server = mysql(), servers.private_mysql("--lower-case-table-names=1")
    try:
        target = server.fresh().render_as_string(hide_password=False)
        execute(
            source, "CREATE TABLE `Case` (id int)", "CREATE TABLE `case` (id int)", "CREATE VIEW vc AS SELECT id FROM `Case`"
        )
        run = done(move(source, target, WITHOUT))
        (loss,) = [loss for loss in run.losses if loss.startswith("VIEW:")]
        assert loss.endswith('."Case", which is left out [view]')
    finally:
        server.stop()


def test_sqlite_gets_no_key_to_another_table_than_the_one_left_out(postgresql: Fresh, sqlite_file: Fresh) -> None:
    source, target = postgresql(), sqlite_file()
    refers_to_left_out(source)
    execute(source, 'CREATE TABLE "case" (id integer PRIMARY KEY)')
    run = done(move(source, target, WITHOUT))
    assert (
        'TABLE:"main"."ch": foreign key ch_p on p is left out: the job does not make "main"."Case", and the key would refer '
        'to "main"."case" [foreign-key]' in run.losses
    )
    assert "1 unsupported" in run.out
    assert rows(target, "SELECT * FROM pragma_foreign_key_list('ch')") == []


def test_a_key_in_create_table_is_left_out_where_its_table_is_not_there(postgresql: Fresh, sqlite_file: Fresh) -> None:
    source, target, another = postgresql(), sqlite_file("without.db"), sqlite_file("with.db")
    refers_to_left_out(source)
    run = done(move(source, target, WITHOUT))
    assert (
        'TABLE:"main"."ch": foreign key ch_p on p is left out: "main"."Case" is not there, and the job does not make it '
        "[foreign-key]" in run.losses
    )
    execute(target, "PRAGMA foreign_keys = ON", "INSERT INTO ch VALUES (2, 2)")
    assert rows(target, "SELECT count(*) FROM ch") == [(2,)]
    execute(another, 'CREATE TABLE "Case" (id integer PRIMARY KEY)', 'INSERT INTO "Case" VALUES (1)')
    done(move(source, another, WITHOUT))
    assert len(rows(another, "SELECT * FROM pragma_foreign_key_list('ch')")) == 1


@pytest.mark.parametrize("engine", ["mysql", "postgresql"])
def test_a_server_refuses_a_key_to_a_table_that_is_not_there_and_the_job_says_why(
    postgresql: Fresh, request: pytest.FixtureRequest, engine: str
) -> None:
    source, target = postgresql(), request.getfixturevalue(engine)()
    refers_to_left_out(source)
    run = move(source, target, WITHOUT)
    assert run.code == 5, run.out
    (loss,) = [loss for loss in run.losses if "[foreign-key]" in loss]
    assert "foreign key ch_p on p refers to" in loss
    assert '"Case", which the job does not make: it must be there before' in loss
    assert "ORA-39083: Object type REF_CONSTRAINT:" in run.out


FAILS = "it must be there before, or the key fails"
REFUSES = "it must be there, or SQLite refuses every row where foreign keys are checked"


@pytest.mark.parametrize(("database", "otherwise"), [("oracle", FAILS), ("sqlite", REFUSES), ("postgresql", FAILS)])
def test_a_script_says_which_tables_must_be_there_for_its_keys(
    postgresql: Fresh, tmp_path: Path, database: str, otherwise: str
) -> None:
    source = postgresql()
    refers_to_left_out(source)
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=s.sql", "NOLOGFILE=YES", "REMAP_SCHEMA=public:main")
    run = done(pump("impdp", f"{database}:", *where, WITHOUT))
    (loss,) = [loss for loss in run.losses if "[foreign-key]" in loss]
    assert 'foreign key ch_p on p refers to "main"."Case", which the job does not make: ' + otherwise in loss
    assert f"-- loss: {loss}" in (tmp_path / "s.sql").read_text("utf-8")
    assert "REFERENCES" in (tmp_path / "s.sql").read_text("utf-8")


def test_sqlite_runs_a_script_with_a_key_to_a_missing_table_and_refuses_its_rows(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), sqlite_file()
    refers_to_left_out(source)
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=s.sql", "NOLOGFILE=YES", "REMAP_SCHEMA=public:main")
    done(pump("impdp", "sqlite:", *where, WITHOUT))
    connection = sqlite3.connect(sa.make_url(target).database or "")
    with closing(connection):
        connection.executescript((tmp_path / "s.sql").read_text("utf-8"))
        connection.execute("PRAGMA foreign_keys = ON")
        for key in ("1", "NULL"):
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                connection.execute(f"INSERT INTO ch VALUES (1, {key})")
        connection.execute('CREATE TABLE "Case" (id integer PRIMARY KEY)')
        connection.execute("INSERT INTO ch VALUES (1, NULL)")


NAMING = {
    "sqlite_file": (
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO \"Case\" VALUES (new.a); END",
        "CREATE VIEW v AS SELECT id FROM \"Case\"",
        "CREATE VIEW w AS SELECT * FROM v",
    ),
    "mysql": (
        "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO `Case` VALUES (new.a)",
        "CREATE PROCEDURE pr() SELECT * FROM `Case`",
    ),
    "postgresql": ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT 1 FROM \"Case\"); END'",),
}  # fmt: skip
"""What each database makes whatever it names."""


@pytest.mark.parametrize("engine", NAMING)
@pytest.mark.parametrize("way", ["link", "export", "import"])
def test_what_names_a_table_that_is_left_out_and_is_made_nevertheless_is_told_of(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, way: str
) -> None:
    fresh = request.getfixturevalue(engine)
    source, target = (fresh("s.db"), fresh("t.db")) if engine == "sqlite_file" else (fresh(), fresh())
    quoted = "`Case`" if engine == "mysql" else '"Case"'
    execute(source, f"CREATE TABLE {quoted} (id integer)", "CREATE TABLE t (a integer)", *NAMING[engine])
    if way == "link":
        run = done(move(source, target, WITHOUT))
    else:
        files = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
        done(pump("expdp", source, *files, *([WITHOUT] if way == "export" else [])))
        run = done(pump("impdp", target, *files, remap(source, target), *([WITHOUT] if way == "import" else [])))
    told = [loss for loss in run.losses if loss.endswith("[left-out]")]
    assert len(told) == len(NAMING[engine])
    assert all("Case, which the job leaves out: where that is not there, it fails when it is used" in loss for loss in told)
