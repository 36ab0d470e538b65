"""The ends of a job: what their errors show."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from migrator.errors import ConnectionRefused, InvalidUrlParameter, ScriptsOnly


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
