"""SQLite's DDL: all constraints stand in CREATE TABLE, one schema, no comments, sequences only as AUTOINCREMENT."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import cached_property

from migrator.ddl import DDL, Elsewhere, Script, called, generator_losses
from migrator.expressions import Untranslatable
from migrator.model import types as t
from migrator.model.catalog import Loss, path_of
from migrator.model.equality import EXACT, Equality, nearest
from migrator.model.objects import (
    Check,
    Column,
    Default,
    Expression,
    ForeignKey,
    Index,
    IndexKey,
    Literal,
    NewUuid,
    NextValue,
    Now,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)

from . import clock, on_update
from .constants import constant
from .declaration import VIRTUAL_TABLE, tokens
from .names import ROWIDS, quote, rowid_of
from .types import DIALECT, EQUALITIES, as_declared

_NO_ROWID = "BIGINT"
"""A type of whole numbers, as INTEGER is, whose key is not the rowid."""

_NEW_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||"
    " substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
"""A random UUID of version 4 (RFC 9562)."""


class SQLiteDDL(DDL):
    """Writes SQLite's DDL."""

    update, insert_into = "UPDATE OR ABORT", "INSERT OR ABORT INTO"
    """OR ABORT counts for more than ON CONFLICT of a constraint."""

    staging_schema = "temp"
    unless_there = "it must be there, or SQLite refuses every row where foreign keys are checked"

    # --- words ------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        """An identifier in double quotes."""
        return quote(name)

    def qualified(self, schema: str, name: str) -> str:
        """A name without its schema: foreign keys, indexes and views take none."""
        return self.quote(name)

    def boolean(self, value: bool) -> str:
        """A truth value as it is stored."""
        return "1" if value else "0"

    def described(self, table: Table) -> bool:
        """Whether SQLite itself has described the table, so that its columns' own declarations are known.

        They may all be empty; then it shows by the size, which only a table that is there has.
        """
        return self.catalog.dialect == DIALECT and (any(c.native for c in table.columns) or table.bytes is not None)

    def trial(self, table: Table) -> tuple[str, ...]:
        """A temporary table; SQLite looks for functions when it compiles a statement that calls them."""
        return (*super().trial(table), f"EXPLAIN INSERT INTO {self.name_of(table)} DEFAULT VALUES")

    def create_alike(self, staging: QName, table: QName, columns: Iterable[Column]) -> str:
        """CREATE TABLE AS would keep no collation."""
        return self.create_staging(staging, columns)

    def delete_by(self, table: Table, key: Iterable[str], staging: QName) -> str:
        """By IN, for which SQLite makes an index; it would read all of ``staging`` for each row else."""
        names = self.columns(key)
        return f"DELETE FROM {self.name_of(table.qname)} WHERE ({names}) IN (SELECT {names} FROM {self.name_of(staging)})"

    def drop_referred(self, table: Table, key: Iterable[str], staging: QName, by: QName, foreign_key: ForeignKey) -> str:
        """By IN, likewise."""
        names = list(key)
        of_table = ", ".join(f"t.{self.quote(name)}" for name in names)
        referred = f"{self.name_of(table.qname)} AS t JOIN {self.name_of(by)} AS r ON {self._refers(foreign_key)}"
        found = f"SELECT {of_table} FROM {referred}"
        return f"DELETE FROM {self.name_of(staging)} WHERE ({self.columns(names)}) IN ({found})"

    # --- columns ----------------------------------------------------------------------------------------------------

    def column(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column of CREATE TABLE; an identity column is the rowid, and carries the primary key itself."""
        if column.invisible:
            losses.append(Loss(path_of(table), "invisible", "becomes visible: SELECT * shows it", column.name))
        if self.is_rowid(table, column):
            return f"{self.quote(column.name)} {self.rowid_clause(table, column, losses)}"
        sql = super().column(table, column, losses)
        if table.primary_key is not None and self._keyed_apart(table, column):
            sql += f" {self.named(table.primary_key.name)}PRIMARY KEY DESC"
        if column.collation and self.described(table):
            sql += f" COLLATE {column.collation}"
        elif column.equality and isinstance(t.base_of(column.type), t.COLLATED):
            sql += f" COLLATE {nearest(column.equality, EQUALITIES)}"
        return sql

    def equality(self, table: Table, column: Column) -> Equality:
        """What the collation that it gets holds for equal."""
        compared = isinstance(t.base_of(column.type), t.COLLATED)
        return EQUALITIES[nearest(column.equality, EQUALITIES)] if compared else EXACT

    def told_by_type(self, column: Column) -> Equality:
        """That blanks count at the end of what has a fixed length elsewhere."""
        type_ = t.base_of(column.type)
        fixed = isinstance(type_, t.String) and type_.fixed and bool(type_.length) and not self.is_own(column)
        return Equality(blanks=fixed)

    def type_of(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column's declaration: the source's own words where the source is SQLite too, so that affinities stay."""
        if self.described(table) and column.carried is None:
            return as_declared(column.native)
        declared = super().type_of(table, column, losses)
        return _NO_ROWID if self._is_lone_integer(table, column, declared) else declared

    def generator(self, table: Table) -> Column | None:
        """The column whose values the table's rowid makes: the single column of its key, if it is generated."""
        key = table.primary_key
        if key is None or len(key.columns) != 1:
            return None
        column = table.column(key.columns[0])
        return column if column.identity is not None or self._serial(column) else None

    def _is_lone_integer(self, table: Table, column: Column, declared: str) -> bool:
        """Whether SQLite would take a column for another name of the rowid, and count by it, though nothing generates it."""
        key = table.primary_key
        lone = key is not None and key.columns == (column.name,) and ("WITHOUT ROWID", "") not in table.options
        return lone and declared.upper() == "INTEGER" and self.generator(table) is None

    def _keyed_apart(self, table: Table, column: Column) -> bool:
        """Whether SQLite itself has a key of INTEGER that is no rowid: only the word DESC beside the column says so."""
        at_home = self.described(table) and column.carried is None
        return at_home and self._is_lone_integer(table, column, column.native)

    def _serial(self, column: Column) -> bool:
        return isinstance(column.default, NextValue) and isinstance(t.base_of(column.type), t.Integer)

    def is_rowid(self, table: Table, column: Column) -> bool:
        """Whether a column is declared INTEGER PRIMARY KEY."""
        return column == self.generator(table)

    def counts_up(self, table: Table) -> bool:
        """Whether a table never gives an id twice (AUTOINCREMENT); what other databases' generators promise."""
        column = self.generator(table)
        return column is not None and not (column.identity is not None and column.identity.reuses)

    def rowid_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``INTEGER PRIMARY KEY``; generators that count otherwise than up by one are a loss."""
        assert table.primary_key is not None
        feeding = self._sequence(column)
        counter = column.identity or feeding
        if counter is not None and (counter.increment != 1 or counter.cycle):
            detail = f"counts up by one (at the source: increment {counter.increment}{', cycling' * counter.cycle})"
            losses.append(Loss(path_of(table), "identity", detail, column.name))
        if counter is not None:
            losses += generator_losses(table, column, counter)
        increment = " AUTOINCREMENT" if self.counts_up(table) else ""
        return f"INTEGER {self.named(table.primary_key.name)}PRIMARY KEY{increment} NOT NULL"

    def identity_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """Nothing: only the primary key can be generated."""
        detail = "is no longer generated: only a primary key of one column is in SQLite"
        losses.append(Loss(path_of(table), "identity", detail, column.name))
        return ""

    def default(self, value: Default, column: Column) -> str:
        """A default; expressions stand in parentheses."""
        type_ = t.base_of(column.type)
        match value:
            case Expression():
                return f"({self.expression(value, into=column)})"
            case NewUuid():
                return f"({_NEW_UUID})"
            case Literal(kind=kind) if kind != "null" and not self.is_own(column):
                return constant(value, type_, self.rule("", column).declare(type_))
            case Literal(kind="bit", value=digits):
                return self.literal(digits)
            case Now():
                own = self.is_own(column) and value.precision is not None
                return clock.now(value, type_, (value.precision or 0) if own else _digits(value, type_))
            case _:
                return super().default(value, column)

    def next_value(self, sequence: QName) -> str:
        """Only a primary key can count."""
        raise Untranslatable("there are no sequences in SQLite")

    def default_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``DEFAULT …``; MySQL's ON UPDATE is a loss."""
        if column.on_update is not None:
            losses.append(self.on_update_loss(table, column))
        return super().default_clause(table, column, losses)

    def clock_losses(self, table: Table, column: Column, value: Now) -> Iterator[Loss]:
        """What becomes of the digits of the current time, of which there are three."""
        if _is_cut(value, t.base_of(column.type)):
            yield Loss(path_of(table), "default", "the current time has three digits after the second", column.name)
        else:
            yield from super().clock_losses(table, column, value)

    # --- tables -----------------------------------------------------------------------------------------------------

    def create_schema(self, schema: Schema) -> Script:
        """Nothing: a file has one schema."""
        return Script((), self.uncommented(schema))

    def create_sequence(self, sequence: Sequence) -> Script:
        """Nothing; a sequence that feeds a primary key becomes that key's AUTOINCREMENT."""
        name = QName(sequence.schema, sequence.name)
        fed = [table for table in self.catalog.of(Table) if name in self._feeding(table)]
        if fed:
            detail = f"is no object of its own here: the key of {fed[0].name} counts by itself"
            losses = (Loss(path_of(sequence), "sequence-identity", detail), *self.uncommented(sequence))
            return Script((), losses, Elsewhere.CHANGED)
        return self.not_carried(sequence, "sequence", "there are no sequences in SQLite")

    def _feeding(self, table: Table) -> Iterable[QName]:
        column = self.generator(table)
        if column is not None and isinstance(column.default, NextValue):
            yield column.default.sequence

    def create_table(self, table: Table) -> Script:
        """A table with all its constraints; comments are a loss."""
        made = super().create_table(table)
        commented = [f"column {column.name}" for column in table.columns if column.comment]
        commented[:0] = ["the table"] if table.comment else []
        if not commented:
            return made
        loss = Loss(path_of(table), "comment", f"the comments of {', '.join(commented)} are left out: SQLite keeps none")
        return replace(made, losses=(*made.losses, loss))

    def key_columns(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """The columns of a key, with its own collations from SQLite to SQLite."""
        if not key.collations or not self.described(table):
            return super().key_columns(table, key, losses)
        parts = zip(map(self.quote, key.columns), key.collations, strict=True)
        return ", ".join(f"{column} COLLATE {collation}" if collation else column for column, collation in parts)

    def inline_constraints(self, table: Table, losses: list[Loss]) -> list[str]:
        """All constraints; the key of a generated column stands at the column."""
        items = super().inline_constraints(table, losses)
        if self.generator(table) is not None or any(self._keyed_apart(table, column) for column in table.columns):
            del items[0]
        return items

    def table_options(self, table: Table, losses: list[Loss]) -> str:
        """``WITHOUT ROWID`` and ``STRICT`` from SQLite to SQLite."""
        clause = super().table_options(table, losses)
        if not self.described(table):
            return clause
        kept = [name for name, _ in table.options if name in {"WITHOUT ROWID", "STRICT"}]
        return f"{clause} {', '.join(kept)}" if kept else clause

    def check_clause(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``CHECK (…)``; one that the source's rows may break is left out: it would be checked at once."""
        if check.validated:
            return super().check_clause(table, check, losses)
        what = f"{self.called('check', check.name)} ({check.expression.sql})"
        detail = f"{what} is left out: rows may break it, and it cannot be off"
        losses.append(Loss(path_of(table), "check", detail, rows=check.broken))
        return ""

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key, which stands in CREATE TABLE and is never checked for rows that are there."""
        made = super().foreign_key(table, key)
        if key.validated or self.described(table) or made.is_left_out:
            return made
        return replace(made, losses=(self.not_validated(table, key),), elsewhere=Elsewhere.CHANGED)

    def deferral(self, table: Table, of: PrimaryKey | Unique | ForeignKey, losses: list[Loss]) -> str:
        """``DEFERRABLE …`` for foreign keys; keys are checked at once."""
        if isinstance(of, ForeignKey):
            return super().deferral(table, of, losses)
        if of.deferrable:
            losses.append(Loss(path_of(table), "deferrable", f"key {called(of)} is checked at once, not at commit"))
        return ""

    # --- indexes ----------------------------------------------------------------------------------------------------

    def index_key(self, table: Table, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """One key of an index, with its own collation from SQLite to SQLite."""
        own = key.collation if self.described(table) else None
        plain = replace(key, descending=False, collation=None if own else key.collation)
        bare = super().index_key(table, index, plain, losses)
        return bare + (f" COLLATE {own}" if own else "") + (" DESC" if key.descending else "")

    def index(self, table: Table, index: Index) -> Script:
        """An index on a loaded table."""
        if index.method not in {"btree", "hash"}:
            why = f"index {index.name} is left out: SQLite has no {index.method} indexes"
            return Script((), (Loss(path_of(table), "index-method", why),))
        made = super().index(table, index)
        losses = list(made.losses)
        if index.method == "hash":
            losses.append(Loss(path_of(table), "index-method", f"index {index.name} (hash) becomes an ordinary index"))
        if index.unique and not index.nulls_distinct:
            losses.append(Loss(path_of(table), "nulls-not-distinct", f"index {index.name} lets several NULLs in here"))
        if index.include:
            detail = f"index {index.name} no longer includes {', '.join(index.include)}"
            losses.append(Loss(path_of(table), "index-include", detail))
        return Script(made.statements, tuple(losses))

    # --- the rest ---------------------------------------------------------------------------------------------------

    def position(self, obj: Table | Sequence) -> Script:
        """Let AUTOINCREMENT go on where the source's generator stood, in empty tables too."""
        if not isinstance(obj, Table) or not self.counts_up(obj):
            return Script()
        column = self.generator(obj)
        assert column is not None
        following = self._following(column)
        if following is None:
            return Script()
        name = self.literal(obj.name)
        largest = f"(SELECT max({self.quote(column.name)}) FROM {self.name_of(obj)})"
        return Script(
            (
                f"DELETE FROM sqlite_sequence WHERE name = {name}",
                f"INSERT INTO sqlite_sequence (name, seq) VALUES ({name}, max({following - 1}, coalesce({largest}, 0)))",
            )
        )

    def _following(self, column: Column) -> int | None:
        if column.identity is not None:
            return column.identity.next_value
        feeding = self._sequence(column)
        return feeding.next_value if feeding is not None else None

    def _sequence(self, column: Column) -> Sequence | None:
        """The sequence that feeds a column."""
        if not isinstance(column.default, NextValue):
            return None
        wanted = column.default.sequence
        return next((s for s in self.catalog.of(Sequence) if QName(s.schema, s.name) == wanted), None)

    def touched(self, table: Table) -> tuple[Column, ...]:
        """The columns that a trigger can change: none where all names of the rowid are those of columns."""
        return super().touched(table) if rowid_of(column.name for column in table.columns) else ()

    def on_update(self, table: Table) -> Script:
        """A trigger for MySQL's ON UPDATE CURRENT_TIMESTAMP, which changes a row once more."""
        columns = self.touched(table)
        if not columns:
            return Script()
        times = {c.name: self.default(c.on_update, c) for c in columns if c.on_update is not None}
        rowid = rowid_of(column.name for column in table.columns)
        return Script((on_update.trigger(table.name, [column.name for column in table.data_columns], times, rowid),))

    def comments(self, obj: Table | View) -> Script:
        """Nothing: see :meth:`create_table`."""
        if isinstance(obj, View) and obj.comment:
            return Script((), (Loss(path_of(obj), "comment", "the comment is left out: SQLite keeps none"),))
        return Script()

    def create_view(self, view: View) -> Script:
        """A view. One from elsewhere is tried on empty tables first: SQLite itself looks at a view when it is read."""
        made = super().create_view(view)
        if view.definition.dialect == DIALECT or not made.statements:
            left_out = self._reads_left_out(view) if made.statements else ()
            return replace(made, losses=(*made.losses, *left_out, *self._text_losses(view, view.definition)))
        if why := self._refusals.get(view.name, ""):
            return self.not_carried(view, "view", why)
        if not view.check_option:
            return made
        detail = f"takes no rows: views are for reading only (at the source: WITH {view.check_option} CHECK OPTION)"
        return replace(made, losses=(*made.losses, Loss(path_of(view), "check-option", detail)))

    @cached_property
    def _refusals(self) -> dict[str, str]:
        """What SQLite has against views, by their names."""
        found: dict[str, str] = {}
        with closing(sqlite3.connect(":memory:")) as trial:
            for table in self.catalog.of(Table):
                with suppress(sqlite3.Error):  # a table that cannot be made says so itself, and a view what it lacks
                    trial.execute(f"CREATE TABLE {self.name_of(table)} ({self.columns(c.name for c in table.columns)})")
            for view in self.catalog.of(View):
                try:
                    for sql in super().create_view(view).statements:
                        trial.execute(sql)
                        trial.execute(f"SELECT * FROM {self.name_of(view)} LIMIT 0")
                except sqlite3.Error as error:
                    found[view.name] = f"SQLite {sqlite3.sqlite_version} refuses it: {error}"
        return found

    def create_program(self, program: Program) -> Script:
        """A trigger of SQLite's own, which is made whatever it names."""
        made = super().create_program(program)
        return replace(made, losses=(*made.losses, *self._text_losses(program, program.create)))

    def _text_losses(self, obj: View | Program, text: Expression) -> Iterator[Loss]:
        """What a text of SQLite's own, which is made whatever it names, means otherwise here."""
        yield from self._names_virtual(obj, text)
        yield from self._names_rowids(obj, text)

    def _reads_left_out(self, view: View) -> Iterator[Loss]:
        """That a view of SQLite's own reads what the job does not make: it is made, and fails when it is used."""
        behind = {loss.object for loss in self.catalog.losses if loss.rule == VIRTUAL_TABLE}
        if named := [name.name for name in self._left_out_for(view) if f"TABLE:{name}" not in behind]:
            reads = f"it reads {', '.join(named)}, which the job leaves out"
            yield Loss(path_of(view), "left-out", f"{reads}: where that is not there, it fails when it is used")

    def _left_out_for(self, view: View) -> Iterator[QName]:
        """What a view reads that the job does not make, through other views as well."""
        for name in view.depends_on:
            relation = self.catalog.relation(name)
            if relation is None:
                yield name
            elif isinstance(relation, View):
                yield from self._left_out_for(relation)

    def _names_virtual(self, obj: View | Program, text: Expression) -> Iterator[Loss]:
        """That a text of SQLite's own names virtual tables, which stay behind: it is made, and fails when it is used."""
        if not self._behind or text.dialect != DIALECT:
            return
        words = (token.name for token in tokens(text.sql) if token.kind in {"word", "quoted"})
        named = {word.lower(): word for word in words if f"TABLE:{QName(obj.schema, word)}".lower() in self._behind}
        if named:
            detail = f"fails when it is used: it names {', '.join(named.values())}, which is not carried"
            yield Loss(path_of(obj), VIRTUAL_TABLE, detail)

    @cached_property
    def _behind(self) -> frozenset[str]:
        """The virtual tables, which stay behind, by their paths in small letters."""
        return frozenset(loss.object.lower() for loss in self.catalog.losses if loss.rule == VIRTUAL_TABLE)

    def _names_rowids(self, obj: View | Program, text: Expression) -> Iterator[Loss]:
        """That a text of SQLite's own names rowids that no column has, which rows get anew."""
        if not self.catalog.dialect == text.dialect == DIALECT:
            return
        words = {token.name.lower() for token in tokens(text.sql) if token.kind in {"word", "quoted"}}
        rowids = words.intersection(ROWIDS)
        if not rowids:
            return
        tables = (table for table in self.catalog.of(Table) if table.name.lower() in words)
        if named := [table.name for table in tables if self._counts_unseen(table, rowids)]:
            detail = f"rowids of {', '.join(named)} may be others here: only those that a column has are carried"
            yield Loss(path_of(obj), "rowid", detail)

    def _counts_unseen(self, table: Table, rowids: Collection[str]) -> bool:
        """Whether a table's rows have numbers that are in none of its columns, and that one of these words means."""
        means = not {column.name.lower() for column in table.columns}.issuperset(rowids)
        return means and ("WITHOUT ROWID", "") not in table.options and self.generator(table) is None

    def truncate(self, *tables: Table, among: Iterable[Table] = ()) -> Script:
        """Empty tables: SQLite has DELETE only, for which triggers fire; see :mod:`.triggers`."""
        return Script(tuple(f"DELETE FROM {self.name_of(table)}" for table in tables))


def _digits(now: Now, type_: t.Type) -> int:
    """How many digits after the second the current time is to have in a column."""
    if now.kind == "date" or not isinstance(type_, t.Timestamp | t.Time | t.Interval):
        return now.precision or 0
    return type_.precision if now.precision is None else min(now.precision, type_.precision)


def _is_cut(now: Now, type_: t.Type) -> bool:
    """Whether the current time has more digits in a column than SQLite's clock."""
    return _digits(now, type_) > 3 and not isinstance(type_, t.Date)
