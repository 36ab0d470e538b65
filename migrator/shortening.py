"""Names that a target cannot have, for their length or characters, or its own in each table: cut, and ended by a checksum.

One such name has the same short name wherever it stands, in every job and on every machine, unless the target knows another
for what has it: an object is known by its schema, a column by its table. Names stand in the fields of :data:`NAMES` and in
the text of expressions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias

from migrator.adapter import Capabilities, load_adapter
from migrator.expressions import Language, Untranslatable, names_shown
from migrator.expressions.words import Word
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import COLUMN, Catalog, Rename
from migrator.model.rebuild import rebuilt

_Place: TypeAlias = tuple[str, str]
"""A schema and the name of an object in it, as they are at the target."""
_CHECKSUM = 8
"""How many hexadecimal digits tell cut names apart."""

_Of: TypeAlias = Literal["schema", "object", "column", "referred", "owner", "part", "check"]
"""What a field names: a schema; an object in the schema that the value names beside it; columns of the table or view that
the value is or is part of, or of the one that it refers to; the table and the column that a sequence belongs to; a part of a
table, or a check."""

NAMES: Mapping[type, Mapping[str, _Of]] = {
    o.QName: {"schema": "schema", "name": "object"},
    o.Schema: {"name": "schema"},
    o.EnumType: {"schema": "schema", "name": "object"},
    o.DomainType: {"schema": "schema", "name": "object"},
    o.Sequence: {"schema": "schema", "name": "object", "owner": "owner"},
    o.Table: {"schema": "schema", "name": "object"},
    o.View: {"schema": "schema", "name": "object", "columns": "column"},
    o.Program: {"schema": "schema", "name": "object", "table": "object"},
    o.Column: {"name": "column"},
    o.PrimaryKey: {"name": "part", "columns": "column"},
    o.Unique: {"name": "part", "columns": "column"},
    o.Check: {"name": "check"},
    o.Exclusion: {"name": "part"},
    o.ForeignKey: {"name": "part", "columns": "column", "referred_columns": "referred", "set_columns": "column"},
    o.Index: {"name": "part", "include": "column"},
    o.IndexKey: {"column": "column"},
    t.Enum: {"schema": "schema", "name": "object"},
    t.Domain: {"schema": "schema", "name": "object"},
}
"""The fields of model values that hold names of objects, columns and constraints, and what each names."""


def length(name: str, capabilities: Capabilities) -> int:
    """A name's length as the target counts it."""
    return len(name.encode()) if capabilities.identifier_limit[1] == "bytes" else len(name)


def cut(name: str, capabilities: Capabilities, salt: str = "") -> str:
    """As much of a name as fits, without what no name has there, and a checksum of all of it.

    ``salt`` tells apart two that are the same.
    """
    digest = hashlib.sha256((salt + name).encode()).hexdigest()[:_CHECKSUM]
    kept = name[len(capabilities.reserved_prefix) :] if begins_reserved(name, capabilities) else name
    if capabilities.not_in_names:
        kept = re.sub(capabilities.not_in_names, "", kept)
    while length(kept, capabilities) > capabilities.identifier_limit[0] - _CHECKSUM - 1:
        kept = kept[:-1]
    return f"{kept}_{digest}"


def is_long(name: str, capabilities: Capabilities) -> bool:
    """Whether the target has no such long names."""
    return length(name, capabilities) > capabilities.identifier_limit[0]


def is_unfit(name: str, capabilities: Capabilities, *, check: bool = False) -> bool:
    """Whether the target can call nothing so, or no ``check``: the name is too long, or has a character that none has
    there."""
    pattern = capabilities.not_in_check_names if check else capabilities.not_in_names
    return is_long(name, capabilities) or bool(pattern and re.search(pattern, name))


def begins_reserved(name: str, capabilities: Capabilities) -> bool:
    """Whether a name begins as only the target's own tables, views and indexes may be called."""
    prefix = capabilities.reserved_prefix
    return bool(prefix) and name.lower().startswith(prefix)


def is_reserved(name: str, capabilities: Capabilities) -> bool:
    """Whether the target keeps the name of a column for its own."""
    return (name.lower() if capabilities.ignores_column_case else name) in capabilities.reserved_columns


def _cannot_be_called_so(column: o.Column, capabilities: Capabilities) -> bool:
    """Whether a column has a name that the target keeps for its own, and is none that may have it."""
    may = not column.nullable and (column.name, column.type) in capabilities.reserved_but_for
    return is_reserved(column.name, capabilities) and not may


def fit(name: str, capabilities: Capabilities) -> str:
    """A name as the target can have it."""
    return cut(name, capabilities) if is_unfit(name, capabilities) else name


def fit_lengths(catalog: Catalog, capabilities: Capabilities, known: Iterable[Rename] = ()) -> Catalog:
    """Every name fits the target. A column that gets another name still knows what it is called at the source.

    ``known``: the names that objects and columns have at the target already instead of long ones. They keep them, unless
    something else of the job has them.
    """
    kept = _Kept(catalog, capabilities, known)
    objects = tuple(map(kept.renamed, catalog.objects)) if kept else catalog.objects
    shown = (name for obj in objects if isinstance(obj, o.View) for name in unfit_shown(obj, capabilities))
    names = dict.fromkeys((*_names(objects), *((name, False) for name in shown)))
    unfit = [(name, check) for name, check in names if is_unfit(name, capabilities, check=check)]
    if unfit:
        long, checks = ({name: cut(name, capabilities) for name, check in unfit if check == of} for of in (False, True))
        change = _changing(long, checks)
        objects = tuple(rebuilt(obj, change) for obj in objects)
    return (
        catalog if objects == catalog.objects else catalog.with_objects(tuple(map(_with_origin, objects, catalog.objects)))
    )


class _Kept:
    """The names that a target has instead of long ones, for what has them there: one long name may have several."""

    def __init__(self, catalog: Catalog, capabilities: Capabilities, known: Iterable[Rename]) -> None:
        self._fit = partial(fit, capabilities=capabilities)
        self._is_unfit = partial(is_unfit, capabilities=capabilities)
        self._is_own = partial(begins_reserved, capabilities=capabilities)
        self._reserved_in_views = capabilities.reserved_in_views
        self._catalog = catalog
        self._objects: dict[_Place, str] = {}
        self._columns: dict[_Place, dict[str, str]] = {}
        for one in known:
            long = is_unfit(one.source_name, capabilities)
            if is_unfit(one.name, capabilities):
                continue
            if one.kind == COLUMN and (long or is_reserved(one.source_name, capabilities)):
                self._columns.setdefault((one.schema, one.table), {})[one.source_name] = one.name
            elif one.kind not in {COLUMN, "SCHEMA"} and (long or self._is_own(one.source_name)):  # a schema has its map
                self._objects[one.schema, one.source_name] = one.name
        taken = {(self._fit(obj.schema), obj.name) for obj in catalog.objects if not isinstance(obj, o.Schema)}
        self._objects = {key: name for key, name in self._objects.items() if (key[0], name) not in taken}
        for relation in (*(table.qname for table in catalog.of(o.Table)), *self._views):
            place = self._fit(relation.schema), relation.name
            if self._is_own(relation.name) and place not in self._objects:
                others = (
                    cut(relation.name, capabilities, salt) for salt in ("", *map("{}.".format, range(2, len(taken) + 3)))
                )
                self._objects[place] = next(other for other in others if (place[0], other) not in taken)
        for table in catalog.of(o.Table):
            own, names = self._columns.get(self._of(table.qname), {}), {column.name for column in table.columns}
            free = {old: name for old, name in own.items() if name not in names}
            reserved = {column.name for column in table.columns if _cannot_be_called_so(column, capabilities)}
            for name in sorted(reserved - free.keys()):
                others = (cut(name, capabilities, salt) for salt in ("", *map("{}.".format, range(2, len(names) + 2))))
                free[name] = next(other for other in others if other not in names)
            if own or free:
                self._columns[self._of(table.qname)] = free
        for view in catalog.of(o.View) if capabilities.reserved_in_views else ():
            self._columns |= self._reserved_of(view, capabilities)

    def _reserved_of(self, view: o.View, capabilities: Capabilities) -> dict[_Place, dict[str, str]]:
        """The columns of a view that it may not call so: as they are called in what it reads, if they are there."""
        own: dict[str, str] = {}
        read = [self._columns.get(self._of(name), {}) for name in view.depends_on]
        for name in shown_by(view):
            for columns in read if name == "*" else ():
                own |= {old: new for old, new in columns.items() if is_reserved(old, capabilities)}
            if is_reserved(name, capabilities):
                own[name] = next((columns[name] for columns in read if name in columns), cut(name, capabilities))
        return {self._of(o.QName(view.schema, view.name)): own} if own else {}

    def __bool__(self) -> bool:
        return bool(self._objects or self._columns)

    def renamed(self, obj: o.Object) -> o.Object:
        """An object that has the names that are kept, and leads to what has them."""
        if isinstance(obj, o.Schema):
            return obj
        own, text = self._of(o.QName(obj.schema, obj.name)), self._in_text(obj)

        def named(value: Any, field: str, of: _Of) -> Any:
            held = getattr(value, field)
            match of:
                case "object" if held is not None and value.schema is not None:
                    return self._object(value.schema, held)
                case "column" if isinstance(held, tuple):
                    return self._each(own, held)
                case "column" if held is not None:
                    return self._column(own, held)
                case "referred":  # the table has the name that is kept by now
                    return self._each((self._fit(value.referred.schema), self._fit(value.referred.name)), held)
                case "owner" if held is not None:
                    table, column = held
                    place = self._of(o.QName(value.schema, table))
                    return self._object(value.schema, table), self._column(place, column)
            return held

        def change(value: Any) -> Any:
            if isinstance(value, o.Expression):
                return replace(value, sql=_in_text(value.sql, text, load_adapter(value.dialect).language))
            return _with_names(value, partial(named, value))

        return rebuilt(obj, change)

    def _object(self, schema: str, name: str) -> str:
        return self._objects.get((self._fit(schema), name), name)

    def _of(self, name: o.QName) -> _Place:
        """Where an object is at the target."""
        return self._fit(name.schema), self._fit(self._object(name.schema, name.name))

    def _column(self, table: _Place, name: str) -> str:
        return self._columns.get(table, {}).get(name, name)

    def _each(self, table: _Place, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._column(table, name) for name in names)

    def _in_text(self, obj: o.Object) -> Mapping[str, str]:
        """What long names mean in the texts of an object: of the tables that it is about, else the same everywhere."""
        near: dict[str, set[str]] = {}
        for name in self._about(obj):
            place = self._of(name)
            columns = self._columns_of.get(place, {})
            own = {column.name for column in obj.columns} if isinstance(obj, o.Table) else set()
            if name.name not in own:  # a table's own expressions are about its columns
                near.setdefault(name.name, set()).add(place[1])
            for column, short in columns.items():
                if self._is_unfit(column) or self._shows_reserved(obj, name):
                    near.setdefault(column, set()).add(short)
        found = {**self._anywhere, **near}
        return {name: next(iter(shorts)) for name, shorts in found.items() if len(shorts) == 1}

    def _shows_reserved(self, obj: o.Object, read: o.QName) -> bool:
        """Whether what an object is about shows it names that the target keeps for itself under others: a table does, and
        a view that reads the table has its own again, where there are such views."""
        return not isinstance(obj, o.View) or read in obj.depends_on or self._reserved_in_views

    def _about(self, obj: o.Object) -> Sequence[o.QName]:
        """Whose columns the texts of an object name: a table's own; of a view, those of what it reads, and of what a view
        that lists no columns reads."""
        if isinstance(obj, o.Table):
            return (obj.qname,)
        if isinstance(obj, o.View) and self._reserved_in_views:
            return (*self._read_by(obj), o.QName(obj.schema, obj.name))
        return self._read_by(obj)

    def _read_by(self, obj: o.Object) -> Sequence[o.QName]:
        found = list(obj.depends_on) if isinstance(obj, o.View) else []
        for name in found:
            view = self._views.get(name)
            if view is not None and not view.columns:
                found += (other for other in view.depends_on if other not in found)
        return found

    @cached_property
    def _views(self) -> Mapping[o.QName, o.View]:
        return {o.QName(view.schema, view.name): view for view in self._catalog.of(o.View)}

    @cached_property
    def _columns_of(self) -> Mapping[_Place, Mapping[str, str]]:
        """The names of all long columns, of the job's own tables and views and of tables that are known, by these."""
        found = {place: dict(columns) for place, columns in self._columns.items()}
        for view_name, view in self._views.items():
            found.setdefault(self._of(view_name), {}).update(
                {column: self._fit(column) for column in view.columns if self._fit(column) != column}
            )
        for table in self._catalog.of(o.Table):
            place = self._of(table.qname)
            for name in (column.name for column in table.columns):
                if self._fit(name) != name:
                    found.setdefault(place, {}).setdefault(name, self._fit(name))
        return found

    @cached_property
    def _anywhere(self) -> Mapping[str, set[str]]:
        """All names that a long one has; one that the target keeps for itself may be that of something else."""
        found: dict[str, set[str]] = {}
        for (_, name), short in self._objects.items():
            if not self._is_own(name):
                found.setdefault(name, set()).add(short)
        for obj in self._catalog.objects:
            if not isinstance(obj, o.Schema) and self._fit(obj.name) != obj.name:
                found.setdefault(obj.name, set()).add(self._of(o.QName(obj.schema, obj.name))[1])
        for columns in self._columns_of.values():
            for name, short in columns.items():
                if self._is_unfit(name):
                    found.setdefault(name, set()).add(short)
        return found


def shown_by(view: o.View) -> tuple[str, ...]:
    """What the columns of a view are called, as far as its query says; ``*`` for those of what it reads."""
    if view.columns:
        return view.columns
    try:
        return names_shown(view.definition.sql, load_adapter(view.definition.dialect).language)
    except Untranslatable:
        return ()


def unfit_shown(view: o.View, capabilities: Capabilities) -> tuple[str, ...]:
    """What of :func:`shown_by` the target can call nothing. To parse a query takes long, and is done only where it has words
    that might be such names."""
    sql = view.definition.sql
    if not view.columns:
        if not is_long(sql, capabilities) and not capabilities.not_in_names:
            return ()
        try:
            words = load_adapter(view.definition.dialect).language.words(sql)
        except Untranslatable:
            return ()
        if not any(is_unfit(word.value, capabilities) for word in words):
            return ()
    return tuple(name for name in shown_by(view) if is_unfit(name, capabilities))


def _names(value: Any) -> Iterator[tuple[str, bool]]:
    """All names in a model value, each with whether it is a check's."""
    found: list[tuple[str, bool]] = []

    def note(inner: Any) -> Any:
        for field, of in NAMES.get(type(inner), {}).items():
            held = getattr(inner, field)
            names = held if isinstance(held, tuple) else [held] if held is not None else []
            found.extend((name, of == "check") for name in names)
        return inner

    rebuilt(value, note)
    return iter(found)


def _changing(short: Mapping[str, str], checks: Mapping[str, str]) -> Callable[[Any], Any]:
    """What puts short names for long ones into a model value; ``checks``: those of checks."""

    def renamed(held: Any, of: _Of) -> Any:
        if of == "check":
            return checks.get(held, held)
        return tuple(short.get(name, name) for name in held) if isinstance(held, tuple) else short.get(held, held)

    def change(value: Any) -> Any:
        if isinstance(value, o.Expression):
            return replace(value, sql=_in_text(value.sql, short, load_adapter(value.dialect).language))
        return _with_names(value, lambda field, of: renamed(getattr(value, field), of))

    return change


def _with_names(value: Any, named: Callable[[str, _Of], Any]) -> Any:
    """A model value with the names that ``named`` has for its fields; a column still knows its name at the source."""
    found = {field: named(field, of) for field, of in NAMES.get(type(value), {}).items()}
    changed = {field: new for field, new in found.items() if new != getattr(value, field)}
    if changed and isinstance(value, o.Column):
        changed["origin"] = value.source
    return replace(value, **changed) if changed else value


def _with_origin(new: o.Object, old: o.Object) -> o.Object:
    """A table still knows what it is called at the source, whatever it is called here."""
    if isinstance(new, o.Table) and isinstance(old, o.Table) and new.qname != old.source:
        return replace(new, origin=old.source)
    return new


def _in_text(sql: str, short: Mapping[str, str], language: Language) -> str:
    """A text with short names for long ones; literals and comments are left alone.

    One that cannot be read stays as it is: it cannot be translated either, and an entry says so.
    """
    try:
        words = language.words(sql)
    except Untranslatable:
        return sql
    folded = {name.casefold(): new for name, new in short.items()} if language.ignores_case else {}
    made, passed = [], 0
    for word in words:
        new = short.get(word.value) or folded.get(word.value.casefold())
        if word.kind == "name" and new is not None:
            made += [sql[passed : word.start], _written(new, word)]
            passed = word.end
    return "".join((*made, sql[passed:]))


def _written(name: str, instead_of: Word) -> str:
    """A name as the one that it replaces is written: between the same quotes, if there are any."""
    if not instead_of.is_quoted:
        return name
    start, end = instead_of.written[0], instead_of.written[-1]
    return f"{start}{name.replace(end, end * 2)}{end}"
