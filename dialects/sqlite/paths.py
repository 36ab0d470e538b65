"""Rows out of and into SQLite.

Out: ADBC reads a SELECT into Arrow and guesses each column's type from the first rows. A first row of constants makes the
guess the right one, so any later value of another storage class is an error, or, where ADBC would convert it silently, is
looked for beforehand. Text is read as bytes, so that NUL bytes and broken UTF-8 are seen. In: INSERT, by way of
files where there are many rows (see :mod:`.staging`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from migrator import arrow
from migrator.adapter import Load, Read
from migrator.errors import RowCountDiffers, StoredOtherwise, ValueNotCarried
from migrator.model import types as t
from migrator.model.objects import Column, QName

from . import staging
from .conflicts import insert_into
from .fit import fit
from .granules import summed
from .names import qualified, quote
from .proof import NOT_BLOB, NOT_FLOAT, NOT_INTEGER, NOT_TEXT, uncarried
from .types import EXACT_DIGITS, Affinity, affinity

MAX_BATCH_BYTES = 256 << 20
"""No batch is larger, were all its rows as large as the table's largest."""

MAX_BATCH_ROWS = 1 << 16
SAMPLED_ROWS = 1000


# --- how each column is read ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Carrier:
    """How values come through ADBC: the constant that fixes the Arrow type, what is selected, and what does not fit.

    ``wrong``: the predicate over ``{c}`` for values of another storage class than ``classes``. ``silent``: ADBC would
    convert those.
    """

    constant: str
    arrow: pa.DataType
    wrong: str
    classes: frozenset[str]
    silent: bool
    select: str = "{c}"

    def selected(self, name: str) -> str:
        """The item of the SELECT list: a value that ADBC would convert silently ends the query instead."""
        item = self.select.format(c=name)
        return f"iif({self.wrong.format(c=name)}, {_OVERFLOW.format(c=name)}, {item})" if self.silent else item


_OVERFLOW = "abs(-9223372036854775807 - (typeof({c}) <> ''))"
"""An error where it is evaluated. It is about a column, so that SQLite does not evaluate it beforehand."""


INTEGER = Carrier("0", pa.int64(), NOT_INTEGER, frozenset({"integer"}), silent=False)
FLOAT = Carrier("0.0", pa.float64(), NOT_FLOAT, frozenset({"integer", "real"}), silent=True)
TEXT = Carrier("x''", pa.binary(), NOT_TEXT, frozenset({"text"}), silent=True)
TEXT_OR_INTEGER = Carrier(
    "x''",
    pa.binary(),
    "typeof({c}) IN ('real', 'blob')",
    frozenset({"integer", "text"}),
    silent=True,
    select="iif(typeof({c}) = 'integer', CAST({c} AS TEXT), {c})",
)
BLOB = Carrier("x''", pa.binary(), NOT_BLOB, frozenset({"blob"}), silent=True)


@dataclass(frozen=True)
class CarrierRule:
    """One row: columns of ``type`` are carried so, where ``when`` holds for the type and the column's affinity."""

    type: type[t.Type]
    carrier: Carrier
    when: Callable[[Any, Affinity], bool] | None = None


CARRIERS = (
    CarrierRule(t.Boolean, INTEGER),
    CarrierRule(t.Integer, INTEGER),
    CarrierRule(t.Year, INTEGER),
    CarrierRule(t.Float, FLOAT),
    CarrierRule(t.Decimal, TEXT, lambda d, held: held == "TEXT" or d.precision is None),
    CarrierRule(t.Decimal, INTEGER, lambda d, _: not d.scale),
    CarrierRule(t.Decimal, FLOAT),
    CarrierRule(t.Binary, BLOB),
    CarrierRule(t.String, TEXT_OR_INTEGER, lambda _, held: held == "NUMERIC"),
    CarrierRule(t.Type, TEXT),
)


def carrier(column: Column) -> Carrier:
    """How the values of a column are read."""
    type_, held = t.base_of(column.type), affinity(column.native)
    return next(
        rule.carrier for rule in CARRIERS if isinstance(type_, rule.type) and (rule.when is None or rule.when(type_, held))
    )


def _unlimited(type_: t.Type) -> bool:
    """Whether one value may be of any size."""
    return isinstance(type_, t.Json | t.Xml) or (isinstance(type_, t.String | t.Binary) and type_.length is None)


def _values(array: pa.Array, column: Column, name: str, any_bytes: bool) -> pa.Array:
    """Values as they came, in the Arrow form of the column's neutral type; with ``any_bytes`` as bytes if one is no text.

    :raises pa.ArrowInvalid: a value does not fit that type.
    """
    type_ = t.base_of(column.type)
    wanted = arrow.arrow_type(type_)
    if array.type == pa.binary() and not isinstance(type_, t.Binary):
        text = arrow.text_or_bytes(array, name, any_bytes)
        return text if pa.types.is_binary(text.type) else arrow.parse(text, type_)
    if isinstance(type_, t.Boolean):
        if pc.any(pc.and_(pc.not_equal(array, 0), pc.not_equal(array, 1))).as_py():
            raise pa.ArrowInvalid("only 0 and 1 are truth values")
        return array.cast(wanted)
    if isinstance(type_, t.Decimal) and array.type == pa.float64():
        return _decimals(array, wanted)
    if isinstance(type_, t.Decimal):
        return array.cast(pa.decimal128(19, 0)).cast(wanted)
    if isinstance(type_, t.Float):
        return _floats_of(array, wanted)
    return array.cast(wanted)


def _floats_of(reals: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Reals in fewer bits, if these hold them all; else as they are."""
    narrow = reals.cast(wanted)
    return narrow if narrow.cast(pa.float64()).equals(reals) else reals


def _decimals(reals: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Reals as the decimals they stand for.

    :raises pa.ArrowInvalid: a real is no decimal of that scale.
    """
    if wanted.precision <= EXACT_DIGITS:
        rounded = reals.cast(wanted)
        if _nearest(rounded).equals(reals):
            return rounded
    return reals.cast(pa.string()).cast(wanted)


def _nearest(decimals: pa.Array) -> pa.Array:
    """The float nearest to each decimal (Arrow's own cast multiplies, and is off by one bit for 15.86)."""
    if decimals.type.precision > EXACT_DIGITS:
        return decimals.cast(pa.string()).cast(pa.float64())
    words = np.frombuffer(decimals.buffers()[1], np.int64).reshape(-1, 2)  # 128 bits, the low half first
    unscaled = words[decimals.offset : decimals.offset + len(decimals), 0]
    nulls = ~np.asarray(decimals.is_valid()) if decimals.null_count else None
    return pa.array(unscaled / 10.0**decimals.type.scale, pa.float64(), mask=nulls)


# --- reading --------------------------------------------------------------------------------------------------------


def batches(connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
    """The rows of a table; see :meth:`migrator.adapter.Adapter.batches`."""
    return _TableReader(connection, read).batches()


class _TableReader:
    """Reads one table through the ADBC connection under ``connection``."""

    def __init__(self, connection: sa.Connection, read: Read) -> None:
        self.connection, self.read = connection, read
        self.carriers = [carrier(column) for column in read.columns]
        self.names = [quote(column.name) for column in read.columns]
        condition = f" WHERE ({read.condition}\n)" if read.condition else ""
        self.source = f"{qualified(read.table)}{condition}"

    def label(self, column: Column) -> str:
        return f"{self.read.table.name}.{column.name}"

    def named(self, column: Column) -> dict[str, str]:
        """What an error about a column says of it."""
        return {"column": self.label(column), "name": column.name}

    def batches(self) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([pa.field(str(i), item.arrow) for i, item in enumerate(self.carriers)])
        rows_read = -1  # the row of constants
        for raw in self._raw(self._batch_rows()):
            if raw.schema.types != schema.types:
                self._refuse_wrong_class()
            batch = raw.slice(1) if rows_read < 0 else raw
            if batch.num_rows:
                yield arrow.batch_of(self.read.columns, self._arrays(batch, max(rows_read, 0)))
            rows_read += raw.num_rows

    def _raw(self, batch_rows: int) -> Iterator[pa.RecordBatch]:
        constants = ", ".join(item.constant for item in self.carriers)
        values = ", ".join(item.selected(name) for item, name in zip(self.carriers, self.names, strict=True))
        driver: Any = self.connection.connection.dbapi_connection
        with driver.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": batch_rows})
            try:
                cursor.execute(f"SELECT {constants} UNION ALL SELECT {values} FROM {self.source}")
                with cursor.fetch_record_batch() as reader:
                    while True:
                        try:
                            batch = reader.read_next_batch()
                        except StopIteration:
                            return
                        yield batch
            except (OSError, driver.Error) as error:  # a storage class that ADBC did not expect, or that the SELECT refused
                self._refuse_wrong_class(error)

    def _arrays(self, batch: pa.RecordBatch, rows_before: int) -> list[pa.Array]:
        arrays = []
        for array, column in zip(batch.columns, self.read.columns, strict=True):
            try:
                arrays.append(_values(array, column, self.label(column), column.name in self.read.any_bytes))
            except pa.ArrowInvalid as error:
                held = affinity(column.native)
                self._refuse(column, uncarried(t.base_of(column.type), held), error)
            except ValueNotCarried as error:
                self._refuse_bytes(array, column, rows_before, error)
        return arrays

    # --- before reading ---------------------------------------------------------------------------------------------

    def _batch_rows(self) -> int:
        """How many rows make a batch of the usual size."""
        parts = list(zip(self.names, self.read.columns, self.carriers, strict=True))
        sizes = [f"octet_length({name})" for name, _, item in parts if item.arrow == pa.binary()]
        unlimited = [f"octet_length({name})" for name, column, _ in parts if _unlimited(column.type)]
        average = summed(["0 * count(*)", *(f"coalesce(avg({size}), 0)" for size in sizes)])
        largest = summed([f"coalesce(max({size}), 0)" for size in unlimited])
        (largest_row,) = self._ask(largest, self.source) if unlimited else (0,)
        (usual_row,) = self._ask(average, f"(SELECT {', '.join(self.names)} FROM {self.source} LIMIT {SAMPLED_ROWS})")
        fixed = 8 * len(parts)
        most = MAX_BATCH_BYTES // (fixed + int(largest_row))
        return max(1, min(arrow.BATCH_BYTES // (fixed + int(usual_row)), most, MAX_BATCH_ROWS))

    def _ask(self, what: str, source: str) -> Sequence[Any]:
        return tuple(self.connection.exec_driver_sql(f"SELECT {what} FROM {source}").one())

    # --- refusing ---------------------------------------------------------------------------------------------------

    def _refuse_wrong_class(self, error: Exception | None = None) -> None:
        """Raise for the first column that holds a value of another storage class."""
        for column, item in zip(self.read.columns, self.carriers, strict=True):
            self._refuse(column, item.wrong, error)
        if error is not None:
            raise error

    def _refuse(self, column: Column, predicate: str, error: Exception | None = None) -> None:
        """Raise for the first row where ``predicate`` holds; where there is none, raise ``error`` or go on."""
        name = quote(column.name)
        condition = f"({predicate.format(c=name)})"
        source = f"{self.source} AND {condition}" if self.read.condition else f"{self.source} WHERE {condition}"
        query = f"SELECT json_array({self._key()}), typeof({name}), substr(quote({name}), 1, 60) FROM {source} LIMIT 1"
        found = self.connection.exec_driver_sql(query).first()
        if found is not None:
            key, kind, value = found
            held = f"the row with {self._key_title()} {_key_text(key)} holds the {kind} {value}"
            said = self.named(column) | {"detail": f"{held}, the column is {column.type}"}
            if kind in carrier(column).classes:
                raise ValueNotCarried(**said) from error
            raise StoredOtherwise(**said, table=self.read.table, others=f"typeof([{column.name}]) <> '{kind}'") from error
        if isinstance(error, pa.ArrowInvalid):
            raise ValueNotCarried(**self.named(column), detail=str(error).splitlines()[0]) from error

    def _refuse_bytes(self, array: pa.Array, column: Column, rows_before: int, error: ValueNotCarried) -> None:
        """Raise for the first value of a batch that is no UTF-8."""
        for position, value in enumerate(array.to_pylist()):
            try:
                if value is not None:
                    value.decode()
            except UnicodeDecodeError:
                query = f"SELECT json_array({self._key()}) FROM {self.source} LIMIT 1 OFFSET {rows_before + position}"
                key = _key_text(self.connection.exec_driver_sql(query).scalar_one())
                detail = f"the row with {self._key_title()} {key} holds {value[:40]!r}, which is not valid UTF-8 text"
                raise ValueNotCarried(**self.named(column), detail=detail) from error
        raise error

    def _key(self) -> str:
        """What names a row: its rowid, or the primary key of a table without one."""
        columns = self._key_columns()
        return ", ".join(map(_shown, map(quote, columns))) if columns else "rowid"

    def _key_title(self) -> str:
        return ", ".join(self._key_columns()) or "rowid"

    def _key_columns(self) -> list[str]:
        name = self.read.table.name.replace("'", "''")
        query = (
            f"SELECT x.name FROM pragma_table_list('{name}') AS t, pragma_table_xinfo('{name}') AS x"
            " WHERE t.schema = 'main' AND t.wr AND x.pk ORDER BY x.pk"
        )
        return [name for (name,) in self.connection.exec_driver_sql(query)]


def _shown(key: str) -> str:
    """A part of a key for JSON, which has no bytes."""
    return f"iif(typeof({key}) = 'blob', quote({key}), {key})"


def _key_text(key: str) -> str:
    return ", ".join(str(part) for part in json.loads(key))


# --- loading --------------------------------------------------------------------------------------------------------


def load(connection: sa.Connection, load_: Load, incoming: Iterable[pa.RecordBatch]) -> int:
    """Store the rows; see :meth:`migrator.adapter.Adapter.load`."""
    names = ", ".join(quote(column.name) for column in load_.target)
    into = f"{insert_into(connection, load_.table)} {qualified(load_.table)} ({names})"
    insert = f"{into} VALUES ({', '.join('?' * len(load_.target))})"
    driver: Any = connection.connection.dbapi_connection
    sent = stored = 0
    storable = _all_storable(load_, incoming)
    with closing(storable if load_.conventional else staging.in_files(connection, storable)) as parts:
        for part in parts:
            sent += part.num_rows
            if isinstance(part, staging.Staged):
                stored += part.move_on(driver, into)
            else:
                rows = zip(*(array.to_pylist() for array in part.columns), strict=True)
                stored += driver.executemany(insert, rows).rowcount
    if stored != sent:
        raise RowCountDiffers(table=load_.title, sent=sent, stored=stored, detail="a trigger may have left rows out")
    return stored


def _all_storable(load_: Load, incoming: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    """The batches that have rows, in the form SQLite keeps them."""
    for batch in incoming:
        if batch.num_rows:  # what holds of all its values cannot be asked of none
            columns = zip(batch.columns, load_.source, load_.target, strict=True)
            values = [_storable(array, source, target, load_.title) for array, source, target in columns]
            yield arrow.batch_of(load_.target, values)


def _storable(array: pa.Array, source: Column, target: Column, table: QName) -> pa.Array:
    """Values in the form SQLite keeps them: numbers, text, bytes.

    A declaration binds no value, so what it says is checked here; its affinity may change a value, which is refused. Where
    the declaration is the source's own, the source's values count for more than what it says.

    :raises ValueNotCarried: a value is not of the target's type, or SQLite would change it.
    """
    label, held = f"{table.name}.{target.name}", affinity(target.native)
    if array.null_count and target.identity is not None:
        raise ValueNotCarried(column=label, detail="NULL would become the next number of the rowid")
    type_ = t.base_of(source.type if source.native == target.native else target.type)
    try:
        checked = fit(arrow.convert(array, label, source.type, type_), t.base_of(source.type), type_)
        kept = stored(checked, type_, held)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        detail = f"a value cannot be kept exactly: {str(error).splitlines()[0]}"
        raise ValueNotCarried(column=label, detail=detail) from error
    return kept


_NUMERIC: frozenset[Affinity] = frozenset({"INTEGER", "REAL", "NUMERIC"})
_LOOKS_NUMERIC = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_SAME_AS_INTEGER = r"^(0|-?[1-9]\d{0,17})$"


def _check_text(text: pa.Array, target: t.Type) -> None:
    """Texts in a column whose affinity makes numbers of texts that look like one.

    :raises pa.ArrowInvalid: that would change how a value is written, or the column is meant for numbers and one is none.
    """
    numeric = pc.match_substring_regex(text, _LOOKS_NUMERIC)
    changed = pc.and_(numeric, pc.invert(pc.match_substring_regex(text, _SAME_AS_INTEGER)))
    if pc.any(changed).as_py():
        raise pa.ArrowInvalid(f"the text {text.filter(changed)[0]} would become another number's text")
    if isinstance(target, t.Boolean | t.Integer | t.Decimal | t.Float | t.Year) and not pc.all(numeric, min_count=0).as_py():
        raise pa.ArrowInvalid(f"the text {text.filter(pc.invert(numeric))[0]} is no number")


def stored(array: pa.Array, type_: t.Type, held: Affinity) -> pa.Array:
    """Values of ``type_`` as a column of that affinity stores them.

    :raises pa.ArrowInvalid: it would change one.
    """
    made = _stored(array, type_, held)
    if pa.types.is_string(made.type) and held in _NUMERIC and not pa.types.is_temporal(array.type):
        _check_text(made, type_)
    return made


def _stored(array: pa.Array, type_: t.Type, held: Affinity) -> pa.Array:
    match type_:
        case t.Boolean() | t.Integer() | t.Year():
            return _integers(_number(array, type_), held)
        case t.Float():
            return _floats(_number(array, type_), held)
        case t.Decimal() if held in _NUMERIC:
            return _reals(array, type_)
        case t.Timestamp() | t.Time() if not pa.types.is_string(array.type):
            return _clock(array, type_)
        case _:
            return arrow.as_text(array, type_)


def _number(array: pa.Array, type_: t.Type) -> pa.Array:
    """Numbers that may have come as text."""
    parsed = arrow.parse(array, type_) if pa.types.is_string(array.type) else array
    if pa.types.is_string(parsed.type):
        raise pa.ArrowInvalid(f"a text is no {type_}")
    return parsed


def _integers(array: pa.Array, held: Affinity) -> pa.Array:
    whole = array.cast(pa.int8() if pa.types.is_boolean(array.type) else pa.int64())
    if held == "REAL":
        whole.cast(pa.float64())  # refuses what a float does not hold
    return whole


def _floats(array: pa.Array, held: Affinity) -> pa.Array:
    if pc.any(pc.is_nan(array)).as_py():
        raise pa.ArrowInvalid("NaN would become NULL")
    return array.cast(pa.string()) if held == "TEXT" else array


def _reals(array: pa.Array, type_: t.Decimal) -> pa.Array:
    """Decimals as numbers; whole ones become integers by NUMERIC affinity."""
    if pa.types.is_string(array.type):
        return pa.array([_exact_number(text) for text in array.to_pylist()], pa.float64())
    if not type_.scale:
        return array.cast(pa.int64())
    reals = _nearest(array)
    if (type_.precision or 0) > EXACT_DIGITS and not _decimals(reals, array.type).equals(array):
        raise pa.ArrowInvalid(f"it has more than {EXACT_DIGITS} digits")
    return reals


def _exact_number(text: str | None) -> float | None:
    """A decimal's text as a float that stands for the same decimal."""
    if text is None:
        return None
    try:
        exact, number = Decimal(text), float(text)
    except (InvalidOperation, ValueError) as error:
        raise pa.ArrowInvalid(f"{text} is no decimal") from error
    if not exact.is_finite():
        raise pa.ArrowInvalid(f"{text} is no number")
    if Decimal(repr(number)) != exact:
        raise pa.ArrowInvalid(f"{text} has more than {EXACT_DIGITS} digits")
    return number


def _clock(array: pa.Array, type_: t.Timestamp | t.Time) -> pa.Array:
    """Times as ISO text with as many digits after the second as their type has, instants in UTC as +00:00."""
    surplus = 6 - min(type_.precision, 6)
    ticks, unit = array.cast(pa.int64()), 10**surplus
    if not pc.all(pc.equal(pc.multiply(pc.divide(ticks, unit), unit), ticks), min_count=0).as_py():
        raise pa.ArrowInvalid(f"it has more than {type_.precision} digits after the second")
    text = array.cast(pa.timestamp("us")).cast(pa.string()) if isinstance(type_, t.Timestamp) else array.cast(pa.string())
    if surplus:
        text = pc.utf8_slice_codeunits(text, 0, -surplus - (surplus == 6))  # without digits, without the point too
    zoned = isinstance(type_, t.Timestamp) and type_.zoned
    return pc.binary_join_element_wise(text, "+00:00", "") if zoned else text
