"""Chains of operators without parentheses: on real servers, what is carried gives the same values, or is refused.

What an operator belongs to is each database's own affair. So random chains over small numbers, NULL and truth values are
asked of the source as they are and of the target as they are carried, one query each of many expressions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrator.adapter import adapter_for_backend
from migrator.ddl import DDL
from migrator.expressions import Untranslatable
from migrator.model.objects import Expression, Table
from tests.contract.test_expressions import PAIRS, plain
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute

Fresh = Callable[[str], str]

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, i integer, j integer, k integer, p {boolean}, q {boolean})"
ROWS = (
    "(1, 1, 0, 2, {t}, {f}), (2, 0, 0, 1, {f}, {f}), (3, 2, 1, 0, {t}, {t}), (4, -1, 2, 2, {f}, {t}), "
    "(5, NULL, 1, 0, NULL, {t})"
)
BOOLEANS = {"postgresql": "boolean", "mysql": "tinyint(1)", "sqlite": "boolean"}

ARITHMETIC = ("+", "-", "*", "%")
COMPARING = ("=", "<>", "<", "<=", ">", ">=")
CONNECTING = ("AND", "OR")
INFIX = {
    "postgresql": (*ARITHMETIC, "/", *COMPARING, *CONNECTING, "&", "|", "#", "IS DISTINCT FROM"),
    "mysql": (*ARITHMETIC, "DIV", "MOD", *COMPARING, *CONNECTING, "<=>", "XOR", "&", "|", "^", "<<", "&&"),
    "sqlite": (*ARITHMETIC, "/", *COMPARING, *CONNECTING, "==", "IS", "IS NOT", "&", "|", "<<", "||"),
}
PREFIX = {
    "postgresql": ("NOT", "-"),
    "mysql": ("NOT", "-", "!", "~"),
    "sqlite": ("NOT", "-", "~"),
}
POSTFIX = ("IS NULL", "IS NOT NULL", "IN (0, 1)", "NOT IN (1, 2)", "BETWEEN 0 AND 1", "NOT BETWEEN j AND 2", "IN (p, q)")
ATOMS = ("i", "j", "k", "p", "q", "0", "1", "2", "NULL", "(i > 0)", "(j - k)", "id")
MADE = 1200
"""How many chains are made for a database; PostgreSQL takes a fifth of them, the others most."""
COMPARED = {"postgresql": 145, "mysql": 230, "sqlite": 200}
"""How many chains of a source are compared at least: nine tenths of what was carried when this was written."""


def chains(dialect: str, seed: int) -> list[str]:
    """Random chains of two to four operators."""
    rng = random.Random(seed)

    def operand() -> str:
        atom = rng.choice(ATOMS)
        prefix = rng.choice(PREFIX[dialect]) + " " if rng.random() < 0.15 else ""
        return f"{prefix}{atom} {rng.choice(POSTFIX)}" if rng.random() < 0.2 else f"{prefix}{atom}"

    def chain() -> Iterator[str]:
        yield operand()
        for _ in range(rng.randint(1, 3)):
            yield rng.choice(INFIX[dialect])
            yield operand()

    return list(dict.fromkeys(" ".join(chain()) for _ in range(MADE)))


def asked(url: str, expressions: Sequence[str]) -> dict[str, list[object]]:
    """The expressions that a database takes, with their values; those that it refuses are found by halves."""
    found: dict[str, list[object]] = {}
    with sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        cursor, refusal = connection.connection.cursor(), connection.dialect.loaded_dbapi.Error

        def ask(part: Sequence[str]) -> None:
            if not part:
                return
            try:
                cursor.execute("SELECT " + ", ".join(f"({sql})" for sql in part) + " FROM t ORDER BY id")
                columns = zip(*cursor.fetchall(), strict=True)
            except refusal:
                if len(part) > 1:
                    ask(part[: len(part) // 2])
                    ask(part[len(part) // 2 :])
                return
            found.update((sql, [plain(value) for value in column]) for sql, column in zip(part, columns, strict=True))

        for start in range(0, len(expressions), 60):
            ask(expressions[start : start + 60])
    return found


def carried(ddl: DDL, table: Table, expressions: Sequence[str], dialect: str) -> dict[str, str]:
    """The expressions that are carried, in the target's SQL."""
    found = {}
    for sql in expressions:
        try:
            found[sql] = ddl.expression(Expression(sql, dialect), table, read=True, changes={})
        except Untranslatable:
            continue
    return found


@pytest.fixture
def fresh(postgresql: Fresh, mysql: Fresh, sqlite_file: Fresh) -> Fresh:
    makers = {"postgresql": postgresql, "mysql": mysql}
    return lambda name: makers[name]() if name in makers else sqlite_file("chains.db")


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_chain_of_operators_means_the_same_or_is_refused(source: str, target: str, fresh: Fresh) -> None:
    there, here = fresh(source), fresh(target)
    truths = {"t": "true", "f": "false"} if source == "postgresql" else {"t": "1", "f": "0"}
    execute(there, TABLE.format(boolean=BOOLEANS[source]), f"INSERT INTO t VALUES {ROWS.format(**truths)}")
    done(pump("impdp", here, f"NETWORK_LINK={there}", remap(there, here), "NOLOGFILE=YES"))
    own, other = (adapter_for_backend(sa.make_url(url).get_backend_name()) for url in (there, here))
    with own.engine(sa.make_url(there)).connect() as connection:
        catalog = own.catalog(connection, [schema_of(there)])
    with other.engine(sa.make_url(here)).connect() as connection:
        ddl = other.ddl(catalog, other.server(connection).version)
    (table,) = catalog.of(Table)
    expected = asked(there, chains(source, seed=5))
    said = carried(ddl, table, list(expected), source)
    found = asked(here, [*dict.fromkeys(said.values())])
    wrong = [
        f"{sql} -> {text}: {expected[sql]} {found.get(text, 'which the target refuses')}"
        for sql, text in said.items()
        if text not in found or found[text] != expected[sql]
    ]
    assert not wrong, "\n".join(wrong)
    assert len(said) >= COMPARED[source], "most chains are refused: they prove nothing"
