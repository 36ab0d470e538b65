"""Databases that others wrote, moved between engines: all rows equal by value, what differs is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.support.pump import pump, remap, schema_of
from tests.support.rows import assert_same_rows, tables_of

SAKILA_VIEWS_LEFT_OUT = {
    "actor_info",  # lists texts in an order that ignores case
    "film_list",  # groups by a text whose case is ignored
    "nicer_but_slower_film_list",  # the same, and changes the case of texts
    "sales_by_film_category",  # groups by a text whose case is ignored
    "sales_by_store",  # shows one of several values of a group
}


def test_sakila_from_mariadb_to_postgresql(
    sakila: Callable[[], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sakila(), postgresql()
    run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), f"DIRECTORY={tmp_path}")
    assert "ORA-" not in run.out
    assert run.code == 0
    left_out = set(re.findall(r'^VIEW:"public"."(.*)": not carried', "\n".join(run.losses), re.MULTILINE))
    assert left_out == SAKILA_VIEWS_LEFT_OUT
    assert sum(run.rows.values()) == 47273
    assert_same_rows(source, target, source_schema=schema_of(source), kinds={"address.location": "hex"})
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
        assert [loss for loss in run.losses if loss.startswith(f'TABLE:"{schema_of(target)}"."searchable_fts": not carried')]
