"""Random schemas of each database with rows in them: types, names, keys, defaults, checks, indexes, comments.

Every table has a column ``id`` that tells its rows apart; a column ``ref`` may refer to an earlier table's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.support.literals import HELD, Held

_SIGNS = "abcXYZ_éß 0189\"'`%.:?$-[](),;\\/"
names = st.text(_SIGNS, min_size=1, max_size=12).map(lambda name: f"n{name}".rstrip())
"""Names that have to be quoted, of signs that mean something to somebody."""


@dataclass(frozen=True)
class Spelling:
    """How a database spells what all of them have: its quotes, its integers, and columns that can have a default."""

    quote: str
    integer: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    comments: bool
    partial: bool
    backslash: str = "\\"

    def name(self, name: str) -> str:
        """A name in quotes."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def text(self, text: str) -> str:
        """A text in quotes."""
        return "'" + text.replace("'", "''").replace("\\", self.backslash) + "'"


SPELLINGS: Mapping[str, Spelling] = {
    "postgresql": Spelling(
        '"',
        "integer",
        ("smallint", "bigint", "numeric(10,2)"),
        ("text", "character varying(5)"),
        comments=True,
        partial=True,
    ),
    "mysql": Spelling(
        "`",
        "int",
        ("smallint unsigned", "bigint", "decimal(10,2)"),
        ("varchar(40)",),
        comments=True,
        partial=False,
        backslash="\\\\",
    ),
    "sqlite": Spelling(
        '"',
        "INTEGER",
        ("TINYINT", "MEDIUMINT", "DECIMAL(10,2)"),
        ("TEXT", "VARCHAR(5)"),
        comments=False,
        partial=True,
    ),
}


@dataclass(frozen=True)
class DrawnColumn:
    """A column besides ``id``. ``default``: an expression; ``comment``: a text."""

    name: str
    held: Held
    nullable: bool
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class DrawnTable:
    """A table: its columns, and the rows as expressions by column, ``id`` left out."""

    name: str
    columns: tuple[DrawnColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    key: str = "primary"
    unique: str | None = None
    checks: tuple[str, ...] = ()
    refers: str | None = None
    action: str = ""
    index: tuple[str, ...] = ()
    descending: bool = False
    partial: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class Drawn:
    """A schema of one database, in the order of its making."""

    database: str
    tables: tuple[DrawnTable, ...] = field(default=())

    def statements(self) -> list[str]:
        """What makes it and fills it."""
        spelling = SPELLINGS[self.database]
        return [sql for table in self.tables for sql in _made(spelling, table, self.database)]


def _made(spelling: Spelling, table: DrawnTable, database: str) -> list[str]:
    quoted, name = spelling.name, spelling.name(table.name)
    items = [f"{quoted('id')} {spelling.integer} NOT NULL", *(_column(spelling, c, database) for c in table.columns)]
    items += {"primary": [f"PRIMARY KEY ({quoted('id')})"], "unique": [f"UNIQUE ({quoted('id')})"]}.get(table.key, [])
    if table.unique is not None:
        items.append(f"CONSTRAINT {quoted(table.unique)} UNIQUE ({quoted('id')}, {quoted('more')})")
        items.insert(1, f"{quoted('more')} {spelling.integer}")
    items += [f"CHECK ({check.format(id=quoted('id'), column=quoted(table.columns[0].name))})" for check in table.checks]
    if table.refers is not None:
        items.insert(1, f"{quoted('ref')} {spelling.integer}")
        items.append(f"FOREIGN KEY ({quoted('ref')}) REFERENCES {quoted(table.refers)} ({quoted('id')}){table.action}")
    options = ""
    if database == "mysql":
        options = " COLLATE utf8mb4_nopad_bin" + (f" COMMENT {spelling.text(table.comment)}" if table.comment else "")
    made = [f"CREATE TABLE {name} ({', '.join(items)}){options}"]
    if table.index:
        keys = ", ".join(quoted(column) + (" DESC" if table.descending else "") for column in table.index)
        where = f" WHERE {quoted('id')} > 1" if table.partial and spelling.partial else ""
        made.append(f"CREATE INDEX {quoted(f'index of {table.name}'[:40].rstrip())} ON {name} ({keys}){where}")
    if database == "postgresql":
        made += [f"COMMENT ON TABLE {name} IS {spelling.text(table.comment)}"] if table.comment else []
        commented = (c for c in table.columns if c.comment)
        made += [f"COMMENT ON COLUMN {name}.{quoted(c.name)} IS {spelling.text(c.comment or '')}" for c in commented]
    columns = ", ".join(quoted(column) for column in ("id", *(c.name for c in table.columns)))
    rows = (f"({', '.join((str(number), *row))})" for number, row in enumerate(table.rows, 1))
    made += [f"INSERT INTO {name} ({columns}) VALUES {row}" for row in rows]
    if table.refers is not None and table.rows:
        made.append(f"UPDATE {name} SET {quoted('ref')} = 1 WHERE {quoted('id')} = 1")
    return made


def _column(spelling: Spelling, column: DrawnColumn, database: str) -> str:
    declaration = column.held.declaration
    null = "" if column.nullable else " NOT NULL"
    if declaration.endswith(" null"):
        declaration, null = declaration.removesuffix(" null"), null or " NULL"
    default = f" DEFAULT {column.default}" if column.default is not None else ""
    comment = f" COMMENT {spelling.text(column.comment)}" if column.comment and database == "mysql" else ""
    return f"{spelling.name(column.name)} {declaration}{default}{null}{comment}"


# --- drawing --------------------------------------------------------------------------------------------------------

_CHECKS = ("{id} > 0", "{id} >= 0 AND {id} < 1000000", "{id} <> 77 OR {column} IS NULL", "{column} IS NOT NULL OR {id} > 0")
_ACTIONS = ("", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT ON UPDATE CASCADE", " ON UPDATE SET NULL")
_comments = st.text(_SIGNS, min_size=1, max_size=20)


_BECOMING_INTEGERS = frozenset({"NUMERIC", "ANYTHING"})
"""SQLite's columns that make integers of large doubles without a fraction, which are refused where they are no doubles."""


def _default(spelling: Spelling, held: Held) -> st.SearchStrategy[str | None]:
    if held.declaration in spelling.numbers:
        return st.none() | st.integers(0, 99).map(str)
    if held.declaration in spelling.texts:
        return st.none() | st.text(_SIGNS, max_size=5).map(spelling.text)
    return st.none()


@st.composite
def _columns(draw: st.DrawFn, database: str, name: str, lacking: frozenset[str]) -> DrawnColumn:
    spelling = SPELLINGS[database]
    unusable = _BECOMING_INTEGERS | lacking
    usable = [held for held in HELD[database] if not held.values.is_empty and held.declaration not in unusable]
    held = draw(st.sampled_from(usable))
    nullable = draw(st.booleans())
    comment = draw(st.none() | _comments) if spelling.comments else None
    return DrawnColumn(name, held, nullable, draw(_default(spelling, held)), comment)


def _cell(column: DrawnColumn) -> st.SearchStrategy[str]:
    values = column.held.values
    if column.held.odd:
        values |= st.sampled_from(column.held.odd)
    return values | st.just("NULL") if column.nullable else values


def _distinct(count: int) -> st.SearchStrategy[list[str]]:
    """Names that differ even where case does not count."""
    return st.lists(names, min_size=count, max_size=count, unique_by=lambda name: name.casefold())


@st.composite
def schemas(draw: st.DrawFn, database: str, lacking: frozenset[str] = frozenset()) -> Drawn:
    """A schema of a database: one to three tables, without columns of declarations that it lacks."""
    tables: list[DrawnTable] = []
    for name in draw(_distinct(draw(st.integers(1, 3)))):
        columns = tuple(draw(_columns(database, each, lacking)) for each in draw(_distinct(draw(st.integers(1, 5)))))
        rows = tuple(tuple(draw(_cell(c)) for c in columns) for _ in range(draw(st.integers(0, 4))))
        tables.append(
            DrawnTable(
                name,
                columns,
                rows,
                key=draw(st.sampled_from(("primary", "unique", "none"))),
                unique=draw(st.none() | names),
                checks=tuple(draw(st.lists(st.sampled_from(_CHECKS), max_size=2, unique=True))),
                refers=_referred(draw, tables),
                action=draw(st.sampled_from(_ACTIONS)),
                index=("id",) if draw(st.booleans()) else (),
                descending=draw(st.booleans()),
                partial=draw(st.booleans()),
                comment=draw(st.none() | _comments) if SPELLINGS[database].comments else None,
            )
        )
    return Drawn(database, tuple(tables))


def _referred(draw: st.DrawFn, earlier: list[DrawnTable]) -> str | None:
    """An earlier table that can be referred to by its ``id``, and has a row 1."""
    fit = [table.name for table in earlier if table.key in {"primary", "unique"} and table.rows]
    return draw(st.sampled_from(fit)) if fit and draw(st.booleans()) else None
