"""Rules that were moved, tried: what the source refuses the target refuses, what it lets in comes to the same rows there.

Every trial is one statement by a plain driver, in a transaction that is taken back. Where two databases do not agree, an
entry of the ledger must be about that kind of rule (:data:`RULES_OF_TRIALS`).
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import psycopg
import pymysql
import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.model.catalog import Catalog, Loss
from migrator.model.objects import QName, Table, quoted
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
    """What a job complained of, but for foreign keys that the target cannot have, which it names so."""
    found = [line for line in (run.out + run.err).splitlines() if line.startswith("ORA-") and "REF_CONSTRAINT" not in line]
    return found if found or run.code in {0, 5} else [f"exit code {run.code}"]


_FAILED_KEY = re.compile(
    r'^ORA-39083: Object type REF_CONSTRAINT:"(?:[^"]|"")*"\."((?:[^"]|"")*)"(?: FOREIGN KEY .*)? failed', re.MULTILINE
)


def without_keys(runs: Sequence[Run], catalogs: Sequence[Catalog]) -> frozenset[str]:
    """The tables that a job could not give one of their foreign keys, and those that it led to: it is named by itself, or
    by its table."""
    failed = {name.replace('""', '"') for run in runs for name in _FAILED_KEY.findall(run.out)}
    tables = [table for catalog in catalogs for table in catalog.of(Table)]
    keys = [(table.name, key) for table in tables for key in table.foreign_keys if (key.name or table.name) in failed]
    return frozenset(name for table, key in keys for name in (table, key.referred.name))


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
    complaints = [line for run in jobs for line in _complaints(run)]
    if complaints:
        return [*complaints, *statements]
    keyless = without_keys(jobs, (described, schema_catalog(via, schema_of(via))))
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
