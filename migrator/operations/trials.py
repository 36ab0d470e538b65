"""Expressions and defaults of other databases, tried on the target before anything is planned with them.

What the dialects' rules carry means the same; whether this very server takes it where it stands, only the server knows: one
has no generated columns over an AUTO_INCREMENT one, another none over a function that it does not call immutable, a third
fewer digits than a constant has. So each table with such expressions or defaults is made once as a temporary one, which
leaves nothing behind whatever becomes of this process. What is refused is left out of the plan, which names it with what
the server said; its table is made without it. The same server refuses the same again, so that a job that is started anew has
the plan it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Server, load_adapter
from migrator.ddl import DDL, Emitter, expressions_of
from migrator.ends import Database, database_errors
from migrator.errors import FatalError, InsufficientPrivilege, MigratorError
from migrator.model.catalog import Catalog
from migrator.model.objects import Check, Expression, Index, QName, Table
from migrator.spec import Content

Refusals = dict[tuple[QName, Expression | str], str]
"""What a server said against expressions, and defaults of columns, by their tables."""

_NAME = "MIGRATOR_TRIAL"


def tried(target: Database, server: Server, catalog: Catalog, content: Content = "ALL") -> DDL:
    """The writer of a server's DDL for a catalog, told of the expressions that the server refuses, and how it has names."""
    ddl = target.adapter.ddl(catalog, server.version)
    ddl.ignores_table_case = bool(server.ignores_table_case)
    ddl.absent = _absent(target, catalog)
    if content != "DATA_ONLY":
        ddl.refused = _refused(ddl, target, QName(ddl.staging_schema or server.schema, _NAME))
    return ddl


def _absent(target: Database, catalog: Catalog) -> frozenset[QName]:
    """The tables that foreign keys refer to, and that neither the catalog nor the target has."""
    referred = {key.referred for table in catalog.of(Table) for key in table.foreign_keys}
    outside = {name for name in referred if catalog.table(name) is None}
    if not outside:
        return frozenset()
    folds = load_adapter(catalog.dialect).capabilities.ignores_table_case

    def told(schema: str, name: str) -> QName:
        return QName(schema, name.lower()) if folds else QName(schema, name)

    with target.connect() as connection, database_errors(target.adapter):
        schemas = {name.schema for name in outside}.intersection(target.adapter.schemas(connection))
        inspector = sa.inspect(connection)
        there = {told(schema, name) for schema in schemas for name in inspector.get_table_names(schema)}
    return frozenset(name for name in outside if told(name.schema, name.name) not in there)


@dataclass(frozen=True)
class _Piece:
    """A part of a table that may be refused: its expressions, or the column that it is the default of, and how it is put
    into a table that lacks it."""

    names: tuple[Expression | str, ...]
    put: Callable[[Table], Table]


def _pieces(ddl: DDL, table: Table) -> Iterator[_Piece]:
    """The parts of a table that may be refused, in the order in which they can be added."""
    for column in table.columns:
        if column.generated is not None and ddl.untried(column.generated.expression):
            yield _Piece((column.generated.expression,), partial(_with_column, column.name, generated=column.generated))
        elif column.generated is None and column.identity is None and ddl.untried_default(column):
            put = partial(_with_column, column.name, default=column.default, constant=column.constant)
            yield _Piece((column.name,), put)
    for check in (*table.checks, *ddl.domain_checks(table, [])):
        if ddl.untried(check.expression):
            yield _Piece((check.expression,), partial(_with_check, replace(check, name=None)))
    for index in table.indexes:
        if found := tuple(filter(ddl.untried, expressions_of(index))):
            yield _Piece(found, partial(_with_index, index))


def _with_column(name: str, table: Table, **changes: Any) -> Table:
    columns = tuple(replace(column, **changes) if column.name == name else column for column in table.columns)
    return replace(table, columns=columns)


def _with_check(check: Check, table: Table) -> Table:
    return replace(table, checks=(*table.checks, check))


def _with_index(index: Index, table: Table) -> Table:
    return replace(table, indexes=(*table.indexes, index))


def _refused(ddl: DDL, target: Database, name: QName) -> Refusals:
    tables = [ddl.with_domain_rules(table, []) for table in ddl.catalog.of(Table)]
    untried = [(table, pieces) for table in tables if (pieces := tuple(_pieces(ddl, table)))]
    found: Refusals = {}
    if not untried:
        return found
    with target.connect() as connection, _Trials(ddl, connection, name) as trials:
        for table, pieces in untried:
            try:
                found |= trials.refusals(table, pieces)
            except InsufficientPrivilege:  # to make temporary tables: then the tables' own statements have to show it
                break
    return found


class _Trials:
    """Makes temporary tables, one at a time, and lets nothing of them stay."""

    def __init__(self, ddl: DDL, connection: sa.Connection, name: QName) -> None:
        self._ddl, self._connection, self._name = ddl, connection, name
        self._emitter = Emitter(ddl, connection)
        self._undoes = ddl.adapter.capabilities.transactional_ddl

    def __enter__(self) -> _Trials:
        if self._undoes:
            self._connection.exec_driver_sql("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        if self._undoes:
            with suppress(sa.exc.SQLAlchemyError):  # it has ended with a connection that is lost, which another error says
                self._connection.exec_driver_sql("ROLLBACK")

    def refusals(self, table: Table, pieces: tuple[_Piece, ...]) -> Refusals:
        """The expressions and defaults of a table that the server refuses.

        All are tried together first, and one after the other only if that fails. None is refused where the table is, even
        without them: its own statement will say why.

        :raises InsufficientPrivilege: to make temporary tables.
        """
        bare = whole = self._ddl.on_trial(table, self._name)
        for piece in pieces:
            whole = piece.put(whole)
        if self._refusal(whole) is None:
            return {}
        anyway = self._refusal(bare)
        if isinstance(anyway, InsufficientPrivilege):
            raise anyway
        return self._one_by_one(table, bare, pieces) if anyway is None else {}

    def _one_by_one(self, table: Table, kept: Table, pieces: tuple[_Piece, ...]) -> Refusals:
        found: Refusals = {}
        for piece in pieces:
            more = piece.put(kept)
            if (refusal := self._refusal(more)) is None:
                kept = more
            else:
                why = str(refusal.facts.get("detail", refusal.message))
                found |= {(table.qname, name): why for name in piece.names}
        return found

    def _refusal(self, table: Table) -> MigratorError | None:
        """What the server says against a table; None: it takes it."""
        try:
            with self._undone(), database_errors(self._ddl.adapter):
                self._emitter.run(self._ddl.trial(table))
        except FatalError:
            raise
        except MigratorError as refusal:
            return refusal
        return None

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """The block's temporary table is gone when it ends."""
        if self._undoes:
            self._connection.exec_driver_sql("SAVEPOINT trial")
        try:
            yield
        finally:
            undo = "ROLLBACK TO SAVEPOINT trial" if self._undoes else self._ddl.drop_temporary(self._name)
            self._connection.exec_driver_sql(undo)
