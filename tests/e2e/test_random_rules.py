"""Random rules, from each database to each other one and back, on every way that rows can go.

The rows stay what they are, and what a database refuses or makes of a statement the next one does too, or a ledger has an
entry about it. ``MIGRATOR_TEST_EXAMPLES`` asks for more than the few examples of a usual run, and for other ones each time.
What was found so is a test of its own, most of it in ``test_rules_of_sqlite.py``.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.test_random_schemas import FEW, databases
from tests.support.literals import HELD
from tests.support.random_rules import Rules, rules
from tests.support.servers import Servers
from tests.support.trying import WAYS, what_changed

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]


@pytest.mark.parametrize(("first", "via"), list(permutations(HELD, 2)))
def test_what_was_refused_is_refused(first: str, via: str, servers: Servers, tmp_path: Path) -> None:
    @FEW
    @given(rules(first), st.sampled_from(list(WAYS)))
    def goes_there_and_back(drawn: Rules, way: str) -> None:
        with databases(servers, tmp_path, first, via, first) as (source, between, back):
            assert what_changed(source, between, back, drawn, way, tmp_path) == []

    goes_there_and_back()
