"""What SQLite's keys and constraints say that other databases', or another text of them, would say otherwise.

Each is something that random rules (``test_random_rules.py``) have shown to change without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.moved import Moved, moved
from tests.support.pump import done
from tests.support.sql import execute, rows

Fresh = Callable[..., str]
KINDS = ("postgresql", "mysql", "sqlite")


@pytest.fixture
def move(request: pytest.FixtureRequest, sqlite_file: Fresh, tmp_path: Path) -> Callable[..., Moved]:
    """``move("mysql", statement, …)``: a SQLite file of these statements, moved to a database of a kind."""

    def there(kind: str, *statements: str) -> Moved:
        source = sqlite_file("source.db")
        execute(source, *statements)
        target = sqlite_file("target.db") if kind == "sqlite" else request.getfixturevalue(kind)()
        made = moved(source, target, tmp_path)
        done(made.run)
        return made

    return there


Move = Callable[..., Moved]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_key_that_would_take_nulls_is_named(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a int, b int NOT NULL, PRIMARY KEY (a, b))", "INSERT INTO t VALUES (1, 2)")
    assert made.losses("t", "a") == {"key-not-null": "takes no NULL here: no primary key does"}
    assert made.losses("t", "b") == {}
    made.refuses("INSERT INTO t (a, b) VALUES (NULL, 3)", "(?i)null")


def test_a_key_that_takes_nulls_still_does_in_sqlite(move: Move) -> None:
    made = move("sqlite", "CREATE TABLE t (a text PRIMARY KEY, b int)", "INSERT INTO t VALUES ('x', 2)")
    execute(made.url, "INSERT INTO t VALUES (NULL, 3)")
    assert made.rows("SELECT a, b FROM t ORDER BY b") == [("x", 2), (None, 3)]
    assert made.entries == ()


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_set_default_is_read(kind: str, move: Move) -> None:
    made = move(
        kind,
        "CREATE TABLE p (a int UNIQUE)",
        "CREATE TABLE t (a int REFERENCES p (a) ON DELETE SET DEFAULT CONSTRAINT above CHECK (a > 0), b int)",
        "INSERT INTO p VALUES (-1), (1)",
    )
    made.refuses("INSERT INTO t (a) VALUES (-1)", "above")
    execute(made.url, "INSERT INTO t (a) VALUES (1)")


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_key_that_sets_a_default_is_still_deferred(kind: str, move: Move) -> None:
    made = move(
        kind,
        "CREATE TABLE p (a int UNIQUE)",
        "CREATE TABLE t (a int REFERENCES p (a) ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED)",
    )
    query = {
        "postgresql": "SELECT condeferred FROM pg_constraint WHERE contype = 'f'",
        "sqlite": "SELECT sql LIKE '%SET DEFAULT DEFERRABLE INITIALLY DEFERRED%' FROM sqlite_schema WHERE name = 't'",
    }
    assert made.column(query[kind]) == [1]


def test_mysql_names_the_key_that_is_not_deferred(move: Move) -> None:
    made = move(
        "mysql",
        "CREATE TABLE p (a int UNIQUE)",
        "CREATE TABLE t (a int REFERENCES p (a) ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED)",
    )
    assert made.losses("t") == {
        "deferrable": "key on a is checked at once, never deferred",
        "set-default": "foreign key on a refuses instead of SET DEFAULT",
    }


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_constraints_of_one_name_are_told_apart(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a int CONSTRAINT x CHECK (a > 0), b int, CONSTRAINT x CHECK (b > 0))")
    assert made.losses("t") == {"constraint-name": "check x is named t_x here"}
    for row in ("(0, 1)", "(1, 0)"):
        made.refuses(f"INSERT INTO t VALUES {row}", "(?i)check|constraint")


def test_a_unique_constraint_with_a_collation_of_its_own_keeps_it_in_sqlite(move: Move) -> None:
    made = move("sqlite", "CREATE TABLE t (a text, b text, UNIQUE (a COLLATE NOCASE))", "INSERT INTO t VALUES ('x', 'y')")
    made.refuses("INSERT INTO t (a) VALUES ('X')", "UNIQUE")
    assert made.entries == ()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_unique_constraint_with_a_collation_of_its_own_is_named(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a varchar(9), UNIQUE (a COLLATE NOCASE))", "INSERT INTO t VALUES ('x')")
    told = made.losses("t", "a")["index-collation"]
    assert told == "index t_a_key compares a as its column does (at the source: NOCASE)"
    made.refuses("INSERT INTO t (a) VALUES ('x')", "(?i)unique|duplicate")


def test_unique_constraints_over_one_column_keep_their_names(move: Move) -> None:
    made = move("postgresql", "CREATE TABLE t (a text, CONSTRAINT x UNIQUE (a COLLATE NOCASE), CONSTRAINT y UNIQUE (a))")
    query = "SELECT indexname FROM pg_indexes WHERE tablename = 't' ORDER BY 1"
    assert made.column(query) == ["x", "y"]
    assert made.column("SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 't'::regclass") == ["y"]


@pytest.mark.parametrize("option", ["", "WITHOUT ROWID"])
def test_a_primary_key_with_a_collation_of_its_own_keeps_it_in_sqlite(option: str, move: Move) -> None:
    made = move("sqlite", f"CREATE TABLE t (a text, PRIMARY KEY (a COLLATE NOCASE)) {option}", "INSERT INTO t VALUES ('x')")
    made.refuses("INSERT INTO t (a) VALUES ('X')", "UNIQUE")
    assert made.column("SELECT name FROM pragma_table_info('t') WHERE pk") == ["a"]
    assert made.entries == ()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_primary_key_with_a_collation_of_its_own_stays_one_and_is_named(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a varchar(9), PRIMARY KEY (a COLLATE NOCASE))", "INSERT INTO t VALUES ('x')")
    told = "the primary key compares as the column does (at the source: by its own collation NOCASE)"
    assert made.losses("t", "a")["key-collation"] == told
    made.refuses("INSERT INTO t VALUES (NULL)", "(?i)null")
    made.refuses("INSERT INTO t VALUES ('x')", "(?i)unique|duplicate")


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize(
    "key", ["PRIMARY KEY (a COLLATE BINARY)", "UNIQUE (a COLLATE BINARY)", "a_lone_index"], ids=lambda key: key.split()[0]
)
def test_a_key_with_a_collation_of_its_own_is_not_said_to_compare_as_its_column_did(kind: str, key: str, move: Move) -> None:
    clause, index = (f", {key}", []) if " " in key else ("", [f"CREATE UNIQUE INDEX {key} ON t (a COLLATE BINARY)"])
    made = move(kind, f"CREATE TABLE t (a varchar(9) COLLATE RTRIM{clause})", *index, "INSERT INTO t VALUES ('x')")
    told = made.losses("t", "a")
    assert "key-equality" not in told
    assert {"key-collation", "index-collation"}.intersection(told)


@pytest.mark.parametrize("kind", KINDS)
def test_unique_constraints_that_are_one_to_sqlite_keep_their_names(kind: str, move: Move) -> None:
    unique = "CONSTRAINT {} UNIQUE (a{})"
    clauses = [unique.format(name, "") for name in ("first", "second", "first")]
    clauses += ["UNIQUE (a COLLATE NOCASE)", *(unique.format(name, " COLLATE NOCASE") for name in ("third", "fourth"))]
    made = move(kind, f"CREATE TABLE t (a varchar(9) NOT NULL UNIQUE, {', '.join(clauses)})", "INSERT INTO t VALUES ('x')")
    query = {
        "postgresql": "SELECT indexname FROM pg_indexes WHERE tablename = 't'",
        "mysql": "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()",
        "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''"
        ' UNION SELECT j.value FROM json_each(\'["first", "second"]\') AS j, sqlite_schema AS s'
        " WHERE s.type = 'table' AND instr(s.sql, j.value)",
    }
    assert set(made.column(query[kind])) == {"first", "second", "third", "fourth"}
    assert {entry["rule"] for entry in made.entries} == (set() if kind == "sqlite" else {"index-collation"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_unique_constraint_over_the_primary_key_is_moved(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a int NOT NULL PRIMARY KEY, b int, CONSTRAINT twice UNIQUE (a))")
    query = {
        "postgresql": "SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 't'::regclass",
        "mysql": "SELECT constraint_name FROM information_schema.table_constraints"
        " WHERE constraint_type = 'UNIQUE' AND table_schema = DATABASE()",
        "sqlite": "SELECT 'twice' FROM sqlite_schema WHERE name = 't' AND sql LIKE '%twice%'",
    }
    assert made.column(query[kind]) == ["twice"]


def test_numbers_go_on_above_zero_after_rows_below_it(postgresql: Fresh, move: Move) -> None:
    made = move("postgresql", "CREATE TABLE t (id INTEGER PRIMARY KEY, a int)", "INSERT INTO t VALUES (-5, 1)")
    execute(made.url, "INSERT INTO t (a) VALUES (2)")
    assert made.rows("SELECT id, a FROM t ORDER BY id") == [(-5, 1), (1, 2)]
    assert made.losses("t", "id")["identity-position"] == "numbers go on with 1, and with -4 in SQLite only"


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_key_without_a_generator_gets_none_in_sqlite(
    kind: str, request: pytest.FixtureRequest, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source = request.getfixturevalue(kind)()
    execute(source, "CREATE TABLE t (id bigint PRIMARY KEY, a int)", "INSERT INTO t VALUES (1, 1)")
    made = moved(source, sqlite_file("target.db"), tmp_path)
    done(made.run)
    made.refuses("INSERT INTO t (a) VALUES (2)", "NOT NULL")
    assert rows(made.url, "SELECT id, a FROM t") == [(1, 1)]


def test_a_key_of_sqlite_that_is_no_rowid_stays_none(move: Move) -> None:
    made = move("sqlite", "CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a int)", "INSERT INTO t VALUES (1, 1)")
    execute(made.url, "INSERT INTO t (a) VALUES (2)")
    assert made.rows("SELECT id, a FROM t ORDER BY a") == [(1, 1), (None, 2)]
    assert made.entries == ()


def test_a_key_with_nulls_and_a_collation_of_its_own_is_one_index(move: Move) -> None:
    made = move("sqlite", "CREATE TABLE t (a text, PRIMARY KEY (a COLLATE NOCASE))", "INSERT INTO t VALUES ('x'), (NULL)")
    assert made.column("SELECT count(*) FROM sqlite_schema WHERE type = 'index'") == [1]
    made.refuses("INSERT INTO t (a) VALUES ('X')", "UNIQUE")
    execute(made.url, "INSERT INTO t VALUES (NULL)")
    assert set(made.losses("t")) == {"null-in-key"}


@pytest.mark.since(15, "NULLS NOT DISTINCT")
def test_a_unique_index_that_lets_one_null_in_lets_several_in_by_name(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source = postgresql()
    execute(source, "CREATE TABLE t (a integer)", "CREATE UNIQUE INDEX once ON t (a) NULLS NOT DISTINCT")
    made = moved(source, sqlite_file(), tmp_path)
    done(made.run)
    assert made.losses("t") == {"nulls-not-distinct": "index once lets several NULLs in here"}


def test_a_counter_that_is_named_behind_the_key_gives_no_number_twice(move: Move) -> None:
    made = move(
        "sqlite",
        "CREATE TABLE t (id INTEGER, a int, PRIMARY KEY (id AUTOINCREMENT))",
        "INSERT INTO t VALUES (9, 1)",
        "DELETE FROM t",
    )
    execute(made.url, "INSERT INTO t (a) VALUES (2)")
    assert made.rows("SELECT id, a FROM t") == [(10, 2)]
    assert made.entries == ()


@pytest.mark.parametrize("key", ["trim(a) COLLATE NOCASE", "(a || '') COLLATE NOCASE", "(trim(a) COLLATE NOCASE)"])
def test_an_expression_keeps_the_collation_that_its_index_gives_it_in_sqlite(key: str, move: Move) -> None:
    made = move(
        "sqlite", "CREATE TABLE t (a text)", f"CREATE UNIQUE INDEX once ON t ({key} DESC)", "INSERT INTO t VALUES ('x')"
    )
    made.refuses("INSERT INTO t VALUES ('X')", "UNIQUE")
    assert made.entries == ()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_the_collation_that_an_index_gives_an_expression_is_named_elsewhere(kind: str, move: Move) -> None:
    made = move(kind, "CREATE TABLE t (a text)", "CREATE INDEX i ON t (upper(a) COLLATE RTRIM)")
    told = [*made.details("t", "index-collation"), *made.details("t", "index")]
    assert told
    assert all("index i" in detail for detail in told)


def test_what_names_a_virtual_table_is_told_to_fail(move: Move) -> None:
    made = move(
        "sqlite",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a text)",
        "CREATE VIRTUAL TABLE found USING fts5(a, content = 't')",
        "CREATE VIEW v AS SELECT a FROM Found",
        "CREATE VIEW other AS SELECT a FROM t",
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO found (rowid, a) VALUES (new.id, new.a); END",
    )
    fails = {"virtual-table": "fails when it is used: it names {}, which is not carried"}
    assert made.losses("v") == {rule: detail.format("Found") for rule, detail in fails.items()}
    assert made.losses("r") == {rule: detail.format("found") for rule, detail in fails.items()}
    assert made.losses("other") == {}


def test_what_names_rowids_that_no_column_has_is_told_so(move: Move) -> None:
    made = move(
        "sqlite",
        "CREATE TABLE t (a text)",
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, a text)",
        "INSERT INTO t (rowid, a) VALUES (7, 'x')",
        "CREATE VIEW v AS SELECT rowid AS n, a FROM t",
        "CREATE VIEW other AS SELECT rowid AS n, a FROM keyed",
        "CREATE TABLE own (OID int, a text)",
        "CREATE VIEW of_column AS SELECT oid, a FROM own",
        "CREATE VIEW of_row AS SELECT oid, rowid AS n FROM own",
    )
    assert made.losses("v") == {"rowid": "rowids of t may be others here: only those that a column has are carried"}
    assert made.losses("other") == made.losses("of_column") == {}
    assert made.losses("of_row") == {"rowid": "rowids of own may be others here: only those that a column has are carried"}


def test_another_encoding_of_texts_is_named(move: Move) -> None:
    made = move("sqlite", "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (a text)", "INSERT INTO t VALUES ('x')")
    assert [(entry["object"], entry["detail"]) for entry in made.entries] == [('PRAGMA:"encoding"', "not carried: UTF-16le")]


def test_a_table_that_full_text_search_reads_is_moved_whatever_its_name(move: Move) -> None:
    made = move(
        "sqlite",
        "CREATE TABLE found_content (id INTEGER PRIMARY KEY, a text)",
        "INSERT INTO found_content VALUES (1, 'x')",
        "CREATE VIRTUAL TABLE found USING fts5(a, content = 'found_content')",
    )
    assert made.rows("SELECT id, a FROM found_content") == [(1, "x")]
    assert "found_content" not in made.losses("found")["virtual-table"].partition(" tables ")[2].partition(": CREATE")[0]


def test_a_key_that_falls_is_named(move: Move) -> None:
    made = move(
        "sqlite", "CREATE TABLE t (a int, b int, PRIMARY KEY (a DESC, b)) WITHOUT ROWID", "INSERT INTO t VALUES (1, 1)"
    )
    assert made.losses("t") == {"key-order": "the key over a, b rises here (at the source: DESC a)"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_view_computes_is_called_as_sqlite_calls_it(kind: str, move: Move) -> None:
    made = move(
        kind,
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (1), (1)",
        "CREATE VIEW v AS SELECT a+1, count(*) FROM t GROUP BY a",
        'CREATE VIEW twice AS SELECT "a+1" * 2 AS x FROM v',
    )
    mark = "`" if kind == "mysql" else '"'
    assert made.rows(f"SELECT {mark}a+1{mark}, {mark}count(*){mark} FROM v") == [(2, 2)]
    assert made.rows("SELECT x FROM twice") == [(4,)]


@pytest.mark.parametrize("excluded", ["CONSTRAINT", "CONSTRAINT:\"='k'\""])
def test_the_key_of_a_table_without_rowids_stays_whatever_is_excluded(
    excluded: str, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(
        source,
        "CREATE TABLE t (a text, b int, CONSTRAINT k PRIMARY KEY (a)) WITHOUT ROWID",
        "CREATE TABLE u (a text, b int, CONSTRAINT k PRIMARY KEY (a))",
        "INSERT INTO t VALUES ('x', 1)",
        "INSERT INTO u VALUES ('x', 1)",
    )
    made = moved(source, target, tmp_path, f"EXCLUDE={excluded}")
    done(made.run)
    assert made.rows("SELECT a, b FROM t") == [("x", 1)]
    made.refuses("INSERT INTO t VALUES ('x', 2)", "UNIQUE")
    execute(target, "INSERT INTO u VALUES ('x', 2)")
    assert 'EXCLUDE=CONSTRAINT: WITHOUT ROWID takes a primary key, which stays: TABLE:"main"."t"' in made.run.out
