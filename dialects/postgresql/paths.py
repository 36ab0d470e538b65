"""PostgreSQL's data paths: COPY TO and FROM in binary, and INSERT for the conventional path.

psycopg starts and ends each COPY; between, rows are taken from libpq directly, since one message holds one row and a
generator per row would cost more than the row.
"""

from __future__ import annotations

import itertools
import re
import selectors
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import errors, pq

from migrator import arrow
from migrator.adapter import Load, Read, Snapshot, execute_verbatim
from migrator.errors import InternalError, NoNumberedState, RowCountDiffers, TextNotCarried, ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column, QName

from . import copy_binary, copy_in, locks, queries, round_trip
from .copy_in import Encoded, Target
from .types import DIALECT, STREAMED_NATIVE, quote

PIECE = 256 << 10

SESSION = (
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),  # what pg_dump uses: months, days and time apart, signs on each
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("standard_conforming_strings", "on"),
    ("check_function_bodies", "off"),  # a routine may be made before what its text names
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("array_nulls", "on"),  # else NULL within an array's text is a text
    ("transform_null_equals", "off"),  # else x = NULL becomes x IS NULL in what is made
    ("backslash_quote", "safe_encoding"),
    ("xmloption", "content"),  # else a text that is no whole document is no xml
    ("xmlbinary", "base64"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("timezone_abbreviations", "Default"),
    ("quote_all_identifiers", "off"),
    ("gin_fuzzy_search_limit", "0"),  # else an index finds only some of the rows that meet a condition
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("session_replication_role", "origin"),  # else neither triggers nor foreign keys see the rows that come
    ("zero_damaged_pages", "off"),  # else rows of damaged blocks are passed over
    ("ignore_checksum_failure", "off"),
)
"""Settings of every connection, so that values are written and read exactly, nothing times out and no row is passed over.

Those that a version does not know are left out. One that has another value is set, and a user who may not set it is told
so: an administrator has given that user what would change or lose rows.
"""

READING = (
    ("search_path", ""),  # names inside values (regclass …) are qualified
    ("row_security", "off"),  # a policy that would hide rows is an error instead, unless a read asks for its policies
    ("synchronize_seqscans", "off"),
    ("lock_timeout", "60s"),  # for what cannot be locked before it is read, see :mod:`.locks`
)
"""Settings of a transaction that reads rows."""


_SET_SESSION = """
SELECT pg_catalog.set_config(name, value, false)
FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) s (name, value)
WHERE pg_catalog.current_setting(name, true) <> value
"""


def prepare_session(connection: psycopg.Connection[Any]) -> None:
    """Set :data:`SESSION` on a fresh driver connection, outside any transaction."""
    connection.autocommit = True
    connection.execute(_SET_SESSION, [list(part) for part in zip(*SESSION, strict=True)])
    connection.autocommit = False


def driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection beneath; SQLAlchemy has begun a transaction on it, so that its commit will commit."""
    if not connection.in_transaction():
        connection.begin()
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def qualified(name: QName) -> str:
    """A table's name as SQL writes it."""
    return f"{quote(name.schema)}.{quote(name.name)}"


# --- transactions ---------------------------------------------------------------------------------------------------


@contextmanager
def snapshot(engine: sa.Engine, readers: int) -> Iterator[Snapshot]:
    """Export a snapshot and hold its transaction open."""
    with _read_only(engine) as connection:
        token = connection.exec_driver_sql("SELECT pg_catalog.pg_export_snapshot()").scalar_one()
        yield Snapshot(str(token), readers=None)


_SNAPSHOT_NAME = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{8}-[0-9]{1,10}")


@contextmanager
def numbered(engine: sa.Engine, name: str) -> Iterator[Snapshot]:
    """A snapshot that another session has exported, exported anew: that session may then end.

    :raises NoNumberedState: there is none of that name in this database.
    """
    if not _SNAPSHOT_NAME.fullmatch(name):
        raise NoNumberedState(detail=f"'{name}' is no name that pg_export_snapshot() gives")
    with _read_only(engine) as connection:
        try:
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{name}'")
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, _NO_SNAPSHOT):
                raise
            raise NoNumberedState(detail=error.orig.diag.message_primary) from error
        token = connection.exec_driver_sql("SELECT pg_catalog.pg_export_snapshot()").scalar_one()
        yield Snapshot(str(token), readers=None)


_NO_SNAPSHOT = (
    errors.UndefinedObject,
    errors.InvalidParameterValue,
    errors.FeatureNotSupported,
    errors.ObjectNotInPrerequisiteState,
)
"""There is no such snapshot, it is not valid any more, or it is of another database."""


@contextmanager
def reading(engine: sa.Engine, of: Snapshot) -> Iterator[sa.Connection]:
    """A read-only transaction on an exported snapshot."""
    with _read_only(engine) as connection:
        if of.token is not None:
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{of.token}'")
        for name, value in READING:
            connection.exec_driver_sql("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        yield connection


@contextmanager
def _read_only(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection, given_up_when_broken(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection


@contextmanager
def given_up_when_broken(connection: sa.Connection) -> Iterator[None]:
    """Let SQLAlchemy know when the driver's connection is no more, so that nothing is rolled back through it.

    Else the error of rolling back would hide the one that tells why.
    """
    used = connection.connection.driver_connection
    assert isinstance(used, psycopg.Connection)
    try:
        yield
    finally:
        if used.closed and not connection.invalidated and not connection.closed:
            connection.invalidate()


# --- reading --------------------------------------------------------------------------------------------------------


def query(connection: sa.Connection, read: Read, *, cast: bool = True) -> str:
    """The SELECT of a read; ``cast``: in the forms that :mod:`.copy_binary` decodes, else in each type's own."""
    columns = ", ".join(copy_binary.selected(c, quote(c.name)) if cast else quote(c.name) for c in read.columns)
    return f"SELECT {columns} FROM {rows_of(connection, read)}"


def row_security(connection: sa.Connection, *, hiding: bool) -> None:
    """Let policies hide rows from the transaction's next statements, or make it an error if they would."""
    shown = "on" if hiding else "off"
    connection.exec_driver_sql("SELECT pg_catalog.set_config('row_security', %s, true)", (shown,))


def rows_of(connection: sa.Connection, read: Read) -> str:
    """What follows FROM in a query about the rows of a read, which is to come next: row security is set as it asks.

    :raises TableLocked: another session is about to alter, empty or drop the table.
    """
    relation = qualified(read.part or read.table)
    row_security(connection, hiding=read.policies)
    kind = _kind(connection, relation)
    own = _without_heirs(relation, kind)
    if kind in _LOCKABLE:
        locks.hold(connection, [own])
    return f"{own} WHERE {read.condition}" if read.condition else own


_LOCKABLE = frozenset({"r", "p"})
"""The kinds of relations that LOCK TABLE takes: tables."""


def _kind(connection: sa.Connection, relation: str) -> str:
    sql = "SELECT relkind FROM pg_catalog.pg_class WHERE oid = %s::pg_catalog.regclass"
    return str(connection.exec_driver_sql(sql, (relation,)).scalar_one())


def _without_heirs(relation: str, kind: str) -> str:
    return relation if kind == "p" else f"ONLY {relation}"


def _own(connection: sa.Connection, relation: str) -> str:
    """What follows FROM in a query about all rows of a table: rows of inheriting tables are theirs."""
    return _without_heirs(relation, _kind(connection, relation))


def count(connection: sa.Connection, table: QName) -> int:
    """How many rows a table has of its own."""
    own = _own(connection, qualified(table))
    return int(execute_verbatim(connection, f"SELECT count(*) FROM {own}").scalar_one())


_OWNED_SEQUENCES = f"""
SELECT a.attname, n.nspname, c.relname, s.seqincrement, {queries.OF_NUMBERS} AS of_numbers
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.deptype IN ('a', 'i')
  AND d.refobjid = %s::pg_catalog.regclass
"""


def raise_identities(connection: sa.Connection, table: QName) -> dict[str, int | None]:
    """Set sequences that a table's columns own to the last value there is, if it is beyond; those values.

    None: what the column has is no number, so that nobody knows which of the sequence's are in it.
    """
    relation = qualified(table)
    own = _own(connection, relation)
    raised: dict[str, int | None] = {}
    for column, schema, name, increment, of_numbers in connection.exec_driver_sql(_OWNED_SEQUENCES, (relation,)).all():
        if not of_numbers:
            raised[column] = None
            continue
        sequence = qualified(QName(schema, name))
        last, beyond = ("max", ">") if increment > 0 else ("min", "<")
        numbers = queries.sequence_values(quote(column))
        sql = f"""SELECT pg_catalog.setval('{sequence.replace("'", "''")}', r.last)
            FROM (SELECT {last}({quote(column)})::bigint AS last FROM {own} WHERE {numbers}) r, {sequence} s
            WHERE r.last {beyond} s.last_value - CASE WHEN s.is_called THEN 0 ELSE {increment} END"""
        found = execute_verbatim(connection, sql).scalar_one_or_none()
        if found is not None:
            raised[column] = int(found)
    return raised


def batches(connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow."""
    sql = f"COPY ({query(connection, read)}\n) TO STDOUT (FORMAT binary)"
    header = len(copy_binary.HEADER)
    first = True
    for messages in copy_out(driver(connection), sql, arrow.BATCH_BYTES):
        rows = messages
        if first:  # the header shares a message with the first row
            rows = [messages[0][header:], *messages[1:]]
            first = False
        if rows[-1] == copy_binary.TRAILER:
            rows = rows[:-1]
        rows = rows if not rows or rows[0] else rows[1:]
        if rows:
            yield copy_binary.decode(rows, read.columns)


def stream(connection: sa.Connection, read: Read, sent: Callable[[int], None]) -> Iterator[bytes]:
    """The rows as COPY BINARY writes them, header and trailer included."""
    sql = f"COPY ({query(connection, read, cast=False)}\n) TO STDOUT (FORMAT binary)"
    rows = 0
    for messages in copy_out(driver(connection), sql, PIECE):
        rows += len(messages)
        yield b"".join(messages)
    sent(rows - 1)  # the last message is the trailer


def digest(connection: sa.Connection, read: Read) -> tuple[int, int]:
    """The number of rows, and the sum of the hashes of their texts: they have NULL as nothing, and quotes around ``''``."""
    row = f"ROW({', '.join(quote(column.name) for column in read.columns)})::text"
    source = rows_of(connection, read)
    found = execute_verbatim(
        connection, f"SELECT count(*), coalesce(sum(hashtextextended({row}, 0)), 0)::text FROM {source}"
    ).one()
    return int(found[0]), int(found[1])


def copy_out(connection: psycopg.Connection[Any], sql: str, size: int) -> Iterator[list[bytes]]:
    """The messages of a COPY TO, in lists of about ``size`` bytes: one a row, in binary the first with the header before it,
    and the trailer.

    :raises InternalError: it did not send as many rows as it says.
    """
    wire = connection.pgconn
    binary = sql.endswith("(FORMAT binary)")
    with connection.cursor() as cursor, cursor.copy(sql.encode()), selectors.DefaultSelector() as socket:
        socket.register(wire.socket, selectors.EVENT_READ)
        messages: list[bytes] = []
        count, held, take = 0, 0, wire.get_copy_data
        while True:
            length, message = take(1)
            if length > 0:
                messages.append(bytes(message))
                held += length
                if held >= size:
                    count += len(messages)
                    yield messages
                    messages, held = [], 0
            elif length == 0:
                socket.select()
                wire.consume_input()
            else:
                break
        said = _rows_said(wire)  # which ends the COPY: nothing is left for psycopg to take
        count += len(messages) - binary
        if said != count:
            raise InternalError(detail=f"COPY says that it sent {said} rows, and {count} came")
        if messages:
            yield messages


def _rows_said(wire: psycopg.pq.abc.PGconn) -> int:
    """How many rows the server says that a COPY has sent, whose messages have all come.

    :raises Error: it has ended with an error.
    """
    result = wire.get_result()
    while wire.get_result() is not None:
        pass
    if result is None or result.status != pq.ExecStatus.COMMAND_OK:
        raise InternalError(detail="COPY ended without a result") if result is None else errors.error_from_result(result)
    return result.command_tuples or 0


# --- writing --------------------------------------------------------------------------------------------------------

_TARGETS = """
WITH RECURSIVE base AS (
    SELECT a.attname, t.oid, t.typtype, t.typbasetype,
           CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS declared
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attname, t.oid, t.typtype, t.typbasetype,
           CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE b.modifier END, b.declared
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT b.attname, CASE WHEN t.typtype = 'e' THEN 'enum' WHEN n.nspname = 'pg_catalog' THEN t.typname ELSE '' END,
       b.modifier, b.declared,
       CASE WHEN e.typtype = 'e' OR (e.typtype = 'b' AND e.typnamespace = 'pg_catalog'::pg_catalog.regnamespace)
            THEN pg_catalog.format_type(e.oid, b.modifier) ELSE '' END
FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typlen = -1 AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
WHERE b.typtype <> 'd'
"""


def targets(connection: sa.Connection, load: Load) -> list[Target]:
    """The columns of a load as the table has them now."""
    rows = connection.exec_driver_sql(_TARGETS, (qualified(load.table),))
    found = {name: Target(name, *described) for name, *described in rows}
    pairs = zip(load.source, load.target, strict=True)
    return [replace(found.get(b.name) or Target(b.name, ""), parses=a.native != "jsonb") for a, b in pairs]


def load(connection: sa.Connection, into: Load, rows: Iterable[pa.RecordBatch]) -> int:
    """Store batches, by COPY or (conventional) by INSERT."""
    columns = targets(connection, into)
    looked_at = round_trip.looked_at(columns, into)
    if not looked_at:
        return _store(connection, into, rows, columns)
    stored = 0
    for batch in rows:  # each by itself: during a COPY the server answers no question
        arrays = arrow.conform(batch, into.source, into.target)
        for place in looked_at:
            copy_in.refuse_changes(arrays[place], columns[place])
            texts = arrow.as_text(arrays[place], into.source[place].type)
            round_trip.refuse_changes(driver(connection), columns[place], texts)
        stored += _store(connection, into, [batch], columns)
    return stored


def _store(connection: sa.Connection, into: Load, rows: Iterable[pa.RecordBatch], columns: Sequence[Target]) -> int:
    if into.conventional:
        return _insert(connection, into, rows, columns)
    return _copy_into(connection, into, _encoded(into, rows, columns))


def _encoded(into: Load, rows: Iterable[pa.RecordBatch], columns: Sequence[Target]) -> Iterator[Encoded]:
    for batch in rows:
        arrays = arrow.conform(batch, into.source, into.target)
        yield copy_in.prepare(arrays, batch.num_rows, columns)


def _copy_into(connection: sa.Connection, into: Load, encoded: Iterable[Encoded]) -> int:
    sent = stored = 0
    with driver(connection).cursor() as cursor:
        for format_, group in itertools.groupby(encoded, key=lambda item: item.format):
            encode = copy_in.copy_rows if format_ == "binary" else copy_in.copy_lines
            with cursor.copy(_copy_from(into, format_)) as copy:
                if format_ == "binary":
                    copy.write(copy_binary.HEADER)
                for item in group:
                    sent += item.batch.num_rows
                    for piece in encode(item.batch):
                        copy.write(piece)
                if format_ == "binary":
                    copy.write(copy_binary.TRAILER)
            stored += cursor.rowcount
    return _counted(into.title, sent, stored)


def _copy_from(into: Load, format_: copy_in.Format) -> bytes:
    names = ", ".join(quote(column.name) for column in into.target)
    listed = f" ({names})" if names else ""
    return f"COPY {qualified(into.table)}{listed} FROM STDIN (FORMAT {format_})".encode()


def _counted(table: QName, sent: int, stored: int) -> int:
    if sent != stored:
        raise RowCountDiffers(table=table, sent=sent, stored=stored, detail="a trigger or rule left rows out?")
    return stored


def _insert(connection: sa.Connection, into: Load, rows: Iterable[pa.RecordBatch], columns: Sequence[Target]) -> int:
    """Rows one by one through the SQL engine, in pipelines; the server's own parser reads each value, as in COPY's text."""
    names = ", ".join(quote(column.name) for column in into.target).replace("%", "%%")
    marks = ", ".join(["%s"] * len(columns))
    values = f"({names}) OVERRIDING SYSTEM VALUE VALUES ({marks})" if names else "DEFAULT VALUES"
    sql = f"INSERT INTO {qualified(into.table).replace('%', '%%')} {values}"
    sent = stored = 0
    with driver(connection).cursor() as cursor:
        for batch in rows:
            if not batch.num_rows:
                continue
            arrays = arrow.conform(batch, into.source, into.target)
            texts = copy_in.texts(arrays, columns)
            try:
                cursor.executemany(sql, list(zip(*texts, strict=True)) if texts else [()] * batch.num_rows)
            except errors.DataError as error:
                raise about_column(error, columns, driver(connection).info.server_version < 130000) from error
            sent += batch.num_rows
            stored += cursor.rowcount
    return _counted(into.title, sent, stored)


_PARAMETER = re.compile(r"portal (?:\"\" )?parameter \$(\d+)")


_TYPE = re.compile(
    r"""invalid\ input\ syntax\ for\ type\ ([^":]+)(?::\ ".*)?
    | invalid\ input\ value\ for\ enum\ ((?:"(?:[^"]|"")*"|[^":])+):\ ".*
    | (?:value\ )?".*"\ is\ out\ of\ range\ for\ type\ (.+)
    | (?:value\ too\ long\ for|bit\ string\ too\ long\ for|bit\ string\ length\ \d+\ does\ not\ match)\ type\ (.+)""",
    re.DOTALL | re.VERBOSE,
)
"""What the server says of a value, and of which type; the value may have any words in it."""
_MODIFIER = re.compile(r"\([\d,-]+\)| without time zone")
_GEOMETRIC = frozenset({"point", "line", "lseg", "box", "path", "polygon", "circle"})


def about_column(error: errors.DataError, columns: Sequence[Target], names_types: bool) -> Exception:
    """The error about the column whose value the server could not read, where it says which parameter that was.

    ``names_types``: the server is of a version before 13, and names the type at most: the column is the one of that type, or
    one of those. What a function says that runs meanwhile is about no column.
    """
    context, message = error.diag.context or "", error.diag.message_primary or ""
    told: list[Target] = []
    if found := _PARAMETER.search(context):
        told = [columns[int(found[1]) - 1]]
    elif names_types and not context and (named := _TYPE.fullmatch(message)):
        told = [column for column in columns if _is_said(column, next(filter(None, named.groups())))]
    if not told:
        return error
    detail = " ".join(part for part in (error.diag.message_primary, error.diag.message_detail) if part)
    about_text = isinstance(error, errors.CharacterNotInRepertoire | errors.UntranslatableCharacter)
    refusal = TextNotCarried if about_text else ValueNotCarried
    return refusal(column=" or ".join(target.column for target in told), detail=detail)


def _is_said(target: Target, type_: str) -> bool:
    """Whether what a message says of a type may be about a column: what may have others in it is never ruled out."""
    inside = "double precision" if target.type in _GEOMETRIC else target.said.replace("jsonb", "json")
    return not target.said or type_ in {target.said, _MODIFIER.sub("", target.said), inside}


def load_stream(connection: sa.Connection, into: Load, pieces: Iterable[bytes]) -> int:
    """Store the bytes of another COPY BINARY; empty input is a stream cut short and refused by PostgreSQL."""
    return copy_pieces(connection, into, pieces, "binary")


def copy_pieces(connection: sa.Connection, into: Load, pieces: Iterable[bytes], format_: copy_in.Format) -> int:
    """Store what is in one of COPY's formats already; the number stored."""
    with driver(connection).cursor() as cursor:
        with cursor.copy(_copy_from(into, format_)) as copy:
            for joined in _joined(pieces):
                copy.write(joined)
        return cursor.rowcount


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    held = 0
    for piece in pieces:
        waiting.append(piece)
        held += len(piece)
        if held >= PIECE:
            yield b"".join(waiting)
            waiting, held = [], 0
    if waiting:
        yield b"".join(waiting)


def same_stream(into: Load) -> bool:
    """Whether the binary form of every source column means the same to its target column."""
    pairs = zip(into.source, into.target, strict=True)
    return not into.conventional and all(a.type == b.type and _streams(a, b) for a, b in pairs)


def _streams(source: Column, target: Column) -> bool:
    match t.base_of(source.type):
        case t.Native(dialect=dialect, declaration=declaration):
            return dialect == DIALECT and declaration in STREAMED_NATIVE
        case t.Array(element=element):  # an array's binary form holds its element type's object identifier
            stable = not isinstance(element, t.Native | t.Enum | t.Domain | t.Array)
            return stable and source.native == target.native != ""
        case t.Interval():  # one of fewer fields drops the others, and of a domain no declaration shows which it has
            return source.native == target.native and not isinstance(source.type, t.Domain)
        case t.Xml():  # its binary form may name an encoding
            return False
        case _:
            return True
