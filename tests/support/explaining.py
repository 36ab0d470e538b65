"""A database carried to another and back, and what the entries of the two loss ledgers say about the differences.

An entry tells of a difference if it is about that object (and column, or names that key, check or index), and its rule is
about that attribute: :data:`ABOUT`. What :data:`ALIKE` lists needs no entry: it is spelled otherwise, and nothing is lost or
means something else. What entries tell that no catalog of the first database shows is in :data:`UNSEEN`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
import sqlglot
from sqlglot import exp

from dialects.sqlite.types import affinity
from migrator.adapter import load_adapter
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import quoted
from tests.support.catalogs import schema_catalog
from tests.support.differing import Difference, columns_in, differences, label, label_of
from tests.support.pump import done, pump, remap, schema_of


def entries(path: Path) -> list[Loss]:
    """The entries of a LEDGER."""
    return [Loss(**entry) for entry in json.loads(path.read_text("utf-8"))["entries"]]


_OF_NAMES = frozenset({"name-cut", "name-reserved", "index-name", "constraint-name", "key-name"})
"""The rules of entries about names: they pair what has the old name with what has the new one, and excuse no loss of it."""
_NAMED = re.compile(r"(?:(?:primary key|unique|check|foreign key|index) )?(?P<old>.+) is named (?P<new>.+) here", re.DOTALL)


@dataclass(frozen=True)
class Round:
    """A database that was carried to another and from there to a third, of the kind of the first."""

    first: str
    via: str
    back: str
    told: tuple[Loss, ...]

    @classmethod
    def made(cls, first: str, via: str, back: str, directory: Path, *options: str) -> Round:
        """Carry it; ``options`` are those of the first job."""
        told: list[Loss] = []
        for source, target, more in ((first, via, options), (via, back, ())):
            files = (f"DIRECTORY={directory}", "LEDGER=ledger.json", "NOLOGFILE=YES")
            done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), *files, *more))
            told += entries(directory / "ledger.json")
        return cls(first, via, back, tuple(told))

    @property
    def ends(self) -> tuple[str, str]:
        """The adapters' names of the two kinds of databases."""
        kinds = [sa.make_url(url).get_backend_name() for url in (self.first, self.via)]
        return kinds[0], kinds[1]

    @cached_property
    def catalogs(self) -> tuple[Catalog, Catalog]:
        """The first database and the last."""
        first, last = (schema_catalog(url, schema_of(url)) for url in (self.first, self.back))
        return first, last

    @cached_property
    def targets(self) -> tuple[Catalog, Catalog]:
        """The databases that something was carried to: the one between and the last."""
        return schema_catalog(self.via, schema_of(self.via)), self.catalogs[1]

    @property
    def legs(self) -> tuple[tuple[Catalog, Catalog], tuple[Catalog, Catalog]]:
        """What was carried, and what came of it, each time."""
        via, last = self.targets
        return (self.catalogs[0], via), (via, last)

    @cached_property
    def differences(self) -> list[Difference]:
        """What differs between the first database and the last."""
        return differences(*self.catalogs, self.renamed)

    @cached_property
    def renamed(self) -> Mapping[tuple[str, str], str]:
        """The names that keys, checks and indexes have in the last database, by their tables and their first names."""
        found: dict[tuple[str, str], str] = {}
        for entry in self.told:
            told = _NAMED.fullmatch(entry.detail) if entry.rule in _OF_NAMES else None
            if told is not None:
                table, old = label_of(entry), told["old"]
                before = [key for key, name in found.items() if key[0] == table and name == old]
                found |= dict.fromkeys(before or [(table, old)], told["new"])
        return found

    def _undone(self, entry: Loss) -> bool:
        """Whether the way back has an entry that takes this one back."""
        alike = [e for e in self.told if (label_of(e), e.rule, e.column) == (label_of(entry), entry.rule, entry.column)]
        return len(alike) > 1

    def _made_between(self, entry: Loss) -> bool:
        """Whether it is about the trigger that did ON UPDATE CURRENT_TIMESTAMP in the database between."""
        tables = [label_of(e).partition(":")[2].strip('"') for e in self.told if e.rule == "on-update"]
        names = {"on_update_current_timestamp", *(f"{table}_on_update" for table in tables)}
        return bool(tables) and entry.rule == "program" and label_of(entry).partition(":")[2].strip('"') in names

    def retyped(self, table: str) -> set[str]:
        """The columns of a table whose types are not what they were."""
        found = (d.columns for d in self.differences if d.object == table and d.what == "column.type")
        return set().union(*found)

    def unexplained(self) -> list[Difference]:
        """The differences that no entry tells of, and that are not alike."""
        told = [d for d in self.differences if any(tells(entry, d) for entry in self.told)]
        left = [d for d in self.differences if d not in told]
        return [d for d in left if not any(alike.holds(self, d) for alike in ALIKE)]

    def untrue(self) -> list[Loss]:
        """The entries that tell of what no catalog has."""
        return [entry for entry in self.told if entry.rule in HOLDS and not HOLDS[entry.rule](self, entry)]

    def unseen(self) -> list[Loss]:
        """The entries that tell of no difference, although a catalog would show it, or of what no catalog has."""
        return self.untrue() + [
            entry
            for entry in self.told
            if not any(fnmatch(entry.rule, rule) and fnmatch(entry.detail, detail) for rule, detail, _ in UNSEEN)
            and not any(tells(entry, d) for d in self.differences)
            and not self._undone(entry)
            and not self._made_between(entry)
        ]


# --- what entries tell of -------------------------------------------------------------------------------------------

ABOUT: Mapping[str, tuple[str, ...]] = {
    "type-*": ("column.type", "column.native"),
    "declaration": ("column.type", "column.native", "check"),
    "texts": ("column.type", "column.native"),
    "key-length": ("column.type",),
    "identity-bigint": ("column.type",),
    "enum": ("object",),
    "domain": ("object",),
    "comment": ("*.comment", "object"),
    "collation*": ("column.collation", "column.equality"),
    "generated": ("column.generated",),
    "virtual": ("column.generated",),
    "not-null": ("column.nullable",),
    "default": ("column.default", "column.default.cut"),
    "uuid-version": ("column.default",),
    "clock": ("column.default.cut",),
    "clock-moment": ("column.default.moment",),
    "on-update": ("column.on_update",),
    "invisible": ("column.invisible",),
    "identity*": ("column.identity", "column.default"),
    "check": ("check", "check.*", "column.type"),
    "index": ("index",),
    "index-method": ("index", "index.method"),
    "index-partial": ("index", "index.where"),
    "index-include": ("index.include",),
    "index-prefix": ("index.keys.length", "index", "unique"),
    "index-nulls": ("index.keys.nulls_first",),
    "index-opclass": ("index.keys.opclass",),
    "index-collation": ("index.keys.collation", "index", "unique"),
    "name-cut": ("*.name",),
    "name-reserved": ("*.name",),
    "key-collation": ("primary_key", "primary_key.collations"),
    "index-name": ("index.name", "unique.name", "primary_key.name"),
    "constraint-name": ("check.name", "foreign_key.name"),
    "key-name": ("primary_key.name",),
    "nulls-not-distinct": ("*.nulls_distinct",),
    "deferrable": ("*.deferrable", "*.initially_deferred"),
    "match-full": ("foreign_key.match",),
    "not-validated": ("foreign_key.validated",),
    "set-columns": ("foreign_key.set_columns",),
    "set-default": ("foreign_key.on_*",),
    "table-options": ("table.options",),
    "partitioning": ("table.partitioning",),
    "partition-only": ("index", "foreign_key"),
    "inheritance": ("table.parents",),
    "null-in-key": ("primary_key", "unique"),
    "key-not-null": ("column.nullable",),
    "view": ("object",),
    "program": ("object",),
    "sequence": ("object",),
    "sequence-identity": ("object",),
    "sequence-bounds": ("sequence.m??imum",),
    "materialized-view": ("view.materialized",),
    "check-option": ("view.check_option",),
    "view-option": ("view.options",),
}
"""The attributes that each rule is about, both as patterns."""

UNSEEN: tuple[tuple[str, str, str], ...] = (
    ("definer", "*", "catalogs have no definers"),
    ("grant", "*", "catalogs have no privileges"),
    ("constraint-comment", "*", "catalogs have no comments of constraints"),
    ("on-conflict", "*", "catalogs do not say what becomes of a row that a key refuses"),
    ("sequence-cache", "*", "catalogs have the number that comes after those that were taken ahead"),
    ("no-snapshot", "*", "it is about rows that change while they are read"),
    ("key-equality", "*", "it is about values that may come later"),
    ("timestamp-spelling", "*", "it is about how values are written"),
    ("timestamp-digits", "*", "it is about times that come later: see HOLDS, as for all of these"),
    ("unsigned-arithmetic", "*", "it is about an error that the second database does not have"),
    ("padding", "*", "it is about how values are read"),
    ("clock", "*", "the same words mean the clock of each database, which must be as it is told"),
    ("clock-moment", "*", "the same words mean the clock of each database"),
    ("type-decimal", "is kept as text*", "SQLite: the declaration says so, and is read back"),
    ("type-integer", "values above*", "SQLite: the declaration says so, and is read back"),
    ("type-json", "MySQL parses JSON*", "of what values are, not of their type"),
    ("type-json", "is kept as its text*", "as above, where the first database has no other JSON"),
    ("collation-equality", "'a' and 'A', 'e' and 'é' are different here*", "a UUID is a text at MySQL, and back again"),
    ("collation", "*", "SQLite's NOCASE is MySQL's _ci, and the other way round: what they fold differs"),
    ("null-in-key", "*", "SQLite's own: the second database says the same of what it was given"),
    ("type-time", "spans*", "what SQLite reads back is its text"),
    ("default", "the current time has three digits*", "SQLite's clock: on the way back it is that of the column again"),
)
"""Entries that tell of no difference between catalogs: patterns of their rules and details, and why."""


def _columns(round_: Round, entry: Loss) -> Iterator[tuple[str, o.Column | None, str, o.Column]]:
    """The columns that an entry may be about: where each lies, and what it was before, if it was called so, and where."""
    for here, there in round_.legs:
        before, after = (
            [column for table in catalog.of(o.Table) if label(table) == label_of(entry) for column in table.columns]
            for catalog in (here, there)
        )
        for column in (column for column in after if column.name == entry.column):
            old = next((old for old in before if old.name == column.name), None)
            yield here.dialect, old, there.dialect, column


def _digits(column: o.Column) -> int:
    """How many digits after the second the times of a column have."""
    return getattr(t.base_of(column.type), "precision", o.CLOCK_DIGITS)


_CLOCK = re.compile(r"the current time is (cut off|rounded) to (?:whole seconds|(\d) digits after the second) .*")


def _is_such_a_clock(round_: Round, entry: Loss) -> bool:
    """Whether one of the databases it was carried to has a clock of so many digits, and does that to the others."""
    told = _CLOCK.fullmatch(entry.detail)
    return told is not None and any(
        isinstance(value := column.default, o.Now)
        and (value.cut or load_adapter(there).capabilities.cuts_clock or False) == (told[1] == "cut off")
        and value.digits(_digits(column)) == int(told[2] or 0)
        for _, _, there, column in _columns(round_, entry)
    )


_BEGINNING = {"postgresql": "transaction", "mysql": "statement", "sqlite": "statement"}
_MOMENT = re.compile(r"the current time is when the (\w+) began \(at the source: (?:the (\w+)|when it is (call)ed)\)")


_ASKS_FOR_TIME = re.compile(r"current_(date|time)|curdate|now\(", re.IGNORECASE)


def _begins_so(round_: Round, entry: Loss) -> bool:
    """Whether it was carried between databases whose clocks begin so, and asks for the time there."""
    told = _MOMENT.fullmatch(entry.detail)
    if told is None:
        return False
    if entry.column is None:
        return any(
            (_BEGINNING[there.dialect], _BEGINNING[here.dialect]) == told.group(1, 2)
            and any(map(_ASKS_FOR_TIME.search, _texts(here, entry)))
            for here, there in round_.legs
        )
    return any(
        _BEGINNING[there] == told[1] and _moment(here, (old or column).default) == (told[2] or told[3])
        for here, old, there, column in _columns(round_, entry)
    )


def _moment(dialect: str, default: o.Default | None) -> str | None:
    """Of what the current time is the time that a default asks for, if it does."""
    if isinstance(default, o.Now):
        return default.moment or _BEGINNING[dialect]
    return _BEGINNING[dialect] if isinstance(default, o.Expression) else None


_LATER = re.compile(
    r"later times keep (?P<kept>\d) digits after the second, as its rows have: (?P<said>.*) lets (?P<most>\d) in .*",
    re.DOTALL,
)


def _keeps_so_many_digits(round_: Round, entry: Loss) -> bool:
    """Whether the column has place for so many digits and no more, where SQLite lets more in, and has rows with as many."""
    told = _LATER.fullmatch(entry.detail)
    if told is None:
        return False
    kept, most = int(told["kept"]), int(told["most"])
    return kept < most and any(
        here == "sqlite"
        and _digits(column) == kept
        and (before is None or (_digits(before) == kept and told["said"] in (before.native, "the column")))
        for here, before, _, column in _columns(round_, entry)
    )


_READ = re.compile(r"values are read (.*) \(at the source: (.*)\)")
_BLANKS = {
    "postgresql": "filled up with blanks to their length",
    "mysql": "without blanks at their end",
}
"""How values of CHAR(n) are read; SQLite has what was written."""


def _is_padded_so(round_: Round, entry: Loss) -> bool:
    """Whether it is a text of a fixed length, and both databases read such texts as they are told to."""
    told = _READ.fullmatch(entry.detail)
    return told is not None and any(
        (_BLANKS.get(there), _BLANKS.get(here)) == told.groups()
        and isinstance(type_ := t.base_of(column.type), t.String)
        and type_.fixed
        for here, _, there, column in _columns(round_, entry)
    )


_ARITHMETIC = re.compile(
    r"(?:(?:check|index) .*? \((?P<sql>.*)\): )?a (?P<word>\w+) with a number that has no sign .*", re.DOTALL
)
_OPERATORS = {"sum": exp.Add, "difference": exp.Sub, "product": exp.Mul, "quotient": exp.IntDiv}


def _calculates_without_signs(round_: Round, entry: Loss) -> bool:
    """Whether it was in MySQL, and calculated so with a column there whose numbers have no sign."""
    told = _ARITHMETIC.fullmatch(entry.detail)
    if told is None:
        return False
    for here, _ in round_.legs:
        own = [table for table in here.of(o.Table) if label(table) == label_of(entry)]  # else it is a view, of any of them
        columns = (column for table in own or here.of(o.Table) for column in table.columns)
        unsigned = {column.name.lower() for column in columns if _has_no_sign(t.base_of(column.type))}
        texts = _texts(here, entry) if told["sql"] is None else (told["sql"],)
        if here.dialect == "mysql" and any(_calculates_with(unsigned, sql, _OPERATORS[told["word"]]) for sql in texts):
            return True
    return False


def _calculates_with(columns: set[str], sql: str, kind: type[exp.Binary]) -> bool:
    """Whether an expression or query of MySQL has a calculation of a kind with one of the columns in it."""
    tree = sqlglot.parse_one(sql, read="mysql")
    return any(column.name.lower() in columns for node in tree.find_all(kind) for column in node.find_all(exp.Column))


def _has_no_sign(type_: t.Type) -> bool:
    return isinstance(type_, t.Year) or (isinstance(type_, t.Integer) and type_.unsigned)


def _texts(catalog: Catalog, entry: Loss) -> Iterator[str]:
    """The expressions of a column, or the query of a view, that an entry is about."""
    for obj in catalog.objects:
        if isinstance(obj, o.View) and label(obj) == label_of(entry):
            yield obj.definition.sql
        for column in obj.columns if isinstance(obj, o.Table) and label(obj) == label_of(entry) else ():
            if column.name == entry.column and column.generated is not None:
                yield column.generated.expression.sql


HOLDS: Mapping[str, Callable[[Round, Loss], bool]] = {
    "clock": _is_such_a_clock,
    "clock-moment": _begins_so,
    "timestamp-digits": _keeps_so_many_digits,
    "padding": _is_padded_so,
    "unsigned-arithmetic": _calculates_without_signs,
}
"""How catalogs show that entries of a rule are true, also where the last is as the first was."""


def tells(entry: Loss, difference: Difference) -> bool:
    """Whether an entry tells of a difference."""
    if label_of(entry) != difference.object:
        return False
    if not any(
        fnmatch(difference.what, what) for rule, whats in ABOUT.items() if fnmatch(entry.rule, rule) for what in whats
    ):
        return False
    if difference.part and difference.part in entry.detail:
        return True
    if entry.column is not None:
        return entry.column in difference.columns
    return not difference.part and all(_is_named(name, entry.detail) for name in difference.columns)


def _is_named(name: str, detail: str) -> bool:
    """Whether a column is named, as it is or as it stands between quotes."""
    return any(spelled in detail for spelled in (name, name.replace('"', '""'), name.replace("`", "``")))


# --- what needs no entry --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alike:
    """One row: differences in ``what`` that lose nothing where ``when`` holds, and ``why``; ``via``: the one between."""

    what: str
    why: str
    when: Callable[[Round, Difference], bool] = lambda round_, difference: True
    via: Sequence[str] = ("postgresql", "mysql", "sqlite")

    def holds(self, round_: Round, difference: Difference) -> bool:
        """Whether the row is about a difference."""
        return fnmatch(difference.what, self.what) and round_.ends[1] in self.via and self.when(round_, difference)


def wider(before: t.Type, after: t.Type) -> bool:
    """Whether every value of a type is one of the other, with the same meaning."""
    match before, after:
        case t.Integer(), t.Integer():
            return _bits(before) <= _bits(after) and (before.unsigned or not after.unsigned)
        case t.Integer(), t.Decimal(precision=int(digits), scale=0):
            return len(str(1 << before.bits)) <= digits
        case t.Float(), t.Float():
            return before.bits <= after.bits
        case t.Year(), t.Integer(bits=bits):
            return bits >= 16
        case t.String(fixed=a), t.String(fixed=b) if a == b:
            return _length(after) >= _length(before)
        case t.Binary(), t.Binary():
            return _length(after) >= _length(before)
        case t.Timestamp(zoned=a), t.Timestamp(zoned=b) if a == b:
            return before.precision <= after.precision
        case t.Time(), t.Time() | t.Interval():
            return before.precision <= after.precision
    return False


def _bits(type_: t.Integer) -> int:
    """The bits that hold its numbers with a sign."""
    return type_.bits + type_.unsigned


def _length(type_: t.String | t.Binary) -> float:
    if type_.length is None:
        return math.inf
    return type_.length * (4 if getattr(type_, "unit", "byte") == "char" else 1)


def _is_wider(round_: Round, difference: Difference) -> bool:
    return wider(difference.before, difference.after)


def _type_differs(round_: Round, difference: Difference) -> bool:
    """Whether the types of all columns concerned differ, or have come to differ on the way."""
    return difference.before is None and difference.columns <= round_.retyped(difference.object)


def _from_domain(round_: Round, difference: Difference) -> bool:
    """Whether the columns had a domain that is told to be none any more: they have its type and rules themselves."""
    return _was_told_of(
        round_, difference, "domain", lambda d: f"DOMAIN:{quoted(d.name)}" if isinstance(d, t.Domain) else ""
    )


def _padded_anyway(round_: Round, difference: Difference) -> bool:
    """Whether the column is char(n) in PostgreSQL, where blanks at its end never count."""
    columns = (
        column
        for table in round_.catalogs[1].of(o.Table)
        if label(table) == difference.object
        for column in table.columns
        if column.name in difference.columns
    )
    return all(isinstance(c.type, t.String) and c.type.fixed and not replace(c.equality, blanks=False) for c in columns)


def _same_but_for_its_kind(round_: Round, difference: Difference) -> bool:
    """Whether a unique index without anything of its own became a unique constraint of the same name, or the other way."""
    return any(
        {d.what, difference.what} == {"index", "unique"}
        and (d.object, d.columns, d.part) == (difference.object, difference.columns, difference.part)
        and {d.before is None, difference.before is None} == {True, False}
        and all(_is_plain(part) for part in (d.before, d.after, difference.before, difference.after))
        for d in round_.differences
    )


def _is_plain(part: object) -> bool:
    """Whether an index, if it is one, is of whole columns and all rows, and unique."""
    if not isinstance(part, o.Index):
        return True
    keyed = all(key.column is not None and not key.length and key.collation is None for key in part.keys)
    return part.unique and part.where is None and not part.include and keyed


def _keys_a_foreign_key(round_: Round, difference: Difference) -> bool:
    keys = (
        key for table in round_.catalogs[0].of(o.Table) if label(table) == difference.object for key in table.foreign_keys
    )
    return difference.before is None and any(frozenset(key.columns) == difference.columns for key in keys)


def _counts_on(round_: Round, difference: Difference) -> bool:
    """Whether an identity is what it was, but for the number that it gives next: never less than one that was there."""
    before, after = difference.before, difference.after
    if not isinstance(before, o.Identity) or not isinstance(after, o.Identity):
        return isinstance(after, o.Identity) and _was_serial(round_, difference)
    more = (after.next_value or 1) >= (before.next_value or 1)
    return more and replace(before, next_value=None, cache=None) == replace(after, next_value=None, cache=None)


def _clock_of_utc(round_: Round, difference: Difference) -> bool:
    before, after = difference.before, difference.after
    if not isinstance(before, o.Now) or not isinstance(after, o.Now):
        return False
    return replace(before, utc=True, moment=after.moment) == after and difference.columns <= round_.retyped(
        difference.object
    )


def _was_serial(round_: Round, difference: Difference) -> bool:
    """Whether the column took its numbers from a sequence that is told to live on as its identity."""
    return _was_told_of(
        round_,
        difference,
        "sequence-identity",
        lambda d: f"SEQUENCE:{quoted(d.sequence.name)}" if isinstance(d, o.NextValue) else "",
    )


def _was_told_of(round_: Round, difference: Difference, rule: str, label_of_it: Callable[[object], str]) -> bool:
    """Whether the same columns had something before that an entry of ``rule`` is about, by its label."""
    labels = {label_of(entry) for entry in round_.told if entry.rule == rule}
    return any(
        d.object == difference.object and d.columns == difference.columns and label_of_it(d.before) in labels
        for d in round_.differences
    )


def _truth_as_number(round_: Round, difference: Difference) -> bool:
    """Whether truth values became numbers, and a check that is new says which."""
    both = isinstance(difference.before, t.Boolean) and isinstance(difference.after, t.Integer)
    return both and any(
        d.object == difference.object and d.what == "check" and d.before is None and d.columns == difference.columns
        for d in round_.differences
    )


def _same_number(round_: Round, difference: Difference) -> bool:
    match difference.before, difference.after:
        case o.Literal(kind="number", value=before), o.Literal(kind="number", value=after):
            return Decimal(before) == Decimal(after)
    return False


def _not_below_zero(round_: Round, difference: Difference) -> bool:
    """Whether UNSIGNED is gone from a type whose neutral one has a sign, and a check says the same."""
    if difference.before != f"{difference.after} unsigned":
        return False
    tables = (table for table in round_.catalogs[1].of(o.Table) if label(table) == difference.object)
    return any(columns_in(check.expression) == difference.columns for table in tables for check in table.checks)


def _same_affinity(round_: Round, difference: Difference) -> bool:
    if round_.ends[0] != "sqlite":
        return False
    numbers = {"INTEGER", "REAL", "NUMERIC"}
    before, after = affinity(difference.before), affinity(difference.after)
    return before == after or {before, after} <= numbers or difference.before == "JSON"  # no document is a number


def _strict(round_: Round, difference: Difference) -> bool:
    return {*difference.after} <= {*difference.before} <= {("STRICT", ""), ("WITHOUT ROWID", "")}


ALIKE: tuple[Alike, ...] = (
    Alike("schema.comment", "both schemas were there already, and stay as they are"),
    Alike("column.type", "a wider type: its range is kept by a check, or any value of it was let in", _is_wider),
    Alike("check", "what keeps the range of a narrower type", _type_differs),
    Alike("column.*", "a column has what its domain had", _from_domain),
    Alike("check", "a column has what its domain had", _from_domain),
    Alike("column.type", "MySQL has truth values as numbers only: 0 and 1, as a check says", _truth_as_number, ("mysql",)),
    Alike("column.native", "SQLite: another word of the same affinity", _same_affinity),
    Alike(
        "column.native",
        "PostgreSQL: a varchar without a length is a text",
        lambda _, d: (d.before, d.after) == ("character varying", "text"),
    ),
    Alike("column.native", "MySQL: UNSIGNED of a decimal or a float is a check", _not_below_zero),
    Alike("column.identity", "the next number is above all that are there", _counts_on),
    Alike("column.default", "a sequence of one column lives on as its identity", _was_serial),
    Alike("column.default", "one number, spelled otherwise", _same_number),
    Alike("column.default", "the clock of a column that holds UTC's time of day from now on", _clock_of_utc),
    Alike("*.name", "a key without a name has one where the database between gives it one", lambda _, d: d.before is None),
    Alike("column.collation", "char(n) of PostgreSQL: blanks at its end never count", _padded_anyway, ("postgresql",)),
    Alike("column.equality", "as above", _padded_anyway, ("postgresql",)),
    Alike("index", "a unique constraint is a unique index", _same_but_for_its_kind),
    Alike("unique", "a unique index is a unique constraint", _same_but_for_its_kind),
    Alike("index", "MySQL makes an index for each foreign key", _keys_a_foreign_key, ("mysql",)),
    Alike("index.method", "a btree finds what a hash index finds", lambda _, d: d.before == "hash"),
    Alike("sequence.bits", "the bounds are what they were, whatever the type"),
    Alike("sequence.m??imum", "a bound that its type had is said"),
    Alike("sequence.next_value", "numbers that a cache holds are skipped"),
    Alike("sequence.cache", "a cache of one number is none"),
    Alike("check.validated", "the rows came in under the check"),
    Alike("table.options", "SQLite's rowids and strictness: the others keep rows otherwise, and to types always", _strict),
)
