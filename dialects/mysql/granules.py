"""A MySQL table's rows in granules, and what the server tells about changes to them.

The granules are ranges of the key that the rows are stored by, cut by a walk along its index. A boundary is a literal with
the very bytes of a key, and a column compares with it by the column's own collation, the one its index is ordered by: so
the comparison agrees with the walk. Without such a key the partitions, or the table, are the granules.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Granule, Key, Read, execute_verbatim, key_granules
from migrator.model.objects import QName, Table

from . import messages, paths
from .estimates import FRESH_STATISTICS
from .names import qualified, quote

SAMPLED_ROWS = 50
"""How many rows tell how long the rows of a granule are."""


# --- keys -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Form:
    """How a key's value becomes a literal: the SQL of its text over ``{column}``, and what is put around that text."""

    text: str
    literal: str


_NUMBER = _Form("CAST({column} AS CHAR)", "{text}")
_QUOTED = _Form("CAST({column} AS CHAR)", "'{text}'")
_BYTES = _Form("HEX({column})", "X'{text}'")
_TEXT = _Form("HEX({column})", "_{charset} X'{text}'")

_FORMS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"), _NUMBER),
    **dict.fromkeys(("date", "datetime", "timestamp", "time", "uuid", "inet4", "inet6"), _QUOTED),
    **dict.fromkeys(("binary", "varbinary"), _BYTES),
    **dict.fromkeys(("char", "varchar"), _TEXT),
}
"""By type. Left out: floats (their text may be another number), ENUM and SET (ordered by number, compared as texts), YEAR (a
constant of one or two digits means another year), BIT."""


@dataclass(frozen=True)
class _KeyColumn:
    """A column of a key, and how its values are written as literals."""

    name: str
    form: _Form
    charset: str

    @property
    def quoted(self) -> str:
        return quote(self.name)

    @property
    def text(self) -> str:
        return self.form.text.format(column=self.quoted)

    def literal(self, text: str) -> str:
        return self.form.literal.format(text=text, charset=self.charset)


@dataclass(frozen=True)
class _KeyOrder:
    """See :class:`migrator.adapter.KeyOrder`."""

    connection: sa.Connection
    table: Table
    index: str
    key: Sequence[_KeyColumn]

    def row_bytes(self, start: Key | None) -> float | None:
        columns = [quote(column.name) for column in self.table.data_columns]
        length = " + ".join(f"COALESCE(LENGTH({column}), 0)" for column in columns)
        rows = f"SELECT {', '.join(columns)} FROM {self._from(start)} LIMIT {SAMPLED_ROWS}"
        (average,) = self._ask(f"SELECT AVG({length}) FROM ({rows}) AS sampled")
        return None if average is None else float(average) + len(self.table.columns)

    def skip(self, start: Key | None, rows: int) -> Key | None:
        texts = ", ".join(column.text for column in self.key)
        found = self._ask(f"SELECT {texts} FROM {self._from(start)} LIMIT 1 OFFSET {rows}")
        return tuple(column.literal(text) for column, text in zip(self.key, found, strict=True)) if found else None

    def count(self, start: Key | None) -> int:
        (rows,) = self._ask(f"SELECT COUNT(*) FROM (SELECT 1 FROM {self._from(start)}) AS counted")
        return int(rows)

    def between(self, start: Key | None, end: Key | None) -> str:
        parts = (self._compared(">", "=", start), self._compared("<", "", end))
        return " AND ".join(part for part in parts if part)

    def _from(self, start: Key | None) -> str:
        where = f" WHERE {condition}" if (condition := self._compared(">", "=", start)) else ""
        order = ", ".join(column.quoted for column in self.key)
        return f"{qualified(self.table.source)} FORCE INDEX ({quote(self.index)}){where} ORDER BY {order}"

    def _compared(self, sign: str, or_equal: str, key: Key | None) -> str:
        """A comparison of the key's columns, written out: the servers use no index for a comparison of rows."""
        if key is None:
            return ""
        columns = [column.quoted for column in self.key]
        cases = []
        for last in range(len(columns)):
            equal = [f"{column} = {value}" for column, value in zip(columns[:last], key, strict=False)]
            end = or_equal if last == len(columns) - 1 else ""
            cases.append(" AND ".join([*equal, f"{columns[last]} {sign}{end} {key[last]}"]))
        return cases[0] if len(cases) == 1 else f"({' OR '.join(cases)})"

    def _ask(self, sql: str) -> Sequence[Any]:
        return tuple(execute_verbatim(self.connection, sql).first() or ())


def granules(connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
    """See :meth:`migrator.adapter.Adapter.granules`; one if the server does not open it, as the read tells."""
    try:
        return _granules(connection, table, size)
    except sa.exc.DBAPIError as error:
        if messages.unopened(error) is None:
            raise
        return (Granule(bytes=table.bytes or 0),)


def _granules(connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
    order = _order(connection, table)
    if order is not None:
        return key_granules(order, size)
    return _partitions(connection, table.source) or (Granule(bytes=table.bytes or 0),)


def _order(connection: sa.Connection, table: Table) -> _KeyOrder | None:
    """The key that rows are stored by: the primary key, else the first unique index that takes no NULL."""
    indexes: dict[str, list[Any]] = {}
    for row in execute_verbatim(connection, f"SHOW INDEX FROM {qualified(table.source)}").mappings():
        indexes.setdefault(row["Key_name"], []).append(row)
    for name, parts in indexes.items():
        if not parts[0]["Non_unique"] and not any(part["Null"] for part in parts):
            key = _usable(connection, table.source, parts)
            return _KeyOrder(connection, table, name, key) if key else None
    return None


_KEY_TYPES = """
SELECT column_name, data_type, character_set_name FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :name
"""


def _usable(connection: sa.Connection, table: QName, parts: Sequence[Any]) -> list[_KeyColumn]:
    """The columns of an index if it can be walked upward and all their values have literals, else nothing."""
    if any(part["Sub_part"] or part["Collation"] != "A" or part["Index_type"] != "BTREE" for part in parts):
        return []
    rows = connection.execute(sa.text(_KEY_TYPES), {"schema": table.schema, "name": table.name})
    types = {name: (type_, charset) for name, type_, charset in rows}
    columns = []
    for part in parts:
        type_, charset = types.get(part["Column_name"], ("", None))  # an expression has no name
        form = _FORMS.get(type_)
        if form is None:
            return []
        columns.append(_KeyColumn(part["Column_name"], form, charset or ""))
    return columns


_PARTITIONS = """
SELECT partition_name, SUM(data_length) FROM information_schema.partitions
WHERE table_schema = :schema AND table_name = :name AND partition_name IS NOT NULL
AND partition_method <> 'SYSTEM_TIME'  -- naming one would read the history it has
GROUP BY partition_name ORDER BY MIN(partition_ordinal_position)
"""


def _partitions(connection: sa.Connection, table: QName) -> tuple[Granule, ...]:
    rows = connection.execute(sa.text(_PARTITIONS), {"schema": table.schema, "name": table.name})
    return tuple(Granule(QName(table.schema, name), bytes=int(length)) for name, length in rows)


# --- changes --------------------------------------------------------------------------------------------------------


def mark(connection: sa.Connection) -> str:
    """The server's position when the snapshot of ``connection`` began; see :meth:`migrator.adapter.Adapter.mark`."""
    time, last = connection.info.get(paths.BEGAN) or paths.position(connection)
    return json.dumps({"time": time, "last": last})


_TIMES = """
SELECT CAST(update_time AS CHAR), CAST(create_time AS CHAR) FROM information_schema.tables
WHERE table_schema = :schema AND table_name = :name
"""


def changed(connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
    """By the rows' number, the last logged transaction, the table's time of change and that of its file.

    See :meth:`migrator.adapter.Adapter.changed`. A table that is written anew forgets when rows of it were changed.
    """
    held = int(execute_verbatim(connection, f"SELECT COUNT(*) FROM {paths.rows_of(read)}").scalar_one())
    if held != rows:
        return f"it has {held} rows, not {rows}"
    then = json.loads(mark)
    if _is_as_it_was(connection, then["last"]):
        return None
    connection.exec_driver_sql(FRESH_STATISTICS)
    place = {"schema": read.table.schema, "name": read.table.name}
    written, made = connection.execute(sa.text(_TIMES), place).one()
    if written is not None and written >= then["time"]:
        return f"it was written to at {written} UTC"
    if made is not None and made >= then["time"]:
        return f"it was made, altered or renamed at {made} UTC"
    return None


def _is_as_it_was(connection: sa.Connection, last: str) -> bool:
    """Whether nothing can have changed since ``last`` was the last logged transaction."""
    if paths.PAST in connection.info:  # what is written now changes nothing of it
        return True
    _, now = paths.position(connection)
    return bool(now) and now == last


def forgotten(connection: sa.Connection, mark: str) -> str:
    """InnoDB forgets when a table was written to, as the server is started again; see
    :meth:`migrator.adapter.Adapter.forgotten`."""
    then = json.loads(mark)
    if _is_as_it_was(connection, then["last"]):
        return ""
    _, seconds = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Uptime'").one()
    begun = "CAST(SYSDATE() - INTERVAL %s SECOND AS DATETIME)"
    sql = f"SELECT CAST({begun} AS CHAR), {begun} >= CAST(%s AS DATETIME)"
    started, later = connection.exec_driver_sql(sql, (int(seconds), int(seconds), then["time"])).one()
    return f"its server was started again at {started} UTC, and forgot what had been written to before" if later else ""
