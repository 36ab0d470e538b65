"""Expressions and queries in a database's SQL: its own as they are, those of others where they mean the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial

from sqlglot import exp

from migrator.adapter import load_adapter
from migrator.ddl.names import Names
from migrator.expressions import Untranslatable, names_shown, parse, parse_value, reads_clock, understood
from migrator.expressions.carrier import Carrier, Target
from migrator.expressions.queries import Carried, Found, QueryCarrier
from migrator.expressions.semantics import Change, Semantics, Value
from migrator.model.catalog import COLUMN
from migrator.model.objects import Column, Default, Expression, Moment, Now, QName, Table, View


class Expressions(Names):
    """How expressions and queries of other databases are written for this one."""

    @understood()
    def expression(
        self,
        expression: Expression,
        table: Table | None = None,
        *,
        into: Column | None = None,
        condition: bool = False,
        fixed: bool = False,
        read: bool = False,
        changes: dict[Change, None] | None = None,
    ) -> str:
        """An expression over columns of ``table`` in this database's SQL.

        ``into``: the column that stores it. ``condition``: it is one. ``fixed``: it must give the same value every time.
        ``read``: it is computed when it is read. ``changes``: takes what changes with it; None: nothing may.

        :raises Untranslatable: it has no exact counterpart here.
        """
        if table is not None:
            self._check_accepted(table, expression)
        if expression.dialect == self.adapter.name:
            return expression.sql
        source = self._semantics_of(expression.dialect)
        source.check_read(expression.sql)
        columns = partial(self._column_value, source, table)
        language = load_adapter(expression.dialect).language
        carrier = Carrier(source, self._target, columns, fixed=fixed, read=read, changes=changes, language=language.sqlglot)
        tree = parse_value(expression.sql, language)
        if condition:
            return carrier.condition(tree).sql
        if into is not None:
            return carrier.stored(tree, into.type, source.kind_of(into, table)).sql
        return carrier.value(tree).sql

    def moment_changes(self, value: Default) -> Iterator[Change]:
        """What changes with a default, or the query of a view, that is carried and asks for the current time: whether that
        is when the transaction began, or the statement, or when it is asked for.
        """
        here = self.adapter.capabilities.clock_begins
        there = self.moment_of(value) if isinstance(value, Now) else self._usual_moment
        if there is None or here is None or there == here:
            return
        if isinstance(value, Expression):
            asks = reads_clock(value.sql, load_adapter(value.dialect).language)
        else:
            asks = isinstance(value, Now)
        if asks:
            before = "when it is called" if there == "call" else f"the {there}"
            yield "clock-moment", f"the current time is when the {here} began (at the source: {before})"

    def moment_of(self, value: Now) -> Moment | None:
        """What a clock of the source's is the time of; None: nobody knows."""
        return value.moment or self._usual_moment

    @property
    def _usual_moment(self) -> Moment | None:
        return load_adapter(self.catalog.dialect).capabilities.clock_begins

    # --- queries ----------------------------------------------------------------------------------------------------

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
        kind, large = source.kind_of(column, table), table is not None and self.is_lob(table, column.name)
        return Value(kind, self.quote(column.name), type=column.type, nullable=nullable, large=large)

    def is_lob(self, table: Table, name: str) -> bool:
        """Whether the column of that name is of a type that this database does not compare."""
        return False

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

    @understood()
    def _carry(self, view: View, earlier: Mapping[QName, Carried | Untranslatable]) -> Carried:
        language = load_adapter(view.definition.dialect).language
        if view.definition.dialect == self.adapter.name:
            for name in view.depends_on:
                if self.catalog.relation(name) is None and self.taken_for(name) is not None:
                    raise Untranslatable(f"it reads {name}, which is left out")
            names = view.columns or self._names_in_view(view, lambda: names_shown(view.definition.sql, language))
            return Carried(view.definition.sql, {}, names=names)
        source = self._semantics_of(view.definition.dialect)
        source.check_read(view.definition.sql)
        schemas = self.adapter.capabilities.single_schema is None
        find = partial(self._relation, view.schema, source, earlier)
        write, read = self.adapter.sqlglot, language.sqlglot
        carrier = QueryCarrier(source, self._target, find, self.quote, write, schemas=schemas, language=read)
        carried = carrier.carried(parse(view.definition.sql, language))
        listed = view.columns or self._names_in_view(view, lambda: carried.columns)
        names = listed or tuple(carried.columns)
        renamed = {n: replace(c, sql=self.quote(n)) for n, c in zip(names, carried.columns.values(), strict=True)}
        return replace(carried, columns=renamed, names=listed)

    def _names_in_view(self, view: View, shown: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        """What the columns of a view are called that lists none, where a table that it reads has another name for one, which
        the target keeps for itself in tables only; else empty. ``shown``: what its query calls them."""
        if self.adapter.capabilities.reserved_in_views:
            return ()
        read = {(name.schema, name.name) for name in view.depends_on}
        reserved = (one for one in self.catalog.renames if one.kind == COLUMN and one.reason == "RESERVED")
        own = {one.name: one.source_name for one in reserved if (one.schema, one.table) in read}
        found = tuple(shown()) if own else ()
        if own.keys().isdisjoint(found):
            return ()
        names = tuple(own.get(name, name) for name in found)
        if len(set(names)) < len(names):
            raise Untranslatable("two of its columns have one name")
        return names

    def _relation(
        self, schema: str, source: Semantics, views: Mapping[QName, Carried | Untranslatable], node: exp.Table
    ) -> Found:
        """What a query reads by a name: a table, or a view that is carried too."""
        if not node.name:
            raise Untranslatable(f"it reads the rows of {node.sql(self.adapter.sqlglot)}")
        wanted = QName(node.db or schema, node.name)
        obj = self.relation_named(wanted)
        if isinstance(obj, Table):
            columns = {c.name: self._column_value(source, obj, exp.column(c.name)) for c in obj.columns}
            key = frozenset(obj.primary_key.columns) if obj.primary_key is not None else frozenset()
            return Found(obj.schema, obj.name, {n: replace(v, nullable=True) for n, v in columns.items()}, key)
        carried = views.get(QName(obj.schema, obj.name)) if obj is not None else None
        if obj is None or not isinstance(carried, Carried):
            raise Untranslatable(f"it reads {wanted}, which is left out")
        return Found(obj.schema, obj.name, carried.columns)

    def relation_named(self, name: QName) -> Table | View | None:
        """The table or view of the job that a text of the source means by a name; None: it is left out, or not there."""
        found = self.catalog.relation(name)
        if found is None and load_adapter(self.catalog.dialect).language.ignores_table_case:
            found = self._folded_relations.get(QName(name.schema.lower(), name.name.lower()))
        return found

    @cached_property
    def _folded_relations(self) -> dict[QName, Table | View]:
        """The tables and views by their names in small letters, where no two are one."""
        relations = [obj for obj in self.catalog.objects if isinstance(obj, Table | View)]
        folded = [QName(obj.schema.lower(), obj.name.lower()) for obj in relations]
        times = Counter(folded)
        return {name: obj for name, obj in zip(folded, relations, strict=True) if times[name] == 1}

    # --- trials -----------------------------------------------------------------------------------------------------

    def untried(self, expression: Expression) -> bool:
        """Whether a server of this kind may refuse an expression that has come to stand in its DDL."""
        return expression.dialect != self.adapter.name

    def _check_accepted(self, table: Table, expression: Expression | str) -> None:
        """:raises Untranslatable: the server was asked, and refuses the expression, or the default of that column."""
        if why := self.refused.get((table.qname, expression)):
            raise Untranslatable(f"{self.title} refuses it: {why}")
