"""SQL divided into words, as each database divides it."""

from __future__ import annotations

import pytest
from sqlglot.errors import SqlglotError

from migrator.expressions.words import divided


@pytest.mark.parametrize(
    ("read", "literal"),
    [
        ("mysql", r"'it\'s a'"),
        ("mysql", r"'\\'"),
        ("mysql", '"a"'),
        ("mysql", "'it''s a'"),
        ("mysql", "x'0a'"),
        ("postgres", r"E'it\'s a'"),
        ("postgres", r"'\'"),
        ("postgres", "$$it's a$$"),
        ("postgres", "$q$ $$ a $q$"),
        ("postgres", "1.5e3"),
        ("sqlite", r"'\'"),
        ("sqlite", "'it''s a'"),
        ("oracle", "q'[it's a]'"),
    ],
)
def test_a_literal_is_one_word(read: str, literal: str) -> None:
    assert [(word.written, word.kind) for word in divided(f"a={literal} -- 'a", read)] == [
        ("a", "name"),
        ("=", "other"),
        (literal, "literal"),
    ]


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        ("mysql", "`a``b`", "a`b"),
        ("postgres", '"a ""b"', 'a "b'),
        ("sqlite", "[a b]", "a b"),
        ("sqlite", "`a b`", "a b"),
        ("sqlite", '"a b"', "a b"),
        ("postgres", "ä$1", "ä$1"),
    ],
)
def test_a_name_is_one_word(read: str, written: str, value: str) -> None:
    (_, word, _) = divided(f"({written})", read)
    assert (word.written, word.value, word.kind) == (written, value, "name")
    assert word.is_quoted == (written != value)
    assert (word.start, word.end) == (1, 1 + len(written))


@pytest.mark.parametrize(
    ("read", "sql"),
    [("mysql", "replace(a, 'b', 'c')"), ("sqlite", "REPLACE(a, 'b', 'c')"), ("postgres", "show(a, 'b', 'c')")],
)
def test_a_function_is_no_command(read: str, sql: str) -> None:
    assert "".join(word.written for word in divided(sql, read)) == sql.replace(" ", "")


def test_a_keyword_is_no_name_but_between_quotes() -> None:
    assert [word.kind for word in divided('null "null"', "postgres")] == ["other", "name"]


def test_a_text_without_its_end_cannot_be_divided() -> None:
    with pytest.raises(SqlglotError):
        divided("a || 'b", "postgres")
