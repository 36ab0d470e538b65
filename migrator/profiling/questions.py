"""What is asked of a column: facts by what its type is, and misfits by where its values go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import MAX_PREC, Context, Decimal

from migrator.converting import Pair, concerning, digits_of, limits_between, scale_of
from migrator.model import types as t
from migrator.model.measures import Ask, Measure
from migrator.model.misfits import Misfit
from migrator.model.objects import Column

Concerns = Callable[[t.Type], bool]
_UUID_CHARACTERS = 36


@dataclass(frozen=True)
class Question:
    """One row: of which types a measure is asked, and how that is said."""

    measure: Measure
    concerns: Concerns
    said: str


def _are(*types: type[t.Type]) -> Concerns:
    return lambda type_: isinstance(type_, types)


def _takes(characters: int) -> Concerns:
    """Texts that may have so many characters."""
    return lambda type_: isinstance(type_, t.String) and (type_.length is None or type_.length >= characters)


_EXTREMES = _are(t.Integer, t.Decimal, t.Float, t.Date, t.Timestamp)
_EXTREMES_SAID = "numbers, dates, timestamps"

QUESTIONS = (
    Question(Measure.NULLS, lambda _: True, "all"),
    Question(Measure.LEAST, _EXTREMES, _EXTREMES_SAID),
    Question(Measure.MOST, _EXTREMES, _EXTREMES_SAID),
    Question(Measure.NO_NUMBER, _are(t.Decimal, t.Float, t.Timestamp), "decimals, floating-point numbers, timestamps"),
    Question(Measure.SCALE, _are(t.Decimal), "decimals"),
    Question(Measure.NOT_BOOLEAN, _are(t.Integer, t.Decimal), "whole numbers, decimals"),
    Question(Measure.TIMED, _are(t.Timestamp), "timestamps"),
    Question(Measure.EMPTY, _are(t.String), "texts"),
    Question(Measure.CHARACTERS, _are(t.String), "texts"),
    Question(Measure.BYTES, _are(t.String, t.Binary), "texts, bytes"),
    Question(Measure.NOT_UUID, _takes(_UUID_CHARACTERS), f"texts that may have {_UUID_CHARACTERS} characters"),
    Question(Measure.NOT_16_BYTES, _are(t.Binary), "bytes"),
    Question(
        Measure.NOT_JSON,
        lambda type_: isinstance(type_, t.Json) or _takes(_UUID_CHARACTERS + 1)(type_),
        f"texts that may have more than {_UUID_CHARACTERS} characters, JSON documents",
    ),
    *(
        Question(measure, lambda _: True, "all, in SQLite")
        for measure in (Measure.INTEGERS, Measure.REALS, Measure.TEXTS, Measure.BLOBS)
    ),
)
"""The measures, in the order in which they are shown."""

_OF_TEXTS = frozenset({Misfit.INVALID_BYTES, Misfit.NUL_BYTE, Misfit.TOO_LONG, Misfit.EMPTY_TEXT})
"""The misfits that SQL can find in a text; what number or date a text stands for, only the load reads."""


def facts_asked(column: Column) -> Iterator[Ask]:
    """The measures of a column."""
    type_ = t.base_of(column.type)
    return (Ask(column, question.measure) for question in QUESTIONS if question.concerns(type_))


def misfits_asked(pair: Pair, *, rounds: bool = False) -> Iterator[Ask]:
    """The misfits that values can be on their way from one column to another. ``rounds``: POLICY has fractions rounded."""
    return (_misfit(pair, misfit, rounds=rounds) for misfit in concerning(pair))


def answerable(ask: Ask) -> bool:
    """Whether SQL can tell; where it cannot, the load does."""
    return isinstance(ask.what, Measure) or not isinstance(t.base_of(ask.column.type), t.String) or ask.what in _OF_TEXTS


def _limits_before_rounding(pair: Pair) -> tuple[int | Decimal, int | Decimal] | None:
    """The numbers that a column's must stay between: what rounding, halves upwards, brings to one is beyond it."""
    source, target = (scale_of(kind) for kind in pair.kinds)
    limits = limits_between(pair)
    if limits is None or target is None or (source is not None and source <= target):
        return limits
    half, exact = Decimal(5).scaleb(-target - 1), Context(prec=MAX_PREC)
    return exact.add(Decimal(limits[0]), half), exact.subtract(Decimal(limits[1]), half)


def _misfit(pair: Pair, misfit: Misfit, *, rounds: bool) -> Ask:
    target = pair.kinds[1]
    match misfit:
        case Misfit.FRACTION:
            digits = digits_of(target)
            return Ask(pair.source, misfit, digits=scale_of(target) if digits is None else digits)
        case Misfit.OUT_OF_RANGE:
            limits = _limits_before_rounding(pair) if rounds else limits_between(pair)
            return Ask(pair.source, misfit, limits=limits)
        case Misfit.TOO_LONG:
            in_bytes = isinstance(target, t.Binary) or (isinstance(target, t.String) and target.unit == "byte")
            return Ask(pair.source, misfit, length=getattr(target, "length", None), in_bytes=in_bytes)
        case Misfit.NUL_BYTE:
            return Ask(pair.source, misfit, escapes=isinstance(target, t.Json) and target.binary)
    return Ask(pair.source, misfit)
