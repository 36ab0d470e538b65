"""The names that a job's objects have at its target, which is asked for its own; and its rename maps, as users read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from migrator import transforms
from migrator.adapter import Capabilities, Server
from migrator.ends import Database, answer
from migrator.identities import has_named_sequences
from migrator.model.catalog import Catalog, Rename
from migrator.model.objects import Schema, Table
from migrator.naming import Known, parts_of
from migrator.origins import Origin
from migrator.rename_map import Entry, RenameMap
from migrator.shortening import fit
from migrator.spec import JobSpec


def schemas_of(catalog: Catalog) -> frozenset[str]:
    """The schemas that a catalog has objects in."""
    return frozenset(obj.name if isinstance(obj, Schema) else obj.schema for obj in catalog.objects)


def present(target: Database, connection: sa.Connection, catalog: Catalog) -> list[str]:
    """The schemas of a catalog that the target has."""
    wanted = schemas_of(catalog)
    return [schema for schema in target.adapter.schemas(connection) if schema in wanted]


def entries(connection: sa.Connection, schema: str) -> list[Entry]:
    """What the rename map of a schema says; nothing where there is none.

    :raises RenameMapTaken: something else has its name.
    """
    kept = RenameMap(schema)
    return kept.entries(connection) if kept.exists(connection) else []


@dataclass(frozen=True)
class Named:
    """The ``catalog`` of a job as its target is to have it, the names that are ``known`` there, and what is remarked."""

    catalog: Catalog
    known: Known
    notes: tuple[str, ...]


def named(
    spec: JobSpec, opened: Origin, target: Database, server: Server, *, makes_parts: bool, known: Known | None = None
) -> Named:
    """What a job takes from its source, as its parameters have it, under names that the target can have.

    ``makes_parts``: keys and indexes are to be made, whose names may be taken there. ``known``: what is known of names;
    None: the target is asked.
    """
    adapter = target.adapter
    capabilities = adapter.capabilities_of(server.version)
    notes: list[str] = []
    moved = transforms.remapped(opened.catalog, spec)
    if known is None:
        known, notes = _ask(target, capabilities, moved, makes_parts=makes_parts)
    catalog = transforms.fitted(opened.catalog, moved, spec, capabilities, known)
    return Named(catalog, known, (*transforms.unmatched(spec, opened.catalog), *notes))


def _ask(target: Database, capabilities: Capabilities, catalog: Catalog, *, makes_parts: bool) -> tuple[Known, list[str]]:
    """What a target knows of names in the schemas of a catalog, and what is remarked of it."""
    wanted, notes = {fit(schema, capabilities) for schema in schemas_of(catalog)}, []
    renames: list[Rename] = []
    there: Catalog | None = None
    with target.connect() as connection:
        schemas = [schema for schema in target.adapter.schemas(connection) if schema in wanted]
        for schema in schemas:
            said, refused = answer(target.adapter, partial(entries, connection, schema))
            renames += [entry.rename for entry in said or ()]
            if refused is not None:
                why = refused.explained()
                notes.append(f"{RenameMap(schema).qname} cannot be read, so names are chosen without it: {why}")
        has_names = any(part.name for table in catalog.of(Table) for part in parts_of(table)) or has_named_sequences(catalog)
        if schemas and makes_parts and has_names:
            there, refused = answer(target.adapter, lambda: target.adapter.catalog(connection, schemas, proof=False))
            if refused is not None:
                notes.append(f"the target does not say what names it has: {refused}")
    return Known(tuple(renames), there), [*notes, *_overruled(catalog, renames, capabilities)]


def _overruled(catalog: Catalog, renames: Iterable[Rename], capabilities: Capabilities) -> Iterator[str]:
    """A remark for each table that REMAP_TABLE gives another name than an earlier job has given it."""
    earlier_names = {
        (one.schema, one.source_schema, one.source_table): one.name
        for one in renames
        if one.kind == "TABLE" and one.source_name == one.source_table
    }
    for table in catalog.of(Table):
        schema = fit(table.schema, capabilities)
        earlier = earlier_names.get((schema, table.source.schema, table.source.name))
        if earlier is not None and table.name not in {earlier, table.source.name}:
            known = RenameMap(schema).qname
            yield f"REMAP_TABLE goes before {known}: {table.source} is {table.name}, and not {earlier}"


def every_entry(target: Database) -> list[Entry]:
    """What all rename maps of a database say."""
    target.adapter.find(target.url)
    with target.connect() as connection:
        return [entry for schema in target.adapter.schemas(connection) for entry in entries(connection, schema)]
