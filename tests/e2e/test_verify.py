"""``migrator verify`` and VERIFY=YES on real databases: what is equal is found equal, planted faults where they are."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from migrator.cli import main
from migrator.dump.reader import DumpFiles
from migrator.errors import ConnectionLost
from migrator.operations import comparing
from migrator.verification import narrowing
from tests.support.hoard import hoard
from tests.support.pump import Run, done, pump, remap
from tests.support.resume import main as go_on
from tests.support.sql import execute

Fresh = Callable[..., str]
ENGINES = ("sqlite", "postgresql", "mysql")


def verify(url: str, *arguments: str) -> Run:
    """Run ``migrator verify url arguments`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["verify", url, *arguments])
    return Run(code, out.getvalue(), err.getvalue())


def verified(url: str, *arguments: str, code: int) -> dict[str, dict[str, Any]]:
    """What a verification found, by the tables' names."""
    run = verify(url, *arguments, "--json")
    assert run.out, run.err
    found = json.loads(run.out)
    assert run.code == code, [table for table in found["tables"] if not table["equal"]]
    assert found["equal"] is (code == 0)
    return {table["table"]: table for table in found["tables"]}


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """``database("mysql")``: the URL of a fresh database of that kind."""
    made = iter(range(100))

    def make(engine: str) -> str:
        fresh = request.getfixturevalue("sqlite_file" if engine == "sqlite" else engine)
        return str(fresh(f"{engine}{next(made)}.db") if engine == "sqlite" else fresh())

    return make


def quoted(engine: str, sql: str) -> str:
    """A statement with names quoted as a database has it."""
    return sql.replace('"', "`") if engine == "mysql" else sql


def link(source: str, target: str) -> tuple[str, str]:
    return f"NETWORK_LINK={source}", remap(source, target)


def moved(source: str, target: str, *arguments: str) -> Run:
    return pump("impdp", target, *link(source, target), "NOLOGFILE=YES", *arguments)


# --- equal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ENGINES)
@pytest.mark.parametrize("second", ENGINES)
def test_chinook_is_equal_after_an_import_between_each_two(
    first: str, second: str, sample: Callable[[str], str], database: Callable[[str], str], tmp_path: Path
) -> None:
    source = sample("chinook.sqlite")
    if first != "sqlite":
        start, source = source, database(first)
        done(moved(start, source))
    target = database(second)
    run = done(moved(source, target, "VERIFY=YES"))
    assert len(re.findall(r'^\. \. verified "[^"]*"\."\w+" +\S+ KB +\d+ rows$', run.out, re.MULTILINE)) == 11
    for parallel in ("1", "2"):
        found = verified(target, *link(source, target), f"PARALLEL={parallel}", code=0)
        assert len(found) == 11
        assert all(table["rows"]["source"] == table["rows"]["target"] > 0 for table in found.values())
        methods = {table["method"] for table in found.values()}
        assert methods == {"database" if first == second != "sqlite" else "stream"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_dump_set_is_compared_when_its_source_is_gone(
    engine: str, sample: Callable[[str], str], database: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = sample("chinook.sqlite"), database(engine)
    dump = (f"DIRECTORY={tmp_path}", "DUMPFILE=x_%U.dmp", "NOLOGFILE=YES")
    done(pump("expdp", source, *dump, "PARALLEL=2"))
    (tmp_path / "chinook.sqlite").unlink()
    assert "verified" in done(pump("impdp", target, *dump, remap(source, target), "VERIFY=YES", "PARALLEL=2")).out
    assert len(verified(target, *dump, remap(source, target), code=0)) == 11
    execute(target, quoted(engine, """UPDATE "Album" SET "Title" = 'x' WHERE "AlbumId" = 7"""))
    (album,) = (t for t in verified(target, *dump, remap(source, target), code=5).values() if not t["equal"])
    assert album["differing"] == {"changed": 1}
    assert album["examples"][0]["row"] == {"AlbumId": "7"}


@pytest.mark.parametrize("engine", ENGINES)
def test_digests_of_an_export_stand_for_its_rows(
    engine: str,
    sample: Callable[[str], str],
    database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    source, target = sample("chinook.sqlite"), database(engine)
    where = ("DUMPFILE=x_%U.dmp", remap(source, target))
    done(pump("expdp", source, "DUMPFILE=x_%U.dmp", "NOLOGFILE=YES", "DIGEST=YES", "PARALLEL=2", "PARALLEL_THRESHOLD=64K"))
    done(pump("impdp", target, *where, "NOLOGFILE=YES"))
    read: list[str] = []
    batches = DumpFiles.batches
    monkeypatch.setattr(DumpFiles, "batches", lambda files, piece: [read.append(piece.member), batches(files, piece)][1])
    found = verified(target, *where, code=0)
    assert {table["method"] for table in found.values()} == {"export"}
    assert sum(table["rows"]["source"] for table in found.values()) == 15607
    assert read == []
    execute(target, quoted(engine, """UPDATE "Album" SET "Title" = 'x' WHERE "AlbumId" = 7"""))
    found = verified(target, *where, code=5)
    assert found["Album"]["differing"] == {"changed": 1}
    assert {table["method"] for table in found.values()} == {"export", "stream"}
    assert read
    assert all("Album" in member for member in read)  # only what differs is read


def test_pagila_is_equal_in_the_other_databases(pagila: Fresh, database: Callable[[str], str]) -> None:
    source = pagila()
    for engine in ENGINES:
        target = database(engine)
        but = ("EXCLUDE=TABLE:\"IN ('film')\"",) if engine == "mysql" else ()  # MariaDB has nothing for a tsvector
        assert moved(source, target, *but).code in {0, 5}
        found = verified(target, *link(source, target), *but, code=0)
        assert sum(table["rows"]["source"] for table in found.values()) > 40_000


def test_sakila_is_equal_in_the_other_databases(sakila: Fresh, database: Callable[[str], str]) -> None:
    source = sakila()
    for engine in ENGINES:
        target = database(engine)
        assert moved(source, target).code in {0, 5}
        found = verified(target, *link(source, target), code=0)
        assert sum(table["rows"]["source"] for table in found.values()) == 47273


# --- values that are hard to compare --------------------------------------------------------------------------------

ODD_POSTGRESQL = (
    """CREATE TABLE odd (id integer PRIMARY KEY, n numeric, d numeric(12,4), f double precision, r real, day date,
        at timestamp, moment timestamptz, clock time, zoned timetz, span interval, doc jsonb, plain json, bytes bytea,
        yes boolean, key uuid, short char(5), bits bit(3), big bigint, words text[])""",
    """INSERT INTO odd VALUES
        (1, 'NaN', 1.5, 'Infinity', '-Infinity', 'infinity', '-infinity', 'infinity', '24:00', '10:00+01',
         '1 year 2 mons 3 days', '{"b": 1.50, "a": [1e2]}', '{"b":  1, "a": 2}', '\\x00ff', true,
         'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'ab', '101', 9223372036854775807, '{a,NULL,"b c"}'),
        (2, 123456789012345678901234567890.123456789, -0.0001, 'NaN', 0.1, '0044-03-15 BC', '0001-01-01 00:00:00 BC',
         '2020-10-25 02:30:00.000001+02', '23:59:59.999999', '00:00:00.5-05:30', '-26:00:00.000001', '1', '"x"', '', false,
         NULL, '', '000', -9223372036854775808, '{}'),
        (3, 0.10, 100, -0.0, 1e-45, '10000-01-01', '12020-01-01 10:00', '1900-01-01 00:00:00Z', '00:00', '00:00Z', '0',
         'null', 'null', NULL, NULL, '00000000-0000-0000-0000-000000000000', NULL, NULL, 0, NULL),
        (4, 1e20, NULL, 5e-324, 3.4028235e38, '2024-02-29', '2024-02-29 12:00:00.100000', '2024-02-29 12:00:00+14',
         '12:00:00.120000', NULL, '1 day 24:00:00', '{"a": 12345678901234567890.123}', '[]', '\\x5c', NULL,
         NULL, 'abcde', NULL, 1, '{{1,2},{3,4}}')""",
)  # fmt: skip


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
@pytest.mark.parametrize("way", ["link", "dump"])
def test_odd_values_of_postgresql_are_equal_to_themselves(
    version: int,
    engine: str,
    way: str,
    postgresql: Fresh,
    database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, target = postgresql(version), database(engine)
    monkeypatch.chdir(tmp_path)
    execute(source, *ODD_POSTGRESQL)
    if engine == "sqlite":  # what SQLite has no place for
        execute(source, "UPDATE odd SET f = 0 WHERE f = 'NaN'")
    where = link(source, target)
    if way == "dump":
        where = ("DUMPFILE=odd.dmp", remap(source, target))
        done(pump("expdp", source, "DUMPFILE=odd.dmp", "NOLOGFILE=YES"))
    run = pump("impdp", target, *where, "NOLOGFILE=YES", "VERIFY=YES")
    assert run.code == 0, run.out
    assert 'verified "' in run.out
    found = verified(target, *where, code=0)["odd"]
    assert found["rows"] == {"source": 4, "target": 4}
    if engine == "sqlite":
        assert {loss["column"] for loss in found["ledger"]} == {"doc", "n", "short", "span", "words"}


@pytest.mark.parametrize("engine", ENGINES)
def test_odd_values_of_mysql_are_equal_where_they_were_loaded(
    engine: str, oddities_mysql: Fresh, database: Callable[[str], str]
) -> None:
    source, target = oddities_mysql(), database(engine)
    but = ("EXCLUDE=TABLE:\"IN ('geom', 'type_mapping_test')\"",) if engine == "postgresql" else ()  # geometry
    run = moved(source, target, "VERIFY=YES", *but)
    failed = set(re.findall(r'^ORA-31693: Table data object "[^"]*"."(.*)" failed', run.out, re.MULTILINE))
    assert "funny_string" in failed  # bytes that are no text
    assert "MIG-20011" not in run.out
    found = verified(target, *link(source, target), *but, code=5)
    assert {name for name, table in found.items() if not table["equal"]} == failed
    assert "not valid UTF-8" in found["funny_string"]["problem"]
    assert len(found) > 10


@pytest.mark.parametrize("engine", ENGINES)
def test_types_of_mysql_are_equal_in_other_forms(engine: str, mysql: Fresh, database: Callable[[str], str]) -> None:
    source, target = mysql(), database(engine)
    execute(
        source,
        """CREATE TABLE t (id bigint unsigned PRIMARY KEY, flag tinyint(1), bits bit(9), at timestamp(3) NULL, day date,
            clock time(6), made year, kind enum('Low','High'), several set('a','b'), f float, d decimal(65,30), doc json,
            short char(7), bytes binary(4), blob_ blob, letters varchar(20) CHARACTER SET latin1)""",
        """INSERT INTO t VALUES
            (9223372036854775807, 2, b'100000001', '2020-10-25 02:30:00.120', '2020-02-29', '-838:59:59', 2155, 'High',
             'a,b', 0.1, -1234567890123456789012345678901234.567890123456789012345678901234, '{"b": 1, "a": [1.50]}', 'x ',
             0x00FF00FF, 0x00, 'café€'),
            (0, NULL, b'0', NULL, '1000-01-01', '12:00:00.5', 0, 'Low', '', -0.0, 0, '"x"', '', 0x01, '', '')""",
    )
    if engine != "sqlite":
        execute(source, "UPDATE t SET id = 18446744073709551615 WHERE id > 0")
    done(moved(source, target, "VERIFY=YES"))
    assert verified(target, *link(source, target), code=0)["t"]["rows"] == {"source": 2, "target": 2}


# --- faults ---------------------------------------------------------------------------------------------------------

TABLES = (
    'CREATE TABLE "keyed" ("id" integer PRIMARY KEY, "name" varchar(20), "n" integer)',
    'CREATE TABLE "plain" ("name" varchar(20), "n" integer)',
    *(
        f"""INSERT INTO "{table}" VALUES ({key}'a', 1), ({key.replace("1", "2")}'', 2), ({key.replace("1", "3")}NULL, 3),
            ({key.replace("1", "4")}'d', 4), ({key.replace("1", "5")}'e', 4)"""
        for table, key in (("keyed", "1, "), ("plain", ""))
    ),
)

FAULTS: dict[str, tuple[str, str, dict[str, int], list[str], dict[str, Any]]] = {
    "a changed value": (
        "keyed",
        """UPDATE "keyed" SET "n" = 7 WHERE "id" = 1""",
        {"changed": 1},
        ["n"],
        {"kind": "changed", "row": {"id": "1"}, "changed": [{"column": "n", "source": "1", "target": "7"}]},
    ),
    "a missing row": (
        "keyed",
        """DELETE FROM "keyed" WHERE "id" = 4""",
        {"missing": 1},
        [],
        {"kind": "missing", "row": {"id": "4"}, "changed": []},
    ),
    "an extra row": (
        "keyed",
        """INSERT INTO "keyed" VALUES (6, 'f', 6)""",
        {"extra": 1},
        [],
        {"kind": "extra", "row": {"id": "6"}, "changed": []},
    ),
    "NULL for ''": (
        "keyed",
        """UPDATE "keyed" SET "name" = NULL WHERE "id" = 2""",
        {"changed": 1},
        ["name"],
        {"kind": "changed", "row": {"id": "2"}, "changed": [{"column": "name", "source": "", "target": None}]},
    ),
    "'' for NULL": (
        "keyed",
        """UPDATE "keyed" SET "name" = '' WHERE "id" = 3""",
        {"changed": 1},
        ["name"],
        {"kind": "changed", "row": {"id": "3"}, "changed": [{"column": "name", "source": None, "target": ""}]},
    ),
    "a doubled row without a key": (
        "plain",
        """INSERT INTO "plain" VALUES ('a', 1)""",
        {"doubled": 1},
        [],
        {"kind": "doubled", "row": {"name": "a", "n": "1"}, "changed": []},
    ),
    "a missing row without a key": (
        "plain",
        """DELETE FROM "plain" WHERE "n" = 1""",
        {"missing": 1},
        [],
        {"kind": "missing", "row": {"name": "a", "n": "1"}, "changed": []},
    ),
    "a changed value without a key": (
        "plain",
        """UPDATE "plain" SET "name" = 'A' WHERE "n" = 1""",
        {"missing": 1, "extra": 1},
        ["name"],
        {"kind": "extra", "row": {"name": "A", "n": "1"}, "changed": []},
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_faults_are_found_where_they_are(engine: str, sqlite_file: Fresh, database: Callable[[str], str]) -> None:
    source = sqlite_file("source.db")
    execute(source, *TABLES)
    for name, (table, fault, differing, columns, example) in FAULTS.items():
        target = database(engine)
        done(moved(source, target))
        verified(target, *link(source, target), code=0)
        execute(target, quoted(engine, fault))
        found = verified(target, *link(source, target), code=5)
        assert [t for t, what in found.items() if not what["equal"]] == [table], name
        assert found[table]["differing"] == differing, name
        assert found[table]["columns"] == columns, name
        assert example in found[table]["examples"], name
        assert found[table]["whole"], name


@pytest.mark.parametrize("engine", ENGINES)
def test_values_swapped_between_rows_are_found(engine: str, sqlite_file: Fresh, database: Callable[[str], str]) -> None:
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, *TABLES)
    done(moved(source, target))
    for table in ("keyed", "plain"):
        swap = f"""UPDATE "{table}" SET "name" = CASE "name" WHEN 'a' THEN 'd' ELSE 'a' END WHERE "name" IN ('a', 'd')"""
        execute(target, quoted(engine, swap))
    found = verified(target, *link(source, target), code=5)
    assert found["keyed"]["columns"] == ["name"]
    assert found["plain"]["columns"] == []  # without a key no row has another's value
    assert found["keyed"]["differing"] == {"changed": 2}
    assert found["plain"]["differing"] == {"missing": 2, "extra": 2}
    rows = {row["row"]["id"]: row["changed"] for row in found["keyed"]["examples"]}
    assert rows == {
        "1": [{"column": "name", "source": "a", "target": "d"}],
        "4": [{"column": "name", "source": "d", "target": "a"}],
    }


def test_what_differs_is_shown_in_words(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *TABLES)
    done(moved(source, target))
    execute(target, """UPDATE "keyed" SET "name" = NULL WHERE "id" = 2""", 'ALTER TABLE "plain" ADD "more" integer')
    run = verify(target, *link(source, target))
    assert run.code == 5
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in run.out.splitlines() if '"main"."' in line]
    assert ['"main"."keyed"', "5", "5", "1 changed", "name"] in cells
    assert ['"main"."plain"', "5", "5", "equal", ""] in cells
    assert """  "main"."keyed": changed "id"='2': "name" is '' at the source, NULL at the target""" in run.out
    assert """Columns at the target alone:\n  "main"."plain": more""" in run.out


@pytest.mark.parametrize("engine", ENGINES)
def test_an_import_ends_with_errors_where_the_target_changes_what_it_stores(
    engine: str, sqlite_file: Fresh, database: Callable[[str], str]
) -> None:
    """A trigger of the target's own changes a row as it comes in: the rows are counted right, and are not the source's."""
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, TABLES[0], TABLES[2])
    execute(target, quoted(engine, TABLES[0]), *TRIGGERS[engine])
    run = moved(source, target, "VERIFY=YES", "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5, run.out
    assert "completed with 1 error(s)" in run.out
    text = "differs from its source: 1 changed"
    assert re.search(rf'^MIG-20011: Table data object "[^"]*"\."keyed" {text}$', run.out, re.MULTILINE)
    assert """ changed "id"='4': "n" is '4' at the source, '9' at the target""" in run.out


TRIGGERS = {
    "sqlite": ("CREATE TRIGGER t AFTER INSERT ON keyed WHEN new.id = 4 BEGIN UPDATE keyed SET n = 9 WHERE id = 4; END",),
    "postgresql": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.n := 9; RETURN new; END $$",
        "CREATE TRIGGER t BEFORE INSERT ON keyed FOR EACH ROW WHEN (new.id = 4) EXECUTE FUNCTION f()",
    ),
    "mysql": ("CREATE TRIGGER t BEFORE INSERT ON keyed FOR EACH ROW SET new.n = IF(new.id = 4, 9, new.n)",),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_were_there_before_are_no_difference_to_an_import(
    engine: str, sqlite_file: Fresh, database: Callable[[str], str]
) -> None:
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, *TABLES)
    execute(target, quoted(engine, TABLES[1]), quoted(engine, """INSERT INTO "plain" VALUES ('a', 1), ('z', 1)"""))
    run = done(moved(source, target, "VERIFY=YES", "TABLE_EXISTS_ACTION=APPEND"))
    assert '"plain" has 2 rows more, which were there before or came in from elsewhere' in run.out
    assert verified(target, *link(source, target), code=5)["plain"]["differing"] == {"doubled": 1, "extra": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_were_rejected_are_no_difference_to_an_import(
    engine: str, sqlite_file: Fresh, database: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, TABLES[0], """INSERT INTO "keyed" VALUES (1, 'a', 1), (2, 'b', 99999), (3, 'c', 3), (4, 'd', NULL)""")
    made = 'CREATE TABLE "keyed" ("id" integer PRIMARY KEY, "name" varchar(20), "n" smallint NOT NULL)'
    execute(target, quoted(engine, made), quoted(engine, """INSERT INTO "keyed" VALUES (3, 'there before', 3)"""))
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "TABLE_EXISTS_ACTION=APPEND", f"DIRECTORY={tmp_path}")
    run = moved(source, target, "VERIFY=YES", *options)
    assert run.code == 5
    assert "3 row(s) were rejected" in run.out
    assert "MIG-20011" not in run.out
    assert '"keyed" has all rows but 3, as many as were rejected' in run.out
    found = verified(target, *link(source, target), code=5)["keyed"]
    assert found["differing"] == {"changed": 1, "missing": 2}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_that_was_rejected_since_it_is_there_is_not_missing(
    engine: str, sqlite_file: Fresh, database: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, TABLES[0], """INSERT INTO "keyed" VALUES (1, 'a', 1), (2, 'b', 99999)""")
    made = 'CREATE TABLE "keyed" ("id" integer PRIMARY KEY, "name" varchar(20), "n" smallint NOT NULL)'
    execute(target, quoted(engine, made), quoted(engine, """INSERT INTO "keyed" VALUES (1, 'a', 1), (9, 'z', 1)"""))
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "TABLE_EXISTS_ACTION=APPEND", f"DIRECTORY={tmp_path}")
    run = moved(source, target, "VERIFY=YES", *options)
    assert "2 row(s) were rejected" in run.out
    assert "MIG-20011" not in run.out
    assert '"keyed" has all rows but 1: others of the 2 rejected were there before' in run.out
    execute(source, """DELETE FROM "keyed" WHERE "id" = 2""")
    again = moved(source, target, "VERIFY=YES", *options)
    assert '"keyed" has all rows: the 1 rejected were there before' in again.out


@pytest.mark.parametrize("engine", ENGINES)
def test_names_that_were_changed_are_found(engine: str, sqlite_file: Fresh, database: Callable[[str], str]) -> None:
    long = "a name that is longer than sixty-three letters and so is cut by some databases"
    source, target = sqlite_file("source.db"), database(engine)
    execute(
        source,
        f'CREATE TABLE "old" ("id" INTEGER PRIMARY KEY, "{long}" INTEGER)',
        'INSERT INTO "old" VALUES (1, 10), (2, 20)',
        'CREATE TABLE "other" ("id" INTEGER)',
    )
    names = ("TABLES=old", "REMAP_TABLE=old:new")
    done(moved(source, target, *names, "VERIFY=YES"))
    found = verified(target, *link(source, target), *names, code=0)
    assert found.keys() == {"new"}
    assert found["new"]["source"]["table"] == "old"
    execute(target, quoted(engine, 'UPDATE "new" SET "id" = 3 WHERE "id" = 2'))
    found = verified(target, *link(source, target), *names, code=5)
    assert [example["row"] for example in found["new"]["examples"]] == [{"id": "2"}, {"id": "3"}]


# --- what cannot be compared ----------------------------------------------------------------------------------------


def test_tables_and_columns_that_are_not_there_are_named(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *TABLES)
    execute(target, "CREATE TABLE plain (name varchar(20))")
    found = verified(target, *link(source, target), code=5)
    assert found["keyed"]["problem"] == 'MIG-20012: table "main"."keyed" is not at the target'
    assert "has no such column" in found["plain"]["problem"]
    assert found["keyed"]["rows"] is found["plain"]["rows"] is None
    told = verify(target, *link(source, target)).out
    assert [line.count("not counted") for line in told.splitlines() if '"main"."' in line] == [2, 2]


def test_a_value_that_the_target_cannot_read_is_named(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *TABLES)
    done(moved(source, target))
    execute(target, "UPDATE keyed SET n = 'four' WHERE id = 4")
    found = verified(target, *link(source, target), code=5)
    assert "the row with rowid 4 holds the text 'four'" in found["keyed"]["problem"]
    assert not found["keyed"]["differing"]
    assert found["plain"]["equal"]


def test_a_value_that_the_target_cannot_read_hides_no_other_difference(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    make = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, m INTEGER, name TEXT)"
    execute(source, make, "INSERT INTO t VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b'), (3, 3, 3, 'c')")
    done(moved(source, target))
    execute(target, "UPDATE t SET n = 'two', m = 'too' WHERE id = 2", "UPDATE t SET name = 'z' WHERE id = 1")
    execute(target, "DELETE FROM t WHERE id = 3", "INSERT INTO t VALUES (4, 4, 4, 'd')")
    (found,) = verified(target, *link(source, target), code=5).values()
    assert "holds the text 'two'" in found["problem"]
    assert "holds the text 'too'" in found["problem"]
    assert found["differing"] == {"changed": 1, "missing": 1, "extra": 1}
    assert {(one["kind"], one["row"]["id"]) for one in found["examples"]} == {
        ("changed", "1"),
        ("missing", "3"),
        ("extra", "4"),
    }
    assert "by the other columns" in " ".join(verify(target, *link(source, target)).out.split())


def test_a_value_of_mysql_that_cannot_be_read_hides_no_other_difference(mysql: Fresh) -> None:
    source, target = mysql(), mysql()
    make = "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', ''), n INT)"
    execute(source, make, "INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2)")
    done(moved(source, target))
    execute(target, "UPDATE t SET n = 7 WHERE id = 1")
    execute(target, "SET SESSION sql_mode = ''", "UPDATE t SET e = 'wrong' WHERE id = 2")
    (found,) = verified(target, *link(source, target), code=5).values()
    assert "column e: a row holds the error value" in found["problem"]
    assert found["differing"] == {"changed": 1}
    assert [example["row"] for example in found["examples"]] == [{"id": "1"}]


def test_a_column_whose_name_ends_like_that_of_the_unread_one_is_compared(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    make = 'CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, "x.n" INTEGER)'
    execute(source, make, "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)")
    done(moved(source, target))
    execute(target, """UPDATE t SET "x.n" = 'two' WHERE id = 2""", "UPDATE t SET n = 7 WHERE id = 1")
    (found,) = verified(target, *link(source, target), code=5).values()
    assert "holds the text 'two'" in found["problem"]
    assert found["differing"] == {"changed": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SQLFILE=x.sql"], "SQLFILE moves no rows"),
        (["CONTENT=METADATA_ONLY"], "CONTENT=METADATA_ONLY moves no rows"),
        (["QUERY=plain:WHERE n > 1"], "QUERY chooses among a dump file set's rows"),
        (["ATTACH=x"], "ATTACH starts no job"),
        (["NONSENSE=1"], "unknown parameter name 'NONSENSE'"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str, sqlite_file: Fresh, tmp_path: Path) -> None:
    run = verify(sqlite_file(), *words, f"DIRECTORY={tmp_path}")
    assert run.code == 1
    assert said in run.err
    assert list(tmp_path.iterdir()) == []


def test_tables_whose_rows_are_not_in_the_set_are_not_verified(
    sqlite_file: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = sqlite_file("source.db")
    execute(source, *TABLES)
    done(pump("expdp", source, "CONTENT=METADATA_ONLY", "NOLOGFILE=YES"))
    run = verify(source)
    assert run.code == 5, run.err
    assert "MIG-20015" in run.out
    run = verify(source, "EXCLUDE=TABLE_DATA")
    assert run.code == 1
    assert "ORA-31655" in run.err
    done(pump("expdp", source, "EXCLUDE=TABLE_DATA:\"= 'plain'\"", "NOLOGFILE=YES", "REUSE_DUMPFILES=YES"))
    execute(source, "DELETE FROM plain")  # what nobody could look at must not look verified
    run = verify(source)
    assert run.code == 5
    assert "since the export left them out" in " ".join(run.out.split())
    (said,) = (table for table in json.loads(verify(source, "--json").out)["tables"] if table["table"] == "plain")
    assert (said["equal"], said["problem"][:10]) == (False, "MIG-20015:")
    assert verify(source, "EXCLUDE=TABLE_DATA:\"= 'plain'\"").code == 0


def test_a_set_whose_only_table_failed_to_export_is_not_verified(
    sqlite_file: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE bad (a INT)", "INSERT INTO bad VALUES (1), ('abc')")
    assert pump("expdp", source, "NOLOGFILE=YES").code == 5
    run = verify(source)
    assert run.code == 5, run.err
    assert "since the export failed" in " ".join(run.out.split())


def test_a_table_that_was_exported_empty_is_verified(
    sqlite_file: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE full (a integer)", "INSERT INTO full VALUES (1)", "CREATE TABLE hollow (a integer)")
    done(pump("expdp", source, "NOLOGFILE=YES"))
    assert verify(source).code == 0
    execute(source, "INSERT INTO hollow VALUES (1)")
    assert verify(source).code == 5


def test_a_target_that_is_not_there_is_not_made(sqlite_file: Fresh, tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("none.db")
    execute(source, *TABLES)
    run = verify(target, *link(source, target))
    assert run.code == 1
    assert "none.db" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["source.db"]


def test_query_chooses_the_rows_of_a_link(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *TABLES)
    query = 'QUERY=plain:"WHERE n > 2"'
    done(moved(source, target, query, "VERIFY=YES"))
    found = verified(target, *link(source, target), query, code=0)
    assert found["plain"]["rows"] == {"source": 3, "target": 3}
    assert verified(target, *link(source, target), code=5)["plain"]["differing"] == {"missing": 2}


def test_large_tables_are_divided_before_rows_are_looked_at(sqlite_file: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "MOST", 200)
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
    tables = [f"CREATE TABLE {name} (id INTEGER{key}, v INTEGER)" for name, key in (("k", " PRIMARY KEY"), ("p", ""))]
    execute(source, *tables, *[f"INSERT INTO {name} {numbers} SELECT i, i FROM n" for name in "kp"])
    done(moved(source, target))
    execute(target, "UPDATE k SET v = 0 WHERE id IN (7, 4000)", "DELETE FROM p WHERE id = 9", "INSERT INTO p VALUES (1, 1)")
    found = verified(target, *link(source, target), code=5)
    assert found["k"]["differing"] == {"changed": 2}
    assert {example["row"]["id"] for example in found["k"]["examples"]} == {"7", "4000"}
    assert found["p"]["differing"] == {"missing": 1, "doubled": 1}
    assert found["k"]["whole"]
    execute(target, "UPDATE k SET v = v + 1")
    found = verified(target, *link(source, target), code=5)
    assert not found["k"]["whole"]
    assert 0 < found["k"]["differing"]["changed"] <= 200
    assert re.search(r"at least \d+ changed", verify(target, *link(source, target)).out)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_job_that_stops_while_it_verifies_goes_on_with_that(
    engine: str,
    sqlite_file: Fresh,
    database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, target = sqlite_file("source.db"), database(engine)
    execute(source, *TABLES)

    def lost(*_: object) -> None:
        raise ConnectionLost(detail="just now")

    with monkeypatch.context() as patched:
        patched.setattr(comparing.Comparison, "of", lost)
        run = moved(source, target, "VERIFY=YES", "JOB_NAME=AGAIN")
    assert run.code == 1, run.out
    assert "just now" in run.err
    assert go_on(target, "AGAIN") == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^\. \. verified .* 5 rows$", out, re.MULTILINE)) == 2
    assert "successfully completed" in out


def test_tables_of_no_columns_partitions_and_heirs_are_equal(postgresql: Fresh) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE TABLE nothing ()",
        "INSERT INTO nothing SELECT FROM generate_series(1, 3)",
        "CREATE TABLE parts (id integer, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20)",
        "INSERT INTO parts SELECT i, 'v' || i FROM generate_series(1, 19) AS i",
        "CREATE TABLE parent (id integer)",
        "CREATE TABLE heir (more integer) INHERITS (parent)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO heir VALUES (2, 2)",
    )
    done(moved(source, target, "VERIFY=YES"))
    found = verified(target, *link(source, target), "PARALLEL=3", code=0)
    rows = {name: table["rows"]["target"] for name, table in found.items()}
    assert rows == {"nothing": 3, "parts": 19, "parent": 1, "heir": 1}
    execute(target, "INSERT INTO nothing DEFAULT VALUES", "UPDATE parts SET id = 15 WHERE id = 5")
    found = verified(target, *link(source, target), code=5)
    assert found["nothing"]["differing"] == {"doubled": 1}
    assert found["parts"]["differing"] == {"missing": 1, "extra": 1}


def test_a_table_that_could_not_be_read_is_not_verified(sqlite_file: Fresh) -> None:
    """A text that is no UTF-8 comes over as it is, and cannot be compared: that is no proof of anything."""
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, "CREATE TABLE t (id integer PRIMARY KEY, x text)", "INSERT INTO t VALUES (1, CAST(x'61ff62' AS text))")
    run = moved(source, target, "VERIFY=YES")
    assert run.code == 5, run.out
    assert ". . verified" not in run.out
    assert verify(target, *link(source, target)).code == 5


def test_heartbeats_keep_no_reader_of_a_file_out(
    sqlite_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer of SQLite that waits for the last reader to go lets no other one in, which gives up after a while."""
    source, url = hoard(tmp_path / "source.db", 20_000), sqlite_file("target.db")
    monkeypatch.setenv("MIGRATOR_LEASE", "0.2")
    run = done(pump("impdp", f"{url}?timeout=1", f"NETWORK_LINK={source}", "VERIFY=YES", "NOLOGFILE=YES"))
    assert run.out.count(". . verified") == 3
