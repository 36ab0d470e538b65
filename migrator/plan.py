"""The plan: what a job makes, in order, as data. One list of phases serves running, SQLFILE and the log.

Data comes before indexes and constraints, foreign keys after all of those, views and triggers last (Data Pump's order).
Objects that can need one another (types, routines, tables, views) come in the catalog's order, in which they can be made.
Each phase names the object path the log prints and the :class:`~migrator.ddl.DDL` method that writes its statements.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from migrator.ddl import DDL, Script
from migrator.errors import NotMade, abridged
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import (
    Check,
    DomainType,
    EnumType,
    Exclusion,
    ForeignKey,
    Object,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)
from migrator.spec import Content, JobSpec

SCHEMAS = "USER"
TABLE_DATA = "TABLE/TABLE_DATA"
TABLE = "TABLE/TABLE"
POSITION = "SEQUENCE/POSITION"
ON_UPDATE = "TABLE/ON_UPDATE"
DOMAIN_CHECKS = "TYPE/CHECK"
INDEX = "TABLE/INDEX/INDEX"
CONSTRAINT = "TABLE/CONSTRAINT/CONSTRAINT"
REF_CONSTRAINT = "TABLE/CONSTRAINT/REF_CONSTRAINT"

NO_OBJECTS = frozenset({TABLE_DATA, POSITION, ON_UPDATE, DOMAIN_CHECKS})
"""The paths that stand for no object: those of rows, of where sequences stand, of what makes up for a column's own doing, of
the checks of a domain that its values need not meet."""

OF_OBJECTS = frozenset({POSITION, DOMAIN_CHECKS})
"""Those of what belongs to an object, and stays as it is with one that is there; labels name it behind a colon."""

SIDE_BY_SIDE = frozenset({INDEX, CONSTRAINT, REF_CONSTRAINT})
"""The phases whose steps workers take at the same time, where they touch different tables."""


_CLAUSES: dict[type, str] = {PrimaryKey: "PRIMARY KEY", Unique: "UNIQUE", Check: "CHECK", ForeignKey: "FOREIGN KEY"}
"""What parts of tables are that may have no name."""


@dataclass(frozen=True)
class Step:
    """One thing to make. ``label`` names it in messages; ``table``: the table it belongs to, if any; ``script`` makes it;
    ``touches``: the tables that making it locks; ``part``: the object, or the part of the table, that it is about."""

    path: str
    label: str
    table: QName | None
    script: Script
    touches: frozenset[QName] = frozenset()
    part: Any = None


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
        if isinstance(obj, Program) and obj.left_out and script.statements:
            named = f"its source text names {', '.join(obj.left_out)}, which the job leaves out"
            detail = f"{named}: where that is not there, it fails when it is used"
            script = replace(script, losses=(*script.losses, Loss(self.label, "left-out", detail)))
        table = self.table
        if isinstance(obj, Sequence) and obj.owner is not None and script.elsewhere is not None:
            table = QName(obj.schema, obj.owner[0])  # which counts by itself, unless it was there before and stays as it is
        return Step(self.path, self.label, table, script, self._touches(), self.arguments[-1])

    def _touches(self) -> frozenset[QName]:
        touched = {part.referred for part in self.arguments if isinstance(part, ForeignKey)}
        return frozenset(touched if self.table is None else {*touched, self.table})


@dataclass(frozen=True)
class Phase:
    """Steps of one object path, done before the next phase begins."""

    path: str
    steps: tuple[Step, ...]


Maker = Callable[[Catalog], Iterator[_Draft]]


_KINDS: dict[type[Object], tuple[str, str]] = {
    Schema: (SCHEMAS, "create_schema"),
    EnumType: ("TYPE/TYPE_SPEC", "create_enum"),
    DomainType: ("TYPE/TYPE_SPEC", "create_domain"),
    Sequence: ("SEQUENCE/SEQUENCE", "create_sequence"),
    Table: (TABLE, "create_table"),
    View: ("VIEW/VIEW", "create_view"),
}
"""The object path of each class, and what makes such an object."""

_PROGRAMS = {
    "TYPE": "TYPE/TYPE_SPEC",
    "FUNCTION": "FUNCTION/FUNCTION",
    "AGGREGATE": "FUNCTION/FUNCTION",
    "PACKAGE": "FUNCTION/FUNCTION",
    "PROCEDURE": "PROCEDURE/PROCEDURE",
    "TRIGGER": "TABLE/TRIGGER",
    "EVENT": "EVENT",
    "RULE": "TABLE/RULE",
    "POLICY": "TABLE/POLICY",
    "ROW_SECURITY": "TABLE/ROW_SECURITY",
}
"""The object path of each kind of program."""

_LAST = ("TABLE/TRIGGER", "TABLE/RULE", "TABLE/POLICY", "TABLE/ROW_SECURITY", "EVENT")
"""The paths of what reacts to rows, hides them, or runs at a time: made when all else is there."""


def _path(obj: Object) -> str:
    return _PROGRAMS[obj.kind] if isinstance(obj, Program) else _KINDS[type(obj)][0]


def _drafts(objects: Iterable[Object]) -> Iterator[_Draft]:
    """What makes objects as a whole, and the comments of views."""
    for obj in objects:
        table = obj.qname if isinstance(obj, Table) else None
        if isinstance(obj, Program) and obj.table is not None:
            table = QName(obj.schema, obj.table)
        method = "create_program" if isinstance(obj, Program) else _KINDS[type(obj)][1]
        yield _Draft(_path(obj), path_of(obj), method, (obj,), table)
        if isinstance(obj, View) and obj.comment:
            yield _Draft(_path(obj), f"COMMENT:{path_of(obj)}", "comments", (obj,))


def _schemas(catalog: Catalog) -> Iterator[_Draft]:
    return _drafts(catalog.of(Schema))


def _split(catalog: Catalog) -> tuple[list[Object], list[Object]]:
    """What is made before rows come in, and what after: the first view behind the last table, and all that follows it.

    A view before the last table is one that a table needs. A materialized view takes rows, so it waits in any case.
    """
    objects: list[Object] = [obj for obj in catalog.objects if _path(obj) not in {SCHEMAS, *_LAST}]
    tables = max((position for position, obj in enumerate(objects, 1) if isinstance(obj, Table)), default=0)
    views = (position for position, obj in enumerate(objects) if position >= tables and isinstance(obj, View))
    cut = next(views, len(objects))
    early = [obj for obj in objects[:cut] if not _takes_rows(obj)]
    return early, [*filter(_takes_rows, objects[:cut]), *objects[cut:]]


def _takes_rows(obj: Object) -> bool:
    return isinstance(obj, View) and obj.materialized


def _before_rows(catalog: Catalog) -> Iterator[_Draft]:
    return _drafts(_split(catalog)[0])


def _after_rows(catalog: Catalog) -> Iterator[_Draft]:
    return _drafts(_split(catalog)[1])


def _reacting(path: str) -> Maker:
    return lambda catalog: _drafts(obj for obj in catalog.objects if _path(obj) == path)


def _rows(catalog: Catalog) -> Iterator[_Draft]:
    for table in catalog.of(Table):
        yield _Draft(TABLE_DATA, path_of(table), "", (table,), table.qname)


def _label(kind: str, table: Table, part: Any) -> str:
    """What logs call a part of a table: by its name; one without a name by its table, and what it is."""
    if part.name:
        return f"{kind}:{QName(table.schema, part.name)}"
    of = " ".join(part.expression.sql.split()) if isinstance(part, Check) else ", ".join(part.columns)
    return f"{kind}:{table.qname} {_CLAUSES[type(part)]} ({abridged(of)})"


def _parts(path: str, method: str, kind: str, of: Callable[[Table], Iterable[Any]]) -> Maker:
    def steps(catalog: Catalog) -> Iterator[_Draft]:
        for table in catalog.of(Table):
            for part in of(table):
                yield _Draft(path, _label(kind, table, part), method, (table, part), table.qname)

    return steps


def _comments(catalog: Catalog) -> Iterator[_Draft]:
    path = "TABLE/COMMENT"
    for table in catalog.of(Table):
        if table.comment or any(column.comment for column in table.columns):
            yield _Draft(path, f"COMMENT:{path_of(table)}", "comments", (table,), table.qname)


def _positions(catalog: Catalog) -> Iterator[_Draft]:
    for obj in catalog.objects:
        if isinstance(obj, Sequence):
            yield _Draft(POSITION, f"POSITION:{path_of(obj)}", "position", (obj,))
        elif isinstance(obj, Table) and any(c.identity is not None for c in obj.columns):
            yield _Draft(POSITION, f"POSITION:{path_of(obj)}", "position", (obj,), obj.qname)


def _checking(catalog: Catalog) -> Iterator[_Draft]:
    for domain in catalog.of(DomainType):
        if not all(check.validated for check in domain.checks):
            yield _Draft(DOMAIN_CHECKS, f"CHECKS:{path_of(domain)}", "unvalidated_checks", (domain,))


def _changing(catalog: Catalog) -> Iterator[_Draft]:
    for table in catalog.of(Table):
        if any(column.on_update is not None for column in table.columns):
            yield _Draft(ON_UPDATE, f"ON_UPDATE:{path_of(table)}", "on_update", (table,), table.qname)


def _constraints(table: Table) -> Iterator[Any]:
    if table.primary_key is not None:
        yield table.primary_key
    yield from table.uniques
    yield from table.checks
    yield from table.exclusions


_METHODS: dict[type, str] = {PrimaryKey: "primary_key", Unique: "unique", Check: "check", Exclusion: "exclusion"}
"""What makes each constraint that needs nothing but its table."""


def _constraint_steps(catalog: Catalog) -> Iterator[_Draft]:
    path = CONSTRAINT
    for table in catalog.of(Table):
        for part in _constraints(table):
            yield _Draft(path, _label("CONSTRAINT", table, part), _METHODS[type(part)], (table, part), table.qname)


_KEYS: tuple[Maker, ...] = (_parts(INDEX, "index", "INDEX", lambda table: table.indexes), _constraint_steps)
"""The keys of tables, which need nothing but their table."""

ORDER: tuple[Maker, ...] = (
    _schemas,
    _before_rows,
    _rows,
    _checking,
    _comments,
    _positions,
    *_KEYS,
    _parts(REF_CONSTRAINT, "foreign_key", "REF_CONSTRAINT", lambda table: table.foreign_keys),
    _after_rows,
    _changing,
    *(_reacting(path) for path in _LAST),
)
"""The order of a job."""

KEYS_FIRST: tuple[Maker, ...] = (
    *ORDER[: ORDER.index(_rows)],
    *_KEYS,
    *(make for make in ORDER[ORDER.index(_rows) :] if make not in _KEYS),
)
"""The order of a job that copies data files, which have the rows of each key: it must be there to be filled."""


def plan(catalog: Catalog, content: Content, ddl: DDL | None = None, order: tuple[Maker, ...] = ORDER) -> tuple[Phase, ...]:
    """The phases of a job over ``catalog``, all statements written; phases without a step are left out.

    Without ``ddl`` (an export makes nothing) the steps have no statements.

    :raises MigratorError: an object cannot be made at the target; nothing has been done yet.
    """
    if ddl is not None and content != "DATA_ONLY":
        _refuse(ddl)
    drafts = (draft for make in order for draft in make(catalog) if _asked_for(draft.path, content))
    return tuple(
        Phase(path, tuple(draft.step(ddl) for draft in group))
        for path, group in itertools.groupby(drafts, key=lambda draft: draft.path)
    )


def _refuse(ddl: DDL) -> None:
    """Refuse all that the target cannot have at once, so that nobody meets it piece by piece."""
    refusals = list(ddl.refusals())
    if len(refusals) > 1:
        details = ";\n".join(refusal.message for refusal in refusals)
        raise NotMade(database=ddl.title, count=len(refusals), details=details)
    if refusals:
        raise refusals[0]


def _asked_for(path: str, content: Content) -> bool:
    if content == "DATA_ONLY":
        return path == TABLE_DATA
    return content != "METADATA_ONLY" or path != TABLE_DATA


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
