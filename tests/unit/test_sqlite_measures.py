"""How SQLite answers what a profile asks, whatever the column is called."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from dialects.sqlite.measures import aggregate
from migrator.model import types as t
from migrator.model.measures import JSON_DEPTH, Ask, Measure
from migrator.model.objects import Column

NAMES = ("key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root", "d", "document", "j", "c")
"""Those of json_tree's columns, those of the query itself, and another one."""


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (nested(JSON_DEPTH), 0),
        (nested(JSON_DEPTH + 1), 1),
        (json.dumps([nested(JSON_DEPTH + 1)]), 0),
        (json.dumps(nested(JSON_DEPTH + 1)), 0),
        (nested(JSON_DEPTH)[:-1], 1),
    ],
)
def test_documents_that_are_too_deep_are_told_from_others(name: str, text: str, wrong: int) -> None:
    asked = aggregate(Ask(Column(name, t.Json()), Measure.NOT_JSON))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f'CREATE TABLE t ("{name}" text)')
        connection.execute("INSERT INTO t VALUES (?)", (text,))
        assert connection.execute(f"SELECT {asked} FROM t").fetchone() == (wrong,)
