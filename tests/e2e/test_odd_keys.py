"""Keys, names and sequences that one database takes and another does not: kept, or named before or instead of being made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows, scalar

Fresh = Callable[..., str]

UNMATCHED = (
    "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b))",
    "CREATE TABLE child (id integer PRIMARY KEY, p int REFERENCES parent)",
    "INSERT INTO child VALUES (1, 1)",
)
"""A foreign key to a key of another number of columns, which SQLite takes until rows come and it is told to check them."""


def test_a_foreign_key_to_a_key_of_other_columns_stays_in_sqlite(sqlite_file: Fresh) -> None:
    source, target = sqlite_file("source.db"), sqlite_file("target.db")
    execute(source, *UNMATCHED)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES"))
    assert not run.losses
    assert rows(target, 'SELECT "table", "to" FROM pragma_foreign_key_list(\'child\')') == [("parent", None)]


def test_a_foreign_key_to_a_key_of_other_columns_is_named(sqlite_file: Fresh, postgresql: Fresh) -> None:
    source, target = sqlite_file("source.db"), postgresql()
    execute(source, *UNMATCHED)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    assert [loss for loss in run.losses if "foreign key on p is left out" in loss], run.out
    assert '. . unsupported: REF_CONSTRAINT:"public"."child" FOREIGN KEY (p)' in run.out


def test_names_that_are_one_in_sqlite_are_refused_before_anything_is_made(postgresql: Fresh, sqlite_file: Fresh) -> None:
    source, target = postgresql(), sqlite_file("target.db")
    execute(
        source,
        'CREATE TABLE "T" (id integer)',
        "CREATE TABLE t (id integer)",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE INDEX sqlite_i ON t (id)",
    )
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = pump("impdp", target, *link)
    assert run.code == 1
    assert 'TABLE:"main"."T" and TABLE:"main"."t" would both be named t in SQLite' in run.err
    assert not rows(target, "SELECT name FROM sqlite_master")
    done(pump("impdp", target, *link, 'REMAP_TABLE="T":upper'))
    made = "SELECT name FROM sqlite_master WHERE tbl_name NOT LIKE 'migrator%' ORDER BY name"
    assert [name for (name,) in rows(target, made)] == ["t", "t_sqlite_i", "upper", "v"]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_names_that_begin_as_those_of_sqlite_itself_do_without_that(
    kind: str, request: pytest.FixtureRequest, sqlite_file: Fresh
) -> None:
    source, target = request.getfixturevalue(kind)(), sqlite_file("target.db")
    execute(
        source,
        "CREATE TABLE sqlite_t (id integer PRIMARY KEY, sqlite_n integer CHECK (sqlite_n > 0))",
        "CREATE TABLE SQLITE_u (id integer PRIMARY KEY, t integer, FOREIGN KEY (t) REFERENCES sqlite_t (id))",
        "CREATE TABLE sqlite_w (id integer PRIMARY KEY, sqlite_w integer CHECK (sqlite_w > 0))",
        "CREATE VIEW sqlite_v AS SELECT sqlite_t.id, sqlite_t.sqlite_n FROM sqlite_t",
        "INSERT INTO sqlite_t VALUES (1, 10)",
        "INSERT INTO SQLITE_u VALUES (5, 1)",
    )
    link = (f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
    run = done(pump("impdp", target, *link))
    assert sum("[name-reserved]" in loss for loss in run.losses) == 4
    relations = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'migrator%' ORDER BY name"
    t, u, v, w = (name for (name,) in rows(target, relations))
    assert [name.partition("_")[0] for name in (t, u, v, w)] == ["t", "u", "v", "w"]
    assert rows(target, f"SELECT id, sqlite_n FROM {v}") == [(1, 10)]
    assert rows(target, f'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{u}\')') == [(t, "t", "id")]
    with pytest.raises(sa.exc.IntegrityError):
        execute(target, f"INSERT INTO {t} VALUES (2, 0)")
    with pytest.raises(sa.exc.IntegrityError):
        execute(target, f"INSERT INTO {w} VALUES (2, 0)")
    again = pump("impdp", target, *link, "TABLE_EXISTS_ACTION=TRUNCATE", "CONTENT=DATA_ONLY")
    assert again.rows == {t: 1, u: 1, w: 0}, again.out


@pytest.mark.product("MariaDB", "sequences")
def test_a_sequence_that_has_run_out_has_run_out_in_mariadb_too(postgresql: Fresh, mysql: Fresh) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id bigserial, x text)",
        "CREATE SEQUENCE large",
        "SELECT setval('large', 9223372036854775807)",
        "CREATE SEQUENCE small AS smallint",
        "SELECT setval('small', 32767)",
        "CREATE SEQUENCE falling INCREMENT -1 MINVALUE -5",
        "SELECT setval('falling', -5)",
    )
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    assert [loss.rpartition(".")[2].partition(":")[0] for loss in run.losses] == ['"t_id_seq"', '"large"']
    assert all("[sequence-bounds]" in loss for loss in run.losses), "t's own sequence is one, and its default counts"
    for sequence in ("large", "small", "falling"):
        with pytest.raises(sa.exc.OperationalError, match="has run out"):
            scalar(target, f"SELECT NEXTVAL({sequence})")
