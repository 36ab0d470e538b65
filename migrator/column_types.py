"""COLUMN_TYPE: another type for a column at the target than its own, where the user knows, or a profile has proved, better.

Nothing but the declaration changes: values come as what they are at the source and are brought into the chosen type as
they are into that of a table which was there before, so that one that does not fit is refused with the column's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrator.errors import ConflictingParameters, InvalidValue
from migrator.filters import spelled
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.equality import EXACT
from migrator.model.objects import Column, Object, Table
from migrator.spec import ColumnType, JobSpec

_NUMBERS = (t.Integer, t.Decimal)


@dataclass(frozen=True)
class Choice:
    """One row: a type that can be chosen, for columns of which types at the source; ``keeps``: what becomes of values."""

    name: str
    becomes: t.Type
    of: tuple[type[t.Type], ...]
    keeps: str = "a value that does not fit is refused"


CHOICES = (
    Choice("boolean", t.Boolean(), _NUMBERS),
    Choice("smallint", t.Integer(16), _NUMBERS),
    Choice("integer", t.Integer(32), _NUMBERS),
    Choice("bigint", t.Integer(64), _NUMBERS),
    Choice("decimal", t.Decimal(), _NUMBERS, "a value that does not fit decimal(p,s) is refused"),
    Choice("date", t.Date(), (t.Timestamp,)),
    Choice("uuid", t.Uuid(), (t.String,), "a text that is no UUID is refused; capitals and braces are not kept"),
    Choice("json", t.Json(), (t.String,), "a text that is no JSON is refused"),
)
"""The types that can be chosen. ``decimal`` has a precision and a scale."""

_WRITTEN = re.compile(r"(?P<name>[a-z]+)\s*(?:\(\s*(?P<precision>\d+)\s*(?:,\s*(?P<scale>\d+)\s*)?\))?")


def chosen(text: str) -> tuple[Choice, t.Type]:
    """The type that is written so, such as ``boolean`` or ``decimal(9,2)``.

    :raises InvalidValue: there is none.
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    choice = None if found is None else next((row for row in CHOICES if row.name == found["name"]), None)
    if found is None or choice is None or (choice.name == "decimal") != (found["precision"] is not None):
        known = ", ".join("decimal(p,s)" if row.name == "decimal" else row.name for row in CHOICES)
        raise InvalidValue(name="COLUMN_TYPE", detail=f"'{text}' is none of {known}")
    if found["precision"] is None:
        return choice, choice.becomes
    precision, scale = int(found["precision"]), int(found["scale"] or 0)
    if not 0 < precision >= scale:
        raise InvalidValue(name="COLUMN_TYPE", detail=f"'{text}' has no digits, or more after the point than in all")
    return choice, t.Decimal(precision, scale)


def choose_types(catalog: Catalog, spec: JobSpec) -> Catalog:
    """The catalog with the chosen types; names are those of the source.

    :raises InvalidValue: a setting names no column of the job, or one whose values cannot be of that type.
    :raises ConflictingParameters: two settings choose different types for one column.
    """
    if not spec.column_types:
        return catalog
    wanted: dict[tuple[str, str, str], ColumnType] = {}
    for setting in spec.column_types:
        places = list(_meant(catalog, setting))
        if not places:
            raise InvalidValue(name="COLUMN_TYPE", detail=f"{setting}: the job has no such column")
        for place in places:
            other = wanted.setdefault(place, setting)
            if chosen(other.type) != chosen(setting.type):
                raise ConflictingParameters(detail=f"COLUMN_TYPE={other} and COLUMN_TYPE={setting} exclude each other")
    losses: list[Loss] = []

    def changed(obj: Object) -> Object:
        if not isinstance(obj, Table):
            return obj
        place = (obj.source.schema, obj.source.name)
        settings = {column.name: wanted.get((*place, column.source)) for column in obj.columns}
        columns = tuple(
            column if (setting := settings[column.name]) is None else _changed(obj, column, setting.type, losses)
            for column in obj.columns
        )
        return replace(obj, columns=columns)

    return catalog.with_objects(tuple(changed(obj) for obj in catalog.objects)).with_losses(*losses)


def _meant(catalog: Catalog, setting: ColumnType) -> Iterator[tuple[str, str, str]]:
    """The columns that a setting names: ``table.column`` or ``schema.table.column``."""
    *schema, name, column = setting.names
    tables = list(catalog.of(Table))
    if schema:
        of = spelled(schema[0], (table.source.schema for table in tables))
        tables = [table for table in tables if table.source.schema == of]
    found = spelled(name, (table.source.name for table in tables))
    for table in tables:
        own = spelled(column, (one.source for one in table.columns)) if table.source.name == found else None
        if own is not None:
            yield table.source.schema, table.source.name, own


def _changed(table: Table, column: Column, text: str, losses: list[Loss]) -> Column:
    choice, type_ = chosen(text)
    base, declared = t.base_of(column.type), column.native or column.type
    fits = isinstance(base, choice.of) and not (isinstance(base, t.Timestamp) and base.zoned)
    if not fits or column.generated is not None or (column.identity is not None and not isinstance(type_, t.Integer)):
        detail = f"{table.source}.{column.source} is {declared}, which cannot become {text}"
        raise InvalidValue(name="COLUMN_TYPE", detail=detail)
    detail = f"{declared} becomes {text}, as COLUMN_TYPE asks: {choice.keeps}"
    losses.append(Loss(path_of(table), "column-type", detail, column.name))
    return replace(column, type=type_, native="", collation=None, equality=EXACT, carried=column)
