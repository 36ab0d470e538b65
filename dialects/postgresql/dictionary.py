"""PostgreSQL's catalog as a neutral one, read with a constant number of queries."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import EXACT, Equality

from . import defaults, left_behind, programs, queries
from .collations import default_collation, equality_of
from .inheritance import is_as_above
from .types import DIALECT, NAME_BYTES, USUAL_SEQUENCE, neutral, quote

Row = sa.Row[Any]

_ACTIONS: dict[str, o.Action] = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
_UNDEFINED = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError)
"""What an expression raises that has no value: a division by 0, a check of a domain, a type that it cannot be cast to."""
_ENDINGS = {"p": "pkey", "u": "key"}
"""How the names end that the server chooses for the keys of partitions, by the kind of the constraint."""
_DECLARED_TOO = "that the table declares them too, and keeps them when the parent's are dropped, is not carried"
_INHERITED_ONLY = "that they are inherited only, and go when the parent's are dropped, is not carried"
_USUAL_IDENTITY = "d"
"""The replica identity of a table of which nothing is said: its primary key."""
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_KINDS: tuple[type[o.Object], ...] = (o.EnumType, o.DomainType, o.Program, o.Sequence, o.Table, o.View)
"""What is made first where no dependency says otherwise."""


def schemas(connection: sa.Connection) -> tuple[str, ...]:
    """All schemas that are neither the system's nor an extension's."""
    return tuple(connection.exec_driver_sql(queries.ALL_SCHEMAS).scalars())


def tables_of(connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[o.QName, ...]:
    """The tables of schemas that have these columns, in this order, and no other."""
    found = connection.exec_driver_sql(queries.TABLES_OF, (list(schemas), len(columns), list(columns)))
    return tuple(o.QName(schema, name) for schema, name in found)


def read(connection: sa.Connection, of: Sequence[str]) -> Catalog:
    """All objects of these schemas."""
    with _qualified_text(connection):
        return _Dictionary(connection, of).catalog()


@contextmanager
def _qualified_text(connection: sa.Connection) -> Iterator[None]:
    """An empty search path for the queries, so that PostgreSQL writes every name with its schema; and an end to waiting for
    a table that another session has for itself, since that one may wait for this job.

    Both are the session's, so that they hold between statements that are transactions of their own, too.
    """
    names = ("search_path", "lock_timeout")
    change = ", ".join(f"pg_catalog.set_config('{name}', %s, false)" for name in names)
    known = ", ".join(f"pg_catalog.current_setting('{name}')" for name in names)
    before = connection.exec_driver_sql(f"SELECT {known}").one()
    connection.exec_driver_sql(f"SELECT {change}", ("", "60s"))
    yield
    connection.exec_driver_sql(f"SELECT {change}", tuple(before))


class _Dictionary:
    """The raw rows of the catalog, and the objects made of them."""

    def __init__(self, connection: sa.Connection, of: Sequence[str]) -> None:
        self._connection, self._schemas = connection, list(of)
        number = connection.exec_driver_sql("SELECT pg_catalog.current_setting('server_version_num')::int").scalar_one()
        self._version = int(number)
        self._losses: list[Loss] = []
        self._made: dict[int, o.Object] = {}
        """Objects by their oid."""
        self._table_columns: dict[int, tuple[o.Column, ...]] = {}
        """The columns of tables by the tables' oid."""
        self._after: list[o.Object] = []
        """Triggers, rules and policies: made after everything else."""

    def _rows(self, sql: str) -> Sequence[Row]:
        for name, since, now, before in queries.SINCE:
            sql = sql.replace(f"{{{name}}}", now if self._version >= since else before)
        parameters = (self._schemas,) * sql.count("%s")
        return self._connection.exec_driver_sql(sql, parameters).all()

    def _by(self, sql: str, key: str) -> dict[int, list[Row]]:
        grouped: dict[int, list[Row]] = defaultdict(list)
        for row in self._rows(sql):
            grouped[getattr(row, key)].append(row)
        return grouped

    def _lose(self, obj: o.Object, rule: str, detail: str, column: str | None = None) -> None:
        self._losses.append(Loss(path_of(obj), rule, detail, column))

    def catalog(self) -> Catalog:
        """Everything, in an order in which it can be made."""
        shells = [o.Schema(row.schema, _schema_comment(row)) for row in self._rows(queries.SCHEMAS)]
        self._types()
        self._sequences()
        for row in self._relations.values():
            self._relation(row)
        self._routines()
        self._triggers()
        self._rules()
        self._policies()
        self._left_behind()
        major, minor = divmod(self._version, 10000)
        ordered = (*shells, *self._ordered(), *self._after)
        sorts_by = default_collation(self._connection)
        return Catalog(DIALECT, f"{major}.{minor}", ordered, tuple(self._losses), collation=sorts_by)

    # --- types ------------------------------------------------------------------------------------------------------

    @cached_property
    def _type_rows(self) -> dict[int, Row]:
        return {row.oid: row for row in self._rows(queries.TYPES)}

    def _type(self, oid: int, modifier: int, declaration: str) -> t.Type:
        """The neutral type of a type and its modifier."""
        row = self._type_rows[oid]
        if row.kind == "d":
            return t.Domain(row.schema, row.name, self._type(row.base, row.modifier, row.base_declaration))
        if row.kind == "e":
            return t.Enum(tuple(row.labels or ()), row.name, row.schema)
        if row.element is not None:
            return t.Array(self._type(row.element, modifier, declaration.removesuffix("[]")))
        if row.schema == "pg_catalog":
            return neutral(row.name, modifier, declaration)
        return t.Native(DIALECT, declaration)

    def _types(self) -> None:
        checks = self._by(queries.DOMAIN_CONSTRAINTS, "type")
        fields = self._by(queries.COMPOSITES, "type")
        ranges = {row.type: row for row in self._rows(queries.RANGES)}
        for row in self._type_rows.values():
            if not row.wanted:
                continue
            match row.kind:
                case "e":
                    self._made[row.oid] = o.EnumType(row.schema, row.name, tuple(row.labels or ()), row.comment)
                case "d":
                    self._made[row.oid] = self._domain(row, checks[row.oid])
                case "c":
                    self._made[row.oid] = made = programs.composite(row, fields[row.oid])
                    for f in fields[row.oid]:
                        self._collation_loss(made, f, f.name)
                case "r":
                    self._made[row.oid] = made = programs.range_(row, ranges[row.oid])
                    self._collation_loss(made, ranges[row.oid])
                    if ranges[row.oid].canonical is not None:
                        self._lose(made, "range-canonical", "its canonical function is not carried")
                case _:
                    path = f'TYPE:"{row.schema}"."{row.name}"'
                    detail = "not carried: a base type is made of functions in C"
                    if columns := list(self._columns_of(row.oid)):
                        detail += f"; of it are {', '.join(columns)}, which need it there already where they keep their type"
                    self._losses.append(Loss(path, "base-type", detail))

    def _collation_loss(self, obj: o.Object, row: Row, name: str | None = None) -> None:
        if row.collation and not programs.is_everywhere(row):
            detail = f'collation "{row.collation_schema}"."{row.collation}" is not carried'
            self._lose(obj, "collation", detail, name)

    def _columns_of(self, type_: int) -> Iterator[str]:
        """The columns of tables that are of a type, of a domain over it, or of arrays of these."""
        for of in self._columns.values():
            for column in of:
                relation = self._relations.get(column.relation)
                if relation is not None and relation.kind in {"r", "p"} and self._innermost(column.type) == type_:
                    yield f"{o.QName(relation.schema, relation.name)}.{o.quoted(column.name)}"

    def _innermost(self, type_: int) -> int:
        """What is left of a type without its domains and arrays."""
        row = self._type_rows[type_]
        inner = row.base if row.kind == "d" else row.element
        return type_ if inner is None else self._innermost(inner)

    def _domain(self, row: Row, checks: Sequence[Row]) -> o.DomainType:
        base = self._type(row.base, row.modifier, row.base_declaration)
        domain = o.DomainType(
            row.schema,
            row.name,
            base,
            defaults.parse(row.default_, t.base_of(base)) if row.default_ else None,
            not row.not_null,
            tuple(o.Check(k.name, o.Expression(k.expression, DIALECT), k.validated) for k in checks if k.kind == "c"),
            row.comment,
            self._constants.get((row.oid, 0)),
        )
        if row.collated:
            self._lose(domain, "domain-collation", "the domain's own collation is not carried")
        for k in checks:
            if k.kind == "n" and k.name != f"{row.name}_not_null":
                self._lose(domain, "not-null-name", f"the name of NOT NULL constraint {k.name} is not carried")
            if k.comment:
                self._lose(domain, "constraint-comment", f"the comment on {k.name} is not carried")
        return domain

    # --- sequences --------------------------------------------------------------------------------------------------

    def _sequences(self) -> None:
        rows = self._rows(queries.SEQUENCES)
        positions = self._positions(rows)
        largest = self._largest(rows)
        self._identities: dict[tuple[int, int], o.Identity] = {}
        self._odd_identities: set[tuple[int, int]] = set()
        for row in rows:
            options = _sequence_options(row, positions.get(row.oid), largest.get(row.oid))
            if row.deptype == "i":
                if row.comment:
                    path = f"TABLE:{o.QName(row.owner_schema, row.owner_table)}"
                    detail = "the comment on its sequence is not carried"
                    self._losses.append(Loss(path, "sequence-comment", detail, row.owner_name))
                usual = USUAL_SEQUENCE.format(table=row.owner_table, column=row.owner_name)
                name = row.name if row.name != usual else None
                self._identities[row.owner, row.owner_column] = o.Identity(**options, sequence=name)
                if row.persistence != row.owner_persistence and self._version >= queries.UNLOGGED_SEQUENCES:
                    self._odd_identities.add((row.owner, row.owner_column))
                continue
            owner = (row.owner_table, row.owner_name) if row.owner_table and row.owner_beside else None
            sequence = o.Sequence(row.schema, row.name, **options, bits=_BITS[row.type], owner=owner, comment=row.comment)
            self._made[row.oid] = sequence
            if row.persistence == "u":
                self._lose(sequence, "unlogged", "that it is UNLOGGED is not carried")
            if not row.readable:
                self._lose(sequence, "sequence-position", "its position is not known: no privilege to read it")
            if row.owner_table and not row.owner_beside:
                self._lose(sequence, "sequence-owner", "its owner is a column of another schema and is not carried")

    def _positions(self, rows: Sequence[Row]) -> dict[int, int]:
        """What each sequence gives next."""
        reads = [
            f"SELECT {r.oid}::bigint AS oid, last_value, is_called FROM {quote(r.schema)}.{quote(r.name)}"
            for r in rows
            if r.readable
        ]
        if not reads:
            return {}
        found = execute_verbatim(self._connection, " UNION ALL ".join(reads)).all()
        steps = {row.oid: row.increment for row in rows}
        return {row.oid: row.last_value + (steps[row.oid] if row.is_called else 0) for row in found}

    def _largest(self, rows: Sequence[Row]) -> dict[int, int]:
        """The largest value in the column of each sequence that rises, where an index has it at hand, and nobody the table.

        The tables' locks, by which they are read, go with the savepoint.
        """
        reads = [
            f"SELECT {r.oid}::bigint AS oid, (SELECT max({quote(r.owner_name)}) FROM"
            f" {quote(r.owner_schema)}.{quote(r.owner_table)} "
            f" WHERE {queries.sequence_values(quote(r.owner_name))})::bigint AS value"
            for r in rows
            if r.largest_known and r.increment > 0
        ]
        if not reads:
            return {}
        driver: Any = self._connection.connection.driver_connection
        with driver.transaction(force_rollback=True):
            found = execute_verbatim(self._connection, " UNION ALL ".join(reads)).all()
        return {row.oid: row.value for row in found if row.value is not None}

    # --- tables and views -------------------------------------------------------------------------------------------

    @cached_property
    def _relations(self) -> dict[int, Row]:
        return {row.oid: row for row in self._rows(queries.RELATIONS) if row.own}

    @cached_property
    def _columns(self) -> dict[int, list[Row]]:
        return self._by(queries.COLUMNS, "relation")

    @cached_property
    def _constraints(self) -> dict[int, list[Row]]:
        return self._by(queries.CONSTRAINTS, "relation")

    @cached_property
    def _indexes(self) -> dict[int, list[Row]]:
        return self._by(queries.INDEXES, "relation")

    @cached_property
    def _constraints_by_oid(self) -> dict[int, Row]:
        return {row.oid: row for rows in self._constraints.values() for row in rows}

    @cached_property
    def _indexes_by_oid(self) -> dict[int, Row]:
        """The first key of each index."""
        return {row.oid: row for rows in self._indexes.values() for row in reversed(rows)}

    @cached_property
    def _children(self) -> dict[int, list[Row]]:
        """The partitions of each partitioned table, in the order they were made."""
        children: dict[int, list[Row]] = defaultdict(list)
        for row in self._relations.values():
            if row.is_partition:
                children[row.parents[0]].append(row)
        return children

    @cached_property
    def _not_nulls(self) -> dict[int, list[Row]]:
        return self._by(queries.NOT_NULLS, "relation") if self._version >= 180000 else defaultdict(list)

    @cached_property
    def _doubted(self) -> set[tuple[int, str]]:
        """The columns, each after its table, whose NOT NULL is not validated: some rows may have NULL."""
        return {(oid, k.column) for oid, found in self._not_nulls.items() for k in found if not k.validated}

    def _relation(self, row: Row) -> None:
        if row.kind in {"v", "m"}:
            self._made[row.oid] = self._view(row)
        elif row.kind in {"r", "p"} and not row.is_partition:
            self._made[row.oid] = self._table(row)
        elif row.is_partition and row.parents[0] not in self._relations:
            detail = f"not carried, with its rows: it is a partition of {o.QName(*row.parent_names[0])}, which is not read"
            label, place = f"TABLE:{o.QName(row.schema, row.name)}", f"SCHEMA:{o.quoted(row.schema)}"
            self._losses.append(Loss(label, "partition-alone", detail, part_of=place))

    def _root(self, row: Row) -> Row:
        """The table that a partition belongs to."""
        while row.is_partition and row.parents[0] in self._relations:
            row = self._relations[row.parents[0]]
        return row

    def _leaves(self, row: Row) -> Iterator[Row]:
        """All partitions of a table, of every level."""
        for child in self._children.get(row.oid, ()):
            yield child
            yield from self._leaves(child)

    def _table(self, row: Row) -> o.Table:
        leaves = list(self._leaves(row))
        stored = [row, *leaves]
        estimates = [int(r.rows) for r in stored if r.kind == "r" and r.rows >= 0]
        sizes = [r.bytes for r in stored if r.bytes is not None]
        table = o.Table(
            row.schema,
            row.name,
            self._columns_of_table(row.oid),
            comment=row.comment,
            options=_table_options(row),
            parents=tuple(o.QName(*name) for name in row.parent_names or ()),
            rows=sum(estimates) if estimates else None,
            bytes=sum(sizes) if sizes else None,
            partitioning=self._partitioning(row),
        )
        names = Counter(leaf.name for leaf in leaves)
        told_apart = [leaf for leaf in leaves if names[leaf.name] == 1]
        table = self._with_constraints(table, row, told_apart)
        indexes = [*self._indexes_of(row), *(i for leaf in told_apart for i in self._indexes_of(leaf, leaf.name))]
        table = replace(table, indexes=tuple(indexes))
        self._table_losses(table, row, leaves)
        for leaf in (leaf for leaf in leaves if names[leaf.name] > 1):
            self._namesake_losses(table, leaf)
        return table

    def _own_foreign_keys(self, leaf: Row) -> list[Row]:
        return [k for k in self._constraints[leaf.oid] if k.kind == "f" and not k.of_parent]

    def _columns_of_table(self, table: int) -> tuple[o.Column, ...]:
        if table not in self._table_columns:
            self._table_columns[table] = tuple(self._column(c) for c in self._columns[table])
        return self._table_columns[table]

    def _column(self, row: Row) -> o.Column:
        generated = None
        default = None
        type_ = self._type(row.type, row.modifier, row.declaration)
        if row.generated:
            generated = o.Generated(o.Expression(row.default_, DIALECT), stored=row.generated == "s")
        elif row.default_ is not None:
            default = defaults.parse(row.default_, t.base_of(type_))
        identity = self._identities.get((row.relation, row.number))
        if identity is not None:
            identity = replace(identity, always=row.identity == "a")
        collation = row.collation if row.collation_schema == "pg_catalog" else None
        return o.Column(
            row.name,
            type_,
            not row.not_null or (row.relation, row.name) in self._doubted,
            default,
            identity,
            generated,
            row.comment,
            collation,
            _equality(row),
            native=row.declaration,
            constant=self._constants.get((row.relation, row.number)),
        )

    @cached_property
    def _constants(self) -> dict[tuple[int, int], o.Literal | None]:
        """What constant defaults give, by the columns' and domains' numbers, where that is not what they say."""
        asked: dict[tuple[int, int], tuple[str, t.Type, str]] = {}
        for row in self._type_rows.values():
            if row.wanted and row.kind == "d" and row.constant:
                type_ = self._type(row.base, row.modifier, row.base_declaration)
                asked[row.oid, 0] = (row.default_, t.base_of(type_), row.base_declaration)
        for row in (column for columns in self._columns.values() for column in columns):
            if row.constant:
                type_ = self._type(row.type, row.modifier, row.declaration)
                asked[row.relation, row.number] = (row.default_, t.base_of(type_), row.declaration)
        values = self._evaluated([defaults.evaluation(*one) for one in asked.values()])
        found = {}
        for (key, (sql, type_, _)), value in zip(asked.items(), values, strict=True):
            constant = defaults.stored(value[0], type_) if value else None
            if constant != defaults.parse(sql, type_):
                found[key] = constant
        return found

    def _evaluated(self, items: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Each item's value, alone in a tuple; an empty one where it has none but an error."""
        if not items:
            return []
        driver: Any = self._connection.connection.driver_connection
        try:
            with driver.transaction():  # a savepoint, where there is a transaction already
                row = execute_verbatim(self._connection, f"SELECT ARRAY[{', '.join(items)}]").scalar_one()
        except _UNDEFINED:
            half = len(items) // 2
            return [*self._evaluated(items[:half]), *self._evaluated(items[half:])] if half else [()]
        return [(value,) for value in row]

    def _partitioning(self, row: Row) -> o.Partitioning | None:
        if row.kind != "p":
            return None
        parts = tuple(self._partition(row, child) for child in self._children.get(row.oid, ()) if child.kind in {"r", "p"})
        return o.Partitioning(DIALECT, row.partition_key, parts)

    def _partition(self, parent: Row, row: Row) -> o.Partition:
        own_keys = [k for k in self._constraints[row.oid] if k.kind in set("pucx") and k.local and not k.of_parent]
        own = [*self._own_columns(parent, row), *(f"CONSTRAINT {quote(k.name)} {k.definition}" for k in own_keys)]
        names = {k.column: k.name for k in self._not_nulls[parent.oid]}
        renamed: list[str] = []
        for k in self._not_nulls[row.oid]:
            if names.get(k.column) != k.name and k.validated:
                (renamed if k.column in names else own).append(f"CONSTRAINT {quote(k.name)} NOT NULL {quote(k.column)}")
        schema = row.schema if row.schema != parent.schema else None
        return o.Partition(row.name, row.bounds, self._partitioning(row), tuple(own), schema, tuple(renamed))

    def _own_columns(self, parent: Row, row: Row) -> Iterator[str]:
        """Columns whose default or NOT NULL a partition declares otherwise than its table."""
        above = {c.name: c for c in self._columns[parent.oid]}
        for c in self._columns[row.oid]:
            default = ""
            if c.default_ != above[c.name].default_:
                kept = "STORED" if c.generated == "s" else "VIRTUAL"
                default = (
                    f" GENERATED ALWAYS AS ({c.default_}) {kept}" if c.generated else f" DEFAULT {c.default_ or 'NULL'}"
                )
            named = self._version >= 180000  # and then a constraint
            not_null = " NOT NULL" if c.not_null and not above[c.name].not_null and not named else ""
            if default or not_null:
                yield f"{quote(c.name)}{default}{not_null}"

    # --- constraints ------------------------------------------------------------------------------------------------

    def _with_constraints(self, table: o.Table, row: Row, told_apart: Sequence[Row]) -> o.Table:
        """``told_apart``: the partitions that their name alone tells from the others."""
        primary_key: o.PrimaryKey | None = None
        uniques, checks, foreign_keys, exclusions = [], [], [], []
        for k in self._constraints[row.oid]:
            match k.kind:
                case "p":
                    primary_key = o.PrimaryKey(k.name, tuple(k.columns), k.deferrable, k.deferred)
                case "u":
                    columns = tuple(k.columns)
                    uniques.append(o.Unique(k.name, columns, k.deferrable, k.deferred, not k.nulls_not_distinct))
                case "c":
                    checks.append(o.Check(k.name, o.Expression(k.expression, DIALECT), k.validated, k.enforced))
                case "f" if not k.of_parent:
                    foreign_keys.append(_foreign_key(k))
                case "x":
                    exclusions.append(o.Exclusion(k.name, o.Expression(k.definition, DIALECT), k.comment))
            self._constraint_losses(table, k)
        for leaf in told_apart:
            foreign_keys += [replace(_foreign_key(k), partition=leaf.name) for k in self._own_foreign_keys(leaf)]
        return replace(
            table,
            primary_key=primary_key,
            uniques=tuple(uniques),
            checks=tuple(checks),
            foreign_keys=tuple(foreign_keys),
            exclusions=tuple(exclusions),
        )

    def _constraint_losses(self, table: o.Table, k: Row) -> None:
        if k.period:
            self._lose(table, "temporal-key", f"constraint {k.name} holds without its period: {k.definition}")
        if k.kind != "c" and not k.enforced:
            self._lose(table, "not-enforced", f"constraint {k.name} becomes an enforced one")
        if k.includes:
            self._lose(table, "key-include", f"the index of {k.name} holds the key's columns only: {k.definition}")
        self._place_of_index_losses(table, k)
        if k.kind == "c" and k.no_inherit:
            self._lose(table, "no-inherit", f"check {k.name} also holds for inheriting tables")
        if k.comment and k.kind != "x":
            self._lose(table, "constraint-comment", f"the comment on {k.name} is not carried")
        if k.index_comment:
            self._lose(table, "constraint-comment", f"the comment on the index of {k.name} is not carried")

    # --- indexes ----------------------------------------------------------------------------------------------------

    def _indexes_of(self, row: Row, partition: str | None = None) -> Iterator[o.Index]:
        keys: dict[int, list[Row]] = defaultdict(list)
        for key in self._indexes.get(row.oid, ()):
            keys[key.oid].append(key)
        for entries in keys.values():
            first = entries[0]
            if first.attached or not (first.valid or row.kind == "p"):
                continue
            yield o.Index(
                first.name,
                tuple(_index_key(key) for key in entries if key.is_key),
                first.unique_,
                first.method,
                o.Expression(first.where_, DIALECT) if first.where_ else None,
                tuple(key.column for key in entries if not key.is_key),
                first.comment,
                not first.nulls_not_distinct,
                partition,
            )

    def _index_losses(self, obj: o.Object, row: Row) -> None:
        for _, keys in groupby(self._indexes.get(row.oid, ()), lambda key: key.oid):
            self._losses_of_index(obj, row, list(keys))

    def _losses_of_index(self, obj: o.Object, row: Row, keys: Sequence[Row]) -> None:
        """Name what an index has and the model has not, by the rows of its keys."""
        index = keys[0]
        if not index.valid and not index.attached and row.kind != "p":
            label = f"INVALID_INDEX:{o.QName(row.schema, index.name)}"
            self._losses.append(Loss(label, "invalid-index", f"not carried: of {path_of(obj)}", part_of=path_of(obj)))
            return
        if any(key.opclass_options for key in keys):
            self._lose(obj, "opclass-options", f"parameters of an operator class of index {index.name} are not carried")
        if index.attached:
            self._name_losses(obj, row, index.name, [key.called for key in keys], "idx")
            if index.comment:
                self._lose(obj, "comment", f"the comment of index {index.name} of a partition is not carried")
            self._place_of_index_losses(obj, index, self._indexes_by_oid.get(index.parent))
            return
        if any(key.counted_otherwise for key in keys):
            self._lose(obj, "index-options", f"the statistics target of index {index.name} is not carried")
        if not index.valid:
            detail = "is made on every partition (at the source, ON ONLY the table and some partitions)"
            self._lose(obj, "index-only", f"index {index.name} {detail}")
        self._place_of_index_losses(obj, index)

    def _name_losses(self, obj: o.Object, leaf: Row, name: str, columns: Iterable[str], ending: str) -> None:
        """Name what an index of a partition, made with that of its table, is called otherwise than the server calls it."""
        if not _is_chosen(name, "_".join((leaf.name, *columns)), ending):
            detail = f"the name of {name} of partition {leaf.name} is not carried, the server chooses it"
            self._lose(obj, "partition-names", detail)

    def _place_of_index_losses(self, obj: o.Object, index: Row, above: Row | None = None) -> None:
        """Name how and where an index, or that of a key, is stored, but for what is named of ``above``, its table's."""
        if index.options and (above is None or index.options != above.options):
            detail = f"storage parameters of {index.name} are not carried: {', '.join(index.options)}"
            self._lose(obj, "index-options", detail)
        if index.tablespace and (above is None or index.tablespace != above.tablespace):
            self._lose(obj, "tablespace", f"tablespace {index.tablespace} of index {index.name} is not carried")
        if index.clustered:
            self._lose(obj, "clustered", f"that {index.name} is the table's CLUSTER index is not carried")

    # --- views ------------------------------------------------------------------------------------------------------

    def _view(self, row: Row) -> o.View:
        options: dict[str, Any] = dict(_table_options(row))
        check_option = options.pop("check_option", "").upper()
        columns = self._columns[row.oid]
        needs = sorted(self._needs[row.oid] & self._relations.keys() - {row.oid})
        roots = [self._root(self._relations[oid]) for oid in needs]
        view = o.View(
            row.schema,
            row.name,
            o.Expression(row.definition.strip().removesuffix(";"), DIALECT),
            tuple(c.name for c in columns),
            row.kind == "m",
            bool(row.populated),
            tuple(self._indexes_of(row)),
            row.comment,
            tuple(dict.fromkeys(o.QName(r.schema, r.name) for r in roots)),
            check_option if check_option in {"LOCAL", "CASCADED"} else "",
            tuple(options.items()),
        )
        self._place_losses(view, row)
        self._index_losses(view, row)
        for c in columns:
            if c.comment:
                self._lose(view, "view-column-comment", "the comment on a view's column is not carried", c.name)
            if c.stored_otherwise:
                self._lose(view, "column-storage", "storage, compression or statistics options are not carried", c.name)
            if c.default_:
                self._lose(view, "view-default", f"default {c.default_} of a view's column is not carried", c.name)
        return view

    # --- what a table has that the model has not --------------------------------------------------------------------

    def _table_losses(self, table: o.Table, row: Row, leaves: Sequence[Row]) -> None:
        lose = self._lose
        for c in self._columns[row.oid]:
            self._collation_loss(table, c, c.name)
            if (row.oid, c.number) in self._odd_identities:
                lose(table, "unlogged", "that its sequence is UNLOGGED, or that it is not, is not carried", c.name)
            if c.stored_otherwise:
                lose(table, "column-storage", "storage, compression or statistics options are not carried", c.name)
            if c.points:
                detail = "identifiers are carried, the large objects that they may be of are not"
                lose(table, "large-object", detail, c.name)
        for k in self._not_nulls[row.oid]:
            if not k.validated:
                detail = f"becomes nullable: NOT NULL constraint {k.name} is not validated, and rows may break it"
                lose(table, "not-null", detail, k.column)
            elif not k.usual:
                lose(table, "not-null-name", f"the name of NOT NULL constraint {k.name} is not carried", k.column)
            if k.validated and k.no_inherit:
                lose(table, "no-inherit", f"NOT NULL constraint {k.name} also holds for inheriting tables", k.column)
        for detail, names in self._declared_otherwise(table, row).items():
            lose(table, "inherited-column", f"columns {', '.join(map(o.quoted, names))}: {detail}")
        for name in self._out_of_order(row):
            lose(table, "column-order", "it comes at another place among the columns", name)
        self._place_losses(table, row)
        if row.replica_identity != _USUAL_IDENTITY:
            lose(table, "replica-identity", "its replica identity is not carried")
        if row.of_type:
            lose(table, "typed-table", f"that it is a table OF {row.of_type} is not carried")
        self._index_losses(table, row)
        for leaf in leaves:
            self._partition_losses(table, leaf)
        for name in (name for part in (row, *leaves) for name in part.partitions_elsewhere or ()):
            lose(table, "partition-elsewhere", f"partition {o.QName(*name)} is not made: its schema is not read")

    def _namesake_losses(self, table: o.Table, leaf: Row) -> None:
        of = f"of partition {o.QName(leaf.schema, leaf.name)} is left out: another partition has its name"
        for index in self._indexes_of(leaf):
            self._lose(table, "partition-only", f"index {index.name} {of}")
        for k in self._own_foreign_keys(leaf):
            self._lose(table, "partition-only", f"foreign key {k.name} {of}")

    def _declared_otherwise(self, table: o.Table, row: Row) -> dict[str, list[str]]:
        """The inherited columns that CREATE TABLE declares and the table does not, or the other way round, by loss."""
        above = {column.name: column for parent in row.parents or () for column in self._columns_of_table(parent)}
        lost = defaultdict[str, list[str]](list)
        for c, column in zip(self._columns[row.oid], table.columns, strict=True):
            declares = c.name not in above or not is_as_above(column, above[c.name])
            if c.local and not declares:
                lost[_DECLARED_TOO].append(c.name)
            elif declares and not c.local and c.name in above:
                lost[_INHERITED_ONLY].append(c.name)
        return lost

    def _out_of_order(self, row: Row) -> Iterator[str]:
        """The columns of an inheriting table that do not stand where CREATE TABLE puts them: its parents' come first."""
        parents = [c.name for parent in row.parents or () for c in self._columns[parent]]
        own = [c.name for c in self._columns[row.oid]]
        expected = dict.fromkeys((*parents, *own)) if parents else dict.fromkeys(own)
        yield from (name for name, there in zip(own, expected, strict=False) if name != there)

    def _place_losses(self, obj: o.Object, row: Row) -> None:
        if row.tablespace:
            self._lose(obj, "tablespace", f"tablespace {row.tablespace} is not carried")
        if row.method not in {None, "heap"}:
            self._lose(obj, "access-method", f"access method {row.method} is not carried")

    def _partition_losses(self, table: o.Table, leaf: Row) -> None:
        if leaf.kind == "f":
            label = f"FOREIGN_TABLE:{o.QName(leaf.schema, leaf.name)}"
            detail = f"not carried, with its rows: it is a partition of {path_of(table)}"
            self._losses.append(Loss(label, "foreign-partition", detail, part_of=path_of(table)))
        elif leaf.options or leaf.toast_options or leaf.tablespace or leaf.persistence != "p":
            self._lose(table, "partition-options", f"storage options of partition {leaf.name} are not carried")
        if leaf.method not in {None, "heap"}:
            self._lose(table, "access-method", f"access method {leaf.method} of partition {leaf.name} is not carried")
        if leaf.comment or any(c.comment for c in self._columns[leaf.oid]):
            self._lose(table, "partition-comment", f"comments on partition {leaf.name} are not carried")
        if leaf.replica_identity != _USUAL_IDENTITY:
            self._lose(table, "replica-identity", f"the replica identity of partition {leaf.name} is not carried")
        above = {c.name: c.stored for c in self._columns[self._root(leaf).oid]}
        if [c.name for c in self._columns[leaf.oid]] != list(above):
            self._lose(table, "column-order", f"the columns of partition {leaf.name} come in the order of the table's")
        for c in self._columns[leaf.oid]:
            if c.stored_otherwise and c.stored != above[c.name]:
                detail = f"storage, compression or statistics options of partition {leaf.name} are not carried"
                self._lose(table, "column-storage", detail, c.name)
        for k in self._constraints[leaf.oid]:
            if k.of_parent and k.kind in _ENDINGS:
                self._name_losses(table, leaf, k.name, k.columns if k.kind == "u" else (), _ENDINGS[k.kind])
            above_k = self._constraints_by_oid.get(k.parent)
            if k.kind == "f" and above_k is not None and above_k.relation != leaf.oid and above_k.name != k.name:
                self._lose(table, "partition-names", f"foreign key {k.name} of partition {leaf.name} becomes {above_k.name}")
            if k.comment:
                self._lose(table, "constraint-comment", f"the comment on {k.name} of partition {leaf.name} is not carried")
            if k.index_comment:
                detail = f"the comment on the index of {k.name} of partition {leaf.name} is not carried"
                self._lose(table, "constraint-comment", detail)
            self._place_of_index_losses(table, k, self._constraints_by_oid.get(k.parent))
        self._index_losses(table, leaf)

    # --- programs ---------------------------------------------------------------------------------------------------

    def _routines(self) -> None:
        aggregates = {row.oid: row for row in self._rows(queries.AGGREGATES)}
        for row in self._rows(queries.ROUTINES):
            self._made[row.oid] = programs.routine(row, aggregates.get(row.oid))

    def _triggers(self) -> None:
        below = self._by(queries.TRIGGERS_OF_PARTITIONS, "trigger")

        def states(trigger: int) -> Iterator[tuple[Row, str]]:
            for row in below[trigger]:
                if row.relation in self._relations:
                    yield self._relations[row.relation], row.enabled
                    yield from states(row.oid)

        for row in self._rows(queries.TRIGGERS):
            if row.relation in self._relations:
                table = self._relations[row.relation]
                self._after.append(programs.trigger(row, table, self._root(table).name, tuple(states(row.oid))))
        for row in self._rows(queries.CONSTRAINT_TRIGGERS):
            if made := self._made.get(self._object_of(row.relation)):
                detail = f"constraint {row.name} is checked (at the source, triggers of it are disabled or fire otherwise)"
                self._lose(made, "trigger-state", detail)

    def _rules(self) -> None:
        for row in self._rows(queries.RULES):
            if row.relation in self._relations:
                self._after.append(programs.rule(row, self._relations[row.relation]))

    def _policies(self) -> None:
        for row in self._rows(queries.POLICIES):
            if row.relation in self._relations:
                self._after.append(programs.policy(row, self._relations[row.relation]))
        self._after += [p for row in self._relations.values() for p in programs.row_security(row)]

    # --- what is left behind ----------------------------------------------------------------------------------------

    def _left_behind(self) -> None:
        self._losses += left_behind.losses(self._rows(left_behind.QUERY), self._label)
        for row in self._rows(queries.EXTENSIONS):
            detail = f"extension {row.name} {row.version} ({row.objects} objects) is not carried: it must be there already"
            if row.tables:
                detail += f"; nor are the rows of its tables {', '.join(row.tables)}"
            self._losses.append(Loss(f"EXTENSION:{o.quoted(row.name)}", "extension", detail))

    def _label(self, oid: int) -> str:
        """What logs call an object; empty: there is none of that identifier."""
        made = self._made.get(self._object_of(oid))
        return "" if made is None else path_of(made)

    # --- order ------------------------------------------------------------------------------------------------------

    @cached_property
    def _needs(self) -> dict[int, set[int]]:
        """What each object needs to exist, by oid; partitions count as themselves."""
        needs: dict[int, set[int]] = defaultdict(set)
        for row in self._rows(queries.DEPENDENCIES):
            if row.object != row.needs:
                needs[row.object].add(row.needs)
        return needs

    def _ordered(self) -> Iterator[o.Object]:
        """Objects after what they need, and otherwise kind by kind in the order they were created."""
        needs = {oid: self._prerequisites(oid) for oid in self._made}
        waiting = {oid: len(needed) for oid, needed in needs.items()}
        dependents: dict[int, list[int]] = defaultdict(list)
        for oid, needed in needs.items():
            for other in needed:
                dependents[other].append(oid)
        ready = [self._rank(oid) for oid, count in waiting.items() if not count]
        heapq.heapify(ready)
        done: set[int] = set()
        while len(done) < len(self._made):
            rank = heapq.heappop(ready) if ready else min(self._rank(oid) for oid in waiting if oid not in done)
            oid = rank[-1]  # a cycle is cut at its first object: the database will say what is missing
            if oid in done:
                continue
            done.add(oid)
            yield self._made[oid]
            for other in dependents[oid]:
                waiting[other] -= 1
                if not waiting[other]:
                    heapq.heappush(ready, self._rank(other))

    def _rank(self, oid: int) -> tuple[bool, int, int]:
        """Routines and views come late, but for those that a table needs."""
        made = self._made[oid]
        can_wait = isinstance(made, o.View) or (isinstance(made, o.Program) and made.kind != "TYPE")
        return can_wait and oid not in self._needed_by_tables, _KINDS.index(type(made)), oid

    @cached_property
    def _needed_by_tables(self) -> set[int]:
        """What tables need, directly or not."""
        found: set[int] = set()
        waiting = [oid for oid, made in self._made.items() if isinstance(made, o.Table)]
        while waiting:
            more = self._prerequisites(waiting.pop()) - found
            found |= more
            waiting += more
        return found

    def _prerequisites(self, oid: int) -> set[int]:
        """The objects this one needs, those of its partitions included; a sequence does not need its owner."""
        made = self._made[oid]
        if isinstance(made, o.Sequence):
            return set()
        parts = [oid]
        if isinstance(made, o.Table):
            parts += [leaf.oid for leaf in self._leaves(self._relations[oid])]
        needed = {self._object_of(need) for part in parts for need in self._needs[part]}
        return (needed & self._made.keys()) - {oid}

    def _object_of(self, oid: int) -> int:
        row = self._relations.get(oid)
        return oid if row is None else int(self._root(row).oid)


def _is_chosen(name: str, stem: str, ending: str) -> bool:
    """Whether the server gives an index this name by itself; a long stem it cuts, and what is taken gets a number."""
    usual = f"{stem}_{ending}"
    return re.fullmatch(rf"{re.escape(usual)}\d*", name) is not None or (
        len(usual.encode()) > NAME_BYTES and re.search(rf"_{ending}\d*$", name) is not None
    )


def _schema_comment(row: Row) -> str | None:
    return None if row.comment == "standard public schema" else row.comment


def _sequence_options(row: Row, next_value: int | None, largest: int | None) -> dict[str, Any]:
    bits = _BITS[row.type]
    top, bottom = (1 << (bits - 1)) - 1, -(1 << (bits - 1))
    rising = row.increment > 0
    return {
        "start": row.start,
        "increment": row.increment,
        "minimum": None if row.minimum == bottom and not rising else row.minimum,
        "maximum": None if row.maximum == top and rising else row.maximum,
        "cycle": row.cycle,
        "cache": None if row.cache == 1 else row.cache,
        "next_value": next_value,
        "behind": next_value is not None and largest is not None and next_value <= largest,
    }


def _table_options(row: Row) -> tuple[tuple[str, str], ...]:
    options = [("unlogged", "true")] if row.persistence == "u" else []
    toast = (f"toast.{option}" for option in row.toast_options or ())
    return (*options, *(tuple(option.split("=", 1)) for option in (*(row.options or ()), *toast)))


def _foreign_key(k: Row) -> o.ForeignKey:
    return o.ForeignKey(
        k.name,
        tuple(k.columns),
        o.QName(k.referred_schema, k.referred),
        tuple(k.referred_columns),
        _ACTIONS[k.on_delete],
        _ACTIONS[k.on_update],
        k.deferrable,
        k.deferred,
        "FULL" if k.match == "f" else "SIMPLE",
        k.validated,
        tuple(k.set_columns or ()),
    )


def _index_key(key: Row) -> o.IndexKey:
    default_first = key.descending  # NULLS FIRST is what DESC means unless said otherwise
    return o.IndexKey(
        None if key.is_expression else key.column,
        o.Expression(key.expression, DIALECT) if key.is_expression else None,
        key.descending,
        None if key.first == default_first else key.first,
        opclass=_outside_catalog(key.opclass_schema, key.opclass),
        collation=_outside_catalog(key.collation_schema, key.collation),
    )


def _outside_catalog(schema: str | None, name: str | None) -> str | None:
    """A name as SQL writes it, without the schema pg_catalog."""
    if name is None:
        return None
    return quote(name) if schema == "pg_catalog" else f"{quote(schema or '')}.{quote(name)}"


def _equality(column: Row) -> Equality:
    """What the collation of a column holds for equal."""
    if column.exact or column.exact is None:
        return EXACT
    return equality_of(column.locale)
