"""The profile of a table: what its rows say of each column, the misfits they would be at the target, and suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from migrator.between import passage
from migrator.converting import Pair
from migrator.ddl import unique_keys
from migrator.model import types as t
from migrator.model.catalog import Action, Loss, value_of
from migrator.model.measures import Ask, Measure
from migrator.model.misfits import BECOME_NULL, Misfit
from migrator.model.objects import Column, ForeignKey, QName, Table
from migrator.policies import CASES, DEFAULT, entry
from migrator.profiling.proofs import Evidence, Suggestion, suggestion
from migrator.profiling.questions import answerable, facts_asked, misfits_asked
from migrator.profiling.scans import Answer, Scan

Trouble = Literal["other_type", "duplicates", "orphans", "not_validated"]
"""What a target refuses or changes besides the misfits, which POLICY knows."""

TROUBLES: Mapping[Trouble, str] = {
    "other_type": "Values that are none of the type that the column has at the target, or that COLUMN_TYPE asks for; of "
    "UUIDs, also those that are spelled otherwise.",
    "duplicates": "Rows that {key} at the target holds for equal: by the collation that its texts have there, or because "
    "the source has no such key.",
    "orphans": "Rows whose foreign key refers to no row that the job moves.",
    "not_validated": "Such rows, where the key is one that the source has not checked, and the target does not either.",
}
"""What is found that is no misfit, and what it means."""


_REFUTING: Mapping[type[t.Type], tuple[Measure, ...]] = {
    t.Boolean: (Measure.NOT_BOOLEAN,),
    t.Date: (Measure.TIMED,),
    t.Uuid: (Measure.NOT_UUID, Measure.NOT_16_BYTES),
}
"""What counts values that are none of a type. Of a JSON document there are more kinds than those that prove one."""

_LONGEST: Mapping[type[t.Type], int] = {t.Boolean: 5, t.Integer: 20, t.Year: 4, t.Uuid: 36}
"""How many characters the texts of all values have at most."""


_ASCII = (*_LONGEST, t.Decimal, t.Float, t.Bit, t.Date, t.Time, t.Timestamp, t.Interval)
"""Types whose texts any character set has."""


def _longest(type_: t.Type) -> int | None:
    """How many bytes the text of any value has at most; None: nobody says."""
    if isinstance(type_, t.Enum):
        return max(len(label.encode()) for label in type_.labels)
    return _LONGEST.get(type(type_))


@dataclass(frozen=True)
class Way:
    """A column at the source, and what becomes of it; ``pair`` None: nobody takes its values, as with an export.

    ``key``: it is part of a key. ``rounds``: POLICY has fractions rounded.
    ``existing``: the column that takes the values was there before; ``narrowed``: it leaves out some values of its type.
    """

    column: Column
    pair: Pair | None = None
    key: bool = False
    rounds: bool = False
    existing: bool = False
    narrowed: bool = False

    @property
    def misfits(self) -> Iterator[Ask]:
        """The misfits that its values can be."""
        return iter(()) if self.pair is None or self.refused else misfits_asked(self.pair, rounds=self.rounds)

    @property
    def target(self) -> Column:
        """The column that takes the values."""
        return self.column if self.pair is None else self.pair.target

    @property
    def refuted_by(self) -> Measure | None:
        """What counts values that are none of the target's type, where that is one which values can prove."""
        if self.pair is None or isinstance(self.pair.kinds[0], type(self.pair.kinds[1])):
            return None
        measures = _REFUTING.get(type(self.pair.kinds[1]), ())
        return next((measure for ask in facts_asked(self.column) for measure in measures if ask.what is measure), None)

    @property
    def refused(self) -> str:
        """Why the target's column takes none of its values; empty: it may take some."""
        found = None if self.pair is None else passage(*self.pair.kinds)
        return "" if found is None else found.refused

    @property
    def may_be_other(self) -> bool:
        """Whether there may be values that the target's column does not take for what they are, which nothing counts."""
        if self.pair is None or self.pair.alike or self.refuted_by is not None or self.refused:
            return False
        here, there = self.pair.kinds
        if self.narrowed and not (isinstance(there, t.String) and isinstance(here, _ASCII)):
            return True
        found = passage(here, there)
        return here != there and (found is None or not found.takes_all)

    @property
    def rereads_json(self) -> bool:
        """Whether another database reads its JSON documents, which may not take all that their own takes."""
        return self.pair is not None and not self.pair.alike and all(isinstance(kind, t.Json) for kind in self.pair.kinds)

    @property
    def may_be_longer(self) -> bool:
        """Whether a value that is no text at the source may be a longer one than the target's column takes."""
        match self.pair.kinds if self.pair is not None and self.existing else None:
            case (t.String() | t.Json() | t.Xml() | t.Binary(), _):
                return False
            case (here, t.String(length=int(length))):
                longest = _longest(here)
                return longest is None or longest > length
        return False

    @property
    def drops_time(self) -> bool:
        """Whether a time of day or an offset is left out, which a date that no calendar has travels with as a text."""
        match None if self.pair is None else self.pair.kinds:
            case (t.Timestamp(), t.Date()) | (t.Timestamp(zoned=True), t.Timestamp(zoned=False)):
                return True
        return False

    @property
    def asks(self) -> Iterator[Ask]:
        """All that is asked of it."""
        yield from facts_asked(self.column)
        yield from filter(answerable, self.misfits)


@dataclass(frozen=True)
class Finding:
    """Rows that meet a case of POLICY (``action``: what is done about it) or another trouble. ``column``: at the target.

    ``key``: the foreign key that they break, as the target has it; None: it has none, or this is about something else.
    ``examples``: some of those that refer to none, by their keys at the source.
    """

    case: Misfit | Trouble
    rows: int
    detail: str
    column: str | None = None
    action: Action | None = None
    key: ForeignKey | None = None
    examples: tuple[Mapping[str, str | None], ...] = ()

    @property
    def hinders(self) -> bool:
        """Whether an import that meets these rows ends with an error in its log."""
        return self.action in {None, "refuse", "warn"} and self.case != "not_validated"

    def __str__(self) -> str:
        counted = f"{self.rows} {'row' if self.rows == 1 else 'rows'}"
        done = f", POLICY: {self.action}" if self.action else ""
        where = f"{self.column}: " if self.column else ""
        some = "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in self.examples)
        first = f" First of them: {some}" if some else ""
        return f"{where}{counted}: {self.detail}{first} [{self.case}{done}]"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values; of a key, ``detail`` tells."""
        told = {name: value for name, value in vars(self).items() if name != "key"}
        return {**told, "examples": [dict(row) for row in self.examples]}


@dataclass(frozen=True)
class ColumnProfile:
    """What the rows say about a column: ``facts``, and how many are of each kind of misfit that was looked for.

    ``name`` is the target's; ``unknown``: the cases that could be and that SQL cannot find.
    """

    name: str
    declared: str
    facts: Mapping[Measure, Answer]
    misfits: Mapping[Misfit, int]
    unknown: tuple[Misfit | Trouble, ...] = ()


@dataclass(frozen=True)
class TableProfile:
    """The profile of a table, under its name at the target. ``queries``: how often its rows were gone through for
    ``columns``. ``problem``: why there is none; ``unread``: keys, and documents, that could not be looked at, with
    the reason; ``remarks``: what nobody can tell."""

    table: QName
    rows: int = 0
    queries: int = 0
    columns: tuple[ColumnProfile, ...] = ()
    findings: tuple[Finding, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    unread: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether all could be looked at that was to be."""
        return not self.problem and not self.unread

    def orphans(self, key: ForeignKey) -> int | None:
        """How many rows break a foreign key that nobody checks; None: nobody could look at all keys."""
        found = (one.rows for one in self.findings if one.case == "not_validated" and one.key == key)
        return next(found, 0 if self.whole else None)

    def column(self, name: str) -> ColumnProfile | None:
        """The profile of a column; None: it has none."""
        return next((column for column in self.columns if column.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "rows": self.rows,
            "queries": self.queries,
            "columns": [
                {**vars(column), "facts": dict(column.facts), "misfits": dict(column.misfits)} for column in self.columns
            ],
            "findings": [finding.to_json() for finding in self.findings],
            "suggestions": [{**vars(one), "type": str(one.type)} for one in self.suggestions],
            "unread": list(self.unread),
            "remarks": list(self.remarks),
            "problem": self.problem,
        }


def profile(table: QName, ways: Sequence[Way], found: Scan, actions: Mapping[str, Mapping[Misfit, Action]]) -> TableProfile:
    """What a scan says about a table. ``actions``: what POLICY has done about each case, by the column at the target."""
    columns: list[ColumnProfile] = []
    findings: list[Finding] = []
    suggestions: list[Suggestion] = []
    for way in ways:
        column = _column(way, found)
        columns.append(column)
        values = found.rows - int(column.facts.get(Measure.NULLS) or 0)
        findings += _findings(way, column, values, actions.get(column.name, {}))
        proved = suggestion(Evidence(way.column, values, column.facts, way.key), way.target.type)
        if proved is not None:
            suggestions.append(replace(proved, column=column.name))
    return TableProfile(table, found.rows, found.queries, tuple(columns), tuple(findings), tuple(suggestions))


def _column(way: Way, found: Scan) -> ColumnProfile:
    facts: dict[Measure, Answer] = {}
    misfits: dict[Misfit, int] = {}
    unknown: list[Misfit | Trouble] = []
    for ask in facts_asked(way.column):
        if ask in found.answers and isinstance(ask.what, Measure):
            facts[ask.what] = found.answers[ask]
    unread = way.rereads_json and facts.get(Measure.NOT_JSON) != 0
    if way.may_be_other or unread or (way.drops_time and facts.get(Measure.NO_NUMBER)):
        unknown.append("other_type")
    if way.may_be_longer:
        unknown.append(Misfit.TOO_LONG)
    for ask in way.misfits:
        assert isinstance(ask.what, Misfit)
        if ask in found.answers:
            misfits[ask.what] = int(found.answers[ask] or 0)
        else:
            unknown.append(ask.what)
    return ColumnProfile(way.target.name, way.column.native or str(way.column.type), facts, misfits, tuple(unknown))


def _findings(way: Way, column: ColumnProfile, values: int, actions: Mapping[Misfit, Action]) -> Iterator[Finding]:
    for misfit, rows in column.misfits.items():
        action, detail = actions.get(misfit, DEFAULT), CASES[misfit].meaning
        nulled = action != DEFAULT and misfit in BECOME_NULL and value_of(action) is None
        if nulled and not way.target.nullable:
            action, detail = DEFAULT, f"{detail} As POLICY asks it would become NULL, and the column is NOT NULL."
        if rows:
            yield Finding(misfit, rows, detail, column.name, action)
    others = values if way.refused else column.facts.get(way.refuted_by) if way.refuted_by is not None else None
    if others:
        why = f" ({way.refused})" if way.refused else ""
        yield Finding("other_type", int(others), f"{TROUBLES['other_type']}{why}", column.name)


# --- the loss list --------------------------------------------------------------------------------------------------


def counted(losses: Iterable[Loss], profiles: Sequence[TableProfile]) -> tuple[Loss, ...]:
    """The entries of a loss list with the number of rows, where a profile counted them, and those of POLICY's changes."""
    by_path = {f"TABLE:{one.table}": one for one in profiles if not one.problem}
    known = tuple(replace(loss, rows=_rows(loss, by_path)) if loss.rows is None else loss for loss in losses)
    changes = (
        entry(one.table, finding.column, Misfit(finding.case), finding.action, finding.rows)
        for one in profiles
        for finding in one.findings
        if finding.action is not None and finding.action != DEFAULT and finding.column is not None
    )
    return (*known, *changes)


_COUNTS: Mapping[str, Measure | Misfit] = {
    "oracle-empty-string": Measure.EMPTY,
    "number-types": Misfit.OUT_OF_RANGE,
}
"""What an entry of a rule about some of a column's values counts."""


def _rows(loss: Loss, profiles: Mapping[str, TableProfile]) -> int | None:
    found = profiles.get(loss.object)
    column = None if found is None or loss.column is None else found.column(loss.column)
    if found is None or column is None:
        return None
    if loss.each:
        return found.rows - int(column.facts.get(Measure.NULLS) or 0)
    what = _COUNTS.get(loss.rule)
    if isinstance(what, Misfit):
        return column.misfits.get(what)
    answer = None if what is None else column.facts.get(what)
    return None if answer is None else int(answer)


def keys_of(table: Table) -> frozenset[str]:
    """The columns of a table that are part of a key."""
    unique = (name for _, columns in unique_keys(table) for name in columns)
    return frozenset((*unique, *(name for key in table.foreign_keys for name in key.columns)))
