"""Schema objects in a neutral form: frozen values that compare by value.

Names are exact (case kept, unquoted). ``origin`` of a table is where its rows come from at the source: transforms
rename the object and leave the origin alone. Tuples keep the source's order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal as Choice
from typing import TypeAlias

from migrator.errors import visible
from migrator.model.equality import EXACT, Equality
from migrator.model.types import Time, Timestamp, Type


def quoted(name: str) -> str:
    """A name as logs and errors show it: in double quotes, on one line."""
    return '"' + visible(name).replace('"', '""') + '"'


@dataclass(frozen=True, order=True)
class QName:
    """A schema-qualified name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


# --- expressions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expression:
    """SQL text as ``dialect`` (an adapter's name) writes it."""

    sql: str
    dialect: str


@dataclass(frozen=True)
class Literal:
    """A constant. ``value`` is its text (hexadecimal digits for ``binary``, 0 and 1 for ``bit``); ``null`` has none."""

    value: str
    kind: Choice["string", "number", "boolean", "binary", "bit", "null"] = "string"


CLOCK_DIGITS = 6
"""How many digits after the second a clock has."""


Moment: TypeAlias = Choice["transaction", "statement", "call"]
"""What the current time is the time of: when the transaction or the statement began, or of each call."""


@dataclass(frozen=True)
class Now:
    """The current date, time or timestamp; ``utc``: by UTC's clock, else by that of the session's time zone.

    ``cut``: digits beyond ``precision`` are cut off, whatever the database does with them otherwise. ``moment``: None where
    it is that of the database's usual words.
    """

    kind: Choice["date", "time", "timestamp"] = "timestamp"
    precision: int | None = None
    utc: bool = False
    cut: bool = False
    moment: Moment | None = None

    def digits(self, of: int) -> int:
        """How many digits after the second it has in a column that has place for ``of``."""
        return min(of, CLOCK_DIGITS if self.precision is None else self.precision, CLOCK_DIGITS)

    def is_misread(self, type_: Type) -> bool:
        """Whether a column of ``type_`` takes the digits of UTC's clock for those of the session's time zone."""
        return self.utc and isinstance(type_, Time | Timestamp) and type_.zoned


@dataclass(frozen=True)
class NextValue:
    """The next value of a sequence."""

    sequence: QName


@dataclass(frozen=True)
class NewUuid:
    """A fresh UUID. ``version``: 4 is random, 1 is made of the clock and the machine, and can be guessed (RFC 9562)."""

    version: Choice[1, 4] = 4


Default: TypeAlias = Literal | Now | NextValue | NewUuid | Expression


# --- columns --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """An identity (AUTO_INCREMENT) column's generator. ``next_value``: what it gives next, None: not known; ``behind``: rows
    have that value, or larger ones. ``reuses``: the next is one above the largest that is there, so that numbers of deleted
    rows come again (SQLite without AUTOINCREMENT). ``sequence``: the name of its sequence in the table's schema, where that
    is one and not the usual name (PostgreSQL)."""

    always: bool = False
    start: int = 1
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cycle: bool = False
    cache: int | None = None
    next_value: int | None = None
    behind: bool = False
    reuses: bool = False
    sequence: str | None = None


@dataclass(frozen=True)
class Generated:
    """A generated column's expression; ``stored`` or computed when read.

    ``versions``: it is the moment at which the row's version begins or ends, which every database has its own of.
    """

    expression: Expression
    stored: bool = True
    versions: bool = False


@dataclass(frozen=True)
class Column:
    """A table's column. ``native`` is the source's own type declaration, for messages and the loss list.

    ``on_update``: MySQL's ON UPDATE CURRENT_TIMESTAMP. ``collation``: the source's name of a non-default collation;
    ``equality``: what that collation (default or not) holds for equal. ``origin``: its name at the source, where
    that is another; ``carried``: the column there, where the job has chosen another type for it, or what
    its texts are to hold for equal: ``compares``. ``constant``: the value that a default gives every row, as the source
    itself prints it, where ``default`` does not say it.
    """

    name: str
    type: Type
    nullable: bool = True
    default: Default | None = None
    identity: Identity | None = None
    generated: Generated | None = None
    comment: str | None = None
    collation: str | None = None
    equality: Equality = EXACT
    on_update: Now | None = None
    invisible: bool = False
    native: str = ""
    origin: str | None = None
    carried: Column | None = None
    compares: Equality | None = None
    constant: Literal | None = None

    @property
    def source(self) -> str:
        """What its values are read by."""
        return self.origin or self.name

    @property
    def at_source(self) -> Column:
        """The column under its name at the source, and with its type there."""
        if self.carried is not None:
            return self.carried.at_source
        return self if self.origin is None else replace(self, name=self.origin, origin=None)


# --- constraints and indexes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrimaryKey:
    """A primary key. ``collations``: those that the key itself gives its columns, empty where it gives none."""

    name: str | None
    columns: tuple[str, ...]
    deferrable: bool = False
    initially_deferred: bool = False
    collations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unique:
    """A unique constraint (an index that is merely unique is an :class:`Index`)."""

    name: str | None
    columns: tuple[str, ...]
    deferrable: bool = False
    initially_deferred: bool = False
    nulls_distinct: bool = True


@dataclass(frozen=True)
class Check:
    """A check constraint. ``validated``: rows that are there meet it, as far as the source vouches; ``enforced``: new ones
    have to. ``broken``: how many rows that the job moves do not meet it, where that was counted. ``column``: the one whose
    declaration has it (MariaDB); None: the table's."""

    name: str | None
    expression: Expression
    validated: bool = True
    enforced: bool = True
    broken: int | None = field(default=None, compare=False)
    column: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Exclusion:
    """An exclusion constraint (PostgreSQL): no two rows are alike by the operators that its ``definition`` has."""

    name: str
    definition: Expression
    comment: str | None = None


Action: TypeAlias = Choice["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]


@dataclass(frozen=True)
class ForeignKey:
    """A referential constraint. ``set_columns``: the columns that ON DELETE SET NULL / SET DEFAULT touches (PostgreSQL).

    ``partition``: the one partition of its table that has it; None: the whole table.
    """

    name: str | None
    columns: tuple[str, ...]
    referred: QName
    referred_columns: tuple[str, ...]
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"
    deferrable: bool = False
    initially_deferred: bool = False
    match: Choice["SIMPLE", "FULL"] = "SIMPLE"
    validated: bool = True
    set_columns: tuple[str, ...] = ()
    partition: str | None = None


@dataclass(frozen=True)
class IndexKey:
    """One key of an index: a column, or an expression. ``length``: a MySQL prefix, in characters."""

    column: str | None = None
    expression: Expression | None = None
    descending: bool = False
    nulls_first: bool | None = None
    length: int | None = None
    opclass: str | None = None
    collation: str | None = None


@dataclass(frozen=True)
class Index:
    """An index. ``method`` in the source's word: btree, hash, gin, gist, fulltext, spatial …; ``where``: partial.

    ``partition``: the one partition of its table that has it; None: the whole table. ``hidden``: the optimizer ignores it.
    """

    name: str
    keys: tuple[IndexKey, ...]
    unique: bool = False
    method: str = "btree"
    where: Expression | None = None
    include: tuple[str, ...] = ()
    comment: str | None = None
    nulls_distinct: bool = True
    partition: str | None = None
    hidden: bool = False


# --- objects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schema:
    """A schema (MySQL: a database; Oracle: a user). ``collation``: what MySQL's has for texts that name none, of programs
    and of new tables."""

    name: str
    comment: str | None = None
    collation: str | None = None


@dataclass(frozen=True)
class EnumType:
    """An enumeration that is an object of its own (PostgreSQL)."""

    schema: str
    name: str
    labels: tuple[str, ...]
    comment: str | None = None


@dataclass(frozen=True)
class DomainType:
    """A domain: a base type with a default, NOT NULL and checks. In a check the value is called VALUE.

    ``constant``: what a column's is.
    """

    schema: str
    name: str
    base: Type
    default: Default | None = None
    nullable: bool = True
    checks: tuple[Check, ...] = ()
    comment: str | None = None
    constant: Literal | None = None


@dataclass(frozen=True)
class Sequence:
    """A sequence. ``next_value``: what it gives next. ``owner``: the column it belongs to (table and column names);
    ``behind``: rows have that value there, or larger ones."""

    schema: str
    name: str
    start: int = 1
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cycle: bool = False
    cache: int | None = None
    next_value: int | None = None
    bits: int = 64
    owner: tuple[str, str] | None = None
    comment: str | None = None
    behind: bool = False


@dataclass(frozen=True)
class Partition:
    """A partition: its name and bounds as the source writes them; ``partitioning`` where it is partitioned again.

    ``own``: what its definition adds to its table's (a key, a check, a default), in the source's own words. ``schema``:
    where it is not its table's. ``renamed``: what its table's definition says too, by another name.
    """

    name: str
    bounds: str
    partitioning: Partitioning | None = None
    own: tuple[str, ...] = ()
    schema: str | None = None
    renamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Partitioning:
    """How a table is partitioned, in the source's own words: ``clause`` is what follows PARTITION BY."""

    dialect: str
    clause: str
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table with all that belongs to it. ``rows`` and ``bytes`` are the source's estimates, None where it has none.

    ``options`` are the source's own table options (engine, WITHOUT ROWID …) as name and value; they hold for the same
    database only. ``parents``: tables this one inherits from (PostgreSQL).
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: PrimaryKey | None = None
    uniques: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    comment: str | None = None
    partitioning: Partitioning | None = None
    options: tuple[tuple[str, str], ...] = ()
    parents: tuple[QName, ...] = ()
    origin: QName | None = None
    rows: int | None = None
    bytes: int | None = None

    @property
    def qname(self) -> QName:
        """The table's name."""
        return QName(self.schema, self.name)

    @property
    def source(self) -> QName:
        """Where its rows are read from."""
        return self.origin or self.qname

    def column(self, name: str) -> Column:
        """The column of that name.

        :raises KeyError: no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def data_columns(self) -> tuple[Column, ...]:
        """The columns that hold data of their own: all but the generated ones."""
        return tuple(c for c in self.columns if c.generated is None)


@dataclass(frozen=True)
class View:
    """A view. ``definition`` is the SELECT. ``depends_on``: tables and views it reads, as far as known.

    ``session``: the settings that it was written for, as a :class:`Program` has them.
    """

    schema: str
    name: str
    definition: Expression
    columns: tuple[str, ...] = ()
    materialized: bool = False
    populated: bool = True
    indexes: tuple[Index, ...] = ()
    comment: str | None = None
    depends_on: tuple[QName, ...] = ()
    check_option: Choice["", "LOCAL", "CASCADED"] = ""
    options: tuple[tuple[str, str], ...] = ()
    session: tuple[tuple[str, str], ...] = ()


ProgramKind: TypeAlias = Choice[
    "FUNCTION", "PROCEDURE", "TRIGGER", "TYPE", "PACKAGE", "EVENT", "AGGREGATE", "RULE", "POLICY", "ROW_SECURITY"
]
"""What a :class:`Program` is; ``ROW_SECURITY``: that policies are in force on a table (PostgreSQL)."""


@dataclass(frozen=True)
class Program:
    """A routine, trigger, package or other object that is source text; it can be carried to the same database only.

    ``create`` is the whole CREATE statement. ``table``: a trigger's table. ``remapped``: schema names in its text were
    replaced. ``session``: the settings, by name and value, that it was written for and that its meaning depends on (MySQL);
    ``collation``: that of its texts without one of their own, its schema's when it was made. ``named_by_table``: its name is
    one among those of its table, not of its schema (PostgreSQL). ``left_out``: tables and views that its text names, and
    that the job leaves out.
    """

    schema: str
    name: str
    kind: ProgramKind
    create: Expression
    table: str | None = None
    remapped: bool = False
    comment: str | None = None
    session: tuple[tuple[str, str], ...] = ()
    collation: str | None = None
    named_by_table: bool = False
    left_out: tuple[str, ...] = ()


Object: TypeAlias = Schema | EnumType | DomainType | Sequence | Table | View | Program
