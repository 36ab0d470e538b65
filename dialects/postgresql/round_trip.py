"""Texts of other types for types that PostgreSQL alone has, and for arrays: whether the server gives them back as they are.

Its parsers cut a ``name``, round ``money`` and strip the blanks of a ``char(3)[]`` without an error. So the server is asked
what it makes of each text before it stores one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors

from migrator.adapter import Load
from migrator.errors import ValueNotCarried
from migrator.model import types as t

Declared = Mapping[int, str]
"""The types of columns whose values are looked at, by their places in a load."""

_TYPES = """
SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
WHERE attrelid = %s::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped
"""


def looked_at(connection: psycopg.Connection[Any], table: str, load: Load) -> Declared:
    """The columns of a load that only the server knows how to read, and what it calls their types."""
    places = [place for place, pair in enumerate(zip(load.source, load.target, strict=True)) if _is_foreign(*pair)]
    if not places:
        return {}
    types = dict(connection.execute(_TYPES, (table,)).fetchall())
    return {place: types[load.target[place].name] for place in places}


def _is_foreign(source: Any, target: Any) -> bool:
    here, there = t.base_of(source.type), t.base_of(target.type)
    return isinstance(there, t.Native | t.Array) and here != there


def refuse_changes(connection: psycopg.Connection[Any], column: str, texts: pa.Array, type_: str) -> None:
    """Refuse texts that the server would read as something else.

    :raises ValueNotCarried: naming the column and one of the texts.
    """
    sql = (
        "SELECT v FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS v "
        f"WHERE pg_catalog.format('%%s', v::{type_.replace('%', '%%')}) IS DISTINCT FROM v LIMIT 1"
    )
    try:
        found = connection.execute(sql, (texts.drop_null().to_pylist(),)).fetchone()
    except errors.InsufficientPrivilege:
        raise
    except (errors.DataError, errors.ProgrammingError) as error:  # the latter: there is no such table, function …
        raise ValueNotCarried(column=column, detail=error.diag.message_primary) from error
    if found is not None:
        raise ValueNotCarried(column=column, detail=f"{found[0][:60]!r} would become another value of {type_}")
