"""How a database writes names and constants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from migrator.adapter import Adapter, load_adapter
from migrator.model.catalog import Catalog
from migrator.model.objects import DomainType, EnumType, Expression, QName, Sequence, Table, View


class Names:
    """How one database writes names and constants."""

    def __init__(self, adapter: Adapter, catalog: Catalog, version: tuple[int, ...] | None = None) -> None:
        self.adapter, self.catalog, self.version = adapter, catalog, version
        self.dialect = adapter.dialect()
        self.preparer = self.dialect.identifier_preparer
        self.refused: Mapping[tuple[QName, Expression | str], str] = {}
        """What the server said against expressions, and defaults of columns, when they were tried; they are left out."""
        self.absent: Collection[QName] | None = None
        """The tables that foreign keys refer to and that neither the job nor the server has; None: nobody has asked."""
        self.ignores_table_case = adapter.capabilities.ignores_table_case
        """Whether names of tables that differ only in case collide on the server."""

    @property
    def title(self) -> str:
        """The database's name as people write it."""
        return self.adapter.title

    def quote(self, name: str) -> str:
        """An identifier, quoted where it must be."""
        quoted: str = self.preparer.quote(name)
        return quoted

    def qualified(self, schema: str, name: str) -> str:
        """A schema-qualified name."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def name_of(self, obj: Table | Sequence | View | EnumType | DomainType | QName) -> str:
        """An object's name as statements write it."""
        return self.qualified(obj.schema, obj.name)

    def columns(self, names: Iterable[str]) -> str:
        """A comma-joined list of quoted names."""
        return ", ".join(self.quote(name) for name in names)

    def named(self, name: str | None) -> str:
        """``CONSTRAINT name``, or nothing for a constraint whose name the database chose."""
        return f"CONSTRAINT {self.quote(name)} " if name else ""

    def called(self, kind: str, name: str | None) -> str:
        """How messages call a constraint: many have no name of their own."""
        return f"{kind} {name}" if name else kind

    def stored(self, name: str) -> str:
        """A column's name as the database tells it from others."""
        return name.lower() if self.adapter.capabilities.ignores_column_case else name

    def stored_table(self, name: str) -> str:
        """A table's name, or its schema's, as the database tells it from others."""
        return name.lower() if self.ignores_table_case else name

    def taken_for(self, name: QName) -> QName | None:
        """The table or view of the job that ``name``, which means another one at the source, would lead to here."""
        if load_adapter(self.catalog.dialect).capabilities.ignores_table_case:
            return None
        found = self._by_stored_name.get(self._stored(name))
        return None if found == name else found

    @cached_property
    def _by_stored_name(self) -> dict[tuple[str, str], QName]:
        relations = [QName(obj.schema, obj.name) for obj in self.catalog.objects if isinstance(obj, Table | View)]
        return {self._stored(name): name for name in relations}

    def _stored(self, name: QName) -> tuple[str, str]:
        return self.stored_table(name.schema), self.stored_table(name.name)

    # --- constants --------------------------------------------------------------------------------------------------

    def literal(self, text: str) -> str:
        """A character literal."""
        return "'" + text.replace("'", "''") + "'"

    def boolean(self, value: bool) -> str:
        """A truth value."""
        return "TRUE" if value else "FALSE"

    def binary_literal(self, digits: str) -> str:
        """Bytes, given in hexadecimal."""
        return f"X'{digits}'"

    # --- scripts ----------------------------------------------------------------------------------------------------

    def as_script(self, statement: str) -> str:
        """A statement as it stands in a SQLFILE, with its terminator."""
        return f"{statement};"

    def script_head(self) -> tuple[str, ...]:
        """Statements a SQLFILE begins with."""
        return ()
