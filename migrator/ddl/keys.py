"""What tables and indexes say of equal rows, and by which expressions."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.model.catalog import Loss, path_of
from migrator.model.objects import Expression, Index, Table


def expressions_of(index: Index) -> tuple[Expression, ...]:
    """The expressions of an index: its keys' and its condition."""
    return tuple(e for e in (*(key.expression for key in index.keys), index.where) if e is not None)


def unique_keys(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What lets no two rows of a table be equal: as the loss list calls it, and its columns."""
    if table.primary_key is not None:
        yield "the primary key", table.primary_key.columns
    for unique in table.uniques:
        yield f"unique {unique.name}" if unique.name else "a unique constraint", unique.columns
    for index in table.indexes:
        if index.unique:
            yield f"unique index {index.name}", tuple(key.column for key in index.keys if key.column is not None)


def keys_telling_case(table: Table) -> Iterator[Loss]:
    """The entries about unique keys over texts whose collation ignores case at the source, and does not here."""
    ignoring = {column.name for column in table.columns if column.ignore_case}
    for label, columns in unique_keys(table):
        for name in columns:
            if name in ignoring:
                detail = f"{label} lets in both 'a' and 'A', which are equal at the source"
                yield Loss(path_of(table), "key-case", detail, name)
