"""Databases that others wrote, moved between engines: all rows equal by value, what differs is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.support.pump import pump, remap, schema_of
from tests.support.rows import assert_same_rows, tables_of


def test_sakila_from_mariadb_to_postgresql(
    sakila: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sakila(), postgresql()
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    failed = re.findall(r"^ORA-39083: Object type (.*) failed", run.out, re.MULTILINE)
    views = ("actor_info", "customer_list", "sales_by_store")  # PostgreSQL groups and orders more strictly than MySQL
    assert failed == [f'VIEW:"public"."{name}"' for name in views]
    assert run.code == 5
    assert run.out.count("ORA-") == len(views), run.out
    assert sum(run.rows.values()) == 47273
    assert_same_rows(source, target, source_schema=schema_of(source))
    losses = "\n".join(run.losses)
    for words in ("fulltext", "film_in_stock", "ins_film", "last_update"):
        assert words in losses.lower(), f"nothing about {words} in:\n{losses}"


def northwind_tables(url: str) -> list[str]:
    return [name for name in tables_of(url) if name != "sqlite_sequence"]


def test_northwind_to_postgresql_and_mariadb(
    sample: Callable[[str], str], postgresql: Callable[..., str], mysql: Callable[[], str], tmp_path: Path
) -> None:
    source = sample("northwind.sqlite")
    for target in (postgresql(), mysql()):
        run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
        assert run.code in {0, 5}, run.out + run.err
        assert "ORA-31693" not in run.out
        assert "Order Details" in tables_of(target, schema_of(target))
        assert_same_rows(source, target, northwind_tables(source), target_schema=schema_of(target))


def test_datasette_fixtures_to_postgresql_and_mariadb(
    sample: Callable[[str], str], postgresql: Callable[..., str], mysql: Callable[[], str], tmp_path: Path
) -> None:
    source = sample("datasette-fixtures.sqlite")
    for target in (postgresql(), mysql()):
        run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
        assert run.code in {0, 5}, run.out + run.err
        moved = sorted(run.rows)
        assert {"select", "table/with/slashes.csv", "123_starts_with_digits"} <= set(moved)
        assert_same_rows(source, target, moved, target_schema=schema_of(target))
        left = {name for name in tables_of(source) if name not in moved}
        if target.startswith("mysql"):  # which has no infinity
            left.remove("infinity")
            assert "ORA-31693: Table data object" in run.out
            assert run.out.count("ORA-31693") == 1
        assert left
        assert all(name.startswith("searchable_fts") for name in left), f"not moved: {left}"
        assert [loss for loss in run.losses if loss.startswith('TABLE:"main"."searchable_fts": not carried')]
