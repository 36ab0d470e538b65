"""The rows of a database as what they mean, whatever database prints them: by plain drivers, nothing of migrator's paths."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from functools import partial

import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from tests.support.ends import ENDS
from tests.support.meaning import meaning
from tests.support.random_schemas import SPELLINGS


def rows_meant(url: str, table: Table, columns: dict[str, t.Type], *, parsed: str = "") -> Counter[tuple[object, ...]]:
    """The rows of a table, values of its columns taken for those of types that may be another database's; ``parsed`` as
    :func:`tests.support.meaning.meaning` has it."""
    name = adapter_for_backend(sa.make_url(url).get_backend_name()).name
    quoted = SPELLINGS[name].name
    with closing(ENDS[name](url)) as end:
        shown = end.shown(quoted(table.name), [quoted(column) for column in columns])
    return Counter(tuple(map(partial(meant, parsed=parsed), columns.values(), row)) for row in shown)


def meant(type_: t.Type, text: str | None, *, parsed: str = "") -> object:
    """What a value of a column of ``type_`` means, whatever database has printed it."""
    if text is not None and isinstance(t.base_of(type_), t.Integer):
        return int(text)  # MySQL's ZEROFILL shows zeros before it
    return meaning(type_, text, parsed=parsed)


def rows_that_differ(first: str, last: str, catalog: Catalog, *, parsed: str = "") -> dict[str, str]:
    """The tables of ``catalog``, the first database's, whose rows do not mean the same in the last: a few of both."""
    found = {}
    for table in catalog.of(Table):
        columns = {column.name: column.type for column in table.columns}
        here, there = (rows_meant(url, table, columns, parsed=parsed) for url in (first, last))
        if here != there:
            found[table.name] = f"{list((here - there).elements())[:3]} became {list((there - here).elements())[:3]}"
    return found
