"""MySQL's and MariaDB's information schema as a catalog, in a number of queries that does not grow with the tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast
from typing import Literal as Choice

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.errors import SchemaNotFound, UnsupportedType
from migrator.expressions import Language, Untranslatable, names_shown, tables_in
from migrator.model import types as t
from migrator.model.catalog import DATABASE, Catalog, Loss, path_of
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
    NewUuid,
    NextValue,
    Now,
    Object,
    Partition,
    Partitioning,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Table,
    Unique,
    View,
    quoted,
)
from migrator.model.objects import Sequence as SequenceObject

from . import messages, privileges
from .collations import equality_of
from .exact import Texts, doubtful, may_be, without_introducers
from .names import literal, qualified, quote
from .types import GEOMETRY, KEY_BYTES, declared_word, is_unsigned, key_bytes, neutral, unsigned_check, with_srid

SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")

Row = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class Flavor:
    """Which of the two servers this is, and its version."""

    mariadb: bool
    version: tuple[int, ...]
    text: str


def flavor(connection: sa.Connection) -> Flavor:
    """The server's kind and version, from ``VERSION()``."""
    return parsed_flavor(str(connection.exec_driver_sql("SELECT VERSION()").scalar_one()))


def parsed_flavor(text: str) -> Flavor:
    """The kind and version that a text of ``VERSION()`` tells."""
    text = text.removeprefix("5.5.5-")  # which a proxy may leave before MariaDB's own
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    version = tuple(int(n) for n in numbers[0].split(".")) if numbers else ()
    return Flavor("mariadb" in text.lower(), version, text)


def schemas(connection: sa.Connection) -> tuple[str, ...]:
    """All databases but the system's."""
    rows = connection.exec_driver_sql("SELECT schema_name FROM information_schema.schemata ORDER BY schema_name")
    return tuple(name for (name,) in rows if name.lower() not in SYSTEM_SCHEMAS)


_TABLES_OF = """
SELECT table_schema, table_name FROM information_schema.columns WHERE table_schema IN :schemas
GROUP BY table_schema, table_name HAVING group_concat(lower(column_name) ORDER BY ordinal_position) = :columns
"""


def tables_of(connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[QName, ...]:
    """The tables of databases that have these columns, in this order, and no other."""
    sql = sa.text(_TABLES_OF).bindparams(sa.bindparam("schemas", expanding=True))
    found = connection.execute(sql, {"schemas": list(schemas), "columns": ",".join(columns)})
    return tuple(QName(schema, name) for schema, name in found)


# --- defaults -------------------------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_CONTROL = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a"}
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_BITS = re.compile(r"b'([01]*)'", re.IGNORECASE)
_NOW = re.compile(r"(current_timestamp|now|localtimestamp|localtime)\s*(?:\((\d*)\))?", re.IGNORECASE)
_WHOLE = re.compile(rf"cast\(({_NOW.pattern}) as datetime\)", re.IGNORECASE)
"""How a clock of whole seconds is said in a column with digits."""
_TODAY = re.compile(r"(curdate|current_date)\s*(?:\(\))?", re.IGNORECASE)
_TIME = re.compile(r"(curtime|current_time)\s*(?:\((\d*)\))?", re.IGNORECASE)
_UUIDS: dict[str, Choice[1, 4]] = {"uuid()": 1, "uuid_v4()": 4}
_UTC = re.compile(r"utc_(timestamp|date|time)\s*(?:\((\d*)\))?", re.IGNORECASE)
_NEXT = re.compile(r"nextval\(`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`\)", re.IGNORECASE)
_FLOAT_SHOWN = 6
"""How many digits the dictionary shows of a FLOAT's default."""
_STRING = re.compile(r"(?:_\w+\s*)?'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_HEX = re.compile(r"0x((?:[0-9a-f]{2})*)", re.IGNORECASE)
_OCTETS = re.compile(r"x'((?:[0-9a-f]{2})*)'", re.IGNORECASE)
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_DEFINER = re.compile(r"^CREATE\s+DEFINER\s*=\s*(?:`(?:[^`]|``)*`|[^\s@`]+)(?:@(?:`(?:[^`]|``)*`|\S+))?\s+")


def unescaped(body: str) -> str:
    """What stands between the quotes of a MySQL string literal, as the text it means."""
    return _ESCAPED.sub(lambda m: "'" if m[0] == "''" else _CONTROL.get(m[1], m[1]), body)


def as_written(sql: str) -> str:
    """An expression of MySQL's information schema, which escapes quotes and backslashes in it and adds character sets."""
    plain = _BACKSLASH.sub(lambda m: _CONTROL.get(m[1], m[1]), sql)
    return without_introducers(plain)


def now_of(sql: str) -> Now | None:
    """The current date or time that ``sql`` asks for, None where it is something else."""
    if (whole := _WHOLE.fullmatch(sql.strip())) and not int(whole[3] or 0):
        return now_of(whole[1])
    for pattern, kind in ((_NOW, "timestamp"), (_TODAY, "date"), (_TIME, "time")):
        if found := pattern.fullmatch(sql.strip()):
            return Now(cast(Any, kind), None if kind == "date" else int(found[2] or 0))
    if found := _UTC.fullmatch(sql.strip()):
        return Now(cast(Any, found[1].lower()), None if found[1].lower() == "date" else int(found[2] or 0), utc=True)
    return None


def expression_default(sql: str, type_: t.Type) -> Default | None:
    """A default that the server tells as an expression (MariaDB always, MySQL for what is no literal)."""
    sql = sql.strip()
    if sql.upper() == "NULL":
        return None
    if _NUMBER.fullmatch(sql):
        return Literal(sql, "number")
    if found := _BITS.fullmatch(sql):
        return Literal(found[1], "bit")
    if isinstance(type_, t.Binary) and (found := _OCTETS.fullmatch(sql) or _HEX.fullmatch(sql)):
        return Literal(found[1].lower(), "binary")
    if found := _STRING.fullmatch(sql):
        return text_default(unescaped(found[1]), type_)
    if (now := now_of(sql)) is not None:
        return Expression(sql, "mysql") if now.is_misread(type_) else now
    if (version := _UUIDS.get(sql.lower())) is not None:
        return NewUuid(version)
    if found := _NEXT.fullmatch(sql):
        return NextValue(QName(found[1].replace("``", "`"), found[2].replace("``", "`")))
    return Expression(sql, "mysql")


def text_default(text: str, type_: t.Type) -> Default:
    """A literal default, given as its text."""
    match t.base_of(type_):
        case t.Integer() | t.Decimal() | t.Float() | t.Year() if _NUMBER.fullmatch(text):
            return Literal(text, "number")
        case t.Bit() if found := _BITS.fullmatch(text):
            return Literal(found[1], "bit")
        case t.Binary():
            return Literal(text.encode().hex(), "binary")
        case _:
            return Literal(text, "string")


# --- the reader -----------------------------------------------------------------------------------------------------


@dataclass
class Reader:
    """Reads the objects of some schemas; ``losses`` grows as things without a place in the model are met."""

    connection: sa.Connection
    names: Sequence[str]
    flavor: Flavor
    losses: list[Loss] = field(default_factory=list)
    srids: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """Per schema, table and column: the SRID that it is declared for."""

    @cached_property
    def held(self) -> tuple[privileges.Grant, ...]:
        """What the reading user may do."""
        return privileges.grants(self.connection)

    @cached_property
    def texts(self) -> Texts:
        """Reads those texts exactly that the information schema does not tell."""
        return Texts(self.connection, self.flavor.mariadb, self.shown)

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query over ``:schemas``, as mappings by lower-case names."""
        query = sa.text(sql).bindparams(sa.bindparam("schemas", expanding=True, value=list(self.names)))
        return [{k.lower(): v for k, v in row.items()} for row in self.connection.execute(query).mappings()]

    def grouped(self, sql: str, schema: str = "table_schema", name: str = "table_name") -> dict[Key, list[Row]]:
        """The rows of a query by schema and table."""
        groups: dict[Key, list[Row]] = defaultdict(list)
        for row in self.rows(sql):
            groups[row[schema], row[name]].append(row)
        return groups

    def shown(self, sql: str, column: str) -> str:
        """One field of the only row of a SHOW statement, empty where the user may not see it."""
        with self.bytes_as_they_are():
            row = execute_verbatim(self.connection, sql).mappings().one()
        return _decoded(row[column])

    def show_tables(self, schema: str) -> None:
        """Read SHOW CREATE TABLE of all tables of a schema of MariaDB in one statement, so that none takes one of its own.

        Where a table is not shown for another reason than those that are refusals, who asks for it is told.
        """
        sql = _EVERY_TABLE.format(schema=literal(schema))
        with self.bytes_as_they_are(), execute_verbatim(self.connection, sql) as result:
            if not result.returns_rows:  # of a schema without tables
                return
            cursor = cast(Any, result.cursor)
            while True:
                for table, *told in cursor.fetchall():
                    self._note(QName(schema, _decoded(table)), told)
                if not cursor.nextset():
                    return

    def _note(self, name: QName, told: Sequence[Any]) -> None:
        """Keep what the server says of a table: its SHOW CREATE TABLE, or the code and the message of an error."""
        if len(told) == 1:
            self.texts.note_table(name, _decoded(told[0]))
        elif (refusal := messages.refusal(told[0], _decoded(told[1]))) is not None:
            self.texts.note_refusal(name, refusal)

    @contextmanager
    def bytes_as_they_are(self) -> Iterator[None]:
        """Let the driver hand over texts as bytes."""
        driver = self.connection.connection.dbapi_connection
        assert driver is not None
        driver.use_unicode = False
        try:
            yield
        finally:
            driver.use_unicode = True

    # --- catalog ----------------------------------------------------------------------------------------------------

    def catalog(self) -> Catalog:
        """All objects in an order in which they can be made: views after the routines they call."""
        tables = self.rows(_TABLES)
        made: list[Object] = [
            *filter(None, (self.sequence(row) for row in tables if row["table_type"] == "SEQUENCE")),
            *self.tables([row for row in tables if row["table_type"] in {"BASE TABLE", "SYSTEM VERSIONED"}]),
            *self.routines(),
            *self.views(),
            *self.triggers(),
            *self.events(),
        ]
        self.grants(made)
        self.grants_of_routines(made)
        self.server_wide()
        self.losses += [loss for schema in self.names for loss in privileges.losses(self.held, schema)]
        objects = (*self.schemas(), *made)
        return Catalog("mysql", self.flavor.text, objects, tuple(self.losses))

    def schemas(self) -> Iterator[Schema]:
        """The databases, with their comments where the server has any."""
        commented = self.flavor.mariadb and self.flavor.version >= COMMENTED_DATABASES
        found = self.rows(_SCHEMAS.format(comment="schema_comment" if commented else "NULL"))
        rows = {row["schema_name"]: row for row in found}
        for name in self.names:
            yield Schema(name, rows[name]["schema_comment"] or None, rows[name]["default_collation_name"])

    def sequence(self, row: Row) -> SequenceObject | None:
        """A MariaDB sequence, which is a table of one row; None, and named, where the user may not read it."""
        name = QName(row["table_schema"], row["table_name"])
        try:
            state = execute_verbatim(self.connection, f"SELECT * FROM {qualified(name)}").mappings().one()
        except sa.exc.DBAPIError as error:
            refusal = messages.unopened(error)
            if refusal is None:
                raise
            self.losses.append(Loss(f"SEQUENCE:{name}", refusal.rule, f"not carried: {refusal.text}"))
            return None
        following = state["next_not_cached_value"]
        if state["cache_size"] > 1 and (state["cycle_count"] or following != state["start_value"]):
            ahead = f"numbers before it that the server may have taken ahead (CACHE {state['cache_size']}) are left out"
            detail = f"goes on at {following}: {ahead}, up to as many; which of them were given it tells nobody"
            self.losses.append(Loss(f"SEQUENCE:{name}", "sequence-cache", detail))
        return SequenceObject(
            name.schema,
            name.name,
            start=state["start_value"],
            increment=state["increment"],
            minimum=state["minimum_value"],
            maximum=state["maximum_value"],
            cycle=bool(state["cycle_option"]),
            cache=state["cache_size"],
            next_value=following,
            comment=row["table_comment"] or None,
        )

    # --- tables -----------------------------------------------------------------------------------------------------

    def tables(self, rows: Sequence[Row]) -> Iterator[Table]:
        """The tables, by name."""
        columns = self.grouped(_COLUMNS)
        if any(row["data_type"] in GEOMETRY for of_table in columns.values() for row in of_table):
            self.srids = {(*_key(row), row["column_name"]): row["srid"] for row in self.rows(self.srids_query())}
        rows = [row for row in rows if not self.is_without_columns(row, columns)]
        partly = self.partly_shown(rows, columns)
        keys = self.grouped(self.keys_query())
        foreign = self.grouped(_FOREIGN_KEYS)
        for schema in self.names if self.flavor.mariadb and rows else ():
            self.show_tables(schema)
        for schema in self.names:
            if privileges.hides_keys(self.held, schema):
                foreign |= {key: self.shown_keys(*key) for row in rows if (key := _key(row))[0] == schema}
        checks = self.grouped(self.checks_query(), "constraint_schema")
        partitions = self.grouped(_PARTITIONS)
        for key, shown in partly.items():
            columns[key] = [self.without_generation(key, row, shown) for row in columns[key]]
            gone = [row["index_name"] for row in keys[key] if not _named(row["expression"], row["column_name"]) <= shown]
            keys[key] = self.without(gone, "index_name", key, keys[key])
            gone = [row["constraint_name"] for row in checks[key] if not _named(row["check_clause"]) <= shown]
            checks[key] = self.without(gone, "constraint_name", key, checks[key])
        for key in map(_key, rows if partly else ()):
            gone = [row["constraint_name"] for row in foreign[key] if _names_hidden(key, row, partly)]
            foreign[key] = self.without(gone, "constraint_name", key, foreign[key])
        for row in rows:
            key = _key(row)
            yield self.table(row, columns[key], keys[key], foreign[key], checks[key], partitions[key])

    def is_without_columns(self, row: Row, columns: Mapping[Key, Sequence[Row]]) -> bool:
        """Whether a table's columns are all hidden, which is then named: the user may not read it."""
        key = _key(row)
        if key in columns or privileges.has_on(self.held, *key, privileges.SHOWING_COLUMNS):
            return False
        detail = "not carried: no column of it is shown without the privilege SELECT"
        self.losses.append(Loss(f"TABLE:{QName(*key)}", "privileges", detail))
        return True

    def partly_shown(self, rows: Sequence[Row], columns: Mapping[Key, Sequence[Row]]) -> dict[Key, frozenset[str]]:
        """The tables some of whose columns are hidden, which is then named, and the columns that are shown."""
        found: dict[Key, frozenset[str]] = {}
        for key in map(_key, rows):
            refusal = self.unread(QName(*key)) if privileges.hides_columns(self.held, *key) else None
            if refusal is None:
                continue
            detail = "only columns on which there is a privilege are shown: others are not carried, nor what names them"
            if refusal.rule != "privileges":
                detail = f"others than the columns that are shown are not carried, if there are any: {refusal.text}"
            self.losses.append(Loss(f"TABLE:{QName(*key)}", refusal.rule, detail))
            found[key] = frozenset(row["column_name"] for row in columns[key])
        return found

    def unread(self, table: QName) -> messages.Refusal | None:
        """What the server says instead of reading all columns of a table; None: the user may."""
        try:
            execute_verbatim(self.connection, f"SELECT * FROM {qualified(table)} LIMIT 0").close()
        except sa.exc.DBAPIError as error:
            refusal = messages.unopened(error)
            if refusal is None:
                raise
            return refusal
        return None

    def without(self, gone: Sequence[str], title: str, key: Key, rows: Sequence[Row]) -> list[Row]:
        """The rows of a table's keys or constraints, named in ``title``, but for those ``gone``, which are told."""
        for name in dict.fromkeys(gone):
            detail = f"{name} is not carried: a column that it names is hidden"
            self.losses.append(Loss(f"TABLE:{QName(*key)}", "privileges", detail))
        return [row for row in rows if row[title] not in gone]

    def without_generation(self, key: Key, row: Row, shown: Collection[str]) -> Row:
        """A column; one that is generated from hidden columns has its values, and that is named."""
        if _named(row["generation_expression"]) <= set(shown):
            return row
        detail = "becomes an ordinary column: a column that it is generated from is hidden"
        self.losses.append(Loss(f"TABLE:{QName(*key)}", "privileges", detail, row["column_name"]))
        return {**row, "generation_expression": None}

    def shown_keys(self, schema: str, name: str) -> list[Row]:
        """The foreign keys of a table as SHOW CREATE TABLE has them."""
        sql = self.created(QName(schema, name), None, "foreign keys are")
        return list(privileges.key_rows(sql, schema, default="RESTRICT" if self.flavor.mariadb else "NO ACTION"))

    def created(self, table: QName, rule: str | None, what: str) -> str:
        """SHOW CREATE TABLE; empty where the server refuses, whose words then name ``what`` is not carried. ``rule``: of the
        entry; None: that of the refusal."""
        sql = self.texts.table(table)
        if (refusal := self.texts.refusals.get(table)) is not None:
            self.losses.append(Loss(f"TABLE:{table}", rule or refusal.rule, f"{what} not carried: {refusal.text}"))
        return sql

    def keys_query(self) -> str:
        """The keys of indexes: only MySQL has expressions among them, each server its own word for a hidden index.

        MySQL has them in another order each time, and a job that goes on compares its plan with the one it began with.
        """
        if self.flavor.mariadb:
            return _STATISTICS.format(expression="NULL", hidden="ignored = 'YES'", order="")
        expression = "expression" if self.flavor.version >= (8, 0, 13) else "NULL"
        return _STATISTICS.format(
            expression=expression, hidden="is_visible = 'NO'", order="ORDER BY non_unique, index_name, seq_in_index"
        )

    def checks_query(self) -> str:
        """The check constraints: MariaDB tells their table, MySQL keeps it elsewhere, older ones have none."""
        if self.flavor.mariadb:
            return _CHECKS_MARIADB
        return _CHECKS_MYSQL if self.flavor.version >= (8, 0, 16) else _NO_CHECKS

    def table(
        self,
        row: Row,
        columns: Sequence[Row],
        keys: Sequence[Row],
        foreign: Sequence[Row],
        checks: Sequence[Row],
        partitions: Sequence[Row],
    ) -> Table:
        """One table with all that belongs to it."""
        name = QName(row["table_schema"], row["table_name"])
        collation = row["table_collation"]
        json = {_json_column(check) for check in checks} & {
            column["column_name"] for column in columns if _is_json_text(column)
        }
        made = tuple(self.column(name, column, collation, column["column_name"] in json, row) for column in columns)
        said = {_truth_column(name.name, check) for check in checks}
        truths = {column.name for column in made if column.name in said and _may_be_truth(column)}
        made = tuple(_as_truth(column) if column.name in truths else column for column in made)
        checks = [check for check in checks if _truth_column(name.name, check) not in truths]
        indexes = self.told_indexes(name, _by_name(sorted(keys, key=lambda key: int(key["seq_in_index"]))))
        primary = indexes.pop("PRIMARY", None)
        uniques = {n: rows for n, rows in indexes.items() if _is_constraint(rows)}
        table = Table(
            name.schema,
            name.name,
            made,
            primary_key=PrimaryKey(None, tuple(k["column_name"] for k in primary)) if primary else None,
            uniques=tuple(Unique(n, tuple(k["column_name"] for k in rows)) for n, rows in uniques.items()),
            checks=(*self.checks(checks, json), *_unsigned_checks(columns)),
            foreign_keys=self.foreign_keys(foreign),
            indexes=tuple(_index(n, rows) for n, rows in indexes.items() if n not in uniques),
            comment=row["table_comment"] or None,
            partitioning=self.partitioning(name, partitions),
            options=(*_options(row, columns), *_said_of_primary_key(primary or ()), *_said_of_counter(made, keys)),
            origin=name,
            rows=row["table_rows"],
            bytes=row["data_length"],
        )
        self.table_losses(table, row, keys)
        return table

    def told_indexes(self, table: QName, indexes: dict[str, list[Row]]) -> dict[str, list[Row]]:
        """The indexes by name, their expressions as they are; without those that MySQL does not tell."""
        found: dict[str, list[Row]] = {}
        for name, keys in indexes.items():
            told = [self.told_key(table, name, key) for key in keys]
            known = [key for key in told if key is not None]
            if len(known) == len(keys):
                found[name] = known
            else:
                self.untold(f"TABLE:{table}", "index-expression", f"index {name}")
        return found

    def told_key(self, table: QName, index: str, key: Row) -> Row | None:
        """A key of an index, None where it is an expression that the server does not tell."""
        if key["expression"] is None:
            return key
        sql = as_written(key["expression"])
        told = self.texts.index_key(table, index, sql) if self.in_doubt(sql) else sql
        return None if told is None else {**key, "expression": told}

    def table_losses(self, table: Table, row: Row, keys: Sequence[Row]) -> None:
        """Name what a table has and the model has not."""
        path = path_of(table)
        if row["table_type"] == "SYSTEM VERSIONED":
            detail = "rows of the past are not carried, only those of now"
            self.losses.append(Loss(path, "system-versioning", detail))
        for key in keys:
            if key["index_name"] == "PRIMARY" and int(key["seq_in_index"]) == 1 and key["index_comment"]:
                detail = f"the comment on the primary key is not carried: {key['index_comment']}"
                self.losses.append(Loss(path, "constraint-comment", detail))
        if row["transactions"] == "NO":
            detail = f"rows are those of the moment they are read, not of the snapshot: {row['engine']} has no transactions"
            self.losses.append(Loss(path, "no-snapshot", detail))
        if _is_merge(row):
            detail = "a MERGE table, of rows that other tables have, becomes one with rows of its own"
            self.losses.append(Loss(path, "merge", detail))
        if not self.flavor.mariadb and _is_made_by_the_server(table):
            detail = "the server has made this key for a table that was given none: it comes as one of the table's own"
            self.losses.append(Loss(path, "generated-key", detail, GENERATED_KEY))
        self.period_losses(table)
        created = [(name, value) for name, value in _created(row) if (row["engine"], name.lower(), value) not in _USUAL]
        others = [f"{name}={value}" for name, value in created if name.lower() not in _CREATE_OPTIONS]
        if others:
            self.losses.append(Loss(path, "table-options", f"options are not carried: {', '.join(others)}"))
        asked = row["engine"] != "InnoDB" or any(key["index_type"] == "FULLTEXT" for key in keys)
        if keys and (asked or self.flavor.mariadb):  # MySQL takes a query for each table, and its InnoDB tells no more
            sql = self.created(table.qname, "index-options", "options of indexes are")
            for index, said in _said_of_indexes(sql, row["engine"], table, keys):
                self.losses.append(Loss(path, "index-options", f"options of index {index} are not carried: {said}"))

    def column(self, table: QName, row: Row, collation: str | None, json: bool, of: Row) -> Column:
        """One column.

        :raises UnsupportedType: its type is not known.
        """
        native, extra = self.declaration(table, row), row["extra"].lower()
        type_ = t.Json() if json else neutral(native)
        if type_ is None:
            detail = "is not known"
            raise UnsupportedType(column=f"{table.name}.{row['column_name']}", table=table.name, type=native, detail=detail)
        if "without system versioning" in extra:
            detail = "that its changes are kept out of the rows of the past is not carried"
            self.losses.append(Loss(f"TABLE:{table}", "system-versioning", detail, row["column_name"]))
        own = row["collation_name"]
        return Column(
            row["column_name"],
            type_,
            nullable=row["is_nullable"] == "YES",
            default=self.default(table, row, type_, extra),
            identity=Identity(next_value=of["auto_increment"]) if "auto_increment" in extra else None,
            generated=self.generated(table, row, extra),
            comment=row["column_comment"] or None,
            collation=own if own != collation and not json else None,
            equality=equality_of(own or "", type_),
            on_update=_on_update(extra),
            invisible="invisible" in extra,
            native="json" if json else native,
        )

    def default(self, table: QName, row: Row, type_: t.Type, extra: str) -> Default | None:
        """A column's default."""
        text = row["column_default"]
        if text is None or row["generation_expression"]:
            return None
        if isinstance(text, bytes):
            text = text.decode("latin1")
        if isinstance(type_, t.Binary) and not self.flavor.mariadb and "default_generated" not in extra:
            return self.default_of_bytes(table, row["column_name"], text)
        if doubtful(text) or ("default_generated" in extra and self.in_doubt(text)):
            return self.doubtful_default(table, row, text, type_, extra)
        if self.flavor.mariadb or "default_generated" in extra:
            made = expression_default(self.clean(text), type_)
        else:
            made = now_of(text) if isinstance(type_, t.Timestamp) and now_of(text) else text_default(text, type_)
        if type_ == t.Float(32) and isinstance(made, Literal) and len(re.findall(r"\d", made.value)) >= _FLOAT_SHOWN:
            return self.exact_float(table, row["column_name"], made)
        return made

    def default_of_bytes(self, table: QName, column: str, shown: str) -> Default | None:
        """A literal default of bytes: MySQL's information schema shows those before the first zero. None, and named, where
        the server tells no more.
        """
        literal = self.texts.default_shown(table, column) or ""
        in_digits, written = _HEX.fullmatch(literal), _STRING.fullmatch(literal)
        told = in_digits[1].lower() if in_digits else unescaped(written[1]).encode().hex() if written else ""
        if literal and bytes.fromhex(told).partition(b"\0")[0].hex() == shown.removeprefix("0x").lower():
            return Literal(told, "binary")
        detail = f"default {shown} is left out: the server shows its bytes up to the first zero only"
        self.losses.append(Loss(f"TABLE:{table}", "default", detail, column))
        return None

    def exact_float(self, table: QName, column: str, shown: Literal) -> Literal:
        """A FLOAT's default as it is stored; what is shown of it, and named, where the server does not tell."""
        told = self.texts.default_float(table, column)
        if told is not None:
            return Literal(repr(told), "number")
        detail = f"default {shown.value} is what the server shows of it, six digits"
        self.losses.append(Loss(f"TABLE:{table}", "default", detail, column))
        return shown

    def doubtful_default(self, table: QName, row: Row, shown: str, type_: t.Type, extra: str) -> Default | None:
        """A default of which not all characters are shown; None, and named, where the server does not tell them."""
        name, mariadb = row["column_name"], self.flavor.mariadb
        literal = _STRING.fullmatch(shown) if mariadb else None
        if (mariadb and literal is None) or "default_generated" in extra:
            sql = self.texts.default_expression(table, name, self.clean(shown))
            if sql is not None:
                return expression_default(sql, type_)
        else:
            told = self.texts.default(table, name, binary=isinstance(type_, t.Binary))
            text = unescaped(literal[1]) if literal is not None else shown
            if told is not None and isinstance(type_, t.Binary):
                return Literal(told.hex(), "binary")
            if told is not None and may_be(told.decode(), text):
                return text_default(told.decode(), type_)
        self.untold(f"TABLE:{table}", "default", f"default {shown}", name)
        return None

    def untold(self, path: str, rule: str, what: str, column: str | None = None) -> None:
        """Name something that is left out because the server does not tell all of its characters."""
        detail = f"{what} is left out: the server shows others for some of its characters, and does not tell which"
        self.losses.append(Loss(path, rule, detail, column))

    def declaration(self, table: QName, row: Row) -> str:
        """A column's type; labels as they are."""
        shown = str(row["column_type"])
        if shown == "geomcollection":  # as MySQL has it; both know the other word
            shown = "geometrycollection"
        srid = self.srids.get((table.schema, table.name, row["column_name"]))
        if srid is not None:
            return with_srid(shown, int(srid), mariadb=self.flavor.mariadb)
        if not doubtful(shown):
            return shown
        told = self.texts.labelled(table, row["column_name"], shown)
        if told is None:
            detail = f"its labels may be others than {shown}: the server shows question marks for some characters"
            self.losses.append(Loss(f"TABLE:{table}", "labels", detail, row["column_name"]))
        return told or shown

    def srids_query(self) -> str:
        """Which columns are declared for one SRID, which no declaration that the server shows tells of MariaDB's."""
        return _SRIDS_OF_MARIADB if self.flavor.mariadb else _SRIDS_OF_MYSQL

    def generated(self, table: QName, row: Row, extra: str) -> Generated | None:
        """A column's generation expression."""
        sql = self.clean(row["generation_expression"] or "")
        if not sql:
            return None
        told = self.texts.generated(table, row["column_name"], sql) if self.in_doubt(sql) else sql
        if told is None:
            self.untold(f"TABLE:{table}", "generated", f"its expression {sql}", row["column_name"])
            return None
        return Generated(Expression(told, "mysql"), stored="virtual" not in extra, versions=told in {ROW_START, ROW_END})

    def in_doubt(self, sql: str) -> bool:
        """Whether the information schema may show other characters than an expression has, as MySQL's does beyond ASCII."""
        return doubtful(sql) or not (self.flavor.mariadb or sql.isascii())

    def clean(self, sql: str) -> str:
        """An expression of the information schema; MariaDB's is as it was written."""
        return sql if self.flavor.mariadb else as_written(sql)

    def period_losses(self, table: Table) -> None:
        """Name MariaDB's periods, each of which the dictionary shows as a check that one column is less than another."""
        if not self.flavor.mariadb or not any(_PERIOD_CHECK.fullmatch(check.expression.sql) for check in table.checks):
            return
        for found in _PERIOD.finditer(self.created(table.qname, "period", "periods are")):
            detail = f"period {found['name']} is left out: its check stays, FOR PORTION OF and WITHOUT OVERLAPS do not"
            self.losses.append(Loss(path_of(table), "period", detail))

    def checks(self, rows: Sequence[Row], json: set[str | None]) -> Iterator[Check]:
        """Check constraints but those that say that a column is JSON. MariaDB's column checks have no name of their own."""
        for row in rows:
            if _json_column(row) in json:
                continue
            of_column = row["level"] == "Column"
            name, column = (None, row["constraint_name"]) if of_column else (row["constraint_name"], None)
            sql = self.check_expression(row)
            if sql is not None:
                yield Check(name, Expression(sql, "mysql"), enforced=row["enforced"] != "NO", column=column)

    def check_expression(self, row: Row) -> str | None:
        """What a check constraint asks for; None, and named, where the server does not tell."""
        sql, name = self.clean(row["check_clause"]), row["constraint_name"]
        table = QName(row["constraint_schema"], row["table_name"])
        if not self.in_doubt(sql):
            return sql
        ask = self.texts.column_check if row["level"] == "Column" else self.texts.check
        told = ask(table, name, sql)
        if told is None:
            self.untold(f"TABLE:{table}", "check", f"check {name} ({sql})")
        return told

    def foreign_keys(self, rows: Sequence[Row]) -> tuple[ForeignKey, ...]:
        """Foreign keys with their actions."""
        made = []
        for name, parts in _by_name(rows, "constraint_name").items():
            first = parts[0]
            made.append(
                ForeignKey(
                    name,
                    tuple(p["column_name"] for p in parts),
                    QName(first["referenced_table_schema"], first["referenced_table_name"]),
                    tuple(p["referenced_column_name"] for p in parts),
                    on_delete=cast(Action, first["delete_rule"]),
                    on_update=cast(Action, first["update_rule"]),
                )
            )
        return tuple(made)

    def partitioning(self, name: QName, rows: Sequence[Row]) -> Partitioning | None:
        """How a table is partitioned, in the server's words."""
        if not rows:
            return None
        text = self.created(name, "partitioning", "partitions are")
        begins = [found.end() for found in _PARTITION_BY.finditer(text)]
        if not begins:
            if text:
                self.losses.append(
                    Loss(f"TABLE:{name}", "partitioning", "partitions are not carried: their clause is not shown")
                )
            return None
        clause = text[begins[0] :].rstrip().removesuffix("*/").rstrip()
        parts = {row["partition_name"]: row["partition_description"] or "" for row in rows}
        return Partitioning("mysql", clause, tuple(Partition(n, bounds) for n, bounds in parts.items()))

    # --- views and programs -----------------------------------------------------------------------------------------

    def views(self) -> list[View]:
        """Views, each after those it reads."""
        found: dict[QName, View] = {}
        algorithm = "algorithm" if self.flavor.mariadb else "'UNDEFINED'"  # MySQL keeps it out of its information schema
        columns = {} if self.flavor.mariadb else self.grouped(_VIEW_COLUMNS)
        for row in self.rows(_VIEWS.format(algorithm=algorithm)):
            name = QName(row["table_schema"], row["table_name"])
            sql = row["view_definition"]
            if not sql:
                detail = "not carried: its text is not shown without the privilege SHOW VIEW"
                self.losses.append(Loss(f'VIEW:"{name.schema}"."{name.name}"', "view", detail))
                continue
            if not self.flavor.mariadb and sql.lower().startswith(_DUALITY):
                self.losses.append(Loss(f"VIEW:{name}", "view", "not carried: a JSON relational duality view"))
                continue
            if doubtful(sql) or (not self.flavor.mariadb and _WITH_ROLLUP.search(sql)):
                told = self.texts.view(name)
                if told is None:
                    self.untold(f"VIEW:{name}", "view", "the view")
                    continue
                sql = told
            options = [("ALGORITHM", row["algorithm"])] if row["algorithm"] in {"MERGE", "TEMPTABLE"} else []
            options += [("SQL SECURITY", "INVOKER")] if row["security_type"] == "INVOKER" else []
            view = View(
                name.schema,
                name.name,
                Expression(sql, "mysql"),
                self.listed(name, sql, [column["column_name"] for column in columns.get(_key(row), ())]),
                depends_on=tables_in(sql, "mysql", name.schema),
                check_option="" if row["check_option"] == "NONE" else row["check_option"],
                options=tuple(options),
                session=_session(row),
            )
            found[name] = view
            self.definer(path_of(view), row)
        return _ordered(found)

    def listed(self, view: QName, sql: str, shown: Sequence[str]) -> tuple[str, ...]:
        """What the columns of a view are called, where its text calls them otherwise: MySQL keeps their list apart, MariaDB
        has it in the text. Empty, and named, where not all are ``shown``."""
        if self.flavor.mariadb:
            return ()
        try:
            said = names_shown(sql, Language("mysql"))
        except Untranslatable:
            return tuple(shown)
        if len(said) == len(shown):
            return () if said == tuple(shown) else tuple(shown)
        detail = "its columns may be called otherwise than its text says: not all are shown"
        self.losses.append(Loss(f"VIEW:{view}", "privileges", detail))
        return ()

    def routines(self) -> Iterator[Program]:
        """Functions and procedures as source text."""
        for row in self.rows(_ROUTINES):
            kind = row["routine_type"]
            name = QName(row["routine_schema"], row["routine_name"])
            title = {"FUNCTION": "Create Function", "PROCEDURE": "Create Procedure"}.get(kind)
            if title is None:
                path = f'{kind}:"{name.schema}"."{name.name}"'
                self.losses.append(Loss(path, "program", f"not carried: {kind.lower()}s are not read"))
                continue
            sql = self.shown(f"SHOW CREATE {kind} {qualified(name)}", title)
            if not sql:
                detail = "not carried: its text is not shown to this user"
                self.losses.append(Loss(f'{kind}:"{name.schema}"."{name.name}"', "program", detail))
                continue
            yield self.program(name, kind, sql, row, None)

    def triggers(self) -> Iterator[Program]:
        """Triggers as source text, in the order in which they fire."""
        for row in self.rows(_TRIGGERS):
            name = QName(row["trigger_schema"], row["trigger_name"])
            if not row["action_statement"]:
                detail = "not carried: its text is not shown without the privilege TRIGGER"
                self.losses.append(Loss(f"TRIGGER:{name}", "program", detail))
                continue
            does = row["action_statement"]
            if doubtful(does):
                does = self.texts.trigger(name, does)
            if does is None:
                self.untold(f"TRIGGER:{name}", "program", "the trigger")
                continue
            sql = (
                f"CREATE TRIGGER {quote(name.name)} {row['action_timing']} {row['event_manipulation']} "
                f"ON {quote(row['event_object_table'])} FOR EACH ROW {does}"
            )
            yield self.program(name, "TRIGGER", sql, row, row["event_object_table"])

    def events(self) -> Iterator[Program]:
        """Scheduled events as source text."""
        for row in self.rows(_EVENTS):
            name = QName(row["event_schema"], row["event_name"])
            sql = self.shown(f"SHOW CREATE EVENT {qualified(name)}", "Create Event")
            yield self.program(name, "EVENT", sql, row, None)

    def program(self, name: QName, kind: str, sql: str, row: Row, table: str | None) -> Program:
        """A program without its DEFINER, which the importing user becomes."""
        bare = _DEFINER.sub("CREATE ", sql)
        program = Program(
            name.schema,
            name.name,
            cast(Any, kind),
            Expression(bare, "mysql"),
            table=table,
            session=_session(row),
            collation=row["database_collation"],
        )
        self.definer(path_of(program), row)
        return program

    def definer(self, path: str, row: Row) -> None:
        """Name a definer who is not the user who reads."""
        if row["definer"] != row["reader"]:
            detail = f"the definer {row['definer']} is not carried: the importing user becomes it"
            self.losses.append(Loss(path, "definer", detail))

    def grants(self, made: Sequence[Object]) -> None:
        """Name the privileges that are left behind: of each object, who has which."""
        paths = {(obj.schema, obj.name): path_of(obj) for obj in made if isinstance(obj, Table | View | SequenceObject)}
        granted: dict[tuple[str, str | None, str | None], list[str]] = defaultdict(list)
        for row in self.rows(_GRANTS):
            key = row["table_schema"], row["table_name"], row["column_name"]
            granted[key].append(f"{row['grantee']} {row['granted']}")
        for (schema, name, column), whose in granted.items():
            label = quoted(schema) if name is None else str(QName(schema, name if column is None else f"{name}.{column}"))
            part_of = paths.get((schema, name or ""), path_of(Schema(schema)))
            self.losses.append(Loss(f"GRANT:{label}", "grant", f"not carried: {'; '.join(whose)}", part_of=part_of))

    def grants_of_routines(self, made: Sequence[Object]) -> None:
        """Name the privileges on routines, where the user may see them: the information schema has none of them.

        They have the name as each was granted, and the server tells names of routines apart without their case.
        """
        programs = [obj for obj in made if isinstance(obj, Program)]
        if not privileges.has_on(self.held, "mysql", "procs_priv", ("SELECT",)):
            detail = "privileges on routines are not shown without SELECT on mysql.procs_priv: they are not carried"
            for schema in sorted({program.schema for program in programs if program.kind in {"FUNCTION", "PROCEDURE"}}):
                self.losses.append(Loss(path_of(Schema(schema)), "privileges", detail))
            return
        routines: dict[tuple[str, str, str], Program] = {(p.schema, p.kind, p.name.lower()): p for p in programs}
        granted: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for row in self.rows(_GRANTS_OF_ROUTINES):
            key = row["db"], row["routine_type"], row["routine_name"].lower()
            granted[key].append(f"{row['grantee']} {row['granted']}")
        for (schema, kind, name), whose in granted.items():
            routine = routines.get((schema, kind, name))
            label = QName(schema, f"{name if routine is None else routine.name}()")
            part_of = path_of(Schema(schema) if routine is None else routine)
            self.losses.append(Loss(f"GRANT:{label}", "grant", f"not carried: {'; '.join(whose)}", part_of=part_of))

    def server_wide(self) -> None:
        """Name what lies in no schema, and that objects of schemas may need, where the user may see it."""
        if not privileges.has_on(self.held, "mysql", None, ("SELECT",)):
            return
        for kind, name in self.connection.exec_driver_sql(_SERVER_WIDE):
            rule = str(kind).lower().replace("_", "-")
            self.losses.append(Loss(f"{kind}:{quoted(name)}", rule, "not carried", part_of=DATABASE))


def read(connection: sa.Connection, names: Sequence[str]) -> Catalog:
    """All objects of the schemas ``names``.

    :raises SchemaNotFound: one is not there.
    :raises UnsupportedType: a column's type is not known.
    """
    known = schemas(connection)
    for name in names:
        if name not in known:
            raise SchemaNotFound(schema=name, known=", ".join(known))
    found = flavor(connection)
    if not found.mariadb and found.version >= (8,):  # else AUTO_INCREMENT is as old as a day
        connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")
    return Reader(connection, names, found).catalog()


def server_objects(connection: sa.Connection) -> tuple[Loss, ...]:
    """The accounts and roles, which no job carries; one entry where the user may not see them."""
    if not privileges.has_on(privileges.grants(connection), "mysql", None, ("SELECT",)):
        return (
            Loss(DATABASE, "accounts", "accounts are not shown without SELECT on the database mysql: they are not carried"),
        )
    rows = connection.exec_driver_sql(_ACCOUNTS if flavor(connection).mariadb else _ACCOUNTS.replace("is_role", "'N'"))
    names = ((kind, f"'{user}'@'{host}'" if kind == "ACCOUNT" else user) for kind, user, host in rows)
    return tuple(Loss(f"{kind}:{quoted(name)}", kind.lower(), "not carried", part_of=DATABASE) for kind, name in names)


# --- pieces ---------------------------------------------------------------------------------------------------------


def _decoded(value: Any) -> str:
    """A text that the driver hands over as bytes; those that are no UTF-8, of binary defaults, are escaped."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value or "")


def _by_name(rows: Sequence[Row], name: str = "index_name") -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups


def _key(row: Row) -> Key:
    return row["table_schema"], row["table_name"]


_QUOTED = re.compile(r"`((?:[^`]|``)+)`")


def _named(sql: str | None, column: str | None = None) -> set[str]:
    """The names in an expression, and the column of a key that has none."""
    names = {name.replace("``", "`") for name in _QUOTED.findall(_TEXT.sub("", sql or ""))}
    return names if column is None else {*names, column}


def _names_hidden(key: Key, row: Row, shown: Mapping[Key, Collection[str]]) -> bool:
    """Whether a column of a table's foreign key, or the one that it refers to, is none of those ``shown`` of its table."""
    referred = row["referenced_table_schema"], row["referenced_table_name"]
    ends = ((key, row["column_name"]), (referred, row["referenced_column_name"]))
    return any(column not in shown.get(table, {column}) for table, column in ends)


def _is_constraint(keys: Sequence[Row]) -> bool:
    """A unique index over whole columns, in ascending order, is a unique constraint: MySQL makes no difference."""
    plain = all(k["column_name"] and k["sub_part"] is None and k["collation"] != "D" for k in keys)
    return not keys[0]["non_unique"] and plain and not keys[0]["index_comment"] and not keys[0]["hidden"]


def _said_of_primary_key(keys: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What the table is told to have for a primary key of parts of columns, or of descending ones, as an option of it."""
    if any(key["sub_part"] is not None or key["collation"] == "D" for key in keys):
        words = (
            f"{quote(key['column_name'])}{'' if key['sub_part'] is None else '({})'.format(key['sub_part'])}"
            f"{' DESC' if key['collation'] == 'D' else ''}"
            for key in keys
        )
        yield PRIMARY_KEY, ", ".join(words)


def _said_of_counter(columns: Sequence[Column], keys: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What an AUTO_INCREMENT column counts for, each value of it by itself, where no key begins with the column."""
    counted = next((column.name for column in columns if column.identity is not None), None)
    places = {key["index_name"]: int(key["seq_in_index"]) for key in keys if key["column_name"] == counted}
    if counted is not None and places and 1 not in places.values():
        name, place = next(iter(places.items()))
        before = [k["column_name"] for k in keys if k["index_name"] == name and int(k["seq_in_index"]) < place]
        yield COUNTED_WITHIN, f"for each value of {', '.join(before)}"


def _index(name: str, keys: Sequence[Row]) -> Index:
    method = keys[0]["index_type"].lower()
    return Index(
        name,
        tuple(
            IndexKey(
                k["column_name"],
                None if k["expression"] is None else Expression(k["expression"], "mysql"),
                descending=k["collation"] == "D",
                length=None if method == "spatial" else k["sub_part"],
            )
            for k in keys
        ),
        unique=not keys[0]["non_unique"],
        method=method,
        comment=keys[0]["index_comment"] or None,
        hidden=bool(keys[0]["hidden"]),
    )


def _created(row: Row) -> list[tuple[str, str]]:
    """All options that CREATE TABLE was given, the engine's own among them."""
    return re.findall(r"`?((?:\w+ DIRECTORY)|\w+)`?=('(?:[^']|'')*'|\"[^\"]*\"|\S+)", row["create_options"] or "")


def _options(row: Row, columns: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """A table's options, as name and value of CREATE TABLE."""
    options = [("ENGINE", "MyISAM" if _is_merge(row) else row["engine"]), ("COLLATE", row["table_collation"])]
    options += [(name.upper(), value) for name, value in _created(row) if name.lower() in _CREATE_OPTIONS]
    if row["table_type"] == "SYSTEM VERSIONED":
        options.append((VERSIONED, ""))
        without = [quote(column["column_name"]) for column in columns if UNVERSIONED.lower() in column["extra"].lower()]
        options += [(UNVERSIONED, ", ".join(without))] if without else []
    return tuple((name, value) for name, value in options if value is not None)


def _is_merge(row: Row) -> bool:
    """Whether a table has the rows of others; the servers write the engine's name in other letters."""
    return str(row["engine"]).lower() == _MERGE


VERSIONED, UNVERSIONED = "WITH SYSTEM VERSIONING", "WITHOUT SYSTEM VERSIONING"
"""The options of a table that keeps versions of its rows, and of the columns of it that make none (their names, quoted)."""
PRIMARY_KEY = "PRIMARY KEY"
"""The option of a table whose primary key the model does not tell: its parts, in MySQL's words."""
COUNTED_WITHIN = "AUTO_INCREMENT"
"""The option of a table whose AUTO_INCREMENT column comes later in its key: what it counts within."""
COMMENTED_DATABASES = (10, 5)
"""The first version of MariaDB that has comments on databases; MySQL has none."""
_MERGE = "mrg_myisam"
_SETTINGS = ("sql_mode", "time_zone", "collation_connection")
"""What a program keeps of the session that made it, and a view as well; the last is that of its literals."""


def _session(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple((setting, row[setting]) for setting in _SETTINGS if setting in row)


GENERATED_KEY = "my_row_id"
"""The column that MySQL adds, from 8.0.30 on, to tables without a primary key (sql_generate_invisible_primary_key)."""


def _is_made_by_the_server(table: Table) -> bool:
    """Whether a table's primary key is as MySQL makes it. The dictionary does not tell; nobody else may hide such a key from
    those who ask for all columns and call it so."""
    if table.primary_key is None or table.primary_key.columns != (GENERATED_KEY,):
        return False
    column = table.column(GENERATED_KEY)
    return column.invisible and column.identity is not None and column.native == "bigint unsigned"


ROW_START, ROW_END = "ROW START", "ROW END"
"""The expressions of the two columns that say when a row's version begins and ends."""

_DUALITY = "select json_duality_object("
"""How a view over documents begins, which MySQL makes from 9.4 on; nothing else may call that function."""

_WITH_ROLLUP = re.compile(r"\brollup_(?:group_item|sum_switcher)\(")
"""What MySQL's information schema makes of columns and sums in a view WITH ROLLUP: functions that nobody may call."""

_PARTITION_BY = re.compile(r"^ *(?:/\*!\d+ )?PARTITION BY ", re.MULTILINE)
"""Where the partitions of a table begin in SHOW CREATE TABLE: texts before have no line ends of their own, MySQL's of the
partitions have."""

_PERIOD_CHECK = re.compile(r"`(?:[^`]|``)+` < `(?:[^`]|``)+`")
_PERIOD = re.compile(r"^ +PERIOD FOR `(?P<name>(?:[^`]|``)+)`", re.MULTILINE)
"""A period as SHOW CREATE TABLE has it, in tables that have such a check."""

_INDEX = re.compile(r"^ +(?:(PRIMARY) |\w+ )?KEY (?:`((?:[^`]|``)+)` )?\(.*?\)(.*)$", re.MULTILINE)
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'")
_OF_INDEX = re.compile(r"KEY_BLOCK_SIZE=\d+|WITH PARSER `\w+`|USING \w+")
HASHES = frozenset({"MEMORY"})
"""The engines whose indexes are hashes where no kind is given; a hash elsewhere is what a key of long texts becomes."""


def _said_of_indexes(sql: str, engine: str, table: Table, keys: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What SHOW CREATE TABLE says of indexes and the model does not: the kind of a key, blocks, the parser of words.

    InnoDB takes no notice of the kind and the blocks that its keys were asked to have, and shows them nevertheless.
    """
    carried, hashes = {index.name for index in table.indexes}, set(_hashes(table, engine, keys))
    for primary, quoted_name, rest in _INDEX.findall(sql):
        name = primary or quoted_name.replace("``", "`")
        usual = {"USING BTREE"} if engine not in HASHES or name in carried else set()
        usual |= {"USING HASH"} if name in hashes else set()
        said = [option for option in _OF_INDEX.findall(_TEXT.sub("", rest)) if option not in usual]
        if said:
            yield name, ", ".join(said)


def _hashes(table: Table, engine: str, keys: Sequence[Row]) -> Iterator[str]:
    """The keys that are hashes whatever was asked for: those of an engine that has such, and at InnoDB the unique ones
    over texts that are too long for a tree."""
    for name, parts in _by_name(keys).items():
        columns = [table.column(part["column_name"]) for part in parts if part["column_name"] is not None]
        if parts[0]["index_type"] == "HASH" and (engine != "InnoDB" or sum(map(_key_bytes, columns)) > KEY_BYTES):
            yield name


def _key_bytes(column: Column) -> int:
    large = declared_word(column.native).endswith(("text", "blob"))
    return KEY_BYTES + 1 if large else key_bytes(column.type, column.native)


_USUAL = frozenset({("Aria", "transactional", "1")})
"""What CREATE TABLE was not given, and the dictionary says nevertheless: engine, option and value."""
_CREATE_OPTIONS = frozenset({"row_format", "key_block_size", "stats_persistent", "stats_auto_recalc", "stats_sample_pages"})


def _is_json_text(row: Row) -> bool:
    """Whether a column is what MariaDB makes of one that is declared JSON, if its check says so, too."""
    return (row["data_type"], row["collation_name"]) == ("longtext", "utf8mb4_bin")


def _json_column(row: Row) -> str | None:
    """The column that a MariaDB check declares to be JSON, None for other checks."""
    found = re.fullmatch(r"json_valid\(`((?:[^`]|``)+)`\)", row["check_clause"].strip(), re.IGNORECASE)
    return found[1].replace("``", "`") if found and row["level"] == "Column" else None


_TRUTHS = re.compile(r"\(?`((?:[^`]|``)+)` in \(0,\s*1\)\)?", re.IGNORECASE)


def _truth_column(table: str, row: Row) -> str | None:
    """The column that a check without a name of its own lets be 0 and 1 only, None for other checks."""
    found = _TRUTHS.fullmatch(row["check_clause"].strip())
    own = row["level"] == "Column" or re.fullmatch(rf"CONSTRAINT_\d+|{re.escape(table)}_chk_\d+", row["constraint_name"])
    return found[1].replace("``", "`") if found and own and row["enforced"] != "NO" else None


def _may_be_truth(column: Column) -> bool:
    """Whether a number can be a truth value, as far as its declaration and its default say: so BOOLEAN is declared."""
    known = column.default is None or (isinstance(column.default, Literal) and column.default.value in {"0", "1"})
    return column.native == "tinyint(1)" and known and column.generated is None and column.identity is None


def _as_truth(column: Column) -> Column:
    default = Literal(column.default.value, "boolean") if isinstance(column.default, Literal) else None
    return replace(column, type=t.Boolean(), default=default)


def _unsigned_checks(rows: Sequence[Row]) -> Iterator[Check]:
    for row in rows:
        if is_unsigned(row["column_type"]) and row["data_type"] in {"decimal", "float", "double"}:
            yield Check(None, Expression(unsigned_check(row["column_name"]), "mysql"))


def _on_update(extra: str) -> Now | None:
    found = re.search(r"on update (\w+(?:\(\d*\))?)", extra)
    return now_of(found[1]) if found else None


def _ordered(views: dict[QName, View]) -> list[View]:
    reads = {name: [d for d in view.depends_on if d in views and d != name] for name, view in views.items()}
    try:
        return [views[name] for name in TopologicalSorter(reads).static_order()]
    except CycleError:  # two views cannot read each other: sqlglot took one name for another
        return list(views.values())


# --- the queries ----------------------------------------------------------------------------------------------------

_SCHEMAS = """
SELECT schema_name AS schema_name, default_collation_name AS default_collation_name, {comment} AS schema_comment
FROM information_schema.schemata WHERE schema_name IN :schemas
"""
_TABLES = """
SELECT table_schema, table_name, table_type, engine, row_format, table_rows, data_length, auto_increment, table_collation,
       create_options, table_comment,
       (SELECT e.transactions FROM information_schema.engines e WHERE e.engine = t.engine) AS transactions
FROM information_schema.tables t WHERE table_schema IN :schemas ORDER BY table_schema, table_name
"""
_EVERY_TABLE = """
BEGIN NOT ATOMIC
    FOR t IN (
        SELECT table_name FROM information_schema.tables
        WHERE table_schema = {schema} AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
    ) DO
        BEGIN
            DECLARE code INT;
            DECLARE message TEXT;
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION
            BEGIN
                GET DIAGNOSTICS CONDITION 1 code = MYSQL_ERRNO, message = MESSAGE_TEXT;
                SELECT t.table_name, code, message;
            END;
            EXECUTE IMMEDIATE CONCAT(
                'SHOW CREATE TABLE `', REPLACE({schema}, '`', '``'), '`.`', REPLACE(t.table_name, '`', '``'), '`'
            );
        END;
    END FOR;
END"""
"""Shows all tables of a schema of MariaDB, or says why it does not."""
_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name, c.column_default, c.is_nullable, c.data_type, c.column_type, c.extra,
       c.generation_expression, c.collation_name, c.column_comment
FROM information_schema.columns c WHERE c.table_schema IN :schemas ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
_SRIDS_OF_MARIADB = """
SELECT g_table_schema AS table_schema, g_table_name AS table_name, g_geometry_column AS column_name, srid
FROM information_schema.geometry_columns WHERE g_table_schema IN :schemas AND srid <> 0
"""
_SRIDS_OF_MYSQL = """
SELECT table_schema, table_name, column_name, srs_id AS srid
FROM information_schema.st_geometry_columns WHERE table_schema IN :schemas AND srs_id IS NOT NULL
"""
_STATISTICS = """
SELECT table_schema, table_name, non_unique, index_name, seq_in_index, column_name, collation, sub_part, index_type,
       index_comment, {expression} AS expression, {hidden} AS hidden
FROM information_schema.statistics WHERE table_schema IN :schemas {order}
"""
_FOREIGN_KEYS = """
SELECT k.table_schema, k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name,
       k.referenced_column_name, r.update_rule, r.delete_rule
FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
     ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
WHERE k.table_schema IN :schemas AND r.constraint_schema IN :schemas AND k.referenced_table_name IS NOT NULL
ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position
"""
_CHECKS_MARIADB = """
SELECT constraint_schema, table_name, constraint_name, check_clause, level, 'YES' AS enforced
FROM information_schema.check_constraints WHERE constraint_schema IN :schemas
"""
_CHECKS_MYSQL = """
SELECT c.constraint_schema, t.table_name, c.constraint_name, c.check_clause, 'Table' AS level, t.enforced
FROM information_schema.check_constraints c JOIN information_schema.table_constraints t
     ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK'
WHERE c.constraint_schema IN :schemas ORDER BY 1, 2, 3
"""
_NO_CHECKS = "SELECT schema_name AS constraint_schema FROM information_schema.schemata WHERE 0 AND schema_name IN :schemas"
_PARTITIONS = """
SELECT table_schema, table_name, partition_name, partition_description FROM information_schema.partitions
WHERE table_schema IN :schemas AND partition_name IS NOT NULL
ORDER BY table_schema, table_name, partition_ordinal_position, subpartition_ordinal_position
"""
_VIEWS = """
SELECT table_schema, table_name, view_definition, check_option, security_type, definer, {algorithm} AS algorithm,
       collation_connection, CURRENT_USER() AS reader
FROM information_schema.views WHERE table_schema IN :schemas ORDER BY table_schema, table_name
"""
_VIEW_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name
FROM information_schema.columns c JOIN information_schema.views v USING (table_schema, table_name)
WHERE c.table_schema IN :schemas ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
_ROUTINES = """
SELECT routine_schema, routine_name, routine_type, definer, sql_mode, collation_connection, database_collation,
       CURRENT_USER() AS reader
FROM information_schema.routines WHERE routine_schema IN :schemas ORDER BY routine_schema, routine_type, routine_name
"""
_TRIGGERS = """
SELECT trigger_schema, trigger_name, event_manipulation, event_object_table, action_statement, action_timing,
       definer, sql_mode, collation_connection, database_collation, CURRENT_USER() AS reader
FROM information_schema.triggers WHERE trigger_schema IN :schemas
ORDER BY trigger_schema, event_object_table, action_timing, event_manipulation, action_order
"""
_EVENTS = """
SELECT event_schema, event_name, definer, sql_mode, time_zone, collation_connection, database_collation,
       CURRENT_USER() AS reader
FROM information_schema.events WHERE event_schema IN :schemas ORDER BY event_schema, event_name
"""
_GRANTS = """
SELECT table_schema, table_name, column_name, grantee,
       GROUP_CONCAT(privilege_type ORDER BY privilege_type SEPARATOR ', ') AS granted
FROM (
    SELECT table_schema, NULL AS table_name, NULL AS column_name, grantee, privilege_type
    FROM information_schema.schema_privileges WHERE table_schema IN :schemas
    UNION ALL SELECT table_schema, table_name, NULL, grantee, privilege_type
    FROM information_schema.table_privileges WHERE table_schema IN :schemas
    UNION ALL SELECT table_schema, table_name, column_name, grantee, privilege_type
    FROM information_schema.column_privileges WHERE table_schema IN :schemas
) AS p GROUP BY table_schema, table_name, column_name, grantee ORDER BY table_schema, table_name, column_name, grantee
"""
_GRANTS_OF_ROUTINES = """
SELECT db, routine_type, routine_name, CONCAT(QUOTE(user), '@', QUOTE(host)) AS grantee,
       UPPER(REPLACE(proc_priv, ',', ', ')) AS granted
FROM mysql.procs_priv WHERE db IN :schemas ORDER BY db, routine_type, routine_name, user, host
"""
_ACCOUNTS = """
SELECT CASE is_role WHEN 'Y' THEN 'ROLE' ELSE 'ACCOUNT' END, user, host FROM mysql.user
WHERE user NOT IN ('root', 'PUBLIC', 'mariadb.sys', 'mysql', 'mysql.sys', 'mysql.session', 'mysql.infoschema')
ORDER BY 1, 2, 3
"""
_SERVER_WIDE = """
SELECT 'LOADABLE_FUNCTION' AS kind, name AS name FROM mysql.func
UNION ALL SELECT 'FOREIGN_SERVER', server_name FROM mysql.servers ORDER BY kind, name
"""
