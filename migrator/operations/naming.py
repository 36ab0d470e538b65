"""What names a target has, asked before a job chooses its own; and its rename maps, read as a user reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa

from migrator.ends import Database, answer
from migrator.identities import has_named_sequences
from migrator.model.catalog import Catalog, Rename
from migrator.model.objects import Schema, Table
from migrator.naming import Known, parts_of
from migrator.rename_map import Entry, RenameMap


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


@dataclass
class NamesThere:
    """Asks a target for its names, as :func:`~migrator.transforms.apply` wants them known.

    ``makes_parts``: keys and indexes are to be made, whose names may be taken there.
    """

    target: Database
    makes_parts: bool
    notes: list[str] = field(default_factory=list)
    """What is remarked of it."""

    def __call__(self, catalog: Catalog) -> Known:
        """The names in the schemas of a catalog."""
        with self.target.connect() as connection:
            found = present(self.target, connection, catalog)
            renames = tuple(rename for schema in found for rename in self._renames(connection, schema))
            named = (part.name for table in catalog.of(Table) for part in parts_of(table))
            asks = self.makes_parts and (any(named) or has_named_sequences(catalog))
            there = self._there(connection, found) if found and asks else None
        self.notes += _overruled(catalog, renames)
        return Known(renames, there)

    def _renames(self, connection: sa.Connection, schema: str) -> Iterator[Rename]:
        said, refused = answer(self.target.adapter, partial(entries, connection, schema))
        if refused is not None:
            self.notes.append(f"{RenameMap(schema).qname} cannot be read, so names are chosen without it: {refused}")
        yield from (entry.rename for entry in said or ())

    def _there(self, connection: sa.Connection, schemas: list[str]) -> Catalog | None:
        adapter = self.target.adapter
        there, refused = answer(adapter, lambda: adapter.catalog(connection, schemas, proof=False))
        if refused is not None:
            self.notes.append(f"the target does not say what names it has: {refused}")
        return there


def _overruled(catalog: Catalog, renames: tuple[Rename, ...]) -> Iterator[str]:
    """A remark for each table that REMAP_TABLE gives another name than an earlier job has given it."""
    named = {
        (one.schema, one.source_schema, one.source_table): one.name
        for one in renames
        if one.kind == "TABLE" and one.source_name == one.source_table
    }
    for table in catalog.of(Table):
        earlier = named.get((table.schema, table.source.schema, table.source.name))
        if earlier is not None and table.name not in {earlier, table.source.name}:
            known = RenameMap(table.schema).qname
            yield f"REMAP_TABLE goes before {known}: {table.source} is {table.name}, and not {earlier}"


def every_entry(target: Database) -> list[Entry]:
    """What all rename maps of a database say."""
    target.adapter.find(target.url)
    with target.connect() as connection:
        return [entry for schema in target.adapter.schemas(connection) for entry in entries(connection, schema)]
