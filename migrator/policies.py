"""POLICY: what becomes of values that have no place at the target. The cases as data, and which setting holds where.

Without a setting every case is refused, so that nothing is lost; but for texts that are equal in another way, of which none
changes: they have entries of the loss list. ``docs/policies.md`` is written from :data:`CASES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from migrator.errors import AmbiguousName
from migrator.filters import spelled
from migrator.model import types as t
from migrator.model.catalog import Action, Loss, path_of, value_of
from migrator.model.misfits import BECOME_NULL, Misfit
from migrator.model.objects import Column, QName, Table
from migrator.spec import PolicySetting

ACTIONS: Mapping[Action, str] = MappingProxyType(
    {
        "refuse": "The table is not loaded: its load is taken back, and the log names the column and the value (ORA-31693). "
        "A table that TABLE_EXISTS_ACTION=TRUNCATE has emptied stays empty. "
        "With SKIP_CONSTRAINT_ERRORS the row goes to the reject file instead. Nothing is lost.",
        "convert": "The value is changed as the case says, and the loss list has an entry with the number of rows.",
        "warn": "As convert, and the entry counts as an error of the job, which ends with exit code 5.",
        "relax": "As convert, for the cases that become NULL. A column that is NOT NULL and can have such values is made "
        "without NOT NULL, which has an entry of its own (relaxed). A column of the primary key, an identity and one of a "
        "domain that is NOT NULL stay as they are: a setting that names one is refused before anything is made, others "
        "leave them out with a remark. So does a table that is there already. There, such a value is refused.",
    }
)
"""What can be done about a case, the default first; a value in single quotes is put instead of what is found."""

DEFAULT: Action = "refuse"

RELAX: Action = "relax"
RELAXED = "relaxed"
"""The rule of the entries about columns that are made without NOT NULL."""


OF_COLLATIONS = (
    *("collation", "collation-equality", "domain-collation", "key-equality", "key-collation", "index-collation"),
)
"""The rules of the entries about texts that are equal, or sort, in another way."""


def is_of_type(loss: Loss) -> bool:
    """Whether an entry is about a domain or another type, of which columns are."""
    return loss.object.startswith(("DOMAIN:", "TYPE:"))


@dataclass(frozen=True)
class Case:
    """One row: a kind of value, what ``convert`` makes of it, what the loss list says then, and the ``reason`` for that.

    ``those``: what the loss list calls such values, of which it says what they became.
    """

    misfit: Misfit
    meaning: str
    conversion: str
    those: str
    entry: str
    reason: str

    @property
    def rule(self) -> str:
        """The rule's identifier in the loss list."""
        return self.misfit.replace("_", "-")

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of all entries about it."""
        return OF_COLLATIONS if self.misfit is Misfit.COLLATION else (self.rule,)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The words of what can be done about it."""
        return tuple(action for action in ACTIONS if action != RELAX or self.misfit in BECOME_NULL)

    @property
    def takes_value(self) -> bool:
        """Whether a value of the user's own can be put instead."""
        return self.misfit is not Misfit.COLLATION


_ROWS = (
    Case(
        Misfit.INVALID_BYTES,
        "A text whose bytes are no text in its character set. With NETWORK_LINK only: an export refuses it.",
        "Each wrong byte becomes U+FFFD, the replacement character.",
        "texts with wrong bytes",
        "wrong bytes in texts became U+FFFD",
        "The rest of the text is certain; what the bytes stand for is not.",
    ),
    Case(
        Misfit.NUL_BYTE,
        "A text with the character NUL, which PostgreSQL cannot store; in its jsonb also the escape \\u0000.",
        "The characters NUL are removed.",
        "texts with NUL",
        "NUL characters were removed from texts",
        "They are most often padding; the other characters stay as they are.",
    ),
    Case(
        Misfit.ZERO_DATE,
        "MySQL's date 0000-00-00, with or without the time 00:00:00.",
        "NULL.",
        "zero dates",
        "zero dates became NULL",
        "MySQL's applications write it where others write NULL; no other date means that.",
    ),
    Case(
        Misfit.PARTIAL_DATE,
        "A date that no calendar has: 2025-00-10, 2025-10-00, 2025-02-30.",
        "NULL.",
        "dates that no calendar has",
        "dates that no calendar has became NULL",
        "Which day was meant is not known.",
    ),
    Case(
        Misfit.INFINITY,
        "An infinite date, time or number.",
        "NULL.",
        "infinite values",
        "infinite values became NULL",
        "A largest finite value would take part in comparisons and sums as if it were meant.",
    ),
    Case(
        Misfit.NAN,
        "A number that is NaN, not a number.",
        "NULL.",
        "NaN",
        "NaN became NULL",
        "Both say that there is no number.",
    ),
    Case(
        Misfit.FRACTION,
        "A number or a time with more digits after the point than its column has.",
        "Numbers are rounded to the column's digits, halves away from zero, or to the nearest that a REAL holds; of times "
        "the further digits are dropped.",
        "numbers and times with more digits after the point than the column has",
        "numbers were rounded, and times cut, to the digits after the point that the column has",
        "So databases round decimals; a time that is rounded up might be the next day's.",
    ),
    Case(
        Misfit.OUT_OF_RANGE,
        "A number, or a date, before the least or after the greatest value that its column takes; a date of the year 0, "
        "which PostgreSQL does not have.",
        "NULL.",
        "values out of range",
        "values out of range became NULL",
        "The nearest value in range would be taken for a real one.",
    ),
    Case(
        Misfit.TOO_LONG,
        "A text, or bytes, longer than its column.",
        "The end is cut off, between characters.",
        "values that were too long",
        "values that were too long were cut",
        "What fits is kept.",
    ),
    Case(
        Misfit.EMPTY_TEXT,
        "An empty text where Oracle is the target, which has none: it is NULL there.",
        "NULL.",
        "empty texts",
        "empty texts became NULL",
        "It is what Oracle makes of it.",
    ),
    Case(
        Misfit.COLLATION,
        "Texts that a column holds for equal, or sorts, in another way than at the source, in a key or at all.",
        "Nothing: the texts stay as they are. The entries about it are in the loss list, with or without the setting.",
        "texts",
        "texts compare in another way",
        "Each text is kept. That is why this case alone is not refused without a setting.",
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
    detail = case.entry if value_of(action) is None else f"{case.those} became {action}"
    return Loss(f"TABLE:{table}", case.rule, detail, column, rows, action)


@dataclass(frozen=True)
class Held:
    """The setting that holds of a case in a column; ``alone``: it names the column."""

    setting: PolicySetting
    alone: bool


class Policies:
    """The settings of a job for its tables. Names are those of the source.

    :raises AmbiguousName: two names of a setting mean a table and its schema as well as a table and its column.
    """

    def __init__(self, settings: Sequence[PolicySetting], tables: Iterable[Table]) -> None:
        self._tables = tuple(tables)
        self._by_path = {path_of(table): table for table in self._tables}
        found = [(setting, frozenset(self._meant(setting))) for setting in settings]
        ranked = sorted(found, key=lambda one: _rank(one[0], one[1]))
        self._settings = [(setting, meant) for setting, meant in ranked if meant]
        self.unmatched = tuple(setting for setting, meant in found if not meant)
        """The settings that mean nothing."""

    def alone(self) -> Iterator[tuple[PolicySetting, Table, Column]]:
        """The settings that name columns, each with its columns."""
        for setting, meant in self._settings:
            for table in self._tables:
                columns = (c for c in table.columns if (table.source.schema, table.source.name, c.source) in meant)
                yield from ((setting, table, column) for column in columns)

    def of_tables(self) -> Iterator[tuple[PolicySetting, Table]]:
        """The settings that name tables, each with its tables."""
        for setting, meant in self._settings:
            named = (table for table in self._tables if (table.source.schema, table.source.name) in meant)
            yield from ((setting, table) for table in named)

    def of(self, table: Table, column: Column) -> dict[Misfit, Action]:
        """What is to be done about each case in a column; cases without a setting are refused."""
        return {misfit: held.setting.action for misfit, held in self.held(table, column).items()}

    def held(self, table: Table, column: Column) -> dict[Misfit, Held]:
        """The settings that hold in a column."""
        places = _places(table, column)
        found: dict[Misfit, Held] = {}
        for setting, meant in self._settings:  # the more specific ones come later
            of_type = setting.type is None or isinstance(t.base_of(column.type), TYPES[setting.type])
            if of_type and meant & places:
                found[setting.case] = Held(setting, max(map(len, meant)) == _ALONE)
        return found

    def about(self, losses: Iterable[Loss]) -> tuple[Loss, ...]:
        """Entries, those about how texts compare with what is asked for in their columns."""
        return tuple(map(self._asked, losses))

    def _asked(self, loss: Loss) -> Loss:
        table = self._by_path.get(loss.object)
        if loss.rule not in OF_COLLATIONS or (table is None and not is_of_type(loss)):
            return loss
        columns = self._of_type(loss.object) if table is None else ((table, one) for one in _columns_of(loss, table))
        asked = {self.of(*column).get(Misfit.COLLATION) for column in columns}
        if not asked and table is None:
            asked = {setting.action for setting in self._settings_of_all() if setting.case is Misfit.COLLATION}
        action = next((action for action in _STRICTEST if action in asked), None)
        return loss if action is None else replace(loss, policy=action)

    def _of_type(self, path: str) -> Iterator[tuple[Table, Column]]:
        """The columns that are of a domain."""
        for table in self._tables:
            yield from ((table, column) for column in table.columns if path in _domains(column.type))

    def _settings_of_all(self) -> list[PolicySetting]:
        """The settings that hold of a text that is in no column, those for texts before those for all values."""
        wide = [setting for setting, meant in self._settings if meant == {()}]
        return [one for one in wide if one.type == "string"] or [one for one in wide if one.type is None]

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


_STRICTEST: tuple[Action, ...] = ("refuse", "warn", "convert")
"""What can be done about texts that compare in another way, the strictest first."""


def _columns_of(loss: Loss, table: Table) -> list[Column]:
    """The columns whose texts an entry is about: the one that it names, else those that compare as the table says."""
    if loss.column is not None:
        name = spelled(loss.column, (column.name for column in table.columns))
        return [column for column in table.columns if column.name == name]
    texts = [column for column in table.columns if isinstance(t.base_of(column.type), t.String | t.Enum | t.SetOf)]
    return [column for column in texts if column.collation is None or loss.rule != "collation"]


def _domains(type_: t.Type) -> Iterator[str]:
    """The paths of the domains that a type is of."""
    while isinstance(type_, t.Domain):
        yield f"DOMAIN:{QName(type_.schema, type_.name)}"
        type_ = type_.base


Place = tuple[str, ...]
"""Where a setting holds: nothing (everywhere), a table with its schema, or these and a column."""
_ALONE = 3
"""How long the place of a column is."""


def _places(table: Table, column: Column) -> frozenset[Place]:
    of_table = (table.source.schema, table.source.name)
    return frozenset({(), of_table, (*of_table, column.source)})


def _rank(setting: PolicySetting, meant: frozenset[Place]) -> tuple[int, int, int]:
    """How specific a setting is: one for a column goes before one for a table, a type, and everything."""
    return max((len(place) for place in meant), default=0), setting.type is not None, len(setting.names)
