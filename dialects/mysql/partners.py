"""Columns that foreign keys join, chains and cycles of keys included: InnoDB wants one type and one collation of all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.model.objects import Column, QName, Table

Place = tuple[QName, str]
"""A table, and a column of it."""

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 8, "int": 10, "bigint": 20}
"""The widths of the integers, and the digits that they need."""
_INTEGER = re.compile(rf"(?P<word>{'|'.join(_BITS)})(?:\(\d+\))?(?P<unsigned> unsigned)?")
_DECIMAL = re.compile(r"decimal\((?P<precision>\d+),(?P<scale>\d+)\)")
_MOMENT = re.compile(r"(?P<word>datetime|timestamp|time)(?:\((?P<digits>\d)\))?")
_MOST_DIGITS = 65


@dataclass(frozen=True)
class Partners:
    """Columns of which each refers to another, or is referred to; ``lead`` is the one that all others come to."""

    lead: tuple[Table, Column]
    members: tuple[tuple[Table, Column], ...]


def partners(tables: Iterable[Table]) -> dict[Place, Partners]:
    """The partners of each column that is in a foreign key, or that one refers to."""
    known = {table.qname: table for table in tables}
    order = {(table.qname, column.name): (table, column) for table in known.values() for column in table.columns}
    above: dict[Place, Place] = {}
    referring: set[Place] = set()

    def root(place: Place) -> Place:
        while (higher := above.setdefault(place, place)) != place:
            above[place] = above[higher]
            place = higher
        return place

    for table in known.values():
        for key in table.foreign_keys:
            for name, referred in zip(key.columns, key.referred_columns, strict=False):
                here, there = (table.qname, name), (key.referred, referred)
                if here != there and there in order:
                    referring.add(here)
                    above[root(here)] = root(there)
    groups: dict[Place, list[Place]] = defaultdict(list)
    for place in order:
        if place in above:
            groups[root(place)].append(place)
    made: dict[Place, Partners] = {}
    for places in groups.values():
        lead = next((one for one in places if one not in referring), places[0])
        made |= dict.fromkeys(places, Partners(order[lead], tuple(order[one] for one in places)))
    return made


def common(declared: Sequence[str], counted: bool) -> str | None:
    """The declaration that holds the values of all; None: they have none, or are of one already.

    ``counted``: one of the columns is AUTO_INCREMENT, which only integers are.
    """
    if len(set(declared)) == 1:
        return None
    integers = [_INTEGER.fullmatch(sql) for sql in declared]
    decimals = [_DECIMAL.fullmatch(sql) for sql in declared]
    moments = [_MOMENT.fullmatch(sql) for sql in declared]
    if all(integers):
        return _integer([found for found in integers if found], counted)
    if all(integer or decimal for integer, decimal in zip(integers, decimals, strict=True)):
        exact = [found for found in decimals if found]
        scale = max(int(found["scale"]) for found in exact)
        if counted:
            return None if scale else "bigint"
        whole = [int(found["precision"]) - int(found["scale"]) for found in exact]
        digits = max(*whole, *(_DIGITS[found["word"]] for found in integers if found), 0) + scale
        return f"decimal({digits},{scale})" if digits <= _MOST_DIGITS else None
    if set(declared) == {"float", "double"}:
        return "double"
    if all(moments) and len({found["word"] for found in moments if found}) == 1:
        words = [(found["word"], int(found["digits"] or 0)) for found in moments if found]
        return "{}({})".format(*max(words))
    return None


def _integer(found: Sequence[re.Match[str]], counted: bool) -> str | None:
    """The narrowest integer that holds all; of 64 bits with a sign and without, a decimal, unless one is counted."""
    sizes = [(_BITS[one["word"]], one["unsigned"] is not None) for one in found]
    if len({unsigned for _, unsigned in sizes}) == 1:
        bits, sign = max(bits for bits, _ in sizes), " unsigned" if sizes[0][1] else ""
    else:
        bits, sign = max(bits + 1 if unsigned else bits for bits, unsigned in sizes), ""
    word = next((word for word, width in _BITS.items() if width >= bits), None)
    if word is None:
        return None if counted else "decimal(20,0)"
    return f"{word}{sign}"
