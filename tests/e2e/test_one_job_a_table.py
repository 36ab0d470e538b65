"""Of two imports into one table at the same time the second is refused: else each would empty what the other loads."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from migrator.job.claims import Claims
from migrator.spec import TableExistsAction
from tests.support.held import ROWS, HeldRows
from tests.support.jobs import SECONDS, Recorded, begin, begin_again, ended, freeze, go_on, kill, until, wake
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, scalar

FIRST, SECOND = "FIRST", "SECOND"
KINDS = ("postgresql", "mysql", "sqlite_file")
SERVERS = ("postgresql", "mysql")
"""Where a job can write while another one's rows are on their way."""
OPTIONS = ("NOLOGFILE=YES",)
ALL = (ROWS, ROWS)


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> Iterator[HeldRows]:
    made = HeldRows(postgresql(), tmp_path)
    yield made
    made.release()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> str:
    """A new database of a kind; a connection to SQLite's waits for a second, since the first job's writes for longer."""
    made = str(request.getfixturevalue(request.param)())
    return f"{made}?timeout=1" if made.startswith("sqlite") else made


def count(url: str) -> tuple[object, object]:
    """How many rows ``t`` has, and of how many different keys."""
    return scalar(url, "SELECT count(*) FROM t"), scalar(url, "SELECT count(DISTINCT id) FROM t")


def tables(url: str) -> set[str]:
    return set(sa.inspect(sa.create_engine(url, poolclass=sa.NullPool)).get_table_names())


def job_of(url: str, name: str = FIRST) -> str:
    """A job as messages have it."""
    return f'"{schema_of(url)}"."{name}"'


@dataclass
class Jobs:
    """Imports of the table ``t``, whose rows are held, into one database."""

    held: HeldRows
    target: str

    @property
    def link(self) -> tuple[str, ...]:
        return f"NETWORK_LINK={self.held.source}", remap(self.held.source, self.target), *OPTIONS

    def make_table(self) -> None:
        """Let the table be there, with a row."""
        done(pump("impdp", self.target, *self.link, "CONTENT=METADATA_ONLY"))
        execute(self.target, "INSERT INTO t VALUES (0, 'before')")

    def begin(self, *arguments: str, name: str = FIRST, lease: str = "5") -> subprocess.Popen[str]:
        """Start one that has no row before they are let go."""
        given = (*self.link, self.held.query, f"JOB_NAME={name}", *arguments)
        return begin("impdp", self.target, *given, cwd=self.held.directory, lease=lease)

    def recorded(self, name: str = FIRST, *, local: bool = False) -> Recorded:
        return Recorded.of(self.target, name, local=local)

    def waits(self, name: str = FIRST, *, local: bool = False) -> bool:
        """Whether a job is at work on rows."""
        recorded = self.recorded(name, local=local)
        return recorded.exists() and any(row.state == "EXECUTING" for row in recorded.granules())

    def executes(self) -> bool:
        """Whether the first job has begun to change something."""
        recorded = self.recorded()
        if not recorded.exists():
            return False
        with recorded.database.connect() as connection:
            return [row.state for row in recorded.table.rows(connection, "JOB")] == ["EXECUTING"]

    @contextmanager
    def at_work(self, *arguments: str, lease: str = "5", local: bool = False) -> Iterator[subprocess.Popen[str]]:
        """The first job waits for its rows; after the block it gets them, and must end well."""
        with ended(self.begin(*arguments, lease=lease)) as job:
            until(lambda: job.poll() is not None or self.waits(local=local), "its rows")
            yield job
            self.end(job)

    def end(self, job: subprocess.Popen[str]) -> str:
        """Let the rows go: a job must end well; what it has said."""
        self.held.release()
        said, _ = job.communicate(timeout=SECONDS)
        assert job.returncode == 0, said
        return said

    def killed(self, *arguments: str, lease: str = "3") -> None:
        """The first job has died on its way; nobody knows yet."""
        with ended(self.begin(*arguments, lease=lease)) as job:
            until(lambda: job.poll() is not None or self.waits(), "its rows")
            kill(job)

    def second(self, *arguments: str) -> Run:
        """Another job, whose rows come at once."""
        return pump("impdp", self.target, *self.link, f"JOB_NAME={SECOND}", *arguments)

    def refuses(self, run: Run, by: str = "") -> None:
        """A run has ended before it did anything, and has said why."""
        assert run.code == 1, run.out + run.err
        table = f'"{schema_of(self.target)}"."t"'
        assert f"MIG-31659: resource busy: table {table} of job {by or job_of(self.target)}, which is at work" in run.err
        assert "Processing object type" not in run.out
        assert not {SECOND, SECOND.lower()} & tables(self.target)


@pytest.fixture
def jobs(held: HeldRows, target: str) -> Jobs:
    return Jobs(held, target)


# --- the second is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "other"), [("TRUNCATE", "TRUNCATE"), ("REPLACE", "REPLACE"), ("TRUNCATE", "APPEND"), ("APPEND", "TRUNCATE")]
)
@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_a_table_that_a_job_loads_is_no_other_jobs(action: TableExistsAction, other: TableExistsAction, jobs: Jobs) -> None:
    jobs.make_table()
    with jobs.at_work(f"TABLE_EXISTS_ACTION={action}"):
        jobs.refuses(jobs.second(f"TABLE_EXISTS_ACTION={other}"))
    assert count(jobs.target) == (ALL if action != "APPEND" else (ROWS + 1, ROWS + 1))


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_a_table_that_a_job_has_made_is_no_other_jobs(jobs: Jobs) -> None:
    """Of the job that finds it there, and would leave it out, it has half of the rows."""
    with jobs.at_work():
        jobs.refuses(jobs.second())
    assert count(jobs.target) == ALL


@pytest.mark.parametrize("target", ["mysql"], indirect=True)
def test_a_dump_file_set_is_refused_as_a_link_is(jobs: Jobs, tmp_path: Path) -> None:
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", *OPTIONS)
    done(pump("expdp", jobs.held.source, *where))
    with jobs.at_work():
        rename = remap(jobs.held.source, jobs.target)
        jobs.refuses(pump("impdp", jobs.target, *where, rename, "TABLE_EXISTS_ACTION=REPLACE", f"JOB_NAME={SECOND}"))
    assert count(jobs.target) == ALL


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_of_two_jobs_that_begin_at_once_one_goes_on(jobs: Jobs) -> None:
    """Both find no table, and each would make it."""
    with ExitStack() as stack:
        both = {name: stack.enter_context(ended(jobs.begin(name=name))) for name in (FIRST, SECOND)}
        until(lambda: any(job.poll() is not None for job in both.values()), "the end of one")
        (loser,) = [name for name, job in both.items() if job.poll() is not None]
        winner = FIRST if loser == SECOND else SECOND
        said, _ = both[loser].communicate(timeout=SECONDS)  # of SQLite's one writer it may learn by the lock alone
        assert both[loser].returncode == 1, said
        busy = f"of job {job_of(jobs.target, winner)}, "
        assert f"{busy}which is at work" in said or f"{busy}whose heart beat" in said
        jobs.end(both[winner])
    assert count(jobs.target) == ALL
    assert tables(jobs.target) - {loser} == {"t"}


@pytest.mark.parametrize(
    ("target", "first", "second"),
    [("postgresql", "LOCAL", "DATABASE"), ("mysql", "DATABASE", "LOCAL"), ("postgresql", "LOCAL", "LOCAL")],
    indirect=["target"],
)
def test_jobs_on_record_elsewhere_are_found(first: str, second: str, jobs: Jobs) -> None:
    jobs.make_table()
    action = "TABLE_EXISTS_ACTION=TRUNCATE"
    with jobs.at_work(action, f"MASTER_TABLE={first}", local=first == "LOCAL"):
        by = f'"main"."{FIRST}"' if first == "LOCAL" else job_of(jobs.target)
        jobs.refuses(jobs.second(action, f"MASTER_TABLE={second}"), by)
    assert count(jobs.target) == ALL


def test_a_record_in_another_schema_is_found(held: HeldRows, postgresql: Callable[..., str]) -> None:
    jobs = Jobs(held, postgresql())
    execute(jobs.target, "CREATE SCHEMA mine")
    execute(jobs.target, f"ALTER DATABASE {sa.make_url(jobs.target).database} SET search_path = mine")
    with ended(jobs.begin()) as job:
        recorded = Recorded.of(jobs.target, FIRST)
        assert recorded.table.schema == "mine"
        until(lambda: job.poll() is not None or jobs.waits(), "its rows")
        execute(jobs.target, f"ALTER DATABASE {sa.make_url(jobs.target).database} SET search_path = public")
        jobs.refuses(jobs.second("TABLE_EXISTS_ACTION=REPLACE"), f'"mine"."{FIRST}"')
        jobs.end(job)
    assert count(jobs.target) == ALL


def test_a_record_that_may_not_be_read_is_named(held: HeldRows, postgresql: Callable[..., str]) -> None:
    jobs = Jobs(held, postgresql())
    name = sa.make_url(jobs.target).database
    role = f"reader_{name}"
    execute(jobs.target, f"CREATE ROLE {role} LOGIN", f"GRANT CREATE ON DATABASE {name} TO {role}")
    execute(jobs.target, f"CREATE SCHEMA own AUTHORIZATION {role}")
    with jobs.at_work():
        own = sa.make_url(jobs.target).set(username=role).update_query_dict({"options": "-csearch_path=own"})
        theirs = own.render_as_string(hide_password=False)
        run = pump("impdp", theirs, f"NETWORK_LINK={held.source}", "REMAP_SCHEMA=public:own", *OPTIONS)
    assert run.code == 0, run.out + run.err
    assert f"Whether job {job_of(jobs.target)} has tables of this job is not known: ORA-31631" in run.out


def test_a_record_that_may_be_read_but_not_changed_keeps_its_tables(held: HeldRows, postgresql: Callable[..., str]) -> None:
    """Its job could be started again, by its owner."""
    jobs = Jobs(held, postgresql())
    jobs.make_table()
    jobs.killed("TABLE_EXISTS_ACTION=TRUNCATE")
    role = f"owner_{sa.make_url(jobs.target).database}"
    execute(
        jobs.target,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"ALTER TABLE t OWNER TO {role}",
        f'GRANT SELECT ON "{FIRST}" TO {role}',
    )
    theirs = sa.make_url(jobs.target).set(username=role).render_as_string(hide_password=False)
    run = pump("impdp", theirs, *jobs.link, f"JOB_NAME={SECOND}", "TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 1, run.out + run.err
    assert f'MIG-31661: job {job_of(jobs.target)} has stopped, and table "public"."t" was its own' in run.out + run.err
    assert count(jobs.target) == (0, 0), "as the first job has left it"
    jobs.held.release()
    again = go_on(jobs.target, FIRST, link=held.source)
    assert again.returncode == 0, again.stdout
    assert count(jobs.target) == ALL


# --- rows that were rejected before ---------------------------------------------------------------------------------


@pytest.fixture
def rejects(jobs: Jobs, tmp_path: Path) -> Path:
    """The reject file of a row that was refused since its key was there, which it is no more."""
    jobs.make_table()
    execute(jobs.held.source, "CREATE TABLE one AS SELECT 0 AS id, 'rejected'::text AS v")
    execute(jobs.held.source, "ALTER TABLE one ADD PRIMARY KEY (id)")
    options = ("DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "TABLE_EXISTS_ACTION=APPEND", f"DIRECTORY={tmp_path}")
    where = ("TABLES=one", "REMAP_TABLE=one:t", "CONTENT=DATA_ONLY")
    run = pump("impdp", jobs.target, *jobs.link, *options, *where)
    assert run.code == 5, run.out + run.err
    execute(jobs.held.source, "DROP TABLE one")
    execute(jobs.target, "DELETE FROM t")
    (found,) = tmp_path.glob("import_rejects*")
    return found


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_rejected_rows_are_not_loaded_into_a_table_that_a_job_loads(jobs: Jobs, rejects: Path) -> None:
    with jobs.at_work("TABLE_EXISTS_ACTION=TRUNCATE"):
        run = pump("retry-rejects", str(rejects), jobs.target)
        assert run.code == 1, run.out + run.err
        assert f"of job {job_of(jobs.target)}, which is at work" in run.err
    assert count(jobs.target) == ALL
    assert "0 rejected" in done(pump("retry-rejects", str(rejects), jobs.target)).out
    assert count(jobs.target) == (ROWS + 1, ROWS + 1)


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_rejected_rows_wait_for_a_job_that_may_go_on(jobs: Jobs, rejects: Path) -> None:
    jobs.killed("TABLE_EXISTS_ACTION=TRUNCATE")
    time.sleep(3.5)
    run = pump("retry-rejects", str(rejects), jobs.target)
    assert run.code == 1, run.out + run.err
    assert f"of job {job_of(jobs.target)}, which has stopped and can be started again" in run.err
    assert rejects.exists()


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_rejected_rows_come_beside_a_job_that_appends(jobs: Jobs, rejects: Path) -> None:
    with jobs.at_work("TABLE_EXISTS_ACTION=APPEND"):
        done(pump("retry-rejects", str(rejects), jobs.target))
    assert count(jobs.target) == (ROWS + 1, ROWS + 1)


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_who_empties_a_table_waits_for_rejected_rows(jobs: Jobs, rejects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that begins right after the look for one: it empties the table when the rows are in."""
    started, seen, look = list[subprocess.Popen[str]](), list[str](), Claims.see_none
    looked: list[Claims] = []

    def begun(claims: Claims) -> None:
        look(claims)
        looked.append(claims)
        if len(looked) == 1:  # before the tables are held
            return
        started.append(job := stack.enter_context(ended(jobs.begin("TABLE_EXISTS_ACTION=TRUNCATE"))))
        until(lambda: job.poll() is not None or jobs.executes(), "its beginning")
        time.sleep(0.5)
        seen.extend(row.state for row in jobs.recorded().granules())

    monkeypatch.setattr(Claims, "see_none", begun)
    with ExitStack() as stack:
        assert "1 rows loaded" in done(pump("retry-rejects", str(rejects), jobs.target)).out
        jobs.end(*started)
    assert count(jobs.target) == ALL
    assert set(seen) == {"PENDING"}


# --- what goes on beside a job --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_jobs_into_different_tables_of_one_schema_go_side_by_side(jobs: Jobs) -> None:
    execute(jobs.held.source, "CREATE TABLE u (id integer PRIMARY KEY)", "INSERT INTO u VALUES (1), (2)")
    with jobs.at_work("TABLES=t"):
        done(jobs.second("TABLES=u"))
        assert scalar(jobs.target, "SELECT count(*) FROM u") == 2
    assert count(jobs.target) == ALL


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_who_only_looks_is_not_in_the_way(jobs: Jobs, tmp_path: Path) -> None:
    """An export, a plan and a comparison beside an import into the same table."""
    jobs.make_table()
    with jobs.at_work("TABLE_EXISTS_ACTION=APPEND"):
        exported = done(pump("expdp", jobs.target, f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp", *OPTIONS))
        assert exported.rows == {"t": 1}
        done(pump("plan", "impdp", jobs.target, *jobs.link[:-1], "TABLE_EXISTS_ACTION=APPEND"))
        assert "MIG-31659" not in (verified := pump("verify", jobs.target, *jobs.link[:-1])).out + verified.err


@pytest.mark.parametrize("target", ["sqlite_file"], indirect=True)
def test_a_lock_that_may_be_another_programs_is_not_said_to_be_a_dead_jobs(jobs: Jobs) -> None:
    jobs.make_table()
    jobs.killed("TABLE_EXISTS_ACTION=TRUNCATE")
    time.sleep(3.5)
    file = sa.make_url(jobs.target).database or ""
    with closing(sqlite3.connect(file, isolation_level=None)) as program:
        program.execute("BEGIN IMMEDIATE")
        run = jobs.second("TABLE_EXISTS_ACTION=TRUNCATE")
    assert run.code == 1, run.out + run.err
    assert f'MIG-31659: resource busy: table "main"."t" of job {job_of(jobs.target)}, whose heart beat' in run.err
    assert "or of a program that is no job: database is locked" in run.err


# --- jobs that have died or stopped ---------------------------------------------------------------------------------


@pytest.mark.parametrize("target", KINDS, indirect=True)
def test_a_job_that_died_has_nothing_any_more(jobs: Jobs) -> None:
    """And does not go on with a table that another job has loaded since."""
    jobs.make_table()
    jobs.killed("TABLE_EXISTS_ACTION=TRUNCATE")
    run = done(jobs.second("TABLE_EXISTS_ACTION=TRUNCATE"))
    table = f'"{schema_of(jobs.target)}"."t"'
    assert f"Job {job_of(jobs.target)}, which had stopped, cannot be started again: this job takes table {table}" in run.out
    assert count(jobs.target) == ALL
    again = go_on(jobs.target, FIRST, link=jobs.held.source)
    assert again.returncode == 1
    detail = f"table {table} changed at the target: job {job_of(jobs.target, SECOND)} took what this job had left there"
    assert f"MIG-31652: job cannot be started again: {detail}" in again.stdout
    assert jobs.recorded().job().state == "STOPPED"
    third = done(jobs.second("TABLE_EXISTS_ACTION=TRUNCATE"))
    assert job_of(jobs.target) not in third.out, "that is said once"
    assert count(jobs.target) == ALL


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_who_leaves_a_dead_jobs_tables_alone_leaves_it_its_restart(jobs: Jobs) -> None:
    """The same command once more, for example, which finds the table there and skips it."""
    jobs.killed()
    run = jobs.second()
    assert run.code == 5, run.out + run.err
    assert "ORA-39151" in run.out
    jobs.held.release()
    again = go_on(jobs.target, FIRST, link=jobs.held.source)
    assert again.returncode == 0, again.stdout
    assert count(jobs.target) == ALL


@pytest.mark.parametrize("target", SERVERS, indirect=True)
def test_a_job_that_is_started_again_has_its_tables_again(jobs: Jobs) -> None:
    jobs.killed()
    time.sleep(3.5)
    with ended(begin_again(jobs.target, FIRST, link=jobs.held.source, lease="5")) as job:
        until(lambda: job.poll() is not None or (jobs.recorded().job().incarnation == 2 and jobs.waits()), "its rows")
        jobs.refuses(jobs.second("TABLE_EXISTS_ACTION=REPLACE"))
        jobs.end(job)
    assert count(jobs.target) == ALL


@pytest.mark.parametrize(
    ("target", "record"),
    [("postgresql", "DATABASE"), ("mysql", "DATABASE"), ("postgresql", "LOCAL"), ("mysql", "LOCAL")],
    indirect=["target"],
)
def test_a_job_that_wakes_up_when_its_tables_are_anothers_changes_nothing(record: str, jobs: Jobs) -> None:
    jobs.make_table()
    first = jobs.begin("TABLE_EXISTS_ACTION=TRUNCATE", f"MASTER_TABLE={record}", lease="2")
    members: list[psutil.Process] = []
    try:
        until(lambda: first.poll() is not None or jobs.waits(local=record == "LOCAL"), "its rows")
        members = freeze(first, jobs.recorded(local=record == "LOCAL"))
        done(jobs.second("TABLE_EXISTS_ACTION=APPEND"))
        jobs.held.release()
        wake(members)
        said, _ = first.communicate(timeout=SECONDS)
    finally:
        wake(members)
        kill(first)
    assert first.returncode == 1, said
    table = f'table "{schema_of(jobs.target)}"."t"'
    assert "was started by another process" not in said
    assert f"MIG-31662: {table} of job " in said
    assert f"went to job {job_of(jobs.target, SECOND)} while this one was not at work; it ends" in said
    assert count(jobs.target) == ALL
