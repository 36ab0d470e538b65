"""What the values of a table mean otherwise in one that is there already: entries of the loss list.

What becomes of each value is said in :mod:`migrator.between`; here are its entries, and what the table's own keys and
expressions make of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from migrator.adapter import Adapter, Fact, Facts, load_adapter
from migrator.between import AS_WRITTEN, passage
from migrator.ddl import key_losses
from migrator.expressions import Untranslatable
from migrator.expressions.likeness import alike
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import Equality
from migrator.model.objects import Column, Expression, NextValue, QName, Table
from migrator.model.objects import Sequence as SequenceObject


def differences(
    table: Table,
    existing: Table,
    source: Sequence[Column],
    target: Sequence[Column],
    adapters: tuple[Adapter, Adapter],
) -> Iterator[Loss]:
    """The entries about rows of ``table`` that go into ``existing``: columns ``source`` into those of ``target``.

    ``adapters``: of both databases.
    """
    path = path_of(table)
    for here, there in zip(source, target, strict=True):
        if _by_rows(here, there, adapters):
            continue
        found = passage(here.type, there.type)
        if found is not None and found.rule:
            yield Loss(path, found.rule, found.detail, there.name, each=found.each)
        shown = (told(here, there, *adapters) for told in DISPLAY_RULES)
        yield from (Loss(path, rule, detail, there.name, each=True) for rule, detail in filter(None, shown))
    yield from _computed(table, existing, path)
    pairs = list(zip(source, target, strict=True))
    yield from key_losses(
        replace(existing, schema=table.schema, name=table.name),
        {there.name: here.equality for here, there in pairs},
        {there.name: there.equality for _, there in pairs},
    )


def _by_rows(here: Column, there: Column, adapters: tuple[Adapter, Adapter]) -> bool:
    """Whether a source's type is what its rows have shown, and the target's column has the same declaration for them."""
    a, b = adapters
    return a.name == b.name and a.capabilities.types_by_rows and here.native == there.native


# --- how values are shown -------------------------------------------------------------------------------------------

DisplayRule = Callable[[Column, Column, Adapter, Adapter], tuple[str, str] | None]
"""The rule and the sentence of an entry, if a column of an adapter shows values otherwise than that of another."""


def _blanks(here: Column, there: Column, a: Adapter, b: Adapter) -> tuple[str, str] | None:
    """Texts of a fixed length: what is read of them is filled up to it, or has no blanks at its end."""
    was, becomes = _read(here.type, a), _read(there.type, b)
    if was == becomes or not becomes or (becomes == _STRIPPED and not was):
        return None
    return "padding", f"values are read {becomes} (at the source: {was or 'as they are'})"


_STRIPPED = "without blanks at their end"


def _read(type_: t.Type, adapter: Adapter) -> str:
    """How texts of a type are read; empty: as they are."""
    base, pads = t.base_of(type_), adapter.capabilities.pads_texts
    if not isinstance(base, t.String) or not base.fixed or pads is None:
        return ""
    return f"filled up with blanks to {base.length} characters" if pads else _STRIPPED


def _zeros(here: Column, there: Column, a: Adapter, b: Adapter) -> tuple[str, str] | None:
    """Numbers with zeros before them."""
    was, becomes = (f"as {c.native.lower()} has them" if x.fills_zeros(c.native) else "" for x, c in ((a, here), (b, there)))
    if was == becomes:
        return None
    none = "without zeros before them"
    return "existing-zeros", f"numbers are shown {becomes or none} (at the source: {was or none})"


def _times(here: Column, there: Column, a: Adapter, _: Adapter) -> tuple[str, str] | None:
    """Times of a database that keeps them as they were written."""
    times, texts = isinstance(t.base_of(here.type), t.Time | t.Timestamp), isinstance(t.base_of(there.type), AS_WRITTEN)
    if not (times and texts) or a.capabilities.clock_zeros is not None:
        return None
    return "existing-clock", "a time is written with a blank before it, and without zeros at the end of its fraction"


def _decimals(here: Column, there: Column, a: Adapter, _: Adapter) -> tuple[str, str] | None:
    """Decimals of a database that shows no more digits of them than it needs."""
    base, texts = t.base_of(here.type), isinstance(t.base_of(there.type), (t.Json, *AS_WRITTEN))
    if not (a.capabilities.types_by_rows and isinstance(base, t.Decimal) and base.scale and texts):
        return None
    return "existing-written", f"a decimal is written with {base.scale} digits after its point"


def _own_texts(here: Column, there: Column, a: Adapter, b: Adapter) -> tuple[str, str] | None:
    """Types of one database alone that travel as another text than it prints."""
    if t.base_of(here.type) == t.base_of(there.type):
        return None
    own = ((column, adapter) for column, adapter in ((here, a), (there, b)) if isinstance(t.base_of(column.type), t.Native))
    detail = next(filter(None, (adapter.unsaid(column.native) for column, adapter in own)), "")
    return ("declaration", detail) if detail else None


DISPLAY_RULES: tuple[DisplayRule, ...] = (_blanks, _zeros, _times, _decimals, _own_texts)
"""What is looked at in each pair of columns, besides what their types say."""

# --- what acts on rows ----------------------------------------------------------------------------------------------

ACTING: tuple[tuple[Fact, str, str], ...] = (
    (Fact.TRIGGER, "existing-trigger", "triggers"),
    (Fact.INSERT_RULE, "existing-rule", "rewrite rules"),
)
"""What a table may have that acts on the rows that come into it: the fact, the rule of the entry, and what it is."""


def acting(table: Table, facts: Facts) -> Iterator[Loss]:
    """The entries about what acts on the rows of a table that was there before the job; ``facts``: the target's of it."""
    for fact, rule, what in ACTING:
        if not facts.holds(fact):
            continue
        known = f"{what} of the table as it is may act on the rows that come in, and change them"
        hidden = f"whether {what} of the table as it is act on the rows that come in, the target does not say"
        yield Loss(path_of(table), rule, hidden if facts.unknown(fact) else known)


# --- what counts ----------------------------------------------------------------------------------------------------


def drawing(table: Table, existing: Table, loaded: Sequence[Column], sequences: Iterable[SequenceObject]) -> Iterator[Loss]:
    """The entries about columns whose next numbers come from sequences that do not go on after the rows that come in.

    ``existing``: the table as the target has it, of whose columns the job loads those that are ``loaded``; ``sequences``:
    the target's, of which those that a column owns go on.
    """
    own = {QName(one.schema, one.name) for one in sequences if one.owner is not None and one.owner[0] == existing.name}
    for column in loaded:
        if isinstance(column.default, NextValue) and column.default.sequence not in own:
            stays = f"its next number is that of {column.default.sequence}, which stays where it is"
            yield Loss(path_of(table), "existing-sequence", f"{stays}: a row that came in may have it", column.name)


# --- what is computed -----------------------------------------------------------------------------------------------

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
