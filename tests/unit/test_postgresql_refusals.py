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
    Target("id", "int4", declared="integer"),
    Target("k", "uuid", declared="uuid"),
    Target("doc", "jsonb", declared="jsonb"),
    Target("raw", "json", declared="json"),
    Target("feeling", "enum", declared="public.mood"),
)


def refused(message: str, context: str | None = None) -> errors.DataError:
    """What a server says of a value."""

    class Refused(errors.DataError):
        @property
        def diag(self) -> Any:
            return SimpleNamespace(message_primary=message, message_detail=None, context=context)

    return Refused(message)


@pytest.mark.parametrize(
    ("error", "column"),
    [
        (refused('invalid input syntax for type uuid: "raw"', "unnamed portal parameter $2 = 'raw'"), "k"),
        (refused('invalid input syntax for type uuid: "json"'), "k"),
        (refused("invalid input syntax for type json"), "doc or raw"),
        (refused('invalid input value for enum mood: "uuid"'), "feeling"),
        (refused('invalid input syntax for type integer: "x"'), "id"),
    ],
)
def test_the_column_is_the_parameters_or_those_of_the_type_that_an_old_server_names(
    error: errors.DataError, column: str
) -> None:
    found = about_column(error, COLUMNS)
    assert isinstance(found, ValueNotCarried)
    assert str(found).startswith(f"MIG-20002: column {column}: invalid input")


def test_a_message_that_names_no_type_of_a_column_stays_what_it_is() -> None:
    error = refused("numeric field overflow")
    assert about_column(error, COLUMNS) is error
