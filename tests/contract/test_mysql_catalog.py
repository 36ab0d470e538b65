"""MySQL's objects on a real server: a catalog, written and read, makes the same objects in a second database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from dialects.mysql import ADAPTER
from dialects.mysql.collations import equality_of
from migrator.adapter import Load, Read
from migrator.ddl import DDL, Emitter, Script
from migrator.errors import InvalidUrl, MigratorError, SchemaNotFound
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.codec import decode, encode
from migrator.model.equality import Equality
from migrator.model.objects import (
    Expression,
    Identity,
    Literal,
    NewUuid,
    NextValue,
    Now,
    Object,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    View,
)
from migrator.testing import Workbench
from tests.support.sql import execute


def moved(obj: Object, source: str, target: str) -> Object:
    """An object of the schema ``source`` as it belongs into ``target``."""
    match obj:
        case Schema():
            return replace(obj, name=target)
        case Table():
            keys = tuple(replace(key, referred=QName(target, key.referred.name)) for key in obj.foreign_keys)
            return replace(obj, schema=target, foreign_keys=keys)
        case View():
            sql = obj.definition.sql.replace(f"`{source}`.", f"`{target}`.")
            return replace(obj, schema=target, definition=Expression(sql, "mysql"))
        case _:
            return replace(obj, schema=target)


def scripts(ddl: DDL, catalog: Catalog) -> Iterable[Script]:
    """What makes the objects around loaded tables."""
    tables = tuple(catalog.of(Table))
    yield from (ddl.unique(table, unique) for table in tables for unique in table.uniques)
    yield from (ddl.index(table, index) for table in tables for index in table.indexes)
    yield from (ddl.foreign_key(table, key) for table in tables for key in table.foreign_keys)
    yield from (ddl.position(table) for table in tables)
    yield from (ddl.position(sequence) for sequence in catalog.of(Sequence))
    yield from (
        ddl.create_program(obj) if isinstance(obj, Program) else ddl.create_view(obj)
        for obj in catalog.objects
        if isinstance(obj, Program | View)
    )


class Twin:
    """A database, and a second one made from its catalog; ``refused`` are the tables whose rows could not be carried."""

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = Workbench.at(ADAPTER, source), Workbench.at(ADAPTER, target)
        here, there = self.source.schema, self.target.schema
        self.described = self.source.catalog()
        self.catalog = Catalog(
            "mysql",
            self.described.version,
            tuple(moved(obj, here, there) for obj in decode(encode(self.described)).objects),
        )
        self.ddl = ADAPTER.ddl(self.catalog, self.target.server.version)
        self.losses: list[Loss] = []
        self.refused: dict[str, str] = {}
        self._make()

    def _make(self) -> None:
        self._run(self.ddl.create_sequence(sequence) for sequence in self.catalog.of(Sequence))
        self._run(self.ddl.create_table(table) for table in self.catalog.of(Table))
        for table in self.catalog.of(Table):
            try:
                self._copy(table)
            except MigratorError as error:
                self.refused[table.name] = str(error)
        self._run(scripts(self.ddl, self.catalog))

    def _run(self, made: Iterable[Script]) -> None:
        with self.target.connect() as connection:
            for script in made:
                self.losses += script.losses
                Emitter(self.ddl, connection).run(script.statements)

    def _copy(self, table: Table) -> None:
        engine = self.source.engine
        load = Load(table.qname, table.data_columns, table.data_columns)
        with (
            ADAPTER.snapshot(engine, 1) as snapshot,
            ADAPTER.reading(engine, snapshot) as reading,
            ADAPTER.writing(self.target.engine) as writing,
        ):
            ADAPTER.load(writing, load, ADAPTER.batches(reading, Read(table.source, table.data_columns)))
            writing.commit()

    def shown(self, bench: Workbench, name: str, kind: str = "TABLE", column: int = 1) -> str:
        """SHOW CREATE in one of the two databases, its name left out; the literals of views without a character set."""
        with bench.connect() as connection:
            text = str(connection.exec_driver_sql(f"SHOW CREATE {kind} `{name}`").one()[column])
        return re.sub(r" DEFINER=\S+|_utf8(?:mb3|mb4)?(?=')", "", text.replace(f"`{bench.schema}`.", ""))

    def differing(self) -> set[str]:
        """The tables whose definitions differ, USING BTREE left aside, which is what a key is, and the character set before
        a collation, which has its name in its own; MySQL shows both where both were given. And it does not tell in which
        order its keys were made."""
        said = re.compile(r" USING BTREE| CHARACTER SET (\w+)(?= COLLATE \1_)")
        plain = {
            table.name: [said.sub("", self.shown(bench, table.name)) for bench in (self.source, self.target)]
            for table in self.catalog.of(Table)
        }
        if not self.source.server.banner.startswith("MariaDB"):
            plain = {name: [_with_sorted_keys(sql) for sql in both] for name, both in plain.items()}
        return {name for name, (here, there) in plain.items() if here != there}

    def changed(self) -> set[str]:
        """The tables whose rows differ by the server's own checksum."""

        def checksum(bench: Workbench, name: str) -> int:
            with bench.connect() as connection:
                return int(connection.exec_driver_sql(f"CHECKSUM TABLE `{name}`").one()[1])

        names = [table.name for table in self.catalog.of(Table)]
        return {name for name in names if checksum(self.source, name) != checksum(self.target, name)}


def _with_sorted_keys(sql: str) -> str:
    """SHOW CREATE TABLE, the keys that are not the primary one at its end, by their names."""
    lines = sql.replace(",\n", "\n").split("\n")
    return "\n".join(sorted(lines, key=lambda line: line if re.match(r" +(\w+ )?KEY `", line) else ""))


# --- real databases -------------------------------------------------------------------------------------------------


def test_sakila_comes_back_equal(sakila: Callable[[], str], mysql: Callable[[], str]) -> None:
    twin = Twin(sakila(), mysql())
    assert len(list(twin.catalog.of(Table))) == 16
    assert twin.refused == {}
    assert twin.differing() == set()
    assert twin.changed() == set()
    assert twin.losses == []


def test_sakilas_views_and_programs_come_back_equal(sakila: Callable[[], str], mysql: Callable[[], str]) -> None:
    twin = Twin(sakila(), mysql())
    for view in twin.catalog.of(View):
        assert twin.shown(twin.source, view.name, "VIEW") == twin.shown(twin.target, view.name, "VIEW")
    programs = list(twin.catalog.of(Program))
    assert sorted(p.kind for p in programs) == ["FUNCTION"] * 3 + ["PROCEDURE"] * 3 + ["TRIGGER"] * 6
    for program in programs:
        if program.kind != "TRIGGER":
            here, there = (twin.shown(bench, program.name, program.kind, 2) for bench in (twin.source, twin.target))
            assert here == there
    triggers = [
        [replace(p, schema="") for p in bench.catalog().of(Program) if p.kind == "TRIGGER"]
        for bench in (twin.source, twin.target)
    ]
    assert triggers[0] == triggers[1]


def test_odd_tables_come_back_equal_or_are_refused_by_name(
    oddities_mysql: Callable[[], str], mysql: Callable[[], str]
) -> None:
    twin = Twin(oddities_mysql(), mysql())
    assert len(list(twin.catalog.of(Table))) > 30
    assert set(twin.refused) == {"funny_string"}  # bytes that its character set gbk does not have
    assert "column s" in twin.refused["funny_string"]
    assert twin.differing() <= {"funny_string"}  # MySQL shows the collation that belongs to a character set if it was given
    assert twin.changed() == {"funny_string"}


# --- what the dictionary tells --------------------------------------------------------------------------------------


@pytest.fixture
def bench(mysql: Callable[[], str]) -> Workbench:
    return Workbench.at(ADAPTER, mysql())


def made(bench: Workbench, *statements: str) -> Catalog:
    with bench.connect() as connection:
        for sql in statements:
            connection.execute(sa.text(sql.replace(":", "\\:")))
    return bench.catalog()


def table_of(catalog: Catalog, name: str = "t") -> Table:
    return next(table for table in catalog.of(Table) if table.name == name)


def test_defaults_are_told_apart(bench: Workbench) -> None:
    table = table_of(
        made(
            bench,
            "CREATE TABLE t (none INT, nil VARCHAR(9) DEFAULT NULL, word VARCHAR(9) NOT NULL DEFAULT 'NULL', "
            "odd VARCHAR(20) DEFAULT 'it''s \\\\ %', number DECIMAL(5,2) DEFAULT 1.5, bits BIT(3) DEFAULT b'101', "
            "bytes BINARY(3) DEFAULT 'ab', day DATE DEFAULT '2024-01-31', now DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), "
            "made VARCHAR(9) DEFAULT (CONCAT('a', 'b')), id VARCHAR(36) DEFAULT (UUID()), text TEXT DEFAULT ('long'))",
        )
    )
    defaults = {column.name: column.default for column in table.columns}
    assert defaults == {
        "none": None,
        "nil": None,
        "word": Literal("NULL"),
        "odd": Literal("it's \\ %"),
        "number": Literal("1.50", "number"),
        "bits": Literal("101", "bit"),
        "bytes": Literal("616200", "binary"),
        "day": Literal("2024-01-31"),
        "now": Now("timestamp", 3),
        "made": defaults["made"],
        "id": NewUuid(1),
        "text": defaults["text"],
    }
    assert isinstance(defaults["made"], Expression)
    assert "long" in str(defaults["text"])


def test_defaults_of_bytes_are_whole(bench: Workbench) -> None:
    """MySQL's information schema shows them up to the first zero, and as digits, which MariaDB's does not."""
    given = {"a": "00ff", "b": "6100", "c": "f09f9880003f", "d": "", "e": "30783431", "f": "5c27000a1a0d", "g": "00"}
    columns = ", ".join(f"{name} VARBINARY(9) DEFAULT X'{value}'" for name, value in given.items())
    table = table_of(made(bench, f"CREATE TABLE t ({columns}, i BINARY(4) DEFAULT X'610062' COMMENT 'DEFAULT 0xAA')"))
    expected = {name: Literal(value, "binary") for name, value in (*given.items(), ("i", "61006200"))}
    assert {column.name: column.default for column in table.columns} == expected


def test_columns_tell_what_reflection_loses(bench: Workbench) -> None:
    table = table_of(
        made(
            bench,
            "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, twice INT AS (n * 2) VIRTUAL, n INT, hidden INT INVISIBLE, "
            "changed TIMESTAMP(2) NULL ON UPDATE CURRENT_TIMESTAMP(2), plain VARCHAR(9) COMMENT 'it''s', "
            "exact VARCHAR(9) COLLATE utf8mb4_bin, price DECIMAL(5,2) UNSIGNED, doc JSON) "
            "AUTO_INCREMENT = 42 COLLATE utf8mb4_general_ci",
        )
    )
    assert table.column("id").identity == Identity(next_value=42)
    generated = table.column("twice").generated
    assert generated is not None
    assert not generated.stored
    assert table.column("hidden").invisible
    assert table.column("changed").on_update == Now("timestamp", 2)
    assert table.column("plain").comment == "it's"
    assert table.column("plain").equality == Equality(case=True, letters=True, accents=True, blanks=True)
    assert (table.column("exact").collation, table.column("exact").equality) == ("utf8mb4_bin", Equality(blanks=True))
    assert isinstance(table.column("doc").type, t.Json)
    assert [check.expression.sql for check in table.checks] == ["`price` >= 0"]


ALIKE: dict[str, tuple[tuple[str, str], ...]] = {
    "case": (("a", "A"),),
    "letters": (("é", "É"), ("ü", "Ü")),
    "accents": (("e", "é"), ("e", "è"), ("u", "ü")),
    "forms": (("é", "e\u0301"), ("ü", "u\u0308")),
    "blanks": (("a", "a "),),
}
"""Texts that a collation may hold for equal, by the field that says so: for some, which are letters of their own in the
language of a collation, it may not."""


def collations_of(connection: sa.Connection) -> list[tuple[str, str]]:
    """The character sets of a server with all their collations; MariaDB shows a part of them by their full names only."""
    view = "information_schema.collation_character_set_applicability"
    shown = connection.exec_driver_sql(f"SHOW FULL COLUMNS FROM {view} LIKE 'full_collation_name'").first()
    name = "full_collation_name" if shown else "collation_name"
    found = connection.exec_driver_sql(f"SELECT character_set_name, {name} FROM {view}").all()
    assert len(found) > (1000 if shown else 200)
    return [(str(charset), str(collation)) for charset, collation in found]


def test_collations_hold_for_equal_what_their_names_say(bench: Workbench) -> None:
    """By the server's own comparisons, in each of its collations, where their character sets have the letters."""
    texts = tuple({text for pairs in ALIKE.values() for pair in pairs for text in pair})
    known: dict[str, list[tuple[str, tuple[str, str]]]] = {}
    wrong = []
    with bench.connect() as connection:

        def ask(question: str, *asked: str, each: int = 1) -> sa.Row[Any]:
            """The answers to a question about each text, or pair of texts."""
            return connection.exec_driver_sql(f"SELECT {', '.join([question] * (len(asked) // each))}", asked).one()

        for charset, collation in collations_of(connection):
            here = f"CONVERT(%s USING {charset})"
            if charset not in known:
                back = ask(f"CONVERT({here} USING utf8mb4)", *texts)
                had = {text for text, came in zip(texts, back, strict=True) if came == text}
                known[charset] = [(field, pair) for field, pairs in ALIKE.items() for pair in pairs if had.issuperset(pair)]
            asked = [text for _, pair in known[charset] for text in pair]
            equal = ask(f"{here} COLLATE `{collation}` = {here}", *asked, each=2)
            found = {field for (field, _), answer in zip(known[charset], equal, strict=True) if answer}
            said = equality_of(collation, t.String())
            wrong += [
                (collation, field, field in found)
                for field in dict(known[charset])
                if getattr(said, field) != (field in found)
            ]
    assert wrong == []
    assert [len(dict(known[charset])) for charset in ("utf8mb4", "latin1", "ascii")] == [5, 4, 2]


def test_keys_tell_prefixes_directions_and_kinds(bench: Workbench) -> None:
    table = table_of(
        made(
            bench,
            "CREATE TABLE t (a INT, b VARCHAR(20), c TEXT, p POINT NOT NULL, UNIQUE KEY u (b, a), UNIQUE KEY up (b(3)), "
            "KEY k (b(5), a DESC), FULLTEXT KEY f (c), SPATIAL KEY s (p))",
        )
    )
    assert [(unique.name, unique.columns) for unique in table.uniques] == [("u", ("b", "a"))]
    found = {index.name: index for index in table.indexes}
    assert found["up"].unique
    assert [(key.column, key.length, key.descending) for key in found["k"].keys] == [("b", 5, False), ("a", None, True)]
    assert (found["f"].method, found["s"].method) == ("fulltext", "spatial")
    assert found["s"].keys[0].length is None


def test_views_come_after_the_views_they_read(bench: Workbench) -> None:
    catalog = made(
        bench,
        "CREATE TABLE t (id INT)",
        "CREATE VIEW z AS SELECT id FROM t",
        "CREATE VIEW a AS SELECT id FROM z WHERE id > 0 WITH CASCADED CHECK OPTION",
    )
    views = list(catalog.of(View))
    assert [view.name for view in views] == ["z", "a"]
    assert views[1].check_option == "CASCADED"
    assert views[1].depends_on == (QName(bench.schema, "z"),)


def test_a_partitioned_table_comes_once_with_its_partitions(bench: Workbench, mysql: Callable[[], str]) -> None:
    made(
        bench,
        "CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY RANGE (id) "
        "(PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE)",
        "INSERT INTO t VALUES (1), (100)",
    )
    twin = Twin(bench.engine.url.render_as_string(hide_password=False), mysql())
    (table,) = twin.catalog.of(Table)
    assert table.partitioning is not None
    assert [(p.name, p.bounds) for p in table.partitioning.partitions] == [("low", "10"), ("high", "MAXVALUE")]
    assert (twin.differing(), twin.changed()) == (set(), set())


@pytest.mark.product("MariaDB", "sequences, UUIDs, INET6")
def test_mariadbs_own_objects_come_back_equal(bench: Workbench, mysql: Callable[[], str]) -> None:
    made(
        bench,
        "CREATE SEQUENCE s START WITH 5 INCREMENT BY 3 MINVALUE 1 MAXVALUE 1000 CACHE 10 CYCLE",
        "SELECT NEXTVAL(s)",
        "CREATE TABLE t (id BIGINT DEFAULT NEXTVAL(s), u UUID DEFAULT UUID(), i INET6, v INT CHECK (v > 3), w INT, "
        "CONSTRAINT chk CHECK (v > w))",
        "INSERT INTO t VALUES (1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1', 5, 4)",
    )
    twin = Twin(bench.engine.url.render_as_string(hide_password=False), mysql())
    (cached,) = (loss for loss in twin.described.losses if loss.rule == "sequence-cache")
    assert cached.detail.startswith(
        "goes on at 35: numbers before it that the server may have taken ahead (CACHE 10) are left out"
    )
    (sequence,) = twin.described.of(Sequence)
    assert (sequence.start, sequence.increment, sequence.maximum, sequence.cycle) == (5, 3, 1000, True)
    (after,) = twin.target.catalog().of(Sequence)
    assert replace(after, schema=bench.schema) == sequence
    assert table_of(twin.described).column("id").default == NextValue(QName(bench.schema, "s"))
    assert twin.changed() == set()


def test_what_is_left_behind_is_named(bench: Workbench) -> None:
    catalog = made(
        bench,
        "CREATE TABLE t (id INT PRIMARY KEY) " + ("WITH SYSTEM VERSIONING" if bench.server.version >= (10,) else ""),
    )
    found = {loss.rule for loss in catalog.losses}
    assert bench.server.version < (10,) or "system-versioning" in found


def test_options_that_stay_behind_are_named_and_hidden_indexes_are_known(bench: Workbench) -> None:
    hidden = "IGNORED" if bench.server.version >= (10,) else "INVISIBLE"
    catalog = made(
        bench,
        f"CREATE TABLE t (id INT PRIMARY KEY, v INT, INDEX by_v (v) {hidden}, INDEX seen (v, id))"
        " MAX_ROWS=100 ROW_FORMAT=COMPACT",
    )
    losses = {loss.rule: loss.detail for loss in catalog.losses}
    assert {index.name: index.hidden for index in table_of(catalog).indexes} == {"by_v": True, "seen": False}
    assert losses["table-options"] == "options are not carried: max_rows=100"
    assert ("ROW_FORMAT", "COMPACT") in table_of(catalog).options


def test_programs_and_views_come_without_their_definer_whatever_its_name(bench: Workbench, mysql: Callable[[], str]) -> None:
    user = f"`odd user {bench.schema}`@`%`"
    try:
        made(
            bench,
            f"CREATE USER {user}",
            f"GRANT ALL ON `{bench.schema}`.* TO {user}",
            f"CREATE DEFINER = {user} FUNCTION uno() RETURNS INT DETERMINISTIC RETURN 1",
            f"CREATE DEFINER = {user} VIEW called AS SELECT uno() AS n",
            "CREATE ALGORITHM = TEMPTABLE SQL SECURITY INVOKER VIEW copied AS SELECT 1 AS n",
        )
        twin = Twin(bench.engine.url.render_as_string(hide_password=False), mysql())
        assert [obj.name for obj in twin.described.objects][1:] == ["uno", "called", "copied"]
        assert bench.server.version < (10,) or "TEMPTABLE" in twin.shown(twin.target, "copied", "VIEW")
        with twin.target.connect() as connection:
            assert connection.exec_driver_sql("SELECT n FROM called").scalar_one() == 1
    finally:
        made(bench, f"DROP USER IF EXISTS {user}")


def test_texts_that_the_user_may_not_see_are_named(bench: Workbench) -> None:
    user = f"limited_{bench.schema}"
    try:
        made(
            bench,
            "CREATE TABLE t (id INT)",
            "CREATE VIEW v AS SELECT id FROM t",
            "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
            f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'",
            f"GRANT SELECT, EXECUTE ON `{bench.schema}`.* TO '{user}'@'%'",
        )
        limited = Workbench.at(ADAPTER, bench.engine.url.set(username=user, password="x").render_as_string(False))
        catalog = limited.catalog()
        assert [type(obj) for obj in catalog.objects] == [Schema, Table]
        named = {loss.object: loss.rule for loss in catalog.losses}
        assert named[f'VIEW:"{bench.schema}"."v"'] == "view"
        assert named[f'FUNCTION:"{bench.schema}"."f"'] == "program"
    finally:
        made(bench, f"DROP USER IF EXISTS '{user}'@'%'")


def test_a_schema_that_is_not_there_is_named(bench: Workbench) -> None:
    with bench.connect() as connection, pytest.raises(SchemaNotFound, match="nowhere"):
        ADAPTER.catalog(connection, ["nowhere"])


def test_a_url_without_a_database_is_refused(bench: Workbench) -> None:
    url = bench.engine.url._replace(database=None)
    with ADAPTER.engine(url).connect() as connection, pytest.raises(InvalidUrl):
        ADAPTER.server(connection)


def test_a_missing_privilege_is_told_from_other_errors(bench: Workbench) -> None:
    with pytest.raises(ADAPTER.driver_errors()) as caught:
        ADAPTER.engine(bench.engine.url.set(username="nobody", password="wrong-secret")).connect()
    line, about = ADAPTER.explain(caught.value)
    assert about == "privilege"
    assert "Access denied" in line
    assert "wrong-secret" not in line


def test_truncate_empties_tables_that_refer_to_each_other_but_not_below_others(bench: Workbench) -> None:
    made(
        bench,
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "CREATE TABLE child (p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (1)",
    )
    parent, child = (Table(bench.schema, name, ()) for name in ("parent", "child"))
    ddl = bench.ddl()
    with pytest.raises(ADAPTER.driver_errors(), match="foreign key"):
        bench.run(ddl, ddl.truncate(parent))
    bench.run(ddl, ddl.truncate(parent, child))
    assert bench.rows("child", [t.Integer()]) == []
    assert bench.rows("parent", [t.Integer()]) == []


def test_a_checked_tinyint_is_a_truth_value(bench: Workbench) -> None:
    """Only where nothing else is said of it: another range, a name for the check, a default that is no truth value."""
    found = made(
        bench,
        "CREATE TABLE t (yes tinyint(1) NOT NULL DEFAULT 1, no tinyint(1) DEFAULT 0, own tinyint(1) CHECK (own IN (0, 1)),"
        " wide tinyint(4), three tinyint(1), named tinyint(1), odd tinyint(1) DEFAULT (1 + 1), free tinyint(1),"
        " CHECK (yes IN (0, 1)), CHECK (no IN (0,1)), CHECK (wide IN (0, 1)), CHECK (three IN (0, 1, 2)),"
        " CONSTRAINT told CHECK (named IN (0, 1)), CHECK (odd IN (0, 1)))",
    )
    table = table_of(found)
    truths = [column.name for column in table.columns if column.type == t.Boolean()]
    assert truths == ["yes", "no", "own"]
    assert [table.column(name).default for name in truths] == [Literal("1", "boolean"), Literal("0", "boolean"), None]
    assert {check.expression.sql.split("`")[1] for check in table.checks} == {"wide", "three", "named", "odd"}


def test_whose_privileges_stay_behind_is_named(bench: Workbench) -> None:
    schema = bench.schema
    user, server = f"left_behind_{schema}", f"far away {schema}"
    with ExitStack() as left:
        left.callback(execute, bench.engine.url, f"DROP USER IF EXISTS `{user}`")
        left.callback(execute, bench.engine.url, f"DROP SERVER IF EXISTS `{server}`")
        catalog = made(
            bench,
            "CREATE TABLE t (a int, b int)",
            "CREATE VIEW v AS SELECT a FROM t",
            f"CREATE SERVER `{server}` FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'nowhere')",
            f"CREATE USER `{user}`",
            f"GRANT SELECT, INSERT ON `{schema}`.* TO `{user}`",
            f"GRANT DELETE, UPDATE (b) ON `{schema}`.t TO `{user}`",
            f"GRANT SELECT ON `{schema}`.v TO `{user}`",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE FUNCTION p() RETURNS int DETERMINISTIC RETURN 1",
            f"GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE `{schema}`.p TO `{user}` WITH GRANT OPTION",
            "CREATE PROCEDURE OtherWise() SELECT 1",
            f"GRANT EXECUTE ON PROCEDURE `{schema}`.otherwisE TO `{user}`",
        )
    found = {loss.object: loss for loss in catalog.losses if loss.rule in {"grant", "foreign-server"}}
    grants = {name.removeprefix("GRANT:"): loss for name, loss in found.items() if name.startswith("GRANT:")}
    assert grants.keys() == {f'"{schema}"', *(f'"{schema}"."{name}"' for name in ("t", "t.b", "v", "p()", "OtherWise()"))}
    assert grants[f'"{schema}"'].detail == f"not carried: '{user}'@'%' INSERT, SELECT"
    assert [grants[f'"{schema}"."{name}"'].part_of.split(":")[0] for name in ("t", "t.b", "v")] == ["TABLE", "TABLE", "VIEW"]
    routine = grants[f'"{schema}"."p()"']
    assert routine.detail == f"not carried: '{user}'@'%' EXECUTE, ALTER ROUTINE, GRANT"
    assert routine.part_of == f'PROCEDURE:"{schema}"."p"'
    assert grants[f'"{schema}"."OtherWise()"'].part_of == f'PROCEDURE:"{schema}"."OtherWise"'
    assert found[f'FOREIGN_SERVER:"{server}"'].part_of == "DATABASE"


def test_the_accounts_and_roles_of_the_server_are_named(bench: Workbench) -> None:
    name, url = bench.schema, bench.engine.url
    execute(url, f"CREATE ROLE `{name}_r`", f"CREATE USER `{name}_u`@'%' IDENTIFIED BY 'x'")
    try:
        with bench.engine.connect() as connection:
            everything = [str(loss) for loss in ADAPTER.server_objects(connection)]
        own = sa.create_engine(url.set(username=f"{name}_u", password="x", database="information_schema"))
        with own.connect() as connection:
            hidden = ADAPTER.server_objects(connection)
        own.dispose()
    finally:
        execute(url, f"DROP ROLE `{name}_r`", f"DROP USER `{name}_u`@'%'")
    account = "ACCOUNT:\"'{}'@'%'\": not carried [account]"
    roles = [f'ROLE:"{name}_r": not carried [role]', account.format(f"{name}_r")]  # MySQL's are accounts
    assert [loss for loss in everything if name in loss] in (
        [roles[1], account.format(f"{name}_u")],
        [account.format(f"{name}_u"), roles[0]],
    )
    assert not any("root" in loss for loss in everything)
    assert [loss.rule for loss in hidden] == ["accounts"]


@pytest.mark.product("MariaDB", "a way to show many tables at once")
def test_the_number_of_queries_does_not_grow_with_the_number_of_tables(mysql: Callable[[], str]) -> None:
    """Nor where SHOW CREATE TABLE alone tells something: of partitions, of options of keys, of words that are looked for."""
    bench = Workbench.at(ADAPTER, mysql())
    statements: list[str] = []
    sa.event.listen(bench.engine, "before_cursor_execute", lambda c, cursor, sql, *rest: statements.append(sql))

    def asked(number: int) -> int:
        execute(
            bench.engine.url,
            f"CREATE TABLE `k``{number}` (a int PRIMARY KEY, b text, KEY k (a) USING HASH, FULLTEXT KEY f (b))",
            f"CREATE TABLE `m{number}` (a int PRIMARY KEY, KEY k (a) KEY_BLOCK_SIZE=1024) ENGINE=MyISAM",
            f"CREATE TABLE `p{number}` (a int PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 2",
        )
        statements.clear()
        found = bench.catalog()
        assert sum(loss.rule == "index-options" for loss in found.losses) == 2 * number
        assert sum(table.partitioning is not None for table in found.of(Table)) == number
        return len(statements)

    assert asked(1) == asked(2) == asked(3)
