"""The ends of a job: what their errors show."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migrator.ends import Database
from migrator.errors import ConnectionRefused


@pytest.mark.parametrize("item", ["sslpassword", "oauth_client_secret"])
def test_a_refused_connection_shows_no_secret_of_its_url(item: str) -> None:
    url = sa.make_url(f"postgresql+psycopg://hr:first-secret@127.0.0.1:1/hr?{item}=other-secret")
    with pytest.raises(ConnectionRefused) as refused, Database(url).connect():
        pytest.fail("it connected")
    assert "127.0.0.1:1/hr" in str(refused.value)
    assert "secret" not in str(refused.value).replace(item, "")
