"""A SQLite database as a catalog: from its schema table, its pragmas and the text of its CREATE statements.

The pragmas are called as table-valued functions over all tables at once, so the number of queries does not grow with the
number of tables (the proof by data adds one scan a table).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, cast

import sqlalchemy as sa

from migrator.expressions import Language, Untranslatable, names_all, tables_in
from migrator.model import types as t
from migrator.model.catalog import DATABASE, Catalog, Loss, path_of
from migrator.model.equality import EXACT
from migrator.model.objects import (
    Action,
    Check,
    Column,
    Default,
    Expression,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    Literal,
    Object,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Table,
    Unique,
    View,
)

from .apart import asked_apart
from .declaration import VIRTUAL_TABLE, Clause, TableText, content_of, read_index, read_table, read_view
from .defaults import as_stored, default_of
from .granules import SAMPLED_ROWS, length_of
from .names import quote, rowid_of
from .proof import Apart, Declared, Proved, Scan, prove
from .types import DIALECT, EQUALITIES, neutral

SCHEMA = "main"
"""The name of a SQLite file's one schema."""

_VIRTUAL_GENERATED, _STORED_GENERATED = 2, 3  # pragma table_xinfo's "hidden"

Row = list[Any]


def _rows(connection: sa.Connection, columns: str, source: str) -> list[Row]:
    """Rows as JSON arrays: one text column, whatever types a driver would guess for the parts."""
    result = connection.exec_driver_sql(f"SELECT json_array({columns}) FROM {source}")
    return [json.loads(text) for (text,) in result]


_COLUMNS = (
    "sqlite_schema AS m, pragma_table_info(m.name) AS c "
    "WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY m.name, c.cid"
)


def tables_of(connection: sa.Connection, columns: Sequence[str]) -> tuple[QName, ...]:
    """The tables that have these columns, in this order, and no other."""
    found: dict[str, list[str]] = defaultdict(list)
    for table, column in _rows(connection, "m.name, lower(c.name)", _COLUMNS):
        found[table].append(column)
    return tuple(QName(SCHEMA, table) for table, own in found.items() if own == list(columns))


def _grouped(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for name, *rest in rows:
        groups[name].append(rest)
    return groups


_NUMBERS = ("user_version", "application_id")
"""Numbers that a file keeps for those who use it."""

_TABLES = "pragma_table_list AS t"
_ORDINARY = "WHERE t.schema = 'main' AND t.type IN ('table', 'shadow')"


@dataclass(frozen=True)
class _Facts:
    """Everything the schema table and the pragmas say, by table name."""

    schema: list[Row]
    kinds: Mapping[str, Row]
    columns: Mapping[str, list[Row]]
    foreign_keys: Mapping[str, list[Row]]
    indexes: Mapping[str, list[Row]]
    index_keys: Mapping[str, list[Row]]
    positions: Mapping[str, int]


def _facts(connection: sa.Connection) -> _Facts:
    schema = _rows(connection, "type, name, tbl_name, sql", "sqlite_schema ORDER BY rowid")
    kinds = {row[0]: row[1:] for row in _rows(connection, "name, type, wr, strict", f"{_TABLES} WHERE schema = 'main'")}
    columns = _rows(
        connection,
        't.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden',
        f"{_TABLES}, pragma_table_xinfo(t.name) AS x {_ORDINARY} ORDER BY t.name, x.cid",
    )
    keys = _rows(
        connection,
        't.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete',
        f"{_TABLES}, pragma_foreign_key_list(t.name) AS f {_ORDINARY} ORDER BY t.name, f.id DESC, f.seq",
    )
    indexes = _rows(
        connection,
        'DISTINCT t.name, i.seq, i.name, i."unique", i.origin',
        f"{_TABLES}, pragma_index_list(t.name) AS i {_ORDINARY} ORDER BY t.name, i.seq DESC",
    )
    index_keys = _rows(
        connection,
        'i.name, k.cid, k.name, k."desc", k.coll',
        f"{_TABLES}, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS k {_ORDINARY} AND k.key"
        " ORDER BY i.name, k.seqno",
    )
    counted = any(row[1] == "sqlite_sequence" for row in schema)
    positions = {row[0]: row[1] or 0 for row in _rows(connection, "name, seq", "sqlite_sequence")} if counted else {}
    return _Facts(schema, kinds, _grouped(columns), _grouped(keys), _grouped(indexes), _grouped(index_keys), positions)


def read_catalog(connection: sa.Connection, version: str, *, proof: bool | Collection[QName]) -> Catalog:
    """All objects of the database's one schema; see :meth:`migrator.adapter.Adapter.catalog`."""
    return _Dictionary(connection, _facts(connection), proof).catalog(version)


_LARGE = 100_000
"""Rowids that are worth a second process."""


class _Dictionary:
    """The objects of one database, made from its facts."""

    def __init__(self, connection: sa.Connection, facts: _Facts, proof: bool | Collection[QName]) -> None:
        self.connection, self.facts, self.proof = connection, facts, proof
        self.losses: list[Loss] = []
        self.real = {name.lower(): name for name in facts.kinds}
        self.index_sql = {row[1]: row[3] for row in facts.schema if row[0] == "index"}

    def catalog(self, version: str) -> Catalog:
        tables: list[Object] = []
        views: list[View] = []
        triggers: list[Object] = []
        for kind, name, owner, sql in self.facts.schema:
            if name.startswith("sqlite_"):
                continue
            if kind == "table":
                tables += self._table_like(name, sql)
            elif kind == "view":
                views.append(self._view(name, sql))
            elif kind == "trigger":
                triggers.append(Program(SCHEMA, name, "TRIGGER", Expression(sql, DIALECT), owner))
        for name in _NUMBERS:
            if number := self.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one():
                self.losses.append(Loss(f'PRAGMA:"{name}"', "pragma", f"not carried: {number}", part_of=DATABASE))
        encoding = self.connection.exec_driver_sql("PRAGMA encoding").scalar_one()
        if encoding != "UTF-8":  # by whose bytes texts are sorted
            self.losses.append(Loss('PRAGMA:"encoding"', "pragma", f"not carried: {encoding}", part_of=DATABASE))
        return Catalog(DIALECT, version, (Schema(SCHEMA), *tables, *in_order(views), *triggers), tuple(self.losses))

    def _table_like(self, name: str, sql: str) -> list[Object]:
        kind = self.facts.kinds[name][0]
        if kind == "table" or (kind == "shadow" and name.lower() in self.contents):
            return [self._table(name, sql)]
        if kind == "virtual":
            beside = sorted(other for other, (of, *_) in self.facts.kinds.items() if of == "shadow")
            own = (other for other in beside if other.startswith(f"{name}_") and other.lower() not in self.contents)
            shadows = [quote(other) for other in own]
            with_them = f", with its shadow tables {', '.join(shadows)}" if shadows else ""
            detail = f"not carried: a virtual table{with_them}: {' '.join(sql.split())}"
            self.losses.append(Loss(f'TABLE:"{SCHEMA}"."{name}"', VIRTUAL_TABLE, detail))
        return []

    @cached_property
    def contents(self) -> frozenset[str]:
        """The tables, in small letters, that full-text tables read their texts from: SQLite tells a shadow by its name."""
        virtual = (sql for _, name, _, sql in self.facts.schema if self.facts.kinds.get(name, [""])[0] == "virtual")
        return frozenset(name.lower() for sql in virtual if (name := content_of(sql)))

    # --- tables -----------------------------------------------------------------------------------------------------

    def _table(self, name: str, sql: str) -> Table:
        text = read_table(sql)
        rows, proved = self._prove(name)
        table = Table(SCHEMA, name, (), rows=rows, bytes=self._bytes(name, rows), options=self._options(name))
        alias = self._rowid_alias(name)
        columns = [
            self._column(table, text, row, found, alias) for row, found in zip(self.facts.columns[name], proved, strict=True)
        ]
        key = self._key_columns(name)
        table = replace(
            table,
            columns=tuple(columns),
            uniques=self._uniques(name, text),
            checks=tuple(Check(c.name, Expression(c.expression, DIALECT)) for c in text.of("CHECK")),
            foreign_keys=self._foreign_keys(name, text),
            indexes=self._indexes(name, text),
        )
        for index, falling in self._falling(name):
            over = ", ".join(key[1] for key in self.facts.index_keys[index])
            self._lose(table, "key-order", f"the key over {over} rises here (at the source: DESC {', '.join(falling)})")
        for clause in text.clauses:
            if clause.on_conflict not in {"", "ABORT"}:
                detail = f"{clause.kind} raises an error instead of ON CONFLICT {clause.on_conflict}"
                self._lose(table, "on-conflict", detail)
        return self._keyed(table, text, key, proved)

    def _falling(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """The indexes of keys with columns in descending order, but for INTEGER PRIMARY KEY DESC, which is kept."""
        types = {row[0]: row[1].upper() for row in self.facts.columns[name]}
        for _, index, _, origin in self.facts.indexes.get(name, []):
            keys = self.facts.index_keys[index]
            falling = [key[1] for key in keys if key[2]]
            if falling and origin != "c" and not (origin == "pk" and [types[key[1]] for key in keys] == ["INTEGER"]):
                yield index, falling

    def _lose(self, table: Table, rule: str, detail: str, column: str | None = None, rows: int | None = None) -> None:
        self.losses.append(Loss(path_of(table), rule, detail, column, rows))

    def _options(self, name: str) -> tuple[tuple[str, str], ...]:
        _, without_rowid, strict = self.facts.kinds[name]
        options = {"WITHOUT ROWID": without_rowid, "STRICT": strict}
        return tuple((option, "") for option, is_set in options.items() if is_set)

    def _key_columns(self, name: str) -> tuple[str, ...]:
        keyed = sorted((row[4], row[0]) for row in self.facts.columns[name] if row[4])
        return tuple(column for _, column in keyed)

    def _rowid_alias(self, name: str) -> str | None:
        """The column that is another name of the rowid: a lone key declared INTEGER, without an index of its own."""
        key = self._key_columns(name)
        if len(key) != 1 or self.facts.kinds[name][1]:
            return None
        if any(row[3] == "pk" for row in self.facts.indexes.get(name, [])):
            return None
        return key[0]

    def _prove(self, name: str) -> tuple[int | None, list[Proved]]:
        declared = [Declared(row[0], row[1], neutral(row[1]), bool(row[4])) for row in self.facts.columns[name]]
        if not (self.proof if isinstance(self.proof, bool) else QName(SCHEMA, name) in self.proof):
            return None, [Proved(column.type) for column in declared]

        def run(query: str) -> Sequence[Any]:
            return tuple(self.connection.exec_driver_sql(query).one())

        return prove(run, name, declared, *self._scans(name))

    def _scans(self, name: str) -> tuple[Scan, Apart | None]:
        """What looks at all rows of a table: two processes at once, if it is large and has rowids."""

        def here(asked: str, where: str = "") -> Sequence[Any]:
            return tuple(self.connection.exec_driver_sql(f"SELECT {asked} FROM {quote(name)}{where}").one())

        rowid = rowid_of(row[0] for row in self.facts.columns[name])
        if not rowid or self.facts.kinds[name][1]:
            return here, None
        (first,), (last,) = here(f"min({rowid})"), here(f"max({rowid})")  # asked for both at once, SQLite reads all rows
        if first is None or last - first < _LARGE:
            return here, None
        middle = (first + last) // 2

        def there(asked: str) -> AbstractContextManager[Callable[[], Sequence[Any]]]:
            return asked_apart(self.connection.engine.url, f"SELECT {asked} FROM {quote(name)} WHERE {rowid} > {middle}")

        return partial(here, where=f" WHERE {rowid} <= {middle}"), there

    def _bytes(self, name: str, rows: int | None) -> int | None:
        """About how many bytes the rows have, by the first of them."""
        if not rows:
            return rows
        length = length_of(row[0] for row in self.facts.columns[name])
        query = f"SELECT avg(n) FROM (SELECT {length} AS n FROM {quote(name)} LIMIT {SAMPLED_ROWS})"
        return int(rows * self.connection.exec_driver_sql(query).scalar_one())

    def _column(self, table: Table, text: TableText, row: Row, found: Proved, alias: str | None) -> Column:
        name, native, not_null, default, _, hidden = row
        if found.loss is not None:
            rule, detail, rows = found.loss
            self._lose(table, rule, detail, name, rows)
        collation = text.collations.get(name)
        column = Column(
            name,
            t.Integer(64) if name == alias else found.type,
            nullable=not not_null,
            collation=collation if collation != "BINARY" else None,
            equality=EQUALITIES.get(collation or "BINARY", EXACT),
            native=native,
        )
        if hidden in {_VIRTUAL_GENERATED, _STORED_GENERATED}:
            expression = Expression(text.generated[name], DIALECT)
            return replace(column, generated=Generated(expression, stored=hidden == _STORED_GENERATED))
        if name == alias:
            identity = Identity(next_value=self._next_value(table, name), reuses=not text.autoincrement)
            return replace(column, nullable=False, identity=identity)
        made = self._default(table, column, default)
        own = as_stored(default, native)
        if own is None or not isinstance(made, Literal) or made == own:
            return replace(column, default=made)
        return replace(column, default=own, constant=made)

    def _default(self, table: Table, column: Column, sql: str | None) -> Default | None:
        try:
            return default_of(sql, column.type)
        except ValueError as why:
            self._lose(table, "default", f"default is left out: {why}", column.name)
            return None

    def _next_value(self, table: Table, column: str) -> int:
        """What the rowid would be next; 1 at least, as generators elsewhere begin with it."""
        query = f"SELECT max({quote(column)}) FROM {quote(table.name)}"
        largest = self.connection.exec_driver_sql(query).scalar_one()
        counted = self.facts.positions.get(table.name)
        last = max((int(found) for found in (largest, counted) if found is not None), default=0)
        if last < 0:
            detail = f"numbers go on with 1, and with {last + 1} in SQLite only"
            self._lose(table, "identity-position", detail, column)
        return max(last, 0) + 1

    # --- constraints and indexes ------------------------------------------------------------------------------------

    def _keyed(self, table: Table, text: TableText, columns: tuple[str, ...], proved: Sequence[Proved]) -> Table:
        """The table with its primary key; where SQLite let NULLs into the key, with a unique constraint instead."""
        if not columns:
            return table
        clause = text.of("PRIMARY KEY")[0]
        own = next((row[1] for row in self.facts.indexes.get(table.name, []) if row[3] == "pk"), None)
        nulls = sum(found.nulls for column, found in zip(table.columns, proved, strict=True) if column.name in columns)
        if not nulls:
            collations = () if own is None else self._collations(own, text)
            return replace(table, primary_key=PrimaryKey(clause.name, columns, collations=collations))
        if own is not None and self._compares_otherwise(own, text):
            detail = "the primary key becomes a unique index: it holds NULLs, and has a collation of its own"
            self._lose(table, "null-in-key", detail, rows=nulls)
            index = self._index_of_key(table.name, own, text, "PRIMARY KEY")
            return replace(table, indexes=(*table.indexes, index))
        self._lose(table, "null-in-key", "the primary key becomes a unique constraint: it holds NULLs", rows=nulls)
        return replace(table, uniques=(Unique(clause.name, columns), *table.uniques))

    def _uniques(self, name: str, text: TableText) -> tuple[Unique, ...]:
        found = []
        for _, index, _, origin in self.facts.indexes.get(name, []):
            if origin == "u" and not self._compares_otherwise(index, text):
                columns = tuple(key[1] for key in self.facts.index_keys[index])
                clause = text.named("UNIQUE", [(key[1], key[3]) for key in self.facts.index_keys[index]])
                found.append(Unique(clause.name if clause else None, columns))
        others = (clause for clause in self._without_index(name, text) if not text.compares_otherwise(clause))
        return (*found, *(Unique(clause.name, self._spelled(name, clause.columns)) for clause in others))

    def _spelled(self, table: str, columns: Iterable[str]) -> tuple[str, ...]:
        """Columns of a table as it spells them itself."""
        spelled = {row[0].lower(): row[0] for row in self.facts.columns.get(table, [])}
        return tuple(spelled.get(column.lower(), column) for column in columns)

    def _compares_otherwise(self, index: str, text: TableText) -> bool:
        """Whether a key compares texts by another collation than its columns do."""
        return any(_index_key(key, text).collation is not None for key in self.facts.index_keys[index])

    def _index_of_key(self, name: str, index: str, text: TableText, kind: str) -> Index:
        """A key that compares otherwise than its columns do, as a unique index, which can say so."""
        keys = tuple(_index_key(key, text) for key in self.facts.index_keys[index])
        columns = tuple(key.column for key in keys if key.column is not None)
        clause = text.named(kind, [(key[1], key[3]) for key in self.facts.index_keys[index]])
        return Index(clause.name if clause and clause.name else "_".join((name, *columns, "key")), keys, unique=True)

    def _without_index(self, name: str, text: TableText) -> Iterator[Clause]:
        """The unique constraints that have no index of their own, since the primary key's or another one's does for them."""
        indexes = [self.facts.index_keys[row[1]] for row in self.facts.indexes.get(name, []) if row[3] == "u"]
        made = [text.named("UNIQUE", [(key[1], key[3]) for key in keys]) for keys in indexes]
        known = {(tuple(text.keys(clause)), clause.name) for clause in made if clause is not None}
        for clause in text.of("UNIQUE"):
            keys = tuple(text.keys(clause))
            alike = {other for one, other in known if one == keys}
            if clause.name not in alike and (clause.name is not None or not alike):
                yield clause
                known.add((keys, clause.name))

    def _collations(self, index: str, text: TableText) -> tuple[str, ...]:
        """The collations that the key of an index gives its columns, where they have others; none if it gives none."""
        keys = [(key[1], key[3].upper()) for key in self.facts.index_keys[index]]
        own = tuple("" if collation == text.usual(name) else collation for name, collation in keys)
        return own if any(own) else ()

    def _foreign_keys(self, name: str, text: TableText) -> tuple[ForeignKey, ...]:
        grouped: dict[int, list[Row]] = {}
        for number, *rest in self.facts.foreign_keys.get(name, []):
            grouped.setdefault(number, []).append(rest)
        written = text.of("FOREIGN KEY")
        keys = []
        for clause, parts in zip(written, grouped.values(), strict=True):
            on_update, on_delete = parts[0][3:]
            referred: str = parts[0][0]
            columns = self._referred_columns(referred, [part[2] for part in parts])
            keys.append(
                ForeignKey(
                    clause.name,
                    tuple(part[1] for part in parts),
                    QName(SCHEMA, self.real.get(referred.lower(), referred)),
                    columns,
                    cast(Action, on_delete),
                    cast(Action, on_update),
                    clause.deferrable,
                    clause.initially_deferred,
                    validated=bool(columns) or referred.lower() not in self.real,
                )
            )
        return tuple(keys)

    def _referred_columns(self, table: str, named: list[str | None]) -> tuple[str, ...]:
        """The columns that a foreign key refers to; none where it means a key of as many columns, which is not there."""
        real = self.real.get(table.lower(), table)
        if None in named:
            key = self._key_columns(real) if real in self.facts.columns else ()
            return key if len(key) == len(named) else ()
        return self._spelled(real, (column for column in named if column is not None))

    def _indexes(self, name: str, text: TableText) -> tuple[Index, ...]:
        found = []
        for _, index, unique, origin in self.facts.indexes.get(name, []):
            if origin == "c":
                written, where = read_index(self.index_sql[index])
                parts = zip(self.facts.index_keys[index], written, strict=True)
                keys = tuple(_index_key(key, text, *one) for key, one in parts)
                condition = Expression(where, DIALECT) if where else None
                found.append(Index(index, keys, unique=bool(unique), where=condition))
            elif origin == "u" and self._compares_otherwise(index, text):
                found.append(self._index_of_key(name, index, text, "UNIQUE"))
        for clause in self._without_index(name, text):
            if clause.name is not None and text.compares_otherwise(clause):
                columns = zip(self._spelled(name, clause.columns), text.keys(clause), strict=True)
                keys = tuple(IndexKey(one, collation=own if own != text.usual(one) else None) for one, (_, own) in columns)
                found.append(Index(clause.name, keys, unique=True))
        return tuple(found)

    # --- views ------------------------------------------------------------------------------------------------------

    def _view(self, name: str, sql: str) -> View:
        listed, query = read_view(sql)
        columns = listed or self._computed_names(name, query)
        reads = tables_in(query, DIALECT, SCHEMA)
        known = [QName(SCHEMA, self.real[read.name.lower()]) for read in reads if read.name.lower() in self.real]
        return View(SCHEMA, name, Expression(query, DIALECT), columns, depends_on=tuple(known))

    def _computed_names(self, name: str, query: str) -> tuple[str, ...]:
        """The names of all columns of a view that computes some without naming them: SQLite calls them as they are written,
        and every database otherwise."""
        try:
            named = names_all(query, Language(DIALECT))
        except Untranslatable:
            named = False
        if named:
            return ()
        with suppress(sa.exc.DBAPIError):  # it reads what is not there
            found = self.connection.exec_driver_sql("SELECT name FROM pragma_table_info(?)", (name,))
            return tuple(column for (column,) in found)
        return ()


def _index_key(key: Row, text: TableText, sql: str = "", written: str = "") -> IndexKey:
    """A key; ``sql``: what it is over as it was written, with the collation ``written`` behind it."""
    cid, column, descending, collation = key
    if cid == -2:
        return IndexKey(expression=Expression(sql, DIALECT), descending=bool(descending), collation=written or None)
    own = collation if collation.upper() != text.usual(column) else None
    return IndexKey(column, descending=bool(descending), collation=own)


def in_order(views: Sequence[View]) -> tuple[View, ...]:
    """Views after those they read."""
    waiting = {QName(view.schema, view.name): view for view in views}
    ordered: list[View] = []

    def visit(name: QName) -> None:
        view = waiting.pop(name, None)
        if view is not None:
            for other in view.depends_on:
                visit(other)
            ordered.append(view)

    for name in list(waiting):
        visit(name)
    return tuple(ordered)
