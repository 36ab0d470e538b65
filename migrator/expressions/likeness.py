"""Whether two expressions say the same by their words, each as its own database reads them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from migrator.expressions import Language, Untranslatable, parse_value

from .words import Word


def alike(one: str, read: Language, other: str, other_read: Language) -> bool:
    """Whether ``one``, of language ``read``, and ``other`` have the same words, and these say the same to both databases.

    Blanks, comments, the quotes of names and parentheses around the whole do not count. A literal must be written alike
    and mean the same text. What cannot be read is like nothing.
    """
    try:
        if _said(read.words(one)) != _said(other_read.words(other)):
            return False
        return read == other_read or _tree(one, read) == _tree(other, other_read)
    except Untranslatable:
        return False


def _said(words: Sequence[Word]) -> list[tuple[str, ...]]:
    """What words say, without the parentheses around all of them."""
    while words and words[0].written == "(" and _closed_at(words) == len(words) - 1:
        words = words[1:-1]
    return [(word.kind, word.value, "" if word.kind == "name" else word.written) for word in words]


def _closed_at(words: Sequence[Word]) -> int | None:
    """The place of the word that closes the first parenthesis."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word.written == "(") - (word.written == ")")
        if not depth:
            return place
    return None


def _tree(sql: str, language: Language) -> exp.Expr:
    """An expression as it is read: ``a || b`` is one text to a database, and a truth value to another."""
    tree = parse_value(sql, language)
    for name in tree.find_all(exp.Identifier):
        name.set("quoted", False)
    return tree.unnest()
