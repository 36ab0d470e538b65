"""What the master table records of a foreign key that rows break, and what of it a job that is started again takes up."""

from __future__ import annotations

from typing import Any

import pytest

from migrator.job.listing import Listed


@pytest.mark.parametrize("listed", [Listed(), Listed(0), Listed(3, "orphans.ndjson.0001")])
def test_what_is_recorded_is_taken_up(listed: Listed) -> None:
    assert Listed.of(listed.recorded()) == listed


def test_of_a_key_that_was_not_looked_at_nothing_is_known() -> None:
    assert Listed.of({}) is None


@pytest.mark.parametrize("rows", [None, 0, 3])
def test_a_number_by_itself_as_earlier_jobs_recorded_it_is_taken_up(rows: Any) -> None:
    assert Listed.of({"orphans": rows}) == Listed(rows)
