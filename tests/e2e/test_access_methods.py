"""A real table in each rule's situation: the method that is chosen, and that what is to act on rows has acted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.access import RULES
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.rows import assert_same_rows
from tests.support.sql import execute, rows, scalar

SENTENCES = {rule.name: rule.sentence for rule in RULES}
ROWS = [(1, 10), (2, 20), (3, 30)]


@dataclass(frozen=True)
class Case:
    """A rule's situation: statements that make table ``t`` (id, v, doc), the method, what shows that it acted, and what the
    job is asked besides."""

    rule: str
    make: tuple[str, ...]
    method: str = "external_table"
    effect: str = "SELECT count(*) FROM t"
    seen: object = 3
    options: tuple[str, ...] = ()


PLAIN = "CREATE TABLE t (id integer, v integer, doc text)"
LOG = "CREATE TABLE log (id integer)"
PARENT = "CREATE TABLE parent (v integer PRIMARY KEY)"
PARENTS = "INSERT INTO parent VALUES (10), (20), (30)"
KEYED = "CREATE TABLE t (id integer, v integer, doc text, FOREIGN KEY (v) REFERENCES parent (v))"
LOGGED = "SELECT count(*) FROM log"

POSTGRESQL = (
    Case(
        "trigger",
        (
            PLAIN,
            LOG,
            "CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO public.log VALUES (new.id); RETURN new; END'",
            "CREATE TRIGGER logging BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION logged()",
        ),
        effect=LOGGED,
    ),
    Case("referential", (PARENT, PARENTS, KEYED)),
    Case("unique-index", (PLAIN, "CREATE UNIQUE INDEX t_id ON t (id)")),
    Case(
        "partitioned",
        (
            "CREATE TABLE t (id integer, v integer, doc text) PARTITION BY RANGE (id)",
            "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (3)",
            "CREATE TABLE high PARTITION OF t DEFAULT",
        ),
        effect="SELECT count(*) FROM ONLY low",
        seen=2,
    ),
    Case(
        "trigger",
        (
            "CREATE TABLE t (id integer, v integer, doc text) PARTITION BY RANGE (id)",
            "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (3)",
            "CREATE TABLE high PARTITION OF t DEFAULT",
            LOG,
            "CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " INSERT INTO log VALUES (new.id); RETURN new; END $$",
            "CREATE TRIGGER logging BEFORE INSERT ON low FOR EACH ROW EXECUTE FUNCTION logs()",
        ),
        effect="SELECT count(*) FROM log",
        seen=2,
        options=("DATA_OPTIONS=TRUST_EXISTING_TABLE_PARTITIONS",),
    ),
    Case(
        "domain-index",
        ("CREATE TABLE t (id integer, v integer, doc jsonb)", "CREATE INDEX t_doc ON t USING gin (doc jsonb_path_ops)"),
        effect="SELECT count(*) FROM t WHERE doc @> '{\"a\": 1}'",
    ),
    Case(
        "insert-rule", (PLAIN, LOG, "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.id)"), effect=LOGGED
    ),
    Case(
        "instead-rule",
        (PLAIN, LOG, "CREATE RULE r AS ON INSERT TO t DO INSTEAD INSERT INTO log VALUES (new.id)"),
        method="",
        effect=LOGGED,
        seen=0,
    ),
    Case(
        "disabled-unique-index",
        (
            PLAIN,
            "CREATE UNIQUE INDEX t_id ON t (id)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_id'::regclass",
        ),
        method="",
        seen=0,
    ),
    Case(
        "disabled-unique-index",
        (
            "CREATE TABLE t (id integer, v integer, doc text) PARTITION BY RANGE (id)",
            "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (3)",
            "CREATE TABLE high PARTITION OF t DEFAULT",
            "CREATE UNIQUE INDEX low_id ON low (id)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'low_id'::regclass",
        ),
        method="",
        seen=0,
    ),
    Case(
        "unusable-index",
        (
            PLAIN,
            "CREATE INDEX t_v ON t (v)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_v'::regclass",
        ),
        method="",
        seen=0,
        options=("SKIP_UNUSABLE_INDEXES=NO",),
    ),
    Case(
        "unique-index",
        (
            "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v integer, doc text, "
            "twice integer GENERATED ALWAYS AS (v * 2) STORED)",
        ),
        effect="SELECT sum(twice) FROM t WHERE id = 3",
        seen=60,
    ),
)

MYSQL = (
    Case(
        "trigger",
        (PLAIN, LOG, "CREATE TRIGGER logging BEFORE INSERT ON t FOR EACH ROW INSERT INTO log VALUES (new.id)"),
        effect=LOGGED,
    ),
    Case("referential", (PARENT, PARENTS, KEYED)),
    Case("unique-index", (PLAIN, "CREATE UNIQUE INDEX t_id ON t (id)")),
    Case(
        "partitioned",
        (
            "CREATE TABLE t (id integer, v integer, doc text) PARTITION BY RANGE (id) "
            "(PARTITION low VALUES LESS THAN (3), PARTITION high VALUES LESS THAN MAXVALUE)",
        ),
        effect="SELECT count(*) FROM t PARTITION (low)",
        seen=2,
    ),
    Case(
        "domain-index",
        ("CREATE TABLE t (id integer, v integer, doc text, p point NOT NULL DEFAULT (POINT(0, 0)), SPATIAL INDEX (p))",),
    ),
    Case(
        "system-versioned",
        ("CREATE TABLE t (id integer, v integer, doc text) WITH SYSTEM VERSIONING",),
        effect="SELECT count(*) FROM t FOR SYSTEM_TIME ALL",
    ),
    Case(
        "unusable-index",
        ("CREATE TABLE t (id integer, v integer, doc text, INDEX (v)) ENGINE=MyISAM", "ALTER TABLE t DISABLE KEYS"),
        method="",
        seen=0,
        options=("SKIP_UNUSABLE_INDEXES=NO",),
    ),
    Case(
        "unique-index",
        (
            "CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, v integer, doc text, twice integer AS (v * 2) STORED, "
            "hidden integer DEFAULT 7 INVISIBLE)",
        ),
        effect="SELECT sum(twice) + sum(hidden) FROM t WHERE id = 3",
        seen=67,
    ),
)

SQLITE = (
    Case(
        "trigger",
        (PLAIN, LOG, "CREATE TRIGGER logging AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END"),
        effect=LOGGED,
    ),
    Case("referential", (PARENT, PARENTS, KEYED)),
    Case("unique-index", (PLAIN, "CREATE UNIQUE INDEX t_id ON t (id)")),
    Case(
        "unique-index",
        ("CREATE TABLE t (id integer PRIMARY KEY, v integer, doc text, twice integer GENERATED ALWAYS AS (v * 2) STORED)",),
        effect="SELECT sum(twice) FROM t WHERE id = 3",
        seen=60,
    ),
)


@pytest.fixture
def source(sqlite_file: Callable[..., str]) -> str:
    url = sqlite_file("source.db")
    values = ", ".join(f"""({n}, {v}, '{{"a": 1}}')""" for n, v in ROWS)
    execute(url, "CREATE TABLE t (id INTEGER, v INTEGER, doc TEXT)", f"INSERT INTO t VALUES {values}")
    return url


@pytest.fixture
def appended(source: str, tmp_path: Path) -> Callable[..., Run]:
    """``appended(target, …)``: the run that appends a dump set's table ``t`` to a database."""
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", "LOGFILE=exp.log"))

    def run(target: str, *arguments: str, action: str = "APPEND") -> Run:
        where = (remap(source, target), f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp", "METRICS=YES")
        return pump("impdp", target, *where, f"TABLE_EXISTS_ACTION={action}", *arguments)

    return run


def fresh(request: pytest.FixtureRequest, backend: str) -> str:
    """The URL of a fresh database."""
    return str(request.getfixturevalue({"sqlite": "sqlite_file"}.get(backend, backend))())


def shown(case: Case) -> str:
    return f"{case.rule}: {SENTENCES[case.rule]}"


def follows(url: str, case: Case, run: Run) -> None:
    """The run has followed the case's rule, and what acts on rows has acted."""
    if case.method:
        done(run)
        assert f"using {case.method}" in run.out
    else:
        assert run.code == 5
        assert f"rule {case.rule}" in run.out
    assert SENTENCES[case.rule] in run.out
    assert scalar(url, case.effect) == case.seen
    assert rows(url, "SELECT id, v FROM t ORDER BY id") == (ROWS if case.method else [])


@pytest.mark.parametrize("case", POSTGRESQL, ids=shown)
def test_a_table_of_postgresql_in_a_rules_situation(
    case: Case, postgresql: Callable[..., str], appended: Callable[..., Run]
) -> None:
    target = postgresql()
    execute(target, *case.make)
    follows(target, case, appended(target, *case.options))


VERSIONED = pytest.mark.product("MariaDB", "system-versioned tables")


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=VERSIONED if case.rule == "system-versioned" else (), id=shown(case)) for case in MYSQL],
)
def test_a_table_of_mysql_in_a_rules_situation(case: Case, mysql: Callable[[], str], appended: Callable[..., Run]) -> None:
    target = mysql()
    execute(target, *case.make)
    follows(target, case, appended(target, *case.options))


@pytest.mark.parametrize("case", SQLITE, ids=shown)
def test_a_table_of_sqlite_in_a_rules_situation(
    case: Case, sqlite_file: Callable[..., str], appended: Callable[..., Run]
) -> None:
    target = sqlite_file("target.db")
    execute(target, *case.make)
    follows(target, case, appended(target, *case.options))


@pytest.mark.parametrize("backend", ["postgresql", "mysql"])
def test_a_row_that_breaks_a_foreign_key_is_refused_with_all_others(
    backend: str, request: pytest.FixtureRequest, appended: Callable[..., Run]
) -> None:
    target = fresh(request, backend)
    execute(target, PARENT, "INSERT INTO parent VALUES (10), (20)", KEYED)
    run = appended(target)
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert rows(target, "SELECT * FROM t") == []


@pytest.mark.parametrize("method", ["EXTERNAL_TABLE", "CONVENTIONAL_PATH"])
def test_sqlite_checks_foreign_keys_when_all_rows_are_there_and_keeps_those_that_break_one(
    method: str, sqlite_file: Callable[..., str], appended: Callable[..., Run]
) -> None:
    target = sqlite_file("target.db")
    execute(target, PARENT, "INSERT INTO parent VALUES (10), (20)", KEYED)
    run = appended(target, f"ACCESS_METHOD={method}")
    assert run.code == 5
    assert 'ORA-02298: cannot validate the foreign keys of "main"."t" - parent keys not found' in run.out
    assert '1 rows of "main"."t" refer to rows that are not there' in run.out
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == ROWS


@pytest.mark.parametrize("backend", ["postgresql", "mysql", "sqlite"])
def test_a_table_that_the_job_makes_takes_the_direct_path(
    backend: str, request: pytest.FixtureRequest, appended: Callable[..., Run]
) -> None:
    target = fresh(request, backend)
    run = done(appended(target))
    assert "using direct_path" in run.out
    assert "because" not in run.out
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == ROWS


def test_truncate_does_not_empty_a_table_that_no_method_may_load(
    postgresql: Callable[..., str], appended: Callable[..., Run]
) -> None:
    target = postgresql()
    case = next(case for case in POSTGRESQL if case.rule == "disabled-unique-index")
    execute(target, case.make[0], "INSERT INTO t VALUES (7, 7)", *case.make[1:])
    run = appended(target, action="TRUNCATE")
    assert run.code == 5
    assert rows(target, "SELECT id FROM t") == [(7,)]


def test_tables_with_unusable_indexes_are_loaded_unless_that_is_refused(
    postgresql: Callable[..., str], appended: Callable[..., Run]
) -> None:
    target, (case,) = postgresql(), (case for case in POSTGRESQL if case.rule == "unusable-index")
    execute(target, *case.make)
    assert "index" not in done(appended(target)).out
    assert rows(target, "SELECT id, v FROM t ORDER BY id") == ROWS


# --- row-level security ---------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(postgresql: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """A database with a table that a policy guards: its superuser's URL, and that of a user under the policy."""
    owner, role = postgresql(), f"guarded_{uuid.uuid4().hex[:8]}"
    execute(
        owner,
        PLAIN,
        "CREATE POLICY small ON t USING (v < 30) WITH CHECK (v < 1000)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT ALL ON t TO {role}",
    )
    yield owner, sa.make_url(owner).set(username=role).render_as_string(hide_password=False)
    execute(owner, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_row_level_security_is_respected_by_a_load(guarded: tuple[str, str], appended: Callable[..., Run]) -> None:
    owner, limited = guarded
    run = done(appended(limited))
    assert "using external_table" in run.out
    assert SENTENCES["insert-policy"] in run.out
    assert rows(owner, "SELECT id, v FROM t ORDER BY id") == ROWS
    execute(owner, "DELETE FROM t", "ALTER POLICY small ON t WITH CHECK (v < 30)")
    refused = appended(limited)
    assert refused.code == 5
    assert "violates row-level security policy" in refused.out
    assert rows(owner, "SELECT * FROM t") == []


def test_an_export_under_row_level_security_has_the_visible_rows_and_says_so(
    guarded: tuple[str, str], tmp_path: Path
) -> None:
    owner, limited = guarded
    execute(owner, "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")
    run = pump("expdp", limited, f"DIRECTORY={tmp_path}", "DUMPFILE=v.dmp", "METRICS=YES")
    assert run.code == 5
    assert 'ORA-39181: Only partial table data may be exported due to fine grain access control on "public"."t"' in run.out
    assert "using external_table" in run.out
    assert run.rows == {"t": 2}
    plan = pump("plan", "expdp", limited, f"DIRECTORY={tmp_path}", "DUMPFILE=x.dmp")
    assert plan.code == 5
    assert "ORA-39181" in plan.out
    whole = done(pump("expdp", owner, f"DIRECTORY={tmp_path}", "DUMPFILE=w.dmp", "METRICS=YES"))
    assert "using direct_path" in whole.out
    assert whole.rows == {"t": 3}


# --- what a user or a server may not --------------------------------------------------------------------------------


def test_without_temporary_tables_attributes_conflict_and_the_conventional_path_is_taken(
    postgresql: Callable[..., str], appended: Callable[..., Run]
) -> None:
    owner, role = postgresql(), f"lean_{uuid.uuid4().hex[:8]}"
    database = sa.make_url(owner).database
    execute(
        owner,
        PLAIN,
        "CREATE UNIQUE INDEX t_id ON t (id)",
        f"CREATE ROLE {role} LOGIN",
        f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC',
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT ALL ON t TO {role}",
    )
    try:
        run = done(appended(sa.make_url(owner).set(username=role).render_as_string(hide_password=False)))
        assert "using conventional_path" in run.out
        assert SENTENCES["staging-refused"] in run.out
        assert rows(owner, "SELECT id, v FROM t ORDER BY id") == ROWS
    finally:
        execute(owner, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("privileges", "method", "said"),
    [
        ("SELECT, INSERT, CREATE, DROP, UPDATE, DELETE, ALTER, INDEX, CREATE TEMPORARY TABLES", "external_table", "trigger"),
        ("SELECT, INSERT, CREATE, DROP, UPDATE, DELETE, ALTER, INDEX", "conventional_path", "staging-refused"),
    ],
)
def test_what_mysql_hides_from_a_user_counts_as_there(
    privileges: str, method: str, said: str, mysql: Callable[[], str], appended: Callable[..., Run]
) -> None:
    target = mysql()
    user = f"u{uuid.uuid4().hex[:8]}"
    execute(
        target,
        PLAIN,
        f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'",
        f"GRANT {privileges} ON `{schema_of(target)}`.* TO '{user}'@'%'",
    )
    try:
        limited = sa.make_url(target).set(username=user, password="x").render_as_string(hide_password=False)
        run = done(appended(limited))
        assert f"using {method}" in run.out
        assert f"{SENTENCES['trigger']} (unknown, so taken to be so: {user} lacks the privilege TRIGGER)" in run.out
        assert SENTENCES[said] in run.out
        assert rows(target, "SELECT id, v FROM t ORDER BY id") == ROWS
    finally:
        execute(target, f"DROP USER '{user}'@'%'")


def test_a_server_that_takes_no_bulk_loads_is_loaded_by_insert(
    mysql: Callable[[], str], appended: Callable[..., Run]
) -> None:
    target = mysql()
    execute(target, "SET GLOBAL local_infile = 0")
    try:
        run = done(appended(target))
        assert "using conventional_path" in run.out
        assert SENTENCES["bulk-refused"] in run.out
        execute(target, "DROP TABLE t")
        run = done(appended(target, "QUERY=t:WHERE v > 10"))
        assert "using external_table" in run.out
        assert rows(target, "SELECT id FROM t ORDER BY id") == [(2,), (3,)]
    finally:
        execute(target, "SET GLOBAL local_infile = 1")


# --- ACCESS_METHOD --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["DIRECT_PATH", "EXTERNAL_TABLE", "CONVENTIONAL_PATH"])
@pytest.mark.parametrize("backend", ["postgresql", "mysql", "sqlite"])
def test_every_table_of_a_sample_moves_by_the_method_that_is_asked_for(
    backend: str, method: str, request: pytest.FixtureRequest, sample: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = sample("chinook.sqlite"), fresh(request, backend)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "DUMPFILE=c.dmp", "LOGFILE=exp.log"))
    where = (remap(source, target), f"DIRECTORY={tmp_path}", "DUMPFILE=c.dmp", "METRICS=YES")
    run = done(pump("impdp", target, *where, f"ACCESS_METHOD={method}"))
    assert run.out.count(f" using {method.lower()}\n") == len(run.rows) == 11
    assert_same_rows(source, target)


@pytest.mark.parametrize("method", ["EXTERNAL_TABLE", "CONVENTIONAL"])
def test_every_table_of_pagila_moves_over_a_link_by_the_method_that_is_asked_for(
    method: str, pagila: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = pagila(18), postgresql(18)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", f"ACCESS_METHOD={method}"))
    assert sum(run.rows.values()) == 49636
    assert_same_rows(source, target)


@pytest.mark.parametrize("backend", ["postgresql", "mysql", "sqlite"])
def test_a_method_that_a_rule_bars_is_refused_before_anything_is_changed(
    backend: str, request: pytest.FixtureRequest, appended: Callable[..., Run]
) -> None:
    target = fresh(request, backend)
    execute(target, PLAIN, "CREATE UNIQUE INDEX t_id ON t (id)", "INSERT INTO t VALUES (7, 7, '')")
    run = appended(target, "ACCESS_METHOD=DIRECT_PATH")
    name = f'"{schema_of(target)}"."t"'
    assert run.code == 1
    assert f"ORA-31696: unable to import TABLE_DATA:{name} using client specified DIRECT_PATH method" in run.err
    assert f"rule unique-index: {SENTENCES['unique-index']}" in run.err
    assert rows(target, "SELECT id FROM t") == [(7,)]
    done(appended(target, "ACCESS_METHOD=CONVENTIONAL"))
    assert scalar(target, "SELECT count(*) FROM t") == 4


def test_an_export_honours_the_method_or_refuses_it_with_the_rule(source: str, tmp_path: Path) -> None:
    where = (f"DIRECTORY={tmp_path}", "METRICS=YES", "REUSE_DUMPFILES=YES")
    run = done(pump("expdp", source, *where, "ACCESS_METHOD=EXTERNAL_TABLE"))
    assert "using external_table" in run.out
    assert '"main"."t": external_table, because ACCESS_METHOD=EXTERNAL_TABLE' in run.out
    (tmp_path / "expdat.dmp").unlink()
    refused = pump("expdp", source, *where, "ACCESS_METHOD=DIRECT_PATH", "QUERY=t:WHERE v > 10")
    assert refused.code == 1
    assert "rule query-unload" in refused.err
    assert not (tmp_path / "expdat.dmp").exists()
