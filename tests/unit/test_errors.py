"""The codes of errors: one that two classes have says the same of both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from migrator import errors
from migrator.errors import MigratorError

SHARED = {
    "ORA-39004": "Data Pump has one code for what a job's state does not allow, whether it runs or does not",
}
"""The codes that classes have of which none is a kind of another, and why."""


def classes(of: type[MigratorError] = MigratorError) -> Iterator[type[MigratorError]]:
    yield of
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from classes(kind)


def related(one: type[MigratorError], other: type[MigratorError]) -> bool:
    """Whether one is a kind of the other, or both are of a third that has their code."""
    return any(kind.code == one.code and issubclass(other, kind) for kind in one.__mro__ if issubclass(kind, MigratorError))


def test_classes_that_have_one_code_are_kinds_of_one_another() -> None:
    shared = {
        one.code
        for one, other in combinations(sorted(set(classes()), key=lambda kind: kind.__name__), 2)
        if one.code == other.code and not related(one, other)
    }
    assert shared == set(SHARED)


def test_every_code_has_the_form_of_one() -> None:
    products = {kind.code.partition("-")[0] for kind in classes()}
    assert products <= {"ORA", "UDE", "UDI", "LRM", "MIG"}
    assert {len(kind.code.partition("-")[2]) for kind in classes()} == {5}
