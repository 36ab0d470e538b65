"""Constraints and indexes in a database's SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from migrator.adapter import Part
from migrator.ddl.columns import Columns
from migrator.ddl.script import Elsewhere, Script
from migrator.expressions import Untranslatable
from migrator.expressions.semantics import Change
from migrator.model.catalog import Loss, path_of
from migrator.model.objects import (
    Check,
    Exclusion,
    Expression,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Table,
    Unique,
    View,
)

NOT_VALIDATED = "not-validated"
"""The rule of entries about foreign keys of which a target cannot say that rows may break them."""


def called(key: PrimaryKey | Unique | ForeignKey) -> str:
    """What messages call a key: its name, or the columns that it is on."""
    return key.name or f"on {', '.join(key.columns)}"


class Constraints(Columns):
    """How constraints and indexes are written: as clauses of CREATE TABLE, or as statements of their own."""

    unless_there = "it must be there before, or the key fails"
    """What becomes of a foreign key to a table that is not there."""

    # --- clauses ----------------------------------------------------------------------------------------------------

    def deferral(self, table: Table, of: PrimaryKey | Unique | ForeignKey, losses: list[Loss]) -> str:
        """``DEFERRABLE …``."""
        if not of.deferrable:
            return ""
        return " DEFERRABLE INITIALLY DEFERRED" if of.initially_deferred else " DEFERRABLE"

    def primary_key_clause(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """``PRIMARY KEY (…)``."""
        columns = self.key_columns(table, key, losses)
        return f"{self.named(key.name)}PRIMARY KEY ({columns}){self.deferral(table, key, losses)}"

    def key_columns(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """The columns of a primary key; the key's own collations are a loss."""
        for name, collation in zip(key.columns, key.collations, strict=bool(key.collations)):
            if collation:
                detail = f"the primary key compares as the column does (at the source: by its own collation {collation})"
                losses.append(Loss(path_of(table), "key-collation", detail, name))
        return self.columns(key.columns)

    def unique_clause(self, table: Table, unique: Unique, losses: list[Loss]) -> str:
        """``UNIQUE (…)``."""
        if not unique.nulls_distinct:
            losses.append(Loss(path_of(table), "nulls-not-distinct", f"unique {called(unique)} lets several NULLs in here"))
        return f"{self.named(unique.name)}UNIQUE ({self.columns(unique.columns)}){self.deferral(table, unique, losses)}"

    def check_clause(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``CHECK (…)``, or nothing with a loss."""
        try:
            changes: dict[Change, None] = {}
            condition = self.expression(check.expression, table, condition=True, fixed=True, changes=changes)
            state = self.check_state(table, check, losses)
        except Untranslatable as why:
            detail = f"{self.called('check', check.name)} ({check.expression.sql}) is left out: {why}"
            losses.append(Loss(path_of(table), "check", detail, rows=check.broken))
            return ""
        what = f"{self.called('check', check.name)} ({check.expression.sql})"
        losses += (Loss(path_of(table), rule, f"{what}: {detail}") for rule, detail in changes)
        return f"{self.named(check.name)}CHECK ({condition}){state}"

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
            losses.append(Loss(path_of(table), "match-full", f"foreign key {called(key)} matches SIMPLE here, not FULL"))
        return ""

    def name_set_columns(self, table: Table, key: ForeignKey, losses: list[Loss]) -> None:
        """Name the loss of a foreign key that sets some of its columns only."""
        if key.set_columns:
            detail = f"foreign key {called(key)} sets all its columns on delete, not only {', '.join(key.set_columns)}"
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

    # --- of new tables ----------------------------------------------------------------------------------------------

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
                    items += [sql] if (sql := self._inline_foreign_key(table, key, losses)) else []
                else:
                    losses += self.of_partition(table, f"foreign key {called(key)}", key.partition).losses
        return items

    # --- of loaded tables -------------------------------------------------------------------------------------------

    def add(self, table: Table, clause: str) -> str:
        """``ALTER TABLE … ADD``."""
        return f"ALTER TABLE {self.name_of(table)} ADD {clause}"

    def within_table(self, clause: Callable[[list[Loss]], str]) -> Script:
        """No statement for a constraint that CREATE TABLE makes, or leaves out: its entries are among those of its table."""
        losses: list[Loss] = []
        if clause(losses):
            return Script(elsewhere=Elsewhere.CHANGED if losses else Elsewhere.KEPT)
        return Script(elsewhere=Elsewhere.LEFT_OUT if losses else Elsewhere.KEPT)

    def is_inline(self, part: Part) -> bool:
        """Whether CREATE TABLE already made that kind of constraint."""
        return part in self.adapter.capabilities.inline

    def primary_key(self, table: Table, key: PrimaryKey) -> Script:
        """A primary key added to a loaded table."""
        if self.is_inline("primary_key"):
            return self.within_table(partial(self.primary_key_clause, table, key))
        losses: list[Loss] = []
        return Script((self.add(table, self.primary_key_clause(table, key, losses)),), tuple(losses))

    def unique(self, table: Table, unique: Unique) -> Script:
        """A unique constraint added to a loaded table."""
        if self.is_inline("unique"):
            return self.within_table(partial(self.unique_clause, table, unique))
        losses: list[Loss] = []
        return Script((self.add(table, self.unique_clause(table, unique, losses)),), tuple(losses))

    def check(self, table: Table, check: Check) -> Script:
        """A check constraint added to a loaded table."""
        if self.is_inline("check"):
            return self.within_table(partial(self.check_clause, table, check))
        losses: list[Loss] = []
        clause = self.check_clause(table, check, losses)
        return Script((self.add(table, clause),) if clause else (), tuple(losses))

    def exclusion(self, table: Table, exclusion: Exclusion) -> Script:
        """An exclusion constraint, which only PostgreSQL has."""
        detail = f"exclusion constraint {exclusion.name} is left out: {exclusion.definition.sql}"
        return Script((), (Loss(path_of(table), "exclusion", detail),))

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key added when all tables are loaded and keyed."""
        if self.is_inline("foreign_key") and key.partition is None:
            return self.within_table(partial(self._inline_foreign_key, table, key))
        if self.is_inline("foreign_key"):
            return Script(elsewhere=Elsewhere.LEFT_OUT)
        if key.partition is not None:
            return self.of_partition(table, f"foreign key {called(key)}", key.partition)
        if why := self.refers_to_nothing(key) or self._refers_to_another(key):
            detail = f"{self.called('foreign key', key.name)} on {', '.join(key.columns)} is left out: {why}"
            return Script((), (Loss(path_of(table), "foreign-key", detail),))
        losses = list(self._referred_elsewhere(table, key))
        return Script((self.add(table, self.foreign_key_clause(table, key, losses)),), tuple(losses))

    def _inline_foreign_key(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """A foreign key as an item of CREATE TABLE, or nothing with a loss: it would be made without its table,
        and then refuse all rows."""
        if why := self.why_no_inline_key(key):
            detail = f"{self.called('foreign key', key.name)} on {', '.join(key.columns)} is left out: {why}"
            losses.append(Loss(path_of(table), "foreign-key", detail))
            return ""
        losses += self._referred_elsewhere(table, key)
        return self.foreign_key_clause(table, key, losses)

    def why_no_inline_key(self, key: ForeignKey) -> str:
        """Why CREATE TABLE is to leave a foreign key out; empty: it has it."""
        if why := self._refers_to_another(key):
            return why
        return f"{key.referred} is not there, and the job does not make it" if key.referred in (self.absent or ()) else ""

    def _refers_to_another(self, key: ForeignKey) -> str:
        """Why a foreign key would refer to another table than at the source; empty: it does not."""
        if self.catalog.table(key.referred) is not None or (other := self.taken_for(key.referred)) is None:
            return ""
        return f"the job does not make {key.referred}, and the key would refer to {other}"

    def _referred_elsewhere(self, table: Table, key: ForeignKey) -> Iterator[Loss]:
        """The entry about a key to a table that is not made here, and that nobody knows to be there."""
        if self.catalog.table(key.referred) is not None or (self.absent is not None and key.referred not in self.absent):
            return
        what = f"{self.called('foreign key', key.name)} on {', '.join(key.columns)}"
        detail = f"{what} refers to {key.referred}, which the job does not make: {self.unless_there}"
        yield Loss(path_of(table), "foreign-key", f"{detail} (EXCLUDE=REF_CONSTRAINT leaves it out)")

    def leaves_unchecked(self, key: ForeignKey) -> bool:
        """Whether a foreign key is made without a look at the rows that are there, as it was at the source."""
        return not key.validated

    def not_validated(self, table: Table, key: ForeignKey) -> Loss:
        """The entry about a key that is there for new rows, and looks as if it held for all."""
        detail = f"foreign key {called(key)} is made, which some rows may break: the source says so, and nothing here"
        return Loss(path_of(table), NOT_VALIDATED, detail)

    def for_new_rows(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key that rows break, made for new ones, as the database says of it; no statement: there is none such."""
        return Script()

    def refers_to_nothing(self, key: ForeignKey) -> str:
        """Why a foreign key that names no columns means none; empty: it does not. SQLite lets such keys be."""
        referred = self.catalog.table(key.referred)
        if key.referred_columns or referred is None:
            return ""
        columns = referred.primary_key.columns if referred.primary_key is not None else ()
        return "" if len(columns) == len(key.columns) else f"{key.referred} has no primary key of so many columns"

    def drop_foreign_key(self, table: QName, key: ForeignKey) -> Script:
        """Drop a foreign key, so that the table it refers to can be replaced."""
        if self.is_inline("foreign_key") or key.name is None:
            return Script()
        return Script((f"ALTER TABLE {self.name_of(table)} DROP CONSTRAINT {self.quote(key.name)}",))

    def of_partition(self, table: Table, what: str, partition: str) -> Script:
        """Something that a single partition has at the source: left out with a loss."""
        detail = f"{what} is left out: it is on the partition {partition} only"
        return Script((), (Loss(path_of(table), "partition-only", detail),))

    # --- indexes ----------------------------------------------------------------------------------------------------

    def index_key(self, table: Table, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """One key of an index.

        :raises Untranslatable: an expression without a counterpart.
        """
        sql = self.indexed(table, index, key, losses)
        losses += self.index_key_losses(table, index, key)
        return sql + (" DESC" if key.descending else "")

    def indexed(self, table: Table | View, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """What a key of an index is over: a whole column, or an expression; of a materialized view, in its own SQL.

        :raises Untranslatable: an expression without a counterpart.
        """
        if key.length is not None:
            detail = f"index {index.name} covers the whole of {key.column}, not its first {key.length} characters"
            losses.append(Loss(path_of(table), "index-prefix", detail, key.column))
        if key.expression is None:
            return self.quote(key.column or "")
        return f"({self.in_index(table, index, key.expression, losses)})"

    def in_index(
        self, table: Table | View, index: Index, expression: Expression, losses: list[Loss], *, condition: bool = False
    ) -> str:
        """An expression, or the condition, of an index in this database's SQL.

        :raises Untranslatable: it has no counterpart.
        """
        own = table if isinstance(table, Table) else None
        changes: dict[Change, None] = {}
        sql = self.expression(expression, own, condition=condition, fixed=True, changes=changes)
        losses += (
            Loss(path_of(table), rule, f"index {index.name} ({expression.sql}): {detail}") for rule, detail in changes
        )
        return sql

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
                where = f" WHERE {self.in_index(table, index, index.where, losses, condition=True)}"
        except Untranslatable as why:
            loss = Loss(path_of(table), "index", f"index {index.name} is left out: {why}")
            return Script((), (loss,))
        if index.comment:
            losses.append(Loss(path_of(table), "comment", f"the comment of index {index.name} is left out"))
        unique = "UNIQUE " if index.unique else ""
        sql = f"CREATE {unique}INDEX {self.quote(index.name)} ON {self.name_of(table)} ({keys}){where}"
        return Script((sql,), tuple(losses))
