"""What schemas have of their own: one that a job makes gets it; of one that is there already, the loss list names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import load_adapter
from migrator.job.worker import Made, make
from tests.support.pump import Run, done, pump, schema_of
from tests.support.sql import execute, is_mariadb, rows, scalar

COMMENT = "it's a shop \\ of 'books'"
SAME = "CREATE FUNCTION same(a varchar(9), b varchar(9)) RETURNS int DETERMINISTIC RETURN a = b"
OWN = (
    "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin /*M! COMMENT 'it''s a shop \\\\ of ''books''' */",
    SAME,
    "CREATE TABLE t (a varchar(9))",
)
HAS_COMMENTS = pytest.mark.product("MariaDB", "comments on databases")


def defaults(url: str) -> list[tuple[str, ...]]:
    """The character set, the collation and the comment of a database; MySQL has none."""
    comment = "schema_comment" if is_mariadb(url) else "NULL"
    asked = f"default_character_set_name, default_collation_name, {comment}"
    return rows(url, f"SELECT {asked} FROM information_schema.schemata WHERE schema_name = '{schema_of(url)}'")


@pytest.fixture
def made(mysql: Callable[[], str]) -> Iterator[str]:
    """The URL of a database that is not there yet."""
    url = sa.make_url(mysql())
    name = f"{url.database}_made"
    yield url.set(database=name).render_as_string(hide_password=False)
    execute(url.render_as_string(hide_password=False), f"DROP DATABASE IF EXISTS `{name}`")


def moved(source: str, target: str, made: str, directory: Path, way: str) -> Run:
    """A job into ``target`` whose objects come into the database ``made``."""
    remap = f"REMAP_SCHEMA={schema_of(source)}:{schema_of(made)}"
    if way == "link":
        return pump("impdp", target, f"NETWORK_LINK={source}", remap, f"DIRECTORY={directory}")
    done(pump("expdp", source, f"DIRECTORY={directory}", "DUMPFILE=s.dmp"))
    return pump("impdp", target, f"DIRECTORY={directory}", "DUMPFILE=s.dmp", remap)


@pytest.mark.parametrize("way", ["link", "dump"])
def test_a_database_is_made_with_the_defaults_and_the_comment_of_its_own(
    way: str, mysql: Callable[[], str], made: str, tmp_path: Path
) -> None:
    source, target = mysql(), mysql()
    execute(source, *OWN)
    assert scalar(source, "SELECT same('a', 'A')") == 0
    assert done(moved(source, target, made, tmp_path, way)).losses == []
    assert defaults(made) == [("latin1", "latin1_bin", COMMENT if is_mariadb(made) else None)]
    assert scalar(made, "SELECT same('a', 'A')") == 0


def test_a_script_makes_a_database_with_its_defaults(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(source, *OWN)
    done(pump("impdp", mysql(), f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=s.sql"))
    made = f"CREATE DATABASE IF NOT EXISTS `{schema_of(source)}` CHARACTER SET latin1 COLLATE latin1_bin"
    comment = " COMMENT 'it''s a shop \\\\ of ''books'''" if is_mariadb(source) else ""
    assert f"{made}{comment};" in (tmp_path / "s.sql").read_text()


@HAS_COMMENTS
def test_a_comment_of_a_database_goes_to_postgresql(
    mysql: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(source, *OWN)
    pump("impdp", target, f"NETWORK_LINK={source}", "REMAP_SCHEMA=" + schema_of(source) + ":shop", f"DIRECTORY={tmp_path}")
    assert scalar(target, "SELECT obj_description('shop'::regnamespace)") == COMMENT


@HAS_COMMENTS
def test_a_comment_of_a_schema_goes_to_mariadb(postgresql: Callable[..., str], made: str, tmp_path: Path) -> None:
    source = postgresql()
    execute(source, "CREATE TABLE t (a int)", "COMMENT ON SCHEMA public IS 'the shop'")
    target = sa.make_url(made).set(database="mysql").render_as_string(hide_password=False)
    run = done(moved(source, target, made, tmp_path, "link"))
    assert defaults(made) == [("utf8mb4", "utf8mb4_nopad_bin", "the shop")]
    assert run.losses == []


def told(run: Run, kind: str) -> list[str]:
    """The entries about a class of objects."""
    return [loss for loss in run.losses if loss.startswith(f"{kind}:")]


def test_a_database_that_is_there_stays_as_it_is(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, *OWN)
    schema, usual = schema_of(target), "utf8mb4_general_ci" if is_mariadb(target) else "utf8mb4_0900_ai_ci"
    detail = f"texts without a collation of their own compare by {usual}, as the database says"
    left_out = f'SCHEMA:"{schema}": its comment is left out, since the schema is there already: {COMMENT} [comment]'
    expected = [
        *([left_out] if is_mariadb(source) else ()),
        f'FUNCTION:"{schema}"."same": {detail} (at the source: latin1_bin) [collation]',
    ]
    planned = pump(
        "plan", "impdp", target, f"NETWORK_LINK={source}", f"REMAP_SCHEMA={schema_of(source)}:{schema_of(target)}"
    )
    assert all(entry in planned.out for entry in expected), planned.out
    run = moved(source, target, target, tmp_path, "link")
    assert told(run, "SCHEMA") + told(run, "FUNCTION") == expected
    assert scalar(target, "SELECT same('a', 'A')") == 1
    assert scalar(target, "SELECT same('a', 'A')") == 1


def test_nothing_is_told_of_a_database_that_is_there_and_the_same(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    for url in (source, target):
        execute(url, OWN[0])
    execute(source, *OWN[1:])
    assert done(moved(source, target, target, tmp_path, "link")).losses == []


def test_nor_of_defaults_that_nothing_takes(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, "ALTER DATABASE CHARACTER SET latin1", "CREATE TABLE t (a varchar(9))")
    assert done(moved(source, target, target, tmp_path, "link")).losses == []


def test_a_schema_of_postgresql_that_is_there_keeps_its_comment(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE t (a int)", "COMMENT ON SCHEMA public IS 'the shop'")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}"))
    detail = "its comment is left out, since the schema is there already: the shop"
    assert run.losses == [f'SCHEMA:"public": {detail} [comment]']
    execute(target, "DROP TABLE t", "COMMENT ON SCHEMA public IS 'the shop'")
    assert done(pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}")).losses == []


def test_a_comment_of_a_schema_that_becomes_part_of_another_is_named(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source, "CREATE SCHEMA a", "CREATE SCHEMA b", "COMMENT ON SCHEMA a IS 'first'", "COMMENT ON SCHEMA b IS 'second'"
    )
    execute(source, "CREATE TABLE a.t (a int)", "CREATE TABLE b.u (a int)")
    remaps = ("SCHEMAS=a,b", "REMAP_SCHEMA=a:both", "REMAP_SCHEMA=b:both")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", *remaps, f"DIRECTORY={tmp_path}"))
    assert run.losses == ['SCHEMA:"both": the comment of another schema that is in this one is left out: second [comment]']
    assert scalar(target, "SELECT obj_description('both'::regnamespace)") == "first"


def test_a_program_that_was_made_with_other_defaults_is_named(mysql: Callable[[], str], made: str, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, *OWN, "ALTER DATABASE COLLATE utf8mb4_general_ci")
    run = done(moved(source, target, made, tmp_path, "link"))
    detail = "texts without a collation of their own compare by utf8mb4_general_ci, as the database says"
    assert run.losses == [f'FUNCTION:"{schema_of(made)}"."same": {detail} (at the source: latin1_bin) [collation]']


def test_a_program_that_lies_where_it_was_made_for_is_not_named(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, *OWN, "ALTER DATABASE COLLATE utf8mb4_general_ci")
    execute(target, OWN[0])
    run = moved(source, target, target, tmp_path, "link")
    assert (told(run, "SCHEMA"), told(run, "FUNCTION")) == ([], [])
    assert (scalar(source, "SELECT same('a', 'A')"), scalar(target, "SELECT same('a', 'A')")) == (0, 0)
    again = moved(source, target, target, tmp_path, "link")
    assert (told(again, "SCHEMA"), told(again, "FUNCTION")) == ([], [])


def test_a_script_names_a_program_that_was_made_with_other_defaults(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    execute(source, *OWN, "ALTER DATABASE COLLATE utf8mb4_general_ci")
    run = done(pump("impdp", "mysql:", f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "SQLFILE=s.sql"))
    assert told(run, "FUNCTION") == [
        f'FUNCTION:"{schema_of(source)}"."same": texts without a collation of their own compare by utf8mb4_general_ci,'
        " as the database says (at the source: latin1_bin) [collation]"
    ]


def test_literals_of_programs_compare_as_they_did(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "SET SESSION collation_connection = 'utf8mb4_bin'",
        "CREATE FUNCTION differ() RETURNS int DETERMINISTIC RETURN 'a' <> 'A'",
        "SET NAMES utf8mb4",
        "CREATE FUNCTION same() RETURNS int DETERMINISTIC RETURN 'a' = 'A'",
    )
    done(moved(source, target, target, tmp_path, "link"))
    assert rows(source, "SELECT differ(), same()") == [(1, 1)]
    assert rows(target, "SELECT differ(), same()") == [(1, 1)]


@pytest.mark.parametrize("how", ["link", "dump"])
def test_literals_of_views_compare_as_they_did(how: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (1)",
        "SET SESSION collation_connection = 'utf8mb4_bin'",
        "CREATE VIEW b AS SELECT a, 'a' = 'A' AS same, 'b' AS name, CAST(a AS char) AS digits FROM t WHERE a > 0"
        " WITH CHECK OPTION",
        "SET SESSION collation_connection = 'utf8mb4_unicode_ci'",
        "CREATE VIEW c AS SELECT 'é' = 'E' AS same, 'b' AS name",
    )
    assert done(moved(source, target, target, tmp_path, how)).losses == []
    shown = "SELECT b.same, c.same, collation(b.name), collation(digits), collation(c.name) FROM b, c"
    digits = "utf8mb4_bin" if is_mariadb(source) else "utf8mb4_0900_ai_ci"  # MySQL asks the session that reads
    found = [(0, 1, "utf8mb4_bin", digits, "utf8mb4_unicode_ci")]
    assert rows(source, shown) == found
    assert rows(target, shown) == found


def test_a_program_that_is_not_made_leaves_its_session_to_no_other_object(mysql: Callable[[], str], tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    user = f"{schema_of(target)}_few"
    execute(
        source,
        "SET SESSION sql_mode = 'ANSI_QUOTES', collation_connection = 'utf8mb4_bin'",
        "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
        "SET NAMES utf8mb4",
        "CREATE TABLE t (a int)",
        "CREATE VIEW v AS SELECT 'a' = 'A' AS same FROM t",
    )
    execute(
        target,
        f"CREATE USER {user}@localhost IDENTIFIED BY 'few'",
        f"GRANT ALL ON `{schema_of(target)}`.* TO {user}@localhost",
        f"REVOKE CREATE ROUTINE ON `{schema_of(target)}`.* FROM {user}@localhost",
    )
    try:
        limited = sa.make_url(target).set(username=user, password="few").render_as_string(hide_password=False)
        run = moved(source, limited, target, tmp_path, "link")
        assert re.search('FUNCTION:".*"."f" failed to create', run.out)
        made = "SELECT collation_connection FROM information_schema.views WHERE table_name = 'v' AND table_schema = '{}'"
        assert scalar(target, made.format(schema_of(target))) == scalar(source, made.format(schema_of(source)))
    finally:
        execute(target, f"DROP USER {user}@localhost")


def test_what_follows_a_statement_that_failed_is_no_restoring_because_of_its_words(mysql: Callable[[], str]) -> None:
    url, adapter = mysql(), load_adapter("mysql")
    unmade = "CREATE TABLE t (a no_type)"
    after = "SET STATEMENT foreign_key_checks = 0 FOR CREATE TABLE u (a int)"
    restoring = "SET SESSION sql_mode = 'STRICT_ALL_TABLES'"
    with sa.create_engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        made = Made(1, "t", ("SET SESSION sql_mode = ''", unmade, after, restoring), restoring=(restoring,))
        failure = make(adapter, connection, made)
        assert failure is not None
        assert failure.statement == unmade
        assert connection.exec_driver_sql("SHOW TABLES").all() == []
        assert connection.exec_driver_sql("SELECT @@SESSION.sql_mode").scalar() == "STRICT_ALL_TABLES"
