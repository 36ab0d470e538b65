"""Texts of the dictionary, as they are. The information schema has no characters beyond the basic plane: it shows question
marks for each, as if these stood there. So does SHOW CREATE TABLE for labels and literal defaults, but not for expressions,
nor do the other SHOW CREATE statements; and the server itself knows the labels of a column and its default.

Of expressions MySQL's information schema shows the bytes, each as the character that it is in latin1, and SHOW CREATE TABLE
a question mark for each byte of a character beyond the basic plane: what both may be is the expression.

Only where a text has a question mark, or is an expression of MySQL that is not ASCII, is anything more asked, so that the
number of queries does not grow with the tables.
Comments are not meant: the server has stored question marks in them. Nor are all digits of a FLOAT's default shown, which
the server knows as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from migrator.adapter import execute_verbatim
from migrator.model.objects import QName

from . import messages
from .names import qualified, quote
from .types import labels, quoted_labels

_MARKS = re.compile(r"\?+")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_INTRODUCER = re.compile(r"('(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`)|\b_(?:utf8mb4|utf8mb3|utf8|latin1|ascii)(?=')", re.I | re.S)
_BYTES = r"0x[0-9A-F]*|'(?:[^'\\]|''|\\.)*'"
_LABELLED = re.compile(r"(enum|set)\((.*)\)", re.IGNORECASE | re.DOTALL)
_AS = re.compile(r"(?:\((?:`(?:[^`]|``)*`,?)*\) )?AS ")
"""What stands before a view's SELECT: MySQL's list of its columns."""
_CHECK_OPTION = re.compile(r" WITH (?:CASCADED|LOCAL) CHECK OPTION\Z")
_FOR_EACH_ROW = re.compile(r"\bFOR\s+EACH\s+ROW\s+(?:(?:FOLLOWS|PRECEDES)\s+(?:`(?:[^`]|``)+`|\S+)\s+)?", re.IGNORECASE)
_LABELS_OF_MARIADB = """
BEGIN NOT ATOMIC
    DECLARE v TYPE OF {table}.{column};
    DECLARE n INT DEFAULT 1;
    DECLARE told LONGTEXT;
    WHILE n <= {count} DO
        SET v = {value};
        SET told = CONCAT_WS(',', told, HEX(CONVERT(v USING utf8mb4)));
        SET n = n + 1;
    END WHILE;
    SELECT told;
END"""
_LABELS_OF_MYSQL = """
WITH RECURSIVE told (n, v) AS (
    SELECT 1, t.{column} FROM (SELECT 1) AS one LEFT JOIN {table} AS t ON FALSE
    UNION ALL SELECT n + 1, {value} FROM told WHERE n <= {count}
)
SELECT /*+ SET_VAR(cte_max_recursion_depth = 4294967295) SET_VAR(group_concat_max_len = 4294967295) */
       GROUP_CONCAT(HEX(CONVERT(v USING utf8mb4)) ORDER BY n) FROM told WHERE n > 1"""
"""A number becomes the label that it has where it is stored into a column of the type: a variable's, or that of a recursive
query, which has the types of the first row."""


def doubtful(text: str | None) -> bool:
    """Whether there may be other characters where ``text`` has question marks."""
    return text is not None and "?" in text


def without_introducers(sql: str) -> str:
    """SQL whose literals do not name the character set that all its texts have here."""
    return _INTRODUCER.sub(lambda found: found[1] or "", sql)


def _pattern(text: str) -> str:
    """What ``text`` may be: each question mark may stand for a character beyond the basic plane, or for a byte of one."""
    parts, at = [], 0
    for marks in _MARKS.finditer(text):
        parts += [re.escape(text[at : marks.start()]), f"[?\U00010000-\U0010ffff]{{1,{len(marks[0])}}}"]
        at = marks.end()
    return "".join([*parts, re.escape(text[at:])])


def may_be(text: str, shown: str) -> bool:
    """Whether ``shown`` is ``text``, which has question marks for some of its characters."""
    return re.fullmatch(_pattern(shown), text) is not None


def _decoded(shown: str) -> str | None:
    """The text whose bytes in UTF-8 are shown as characters of latin1; None: they are none."""
    try:
        return b"".join(map(_of_latin1, shown)).decode()
    except UnicodeError:
        return None


def _of_latin1(character: str) -> bytes:
    """The byte of a character in MySQL's latin1, which is cp1252 with the five bytes that this leaves out."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin1")


def _with_marks(text: str) -> str:
    """How SHOW CREATE TABLE of MySQL may show an expression, as a pattern: with a question mark for each byte of some."""
    return _BEYOND.sub(lambda found: rf"(?:{found[0]}|\?{{4}})", re.escape(text))


@dataclass
class Texts:
    """Reads texts exactly, None where one cannot be told; ``show`` gives one field of the row that a SHOW statement has."""

    connection: sa.Connection
    mariadb: bool
    show: Callable[[str, str], str]
    refusals: dict[QName, messages.Refusal] = field(default_factory=dict)
    """What the server says instead of showing a table."""
    _tables: dict[QName, str] = field(default_factory=dict)

    def table(self, name: QName) -> str:
        """SHOW CREATE TABLE; empty where the server does not open the table, or not for this user."""
        if name not in self._tables:
            try:
                self._tables[name] = self.show(f"SHOW CREATE TABLE {qualified(name)}", "Create Table")
            except sa.exc.DBAPIError as error:
                refusal = messages.unopened(error)
                if refusal is None:
                    raise
                self.note_refusal(name, refusal)
        return self._tables[name]

    def note_table(self, name: QName, sql: str) -> None:
        """Keep SHOW CREATE TABLE, so that :meth:`table` need not ask for it."""
        self._tables[name] = sql

    def note_refusal(self, name: QName, refusal: messages.Refusal) -> None:
        """Keep what the server says instead of showing a table."""
        self._tables[name], self.refusals[name] = "", refusal

    # --- expressions ------------------------------------------------------------------------------------------------

    def generated(self, table: QName, column: str, shown: str) -> str | None:
        """A generated column's expression."""
        return self._in_table(table, quote(column), r"GENERATED ALWAYS AS \(", shown, r"\)")

    def default_expression(self, table: QName, column: str, shown: str) -> str | None:
        """A default that is no literal; MySQL has brackets around it."""
        return self._in_table(table, quote(column), r"DEFAULT \(?", shown, r"\)?(?= |,?$)")

    def column_check(self, table: QName, column: str, shown: str) -> str | None:
        """The check of a column of MariaDB, which has no name of its own."""
        return self._in_table(table, quote(column), r"CHECK \(", shown, r"\)")

    def check(self, table: QName, name: str, shown: str) -> str | None:
        """A check constraint; MySQL has two pairs of brackets around it."""
        return self._in_table(table, f"CONSTRAINT {quote(name)}", r"CHECK \(\(?", shown, r"\)")

    def index_key(self, table: QName, name: str, shown: str) -> str | None:
        """An expression that MySQL has an index over."""
        return self._in_table(table, f"KEY {quote(name)}", r"\(\(?", shown, r"\)")

    def _in_table(self, table: QName, line: str, before: str, shown: str, after: str) -> str | None:
        """What ``shown`` is in SHOW CREATE TABLE: in the line that begins with ``line``, between two patterns."""
        text = self.table(table) if self.mariadb else without_introducers(self.table(table))
        begins = rf"^ +(?:UNIQUE )?{re.escape(line)} .*?{before}"
        decoded = None if self.mariadb or shown.isascii() else _decoded(shown)
        if decoded is not None and re.search(f"{begins}{_with_marks(decoded)}{after}", text, re.MULTILINE):
            return decoded
        found = re.search(f"{begins}(?P<text>{_pattern(shown)}){after}", text, re.MULTILINE)
        return None if found is None else found["text"]

    # --- what columns can be ----------------------------------------------------------------------------------------

    def default(self, table: QName, column: str, *, binary: bool) -> bytes | None:
        """The bytes of a default that is a literal, of a text in UTF-8."""
        told = self._default(table, column, "HEX({})" if binary else "HEX(CONVERT({} USING utf8mb4))")
        return None if told is None else bytes.fromhex(told)

    def default_float(self, table: QName, column: str) -> float | None:
        """The default of a FLOAT as it is stored: the dictionary shows six digits of it."""
        told: float | None = self._default(table, column, "{} + 0e0")
        return told

    def default_shown(self, table: QName, column: str) -> str | None:
        """The literal default of a column of bytes, as SHOW CREATE TABLE has it: a text, or hexadecimal digits."""
        line = rf"^ +{re.escape(quote(column))} .*? DEFAULT (?P<literal>{_BYTES})"
        found = re.search(line, self.table(table), re.MULTILINE)
        return None if found is None else found["literal"]

    def _default(self, table: QName, column: str, form: str) -> Any:
        """What ``form`` makes of a default; None without the privilege to read the table, and of a NOT NULL column while
        there is no row in it."""
        asked = form.format(f"DEFAULT(t.{quote(column)})")
        sql = f"SELECT {asked} FROM (SELECT 1) AS one LEFT JOIN {qualified(table)} AS t ON TRUE LIMIT 1"
        try:
            return execute_verbatim(self.connection, sql).scalar_one()
        except sa.exc.OperationalError as error:
            if messages.about(*cast(Any, error.orig).args) != "privilege":
                raise
            return None

    def labelled(self, table: QName, column: str, shown: str) -> str | None:
        """The declaration of an ENUM or SET, by what each of its numbers is in a column of its type; None without the
        privilege to read the table."""
        found = _LABELLED.fullmatch(shown)
        if found is None:
            return None
        count = len(labels(found[2]))
        value = "n" if found[1].lower() == "enum" else "1 << (n - 1)"
        sql = _LABELS_OF_MARIADB if self.mariadb else _LABELS_OF_MYSQL
        sql = sql.format(table=qualified(table), column=quote(column), count=count, value=value)
        try:
            told = str(execute_verbatim(self.connection, sql).scalar_one())
        except sa.exc.OperationalError as error:
            if messages.about(*cast(Any, error.orig).args) != "privilege":
                raise
            return None
        texts = (bytes.fromhex(label).decode() for label in told.split(","))
        return f"{found[1]}({quoted_labels(texts)})"

    # --- views and triggers -----------------------------------------------------------------------------------------

    def view(self, name: QName) -> str | None:
        """A view's SELECT, every name with its schema."""
        with self._elsewhere():
            text = self.show(f"SHOW CREATE VIEW {qualified(name)}", "Create View")
        _, _, sql = text.partition(f" VIEW {qualified(name)} ")
        begins = _AS.match(sql)
        return without_introducers(_CHECK_OPTION.sub("", sql[begins.end() :])) if begins else None

    def trigger(self, name: QName, shown: str) -> str | None:
        """What a trigger does."""
        text = self.show(f"SHOW CREATE TRIGGER {qualified(name)}", "SQL Original Statement")
        found = _FOR_EACH_ROW.search(text)
        body = text[found.end() :].rstrip() if found is not None else ""
        return body if may_be(body, shown.rstrip()) else None

    @contextmanager
    def _elsewhere(self) -> Iterator[None]:
        """Another database is the current one, whose name the server would leave out of texts."""
        current = self.connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
        self.connection.exec_driver_sql("USE information_schema")
        try:
            yield
        finally:
            if current is not None:
                execute_verbatim(self.connection, f"USE {quote(current)}")
