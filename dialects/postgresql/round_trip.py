"""Texts of other types for types that PostgreSQL alone has, and for arrays: whether the server gives them back as they are.

Its parsers cut a ``name``, round ``money`` and strip the blanks of a ``char(3)[]`` without an error. So the server is asked
what it makes of each text before it stores one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors

from migrator.adapter import Load
from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t

from .copy_in import Target


def looked_at(columns: Sequence[Target], load: Load) -> list[int]:
    """The places of a load's columns that only the server knows how to read; of a missing one it will say so itself."""
    pairs = zip(load.source, load.target, strict=True)
    return [place for place, pair in enumerate(pairs) if _is_foreign(*pair) and columns[place].declared]


def _is_foreign(source: Any, target: Any) -> bool:
    here, there = t.base_of(source.type), t.base_of(target.type)
    return isinstance(there, t.Native | t.Array) and here != there


def refuse_changes(connection: psycopg.Connection[Any], column: Target, texts: pa.Array) -> None:
    """Refuse texts that the server would read as something else.

    :raises ValueNotCarried: naming the column and one of the texts.
    """
    sql = (
        "SELECT v FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS v "
        f"WHERE pg_catalog.format('%%s', v::{column.declared.replace('%', '%%')}) IS DISTINCT FROM v LIMIT 1"
    )
    try:
        found = connection.execute(sql, (texts.drop_null().to_pylist(),)).fetchone()
    except errors.InsufficientPrivilege:
        raise
    except (errors.DataError, errors.ProgrammingError) as error:  # the latter: there is no such table, function …
        raise ValueNotCarried(column=column.column, detail=error.diag.message_primary) from error
    if found is not None:
        detail = f"{abridged(found[0])!r} would become another value of {column.declared}"
        raise ValueNotCarried(column=column.column, detail=detail)
