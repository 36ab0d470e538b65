"""What tables and indexes say of equal rows, and by which expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrator.model.catalog import Loss, path_of
from migrator.model.equality import EXACT, Equality
from migrator.model.objects import Expression, Index, Table


def expressions_of(index: Index) -> tuple[Expression, ...]:
    """The expressions of an index: its keys' and its condition."""
    return tuple(e for e in (*(key.expression for key in index.keys), index.where) if e is not None)


def unique_keys(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What lets no two rows of a table be equal: as the loss list calls it, and its columns."""
    return ((label, columns) for label, columns, _ in _unique_keys(table))


def keys_as_columns(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Those of the :func:`unique_keys` that hold for equal what their columns do: without a collation of their own."""
    return ((label, columns) for label, columns, own in _unique_keys(table) if not own)


def _unique_keys(table: Table) -> Iterator[tuple[str, tuple[str, ...], frozenset[str]]]:
    """The unique keys, each with those of its columns that it compares by a collation of its own."""
    if table.primary_key is not None:
        key = table.primary_key
        own = (name for name, collation in zip(key.columns, key.collations, strict=bool(key.collations)) if collation)
        yield "the primary key", key.columns, frozenset(own)
    for unique in table.uniques:
        yield f"unique {unique.name}" if unique.name else "a unique constraint", unique.columns, frozenset()
    for index in table.indexes:
        if index.unique:
            columns = [key for key in index.keys if key.column is not None]
            apart = frozenset(key.column or "" for key in columns if key.collation is not None)
            yield f"unique index {index.name}", tuple(key.column or "" for key in columns), apart


def equality_changes(source: Equality, target: Equality) -> Iterator[str]:
    """How the texts that a column holds for equal differ from those that it does at its source."""
    if apart := source - target:
        yield f"{apart} are different"
    if alike := target - source:
        yield f"{alike} are equal"


def key_losses(table: Table, source: Mapping[str, Equality], target: Mapping[str, Equality]) -> Iterator[Loss]:
    """The entries about unique keys of the target's ``table`` that hold other texts for equal than the source's columns do.

    ``source`` and ``target``: what columns hold for equal, by their names at the target. Of a key with a collation of its
    own, an entry about that says what it does here.
    """
    for label, columns, own in _unique_keys(table):
        for name in columns:
            if name in own:
                continue
            here, there = source.get(name, EXACT), target.get(name, EXACT)
            if alike := there - here:
                detail = f"{label} holds {alike} for equal, and refuses one of the two"
                yield Loss(path_of(table), "key-equality", detail, name)
            if apart := here - there:
                detail = f"{label} lets in both {apart}, which are equal at the source"
                yield Loss(path_of(table), "key-equality", detail, name)
