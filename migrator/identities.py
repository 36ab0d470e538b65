"""The sequences of identity columns, where the target has them under names: each keeps its own while nothing else has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from migrator.adapter import Capabilities
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Column, Object, QName, Table
from migrator.naming import Chosen, Known, beside_sequences

USUAL = "identity-sequence"
"""The rule of the entries about sequences that get the usual name."""


def has_named_sequences(catalog: Catalog) -> bool:
    """Whether a sequence of an identity has another name than the usual one."""
    columns = (column for table in catalog.of(Table) for column in table.columns)
    return any(column.identity is not None and column.identity.sequence is not None for column in columns)


def fit_sequences(catalog: Catalog, capabilities: Capabilities, known: Known) -> Catalog:
    """The catalog, with the usual names for sequences of identities whose own are taken, each an entry of the loss list.

    So are they of tables that have another name here: beside the table that had it, theirs would be taken.
    """
    if not capabilities.identity_sequence or not has_named_sequences(catalog):
        return catalog
    there = known.there.objects if known.there is not None else ()
    taken = {name: owner for obj in there for name, owner in _names(obj, capabilities)}
    given = Counter(name for obj in catalog.objects for name, _ in _names(obj, capabilities))
    losses: list[Loss] = []

    def fitted(table: Table, column: Column) -> Column:
        if column.identity is None or column.identity.sequence is None:
            return column
        name = QName(table.schema, column.identity.sequence)
        if isinstance(known, Chosen):
            keeps = (path_of(table), column.name) not in known.usual
        else:
            keeps = not _is_renamed(table) and given[name] == 1 and taken.get(name, table.qname) == table.qname
        if keeps:
            return column
        detail = f"its sequence gets the usual name, not {name.name}"
        losses.append(Loss(path_of(table), USUAL, detail, column.name))
        return replace(column, identity=replace(column.identity, sequence=None))

    objects = tuple(
        replace(obj, columns=tuple(fitted(obj, column) for column in obj.columns)) if isinstance(obj, Table) else obj
        for obj in catalog.objects
    )
    return catalog.with_objects(objects).with_losses(*losses)


def _is_renamed(table: Table) -> bool:
    return table.source.name != table.name


def _names(obj: Object, capabilities: Capabilities) -> Iterator[tuple[QName, QName]]:
    """The names that an object, its parts and its identities' sequences take from sequences, each with the object's."""
    for name in beside_sequences(obj, capabilities):
        yield name, QName(name.schema, obj.name)
    if not isinstance(obj, Table):
        return
    for column in obj.columns:
        if column.identity is not None:
            own = None if _is_renamed(obj) else column.identity.sequence
            usual = capabilities.identity_sequence.format(table=obj.name, column=column.name)
            yield QName(obj.schema, own or usual), obj.qname
