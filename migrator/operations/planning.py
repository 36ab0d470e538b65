"""``migrator plan``: what an export or import would do, table by table, by the code that the job decides with.

Connects and reads; makes no table, no dump file and no log file, and leaves no master table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from migrator import filters, overwriting, transforms
from migrator.access import Choice, Method
from migrator.config import NO_SECRETS, Secrets
from migrator.ddl import DDL
from migrator.ends import Database
from migrator.errors import ConflictingParameters, MigratorError
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import QName, Schema, Table
from migrator.operations import methods, transport
from migrator.operations.importing import check_source_is_kept, check_target
from migrator.operations.matching import matched
from migrator.operations.profiling import Goal, Profiler
from migrator.operations.script import script_ddl, script_target
from migrator.operations.trials import tried
from migrator.operations.work import connected, linked, source_of
from migrator.origins import Origin, Resolve, database_origin, origin
from migrator.plan import KEYS_FIRST, NO_OBJECTS, ORDER, Phase, Step, plan
from migrator.policies import Policies
from migrator.profiling.profiles import TableProfile, counted
from migrator.spec import JobSpec


@dataclass(frozen=True)
class Barred:
    """A rule that bars methods faster than the one chosen. ``unknown``: the database would not say whether it is so."""

    rule: str
    methods: tuple[Method, ...]
    sentence: str
    lift: str
    unknown: bool


@dataclass(frozen=True)
class TablePlan:
    """What is to become of a table's rows.

    ``method`` as METRICS prints it, empty where no rows move: ``problem`` says why. ``loaded_by``: how rows from a linked
    database come in. ``bytes`` and ``rows`` are estimates but for a dump file set's; ``rows`` None: not known.
    """

    table: QName
    method: str
    loaded_by: str = ""
    reason: str = ""
    barred: tuple[Barred, ...] = ()
    granules: int = 0
    bytes: int = 0
    rows: int | None = None
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        barred = [{**vars(bar), "methods": [str(method) for method in bar.methods]} for bar in self.barred]
        table = {"schema": self.table.schema, "table": self.table.name}
        return {**table, **{name: value for name, value in vars(self).items() if name != "table"}, "barred": barred}


@dataclass(frozen=True)
class JobPlan:
    """What a job would do: its tables' rows, the objects it would make (by path), what would be lost, remarks."""

    operation: str
    mode: str
    tables: tuple[TablePlan, ...]
    objects: Mapping[str, int]
    losses: tuple[Loss, ...]
    notes: tuple[str, ...]
    existing: tuple[str, ...] = ()
    """The objects, other than tables, that are at the target already: the job reports each and leaves it alone."""
    profiles: tuple[TableProfile, ...] | None = None
    """What PROFILE found in the rows of each table; None: it was not asked for."""

    @property
    def code(self) -> int:
        """The exit code: 5 where the job would end with errors in its log, as far as a plan can tell."""
        met = self.operation == "IMPORT" and any(one.hinders for table in self.profiles or () for one in table.findings)
        return 5 if met or self.existing or any(table.problem for table in self.tables) else 0

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        profiles = {} if self.profiles is None else {"profile": [one.to_json() for one in self.profiles]}
        return {
            "operation": self.operation,
            "mode": self.mode,
            "tables": [table.to_json() for table in self.tables],
            "objects": dict(self.objects),
            "losses": [{**vars(loss)} for loss in self.losses],
            "notes": list(self.notes),
            "existing": list(self.existing),
            **profiles,
        }


def plan_job(spec: JobSpec, resolve: Resolve, secrets: Secrets = NO_SECRETS, *, profiling: bool = False) -> JobPlan:
    """The plan of a job; ``profiling``: its rows are looked at, see :mod:`migrator.operations.profiling`.

    :raises ConflictingParameters: the job would move neither objects nor rows, or none that could be profiled.
    :raises MigratorError: the job could not be started; as the job's own error.
    """
    for name, given in (("MASTER_ONLY", spec.master_only), ("VERIFY_ONLY", spec.verify_only)):
        if given:
            raise ConflictingParameters(detail=f"{name}=YES moves neither objects nor rows: there is nothing to plan")
    overwriting.check(spec, connected(spec, resolve))
    if spec.operation == "SQL_FILE":
        return _script(spec, resolve, secrets, profiling=profiling)
    if spec.operation == "EXPORT":
        return _export(spec, resolve, profiling=profiling)
    return _import(spec, resolve, secrets, profiling=profiling)


def _export(spec: JobSpec, resolve: Resolve, *, profiling: bool) -> JobPlan:
    source = source_of(spec, resolve)
    transport.check_source(spec, source)
    with database_origin(spec, source) as opened:
        tables = filters.tables_with_rows(spec, opened.catalog)
        choices = methods.unloading(spec, opened, tables)
        if not spec.transportable:
            methods.check_unloading(choices)
        planned = tuple(_exported(spec, opened, table, choices[table.source]) for table in tables)
        objects = _objects(_steps(plan(opened.catalog, spec.content)))
        losses = () if opened.data_files == "database" else opened.catalog.losses
        profiles = Profiler(spec, opened, tables).profiles() if profiling else None
        losses = counted(losses, profiles or ())
        return JobPlan(spec.operation, spec.mode, planned, objects, losses, opened.notes, profiles=profiles)


def _script(spec: JobSpec, resolve: Resolve, secrets: Secrets, *, profiling: bool) -> JobPlan:
    adapter, server = script_target(spec, resolve)
    notes: list[str] = []
    with origin(spec, resolve, server.schema if server is not None else "", secrets, notes.append) as opened:
        catalog = transforms.apply(opened.catalog, spec, adapter.capabilities)
        check_target(catalog, adapter)
        ddl = script_ddl(spec, resolve, adapter, server, catalog)
        steps = list(_steps(plan(catalog, "METADATA_ONLY", ddl)))
        notes += [*opened.notes, *transforms.unmatched(spec, opened.catalog)]
        goal, tables = Goal(adapter, ddl, {}), tuple(catalog.of(Table))
        profiles = Profiler(spec, opened, tables, goal).profiles() if profiling else None
        losses = counted(_losses(catalog, steps), profiles or ())
        return JobPlan(spec.operation, spec.mode, (), _objects(steps), losses, tuple(notes), profiles=profiles)


def _import(spec: JobSpec, resolve: Resolve, secrets: Secrets, *, profiling: bool) -> JobPlan:
    link = linked(spec, resolve)
    target = Database(resolve(spec.connection))
    notes: list[str] = []
    with overwriting.nothing_made([target.url]):
        server = target.server()
        with origin(spec, resolve, server.schema, secrets, notes.append) as opened, target.connect() as connection:
            catalog = transforms.apply(opened.catalog, spec, target.adapter.capabilities)
            check_target(catalog, target.adapter)
            transport.check_target(spec, opened, target)
            if opened.whole is not None and spec.content != "METADATA_ONLY":
                transport.check_whole(opened, target.adapter, connection)
                copied = _moved(spec, opened, opened.whole, opened.whole.qname, Choice(Method.DATA_FILE_COPY))
                return JobPlan(spec.operation, spec.mode, (copied,), {}, (), (*notes, *opened.notes))
            if link is not None and link.is_same(server):
                check_source_is_kept(catalog, spec.table_exists_action)
            order = ORDER if opened.data_files is None else KEYS_FIRST
            ddl = tried(target, server, catalog, spec.content)
            phases = plan(catalog, spec.content, ddl, order)
            notes += [*opened.notes, *transforms.unmatched(spec, opened.catalog)]
            there = _Target(spec, opened, catalog, target, connection)
            notes += Policies(spec.policies, there.wanted).unmatched
            steps = there.steps(phases)
            profiles = there.profiler(ddl).profiles() if profiling else None
            return JobPlan(
                spec.operation,
                spec.mode,
                there.tables(),
                _objects(steps),
                counted(_losses(catalog, steps), profiles or ()),
                tuple(notes),
                there.in_the_way(phases),
                profiles,
            )


class _Target:
    """The target of an import as it is, and what the job would do there."""

    def __init__(self, spec: JobSpec, opened: Origin, catalog: Catalog, target: Database, connection: sa.Connection) -> None:
        self.spec, self.origin = spec, opened
        adapter = target.adapter
        wanted = {obj.schema for obj in catalog.objects if not isinstance(obj, Schema)}
        schemas = [schema for schema in adapter.schemas(connection) if schema in wanted]
        self.there = adapter.catalog(connection, schemas, proof=False)
        self.wanted = filters.tables_with_rows(spec, catalog)
        loaded, self.existing = methods.taking_rows(spec, self.wanted, self.there)
        made = (table for table in self.there.of(Table) if table.qname in self.existing)
        self.choices = methods.loading(spec, opened, target, connection, loaded, self.existing, made)
        others = {path_of(obj) for obj in self.there.objects if not isinstance(obj, Table)}
        self.labels = others | {path_of(Schema(name)) for name in schemas}

    def tables(self) -> tuple[TablePlan, ...]:
        """The tables' plans.

        :raises AccessMethodRefused: ACCESS_METHOD asks for what a rule bars.
        """
        refused = methods.refusals(self.choices)
        if self.spec.access_method != "AUTOMATIC":
            for why in refused.values():
                raise why
        return tuple(self._table(table, refused.get(table.qname)) for table in self.wanted)

    def _table(self, table: Table, refused: MigratorError | None) -> TablePlan:
        name = table.qname
        made = self.there.table(name) if name in self.existing else None
        if name not in self.choices:
            return TablePlan(name, "", problem="the table exists, and TABLE_EXISTS_ACTION=SKIP leaves it alone")
        try:
            if refused is not None:
                raise refused
            if made is not None:
                matched(table, made)
        except MigratorError as error:
            return TablePlan(name, "", problem=str(error))
        return _moved(self.spec, self.origin, table, name, self.choices[name])

    def profiler(self, ddl: DDL) -> Profiler:
        """What profiles the rows of the tables that take some."""
        existing = {table.qname: table for table in self.there.of(Table) if table.qname in self.existing}
        taking = [table for table in self.wanted if table.qname in self.choices]
        return Profiler(self.spec, self.origin, taking, Goal(ddl.adapter, ddl, existing))

    def steps(self, phases: Sequence[Phase]) -> list[Step]:
        """The steps whose objects are not there yet."""
        return [step for step in _steps(phases) if step.table not in self.existing and step.label not in self.labels]

    def in_the_way(self, phases: Sequence[Phase]) -> tuple[str, ...]:
        """The objects that are there already, and stay."""
        return tuple(step.label for step in _steps(phases) if step.label in self.labels and step.path != "USER")


def _exported(spec: JobSpec, opened: Origin, table: Table, choice: Choice) -> TablePlan:
    why = choice.refusal(table.source, "export")
    if why is None:
        return _moved(spec, opened, table, table.source, choice)
    return TablePlan(table.source, "", reason=choice.reason, barred=_bars(choice), problem=str(why))


def _bars(choice: Choice) -> tuple[Barred, ...]:
    return tuple(_barred(bar.rule.name, bar.rule.bars, str(bar), bar.rule.lift, bar.unknown) for bar in choice.why)


def _moved(spec: JobSpec, opened: Origin, table: Table, name: QName, choice: Choice) -> TablePlan:
    parts = opened.parts(table)
    size = opened.estimate(table, spec.estimate) if spec.estimate is not None else sum(part.bytes for part in parts)
    counts = [part.rows for part in parts]
    exact = None if None in counts else sum(filter(None, counts))
    method = methods.label(spec, choice)
    return TablePlan(
        name,
        method,
        str(choice.method) if method != choice.method else "",
        choice.reason,
        _bars(choice),
        len(parts),
        size,
        table.rows if exact is None else exact,
    )


def _barred(name: str, bars: Iterable[Method], sentence: str, lift: str, unknown: bool) -> Barred:
    barring = frozenset(bars)
    return Barred(name, tuple(method for method in Method if method in barring), sentence, lift, unknown)


def _steps(phases: Iterable[Phase]) -> Iterator[Step]:
    return (step for phase in phases for step in phase.steps if phase.path not in NO_OBJECTS)


def _objects(steps: Iterable[Step]) -> dict[str, int]:
    return dict(Counter(step.path for step in steps))


def _losses(catalog: Catalog, steps: Iterable[Step]) -> tuple[Loss, ...]:
    return (*catalog.losses, *(loss for step in steps for loss in step.script.losses))
