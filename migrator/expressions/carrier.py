"""Expressions from one database's SQL into another's, construct by construct, by the rows of both their semantics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from migrator.errors import abridged
from migrator.model import types as t

from . import Untranslatable
from .semantics import (
    ANY_TEXTS,
    ATOM,
    DYNAMIC,
    MATCH_ESCAPE,
    MEANINGS,
    STRINGS,
    Change,
    Kind,
    Semantics,
    Value,
    Values,
    alike,
    common,
    several_rows,
    zero_division,
)
from .signs import sign_of, sign_of_one

Columns = Callable[[exp.Column], Value]
"""What a column is: its kind, and its name in the target's SQL."""


@dataclass(frozen=True)
class Inner:
    """A query inside of an expression: its SQL in parentheses, its columns, and whether it has one row at most."""

    sql: str
    columns: Sequence[Value]
    single: bool


Queries = Callable[[exp.Expr], Inner]
"""A query inside of an expression, carried."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_WHOLE = re.compile(r"-?\d+")
_INTEGERS = frozenset({"SMALLINT", "INT", "BIGINT"})
"""Types of whole numbers that casts are to."""
_FORMAT = re.compile(r"(?:%[YmdHMS]|[-/:. ])+")
_INTRODUCERS = frozenset({"_utf8mb4", "_utf8", "_utf8mb3", "_latin1", "_ascii"})
_CHANGING = frozenset({"today", "formatted"})
"""Meanings that some database does not take for the same every time."""
_DIVIDING = frozenset({"whole quotient", "float quotient", "remainder"})
"""Meanings whose second operand is not to be zero."""
_PREDICATES = frozenset(
    {
        *("and", "or", "not", "is null", "is not null", "is true", "is false", "matches"),
        *("equal", "unequal", "less", "less or equal", "greater", "greater or equal", "between"),
        *("same or both null", "different or one null"),
    }
)
"""Meanings that are written as conditions."""
_LARGEST = (1 << 63) - 1
"""The largest number that is an integer in all databases."""
_PARTS = {"%Y": "YEAR", "%m": "MONTH", "%d": "DAY", "%H": "HOUR", "%M": "MINUTE"}
_SAID_ANYWAY = frozenset({"typed", "safe", "big_int", "scale", "nested", "date_part_boundary", "zero_start", "sysdate"})
"""What sqlglot says of a construct of every database it knows, which the readings of the one at hand know anyway."""
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.DPipe: "||",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.IntDiv: "DIV",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "the exclusive or of bits",
    exp.RegexpLike: "a pattern match",
}
"""How messages name operators."""
_NO_VALUES = (exp.Var, exp.Identifier, exp.Where, exp.JSONPath, exp.JSONKeyValue, exp.CharacterSet)
"""Operands that are no values: a unit, a collation, a path. What has one is named itself, if nobody knows it."""
_CONVERTING = (
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.Between, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least),
)
"""Constructs that convert a constant to the type of their other operands."""


@dataclass(frozen=True)
class Target:
    """The database that is written for: its semantics, its title, and how it writes texts and truth values."""

    semantics: Semantics
    title: str
    literal: Callable[[str], str]
    boolean: Callable[[bool], str]


def _no_queries(node: exp.Expr) -> Inner:
    raise Untranslatable("it has a query in it")


def _not_zero(value: Value) -> Value:
    """A divisor that is NULL where it is zero."""
    return replace(value, sql=f"NULLIF({value.sql}, 0)", level=ATOM, nullable=True, never_zero=True)


def _is_zero(value: Value) -> bool:
    """Whether it is a zero that is written out."""
    return not (value.constant or value.sql).strip("-0.() ")


def _is_never_zero(meaning: str, values: Values) -> bool:
    """Whether the result is no zero, whatever the operands are: NULLIF(x, 0)."""
    if meaning == "null if equal":
        return _is_zero(values[1])
    given = values[0].never_zero or (values[0].constant is not None and not _is_zero(values[0])) if values else False
    return given and meaning in {"same", "negative", "absolute"}


class Carrier:
    """Carries the expressions of one place.

    ``fixed``: the place wants the same value every time. ``read``: they are computed when they are read, else when a row is
    written. ``changes``: takes what changes with them; None: nothing may. ``language``: what sqlglot calls the source's SQL,
    for messages; empty: any.
    """

    def __init__(
        self,
        source: Semantics,
        target: Target,
        columns: Columns,
        queries: Queries = _no_queries,
        *,
        fixed: bool = False,
        read: bool = False,
        changes: dict[Change, None] | None = None,
        language: str = "",
    ) -> None:
        self._language = language
        self._source, self._target, self._columns, self._queries, self._fixed = source, target, columns, queries, fixed
        self._changes = changes
        self._zero_division = zero_division(source, target.semantics, read=read)

    # --- entrances --------------------------------------------------------------------------------------------------

    def value(self, node: exp.Expr) -> Value:
        """The value in the target's SQL.

        :raises Untranslatable: something in it has no known counterpart.
        """
        found = self._found(node)
        if found.predicate and not self._target.semantics.truth_values:
            opposite = self._say("not", (found,), "boolean")
            sql = f"CASE WHEN {found.sql} THEN 1 WHEN {opposite.sql} THEN 0 END"
            return replace(found, sql=sql, level=ATOM, predicate=False)
        return found

    def _found(self, node: exp.Expr) -> Value:
        """The value, or the condition that it is."""
        node = _bare(node)
        if node.args.get("negate"):  # NOT LIKE, IS NOT
            plain = node.copy()
            plain.set("negate", None)
            return self._not(exp.Not(this=plain))
        special, known = _SPECIAL.get(type(node), (None, frozenset()))
        if special is None:
            return self._operation(node)
        if any(value and name not in known for name, value in node.args.items()):
            raise Untranslatable(f"what {abridged(node.sql(self._language or None))} means elsewhere is not known")
        return special(self, node)

    def condition(self, node: exp.Expr) -> Value:
        """The value as a condition: a number is one where the source takes it for one.

        :raises Untranslatable: something in it has no known counterpart.
        """
        value = self._found(node)
        if value.kind in {"boolean", "null"}:
            if value.predicate or self._target.semantics.truth_values:
                return value
            return replace(value, sql=f"{value.within(4)} = 1", level=4, predicate=True, constant=None)
        if value.kind in DYNAMIC and self._source.truth_numbers:
            return self._say("unequal", (value, Value("integer", "0", constant="0")), "boolean")
        raise Untranslatable(f"{node.sql(self._language or None)} is no condition")

    def orders(self, value: Value) -> bool:
        """Whether the target puts such values into their order; SQLite has long decimals as texts."""
        return self._has("less", value)

    def tells_apart(self, value: Value) -> bool:
        """Whether the target tells such values apart where they differ, and only there."""
        return self._has("equal", value)

    def _has(self, meaning: str, value: Value) -> bool:
        writings = (writing for writing in self._target.semantics.writings if writing.meaning == meaning)
        return any(writing.when is None or writing.when((value, value)) for writing in writings)

    def stored(self, node: exp.Expr, type_: t.Type, kind: Kind) -> Value:
        """The value as a column of ``type_`` and ``kind`` stores it.

        :raises Untranslatable: something in it, or its conversion to the column's type, has no known counterpart.
        """
        value = self._converted(self.value(node), Value(kind, "", type=type_))
        same = value.type is not None and t.base_of(value.type) == t.base_of(type_)
        rounds = self._source.binds and self._target.semantics.binds
        if kind in {"decimal", "number"} and isinstance(t.base_of(type_), t.Decimal):
            kept = same or rounds or value.constant is not None or value.kind in {"integer", "null"}
        else:
            kept = same or kind not in {"timestamp", "enum", "other"} or value.kind == "null"
        if not kept:
            raise Untranslatable(f"whether the column rounds a value to {type_} differs")
        if value.kind in {kind, "null"} or (value.kind in {"integer", "whole"} and kind in {"decimal", "float", "integer"}):
            return value
        if value.kind == "boolean" and kind == "integer" and self._source.truth_numbers:
            return self._say("truth as number", (value,), "integer")
        if {value.kind, kind} <= {"text", "string"}:
            return value
        raise Untranslatable(f"a value of the kind {value.kind} becomes one of the kind {kind} by rules that differ")

    # --- constructs -------------------------------------------------------------------------------------------------

    def _operation(self, node: exp.Expr) -> Value:
        if isinstance(node, exp.Dot):
            written = node.sql(self._language or None)
            named = written.partition("(")[0] if isinstance(node.expression, exp.Func) else abridged(written)
            raise Untranslatable(f"what {named} means elsewhere is not known")
        construct, operands, flags = _parts(node)
        if any(isinstance(operand, _NO_VALUES) for operand in operands):
            raise Untranslatable(f"what {called(node, self._language)} means elsewhere is not known")
        values = [self.value(_bare(operand)) for operand in operands]
        if isinstance(node, _CONVERTING):
            values = self._alike(values)
        if isinstance(node, exp.Coalesce):
            self._check_one_form(values)
        return self._read(construct, values, flags, node)

    def _read(
        self, construct: type[exp.Expr] | str, values: Values, flags: Iterable[str] = (), node: exp.Expr | None = None
    ) -> Value:
        flags = set(flags)
        for reading in self._source.readings:
            if reading.matches(construct, flags, values):
                if self._fixed and reading.meaning in _CHANGING:
                    raise Untranslatable(f"the same value is wanted every time here, not {MEANINGS[reading.meaning]}")
                if reading.change is not None:
                    self._change(reading.change)
                value = self._say(reading.meaning, values, reading.kind(values))
                known = _is_never_zero(reading.meaning, values)
                return replace(value, computed=sign_of(reading.meaning, values), never_zero=known)
        name = construct if isinstance(construct, str) else _SIGNS.get(construct, construct.__name__.upper())
        name = name if node is None else called(node, self._language)
        over = f" of {', '.join(value.kind for value in values)}" if values else ""
        raise Untranslatable(f"what {name}{over} means elsewhere is not known")

    def _change(self, change: Change) -> None:
        if self._changes is None:
            raise Untranslatable(change[1])
        self._changes[change] = None

    def _say(self, meaning: str, values: Values, kind: Kind) -> Value:
        if meaning == "same":
            return replace(values[0], kind=kind)
        if meaning in _DIVIDING and _is_zero(values[1]):
            raise Untranslatable("a division by zero is an error in one database, and NULL in another")
        if meaning in _DIVIDING and values[1].constant is None and not values[1].never_zero:
            if self._zero_division is not None:
                self._change(self._zero_division)
            if self._guards_divisors:
                values = (values[0], _not_zero(values[1]))
        for writing in self._target.semantics.writings:
            if writing.meaning == meaning and (writing.when is None or writing.when(values)):
                if writing.change is not None:
                    self._change(writing.change)
                types = {value.type for value in values if value.kind != "null"}
                type_ = types.pop() if meaning in {"first not null", "smallest", "largest"} and len(types) == 1 else None
                sql = writing.write(values, self._target.literal)
                large = kind in ANY_TEXTS | {"other"} and any(value.large for value in values)
                return Value(kind, sql, writing.level, type_, predicate=meaning in _PREDICATES, large=large)
        self.refuse_large(values)
        raise Untranslatable(f"{self._target.title} is not known to have: {MEANINGS[meaning]}")

    def refuse_large(self, values: Values) -> None:
        """See that none of the values that are compared is a LOB.

        :raises Untranslatable: one is.
        """
        if (lob := next((value for value in values if value.large), None)) is not None:
            raise Untranslatable(f"{lob.sql} is a LOB here, which {self._target.title} does not compare")

    @property
    def _guards_divisors(self) -> bool:
        """Whether a division by zero is, or may be, NULL at the source and an error at the target."""
        return self._source.zero_division != "error" and self._target.semantics.zero_division != "null"

    def _column(self, node: exp.Expr) -> Value:
        assert isinstance(node, exp.Column)
        return self._columns(node)

    # --- constants --------------------------------------------------------------------------------------------------

    def _literal(self, node: exp.Expr) -> Value:
        text: str = node.this
        if node.is_string:
            if not text and self._target.semantics.empty_is_null:
                raise Untranslatable(f"'' is NULL in {self._target.title}")
            return Value("string", self._target.literal(text), constant=text, nullable=False)
        if text.isdecimal():
            kind: Kind = "integer" if int(text) <= _LARGEST else "decimal"
            return Value(kind, text, constant=text, nullable=False)
        if _NUMBER.fullmatch(text):
            return Value(self._source.fractions, text, constant=text, nullable=False)
        raise Untranslatable(f"how exact {text} is differs")

    def _boolean(self, node: exp.Expr) -> Value:
        return Value("boolean", self._target.boolean(bool(node.this)), constant=str(int(node.this)), nullable=False)

    def _null(self, node: exp.Expr) -> Value:
        return Value("null", "NULL")

    def _introduced(self, node: exp.Expr) -> Value:
        if str(node.this).lower() not in _INTRODUCERS:
            raise Untranslatable(f"a constant in {node.this}")
        return self.value(node.expression)

    def _alike(self, values: list[Value]) -> list[Value]:
        """The values, constants converted to what the others are."""
        pattern = next((v for v in values if v.constant is None and v.kind not in {"null"} | STRINGS), None)
        pattern = pattern or next((v for v in values if v.type is not None), None)
        return [self._converted(value, pattern) for value in values] if pattern is not None else values

    def _converted(self, value: Value, pattern: Value) -> Value:
        """A constant as a value of the pattern's kind; what is no constant of that kind stays."""
        text = value.constant
        if text is None:
            return value
        if value.kind == "timestamp" and pattern.kind == "timestamp" and pattern.type is not None:
            return self._moment(text, pattern.type)
        if value.kind == "integer" and pattern.kind == "boolean" and self._source.truth_numbers and text in {"0", "1"}:
            return Value("boolean", self._target.boolean(text == "1"), constant=text, nullable=False)
        if value.kind != "string":
            return value
        if pattern.kind == "date" and _DATE.fullmatch(text):
            return self._day(text)
        if pattern.kind == "timestamp" and _TIMESTAMP.fullmatch(text):
            return self._moment(text, pattern.type or t.Timestamp())
        enum = t.base_of(pattern.type or t.Type())
        if pattern.kind == "enum" and isinstance(enum, t.Enum) and text in enum.labels:
            return replace(value, kind="enum", type=pattern.type)
        return value

    def _day(self, text: str) -> Value:
        made = self._say("date constant", (Value("string", self._target.literal(text)),), "date")
        return replace(made, constant=text, type=t.Date(), nullable=False)

    def _moment(self, text: str, type_: t.Type) -> Value:
        base = t.base_of(type_)
        digits = base.precision if isinstance(base, t.Timestamp) else 6
        seconds, _, fraction = text.partition(".")
        if fraction.rstrip("0")[digits:]:
            raise Untranslatable(f"'{text}' has more digits after the second than the column")
        full = f"{seconds}.{fraction[:digits].ljust(digits, '0')}".rstrip(".")
        made = self._say("timestamp constant", (Value("string", self._target.literal(full)),), "timestamp")
        return replace(made, constant=text, type=type_, nullable=False)

    # --- conditions -------------------------------------------------------------------------------------------------

    def _connected(self, node: exp.Expr) -> Value:
        sides = (self.condition(node.this), self.condition(node.expression))
        return self._say("and" if isinstance(node, exp.And) else "or", sides, "boolean")

    def _not(self, node: exp.Expr) -> Value:
        inner = _bare(node.this)
        if isinstance(inner, exp.Is) and not inner.args.get("negate") and isinstance(inner.expression, exp.Null):
            return self._say("is not null", (self.value(inner.this),), "boolean")
        return self._say("not", (self.condition(inner),), "boolean")

    def _is(self, node: exp.Expr) -> Value:
        right = _bare(node.expression)
        if isinstance(right, exp.Null):
            return self._say("is null", (self.value(node.this),), "boolean")
        if isinstance(right, exp.Boolean):
            return self._say(f"is {'true' if right.this else 'false'}", (self.condition(node.this),), "boolean")
        raise Untranslatable(f"what {node.sql()} means elsewhere is not known")

    def _compared(self, node: exp.Expr) -> Value:
        """A comparison; with ANY and ALL of an array, membership."""
        right = _bare(node.expression)
        if isinstance(node, exp.EQ) and isinstance(right, exp.Any):
            return self._member(node.this, _elements(right.this))
        if isinstance(node, exp.NEQ) and isinstance(right, exp.Anonymous) and right.name.upper() == "ALL":
            (array,) = right.expressions
            return self._say("not", (self._member(node.this, _elements(array)),), "boolean")
        return self._operation(node)

    def _in(self, node: exp.Expr) -> Value:
        query = node.args.get("query")
        if query is None:
            return self._member(node.this, node.expressions)
        inner = self._queries(query)
        value = self.value(node.this)
        if len(inner.columns) != 1:
            raise Untranslatable("rows are compared as a whole")
        self._read(exp.EQ, (value, inner.columns[0]))
        self.refuse_large((value, inner.columns[0]))
        return Value("boolean", f"{value.within(4)} IN {inner.sql}", 4, predicate=True)

    def _member(self, node: exp.Expr, items: Sequence[exp.Expr]) -> Value:
        value, *members = self._alike([self.value(item) for item in (node, *items)])
        if not members:
            raise Untranslatable("an empty list")
        for member in members:
            self._read(exp.EQ, (value, member))
        return Value("boolean", f"{value.within(4)} IN ({', '.join(member.sql for member in members)})", 4, predicate=True)

    def _exists(self, node: exp.Expr) -> Value:
        return Value("boolean", f"EXISTS {self._queries(node.this).sql}", predicate=True)

    def _scalar(self, node: exp.Expr) -> Value:
        inner = self._queries(node)
        if len(inner.columns) != 1:
            raise Untranslatable("rows are compared as a whole")
        if not inner.single and (change := several_rows(self._source, self._target.semantics)) is not None:
            self._change(change)
        return replace(inner.columns[0], sql=inner.sql, level=9, nullable=True, constant=None)

    def _like(self, node: exp.Expr) -> Value:
        escape = self._source.like_escape
        if isinstance(node, exp.Escape):
            escape, inner = _bare(node.expression).name, _bare(node.this)
            if type(inner) is not exp.Like:
                raise Untranslatable(f"what {called(inner, self._language)} with ESCAPE means elsewhere is not known")
            if inner.args.get("negate"):
                inner = inner.copy()
                inner.set("negate", None)
                return self._not(exp.Not(this=exp.Escape(this=inner, expression=node.expression)))
            node = inner
        value, pattern = self.value(node.this), self.value(_bare(node.expression))
        if value.kind != "text" or pattern.constant is None or pattern.kind != "string":
            raise Untranslatable(f"LIKE of {value.kind} and a pattern of {pattern.kind} differs")
        canonical = "".join(_canonical(pattern.constant, escape))
        if not self._source.like_case and re.search(r"[a-zA-Z]", canonical):
            raise Untranslatable("its LIKE takes capital and small letters of ASCII for one another")
        constant = Value("string", self._target.literal(canonical), constant=canonical)
        return self._say("matches", (value, constant), "boolean")

    # --- functions --------------------------------------------------------------------------------------------------

    def _case(self, node: exp.Expr) -> Value:
        subject = node.args.get("this") if isinstance(node, exp.Case) else None
        conditions: list[Value] = []
        for branch in node.args["ifs"] if isinstance(node, exp.Case) else [node]:
            test = exp.EQ(this=subject.copy(), expression=branch.this.copy()) if subject is not None else branch.this
            conditions.append(self.condition(test))
        results = [branch.args["true"] for branch in (node.args["ifs"] if isinstance(node, exp.Case) else [node])]
        last = node.args.get("default") if isinstance(node, exp.Case) else node.args.get("false")
        values = self._alike([self.value(result) for result in (*results, last or exp.Null())])
        if not alike(values):
            raise Untranslatable("its branches are of several kinds")
        self._check_one_form(values)
        branches = [f"WHEN {c.sql} THEN {v.sql}" for c, v in zip(conditions, values, strict=False)]
        otherwise = f" ELSE {values[-1].sql}" if last is not None else ""
        types = {value.type for value in values if value.kind != "null"}
        type_ = types.pop() if len(types) == 1 else None
        sql = f"CASE {' '.join(branches)}{otherwise} END"
        large = any(value.large for value in values)
        return Value(common(values), sql, type=type_, computed=sign_of_one(values), large=large)

    def _check_one_form(self, values: Values) -> None:
        """See that values which stand for one another have one form at the target.

        :raises Untranslatable: some are numbers and others texts there, which are never equal.
        """
        given = [value for value in values if value.kind != "null"]
        if len({value.large for value in given}) > 1:
            raise Untranslatable(f"some of its texts are LOBs in {self._target.title}, and others are not")
        if len({value.type for value in given}) > 1 and not all(map(self.orders, given)):
            raise Untranslatable("some of its numbers would be texts")

    def _cast(self, node: exp.Expr) -> Value:
        assert isinstance(node, exp.Cast)
        to, operand = node.to, _bare(node.this)
        name = _type_name(to)
        if isinstance(operand, exp.CurrentTimestamp) and name == "DATE":
            return self._read(exp.CurrentDate, (), node=node)
        if isinstance(operand, exp.TimeToStr) and name == "INT" and operand.args["format"].name in _PARTS:
            part = _PARTS[operand.args["format"].name]
            return replace(self._read(f"EXTRACT {part}", (self.value(operand.this),)), kind="integer")
        value = self.value(operand)
        if value.kind == "null":
            return value
        if to.expressions:
            raise Untranslatable(f"a cast to {to.sql(self._language or None)} cuts or rounds by rules that differ")
        if value.kind == "string" and value.constant is not None:
            return self._constant_cast(value, value.constant, name)
        return self._read(f"CAST {name}", (value,), node=node)

    def _constant_cast(self, value: Value, text: str, type_: str) -> Value:
        """A text that a cast makes a constant of another type."""
        if type_ in {"TEXT", "VARCHAR"} or (type_ == "USER-DEFINED" and self._source.own_types):
            return value
        if type_ == "DATE" and _DATE.fullmatch(text):
            return self._day(text)
        if type_ == "TIMESTAMP" and _TIMESTAMP.fullmatch(text):
            return self._moment(text, t.Timestamp())
        if self._keeps(text, type_):
            kind: Kind = "integer" if type_ in _INTEGERS else "decimal"
            number = Value(kind, text, 8 if text.startswith("-") else 9, constant=text, nullable=False)
            return self._say("as float", (number,), "float") if type_ == "DOUBLE" else number
        raise Untranslatable(f"what '{text}' is as {type_} differs")

    def _keeps(self, text: str, type_: str) -> bool:
        """Whether a cast makes a number of a text as it is written: some cut, round, or take the nearest that there is."""
        if type_ in _INTEGERS:
            return _WHOLE.fullmatch(text) is not None and abs(int(text)) <= _LARGEST
        if type_ == "DECIMAL" and (digits := self._source.decimal_digits) is not None:
            return _WHOLE.fullmatch(text) is not None and len(text.lstrip("-")) <= digits
        return type_ in {"DECIMAL", "DOUBLE"} and _NUMBER.fullmatch(text) is not None

    def _difference(self, node: exp.Expr) -> Value:
        days = [_day_numbered(side) for side in (node.this, node.expression)]
        if days[0] is None or days[1] is None:
            return self._operation(node)
        return self._read(exp.DateDiff, (self.value(days[0]), self.value(days[1])), node=node)

    def _extract(self, node: exp.Expr) -> Value:
        part = _bare(node.this)
        part = _bare(part.this) if isinstance(part, exp.Cast) else part
        return self._read(f"EXTRACT {part.name.upper()}", (self.value(node.expression),))

    def _left(self, node: exp.Expr) -> Value:
        values = (self.value(node.this), Value("integer", "1", constant="1"), self.value(node.expression))
        return self._read(exp.Substring, values, node=node)

    def _part_of_day(self, node: exp.Expr) -> Value:
        return self._read(f"EXTRACT {type(node).__name__.upper()}", (self.value(_undated(node.this)),))

    def _count(self, node: exp.Expr) -> Value:
        counted = _bare(node.this)
        if isinstance(counted, exp.Star):
            return self._read("COUNT *", ())
        if isinstance(counted, exp.Distinct):
            return self._read("COUNT DISTINCT", [self.value(item) for item in counted.expressions])
        return self._operation(node)

    def _list(self, node: exp.Expr) -> Value:
        if isinstance(node.this, exp.Order | exp.Distinct):
            raise Untranslatable("the order of the texts in a list differs")
        separator = node.args.get("separator") or exp.Literal.string(",")
        return self._read(exp.GroupConcat, (self.value(node.this), self.value(separator)), node=node)

    def _formatted(self, node: exp.Expr) -> Value:
        format_ = self.value(node.args["format"])
        if format_.constant is None or not _FORMAT.fullmatch(format_.constant):
            raise Untranslatable(f"the format {format_.constant or format_.sql} differs")
        return self._read(exp.TimeToStr, (self.value(node.this), format_), node=node)


_BINARY = frozenset({"this", "expression"})
_SPECIAL: dict[type[exp.Expr], tuple[Callable[[Carrier, exp.Expr], Value], frozenset[str]]] = {
    exp.Column: (Carrier._column, frozenset({"this", "table", "db"})),
    exp.Literal: (Carrier._literal, frozenset({"this", "is_string"})),
    exp.Boolean: (Carrier._boolean, frozenset({"this"})),
    exp.Null: (Carrier._null, frozenset()),
    exp.Introducer: (Carrier._introduced, _BINARY),
    exp.And: (Carrier._connected, _BINARY),
    exp.Or: (Carrier._connected, _BINARY),
    exp.Not: (Carrier._not, frozenset({"this"})),
    exp.Is: (Carrier._is, _BINARY),
    exp.EQ: (Carrier._compared, _BINARY),
    exp.NEQ: (Carrier._compared, _BINARY),
    exp.In: (Carrier._in, frozenset({"this", "expressions", "query"})),
    exp.Exists: (Carrier._exists, frozenset({"this"})),
    exp.Subquery: (Carrier._scalar, frozenset({"this"})),
    exp.Select: (Carrier._scalar, frozenset(exp.Select.arg_types)),
    exp.Like: (Carrier._like, _BINARY),
    exp.Escape: (Carrier._like, _BINARY),
    exp.Case: (Carrier._case, frozenset({"this", "ifs", "default"})),
    exp.If: (Carrier._case, frozenset({"this", "true", "false"})),
    exp.Cast: (Carrier._cast, frozenset({"this", "to"})),
    exp.Sub: (Carrier._difference, _BINARY),
    exp.Extract: (Carrier._extract, _BINARY),
    **dict.fromkeys((exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute), (Carrier._part_of_day, frozenset({"this"}))),
    exp.Left: (Carrier._left, _BINARY),
    exp.Count: (Carrier._count, frozenset({"this", "big_int"})),
    exp.GroupConcat: (Carrier._list, frozenset({"this", "separator"})),
    exp.TimeToStr: (Carrier._formatted, frozenset({"this", "format"})),
}
"""Constructs whose operands are more than values of kinds, and all that may be said of them."""

_WRAPPERS = (exp.Paren, exp.TsOrDsToTimestamp)
"""What stands around an operand and says nothing: parentheses, and what sqlglot adds to times that are formatted."""


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def _undated(node: exp.Expr) -> exp.Expr:
    """What sqlglot takes the day of, before it takes a part of that."""
    node = _bare(node)
    return _bare(node.this) if isinstance(node, exp.TsOrDsToDate) else node


def _day_numbered(node: exp.Expr) -> exp.Expr | None:
    """What MySQL's TO_DAYS, as sqlglot writes it, gives the number of: views have it for DATEDIFF."""
    node = _bare(node)
    counted = _bare(node.this) if isinstance(node, exp.Add) else None
    since = _undated(counted.expression) if isinstance(counted, exp.DateDiff) else None
    is_first = isinstance(since, exp.Literal) and since.this == "0000-01-01"
    return counted.this if isinstance(counted, exp.DateDiff) and is_first else None


def _type_name(to: exp.Expr) -> str:
    """How readings call the type of a cast; object identifiers (regclass …) and spans are none of sqlglot's types."""
    return str(to.this.value) if isinstance(to, exp.DataType) and isinstance(to.this, exp.DataType.Type) else to.sql()


_CALL = re.compile(r"(?P<name>\w+)\(.*\)", re.DOTALL)


def called(node: exp.Expr, language: str) -> str:
    """How messages name what an expression does: an operator by its sign, a function by its name, all else as written."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    if type(node) in _SIGNS:
        return _SIGNS[type(node)]
    written = node.sql(language or None)
    if isinstance(node, exp.Cast):
        return f"CAST AS {node.to.sql(language or None)}"
    if isinstance(node, exp.Func) and (found := _CALL.fullmatch(written)) is not None:
        return found["name"].upper()
    keyword = type(node).__name__.upper()
    return keyword if re.search(rf"\b{keyword}\b", written.upper()) else abridged(written)


def _parts(node: exp.Expr) -> tuple[type[exp.Expr] | str, list[exp.Expr], set[str]]:
    """The construct, its operands in order, and what else is said of it."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper(), list(node.expressions), set()
    operands: list[exp.Expr] = []
    flags: set[str] = set()
    for name in node.arg_types:
        said = node.args.get(name)
        if isinstance(said, exp.Expr):
            operands.append(said)
        elif isinstance(said, list):
            operands += said
        elif said and name not in _SAID_ANYWAY:
            flags.add(f"{name}={said}" if isinstance(said, str) else name)
    return type(node), operands, flags


def _elements(node: exp.Expr) -> Sequence[exp.Expr]:
    """The elements of ARRAY[…]."""
    node = _bare(node)
    node = _bare(node.this) if isinstance(node, exp.Cast) else node
    if not isinstance(node, exp.Array):
        raise Untranslatable("an array that is not written out")
    return list(node.expressions)


def _canonical(pattern: str, escape: str | None) -> Iterator[str]:
    """A pattern of LIKE with the usual escape."""
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            escaped = next(characters, None)
            if escaped is None:
                raise Untranslatable("its pattern ends in an escape")
            yield MATCH_ESCAPE + escaped if escaped in f"%_{MATCH_ESCAPE}" else escaped
        else:
            yield MATCH_ESCAPE * 2 if character == MATCH_ESCAPE else character
