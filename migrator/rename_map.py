"""The rename map: a table of the target that says what is called otherwise there. ``SELECT`` on it is documented use.

One lies in each schema that has such names, beside what it tells of: whoever connects finds it, and it goes with its schema.
A job that renames something makes it. It is no part of what jobs move.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa

from migrator.errors import RenameMapOutdated, RenameMapTaken
from migrator.model.catalog import Rename
from migrator.model.objects import QName, Table, quoted

NAME = "migrator_renames"
"""What it is called in its schema."""


@dataclass(frozen=True)
class MapColumn:
    """A column of the map: its name, its type, what it means, and the field of a :class:`Rename` that it holds, if any."""

    name: str
    type: sa.types.TypeEngine[Any]
    meaning: str
    field: str = ""


COLUMNS = (
    MapColumn(
        "object_type",
        sa.String(30),
        "TABLE, VIEW, SEQUENCE …, COLUMN, INDEX, CONSTRAINT (primary, unique, check) or REF_CONSTRAINT (foreign)",
        "kind",
    ),
    MapColumn("table_name", sa.String(255), "the table that it is part of, as it is called here; else empty", "table"),
    MapColumn("target_name", sa.String(255), "its name here", "name"),
    MapColumn(
        "source_name",
        sa.Text(),
        "the name that it has instead of: that of the source, or of REMAP_TABLE where that names a table",
        "source_name",
    ),
    MapColumn("source_schema", sa.Text(), "its schema at the source", "source_schema"),
    MapColumn("source_table", sa.Text(), "the table at the source that it is, or is part of; else empty", "source_table"),
    MapColumn("source_database", sa.String(30), "the kind of the source: mysql (MariaDB too), postgresql, sqlite"),
    MapColumn(
        "reason",
        sa.String(10),
        "LENGTH: the name is too long here; CHARACTERS: no name has such here; RESERVED: it is the database's own; "
        "COLLISION: something else has it",
        "reason",
    ),
    MapColumn("job", sa.String(255), "the job that said so last"),
    MapColumn(
        "part_number",
        sa.Integer(),
        "1; of several indexes or constraints of one table that have one name at the source, which it is",
        "number",
    ),
    MapColumn("changed_at", sa.DateTime(), "when"),
)
"""The columns of the map."""

_KEY = ("object_type", "table_name", "target_name")
"""The columns of its primary key, as :func:`key_of` has their values."""
_FIELDS = {column.field: column.name for column in COLUMNS if column.field}


_LATER = {"part_number": "1"}
"""The columns that maps of earlier releases may not have, and what is in them then."""


def is_rename_map(table: Table) -> bool:
    """Whether a table is a rename map, of an earlier release too, which is no part of what jobs move."""
    return table.name.lower() == NAME and _lacking(column.name for column in table.columns) is not None


def _lacking(columns: Iterable[str]) -> list[str] | None:
    """The columns that a map with these does not have, being one of an earlier release; None: it is no map."""
    own, found = [column.name for column in COLUMNS], {name.lower() for name in columns}
    return [name for name in own if name not in found] if found | set(_LATER) == set(own) else None


@dataclass(frozen=True)
class Entry:
    """A row of the map: the rename, the kind of database that it is from, and the job that has said so."""

    rename: Rename
    source_database: str
    job: str

    def __str__(self) -> str:
        one = self.rename
        where = f"{QName(one.schema, one.table)}.{quoted(one.name)}" if one.table else str(QName(one.schema, one.name))
        label = f"{one.kind}:{quoted(one.name) if one.kind == 'SCHEMA' else where}"
        return f"{label} instead of {quoted(one.source_name)} [{one.reason}]"

    def to_json(self) -> dict[str, str | int]:
        """JSON-ready values, under the names of the columns and that of the schema."""
        found = {column: getattr(self.rename, field) for field, column in _FIELDS.items()}
        return {"schema": self.rename.schema, **found, "source_database": self.source_database, "job": self.job}


@cache
def _table(schema: str) -> sa.Table:
    columns = [
        sa.Column(c.name, c.type, primary_key=c.name in _KEY, nullable=False, server_default=_LATER.get(c.name))
        for c in COLUMNS
    ]
    of_mysql = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}
    options: Any = {f"{server}_{name}": value for server in ("mysql", "mariadb") for name, value in of_mysql.items()}
    return sa.Table(NAME, sa.MetaData(), *columns, schema=schema, **options)


@dataclass(frozen=True)
class RenameMap:
    """The map of one schema. It holds no connection: every call takes one, in autocommit mode."""

    schema: str

    @property
    def qname(self) -> QName:
        """Its name."""
        return QName(self.schema, NAME)

    @cached_property
    def _table(self) -> sa.Table:
        return _table(self.schema)

    def exists(self, connection: sa.Connection) -> bool:
        """Whether it is there.

        :raises RenameMapTaken: something else is.
        :raises RenameMapOutdated: it is one of an earlier release.
        """
        inspector = sa.inspect(connection)
        if not inspector.has_table(NAME, self.schema):
            return False
        lacking = _lacking(str(column["name"]) for column in inspector.get_columns(NAME, self.schema))
        if lacking is None:
            raise RenameMapTaken(table=self.qname)
        if lacking:
            added = (sa.schema.CreateColumn(self._table.c[name]).compile(dialect=connection.dialect) for name in lacking)
            raise RenameMapOutdated(table=self.qname, columns=", ".join(lacking), definitions=", ADD ".join(map(str, added)))
        return True

    def create(self, connection: sa.Connection) -> None:
        """Make it, if it is not there.

        :raises RenameMapTaken: something else is.
        :raises RenameMapOutdated: one of an earlier release is.
        """
        if not self.exists(connection):
            try:
                self._table.create(connection, checkfirst=False)
            except sa.exc.SQLAlchemyError:
                if not self.exists(connection):  # made by another job meanwhile
                    raise

    def entries(self, connection: sa.Connection) -> list[Entry]:
        """What it says, the oldest first."""
        wanted = sa.select(self._table).order_by(self._table.c.changed_at, *(self._table.c[name] for name in _KEY))
        return [self._entry(row._mapping) for row in connection.execute(wanted)]

    def _entry(self, row: Any) -> Entry:
        fields: dict[str, Any] = {field: row[column] or "" for field, column in _FIELDS.items()}
        return Entry(Rename(schema=self.schema, **fields), row["source_database"], row["job"])

    def put(self, connection: sa.Connection, entry: Entry) -> None:
        """Let it say this of an object at the target, whatever it said of it before. It can be said twice."""
        table, values = self._table, entry.to_json()
        del values["schema"]
        timed = {**values, "changed_at": sa.func.current_timestamp()}
        if connection.execute(table.update().where(*self._of(entry.rename)).values(timed)).rowcount == 0:
            try:
                connection.execute(table.insert().values(timed))
            except sa.exc.IntegrityError:  # another job has said so at the same moment
                connection.execute(table.update().where(*self._of(entry.rename)).values(timed))

    def remove(self, connection: sa.Connection, rename: Rename) -> None:
        """Let it say nothing of an object at the target any more."""
        connection.execute(self._table.delete().where(*self._of(rename)))

    def _of(self, rename: Rename) -> Sequence[sa.ColumnElement[bool]]:
        return [self._table.c[column] == value for column, value in zip(_KEY, key_of(rename)[1:], strict=True)]


def key_of(rename: Rename) -> tuple[str, str, str, str]:
    """What tells an entry from others: an object at the target. The schema, then the values of the map's key."""
    return rename.schema, rename.kind, rename.table, rename.name
