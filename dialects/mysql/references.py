"""Foreign keys that are checked when all is done: InnoDB itself checks each row as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.errors import DatabaseError
from migrator.model.objects import QName

from .names import qualified, quote
from .paths import unchecked_references

_KEYS = """SELECT k.constraint_schema, k.constraint_name, k.table_schema, k.table_name, k.referenced_table_schema,
    k.referenced_table_name, k.column_name, k.referenced_column_name
    FROM information_schema.key_column_usage k
    WHERE k.referenced_table_name IS NOT NULL
    AND ((k.table_schema, k.table_name) IN :tables OR (k.referenced_table_schema, k.referenced_table_name) IN :tables)
    ORDER BY k.constraint_schema, k.table_name, k.constraint_name, k.ordinal_position"""
_Key = tuple[str, QName, QName]


@contextmanager
def deferring(connection: sa.Connection, tables: Sequence[QName]) -> Iterator[None]:
    """See :meth:`migrator.adapter.Adapter.deferring`.

    :raises DatabaseError: rows refer to none.
    """
    keys = _keys(connection, tables)
    with unchecked_references(connection):
        yield
    for (name, child, parent), columns in keys.items():
        if rows := _dangling(connection, child, parent, columns):
            told = f"{rows} row(s) of {child} would refer to none of {parent}, or do already (foreign key {name})"
            raise DatabaseError(detail=told)


def _keys(connection: sa.Connection, tables: Sequence[QName]) -> dict[_Key, list[tuple[str, str]]]:
    """The foreign keys of tables, and those that refer to them, with the pairs of columns of each."""
    query = sa.text(_KEYS).bindparams(sa.bindparam("tables", expanding=True))
    keys: dict[_Key, list[tuple[str, str]]] = {}
    for _, name, *names, here, there in connection.execute(query, {"tables": [(t.schema, t.name) for t in tables]}):
        keys.setdefault((name, QName(*names[:2]), QName(*names[2:])), []).append((here, there))
    return keys


def _dangling(connection: sa.Connection, child: QName, parent: QName, columns: Sequence[tuple[str, str]]) -> int:
    """How many rows of ``child`` refer to none; by what is there now, which others cannot change before the commit."""
    equal = " AND ".join(f"c.{quote(here)} = p.{quote(there)}" for here, there in columns)
    given = " AND ".join(f"c.{quote(here)} IS NOT NULL" for here, _ in columns)
    joined = f"{qualified(child)} c LEFT JOIN {qualified(parent)} p ON {equal}"
    sql = f"SELECT count(*) FROM {joined} WHERE {given} AND p.{quote(columns[0][1])} IS NULL LOCK IN SHARE MODE"
    return int(execute_verbatim(connection, sql).scalar_one())
