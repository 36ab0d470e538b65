"""Neutral column types: what a value means, in no database's words.

Each class is a frozen value. Lengths count characters unless ``unit`` says ``byte``; precisions of times count digits
after the second. How a value of each type travels is in :mod:`migrator.arrow`; how each database writes it is in the
type table of its adapter (``dialects/<name>/types.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Type:
    """Base of all neutral types. ``str()`` is for people: :func:`sql_name`."""

    def __str__(self) -> str:
        return sql_name(self)


@dataclass(frozen=True)
class Boolean(Type):
    """True, false."""


@dataclass(frozen=True)
class Integer(Type):
    """A whole number of 8, 16, 24, 32 or 64 bits. ``display`` is MySQL's display width, kept for ``tinyint(1)``."""

    bits: int = 32
    unsigned: bool = False
    display: int | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """The least number and the greatest."""
        return (0, (1 << self.bits) - 1) if self.unsigned else (-1 << (self.bits - 1), (1 << (self.bits - 1)) - 1)


@dataclass(frozen=True)
class Decimal(Type):
    """An exact decimal. ``precision`` None: any number of digits. ``scale`` may be negative or exceed the precision."""

    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True)
class Float(Type):
    """A binary floating-point number of 32 or 64 bits."""

    bits: int = 64


@dataclass(frozen=True)
class String(Type):
    """Text. ``length`` None: no limit. ``fixed``: padded. ``lob``: a large object (CLOB, the MySQL TEXT family)."""

    length: int | None = None
    fixed: bool = False
    unit: Literal["char", "byte"] = "char"
    lob: bool = False


@dataclass(frozen=True)
class Binary(Type):
    """Bytes. ``length`` in bytes, None: no limit. ``lob``: a large object."""

    length: int | None = None
    fixed: bool = False
    lob: bool = False


@dataclass(frozen=True)
class Date(Type):
    """A calendar day."""


@dataclass(frozen=True)
class Time(Type):
    """A time of day; ``zoned``: with an offset from UTC."""

    precision: int = 6
    zoned: bool = False


@dataclass(frozen=True)
class Timestamp(Type):
    """A date with a time of day; ``zoned``: an instant (stored in UTC), else naive wall-clock time."""

    precision: int = 6
    zoned: bool = False


@dataclass(frozen=True)
class Interval(Type):
    """A span of time. ``day_second`` spans have no months: they are also MySQL's TIME (-838:59:59 to 838:59:59)."""

    kind: Literal["mixed", "year_month", "day_second"] = "mixed"
    precision: int = 6


@dataclass(frozen=True)
class Year(Type):
    """MySQL's YEAR: 0, 1901 to 2155."""


@dataclass(frozen=True)
class Json(Type):
    """JSON. ``binary``: the database keeps a parsed form (jsonb, MySQL JSON), else the text as written."""

    binary: bool = False


@dataclass(frozen=True)
class Uuid(Type):
    """A 128-bit identifier. ``swapped``: bytes that become one have the parts of its time in MySQL's other order."""

    swapped: bool = False


@dataclass(frozen=True)
class Xml(Type):
    """An XML document."""


@dataclass(frozen=True)
class Bit(Type):
    """A string of bits, the leftmost first. ``varying``: at most ``length`` bits."""

    length: int | None = 1
    varying: bool = False


@dataclass(frozen=True)
class Enum(Type):
    """One of ``labels``, which are ordered. ``schema`` and ``name`` where the enum is an object of its own."""

    labels: tuple[str, ...]
    name: str | None = None
    schema: str | None = None


@dataclass(frozen=True)
class SetOf(Type):
    """Any subset of ``labels`` (MySQL SET), written comma-joined in label order."""

    labels: tuple[str, ...]


COLLATED = (String, Enum, SetOf)
"""The types whose values are compared by a collation."""


@dataclass(frozen=True)
class Array(Type):
    """An array of ``element``, of any number of dimensions; travels as the source's text form."""

    element: Type


@dataclass(frozen=True)
class Domain(Type):
    """A reference to a domain object; ``base`` is what its values are."""

    schema: str
    name: str
    base: Type


@dataclass(frozen=True)
class Native(Type):
    """A type that only ``dialect`` has, by its own declaration; travels as that database's text form.

    ``opaque``: it has no text form, and stays within that database.
    """

    dialect: str
    declaration: str
    opaque: bool = False


def base_of(type_: Type) -> Type:
    """The type whose values ``type_`` has: a domain's base, else the type itself."""
    while isinstance(type_, Domain):
        type_ = type_.base
    return type_


_INTEGERS = {8: "tinyint", 16: "smallint", 24: "mediumint", 32: "integer", 64: "bigint"}
_INTERVALS = {"mixed": "interval", "year_month": "interval year to month", "day_second": "interval day to second"}
_USUAL = Timestamp().precision
"""How many digits after the second are not said."""


def sql_name(type_: Type) -> str:
    """How messages call a type: in the words of COLUMN_TYPE, and else of SQL."""
    match type_:
        case Integer(bits=bits, unsigned=unsigned, display=display):
            return _INTEGERS[bits] + _measured(display) + (" unsigned" if unsigned else "")
        case Decimal(precision=precision, scale=scale):
            return "decimal" + _measured(*(() if precision is None else (precision, scale)))
        case Float(bits=bits):
            return "real" if bits == 32 else "double precision"
        case String(length=None) | String(lob=True):
            return "text"
        case String(length=length, fixed=fixed, unit=unit):
            return f"{'char' if fixed else 'varchar'}({length}{' bytes' if unit == 'byte' else ''})"
        case Binary(length=None) | Binary(lob=True):
            return "blob"
        case Binary(length=length, fixed=fixed):
            return ("binary" if fixed else "varbinary") + _measured(length)
        case Time(precision=digits, zoned=zoned) | Timestamp(precision=digits, zoned=zoned):
            said = type(type_).__name__.lower() + ("" if digits == _USUAL else f"({digits})")
            return said + (" with time zone" if zoned else "")
        case Interval(kind=kind, precision=digits):
            return _INTERVALS[kind] + ("" if digits == _USUAL else f"({digits})")
        case Bit(length=length, varying=varying):
            return ("bit varying" if varying else "bit") + _measured(length)
        case Enum(labels=labels, name=None):
            return f"enum({_listed(labels)})"
        case SetOf(labels=labels):
            return f"set({_listed(labels)})"
        case Array(element=element):
            return f"{element}[]"
        case Uuid(swapped=True):
            return "uuid_swapped"
        case Enum(name=str(name)) | Domain(name=name):
            return name
        case Native(declaration=declaration):
            return declaration
    return type(type_).__name__.lower()


def _measured(*numbers: int | None) -> str:
    said = ",".join(str(number) for number in numbers if number is not None)
    return f"({said})" if said else ""


def _listed(labels: tuple[str, ...]) -> str:
    return ",".join("'" + label.replace("'", "''") + "'" for label in labels)
