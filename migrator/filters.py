"""Which objects and rows belong to a job: SCHEMAS, TABLES, INCLUDE, EXCLUDE and QUERY as pure functions of a catalog.

The rules, in Data Pump's order:

* The mode chooses first: everything, schemas, or tables. TABLES takes tables with their parts and triggers, but neither
  schemas' definitions nor views. INCLUDE and EXCLUDE then work within what the mode chose.
* INCLUDE takes the objects it names and what depends on them (a table's parts, triggers and owned sequences); EXCLUDE
  leaves out the objects it names and what depends on them. Both may be given: what INCLUDE takes, EXCLUDE narrows.
* What a table needs to be created at all stays with it whatever was excluded: the types of its columns, the sequences its
  defaults draw from, the primary key of a table that has no rows without one (SQLite's WITHOUT ROWID).
* A foreign key to a table outside the job stays, as in Data Pump: the target may have that table already. If it has not,
  making the key fails and the log says so (ORA-39083), and SQLite, where nothing would fail, gets a table without the key
  and an entry about it. EXCLUDE=REF_CONSTRAINT leaves keys out. Views stay in a dump set, and where the target is of the
  source's kind; another does not get one that reads what is not in the job. What a
  database makes whatever it names (programs; SQLite's views) has an entry if that is left out.
* A policy's name is its own. That policies are in force is its table's, and goes by that name (ROW_SECURITY); EXCLUDE=POLICY
  without a name leaves it out as well, since a table on which it is on and that has no policy shows no rows.
* A name means the object spelled exactly so; where there is none, the one object whose name differs in case only.

Names are those of the source, before any remap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from migrator.errors import AmbiguousName, NothingSelected, ObjectNotFound, SchemaNotFound, nearest
from migrator.model import types as t
from migrator.model.catalog import DATABASE, Catalog, Loss, object_type, path_of
from migrator.model.objects import (
    Column,
    DomainType,
    EnumType,
    NextValue,
    Object,
    Program,
    QName,
    Schema,
    Table,
    View,
)
from migrator.model.objects import Sequence as SequenceObject
from migrator.spec import JobSpec, NameClause, ObjectFilter, TableName

ON_TABLE = frozenset({"TRIGGER", "RULE", "POLICY", "ROW_SECURITY"})
"""Programs that belong to a table or view."""

_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "<": lambda name, bound: name < bound,
    "<=": lambda name, bound: name <= bound,
    ">": lambda name, bound: name > bound,
    ">=": lambda name, bound: name >= bound,
}


# --- names ----------------------------------------------------------------------------------------------------------


def spelled(wanted: str, names: Iterable[str]) -> str | None:
    """The name that ``wanted`` means: itself, else the only one that differs in case alone; None: there is none."""
    known = set(names)
    if wanted in known:
        return wanted
    folded = [name for name in known if name.casefold() == wanted.casefold()]
    return folded[0] if len(folded) == 1 else None


def _hint(wanted: str, names: Iterable[str]) -> str:
    """What is said of a name that means nothing: which names it may be."""
    known = sorted(set(names))
    folded = [name for name in known if name.casefold() == wanted.casefold()]
    return f" (which of {' and '.join(folded)}? Spell it exactly so)" if folded else nearest(wanted, known)


def columns_of(tables: Iterable[Table], parts: int) -> Iterator[str]:
    """The names of columns as they are at the source, with their tables' and, of three ``parts``, the schemas'."""
    for table in tables:
        for column in table.columns:
            yield ".".join((table.source.schema, table.source.name, column.source)[-parts:])


def matching(clause: NameClause | None, names: Iterable[str]) -> frozenset[str]:
    """The names a clause means.

    LIKE takes ``%`` and ``_``; a pattern that fits no name as written is tried without regard to case.
    """
    known = frozenset(names)
    if clause is None:
        return known
    comparison = clause.comparison
    if comparison in {"!=", "NOT IN"}:
        return known - matching(NameClause("IN", clause.values), known)
    if comparison == "NOT LIKE":
        return known - matching(NameClause("LIKE", clause.values), known)
    if comparison in {"=", "IN"}:
        found = {spelled(value, known) for value in clause.values}
        return frozenset(name for name in found if name is not None)
    if comparison == "LIKE":
        return _fitting(clause.values[0], known)
    return frozenset(name for name in known if _COMPARE[comparison](name, clause.values[0]))


def _fitting(pattern: str, names: frozenset[str]) -> frozenset[str]:
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    for flags in (re.DOTALL, re.DOTALL | re.IGNORECASE):
        found = frozenset(name for name in names if re.fullmatch(expression, name, flags))
        if found:
            return found
    return frozenset()


def schemas_wanted(spec: JobSpec, server_schema: str, all_schemas: Collection[str]) -> tuple[str, ...]:
    """The schemas whose catalog a job must read; ``server_schema`` is the connected user's.

    :raises SchemaNotFound: SCHEMAS or TABLES names one that is not there.
    """
    if spec.mode == "FULL":
        return tuple(all_schemas)
    asked = [table.schema or server_schema for table in spec.tables] if spec.mode == "TABLE" else list(spec.schemas)
    return tuple(dict.fromkeys(_schema(name, all_schemas) for name in asked or [server_schema]))


def _schema(wanted: str, known: Collection[str]) -> str:
    found = spelled(wanted, known)
    if found is None:
        raise SchemaNotFound(schema=f"{wanted}{_hint(wanted, known)}", known=", ".join(sorted(known)) or "none")
    return found


# --- rows -----------------------------------------------------------------------------------------------------------


def conditions(spec: JobSpec, catalog: Catalog) -> dict[QName, str]:
    """The condition that QUERY puts on the rows of each table of ``catalog``; a table that is not there moves all rows.

    A table's own QUERY goes before the general one.

    :raises ObjectNotFound: QUERY names a table that the job does not have.
    :raises AmbiguousName: it names tables of several schemas.
    """
    sources = [table.source for table in catalog.of(Table)]
    general = next((query.where for query in spec.query if query.table is None), None)
    found = {} if general is None else dict.fromkeys(sources, general)
    for query in spec.query:
        if query.table is not None:
            found[_queried(query.table, sources)] = query.where
    return found


def _queried(wanted: TableName, tables: Sequence[QName]) -> QName:
    shown = wanted.name if wanted.schema is None else f"{wanted.schema}.{wanted.name}"
    if wanted.schema is not None:
        schema = spelled(wanted.schema, (table.schema for table in tables))
        tables = [table for table in tables if table.schema == schema]
    name = spelled(wanted.name, (table.name for table in tables))
    found = [table for table in tables if table.name == name]
    if not found:
        raise ObjectNotFound(name=f"{shown}{_hint(wanted.name, (table.name for table in tables))}")
    if len(found) > 1:
        raise AmbiguousName(name=shown, found=", ".join(map(str, found)), parameter="QUERY")
    return found[0]


def tables_with_rows(spec: JobSpec, catalog: Catalog) -> tuple[Table, ...]:
    """The tables of ``catalog`` whose rows move: CONTENT takes rows, and EXCLUDE=TABLE_DATA does not name the table."""
    if spec.content == "METADATA_ONLY":
        return ()
    names = {table.source.name for table in catalog.of(Table)}
    barred = {name for f in spec.exclude if f.path == "TABLE_DATA" for name in matching(f.clause, names)}
    return tuple(table for table in catalog.of(Table) if table.source.name not in barred)


# --- objects --------------------------------------------------------------------------------------------------------


def select(catalog: Catalog, spec: JobSpec, default_schema: str) -> Catalog:
    """The objects of ``catalog`` that belong to the job. ``default_schema``: the connected user's.

    TABLES without a schema means the default schema's, or the only schema's where the catalog has one only.

    :raises SchemaNotFound: SCHEMAS or TABLES names a schema that is not there.
    :raises ObjectNotFound: TABLES or QUERY names a table that is not there.
    :raises NothingSelected: no object is left.
    :raises AmbiguousName: QUERY names a table in a way that fits several.
    """
    chosen: Collection[Object] = _by_mode(catalog, spec, default_schema)
    if spec.include:
        chosen = _with_dependents(_named_by(spec.include, chosen), chosen)
    dropped = _with_dependents(_named_by(spec.exclude, chosen), chosen)
    remaining = [obj for obj in chosen if obj not in dropped]
    kept = _in_order(catalog, {*remaining, *_needed(catalog, remaining)})
    if not _worth_a_job(spec, catalog.with_objects(tuple(kept))):
        raise NothingSelected
    result = catalog.with_objects(_naming_left_out(_without_parts(kept, spec.exclude), catalog))
    conditions(spec, result)
    gone = {path_of(obj) for obj in catalog.objects} - {path_of(obj) for obj in kept}
    if spec.mode == "TABLE" or spec.include:
        gone.add(DATABASE)
    else:  # what lies in a schema is not left out with its definition
        gone -= {path_of(schema) for schema in catalog.of(Schema)}
    losses = (loss for loss in catalog.losses if gone.isdisjoint({loss.object, loss.part_of}))
    return replace(result, losses=tuple(loss for loss in losses if not _is_excluded(loss, spec)))


def _naming_left_out(objects: Sequence[Object], catalog: Catalog) -> tuple[Object, ...]:
    """``objects``, with what the source texts of programs name of the tables and views that are not among them."""
    kept = {(obj.schema, obj.name) for obj in objects if isinstance(obj, Table | View)}
    relations = ((obj.schema, obj.name) for obj in catalog.objects if isinstance(obj, Table | View))
    gone = [relation for relation in relations if relation not in kept]

    def marked(program: Program) -> Program:
        named = {name for schema, name in gone if schema == program.schema and mentions(program.create.sql, name)}
        return replace(program, left_out=tuple(sorted({*program.left_out, *named}))) if named else program

    return tuple(marked(obj) if isinstance(obj, Program) else obj for obj in objects)


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` stands in a source text as a word of its own."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None


_ABOUT_COMMENTS = frozenset({"constraint-comment", "partition-comment", "sequence-comment"})
"""The rules of entries about comments that no catalog has."""


def _is_excluded(loss: Loss, spec: JobSpec) -> bool:
    """Whether EXCLUDE names what an entry is about, which no catalog has."""
    if loss.rule in _ABOUT_COMMENTS and any(f.path == "COMMENT" for f in spec.exclude):
        return True
    kind, _, label = loss.object.partition(":")
    name = label.rpartition('."')[2].strip('"').replace('""', '"')
    return bool(loss.part_of) and any(f.path == kind and matching(f.clause, [name]) for f in spec.exclude)


def _worth_a_job(spec: JobSpec, chosen: Catalog) -> bool:
    """Whether there is more than schemas to make, or schemas were asked for by name; where only rows move, tables' rows."""
    if spec.content == "DATA_ONLY":
        return bool(tables_with_rows(spec, chosen))
    schemas_asked_for = any(f.path in {"USER", "SCHEMA"} for f in spec.include)
    return any(schemas_asked_for or not isinstance(obj, Schema) for obj in chosen.objects)


def _schema_of(obj: Object) -> str:
    return obj.name if isinstance(obj, Schema) else obj.schema


def _in_order(catalog: Catalog, objects: Collection[Object]) -> list[Object]:
    return [obj for obj in catalog.objects if obj in objects]


def unmatched(spec: JobSpec, catalog: Catalog) -> tuple[str, ...]:
    """A remark for each name in INCLUDE and EXCLUDE that no object of ``catalog`` answers to: it may be a slip."""
    remarks: list[str] = []
    for parameter, filters in (("INCLUDE", spec.include), ("EXCLUDE", spec.exclude)):
        for filter_ in filters:
            clause = filter_.clause
            if clause is not None and clause.comparison in {"=", "!=", "IN", "NOT IN"}:
                names = _names(filter_.path, catalog)
                missing = (value for value in clause.values if spelled(value, names) is None)
                remarks += [f"{parameter}={filter_.path}: the source has no {name}" for name in missing]
    return tuple(remarks)


def needed_anyway(spec: JobSpec, chosen: Catalog) -> tuple[str, ...]:
    """A remark for each EXCLUDE that names what the ``chosen`` tables of a job need, which stays with them."""
    remarks: list[str] = []
    for filter_ in spec.exclude:
        if filter_.path in {"TYPE", "DOMAIN", "SEQUENCE"}:
            stays = ", ".join(path_of(obj) for obj in _in_order(chosen, _named_by([filter_], chosen.objects)))
            remarks += [f"EXCLUDE={filter_.path}: tables of the job need what stays: {stays}"] if stays else []
        if filter_.path == "CONSTRAINT":
            tables = [table for table in chosen.of(Table) if _is_its_key(table) and _names_key(filter_, table)]
            stays = ", ".join(map(path_of, tables))
            remarks += [f"EXCLUDE=CONSTRAINT: WITHOUT ROWID takes a primary key, which stays: {stays}"] if stays else []
    return tuple(remarks)


def _is_its_key(obj: Object) -> bool:
    """Whether a table is its primary key, and cannot be made without it."""
    return isinstance(obj, Table) and ("WITHOUT ROWID", "") in obj.options


def _names_key(filter_: ObjectFilter, table: Table) -> bool:
    """Whether a filter of constraints names the primary key of ``table``."""
    if table.primary_key is None or filter_.clause is None:
        return table.primary_key is not None
    return table.primary_key.name in matching(filter_.clause, [table.primary_key.name or ""]) - {""}


def _names(path: str, catalog: Catalog) -> set[str]:
    """The names that a name clause for ``path`` chooses from."""
    if path == "SCHEMA":
        return set(map(_schema_of, catalog.objects))
    whole = {_filter_name(obj) for obj in catalog.objects if _filter_path(obj) == path.replace("TABLE_DATA", "TABLE")}
    parts = (part.name for obj in catalog.objects for field in _PART_FIELDS.get(path, ()) for part in _parts(obj, field))
    return whole | {name for name in parts if name is not None}


# --- the mode


def _by_mode(catalog: Catalog, spec: JobSpec, default_schema: str) -> list[Object]:
    if spec.mode == "FULL":
        return list(catalog.objects)
    known = list(dict.fromkeys(map(_schema_of, catalog.objects)))
    if default_schema not in known and len(known) == 1:
        default_schema = known[0]
    if spec.mode == "TABLE":
        tables = {table for name in spec.tables for table in _tables(catalog, name, default_schema, known)}
        return _in_order(catalog, _with_dependents(tables, catalog.objects))
    if not spec.schemas:
        return [obj for obj in catalog.objects if _schema_of(obj) == default_schema]
    schemas = {_schema(name, known) for name in spec.schemas}
    return [obj for obj in catalog.objects if _schema_of(obj) in schemas]


def _tables(catalog: Catalog, wanted: TableName, default_schema: str, known: Collection[str]) -> list[Table]:
    schema = default_schema if wanted.schema is None else _schema(wanted.schema, known)
    tables = {table.name: table for table in catalog.of(Table) if table.schema == schema}
    exact = spelled(wanted.name, tables)
    if exact is not None:
        return [tables[exact]]
    pattern = ".*".join(map(re.escape, wanted.name.split("%")))
    for flags in (re.DOTALL, re.DOTALL | re.IGNORECASE):
        found = [table for name, table in tables.items() if "%" in wanted.name and re.fullmatch(pattern, name, flags)]
        if found:
            return found
    raise ObjectNotFound(name=f"{schema}.{wanted.name}{_hint(wanted.name, tables)}")


# --- INCLUDE and EXCLUDE of whole objects


def _named_by(filters: Iterable[ObjectFilter], objects: Collection[Object]) -> set[Object]:
    """The objects that one of ``filters`` names."""
    found: set[Object] = set()
    for filter_ in filters:
        if filter_.path == "SCHEMA":
            schemas = matching(filter_.clause, map(_schema_of, objects))
            found |= {obj for obj in objects if _schema_of(obj) in schemas}
        else:
            paths = {filter_.path} if filter_.clause is not None else {filter_.path, *_GOES_WITH.get(filter_.path, ())}
            of_type = [obj for obj in objects if _filter_path(obj) in paths]
            names = matching(filter_.clause, map(_filter_name, of_type))
            found |= {obj for obj in of_type if _filter_name(obj) in names}
    return found


_GOES_WITH = {"POLICY": ("ROW_SECURITY",)}
"""What a filter without a name clause means besides its own type."""


def _filter_path(obj: Object) -> str:
    return "USER" if isinstance(obj, Schema) else object_type(obj)


def _filter_name(obj: Object) -> str:
    """What a name clause calls an object."""
    return obj.table or obj.name if isinstance(obj, Program) and obj.kind == "ROW_SECURITY" else obj.name


def _with_dependents(objects: Collection[Object], among: Iterable[Object]) -> set[Object]:
    """``objects`` with the triggers, rules, policies and owned sequences of the tables and views among them."""
    relations = {(obj.schema, obj.name) for obj in objects if isinstance(obj, Table | View)}
    found = set(objects)
    for obj in among:
        if isinstance(obj, Program) and obj.kind in ON_TABLE and (obj.schema, obj.table) in relations:
            found.add(obj)
        if isinstance(obj, SequenceObject) and obj.owner is not None and (obj.schema, obj.owner[0]) in relations:
            found.add(obj)
    return found


# --- what the chosen tables cannot do without


def _needed(catalog: Catalog, chosen: Collection[Object]) -> set[Object]:
    """The types and sequences that tables among ``chosen`` need in order to be created."""
    types = {(obj.schema, obj.name): obj for obj in catalog.objects if isinstance(obj, EnumType | DomainType)}
    sequences = {QName(obj.schema, obj.name): obj for obj in catalog.of(SequenceObject)}
    owned: dict[tuple[str, str], list[SequenceObject]] = {}
    for sequence in sequences.values():
        if sequence.owner is not None:
            owned.setdefault((sequence.schema, sequence.owner[0]), []).append(sequence)
    found: set[Object] = set()
    for table in (obj for obj in chosen if isinstance(obj, Table)):
        found.update(owned.get((table.schema, table.name), ()))
        for column in table.columns:
            found |= {types[name] for name in _type_names(column.type) if name in types}
            found |= {sequences[name] for name in _drawn_from(column) if name in sequences}
    for domain in (obj for obj in tuple(found) if isinstance(obj, DomainType)):
        found |= {types[name] for name in _type_names(domain.base) if name in types}
    return found


def _type_names(type_: t.Type) -> Iterator[tuple[str, str]]:
    if isinstance(type_, t.Array):
        yield from _type_names(type_.element)
    elif isinstance(type_, t.Domain):
        yield type_.schema, type_.name
        yield from _type_names(type_.base)
    elif isinstance(type_, t.Enum) and type_.schema is not None and type_.name is not None:
        yield type_.schema, type_.name


def _drawn_from(column: Column) -> Iterator[QName]:
    if isinstance(column.default, NextValue):
        yield column.default.sequence


# --- EXCLUDE of parts

_PART_FIELDS = {
    "INDEX": ("indexes",),
    "CONSTRAINT": ("primary_key", "uniques", "checks", "exclusions"),
    "REF_CONSTRAINT": ("foreign_keys",),
}


def _without_parts(objects: Sequence[Object], exclude: Iterable[ObjectFilter]) -> tuple[Object, ...]:
    """``objects`` without the indexes, constraints and comments that EXCLUDE names.

    A part without a name is left out by a filter without a name clause only.
    """
    for filter_ in exclude:
        if filter_.path == "COMMENT":
            objects = [_without_comments(obj) for obj in objects]
        fields = _PART_FIELDS.get(filter_.path, ())
        names = (part.name for obj in objects for field in fields for part in _parts(obj, field))
        dropped: set[str | None] = set(matching(filter_.clause, (name for name in names if name is not None)))
        if filter_.clause is None:
            dropped.add(None)
        for field in fields:
            objects = [_with_fewer(obj, field, dropped) for obj in objects]
    return tuple(objects)


def _parts(obj: Object, field: str) -> tuple[Any, ...]:
    value = getattr(obj, field, None)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _with_fewer(obj: Object, field: str, dropped: Collection[str | None]) -> Object:
    if field == "primary_key" and _is_its_key(obj):
        return obj
    before = _parts(obj, field)
    rest = tuple(part for part in before if part.name not in dropped)
    if rest == before:
        return obj
    single = not isinstance(getattr(obj, field), tuple)
    changes: dict[str, Any] = {field: None if single else rest}
    return replace(obj, **changes)


def _without_comments(obj: Object) -> Object:
    if isinstance(obj, Table):
        columns = tuple(replace(column, comment=None) for column in obj.columns)
        exclusions = tuple(replace(exclusion, comment=None) for exclusion in obj.exclusions)
        obj = replace(obj, columns=columns, exclusions=exclusions)
    if isinstance(obj, Table | View):
        obj = replace(obj, indexes=tuple(replace(index, comment=None) for index in obj.indexes))
    return replace(obj, comment=None)


__all__ = [
    "conditions",
    "matching",
    "mentions",
    "needed_anyway",
    "schemas_wanted",
    "select",
    "spelled",
    "tables_with_rows",
    "unmatched",
]
