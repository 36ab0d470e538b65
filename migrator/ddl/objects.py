"""Schemas, types, sequences, tables, views and programs in a database's SQL: all that a plan makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrator.ddl.columns import bounded
from migrator.ddl.constraints import Constraints
from migrator.ddl.keys import expressions_of
from migrator.ddl.script import Elsewhere, Script
from migrator.errors import (
    ColumnsCollide,
    IdentifierTooLong,
    InvalidIdentifier,
    MigratorError,
    NamesCollide,
    UnsupportedType,
)
from migrator.expressions import Untranslatable
from migrator.expressions.queries import Carried
from migrator.model.catalog import Loss, path_of
from migrator.model.objects import (
    Column,
    DomainType,
    EnumType,
    ForeignKey,
    Object,
    Partitioning,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    View,
)


class DDL(Constraints):
    """Standard SQL; each adapter overrides what its database writes otherwise."""

    update, insert_into = "UPDATE", "INSERT INTO"
    """How statements begin that change rows, or add some, and drop no other row for that."""

    taking_identities = ""
    """What INSERT says so that a column GENERATED ALWAYS takes the rows' own numbers."""

    staging_schema: str | None = None
    """The schema that temporary tables are in; None: that of the table they stand in for."""

    def refusals(self) -> Iterator[MigratorError]:
        """All tables and columns that have no name or type here, and all that share one name here."""
        yield from self._collisions()
        for table in self.catalog.of(Table):
            seen: dict[str, str] = {}
            try:
                self.quote(table.name)
            except (IdentifierTooLong, InvalidIdentifier) as refusal:
                yield refusal
            for column in table.columns:
                yield from self._refusals_of(table, column, seen)

    def _collisions(self) -> Iterator[MigratorError]:
        """The schemas, the tables, and the views that are carried, whose names are one here."""
        if not self.ignores_table_case:
            return
        made = {name for name, query in self._carried.items() if isinstance(query, Carried)}
        seen: dict[QName, Table | View] = {}
        schemas: dict[str, Schema] = {}
        for schema in self.catalog.of(Schema):
            other = schemas.setdefault(schema.name.lower(), schema)
            if other.name != schema.name:
                name = schema.name.lower()
                yield NamesCollide(first=path_of(other), second=path_of(schema), name=name, database=self.title)
        for obj in self.catalog.objects:
            if isinstance(obj, Table) or (isinstance(obj, View) and QName(obj.schema, obj.name) in made):
                first = seen.setdefault(QName(obj.schema.lower(), obj.name.lower()), obj)
                if first is not obj:
                    yield NamesCollide(first=path_of(first), second=path_of(obj), name=obj.name.lower(), database=self.title)

    def _refusals_of(self, table: Table, column: Column, seen: dict[str, str]) -> Iterator[MigratorError]:
        try:
            name = self.stored(column.name)
            self.quote(column.name)
            self.declaration(table, column)
        except (IdentifierTooLong, InvalidIdentifier) as refusal:
            yield type(refusal)(**{**refusal.facts, "name": f"{path_of(table)}.{column.name}"})
            return
        except UnsupportedType as refusal:
            yield refusal
            return
        other = seen.setdefault(name, column.name)
        if other != column.name:
            first, second = (f"{path_of(table)}.{of}" for of in (other, column.name))
            yield ColumnsCollide(first=first, second=second, name=name, database=self.title)

    # --- what stands by itself --------------------------------------------------------------------------------------

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
        loss = Loss(path_of(enum), "enum", "columns declare the labels themselves")
        return Script((), (loss, *self.uncommented(enum)), Elsewhere.CHANGED)

    def create_domain(self, domain: DomainType) -> Script:
        """A domain; where there are none, columns take its base type and checks."""
        loss = Loss(path_of(domain), "domain", "columns take the domain's base type, default, NOT NULL and checks")
        return Script((), (loss, *self.uncommented(domain)), Elsewhere.CHANGED)

    def unvalidated_checks(self, domain: DomainType) -> Script:
        """The checks of a domain that values which are there need not meet; made when those are there."""
        return Script()

    def create_sequence(self, sequence: Sequence) -> Script:
        """A sequence; one of few bits ends where those end."""
        options = self.sequence_options(bounded(sequence))
        return Script((f"CREATE SEQUENCE {self.name_of(sequence)} {options}",), self.uncommented(sequence))

    def position(self, obj: Table | Sequence) -> Script:
        """Let identities and sequences go on where the source stood; nothing for a table without an identity."""
        return Script()

    # --- tables -----------------------------------------------------------------------------------------------------

    def create_table(self, table: Table) -> Script:
        """A table with its columns and those constraints that must stand inside it."""
        losses: list[Loss] = []
        table = self.with_domain_rules(table, losses)
        items = [self.column(table, column, losses) for column in table.columns]
        items += self.range_checks(table)
        items += [sql for check in self.domain_checks(table, losses) if (sql := self.check_clause(table, check, losses))]
        items += self.inline_constraints(table, losses)
        losses += [*self._unsaid(table), *self._null_losses(table), *self._equality_losses(table)]
        losses += self._padding_losses(table)
        body = "(\n    " + ",\n    ".join(items) + "\n)" if items else "()"
        sql = f"CREATE TABLE {self.name_of(table)} {body}{self.table_options(table, losses)}"
        return Script((sql,), tuple(losses))

    def table_options(self, table: Table, losses: list[Loss]) -> str:
        """What follows the closing parenthesis."""
        if table.partitioning is not None:
            clause = "; ".join((table.partitioning.clause, *_bounds(table.partitioning)))
            detail = f"becomes one table, without the bounds of its partitions; at the source: PARTITION BY {clause}"
            losses.append(Loss(path_of(table), "partitioning", detail))
            losses += _own_rules(table, table.partitioning)
        if table.parents:
            parents = ", ".join(map(str, table.parents))
            detail = f"no longer inherits from {parents}: its rows are not among theirs"
            losses.append(Loss(path_of(table), "inheritance", detail))
        return ""

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

    def drop_table(self, table: QName) -> Script:
        """Drop a table for TABLE_EXISTS_ACTION=REPLACE."""
        return Script((f"DROP TABLE {self.name_of(table)}",))

    def truncate(self, *tables: Table, among: Iterable[Table] = ()) -> Script:
        """Empty tables for TABLE_EXISTS_ACTION=TRUNCATE, all at once so that foreign keys among them do not matter.

        Nor do those of ``among`` where DDL cannot be rolled back, so that tables are emptied one by one.
        """
        return Script(tuple(f"TRUNCATE TABLE {self.name_of(table)}" for table in tables))

    # --- views and programs -----------------------------------------------------------------------------------------

    def create_view(self, view: View) -> Script:
        """A view."""
        try:
            query = self.query(view)
        except Untranslatable as why:
            return self.not_carried(view, "view", f"{why}")
        losses = [Loss(path_of(view), rule, detail) for rule, detail in query.changes]
        losses += (Loss(path_of(view), rule, detail) for rule, detail in self.moment_changes(view.definition))
        if view.materialized:
            indexes = f", without the indexes {', '.join(i.name for i in view.indexes)}" if view.indexes else ""
            losses.append(Loss(path_of(view), "materialized-view", f"becomes an ordinary view{indexes}"))
        losses += self.view_option_losses(view)
        columns = f" ({self.columns(query.names)})" if query.names else ""
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

    # --- temporary tables -------------------------------------------------------------------------------------------

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
            exclusions=(),
            indexes=tuple(index for index in table.indexes if not any(map(self.untried, expressions_of(index)))),
            partitioning=None,
            parents=(),
            comment=None,
        )

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
        kind = "TABLE" if self.staging_schema else "TEMPORARY TABLE"  # a schema of their own tells them from others, too
        return f"DROP {kind} IF EXISTS {self.name_of(table)}"

    def truncate_temporary(self, table: QName) -> str:
        """The statement that empties a temporary table, and frees the place that its rows took."""
        return f"DELETE FROM {self.name_of(table)}"

    def staging_for(self, table: QName, purpose: str = "") -> QName:
        """The name of the temporary table that rows for ``table`` wait in; each connection has its own, one a purpose."""
        return QName(self.staging_schema or table.schema, f"MIGRATOR_STAGING{purpose}")

    def create_staging(self, staging: QName, columns: Iterable[Column]) -> str:
        """The statement that makes a temporary table for rows of ``columns``: no key, no default, all nullable."""
        plain = (
            replace(column, nullable=True, default=None, identity=None, generated=None, comment=None, on_update=None)
            for column in columns
        )
        return self.create_temporary(Table(staging.schema, staging.name, tuple(plain)))

    def create_alike(self, staging: QName, table: QName, columns: Iterable[Column]) -> str:
        """The statement that makes a temporary table with ``columns`` of a table that is there, which compare as they do."""
        names = self.columns(column.name for column in columns)
        return f"CREATE TEMPORARY TABLE {self.name_of(staging)} AS SELECT {names} FROM {self.name_of(table)} WHERE 1 = 0"

    def insert_from(
        self, table: QName, columns: Iterable[Column], staging: QName, where: str | None, insert_into: str
    ) -> str:
        """The statement that moves the rows of ``staging``, or those of them that meet ``where``, into ``table``.

        ``insert_into``: how it begins.
        """
        names = self.columns(column.name for column in columns)
        listed = f" ({names}){self.taking_identities}" if names else ""
        condition = f" WHERE ({where}\n)" if where else ""
        source = f"{self.name_of(staging)} {self.quote(table.name)}"
        return f"{insert_into} {self.name_of(table)}{listed} SELECT {names} FROM {source}{condition}"

    def update_from(self, table: Table, columns: Iterable[Column], key: Iterable[str], staging: QName) -> str:
        """The statement that gives ``table`` the values of ``columns`` that ``staging`` has for the same key."""
        sets = ", ".join(f"{self.quote(column.name)} = s.{self.quote(column.name)}" for column in columns)
        own, there = self.own_rows_of(table), self.name_of(staging)
        return f"{self.update} {own} AS t SET {sets} FROM {there} AS s WHERE {self._same(key)}"

    def own_rows_of(self, table: Table) -> str:
        """What a statement names that is about a table's rows and not those of tables that inherit from it."""
        return self.name_of(table.qname)

    def delete_by(self, table: Table, key: Iterable[str], staging: QName) -> str:
        """The statement that takes the rows out of ``table`` whose keys ``staging`` has."""
        there = f"SELECT 1 FROM {self.name_of(staging)} AS s WHERE {self._same(key)}"
        return f"DELETE FROM {self.own_rows_of(table)} AS t WHERE EXISTS ({there})"

    def drop_referred(self, table: Table, key: Iterable[str], staging: QName, by: QName, foreign_key: ForeignKey) -> str:
        """The statement that takes the keys of rows out of ``staging`` which rows of ``by`` refer to by ``foreign_key``."""
        referring = (
            f"SELECT 1 FROM {self.name_of(table.qname)} AS t JOIN {self.name_of(by)} AS r ON {self._refers(foreign_key)}"
        )
        return f"DELETE FROM {self.name_of(staging)} AS s WHERE EXISTS ({referring} WHERE {self._same(key)})"

    def replace_from(
        self, table: Table, columns: Iterable[Column], key: Iterable[str], staged: tuple[QName, QName], rows: int
    ) -> tuple[str, ...]:
        """The statements that delete the rows of ``table`` whose keys the first of two temporary tables has, ``rows`` of
        them, and insert the rows of both.

        If it is one statement, it inserts nothing where it deletes another number of rows.
        """
        return self.delete_by(table, key, staged[0]), self._insert_of_both(table, columns, staged)

    def _insert_of_both(self, table: Table, columns: Iterable[Column], staged: tuple[QName, QName]) -> str:
        names = self.columns(column.name for column in columns)
        rows = " UNION ALL ".join(f"SELECT {names} FROM {self.name_of(one)}" for one in staged)
        into = f"{self.insert_into} {self.name_of(table.qname)} ({names}){self.taking_identities}"
        return f"{into} SELECT {names} FROM ({rows}) AS s"

    def _refers(self, key: ForeignKey) -> str:
        """That a row ``r`` refers to a row ``t``, whose collation is on the left: SQLite compares by that one."""
        pairs = zip(key.columns, key.referred_columns, strict=True)
        return " AND ".join(f"t.{self.quote(there)} = r.{self.quote(here)}" for here, there in pairs)

    def _same(self, key: Iterable[str]) -> str:
        """That a row ``t`` and a row ``s`` have one key."""
        return " AND ".join(f"t.{self.quote(name)} = s.{self.quote(name)}" for name in key)


def _own_rules(table: Table, partitioning: Partitioning) -> Iterator[Loss]:
    """What partitions have that their table has not, or otherwise."""
    for part in partitioning.partitions:
        if part.own:
            detail = f"what only partition {part.name} says is left out: {'; '.join(part.own)}"
            yield Loss(path_of(table), "partition-only", detail)
        if part.partitioning is not None:
            yield from _own_rules(table, part.partitioning)


def _bounds(partitioning: Partitioning) -> Iterator[str]:
    """The partitions that the clause itself does not name, with their bounds."""
    for part in partitioning.partitions:
        if part.name not in partitioning.clause:
            below = part.partitioning
            yield f"{part.name} {part.bounds}" + (f" PARTITION BY {below.clause}" if below is not None else "")
            yield from _bounds(below) if below is not None else ()
