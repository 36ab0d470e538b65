"""What each type of each database becomes on every database, and the declared loss: the type tables, put side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator.adapter import Adapter, installed, load_adapter
from migrator.errors import UnsupportedType
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, DomainType, Table
from migrator.numbers import as_integers
from migrator.spec import NumberTypes


@dataclass(frozen=True)
class Cell:
    """What a type becomes: its declaration and the losses, or why it is refused."""

    declared: str
    losses: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def exact(self) -> bool:
        """Whether every value is kept, with its meaning."""
        return not self.losses and not self.refusal


@dataclass(frozen=True)
class Target:
    """A server that types are declared on: an adapter's, and its version (None: the latest)."""

    title: str
    adapter: Adapter
    version: tuple[int, ...] | None


def targets() -> Iterator[Target]:
    """The servers of all adapters."""
    for adapter in map(load_adapter, installed()):
        for title, version in adapter.servers.items():
            yield Target(title, adapter, version)


def _domains(type_: t.Type) -> Iterator[DomainType]:
    """The domains that a column's type is made of, each before those that refer to it."""
    if isinstance(type_, t.Domain):
        yield from _domains(type_.base)
        yield DomainType(type_.schema, type_.name, type_.base)


def cell(source: Adapter, declaration: str, target: Target, number_types: NumberTypes = "EXACT") -> Cell:
    """What a column of ``source`` becomes that is declared so."""
    column = Column("c", source.samples[declaration], native=declaration)
    catalog = Catalog(source.name, "", (*_domains(column.type), Table("s", "t", (column,), bytes=0)))
    fitted = as_integers(catalog, number_types, target.adapter.capabilities)
    ddl = target.adapter.ddl(fitted, target.version)
    (table,) = fitted.of(Table)
    try:
        made = ddl.create_table(table)
    except UnsupportedType as why:
        return Cell("", refusal=str(why))
    losses = (loss.detail for loss in (*fitted.losses, *made.losses))
    return Cell(ddl.declaration(table, table.columns[0]), tuple(losses))
