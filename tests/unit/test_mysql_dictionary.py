"""What MySQL's information schema says, without a server: its rows as it has them, read into the model."""

from __future__ import annotations

from typing import Any

import pytest

from dialects.mysql.dictionary import Reader, parsed_flavor
from migrator.adapter import load_adapter
from migrator.model.catalog import Catalog
from migrator.model.objects import Table

TABLE = {
    **dict.fromkeys(("table_rows", "data_length", "auto_increment", "create_options", "table_comment", "transactions")),
    "table_schema": "hr",
    "table_name": "log",
    "table_type": "BASE TABLE",
    "engine": "InnoDB",
    "table_collation": "utf8mb4_0900_ai_ci",
}
KEY = {
    **dict.fromkeys(("sub_part", "index_comment", "expression"), None),
    "non_unique": 0,
    "index_name": "PRIMARY",
    "seq_in_index": 1,
    "index_type": "BTREE",
    "collation": "A",
    "hidden": 0,
}


def column(name: str, declared: str, extra: str = "") -> dict[str, Any]:
    blank = dict.fromkeys(("column_default", "generation_expression", "collation_name", "column_comment"))
    word = declared.partition(" ")[0]
    return {**blank, "column_name": name, "column_type": declared, "data_type": word, "is_nullable": "NO", "extra": extra}


def read(key: str, extra: str) -> tuple[Table, list[tuple[str, str | None]]]:
    """A table with a primary key of one column, and the entries about it, by rule and column."""
    reader = Reader(None, ["hr"], parsed_flavor("8.0.36"))  # type: ignore[arg-type]
    columns = [column(key, "bigint unsigned", extra), column("line", "int")]
    made = reader.table(TABLE, columns, [{**KEY, "column_name": key}], [], [], [])
    return made, [(loss.rule, loss.column) for loss in reader.losses]


def test_a_key_that_the_server_has_made_by_itself_is_named() -> None:
    made, told = read("my_row_id", "auto_increment INVISIBLE")
    assert made.column("my_row_id").invisible
    assert told == [("generated-key", "my_row_id")]
    for target in ("postgresql", "sqlite", "oracle"):
        ddl = load_adapter(target).ddl(Catalog("mysql", "8.0.36", (made,)))
        assert ("invisible", "my_row_id") in [(loss.rule, loss.column) for loss in ddl.create_table(made).losses]


@pytest.mark.parametrize(
    ("key", "extra"),
    [("my_row_id", "auto_increment"), ("id", "auto_increment INVISIBLE"), ("my_row_id", "INVISIBLE")],
)
def test_a_key_that_somebody_has_made_is_not(key: str, extra: str) -> None:
    assert read(key, extra)[1] == []
