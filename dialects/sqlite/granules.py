"""A SQLite table's rows in granules, how many bytes they have, and whether the file changed.

The granules are ranges of the key that the rows are stored by, cut by a walk along it: of the rowid, or of the primary key
of a table WITHOUT ROWID, whose values may be of any storage class.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Granule, Key, key_granules
from migrator.errors import StateGone
from migrator.model.objects import QName, Table

from . import connections
from .names import qualified, quote, rowid_of

SAMPLED_ROWS = 100
"""How many rows tell how long the rows of a granule are."""

_SUMMED = 100
"""How many terms a sum has, so that an expression is not too deep for SQLite."""


_LITERAL = (
    "CASE typeof({c}) WHEN 'text' THEN '+CAST(X''' || hex({c}) || ''' AS TEXT)'"
    " WHEN 'real' THEN replace(quote({c}), 'Inf', '9e999') ELSE quote({c}) END"
)
"""A value as a literal. quote() ends a text at its first NUL; the plus takes CAST's affinity away, which would change how
the column's values compare with it."""


def length_of(names: Iterable[str]) -> str:
    """The SQL for about how many bytes the values of a row have (dbstat would have to read every page)."""
    lengths = [f"coalesce(length(CAST({quote(name)} AS BLOB)), 0)" for name in names]
    return summed([str(8 * len(lengths)), *lengths])


def summed(parts: Sequence[str]) -> str:
    """A sum of any number of parts; SQLite takes no deeper expressions than of a thousand."""
    sums = (" + ".join(parts[i : i + _SUMMED]) for i in range(0, len(parts), _SUMMED))
    return " + ".join(f"({part})" for part in sums)


# --- keys -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _KeyOrder:
    """See :class:`migrator.adapter.KeyOrder`. ``columns``: the key's, as SQL, each with its collation."""

    connection: sa.Connection
    table: Table
    columns: Sequence[str]

    def row_bytes(self, start: Key | None) -> float | None:
        names = [column.name for column in self.table.data_columns]
        rows = f"SELECT {', '.join(map(quote, names))} FROM {self._from(start)} LIMIT {SAMPLED_ROWS}"
        (average,) = self._ask(f"SELECT avg({length_of(names)}) FROM ({rows})")
        return None if average is None else float(average)

    def skip(self, start: Key | None, rows: int) -> Key | None:
        literals = ", ".join(_LITERAL.format(c=column) for column in self.columns)
        return self._ask(f"SELECT {literals} FROM {self._from(start)} LIMIT 1 OFFSET {rows}") or None

    def count(self, start: Key | None) -> int:
        (rows,) = self._ask(f"SELECT count(*) FROM (SELECT 1 FROM {self._from(start)})")
        return int(rows)

    def between(self, start: Key | None, end: Key | None) -> str:
        parts = [f"{_row(self.columns)} {sign} {_row(key)}" for sign, key in ((">=", start), ("<", end)) if key is not None]
        return " AND ".join(parts)

    def _from(self, start: Key | None) -> str:
        where = f" WHERE {self.between(start, None)}" if start is not None else ""
        table = qualified(self.table.source)
        return f"{table}{where} ORDER BY {', '.join(self.columns)}"

    def _ask(self, sql: str) -> tuple[Any, ...]:
        return tuple(self.connection.exec_driver_sql(sql).first() or ())


def _row(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({', '.join(values)})"


def granules(connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
    """See :meth:`migrator.adapter.Adapter.granules`."""
    columns = _key(connection, table.source)
    if not columns:
        return (Granule(bytes=table.bytes or 0),)
    return key_granules(_KeyOrder(connection, table, columns), size)


def _key(connection: sa.Connection, table: QName) -> list[str]:
    """What the rows are stored by; nothing where that has no name, or cannot be walked upward.

    :raises StateGone: the state that is read has no such table, since somebody has made it when the job had begun.
    """
    name = table.name.replace("'", "''")
    find = f"SELECT type, wr FROM pragma_table_list('{name}') WHERE schema = 'main'"
    found = connection.exec_driver_sql(find).one_or_none()
    if found is None:
        raise StateGone(tables=str(table))
    kind, without_rowid = found
    if kind != "table":
        return []
    if without_rowid:
        return _primary_key(connection, name)
    rowid = rowid_of(n for (n,) in connection.exec_driver_sql(f"SELECT name FROM pragma_table_xinfo('{name}')"))
    return [rowid] if rowid else []


def _primary_key(connection: sa.Connection, name: str) -> list[str]:
    parts = connection.exec_driver_sql(
        f"SELECT k.name, k.\"desc\", k.coll FROM pragma_index_list('{name}') AS i, pragma_index_xinfo(i.name) AS k"
        " WHERE i.origin = 'pk' AND k.key ORDER BY k.seqno"
    ).all()
    if any(descending for _, descending, _ in parts):
        return []
    return [f"{quote(column)} COLLATE {quote(collation)}" for column, _, collation in parts]


# --- changes --------------------------------------------------------------------------------------------------------

_WAL_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">6I")


def mark(connection: sa.Connection) -> str:
    """The file's state: the last commit in its write-ahead log, or, where that holds none, its time of change and size.

    So copying the log back into the file is no change as long as the log is there. When the last program closes the file
    while the log holds commits, the log goes away, and that cannot be told from a change.
    """
    path = connections.existing_file(connection.engine.url)
    return _last_commit(connections.wal_of(path)) or _facts(path)


def changed(connection: sa.Connection, mark_: str) -> str | None:
    """See :meth:`migrator.adapter.Adapter.changed`; it is about all tables, since a file has one state."""
    if mark(connection) == mark_:
        return None
    return "the file was written to, or closed by its last user"


def _facts(path: Path) -> str:
    facts = path.stat()
    return f"file {facts.st_mtime_ns} {facts.st_size}"


def _last_commit(log: Path) -> str:
    """The salts of a write-ahead log and the number of its last frame that ends a commit; empty: there is none."""
    try:
        with log.open("rb") as file:
            header = file.read(_WAL_HEADER.size)
            if len(header) < _WAL_HEADER.size:
                return ""
            _, _, page_size, _, *salts, _, _ = _WAL_HEADER.unpack(header)
            last = number = 0
            while len(frame := file.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
                _, pages_after_commit, *frame_salts, _, _ = _FRAME_HEADER.unpack(frame)
                if frame_salts != salts:
                    break
                number += 1
                last = number if pages_after_commit else last
                file.seek(page_size, 1)
    except FileNotFoundError:
        return ""
    return f"log {salts[0]:08x}{salts[1]:08x} {last}" if last else ""
