"""SQL expressions between dialects, through sqlglot in its strict mode: what it cannot say exactly is refused.

Types never go this way (sqlglot's type mappings lose); only checks, defaults, generated columns, index expressions and
views do, and each is checked by the target server when it is created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sqlglot
from sqlglot import errors as glot
from sqlglot import exp

from migrator.errors import MigratorError
from migrator.model.objects import QName

from .grouping import Precedence, grouped
from .words import Word, divided


class Untranslatable(Exception):
    """The expression has no exact counterpart in the target's SQL; ``str()`` says why."""


@contextmanager
def understood() -> Iterator[None]:
    """Around all that reads another database's SQL: whatever it stumbles over is not translated, and no job ends by it.

    :raises Untranslatable: it stumbled.
    """
    try:
        yield
    except (Untranslatable, MigratorError):
        raise
    except Exception as error:
        raise Untranslatable(f"not understood: {_said(error)}") from error


@dataclass(frozen=True)
class Language:
    """A database's SQL, as it is read: what sqlglot calls it, and how its operators bind; None: as sqlglot takes them.

    ``ignores_case``: names of columns, and of a query's own parts, that differ only in case are one. ``ignores_table_case``:
    those of tables in the texts of views are, too.
    """

    sqlglot: str
    precedence: Precedence | None = None
    ignores_case: bool = False
    ignores_table_case: bool = False

    @understood()
    def words(self, sql: str) -> tuple[Word, ...]:
        """The words of a text.

        :raises Untranslatable: it cannot be divided.
        """
        return divided(sql, self.sqlglot)


def _said(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


@understood()
def parse(sql: str, read: Language) -> exp.Expr:
    """The expression or query as a tree.

    :raises Untranslatable: sqlglot does not understand it.
    """
    text = grouped(sql, read.sqlglot, read.precedence) if read.precedence is not None else sql
    tree = sqlglot.parse_one(text, read=read.sqlglot, error_level=glot.ErrorLevel.RAISE)
    if isinstance(tree, exp.Command):
        raise Untranslatable("not understood")
    return tree


def names_shown(sql: str, read: Language) -> tuple[str, ...]:
    """What a query calls its columns; ``*`` for those that it does not name.

    :raises Untranslatable: sqlglot does not understand it.
    """
    tree = parse(sql, read)
    return tuple(tree.named_selects) if isinstance(tree, exp.Query) else ()


def names_all(sql: str, read: Language) -> bool:
    """Whether a query says what each of its columns is called: none is computed without a name.

    :raises Untranslatable: sqlglot does not understand it.
    """
    tree = parse(sql, read)
    return isinstance(tree, exp.Query) and all(isinstance(one, exp.Alias | exp.Column | exp.Star) for one in tree.selects)


def reads_clock(sql: str, read: Language) -> bool:
    """Whether an expression or query asks for the current date or time.

    :raises Untranslatable: sqlglot does not understand it.
    """
    return parse(sql, read).find(exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp) is not None


@understood()
def parse_value(sql: str, read: Language) -> exp.Expr:
    """An expression as a tree, also where a statement begins as it does: MySQL has a function REPLACE, and a statement.

    :raises Untranslatable: sqlglot does not understand it, or there is more than one expression.
    """
    select = parse(f"SELECT {sql}", read)
    said = {name for name, value in select.args.items() if value}
    if not isinstance(select, exp.Select) or said != {"expressions"} or len(select.expressions) != 1:
        raise Untranslatable("not understood")
    value: exp.Expr = select.expressions[0].pop()
    if isinstance(value, exp.Alias):
        raise Untranslatable("not understood")
    return value


@understood()
def generate(tree: exp.Expr, write: str) -> str:
    """The tree in another dialect.

    :raises Untranslatable: it has a construct the dialect lacks.
    """
    try:
        return tree.sql(dialect=write, unsupported_level=glot.ErrorLevel.RAISE)
    except glot.SqlglotError as error:
        raise Untranslatable(_said(error)) from error


@understood()
def rename_tables(sql: str, read: Language, renames: Mapping[QName, QName], default_schema: str) -> str:
    """``sql`` with its references to tables renamed, in the same dialect; all else of the text stays as it is.

    ``renames``: tables that keep their names may be among them, so that no other spelling of another one's name means them.

    :raises Untranslatable: sqlglot does not understand it, or a new name is one that the query gives to a part of itself.
    """
    tree = parse(sql, Language(read.sqlglot))  # parentheses tell nothing of tables, and would move them
    folded = {(name.schema.lower(), name.name.lower()): name for name in renames} if read.ignores_table_case else {}
    edits: list[tuple[int, int, str]] = []

    def written(name: str) -> str:
        return exp.to_identifier(name, quoted=True).sql(dialect=read.sqlglot)

    for node in _tables(tree, read):
        said = QName(node.db or default_schema, node.name)
        known = said if said in renames else folded.get((said.schema.lower(), said.name.lower()))
        if known is None or renames[known] == known:
            continue
        target = renames[known]
        if not node.db and _is_of_with(node, target.name, read):
            raise Untranslatable(f"it has a query {target.name} of its own")
        name = written(target.name)
        if not node.alias and target.name != node.name:
            name += f" AS {written(node.name)}"
        edits.append((*_place(node.this), name))
        if node.db:
            edits.append((*_place(node.args["db"]), written(target.schema)))
    if edits:  # schema.table.column: the table's own name suffices
        schemas = (column for column in tree.find_all(exp.Column) if column.db)
        edits += ((_place(column.args["db"])[0], _place(column.args["table"])[0], "") for column in schemas)
    made, passed = [], 0
    for start, end, new in sorted(edits):
        made += [sql[passed:start], new]
        passed = end
    return "".join((*made, sql[passed:]))


def _place(name: exp.Expr) -> tuple[int, int]:
    """Where a name stands in the text that was parsed: its start, and the place behind its end."""
    if not {"start", "end"} <= name.meta.keys():
        raise Untranslatable("not understood")
    return name.meta["start"], name.meta["end"] + 1


def _tables(tree: exp.Expr, read: Language) -> list[exp.Table]:
    """The tables and views that a query reads: names without a schema may be those of queries in a WITH around them."""
    return [node for node in tree.find_all(exp.Table) if node.db or not _is_of_with(node, node.name, read)]


def _is_of_with(node: exp.Expr, name: str, read: Language) -> bool:
    """Whether a WITH around ``node`` has a query of that name."""

    def said(name: str) -> str:
        return name.lower() if read.ignores_case else name

    withs = (around.args.get("with_") for around in _around(node))
    return any(said(cte.alias) == said(name) for with_ in withs if with_ is not None for cte in with_.expressions)


def _around(node: exp.Expr) -> Iterator[exp.Expr]:
    """What ``node`` is a part of, from the inside."""
    while (around := node.parent) is not None:
        yield around
        node = around


@understood()
def with_value(sql: str, read: Language, column: str) -> str:
    """A domain's check ``sql`` as a check of ``column``, in the same dialect: a domain calls its value VALUE.

    :raises Untranslatable: sqlglot does not understand it.
    """
    tree = parse(sql, read)
    for node in tree.find_all(exp.Column):
        if node.name.lower() == "value" and not node.this.quoted:
            node.set("this", exp.to_identifier(column, quoted=True))
    return generate(tree, read.sqlglot)


def tables_in(sql: str, read: str, default_schema: str) -> tuple[QName, ...]:
    """The tables and views that a query of sqlglot's dialect ``read`` reads; empty where sqlglot does not understand it."""
    language = Language(read)
    try:
        tree = parse(sql, language)
    except Untranslatable:
        return ()
    found = [QName(node.db or default_schema, node.name) for node in _tables(tree, language)]
    return tuple(dict.fromkeys(found))
