"""MySQL's and MariaDB's DDL. What depends on all columns of a table (the sizes of row and keys) is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, partial
from itertools import count, islice

from sqlglot import exp

from migrator.adapter import TypeRule, rule_for
from migrator.ddl import DDL, Elsewhere, Script, bounded, called, generator_losses, reuse_losses
from migrator.expressions import Language, Untranslatable, parse
from migrator.model import types as t
from migrator.model.catalog import Loss, path_of
from migrator.model.equality import EXACT, Equality, nearest
from migrator.model.objects import (
    CLOCK_DIGITS,
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

from .collations import equality_of
from .defaults import constant
from .dictionary import (
    COMMENTED_DATABASES,
    COUNTED_WITHIN,
    HASHES,
    PRIMARY_KEY,
    ROW_END,
    ROW_START,
    UNVERSIONED,
    VERSIONED,
    parsed_flavor,
)
from .names import SQL_MODE, literal, quote
from .partners import Partners, Place, common, partners
from .types import (
    CHARACTER_BYTES,
    COMMENT_CHARACTERS,
    KEY_BYTES,
    LAST_IN_COMMENTS,
    MARIADB_ONLY,
    ROW_BYTES,
    VECTOR,
    WIDE_CHARACTERS,
    as_large,
    declared_word,
    has_vectors,
    is_mariadb,
    key_bytes,
    neutral,
    row_bytes,
    unsaid,
    unsaid_there,
    unsigned_check,
    with_versions,
)

COLLATE_BINARY = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin", "": "utf8mb4_bin"}
"""The collation of text from databases that tell case and trailing blanks apart; where the server is not known, the one
that both have, which ignores trailing blanks."""

RANDOM_BYTES_IN_MARIADB = (10, 10)
"""The first version of MariaDB that has RANDOM_BYTES; MySQL has had it for long."""

INVISIBLE_COLUMNS_IN_MYSQL = (8, 0, 23)
"""The first version of MySQL that has them; MariaDB has had them since 10.3."""

NO_COUNTING_FLOATS = (8, 4)
"""The first version of MySQL in which no floating-point column is AUTO_INCREMENT."""

RANDOM_UUID = (
    "LOWER(CONCAT(HEX(RANDOM_BYTES(4)), '-', HEX(RANDOM_BYTES(2)), '-4', SUBSTR(HEX(RANDOM_BYTES(2)), 2), '-',"
    " SUBSTR('89AB', 1 + (ORD(RANDOM_BYTES(1)) & 3), 1), SUBSTR(HEX(RANDOM_BYTES(2)), 2), '-', HEX(RANDOM_BYTES(6))))"
)
"""A random UUID of version 4 (RFC 9562)."""

COLLATIONS = {
    "mariadb": ("utf8mb4_general_nopad_ci", "utf8mb4_unicode_520_nopad_ci"),
    "mysql": ("utf8mb4_0900_as_ci", "utf8mb4_0900_ai_ci"),
    "": (),
}
"""The collations of one server of which columns from other databases get the nearest, if texts of different characters are
equal there; besides the binary one and those that both servers have."""

COLLATIONS_OF_BOTH = ("utf8mb4_bin", "utf8mb4_general_ci")

COLLATIONS_IN_MARIADB = {
    "utf8mb4_0900_bin": "utf8mb4_nopad_bin",
    "utf8mb4_0900_as_cs": "utf8mb4_nopad_bin",
    "utf8mb4_0900_ai_ci": "utf8mb4_unicode_520_nopad_ci",
    "utf8mb4_0900_as_ci": "utf8mb4_unicode_520_nopad_ci",
}
COLLATIONS_IN_MYSQL = {
    "utf8mb4_nopad_bin": "utf8mb4_0900_bin",
    **dict.fromkeys((f"utf8mb4_{name}_nopad_ci" for name in ("general", "unicode", "unicode_520")), "utf8mb4_0900_ai_ci"),
    "utf8mb4_uca1400_ai_ci": "utf8mb4_0900_ai_ci",
    "utf8mb4_uca1400_as_cs": "utf8mb4_0900_as_cs",
    "utf8mb4_uca1400_as_ci": "utf8mb4_0900_as_ci",
}
"""The nearest collation where the other of the two servers does not have one."""
COLLATIONS_OF_ONE = {
    "mariadb": re.compile(r"_(nopad|uca1400|general1400|myanmar|mysql561)_|_thai_520_w2$"),
    "mysql": re.compile(r"^gb18030_|_(0900|tolower)_"),
}
"""What the names of those have that one of the two servers alone has: the other one gets what holds most for equal."""
ENGINES_OF_BOTH = frozenset({"innodb", "myisam", "memory", "csv", "archive", "blackhole", "mrg_myisam", "federated"})
"""The storage engines, in small letters, that tables of one of the two servers may have at the other."""

_SESSIONS = {
    "sql_mode": f"SET SESSION sql_mode = '{SQL_MODE}'",
    "time_zone": "SET SESSION time_zone = '+00:00'",
    "collation_connection": "SET NAMES utf8mb4",
}
"""What brings a session's settings back to those that all other statements are written for."""
_MODES_OF_ONE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("DB2", "MAXDB", "MSSQL", "MYSQL323", "MYSQL40", "ORACLE", "POSTGRESQL"), ("mariadb",)),
    **dict.fromkeys(("EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL"), ("mariadb",)),
    **dict.fromkeys(("NO_AUTO_CREATE_USER", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS"), ("mariadb",)),
    "IGNORE_BAD_TABLE_OPTIONS": ("mariadb",),
    "TIME_TRUNCATE_FRACTIONAL": ("mysql",),
}
"""The modes that only one of the two servers has."""
_SILENT_MODES = frozenset({"NO_AUTO_CREATE_USER", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS"})
"""Modes that change no program's meaning."""
_LEAST, _LAST = -(1 << 63) + 1, (1 << 63) - 2
"""The least and the largest number that a sequence can have: those of bigint stand for none."""
_LARGE = ("text", "blob")
_COUNTING_WITHIN = frozenset({"myisam", "aria"})
"""Storage engines whose AUTO_INCREMENT may come later in a key: it counts for each value of what comes before."""
_BY_VERSIONS = re.compile(r"\s*SYSTEM_TIME\b", re.IGNORECASE)
_QUOTED = re.compile(r"`(?:[^`]|``)+`")
_PROGRAM = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:AGGREGATE\s+)?(FUNCTION|PROCEDURE|TRIGGER|EVENT)\b", re.IGNORECASE
)
_INDEX_METHODS = frozenset({"btree", "hash", "rtree", "fulltext", "spatial", ""})
_OF_WORDS_AND_PLACES = frozenset({"fulltext", "spatial"})
_PARTNERS_NAMED = 8
"""How many columns an entry names of those that keys join one with."""
_STEM = 60
"""How much of a name stands before a number that makes it another one."""


@dataclass(frozen=True)
class Declared:
    """How a column is declared: the type's words, what that loses, a check that restores its range; whether ``each`` value
    loses it."""

    sql: str
    loss: str = ""
    rule: str = ""
    check: str = ""
    each: bool = False

    @property
    def large(self) -> bool:
        """Whether values are kept outside of the row, so that an index covers a prefix only."""
        return declared_word(self.sql).endswith(_LARGE) or declared_word(self.sql) == "json"


class MySQLDDL(DDL):
    """DDL for MySQL 8 and MariaDB. A version of 10 or more is a MariaDB; None writes what both take."""

    @property
    def server(self) -> str:
        """``mariadb``, ``mysql``, or empty where the server is not known."""
        if self.version is None:
            return ""
        return "mariadb" if is_mariadb(self.version) else "mysql"

    @property
    def native(self) -> bool:
        """Whether the objects come from MySQL or MariaDB, so that their own words hold."""
        return self.catalog.dialect == self.adapter.name

    @property
    def title(self) -> str:
        """The server's name as people write it."""
        return "MariaDB" if self.server == "mariadb" else self.adapter.title

    def since(self, version: tuple[int, ...]) -> bool:
        """Whether the server is known to be of that version or a later one."""
        return self.version is not None and self.version >= version

    # --- words ------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        """An identifier in backticks."""
        return quote(name)

    def literal(self, text: str) -> str:
        """A character literal; the backslash escapes in MySQL's."""
        return literal(text)

    def boolean(self, value: bool) -> str:
        """A truth value, which is a number."""
        return "1" if value else "0"

    def as_script(self, statement: str) -> str:
        """A statement with its terminator; a program's own semicolons are hidden from the client by another delimiter."""
        if _PROGRAM.match(statement) is None:
            return f"{statement};"
        delimiter = next(mark for mark in ("//", "$$", ";;", "|||") if mark not in statement)
        return f"DELIMITER {delimiter}\n{statement}{delimiter}\nDELIMITER ;"

    def script_head(self) -> tuple[str, ...]:
        """The session that the statements are written for."""
        return ("SET NAMES utf8mb4", "SET time_zone = '+00:00'", f"SET sql_mode = '{SQL_MODE}'")

    def collation(self, name: str, path: str, losses: list[Loss], column: str | None = None) -> str:
        """A collation of the source as this server has it."""
        here = self._own_collation(name)
        if here != name:
            losses.append(Loss(path, "collation", f"collation {name} becomes {here}", column))
        return here

    def _own_collation(self, name: str) -> str:
        """A collation of one of the two servers as this one has it, or the nearest to it."""
        known = {"mariadb": COLLATIONS_IN_MARIADB, "mysql": COLLATIONS_IN_MYSQL}.get(self.server, {})
        if name in known:
            return known[name]
        padded = self.server == "mysql" and "_uca1400_" not in name
        here = name.replace("_nopad", "") if padded else name  # those of old all pad there
        other = {"mariadb": "mysql", "mysql": "mariadb"}.get(self.server)
        if other is not None and COLLATIONS_OF_ONE[other].search(here):
            return self._nearest(equality_of(name, t.String()), t.String())
        return here

    # --- trials -----------------------------------------------------------------------------------------------------

    def untried(self, expression: Expression) -> bool:
        """Whether the server may refuse an expression: those of MySQL and MariaDB differ, too."""
        return not self.native or self._other_product

    @property
    def _other_product(self) -> bool:
        """Whether what comes from one of MariaDB and MySQL is for the other."""
        source = self.catalog.numbers
        return self.native and source is not None and (self.server == "mariadb") != is_mariadb(source)

    def on_trial(self, table: Table, name: QName) -> Table:
        """The table with its AUTO_INCREMENT, which no expression may use; periods cannot be temporary."""
        made = super().on_trial(table, name)
        columns = zip(made.columns, table.columns, strict=True)
        counted = tuple(replace(column, identity=self.identity_of(table, own)) for column, own in columns)
        options = tuple(option for option in table.options if option[0] not in {VERSIONED, UNVERSIONED})
        return replace(made, columns=counted, options=options)

    # --- types ------------------------------------------------------------------------------------------------------

    def declarations(self, table: Table) -> dict[str, Declared]:
        """How each column is declared, by name."""
        made = {column.name: self.declared(table, column) for column in table.columns}
        self._fit_keys(table, made)
        self._fit_row(table, made)
        return made

    def declared(self, table: Table, column: Column) -> Declared:
        """How a column would be declared if no other were in its table: as those are that foreign keys join it with.

        :raises UnsupportedType: there is no way.
        """
        own = self._declared_alone(table, column)
        joined = self._joined(table, column)
        if joined is None:
            return own
        sql = self._common(joined)
        if sql is None or sql == own.sql:
            return own
        here, more = (table.qname, column.name), len(joined.members) - 1 - _PARTNERS_NAMED
        names = (f"{there.name}.{one.name}" for there, one in joined.members if (there.qname, one.name) != here)
        others = ", ".join(islice(names, _PARTNERS_NAMED)) + (f" and {more} more" if more > 0 else "")
        detail = f"is {sql} here, not {own.sql}: foreign keys join it with {others}, and want one type of all"
        return replace(
            own, sql=sql, loss="; ".join(filter(None, (own.loss, detail))), rule=own.rule if own.loss else "key-type"
        )

    def _joined(self, table: Table, column: Column) -> Partners | None:
        """The columns that foreign keys join a column of another database with; those of MySQL's own agree."""
        return None if self.native else self._partners.get((table.qname, column.name))

    @cached_property
    def _partners(self) -> dict[Place, Partners]:
        return partners(self.catalog.of(Table))

    def _common(self, joined: Partners) -> str | None:
        """The declaration that holds the values of all columns of a group, found once for each."""
        lead = joined.lead[0].qname, joined.lead[1].name
        if lead not in self._commons:
            declared = [self._declared_alone(*one).sql for one in joined.members]
            self._commons[lead] = common(declared, any(map(self._counts, joined.members)))
        return self._commons[lead]

    @cached_property
    def _commons(self) -> dict[Place, str | None]:
        return {}

    def _counts(self, place: tuple[Table, Column]) -> bool:
        return self.identity_of(*place) is not None

    def _declared_alone(self, table: Table, column: Column) -> Declared:
        if self.keeps_native(column):
            passed_over = unsaid_there(column.native) if self._other_product else ""
            return Declared(column.native, passed_over, "declaration" if passed_over else "")
        type_ = t.base_of(column.type)
        if self.identity_of(table, column) is not None and isinstance(type_, t.Decimal) and not type_.scale:
            return Declared("bigint", "AUTO_INCREMENT needs an integer: values end at 64 bits", "identity")
        made = self.by_rule(self.rule(table.name, column), column)
        vectors = unsaid(column.native) if self.native and declared_word(column.native) == VECTOR else ""
        return replace(made, loss=vectors, rule="declaration") if vectors else made

    def declaration(self, table: Table, column: Column) -> str:
        """A column's type declaration alone.

        :raises UnsupportedType: there is none.
        """
        return self.declared(table, column).sql

    def by_rule(self, rule: TypeRule, column: Column) -> Declared:
        """How a row of the type table declares a column."""
        type_ = t.base_of(column.type)
        name = f"type-{rule.type.__name__.lower()}"
        check = rule.restriction(type_, self.quote(column.name))
        return Declared(rule.declare(type_), rule.loss, name, check, rule.each)

    def keeps_native(self, column: Column) -> bool:
        """Whether the source's own declaration holds: it comes from MySQL, means the type, and this server has it."""
        if not self.native or not column.native:
            return False
        means = neutral(column.native)
        if isinstance(means, t.Json) and isinstance(column.type, t.Json):
            return not self._other_product  # one of them parses what the other keeps as a text
        return means == column.type and declared_word(column.native) not in self._unknown_words

    @property
    def _unknown_words(self) -> frozenset[str]:
        """Type words that only the other server has, or a later version of this one."""
        vectors = frozenset() if self.version is None or has_vectors(self.version) else frozenset({VECTOR})
        return (MARIADB_ONLY if self.server == "mysql" else frozenset()) | vectors

    def _fit_keys(self, table: Table, made: dict[str, Declared]) -> None:
        """Bound texts and bytes in keys, so that each key stays within 3072 bytes."""
        columns = {column.name: column for column in table.columns}
        for key in _whole_keys(table):
            elastic = [name for name in key if _elastic(columns[name]) and not self.keeps_native(columns[name])]
            taken = sum(key_bytes(columns[name].type, made[name].sql) for name in key if name not in elastic)
            needed = sum(_wanted_bytes(columns[name]) for name in elastic)
            if elastic and taken + needed > KEY_BYTES:
                share = max((KEY_BYTES - taken) // len(elastic), CHARACTER_BYTES)
                for name in elastic:
                    made[name] = _bounded(columns[name], made[name], share)

    def _fit_row(self, table: Table, made: dict[str, Declared]) -> None:
        """Move the longest texts that are in no key out of the row until it fits 65535 bytes."""
        keyed = {name for key in _whole_keys(table) for name in key}
        columns = {column.name: column for column in table.columns}
        sizes = {name: row_bytes(columns[name].type, declared.sql) for name, declared in made.items()}
        movable = [c for c in table.columns if _elastic(c) and c.name not in keyed and not made[c.name].large]
        for column in sorted(movable, key=lambda c: -sizes[c.name]):
            if sum(sizes.values()) <= ROW_BYTES - 1024 or self.keeps_native(column):
                return
            type_ = t.base_of(column.type)
            if isinstance(type_, t.String):
                made[column.name] = self.by_rule(as_large(type_), column)
                sizes[column.name] = row_bytes(type_, made[column.name].sql)

    def rule(self, table: str, column: Column) -> TypeRule:
        """The row of the type table for a column, given the server's version.

        :raises UnsupportedType: there is none.
        """
        rules = with_versions(self.adapter.types, self.version)
        return rule_for(rules, t.base_of(column.type), self.title, f"{table}.{column.name}", table)

    # --- columns ----------------------------------------------------------------------------------------------------

    def column(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """A column of CREATE TABLE, its comment with it."""
        declared = self.declarations(table)[column.name]
        if declared.loss:
            losses.append(Loss(path_of(table), declared.rule, declared.loss, column.name, each=declared.each))
        identity = self.auto_increment(table) == column.name
        parts = [self.quote(column.name), declared.sql, self.collate_clause(table, column, losses)]
        generated = self.generated_clause(table, column, losses) if column.generated is not None else ""
        parts += [generated, self.null_clause(table, column, declared, bool(generated), losses)]
        parts.append(self.invisible_clause(table, column, losses))
        parts.append("" if identity else self.default_clause(table, column, losses))
        parts.append(self.on_update_clause(column, declared))
        parts.append(UNVERSIONED if self.keeps_versions(table) and self.makes_no_version(table, column) else "")
        parts.append(self.identity_clause(table, column, losses) if self.identity_of(table, column) is not None else "")
        parts.append(f"COMMENT {self.comment(table, column, losses)}" if column.comment else "")
        own = next((check for check in table.checks if self.is_of_column(check, column)), None)
        if own is not None:
            parts.append(self.check_clause(table, own, losses))
        elif declared.check and self.server == "mariadb":
            parts.append(f"CHECK ({declared.check})")
        return " ".join(part for part in parts if part)

    def invisible_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``INVISIBLE``, which older versions of MySQL do not know."""
        if not column.invisible:
            return ""
        if self.server == "mysql" and not self.since(INVISIBLE_COLUMNS_IN_MYSQL):
            losses.append(Loss(path_of(table), "invisible", "becomes visible: SELECT * shows it", column.name))
            return ""
        return "INVISIBLE"

    def makes_no_version(self, table: Table, column: Column) -> bool:
        """Whether a change of the column alone makes no version of the row."""
        return self.quote(column.name) in _QUOTED.findall(dict(table.options).get(UNVERSIONED, ""))

    def comment(self, table: Table, column: Column | None, losses: list[Loss]) -> str:
        """The comment of a column, or of the table itself, as far as it may go."""
        if column is None:
            return self.commented(table.comment or "", "table", path_of(table), losses)
        return self.commented(column.comment or "", "column", path_of(table), losses, column.name)

    def commented(self, text: str, on: str, path: str, losses: list[Loss], column: str | None = None) -> str:
        """A comment as a literal, as far as one on such an object may go."""
        most, found = COMMENT_CHARACTERS[on], []
        if len(text) > most:
            found.append(f"the comment of {len(text)} characters is cut after {most}, the most that it can have here")
        if max(text) > LAST_IN_COMMENTS:
            found.append("characters of the comment after U+FFFF become U+FFFD: comments are utf8mb3 here")
        losses += (Loss(path, "comment", detail, column) for detail in found)
        return self.literal("".join(character if character <= LAST_IN_COMMENTS else "\ufffd" for character in text[:most]))

    def collate_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``COLLATE …`` of a text column where it differs from the table's."""
        if self.native and column.collation is not None:
            return f"COLLATE {self.collation(column.collation, path_of(table), losses, column.name)}"
        if self.native:
            return ""
        column = self._led(table, column)
        if column.equality and isinstance(t.base_of(column.type), t.String):
            return f"COLLATE {self._folding(column)}"
        return ""

    def equality(self, table: Table, column: Column) -> Equality:
        """What the collation that it gets holds for equal."""
        if self.native:
            was = _collation(table, column)
            here = self._own_collation(was)
            equality = column.equality if here == was else equality_of(here, column.type)
            return equality if isinstance(t.base_of(column.type), t.COLLATED) else EXACT
        column = self._led(table, column)
        texts = column.equality and isinstance(t.base_of(column.type), t.String)
        return equality_of(self._folding(column), column.type) if texts else EXACT

    def _led(self, table: Table, column: Column) -> Column:
        """The column, of a text's equality that foreign keys lead to: they want one collation of all."""
        joined = self._joined(table, column)
        return column if joined is None else replace(column, equality=joined.lead[1].equality)

    def _folding(self, column: Column) -> str:
        """The collation of a column whose source holds texts of different characters for equal."""
        return self._nearest(column.equality, column.type)

    def _nearest(self, equality: Equality, type_: t.Type) -> str:
        """The collation that holds for equal, in a column of a type, what is nearest to ``equality``."""
        known = (self.binary_collation, *COLLATIONS[self.server], *COLLATIONS_OF_BOTH)
        return nearest(equality, {name: equality_of(name, type_) for name in known})

    def null_clause(self, table: Table, column: Column, declared: Declared, generated: bool, losses: list[Loss]) -> str:
        """``NOT NULL``; a nullable TIMESTAMP says NULL, since older servers would make it NOT NULL.

        MariaDB has no NULL in the declaration of a generated column, which takes what its expression gives.
        """
        if column.nullable and not self.refuses_null(table, column):
            says = declared_word(declared.sql) == "timestamp" and not (generated and self.server != "mysql")
            return "NULL" if says else ""
        if generated and column.generated is not None and column.generated.versions:  # it is, without saying so
            return ""
        if generated and self.server != "mysql":
            losses.append(Loss(path_of(table), "not-null", "a generated column cannot be declared NOT NULL", column.name))
            return ""
        return "NOT NULL"

    def generated_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``GENERATED ALWAYS AS …``; nothing is computed from an AUTO_INCREMENT column here."""
        assert column.generated is not None
        if column.generated.versions and self.keeps_versions(table):
            return f"GENERATED ALWAYS AS {column.generated.expression.sql}"
        found: list[Loss] = []
        sql, counted = super().generated_clause(table, column, found), self.auto_increment(table)
        if not sql or counted is None or self.quote(counted) not in sql or self._has_virtual_ones(column):
            losses += found
            return sql
        source = column.generated.expression.sql
        detail = (
            f"the generated column becomes an ordinary one with the values of now: {source}: {counted} is AUTO_INCREMENT"
        )
        losses.append(Loss(path_of(table), "generated", detail, column.name))
        return ""

    def _has_virtual_ones(self, column: Column) -> bool:
        """Whether a column comes from a server of this very release, which computes it from a counter when it is read."""
        source = parsed_flavor(self.catalog.version)
        same = self.native and self.version is not None and source.version[:2] == self.version[:2]
        return same and column.generated is not None and not column.generated.stored

    def on_update_clause(self, column: Column, declared: Declared) -> str:
        """``ON UPDATE CURRENT_TIMESTAMP``."""
        return f"ON UPDATE {self.current_timestamp(declared.sql)}" if column.on_update is not None else ""

    def current_timestamp(self, declaration: str) -> str:
        """CURRENT_TIMESTAMP with as many digits as the column has: MySQL wants them equal."""
        digits = re.search(r"\((\d)\)", declaration)
        return f"CURRENT_TIMESTAMP({digits[1]})" if digits else "CURRENT_TIMESTAMP"

    def default(self, value: Default, column: Column) -> str:
        """A default in MySQL's SQL; large objects take expressions only, which MySQL wants in parentheses.

        :raises Untranslatable: it has no exact counterpart here.
        """
        match value:
            case Now():
                return self.now_default(value, column)
            case Literal(kind="null"):
                return super().default(value, column)
            case Literal():
                sql = super().default(value, column) if self.is_own(column) else self.constant(value, column)
                return f"({sql})" if self.server != "mariadb" and self.is_large(column) else sql
            case _:
                return f"({super().default(value, column)})"

    def constant(self, value: Literal, column: Column) -> str:
        """Another database's constant.

        :raises Untranslatable: the column does not hold it as it is.
        """
        base = t.base_of(column.type)
        return constant(value, base, self.rule("", column).declare(base), self.literal)

    def is_large(self, column: Column) -> bool:
        """Whether a column's own type is one of the TEXT or BLOB family, JSON or spatial."""
        match t.base_of(column.type):
            case t.String(lob=True) | t.String(length=None) | t.Binary(lob=True) | t.Binary(length=None):
                return True
            case t.Json() | t.Xml() | t.Array() | t.Native():
                return True
            case _:
                return False

    def now_default(self, value: Now, column: Column) -> str:
        """The current date or time, in UTC for instants that become dates with times."""
        type_ = t.base_of(column.type)
        if value.utc:
            return self.utc_default(value, type_)
        digits = _digits(value, type_)
        word = f"CURRENT_TIMESTAMP{digits.replace('()', '')}"
        if value.kind == "timestamp" and isinstance(type_, t.Timestamp):
            if type_.zoned and not self.keeps_native(column):
                return f"(UTC_TIMESTAMP{digits})"
            if digits == _digits(Now(), type_):
                return word
            if digits == "()":  # which MariaDB takes for as many as the column has
                return f"(CAST({word} AS DATETIME))"
        word = {"date": "CURDATE()", "time": f"CURTIME{digits}"}.get(value.kind, word)
        return f"({word})"

    def utc_default(self, value: Now, type_: t.Type) -> str:
        """The current date or time by UTC's clock, in a text as ISO 8601 writes it with a blank."""
        digits = _digits(value, type_)
        words = {"date": "UTC_DATE()", "time": f"UTC_TIME{digits}", "timestamp": f"UTC_TIMESTAMP{digits}"}[value.kind]
        return f"(CAST({words} AS CHAR))" if isinstance(type_, t.String) and not self.native else f"({words})"

    def next_value(self, sequence: QName) -> str:
        """The next value of a sequence, which MariaDB has."""
        if self.server == "mysql":
            raise Untranslatable("MySQL has no sequences")
        return f"NEXTVAL({self.name_of(sequence)})"

    def new_uuid(self, value: NewUuid) -> str:
        """A fresh UUID; MySQL's own function makes none that are random.

        :raises Untranslatable: no function that may stand in a default gives random bytes.
        """
        if value.version == 1:
            return "UUID()"
        if self.server == "mariadb" and self.version is not None and self.version < RANDOM_BYTES_IN_MARIADB:
            raise Untranslatable("UUID() is made of the clock and the machine, and there are no random bytes before 10.10")
        return RANDOM_UUID

    def uuid_version(self, value: NewUuid) -> int:
        """The version of the UUIDs: any."""
        return value.version

    # --- AUTO_INCREMENT ---------------------------------------------------------------------------------------------

    def identity_of(self, table: Table, column: Column) -> Identity | None:
        """A column's identity, or that of the sequence that belongs to the column and feeds its default."""
        if column.identity is not None or not isinstance(column.default, NextValue):
            return column.identity
        sequence = self.sequence(column.default.sequence)
        if sequence is None or sequence.owner != (table.name, column.name):
            return None
        return Identity(
            start=sequence.start,
            increment=sequence.increment,
            minimum=sequence.minimum,
            maximum=sequence.maximum,
            cycle=sequence.cycle,
            next_value=sequence.next_value,
            behind=sequence.behind,
        )

    def sequence(self, name: QName) -> Sequence | None:
        """The catalog's sequence of that name."""
        return next((s for s in self.catalog.of(Sequence) if QName(s.schema, s.name) == name), None)

    def auto_increment(self, table: Table) -> str | None:
        """The column that becomes AUTO_INCREMENT: the first identity that can; a table has one at most."""
        return next((c.name for c in table.columns if not self.no_auto_increment(table, c)), None)

    def no_auto_increment(self, table: Table, column: Column) -> str:
        """Why a column cannot be AUTO_INCREMENT; empty: it can."""
        identity = self.identity_of(table, column)
        if identity is None:
            return "it has no identity"
        if identity.increment < 0:
            return "AUTO_INCREMENT counts upwards only"
        type_ = t.base_of(column.type)
        floats = not (self.server == "mysql" and self.since(NO_COUNTING_FLOATS))
        may_count = isinstance(type_, t.Integer) or (floats and isinstance(type_, t.Float))
        if not may_count and not (isinstance(type_, t.Decimal) and not type_.scale):
            return "AUTO_INCREMENT needs an integer"
        if table.primary_key is not None and self._serves(table, table.primary_key.columns, column.name):
            return ""
        return "" if self.inline_key(table, column.name) else "AUTO_INCREMENT needs a key that begins with the column"

    def _serves(self, table: Table, key: tuple[str | None, ...], column: str) -> bool:
        """Whether a key serves an AUTO_INCREMENT column: it begins with it; two engines count within what comes before."""
        within = self.engine(table, []).lower() in _COUNTING_WITHIN
        return column in (key if within else key[:1])

    def inline_key(self, table: Table, column: str) -> Unique | Index | None:
        """A key that serves ``column``."""
        for unique in table.uniques:
            if self._serves(table, unique.columns, column):
                return unique
        plain = (index for index in table.indexes if index.where is None and index.method == "btree")
        return next((index for index in plain if self._serves(table, tuple(key.column for key in index.keys), column)), None)

    def inline_with(self, table: Table) -> Unique | Index | None:
        """The key that must stand in CREATE TABLE for AUTO_INCREMENT's sake; None where the primary key serves."""
        column = self.auto_increment(table)
        if column is None or (table.primary_key is not None and self._serves(table, table.primary_key.columns, column)):
            return None
        return self.inline_key(table, column)

    def identity_clause(self, table: Table, column: Column, losses: list[Loss]) -> str:
        """``AUTO_INCREMENT``, or a loss."""
        identity = self.identity_of(table, column)
        why = self.no_auto_increment(table, column)
        left_out = bool(why) or self.auto_increment(table) != column.name
        if identity is None or (left_out and column.identity is None):  # its default counts, or is said to be left out
            return ""
        if left_out:
            detail = f"the identity is left out: {why or 'a table has one AUTO_INCREMENT column'}"
            losses.append(Loss(path_of(table), "identity", detail, column.name))
            return ""
        if identity.increment != 1:
            detail = f"counts by 1, not by {identity.increment}: auto_increment_increment is the server's"
            losses.append(Loss(path_of(table), "identity", detail, column.name))
        if identity.cycle:
            losses.append(Loss(path_of(table), "identity", "does not begin anew after its last value", column.name))
        losses += generator_losses(table, column, identity)
        losses += reuse_losses(table, column)
        return "AUTO_INCREMENT"

    def position(self, obj: Table | Sequence) -> Script:
        """Let AUTO_INCREMENT or a sequence go on where the source stood; the server never goes below the rows' own."""
        if isinstance(obj, Sequence):
            if obj.next_value is None or self.feeds_auto_increment(obj) or self.server == "mysql":
                return Script()
            return Script((self._restart(obj, obj.next_value),))
        name = self.auto_increment(obj)
        identity = self.identity_of(obj, obj.column(name)) if name else None
        if identity is None:
            return Script()
        following = max(identity.next_value if identity.next_value is not None else identity.start, 1)
        return Script((f"ALTER TABLE {self.name_of(obj)} AUTO_INCREMENT = {following}",) if following > 1 else ())

    def _restart(self, sequence: Sequence, following: int) -> str:
        """Let a sequence go on with a number; one that has none left, or none left here, must have given its last."""
        least, most = _bounds(within(bounded(sequence)), _LEAST, _LAST)
        if least <= following <= most:
            return f"ALTER SEQUENCE {self.name_of(sequence)} RESTART WITH {following}"
        last = min(max(following - sequence.increment, least), most)
        return f"SELECT SETVAL({self.name_of(sequence)}, {last})"

    def feeds_auto_increment(self, sequence: Sequence) -> bool:
        """Whether a sequence lives on as a column's AUTO_INCREMENT."""
        if sequence.owner is None:
            return False
        table = self.catalog.table(QName(sequence.schema, sequence.owner[0]))
        if table is None or self.auto_increment(table) != sequence.owner[1]:
            return False
        return table.column(sequence.owner[1]).default == NextValue(QName(sequence.schema, sequence.name))

    def sequence_options(self, of: Sequence | Identity) -> str:
        """The options; a cache of one number is said too, since MariaDB's own is of a thousand."""
        return super().sequence_options(of) + (" CACHE 1" if of.cache == 1 else "")

    def create_sequence(self, sequence: Sequence) -> Script:
        """A sequence of MariaDB, or nothing where a column's AUTO_INCREMENT is it."""
        if self.feeds_auto_increment(sequence) and sequence.owner is not None:
            detail = "is no object of its own here: {}.{} is AUTO_INCREMENT".format(*sequence.owner)
            losses = (Loss(path_of(sequence), "sequence-identity", detail), *self.uncommented(sequence))
            return Script((), losses, Elsewhere.CHANGED)
        if self.server == "mysql":
            return self.not_carried(sequence, "sequence", "MySQL has no sequences")
        made = super().create_sequence(replace(within(sequence), comment=None, cache=sequence.cache or 1))
        comment = f" COMMENT {self.literal(sequence.comment)}" if sequence.comment else ""
        return Script(tuple(f"{sql}{comment}" for sql in made.statements), tuple(_beyond(sequence)))

    # --- tables -----------------------------------------------------------------------------------------------------

    def create_schema(self, schema: Schema) -> Script:
        """A database with the defaults of one of MySQL's own, else for any text."""
        losses: list[Loss] = []
        own = schema.collation if self.native else None
        collation = self.binary_collation if own is None else self.collation(own, path_of(schema), losses)
        sql = f"CREATE DATABASE IF NOT EXISTS {self.quote(schema.name)}"
        sql += f" CHARACTER SET {collation.split('_')[0]} COLLATE {collation}"
        if schema.comment and self.server == "mariadb" and self.since(COMMENTED_DATABASES):
            sql += f" COMMENT {self.commented(schema.comment, 'database', path_of(schema), losses)}"
        else:
            losses += self.uncommented(schema)
        return Script((sql,), tuple(losses))

    @property
    def binary_collation(self) -> str:
        """The collation that tells all texts apart, as far as the server has one."""
        return COLLATE_BINARY[self.server]

    def table_options(self, table: Table, losses: list[Loss]) -> str:
        """Engine, collation, comment and partitions."""
        options = dict(table.options) if self.native else {}
        collation = self.collation(options.pop("COLLATE", self.binary_collation), path_of(table), losses)
        if VERSIONED in options and not self.keeps_versions(table):
            detail = "keeps no versions of its rows: MySQL has no system versioning"
            losses.append(Loss(path_of(table), "system-versioning", detail))
        for name in (VERSIONED, UNVERSIONED, PRIMARY_KEY, COUNTED_WITHIN, "ENGINE"):
            options.pop(name, None)
        parts = [
            f"ENGINE={self.engine(table, losses)}",
            f"DEFAULT CHARSET={collation.split('_')[0]}",
            f"COLLATE={collation}",
        ]
        parts += [f"{name}={value}" for name, value in options.items()]
        if table.comment:
            parts.append(f"COMMENT={self.comment(table, None, losses)}")
        if self.keeps_versions(table):
            parts.append(VERSIONED)
        sql = " " + " ".join(parts)
        if self._keeps_partitions(table):
            assert table.partitioning is not None
            return f"{sql}\nPARTITION BY {table.partitioning.clause}"
        return sql + super().table_options(table, losses)

    def _keeps_partitions(self, table: Table) -> bool:
        """Whether the table is in partitions as at its source; of versions there are none in MySQL."""
        own = table.partitioning is not None and table.partitioning.dialect == self.adapter.name
        of_versions = own and table.partitioning is not None and _BY_VERSIONS.match(table.partitioning.clause)
        return own and not (of_versions and self.server == "mysql")

    def engine(self, table: Table, losses: list[Loss]) -> str:
        """The storage engine: the source's if this server has it, and MySQL's own InnoDB for partitions."""
        own = dict(table.options).get("ENGINE", "InnoDB") if self.native else "InnoDB"
        if not self._other_product or not self.server:
            return own
        why = ""
        if own.lower() not in ENGINES_OF_BOTH:
            why = f"{self.title} has none of that name"
        elif self.server == "mysql" and own != "InnoDB" and self._keeps_partitions(table):
            why = "MySQL has no partitions of another"
        if not why:
            return own
        losses.append(Loss(path_of(table), "engine", f"engine {own} becomes InnoDB: {why}"))
        return "InnoDB"

    def keeps_versions(self, table: Table) -> bool:
        """Whether the table keeps versions of its rows, as it does in MariaDB alone."""
        return self.native and self.server != "mysql" and VERSIONED in dict(table.options)

    def period(self, table: Table) -> list[str]:
        """``PERIOD FOR SYSTEM_TIME (…)`` of a table with columns that say when versions of rows begin and end."""
        moments = {
            c.generated.expression.sql: c.name for c in table.columns if c.generated is not None and c.generated.versions
        }
        if not moments or not self.keeps_versions(table):
            return []
        return [f"PERIOD FOR SYSTEM_TIME ({self.quote(moments[ROW_START])}, {self.quote(moments[ROW_END])})"]

    def is_of_column(self, check: Check, column: Column) -> bool:
        """Whether a check stands in a column's declaration, as MariaDB has it; MySQL gives all of them to the table."""
        return self.server == "mariadb" and self.native and check.column == column.name

    def _of_columns(self, table: Table, check: Check) -> bool:
        return any(self.is_of_column(check, column) for column in table.columns)

    def range_checks(self, table: Table) -> list[str]:
        """Checks that restore what a wider declaration would let in, but for those in their columns' own declarations.

        MariaDB gives each column one.
        """
        taken = {check.column for check in table.checks if self._of_columns(table, check)}
        found = {name: declared.check for name, declared in self.declarations(table).items() if declared.check}
        return [f"CHECK ({sql})" for name, sql in found.items() if self.server != "mariadb" or name in taken]

    def inline_constraints(self, table: Table, losses: list[Loss]) -> list[str]:
        """The primary key, the checks, and a key that AUTO_INCREMENT needs."""
        others = replace(table, checks=tuple(check for check in table.checks if not self._of_columns(table, check)))
        items = [*self.period(table), *super().inline_constraints(others, losses)]
        key = self.inline_with(table)
        if isinstance(key, Unique):
            items.append(self.unique_clause(table, key, losses))
        elif key is not None:
            items.append(self._inline_index(table, key, losses))
        return items

    def _inline_index(self, table: Table, index: Index, losses: list[Loss]) -> str:
        keys = ", ".join(self.index_key(table, index, key, losses) for key in index.keys)
        said = self._said_after_keys(table, index, losses)
        return f"{'UNIQUE ' if index.unique else ''}KEY {self.quote(index.name)} ({keys}){said}"

    def _said_after_keys(self, table: Table, index: Index, losses: list[Loss]) -> str:
        """An index's comment and kind, and what hides it from the optimizer, for which each server has a word of its own."""
        comment = f" COMMENT {self.literal(index.comment)}" if index.comment else ""
        is_tree = index.method == "btree" and self.native and dict(table.options).get("ENGINE") in HASHES
        if index.hidden and self.native and not self.server:
            detail = f"the optimizer may use index {index.name}, which it ignored before"
            losses.append(Loss(path_of(table), "index-hidden", detail))
        word = {"mariadb": " IGNORED", "mysql": " INVISIBLE"}.get(self.server, "")
        hidden = word if index.hidden and self.native else ""
        return f"{comment}{' USING BTREE' if is_tree else ''}{hidden}"

    def primary_key_clause(self, table: Table, key: PrimaryKey, losses: list[Loss]) -> str:
        """``PRIMARY KEY (…)``, which has no other name."""
        self._name_padding(table, key, losses)
        if key.name not in {None, f"{table.name}_pkey"}:
            detail = f"the primary key has no name here (at the source: {key.name})"
            losses.append(Loss(path_of(table), "key-name", detail))
        own = dict(table.options).get(PRIMARY_KEY) if self.native else None
        return super().primary_key_clause(table, replace(key, name=None), losses) if own is None else f"PRIMARY KEY ({own})"

    def unique_clause(self, table: Table, unique: Unique, losses: list[Loss]) -> str:
        """``UNIQUE (…)``."""
        self._name_padding(table, unique, losses)
        return super().unique_clause(table, unique, losses)

    def _name_padding(self, table: Table, key: PrimaryKey | Unique, losses: list[Loss]) -> None:
        """Say that a key over texts ignores trailing blanks, where the server's own collation for them is not known."""
        texts = [name for name in key.columns if isinstance(t.base_of(table.column(name).type), t.String)]
        if texts and not self.native and not self.server:
            detail = f"in a key, {self.binary_collation} holds texts for equal that differ in trailing blanks only"
            losses.append(Loss(path_of(table), "trailing-blanks", detail, texts[0]))

    def deferral(self, table: Table, of: PrimaryKey | Unique | ForeignKey, losses: list[Loss]) -> str:
        """Nothing: constraints are checked at each row."""
        if of.deferrable:
            losses.append(Loss(path_of(table), "deferrable", f"key {called(of)} is checked at once, never deferred"))
        return ""

    def unique(self, table: Table, unique: Unique) -> Script:
        """A unique constraint, if CREATE TABLE did not need it. MariaDB alone has such ones over texts of any length."""
        size = sum(_own_bytes(table, table.column(name)) for name in unique.columns)
        if self.native and self.server == "mysql" and size > KEY_BYTES:
            detail = f"{self.called('unique key', unique.name)} is left out: a key has {KEY_BYTES} bytes at most here"
            return Script((), (Loss(path_of(table), "unique", detail),))
        if self.inline_with(table) == unique:
            return self.within_table(partial(self.unique_clause, table, unique))
        return super().unique(table, unique)

    def check_clause(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``CHECK (…)``, or nothing with a loss; what an UNSIGNED declaration says is not said twice."""
        implied = (unsigned_check(c.name) for c in table.columns if self.keeps_native(c))
        if self.native and check.name is None and check.expression.sql in implied:
            return ""
        sql = super().check_clause(table, check, losses)
        counted = self.auto_increment(table)
        if counted is not None and self.quote(counted) in sql:
            detail = f"{self.called('check', check.name)} ({check.expression.sql}) is left out: {counted} is AUTO_INCREMENT"
            losses.append(Loss(path_of(table), "check", detail))
            return ""
        if sql and (told := self._telling(table, check)) is not None:
            key, made = told
            same = "has the same" if made else "had the same, which is left out, too"
            why = f"what foreign key {called(key)} leads to {same}, and a column that a key sets can have none"
            detail = f"{self.called('check', check.name)} ({check.expression.sql}) is left out: {why}"
            losses.append(Loss(path_of(table), "check", detail))
            return ""
        return sql

    def _telling(self, table: Table, check: Check, seen: tuple[QName, ...] = ()) -> tuple[ForeignKey, bool] | None:
        """A foreign key that sets the column of a check, and leads to one of the same check that no key sets; and whether
        that check is made. Others of its kind may lie between, but none of the tables that were ``seen``."""
        for key in (key for key in table.foreign_keys if _sets(key) and len(key.columns) == len(key.referred_columns) == 1):
            (own,), (other,), parent = key.columns, key.referred_columns, self.catalog.table(key.referred)
            bounds = self._bounds(table, check, own)
            if not bounds or parent is None or parent.qname in seen:
                continue
            same = [theirs for theirs in parent.checks if self._bounds(parent, theirs, other) == bounds]
            if same and not any(other in k.columns for k in parent.foreign_keys if _sets(k)):
                return key, any(self.check_clause(parent, theirs, []) for theirs in same)
            for theirs in same:
                if (told := self._telling(parent, theirs, (*seen, table.qname))) is not None:
                    return key, told[1]
        return None

    def _bounds(self, table: Table, check: Check, column: str) -> frozenset[tuple[type[exp.Expr], Decimal]]:
        """The bounds that a check sets to a column for all rows, NULL being within them; empty: it is another check."""
        if not check.validated or not check.enforced:
            return frozenset()
        try:
            condition = parse(self.expression(check.expression, table, condition=True, fixed=True), Language("mysql"))
        except Untranslatable:
            return frozenset()
        found = [_bound(part, column) for part in condition.flatten()] if isinstance(condition, exp.And) else None
        bounds = found or [_bound(condition, column)]
        return frozenset() if None in bounds else frozenset(bound for bound in bounds if bound is not None)

    def check_state(self, table: Table, check: Check, losses: list[Loss]) -> str:
        """``NOT ENFORCED``, which MySQL has and MariaDB has not; there is none for new rows only.

        :raises Untranslatable: it cannot be off here.
        """
        if self.server != "mysql" or (check.enforced and check.validated):
            return super().check_state(table, check, losses)
        if check.enforced:
            what = f"{self.called('check', check.name)} ({check.expression.sql})"
            detail = f"{what} is off: it held for new rows, and would for all"
            losses.append(Loss(path_of(table), "check", detail, rows=check.broken))
        return " NOT ENFORCED"

    def foreign_key(self, table: Table, key: ForeignKey) -> Script:
        """A foreign key; one that rows may break, as far as the source vouches, is added without a look at the rows.

        Not where its table is known to be missing: that would not be looked at either.
        """
        made = super().foreign_key(table, key)
        if not self.leaves_unchecked(key) or not made.statements or key.referred in (self.absent or ()):
            return made
        off, on = (f"SET SESSION foreign_key_checks = {state}" for state in (0, 1))
        losses = (*made.losses, self.not_validated(table, key))
        return replace(made, statements=(off, *made.statements, on), losses=losses, restoring=(on,))

    def foreign_key_clause(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``FOREIGN KEY``, after an index for it where another one has the name of the key, as the server would call it."""
        sql = super().foreign_key_clause(table, key, losses)
        made = [index for index in table.indexes if self.inline_with(table) == index or self.index(table, index).statements]
        given = (*(unique.name for unique in table.uniques), *(index.name for index in made))
        names = {name.lower() for name in given if name is not None}
        if key.name is None or key.name.lower() not in names or any(_serves(own, key) for own in _ordered_keys(table, made)):
            return sql
        names |= {other.name.lower() for other in table.foreign_keys if other.name is not None}
        name = next(name for n in count(2) if (name := f"{key.name[:_STEM]}_{n}").lower() not in names)
        return f"INDEX {self.quote(name)} ({self.columns(key.columns)}), ADD {sql}"

    def actions(self, table: Table, key: ForeignKey, losses: list[Loss]) -> str:
        """``ON DELETE … ON UPDATE …``, always written: the servers' defaults differ. There is no SET DEFAULT."""
        self.name_set_columns(table, key, losses)
        if "SET DEFAULT" in (key.on_delete, key.on_update):
            losses.append(Loss(path_of(table), "set-default", f"foreign key {called(key)} refuses instead of SET DEFAULT"))
            key = replace(
                key,
                on_delete="NO ACTION" if key.on_delete == "SET DEFAULT" else key.on_delete,
                on_update="NO ACTION" if key.on_update == "SET DEFAULT" else key.on_update,
            )
        return f" ON DELETE {key.on_delete} ON UPDATE {key.on_update}"

    # --- indexes ----------------------------------------------------------------------------------------------------

    def index(self, table: Table, index: Index) -> Script:
        """An index; what MySQL cannot do is left out or done plainly, a partial unique one never over all rows."""
        path = path_of(table)
        if index.partition is not None:
            return self.of_partition(table, f"index {index.name}", index.partition)
        if self.inline_with(table) == index:
            return self.within_table(lambda losses: self._inline_index(table, index, losses))
        if index.method not in _INDEX_METHODS:
            return Script((), (Loss(path, "index", f"index {index.name} is left out: no {index.method} indexes"),))
        if index.where is not None and index.unique:
            detail = f"unique index {index.name} is left out: it holds for WHERE {index.where.sql} only"
            return Script((), (Loss(path, "index-partial", detail),))
        losses: list[Loss] = []
        if index.method == "hash" and not self.native:
            losses.append(Loss(path, "index-method", f"index {index.name} (hash) becomes an ordinary index"))
        if index.where is not None:
            losses.append(Loss(path, "index-partial", f"index {index.name} covers all rows, not only {index.where.sql}"))
        if index.include:
            losses.append(Loss(path, "index-include", f"index {index.name} does not include {', '.join(index.include)}"))
        if not index.nulls_distinct:
            losses.append(Loss(path, "nulls-not-distinct", f"unique index {index.name} lets several NULLs in here"))
        try:
            keys = ", ".join(self.index_key(table, index, key, losses) for key in index.keys)
        except Untranslatable as why:
            return Script((), (Loss(path, "index", f"index {index.name} is left out: {why}"),))
        word = {"fulltext": "FULLTEXT ", "spatial": "SPATIAL "}.get(index.method, "UNIQUE " if index.unique else "")
        sql = f"CREATE {word}INDEX {self.quote(index.name)} ON {self.name_of(table)} ({keys})"
        return Script((sql + self._said_after_keys(table, index, losses),), tuple(losses))

    def index_key(self, table: Table, index: Index, key: IndexKey, losses: list[Loss]) -> str:
        """One key of an index: a column, a prefix of it, or an expression.

        :raises Untranslatable: an expression without a counterpart.
        """
        direction = " DESC" if key.descending else ""
        if key.expression is not None:
            if self.server == "mariadb":
                raise Untranslatable("MariaDB has no indexes over expressions")
            return f"({self.in_index(table, index, key.expression, losses)}){direction}"
        name = key.column or ""
        length = key.length if key.length is not None else self.prefix(table, index, name)
        if length is not None and key.length is None:
            detail = f"index {index.name} covers the first {length} characters of {name} only"
            losses.append(Loss(path_of(table), "index-prefix", detail, name))
        losses += self.index_key_losses(table, index, key)
        return self.quote(name) + (f"({length})" if length is not None else "") + direction

    def prefix(self, table: Table, index: Index, name: str) -> int | None:
        """How much of a column an index can cover, None: all of it."""
        if index.method in _OF_WORDS_AND_PLACES or self.keeps_native(table.column(name)):
            return None
        made = self.declarations(table)
        sizes = {k.column: _index_bytes(table.column(k.column), made[k.column]) for k in index.keys if k.column}
        if sum(sizes.values()) <= KEY_BYTES:
            return None
        elastic = [column for column, size in sizes.items() if size > KEY_BYTES] or [
            column for column in sizes if _elastic(table.column(column))
        ]
        if name not in elastic:
            return None
        rest = sum(size for column, size in sizes.items() if column not in elastic)
        unit = 1 if isinstance(t.base_of(table.column(name).type), t.Binary) else CHARACTER_BYTES
        return max((KEY_BYTES - rest) // len(elastic) // unit, 1)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def update_from(self, table: Table, columns: Iterable[Column], key: Iterable[str], staging: QName) -> str:
        """By a join. Columns that change by themselves keep their values where they are given them."""
        own = [f"t.{self.quote(column.name)} = s.{self.quote(column.name)}" for column in columns]
        kept = {column.name for column in table.columns if column.on_update is not None} - {
            column.name for column in columns
        }
        sets = ", ".join([*own, *(f"t.{self.quote(name)} = t.{self.quote(name)}" for name in sorted(kept))])
        return f"UPDATE {self.name_of(table.qname)} t JOIN {self.name_of(staging)} s ON {self._same(key)} SET {sets}"

    def delete_by(self, table: Table, key: Iterable[str], staging: QName) -> str:
        """By a join."""
        return f"DELETE t FROM {self.name_of(table.qname)} t JOIN {self.name_of(staging)} s ON {self._same(key)}"

    def drop_referred(self, table: Table, key: Iterable[str], staging: QName, by: QName, foreign_key: ForeignKey) -> str:
        """By a join: a DELETE of one table gives it no other name before MySQL 8.0.16."""
        of_table = f"JOIN {self.name_of(table.qname)} t ON {self._same(key)}"
        referring = f"JOIN {self.name_of(by)} r ON {self._refers(foreign_key)}"
        return f"DELETE s FROM {self.name_of(staging)} s {of_table} {referring}"

    def truncate(self, *tables: Table, among: Iterable[Table] = ()) -> Script:
        """Empty tables. Foreign keys of these and of ``among`` are not checked; one from elsewhere is."""
        if not tables:
            return Script()
        every = dict.fromkeys(table.qname for table in (*tables, *among))
        names = ", ".join(f"({self.literal(name.schema)}, {self.literal(name.name)})" for name in every)
        from_elsewhere = (
            "SELECT EXISTS (SELECT 1 FROM information_schema.key_column_usage "
            f"WHERE (referenced_table_schema, referenced_table_name) IN ({names}) "
            f"AND (table_schema, table_name) NOT IN ({names}))"
        )
        checked = f"SET @migrator_foreign_key_checks = ({from_elsewhere})"
        truncates = [f"TRUNCATE TABLE {self.name_of(name)}" for name in tables]
        if self.server == "mariadb":
            once = "SET STATEMENT foreign_key_checks = @migrator_foreign_key_checks FOR"
            return Script((checked, *(f"{once} {sql}" for sql in truncates)))
        off = "SET foreign_key_checks = @migrator_foreign_key_checks"
        return Script((checked, off, *truncates, "SET foreign_key_checks = 1"))

    def drop_foreign_key(self, table: QName, key: ForeignKey) -> Script:
        """Drop a foreign key, in the words that older servers know, too."""
        return (
            Script((f"ALTER TABLE {self.name_of(table)} DROP FOREIGN KEY {self.quote(key.name)}",)) if key.name else Script()
        )

    def comments(self, obj: Table | View) -> Script:
        """Nothing for tables, whose comments CREATE TABLE has; a loss for a view's."""
        if isinstance(obj, View) and obj.comment:
            return Script((), (Loss(path_of(obj), "comment", "views have no comments"),))
        return Script()

    def create_view(self, view: View) -> Script:
        """A view with its check option, whose literals have the collation that they had."""
        script = super().create_view(view)
        if not script.statements:
            return script
        options = dict(view.options) if self.native else {}
        words = [f"ALGORITHM={options['ALGORITHM']}"] if "ALGORITHM" in options else []
        words += [f"SQL SECURITY {options['SQL SECURITY']}"] if "SQL SECURITY" in options else []
        sql = script.statements[0].replace("CREATE VIEW", " ".join(["CREATE", *words, "VIEW"]), 1)
        if view.check_option:
            sql += f" WITH {view.check_option} CHECK OPTION"
        if not self.native:
            return replace(script, statements=(sql,))
        losses = list(script.losses)
        before, after = tuple(self._session(view, losses)), _restoring(view)
        return replace(script, statements=(*before, sql, *after), losses=tuple(losses), restoring=after)

    def create_program(self, program: Program) -> Script:
        """A routine, trigger or event of MySQL in its schema, as source text."""
        if program.create.dialect != self.adapter.name:
            return super().create_program(program)
        name = self.qualified(program.schema, program.name)
        own = re.compile(rf"\b{program.kind}\s+(?:`(?:[^`]|``)+`|[\w$]+)", re.IGNORECASE)
        sql = own.sub(lambda found: f"{program.kind} {name}", program.create.sql, count=1)
        if program.kind == "TRIGGER" and program.table is not None:
            table = self.qualified(program.schema, program.table)
            sql = re.sub(r"\bON\s+`(?:[^`]|``)+`\s+FOR EACH ROW", lambda _: f"ON {table} FOR EACH ROW", sql, count=1)
        losses: list[Loss] = []
        before, after = tuple(self._session(program, losses)), _restoring(program)
        if self.server == "mysql" and program.kind in {"FUNCTION", "PROCEDURE"}:
            before = (f"USE {self.quote(program.schema)}", *before)  # else parameters compare as texts of the current one do
        return Script((*before, sql, *after), tuple(losses), restoring=after)

    def _session(self, made: View | Program, losses: list[Loss]) -> Iterator[str]:
        """The settings that something was written for, which it keeps for ever: its text means something else in others."""
        for name, value in made.session:
            if name == "sql_mode":
                unknown = [
                    mode for mode in value.split(",") if mode in _MODES_OF_ONE and self.server not in _MODES_OF_ONE[mode]
                ]
                if telling := [mode for mode in unknown if mode not in _SILENT_MODES]:
                    detail = f"{self.title} has no sql_mode {','.join(telling)}, which it was written for"
                    losses.append(Loss(path_of(made), "sql-mode", detail))
                value = ",".join(mode for mode in value.split(",") if mode not in unknown)
            if name == "collation_connection":
                value = self.collation(value, path_of(made), losses)
            yield f"SET SESSION {name} = {self.literal(value)}"


def _restoring(made: View | Program) -> tuple[str, ...]:
    """What sets a session back after something was made in the settings that it was written for."""
    return tuple(_SESSIONS[name] for name, _ in made.session)


# --- clocks ---------------------------------------------------------------------------------------------------------


def _digits(value: Now, type_: t.Type) -> str:
    """How many digits after the second a clock has in a column, in the parentheses of its function."""
    takes = type_.precision if isinstance(type_, t.Timestamp | t.Time | t.Interval) else CLOCK_DIGITS
    return f"({value.digits(takes) or ''})"


# --- sizes ----------------------------------------------------------------------------------------------------------


def _whole_keys(table: Table) -> Iterator[tuple[str, ...]]:
    """The keys whose columns must be covered whole: primary, unique, and both ends of foreign keys."""
    if table.primary_key is not None:
        yield table.primary_key.columns
    yield from (unique.columns for unique in table.uniques)
    yield from (key.columns for key in table.foreign_keys)
    for index in table.indexes:
        if index.unique and index.where is None:
            yield tuple(key.column for key in index.keys if key.column is not None)


def _ordered_keys(table: Table, indexes: Iterable[Index]) -> Iterator[tuple[str | None, ...]]:
    """The columns of the keys and ``indexes`` that look rows up by whole values, None for what is none."""
    if table.primary_key is not None:
        yield table.primary_key.columns
    yield from (unique.columns for unique in table.uniques)
    for index in indexes:
        if index.method not in _OF_WORDS_AND_PLACES:
            yield tuple(None if key.length is not None else key.column for key in index.keys)


def _bound(node: exp.Expr, column: str) -> tuple[type[exp.Expr], Decimal] | None:
    """The bound of a column that a comparison with a number is; None: it is none."""
    node = node.unnest()
    if not isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE) or not isinstance(node.this, exp.Column):
        return None
    number = node.expression.this if isinstance(node.expression, exp.Neg) else node.expression
    if node.this.name != column or not isinstance(number, exp.Literal) or number.is_string:
        return None
    value = Decimal(number.this)
    return type(node), -value if number is not node.expression else value


def _sets(key: ForeignKey) -> bool:
    """Whether a foreign key that holds for all rows changes its own columns."""
    return key.validated and (key.on_delete == "SET NULL" or key.on_update in {"SET NULL", "CASCADE"})


def _serves(own: tuple[str | None, ...], key: ForeignKey) -> bool:
    """Whether an index over these columns begins with those of a foreign key, which then needs no other."""
    return own[: len(key.columns)] == key.columns


def _elastic(column: Column) -> bool:
    type_ = t.base_of(column.type)
    foreign = isinstance(type_, t.Native) and type_.dialect != "mysql"
    return foreign or isinstance(type_, t.String | t.Binary | t.Xml | t.Array)


def _wanted_bytes(column: Column) -> int:
    """The bytes a text or binary column would take of a key; more than any key has where it is not bounded."""
    match t.base_of(column.type):
        case t.String(length=int(n), lob=False):
            return n * CHARACTER_BYTES
        case t.Binary(length=int(n), lob=False):
            return n
        case _:
            return KEY_BYTES + 1


def _bounded(column: Column, declared: Declared, share: int) -> Declared:
    """A key column's declaration within ``share`` bytes."""
    binary = isinstance(t.base_of(column.type), t.Binary)
    length = share if binary else share // CHARACTER_BYTES
    earlier = re.fullmatch(r"var(?:char|binary)\((\d+)\)", declared.sql)
    if earlier and int(earlier[1]) <= length:
        return declared
    loss = f"in a key: at most {length} {'bytes' if binary else 'characters'}; a longer value makes the load fail"
    return Declared(f"{'varbinary' if binary else 'varchar'}({length})", loss, "key-length")


def _index_bytes(column: Column, declared: Declared) -> int:
    return KEY_BYTES + 1 if declared.large else key_bytes(column.type, declared.sql)


def _collation(table: Table, column: Column) -> str:
    """The collation of a column of MySQL's own; empty: none is known."""
    return column.collation or dict(table.options).get("COLLATE", "")


def _own_bytes(table: Table, column: Column) -> int:
    """The most bytes that a whole column of MySQL's own takes of a key; more than any key has where it is a large object."""
    if declared_word(column.native).endswith(_LARGE):
        return KEY_BYTES + 1
    if isinstance(column.type, t.String) and column.type.length is not None:
        return column.type.length * WIDE_CHARACTERS.get(_collation(table, column).partition("_")[0], 1)
    return key_bytes(column.type, column.native)


# --- sequences ------------------------------------------------------------------------------------------------------


def within(sequence: Sequence) -> Sequence:
    """A sequence whose bounds and start are among the numbers that one of MariaDB can have."""
    minimum, maximum = (None if bound is None else _nearest(bound) for bound in (sequence.minimum, sequence.maximum))
    return replace(sequence, start=_nearest(sequence.start), minimum=minimum, maximum=maximum)


def _nearest(number: int) -> int:
    return min(max(number, _LEAST), _LAST)


def _bounds(of: Sequence, least: int, most: int) -> tuple[int, int]:
    """The bounds of a sequence; ``least`` and ``most``: those of one that has none of its own."""
    lowest = of.minimum if of.minimum is not None else (1 if of.increment > 0 else least)
    highest = of.maximum if of.maximum is not None else (most if of.increment > 0 else -1)
    return lowest, highest


def _beyond(sequence: Sequence) -> Iterator[Loss]:
    """That a sequence has a bound, its own or that of a bigint, or a next number, which none of MariaDB has."""
    path = path_of(sequence)
    lowest, highest = _bounds(bounded(sequence), -(1 << 63), (1 << 63) - 1)
    for bound in (lowest, highest):
        if bound != _nearest(bound):
            yield Loss(path, "sequence-bounds", f"the bound {bound} becomes {_nearest(bound)}: a sequence here ends there")
    following = sequence.next_value if sequence.next_value is not None else sequence.start
    if lowest <= following <= highest and following != _nearest(following):
        detail = f"gives no more numbers: the next would be {following}, the last here is {_nearest(following)}"
        yield Loss(path, "sequence-position", detail)
