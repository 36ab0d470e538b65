"""What migrator is wanted to reach beside a tool, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wanted:
    """``least``: what the tool's figure (seconds, bytes) divided by migrator's must be."""

    words: str
    least: float

    def met(self, ratio: float) -> bool:
        """Whether the tool's figure is a large enough multiple of migrator's."""
        return ratio >= self.least


def times_as_fast(factor: float) -> Wanted:
    """Migrator takes at most a fraction of the tool's time."""
    return Wanted(f"{factor:g} × as fast", factor)


def within(factor: float) -> Wanted:
    """Migrator takes at most a multiple of what the tool takes."""
    return Wanted(f"within {factor:g} ×", 1 / factor)


FASTER = Wanted("faster", 1.0)


@dataclass(frozen=True)
class Target:
    """What is wanted on every table, None for nothing, and what on some tables instead."""

    on_all: Wanted | None = None
    on: Mapping[str, Wanted] = field(default_factory=dict)

    def of(self, table: str) -> Wanted | None:
        """What is wanted on a table."""
        return self.on.get(table, self.on_all)


NOTHING = Target()
"""The tool is shown, and nothing is wanted."""


def judged(wanted: Wanted | None, ratio: float) -> tuple[str, str]:
    """The words of what is wanted, and ``met`` or ``missed``."""
    if wanted is None:
        return "", ""
    return wanted.words, "met" if wanted.met(ratio) else "missed"
