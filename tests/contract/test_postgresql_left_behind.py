"""What PostgreSQL has and no job makes: every thing of it is named, and counted as unsupported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump
from tests.support.sql import execute, for_version, outside_transactions, scalar, version_at

LEFT = {
    "CREATE FOREIGN DATA WRAPPER w": 'FOREIGN_DATA_WRAPPER:"w"',
    "CREATE SERVER far FOREIGN DATA WRAPPER w": 'FOREIGN_SERVER:"far"',
    "CREATE USER MAPPING FOR PUBLIC SERVER far": 'USER_MAPPING:"public at far"',
    "CREATE FOREIGN TABLE away (id integer) SERVER far": 'FOREIGN_TABLE:"public"."away"',
    "CREATE TABLE t (id integer, other integer)": "",
    "CREATE TABLE p (id integer) PARTITION BY LIST (id)": "",
    "CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER far": 'FOREIGN_TABLE:"public"."p1"',
    "CREATE TABLE x (r int4range)": "",
    "CREATE STATISTICS s ON id, other FROM t": 'STATISTICS:"public"."s"',
    "CREATE COLLATION plain (locale = 'C')": 'COLLATION:"public"."plain"',
    "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1": 'CONVERSION:"public"."c"',
    "CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, PROCEDURE = int4eq)":
        'OPERATOR:"public"."===(integer, integer)"',
    "CREATE OPERATOR FAMILY f USING btree": 'OPERATOR_FAMILY:"public"."f"',
    "CREATE OPERATOR CLASS k FOR TYPE integer USING btree FAMILY f AS OPERATOR 3 =": 'OPERATOR_CLASS:"public"."k"',
    "CREATE TEXT SEARCH CONFIGURATION tc (COPY = simple)": 'TEXT_SEARCH_CONFIGURATION:"public"."tc"',
    "CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = simple)": 'TEXT_SEARCH_DICTIONARY:"public"."td"',
    "CREATE TEXT SEARCH TEMPLATE tt (LEXIZE = dsimple_lexize)": 'TEXT_SEARCH_TEMPLATE:"public"."tt"',
    "CREATE TEXT SEARCH PARSER tp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)":
        'TEXT_SEARCH_PARSER:"public"."tp"',
    "CREATE ACCESS METHOD am TYPE TABLE HANDLER heap_tableam_handler": 'ACCESS_METHOD:"am"',
    "CREATE TYPE mood AS ENUM ('a')": "",
    "CREATE CAST (mood AS integer) WITH INOUT": 'CAST:"public.mood AS integer"',
    "SELECT lo_create(7)": 'LARGE_OBJECT:"7"',
    "CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'": "",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION et()": 'EVENT_TRIGGER:"e"',
    "CREATE PUBLICATION every FOR ALL TABLES": 'PUBLICATION:"every"',
    "CREATE PUBLICATION two FOR TABLE t, x": 'PUBLICATION:"two"',
    "/*!15 CREATE PUBLICATION within FOR TABLES IN SCHEMA public*/": 'PUBLICATION:"within"',
    "CREATE PUBLICATION nothing": 'PUBLICATION:"nothing"',
    "GRANT SELECT ON t TO PUBLIC": 'GRANT:"public"."t"',
    "GRANT SELECT (id) ON p TO PUBLIC": 'GRANT:"public"."p.id"',
    "REVOKE USAGE ON SCHEMA public FROM PUBLIC": 'GRANT:"public"',
    "REVOKE USAGE ON TYPE mood FROM PUBLIC": 'GRANT:"public"."mood"',
    "REVOKE EXECUTE ON FUNCTION et() FROM PUBLIC": 'GRANT:"public"."et()"',
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC":
        'DEFAULT_PRIVILEGES:"public"."of postgres on tables"',
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC": 'DEFAULT_PRIVILEGES:"of postgres on functions"',
    "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET work_mem = 4096'; END $$":
        'SETTINGS:"of every role in {database}"',
    "DO $$ BEGIN EXECUTE 'COMMENT ON DATABASE ' || current_database() || $c$ IS 'the shop'$c$; END $$":
        'DATABASE_COMMENT:"{database}"',
}  # fmt: skip
"""Statements, and what logs call the thing that each makes and no job does; empty: nothing of that kind."""


@pytest.mark.parametrize("version", [16, 18])
def test_everything_that_is_left_behind_is_named(version: int, postgresql: Callable[..., str], tmp_path: Path) -> None:
    source, target = postgresql(version), postgresql(version)
    execute(source, *LEFT)
    asked = ("CONTENT=METADATA_ONLY", f"DIRECTORY={tmp_path}", "LEDGER=ledger.json", "NOLOGFILE=YES")
    run = pump("impdp", target, f"NETWORK_LINK={source}", *asked)
    assert run.code == 0, run.out
    made = [name for statement, name in LEFT.items() if name and for_version(statement, version_at(source))]
    named = {name.format(database=sa.make_url(source).database) for name in made}
    unsupported = re.findall(r"^\. \. unsupported: (.*)$", run.out, re.M)
    assert set(unsupported) == named
    assert len(unsupported) == len(named)
    assert f"+ {len(named)} unsupported" in run.out
    entries = {entry["object"] for entry in json.loads((tmp_path / "ledger.json").read_text())["entries"]}
    assert entries >= named


def test_what_is_left_behind_goes_with_what_it_belongs_to(postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = postgresql()
    execute(url, *LEFT)
    link = (f"NETWORK_LINK={url}", "NOLOGFILE=YES", "CONTENT=METADATA_ONLY", "SQLFILE=x.sql", f"DIRECTORY={tmp_path}")
    run = done(pump("impdp", "postgresql:", *link, "TABLES=t"))
    assert set(re.findall(r"unsupported: (.*)", run.out)) == {'GRANT:"public"."t"', 'STATISTICS:"public"."s"'}
    run = done(pump("impdp", "postgresql:", *link, "EXCLUDE=TABLE:\"= 't'\""))
    left = set(re.findall(r"unsupported: (.*)", run.out))
    assert left.isdisjoint({'GRANT:"public"."t"', 'STATISTICS:"public"."s"'})
    assert left >= {'GRANT:"public"', 'FOREIGN_TABLE:"public"."away"', 'PUBLICATION:"two"'}


def test_an_index_that_was_not_finished_is_named(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1), (1)")
    with pytest.raises(sa.exc.IntegrityError):
        outside_transactions(source, "CREATE UNIQUE INDEX CONCURRENTLY twice ON t (a)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert re.findall(r"unsupported: (.*)", run.out) == ['INVALID_INDEX:"public"."twice"']


def test_an_index_is_named_once_for_all_of_its_expressions_and_no_more_where_it_is_left_out(
    postgresql: Callable[..., str],
) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (a integer, b integer)",
        "CREATE INDEX i ON t ((a + 1), (b + 1)) WITH (fillfactor = 50)",
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 7",
        "ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 7",
        "INSERT INTO t VALUES (1, 1), (1, 1)",
    )
    with pytest.raises(sa.exc.IntegrityError):
        outside_transactions(source, "CREATE UNIQUE INDEX CONCURRENTLY twice ON t (a) WITH (fillfactor = 50)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert sorted(loss.partition(": ")[2] for loss in run.losses) == [
        'not carried: of TABLE:"public"."t" [invalid-index]',
        "storage parameters of i are not carried: fillfactor=50 [index-options]",
        "the statistics target of index i is not carried [index-options]",
    ]


def test_what_belongs_to_an_extension_without_being_a_part_of_it_is_named(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE EXTENSION vector", "CREATE SCHEMA made", "CREATE TABLE made.own (id integer)")
    execute(source, "ALTER EXTENSION vector ADD SCHEMA made", "CREATE TABLE t (id integer)")
    execute(source, "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    execute(source, "ALTER FUNCTION f() DEPENDS ON EXTENSION vector")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "FULL=YES"))
    told = [loss for loss in run.losses if loss.startswith("EXTENSION_")]
    assert told == [
        'EXTENSION_DEPENDENCY:"public"."function public.f()": not carried: on vector [extension-dependency]',
        'EXTENSION_SCHEMA:"made": not carried: 1 tables in it that the extension has not made [extension-schema]',
    ]


def test_a_full_export_names_the_roles_and_tablespaces_of_the_server(postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = postgresql()
    name = str(sa.make_url(url).database)
    group, user, space = f"{name}_group", f"{name}_user", f"{name}_space"
    execute(url, "CREATE TABLE t (id integer)", f"CREATE ROLE {group}", f"CREATE ROLE {user} LOGIN IN ROLE {group}")
    in_place = sa.make_url(url).update_query_dict({"options": "-c allow_in_place_tablespaces=on"})
    outside_transactions(in_place, f"CREATE TABLESPACE {space} LOCATION ''")
    where = (f"NETWORK_LINK={url}", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    try:
        full = done(pump("impdp", "postgresql:", *where, "SQLFILE=full.sql", "FULL=YES"))
        schema = done(pump("impdp", "postgresql:", *where, "SQLFILE=schema.sql"))
        number = scalar(url, f"SELECT oid FROM pg_tablespace WHERE spcname = '{space}'")
    finally:
        execute(url, f"DROP ROLE {user}", f"DROP ROLE {group}")
        outside_transactions(url, f"DROP TABLESPACE {space}")
    assert [loss for loss in full.losses if name in loss] == [
        f'ROLE:"{group}": not carried [role]',
        f'ROLE:"{user}": not carried: may log in, a member of {group} [role]',
        f'TABLESPACE:"{space}": not carried: in pg_tblspc/{number} [tablespace]',
    ]
    assert f'. . unsupported: ROLE:"{user}"' in full.out
    assert [loss for loss in schema.losses if name in loss] == []
