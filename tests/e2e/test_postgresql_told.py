"""What a job of PostgreSQL cannot carry is in its loss list: each thing once, and nothing that is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump
from tests.support.sql import execute, rows, version_at

TABLE = 'TABLE:"public"."t"'
TOLD = {
    ("CREATE TABLE t (a integer, b integer)", "CREATE INDEX i ON t (a, lower(b::text)) WITH (fillfactor = 50)"): (
        f"{TABLE}: storage parameters of i are not carried: fillfactor=50 [index-options]",
    ),
    ("CREATE TABLE t (a integer PRIMARY KEY)", "CLUSTER t USING t_pkey"): (
        f"{TABLE}: that t_pkey is the table's CLUSTER index is not carried [clustered]",
    ),
    ("CREATE TABLE t (a integer)", "CREATE INDEX i ON t ((a + 1))", "ALTER INDEX i ALTER 1 SET STATISTICS 7"): (
        f"{TABLE}: the statistics target of index i is not carried [index-options]",
    ),
    ("CREATE DOMAIN d AS integer CONSTRAINT k CHECK (VALUE > 0)", "COMMENT ON CONSTRAINT k ON DOMAIN d IS 'positive'"): (
        'DOMAIN:"public"."d": the comment on k is not carried [constraint-comment]',
    ),
    (
        "CREATE TABLE t (a integer) PARTITION BY LIST (a)",
        "CREATE TABLE t1 PARTITION OF t (CONSTRAINT k CHECK (a > 0)) FOR VALUES IN (1)",
        "COMMENT ON CONSTRAINT k ON t1 IS 'positive'",
        "CREATE INDEX i ON ONLY t (a)",
    ): (
        f"{TABLE}: index i is made on every partition (at the source, ON ONLY the table and some partitions) [index-only]",
        f"{TABLE}: the comment on k of partition t1 is not carried [constraint-comment]",
    ),
    ("CREATE TABLE t (a integer CONSTRAINT k PRIMARY KEY)", "COMMENT ON INDEX k IS 'one'"): (
        f"{TABLE}: the comment on the index of k is not carried [constraint-comment]",
    ),
    ("CREATE UNLOGGED SEQUENCE s",): ('SEQUENCE:"public"."s": that it is UNLOGGED is not carried [unlogged]',),
    (
        "CREATE TABLE p (a integer)",
        "CREATE TABLE q (b integer)",
        "CREATE TABLE t (c integer) INHERITS (p, q)",
        "ALTER TABLE p ADD z integer",
    ): tuple(f'{TABLE}."{name}": it comes at another place among the columns [column-order]' for name in ("b", "c", "z")),
    (
        "CREATE TABLE t (a integer PRIMARY KEY, b integer CONSTRAINT k REFERENCES t)",
        "ALTER TABLE t DISABLE TRIGGER ALL",
    ): (f"{TABLE}: constraint k is checked (at the source, triggers of it are disabled or fire otherwise) [trigger-state]",),
    ("CREATE TABLE t (a integer, body oid)", "SELECT lo_create(7)"): (
        f'{TABLE}."body": identifiers are carried, the large objects that they may be of are not [large-object]',
    ),
    (
        "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY)",
        "COMMENT ON SEQUENCE t_a_seq IS 'numbers'",
    ): (f'{TABLE}."a": the comment on its sequence is not carried [sequence-comment]',),
    ("CREATE COLLATION plain (locale = 'C')", "CREATE TYPE t AS (a text COLLATE plain)"): (
        'TYPE:"public"."t"."a": collation "public"."plain" is not carried [collation]',
    ),
    (
        "CREATE TABLE t (a integer, b text) PARTITION BY LIST (a)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)",
        "ALTER TABLE t1 REPLICA IDENTITY FULL, ALTER b SET STORAGE PLAIN",
        "CREATE INDEX i ON t (a)",
        "COMMENT ON INDEX t1_a_idx IS 'one'",
    ): (
        f"{TABLE}: the replica identity of partition t1 is not carried [replica-identity]",
        f'{TABLE}."b": storage, compression or statistics options of partition t1 are not carried [column-storage]',
        f"{TABLE}: the comment of index t1_a_idx of a partition is not carried [comment]",
    ),
    ("CREATE MATERIALIZED VIEW t AS SELECT 1 AS a", "ALTER MATERIALIZED VIEW t ALTER a SET STATISTICS 7"): (
        'MATERIALIZED_VIEW:"public"."t"."a": storage, compression or statistics options are not carried [column-storage]',
    ),
}
"""Statements, and what is told of what they make."""

SINCE = {("CREATE UNLOGGED SEQUENCE s",): pytest.mark.since(15, "UNLOGGED sequences")}


@pytest.mark.parametrize(
    "statements",
    [pytest.param(s, marks=[SINCE[s]] if s in SINCE else []) for s in TOLD],
    ids=lambda statements: statements[-1][:40],
)
def test_each_thing_that_is_not_carried_is_told_once(
    statements: tuple[str, ...], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source = postgresql()
    execute(source, *statements)
    asked = ("CONTENT=METADATA_ONLY", "SQLFILE=x.sql", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    run = done(pump("impdp", "postgresql:", f"NETWORK_LINK={source}", *asked))
    of_itself = [loss for loss in run.losses if not loss.startswith(("LARGE_OBJECT:", "COLLATION:"))]
    assert sorted(of_itself) == sorted(TOLD[statements])


def test_large_objects_are_told_of_with_the_table_that_points_to_them(
    postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source = postgresql()
    execute(source, "CREATE TABLE doc (id integer, body oid)", "INSERT INTO doc VALUES (1, lo_from_bytea(0, 'x'))")
    asked = ("TABLES=doc", "SQLFILE=x.sql", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    for target in ("postgresql:", "mysql:"):
        run = done(pump("impdp", target, f"NETWORK_LINK={source}", *asked))
        (told,) = (loss for loss in run.losses if "large-object" in loss)
        assert told.startswith('TABLE:"public"."doc"."body": identifiers are carried, the large objects')


def test_who_owns_routines_and_types_is_told(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source = postgresql()
    owner = f"owner_of_{sa.make_url(source).database}"
    execute(
        source,
        f"CREATE ROLE {owner}",
        "CREATE FUNCTION f(i integer) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "CREATE PROCEDURE p() LANGUAGE sql AS ''",
        "CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer)",
        "CREATE TYPE mood AS ENUM ('a')",
        "CREATE TYPE pair AS (a integer)",
        "CREATE DOMAIN d AS integer",
        "CREATE TABLE t (a integer)",
        "CREATE SCHEMA s",
        *(
            f"ALTER {what} OWNER TO {owner}"
            for what in ("FUNCTION f(integer)", "PROCEDURE p()", "AGGREGATE total(integer)", "SCHEMA s")
        ),
        *(f"ALTER {what} OWNER TO {owner}" for what in ("TYPE mood", "TYPE pair", "DOMAIN d", "TABLE t")),
    )
    try:
        asked = ("FULL=YES", "SQLFILE=x.sql", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
        run = done(pump("impdp", "postgresql:", f"NETWORK_LINK={source}", *asked))
    finally:
        execute(source, f"DROP OWNED BY {owner}", f"DROP ROLE {owner}")
    names = ('"d"', '"f(i integer)"', '"mood"', '"p()"', '"pair"', '"t"', '"total(integer)"')
    told = f'the owner "{owner}" is not carried, the importing user becomes that of'
    assert sorted(loss for loss in run.losses if "[owner]" in loss or "definer" in loss) == [
        f'FUNCTION:"public"."f": it runs with the rights of the importing user'
        f' (SECURITY DEFINER; at the source: of "{owner}") [security-definer]',
        f'SCHEMA:"public": {told} {", ".join(names)} [owner]',
        f'SCHEMA:"s": {told} "s" [owner]',
    ]


@pytest.mark.parametrize("version", [16, 18])
def test_what_a_partition_says_for_itself_is_told_to_other_databases(
    version: int, postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source = postgresql(version)
    execute(
        source,
        "CREATE TABLE t (a integer NOT NULL, b integer, c text DEFAULT 't') PARTITION BY LIST (a)",
        "CREATE TABLE t1 (a integer NOT NULL, b integer, c text)",
        "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES IN (1)",
        "CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2) PARTITION BY LIST (b)",
        "CREATE TABLE t21 PARTITION OF t2 (CONSTRAINT few CHECK (b < 5)) FOR VALUES IN (1)",
        "ALTER TABLE t1 ALTER c SET DEFAULT 'child', ALTER b SET NOT NULL, ADD CONSTRAINT ck CHECK (b > 5)",
    )
    asked = ("SQLFILE=x.sql", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    for target, more in (("mysql:", ()), ("oracle:", ()), ("sqlite:", ("REMAP_SCHEMA=public:main",))):
        run = done(pump("impdp", target, f"NETWORK_LINK={source}", *asked, *more))
        told = [loss.split(": ", 1)[1] for loss in run.losses if "partition-only" in loss]
        if version_at(source) < 18:  # where NOT NULL is no constraint with a name
            of_t1 = "b NOT NULL; c DEFAULT 'child'::text; CONSTRAINT ck CHECK ((b > 5))"
        else:
            of_t1 = "c DEFAULT 'child'::text; CONSTRAINT ck CHECK ((b > 5)); CONSTRAINT t1_b_not_null NOT NULL b"
        assert told == [
            f"what only partition t1 says is left out: {of_t1} [partition-only]",
            "what only partition t21 says is left out: CONSTRAINT few CHECK ((b < 5)) [partition-only]",
        ]


def test_the_name_of_an_identitys_sequence_is_its_own_where_it_is_free(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME my_seq))",
        "INSERT INTO t DEFAULT VALUES",
        "CREATE SCHEMA other",
    )
    name = "SELECT pg_get_serial_sequence('{}', 'id')"
    done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert rows(target, name.format("t")) == [("public.my_seq",)]
    assert rows(target, "SELECT nextval('my_seq')") == [(2,)]
    done(pump("impdp", source, f"NETWORK_LINK={source}", "TABLES=t", "REMAP_SCHEMA=public:other", "NOLOGFILE=YES"))
    assert rows(source, name.format("other.t")) == [("other.my_seq",)]
    run = done(pump("impdp", source, f"NETWORK_LINK={source}", "TABLES=t", "REMAP_TABLE=t:u", "NOLOGFILE=YES"))
    assert rows(source, name.format("u")) == [("public.u_id_seq",)]
    assert any(loss.endswith("its sequence gets the usual name, not my_seq [identity-sequence]") for loss in run.losses)


def test_an_identity_whose_sequences_name_is_taken_gets_the_usual_one(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    identity = "CREATE TABLE a (id integer GENERATED BY DEFAULT AS IDENTITY)"
    execute(source, identity, "ALTER TABLE a RENAME TO b", "INSERT INTO b DEFAULT VALUES")
    execute(target, identity)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "TABLES=b", "NOLOGFILE=YES"))
    told = [loss for loss in run.losses if "[not-null-name]" not in loss]
    assert told == ['TABLE:"public"."b"."id": its sequence gets the usual name, not a_id_seq [identity-sequence]']
    assert rows(target, "SELECT pg_get_serial_sequence('b', 'id'), nextval('b_id_seq')") == [("public.b_id_seq", 2)]
    again = pump("impdp", target, f"NETWORK_LINK={source}", "TABLES=b", "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND")
    assert [loss for loss in done(again).losses if "[identity-sequence]" in loss] == [], "nothing is made"


def test_the_name_of_an_index_of_a_materialized_view_is_taken_too(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE a (id integer GENERATED BY DEFAULT AS IDENTITY)", "ALTER TABLE a RENAME TO b")
    execute(target, "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one", "CREATE INDEX a_id_seq ON m (one)")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "TABLES=b", "NOLOGFILE=YES"))
    assert 'TABLE:"public"."b"."id": its sequence gets the usual name, not a_id_seq [identity-sequence]' in run.losses


def test_identities_of_two_schemas_that_become_one_have_sequences_of_their_own(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    identity = "GENERATED BY DEFAULT AS IDENTITY"
    execute(
        source,
        "CREATE SCHEMA s",
        "CREATE SCHEMA r",
        f"CREATE TABLE s.b (id integer {identity} (SEQUENCE NAME s.a_id_seq))",
        f"CREATE TABLE r.a (id integer {identity})",
        f"CREATE TABLE r.c (id integer {identity} (SEQUENCE NAME r.taken))",
        "CREATE VIEW s.taken AS SELECT 1 AS one",
        "CREATE SCHEMA t",
    )
    execute(target, "CREATE SCHEMA t")
    into = ("SCHEMAS=r,s", "REMAP_SCHEMA=r:t", "REMAP_SCHEMA=s:t", "NOLOGFILE=YES")
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", *into))
    assert sorted(run.losses) == [
        'TABLE:"t"."b"."id": its sequence gets the usual name, not a_id_seq [identity-sequence]',
        'TABLE:"t"."c"."id": its sequence gets the usual name, not taken [identity-sequence]',
    ]
    names = [f"pg_get_serial_sequence('t.{table}', 'id')" for table in "abc"]
    assert rows(target, f"SELECT {', '.join(names)}") == [("t.a_id_seq", "t.b_id_seq", "t.c_id_seq")]


BASE_TYPE = (
    "CREATE TYPE {0}",
    "CREATE FUNCTION {1}_in(cstring) RETURNS {0} LANGUAGE internal IMMUTABLE STRICT AS 'textin'",
    "CREATE FUNCTION {1}_out({0}) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
    "CREATE TYPE {0} (INPUT = {1}_in, OUTPUT = {1}_out, LIKE = text)",
)


def test_a_column_of_a_base_type_is_named(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    made = [sql.format(*names) for names in (("bt", "bt"), ('"B"', "b")) for sql in BASE_TYPE]
    execute(source, *made, 'CREATE TABLE t (id integer, c bt, d "B"[])', "CREATE TABLE u (id integer)")
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert run.code == 5
    told = "not carried: a base type is made of functions in C; of it are {}, which need it there already"
    for name, column in (("bt", "c"), ("B", "d")):
        (loss,) = (loss for loss in run.losses if loss.startswith(f'TYPE:"public"."{name}"'))
        assert told.format(f'"public"."t"."{column}"') in loss


def test_what_has_no_name_is_not_called_by_an_empty_one(postgresql: Callable[..., str], tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE DOMAIN d AS text CHECK (VALUE ~ '^a')",
        "CREATE TABLE t (c d)",
        "CREATE VIEW v AS SELECT g FROM generate_series(1, 3) g",
    )
    asked = ("SQLFILE=x.sql", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    run = done(pump("impdp", "mysql:", f"NETWORK_LINK={source}", *asked))
    told = "\n".join(run.losses)
    assert "not carried: it reads the rows of " in told
    assert "check (" in told
    assert "  " not in told
    assert '""' not in told.replace('"public"', "")


def test_comments_that_are_excluded_have_no_entries(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (a integer CONSTRAINT k CHECK (a > 0)) PARTITION BY LIST (a)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)",
        "COMMENT ON TABLE t1 IS 'one'",
        "COMMENT ON CONSTRAINT k ON t IS 'positive'",
        "CREATE DOMAIN d AS integer CONSTRAINT k CHECK (VALUE > 0)",
        "COMMENT ON CONSTRAINT k ON DOMAIN d IS 'positive'",
    )
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", "EXCLUDE=COMMENT"))
    assert run.losses == []
