"""Rows from one database into another by the target's own server: INSERT … SELECT from a foreign table of postgres_fdw.

A session of postgres_fdw takes no exported snapshot. So a session of the job holds the source's tables as they are, from
before the first granule until the last: all states that others see meanwhile are one. The number of an advisory lock of that
session, which goes with its transaction as the tables' locks do, tells that the far end is the source, and still locked.

Foreign server, user mapping and foreign tables are made and dropped in the transaction of a granule's rows. Nobody else ever
sees them, nor the password, and nothing is left behind whatever dies.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg import errors

from migrator.adapter import Kept, Load, Read, execute_verbatim
from migrator.errors import ConnectionLost, LinkRefused, RowCountDiffers, TableLocked
from migrator.model import types as t
from migrator.model.objects import Column, QName

from . import paths
from .types import DIALECT, STREAMED_NATIVE, literal, quote

# --- the source -----------------------------------------------------------------------------------------------------

_WAIT = "60s"
"""How long to wait for those who write to a table."""

_MAY_NOT = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.ObjectNotInPrerequisiteState)
"""The user lacks the privilege, or the server is a standby."""

_TABLES = """
SELECT w.schema, w.name, c.relkind = 'p' AS partitioned,
       (SELECT pg_catalog.string_agg(i.inhrelid::pg_catalog.regclass::text, ', ' ORDER BY i.inhrelid)
        FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid AND c.relkind <> 'p') AS heirs,
       (SELECT pg_catalog.string_agg(p.oid::pg_catalog.regclass::text, ', ' ORDER BY p.oid)
        FROM pg_catalog.pg_partition_tree(c.oid) q JOIN pg_catalog.pg_class p ON p.oid = q.relid
        WHERE c.relkind = 'p' AND p.relkind = 'f') AS elsewhere
FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[])) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')
"""


@contextmanager
def locking(engine: sa.Engine, tables: Sequence[QName]) -> Iterator[Kept]:
    """Keep others from changing tables, by LOCK TABLE … IN SHARE MODE.

    :raises TableLocked: somebody writes to one for longer than a job waits.
    """
    with engine.connect() as connection, paths.given_up_when_broken(connection):
        connection.exec_driver_sql("SELECT pg_catalog.set_config('lock_timeout', %s, true)", (_WAIT,))
        names = [table.schema for table in tables], [table.name for table in tables]
        wanted = [("" if row.partitioned else "ONLY ") + paths.qualified(QName(row.schema, row.name))
                  for row in connection.exec_driver_sql(_TABLES, names)]  # fmt: skip
        refused = _lock(connection, wanted) if wanted else ""
        if refused:
            connection.rollback()
            yield Kept(refused=refused)
            return
        number = secrets.randbits(62)
        lock = "SELECT pg_catalog.current_database(), pg_catalog.pg_advisory_xact_lock(%s)"
        database, _ = connection.exec_driver_sql(lock, (number,)).one()
        apart = {QName(row.schema, row.name): _apart(row) for row in connection.exec_driver_sql(_TABLES, names)}
        try:
            yield Kept(f"{number} {database}", apart={table: why for table, why in apart.items() if why})
        finally:
            with suppress(sa.exc.DBAPIError):  # a session that is gone holds nothing, which each granule has looked for
                connection.rollback()


def _lock(connection: sa.Connection, wanted: Sequence[str]) -> str:
    """Lock tables; why the user may not, empty: they are locked."""
    try:
        execute_verbatim(connection, f"LOCK TABLE {', '.join(wanted)} IN SHARE MODE")
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, _MAY_NOT):
            return f"the source's tables cannot be locked against writers: {_said(error.orig)}"
        if isinstance(error.orig, errors.LockNotAvailable):
            raise TableLocked(detail=f"{_said(error.orig)}: others have written to a table for {_WAIT}") from error
        raise
    return ""


def _apart(row: Any) -> str:
    if row.heirs:
        return f"the rows of {row.heirs}, which inherits from it, would come as its own"
    return f"its partition {row.elsewhere} is a foreign table, which no lock keeps as it is" if row.elsewhere else ""


def _said(error: Any) -> str:
    """What a server says, which has neither SQL nor a password in it."""
    return " ".join(" ".join(filter(None, [error.diag.message_primary, error.diag.message_detail])).split())


# --- the link -------------------------------------------------------------------------------------------------------

_LINK = "migrator.link"
"""Under this name a linking connection's ``info`` holds its link."""

_SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "60000",
    "idle_in_transaction_session_timeout": "0",
    "row_security": "off",
    "lc_monetary": "C",
}
"""Settings of the far session, as :data:`.paths.SESSION` and :data:`.paths.READING` have them. Those of dates, spans of time
and numbers postgres_fdw sets itself."""
_TRANSACTION_TIMEOUT = 170000
"""The version that has a limit for transactions."""

_TOLD = {"row_security": "off", "lc_monetary": "C", "zero_damaged_pages": "off", "ignore_checksum_failure": "off"}
"""Settings that would pass rows over, or print other values, without a word: so it is asked whether they are."""

_NO_CHARACTERS = "SQL_ASCII"

_LOCK_HELD = (
    "SELECT count(*) FROM {locks} l, {database} d WHERE l.locktype = 'advisory' AND l.granted"
    " AND l.classid = '{high}' AND l.objid = '{low}' AND l.objsubid = 1 AND d.catalog_name = {name}"
)


@dataclass(frozen=True)
class _Link:
    """A foreign server by its name here, and what keeps the tables there as they are."""

    server: str
    kept: Kept


@contextmanager
def linking(target: sa.Engine, source: sa.Engine, kept: Kept | None) -> Iterator[sa.Connection]:
    """A connection in a transaction that has a foreign server for the locked source; :func:`insert_select` drops it.

    :raises LinkRefused: the target's server cannot read the source, or reaches another one.
    """
    if kept is None or kept.refused:
        raise LinkRefused(detail=kept.refused if kept else "the source's tables are not locked against writers")
    address = _address(source)
    with target.connect() as connection, paths.given_up_when_broken(connection):
        connection.begin()
        _check_wrapper(connection)
        with _refusals():
            link = _Link(_make(connection, address), kept)
            _check_settings(connection)
            held = _is_held(connection, link)
        if not held:
            lock = "or the session that locked its tables is gone"
            raise LinkRefused(
                detail=f"what the target's server reaches at {_place(address)} is not the job's source, {lock}"
            )
        connection.info[_LINK] = link
        yield connection


def _address(source: sa.Engine) -> dict[str, Any]:
    """The parameters of a connection to the source that the URL has, and those of where it has led the job."""
    with source.connect() as connection:
        info = paths.driver(connection).info
        found = {"host": info.host, "port": info.port, "dbname": info.dbname, "user": info.user, "password": info.password}
        timeout = {"transaction_timeout": "0"} if info.server_version >= _TRANSACTION_TIMEOUT else {}
    given = [str(source.url.query["options"])] if source.url.query.get("options") else []
    found["options"] = " ".join([*given, *(f"-c {name}={value}" for name, value in {**_SETTINGS, **timeout}.items())])
    return {name: value for name, value in {**source.url.query, **found}.items() if value and name not in _OURS}


_OURS = frozenset({"client_encoding", "fallback_application_name"})
"""Parameters of a connection that postgres_fdw sets itself."""


def _place(address: Mapping[str, Any]) -> str:
    return f"{address.get('host', '')}:{address.get('port', '')}/{address['dbname']}"


_WRAPPER = """
SELECT pg_catalog.has_foreign_data_wrapper_privilege(w.oid, 'USAGE') FROM pg_catalog.pg_foreign_data_wrapper w
WHERE w.fdwname = 'postgres_fdw'
"""


def _check_wrapper(connection: sa.Connection) -> None:
    may = connection.exec_driver_sql(_WRAPPER).scalar_one_or_none()
    if may is None:
        raise LinkRefused(detail="the target's database has no postgres_fdw, which a superuser adds: CREATE EXTENSION")
    if not may:
        detail = f"{connection.engine.url.username} may not use postgres_fdw: GRANT USAGE ON FOREIGN DATA WRAPPER"
        raise LinkRefused(detail=detail)


@contextmanager
def _refusals() -> Iterator[None]:
    """:raises LinkRefused: the target's server says no, or that the other does."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or not getattr(getattr(error.orig, "diag", None), "message_primary", None):
            raise
        raise LinkRefused(detail=f"the target's server says: {_said(error.orig)}") from error


_MAPPING = """DO $$BEGIN
EXECUTE pg_catalog.format('CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (%s)',
    pg_catalog.current_setting('migrator.server'), pg_catalog.current_setting('migrator.login'));
END$$"""
"""A server that logs DDL logs the statement as it comes: without the password."""


def _make(connection: sa.Connection, address: Mapping[str, Any]) -> str:
    """Make the foreign server, the user mapping, and what the source says of itself as foreign tables; its name."""
    server = f"migrator_link_{uuid.uuid4().hex}"
    options = {name: str(value) for name, value in address.items() if name not in _LOGIN}
    login = {name: str(address[name]) for name in _LOGIN if name in address}
    execute_verbatim(connection, f"CREATE SERVER {server} FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({_listed(options)})")
    for name, value in (("server", server), ("login", _listed(login))):
        connection.exec_driver_sql("SELECT pg_catalog.set_config(%s, %s, true)", (f"migrator.{name}", value))
    execute_verbatim(connection, _MAPPING)
    connection.exec_driver_sql("SELECT pg_catalog.set_config('migrator.login', '', true)")
    for name, of, columns in _ABOUT:
        _make_table(connection, server, name, of, columns)
    return server


_LOGIN = ("user", "password")

_LOCKS, _DATABASE, _SET, _ROWS = (f"pg_temp.migrator_{name}" for name in ("locks", "database", "settings", "rows"))
_ABOUT = (
    (_LOCKS, QName("pg_catalog", "pg_locks"), "locktype text, classid oid, objid oid, objsubid smallint, granted boolean"),
    (_DATABASE, QName("information_schema", "information_schema_catalog_name"), "catalog_name text"),
    (_SET, QName("pg_catalog", "pg_settings"), "name text, setting text"),
)
"""Foreign tables: their names here, what they are there, their columns."""


def _listed(options: Mapping[str, str]) -> str:
    return ", ".join(f"{quote(name)} {literal(value)}" for name, value in options.items())


def _make_table(connection: sa.Connection, server: str, name: str, of: QName, columns: str) -> None:
    options = _listed({"schema_name": of.schema, "table_name": of.name})
    execute_verbatim(connection, f"CREATE FOREIGN TABLE {name} ({columns}) SERVER {server} OPTIONS ({options})")


def _check_settings(connection: sa.Connection) -> None:
    names = ", ".join(map(literal, (*_TOLD, "server_encoding")))
    found = execute_verbatim(connection, f"SELECT name, setting FROM {_SET} WHERE name IN ({names})")
    there = {row.name: row.setting for row in found}
    here = connection.exec_driver_sql("SELECT pg_catalog.current_setting('server_encoding')").scalar_one()
    if _NO_CHARACTERS in {here, there["server_encoding"]}:
        raise LinkRefused(detail=f"texts are not converted from {there['server_encoding']} to {here}")
    other = {name: there.get(name) for name, value in _TOLD.items() if there.get(name) != value}
    if other:
        told = ", ".join(f"{name} = {value}" for name, value in other.items())
        raise LinkRefused(detail=f"sessions that the target's server opens at the source have {told}")


def _is_held(connection: sa.Connection, link: _Link) -> bool:
    """Whether the far end is the source's database, and its tables are kept as they are."""
    number, _, database = link.kept.name.partition(" ")
    high, low = divmod(int(number), 1 << 32)
    named = {"locks": _LOCKS, "database": _DATABASE, "high": high, "low": low, "name": literal(database)}
    return bool(execute_verbatim(connection, _LOCK_HELD.format(**named)).scalar_one())


# --- rows -----------------------------------------------------------------------------------------------------------


def insert_select(connection: sa.Connection, load: Load, read: Read) -> int:
    """Store the rows of a read by one INSERT … SELECT from a foreign table, and drop all that the link is made of.

    :raises ConnectionLost: the session that locked the source's tables is gone.
    """
    link: _Link = connection.info[_LINK]
    pairs = list(enumerate(zip(load.source, paths.targets(connection, load), strict=True)))
    columns = ", ".join(f"c{n} {b.declared} OPTIONS (column_name {literal(a.name)})" for n, (a, b) in pairs)
    _make_table(connection, link.server, _ROWS, read.part or read.table, columns)
    rows = f"{_ROWS} WHERE {read.condition}" if read.condition else _ROWS
    into = ", ".join(quote(column.name) for column in load.target)
    listed = f" ({into})" if into else ""
    values = ", ".join(f"c{n}" for n, _ in pairs)
    insert = f"INSERT INTO {paths.qualified(load.table)}{listed} OVERRIDING SYSTEM VALUE SELECT {values} FROM {rows}"
    stored = execute_verbatim(connection, insert).rowcount
    sent = int(execute_verbatim(connection, f"SELECT count(*) FROM {rows}").scalar_one())
    if stored != sent:
        raise RowCountDiffers(table=load.title, sent=sent, stored=stored, detail="a trigger or rule left rows out?")
    if not _is_held(connection, link):
        raise ConnectionLost(detail="the session that locked the source's tables is gone")
    execute_verbatim(connection, f"DROP SERVER {link.server} CASCADE")
    return stored


_FAITHFUL = STREAMED_NATIVE | frozenset(
    """
    int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
    oid xid xid8 cid tid
    """.split()  # noqa: SIM905
)
"""Native types whose text every server prints and reads alike."""


def uncertain(columns: Sequence[Column]) -> str:
    """See :meth:`migrator.adapter.Adapter.uncertain`: values pass as texts, which say nothing of names, and of the parts of
    a type that each database defines."""
    found = [f"{column.name} is of type {column.native}" for column in columns if not _passes(column.type)]
    return f"{', '.join(found)}: what its text means depends on the database" if found else ""


def _passes(type_: t.Type) -> bool:
    match t.base_of(type_):
        case t.Native(dialect=dialect, declaration=declaration):
            return dialect == DIALECT and declaration in _FAITHFUL
        case t.Array(element=element):
            return _passes(element)
        case _:
            return True


def same_values(load: Load) -> bool:
    """Whether columns are declared alike; the names of types that are objects may differ by their schemas only."""
    return all(a.type == b.type and _declared_alike(a, b) for a, b in zip(load.source, load.target, strict=True))


def _declared_alike(source: Column, target: Column) -> bool:
    element = source.type.element if isinstance(source.type, t.Array) else source.type
    match element:
        case t.Domain(base=t.Interval()):  # one of fewer fields drops the others, and no declaration shows which it has
            return False
        case t.Domain():
            return True
        case t.Enum(name=name) if name is not None:
            return True
        case _:
            return source.native == target.native
