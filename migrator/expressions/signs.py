"""Which numbers have a sign, in a database that has types of numbers without one (MySQL)."""

from __future__ import annotations

from .semantics import Sign, Values

_CALCULATING = frozenset({"sum", "difference", "product", "whole quotient"})
"""Meanings whose result has no sign where one operand has none, if all are integers."""
_LIKE_THE_FIRST = frozenset({"absolute", "rounded", "floor", "ceiling", "remainder", "null if equal", "smallest", "largest"})
_ONE_OF_ALL = frozenset({"first not null", "greatest", "least", "greatest skipping null", "least skipping null"})
_SIGNED = frozenset({"negative", "days between", "bits of both", "bits of either", "bits of one"})
_NATURAL = frozenset(
    {
        *("length", "position", "count rows", "count", "count different"),
        *("year", "month", "day", "hour", "minute", "truth as number"),
    }
)


def sign_of(meaning: str, values: Values) -> Sign:
    """What the result of a meaning is over operands like these."""
    if meaning in _NATURAL:
        return "natural"
    if meaning in _ONE_OF_ALL:
        return sign_of_one(values)
    signs = [value.sign for value in values]
    if meaning in _LIKE_THE_FIRST:
        if signs[0] == "decimal":
            return "signed" if meaning in {"floor", "ceiling"} else "decimal"
        return "natural" if meaning == "absolute" and signs[0] == "signed" else signs[0]
    if meaning == "same":  # a cast to an integer that has a sign
        return "natural" if signs[0] == "unsigned" else signs[0]
    if meaning not in _CALCULATING | _SIGNED or (meaning != "days between" and "decimal" in signs):
        return "decimal"
    if meaning in _CALCULATING and "unsigned" in signs:
        return "unsigned"
    return "natural" if meaning in _CALCULATING - {"difference"} and set(signs) == {"natural"} else "signed"


def sign_of_one(values: Values) -> Sign:
    """What one of several values is, whichever."""
    signs = {value.sign for value in values if value.kind != "null"}
    if len(signs) == 1:
        return signs.pop()
    if "decimal" in signs:
        return "decimal"
    return "signed" if "signed" in signs or not signs else "natural"


def falls_below(meaning: str, values: Values) -> bool:
    """Whether a calculation that has a result without a sign may have one below zero."""
    if sign_of(meaning, values) != "unsigned":
        return False
    return meaning == "difference" or "signed" in {value.sign for value in values}
