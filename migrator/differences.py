"""What the values of a table mean otherwise in one that is there already: entries of the loss list.

What becomes of each value is said in :mod:`migrator.between`; here are its entries, and what the table's own keys and
expressions make of the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from migrator.adapter import load_adapter
from migrator.between import passage
from migrator.ddl import key_losses
from migrator.expressions import Untranslatable
from migrator.expressions.likeness import alike
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import Equality
from migrator.model.objects import Column, Expression, Table


def differences(table: Table, existing: Table, source: Sequence[Column], target: Sequence[Column]) -> Iterator[Loss]:
    """The entries about rows of ``table`` that go into ``existing``: columns ``source`` into those of ``target``."""
    path = path_of(table)
    for here, there in zip(source, target, strict=True):
        found = passage(here.type, there.type)
        if found is not None and found.rule:
            yield Loss(path, found.rule, found.detail, there.name, each=found.each)
    yield from _computed(table, existing, path)
    pairs = list(zip(source, target, strict=True))
    yield from key_losses(
        replace(existing, schema=table.schema, name=table.name),
        {there.name: here.equality for here, there in pairs},
        {there.name: there.equality for _, there in pairs},
    )


OWN = "existing-generated"
"""The rule of entries about columns that a table computes by an expression of its own."""


def _computed(table: Table, existing: Table, path: str) -> Iterator[Loss]:
    """The columns that both tables compute, each by an expression of its own."""
    there = {column.name.lower(): column for column in existing.columns}
    for column in table.columns:
        found = there.get(column.name.lower())
        if column.generated is None or found is None or found.generated is None:
            continue
        here, own = column.generated.expression, found.generated.expression
        elsewhere = _unlike(here, own, table, existing, column)
        if elsewhere:
            detail = f"the target's own expression computes it: {own.sql}; at the source {elsewhere}"
            yield Loss(path, OWN, detail, found.name)


def _unlike(here: Expression, own: Expression, table: Table, existing: Table, column: Column) -> str:
    """What ``here``, the source's, has other than ``own``; empty: they say the same.

    They are compared by their words, those of another database in the words of the target's.

    The same words may mean another thing there: which halves are rounded up, what SUBSTR gives from 0 on; and in any
    database over columns that compare otherwise. Words that cannot be told apart may be about every column.
    """
    language = load_adapter(own.dialect).language
    said = here.sql
    try:
        if here.dialect != own.dialect:
            ddl = load_adapter(own.dialect).ddl(Catalog(here.dialect, "", (table,)))
            said = ddl.expression(here, table, into=column, fixed=True)
        named = {word.value.lower() for word in language.words(own.sql)}
    except Untranslatable:
        named = {column.name.lower() for column in existing.columns}
        is_same = here == own
    else:
        is_same = alike(said, own.sql, language)
    if not is_same:
        return f"it is {here.sql}"
    return "it is over columns that compare otherwise" if _compared_otherwise(table, existing, named) else ""


def _compared_otherwise(table: Table, existing: Table, names: Collection[str]) -> bool:
    """Whether one of the columns holds other texts for equal in the table that is there, or has values of another kind."""
    there = {column.name.lower(): column for column in existing.columns}
    pairs = [(column, there.get(column.name.lower())) for column in table.columns if column.name.lower() in names]
    return any(found is None or _kind(found) != _kind(column) for column, found in pairs)


def _kind(column: Column) -> tuple[type[t.Type], Equality]:
    return type(t.base_of(column.type)), column.equality
