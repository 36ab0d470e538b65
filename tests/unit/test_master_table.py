"""The master table: a process whose job another has taken over changes nothing; what is no job; whose lease counts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from migrator.errors import (
    BadLease,
    ConnectionLost,
    DatabaseError,
    JobExists,
    JobIsRunning,
    JobNotFound,
    JobTakenOver,
    WorkUncommitted,
)
from migrator.job import session
from migrator.job.builder import Builder
from migrator.job.coordinator import Coordinator, Record
from migrator.job.session import Heart, Start
from migrator.job.table import DoneMark, MasterTable, Row, own_lease
from migrator.model.catalog import Catalog
from migrator.operations.work import NoProgress
from tests.support.jobs import until
from tests.support.pump import pump_process
from tests.support.records import JOB, SPEC, all_rows, log, recorded
from tests.support.sql import execute, inspect, scalar


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    rows = (Row("GRANULE", 1, state="EXECUTING", incarnation=1), Row("GRANULE", 2), Row("OBJECT", 1), Row("FILE", 1))
    with recorded(tmp_path / "jobs.db", *rows) as made:
        yield made


# --- taken over -----------------------------------------------------------------------------------------------------


def say(record: Record) -> None:
    record.said.append("late")
    record.write_messages()


WRITES: dict[str, Callable[[Record], object]] = {
    "job": lambda record: record.job(state="STOPPED"),
    "change": lambda record: record.change("GRANULE", 1, state="FAILED", error="x"),
    "begin": lambda record: record.begin("GRANULE", 2),
    "insert": lambda record: record.insert([Row("WORKER", 1)]),
    "remove": lambda record: record.remove("FILE", 1),
    "clear": lambda record: record.clear("GRANULE", "OBJECT"),
    "messages": say,
    "done": lambda record: DoneMark(record.table, "GRANULE", 1, record.incarnation).set(record.connection, rows=5),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_process_whose_job_is_taken_over_writes_nothing(record: Record, write: Callable[[Record], object]) -> None:
    record.table.take_over(record.connection)
    before = all_rows(record)
    with pytest.raises(JobTakenOver):
        write(record)
    assert all_rows(record) == before


@pytest.mark.parametrize("write", [write for name, write in WRITES.items() if name != "done"])
def test_the_process_that_took_it_over_writes(record: Record, write: Callable[[Record], object]) -> None:
    taken = record.table.take_over(record.connection)
    before = all_rows(record)
    write(Record(record.table, record.database, record.connection, taken.incarnation))
    assert all_rows(record) != before


class Overtaken(Record):
    """The hold of a process that falls asleep after it saw that the job is its own; another takes it over meanwhile."""

    asleep = False

    def job(self, **values: object) -> None:
        super().job(**values)
        if not self.asleep:
            self.asleep = True
            taken = self.table.take_over(self.connection)
            say(Record(self.table, self.database, self.connection, taken.incarnation))


def test_a_process_that_is_overtaken_while_it_writes_a_line_says_so(record: Record) -> None:
    late = Overtaken(record.table, record.database, record.connection)
    with pytest.raises(JobTakenOver):
        say(late)
    assert [row.item for row in record.rows("MESSAGE")] == [1]


def test_the_last_line_of_an_overtaken_process_is_in_nobodys_way(record: Record) -> None:
    taken = record.table.take_over(record.connection)
    mine = Record(record.table, record.database, record.connection, taken.incarnation)
    say(mine)
    record.table.insert(record.connection, [Row("MESSAGE", 2, state="COMPLETED", detail={"text": "its last"})])
    mine.said.extend(["one", "two"])
    mine.write_messages()
    say(mine)
    assert [(row.item, row.detail["text"]) for row in record.rows("MESSAGE")] == [
        *((1, "late"), (2, "its last"), (3, "one"), (4, "two"), (5, "late"))
    ]


def test_a_granule_is_claimed_until_it_is_done_or_its_job_is_taken_over(record: Record) -> None:
    claim = record.claim(1)
    claim.confirm()
    with pytest.raises(JobTakenOver):
        record.claim(2).confirm()  # nobody has begun it
    record.table.take_over(record.connection)
    with pytest.raises(JobTakenOver):
        claim.confirm()
    mine = Record(record.table, record.database, record.connection, 2)
    assert mine.begin("GRANULE", 1)
    mine.claim(1).confirm()
    DoneMark(record.table, "GRANULE", 1, 2).set(record.connection)
    with pytest.raises(JobTakenOver):
        mine.claim(1).confirm()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_servers_fence_the_same_way(kind: str, request: pytest.FixtureRequest) -> None:
    database = Database(sa.make_url(request.getfixturevalue(kind)()))
    table = MasterTable(database.server().schema, "FENCED")
    with database.connect() as connection:
        table.create(connection)
        table.define(connection, JOB)
        table.insert(connection, [Row("GRANULE", 1, state="EXECUTING", incarnation=1), Row("FILE", 1), Row("OBJECT", 1)])
        late, mine = Record(table, database, connection), Record(table, database, connection, 2)
        assert late.begin("OBJECT", 1)
        table.take_over(connection)
        before = all_rows(late)
        for write in WRITES.values():
            with pytest.raises(JobTakenOver):
                write(late)
        with pytest.raises(JobTakenOver):
            late.claim(1).confirm()
        assert all_rows(late) == before
        assert mine.begin("GRANULE", 1)
        mine.claim(1).confirm()
        DoneMark(table, "GRANULE", 1, 2).set(connection, rows=5)
        mine.clear("OBJECT")
        mine.remove("FILE", 1)
        assert [(row.kind, row.state) for kind in ("GRANULE", "OBJECT", "FILE") for row in mine.rows(kind)] == [
            ("GRANULE", "COMPLETED")
        ]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_job_is_not_taken_over_in_the_middle_of_a_commit(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGRATOR_LEASE", "0.5")
    database = Database(sa.make_url(request.getfixturevalue(kind)()))
    table = MasterTable(database.server().schema, "MADE")
    start = Start(table, database)
    asleep = database.engine.connect()
    with asleep, database.connect() as connection:
        table.create(connection)
        table.define(connection, replace(JOB, detail={"request": SPEC.to_json(), "plan": "", "lease": 0.0}))
        table.insert(connection, [Row("GRANULE", item, state="EXECUTING", incarnation=1) for item in (1, 2)])
        DoneMark(table, "GRANULE", 1, 1).set(asleep, rows=5)
        with pytest.raises(WorkUncommitted), session.session(SPEC, database, database.server(), start):
            pytest.fail("it was taken over")
        assert table.job(connection).incarnation == 1
        monkeypatch.setenv("MIGRATOR_LEASE", "60")
        monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: asleep.commit()))
        with session.session(SPEC, database, database.server(), start) as opened:
            assert not asleep.in_transaction()
            assert [row.state for row in opened.record.rows("GRANULE")] == ["COMPLETED", "PENDING"]


def test_who_is_late_to_take_a_job_over_takes_nothing_from_who_was_earlier(record: Record) -> None:
    record.table.take_over(record.connection)
    earlier = record.table.job(record.connection)
    record.table.take_over(record.connection)
    mine = Record(record.table, record.database, record.connection, 3)
    assert mine.begin("GRANULE", 1)
    record.table.set_free(record.connection, earlier.incarnation)
    assert {row.item: row.state for row in mine.rows("GRANULE")} == {1: "EXECUTING", 2: "PENDING"}


def test_a_job_that_is_taken_over_destroys_nothing(record: Record, sqlite_file: Callable[..., str]) -> None:
    url = sqlite_file("target.db")
    execute(url, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    database = Database(sa.make_url(url))
    coordinator = Coordinator(record, log(), NoProgress(), 1)
    with database.connect() as connection:
        ddl = database.adapter.ddl(Catalog("sqlite", ""))
        builder = Builder(coordinator, database, ddl, connection, log(), {}, {})
        record.table.take_over(record.connection)
        with pytest.raises(JobTakenOver):
            builder.execute("cannot be emptied", ["DELETE FROM t"])
    assert scalar(url, "SELECT count(*) FROM t") == 1


# --- how a job is found alive ---------------------------------------------------------------------------------------


class Failing(MasterTable):
    """A master table that cannot be reached."""

    beats = 0
    """How often a heart has tried."""

    def beat(self, connection: sa.Connection, incarnation: int, **values: object) -> None:
        self.beats += 1
        raise DatabaseError(detail="out of reach")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease of 0.3 seconds, on a clock that goes on by 0.06 with each look at it: a heart looks at it once before and
    twice in each beat that fails."""
    ticks = itertools.count()
    monkeypatch.setenv("MIGRATOR_LEASE", "0.3")
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.06, sleep=time.sleep))


@pytest.mark.usefixtures("quick")
def test_a_heart_that_cannot_beat_for_the_lease_gives_the_job_up(postgresql: Callable[..., str]) -> None:
    table = Failing("public", "MADE")
    with Heart(table, Database(sa.make_url(postgresql())), 1) as heart:
        until(lambda: heart.lost is not None, "its end")
    assert isinstance(heart.lost, ConnectionLost)
    assert "no heartbeat" in str(heart.lost)
    assert table.beats > 1


@pytest.mark.usefixtures("quick")
def test_a_heart_whose_database_has_one_writer_waits_for_it(sqlite_file: Callable[..., str]) -> None:
    execute(sqlite_file("jobs.db"), "CREATE TABLE t (a int)")
    table = Failing("main", "MADE")
    with Heart(table, Database(sa.make_url(sqlite_file("jobs.db"))), 1) as heart:
        until(lambda: table.beats >= 5 or heart.lost is not None, "a beat after the lease")
    assert heart.lost is None


@pytest.mark.usefixtures("quick")
def test_a_heart_finds_that_the_job_is_taken_over(record: Record) -> None:
    with Heart(record.table, record.database, 1) as heart:
        record.table.take_over(record.connection)
        until(lambda: heart.lost is not None, "its end")
    assert isinstance(heart.lost, JobTakenOver)


def test_the_lease_is_the_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_LEASE", "0.1")
    detail = {"request": SPEC.to_json(), "plan": "", "lease": 30.0}
    job = Row("JOB", 1, "IMPORT/SCHEMA", "main", "MADE", "EXECUTING", 1, 1, detail=detail)
    with recorded(tmp_path / "jobs.db", job=job) as made:
        time.sleep(1.1)  # SQLite's clock has whole seconds
        start = Start(made.table, made.database)
        with pytest.raises(JobIsRunning), session.session(SPEC, made.database, made.database.server(), start):
            pytest.fail("it was taken over")
        made.table.change(made.connection, "JOB", 1, detail={**detail, "lease": 0.5}, keep_time=True)
        with session.session(SPEC, made.database, made.database.server(), start) as opened:
            assert opened.record.incarnation == 2
            assert made.table.job(made.connection).lease == 0.1


@pytest.mark.parametrize("value", ["abc", "", "0", "-1", "nan", "inf", "1e300"])
def test_a_lease_that_is_no_number_of_seconds_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_LEASE", value)
    with pytest.raises(BadLease, match=f"MIG-12165: the environment variable MIGRATOR_LEASE is '{value}'"):
        own_lease()


def test_a_job_with_such_a_lease_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_LEASE", "abc")
    source = f"sqlite:///{tmp_path / 'source.db'}"
    execute(source, "CREATE TABLE t (a int)")
    run = pump_process("impdp", f"sqlite:///{tmp_path / 'target.db'}", f"NETWORK_LINK={source}", "NOLOGFILE=YES")
    assert run.code == 1
    assert "MIG-12165" in run.err
    assert "Traceback" not in run.out + run.err
    with inspect(f"sqlite:///{tmp_path / 'target.db'}") as found:
        assert found.get_table_names() == []


def test_objects_that_had_failed_are_errors_though_the_job_could_not_say_so(tmp_path: Path) -> None:
    detail = {"request": SPEC.to_json(), "plan": "", "lease": 0.0}
    failed = [Row("OBJECT", item, state="FAILED", error="x") for item in (1, 2)]
    with recorded(tmp_path / "jobs.db", *failed, job=replace(JOB, detail=detail)) as made:
        start = Start(made.table, made.database)
        with session.session(SPEC, made.database, made.database.server(), start) as opened:
            assert opened.errors == 2


# --- what is no job -------------------------------------------------------------------------------------------------


def test_a_table_that_a_dying_process_left_empty_is_taken(tmp_path: Path) -> None:
    database = Database(sa.make_url(f"sqlite:///{tmp_path / 'jobs.db'}"))
    table = MasterTable("main", "MADE")
    with database.connect() as connection:
        table.create(connection)
        with pytest.raises(JobNotFound):
            table.job(connection)
        table.create(connection)
        table.define(connection, JOB)
        with pytest.raises(JobExists):
            table.define(connection, JOB)
        with pytest.raises(JobExists):
            table.create(connection)


def test_a_table_that_is_no_master_table_is_not_taken(tmp_path: Path) -> None:
    execute(f"sqlite:///{tmp_path / 'jobs.db'}", "CREATE TABLE MADE (kind text)")
    database = Database(sa.make_url(f"sqlite:///{tmp_path / 'jobs.db'}"))
    with database.connect() as connection, pytest.raises(JobExists):
        MasterTable("main", "MADE").create(connection)
