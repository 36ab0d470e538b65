"""Rows whose foreign key refers to nothing: how a server looks for what they refer to, whatever it takes for equal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import execute_verbatim, load_adapter
from migrator.model.objects import ForeignKey, QName
from migrator.orphans import count_dangling
from tests.support.sql import execute

KEY = ForeignKey("k", ("a",), QName("s", "p"), ("a",))
TEXTS = {"sqlite": "TEXT COLLATE NOCASE", "mysql": "VARCHAR(20) COLLATE utf8mb4_general_ci", "postgresql": "text"}
"""How the columns of a key are declared."""
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "mysql": "EXPLAIN FORMAT=TRADITIONAL", "postgresql": "EXPLAIN"}
ROWS = 300


@pytest.mark.parametrize("exact", [(), ("a",)], ids=["as the columns compare", "every character counts"])
@pytest.mark.parametrize("kind", TEXTS)
def test_what_rows_refer_to_is_looked_up(kind: str, exact: tuple[str, ...], lasting: Callable[[str], str]) -> None:
    """By an index, or by a table of hashes or in order: no row has all that it may refer to gone over."""
    url, asked = lasting(kind), list[str]()
    execute(
        url,
        "DROP TABLE IF EXISTS c",
        "DROP TABLE IF EXISTS p",
        f"CREATE TABLE p (a {TEXTS[kind]} NOT NULL, PRIMARY KEY (a))",
        f"CREATE TABLE c (id INTEGER PRIMARY KEY, a {TEXTS[kind]}, FOREIGN KEY (a) REFERENCES p (a))",
        "INSERT INTO p VALUES " + ", ".join(f"('Key {number}')" for number in range(ROWS)),
        "INSERT INTO c VALUES " + ", ".join(f"({number}, 'Key {number}')" for number in range(ROWS)),
    )
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *event: asked.append(event[2]))
        assert count_dangling(connection, load_adapter(kind), "c", "p", KEY, exact) == 0
        (query,) = asked
        plan = [dict(step) for step in execute_verbatim(connection, f"{EXPLAIN[kind]} {query}").mappings()]
    match kind:
        case "sqlite":
            assert [step["detail"] for step in plan if step["detail"].startswith("SCAN")] == ["SCAN c"]
            assert any(step["detail"].startswith("SEARCH p USING") for step in plan), plan
        case "mysql":
            (found,) = (step for step in plan if step["table"] == "p")
            assert found["type"] == "eq_ref" or found["select_type"] == "MATERIALIZED", plan
        case _:
            steps = " ".join(step["QUERY PLAN"] for step in plan)
            assert "Hash Anti Join" in steps or "Merge Anti Join" in steps, steps
