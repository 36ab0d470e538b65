"""Inheriting tables of PostgreSQL: the rows of each are its own, whatever becomes of those of the table it inherits from."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from migrator.ends import Database
from migrator.model.objects import QName
from tests.support.pump import done, pump
from tests.support.sql import execute, rows

BARRED = """CREATE FUNCTION bar() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
    IF to_regclass('public.p') IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'barred') THEN
        ALTER TABLE public.p ADD CONSTRAINT barred CHECK (id > 0) NO INHERIT;
    END IF;
END$$"""
"""Makes the target refuse rows that the source has."""


def test_truncate_leaves_the_rows_of_inheriting_tables(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE p (id int)", "INSERT INTO p VALUES (1)")
    execute(target, "CREATE TABLE p (id int)", "CREATE TABLE c () INHERITS (p)", "INSERT INTO c VALUES (7)")
    execute(target, "INSERT INTO p VALUES (5)")
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=TRUNCATE"))
    assert rows(target, "SELECT id FROM ONLY c") == [(7,)]
    assert rows(target, "SELECT id FROM ONLY p") == [(1,)]


def test_truncate_empties_the_partitions_of_a_table(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    for url in (source, target):
        execute(url, "CREATE TABLE p (id int) PARTITION BY LIST (id)", "CREATE TABLE one PARTITION OF p DEFAULT")
    execute(source, "INSERT INTO p VALUES (1)")
    execute(target, "INSERT INTO p VALUES (5)")
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=TRUNCATE"))
    assert rows(target, "SELECT id FROM p") == [(1,)]


def test_what_failed_is_undone_without_the_rows_of_inheriting_tables(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE p (id int)", "CREATE TABLE c (x int) INHERITS (p)")
    execute(source, "INSERT INTO p SELECT generate_series(1, 20000)", "INSERT INTO p VALUES (-1)")
    execute(source, "INSERT INTO c SELECT i, i FROM generate_series(1, 60000) i")
    execute(target, BARRED)
    execute(target, "CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION bar()")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "PARALLEL_THRESHOLD=64K")
    assert run.code == 5
    assert run.rows == {"c": 60000}
    assert rows(target, "SELECT count(*) FROM ONLY p") == [(0,)]
    assert rows(target, "SELECT count(*) FROM ONLY c") == [(60000,)]


def test_rows_are_counted_where_they_are(postgresql: Callable[..., str]) -> None:
    target = postgresql()
    execute(target, "CREATE TABLE p (id int)", "CREATE TABLE c () INHERITS (p)", "INSERT INTO c VALUES (7)")
    execute(target, "CREATE TABLE q (id int) PARTITION BY LIST (id)", "CREATE TABLE one PARTITION OF q DEFAULT")
    execute(target, 'CREATE TABLE "50%" (id int)', "INSERT INTO q VALUES (7)")
    database = Database(sa.make_url(target))
    with database.connect() as connection:
        counted = [database.adapter.count(connection, QName("public", name)) for name in ("p", "c", "q", "50%")]
    assert counted == [0, 1, 1, 0]


def test_a_table_comes_without_the_parent_whose_schema_is_not_asked_for(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.p (id int)")
    execute(source, "CREATE TABLE b.c (x int) INHERITS (a.p)", "INSERT INTO b.c VALUES (1, 2)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "SCHEMAS=b", "NOLOGFILE=YES"))
    assert [loss for loss in run.losses if loss.endswith("[inheritance]")] == [
        'TABLE:"b"."c": it does not inherit from tables that are not moved [inheritance]'
    ]
    assert rows(target, "SELECT id, x FROM b.c") == [(1, 2)]


def test_a_partition_stays_behind_by_name_where_the_schema_of_its_table_is_not_asked_for(
    postgresql: Callable[..., str],
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.p (id int) PARTITION BY LIST (id)")
    execute(source, "CREATE TABLE b.one PARTITION OF a.p DEFAULT", "CREATE TABLE b.t (id int)", "INSERT INTO a.p VALUES (1)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "SCHEMAS=b", "NOLOGFILE=YES"))
    (loss,) = (loss for loss in run.losses if loss.endswith("[partition-alone]"))
    assert 'TABLE:"b"."one": not carried, with its rows: it is a partition of "a"."p"' in loss
    assert 'unsupported: TABLE:"b"."one"' in run.out
    assert run.rows == {"t": 0}


def test_partitions_go_where_their_schema_goes_with_what_they_name(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE SCHEMA a", "CREATE SCHEMA b")
    execute(source, "CREATE FUNCTION b.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2'")
    execute(source, "CREATE TABLE a.p (id int) PARTITION BY LIST (b.f(id))")
    execute(source, "CREATE TABLE b.odd PARTITION OF a.p (CONSTRAINT own CHECK (b.f(id) > 0)) FOR VALUES IN (1)")
    execute(source, "INSERT INTO a.p VALUES (3)")
    link = (f"NETWORK_LINK={source}", "SCHEMAS=a,b", "REMAP_SCHEMA=a:x,b:y", "NOLOGFILE=YES")
    done(pump("impdp", target, *link))
    assert rows(target, "SELECT tableoid::regclass::text, id FROM x.p") == [("y.odd", 3)]
    assert rows(target, "SELECT pg_get_partkeydef('x.p'::regclass)") == [("LIST (y.f(id))",)]
    assert rows(target, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'own'") == [
        ("CHECK ((y.f(id) > 0))",)
    ]


def test_what_one_of_two_partitions_of_one_name_has_is_left_out_by_name(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE b.r (v int PRIMARY KEY)")
    execute(source, "CREATE TABLE a.p (id int, v int) PARTITION BY LIST (id)")
    execute(
        source, "CREATE TABLE a.x PARTITION OF a.p FOR VALUES IN (1)", "CREATE TABLE b.x PARTITION OF a.p FOR VALUES IN (2)"
    )
    execute(source, "CREATE INDEX i ON b.x (v)", "ALTER TABLE b.x ADD CONSTRAINT k FOREIGN KEY (v) REFERENCES b.r")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "SCHEMAS=a,b", "NOLOGFILE=YES"))
    told = 'TABLE:"a"."p": {} of partition "b"."x" is left out: another partition has its name [partition-only]'
    assert run.losses == [told.format("index i"), told.format("foreign key k")]
    assert rows(target, "SELECT tablename FROM pg_indexes WHERE indexname = 'i'") == []
    assert rows(target, "SELECT 1 FROM pg_constraint WHERE conname = 'k'") == []


def test_a_partition_whose_schema_is_not_asked_for_is_named(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.p (id int) PARTITION BY LIST (id)")
    execute(source, "CREATE TABLE b.one PARTITION OF a.p FOR VALUES IN (1)", "CREATE TABLE a.two PARTITION OF a.p DEFAULT")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "SCHEMAS=a", "NOLOGFILE=YES"))
    (loss,) = (loss for loss in run.losses if loss.endswith("[partition-elsewhere]"))
    assert loss == 'TABLE:"a"."p": partition "b"."one" is not made: its schema is not read [partition-elsewhere]'


def test_the_access_method_of_a_partition_is_named(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler")
    execute(source, "CREATE TABLE p (id int) PARTITION BY LIST (id)", "CREATE TABLE one PARTITION OF p DEFAULT USING other")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert 'TABLE:"public"."p": access method other of partition one is not carried [access-method]' in run.losses


def test_a_default_that_an_inheriting_table_has_no_more_does_not_come_back(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE p (id int DEFAULT 3, x text NOT NULL DEFAULT 'q')", "CREATE TABLE c () INHERITS (p)")
    execute(source, "ALTER TABLE c ALTER id DROP DEFAULT", "ALTER TABLE c ALTER x DROP DEFAULT")
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert rows(target, "SELECT count(*) FROM pg_attrdef WHERE adrelid = 'c'::regclass") == [(0,)]
    assert rows(target, "SELECT count(*) FROM pg_attrdef WHERE adrelid = 'p'::regclass") == [(2,)]


def test_who_declares_an_inherited_column_is_told_where_it_changes(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE p (id int, x int, y int, z int)", "CREATE TABLE c (x int, z int) INHERITS (p)")
    execute(source, "ALTER TABLE c ALTER y SET DEFAULT 7")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert run.losses == [
        'TABLE:"public"."c": columns "x", "z": that the table declares them too, and keeps them when the parent\'s are'
        " dropped, is not carried [inherited-column]",
        'TABLE:"public"."c": columns "y": that they are inherited only, and go when the parent\'s are dropped,'
        " is not carried [inherited-column]",
    ]
    execute(target, "ALTER TABLE p DROP COLUMN x", "ALTER TABLE p DROP COLUMN y", "ALTER TABLE p DROP COLUMN z")
    there = "SELECT column_name FROM information_schema.columns WHERE table_name = 'c'"
    assert sorted(rows(target, there)) == [("id",), ("y",)]
