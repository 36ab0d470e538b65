"""POLICY: what becomes of values that have no place at the target. The cases as data, and which setting holds where.

Without a setting every case is refused, so that nothing is lost. ``docs/policies.md`` is written from :data:`CASES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from migrator.errors import AmbiguousName
from migrator.filters import spelled
from migrator.model import types as t
from migrator.model.catalog import Action, Loss
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, QName, Table
from migrator.spec import PolicySetting

ACTIONS: Mapping[Action, str] = MappingProxyType(
    {
        "refuse": "The table is not loaded: its load is taken back, and the log names the column and the value (ORA-31693). "
        "A table that TABLE_EXISTS_ACTION=TRUNCATE has emptied stays empty. "
        "With SKIP_CONSTRAINT_ERRORS the row goes to the reject file instead. Nothing is lost.",
        "convert": "The value is changed as the case says, and the loss list has an entry with the number of rows.",
        "warn": "As convert, and the entry counts as an error of the job, which ends with exit code 5.",
    }
)
"""What can be done about a case, the default first."""

DEFAULT: Action = "refuse"


@dataclass(frozen=True)
class Case:
    """One row: a kind of value, what ``convert`` makes of it, what the loss list says then, and the ``reason`` for that."""

    misfit: Misfit
    meaning: str
    conversion: str
    entry: str
    reason: str

    @property
    def rule(self) -> str:
        """The rule's identifier in the loss list."""
        return self.misfit.replace("_", "-")


_ROWS = (
    Case(
        Misfit.INVALID_BYTES,
        "A text whose bytes are no text in its character set. With NETWORK_LINK only: an export refuses it.",
        "Each wrong byte becomes U+FFFD, the replacement character.",
        "wrong bytes in texts became U+FFFD",
        "The rest of the text is certain; what the bytes stand for is not.",
    ),
    Case(
        Misfit.NUL_BYTE,
        "A text with the character NUL, which PostgreSQL cannot store; in its jsonb also the escape \\u0000.",
        "The characters NUL are removed.",
        "NUL characters were removed from texts",
        "They are most often padding; the other characters stay as they are.",
    ),
    Case(
        Misfit.ZERO_DATE,
        "MySQL's date 0000-00-00, with or without the time 00:00:00.",
        "NULL.",
        "zero dates became NULL",
        "MySQL's applications write it where others write NULL; no other date means that.",
    ),
    Case(
        Misfit.PARTIAL_DATE,
        "A date that no calendar has: 2025-00-10, 2025-10-00, 2025-02-30.",
        "NULL.",
        "dates that no calendar has became NULL",
        "Which day was meant is not known.",
    ),
    Case(
        Misfit.INFINITY,
        "An infinite date, time or number.",
        "NULL.",
        "infinite values became NULL",
        "A largest finite value would take part in comparisons and sums as if it were meant.",
    ),
    Case(
        Misfit.NAN,
        "A number that is NaN, not a number.",
        "NULL.",
        "NaN became NULL",
        "Both say that there is no number.",
    ),
    Case(
        Misfit.FRACTION,
        "A number or a time with more digits after the point than its column has.",
        "Numbers are rounded to the column's digits, halves away from zero, or to the nearest that a REAL holds; of times "
        "the further digits are dropped.",
        "numbers were rounded, and times cut, to the digits after the point that the column has",
        "So databases round decimals; a time that is rounded up might be the next day's.",
    ),
    Case(
        Misfit.OUT_OF_RANGE,
        "A number, or a date, before the least or after the greatest value that its column takes; a date of the year 0, "
        "which PostgreSQL does not have.",
        "NULL.",
        "values out of range became NULL",
        "The nearest value in range would be taken for a real one.",
    ),
    Case(
        Misfit.TOO_LONG,
        "A text, or bytes, longer than its column.",
        "The end is cut off, between characters.",
        "values that were too long were cut",
        "What fits is kept.",
    ),
)

CASES: Mapping[Misfit, Case] = MappingProxyType({case.misfit: case for case in _ROWS})
"""The cases, in the order in which they are looked for in a value."""

TYPES: Mapping[str, type[t.Type]] = MappingProxyType(
    {
        kind.__name__.lower(): kind
        for kind in (t.Integer, t.Decimal, t.Float, t.String, t.Binary, t.Date, t.Time, t.Timestamp, t.Interval, t.Json)
    }
)
"""The types of columns that a setting can name: what they are at the source."""


def entry(table: QName, column: str, misfit: Misfit, action: Action, rows: int) -> Loss:
    """The entry of the loss list about values of a table's column that were changed."""
    case = CASES[misfit]
    return Loss(f"TABLE:{table}", case.rule, case.entry, column, rows, action)


class Policies:
    """The settings of a job for its tables. Names are those of the source.

    :raises AmbiguousName: two names of a setting mean a table and its schema as well as a table and its column.
    """

    def __init__(self, settings: Sequence[PolicySetting], tables: Iterable[Table]) -> None:
        self._tables = tuple(tables)
        found = [(setting, frozenset(self._meant(setting))) for setting in settings]
        ranked = sorted(found, key=lambda one: _rank(one[0], one[1]))
        self._settings = [(setting, meant) for setting, meant in ranked if meant]
        none = "the job has no such table or column"
        self.unmatched = tuple(f"POLICY={setting}: {none}" for setting, meant in found if not meant)
        """Remarks about settings that mean nothing."""

    def of(self, table: Table, column: Column) -> dict[Misfit, Action]:
        """What is to be done about each case in a column; cases without a setting are refused."""
        places = _places(table, column)
        found: dict[Misfit, Action] = {}
        for setting, meant in self._settings:  # the more specific ones come later
            of_type = setting.type is None or isinstance(t.base_of(column.type), TYPES[setting.type])
            if of_type and meant & places:
                found[setting.case] = setting.action
        return found

    def _meant(self, setting: PolicySetting) -> list[Place]:
        """The tables and columns that a setting's names mean."""
        match setting.names:
            case (schema, name, column):
                return self._columns_meant((schema,), name, column)
            case (first, second):
                tables, columns = self._tables_meant((first,), second), self._columns_meant((), first, second)
                if tables and columns:
                    both = "a table with its schema, and a column with its table"
                    raise AmbiguousName(name=f"{first}.{second}", found=both, parameter="POLICY")
                return tables or columns
            case (name,):
                return self._tables_meant((), name)
            case _:
                return [()]

    def _tables_meant(self, schema: Sequence[str], name: str) -> list[Place]:
        return [(table.source.schema, table.source.name) for table in self._named(schema, name)]

    def _columns_meant(self, schema: Sequence[str], name: str, column: str) -> list[Place]:
        named = ((table, spelled(column, (c.source for c in table.columns))) for table in self._named(schema, name))
        return [(table.source.schema, table.source.name, found) for table, found in named if found is not None]

    def _named(self, schema: Sequence[str], name: str) -> list[Table]:
        tables = self._tables
        if schema:
            of = spelled(schema[0], (table.source.schema for table in tables))
            tables = tuple(table for table in tables if table.source.schema == of)
        found = spelled(name, (table.source.name for table in tables))
        return [table for table in tables if table.source.name == found]


Place = tuple[str, ...]
"""Where a setting holds: nothing (everywhere), a table with its schema, or these and a column."""


def _places(table: Table, column: Column) -> frozenset[Place]:
    of_table = (table.source.schema, table.source.name)
    return frozenset({(), of_table, (*of_table, column.source)})


def _rank(setting: PolicySetting, meant: frozenset[Place]) -> tuple[int, int, int]:
    """How specific a setting is: one for a column goes before one for a table, a type, and everything."""
    return max((len(place) for place in meant), default=0), setting.type is not None, len(setting.names)
