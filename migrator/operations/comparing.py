"""Comparing the target's rows with those of the source, table by table: digests first, then the rows that differ.

The source's values are converted as an import converts them. No key is needed, and the memory it takes does not grow with
the tables: what differs is found by a second reading, which divides rows among buckets, and a third, which looks at those
that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from migrator.adapter import Read, Snapshot, adapter_of
from migrator.converting import Converter
from migrator.ddl import DDL
from migrator.ends import Database, DumpedRows, TableRows
from migrator.errors import FatalError, MigratorError, UnsupportedType, ValueNotCarried
from migrator.job.worker import Fold, Outcome, Scan
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import Column, QName, Table
from migrator.operations.changing import policy_converter, read_for
from migrator.operations.matching import absent, computed, matched
from migrator.operations.verified import RowDiffers, TableVerified, ValueDiffers
from migrator.origins import Origin
from migrator.policies import Policies
from migrator.spec import JobSpec
from migrator.verification import narrowing
from migrator.verification.forms import LEDGER_FORMS, form_of
from migrator.verification.narrowing import Differences, Example, Taken
from migrator.verification.scans import (
    Collecting,
    Compared,
    Digest,
    Digesting,
    Dividing,
    Fetched,
    Fetching,
    Rows,
    Side,
    Value,
    as_exported_to,
)

Scanned = Iterator[tuple[Scan, Outcome]]
Scanner = Callable[[Sequence[Scan]], Scanned]
"""Lets workers look at rows; each scan with its outcome, as they end."""

# --- the target's rows ----------------------------------------------------------------------------------------------

RowsOf = Callable[[Table, tuple[Column, ...]], list[TableRows]]
"""The rows of a table of the target, granule by granule."""


@contextmanager
def reading(target: Database, spec: JobSpec) -> Iterator[RowsOf]:
    """One state of the target, which lasts as long as the block."""
    adapter = target.adapter
    with adapter.snapshot(target.engine, spec.degrees.most) as held, adapter.reading(target.engine, held) as connection:

        def rows(table: Table, columns: tuple[Column, ...]) -> list[TableRows]:
            granules = adapter.granules(connection, table, spec.parallel_threshold)
            return [TableRows(target, held, Read(table.qname, columns, granule=granule)) for granule in granules]

        yield rows


# --- comparing ------------------------------------------------------------------------------------------------------

VALUE_RULES = ("type-", "timestamp-spelling")
"""What the rules of losses begin with that concern values: their declared changes are no differences."""


@dataclass(frozen=True)
class Pair:
    """A table at the source and at the target: its rows on both sides, and how these are read.

    ``granules``: of its rows at the source. ``unread``: the columns at the target that cannot be compared, with the reasons.
    """

    table: Table
    made: QName
    rows: tuple[Sequence[TableRows | DumpedRows], Sequence[TableRows]]
    sides: tuple[Side, Side]
    ledger: tuple[Loss, ...]
    left_out: tuple[str, ...]
    granules: Sequence[dict[str, Any]] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Compared, ...]:
        """The columns that are compared."""
        return self.sides[0].columns


class Ended(Exception):
    """The rows of a table cannot be compared, for the reason in the arguments."""


@dataclass
class Tally:
    """What scans have found of both sides of a table so far."""

    pair: Pair
    found: list[Any]
    left: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: MigratorError | None = None

    def add(self, side: int, outcome: Outcome) -> None:
        """Take in what one more scan of a side has found."""
        self.left -= 1
        self.seconds += outcome.seconds
        self.error = self.error or outcome.error
        if outcome.error is None:
            self.bytes += outcome.bytes if side else 0
            self.found[side] += outcome.found


class Comparison:
    """Compares tables."""

    def __init__(
        self,
        opened: Origin,
        there: Catalog,
        ddl: DDL,
        policies: Policies,
        rows_of: RowsOf,
        scan: Scanner,
        tell: Callable[[TableVerified], None] = lambda found: None,
        own: Mapping[QName, Collection[str | None]] = MappingProxyType({}),
    ) -> None:
        """``there``: the target's catalog; ``policies``: the import's, which changed values on their way; ``tell``: told of
        each result as it is there; ``own``: the columns that tables of the target compute by expressions of their own."""
        self._origin, self._there, self._ddl, self._policies = opened, there, ddl, policies
        self._rows_of, self._scan, self._tell, self._own = rows_of, scan, tell, own
        self._read: dict[str, list[Loss]] = {}
        for loss in opened.catalog.losses:
            self._read.setdefault(loss.object, []).append(loss)

    def of(self, tables: Mapping[Table, Sequence[dict[str, Any]]]) -> list[TableVerified]:
        """What there is to say of each table; with the granules of its rows at the source."""
        found: dict[QName, TableVerified] = {}
        pairs = []
        for table, granules in tables.items():
            try:
                pairs.append(self._pair(table, granules))
            except FatalError:
                raise
            except MigratorError as error:
                found[table.qname] = self._said(TableVerified(table.qname, table.source, problem=str(error)))
        for looked in (self._in_databases, self._by_export, self.by_rows):
            for pair, what in looked([pair for pair in pairs if pair.table.qname not in found]):
                found[pair.table.qname] = self._said(what)
        return [found[table.qname] for table in tables]

    def _in_databases(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, TableVerified]]:
        """The tables whose databases say that both have the same rows; they may be the same where these cannot tell."""
        for tally in self.tallied([(pair, (None, None)) for pair in pairs if self._digested(pair)]):
            first = _first_look(tally)
            if first.equal:
                yield tally.pair, replace(first, method="database", bytes=_size_of(tally.pair.rows[1]))

    def _digested(self, pair: Pair) -> bool:
        """Whether both databases take one digest, of rows of the same types."""
        names = [self._digests_of(rows) for rows in pair.rows]
        alike = all(a.source.type == a.target.type and a.source.native == a.target.native for a in pair.columns)
        return alike and names[0] == names[1] != "" and pair.sides[0].policies is None

    @staticmethod
    def _digests_of(rows: Sequence[TableRows | DumpedRows]) -> str:
        names = {part.database.adapter.capabilities.digests if isinstance(part, TableRows) else "" for part in rows}
        return names.pop() if len(names) == 1 else ""

    def _by_export(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, TableVerified]]:
        """The tables whose rows have the digests that were recorded when the source's were exported."""
        recorded = {pair.table: digest for pair in pairs if (digest := self._recorded(pair)) is not None}
        wanted = []
        for pair in pairs:
            side = as_exported_to(pair.columns) if pair.table in recorded else None
            if side is not None:
                wanted.append((replace(pair, rows=((), pair.rows[1])), (Digesting(side), Digesting(side))))
        for tally in self.tallied(wanted):
            tally.found[0] = recorded[tally.pair.table]
            first = _first_look(tally)
            if first.equal:
                yield tally.pair, replace(first, method="export")

    def _recorded(self, pair: Pair) -> Digest | None:
        """The digest of all rows at the source that its export recorded; None: of none, or of other columns too."""
        compared = [compared.source for compared in pair.columns]
        whole = compared == [column.at_source for column in pair.table.columns]
        return self._origin.digest(pair.table) if whole and pair.sides[0].policies is None else None

    def by_rows(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, TableVerified]]:
        """What the digests of all rows say, and where they differ, which rows do."""
        differing = []
        again = []
        for tally in self.tallied([(pair, [Digesting(side) for side in pair.sides]) for pair in pairs]):
            first, others = _first_look(tally), self._without_unread(tally)
            if others is not None:
                again.append(others)
            elif tally.error is not None or tally.found[0] == tally.found[1]:
                yield tally.pair, first
            else:
                differing.append((tally.pair, first))
        for pair, first in differing:  # workers that are at work cannot be asked for something else
            yield pair, self._narrowed(pair, first)
        if again:
            yield from self.by_rows(again)

    def _without_unread(self, tally: Tally) -> Pair | None:
        """The pair without a column that has a value which cannot be read; None: there is none, or no other column."""
        pair, error = tally.pair, tally.error
        if not isinstance(error, ValueNotCarried):
            return None
        named = (c.target.name for c in pair.columns if error.name in {c.source.name, c.target.name})
        column = next(named, None)
        if column is None or len(pair.columns) == 1:
            return None
        return self._pair(pair.table, pair.granules, {**pair.unread, column: str(error)})

    def _said(self, found: TableVerified) -> TableVerified:
        self._tell(found)
        return found

    # --- what is compared -------------------------------------------------------------------------------------------

    def _pair(
        self, table: Table, granules: Sequence[dict[str, Any]], unread: Mapping[str, str] = MappingProxyType({})
    ) -> Pair:
        made = self._there.table(table.qname)
        if made is None:
            raise absent(self._there, table.qname)
        source, target = _but_for(unread, *matched(table, made))
        changing = self._changing(table, source, target)
        if changing is None:  # else what is computed from changed values is something else
            by_both = _but_for(unread, *computed(table, made, self.own_of(made)))
            source, target = (*source, *by_both[0]), (*target, *by_both[1])
        target = tuple(self._as_source(here, there) for here, there in zip(source, target, strict=True))
        ledger = self._ledger(table, {column.name for column in (*source, *target)})
        columns = tuple(self._compared(a, b, ledger) for a, b in zip(source, target, strict=True))
        key = _key(table, made, columns)
        here = [read_for(changing, self._origin.rows(table, source, detail)) for detail in granules]
        known = {*unread, *(pair.target.name for pair in columns)}
        left_out = tuple(c.name for c in made.columns if c.name not in known and c.generated is None)
        policies = None if changing is None else changing.changed
        sides = (Side(columns, converted=True, key=key, policies=policies), Side(columns, converted=False, key=key))
        there = self._rows_of(made, tuple(_as_stored(made, column) for column in target))
        return Pair(table, made.qname, (here, there), sides, ledger, left_out, granules, unread)

    def _changing(self, table: Table, source: Sequence[Column], target: Sequence[Column]) -> Converter | None:
        """What POLICY and the target's texts change in the source's rows, as in an import."""
        adapters = adapter_of(self._origin.catalog), adapter_of(self._there)
        found = policy_converter(self._policies, table, (source, target), adapters)
        return found if found is not None and found.changes else None  # what is only counted is the same here

    def _as_source(self, source: Column, target: Column) -> Column:
        """The target's column, as it is to be read: of one declaration in one product, as the source's is read.

        Documents of one declaration may be those of two products, MySQL and MariaDB, as their types tell.
        """
        alike = self._origin.catalog.dialect == self._there.dialect and source.native == target.native
        documents = isinstance(t.base_of(source.type), t.Json) and isinstance(t.base_of(target.type), t.Json)
        return replace(target, type=source.type) if alike and not documents else target

    def _compared(self, source: Column, target: Column, ledger: Sequence[Loss]) -> Compared:
        form = form_of(source.type, target.type)
        same = self._origin.catalog.dialect == self._there.dialect and source.type == target.type
        if same and isinstance(t.base_of(target.type), t.Json):
            form = "text"  # one product writes one document in one way
        for loss in ledger:
            if loss.column in {source.name, target.name}:
                form = LEDGER_FORMS.get((form, loss.rule), form)
        return Compared(source, target, form)

    def _ledger(self, table: Table, columns: set[str]) -> tuple[Loss, ...]:
        """The declared changes of the values in a table's columns."""
        try:
            made = self._ddl.create_table(table).losses
        except UnsupportedType:  # the table is there, however it was made
            made = ()
        read = self._read.get(path_of(replace(table, schema=table.source.schema, name=table.source.name)), ())
        return tuple(loss for loss in (*read, *made) if loss.column in columns and loss.rule.startswith(VALUE_RULES))

    # --- scans ------------------------------------------------------------------------------------------------------

    def tallied(self, wanted: Sequence[tuple[Pair, Sequence[Fold | None]]]) -> Iterator[Tally]:
        """What scans find of both sides of each table, as they end."""
        tallies: dict[Scan, tuple[Tally, int]] = {}
        scans = []
        for pair, folds in wanted:
            tally = Tally(pair, [Digest() if fold is None else fold.fold(()) for fold in folds])
            for number, (rows, fold) in enumerate(zip(pair.rows, folds, strict=True)):
                for part in rows:
                    scans.append(scan_of(pair.made, part, fold))
                    tallies[scans[-1]] = tally, number
                    tally.left += 1
            if not tally.left:
                yield tally
        for scan, outcome in self._scan(_interleaved(scans)):
            tally, number = tallies[scan]
            tally.add(number, outcome)
            if not tally.left:
                yield tally

    def _both(self, pair: Pair, folds: Sequence[Fold]) -> list[Any]:
        """What scans find of both sides of one table.

        :raises Ended: a side cannot be read.
        """
        (tally,) = self.tallied([(pair, folds)])
        if tally.error is not None:
            raise Ended(str(tally.error))
        return tally.found

    # --- rows that differ -------------------------------------------------------------------------------------------

    def _narrowed(self, pair: Pair, found: TableVerified) -> TableVerified:
        """What was found of a table whose rows differ, and which rows those are."""
        try:
            return self.with_rows(pair, found)
        except Ended as why:
            again = f"the rows differ, and could not be looked at again: {why}"
            return replace(found, problem=_joined(found.problem, again))

    def made(self, pair: Pair) -> Table:
        """The table at the target."""
        made = self._there.table(pair.made)
        assert made is not None
        return made

    def own_of(self, made: Table) -> Collection[str | None]:
        """The columns of a table of the target that are not compared where it computes them."""
        return self._own.get(made.qname, ())

    def with_rows(self, pair: Pair, found: TableVerified) -> TableVerified:
        """What was found of a table, with the rows that differ, of which some are shown."""
        bits, parts = self._parted(pair, found)
        differences = narrowing.compare(*self.collected(pair, bits, parts[0]))
        fetched = self._fetched(pair, differences)
        return replace(
            found,
            columns=tuple(_those_that_differ(pair, found.columns, *fetched)),
            differing=differences.counts,
            whole=len(parts) == 1,
            examples=tuple(self._examples(pair, differences.examples, *fetched)),
        )

    def _parted(self, pair: Pair, found: TableVerified) -> tuple[int, Sequence[Taken | None]]:
        """By how many bits the rows are divided among buckets, and which of them differ, in parts; None: all, undivided."""
        assert found.rows is not None
        bits = narrowing.bits_for(max(found.rows))
        if not bits:
            return bits, [None]
        source, target = self._both(pair, [Dividing(side, bits) for side in pair.sides])
        return bits, narrowing.rounds(source, target)

    def collected(self, pair: Pair, bits: int, taken: Taken | None) -> tuple[Rows, Rows]:
        """The rows of both sides in certain buckets, by their hashes."""
        source, target = self._both(pair, [Collecting(side, bits, taken) for side in pair.sides])
        return source, target

    def _fetched(self, pair: Pair, differences: Differences) -> tuple[Fetched, Fetched]:
        """Of both sides the rows that are shown, and what tells in which columns those that are changed differ."""
        shown = [
            frozenset(hash_ for e in differences.examples if (hash_ := getattr(e, name)) is not None)
            for name in ("source", "target")
        ]
        folds = [Fetching(*of) for of in zip(pair.sides, shown, differences.changed, strict=True)]
        source, target = self._both(pair, folds)
        return source, target

    @staticmethod
    def _examples(pair: Pair, examples: Sequence[Example], source: Fetched, target: Fetched) -> Iterator[RowDiffers]:
        for example in examples:
            here = source.values[example.source] if example.source is not None else None
            there = target.values[example.target] if example.target is not None else None
            row = here or there
            assert row is not None
            changed = tuple(_changed(pair, here, there)) if here is not None and there is not None else ()
            yield RowDiffers(example.kind, named_row(pair, row), changed)


def _but_for(
    unread: Collection[str], source: Sequence[Column], target: Sequence[Column]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Columns of both sides without those that cannot be compared."""
    pairs = [(here, there) for here, there in zip(source, target, strict=True) if there.name not in unread]
    return tuple(here for here, _ in pairs), tuple(there for _, there in pairs)


def _joined(*problems: str) -> str:
    return "; ".join(filter(None, problems))


def _as_stored(made: Table, column: Column) -> Column:
    """A column of the target as it is read: where it stands in for one of UUIDs, it has their texts."""
    own = made.column(column.name)
    stands_in = isinstance(column.type, t.Uuid) and isinstance(t.base_of(own.type), t.String)
    return own if stands_in else column


def _first_look(tally: Tally) -> TableVerified:
    """What the digests of both sides of a table say; ``differing`` is not known yet."""
    pair, (source, target) = tally.pair, tally.found
    found = TableVerified(
        pair.made,
        pair.table.source,
        (source.rows, target.rows) if tally.error is None else None,
        tally.bytes,
        tally.seconds,
        equal=tally.error is None and source == target and not pair.unread,
        problem=_joined(*pair.unread.values(), "" if tally.error is None else str(tally.error)),
        ledger=pair.ledger,
        left_out=pair.left_out,
    )
    if tally.error is not None or source.rows != target.rows:  # every column's values differ then
        return found
    sums = zip(pair.columns, source.columns, target.columns, strict=False)  # a database's digest has none
    return replace(found, columns=tuple(compared.target.name for compared, a, b in sums if a != b))


def _size_of(rows: Sequence[TableRows]) -> int:
    """About how many bytes the rows have."""
    return sum(part.read.granule.bytes for part in rows if part.read.granule is not None)


def scan_of(name: QName, rows: TableRows | DumpedRows, fold: Fold | None) -> Scan:
    """The scan of a granule; of a snapshot that one reader only may read, in this process and one at a time."""
    if isinstance(rows, TableRows) and rows.snapshot.readers == 1:
        return Scan(name, rows, fold, stays=True, touches=frozenset({_lock(rows.snapshot)}))
    return Scan(name, rows, fold)


def _lock(snapshot: Snapshot) -> QName:
    return QName("snapshot", snapshot.token or "")


def _interleaved(scans: Sequence[Scan]) -> list[Scan]:
    """The scans such that those that must wait for one another come in turn with the others."""
    alone = [scan for scan in scans if scan.stays]
    free = [scan for scan in scans if not scan.stays]
    every = []
    for place in range(max(len(alone), len(free))):
        every += [*alone[place : place + 1], *free[place : place + 1]]
    return every


def _key(table: Table, made: Table, columns: Sequence[Compared]) -> tuple[int, ...]:
    """The places of the columns of a key that the table has, at the source or at the target; empty: it has none."""
    by_source = {compared.source.name: place for place, compared in enumerate(columns)}
    sides = (
        (table, {column.name: by_source[column.source] for column in table.columns if column.source in by_source}),
        (made, {compared.target.name: place for place, compared in enumerate(columns)}),
    )
    for side, places in sides:
        for key in (side.primary_key, *side.uniques):
            if key is None or not set(key.columns) <= set(places):
                continue
            if key is side.primary_key or not any(side.column(name).nullable for name in key.columns):
                return tuple(places[name] for name in key.columns)
    return ()


def _those_that_differ(pair: Pair, known: Sequence[str], source: Fetched, target: Fetched) -> Iterator[str]:
    """The columns that are known to differ, and those whose values differ in rows that are changed."""
    for compared, here, there in zip(pair.columns, source.columns, target.columns, strict=True):
        if compared.target.name in known or here != there:
            yield compared.target.name


def _changed(pair: Pair, here: Sequence[Value], there: Sequence[Value]) -> Iterator[ValueDiffers]:
    for compared, a, b in zip(pair.columns, here, there, strict=True):
        if a.hash != b.hash:
            yield ValueDiffers(compared.target.name, a.text, b.text)


def named_row(pair: Pair, row: Sequence[Value]) -> dict[str, str | None]:
    """What tells a row: its key, or all of its values."""
    places = pair.sides[0].key or range(len(pair.columns))
    return {pair.columns[place].target.name: row[place].text for place in places}
