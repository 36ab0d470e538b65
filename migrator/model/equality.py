"""What texts collations hold for equal, in words that every database knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Equality:
    """Which texts of different characters are equal: a field for each pair of :data:`PAIRS`."""

    case: bool = False
    letters: bool = False
    accents: bool = False
    forms: bool = False
    blanks: bool = False

    def __bool__(self) -> bool:
        return self != EXACT

    def __sub__(self, other: Equality) -> Equality:
        """What is equal by this and not by the other."""
        names = (field.name for field in fields(self))
        return Equality(**{name: getattr(self, name) and not getattr(other, name) for name in names})

    def __len__(self) -> int:
        return sum(getattr(self, name) for name in PAIRS)

    def __str__(self) -> str:
        """The pairs of texts, as messages name them."""
        told = [pair for name, pair in PAIRS.items() if getattr(self, name) and not (name == "letters" and self.case)]
        return ", ".join(told)


EXACT = Equality()
"""Texts are equal if their characters are."""

PAIRS: Mapping[str, str] = {
    "case": "'a' and 'A'",
    "letters": "'é' and 'É'",
    "accents": "'e' and 'é'",
    "forms": "'é' as one character and as two",
    "blanks": "'a' and 'a '",
}
"""Texts that are equal, by the field that says so. Of the case of letters outside of ASCII nothing more is said where
that of all is spoken of."""


def nearest(wanted: Equality, known: Mapping[str, Equality]) -> str:
    """The collation that holds most of what is wanted for equal, and of several of these least else; the first of equals.

    Characters that are written in two ways count last.
    """

    def distance(name: str) -> tuple[int, int, bool]:
        apart = wanted - known[name]
        return len(replace(apart, forms=False)), len(known[name] - wanted), apart.forms

    return min(known, key=distance)
