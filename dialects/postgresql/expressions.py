"""What PostgreSQL's expressions mean, and how it says what others mean."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from migrator.expressions.grouping import Precedence
from migrator.expressions.semantics import (
    ANY_TEXTS,
    BOOLEANS,
    CLOCKS,
    DATES,
    EXACT,
    INTEGERS,
    NUMBERS,
    READINGS,
    STRINGS,
    TEXTS,
    TIMESTAMPS,
    WHOLES,
    Kind,
    Reading,
    Semantics,
    Value,
    Values,
    Writing,
    besides,
    common,
    first,
    infix,
    kind_of,
    ordered,
    textual,
    unranked,
    whole_constant,
)
from migrator.model import types as t
from migrator.model.objects import Column, Table

_JOINABLE = ANY_TEXTS | INTEGERS
_WIDE = 64

READ: tuple[Reading, ...] = (
    Reading(exp.Div, (INTEGERS, INTEGERS), "whole quotient", "integer"),
    Reading(exp.Greatest, (NUMBERS | CLOCKS,), "greatest skipping null", common, ordered, True, frozenset({"ignore_nulls"})),
    Reading(exp.Least, (NUMBERS | CLOCKS,), "least skipping null", common, ordered, True, frozenset({"ignore_nulls"})),
    Reading(exp.Concat, (_JOINABLE,), "joined skipping null", textual, more=True, flags=frozenset({"coalesce"})),
    Reading(exp.DPipe, (_JOINABLE, _JOINABLE), "joined", textual),
    Reading(exp.BitwiseAnd, (INTEGERS, INTEGERS), "bits of both", "integer"),
    Reading(exp.BitwiseOr, (INTEGERS, INTEGERS), "bits of either", "integer"),
    Reading(exp.BitwiseXor, (INTEGERS, INTEGERS), "bits of one", "integer"),
    Reading(exp.Sub, (DATES, DATES), "days between", "integer"),
    Reading(exp.Add, (DATES, INTEGERS), "days later", "date"),
    Reading(exp.Sub, (DATES, INTEGERS), "days earlier", "date"),
    Reading(exp.Round, (EXACT,), "rounded", "whole"),
    Reading(exp.Round, (EXACT, INTEGERS), "rounded", "decimal", lambda values: whole_constant(values[1], 0)),
    Reading(exp.Floor, (EXACT,), "floor", "whole"),
    Reading(exp.Ceil, (EXACT,), "ceiling", "whole"),
    Reading(exp.CurrentDate, (), "today", "date"),
    Reading(exp.TimeToStr, (CLOCKS, STRINGS), "formatted", "text"),
    Reading(exp.GroupConcat, (ANY_TEXTS, STRINGS), "list", first),
    *(Reading(f"CAST {name}", (TEXTS,), "same", first) for name in ("TEXT", "VARCHAR")),
    *(Reading(f"CAST {name}", (INTEGERS,), "digits", "text") for name in ("TEXT", "VARCHAR")),
    *(Reading(f"CAST {name}", (WHOLES,), "same", "integer") for name in ("SMALLINT", "INT", "BIGINT")),
    Reading("CAST INT", (BOOLEANS,), "truth as number", "integer"),
    Reading("CAST DECIMAL", (EXACT,), "same", "decimal"),
    Reading("CAST DOUBLE", (NUMBERS,), "as float", "float"),
    Reading("CAST BOOLEAN", (BOOLEANS,), "same", "boolean"),
    Reading("CAST DATE", (DATES,), "same", "date"),
    Reading("CAST DATE", (TIMESTAMPS,), "day of", "date"),
    Reading("CAST TIMESTAMP", (TIMESTAMPS,), "same", "timestamp"),
)
"""PostgreSQL's own rows: whole numbers divide into whole numbers, GREATEST skips NULL, days are counted."""

Literal = Callable[[str], str]

FORMATS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS"}


def _float(value: Value) -> str:
    if isinstance(t.base_of(value.type or t.Type()), t.Float):
        return value.within(7)
    return f"CAST({value.sql} AS double precision)"


def _overflows(values: Values) -> bool:
    """Whether a result over these has 32 bits or fewer here, and may need more."""
    wide = any(isinstance(i := t.base_of(v.type or t.Type()), t.Integer) and i.bits == _WIDE for v in values)
    return all(value.kind == "integer" for value in values) and not wide


def _wide(values: Values) -> list[str]:
    """Operands of which one has 64 bits where all are whole."""
    left, right = (value.within(7) for value in values)
    return [f"CAST({values[0].sql} AS bigint)" if _overflows(values) else left, right]


def _other_sign(sql: str) -> Callable[[Values, Literal], str]:
    """The least number of 32 bits or fewer has none with the other sign among them."""

    def write(values: Values, literal: Literal) -> str:
        value = values[0]
        wide = f"CAST({value.sql} AS bigint)" if value.constant is None and _overflows(values) else value.within(8)
        return sql.format(wide)

    return write


def _arithmetic(operator: str) -> Callable[[Values, Literal], str]:
    return lambda values, _: f" {operator} ".join(_wide(values))


def _floats(operator: str) -> Callable[[Values, Literal], str]:
    return lambda values, _: f" {operator} ".join(_float(value) for value in values)


def _null_if_any(function: str) -> Callable[[Values, Literal], str]:
    def write(values: Values, literal: Literal) -> str:
        sql = f"{function}({', '.join(value.sql for value in values)})"
        tests = [f"{value.within(4)} IS NULL" for value in values if value.nullable]
        return f"CASE WHEN {' OR '.join(tests)} THEN NULL ELSE {sql} END" if tests else sql

    return write


def _text(value: Value) -> str:
    return f"CAST({value.sql} AS text)" if value.kind == "integer" else value.within(8)


def _formatted(values: Values, literal: Literal) -> str:
    pattern = values[1].constant or ""
    for theirs, own in FORMATS.items():
        pattern = pattern.replace(theirs, own)
    return f"TO_CHAR({values[0].sql}, {literal(pattern)})"


PARTS = ("year", "month", "day", "hour", "minute")
"""What EXTRACT gives as a ``numeric``, before PostgreSQL 14 as a ``double precision``: neither divides as integers do."""

WRITE: tuple[Writing, ...] = besides(
    (
        Writing("is true", "{0} IS TRUE", 4, 4),
        Writing("is false", "{0} IS FALSE", 4, 4),
        infix("same or both null", "IS NOT DISTINCT FROM", 4),
        infix("different or one null", "IS DISTINCT FROM", 4),
        infix("matches", "LIKE", 4),
        *(
            Writing(meaning, _arithmetic(operator), level)
            for meaning, operator, level in (("sum", "+", 6), ("difference", "-", 6), ("product", "*", 7))
        ),
        Writing("negative", _other_sign("-{0}"), 8),
        Writing("absolute", _other_sign("ABS({0})")),
        Writing("float sum", _floats("+"), 6),
        Writing("float difference", _floats("-"), 6),
        Writing("float product", _floats("*"), 7),
        Writing("float quotient", _floats("/"), 7),
        infix("whole quotient", "/", 7),
        unranked("bits of both", "{0} & {1}"),
        unranked("bits of either", "{0} | {1}"),
        unranked("bits of one", "{0} # {1}"),
        Writing("rounded", "ROUND({all})"),
        Writing("floor", "FLOOR({0})"),
        Writing("ceiling", "CEIL({0})"),
        Writing("as float", "CAST({0} AS double precision)"),
        Writing("truth as number", "CAST({0} AS integer)"),
        Writing("greatest", _null_if_any("GREATEST")),
        Writing("least", _null_if_any("LEAST")),
        Writing("joined", lambda values, _: " || ".join(map(_text, values)), 0),
        Writing("digits", "CAST({0} AS text)"),
        Writing("length", "LENGTH({0})"),
        Writing("position", "STRPOS({all})"),
        Writing("date constant", "DATE {0}"),
        Writing("timestamp constant", "TIMESTAMP {0}"),
        Writing("days later", "{0} + CAST({1} AS integer)", 6, 6),
        Writing("days earlier", "{0} - CAST({1} AS integer)", 6, 6),
        infix("days between", "-", 6),
        Writing("day of", "CAST({0} AS date)"),
        Writing("today", "CURRENT_DATE"),
        *(Writing(part, f"CAST(EXTRACT({part.upper()} FROM {{0}}) AS bigint)") for part in PARTS),
        Writing("formatted", _formatted),
        Writing("float total", lambda values, _: f"SUM({_float(values[0])})"),
        Writing("float mean", lambda values, _: f"AVG({_float(values[0])})"),
        Writing("list", "STRING_AGG({all})"),
    )
)
"""How PostgreSQL says what databases mean."""


def kind(column: Column, table: Table | None) -> Kind:
    """A column's kind. A padded text's trailing blanks count or not, depending on who asks."""
    base = t.base_of(column.type)
    return "other" if isinstance(base, t.String) and base.fixed else kind_of(column, table)


PRECEDENCE = Precedence(
    (
        ("OR", ""),
        ("AND", ""),
        ("", "NOT"),
        ("IS ISNULL NOTNULL", ""),
        ("= <> != < <= > >=", ""),
        ("BETWEEN IN LIKE ILIKE", ""),
        ("|| & | # << >> ~ !~ ~* !~* ~~ !~~ ~~* !~~* -> ->>", "~ @"),
        ("+ -", ""),
        ("* / %", ""),
        ("^", ""),
        ("AT", ""),
        ("COLLATE", ""),
        ("", "+ -"),
    ),
    others="||",
)
"""PostgreSQL's operators; all that are not listed bind as ``||`` does."""

SEMANTICS = Semantics(
    (*READ, *READINGS), WRITE, PRECEDENCE, kind, groups_strictly=True, zero_division="error", own_types=True
)
