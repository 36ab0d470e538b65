"""Rows that a PostgreSQL server selects from another by postgres_fdw: exact, of one state, once, and nothing left behind."""

from __future__ import annotations

import io
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from dialects.postgresql import links
from migrator import operations
from migrator.access import RULES
from migrator.errors import ConnectionLost
from migrator.operations import NoProgress
from migrator.spec import JobSpec
from tests.e2e.test_plan import plan
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.literals import POSTGRESQL, POSTGRESQL_SETUP
from tests.support.meddling import Meddler
from tests.support.pump import Run, done, pump
from tests.support.rows import assert_same_rows, tables_of
from tests.support.servers import Servers, libpq
from tests.support.sql import execute, outside_transactions, rows, scalar

Fresh = Callable[[], str]

ASKED = "ACCESS_METHOD=INSERT_AS_SELECT"
JOB = "FOREIGN"
SENTENCES = {rule.name: rule.sentence for rule in RULES}
PLAIN = ("CREATE TABLE t (id integer, v text)", "INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')")


def linked(source: str, target: str, *arguments: str) -> Run:
    """An import over a link that asks for the target's server to select the rows."""
    return pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "METRICS=YES", ASKED, *arguments)


def left_behind(url: str) -> list[tuple[object, ...]]:
    """What there is of foreign servers, mappings and tables."""
    found = rows(url, "SELECT srvname FROM pg_foreign_server UNION ALL SELECT umoptions::text FROM pg_user_mapping")
    return found + rows(url, "SELECT relname FROM pg_class WHERE relkind = 'f'")


# --- values ---------------------------------------------------------------------------------------------------------

OTHERS = {
    "money": ("-92233720368547758.08", "92233720368547758.07", "0.01"),
    "name": ("a b", ""),
    "xml": ('<?xml version="1.0" encoding="UTF-8"?><a>é</a>', "a<b/> ", "<a>&lt;</a>"),
    "bpchar": ("a ", ""),
    "real[]": ("{NaN,-0,1e-45,NULL}", "[-1:0]={1,2}"),
    "box[]": ("{(1,2),(3,4);(0.1,1e300),(-1,-0)}",),
    "mood[]": ('{sad,"o\'k",NULL}',),
    "posint[]": ("{1,2}",),
    "point": ("(0.1,-1e-300)", "(NaN,Infinity)"),
    "path": ("[(0,0),(1,1)]", "((0,0),(1,1))"),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "tsvector": ("'it''s':1A,3 'a\\b' 'Ünï':2",),
    "tsquery": ("'a' & !'b' <2> 'c':*A",),
    "int4range": ("empty", "(,5]", "[3,)"),
    "tstzrange": ('["2024-01-01 00:00:00+02",infinity)',),
    "int8multirange": ("{[1,3),[5,)}", "{}"),
    "interval day to second(2)": ("-3 days 04:05:06.78",),
    "interval minute": ("00:05:00", "-26:07:00"),
    "interval year": ("-12 years",),
    "pg_lsn": ("16/B374D848",),
    "oid": ("4294967295",),
    "birthday[]": ("{infinity,0044-03-15 BC}",),
}


def test_every_value_is_the_one_that_a_stream_brings(with_fdw: Fresh) -> None:
    source, target, streamed = with_fdw(), with_fdw(), with_fdw()
    held = [(item.declaration, item.odd) for item in POSTGRESQL if item.odd]
    held += [
        (declaration, tuple("'" + v.replace("'", "''") + "'" for v in values)) for declaration, values in OTHERS.items()
    ]
    execute(source, *POSTGRESQL_SETUP)
    for number, (declaration, values) in enumerate(held):
        listed = ", ".join(f"({n}, CAST({value} AS {declaration}), 'w\\')" for n, value in enumerate((*values, "NULL")))
        execute(
            source, f"CREATE TABLE s{number} (id integer, v {declaration}, w text)", f"INSERT INTO s{number} VALUES {listed}"
        )
    run = done(linked(source, target, "VERIFY=YES"))
    assert run.out.count("using insert_as_select") == len(held)
    done(pump("impdp", streamed, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    for number, (declaration, _) in enumerate(held):
        query = f"SELECT t::text FROM s{number} t ORDER BY id"
        expected = rows(source, query)
        assert rows(target, query) == expected, declaration
        assert rows(streamed, query) == expected, declaration
    assert left_behind(target) == []


def test_money_and_dates_do_not_depend_on_what_the_source_is_set_to(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    name = sa.make_url(source).database
    settings = (
        *("lc_monetary = 'C.UTF-8'", "datestyle = 'German'", "intervalstyle = 'sql_standard'", "timezone = 'Asia/Tokyo'"),
        *("bytea_output = 'escape'", "extra_float_digits = -5"),
    )
    execute(source, "CREATE TABLE t (m money, d date, i interval, z timestamptz, b bytea, f float8)")
    execute(source, "INSERT INTO t VALUES (1234.5, '2024-02-03', '-1 day 2 hours', now(), '\\x00ff5c', 0.1::float8 + 0.2)")
    query = "SELECT m::numeric, d, i::text, z, b, f::numeric FROM t"
    expected = rows(source, query)
    execute(source, *(f"ALTER DATABASE {name} SET {setting}" for setting in settings))
    done(linked(source, target))
    assert rows(target, query) == expected


@pytest.mark.parametrize(
    ("before", "declared", "value"),
    [
        ("CREATE TYPE pair AS (a integer, b text)", "pair", "'(1,x)'"),
        ("CREATE TYPE pair AS (a integer, b text)", "pair[]", "'{}'"),
        ("CREATE TYPE span AS RANGE (subtype = float8)", "span", "'[1,2)'"),
        ("SELECT 1", "regclass", "'pg_class'"),
        ("SELECT 1", '"char"', "'x'"),
    ],
)
def test_types_whose_text_depends_on_the_database_are_streamed_or_refused(
    before: str, declared: str, value: str, with_fdw: Fresh
) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, before, f"CREATE TABLE t (v {declared})", f"INSERT INTO t VALUES ({value})")
    run = linked(source, target)
    assert run.code == 1
    assert f"rule link-uncertain: {SENTENCES['link-uncertain']} (v is of type " in run.err
    assert tables_of(target) == []


# --- tables ---------------------------------------------------------------------------------------------------------

ODD = (
    "CREATE TABLE always (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)",
    "CREATE TABLE computed (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, gone integer, b text)",
    "ALTER TABLE computed DROP COLUMN gone",
    'CREATE TABLE "odd ""name%s" ("select" integer, "a \'b" text, "%(x)s" text)',
    "CREATE TABLE nothing ()",
    "CREATE TABLE hollow (a integer)",
    "CREATE TABLE cut (id integer, v text) PARTITION BY RANGE (id)",
    "CREATE TABLE cut_1 PARTITION OF cut FOR VALUES FROM (0) TO (2000)",
    "CREATE TABLE cut_2 PARTITION OF cut DEFAULT",
    "CREATE TABLE parent (id integer PRIMARY KEY)",
    "CREATE TABLE child (id integer REFERENCES parent, v varchar(9) UNIQUE)",
    "INSERT INTO always OVERRIDING SYSTEM VALUE SELECT n, repeat('x', n % 50) FROM generate_series(-5, 4000) n",
    "SELECT setval('always_id_seq', 4000)",
    "INSERT INTO computed (a, b) SELECT n, 'b' || n FROM generate_series(1, 9) n",
    """INSERT INTO "odd ""name%s" VALUES (1, 'b', '%')""",
    "INSERT INTO nothing DEFAULT VALUES",
    "INSERT INTO nothing DEFAULT VALUES",
    "INSERT INTO cut SELECT n, 'v' || n FROM generate_series(1, 5000) n",
    "INSERT INTO parent VALUES (1), (2)",
    "INSERT INTO child VALUES (1, 'a'), (NULL, 'b')",
)


@pytest.mark.parametrize("size", [("PARALLEL_THRESHOLD=40K", "PARALLEL=3"), ()], ids=["granules", "whole"])
def test_tables_of_every_kind_are_selected(size: tuple[str, ...], with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *ODD)
    run = done(linked(source, target, *size, "VERIFY=YES"))
    assert run.out.count("using insert_as_select") == len(run.rows) == 8
    assert run.rows["nothing"] == 2
    assert_same_rows(source, target)
    execute(target, "INSERT INTO always (v) VALUES ('next')")
    assert scalar(target, "SELECT max(id) FROM always") == 4001
    assert left_behind(target) == []


def test_a_granule_is_read_by_its_blocks_at_the_source(with_fdw: Fresh) -> None:
    """Its condition is the source's to check, which has an access path for it."""
    source, target = with_fdw(), with_fdw()
    execute(source, "CREATE TABLE t (id integer)")
    url = sa.make_url(source)
    with psycopg.connect(libpq(sa.make_url(target))) as connection:
        connection.execute(f"CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{url.query['host']}')")
        connection.execute(
            "CREATE FOREIGN TABLE pg_temp.f (id integer) SERVER s OPTIONS (schema_name 'public', table_name 't')"
        )
        where = "ctid >= '(1,0)'::pg_catalog.tid AND ctid < '(2,0)'::pg_catalog.tid"
        for query in ("SELECT id FROM pg_temp.f WHERE", "SELECT count(*) FROM pg_temp.f WHERE"):
            explained = "\n".join(line for (line,) in connection.execute(f"EXPLAIN (VERBOSE) {query} {where}".encode()))
            assert re.search(r"Remote SQL: .* WHERE \(\(ctid >= '\(1,0\)'.*AND \(\(ctid < '\(2,0\)'", explained)
            assert "Filter" not in explained


def test_a_plain_link_is_a_stream(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "METRICS=YES"))
    assert "using network_link" in run.out


def test_what_acts_on_rows_acts_on_these(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    log = (
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END'"
    )
    execute(target, PLAIN[0], "CREATE UNIQUE INDEX ON t (id)", "CREATE TABLE seen (id integer)", log)
    execute(target, "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION log()")
    run = done(linked(source, target, "TABLE_EXISTS_ACTION=APPEND", "TABLES=t"))
    assert "using insert_as_select" in run.out
    assert rows(target, "SELECT id FROM seen ORDER BY id") == [(1,), (2,), (3,)]
    again = linked(source, target, "TABLE_EXISTS_ACTION=APPEND", "TABLES=t")
    assert again.code == 5
    assert "duplicate key value" in again.out
    assert scalar(target, "SELECT count(*) FROM t") == 3


def test_rows_that_a_trigger_leaves_out_are_missed(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    execute(target, PLAIN[0], "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    execute(target, "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION nothing()")
    run = linked(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5
    assert "3 rows were sent, the database reports 2 (a trigger or rule left rows out?)" in run.out
    assert rows(target, "SELECT * FROM t") == []
    assert left_behind(target) == []


def test_types_that_are_objects_may_lie_in_another_schema(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    types = ("CREATE TYPE app.mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN app.small AS integer CHECK (VALUE < 9)")
    execute(source, "CREATE SCHEMA app", *types, "CREATE TABLE app.t (m app.mood, many app.mood[], n app.small)")
    execute(source, "INSERT INTO app.t VALUES ('ok', '{sad,NULL}', 8), (NULL, NULL, NULL)")
    run = done(linked(source, target, "SCHEMAS=app", "REMAP_SCHEMA=app:moved"))
    assert "using insert_as_select" in run.out
    assert rows(target, "SELECT t::text FROM moved.t ORDER BY 1") == rows(source, "SELECT t::text FROM app.t ORDER BY 1")


@pytest.fixture
def of_encoding(with_fdw: Fresh, servers: Servers) -> Iterator[Callable[[str], str]]:
    """``of_encoding("LATIN1")``: the URL of a fresh database with texts in that character set, and postgres_fdw."""
    made: list[str] = []

    def make(encoding: str) -> str:
        server, name = servers.postgresql_with_fdw(), f"{uuid.uuid4().hex}"
        outside_transactions(server.url, f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}'")
        made.append(name)
        of_texts = server.url.set(database=name).update_query_dict({"client_encoding": "utf8"})
        url = of_texts.render_as_string(hide_password=False)
        execute(url, "CREATE EXTENSION postgres_fdw")
        return url

    yield make
    for name in made:
        servers.postgresql_with_fdw().drop(name)


def test_texts_are_converted_between_character_sets_or_refused(with_fdw: Fresh, of_encoding: Callable[[str], str]) -> None:
    utf8, latin = with_fdw(), of_encoding("LATIN1")
    execute(latin, "CREATE TABLE t (v text)", "INSERT INTO t VALUES (chr(233) || chr(255))")
    done(linked(latin, utf8))
    assert rows(utf8, "SELECT v FROM t") == [("éÿ",)]
    there = of_encoding("LATIN1")
    done(linked(utf8, there))
    assert rows(there, "SELECT encode(v::bytea, 'hex') FROM t") == [("e9ff",)]
    execute(utf8, "INSERT INTO t VALUES ('€')")
    run = linked(utf8, there, "TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 5
    assert 'has no equivalent in encoding "LATIN1"' in run.out
    assert rows(there, "SELECT * FROM t") == []


def test_texts_of_no_character_set_are_left_to_the_stream(with_fdw: Fresh, of_encoding: Callable[[str], str]) -> None:
    utf8, ascii_ = with_fdw(), of_encoding("SQL_ASCII")
    execute(utf8, *PLAIN)
    refused(linked(utf8, ascii_), ascii_, "rule link-reach", "texts are not converted from UTF8 to SQL_ASCII")
    execute(ascii_, *PLAIN)
    target = with_fdw()
    refused(linked(ascii_, target), target, "rule link-reach", "texts are not converted from SQL_ASCII to UTF8")


# --- what bars it ---------------------------------------------------------------------------------------------------


def refused(run: Run, target: str, *why: str) -> None:
    """The method is refused before anything is made."""
    assert run.code == 1
    assert "ORA-31696" in run.err
    for words in why:
        assert words in run.err
    assert tables_of(target) == []


def test_without_the_extension_or_the_right_to_use_it_nothing_is_made(with_fdw: Fresh, servers: Servers) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    execute(target, "DROP EXTENSION postgres_fdw", "DROP ROLE IF EXISTS modest", "CREATE ROLE modest LOGIN")
    refused(linked(source, target), target, "rule link-reach", "no postgres_fdw, which a superuser adds: CREATE EXTENSION")
    execute(target, "CREATE EXTENSION postgres_fdw", "GRANT CREATE ON SCHEMA public TO modest")
    modest = sa.make_url(target).set(username="modest").render_as_string(hide_password=False)
    refused(linked(source, modest), target, "modest may not use postgres_fdw: GRANT USAGE ON FOREIGN DATA WRAPPER")
    execute(target, "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO modest")
    refused(linked(source, modest), target, "password", "the target's server says")


def test_a_user_who_may_not_keep_writers_away_is_refused(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN", "GRANT SELECT ON t TO reader")
    reader = sa.make_url(source).set(username="reader").render_as_string(hide_password=False)
    why = "the source's tables cannot be locked against writers: permission denied for table t"
    refused(linked(reader, target), target, "rule link-reach", why)
    shown = plan("impdp", target, f"NETWORK_LINK={reader}", ASKED)
    assert shown.code == 1
    assert why in shown.err
    done(pump("impdp", target, f"NETWORK_LINK={reader}", "NOLOGFILE=YES"))
    assert scalar(target, "SELECT count(*) FROM t") == 3


def test_what_no_select_of_a_foreign_table_leaves_out_is_refused(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN, "CREATE TABLE heir () INHERITS (t)", "INSERT INTO heir VALUES (4, 'd')")
    refused(linked(source, target), target, "rule link-uncertain", "the rows of heir, which inherits from it, would come")
    done(linked(source, target, "TABLES=heir"))
    assert rows(target, "SELECT id FROM heir") == [(4,)]


def test_a_partition_that_lies_elsewhere_is_refused(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(
        source, "CREATE TABLE t (id integer) PARTITION BY LIST (id)", "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw"
    )
    execute(source, "CREATE FOREIGN TABLE far PARTITION OF t FOR VALUES IN (1) SERVER s")
    refused(linked(source, target), target, "rule link-uncertain", "its partition far is a foreign table")


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["QUERY=t:WHERE id > 1"], "link-query"),
        (["DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS"], "link-looked-at"),
        (["COLUMN_TYPE=t.v:json"], "link-converted"),
    ],
)
def test_what_the_job_asks_besides_may_bar_it(options: list[str], rule: str, with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    refused(linked(source, target, *options), target, f"rule {rule}")


@pytest.mark.parametrize("declared", ["id bigint, v text", "id integer, v varchar(9)"])
def test_a_column_that_is_declared_otherwise_is_refused(declared: str, with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    execute(target, f"CREATE TABLE t ({declared})")
    run = linked(source, target, "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 1
    assert "rule link-converted" in run.err


def test_rows_that_a_policy_hides_are_an_error(with_fdw: Fresh) -> None:
    source, target = with_fdw(), with_fdw()
    execute(
        source, *PLAIN, "DROP ROLE IF EXISTS watched", "CREATE ROLE watched LOGIN", "GRANT SELECT, UPDATE ON t TO watched"
    )
    execute(source, "CREATE POLICY few ON t USING (id = 1)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    watched = sa.make_url(source).set(username="watched").render_as_string(hide_password=False)
    run = linked(watched, target)
    assert run.code == 5
    assert 'query would be affected by row-level security policy for table "t"' in run.out
    assert rows(target, "SELECT * FROM t") == []


# --- one state ------------------------------------------------------------------------------------------------------


def meddled(source: str, target: str, directory: Path, *statements: str) -> tuple[int, str, Meddler]:
    """A job, somebody who meddles with its source, and what it said."""
    meddler, out = Meddler(source, *statements), io.StringIO()
    spec = JobSpec("IMPORT", "SCHEMA", target, directory, network_link=source, access_method="INSERT_AS_SELECT")
    return operations.run(spec, sa.make_url, out, meddler), out.getvalue(), meddler


@pytest.mark.parametrize("change", ["INSERT INTO t VALUES (4, 'd')", "TRUNCATE t", "DELETE FROM t"])
def test_writers_wait_while_the_target_selects(change: str, with_fdw: Fresh, tmp_path: Path) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    code, out, meddler = meddled(source, target, tmp_path, "SET lock_timeout = '500ms'", change)
    assert code == 0, out
    assert "lock timeout" in meddler.refused
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
    execute(source, change)  # nothing stays locked


class Waiter(NoProgress):
    """Wants a table of the source for itself the moment before the first row is read, and waits for it."""

    def __init__(self, url: str, statement: str) -> None:
        self.thread = threading.Thread(target=execute, args=(url, statement))
        self.url = url

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        self.thread.start()
        until(lambda: scalar(self.url, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)


def test_who_waits_for_a_table_does_not_keep_the_job_for_ever(
    with_fdw: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far session waits behind the waiter, who waits for the job: the server does not see that they are a circle."""
    monkeypatch.setitem(links._SETTINGS, "lock_timeout", "300")
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    waiter, out = Waiter(source, "TRUNCATE t"), io.StringIO()
    spec = JobSpec("IMPORT", "SCHEMA", target, tmp_path, network_link=source, access_method="INSERT_AS_SELECT")
    assert operations.run(spec, sa.make_url, out, waiter) == 5
    waiter.thread.join()
    assert "canceling statement due to lock timeout" in out.getvalue()
    assert rows(target, "SELECT * FROM t") == []


def test_a_lock_that_is_gone_ends_the_job_before_a_second_state_comes_in(with_fdw: Fresh, tmp_path: Path) -> None:
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    holders = "SELECT DISTINCT pid FROM pg_locks WHERE mode = 'ShareLock' AND relation = 't'::regclass"
    ended_it = f"SELECT pg_terminate_backend(pid) FROM ({holders}) h"
    with pytest.raises(ConnectionLost, match="the session that locked its tables is gone"):
        meddled(source, target, tmp_path, ended_it, "SELECT pg_sleep(0.2)", "INSERT INTO t VALUES (4, 'd')")
    assert scalar(source, "SELECT count(*) FROM t") == 4
    assert rows(target, "SELECT * FROM t") == []


def test_a_lock_that_somebody_has_for_long_is_named(with_fdw: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_WAIT", "200ms")
    source, target = with_fdw(), with_fdw()
    execute(source, *PLAIN)
    with psycopg.connect(libpq(sa.make_url(source))) as writer:
        writer.execute("UPDATE t SET v = 'x'")
        run = linked(source, target)
    assert run.code == 1
    assert "MIG-00054" in run.err
    assert "others have written to a table for 200ms" in run.err


# --- killed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_a_job_that_was_killed_goes_on_and_leaves_nothing_behind(workers: int, with_fdw: Fresh, tmp_path: Path) -> None:
    """Another session has inserted a row, and not yet thought better of it: there the job waits to be killed."""
    source, target = with_fdw(), with_fdw()
    for url in (source, target):
        execute(url, "CREATE TABLE big (id integer PRIMARY KEY, v char(40))")
    execute(source, "INSERT INTO big SELECT n, 'some text' FROM generate_series(1, 100000) n")
    link = (f"NETWORK_LINK={source}", ASKED, f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=256K", f"PARALLEL={workers}")
    recorded = Recorded.of(target, JOB)
    with (
        closing(psycopg.connect(libpq(sa.make_url(target)))) as other,
        ended(begin("impdp", target, *link, "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND", cwd=tmp_path)) as process,
    ):
        other.execute("INSERT INTO big VALUES (60000, 'another text')")
        until(lambda: process.poll() is not None or recorded.granules_done() > 3, "granules")
        assert left_behind(target) == []
        assert "completed" not in kill(process)
    until(lambda: not rows(source, "SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND relation = 'big'::regclass"))
    assert left_behind(target) == []
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, JOB, link=source)
    assert again.returncode == 0, again.stdout
    assert_same_rows(source, target)
    assert left_behind(target) == []


# --- two servers, and users who are nobody special ------------------------------------------------------------------


def test_a_user_with_a_password_reads_another_server(with_fdw: Fresh, servers: Servers) -> None:
    target, other = with_fdw(), servers.private_postgresql_with_fdw()
    try:
        source = other.fresh().render_as_string(hide_password=False)
        user = ("DROP ROLE IF EXISTS app", "CREATE ROLE app LOGIN PASSWORD 's3cr et''s' IN ROLE asked")
        execute(source, *user, *PLAIN, "ALTER TABLE t OWNER TO app")
        execute(
            target, *user, "GRANT CREATE ON SCHEMA public TO app", "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO app"
        )
        here, there = (
            sa.make_url(url).set(username="app", password="s3cr et's").render_as_string(hide_password=False)
            for url in (source, target)
        )
        with psycopg.connect(libpq(sa.make_url(target)), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET log_statement = 'ddl'")
            admin.execute("SELECT pg_reload_conf()")
        run = done(linked(here, there))
        assert "using insert_as_select" in run.out
        assert_same_rows(source, target)
        logged = (Path(sa.make_url(target).query["host"]) / "log").read_text()
        assert "CREATE SERVER migrator_link_" in logged
        assert "s3cr" not in logged.split("CREATE SERVER migrator_link_")[1] + run.out
        wrong = sa.make_url(here).set(password="wrong").render_as_string(hide_password=False)
        assert linked(wrong, there).code == 1
    finally:
        outside_transactions(target, "ALTER SYSTEM RESET log_statement")
        other.stop()
