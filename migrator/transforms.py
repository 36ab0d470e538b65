"""Transforms of a catalog: REMAP_TABLE, REMAP_SCHEMA, COLUMN_TYPE. Pure functions Catalog -> Catalog, in the order of RULES.

A renamed table keeps its ``origin``, so that its rows are still found; whatever refers to it by name follows. Source text
of programs is followed by name too (schema names before a dot), which dynamic SQL escapes: such a program is marked, and
the plan names it in the loss list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from migrator.adapter import Capabilities, load_adapter
from migrator.column_types import check_places, choose_types
from migrator.errors import ColumnsCollide, ConflictingParameters, NamesCollide
from migrator.expressions import Untranslatable, rename_tables
from migrator.filters import mentions, spelled
from migrator.identities import fit_sequences
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import (
    DomainType,
    EnumType,
    Expression,
    Object,
    Partition,
    Partitioning,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    View,
    quoted,
)
from migrator.model.rebuild import rebuilt
from migrator.naming import Known, fit_names
from migrator.numbers import as_integers
from migrator.schema_names import left_in_literals, requalify
from migrator.seconds import with_fractional_seconds
from migrator.spec import JobSpec, TableRemap

T = TypeVar("T")
N = TypeVar("N", str, QName)


def _schemas_in(catalog: Catalog) -> set[str]:
    return {obj.name if isinstance(obj, Schema) else obj.schema for obj in catalog.objects}


def _renames(catalog: Catalog, remap: TableRemap) -> dict[QName, QName]:
    """The tables that one REMAP_TABLE names, and their new names."""
    tables: dict[str, list[str]] = {}
    for table in catalog.of(Table):
        tables.setdefault(table.schema, []).append(table.name)
    schemas = tables if remap.schema is None else [spelled(remap.schema, tables)]
    found = ((schema, spelled(remap.old, tables[schema])) for schema in schemas if schema is not None)
    return {QName(schema, name): QName(schema, remap.new) for schema, name in found if name is not None}


def unmatched(spec: JobSpec, catalog: Catalog) -> tuple[str, ...]:
    """A remark for each remap that no schema or table of ``catalog`` answers to: it may be a slip."""
    known = _schemas_in(catalog)
    schemas = [f"REMAP_SCHEMA: the job has no schema {old}" for old, _ in spec.remap_schema if spelled(old, known) is None]
    tables = [
        f"REMAP_TABLE: the job has no table {remap.old if remap.schema is None else f'{remap.schema}.{remap.old}'}"
        for remap in spec.remap_table
        if not _renames(catalog, remap)
    ]
    return (*schemas, *tables)


def _once(parameter: str, remaps: Iterable[tuple[N, N]]) -> dict[N, N]:
    """The new name of each old one.

    :raises ConflictingParameters: one has two.
    """
    found: dict[N, N] = {}
    for old, new in remaps:
        if found.setdefault(old, new) != new:
            raise ConflictingParameters(detail=f"{parameter} gives {old} two names: {found[old]} and {new}")
    return found


def _new_schemas(catalog: Catalog, spec: JobSpec) -> dict[str, str]:
    """The new name of each schema that REMAP_SCHEMA names.

    :raises ConflictingParameters: one has two.
    """
    known = _schemas_in(catalog)
    return _once("REMAP_SCHEMA", [(spelled(old, known) or old, new) for old, new in spec.remap_schema])


def _sources(catalog: Catalog, spec: JobSpec) -> dict[str, str]:
    """The schemas of a source's objects, by what logs call these when they are remapped; a table knows its own."""
    schemas, found = _new_schemas(catalog, spec), {}
    for obj in catalog.objects:
        schema = obj.name if isinstance(obj, Schema) else obj.schema
        new = schemas.get(schema, schema)
        found[path_of(replace(obj, name=new) if isinstance(obj, Schema) else replace(obj, schema=new))] = schema
    return found


def remap_schemas(catalog: Catalog, spec: JobSpec) -> Catalog:
    """REMAP_SCHEMA: every object of a schema moves to another.

    :raises ConflictingParameters: to two others.
    """
    schemas = _new_schemas(catalog, spec)
    if not schemas:
        return catalog
    mark = "`" if catalog.dialect == "mysql" else '"'

    left: list[str] = []

    def follow(sql: str) -> str:
        left.extend(left_in_literals(sql, schemas, mark))
        return requalify(sql, schemas, mark)

    def change(value: Any) -> Any:
        match value:
            case QName(schema=schema) if schema in schemas:
                return replace(value, schema=schemas[schema])
            case t.Enum(schema=str(schema)) | t.Domain(schema=schema) if schema in schemas:
                return replace(value, schema=schemas[schema])
            case t.Native(declaration=declaration):
                return replace(value, declaration=requalify(declaration, schemas, mark))
            case Expression(sql=sql):
                return replace(value, sql=follow(sql))
            case Partitioning(clause=clause):
                return replace(value, clause=follow(clause))
            case Partition(bounds=bounds, own=own, renamed=renamed, schema=schema):
                return replace(
                    value,
                    bounds=requalify(bounds, schemas, mark),
                    own=tuple(map(follow, own)),
                    renamed=tuple(map(follow, renamed)),
                    schema=None if schema is None else schemas.get(schema, schema),
                )
            case _:
                return value

    objects: list[Object] = []
    losses = [replace(loss, object=_relabelled(loss.object, schemas)) for loss in catalog.losses]
    for obj in catalog.objects:
        if isinstance(obj, Schema):
            objects.append(replace(obj, name=schemas.get(obj.name, obj.name)))
            continue
        left.clear()
        origin = obj.source if isinstance(obj, Table) else None
        moved = rebuilt(obj, change)
        moved = replace(moved, schema=schemas.get(obj.schema, obj.schema))
        if isinstance(moved, Table):
            moved = replace(moved, origin=origin)
        if isinstance(obj, Program) and isinstance(moved, Program):
            moved = replace(moved, remapped=bool(left) or moved.create != obj.create)
        elif left:
            detail = f"REMAP_SCHEMA leaves literals as they are that may name a schema: {', '.join(dict.fromkeys(left))}"
            losses.append(Loss(path_of(moved), "schema-in-literal", detail))
        objects.append(moved)
    made = _unique_schemas(objects, losses)
    return replace(catalog, losses=tuple(losses)).with_objects(made)


_LABEL = re.compile(r'(?P<kind>[A-Z_]+:)"(?P<schema>(?:[^"]|"")*)"(?P<rest>.*)', re.DOTALL)


def _relabelled(label: str, schemas: Mapping[str, str]) -> str:
    """What the loss list calls an object whose schema gets another name."""
    found = _LABEL.fullmatch(label)
    new = {quoted(old): quoted(new) for old, new in schemas.items()}.get(f'"{found["schema"]}"') if found else None
    return label if found is None or new is None else f"{found['kind']}{new}{found['rest']}"


def _unique_schemas(objects: list[Object], losses: list[Loss]) -> tuple[Object, ...]:
    """The objects, of schemas that become one the first."""
    seen: dict[str, Schema] = {}
    kept: list[Object] = []
    for obj in objects:
        if isinstance(obj, Schema):
            first = seen.setdefault(obj.name, obj)
            if first is not obj:
                if obj.comment not in {None, first.comment}:
                    detail = f"the comment of another schema that is in this one is left out: {obj.comment}"
                    losses.append(Loss(path_of(obj), "comment", detail))
                continue
        kept.append(obj)
    return tuple(kept)


def remap_tables(catalog: Catalog, spec: JobSpec) -> Catalog:
    """REMAP_TABLE: tables get other names; foreign keys, children, sequences' owners and views follow.

    Source text of programs does not: one that has the old name in it is in the loss list.

    :raises ConflictingParameters: a table gets two names.
    """
    renames = _once("REMAP_TABLE", [pair for remap in spec.remap_table for pair in _renames(catalog, remap).items()])
    if not renames:
        return catalog
    losses: list[Loss] = []
    relations = [QName(obj.schema, obj.name) for obj in catalog.objects if isinstance(obj, Table | View)]
    known = dict(zip(relations, relations, strict=True)) | renames

    def moved(obj: Object) -> Object:
        match obj:
            case Table():
                keys = tuple(replace(k, referred=renames.get(k.referred, k.referred)) for k in obj.foreign_keys)
                new = renames.get(obj.qname, obj.qname)
                parents = tuple(renames.get(parent, parent) for parent in obj.parents)
                return replace(obj, name=new.name, foreign_keys=keys, parents=parents, origin=obj.source)
            case Sequence(owner=(owner, column)):
                new = renames.get(QName(obj.schema, owner), QName(obj.schema, owner))
                return replace(obj, owner=(new.name, column))
            case View():
                return _renamed_view(obj, known, losses)
            case Program():
                named = sorted({old.name for old in renames if mentions(obj.create.sql, old.name)})
                if named:
                    losses.append(Loss(path_of(obj), "program-remap", f"its source text still names {', '.join(named)}"))
                return obj
            case _:
                return obj

    objects = tuple(moved(obj) for obj in catalog.objects)
    return catalog.with_renamed(objects).with_losses(*losses)


def _renamed_view(view: View, renames: Mapping[QName, QName], losses: list[Loss]) -> View:
    language = load_adapter(view.definition.dialect).language
    try:
        sql = rename_tables(view.definition.sql, language, renames, view.schema)
    except Untranslatable as why:
        losses.append(Loss(path_of(view), "view-remap", f"its text still names the tables as they were: {why}"))
        return view
    depends = tuple(renames.get(name, name) for name in view.depends_on)
    return replace(view, definition=replace(view.definition, sql=sql), depends_on=depends)


def check_names(catalog: Catalog) -> None:
    """No two tables, views or sequences may have come to one name, no two types, and no two columns of a table.

    :raises NamesCollide: two have.
    """
    for kinds in (Table | View | Sequence, EnumType | DomainType):
        seen: dict[QName, QName] = {}
        for obj in catalog.objects:
            if isinstance(obj, kinds):
                name = QName(obj.schema, obj.name)
                source = obj.source if isinstance(obj, Table) else name
                if name in seen:
                    raise NamesCollide(first=seen[name], second=source, name=name, database="the target")
                seen[name] = source
    for table in catalog.of(Table):
        columns: dict[str, str] = {}
        for column in table.columns:
            if column.name in columns:
                first, second = (f"{table.source}.{quoted(one)}" for one in (columns[column.name], column.source))
                raise ColumnsCollide(first=first, second=second, name=quoted(column.name), database="the target")
            columns[column.name] = column.source


def leave_out_tables_without_columns(catalog: Catalog, capabilities: Capabilities) -> Catalog:
    """Tables without a column, and the rows they may have, stay behind where the target has no such tables."""
    if capabilities.tables_without_columns:
        return catalog
    empty = [table for table in catalog.of(Table) if not table.columns]
    losses = (Loss(path_of(table), "no-columns", "not carried: a table without columns cannot be made") for table in empty)
    kept = tuple(obj for obj in catalog.objects if not isinstance(obj, Table) or obj.columns)
    return catalog.with_objects(kept).with_losses(*losses)


RULES: tuple[Callable[[Catalog, JobSpec], Catalog], ...] = (remap_tables, remap_schemas, choose_types)


NOTHING_KNOWN = Known()
"""Of a target that nobody has asked."""


def remapped(catalog: Catalog, spec: JobSpec) -> Catalog:
    """The catalog after all transforms that the job asks for."""
    for rule in RULES:
        catalog = rule(catalog, spec)
    return catalog


def fitted(
    source: Catalog, moved: Catalog, spec: JobSpec, capabilities: Capabilities, known: Known = NOTHING_KNOWN
) -> Catalog:
    """``moved``, the catalog of a source :func:`remapped`, fitted to a target of these capabilities.

    ``known``: what names the target has.

    :raises NamesCollide: as :func:`check_names`.
    :raises InvalidValue: as :func:`~migrator.column_types.check_places`.
    """
    check_places(moved, capabilities)
    catalog = as_integers(moved, spec.number_types, capabilities)
    catalog = with_fractional_seconds(catalog, spec.fractional_seconds, capabilities)
    catalog = leave_out_tables_without_columns(catalog, capabilities)
    catalog = fit_names(catalog, capabilities, known, _sources(source, spec))
    check_names(catalog)
    return fit_sequences(catalog, capabilities, known)
