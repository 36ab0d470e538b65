"""The Oracle scripts of databases that others designed: every statement passes the grammar, what is left out is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.ddl import Script
from migrator.model.catalog import Catalog
from migrator.model.objects import Table, View
from tests.support import plsql
from tests.support.catalogs import catalog_of
from tests.support.pump import done, pump
from tests.support.sql import is_mariadb


def left_out(script: Script) -> set[str]:
    """The losses that leave something out, without the schema's name, which differs from run to run."""
    said = (loss for loss in script.losses if "left out" in loss.detail and loss.rule != "view")
    lines = (f"{loss.object.split('.', 1)[-1]} {loss.detail}" for loss in said)
    return {re.sub(r"\s+", " ", line) for line in lines}


def not_carried(script: Script, kind: str) -> set[str]:
    """The names of the objects of a kind that the script does not make."""
    return {loss.object.split('"')[3] for loss in script.losses if loss.rule == kind and "not carried" in loss.detail}


def checked(catalog: Catalog) -> Script:
    """The script, which makes every table and every view that is not a loss, and passes the gate."""
    script = plsql.script(catalog)
    assert {sql: found for sql in script.statements if (found := plsql.errors(sql))} == {}
    tables = [sql for sql in script.statements if sql.startswith("CREATE TABLE ")]
    assert len(tables) == len(list(catalog.of(Table)))
    views = [sql for sql in script.statements if re.match("CREATE (MATERIALIZED )?VIEW ", sql)]
    assert len(views) + len(not_carried(script, "view")) == len(list(catalog.of(View)))
    return script


@pytest.mark.parametrize(
    "name", ["chinook", "datasette-fixtures", "oddities-collision", "oddities-storage", "oddities-test_pk"]
)
def test_a_sqlite_database_loses_no_object(sample: Callable[[str], str], name: str) -> None:
    script = checked(catalog_of(sample(f"{name}.sqlite")))
    assert left_out(script) == set()
    assert not_carried(script, "view") == ({"simple_view"} if name == "datasette-fixtures" else set())  # UPPER()


def test_a_sqlfile_parses_as_a_whole(sample: Callable[[str], str], tmp_path: Path) -> None:
    link = f"NETWORK_LINK={sample('chinook.sqlite')}"
    done(pump("impdp", "oracle:", link, "SQLFILE=ora.sql", f"DIRECTORY={tmp_path}", "REMAP_SCHEMA=main:music"))
    script = (tmp_path / "ora.sql").read_text("utf-8")
    assert plsql.errors(script) == ()
    assert script.count("CREATE TABLE music.") == 11


def test_northwind(sample: Callable[[str], str]) -> None:
    script = checked(catalog_of(sample("northwind.sqlite")))
    assert left_out(script) == set()
    assert not_carried(script, "view") == {
        *("Alphabetical list of products", "Current Product List", "Products by Category"),  # compare a CLOB
        *("Customer and Suppliers by City",),  # sorts by a CLOB
        *("Product Sales for 1997", "Quarterly Orders", "Sales Totals by Amount", "Sales by Category"),  # DATETIME()
        *("Category Sales for 1997",),  # reads one of those
        *("Invoices",),  # adds up texts
    }


def test_sqlites_oddities(sample: Callable[[str], str]) -> None:
    script = checked(catalog_of(sample("oddities-sqlite.sqlite")))
    assert left_out(script) == {"\"def\" default '' is left out: '' is NULL in Oracle"}


def test_pagila(pagila: Callable[..., str]) -> None:
    script = checked(catalog_of(pagila()))
    left = left_out(script)
    doubled = {line for line in left if line.endswith("these columns are indexed already")}
    partial = {line for line in left if re.search(r"it is on the partition payment_p2022_0\d only$", line)}
    assert all(line.startswith('"payment" ') for line in doubled | partial)  # what each partition had, on one table
    gist = '"film" index film_fulltext_idx is left out: Oracle has no ordinary index of the kind gist'
    assert left - doubled - partial == {gist}
    assert not_carried(script, "view") == {
        *("actor_info", "film_list", "nicer_but_slower_film_list"),  # an aggregate of their own
        *("customer_list",),  # ''
        *("rental_by_category", "sales_by_film_category", "sales_by_store"),  # group or sort by a CLOB
    }


def test_sakila(sakila: Callable[[], str]) -> None:
    url = sakila()
    script, none = checked(catalog_of(url)), "is left out: Oracle has no ordinary index of the kind"
    places = set() if is_mariadb(url) else {f'"address" index idx_location {none} spatial'}  # where it is for MySQL alone
    assert left_out(script) == {f'"film_text" index idx_title_description {none} fulltext'} | places
    assert not_carried(script, "view") == {
        *("actor_info", "film_list", "nicer_but_slower_film_list"),  # GROUP_CONCAT
        *("customer_list",),  # ''
        *("sales_by_store",),  # shows what it does not group by
        *("sales_by_film_category",),  # groups by a text whatever its case is
    }


def test_mysqls_oddities(oddities_mysql: Callable[[], str]) -> None:
    url = oddities_mysql()
    script, no_date = checked(catalog_of(url)), "is no date of Oracle's calendar"
    empty = set() if is_mariadb(url) else {"\"funny_string\" default '' is left out: '' is NULL in Oracle"}
    assert left_out(script) == empty | {
        f"\"zero_dates_notnull\" default '0000-00-00 00:00:00' is left out: '0000-00-00 00:00:00' {no_date}",
        f"\"events\" default '0000-00-00 00:00:00' is left out: '0000-00-00 00:00:00' {no_date}",
        f"\"races\" default '0000-00-00' is left out: '0000-00-00' {no_date}",
        "\"races\" default '' is left out: '' is NULL in Oracle",
        '"fcm_batches" index search is left out: Oracle has no ordinary index of the kind fulltext',
    }
