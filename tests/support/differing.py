"""What differs between two catalogs of one kind of database, attribute by attribute; names of schemas aside.

Expressions are compared as trees, so that blanks, parentheses and casts of literals do not count; a view is its columns
(what its query means shows in its rows), a program is its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from migrator.adapter import load_adapter
from migrator.expressions import Untranslatable, parse
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, object_type
from migrator.model.rebuild import rebuilt
from migrator.schema_names import requalify


@dataclass(frozen=True)
class Difference:
    """One attribute that is not what it was, or something that is gone (``after`` None) or new (``before`` None).

    ``what``: ``column.nullable``, ``index``, ``index.method``. ``columns``: those that are concerned. ``part``: the name of
    the key, check or index that is concerned, empty where it has none.
    """

    object: str
    what: str
    before: Any
    after: Any
    columns: frozenset[str] = frozenset()
    part: str = ""

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.object, self.part, ",".join(sorted(self.columns)))))
        return f"{where}: {self.what}: {self.before} -> {self.after}"


def label(obj: o.Object) -> str:
    """What an object is called here: its kind and its name. Views are views, however they keep their rows."""
    kind = "VIEW" if isinstance(obj, o.View) else object_type(obj)
    return kind if isinstance(obj, o.Schema) else f"{kind}:{o.quoted(obj.name)}"


_OBJECT = re.compile(
    r'(?P<kind>[A-Z_]+)(?::"(?:[^"]|"")*")?(?:(?:\."(?:[^"]|"")*")?\.(?P<name>"(?:[^"]|"")*"))?(?: [A-Z]+ .*)?', re.DOTALL
)


def label_of(loss: Loss) -> str:
    """What the object of an entry is called here."""
    found = _OBJECT.fullmatch(loss.object)
    assert found is not None, loss.object
    kind = found["kind"].replace("MATERIALIZED_VIEW", "VIEW")
    return kind if found["name"] is None else f"{kind}:{found['name']}"


Renamed = Mapping[tuple[str, str], str]
"""The new names of keys, checks and indexes, by what their tables are called here and their old names."""


def differences(before: Catalog, after: Catalog, renamed: Renamed = MappingProxyType({})) -> list[Difference]:
    """All differences."""
    old, new = ({label(obj): obj for obj in _without_schemas(catalog).objects} for catalog in (before, after))
    found = []
    for name in dict.fromkeys((*old, *new)):
        if name in old and name in new:
            compare = _tables(renamed) if isinstance(old[name], o.Table) else _OF[type(old[name])]
            found += compare(name, old[name], new[name])
        else:
            found.append(Difference(name, "object", old.get(name), new.get(name)))
    return found


_SCHEMA = "x"


def _without_schemas(catalog: Catalog) -> Catalog:
    """The catalog with one name for each of its schemas."""
    names = {schema.name: _SCHEMA for schema in catalog.of(o.Schema)}
    mark = "`" if catalog.dialect == "mysql" else '"'

    def change(value: Any) -> Any:
        match value:
            case o.QName():
                return replace(value, schema=_SCHEMA)
            case t.Enum(schema=str()) | t.Domain():
                return replace(value, schema=_SCHEMA)
            case t.Native(declaration=declaration):
                return replace(value, declaration=requalify(declaration, names, mark))
            case o.Expression(sql=sql):
                return replace(value, sql=requalify(sql, names, mark))
        return value

    return catalog.with_objects(tuple(rebuilt(obj, change) for obj in catalog.objects))


# --- expressions ----------------------------------------------------------------------------------------------------


def tree(expression: o.Expression) -> str:
    """An expression in a form that is the same for what differs in spelling only; its text, where nobody can read it."""
    try:
        found = parse(expression.sql, load_adapter(expression.dialect).language)
    except Untranslatable:
        return expression.sql
    return repr(found.transform(_plain))


_WIDE = (exp.DataType.Type.BIGINT, exp.DataType.Type.DECIMAL, exp.DataType.Type.DOUBLE)
"""Types that a number is cast to so that all of it has a place."""


def _plain(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Paren():
            return node.this.transform(_plain)
        case exp.Cast() if isinstance(node.this, exp.Literal | exp.Null) or node.to.this in _WIDE:
            return node.this.transform(_plain)
        case exp.Column():
            return exp.column(node.name)
        case exp.Identifier():
            return exp.to_identifier(node.name)
    return node


def columns_in(expression: o.Expression) -> frozenset[str]:
    """The columns that an expression names."""
    try:
        found = parse(expression.sql, load_adapter(expression.dialect).language)
    except Untranslatable:
        return frozenset()
    return frozenset(column.name for column in found.find_all(exp.Column))


def _same(value: Any) -> Any:
    """A value in the form in which it is compared."""
    match value:
        case o.Expression():
            return tree(value)
        case o.Literal(kind="null"):
            return None
        case o.Literal(value=text, kind="binary"):
            return text.lower()
        case o.Literal(value=text, kind="number" | "boolean"):
            return Decimal(text)
        case o.Literal(value=text):
            return text
        case o.Generated():
            return tree(value.expression), value.stored
    return value


# --- objects --------------------------------------------------------------------------------------------------------

Compare = Callable[[str, Any, Any], Iterator[Difference]]


def _fields(*left_out: str) -> Compare:
    """Compares all fields but some."""

    def compare(name: str, old: Any, new: Any) -> Iterator[Difference]:
        kind = type(old).__name__.lower()
        for field in fields(old):
            before, after = getattr(old, field.name), getattr(new, field.name)
            if field.name not in {"schema", "name", *left_out} and _same(before) != _same(after):
                yield Difference(name, f"{kind}.{field.name}", before, after)

    return compare


def _tables(renamed: Renamed) -> Compare:
    """Compares tables, of whose keys, checks and indexes some have been ``renamed``."""

    def compare(name: str, old: o.Table, new: o.Table) -> Iterator[Difference]:
        parts = ("columns", "primary_key", "uniques", "checks", "foreign_keys", "indexes")
        plain = (
            replace(table, options=tuple(option for option in table.options if option[0] != "COLLATE"))
            for table in (old, new)
        )
        yield from _fields(*parts, "origin", "rows", "bytes")(name, *plain)
        yield from _columns(name, old, new)
        keys = [tuple(filter(None, (table.primary_key,))) for table in (old, new)]
        yield from _parts(name, "primary_key", *keys, renamed)
        yield from _parts(name, "unique", old.uniques, new.uniques, renamed)
        yield from _parts(name, "check", old.checks, new.checks, renamed)
        yield from _parts(name, "foreign_key", old.foreign_keys, new.foreign_keys, renamed)
        yield from _parts(name, "index", old.indexes, new.indexes, renamed)

    return compare


def _columns(name: str, old: o.Table, new: o.Table) -> Iterator[Difference]:
    mine, other = ({column.name: column for column in table.columns} for table in (old, new))
    if list(mine) != list(other):
        yield Difference(name, "table.columns", list(mine), list(other))
    for column in mine.keys() & other.keys():
        before, after = mine[column], other[column]
        a, b = before.default, after.default
        if isinstance(a, o.Now) and isinstance(b, o.Now) and a.cut != b.cut:
            yield Difference(name, "column.default.cut", a, b, frozenset({column}))
        if isinstance(a, o.Now) and isinstance(b, o.Now) and a.moment != b.moment:
            yield Difference(name, "column.default.moment", a, b, frozenset({column}))
        for what in _COLUMN:
            a, b = _attribute(old, before, what), _attribute(new, after, what)
            if _same(a) != _same(b) and _counts(what, before, after):
                yield Difference(name, f"column.{what}", a, b, frozenset({column}))


def _counts(what: str, old: o.Column, new: o.Column) -> bool:
    """Whether an attribute says something of its own: a declaration does of one type, a collation of texts, and a clock if
    it is another one or of other digits."""
    if what == "native":
        return old.type == new.type
    if what == "default" and isinstance(old.default, o.Now) and isinstance(new.default, o.Now):
        return _clock(old, old.default) != _clock(new, new.default)
    texts = all(isinstance(t.base_of(column.type), t.String) for column in (old, new))
    return what != "collation" or texts


def _clock(column: o.Column, value: o.Now) -> o.Now:
    """A clock with as many digits as the column takes of it; whether the others are cut off, and of what it is
    the time, are differences of their own."""
    type_ = t.base_of(column.type)
    digits = type_.precision if isinstance(type_, t.Timestamp | t.Time | t.Interval) else o.CLOCK_DIGITS
    return replace(value, precision=value.digits(digits), cut=False, moment=None)


_COLUMN = tuple(f.name for f in fields(o.Column) if f.name not in {"name", "origin", "constant"})
"""What a column has of its own; ``constant`` is what its server says that its default gives."""


def _attribute(table: o.Table, column: o.Column, what: str) -> Any:
    value = getattr(column, what)
    if isinstance(value, o.Now) and value.precision in {None, 6, getattr(column.type, "precision", None)}:
        return replace(value, precision=None)  # the column's own, or all there are
    if what == "collation" and value is None:
        return dict(table.options).get("COLLATE")
    if what == "native" and isinstance(t.base_of(column.type), t.Native):
        return ""  # as its type says
    return value


def _parts(name: str, kind: str, old: Sequence[Any], new: Sequence[Any], renamed: Renamed) -> Iterator[Difference]:
    """Keys, checks or indexes: those of one name are compared, or of the name that one was given on the way, else those
    that are the same but for their name."""
    left, right = list(old), list(new)
    named: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (lambda part: part.name, lambda part: part.name)
    given = (lambda part: renamed.get((name, part.name or "")), named[1])
    for pairing, paired in (named, given, (_unnamed, _unnamed)):
        known: Mapping[Any, Any] = {paired(part): part for part in right if paired(part) is not None}
        for part in list(left):
            other = known.get(pairing(part))
            if other is not None and other in right:
                left.remove(part)
                right.remove(other)
                yield from _part(name, kind, part, other)
    for part in [part for part in left if kind in {"primary_key", "foreign_key", "check"} and _is_unnamed(part)]:
        alike = [other for other in right if _columns_of(other) == _columns_of(part) or kind == "primary_key"]
        if alike:
            left.remove(part)
            right.remove(alike[0])
            yield from _part(name, kind, part, alike[0])
    yield from (Difference(name, kind, part, None, _columns_of(part), part.name or "") for part in left)
    yield from (Difference(name, kind, None, part, _columns_of(part), part.name or "") for part in right)


def _is_unnamed(part: Any) -> bool:
    return part.name is None or isinstance(part, o.PrimaryKey)


def _part(name: str, kind: str, old: Any, new: Any) -> Iterator[Difference]:
    columns = _columns_of(old) | _columns_of(new)
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name == "keys" and len(before) == len(after):
            for key, other in zip(before, after, strict=True):
                yield from _key(name, old.name, key, other)
        elif _same(before) != _same(after):
            yield Difference(name, f"{kind}.{field.name}", before, after, columns, old.name or "")


def _key(name: str, index: str, old: o.IndexKey, new: o.IndexKey) -> Iterator[Difference]:
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if _same(before) != _same(after):
            columns = frozenset(filter(None, (old.column, new.column)))
            yield Difference(name, f"index.keys.{field.name}", before, after, columns, index)


def _unnamed(part: Any) -> str:
    """A part without its name, as a text."""
    if isinstance(part, o.Check):
        return tree(part.expression)
    shown = rebuilt(replace(part, name=""), lambda v: replace(v, sql=tree(v)) if isinstance(v, o.Expression) else v)
    return repr(shown)


def _columns_of(part: Any) -> frozenset[str]:
    match part:
        case o.Check():
            return columns_in(part.expression)
        case o.Index():
            return frozenset(key.column for key in part.keys if key.column is not None)
    return frozenset(part.columns)


_OF: Mapping[type, Compare] = {
    o.Schema: _fields(),
    o.EnumType: _fields(),
    o.DomainType: _fields("checks", "constant"),
    o.Sequence: _fields(),
    o.View: _fields("definition", "columns", "depends_on", "populated", "indexes", "session"),
    o.Program: _fields("create", "session", "remapped"),
}
