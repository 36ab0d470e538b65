"""Rows that break checks of their own table, which a database has let in: what becomes of them and of the checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.adapter import Read
from migrator.model.objects import Check
from migrator.operations import broken_checks
from migrator.origins import Origin
from tests.support.pump import Run, done, pump, remap, schema_of
from tests.support.sql import execute, is_mariadb, rows, scalar


@pytest.fixture
def broken(mariadb: Callable[[], str]) -> str:
    """Of three rows two break a check of MariaDB, one of them another that has no name, too. MySQL lets none in."""
    url = mariadb()
    execute(
        url,
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, CONSTRAINT low CHECK (v < 10), w INT CHECK (w > 0))",
        "SET check_constraint_checks = 0",
        "INSERT INTO t VALUES (1, 5, 1), (2, 50, 1), (3, 60, -1)",
    )
    return url


def moved(source: str, target: str, directory: Path, *options: str) -> Run:
    link = (f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={directory}", "NOLOGFILE=YES")
    return pump("impdp", target, *link, *options)


def said(url: str, check: str) -> str:
    """What a server says of rows that break a check."""
    if is_mariadb(url):
        return f"CONSTRAINT `{check}` failed for `{schema_of(url)}`.`t`"
    return f"Check constraint '{check}' is violated."


def test_rows_that_the_server_refuses_are_told_with_the_check_their_number_and_what_to_do(
    broken: str, mysql: Callable[[], str], tmp_path: Path
) -> None:
    url = mysql()
    run = moved(broken, url, tmp_path)
    assert run.code == 5, run.out
    name = f'"{schema_of(url)}"."t"'
    assert f"MIG-20002: table {name}: {said(url, 'low')} (Warning {4025 if is_mariadb(url) else 3819}, 2 in all)" in run.out
    assert f". . failed: TABLE:{name}" in run.out
    assert "Action: These rows break the check low: mend them. DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS loads" in run.out
    assert scalar(url, "SELECT count(*) FROM t") == 0


def test_what_to_do_about_them_does_it(broken: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    some, all_ = mysql(), mysql()
    run = moved(broken, some, tmp_path, "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS")
    assert run.code == 5, run.out
    assert rows(some, "SELECT * FROM t") == [(1, 5, 1)]
    named = moved(broken, all_, tmp_path, "EXCLUDE=CONSTRAINT:\"= 'low'\"")
    assert said(all_, "t.w" if is_mariadb(all_) else "t_chk_1") in named.out
    assert said(all_, "low") not in named.out
    assert scalar(all_, "SELECT count(*) FROM t") == 0
    done(moved(broken, all_, tmp_path, "EXCLUDE=CONSTRAINT", "TABLE_EXISTS_ACTION=REPLACE"))
    assert scalar(all_, "SELECT count(*) FROM t") == 3


def test_a_check_that_postgresql_refuses_is_told_with_the_number_of_rows(
    broken: str, postgresql: Callable[[], str], tmp_path: Path
) -> None:
    url = postgresql()
    run = moved(broken, url, tmp_path, "LEDGER=ledger.json")
    assert run.code == 5, run.out
    assert 'check constraint "low" of relation "t" is violated by some row' in run.out
    assert "2 row(s) break this check: mend them at the source or here, and run that SQL" in run.out
    assert "1 row(s) break this check" in run.out
    assert scalar(url, "SELECT count(*) FROM t") == 3
    assert [f'"rows": {number}' in (tmp_path / "ledger.json").read_text() for number in (1, 2)] == [True, True]


def test_rows_of_tables_that_stay_as_they_are_are_not_counted(
    postgresql: Callable[[], str], mysql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, url = postgresql(), mysql()
    counted: list[str] = []
    for name in ("there", "new"):
        execute(
            source,
            f"CREATE TABLE {name} (id int PRIMARY KEY, v int)",
            f"INSERT INTO {name} VALUES (1, 50)",
            f"ALTER TABLE {name} ADD CONSTRAINT low_{name} CHECK (v < 10) NOT VALID",
        )
    execute(url, "CREATE TABLE there (id int PRIMARY KEY, v int)")
    count = broken_checks._count

    def noted(opened: Origin, read: Read, check: Check) -> int | None:
        counted.append(read.table.name)
        return count(opened, read, check)

    monkeypatch.setattr(broken_checks, "_count", noted)
    run = moved(source, url, tmp_path)
    assert run.code == 5, "ORA-39151"
    assert counted == ["new"]
    (told,) = run.losses
    what = "it would hold for them too" if is_mariadb(url) else "is off: it held for new rows, and would for all"
    assert f"{what} (1 row) [check]" in told


def test_values_that_a_domain_has_not_validated_come_over(postgresql: Callable[[], str], tmp_path: Path) -> None:
    """As in PostgreSQL itself: its check is made when the values are there, and refuses new ones only."""
    source, url = postgresql(), postgresql()
    execute(
        source,
        "CREATE DOMAIN small AS int CONSTRAINT least CHECK (VALUE > 0)",
        "CREATE TABLE d (id int PRIMARY KEY, s small)",
        "INSERT INTO d VALUES (1, 500), (2, 1)",
        "ALTER DOMAIN small ADD CONSTRAINT few CHECK (VALUE < 10) NOT VALID",
    )
    run = done(moved(source, url, tmp_path))
    assert run.losses == []
    assert rows(url, "SELECT id, s FROM d ORDER BY id") == [(1, 500), (2, 1)]
    checks = (
        "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid <> 0 ORDER BY conname"
    )
    assert rows(url, checks) == rows(source, checks)
    again = moved(source, url, tmp_path, "TABLE_EXISTS_ACTION=REPLACE")
    assert again.code == 5, again.out
    assert [line for line in again.out.splitlines() if line.startswith("ORA-39083")] == []
    assert rows(url, checks) == rows(source, checks)
