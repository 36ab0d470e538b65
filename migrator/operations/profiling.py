"""PROFILE: the tables of a plan, profiled on the state of the source that their rows would be read in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from migrator import filters
from migrator.adapter import Adapter, Load, Read, Snapshot, as_heard_by
from migrator.converting import in_force, pair_of
from migrator.ddl import DDL, keys_as_columns, unique_keys
from migrator.ends import Database, database_errors
from migrator.errors import (
    ConflictingParameters,
    FatalError,
    MigratorError,
    UnsupportedParameter,
    UnsupportedType,
    ValueNotCarried,
)
from migrator.model import types as t
from migrator.model.catalog import Action, Catalog
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, ForeignKey, QName, Table
from migrator.operations.changing import column_to_be, policy_converter
from migrator.operations.equal_keys import equal_rows
from migrator.operations.matching import matched
from migrator.origins import Origin
from migrator.policies import DEFAULT, Policies
from migrator.profiling import scans
from migrator.profiling.profiles import TROUBLES, Finding, TableProfile, Trouble, Way, keys_of, profile
from migrator.profiling.proofs import Suggestion
from migrator.spec import JobSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Goal:
    """Where rows go: the database, its DDL, and the tables that are there already and take rows."""

    adapter: Adapter
    ddl: DDL
    existing: Mapping[QName, Table]
    database: Database | None = None
    """None: a script is written, and nobody can be asked."""


@dataclass(frozen=True)
class _Said:
    """What is said of a table's keys and documents besides what was found, as in :class:`TableProfile`."""

    unread: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Profiler:
    """Profiles the tables of a job. ``goal`` None: nobody takes the rows, as with an export.

    :raises ConflictingParameters: the rows are in a dump file set.
    :raises UnsupportedParameter: the source's adapter does not say how its database is asked.
    """

    def __init__(self, spec: JobSpec, origin: Origin, tables: Sequence[Table], goal: Goal | None = None) -> None:
        if origin.state is None:
            detail = "PROFILE asks the database that rows come from: with a dump file set, profile its export"
            raise ConflictingParameters(detail=detail)
        self._source: Database
        self._snapshot: Snapshot
        self._source, self._snapshot = origin.state
        if not self._source.adapter.capabilities.select_list:
            reason = f"nobody has written what it asks in the SQL of {self._source.adapter.title}"
            raise UnsupportedParameter(name="PROFILE", reason=reason)
        self._origin, self._tables, self._goal = origin, tables, goal
        self._exports = spec.operation == "EXPORT"
        self._policies = Policies(spec.policies, tables)
        self._conditions = filters.conditions(spec, origin.catalog)
        self._version = self._source.server().version

    def profiles(self) -> tuple[TableProfile, ...]:
        """The profiles of all tables, in their order."""
        return tuple(map(self._profile, self._tables))

    def _profile(self, table: Table) -> TableProfile:
        try:
            ways = tuple(self._ways(table))
            columns = tuple(way.column for way in ways)
            asks = [ask for way in ways for ask in way.asks]
            read = self._read(table.source, columns)
            found = self._asking(lambda c: scans.scan(c, self._source.adapter, self._version, read, asks))
        except FatalError:
            raise
        except MigratorError as error:
            return TableProfile(table.qname, problem=str(error))
        actions = {way.target.name: self._actions(table, way) for way in ways}
        profiled = profile(table.qname, ways, found, actions)
        said = _Said()
        suggestions = tuple(self._standing(table, ways, profiled.suggestions, said))
        findings = [*self._duplicates(table, ways, said), *self._orphans(table, said)]
        return replace(
            profiled,
            findings=(*profiled.findings, *findings),
            suggestions=suggestions,
            unread=tuple(said.unread),
            remarks=tuple(said.remarks),
        )

    def _actions(self, table: Table, way: Way) -> Mapping[Misfit, Action]:
        """What is done about what values can be on their way."""
        asked = self._policies.of(table, way.column)
        return asked if way.pair is None or self._goal is None else in_force(asked, way.pair, self._goal.adapter)

    # --- columns ----------------------------------------------------------------------------------------------------

    def _ways(self, table: Table) -> Iterator[Way]:
        """The columns whose values move, and those that take them."""
        keys = keys_of(table)
        if self._goal is None:
            yield from (Way(column.at_source, key=column.name in keys) for column in table.data_columns)
            return
        there, made = self._goal.adapter, self._goal.existing.get(table.qname)
        pairs = zip(*matched(table, made), strict=True) if made is not None else self._to_be_made(table, self._goal.ddl)
        for source, target in pairs:
            yield Way(
                source,
                pair_of(source, target, self._source.adapter, there),
                key=target.name in keys,
                rounds=self._policies.of(table, source).get(Misfit.FRACTION, DEFAULT) != DEFAULT,
                existing=made is not None,
                narrowed=made is not None and self._is_narrowed(table, source, made, target),
            )

    def _is_narrowed(self, table: Table, source: Column, made: Table, target: Column) -> bool:
        """Whether the target's column leaves out values of its type that the source's may have."""
        assert self._goal is not None
        there = self._goal.adapter.narrowed_by(made, target)
        at_source = self._origin.catalog.table(table.source) or table
        return bool(there) and there != self._source.adapter.narrowed_by(at_source, source)

    def _to_be_made(self, table: Table, ddl: DDL) -> Iterator[tuple[Column, Column]]:
        """Each column, and as the target will see it: by what its declaration means there."""
        at_source = self._origin.catalog.table(table.source)
        for column in table.data_columns:
            yield column_to_be(table, column, at_source, ddl)

    # --- suggestions ------------------------------------------------------------------------------------------------

    def _standing(
        self, table: Table, ways: Sequence[Way], proved: Sequence[Suggestion], said: _Said
    ) -> Iterator[Suggestion]:
        """The suggestions whose values can be read: of wrong bytes in a document only a reader can tell."""
        by_target = {way.target.name: way.column for way in ways}
        documents = [by_target[one.column] for one in proved if isinstance(one.type, t.Json)]
        readable = self._readable(table, documents, said)
        for one in proved:
            if not isinstance(one.type, t.Json) or by_target[one.column] in readable:
                yield replace(one, declared=self._declared(table, one.column, one.type))

    def _readable(self, table: Table, columns: Sequence[Column], said: _Said) -> list[Column]:
        """Those of columns that a reader reads to the end; one by one where they cannot be read together."""

        def read(connection: sa.Connection) -> None:
            for _ in self._source.adapter.batches(connection, self._read(table.source, tuple(columns))):
                pass

        try:
            if columns:
                self._asking(read)
        except FatalError:
            raise
        except ValueNotCarried:
            return [one for column in columns for one in self._readable(table, [column], said)] if len(columns) > 1 else []
        except MigratorError as error:
            names = ", ".join(column.name for column in columns)
            said.unread.append(f"the documents of {names} could not be looked at: {error}")
            return []
        return list(columns)

    def _declared(self, table: Table, name: str, type_: t.Type) -> str:
        """How the target would declare a column of another type; empty: there is no target, or it has no such type."""
        if self._goal is None:
            return ""
        column = next((column for column in table.columns if column.name == name), Column(name, type_))
        try:
            return self._goal.ddl.declaration(table, replace(column, type=type_, native="", identity=None))
        except UnsupportedType:
            return ""

    # --- keys -------------------------------------------------------------------------------------------------------

    def _duplicates(self, table: Table, ways: Sequence[Way], said: _Said) -> Iterator[Finding]:
        """Rows that the target's unique keys would hold for equal, and the source's do not."""
        if self._goal is None:
            return
        by_target = {way.target.name: way for way in ways}
        at_home = self._goal.adapter.name == self._source.adapter.name  # where keys keep collations of their own
        held = [frozenset(columns) for _, columns in _whole_keys(table, unique_keys if at_home else keys_as_columns)]
        made = self._goal.existing.get(table.qname)
        for label, names in _whole_keys(made or table):
            key = [by_target[name] for name in names if name in by_target]
            if len(key) < len(names):
                continue  # over what the target fills by itself
            if not any(_folds(way, made is not None) for way in key) and any(one <= frozenset(names) for one in held):
                continue  # over what no two rows of the source are equal by
            if _has_texts(key) and self._goal.database is None:
                said.remarks.append(f"{label}: which texts are equal there, only the target itself can tell")
                continue
            rows = self._count(said, label, partial(self._equal, table, key, self._goal))
            if rows:
                yield Finding("duplicates", rows, TROUBLES["duplicates"].format(key=label), ", ".join(names))

    def _equal(self, table: Table, key: Sequence[Way], goal: Goal, connection: sa.Connection) -> int:
        """How many rows a key of the target holds for equal to another; of texts, the target is asked."""
        read = self._read(table.source, tuple(way.column for way in key))
        adapter = self._source.adapter
        if goal.database is None or not _has_texts(key):
            return scans.duplicates(connection, adapter, read)
        made = goal.existing.get(table.qname)
        there = tuple(way.target for way in key)
        ddl = goal.ddl if made is None else goal.adapter.ddl(Catalog(goal.adapter.name, ""), goal.database.server().version)
        name = ddl.staging_for(table.qname)
        make = ddl.create_staging(name, there) if made is None else ddl.create_alike(name, made.qname, there)
        arriving = as_heard_by(goal.adapter.name, read.columns, adapter.name)
        load = Load(name, arriving, there, fresh=True, staged_for=table.qname)
        changed = policy_converter(self._policies, table, (read.columns, there), (adapter, goal.adapter))
        if changed is None:
            rows = adapter.batches(connection, read)
        else:
            rows = map(changed.changed, adapter.batches(connection, changed.reading(read)))
        return equal_rows(goal.database, ddl, make, load, rows)

    def _orphans(self, table: Table, said: _Said) -> Iterator[Finding]:
        """Rows whose foreign keys refer to nothing: the source may not check them, and QUERY may leave parents out."""
        at_source = self._origin.catalog.table(table.source)
        named = {column.source: column.name for column in table.columns}
        made = self._foreign_keys(table)
        for key in at_source.foreign_keys if at_source is not None else ():
            here = tuple(named.get(name, name) for name in key.columns)
            same = made.get((key.name, here), [])
            own = same.pop(0) if same else None
            parent = self._parent(key)
            known = self._knows_all if parent is None else len(key.columns) == len(key.referred_columns)
            if key.partition is not None or not known:
                continue
            child, of = self._read(table.source, ()), None if parent is None else self._read(parent.source, ())
            label = f"foreign key {key.name or ', '.join(key.columns)}"
            exact = () if parent is None else tuple(self._told_apart(table, parent, key))
            ask = partial(scans.orphans, adapter=self._source.adapter, child=child, parent=of, key=key, exact=exact)
            rows = self._count(said, label, ask)
            if rows:
                case: Trouble = "not_validated" if self._leaves_unchecked(table, key) else "orphans"
                detail = f"{TROUBLES['orphans']} ({label} to {key.referred})"
                some = self._first(at_source, key, child, of, exact)
                yield Finding(case, rows, detail, ", ".join(here), key=own, examples=some)

    def _first(
        self, table: Table | None, key: ForeignKey, child: Read, parent: Read | None, exact: Collection[str]
    ) -> tuple[Mapping[str, str | None], ...]:
        """The keys of some rows that refer to none; none where the driver has no value for one."""
        tell = table.primary_key.columns if table is not None and table.primary_key is not None else key.columns
        adapter = self._source.adapter
        try:
            return self._asking(lambda c: scans.first_orphans(c, adapter, child, parent, key, exact, tell))
        except FatalError:
            raise
        except MigratorError:
            return ()

    def _foreign_keys(self, table: Table) -> dict[tuple[str | None, tuple[str, ...]], list[ForeignKey]]:
        """The foreign keys that a table is to have, by their names at the source and their columns."""
        renames = () if self._goal is None else self._goal.ddl.catalog.renames
        place = ("REF_CONSTRAINT", table.schema, table.name)
        at_source = {one.name: one.source_name for one in renames if (one.kind, one.schema, one.table) == place}
        found: dict[tuple[str | None, tuple[str, ...]], list[ForeignKey]] = {}
        for key in table.foreign_keys:
            name = key.name if key.name is None else at_source.get(key.name, key.name)
            found.setdefault((name, key.columns), []).append(key)
        return found

    def _leaves_unchecked(self, table: Table, key: ForeignKey) -> bool:
        if self._goal is None:
            return not key.validated
        return table.qname not in self._goal.existing and self._goal.ddl.leaves_unchecked(key)

    @property
    def _knows_all(self) -> bool:
        """Whether all tables of the source have been looked at."""
        return self._source.adapter.capabilities.single_schema is not None

    def _parent(self, key: ForeignKey) -> Table | None:
        """The table that a key refers to, if it is known and has the columns."""
        parent = self._origin.found.table(key.referred)
        there = () if parent is None else {column.name for column in parent.columns}
        return parent if set(key.referred_columns).issubset(there) else None

    def _told_apart(self, table: Table, parent: Table, key: ForeignKey) -> Iterator[str]:
        """The columns that a key refers to whose texts the target tells apart by all characters, and the source does not."""
        if self._goal is None or self._goal.adapter.name == self._source.adapter.name or table.qname in self._goal.existing:
            return
        for name in key.referred_columns:
            column = parent.column(name)
            if column.equality and not self._goal.ddl.equality(parent, column):
                yield name

    def _count(self, said: _Said, label: str, ask: Callable[[sa.Connection], int]) -> int:
        try:
            return self._asking(ask)
        except FatalError:
            raise
        except MigratorError as error:
            said.unread.append(f"{label} could not be looked at: {error}")
            return 0

    # --- asking -----------------------------------------------------------------------------------------------------

    def _read(self, source: QName, columns: tuple[Column, ...]) -> Read:
        """The rows that the job would read."""
        return Read(source, columns, self._conditions.get(source), policies=self._exports)

    def _asking(self, ask: Callable[[sa.Connection], T]) -> T:
        """An answer on the state that the job reads; each question has a transaction that it alone can spoil."""
        with self._reading() as connection:
            return ask(connection)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        adapter = self._source.adapter
        with database_errors(adapter), adapter.reading(self._source.engine, self._snapshot) as connection:
            yield connection


Keys = Iterator[tuple[str, tuple[str, ...]]]


def _whole_keys(table: Table, keys: Callable[[Table], Keys] = unique_keys) -> Keys:
    """The unique keys over columns as they are, and over all rows: no expressions, no prefixes, no conditions."""
    partly = {
        f"unique index {index.name}"
        for index in table.indexes
        if index.where is not None or any(key.column is None or key.length is not None for key in index.keys)
    }
    return ((label, columns) for label, columns in keys(table) if label not in partly)


def _has_texts(key: Sequence[Way]) -> bool:
    """Whether a key of the target compares texts."""
    return any(isinstance(t.base_of(way.target.type), t.String) for way in key)


def _folds(way: Way, existing: bool) -> bool:
    """Whether the target may hold texts for equal that the source tells apart."""
    type_ = t.base_of(way.target.type)
    if way.pair is None or (way.pair.alike and not existing) or not isinstance(type_, t.String):
        return False
    return bool(way.target.equality) or type_.fixed
