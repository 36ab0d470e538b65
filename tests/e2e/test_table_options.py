"""What a table is besides its columns: on the same database it stays, or is named; another one names what it has not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows, scalar

Fresh = Callable[..., str]


def moved(source: str, target: str) -> list[str]:
    """Moves a database; the entries of the loss list, without the names of schemas."""
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    return sorted(loss.partition('"t"')[2] or loss for loss in run.losses)


# --- SQLite ---------------------------------------------------------------------------------------------------------

NO_NULL = '."a": takes no NULL here: no primary key does [key-not-null]'
REUSED = (
    '."a": numbers of deleted rows are not given again (at the source: the next is one above the largest) [identity-reuse]'
)
SQLITE: Mapping[str, tuple[str, list[str]]] = {
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c ANY) STRICT": (
        ": options are not carried: STRICT [table-options]",
        [REUSED, '."c": values of any type are let in at the source [declaration]'],
    ),
    "CREATE TABLE t (a VARCHAR(9) PRIMARY KEY, b TEXT) WITHOUT ROWID": (
        ": options are not carried: WITHOUT ROWID [table-options]",
        [],
    ),
    "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT)": ("", []),
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)": (REUSED, []),
    "CREATE TABLE t (a VARCHAR(9) PRIMARY KEY, b TEXT)": (NO_NULL, []),
    "CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b TEXT)": (NO_NULL, []),
    "CREATE TABLE t (a BIGINT PRIMARY KEY NOT NULL, b TEXT)": ("", []),
}
"""Tables, the entry about their options in another database, and further ones."""


@pytest.mark.parametrize("there", ["sqlite", "postgresql"])
@pytest.mark.parametrize("table", SQLITE)
def test_a_table_of_sqlite_keeps_its_options_or_they_are_named(
    table: str, there: str, sqlite_file: Fresh, postgresql: Fresh
) -> None:
    source, target = sqlite_file("a.db"), sqlite_file("b.db") if there == "sqlite" else postgresql()
    execute(source, table)
    said = moved(source, target)
    named, others = SQLITE[table]
    if there == "postgresql":
        assert said == sorted([*filter(None, [named]), *others])
        return
    assert said == []
    for query in (
        "SELECT wr, strict FROM pragma_table_list('t')",
        """SELECT name, "notnull" AND NOT pk, pk FROM pragma_table_xinfo('t')""",
        "SELECT origin FROM pragma_index_list('t')",
        "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'",
    ):
        assert rows(target, query) == rows(source, query)
    takes = "INSERT INTO t (a) VALUES (NULL)"
    assert refuses_null(target, takes) == refuses_null(source, takes)
    assert rows(target, "SELECT a FROM t") == rows(source, "SELECT a FROM t")


@pytest.mark.parametrize("clause", ["", "AUTOINCREMENT"])
@pytest.mark.parametrize("via", ["sqlite", "postgresql", "mysql"])
def test_numbers_of_deleted_rows_come_again_as_before_or_the_entry_says_that_they_do_not(
    via: str, clause: str, sqlite_file: Fresh, request: pytest.FixtureRequest
) -> None:
    first, back = sqlite_file("a.db"), sqlite_file("b.db")
    between = sqlite_file("c.db") if via == "sqlite" else request.getfixturevalue(via)()
    execute(first, f"CREATE TABLE t (id INTEGER PRIMARY KEY {clause})", "INSERT INTO t VALUES (3)")
    said = [*moved(first, between), *moved(between, back)]
    told = any("identity-reuse" in entry for entry in said)
    assert told == (via != "sqlite" and not clause)
    for url in (first, back):
        execute(url, "INSERT INTO t VALUES (8)", "DELETE FROM t WHERE id = 8", "INSERT INTO t DEFAULT VALUES")
    again = 4 if not clause else 9
    assert rows(first, "SELECT max(id) FROM t") == [(again,)]
    assert rows(back, "SELECT max(id) FROM t") == [(9 if told else again,)]


def refuses_null(url: str, statement: str) -> bool:
    """Whether a database refuses a statement because of a NULL."""
    try:
        execute(url, statement)
    except sa.exc.DBAPIError as error:
        if re.search("not.null|cannot be null|doesn't have a default", str(error.orig), re.IGNORECASE):
            return True
        raise
    return False


@pytest.mark.parametrize("here", ["postgresql", "mysql"])
def test_a_key_that_nothing_generates_does_not_begin_to_count_in_sqlite(
    here: str, sqlite_file: Fresh, request: pytest.FixtureRequest
) -> None:
    source, target = request.getfixturevalue(here)(), sqlite_file()
    execute(source, "CREATE TABLE t (a bigint PRIMARY KEY)", "INSERT INTO t VALUES (5)")
    assert moved(source, target) == []
    with pytest.raises(Exception, match="NOT NULL constraint failed"):
        execute(target, "INSERT INTO t DEFAULT VALUES")
    back = request.getfixturevalue(here)()
    moved(target, back)
    assert refuses_null(back, "INSERT INTO t (a) VALUES (DEFAULT)")


def test_the_numbers_that_an_application_keeps_in_a_sqlite_file_are_named(sqlite_file: Fresh) -> None:
    source = sqlite_file("a.db")
    execute(source, "CREATE TABLE t (a TEXT)", "PRAGMA user_version = 7", "PRAGMA application_id = 5")
    assert moved(source, sqlite_file("b.db")) == [
        'PRAGMA:"application_id": not carried: 5 [pragma]',
        'PRAGMA:"user_version": not carried: 7 [pragma]',
    ]


# --- MySQL ----------------------------------------------------------------------------------------------------------

MARIADB: Mapping[str, list[str]] = {
    "CREATE TABLE t (a int PRIMARY KEY, b int, KEY k (b) USING BTREE) ENGINE=MEMORY": [
        ": rows are those of the moment they are read, not of the snapshot: MEMORY has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int NOT NULL AUTO_INCREMENT, KEY k (a) USING BTREE COMMENT 'why') ENGINE=MEMORY": [
        ": rows are those of the moment they are read, not of the snapshot: MEMORY has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int PRIMARY KEY, b int, KEY k (b) USING HASH COMMENT 'USING BTREE') ENGINE=MEMORY": [
        ": rows are those of the moment they are read, not of the snapshot: MEMORY has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int PRIMARY KEY, b int, UNIQUE KEY `k (` (b) KEY_BLOCK_SIZE=1024) ENGINE=MyISAM": [
        ": options of index k ( are not carried: KEY_BLOCK_SIZE=1024 [index-options]",
        ": rows are those of the moment they are read, not of the snapshot: MyISAM has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int, PRIMARY KEY USING BTREE (a)) ENGINE=MEMORY": [
        ": options of index PRIMARY are not carried: USING BTREE [index-options]",
        ": rows are those of the moment they are read, not of the snapshot: MEMORY has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int, PRIMARY KEY (a) KEY_BLOCK_SIZE=1024) ENGINE=MyISAM": [
        ": options of index PRIMARY are not carried: KEY_BLOCK_SIZE=1024 [index-options]",
        ": rows are those of the moment they are read, not of the snapshot: MyISAM has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int PRIMARY KEY, b int WITHOUT SYSTEM VERSIONING, c int) WITH SYSTEM VERSIONING": [
        '."b": that its changes are kept out of the rows of the past is not carried [system-versioning]',
        ": rows of the past are not carried, only those of now [system-versioning]",
    ],
    "CREATE TABLE t (a int PRIMARY KEY) ENGINE=Aria": [
        ": rows are those of the moment they are read, not of the snapshot: Aria has no transactions [no-snapshot]",
    ],
    "CREATE TABLE t (a int PRIMARY KEY, b text COMPRESSED)": [],
    "CREATE TABLE t (a int, b int, PRIMARY KEY (a) USING BTREE, KEY k (b) USING HASH, KEY `l``` (a, b) KEY_BLOCK_SIZE=8)": [
        ": options of index k are not carried: USING HASH [index-options]",
        ": options of index l` are not carried: KEY_BLOCK_SIZE=8 [index-options]",
    ],
    "CREATE TABLE t (a int, b text, PRIMARY KEY (a) KEY_BLOCK_SIZE=4, UNIQUE KEY k (b))": [
        ": options of index PRIMARY are not carried: KEY_BLOCK_SIZE=4 [index-options]",
    ],
}
"""Tables, and what is not the same in another database of the server."""


OF_MARIADB = re.compile(r"SYSTEM VERSIONING|Aria|COMPRESSED|PRIMARY KEY \(a\) USING|KEY_BLOCK_SIZE=4")
"""What MySQL refuses, or passes over."""


@pytest.mark.parametrize(
    "table",
    [pytest.param(sql, marks=pytest.mark.product("MariaDB", sql) if OF_MARIADB.search(sql) else ()) for sql in MARIADB],
)
def test_what_a_table_of_mariadb_is_stored_as_stays_or_is_named(table: str, mysql: Fresh) -> None:
    source, target = mysql(), mysql()
    execute(source, table)
    assert moved(source, target) == MARIADB[table]
    kinds = (
        "SELECT index_name, index_type FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name <> "
        "'PRIMARY' ORDER BY index_name"
    )
    assert rows(target, kinds) == rows(source, kinds)


def test_an_index_of_mariadb_that_has_an_order_is_one_elsewhere(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = mysql(), postgresql()
    execute(source, "CREATE TABLE t (a int PRIMARY KEY, b int, KEY k (b) USING BTREE) ENGINE=MEMORY")
    assert not [loss for loss in moved(source, target) if "[index-options]" in loss]
    assert rows(target, "SELECT indexdef LIKE '%USING btree%' FROM pg_indexes WHERE indexname = 'k'") == [(True,)]


@pytest.mark.product("MariaDB", "compressed columns")
def test_a_compressed_column_of_mariadb_is_named_elsewhere(mysql: Fresh, sqlite_file: Fresh) -> None:
    source = mysql()
    execute(source, "CREATE TABLE t (a int PRIMARY KEY, b longblob COMPRESSED)")
    assert moved(source, sqlite_file()) == ['."b": values are not compressed [declaration]']


@pytest.mark.product("MariaDB", "unique keys over whole texts")
def test_a_unique_key_of_mariadb_that_was_to_be_a_hash_is_named(mysql: Fresh) -> None:
    source, target = mysql(), mysql()
    execute(
        source,
        "CREATE TABLE t (a int PRIMARY KEY, b int, c text, d varchar(9000), UNIQUE KEY k (b) USING HASH, UNIQUE KEY l (c),"
        " UNIQUE KEY m (d), UNIQUE KEY n (a, b))",
    )
    assert moved(source, target) == [": options of index k are not carried: USING HASH [index-options]"]


@pytest.mark.product("MariaDB", "tables in any directory")
def test_the_directories_of_a_table_of_mariadb_are_named(mysql: Fresh) -> None:
    source, target = mysql(), mysql()
    place = scalar(source, "SELECT @@tmpdir")
    execute(source, f"CREATE TABLE t (a int PRIMARY KEY) DATA DIRECTORY='{place}'")
    assert moved(source, target) == [f": options are not carried: DATA DIRECTORY='{place}/' [table-options]"]
