"""The contract every adapter keeps, as a test suite: subclass :class:`AdapterContract` in a test module and run pytest.

::

    class TestMyDatabase(AdapterContract):
        adapter = ADAPTER
        gaps = (Gap("test_values_survive[float not finite]", "never", "the database has no NaN"),)

        @pytest.fixture
        def url(self, my_database: str) -> str:
            return my_database  # its URL; the tests may fill it, and drop what they make

What an adapter cannot do is a :class:`Gap` with a reason. A gap that has been closed fails, so that the list stays true.
Adapters that only write scripts take :class:`DeclarationContract`.
"""

from migrator.testing.cases import CASES, HOSTILE_NAMES, REFUSALS, Case, Refusal
from migrator.testing.contract import AdapterContract, DeclarationContract, Gap
from migrator.testing.workbench import Workbench

__all__ = [
    "CASES",
    "HOSTILE_NAMES",
    "REFUSALS",
    "AdapterContract",
    "Case",
    "DeclarationContract",
    "Gap",
    "Refusal",
    "Workbench",
]
