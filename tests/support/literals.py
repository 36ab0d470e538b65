"""Columns of every database and what they can hold, as SQL expressions of that database: any value, and the odd ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Literals = st.SearchStrategy[str]


@dataclass(frozen=True)
class Held:
    """A column of one database. ``values``: expressions for any usual value of it; ``odd``: those that are easily lost.

    ``stray``: values that its declaration is not about, so that each of them, in SQLite, gives it another type.
    ``broken``: texts whose bytes are none in their character set, which go nowhere.
    """

    declaration: str
    values: Literals
    odd: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


# --- what all databases spell alike ---------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text in quotes, as PostgreSQL and SQLite read it, and MySQL where there is no backslash."""
    return "'" + text.replace("'", "''") + "'"


def listed(*values: str) -> tuple[str, ...]:
    return tuple(map(quoted, values))


def _plain(values: st.SearchStrategy[Any]) -> Literals:
    return values.map(str)


def _in_quotes(values: st.SearchStrategy[Any]) -> Literals:
    return values.map(lambda value: quoted(str(value)))


def whole(bits: int, *, unsigned: bool = False) -> Literals:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return _plain(st.integers(low, high) | st.sampled_from((low, high)))


def decimals(digits: int, scale: int) -> Literals:
    """Decimals in quotes, so that no parser takes them for floating-point numbers first."""
    limit = 10**digits - 1
    return st.integers(-limit, limit).map(lambda n: f"'{'-' if n < 0 else ''}{_pointed(abs(n), scale)}'")


def _pointed(number: int, scale: int) -> str:
    digits = f"{number:0{scale + 1}d}"
    return f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits


def doubles(width: int = 64) -> Literals:
    return st.floats(width=width, allow_nan=False, allow_infinity=False, allow_subnormal=True).map(lambda f: f"{f + 0.0!r}")  # type: ignore[arg-type]


def days(first: str, last: str) -> Literals:
    from datetime import date

    return _in_quotes(st.dates(date.fromisoformat(first), date.fromisoformat(last)))


def moments(digits: int = 6, first: int = 1, last: int = 9999, zone: str = "") -> Literals:
    from datetime import datetime

    def spelled(moment: datetime) -> str:
        fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
        return quoted(f"{moment:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + fraction + zone)

    return st.datetimes(datetime(first, 1, 1), datetime(last, 12, 31, 23, 59, 59)).map(spelled)


def clocks(digits: int = 6, zone: str = "") -> Literals:
    def spelled(micros: int) -> str:
        seconds, fraction = divmod(micros, 10**6)
        shown = f".{fraction:06d}"[: digits + 1] if digits else ""
        return quoted(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{shown}{zone}")

    return st.integers(0, 86_400 * 10**6 - 1).map(spelled)


TEXTS = (
    *("", " ", "NULL", "\\N", "\\", "\\\\", "\\.", "a\\", "\\t\\x41", "'", '"', "''", "%s :x ? $1", "a,b;c|d", "{}", "0"),
    *("tab\there", "line\nhere", "return\rhere", "both\r\n", "\n", "\x01\x08\x0b\x0c\x1a\x1b\x7f", "trailing "),
    *("é", "日本語", "😀", "👩‍👩‍👧", "e\u0301", "\ufeffbom", "\u202e", "\u2028", "\uffff", "\U0010ffff"),
)
"""Texts that escapes, delimiters and character sets are about."""
BYTES = (b"", b"\0", b"\\", b"\\N", b"\\x41", b"'\"\n\r\t\x1a\0", b"\xff\xfe", b"NULL", bytes(range(256)))
"""Bytes that escapes are about."""
UUIDS = (
    "00000000-0000-0000-0000-000000000000",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
)
DOCUMENTS = (
    '{"b": 1,  "a": [true, null, "é"], "a": 2}',
    "null",
    '"x"',
    " {} ",
    '{"n": 12345678901234567890.1230}',
    '"\\ud800"',
)

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_any_bytes = st.binary(max_size=40)
_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
)


def bits(width: int) -> st.SearchStrategy[str]:
    return st.text("01", min_size=width, max_size=width)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def bytea(value: bytes) -> str:
    return f"'\\x{value.hex()}'"


POSTGRESQL_SETUP = (
    "CREATE TYPE mood AS ENUM ('sad', 'o''k', 'very \"happy\"', '')",
    "CREATE DOMAIN posint AS integer CHECK (VALUE > 0)",
    "CREATE DOMAIN birthday AS date",
)

POSTGRESQL = (
    Held("boolean", st.sampled_from(("true", "false"))),
    Held("smallint", whole(16)),
    Held("integer", whole(32)),
    Held("bigint", whole(64)),
    Held(
        "numeric",
        decimals(25, 10),
        listed(
            "NaN",
            "Infinity",
            "-Infinity",
            "0.000",
            "-0.0",
            "1e-30",
            "1e-31",
            "9" * 35 + "." + "9" * 30,
            "1e35",
            "9" * 65,
            "1" * 1000 + "." + "7" * 1000,
        ),
    ),
    Held("numeric(10,2)", decimals(10, 2), listed("NaN", "0.00", "-0.01")),
    Held("numeric(38,10)", decimals(38, 10), listed("NaN", "0.0000000001")),
    Held("numeric(65,30)", decimals(65, 30), listed("NaN", "9" * 35 + "." + "9" * 30)),
    Held("numeric(80,2)", decimals(30, 2), listed("9" * 78 + ".99", "NaN")),
    Held("numeric(3,-2)", st.integers(-999, 999).map(lambda n: f"'{n}00'"), listed("NaN")),
    Held("numeric(2,4)", st.integers(-99, 99).map(lambda n: f"'{n}e-4'"), listed("NaN")),
    Held(
        "real",
        doubles(32),
        listed("NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "1.17549435e-38", "16777216"),
    ),
    Held(
        "double precision",
        doubles(),
        listed("NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"),
    ),
    Held("text", _in_quotes(_texts), listed(*TEXTS)),
    Held(
        "character varying(5)", _in_quotes(_texts.map(lambda text: text[:5])), listed("", "ab   ", "ééééé", "😀" * 5, "\\N")
    ),
    Held("character(5)", _in_quotes(_texts.map(lambda text: text[:5])), listed("", "ab", "abcde", "  a")),
    Held("bytea", _any_bytes.map(bytea), tuple(map(bytea, BYTES))),
    Held(
        "date",
        days("0001-01-01", "9999-12-31"),
        listed(
            "infinity",
            "-infinity",
            "0044-03-15 BC",
            "0001-12-31 BC",
            "4713-01-01 BC",
            "10000-01-01",
            "5874897-12-31",
            "0001-01-01",
            "9999-12-31",
        ),
    ),
    Held(
        "timestamp",
        moments(),
        listed(
            "infinity",
            "-infinity",
            "0044-03-15 12:00:00.5 BC",
            "294276-12-31 23:59:59.999999",
            "9999-12-31 23:59:59.999999",
            "0001-01-01 00:00:00",
            "10000-01-01 00:00:00",
        ),
    ),
    Held("timestamp(3)", moments(3), listed("infinity", "2024-02-29 12:00:00.123")),
    Held("timestamp(0)", moments(0), listed("-infinity", "0044-03-15 12:00:00 BC")),
    Held(
        "timestamp with time zone",
        moments(zone="+02"),
        listed(
            "infinity",
            "-infinity",
            "4713-01-01 00:00:00+00 BC",
            "12024-01-01 00:00:00+00",
            "9999-12-31 23:59:59.999999+00",
            "1969-12-31 23:59:59.5+00",
            "0001-01-01 01:00:00+02",
        ),
    ),
    Held("time", clocks(), listed("24:00:00", "00:00:00", "23:59:59.999999")),
    Held("time(0)", clocks(0), listed("24:00:00")),
    Held("time with time zone", clocks(zone="+05:30"), listed("24:00:00-12", "00:00:00+15:59")),
    Held(
        "interval",
        st.tuples(st.integers(-(10**4), 10**4), st.integers(-(10**4), 10**4), st.integers(-(10**12), 10**12)).map(
            lambda parts: f"'{parts[0]} mons {parts[1]} days {parts[2]} microseconds'"
        ),
        listed(
            "1 mon",
            "30 days",
            "24:00:00",
            "-1 mon +1 day -00:00:00.000001",
            "0",
            "178000000 years",
            "-178956970 years -8 mons -2147483647 days -2562047788:00:54.775807",
        ),
    ),
    Held("interval year to month", _in_quotes(st.integers(-1000, 1000).map(lambda n: f"{n} mons")), listed("-1-5")),
    Held("interval(2)", _in_quotes(st.integers(-(10**6), 10**6).map(lambda n: f"{n} seconds")), listed("1 day 00:00:01.25")),
    Held("json", _in_quotes(_documents.map(_json)), listed(*DOCUMENTS, '"\\u0000"')),
    Held("jsonb", _in_quotes(_documents.map(_json)), listed(*DOCUMENTS[:-1])),
    Held("uuid", _in_quotes(st.uuids()), listed(*UUIDS)),
    Held("bit(3)", _in_quotes(bits(3))),
    Held("bit(64)", _in_quotes(bits(64)), listed("1" * 64, "0" * 64)),
    Held("bit varying(9)", _in_quotes(st.text("01", max_size=9)), listed("", "0")),
    Held("bit varying", _in_quotes(st.text("01", max_size=80)), listed("")),
    Held("inet", _in_quotes(st.ip_addresses()), listed("10.0.0.0/8", "10.0.0.1/32", "::1/128")),
    Held("cidr", _in_quotes(st.ip_addresses()), listed("10.0.0.0/8")),
    Held("inet[]", st.lists(st.ip_addresses()).map(lambda many: f"'{{{', '.join(map(str, many))}}}'")),
    Held(
        "integer[]",
        st.lists(st.integers(-9, 9)).map(lambda many: f"'{{{', '.join(map(str, many))}}}'"),
        listed("{1,NULL}", "{{1,2},{3,4}}", "[0:1]={1,2}"),
    ),
    Held("text[]", st.nothing(), listed('{a,"b,c",NULL,"NULL","","\\"q\\" \\\\ "}', "{}")),
    Held("mood", st.sampled_from(listed("sad", "o'k", 'very "happy"')), listed("")),
    Held("posint", _plain(st.integers(1, 2**31 - 1))),
    Held("birthday", days("1900-01-01", "2100-01-01"), listed("infinity", "0044-03-15 BC")),
)

# --- MariaDB and MySQL ----------------------------------------------------------------------------------------------


def utf8mb4(text: str) -> str:
    return f"_utf8mb4 x'{text.encode().hex()}'"


def octets(value: bytes) -> str:
    return f"x'{value.hex()}'"


def _mysql_texts(*texts: str) -> tuple[str, ...]:
    return tuple(map(utf8mb4, texts))


_mysql_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_bmp = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
_latin = st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cs", "Cc"]), max_size=20)
_spans = st.integers(-(838 * 3600 + 59 * 60 + 59), 838 * 3600 + 59 * 60 + 59).map(
    lambda s: f"'{'-' if s < 0 else ''}{abs(s) // 3600:02d}:{abs(s) // 60 % 60:02d}:{abs(s) % 60:02d}'"
)

MYSQL = (
    Held("tinyint", whole(8)),
    Held("tinyint(1)", whole(8), ("0", "1", "2", "-1")),
    Held("tinyint unsigned", whole(8, unsigned=True)),
    Held("smallint unsigned", whole(16, unsigned=True)),
    Held("mediumint", whole(24)),
    Held("mediumint unsigned", whole(24, unsigned=True)),
    Held("int", whole(32)),
    Held("int unsigned", whole(32, unsigned=True)),
    Held("bigint", whole(64)),
    Held(
        "bigint unsigned", whole(64, unsigned=True), ("18446744073709551615", "9223372036854775807", "9223372036854775808")
    ),
    Held("decimal(10,2)", decimals(10, 2), ("0", "-0.01")),
    Held("decimal(65,30)", decimals(65, 30), ("'" + "9" * 35 + "." + "9" * 30 + "'", "'1e-30'")),
    Held("decimal(65,0)", decimals(65, 0), ("'" + "9" * 65 + "'",)),
    Held("float", doubles(32), ("'-0'", "1.17549435e-38", "3.4028235e38", "16777216", "0.1")),
    Held("double", doubles(), ("'-0'", "5e-324", "1.7976931348623157e308", "0.1", "1e22")),
    Held("bit(1)", bits(1).map("b'{}'".format), ("b'1'",)),
    Held("bit(10)", bits(10).map("b'{}'".format)),
    Held("bit(64)", bits(64).map("b'{}'".format), (f"b'{'1' * 64}'", "b'0'", f"b'1{'0' * 63}'")),
    Held("char(5)", _mysql_text.map(lambda text: utf8mb4(text[:5])), _mysql_texts("", "ab ", "é", "a\0b")),
    Held("varchar(40)", _mysql_text.map(utf8mb4), _mysql_texts(*(text for text in TEXTS), "a\0b", "\0")),
    Held("varchar(20) character set latin1", _latin.map(utf8mb4), ("_latin1 x'80e9'", "_latin1 x'818d8f909d'", "''")),
    Held("varchar(20) character set gbk", st.just("_gbk x'c4e3'"), ("''", "_gbk x'815c'"), broken=("_gbk x'a380'",)),
    Held("varchar(20) character set utf8mb3", _bmp.map(utf8mb4), _mysql_texts("naïve", "", "\\N")),
    Held("varchar(20) character set ucs2", _bmp.map(utf8mb4), ("_ucs2 x'0000'", "''"), broken=("_ucs2 x'd800'",)),
    Held("varchar(20) character set utf16", _mysql_text.map(lambda text: utf8mb4(text[:20])), _mysql_texts("😀", "")),
    Held("text", _mysql_text.map(utf8mb4), _mysql_texts(*TEXTS, "a\0b")),
    Held("longtext", _mysql_text.map(utf8mb4), _mysql_texts("", "\\N", "\0")),
    Held("binary(4)", st.binary(max_size=4).map(octets), (octets(b"a"), octets(b""), octets(b"\xff" * 4))),
    Held("varbinary(300)", _any_bytes.map(octets), tuple(map(octets, BYTES))),
    Held("longblob", _any_bytes.map(octets), tuple(map(octets, BYTES))),
    Held(
        "date",
        days("0001-01-01", "9999-12-31"),
        listed("0000-00-00", "2024-00-10", "2024-01-00", "0000-01-01", "0009-01-01", "9999-12-31"),
    ),
    Held(
        "datetime",
        moments(0),
        listed("0000-00-00 00:00:00", "2024-00-10 00:00:00", "2024-02-00 10:00:00", "0000-01-01 00:00:00"),
    ),
    Held("datetime(6)", moments(), listed("0000-00-00 00:00:00", "9999-12-31 23:59:59.999999", "2024-01-00 00:00:00.5")),
    Held(
        "timestamp(3) null",
        moments(3, 1971, 2037),
        listed("0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07.999"),
    ),
    Held("time", _spans, listed("-838:59:59", "838:59:59", "-00:00:01", "00:00:00", "24:00:00")),
    Held("time(6)", clocks(), listed("-838:59:59.000001", "838:59:59", "-00:00:00.000001")),
    Held("year", _plain(st.integers(1901, 2155)), ("0", "1901", "2155")),
    Held("enum('a','it''s','b\\\\c','é')", st.sampled_from(("'a'", "'it''s'", "'b\\\\c'")), ("0", "'é'")),
    Held("set('x','y','z')", st.sampled_from(("'x'", "'x,z'", "'y'")), ("''", "'x,y,z'")),
    Held("json", _documents.map(lambda value: utf8mb4(_json(value))), _mysql_texts(*DOCUMENTS[:-1], '"\\u0000"')),
    Held("uuid", _in_quotes(st.uuids()), listed(*UUIDS)),
    Held("inet6", _in_quotes(st.ip_addresses(v=6)), listed("::", "::ffff:10.0.0.1")),
    Held(
        "point",
        st.tuples(st.integers(-90, 90), st.integers(-90, 90)).map(
            lambda p: f"ST_GeomFromText('POINT({p[0]} {p[1]})', 4326)"
        ),
    ),
)

# --- SQLite ---------------------------------------------------------------------------------------------------------


def as_text(value: bytes) -> str:
    """A text of these bytes, whatever they are."""
    return f"CAST(x'{value.hex()}' AS TEXT)"


def _sqlite_texts(*texts: str) -> tuple[str, ...]:
    return tuple(as_text(text.encode()) for text in texts)


_sqlite_text = _mysql_text.map(lambda text: as_text(text.encode()))
_STRAY = ("9223372036854775807", "1.5", "'abc'", "x'00ff'", "''")
"""Values of every storage class, for columns that say nothing about it."""

SQLITE = (
    Held("INTEGER", whole(64), ("9223372036854775807", "-9223372036854775808"), stray=("1.5", "'abc'")),
    Held("TINYINT", whole(8), ("127", "-128"), stray=("300",)),
    Held("MEDIUMINT", whole(24), ("8388607",), stray=("8388608",)),
    Held("BIGINT UNSIGNED", _plain(st.integers(0, 2**63 - 1)), ("9223372036854775807",), stray=("-1",)),
    Held("REAL", doubles(), ("9e999", "-9e999", "-0.0", "5e-324", "9007199254740993.0"), stray=("'abc'",)),
    Held("FLOAT", doubles(), ("9e999", "0.1")),
    Held("NUMERIC", doubles(), ("9007199254740994.0", "-1e17"), stray=("9223372036854775807", "'abc'", "'007'")),
    Held(
        "DECIMAL(10,2)",
        st.integers(-(10**10) + 1, 10**10 - 1).map(lambda n: f"'{'-' if n < 0 else ''}{_pointed(abs(n), 2)}'"),
        ("0.00", "-0.01", "99999999.99"),
        stray=("1.005", "99999999999", "'abc'", "9e999", "1e-7"),
    ),
    Held("DECIMAL(18,4)", st.integers(-(10**14), 10**14).map(lambda n: f"{n}e-4"), ("0.1",), stray=("123456789012345.5",)),
    Held("DECIMAL_TEXT", decimals(40, 15), listed("NaN", "Infinity", "1e-40", "9" * 65, "abc", "")),
    Held("DECIMAL_TEXT(38,10)", decimals(38, 10), listed("NaN", "1.5", "1e3", "abc", "0.00000000001")),
    Held(
        "TEXT", _sqlite_text, _sqlite_texts(*TEXTS, "a\0b", "\0"), ("x'00'",), (as_text(b"f\xff"), as_text(b"\xed\xa0\x80"))
    ),
    Held(
        "VARCHAR(5)",
        _mysql_text.map(lambda text: as_text(text[:5].encode())),
        _sqlite_texts("", "abc  "),
        ("'longer'",),
        (as_text(b"\xff"),),
    ),
    Held("CHAR(2)", st.sampled_from(("'ab'", "'c '", "'c'")), ("'a '", "'cd'", "'  '"), stray=("'a'", "''", "'abc'")),
    Held("CLOB", _sqlite_text, _sqlite_texts("", "a\0b")),
    Held("BLOB", _any_bytes.map(octets), tuple(map(octets, BYTES)), stray=("'text'", "7")),
    Held("VARBINARY(4)", st.binary(max_size=4).map(octets), ("x''",), stray=("x'0102030405'",)),
    Held("BINARY(4)", st.binary(min_size=4, max_size=4).map(octets), stray=("x'01'", "x''")),
    Held("BOOLEAN", st.sampled_from(("0", "1", "TRUE")), stray=("2", "'yes'", "0.5")),
    Held(
        "DATE",
        days("0001-01-01", "9999-12-31"),
        listed("0000-01-01", "0001-01-01", "9999-12-31"),
        listed("infinity", "0000-00-00", "2024-02-30", "0044-03-15 BC", "2024-01-01 10:00:00", ""),
    ),
    Held(
        "DATETIME",
        moments(),
        listed("0000-01-01 00:00:00", "2024-01-01T10:00:00", "2024-01-01 10:00:00.5"),
        listed(
            "infinity", "2024-01-01 24:00:00", "2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00+02:00", "2024-01-01 10:00"
        ),
    ),
    Held("DATETIME(3)", moments(3), listed("9999-12-31 23:59:59.999")),
    Held(
        "TIMESTAMPTZ",
        moments(zone="+02:00"),
        listed("2024-01-01 10:00:00.5-11:30", "0001-01-01 00:00:00+14:00", "9999-12-31 23:59:59+00:00"),
        listed("infinity", "2024-01-01 10:00:00Z"),
    ),
    Held("TIME", clocks(), stray=listed("24:00:00", "10:00", "25:00:00", "-838:59:59")),
    Held("TIMETZ", clocks(zone="+05:30"), listed("24:00:00-12")),
    Held("YEAR", _plain(st.integers(1901, 2155)), ("0",), stray=("1900", "'2024'")),
    Held(
        "JSON",
        st.builds(dict, a=_documents).map(lambda value: quoted(_json(value))),
        listed(DOCUMENTS[0], "null", '"x"', '"\\ud800"', '"\\u0000"'),
        listed("{", "", "{a: 1}", "1e400"),
    ),
    Held("JSON_TEXT", _in_quotes(_documents.map(_json)), listed(*DOCUMENTS), listed("007", "1.50")),
    Held(
        "UUID",
        _in_quotes(st.uuids()),
        listed(*UUIDS),
        listed("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
    ),
    Held("BIT_TEXT(3)", _in_quotes(bits(3)), stray=listed("01", "0101", "012", "")),
    Held("VARBIT_TEXT", _in_quotes(st.text("01", max_size=80)), listed(""), listed("2")),
    Held("", st.sampled_from(("'a'", "''")), stray=_STRAY),
    Held("INTERVAL", whole(32), stray=("'1 day'",)),
    Held("ANYTHING", doubles(), stray=_STRAY),
)

MARIADB_ALONE = frozenset({"uuid", "inet4", "inet6"})
"""Declarations that MySQL does not have."""

HELD: dict[str, tuple[Held, ...]] = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MYSQL}
SETUP: dict[str, tuple[str, ...]] = {"sqlite": (), "postgresql": POSTGRESQL_SETUP, "mysql": ()}
