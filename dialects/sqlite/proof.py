"""Proof by data: SQLite's declarations bind no value, so the rows decide which neutral type carries a column exactly.

One scan per table counts, column by column, the values that the declared type would not carry (each neutral type has one
SQL predicate for that), and takes the few measures that size a type. A column with such values is then looked at by storage
class and gets the type of what is really there, with an entry in the loss list. A column whose values have no common type
keeps its declared one: reading it raises, naming the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from migrator.model import types as t

from .names import quote
from .types import EXACT_DIGITS, Affinity, affinity

EXACT_INTEGER = 1 << 53
"""All whole numbers up to this one are exact as a 64-bit float; of greater ones some are."""

NOT_TEXT = "({c} < '' OR {c} >= x'')"
NOT_BLOB = "{c} < x''"
NOT_INTEGER = "typeof({c}) NOT IN ('integer', 'null')"
_NO_REAL = "(typeof({c}) <> 'integer' OR CAST({c} AS REAL) <> {c})"  # SQLite keeps 1e17 as an integer in a NUMERIC column
NOT_FLOAT = f"({{c}} NOT BETWEEN -{EXACT_INTEGER} AND {EXACT_INTEGER} AND typeof({{c}}) <> 'real' AND {_NO_REAL})"
"""Storage classes sort numbers, then text, then blobs; comparing is cheaper than asking for the class of each value."""

_IN_SMALLEST = "{c} * 4611686018427387904 * 4611686018427387904 * 33554432"  # times 2 ** 149: SQLite reads 7e44 inexactly
NOT_SINGLE = (
    "CASE WHEN abs({c}) >= 1.1754943508222875e-38"
    " THEN {c} * 536870913 - ({c} * 536870913 - {c}) <> {c} OR (abs({c}) > 3.4028235e38 AND abs({c}) < 9e999)"
    f" ELSE CAST({_IN_SMALLEST} AS INTEGER) <> {_IN_SMALLEST} END"
)
"""Numbers that 32 bits do not hold: more than 24 binary digits (Veltkamp's splitting); below the least normal number, no
multiple of the smallest. Infinities are held."""

_FRACTION = "({rest} <> '' AND ({rest} NOT GLOB '.[0-9]*' OR substr({rest}, 2) GLOB '*[^0-9]*' OR length({rest}) > 7))"
_COMPUTED = "'+0 days'"  # without a modifier, SQLite gives back 2023-02-29 and 24:00:00 as they came
_HEX = "[0-9a-f]"
UUID = "-".join(_HEX * width for width in (8, 4, 4, 4, 12))
"""A UUID of 36 characters in small letters, as a pattern of GLOB: SQLite has no regular expressions."""


def _fraction(column: str, start: int, zone: int = 0) -> str:
    """The predicate for a wrong fraction of a second, from ``start`` to an offset of ``zone`` characters."""
    rest = f"substr({column}, {start})" if not zone else f"substr({column}, {start}, length({column}) - {start - 1 + zone})"
    return _FRACTION.format(rest=rest)


def _integer(type_: t.Integer) -> str:
    low, high = (0, (1 << type_.bits) - 1) if type_.unsigned else (-1 << (type_.bits - 1), (1 << (type_.bits - 1)) - 1)
    if type_.bits == 64:
        return NOT_INTEGER if not type_.unsigned else f"({NOT_INTEGER} OR {{c}} < 0)"
    return f"({{c}} NOT BETWEEN {low} AND {high} OR typeof({{c}}) = 'real')"


def _decimal(type_: t.Decimal) -> str:
    assert type_.precision is not None
    scale = type_.scale or 0
    limit = 10 ** (type_.precision - scale)
    if scale == 0:
        return f"({NOT_INTEGER} OR {{c}} NOT BETWEEN {1 - limit} AND {limit - 1})" if limit < 1 << 63 else NOT_INTEGER
    beyond = f"{{c}} <= {-limit} OR {{c}} >= {limit}"
    if type_.precision > EXACT_DIGITS:
        return f"({{c}} <> round({{c}}, {scale}) OR {beyond} OR CAST(printf('%.{EXACT_DIGITS}g', {{c}}) AS REAL) <> {{c}})"
    unit = f"1{'0' * scale}.0"
    units = f"CAST({{c}} * {unit} + CASE WHEN {{c}} < 0 THEN -0.5 ELSE 0.5 END AS INTEGER)"
    return f"({beyond} OR {{c}} <> {units} / {unit})"  # the number nearest to that decimal; round() takes four times as long


def _timestamp(type_: t.Timestamp) -> str:
    seconds = "substr({c}, 1, 19)"
    wrong = f"datetime({seconds}, {_COMPUTED}) IS NOT replace({seconds}, 'T', ' ')"
    if not type_.zoned:
        return f"({{c}} IS NOT NULL AND ({wrong} OR {_fraction('{c}', 20)}))"
    zone = "{c} NOT GLOB '*[-+][0-9][0-9]:[0-9][0-9]'"
    return f"({{c}} IS NOT NULL AND ({wrong} OR {zone} OR {_fraction('{c}', 20, 6)}))"


def _time(type_: t.Time) -> str:
    if type_.zoned:
        return _zoned_time()
    wrong = f"time(substr({{c}}, 1, 8), {_COMPUTED}) IS NOT substr({{c}}, 1, 8) OR {_fraction('{c}', 9)}"
    return f"({{c}} IS NOT NULL AND ({wrong}))"


def _zoned_time() -> str:
    """The predicate for what is no time of day with an offset, as PostgreSQL has them: 24:00:00 is one, +16 is no offset."""
    clock, sign = "substr({c}, 1, 8)", "instr(replace(substr({c}, 9), '-', '+'), '+')"
    rest = f"substr({{c}}, 9, {sign} - 1)"
    wrong = f"(time({clock}, {_COMPUTED}) IS NOT {clock} AND ({clock} <> '24:00:00' OR trim({rest}, '.0') <> ''))"
    offsets = (":".join(["[-+][01][0-9]", *["[0-5][0-9]"] * parts]) for parts in range(3))
    no_offset = " AND ".join(f"substr({{c}}, 8 + {sign}) NOT GLOB '{offset}'" for offset in offsets)
    too_far = f"substr({{c}}, 9 + {sign}, 2) > '15'"
    return f"({{c}} IS NOT NULL AND ({wrong} OR {sign} = 0 OR ({no_offset}) OR {too_far} OR {_FRACTION.format(rest=rest)}))"


def _string(type_: t.String) -> str:
    return NOT_TEXT if type_.length is None else f"({NOT_TEXT} OR length({{c}}) > {type_.length})"


def _binary(type_: t.Binary) -> str:
    if type_.length is None:
        return NOT_BLOB
    return f"({NOT_BLOB} OR length({{c}}) {'<>' if type_.fixed else '>'} {type_.length})"


def _bit(type_: t.Bit) -> str:
    wrong = f"{NOT_TEXT} OR {{c}} GLOB '*[^01]*'"
    if type_.length is None:
        return f"({wrong})"
    return f"({wrong} OR length({{c}}) {'>' if type_.varying else '<>'} {type_.length})"


@dataclass(frozen=True)
class Uncarried:
    """One row: a SQL predicate over ``{c}`` that is true for values which the type does not carry exactly."""

    type: type[t.Type]
    sql: str | Callable[[Any], str]
    when: Callable[[Any, Affinity], bool] | None = None

    def matches(self, type_: t.Type, held: Affinity) -> bool:
        """Whether this row is about a column of ``type_`` and that affinity."""
        return isinstance(type_, self.type) and (self.when is None or self.when(type_, held))


UNCARRIED = (
    Uncarried(t.Boolean, "({c} NOT IN (0, 1))"),
    Uncarried(t.Integer, _integer),
    Uncarried(t.Decimal, NOT_TEXT, lambda _, held: held == "TEXT"),
    Uncarried(t.Decimal, _decimal),
    Uncarried(t.Float, f"({NOT_FLOAT} OR {NOT_SINGLE})", lambda f, _: f.bits == 32),
    Uncarried(t.Float, NOT_FLOAT),
    Uncarried(t.Binary, _binary),
    Uncarried(t.Date, f"(date({{c}}, {_COMPUTED}) IS NOT {{c}})"),
    Uncarried(t.Time, _time),
    Uncarried(t.Timestamp, _timestamp),
    Uncarried(t.Year, f"({NOT_INTEGER} OR {{c}} NOT BETWEEN 1901 AND 2155 AND {{c}} <> 0)"),
    Uncarried(t.Json, f"({NOT_TEXT} OR {{c}} IS NOT NULL AND NOT json_valid({{c}}))"),  # of NULL it is 0 before SQLite 3.45
    Uncarried(t.Uuid, f"({NOT_TEXT} OR {{c}} NOT GLOB '{UUID}')"),
    Uncarried(t.String, _string),
    Uncarried(t.Bit, _bit),
    Uncarried(t.Type, NOT_TEXT),
)


def uncarried(type_: t.Type, held: Affinity) -> str:
    """The predicate over ``{c}`` for values that ``type_`` does not carry, in a column of affinity ``held``."""
    rule = next(rule for rule in UNCARRIED if rule.matches(type_, held))
    return rule.sql(type_) if callable(rule.sql) else rule.sql


# --- measures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What a scan asks: the ``sql`` of an aggregate of the column ``{c}``; ``whole``: what makes one answer of two."""

    sql: str
    whole: Callable[[Sequence[Any]], Any] = sum

    def of(self, answers: Sequence[Any]) -> Any:
        """The answer about all rows; None: there was nothing to measure."""
        given = [answer for answer in answers if answer is not None]
        return self.whole(given) if given else None


_ROWS, _NO_NULLS, _NULLS = Question("count(*)"), Question("0"), Question("count(*) - count({c})")
_LONGEST, _SHORTEST, _NO_LENGTH = Question("max(length({c}))", max), Question("min(length({c}))", min), Question("NULL")
_WITH_T, _NO_T = Question("coalesce(sum(substr({c}, 11, 1) = 'T'), 0)"), Question("0")


@dataclass(frozen=True)
class Declared:
    """A column as declared: its name, its type in SQLite's words, what that means, and whether it is part of the key."""

    name: str
    native: str
    type: t.Type
    key: bool

    @property
    def affinity(self) -> Affinity:
        """The affinity of its declaration."""
        return affinity(self.native)

    @property
    def measures(self) -> tuple[Question, Question, Question]:
        """What sizes its type and tells how times are written: longest and shortest text, how many have a T in them."""
        if isinstance(self.type, t.Timestamp | t.Time):
            return _LONGEST, _SHORTEST, _WITH_T if isinstance(self.type, t.Timestamp) else _NO_T
        return _NO_LENGTH, _NO_LENGTH, _NO_T


@dataclass(frozen=True)
class Proved:
    """What the rows say about one column: the type that carries it, NULLs in a key, and a loss (rule, detail, rows)."""

    type: t.Type
    nulls: int = 0
    loss: tuple[str, str, int | None] | None = None


RunQuery = Callable[[str], Sequence[Any]]
"""Runs a query of one row."""

Scan = Callable[[str], Sequence[Any]]
"""Answers a list of aggregates about a part of a table's rows."""

Apart = Callable[[str], AbstractContextManager[Callable[[], Sequence[Any]]]]
"""Begins to answer a list of aggregates about the other rows; what its context has waits for the answer."""

_COLUMNS_A_SCAN = 300  # SQLite's result rows have at most 2000 columns


def prove(
    run: RunQuery, table: str, columns: Sequence[Declared], scan: Scan, apart: Apart | None
) -> tuple[int, list[Proved]]:
    """How many rows ``table`` has, and what they say about each column. ``scan`` is of all its rows, or of those that
    ``apart`` leaves out, and the two run at once."""
    proved: list[Proved] = []
    rows = 0
    for start in range(0, len(columns), _COLUMNS_A_SCAN):
        part = columns[start : start + _COLUMNS_A_SCAN]
        answers = iter(_answers(scan, apart, [(_ROWS, ""), *_questions(part)]))
        rows = next(answers)
        for column in part:
            nulls, wrong, *sizes = islice(answers, 5)
            if wrong:
                proved.append(_by_storage(run, table, column, nulls, wrong))
            else:
                proved.append(_as_declared(column, nulls, *sizes))
    return rows, proved


def _answers(scan: Scan, apart: Apart | None, asked: Sequence[tuple[Question, str]]) -> list[Any]:
    listed = ", ".join(question.sql.format(c=name) for question, name in asked)
    if apart is None:
        found = [scan(listed)]
    else:
        with apart(listed) as rest:
            found = [scan(listed), rest()]
    return [question.of(answers) for (question, _), *answers in zip(asked, *found, strict=True)]


def _questions(columns: Sequence[Declared]) -> list[tuple[Question, str]]:
    asked = []
    for column in columns:
        wrong = Question(f"coalesce(sum({uncarried(column.type, column.affinity)}), 0)")
        of_column = (_NULLS if column.key else _NO_NULLS, wrong, *column.measures)
        asked += [(question, quote(column.name)) for question in of_column]
    return asked


def _as_declared(column: Declared, nulls: int, longest: int | None, shortest: int | None, with_t: int) -> Proved:
    """What is proved of a column whose values are all of the declared type."""
    match column.type:
        case t.Timestamp(zoned=zoned) if longest is not None:
            type_ = replace(column.type, precision=max(0, longest - 20 - (6 if zoned else 0)))
            if not with_t and longest == shortest:
                return Proved(type_, nulls)
            detail = "timestamps keep the instant, not its spelling (a T before the time, fewer digits of a second)"
            return Proved(type_, nulls, ("timestamp-spelling", detail, with_t or None))
        case t.Time(zoned=False) if longest is not None:
            return Proved(replace(column.type, precision=max(0, longest - 9)), nulls)
        case _:
            return Proved(column.type, nulls)


# --- columns whose values are not what was declared -----------------------------------------------------------------


@dataclass(frozen=True)
class Storage:
    """How many values of each storage class a column holds, and their extremes."""

    integers: int
    reals: int
    texts: int
    blobs: int
    low: int | None
    high: int | None
    large: int
    longest: int | None
    longest_blob: int | None
    dates: int
    timestamps: int

    @property
    def classes(self) -> set[str]:
        """The storage classes that occur."""
        counted = {"integer": self.integers, "real": self.reals, "text": self.texts, "blob": self.blobs}
        return {name for name, count in counted.items() if count}


def _storage(run: RunQuery, table: str, column: Declared) -> Storage:
    name = quote(column.name)
    kind = f"typeof({name})"
    when = f"CASE WHEN {kind} = '{{}}' THEN {{}} END"
    asked = [f"coalesce(sum({kind} = '{word}'), 0)" for word in ("integer", "real", "text", "blob")]
    asked += [
        f"min({when.format('integer', name)})",
        f"max({when.format('integer', name)})",
        f"coalesce(sum({NOT_FLOAT.format(c=name)} AND {kind} = 'integer'), 0)",
        f"max({when.format('text', f'length({name})')})",
        f"max({when.format('blob', f'length({name})')})",
        f"coalesce(sum({kind} = 'text' AND NOT {uncarried(t.Date(), 'TEXT').format(c=name)}), 0)",
        f"coalesce(sum({kind} = 'text' AND NOT {uncarried(t.Timestamp(), 'TEXT').format(c=name)}), 0)",
    ]
    return Storage(*run(f"SELECT {', '.join(asked)} FROM {quote(table)}"))


def _by_storage(run: RunQuery, table: str, column: Declared, nulls: int, wrong: int) -> Proved:
    held = _storage(run, table, column)
    declared = f"declared {column.native}" if column.native else "declared without a type"
    for rule in FALLBACKS:
        if rule.when(held, column):
            type_ = rule.type(held, column)
            detail = f"{declared}, but {rule.found}: carried as {type_}"
            return Proved(type_, nulls, (rule.rule, detail, wrong))
    classes = ", ".join(sorted(held.classes))
    detail = f"{declared}, but holds {classes}: reading it will stop at the first value that does not fit"
    return Proved(column.type, nulls, ("mixed-storage", detail, wrong))


@dataclass(frozen=True)
class Fallback:
    """One row: when a column holds just this, that type carries it. ``found`` says what was found, for the loss list."""

    rule: str
    found: str
    when: Callable[[Storage, Declared], bool]
    type: Callable[[Storage, Declared], t.Type]


def _wider(held: Storage, column: Declared) -> t.Type:
    assert held.low is not None
    assert held.high is not None
    unsigned = isinstance(column.type, t.Integer) and column.type.unsigned and held.low >= 0
    for bits in (8, 16, 24, 32):
        low, high = t.Integer(bits, unsigned).bounds
        declared = column.type.bits if isinstance(column.type, t.Integer) else 64
        if bits >= declared and low <= held.low and held.high <= high:
            return t.Integer(bits, unsigned)
    return t.Integer(64, unsigned)


def _dated(column: Declared) -> bool:
    return isinstance(column.type, t.Date | t.Time | t.Timestamp)


FALLBACKS = (
    Fallback("integers", "all values are whole numbers", lambda s, _: s.classes == {"integer"}, _wider),
    Fallback(
        "floats",
        "values are floating-point numbers",
        lambda s, _: s.classes <= {"integer", "real"} and not s.large,
        lambda _s, _c: t.Float(),
    ),
    Fallback(
        "dates",
        "all values are dates",
        lambda s, c: s.classes == {"text"} and s.dates == s.texts and _dated(c),
        lambda _s, _c: t.Date(),
    ),
    Fallback(
        "timestamps",
        "all values are timestamps",
        lambda s, c: s.classes == {"text"} and s.timestamps == s.texts and _dated(c),
        lambda s, _: t.Timestamp(max(0, (s.longest or 0) - 20)),
    ),
    Fallback(
        "longer-text",
        "values are longer",
        lambda s, c: s.classes == {"text"} and isinstance(c.type, t.String) and c.type.length is not None,
        lambda s, _: t.String(s.longest),
    ),
    Fallback("texts", "all values are text", lambda s, _: s.classes == {"text"}, lambda _s, _c: t.String()),
    Fallback(
        "dates-as-text",
        "texts and whole numbers are mixed",
        lambda s, c: s.classes == {"text", "integer"} and _dated(c) and c.affinity == "NUMERIC",
        lambda _s, _c: t.String(),
    ),
    Fallback("blobs", "all values are blobs", lambda s, _: s.classes == {"blob"}, lambda _s, _c: t.Binary()),
)
"""What carries a column whose declared type does not; the first row that holds is taken."""
