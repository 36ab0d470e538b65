"""The triggers that do ON UPDATE CURRENT_TIMESTAMP are known again, and no others."""

from __future__ import annotations

import re

import pytest

from dialects.postgresql import ADAPTER as POSTGRESQL
from dialects.postgresql import on_update as of_postgresql
from dialects.sqlite import ADAPTER as SQLITE
from dialects.sqlite import on_update as of_sqlite
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Now, Table

NAMES = ("t", 'a "b" c', "Straße", "IS OLD.", "END; --", "new\nline")


def table(name: str, digits: int, *, zoned: bool) -> Table:
    columns = (Column(f"{name}{n}", t.Timestamp(digits, zoned=zoned), on_update=Now(precision=digits)) for n in range(2))
    return Table("main", name, (Column("id", t.Integer()), *columns))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("zoned", [False, True])
@pytest.mark.parametrize("digits", range(7))
def test_what_is_made_is_known_again(name: str, digits: int, zoned: bool) -> None:
    made = table(name, digits, zoned=zoned)
    (trigger,) = SQLITE.ddl(Catalog("mysql", "", (made,))).on_update(made).statements
    assert of_sqlite.is_own(name, trigger)
    assert not of_sqlite.is_own(f"{name}x", trigger)
    function, _ = POSTGRESQL.ddl(Catalog("mysql", "", (made,))).on_update(made).statements
    body = re.search(r"LANGUAGE plpgsql AS '(.*)'\Z", function, re.DOTALL)
    assert body is not None
    assert of_postgresql.is_body(body[1].replace("''", "'"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RETURN NEW;", "NEW.v := 1;\n    RETURN NEW;"),
        ("THEN NEW.t0 := ", "THEN NEW.id := "),
        ("statement_timestamp()", "clock_timestamp()"),
        ("statement_timestamp()", "statement_timestamp(); DELETE FROM t; NEW.t0 := pg_catalog.statement_timestamp()"),
    ],
)
def test_a_function_that_does_something_else_is_not_ours(before: str, after: str) -> None:
    body = of_postgresql.body(table("t", 6, zoned=True).columns[1:])
    assert before in body
    assert not of_postgresql.is_body(body.replace(before, after, 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (";\nEND", ";\n    DELETE FROM t;\nEND"),
        ("CURRENT_TIMESTAMP", "(SELECT max(id) FROM t)"),
        ("AFTER UPDATE", "BEFORE UPDATE"),
        ("= NEW.rowid", "> NEW.rowid"),
    ],
)
def test_a_trigger_that_does_something_else_is_not_ours(before: str, after: str) -> None:
    text = of_sqlite.trigger("t", ["id", "seen"], {"seen": "CURRENT_TIMESTAMP"}, "rowid")
    assert of_sqlite.is_own("t", text)
    assert before in text
    assert not of_sqlite.is_own("t", text.replace(before, after, 1))
