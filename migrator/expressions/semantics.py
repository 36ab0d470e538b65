"""What expressions mean, in no database's words: the rows by which they are read and written.

Each adapter has a :class:`Semantics`: by its readings a construct over operands of certain kinds means one of
:data:`MEANINGS`, and by its writings a meaning becomes SQL. What has no row on either side is not carried. So nothing
passes that somebody did not find to mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlglot import exp

from migrator.model import types as t
from migrator.model.objects import Column, Table

from . import Untranslatable
from .grouping import Precedence

Kind: TypeAlias = Literal[
    "boolean", "integer", "whole", "decimal", "float", "number", "text", "caseless", "string", "date", "timestamp", "enum",
    "null", "other",
]  # fmt: skip
"""What a value is, as far as operators care. ``whole``: an exact number without a fraction that may be no integer type;
``number``: an integer or a float, whichever the row has (SQLite). ``text`` compares by its characters, ``caseless`` by
other rules, ``string`` is a constant that no column gives a collation. ``other`` can be NULL, counted and passed on."""

Kinds: TypeAlias = frozenset[Kind]

INTEGERS: Kinds = frozenset({"integer"})
WHOLES: Kinds = frozenset({"integer", "whole"})
EXACT: Kinds = WHOLES | {"decimal"}
FLOATS: Kinds = frozenset({"float"})
NUMBERS: Kinds = EXACT | FLOATS
DYNAMIC: Kinds = NUMBERS | {"number"}
STRINGS: Kinds = frozenset({"string"})
TEXTS: Kinds = STRINGS | {"text"}
ANY_TEXTS: Kinds = TEXTS | {"caseless"}
DATES: Kinds = frozenset({"date"})
TIMESTAMPS: Kinds = frozenset({"timestamp"})
CLOCKS: Kinds = DATES | TIMESTAMPS
BOOLEANS: Kinds = frozenset({"boolean"})
NULLS: Kinds = frozenset({"null"})
ANY: Kinds = DYNAMIC | ANY_TEXTS | CLOCKS | BOOLEANS | NULLS | {"enum", "other"}

ATOM = 9
"""The level of what never needs parentheses; the others are 8 (a sign), 7 (a product) … 4 (a comparison), 3 NOT, 2 AND, 1
OR, and 0 for operators that databases rank differently."""


Sign: TypeAlias = Literal["unsigned", "natural", "signed", "decimal"]
"""What a number is for a database with integers that have no sign: an integer without a sign, one with a sign that is never
below zero, one that may be, and what is no integer and has a sign always."""


@dataclass(frozen=True)
class Value:
    """An expression in the target's SQL: how tightly it binds, and what is known of its value.

    ``constant``: the characters of a constant. ``nullable``: it may be NULL. ``computed``: the sign of what is computed.
    ``never_zero``: what is computed is no zero, whatever its operands are. ``predicate``: it is a condition, and no value
    where a database has no truth values. ``large``: it is a LOB of the target's, which that cannot compare.
    """

    kind: Kind
    sql: str
    level: int = ATOM
    type: t.Type | None = None
    constant: str | None = None
    nullable: bool = True
    computed: Sign | None = None
    never_zero: bool = False
    predicate: bool = False
    large: bool = False

    @property
    def sign(self) -> Sign:
        """What it is as a number: as it was computed, else by its type or its characters."""
        if self.computed is not None:
            return self.computed
        type_ = t.base_of(self.type or t.Type())
        if isinstance(type_, t.Year) or (isinstance(type_, t.Integer) and type_.unsigned):
            return "unsigned"
        if self.kind not in WHOLES:
            return "decimal"
        return "natural" if self.constant is not None and not self.constant.startswith("-") else "signed"

    def within(self, level: int) -> str:
        """The SQL as an operand of something of ``level``."""
        return self.sql if self.level > level else f"({self.sql})"


Change: TypeAlias = tuple[str, str]
"""A rule and a sentence, as losses have them."""

Values: TypeAlias = Sequence[Value]
Test: TypeAlias = Callable[[Values], bool]

MEANINGS: Mapping[str, str] = {
    "same": "the operand as it is",
    "and": "both conditions, by three-valued logic",
    "or": "either condition, by three-valued logic",
    "not": "the opposite; NULL for NULL",
    "is null": "whether it is NULL",
    "is not null": "whether it is not NULL",
    "is true": "whether it is true, neither false nor NULL",
    "is false": "whether it is false, neither true nor NULL",
    "equal": "equality; of texts, of all their characters",
    "unequal": "inequality; of texts, of any of their characters",
    "less": "less than; of numbers, days and times",
    "less or equal": "less than or equal; of numbers, days and times",
    "greater": "greater than; of numbers, days and times",
    "greater or equal": "greater than or equal; of numbers, days and times",
    "between": "within two bounds, both included; of numbers, days and times",
    "same or both null": "equality that takes two NULLs for equal",
    "different or one null": "inequality that takes two NULLs for equal",
    "matches": "LIKE that tells capital letters from small ones, with a backslash as escape",
    "sum": "the sum of two numbers",
    "difference": "the difference of two numbers",
    "product": "the product of two numbers",
    "float sum": "the sum in binary floating point",
    "float difference": "the difference in binary floating point",
    "float product": "the product in binary floating point",
    "float quotient": "the quotient in binary floating point",
    "whole quotient": "the quotient of whole numbers without its fraction",
    "remainder": "the remainder of whole numbers, with the sign of the dividend",
    "negative": "the number with the other sign",
    "absolute": "the number without its sign",
    "bits of both": "the bits that both whole numbers have, of 64 bits and a sign",
    "bits of either": "the bits that either whole number has, of 64 bits and a sign",
    "bits of one": "the bits that just one of the whole numbers has, of 64 bits and a sign",
    "rounded": "the decimal rounded to so many digits, halves away from zero",
    "floor": "the largest whole number that is not larger",
    "ceiling": "the smallest whole number that is not smaller",
    "as float": "the number in binary floating point",
    "truth as number": "1 for true, 0 for false, NULL for NULL",
    "first not null": "the first operand that is not NULL",
    "null if equal": "NULL if both are equal, else the first",
    "greatest": "the greatest operand; NULL if any is NULL",
    "least": "the least operand; NULL if any is NULL",
    "greatest skipping null": "the greatest of the operands that are not NULL",
    "least skipping null": "the least of the operands that are not NULL",
    "joined": "the texts one after the other; NULL if any is NULL",
    "joined skipping null": "the texts one after the other, those that are NULL left out",
    "digits": "a whole number as decimal digits",
    "length": "the number of characters",
    "piece": "so many characters from a position that is counted from 1",
    "piece to the end": "the characters from a position that is counted from 1",
    "trimmed": "the text without blanks at both ends",
    "trimmed left": "the text without blanks at its beginning",
    "trimmed right": "the text without blanks at its end",
    "replaced": "the text with all places of one text, capital letters told from small ones, replaced by another",
    "position": "where a text begins in another, counted from 1, by all its characters; 0: nowhere",
    "date constant": "a day, given as YYYY-MM-DD",
    "timestamp constant": "a day and time, given as YYYY-MM-DD HH:MM:SS and a fraction",
    "days later": "the day so many days later",
    "days earlier": "the day so many days earlier",
    "days between": "the number of days from the second day to the first",
    "day of": "the day of a time",
    "today": "the current day in the session's time zone",
    "year": "the year as a number",
    "month": "the month as a number",
    "day": "the day of the month as a number",
    "hour": "the hour as a number",
    "minute": "the minute as a number",
    "formatted": "a day or time written by a pattern of strftime",
    "count rows": "the number of rows",
    "count": "the number of rows where it is not NULL",
    "count different": "the number of different values",
    "total": "the sum of all values, NULL if there are none",
    "smallest": "the smallest value",
    "largest": "the largest value",
    "float total": "the sum of all values in binary floating point, NULL if there are none",
    "float mean": "the mean in binary floating point",
    "list": "the texts of all rows in any order, with a text between them",
}
"""Every meaning that a construct can have, and what it is."""
MATCH_ESCAPE = "\\"
"""What escapes in a pattern of "matches"."""


@dataclass(frozen=True)
class Reading:
    """A construct over operands of these kinds, what it means, and the kind of the result.

    ``construct``: sqlglot's class of it, or the name of a function (``CAST X`` and ``EXTRACT X`` for those to X). The last
    kinds hold for any number of operands if ``more``. ``flags``: what else sqlglot says of it. ``when``: what must hold of
    the operands. ``change``: what it nevertheless means only there: a rule and a sentence as losses have them.
    """

    construct: type[exp.Expr] | str
    operands: tuple[Kinds, ...]
    meaning: str
    result: Kind | Callable[[Values], Kind]
    when: Test | None = None
    more: bool = False
    flags: frozenset[str] = frozenset()
    change: Change | None = None

    def matches(self, construct: type[exp.Expr] | str, flags: Collection[str], values: Values) -> bool:
        """Whether this row is about that construct over those operands."""
        if self.construct != construct or self.flags != set(flags):
            return False
        kinds = self.operands
        if self.more and len(values) > len(kinds):
            kinds += (kinds[-1],) * (len(values) - len(kinds))
        fits = len(kinds) == len(values) and all(v.kind in k for v, k in zip(values, kinds, strict=True))
        return fits and (self.when is None or self.when(values))

    def kind(self, values: Values) -> Kind:
        """The kind of the result."""
        return self.result(values) if callable(self.result) else self.result


@dataclass(frozen=True)
class Writing:
    """How a meaning is said: a template over the operands ({0}, {1}, … or {all}), or a function of them.

    ``level``: how tightly the result binds. ``inner``: operands of this level and below stand in parentheses; ``chains``:
    the first one of the same level does not. ``when``: what must hold of the operands. ``reason``: why it is said so.
    ``change``: what it nevertheless means otherwise here: a rule and a sentence as losses have them.
    """

    meaning: str
    sql: str | Callable[[Values, Callable[[str], str]], str]
    level: int = ATOM
    inner: int = -1
    chains: bool = False
    when: Test | None = None
    reason: str = ""
    change: Change | None = None

    def write(self, values: Values, literal: Callable[[str], str]) -> str:
        """The SQL. ``literal`` writes a text of the target."""
        if callable(self.sql):
            return self.sql(values, literal)
        first = self.inner - 1 if self.chains else self.inner
        operands = [value.within(self.inner if i else first) for i, value in enumerate(values)]
        return self.sql.format(*operands, all=", ".join(operands))


def infix(meaning: str, operator: str, level: int, *, chains: bool = False, when: Test | None = None) -> Writing:
    """An operator between two operands."""
    return Writing(meaning, f"{{0}} {operator} {{1}}", level, level, chains, when)


def unranked(meaning: str, sql: str, reason: str = "") -> Writing:
    """An operator that is always put in parentheses, and its operands too."""
    return Writing(meaning, sql, 0, 8, reason=reason)


def besides(own: Sequence[Writing]) -> tuple[Writing, ...]:
    """A database's own writings, and the common ones of all other meanings."""
    said = {writing.meaning for writing in own}
    return (*own, *(writing for writing in WRITINGS if writing.meaning not in said))


def skipping_null(function: str) -> Callable[[Values, Callable[[str], str]], str]:
    """GREATEST or LEAST of what is not NULL, by a function that is NULL if any operand is."""

    def write(values: Values, literal: Callable[[str], str]) -> str:
        sql = values[0].sql
        for value in values[1:]:
            sql = f"COALESCE({function}({sql}, {value.sql}), {sql}, {value.sql})"
        return sql

    return write


def kind_of(column: Column, table: Table | None) -> Kind:
    """The kind of a column by its neutral type alone."""
    match t.base_of(column.type):
        case t.Boolean():
            return "boolean"
        case t.Integer(bits=64, unsigned=True):
            return "whole"
        case t.Integer() | t.Year():
            return "integer"
        case t.Decimal():
            return "decimal"
        case t.Float(bits=64):
            return "float"
        case t.String():
            return "caseless" if column.equality else "text"
        case t.Date():
            return "date"
        case t.Timestamp(zoned=False):
            return "timestamp"
        case t.Enum():
            return "enum"
        case _:
            return "other"


ZeroDivision: TypeAlias = Literal["null", "error", "session"]
"""What a division by zero is: NULL, an error, or in statements that write what the session says; else NULL there, too."""

ZERO_DIVISIONS: Mapping[tuple[ZeroDivision, ZeroDivision], str] = {
    ("error", "null"): "a division by zero gives NULL here, and is an error at the source",
    ("error", "session"): "a division by zero gives NULL here in sessions that ask for no error, and is one at the source",
    ("session", "null"): "a division by zero gives NULL here, and at the source an error in sessions that ask for one",
    ("session", "error"): "a division by zero gives NULL here, and at the source an error in sessions that ask for one",
}
"""What changes between a source and a target; from one where it is NULL, or may be, divisors come so that it is."""


def zero_division(source: Semantics, target: Semantics, *, read: bool) -> Change | None:
    """What a division by what may be zero changes; None: nothing. ``read``: it is computed when it is read."""
    ends = (source.zero_division, target.zero_division)
    there, here = ("null" if read and one == "session" else one for one in ends)
    detail = ZERO_DIVISIONS.get((there, here))
    return None if detail is None else ("division-by-zero", detail)


def several_rows(source: Semantics, target: Semantics) -> Change | None:
    """What a query that is a value, and may have several rows, changes; None: nothing."""
    if source.first_of_rows == target.first_of_rows:
        return None
    here, there = ("one of them here", "an error") if target.first_of_rows else ("an error here", "one of them")
    return "several-rows", f"a query in place of a value that has several rows is {here}, and {there} at the source"


@dataclass(frozen=True)
class Semantics:
    """What a database's expressions mean, and how it says a meaning.

    ``fractions``: what a constant with a point is. ``truth_numbers``: numbers are conditions, and 0 and 1 truth values.
    ``like_escape``: the character that escapes in LIKE where none is named; ``like_case``: LIKE tells ASCII's capital
    letters from small ones. ``groups_strictly``: it shows nothing that has several values in a group. ``binds``: a column
    rounds values to its type. ``joins``: the sides that an outer join has. ``misread``: functions that sqlglot takes for
    operators which mean something else here. ``precedence``: how its operators bind. ``zero_division``: what a division by
    zero is. ``with_is_whole``: each query of a WITH sees all of them, later ones and itself too.
    ``own_types``: a cast may be to a type that a user made, of texts. ``decimal_digits``: how many digits a cast to DECIMAL
    keeps that says none, and no fraction; None: all. ``first_of_rows``: a query in place of a value is one of its rows; else
    several are an error.

    Of a target alone: ``truth_values``: it has them; else they are the numbers 1 and 0, and conditions are no values.
    ``empty_is_null``: an empty text is NULL. ``dual``: the table that a query without one reads. ``groups_in_full``: GROUP
    BY has the expressions of all that is shown and sorted by, not their numbers or names. ``sets``: what combines queries.
    ``star_and_more``: ``*`` may stand beside others. ``qualifies_using``: a column of USING may be named with its table.
    """

    readings: tuple[Reading, ...]
    writings: tuple[Writing, ...]
    precedence: Precedence
    kind_of: Callable[[Column, Table | None], Kind] = kind_of
    fractions: Kind = "decimal"
    truth_numbers: bool = False
    like_escape: str | None = "\\"
    like_case: bool = True
    groups_strictly: bool = False
    binds: bool = True
    joins: frozenset[str] = frozenset({"", "LEFT", "RIGHT", "FULL"})
    misread: frozenset[str] = frozenset()
    zero_division: ZeroDivision = "null"
    with_is_whole: bool = False
    own_types: bool = False
    decimal_digits: int | None = None
    first_of_rows: bool = False
    truth_values: bool = True
    empty_is_null: bool = False
    dual: str = ""
    groups_in_full: bool = False
    sets: frozenset[str] = frozenset({"UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"})
    star_and_more: bool = True
    qualifies_using: bool = True

    def check_read(self, sql: str) -> None:
        """See that ``sql`` calls none of the functions that are misread.

        :raises Untranslatable: it may.
        """
        for name in self.misread:
            if re.search(rf"\b{name}\s*\(", sql, re.IGNORECASE):
                raise Untranslatable(f"what {name} means elsewhere is not known")


# --- results --------------------------------------------------------------------------------------------------------


def first(values: Values) -> Kind:
    """The kind of the first operand."""
    return values[0].kind


def widest(values: Values) -> Kind:
    """The kind that numbers of several kinds have together."""
    kinds = {value.kind for value in values} - NULLS
    order: tuple[Kind, ...] = ("number", "float", "decimal", "whole", "integer")
    return next(kind for kind in order if kind in kinds)


def textual(values: Values) -> Kind:
    """The kind of a text that is made of others."""
    kinds = {value.kind for value in values}
    if "caseless" in kinds:
        return "caseless"
    return "text" if kinds - STRINGS else "string"


def common(values: Values) -> Kind:
    """The kind of one of several values."""
    kinds = {value.kind for value in values} - NULLS
    if kinds <= DYNAMIC and kinds:
        return widest(values)
    if kinds <= ANY_TEXTS and kinds:
        return textual(values)
    return next(iter(kinds), "null")


# --- conditions on operands -----------------------------------------------------------------------------------------


def alike(values: Values) -> bool:
    """Whether values can stand for one another: all numbers, all texts, or all of one kind and type."""
    values = [value for value in values if value.kind != "null"]
    kinds = {value.kind for value in values}
    if kinds <= DYNAMIC or kinds <= ANY_TEXTS:
        return True
    if kinds & {"enum", "other"}:
        return len(kinds) == 1 and len({value.type for value in values}) == 1 and values[0].type is not None
    return len(kinds) == 1


def comparable(values: Values) -> bool:
    """Whether equality means the same everywhere: no texts without the collation of a column."""
    kinds = {value.kind for value in values}
    if "enum" in kinds or all(isinstance(value.type, t.Uuid) for value in values):
        return alike(values)
    return kinds <= DYNAMIC or (kinds <= TEXTS and kinds != STRINGS) or kinds in ({"boolean"}, {"date"}, {"timestamp"})


_LOOSE = (t.String, t.Interval, t.Json, t.Array, t.Xml, t.Native)
"""Types of which some values are equal though they are written otherwise; of texts, those that are filled up with blanks."""


def told_apart(value: Value) -> bool:
    """Whether a value that is only passed on is another one elsewhere if and only if it is at the source."""
    return value.kind in {"enum", "other"} and value.type is not None and not isinstance(t.base_of(value.type), _LOOSE)


def ordered(values: Values) -> bool:
    """Whether order means the same everywhere: texts' order never does."""
    kinds = {value.kind for value in values}
    return kinds <= DYNAMIC or kinds in ({"date"}, {"timestamp"}) or all(map(_is_single, values))


_SINGLES = 2**24
"""Up to which all whole numbers are numbers of 32 bits with a point."""


def _is_single(value: Value) -> bool:
    """Whether a value is such a number, whichever way its database computes: of a column, or a whole one written out."""
    if isinstance(type_ := t.base_of(value.type) if value.type is not None else None, t.Float):
        return type_.bits == 32
    return whole_constant(value, 0) and int(value.constant or 0) <= _SINGLES


def whole_constant(value: Value, least: int) -> bool:
    """Whether a value is a whole number that is written out, and at least so large."""
    return value.constant is not None and value.constant.isdecimal() and int(value.constant) >= least


def in_bounds(values: Values) -> bool:
    """Whether a piece of text begins at 1 or later, and is as long as a written number."""
    return whole_constant(values[1], 1) and all(whole_constant(value, 0) for value in values[2:])


def not_empty(values: Values) -> bool:
    """Whether the second text is a constant that is not empty."""
    return bool(values[1].constant)


# --- what is the same in all databases ------------------------------------------------------------------------------

_COMPARISONS: tuple[tuple[type[exp.Expr], str, Test], ...] = (
    (exp.EQ, "equal", comparable),
    (exp.NEQ, "unequal", comparable),
    (exp.LT, "less", ordered),
    (exp.LTE, "less or equal", ordered),
    (exp.GT, "greater", ordered),
    (exp.GTE, "greater or equal", ordered),
    (exp.NullSafeEQ, "same or both null", comparable),
    (exp.NullSafeNEQ, "different or one null", comparable),
)

COMPARING = frozenset({*(construct for construct, _, _ in _COMPARISONS), exp.Between, exp.Nullif})
"""The constructs that compare their operands."""

READINGS: tuple[Reading, ...] = (
    *(Reading(construct, (ANY, ANY), meaning, "boolean", when) for construct, meaning, when in _COMPARISONS),
    Reading(exp.Between, (ANY, ANY, ANY), "between", "boolean", ordered),
    Reading(exp.Add, (NUMBERS, NUMBERS), "sum", widest),
    Reading(exp.Sub, (NUMBERS, NUMBERS), "difference", widest),
    Reading(exp.Mul, (NUMBERS, NUMBERS), "product", widest),
    Reading(exp.Div, (NUMBERS, FLOATS), "float quotient", "float"),
    Reading(exp.Div, (FLOATS, NUMBERS), "float quotient", "float"),
    Reading(exp.Mod, (WHOLES, WHOLES), "remainder", widest),
    Reading(exp.Neg, (DYNAMIC,), "negative", widest),
    Reading(exp.Abs, (DYNAMIC,), "absolute", widest),
    Reading(exp.Coalesce, (ANY, ANY), "first not null", common, alike, more=True),
    Reading(exp.Nullif, (ANY, ANY), "null if equal", first, comparable),
    Reading(exp.Length, (ANY_TEXTS,), "length", "integer"),
    Reading(exp.Substring, (ANY_TEXTS, INTEGERS, INTEGERS), "piece", first, in_bounds),
    Reading(exp.Substring, (ANY_TEXTS, INTEGERS), "piece to the end", first, in_bounds),
    Reading(exp.Trim, (ANY_TEXTS,), "trimmed", first),
    Reading(exp.Trim, (ANY_TEXTS,), "trimmed", first, flags=frozenset({"position=BOTH"})),
    Reading(exp.Trim, (ANY_TEXTS,), "trimmed left", first, flags=frozenset({"position=LEADING"})),
    Reading(exp.Trim, (ANY_TEXTS,), "trimmed right", first, flags=frozenset({"position=TRAILING"})),
    Reading(exp.Replace, (ANY_TEXTS, STRINGS, ANY_TEXTS), "replaced", textual),
    Reading(exp.StrPosition, (frozenset({"text"}), STRINGS), "position", "integer", not_empty),
    Reading("COUNT *", (), "count rows", "integer"),
    Reading(exp.Count, (ANY,), "count", "integer"),
    Reading("COUNT DISTINCT", (ANY,), "count different", "integer", lambda v: comparable((v[0], v[0]))),
    Reading(exp.Sum, (WHOLES,), "total", "whole"),
    Reading(exp.Sum, (frozenset({"decimal"}),), "total", "decimal"),
    Reading(exp.Sum, (FLOATS,), "total", "float"),
    Reading(exp.Avg, (FLOATS,), "float mean", "float"),
    Reading(exp.Min, (DYNAMIC | CLOCKS,), "smallest", first),
    Reading(exp.Max, (DYNAMIC | CLOCKS,), "largest", first),
    *(
        Reading(f"EXTRACT {part}", (clocks,), part.lower(), "whole")
        for part, clocks in (
            ("YEAR", CLOCKS),
            ("MONTH", CLOCKS),
            ("DAY", CLOCKS),
            ("HOUR", TIMESTAMPS),
            ("MINUTE", TIMESTAMPS),
        )
    ),
)
"""What the standard's operators and functions mean in every database."""

WRITINGS: tuple[Writing, ...] = (
    infix("and", "AND", 2, chains=True),
    infix("or", "OR", 1, chains=True),
    Writing("not", "NOT {0}", 3, 3),
    Writing("is null", "{0} IS NULL", 4, 4),
    Writing("is not null", "{0} IS NOT NULL", 4, 4),
    infix("equal", "=", 4),
    infix("unequal", "<>", 4),
    infix("less", "<", 4),
    infix("less or equal", "<=", 4),
    infix("greater", ">", 4),
    infix("greater or equal", ">=", 4),
    Writing("between", "{0} BETWEEN {1} AND {2}", 4, 4),
    infix("sum", "+", 6, chains=True),
    infix("difference", "-", 6, chains=True),
    infix("product", "*", 7, chains=True),
    infix("float quotient", "/", 7),
    infix("remainder", "%", 7),
    Writing("negative", "-{0}", 8, 8),
    Writing("absolute", "ABS({0})"),
    Writing("first not null", "COALESCE({all})"),
    Writing("null if equal", "NULLIF({all})"),
    Writing("piece", "SUBSTR({all})"),
    Writing("piece to the end", "SUBSTR({all})"),
    Writing("trimmed", "TRIM({0})"),
    Writing("trimmed left", "LTRIM({0})"),
    Writing("trimmed right", "RTRIM({0})"),
    Writing("replaced", "REPLACE({all})"),
    Writing("count rows", "COUNT(*)"),
    Writing("count", "COUNT({0})"),
    Writing("count different", "COUNT(DISTINCT {0})"),
    Writing("total", "SUM({0})"),
    Writing("float mean", "AVG({0})"),
    Writing("smallest", "MIN({0})"),
    Writing("largest", "MAX({0})"),
)
"""What every database says in the standard's words."""
