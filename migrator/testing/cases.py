"""What the contract tries on every adapter, as data: values that survive, values that are refused, names that are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import pyarrow as pa

from migrator import arrow
from migrator.model import types as t
from migrator.model.objects import Column


@dataclass(frozen=True)
class Case:
    """Values of one neutral type: bytes for ``Binary``, else text as :func:`migrator.arrow.parse` reads it."""

    name: str
    type: t.Type
    values: tuple[str | bytes, ...]

    @property
    def array(self) -> pa.Array:
        """The values and a NULL in the Arrow form of the type."""
        return array_of(self.type, (*self.values, None))


def array_of(type_: t.Type, values: Sequence[str | bytes | None]) -> pa.Array:
    """Values in the Arrow form of ``type_``, or as text where one has no place there (the text escape)."""
    if isinstance(t.base_of(type_), t.Binary):
        return pa.array(values, pa.binary())
    return arrow.parse(pa.array(values, pa.string()), type_)


def _integers(bits: int, *, unsigned: bool = False) -> Case:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    values = tuple(str(value) for value in dict.fromkeys((low, low + 1, 0, 1, high - 1, high)))
    return Case(f"{'unsigned ' if unsigned else ''}integer of {bits} bits", t.Integer(bits, unsigned=unsigned), values)


_TEXTS = (
    *("", " ", "a", "trailing blank ", " leading", "NULL", "\\N", "N", "null", "nil", "0", "1e5", "{}", "[]"),
    *("\\", "\\\\", "\\t", "\\x41", "'", '"', "''", "a,b;c|d", "%", "%s", "%(x)s", ":x", "?"),
    *("tab\there", "line\nhere", "return\rhere", "both\r\n", "\x08\x0b\x0c\x1a\x1b\x7f"),
    *("é", "ß", "İi", "日本語", "😀", "👩‍👩‍👧", "e\u0301", "\ufeffbom", "\u200f\u202e", "\u2028", "\uffff"),
)
_BYTES = (b"", b"\0", bytes(range(256)), b"\\", b"\\x41", b"'\"\n\r\t\x1a\0", b"\xff\xfe", b"NULL", b"\\N")
_DATES = ("0001-01-01", "1582-10-04", "1582-10-15", "1969-12-31", "1970-01-01", "2000-02-29", "9999-12-31")
_TIMESTAMPS = (
    *("0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00", "2024-02-29 12:00:00.100000"),
    *("2024-03-31 02:30:00", "2038-01-19 03:14:08", "9999-12-31 23:59:59.999999"),
)
_INSTANTS = ("1970-01-01 00:00:01Z", "2024-03-31 01:00:00Z", "2038-01-19 03:14:07.999999Z")
_DOCUMENTS = ('{"b": 1,  "a": [true, null, "é"]}', "null", '"x"', "{}", '{"n": 12345678901234567890.123}')
_PARSED_DOCUMENTS = ('{"a": [true, null, "é", 1.5], "b": {"c": ""}}', "null", '"\\u0041\\n"', "[]")
_LABELS = ("small", "it's", "é", "a,b", "back\\slash", "UPPER")

CASES: tuple[Case, ...] = (
    Case("boolean", t.Boolean(), ("true", "false")),
    *(_integers(bits) for bits in (8, 16, 24, 32, 64)),
    *(_integers(bits, unsigned=True) for bits in (8, 16, 24, 32, 64)),
    Case("tinyint(1)", t.Integer(8, display=1), ("0", "1", "2", "-1")),
    Case("decimal(10,2)", t.Decimal(10, 2), ("0.00", "0.01", "-0.01", "99999999.99", "-99999999.99")),
    Case("decimal(38,10)", t.Decimal(38, 10), ("1234567890123456789012345678.0123456789", "-0.0000000001")),
    Case("decimal(65,30)", t.Decimal(65, 30), ("12345678901234567890123456789012345.012345678901234567890123456789",)),
    Case("decimal(20,0)", t.Decimal(20, 0), ("99999999999999999999", "-99999999999999999999", "9223372036854775808")),
    Case("decimal without precision", t.Decimal(), ("0", "12345678901234567890.123", "-0.00000001", "1" + "0" * 30)),
    Case("float", t.Float(), ("0.0", "0.1", "-0.1", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "1e22")),
    Case("float of 32 bits", t.Float(32), ("0.0", "0.1", "1e-45", "3.4028235e38", "16777216", "-1.17549435e-38")),
    Case("negative zero", t.Float(), ("-0.0",)),
    Case("float not finite", t.Float(), ("nan", "inf", "-inf")),
    Case("text", t.String(), _TEXTS),
    Case("varchar", t.String(30), _TEXTS),
    Case("char", t.String(5, fixed=True), ("abcde", "é", "", "a b")),
    Case("varchar of bytes", t.String(8, unit="byte"), ("éééé", "12345678", "")),
    Case("long text", t.String(lob=True), ("ä" * 700_000, "", "x")),
    Case("text with NUL", t.String(), ("a\0b",)),
    Case(
        "bytes",
        t.Binary(),
        (b"", b"\0", bytes(range(256)), b"\\", b"\\x41", b"'\"\n\r\t\x1a\0", b"\xff\xfe", b"NULL", b"\\N"),
    ),
    Case("varbinary", t.Binary(8), (b"", b"\0\0", b"12345678", b"\xff")),
    Case("binary", t.Binary(4, fixed=True), (b"a\0\0\0", b"\0\0\0\0", b"\xff\xff\xff\xff")),
    Case("long bytes", t.Binary(lob=True), (bytes(range(256)) * 4000, b"")),
    Case(
        "date", t.Date(), ("0001-01-01", "1582-10-04", "1582-10-15", "1969-12-31", "1970-01-01", "2000-02-29", "9999-12-31")
    ),
    Case("time", t.Time(), ("00:00:00", "23:59:59.999999", "12:34:56.700000", "00:00:00.000001")),
    Case("time to the second", t.Time(0), ("00:00:00", "23:59:59")),
    Case("timestamp", t.Timestamp(), _TIMESTAMPS),
    Case("timestamp to the second", t.Timestamp(0), ("2024-02-29 23:59:59", "1999-12-31 00:00:00")),
    Case("timestamp to the millisecond", t.Timestamp(3), ("2024-02-29 23:59:59.999", "1999-12-31 00:00:00.001")),
    Case(
        "instant", t.Timestamp(zoned=True), ("1970-01-01 00:00:01Z", "2038-01-19 03:14:07.999999Z", "2024-03-31 01:00:00Z")
    ),
    Case("instant out of 32 bits", t.Timestamp(zoned=True), ("0001-01-01 00:00:00Z", "9999-12-31 23:59:59.999999Z")),
    Case("span of hours", t.Interval("day_second"), ("00:00:00", "838:59:59", "-838:59:59", "-00:00:01", "23:59:59.999999")),
    Case("span of months", t.Interval("year_month"), ("1 year 2 mons", "-3 mons", "10 years")),
    Case("span", t.Interval(), ("1 year 2 mons 3 days 04:05:06.789", "1 mon", "30 days", "24:00:00", "-1 days +00:00:01")),
    Case("year", t.Year(), ("0", "1901", "2155", "1970")),
    Case(
        "json text", t.Json(), ('{"b": 1,  "a": [true, null, "é"]}', "null", '"x"', "{}", '{"n": 12345678901234567890.123}')
    ),
    Case(
        "parsed json", t.Json(binary=True), ('{"a": [true, null, "é", 1.5], "b": {"c": ""}}', "null", '"\\u0041\\n"', "[]")
    ),
    Case("uuid", t.Uuid(), ("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "f" * 32)),
    Case("xml", t.Xml(), ('<a b="c">d &amp; é</a>', "<a/>")),
    Case("bit", t.Bit(), ("0", "1")),
    Case("bits", t.Bit(10), ("0000000000", "1111111111", "0000000001")),
    Case("64 bits", t.Bit(64), ("1" * 64, "0" * 64, "1" + "0" * 63)),
    Case("varying bits", t.Bit(10, varying=True), ("1", "0", "01", "1010101010")),
    Case("enum", t.Enum(_LABELS), _LABELS),
    Case("set", t.SetOf(("a", "b", "it's")), ("", "a", "a,b", "a,b,it's")),
    Case("array", t.Array(t.Integer()), ("{1,2,NULL}", "{}", "{{1,2},{3,4}}")),
)
"""What every adapter carries, or names as a gap."""


@dataclass(frozen=True)
class Refusal:
    """A value of ``source`` that a column of ``target`` must not take, neither changed nor as it is."""

    name: str
    source: t.Type
    target: t.Type
    value: str | bytes | None


REFUSALS: tuple[Refusal, ...] = (
    Refusal("an integer out of range", t.Integer(32), t.Integer(16), "40000"),
    Refusal("an integer below an unsigned range", t.Integer(32), t.Integer(32, unsigned=True), "-1"),
    Refusal("a decimal with too many digits", t.Decimal(10, 2), t.Decimal(5, 2), "1000.00"),
    Refusal("a decimal that would be rounded", t.Decimal(10, 3), t.Decimal(5, 2), "1.234"),
    Refusal("a float that is no integer", t.Float(), t.Integer(), "1.5"),
    Refusal("a text that is no integer", t.String(), t.Integer(), "12 monkeys"),
    Refusal("a text that is too long", t.String(), t.String(5), "abcdef"),
    Refusal("a text that is no date", t.String(), t.Date(), "2024-02-30"),
    Refusal("a time of day in a date", t.Timestamp(), t.Date(), "2024-02-29 12:00:00"),
    Refusal("two as a truth value", t.Integer(), t.Boolean(), "2"),
    Refusal("a label the enum does not have", t.String(), t.Enum(("a", "b")), "c"),
    Refusal("a text that is no JSON", t.String(), t.Json(), "{"),
    Refusal("a text that is no UUID", t.String(), t.Uuid(), "not-a-uuid"),
    Refusal("bytes that are too long", t.Binary(), t.Binary(4), b"12345"),
    Refusal("a NULL where there is none", t.Integer(), t.Integer(), None),
)
"""What every adapter refuses, or names as a gap."""


@dataclass(frozen=True)
class KeyCase:
    """A primary key of columns of ``types`` (none: the table has no key); ``values`` of row ``n``, no two rows the same."""

    name: str
    types: tuple[t.Type, ...]
    values: Callable[[int], tuple[str | bytes, ...]]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The key's columns."""
        return tuple(Column(f"k{position}", type_, nullable=False) for position, type_ in enumerate(self.types))


_LETTERS = "aÄb'\\é日😀%"

KEYS: tuple[KeyCase, ...] = (
    KeyCase("integer", (t.Integer(64),), lambda n: (str((-1) ** n * (3**n % 2**63)),)),
    KeyCase("no key", (), lambda _: ()),
    KeyCase("number and text", (t.Integer(16), t.String(20)), lambda n: (str(n % 3 - 1), f"{_LETTERS[n % 9]}{n}")),
    KeyCase("text", (t.String(40),), lambda n: (f"{_LETTERS[n % 9]}{_LETTERS[n // 9 % 9]} {n}",)),
    KeyCase("decimal", (t.Decimal(30, 10),), lambda n: (f"{'-' if n % 2 else ''}{n * 10**17}.{n:010}",)),
    KeyCase("uuid", (t.Uuid(),), lambda n: (str(UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)),)),
    KeyCase("bytes", (t.Binary(12),), lambda n: (bytes([n * 7 % 256, n % 3, n]),)),
    KeyCase("date", (t.Date(),), lambda n: (str(date(1969, 11, 1) + timedelta(n)),)),
    KeyCase("timestamp", (t.Timestamp(),), lambda n: (str(datetime(1969, 12, 31, 23, 59, 59) + timedelta(0, n / 60)),)),
)
"""Keys that rows are cut into granules by."""

HOSTILE_NAMES = (
    *("percent%(ens)yah", "%", "100%s", "q?marks", ":bind", "more :: %colons%", "$1", "{x}", "dot.s", "a/b"),
    *("[BracketsAndCase]", "quote ' one", 'quote " two', "back`tick", "back\\slash", "new\nline", "tab\tname"),
    *("semi;colon", "-- comment", "/* c */", "with blank", " leading", "42numbers"),
    *("select", "order", "user", "table", "MixedCase", "UPPER", "naïve-ünïcode", "日本語"),
)
"""Names that break parameter styles, quoting or keyword lists somewhere."""
