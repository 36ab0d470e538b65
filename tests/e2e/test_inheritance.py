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
