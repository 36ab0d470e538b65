"""The names that a target takes: short enough, of its characters, and each of its own where the target wants that.

A name that is too long is cut, and one with other characters or of a column that the target keeps for itself is changed
(:mod:`migrator.shortening`). One that something else has, among what shares a name space at the target, gets the table's
name before it: something else of the job, or something that is at the target already. What a
target knows from earlier jobs goes before both rules. Each name that comes out of this is a
:class:`~migrator.model.catalog.Rename` of the catalog, and an entry of the loss list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from migrator.adapter import Capabilities, NamedKind, NameSpace
from migrator.model.catalog import COLUMN, Catalog, Loss, Reason, Rename, object_type, path_of
from migrator.model.objects import (
    Check,
    Exclusion,
    ForeignKey,
    Index,
    Object,
    PrimaryKey,
    QName,
    Schema,
    Table,
    Unique,
    View,
)
from migrator.model.objects import Sequence as SequenceObject
from migrator.shortening import begins_reserved, cut, fit, fit_lengths, is_long, is_reserved, is_unfit, shown_by, unfit_shown

Part: TypeAlias = PrimaryKey | Unique | Check | ForeignKey | Index | Exclusion
PartT = TypeVar("PartT", PrimaryKey, Unique, Check, ForeignKey, Index, Exclusion)

_KINDS: Mapping[type, NamedKind] = {
    Table: "table",
    View: "view",
    SequenceObject: "sequence",
    PrimaryKey: "primary_key",
    Unique: "unique",
    Check: "check",
    ForeignKey: "foreign_key",
    Index: "index",
    Exclusion: "unique",
}
"""What name spaces call a class: one that has an index of its name, as a unique constraint has, is called as that."""
_PATHS: Mapping[type, str] = {
    PrimaryKey: "CONSTRAINT",
    Unique: "CONSTRAINT",
    Check: "CONSTRAINT",
    ForeignKey: "REF_CONSTRAINT",
    Index: "INDEX",
    Exclusion: "CONSTRAINT",
}
"""What filters call the parts of tables; of objects see :func:`~migrator.model.catalog.object_type`."""
TAKEN = frozenset({"index-name", "constraint-name"})
"""The rules of the entries about a name that something else has."""
PARTS = frozenset(_PATHS.values())
"""The kinds of renames of what belongs to a table, but for its columns."""


@dataclass(frozen=True)
class Known:
    """What names a target has: the ``renames`` of earlier jobs, and what is ``there``, None: nobody has looked."""

    renames: tuple[Rename, ...] = ()
    there: Catalog | None = None

    @cached_property
    def long(self) -> tuple[Rename, ...]:
        """The renames of objects and columns, which are of names that the target cannot have."""
        return tuple(one for one in self.renames if one.kind not in PARTS)

    @cached_property
    def _parts(self) -> Mapping[tuple[str, str, str, str, int], str]:
        parts = (one for one in self.renames if one.kind in PARTS)
        return {(one.kind, one.schema, one.table, one.source_name, one.number): one.name for one in parts}

    def part(self, table: Table, part: Part, number: int) -> str | None:
        """The name that a constraint or index has at the target instead of its own, being the ``number``-th that has it."""
        return self._parts.get((_PATHS[type(part)], table.schema, table.name, part.name or "", number))


@dataclass(frozen=True)
class Chosen(Known):
    """The names that a job had chosen before it was started again: the ``renames`` are its own, and nothing else has another
    name, whatever is there by now. ``usual``: the columns, each after its table's label, whose sequences have got the usual
    names."""

    usual: frozenset[tuple[str, str]] = frozenset()


def parts_of(obj: Object) -> Iterator[Part]:
    """What has a name among the parts of a table, but for its columns, or of a view."""
    if isinstance(obj, Table):
        if obj.primary_key is not None:
            yield obj.primary_key
        yield from obj.uniques
        yield from obj.checks
        yield from obj.foreign_keys
        yield from obj.exclusions
    if isinstance(obj, Table | View):
        yield from obj.indexes


def beside_sequences(obj: Object, capabilities: Capabilities) -> Iterator[QName]:
    """The names of an object and its parts in the name space that sequences are in."""
    kinds = {kind for space in capabilities.name_spaces if "sequence" in space.kinds for kind in space.kinds}
    if isinstance(obj, Schema):
        return
    for one in (obj, *parts_of(obj)):
        if _KINDS.get(type(one)) in kinds and one.name is not None:
            yield QName(obj.schema, one.name)


def _numbered(table: Table) -> Iterator[tuple[Part, int]]:
    """The parts of a table, each with the number that it is of those of one kind and one name."""
    met: Counter[tuple[str, str | None]] = Counter()
    for part in parts_of(table):
        own = _PATHS[type(part)], part.name
        met[own] += 1
        yield part, met[own]


def fit_names(
    catalog: Catalog, capabilities: Capabilities, known: Known, sources: Mapping[str, str] = MappingProxyType({})
) -> Catalog:
    """The catalog under names that the target takes.

    ``sources``: the schemas that objects have at the source, by what logs call them; a table knows its own.
    """
    fitted = fit_lengths(catalog, capabilities, known.long)
    spaces = _Spaces(capabilities, known, fitted)
    pairs = zip(catalog.objects, fitted.objects, strict=True)
    objects = tuple(spaces.fit(old, new) if isinstance(old, Table) and isinstance(new, Table) else new for old, new in pairs)
    found = list(_renamed(catalog.objects, objects, capabilities, sources))
    losses = [*(loss for _, loss in found), *_shown_otherwise(catalog.objects, objects, capabilities)]
    if capabilities.reserved_in_views:
        losses += _renamed_in_views(catalog.objects, objects, capabilities)
    named = replace(catalog.with_renamed(objects), renames=tuple(rename for rename, _ in found))
    return named.with_losses(*losses)


# --- names of their own ---------------------------------------------------------------------------------------------

_Place: TypeAlias = tuple[NameSpace, tuple[str, ...], str]
"""A name as it is kept in a name space: of a schema, or of a table or one partition of it."""


class _Spaces:
    """The names that are given away: to the job's own objects, and to what is at the target and not theirs."""

    def __init__(self, capabilities: Capabilities, known: Known, catalog: Catalog) -> None:
        self._capabilities, self._known = capabilities, known
        self._given: set[_Place] = set()
        self._there: dict[_Place, QName] = {}
        """What is at the target has them; a table's parts count as the table."""
        for obj in catalog.objects:
            self._given |= self._relation(obj)
            if isinstance(obj, View):
                for index in obj.indexes:
                    self._given |= self._places(obj, index, index.name or "")
        self._nameless = {place for table in catalog.of(Table) for place in self._of_nameless(table)}
        """Those that the target gives to keys that have none."""
        for obj in known.there.objects if known.there is not None else ():
            if not isinstance(obj, Schema):
                self._there |= dict.fromkeys(self._relation(obj), QName(obj.schema, obj.name))
            if isinstance(obj, Table | View):
                for part in parts_of(obj):
                    self._there |= dict.fromkeys(self._places(obj, part, part.name or ""), QName(obj.schema, obj.name))

    def fit(self, old: Table, new: Table) -> Table:
        """A table whose parts have names that nothing else has; ``old``: as it was when no name was cut."""
        both = zip(_numbered(old), parts_of(new), strict=True)
        chosen = iter([self._chosen(new, before, number, part) for (before, number), part in both])

        def named(part: PartT) -> PartT:
            name = next(chosen)
            own: PartT = part if name is None or name == part.name else replace(part, name=name)
            return own

        return replace(  # in the order of the parts
            new,
            primary_key=None if new.primary_key is None else named(new.primary_key),
            uniques=tuple(map(named, new.uniques)),
            checks=tuple(map(named, new.checks)),
            foreign_keys=tuple(map(named, new.foreign_keys)),
            exclusions=tuple(map(named, new.exclusions)),
            indexes=tuple(map(named, new.indexes)),
        )

    def _chosen(self, table: Table, before: Part, number: int, part: Part) -> str | None:
        if part.name is None:
            return None
        kept = self._known.part(table, before, number)
        if isinstance(self._known, Chosen):
            return kept or part.name
        name = next(name for name in self._names(table, part, part.name, kept) if self._is_free(table, part, name))
        self._given |= self._places(table, part, name)
        return name

    def _names(self, table: Table, part: Part, own: str, kept: str | None) -> Iterator[str]:
        """The names that a part may have, the best first."""
        unfit = partial(is_unfit, capabilities=self._capabilities, check=isinstance(part, Check))
        if kept is not None and not unfit(kept):
            yield kept
        yield own
        longer = f"{table.name}_{own}"
        if not unfit(longer):
            yield longer
        yield cut(longer, self._capabilities, f"{table.schema}.")
        yield from (cut(longer, self._capabilities, f"{table.schema}.{number}.") for number in count(2))

    def _is_free(self, table: Table, part: Part, name: str) -> bool:
        if isinstance(part, Index) and begins_reserved(name, self._capabilities):
            return False
        if isinstance(part, Index | Unique | ForeignKey) and name.lower() in self._capabilities.reserved_names:
            return False
        places = self._places(table, part, name)
        if isinstance(part, PrimaryKey | Unique) and not places.isdisjoint(self._nameless):
            return False  # an index is there before any key is made, and the target calls a key otherwise then
        return places.isdisjoint(self._given) and all(self._there.get(place, table.qname) == table.qname for place in places)

    def _of_nameless(self, table: Table) -> Iterator[_Place]:
        """The places that the target gives to the keys of a table that have no name."""
        patterns = dict(self._capabilities.nameless_keys)
        for key in parts_of(table):
            pattern = patterns.get(_KINDS[type(key)])
            if isinstance(key, PrimaryKey | Unique) and key.name is None and pattern is not None:
                yield from self._places(table, key, _nameless(pattern, table.name, key.columns, self._capabilities))

    def _relation(self, obj: Object) -> set[_Place]:
        """The places of a table's, view's or sequence's own name."""
        kind = _KINDS.get(type(obj))
        if kind is None or isinstance(obj, Schema):
            return set()
        spaces = (space for space in self._capabilities.name_spaces if kind in space.kinds)
        return {(space, (obj.schema,), self._folded(obj.name)) for space in spaces}

    def _places(self, relation: Table | View, part: Part, name: str) -> set[_Place]:
        kind = _KINDS[type(part)]
        partition = (part.partition or "") if isinstance(part, ForeignKey | Index) else ""
        scopes = {"schema": (relation.schema,), "table": (relation.schema, relation.name, partition)}
        spaces = (space for space in self._capabilities.name_spaces if kind in space.kinds)
        return {(space, scopes[space.within], self._folded(name)) for space in spaces}

    def _folded(self, name: str) -> str:
        return name.lower() if self._capabilities.ignores_column_case else name


def _nameless(pattern: str, table: str, columns: Sequence[str], capabilities: Capabilities) -> str:
    """What the target calls a key that has no name: with as much as fits of its table's name and its columns, the longer of
    which is cut first; no character is cut in two."""
    parts = {"table": table.encode(), "columns": "_".join(columns).encode()}
    parts = {name: part for name, part in parts.items() if f"{{{name}}}" in pattern}
    room = capabilities.identifier_limit[0] - len(pattern.format(table="", columns=""))
    kept = {name: len(part) for name, part in parts.items()}
    while sum(kept.values()) > room:
        kept[max(reversed(kept), key=kept.__getitem__)] -= 1
    return pattern.format(**{name: part[: kept[name]].decode(errors="ignore") for name, part in parts.items()})


# --- what came of it ------------------------------------------------------------------------------------------------


def _renamed(
    before: Iterable[Object], after: Iterable[Object], capabilities: Capabilities, sources: Mapping[str, str]
) -> Iterator[tuple[Rename, Loss]]:
    """The names that are others, each with its entry of the loss list. ``sources``: as :func:`fit_names` has them."""
    for old, new in zip(before, after, strict=True):
        if isinstance(old, Schema) and isinstance(new, Schema):
            if old.name != new.name:
                source = sources.get(path_of(old), old.name)
                why = _reason(old.name, capabilities)
                yield _cut(Rename("SCHEMA", new.name, "", new.name, source, "", old.name, why), path_of(new))
        elif isinstance(old, Table) and isinstance(new, Table):
            yield from _renamed_in(old, new, capabilities)
        elif not isinstance(old, Schema) and not isinstance(new, Schema) and old.name != new.name:
            source = sources.get(path_of(old), old.schema)
            why = _reason(old.name, capabilities)
            yield _cut(Rename(object_type(new), new.schema, "", new.name, source, "", old.name, why), path_of(new))


def _shown_otherwise(before: Iterable[Object], after: Iterable[Object], capabilities: Capabilities) -> Iterator[Loss]:
    """The names that views alone give to columns, where the target can call nothing so."""
    before = tuple(before)
    relations = {QName(obj.schema, obj.name): obj for obj in before if isinstance(obj, Table | View)}
    for old, new in zip(before, after, strict=True):
        if not isinstance(old, View):
            continue
        unfit = unfit_shown(old, capabilities)
        read = set(_read_by(old, relations)) if unfit else set()
        for name in unfit:
            if name not in read:
                own = fit(name, capabilities)
                yield Loss(path_of(new), _RULES[_reason(name, capabilities)], f"{name} is named {own} here", own)


def _read_by(view: View, relations: Mapping[QName, Table | View]) -> Iterator[str]:
    """What the columns are called of what a view reads, through views that show all of what they read."""
    found = list(view.depends_on)
    for name in found:
        match relations.get(name):
            case Table(columns=columns):
                yield from (column.name for column in columns)
            case View() as other:
                shown = shown_by(other)
                yield from shown
                if "*" in shown:
                    found += (name for name in other.depends_on if name not in found)


def _renamed_in_views(before: Iterable[Object], after: Iterable[Object], capabilities: Capabilities) -> Iterator[Loss]:
    """The columns of views that the target lets no view call so, either: a view that shows all of what it reads has them."""
    renamed: dict[QName, dict[str, str]] = {}
    for old, new in zip(before, after, strict=True):
        pairs: dict[str, str] = {}
        if isinstance(old, Table) and isinstance(new, Table):
            pairs = {column.name: named.name for column, named in zip(old.columns, new.columns, strict=True)}
        elif isinstance(old, View) and isinstance(new, View):
            for name, own in zip(shown_by(old), shown_by(new), strict=False):
                pairs |= {name: own} if name != "*" else {}
                for read in new.depends_on if name == "*" else ():
                    pairs |= renamed.get(read, {})
        else:
            continue
        pairs = {name: own for name, own in pairs.items() if name != own and is_reserved(name, capabilities)}
        renamed[QName(new.schema, new.name)] = pairs
        if isinstance(new, View):
            for name, own in pairs.items():
                yield Loss(path_of(new), "name-reserved", f"{name} is named {own} here", own)


_RULES: Mapping[Reason, str] = {"LENGTH": "name-cut", "CHARACTERS": "name-characters", "RESERVED": "name-reserved"}
"""The rules of the entries about names that the target cannot have, by why."""


def _reason(name: str, capabilities: Capabilities) -> Reason:
    """Why the target can call nothing so."""
    if is_long(name, capabilities):
        return "LENGTH"
    return "CHARACTERS" if is_unfit(name, capabilities) else "RESERVED"


def _cut(rename: Rename, label: str) -> tuple[Rename, Loss]:
    """A name that the target cannot have, and the entry about it."""
    column = rename.name if rename.kind == COLUMN else None
    return rename, Loss(label, _RULES[rename.reason], f"{rename.source_name} is named {rename.name} here", column)


def _renamed_in(old: Table, new: Table, capabilities: Capabilities) -> Iterator[tuple[Rename, Loss]]:
    """The names of a table and its parts."""
    label, source = path_of(new), (old.source.schema, old.source.name)
    if old.name != new.name:
        yield _cut(Rename("TABLE", new.schema, "", new.name, *source, old.name, _reason(old.name, capabilities)), label)
    for column, named in zip(old.columns, new.columns, strict=True):
        if column.name != named.name:
            reason = _reason(column.name, capabilities)
            yield _cut(Rename(COLUMN, new.schema, new.name, named.name, *source, column.name, reason), label)
    for (part, number), own in zip(_numbered(old), parts_of(new), strict=True):
        if part.name is None or own.name is None or part.name == own.name:
            continue
        kind, path = _KINDS[type(part)], _PATHS[type(part)]
        if is_unfit(part.name, capabilities, check=isinstance(part, Check)):
            yield _cut(
                Rename(path, new.schema, new.name, own.name, *source, part.name, _reason(part.name, capabilities), number),
                label,
            )
        else:
            rule = "index-name" if kind in {"primary_key", "unique", "index"} else "constraint-name"
            detail = f"{kind.replace('_', ' ')} {part.name} is named {own.name} here"
            rename = Rename(path, new.schema, new.name, own.name, *source, part.name, "COLLISION", number)
            yield rename, Loss(label, rule, detail)
