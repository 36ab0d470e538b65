"""SQL in which parentheses say what its operators belong to, as its own database takes them.

sqlglot ranks operators in one way for most databases, and these rank them otherwise: ``a = b > c`` is ``(a = b) > c`` to
MySQL and ``a = (b > c)`` to SQLite. So before a text is parsed, each operation that is an operand of another one gets
parentheses, but for those that all databases and sqlglot take alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from .words import Word, divided

Level = tuple[str, str]
"""Operators between two operands, and those before one, that bind equally; blanks between them."""


@dataclass(frozen=True)
class Precedence:
    """How tightly a database's operators bind: its levels, the loosest first. Operators of a level associate to the left:
    one before an operand takes no other of its own level with it.

    ``right``: an operator that associates to the right. ``others``: the operator whose level is that of all operators of
    signs which are not listed; empty: there are none.
    """

    levels: tuple[Level, ...]
    right: str = ""
    others: str = ""

    @cached_property
    def infix(self) -> dict[str, int]:
        """The levels of operators between two operands."""
        return {operator: number for number, (infix, _) in enumerate(self.levels) for operator in infix.split()}

    @cached_property
    def prefix(self) -> dict[str, int]:
        """The levels of operators before an operand."""
        return {operator: number for number, (_, prefix) in enumerate(self.levels) for operator in prefix.split()}


def grouped(sql: str, read: str, precedence: Precedence) -> str:
    """``sql`` of sqlglot's dialect ``read`` with its parentheses.

    :raises sqlglot.errors.SqlglotError: it cannot be divided into words.
    """
    grouping = _Grouping(sql, divided(sql, read), precedence)
    grouping.sequence(())
    return grouping.text()


_BEFORE = "before "
"""What the name of an operator before one operand begins with."""
_PATTERNS = frozenset({"LIKE", "ILIKE", "GLOB", "REGEXP", "RLIKE", "MATCH", "SIMILAR TO"})
_NEGATED = _PATTERNS | {"IN", "BETWEEN"}
"""Operators that NOT may stand before."""
_COMPARISONS = _NEGATED | {"=", "==", "<=>", "<>", "!=", "<", "<=", ">", ">=", "IS", "ISNULL", "NOTNULL"}
_TIERS: tuple[Collection[str], ...] = (
    {"OR"},
    {"AND"},
    {f"{_BEFORE}NOT"},
    _COMPARISONS,
    {"+", "-"},
    {"*", "/", "%"},
    {f"{_BEFORE}-", f"{_BEFORE}+"},
)
_CHAINS = frozenset({0, 1, 4, 5})
"""The tiers whose operators everybody groups from the left."""
_TIER = {operator: number for number, tier in enumerate(_TIERS) for operator in tier}
"""What all databases and sqlglot agree on: an operator of a later tier binds tighter than those of earlier ones."""

_CLAUSES = """SELECT DISTINCT FROM WHERE HAVING LIMIT OFFSET UNION EXCEPT INTERSECT JOIN INNER CROSS NATURAL OUTER ON USING
WITH RECURSIVE VALUES AS BY ASC DESC NULLS WINDOW WHEN THEN ELSE END ESCAPE SEPARATOR AND OR XOR"""
_SEPARATORS = frozenset(_CLAUSES.split()) | {"GROUP BY", "ORDER BY", "PARTITION BY", "UNION ALL", ")", "]", ",", ";"}
"""What ends an expression."""
_TYPES = frozenset({"DATE", "TIME", "TIMESTAMP", "DATETIME"})
"""Words that make a text a constant of another type; one that begins with ``_`` is the name of its character set."""
_OF_TYPES = frozenset({"VARYING", "PRECISION", "WITH", "WITHOUT", "TIME", "ZONE"})
"""Words that the name of a type goes on with."""
_QUOTES = "'\"`["
_CLOSERS = {"(": ")", "[": "]", "CASE": "END"}


def _agreed(inner: str, outer: str, *, first: bool) -> bool:
    """Whether everybody takes ``inner`` for an operand of ``outer``, the ``first`` one or another, without parentheses."""
    a, b = _TIER.get(inner), _TIER.get(outer)
    return a is not None and b is not None and (a > b or (a == b and first and a in _CHAINS))


@dataclass(frozen=True)
class _Span:
    """An operand: its first character, the one behind its last, and the operator it is made by, if it is."""

    start: int
    end: int
    operator: str = ""


class _Grouping:
    """Walks over the words of a text, and notes where parentheses go."""

    def __init__(self, sql: str, words: Sequence[Word], precedence: Precedence) -> None:
        self._sql, self._words, self._precedence = sql, words, precedence
        self._place = 0
        self._opened: list[int] = []
        self._closed: list[int] = []

    def text(self) -> str:
        """The text with the parentheses."""
        made, passed = [], 0
        for place, sign in sorted([(place, ")") for place in self._closed] + [(place, "(") for place in self._opened]):
            made += [self._sql[passed:place], sign]
            passed = place
        return "".join((*made, self._sql[passed:]))

    # --- words ------------------------------------------------------------------------------------------------------

    def _written(self, ahead: int = 0) -> str:
        """A word as it is written, the quotes of texts and names too; empty behind the end."""
        place = self._place + ahead
        return self._words[place].written if place < len(self._words) else ""

    def _word(self, ahead: int = 0) -> str:
        """A keyword, name or sign as it is compared."""
        return " ".join(self._written(ahead).upper().split())

    def _is_name(self, ahead: int = 0) -> bool:
        written = self._written(ahead)
        return written[:1].isalpha() or written[:1] in {"_", "`", '"'} or (written[:1] == "[" and len(written) > 1)

    def _end(self) -> int:
        """The place behind the last word that was passed."""
        return self._words[self._place - 1].end

    def _pass(self, *words: str) -> bool:
        """Pass these words, if they come next."""
        if all(self._word(ahead) == word for ahead, word in enumerate(words)):
            self._place += len(words)
            return True
        return False

    # --- expressions ------------------------------------------------------------------------------------------------

    def sequence(self, closers: Collection[str]) -> None:
        """Expressions, and what stands between them, up to one of ``closers`` or the end."""
        while self._word() and self._word() not in closers:
            before = self._place
            self._chain(0)
            if self._place == before:
                self._place += 1

    def _chain(self, level: int) -> _Span | None:
        """Operands with operators of ``level`` and above between them."""
        left = self._operand()
        while left is not None:
            operator, words = self._operator()
            if not words or self._level(operator) < level:
                break
            self._place += words
            self._enclose(left, operator, first=True)
            for operand in self._rest(operator):
                self._enclose(operand, operator, first=False)
            left = _Span(left.start, self._end(), operator)
        return left

    def _level(self, operator: str) -> int:
        levels = self._precedence.infix
        return levels[operator] if operator in levels else levels[self._precedence.others]

    def _operator(self) -> tuple[str, int]:
        """The operator that comes next, and how many words it has; none: no operator."""
        word = self._word()
        if word == "NOT":
            following = self._word(1)
            if following == "NULL":
                return "NOTNULL", 2
            return (following, 2) if following in _NEGATED and following in self._precedence.infix else ("", 0)
        for words in (3, 2, 1):
            sign = self._signs(words)
            if sign in self._precedence.infix:
                return sign, words
        is_sign = bool(word) and word[0] not in f"{_QUOTES}.()],;:" and not word[0].isalnum() and word[0] != "_"
        return (word, 1) if is_sign and self._precedence.others else ("", 0)

    def _signs(self, words: int) -> str:
        """So many words that follow each other without a blank, as one; empty: there are not so many."""
        found = self._words[self._place : self._place + words]
        together = all(a.end == b.start for a, b in pairwise(found))
        return "".join(self._word(ahead) for ahead in range(words)) if together and len(found) == words else ""

    def _rest(self, operator: str) -> Iterator[_Span | None]:
        """The operands behind an operator."""
        level = self._level(operator)
        if operator in {"ISNULL", "NOTNULL"}:
            return
        if operator in {"IN", "COLLATE"}:
            yield self._operand()
        elif operator == "BETWEEN":
            self._pass("SYMMETRIC")
            yield self._chain(self._precedence.infix["AND"] + 1)
            if self._pass("AND"):
                yield self._chain(level if operator == self._precedence.right else level + 1)
        else:
            if operator == "IS":
                self._pass("NOT")
                self._pass("DISTINCT", "FROM")
            elif operator == "AT":
                self._pass("TIME", "ZONE")
            yield self._chain(level + 1)
            if operator in _PATTERNS and self._pass("ESCAPE"):
                yield self._chain(level + 1)

    def _enclose(self, operand: _Span | None, operator: str, *, first: bool) -> None:
        if operand is not None and operand.operator and not _agreed(operand.operator, operator, first=first):
            self._opened.append(operand.start)
            self._closed.append(operand.end)

    # --- operands ---------------------------------------------------------------------------------------------------

    def _operand(self) -> _Span | None:
        """One operand, with the operators before it; None: none comes next."""
        word = self._word()
        if not word or word in _SEPARATORS:
            return None
        start = self._words[self._place].start
        self._place += 1
        if word in self._precedence.prefix:
            operand = self._chain(self._precedence.prefix[word] + 1)
            if operand is not None:
                self._enclose(operand, f"{_BEFORE}{word}", first=False)
                if word == "+":  # sqlglot drops it, and ORDER BY takes a name alone for one that is shown
                    self._opened.append(start)
                    self._closed.append(self._end())
                return _Span(start, self._end(), f"{_BEFORE}{word}")
        elif word in _CLOSERS:
            self._close(word)
        elif word == "INTERVAL" and self._word() != "(":
            self._chain(0)
            if self._is_name():
                self._place += 1
        elif (word in _TYPES or word[0] == "_") and self._is_text():
            self._place += 1
        elif self._word() == "(" and (word[0].isalpha() or word[0] in '_`"'):
            self._place += 1
            self._close("(")
        self._suffixes()
        return _Span(start, self._end())

    def _is_text(self) -> bool:
        return self._written()[:1] == "'"

    def _close(self, opener: str) -> None:
        self.sequence({_CLOSERS[opener]})
        self._place += 1

    def _suffixes(self) -> None:
        """What belongs to an operand before any operator does: ``.name``, ``[1]``, ``::type``, ``OVER (…)``."""
        while word := self._word():
            if word == "." and self._word(1):
                self._place += 2
                if self._word() == "(":
                    self._place += 1
                    self._close("(")
            elif word == "[":
                self._place += 1
                self._close("[")
            elif word == "::":
                self._place += 2
                self._type()
            elif word in {"FILTER", "WITHIN GROUP", "OVER"} and self._word(1) == "(":
                self._place += 2
                self._close("(")
            else:
                return

    def _type(self) -> None:
        """What the name of a type goes on with."""
        while word := self._word():
            if word == "(":
                self._place += 1
                self._close("(")
            elif word == "." or word in _OF_TYPES:
                self._place += 2 if word == "." else 1
            else:
                return
