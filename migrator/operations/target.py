"""The target of an import as it is, and what the job does about it: decided here, for the job and for its plan.

What is there already is left alone, but for tables, of which TABLE_EXISTS_ACTION says what becomes. Decisions are data:
:func:`decide` gives one for each table that rows are for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import sqlalchemy as sa

from migrator import filters
from migrator.access import Choice, Method
from migrator.adapter import Adapter, Facts, Server, load_adapter
from migrator.column_types import CHOSEN
from migrator.ddl import DDL
from migrator.differences import acting, differences, drawing
from migrator.ends import Database, database_errors
from migrator.errors import (
    CollationRefused,
    ConflictingParameters,
    MigratorError,
    PolicyNotKept,
    RowsMissing,
    TargetSchemaMissing,
    ValueNotCarried,
)
from migrator.identities import USUAL
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Column, Object, Program, QName, Schema, Table, View
from migrator.model.objects import Sequence as SequenceObject
from migrator.naming import TAKEN, Known
from migrator.operations import methods, transport
from migrator.operations.declaring import (
    Fit,
    asked,
    check_existing,
    check_settings,
    declared,
    declares,
    kept_types,
    not_kept,
    nowhere,
    refused_collations,
    with_collations,
    with_default_collation,
)
from migrator.operations.matching import absent, matched
from migrator.operations.naming import Named, named
from migrator.operations.trials import tried
from migrator.origins import Origin
from migrator.plan import KEYS_FIRST, ORDER, Phase, plan
from migrator.policies import OF_COLLATIONS, RELAXED, Policies, is_of_type
from migrator.seconds import RULE as DIGITS
from migrator.spec import JobSpec, TableExistsAction

Action = Literal["CREATE", "BLOCKED", "MISSING", "SKIP", "APPEND", "TRUNCATE", "REPLACE"]
"""What becomes of a table: it is made; it cannot be, since a view or sequence has its name; it would have had to be there
(CONTENT=DATA_ONLY); else TABLE_EXISTS_ACTION."""

EXISTS: Mapping[TableExistsAction, str] = {
    "SKIP": (
        "ORA-39151: Table {} exists. All dependent metadata and data will be skipped due to table_exists_action of skip"
    ),
    "APPEND": (
        "ORA-39152: Table {} exists. Data will be appended to existing table but all dependent metadata will be skipped due "
        "to table_exists_action of append"
    ),
    "TRUNCATE": (
        "ORA-39153: Table {} exists. Data will be loaded into the truncated existing table but all dependent metadata will "
        "be skipped due to table_exists_action of truncate"
    ),
}
"""What is said of a table that is there and stays; of one that is skipped it is an error."""


# --- what the job is to make ----------------------------------------------------------------------------------------


def accepted(
    spec: JobSpec,
    opened: Origin,
    target: Database,
    server: Server,
    known: Known | None = None,
    existing: Collection[QName] | None = None,
) -> Named:
    """What a job takes from its source as its parameters have it, which is such that the target can have it.

    ``known``: what is known of names; ``existing``: the tables that were there before the job; None: the target is asked.

    :raises TargetSchemaMissing: an object's schema cannot be there.
    :raises CollationNotThere: it cannot have a collation that a column is to compare by.
    :raises TransportRefused: data files come, and are not for this database.
    :raises ConflictingParameters: parameters ask for what cannot be done to data files.
    :raises PolicyNotKept: POLICY asks of a column what its table does not let be.
    :raises InvalidValue: it names what the job does not have, or a case that a column's values never are.
    """
    found = named(spec, opened, target, server, makes_parts=spec.content != "DATA_ONLY", known=known)
    check_schemas(found.catalog, target.adapter)
    check_collations_there(found.catalog, target)
    transport.check_target(spec, opened, target)
    ddl = target.adapter.ddl(found.catalog, server.version)
    remarks = check_settings(spec, found.catalog)
    catalog = with_default_collation(asked(spec, found.catalog), target.adapter, server)
    found = replace(found, catalog=catalog, notes=(*found.notes, *remarks))
    if not declares(spec):
        return found
    if existing is None:
        with target.connect() as connection:
            existing = There.read(target.adapter, connection, found.catalog).tables
    kept = staying(spec, existing, lacking(opened, with_rows(spec, found.catalog).values()))
    catalog, remarks = declared(spec, opened.catalog, found.catalog, ddl, kept)
    return replace(found, catalog=catalog, notes=(*found.notes, *remarks))


def is_restored(spec: JobSpec, opened: Origin) -> bool:
    """Whether the job puts the data file of a whole database in the target's place."""
    return opened.whole is not None and spec.content != "METADATA_ONLY"


def drawn_up(
    spec: JobSpec, opened: Origin, catalog: Catalog, target: Database, server: Server, link: Server | None
) -> tuple[DDL, tuple[Phase, ...]]:
    """The writer of the target's DDL, and the phases of a job; ``link``: who is at the other end of its link.

    :raises ConflictingParameters: the job would destroy what it is to read, or could write nothing while it reads.
    :raises MigratorError: an object cannot be made at the target.
    """
    if link is not None and link.is_same(server):
        _check_source_is_kept(catalog, spec.table_exists_action)
        _check_writes_while_read(target.adapter)
    ddl = tried(target, server, catalog, spec.content)
    phases = plan(catalog, spec.content, ddl, ORDER if opened.data_files is None else KEYS_FIRST)
    return ddl, with_collations(spec, catalog, phases)


def check_schemas(catalog: Catalog, adapter: Adapter) -> None:
    """A target with one fixed schema takes that schema's objects only.

    :raises TargetSchemaMissing: an object belongs to another.
    """
    only = adapter.capabilities.single_schema
    if only is None:
        return
    for obj in catalog.objects:
        schema = obj.name if isinstance(obj, Schema) else obj.schema
        if schema != only:
            raise TargetSchemaMissing(schema=schema, database=adapter.title, only=only)


def check_collations_there(catalog: Catalog, target: Database) -> None:
    """See that a target can have the collations that columns are to compare by.

    :raises CollationNotThere: it cannot.
    """
    tables = [table for table in catalog.of(Table) if any(column.compares is not None for column in table.columns)]
    if tables:
        with target.connect() as connection, database_errors(target.adapter):
            if (refusal := target.adapter.refuses_collations(connection, tables)) is not None:
                raise refusal


def _check_source_is_kept(catalog: Catalog, action: TableExistsAction) -> None:
    """A job within one database, however it is reached, does not empty or drop a table whose rows it is to read.

    :raises ConflictingParameters: it would.
    """
    if action not in {"TRUNCATE", "REPLACE"}:
        return
    read = {table.source for table in catalog.of(Table)}
    for table in catalog.of(Table):
        if table.qname in read:
            detail = f"would destroy {table.qname}, which NETWORK_LINK reads: both databases are one"
            raise ConflictingParameters(detail=f"TABLE_EXISTS_ACTION={action} {detail}")


def _check_writes_while_read(adapter: Adapter) -> None:
    """A job within one database writes while it holds the state that it reads.

    :raises ConflictingParameters: that database does not let it.
    """
    if not adapter.capabilities.writes_while_read:
        detail = f"NETWORK_LINK reads the database that is to be written: {adapter.title} lets nobody write what a job reads"
        raise ConflictingParameters(detail=f"{detail}; export it, and import the dump file set")


# --- what is there --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class There:
    """What a target has: the ``catalog`` of the schemas that the job is about, and the ``labels`` of all but tables."""

    catalog: Catalog
    labels: frozenset[str]

    @classmethod
    def read(cls, adapter: Adapter, connection: sa.Connection, wanted: Catalog) -> There:
        """What there is of the schemas of ``wanted``; of labels, those of all schemas."""
        schemas = adapter.schemas(connection)
        named = {obj.name if isinstance(obj, Schema) else obj.schema for obj in wanted.objects}
        catalog = adapter.catalog(connection, [schema for schema in schemas if schema in named], proof=False)
        others = {path_of(obj) for obj in catalog.objects if not isinstance(obj, Table)}
        return cls(catalog, frozenset(others | {path_of(Schema(name)) for name in schemas}))

    @cached_property
    def tables(self) -> frozenset[QName]:
        """The names of the tables that are there."""
        return frozenset(table.qname for table in self.catalog.of(Table))

    @cached_property
    def taken(self) -> frozenset[QName]:
        """The names that no table can be made by, since something else has them."""
        return frozenset(
            QName(obj.schema, obj.name) for obj in self.catalog.objects if isinstance(obj, View | SequenceObject)
        )

    def schemas(self, labels: Collection[str]) -> Iterator[Schema]:
        """The schemas that are among those called ``labels``."""
        return (schema for schema in self.catalog.of(Schema) if path_of(schema) in labels)

    def without(self, dropped: Collection[QName]) -> There:
        """What there will be when tables are dropped, with which go their triggers, rules, policies and own sequences."""
        kept = tuple(obj for obj in self.catalog.objects if _table_of(obj) not in dropped)
        gone = {path_of(obj) for obj in self.catalog.objects if _table_of(obj) in dropped}
        return There(replace(self.catalog, objects=kept), self.labels - gone)


def _table_of(obj: Object) -> QName | None:
    """The table that an object is, or that it goes with."""
    match obj:
        case Table():
            return obj.qname
        case Program(table=str(name)) | SequenceObject(owner=(name, _)):
            return QName(obj.schema, name)
    return None


def met(catalog: Catalog, existing: Collection[QName]) -> list[QName]:
    """The tables of a job that were ``existing`` before it."""
    return [table.qname for table in catalog.of(Table) if table.qname in existing]


def lacking(opened: Origin, tables: Iterable[Table]) -> frozenset[QName]:
    """Those of ``tables``, whose rows are to move, that the source has no rows of."""
    return frozenset(table.qname for table in tables if opened.lacking(table) is not None)


def staying(spec: JobSpec, existing: Collection[QName], without: Collection[QName] = ()) -> frozenset[QName]:
    """The ``existing`` tables that stay, so that nothing of their metadata is made.

    ``without``: those that the source is :func:`lacking` rows of; nothing would take the place of the rows that they have.
    """
    return frozenset(without).intersection(existing) if spec.table_exists_action == "REPLACE" else frozenset(existing)


_OF_MAKING = TAKEN | CHOSEN | {USUAL, DIGITS, RELAXED, "default", "on-update"}
"""The rules of the entries about how tables are made, and what belongs to them: keys, indexes, what counts their rows."""


def of_catalog(
    spec: JobSpec,
    catalog: Catalog,
    kept: Collection[QName],
    schemas: Iterable[Schema],
    dialect: str,
    labels: Collection[str],
) -> tuple[Loss, ...]:
    """The entries about what a job is to make, but for how those tables are made that are ``kept``.

    ``schemas``: those that were there before the job, which stay as they are; ``labels``: of all else that was there and
    stays. ``dialect``: the target's.
    """
    tables = {path_of(table): table.qname for table in catalog.of(Table)}
    as_is = tables.values() if spec.content == "DATA_ONLY" else kept
    about = ((loss, tables.get(loss.object) in as_is) for loss in catalog.losses)
    made = [
        replace(loss, policy=None) if stays and loss.rule in OF_COLLATIONS else loss  # it compares as it did
        for loss, stays in about
        if not (stays and loss.rule in _OF_MAKING)
    ]
    there = {loss.object for loss in made if is_of_type(loss) and (spec.content == "DATA_ONLY" or loss.object in labels)}
    made = [replace(loss, policy=None) if loss.object in there else loss for loss in made]
    if spec.content == "DATA_ONLY":
        return tuple(made)
    found = tuple(schemas)
    return (*made, *of_schemas(catalog, found), *of_programs(catalog, found, dialect, labels))


def of_schemas(catalog: Catalog, there: Iterable[Schema]) -> Iterator[Loss]:
    """The entries about what a job's schemas have and those of the target, which are ``there`` already, have not."""
    made = {schema.name: schema for schema in there}
    for schema in catalog.of(Schema):
        found = made.get(schema.name)
        if found is None:
            continue
        if schema.comment and schema.comment != found.comment:
            detail = f"its comment is left out, since the schema is there already: {schema.comment}"
            yield Loss(path_of(schema), "comment", detail)


def of_programs(catalog: Catalog, there: Iterable[Schema], dialect: str, labels: Collection[str] = ()) -> Iterator[Loss]:
    """The entries about the programs that lie in a schema of another collation than they did when they were made.

    ``there``: the schemas that the target has already; the others are made as they are at the source.
    """
    collations = {schema.name: schema.collation for schema in (*catalog.of(Schema), *there)}
    for program in catalog.of(Program):
        collation = collations.get(program.schema)
        if program.create.dialect != dialect or path_of(program) in labels or None in {collation, program.collation}:
            continue
        if collation != program.collation:
            detail = f"texts without a collation of their own compare by {collation}, as the database says"
            yield Loss(path_of(program), "collation", f"{detail} (at the source: {program.collation})")


# --- what becomes of tables -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """What becomes of a table that rows are for: of itself, and of its rows.

    ``made``: the table as it is, if it stays; ``choice``: how its rows come in, None: none do; ``refusal``: why it is not
    loaded, although rows are for it; ``losses``: the entries about the values of one that stays and is loaded;
    ``remarks``: what POLICY and COLUMN_TYPE ask for of it in vain.
    """

    table: Table
    action: Action
    made: Table | None = None
    choice: Choice | None = None
    refusal: MigratorError | None = None
    losses: tuple[Loss, ...] = ()
    remarks: tuple[str, ...] = ()


def decide(
    spec: JobSpec, opened: Origin, target: Database, connection: sa.Connection, tables: Sequence[Table], there: There
) -> dict[QName, Decision]:
    """What becomes of each of ``tables``, whose rows move, as long as nothing has been changed at the target."""
    kept = staying(spec, there.tables, lacking(opened, tables))
    loaded = [table for table in tables if not (spec.table_exists_action == "SKIP" and table.qname in kept)]
    made = [table for table in there.catalog.of(Table) if table.qname in kept]
    choices, facts = methods.loading(spec, opened, target, connection, loaded, kept, made)
    as_is = {table.qname: table for table in made}
    policies = Policies(spec.policies, tables)
    found: dict[QName, Decision] = {}
    fits: dict[QName, tuple[Fit, ...]] = {}
    for table in tables:
        name = table.qname
        action, choice = _action(spec, name, there), choices.get(name)
        stays = as_is.get(name)
        refusal = opened.lacking(table) or _refusal(table, stays, choice)
        loaded_as_is = stays is not None and choice is not None and refusal is None
        losses: tuple[Loss, ...] = ()
        remarks: tuple[str, ...] = (str(absent(there.catalog, name)),) if action == "BLOCKED" else ()
        if stays is not None and loaded_as_is:
            dialect = opened.catalog.dialect
            losses = of_existing(table, there.catalog, facts.get(name, Facts()), dialect, target.adapter, policies)
            refusal = refused_collations(losses, table, stays)
            try:
                ddl = target.adapter.ddl(opened.catalog)
                fits[name], said = check_existing(policies, table, stays, dialect, target.adapter)
                remarks = (*said, *kept_types(table, stays, ddl))
            except PolicyNotKept as error:
                refusal = error
        found[name] = Decision(table, action, stays, choice, refusal, losses if refusal is None else (), remarks)
    if all(decision.made is not None for decision in found.values()):
        lost = set(nowhere([fit for told in fits.values() for fit in told]))
        first = {name: fit for name, told in fits.items() for fit in reversed(told) if fit in lost}
        found |= {name: replace(found[name], refusal=not_kept(fit), losses=(), remarks=()) for name, fit in first.items()}
    return found


def _refusal(table: Table, made: Table | None, choice: Choice | None) -> MigratorError | None:
    """Why rows cannot get into a table: by no method, or not into the columns that it has."""
    refusal = None if choice is None else choice.refusal(table.qname, "import")
    if refusal is None and made is not None and choice is not None:
        try:
            way_in(table, made, choice)
        except ValueNotCarried as error:
            return error
    return refusal


def _action(spec: JobSpec, name: QName, there: There) -> Action:
    if name in there.tables:
        return spec.table_exists_action
    if spec.content == "DATA_ONLY":
        return "MISSING"
    return "BLOCKED" if name in there.taken else "CREATE"


def blocked(spec: JobSpec, catalog: Catalog, there: There) -> frozenset[QName]:
    """The tables of a job that cannot be made, whether or not rows are for them."""
    return frozenset(t.qname for t in catalog.of(Table) if _action(spec, t.qname, there) == "BLOCKED")


_OF_ONE = (ValueNotCarried, RowsMissing, PolicyNotKept, CollationRefused)
"""Refusals of a table that say nothing of the method."""


def check_one_method(spec: JobSpec, opened: Origin, decisions: Mapping[QName, Decision]) -> None:
    """Where all tables are to be loaded by one method, it is refused for none.

    :raises AccessMethodRefused: ACCESS_METHOD, or a dump file set with data files, asks for what a rule bars.
    """
    if spec.access_method == "AUTOMATIC" and opened.data_files is None:
        return
    refused = {
        name: decision.refusal
        for name, decision in decisions.items()
        if decision.refusal is not None and not isinstance(decision.refusal, _OF_ONE)
    }
    if refused:
        raise methods.first_of(refused)


def way_in(table: Table, made: Table, choice: Choice) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns whose values move into a table as the target has it, as :func:`~migrator.operations.matching.matched`.

    There are none where its data files come as they are. ``choice``: the method.

    :raises ValueNotCarried: it has no column for one of the source's.
    :raises NoAccessMethod: no method may load it.
    """
    if (refusal := choice.refusal(table.qname, "import")) is not None:
        raise refusal
    return ((), ()) if choice.method is Method.DATA_FILE_COPY else matched(table, made)


def of_existing(
    table: Table, there: Catalog, facts: Facts, source: str, adapter: Adapter, policies: Policies
) -> tuple[Loss, ...]:
    """The entries about the values of a table that takes rows and was there before the job, as the target has it: ``there``.

    ``facts``: what the target says of it; ``source``: whose rows; ``policies``: what is asked for of its columns.
    """
    made = there.table(table.qname)
    assert made is not None
    try:
        pairs = matched(table, made)
    except ValueNotCarried:  # the table fails to load, by this very error
        return ()
    values = differences(table, made, *pairs, (load_adapter(source), adapter))
    counting = drawing(table, made, pairs[1], there.of(SequenceObject))
    return (*policies.about(values), *acting(table, facts), *counting)


def with_rows(spec: JobSpec, catalog: Catalog) -> dict[QName, Table]:
    """The tables whose rows move, by their names at the target."""
    return {table.qname: table for table in filters.tables_with_rows(spec, catalog)}
