"""How Oracle says what the expressions of other databases mean.

Oracle has no truth values in SQL before 23ai, takes '' for NULL, compares no LOBs, and reads dates by the session's
formats. No server tells what it makes of these rows: they are what its SQL reference says.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator

from sqlglot import exp

from migrator.expressions.grouping import Precedence
from migrator.expressions.semantics import (
    COMPARING,
    MATCH_ESCAPE,
    WRITINGS,
    Change,
    Semantics,
    Test,
    Value,
    Values,
    Writing,
    besides,
    infix,
    skipping_null,
)
from migrator.model import types as t

from .types import NUMBER_DIGITS

Literal = Callable[[str], str]

_EMPTY: Change = ("oracle-empty-string", "an empty text that it makes is NULL here")
_PAIRS: Change = ("oracle-clob", "a character beyond U+FFFF may count as two here, in a CLOB")
_DIGITS: Change = ("oracle-digits", f"it is calculated with {NUMBER_DIGITS} digits here, the source's may be more")
_INFINITE: Change = (
    "division-by-zero",
    "a division of floats by zero gives infinity or NaN here, and is an error at the source",
)
_SKIPS_NULL: Change = ("oracle-concat", "joining texts takes NULL for an empty text here, where the source gives NULL")

FORMATS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS"}

_COMPARISONS = frozenset(
    {
        *("equal", "unequal", "less", "less or equal", "greater", "greater or equal", "between", "null if equal"),
        *("count different", "smallest", "largest"),
    }
)


# --- conditions on operands -----------------------------------------------------------------------------------------


def _no_lob(values: Values) -> bool:
    return not any(value.large for value in values)


def _divides(values: Values) -> bool:
    """Whether the divisor is never zero."""
    return values[1].constant is not None or values[1].never_zero


def _never_null(values: Values) -> bool:
    return not any(value.nullable for value in values)


def _replaces(values: Values) -> bool:
    """Whether what is put in is a text: NULL would be an empty one."""
    return values[2].constant is not None


def _digits(value: Value) -> tuple[int, int]:
    """The most digits that an exact number has before and after its point; more than any has here: unknown."""
    if value.constant is not None:
        _, digits, exponent = decimal.Decimal(value.constant).as_tuple()
        assert isinstance(exponent, int)
        return max(len(digits) + exponent, 0), max(-exponent, 0)
    if value.kind == "integer":
        return 19, 0
    base = t.base_of(value.type or t.Type())
    if not isinstance(base, t.Decimal) or base.precision is None:
        return NUMBER_DIGITS + 1, 0
    scale = base.scale or 0
    return base.precision - scale, scale


def _binary(values: Values) -> bool:
    """Whether it is calculated in binary floating point, as at the source."""
    return any(value.kind == "float" for value in values)


def _adds_exactly(values: Values) -> bool:
    if _binary(values):
        return True
    digits = list(map(_digits, values))
    return max(before for before, _ in digits) + 1 + max(after for _, after in digits) <= NUMBER_DIGITS


def _multiplies_exactly(values: Values) -> bool:
    return _binary(values) or sum(map(sum, map(_digits, values))) <= NUMBER_DIGITS


def _totals_exactly(values: Values) -> bool:
    """Whether the sum of 10^12 rows is exact."""
    return values[0].kind != "decimal" or sum(_digits(values[0])) + 12 <= NUMBER_DIGITS


def _never_empty(values: Values) -> bool:
    """Whether texts one after the other have a character, whatever the rows have."""
    return any(value.constant or (value.kind == "integer" and not value.nullable) for value in values)


# --- what is written ------------------------------------------------------------------------------------------------


def _float(value: Value) -> str:
    if isinstance(t.base_of(value.type or t.Type()), t.Float):
        return value.within(7)
    return f"TO_BINARY_DOUBLE({value.sql})"


def _floats(operator: str) -> Callable[[Values, Literal], str]:
    return lambda values, _: f" {operator} ".join(map(_float, values))


def _matches(values: Values, literal: Literal) -> str:
    escaped = MATCH_ESCAPE in (values[1].constant or "")
    return f"{values[0].within(4)} LIKE {values[1].sql}" + (f" ESCAPE {literal(MATCH_ESCAPE)}" if escaped else "")


def _joined(values: Values, literal: Literal) -> str:
    return " || ".join(f"TO_CHAR({v.sql})" if v.kind == "integer" else v.within(0) for v in values)


def _formatted(values: Values, literal: Literal) -> str:
    pattern = values[1].constant or ""
    for theirs, own in FORMATS.items():
        pattern = pattern.replace(theirs, own)
    return f"TO_CHAR({values[0].sql}, {literal(pattern)})"


def _exactly(meaning: str, operator: str, level: int, is_exact: Test) -> tuple[Writing, ...]:
    """Exact arithmetic, which has no more than so many digits here."""
    sql = f"{{0}} {operator} {{1}}"
    return (
        Writing(meaning, sql, level, level, chains=True, when=is_exact),
        Writing(meaning, sql, level, level, chains=True, change=_DIGITS),
    )


WRITE: tuple[Writing, ...] = besides(
    (
        *(
            Writing(row.meaning, row.sql, row.level, row.inner, row.chains, _no_lob)
            for row in WRITINGS
            if row.meaning in _COMPARISONS
        ),
        Writing("is true", "CASE WHEN {0} THEN 1 ELSE 0 END = 1", 4),
        Writing("is false", "CASE WHEN NOT ({0}) THEN 1 ELSE 0 END = 1", 4),
        Writing("same or both null", "DECODE({all}, 1, 0) = 1", 4, when=_no_lob, reason="NULLs are equal to DECODE alone"),
        Writing("different or one null", "DECODE({all}, 1, 0) = 0", 4, when=_no_lob),
        Writing("matches", _matches, 4),
        *_exactly("sum", "+", 6, _adds_exactly),
        *_exactly("difference", "-", 6, _adds_exactly),
        *_exactly("product", "*", 7, _multiplies_exactly),
        Writing("float sum", _floats("+"), 6),
        Writing("float difference", _floats("-"), 6),
        Writing("float product", _floats("*"), 7),
        Writing("float quotient", _floats("/"), 7, when=_divides),
        Writing("float quotient", _floats("/"), 7, change=_INFINITE),
        Writing("whole quotient", "TRUNC({0} / {1})", inner=7, reason="/ keeps the fraction"),
        Writing("remainder", "MOD({all})", when=_divides),
        Writing("remainder", "{0} - {1} * TRUNC({0} / {1})", 6, 7, reason="MOD() by zero is no error but the dividend"),
        Writing("rounded", "ROUND({all})"),
        Writing("floor", "FLOOR({0})"),
        Writing("ceiling", "CEIL({0})"),
        Writing("as float", "TO_BINARY_DOUBLE({0})"),
        Writing("truth as number", "{0}", inner=8),
        Writing("greatest", "GREATEST({all})"),
        Writing("least", "LEAST({all})"),
        Writing("greatest skipping null", skipping_null("GREATEST")),
        Writing("least skipping null", skipping_null("LEAST")),
        Writing("joined", _joined, 0, when=lambda values: _never_null(values) and _never_empty(values)),
        Writing("joined", _joined, 0, when=_never_null, change=_EMPTY),
        Writing("joined", _joined, 0, change=_SKIPS_NULL),
        Writing("joined skipping null", _joined, 0, when=_never_empty),
        Writing("joined skipping null", _joined, 0, change=_EMPTY),
        Writing("digits", "TO_CHAR({0})"),
        Writing("length", "LENGTH({0})", when=_no_lob),
        Writing("length", "LENGTH({0})", change=_PAIRS),
        Writing("position", "INSTR({all})", when=_no_lob),
        Writing("position", "INSTR({all})", change=_PAIRS),
        Writing("piece", "SUBSTR({all})", when=_no_lob, change=_EMPTY),
        Writing("piece to the end", "SUBSTR({all})", when=_no_lob, change=_EMPTY),
        Writing("trimmed", "TRIM({0})", change=_EMPTY),
        Writing("trimmed left", "LTRIM({0})", change=_EMPTY),
        Writing("trimmed right", "RTRIM({0})", change=_EMPTY),
        Writing("replaced", "REPLACE({all})", when=_replaces, change=_EMPTY),
        Writing("date constant", "DATE {0}"),
        Writing("timestamp constant", "TIMESTAMP {0}"),
        Writing("days later", "{0} + {1}", 6, 6),
        Writing("days earlier", "{0} - {1}", 6, 6),
        infix("days between", "-", 6),
        Writing("day of", "TRUNC({0})"),
        Writing("today", "TRUNC(CURRENT_DATE)", reason="CURRENT_DATE has the time of day, too"),
        *(Writing(part, f"EXTRACT({part.upper()} FROM {{0}})") for part in ("year", "month", "day", "hour", "minute")),
        Writing("formatted", _formatted),
        Writing("total", "SUM({0})", when=_totals_exactly),
        Writing("total", "SUM({0})", change=_DIGITS),
        Writing("float total", lambda values, _: f"SUM({_float(values[0])})"),
        Writing("float mean", lambda values, _: f"AVG({_float(values[0])})"),
    )
)
"""How Oracle says what databases mean. Of bits it has AND alone; a list of texts ends at 4000 bytes, in an error."""

SEMANTICS = Semantics(
    (),
    WRITE,
    Precedence(()),
    binds=False,
    zero_division="error",
    truth_values=False,
    empty_is_null=True,
    dual="dual",
    groups_in_full=True,
    sets=frozenset({"UNION", "UNION ALL", "INTERSECT"}),
    star_and_more=False,
    qualifies_using=False,
)
"""What is written. Nothing is read: that takes a server to compare with. A virtual column's value may be more exact than its
type; EXCEPT and INTERSECT ALL came with 21c."""


# --- what is compared -----------------------------------------------------------------------------------------------


def compared_columns(tree: exp.Expr) -> Iterator[exp.Column]:
    """The columns whose values are compared somewhere in a condition."""
    for node in tree.walk():
        if type(node) in COMPARING or isinstance(node, exp.In):
            operands = (
                [node.this] if isinstance(node, exp.In) else [o for o in node.args.values() if isinstance(o, exp.Expr)]
            )
            yield from (column for operand in operands for column in _valued(operand))


def _valued(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns that ``node``'s own value can be a piece of: not those it counts, nor those of a query in it."""
    if isinstance(node, exp.Column):
        yield node
    elif not isinstance(node, exp.Length | exp.StrPosition | exp.Query):
        for part in node.iter_expressions():
            yield from _valued(part)
