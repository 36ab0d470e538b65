"""What changes with an expression whoever writes it: what its readings say for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from . import Untranslatable
from .carrier import Carrier, Columns, Target
from .semantics import MEANINGS, Change, Semantics, Sign, Writing


def any_target(source: Semantics) -> Target:
    """A target that has all that a source can say, and of which only that is known: for what is read and not written."""
    return Target(replace(source, writings=tuple(Writing(meaning, "NULL") for meaning in MEANINGS)), "", str, str)


_NO_INTEGERS = (exp.Div, exp.Pow, exp.Sqrt, exp.Exp, exp.Ln, exp.Sum, exp.Avg)
"""What gives decimals or floats, of whatever."""


def changes_of_readings(source: Semantics, columns: Columns, tree: exp.Expr) -> dict[Change, None]:
    """The changes of the readings of ``source`` in an expression or query.

    A calculation with something that has no reading is told of where an operand has no sign, and none is a decimal.
    """
    changing = {reading.construct: reading.change for reading in source.readings if reading.change is not None}
    found: dict[Change, None] = {}
    carrier = Carrier(source, any_target(source), columns, changes=found)
    for node in tree.walk():
        change = changing.get(type(node))
        if change is None:
            continue
        try:
            carrier.value(node)
        except Untranslatable:
            signs = {_sign(carrier, operand) for operand in (node.this, node.expression)}
            if "decimal" not in signs and "unsigned" in signs:
                found[change] = None
    return found


def _sign(carrier: Carrier, node: exp.Expr) -> Sign:
    """The sign of an operand; of one without a reading that of the columns in it, if it may be an integer."""
    try:
        return carrier.value(node).sign
    except Untranslatable:
        if node.find(*_NO_INTEGERS) is not None:
            return "decimal"
        return "unsigned" if "unsigned" in _signs(carrier, node) else "signed"


def _signs(carrier: Carrier, node: exp.Expr) -> Iterator[Sign]:
    """The signs of the columns of an operand that are known."""
    for column in node.find_all(exp.Column):
        try:
            yield carrier.value(column).sign
        except Untranslatable:
            continue
