"""The checksum that tells whether a job has lost, doubled or changed rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.hoard import contents, hoard
from tests.support.pump import done, pump, schema_of
from tests.support.sql import execute


def test_every_database_gives_the_same(postgresql: Callable[..., str], mysql: Callable[[], str], tmp_path: Path) -> None:
    source = hoard(tmp_path / "source.db", 500)
    for target in (postgresql(), mysql()):
        done(pump("impdp", target, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(target)}", "NOLOGFILE=YES"))
        assert contents(target) == contents(source)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE big SET label = 'row 7  D845' WHERE id = 7",
        "UPDATE big SET amount = amount + 0.01 WHERE id = 7",
        "UPDATE big SET amount = NULL WHERE id = 7",
        "UPDATE big SET id = 501 WHERE id = 7",
        "UPDATE loose SET a = CASE a WHEN 1 THEN 2 ELSE 1 END WHERE a IN (1, 2)",
        "INSERT INTO loose SELECT * FROM loose WHERE a = 7",
        "DELETE FROM loose WHERE a = 7",
        "INSERT INTO hollow VALUES (NULL)",
        "DROP INDEX big_label",
    ],
)
def test_every_change_shows(change: str, tmp_path: Path) -> None:
    url = hoard(tmp_path / "source.db", 500)
    before = contents(url)
    assert contents(url) == before
    execute(url, change)
    assert contents(url) != before
