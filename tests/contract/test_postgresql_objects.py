"""PostgreSQL's catalog: what is read and made again is the same to pg_dump; what is not carried is named."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dialects.postgresql import ADAPTER
from migrator.adapter import Load, Read
from migrator.ddl import Emitter, Script
from migrator.errors import IdentifierTooLong
from migrator.model import codec
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.equality import Equality
from migrator.model.objects import (
    Check,
    Column,
    Expression,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    Literal,
    Now,
    Partition,
    Partitioning,
    QName,
    Sequence,
    Table,
    Unique,
    View,
)
from migrator.plan import TABLE_DATA, plan
from tests.support.servers import Servers
from tests.support.sql import version_at

SCRIPTS = ("postgresql_features.sql", "postgresql_dependencies.sql")
"""One of everything, and objects of every kind that need each other."""

UNLOGGED_SEQUENCES = pytest.mark.since(15, "UNLOGGED sequences")
LEAVES = ("CREATE TABLE p (a integer, b integer) PARTITION BY LIST (a)", "CREATE TABLE p1 PARTITION OF p DEFAULT")
"""A table with one partition."""


# --- a database made again from its catalog -------------------------------------------------------------------------


def scripts(catalog: Catalog, version: tuple[int, ...], load: Callable[[Table], None]) -> Iterator[Script]:
    """All statements in the order of a job; ``load`` is called for every table when its rows are due."""
    for phase in plan(catalog, "ALL", ADAPTER.ddl(catalog, version)):
        for step in phase.steps:
            if phase.path == TABLE_DATA:
                load(next(table for table in catalog.of(Table) if table.qname == step.table))
            yield step.script


def clone(source: str, target: str) -> Catalog:
    """Make ``target`` what ``source`` is, by the adapter alone; the source's catalog, as a dump file would hold it."""
    first, second = ADAPTER.engine(sa.make_url(source)), ADAPTER.engine(sa.make_url(target))
    with (
        ADAPTER.snapshot(first, 1) as snapshot,
        ADAPTER.reading(first, snapshot) as reading,
        ADAPTER.writing(second) as writing,
    ):
        found = ADAPTER.catalog(reading, ADAPTER.schemas(reading))
        catalog: Catalog = codec.decode(codec.encode(found))
        emitter = Emitter(ADAPTER.ddl(catalog), writing)

        def load(table: Table) -> None:
            batches = ADAPTER.batches(reading, Read(table.source, table.data_columns))
            ADAPTER.load(writing, Load(table.qname, table.data_columns, table.data_columns), batches)

        for script in scripts(catalog, ADAPTER.server(writing).version, load):
            assert script.losses == ()
            emitter.run(script.statements)
        writing.commit()
    return catalog


def dumped(text: str) -> list[str]:
    """pg_dump's sections in a fixed order, without the tokens that differ from run to run."""
    return sorted(part.strip() for part in re.split(r"\n--\n-- ", re.sub(r"(?m)^\\(un)?restrict .*$", "", text)))


def differences(first: str, second: str) -> list[str]:
    return list(difflib.unified_diff(dumped(first), dumped(second), lineterm="", n=0))


@pytest.fixture(params=itertools.product((16, 18), SCRIPTS), ids=lambda param: f"{param[1]}-{param[0]}")
def features(request: pytest.FixtureRequest, postgresql: Callable[..., str], servers: Servers) -> tuple[str, str]:
    """A database made by one of the scripts, and an empty one beside it."""
    version, script = request.param
    source = postgresql(version)
    servers.postgresql(version).run_script(sa.make_url(source), Path(__file__).with_name(script).read_text("utf-8"))
    return source, postgresql(version)


def test_a_database_made_from_its_catalog_is_the_same_to_pg_dump(
    features: tuple[str, str], pg_dump: Callable[..., str]
) -> None:
    source, target = features
    catalog = clone(source, target)
    options = ("--no-owner", "--no-privileges")
    assert catalog.losses == ()
    assert differences(pg_dump(source, "-s", *options), pg_dump(target, "-s", *options)) == []
    rows = [sorted(pg_dump(url, "-a", "--inserts", *options).splitlines()) for url in features]
    rows = [[line for line in lines if not re.match(r"\\(un)?restrict ", line)] for lines in rows]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("version", [16, 18])
def test_pagila_made_from_its_catalog_is_the_same_to_pg_dump(
    version: int, pagila: Callable[..., str], postgresql: Callable[..., str], pg_dump: Callable[..., str]
) -> None:
    source, target = pagila(version), postgresql(version)
    catalog = clone(source, target)
    granted = version_at(source) >= 15  # before, everybody may create there anyhow
    assert [loss.object for loss in catalog.losses] == ['GRANT:"public"'] * granted
    different = differences(*(pg_dump(url, "-s", "--no-owner", "--no-privileges") for url in (source, target)))
    named = "Name: public; Type: SCHEMA"  # the sample sets its owner, and pg_dump mentions that
    assert [line for line in different if line[:1] in "+-" and line[:3] not in {"---", "+++"} and named not in line] == []


def test_the_number_of_queries_does_not_grow_with_the_number_of_objects(postgresql: Callable[..., str]) -> None:
    def queries(tables: int) -> int:
        asked: list[str] = []
        with ADAPTER.engine(sa.make_url(postgresql())).begin() as connection:
            for number in range(tables):
                connection.exec_driver_sql(f"CREATE TABLE t{number} (id serial PRIMARY KEY, v text UNIQUE)")
                connection.exec_driver_sql(f"CREATE VIEW v{number} AS SELECT * FROM t{number}")
            sa.event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2]))
            catalog = ADAPTER.catalog(connection, ["public"])
        assert len(list(catalog.of(Table))) == len(list(catalog.of(View))) == tables
        return len(asked)

    assert queries(1) == queries(40)


def test_reading_a_catalog_leaves_the_search_path_as_it_was(postgresql: Callable[..., str]) -> None:
    with ADAPTER.engine(sa.make_url(postgresql())).connect() as connection:
        before = connection.exec_driver_sql("SHOW search_path").scalar_one()
        ADAPTER.catalog(connection, ["public"])
        assert connection.exec_driver_sql("SHOW search_path").scalar_one() == before
        assert ADAPTER.server(connection).schema == "public"


# --- what the catalog says ------------------------------------------------------------------------------------------


@pytest.fixture
def catalog_of(postgresql: Callable[..., str]) -> Callable[..., Catalog]:
    """``catalog_of(*statements)``: the catalog of schema public after these statements."""

    def read(*statements: str) -> Catalog:
        with ADAPTER.engine(sa.make_url(postgresql())).connect() as connection:
            for sql in statements:
                connection.exec_driver_sql(sql)
            return ADAPTER.catalog(connection, ["public"])

    return read


def test_a_partitioned_table_comes_once_with_its_tree(catalog_of: Callable[..., Catalog]) -> None:
    catalog = catalog_of(
        "CREATE TABLE p (k integer, v text) PARTITION BY LIST (k)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY HASH (v)",
        "CREATE TABLE p1a PARTITION OF p1 (v DEFAULT 'a') FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE TABLE other (k integer PRIMARY KEY)",
        "CREATE INDEX p1a_only ON p1a (k)",
        "ALTER TABLE p1a ADD CONSTRAINT p1a_fk FOREIGN KEY (k) REFERENCES other",
    )
    (p,) = (table for table in catalog.of(Table) if table.name != "other")
    leaf = Partition("p1a", "FOR VALUES WITH (modulus 1, remainder 0)", own=("v DEFAULT 'a'::text",))
    inner = Partitioning("postgresql", "HASH (v)", (leaf,))
    assert p.partitioning == Partitioning("postgresql", "LIST (k)", (Partition("p1", "FOR VALUES IN (1)", inner),))
    assert [(index.name, index.partition) for index in p.indexes] == [("p1a_only", "p1a")]
    assert [(key.name, key.partition) for key in p.foreign_keys] == [("p1a_fk", "p1a")]


@pytest.mark.parametrize(
    ("statements", "options", "next_value"),
    [
        (("CREATE SEQUENCE s",), {"start": 1}, 1),
        (("CREATE SEQUENCE s", "SELECT nextval('s')"), {"start": 1}, 2),
        (("CREATE SEQUENCE s START 5", "SELECT setval('s', 9, false)"), {"start": 5}, 9),
        (("CREATE SEQUENCE s AS smallint INCREMENT -3 MAXVALUE 10",), {"increment": -3, "maximum": 10, "bits": 16}, 10),
        (("CREATE SEQUENCE s MAXVALUE 2 CYCLE", "SELECT setval('s', 2)"), {"maximum": 2, "cycle": True}, 3),
    ],
)
def test_a_sequence_tells_what_it_gives_next(
    statements: tuple[str, ...], options: dict[str, object], next_value: int, catalog_of: Callable[..., Catalog]
) -> None:
    (sequence,) = catalog_of(*statements).of(Sequence)
    assert sequence.next_value == next_value
    assert {name: getattr(sequence, name) for name in options} == options


def test_an_identity_belongs_to_its_column_and_a_serial_to_a_sequence(catalog_of: Callable[..., Catalog]) -> None:
    catalog = catalog_of("CREATE TABLE t (i integer GENERATED ALWAYS AS IDENTITY (START 7), s serial)")
    (table,) = catalog.of(Table)
    (sequence,) = catalog.of(Sequence)
    assert table.column("i").identity == Identity(always=True, start=7, minimum=1, next_value=7)
    assert sequence.owner == ("t", "s")
    assert sequence.bits == 32


def test_objects_stand_after_what_they_need(catalog_of: Callable[..., Catalog]) -> None:
    catalog = catalog_of(
        "CREATE TABLE base (id integer)",
        "CREATE VIEW a_first AS SELECT * FROM base",
        "CREATE VIEW z_last AS SELECT * FROM a_first",
        "CREATE OR REPLACE VIEW a_first AS SELECT id FROM base",
        "CREATE FUNCTION early() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "CREATE TABLE uses_early (id integer DEFAULT early())",
        "CREATE FUNCTION late(base) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    )
    names = [obj.name for obj in catalog.objects]
    for first, second in (("base", "a_first"), ("a_first", "z_last"), ("early", "uses_early"), ("base", "late")):
        assert names.index(first) < names.index(second)
    assert {v.name: v.depends_on for v in catalog.of(View)}["z_last"] == (QName("public", "a_first"),)


@pytest.mark.parametrize(
    ("statements", "rule", "words"),
    [
        (("CREATE TABLE t (c int4range, EXCLUDE USING gist (c WITH &&))", "COMMENT ON INDEX t_c_excl IS 'x'"),
         "constraint-comment", "comment on the index of t_c_excl"),
        (("CREATE TABLE t (a integer PRIMARY KEY, b integer)", "CREATE STATISTICS st ON a, b FROM t"),
         "statistics", "not carried"),
        (("CREATE TABLE t (a integer, b integer, UNIQUE (a) INCLUDE (b))",), "key-include", "UNIQUE (a) INCLUDE (b)"),
        (("CREATE TABLE t (a integer CHECK (a > 0) NO INHERIT)",), "no-inherit", "t_a_check"),
        (("CREATE TABLE t (a text)", "ALTER TABLE t ALTER a SET STORAGE EXTERNAL"), "column-storage", "storage"),
        (("CREATE TABLE t (a integer)", "ALTER TABLE t ALTER a SET STATISTICS 500"), "column-storage", "statistics"),
        (("CREATE TABLE t (a integer)", "ALTER TABLE t REPLICA IDENTITY FULL"), "replica-identity", "replica"),
        (("CREATE TABLE t (a integer)", "CREATE INDEX i ON t (a) WITH (fillfactor=50)"), "index-options", "fillfactor=50"),
        (("CREATE TABLE t (a integer, b text)", "CREATE INDEX i ON t (a, b) WITH (fillfactor=50)"), "index-options", "=50"),
        (("CREATE TABLE t (a integer)", "CREATE INDEX i ON t ((a + 1), a)", "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 9"),
         "index-options", "the statistics target of index i"),
        (("CREATE TABLE t (a integer, b text)", "CREATE INDEX i ON t (a, b)", "CLUSTER t USING i"), "clustered", "i is the"),
        (("CREATE TABLE t (a integer PRIMARY KEY)", "CLUSTER t USING t_pkey"), "clustered", "that t_pkey is"),
        ((*LEAVES, "CREATE INDEX i ON p (b)", "ALTER TABLE p1 CLUSTER ON p1_b_idx"), "clustered", "that p1_b_idx is"),
        ((*LEAVES, "ALTER TABLE p ADD PRIMARY KEY (a)", "ALTER TABLE p1 CLUSTER ON p1_pkey"), "clustered", "p1_pkey is"),
        ((*LEAVES, "CREATE INDEX i ON p (b)", "ALTER INDEX p1_b_idx SET (fillfactor = 50)"), "index-options", "of p1_b_idx"),
        ((*LEAVES, "CREATE INDEX i ON p (b) WITH (fillfactor = 50)"), "index-options", "storage parameters of i are"),
        ((*LEAVES, "ALTER TABLE p1 ADD UNIQUE (b) WITH (fillfactor = 50)"), "index-options", "of p1_b_key"),
        ((*LEAVES, "ALTER TABLE p1 ADD UNIQUE (b)", "COMMENT ON INDEX p1_b_key IS 'x'"), "constraint-comment", "p1_b_key"),
        ((LEAVES[0], "CREATE TABLE p1 (b integer, a integer)", "ALTER TABLE p ATTACH PARTITION p1 DEFAULT"),
         "column-order", "of partition p1"),
        (("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)", "CREATE EXTENSION vector",
          "ALTER EXTENSION vector ADD TABLE t"), "extension", "the rows of its tables public.t"),
        pytest.param(("CREATE TABLE t (a integer NOT NULL NO INHERIT)",), "no-inherit", "t_a_not_null",
                     marks=pytest.mark.since(18, "NOT NULL that is not inherited")),
        pytest.param(("CREATE UNLOGGED SEQUENCE s",), "unlogged", "UNLOGGED", marks=UNLOGGED_SEQUENCES),
        pytest.param(("CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY)", "ALTER SEQUENCE t_a_seq SET UNLOGGED"),
                     "unlogged", "UNLOGGED", marks=UNLOGGED_SEQUENCES),
        (("CREATE TABLE t (a integer)", "GRANT SELECT ON t TO PUBLIC"), "grant", "=r/"),
        (("GRANT CREATE ON SCHEMA public TO pg_monitor",), "grant", "pg_monitor=C/"),
        (("REVOKE ALL ON SCHEMA public FROM PUBLIC",), "grant", "=UC/"),
        (("SELECT lo_create(0)",), "large-object", "not carried"),
        (("CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
          "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()"), "event-trigger", "on ddl_command_end"),
        (("CREATE TABLE t (a integer CONSTRAINT c CHECK (a > 0))", "COMMENT ON CONSTRAINT c ON t IS 'x'"),
         "constraint-comment", "comment on c"),
        (("CREATE TABLE t (a integer)", "CREATE VIEW v AS SELECT a FROM t", "COMMENT ON COLUMN v.a IS 'x'"),
         "view-column-comment", "comment"),
        ((*LEAVES, "ALTER TABLE p ADD PRIMARY KEY (a)", "ALTER INDEX p1_pkey RENAME TO odd"),
         "partition-names", "the name of odd of partition p1"),
        ((*LEAVES, "CREATE INDEX ON p (b, (a + 1))", "ALTER INDEX p1_b_expr_idx RENAME TO odd"),
         "partition-names", "the name of odd of partition p1"),
        pytest.param(("CREATE DOMAIN d AS integer CONSTRAINT odd NOT NULL",), "not-null-name", "constraint odd",
                     marks=pytest.mark.since(18, "NOT NULL that has a name")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_the_model_has_no_place_for_is_a_named_loss(
    statements: tuple[str, ...], rule: str, words: str, catalog_of: Callable[..., Catalog]
) -> None:
    (loss,) = (loss for loss in catalog_of(*statements).losses if loss.rule == rule)
    assert words in loss.detail


@pytest.mark.parametrize("keys", ["b", "lower(c)", "(a + 1), (b + 1)", "b, (b + 1), c"])
def test_a_name_that_the_server_chooses_for_a_partitions_index_is_no_loss(
    keys: str, catalog_of: Callable[..., Catalog]
) -> None:
    made = catalog_of(*LEAVES, "ALTER TABLE p ADD c text", f"CREATE INDEX ON p ({keys})", f"CREATE INDEX ON p ({keys})")
    assert made.losses == ()


# --- what others have, here -----------------------------------------------------------------------------------------


def table_sql(table: Table, version: tuple[int, ...] | None = None, dialect: str = "mysql") -> tuple[str, list[str]]:
    """CREATE TABLE of a table from another database, and the rules of its losses."""
    script = ADAPTER.ddl(Catalog(dialect, "", (table,)), version).create_table(table)
    return script.statements[0], [loss.rule for loss in script.losses]


@pytest.mark.parametrize(
    ("type_", "value", "clause"),
    [
        (t.Integer(), Literal("5", "number"), "DEFAULT 5"),
        (t.Boolean(), Literal("1", "number"), "DEFAULT TRUE"),
        (t.Integer(16), Literal("1", "boolean"), "DEFAULT 1"),
        (t.Bit(8), Literal("101", "bit"), "DEFAULT B'00000101'"),
        (t.Bit(4), Literal("5", "number"), "DEFAULT B'0101'"),
        (t.Integer(16), Literal("101", "bit"), "DEFAULT 5"),
        (t.Binary(), Literal("00ff", "binary"), r"DEFAULT '\x00ff'"),
        (t.String(9), Literal("it's \\"), "DEFAULT 'it''s \\'"),
        (t.Timestamp(), Now(), "DEFAULT statement_timestamp()"),
        (t.Timestamp(), Now(utc=True), "DEFAULT timezone('utc', statement_timestamp())"),
        (t.Date(), Now("date", utc=True), "DEFAULT (timezone('utc', statement_timestamp()))::date"),
        (t.Timestamp(zoned=True), Now(precision=0, utc=True), "DEFAULT date_trunc('second', statement_timestamp())"),
        (t.Timestamp(3), Now("timestamp", 3), "DEFAULT date_trunc('milliseconds', statement_timestamp())"),
        (t.Timestamp(2), Now("timestamp", 1), "DEFAULT statement_timestamp()::timestamptz(1)"),
        (t.Timestamp(), Now(moment="call"), "DEFAULT clock_timestamp()"),
        (t.Timestamp(), Now(moment="transaction"), "DEFAULT transaction_timestamp()"),
    ],
)
def test_a_default_takes_the_form_of_its_column(type_: t.Type, value: Any, clause: str) -> None:
    sql, losses = table_sql(Table("s", "x", (Column("c", type_, default=value),)))
    assert sql.endswith(f"{clause}\n)")
    assert [loss for loss in losses if loss != "clock"] == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (t.Timestamp(), Literal("0000-00-00 00:00:00")),
        (t.Date(), Literal("2024-00-10")),
        (t.Integer(), Literal("abc")),
        (t.Integer(), Now()),
    ],
)
def test_a_default_that_is_no_value_here_is_left_out_with_a_loss(type_: t.Type, value: Any) -> None:
    sql, losses = table_sql(Table("s", "x", (Column("c", type_, default=value),)))
    assert "DEFAULT" not in sql
    assert losses == ["default"]


def test_an_unsigned_identity_and_all_that_refers_to_it_are_bigint() -> None:
    unsigned = t.Integer(64, unsigned=True)
    parent = Table("s", "a", (Column("id", unsigned, identity=Identity()),))
    key = ForeignKey("fk", ("a_id",), parent.qname, ("id",))
    child = Table("s", "b", (Column("a_id", unsigned),), foreign_keys=(key,))
    grandchild = Table(
        "s", "c", (Column("a_id", unsigned),), foreign_keys=(replace(key, referred=child.qname, referred_columns=("a_id",)),)
    )
    ddl = ADAPTER.ddl(Catalog("mysql", "", (parent, child, grandchild)))
    for table in (parent, child, grandchild):
        made = ddl.create_table(table)
        assert " bigint" in made.statements[0]
        assert [loss.rule for loss in made.losses] == ["identity-bigint"]


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        (Column("c", t.Timestamp(), on_update=Now()), "on-update"),
        (Column("c", t.String(5), equality=Equality(case=True)), "collation-equality"),
        (Column("c", t.Integer(), invisible=True), "invisible"),
        (Column("c", t.SetOf(("a", "b"))), "type-setof"),
    ],
)
def test_what_a_column_has_elsewhere_only_is_a_named_loss(column: Column, rule: str) -> None:
    _, losses = table_sql(Table("s", "x", (column,)))
    assert losses == [rule]


def test_what_a_view_of_another_database_enforces_is_a_named_loss() -> None:
    view = View(
        "s", "v", Expression("SELECT 1 AS a", "mysql"), check_option="CASCADED", options=(("SQL SECURITY", "INVOKER"),)
    )
    script = ADAPTER.ddl(Catalog("mysql", "", (view,))).create_view(view)
    assert script.statements[1:2] == ("CREATE VIEW s.v AS SELECT 1 AS a",)
    assert [loss.rule for loss in script.losses] == ["view-option", "check-option"]


def test_names_are_qualified_outside_of_a_transaction_too(postgresql: Callable[..., str]) -> None:
    url = sa.make_url(postgresql())
    with ADAPTER.engine(url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
        connection.exec_driver_sql("CREATE VIEW v AS SELECT a FROM t")
        (view,) = ADAPTER.catalog(connection, ["public"]).of(View)
        assert "FROM public.t" in view.definition.sql
        assert "public" in str(connection.exec_driver_sql("SHOW search_path").scalar_one())


@pytest.mark.parametrize("method", ["fulltext", "spatial"])
def test_an_index_of_a_kind_unknown_here_is_left_out_with_a_loss(method: str) -> None:
    index = Index("i", (IndexKey("c"),), method=method)
    table = Table("s", "x", (Column("c", t.String()),), indexes=(index,))
    made = ADAPTER.ddl(Catalog("mysql", "", (table,))).index(table, index)
    assert made.statements == ()
    assert [loss.rule for loss in made.losses] == ["index"]


def test_older_versions_get_what_they_can_with_a_loss() -> None:
    columns = (
        Column("d", t.Decimal(3, -2)),
        Column("v", t.Integer(), generated=Generated(Expression("1", "postgresql"), stored=False)),
    )
    table = Table("s", "x", columns, uniques=(Unique("u", ("d",), nulls_distinct=False),))
    new, no_losses = table_sql(table, (18,), "postgresql")
    assert "numeric(3,-2)" in new
    assert "VIRTUAL" in new
    assert no_losses == []
    old, losses = table_sql(table, (14,), "postgresql")
    assert "d numeric," in old
    assert "STORED" in old
    assert losses == ["type-decimal", "virtual"]
    ddl = ADAPTER.ddl(Catalog("postgresql", "", (table,)), (14,))
    assert [loss.rule for loss in ddl.unique(table, table.uniques[0]).losses] == ["nulls-not-distinct"]


@pytest.mark.parametrize(("source", "target", "told"), [("14.2", 14, 0), ("14.2", 15, 1), ("15.1", 15, 0)])
def test_a_sequence_that_becomes_unlogged_with_its_table_is_named(source: str, target: int, told: int) -> None:
    column = Column("id", t.Integer(), nullable=False, identity=Identity())
    table = Table("s", "x", (column,), options=(("unlogged", "true"),))
    script = ADAPTER.ddl(Catalog("postgresql", source, (table,)), (target,)).create_table(table)
    assert script.statements[0].startswith("CREATE UNLOGGED TABLE")
    assert [(loss.rule, loss.column) for loss in script.losses] == [("unlogged", "id")] * told


@pytest.mark.parametrize(
    ("version", "validated", "enforced", "state"),
    [(16, False, True, " NOT VALID"), (18, False, False, " NOT ENFORCED"), (16, False, False, None), (16, True, True, "")],
)
def test_a_check_keeps_its_state_or_is_left_out(version: int, validated: bool, enforced: bool, state: str | None) -> None:
    check = Check("c", Expression("v > 0", "postgresql"), validated, enforced)
    table = Table("s", "x", (Column("v", t.Integer()),), checks=(check,))
    script = ADAPTER.ddl(Catalog("postgresql", "", (table,)), (version,)).check(table, check)
    if state is None:
        assert script.statements == ()
        assert [loss.rule for loss in script.losses] == ["check"]
    else:
        assert script.statements == (f"ALTER TABLE s.x ADD CONSTRAINT c CHECK (v > 0){state}",)


@pytest.mark.since(18, "checks that are not enforced")
def test_a_check_that_is_not_enforced_is_read_as_such(postgresql: Callable[..., str]) -> None:
    url = sa.make_url(postgresql(18))
    with ADAPTER.engine(url).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer CONSTRAINT off CHECK (a > 0) NOT ENFORCED)")
        catalog = ADAPTER.catalog(connection, ["public"])
    (table,) = catalog.of(Table)
    assert [(check.name, check.enforced) for check in table.checks] == [("off", False)]
    assert catalog.losses == ()


def test_the_function_of_an_on_update_trigger_has_a_name_that_is_not_cut() -> None:
    columns = (
        Column("c", t.Timestamp(0, zoned=True), on_update=Now()),
        Column("g", t.Integer(), generated=Generated(Expression("1", "mysql"))),
    )
    for name in ("t", "t" * 60):
        table = Table("s", name, columns)
        function, trigger = ADAPTER.ddl(Catalog("mysql", "", (table,))).on_update(table).statements
        made = re.match(r"CREATE OR REPLACE FUNCTION s\.(\w+)\(\)", function)
        assert made is not None
        assert len(made[1]) <= 63
        assert f"EXECUTE FUNCTION s.{made[1]}()" in trigger
        assert "NEW.g" not in trigger


def test_the_time_of_an_update_is_cut_off_where_its_digits_end(postgresql: Callable[..., str]) -> None:
    columns = [Column(f"c{digits}", t.Timestamp(digits, zoned=True), on_update=Now()) for digits in range(6)]
    table = Table("public", "t", (Column("at", t.Timestamp(6, zoned=True)), *columns))
    ddl = ADAPTER.ddl(Catalog("mysql", "", (table,)))
    made = (*ddl.create_table(table).statements, *ddl.on_update(table).statements)
    shown = ", ".join(f"to_char({column.name}, 'US')" for column in table.columns)
    with ADAPTER.engine(sa.make_url(postgresql())).connect() as connection:
        for statement in (*made, "INSERT INTO t DEFAULT VALUES"):
            connection.exec_driver_sql(statement)
        for _ in range(25):
            connection.exec_driver_sql("UPDATE t SET at = statement_timestamp()")
            at, *cut = connection.exec_driver_sql(f"SELECT {shown} FROM t").one()
            assert cut == [at[:digits].ljust(6, "0") for digits in range(6)]


def test_a_name_that_postgresql_would_cut_is_refused() -> None:
    ddl = ADAPTER.ddl(Catalog("sqlite", ""))
    assert ddl.quote("é" * 31) == f'"{"é" * 31}"'
    with pytest.raises(IdentifierTooLong, match="63 bytes"):
        ddl.quote("é" * 32)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (Identity(start=1, next_value=1), None),
        (Identity(start=1, next_value=6), "5, true"),
        (Identity(start=10, increment=-2, maximum=10, next_value=8), "10, true"),
        (Identity(start=5, next_value=1), "1, false"),
        (Identity(next_value=None), "max(id)"),
    ],
)
def test_an_identity_goes_on_where_the_source_stood(identity: Identity, expected: str | None) -> None:
    table = Table("s", "x", (Column("id", t.Integer(), identity=identity),))
    statements = ADAPTER.ddl(Catalog("mysql", "", (table,))).position(table).statements
    assert len(statements) == (expected is not None)
    assert all(expected is not None and expected in sql for sql in statements)


def test_how_an_index_of_another_database_compares_is_named() -> None:
    keys = (IndexKey("a", collation="NOCASE", nulls_first=True),)
    table = Table("s", "t", (Column("a", t.String()),), indexes=(Index("i", keys),))
    script = ADAPTER.ddl(Catalog("sqlite", "", (table,))).index(table, table.indexes[0])
    assert script.statements == ("CREATE INDEX i ON s.t (a NULLS FIRST)",)
    assert [(loss.rule, loss.column) for loss in script.losses] == [("index-collation", "a")]
