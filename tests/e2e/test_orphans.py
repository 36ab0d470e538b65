"""Rows that come in without the one that a foreign key refers to: they are listed, and their key is made where it can be."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrator import operations, rejects
from migrator.job import session
from migrator.job.builder import Builder
from migrator.job.coordinator import Record
from migrator.job.worker import Failure
from migrator.operations.importing import losses, orphaned
from migrator.operations.work import NoProgress
from migrator.plan import REF_CONSTRAINT, Step
from migrator.spec import JobSpec
from tests.support import resume
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, rows, scalar

Fresh = Callable[..., str]
KINDS = ("postgresql", "mysql", "sqlite")

TABLES = (
    "CREATE TABLE p (a integer NOT NULL, b integer NOT NULL, PRIMARY KEY (a, b))",
    "CREATE TABLE c (id integer PRIMARY KEY, a integer, b integer, label varchar(20), "
    "CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES p (a, b))",
    "INSERT INTO p VALUES (1, 1)",
)
ROWS = "INSERT INTO c VALUES (1, 1, 1, 'fine'), (2, 1, 2, 'lost'), (3, 7, 7, 'lost'), (4, NULL, 9, 'none')"
ORPHANS = [({"id": "2"}, {"id": "2", "a": "1", "b": "2"}), ({"id": "3"}, {"id": "3", "a": "7", "b": "7"})]
"""The keys and values of the rows that refer to none."""
OFF = {
    "postgresql": "SET session_replication_role = replica",
    "mysql": "SET foreign_key_checks = 0",
    "sqlite": "PRAGMA foreign_keys = OFF",
}


@pytest.fixture
def database(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str], mysql: Callable[..., str]
) -> Callable[[str], str]:
    """Makes a new database of a kind."""
    number = iter(range(9))
    makers: dict[str, Fresh] = {
        "sqlite": lambda: sqlite_file(f"{next(number)}.db"),
        "postgresql": postgresql,
        "mysql": mysql,
    }
    return lambda kind: makers[kind]()


def broken(url: str, kind: str) -> str:
    """A database with rows that refer to none, which never asked for it."""
    execute(url, *TABLES, OFF[kind], ROWS)
    return url


def move(source: str, target: str, directory: Path, *options: str) -> Run:
    link = (f"NETWORK_LINK={source}", remap(source, target))
    return pump("impdp", target, *link, f"DIRECTORY={directory}", f"LEDGER={directory.name}.json", *options)


def listed(path: Path) -> list[tuple[dict[str, str], dict[str, str]]]:
    """The keys and values of the rows in a list."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["key"], line["values"]) for line in lines if "section" not in line]


def entries(directory: Path, rule: str) -> list[dict[str, Any]]:
    found = json.loads((directory / f"{directory.name}.json").read_text())["entries"]
    return [one for one in found if one["rule"] == rule]


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
def test_orphans_are_listed_whatever_the_target_does_with_their_key(
    here: str, there: str, database: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = broken(database(here), here), database(there)
    run = move(source, target, tmp_path, "PARALLEL=2")
    assert run.code == 5, run.out + run.err
    assert scalar(target, "SELECT count(*) FROM c") == 4
    path = tmp_path / "import_orphans.ndjson"
    assert sorted(listed(path), key=str) == ORPHANS, run.out
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"listed in {path}" in run.out
    (entry,) = entries(tmp_path, "not-made" if there == "mysql" else "not-validated")
    assert entry["rows"] == 2
    assert "listed in import_orphans.ndjson" in entry["detail"]
    head = json.loads(path.read_text().splitlines()[0])
    assert (head["table"], head["key"]) == ([schema_of(target), "c"], ["id"])
    assert head["foreign_key"]["columns"] == ["a", "b"]
    assert [found.name for found in tmp_path.glob("import_orphans*")] == [path.name]


@pytest.mark.parametrize("here", KINDS)
def test_a_key_with_orphans_holds_for_new_rows_of_postgresql(
    here: str, database: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = broken(database(here), here), database("postgresql")
    run = move(source, target, tmp_path)
    assert "ORA-02298: cannot validate REF_CONSTRAINT" in run.out
    assert "ORA-39083" not in run.out
    assert rows(target, "SELECT convalidated FROM pg_constraint WHERE contype = 'f'") == [(False,)]
    with pytest.raises(sa.exc.IntegrityError):
        execute(target, "INSERT INTO c VALUES (5, 8, 8, 'new')")
    assert ". . failed" not in run.out
    execute(
        target,
        "DELETE FROM c WHERE id IN (2, 3)",
        "ALTER TABLE c VALIDATE CONSTRAINT " + scalar(target, "SELECT conname FROM pg_constraint WHERE contype = 'f'"),
    )


def test_rows_that_lost_their_parents_to_a_query_are_listed(database: Callable[[str], str], tmp_path: Path) -> None:
    source, target = database("mysql"), database("postgresql")
    execute(source, *TABLES, "INSERT INTO p VALUES (2, 2)", "INSERT INTO c VALUES (1, 1, 1, 'x'), (2, 2, 2, 'y')")
    run = move(source, target, tmp_path, "QUERY=p:WHERE a = 1")
    assert listed(tmp_path / "import_orphans.ndjson") == [({"id": "2"}, {"id": "2", "a": "2", "b": "2"})], run.out
    assert [entry["rows"] for entry in entries(tmp_path, "not-validated")] == [1]


@pytest.mark.parametrize(("version", "rule"), [(16, "not-made"), (18, "not-validated")])
def test_a_partitioned_table_has_such_a_key_from_postgresql_18_on(
    version: int, rule: str, postgresql: Fresh, tmp_path: Path
) -> None:
    source, target = postgresql(version), postgresql(version)
    execute(
        source,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (id integer, p integer, CONSTRAINT parent FOREIGN KEY (p) REFERENCES p (id)) PARTITION BY LIST (id)",
        "CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1)",
        "INSERT INTO p VALUES (5), (6)",
        "INSERT INTO c VALUES (1, 5), (1, 6)",
    )
    run = move(source, target, tmp_path, "QUERY=p:WHERE id = 5")
    assert run.code == 5
    assert listed(tmp_path / "import_orphans.ndjson") == [({"p": "6"}, {"p": "6"})], run.out
    (entry,) = entries(tmp_path, rule)
    assert entry["rows"] == 1
    assert ("violates foreign key constraint" in entry["detail"]) == (rule == "not-made")


WITH_PART = (
    "CREATE TABLE p (id integer PRIMARY KEY)",
    "CREATE TABLE c (id integer, p integer) PARTITION BY LIST (id)",
    "CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1)",
    "CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2)",
    "ALTER TABLE c1 ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p (id)",
    OFF["postgresql"],
    "INSERT INTO c VALUES (1, 5), (2, 5), (2, 6)",
)
WITH_HEIRS = (
    "CREATE TABLE p (id integer PRIMARY KEY)",
    "CREATE TABLE p1 () INHERITS (p)",
    "CREATE TABLE c (id integer, p integer)",
    "CREATE TABLE c1 () INHERITS (c)",
    "ALTER TABLE c ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p (id)",
    OFF["postgresql"],
    "INSERT INTO p1 VALUES (5)",
    "INSERT INTO c VALUES (1, 5)",
    "INSERT INTO c1 VALUES (2, 5), (2, 6)",
)


@pytest.mark.parametrize("made", [WITH_PART, WITH_HEIRS], ids=["partition", "inheritance"])
def test_the_rows_of_those_that_do_not_have_the_key_are_no_orphans(
    made: tuple[str, ...], postgresql: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are those of inheriting tables what it refers to; no matter whether they are listed or counted."""
    source, target, other = postgresql(), postgresql(), postgresql()
    execute(source, *made)
    run = move(source, target, tmp_path)
    assert listed(tmp_path / "import_orphans.ndjson") == [({"p": "5"}, {"p": "5"})], run.out
    assert [entry["rows"] for entry in entries(tmp_path, "not-validated")] == [1]
    monkeypatch.chdir(tmp_path)
    counted = pump("impdp", other, f"NETWORK_LINK={source}", remap(source, other), "NOLOGFILE=YES")
    assert "(1 row) [not-validated]" in counted.out, counted.out


@pytest.mark.parametrize("there", ["mysql", "sqlite"])
def test_rows_of_a_key_that_nobody_checks_are_listed(there: str, database: Callable[[str], str], tmp_path: Path) -> None:
    """PostgreSQL says of its key that rows may break it; the target makes it without a look, and says nothing."""
    source, target = database("postgresql"), database(there)
    execute(
        source,
        "CREATE TABLE p (a integer PRIMARY KEY)",
        "CREATE TABLE c (a integer)",
        "INSERT INTO c VALUES (8)",
        "ALTER TABLE c ADD CONSTRAINT parent FOREIGN KEY (a) REFERENCES p NOT VALID",
    )
    done(move(source, target, tmp_path))
    assert listed(tmp_path / "import_orphans.ndjson") == [({"a": "8"}, {"a": "8"})]
    (entry,) = entries(tmp_path, "not-validated")
    assert (entry["rows"], "listed in import_orphans.ndjson" in entry["detail"]) == (1, True)


def test_the_orphans_of_tables_that_were_there_are_listed(sqlite_file: Fresh, tmp_path: Path) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, "CREATE TABLE c (p integer)", "INSERT INTO c VALUES (7)")
    execute(target, "CREATE TABLE p (id integer PRIMARY KEY)", "CREATE TABLE c (p integer REFERENCES p (id))")
    run = move(source, target, tmp_path, "TABLE_EXISTS_ACTION=APPEND")
    assert '1 rows of "main"."c" refer to rows that are not there' in run.out
    assert listed(tmp_path / "import_orphans.ndjson") == [({"p": "7"}, {"p": "7"})]


@pytest.mark.parametrize("there", KINDS)
def test_no_list_stays_where_each_row_has_its_parent(there: str, database: Callable[[str], str], tmp_path: Path) -> None:
    source, target = database("sqlite"), database(there)
    execute(source, *TABLES, "INSERT INTO c VALUES (1, 1, 1, 'x')")
    done(move(source, target, tmp_path))
    assert not list(tmp_path.glob("import_orphans*"))


class Died(BaseException):
    """The job's process is gone."""


def killed(opened: session.Session, error: BaseException) -> None:
    """Its record says no more than it did before, but that nobody works on it: who starts it again need not wait."""
    record = opened.record
    record.table.beat(record.connection, record.incarnation, state="STOPPED")


def is_for_new_rows(step: Step) -> bool:
    return step.path == REF_CONSTRAINT and any("NOT VALID" in sql for sql in step.script.statements)


def before_it_is_made(patch: pytest.MonkeyPatch) -> None:
    make = Builder.make

    def die(self: Builder, item: int, step: Step) -> Failure | None:
        if is_for_new_rows(step):
            raise Died
        return make(self, item, step)

    patch.setattr(Builder, "make", die)


def once_it_is_made(patch: pytest.MonkeyPatch) -> None:
    make = Builder.make

    def die(self: Builder, item: int, step: Step) -> Failure | None:
        failure = make(self, item, step)
        if is_for_new_rows(step):
            raise Died
        return failure

    patch.setattr(Builder, "make", die)


def dies_in(module: Any, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def die(*_: object) -> None:
        raise Died

    return lambda patch: patch.setattr(module, name, die)


ENDS = {
    "before it is made for new rows": (before_it_is_made, ("postgresql",)),
    "once it is made for new rows": (once_it_is_made, ("postgresql",)),
    "told": (dies_in(orphaned, "_tell"), ("postgresql", "sqlite")),
    "refused": (dies_in(Builder, "refused"), ("mysql",)),
    "gather": (dies_in(orphaned, "gather"), KINDS),
    "record": (dies_in(losses, "record"), KINDS),
}
"""Where the job's process ends, and on which targets it comes there."""
SAID = {
    "postgresql": "ORA-02298: cannot validate REF_CONSTRAINT:",
    "mysql": "ORA-39083: Object type REF_CONSTRAINT:",
    "sqlite": "ORA-02298: cannot validate the foreign keys of ",
}
"""What a target's log says of the key."""


@pytest.mark.parametrize(("end", "there"), [(end, there) for end, (_, kinds) in ENDS.items() for there in kinds])
def test_a_job_that_is_started_again_lists_each_row_once(
    end: str,
    there: str,
    database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It tells of the key what the one before had no time to write down, and ends with errors."""
    source, target = broken(database("sqlite"), "sqlite"), database(there)
    file = tmp_path / "import_orphans.ndjson"
    spec = JobSpec("IMPORT", "SCHEMA", target, tmp_path, network_link=source, orphan_file=file, job_name="AGAIN")
    spec = replace(spec, remap_schema=(("main", schema_of(target)),), ledger=tmp_path / f"{tmp_path.name}.json")
    with monkeypatch.context() as patch:
        ENDS[end][0](patch)
        patch.setattr(Record, "write_messages", lambda record: None)
        patch.setattr(session, "_end_badly", killed)
        with pytest.raises(Died):
            operations.run(spec, sa.make_url, io.StringIO(), NoProgress())
    capsys.readouterr()
    code = resume.main(target, "AGAIN", link=source)
    said = capsys.readouterr().out
    assert code == 5, said
    assert said.count(SAID[there]) == 1, said
    assert sorted(listed(file), key=str) == ORPHANS
    assert [entry["rows"] for entry in entries(tmp_path, "not-made" if there == "mysql" else "not-validated")] == [2]
    assert [path.name for path in tmp_path.glob("import_orphans*")] == [file.name]


def test_a_list_of_orphans_is_no_reject_file(sqlite_file: Fresh, database: Callable[[str], str], tmp_path: Path) -> None:
    source, target = broken(database("sqlite"), "sqlite"), sqlite_file("target.db")
    move(source, target, tmp_path)
    run = pump("retry-rejects", str(tmp_path / "import_orphans.ndjson"), target)
    assert run.code == 1
    assert "it begins a list of rows that are in their table, and lack the row that they refer to" in run.err
    assert scalar(target, "SELECT count(*) FROM c") == 4
    with pytest.raises(rejects.RejectFileNotUsable):
        list(rejects.read(tmp_path / "import_orphans.ndjson"))


def test_a_job_that_is_to_write_no_files_counts_the_rows(
    sqlite_file: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = broken(sqlite_file("source.db"), "sqlite"), sqlite_file("target.db")
    monkeypatch.chdir(tmp_path)
    run = pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert "(2 rows) [not-validated]" in run.out
    assert not list(tmp_path.glob("*orphans*"))
    pump("impdp", target, f"NETWORK_LINK={source}", "TABLE_EXISTS_ACTION=TRUNCATE", "NOLOGFILE=YES", f"DIRECTORY={tmp_path}")
    assert len(listed(tmp_path / "import_orphans.ndjson")) == 2


def test_where_no_list_can_be_written_the_rows_are_counted(
    database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = broken(database("sqlite"), "sqlite"), database("postgresql")

    def claim(wanted: Path) -> Path:
        raise rejects.RejectFileNotUsable(path=wanted, detail="Permission denied")

    monkeypatch.setattr(rejects, "claim", claim)
    run = move(source, target, tmp_path)
    assert "cannot be listed" in run.out
    assert [entry["rows"] for entry in entries(tmp_path, "not-validated")] == [2]
