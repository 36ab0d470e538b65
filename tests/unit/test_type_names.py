"""What messages call types: the words of COLUMN_TYPE, and else those of SQL."""

from __future__ import annotations

import pytest

from migrator.column_types import CHOICES, chosen
from migrator.model import types as t

NAMES = {
    "tinyint(1)": t.Integer(8, display=1),
    "bigint unsigned": t.Integer(64, unsigned=True),
    "decimal": t.Decimal(),
    "decimal(9,2)": t.Decimal(9, 2),
    "real": t.Float(32),
    "double precision": t.Float(),
    "text": t.String(),
    "char(5)": t.String(5, fixed=True),
    "varchar(5)": t.String(5),
    "varchar(5 bytes)": t.String(5, unit="byte"),
    "blob": t.Binary(),
    "varbinary(16)": t.Binary(16),
    "time": t.Time(),
    "timestamp": t.Timestamp(),
    "timestamp(3) with time zone": t.Timestamp(3, zoned=True),
    "interval": t.Interval(),
    "interval day to second": t.Interval("day_second"),
    "year": t.Year(),
    "bit varying(3)": t.Bit(3, varying=True),
    "enum('a','b''c')": t.Enum(("a", "b'c")),
    "mood": t.Enum(("a",), "mood", "s"),
    "set('a')": t.SetOf(("a",)),
    "integer[]": t.Array(t.Integer()),
    "positive": t.Domain("s", "positive", t.Integer()),
    "inet": t.Native("postgresql", "inet"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_type_is_called_what_databases_call_it(name: str) -> None:
    assert str(NAMES[name]) == name


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.name)
def test_what_column_type_takes_is_called_as_it_is_asked_for(choice: object) -> None:
    (row,) = (row for row in CHOICES if row is choice)
    type_ = t.Decimal(9, 2) if row.name == "decimal" else row.becomes
    assert chosen(row.name if type_ is None else str(type_)) == (row, type_)
