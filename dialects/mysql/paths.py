"""How rows leave and enter MySQL: sessions, the bulk reader, LOAD DATA LOCAL and multi-row INSERT."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pymysql import err

from migrator.adapter import Load, Read, Snapshot, execute_verbatim
from migrator.arrow import BATCH_BYTES, arrow_type, as_text, batch_of, conform, parse, prefetch, text_or_bytes
from migrator.errors import (
    CheckBroken,
    ConnectionLost,
    InsufficientPrivilege,
    RowCountDiffers,
    RowNotCarried,
    TableLocked,
    TextNotCarried,
    ValueNotCarried,
    abridged,
)
from migrator.model import types as t
from migrator.model.objects import Column, QName

from . import error_values, foreign, wire
from .dictionary import flavor
from .messages import about, no_text, unopened
from .names import SQL_MODE, qualified, quote
from .types import NO_DATES, is_geometry, rounded_to

_ANYWHERE = {
    "time_zone": "'+00:00'",
    "sql_mode": f"'{SQL_MODE}'",
    "sql_notes": "1",
    "net_write_timeout": "86400",
    "net_read_timeout": "86400",
    "group_concat_max_len": "1048576",
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    "sql_buffer_result": "0",
    "sql_auto_is_null": "0",
    "sql_safe_updates": "0",
    "sql_quote_show_create": "1",
    "completion_type": "'NO_CHAIN'",
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "max_sort_length": "1024",
    "div_precision_increment": "4",
    "default_week_format": "0",
    "lc_time_names": "'en_US'",
    "default_tmp_storage_engine": "InnoDB",
}
_ON_MARIADB = {
    "tx_isolation": "'REPEATABLE-READ'",
    "max_error_count": "1024",
    "system_versioning_asof": "DEFAULT",
    "check_constraint_checks": "1",
    "explicit_defaults_for_timestamp": "1",
    "max_statement_time": "0",
    "old_mode": "'UTF8_IS_UTF8MB3'",
    "default_regex_flags": "''",
    "sql_if_exists": "0",
}
_ON_MYSQL = {"transaction_isolation": "'REPEATABLE-READ'", "max_execution_time": "0"}


def _session() -> str:
    groups = (_ANYWHERE, _ON_MARIADB, _ON_MYSQL)
    everywhere, mariadb, mysql = (", ".join(f"{name} = {value}" for name, value in group.items()) for group in groups)
    return f"SET SESSION {everywhere} /*M! , {mariadb} */ /*!80000 , {mysql} */"


SESSION = _session()
"""What every session sets, whatever the server's own settings are: those that cut results, change them, or check less, among
them all that an expression's value depends on. Zero dates are left possible: they come from MySQL itself. Notes count as
warnings, since the cut of a decimal is only a note."""

INSERT_BYTES = 1 << 20
"""About how long a multi-row INSERT is."""


def driver_of(connection: sa.Connection) -> Any:
    """PyMySQL's connection."""
    return connection.connection.dbapi_connection


# --- sessions -------------------------------------------------------------------------------------------------------


_HELD: dict[str, sa.Connection] = {}
"""The reading connections of this process by their snapshot's token."""


BEGAN = "migrator.began"
"""Under this name a reading connection's ``info`` holds the :func:`position` at which its snapshot began."""


PAST = "migrator.past"
"""Under this name it holds the time whose state it reads, if that is a past one."""


def position(connection: sa.Connection) -> tuple[str, str]:
    """The server's time and, where it logs transactions by number (GTID), the last one."""
    logged = "@@GLOBAL.gtid_binlog_pos" if flavor(connection).mariadb else "@@GLOBAL.gtid_executed"
    time, last = connection.exec_driver_sql(f"SELECT CAST(SYSDATE() AS CHAR), {logged}").one()
    return str(time), str(last or "")


_WAIT = 60
"""How many seconds to wait for a session that has a table for itself."""


@contextmanager
def snapshot(engine: sa.Engine, readers: int, past: str | None = None) -> Iterator[Snapshot]:
    """A state that one connection sees from now on; MySQL has no name for it that a second one could ask for.

    ``past``: of system-versioned tables that of this time.
    """
    note = "MySQL cannot share a snapshot between connections: one reader" if readers > 1 else ""
    token = uuid.uuid4().hex
    with engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_WAIT}")
        connection.info[BEGAN] = position(connection)
        if past is not None:
            connection.exec_driver_sql("SET SESSION system_versioning_asof = %s", (past,))
            connection.info[PAST] = past
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        _HELD[token] = connection
        try:
            with given_up_when_broken(connection):
                yield Snapshot(token, 1, note)
        finally:
            del _HELD[token]


@contextmanager
def reading(snapshot: Snapshot) -> Iterator[sa.Connection]:
    """The connection that holds the snapshot.

    :raises ConnectionLost: it is gone, and its state with it.
    """
    connection = _HELD.get(snapshot.token or "")
    if connection is None or connection.invalidated:
        raise ConnectionLost(detail="the connection that held the snapshot is gone")
    yield connection


def secure(connection: sa.Connection, tables: Sequence[QName]) -> None:
    """See :meth:`migrator.adapter.Adapter.secure`; a table that cannot be opened says so when its rows are read."""
    for table in tables:
        try:
            execute_verbatim(connection, f"SELECT NULL FROM {qualified(table)} LIMIT 0")
        except sa.exc.DBAPIError as error:
            code, message = cast(Any, error.orig).args
            trouble = about(code, message)
            if trouble == "lock":
                raise TableLocked(detail=f"{message}: {table}") from error
            if trouble == "connection":
                raise


ANY_DAY = f"{SQL_MODE},ALLOW_INVALID_DATES"
"""The mode in which 31 February is a day, and 31 September."""

_DATES = {"date", "datetime", "timestamp"}
_MODE = "migrator.mode"
"""Under this name a writing connection's ``info`` holds its mode, if it was changed."""


def keeps_any_day(load: Load) -> bool:
    """Whether there are dates, from dates only. These may be days that no calendar has, as in MySQL; texts may not."""
    from_dates = [_is_date(source) for source, target in zip(load.source, load.target, strict=True) if _is_date(target)]
    return bool(from_dates) and all(from_dates)


def _is_date(column: Column) -> bool:
    return isinstance(t.base_of(column.type), t.Date | t.Timestamp)


def set_mode(connection: sa.Connection, load: Load) -> str:
    """Let the session take the days that the source has, unless it would compute others then than the source; its mode."""
    computes_dates = not _DATES.isdisjoint(_computed(connection, load.title).values())
    wanted = ANY_DAY if keeps_any_day(load) and not computes_dates else SQL_MODE
    if connection.info.get(_MODE) != wanted:
        connection.exec_driver_sql(f"SET SESSION sql_mode = '{wanted}'")
        connection.info[_MODE] = wanted
    return wanted


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection for loading rows, in a transaction that the caller commits."""
    with engine.connect() as connection:
        if connection.exec_driver_sql("SHOW SESSION VARIABLES LIKE 'note_verbosity'").first():  # by no version's rule
            connection.exec_driver_sql("SET SESSION note_verbosity = 'basic'")
        connection.rollback()
        connection.begin()
        yield connection


_SAVEPOINTS = """
SELECT e.savepoints AS savepoints FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = :schema AND t.table_name = :name
"""


def takes_back(connection: sa.Connection, table: QName) -> bool:
    """Whether a table's storage engine can go back to a savepoint."""
    found = connection.execute(sa.text(_SAVEPOINTS), {"schema": table.schema, "name": table.name}).scalar_one_or_none()
    return found == "YES"


@contextmanager
def unchecked_references(connection: sa.Connection) -> Iterator[None]:
    """Foreign keys are not checked, while the context lasts."""
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    try:
        yield
    finally:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


@contextmanager
def given_up_when_broken(connection: sa.Connection) -> Iterator[None]:
    """Let SQLAlchemy know when the driver's connection is no more, so that nothing is rolled back through it.

    Else the error of rolling back would hide the one that tells why.
    """
    driver = driver_of(connection)
    try:
        yield
    finally:
        if not driver.open and not connection.invalidated and not connection.closed:
            connection.invalidate()


# --- reading --------------------------------------------------------------------------------------------------------


_AS_SENT = frozenset({"utf8mb4", "latin1", "binary"})
"""Character sets whose every byte the server sends as one certain UTF-8 text (MySQL's latin1 has all 256 characters)."""

_AS_STORED = frozenset({"utf8mb3", "utf8", "ascii"})
"""Character sets whose bytes are UTF-8 as they are; the server would make a question mark of a wrong one."""

_CHARSETS = """
SELECT column_name AS column_name, character_set_name AS character_set_name FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :name AND character_set_name IS NOT NULL
"""


def character_sets(connection: sa.Connection, table: QName) -> dict[str, str]:
    """The character set of each column that has one."""
    rows = connection.execute(sa.text(_CHARSETS), {"schema": table.schema, "name": table.name})
    return {row.column_name: row.character_set_name for row in rows}


def select_item(column: Column, charset: str | None) -> str:
    """A column in the SELECT list, such that its text is exact.

    Texts of other character sets are converted by the server and back: where that is not the same, the first bytes come
    after 0xFF, so that they cannot be taken for UTF-8. No function is asked that gives NULL for values longer than
    max_allowed_packet, as CAST and HEX do.
    """
    name = quote(column.name)
    match t.base_of(column.type):
        case t.Enum(labels=labels) if "" in labels:
            return error_values.told(name, _exact_text(name, charset or "binary"))
        case t.Float():  # a FLOAT is printed with 6 digits, and FLOAT(7,3) with 3 after the point
            return f"{name} * 1e0"
        case t.Bit(length=length):
            return f"LPAD(BIN({name}), {length}, '0')"
        case _ if charset is None or charset in _AS_SENT:
            return name
        case _:
            return _exact_text(name, charset)


def _exact_text(name: str, charset: str) -> str:
    """The bytes of a text, in UTF-8 where that is the same."""
    stored, converted = f"CONVERT({name} USING binary)", f"CONVERT({name} USING utf8mb4)"
    if charset in _AS_STORED or charset == "binary":
        return stored
    if charset in _AS_SENT:
        return f"CONVERT({converted} USING binary)"
    same = f"CONVERT(CONVERT({converted} USING {charset}) USING binary) = {stored}"
    wrong = f"CONCAT(X'FF', SUBSTRING({stored}, 1, 40))"
    return f"CASE WHEN {name} IS NULL OR {same} THEN CONVERT({converted} USING binary) ELSE {wrong} END"


def rows_of(read: Read) -> str:
    """What follows FROM in a query about the rows of a read."""
    partition = f" PARTITION ({quote(read.part.name)})" if read.part else ""
    condition = f" WHERE {read.condition}" if read.condition else ""
    return f"{qualified(read.table)}{partition}{condition}"


def batches(connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
    """The rows of a table, of about ``BATCH_BYTES`` a batch."""
    charsets = character_sets(connection, read.table)
    any_bytes = {name for name in read.any_bytes if charsets.get(name) in _AS_SENT | _AS_STORED}
    with closing(blocks(connection, read, charsets)) as sent:
        for block in sent:
            columns = zip(block.columns(len(read.columns)), read.columns, strict=True)
            yield batch_of(read.columns, [decode(array, column, column.name in any_bytes) for array, column in columns])


def blocks(connection: sa.Connection, read: Read, charsets: Mapping[str, str]) -> Generator[wire.Block]:
    """The rows as the server sends them, of about ``BATCH_BYTES`` a block; ``charsets``: see :func:`character_sets`."""
    _refuse_hidden(connection, read.table)
    items = ", ".join(select_item(column, charsets.get(column.name)) for column in read.columns)
    driver = driver_of(connection)
    rows = wire.Result(driver, f"SELECT {items} FROM {rows_of(read)}")
    try:
        with closing(prefetch(rows.blocks(BATCH_BYTES), 1)) as sent:  # the server goes on while a block is decoded
            yield from sent
    finally:
        if not rows.complete and driver.open:
            _interrupt(connection)
            rows.discard()


def _refuse_hidden(connection: sa.Connection, table: QName) -> None:
    """Fail if the user may not read all columns of a table: those that are not shown to him would be lost silently."""
    seen: set[QName] = connection.info.setdefault("migrator.seen", set())
    if table not in seen:
        try:
            execute_verbatim(connection, f"SELECT * FROM {qualified(table)} LIMIT 0")
        except sa.exc.DBAPIError as error:
            refused = unopened(error)
            if refused is None or refused.rule != "privileges":
                raise
            detail = f"SELECT on all columns of {table}, those that are not shown would be lost: {refused.text}"
            raise InsufficientPrivilege(detail=detail) from error
        seen.add(table)


def digest(connection: sa.Connection, read: Read) -> tuple[int, int] | None:
    """The number of rows, and the sum of the hashes of their values as literals; None: a row exceeds max_allowed_packet."""
    charsets = character_sets(connection, read.table)
    row = ", ".join(f"QUOTE({_bytes_item(column, charsets.get(column.name))})" for column in read.columns)
    hashed = f"CAST(CONV(LEFT(SHA2(CONCAT({row}), 256), 16), 16, 10) AS UNSIGNED)"
    sql = f"SELECT COUNT(*), COALESCE(SUM({hashed}), 0) FROM {rows_of(read)}"
    found = execute_verbatim(connection, sql).one()
    warned = connection.exec_driver_sql(
        "SELECT @@warning_count"
    ).scalar_one()  # CONCAT gives NULL then, which SUM passes over
    return None if warned else (int(found[0]), int(found[1]))


def _bytes_item(column: Column, charset: str | None) -> str:
    """A column's value such that equal bytes are equal texts, whatever the character set."""
    item = select_item(column, charset)
    if charset not in _AS_SENT:
        return item
    return f"CAST({item} AS BINARY)" if charset != "latin1" else f"CAST(CONVERT({item} USING utf8mb4) AS BINARY)"


def _interrupt(connection: sa.Connection) -> None:
    """Let the server break off what it sends, from a second session: the first keeps its transaction and its snapshot."""
    thread = int(driver_of(connection).thread_id())
    with connection.engine.connect() as other:
        other.exec_driver_sql(f"KILL QUERY {thread}")


def decode(array: pa.Array, column: Column, any_bytes: bool = False) -> pa.Array:
    """The texts that MySQL sends, in the Arrow form of the column's type; with ``any_bytes`` as bytes if one is no text.

    :raises ValueNotCarried: text that is not UTF-8, or an error value that reads like a label.
    """
    type_ = t.base_of(column.type)
    if isinstance(type_, t.Binary):
        return array
    if is_geometry(type_):
        return pa.array([None if value is None else value.hex().upper() for value in array.to_pylist()], pa.string())
    if isinstance(type_, t.Enum):
        error_values.refuse(array, column.name)
    text = text_or_bytes(array, column.name, any_bytes)
    if pa.types.is_binary(text.type):
        return text
    match type_:
        case t.Float(bits=32):
            return text.cast(pa.float64()).cast(pa.float32())
        case t.Timestamp(zoned=True, precision=precision):
            instants = parse(text, t.Timestamp(precision))
            return instants if pa.types.is_string(instants.type) else instants.cast(pa.timestamp("us", "UTC"))
        case _:
            return parse(text, type_)


# --- values as text -------------------------------------------------------------------------------------------------


def target_arrays(load: Load, batch: pa.RecordBatch) -> list[pa.Array]:
    """A batch's columns as the target's columns take them: text, or bytes for binary columns.

    :raises ValueNotCarried: a value that MySQL would round, or would replace by another.
    """
    arrays = conform(batch, load.source, load.target)
    texts, any_day = [], keeps_any_day(load)
    for array, source, target in zip(arrays, load.source, load.target, strict=True):
        if array.null_count and not target.nullable:  # NULL would become the next number, or the current time
            raise ValueNotCarried(column=target.name, detail="NULL in a column that is NOT NULL")
        if _is_date(target) and not any_day and pa.types.is_string(array.type):
            _refuse_no_day(array, target)
        texts.append(_text(_plain(array, source.type, target.type), source, target))
    return texts


def _plain(array: pa.Array, source: t.Type, target: t.Type) -> pa.Array:
    """Truth values that came as text, as truth values, where MySQL wants a number. What is read by its word keeps it."""
    words = not isinstance(t.base_of(target), _NUMBERS) or not pa.types.is_string(array.type)
    return parse(array, source) if isinstance(t.base_of(source), t.Boolean) and not words else array


_NUMBERS = (t.Boolean, t.Integer, t.Decimal, t.Float)
"""Types of which a truth value is a number: 0 or 1."""


def _text(array: pa.Array, source: Column, target: Column) -> pa.Array:
    type_ = t.base_of(target.type)
    if pa.types.is_binary(array.type):
        _refuse_padding(array, target)
        return array
    if pa.types.is_boolean(array.type):
        return array.cast(pa.int8()).cast(pa.string())
    if pa.types.is_floating(array.type):
        _refuse_more_digits(array, source, target)
        return _float_text(array, target)
    text = as_text(array, source.type)
    foreign.refuse_changes(text, source, target)
    if isinstance(type_, t.String):
        _refuse_long(text, target, type_)
    elif pa.types.is_string(array.type):
        _refuse_beyond(text, target, type_)
    if isinstance(type_, t.Year):  # '0' would be the year 2000
        return pc.utf8_lpad(text, 4, "0")
    came_as_text = text is array  # others have no more than six digits after the second
    if isinstance(type_, t.Time | t.Timestamp | t.Interval) and (type_.precision < 6 or came_as_text):
        _refuse_fraction(text, target, type_.precision)
    if isinstance(type_, t.Bit):
        _refuse_no_bits(text, target, type_)
    return text


def _float_text(array: pa.Array, column: Column) -> pa.Array:
    wide = array.cast(pa.float64())  # the shortest text of a float32 could be rounded twice
    if pc.any(pc.invert(pc.is_finite(wide))).as_py():
        raise ValueNotCarried(column=column.name, detail="NaN and infinities have no place in MySQL")
    return wide.cast(pa.string())


def _refuse_more_digits(array: pa.Array, source: Column, target: Column) -> None:
    """DOUBLE(9,2) rounds to two digits after the point without a warning."""
    digits = rounded_to(target.native)
    if digits is None or source.native == target.native:  # of the source's own product: see Load
        return
    text = array.cast(pa.string())
    beyond = pc.match_substring_regex(text, rf"\.[0-9]{{{digits}}}[0-9]*[1-9]|e-")
    if pc.any(beyond).as_py():
        value = text.filter(pc.fill_null(beyond, False))[0].as_py()
        raise ValueNotCarried(column=target.name, detail=f"{value} has more than {digits} digits after the point")


def _refuse_fraction(text: pa.Array, column: Column, precision: int) -> None:
    """MySQL rounds times silently, MariaDB cuts them: neither may happen."""
    beyond = pc.match_substring_regex(text, rf"\.[0-9]{{{precision}}}[0-9]*[1-9]")
    if pc.any(beyond).as_py():
        value = text.filter(pc.fill_null(beyond, False))[0].as_py()
        raise ValueNotCarried(column=column.name, detail=f"{value} has more than {precision} digits after the second")


def _refuse_padding(array: pa.Array, column: Column) -> None:
    """MySQL fills BINARY up with zeros: other bytes."""
    type_ = t.base_of(column.type)
    if not isinstance(type_, t.Binary) or not type_.fixed:
        return
    if pc.any(pc.less(pc.binary_length(array), type_.length)).as_py():
        raise ValueNotCarried(column=column.name, detail=f"bytes are shorter than {type_.length}: zeros would be added")


_NO_DAYS = r"^\d{4}-(?:02-(?:30|31)|(?:04|06|09|11)-31|(?:1[3-9]|[2-9]\d)-\d\d|\d\d-(?:3[2-9]|[4-9]\d))(?:$|[ T])"
_29_FEBRUARY = r"^\d{4}-02-29(?:$|[ T])"
_LEAP_YEAR = r"^(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-"


def _refuse_no_day(text: pa.Array, column: Column) -> None:
    """Name the day that the server would refuse, but not name."""
    common = pc.invert(pc.match_substring_regex(text, _LEAP_YEAR))
    wrong = pc.or_(pc.match_substring_regex(text, _NO_DAYS), pc.and_(common, pc.match_substring_regex(text, _29_FEBRUARY)))
    _refuse_values(text, wrong, column, "is no day of the calendar")


_BEYOND: tuple[tuple[type[t.Type], str, str], ...] = (
    (t.Date, NO_DATES, "is beyond the years 0 to 9999"),
    (t.Timestamp, NO_DATES, "is beyond the years 0 to 9999"),
    (t.Interval, r"^-?0*(?:839|8[4-9]\d|9\d\d|[1-9]\d{3,}):", "is beyond 838:59:59"),
)
"""Texts that a column of a type refuses, and why: LOAD DATA tells their rows only."""


def _refuse_beyond(text: pa.Array, column: Column, type_: t.Type) -> None:
    """Name the texts that the server would refuse; whole numbers that have come as texts are such if one is out of range."""
    if isinstance(type_, t.Integer):
        wide, held = pa.decimal256(76, 0), np.iinfo(arrow_type(type_).to_pandas_dtype())
        least, most = (pa.scalar(int(limit), wide) for limit in (held.min, held.max))
        whole = pc.match_substring_regex(text, r"^-?\d{1,70}$")
        numbers = pc.if_else(whole, text, pa.scalar(None, pa.string())).cast(wide)
        _refuse_values(
            text, pc.or_(pc.less(numbers, least), pc.greater(numbers, most)), column, f"is out of range of {type_}"
        )
    for kind, pattern, why in _BEYOND:
        if isinstance(type_, kind):
            _refuse_values(text, pc.match_substring_regex(text, pattern), column, why)


def _refuse_long(text: pa.Array, column: Column, type_: t.String) -> None:
    """Name a text that is too long, of which LOAD DATA tells the row only. Lengths in bytes are those of other texts."""
    length = type_.length if type_.unit == "char" else None
    if length is None or (pc.max(pc.binary_length(text)).as_py() or 0) <= length:  # characters are no more than bytes
        return
    counted = pc.utf8_rtrim(text, characters=" ") if type_.fixed else text
    _refuse_values(text, pc.greater(pc.utf8_length(counted), length), column, f"is longer than {length} characters")


def _refuse_values(text: pa.Array, mask: pa.Array, column: Column, why: str) -> None:
    """:raises ValueNotCarried: the mask holds of a value."""
    mask = pc.fill_null(mask, False)
    if pc.any(mask).as_py():
        raise ValueNotCarried(column=column.name, detail=f"{abridged(text.filter(mask)[0].as_py())!r} {why}")


def _refuse_no_bits(text: pa.Array, column: Column, type_: t.Bit) -> None:
    """MySQL reads the bits up to the first character that is none, and fills up with zeros."""
    wrong = pc.invert(pc.match_substring_regex(text, f"^[01]{{{type_.length}}}$"))
    if pc.any(wrong).as_py():
        value = text.filter(pc.fill_null(wrong, False))[0].as_py()
        raise ValueNotCarried(column=column.name, detail=f"{value!r} is not {type_.length} bits")


def _sent(pieces: Iterable[pa.RecordBatch], counter: list[int]) -> Iterator[pa.RecordBatch]:
    for batch in pieces:
        counter[0] += batch.num_rows
        yield batch


def _error_values(load: Load, batches: Iterable[pa.RecordBatch], errors: list[int]) -> Iterator[pa.RecordBatch]:
    """Batches as they pass; ``errors`` is told how many error values of ENUM they have."""
    places = error_values.columns(load)
    for batch in batches:
        errors += [sum(error_values.counted(batch, places))] if places else []
        yield batch


# --- LOAD DATA LOCAL ------------------------------------------------------------------------------------------------

_ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\0", b"\\0"))
_ASCII = (t.Boolean, t.Integer, t.Decimal, t.Float, t.Date, t.Time, t.Timestamp, t.Year)


def load_data(connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
    """Store the rows by one LOAD DATA LOCAL; the number stored.

    :raises ValueNotCarried: the server changed a value (LOCAL makes a warning of each error).
    :raises RowCountDiffers: it left rows out.
    """
    set_mode(connection, load)
    computed = computed_columns(connection, load.table)
    sent, stored = [0], 0
    driver, statement = driver_of(connection), load_statement(load)
    for pieces, errors in _statements(load, _sent(batches, sent), rows_a_statement(connection, len(computed))):
        loaded = wire.load_data(driver, statement, pieces)
        if loaded.warnings:
            refuse_warnings(driver, load, sum(errors), computed)
        stored += loaded.rows
    return _stored(driver, load, sent[0], stored)


def _statements(
    load: Load, batches: Iterable[pa.RecordBatch], most: int | None
) -> Iterator[tuple[Iterable[memoryview], list[int]]]:
    """The rows of each LOAD DATA, and how many error values of ENUM they have, once they have passed.

    There is one, or one for each ``most`` rows. Rows are made before the server waits for them: a value that is refused
    there costs no connection.
    """
    if most is None:
        errors: list[int] = []
        pieces = (rows_text(load, batch) for batch in _error_values(load, batches, errors) if batch.num_rows)
        yield itertools.chain(list(itertools.islice(pieces, 1)), pieces), errors
        return
    for batch in batches:
        for start in range(0, batch.num_rows, most):
            errors = []
            rows = _error_values(load, [batch.slice(start, most)], errors)
            yield [rows_text(load, part) for part in rows], errors


def rows_a_statement(connection: sa.Connection, computed: int) -> int | None:
    """As many as the session keeps all notes about, where the server computes columns; None: any number."""
    return max(1, connection.info[_NOTES_KEPT] // (_NOTES_A_VALUE * computed)) if computed else None


def load_statement(load: Load) -> str:
    """The LOAD DATA statement. Rows with bytes are read as bytes, and text among them is told to be UTF-8."""
    binary = any(isinstance(t.base_of(c.type), t.Binary) for c in load.target)
    variables = [f"@v{position}" for position in range(len(load.target))]
    sets = {c.name: sql for c, v in zip(load.target, variables, strict=True) if (sql := _assignment(c, v, binary))}
    for column, variable in zip(load.target, variables, strict=True):
        if (
            sets and column.identity is not None
        ):  # beside SET, MariaDB forgets that a field gave the number: 0 would count on
            sets[column.name] = variable
    fields = [v if c.name in sets else quote(c.name) for c, v in zip(load.target, variables, strict=True)]
    assignments = ", ".join(f"{quote(name)} = {sql}" for name, sql in sets.items())
    return (
        f"LOAD DATA LOCAL INFILE 'rows' INTO TABLE {qualified(load.table)} "
        f"CHARACTER SET {'binary' if binary else 'utf8mb4'} "
        r"FIELDS TERMINATED BY '\t' ENCLOSED BY '' ESCAPED BY '\\' LINES TERMINATED BY '\n' STARTING BY '' "
        f"({', '.join(fields)})" + (f" SET {assignments}" if sets else "")
    )


def _assignment(column: Column, value: str, binary: bool) -> str:
    """What a column is set to where its field cannot be stored as it is."""
    match t.base_of(column.type):
        case t.Bit(varying=False, length=int(n)) if n <= 64:
            return f"CAST(CONV({value}, 2, 10) AS UNSIGNED)"
        case type_ if is_geometry(type_):
            return f"UNHEX({value})"
        case t.Binary():
            return ""
        case type_ if binary and not isinstance(type_, _ASCII):
            return f"CONVERT({value} USING utf8mb4)"
        case _:
            return ""


def rows_text(load: Load, batch: pa.RecordBatch) -> memoryview:
    """A batch as lines of LOAD DATA's format."""
    return joined([replaced(array.cast(pa.binary()), _ESCAPES) for array in target_arrays(load, batch)])


def joined(fields: list[pa.Array]) -> memoryview:
    """Fields, a column each, as lines."""
    fields[-1] = pc.binary_join_element_wise(pc.fill_null(fields[-1], b"\\N"), b"", b"\n")
    if len(fields) == 1:
        return _bytes_of(fields[0])
    return _bytes_of(pc.binary_join_element_wise(*fields, b"\t", null_handling="replace", null_replacement=b"\\N"))


def replaced(values: pa.Array, pairs: Sequence[tuple[bytes, bytes]]) -> pa.Array:
    """Binary values with each byte of ``pairs`` replaced, in order."""
    raw = bytes(_bytes_of(values))
    for special, instead in pairs:
        if special in raw:
            values = pc.replace_substring(values, special, instead)
    return values


def _bytes_of(array: pa.Array) -> memoryview:
    """The bytes of all values, one after the other."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return memoryview(b"")
    ends = memoryview(offsets).cast("i")
    return memoryview(data)[ends[array.offset] : ends[array.offset + len(array)]]


_LEVELS = ("Error", "Warning", "Note")
_COLUMN = re.compile(r"column (?:`.*`\.)?[`'](?P<name>.*?)[`'](?: at row|$)")

NOTES = 65_535
"""The most warnings that a session keeps, and that the server counts."""

_NOTES_KEPT = "migrator.notes"
"""Under this name a writing connection's ``info`` holds how many its session keeps, once it is about columns that the server
computes."""

_NOTES_A_VALUE = 8
"""More notes than the server has about a value that it computes."""

_COMPUTED = """
SELECT column_name AS name, data_type AS type FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :name AND generation_expression <> ''
"""


def computed_columns(connection: sa.Connection, table: QName) -> frozenset[str]:
    """The columns that the server computes, in small letters. It notes where it rounds one, which changes no value that is
    moved: so from now on the session keeps all the notes that it may, to tell them from others.
    """
    return frozenset(_computed(connection, table))


def _computed(connection: sa.Connection, table: QName) -> dict[str, str]:
    known: dict[QName, dict[str, str]] = connection.info.setdefault("migrator.computed", {})
    if table not in known:
        found = connection.execute(sa.text(_COMPUTED), {"schema": table.schema, "name": table.name})
        known[table] = {row.name.lower(): row.type.lower() for row in found}
        if known[table]:
            connection.info[_NOTES_KEPT] = _keep_notes(connection)
    return known[table]


def _keep_notes(connection: sa.Connection) -> int:
    """Let the session keep all its notes, and say how many it keeps: MySQL asks for a privilege to change that."""
    try:
        connection.exec_driver_sql(f"SET SESSION max_error_count = {NOTES}")
    except sa.exc.OperationalError as error:
        if about(*cast(Any, error.orig).args) != "privilege":
            raise
    return int(connection.exec_driver_sql("SELECT @@SESSION.max_error_count").scalar_one())


def refuse_warnings(driver: Any, load: Load, errors: int = 0, computed: Collection[str] = ()) -> None:
    """Refuse what the last statement had warnings about, but for notes about the columns that the server has ``computed``,
    and for ``errors``, the number of error values of ENUM that the rows had.

    :raises ValueNotCarried: a value was changed.
    :raises RowNotCarried: the server has more warnings than it shows.
    """
    driver.query("SHOW COUNT(*) WARNINGS")  # MySQL forgets them after SELECT @@warning_count
    ((answer,),) = driver._result.rows
    count = int(answer)
    shown, others = _warnings(driver, computed)
    notes = shown - len(others)
    if errors and error_values.nothing_else(load, others, count - notes, errors):
        return
    if others:
        level, code, message = min(others, key=lambda told: (_LEVELS.index(told[0]), _COLUMN.search(told[2]) is None))
        raise _refused(load, message, f"{message} ({level} {code}, {count} in all)")
    if shown != count:
        raise RowNotCarried(table=load.title, detail=f"the server has {count} warnings, and shows {shown}")


def _warnings(driver: Any, computed: Collection[str]) -> tuple[int, list[tuple[str, str, str]]]:
    """How many warnings of the last statement the server shows, and those that are no notes about computed columns."""
    shown = 0
    found: list[tuple[str, str, str]] = []
    for block in wire.Result(driver, "SHOW WARNINGS").blocks(BATCH_BYTES):
        levels, codes, messages = (array.cast(pa.string()) for array in block.columns(3))
        shown += len(levels)
        names = pc.struct_field(pc.extract_regex(messages, _COLUMN.pattern), "name")
        own = pc.is_in(pc.utf8_lower(names), pa.array(sorted(computed), pa.string()))
        rest = pc.invert(pc.and_(pc.equal(levels, "Note"), own))
        texts = (array.filter(rest).to_pylist() for array in (levels, codes, messages))
        found += zip(*texts, strict=True)
    return shown, found


_BROKEN = re.compile(r"CONSTRAINT `(?P<name>.*)` failed for |Check constraint '(?P<other>.*)' is violated", re.DOTALL)
"""What MariaDB says of a check that a row breaks, and what MySQL does."""


def _refused(load: Load, message: str, detail: str) -> ValueNotCarried:
    """The error about the column that a message names, or about the table where it names none (a constraint's)."""
    found = _COLUMN.search(message)
    if found is not None and no_text(message):
        return TextNotCarried(column=f"{load.title.name}.{found['name']}", detail=detail)
    if (broken := _BROKEN.match(message)) is not None:
        return CheckBroken(table=load.title, detail=detail, check=broken["name"] or broken["other"])
    if found is None:
        return RowNotCarried(table=load.title, detail=detail)
    return ValueNotCarried(column=f"{load.title.name}.{found['name']}", detail=detail)


def _stored(driver: Any, load: Load, sent: int, stored: int) -> int:
    if stored != sent:
        warnings = driver.show_warnings()
        detail = str(warnings[0][2]) if warnings else "no warning"
        raise RowCountDiffers(table=str(load.title), sent=sent, stored=stored, detail=detail)
    return stored


# --- INSERT ---------------------------------------------------------------------------------------------------------

_LITERAL = ((b"\\", b"\\\\"), (b"'", b"''"), (b"\0", b"\\0"))


def insert(connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
    """Store the rows by multi-row INSERT statements; the number stored.

    :raises ValueNotCarried: the server refused or changed a value.
    """
    mode = set_mode(connection, load)
    computed = computed_columns(connection, load.table)
    driver, sent, stored = driver_of(connection), [0], 0
    head = f"INSERT INTO {qualified(load.table)} ({', '.join(quote(c.name) for c in load.target)}) VALUES\n".encode()
    room = int(connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()) - len(head) - 16
    places, most = error_values.columns(load), rows_a_statement(connection, len(computed))
    for batch in _sent(batches, sent):
        errors = error_values.counted(batch, places) if places else []
        for rows in _grouped(_row_literals(load, batch, room), room, most, load):
            expected, errors = sum(errors[: len(rows)]), errors[len(rows) :]
            with error_values.taken(driver, mode) if expected else nullcontext():
                stored += _insert(driver, load, head + b",\n".join(rows), expected, computed)
    return _stored(driver, load, sent[0], stored)


_VALUE_ERRORS = frozenset({1048, 1264, 1265, 1292, 1366, 1367, 1406, 3140, 3819, 4025})
"""The server's errors about a value: NULL, range, truncation, wrong text, JSON, a check constraint."""


def _insert(driver: Any, load: Load, sql: bytes, errors: int, computed: Collection[str]) -> int:
    """Run an INSERT; the rows stored. ``errors``: how many error values of ENUM they have."""
    try:
        rows: int = driver.query(sql)
    except err.MySQLError as error:
        code, message = error.args[0], str(error.args[-1])
        if code not in _VALUE_ERRORS and not isinstance(error, err.DataError | err.IntegrityError):
            raise
        raise _refused(load, message, message) from error
    if driver._result.warning_count:
        refuse_warnings(driver, load, errors, computed)
    return rows


def _row_literals(load: Load, batch: pa.RecordBatch, room: int) -> list[bytes]:
    fields = [_literals(array, target) for array, target in zip(target_arrays(load, batch), load.target, strict=True)]
    for field, target in zip(fields, load.target, strict=True):
        longest = pc.max(pc.binary_length(field)).as_py() or 0
        if longest > room:
            detail = f"a value of {longest} bytes, as SQL writes it, does not fit max_allowed_packet"
            raise ValueNotCarried(column=f"{load.title.name}.{target.name}", detail=detail)
    rows = pc.binary_join_element_wise(*fields, b", ", null_handling="replace", null_replacement=b"NULL")
    rows = pc.binary_join_element_wise(b"(", rows, b")", b"")
    literals: list[bytes] = rows.to_pylist()
    return literals


def _literals(array: pa.Array, column: Column) -> pa.Array:
    """Values as SQL literals, NULL left as it is."""
    type_ = t.base_of(column.type)
    if pa.types.is_binary(array.type) and not isinstance(type_, t.String):
        return pa.array([None if v is None else b"X'" + v.hex().encode() + b"'" for v in array.to_pylist()], pa.binary())
    before, after = b"'", b"'"
    if is_geometry(type_):
        before = b"X'"
    elif isinstance(type_, t.Bit) and not type_.varying and (type_.length or 65) <= 64:
        before = b"b'"
    return pc.binary_join_element_wise(before, replaced(array.cast(pa.binary()), _LITERAL), after, b"")


def _grouped(rows: list[bytes], room: int, most: int | None, load: Load) -> Iterator[list[bytes]]:
    """The rows of each statement: no more than ``most``."""
    group: list[bytes] = []
    size, limit = 0, min(INSERT_BYTES, room)
    for row in rows:
        if len(row) > room:
            detail = f"a row of {len(row)} bytes does not fit max_allowed_packet"
            raise RowNotCarried(table=load.title, detail=detail)
        if group and (size + len(row) > limit or len(group) == most):
            yield group
            group, size = [], 0
        group.append(row)
        size += len(row) + 2
    if group:
        yield group
