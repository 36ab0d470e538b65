"""SQLite's clock, which has three digits after the second: what asks it for the current date, time or timestamp."""

from __future__ import annotations

from migrator.model import types as t
from migrator.model.objects import Now

_NOW = {
    "date": "CURRENT_DATE",
    "time": "CURRENT_TIME",
    "timestamp": "CURRENT_TIMESTAMP",
}
_CLOCKS = {"date": "date", "time": "time", "timestamp": "datetime"}
_LOCAL = ", 'localtime'"


def now(of: Now, type_: t.Type, digits: int) -> str:
    """The current date, time or timestamp as the column's other values are written; SQLite's own words mean UTC's."""
    zoned = isinstance(type_, t.Timestamp) and type_.zoned
    local = "" if of.utc or zoned else _LOCAL
    if of.kind == "date" and isinstance(type_, t.Timestamp):
        midnight = " 00:00:00" + ("." + "0" * min(type_.precision, 6) if type_.precision else "")
        return f"(strftime('%Y-%m-%d{midnight}', 'now'{local}))"
    if of.kind == "date" or not (digits or zoned):
        return f"({_CLOCKS[of.kind]}('now'{local}))" if local else _NOW[of.kind]
    day, zone = "%Y-%m-%d " if of.kind == "timestamp" else "", "+00:00" if zoned else ""
    if 0 < digits < 3:
        fewer = f"substr(strftime('{day}%H:%M:%f', 'now'{local}), 1, {(20 if day else 9) + digits})"
        return f"({fewer} || '{zone}')" if zone else f"({fewer})"
    return f"(strftime('{day}%H:%M:%{'f' if digits else 'S'}{zone}', 'now'{local}))"
