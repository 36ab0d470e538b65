"""Tables whose rows are counted: what tells whether a job has lost, doubled or changed any."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa

from tests.support.sql import execute

_ROWS = {
    "big": ("id", "label", "amount * 100"),
    "loose": ("a", "b"),
    "hollow": ("a",),
}
"""Each table's values; numbers are whole, since databases write others in different ways."""
_WHOLE = {"sqlite": "CAST({} AS INTEGER)", "postgresql": "CAST({} AS bigint)", "mysql": "CAST({} AS SIGNED)"}
_TEXT = {"sqlite": "text", "postgresql": "text", "mysql": "char"}
_HASH = {
    "sqlite": "hash_number({})",
    "postgresql": "CAST(CAST('x' || substr(encode(sha256(convert_to({}, 'UTF8')), 'hex'), 1, 8) AS bit(32)) AS bigint)",
    "mysql": "CAST(CONV(SUBSTR(SHA2({}, 256), 1, 8), 16, 10) AS UNSIGNED)",
}


def hoard(path: Path, rows: int) -> str:
    """The URL of a new SQLite file with a table of so many rows, one without a key, and an empty one."""
    url = f"sqlite:///{path}"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    execute(url, "CREATE TABLE big (id INTEGER PRIMARY KEY, label VARCHAR(60) NOT NULL, amount DECIMAL(12,2))")
    execute(url, f"INSERT INTO big {numbers} SELECT i, 'row ' || i || ' ' || hex(i * 7919), i & 1023 FROM n")
    execute(url, "CREATE TABLE loose (a INTEGER, b VARCHAR(60))", "CREATE TABLE hollow (a INTEGER)")
    execute(url, f"INSERT INTO loose SELECT id & 1023, label FROM big WHERE id <= {rows // 10}")
    execute(url, "CREATE INDEX big_label ON big (label)")
    return url


def contents(url: str) -> list[tuple[object, ...]]:
    """What tells whether rows are missing, doubled or changed: each table's count, the sum of hashes of all values of all
    its rows, and its keys and indexes. Databases of all kinds give the same; nothing of it comes from the product."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        kind = engine.dialect.name.replace("mariadb", "mysql")
        if kind == "sqlite":
            _add_hash(connection)
        return [(name, *_checksum(connection, kind, name), *_keys(connection, name)) for name in _ROWS]


def _checksum(connection: sa.Connection, kind: str, table: str) -> tuple[int, int]:
    values = [value if value in {"label", "b"} else _WHOLE[kind].format(value) for value in _ROWS[table]]
    texts = [f"coalesce(CAST({value} AS {_TEXT[kind]}), 'null')" for value in values]
    row = f"concat_ws('|', {', '.join(texts)})" if kind != "sqlite" else " || '|' || ".join(texts)
    count, total = connection.exec_driver_sql(f"SELECT count(*), sum({_HASH[kind].format(row)}) FROM {table}").one()
    return int(count), int(total or 0)


def _keys(connection: sa.Connection, table: str) -> tuple[object, ...]:
    inspector = sa.inspect(connection)
    key = tuple(inspector.get_pk_constraint(table)["constrained_columns"])
    indexes = sorted((tuple(index["column_names"]), bool(index["unique"])) for index in inspector.get_indexes(table))
    return key, tuple(indexes)


def _add_hash(connection: sa.Connection) -> None:
    """SQLite has no hash of its own."""

    def number(text: str) -> int:
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    driver = connection.connection.driver_connection
    assert driver is not None
    driver.create_function("hash_number", 1, number, deterministic=True)
