"""What SQLite's expressions mean, and how it says what others mean.

A column with numeric affinity stores 5.00 as the integer 5, and a day is a text: so a division of such numbers, and an
order of times, mean what no other database means by them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from migrator.expressions.grouping import Precedence
from migrator.expressions.semantics import (
    ANY_TEXTS,
    CLOCKS,
    COMPARING,
    DATES,
    DYNAMIC,
    FLOATS,
    INTEGERS,
    READINGS,
    STRINGS,
    WHOLES,
    WRITINGS,
    Kind,
    Kinds,
    Reading,
    Semantics,
    Test,
    Value,
    Values,
    Writing,
    besides,
    common,
    first,
    infix,
    kind_of,
    ordered,
    skipping_null,
    textual,
    unranked,
)
from migrator.model import types as t
from migrator.model.objects import Column, Table

from .types import EXACT_DIGITS, affinity

_JOINABLE = ANY_TEXTS | INTEGERS
_REALS: Kinds = FLOATS | {"number"}
_ORDERING = COMPARING | {exp.Min, exp.Max, "COUNT DISTINCT"}
_CALCULATING = (exp.Add, exp.Sub, exp.Mul, exp.Sum, exp.Avg)


def _any_real(values: Values) -> bool:
    return any(value.kind in _REALS for value in values)


def _calculated(values: Values) -> Kind:
    return "float" if any(value.kind == "float" for value in values) else "number"


READ: tuple[Reading, ...] = (
    Reading(exp.Div, (INTEGERS, INTEGERS), "whole quotient", "integer"),
    Reading(exp.Div, (DYNAMIC, FLOATS), "float quotient", "float"),
    Reading(exp.Div, (FLOATS, DYNAMIC), "float quotient", "float"),
    *(
        row
        for construct, meaning in ((exp.Add, "sum"), (exp.Sub, "difference"), (exp.Mul, "product"))
        for row in (
            Reading(construct, (DYNAMIC, DYNAMIC), f"float {meaning}", _calculated, _any_real),
            Reading(construct, (WHOLES, WHOLES), meaning, common),
        )
    ),
    Reading(exp.Sum, (WHOLES,), "total", "whole"),
    Reading(exp.Sum, (_REALS,), "float total", first),
    Reading(exp.Avg, (DYNAMIC,), "float mean", "float"),
    Reading(exp.Greatest, (DYNAMIC | DATES,), "greatest", common, ordered, True),
    Reading(exp.Least, (DYNAMIC | DATES,), "least", common, ordered, True),
    Reading(exp.DPipe, (_JOINABLE, _JOINABLE), "joined", textual),
    Reading(exp.BitwiseAnd, (INTEGERS, INTEGERS), "bits of both", "integer"),
    Reading(exp.BitwiseOr, (INTEGERS, INTEGERS), "bits of either", "integer"),
    Reading(exp.TimeToStr, (CLOCKS, STRINGS), "formatted", "text"),
    Reading(exp.GroupConcat, (ANY_TEXTS, STRINGS), "list", first),
    Reading("CAST DOUBLE", (DYNAMIC,), "as float", "float"),
    Reading("CAST INT", (INTEGERS,), "same", "integer"),
    Reading("CAST TEXT", (ANY_TEXTS,), "same", first),
    Reading("CAST TEXT", (INTEGERS,), "digits", "text"),
)
"""SQLite's own rows."""

Literal = Callable[[str], str]


def _without_times(test: Test | None) -> Test:
    """The test, and that no operand is a date with a time: its text may have a T, and any number of digits."""

    def holds(values: Values) -> bool:
        return all(value.kind != "timestamp" for value in values) and (test is None or test(values))

    return holds


_COMMON = tuple(
    replace(row, when=_without_times(row.when)) if row.construct in _ORDERING else row
    for row in READINGS
    if row.construct not in _CALCULATING
)


def _is_number(value: Value) -> bool:
    """Whether a decimal is a number here: one of more digits is a text."""
    base = t.base_of(value.type or t.Type())
    if value.kind != "decimal":
        return True
    if value.constant is not None:
        return len(value.constant.strip("-0.")) <= EXACT_DIGITS
    return isinstance(base, t.Decimal) and base.precision is not None and base.precision <= EXACT_DIGITS


def _compares(values: Values) -> bool:
    """Whether values compare here as elsewhere: decimals as numbers, times with equally many digits."""
    times = {t.base_of(value.type or t.Type()) for value in values if value.kind == "timestamp"}
    return all(map(_is_number, values)) and len(times) <= 1


def _no_decimal(values: Values) -> bool:
    """Whether a calculation is exact here: 0.1 + 0.2 is not, since SQLite has no decimals."""
    kinds = {value.kind for value in values}
    return "decimal" not in kinds or ("float" in kinds and all(map(_is_number, values)))


def _real(value: Value) -> str:
    return f"CAST({value.sql} AS REAL)"


def _floats(operator: str) -> Callable[[Values, Literal], str]:
    return lambda values, _: f" {operator} ".join(map(_real, values))


def _glob(values: Values, literal: Literal) -> str:
    """GLOB, which tells capital letters from small ones where LIKE does not."""
    pattern = iter(values[1].constant or "")
    made = ""
    for character in pattern:
        if character == "\\":
            character = next(pattern)
        elif character in "%_":
            made += "*" if character == "%" else "?"
            continue
        made += f"[{character}]" if character in "*?[" else character
    return f"{values[0].within(4)} GLOB {literal(made)}"


_GUARDED = frozenset(
    {
        *("equal", "unequal", "less", "less or equal", "greater", "greater or equal", "between", "null if equal"),
        *("count different", "smallest", "largest"),
    }
)

WRITE: tuple[Writing, ...] = besides(
    (
        *(replace(row, when=_compares) for row in WRITINGS if row.meaning in _GUARDED),
        Writing("is true", "{0} IS TRUE", 4, 4),
        Writing("is false", "{0} IS FALSE", 4, 4),
        infix("same or both null", "IS", 4, when=_compares),
        infix("different or one null", "IS NOT", 4, when=_compares),
        Writing("matches", _glob, 4),
        infix("sum", "+", 6, chains=True, when=_no_decimal),
        infix("difference", "-", 6, chains=True, when=_no_decimal),
        infix("product", "*", 7, chains=True, when=_no_decimal),
        infix("float quotient", "/", 7, when=_no_decimal),
        infix("whole quotient", "/", 7),
        Writing("total", "SUM({0})", when=lambda values: values[0].kind != "decimal"),
        Writing("negative", "-{0}", 8, 8, when=_compares),
        Writing("absolute", "ABS({0})", when=_compares),
        unranked("bits of both", "{0} & {1}"),
        unranked("bits of either", "{0} | {1}"),
        unranked("bits of one", "({0} | {1}) - ({0} & {1})", "there is no operator for it"),
        Writing("as float", "CAST({0} AS REAL)"),
        Writing("truth as number", "({0})"),
        Writing("greatest", "MAX({all})", when=_compares),
        Writing("least", "MIN({all})", when=_compares),
        Writing("greatest skipping null", skipping_null("MAX"), when=_compares),
        Writing("least skipping null", skipping_null("MIN"), when=_compares),
        Writing("joined", lambda values, _: " || ".join(value.within(8) for value in values), 0),
        Writing("joined skipping null", lambda values, _: " || ".join(f"COALESCE({v.sql}, '')" for v in values), 0),
        Writing("digits", "CAST({0} AS TEXT)"),
        Writing("length", "LENGTH({0})"),
        Writing("position", "INSTR({all})"),
        Writing("date constant", "{0}"),
        Writing("timestamp constant", "{0}"),
        Writing("days later", "DATE({0}, {1} || ' days')", inner=8),
        Writing("days earlier", "DATE({0}, -{1} || ' days')", inner=8),
        Writing("days between", "CAST(JULIANDAY({0}) - JULIANDAY({1}) AS INTEGER)"),
        Writing("day of", "DATE({0})"),
        *(
            Writing(part, f"CAST(STRFTIME('{pattern}', {{0}}) AS INTEGER)")
            for part, pattern in (("year", "%Y"), ("month", "%m"), ("day", "%d"), ("hour", "%H"), ("minute", "%M"))
        ),
        Writing("formatted", lambda values, _: f"STRFTIME({values[1].sql}, {values[0].sql})"),
        Writing("list", "GROUP_CONCAT({all})"),
    )
)
"""How SQLite says what databases mean. The current day is UTC's, and not among them."""


def kind(column: Column, table: Table | None) -> Kind:
    """A column's kind: a decimal, or a number in a column that is not REAL, is an integer or a float row by row."""
    base = t.base_of(column.type)
    if isinstance(base, t.Decimal) or (isinstance(base, t.Float) and affinity(column.native) != "REAL"):
        return "number"
    if isinstance(base, t.String) and column.collation not in {None, "BINARY"}:
        return "caseless"
    return kind_of(column, table)


PRECEDENCE = Precedence(
    (
        ("OR", ""),
        ("AND", ""),
        ("", "NOT"),
        ("= == <> != IS ISNULL NOTNULL IN BETWEEN LIKE GLOB MATCH REGEXP", ""),
        ("< <= > >=", ""),
        ("& | << >>", ""),
        ("+ -", ""),
        ("* / %", ""),
        ("|| -> ->>", ""),
        ("COLLATE", ""),
        ("", "~ + -"),
    )
)
"""SQLite's operators."""

SEMANTICS = Semantics(
    (*READ, *_COMMON),
    WRITE,
    PRECEDENCE,
    kind,
    fractions="float",
    truth_numbers=True,
    like_escape=None,
    like_case=False,
    binds=False,
    misread=frozenset({"MOD"}),
    with_is_whole=True,
    first_of_rows=True,
)
"""MOD() calculates in binary floating point, % with whole numbers."""
