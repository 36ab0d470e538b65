"""PostgreSQL's DDL, 12 to 18."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.adapter import TypeRule
from migrator.ddl import DDL, Script
from migrator.errors import IdentifierTooLong
from migrator.expressions import Untranslatable
from migrator.expressions.semantics import Change
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import EXACT, Equality
from migrator.model.objects import (
    Check,
    Column,
    Default,
    DomainType,
    EnumType,
    Exclusion,
    ForeignKey,
    Identity,
    Index,
    IndexKey,
    Literal,
    NewUuid,
    Now,
    Partition,
    Partitioning,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)

from . import on_update
from .collations import creation, folding
from .defaults import CLOCKS, UNITS, clock, fitting
from .inheritance import is_as_above
from .types import DIALECT, NAME_BYTES, NUMERIC_SCALE_BEFORE_15, is_spelling, quote

if TYPE_CHECKING:
    from migrator.adapter import Adapter

_LATEST = (18,)
_BIGINT = (1 << 63) - 1
_WORDS = {16: "smallint", 32: "integer", 64: "bigint"}
_NAMED_NOT_NULL = re.compile(r'CONSTRAINT (?:"(?:[^"]|"")+"|[^ "]+) NOT NULL (.+)')
_ORDERED_ELSEWHERE = frozenset({"btree", "hash", "rtree", "bitmap", ""})
"""Index methods of other databases for which a btree does the same."""


class PostgreSQLDDL(DDL):
    """PostgreSQL's DDL; what the source's own PostgreSQL said is written as pg_dump writes it."""

    taking_identities = " OVERRIDING SYSTEM VALUE"
    staging_schema = "pg_temp"

    def __init__(self, adapter: Adapter, catalog: Catalog, version: tuple[int, ...] | None = None) -> None:
        super().__init__(adapter, catalog, version)
        self.at_home = catalog.dialect == DIALECT
        """Whether the objects come from PostgreSQL too."""

    def since(self, major: int) -> bool:
        """Whether the server has what version ``major`` brought."""
        return (self.version or _LATEST) >= (major,)

    def _source_before(self, major: int) -> bool:
        """Whether the objects come from a PostgreSQL that had not yet what version ``major`` brought."""
        told = self.catalog.version.partition(".")[0] if self.at_home else ""
        return told.isdecimal() and int(told) < major

    # --- words ------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        """An identifier, quoted where it must be.

        :raises IdentifierTooLong: PostgreSQL would cut it.
        """
        if len(name.encode()) > NAME_BYTES:
            raise IdentifierTooLong(name=name, database=self.adapter.title, limit=f"{NAME_BYTES} bytes")
        return quote(name)

    def script_head(self) -> tuple[str, ...]:
        """The settings that the statements of a script rely on."""
        return (
            "SET client_encoding = 'UTF8'",
            "SET standard_conforming_strings = on",
            "SET check_function_bodies = off",
        )

    def binary_literal(self, digits: str) -> str:
        """Bytes as bytea's hexadecimal text."""
        return f"'\\x{digits}'"

    def next_value(self, sequence: QName) -> str:
        """``nextval`` bound to the sequence itself, so that renaming does not matter."""
        return f"nextval({self.literal(self.name_of(sequence))}::regclass)"

    def new_uuid(self, value: NewUuid) -> str:
        """A fresh UUID."""
        if not self.since(13):
            raise Untranslatable("no function makes a UUID before PostgreSQL 13")
        return "gen_random_uuid()"

    def now(self, value: Now) -> str:
        """The current date, time or timestamp."""
        return clock(value) or super().now(value)

    # --- trials -----------------------------------------------------------------------------------------------------

    def trial(self, table: Table) -> tuple[str, ...]:
        """A temporary table; PostgreSQL looks at the value of a constant when it plans a statement that has it."""
        return (*super().trial(table), f"EXPLAIN INSERT INTO {self.name_of(table)} DEFAULT VALUES")

    # --- types ------------------------------------------------------------------------------------------------------

    def own_rows_of(self, table: Table) -> str:
        """By ONLY, but for partitioned tables, which have none."""
        name = self.name_of(table.qname)
        return name if table.partitioning is not None else f"ONLY {name}"

    def replace_from(
        self, table: Table, columns: Iterable[Column], key: Iterable[str], staged: tuple[QName, QName], rows: int
    ) -> tuple[str, ...]:
        """One statement: what refers to a row that goes and comes again is looked at when it has ended."""
        gone = f"{self.delete_by(table, key, staged[0])} RETURNING 1"
        inserting = self._insert_of_both(table, columns, staged)
        return (f"WITH gone AS ({gone}) {inserting} WHERE (SELECT count(*) FROM gone) = {rows}",)

    def keeps_domain(self, type_: t.Type) -> bool:
        """Domains are objects here."""
        return True

    def rule(self, table: str, column: Column) -> TypeRule:
        """The type table's row for a column on this version."""
        if not self.since(15) and NUMERIC_SCALE_BEFORE_15.matches(column.type):
            return NUMERIC_SCALE_BEFORE_15
        return super().rule(table, column)

    def type_of(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column's type declaration."""
        if self.at_home and is_spelling(column.native):
            return column.native
        if (table.qname, column.name) in self._bigints:
            detail = "identities and what refers to them are bigint: values over 9223372036854775807 are refused"
            losses.append(Loss(path_of(table), "identity-bigint", detail, column.name))
            return "bigint"
        return super().type_of(table, column, losses)

    @cached_property
    def _bigints(self) -> frozenset[tuple[QName, str]]:
        """Identity columns of types that have none here, and the columns that refer to them: those must be of one type."""
        tables = list(self.catalog.of(Table))
        found = {(table.qname, c.name) for table in tables for c in table.columns if c.identity and not _can_count(c.type)}
        referring = [
            ((table.qname, own), (key.referred, other))
            for table in tables
            for key in table.foreign_keys
            for own, other in zip(key.columns, key.referred_columns, strict=False)
        ]
        while more := {own for own, other in referring if other in found} - found:
            found |= more
        return frozenset(found)

    # --- columns ----------------------------------------------------------------------------------------------------

    def column(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column of CREATE TABLE."""
        if column.on_update is not None:
            losses.append(self.on_update_loss(table, column))
        if column.invisible:
            losses.append(Loss(path_of(table), "invisible", "the invisible column is visible here", column.name))
        return super().column(table, column, losses)

    def equality(self, table: Table, column: Column) -> Equality:
        """A char(n) is compared without the blanks at its end, and any text by the collation that the job makes for it."""
        type_ = t.base_of(column.type)
        fixed = isinstance(type_, t.String) and type_.fixed
        return replace(column.compares or EXACT, blanks=fixed and column.equality.blanks)

    def default_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """The collation, where the source's is PostgreSQL's too, or the job makes it, and the default."""
        collation = f"COLLATE pg_catalog.{self.quote(column.collation)}" if self.at_home and column.collation else ""
        if column.compares is not None:
            collation = f"COLLATE {self.qualified(table.schema, folding(column.compares).name)}"
        return " ".join(part for part in (collation, super().default_clause(table, column, losses)) if part)

    def default(self, value: Default, column: Column) -> str:
        """A default, in a form that the column's type takes.

        :raises Untranslatable: the value is none of the column's type.
        """
        base = t.base_of(column.type)
        if isinstance(value, Now) and self.is_own(column):
            return self.now(value)
        if isinstance(value, Now):
            moment = self.moment_of(value)
            word = "now()" if moment in {None, self.adapter.capabilities.clock_begins} else CLOCKS[moment]
            if unit := self._cut_to(value, base):
                return _clock(value, base, f"date_trunc('{unit}', {word})")
            if value.utc or word != "now()":
                return _called(value, base, word)
            if isinstance(base, t.Interval):
                return f"(LOCALTIME{'' if value.precision is None else f'({value.precision})'})::interval"
        if isinstance(value, Literal) and value.kind != "null" and not self.is_own(column):
            value = fitting(value, base)
        return super().default(value, column)

    def _cut_to(self, value: Now, base: t.Type) -> str:
        """The unit that another database's current time is cut to, which would be rounded; empty: it is not."""
        if value.kind == "date" or not isinstance(base, t.Timestamp | t.Time | t.Interval):
            return ""
        return UNITS.get(value.digits(base.precision), "") if self.clock_was_cut(value) else ""

    def moment_changes(self, value: Default) -> Iterator[Change]:
        """Nothing of a clock, which there is for each moment, where it stands alone."""
        return iter(()) if isinstance(value, Now) else super().moment_changes(value)

    def clock_is_cut(self, column: Column, value: Now) -> bool:
        """Only where a function cuts the current time to a unit."""
        return bool(self._cut_to(value, t.base_of(column.type)))

    def generated_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED ALWAYS AS``: stored before version 18, which brought virtual ones."""
        assert column.generated is not None
        if not column.generated.stored and not self.since(18):
            losses.append(Loss(path_of(table), "virtual", "the virtual generated column is stored here", column.name))
            column = replace(column, generated=replace(column.generated, stored=True))
        return super().generated_clause(table, column, losses)

    def identity_options(self, table: Table, identity: Identity) -> str:
        """The options, and the name of the sequence where that is another than the usual one."""
        options = super().identity_options(table, identity)
        if not self.at_home or identity.sequence is None:
            return options
        return f"SEQUENCE NAME {self.qualified(table.schema, identity.sequence)} {options}".rstrip()

    def sequence_options(self, of: Sequence | Identity) -> str:
        """The options, without bounds that no bigint reaches."""
        minimum = None if of.minimum is not None and of.minimum < -_BIGINT - 1 else of.minimum
        maximum = None if of.maximum is not None and of.maximum > _BIGINT else of.maximum
        return super().sequence_options(replace(of, minimum=minimum, maximum=maximum))

    # --- types and sequences as objects -----------------------------------------------------------------------------

    def create_schema(self, schema: Schema) -> Script:
        """A schema with its comment."""
        made = super().create_schema(replace(schema, comment=None))
        return Script((*made.statements, *self._comment(f"SCHEMA {self.quote(schema.name)}", schema.comment)))

    def _comment(self, on: str, text: str | None) -> tuple[str, ...]:
        return (f"COMMENT ON {on} IS {self.literal(text)}",) if text else ()

    def create_enum(self, enum: EnumType) -> Script:
        """``CREATE TYPE … AS ENUM``."""
        labels = ",".join(f"\n    {self.literal(label)}" for label in enum.labels)
        name = self.name_of(enum)
        return Script((f"CREATE TYPE {name} AS ENUM ({labels}\n)", *self._comment(f"TYPE {name}", enum.comment)))

    def create_domain(self, domain: DomainType) -> Script:
        """``CREATE DOMAIN``, without the checks that are NOT VALID, which any new value has to meet."""
        column = Column(domain.name, domain.base)
        sql = f"CREATE DOMAIN {self.name_of(domain)} AS {self.rule(domain.name, column).declare(domain.base)}"
        if domain.default is not None:
            sql += f" DEFAULT {self.default(domain.default, column)}"
        if not domain.nullable:
            sql += " NOT NULL"
        for check in domain.checks:
            if check.validated:
                sql += f"\n    {self._domain_check(check)}"
        return Script((sql, *self._comment(f"DOMAIN {self.name_of(domain)}", domain.comment)))

    def unvalidated_checks(self, domain: DomainType) -> Script:
        """``ALTER DOMAIN … ADD … NOT VALID``."""
        add = f"ALTER DOMAIN {self.name_of(domain)} ADD"
        return Script(tuple(f"{add} {self._domain_check(c)} NOT VALID" for c in domain.checks if not c.validated))

    def _domain_check(self, check: Check) -> str:
        return f"{self.named(check.name)}CHECK ({self.expression(check.expression)})"

    def create_sequence(self, sequence: Sequence) -> Script:
        """A sequence of its own type; who owns it is said when the table is there."""
        name = self.name_of(sequence)
        word = "" if sequence.bits == 64 else f"AS {_WORDS[sequence.bits]} "
        sql = f"CREATE SEQUENCE {name} {word}{self.sequence_options(sequence)}"
        return Script((sql, *self._comment(f"SEQUENCE {name}", sequence.comment)), tuple(_bound_losses(sequence)))

    # --- tables -----------------------------------------------------------------------------------------------------

    def create_table(self, table: Table) -> Script:
        """The table, its partitions, and the sequences that belong to its columns."""
        inherited = {column.name: column for parent in self._parents(table) for column in parent.columns}
        own = tuple(c for c in table.columns if not is_as_above(c, inherited.get(c.name)))
        made = super().create_table(replace(table, columns=own))
        statements = list(made.statements)
        losses = list(made.losses)
        if self.at_home and ("unlogged", "true") in table.options:
            statements[0] = statements[0].replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1)
            if self.since(15) and self._source_before(15):
                detail = "its sequence becomes UNLOGGED with its table, as from PostgreSQL 15 on: a crash sets it back"
                losses += [Loss(path_of(table), "unlogged", detail, c.name) for c in table.columns if c.identity]
        for column in table.columns:
            above = inherited.get(column.name)
            if above is not None and above.default is not None and {column.default, column.identity} == {None}:
                statements.append(
                    f"ALTER TABLE ONLY {self.name_of(table)} ALTER COLUMN {self.quote(column.name)} DROP DEFAULT"
                )
        if self._partitioned(table) and table.partitioning is not None:
            statements += self._partitions(table.schema, self.name_of(table), table.partitioning)
        for sequence in self.catalog.of(Sequence):
            if sequence.owner is not None and (sequence.schema, sequence.owner[0]) == (table.schema, table.name):
                owner = f"{self.name_of(table)}.{self.quote(sequence.owner[1])}"
                statements.append(f"ALTER SEQUENCE {self.name_of(sequence)} OWNED BY {owner}")
        return Script((*self._collations(table), *statements), tuple(losses))

    def _collations(self, table: Table) -> tuple[str, ...]:
        """The statements that make the collations which columns of a table are to compare by, in its schema."""
        wanted = dict.fromkeys(folding(column.compares) for column in table.columns if column.compares is not None)
        return tuple(creation(self.qualified(table.schema, row.name), row.locale) for row in wanted)

    def create_temporary(self, table: Table) -> str:
        """The statement that makes a table a temporary one, behind those that make its collations temporary ones."""
        before, made = self._collations(table), self.create_table(table).statements
        create = made[len(before)].replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
        return ";\n".join((*before, create))

    def _parents(self, table: Table) -> list[Table]:
        """The tables that this one inherits from, as far as they are moved too."""
        found = (self.catalog.table(parent) for parent in table.parents) if self.at_home else ()
        return [parent for parent in found if parent is not None]

    def _partitioned(self, table: Table) -> bool:
        return table.partitioning is not None and table.partitioning.dialect == DIALECT

    def table_options(self, table: Table, losses: list[Loss]) -> str:
        """INHERITS, PARTITION BY and storage parameters."""
        if not self.at_home:
            return super().table_options(table, losses)
        sql = ""
        parents = self._parents(table)
        if parents:
            sql += f"\nINHERITS ({', '.join(self.name_of(parent) for parent in parents)})"
        if len(parents) < len(table.parents):
            losses.append(Loss(path_of(table), "inheritance", "it does not inherit from tables that are not moved"))
        if table.partitioning is not None:
            sql += f"\nPARTITION BY {table.partitioning.clause}"
        parameters = [f"{name}={self.literal(value)}" for name, value in table.options if name != "unlogged"]
        return sql + (f"\nWITH ({', '.join(parameters)})" if parameters else "")

    def _partitions(self, schema: str, parent: str, partitioning: Partitioning) -> Iterator[str]:
        for part in partitioning.partitions:
            name = self.qualified(part.schema or schema, part.name)
            items = [item if self.since(18) else _unnamed_not_null(item) for item in (*part.own, *part.renamed)]
            own = " (\n    " + ",\n    ".join(items) + "\n)" if items else ""
            below = f"\nPARTITION BY {part.partitioning.clause}" if part.partitioning is not None else ""
            yield f"CREATE TABLE {name} PARTITION OF {parent}{own}\n{part.bounds}{below}"
            if part.partitioning is not None:
                yield from self._partitions(part.schema or schema, name, part.partitioning)

    def _partition_name(self, table: Table, name: str) -> str:
        """A partition of the table, wherever it is in the tree."""
        for schema, part in _tree(table.schema, table.partitioning):
            if part.name == name:
                return self.qualified(schema, part.name)
        raise LookupError(name)

    def truncate_temporary(self, table: QName) -> str:
        """``TRUNCATE``: deleted rows, and those that a savepoint took back, stay in place till the transaction ends."""
        return f"TRUNCATE {self.name_of(table)}"

    # --- constraints ------------------------------------------------------------------------------------------------

    def unique_clause(self, table: Table, unique: Unique, losses: list[Loss]) -> str:
        """``UNIQUE``, with NULLS NOT DISTINCT from version 15 on."""
        if unique.nulls_distinct or not self.since(15):
            return super().unique_clause(table, unique, losses)
        return (
            super()
            .unique_clause(table, replace(unique, nulls_distinct=True), losses)
            .replace("UNIQUE (", "UNIQUE NULLS NOT DISTINCT (", 1)
        )

    def check(self, table: Table, check: Check) -> Script:
        """A check; what a parent's check already brought is not added again."""
        if any(check in parent.checks for parent in self._parents(table)):
            return Script()
        return super().check(table, check)

    def exclusion(self, table: Table, exclusion: Exclusion) -> Script:
        """``EXCLUDE``, and what is said of it."""
        clause = f"{self.named(exclusion.name)}{exclusion.definition.sql}"
        comment = self._comment(f"CONSTRAINT {self.quote(exclusion.name)} ON {self.name_of(table)}", exclusion.comment)
        return Script((self.add(table, clause), *comment))

    def check_state(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``NOT VALID`` of a check that holds for new rows only; ``NOT ENFORCED``, from version 18 on, for none.

        :raises Untranslatable: it cannot be off here.
        """
        if not check.enforced and self.since(18):
            return " NOT ENFORCED"
        return " NOT VALID" if check.enforced and not check.validated else super().check_state(table, check, losses)

    def foreign_key_clause(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``FOREIGN KEY``; one that the source does not vouch for holds for new rows only."""
        sql = super().foreign_key_clause(table, key, losses)
        return sql if key.validated else f"{sql} NOT VALID"

    def match(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``MATCH FULL``."""
        return " MATCH FULL" if key.match == "FULL" else ""

    def actions(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``ON DELETE … ON UPDATE …``."""
        if not key.set_columns or not self.since(15):
            return super().actions(table, key, losses)
        sql, on_delete = super().actions(table, replace(key, set_columns=()), losses), f" ON DELETE {key.on_delete}"
        return sql.replace(on_delete, f"{on_delete} ({self.columns(key.set_columns)})", 1)

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key of a table, or of one of its partitions."""
        if key.partition is None or not self._partitioned(table):
            return super().foreign_key(table, key)
        losses: list[Loss] = []
        clause = self.foreign_key_clause(table, key, losses)
        return Script((f"ALTER TABLE {self._partition_name(table, key.partition)} ADD {clause}",), tuple(losses))

    def for_new_rows(self, table: Table, key: ForeignKey) -> Script:
        """``NOT VALID``."""
        return self.foreign_key(table, replace(key, validated=False))

    # --- indexes ----------------------------------------------------------------------------------------------------

    def index(self, table: Table | View, index: Index) -> Script:
        """An index on a loaded table, one of its partitions, or a materialized view."""
        if index.partition is not None and not (isinstance(table, Table) and self._partitioned(table)):
            return super().index(table, index) if isinstance(table, Table) else Script()
        method = index.method.lower()
        if not self.at_home and (why := _unfit(table, index, method)):
            detail = f"index {index.name} is left out: {why}"
            return Script((), (Loss(path_of(table), "index", detail),))
        losses: list[Loss] = []
        try:
            sql = self._create_index(table, index, method if self.at_home else "btree", losses)
        except Untranslatable as why:
            return Script((), (Loss(path_of(table), "index", f"index {index.name} is left out: {why}"),))
        comment = self._comment(f"INDEX {self.qualified(table.schema, index.name)}", index.comment)
        return Script((sql, *comment), tuple(losses))

    def _create_index(self, table: Table | View, index: Index, method: str, losses: list[Loss]) -> str:
        where_made = self.name_of(table)
        if index.partition is not None and isinstance(table, Table):
            where_made = self._partition_name(table, index.partition)
        keys = ", ".join(self.index_key(table, index, key, losses) for key in index.keys)
        sql = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {self.quote(index.name)} ON {where_made}"
        sql += f"{'' if method == 'btree' else f' USING {method}'} ({keys})"
        if index.include:
            sql += f" INCLUDE ({self.columns(index.include)})"
        if not index.nulls_distinct:
            if self.since(15):
                sql += " NULLS NOT DISTINCT"
            else:
                losses.append(Loss(path_of(table), "nulls-not-distinct", f"index {index.name} lets several NULLs in here"))
        if index.where is None:
            return sql
        return f"{sql} WHERE {self.in_index(table, index, index.where, losses, condition=True)}"

    def index_key(self, table: Table | View, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """A key with its collation, operator class and order."""
        sql = self.indexed(table, index, key, losses)
        if self.at_home:
            sql += f" COLLATE {key.collation}" if key.collation else ""
            sql += f" {key.opclass}" if key.opclass else ""
        elif isinstance(table, Table):
            losses += self.index_key_losses(table, index, replace(key, nulls_first=None))
        sql += " DESC" if key.descending else ""
        if key.nulls_first is not None:
            sql += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
        return sql

    # --- positions --------------------------------------------------------------------------------------------------

    def position(self, obj: Table | Sequence) -> Script:
        """``setval`` so that the next value is the source's; a sequence that was never used stays so."""
        if isinstance(obj, Sequence):
            losses = [] if _last(obj) is None else [_exhausted(obj, obj, None)]
            return Script(tuple(self._set_position(self.literal(self.name_of(obj)), obj, "")), tuple(losses))
        statements, losses = list[str](), []
        for column in obj.columns:
            if column.identity is not None and column.generated is None:
                name, text = self.name_of(obj), self.literal(column.name)
                sequence = f"pg_catalog.pg_get_serial_sequence({self.literal(name)}, {text})"
                largest = f"{'max' if column.identity.increment > 0 else 'min'}({self.quote(column.name)})"
                unknown = f"SELECT pg_catalog.setval({sequence}, {largest}) FROM {name} HAVING {largest} IS NOT NULL"
                identity = self._within_type(obj, column, column.identity)
                statements += self._set_position(sequence, identity, unknown)
                if _is_beyond(identity) and not _is_full(column):
                    losses.append(_exhausted(obj, identity, column.name))
        return Script(tuple(statements), tuple(losses))

    def _within_type(self, table: Table, column: Column, identity: Identity) -> Identity:
        """An identity that ends where the numbers of its column's type do."""
        bits = next((bits for bits, word in _WORDS.items() if word == self.declaration(table, column)), 64)
        least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        if identity.increment < 0:
            return replace(identity, minimum=least if identity.minimum is None else max(identity.minimum, least))
        return replace(identity, maximum=most if identity.maximum is None else min(identity.maximum, most))

    def _set_position(self, sequence: str, of: Sequence | Identity, unknown: str) -> Iterator[str]:
        if of.next_value is None:
            if unknown:
                yield unknown
            return
        if of.next_value == of.start:
            return
        last, (lowest, highest) = of.next_value - of.increment, _bounds(of)
        if (end := _last(of)) is not None:
            yield f"SELECT pg_catalog.setval({sequence}, {end}, true)"
        elif lowest <= last <= highest:
            yield f"SELECT pg_catalog.setval({sequence}, {last}, true)"
        else:
            yield f"SELECT pg_catalog.setval({sequence}, {of.next_value}, false)"

    # --- views and the rest -----------------------------------------------------------------------------------------

    def on_update(self, table: Table) -> Script:
        """A trigger for MySQL's ON UPDATE CURRENT_TIMESTAMP: a row that changes in any bit has the time of the statement.

        A generated column has no value yet when the trigger looks; it changes only with others.
        """
        columns = self.touched(table)
        if not columns:
            return Script()
        own = [self.quote(column.name) for column in table.data_columns]
        old, new = (", ".join(f"{row}.{name}" for name in own) for row in ("OLD", "NEW"))
        function = self.qualified(table.schema, on_update.function_of(table.name))
        body = self.literal(on_update.body(columns))
        return Script(
            (
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body}",
                f"CREATE TRIGGER {on_update.TRIGGER} BEFORE UPDATE ON {self.name_of(table)} FOR EACH ROW"
                f" WHEN (ROW({old})::record OPERATOR(pg_catalog.*<>) ROW({new})::record) EXECUTE FUNCTION {function}()",
            )
        )

    def create_view(self, view: View) -> Script:
        """A view, or a materialized view with its rows and indexes."""
        if not self.at_home:
            return self._foreign_view(view)
        name = self.name_of(view)
        options = ", ".join(f"{option}={self.literal(value)}" for option, value in view.options)
        sql = f"CREATE {'MATERIALIZED ' if view.materialized else ''}VIEW {name}"
        sql += f" WITH ({options})" if options else ""
        sql += f" AS\n{self.expression(view.definition)}"
        if view.materialized:
            sql += "\nWITH DATA" if view.populated else "\nWITH NO DATA"
        elif view.check_option:
            sql += f"\nWITH {view.check_option} CHECK OPTION"
        indexes = [self.index(view, index) for index in view.indexes]
        statements = (sql, *(statement for made in indexes for statement in made.statements))
        return Script(statements, tuple(loss for made in indexes for loss in made.losses))

    def _foreign_view(self, view: View) -> Script:
        """A translated view; its text may name tables without their schema."""
        made = super().create_view(view)
        if not made.statements:
            return made
        losses = list(made.losses)
        if view.check_option:
            detail = f"rows that the view would not show are let in (at the source: WITH {view.check_option} CHECK OPTION)"
            losses.append(Loss(path_of(view), "check-option", detail))
        path = f"SET search_path = {self.quote(view.schema)}"
        return Script((path, *made.statements, "RESET search_path"), tuple(losses))

    def truncate(self, *tables: Table, among: Iterable[Table] = ()) -> Script:
        """``TRUNCATE`` of all tables at once; rows of inheriting tables are theirs, those of partitions are the table's."""
        names = (f"{'' if table.partitioning else 'ONLY '}{self.name_of(table)}" for table in tables)
        return Script((f"TRUNCATE TABLE {', '.join(names)}",) if tables else ())


# --- what other databases have otherwise ----------------------------------------------------------------------------


def _can_count(type_: t.Type) -> bool:
    """Whether an identity of this type is declared smallint, integer or bigint anyway."""
    return isinstance(type_, t.Integer) and not (type_.unsigned and type_.bits == 64)


_FRACTIONS = {0: "", 3: ".MS", 6: ".US"}
_FORMS = {"date": "YYYY-MM-DD", "time": "HH24:MI:SS", "timestamp": "YYYY-MM-DD HH24:MI:SS"}


def _clock(value: Now, base: t.Type, moment: str) -> str:
    """A moment as a column of a timestamp, a time or an interval takes it: by UTC's clock or by that of the session."""
    if isinstance(base, t.Timestamp) and (base.zoned or not value.utc):
        return moment
    shown = f"timezone('utc', {moment})" if value.utc else moment
    if isinstance(base, t.Timestamp):
        return shown
    time = f"({shown})::time without time zone"
    return f"({time})::interval" if isinstance(base, t.Interval) else time


def _called(value: Now, base: t.Type, word: str) -> str:
    """The current date or time by the function ``word``.

    :raises Untranslatable: texts do not show as many digits after the second.
    """
    utc = f"timezone('utc', {word})"
    if isinstance(base, t.String) and value.utc:
        if (fraction := _FRACTIONS.get(value.precision or 0)) is None:
            raise Untranslatable(f"a text shows no {value.precision} digits after the second")
        return f"to_char({utc}, '{_FORMS[value.kind]}{fraction}')"
    if value.kind == "date" or not isinstance(base, t.Timestamp | t.Time | t.Interval):
        return f"({utc if value.utc else word})::date"
    digits = value.digits(base.precision)
    return _clock(value, base, word if digits == Now().digits(base.precision) else f"{word}::timestamptz({digits})")


def _unfit(table: Table | View, index: Index, method: str) -> str:
    """Why an index of another database has no counterpart here; empty: it has."""
    if method not in _ORDERED_ELSEWHERE:
        return f"{method} indexes have no counterpart"
    if isinstance(table, Table):
        types = {c.name: t.base_of(c.type) for c in table.columns}
        for key in index.keys:
            if isinstance(types.get(key.column or ""), t.Json | t.Xml):
                return f"{key.column} has a type without an order"
    return ""


def _bounds(of: Sequence | Identity) -> tuple[int, int]:
    """The least and the largest number of a generator, none beyond a bigint."""
    rising = of.increment > 0
    lowest = of.minimum if of.minimum is not None else (1 if rising else -_BIGINT - 1)
    highest = of.maximum if of.maximum is not None else (_BIGINT if rising else -1)
    return max(lowest, -_BIGINT - 1), min(highest, _BIGINT)


def _last(of: Sequence | Identity) -> int | None:
    """The last number of a generator that stands beyond all that it can give here; None: it does not."""
    lowest, highest = _bounds(of)
    if of.next_value is None or not _is_beyond(of) or lowest <= of.next_value - of.increment <= highest:
        return None
    return highest if of.increment > 0 else lowest


def _is_beyond(of: Sequence | Identity) -> bool:
    lowest, highest = _bounds(of)
    return of.next_value is not None and (of.next_value > highest if of.increment > 0 else of.next_value < lowest)


def _is_full(column: Column) -> bool:
    """Whether an identity has no next number at the source either: it would be none of its own, or of its column's type."""
    identity, type_ = column.identity, column.type
    assert identity is not None
    assert identity.next_value is not None
    rising, following = identity.increment > 0, identity.next_value
    ends = [identity.maximum if rising else identity.minimum]
    if isinstance(type_, t.Integer):
        half = 1 << (type_.bits - 1)
        ends.append((2 * half if type_.unsigned else half) - 1 if rising else 0 if type_.unsigned else -half)
    return any(following > end if rising else following < end for end in ends if end is not None)


def _exhausted(obj: Table | Sequence, of: Sequence | Identity, column: str | None) -> Loss:
    last = _bounds(of)[of.increment > 0]
    detail = f"gives no more numbers: the next would be {of.next_value}, the last here is {last}"
    return Loss(path_of(obj), "identity-position" if column else "sequence-position", detail, column)


def _bound_losses(sequence: Sequence) -> Iterator[Loss]:
    beyond = [b for b in (sequence.minimum, sequence.maximum) if b is not None and not -_BIGINT - 1 <= b <= _BIGINT]
    if beyond:
        yield Loss(path_of(sequence), "sequence-bounds", f"the bound {beyond[0]} becomes that of a bigint")


def _unnamed_not_null(item: str) -> str:
    """An item of a partition as versions before 18 take it, where NOT NULL has no name."""
    named = _NAMED_NOT_NULL.fullmatch(item)
    return f"{named[1]} NOT NULL" if named else item


def _tree(schema: str, partitioning: Partitioning | None) -> Iterator[tuple[str, Partition]]:
    """Every partition with its schema."""
    for part in partitioning.partitions if partitioning is not None else ():
        own = part.schema or schema
        yield own, part
        yield from _tree(own, part.partitioning)
