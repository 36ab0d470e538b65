"""Names that are too long for a target: cut, and ended by a checksum of the whole name.

One long name has the same short name wherever it stands, in every job and on every machine, unless the target knows another
for it. Names stand in the fields of :data:`NAMES` and in the text of expressions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from migrator.adapter import Capabilities, load_adapter
from migrator.expressions import Language, Untranslatable
from migrator.expressions.words import Word
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog
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


def is_long(name: str, capabilities: Capabilities) -> bool:
    """Whether the target has no such long names."""
    return length(name, capabilities) > capabilities.identifier_limit[0]


def fit_lengths(catalog: Catalog, capabilities: Capabilities, known: Mapping[str, str] = MappingProxyType({})) -> Catalog:
    """Every name fits the target. A column that gets another name still knows what it is called at the source.

    ``known``: the short names that long ones have at the target already, which they keep unless an object of the job has it.
    """
    others = {obj.name for obj in catalog.objects}
    kept = {
        name: short
        for name, short in known.items()
        if is_long(name, capabilities) and not is_long(short, capabilities) and short not in others
    }
    long = {
        name: kept.get(name) or cut(name, capabilities)
        for name in dict.fromkeys(_names(catalog.objects))
        if is_long(name, capabilities)
    }
    if not long and not kept:
        return catalog
    change = _changing({**kept, **long})
    return catalog.with_objects(tuple(_with_origin(rebuilt(obj, change), obj) for obj in catalog.objects))


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
