"""A gate for Oracle's SQL: the ANTLR grammar of PL/SQL (grammars-v4), and rules of our own where it is too lenient.

The first statements of a process take seconds while the parser builds its tables; later ones milliseconds.
"""

from __future__ import annotations

import re

from pgrecon.plsql import parse_unit

from dialects.oracle import ADAPTER
from migrator.ddl import Script
from migrator.model.catalog import Catalog, Loss
from migrator.plan import plan

_TEXT = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")

_COMMENT = re.compile(r"^--.*$", re.M)

_LENIENT = (
    (re.compile(r"\bN?VARCHAR2\b(?!\s*\()|\bRAW\b(?!\s*\()", re.I), "this type needs a length"),
    (re.compile(r"\b(N?CLOB|BLOB|XMLTYPE)\s*\(", re.I), "this type takes no length"),
    (re.compile(r"\b(TRUE|FALSE)\b", re.I), "there are no truth values before 23ai"),
    (re.compile(r"\bSELECT\b[^,]*?[\w)]\s*(=|<>|<|>)\s*[\w(]+\s+AS\b", re.I), "a condition is no column before 23ai"),
)
"""What the grammar lets through and Oracle does not, outside of literals and quoted names."""

_STRICT = (
    (re.compile(r"\b(START WITH|INCREMENT BY|MINVALUE|MAXVALUE) -(?=\d)"), r"\1 "),  # the grammar knows no signs there
    (re.compile(r"\b(NON)?EDITIONABLE "), ""),
    (re.compile(r"^SET SQLTERMINATOR (OFF|ON)$", re.M), ""),
    (re.compile(r"(?<![\w\"])unsigned(?![\w\"])"), "unsigned_"),  # a name like others, but a token of the grammar
)
"""What Oracle takes and the grammar does not, and what stands for it in the parse."""


def errors(sql: str) -> tuple[str, ...]:
    """What is wrong with a statement, terminator included, or with a script; nothing where it is good."""
    bare = _TEXT.sub(lambda found: "'x'" if found[0].startswith("'") else '"x"', _COMMENT.sub("", sql))
    ours = tuple(f"{why}: {found[0]}" for rule, why in _LENIENT if (found := rule.search(bare)))
    for gap, stand_in in _STRICT:
        sql = gap.sub(stand_in, sql)
    return ours + tuple(error.split(" expecting ")[0] for error in parse_unit(sql).errors)


def script(catalog: Catalog) -> Script:
    """All statements of a SQLFILE for Oracle, as they stand in it, and all losses."""
    ddl = ADAPTER.ddl(catalog)
    statements = list(ddl.script_head())
    losses: list[Loss] = []
    for phase in plan(catalog, "METADATA_ONLY", ddl):
        for step in phase.steps:
            statements += step.script.statements
            losses += step.script.losses
    return Script(tuple(ddl.as_script(sql) for sql in statements), tuple(losses))


def rejected(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The statements for a catalog that the gate rejects, and why."""
    return {sql: found for sql in script(catalog).statements if (found := errors(sql))}
