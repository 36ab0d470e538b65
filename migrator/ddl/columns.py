"""Columns in a database's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from migrator.adapter import TypeRule, load_adapter, rule_for
from migrator.ddl.expressions import Expressions
from migrator.ddl.keys import equality_changes, key_losses
from migrator.expressions import Untranslatable, understood, with_value
from migrator.expressions.semantics import Change
from migrator.model import types as t
from migrator.model.catalog import Loss, path_of
from migrator.model.equality import EXACT, Equality
from migrator.model.objects import (
    CLOCK_DIGITS,
    Check,
    Column,
    Default,
    DomainType,
    Expression,
    Identity,
    Literal,
    NewUuid,
    NextValue,
    Now,
    QName,
    Sequence,
    Table,
)

_FIXED = re.compile(r"char(?:acter)?\(", re.IGNORECASE)
"""How texts of a fixed length are declared."""

_SHORTENED = {True: "cut off", False: "rounded", None: "cut off or rounded"}
"""What becomes of the current time's further digits, by whether they are cut off."""


class Columns(Expressions):
    """How columns are declared: types, defaults, identities, what is generated, and the rules of domains."""

    # --- types ------------------------------------------------------------------------------------------------------

    def rule(self, table: str, column: Column) -> TypeRule:
        """The type table's row for a column.

        :raises UnsupportedType: there is none.
        """
        return rule_for(self.adapter.types, self._own_type(column), self.adapter.title, f"{table}.{column.name}", table)

    def keeps_domain(self, type_: t.Type) -> bool:
        """Whether domains are objects here (else a column takes the base type and the domain's checks)."""
        return False

    def type_of(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column's type declaration."""
        rule = self.rule(table.name, column)
        if rule.loss:
            name = f"type-{rule.type.__name__.lower()}"
            losses.append(Loss(path_of(table), name, rule.loss, column.name, each=rule.each))
        return rule.declare(self._own_type(column))

    def declaration(self, table: Table, column: Column) -> str:
        """A column's type declaration alone.

        :raises UnsupportedType: there is none.
        """
        return self.type_of(table, column, [])

    def _own_type(self, column: Column) -> t.Type:
        return column.type if self.keeps_domain(column.type) else t.base_of(column.type)

    def _unsaid(self, table: Table) -> Iterator[Loss]:
        """What the source's declarations say that their neutral types, or those that are chosen, do not."""
        source = load_adapter(self.catalog.dialect)
        same = source.name == self.adapter.name
        if not same and (detail := source.unsaid_options(table.options)):
            yield Loss(path_of(table), "table-options", detail)
        for index in (index for index in table.indexes if index.hidden and not same):
            detail = f"the optimizer may use index {index.name}, which it ignored before"
            yield Loss(path_of(table), "index-hidden", detail)
        for column in table.columns if not same else (column for column in table.columns if column.carried is not None):
            own = column.at_source
            if detail := source.unsaid(own.native):
                every = source.fills_zeros(own.native) or isinstance(t.base_of(own.type), t.Native)
                yield Loss(path_of(table), "declaration", detail, column.name, each=every)
            if same:
                continue
            if column.collation and not column.equality:
                detail = f"sorts and compares as texts without a collation do (at the source: {column.collation})"
                yield Loss(path_of(table), "collation", detail, column.name)
            elif (
                column.collation
                and column.equality == self.equality(table, column)
                and not source.sorts_by_characters(column.collation)
            ):
                detail = f"sorts as texts without a collation do (at the source: {column.collation})"
                yield Loss(path_of(table), "collation", detail, column.name)

    def _padding_losses(self, table: Table) -> Iterator[Loss]:
        """The columns of a fixed length whose values are read with blanks at their end and were not, or were and are not."""
        source, here = load_adapter(self.catalog.dialect).capabilities.pads_texts, self.adapter.capabilities.pads_texts
        if None in {source, here} or source == here:
            return
        there, now = "filled up with blanks to their length", "without blanks at their end"
        if here:
            there, now = now, there
        for column in table.columns:
            type_ = t.base_of(column.type)
            if not isinstance(type_, t.String) or not type_.fixed or self.rule(table.name, column).loss:
                continue
            full = (type_.length or 0) <= 1 and self.adapter.capabilities.empty_is_null  # or NULL, which is not filled up
            if _FIXED.match(self.declaration(table, column)) and not full:
                detail = f"values are read {now} (at the source: {there})"
                yield Loss(path_of(table), "padding", detail, column.name, each=True)

    def _null_losses(self, table: Table) -> Iterator[Loss]:
        """The columns of a primary key that lets NULLs in at the source, as SQLite's do, and none here."""
        for column in table.columns:
            if self.refuses_null(table, column):
                yield Loss(path_of(table), "key-not-null", "takes no NULL here: no primary key does", column.name)

    def equality(self, table: Table, column: Column) -> Equality:
        """What texts the column holds for equal here."""
        return EXACT

    def told_by_type(self, column: Column) -> Equality:
        """What texts the entry about the column's type says to be different here; nobody is told so twice."""
        return EXACT

    def _equality_losses(self, table: Table) -> Iterator[Loss]:
        """What texts columns hold for equal that they tell apart at the source, or the other way round."""
        texts = [column for column in table.columns if isinstance(t.base_of((column.carried or column).type), t.COLLATED)]
        here = {column.name: self.equality(table, column) for column in texts}
        for column in texts:
            for told in equality_changes(column.equality - self.told_by_type(column), here[column.name]):
                detail = f"{told} here, where comparisons, order and unique keys change"
                yield Loss(path_of(table), "collation-equality", detail, column.name)
        yield from key_losses(table, {column.name: column.equality for column in texts}, here)

    # --- defaults ---------------------------------------------------------------------------------------------------

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
                return self.new_uuid(value)
            case Expression():
                return self.expression(value, into=column)
        raise Untranslatable(f"no default for {value!r}")

    def now(self, value: Now) -> str:
        """The current date, time or timestamp."""
        precision = f"({value.precision})" if value.precision is not None else ""
        return {"date": "CURRENT_DATE", "time": f"CURRENT_TIME{precision}"}.get(value.kind, f"CURRENT_TIMESTAMP{precision}")

    def next_value(self, sequence: QName) -> str:
        """The next value of a sequence."""
        raise Untranslatable("no sequences as defaults here")

    def new_uuid(self, value: NewUuid) -> str:
        """A fresh UUID."""
        raise Untranslatable("no function makes a UUID here")

    # --- columns ----------------------------------------------------------------------------------------------------

    def column(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column of CREATE TABLE."""
        parts = [self.quote(column.name), self.type_of(table, column, losses)]
        parts += [self.default_clause(table, column, losses)]
        if column.generated is not None:
            parts.append(self.generated_clause(table, column, losses))
        elif column.identity is not None:
            parts.append(self.identity_clause(table, column, losses))
        if not column.nullable or self.refuses_null(table, column):
            parts.append("NOT NULL")
        return " ".join(part for part in parts if part)

    def refuses_null(self, table: Table, column: Column) -> bool:
        """Whether a column takes no NULL here because a primary key does not, although it is not declared so."""
        if not column.nullable or table.primary_key is None or column.name not in table.primary_key.columns:
            return False
        source = load_adapter(self.catalog.dialect).capabilities
        return source.nulls_in_primary_keys and not self.adapter.capabilities.nulls_in_primary_keys

    def default_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``DEFAULT …``, or nothing; a default without a counterpart is left out with a loss."""
        value = self.carried_default(column)
        if value is None or column.identity is not None or column.generated is not None:
            return ""
        try:
            self._check_accepted(table, column.name)
            if isinstance(value, Now) and not self.is_own(column):
                value = clock_for(value, t.base_of(column.type))
            with understood():
                sql = self.default(value, column)
        except Untranslatable as why:
            detail = f"default {_shown(column.default or value)} is left out: {why}"
            losses.append(Loss(path_of(table), "default", detail, column.name))
            return ""
        if sql.strip("()") == "NULL" and (not column.nullable or self.refuses_null(table, column)):
            return ""  # as without one, where MySQL refuses to hear it
        if isinstance(value, NewUuid) and value.version != self.uuid_version(value):
            detail = "gives random UUIDs (version 4; at the source version 1, of the clock and the machine)"
            losses.append(Loss(path_of(table), "uuid-version", detail, column.name))
        if isinstance(value, Now) and not self.is_own(column):
            losses += self.clock_losses(table, column, value)
        losses += (Loss(path_of(table), rule, detail, column.name) for rule, detail in self.moment_changes(value))
        return f"DEFAULT {sql}"

    def clock_losses(self, table: Table, column: Column, value: Now) -> Iterator[Loss]:
        """What becomes of the digits of the current time for which there is no place, if it is not what it was."""
        type_, here, there = t.base_of(column.type), self.clock_is_cut(column, value), self.clock_was_cut(value)
        if value.kind == "date" or not isinstance(type_, t.Timestamp | t.Time | t.Interval):
            return
        digits = value.digits(type_.precision)
        if digits < CLOCK_DIGITS and here != there:
            places = "whole seconds" if digits == 0 else f"{digits} digits after the second"
            detail = f"the current time is {_SHORTENED[here]} to {places} (at the source: {_SHORTENED[there]})"
            yield Loss(path_of(table), "clock", detail, column.name)

    def clock_was_cut(self, value: Now) -> bool | None:
        """Whether digits of the current time that have no place are cut off at the source, else rounded; None: who knows."""
        return value.cut or load_adapter(self.catalog.dialect).capabilities.cuts_clock

    def clock_is_cut(self, column: Column, value: Now) -> bool | None:
        """Whether they are here."""
        return self.adapter.capabilities.cuts_clock

    def is_own(self, column: Column) -> bool:
        """Whether a column is of this database's kind, and its default says itself what becomes of a value."""
        return self.catalog.dialect == self.adapter.name and column.carried is None

    def carried_default(self, column: Column) -> Default | None:
        """A column's default; where other rules convert it to the column's type, what comes of it at the source."""
        if column.default is None or column.constant is None or self.is_own(column):
            return column.default
        return column.constant

    def untried_default(self, column: Column) -> bool:
        """Whether a server of this kind may refuse a column's default; whole numbers and texts that fit it takes."""
        match self.carried_default(column):
            case None | NextValue() | Literal(kind="null"):
                return False
            case Expression() as expression:
                return self.untried(expression)
            case Literal() if isinstance(t.base_of(column.type), t.Boolean | t.Integer | t.String | t.Uuid):
                return False
        return not self.is_own(column)

    def uuid_version(self, value: NewUuid) -> int:
        """The version of the UUIDs that :meth:`default` makes."""
        return 4

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
            if column.generated.versions:
                raise Untranslatable("versions of rows are not kept here")
            changes: dict[Change, None] = {}
            own, read = column.generated.expression, not column.generated.stored
            sql = self.expression(own, table, into=column, fixed=True, read=read, changes=changes)
        except Untranslatable as why:
            sql = column.generated.expression.sql
            detail = f"the generated column becomes an ordinary one with the values of now: {sql}: {why}"
            losses.append(Loss(path_of(table), "generated", detail, column.name))
            return ""
        losses += (Loss(path_of(table), rule, detail, column.name) for rule, detail in changes)
        return f"GENERATED ALWAYS AS ({sql}) {'STORED' if column.generated.stored else 'VIRTUAL'}"

    def identity_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED … AS IDENTITY``."""
        assert column.identity is not None
        losses += reuse_losses(table, column)
        kind = "ALWAYS" if column.identity.always else "BY DEFAULT"
        options = self.identity_options(table, column.identity)
        return f"GENERATED {kind} AS IDENTITY" + (f" ({options})" if options else "")

    def identity_options(self, table: Table, identity: Identity) -> str:
        """The options of an identity of a table."""
        return self.sequence_options(identity)

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

    # --- domains and ranges -----------------------------------------------------------------------------------------

    def range_checks(self, table: Table) -> list[str]:
        """Checks that restore what a wider type would let in."""
        checks = []
        for column in table.columns:
            sql = self.rule(table.name, column).restriction(t.base_of(column.type), self.quote(column.name))
            if sql:
                checks.append(f"CHECK ({sql})")
        return checks

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
                column = replace(column, nullable=column.nullable and domain.nullable)
                if column.default is None:
                    column = replace(column, default=domain.default, constant=domain.constant)
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
        sql = with_value(expression.sql, load_adapter(expression.dialect).language, column.name)
        return replace(check, name=None, expression=Expression(sql, expression.dialect))


def bounded(sequence: Sequence) -> Sequence:
    """A sequence with the bounds of its bits, where those are fewer than 64."""
    if sequence.bits == 64:
        return sequence
    top = (1 << (sequence.bits - 1)) - 1
    minimum = sequence.minimum if sequence.minimum is not None or sequence.increment > 0 else -top - 1
    maximum = sequence.maximum if sequence.maximum is not None or sequence.increment < 0 else top
    return replace(sequence, minimum=minimum, maximum=maximum)


def clock_for(value: Now, type_: t.Type) -> Now:
    """Another database's current date or time as a column of ``type_`` has it: the day of it, its time of day, or both.

    :raises Untranslatable: the column has no place for it, or in another form.
    """
    match type_:
        case t.Date() if value.kind != "time":
            return replace(value, kind="date", precision=None)
        case t.Time(zoned=False) | t.Interval(kind="day_second") if value.kind != "date":
            return replace(value, kind="time")
        case t.Timestamp(zoned=zoned) if value.kind == "timestamp" or (value.kind == "date" and not zoned):
            return value
        case t.String() if value.kind == "date" or (value.utc and value.precision is not None):
            return value
        case t.String():
            raise Untranslatable("the current time has no fixed form as text")
    raise Untranslatable("a time is not a value of this column's type")


def generator_losses(table: Table, column: Column, of: Identity | Sequence) -> Iterator[Loss]:
    """What is lost of a generator where the database's own takes given values, and counts as far as its type goes."""
    if isinstance(of, Identity) and of.always:
        detail = "takes given values too (at the source: GENERATED ALWAYS)"
        yield Loss(path_of(table), "identity-always", detail, column.name)
    last = of.maximum if of.increment > 0 else of.minimum
    if last is not None:
        yield Loss(path_of(table), "identity-bounds", f"counts beyond {last}, where it ends at the source", column.name)
    if of.start != 1 and of.increment == 1:
        detail = f"begins with 1 when it is restarted (at the source: {of.start})"
        yield Loss(path_of(table), "identity-start", detail, column.name)
    if of.behind:
        detail = f"goes on after the largest value of its rows; at the source {of.next_value} comes next nevertheless"
        yield Loss(path_of(table), "identity-position", detail, column.name)


_LARGEST = (1 << 63) - 1
"""The largest number that any of these generators gives."""


def reuse_losses(table: Table, column: Column) -> Iterator[Loss]:
    """That a generator gives no number twice, where the source's does: every one but SQLite's own keeps a counter."""
    if column.identity is not None and column.identity.reuses:
        detail = "numbers of deleted rows are not given again (at the source: the next is one above the largest)"
        yield Loss(path_of(table), "identity-reuse", detail, column.name)
        if (column.identity.next_value or 0) > _LARGEST:
            detail = f"gives no more numbers: {_LARGEST} is taken (at the source any that is free comes then)"
            yield Loss(path_of(table), "identity-position", detail, column.name)


def _shown(default: Default) -> str:
    """A default as messages name it."""
    match default:
        case Expression(sql=sql):
            return sql
        case Literal(value=text):
            return f"'{text}'"
        case Now(kind=kind, precision=digits, utc=utc):
            return f"CURRENT_{kind.upper()}" + ("" if digits is None else f"({digits})") + (" of UTC" if utc else "")
        case NextValue(sequence=name):
            return f"nextval({name})"
        case NewUuid(version=version):
            return f"of a new UUID (version {version})"
