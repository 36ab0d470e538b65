"""The inventory at the end of jobs on real databases: every object of the source is accounted for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

OBJECTS = (
    "CREATE TABLE parent (id integer PRIMARY KEY, name varchar(20) UNIQUE)",
    "CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent (id), CHECK (parent > 0))",
    "CREATE INDEX by_parent ON child (parent)",
    "CREATE VIEW names AS SELECT name FROM parent",
)
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON parent BEGIN SELECT 1; END"


def inventory(out: str) -> list[str]:
    """The lines of a log that are about the inventory."""
    lines = out.splitlines()
    (first,) = (n for n, line in enumerate(lines) if line.startswith("Inventory of"))
    return [lines[first], *(line for line in lines[first + 1 :] if line.startswith(". . ") and " = " in line)]


@pytest.mark.parametrize("target", ["sqlite_file", "postgresql", "mysql"])
def test_an_import_accounts_for_every_object(
    target: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str]
) -> None:
    source, url = sqlite_file("source.db"), str(request.getfixturevalue(target)())
    execute(source, *OBJECTS)
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "METRICS=YES"))
    first, *kinds = inventory(run.out)
    assert first.startswith("Inventory of the source's objects: 10 = ")
    assert [line.split()[2] for line in kinds] == ["USER", "TABLE", "INDEX", "CONSTRAINT", "REF_CONSTRAINT", "VIEW"]
    assert [line.split()[3] for line in kinds] == ["1", "2", "1", "4", "1", "1"]


def test_what_another_database_cannot_have_is_named(postgresql: Callable[..., str], sqlite_file: Callable[..., str]) -> None:
    source, url = sqlite_file("source.db"), postgresql()
    execute(source, *OBJECTS, TRIGGER)
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "EXCLUDE=INDEX"))
    assert inventory(run.out)[0].endswith(" + 1 filtered out + 1 there already + 1 unsupported")
    assert '. . unsupported: TRIGGER:"public"."t"' in run.out


def test_what_comes_with_an_entry_of_the_loss_list_is_converted(
    mysql: Callable[[], str], sqlite_file: Callable[..., str]
) -> None:
    source, url = sqlite_file("source.db"), mysql()
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, CHECK (id > 0))")
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "METRICS=YES"))
    assert "check (id > 0) is left out: id is AUTO_INCREMENT [check]" in run.out
    assert ". . TABLE             1 = 1 converted" in inventory(run.out)


@pytest.mark.parametrize("target", ["sqlite_file", "mysql"])
def test_what_columns_carry_is_converted_and_a_check_that_is_left_out_is_named(
    target: str, request: pytest.FixtureRequest, postgresql: Callable[..., str]
) -> None:
    source, url = postgresql(), str(request.getfixturevalue(target)())
    execute(
        source,
        "CREATE TYPE mood AS ENUM ('low', 'high')",
        "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
        "CREATE TABLE t (id serial PRIMARY KEY, m mood, p positive, y int UNIQUE, x text CONSTRAINT odd CHECK (x ~ 'x'))",
    )
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "METRICS=YES"))
    sums = {kind: found.strip() for kind, _, found in (line[4:].partition(" ") for line in inventory(run.out)[1:])}
    assert sums["TYPE_SPEC"] == "2 = 2 converted"
    assert sums["SEQUENCE"] == sums["TABLE"] == "1 = 1 converted"
    assert sums["CONSTRAINT"] == "3 = 2 moved + 1 unsupported"
    assert re.findall(r"unsupported: (\S+)", run.out) == [f'CONSTRAINT:"{schema_of(url)}"."odd"']


def test_what_has_its_name_from_its_table_or_none_is_named_with_its_table(
    postgresql: Callable[..., str], mysql: Callable[[], str], sqlite_file: Callable[..., str]
) -> None:
    source, url = postgresql(), mysql()
    execute(source, "CREATE TABLE a (id integer)", "CREATE TABLE b (id integer)")
    execute(source, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
    for table in ("a", "b"):
        execute(
            source,
            f"CREATE TRIGGER same BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION f()",
            f"CREATE RULE same AS ON DELETE TO {table} DO INSTEAD NOTHING",
            f"CREATE POLICY same ON {table} USING (true)",
        )
    execute(source, "ALTER TABLE b ENABLE ROW LEVEL SECURITY")
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES"))
    kinds = [f'{kind}:"{schema_of(url)}"."{table}"."same"' for kind in ("TRIGGER", "RULE", "POLICY") for table in "ab"]
    secured = f'ROW_SECURITY:"{schema_of(url)}"."b"."ENABLE ROW LEVEL SECURITY"'
    assert set(re.findall(r"unsupported: (.+)", run.out)) == {*kinds, secured, f'FUNCTION:"{schema_of(url)}"."f"'}

    source, url = sqlite_file("source.db"), mysql()
    execute(source, "CREATE TABLE t (a integer, b integer, CHECK (a MATCH 'x'), UNIQUE (a, b))")
    run = done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES"))
    assert re.findall(r"unsupported: (.+)", run.out) == [f'CONSTRAINT:"{schema_of(url)}"."t" CHECK (a MATCH \'x\')']


def test_a_trigger_whose_name_another_table_has_is_made(postgresql: Callable[..., str]) -> None:
    source, url = postgresql(), postgresql()
    for where, tables in ((source, "ab"), (url, "a")):
        execute(where, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        for table in tables:
            execute(where, f"CREATE TABLE {table} (id integer)")
            execute(where, f"CREATE TRIGGER same BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION f()")
    done(pump("impdp", url, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLES=b"))
    assert rows(url, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'same' ORDER BY 1") == [("a",), ("b",)]


def test_what_the_target_refuses_has_failed(postgresql: Callable[..., str]) -> None:
    source, url = postgresql(), postgresql()
    execute(source, "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'", *OBJECTS)
    execute(source, "CREATE VIEW ones AS SELECT one() FROM parent")
    run = pump("impdp", url, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "EXCLUDE=FUNCTION")
    assert run.code == 5, run.out + run.err
    assert inventory(run.out)[0].endswith(" + 1 filtered out + 1 there already + 1 failed")
    assert '. . failed: VIEW:"public"."ones"' in run.out


def test_export_and_script_have_an_inventory_too(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source = sqlite_file("source.db")
    execute(source, *OBJECTS)
    run = done(pump("expdp", source, f"DIRECTORY={tmp_path}", "TABLES=parent"))
    assert inventory(run.out) == ["Inventory of the source's objects: 10 = 3 moved + 7 filtered out"]
    script = done(pump("impdp", "postgresql:", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql"))
    assert inventory(script.out)[0].startswith("Inventory of the source's objects: 3 = ")


def test_tables_that_are_there_already_are_counted_as_such(sqlite_file: Callable[..., str]) -> None:
    source, url = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *OBJECTS)
    execute(url, OBJECTS[0])
    run = pump("impdp", url, f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert run.code == 5, "ORA-39151"
    assert inventory(run.out)[0] == "Inventory of the source's objects: 10 = 7 moved + 3 there already"


def test_rows_alone_have_no_inventory(sqlite_file: Callable[..., str]) -> None:
    source, url = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, OBJECTS[0])
    execute(url, OBJECTS[0])
    arguments = (f"NETWORK_LINK={source}", "NOLOGFILE=YES", "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=APPEND")
    assert "Inventory" not in done(pump("impdp", url, *arguments)).out


def test_a_table_that_cannot_be_replaced_has_failed(postgresql: Callable[..., str], sqlite_file: Callable[..., str]) -> None:
    """A view of the target needs it: it stays as it was, which the log has said."""
    source, url = sqlite_file("source.db"), postgresql()
    execute(source, *OBJECTS[:3])
    execute(url, OBJECTS[0], "CREATE VIEW other AS SELECT id FROM parent")
    run = pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=REPLACE")
    assert run.code == 5
    assert 'ORA-39083: Object type TABLE:"public"."parent" failed to drop with error:' in run.out
    assert '. . failed: TABLE:"public"."parent"' in run.out
    counted = "9 = 4 moved + 1 converted + 1 there already + 3 failed"
    assert inventory(run.out)[0] == f"Inventory of the source's objects: {counted}"
    assert "MIG-20009" not in run.out


def test_a_table_whose_rows_an_export_cannot_read_has_failed(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    url = sqlite_file("source.db")
    execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "CREATE TABLE u (id INTEGER)", "INSERT INTO u VALUES (1)")
    run = pump("expdp", url, f"DIRECTORY={tmp_path}", 'QUERY=t:"WHERE nope = 1"')
    assert run.code == 5
    assert inventory(run.out)[0] == "Inventory of the source's objects: 4 = 3 moved + 1 failed"
    assert '. . failed: TABLE:"main"."t"' in run.out


def test_row_security_is_left_out_by_the_names_of_its_tables(postgresql: Callable[..., str]) -> None:
    """A table without its policies is not left with none that lets rows through."""
    source = postgresql()
    for name in "ab":
        execute(
            source,
            f"CREATE TABLE {name} (id integer)",
            f"CREATE POLICY same ON {name} USING (true)",
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        )
    query = "SELECT relname::text, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname IN ('a', 'b') ORDER BY 1"
    for leaving_out, policies, secured in (
        ("EXCLUDE=ROW_SECURITY:\"='b'\"", 2, [("a", True, True), ("b", False, False)]),
        ("EXCLUDE=POLICY", 0, [("a", False, False), ("b", False, False)]),
        ("EXCLUDE=POLICY:\"='b'\"", 2, [("a", True, True), ("b", True, True)]),
    ):
        url = postgresql()
        run = done(pump("impdp", url, f"NETWORK_LINK={source}", "NOLOGFILE=YES", leaving_out))
        assert rows(url, query) == secured
        assert scalar(url, "SELECT count(*) FROM pg_policy") == policies
        assert ("EXCLUDE=POLICY: the source has no b" in run.out) == (leaving_out == "EXCLUDE=POLICY:\"='b'\"")
