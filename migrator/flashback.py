"""The values of FLASHBACK_TIME: a time as ISO 8601 writes it, TO_TIMESTAMP with Oracle's format models, SYSTIMESTAMP."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from migrator.errors import BadFlashbackTime

NOW = "SYSTIMESTAMP"
"""The state that a job begins with, which every job reads."""

_NOW = frozenset({NOW, "SYSDATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP"})
_ISO = re.compile(r"[\dW-]+(?:[ T].*)?", re.ASCII)
_TOO_FINE = re.compile(r"[.,]\d{7}")
_CALL = re.compile(r"TO_TIMESTAMP\s*\(\s*'(?P<text>[^']*)'\s*,\s*'(?P<model>[^']*)'\s*\)", re.IGNORECASE)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ELEMENTS = {
    "YYYY": r"(?P<year>\d{4})",
    "MON": f"(?P<name>{'|'.join(_MONTHS)})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})",
    "FF": r"(?P<fraction>\d{1,6})",
}
_MODEL = re.compile(rf"(?P<element>{'|'.join(_ELEMENTS)})|(?P<mark>[-/,.;: ])", re.IGNORECASE)


def moment(text: str) -> str:
    """A value of FLASHBACK_TIME as a request holds it: the time in UTC, or :data:`NOW`.

    :raises BadFlashbackTime: it is none.
    """
    plain = text.strip().removesuffix("()")
    if plain.upper() in _NOW:
        return NOW
    call = _CALL.fullmatch(plain)
    try:
        time = _by_iso(plain.strip("'")) if call is None else _by_model(call["text"], call["model"])
    except ValueError as error:
        raise BadFlashbackTime(value=text, detail=str(error)) from error
    try:
        utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise BadFlashbackTime(value=text, detail="in UTC it is before the year 1, or after 9999") from error
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds")


def _by_iso(text: str) -> datetime:
    """:raises ValueError: it is no time, or one with more digits than a time has here."""
    if _ISO.fullmatch(text) is None:
        raise ValueError("it is no time as ISO 8601 writes it")
    if _TOO_FINE.search(text):
        raise ValueError("it has more than six digits after the second")
    return datetime.fromisoformat(text)


def _by_model(text: str, model: str) -> datetime:
    """The time in ``text``.

    :raises ValueError: the format model has other elements than these, or the text does not follow it.
    """
    pattern, position = "", 0
    while position < len(model):
        part = _MODEL.match(model, position)
        if part is None:
            raise ValueError(f"format '{model}' has other elements than {', '.join(_ELEMENTS)}")
        pattern += _ELEMENTS[part["element"].upper()] if part["element"] else re.escape(part["mark"])
        position = part.end()
    try:
        match = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"format '{model}' has an element twice") from error
    if match is None:
        raise ValueError(f"'{text}' does not follow the format '{model}'")
    found = match.groupdict("0")
    if "name" in found:
        found["month"] = str(_MONTHS.index(found["name"].upper()) + 1)
    found["fraction"] = found.get("fraction", "").ljust(6, "0")
    year, month, day, hour, minute, second, fraction = (
        int(found.get(name, 0)) for name in ("year", "month", "day", "hour", "minute", "second", "fraction")
    )
    return datetime(year, month, day, hour, minute, second, fraction)
