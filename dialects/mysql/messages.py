"""What the server's and the driver's errors are about, by their numbers and, where these tell too little, by their words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from migrator.adapter import Trouble

_PRIVILEGE_CODES = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698, 1419, 3118})
"""Access denied to a database, as a user, to a table, column, routine, for lack of SUPER; locked accounts."""
_CONNECTION_CODES = frozenset(
    {0, 1040, 1053, 1077, 1080, 1152, 1158, 1159, 1160, 1161, 1203, 1927, 2002, 2003, 2006, 2013, 2055, 3169, 4031}
)
"""The driver's for a closed socket and a server out of reach; the server's for too many connections, shutdown, killed and
aborted connections and network errors."""
_UNOPENED_CODES = frozenset(
    (
        *(29, 1016, 1017, 1030, 1033, 1034, 1035, 1146, 1168, 1194, 1195),
        *(1286, 1296, 1429, 1431, 1432, 1459, 1707, 1812, 1814, 1932),
    )
)
"""A file of a table that is not there, wrong, crashed, of another version or engine; tables that a MERGE table is not of; a
server that a table is at; a tablespace that is missing or discarded."""
_ROOM_CODES = frozenset({1021, 1114})
"""The disk, or the table's file, is full."""
_READ_ONLY_CODES = frozenset({1792, 1836})
"""A transaction, or the server, takes no changes."""
_ROW_CODES = frozenset(
    {1048, 1062, 1169, 1216, 1264, 1265, 1292, 1366, 1367, 1406, 1416, 1452, 1526, 1557, 1586, 1690, 3140, 3156, 3819, 4025}
)
"""NULL, a key that is there already, a parent that is not, range, truncation, wrong text, geometry or JSON, no partition, a
check constraint."""
_AN_OPTION = 1290
"""An option of the server, which the message names, prevents the statement."""
_TROUBLE: dict[int, Trouble] = {
    **dict.fromkeys(_PRIVILEGE_CODES, "privilege"),
    **dict.fromkeys(_CONNECTION_CODES, "connection"),
    **dict.fromkeys(_ROOM_CODES, "room"),
    **dict.fromkeys(_READ_ONLY_CODES, "read-only"),
    1205: "lock",
    3572: "lock",  # NOWAIT at MySQL; MariaDB says 1205
    **dict.fromkeys(_ROW_CODES, "row"),
}
_NO_SPACE = re.compile(r"\b(?:errno|Errcode): 28\b|Got error 28\b")
"""How errors of files, whatever their number, name the operating system's "No space left on device"."""

_NO_TEXT = re.compile(r"Incorrect string value|Cannot convert .* character|Invalid .* character string")
"""How messages begin that are about a text which a character set does not have, or which is none."""


def about(code: int, message: str) -> Trouble | None:
    """What an error is about; None: nothing in particular."""
    if _NO_SPACE.search(message):
        return "room"
    if code == _AN_OPTION and "read-only option" in message:
        return "read-only"
    return "text" if no_text(message) else _TROUBLE.get(code)


@dataclass(frozen=True)
class Refusal:
    """What the server says of a table that it does not open, and the rule of entries about that."""

    text: str
    rule: Literal["privileges", "unopened"]


def unopened(error: sa.exc.DBAPIError) -> Refusal | None:
    """What the server says where it does not open a table, or not for this user; None: the error is about something else."""
    code, *words = error.orig.args if error.orig is not None and error.orig.args else (None,)
    return refusal(code, str(words[0]) if words else str(error))


def refusal(code: object, message: str) -> Refusal | None:
    """As :func:`unopened`, by an error's code and message."""
    trouble = about(code, message) if isinstance(code, int) else None
    if trouble != "privilege" and (trouble is not None or code not in _UNOPENED_CODES):
        return None
    return Refusal(" ".join(message.split()), "privileges" if trouble == "privilege" else "unopened")


def no_text(message: str) -> bool:
    """Whether a message, of an error or a warning, is about a text that a character set does not have."""
    return _NO_TEXT.match(message) is not None
