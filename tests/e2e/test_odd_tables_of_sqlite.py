"""What only SQLite declares: keys with collations of their own, columns without types, types that nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import Run, done, pump, remap
from tests.support.rows import assert_same_rows
from tests.support.sql import execute, rows

KEYS = {
    "unique": "CREATE TABLE k (a text, UNIQUE (a COLLATE nocase))",
    "primary key": "CREATE TABLE k (b integer, a text, PRIMARY KEY (b DESC, a COLLATE nocase))",
    "without rowid": "CREATE TABLE k (a text COLLATE rtrim, PRIMARY KEY (a COLLATE binary)) WITHOUT ROWID",
    "several": "CREATE TABLE k (a text, b text COLLATE nocase, CONSTRAINT n UNIQUE (b COLLATE nocase, a COLLATE rtrim))",
}


def moved(source: str, target: str, directory: Path, link: bool, *arguments: str) -> Run:
    where = f"DIRECTORY={directory}"
    if link:
        return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), where, *arguments)
    done(pump("expdp", source, where, "DUMPFILE=odd.dmp"))
    return pump("impdp", target, where, "DUMPFILE=odd.dmp", remap(source, target), *arguments)


def keys(url: str) -> list[tuple[object, ...]]:
    return rows(
        url,
        "SELECT x.name, upper(x.coll) FROM pragma_index_list('k') AS i, pragma_index_xinfo(i.name) AS x"
        " WHERE x.key ORDER BY i.seq, 1",
    )


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("table", KEYS.values(), ids=KEYS)
def test_a_key_keeps_its_own_collations(table: str, link: bool, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, target = sqlite_file(), sqlite_file("target.db")
    execute(source, table)
    done(moved(source, target, tmp_path, link))
    assert keys(target) == keys(source)


def test_a_primary_keys_own_collation_is_named_where_columns_have_one_only(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, KEYS["without rowid"])
    run = done(moved(source, target, tmp_path, True))
    assert [loss.split('"')[5] for loss in run.losses if "[key-collation]" in loss] == ["a"]


@pytest.mark.parametrize("link", [True, False])
def test_numbers_stay_numbers_as_defaults_of_columns_without_a_type(
    link: bool, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), sqlite_file("target.db")
    execute(
        source,
        "CREATE TABLE e (x, y DEFAULT 5, z DEFAULT true, a DEFAULT -1.5, b DEFAULT '7', c text DEFAULT 8, d DEFAULT 0x10)",
    )
    done(moved(source, target, tmp_path, link))
    shown = "SELECT *, typeof(y), typeof(z), typeof(a), typeof(b), typeof(c), typeof(d) FROM e"
    for url in (source, target):
        execute(url, "INSERT INTO e (x) VALUES (1)")
        types = ("integer", "integer", "real", "text", "text", "integer")
        assert rows(url, shown) == [(1, 5, 1, -1.5, "7", "8", 16, *types)]


def test_a_number_as_default_of_a_column_without_a_type_is_its_text_elsewhere(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, "CREATE TABLE e (x text, y DEFAULT 5)")
    done(moved(source, target, tmp_path, True))
    execute(target, "INSERT INTO e (x) VALUES ('a')")
    assert rows(target, "SELECT y FROM e") == [("5",)]


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("value", ["5", "5.5", "'a'", "x'00ff'", "NULL"])
def test_columns_without_a_type_are_verified_by_their_values(
    value: str, link: bool, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), sqlite_file("target.db")
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, x)", f"INSERT INTO t VALUES (1, {value})")
    run = done(moved(source, target, tmp_path, link, "VERIFY=YES"))
    assert "MIG-20011" not in run.out
    assert_same_rows(source, target)


def test_a_type_that_nobody_knows_is_named(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, "CREATE TABLE y (a foo, b varchar(3), c)")
    run = done(moved(source, target, tmp_path, True))
    named = [loss for loss in run.losses if "[declaration]" in loss]
    assert [loss.split('"')[5] for loss in named] == ["a", "c"]
    assert "foo is no type that is known" in named[0]


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize(
    "declared",
    ["integer or text", "a, b int", 'say "it"', "primary key", "text not null", "10 x", "integer", "varchar (3)", "ö"],
)
def test_names_of_types_are_quoted_where_they_must_be(
    declared: str, link: bool, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), sqlite_file("target.db")
    quoted = declared.replace('"', '""')
    with sa.create_engine(source).begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE t (id integer PRIMARY KEY, e "{quoted}")')
    done(moved(source, target, tmp_path, link))
    shown = "SELECT name, type, \"notnull\", pk FROM pragma_table_info('t') WHERE name = 'e'"
    assert rows(target, shown) == rows(source, shown)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_a_hexadecimal_default_is_its_number(
    kind: str, sqlite_file: Callable[..., str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = sqlite_file()
    target = sqlite_file("target.db") if kind == "sqlite" else request.getfixturevalue(kind)()
    declared = "i INTEGER DEFAULT 0x1F, n BIGINT DEFAULT 0xFFFFFFFFFFFFFFFE, m NUMERIC DEFAULT -0x10, t TEXT DEFAULT 0xA"
    execute(source, f"CREATE TABLE h (id INTEGER PRIMARY KEY, {declared})", "INSERT INTO h (id) VALUES (1)")
    run = done(moved(source, target, tmp_path, True))
    assert [loss for loss in run.losses if "[default]" in loss] == []
    for url in (source, target):
        execute(url, "INSERT INTO h (id) VALUES (2)")
        assert rows(url, "SELECT i, n, m, t FROM h WHERE id = 2") == [(31, -2, -16, "10")]


def test_a_table_of_as_many_columns_as_sqlite_has_is_moved_by_a_dump_set(
    sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), sqlite_file("target.db")
    columns = [f"c{n}" for n in range(2000)]
    execute(source, f"CREATE TABLE w ({', '.join(f'{name} TEXT' for name in columns)})")
    execute(source, "INSERT INTO w (c0, c1999) VALUES ('first', 'last')")
    done(moved(source, target, tmp_path, False))
    assert rows(target, "SELECT c0, c1, c1999 FROM w") == [("first", None, "last")]


def test_a_key_that_has_the_largest_number_says_that_none_comes_after_it(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), postgresql()
    execute(source, "CREATE TABLE k (id INTEGER PRIMARY KEY, v int)", f"INSERT INTO k VALUES ({2**63 - 1}, 1)")
    run = done(moved(source, target, tmp_path, True))
    execute(source, "INSERT INTO k (v) VALUES (2)")
    with pytest.raises(sa.exc.DBAPIError, match="reached maximum"):
        execute(target, "INSERT INTO k (v) VALUES (2)")
    (told,) = [loss for loss in run.losses if "[identity-position]" in loss]
    assert told.endswith(
        '."k"."id": gives no more numbers: 9223372036854775807 is taken (at the source any that is free'
        " comes then) [identity-position]"
    )
