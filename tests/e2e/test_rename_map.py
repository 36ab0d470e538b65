"""The rename map: what a job calls otherwise at the target, for later jobs and for people."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.adapter import load_adapter
from migrator.ends import Database
from migrator.errors import UnsupportedType
from migrator.job import control
from migrator.operations.importing import renaming
from migrator.operations.importing.job import Import
from migrator.operations.target import There
from migrator.rename_map import NAME
from migrator.shortening import cut
from tests.e2e.test_long_names import limits
from tests.support.held import ROWS, HeldRows
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, go_on, kill, until
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.rows import tables_of
from tests.support.sql import execute, inspect, rows, scalar

Fresh = Callable[..., str]

LONG, KEY, WIDE = "a_table_of_a_long_name_" * 4, "a_key_of_a_long_name_" * 4, "ж" * 60
"""The last fits MySQL's 64 characters, and not PostgreSQL's 63 bytes."""
MAKE = (
    f'CREATE TABLE {LONG} ({KEY} integer PRIMARY KEY, "{WIDE}" text)',
    f"INSERT INTO {LONG} VALUES (1, 'one'), (2, 'two')",
    f'CREATE INDEX by_text ON {LONG} ("{WIDE}")',
)
CHILD = (
    f"CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES {LONG} ({KEY}))",
    "INSERT INTO child VALUES (7, 2)",
)
SAME = (
    "CREATE TABLE {a} (id integer PRIMARY KEY, n integer, KEY by_n (n))",
    "CREATE TABLE {b} (id integer PRIMARY KEY, n integer, KEY by_n (n))",
)


@pytest.fixture(params=["postgresql", "mysql"])
def target(request: pytest.FixtureRequest) -> str:
    """A database with a limit of names."""
    return str(request.getfixturevalue(request.param)())


@pytest.fixture(params=["postgresql", "sqlite_file"])
def per_schema(request: pytest.FixtureRequest) -> str:
    """A database in which an index's name is its schema's."""
    return str(request.getfixturevalue(request.param)())


@pytest.fixture
def source(sqlite_file: Fresh) -> str:
    url = sqlite_file("source.db")
    execute(url, *MAKE)
    return url


def move(source: str, target: str, *parameters: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", *parameters)


def said(url: str) -> list[tuple[str, ...]]:
    """What the map says: what of which table is called what, instead of what."""
    listed = "object_type, table_name, target_name, source_name"
    return rows(url, f"SELECT {listed} FROM {NAME} ORDER BY object_type, table_name, target_name")


def indexes(url: str, table: str) -> list[str | None]:
    with inspect(url) as there:
        return sorted(index["name"] or "" for index in there.get_indexes(table, schema_of(url)))


# --- what it says ---------------------------------------------------------------------------------------------------


def test_names_that_were_cut_are_kept(target: str, source: str) -> None:
    done(move(source, target))
    short, key, wide = (cut(name, limits(target)) for name in (LONG, KEY, WIDE))
    columns = [("COLUMN", short, key, KEY)]
    if "postgresql" in target:
        columns.append(("COLUMN", short, wide, WIDE))
    assert sorted(said(target)) == sorted([("TABLE", "", short, LONG), *columns])
    where = "source_schema, source_table, source_database, reason"
    assert set(rows(target, f"SELECT {where} FROM {NAME}")) == {("main", LONG, "sqlite", "LENGTH")}
    assert "SYS_IMPORT_SCHEMA_01" in scalar(target, f"SELECT job FROM {NAME}")


def test_index_names_that_were_told_apart_are_kept(per_schema: str, mysql: Fresh) -> None:
    source = mysql()
    execute(source, *(sql.format(a="a", b="b") for sql in SAME))
    done(move(source, per_schema))
    assert said(per_schema) == [("INDEX", "b", "b_by_n", "by_n")]
    assert scalar(per_schema, f"SELECT reason FROM {NAME}") == "COLLISION"
    assert indexes(per_schema, "b") == ["b_by_n"]


def test_columns_that_the_target_keeps_for_itself_are_named_otherwise(
    postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh
) -> None:
    reserved = {
        postgresql: ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"),
        mysql: ("DB_ROW_ID", "db_trx_id", "db_roll_ptr", "FTS_DOC_ID"),
    }
    for target, names in reserved.items():
        source, url = sqlite_file(f"{names[0]}.db"), target()
        columns = ", ".join(f'"{name}" integer' for name in names)
        execute(
            source,
            f'CREATE TABLE t (id integer PRIMARY KEY, {columns}, CHECK ("{names[0]}" > 0))',
            f"INSERT INTO t VALUES ({', '.join(map(str, range(1, len(names) + 2)))})",
            f'CREATE VIEW v AS SELECT id, "{names[1]}" AS same FROM t',
        )
        run = done(move(source, url))
        others = {name: cut(name, limits(url)) for name in names}
        assert [name for name, _, _ in sorted(rows(url, f"SELECT source_name, target_name, reason FROM {NAME}"))] == sorted(
            names
        )
        assert set(rows(url, f"SELECT target_name, reason FROM {NAME}")) == {(name, "RESERVED") for name in others.values()}
        assert sum("[name-reserved]" in loss for loss in run.losses) == len(names)
        assert rows(url, f"SELECT {others[names[-1]]} FROM t") == [(len(names) + 1,)]
        assert rows(url, "SELECT same FROM v") == [(3,)]
        with pytest.raises(Exception, match=r"(?i)check|constraint"):
            execute(url, f"INSERT INTO t (id, {others[names[0]]}) VALUES (7, -1)")
        done(move(source, url, "TABLE_EXISTS_ACTION=TRUNCATE", "CONTENT=DATA_ONLY"))
        assert rows(url, f"SELECT {others[names[-1]]} FROM t") == [(len(names) + 1,)]


SHOWN = (
    "CREATE TABLE {t} (id integer PRIMARY KEY, {a} integer)",
    "CREATE TABLE geo (id integer PRIMARY KEY, lo integer)",
    "INSERT INTO {t} VALUES (1, 2)",
    "INSERT INTO geo VALUES (3, 4)",
    "CREATE VIEW box AS SELECT id, lo AS {a} FROM geo",
    "CREATE VIEW shown AS SELECT id, {a} FROM {t}",
    "CREATE VIEW named AS SELECT id AS {a} FROM {t}",
    "CREATE VIEW whole AS SELECT * FROM {t}",
    "CREATE VIEW again AS SELECT shown.{a}, shown.id FROM shown",
    "CREATE VIEW other AS SELECT box.{a} FROM box",
)


@pytest.mark.parametrize(
    ("here", "there", "name"),
    [
        ("sqlite", "postgresql", "xmin"),
        ("mysql", "postgresql", "ctid"),
        ("sqlite", "mysql", "FTS_DOC_ID"),
    ],
)
def test_views_call_columns_by_names_that_the_target_keeps_for_itself_in_tables(
    here: str, there: str, name: str, postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh
) -> None:
    fresh = {"sqlite": sqlite_file, "postgresql": postgresql, "mysql": mysql}
    source, url = fresh[here](), fresh[there]()
    execute(source, *(sql.format(t="t", a=name) for sql in SHOWN))
    run = done(move(source, url))
    assert [loss.rpartition("[")[2] for loss in run.losses if name in loss] == ["name-reserved]"]
    assert [row[0] for row in rows(url, f"SELECT source_name FROM {NAME}")] == [name]
    expected = {
        "box": [("id", 3), (name, 4)],
        "shown": [("id", 1), (name, 2)],
        "named": [(name, 1)],
        "whole": [("id", 1), (name, 2)],
        "again": [(name, 2), ("id", 1)],
        "other": [(name, 4)],
    }
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        for view, columns in expected.items():
            found = connection.exec_driver_sql(f"SELECT * FROM {view}")
            assert list(zip(found.keys(), found.one(), strict=True)) == columns, view


@pytest.mark.parametrize("here", ["sqlite", "mysql", "postgresql"])
def test_a_view_of_oracle_has_no_column_that_no_table_has_and_says_so(
    here: str, postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source = {"sqlite": sqlite_file, "postgresql": postgresql, "mysql": mysql}[here]()
    quote = "`" if here == "mysql" else '"'
    more = (
        "CREATE VIEW listed (id, {a}) AS SELECT id, lo FROM geo",
        "CREATE VIEW beside AS SELECT listed.{a} AS x, lo FROM listed, geo",
    )
    execute(source, *(sql.format(t="t", a=f"{quote}ROWID{quote}") for sql in (*SHOWN, *more)))
    asked = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", "SQLFILE=oracle.sql")
    run = done(pump("impdp", "oracle:", *asked, f"REMAP_SCHEMA={schema_of(source)}:shop"))
    print(run.losses); print((tmp_path / "oracle.sql").read_text())
    told = [loss.partition(": ")[0] for loss in run.losses if loss.endswith("[name-reserved]")]
    new = cut("ROWID", load_adapter("oracle").capabilities)
    shows = ("box", "shown", "named", "whole", "again", "other", "listed")
    assert sorted(told) == sorted([f'TABLE:"shop"."t"."{new}"', *(f'VIEW:"shop"."{view}"."{new}"' for view in shows)])
    script = re.sub("^--.*", "", (tmp_path / "oracle.sql").read_text("utf-8"), flags=re.MULTILINE)
    assert not re.search(r"\bROWID\b", script)
    assert script.count("CREATE VIEW ") == len(shows) + 1


def test_a_view_of_a_column_that_only_its_case_tells_from_one_of_the_target(mysql: Fresh, postgresql: Fresh) -> None:
    source, url = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (ctid integer)",
        "CREATE TABLE o (CTID integer)",
        "INSERT INTO o VALUES (5)",
        "CREATE VIEW v AS SELECT o.CTID FROM o",
    )
    done(move(source, url))
    assert rows(url, 'SELECT "CTID" FROM v') == [(5,)]


def test_entries_are_about_tables_and_columns_as_they_are_called_at_the_target(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, url = sqlite_file("s.db"), postgresql()
    execute(source, f"CREATE TABLE {LONG} (xmin integer, {WIDE} integer, n integer)", f"INSERT INTO {LONG} VALUES (1, 2, 3)")
    asked = [f"COLUMN_TYPE={LONG}.{name}:bigint" for name in ("xmin", WIDE, "n")]
    run = done(move(source, url, *asked, f"DIRECTORY={tmp_path}", "LEDGER=losses.json"))
    told = json.loads((tmp_path / "losses.json").read_text("utf-8"))["entries"]
    assert {one["object"] for one in told} == {f'TABLE:"public"."{cut(LONG, limits(url))}"'}
    names = [cut("xmin", limits(url)), cut(WIDE, limits(url)), "n"]
    assert [one["column"] for one in told if one["rule"] == "column-type"] == names
    assert [line for line in run.out.splitlines() if "unsupported" in line] == []


@pytest.mark.parametrize("declared", ["BIGINT UNSIGNED NOT NULL", "SERIAL"])
def test_what_mysql_may_have_under_a_name_of_its_own_is_called_so_again(mysql: Fresh, declared: str) -> None:
    """A FULLTEXT index knows rows by this column; one of another type stands in its way, and is called otherwise."""
    source, url = mysql(), mysql()
    execute(
        source,
        f"CREATE TABLE t (FTS_DOC_ID {declared}, words TEXT, FULLTEXT (words))",
        "INSERT INTO t VALUES (7, 'apples and pears')",
    )
    run = done(move(source, url))
    assert run.losses == []
    assert rows(url, "SELECT FTS_DOC_ID FROM t WHERE MATCH (words) AGAINST ('pears')") == [(7,)]
    execute(
        source,
        "DROP TABLE t",
        "CREATE TABLE u (FTS_DOC_ID BIGINT NOT NULL, words TEXT /*M! , FULLTEXT (words) */)",  # MySQL lets no row into it then
        "INSERT INTO u VALUES (8, 'plums')",
        "CREATE VIEW v AS SELECT words, FTS_DOC_ID FROM u",
        "CREATE VIEW w AS SELECT FTS_DOC_ID FROM v",
    )
    (told,) = done(move(source, url)).losses
    assert "FTS_DOC_ID is named" in told
    assert rows(url, "SELECT v.FTS_DOC_ID, w.FTS_DOC_ID FROM v, w") == [(8, 8)]


def test_foreign_keys_that_were_told_apart_are_kept(mysql: Fresh, postgresql: Fresh) -> None:
    source, url = postgresql(), mysql()
    key = "CREATE TABLE {} (id integer CONSTRAINT belongs REFERENCES p (id))"
    execute(source, "CREATE TABLE p (id integer PRIMARY KEY)", key.format("a"), key.format("b"))
    done(move(source, url))
    assert said(url) == [("REF_CONSTRAINT", "b", "b_belongs", "belongs")]
    with inspect(url) as there:
        assert [key["name"] for key in there.get_foreign_keys("b")] == ["b_belongs"]


def test_a_job_that_renames_nothing_makes_no_map(target: str, sqlite_file: Fresh) -> None:
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE t (id integer)")
    done(move(source, target))
    assert tables_of(target, schema_of(target)) == ["t"]


def test_it_lies_in_a_schema_that_the_job_makes(postgresql: Fresh, source: str) -> None:
    url = postgresql()
    done(pump("impdp", url, f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:made", "NOLOGFILE=YES"))
    assert scalar(url, f"SELECT count(*) FROM made.{NAME}") == 3


def test_it_is_shown(target: str, source: str) -> None:
    assert pump("renames", target).out == "nothing has another name\n"
    done(move(source, target))
    short, schema = cut(LONG, limits(target)), schema_of(target)
    shown = done(pump("renames", target)).out.splitlines()
    assert f'TABLE:"{schema}"."{short}" instead of "{LONG}" [LENGTH]' in shown
    assert f'COLUMN:"{schema}"."{short}"."{cut(KEY, limits(target))}" instead of "{KEY}" [LENGTH]' in shown
    found = json.loads(done(pump("renames", target, "--json")).out)
    assert {(entry["schema"], entry["target_name"]) for entry in found} >= {(schema, short)}
    assert len(found) == len(shown) == len(said(target))


# --- later jobs -----------------------------------------------------------------------------------------------------


def test_a_later_job_takes_the_names_that_the_map_has(target: str, source: str) -> None:
    """Somebody has given the table and its column other names, and has said so in the map."""
    done(move(source, target))
    short, key = cut(LONG, limits(target)), cut(KEY, limits(target))
    execute(
        target,
        f"ALTER TABLE {short} RENAME TO parents",
        f"ALTER TABLE parents RENAME COLUMN {key} TO number",
        f"UPDATE {NAME} SET target_name = 'parents' WHERE target_name = '{short}'",
        f"UPDATE {NAME} SET table_name = 'parents' WHERE table_name = '{short}'",
        f"UPDATE {NAME} SET target_name = 'number' WHERE target_name = '{key}'",
        "DELETE FROM parents",
    )
    done(move(source, target, "CONTENT=DATA_ONLY"))
    assert rows(target, "SELECT number FROM parents ORDER BY 1") == [(1,), (2,)]
    execute(source, *CHILD, f"CREATE VIEW seen AS SELECT {KEY} AS n FROM {LONG}")
    done(move(source, target, "INCLUDE=TABLE:\"= 'child'\""))
    with inspect(target) as there:
        (foreign,) = there.get_foreign_keys("child")
    assert (foreign["referred_table"], foreign["referred_columns"]) == ("parents", ["number"])
    later = move(source, target)
    assert later.code == 5, "its tables are there"
    assert rows(target, "SELECT n FROM seen ORDER BY 1") == [(1,), (2,)]
    verified = pump("verify", target, f"NETWORK_LINK={source}", remap(source, target))
    assert verified.code == 0, verified.out
    assert ("TABLE", "", "parents", LONG) in said(target)


def test_a_later_job_of_one_table_keeps_the_name_of_its_index(per_schema: str, mysql: Fresh) -> None:
    """Nothing of that job has the name by_n, and by now nothing at the target."""
    source = mysql()
    execute(source, *(sql.format(a="a", b="b") for sql in SAME))
    done(move(source, per_schema))
    execute(per_schema, "DROP TABLE a")
    done(move(source, per_schema, "TABLES=b", "TABLE_EXISTS_ACTION=REPLACE"))
    assert indexes(per_schema, "b") == ["b_by_n"]
    assert said(per_schema) == [("INDEX", "b", "b_by_n", "by_n")]


@pytest.mark.parametrize(
    "options", [["TABLE_EXISTS_ACTION=APPEND"], ["TABLE_EXISTS_ACTION=TRUNCATE"], ["CONTENT=DATA_ONLY"]]
)
def test_nothing_is_said_of_names_that_are_not_made(options: list[str], mysql: Fresh, postgresql: Fresh) -> None:
    source, url = mysql(), postgresql()
    execute(source, *(sql.format(a="a", b="b") for sql in SAME))
    done(move(source, url))
    assert [loss for loss in done(move(source, url, *options)).losses if "[index-name]" in loss] == []
    command = ("plan", "impdp", url, f"NETWORK_LINK={source}", remap(source, url), "--json")
    assert json.loads(pump(*command, *options).out)["losses"] == []


def test_a_name_that_a_table_of_an_earlier_job_has_is_taken(per_schema: str, mysql: Fresh) -> None:
    source = mysql()
    execute(source, *(sql.format(a="a", b="b") for sql in SAME))
    done(move(source, per_schema, "TABLES=b"))
    assert NAME not in tables_of(per_schema, schema_of(per_schema))
    command = ("plan", "impdp", per_schema, f"NETWORK_LINK={source}", remap(source, per_schema), "TABLES=a", "--json")
    losses = json.loads(pump(*command).out)["losses"]
    assert "index by_n is named a_by_n here" in [loss["detail"] for loss in losses]
    done(move(source, per_schema, "TABLES=a"))
    assert (indexes(per_schema, "a"), indexes(per_schema, "b")) == (["a_by_n"], ["by_n"])
    done(move(source, per_schema, "TABLES=a,b", "TABLE_EXISTS_ACTION=REPLACE"))
    assert (indexes(per_schema, "a"), indexes(per_schema, "b")) == (["a_by_n"], ["by_n"])
    assert said(per_schema) == [("INDEX", "a", "a_by_n", "by_n")]


def test_remap_table_goes_before_the_map(target: str, source: str) -> None:
    done(move(source, target))
    short = cut(LONG, limits(target))
    run = done(move(source, target, f"REMAP_TABLE=main.{LONG}:brief"))
    assert f'REMAP_TABLE goes before "{schema_of(target)}"."{NAME}": "main"."{LONG}" is brief, and not {short}' in run.out
    assert scalar(target, "SELECT count(*) FROM brief") == 2
    assert ("TABLE", "", short, LONG) in said(target), "that table is there still"
    assert [entry[1] for entry in said(target) if entry[0] == "COLUMN" and entry[3] == KEY] == sorted(["brief", short])


def test_a_map_that_is_gone_is_made_again(target: str, source: str) -> None:
    done(move(source, target))
    before = said(target)
    execute(target, f"DROP TABLE {NAME}")
    done(move(source, target, "TABLE_EXISTS_ACTION=TRUNCATE"))
    assert said(target) == before


def test_a_map_of_things_that_are_gone_is_put_right(target: str, source: str) -> None:
    execute(source, "CREATE TABLE another (id integer PRIMARY KEY)")
    done(move(source, target))
    execute(target, f"DROP TABLE {cut(LONG, limits(target))}")
    run = done(move(source, target, "TABLES=another", "TABLE_EXISTS_ACTION=TRUNCATE"))
    assert said(target) == []
    assert f"says nothing of TABLE {cut(LONG, limits(target))} any more, which is not there" in run.out
    done(move(source, target, f"TABLES={LONG}"))
    assert ("TABLE", "", cut(LONG, limits(target)), LONG) in said(target)


def test_a_script_for_a_server_takes_the_names_of_its_map(target: str, source: str, tmp_path: Path) -> None:
    done(move(source, target))
    short = cut(LONG, limits(target))
    execute(target, f"UPDATE {NAME} SET target_name = 'parents' WHERE target_name = '{short}'")
    script = tmp_path / "made.sql"
    done(move(source, target, f"DIRECTORY={tmp_path}", f"SQLFILE={script.name}"))
    told = f'-- loss: TABLE:"{schema_of(target)}"."parents": {LONG} is named parents here [name-cut]'
    assert told in script.read_text()
    assert NAME not in script.read_text()


# --- what it is not -------------------------------------------------------------------------------------------------


def test_it_is_no_part_of_what_jobs_move(target: str, source: str, sqlite_file: Fresh, tmp_path: Path) -> None:
    done(move(source, target))
    run = done(pump("expdp", target, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    assert set(run.rows) == {cut(LONG, limits(target))}
    assert NAME not in run.out
    assert [loss for loss in run.losses if "is named" in loss] == [], "an export renames nothing"
    back = sqlite_file("back.db")
    done(pump("impdp", back, f"DIRECTORY={tmp_path}", remap(target, back), "NOLOGFILE=YES"))
    assert tables_of(back) == [cut(LONG, limits(target))]
    other = sqlite_file("other.db")
    done(move(target, other))
    assert tables_of(other) == [cut(LONG, limits(target))]


def test_a_table_of_somebody_that_has_its_name_is_left_alone(target: str, source: str) -> None:
    execute(target, f"CREATE TABLE {NAME} (id integer)", f"INSERT INTO {NAME} VALUES (5)")
    run = move(source, target)
    assert run.code == 5
    assert run.out.count("MIG-31658") == 1
    assert "is not a rename map" in run.out
    assert rows(target, f"SELECT * FROM {NAME}") == [(5,)]
    assert scalar(target, f"SELECT count(*) FROM {cut(LONG, limits(target))}") == 2


def test_a_map_of_an_earlier_release_is_no_table_of_a_user_and_names_its_column(
    target: str, source: str, sqlite_file: Fresh
) -> None:
    done(move(source, target))
    before = said(target)
    execute(target, f"ALTER TABLE {NAME} DROP COLUMN part_number")
    run = move(source, target, "TABLE_EXISTS_ACTION=REPLACE")
    assert run.code == 5
    assert run.out.count("MIG-31658") == 1
    assert "is a rename map of an earlier release: it has no column part_number" in run.out
    advised = re.search(r"Say ALTER TABLE \.\.\. (.*), or drop", run.out)
    assert advised
    away = sqlite_file("away.db")
    done(move(target, away))
    assert tables_of(away) == [cut(LONG, limits(target))]
    execute(target, f"ALTER TABLE {NAME} {advised[1]}")
    done(move(source, target, "TABLE_EXISTS_ACTION=REPLACE"))
    assert said(target) == before


def test_a_table_of_the_source_that_has_its_name_comes(target: str, source: str) -> None:
    execute(source, f"CREATE TABLE {NAME} (id integer)", f"INSERT INTO {NAME} VALUES (5)")
    run = move(source, target)
    assert run.code == 5
    assert "MIG-31658" in run.out
    assert rows(target, f"SELECT * FROM {NAME}") == [(5,)]


def test_who_may_not_write_it_is_told(postgresql: Fresh, source: str) -> None:
    url = postgresql()
    execute(url, "CREATE TABLE other (id integer)")
    other = sa.make_url(url)
    name = f"clerk_{other.database}"
    done(move(source, url))
    short = cut(LONG, limits(url))
    execute(
        url,
        f"DROP TABLE {short}",
        f"CREATE ROLE {name} LOGIN PASSWORD 'clerk'",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {name}",
    )
    clerk = sa.make_url(url).set(username=name, password="clerk").render_as_string(hide_password=False)
    try:
        run = move(source, clerk)
        assert run.code == 5
        assert "cannot be read, so names are chosen without it" in run.out
        assert run.out.count("MIG-31658") == 1
        assert scalar(url, f"SELECT count(*) FROM {short}") == 2
    finally:
        execute(url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


# --- what is told apart ---------------------------------------------------------------------------------------------


def checks(url: str, table: str) -> list[tuple[str, ...]]:
    """The checks of a table on PostgreSQL, and what they say."""
    wanted = "conname, pg_get_constraintdef(oid)"
    return rows(url, f"SELECT {wanted} FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c' ORDER BY 2")


def test_parts_of_one_table_that_have_one_name_keep_theirs(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, url = sqlite_file("source.db"), postgresql()
    columns = ", ".join(f"{column} integer CONSTRAINT c CHECK ({column} > {n})" for n, column in enumerate("abd"))
    execute(source, f"CREATE TABLE t ({columns})")
    done(move(source, url))
    before = checks(url, "t")
    assert len({name for name, _ in before}) == 3
    for _ in range(2):
        done(move(source, url, "TABLE_EXISTS_ACTION=REPLACE"))
        assert checks(url, "t") == before


def test_a_key_and_a_check_of_one_name_keep_theirs(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, url = sqlite_file("source.db"), postgresql()
    execute(source, "CREATE TABLE t (a integer, CONSTRAINT x UNIQUE (a), CONSTRAINT x CHECK (a > 0))")
    done(move(source, url))
    assert [name for name, _ in checks(url, "t")] == ["t_x"]
    done(move(source, url, "TABLE_EXISTS_ACTION=REPLACE"))
    assert [name for name, _ in checks(url, "t")] == ["t_x"]
    assert said(url) == [("CONSTRAINT", "t", "t_x", "x")]


@pytest.mark.product("MariaDB", "checks whose names are their tables'")
def test_checks_of_two_tables_come_as_they_are_where_a_table_has_its_own(mysql: Fresh) -> None:
    """So it is in MariaDB, which names a check itself by the number that it has in its table."""
    source, url = mysql(), mysql()
    for table in ("a", "b"):
        execute(source, f"CREATE TABLE {table} (n integer, m integer, CONSTRAINT positive CHECK (n > 0), CHECK (n < m))")
    run = done(move(source, url))
    assert run.losses == []
    assert tables_of(url, schema_of(url)) == ["a", "b"]
    named = "SELECT constraint_name FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()"
    assert sorted(name for (name,) in rows(url, named)) == ["CONSTRAINT_1", "CONSTRAINT_1", "positive", "positive"]


TWO = (
    f"CREATE TABLE orders (id integer PRIMARY KEY, {KEY} integer)",
    f"CREATE TABLE items (id integer PRIMARY KEY, {KEY} integer)",
    "INSERT INTO orders VALUES (1, 10)",
    "INSERT INTO items VALUES (2, 20)",
)


def by_hand(target: str) -> None:
    """Somebody gives the long column of ``orders`` another name."""
    key = cut(KEY, limits(target))
    execute(
        target,
        f"ALTER TABLE orders RENAME COLUMN {key} TO number",
        f"UPDATE {NAME} SET target_name = 'number' WHERE table_name = 'orders'",
    )


def test_a_long_column_is_known_by_its_table(target: str, sqlite_file: Fresh) -> None:
    source = sqlite_file("source.db")
    execute(source, *TWO, f"CREATE VIEW of_items AS SELECT {KEY} AS n FROM items")
    execute(source, f"CREATE VIEW of_orders AS SELECT {KEY} AS n FROM orders")
    execute(source, f"CREATE VIEW unlisted AS SELECT {KEY} FROM orders", f"CREATE VIEW u AS SELECT {KEY} AS n FROM unlisted")
    execute(
        source, f"CREATE VIEW listed ({KEY}) AS SELECT {KEY} FROM orders", f"CREATE VIEW l AS SELECT {KEY} AS n FROM listed"
    )
    done(move(source, target, "EXCLUDE=VIEW"))
    by_hand(target)
    run = move(source, target, "TABLE_EXISTS_ACTION=TRUNCATE")
    assert "ORA-31693" not in run.out
    assert rows(target, "SELECT id, number FROM orders") == [(1, 10)]
    assert rows(target, f"SELECT id, {cut(KEY, limits(target))} FROM items") == [(2, 20)]
    found = {view: scalar(target, f"SELECT n FROM {view}") for view in ("of_items", "of_orders", "u", "l")}
    assert found == {"of_items": 20, "of_orders": 10, "u": 10, "l": 10}


def test_a_columns_name_that_another_of_its_table_has_by_now_is_chosen_anew(target: str, sqlite_file: Fresh) -> None:
    source = sqlite_file("source.db")
    execute(source, *TWO)
    done(move(source, target))
    by_hand(target)
    execute(source, "ALTER TABLE orders ADD COLUMN number integer")
    done(move(source, target, "TABLE_EXISTS_ACTION=REPLACE"))
    assert rows(target, f"SELECT {cut(KEY, limits(target))}, number FROM orders") == [(10, None)]
    short = cut(KEY, limits(target))
    assert said(target) == [("COLUMN", table, short, KEY) for table in ("items", "orders")]


def test_a_schema_whose_name_is_cut_is_asked_by_that(mysql: Fresh, postgresql: Fresh) -> None:
    source, url = mysql(), postgresql()
    execute(source, *(sql.format(a="a", b="b") for sql in SAME))
    options = (f"NETWORK_LINK={source}", f'REMAP_SCHEMA={schema_of(source)}:"{WIDE}"', "NOLOGFILE=YES")
    done(pump("impdp", url, *options))
    kept = f"SELECT table_name, target_name FROM \"{cut(WIDE, limits(url))}\".{NAME} WHERE object_type = 'INDEX'"
    assert rows(url, kept) == [("b", "b_by_n")]
    done(pump("impdp", url, *options, "TABLES=b", "TABLE_EXISTS_ACTION=REPLACE"))
    assert rows(url, kept) == [("b", "b_by_n")]
    assert scalar(url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'b_by_n'") == 1


def test_what_one_schema_has_stands_in_no_others_way(mysql: Fresh, postgresql: Fresh) -> None:
    first, second, url = mysql(), mysql(), postgresql()
    execute(first, f"CREATE TABLE {NAME} (id integer)")
    execute(second, *(sql.format(a="a", b="b") for sql in SAME))
    done(pump("impdp", url, f"NETWORK_LINK={first}", f"SCHEMAS={schema_of(first)},{schema_of(second)}", "NOLOGFILE=YES"))
    assert rows(url, f'SELECT target_name FROM "{schema_of(second)}".{NAME}') == [("b_by_n",)]


def test_names_of_two_schemas_that_come_into_one_are_kept_with_their_own(mysql: Fresh, postgresql: Fresh) -> None:
    first, second, url = mysql(), mysql(), postgresql()
    schemas = schema_of(first), schema_of(second)
    for number, source in enumerate((first, second)):
        execute(source, f"CREATE VIEW `{number}{WIDE}` AS SELECT 1 AS n")
    remaps = f"REMAP_SCHEMA={schemas[0].upper()}:public,{schemas[1]}:public"
    done(pump("impdp", url, f"NETWORK_LINK={first}", f"SCHEMAS={schemas[0]},{schemas[1]}", remaps, "NOLOGFILE=YES"))
    kept = rows(url, f"SELECT source_schema, source_name FROM {NAME} ORDER BY source_name")
    assert kept == [(schema, f"{number}{WIDE}") for number, schema in enumerate(schemas)]


def test_a_map_that_cannot_be_put_right_ends_no_job_in_error(
    target: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has made a table of a type that nobody understands, while the job's rows came."""
    settle = renaming.settle

    def refuse(job: Import) -> There:
        raise UnsupportedType(column="c", table="new", type="odd", detail="is not known")

    def met(job: Import) -> None:
        monkeypatch.setattr(Import, "read_target", refuse)
        settle(job)

    monkeypatch.setattr(renaming, "settle", met)
    run = done(move(source, target))
    assert "the rename map is left as it is" in run.out
    assert len(said(target)) == len({entry[2] for entry in said(target)}) > 0


def test_a_view_on_it_is_no_part_of_what_jobs_move(target: str, source: str, sqlite_file: Fresh) -> None:
    done(move(source, target))
    execute(target, f"CREATE VIEW names AS SELECT target_name FROM {NAME}", "CREATE VIEW again AS SELECT * FROM names")
    other = sqlite_file("other.db")
    run = done(move(target, other))
    assert tables_of(other) == [cut(LONG, limits(target))]
    assert sum("not carried: it reads records of jobs" in loss for loss in run.losses) == 2
    run = done(move(target, sqlite_file("third.db"), "EXCLUDE=VIEW"))
    assert [loss for loss in run.losses if "[job-records]" in loss] == []
    assert " 2 filtered out" in run.out
    assert "unsupported" not in run.out


def test_nor_is_what_belongs_to_such_a_view(postgresql: Fresh, source: str) -> None:
    target, other = postgresql(), postgresql()
    done(move(source, target))
    execute(target, f"CREATE VIEW names AS SELECT * FROM {NAME}", "CREATE RULE r AS ON INSERT TO names DO INSTEAD NOTHING")
    done(move(target, other))
    assert scalar(other, "SELECT count(*) FROM pg_rules") == scalar(
        other, "SELECT count(*) FROM pg_rules WHERE rulename <> 'r'"
    )


# --- jobs that die --------------------------------------------------------------------------------------------------


def test_a_job_that_dies_goes_on_under_the_names_that_it_had_chosen(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    """The foreign key that had the name was the job's to drop: nothing has it when the job goes on."""
    held, target = HeldRows(postgresql(), tmp_path), mysql()
    execute(
        held.source,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE a (id integer PRIMARY KEY)",
        "CREATE TABLE b (id integer CONSTRAINT belongs REFERENCES p (id))",
    )
    execute(
        target,
        "CREATE TABLE a (id integer PRIMARY KEY, other integer, CONSTRAINT belongs FOREIGN KEY (other) REFERENCES a (id))",
    )
    recorded = Recorded.of(target, "RENAMING")
    options = (remap(held.source, target), "TABLE_EXISTS_ACTION=REPLACE", "JOB_NAME=RENAMING", "NOLOGFILE=YES")
    process = begin("impdp", target, f"NETWORK_LINK={held.source}", *options, held.query, cwd=tmp_path)
    try:
        until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "rows")
        expected = [("REF_CONSTRAINT", "b", "b_belongs", "belongs")]
        assert said(target) == expected, "before there is such a key"
        with inspect(target) as there:
            assert [key for table in ("a", "b") for key in there.get_foreign_keys(table)] == []
    finally:
        kill(process)
        held.release()
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, "RENAMING", link=held.source)
    assert again.returncode == 0, again.stdout
    assert said(target) == expected
    with inspect(target) as there:
        assert [key["name"] for key in there.get_foreign_keys("b")] == ["b_belongs"]


def test_what_a_job_that_was_killed_has_not_made_is_not_in_the_map_for_long(
    postgresql: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    held, target = HeldRows(postgresql(), tmp_path), mysql()
    key = "CREATE TABLE {} (id integer CONSTRAINT belongs REFERENCES t (id))"
    execute(held.source, key.format("a"), key.format("b"))
    link, recorded = f"NETWORK_LINK={held.source}", Recorded.of(target, "KILLED")
    options = (remap(held.source, target), "JOB_NAME=KILLED", "NOLOGFILE=YES", held.query)
    process = begin("impdp", target, link, *options, cwd=tmp_path)
    try:
        until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "rows")
    finally:
        kill(process)
        held.release()
    expected = [("REF_CONSTRAINT", "b", "b_belongs", "belongs")]
    execute(held.source, "CREATE TABLE other (id integer)")
    done(move(held.source, target, "TABLES=other"))
    assert said(target) == expected, "the job is on record, and may go on"
    time.sleep(float(LEASE) + 0.1)
    control.find(Database(sa.make_url(target)), "KILLED").kill_stopped()
    done(move(held.source, target, "TABLES=other", "TABLE_EXISTS_ACTION=TRUNCATE"))
    assert said(target) == []


def dying(held: HeldRows, target: str, name: str, *options: str) -> subprocess.Popen[str]:
    """A job that is at its rows, which it does not get."""
    link, recorded = f"NETWORK_LINK={held.source}", Recorded.of(target, name)
    more = (remap(held.source, target), f"JOB_NAME={name}", "NOLOGFILE=YES", held.query)
    process = begin("impdp", target, link, *options, *more, cwd=held.directory)
    until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "rows")
    return process


def test_a_job_goes_on_under_its_own_names_whatever_has_become_of_others(
    postgresql: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    """Somebody else has by now what was to have its own name, and has changed the map."""
    held, target = HeldRows(postgresql(), tmp_path), mysql()
    execute(held.source, "ALTER TABLE t ADD parent integer CONSTRAINT above REFERENCES t (id)")
    key = "CREATE TABLE {} (id integer CONSTRAINT belongs REFERENCES t (id))"
    execute(held.source, key.format("a"), key.format("b"))
    process = dying(held, target, "OTHERS")
    kill(process)
    held.release()
    execute(
        target,
        "CREATE TABLE parents (id integer PRIMARY KEY)",
        "CREATE TABLE children (id integer, CONSTRAINT above FOREIGN KEY (id) REFERENCES parents (id))",
        f"UPDATE {NAME} SET target_name = 'chosen'",
    )
    time.sleep(float(LEASE) + 0.1)
    again = go_on(target, "OTHERS", link=held.source)
    assert again.returncode == 5, again.stdout
    assert "MIG-31653" not in again.stdout
    with inspect(target) as there:
        assert [key["name"] for key in there.get_foreign_keys("b")] == ["b_belongs"]
        assert there.get_foreign_keys("t") == [], "its name was taken when the rows had come"
    assert scalar(target, "SELECT count(*) FROM t") == ROWS
    assert said(target) == [("REF_CONSTRAINT", "b", "b_belongs", "belongs")]


def test_an_entry_is_the_job_s_that_relies_on_it(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    """A third job does not take it out while the second has dropped the table, and not made its key yet."""
    held, target = HeldRows(postgresql(), tmp_path), mysql()
    key = "CREATE TABLE {} (id integer CONSTRAINT belongs REFERENCES t (id))"
    execute(held.source, key.format("a"), key.format("b"), "CREATE TABLE other (id integer)")
    held.release()
    done(move(held.source, target))
    held.hold()
    execute(target, "DROP TABLE a")
    process = dying(held, target, "SECOND", "TABLES=b", "TABLE_EXISTS_ACTION=REPLACE")
    try:
        expected = [("REF_CONSTRAINT", "b", "b_belongs", "belongs")]
        assert "SECOND" in scalar(target, f"SELECT job FROM {NAME}")
        done(move(held.source, target, "TABLES=other", "TABLE_EXISTS_ACTION=REPLACE"))
        assert said(target) == expected
    finally:
        held.release()
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, out
    with inspect(target) as there:
        assert [key["name"] for key in there.get_foreign_keys("b")] == ["b_belongs"]
    assert said(target) == expected
