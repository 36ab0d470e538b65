"""Names that are longer than the target takes: cut everywhere in the same way, rows still found, each in the loss list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import Capabilities, load_adapter
from migrator.shortening import cut
from tests.support.moved import moved
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, inspect, rows

PARENT, CHILD, ID = "parent_" * 12, "child_" * 15, "identifier_" * 8
VIEW, INDEX = "view_" * 20, "index_" * 20
MAKE = (
    f"CREATE TABLE {PARENT} ({ID} integer PRIMARY KEY, name text)",
    f"CREATE TABLE {CHILD} (id integer PRIMARY KEY, {ID} integer REFERENCES {PARENT} ({ID}), CHECK ({ID} > 0))",
    f"CREATE INDEX {INDEX} ON {CHILD} ({ID})",
    f"CREATE VIEW {VIEW} AS SELECT {ID}, name FROM {PARENT}",
    f"INSERT INTO {PARENT} VALUES (1, 'one'), (2, 'two')",
    f"INSERT INTO {CHILD} VALUES (7, 2)",
)


def limits(url: str) -> Capabilities:
    backend = sa.make_url(url).get_backend_name()
    return load_adapter({"mariadb": "mysql"}.get(backend, backend)).capabilities


@pytest.mark.parametrize("way", ["link", "dump"])
@pytest.mark.parametrize("target", ["postgresql", "mysql"])
def test_a_schema_of_long_names_arrives_under_short_ones(
    target: str, way: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, url = sqlite_file("source.db"), str(request.getfixturevalue(target)())
    execute(source, *MAKE)
    where = (f"NETWORK_LINK={source}",)
    if way == "dump":
        done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
        where = (f"DIRECTORY={tmp_path}",)
    run = done(pump("impdp", url, *where, remap(source, url), "NOLOGFILE=YES"))
    parent, child, key, view, index = (cut(name, limits(url)) for name in (PARENT, CHILD, ID, VIEW, INDEX))
    assert rows(url, f"SELECT {key}, name FROM {view} ORDER BY 1") == [(1, "one"), (2, "two")]
    assert rows(url, f"SELECT id, {key} FROM {child}") == [(7, 2)]
    with inspect(url) as there:
        (foreign,) = there.get_foreign_keys(child)
        assert (foreign["constrained_columns"], foreign["referred_table"], foreign["referred_columns"]) == (
            [key],
            parent,
            [key],
        )
        assert index in [found["name"] for found in there.get_indexes(child)]
    told = [loss for loss in run.losses if "[name-cut]" in loss]
    assert len(told) == 6
    assert f"{PARENT} is named {parent} here" in told[0]


def test_a_later_job_finds_the_tables_that_an_earlier_one_made(
    postgresql: Callable[..., str], sqlite_file: Callable[..., str]
) -> None:
    source, url = sqlite_file("source.db"), postgresql()
    execute(source, *MAKE)
    link = (f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES")
    done(pump("impdp", url, *link, "CONTENT=METADATA_ONLY"))
    done(pump("impdp", url, *link, "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=APPEND"))
    assert rows(url, f"SELECT count(*) FROM {cut(PARENT, limits(url))}") == [(2,)]


def test_names_of_other_alphabets_are_counted_as_the_target_counts(
    mysql: Callable[[], str], postgresql: Callable[..., str]
) -> None:
    """64 characters fill MySQL's names, and are 128 bytes of PostgreSQL's 63."""
    source, url = mysql(), postgresql()
    name = "ж" * 64
    execute(source, f"CREATE TABLE `{name}` (id integer)", f"INSERT INTO `{name}` VALUES (5)")
    done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES"))
    assert rows(url, f'SELECT id FROM "{cut(name, limits(url))}"') == [(5,)]


def test_a_name_that_a_view_alone_gives_is_cut_and_told(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), postgresql()
    alias = "alias_" * 12
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "INSERT INTO t VALUES (1)",
        f"CREATE VIEW v AS SELECT id AS {alias} FROM t",
        f"CREATE VIEW w AS SELECT {alias} + 1 AS n FROM v",
    )
    made = moved(source, target, tmp_path)
    done(made.run)
    short = cut(alias, limits(target))
    assert made.losses("v", short) == {"name-cut": f"{alias} is named {short} here"}
    assert rows(target, f"SELECT {short} FROM v") == [(1,)]
    assert rows(target, "SELECT n FROM w") == [(2,)]


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("t" * 60, ("t" * 58 + "_pkey", "t" * 47 + "_" + "c" * 11 + "_key")),
        ("ж" * 31, ("ж" * 29 + "_pkey", "ж" * 23 + "_" + "c" * 11 + "_key")),  # 62 bytes: half a character is none
    ],
)
def test_no_key_is_named_as_postgresql_cuts_the_name_of_one_that_has_none(
    table: str, keys: tuple[str, str], postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, url = sqlite_file("source.db"), postgresql()
    execute(
        source,
        'CREATE TABLE b (a integer, c integer, CONSTRAINT "{}" UNIQUE (a), CONSTRAINT "{}" UNIQUE (c))'.format(*keys),
        f'CREATE TABLE "{table}" (id integer PRIMARY KEY, {"c" * 11} integer UNIQUE)',
    )
    made = moved(source, url, tmp_path)
    done(made.run)
    names = "SELECT conname FROM pg_constraint WHERE conrelid = '\"{}\"'::regclass AND contype IN ('p', 'u')"
    assert sorted(rows(url, names.format(table))) == sorted((name,) for name in keys)
    assert len(rows(url, names.format("b"))) == 2
    assert len(made.details("b", "index-name")) == 2
