"""MySQL's column types: from ``COLUMN_TYPE`` texts to neutral types, and from neutral types to declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from migrator.adapter import Lacking, TypeRule, of_types
from migrator.model import types as t
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, Table

from .names import quote

ROW_BYTES = 65_535
"""The longest row, large objects left out."""

KEY_BYTES = 3_072
"""The longest key of an InnoDB index."""

COMMENT_CHARACTERS = {"database": 1_024, "table": 2_048, "column": 1_024}
"""How long a comment may be, by what it is on."""

LAST_IN_COMMENTS = "\uffff"
"""The last character that a comment may have: the dictionary is utf8mb3."""

CHARACTER_BYTES = 4
"""Bytes of a utf8mb4 character."""

WIDE_CHARACTERS = {
    **dict.fromkeys(("utf8mb4", "utf16", "utf16le", "utf32", "gb18030"), 4),
    **dict.fromkeys(("utf8mb3", "utf8", "ujis", "eucjpms"), 3),
    **dict.fromkeys(("ucs2", "big5", "cp932", "euckr", "gb2312", "gbk", "sjis"), 2),
}
"""The most bytes of a character, by its set: in all others it has one."""

LABELS = {t.Enum: 65_535, t.SetOf: 64}
"""How many labels an ENUM, or a SET, has at most."""

LABEL_CHARACTERS = 255
"""The longest label."""

# --- native to neutral ----------------------------------------------------------------------------------------------

_DECLARATION = re.compile(r"(?P<word>[a-z0-9]+)\s*(?:\((?P<arguments>.*)\))?(?P<rest>[^)]*)", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_CHARACTERS = {"''": "'", "\\\\": "\\", "\\0": "\0", "\\n": "\n", "\\r": "\r"}
_ESCAPED = re.compile("|".join(map(re.escape, _CHARACTERS)))
"""How the server writes what it does not write as it is in a label, whatever the session's mode."""

Arguments = tuple[int, ...]


def _integer(bits: int) -> Callable[[Arguments, bool], t.Type]:
    return lambda arguments, unsigned: t.Integer(bits, unsigned)


def _tinyint(arguments: Arguments, unsigned: bool) -> t.Type:
    return t.Integer(8, unsigned, display=1 if arguments == (1,) and not unsigned else None)


def _digits(arguments: Arguments, position: int, default: int) -> int:
    return arguments[position] if len(arguments) > position else default


_NATIVE: dict[str, Callable[[Arguments, bool], t.Type]] = {
    "tinyint": _tinyint,
    "smallint": _integer(16),
    "mediumint": _integer(24),
    "int": _integer(32),
    "bigint": _integer(64),
    "decimal": lambda a, _: t.Decimal(_digits(a, 0, 10), _digits(a, 1, 0)),
    "float": lambda a, _: t.Float(32),
    "double": lambda a, _: t.Float(64),
    "bit": lambda a, _: t.Bit(_digits(a, 0, 1)),
    "char": lambda a, _: t.String(_digits(a, 0, 1), fixed=True),
    "varchar": lambda a, _: t.String(a[0]),
    "tinytext": lambda a, _: t.String(255, unit="byte", lob=True),
    "text": lambda a, _: t.String(65_535, unit="byte", lob=True),
    "mediumtext": lambda a, _: t.String(16_777_215, unit="byte", lob=True),
    "longtext": lambda a, _: t.String(None, lob=True),
    "binary": lambda a, _: t.Binary(_digits(a, 0, 1), fixed=True),
    "varbinary": lambda a, _: t.Binary(a[0]),
    "tinyblob": lambda a, _: t.Binary(255, lob=True),
    "blob": lambda a, _: t.Binary(65_535, lob=True),
    "mediumblob": lambda a, _: t.Binary(16_777_215, lob=True),
    "longblob": lambda a, _: t.Binary(None, lob=True),
    "date": lambda a, _: t.Date(),
    "datetime": lambda a, _: t.Timestamp(_digits(a, 0, 0)),
    "timestamp": lambda a, _: t.Timestamp(_digits(a, 0, 0), zoned=True),
    "time": lambda a, _: t.Interval("day_second", _digits(a, 0, 0)),
    "year": lambda a, _: t.Year(),
    "json": lambda a, _: t.Json(binary=True),
    "uuid": lambda a, _: t.Uuid(),
    "vector": lambda a, _: t.Binary(4 * _digits(a, 0, 2048)),
}
"""Type words and what their values are, given the numbers in parentheses and whether the type is unsigned."""

GEOMETRY = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    }
)
"""Spatial types: they travel as the hexadecimal digits of MySQL's own form, which is the SRID in 4 bytes, then WKB."""

_OWN = GEOMETRY | {"inet4", "inet6"}


def labels(arguments: str) -> tuple[str, ...]:
    """The labels of an ENUM or SET, given what stands in its parentheses."""
    return tuple(_ESCAPED.sub(lambda found: _CHARACTERS[found[0]], label) for label in _LABEL.findall(arguments))


def neutral(declaration: str) -> t.Type | None:
    """The neutral type of a ``COLUMN_TYPE``, None where the type is not known."""
    found = _DECLARATION.fullmatch(declaration.strip())
    if found is None:
        return None
    word, arguments = found["word"].lower(), found["arguments"] or ""
    if word == "enum":
        return t.Enum(labels(arguments))
    if word == "set":
        return t.SetOf(labels(arguments))
    if word in _OWN:
        return t.Native("mysql", word)
    make = _NATIVE.get(word)
    return make(tuple(int(n) for n in re.findall(r"\d+", arguments)), is_unsigned(declaration)) if make else None


def is_unsigned(declaration: str) -> bool:
    """Whether a ``COLUMN_TYPE`` takes no negative numbers (ZEROFILL implies it)."""
    return "unsigned" in _without_labels(declaration).split() or is_zerofill(declaration)


def is_zerofill(declaration: str) -> bool:
    """Whether a ``COLUMN_TYPE`` shows zeros before its numbers."""
    return "zerofill" in _without_labels(declaration).split()


def _without_labels(declaration: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "", declaration.lower())


_ROUNDED = re.compile(r"(?:float|double)\(\d+,(?P<digits>\d+)\)")


def rounded_to(declaration: str) -> int | None:
    """How many digits after the point a floating-point column rounds to; None: it does not round."""
    found = _ROUNDED.match(declaration.lower())
    return None if found is None else int(found["digits"])


_SRID = re.compile(r"(?:REF_SYSTEM_ID=|SRID )(?P<srid>\d+)", re.IGNORECASE)


def with_srid(declaration: str, srid: int, *, mariadb: bool) -> str:
    """The declaration of a spatial column that is for one SRID, in words that the other server passes over."""
    return f"{declaration} " + (f"/*M!100301 REF_SYSTEM_ID={srid}*/" if mariadb else f"/*!80003 SRID {srid}*/")


def srid_of(declaration: str) -> int | None:
    """The SRID that a spatial column is declared for; None: it has none."""
    found = _SRID.search(declaration) if declared_word(declaration) in GEOMETRY else None
    return None if found is None else int(found["srid"])


def unsaid(declaration: str) -> str:
    """What a declaration says that its neutral type does not."""
    digits = rounded_to(declaration)
    said = [] if digits is None else [f"values are not rounded to {digits} digits after the point"]
    if is_zerofill(declaration):
        said.append("values are shown without leading zeros")
    said += filter(None, (unsaid_there(declaration),))
    if declared_word(declaration) in GEOMETRY:
        said.append("the text is the hexadecimal digits of the SRID, in four bytes, and the WKB")
    if declared_word(declaration) == VECTOR:
        said.append("a vector becomes the bytes of its numbers, four of each")
    return "; ".join(said)


def unsaid_there(declaration: str) -> str:
    """What a declaration says in words that the other of the two servers passes over."""
    said = ["values are not compressed"] if "compressed" in _without_labels(declaration) else []
    if (srid := srid_of(declaration)) is not None:
        said.append(f"that its SRID is {srid} is not declared")
    return "; ".join(said)


def unsigned_check(column: str) -> str:
    """The condition that UNSIGNED is for a decimal or floating-point column, whose neutral types have a sign."""
    return f"{quote(column)} >= 0"


def is_geometry(type_: t.Type) -> bool:
    """Whether values are spatial."""
    return isinstance(type_, t.Native) and type_.dialect == "mysql" and type_.declaration in GEOMETRY


# --- neutral to native ----------------------------------------------------------------------------------------------


def _integer_words(type_: t.Integer) -> str:
    word = {8: "tinyint", 16: "smallint", 24: "mediumint", 32: "int", 64: "bigint"}[type_.bits]
    display = f"({type_.display})" if type_.display is not None else ""
    return f"{word}{display}{' unsigned' if type_.unsigned else ''}"


def _fraction(word: str) -> Callable[[Any], str]:
    def declare(type_: t.Time | t.Timestamp) -> str:
        digits = min(type_.precision, 6)
        return f"{word}({digits})" if digits else word

    return declare


def quoted_labels(labels: Iterable[str]) -> str:
    """The labels of an ENUM or SET, as its declaration lists them."""
    return ",".join("'" + label.replace("\\", "\\\\").replace("'", "''") + "'" for label in labels)


def _labelled(word: str) -> Callable[[Any], str]:
    return lambda type_: f"{word}({quoted_labels(type_.labels)})"


def _keeps_labels(type_: t.Enum | t.SetOf) -> bool:
    """Whether a declaration keeps all labels as they are: the servers cut off blanks at the end of one."""
    kept = (len(label) <= LABEL_CHARACTERS and not label.endswith(" ") for label in type_.labels)
    joined = isinstance(type_, t.SetOf) and any("," in label for label in type_.labels)
    return 0 < len(type_.labels) <= LABELS[type(type_)] and all(kept) and not joined


def _longest_label(type_: t.Enum) -> int:
    return max((len(label) for label in type_.labels), default=0)


def _text_of_labels(type_: t.Enum) -> str:
    longest = t.String(max(_longest_label(type_), 1))
    return f"varchar({longest.length})" if _in_row(longest) else large_text(_string_bytes(longest))


def _one_of_labels(type_: t.Enum, column: str) -> str:
    return f"{column} in ({quoted_labels(type_.labels)})" if type_.labels else f"{column} is null"


def large_text(length: int | None) -> str:
    """The smallest member of the TEXT family for ``length`` bytes, None: any length."""
    return _family("text", length)


def large_binary(length: int | None) -> str:
    """The smallest member of the BLOB family for ``length`` bytes, None: any length."""
    return _family("blob", length)


def _family(word: str, length: int | None) -> str:
    for prefix, limit in (("tiny", 255), ("", 65_535), ("medium", 16_777_215)):
        if length is not None and length <= limit:
            return prefix + word
    return "long" + word


def _string_bytes(type_: t.String) -> int | None:
    return type_.length if type_.length is None or type_.unit == "byte" else type_.length * CHARACTER_BYTES


_FILLED = "blanks at the end count, and stay: values may come filled up with them"


def as_large(type_: t.String) -> TypeRule:
    """How text is declared that finds no place in the row; a length in characters is kept as a check."""
    bounded = type_.length is not None and type_.unit == "char"
    return TypeRule(
        t.String,
        lambda s: large_text(_string_bytes(s)),
        loss=_FILLED if type_.fixed else "",
        check="char_length({column}) <= {length}" if bounded else "",
        reason="a row has 65535 bytes, large objects are kept outside of it",
    )


def _in_row(type_: t.String) -> bool:
    return not type_.lob and type_.length is not None and type_.length * CHARACTER_BYTES + 2 <= ROW_BYTES


_DIGITS_BEYOND_6 = "digits after the sixth of a second's fraction have no place: a value that has them makes the load fail"
_SPANS = "spans of up to 838 hours are let in: TIME is for these, too"
_ANY_DECIMAL = "decimal(65,30) holds 35 digits before and 30 after the point: a value that does not fit makes the load fail"

TYPES: tuple[TypeRule, ...] = (
    TypeRule(t.Boolean, "tinyint(1)", check="{column} in (0, 1)", reason="BOOLEAN is another word for tinyint(1)"),
    TypeRule(t.Integer, _integer_words, reason="the same widths, signed and unsigned"),
    TypeRule(
        t.Decimal,
        "decimal(65,30)",
        when=lambda d: d.precision is None or d.precision > 65,
        loss=_ANY_DECIMAL,
        reason="decimals end at 65 digits",
    ),
    TypeRule(
        t.Decimal,
        lambda d: f"decimal({min(65, d.precision - d.scale)},0)",
        when=lambda d: (d.scale or 0) < 0,
        loss="that values are multiples of a power of ten is not enforced",
        reason="no negative scales",
    ),
    TypeRule(t.Decimal, "decimal(65,30)", when=lambda d: (d.scale or 0) > 30, loss=_ANY_DECIMAL, reason="scales end at 30"),
    TypeRule(
        t.Decimal,
        lambda d: f"decimal({d.scale},{d.scale})",
        when=lambda d: (d.scale or 0) > d.precision,
        loss="the zeros that must follow the point are not enforced",
        reason="no scale above the precision",
    ),
    TypeRule(t.Decimal, lambda d: f"decimal({d.precision},{d.scale or 0})", reason="exact, up to 65 digits"),
    TypeRule(t.Float, "float", when=lambda f: f.bits == 32, reason="IEEE single, without NaN and infinities"),
    TypeRule(t.Float, "double", reason="IEEE double, without NaN and infinities"),
    TypeRule(t.String, "char({length})", when=lambda s: s.fixed and (s.length or 256) <= 255, reason="CHAR ends at 255"),
    TypeRule(
        t.String,
        lambda s: "varchar({length})".format(**vars(s)) if _in_row(s) else large_text(_string_bytes(s)),
        when=lambda s: s.fixed,
        loss=_FILLED,
        reason="CHAR ends at 255",
    ),
    TypeRule(t.String, "varchar({length})", when=_in_row, reason="as long as the row has place: see as_large"),
    TypeRule(
        t.String,
        lambda s: large_text(_string_bytes(s)),
        when=lambda s: s.lob or s.length is None or s.unit == "byte",
        reason="the smallest of the TEXT family that holds it",
    ),
    TypeRule(
        t.String,
        lambda s: large_text(_string_bytes(s)),
        check="char_length({column}) <= {length}",
        reason="longer than a row: the length becomes a check",
    ),
    TypeRule(t.Binary, "binary({length})", when=lambda b: b.fixed and (b.length or 256) <= 255, reason="BINARY ends at 255"),
    TypeRule(
        t.Binary,
        "varbinary({length})",
        when=lambda b: not b.lob and b.length is not None and b.length <= 16_383,
        reason="in the row where it is short",
    ),
    TypeRule(t.Binary, lambda b: large_binary(b.length), reason="the smallest of the BLOB family that holds it"),
    TypeRule(t.Date, "date", reason="the same days, from the year 0 to 9999"),
    TypeRule(
        t.Time,
        "varchar(32)",
        when=lambda x: x.zoned,
        loss="a time of day with an offset becomes its text",
        each=True,
        reason="no times with offsets",
    ),
    TypeRule(
        t.Time,
        _fraction("time"),
        when=lambda x: x.precision > 6,
        loss=f"{_DIGITS_BEYOND_6}; {_SPANS}",
        reason="microseconds",
    ),
    TypeRule(t.Time, _fraction("time"), loss=_SPANS, reason="microseconds; 24:00:00 has a place"),
    TypeRule(
        t.Timestamp,
        _fraction("datetime"),
        when=lambda x: x.zoned,
        loss="an instant becomes date and time of day in UTC; sessions do not shift it to their time zone",
        each=True,
        reason="TIMESTAMP ends in 2038 and begins in 1970: values beyond could not be stored",
    ),
    TypeRule(
        t.Timestamp, _fraction("datetime"), when=lambda x: x.precision > 6, loss=_DIGITS_BEYOND_6, reason="microseconds"
    ),
    TypeRule(t.Timestamp, _fraction("datetime"), reason="microseconds, the years 0 to 9999"),
    TypeRule(
        t.Interval,
        "varchar(70)",
        loss="an interval becomes its text",
        each=True,
        reason="TIME ends at 838 hours and has no months",
    ),
    TypeRule(t.Year, "year", reason="MySQL's own"),
    TypeRule(
        t.Json,
        "json",
        loss="MySQL parses JSON: key order, repeated keys and digits of long numbers are not kept (MariaDB keeps the text)",
        reason="the JSON type checks what it takes",
    ),
    TypeRule(
        t.Uuid,
        "char(36) character set ascii",
        loss="that it is a UUID is not enforced",
        reason="the usual text; MySQL has no type of its own",
    ),
    TypeRule(t.Xml, "longtext", loss="that it is XML is not enforced", reason="no XML type"),
    TypeRule(t.Bit, "bit({length})", when=lambda b: not b.varying and b.length and b.length <= 64, reason="up to 64 bits"),
    TypeRule(
        t.Bit,
        "varchar({length})",
        when=lambda b: b.length and b.length <= 16_000,
        loss="bits become a text of 0 and 1",
        each=True,
        reason="BIT has a fixed length of up to 64",
    ),
    TypeRule(
        t.Bit, "longtext", loss="bits become a text of 0 and 1", each=True, reason="BIT has a fixed length of up to 64"
    ),
    TypeRule(t.Enum, _labelled("enum"), when=_keeps_labels, reason="the same labels in the same order"),
    TypeRule(
        t.Enum,
        _text_of_labels,
        check=_one_of_labels,
        loss="becomes text with a check, and sorts by its letters: ENUM cuts off blanks at the end of its labels, and has "
        f"at most {LABELS[t.Enum]} of at most {LABEL_CHARACTERS} characters",
        reason="values stay what they are",
    ),
    TypeRule(t.SetOf, _labelled("set"), when=_keeps_labels, reason="MySQL's own"),
    TypeRule(
        t.SetOf,
        "longtext",
        loss="any text is let in, not only comma-joined labels of the set: SET cuts off blanks at the end of its labels, "
        f"and has at most {LABELS[t.SetOf]} of at most {LABEL_CHARACTERS} characters, without commas",
        reason="values stay what they are",
    ),
    TypeRule(t.Array, "longtext", loss="an array becomes the text its database prints", each=True, reason="no arrays"),
    TypeRule(t.Native, "{declaration}", when=lambda n: n.dialect == "mysql", reason="MySQL's own"),
    TypeRule(
        t.Native,
        "longtext",
        when=lambda n: not n.opaque,
        loss="is kept as the text its database prints",
        each=True,
        reason="no such type",
    ),
)
"""How neutral types are declared; the first matching row is taken."""

MARIADB_TYPES: tuple[TypeRule, ...] = (
    TypeRule(
        t.Json,
        "json",
        when=lambda j: j.binary,
        loss="is kept as its text, and compared as one",
        reason="MariaDB's JSON is a longtext with a check",
    ),
    TypeRule(t.Json, "json", reason="MariaDB's JSON is a longtext with a check: the text is kept as it is"),
    TypeRule(t.Uuid, "uuid", reason="MariaDB 10.7 and later"),
)
"""Rows that come before TYPES where the server is known to be a MariaDB of 10.7 or later."""

MYSQL_TYPES: tuple[TypeRule, ...] = tuple(
    TypeRule(
        t.Native,
        f"varchar({length}) character set ascii",
        when=lambda n, word=word: n.dialect == "mysql" and n.declaration == word,  # type: ignore[misc]
        loss="that it is an address is not enforced, and addresses sort as their texts",
        reason="the usual text; MariaDB alone has the type",
    )
    for word, length in (("inet4", 15), ("inet6", 39))
)
"""Rows that come before TYPES where the server is known to be a MySQL."""

LACKS: Mapping[Misfit, Lacking] = {
    Misfit.INFINITY: of_types(t.Date, t.Timestamp, t.Integer, t.Decimal, t.Float),
    Misfit.NAN: of_types(t.Integer, t.Decimal, t.Float),
}
"""Which columns have no place for values of a kind."""

_ALL_CHARACTERS = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030", ""})


def narrowed_by(table: Table, column: Column) -> str:
    """See :meth:`migrator.adapter.Adapter.narrowed_by`."""
    match t.base_of(column.type):
        case t.Timestamp(zoned=True):
            return "timestamp"
        case t.String():
            collation = column.collation or dict(table.options).get("COLLATE") or ""
            character_set = collation.partition("_")[0]
            return "" if character_set in _ALL_CHARACTERS else character_set
    return ""


NO_DATES = r" BC$|^\d{5,}-"
"""Dates out of range: they begin with the year 0 and end with 9999."""

MARIADB_ONLY = frozenset({"uuid", "inet4", "inet6"})
"""Type words that MySQL does not have."""

VECTOR = "vector"
"""The type word of vectors of numbers of 32 bits, which only later versions have."""


def has_vectors(version: tuple[int, ...]) -> bool:
    """Whether a server of ``version`` has vectors."""
    return version >= ((11, 7) if is_mariadb(version) else (9,))


def declared_word(declaration: str) -> str:
    """The type word of a declaration, in lower case."""
    found = re.match(r"[a-z0-9]+", declaration.strip().lower())
    return found[0] if found else ""


def row_bytes(type_: t.Type, declaration: str) -> int:
    """An upper bound of the bytes a column takes of its row."""
    word = declared_word(declaration)
    if word.endswith(("text", "blob")) or word in {"json"} | GEOMETRY:
        return 12
    match t.base_of(type_):
        case t.String(length=int(n)) | t.Bit(length=int(n)) if word in {"char", "varchar"}:
            return n * CHARACTER_BYTES + 2
        case t.Enum() as enum if word == "varchar":
            return max(_longest_label(enum), 1) * CHARACTER_BYTES + 2
        case t.Binary(length=int(n)):
            return n + 2
        case t.Decimal():
            return 30
        case t.Uuid() | t.Interval() | t.Time() | t.Timestamp() if "char" in word:
            return 70 * CHARACTER_BYTES + 2
        case _:
            return 8


def key_bytes(type_: t.Type, declaration: str) -> int:
    """An upper bound of the bytes a column takes of an index key."""
    return 36 if "ascii" in declaration else row_bytes(type_, declaration)


def is_mariadb(version: tuple[int, ...]) -> bool:
    """Whether a server of ``version`` is a MariaDB: MySQL's versions end before 10, where those of MariaDB begin."""
    return version >= (10,)


def with_versions(rules: Sequence[TypeRule], version: tuple[int, ...] | None) -> tuple[TypeRule, ...]:
    """The type table for a server of ``version``, None: any."""
    if version is not None and not is_mariadb(version):
        return (*MYSQL_TYPES, *rules)
    return (*MARIADB_TYPES, *rules) if version is not None and version >= (10, 7) else tuple(rules)
