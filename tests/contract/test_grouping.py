"""Parentheses that say what operators belong to change no value: asked of the real servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import load_adapter
from migrator.expressions.grouping import grouped

CONSTANTS = {
    "postgresql": (
        "~5 & 3",
        "@ -5 | 8",
        "@ -5 - 8",
        "2 + ~1 & 3",
        "~1 + 2",
        "~ ~5 # 3",
        "6 & ~5 | 1",
        "-2 ^ 2",
        "'a' || 1 + 2 IS NULL",
        "1 = 2 IS NULL",
        "NOT 1 = 2 IS NULL",
    ),
    "mysql": (
        "~5 & 3",
        "!1 + 1",
        "-2 ^ 2",
        "3 > 2 > 1",
        "1 = 0 in (0, 1)",
        "1 | 2 & 4 << 1 + 1 ^ -3",
        "5 between 1 and 9 = 1",
        "not 1 = 2 > 0",
        "-7 div 2 mod 2",
    ),
    "sqlite": (
        "~5 & 3",
        "1 = 2 > 0",
        "-1 || 2",
        "1 + 2 || 3",
        "1 = 0 IN (0, 1)",
        "1 < 2 IS NOT NULL = 1",
        "6 & 3 | 1 << 2",
        "1 = NOT 2 = 3",
    ),
}
"""Expressions without parentheses whose value says what the server takes their operators for."""


@pytest.mark.parametrize("database", CONSTANTS)
def test_parentheses_change_no_value(database: str, lasting: Callable[[str], str]) -> None:
    language = load_adapter(database).language
    assert language.precedence is not None
    with sa.create_engine(lasting(database), poolclass=NullPool).connect() as connection:
        cursor = connection.connection.cursor()

        def values(expressions: Sequence[str]) -> dict[str, object]:
            cursor.execute(f"SELECT {', '.join(expressions)}")
            return dict(zip(CONSTANTS[database], cursor.fetchone(), strict=True))

        taken = values(CONSTANTS[database])
        said = values([grouped(sql, language.sqlglot, language.precedence) for sql in CONSTANTS[database]])
    assert said == taken
