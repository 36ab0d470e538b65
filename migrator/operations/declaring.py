"""What POLICY says of tables before any is made: which NOT NULL is left out, and whether values can be put instead.

And what it says of texts that compare in another way, which no row tells of: the entries about them, in one place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from migrator.adapter import Adapter, Server, load_adapter
from migrator.converting import Pair, concerning, pair_of, possible, unfit
from migrator.ddl import DDL
from migrator.errors import CollationRefused, InvalidValue, PolicyNotKept, UnsupportedType, ValueNotCarried, nearest
from migrator.filters import columns_of
from migrator.model import types as t
from migrator.model.catalog import DATABASE, Catalog, Loss, path_of, value_of
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, Object, QName, Table
from migrator.operations.changing import column_to_be
from migrator.operations.matching import matched
from migrator.plan import NO_OBJECTS, TABLE, Phase
from migrator.policies import CASES, DEFAULT, RELAX, RELAXED, Held, Policies, is_of_type
from migrator.spec import JobSpec


@dataclass(frozen=True)
class Fit:
    """Whether what a setting puts instead of others has a place in a ``column`` that can meet its case; ``why`` not."""

    held: Held
    column: str
    why: str


@dataclass
class _Told:
    """What is said while tables are gone through."""

    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fits: list[Fit] = field(default_factory=list)


def check_settings(spec: JobSpec, catalog: Catalog) -> tuple[str, ...]:
    """Check that POLICY names what a job has, and of its columns only cases that their values can be; remarks.

    :raises InvalidValue: it does not; the message says what the job has.
    """
    tables = tuple(catalog.of(Table))
    policies, here = Policies(spec.policies, tables), load_adapter(catalog.dialect)
    for setting in policies.unmatched:
        parts = len(setting.names)
        known = [*columns_of(tables, parts), *(".".join((one.source.schema, one.source.name)[-parts:]) for one in tables)]
        near = nearest(".".join(setting.names), known)
        raise InvalidValue(name="POLICY", detail=f"{setting}: the job has no such table or column{near}")
    for setting, table, column in policies.alone():
        cases = tuple(possible(column.at_source, here))
        if setting.case not in cases:
            declared = column.at_source.native or column.at_source.type
            can = f"can be {', '.join(cases)}" if cases else "always have a place"
            detail = f"{setting}: {table.source}.{column.source} is {declared}, whose values are never that; they {can}"
            raise InvalidValue(name="POLICY", detail=detail)
    return tuple(_idle(policies, here))


def _idle(policies: Policies, here: Adapter) -> Iterator[str]:
    """Remarks about the settings that name tables without a column whose values can be their case."""
    for setting, table in policies.of_tables():
        if not any(setting.case in possible(column.at_source, here) for column in table.columns):
            yield f"POLICY={setting}: {table.source} has no column whose values can be that"


def declares(spec: JobSpec) -> bool:
    """Whether POLICY asks for something of the tables that a job makes, or of a column by its name."""
    asks = any(
        setting.action == RELAX or value_of(setting.action) is not None or len(setting.names) > 1
        for setting in spec.policies
    )
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
    if (fit := next(nowhere(told.fits), None)) is not None and not kept:
        raise not_kept(fit)
    return catalog.with_objects(objects).with_losses(*told.losses), tuple(told.notes)


def _relaxed(policies: Policies, table: Table, column: Column, at_source: Table | None, ddl: DDL, told: _Told) -> Column:
    """A column, which may be NULL if POLICY asks for that and it can have such values."""
    here = load_adapter(ddl.catalog.dialect)
    try:
        pair = pair_of(*column_to_be(table, column, at_source, ddl), here, ddl.adapter)
    except UnsupportedType:  # which making the table tells
        return column
    told.fits += (fits := list(_fits(policies, table, pair, ddl.adapter)))
    told.notes += (*_unfitting(fits), *_needless(policies, table, pair))
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


def _fits(policies: Policies, table: Table, pair: Pair, there: Adapter) -> Iterator[Fit]:
    """What the settings that put values make of a pair of columns.

    :raises PolicyNotKept: one that names the column puts a value that has no place there.
    """
    settings = policies.held(table, pair.source)
    for held in (settings[misfit] for misfit in concerning(pair) if misfit in settings):
        if value_of(held.setting.action) is not None:
            fit = Fit(held, f"{table.source}.{pair.source.source}", unfit(held.setting.action, pair, there))
            if held.alone and fit.why:
                raise not_kept(fit)
            yield fit


def not_kept(fit: Fit) -> PolicyNotKept:
    """The error of a value that has no place in a column."""
    return PolicyNotKept(setting=fit.held.setting, column=fit.column, detail=f"does not take it: {fit.why}")


def nowhere(fits: Collection[Fit]) -> Iterator[Fit]:
    """What becomes, in the columns of a job, of the settings whose values have a place in none of those that need one."""
    placed = {fit.held.setting for fit in fits if not fit.why}
    return (fit for fit in fits if fit.held.setting not in placed)


def _unfitting(fits: Iterable[Fit]) -> Iterator[str]:
    """Remarks about wide settings that do nothing in a column."""
    for fit in fits:
        if fit.why:
            those = CASES[fit.held.setting.case].those
            yield f"POLICY={fit.held.setting}: column {fit.column} does not take it ({fit.why}): {those} are refused there"


def _needless(policies: Policies, table: Table, pair: Pair) -> Iterator[str]:
    """Remarks about settings that name a column of which the target takes all values that they could be about."""
    met = {Misfit.COLLATION, *concerning(pair)}
    for misfit, held in policies.held(table, pair.source).items():
        if held.alone and misfit not in met and held.setting.action != DEFAULT:
            name = f"{table.source}.{pair.source.source}"
            yield f"POLICY={held.setting}: nothing to do, the values of column {name} have a place there as they are"


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


def check_existing(
    policies: Policies, table: Table, made: Table, source: str, there: Adapter
) -> tuple[tuple[Fit, ...], tuple[str, ...]]:
    """What becomes of the values that POLICY puts into a table which is there already, and remarks. ``source``: whose rows.

    :raises PolicyNotKept: a column that POLICY names does not take one.
    """
    try:
        pairs = zip(*matched(table, made), strict=True)
    except ValueNotCarried:  # the table fails to load, by this very error
        return (), ()
    told, here = _Told(), load_adapter(source)
    for source_column, target in pairs:
        pair = pair_of(source_column, target, here, there)
        told.fits += (fits := list(_fits(policies, table, pair, there)))
        told.notes += (*_unfitting(fits), *_needless(policies, table, pair))
        for held in _relaxing(policies, table, pair) if not target.nullable else ():
            kept = f"column {made.qname}.{target.name} is there already, and takes no NULL"
            told.notes.append(f"POLICY={held.setting}: {kept}")
    return tuple(told.fits), tuple(told.notes)


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


def with_default_collation(catalog: Catalog, adapter: Adapter, server: Server | None) -> Catalog:
    """``catalog``, with an entry where texts without a collation of their own are sorted in another way at the target.

    ``server``: the target's; None: a script is written for one that is not known.
    """
    unknown = server is None and adapter.name == catalog.dialect
    here = "" if server is None else server.collation
    if here == catalog.collation or not any(_sorted_by_default(catalog, table) for table in catalog.of(Table)):
        return catalog
    told = "as the database's default has it" if unknown else _sorting(here)
    detail = f"texts without a collation of their own are sorted {told} (at the source: {_sorting(catalog.collation)})"
    return replace(catalog, losses=(*catalog.losses, Loss(DATABASE, "default-collation", detail)))


def _sorting(collation: str) -> str:
    return f"by {collation}" if collation else "by the numbers of their characters"


def _sorted_by_default(catalog: Catalog, table: Table) -> bool:
    """Whether a table has texts that are sorted by the database's default, or by their characters as that may do."""
    source = load_adapter(catalog.dialect)
    texts = (column for column in table.columns if isinstance(t.base_of(column.type), t.String))
    return any(not column.collation or source.sorts_by_characters(column.collation) for column in texts)


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


def check_collations(phases: Iterable[Phase], ddl: DDL, kept: Collection[QName] = (), there: Collection[str] = ()) -> None:
    """Refuse what has texts that compare in another way than POLICY lets them, but for what stays as it is.

    That are tables that are ``kept``, and domains and types that are ``there``, by their paths.

    :raises CollationRefused: naming all columns.
    """
    steps = [step for phase in phases for step in phase.steps if step.table not in kept]
    tables = {path_of(table): table for table in ddl.catalog.of(Table)}
    made = {step.table for step in steps if step.path == TABLE}
    read = [loss for loss in ddl.catalog.losses if loss.object in tables and tables[loss.object].qname in made]
    if any(step.path not in NO_OBJECTS for step in steps):
        read += (loss for loss in ddl.catalog.losses if is_of_type(loss) and loss.object not in there)
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
    return "\n".join(f"  {loss}{_declarations(loss, tables.get(loss.object), there)}" for loss in losses)


def _declarations(loss: Loss, table: Table | None, there: DDL | Table) -> str:
    """How the column of an entry is declared at both ends; of a type, nothing is said."""
    if table is None:
        return ""
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
