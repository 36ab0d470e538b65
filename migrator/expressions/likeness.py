"""Whether two expressions of one database say the same by their words."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.expressions import Language, Untranslatable

from .words import Word


def alike(one: str, other: str, language: Language) -> bool:
    """Whether two texts of a language have the same words.

    Blanks, comments, the quotes of names, the case of what has none and parentheses around the whole do not count. A
    literal must be written alike. What cannot be divided is like nothing.
    """
    try:
        return _said(language.words(one), language) == _said(language.words(other), language)
    except Untranslatable:
        return False


def _said(words: Sequence[Word], language: Language) -> list[tuple[str, str]]:
    """What words say, without the parentheses around all of them."""
    while words and words[0].written == "(" and _closed_at(words) == len(words) - 1:
        words = words[1:-1]
    return [_word_said(word, language) for word in words]


def _word_said(word: Word, language: Language) -> tuple[str, str]:
    if word.kind == "literal":
        return word.kind, word.written
    exact = word.is_quoted and not language.ignores_case
    return word.kind, word.value if exact else word.value.lower()


def _closed_at(words: Sequence[Word]) -> int | None:
    """The place of the word that closes the first parenthesis."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word.written == "(") - (word.written == ")")
        if not depth:
            return place
    return None
