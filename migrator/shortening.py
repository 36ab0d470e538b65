"""Names that are too long for a target: cut, and ended by a checksum of the whole name.

One long name has the same short name wherever it stands, in every job and on every machine: a later job, a view or a user
finds what was made without a map being kept anywhere. Names stand in the fields of :data:`NAMES` and in the text of
expressions; each one that was cut is an entry of the loss list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from migrator.adapter import Capabilities, load_adapter
from migrator.expressions import Language, Untranslatable
from migrator.expressions.words import Word
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.rebuild import rebuilt

_CHECKSUM = 8
"""How many hexadecimal digits tell cut names apart."""

NAMES: Mapping[type, tuple[str, ...]] = {
    o.QName: ("schema", "name"),
    o.Schema: ("name",),
    o.EnumType: ("schema", "name"),
    o.DomainType: ("schema", "name"),
    o.Sequence: ("schema", "name", "owner"),
    o.Table: ("schema", "name"),
    o.View: ("schema", "name", "columns"),
    o.Program: ("schema", "name", "table"),
    o.Column: ("name",),
    o.PrimaryKey: ("name", "columns"),
    o.Unique: ("name", "columns"),
    o.Check: ("name",),
    o.ForeignKey: ("name", "columns", "referred_columns", "set_columns"),
    o.Index: ("name", "include"),
    o.IndexKey: ("column",),
    t.Enum: ("schema", "name"),
    t.Domain: ("schema", "name"),
}
"""The fields of model values that hold names of objects, columns and constraints."""


def length(name: str, capabilities: Capabilities) -> int:
    """A name's length as the target counts it."""
    return len(name.encode()) if capabilities.identifier_limit[1] == "bytes" else len(name)


def cut(name: str, capabilities: Capabilities, salt: str = "") -> str:
    """As much of a name as fits, and a checksum of all of it; ``salt`` tells apart two that are the same."""
    digest = hashlib.sha256((salt + name).encode()).hexdigest()[:_CHECKSUM]
    kept = name
    while length(kept, capabilities) > capabilities.identifier_limit[0] - _CHECKSUM - 1:
        kept = kept[:-1]
    return f"{kept}_{digest}"


def fit_lengths(catalog: Catalog, capabilities: Capabilities) -> Catalog:
    """Every name fits the target. A column that gets another name still knows what it is called at the source."""
    short = {
        name: cut(name, capabilities)
        for name in dict.fromkeys(_names(catalog.objects))
        if length(name, capabilities) > capabilities.identifier_limit[0]
    }
    if not short:
        return catalog
    change = _changing(short)
    objects = tuple(_with_origin(rebuilt(obj, change), obj) for obj in catalog.objects)
    losses = [
        Loss(path_of(new), "name-cut", f"{old} is named {short[old]} here", short[old] if of_column else None)
        for obj, new in zip(catalog.objects, objects, strict=True)
        for old, of_column in _cut_in(obj, short)
    ]
    return catalog.with_objects(objects).with_losses(*losses)


def _names(value: Any) -> Iterator[str]:
    """All names in a model value."""
    found: list[str] = []

    def note(inner: Any) -> Any:
        for field in NAMES.get(type(inner), ()):
            held = getattr(inner, field)
            found.extend(held if isinstance(held, tuple) else [held] if held is not None else [])
        return inner

    rebuilt(value, note)
    return iter(found)


def _changing(short: Mapping[str, str]) -> Callable[[Any], Any]:
    """What puts short names for long ones into a model value."""

    def renamed(held: Any) -> Any:
        return tuple(short.get(name, name) for name in held) if isinstance(held, tuple) else short.get(held, held)

    def change(value: Any) -> Any:
        if isinstance(value, o.Expression):
            return replace(value, sql=_in_text(value.sql, short, load_adapter(value.dialect).language))
        changed = {
            field: new for field in NAMES.get(type(value), ()) if (new := renamed(old := getattr(value, field))) != old
        }
        if changed and isinstance(value, o.Column):
            changed["origin"] = value.source
        return replace(value, **changed) if changed else value

    return change


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


def _cut_in(obj: o.Object, short: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The long names of an object and of its parts, and whether each is a column's."""
    if obj.name in short:
        yield obj.name, False
    if isinstance(obj, o.Table):
        yield from ((column.name, True) for column in obj.columns if column.name in short)
        parts = (obj.primary_key, *obj.uniques, *obj.checks, *obj.foreign_keys, *obj.indexes)
        yield from (
            (part.name, False) for part in parts if part is not None and part.name is not None and part.name in short
        )
