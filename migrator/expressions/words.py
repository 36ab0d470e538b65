"""SQL divided into words as its own database divides it: where a literal, a name or a comment of it ends.

sqlglot knows that of each dialect. It reads what follows a statement's first word as one text where that word is a command
to it; in an expression it is a function or a name, so all words are read as those behind a parenthesis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import Token, TokenType

Kind = Literal["name", "literal", "other"]
"""What a word is: a name, with quotes or without; a constant; a keyword or a sign."""


@dataclass(frozen=True)
class Word:
    """One word of a text: where it starts, how it is ``written``, and its ``value``: without its quotes and escapes."""

    start: int
    written: str
    value: str
    kind: Kind

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.written)

    @property
    def is_quoted(self) -> bool:
        """Whether it is a name between quotes."""
        return self.kind == "name" and self.written != self.value


_LITERALS = frozenset(
    {
        *(TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.BYTE_STRING, TokenType.UNICODE_STRING),
        *(TokenType.RAW_STRING, TokenType.NATIONAL_RAW_STRING, TokenType.HEREDOC_STRING),
        *(TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.NUMBER),
    }
)
_NAMES = frozenset({TokenType.IDENTIFIER, TokenType.VAR})
_BEHIND = "("
"""What the words are read behind."""


def divided(sql: str, read: str) -> tuple[Word, ...]:
    """The words of ``sql`` in sqlglot's dialect ``read``; comments are none.

    :raises sqlglot.errors.SqlglotError: it cannot be divided.
    """
    return tuple(_word(sql, token) for token in sqlglot.tokenize(_BEHIND + sql, read=read)[1:])


def _word(sql: str, token: Token) -> Word:
    start = token.start - len(_BEHIND)
    return Word(start, sql[start : token.end + 1 - len(_BEHIND)], token.text, _kind(token))


def _kind(token: Token) -> Kind:
    if token.token_type in _NAMES:
        return "name"
    return "literal" if token.token_type in _LITERALS else "other"
