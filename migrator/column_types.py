"""COLUMN_TYPE: another type for a column at the target than its own, where the user knows, or a profile has proved, better.

Values come as what they are at the source and are brought into the chosen type as they are into that of a table which was
there before, so that one that does not fit is refused with the column's name. Where they are written otherwise then, a
constant default follows them, and what names the column is told. Into a table that was there before it says how values are
read, where the type does not: in which order a UUID's bytes come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from migrator import arrow
from migrator.adapter import Capabilities, load_adapter
from migrator.between import tells_members
from migrator.ddl import expressions_of
from migrator.errors import ConflictingParameters, InvalidValue, ValueNotCarried, nearest
from migrator.expressions import Untranslatable
from migrator.expressions.constants import value_of
from migrator.filters import columns_of, spelled
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import EXACT, Equality
from migrator.model.objects import Column, Expression, Literal, Object, Table, View
from migrator.spec import ColumnType, JobSpec

_NUMBERS = (t.Integer, t.Decimal)

_RULE, _RULE_NAMED = "column-type", "column-type-named"
CHOSEN = frozenset({_RULE, _RULE_NAMED})
"""The rules of the entries about types that were chosen, and about what was written for other values."""


@dataclass(frozen=True)
class Choice:
    """One row: a type that can be chosen, for columns of which types at the source; ``keeps``: what becomes of values.

    ``becomes`` None: the type stays, and texts are held for equal as ``compares`` says.

    ``rewrites``: those of these types whose values are written otherwise then.
    """

    name: str
    becomes: t.Type | None
    of: tuple[type[t.Type], ...]
    keeps: str = "a value that does not fit is refused"
    rewrites: tuple[type[t.Type], ...] = ()
    compares: Equality | None = None


_FRACTION = "with a fraction of a second if there is one; of MySQL always, with as many digits as the column has"

TEXT_FORMS: Mapping[type[t.Type], str] = {
    t.Boolean: "`true` or `false`",
    t.Integer: "its digits",
    t.Decimal: "its digits, as many after the point as its type has; `NaN`, `Infinity`, `-Infinity`",
    t.Float: "the fewest digits that tell it from any other of so many bits; `NaN`, `Infinity`, `-Infinity`",
    t.Date: "`2024-02-29`; zero dates, `infinity` and years before Christ as the source writes them",
    t.Time: f"`23:59:59`, {_FRACTION}",
    t.Timestamp: f"`2024-02-29 23:59:59`, {_FRACTION}; an instant in UTC, without the zone",
    t.Interval: "as the source writes it",
    t.Year: "four digits",
    t.Json: "the document as it travels: of `jsonb` and MySQL's JSON as the source writes it",
    t.Uuid: "36 characters in small letters",
    t.Xml: "the document",
    t.Bit: "a text of 0 and 1",
    t.Enum: "the label",
    t.SetOf: "the members, joined with commas; none of them may be the empty text",
    t.Array: "as PostgreSQL writes it",
}
"""What the text of a value is: exact, since it says all of it, and no two values have one text."""

_AS_TEXT = "labels and ranges are no longer checked, and the texts are what is compared and sorted"

_BY_ICU = (
    "by a collation of ICU that the job makes in the table's schema, in PostgreSQL alone; regular expressions are refused "
    "there, before PostgreSQL 18 LIKE too, and blanks at the end count"
)

CHOICES = (
    Choice("boolean", t.Boolean(), _NUMBERS),
    Choice("smallint", t.Integer(16), _NUMBERS),
    Choice("integer", t.Integer(32), _NUMBERS),
    Choice("bigint", t.Integer(64), _NUMBERS),
    Choice("decimal", t.Decimal(), _NUMBERS, "a value that does not fit decimal(p,s) is refused"),
    Choice("date", t.Date(), (t.Timestamp,)),
    Choice(
        "uuid",
        t.Uuid(),
        (t.String, t.Binary),
        "a text that is no UUID is refused, as bytes are that are not 16; capitals and braces are not kept",
        rewrites=(t.Binary,),
    ),
    Choice(
        "uuid_swapped",
        t.Uuid(swapped=True),
        (t.Binary,),
        "the bytes are as MySQL's UUID_TO_BIN(…, 1) puts them: parts of the time change places; others than 16 are refused",
        rewrites=(t.Binary,),
    ),
    Choice("json", t.Json(), (t.String,), "a text that is no JSON is refused"),
    Choice(
        "text",
        t.String(),
        tuple(TEXT_FORMS),
        f"each value becomes its text, as below; {_AS_TEXT}",
        rewrites=tuple(TEXT_FORMS),
    ),
    Choice(
        "binary",
        t.Binary(),
        (t.String,),
        "each text becomes its bytes in UTF-8, NUL among them; of SQLite and MySQL also bytes that are no text, as they are"
        "; the length is no longer checked, and the bytes are what is compared and sorted",
        rewrites=(t.String,),
    ),
    Choice(
        "array",
        t.Array(t.String()),
        (t.SetOf,),
        "the members in the order of the declaration, none of them: `{}`; in PostgreSQL alone",
        rewrites=(t.SetOf,),
    ),
    Choice(
        "ignore_case",
        None,
        (t.String,),
        f"the type stays, and texts that differ in case alone are equal, {_BY_ICU}",
        compares=Equality(case=True, letters=True, forms=True),
    ),
    Choice(
        "ignore_accents",
        None,
        (t.String,),
        f"the type stays, and texts that differ in case and accents alone are equal, {_BY_ICU}",
        compares=Equality(case=True, letters=True, accents=True, forms=True),
    ),
)
"""The types that can be chosen. ``decimal`` has a precision and a scale."""

_WRITTEN = re.compile(r"(?P<name>[a-z_]+(?:\[\])?)\s*(?:\(\s*(?P<precision>\d+)\s*(?:,\s*(?P<scale>\d+)\s*)?\))?")


def chosen(text: str) -> tuple[Choice, t.Type | None]:
    """The type that is written so, such as ``boolean`` or ``decimal(9,2)``; None: the column's own.

    :raises InvalidValue: there is none.
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    choice = None if found is None else next((row for row in CHOICES if found["name"] in {row.name, str(row.becomes)}), None)
    if found is None or choice is None or (choice.name == "decimal") != (found["precision"] is not None):
        known = ", ".join("decimal(p,s)" if row.name == "decimal" else row.name for row in CHOICES)
        raise InvalidValue(name="COLUMN_TYPE", detail=f"'{text}' is none of {known}")
    if found["precision"] is None:
        return choice, choice.becomes
    precision, scale = int(found["precision"]), int(found["scale"] or 0)
    if not 0 < precision >= scale:
        raise InvalidValue(name="COLUMN_TYPE", detail=f"'{text}' has no digits, or more after the point than in all")
    return choice, t.Decimal(precision, scale)


def choose_types(catalog: Catalog, spec: JobSpec) -> Catalog:
    """The catalog with the chosen types; names are those of the source.

    :raises InvalidValue: a setting names no column of the job, or one whose values cannot be of that type.
    :raises ConflictingParameters: two settings choose different types for one column.
    """
    if not spec.column_types:
        return catalog
    wanted: dict[tuple[str, str, str], ColumnType] = {}
    for setting in spec.column_types:
        places = list(_meant(catalog, setting))
        if not places:
            near = nearest(".".join(setting.names), columns_of(catalog.of(Table), len(setting.names)))
            raise InvalidValue(name="COLUMN_TYPE", detail=f"{setting}: the job has no such column{near}")
        for place in places:
            other = wanted.setdefault(place, setting)
            if chosen(other.type) != chosen(setting.type):
                raise ConflictingParameters(detail=f"COLUMN_TYPE={other} and COLUMN_TYPE={setting} exclude each other")
    losses: list[Loss] = []

    def changed(obj: Object) -> Object:
        if not isinstance(obj, Table):
            return obj
        place = (obj.source.schema, obj.source.name)
        settings = ((column, wanted.get((*place, column.source))) for column in obj.columns)
        change = partial(_changed, obj, dialect=catalog.dialect, losses=losses)
        columns = (column if setting is None else change(column, setting.type) for column, setting in settings)
        return replace(obj, columns=tuple(columns))

    made = catalog.with_objects(tuple(changed(obj) for obj in catalog.objects))
    return made.with_losses(*losses, *_naming(made))


def check_places(catalog: Catalog, capabilities: Capabilities) -> None:
    """Refuse the choices that the target has no place for.

    :raises InvalidValue: there is one; the message names the column.
    """
    for table in catalog.of(Table):
        for column in table.columns:
            if column.carried is not None and isinstance(column.type, t.Array) and not capabilities.arrays:
                detail = f"{table.source}.{column.source} cannot become array: the target has none, PostgreSQL alone has"
                raise InvalidValue(name="COLUMN_TYPE", detail=detail)
            if column.compares is not None and column.compares not in capabilities.compares:
                name = next(row.name for row in CHOICES if row.compares == column.compares)
                detail = (
                    f"{table.source}.{column.source}: {name} is for PostgreSQL, others take the nearest of their collations"
                )
                raise InvalidValue(name="COLUMN_TYPE", detail=detail)


def _meant(catalog: Catalog, setting: ColumnType) -> Iterator[tuple[str, str, str]]:
    """The columns that a setting names: ``table.column`` or ``schema.table.column``."""
    *schema, name, column = setting.names
    tables = list(catalog.of(Table))
    if schema:
        of = spelled(schema[0], (table.source.schema for table in tables))
        tables = [table for table in tables if table.source.schema == of]
    found = spelled(name, (table.source.name for table in tables))
    for table in tables:
        own = spelled(column, (one.source for one in table.columns)) if table.source.name == found else None
        if own is not None:
            yield table.source.schema, table.source.name, own


def _changed(table: Table, column: Column, text: str, dialect: str, losses: list[Loss]) -> Column:
    choice, type_ = chosen(text)
    base, declared = t.base_of(column.type), column.native or column.type
    fits = isinstance(base, choice.of) and (choice.name == "text" or not (isinstance(base, t.Timestamp) and base.zoned))
    fits = fits and not (isinstance(base, t.SetOf) and not tells_members(base))
    if not fits or column.generated is not None or (column.identity is not None and not isinstance(type_, t.Integer)):
        detail = f"{table.source}.{column.source} is {declared}, which cannot become {text}"
        raise InvalidValue(name="COLUMN_TYPE", detail=detail)

    def told(rule: str, detail: str) -> None:
        losses.append(Loss(path_of(table), rule, detail, column.name))

    keeps = f"each value becomes its text: {TEXT_FORMS[type(base)]}; {_AS_TEXT}" if choice.name == "text" else choice.keeps
    told(_RULE, f"{declared} becomes {text}, as COLUMN_TYPE asks: {keeps.replace('`', '')}")
    if isinstance(column.type, t.Domain) and type_ is not None:
        told(_RULE, f"the rules of domain {column.type} are left out: they are about values of another type")
    if type_ is None:
        return replace(column, native="", collation=None, compares=choice.compares, carried=column)
    compared = isinstance(base, t.COLLATED)
    equality = column.equality if compared and not isinstance(type_, t.Uuid) else EXACT  # of UUIDs no case ever counts
    collation = column.collation if compared and isinstance(type_, t.String) else None
    made = replace(column, type=type_, native="", collation=collation, equality=equality, carried=column)
    return _rewritten(made, base, dialect, told) if isinstance(base, choice.rewrites) else made


def _rewritten(made: Column, base: t.Type, dialect: str, told: Callable[[str, str], None]) -> Column:
    """A column whose values are written otherwise: so is its default, if that is a constant."""
    if made.on_update is not None:
        told("on-update", "no longer changes by itself on UPDATE")
    value = made.constant or made.default
    if value is None or (isinstance(value, Literal) and value.kind == "null"):
        return replace(made, on_update=None)
    try:
        if not isinstance(value, Literal):
            raise Untranslatable("it is computed")
        new: Literal | None = _literal(value, base, made, dialect)
    except (Untranslatable, ValueNotCarried) as why:
        shown = getattr(value, "sql", None) or getattr(value, "value", None) or "of the column"
        told("default", f"default {shown} is left out, as COLUMN_TYPE chooses another type: {why}")
        new = None
    return replace(made, default=new, constant=None, on_update=None)


def _literal(value: Literal, base: t.Type, made: Column, dialect: str) -> Literal:
    """A constant as rows of the source have it, in the chosen type.

    :raises Untranslatable: it is no value of the column's own type.
    :raises ValueNotCarried: it is none of the chosen one.
    """
    array = value_of(value, base, outside=True)
    if isinstance(base, t.Time | t.Timestamp):
        array = arrow.clock_text(array, base, load_adapter(dialect).capabilities.clock_zeros is True)
    array = arrow.convert(array, made.name, base, made.type)
    if isinstance(made.type, t.Binary):
        return Literal(array[0].as_py().hex(), "binary")
    return Literal(arrow.as_text(array, made.type)[0].as_py())


# --- what names such a column ---------------------------------------------------------------------------------------


def _naming(catalog: Catalog) -> Iterator[Loss]:
    """The entries about expressions that were written for values of another type than a column has now."""
    rewritten = {table: [column for column in table.columns if _is_rewritten(column)] for table in catalog.of(Table)}
    rewritten = {table: columns for table, columns in rewritten.items() if columns}
    for table, columns in rewritten.items():
        for label, expression in _expressions(table):
            for column in _named(columns, expression):
                yield Loss(path_of(table), _RULE_NAMED, f"{label} {_WRITTEN_FOR}", column.name)
    for view in catalog.of(View) if rewritten else ():
        for table, columns in rewritten.items():
            for column in _named(columns, view.definition, table):
                detail = f"it reads {table.source}.{column.source}, and {_WRITTEN_FOR}"
                yield Loss(path_of(view), _RULE_NAMED, detail)


_WRITTEN_FOR = "was written for other values, or comparisons, than are there now: it may be refused, or mean something else"


def _named(columns: Iterable[Column], expression: Expression, table: Table | None = None) -> Iterator[Column]:
    """The columns that an expression names, or, of a ``table``, a query; all where its words cannot be told apart."""
    words = _words(expression)
    if words is not None and table is not None and words.isdisjoint({table.name.lower(), table.source.name.lower()}):
        return
    every = frozenset() if table is None else frozenset("*")
    for column in columns:
        if words is None or words & {column.name.lower(), column.source.lower(), *every}:
            yield column


def _is_rewritten(column: Column) -> bool:
    """Whether values are written, or compared, otherwise than before."""
    if column.carried is None or column.compares is not None:
        return column.compares is not None
    choice = next(row for row in CHOICES if type(row.becomes) is type(column.type))
    return isinstance(t.base_of(column.carried.type), choice.rewrites)


def _expressions(table: Table) -> Iterator[tuple[str, Expression]]:
    """The expressions of a table, each with what it is of."""
    yield from ((f"check {check.name or check.expression.sql}", check.expression) for check in table.checks)
    yield from ((f"exclusion constraint {one.name}", one.definition) for one in table.exclusions)
    for index in table.indexes:
        yield from ((f"index {index.name}", expression) for expression in expressions_of(index))
    for column in table.columns:
        if column.generated is not None:
            yield f"the expression of {column.name}", column.generated.expression


def _words(expression: Expression) -> frozenset[str] | None:
    """The words of an expression in small letters; None: they cannot be told apart."""
    try:
        return frozenset(word.value.lower() for word in load_adapter(expression.dialect).language.words(expression.sql))
    except Untranslatable:
        return None
