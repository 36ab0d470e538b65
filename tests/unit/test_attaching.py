"""Which recorded job a client means."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config import Config
from migrator.ends import Database
from migrator.interactive import _same
from migrator.spec import JobSpec


@pytest.mark.parametrize(
    ("recorded", "typed", "same"),
    [
        ("mysql://hr@db1/hr", "mysql://hr:tiger@db1/hr", True),
        ("mysql://hr@db1/hr", "mysql://hr@db1/hr", True),
        ("mysql://hr@db1/hr", "mysql://scott:tiger@db1/hr", False),
        ("mysql://hr@db1/hr", "mysql://hr:tiger@db2/hr", False),
        ("production", "mysql://hr:tiger@db1/hr", False),
    ],
)
def test_a_job_recorded_on_this_machine_is_one_of_its_connection_whatever_the_password(
    recorded: str, typed: str, same: bool
) -> None:
    config = Config()
    database = Database(config.resolve(config.reference(typed)))
    assert _same(config, JobSpec("EXPORT", "SCHEMA", recorded, Path("/")), database) is same
