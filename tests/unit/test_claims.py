"""What a job has for itself: who is in its way, and of two that want one table at once, which has it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from migrator.errors import JobStopped, TableClaimed
from migrator.job.claims import Claims
from migrator.job.session import Session, local_database, session
from migrator.job.table import SUPERSEDED, MasterTable
from migrator.model.objects import QName
from migrator.spec import JobSpec, MasterPlace
from tests.support.records import SPEC
from tests.support.servers import Servers

KINDS = ("postgresql", "mysql", "sqlite_file")


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    return Database(sa.make_url(str(request.getfixturevalue(request.param)())))


def spec(name: str, place: MasterPlace) -> JobSpec:
    return replace(SPEC, job_name=name, master_table=place)


@contextmanager
def job(database: Database, name: str, place: MasterPlace = "DATABASE") -> Iterator[Session]:
    """A job that has its master table and does nothing."""
    with session(spec(name, place), database, database.server(), None) as opened:
        yield opened


def claims(database: Database, *tables: str) -> Claims:
    return Claims(database, database.server(), [QName("s", table) for table in tables])


def stopped(database: Database, name: str, *, whole: bool = False) -> NoReturn:
    """A job that stops when it has claimed a table, or the ``whole`` database."""
    with job(database, name) as opened:
        wanted = Claims(database, database.server(), None) if whole else claims(database, "a")
        wanted.take(opened, silent)
        opened.executing()
        raise JobStopped(job=opened.job)


def silent(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hearts that beat every second."""
    monkeypatch.setenv("MIGRATOR_LEASE", "5")


@pytest.mark.parametrize("database", KINDS, indirect=True)
def test_a_claim_is_in_the_way_of_who_wants_one_of_its_tables(database: Database) -> None:
    with job(database, "ONE") as one, job(database, "TWO") as two:
        claims(database, "a", "b").take(one, silent)
        said: list[str] = []
        with pytest.raises(TableClaimed, match=r'table "s"."b" of job .*"ONE"'):
            claims(database, "b", "c").take(two, said.append)
        (line,) = said
        assert re.search(r'"ONE" has table "s"."b", and its heart beat \d seconds ago; if its process is dead, ', line)
        claims(database, "c", "d").take(two, silent)


class Claiming(threading.Thread):
    """A job that claims a table at the moment at which another one does."""

    def __init__(self, database: Database, job: Session, moment: threading.Barrier) -> None:
        super().__init__()
        self._claims, self._job, self._moment = claims(database, "a"), job, moment
        self.has_it = False

    def run(self) -> None:
        self._moment.wait()
        try:
            self._claims.take(self._job, silent)
        except TableClaimed:
            self._job.record.job(state="STOPPED")  # as a job does that ends over it
        else:
            self.has_it = True


@pytest.mark.parametrize("database", KINDS, indirect=True)
def test_of_two_that_claim_at_once_exactly_one_has_it(database: Database) -> None:
    """In a file both have one name and schema, and are on record in two places."""
    names = ("ONE", "ONE") if database.adapter.name == "sqlite" else ("ONE", "TWO")
    for _ in range(3):
        with job(database, names[0]) as one, job(database, names[1], "LOCAL") as two:
            moment = threading.Barrier(2)
            both = [Claiming(database, mine, moment) for mine in (one, two)]
            for claiming in both:
                claiming.start()
            for claiming in both:
                claiming.join()
            assert sorted(claiming.has_it for claiming in both) == [False, True]


def test_names_that_a_database_holds_for_one_are_one(
    sqlite_file: Callable[..., str], postgresql: Callable[..., str]
) -> None:
    file, server = Database(sa.make_url(sqlite_file("t.db"))), Database(sa.make_url(postgresql()))
    with ExitStack() as stack:
        one, two = (stack.enter_context(job(file, name)) for name in ("ONE", "TWO"))
        claims(file, "Orders").take(one, silent)
        with pytest.raises(TableClaimed, match="Orders"):
            claims(file, "ORDERS").take(two, silent)
    with ExitStack() as stack:
        one, two = (stack.enter_context(job(server, name)) for name in ("ONE", "TWO"))
        claims(server, "Orders").take(one, silent)
        claims(server, "ORDERS").take(two, silent)


def test_names_that_a_server_folds_are_one(servers: Servers) -> None:
    """``lower_case_table_names``, which one server of MariaDB or MySQL has and another has not."""
    server = servers.private_mysql("--lower-case-table-names=1")
    try:
        database = Database(server.fresh())
        with job(database, "ONE") as one, job(database, "TWO") as two:
            claims(database, "Orders").take(one, silent)
            with pytest.raises(TableClaimed, match="Orders"):
                claims(database, "ORDERS").take(two, silent)
    finally:
        server.stop()


@pytest.mark.parametrize("database", KINDS, indirect=True)
def test_who_has_the_whole_database_has_every_table(database: Database) -> None:
    with job(database, "ONE") as one, job(database, "TWO") as two:
        Claims(database, database.server(), None).take(one, silent)
        with pytest.raises(TableClaimed, match=r'all tables of job .*"ONE", which is at work'):
            claims(database, "a").take(two, silent)
    with job(database, "ONE") as one, job(database, "TWO") as two:
        claims(database, "a").take(one, silent)
        with pytest.raises(TableClaimed, match=r'table "s"."a" of job .*"ONE", which is at work'):
            Claims(database, database.server(), None).take(two, silent)


@pytest.mark.parametrize("database", KINDS, indirect=True)
def test_who_takes_the_whole_database_shuts_out_every_job_that_has_stopped(database: Database) -> None:
    left = MasterTable(database.server().schema, "ONE")
    with pytest.raises(JobStopped):
        stopped(database, "ONE")
    said: list[str] = []
    with job(database, "TWO") as two:
        all_ = Claims(database, database.server(), None)
        all_.take(two, silent)
        all_.shut_out(two, (), said.append)
    assert [line.startswith(f"Job {left.qname}, which had stopped, cannot be started again") for line in said] == [True]
    with database.connect() as connection:
        assert left.job(connection).detail[SUPERSEDED]["job"] == str(two.job)


@pytest.mark.parametrize("database", KINDS, indirect=True)
@pytest.mark.parametrize("changes", [False, True])
def test_one_that_had_the_whole_database_is_shut_out_by_who_changes_something(database: Database, changes: bool) -> None:
    left = MasterTable(database.server().schema, "ONE")
    with pytest.raises(JobStopped):
        stopped(database, "ONE", whole=True)
    with job(database, "TWO") as two:
        some = claims(database, "a")
        some.take(two, silent)
        said: list[str] = []
        some.shut_out(two, [QName("s", "a")] if changes else (), said.append)
    assert [line.endswith(': this job takes table "s"."a"') for line in said] == [True] * changes
    with database.connect() as connection:
        assert (SUPERSEDED in left.job(connection).detail) is changes


def test_a_job_of_another_database_is_in_nobodys_way(sqlite_file: Callable[..., str]) -> None:
    """Both are on record on this machine."""
    here, there = (Database(sa.make_url(sqlite_file(name))) for name in ("here.db", "there.db"))
    with job(here, "ONE", "LOCAL") as one, job(there, "TWO", "LOCAL") as two, job(here, "THREE", "LOCAL") as three:
        claims(here, "a").take(one, silent)
        claims(there, "a").take(two, silent)
        with pytest.raises(TableClaimed, match="ONE"):
            claims(here, "a").take(three, silent)


@pytest.mark.parametrize("database", KINDS, indirect=True)
def test_many_tables_are_claimed_by_as_many_statements_as_one(database: Database) -> None:
    counted = {}
    with job(database, "ONE") as one, job(database, "TWO") as two:
        claims(database, *(f"other{number}" for number in range(2_000))).take(one, silent)
        for many in (1, 2_000):
            own, statements = claims(database, *(f"t{number}" for number in range(many))), 0

            def count(*_: object) -> None:
                nonlocal statements
                statements += threading.current_thread() is threading.main_thread()

            sa.event.listen(database.engine, "before_cursor_execute", count)
            own.take(two, silent)
            sa.event.remove(database.engine, "before_cursor_execute", count)
            counted[many] = statements
    assert counted[1] == counted[2_000] < 12


def test_a_local_database_that_is_none_is_named(sqlite_file: Callable[..., str]) -> None:
    database, said = Database(sa.make_url(sqlite_file("t.db"))), list[str]()
    path = Path(str(local_database().url.database))
    path.parent.mkdir(parents=True)
    path.write_text("this is no database, and long enough to be taken for a damaged one" * 20)
    with job(database, "ONE") as one:
        claims(database, "a").take(one, said.append)
    (line,) = said
    assert line.startswith(f"Whether a job that is on record in {path} has tables of this job is not known: MIG-12166")
