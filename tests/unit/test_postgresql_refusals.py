"""Which column a value was of that PostgreSQL could not read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import errors

from dialects.postgresql.copy_in import Target
from dialects.postgresql.paths import about_column
from migrator.errors import ValueNotCarried

COLUMNS = (
    Target("id", "int4", declared="integer", said="integer"),
    Target("numbers", "_int4", declared="integer[]", said="integer"),
    Target("k", "uuid", declared="uuid", said="uuid"),
    Target("doc", "jsonb", declared="jsonb", said="jsonb"),
    Target("raw", "json", declared="json", said="json"),
    Target("feeling", "enum", declared="public.mood", said="public.mood"),
    Target("odd", "enum", declared='"for type ""uuid"', said='"for type ""uuid"'),
    Target("d", "date", declared="date", said="date"),
    Target("tm", "time", declared="time without time zone", said="time without time zone"),
    Target("tz", "timetz", declared="public.clock", said="time(1) with time zone"),
    Target("ts", "timestamp", declared="timestamp(3) without time zone", said="timestamp(3) without time zone"),
    Target("tsz", "timestamptz", declared="timestamp with time zone", said="timestamp with time zone"),
    Target("short", "varchar", declared="character varying(3)", said="character varying(3)"),
    Target("longer", "varchar", declared="character varying(5)", said="character varying(5)"),
    Target("ratio", "float8", declared="double precision", said="double precision"),
    Target("place", "point", declared="point", said="point"),
)


def refused(message: str, context: str | None = None) -> errors.DataError:
    """What a server says of a value."""

    class Refused(errors.DataError):
        @property
        def diag(self) -> Any:
            return SimpleNamespace(message_primary=message, message_detail=None, context=context)

    return Refused(message)


@pytest.mark.parametrize(
    ("message", "column"),
    [
        ('invalid input syntax for type uuid: "for type json"', "k"),
        ("invalid input syntax for type json", "doc or raw"),
        ('invalid input value for enum public.mood: "uuid"', "feeling"),
        ('invalid input value for enum "for type ""uuid": "is out of range for type date"', "odd"),
        ('invalid input syntax for type integer: "x"', "id or numbers"),
        ('value "99999999999" is out of range for type integer', "id or numbers"),
        ('value "a\n"" is out of range for type date" is out of range for type integer', "id or numbers"),
        ('"1e999" is out of range for type double precision', "ratio or place"),
        ('invalid input syntax for type date: "x"', "d"),
        ('invalid input syntax for type time: "x"', "tm"),
        ('invalid input syntax for type time with time zone: "x"', "tz"),
        ('invalid input syntax for type timestamp: "x"', "ts"),
        ('invalid input syntax for type timestamp with time zone: "x"', "tsz"),
        ("value too long for type character varying(3)", "short"),
    ],
)
def test_the_column_is_one_of_the_type_that_an_old_server_names(message: str, column: str) -> None:
    found = about_column(refused(message), COLUMNS, names_types=True)
    assert isinstance(found, ValueNotCarried)
    assert str(found).startswith(f"MIG-20002: column {column}: {message}")


def test_a_column_that_may_have_others_in_it_is_never_ruled_out() -> None:
    columns = (*COLUMNS, Target("pair", "", declared="pair"))
    found = about_column(refused('invalid input syntax for type date: "x"'), columns, names_types=True)
    assert str(found).startswith("MIG-20002: column d or pair: ")


def test_the_column_is_the_parameters_where_the_server_names_it() -> None:
    error = refused('invalid input syntax for type uuid: "raw"', "unnamed portal parameter $3 = 'raw'")
    assert str(about_column(error, COLUMNS, names_types=False)).startswith("MIG-20002: column k: invalid input")


@pytest.mark.parametrize(
    "message",
    [
        "numeric field overflow",
        'date/time field value out of range: "2020-13-01 00:00:00"',
        'time zone displacement out of range: "10:20:30+99"',
        'timestamp out of range: "for type date"',
        'invalid input syntax for type macaddr: "x"',
    ],
)
def test_a_message_that_names_no_type_of_a_column_stays_what_it_is(message: str) -> None:
    error = refused(message)
    assert about_column(error, COLUMNS, names_types=True) is error


@pytest.mark.parametrize(("context", "names_types"), [("PL/pgSQL function f() line 1 at RETURN", True), (None, False)])
def test_what_a_function_or_expression_of_the_table_says_is_about_no_column(context: str | None, names_types: bool) -> None:
    error = refused('invalid input syntax for type integer: "x"', context)
    assert about_column(error, COLUMNS, names_types) is error
