"""What a default's deparsed SQL means, the value that a constant one gives, and how constants of others are written."""

from __future__ import annotations

import re
from dataclasses import replace

from migrator.expressions.constants import instant, value_of
from migrator.model import types as t
from migrator.model.objects import Default, Expression, Literal, Moment, NewUuid, NextValue, Now, QName

from .types import DIALECT, as_text

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TYPE = r"[a-z_\"][\w\". ,()\[\]]*"
_NUMERIC = r"(?:smallint|integer|bigint|numeric(?:\(\d+,-?\d+\))?|real|double precision)"
_PLAIN_NUMBER = re.compile(rf"\(?({_NUMBER})\)?(?:::{_NUMERIC})?")
_QUOTED_NUMBER = re.compile(rf"'({_NUMBER})'::{_NUMERIC}")
_STRING = re.compile(rf"(E?)'((?:[^']|'')*)'::({_TYPE})")
_NULL = re.compile(rf"NULL(?:::{_TYPE})?")
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
_NAME = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))\.(?:"((?:[^"]|"")+)"|([^".]+))')
CLOCKS: dict[Moment, str] = {
    "transaction": "transaction_timestamp()",
    "statement": "statement_timestamp()",
    "call": "clock_timestamp()",
}
"""The functions that say of what the time is, where ``now()`` and the usual words do not."""
_OF_UTC = {
    "timezone('utc'::text, now())": Now(utc=True),
    "(timezone('utc'::text, now()))::time without time zone": Now("time", utc=True),
}
_DAY_OF_UTC = {"(timezone('utc'::text, now()))::date": Now("date", utc=True)}
_CLOCKS = {"now()": Now(), "CURRENT_DATE": Now("date"), **_OF_UTC, **_DAY_OF_UTC}
"""Defaults that ask for the current time, and what they mean."""
UNITS = {0: "second", 3: "milliseconds"}
"""The units that ``date_trunc`` cuts the current time to, by their digits after the second."""
_CUT = re.compile(rf"date_trunc\('({'|'.join(UNITS.values())})'::text, now\(\)\)")
_DIGITS = {unit: digits for digits, unit in UNITS.items()}
_CUT_FORMS = {"now()": Now(), "(now())::time without time zone": Now("time"), **_OF_UTC}
"""Defaults in which ``date_trunc`` of one of :data:`UNITS` may stand around ``now()``, and what they mean without it."""
_CALLED_FORMS = {**_CUT_FORMS, "(now())::date": Now("date"), **_DAY_OF_UTC}
"""Defaults in which a function of :data:`CLOCKS` may stand in the place of ``now()``, and what they mean with ``now()``."""
_ROUNDED = re.compile(r"\(now\(\)\)::timestamp\((\d)\) with time zone")
_CLOCK_WORDS = {value: sql for sql, value in _CLOCKS.items()}
_CUT_WORDS = {value: sql for sql, value in _CUT_FORMS.items()}
_CALLED_WORDS = {value: sql for sql, value in _CALLED_FORMS.items()}
_NOW = re.compile(r"(CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_TIME|LOCALTIME)(?:\((\d)\))?")


def parse(sql: str, type_: t.Type) -> Default:
    """The default of a column of ``type_`` in the model's words, or as an expression of PostgreSQL where it has none.

    The name of an object, ``'shop.t'::regclass``, is no constant: REMAP_SCHEMA changes it.
    """
    if sql in {"true", "false"}:
        return Literal("1" if sql == "true" else "0", "boolean")
    if (clock := _clock(sql, not isinstance(type_, t.Date | t.Time | t.Timestamp | t.Interval))) is not None:
        return Expression(sql, DIALECT) if clock.is_misread(type_) else clock
    if sql == "gen_random_uuid()":
        return NewUuid()
    if _NULL.fullmatch(sql):
        return Literal("", "null")
    if match := _PLAIN_NUMBER.fullmatch(sql) or _QUOTED_NUMBER.fullmatch(sql):
        return Literal(match[1], "number")
    if (match := _NEXT_VALUE.fullmatch(sql)) and (name := _NAME.fullmatch(match[1].replace("''", "'"))):
        schema, bare_schema, table, bare_table = name.groups()
        return NextValue(QName(_unquoted(schema, bare_schema), _unquoted(table, bare_table)))
    if (match := _STRING.fullmatch(sql)) and not match[3].startswith("reg"):
        text = match[2].replace("''", "'")
        return _string(text.replace(r"\\", "\\") if match[1] else text, match[3])
    return Expression(sql, DIALECT)


def _clock(sql: str, shown: bool) -> Now | None:
    """A clock; ``shown``: as a text, which shows the zone if the clock has one, and no zeros at the end of a fraction."""
    if sql in _CLOCKS:
        return _CLOCKS[sql]
    for moment, word in CLOCKS.items():
        if word in sql:
            found = _called(sql.replace(word, "now()"), shown)
            return None if found is None else replace(found, moment=moment)
    if (cut := _CUT.search(sql)) and (form := _CUT_FORMS.get(_CUT.sub("now()", sql))) is not None and not shown:
        return replace(form, precision=_DIGITS[cut[1]], cut=True)
    if (match := _NOW.fullmatch(sql)) and not (shown and match[1].startswith("LOCAL")):
        return Now("timestamp" if "STAMP" in match[1] else "time", int(match[2]) if match[2] else None)
    return None


def _called(sql: str, shown: bool) -> Now | None:
    """A clock that is called by a function of its own, for which ``now()`` stands in ``sql``."""
    if sql in _CALLED_FORMS:
        return _CALLED_FORMS[sql]
    for pattern, cut in () if shown else ((_CUT, True), (_ROUNDED, False)):
        part, form = pattern.search(sql), _CALLED_FORMS.get(pattern.sub("now()", sql))
        if part and form is not None and (cut or form.kind != "date"):  # a rounded moment may be of the next day
            return replace(form, precision=_DIGITS[part[1]] if cut else int(part[1]), cut=cut)
    return None


def clock(value: Now) -> str | None:
    """What :func:`parse` reads as ``value``, and means it in columns of all types; None: the usual words do."""
    if value.moment is not None:
        form = _CALLED_WORDS[replace(value, precision=None, cut=False, moment=None)]
        word = CLOCKS[value.moment]
        if value.cut and value.precision in UNITS:
            word = f"date_trunc('{UNITS[value.precision]}'::text, {word})"
        elif value.precision is not None:
            word = f"({word})::timestamp({value.precision}) with time zone"
        return form.replace("now()", word)
    uncut = replace(value, precision=None, cut=False)
    if value.cut and uncut in _CUT_WORDS and value.precision in UNITS:
        return _CUT_WORDS[uncut].replace("now()", f"date_trunc('{UNITS[value.precision]}'::text, now())")
    return _CLOCK_WORDS.get(value)


def _string(text: str, type_: str) -> Default:
    if type_ == "bytea" and text.startswith("\\x"):
        return Literal(text[2:], "binary")
    if type_ in {'"bit"', "bit varying"}:
        return Literal(text, "bit")
    return Literal(text)


def _unquoted(quoted: str | None, bare: str) -> str:
    return bare if quoted is None else quoted.replace('""', '"')


# --- constants ------------------------------------------------------------------------------------------------------

_FLOATING = re.compile(_NUMBER)


def evaluation(sql: str, type_: t.Type, declaration: str) -> str:
    """The query's item that shows what a constant default gives a column of ``type_``, as text.

    A cast cuts texts and bits that an assignment would refuse, so those are left as they are.
    """
    if isinstance(type_, t.String):
        return f"({sql})::text"
    return as_text(type_, f"({sql})::{'bit varying' if isinstance(type_, t.Bit) else declaration}")


def stored(text: str | None, type_: t.Type) -> Literal | None:
    """The constant that a column of ``type_`` stores of an evaluated default; None: it would refuse the value."""
    if text is None:
        return Literal("", "null")
    match type_:
        case t.String(length=int(length), fixed=fixed):
            return None if text[length:].strip(" ") else Literal(text[:length].ljust(length if fixed else 0))
        case t.Bit(length=length, varying=varying):
            fits = length is None or (len(text) <= length if varying else len(text) == length)
            return Literal(text, "bit") if fits else None
        case t.Boolean():
            return Literal("1" if text == "true" else "0", "boolean")
        case t.Binary():
            return Literal(text.removeprefix("\\x"), "binary")
        case t.Integer() | t.Decimal() | t.Float() if _FLOATING.fullmatch(text):
            return Literal(text, "number")
    return Literal(text)


def fitting(value: Literal, base: t.Type) -> Literal:
    """Another database's constant in the form that a column of type ``base`` takes.

    :raises Untranslatable: it is no value of that type.
    """
    array = value_of(value, base)
    match base:
        case t.Boolean():
            return Literal("1" if array[0].as_py() else "0", "boolean")
        case t.Integer() | t.Decimal() | t.Year():
            return Literal(str(array[0].as_py()), "number")
        case t.Float():
            shown = repr(array[0].as_py())
            return Literal(shown, "number") if _FLOATING.fullmatch(shown) else Literal(shown)
        case t.Binary():
            return Literal(array[0].as_py().hex(), "binary")
        case t.Bit():
            return Literal(array[0].as_py(), "bit")
        case t.Timestamp(zoned=True):
            return replace(value, value=instant(value.value))
    return value
