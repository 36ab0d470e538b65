"""What POLICY says of tables before any is made: which NOT NULL is left out, and whether values can be put instead.

And what it says of texts that compare in another way, which no row tells of: the entries about them, in one place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from migrator.adapter import Adapter, load_adapter
from migrator.converting import Pair, check_value, concerning, pair_of
from migrator.ddl import DDL
from migrator.errors import CollationRefused, PolicyNotKept, UnsupportedType, ValueNotCarried
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of, value_of
from migrator.model.objects import Column, Object, QName, Table
from migrator.operations.changing import column_to_be
from migrator.operations.matching import matched
from migrator.plan import TABLE, Phase
from migrator.policies import CASES, RELAX, RELAXED, Held, Policies
from migrator.spec import JobSpec


@dataclass
class _Told:
    """What is said while tables are gone through."""

    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def declares(spec: JobSpec) -> bool:
    """Whether POLICY asks for something of the tables that a job makes."""
    asks = any(setting.action == RELAX or value_of(setting.action) is not None for setting in spec.policies)
    return asks and spec.content != "DATA_ONLY"


def declared(
    spec: JobSpec, source: Catalog, catalog: Catalog, ddl: DDL, kept: Collection[QName] = ()
) -> tuple[Catalog, tuple[str, ...]]:
    """``catalog``, which a job makes of that of its ``source``, without the NOT NULLs that POLICY leaves out; and remarks.

    ``kept``: the tables that stay as they are, of which :func:`check_existing` judges.

    :raises PolicyNotKept: it names a column that cannot be NULL, or puts a value that the column does not take.
    """
    if not declares(spec):
        return catalog, ()
    policies, told = Policies(spec.policies, catalog.of(Table)), _Told()

    def relaxed(obj: Object) -> Object:
        if not isinstance(obj, Table) or obj.qname in kept:
            return obj
        at_source = source.table(obj.source)
        moving = {column.name for column in obj.data_columns}
        columns = (
            _relaxed(policies, obj, column, at_source, ddl, told) if column.name in moving else column
            for column in obj.columns
        )
        return replace(obj, columns=tuple(columns))

    objects = tuple(map(relaxed, catalog.objects))
    return catalog.with_objects(objects).with_losses(*told.losses), tuple(told.notes)


def _relaxed(policies: Policies, table: Table, column: Column, at_source: Table | None, ddl: DDL, told: _Told) -> Column:
    """A column, which may be NULL if POLICY asks for that and it can have such values."""
    here = load_adapter(ddl.catalog.dialect)
    try:
        pair = pair_of(*column_to_be(table, column, at_source, ddl), here, ddl.adapter)
    except UnsupportedType:  # which making the table tells
        return column
    _check_values(policies, table, pair, ddl.adapter)
    asked = _relaxing(policies, table, pair)
    if not asked or (_is_nullable(table, column, ddl) and not _in_key(table, column)):
        return column
    if why := _stays(table, column, ddl):
        name = f"{table.source}.{column.source}"
        for held in asked:
            if held.alone:
                raise PolicyNotKept(setting=held.setting, column=name, detail=why)
            told.notes.append(f"POLICY={held.setting}: column {name} {why}, and takes no NULL")
        return column
    those = " and ".join(CASES[held.setting.case].those for held in asked)
    detail = f"may be NULL, and is NOT NULL at the source: {those} become NULL"
    told.losses.append(Loss(path_of(table), RELAXED, detail, column.name, policy=RELAX))
    return replace(column, nullable=True)


def _relaxing(policies: Policies, table: Table, pair: Pair) -> list[Held]:
    """The settings that let a column be NULL, of cases that its values can be."""
    settings = policies.held(table, pair.source)
    held = (settings[misfit] for misfit in concerning(pair) if misfit in settings)
    return [one for one in held if one.setting.action == RELAX]


def _check_values(policies: Policies, table: Table, pair: Pair, there: Adapter) -> None:
    """:raises PolicyNotKept: a value is to be put into the column that has no place there."""
    settings = policies.held(table, pair.source)
    for misfit in concerning(pair):
        value = value_of(settings[misfit].setting.action) if misfit in settings else None
        try:
            if value is not None:
                check_value(value, pair, there)
        except ValueNotCarried as why:
            name, detail = f"{table.source}.{pair.source.source}", f"does not take it: {why.facts['detail']}"
            raise PolicyNotKept(setting=settings[misfit].setting, column=name, detail=detail) from why


def _is_nullable(table: Table, column: Column, ddl: DDL) -> bool:
    """Whether neither a column nor its domain is NOT NULL, as the target makes it."""
    return ddl.with_domain_rules(replace(table, columns=(column,)), []).column(column.name).nullable


def _in_key(table: Table, column: Column) -> bool:
    return table.primary_key is not None and column.name in table.primary_key.columns


def _stays(table: Table, column: Column, ddl: DDL) -> str:
    """Why a column takes no NULL whatever is asked; empty: it can be let."""
    if _in_key(table, column):
        return "is part of the primary key"
    if column.identity is not None:
        return "is an identity"
    return "" if _is_nullable(table, replace(column, nullable=True), ddl) else "is of a domain that is NOT NULL"


# --- tables that are there ------------------------------------------------------------------------------------------


def check_existing(policies: Policies, table: Table, made: Table, source: str, there: Adapter) -> tuple[str, ...]:
    """Check that POLICY puts only values that a table takes which is there already; remarks. ``source``: whose rows.

    :raises PolicyNotKept: it takes one of them not.
    """
    return tuple(_existing(policies, table, made, load_adapter(source), there))


def _existing(policies: Policies, table: Table, made: Table, here: Adapter, there: Adapter) -> Iterator[str]:
    try:
        pairs = zip(*matched(table, made), strict=True)
    except ValueNotCarried:  # the table fails to load, by this very error
        return
    for source, target in pairs:
        pair = pair_of(source, target, here, there)
        _check_values(policies, table, pair, there)
        if not target.nullable:
            for held in _relaxing(policies, table, pair):
                yield f"POLICY={held.setting}: column {made.qname}.{target.name} is there already, and takes no NULL"


def kept_types(table: Table, made: Table, ddl: DDL) -> Iterator[str]:
    """Remarks about the columns of a table that is there already whose types are none of those that the job has chosen."""
    try:
        pairs = {here.name: there for here, there in zip(*matched(table, made), strict=True)}
    except ValueNotCarried:  # the table fails to load, by this very error
        return
    for column in table.columns:
        there = pairs.get(column.source)
        if column.carried is None or there is None:
            continue
        kept = type(t.base_of(there.type)) not in {type(column.type), type(_meant(table, column, ddl))}
        if kept or there.equality != (column.compares or there.equality):
            yield f"COLUMN_TYPE: column {made.qname}.{there.name} is there already, and keeps its type"


def _meant(table: Table, column: Column, ddl: DDL) -> t.Type:
    """What a column's declaration means at the target, if it can be declared there."""
    try:
        return t.base_of(ddl.adapter.meaning(ddl.declaration(table, column)) or column.type)
    except UnsupportedType:
        return column.type


# --- texts that compare in another way ------------------------------------------------------------------------------


def asked(spec: JobSpec, catalog: Catalog) -> Catalog:
    """``catalog``, in whose own entries about texts that compare in another way stands what POLICY asks for."""
    if not spec.policies:
        return catalog
    return replace(catalog, losses=Policies(spec.policies, catalog.of(Table)).about(catalog.losses))


def with_collations(spec: JobSpec, catalog: Catalog, phases: Iterable[Phase]) -> tuple[Phase, ...]:
    """The phases of a job, in whose entries about texts that compare in another way stands what POLICY asks for."""
    if not spec.policies:
        return tuple(phases)
    policies = Policies(spec.policies, catalog.of(Table))
    return tuple(
        replace(
            phase,
            steps=tuple(
                replace(step, script=replace(step.script, losses=policies.about(step.script.losses))) for step in phase.steps
            ),
        )
        for phase in phases
    )


def check_collations(phases: Iterable[Phase], ddl: DDL, kept: Collection[QName] = ()) -> None:
    """Refuse tables whose texts compare in another way than POLICY lets them, but for those that are ``kept`` as they are.

    :raises CollationRefused: naming all columns.
    """
    steps = [step for phase in phases for step in phase.steps if step.table not in kept]
    tables = {path_of(table): table for table in ddl.catalog.of(Table)}
    made = {step.table for step in steps if step.path == TABLE}
    read = (loss for loss in ddl.catalog.losses if loss.object in tables and tables[loss.object].qname in made)
    written = (loss for step in steps for loss in step.script.losses)
    refused = [loss for loss in (*read, *written) if loss.policy == "refuse"]
    if refused:
        raise CollationRefused(details=_details(refused, tables, ddl))


def refused_collations(losses: Sequence[Loss], table: Table, made: Table) -> CollationRefused | None:
    """The error of a table that is there, of which ``losses`` tell, and whose texts are not to compare as they do."""
    refused = [loss for loss in losses if loss.policy == "refuse"]
    if not refused:
        return None
    return CollationRefused(details=_details(refused, {path_of(table): table}, made))


def _details(losses: Iterable[Loss], tables: dict[str, Table], there: DDL | Table) -> str:
    return "\n".join(f"  {loss}{_declarations(loss, tables[loss.object], there)}" for loss in losses)


def _declarations(loss: Loss, table: Table, there: DDL | Table) -> str:
    """How the column of an entry is declared at both ends."""
    named = {column.name.lower(): column for column in table.columns}
    column = named.get((loss.column or "").lower())
    if column is None:
        return ""
    if isinstance(there, Table):
        becomes = _words(there, next(one for one in there.columns if one.name.lower() == column.name.lower()))
    else:
        becomes = there.declaration(table, column)
    return f" ({_words(table, column)} at the source, {becomes} at the target)"


def _words(table: Table, column: Column) -> str:
    words, collation = column.native or str(column.type), column.collation or dict(table.options).get("COLLATE")
    return f"{words} COLLATE {collation}" if collation and collation not in words else words
