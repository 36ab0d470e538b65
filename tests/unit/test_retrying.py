"""Rows of a reject file, loaded again into SQLite: each as it was written, whatever the others of its batch are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator import rejects
from migrator.ends import Database
from migrator.model import types as t
from migrator.model.objects import Column, QName
from migrator.operations.retrying import retry

COLUMNS = (Column("id", t.Integer(64)), Column("up", t.Integer(64)), Column("at", t.Timestamp()), Column("s", t.String()))
NOON = "2020-01-01 12:00:00.000000"
Values = Mapping[str, object]


def row(id_: int, up: int | None = None, at: str = NOON, s: object = "text") -> Values:
    return {"id": str(id_), "up": None if up is None else str(up), "at": at, "s": s}


def retried(directory: Path, ddl: str, there: str, rows: Sequence[Values]) -> tuple[set[int], list[Values]]:
    """Load the rows of a new reject file into a new table; which are in the table then, and what the next file has."""
    path, file = directory / "t.rejects", directory / "t.db"
    lines = [{"table": "main.t", "key": {}, "values": values, "reason": "once"} for values in rows]
    section = rejects.Section("t.rejects.1.aaaaaaaaaaaa", QName("main", "t"), COLUMNS, ("id",)).line()
    path.write_text("".join(f"{json.dumps(line)}\n" for line in [section, *lines]))
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql(ddl)
        connection.exec_driver_sql(there)
    code = retry(path, Database(sa.make_url(f"sqlite:///{file}")), print)
    with engine.connect() as connection:
        found = set(connection.exec_driver_sql("SELECT id FROM t").scalars())
    left = path.with_name("t_2.rejects")
    assert code == (5 if left.exists() else 0)
    values = [json.loads(line) for line in left.read_text().splitlines()] if left.exists() else []
    return found, [line["values"] for line in values if "values" in line]


@pytest.mark.parametrize("key", ["", " REFERENCES t (id)"])
@pytest.mark.parametrize(
    "odd",
    [row(10, at="infinity"), row(10, at="0044-03-15 00:00:00 BC"), row(10, s={"hex": "ff"})],
    ids=["infinite", "BC", "bytes"],
)
def test_one_odd_value_changes_no_other_row(tmp_path: Path, key: str, odd: Values) -> None:
    """It has its column travel as text, or as bytes, in the first batch; in each batch a row is refused."""
    end = 9 + rejects.BATCH_ROWS
    first = [odd, row(1), *(row(number, up=number + 1) for number in range(11, end))]
    second = [row(end, up=10), row(2, s="é"), row(5000, up=5001 if key else None)]
    ddl = f"CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER{key}, at TIMESTAMP, s)"
    found, left = retried(tmp_path, ddl, "INSERT INTO t (id) VALUES (1), (2)", [*first, *second])
    ids = {int(str(values["id"])) for values in [*first, *second]}
    missing = {5000} if key else set()
    assert found == ids - missing
    assert {str(values["id"]): values for values in left}["2"] == row(2, s="é")
    assert len(left) == 2 + len(missing)
