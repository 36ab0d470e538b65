"""What MySQL's and MariaDB's expressions mean, and how they say what others mean."""

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
    EXACT,
    INTEGERS,
    NUMBERS,
    READINGS,
    STRINGS,
    TIMESTAMPS,
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
    whole_constant,
    widest,
)
from migrator.expressions.signs import falls_below
from migrator.model import types as t
from migrator.model.objects import Column, Table

_JOINABLE = ANY_TEXTS | INTEGERS
_YEAR_DIGITS = 4
_DAYS = (exp.TsOrDsToDate, "CAST DATE")
"""DATE(x), as sqlglot calls it, and CAST(x AS DATE)."""

_CALCULATIONS: tuple[tuple[type[exp.Expr], str, str, Kinds], ...] = (
    (exp.Add, "sum", "sum", EXACT),
    (exp.Sub, "difference", "difference", EXACT),
    (exp.Mul, "product", "product", EXACT),
    (exp.IntDiv, "whole quotient", "quotient", INTEGERS),
)
"""What has no sign where an operand has none, so that it is an error below zero: constructs, meanings, words for them."""


def _falls_below(meaning: str) -> Test:
    return lambda values: falls_below(meaning, values)


def _stays_above(meaning: str) -> Test:
    return lambda values: not falls_below(meaning, values)


READ: tuple[Reading, ...] = (
    *(
        Reading(
            construct,
            (kinds, kinds),
            meaning,
            widest,
            _falls_below(meaning),
            change=(
                "unsigned-arithmetic",
                f"a {word} with a number that has no sign may be less than 0 here, and is an error at the source then",
            ),
        )
        for construct, meaning, word, kinds in _CALCULATIONS
    ),
    Reading(exp.IntDiv, (INTEGERS, INTEGERS), "whole quotient", "integer"),
    Reading(exp.Greatest, (NUMBERS | CLOCKS,), "greatest", common, ordered, True),
    Reading(exp.Least, (NUMBERS | CLOCKS,), "least", common, ordered, True),
    Reading(exp.Concat, (_JOINABLE,), "joined", textual, more=True),
    Reading(exp.DateDiff, (DATES, DATES), "days between", "integer"),
    *(Reading(construct, (DATES,), "same", "date") for construct in _DAYS),
    *(Reading(construct, (TIMESTAMPS,), "day of", "date") for construct in _DAYS),
    Reading(exp.Round, (EXACT,), "rounded", "whole"),
    Reading(exp.Round, (EXACT, INTEGERS), "rounded", "decimal", lambda values: whole_constant(values[1], 0)),
    Reading(exp.Floor, (EXACT,), "floor", "whole"),
    Reading(exp.Ceil, (EXACT,), "ceiling", "whole"),
    Reading(exp.CurrentDate, (), "today", "date"),
    Reading(exp.TimeToStr, (CLOCKS, STRINGS), "formatted", "text"),
    Reading(exp.GroupConcat, (ANY_TEXTS, STRINGS), "list", first),
    Reading("CAST BIGINT", (INTEGERS,), "same", "integer"),
)
"""MySQL's own rows: ``/`` keeps a fraction of four digits and is not among them, ``DIV`` is."""

Literal = Callable[[str], str]

FORMATS = {"%M": "%i", "%S": "%s"}


def _float(value: Value) -> str:
    if isinstance(t.base_of(value.type or t.Type()), t.Float):
        return value.within(7)
    return f"CAST({value.sql} AS DOUBLE)"


def _floats(operator: str) -> Callable[[Values, Literal], str]:
    return lambda values, _: f" {operator} ".join(_float(value) for value in values)


def _formatted(values: Values, literal: Literal) -> str:
    pattern = values[1].constant or ""
    for theirs, own in FORMATS.items():
        pattern = pattern.replace(theirs, own)
    return f"DATE_FORMAT({values[0].sql}, {literal(pattern)})"


WRITE: tuple[Writing, ...] = besides(
    (
        Writing("is true", "{0} IS TRUE", 4, 4),
        Writing("is false", "{0} IS FALSE", 4, 4),
        infix("same or both null", "<=>", 4),
        Writing("different or one null", "NOT ({0} <=> {1})", 3, 4),
        infix("matches", "LIKE", 4),
        infix("sum", "+", 6, chains=True, when=_stays_above("sum")),
        infix("difference", "-", 6, chains=True, when=_stays_above("difference")),
        infix("product", "*", 7, chains=True, when=_stays_above("product")),
        Writing("float sum", _floats("+"), 6),
        Writing("float difference", _floats("-"), 6),
        Writing("float product", _floats("*"), 7),
        Writing("float quotient", _floats("/"), 7),
        infix("whole quotient", "DIV", 7, when=_stays_above("whole quotient")),
        *(
            Writing(meaning, f"CAST({{0}} {operator} {{1}} AS SIGNED)", inner=8, reason="the bits are those of no sign here")
            for meaning, operator in (("bits of both", "&"), ("bits of either", "|"), ("bits of one", "^"))
        ),
        Writing("rounded", "ROUND({all})"),
        Writing("floor", "FLOOR({0})"),
        Writing("ceiling", "CEIL({0})"),
        Writing("as float", "CAST({0} AS DOUBLE)"),
        Writing("truth as number", "({0})"),
        Writing("greatest", "GREATEST({all})"),
        Writing("least", "LEAST({all})"),
        Writing("greatest skipping null", skipping_null("GREATEST")),
        Writing("least skipping null", skipping_null("LEAST")),
        Writing("joined", "CONCAT({all})"),
        Writing("joined skipping null", "CONCAT_WS('', {all})"),
        Writing("digits", "CAST({0} AS CHAR)"),
        Writing("length", "CHAR_LENGTH({0})"),
        Writing("position", "INSTR({all})"),
        Writing("date constant", "DATE {0}"),
        Writing("timestamp constant", "TIMESTAMP {0}"),
        Writing("days later", "DATE_ADD({0}, INTERVAL {1} DAY)", inner=8),
        Writing("days earlier", "DATE_SUB({0}, INTERVAL {1} DAY)", inner=8),
        Writing("days between", "DATEDIFF({all})"),
        Writing("day of", "DATE({0})"),
        Writing("today", "CURDATE()"),
        *(
            Writing(part, f"{function}({{0}})")
            for part, function in (
                ("year", "YEAR"),
                ("month", "MONTH"),
                ("day", "DAYOFMONTH"),
                ("hour", "HOUR"),
                ("minute", "MINUTE"),
            )
        ),
        Writing("formatted", _formatted),
        Writing("float total", lambda values, _: f"SUM({_float(values[0])})"),
        Writing("float mean", lambda values, _: f"AVG({_float(values[0])})"),
    )
)
"""How MySQL says what databases mean. A list of texts is cut at ``group_concat_max_len`` and is not among them."""


def kind(column: Column, table: Table | None) -> Kind:
    """A column's kind: texts are told apart by all their characters only by collations that do not pad, nor cut."""
    base = t.base_of(column.type)
    if not isinstance(base, t.String):
        return kind_of(column, table)
    if base.fixed:
        return "other"
    collation = column.collation or (dict(table.options).get("COLLATE") if table is not None else None) or ""
    return "text" if collation.endswith(("_nopad_bin", "_0900_bin")) else "caseless"


def _full_years(test: Test | None) -> Test:
    """The test, and that a YEAR stands beside years and numbers of four digits only: MySQL takes 18 for 2018 there."""

    def holds(values: Values) -> bool:
        years = [isinstance(t.base_of(value.type or t.Type()), t.Year) for value in values]
        beside = [value for value, is_year in zip(values, years, strict=True) if not is_year]
        full = all(value.constant is not None and len(value.constant) == _YEAR_DIGITS for value in beside)
        return (full or not any(years)) and (test is None or test(values))

    return holds


_COMMON = tuple(replace(row, when=_full_years(row.when)) if row.construct in COMPARING else row for row in READINGS)

PRECEDENCE = Precedence(
    (
        ("OR ||", ""),
        ("XOR", ""),
        ("AND &&", ""),
        ("", "NOT"),
        ("= <=> < <= > >= <> != IS", ""),
        ("BETWEEN", ""),
        ("LIKE REGEXP RLIKE IN", ""),
        ("|", ""),
        ("&", ""),
        ("<< >>", ""),
        ("+ -", ""),
        ("* / % DIV MOD", ""),
        ("^", ""),
        ("", "+ - ~ ! BINARY"),
        ("COLLATE", ""),
        ("-> ->>", ""),
    ),
    right="BETWEEN",
)
"""MySQL's operators; its manual has LIKE, REGEXP and IN among the comparisons, its grammar does not."""

SEMANTICS = Semantics(
    (*READ, *_COMMON),
    WRITE,
    PRECEDENCE,
    kind,
    truth_numbers=True,
    joins=frozenset({"", "LEFT", "RIGHT"}),
    zero_division="session",
    decimal_digits=10,
)
