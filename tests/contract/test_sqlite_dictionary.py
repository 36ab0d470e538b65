"""What a SQLite file's catalog tells: all that its CREATE statements say, and what cannot be carried by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrator.model.equality import EXACT, Equality
from migrator.model.objects import (
    Check,
    Expression,
    ForeignKey,
    Identity,
    Index,
    IndexKey,
    PrimaryKey,
    Program,
    QName,
    Table,
    Unique,
    View,
)
from tests.support.sqlite import carry, catalog, make, table_of

New = Callable[..., str]

EVERYTHING = """
    CREATE TABLE parent (
        a INTEGER NOT NULL, b TEXT NOT NULL COLLATE NOCASE, c TEXT COLLATE BINARY,
        CONSTRAINT parent_pk PRIMARY KEY (b, a), CONSTRAINT once UNIQUE (c, a)
    ) WITHOUT ROWID;
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT DEFAULT 'it''s', price NUMERIC(10,2) DEFAULT 1.5);
    CREATE TABLE child (
        id INTEGER PRIMARY KEY,
        boss INT REFERENCES child ON DELETE SET NULL,
        pb TEXT, pa INTEGER, n INTEGER CONSTRAINT n_up CHECK (n > 0),
        twice INTEGER GENERATED ALWAYS AS (n * 2) STORED, half AS (n / 2),
        CHECK (n < 100),
        CONSTRAINT to_parent FOREIGN KEY (pb, pa) REFERENCES Parent (B, A) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
    );
    CREATE TABLE strict (i INT, r REAL, x ANY) STRICT;
    CREATE INDEX plain ON child (boss);
    CREATE UNIQUE INDEX special ON child (n DESC, lower(pb), pb COLLATE RTRIM) WHERE n IS NOT NULL;
    CREATE VIEW later (x) AS SELECT note FROM earlier;
    CREATE VIEW earlier AS SELECT note FROM counted;
    CREATE TRIGGER touched AFTER INSERT ON counted BEGIN UPDATE counted SET note = 'x' WHERE id = new.id; END;
    INSERT INTO counted VALUES (7, 'x', 2), (3, 'y', 0.25);
    DELETE FROM counted WHERE id = 7;
"""


@pytest.fixture
def everything(sqlite_file: New) -> str:
    url = sqlite_file()
    make(url, EVERYTHING)
    return url


def test_keys_and_constraints_have_their_names_actions_and_deferral(everything: str) -> None:
    parent, child = table_of(everything, "parent"), table_of(everything, "child")
    assert parent.primary_key == PrimaryKey("parent_pk", ("b", "a"))
    assert parent.uniques == (Unique("once", ("c", "a")),)
    assert parent.options == (("WITHOUT ROWID", ""),)
    assert child.primary_key == PrimaryKey(None, ("id",))
    assert child.foreign_keys == (
        ForeignKey(None, ("boss",), QName("main", "child"), ("id",), on_delete="SET NULL"),
        ForeignKey(
            "to_parent",
            ("pb", "pa"),
            QName("main", "parent"),
            ("b", "a"),
            on_update="CASCADE",
            deferrable=True,
            initially_deferred=True,
        ),
    )
    assert child.checks == (Check("n_up", Expression("n > 0", "sqlite")), Check(None, Expression("n < 100", "sqlite")))


def test_indexes_have_their_order_expressions_collations_and_condition(everything: str) -> None:
    assert table_of(everything, "child").indexes == (
        Index("plain", (IndexKey("boss"),)),
        Index(
            "special",
            (
                IndexKey("n", descending=True),
                IndexKey(expression=Expression("lower(pb)", "sqlite")),
                IndexKey("pb", collation="RTRIM"),
            ),
            unique=True,
            where=Expression("n IS NOT NULL", "sqlite"),
        ),
    )


def test_a_lone_integer_key_is_an_identity_that_goes_on_after_the_largest_it_ever_gave(everything: str) -> None:
    counted, child = table_of(everything, "counted"), table_of(everything, "child")
    assert counted.columns[0].identity == Identity(next_value=8)
    assert child.columns[0].identity == Identity(next_value=1, reuses=True)
    assert not child.columns[0].nullable
    assert all(column.identity is None for column in table_of(everything, "parent").columns)


@pytest.mark.parametrize(
    "declared", ["INT PRIMARY KEY", "INTEGER PRIMARY KEY DESC", "INTEGER, b INTEGER, PRIMARY KEY (a, b)", "TEXT PRIMARY KEY"]
)
def test_a_key_that_is_not_the_rowid_is_no_identity(sqlite_file: New, declared: str) -> None:
    url = sqlite_file()
    make(url, f"CREATE TABLE t (a {declared})")
    assert table_of(url, "t").columns[0].identity is None


def test_generated_columns_keep_their_expressions(everything: str) -> None:
    table = table_of(everything, "child")
    generated = {column.name: column.generated for column in table.columns if column.generated is not None}
    assert {name: (found.expression.sql, found.stored) for name, found in generated.items()} == {
        "twice": ("n * 2", True),
        "half": ("n / 2", False),
    }
    assert "twice" not in [column.name for column in table.data_columns]


def test_collations_other_than_the_usual_are_kept(everything: str) -> None:
    columns = {column.name: (column.collation, column.equality) for column in table_of(everything, "parent").columns}
    assert columns == {"a": (None, EXACT), "b": ("NOCASE", Equality(case=True)), "c": (None, EXACT)}


def test_views_come_after_what_they_read_and_triggers_last(everything: str) -> None:
    objects = catalog(everything).objects
    assert [type(obj).__name__ for obj in objects] == ["Schema", *["Table"] * 4, *["View"] * 2, "Program"]
    assert [(view.name, view.columns) for view in objects if isinstance(view, View)] == [("earlier", ()), ("later", ("x",))]
    (trigger,) = catalog(everything).of(Program)
    assert (trigger.kind, trigger.name, trigger.table) == ("TRIGGER", "touched", "counted")


def test_a_file_made_from_its_catalog_has_the_same_catalog(everything: str, sqlite_file: New) -> None:
    made = sqlite_file("made.db")
    carried = carry(everything, made)
    assert carried.refused == {}
    assert catalog(made).objects == carried.catalog.objects


def test_hidden_tables_are_left_out_and_virtual_ones_named(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE VIRTUAL TABLE found USING fts5(x); CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE")
    described = catalog(url)
    assert [table.name for table in described.of(Table)] == ["t"]
    (loss,) = described.losses
    assert (loss.object, loss.rule) == ('TABLE:"main"."found"', "virtual-table")
    assert 'with its shadow tables "found_config", "found_content", "found_data", "found_docsize"' in loss.detail


def test_a_conflict_clause_is_a_loss(sqlite_file: New) -> None:
    url = sqlite_file()
    make(url, "CREATE TABLE t (a INT UNIQUE ON CONFLICT REPLACE, b INT NOT NULL ON CONFLICT ABORT)")
    (loss,) = catalog(url).losses
    assert (loss.rule, loss.detail) == ("on-conflict", "UNIQUE raises an error instead of ON CONFLICT REPLACE")
