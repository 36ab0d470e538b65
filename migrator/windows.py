"""PARALLEL: how many workers there may be, and the windows of the day in which it is another number.

The time is that of the clock on the wall where the job runs. A window covers its first minute and ends before its last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from migrator.errors import InvalidValue

DAY = 24 * 60
_WINDOW = re.compile(r"(?P<begins>[0-9]{1,2}:[0-9]{2})\s*-\s*(?P<ends>[0-9]{1,2}:[0-9]{2})\s*=\s*(?P<degree>.*)")
_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]|24(?=:00)):(?P<minute>[0-5][0-9])")


def now() -> datetime:
    """The time of day of this machine."""
    return datetime.now()


@dataclass(frozen=True)
class Window:
    """A part of every day, ``begins`` and ``ends`` in minutes after midnight; one that ends earlier goes on after it.

    The end of the day is the midnight after it, which is 0 as an end.
    """

    begins: int
    ends: int
    degree: int

    @property
    def hours(self) -> str:
        """From when to when: ``22:00-06:00``."""
        return f"{_clock(self.begins)}-{_clock(self.ends)}"

    def __str__(self) -> str:
        return f"{self.hours}={self.degree}"

    def covers(self, minute: int) -> bool:
        """Whether it is open at a minute of the day."""
        return (minute - self.begins) % DAY < (self.ends - self.begins) % DAY


@dataclass(frozen=True)
class Degrees:
    """What PARALLEL says: ``number`` workers at most, in each of its windows that one's."""

    number: int = 1
    windows: tuple[Window, ...] = ()

    def __str__(self) -> str:
        return ",".join([str(self.number), *map(str, self.windows)])

    @property
    def most(self) -> int:
        """The most workers that there may be at any time."""
        return max(self.number, *(window.degree for window in self.windows)) if self.windows else self.number

    def window(self, moment: datetime) -> Window | None:
        """The window that is open; None: none is."""
        return next((window for window in self.windows if window.covers(_minute(moment))), None)

    def at(self, moment: datetime) -> int:
        """How many workers there may be."""
        window = self.window(moment)
        return self.number if window is None else window.degree

    def until(self, moment: datetime) -> str:
        """The time at which the next window begins or ends; there must be windows."""
        minute = _minute(moment)
        bounds = (bound for window in self.windows for bound in (window.begins, window.ends))
        return _clock(min(bounds, key=lambda bound: (bound - minute - 1) % DAY))

    def why(self, moment: datetime) -> str:
        """Why the number is what it is, where the clock says so."""
        window = self.window(moment)
        return f"no window until {self.until(moment)}" if window is None else f"window {window.hours}"


def degrees(items: Sequence[str]) -> Degrees:
    """The items of PARALLEL: a number, windows, or both; without a number, 1 outside the windows.

    :raises InvalidValue: one is neither, there are two numbers, or two windows overlap.
    """
    numbers: list[int] = []
    windows: list[Window] = []
    for item in items:
        match = _WINDOW.fullmatch(item)
        if match is None and not item.isdecimal():
            detail = f"'{item}' is neither a number of workers nor a window, HH:MM-HH:MM=n, such as 22:00-06:00=8"
            raise InvalidValue(name="PARALLEL", detail=detail)
        if match is None:
            numbers.append(degree(item))
        else:
            windows.append(_window(item, match))
    if len(numbers) > 1:
        raise InvalidValue(name="PARALLEL", detail=f"{numbers[0]} and {numbers[1]}: outside windows there is one number")
    for place, window in enumerate(windows):
        for other in windows[:place]:
            if window.covers(other.begins) or other.covers(window.begins):
                raise InvalidValue(name="PARALLEL", detail=f"the windows {other.hours} and {window.hours} overlap")
    return Degrees(numbers[0] if numbers else 1, tuple(windows))


def degree(text: str) -> int:
    """A number of workers.

    :raises InvalidValue: it is no number, or too large or small.
    """
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) == 0:
        raise InvalidValue(name="PARALLEL", detail=f"'{text}' is no number from 1 to 9999")
    return int(text)


def _window(item: str, match: re.Match[str]) -> Window:
    begins, ends = (_minutes(match[bound]) for bound in ("begins", "ends"))
    if begins is None or ends is None or begins in {ends, DAY}:
        detail = f"'{item}': a window is from one time of the day to another, such as 22:00-06:00=8"
        raise InvalidValue(name="PARALLEL", detail=detail)
    workers = degree(match["degree"].strip())
    if (begins, ends) == (0, DAY):
        raise InvalidValue(name="PARALLEL", detail=f"'{item}' is all day: then it is the number alone, {workers}")
    return Window(begins, ends % DAY, workers)


def _minutes(text: str) -> int | None:
    """Minutes after midnight, 1440 for 24:00; None: it is no time of day."""
    match = _TIME.fullmatch(text)
    return None if match is None else int(match["hour"]) * 60 + int(match["minute"])


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
