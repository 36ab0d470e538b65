"""Names of schemas in a text of SQL: REMAP_SCHEMA's new ones, and the literals that an old one may be left in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_ESCAPED = r"'(?:[^'\\]|\\.|'')*'"
"""A literal in which a backslash escapes what follows."""
_PARTS = r"""
      (?P<string>  {string} )
    | (?P<comment> {comment} | /\*.*?\*/ )
    | (?P<name>    {quoted} | [^\W\d][\w$]* )
      (?P<dot> \s*\. )?
    """
_STANDARD = rf"\b[eE]{_ESCAPED} | '(?:[^']|'')*'"
_TOKENS = {
    mark: re.compile(_PARTS.format(string=string, comment=comment, quoted=quoted), re.VERBOSE | re.DOTALL)
    for mark, string, comment, quoted in (
        ('"', _STANDARD, r"--[^\n]*", '"(?:[^"]|"")*" | `(?:[^`]|``)*`'),
        ("`", _ESCAPED + r' | "(?:[^"\\]|\\.|"")*"', r"--(?=\s|$)[^\n]* | \#[^\n]*", "`(?:[^`]|``)*`"),
    )
}
"""The parts of a text in which schemas are looked for, by what quotes identifiers: that of MySQL tells its literals too."""

_KIND = (
    r"(?:pg_catalog\s*\.\s*)?"
    r"reg(?P<kind>class|collation|config|dictionary|namespace|operator|oper|procedure|proc|type)\b"
)
_TEXT = r"(?:\s*::\s*(?:text|character varying|varchar|name)\b)?"
_NO_CALL = r"(?:^|[^\w\"\s)\].]|\b(?:SELECT|WHEN|THEN|ELSE|AND|OR|NOT|DEFAULT))\s*"
_OBJECT_NAMES = tuple(
    (re.compile(before + r"\Z", re.IGNORECASE), re.compile(after, re.IGNORECASE))
    for before, after in (
        ("", rf"{_TEXT}\s*::\s*{_KIND}"),
        (_NO_CALL + r"\(\s*", rf"{_TEXT}\s*\)\s*::\s*{_KIND}"),
        (r"\bCAST\s*\(\s*", rf"{_TEXT}\s*AS\s+{_KIND}"),
        (rf"(?<![.\w]){_KIND}\s+", ""),
        (rf"(?<![.\w])(?:pg_catalog\s*\.\s*)?to_{_KIND}\s*\(\s*", rf"{_TEXT}\s*\)"),
    )
)
"""What stands before and behind a literal that is the name of an object, as in ``nextval('shop.orders_id'::regclass)``."""
_LEAD = 100
"""How many characters before a literal are looked at."""
_NAME = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
_LOOKS_UP = re.compile(r"\b(?:to_)?reg[a-z]+\b|\bhas_\w+_privilege\b|::\s*name\b|_schema\b|\bsearch_path\b", re.IGNORECASE)
"""What a text has in it that looks things up by their names: a literal may be a schema's whole name."""


def requalify(sql: str, schemas: Mapping[str, str], mark: str = '"') -> str:
    """``sql`` with the schema names before dots replaced; comments and literals, but for names of objects, are left alone.

    ``mark`` quotes identifiers in this dialect.
    """
    return _requalified(sql, schemas, mark)


def _requalified(sql: str, schemas: Mapping[str, str], mark: str, *, folds: bool = False) -> str:
    """``folds``: a bare name stands for that in lower case."""
    pieces, position, after_dot = [], 0, False
    for match in _TOKENS[mark].finditer(sql):
        between = sql[position : match.start()]
        pieces.append(between)
        position = match.end()
        name = match["name"]
        if name is None or match["dot"] is None:
            pieces.append(_renamed(sql, match, schemas) or match[0])
            after_dot = False
            continue
        bare = _bare(name, folds=folds)
        if not (after_dot and not between.strip()) and bare in schemas:
            pieces.append(_spelled(schemas[bare], name, mark) + match["dot"])
        else:
            pieces.append(match[0])
        after_dot = True
    pieces.append(sql[position:])
    return "".join(pieces)


def _bare(name: str, *, folds: bool = False) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name.lower() if folds else name


def _spelled(new: str, old: str, mark: str) -> str:
    """A new name, quoted where it must be or the old one was."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", new) and old[0] not in '"`'
    return new if plain else mark + new.replace(mark, mark * 2) + mark


def _renamed(sql: str, match: re.Match[str], schemas: Mapping[str, str]) -> str | None:
    """The literal that is the name of an object, with the new schema; None: it is none, or none that can be read here."""
    kind = _kind_of(sql, match)
    if kind is None or match[0][0] != "'":
        return None
    text = match[0][1:-1].replace("''", "'")
    if kind == "namespace":
        if _NAME.fullmatch(text) is None:
            return None
        bare = _bare(text, folds=True)
        text = _spelled(schemas[bare], text, '"') if bare in schemas else text
    else:
        text = _requalified(text, schemas, '"', folds=True)
    return "'" + text.replace("'", "''") + "'"


def _kind_of(sql: str, match: re.Match[str]) -> str | None:
    """The kind of the object that a literal names; None: it is none."""
    if match["string"] is None:
        return None
    lead = sql[max(0, match.start() - _LEAD) : match.start()]
    for before, after in _OBJECT_NAMES:
        start, end = before.search(lead), after.match(sql, match.end())
        if start is not None and end is not None:
            return str((start.groupdict() | end.groupdict())["kind"]).lower()
    return None


def left_in_literals(sql: str, schemas: Mapping[str, str], mark: str = '"') -> Iterator[str]:
    """The literals of ``sql`` that :func:`requalify` leaves alone and that may name one of the schemas."""
    names = "|".join(rf'"{re.escape(n.replace(chr(34), chr(34) * 2))}"|{re.escape(n)}' for n in schemas)
    named = re.compile(rf"(?<![\w$.@/\\-])(?:{names})\s*\.(?!\s)", re.IGNORECASE)
    whole = re.compile(rf"['\"{{,\s]*(?:{names})['\"}},\s]*", re.IGNORECASE)
    looks_up = _LOOKS_UP.search(sql)
    for match in _TOKENS[mark].finditer(sql):
        text = match["string"]
        if text is None or _renamed(sql, match, schemas) is not None:
            continue
        if named.search(text) or (looks_up and whole.fullmatch(text.removeprefix("E"))):
            yield text
