"""The port: what migrator asks of a database. An adapter is one value, registered under ``migrator.dialects``.

Adapters may import ``migrator.model``, ``migrator.arrow``, ``migrator.adapter``, ``migrator.ddl``, ``migrator.expressions``
and ``migrator.errors``, and nothing else of migrator. ``docs/adding-a-dialect.md`` walks through one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import pyarrow as pa
import sqlalchemy as sa

from migrator.errors import CollationNotThere, NoNumberedState, NoPastState, UnknownDialect, UnsupportedType
from migrator.expressions import Language
from migrator.expressions.semantics import Semantics
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.equality import Equality
from migrator.model.measures import Ask
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, QName, Table

if TYPE_CHECKING:
    from migrator.ddl import DDL

GROUP = "migrator.dialects"
"""The entry point group that adapters register under."""

Part = Literal["primary_key", "unique", "check", "foreign_key"]
Estimation = Literal["BLOCKS", "STATISTICS"]
"""By what a table's size is estimated: by what its rows take on disk, or by the optimizer's statistics."""
Scope = Literal["table", "database"]
"""What a set of data files that can be copied into another database holds."""


NamedKind = Literal["table", "view", "sequence", "primary_key", "unique", "check", "foreign_key", "index"]
"""What has a name that may have to be its own."""


@dataclass(frozen=True)
class NameSpace:
    """Kinds whose names must differ from one another: in a ``schema``, or among the parts of one ``table``."""

    kinds: frozenset[NamedKind]
    within: Literal["schema", "table"] = "schema"


RELATIONS: frozenset[NamedKind] = frozenset({"table", "view", "sequence", "primary_key", "unique", "index"})
"""What shares one name space where keys are indexes, and indexes are kept as tables are."""


LINES = "lines"
"""A stream format that is no product's own: rows as lines of UTF-8, each of which ends with ``\\n``; tabs between fields;
NULL is ``\\N``. In a field ``\\\\``, ``\\t``, ``\\n``, ``\\r`` and ``\\b`` stand for those characters, and nothing else has
a backslash. Values are written as :func:`migrator.arrow.as_text` writes them, truth values as 0 and 1."""


LineRule: TypeAlias = tuple[type[t.Type], type[t.Type], Callable[[Any, Any], bool]]
"""A type of a source, one of a target, and when the target stores a value of :data:`LINES` as it is, or says so."""


def stored_as_lines(rules: Iterable[LineRule], source: Column, target: Column) -> bool:
    """Whether one of ``rules`` holds of two columns."""
    theirs, ours = t.base_of(source.type), t.base_of(target.type)
    return any(isinstance(theirs, a) and isinstance(ours, b) and when(theirs, ours) for a, b, when in rules)


@dataclass(frozen=True)
class Capabilities:
    """What a database can do, as questions."""

    connects: bool = True
    """Can rows be read and written? (False: the adapter only writes scripts.)"""
    single_schema: str | None = None
    """Is there one fixed schema, and what is its name?"""
    inline: frozenset[Part] = frozenset()
    """Which constraints must stand in CREATE TABLE, because they cannot, or should not, be added later?"""
    transactional_ddl: bool = False
    """Can DDL be rolled back?"""
    identifier_limit: tuple[int, Literal["bytes", "characters"]] = (63, "bytes")
    """How long may a name be?"""
    not_in_names: str = ""
    """What pattern matches in no name, but those of checks? (Empty: there is no such rule.)"""
    not_in_check_names: str = ""
    """What pattern matches in no name of a check? (Empty: there is no such rule.)"""
    name_spaces: tuple[NameSpace, ...] = (NameSpace(RELATIONS),)
    """What must have names of their own, and within what? (Of servers that differ, see :meth:`Adapter.name_spaces`.)"""
    reserved_prefix: str = ""
    """How may the name of no table, view or index begin? (Empty: there is no such rule.)"""
    reserved_names: frozenset[str] = frozenset()
    """What may no index, unique key or foreign key be called, in small letters?"""
    reserved_columns: frozenset[str] = frozenset()
    """What may no column of a table be called? (In small letters where case tells no columns apart.)"""
    reserved_but_for: frozenset[tuple[str, t.Type]] = frozenset()
    """Which of these names, spelled so, may a column have that is NOT NULL, and of which type?"""
    reserved_in_views: bool = False
    """May no column of a view be called so, either?"""
    nulls_in_primary_keys: bool = False
    """Does a primary key take NULLs in columns that are not declared NOT NULL?"""
    cuts_clock: bool | None = None
    """Are digits of the current time cut off that a column has no place for? (False: it is rounded. None: nobody knows.)"""
    clock_begins: Literal["transaction", "statement"] | None = None
    """Does the current time say when the transaction began, or when the statement did? (None: nobody knows.)"""
    pads_texts: bool | None = None
    """Are values of CHAR(n) read with blanks up to their length? (False: without those at their end. None: as they came.)"""
    clock_zeros: bool | None = None
    """Are zeros at the end of a second's fraction shown, as many digits as a column has? (None: as they came.)"""
    identity_sequence: str = ""
    """How is the sequence of an identity called by default, by its ``{table}`` and ``{column}``? (Empty: it has no name.)"""
    nameless_keys: frozenset[tuple[NamedKind, str]] = frozenset()
    """What is a key called, by its ``{table}`` and ``{columns}``, that is given no name, where others may be called so? (As
    many bytes of both are in it as fit, the longer of the two being cut first.)"""
    tables_without_columns: bool = False
    """Can a table have no column at all?"""
    ignores_table_case: bool = False
    """Do table names that differ only in case collide on every server?"""
    ignores_column_case: bool = False
    """Do names of columns, indexes and constraints that differ only in case collide?"""
    max_readers: int | None = None
    """How many connections can read one snapshot at once? (None: any number.)"""
    max_writers: int | None = None
    """How many connections can load rows at once? (None: any number.)"""
    writes_while_read: bool = True
    """Can tables be written while a snapshot is held?"""
    reads_links: bool = False
    """Can SQL here read another database of the same kind?"""
    link_is_fastest: bool = False
    """Is that faster than a stream of rows through the job, and costs nobody anything?"""
    locks_linked: bool = False
    """Must the tables that it reads be locked against writers, because it reads no snapshot?"""
    integers: bool = True
    """Are there types for whole numbers? (False: they are decimals with nothing after the point.)"""
    empty_is_null: bool = False
    """Is an empty text NULL?"""
    types_by_rows: bool = False
    """Do declared types bind no value, so that the catalog looks at the rows to say what types they are of?"""
    select_list: int = 0
    """How many expressions can a SELECT have that profiles rows? (0: nobody asks, see :meth:`Adapter.aggregate`.)"""
    arrays: bool = False
    """Are there arrays of texts?"""
    compares: frozenset[Equality] = frozenset()
    """What texts can columns be told to hold for equal?"""
    negative_zero: bool = True
    """Do floats have a zero with a sign?"""
    clocks_are_texts: bool = False
    """Are dates and times compared and sorted as the texts that they are kept as?"""
    ends_at_nul: bool = False
    """Do the length and the pieces of a text end at its first NUL?"""
    largest_integer: int | None = None
    """What is the largest integer of any column? (None: as the column's type says.)"""
    gives: tuple[str, ...] = ()
    """The formats, besides Arrow, in which rows can leave this database as a stream that nobody parses, the best first."""
    takes: tuple[str, ...] = ()
    """Those in which it can store them."""
    digests: str = ""
    """What names the digest that this database takes of rows itself: where two have the same name, and the same digest of
    rows of the same types, they have the same rows. Empty: it takes none."""
    data_files: Scope | None = None
    """What do data files hold that another database can take: one table each, or a whole database? (None: it cannot.)"""


@dataclass(frozen=True)
class TypeRule:
    """One row of a type table: how a neutral type is declared, and what that loses.

    The first rule whose ``type`` matches and whose ``when`` holds is taken. ``sql`` is a template over the neutral type's
    fields, or a function of it. ``loss``: one sentence on what the declaration cannot keep (empty: nothing); ``each``: that
    is so of every value, not only of some, or of what may come later. ``check``: a
    template for a check constraint that restores the range, over ``{column}`` (already quoted), or a function of the type
    and that column.
    """

    type: type[t.Type]
    sql: str | Callable[[Any], str]
    when: Callable[[Any], bool] | None = None
    loss: str = ""
    each: bool = False
    check: str | Callable[[Any, str], str] = ""
    reason: str = ""

    def matches(self, type_: t.Type) -> bool:
        """Whether this row is about ``type_``."""
        return isinstance(type_, self.type) and (self.when is None or self.when(type_))

    def declare(self, type_: t.Type) -> str:
        """The declaration of ``type_``."""
        return self.sql(type_) if callable(self.sql) else self.sql.format(**vars(type_))

    def restriction(self, type_: t.Type, column: str) -> str:
        """The check on ``column`` (already quoted) that restores the range of ``type_``; empty: none is needed."""
        if callable(self.check):
            return self.check(type_, column)
        return self.check.format(column=column, **vars(type_))


def rule_for(rules: Sequence[TypeRule], type_: t.Type, database: str, column: str, table: str) -> TypeRule:
    """The first rule about ``type_``.

    :raises UnsupportedType: the table has no row for it; the message names the column.
    """
    for rule in rules:
        if rule.matches(type_):
            return rule
    raise UnsupportedType(column=column, table=table, type=type_, detail=f"has no equivalent in {database}")


@dataclass(frozen=True)
class Granule:
    """A part of a table's rows: the unit of parallelism, of restart and of checksums.

    ``part``: the partition it lies in, None: the table itself. ``where``: the condition its rows meet, in the source's SQL;
    empty: all rows. ``bytes``: about how many its rows have.
    """

    part: QName | None = None
    where: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Read:
    """What to read: ``columns`` of ``table`` (its name at the source), rows limited by the SQL condition ``where``.

    ``granule``: only its rows. ``policies``: rows that row-level security hides are left out, rather than an error.
    ``any_bytes``: columns whose texts come as bytes in a batch where one of them is not UTF-8, rather than as an error.
    """

    table: QName
    columns: tuple[Column, ...]
    where: str | None = None
    granule: Granule | None = None
    policies: bool = False
    any_bytes: frozenset[str] = frozenset()

    @property
    def part(self) -> QName | None:
        """The partition the rows lie in; None: any."""
        return self.granule.part if self.granule else None

    @property
    def condition(self) -> str:
        """What the rows meet, ``where`` and the granule's condition; empty: there is no limit.

        ``where`` stands in parentheses, which nothing but a condition can: LIMIT would choose anew in each granule.
        """
        granule = self.granule.where if self.granule else ""
        if not self.where:
            return granule
        asked = f"({self.where}\n)"  # a line of its own: the condition may end in a comment
        return f"{asked} AND ({granule})" if granule else asked


@dataclass(frozen=True)
class Load:
    """Where rows go: ``source`` says how they arrive, ``target`` (same length and order) the columns as the table has them.

    The native types of ``source`` are those of the database that loads: see :func:`as_heard_by`.

    ``conventional``: insert through the SQL engine row by row rather than by the bulk protocol. ``fresh``: this job made
    the table, nobody else writes to it. ``staged_for``: the table that the rows go on to from there, None: they stay.
    """

    table: QName
    source: tuple[Column, ...]
    target: tuple[Column, ...]
    conventional: bool = False
    fresh: bool = False
    staged_for: QName | None = None

    @property
    def title(self) -> QName:
        """The table that messages name."""
        return self.staged_for or self.table


def as_heard_by(dialect: str, columns: Iterable[Column], of: str) -> tuple[Column, ...]:
    """Columns that another dialect loads: a type's name in one product says nothing of a type of that name in another."""
    return tuple(columns) if of == dialect else tuple(replace(column, native="") for column in columns)


@dataclass(frozen=True)
class DataFile:
    """A data file to copy: ``name`` tells it from the others that hold the same, wherever they are copied to."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True)
class DataFiles:
    """The data files of a table, or of a database. ``traits``: what must be alike where they are taken."""

    files: tuple[DataFile, ...]
    traits: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bytes they have."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Block:
    """Bytes of the data file ``name``, from ``offset`` on."""

    name: str
    offset: int
    data: bytes


class Fact(StrEnum):
    """What access-method rules ask of a table; the rule that asks a fact says in its sentence what it is."""

    ADDED_DEFAULT = "added-default"
    BULK_REFUSED = "bulk-refused"
    BULK_TYPE = "bulk-type"
    CLUSTERED = "clustered"
    DIRECTORY_UNWRITABLE = "directory-unwritable"
    DISABLED_UNIQUE_INDEX = "disabled-unique-index"
    DOMAIN_INDEX = "domain-index"
    ENCODED_FILE = "encoded-file"
    ENCRYPTED_COLUMN = "encrypted-column"
    EVOLVED_TYPE = "evolved-type"
    FILE_UNREADABLE = "file-unreadable"
    FULL_TEXT_INDEX = "full-text-index"
    GENERATED_COLUMN = "generated-column"
    GLOBAL_INDEX = "global-index"
    INDEX_ORGANISED = "index-organised"
    INSERT_POLICY = "insert-policy"
    INSERT_RULE = "insert-rule"
    INSTEAD_RULE = "instead-rule"
    INVISIBLE_COLUMN = "invisible-column"
    LONG_NOT_LAST = "long-not-last"
    NO_DATA_FILE = "no-data-file"
    OPAQUE_COLUMN = "opaque-column"
    OPAQUE_OBJECT = "opaque-object"
    OPAQUE_VARRAY = "opaque-varray"
    PARTITIONED = "partitioned"
    QUEUE_TABLE = "queue-table"
    REFERENTIAL = "referential"
    SELECT_POLICY = "select-policy"
    SPATIAL_INDEX = "spatial-index"
    STAGING_REFUSED = "staging-refused"
    SUPPLEMENTAL_LOGGING = "supplemental-logging"
    SYSTEM_VERSIONED = "system-versioned"
    TEMPORARY = "temporary"
    THICK_MODE = "thick-mode"
    TIME_ZONE_FILE = "time-zone-file"
    TRIGGER = "trigger"
    UNIQUE_INDEX = "unique-index"
    UNUSABLE_INDEX = "unusable-index"


@dataclass(frozen=True)
class Asked:
    """A fact is asked of ``where``: a catalog's relation and the condition."""

    where: str


@dataclass(frozen=True)
class Never:
    """A fact is never so on a database, and ``why``: it has no such thing, or such a thing stands in no method's way."""

    why: str


@dataclass(frozen=True)
class Always:
    """A fact is so of every table of a database, and ``why``."""

    why: str


Answer = Asked | Never | Always
"""Where a database answers a fact."""


@dataclass(frozen=True)
class Facts:
    """What a database says of a table. ``found``: per fact that it is asked, whether it is so; None: it would not say.

    ``details``: what there is to add to a fact that is so, or the reason why it could not be read.
    """

    found: Mapping[Fact, bool | None] = field(default_factory=dict)
    details: Mapping[Fact, str] = field(default_factory=dict)

    def holds(self, fact: Fact) -> bool:
        """Whether a fact is so, or must be taken to be, since the database would not say."""
        return self.found.get(fact, False) is not False

    def unknown(self, fact: Fact) -> bool:
        """Whether the database would not say."""
        return self.found.get(fact, False) is None


Change = Literal["INSERT", "UPDATE", "DELETE"]
"""What becomes of a row of a table."""


@dataclass(frozen=True)
class Reaction:
    """Something of a database that acts by itself when rows of a table change by ``on``, and ``what`` it is.

    An UPDATE leaves the columns of the primary key as they are. ``can_rest``: it is migrator's own trigger in place of ON
    UPDATE CURRENT_TIMESTAMP, and :meth:`Adapter.resting` keeps it from acting.
    """

    on: Change
    what: str
    can_rest: bool = False


@dataclass(frozen=True)
class Server:
    """The server a connection reached: ``banner`` for the log, ``version`` as comparable numbers."""

    banner: str
    version: tuple[int, ...]
    user: str
    schema: str
    """The schema a job works on when none is named."""
    identity: str = ""
    """The same for every way to reach one database, and for no other database; empty: not known."""
    ignores_table_case: bool | None = None
    """Do names of tables and schemas that differ only in case lead to one table? (None: as the database always has it.)"""
    collation: str = ""
    """What sorts texts that have no collation of their own; empty: the numbers of their characters."""

    def is_same(self, other: Server) -> bool:
        """Whether both are known to be one database."""
        return bool(self.identity) and self.identity == other.identity


@dataclass(frozen=True)
class Kept:
    """Tables that others may not write to. ``name``: what a session tells by whether they still may not.

    ``refused``: why they may all the same; empty: they may not. ``apart``: tables whose rows another server would not read
    as their own, and why.
    """

    name: str = ""
    refused: str = ""
    apart: Mapping[QName, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """One consistent state of a database that several connections can read. ``token`` is picklable; None: a lone reader."""

    token: str | None = None
    readers: int | None = 1
    """How many connections may read it (None: any number)."""
    note: str = ""
    """Why not more, for the log."""
    kept: Kept | None = None
    """What keeps the tables in this state for sessions that read no snapshot; None: nothing does."""


Key = tuple[str, ...]
"""A row's key: one SQL literal for each of its columns."""


class KeyOrder(Protocol):
    """A table's rows in the order of a key, as an index keeps them. ``start``: the first row's key, None: of the table."""

    def row_bytes(self, start: Key | None) -> float | None:
        """About how many bytes a row has, by a few of them from ``start`` on; None: there is no row."""

    def skip(self, start: Key | None, rows: int) -> Key | None:
        """The key of the row that comes ``rows`` rows after ``start``; None: there is none."""

    def count(self, start: Key | None) -> int:
        """How many rows there are from ``start`` on."""

    def between(self, start: Key | None, end: Key | None) -> str:
        """The condition for rows from ``start`` on and before ``end``; empty: all rows."""


def key_granules(order: KeyOrder, size: int) -> tuple[Granule, ...]:
    """The rows of a table in granules of about ``size`` bytes, by a walk along the key's index.

    Boundaries are keys of the table. Where rows grow or shrink along the key, the number of rows in a granule follows.
    """
    found: list[Granule] = []
    start: Key | None = None
    while (width := order.row_bytes(start)) is not None:
        rows = max(1, int(size / width))
        end = order.skip(start, rows)
        held = rows if end is not None else order.count(start)
        found.append(Granule(where=order.between(start, end), bytes=int(held * width)))
        if end is None:
            break
        start = end
    return tuple(found) or (Granule(),)


Lacking = Callable[[Column], bool]
"""Whether a column has no place for values of a certain kind."""


def of_types(*types: type[t.Type]) -> Lacking:
    """Columns of any of these types."""
    return lambda column: isinstance(t.base_of(column.type), types)


Trouble = Literal["privilege", "connection", "room", "read-only", "file", "lock", "row", "text"]
"""What a driver's error can be about: a missing privilege, a connection that is lost, a database that is full, one that can
only be read, a file that is no database, a lock that another connection holds; a row that breaks a constraint, or has a
value that its column cannot have; a text that the database's character set does not have."""


class Explanation(NamedTuple):
    """A driver's error in one line, and what it is about; None: none of these."""

    text: str
    about: Trouble | None = None


class Adapter(ABC):
    """One database's side of everything. Stateless; methods that talk to the server take a SQLAlchemy connection."""

    name: str
    """The adapter's name: the entry point, ``Catalog.dialect``, ``Expression.dialect``."""
    title: str
    """The database's name as people write it."""
    backends: tuple[str, ...]
    """The SQLAlchemy backend names in URLs that mean this adapter."""
    driver: str
    """The driver's name in a SQLAlchemy URL."""
    sqlglot: str
    """The name sqlglot has for this SQL."""
    capabilities: Capabilities
    types: tuple[TypeRule, ...]
    """How neutral types are declared here; the first matching row is taken."""
    samples: Mapping[str, t.Type]
    """Declarations of every type there is here, and what each means: the rows of docs/types.md."""
    lacks: Mapping[Misfit, Lacking] = MappingProxyType({})
    """Which columns have no place for values of a kind, where the limits of their types do not say so already."""
    no_dates: str = ""
    """A pattern of the texts of dates, with or without a time, that are out of range here; empty: there are none."""
    answers: Mapping[Fact, Answer]
    """Where each fact is answered; :meth:`facts` tells those that are asked."""
    libraries: tuple[str, ...] = ()
    """The names of the modules that move rows, so that they are loaded once for all workers."""
    semantics: Semantics | None = None
    """What expressions mean here, and how meanings are said; None: none are carried from or to here."""

    @property
    def language(self) -> Language:
        """This SQL, as it is read."""
        precedence = self.semantics.precedence if self.semantics is not None else None
        can = self.capabilities
        return Language(self.sqlglot, precedence, can.ignores_column_case, can.ignores_table_case)

    @property
    def servers(self) -> Mapping[str, tuple[int, ...] | None]:
        """The servers whose types differ, by the name people know them by, each with its version (None: the latest)."""
        return {self.title: None}

    def unsaid(self, declaration: str) -> str:
        """What a declaration says that its neutral type does not, and no other database knows; empty: nothing."""
        return ""

    def fills_zeros(self, declaration: str) -> bool:
        """Whether numbers of a column are shown with zeros before them."""
        return False

    def sorts_by_characters(self, collation: str) -> bool:
        """Whether a collation sorts texts by the numbers of their characters, whatever it holds for equal."""
        return False

    def meaning(self, declaration: str) -> t.Type | None:
        """What a declaration means here; None, as by default: no more is known than the neutral type that it was made of."""
        return None

    def unsaid_options(self, options: Sequence[tuple[str, str]]) -> str:
        """What a table's options say that no other database knows; empty: nothing."""
        return ""

    # --- connecting -------------------------------------------------------------------------------------------------

    @abstractmethod
    def dialect(self) -> sa.Dialect:
        """A SQLAlchemy dialect for writing SQL without a connection (named parameter style)."""

    @abstractmethod
    def engine(self, url: sa.URL) -> sa.Engine:
        """An engine for ``url`` with this adapter's driver, NullPool and the session settings that exactness needs.

        :raises MissingDriver: the driver package is not installed.
        """

    def find(self, url: sa.URL) -> None:
        """Make sure that a database to be read is there, where connecting would make it. Nothing by default.

        :raises MissingDatabaseFile: it is not there.
        """
        return

    def files(self, url: sa.URL) -> tuple[Path, ...]:
        """The files of this machine that the database at ``url`` consists of, which no job may write to as its own."""
        return ()

    @abstractmethod
    def server(self, connection: sa.Connection) -> Server:
        """Who is at the other end."""

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether a driver's error says that what was to be made is there already.

        Asked where DDL cannot be rolled back, or is recorded in another database.
        """
        return False

    @abstractmethod
    def explain(self, error: BaseException) -> Explanation:
        """One line on a driver's error, without a secret and without the SQL, and what it is about."""

    def driver_errors(self) -> tuple[type[Exception], ...]:
        """The classes of errors that come from the database or its driver, for :meth:`explain`."""
        return (sa.exc.SQLAlchemyError, type(self.dialect()).import_dbapi().Error)

    # --- reading ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """All schemas a full job moves: the system's own left out."""

    def tables_of(self, connection: sa.Connection, schemas: Sequence[str], columns: Sequence[str]) -> tuple[QName, ...]:
        """The tables of schemas that have these columns, in this order and however their case is, and no other.

        By default all of their tables are reflected.
        """
        inspector = sa.inspect(connection)
        found = ((schema, inspector.get_multi_columns(schema=schema)) for schema in schemas)
        tables = ((QName(schema, name), own) for schema, tables in found for (_, name), own in tables.items())
        return tuple(table for table, own in tables if [column["name"].lower() for column in own] == list(columns))

    @abstractmethod
    def catalog(
        self, connection: sa.Connection, schemas: Sequence[str], *, proof: bool | Collection[QName] = True
    ) -> Catalog:
        """All objects of these schemas, tables and views in an order in which they can be made.

        ``proof``: where the declared types do not bind the values (SQLite), look at the rows to choose neutral types; of all
        tables, or of these.
        Things with no place in the model become losses of the catalog.

        :raises UnsupportedType: a column whose type is not understood.
        """

    def server_objects(self, connection: sa.Connection) -> Sequence[Loss]:
        """What the server has for all of its databases and a full export leaves behind: accounts, roles, tablespaces."""
        return ()

    @abstractmethod
    def facts(self, connection: sa.Connection, tables: Sequence[QName]) -> Mapping[QName, Facts]:
        """What the access-method rules ask of each of ``tables``, in a number of queries that does not grow with theirs.

        A table that is not there yet has the facts that its database gives any table; one of no name stands for any that is
        yet to be made in its schema.
        """

    @abstractmethod
    def snapshot(self, engine: sa.Engine, readers: int) -> AbstractContextManager[Snapshot]:
        """Hold one consistent state for up to ``readers`` connections while the context lasts."""

    def past(self, engine: sa.Engine, time: str) -> AbstractContextManager[Snapshot]:
        """As :meth:`snapshot`, the state at ``time`` (UTC).

        :raises NoPastState: the database keeps no past states, as by default.
        """
        raise NoPastState(detail=f"{self.title} keeps no past states")

    def without_past(self, connection: sa.Connection, tables: Sequence[QName], time: str) -> Mapping[QName, str]:
        """Of ``tables`` those whose rows at ``time`` cannot be read, and why; none by default."""
        return {}

    def numbered(self, engine: sa.Engine, number: str) -> AbstractContextManager[Snapshot]:
        """As :meth:`snapshot`, the state that is known by a number or name.

        :raises NoNumberedState: there is none, or, as by default, states have no numbers that can be asked for.
        """
        raise NoNumberedState(detail=f"{self.title} has no numbers for its states")

    @abstractmethod
    def reading(self, engine: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """A connection in a read-only transaction on ``snapshot``."""

    def secure(self, connection: sa.Connection, tables: Sequence[QName]) -> None:
        """Keep others from altering, emptying or dropping ``tables`` until the transaction of ``connection`` ends.

        ``connection`` is one from :meth:`reading`. Nothing by default: where one transaction reads everything, or the
        database tells of rows that its state has lost, nothing goes unnoticed.

        :raises TableLocked: another session has one locked, and that stays so.
        :raises StateGone: the state of ``connection`` does not have the rows of one any more.
        """
        return

    @abstractmethod
    def batches(self, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        """The rows as batches of about ``BATCH_BYTES``, in the Arrow forms of the columns' neutral types (or escaped)."""

    def stream(self, connection: sa.Connection, read: Read, format_: str, sent: Callable[[int], None]) -> Iterator[bytes]:
        """The rows in one of the formats that ``capabilities.gives`` names, in pieces of whole rows. At the end ``sent`` is
        told how many rows the database says that it has sent."""
        raise NotImplementedError(format_)

    def digest(self, connection: sa.Connection, read: Read) -> tuple[int, int] | None:
        """How many rows there are, and a sum of hashes of each row, as the database itself computes it; None: it cannot.

        No value may be left out of a hash, nor two values have one text; NULL is none. Asked where ``capabilities.digests``
        names it.
        """
        raise NotImplementedError

    def granules(self, connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
        """The rows of ``table`` in disjoint granules of about ``size`` bytes; each row there ever is lies in one.

        ``connection`` is one from :meth:`reading`. Until its transaction ends, nobody may move rows between granules (as a
        rewrite does where granules are ranges of a row's place), so it stays open while granules are read. One granule by
        default.
        """
        return (Granule(bytes=table.bytes or 0),)

    def estimate(self, connection: sa.Connection, table: Table, method: Estimation) -> int:
        """About how many bytes the rows of ``table`` have, large values included, indexes not.

        ``connection`` is one from :meth:`reading`. BLOCKS: what they take on disk. STATISTICS: their number times their
        average width, as the database has gathered both; where it has not, as BLOCKS. By default, and by either method,
        what the catalog says.
        """
        return table.bytes or 0

    def rows_of(self, connection: sa.Connection, read: Read) -> str:
        """What follows FROM in a query about the rows of ``read``, which is to come next on ``connection``."""
        raise NotImplementedError(self.name)

    def refers(self, value: str, key: str, *, exactly: bool = False) -> str:
        """The SQL of whether ``value``, a foreign key's, is ``key``, a value that it may refer to; both are columns.

        ``exactly``: texts that are spelled otherwise are others, whatever the columns hold for equal.
        """
        if exactly:
            raise NotImplementedError(self.name)
        return f"{key} = {value}"

    def aggregate(self, ask: Ask, version: tuple[int, ...]) -> str | None:
        """The SQL of one aggregate over rows that answers ``ask`` on a server of this version.

        A number, of the least and the greatest value its text; NULL: no row has a value. None: there is no expression for
        it here, as there is for nothing by default.
        """
        return None

    def narrowed_by(self, table: Table, column: Column) -> str:
        """What leaves some values of its type out of a column of a table that is there: a character set, a range of dates.

        Of two columns the same text means the same values; empty: it takes all.
        """
        return ""

    def mark(self, connection: sa.Connection) -> str:
        """A text that later tells whether rows changed since the state that ``connection`` sees.

        Empty, as by default: this database cannot tell.
        """
        return ""

    def changed(self, connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
        """Why the rows of ``read`` are no longer those, ``rows`` of them, that were read at ``mark``.

        None: nothing shows a change. A reason may be a false alarm where the database cannot tell exactly, None after a
        change may not: :meth:`forgotten` tells what the database knows to have forgotten.
        """
        return None

    def forgotten(self, connection: sa.Connection, mark: str) -> str:
        """Why the database may not know of all that was written since ``mark``; empty: it does.

        By default it knows nothing without a mark, and all with one.
        """
        return "" if mark else "the database does not tell"

    # --- writing ----------------------------------------------------------------------------------------------------

    def hurry(self, connection: sa.Connection, seconds: float) -> None:
        """Let statements of a connection wait no longer than that for a lock, where new readers wait behind a writer.

        By default, and where readers do not, nothing.
        """
        return

    @abstractmethod
    def writing(self, engine: sa.Engine, *, checking: bool = False) -> AbstractContextManager[sa.Connection]:
        """A connection for loading rows: in a transaction that the caller commits, with strict checking of values.

        ``checking``: every constraint is checked by each statement, as far as the database can.
        """

    def count(self, connection: sa.Connection, table: QName) -> int:
        """How many rows a table has of its own, as a :class:`Read` of it has them."""
        relation = sa.table(table.name, schema=table.schema)
        return int(connection.execute(sa.select(sa.func.count()).select_from(relation)).scalar_one())

    def takes_back(self, connection: sa.Connection, table: QName) -> bool:
        """Whether rows that come into a table can be taken back to a savepoint, as everywhere by default."""
        return True

    def reactions(self, connection: sa.Connection, table: QName) -> tuple[Reaction, ...] | None:
        """What acts when rows of a table change: triggers, rules, policies, and foreign keys of whatever table that follow.

        What the database hides from the user counts as there. None, as by default: it is not known.
        """
        return None

    def resting(self, connection: sa.Connection, table: QName) -> AbstractContextManager[None]:
        """Keep the trigger of a table that can rest from acting; it is there again where the context ends, or by a rollback.

        What waits to be checked is checked there first. By default there is no such trigger.
        """
        return nullcontext()

    def hold(self, connection: sa.Connection, table: QName, columns: Sequence[str]) -> None:
        """From now on the database lets nobody empty or drop a table before the transaction ends.

        By a statement that would add values of ``columns``, and adds no row: to go on from reading to writing is a deadlock
        on MariaDB, if somebody waits for the table, and who may add rows may do nothing else perhaps.
        """
        if not columns:
            return
        relation = sa.table(table.name, *map(sa.column, columns), schema=table.schema)
        nothing = sa.select(*(sa.null().label(name) for name in columns)).where(sa.false())
        connection.execute(relation.insert().from_select(columns, nothing))

    @abstractmethod
    def load(self, connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
        """Store the rows; the number the database says it stored. The caller commits.

        :raises ValueNotCarried: a value does not fit its column.
        :raises RowCountDiffers: the database stored another number of rows than were sent.
        """

    def load_stream(self, connection: sa.Connection, load: Load, format_: str, pieces: Iterable[bytes]) -> int:
        """Store rows in one of the formats that ``capabilities.takes`` names; the number stored. The caller commits.

        :raises ValueNotCarried: a value does not fit its column.
        """
        raise NotImplementedError(format_)

    def emptying(self, connection: sa.Connection, tables: Sequence[QName], truncate: Sequence[str]) -> tuple[str, ...]:
        """The statements that empty ``tables`` by ``truncate``, and so that no trigger on DELETE fires.

        They run in one transaction where DDL can be rolled back. By default: ``truncate`` as it is.
        """
        return tuple(truncate)

    def insert_into(self, connection: sa.Connection, table: QName) -> str:
        """How an INSERT into a table begins, so that a row which breaks a constraint is an error, as by default it is."""
        return "INSERT INTO"

    def raise_identities(self, connection: sa.Connection, table: QName) -> Mapping[str, int | None]:
        """Let identities go on after the values that a table has, never before where they stand; those, by their columns.

        There are none, as by default, where the database does that by itself when rows come in. A value is None where a
        column's own values do not tell it.
        """
        return {}

    def locking(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Kept]:
        """Keep others from writing to ``tables`` while the context lasts; for databases that have ``locks_linked``.

        Where the user may not, :attr:`Kept.refused` says so.
        """
        raise NotImplementedError(self.name)

    def linking(self, engine: sa.Engine, source: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """As :meth:`writing`, on a connection whose SQL can read ``source`` too, in the state of ``snapshot``.

        :raises LinkRefused: it cannot.
        """
        raise NotImplementedError(self.name)

    def insert_select(self, connection: sa.Connection, load: Load, read: Read) -> int:
        """Store the rows of ``read`` by INSERT … SELECT on a connection from :meth:`linking`; the number stored.

        The caller commits.

        :raises RowCountDiffers: the database stored another number of rows than there are.
        """
        raise NotImplementedError(self.name)

    def uncertain(self, columns: Sequence[Column]) -> str:
        """Of which of ``columns`` INSERT … SELECT may find other values than its server has, and why; empty: of none."""
        return ""

    def same_values(self, load: Load, here: Table, there: Table) -> bool:
        """Whether INSERT … SELECT leaves every value of ``load.source``, columns of ``here``, as it is in ``there``.

        By default: both columns are declared alike.
        """
        return all(a.native == b.native for a, b in zip(load.source, load.target, strict=True))

    def unchecked_references(self, connection: sa.Connection) -> AbstractContextManager[None] | None:
        """Let rows come in, while the context lasts, before those that they refer to; the caller looks for the latter.

        None, as by default: nobody needs to, since a foreign key is checked when a statement's rows are all there.
        """
        return None

    def deferring(self, connection: sa.Connection, tables: Sequence[QName]) -> AbstractContextManager[None]:
        """Let foreign keys of ``tables``, and those that refer to them, be checked where the context ends.

        As far as the database can defer that; by default it checks them as ever. The caller commits right after it, or
        rolls back.

        :raises DatabaseError: rows refer to none; or the database's own error.
        """
        return nullcontext()

    def orphans(self, connection: sa.Connection, table: QName) -> int:
        """Rows whose foreign keys refer to nothing: asked at a job's end where keys stand in CREATE TABLE, unchecked."""
        return 0

    # --- data files -------------------------------------------------------------------------------------------------

    def no_data_files(self, connection: sa.Connection) -> str:
        """Why this server neither gives nor takes data files, whatever ``capabilities.data_files`` says; empty: it does."""
        return ""

    def holding(self, engine: sa.Engine, tables: Sequence[QName]) -> AbstractContextManager[Mapping[QName, DataFiles]]:
        """Keep the data files of ``tables`` as they are, all of one state, while the context lasts, to be read as files.

        Where data files hold a whole database: its own, under one name that stands for it.

        :raises DataFilesUnreachable: this process does not reach them.
        :raises ConnectionLost: the context ends, and they were not kept as they were until then.
        """
        raise NotImplementedError

    def misfit(self, connection: sa.Connection, table: Table | None, version: str, traits: Mapping[str, str]) -> str:
        """Why ``table``, as it was made here, cannot take data files of these traits; empty: nothing shows it.

        None: why the database as it is cannot take those of another.

        ``version``: that of the catalog which they came with.
        """
        raise NotImplementedError

    def place(self, connection: sa.Connection, table: QName, blocks: Iterable[Block], confirm: Callable[[], None]) -> None:
        """Let data files take the place of what is in ``table``. If it was done before, or begun, it is done anew.

        Where they hold a whole database they are put into the empty one, and ``table`` is the name that stands for it.

        ``confirm`` raises where it is not this process's to do any more; nobody else places files of the table between
        that call and the end. If the files are refused, the table is left empty.

        :raises DataFilesUnreachable: this process does not reach the place of the files.
        :raises NotADataFile: a block is of no file that the table has.
        """
        raise NotImplementedError

    def gives_stream(self, columns: Sequence[Column], format_: str) -> bool:
        """Whether all values of columns can leave in a format as what they are."""
        return True

    def takes_stream(self, load: Load, format_: str) -> bool:
        """Whether a stream of ``load.source`` in a format means the same to ``load.target``'s columns."""
        return all(a.type == b.type for a, b in zip(load.source, load.target, strict=True))

    # --- objects ----------------------------------------------------------------------------------------------------

    def name_spaces(self, version: tuple[int, ...] | None) -> tuple[NameSpace, ...]:
        """What must have names of its own on a server of this ``version``, None: the latest; and within what."""
        return self.capabilities.name_spaces

    def capabilities_of(self, version: tuple[int, ...] | None) -> Capabilities:
        """What a server of this ``version`` can do, None: the latest."""
        return replace(self.capabilities, name_spaces=self.name_spaces(version))

    def at(self, version: tuple[int, ...] | None) -> Adapter:
        """This adapter with the capabilities of a server of this ``version``."""
        found = copy(self)
        found.capabilities = self.capabilities_of(version)
        return found

    def refuses_collations(self, connection: sa.Connection, tables: Iterable[Table]) -> CollationNotThere | None:
        """Why the server cannot have what columns are to compare by (:attr:`~migrator.model.objects.Column.compares`)."""
        return None

    @abstractmethod
    def ddl(self, catalog: Catalog, version: tuple[int, ...] | None = None) -> DDL:
        """The writer of this database's DDL for the objects of ``catalog``; ``version`` of the server, None: the latest."""


def stream_format(source: Adapter, columns: Sequence[Column], target: Adapter, load: Load) -> str | None:
    """The best format in which rows of ``columns`` pass from one database to the other unparsed and unchanged, None: Arrow.

    Formats that are one product's own are told apart by their names.
    """
    shared = (format_ for format_ in source.capabilities.gives if format_ in target.capabilities.takes)
    return next((f for f in shared if source.gives_stream(columns, f) and target.takes_stream(load, f)), None)


def execute_verbatim(connection: sa.Connection, sql: str) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run SQL as it is written: a percent sign in it, of a name, a text or an expression, begins no parameter."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@cache
def installed() -> tuple[str, ...]:
    """The names of the registered adapters, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


_IN_USE: dict[str, Adapter] = {}


def adapters_in_use() -> tuple[Adapter, ...]:
    """The adapters that this process has loaded."""
    return tuple(_IN_USE.values())


def load_adapter(name: str) -> Adapter:
    """The adapter registered under ``name``.

    :raises UnknownDialect: there is none.
    """
    if name in _IN_USE:  # entry points are looked for in all packages that are installed, each time
        return _IN_USE[name]
    for point in entry_points(group=GROUP, name=name):
        return _IN_USE.setdefault(name, point.load())
    raise UnknownDialect(dialect=name, known=", ".join(installed()))


def adapter_of(catalog: Catalog) -> Adapter:
    """The adapter of the database that a catalog is of, with the capabilities of its server.

    :raises UnknownDialect: there is none.
    """
    return load_adapter(catalog.dialect).at(catalog.numbers)


@cache
def adapter_for_backend(backend: str) -> Adapter:
    """The adapter that speaks a SQLAlchemy backend name such as ``mariadb``.

    :raises UnknownDialect: there is none.
    """
    if backend in installed():
        return load_adapter(backend)
    for name in installed():
        adapter = load_adapter(name)
        if backend in adapter.backends:
            return adapter
    raise UnknownDialect(dialect=backend, known=", ".join(installed()))
