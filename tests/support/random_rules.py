"""Random rules: small tables of keys, collations, checks, defaults, generated columns and references, and rows to try them.

A row that is tried is one that rules are about: texts that differ in case, accents or blanks only, numbers at bounds, NULLs.
Every table has a column ``n`` without any rule, by which its rows are named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.support.random_schemas import SPELLINGS

# --- what is drawn --------------------------------------------------------------------------------------------------

Value = int | str | None
"""What a column gets: a number, a text (of a date and of a decimal too), NULL."""


@dataclass(frozen=True)
class RuledColumn:
    """A column. ``kind``: what its values are drawn from; ``default``, ``generated``: SQL; ``identity``: a clause."""

    name: str
    kind: str
    declaration: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    identity: str = ""


@dataclass(frozen=True)
class Reference:
    """A foreign key; ``clauses``: its actions and when it is looked at."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    clauses: str = ""


@dataclass(frozen=True)
class Insert:
    """A row; columns that it does not name get their defaults."""

    row: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Update:
    """A column of the row ``n`` gets another value."""

    n: int
    column: str
    value: Value


@dataclass(frozen=True)
class Delete:
    """The row ``n`` goes."""

    n: int


Trial = Insert | Update | Delete


@dataclass(frozen=True)
class RuledTable:
    """A table: its rules as SQL of its database, the rows it begins with (as far as they are let in), and what is tried.

    ``items``: constraints as they stand in CREATE TABLE.
    """

    name: str
    columns: tuple[RuledColumn, ...]
    primary: tuple[str, ...] = ()
    uniques: tuple[tuple[str, tuple[str, ...]], ...] = ()
    items: tuple[str, ...] = ()
    checks: tuple[tuple[str, str], ...] = ()
    indexes: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    options: str = ""
    rows: tuple[Insert, ...] = ()
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True)
class Rules:
    """A schema of one database."""

    database: str
    tables: tuple[RuledTable, ...] = field(default=())

    def made(self) -> Iterator[str]:
        """What makes the tables; what the database refuses of it is left out."""
        for table in self.tables:
            yield self._table(table)
            yield from (index.replace("{table}", self._q(table.name), 1) for index in table.indexes)
        if self.database != "sqlite":
            for table in self.tables:
                yield from (
                    f"ALTER TABLE {self._q(table.name)} ADD {_reference(self._q, each)}" for each in table.references
                )

    def filled(self) -> Iterator[str]:
        """What fills the tables; what the database refuses of it is left out."""
        for table in self.tables:
            for n, row in enumerate(table.rows, 1):
                yield self.sql(table, row, n)

    def sql(self, table: RuledTable, trial: Trial, n: int = 1000, *, database: str = "") -> str:
        """A trial as a statement of a database (the schema's own, where none is named)."""
        spoken = database or self.database
        quoted = SPELLINGS[spoken].name
        match trial:
            case Insert(row):
                columns = ", ".join(quoted(name) for name in ("n", *(name for name, _ in row)))
                values = ", ".join((str(n), *(literal(spoken, value) for _, value in row)))
                return f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({values})"
            case Update(where, column, value):
                return f"UPDATE {quoted(table.name)} SET {quoted(column)} = {literal(spoken, value)} WHERE n = {where}"
            case Delete(where):
                return f"DELETE FROM {quoted(table.name)} WHERE n = {where}"

    def _q(self, name: str) -> str:
        return SPELLINGS[self.database].name(name)

    def _table(self, table: RuledTable) -> str:
        items = [f"n {SPELLINGS[self.database].integer}", *(_column(self._q, self.database, c) for c in table.columns)]
        if table.primary:
            items.append(f"PRIMARY KEY ({', '.join(map(self._q, table.primary))})")
        items += [f"{_named(self._q, name)}UNIQUE ({', '.join(map(self._q, key))})" for name, key in table.uniques]
        items += table.items
        items += [f"{_named(self._q, name)}CHECK ({check})" for name, check in table.checks]
        if self.database == "sqlite":
            items += [_reference(self._q, each) for each in table.references]
        return f"CREATE TABLE {self._q(table.name)} ({', '.join(items)}){table.options}"


def literal(database: str, value: Value) -> str:
    """A value as an expression of a database."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return f"_utf8mb4 x'{value.encode().hex()}'" if database == "mysql" else "'" + value.replace("'", "''") + "'"


def _named(quoted: Any, name: str) -> str:
    return f"CONSTRAINT {quoted(name)} " if name else ""


def _reference(quoted: Any, each: Reference) -> str:
    columns, referred = (", ".join(map(quoted, names)) for names in (each.columns, each.referred))
    return f"FOREIGN KEY ({columns}) REFERENCES {quoted(each.table)} ({referred}){each.clauses}"


def _column(quoted: Any, database: str, column: RuledColumn) -> str:
    parts = [quoted(column.name), column.declaration]
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    parts += ["NOT NULL"] if not column.nullable else []
    return " ".join((*parts, *filter(None, (column.identity,))))


# --- what it is drawn from ------------------------------------------------------------------------------------------

INTEGERS, TEXTS, DECIMALS, DAYS = "integer", "text", "decimal", "day"

VALUES: Mapping[str, tuple[Value, ...]] = {
    INTEGERS: (0, 1, 2, 3, -1, 7, 10, -7, 32767, -32768),
    TEXTS: (
        *("a", "A", "á", "b", "B", "ab", "aB", "a ", " a", "", " ", "ss", "ß", "i", "I", "ı", "é", "e\u0301", "æ", "ae"),
        *("a%", "a_b", "%", "_", "\\", "a\\", "o'k", '"', "10", "9", "1", "x:y", "NULL", "z", "Z", "abc", "ABC", "0"),
    ),
    DECIMALS: ("0", "0.50", "-0.50", "1", "1.01", "99999999.99", "-99999999.99", "2.5", "3.5", "10"),
    DAYS: ("2020-01-01", "1999-12-31", "2024-02-29", "0001-01-01", "9999-12-31", "2020-01-02"),
}

_TYPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "postgresql": {
        INTEGERS: ("integer", "bigint", "smallint"),
        TEXTS: ("text", "character varying(9)", "character(4)"),
        DECIMALS: ("numeric(10,2)", "numeric"),
        DAYS: ("date",),
    },
    "mysql": {
        INTEGERS: ("int", "bigint", "smallint"),
        TEXTS: ("varchar(9)", "char(4)"),
        DECIMALS: ("decimal(10,2)",),
        DAYS: ("date",),
    },
    "sqlite": {
        INTEGERS: ("INT", "BIGINT", "SMALLINT"),
        TEXTS: ("TEXT", "VARCHAR(9)", "CHAR(4)"),
        DECIMALS: ("DECIMAL(10,2)",),
        DAYS: ("DATE",),
    },
}

COLLATIONS: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("", "", "C", "POSIX"),
    "mysql": (
        *("", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_unicode_nopad_ci"),
        *("latin1_swedish_ci", "latin1_general_cs", "utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_ai_cs", "ascii_general_ci"),
    ),
    "sqlite": ("", "NOCASE", "RTRIM", "BINARY"),
}

SETUP: Mapping[str, tuple[str, ...]] = {
    "postgresql": (),
    "mysql": ("SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",),
    "sqlite": ("PRAGMA foreign_keys = ON",),
}
"""What is run first, on a plain connection to a database of each kind."""

NAMES = (
    *("order", "select", "user", "key", "group", "values", "check", "a", "B", "Mixed Case", 'quo"te', "quo'te", "back`tick"),
    *("per%cent", "per%scent", ":colon", "quest?ion", "dot.ted", "back\\slash", "ünï", "日本語", "42", "rowid", "oid"),
    *("l" * 63, "é" * 31, "end", "table", "index", "default", "desc", "limit", "current_date", "rank", "lateral", "x-y"),
)
"""Names that a database takes for something else; those of 63 bytes fit everywhere."""

_names = st.sampled_from(NAMES)

_OPERATORS = ("<", "<=", ">", ">=", "=", "<>")


def _collated(database: str, declaration: str, collation: str) -> str:
    if not collation:
        return declaration
    mark = '"' if database == "postgresql" else ""
    character_set = f" CHARACTER SET {collation.split('_')[0]}" if database == "mysql" else ""
    return f"{declaration}{character_set} COLLATE {mark}{collation}{mark}"


@st.composite
def _columns(draw: st.DrawFn, database: str, name: str, kinds: Sequence[str]) -> RuledColumn:
    kind = draw(st.sampled_from(kinds))
    declaration = draw(st.sampled_from(_TYPES[database][kind]))
    if kind == TEXTS:
        declaration = _collated(database, declaration, draw(st.sampled_from(COLLATIONS[database])))
    return RuledColumn(name, kind, declaration, nullable=draw(st.sampled_from((True, True, False))))


def value(kind: str) -> st.SearchStrategy[Value]:
    """A value of a kind of column, or NULL; most often one of the first, so that rows meet."""
    few = VALUES[kind][: 8 if kind == TEXTS else 3]
    return st.sampled_from((*few, *few, *few, *VALUES[kind], None))


# --- expressions ----------------------------------------------------------------------------------------------------


def _constant(draw: st.DrawFn, database: str, kind: str) -> str:
    chosen = draw(st.sampled_from(VALUES[kind]))
    if kind == DECIMALS:
        return str(chosen)
    if kind == TEXTS:
        return SPELLINGS[database].text(str(chosen))
    return f"DATE '{chosen}'" if kind == DAYS and database != "sqlite" else f"'{chosen}'" if kind == DAYS else str(chosen)


@st.composite
def _terms(draw: st.DrawFn, database: str, columns: Sequence[RuledColumn], kind: str, depth: int = 1) -> str:
    """An expression of a kind over columns."""
    quoted = SPELLINGS[database].name
    usable = [quoted(column.name) for column in columns if column.kind == kind]
    if not usable or draw(st.integers(0, 3)) == 0:
        return _constant(draw, database, kind)
    column = draw(st.sampled_from(usable))
    if depth == 0 or draw(st.booleans()):
        return column
    inner = lambda: draw(_terms(database, columns, kind, depth - 1))  # noqa: E731
    if kind in {INTEGERS, DECIMALS}:
        forms = ["{0} + {1}", "{0} - {1}", "{0} * {1}", "-{0}", "abs({0})", "coalesce({0}, {1})", "nullif({0}, {1})"]
        forms += ["CASE WHEN {0} > {1} THEN {0} ELSE {1} END", "({0} + {1}) * 2", "{0} - ({1} - 1)"]
        forms += ["{0} / 2", "{0} % 3"] if kind == INTEGERS else ["{0} / 4", "round({0}, 1)"]
        forms += ["{0} & 3", "{0} | 4"] if kind == INTEGERS else []
        if database == "mysql" and kind == INTEGERS:
            forms += ["{0} DIV 2", "mod({0}, 3)", "greatest({0}, {1})", "ifnull({0}, {1})", "{0} ^ {1}", "sign({0})"]
        if database == "postgresql" and kind == INTEGERS:
            forms += ["greatest({0}, {1})", "least({0}, {1})", "mod({0}, 3)", "({0})::bigint * 2"]
        if database == "sqlite" and kind == INTEGERS:
            forms += ["max({0}, {1})", "min({0}, {1})", "ifnull({0}, {1})", "CAST({0} AS TEXT) + 1"]
        return "(" + draw(st.sampled_from(forms)).format(column, inner()) + ")"
    if kind == TEXTS:
        forms = ["upper({0})", "lower({0})", "trim({0})", "coalesce({0}, {1})", "replace({0}, 'a', 'b')", "substr({0}, 2)"]
        forms += ["substr({0}, 1, 2)", "ltrim({0})", "rtrim({0})"]
        forms += ["concat({0}, {1})", "left({0}, 1)"] if database != "sqlite" else ["{0} || {1}"]
        forms += ["{0} || {1}"] if database == "postgresql" else []
        return "(" + draw(st.sampled_from(forms)).format(column, inner()) + ")"
    return column


@st.composite
def conditions(draw: st.DrawFn, database: str, columns: Sequence[RuledColumn], depth: int = 2) -> str:
    """A condition over columns."""
    if depth and draw(st.integers(0, 2)) == 0:
        left, right = (draw(conditions(database, columns, depth - 1)) for _ in range(2))
        return draw(st.sampled_from(("({0}) AND ({1})", "({0}) OR ({1})", "NOT ({0})", "({0}) OR NULL"))).format(left, right)
    kind = draw(st.sampled_from([column.kind for column in columns]))
    term = draw(_terms(database, columns, kind))
    others = [draw(_terms(database, columns, kind, 0)) for _ in range(2)]
    forms = [f"{{0}} {operator} {{1}}" for operator in _OPERATORS]
    forms += ["{0} IN ({1}, {2})", "{0} NOT IN ({1}, {2})", "{0} BETWEEN {1} AND {2}", "{0} NOT BETWEEN {1} AND {2}"]
    forms += ["{0} IS NULL", "{0} IS NOT NULL", "{0} IN ({1}, NULL)", "coalesce({0}, {1}) = {2}"]
    forms += ["CASE WHEN {0} = {1} THEN 1 ELSE 0 END = 1"]
    forms += {
        "postgresql": ["{0} IS NOT DISTINCT FROM {1}", "({0} = {1}) IS NOT TRUE"],
        "mysql": ["{0} <=> {1}", "({0} = {1}) IS NOT TRUE", "{0} = {1} XOR {0} = {2}"],
        "sqlite": ["{0} IS {1}", "{0} IS NOT {1}", "{0} == {1}"],
    }[database]
    if kind == TEXTS:
        length = "char_length" if database != "sqlite" else "length"
        forms += ["{0} LIKE 'a%'", "{0} NOT LIKE '%b'", "{0} LIKE '_'", "{0} LIKE {1}", "{0} LIKE 'a!_%' ESCAPE '!'"]
        forms += [f"{length}({{0}}) < 3", f"{length}({{0}}) > 0", "upper({0}) = {0}"]
        forms += ["{0} ~ '^a'", "{0} ILIKE 'A%'", "{0} SIMILAR TO 'a%'"] if database == "postgresql" else []
        forms += ["{0} REGEXP '^a'", "{0} LIKE 'a\\\\_%'", "locate('a', {0}) > 0"] if database == "mysql" else []
        forms += ["{0} GLOB 'a*'", "instr({0}, 'a') > 0", "{0} = {1} COLLATE NOCASE"] if database == "sqlite" else []
    if kind == INTEGERS and database != "postgresql":
        forms += ["{0}", "NOT {0}", "{0} = {1} > 0", "{0} > {1} = {2}", "{0} = '1'"]
    return draw(st.sampled_from(forms)).format(term, *others)


def _default(draw: st.DrawFn, database: str, column: RuledColumn) -> str | None:
    if draw(st.integers(0, 2)):
        return None
    if column.kind == TEXTS:
        spelled = _constant(draw, database, TEXTS)
        if draw(st.booleans()):
            return spelled
        return {"mysql": f"(concat({spelled}, 'x'))", "sqlite": f"({spelled} || 'x')"}.get(database, f"{spelled} || 'x'")
    if column.kind == DAYS:
        now = {"mysql": "(curdate())"}.get(database, "CURRENT_DATE")
        return draw(st.sampled_from((f"'{draw(st.sampled_from(VALUES[DAYS]))}'", now)))
    constant = _constant(draw, database, column.kind)
    forms = ("{0}", "{0}", "({0} + 1)", "(7 / 2)", "({0} * 2)", "NULL", "(abs(-3))", "(- 5)", "'1'")
    return draw(st.sampled_from(forms)).format(constant)


# --- tables ---------------------------------------------------------------------------------------------------------


@st.composite
def _tables(draw: st.DrawFn, database: str, name: str, number: int) -> RuledTable:
    count = draw(st.integers(1, 3))
    spelled = draw(st.lists(_names, min_size=count, max_size=count, unique_by=lambda n: n.casefold()))
    kinds = (INTEGERS, TEXTS, TEXTS, DECIMALS, DAYS)
    columns = [draw(_columns(database, each, kinds)) for each in spelled]
    columns = [replace(column, default=_default(draw, database, column)) for column in columns]
    table = RuledTable(name, tuple(columns))
    keyable = tuple(column.name for column in columns)
    subset = st.lists(st.sampled_from(keyable), min_size=1, max_size=2, unique=True).map(tuple)
    labels = st.just("") | st.sampled_from(NAMES).map(lambda n: (n if database == "mysql" else f"{number}{n}")[:60])
    rule = draw(st.sampled_from(("key", "unique", "check", "generated", "index", "identity", "two checks")))
    if rule == "key" or draw(st.integers(0, 3)) == 0:
        table = replace(table, primary=draw(subset))
    if rule == "unique" and database == "sqlite" and draw(st.booleans()):
        kind, collation = draw(st.sampled_from(("UNIQUE", "PRIMARY KEY"))), draw(st.sampled_from(COLLATIONS["sqlite"][1:]))
        table = replace(table, primary=(), items=(f"{kind} ({SPELLINGS[database].name(keyable[0])} COLLATE {collation})",))
    elif rule == "unique":
        table = replace(table, uniques=((draw(labels), draw(subset)),))
    if "check" in rule:
        count = 1 + rule.startswith("two")
        table = replace(table, checks=tuple((draw(labels), draw(conditions(database, columns))) for _ in range(count)))
    if rule == "generated":
        kind = draw(st.sampled_from([column.kind for column in columns]))
        declared = {INTEGERS: "bigint", TEXTS: "varchar(40)", DECIMALS: "decimal(20,4)", DAYS: "date"}[kind]
        made = RuledColumn("made", kind, declared, generated=draw(_terms(database, columns, kind, 2)))
        table = replace(table, columns=(*columns, made))
        if draw(st.integers(0, 2)) == 0:
            table = replace(table, uniques=(("", ("made",)),))
    if rule == "index":
        table = replace(table, indexes=(_index(draw, database, table, number),))
    if rule == "identity":
        table = _identified(draw, database, table)
    if database == "mysql":
        table = replace(table, options=draw(st.sampled_from(("", " COLLATE utf8mb4_unicode_ci", " COLLATE utf8mb4_bin"))))
    if database == "sqlite" and table.primary and draw(st.integers(0, 4)) == 0:
        table = replace(table, options=" WITHOUT ROWID")
    return table


def _index(draw: st.DrawFn, database: str, table: RuledTable, number: int) -> str:
    quoted = SPELLINGS[database].name
    unique = "UNIQUE " if draw(st.integers(0, 3)) else ""
    keys = []
    for column in draw(st.lists(st.sampled_from(table.columns), min_size=1, max_size=2, unique=True)):
        key = quoted(column.name)
        forms = ["{0}", "{0}", "{0} DESC"]
        if database == "sqlite":
            forms += ["{0} COLLATE NOCASE", "{0} COLLATE RTRIM"] if column.kind == TEXTS else ["abs({0})"]
        if database == "postgresql":
            forms += ["{0} NULLS FIRST", "{0} DESC NULLS LAST"]
        if database != "mysql" and column.kind == TEXTS:
            forms += ["lower({0})", "substr({0}, 1, 1)", "coalesce({0}, 'z')"]
        if database != "mysql" and column.kind == INTEGERS:
            forms += ["({0} % 3)", "({0} + 1)", "coalesce({0}, 0)"]
        if database == "mysql" and column.kind == TEXTS:
            forms += ["{0}(1)", "{0}(2)"]
        keys.append(draw(st.sampled_from(forms)).format(key))
    where = ""
    if database != "mysql" and draw(st.booleans()):
        where = f" WHERE {draw(conditions(database, table.columns, 1))}"
    if database == "postgresql" and unique and draw(st.integers(0, 4)) == 0:
        where = " /*!15 NULLS NOT DISTINCT*/" + where
    name = draw(_names) if database == "mysql" else f"i{number}{draw(_names)}"[:30]
    return f"CREATE {unique}INDEX {quoted(name)} ON {{table}} ({', '.join(keys)}){where}"


def _identified(draw: st.DrawFn, database: str, table: RuledTable) -> RuledTable:
    name = draw(st.sampled_from(("id", "ID", "order")).filter(lambda n: n not in {c.name for c in table.columns}))
    if database == "sqlite":
        words = draw(st.sampled_from(("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT")))
        return replace(table, primary=(), columns=(RuledColumn(name, INTEGERS, "INTEGER", identity=words), *table.columns))
    if database == "mysql":
        words = "AUTO_INCREMENT"
        identity = RuledColumn(name, INTEGERS, draw(st.sampled_from(("int", "bigint", "tinyint"))), False, identity=words)
        options = f" AUTO_INCREMENT={draw(st.integers(1, 9))}"
        return replace(table, primary=(name,), columns=(identity, *table.columns), options=options)
    start = draw(st.sampled_from(("", " (START WITH 5)", " (INCREMENT BY 3)", " (INCREMENT BY -1)")))
    words = f"GENERATED {draw(st.sampled_from(('ALWAYS', 'BY DEFAULT')))} AS IDENTITY{start}"
    identity = RuledColumn(name, INTEGERS, draw(st.sampled_from(("integer", "bigint", "smallint"))), False, identity=words)
    return replace(table, primary=draw(st.sampled_from(((), (name,)))), columns=(identity, *table.columns))


_ACTIONS = ("CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT")


@st.composite
def rules(draw: st.DrawFn, database: str, most: int = 6) -> Rules:
    """A schema of a database, of a few tables; a reference may lead to any of them."""
    count = draw(st.integers(1, most))
    names = draw(st.lists(_names, min_size=count, max_size=count, unique_by=lambda n: n.casefold()))
    tables = [draw(_tables(database, name, number)) for number, name in enumerate(names)]
    for number in range(count):
        if draw(st.integers(0, 1)) == 0:
            tables[number] = _referring(draw, database, tables[number], tables)
    return Rules(database, tuple(_tried(draw, table) for table in tables))


def _referring(draw: st.DrawFn, database: str, table: RuledTable, tables: Sequence[RuledTable]) -> RuledTable:
    """The table with columns that refer to a key of one of the tables, if one has a key; itself most easily."""
    keys = [(each, key) for each in tables for key in (each.primary, *(columns for _, columns in each.uniques)) if key]
    if not keys:
        return table
    to, key = draw(st.sampled_from(keys))
    by_name = {column.name: column for column in to.columns}
    if any(by_name[name].generated for name in key):
        return table
    mine = []
    for number, name in enumerate(key):
        column = by_name[name]
        declaration = column.declaration
        if database == "sqlite" and column.kind == TEXTS and draw(st.booleans()):
            declaration = _collated(database, declaration.split(" COLLATE")[0], draw(st.sampled_from(COLLATIONS["sqlite"])))
        mine.append(RuledColumn(f"ref {number}", column.kind, declaration))
    actions = [f" ON {event} {draw(st.sampled_from(_ACTIONS))}" for event in ("DELETE", "UPDATE") if draw(st.booleans())]
    if database == "mysql":
        actions = [action for action in actions if "DEFAULT" not in action]
    if database != "mysql" and draw(st.integers(0, 4)) == 0:
        actions.append(" DEFERRABLE INITIALLY DEFERRED")
    if database == "postgresql" and draw(st.integers(0, 4)) == 0:
        actions.insert(0, " MATCH FULL")
    reference = Reference(tuple(column.name for column in mine), to.name, key, "".join(actions))
    return replace(table, columns=(*table.columns, *mine), references=(*table.references, reference))


def _tried(draw: st.DrawFn, table: RuledTable) -> RuledTable:
    given = [column for column in table.columns if column.generated is None and not column.identity]
    if not given:
        return table

    free = {name for reference in table.references for name in reference.columns}

    def row() -> Insert:
        left_out = draw(st.sets(st.sampled_from(given), max_size=1)) if draw(st.booleans()) else set()
        kept = (column for column in given if column not in left_out)
        return Insert(tuple((c.name, None if c.name in free and draw(st.booleans()) else draw(value(c.kind))) for c in kept))

    rows = tuple(row() for _ in range(draw(st.integers(0, 4))))
    trials: list[Trial] = [row() for _ in range(draw(st.integers(1, 5)))]
    for n in range(1, len(rows) + 1):
        if draw(st.integers(0, 1)) == 0:
            column = draw(st.sampled_from(given))
            trials.append(draw(st.sampled_from((Delete(n), Update(n, column.name, draw(value(column.kind)))))))
    return replace(table, rows=rows, trials=tuple(trials))
