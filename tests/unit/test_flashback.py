"""FLASHBACK_TIME's values: which texts are which moments, and which are none."""

from __future__ import annotations

import pytest

from migrator.errors import BadFlashbackTime
from migrator.flashback import NOW, moment


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-02-29 12:00:00", "2024-02-29 12:00:00.000000"),
        ("'2024-02-29T12:00:00.5'", "2024-02-29 12:00:00.500000"),
        ("2024-02-29", "2024-02-29 00:00:00.000000"),
        ("2024-02-29 12:00:00+02:00", "2024-02-29 10:00:00.000000"),
        ("2024-02-29 23:30:00-01:00", "2024-03-01 00:30:00.000000"),
        ("TO_TIMESTAMP('27-10-2012 13:16:00', 'DD-MM-YYYY HH24:MI:SS')", "2012-10-27 13:16:00.000000"),
        ("to_timestamp('1-feb-2012 3:16', 'dd-mon-yyyy hh24:mi')", "2012-02-01 03:16:00.000000"),
        ("TO_TIMESTAMP('2012/10/27 13:16:01.25','YYYY/MM/DD HH24:MI:SS.FF')", "2012-10-27 13:16:01.250000"),
        ("0024-02-29 12:00:00", "0024-02-29 12:00:00.000000"),
        ("0001-01-01 00:00:00-10:00", "0001-01-01 10:00:00.000000"),
        ("SYSTIMESTAMP", NOW),
        ("systimestamp", NOW),
        ("CURRENT_TIMESTAMP", NOW),
        ("sysdate", NOW),
    ],
)
def test_a_time_is_held_in_utc(text: str, utc: str) -> None:
    assert moment(text) == utc


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "no time as ISO 8601 writes it"),
        ("2024-02-29x12:00:00", "no time as ISO 8601 writes it"),
        ("2024-02-29 12:00:00 here", "Invalid isoformat string"),
        ("2024-02-29 12:00:00.1234567", "more than six digits after the second"),
        ("2023-02-29 12:00:00", "day is out of range"),
        ("TO_TIMESTAMP('27-10-2012', 'DD-MM-RR')", "has other elements than YYYY, MON, MM"),
        ("TO_TIMESTAMP('27-10-2012', 'DD-MM-YYYY HH24')", "does not follow the format"),
        ("TO_TIMESTAMP('10-10-2012', 'MM-MM-YYYY')", "has an element twice"),
        ("TO_TIMESTAMP('27-10', 'DD-MM')", "year 0 is out of range"),
        ("TO_TIMESTAMP('00-10-2012', 'DD-MM-YYYY')", "day is out of range"),
        ("TO_TIMESTAMP('27-10-2012 13:99', 'DD-MM-YYYY HH24:MI')", "minute must be in"),
        ("0001-01-01T00:00:00+10:00", "before the year 1"),
        ("9999-12-31 23:59:59-01:00", "after 9999"),
        ("TO_TIMESTAMP(27)", "no time as ISO 8601 writes it"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadFlashbackTime, match=why) as refused:
        moment(text)
    assert str(refused.value).startswith(f"ORA-39150: bad flashback time '{text}'")
