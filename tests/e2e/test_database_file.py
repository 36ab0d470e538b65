"""A SQLite file copied whole by TRANSPORTABLE=ALWAYS: everything in it is there, in an empty database only."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialects.sqlite import ADAPTER
from migrator.adapter import Block
from migrator.cli import in_process, main
from migrator.ends import Database
from migrator.errors import MigratorError, NotADataFile
from migrator.job.claims import Claims
from migrator.job.session import session
from migrator.model.objects import QName
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, Recorded, begin, ended, go_on, kill, until
from tests.support.pump import done, pump, remap
from tests.support.records import SPEC
from tests.support.restarts import Killed, check_equal, kill_often
from tests.support.sql import execute, rows, scalar

WHOLE = QName("main", "x.db")
SCRIPT = """
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT UNIQUE, n NUMERIC, CHECK (id > 0));
INSERT INTO t (v, n) WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 5000)
    SELECT 'row ' || i, i % 3 = 0 FROM i;
DELETE FROM t WHERE id > 4000;
INSERT INTO t (v, n) VALUES (x'00ff', 'no number');
CREATE INDEX partial ON t (n) WHERE n IS NOT NULL;
CREATE VIEW counted AS SELECT count(*) AS n FROM t;
CREATE TRIGGER kept AFTER DELETE ON t BEGIN INSERT INTO t (v) VALUES ('kept ' || old.id); END;
CREATE VIRTUAL TABLE words USING fts5(body);
INSERT INTO words VALUES ('hello world');
PRAGMA user_version = 42;
"""


@pytest.fixture(params=["DELETE", "WAL"])
def filled(request: pytest.FixtureRequest, sqlite_file: Callable[..., str]) -> Iterator[str]:
    """A database with what no row by row job would move, too, in either mode, while a program has it open."""
    url = sqlite_file("x.db")
    with closing(sqlite3.connect(path_of(url))) as connection:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.executescript(SCRIPT)
        yield url


def path_of(url: str) -> Path:
    return Path(str(sa.make_url(url).database))


def dump_of(url: str) -> list[str]:
    """The database as the library's own dump tells it."""
    with closing(sqlite3.connect(path_of(url))) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        return list(connection.iterdump())


def exported(url: str, tmp_path: Path, *options: str) -> tuple[str, ...]:
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%L.dmp", "NOLOGFILE=YES")
    done(pump("expdp", url, "FULL=YES", "TRANSPORTABLE=ALWAYS", *where, *options))
    return where


@contextmanager
def claimed(url: str, *tables: str) -> Iterator[None]:
    """A job of this machine's record has ``tables`` of a database for itself."""
    database = Database(sa.make_url(url))
    spec = replace(SPEC, job_name="OTHER", master_table="LOCAL")
    with session(spec, database, database.server(), None) as job:
        Claims(database, database.server(), [QName("main", table) for table in tables]).take(job, print)
        yield


def test_a_database_that_a_job_fills_takes_no_file(filled: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """The job has made nothing yet, and what it is to make is in no table's way."""
    target = sqlite_file("new.db")
    where = exported(filled, tmp_path)
    with claimed(target, "elsewhere"):
        run = pump("impdp", target, *where)
        assert run.code == 1, run.out
        assert 'MIG-31659: resource busy: table "main"."elsewhere" of job "main"."OTHER", which is at work' in run.err
    done(pump("impdp", target, *where))
    assert dump_of(target) == dump_of(filled)


@pytest.mark.parametrize(
    "options",
    [(), ("FILESIZE=100K", "COMPRESSION=ALL", "CHECKSUM=YES"), ("ENCRYPTION=ALL",)],
    ids=["plain", "cut and compressed", "encrypted"],
)
def test_a_database_is_what_it_was(
    options: tuple[str, ...], filled: str, sqlite_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGRATOR_ENCRYPTION_PASSWORD", "swordfish" if "ENCRYPTION=ALL" in options else "")
    target = sqlite_file("new.db")
    where = exported(filled, tmp_path, *options)
    run = done(pump("impdp", target, *where, "METRICS=YES"))
    assert "using data_file_copy" in run.out
    assert re.search(r"Inventory of the source's objects: (\d+) = \1 moved$", run.out, re.MULTILINE), run.out
    assert dump_of(target) == dump_of(filled)
    for question in (
        "SELECT * FROM sqlite_sequence", "SELECT n FROM counted", "SELECT rowid FROM words WHERE body MATCH 'hello'",
        "PRAGMA user_version", "PRAGMA page_size",
    ):  # fmt: skip
        assert rows(target, question) == rows(filled, question)
    assert scalar(target, "PRAGMA integrity_check") == "ok"
    execute(target, "DELETE FROM t WHERE id = 1")
    assert scalar(target, "SELECT max(id) FROM t") == 5002
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".migrator") == []


def test_the_state_is_that_of_one_moment(filled: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """What a program has not committed is not there."""
    target = sqlite_file("new.db")
    expected = scalar(filled, "SELECT count(*) FROM t")
    if scalar(filled, "PRAGMA journal_mode") == "wal":
        with closing(sqlite3.connect(path_of(filled), isolation_level=None)) as writer:
            writer.execute("BEGIN")
            writer.execute("INSERT INTO t (v) VALUES ('not yet')")
            where = exported(filled, tmp_path)
            writer.execute("ROLLBACK")
    else:
        where = exported(filled, tmp_path)
    done(pump("impdp", target, *where))
    assert scalar(target, "SELECT count(*) FROM t") == expected


def test_the_metadata_goes_anywhere(sqlite_file: Callable[..., str], mysql: Callable[[], str], tmp_path: Path) -> None:
    source = sqlite_file("x.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(10))", "INSERT INTO t VALUES (1, 'a')")
    where = exported(source, tmp_path)
    target = mysql()
    done(pump("impdp", target, *where, "CONTENT=METADATA_ONLY", remap(source, target)))
    assert scalar(target, "SELECT COUNT(*) FROM t") == 0
    run = pump("impdp", target, *where, remap(source, target))
    assert run.code == 1
    assert run.err.startswith("ORA-39123: Data Pump transportable tablespace job aborted: the dump file set has data files")


def test_a_database_that_is_not_empty_is_left_alone(filled: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    target = sqlite_file("other.db")
    execute(target, "CREATE TABLE precious (a)", "INSERT INTO precious VALUES (1)")
    before = path_of(target).read_bytes()
    run = pump("impdp", target, *exported(filled, tmp_path))
    assert run.code == 1
    assert run.err.startswith("ORA-39123: ")
    assert "there is something in the database" in run.err
    assert path_of(target).read_bytes() == before


@pytest.mark.parametrize("given", ["TABLES=t", "SCHEMAS=main", "EXCLUDE=VIEW", "INCLUDE=TABLE"])
def test_part_of_a_file_is_refused(given: str, filled: str, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    given_to_export = (given,) if "=t" in given or "SCHEMAS" in given else ("FULL=YES", given)
    out = pump("expdp", filled, "TRANSPORTABLE=ALWAYS", *given_to_export, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    into = pump("impdp", sqlite_file("new.db"), *exported(filled, tmp_path), given)
    for run, code in ((out, "UDE-00010"), (into, "UDI-00010")):
        assert run.code == 1
        assert run.err.startswith(f"{code}: the data file is the whole database")


@pytest.mark.parametrize("given", ["REMAP_TABLE=t:u", "TABLE_EXISTS_ACTION=REPLACE", "MASTER_TABLE=DATABASE"])
def test_an_import_that_asks_for_more_than_the_file_is_refused(
    given: str, filled: str, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    target = sqlite_file("new.db")
    run = pump("impdp", target, *exported(filled, tmp_path), given)
    assert run.code == 1
    assert run.err.startswith("UDI-00010: the dump file set has data files, which fill a new database whole: no ")
    assert not path_of(target).exists()


def test_the_plans_say_so(sqlite_file: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = sqlite_file("x.db"), sqlite_file("new.db")
    execute(source, "CREATE TABLE t (a)", "CREATE TABLE u (a)")
    where = exported(source, tmp_path)
    capsys.readouterr()
    for arguments in (("expdp", source, "FULL=YES", "TRANSPORTABLE=ALWAYS"), ("impdp", target, *where)):
        assert main(["plan", *arguments, "--json"], in_process) == 0
        tables = json.loads(capsys.readouterr().out)["tables"]
        assert {table["method"] for table in tables} == {"data_file_copy"}
        assert [table["table"] for table in tables] == (["t", "u"] if arguments[0] == "expdp" else ["x.db"])
    assert tables[0]["rows"] is None
    assert not path_of(target).exists()


# --- files that are not what they should be -------------------------------------------------------------------------


def place(url: str, *blocks: Block) -> None:
    with Database(sa.make_url(url)).connect() as connection:
        ADAPTER.place(connection, WHOLE, blocks, lambda: None)


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (Block("main", 0, b""),),
        (Block("../evil", 0, b"x"),),
        (Block("main", 0, b"x" * 100), Block("main", 1 << 40, b"x")),
        (Block("main", 0, random.Random(1).randbytes(9000)),),
        (Block("main", 0, b"SQLite format 3\0" + b"\xff" * 5000),),
    ],
    ids=["nothing", "empty", "a name that leads elsewhere", "a gap", "noise", "a damaged header"],
)
def test_what_is_no_database_leaves_the_target_empty(
    blocks: tuple[Block, ...], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    target = sqlite_file("new.db")
    with pytest.raises(MigratorError):
        place(target, *blocks)
    assert scalar(target, "SELECT count(*) FROM sqlite_schema") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["new.db"]


def test_what_was_put_there_before_stays_and_nothing_else_is_replaced(filled: str, sqlite_file: Callable[..., str]) -> None:
    target, copy = sqlite_file("new.db"), sqlite_file("copy.db")
    with closing(sqlite3.connect(path_of(filled))) as source, closing(sqlite3.connect(path_of(copy))) as whole:
        source.backup(whole)
    file = Block("main", 0, path_of(copy).read_bytes())
    left = path_of(target).with_name("new.db.migrator")
    left.write_bytes(b"of a job that was killed")
    place(target, file)
    before = path_of(target).read_bytes()
    place(target, file)
    assert path_of(target).read_bytes() == before
    assert not left.exists()
    execute(target, "INSERT INTO t (v) VALUES ('since')")
    with pytest.raises(NotADataFile, match="something else"):
        place(target, file)
    assert scalar(target, "SELECT count(*) FROM t WHERE v = 'since'") == 1


def test_a_database_that_another_program_writes_is_waited_for_and_given_up(sqlite_file: Callable[..., str]) -> None:
    target, source = sqlite_file("new.db"), sqlite_file("x.db")
    execute(source, "CREATE TABLE t (a)")
    execute(target, "CREATE TABLE t (a)", "DROP TABLE t")
    with closing(sqlite3.connect(path_of(target), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MigratorError, match="locked"):
            place(f"{target}?timeout=0.5", Block("main", 0, path_of(source).read_bytes()))
    assert scalar(target, "SELECT count(*) FROM sqlite_schema") == 0


# --- jobs that die --------------------------------------------------------------------------------------------------

KILLS = int(os.environ.get("MIGRATOR_TEST_KILLS", "8"))
SEED = int(os.environ.get("MIGRATOR_TEST_SEED") or random.randrange(10**6))
JOB = "COPIED"


def test_an_export_survives(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    print(f"MIGRATOR_TEST_SEED={SEED}")
    moments = random.Random(SEED)
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    source = hoard(tmp_path / "source.db", 300_000)
    expected, numbers = contents(source), iter(range(1000))
    where = (f"DIRECTORY={dumps}", "DUMPFILE=x%L.dmp", "FULL=YES")

    def job() -> Killed:
        for dump in dumps.glob("*.dmp"):
            dump.unlink()
        return Killed(moments, JOB, "expdp", source, "TRANSPORTABLE=ALWAYS", "FILESIZE=3M", *where, cwd=dumps, local=True)

    def check() -> None:
        target = sqlite_file(f"target{next(numbers)}.db")
        done(pump("impdp", target, *where, "NOLOGFILE=YES"))
        check_equal(target, expected, JOB)
        assert scalar(target, "PRAGMA integrity_check") == "ok"

    kill_often(job, check, KILLS)


@pytest.fixture
def killed(sqlite_file: Callable[..., str], tmp_path: Path) -> tuple[str, str]:
    """A database, and the target of an import of its file that was killed when it was about to fill it."""
    source, target = hoard(tmp_path / "source.db", 5_000), sqlite_file("target.db")
    exported(source, tmp_path)
    execute(target, "CREATE TABLE t (a)", "DROP TABLE t")
    recorded = Recorded.of(target, JOB, local=True)
    with closing(sqlite3.connect(path_of(target), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        job = ("DUMPFILE=x%L.dmp", f"JOB_NAME={JOB}", "NOLOGFILE=YES")
        with ended(begin("impdp", target, *job, cwd=tmp_path)) as process:
            until(lambda: recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules()), "its work")
            until(path_of(target).with_name("target.db.migrator").exists, "the file")
            time.sleep(0.3)
            said = kill(process)
        assert "imported" not in said
    time.sleep(float(LEASE) + 0.1)
    return source, target


def test_an_import_that_was_killed_goes_on(killed: tuple[str, str], tmp_path: Path) -> None:
    source, target = killed
    again = go_on(target, JOB, local=True)
    assert again.returncode == 0, again.stdout
    check_equal(target, contents(source), JOB)
    assert list(tmp_path.glob("*.migrator")) == []


def test_an_import_that_was_killed_when_the_file_was_there_goes_on(killed: tuple[str, str]) -> None:
    source, target = killed
    with closing(sqlite3.connect(path_of(source))) as whole, closing(sqlite3.connect(path_of(target))) as connection:
        whole.backup(connection)
    before = path_of(target).read_bytes()
    again = go_on(target, JOB, local=True)
    assert again.returncode == 0, again.stdout
    assert path_of(target).read_bytes() == before


def test_what_has_come_into_the_database_meanwhile_stays(killed: tuple[str, str]) -> None:
    _, target = killed
    execute(target, "CREATE TABLE precious (a)", "INSERT INTO precious VALUES (1)")
    again = go_on(target, JOB, local=True)
    assert again.returncode == 5, again.stdout
    assert "there is something else in the database" in again.stdout
    assert scalar(target, "SELECT a FROM precious") == 1
    assert scalar(target, "SELECT count(*) FROM sqlite_schema") == 1
