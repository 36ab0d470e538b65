"""Names in MySQL: a foreign key's index is called as the key is, and some names are the server's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.adapter import load_adapter
from migrator.shortening import cut
from tests.support.moved import moved
from tests.support.pump import done
from tests.support.sql import execute, rows

Fresh = Callable[..., str]

FOREIGN_KEYS = "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
CHECKS = "SELECT constraint_name FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()"
INDEXES = (
    "SELECT index_name, group_concat(column_name ORDER BY seq_in_index) FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND table_name = 'c' GROUP BY index_name ORDER BY index_name"
)


@pytest.mark.parametrize(
    ("columns", "index", "indexes"),
    [
        ("a integer, b integer", "CREATE INDEX x ON c (b)", [("x", "b"), ("x_2", "a")]),
        (
            "a integer, b integer, n integer CONSTRAINT x_2 UNIQUE",
            "CREATE INDEX x ON c (b)",
            [("x", "b"), ("x_2", "n"), ("x_3", "a")],
        ),
        ("a integer UNIQUE, b integer", "CREATE INDEX x ON c (b)", [("c_a_key", "a"), ("x", "b")]),
        ("a integer, b integer", "CREATE INDEX x ON c (a, b)", [("x", "a,b")]),
    ],
)
def test_a_foreign_key_and_an_index_may_have_one_name(
    columns: str, index: str, indexes: list[tuple[str, str]], postgresql: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    key = "CONSTRAINT x FOREIGN KEY (a) REFERENCES p (id)"
    execute(source, "CREATE TABLE p (id integer PRIMARY KEY)", f"CREATE TABLE c ({columns}, {key})", index)
    made = moved(source, target, tmp_path)
    done(made.run)
    assert made.losses("c") == {}
    assert rows(target, FOREIGN_KEYS) == [("x",)]
    assert rows(target, INDEXES) == indexes


def test_what_is_not_made_and_other_foreign_keys_count_too(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    """The partial unique index is left out, so that it serves no key; x_2 is the name of another key's index."""
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (a integer CONSTRAINT x REFERENCES p, b integer CONSTRAINT x_2 REFERENCES p, n integer)",
        "CREATE INDEX x ON c (n)",
        "CREATE UNIQUE INDEX part ON c (a) WHERE n > 0",
    )
    made = moved(source, target, tmp_path)
    done(made.run)
    assert [*made.losses("c").values()] == ["unique index part is left out: it holds for WHERE (n > 0) only"]
    assert sorted(rows(target, FOREIGN_KEYS)) == [("x",), ("x_2",)]
    assert rows(target, INDEXES) == [("x", "n"), ("x_2", "b"), ("x_3", "a")]


def test_a_foreign_key_and_its_index_keep_their_names_between_two_databases(mysql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    key = "CONSTRAINT x FOREIGN KEY (a) REFERENCES p (id)"
    execute(source, "CREATE TABLE p (id integer PRIMARY KEY)", f"CREATE TABLE c (a integer, b integer, {key})")
    assert done(moved(source, target, tmp_path).run).losses == []
    assert rows(target, FOREIGN_KEYS) == [("x",)]
    assert rows(target, INDEXES) == [("x", "a")]


def test_what_is_named_as_the_servers_own_keys_are_gets_another_name(
    postgresql: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        'CREATE TABLE c (a integer CONSTRAINT "Primary" REFERENCES p, b integer CONSTRAINT gen_clust_index UNIQUE)',
        'CREATE INDEX "PRIMARY" ON c (b)',
    )
    made = moved(source, target, tmp_path)
    done(made.run)
    assert rows(target, FOREIGN_KEYS) == [("c_Primary",)]
    assert rows(target, INDEXES) == [("c_gen_clust_index", "b"), ("c_PRIMARY", "b"), ("c_Primary_2", "a")]


@pytest.mark.parametrize("of", ["postgresql", "sqlite"])
def test_names_with_characters_that_mysql_has_in_none_are_others(
    of: str, postgresql: Fresh, sqlite_file: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql() if of == "postgresql" else sqlite_file(), mysql()
    execute(
        source,
        'CREATE TABLE "a\U0001f600" (id integer PRIMARY KEY, "c\U0001f600" integer CHECK ("c\U0001f600" > 0), "d " integer)',
        'CREATE TABLE "b " (id integer PRIMARY KEY, p integer REFERENCES "a\U0001f600" (id))',
        'CREATE INDEX "i\U0001f600" ON "a\U0001f600" ("c\U0001f600", "d ")',
        'CREATE VIEW "v\U0001f600" AS SELECT "c\U0001f600", "d " AS "e\U0001f600" FROM "a\U0001f600"',
        'INSERT INTO "a\U0001f600" VALUES (1, 2, 3)',
        'INSERT INTO "b " VALUES (1, 1)',
    )
    made = moved(source, target, tmp_path, "VERIFY=YES")
    done(made.run)
    limits = load_adapter("mysql").capabilities
    table, column, padded, view = (cut(name, limits) for name in ("a\U0001f600", "c\U0001f600", "d ", "v\U0001f600"))
    assert rows(target, f"SELECT id, `{column}`, `{padded}` FROM `{table}`") == [(1, 2, 3)]
    assert rows(target, f"SELECT * FROM `{view}`") == [(2, 3)]
    assert rows(target, f"SELECT p FROM `{cut('b ', limits)}`") == [(1,)]
    shown = cut("e\U0001f600", limits)
    assert made.losses(view, shown) == {"name-characters": f"e\U0001f600 is named {shown} here"}
    assert rows(target, f"SELECT `{shown}` FROM `{view}`") == [(3,)]
    told = rows(target, "SELECT source_name FROM migrator_renames WHERE reason = 'CHARACTERS' ORDER BY 1")
    assert {"a\U0001f600", "b ", "c\U0001f600", "d ", "i\U0001f600", "v\U0001f600"} <= {name for (name,) in told}
    again = moved(source, target, tmp_path, "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=TRUNCATE", "TABLES=" + '"b "')
    done(again.run)
    assert rows(target, f"SELECT p FROM `{cut('b ', limits)}`") == [(1,)]


@pytest.mark.parametrize("blank", [" ", "\n", "\t ", "\r", "\v", "\f"])
def test_names_that_end_in_a_blank_are_others_but_for_those_of_checks(
    blank: str, sqlite_file: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = sqlite_file(), mysql()
    execute(
        source,
        f'CREATE TABLE "t{blank}" (id integer, "c{blank}" integer, CONSTRAINT "k{blank}" CHECK ("c{blank}" > 0))',
        f'CREATE INDEX "i{blank}" ON "t{blank}" ("c{blank}")',
        f'CREATE VIEW "v{blank}" AS SELECT "c{blank}" AS "s{blank}" FROM "t{blank}"',
        f'INSERT INTO "t{blank}" VALUES (1, 2)',
    )
    made = moved(source, target, tmp_path)
    done(made.run)
    table, column, index, view, shown = (cut(f"{name}{blank}", load_adapter("mysql").capabilities) for name in "tcivs")
    assert rows(target, f"SELECT id, `{column}` FROM `{table}`") == [(1, 2)]
    assert rows(target, f"SELECT `{shown}` FROM `{view}`") == [(2,)]
    assert {name for name, _ in rows(target, INDEXES.replace("'c'", f"'{table}'"))} == {index}
    assert rows(target, CHECKS) == [(f"k{blank}",)]


def test_a_check_keeps_the_blank_that_its_name_ends_in_between_two_databases(mysql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), mysql()
    execute(source, "CREATE TABLE c (a integer, CONSTRAINT `x ` CHECK (a > 0), CONSTRAINT `y\n` CHECK (a < 9))")
    assert done(moved(source, target, tmp_path).run).losses == []
    assert sorted(rows(target, CHECKS)) == [("x ",), ("y\n",)]
