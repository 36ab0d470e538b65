"""Expressions and queries that sqlglot wrote for Oracle, made into what Oracle means by them, or refused.

sqlglot writes what it knows and passes on what it does not, and Oracle reads some of it otherwise: it has no truth values
in SQL before 23ai, takes '' for NULL, compares no CLOBs, and reads dates by the session's format. So only what stands in
the tables here is let through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlglot import exp

from migrator.expressions import Language, Untranslatable, generate, parse
from migrator.expressions.carrier import called
from migrator.model import types as t

Kind: TypeAlias = Literal["boolean", "number", "text", "lob", "other"]
"""What a column is in Oracle, as far as expressions care."""

_KINDS: tuple[tuple[type[t.Type], Kind], ...] = (
    (t.Boolean, "boolean"),
    (t.Integer, "number"),
    (t.Decimal, "number"),
    (t.Float, "number"),
    (t.Year, "number"),
    (t.String, "text"),
    (t.Enum, "text"),
    (t.SetOf, "text"),
    (t.Bit, "text"),
)


def kind_of(type_: t.Type, declaration: str) -> Kind:
    """The kind of a column of neutral ``type_`` that Oracle declares as ``declaration``."""
    if declaration.startswith(("CLOB", "BLOB")):
        return "lob"
    return next((kind for known, kind in _KINDS if isinstance(t.base_of(type_), known)), "other")


@dataclass(frozen=True)
class Adapted:
    """SQL for Oracle, and what it means otherwise than at the source: rules and sentences as losses have them."""

    sql: str
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where an expression stands: as a ``condition`` or a value; ``fixed``: where Oracle wants the same value every time.

    ``kinds``: what the columns of a name can be, there being one or several of that name. ``source``: the adapter's name.
    ``schema``: the schema of tables that are named without one.
    """

    source: str
    kinds: Callable[[str], Collection[Kind]]
    schema: exp.Identifier | None = None
    condition: bool = False
    fixed: bool = False


_FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        *(exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Sign),
        *(exp.Lower, exp.Upper, exp.Initcap, exp.Length, exp.Trim, exp.Substring, exp.StrPosition, exp.Replace, exp.Pad),
        *(exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Cast, exp.Extract, exp.Concat, exp.RegexpLike),
        *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Exists, exp.And, exp.Or),
        *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
        *(exp.CurrentDate, exp.CurrentTimestamp),
    }
)
"""The functions that mean here what they mean elsewhere."""

_CLOCK = (exp.CurrentDate, exp.CurrentTimestamp)

_LACKING: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Filter, "Oracle has no FILTER of aggregates"),
    (exp.Glob, "Oracle has no GLOB"),
    (exp.SimilarTo, "Oracle has no SIMILAR TO"),
    (exp.Collate, "collations have other names and other rules in Oracle"),
    (exp.BitwiseAnd, "Oracle has no bit operators"),
    (exp.BitwiseOr, "Oracle has no bit operators"),
    (exp.BitwiseXor, "Oracle has no bit operators"),
    (exp.BitwiseNot, "Oracle has no bit operators"),
    (exp.BitwiseLeftShift, "Oracle has no bit operators"),
    (exp.BitwiseRightShift, "Oracle has no bit operators"),
    (exp.NullSafeEQ, "Oracle has no comparison that takes two NULLs for equal"),
    (exp.NullSafeNEQ, "Oracle has no comparison that takes two NULLs for equal"),
    (exp.AtTimeZone, "a time zone's rules differ"),
    (exp.Except, "Oracle has no EXCEPT before 21c"),
    (exp.Lateral, "lateral joins differ"),
    (exp.Unnest, "Oracle has no arrays in SQL"),
    (exp.Bracket, "Oracle has no arrays in SQL"),
    (exp.Interval, "spans of time are written otherwise"),
    (exp.Placeholder, "a parameter has no value here"),
    (exp.Parameter, "a parameter has no value here"),
)
"""What Oracle does not have, and how the loss says so."""

_TYPES = exp.DType
_NUMBERS = {_TYPES.INT, _TYPES.BIGINT, _TYPES.SMALLINT, _TYPES.DECIMAL, _TYPES.DOUBLE, _TYPES.FLOAT}
_TEXTS = {_TYPES.TEXT, _TYPES.VARCHAR, _TYPES.CHAR, _TYPES.NVARCHAR, _TYPES.NCHAR}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TEMPORAL = {
    _TYPES.DATE: ("DATE", re.compile(r"\d{4}-\d\d-\d\d")),
    _TYPES.TIMESTAMP: ("TIMESTAMP", re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?")),
}
_SKIPS_NULL = "skips NULL"
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)


def adapt(sql: str, place: Place) -> Adapted:
    """``sql``, which sqlglot wrote for Oracle, as Oracle must have it.

    :raises Untranslatable: Oracle cannot say it, or would mean something else by it.
    """
    tree = exp.Paren(this=parse(sql, Language("oracle")))  # so that every node can be replaced, the outermost included
    _any_of_array(tree)
    _empty_for_null(tree)
    for node in list(tree.walk()):
        _refuse_lacking(node, place)
    for cast in list(tree.find_all(exp.Cast)):
        _cast(cast, place)
    for select in list(tree.find_all(exp.Select)):
        _grouping(select, place)
    _truth_values(tree, place)
    _refuse_lobs(tree, place)
    for day in list(tree.find_all(exp.CurrentDate)):
        day.replace(exp.Anonymous(this="TRUNC", expressions=[exp.CurrentDate()]))  # Oracle's has the time of day too
    _tables(tree, place)
    changes = tuple(dict.fromkeys(_changes(tree, place)))
    _two_operands(tree)
    return Adapted(generate(tree.this, "oracle"), changes)


def _bare(node: exp.Expr | None) -> exp.Expr | None:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


# --- what Oracle lacks ----------------------------------------------------------------------------------------------


def _any_of_array(tree: exp.Expr) -> None:
    """``x = ANY (ARRAY[…])``, as PostgreSQL shows an IN list, back into the IN list."""
    for equal in list(tree.find_all(exp.EQ)):
        any_ = equal.expression
        array = _bare(any_.this) if isinstance(any_, exp.Any) else None
        if isinstance(array, exp.Cast):
            array = _bare(array.this)
        if isinstance(array, exp.Array):
            equal.replace(exp.In(this=equal.this, expressions=array.expressions))


def _empty_for_null(tree: exp.Expr) -> None:
    """``COALESCE(x, '')`` in a joined text, as it shows functions that skip NULLs: Oracle's ``||`` does that by itself."""
    for joined in list(tree.find_all(exp.Concat, exp.DPipe)):
        operands = joined.expressions if isinstance(joined, exp.Concat) else [joined.this, joined.expression]
        for operand in operands:
            if isinstance(operand, exp.Coalesce) and [o.sql() for o in operand.expressions] == ["''"]:
                joined.meta[_SKIPS_NULL] = True
                operand.replace(operand.this)


def _refuse_lacking(node: exp.Expr, place: Place) -> None:
    for kind, why in _LACKING:
        if isinstance(node, kind):
            raise Untranslatable(why)
    if isinstance(node, exp.Func) and type(node) not in _FUNCTIONS:
        raise Untranslatable(f"function {node.name if isinstance(node, exp.Anonymous) else called(node, 'oracle')} differs")
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise Untranslatable("a recursive WITH is written otherwise")
    if isinstance(node, exp.Literal) and node.is_string and node.this == "":
        raise Untranslatable("'' is NULL in Oracle")
    if isinstance(node, exp.Like) and "\\" in node.expression.sql():
        raise Untranslatable("a backslash in a pattern of LIKE means itself in Oracle")
    if isinstance(node, _CLOCK) and place.fixed:
        raise Untranslatable("Oracle wants the same value every time here, not the current date")
    if isinstance(node, _CLOCK) and place.source == "sqlite":
        raise Untranslatable("the current date is a text in SQLite")
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        for operand in (_bare(node.this), _bare(node.expression)):
            if _is_text(operand, place):
                raise Untranslatable(f"it calculates with a text, {operand.sql() if operand else ''}")
    if isinstance(node, exp.Length) and node.args.get("binary"):
        raise Untranslatable("the length counts bytes")


def _is_text(node: exp.Expr | None, place: Place) -> bool:
    if isinstance(node, exp.Column):
        kinds = set(place.kinds(node.name))
        return bool(kinds) and kinds <= {"text", "lob"}
    return isinstance(node, exp.Literal) and node.is_string


def _cast(cast: exp.Cast, place: Place) -> None:
    """Casts that Oracle would do by the session's settings become literals; unknown ones are refused."""
    type_, operand = cast.to.this, _bare(cast.this)
    is_text = isinstance(operand, exp.Literal) and operand.is_string
    value = operand.name if operand is not None else ""
    if type_ in _TEXTS and operand is not None and not cast.to.expressions:
        if _is_text(operand, place):
            cast.replace(operand)
            return
    elif type_ in _TEMPORAL and is_text:
        word, pattern = _TEMPORAL[type_]
        if pattern.fullmatch(value):
            cast.replace(exp.Var(this=f"{word} '{value}'"))
            return
    elif type_ in _NUMBERS and is_text:
        if _NUMBER.fullmatch(value):
            cast.replace(exp.Paren(this=exp.Var(this=value)))
            return
    elif type_ in _NUMBERS and place.source != "sqlite":  # SQLite cuts off the fraction, the others round it
        return
    raise Untranslatable(f"a cast to {cast.to.sql()} differs")


# --- grouping -------------------------------------------------------------------------------------------------------


def _grouping(select: exp.Select, place: Place) -> None:
    """Groups by expressions, where others take the number or alias of a column, and shows nothing else than groups."""
    group = select.args.get("group")
    shown = [item.unalias() for item in select.expressions]
    aliases = {item.alias: item.unalias() for item in select.expressions if item.alias}
    for key in list(group.expressions) if group is not None else []:
        if isinstance(key, exp.Literal) and not key.is_string and 1 <= int(key.this) <= len(shown):
            key.replace(shown[int(key.this) - 1].copy())
        elif isinstance(key, exp.Column) and not key.table and key.name in aliases and not place.kinds(key.name):
            key.replace(aliases[key.name].copy())
    if group is None and not any(_aggregates(item) for item in shown):
        return
    keys = group.expressions if group is not None else []
    order = select.args.get("order")
    ordered = [item.this for item in order.expressions if item.this.name not in aliases] if order is not None else []
    known = {key.sql() for key in keys} | {key.name for key in keys if isinstance(key, exp.Column)}
    for item in (*shown, *ordered):
        if (column := _ungrouped(item, known)) is not None:
            raise Untranslatable(f"it shows {column.name} without grouping by it")


def _aggregates(node: exp.Expr) -> bool:
    if isinstance(node, exp.Window | exp.Query):
        return False
    return isinstance(node, exp.AggFunc) or any(_aggregates(part) for part in node.iter_expressions())


def _ungrouped(node: exp.Expr, known: Collection[str]) -> exp.Column | None:
    """A column in ``node`` that has several values in a group."""
    if isinstance(node, exp.AggFunc | exp.Query) or node.sql() in known:
        return None
    if isinstance(node, exp.Column):
        return None if node.name in known else node
    return next((found for part in node.iter_expressions() if (found := _ungrouped(part, known)) is not None), None)


# --- truth values ---------------------------------------------------------------------------------------------------


def _is_predicate(node: exp.Expr | None) -> bool:
    if isinstance(node, exp.Any | exp.All):
        return False
    return isinstance(node, exp.Predicate | exp.Connector | exp.Not | exp.RegexpLike)


def _conditions(tree: exp.Expr, place: Place) -> Iterator[exp.Expr]:
    """Every place where a condition is wanted, without its parentheses."""
    wanted: list[exp.Expr | None] = [tree] if place.condition else []
    for node in tree.walk():
        if isinstance(node, exp.Where | exp.Having | exp.Not):
            wanted.append(node.this)
        elif isinstance(node, exp.Connector):
            wanted += [node.left, node.right]
        elif isinstance(node, exp.Join):
            wanted.append(node.args.get("on"))
        elif isinstance(node, exp.Case) and node.this is None:
            wanted += [branch.this for branch in node.args["ifs"]]
    yield from (bare for node in wanted if (bare := _bare(node)) is not None)


def _truth_values(tree: exp.Expr, place: Place) -> None:
    """Truth values as the numbers 0 and 1 that :class:`~migrator.model.types.Boolean` columns hold here."""
    conditions = list(_conditions(tree, place))
    standing = {id(node) for node in conditions}
    for node in list(tree.walk()):
        if _is_predicate(node) and id(node) not in standing:
            raise Untranslatable("a condition used as a value")
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
            raise Untranslatable("Oracle has no IS TRUE before 23ai")
    for node in conditions:
        if not _is_predicate(node):
            node.replace(_as_condition(node, place))
    for node in list(tree.find_all(exp.Boolean)):
        node.replace(exp.Literal.number(int(node.this)))


def _as_condition(node: exp.Expr, place: Place) -> exp.Expr:
    if isinstance(node, exp.Boolean):
        return exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(int(node.this)))
    kinds = set(place.kinds(node.name)) if isinstance(node, exp.Column) else set()
    if kinds == {"boolean"}:
        return exp.EQ(this=node.copy(), expression=exp.Literal.number(1))
    if kinds and kinds <= {"boolean", "number"}:
        return exp.NEQ(this=node.copy(), expression=exp.Literal.number(0))
    raise Untranslatable("a value used as a condition")


# --- CLOBs ----------------------------------------------------------------------------------------------------------


def compared_columns(tree: exp.Expr) -> Iterator[exp.Column]:
    """The columns whose values are compared, sorted or grouped somewhere in ``tree``."""
    for node in tree.walk():
        yield from _compared(node)


def _refuse_lobs(tree: exp.Expr, place: Place) -> None:
    for column in compared_columns(tree):
        if "lob" in place.kinds(column.name):
            raise Untranslatable(f"{column.name} is a CLOB or BLOB here, which Oracle does not compare")


def _compared(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns whose values ``node`` compares."""
    if isinstance(node, _COMPARISONS):
        operands = [node.this] if isinstance(node, exp.In) else [o for o in node.args.values() if isinstance(o, exp.Expr)]
        yield from (column for operand in operands for column in _valued(operand))
    elif isinstance(node, exp.Group | exp.Order | exp.Distinct):
        yield from node.find_all(exp.Column)
        if isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Select):
            yield from (c for projection in node.parent.expressions for c in projection.find_all(exp.Column))
    elif isinstance(node, exp.SetOperation) and node.args.get("distinct"):
        yield from (c for side in (node.left, node.right) for p in side.selects for c in p.find_all(exp.Column))


def _valued(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns that ``node``'s own value can be a piece of: not those it counts, nor those of a query in it."""
    if isinstance(node, exp.Column):
        yield node
    elif not isinstance(node, exp.Length | exp.StrPosition | exp.Query):
        for part in node.iter_expressions():
            yield from _valued(part)


# --- what means something else --------------------------------------------------------------------------------------


def _changes(tree: exp.Expr, place: Place) -> Iterator[tuple[str, str]]:
    for node in tree.walk():
        if isinstance(node, exp.DPipe | exp.Concat) and _SKIPS_NULL not in node.meta:
            yield "oracle-concat", "joining texts takes NULL for an empty text here, where the source gives NULL"
        if isinstance(node, exp.Div) and place.source != "mysql":
            yield "oracle-division", "the division of whole numbers keeps the fraction here, where the source cuts it off"
        if isinstance(node, exp.Mod) and _may_be_zero(node.expression):
            yield "division-by-zero", "the remainder of a division by zero is the dividend here"
        if isinstance(node, exp.RegexpLike):
            yield "oracle-regexp", "the regular expression follows Oracle's rules here"
        if isinstance(node, exp.Like) and place.source in {"sqlite", "mysql"}:
            yield "oracle-like", "LIKE tells capital letters from small ones here"


def _may_be_zero(divisor: exp.Expr) -> bool:
    """Whether a divisor is no constant but zero, and no NULLIF of a zero."""
    bare = _bare(divisor)
    if isinstance(bare, exp.Nullif):
        return not _is_zero(bare.expression)
    return not isinstance(bare, exp.Literal) or _is_zero(bare)


def _is_zero(node: exp.Expr) -> bool:
    constant = _bare(node)
    return isinstance(constant, exp.Literal) and not constant.this.strip("0.")


def _tables(tree: exp.Expr, place: Place) -> None:
    """Every table with its schema, and DUAL where there is none: the script's user is not the tables' owner."""
    named_here = {query.alias for query in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if place.schema is not None and not table.db and table.name not in named_here:
            table.set("db", place.schema.copy())
    for select in list(tree.find_all(exp.Select)):
        if select.find(exp.From) is None:
            select.from_("dual", copy=False)


def _two_operands(tree: exp.Expr) -> None:
    """``CONCAT`` of any number of texts as ``||``: Oracle's CONCAT takes two."""
    for concat in list(tree.find_all(exp.Concat)):
        first, *others = concat.expressions
        joined: exp.Expr = first
        for other in others:
            joined = exp.DPipe(this=joined, expression=other)
        concat.replace(exp.Paren(this=joined))
