"""The plan: what a job makes, in order, as data. One list of phases serves running, SQLFILE and the log.

Data comes before indexes and constraints, foreign keys after all of those, views and triggers last (Data Pump's order).
Each phase names the object path the log prints and the :class:`~migrator.ddl.DDL` method that writes its statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from migrator.ddl import DDL, Script
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import (
    DomainType,
    EnumType,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    View,
)
from migrator.spec import Content, JobSpec

TABLE_DATA = "TABLE/TABLE_DATA"
TABLE = "TABLE/TABLE"
POSITION = "SEQUENCE/POSITION"


@dataclass(frozen=True)
class Step:
    """One thing to make. ``label`` names it in messages; ``table``: the table it belongs to, if any; ``script`` makes it."""

    path: str
    label: str
    table: QName | None
    script: Script


@dataclass(frozen=True)
class _Draft:
    """A step before its statements are written: ``method`` of :class:`~migrator.ddl.DDL` will, from ``arguments``."""

    path: str
    label: str
    method: str
    arguments: tuple[Any, ...]
    table: QName | None = None

    def step(self, ddl: DDL | None) -> Step:
        script: Script = getattr(ddl, self.method)(*self.arguments) if ddl is not None and self.method else Script()
        (obj, *_) = self.arguments
        if isinstance(obj, Program) and obj.remapped and script.statements:
            detail = "schema names in its source text were remapped; names inside dynamic SQL were not"
            script = replace(script, losses=(*script.losses, Loss(self.label, "program-remap", detail)))
        return Step(self.path, self.label, self.table, script)


@dataclass(frozen=True)
class Phase:
    """Steps of one object path, done before the next phase begins."""

    path: str
    steps: tuple[Step, ...]


Maker = Callable[[Catalog], Iterator[_Draft]]


def _objects(path: str, method: str, wanted: Callable[[Any], bool]) -> Maker:
    def steps(catalog: Catalog) -> Iterator[_Draft]:
        for obj in catalog.objects:
            if wanted(obj):
                table = obj.qname if isinstance(obj, Table) else None
                if isinstance(obj, Program) and obj.table is not None:
                    table = QName(obj.schema, obj.table)
                yield _Draft(path, path_of(obj), method, (obj,), table)

    return steps


def _parts(path: str, method: str, kind: str, of: Callable[[Table], Iterable[Any]]) -> Maker:
    def steps(catalog: Catalog) -> Iterator[_Draft]:
        for table in catalog.of(Table):
            for part in of(table):
                label = f'{kind}:"{table.schema}"."{part.name}"' if part.name else f"{kind}:{table.qname}"
                yield _Draft(path, label, method, (table, part), table.qname)

    return steps


def _comments(catalog: Catalog) -> Iterator[_Draft]:
    path = "TABLE/COMMENT"
    for table in catalog.of(Table):
        if table.comment or any(column.comment for column in table.columns):
            yield _Draft(path, f"COMMENT:{path_of(table)}", "comments", (table,), table.qname)


def _view_steps(catalog: Catalog) -> Iterator[_Draft]:
    path = "VIEW/VIEW"
    for view in catalog.of(View):
        yield _Draft(path, path_of(view), "create_view", (view,))
        if view.comment:
            yield _Draft(path, f"COMMENT:{path_of(view)}", "comments", (view,))


def _positions(catalog: Catalog) -> Iterator[_Draft]:
    for obj in catalog.objects:
        if isinstance(obj, Sequence):
            yield _Draft(POSITION, f"POSITION:{path_of(obj)}", "position", (obj,))
        elif isinstance(obj, Table) and any(c.identity is not None for c in obj.columns):
            yield _Draft(POSITION, f"POSITION:{path_of(obj)}", "position", (obj,), obj.qname)


def _constraints(table: Table) -> Iterator[Any]:
    if table.primary_key is not None:
        yield table.primary_key
    yield from table.uniques
    yield from table.checks


def _constraint_steps(catalog: Catalog) -> Iterator[_Draft]:
    path = "TABLE/CONSTRAINT/CONSTRAINT"
    for table in catalog.of(Table):
        for part in _constraints(table):
            method = {"PrimaryKey": "primary_key", "Unique": "unique", "Check": "check"}[type(part).__name__]
            label = f'CONSTRAINT:"{table.schema}"."{part.name}"' if part.name else f"CONSTRAINT:{table.qname}"
            yield _Draft(path, label, method, (table, part), table.qname)


def _is_program(*kinds: str, after_tables: bool | None = None) -> Callable[[Any], bool]:
    def wanted(obj: Any) -> bool:
        if not isinstance(obj, Program) or obj.kind not in kinds:
            return False
        return after_tables is None or obj.after_tables is after_tables

    return wanted


_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE", "PACKAGE")

PHASES: tuple[tuple[str, Maker], ...] = (
    ("USER", _objects("USER", "create_schema", lambda o: isinstance(o, Schema))),
    ("TYPE/TYPE_SPEC", _objects("TYPE/TYPE_SPEC", "create_enum", lambda o: isinstance(o, EnumType))),
    ("TYPE/TYPE_SPEC", _objects("TYPE/TYPE_SPEC", "create_domain", lambda o: isinstance(o, DomainType))),
    ("TYPE/TYPE_SPEC", _objects("TYPE/TYPE_SPEC", "create_program", _is_program("TYPE"))),
    ("SEQUENCE/SEQUENCE", _objects("SEQUENCE/SEQUENCE", "create_sequence", lambda o: isinstance(o, Sequence))),
    ("FUNCTION/FUNCTION", _objects("FUNCTION/FUNCTION", "create_program", _is_program(*_ROUTINES, after_tables=False))),
    (TABLE, _objects(TABLE, "create_table", lambda o: isinstance(o, Table))),
    (
        "FUNCTION/FUNCTION",
        _objects("FUNCTION/FUNCTION", "create_program", _is_program("FUNCTION", "AGGREGATE", "PACKAGE", after_tables=True)),
    ),
    (
        "PROCEDURE/PROCEDURE",
        _objects("PROCEDURE/PROCEDURE", "create_program", _is_program("PROCEDURE", after_tables=True)),
    ),
    (TABLE_DATA, _objects(TABLE_DATA, "", lambda o: isinstance(o, Table))),
    ("TABLE/COMMENT", _comments),
    (POSITION, _positions),
    ("TABLE/INDEX/INDEX", _parts("TABLE/INDEX/INDEX", "index", "INDEX", lambda table: table.indexes)),
    ("TABLE/CONSTRAINT/CONSTRAINT", _constraint_steps),
    (
        "TABLE/CONSTRAINT/REF_CONSTRAINT",
        _parts("TABLE/CONSTRAINT/REF_CONSTRAINT", "foreign_key", "REF_CONSTRAINT", lambda table: table.foreign_keys),
    ),
    ("VIEW/VIEW", _view_steps),
    ("TABLE/TRIGGER", _objects("TABLE/TRIGGER", "create_program", _is_program("TRIGGER"))),
    ("EVENT", _objects("EVENT", "create_program", _is_program("EVENT", "RULE", "POLICY"))),
)
"""The order of a job: the path the log prints, and what makes that phase's steps."""


def plan(catalog: Catalog, content: Content, ddl: DDL | None = None) -> tuple[Phase, ...]:
    """The phases of a job over ``catalog``, all statements written; phases without a step are left out.

    Without ``ddl`` (an export makes nothing) the steps have no statements.

    :raises MigratorError: an object cannot be made at the target; nothing has been done yet.
    """
    phases = []
    for path, make in PHASES:
        if content == "DATA_ONLY" and path != TABLE_DATA:
            continue
        if content == "METADATA_ONLY" and path == TABLE_DATA:
            continue
        steps = tuple(draft.step(ddl) for draft in make(catalog))
        if steps:
            phases.append(Phase(path, steps))
    return tuple(phases)


def prefix(spec: JobSpec) -> str:
    """What object paths begin with in the log: SCHEMA_EXPORT, TABLE_EXPORT or DATABASE_EXPORT."""
    return {"FULL": "DATABASE_EXPORT/SCHEMA", "SCHEMA": "SCHEMA_EXPORT", "TABLE": "TABLE_EXPORT"}[spec.mode]


def parents_first(tables: Iterable[Table]) -> tuple[tuple[Table, ...], ...]:
    """Tables in groups: foreign keys lead to earlier groups only; cycles end up together in the last group."""
    left = {table.qname: table for table in tables}
    groups = []
    while left:
        free = tuple(
            table
            for table in left.values()
            if all(key.referred not in left or key.referred == table.qname for key in table.foreign_keys)
        )
        group = free or tuple(left.values())
        groups.append(group)
        for table in group:
            del left[table.qname]
    return tuple(groups)
