"""Tables whose rows are counted: what tells whether a job has lost, doubled or changed any."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from tests.support.sql import execute


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
    """What tells whether rows are missing, doubled or changed: read by SQLAlchemy alone."""
    big = "SELECT count(*), count(DISTINCT id), sum(id), min(id), max(id), sum(length(label)), sum(amount) FROM big"
    loose = "SELECT count(*), sum(a), count(DISTINCT b), sum(length(b)) FROM loose"
    sample = "SELECT id, label, amount FROM big WHERE id % 99991 = 7 ORDER BY id"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = [row for query in (big, loose, sample) for row in connection.execute(sa.text(query)).all()]
        found.append(connection.execute(sa.text("SELECT count(*) FROM hollow")).one())
    return [tuple(float(value) if isinstance(value, int | float) or hasattr(value, "as_tuple") else value for value in row)
            for row in found]  # fmt: skip
