"""Oracle's DDL, in the syntax of 12.2 that later releases take too."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import cache, cached_property

from sqlglot import exp

from migrator.adapter import Adapter, load_adapter
from migrator.ddl import DDL, Script, reuse_losses
from migrator.errors import IdentifierTooLong, InvalidIdentifier, NamesCollide
from migrator.expressions import Untranslatable, parse
from migrator.expressions.carrier import Target
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import EXACT, Equality
from migrator.model.objects import (
    Check,
    Column,
    Default,
    Expression,
    ForeignKey,
    Identity,
    Index,
    IndexKey,
    Literal,
    NewUuid,
    Now,
    PrimaryKey,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)

from .defaults import constant, now
from .expressions import SEMANTICS, compared_columns
from .names import Named, SchemaNames, constraints_of, keys_of
from .types import DIALECT, FIXED_BYTES, LOBS, STRING_BYTES, neutral

NAME_BYTES = 128
"""The longest name."""
COMMENT_BYTES = 4000
"""The longest comment."""
KEY_BYTES = 6000
"""What the columns of an index may take together in a database with blocks of 8 KB (6398 bytes), rounded down."""

_MORE_RESERVED = frozenset(
    {
        *("access", "add", "audit", "column", "column_value", "file", "immediate"),
        *("increment", "initial", "maxextents", "mlslabel", "modify", "nested_table_id", "noaudit"),
        *("offline", "online", "privileges", "row", "rowid", "rownum", "rows"),
        *("session", "successful", "sysdate", "validate", "whenever"),
    }
)
"""Reserved words of the SQL reference that SQLAlchemy does not list."""

_INDEX_METHODS: Mapping[str, str] = {
    "btree": "",
    "hash": "becomes an ordinary index",
    "brin": "becomes an ordinary index, which is larger",
}
"""Index methods that become ordinary indexes, and what that changes; indexes of other methods are left out."""

_PLSQL = re.compile(
    r"\s*(BEGIN|DECLARE|CREATE\s+(OR\s+REPLACE\s+)?((NON)?EDITIONABLE\s+)?(TRIGGER|PROCEDURE|FUNCTION|PACKAGE|TYPE))\b", re.I
)
_INNER_END = re.compile(r";[ \t]*\n")


class OracleDDL(DDL):
    """Writes Oracle's DDL. A schema is a user; lower-case names are written unquoted, which Oracle folds to capitals."""

    def __init__(self, adapter: Adapter, catalog: Catalog, version: tuple[int, ...] | None = None) -> None:
        super().__init__(adapter, catalog, version)
        self._lobs_of = cache(self._find_lobs)
        self._key_lengths = cache(self._find_key_lengths)
        self.at_home = catalog.dialect == DIALECT
        """Whether the objects come from Oracle too."""

    # --- words ------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        """An identifier, quoted where it must be.

        :raises IdentifierTooLong: it has more than 128 bytes.
        :raises InvalidIdentifier: Oracle has no such name, quoted or not.
        """
        if len(name.encode()) > NAME_BYTES:
            raise IdentifierTooLong(name=name, database=self.adapter.title, limit=f"{NAME_BYTES} bytes")
        if not name or '"' in name or "\0" in name:
            detail = "a name has at least one character, none of which is a double quote or NUL"
            raise InvalidIdentifier(name=repr(name), database=self.adapter.title, detail=detail)
        return f'"{name}"' if name in _MORE_RESERVED else super().quote(name)

    def stored(self, name: str) -> str:
        """The name as the dictionary will have it: two names that are stored alike are one."""
        return name.upper() if self.quote(name) == name else name

    def stored_table(self, name: str) -> str:
        """A table's name, or its schema's, as the dictionary will have it."""
        return self.stored(name)

    def as_script(self, statement: str) -> str:
        """A statement as SQL*Plus and SQLcl take it: PL/SQL ends with a slash on a line of its own.

        So does a statement with a semicolon at the end of a line within a text, which they would take for its end.
        """
        if _PLSQL.match(statement):
            return f"{statement}\n/"
        if _INNER_END.search(statement):
            return f"SET SQLTERMINATOR OFF\n{statement}\n/\nSET SQLTERMINATOR ON"
        return f"{statement};"

    def script_head(self) -> tuple[str, ...]:
        """SQL*Plus must not ask for values where a text has an ``&``, nor end a statement at an empty line."""
        return "SET DEFINE OFF", "SET SQLBLANKLINES ON"

    def boolean(self, value: bool) -> str:
        """A truth value, as the NUMBER(1) columns hold it."""
        return "1" if value else "0"

    # --- expressions ------------------------------------------------------------------------------------------------

    @cached_property
    def _target(self) -> Target:
        return Target(SEMANTICS, self.title, self.literal, self.boolean)

    def columns_in(self, expression: Expression) -> frozenset[str]:
        """The names of columns in an expression, in small letters; none where sqlglot does not understand it."""
        tree = self._tree(expression)
        return frozenset(column.name.lower() for column in tree.find_all(exp.Column)) if tree else frozenset()

    def _compared_in(self, table: Table, check: Check) -> frozenset[str]:
        """The columns that a check compares, in small letters; none where it is left out, whatever types they have here."""
        columns = (replace(c, type=_shortened(c.type)) if _is_unlimited(c.type) else c for c in table.columns)
        try:
            self.expression(check.expression, replace(table, columns=tuple(columns)), condition=True, fixed=True, changes={})
        except Untranslatable:
            return frozenset()
        tree = self._tree(check.expression)
        return frozenset(column.name.lower() for column in compared_columns(tree)) if tree else frozenset()

    def _tree(self, expression: Expression) -> exp.Expr | None:
        try:
            return parse(expression.sql, load_adapter(expression.dialect).language)
        except Untranslatable:
            return None

    # --- names of constraints and indexes ---------------------------------------------------------------------------

    @cached_property
    def _names(self) -> SchemaNames:
        return SchemaNames(self.catalog, self.stored)

    def renamed(self, table: Table, part: Named, losses: list[Loss]) -> Named:
        """The constraint or index with a name that is free in the schema."""
        name = self._names.of(table, part)
        if name is None or name == part.name:
            return part
        detail = f"{part.name} is named {name} here, where such names are unique in the schema"
        losses.append(Loss(path_of(table), "oracle-name", detail))
        return replace(part, name=name)

    def refuse_collision(self, obj: Table | View | Sequence) -> None:
        """Refuse two objects, or two columns, whose names Oracle folds into one.

        :raises NamesCollide: there are such.
        """
        alike = self._names.alike(obj)
        if len(alike) > 1:
            first, second = (path_of(same) for same in alike[:2])
            raise NamesCollide(first=first, second=second, name=self.stored(obj.name), database=self.adapter.title)
        seen: dict[str, str] = {}
        for column in obj.columns if isinstance(obj, Table) else ():
            other = seen.setdefault(self.stored(column.name), column.name)
            if other != column.name:
                facts = {"first": f"{path_of(obj)}.{other}", "second": column.name, "name": self.stored(column.name)}
                raise NamesCollide(**facts, database=self.adapter.title)

    # --- types ------------------------------------------------------------------------------------------------------

    def _find_key_lengths(self, table: Table) -> dict[str, int]:
        """The bytes for columns of unlimited text or bytes that must not be LOBs, by name.

        Oracle compares no LOBs, so they are no keys, stand in no index and no comparison, and cannot be computed.
        """
        unlimited = {column.name.lower(): column for column in table.columns if _is_unlimited(column.type)}
        groups = [group & set(unlimited) for group in self._compared_together(table)] if unlimited else []
        groups += [{name} for name, column in unlimited.items() if column.generated is not None]
        lengths: dict[str, int] = {}
        for group in groups:
            for name in group:
                column = unlimited[name]
                longest = STRING_BYTES if isinstance(t.base_of(column.type), t.String) else FIXED_BYTES
                lengths[column.name] = min(lengths.get(column.name, longest), KEY_BYTES // len(group))
        return lengths

    def _compared_together(self, table: Table) -> Iterator[Set[str]]:
        """The columns of each key and index, and each column that a check compares, in small letters."""
        for constraint in (*constraints_of(table), *self.domain_checks(table, [])):
            if isinstance(constraint, Check):
                yield from ({name} for name in self._compared_in(table, constraint))
            else:
                yield {name.lower() for name in constraint.columns}
        for index in table.indexes:
            if index.method in _INDEX_METHODS:
                yield self._indexed(index)

    def _indexed(self, index: Index) -> frozenset[str]:
        """The columns of an index, those of its expressions included, in small letters."""
        names = {key.column.lower() for key in index.keys if key.column is not None}
        expressions = [key.expression for key in index.keys] + [index.where]
        return frozenset(names.union(*(self.columns_in(e) for e in expressions if e is not None)))

    def type_of(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column's type declaration, with INVISIBLE, which stands next to it."""
        length = self._key_lengths(table).get(column.name)
        if self.keeps_native(column):
            declared = column.native
        elif length is None:
            declared = super().type_of(table, column, losses)
        else:
            is_text = isinstance(t.base_of(column.type), t.String)
            declared = f"VARCHAR2({length} BYTE)" if is_text else f"RAW({length})"
            detail = f"{declared}, since a LOB cannot be compared; longer values do not fit"
            losses.append(Loss(path_of(table), "oracle-lob-key", detail, column.name))
        return f"{declared} INVISIBLE" if column.invisible else declared

    def keeps_native(self, column: Column) -> bool:
        """Whether the source's own declaration holds: it comes from Oracle, and means the type."""
        return self.at_home and bool(column.native) and neutral(column.native) == column.type

    def range_checks(self, table: Table) -> list[str]:
        """Checks that restore what a wider type would let in; none where the type is the source's own."""
        foreign = tuple(column for column in table.columns if not self.keeps_native(column))
        return super().range_checks(replace(table, columns=foreign))

    def is_lob(self, table: Table, name: str) -> bool:
        """Whether the column of that name is a LOB here."""
        return name.lower() in self._lobs_of(table)

    def _find_lobs(self, table: Table) -> frozenset[str]:
        types = {column.name.lower(): self.type_of(table, column, []) for column in table.columns}
        return frozenset(name for name, declared in types.items() if declared.startswith(LOBS))

    # --- defaults ---------------------------------------------------------------------------------------------------

    def default_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``DEFAULT …``, which stands before NOT NULL."""
        clause, value = super().default_clause(table, column, losses), self.carried_default(column)
        if clause and isinstance(value, NewUuid):
            detail = "SYS_GUID() gives values that are unique, but not random"
            losses.append(Loss(path_of(table), "oracle-guid", detail, column.name))
        return clause

    def uuid_version(self, value: NewUuid) -> int:
        """The version of the UUIDs: an entry of its own says what is made."""
        return value.version

    def default(self, value: Default, column: Column) -> str:
        """A default in Oracle's SQL, typed as the column: Oracle would read a text by the session's formats.

        :raises Untranslatable: it has no exact counterpart here.
        """
        type_ = t.base_of(column.type)
        match value:
            case Literal(kind=kind) if kind != "null":
                return constant(value, type_)
            case Now():
                return now(value, type_)
            case NewUuid():
                if isinstance(type_, t.Uuid):
                    return "SYS_GUID()"
                raise Untranslatable("SYS_GUID() gives bytes, no text")
        return super().default(value, column)

    def next_value(self, sequence: QName) -> str:
        """The next value of a sequence."""
        return f"{self.name_of(sequence)}.NEXTVAL"

    # --- schemas, sequences, tables ---------------------------------------------------------------------------------

    def create_schema(self, schema: Schema) -> Script:
        """A user that owns the objects and cannot log in: no password stands in a script.

        A locked account works on every release; NO AUTHENTICATION came with 18c. The grants are those that owning
        tables and materialized views takes, whatever the tablespaces are called.
        """
        name = self.quote(schema.name)
        return Script(
            (
                f"CREATE USER {name} IDENTIFIED EXTERNALLY ACCOUNT LOCK",
                f"GRANT CREATE TABLE, UNLIMITED TABLESPACE TO {name}",
            ),
            self.uncommented(schema),
        )

    def create_sequence(self, sequence: Sequence) -> Script:
        """A sequence that goes on where the source's stands."""
        self.refuse_collision(sequence)
        return super().create_sequence(sequence)

    def sequence_options(self, of: Sequence | Identity) -> str:
        """The options of a sequence or identity; its bounds where Oracle's own would not let it start."""
        start = of.start if of.next_value is None else of.next_value
        minimum, maximum = of.minimum, of.maximum
        if of.increment > 0 and minimum is None and min(start, of.start) < 1:
            minimum = min(start, of.start)
        if of.increment < 0 and maximum is None and max(start, of.start) > -1:
            maximum = max(start, of.start)
        return super().sequence_options(replace(of, start=start, minimum=minimum, maximum=maximum))

    def identity_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED BY DEFAULT AS IDENTITY``: rows are loaded with their values, which ALWAYS would not take."""
        assert column.identity is not None
        losses += reuse_losses(table, column)
        if column.identity.always:
            detail = "GENERATED BY DEFAULT, so that rows can be loaded: an INSERT may give its own value"
            losses.append(Loss(path_of(table), "identity-always", detail, column.name))
        return f"GENERATED BY DEFAULT AS IDENTITY ({self.sequence_options(column.identity)})"

    def generated_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED ALWAYS AS … VIRTUAL``; without a counterpart the column becomes an ordinary one, with a loss."""
        generated = column.generated
        assert generated is not None
        computed = {c.name.lower() for c in table.columns if c.generated is not None}
        if computed & self.columns_in(generated.expression):
            why = "a computed column may not use another one"
            detail = (
                f"the generated column becomes an ordinary one with the values of now: {generated.expression.sql}: {why}"
            )
            losses.append(Loss(path_of(table), "generated", detail, column.name))
            return ""
        clause = super().generated_clause(table, column, losses)
        if clause and generated.stored:
            losses.append(Loss(path_of(table), "generated-stored", "computed when read, not stored", column.name))
            return f"{clause.removesuffix('STORED')}VIRTUAL"
        return clause

    def create_table(self, table: Table) -> Script:
        """A table with its columns; constraints follow when it is loaded."""
        self.refuse_collision(table)
        if not table.columns:
            return self.not_carried(table, "oracle-no-columns", "Oracle has no tables without columns")
        script = super().create_table(table)
        losses = () if self.at_home else self._column_losses(table)
        return Script(script.statements, (*script.losses, *losses))

    def equality(self, table: Table, column: Column) -> Equality:
        """A CHAR, which takes one character only, is compared without blanks at its end."""
        type_ = t.base_of(column.type)
        fixed = isinstance(type_, t.String) and type_.fixed and type_.length == 1
        return Equality(blanks=column.equality.blanks) if fixed else EXACT

    def _column_losses(self, table: Table) -> Iterator[Loss]:
        path = path_of(table)
        texts = [c for c in table.columns if isinstance(t.base_of(c.type), t.String | t.SetOf) and c.generated is None]
        key = table.primary_key.columns if table.primary_key else ()
        for column in texts:
            if not column.nullable or column.name in key:
                yield Loss(path, "oracle-empty-string", "'' is NULL here, so a row that holds '' is refused", column.name)
        nullable = [c.name for c in texts if c.nullable and c.name not in key]
        if nullable:
            yield Loss(path, "oracle-empty-string", f"'' becomes NULL in {', '.join(nullable)}")
        for column in table.columns:
            if column.invisible:
                yield Loss(path, "invisible", "the invisible column is visible here", column.name)
            if column.on_update is not None:
                yield Loss(path, "on-update", "does not change by itself when its row is updated", column.name)

    # --- constraints ------------------------------------------------------------------------------------------------

    def _lob_among(self, table: Table, columns: Iterable[str]) -> str | None:
        return next((name for name in columns if self.is_lob(table, name)), None)

    def _left_out(self, table: Table, rule: str, what: str, why: str) -> Script:
        return Script((), (Loss(path_of(table), rule, f"{what} is left out: {why}"),))

    def primary_key_clause(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """``PRIMARY KEY (…)``."""
        return super().primary_key_clause(table, self.renamed(table, key, losses), losses)

    def primary_key(self, table: Table, key: PrimaryKey) -> Script:
        """A primary key, unless a column of it is a LOB."""
        if lob := self._lob_among(table, key.columns):
            return self._left_out(table, "primary-key", "the primary key", f"{lob} is a LOB")
        return super().primary_key(table, key)

    def unique_clause(self, table: Table, unique: Unique, losses: list[Loss]) -> str:
        """``UNIQUE (…)``."""
        unique = self.renamed(table, unique, losses)
        if unique.nulls_distinct:
            losses += self._partly_null(table, self.called("unique", unique.name), unique.columns)
        return super().unique_clause(table, unique, losses)

    def _partly_null(self, table: Table, what: str, columns: Collection[str]) -> list[Loss]:
        nullable = [c.name for c in table.columns if c.name in columns and c.nullable]
        if len(columns) < 2 or not nullable:
            return []
        detail = f"{what}: rows with NULL in {', '.join(nullable)} and else alike are duplicates here"
        return [Loss(path_of(table), "oracle-unique-null", detail)]

    def unique(self, table: Table, unique: Unique) -> Script:
        """A unique constraint, unless Oracle has one on these columns already or one of them is a LOB."""
        earlier = table.uniques[: table.uniques.index(unique)] if unique in table.uniques else ()
        keys = [other.columns for other in earlier] + ([table.primary_key.columns] if table.primary_key else [])
        if unique.columns in keys:
            return self._left_out(
                table, "oracle-same-key", self.called("unique", unique.name), "another key has these columns"
            )
        if lob := self._lob_among(table, unique.columns):
            return self._left_out(table, "unique", self.called("unique", unique.name), f"{lob} is a LOB")
        return super().unique(table, unique)

    def check_clause(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``CHECK (…)``, or nothing with a loss."""
        return super().check_clause(table, self.renamed(table, check, losses), losses)

    def check_state(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """What follows a check that does not hold for all rows."""
        return " DISABLE" if not check.enforced else "" if check.validated else " ENABLE NOVALIDATE"

    def foreign_key_clause(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``FOREIGN KEY (…) REFERENCES …``."""
        clause = super().foreign_key_clause(table, self.renamed(table, key, losses), losses)
        return clause + ("" if key.validated else " ENABLE NOVALIDATE")

    def actions(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``ON DELETE CASCADE`` or ``SET NULL``: what else there is in Oracle is not to be written, NO ACTION."""
        what = f"{self.called('foreign key', key.name)} on {', '.join(key.columns)}"
        if key.on_update not in {"NO ACTION", "RESTRICT"}:
            losses.append(Loss(path_of(table), "oracle-on-update", f"{what}: no ON UPDATE {key.on_update} here"))
        if key.on_delete == "SET DEFAULT":
            losses.append(Loss(path_of(table), "oracle-set-default", f"{what}: no ON DELETE SET DEFAULT here"))
        if key.on_delete == "SET NULL" and key.set_columns and set(key.set_columns) != set(key.columns):
            detail = f"{what}: ON DELETE sets all its columns to NULL, not only {', '.join(key.set_columns)}"
            losses.append(Loss(path_of(table), "oracle-set-columns", detail))
        return f" ON DELETE {key.on_delete}" if key.on_delete in {"CASCADE", "SET NULL"} else ""

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key, which needs a primary key or unique constraint to refer to, and no LOBs."""
        what = f"{self.called('foreign key', key.name)} on {', '.join(key.columns)}"
        if lob := self._lob_among(table, key.columns):
            return self._left_out(table, "foreign-key", what, f"{lob} is a LOB")
        referred = self.catalog.table(key.referred)
        if referred is not None and key.referred_columns and frozenset(key.referred_columns) not in _referable(referred):
            columns = ", ".join(key.referred_columns)
            return self._left_out(table, "foreign-key", what, f"{columns} of {key.referred} is no key")
        script = super().foreign_key(table, key)
        if key.referred.schema == table.schema or not script.statements:
            return script
        grant = f"GRANT REFERENCES ON {self.name_of(key.referred)} TO {self.quote(table.schema)}"
        return Script((grant, *script.statements), script.losses)

    # --- indexes ----------------------------------------------------------------------------------------------------

    @cached_property
    def _referred(self) -> frozenset[tuple[QName, frozenset[str]]]:
        keys = [key for table in self.catalog.of(Table) for key in table.foreign_keys]
        return frozenset((key.referred, frozenset(key.referred_columns)) for key in keys)

    def index(self, table: Table, index: Index) -> Script:
        """An index; as a unique constraint where a foreign key refers to it, since Oracle wants one there."""
        what = f"index {index.name}"
        if index.method not in _INDEX_METHODS:
            return self._left_out(table, "index", what, f"Oracle has no ordinary index of the kind {index.method}")
        if self._is_doubled(table, index):
            return self._left_out(table, "oracle-same-index", what, "these columns are indexed already")
        if lob := self._lob_among(table, sorted(self._indexed(index))):
            return self._left_out(table, "index", what, f"{lob} is a LOB")
        losses = self._index_losses(table, index)
        columns = _plain_columns(index)
        if index.unique and columns and (table.qname, frozenset(columns)) in self._referred:
            name = self.renamed(table, index, losses).name
            clause = self.unique_clause(table, Unique(name, columns), losses)
            return Script((self.add(table, clause),), tuple(losses))
        try:
            keys = self._index_keys(table, index, losses)
        except Untranslatable as why:
            return self._left_out(table, "index", what, str(why))
        unique = "UNIQUE " if index.unique else ""
        name = self.qualified(table.schema, self.renamed(table, index, losses).name)
        return Script((f"CREATE {unique}INDEX {name} ON {self.name_of(table)} ({', '.join(keys)})",), tuple(losses))

    def _is_doubled(self, table: Table, index: Index) -> bool:
        """Whether Oracle would refuse a second index on the same columns."""
        columns = _plain_columns(index)
        earlier = table.indexes[: table.indexes.index(index)] if index in table.indexes else ()
        keys = [constraint.columns for constraint in keys_of(table)] + [_plain_columns(other) for other in earlier]
        return bool(columns) and columns in keys

    def _index_losses(self, table: Table, index: Index) -> list[Loss]:
        path, what = path_of(table), f"index {index.name}"
        losses = []
        if change := _INDEX_METHODS[index.method]:
            losses.append(Loss(path, "index-method", f"{what} ({index.method}) {change}"))
        if index.include:
            losses.append(Loss(path, "index-include", f"{what} does not hold {', '.join(index.include)} here"))
        if index.where is not None and not index.unique:
            losses.append(Loss(path, "index-partial", f"{what} covers all rows, not only those with {index.where.sql}"))
        if index.unique and index.nulls_distinct:
            losses += self._partly_null(table, what, _plain_columns(index))
        if index.unique and not index.nulls_distinct:
            losses.append(Loss(path, "nulls-not-distinct", f"{what} lets several NULLs in here"))
        if index.comment:
            losses.append(Loss(path, "comment", f"the comment of {what} is left out"))
        return losses

    def _index_keys(self, table: Table, index: Index, losses: list[Loss]) -> list[str]:
        """The keys. A unique partial index indexes expressions that are NULL, and so not indexed, for the other rows."""
        keys = [self.index_key(table, index, key, losses) for key in index.keys]
        if index.where is None or not index.unique:
            return keys
        condition = self.in_index(table, index, index.where, losses, condition=True)
        return [f"CASE WHEN {condition} THEN {key.removesuffix(' DESC')} END" for key in keys]

    def index_key(self, table: Table, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """One key of an index; the first characters of a column where a unique index compares only them.

        :raises Untranslatable: an expression without a counterpart.
        """
        descending = " DESC" if key.descending else ""
        if key.expression is not None:
            sql = self.in_index(table, index, key.expression, losses)
            losses += self.index_key_losses(table, index, key)
            return f"{sql}{descending}"
        if key.length is not None and index.unique:
            return f"SUBSTR({self.quote(key.column or '')}, 1, {key.length}){descending}"
        return super().index_key(table, index, key, losses)

    # --- views and comments -----------------------------------------------------------------------------------------

    def create_view(self, view: View) -> Script:
        """A view, a materialized one with its indexes."""
        self.refuse_collision(view)
        try:
            query = self.query(view)
        except Untranslatable as why:
            return self.not_carried(view, "view", f"{why}")
        changes = (*query.changes, *self.moment_changes(view.definition))
        losses = [Loss(path_of(view), rule, detail) for rule, detail in changes]
        columns = f" ({self.columns(query.names)})" if query.names else ""
        grants = [
            f"GRANT SELECT ON {self.name_of(name)} TO {self.quote(view.schema)} WITH GRANT OPTION"
            for name in view.depends_on
            if name.schema != view.schema
        ]
        kind, build, check = "VIEW", "", ""
        if view.materialized:
            kind, build = "MATERIALIZED VIEW", f" BUILD {'IMMEDIATE' if view.populated else 'DEFERRED'} REFRESH ON DEMAND"
            losses += [
                Loss(path_of(view), "index", f"index {index.name} is left out: it is on a materialized view")
                for index in view.indexes
            ]
        elif view.check_option:
            check = " WITH CHECK OPTION"
        losses += self.view_option_losses(view)
        sql = f"CREATE {kind} {self.name_of(view)}{columns}{build} AS {query.sql.rstrip().rstrip(';')}{check}"
        return Script((*grants, sql), tuple(losses))

    def comments(self, obj: Table | View) -> Script:
        """Comments of up to 4000 bytes."""
        losses: list[Loss] = []
        if isinstance(obj, Table) and not obj.columns:
            return Script()
        if isinstance(obj, View) and isinstance(self._carried[QName(obj.schema, obj.name)], Untranslatable):
            return Script()
        if _is_long(obj.comment):
            losses.append(Loss(path_of(obj), "oracle-comment", "its comment of more than 4000 bytes is left out"))
            obj = replace(obj, comment=None)
        if isinstance(obj, Table):
            for column in (c for c in obj.columns if _is_long(c.comment)):
                detail = "its comment of more than 4000 bytes is left out"
                losses.append(Loss(path_of(obj), "oracle-comment", detail, column.name))
            obj = replace(obj, columns=tuple(replace(c, comment=None) if _is_long(c.comment) else c for c in obj.columns))
        return Script(super().comments(obj).statements, tuple(losses))

    def drop_table(self, table: QName) -> Script:
        """Drop a table for good, with the foreign keys that refer to it."""
        return Script((f"DROP TABLE {self.name_of(table)} CASCADE CONSTRAINTS PURGE",))


def _plain_columns(index: Index) -> tuple[str, ...]:
    """The columns of an index that has nothing but whole columns in ascending order, else none."""
    plain = index.where is None and all(k.column and not k.descending and k.length is None for k in index.keys)
    return tuple(key.column or "" for key in index.keys) if plain else ()


def _referable(table: Table) -> set[frozenset[str]]:
    """The sets of columns that a foreign key can refer to; unique indexes become constraints for that."""
    return {frozenset(key.columns) for key in keys_of(table)} | {
        frozenset(columns) for index in table.indexes if index.unique and (columns := _plain_columns(index))
    }


def _is_unlimited(type_: t.Type) -> bool:
    base = t.base_of(type_)
    limit = STRING_BYTES if isinstance(base, t.String) else FIXED_BYTES
    return isinstance(base, t.String | t.Binary) and not base.lob and (base.length is None or base.length > limit)


def _shortened(type_: t.Type) -> t.Type:
    """A type of the shortest values that are no LOBs."""
    return t.String(1) if isinstance(t.base_of(type_), t.String) else t.Binary(1)


def _is_long(comment: str | None) -> bool:
    return comment is not None and len(comment.encode()) > COMMENT_BYTES
