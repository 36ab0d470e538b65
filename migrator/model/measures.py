"""What a profile asks of the values in a column, and the answers: the words of PROFILE, which every database knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from migrator.model.misfits import Misfit
from migrator.model.objects import Column


class Measure(StrEnum):
    """A fact about the values in a column; :data:`MEANINGS` says what each is."""

    NULLS = "nulls"
    LEAST = "least"
    MOST = "most"
    NO_NUMBER = "no_number"
    SCALE = "scale"
    NOT_BOOLEAN = "not_boolean"
    TIMED = "timed"
    EMPTY = "empty"
    CHARACTERS = "characters"
    BYTES = "bytes"
    NOT_UUID = "not_uuid"
    NOT_16_BYTES = "not_16_bytes"
    NOT_JSON = "not_json"
    INTEGERS = "integers"
    REALS = "reals"
    TEXTS = "texts"
    BLOBS = "blobs"


JSON_DEPTH = 31
"""How many brackets around one another every database takes: MariaDB's limit."""

MEANINGS: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.NULLS: "How many rows have no value.",
        Measure.LEAST: "The least value, but for what is infinite, no number or no date.",
        Measure.MOST: "The greatest value, as above.",
        Measure.NO_NUMBER: "How many values are infinite, NaN, or no date of the years 1 to 9999.",
        Measure.SCALE: "The most digits after the point, needless zeros not counted.",
        Measure.NOT_BOOLEAN: "How many values are neither 0 nor 1.",
        Measure.TIMED: "How many values have a time of day other than midnight, instants in UTC.",
        Measure.EMPTY: "How many texts are empty.",
        Measure.CHARACTERS: "The longest text, in characters.",
        Measure.BYTES: "The longest value in bytes, of texts in UTF-8.",
        Measure.NOT_UUID: "How many texts are no UUID of 36 characters in small letters.",
        Measure.NOT_16_BYTES: "How many values are not 16 bytes, as a UUID is.",
        Measure.NOT_JSON: "How many texts are no JSON object or array that every database takes; how many documents not "
        f"every one takes: with more than {JSON_DEPTH} brackets around one another, half a character's escape, numbers and "
        "escapes that MariaDB alone reads.",
        Measure.INTEGERS: "How many values SQLite stores as whole numbers.",
        Measure.REALS: "How many as floating-point numbers.",
        Measure.TEXTS: "How many as texts.",
        Measure.BLOBS: "How many as bytes.",
    }
)
"""What each measure is."""

UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""A UUID as :attr:`Measure.NOT_UUID` means it, as a regular expression that all databases understand."""

AS_TEXT = frozenset({Measure.LEAST, Measure.MOST})
"""The measures that are values of the column, as text; all others are numbers."""


Limits: TypeAlias = tuple[int | Decimal, int | Decimal]
"""What numbers stay between, both left out."""


@dataclass(frozen=True)
class Ask:
    """One question about all values of ``column``: a measure, or how many there are of a kind of misfit.

    What a misfit is depends on where the values go: ``digits`` after the point (of times: after the second), ``limits``
    that numbers stay between, both left out, before they are rounded, ``length`` in characters or, ``in_bytes``, in bytes
    of UTF-8; ``escapes``: the escape of NUL in JSON counts as NUL.
    """

    column: Column
    what: Measure | Misfit
    digits: int | None = None
    limits: Limits | None = None
    length: int | None = None
    in_bytes: bool = False
    escapes: bool = False


_LARGE = 1 << 63
"""Whole numbers from here on are floating-point ones to databases."""


def outside(number: str, limits: Limits, *, floats: bool) -> str:
    """The condition for numbers that are not between two limits.

    ``floats``: the database compares with the floating-point number nearest to a limit of more than 64 bits, which may be
    between them.
    """
    low, high = limits
    below = "<" if floats and _is_between(float(low), limits) else "<="
    above = ">" if floats and _is_between(float(high), limits) else ">="
    return f"({number} {below} {low} OR {number} {above} {high})"


def _is_between(number: float, limits: Limits) -> bool:
    """Whether both the number and its text are: a load into whole numbers takes the one, into decimals the other."""
    low, high = limits
    if abs(number) < _LARGE:
        return False
    return low < number < high and Decimal(repr(number)) not in limits
