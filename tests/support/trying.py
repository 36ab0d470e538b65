"""Rules that were moved, tried: what the source refuses the target refuses, what it lets in comes to the same rows there.

Every trial is one statement by a plain driver, in a transaction that is taken back. Where two databases do not agree, an
entry of the ledger must be about that kind of rule (:data:`RULES_OF_TRIALS`).
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import psycopg
import pymysql
import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import Column, ForeignKey, QName, Table, quoted
from tests.support.catalogs import schema_catalog
from tests.support.differing import Difference, label_of
from tests.support.ends import ENDS, End
from tests.support.explaining import Round, entries
from tests.support.printed import meant, rows_that_differ
from tests.support.pump import Run, pump, remap, schema_of
from tests.support.random_rules import SETUP, RuledTable, Rules, Trial
from tests.support.random_schemas import SPELLINGS

Outcome = tuple[Mapping[str, Counter[tuple[object, ...]]] | None, str]
"""The rows of the tables after a trial; None: it was refused, and in what words."""

ERRORS = (psycopg.Error, pymysql.err.Error, sqlite3.Error)


@contextmanager
def end_of(url: str, *, empty: bool = False) -> Iterator[End]:
    """A plain connection to a database, under which it keeps to its rules."""
    with closing(ENDS[adapter_for_backend(sa.make_url(url).get_backend_name()).name](url)) as end:
        for statement in SETUP[end.name]:
            if empty or not statement.startswith("CREATE"):
                end.run(statement)
        yield end


def fill(end: End, rules: Rules) -> tuple[int, int]:
    """Make the tables and their rows, but for what the database refuses; how many statements, and of them refused ones."""
    made = refused = 0
    for statement in (*rules.made(), *rules.filled()):
        made += 1
        try:
            end.run(statement)
        except ERRORS:
            refused += 1
    return made, refused


@dataclass(frozen=True)
class Tried:
    """Where two databases do not come to the same."""

    table: RuledTable
    trial: Trial
    here: Outcome
    there: Outcome
    sql: str
    near: frozenset[str]

    def __str__(self) -> str:
        return f"{self.sql}\n    here:  {_told(self.here)}\n    there: {_told(self.there)}"


def _told(outcome: Outcome) -> str:
    found, why = outcome
    if found is None:
        return f"refused: {why}"
    return "; ".join(f"{name}: {sorted(rows.elements(), key=repr)}" for name, rows in found.items())


class Trials:
    """A schema's trials at one database. ``described``: the tables at the source, whose types say what values mean."""

    def __init__(self, end: End, rules: Rules, described: Catalog, schema: str) -> None:
        self._end, self._rules = end, rules
        self._tables = {
            table.name: found for table in rules.tables if (found := described.table(QName(schema, table.name))) is not None
        }

    def outcome(self, table: RuledTable, trial: Trial) -> Outcome:
        """What comes of a trial."""
        sql = self._rules.sql(table, trial, database=self._end.name)
        self._end.run("BEGIN")
        try:
            self._end.run(sql)
            if self._end.name == "postgresql":
                self._end.run("SET CONSTRAINTS ALL IMMEDIATE")
            if self._end.name == "sqlite" and self._broken():
                return None, "FOREIGN KEY constraint failed (deferred)"
            near = {table.name} | {t.name for t in self._rules.tables if any(r.table == table.name for r in t.references)}
            far = {t.name for t in self._rules.tables if any(r.table in near for r in t.references)}
            return {name: self.rows(name) for name in sorted(near | far) if name in self._tables}, ""
        except ERRORS as error:
            return None, str(error)
        finally:
            self._end.run("ROLLBACK")

    def _broken(self) -> bool:
        return bool(self._end._plain.execute("PRAGMA foreign_key_check").fetchall())  # type: ignore[attr-defined]

    def rows(self, name: str) -> Counter[tuple[object, ...]]:
        """The rows of a table, but for what counts them."""
        table, mark = self._tables[name], SPELLINGS[self._end.name].name
        columns = {column.name: column.type for column in table.columns if column.identity is None}
        columns = {"n": columns.pop("n"), **columns}
        shown = self._end.shown(mark(name), [mark(column) for column in columns])
        return Counter(tuple(map(meant, columns.values(), row)) for row in shown)


OF_TYPES = r"Incorrect string value|too long|[Oo]ut of range|overflow"
"""The words of a source that refuses what is none of its type's values: another type may be wider."""


def _near(rules: Rules, table: RuledTable) -> frozenset[str]:
    """The table, those that refer to it and those that it refers to; of a statement that is an INSERT, too."""
    referring = {other.name for other in rules.tables if any(each.table == table.name for each in other.references)}
    return frozenset({table.name, *referring, *(each.table for each in table.references)})


def disagreements(source: End, target: End, rules: Rules, described: Catalog) -> Iterator[Tried]:
    """Where the trials at two databases do not come to the same."""
    here, there = (Trials(end, rules, described, source.server.schema) for end in (source, target))
    for table in rules.tables:
        if table.name not in here._tables:
            continue
        for trial in table.trials:
            a, b = (trials.outcome(table, trial) for trials in (here, there))
            if a[0] != b[0] and not re.search(OF_TYPES, a[1]):
                yield Tried(table, trial, a, b, rules.sql(table, trial), _near(rules, table))


_KEYS = ("collation-equality", "key-equality", "key-length", "type-string", "generated", "default")

RULES_OF_TRIALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"not.null|be null|null value|have a default", ("key-not-null", "not-null", "default", "generated", "identity*")),
    (r"foreign key", (*_KEYS, "set-*", "deferrable", "match-full", "foreign-key*")),
    (r"unique|duplicate", (*_KEYS, "index", "index-*", "unique*", "nulls-not-distinct", "null-in-key", "deferrable")),
    (r"check|CONSTRAINT .* failed for", ("check", "collation-equality", "type-string", "default", "generated")),
    (r".", ("type-*", "declaration", "key-length", "generated", "default", "check")),
    (r"", ("default", "generated", "set-*", "collation-equality", "type-string", "on-update", "identity*")),
)
"""What an entry must be about where one database refuses, by the words it does so in; last where none does."""


def explained(tried: Tried, told: Sequence[Loss]) -> bool:
    """Whether an entry is about the kind of rule that a trial has met, of the table or one that it refers to or from."""
    why = tried.here[1] or tried.there[1]
    rules = next(rules for words, rules in RULES_OF_TRIALS if re.search(words, why, re.IGNORECASE | re.DOTALL))
    names = {f"TABLE:{quoted(name)}" for name in tried.near}
    return any(label_of(entry) in names and any(fnmatch(entry.rule, rule) for rule in rules) for entry in told)


# --- there and back -------------------------------------------------------------------------------------------------

WAYS: Mapping[str, str] = {
    "link": "",
    "dump": "AUTOMATIC",
    "direct": "DIRECT_PATH",
    "external": "EXTERNAL_TABLE",
    "conventional": "CONVENTIONAL_PATH",
}
"""How rows go: over a link, or in a dump file set and by which access method."""

TRIED = ("check.expression", "column.default", "column.generated", "index.where", "index.keys.expression")
"""Expressions that are spelled otherwise: what they mean shows when they are tried."""


def carried(source: str, target: str, way: str, directory: Path) -> tuple[list[Run], list[Loss]]:
    """Carry a schema: the jobs, and the entries of their ledger."""
    files = [f"DIRECTORY={directory}", "NOLOGFILE=YES"]
    into = [remap(source, target), *files, "LEDGER=ledger.json"]
    (directory / "ledger.json").unlink(missing_ok=True)
    if not WAYS[way]:
        runs = [pump("impdp", target, f"NETWORK_LINK={source}", *into)]
    else:
        dump = (*files, "DUMPFILE=rules.dmp", "REUSE_DUMPFILES=YES")
        runs = [pump("expdp", source, f"SCHEMAS={schema_of(source)}", *dump)]
        runs.append(pump("impdp", target, "DUMPFILE=rules.dmp", f"ACCESS_METHOD={WAYS[way]}", *into))
    return runs, entries(directory / "ledger.json") if (directory / "ledger.json").exists() else []


def _complaints(run: Run) -> list[str]:
    """What a job complained of, but for foreign keys that it could not make: see :func:`keys_that_failed`."""
    found = [line for line in (run.out + run.err).splitlines() if line.startswith("ORA-") and "REF_CONSTRAINT" not in line]
    return found if found or run.code in {0, 5} else [f"exit code {run.code}"]


_FAILED_KEY = re.compile(
    r'^ORA-39083: Object type REF_CONSTRAINT:"(?:[^"]|"")*"\."(?P<name>(?:[^"]|"")*)"(?: FOREIGN KEY .*)? failed.*\n'
    r"(?P<why>.*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class FailedKey:
    """A foreign key that a job could not make, by its own name or its table's, and in what words it was refused."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"foreign key {self.name} failed for no known reason: {self.why}"


@dataclass(frozen=True)
class Leading:
    """A foreign key of a table that was moved, and where it leads to. ``told``: the ledger."""

    table: Table
    key: ForeignKey
    to: Table
    told: Sequence[Loss]

    def pairs(self) -> Iterator[tuple[Column, Column]]:
        """The columns of both ends."""
        for own, other in zip(self.key.columns, self.key.referred_columns, strict=True):
            yield self.table.column(own), self.to.column(other)

    def compares_otherwise(self) -> bool:
        """Whether a column has a collation of its own, so that values that were equal may be none elsewhere, or all of a
        row's columns must be NULL where one is."""
        return self.key.match == "FULL" or any(c.equality or c.collation for pair in self.pairs() for c in pair)

    def is_of_several_types(self) -> bool:
        """Whether a column has another type, or another collation, than the one that it leads to."""
        return any((a.type, a.collation, a.equality) != (b.type, b.collation, b.equality) for a, b in self.pairs())

    def leads_to_no_key(self) -> bool:
        """Whether it led to no key, or to one of which an entry tells."""
        keys = [unique.columns for unique in self.to.uniques]
        keys += [self.to.primary_key.columns] if self.to.primary_key is not None else []
        lost = ("unique*", "primary-key", "index*", "null-in-key", "key-*")
        rules = [entry.rule for entry in self.told if label_of(entry) == f"TABLE:{quoted(self.to.name)}"]
        return set(self.key.referred_columns) not in map(set, keys) or any(fnmatch(r, rule) for r in rules for rule in lost)

    def sets_what_is_computed(self) -> bool:
        """Whether its columns are computed."""
        return any(own.generated is not None for own, _ in self.pairs())


REASONS: tuple[tuple[str, tuple[Callable[[Leading], bool], ...]], ...] = (
    (r"violates foreign key constraint|a foreign key constraint fails", (Leading.compares_otherwise,)),
    (r"cannot be implemented", (Leading.is_of_several_types,)),
    (r"no unique constraint matching given keys", (Leading.leads_to_no_key,)),
    (r"containing generated column", (Leading.sets_what_is_computed,)),
    (
        r"Foreign key constraint is incorrectly formed",
        (Leading.is_of_several_types, Leading.leads_to_no_key, Leading.sets_what_is_computed),
    ),
)
"""The words in which a database refuses a foreign key that another has, and what must be so of the key then."""


def keys_that_failed(
    runs: Sequence[Run], catalogs: Sequence[Catalog], told: Sequence[Loss] = ()
) -> tuple[frozenset[str], list[FailedKey]]:
    """The tables that a job could not give one of their foreign keys, and those that it led to; and the keys that failed for
    none of the :data:`REASONS`."""
    failed = {FailedKey(m["name"].replace('""', '"'), m["why"]) for run in runs for m in _FAILED_KEY.finditer(run.out)}
    tables = {(table.schema, table.name): table for catalog in catalogs for table in catalog.of(Table)}
    names: set[str] = set()
    unknown: list[FailedKey] = []
    for one in sorted(failed, key=str):
        reasons = [test for words, tests in REASONS if re.search(words, one.why) for test in tests]
        found = [
            (table.name, key.referred.name)
            for table in tables.values()
            for key in table.foreign_keys
            if (key.name or table.name) == one.name and (to := tables.get((key.referred.schema, key.referred.name)))
            if any(test(Leading(table, key, to, told)) for test in reasons)
        ]
        names.update(name for pair in found for name in pair)
        unknown += [] if found else [one]
    return frozenset(names), unknown


def what_changed(first: str, via: str, back: str, rules: Rules, way: str, directory: Path) -> list[str]:
    """What is otherwise in the database between, or back in one of the first kind, and no entry tells of."""
    with end_of(first, empty=True) as end:
        fill(end, rules)
    described = schema_catalog(first, schema_of(first))
    if not any(described.of(Table)):
        return []
    told: list[Loss] = []
    jobs: list[Run] = []
    for here, there in ((first, via), (via, back)):
        runs, more = carried(here, there, way, directory)
        jobs += runs
        told += more
    statements = [*rules.made(), *rules.filled()]
    keyless, unknown = keys_that_failed(jobs, (described, schema_catalog(via, schema_of(via))), told)
    complaints = [*(line for run in jobs for line in _complaints(run)), *map(str, unknown)]
    if complaints:
        return [*complaints, *statements, *map(str, told)]
    labels = {f"TABLE:{quoted(name)}" for name in keyless}
    round_ = Round(first, via, back, tuple(told))
    known = [d for d in round_.differences if "foreign_key" in d.what and d.object in labels]
    found = [str(d) for d in round_.unexplained() if not _is_tried(d) and d not in known]
    found += [f"untrue: {entry}" for entry in round_.untrue()]
    for url in (via, back):
        found += [f"{name}: {how}" for name, how in rows_that_differ(first, url, described).items()]
        with end_of(first) as one, end_of(url) as other:
            tried = disagreements(one, other, rules, described)
            found += [str(each) for each in tried if not each.near & keyless and not explained(each, told)]
    return [*found, *statements, *map(str, told)] if found else []


def _is_tried(difference: Difference) -> bool:
    return difference.what in TRIED and difference.before is not None and difference.after is not None
