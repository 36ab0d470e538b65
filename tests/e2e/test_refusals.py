"""What a target will not have: expressions that it was asked about, constraints that rows break, objects that it refuses."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from migrator.model.catalog import Catalog
from migrator.operations import broken_checks
from migrator.operations.importing import orphaned
from migrator.operations.trials import tried
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, is_mariadb, rows, scalar

Fresh = Callable[..., str]


def move(source: str, target: str, directory: Path, *options: str) -> Run:
    return pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={directory}", *options)


def entries(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["entries"]
    return found


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_of_a_table_whose_last_value_is_of_another_class_nothing_stays(
    kind: str, sqlite_file: Fresh, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The value comes long after the first rows have gone to the target."""
    source, target = sqlite_file("source.db"), request.getfixturevalue(kind)()
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)"
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", f"INSERT INTO t {numbers} SELECT i, i FROM n")
    execute(source, "INSERT INTO t VALUES (70001, 'seven')")
    run = move(source, target, tmp_path, "COLUMN_TYPE=t.v:bigint")
    assert run.code == 5, run.out
    assert "MIG-20019: column t.v: the row with rowid 70001 holds the text 'seven', the column is bigint" in run.out, run.out
    assert scalar(target, "SELECT count(*) FROM t") == 0


MIXED = {
    "n": ("NUMERIC", "0.5", "'abc'"),
    "b": ("TEXT", "'x'", "x'ff00'"),
    "i": ("BLOB", "x'00'", "7"),
    "r": ("BLOB", "x'00'", "1.5"),
    "none": ("", "'x'", "1.5"),
    "w": ("INTEGER", "1", "x'00'"),
}
"""Tables: what a column is declared as, a value of that kind, and one of another that no other type holds as well."""


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_what_is_said_to_help_against_a_value_of_another_class_does(
    kind: str, sqlite_file: Fresh, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, target = sqlite_file("source.db"), request.getfixturevalue(kind)()
    for name, (declared, usual, other) in MIXED.items():
        execute(source, f'CREATE TABLE "{name}" (k blob PRIMARY KEY, "a b" {declared}) WITHOUT ROWID')
        execute(source, f"INSERT INTO \"{name}\" VALUES (x'01', {usual}), (x'02', {other}), (x'03', NULL)")
    run = move(source, target, tmp_path, "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    assert run.out.count("the row with k X'02' holds the") == run.out.count("MIG-20019") == len(MIXED), run.out
    said = re.findall(r'leave their rows out with (QUERY=.*"WHERE .*")\.', run.out)
    again = move(source, target, tmp_path, *said, "TABLE_EXISTS_ACTION=APPEND", "CONTENT=DATA_ONLY")
    assert again.code == 0, again.out
    assert {scalar(target, f"SELECT count(*) FROM {name}") for name in MIXED} == {2}


# --- expressions ----------------------------------------------------------------------------------------------------


def test_a_table_is_made_without_the_expressions_that_mariadb_refuses(
    postgresql: Fresh, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        """CREATE TABLE g (id serial PRIMARY KEY, i integer CONSTRAINT small CHECK (i < 100),
            twice integer GENERATED ALWAYS AS (id * 2) STORED, half integer GENERATED ALWAYS AS (i / 2) STORED)""",
        "INSERT INTO g (i) VALUES (7), (9)",
    )
    run = done(move(source, target, tmp_path, "LEDGER=losses.json"))
    assert rows(target, "SELECT id, i, twice, half FROM g ORDER BY id") == [(1, 7, 2, 3), (2, 9, 4, 4)]
    (lost,) = (loss for loss in run.losses if "[generated]" in loss)
    assert '"twice"' in lost
    assert "(id * 2)" in lost
    assert "id is AUTO_INCREMENT" in lost
    assert [entry["column"] for entry in entries(tmp_path / "losses.json") if entry["rule"] == "generated"] == ["twice"]
    execute(target, "INSERT INTO g (i) VALUES (5)")
    assert scalar(target, "SELECT half FROM g WHERE i = 5") == 2
    with pytest.raises(Exception, match="small"):
        execute(target, "INSERT INTO g (i) VALUES (100)")


def chained(source: str) -> None:
    execute(
        source,
        """CREATE TABLE g (id integer PRIMARY KEY, i integer, half integer AS (i DIV 2) STORED,
            quarter integer AS (half DIV 2) STORED, CONSTRAINT positive CHECK (quarter >= 0))""",
        "INSERT INTO g (id, i) VALUES (1, 9), (2, 13)",
    )


def test_expressions_that_postgresql_has_one_at_a_time_are_kept_as_far_as_it_goes(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    chained(source)
    run = done(move(source, target, tmp_path))
    assert rows(target, "SELECT id, half, quarter FROM g ORDER BY id") == [(1, 4, 2), (2, 6, 3)]
    (lost,) = (loss for loss in run.losses if "refuses it" in loss)
    assert '"quarter"' in lost
    with pytest.raises(Exception, match="positive"):
        execute(target, "INSERT INTO g (id, quarter) VALUES (3, -1)")


def test_a_trial_leaves_nothing_and_comes_to_the_same_each_time(mysql: Fresh, postgresql: Fresh) -> None:
    source, target = (Database(sa.make_url(url)) for url in (mysql(), postgresql()))
    chained(source.url.render_as_string(hide_password=False))
    quarter = "`half` DIV 2" if is_mariadb(source.url) else "(`half` DIV 2)"
    with source.connect() as connection:
        catalog: Catalog = source.adapter.catalog(connection, [source.server().schema])
    first, again = (tried(target, target.server(), catalog).refused for _ in range(2))
    assert [expression.sql for _, expression in first] == [quarter]
    assert first == again
    with target.connect() as connection:
        made = "SELECT count(*) FROM pg_class WHERE relname ILIKE 'migrator_trial%'"
        assert connection.exec_driver_sql(made.replace("%", "%%")).scalar_one() == 0
    assert tried(target, target.server(), catalog, "DATA_ONLY").refused == {}


def test_a_plan_and_a_script_name_what_the_server_refuses(mysql: Fresh, postgresql: Fresh, tmp_path: Path) -> None:
    source, target = mysql(), postgresql()
    chained(source)
    run = done(move(source, target, tmp_path, "SQLFILE=made.sql"))
    script = (tmp_path / "made.sql").read_text("utf-8")
    assert sum("refuses it" in loss for loss in run.losses) == 1
    assert "quarter integer GENERATED" not in script
    assert "half integer GENERATED ALWAYS AS" in script
    planned = pump("plan", "impdp", target, f"NETWORK_LINK={source}", remap(source, target))
    assert "refuses it" in planned.out


# --- what rows break ------------------------------------------------------------------------------------------------

DOUBTED = (
    "CREATE TABLE p (id integer PRIMARY KEY)",
    "CREATE TABLE c (id integer PRIMARY KEY, p integer, n integer)",
    "INSERT INTO c VALUES (1, 99, -5)",
    "ALTER TABLE c ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
    "ALTER TABLE c ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p (id) NOT VALID",
)


def enforces_not(url: str) -> bool:
    """Whether the database has checks that are off: MySQL does."""
    return url.startswith("mysql") and not is_mariadb(url)


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite"])
def test_constraints_that_are_not_validated_hold_for_new_rows_or_are_named(
    kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path
) -> None:
    source = postgresql()
    execute(source, *DOUBTED)
    target = request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    planned = pump("plan", "impdp", target, f"NETWORK_LINK={source}", remap(source, target), "PROFILE=YES", "--json")
    run = done(move(source, target, tmp_path, "LEDGER=losses.json"))
    assert rows(target, "SELECT id, p, n FROM c") == [(1, 99, -5)]
    unvouched = [(one["object"], one["rows"]) for one in entries(tmp_path / "losses.json") if one["rule"] == "not-validated"]
    foreseen = [(one["object"], one["rows"]) for one in json.loads(planned.out)["losses"] if one["rule"] == "not-validated"]
    assert (planned.code, foreseen) == (0, unvouched)
    with pytest.raises(Exception, match=r"(?i)parent|foreign"):
        execute(target, *(["PRAGMA foreign_keys = ON"] if kind == "sqlite" else []), "INSERT INTO c VALUES (2, 98, 1)")
    if kind == "postgresql":
        assert rows(target, "SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY 1") == [
            ("parent",),
            ("positive",),
        ]
        assert not run.losses
        assert unvouched == []
    else:
        (lost,) = (loss for loss in run.losses if "[check]" in loss)
        assert "positive" in lost
        assert ("it held for new rows" if enforces_not(target) else "rows may break it") in lost
        assert unvouched == [(f'TABLE:"{schema_of(target)}"."c"', 1)]
        (lost,) = (loss for loss in run.losses if "[not-validated]" in loss)
        assert "which some rows may break: the source says so" in lost
        assert "(1 row)" in lost
    again = postgresql()
    back = move(target, again, tmp_path, "LEDGER=back.json")
    if kind != "postgresql":
        assert back.code == 5
        (entry,) = (entry for entry in entries(tmp_path / "back.json") if entry["rule"] == "not-validated")
        assert (entry["object"], entry["rows"]) == ('REF_CONSTRAINT:"public"."parent"', 1)


@pytest.mark.parametrize("kind", ["mysql", "sqlite"])
@pytest.mark.parametrize("way", ["link", "dump file set", "QUERY"])
def test_the_rows_that_break_a_check_are_counted_by_the_source_and_the_check_is_left_out_or_off(
    way: str, kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    execute(
        source,
        "CREATE TABLE c (id integer PRIMARY KEY, n integer, t text)",
        "INSERT INTO c VALUES (1, -5, 'ab'), (2, 0, 'abc'), (3, 7, 'x'), (4, NULL, 'abc')",
        "ALTER TABLE c ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
        "ALTER TABLE c ADD CONSTRAINT short CHECK (t ~ '^.{1,2}$') NOT VALID",
        "ALTER TABLE c ADD CONSTRAINT never CHECK (id <> 9) NOT VALID",
    )
    where, foreseen = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"), None
    if way == "dump file set":
        done(pump("expdp", source, *where))
        execute(source, "DROP TABLE c")
        done(pump("impdp", target, *where, remap(source, target), "LEDGER=losses.json"))
    else:
        asked = [f"NETWORK_LINK={source}", remap(source, target)]
        asked += ['QUERY=c:"WHERE id > 1 -- but the first"'] if way == "QUERY" else []
        foreseen = json.loads(pump("plan", "impdp", target, *asked, "PROFILE=YES", "--json").out)["losses"]
        done(pump("impdp", target, *asked, *where, "LEDGER=losses.json"))
    told = [(re.split(" is (?=left out|off)", one["detail"])[0], one["rows"]) for one in entries(tmp_path / "losses.json")]
    assert told == [
        ("check never ((id <> 9))", 0),
        ("check positive ((n > 0))", 1 if way == "QUERY" else 2),
        ("check short ((t ~ '^.{1,2}$'::text))", 2),
    ]
    assert foreseen is None or [one["rows"] for one in foreseen] == [number for _, number in told]
    assert len(rows(target, "SELECT id FROM c")) == (3 if way == "QUERY" else 4)
    execute(target, "INSERT INTO c VALUES (9, -9, 'abc')")


CHECKED = (
    "CREATE TABLE c (id integer PRIMARY KEY, n integer)",
    "INSERT INTO c VALUES (1, -5), (2, 0), (3, 7)",
    "ALTER TABLE c ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
)


def test_a_job_that_makes_no_checks_counts_no_rows(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgresql(), sqlite_file()
    execute(source, *CHECKED)
    done(move(source, target, tmp_path))
    monkeypatch.setattr(broken_checks, "_count", None)
    done(move(source, target, tmp_path, "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=TRUNCATE"))


def test_of_a_dump_file_set_whose_rows_are_chosen_nobody_knows_how_many_break_a_check(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, target, where = postgresql(), sqlite_file(), (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    execute(source, *CHECKED)
    done(pump("expdp", source, *where))
    done(pump("impdp", target, *where, remap(source, target), 'QUERY=c:"WHERE id = 3"', "LEDGER=losses.json"))
    assert [one["rows"] for one in entries(tmp_path / "losses.json") if one["rule"] == "check"] == [None]


def test_a_check_that_the_target_lets_rows_break_is_not_counted(
    postgresql: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *DOUBTED)
    monkeypatch.setattr(broken_checks, "_count", None)
    assert not done(move(source, target, tmp_path)).losses


def test_a_key_that_is_refused_is_not_said_to_be_made(postgresql: Fresh, mysql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (id integer PRIMARY KEY, p integer CHECK (p > 5))",
        "INSERT INTO c VALUES (1, 99)",
        "ALTER TABLE c ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL NOT VALID",
    )
    run = move(source, target, tmp_path, "LEDGER=losses.json")
    assert run.code == 5
    assert re.search('REF_CONSTRAINT:".*"."parent" failed to create', run.out)
    assert re.search(r"Failing sql is:\s+ALTER TABLE", run.out), "and what does so is said, not what goes before and after"
    assert run.losses == []
    told = [(one["object"], one["rule"], one["rows"]) for one in entries(tmp_path / "losses.json")]
    assert told == [(f'REF_CONSTRAINT:"{schema_of(target)}"."parent"', "not-made", 1)]


@pytest.mark.parametrize("kind", ["mysql", "sqlite"])
def test_the_rows_against_a_key_are_counted_once(
    kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgresql(), request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    execute(source, *DOUBTED)
    counted: list[object] = []

    def count(*of: object) -> int:
        counted.append(of)
        return 7

    monkeypatch.setattr(orphaned.scans, "orphans", count)
    monkeypatch.setattr(orphaned, "_table", lambda *_: None)  # as if they could not be listed
    run = done(move(source, target, tmp_path, "LEDGER=losses.json"))
    assert len(counted) == 1
    assert ["(7 rows)" in loss for loss in run.losses if "[not-validated]" in loss] == [True]
    assert [one["rows"] for one in entries(tmp_path / "losses.json") if one["rule"] == "not-validated"] == [7]


def test_a_key_that_the_source_does_not_vouch_for_is_no_error_beside_one_that_it_does(
    postgresql: Fresh, sqlite_file: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), sqlite_file("target.db")
    execute(source, *DOUBTED, "ALTER TABLE c ADD q integer", "ALTER TABLE c ADD FOREIGN KEY (q) REFERENCES p (id)")
    run = done(move(source, target, tmp_path))
    assert sum("[not-validated]" in loss for loss in run.losses) == 1


@pytest.mark.parametrize("kind", ["mysql", "sqlite"])
def test_of_two_keys_over_one_column_each_has_its_own_rows_in_the_plan(
    kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path
) -> None:
    """MariaDB has one key of a name in a schema: the second table's get others."""
    source = postgresql()
    key = "ALTER TABLE {0} ADD CONSTRAINT to_{1} FOREIGN KEY (a) REFERENCES {1} (a) NOT VALID"
    execute(
        source,
        "CREATE TABLE p (a integer PRIMARY KEY)",
        "CREATE TABLE q (a integer PRIMARY KEY)",
        "CREATE TABLE o (a integer PRIMARY KEY)",
        "CREATE TABLE c (a integer)",
        "CREATE TABLE d (a integer)",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO q VALUES (1), (2), (3)",
        "INSERT INTO c VALUES (1), (2), (3), (4)",
        "INSERT INTO d VALUES (3), (4)",
        *(key.format(child, parent) for child in "cd" for parent in "opq"),
    )
    target = request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    asked = (remap(source, target), "REMAP_TABLE=q:r", "EXCLUDE=REF_CONSTRAINT:\"= 'to_o'\"")
    planned = pump("plan", "impdp", target, f"NETWORK_LINK={source}", *asked, "PROFILE=YES", "--json")
    done(move(source, target, tmp_path, *asked[1:], "LEDGER=losses.json"))
    told = {"plan": json.loads(planned.out)["losses"], "job": entries(tmp_path / "losses.json")}
    unvouched = {
        name: [
            (one["object"][-2], one["detail"].split()[2], one["rows"]) for one in losses if one["rule"] == "not-validated"
        ]
        for name, losses in told.items()
    }
    other = "d_" if kind == "mysql" else ""
    assert unvouched["job"] == [("c", "to_p", 3), ("c", "to_q", 1), ("d", f"{other}to_p", 2), ("d", f"{other}to_q", 1)]
    assert unvouched["plan"] == unvouched["job"]


def test_a_foreign_key_with_orphans_is_in_the_ledger_with_their_number(
    mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b))",
        "CREATE TABLE c (a integer, b integer, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES p (a, b))",
        "INSERT INTO p VALUES (1, 1)",
        "SET foreign_key_checks = 0",
        "INSERT INTO c VALUES (1, 1), (1, 2), (2, 1), (NULL, 2)",
    )
    run = move(source, target, tmp_path, "LEDGER=losses.json")
    assert run.code == 5
    assert run.out.count("ORA-02298") == 1
    (told,) = (loss for loss in run.losses if "parent" in loss)
    assert told.endswith("(2 rows) [not-validated]")
    (entry,) = (entry for entry in entries(tmp_path / "losses.json") if entry["rule"] == "not-validated")
    assert entry["object"] == 'REF_CONSTRAINT:"public"."parent"'
    assert entry["rows"] == 2


@pytest.mark.parametrize("way", ["link", "dump"])
def test_entries_about_how_each_value_is_shown_have_the_number_of_values(
    way: str, mysql: Fresh, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, a char(3) NOT NULL, b char(3), z int(4) zerofill)",
        "INSERT INTO t VALUES (1, 'x', NULL, 1), (2, 'y', 'y', NULL), (3, 'z', 'zzz', NULL)",
    )
    if way == "dump":
        done(pump("expdp", source, f"DIRECTORY={tmp_path}"))
        done(pump("impdp", target, remap(source, target), f"DIRECTORY={tmp_path}", "LEDGER=losses.json"))
    else:
        done(move(source, target, tmp_path, "LEDGER=losses.json"))
    told = {(one["column"], one["rule"]): (one["each"], one["rows"]) for one in entries(tmp_path / "losses.json")}
    assert {place: found for place, found in told.items() if place[1] in {"padding", "declaration"}} == {
        ("a", "padding"): (True, 3),
        ("b", "padding"): (True, 2),
        ("z", "declaration"): (True, 1),
    }


def test_a_view_that_the_target_refuses_is_in_the_ledger_with_its_text(postgresql: Fresh, tmp_path: Path) -> None:
    source, target = postgresql(), postgresql()
    execute(
        source,
        "CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2'",
        "CREATE TABLE t (i integer)",
        "CREATE VIEW doubled AS SELECT twice(i) AS j FROM t",
    )
    run = move(source, target, tmp_path, "EXCLUDE=FUNCTION", "LEDGER=losses.json")
    assert run.code == 5
    assert run.out.count("ORA-39083: Object type VIEW") == 1
    (entry,) = (entry for entry in entries(tmp_path / "losses.json") if entry["rule"] == "not-made")
    assert entry["object"] == 'VIEW:"public"."doubled"'
    assert "twice" in entry["detail"].partition("; at the source: ")[2]


# --- what only the source does --------------------------------------------------------------------------------------

OLD, GIVEN = datetime.datetime(2000, 1, 1), datetime.datetime(2001, 1, 1)
UPDATES = (
    "UPDATE t SET a = 'new' WHERE id = 1",
    "UPDATE t SET a = a WHERE id = 2",
    "UPDATE t SET a = 'B' WHERE id = 3",
    "UPDATE t SET a = 'x', c = '2001-01-01 00:00:00' WHERE id = 4",
    "UPDATE t SET n = NULL WHERE id = 5",
    "UPDATE t SET c = '2001-01-01 00:00:00' WHERE id = 6",
    "UPDATE t SET a = 'z' WHERE id > 100",
)


def changed(url: str) -> list[tuple[int, list[str]]]:
    """Which of the two times of each row are the old one, the given one, or about now."""
    found = []
    for id_, *times in rows(url, "SELECT id, c, e FROM t ORDER BY id"):
        moments = [datetime.datetime.fromisoformat(str(time)).replace(tzinfo=None) for time in times]
        found.append((id_, ["old" if m == OLD else "given" if m == GIVEN else "now" for m in moments]))
        near = [abs(m - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)) for m in moments if m not in {OLD, GIVEN}]
        assert all(distance < datetime.timedelta(hours=13) for distance in near)
    return found


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_on_update_current_timestamp_becomes_a_trigger(
    kind: str, request: pytest.FixtureRequest, mysql: Fresh, tmp_path: Path
) -> None:
    source, target = mysql(), request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    execute(
        source,
        """CREATE TABLE t (id integer PRIMARY KEY, a varchar(9), n integer, j json, g integer AS (n + 1) STORED,
            c datetime ON UPDATE CURRENT_TIMESTAMP, e datetime(3) ON UPDATE CURRENT_TIMESTAMP(3))""",
        "INSERT INTO t (id, a, n, j, c, e) SELECT seq, 'b', 1, '{\"a\": 1}', '2000-01-01', '2000-01-01' FROM seq_1_to_7",
    )
    run = done(move(source, target, tmp_path))
    assert sum("[on-update]" in loss and "trigger" in loss for loss in run.losses) == 2
    for url in (source, target):
        for sql in UPDATES:
            execute(url, sql)
    assert changed(target) == changed(source)
    assert done(move(source, target, tmp_path, "TABLE_EXISTS_ACTION=REPLACE")).rows == {"t": 7}
    execute(target, "UPDATE t SET a = 'again' WHERE id = 7")
    assert changed(target)[6] == (7, ["now", "now"])


@pytest.mark.parametrize("kind", ["mysql", "sqlite"])
def test_the_bounds_of_partitions_are_named(
    kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)()
    execute(
        source,
        "CREATE TABLE m (d date, n integer) PARTITION BY RANGE (d)",
        "CREATE TABLE m2020 PARTITION OF m FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (n)",
        "CREATE TABLE m2020_1 PARTITION OF m2020 FOR VALUES IN (1)",
        "INSERT INTO m VALUES ('2020-05-05', 1)",
    )
    run = done(move(source, target, tmp_path))
    assert scalar(target, "SELECT count(*) FROM m") == 1
    (lost,) = (loss for loss in run.losses if "[partitioning]" in loss)
    for words in ("RANGE (d)", "m2020 FOR VALUES FROM ('2020-01-01')", "PARTITION BY LIST (n)", "m2020_1 FOR VALUES IN (1)"):
        assert words in lost


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite_file"])
def test_a_column_whose_not_null_is_not_validated_takes_the_rows_that_break_it(
    kind: str, request: pytest.FixtureRequest, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(), request.getfixturevalue(kind)()
    execute(
        source,
        "CREATE TABLE n (id integer PRIMARY KEY, y integer)",
        "INSERT INTO n VALUES (1, 1), (2, NULL)",
        "ALTER TABLE n ADD CONSTRAINT given NOT NULL y NOT VALID",
    )
    run = done(move(source, target, tmp_path))
    assert [loss.partition(".")[2] for loss in run.losses if "[not-null]" in loss] == [
        '"n"."y": becomes nullable: NOT NULL constraint given is not validated, and rows may break it [not-null]'
    ]
    assert sorted(rows(target, "SELECT id, y FROM n"), key=str) == [(1, 1), (2, None)]
