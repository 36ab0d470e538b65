"""How many examples hypothesis tries against servers: a few, always the same, or as many others as somebody asks for."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_ASKED = os.environ.get("MIGRATOR_TEST_EXAMPLES")


def few(number: int) -> settings:
    """The settings of a usual run with ``number`` examples; ``MIGRATOR_TEST_EXAMPLES`` asks for another number."""
    return settings(
        max_examples=int(_ASKED or number),
        deadline=None,
        database=None,
        derandomize=_ASKED is None,
        suppress_health_check=list(HealthCheck),
    )
