"""What only the text of a CREATE statement tells: names of constraints, checks, collations, deferral, expressions.

SQLite keeps each statement as it was written; its pragmas tell the rest. This is a scanner of SQLite's tokens and a
splitter at top-level commas, not a parser: SQLite itself has accepted the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<string>[xX]?'(?:[^']|'')*')
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>0[xX]\w*|\d(?:[eE][+-](?=\d)|[\w.])*)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


VIRTUAL_TABLE = "virtual-table"
"""The rule of entries about virtual tables, which stay behind, and about what names them."""


@dataclass(frozen=True)
class Token:
    """One token of a statement: its kind, its text and where it begins."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the token ends."""
        return self.start + len(self.text)

    @property
    def upper(self) -> str:
        """A bare word in capitals; empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The token as an identifier, unquoted."""
        if self.kind == "quoted":
            closing = self.text[-1]
            return self.text[1:-1].replace(closing * 2, closing) if closing != "]" else self.text[1:-1]
        if self.kind == "string":
            return self.text[1:-1].replace("''", "'")
        return self.text


def tokens(sql: str) -> list[Token]:
    """The tokens of a statement, blanks and comments left out."""
    return [
        Token(str(match.lastgroup), match.group(), match.start())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "space"
    ]


def _closing(items: Sequence[Token], opening: int) -> int:
    """The position of the parenthesis that closes the one at ``opening``."""
    depth = 0
    for position in range(opening, len(items)):
        depth += {"(": 1, ")": -1}.get(items[position].text, 0) if items[position].kind == "sign" else 0
        if depth == 0:
            return position
    raise ValueError("unbalanced parentheses")


def _is(token: Token, sign: str) -> bool:
    return token.kind == "sign" and token.text == sign


def _split(items: Sequence[Token]) -> Iterator[list[Token]]:
    """The parts between top-level commas."""
    part: list[Token] = []
    depth = 0
    for token in items:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and _is(token, ","):
            yield part
            part = []
        else:
            part.append(token)
    yield part


@dataclass
class Clause:
    """A constraint as written: its name, its kind (CHECK, UNIQUE, …), its expression or columns, and its deferral."""

    kind: str
    name: str | None = None
    expression: str = ""
    columns: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    on_conflict: str = ""
    collations: tuple[str, ...] = ()
    """Those that it names for its columns itself, empty where it names none."""


@dataclass
class TableText:
    """What a CREATE TABLE statement tells beyond the pragmas. ``collations`` and ``generated`` by column name."""

    clauses: list[Clause] = field(default_factory=list)
    collations: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    autoincrement: bool = False

    def of(self, kind: str) -> list[Clause]:
        """The constraints of one kind, in the order written."""
        return [clause for clause in self.clauses if clause.kind == kind]

    def named(self, kind: str, keys: Sequence[tuple[str, str]]) -> Clause | None:
        """The constraint of that kind on these columns, each with the collation by which it compares there.

        Of several, of which SQLite makes one, it is the first that has a name.
        """
        wanted = [(name.lower(), collation.upper()) for name, collation in keys]
        found = [clause for clause in self.of(kind) if self.keys(clause) == wanted]
        return next((clause for clause in found if clause.name is not None), found[0] if found else None)

    def keys(self, clause: Clause) -> list[tuple[str, str]]:
        """The columns of a constraint, in small letters, each with the collation by which it compares there."""
        own = clause.collations or ("",) * len(clause.columns)
        columns = [name.lower() for name in clause.columns]
        return [(name, one or self.usual(name)) for name, one in zip(columns, own, strict=True)]

    def compares_otherwise(self, clause: Clause) -> bool:
        """Whether a constraint compares texts by another collation than its columns do."""
        return any(collation != self.usual(name) for name, collation in self.keys(clause))

    def usual(self, column: str) -> str:
        """The collation by which a column compares."""
        usual = {name.lower(): collation for name, collation in self.collations.items()}
        return usual.get(column.lower(), "BINARY")


_TABLE_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


class _Reader:
    """Reads the constraints of one part of CREATE TABLE from left to right."""

    def __init__(self, sql: str, items: Sequence[Token], found: TableText, column: str | None) -> None:
        self.sql, self.items, self.found, self.column = sql, items, found, column
        self.at = 0
        self.name: str | None = None

    def word(self, ahead: int = 0) -> str:
        position = self.at + ahead
        return self.items[position].upper if position < len(self.items) else ""

    def parenthesised(self) -> list[Token]:
        """The tokens inside the parentheses that begin here; moves behind them."""
        last = _closing(self.items, self.at)
        inner = list(self.items[self.at + 1 : last])
        self.at = last + 1
        return inner

    def text(self) -> str:
        """The text inside the parentheses that begin here; moves behind them."""
        first = self.items[self.at].end
        inner = self.parenthesised()
        return self.sql[first : inner[-1].end].strip() if inner else ""

    def names(self) -> tuple[str, ...]:
        """The column names in the parentheses that begin here; moves behind them."""
        return tuple(name for name, _ in self.keys())

    def keys(self) -> list[tuple[str, str]]:
        """The column names in the parentheses that begin here, each with the collation named there; moves behind them."""
        return [(part[0].name, _collation(part)) for part in _split(self.parenthesised()) if part]

    def at_parenthesis(self) -> bool:
        return self.at < len(self.items) and _is(self.items[self.at], "(")

    def add(self, kind: str, columns: tuple[str, ...] = (), expression: str = "") -> Clause:
        clause = Clause(kind, self.name, expression, columns)
        self.name = None
        self.found.clauses.append(clause)
        return clause

    def add_key(self, kind: str) -> Clause:
        keys = [] if self.column is None else [(self.column, "")]
        if self.column is None and self.at_parenthesis():
            keys = self.keys()
        clause = self.add(kind, tuple(name for name, _ in keys))
        if any(collation for _, collation in keys):
            clause.collations = tuple(collation for _, collation in keys)
        return clause

    def run(self) -> None:
        while self.at < len(self.items):
            step = getattr(self, f"_{self.word().lower()}", None) if self.word() in _STEPS else None
            self.at += 1
            if step is not None:
                step()

    def _constraint(self) -> None:
        self.name = self.items[self.at].name
        self.at += 1

    def _primary(self) -> None:
        self.at += 1
        begin = self.at
        clause = self.add_key("PRIMARY KEY")
        words = {token.upper for token in self.items[begin : self.at]}
        if "AUTOINCREMENT" in words:  # behind the column of a table's key
            self.found.autoincrement = True
        if self.word() in {"ASC", "DESC"}:
            self.at += 1
        self.conflict(clause)

    def _autoincrement(self) -> None:
        self.found.autoincrement = True

    def _unique(self) -> None:
        self.conflict(self.add_key("UNIQUE"))

    def _not(self) -> None:
        if self.word() == "NULL":
            self.at += 1
            self.conflict(Clause("NOT NULL"))
        elif self.word() == "DEFERRABLE":
            self.at += 1
            self.skip_initially()

    def skip_initially(self) -> None:
        if self.word() == "INITIALLY":
            self.at += 2

    def conflict(self, clause: Clause) -> None:
        if self.word() == "ON" and self.word(1) == "CONFLICT":
            clause.on_conflict = self.word(2)
            self.at += 3
            if clause.kind == "NOT NULL":
                self.found.clauses.append(clause)

    def _check(self) -> None:
        self.conflict(self.add("CHECK", expression=self.text()))

    def _default(self) -> None:
        if self.at > 1 and self.items[self.at - 2].upper == "SET":
            return  # an action of a foreign key: nothing of it follows
        if self.at_parenthesis():
            self.parenthesised()
        else:
            self.at += 1

    def _collate(self) -> None:
        if self.column is not None:
            self.found.collations[self.column] = self.items[self.at].name.upper()
        self.at += 1

    def _foreign(self) -> None:
        self.at += 1
        self.add("FOREIGN KEY", self.names())

    def _references(self) -> None:
        if self.column is not None:
            self.add("FOREIGN KEY", (self.column,))
        self.at += 1
        if self.at_parenthesis():
            self.parenthesised()

    def _deferrable(self) -> None:
        clause = self.found.of("FOREIGN KEY")[-1]
        clause.deferrable = True
        if self.word() == "INITIALLY":
            clause.initially_deferred = self.word(1) == "DEFERRED"
            self.at += 2

    def _as(self) -> None:
        if self.column is not None and self.at_parenthesis():
            self.found.generated[self.column] = self.text()


_STEPS = frozenset(
    {
        "CONSTRAINT",
        "PRIMARY",
        "AUTOINCREMENT",
        "UNIQUE",
        "NOT",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "FOREIGN",
        "REFERENCES",
        "DEFERRABLE",
        "AS",
    }
)


def read_table(sql: str) -> TableText:
    """What a CREATE TABLE statement tells beyond the pragmas."""
    items = tokens(sql)
    opening = next(position for position, token in enumerate(items) if _is(token, "("))
    found = TableText()
    for part in _split(items[opening + 1 : _closing(items, opening)]):
        if not part:
            continue
        if part[0].upper in _TABLE_CONSTRAINTS:
            for constraint in _constraints(part):
                _Reader(sql, constraint, found, None).run()
        else:
            _Reader(sql, part[1:], found, part[0].name).run()
    return found


def _constraints(part: Sequence[Token]) -> Iterator[list[Token]]:
    """Table constraints of one part: SQLite lets the commas between them be left out."""
    one: list[Token] = []
    depth = 0
    for token in part:
        begins = depth == 0 and token.upper in _TABLE_CONSTRAINTS
        if begins and one and not (len(one) == 2 and one[0].upper == "CONSTRAINT"):
            yield one
            one = []
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        one.append(token)
    yield one


def read_index(sql: str) -> tuple[list[tuple[str, str]], str | None]:
    """The keys of a CREATE INDEX statement, each as written without ASC, DESC and its collation, and with that (empty where
    it names none); and the condition."""
    items = tokens(sql)
    opening = next(position for position, token in enumerate(items) if _is(token, "("))
    last = _closing(items, opening)
    keys = [_key(sql, part) for part in _split(items[opening + 1 : last])]
    where = sql[items[last + 1].end :].strip().rstrip(";").strip() if last + 1 < len(items) else None
    return keys, where or None


def _collation(part: list[Token]) -> str:
    """The collation that a key names, empty where it names none."""
    return next((after.name.upper() for word, after in pairwise(part) if word.upper == "COLLATE"), "")


def _key(sql: str, part: list[Token]) -> tuple[str, str]:
    collation = ""
    if part[-1].upper in {"ASC", "DESC"}:
        part = part[:-1]
    if len(part) > 2 and part[-2].upper == "COLLATE" and _is_operand(part[:-2]):
        part, collation = part[:-2], part[-1].name.upper()
    part = bare(part)
    return sql[part[0].start : part[-1].end], collation


def _is_operand(items: list[Token]) -> bool:
    """Whether a COLLATE behind these tokens is about all of them: a name, a call, or what stands in parentheses."""
    opening = next((position for position, token in enumerate(items) if _is(token, "(")), len(items))
    return opening <= 1 and (opening == len(items) or _closing(items, opening) == len(items) - 1)


def read_view(sql: str) -> tuple[tuple[str, ...], str]:
    """The column names a CREATE VIEW statement lists, and its query."""
    items = tokens(sql)
    position = next(p for p, token in enumerate(items) if token.upper == "VIEW") + 1
    columns: tuple[str, ...] = ()
    while items[position].upper != "AS":
        if _is(items[position], "("):
            last = _closing(items, position)
            columns = tuple(part[0].name for part in _split(items[position + 1 : last]))
            position = last
        position += 1
    return columns, sql[items[position].end :].strip().rstrip(";").strip()


def content_of(sql: str) -> str:
    """The table that a CREATE VIRTUAL TABLE statement of full-text search names for its texts; empty: none."""
    items = tokens(sql)
    options = zip(items, items[1:], items[2:], strict=False)
    return next((name.name for word, sign, name in options if word.upper == "CONTENT" and _is(sign, "=")), "")


def bare(items: list[Token]) -> list[Token]:
    """The tokens without parentheses around them all."""
    while len(items) > 2 and _is(items[0], "(") and _closing(items, 0) == len(items) - 1:
        items = items[1:-1]
    return items


def literal_default(sql: str) -> Token | None:
    """The single token a default consists of, parentheses taken off; None: it is a longer expression."""
    items = bare(tokens(sql))
    if len(items) == 2 and items[0].text in {"+", "-"} and items[1].kind == "number":
        sign = "-" if items[0].text == "-" else ""
        return Token("number", sign + items[1].text, 0)
    if len(items) == 1:
        return items[0]
    return None
