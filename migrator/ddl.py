"""Model objects as DDL: one path, whether it runs on a connection or is written to a SQLFILE.

:class:`DDL` writes the statements of one database; adapters subclass it and override what differs. Each method returns a
:class:`Script`: the statements, and what they could not keep. :class:`Emitter` is the one fork: Alembic's migration
context either executes a statement or writes it, as its own offline mode does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TextIO

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlglot import exp

from migrator.adapter import Adapter, Part, TypeRule, load_adapter, rule_for
from migrator.errors import IdentifierTooLong, InvalidIdentifier, MigratorError, NamesCollide, UnsupportedType
from migrator.expressions import Translator, Untranslatable, parse, parse_value, with_value
from migrator.expressions.carrier import Carrier, Target
from migrator.expressions.queries import Carried, Found, QueryCarrier
from migrator.expressions.semantics import Semantics, Value
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import (
    Check,
    Column,
    Default,
    DomainType,
    EnumType,
    Expression,
    ForeignKey,
    Identity,
    Index,
    IndexKey,
    Literal,
    NewUuid,
    NextValue,
    Now,
    Object,
    Partitioning,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)


@dataclass(frozen=True)
class Script:
    """Statements without terminators, in order, and the losses of making them."""

    statements: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


class Statement(ExecutableDDLElement):
    """One complete DDL statement, sent exactly as it is."""

    inherit_cache = False

    def __init__(self, sql: str) -> None:
        self.sql = sql


@compiles(Statement)
def _compile_statement(element: Statement, compiler: Any, **_: Any) -> str:
    return element.sql.replace("%", "%%") if compiler.preparer._double_percents else element.sql


class Emitter:
    """Runs scripts on ``connection``, or writes them to ``stream`` as the script language of ``ddl``."""

    def __init__(self, ddl: DDL, connection: sa.Connection | None = None, stream: TextIO | None = None) -> None:
        from alembic.migration import MigrationContext  # an export, and workers that move rows, need none of it
        from alembic.operations import Operations

        self.ddl, self._stream = ddl, stream
        if connection is None:
            options = {"as_sql": True, "output_buffer": stream}
            self._context = MigrationContext.configure(dialect=ddl.dialect, opts=options)
        else:
            self._context = MigrationContext.configure(connection=connection)
        self._operations = Operations(self._context)

    def run(self, statements: Iterable[str]) -> None:
        """Execute or write each statement in order."""
        for sql in statements:
            if self._context.as_sql:  # Alembic's own offline text would turn tabs into blanks, inside literals too
                self._context.impl.static_output(self.ddl.as_script(sql))
            else:
                self._operations.execute(Statement(sql))

    def comment(self, text: str) -> None:
        """A comment line in a script; nothing on a connection."""
        if self._stream is not None:
            self._stream.write("".join(f"-- {line}\n" for line in text.splitlines()))


class DDL:
    """Standard SQL; each adapter overrides what its database writes otherwise."""

    taking_identities = ""
    """What INSERT says so that a column GENERATED ALWAYS takes the rows' own numbers."""

    staging_schema: str | None = None
    """The schema that temporary tables are in; None: that of the table they stand in for."""

    def __init__(self, adapter: Adapter, catalog: Catalog, version: tuple[int, ...] | None = None) -> None:
        self.adapter, self.catalog, self.version = adapter, catalog, version
        self.dialect = adapter.dialect()
        self.preparer = self.dialect.identifier_preparer
        self.refused: Mapping[tuple[QName, Expression], str] = {}
        """What the server said against expressions when they were tried, by their tables; they are left out."""

    @cached_property
    def translator(self) -> Translator:
        """Expressions of the catalog in this database's SQL."""
        return Translator(self.catalog, lambda name: load_adapter(name).sqlglot, self.adapter.sqlglot, self.quote)

    @property
    def title(self) -> str:
        """The database's name as people write it."""
        return self.adapter.title

    # --- words ------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        """An identifier, quoted where it must be."""
        quoted: str = self.preparer.quote(name)
        return quoted

    def qualified(self, schema: str, name: str) -> str:
        """A schema-qualified name."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def name_of(self, obj: Table | Sequence | View | EnumType | DomainType | QName) -> str:
        """An object's name as statements write it."""
        return self.qualified(obj.schema, obj.name)

    def columns(self, names: Iterable[str]) -> str:
        """A comma-joined list of quoted names."""
        return ", ".join(self.quote(name) for name in names)

    def literal(self, text: str) -> str:
        """A character literal."""
        return "'" + text.replace("'", "''") + "'"

    def as_script(self, statement: str) -> str:
        """A statement as it stands in a SQLFILE, with its terminator."""
        return f"{statement};"

    def script_head(self) -> tuple[str, ...]:
        """Statements a SQLFILE begins with."""
        return ()

    def expression(
        self,
        expression: Expression,
        table: Table | None = None,
        *,
        into: Column | None = None,
        condition: bool = False,
        fixed: bool = False,
    ) -> str:
        """An expression over columns of ``table`` in this database's SQL.

        ``into``: the column that stores it. ``condition``: it is one. ``fixed``: it must give the same value every time.

        :raises Untranslatable: it has no exact counterpart here.
        """
        if table is not None:
            self._check_accepted(table, expression)
        if expression.dialect == self.adapter.name:
            return expression.sql
        source = self._semantics_of(expression.dialect)
        source.check_read(expression.sql)
        columns = partial(self._column_value, source, table)
        carrier = Carrier(source, self._target, columns, fixed=fixed)
        tree = parse_value(expression.sql, load_adapter(expression.dialect).sqlglot)
        if condition:
            return carrier.condition(tree).sql
        if into is not None:
            return carrier.stored(tree, into.type, source.kind_of(into, table)).sql
        return carrier.value(tree).sql

    def query(self, view: View) -> Carried:
        """A view's query in this database's SQL.

        :raises Untranslatable: it has no exact counterpart here.
        """
        found = self._carried[QName(view.schema, view.name)]
        if isinstance(found, Untranslatable):
            raise found
        return found

    @cached_property
    def _target(self) -> Target:
        return Target(self._semantics_of(self.adapter.name), self.title, self.literal, self.boolean)

    def _semantics_of(self, dialect: str) -> Semantics:
        adapter = load_adapter(dialect)
        if adapter.semantics is None:
            raise Untranslatable(f"what the expressions of {adapter.title} mean is not known")
        return adapter.semantics

    def _column_value(self, source: Semantics, table: Table | None, node: exp.Column) -> Value:
        """A column of a table as an operand of an expression."""
        alike = [c for c in table.columns if c.name.lower() == node.name.lower()] if table is not None else []
        column = next((c for c in alike if c.name == node.name), alike[0] if len(alike) == 1 else None)
        if column is None:
            raise Untranslatable(f"there is no column {node.name}")
        nullable = column.nullable and not (table and table.primary_key and column.name in table.primary_key.columns)
        return Value(source.kind_of(column, table), self.quote(column.name), type=column.type, nullable=nullable)

    @cached_property
    def _carried(self) -> dict[QName, Carried | Untranslatable]:
        """Each view's query, or why it is left out; a view stands behind those that it reads."""
        found: dict[QName, Carried | Untranslatable] = {}
        for view in self.catalog.of(View):
            try:
                found[QName(view.schema, view.name)] = self._carry(view, found)
            except Untranslatable as why:
                found[QName(view.schema, view.name)] = why
        return found

    def _carry(self, view: View, earlier: Mapping[QName, Carried | Untranslatable]) -> Carried:
        if view.definition.dialect == self.adapter.name:
            return Carried(view.definition.sql, {})
        source, glot = self._semantics_of(view.definition.dialect), load_adapter(view.definition.dialect).sqlglot
        source.check_read(view.definition.sql)
        schemas = self.adapter.capabilities.single_schema is None
        find = partial(self._relation, view.schema, source, earlier)
        carrier = QueryCarrier(source, self._target, find, self.quote, self.adapter.sqlglot, schemas=schemas)
        carried = carrier.carried(parse(view.definition.sql, glot))
        names = view.columns or tuple(carried.columns)
        renamed = {n: replace(c, sql=self.quote(n)) for n, c in zip(names, carried.columns.values(), strict=True)}
        return replace(carried, columns=renamed)

    def _relation(
        self, schema: str, source: Semantics, views: Mapping[QName, Carried | Untranslatable], node: exp.Table
    ) -> Found:
        """What a query reads by a name: a table, or a view that is carried too."""
        wanted = QName(node.db or schema, node.name)
        obj = self._relations.get(wanted) or self._relations.get(QName(wanted.schema.lower(), wanted.name.lower()))
        if isinstance(obj, Table):
            columns = {c.name: self._column_value(source, obj, exp.column(c.name)) for c in obj.columns}
            key = frozenset(obj.primary_key.columns) if obj.primary_key is not None else frozenset()
            return Found(obj.schema, obj.name, {n: replace(v, nullable=True) for n, v in columns.items()}, key)
        carried = views.get(QName(obj.schema, obj.name)) if obj is not None else None
        if obj is None or not isinstance(carried, Carried):
            raise Untranslatable(f"it reads {wanted}, which is {'left out' if obj is not None else 'not there'}")
        return Found(obj.schema, obj.name, carried.columns)

    @cached_property
    def _relations(self) -> dict[QName, Table | View]:
        """The tables and views by their names, and in small letters where those mean one of them only."""
        found: dict[QName, Table | View] = {}
        relations = [obj for obj in self.catalog.objects if isinstance(obj, Table | View)]
        folded = Counter((obj.schema.lower(), obj.name.lower()) for obj in relations)
        for obj in relations:
            if folded[obj.schema.lower(), obj.name.lower()] == 1:
                found[QName(obj.schema.lower(), obj.name.lower())] = obj
        return found | {QName(obj.schema, obj.name): obj for obj in relations}

    # --- trials -----------------------------------------------------------------------------------------------------

    def untried(self, expression: Expression) -> bool:
        """Whether a server of this kind may refuse an expression that has come to stand in its DDL."""
        return expression.dialect != self.adapter.name

    def _check_accepted(self, table: Table, expression: Expression) -> None:
        """:raises Untranslatable: the server was asked, and refuses the expression."""
        if why := self.refused.get((table.qname, expression)):
            raise Untranslatable(f"{self.title} refuses it: {why}")

    def on_trial(self, table: Table, name: QName) -> Table:
        """The table as expressions are tried in it: its columns and keys, and nothing that is computed."""
        columns = (
            replace(c, type=self._own_type(c), default=None, identity=None, generated=None, on_update=None, comment=None)
            for c in table.columns
        )
        return replace(
            table,
            schema=name.schema,
            name=name.name,
            columns=tuple(columns),
            checks=(),
            indexes=tuple(index for index in table.indexes if not any(map(self.untried, expressions_of(index)))),
            partitioning=None,
            parents=(),
            comment=None,
        )

    def _own_type(self, column: Column) -> t.Type:
        return column.type if self.keeps_domain(column.type) else t.base_of(column.type)

    def trial(self, table: Table) -> tuple[str, ...]:
        """The statements that make a table from :meth:`on_trial` a temporary one, its checks and computed indexes too."""
        scripts = [self.check(table, check) for check in table.checks]
        scripts += [self.index(table, i) for i in table.indexes if any(map(self.untried, expressions_of(i)))]
        return (self.create_temporary(table), *(sql for script in scripts for sql in script.statements))

    def create_temporary(self, table: Table) -> str:
        """The statement that makes a table a temporary one; its schema is :attr:`staging_schema`, where there is one."""
        return self.create_table(table).statements[0].replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)

    def drop_temporary(self, table: QName) -> str:
        """The statement that drops a temporary table, and never another one of its name."""
        return f"DROP TEMPORARY TABLE IF EXISTS {self.name_of(table)}"

    # --- types and columns ------------------------------------------------------------------------------------------

    def rule(self, table: str, column: Column) -> TypeRule:
        """The type table's row for a column.

        :raises UnsupportedType: there is none.
        """
        type_ = column.type if self.keeps_domain(column.type) else t.base_of(column.type)
        return rule_for(self.adapter.types, type_, self.adapter.title, f"{table}.{column.name}", table)

    def keeps_domain(self, type_: t.Type) -> bool:
        """Whether domains are objects here (else a column takes the base type and the domain's checks)."""
        return False

    def type_of(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column's type declaration."""
        rule = self.rule(table.name, column)
        type_ = column.type if self.keeps_domain(column.type) else t.base_of(column.type)
        if rule.loss:
            name = f"type-{rule.type.__name__.lower()}"
            losses.append(Loss(path_of(table), name, rule.loss, column.name, each=rule.each))
        return rule.declare(type_)

    def _unsaid(self, table: Table) -> Iterator[Loss]:
        """What the source's declarations say that their neutral types do not."""
        if self.catalog.dialect == self.adapter.name:
            return
        source = load_adapter(self.catalog.dialect)
        if detail := source.unsaid_options(table.options):
            yield Loss(path_of(table), "table-options", detail)
        for column in table.columns:
            if detail := source.unsaid(column.native):
                yield Loss(path_of(table), "declaration", detail, column.name)
            if column.collation and not column.ignore_case:
                detail = f"sorts and compares as texts without a collation do (at the source: {column.collation})"
                yield Loss(path_of(table), "collation", detail, column.name)

    def default(self, value: Default, column: Column) -> str:
        """A default in this database's SQL.

        :raises Untranslatable: it has no exact counterpart here.
        """
        match value:
            case Literal(kind="null"):
                return "NULL"
            case Literal(kind="number", value=text):
                return text
            case Literal(kind="string", value=text):
                return self.literal(text)
            case Literal(kind="boolean", value=text):
                return self.boolean(text in {"1", "t", "true"})
            case Literal(kind="binary", value=text):
                return self.binary_literal(text)
            case Literal(kind="bit", value=text):
                return f"B'{text}'"
            case Now():
                return self.now(value)
            case NextValue(sequence=name):
                return self.next_value(name)
            case NewUuid():
                return self.new_uuid()
            case Expression():
                return self.expression(value, into=column)
        raise Untranslatable(f"no default for {value!r}")

    def boolean(self, value: bool) -> str:
        """A truth value."""
        return "TRUE" if value else "FALSE"

    def binary_literal(self, digits: str) -> str:
        """Bytes, given in hexadecimal."""
        return f"X'{digits}'"

    def now(self, value: Now) -> str:
        """The current date, time or timestamp."""
        precision = f"({value.precision})" if value.precision is not None else ""
        return {"date": "CURRENT_DATE", "time": f"CURRENT_TIME{precision}"}.get(value.kind, f"CURRENT_TIMESTAMP{precision}")

    def next_value(self, sequence: QName) -> str:
        """The next value of a sequence."""
        raise Untranslatable("no sequences as defaults here")

    def new_uuid(self) -> str:
        """A fresh UUID."""
        raise Untranslatable("no function makes a UUID here")

    def column(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column of CREATE TABLE."""
        parts = [self.quote(column.name), self.type_of(table, column, losses)]
        parts += [self.default_clause(table, column, losses)]
        if column.generated is not None:
            parts.append(self.generated_clause(table, column, losses))
        elif column.identity is not None:
            parts.append(self.identity_clause(table, column, losses))
        if not column.nullable:
            parts.append("NOT NULL")
        return " ".join(part for part in parts if part)

    def default_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``DEFAULT …``, or nothing; a default without a counterpart is left out with a loss."""
        if column.default is None or column.identity is not None or column.generated is not None:
            return ""
        try:
            self._refuse_clock_as_text(column.default, column)
            if isinstance(column.default, Expression):
                self._check_accepted(table, column.default)
            return f"DEFAULT {self.default(column.default, column)}"
        except Untranslatable as why:
            detail = f"default {_shown(column.default)} is left out: {why}"
            losses.append(Loss(path_of(table), "default", detail, column.name))
            return ""

    def _refuse_clock_as_text(self, value: Default, column: Column) -> None:
        """Refuse another database's current time in a text, unless that database says how it is written there.

        :raises Untranslatable: it has no fixed form.
        """
        if self.catalog.dialect == self.adapter.name or not isinstance(value, Now) or value.kind == "date":
            return
        if isinstance(t.base_of(column.type), t.String) and not (value.utc and value.precision is not None):
            raise Untranslatable("the current time has no fixed form as text")

    def on_update_loss(self, table: Table, column: Column) -> Loss:
        """What differs of MySQL's ON UPDATE CURRENT_TIMESTAMP: a trigger does it, or nothing."""
        detail = "no longer changes by itself on UPDATE"
        if column in self.touched(table):
            detail = "a trigger does ON UPDATE CURRENT_TIMESTAMP, also where an UPDATE sets the column to the value it has"
        return Loss(path_of(table), "on-update", detail, column.name)

    def touched(self, table: Table) -> tuple[Column, ...]:
        """The columns whose ON UPDATE CURRENT_TIMESTAMP a trigger can do: those that hold a date with a time."""
        return tuple(c for c in table.columns if c.on_update is not None and isinstance(t.base_of(c.type), t.Timestamp))

    def generated_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED ALWAYS AS …``; without a counterpart the column becomes an ordinary one that keeps its values."""
        assert column.generated is not None
        try:
            sql = self.expression(column.generated.expression, table, into=column, fixed=True)
        except Untranslatable as why:
            sql = column.generated.expression.sql
            detail = f"the generated column becomes an ordinary one with the values of now: {sql}: {why}"
            losses.append(Loss(path_of(table), "generated", detail, column.name))
            return ""
        return f"GENERATED ALWAYS AS ({sql}) {'STORED' if column.generated.stored else 'VIRTUAL'}"

    def identity_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED … AS IDENTITY``."""
        assert column.identity is not None
        kind = "ALWAYS" if column.identity.always else "BY DEFAULT"
        options = self.sequence_options(column.identity)
        return f"GENERATED {kind} AS IDENTITY" + (f" ({options})" if options else "")

    def sequence_options(self, of: Any) -> str:
        """The options of a sequence or identity that differ from a database's defaults."""
        options = [f"START WITH {of.start}", f"INCREMENT BY {of.increment}"]
        if of.minimum is not None:
            options.append(f"MINVALUE {of.minimum}")
        if of.maximum is not None:
            options.append(f"MAXVALUE {of.maximum}")
        if of.cache is not None and of.cache > 1:
            options.append(f"CACHE {of.cache}")
        if of.cycle:
            options.append("CYCLE")
        return " ".join(options)

    # --- objects ----------------------------------------------------------------------------------------------------

    def not_carried(self, obj: Object, rule: str, why: str) -> Script:
        """No statement, one loss."""
        return Script((), (Loss(path_of(obj), rule, f"not carried: {why}"),))

    def uncommented(self, obj: Schema | EnumType | DomainType | Sequence) -> tuple[Loss, ...]:
        """The loss of an object's comment, where there is none of such an object."""
        return (Loss(path_of(obj), "comment", f"its comment is left out: {obj.comment}"),) if obj.comment else ()

    def create_schema(self, schema: Schema) -> Script:
        """A schema."""
        return Script((f"CREATE SCHEMA IF NOT EXISTS {self.quote(schema.name)}",), self.uncommented(schema))

    def create_enum(self, enum: EnumType) -> Script:
        """An enumeration; where enums are no objects, columns declare the labels themselves."""
        return Script((), (Loss(path_of(enum), "enum", "columns declare the labels themselves"), *self.uncommented(enum)))

    def create_domain(self, domain: DomainType) -> Script:
        """A domain; where there are none, columns take its base type and checks."""
        loss = Loss(path_of(domain), "domain", "columns take the domain's base type, default, NOT NULL and checks")
        return Script((), (loss, *self.uncommented(domain)))

    def create_sequence(self, sequence: Sequence) -> Script:
        """A sequence; one of few bits ends where those end."""
        bounded = sequence
        if sequence.bits < 64:
            top = (1 << (sequence.bits - 1)) - 1
            minimum = sequence.minimum if sequence.minimum is not None or sequence.increment > 0 else -top - 1
            maximum = sequence.maximum if sequence.maximum is not None or sequence.increment < 0 else top
            bounded = replace(sequence, minimum=minimum, maximum=maximum)
        options = self.sequence_options(bounded)
        return Script((f"CREATE SEQUENCE {self.name_of(sequence)} {options}",), self.uncommented(sequence))

    def create_table(self, table: Table) -> Script:
        """A table with its columns and those constraints that must stand inside it."""
        losses: list[Loss] = []
        table = self.with_domain_rules(table, losses)
        items = [self.column(table, column, losses) for column in table.columns]
        items += self.range_checks(table)
        items += [sql for check in self.domain_checks(table, losses) if (sql := self.check_clause(table, check, losses))]
        items += self.inline_constraints(table, losses)
        losses += self._unsaid(table)
        body = "(\n    " + ",\n    ".join(items) + "\n)" if items else "()"
        sql = f"CREATE TABLE {self.name_of(table)} {body}{self.table_options(table, losses)}"
        return Script((sql,), tuple(losses))

    def table_options(self, table: Table, losses: list[Loss]) -> str:
        """What follows the closing parenthesis."""
        if table.partitioning is not None:
            clause = "; ".join((table.partitioning.clause, *_bounds(table.partitioning)))
            detail = f"becomes one table, without the bounds of its partitions; at the source: PARTITION BY {clause}"
            losses.append(Loss(path_of(table), "partitioning", detail))
        if table.parents:
            parents = ", ".join(map(str, table.parents))
            detail = f"no longer inherits from {parents}: its rows are not among theirs"
            losses.append(Loss(path_of(table), "inheritance", detail))
        return ""

    def with_domain_rules(self, table: Table, losses: list[Loss]) -> Table:
        """The table with its domains' defaults and NOT NULLs as the columns' own, where domains are no objects."""
        return replace(table, columns=tuple(self._with_domain_rules(table, column, losses) for column in table.columns))

    def _with_domain_rules(self, table: Table, column: Column, losses: list[Loss]) -> Column:
        type_ = column.type
        while isinstance(type_, t.Domain) and not self.keeps_domain(type_):
            domain = self._domains.get((type_.schema, type_.name))
            if domain is None:
                detail = f"the default, NOT NULL and checks of domain {type_.name} are left out: it is not moved"
                losses.append(Loss(path_of(table), "domain", detail, column.name))
            else:
                default = column.default if column.default is not None else domain.default
                column = replace(column, default=default, nullable=column.nullable and domain.nullable)
            type_ = type_.base
        return column

    @cached_property
    def _domains(self) -> dict[tuple[str, str], DomainType]:
        return {(domain.schema, domain.name): domain for domain in self.catalog.of(DomainType)}

    def domain_checks(self, table: Table, losses: list[Loss]) -> list[Check]:
        """The checks of the columns' domains as checks of the columns, where domains are no objects."""
        checks = []
        for column in table.columns:
            type_ = column.type
            while isinstance(type_, t.Domain) and not self.keeps_domain(type_):
                domain = self._domains.get((type_.schema, type_.name))
                for check in domain.checks if domain else ():
                    try:
                        checks.append(self._column_check(check, column))
                    except Untranslatable as why:
                        detail = f"check {check.expression.sql} of domain {type_.name} is left out: {why}"
                        losses.append(Loss(path_of(table), "check", detail, column.name))
                type_ = type_.base
        return checks

    def _column_check(self, check: Check, column: Column) -> Check:
        expression = check.expression
        sql = with_value(expression.sql, load_adapter(expression.dialect).sqlglot, column.name)
        return replace(check, name=None, expression=Expression(sql, expression.dialect))

    def range_checks(self, table: Table) -> list[str]:
        """Checks that restore what a wider type would let in."""
        checks = []
        for column in table.columns:
            sql = self.rule(table.name, column).restriction(t.base_of(column.type), self.quote(column.name))
            if sql:
                checks.append(f"CHECK ({sql})")
        return checks

    def inline_constraints(self, table: Table, losses: list[Loss]) -> list[str]:
        """The constraints that ``capabilities.inline`` names, as items of CREATE TABLE."""
        inline = self.adapter.capabilities.inline
        items: list[str] = []
        if "primary_key" in inline and table.primary_key is not None:
            items.append(self.primary_key_clause(table, table.primary_key, losses))
        if "unique" in inline:
            items += [self.unique_clause(table, unique, losses) for unique in table.uniques]
        if "check" in inline:
            items += [sql for check in table.checks if (sql := self.check_clause(table, check, losses))]
        if "foreign_key" in inline:
            for key in table.foreign_keys:
                if key.partition is None:
                    items.append(self.foreign_key_clause(table, key, losses))
                else:
                    losses += self.of_partition(table, f"foreign key {key.name}", key.partition).losses
        return items

    def refusals(self) -> Iterator[MigratorError]:
        """All tables and columns that have no name or type here, and all columns of a table whose names are one here."""
        for table in self.catalog.of(Table):
            seen: dict[str, str] = {}
            try:
                self.quote(table.name)
            except (IdentifierTooLong, InvalidIdentifier) as refusal:
                yield refusal
            for column in table.columns:
                yield from self._refusals_of(table, column, seen)

    def _refusals_of(self, table: Table, column: Column, seen: dict[str, str]) -> Iterator[MigratorError]:
        try:
            name = self.stored(column.name)
            self.quote(column.name)
            self.declaration(table, column)
        except (UnsupportedType, IdentifierTooLong, InvalidIdentifier) as refusal:
            yield refusal
            return
        other = seen.setdefault(name, column.name)
        if other != column.name:
            first = f"{path_of(table)}.{other}"
            yield NamesCollide(first=first, second=column.name, name=name, database=self.title)

    def declaration(self, table: Table, column: Column) -> str:
        """A column's type declaration alone.

        :raises UnsupportedType: there is none.
        """
        return self.type_of(table, column, [])

    def stored(self, name: str) -> str:
        """A column's name as the database tells it from others."""
        return name.lower() if self.adapter.capabilities.ignores_column_case else name

    # --- constraints ------------------------------------------------------------------------------------------------

    def named(self, name: str | None) -> str:
        """``CONSTRAINT name``, or nothing for a constraint whose name the database chose."""
        return f"CONSTRAINT {self.quote(name)} " if name else ""

    def deferral(self, table: Table, of: PrimaryKey | Unique | ForeignKey, losses: list[Loss]) -> str:
        """``DEFERRABLE …``."""
        if not of.deferrable:
            return ""
        return " DEFERRABLE INITIALLY DEFERRED" if of.initially_deferred else " DEFERRABLE"

    def primary_key_clause(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """``PRIMARY KEY (…)``."""
        return f"{self.named(key.name)}PRIMARY KEY ({self.columns(key.columns)}){self.deferral(table, key, losses)}"

    def unique_clause(self, table: Table, unique: Unique, losses: list[Loss]) -> str:
        """``UNIQUE (…)``."""
        if not unique.nulls_distinct:
            losses.append(Loss(path_of(table), "nulls-not-distinct", f"unique {unique.name} lets several NULLs in here"))
        return f"{self.named(unique.name)}UNIQUE ({self.columns(unique.columns)}){self.deferral(table, unique, losses)}"

    def check_clause(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``CHECK (…)``, or nothing with a loss."""
        try:
            condition = self.expression(check.expression, table, condition=True, fixed=True)
            return f"{self.named(check.name)}CHECK ({condition}){self.check_state(table, check, losses)}"
        except Untranslatable as why:
            detail = f"check {check.name or ''} ({check.expression.sql}) is left out: {why}"
            losses.append(Loss(path_of(table), "check", detail))
            return ""

    def check_state(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """What follows a check that does not hold for all rows.

        :raises Untranslatable: it would here.
        """
        if not check.enforced:
            raise Untranslatable("it is not enforced, and cannot be off here")
        if not check.validated:
            raise Untranslatable("rows may break it, and it would hold for them too")
        return ""

    def foreign_key_clause(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``FOREIGN KEY (…) REFERENCES …``."""
        sql = f"{self.named(key.name)}FOREIGN KEY ({self.columns(key.columns)}) REFERENCES {self.name_of(key.referred)}"
        if key.referred_columns:
            sql += f" ({self.columns(key.referred_columns)})"
        return sql + self.match(table, key, losses) + self.actions(table, key, losses) + self.deferral(table, key, losses)

    def match(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``MATCH FULL``; a loss where only MATCH SIMPLE is known."""
        if key.match == "FULL":
            losses.append(Loss(path_of(table), "match-full", f"foreign key {key.name} matches SIMPLE here, not FULL"))
        return ""

    def name_set_columns(self, table: Table, key: ForeignKey, losses: list[Loss]) -> None:
        """Name the loss of a foreign key that sets some of its columns only."""
        if key.set_columns:
            detail = f"foreign key {key.name} sets all its columns on delete, not only {', '.join(key.set_columns)}"
            losses.append(Loss(path_of(table), "set-columns", detail))

    def actions(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``ON DELETE … ON UPDATE …``; a loss where ON DELETE sets some of the columns only."""
        self.name_set_columns(table, key, losses)
        sql = ""
        if key.on_delete != "NO ACTION":
            sql += f" ON DELETE {key.on_delete}"
        if key.on_update != "NO ACTION":
            sql += f" ON UPDATE {key.on_update}"
        return sql

    def add(self, table: Table, clause: str) -> str:
        """``ALTER TABLE … ADD``."""
        return f"ALTER TABLE {self.name_of(table)} ADD {clause}"

    def is_inline(self, part: Part) -> bool:
        """Whether CREATE TABLE already made that kind of constraint."""
        return part in self.adapter.capabilities.inline

    def primary_key(self, table: Table, key: PrimaryKey) -> Script:
        """A primary key added to a loaded table."""
        if self.is_inline("primary_key"):
            return Script()
        losses: list[Loss] = []
        return Script((self.add(table, self.primary_key_clause(table, key, losses)),), tuple(losses))

    def unique(self, table: Table, unique: Unique) -> Script:
        """A unique constraint added to a loaded table."""
        if self.is_inline("unique"):
            return Script()
        losses: list[Loss] = []
        return Script((self.add(table, self.unique_clause(table, unique, losses)),), tuple(losses))

    def check(self, table: Table, check: Check) -> Script:
        """A check constraint added to a loaded table."""
        if self.is_inline("check"):
            return Script()
        losses: list[Loss] = []
        clause = self.check_clause(table, check, losses)
        return Script((self.add(table, clause),) if clause else (), tuple(losses))

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key added when all tables are loaded and keyed."""
        if self.is_inline("foreign_key"):
            return Script()
        if key.partition is not None:
            return self.of_partition(table, f"foreign key {key.name}", key.partition)
        losses: list[Loss] = []
        return Script((self.add(table, self.foreign_key_clause(table, key, losses)),), tuple(losses))

    def of_partition(self, table: Table, what: str, partition: str) -> Script:
        """Something that a single partition has at the source: left out with a loss."""
        detail = f"{what} is left out: it is on the partition {partition} only"
        return Script((), (Loss(path_of(table), "partition-only", detail),))

    # --- indexes ----------------------------------------------------------------------------------------------------

    def index_name(self, table: Table, index: Index) -> str:
        """An index's name in its own statement."""
        return self.quote(index.name)

    def index_key(self, table: Table, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """One key of an index.

        :raises Untranslatable: an expression without a counterpart.
        """
        sql = self.quote(key.column or "")
        if key.expression is not None:
            sql = f"({self.expression(key.expression, table, fixed=True)})"
        if key.length is not None:
            detail = f"index {index.name} covers the whole of {key.column}, not its first {key.length} characters"
            losses.append(Loss(path_of(table), "index-prefix", detail, key.column))
        losses += self.index_key_losses(table, index, key)
        return sql + (" DESC" if key.descending else "")

    def index_key_losses(self, table: Table, index: Index, key: IndexKey) -> Iterator[Loss]:
        """What a key says in words that only the source has: where NULLs come, and how values compare."""
        path, what = path_of(table), key.column or "an expression"
        if key.nulls_first is not None:
            detail = f"index {index.name}: where NULLs of {what} come is left to the database"
            yield Loss(path, "index-nulls", detail, key.column)
        if key.opclass is not None:
            detail = f"index {index.name} compares {what} in the usual way (at the source: {key.opclass})"
            yield Loss(path, "index-opclass", detail, key.column)
        if key.collation is not None:
            detail = f"index {index.name} compares {what} as its column does (at the source: {key.collation})"
            yield Loss(path, "index-collation", detail, key.column)

    def index(self, table: Table, index: Index) -> Script:
        """An index on a loaded table."""
        if index.partition is not None:
            return self.of_partition(table, f"index {index.name}", index.partition)
        losses: list[Loss] = []
        try:
            keys = ", ".join(self.index_key(table, index, key, losses) for key in index.keys)
            where = ""
            if index.where is not None:
                where = f" WHERE {self.expression(index.where, table, condition=True, fixed=True)}"
        except Untranslatable as why:
            loss = Loss(path_of(table), "index", f"index {index.name} is left out: {why}")
            return Script((), (loss,))
        if index.comment:
            losses.append(Loss(path_of(table), "comment", f"the comment of index {index.name} is left out"))
        unique = "UNIQUE " if index.unique else ""
        sql = f"CREATE {unique}INDEX {self.index_name(table, index)} ON {self.name_of(table)} ({keys}){where}"
        return Script((sql,), tuple(losses))

    # --- the rest ---------------------------------------------------------------------------------------------------

    def position(self, obj: Table | Sequence) -> Script:
        """Let identities and sequences go on where the source stood; nothing for a table without an identity."""
        return Script()

    def on_update(self, table: Table) -> Script:
        """What does for MySQL's ON UPDATE CURRENT_TIMESTAMP here; nothing where columns do that themselves, or nothing can.

        :meth:`create_table` says which, and what differs.
        """
        return Script()

    def comments(self, obj: Table | View) -> Script:
        """Comments on a table or view and its columns."""
        statements = []
        if obj.comment:
            kind = "MATERIALIZED VIEW" if isinstance(obj, View) and obj.materialized else type(obj).__name__.upper()
            statements.append(f"COMMENT ON {kind} {self.name_of(obj)} IS {self.literal(obj.comment)}")
        if isinstance(obj, Table):
            statements += [
                f"COMMENT ON COLUMN {self.name_of(obj)}.{self.quote(c.name)} IS {self.literal(c.comment)}"
                for c in obj.columns
                if c.comment
            ]
        return Script(tuple(statements))

    def create_view(self, view: View) -> Script:
        """A view."""
        try:
            query = self.query(view)
        except Untranslatable as why:
            return self.not_carried(view, "view", f"{why}")
        losses = [Loss(path_of(view), rule, detail) for rule, detail in query.changes]
        if view.materialized:
            indexes = f", without the indexes {', '.join(i.name for i in view.indexes)}" if view.indexes else ""
            losses.append(Loss(path_of(view), "materialized-view", f"becomes an ordinary view{indexes}"))
        losses += self.view_option_losses(view)
        columns = f" ({self.columns(view.columns)})" if view.columns else ""
        return Script((f"CREATE VIEW {self.name_of(view)}{columns} AS {query.sql.rstrip().rstrip(';')}",), tuple(losses))

    def view_option_losses(self, view: View) -> Iterator[Loss]:
        """The options of a view that only its own database knows."""
        if view.definition.dialect != self.adapter.name:
            for name, value in view.options:
                yield Loss(path_of(view), "view-option", f"{name} {value} is left out")

    def create_program(self, program: Program) -> Script:
        """A routine or trigger: to the same database as source text, else a loss."""
        if program.create.dialect != self.adapter.name:
            return self.not_carried(program, "program", f"source text of {program.create.dialect} is not translated")
        return Script((program.create.sql,))

    def staging_for(self, table: QName) -> QName:
        """The name of the temporary table that rows for ``table`` wait in; each connection has one of its own."""
        return QName(self.staging_schema or table.schema, "MIGRATOR_STAGING")

    def create_staging(self, staging: QName, columns: Iterable[Column]) -> str:
        """The statement that makes a temporary table for rows of ``columns``: no key, no default, all nullable."""
        plain = (
            replace(column, nullable=True, default=None, identity=None, generated=None, comment=None, on_update=None)
            for column in columns
        )
        return self.create_temporary(Table(staging.schema, staging.name, tuple(plain)))

    def insert_from(
        self, table: QName, columns: Iterable[Column], staging: QName, where: str | None, insert_into: str
    ) -> str:
        """The statement that moves the rows of ``staging``, or those of them that meet ``where``, into ``table``.

        ``insert_into``: how it begins.
        """
        names = self.columns(column.name for column in columns)
        listed = f" ({names}){self.taking_identities}" if names else ""
        condition = f" WHERE {where}" if where else ""
        source = f"{self.name_of(staging)} {self.quote(table.name)}"
        return f"{insert_into} {self.name_of(table)}{listed} SELECT {names} FROM {source}{condition}"

    def drop_table(self, table: QName) -> Script:
        """Drop a table for TABLE_EXISTS_ACTION=REPLACE."""
        return Script((f"DROP TABLE {self.name_of(table)}",))

    def truncate(self, *tables: Table, among: Iterable[Table] = ()) -> Script:
        """Empty tables for TABLE_EXISTS_ACTION=TRUNCATE, all at once so that foreign keys among them do not matter.

        Nor do those of ``among`` where DDL cannot be rolled back, so that tables are emptied one by one.
        """
        return Script(tuple(f"TRUNCATE TABLE {self.name_of(table)}" for table in tables))

    def drop_foreign_key(self, table: QName, key: ForeignKey) -> Script:
        """Drop a foreign key, so that the table it refers to can be replaced."""
        if self.is_inline("foreign_key") or key.name is None:
            return Script()
        return Script((f"ALTER TABLE {self.name_of(table)} DROP CONSTRAINT {self.quote(key.name)}",))


def bits(value: Literal, type_: t.Bit) -> str:
    """A constant's digits as a column of bits holds them: filled up to its length, where it has one."""
    digits = format(int(value.value), "b") if value.kind == "number" else value.value
    return digits if type_.varying or type_.length is None else digits.zfill(type_.length)


def generator_losses(table: Table, column: Column, of: Identity | Sequence) -> Iterator[Loss]:
    """What is lost of a generator where the database's own takes given values, and counts as far as its type goes."""
    if isinstance(of, Identity) and of.always:
        detail = "takes given values too (at the source: GENERATED ALWAYS)"
        yield Loss(path_of(table), "identity-always", detail, column.name)
    last = of.maximum if of.increment > 0 else of.minimum
    if last is not None:
        yield Loss(path_of(table), "identity-bounds", f"counts beyond {last}, where it ends at the source", column.name)


def expressions_of(index: Index) -> tuple[Expression, ...]:
    """The expressions of an index: its keys' and its condition."""
    return tuple(e for e in (*(key.expression for key in index.keys), index.where) if e is not None)


def _bounds(partitioning: Partitioning) -> Iterator[str]:
    """The partitions that the clause itself does not name, with their bounds."""
    for part in partitioning.partitions:
        if part.name not in partitioning.clause:
            below = part.partitioning
            yield f"{part.name} {part.bounds}" + (f" PARTITION BY {below.clause}" if below is not None else "")
            yield from _bounds(below) if below is not None else ()


def _shown(default: Default) -> str:
    """A default as messages name it."""
    match default:
        case Expression(sql=sql):
            return sql
        case Literal(value=text):
            return f"'{text}'"
    return type(default).__name__


def unique_keys(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What lets no two rows of a table be equal: as the loss list calls it, and its columns."""
    if table.primary_key is not None:
        yield "the primary key", table.primary_key.columns
    for unique in table.uniques:
        yield f"unique {unique.name}" if unique.name else "a unique constraint", unique.columns
    for index in table.indexes:
        if index.unique:
            yield f"unique index {index.name}", tuple(key.column for key in index.keys if key.column is not None)


def keys_telling_case(table: Table) -> Iterator[Loss]:
    """The entries about unique keys over texts whose collation ignores case at the source, and does not here."""
    ignoring = {column.name for column in table.columns if column.ignore_case}
    for label, columns in unique_keys(table):
        for name in columns:
            if name in ignoring:
                detail = f"{label} lets in both 'a' and 'A', which are equal at the source"
                yield Loss(path_of(table), "key-case", detail, name)
