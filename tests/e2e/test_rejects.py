"""DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS: good rows are loaded, each bad row is in the reject file once, with its reason."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrator.errors import ObjectNotFound
from migrator.operations import retrying
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

ROWS = 3000
BAD = {
    7: "existing key",
    500: "NULL",
    501: "check",
    502: "no parent",
    1999: "out of range",
    2000: "too long",
    ROWS: "unique",
}
"""The rows that are refused, by their numbers."""

Fresh = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def fresh(
    request: pytest.FixtureRequest,
    sqlite_file: Callable[..., str],
    postgresql: Callable[..., str],
    mysql: Callable[..., str],
) -> Fresh:
    """Gives new databases of each kind."""
    makers: dict[str, Fresh] = {"sqlite": lambda: sqlite_file("target.db"), "postgresql": postgresql, "mysql": mysql}
    return makers[request.param]


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    """A SQLite file whose table ``t`` has rows that ``target`` refuses."""
    url = sqlite_file("source.db")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
    execute(
        url,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, up INTEGER, small INTEGER, label VARCHAR(50))",
        f"INSERT INTO t {numbers} SELECT i, i & 31, i & 1, i, 'row ' || i FROM n",
        "UPDATE t SET v = NULL WHERE id = 500",
        "UPDATE t SET v = 100 WHERE id = 501",
        "UPDATE t SET up = 77 WHERE id = 502",
        "UPDATE t SET small = 99999 WHERE id = 1999",
        "UPDATE t SET label = 'a label that is too long for its column' WHERE id = 2000",
        f"UPDATE t SET label = 'row 1' WHERE id = {ROWS}",
    )
    return url


PLAIN = (
    "CREATE TABLE t (id INTEGER {}, v INTEGER NOT NULL, up INTEGER, small SMALLINT, label VARCHAR(20), "
    "CONSTRAINT low CHECK (v < 100){})"
)


def target(fresh: Fresh) -> str:
    """A database with the constraints that some of the rows break, and one row."""
    url = fresh()
    execute(
        url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (0), (1), (2)",
        PLAIN.format("PRIMARY KEY", ", UNIQUE (label), FOREIGN KEY (up) REFERENCES parent (id)"),
        "INSERT INTO t VALUES (7, 0, 0, 0, 'there before')",
    )
    return url


def load(url: str, source: str, directory: Path, *arguments: str) -> Run:
    """Import the rows of ``t``, bad rows aside."""
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", "TABLES=t", "METRICS=YES", *arguments)
    return pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), f"DIRECTORY={directory}", *options)


def rejected(path: Path) -> list[dict[str, Any]]:
    """The rows of a reject file."""
    return [value for line in path.read_bytes().split(b"\n")[:-1] if "section" not in (value := json.loads(line))]


@pytest.mark.parametrize("method", ["AUTOMATIC", "CONVENTIONAL_PATH"])
def test_the_good_rows_are_loaded_and_the_bad_ones_are_told(fresh: Fresh, source: str, tmp_path: Path, method: str) -> None:
    url = target(fresh)
    run = load(url, source, tmp_path, f"ACCESS_METHOD={method}", "PARALLEL_THRESHOLD=40K")
    found = rejected(tmp_path / "import_rejects.ndjson")
    assert run.code == 5, run.out + run.err
    assert {int(row["key"]["id"]) for row in found} == set(BAD)
    assert len(found) == len(BAD)
    assert all(row["reason"] and "MIGRATOR" not in row["reason"] for row in found)
    assert rows(url, "SELECT count(*), count(DISTINCT id) FROM t") == [(ROWS - len(BAD) + 1, ROWS - len(BAD) + 1)]
    assert scalar(url, "SELECT label FROM t WHERE id = 7") == "there before"
    assert f"{len(BAD)} row(s) were rejected, the first of them with the following error:" in run.out
    assert f"Rejected rows are in {tmp_path / 'import_rejects.ndjson'}" in run.out
    assert run.rows == {"t": ROWS - len(BAD)}
    assert [path.name for path in tmp_path.glob("import_rejects*")] == ["import_rejects.ndjson"]


def test_values_are_told_as_they_came(fresh: Fresh, source: str, tmp_path: Path) -> None:
    load(target(fresh), source, tmp_path)
    (row,) = [row for row in rejected(tmp_path / "import_rejects.ndjson") if row["key"]["id"] == "500"]
    assert row["values"] == {"id": "500", "v": None, "up": "0", "small": "500", "label": "row 500"}


def test_the_direct_path_skips_too(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = fresh()
    execute(url, PLAIN.format("", ""))
    run = load(url, source, tmp_path)
    assert not re.search("(conventional_path|external_table), because", run.out)
    refused = {500, 501, 1999, 2000}
    assert {int(row["values"]["id"]) for row in rejected(tmp_path / "import_rejects.ndjson")} == refused
    assert scalar(url, "SELECT count(*) FROM t") == ROWS - len(refused)


def test_without_the_option_a_bad_row_fails_its_table(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    link = (f"NETWORK_LINK={source}", remap(source, url), "CONTENT=DATA_ONLY", "TABLES=t", f"DIRECTORY={tmp_path}")
    run = pump("impdp", url, *link)
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert not list(tmp_path.glob("*rejects*"))


def test_no_reject_file_stays_where_no_row_is_rejected(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = fresh()
    where = (f"NETWORK_LINK={source}", remap(source, url), f"DIRECTORY={tmp_path}")
    done(pump("impdp", url, *where, "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS"))
    assert scalar(url, "SELECT count(*) FROM t") == ROWS
    assert not list(tmp_path.glob("*rejects*"))


def test_a_dump_set_is_sifted_as_a_link_is(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", "TABLES=t", "LOGFILE=again.log", "PARALLEL=2")
    run = pump("impdp", url, f"DIRECTORY={tmp_path}", remap(source, url), *options)
    assert run.code == 5, run.out + run.err
    assert {int(row["key"]["id"]) for row in rejected(tmp_path / "again_rejects.ndjson")} == set(BAD)
    assert scalar(url, "SELECT count(*) FROM t") == ROWS - len(BAD) + 1


def test_an_earlier_reject_file_is_left_alone(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    earlier = tmp_path / "import_rejects.ndjson"
    earlier.write_text("precious")
    load(url, source, tmp_path)
    assert earlier.read_text() == "precious"
    assert len(rejected(tmp_path / "import_rejects_2.ndjson")) == len(BAD)


@pytest.mark.parametrize(("limit", "stay"), [(len(BAD), ROWS - len(BAD) + 1), (len(BAD) - 1, 1)])
def test_a_table_with_more_bad_rows_than_the_limit_fails(
    fresh: Fresh, source: str, tmp_path: Path, limit: int, stay: int
) -> None:
    url = target(fresh)
    run = load(url, source, tmp_path, f"REJECT_LIMIT={limit}")
    assert run.code == 5
    assert ("ORA-30653: reject limit reached" in run.out) == (limit < len(BAD))
    assert scalar(url, "SELECT count(*) FROM t") == stay


def test_the_limit_is_the_tables_not_the_granules(fresh: Fresh, source: str, tmp_path: Path) -> None:
    run = load(target(fresh), source, tmp_path, "REJECT_LIMIT=5", "PARALLEL_THRESHOLD=40K")
    assert "ORA-30653: reject limit reached: more than 5 rows" in run.out
    assert "had been committed before, and stay in the table" in run.out


def test_rows_that_need_one_another_are_loaded_in_any_order(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """Row n refers to row n + 1, and one of them to none: it is refused, and those that need it; no other row is."""
    url, source = fresh(), sqlite_file("chain.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, next INTEGER)")
    execute(source, "INSERT INTO t VALUES (1, 2), (2, 3), (3, 4), (4, NULL), (5, 99), (6, 5), (7, 8), (8, NULL)")
    execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY, next INTEGER, FOREIGN KEY (next) REFERENCES t (id))")
    load(url, source, tmp_path)
    assert rows(url, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,), (4,), (7,), (8,)]
    assert [row["key"]["id"] for row in rejected(tmp_path / "import_rejects.ndjson")] == ["5", "6"]


STAFF = 300
EMP = "CREATE TABLE emp (id INTEGER PRIMARY KEY, mgr INTEGER{}, sal INTEGER, name VARCHAR(10){})"
KEY = ", CHECK (sal > 0), FOREIGN KEY (mgr) REFERENCES emp (id)"


def staff(make: Callable[..., str], *changes: str) -> str:
    """A SQLite file of employees. All refer to the first, and that to the last."""
    source = make("staff.db")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {STAFF})"
    insert = f"INSERT INTO emp {numbers} SELECT i, CASE WHEN i > 1 THEN 1 ELSE {STAFF} END, 100, 'emp ' || i FROM n"
    execute(source, EMP.format("", ""), insert, *changes)
    return source


@pytest.mark.parametrize(("method", "null"), [("AUTOMATIC", ""), ("CONVENTIONAL_PATH", ""), ("AUTOMATIC", " NOT NULL")])
def test_rows_in_a_circle_come_in_and_bad_ones_take_with_them_what_needs_them(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path, method: str, null: str
) -> None:
    bad = "UPDATE emp SET sal = -1 WHERE id = 7"
    needing = "UPDATE emp SET mgr = id - 1 WHERE id IN (8, 51)"
    lost = "UPDATE emp SET mgr = 9999 WHERE id = 50"
    url, source = fresh(), staff(sqlite_file, bad, needing, lost)
    execute(url, EMP.format(null, KEY))
    run = pump(
        *("impdp", url, f"NETWORK_LINK={source}", remap(source, url), f"DIRECTORY={tmp_path}", "TABLES=emp"),
        *("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", f"ACCESS_METHOD={method}"),
    )
    assert run.code == 5, run.out + run.err
    out = {row["key"]["id"]: row["reason"] for row in rejected(tmp_path / "import_rejects.ndjson")}
    assert set(out) == {"7", "8", "50", "51"}
    assert "check" in out["7"].lower() or "constraint" in out["7"].lower()
    assert all("foreign key" in out[number].lower() for number in ("8", "50", "51"))
    if url.startswith("postgresql"):
        assert "Key (mgr)=(9999) is not present" in out["50"]
    assert rows(url, "SELECT count(*), sum(mgr) FROM emp") == [(STAFF - 4, STAFF - 5 + STAFF)]
    assert scalar(url, "SELECT count(*) FROM emp e WHERE NOT EXISTS (SELECT 1 FROM emp m WHERE m.id = e.mgr)") == 0


@pytest.mark.parametrize("fresh", ["sqlite", "mysql"], indirect=True)
def test_what_is_converted_in_rows_that_are_taken_back_does_not_count(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """Two circles come in together, while no key is looked at: the second one lacks a parent, so the first comes again."""
    url, source = fresh(), sqlite_file("circles.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, mgr INTEGER, up INTEGER, s VARCHAR(50))")
    execute(source, "INSERT INTO t VALUES (1, 2, 0, 'long'), (2, 1, 0, 'abc'), (3, 4, 77, 'longer'), (4, 3, 0, 'abc')")
    keys = "FOREIGN KEY (mgr) REFERENCES t (id), FOREIGN KEY (up) REFERENCES parent (id)"
    execute(
        url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (0)",
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, mgr INTEGER, up INTEGER, s VARCHAR(3), CHECK (mgr IS NOT NULL), {keys})",
    )
    run = load(url, source, tmp_path, "POLICY=too_long=convert")
    assert [row["key"]["id"] for row in rejected(tmp_path / "import_rejects.ndjson")] == ["3", "4"]
    assert rows(url, "SELECT id, s FROM t ORDER BY id") == [(1, "lon"), (2, "abc")]
    assert [loss for loss in run.losses if "too-long" in loss and "(1 row)" in loss], run.losses


def test_rows_that_all_need_a_mended_one_are_loaded_again_together(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source = staff(sqlite_file, "UPDATE emp SET mgr = id - 1 WHERE id > 1", "UPDATE emp SET sal = -1 WHERE id = 7")
    url, path = fresh(), tmp_path / "import_rejects.ndjson"
    execute(url, EMP.format("", KEY))
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", "TABLES=emp", f"DIRECTORY={tmp_path}")
    pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), *options)
    assert len(rejected(path)) == STAFF
    path.write_bytes(path.read_bytes().replace(b'"-1"', b'"1"'))
    run = retry(path, url)
    assert run.code == 0, run.out + run.err
    assert f"{STAFF} rows loaded, 0 rejected" in run.out
    assert scalar(url, "SELECT count(*) FROM emp") == STAFF


def test_deferred_constraints_are_checked_at_once(postgresql: Fresh, source: str, tmp_path: Path) -> None:
    url = postgresql()
    execute(
        url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (0), (1), (2)",
        "CREATE TABLE t (id INTEGER, v INTEGER, up INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED, "
        "small INTEGER, label TEXT)",
    )
    assert load(url, source, tmp_path).code == 5
    assert [row["values"]["id"] for row in rejected(tmp_path / "import_rejects.ndjson")] == ["502"]


def test_an_engine_without_transactions_is_refused(mysql: Fresh, source: str, tmp_path: Path) -> None:
    url = mysql()
    execute(url, PLAIN.format("PRIMARY KEY", "") + " ENGINE=MyISAM")
    run = load(url, source, tmp_path)
    assert "MIG-20007" in run.out
    assert "stay in the table" not in run.out
    assert scalar(url, "SELECT count(*) FROM t") == 0


# --- going on after a death -----------------------------------------------------------------------------------------


def many(url: str) -> None:
    """Make a table of 200,000 rows, of which every thousandth is bad."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    execute(
        url,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, up INTEGER, small INTEGER, label VARCHAR(50))",
        f"INSERT INTO t {numbers} SELECT i, CASE WHEN i / 1000 * 1000 < i THEN 1 ELSE 100 END, 0, 0, 'row ' || i FROM n",
    )


@pytest.mark.parametrize("local", [False, True])
def test_a_job_that_dies_rejects_each_bad_row_once(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path, local: bool
) -> None:
    """Of 200,000 rows every thousandth is bad. The job that is recorded elsewhere is of a table it empties first."""
    url, source, name = target(fresh), sqlite_file("source.db"), "REJECTING"
    many(source)
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", "TABLES=t", "TABLE_EXISTS_ACTION=TRUNCATE")
    where = (f"NETWORK_LINK={source}", remap(source, url), "PARALLEL_THRESHOLD=128K", f"JOB_NAME={name}")
    place = ("MASTER_TABLE=LOCAL",) if local else ()
    recorded = Recorded.of(url, name, local=local)
    with ended(begin("impdp", url, *where, *options, *place, cwd=tmp_path)) as process:
        until(lambda: recorded.granules_done() > 0, "a granule")
        kill(process)
    assert any(row.state != "COMPLETED" for row in recorded.granules())
    time.sleep(float(LEASE) + 0.1)
    again = go_on(url, name, local=local, link=source)
    assert again.returncode == 5, again.stdout
    found = [int(row["key"]["id"]) for row in rejected(tmp_path / "import_rejects.ndjson")]
    assert sorted(found) == list(range(1000, 200001, 1000))
    assert rows(url, "SELECT count(*), count(DISTINCT id) FROM t") == [(199800, 199800)]
    assert [path.name for path in tmp_path.glob("import_rejects*")] == ["import_rejects.ndjson"]


def test_a_job_that_a_client_kills_tells_of_the_rows_it_left_out(
    postgresql: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    url, source = target(postgresql), sqlite_file("source.db")
    many(source)
    where = (f"NETWORK_LINK={source}", remap(source, url), "PARALLEL_THRESHOLD=128K", "JOB_NAME=KILLED")
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "CONTENT=DATA_ONLY", "TABLES=t", "TABLE_EXISTS_ACTION=TRUNCATE")
    recorded = Recorded.of(url, "KILLED")
    with ended(begin("impdp", url, *where, *options, cwd=tmp_path)) as process:
        until(lambda: recorded.granules_done() > 0, "a granule")
        with recorded.database.connect() as connection:
            recorded.table.ask(connection, "KILL_JOB")
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert not recorded.exists()
    found = [int(row["key"]["id"]) for row in rejected(tmp_path / "import_rejects.ndjson")]
    ((count, last),) = rows(url, "SELECT count(*), max(id) FROM t")
    assert len(found) == len(set(found)) > 0
    assert count + len(found) == max(last, *found) < 200_000
    assert [path.name for path in tmp_path.glob("import_rejects*")] == ["import_rejects.ndjson"]


# --- loading them again ---------------------------------------------------------------------------------------------


def retry(path: Path, url: str) -> Run:
    """Run ``migrator retry-rejects``."""
    return pump("retry-rejects", str(path), url)


def test_rows_are_loaded_again_once_nothing_is_in_their_way(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    load(url, source, tmp_path)
    execute(url, "DELETE FROM t WHERE id IN (1, 7)", "INSERT INTO parent VALUES (77)")
    path = tmp_path / "import_rejects.ndjson"
    run = retry(path, url)
    assert run.code == 5, run.err
    assert f'"{schema_of(url)}"."t": 3 rows loaded, 4 rejected' in run.out
    assert {int(row["key"]["id"]) for row in rejected(tmp_path / "import_rejects_2.ndjson")} == {500, 501, 1999, 2000}
    assert rows(url, f"SELECT id, label FROM t WHERE id IN (7, 502, {ROWS}) ORDER BY id") == [
        (7, "row 7"),
        (502, "row 502"),
        (ROWS, "row 1"),
    ]
    assert not path.exists()
    assert len(rejected(tmp_path / "import_rejects.ndjson.loaded")) == len(BAD)


def test_rows_are_loaded_again_into_columns_whose_names_differ_in_case(
    fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, url = sqlite_file("source.db"), fresh()
    execute(source, "CREATE TABLE t (ID INTEGER PRIMARY KEY, V INTEGER)", "INSERT INTO t VALUES (1, NULL), (2, 2)")
    execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)")
    load(url, source, tmp_path)
    execute(url, "DROP TABLE t", "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)", "INSERT INTO t VALUES (2, 2)")
    run = retry(tmp_path / "import_rejects.ndjson", url)
    assert run.code == 0, run.err
    assert rows(url, "SELECT id, v FROM t ORDER BY id") == [(1, None), (2, 2)]


def test_a_file_is_not_loaded_twice(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    load(url, source, tmp_path)
    path = tmp_path / "import_rejects.ndjson"
    retry(path, url)
    assert "MIG-20008" in retry(path, url).err
    path.write_bytes((tmp_path / "import_rejects.ndjson.loaded").read_bytes())
    (tmp_path / "import_rejects.ndjson.loading").touch()
    again = retry(path, url)
    assert "its rows are being loaded, or that was interrupted" in again.err
    assert len(rejected(path)) == len(BAD)
    assert not (tmp_path / "import_rejects_3.ndjson").exists()


@pytest.fixture
def refused(sqlite_file: Callable[..., str], tmp_path: Path) -> tuple[Path, str]:
    """The reject file of a row whose v is NULL, and the database that refused it."""
    source, url = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, "CREATE TABLE c (id INTEGER, v INTEGER)", "INSERT INTO c VALUES (1, NULL)")
    execute(url, "CREATE TABLE c (id INTEGER, v INTEGER NOT NULL)")
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "TABLE_EXISTS_ACTION=APPEND")
    assert pump("impdp", url, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", *options).code == 5
    return tmp_path / "import_rejects.ndjson", url


def test_a_file_whose_loading_was_cut_off_is_told_by_the_name_that_it_then_has(refused: tuple[Path, str]) -> None:
    path, url = refused
    path.rename(path.with_name("import_rejects.ndjson.loading"))
    again = retry(path, url)
    assert again.code == 1
    assert "import_rejects.ndjson.loading is there: its rows are being loaded, or that was interrupted" in again.err


def test_a_value_is_mended_in_the_file_and_an_earlier_loaded_file_is_left_alone(refused: tuple[Path, str]) -> None:
    path, url = refused
    earlier = path.with_name("import_rejects.ndjson.loaded")
    earlier.write_text("earlier")
    mended = path.read_text().replace('"v": null', '"v": "5"')
    path.write_text(mended)
    run = retry(path, url)
    assert run.code == 0, run.err
    assert rows(url, "SELECT id, v FROM c") == [(1, 5)]
    assert earlier.read_text() == "earlier"
    assert path.with_name("import_rejects.ndjson_2.loaded").read_text() == mended
    assert not path.exists()


@pytest.mark.parametrize("written", ['"v": 5', '"w": "5"', '"v": {"hex": "zz"}'])
def test_a_file_mended_badly_is_named_with_the_line_and_left_alone(written: str, refused: tuple[Path, str]) -> None:
    path, url = refused
    mended = path.read_text().replace('"v": null', written)
    path.write_text(mended)
    run = retry(path, url)
    assert run.code == 1
    assert f"MIG-20008: reject file {path}: line 2 is no line of a reject file: " in run.err
    assert path.read_text() == mended
    assert [found.name for found in path.parent.glob("import_rejects*")] == [path.name]


def test_a_value_that_is_no_number_is_refused_again(refused: tuple[Path, str]) -> None:
    path, url = refused
    path.write_text(path.read_text().replace('"v": null', '"v": "five"'))
    run = retry(path, url)
    assert run.code == 5, run.err
    assert [row["values"] for row in rejected(path.with_name("import_rejects_2.ndjson"))] == [{"id": "1", "v": "five"}]


def test_a_file_whose_name_is_taken_meanwhile_is_numbered(
    refused: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = refused
    before = path.read_text()

    def claimed(*_: object, **__: object) -> int:
        path.write_text("another job's")
        raise ObjectNotFound(name="c")

    monkeypatch.setattr(retrying, "sift", claimed)
    assert "ORA-39166" in retry(path, url).err
    assert path.read_text() == "another job's"
    assert path.with_name("import_rejects_2.ndjson").read_text() == before


def test_a_table_that_is_not_there_leaves_all_as_it_was(fresh: Fresh, source: str, tmp_path: Path) -> None:
    url = target(fresh)
    load(url, source, tmp_path)
    execute(url, "DROP TABLE t")
    path = tmp_path / "import_rejects.ndjson"
    assert "ORA-39166" in retry(path, url).err
    assert len(rejected(path)) == len(BAD)
    assert [found.name for found in tmp_path.glob("import_rejects*")] == ["import_rejects.ndjson"]


HOSTILE = "\x00\x1b[31m\n\r\t\\\"'\u2028\u0085ü😀 " + "x" * 100_000
KEPT = HOSTILE.replace("\x00", "")


def test_hostile_values_come_through_the_file(fresh: Fresh, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """PostgreSQL has no NUL in text, and refuses such a row again; all else comes through to the last byte."""
    url, source = fresh(), sqlite_file("hostile.db")
    raw = bytes(range(256)) * 4000
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, b BLOB, d DOUBLE, v INTEGER)")
    insert = "INSERT INTO t VALUES ({}, CAST(x'{}' AS TEXT), x'{}', 0.1, NULL)"
    execute(source, insert.format(1, HOSTILE.encode().hex(), ""), insert.format(2, KEPT.encode().hex(), raw.hex()))
    kinds = {"postgresql": ("text", "bytea"), "mysql": ("longtext", "longblob"), "sqlite": ("text", "blob")}
    text, binary = kinds[url.split(":")[0].split("+")[0].replace("mariadb", "mysql")]
    make = f"CREATE TABLE t (id INTEGER PRIMARY KEY, s {text}, b {binary}, d DOUBLE PRECISION, v INTEGER "
    execute(url, f"{make} NOT NULL)")
    load(url, source, tmp_path)
    assert [row["values"]["s"] for row in rejected(tmp_path / "import_rejects.ndjson")] == [HOSTILE, KEPT]
    execute(url, "DROP TABLE t", f"{make})")
    refused = url.startswith("postgresql")
    run = retry(tmp_path / "import_rejects.ndjson", url)
    assert run.code == (5 if refused else 0), run.err
    found = {id_: (s, bytes(b), d) for id_, s, b, d in rows(url, "SELECT id, s, b, d FROM t")}
    assert found[2] == (KEPT, raw, 0.1)
    assert found.get(1, (HOSTILE, b"", 0.1)) == (HOSTILE, b"", 0.1)
    assert len(found) == 2 - refused
