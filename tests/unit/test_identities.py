"""The names of sequences that identity columns have: their own, while nothing else has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.adapter import load_adapter
from migrator.identities import USUAL, fit_sequences
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, path_of
from migrator.naming import Chosen, Known

CAPABILITIES = load_adapter("postgresql").capabilities
TABLE = o.Table("s", "b", (o.Column("id", t.Integer(), nullable=False, identity=o.Identity(sequence="a_id_seq")),))
OTHER = o.Table("s", "a", (o.Column("id", t.Integer(), nullable=False, identity=o.Identity()),))
"""Its sequence has the usual name, which is that of the first one's."""


def given(known: Known, *objects: o.Object) -> tuple[str | None, list[str]]:
    """The name that the sequence of ``b`` gets, None: the usual one; and the rules of the entries."""
    fitted = fit_sequences(Catalog("postgresql", "", objects), CAPABILITIES, known)
    (found,) = (table for table in fitted.of(o.Table) if table.name == "b")
    identity = found.columns[0].identity
    assert identity is not None
    return identity.sequence, [loss.rule for loss in fitted.losses]


@pytest.mark.parametrize("there", [None, Catalog("postgresql", ""), Catalog("postgresql", "", (TABLE,))])
def test_a_name_that_nothing_else_has_is_kept(there: Catalog | None) -> None:
    assert given(Known(there=there), TABLE) == ("a_id_seq", [])


def test_a_name_that_something_has_is_not_kept() -> None:
    assert given(Known(there=Catalog("postgresql", "", (OTHER,))), TABLE) == (None, [USUAL])
    assert given(Known(), TABLE, OTHER) == (None, [USUAL])


def test_a_table_that_has_another_name_here_does_not_take_its_old_sequence_along() -> None:
    assert given(Known(), replace(TABLE, origin=o.QName("s", "c"))) == (None, [USUAL])


def test_what_a_job_had_decided_holds_when_it_is_started_again() -> None:
    usual = frozenset({(path_of(TABLE), "id")})
    assert given(Chosen(usual=usual), TABLE) == (None, [USUAL])
    assert given(Chosen(there=Catalog("postgresql", "", (OTHER,))), TABLE) == ("a_id_seq", [])
