"""Queries from one database's SQL into another's: their structure through sqlglot, all expressions through a carrier."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, permutations

from sqlglot import exp

from . import Untranslatable, generate
from .carrier import Carrier, Inner, Target, called
from .semantics import TEXTS, Change, Semantics, Value, comparable, told_apart
from .signs import sign_of_one

Relation = Mapping[str, Value]
"""The columns of a table or query in order: the name and, with the bare name as SQL, what it is."""


@dataclass(frozen=True)
class Found:
    """A table or view that a query reads: its name as the target writes it, its columns, and those of its primary key."""

    schema: str
    name: str
    columns: Relation
    key: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Carried:
    """A query in the target's SQL, its columns, and what changes with it: rules and sentences as losses have them.

    ``names``: what a view has to say that its columns are called; empty: as they are in the query.
    """

    sql: str
    columns: Relation
    changes: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scope:
    """What the names in a SELECT mean: its sources by alias, in small letters, and the scope around it.

    ``named``: the queries of WITH, and ``later``: the names of those that are not made yet but hide tables already.
    """

    sources: Mapping[str, tuple[str, Found]]
    outer: _Scope | None = None
    named: Mapping[str, Found] = field(default_factory=dict)
    later: frozenset[str] = frozenset()


_SELECT = frozenset(
    {"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset"}
)
_SHAPES: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Select: _SELECT,
    exp.Union: frozenset({"with_", "this", "expression", "distinct", "order", "limit", "offset"}),
    exp.Intersect: frozenset({"with_", "this", "expression", "distinct", "order"}),
    exp.Except: frozenset({"with_", "this", "expression", "distinct", "order"}),
    exp.Join: frozenset({"this", "on", "side", "kind", "using"}),
    exp.Table: frozenset({"this", "alias", "db"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.With: frozenset({"expressions"}),
    exp.Group: frozenset({"expressions"}),
    exp.Distinct: frozenset(),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
}
"""The parts of a query that all databases have. What has others is not carried."""

_AMBIGUOUS = "{} is a column of a table and another one of the query"


class QueryCarrier:
    """Carries queries.

    ``find``: the table or view of a name as the source writes it. ``quote`` and ``write``: how the target writes names, and
    sqlglot's name of its SQL. ``schemas``: whether it has several. ``language``: what sqlglot calls the source's SQL.
    """

    def __init__(
        self,
        source: Semantics,
        target: Target,
        find: Callable[[exp.Table], Found],
        quote: Callable[[str], str],
        write: str,
        *,
        schemas: bool,
        language: str,
    ) -> None:
        self._source, self._target, self._find, self._quote, self._write = source, target, find, quote, write
        self._schemas, self._language = schemas, language
        self._changes: dict[Change, None] = {}
        self._tables: frozenset[str] = frozenset()
        """The tables that are named with a schema, and lose it, in small letters."""
        self._said: frozenset[str] = frozenset()
        """The names of all tables and queries of WITH, in small letters."""

    def carried(self, tree: exp.Expr) -> Carried:
        """A whole query.

        :raises Untranslatable: something in it has no known counterpart.
        """
        tree = tree.copy()
        tables = list(tree.find_all(exp.Table))
        self._tables = frozenset(table.name.lower() for table in tables if table.db and not self._schemas)
        self._said = frozenset(
            name.lower() for node in (*tables, *tree.find_all(exp.CTE)) for name in (node.name, node.alias)
        )
        columns = self._query(tree, None)
        return Carried(generate(tree, self._write), columns, tuple(self._changes))

    # --- structure --------------------------------------------------------------------------------------------------

    def _query(self, node: exp.Expr, outer: _Scope | None) -> Relation:
        """Makes the query at ``node`` the target's; returns its columns."""
        if isinstance(node, exp.Subquery) and not node.alias:
            _check(node)
            return self._query(node.this, outer)
        if isinstance(node, exp.SetOperation):
            return self._combined(node, outer)
        if not isinstance(node, exp.Select):
            raise Untranslatable(f"{called(node, self._language)} as a query")
        return self._select(node, outer)

    def _named(self, node: exp.Expr, outer: _Scope | None) -> _Scope:
        """The scope with the queries of WITH."""
        scope = _Scope({}, outer, outer.named, outer.later) if outer is not None else _Scope({})
        with_ = node.args.get("with_")
        if with_ is None:
            return scope
        _check(with_)
        if self._source.with_is_whole:
            scope = replace(scope, later=scope.later | {cte.alias.lower() for cte in with_.expressions})
        for cte in with_.expressions:
            _check(cte)
            key = cte.alias.lower()
            columns = self._renamed(self._query(cte.this, scope), cte.args.get("alias"))
            found = Found("", self._free(cte.alias), columns)
            _spell(cte.args["alias"].this, found.name, self._quote)
            scope = replace(scope, named={**scope.named, key: found}, later=scope.later - {key})
        return scope

    def _free(self, name: str) -> str:
        """A name for a query of WITH by which it hides no table that loses its schema."""
        if name.lower() not in self._tables:
            return name
        return next(free for n in count(1) if (free := f"{name}_{n}").lower() not in self._said)

    def _renamed(self, columns: Relation, alias: exp.Expr | None) -> Relation:
        """The columns by the names that an alias gives them."""
        for identifier in alias.find_all(exp.Identifier) if alias is not None else ():
            _spell(identifier, identifier.name, self._quote)
        given = alias.args.get("columns") or [] if alias is not None else []
        names = [identifier.name for identifier in given] + list(columns)[len(given) :]
        return {name: replace(c, sql=self._quote(name)) for name, c in zip(names, columns.values(), strict=True)}

    def _combined(self, node: exp.SetOperation, outer: _Scope | None) -> Relation:
        _check(node)
        operator = f"{type(node).__name__.upper()}{'' if node.args.get('distinct') else ' ALL'}"
        if operator not in self._target.semantics.sets:
            raise Untranslatable(f"{self._target.title} has no {operator} in all its releases")
        scope = self._named(node, outer)
        left, right = self._query(node.left, scope), self._query(node.right, scope)
        merged: dict[str, Value] = {}
        for (name, first), second in zip(left.items(), right.values(), strict=True):
            both = [value for value in (first, second) if value.kind != "null"] or [first]
            if node.args.get("distinct"):
                self._carrier(scope).refuse_large(both)
            if len({value.large for value in both}) > 1:
                raise Untranslatable(f"{name} is a LOB in one of its queries, and a shorter text in another")
            told = comparable((*both, *both)) and all(map(self._carrier(scope).tells_apart, both))
            if len({_family(value) for value in both}) > 1 or (node.args.get("distinct") and not told):
                raise Untranslatable(f"{name} is {first.kind} and {second.kind}, which are not told apart alike")
            kind = "decimal" if {v.kind for v in both} == {"integer", "decimal"} else both[-1].kind
            known = all(value.never_zero for value in both)
            computed = sign_of_one(both)
            merged[name] = replace(both[0], kind=kind, constant=None, nullable=True, computed=computed, never_zero=known)
        self._end(node, _Scope({}), merged)
        return merged

    def _select(self, node: exp.Select, outer: _Scope | None) -> Relation:
        _check(node)
        around = self._named(node, outer)
        sources: dict[str, tuple[str, Found]] = {}
        _unnest(node)
        origins = [node.args["from_"]] if node.args.get("from_") is not None else []
        for origin in (*origins, *(node.args.get("joins") or [])):
            self._source_of(origin.this, around, sources)
        scope = _Scope(sources, outer, around.named, around.later)
        self._expand_stars(node, scope)
        if not self._target.semantics.qualifies_using:
            _unqualify(node, scope)
        for join in node.args.get("joins") or []:
            self._join(join, scope)
        carrier = self._carrier(scope)
        asked = node.copy()
        for clause in ("where", "having"):
            if (part := node.args.get(clause)) is not None:
                part.set("this", exp.Var(this=carrier.condition(part.this).sql))
        aliased = {item.alias.lower(): item.unalias() for item in node.expressions if item.alias}
        sourced = {name.lower() for _, found in sources.values() for name in found.columns}
        computed = {name for name, item in aliased.items() if name in sourced and not _is_called(item, name)}
        columns, written = self._shown(node, scope, carrier)
        in_full = self._target.semantics.groups_in_full
        if not self._source.groups_strictly or in_full:
            _refuse_ungrouped(asked, scope, in_full=in_full)
        self._grouped(node, carrier, columns, computed, written)
        if (distinct := node.args.get("distinct")) is not None:
            _check(distinct)
            carrier.refuse_large(tuple(columns.values()))
            _all_comparable(columns, carrier)
        self._end(node, scope, columns, computed)
        if self._target.semantics.dual and not sources:
            node.set("from_", exp.From(this=exp.Var(this=self._target.semantics.dual)))
        return columns

    def _carrier(self, scope: _Scope) -> Carrier:
        def inner(node: exp.Expr) -> Inner:
            query = node.copy()
            bare = query.this if isinstance(query, exp.Subquery) else query
            single = self._is_single(bare, scope)
            columns = self._query(query, scope)
            return Inner(f"({generate(bare, self._write)})", tuple(columns.values()), single)

        columns = partial(self._column, scope=scope)
        return Carrier(self._source, self._target, columns, inner, read=True, changes=self._changes, language=self._language)

    def _is_single(self, query: exp.Expr, outer: _Scope) -> bool:
        """Whether a query has one row at most: all rows become one, one is the limit, or it asks for one value of a key."""
        limit, joins = query.args.get("limit"), query.args.get("joins")
        if isinstance(limit, exp.Limit) and limit.expression.name in {"0", "1"}:
            return True
        if not isinstance(query, exp.Select):
            return False
        if query.args.get("group") is None and any(_aggregates(item) for item in query.expressions):
            return True
        origin = query.args["from_"].this if query.args.get("from_") is not None else None
        if origin is None or joins or not isinstance(origin, exp.Table):
            return origin is None
        if query.args.get("with_") or (not origin.db and origin.name.lower() in outer.named):
            return False
        key = {name.lower() for name in self._find(origin).key}
        return bool(key) and key <= set(_asked_for(query, origin.alias_or_name.lower()))

    def _source_of(self, node: exp.Expr, scope: _Scope, sources: dict[str, tuple[str, Found]]) -> None:
        """Adds a table or a query in FROM to the sources."""
        if not isinstance(node, exp.Table | exp.Subquery):
            raise Untranslatable(f"{called(node, self._language)} in FROM")
        _check(node)
        alias = node.args.get("alias")
        named = alias is not None and alias.args.get("columns")
        if isinstance(node, exp.Subquery):
            if named:
                _name_inside(node)
            found = Found("", node.alias, self._renamed(self._query(node.this, scope), alias))
        elif not node.db and node.name.lower() in scope.later:
            raise Untranslatable(f"it reads {node.name} before WITH says what that is")
        elif not node.db and node.name.lower() in scope.named:
            query = scope.named[node.name.lower()]
            found = Found("", node.name, self._renamed(query.columns, alias))
            if alias is None and query.name != node.name:
                node.set("alias", exp.TableAlias(this=exp.Identifier()))
                _spell(node.args["alias"].this, node.name, self._quote)
            _spell(node.this, query.name, self._quote)
        else:
            relation = self._find(node)
            found = replace(relation, columns=self._renamed(relation.columns, alias))
            _spell(node.this, relation.name, self._quote)
            quoted = self._quote(relation.schema) != relation.schema
            node.set("db", exp.Identifier(this=relation.schema, quoted=quoted) if self._schemas else None)
        if named and not isinstance(node, exp.Subquery):
            raise Untranslatable("names for the columns of a table in FROM")
        name = node.alias or found.name
        if name.lower() in sources:
            raise Untranslatable(f"two sources are called {name}")
        sources[name.lower()] = (name, found)

    def _join(self, join: exp.Join, scope: _Scope) -> None:
        _check(join)
        side, kind = (join.args.get("side") or "").upper(), (join.args.get("kind") or "").upper()
        if side not in self._target.semantics.joins or kind not in {"", "INNER", "OUTER", "CROSS"}:
            raise Untranslatable(f"{self._target.title} is not known to have {side} {kind} JOIN".replace("  ", " "))
        if (on := join.args.get("on")) is not None:
            join.set("on", exp.Var(this=self._carrier(scope).condition(on).sql))
        for identifier in join.args.get("using") or []:
            found = [value for _, (_, f) in scope.sources.items() if (value := _by_name(f.columns, identifier.name))]
            if self._of_several(join, identifier.name, scope):
                raise Untranslatable(f"which {identifier.name} USING joins differs: several tables before it have one")
            if not found or not comparable(found) or not all(map(self._carrier(scope).tells_apart, found)):
                raise Untranslatable(f"how {identifier.name} is compared differs")
            _spell(identifier, _real(scope, identifier.name), self._quote)

    def _of_several(self, join: exp.Join, name: str, scope: _Scope) -> bool:
        """Whether several tables before a join have a column that USING names, and no USING has made them one."""
        joins = join.parent.args["joins"] if join.parent is not None else []
        before = list(scope.sources)[: list(scope.sources).index(join.this.alias_or_name.lower())]
        owners = [alias for alias in before if _by_name(scope.sources[alias][1].columns, name) is not None]
        return len(owners) > 1 + sum(name.lower() in _named_by(other) for other in joins[: joins.index(join)])

    # --- what is shown ----------------------------------------------------------------------------------------------

    def _shown(self, node: exp.Select, scope: _Scope, carrier: Carrier) -> tuple[Relation, Mapping[str, str]]:
        """The columns that a query shows, and the SQL of those that it names one by one."""
        columns: dict[str, Value] = {}
        written: dict[str, str] = {}
        shown: list[exp.Expr] = []
        for item in node.expressions:
            bare = item.unalias()
            if isinstance(bare, exp.Star) or (isinstance(bare, exp.Column) and isinstance(bare.this, exp.Star)):
                columns |= self._all(item, scope)
                shown.append(item)
                continue
            value = carrier.value(bare)
            name = item.alias or (_real(scope, bare.name) if isinstance(bare, exp.Column) else bare.sql())
            columns[name] = replace(value, sql=self._quote(name), level=9, constant=None, nullable=True)
            written[name] = value.sql
            sql: exp.Expr = exp.Var(this=value.sql)
            alias = exp.Identifier(this=item.alias, quoted=self._quote(item.alias) != item.alias) if item.alias else None
            shown.append(exp.Alias(this=sql, alias=alias) if alias is not None else sql)
        if len(columns) < len(shown):
            raise Untranslatable("two of its columns have one name")
        node.set("expressions", shown)
        return columns, written

    def _expand_stars(self, node: exp.Select, scope: _Scope) -> None:
        """Makes ``*`` the columns that it stands for where databases differ in them, their order, or where it may stand.

        Views keep ``*`` in SQLite alone: columns that USING joins stand where the first table has them.
        """
        using = _using(node)
        shown: list[exp.Expr] = []
        for item in node.expressions:
            column, known = item.unalias(), dict(scope.sources.values())
            if isinstance(column, exp.Column) and isinstance(column.this, exp.Star) and using:
                name, found = scope.sources.get(column.table.lower(), ("", None))
                shown += [item] if found is None else [_named(c, name) for c in found.columns]
            elif not isinstance(item, exp.Star):
                shown.append(item)
            elif using and not any(item.args.get(part) for part in ("except_", "replace", "rename")):
                joining = {join.this.alias_or_name.lower(): _named_by(join) for join in node.args.get("joins") or []}
                for name, found in known.items():
                    own = [c for c in found.columns if c.lower() not in joining.get(name.lower(), ())]
                    shown += [_named(c, "" if c.lower() in using else name) for c in own]
            elif len(node.expressions) > 1 and not self._target.semantics.star_and_more:
                shown += [exp.Column(this=item.copy(), table=exp.to_identifier(name)) for name in known]
            else:
                shown.append(item)
        node.set("expressions", shown)

    def _all(self, star: exp.Expr, scope: _Scope) -> Relation:
        """The columns of ``*`` or ``t.*``, which stays as it is."""
        if isinstance(star, exp.Column):
            name, found = scope.sources.get(star.table.lower(), ("", None))
            if found is None:
                raise Untranslatable(f"{star.sql()} is not known")
            _spell(star.args["table"], name, self._quote)
            return dict(found.columns)
        if star.args.get("except_") or star.args.get("replace") or star.args.get("rename"):
            raise Untranslatable("a * with exceptions")
        return {name: value for _, found in scope.sources.values() for name, value in found.columns.items()}

    def _grouped(
        self,
        node: exp.Select,
        carrier: Carrier,
        columns: Relation,
        computed: Collection[str],
        written: Mapping[str, str],
    ) -> None:
        """GROUP BY; a name in ``computed`` is that of a source's column and of something else that is shown.

        ``written``: the SQL of what is shown by a name.
        """
        in_full = self._target.semantics.groups_in_full
        group = node.args.get("group")
        if group is None:
            return
        _check(group)
        keys: list[exp.Expr] = []
        for key in (one.unnest() for one in group.expressions):
            if isinstance(key, exp.Literal) and not key.is_string:
                name, value = list(columns.items())[int(key.this) - 1]
                keys.append(exp.Var(this=written.get(name, value.sql)) if in_full else key)
            else:
                value = self._key(key, carrier, columns)
                if isinstance(key, exp.Column) and not key.table and key.name.lower() in computed:
                    raise Untranslatable(_AMBIGUOUS.format(key.name))
                shown = next((name for name, column in columns.items() if column is value), "")
                keys.append(exp.Var(this=written.get(shown, value.sql) if in_full else value.sql))
            carrier.refuse_large((value,))
            if not told_apart(value) and not (comparable((value, value)) and carrier.tells_apart(value)):
                raise Untranslatable(f"how {key.sql()} is told apart from others in groups differs")
        group.set("expressions", keys)

    def _key(self, key: exp.Expr, carrier: Carrier, columns: Relation) -> Value:
        """What is grouped or sorted by: an expression, or the alias of a column that is shown."""
        if isinstance(key, exp.Column) and not key.table and (shown := _by_name(columns, key.name)) is not None:
            return shown
        return carrier.value(key)

    def _end(self, node: exp.Expr, scope: _Scope, columns: Relation, computed: Collection[str] = ()) -> None:
        """ORDER BY and LIMIT; ``computed`` as for GROUP BY."""
        carrier, order = self._carrier(scope), node.args.get("order")
        limited = node.args.get("limit") is not None or node.args.get("offset") is not None
        for part in (node.args.get("limit"), node.args.get("offset")):
            if part is not None:
                _check(part)
                if not isinstance(part.expression, exp.Literal):
                    raise Untranslatable("LIMIT with an expression")
        for item in order.expressions if order is not None else []:
            key, is_alone = item.this.unnest(), not isinstance(item.this, exp.Paren)
            if isinstance(key, exp.Literal) and not key.is_string:
                value = list(columns.values())[int(key.this) - 1]
                item.set("this", key)
            else:
                value = self._key(key, carrier, columns)
                item.set("this", exp.Var(this=value.sql))
                is_shown = isinstance(key, exp.Column) and not key.table and key.name.lower() in computed
                if is_shown and not (is_alone and self._stays_alone(item)):
                    if limited:
                        raise Untranslatable(_AMBIGUOUS.format(key.name))
                    detail = f"rows are sorted by {key.name} as a column of a table, or as what is shown by that name"
                    self._changes["view-order", detail] = None
            carrier.refuse_large((value,))
            if value.kind in TEXTS | {"caseless", "enum", "other"} or not carrier.orders(value):
                if limited:
                    raise Untranslatable(f"which rows come first by {key.sql()} depends on the collation")
                detail = f"rows sorted by {key.sql()} come in the order that this database has for its texts"
                self._changes["view-order", detail] = None

    def _stays_alone(self, item: exp.Expr) -> bool:
        """Whether the target sorts by the name itself; else where NULLs come is said by an expression that the name is in,
        and there a name is that of a table's column."""
        probe = item.copy()
        probe.set("this", exp.Var(this="x"))
        return generate(probe, self._write).startswith("x")

    # --- names ------------------------------------------------------------------------------------------------------

    def _column(self, column: exp.Column, scope: _Scope) -> Value:
        """What a column is, and its name, in this scope or one around it."""
        around: _Scope | None = scope
        while around is not None:
            if column.table:
                name, found = around.sources.get(column.table.lower(), ("", None))
                value = _by_name(found.columns, column.name) if found is not None else None
                if value is not None:
                    return replace(value, sql=f"{self._quote(name)}.{value.sql}")
            else:
                values = [v for _, f in around.sources.values() if (v := _by_name(f.columns, column.name)) is not None]
                if values:
                    if len({(v.kind, v.type) for v in values}) > 1:
                        raise Untranslatable(f"{column.name} can be one of several columns")
                    return values[0]
            around = around.outer
        raise Untranslatable(f"what {column.sql()} is, is not known")


def _using(select: exp.Select) -> dict[str, exp.Join]:
    """The columns that USING names, in small letters, with the first join that does."""
    joins = list(select.args.get("joins") or [])
    return {name: join for join in reversed(joins) for name in _named_by(join)}


def _named_by(join: exp.Join) -> set[str]:
    """The columns that USING names in a join, in small letters."""
    return {identifier.name.lower() for identifier in join.args.get("using") or []}


def _named(column: str, table: str) -> exp.Column:
    return exp.column(exp.to_identifier(column, quoted=True), table=exp.to_identifier(table, quoted=True) if table else None)


def _unqualify(select: exp.Select, scope: _Scope) -> None:
    """Takes the tables from the names of columns that USING names, which inner joins have but once."""
    joins = list(select.args.get("joins") or [])
    for name, first in _using(select).items():
        joining = [join for join in joins if name in _named_by(join)]
        left = [select.args["from_"].this, *(join.this for join in joins[: joins.index(first)])]
        commas = [n for n, join in enumerate(joins[: joins.index(first)]) if not join.args.keys() - {"this", "pivots"}]
        joined = {
            one.alias_or_name.lower() for one in (*left[commas[-1] + 1 if commas else 0 :], *(j.this for j in joining))
        }
        owners = {alias for alias, (_, found) in scope.sources.items() if _by_name(found.columns, name) is not None}
        if others := sorted(owners - joined):
            raise Untranslatable(f"{name} is a column of {others[0]} too, which USING does not join")
        for column in list(select.find_all(exp.Column)):
            if column.name.lower() != name or column.table.lower() not in owners or not _is_of(column, select):
                continue
            if column.find_ancestor(exp.Select) is not select:
                raise Untranslatable(f"a query in it names the table of {name}, which USING has of both tables")
            if any(join.args.get("side") for join in joining):
                raise Untranslatable(f"it names the table of {name}, which USING has of both tables")
            column.set("table", None)


def _name_inside(node: exp.Subquery) -> None:
    """Names the columns of a query in FROM in the query itself: not all databases have ``(…) AS t(a, b)``."""
    alias, query = node.args["alias"], node.this
    while isinstance(query, exp.SetOperation):
        query = query.left
    names = alias.args["columns"]
    is_plain = isinstance(query, exp.Select) and len(query.expressions) >= len(names) and not query.is_star
    if not is_plain or any(node.this.args.get(part) or query.args.get(part) for part in ("group", "having", "order")):
        raise Untranslatable("names for the columns of a query in FROM that has GROUP BY, ORDER BY or *")
    named = [exp.Alias(this=item.unalias(), alias=name.copy()) for item, name in zip(query.expressions, names, strict=False)]
    query.set("expressions", [*named, *query.expressions[len(names) :]])
    alias.set("columns", None)


def _is_of(column: exp.Column, select: exp.Select) -> bool:
    """Whether a column's table is a source of this query, and of none between it and the column."""
    around = column.find_ancestor(exp.Select)
    while around is not None and around is not select:
        origin = around.args.get("from_")
        parts = [*([origin] if origin is not None else []), *(around.args.get("joins") or [])]
        tables = (table for part in parts for table in part.this.find_all(exp.Table, exp.Subquery))
        if column.table.lower() in {table.alias_or_name.lower() for table in tables}:
            return False
        around = around.find_ancestor(exp.Select)
    return True


def _unnest(select: exp.Select) -> None:
    """Takes the parentheses from ``FROM ((a JOIN b ON …) JOIN c ON …)``, as MySQL shows views: joins begin on the left."""
    origin = select.args.get("from_")
    while origin is not None and isinstance(origin.this, exp.Paren | exp.Subquery) and not origin.this.alias:
        outer, inner = origin.this, origin.this.this
        if not isinstance(inner, exp.Table | exp.Subquery | exp.Paren) or (isinstance(inner, exp.Subquery) and inner.alias):
            return
        joins = [*(inner.args.get("joins") or []), *(outer.args.get("joins") or []), *(select.args.get("joins") or [])]
        inner.set("joins", None)
        origin.set("this", inner)
        select.set("joins", joins)


_WRITTEN: Mapping[str, str] = {
    "locks": "FOR UPDATE, or another lock",
    "windows": "WINDOW",
    "sample": "TABLESAMPLE",
    "on": "DISTINCT ON",
    "recursive": "WITH RECURSIVE",
    "method": "NATURAL",
    "hint": "a hint",
    "hints": "a hint",
    "version": "FOR SYSTEM_TIME",
    "grouping_sets": "GROUPING SETS",
    "ordinality": "WITH ORDINALITY",
    "laterals": "LATERAL",
    "order": "ORDER BY",
}
"""How SQL writes the parts of a query that go by another name here."""


def _check(node: exp.Expr) -> None:
    allowed = _SHAPES.get(type(node))
    if allowed is None:
        raise Untranslatable(f"{called(node, '')} as part of a query")
    for name, said in node.args.items():
        if said and name not in allowed and name not in {"operation_modifiers", "kind"}:
            raise Untranslatable(f"a query with {_WRITTEN.get(name, name.strip('_').upper().replace('_', ' '))}")


def _is_called(item: exp.Expr, name: str) -> bool:
    """Whether what is shown by a name is a column of that name."""
    return isinstance(item, exp.Column) and item.name.lower() == name


def _spell(identifier: exp.Expr, name: str, quote: Callable[[str], str]) -> None:
    identifier.set("this", name)
    identifier.set("quoted", quote(name) != name)


def _by_name(columns: Relation, name: str) -> Value | None:
    if name in columns:
        return columns[name]
    found = [value for known, value in columns.items() if known.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def _real(scope: _Scope, name: str) -> str:
    """A column's name as its table has it."""
    names = [known for _, found in scope.sources.values() for known in found.columns]
    return name if name in names else next((known for known in names if known.lower() == name.lower()), name)


def _family(value: Value) -> str:
    if value.kind in {"integer", "whole", "decimal"}:
        return "exact"
    return "text" if value.kind in TEXTS else value.kind


def _all_comparable(columns: Relation, carrier: Carrier) -> None:
    for name, value in columns.items():
        known = comparable((value, value)) and carrier.tells_apart(value)
        if not known and not told_apart(value) and value.kind != "null":
            raise Untranslatable(f"how {name} is told apart from others differs")


# --- single rows -----------------------------------------------------------------------------------------------------


def _asked_for(select: exp.Select, source: str) -> Iterator[str]:
    """The columns of its only source of which a query asks for one value, which is another query's or a constant."""
    where = select.args.get("where")
    for condition in _conditions(where.this) if where is not None else ():
        if not isinstance(condition, exp.EQ):
            continue
        for one, other in permutations((condition.this.unnest(), condition.expression.unnest())):
            of_others = (column.table and column.table.lower() != source for column in other.find_all(exp.Column))
            if isinstance(one, exp.Column) and one.table.lower() in {"", source} and all(of_others):
                yield one.name.lower()


def _conditions(node: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that AND connects."""
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from _conditions(node.this)
        yield from _conditions(node.expression)
    else:
        yield node


# --- grouping -------------------------------------------------------------------------------------------------------


def _refuse_ungrouped(select: exp.Select, scope: _Scope, *, in_full: bool) -> None:
    """Refuse a query that shows one of several values of a group, whichever comes.

    ``in_full``: all columns that are shown and sorted by must be grouped by, those too that follow from a key.
    """
    group = select.args.get("group")
    shown = [item.unalias() for item in select.expressions]
    if group is None and not any(_aggregates(item) for item in shown):
        return
    keys: list[exp.Expr] = []
    for key in group.expressions if group is not None else []:
        number = isinstance(key, exp.Literal) and not key.is_string
        alias = next((i.unalias() for i in select.expressions if i.alias and i.alias.lower() == key.name.lower()), None)
        keys.append(shown[int(key.this) - 1] if number else key if alias is None else alias)
    known = {key.sql().lower() for key in keys} | {key.name.lower() for key in keys if isinstance(key, exp.Column)}
    sources = {} if in_full else scope.sources
    whole = {alias for alias, (_, found) in sources.items() if found.key and {k.lower() for k in found.key} <= known}
    having, order = select.args.get("having"), select.args.get("order")
    items = [*shown, *([having.this] if having is not None else [])]
    if in_full and order is not None:
        named = {item.alias.lower() for item in select.expressions if item.alias}
        items += [item.this for item in order.expressions if item.this.name.lower() not in named]
    for item in items:
        column = _ungrouped(item, known)
        if column is not None and (column.table.lower() not in whole):
            raise Untranslatable(f"it shows {column.name} without grouping by it")


def _aggregates(node: exp.Expr) -> bool:
    if isinstance(node, exp.Window | exp.Query):
        return False
    return isinstance(node, exp.AggFunc) or any(_aggregates(part) for part in node.iter_expressions())


def _ungrouped(node: exp.Expr, known: Collection[str]) -> exp.Column | None:
    if isinstance(node, exp.AggFunc | exp.Filter | exp.Query) or node.sql().lower() in known:
        return None
    if isinstance(node, exp.Column):
        return None if node.name.lower() in known else node
    return next((found for part in node.iter_expressions() if (found := _ungrouped(part, known)) is not None), None)
