"""The ends of a job: what their errors show."""

from __future__ import annotations

import pymysql
import pytest
import sqlalchemy as sa

from migrator.adapter import adapter_for_backend
from migrator.ends import Database, database_errors
from migrator.errors import (
    ConnectionRefused,
    DatabaseError,
    InvalidUrlParameter,
    MigratorError,
    ReadOnlyDatabase,
    ScriptsOnly,
)


@pytest.mark.parametrize("item", ["sslpassword", "oauth_client_secret"])
def test_a_refused_connection_shows_no_secret_of_its_url(item: str) -> None:
    url = sa.make_url(f"postgresql+psycopg://hr:first-secret@127.0.0.1:1/hr?{item}=other-secret")
    with pytest.raises(ConnectionRefused) as refused, Database(url).connect():
        pytest.fail("it connected")
    assert "127.0.0.1:1/hr" in str(refused.value)
    assert "secret" not in str(refused.value).replace(item, "")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("foo=bar", "unknown parameter foo; there are"),
        ("port=3307", "unknown parameter port"),
        ("init_command=x", "unknown parameter init_command"),
        ("connect_timeout=soon", "a parameter has a wrong value: .*'soon'"),
    ],
)
def test_a_parameter_that_the_driver_does_not_take_is_named(query: str, words: str) -> None:
    url = sa.make_url(f"mysql://hr:first-secret@127.0.0.1:1/hr?{query}")
    with pytest.raises(InvalidUrlParameter, match=words) as refused, Database(url).connect():
        pytest.fail("it connected")
    assert "secret" not in str(refused.value)


def test_a_database_of_scripts_only_is_said_to_be_one() -> None:
    with pytest.raises(ScriptsOnly, match="Oracle"), Database(sa.make_url("oracle://hr:tiger@h/d")).connect():
        pytest.fail("it connected")


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (
            1290,
            "The MariaDB server is running with the --read-only option so it cannot execute this statement",
            ReadOnlyDatabase,
        ),
        (1290, "The MariaDB server is running with the --secure-file-priv option so it cannot …", DatabaseError),
        (1836, "Running in read-only mode", ReadOnlyDatabase),
    ],
)
def test_a_server_that_takes_no_changes_is_told_from_one_that_refuses_a_statement(
    code: int, message: str, kind: type[MigratorError]
) -> None:
    with pytest.raises(MigratorError) as said, database_errors(adapter_for_backend("mysql")):
        raise pymysql.err.OperationalError(code, message)
    assert type(said.value) is kind
