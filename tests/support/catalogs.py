"""The catalogs of databases, read as a job reads them."""

from __future__ import annotations

import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.model.catalog import Catalog
from migrator.origins import without_records


def catalog_of(url: str) -> Catalog:
    """All schemas of the database at ``url``."""
    return _catalog_of(url, None)


def schema_catalog(url: str, schema: str) -> Catalog:
    """One schema of the database at ``url``."""
    return _catalog_of(url, schema)


def _catalog_of(url: str, schema: str | None) -> Catalog:
    parsed = sa.make_url(url)
    adapter = adapter_for_backend(parsed.get_backend_name())
    engine = adapter.engine(parsed)
    with adapter.snapshot(engine, 1) as snapshot, adapter.reading(engine, snapshot) as connection:
        found = adapter.catalog(connection, adapter.schemas(connection) if schema is None else [schema])
        return without_records(found)
