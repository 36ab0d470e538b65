"""``migrator plan``: what an export or import would do, table by table, by the code that the job decides with.

Connects and reads; makes no table, no dump file and no log file, and leaves no master table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from migrator import filters, overwriting
from migrator.access import Choice, Method
from migrator.config import NO_SECRETS, Secrets
from migrator.ddl import DDL, NOT_VALIDATED
from migrator.ends import Database
from migrator.errors import ConflictingParameters, MigratorError
from migrator.job.builder import DEPENDENT_SKIPPED, is_in_the_way, is_told
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import QName, Table
from migrator.operations import methods, transport
from migrator.operations.broken_checks import with_broken_checks
from migrator.operations.declaring import check_collations, with_collations
from migrator.operations.matching import absent
from migrator.operations.profiling import Goal, Profiler
from migrator.operations.script import script_ddl, script_target, scripted
from migrator.operations.target import (
    EXISTS,
    Decision,
    There,
    accepted,
    blocked,
    check_one_method,
    decide,
    drawn_up,
    is_restored,
    lacking,
    met,
    of_catalog,
    staying,
    way_in,
    with_rows,
)
from migrator.operations.work import connected, linked, source_of
from migrator.origins import Origin, Part, Resolve, database_origin, origin
from migrator.plan import NO_OBJECTS, Phase, Step, plan
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
    ``remark``: what the log says as an error of a table whose rows do move.
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
    remark: str = ""

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
    """What the job reports since it is there, or its name is taken; tables that rows are for have a ``problem`` instead."""
    estimated: bool = True
    """Whether the tables' rows and bytes are the source's estimates; a dump file set knows them."""
    profiles: tuple[TableProfile, ...] | None = None
    """What PROFILE found in the rows of each table; None: it was not asked for."""

    @property
    def code(self) -> int:
        """The exit code, as far as a plan can tell: 5 where the job would end with errors in its log, 1 where it would not
        begin: an export leaves out no table whose rows it cannot read."""
        problem = any(table.problem for table in self.tables)
        if problem and self.operation == "EXPORT":
            return 1
        met = self.operation == "IMPORT" and any(one.hinders for table in self.profiles or () for one in table.findings)
        unread = any(not one.whole for one in self.profiles or ())
        warned = any(loss.policy == "warn" for loss in self.losses)
        told = met or unread or problem or self.existing or warned or any(table.remark for table in self.tables)
        return 5 if told else 0

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        profiles = {} if self.profiles is None else {"profile": [one.to_json() for one in self.profiles]}
        return {
            "operation": self.operation,
            "mode": self.mode,
            "tables": [table.to_json() for table in self.tables],
            "estimated": self.estimated,
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
    with origin(spec, resolve, server.schema if server is not None else "", secrets, notes.append) as found:
        version = None if server is None else server.version
        opened = with_broken_checks(spec, found, adapter.ddl(found.catalog, version)) if profiling else found
        catalog, remarks = scripted(spec, opened, resolve, adapter, server)
        ddl = script_ddl(spec, resolve, adapter, server, catalog)
        phases = with_collations(spec, catalog, plan(catalog, "METADATA_ONLY", ddl))
        check_collations(phases, ddl)
        steps = list(_steps(phases))
        notes += [*opened.notes, *remarks]
        goal, tables = Goal(adapter, ddl, {}), tuple(catalog.of(Table))
        profiles = Profiler(spec, opened, tables, goal).profiles() if profiling else None
        losses = counted((*catalog.losses, *_losses(steps, profiles or ())), profiles or ())
        return JobPlan(spec.operation, spec.mode, (), _objects(steps), losses, tuple(notes), profiles=profiles)


def _import(spec: JobSpec, resolve: Resolve, secrets: Secrets, *, profiling: bool) -> JobPlan:
    link = linked(spec, resolve)
    target = Database(resolve(spec.connection))
    notes: list[str] = []
    with overwriting.nothing_made([target.url]):
        server = target.server()
        with origin(spec, resolve, server.schema, secrets, notes.append) as found, target.connect() as connection:
            untold = target.adapter.ddl(found.catalog, server.version)
            opened = with_broken_checks(spec, found, untold) if profiling else found
            names = accepted(spec, opened, target, server)
            catalog = names.catalog
            if is_restored(spec, opened):
                assert opened.whole is not None
                transport.check_whole(opened, target.adapter, connection)
                parts, choice = opened.parts(opened.whole), Choice(Method.DATA_FILE_COPY)
                copied = _moved(spec, opened, opened.whole, opened.whole.qname, choice, parts)
                return JobPlan(
                    spec.operation,
                    spec.mode,
                    (copied,),
                    {},
                    (),
                    (*notes, *opened.notes),
                    estimated=spec.network_link is not None,
                )
            ddl, phases = drawn_up(spec, opened, catalog, target, server, link)
            notes += [*opened.notes, *names.notes]
            planned = _Imported(spec, opened, catalog, target, connection)
            check_collations(phases, ddl, planned.kept, planned.labels)
            notes += planned.remarks()
            steps = planned.steps(phases)
            profiles = planned.profiler(ddl).profiles() if profiling else None
            losses = (*planned.losses(), *_losses(steps, profiles or ()), *planned.of_existing())
            return JobPlan(
                spec.operation,
                spec.mode,
                planned.table_plans(),
                _objects(steps),
                counted(losses, profiles or ()),
                tuple(notes),
                planned.in_the_way(phases),
                spec.network_link is not None,
                profiles,
            )


class _Imported:
    """What an import would do at its target as that is."""

    def __init__(self, spec: JobSpec, opened: Origin, catalog: Catalog, target: Database, connection: sa.Connection) -> None:
        """:raises AccessMethodRefused: ACCESS_METHOD, or a dump file set with data files, asks for what a rule bars."""
        self._spec, self._origin, self._target, self._catalog = spec, opened, target, catalog
        there = There.read(target.adapter, connection, catalog)
        self._there = there.catalog
        self.tables = with_rows(spec, catalog).values()
        self._decisions = decide(spec, opened, target, connection, tuple(self.tables), there)
        check_one_method(spec, opened, self._decisions)
        self._met = met(catalog, there.tables)
        self.kept = staying(spec, self._met, lacking(opened, self.tables))
        self.labels = there.without(set(self._met) - self.kept).labels
        self._schemas = tuple(there.schemas(there.labels))
        self._blocked = blocked(spec, catalog, there)

    def table_plans(self) -> tuple[TablePlan, ...]:
        """The tables' plans."""
        return tuple(map(self._table, self._decisions.values()))

    def _table(self, decision: Decision) -> TablePlan:
        table, name = decision.table, decision.table.qname
        parts = self._origin.parts(table)
        problem = self._problem(decision, parts)
        choice = decision.choice
        if problem:
            bars = () if choice is None or choice.method is not None else _bars(choice)
            return TablePlan(name, "", barred=bars, rows=table.rows, problem=problem)
        assert choice is not None
        return _moved(self._spec, self._origin, table, name, choice, parts)

    def _problem(self, decision: Decision, parts: Sequence[Part]) -> str:
        """Why a table gets none of its rows; empty: it gets them, or there are none."""
        name = decision.table.qname
        if decision.action == "SKIP":
            return EXISTS["SKIP"].format(name)
        if decision.action == "BLOCKED":
            return DEPENDENT_SKIPPED.format(f"TABLE_DATA:{name}", name)
        try:
            if decision.refusal is not None:
                raise decision.refusal
            if parts and decision.action == "MISSING":
                raise absent(self._there, name)
            if parts and decision.made is not None and decision.choice is not None:
                way_in(decision.table, decision.made, decision.choice)
        except MigratorError as error:
            return str(error)
        return ""

    def remarks(self) -> tuple[str, ...]:
        """What is remarked of tables that stay."""
        return tuple(remark for decision in self._decisions.values() for remark in decision.remarks)

    def losses(self) -> tuple[Loss, ...]:
        """The entries about what is to be made."""
        dialect = self._target.adapter.name
        return of_catalog(self._spec, self._catalog, self.kept, self._schemas, dialect, self.labels)

    def of_existing(self) -> tuple[Loss, ...]:
        """The entries about tables that stay and take rows."""
        return tuple(loss for decision in self._decisions.values() for loss in decision.losses)

    def profiler(self, ddl: DDL) -> Profiler:
        """What profiles the rows of the tables that take some."""
        taking = [decision for decision in self._decisions.values() if decision.choice is not None]
        existing = {one.table.qname: one.made for one in taking if one.made is not None}
        goal = Goal(ddl.adapter, ddl, existing, self._target)
        return Profiler(self._spec, self._origin, [one.table for one in taking], goal)

    def steps(self, phases: Sequence[Phase]) -> list[Step]:
        """The steps whose objects are not there yet."""
        left = (step for step in _steps(phases) if step.table not in self.kept | self._blocked)
        return [step for step in left if step.label not in self.labels]

    def in_the_way(self, phases: Sequence[Phase]) -> tuple[str, ...]:
        """The objects that are there already, and stay, and the tables without rows to move that are not made for it."""
        skipped = self._met if self._spec.table_exists_action == "SKIP" else ()
        tables = [name for name in (*skipped, *self._blocked) if name not in self._decisions]
        told = [step for step in _steps(phases) if is_told(step, self.kept | self._blocked)]
        others = (step.label for step in told if is_in_the_way(step, self.labels))
        return (*(f"TABLE:{name}" for name in tables), *others)


def _exported(spec: JobSpec, opened: Origin, table: Table, choice: Choice) -> TablePlan:
    why = choice.refusal(table.source, "export")
    if why is None:
        moved = _moved(spec, opened, table, table.source, choice, opened.parts(table))
        return replace(moved, remark=choice.remark(table.qname))
    return TablePlan(table.source, "", reason=choice.reason, barred=_bars(choice), rows=table.rows, problem=str(why))


def _bars(choice: Choice) -> tuple[Barred, ...]:
    return tuple(_barred(bar.rule.name, bar.rule.bars, str(bar), bar.lift, bar.unknown) for bar in choice.why)


def _moved(spec: JobSpec, opened: Origin, table: Table, name: QName, choice: Choice, parts: Sequence[Part]) -> TablePlan:
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
        None if opened.files is not None else table.rows if exact is None else exact,
    )


def _barred(name: str, bars: Iterable[Method], sentence: str, lift: str, unknown: bool) -> Barred:
    barring = frozenset(bars)
    return Barred(name, tuple(method for method in Method if method in barring), sentence, lift, unknown)


def _steps(phases: Iterable[Phase]) -> Iterator[Step]:
    return (step for phase in phases for step in phase.steps if phase.path not in NO_OBJECTS)


def _objects(steps: Iterable[Step]) -> dict[str, int]:
    return dict(Counter(step.path for step in steps))


def _losses(steps: Iterable[Step], profiles: Iterable[TableProfile]) -> Iterator[Loss]:
    """The entries about what steps make; of keys that nobody checks with the rows against them, if known."""
    by_table = {one.table: one for one in profiles}
    for step in steps:
        profile = None if step.table is None else by_table.get(step.table)
        for loss in step.script.losses:
            if loss.rule == NOT_VALIDATED and profile is not None:
                loss = replace(loss, rows=profile.orphans(step.part))
            yield loss
