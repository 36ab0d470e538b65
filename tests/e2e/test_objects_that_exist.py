"""Objects that are there already, and objects whose table could not be made: what an import does about each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import Run, done, pump, remap
from tests.support.sql import execute, rows, scalar

SOURCE = (
    "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''marked''; RETURN NEW; END'",
    "CREATE TABLE t (id serial PRIMARY KEY, note text)",
    "CREATE INDEX t_note ON t (note)",
    "CREATE TRIGGER t_mark BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION mark()",
    "CREATE SEQUENCE tickets",
    "INSERT INTO t (note) VALUES ('a'), ('b')",
    "SELECT setval('tickets', 5)",
)

Load = Callable[..., Run]


@pytest.fixture
def target(postgresql: Callable[..., str]) -> str:
    return postgresql()


@pytest.fixture
def load(postgresql: Callable[..., str], target: str, tmp_path: Path) -> Load:
    source = postgresql()
    execute(source, *SOURCE)
    return lambda *arguments: pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", *arguments)


def test_replace_makes_again_what_goes_with_the_table(load: Load, target: str) -> None:
    done(load())
    run = load("TABLE_EXISTS_ACTION=REPLACE")
    assert "ORA-39083" not in run.out, run.out
    assert scalar(target, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == "t_mark"
    execute(target, "INSERT INTO t (note) VALUES ('c')")
    assert rows(target, "SELECT id, note FROM t ORDER BY 1") == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize("arguments", [(), ("CONTENT=DATA_ONLY",), ("TABLE_EXISTS_ACTION=REPLACE",)])
def test_a_sequence_that_exists_stands_where_it_stood(load: Load, target: str, arguments: tuple[str, ...]) -> None:
    done(load())
    execute(target, "SELECT setval('tickets', 1000)")
    load(*arguments)
    assert scalar(target, "SELECT last_value FROM tickets") == 1000


def test_what_depends_on_a_table_that_was_not_made_is_named(load: Load, target: str) -> None:
    execute(target, "CREATE VIEW t AS SELECT 1 AS id")
    run = load()
    assert run.code == 5
    assert 'ORA-39083: Object type TABLE:"public"."t" failed to create with error:' in run.out
    skipped = [line for line in run.out.splitlines() if line.startswith("ORA-39112")]
    assert [line.split(" skipped, ")[0].removeprefix("ORA-39112: Dependent object type ") for line in skipped] == [
        'TABLE_DATA:"public"."t"',
        'INDEX:"public"."t_note"',
        'CONSTRAINT:"public"."t_pkey"',
        'TRIGGER:"public"."t"."t_mark"',
    ]
    assert all(line.endswith('base object type TABLE:"public"."t" creation failed') for line in skipped)


@pytest.mark.parametrize("here", ["sqlite", "postgresql"])
@pytest.mark.parametrize("there", ["sqlite", "postgresql", "mysql"])
def test_a_view_in_the_place_of_a_table_is_named(
    sqlite_file: Load, postgresql: Load, mysql: Load, here: str, there: str
) -> None:
    fresh: dict[str, Callable[..., str]] = {
        "sqlite": lambda: sqlite_file("there.db"),
        "postgresql": postgresql,
        "mysql": mysql,
    }
    source, target = sqlite_file("here.db") if here == "sqlite" else postgresql(), fresh[there]()
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    execute(target, "CREATE TABLE base (id INTEGER)", "CREATE VIEW t AS SELECT id FROM base")
    where = (f"NETWORK_LINK={source}", remap(source, target))
    said = re.compile(r'MIG-20012: table "\w+"\."t" is not at the target: VIEW:"\w+"\."t" has its name')
    for client, *more in (
        ("impdp", "NOLOGFILE=YES"),
        ("impdp", "NOLOGFILE=YES", "CONTENT=DATA_ONLY"),
        ("plan", "impdp"),
        ("verify",),
    ):
        words = (*more, target) if client == "plan" else (target, *more)
        run = pump(client, *words, *where, *(["--json"] if client in {"plan", "verify"} else []))
        assert run.code == 5, run.out
        assert said.search(run.out.replace('\\"', '"')), run.out
    refresh = pump("refresh", target, *where)
    assert said.search(refresh.out + refresh.err)
    assert scalar(target, "SELECT count(*) FROM base") == 0


def test_a_table_that_cannot_be_truncated_keeps_its_rows(load: Load, target: str) -> None:
    done(load())
    execute(target, "CREATE TABLE mine (t integer REFERENCES t)", "INSERT INTO mine VALUES (2)")
    run = load("TABLE_EXISTS_ACTION=TRUNCATE")
    assert 'ORA-39120: Table "public"."t" can\'t be truncated, data will be skipped. Failing error is:' in run.out
    assert rows(target, "SELECT id, note FROM t ORDER BY 1") == [(1, "a"), (2, "b")]


def test_tables_that_can_be_emptied_are_loaded_though_others_cannot(mysql: Callable[[], str]) -> None:
    """MariaDB's TRUNCATE cannot be rolled back: tables that it has emptied must not stay so."""
    source, target = mysql(), mysql()
    tables = ("CREATE TABLE a (id int)", "CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (p int REFERENCES p (id))")
    for url, number in ((source, 1), (target, 77)):
        execute(url, *tables, *(f"INSERT INTO {table} VALUES ({number})" for table in "apc"))
    execute(target, "CREATE TABLE other (p int, FOREIGN KEY (p) REFERENCES p (id))")
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = pump("impdp", target, *where, "TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 5
    assert len(re.findall("ORA-39120: Table .* can't be truncated", run.out)) == 1
    assert rows(target, "SELECT id FROM a") == [(1,)]
    assert rows(target, "SELECT id FROM p") == [(77,)]


def test_postgresql_empties_all_tables_or_none(postgresql: Callable[[], str]) -> None:
    source, target = postgresql(), postgresql()
    for url, number in ((source, 1), (target, 77)):
        execute(url, "CREATE TABLE a (id int)", "CREATE TABLE b (id int PRIMARY KEY)")
        execute(url, f"INSERT INTO a VALUES ({number})", f"INSERT INTO b VALUES ({number})")
    execute(target, "CREATE TABLE other (b int REFERENCES b (id))")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 5
    assert rows(target, "SELECT a.id, b.id FROM a, b") == [(77, 77)]


PARENT_AND_CHILD = (
    "CREATE TABLE p (id int PRIMARY KEY)",
    "CREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id))",
    "INSERT INTO p VALUES (1)",
    "INSERT INTO c VALUES (1, 1)",
)


def test_a_table_that_cannot_be_dropped_keeps_its_foreign_keys(postgresql: Callable[..., str]) -> None:
    """What it refers to stays as well; other tables are replaced."""
    source, target = postgresql(), postgresql()
    for url in (source, target):
        execute(url, *PARENT_AND_CHILD, "CREATE TABLE lone (id int)")
    execute(source, "INSERT INTO lone VALUES (2)")
    execute(target, "CREATE SCHEMA mine", "CREATE VIEW mine.v AS SELECT * FROM c")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=REPLACE", "SCHEMAS=public")
    assert run.code == 5
    assert rows(target, "SELECT conname FROM pg_constraint WHERE contype = 'f'") == [("c_p",)]
    assert rows(target, "SELECT id FROM lone") == [(2,)]


def test_a_table_that_mariadb_cannot_drop_gets_its_foreign_keys_again(mysql: Callable[[], str]) -> None:
    source, target = mysql(), mysql()
    for url in (source, target):
        execute(url, *PARENT_AND_CHILD)
    execute(target, "CREATE TABLE other (c int, CONSTRAINT o_c FOREIGN KEY (c) REFERENCES c (id))")
    where = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = pump("impdp", target, *where, "TABLE_EXISTS_ACTION=REPLACE")
    assert run.code == 5
    keys = "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema = database()"
    assert rows(target, f"{keys} ORDER BY 1") == [("c_p",), ("o_c",)]
    assert re.search(r'REF_CONSTRAINT:".*"\."c_p" is made again, since its table stays', run.out)


def test_tables_that_are_there_are_loaded_in_the_order_of_their_own_keys(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str]
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, "CREATE TABLE p (id INTEGER)", "CREATE TABLE c (p INTEGER, pad TEXT)")
    execute(source, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1, hex(zeroblob(50)))")
    execute(target, "CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (p int REFERENCES p, pad text)")
    done(pump("impdp", target, f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", "NOLOGFILE=YES", "CONTENT=DATA_ONLY"))
    assert rows(target, "SELECT p FROM c") == [(1,)]


@pytest.mark.parametrize("stands", [1, 1000])
def test_identities_go_on_after_the_rows_that_came_in(postgresql: Callable[..., str], stands: int) -> None:
    source, target = postgresql(), postgresql()
    up, down = "int GENERATED BY DEFAULT AS IDENTITY", "(INCREMENT BY -1 START WITH -1)"
    for url in (source, target):
        execute(url, f'CREATE TABLE "it\'s 5%" (id {up}, "a""b" serial, d {up} {down}, v int)')
    execute(source, 'INSERT INTO "it\'s 5%" (v) VALUES (1), (2), (3)')
    execute(target, "SELECT setval(pg_get_serial_sequence('\"it''s 5%\"', 'id'), " + f"{stands})")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=TRUNCATE")
    execute(target, 'INSERT INTO "it\'s 5%" (v) VALUES (42)')
    assert rows(target, 'SELECT * FROM "it\'s 5%" WHERE v = 42') == [(max(stands, 3) + 1, 4, -4, 42)]
    assert ("the identity of id goes on after 3" in run.out) == (stands == 1)
