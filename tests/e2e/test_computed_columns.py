"""Columns that databases compute: a verification compares what they compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.moved import Moved, moved
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, rows

pytestmark = [pytest.mark.mysql, pytest.mark.postgresql]
Fresh = Callable[..., str]

TABLE = (
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b varchar(20), s integer GENERATED ALWAYS AS (a * 2) STORED, "
    "w varchar(60) GENERATED ALWAYS AS (upper(b)) STORED)"
)
ROWS = "INSERT INTO t (id, a, b) VALUES (1, 1, 'one'), (2, NULL, 'zwei'), (3, 3, NULL)"
OTHER = TABLE.replace("upper(b)", "lower(b)")


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_file")("target.db"))
    return str(request.getfixturevalue(request.param)())


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
@pytest.mark.parametrize("by", ["link", "dump set"])
def test_what_both_compute_is_compared(
    engine: str, by: str, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = str(request.getfixturevalue(engine)())
    execute(source, TABLE, ROWS)
    where = (f"NETWORK_LINK={source}",)
    if by == "dump set":
        where = (f"DIRECTORY={tmp_path}", "DUMPFILE=t.dmp")
        done(pump("expdp", source, *where, "NOLOGFILE=YES"))
    done(pump("impdp", target, *where, remap(source, target), "NOLOGFILE=YES", "VERIFY=YES"))
    assert rows(target, "SELECT s, w FROM t ORDER BY id") == [(2, "ONE"), (None, "ZWEI"), (6, None)]
    assert done(pump("verify", target, *where, remap(source, target))).code == 0
    execute(target, "DROP TABLE t", OTHER, ROWS)
    run = pump("verify", target, *where, remap(source, target))
    assert run.code == 5, run.out
    assert "ONE" in run.out
    assert "one" in run.out


def test_expressions_of_ones_own_are_an_entry_of_the_loss_list_and_no_difference_to_an_import(
    mysql: Fresh, target: str
) -> None:
    source = mysql()
    execute(source, TABLE, ROWS)
    execute(target, OTHER)
    run = pump(
        *("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES", "VERIFY=YES"),
        "TABLE_EXISTS_ACTION=APPEND",
    )
    assert any("[existing-generated]" in loss and '"w"' in loss for loss in run.losses)
    assert rows(target, "SELECT w FROM t ORDER BY id") == [("one",), ("zwei",), (None,)]
    assert run.code == 0, run.out


# --- divisions by zero ----------------------------------------------------------------------------------------------

DIVIDING = (
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, q integer GENERATED ALWAYS AS (a {} b) STORED,"
    " CONSTRAINT few CHECK (a % b < 5))"
)
PLACES = {"q": ("t", "q"), "few": ("t",), "v": ("v",)}
"""What divides, by its name: the object, and its column."""
ASKED = "INSERT INTO t (id, a, b) VALUES (9, 1, 0)"


@pytest.fixture
def dividing(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """``dividing("mysql")``: a database of a kind with a table that divides one column by another, and a view of it."""

    def make(kind: str) -> str:
        url = str(request.getfixturevalue("sqlite_file" if kind == "sqlite" else kind)())
        sign = "DIV" if kind == "mysql" else "/"
        execute(url, DIVIDING.format(sign), "INSERT INTO t (id, a, b) VALUES (1, 7, 3)")
        execute(url, f"CREATE VIEW v AS SELECT id, a {sign} b AS q FROM t")
        return url

    return make


@pytest.mark.parametrize("to", ["postgresql", "mysql"])
def test_a_division_by_zero_that_is_null_stays_null(
    to: str, dividing: Callable[[str], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """By MySQL's usual settings whoever writes a row would be refused it."""
    made = moved(dividing("sqlite"), str(request.getfixturevalue(to)()), tmp_path)
    execute(made.url, ASKED)
    assert made.rows("SELECT t.q, v.q FROM t JOIN v ON v.id = t.id ORDER BY t.id") == [(2, 2), (None, None)]
    assert "division-by-zero" not in {entry["rule"] for entry in made.entries}


GUARDED = (
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer,"
    " q integer GENERATED ALWAYS AS (a {0} NULLIF(b, 0)) STORED, CONSTRAINT few CHECK (a % NULLIF(b, 0) < 5))",
    "CREATE VIEW v AS SELECT id, a {0} NULLIF(b, 0) AS q, a {0} -2 AS h, (SELECT max(a % nullif(b, 0)) FROM t) AS m FROM t",
)
"""Divisors that are never zero."""


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
@pytest.mark.parametrize("to", ["postgresql", "mysql", "sqlite"])
def test_a_division_by_what_is_never_zero_changes_nothing(
    engine: str, to: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, fixture = str(request.getfixturevalue(engine)()), "sqlite_file" if to == "sqlite" else to
    sign = "DIV" if engine == "mysql" else "/"
    execute(source, *(statement.format(sign) for statement in GUARDED), "INSERT INTO t (id, a, b) VALUES (1, 7, 3)")
    made = moved(source, str(request.getfixturevalue(fixture)()), tmp_path)
    assert _named(made) == set()
    execute(made.url, ASKED)
    found = made.rows("SELECT t.q, v.q, h, m FROM t JOIN v ON v.id = t.id ORDER BY t.id")
    assert found == [(2, 2, -3, 1), (None, None, 0, 1)]


@pytest.mark.parametrize("to", ["postgresql", "mysql"])
def test_our_own_guards_against_zero_are_read_as_such(
    to: str, dividing: Callable[[str], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    between = moved(dividing("sqlite"), str(request.getfixturevalue(to)()), tmp_path)
    again = moved(between.url, str(request.getfixturevalue("sqlite_file")("again.db")), tmp_path)
    assert _named(again) == set()
    assert str(again.rows("SELECT sql FROM sqlite_master WHERE name = 'v'")).upper().count("NULLIF") == 1


def _named(made: Moved) -> set[str]:
    """The places where a division by zero is told of."""
    losses = {one: made.losses(*where).get("division-by-zero", "") for one, where in PLACES.items()}
    return {one for one, detail in losses.items() if "a division by zero gives NULL here" in detail}


@pytest.mark.parametrize(
    ("engine", "to", "told"),
    [
        ("postgresql", "sqlite", {"q", "few", "v"}),
        ("postgresql", "mysql", {"q", "few", "v"}),
        ("mysql", "sqlite", {"q", "few"}),
        ("mysql", "postgresql", {"q", "few"}),
    ],
)
def test_a_division_by_zero_that_is_no_error_any_more_is_named(
    engine: str, to: str, told: set[str], dividing: Callable[[str], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, fixture = dividing(engine), "sqlite_file" if to == "sqlite" else to
    made = moved(source, str(request.getfixturevalue(fixture)()), tmp_path)
    assert _named(made) == told
    with pytest.raises(sa.exc.DBAPIError, match=r"(?i)division by (zero|0)"):
        execute(source, ASKED)
    if to == "mysql":
        made.refuses(ASKED, "Division by 0")
        execute(made.url, "SET sql_mode = ''", ASKED)
    else:
        execute(made.url, ASKED)
    assert made.rows("SELECT q FROM t ORDER BY id") == [(2,), (None,)]
