"""Collations that hold different texts for equal: those of ICU that a job makes where COLUMN_TYPE asks for one."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from migrator.errors import CollationNotThere
from migrator.model.equality import Equality
from migrator.model.objects import QName


@dataclass(frozen=True)
class Folding:
    """One row: a collation's name and locale, and what it holds for equal."""

    name: str
    locale: str
    equality: Equality


FOLDINGS = (
    Folding("ignore_case", "und-u-ks-level2", Equality(case=True, letters=True, forms=True)),
    Folding("ignore_accents", "und-u-ks-level1", Equality(case=True, letters=True, accents=True, forms=True)),
)
"""By the strength of their comparison (Unicode Technical Standard 10): without case, and without accents either."""

BY_CHARACTERS = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic", "PG_UNICODE_FAST"})
"""The locales that sort texts by the numbers of their characters."""

_DEFAULT = """
SELECT coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate)
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
"""The locale of the database: columns of PostgreSQL 17, 15, and all releases."""


def default_collation(connection: sa.Connection) -> str:
    """The locale by which the database sorts texts that have no collation of their own; empty: by their characters."""
    locale = str(connection.exec_driver_sql(_DEFAULT).scalar_one())
    return "" if locale in BY_CHARACTERS else locale


NOT_EXACT = Equality(forms=True)
"""What any collation that is not deterministic holds for equal."""


def folding(equality: Equality) -> Folding:
    """The collation that holds just this for equal."""
    return next(row for row in FOLDINGS if row.equality == equality)


def equality_of(locale: str | None) -> Equality:
    """What a collation that is not deterministic holds for equal, as its locale says."""
    levels = ((row.locale.removeprefix("und-u-"), row.equality) for row in FOLDINGS)
    return next((equality for level, equality in levels if level in (locale or "")), NOT_EXACT)


def creation(name: str, locale: str) -> str:
    """The statement that makes a collation, unless it is there."""
    return f"CREATE COLLATION IF NOT EXISTS {name} (provider = icu, locale = '{locale}', deterministic = false)"


_THERE = """
SELECT n.nspname, c.collname, c.collisdeterministic,
       COALESCE(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate) AS locale
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
"""


def refusal(connection: sa.Connection, wanted: Collection[tuple[str, Folding]]) -> CollationNotThere | None:
    """Why collations, each with its schema, can neither be made nor are there: another one has the name, or the server was
    built without ICU.
    """
    known = {(row.nspname, row.collname): row for row in connection.exec_driver_sql(_THERE)}
    for schema, row in wanted:
        found = known.get((schema, row.name))
        if found is None:
            detail = _tried(connection, row)
        else:
            alike = found.locale == row.locale and not found.collisdeterministic
            detail = "" if alike else "there is another one of that name"
        if detail:
            return CollationNotThere(name=QName(schema, row.name), detail=detail)
    return None


def _tried(connection: sa.Connection, row: Folding) -> str:
    """What the server says against a collation, which is made as a temporary one and taken back; empty: nothing.

    Nor does it, here, where the user may make nothing temporary.
    """
    from psycopg import errors

    connection.exec_driver_sql("BEGIN")
    try:
        connection.exec_driver_sql(creation(f"pg_temp.{row.name}", row.locale))
    except sa.exc.DBAPIError as error:
        if not isinstance(error.orig, errors.DatabaseError) or isinstance(error.orig, errors.InsufficientPrivilege):
            return ""
        return error.orig.diag.message_primary or ""
    finally:
        with suppress(sa.exc.SQLAlchemyError):  # it has ended with a connection that is lost, which another error says
            connection.exec_driver_sql("ROLLBACK")
    return ""
