"""The pages written from tables say what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.command_line import from_arguments
from migrator.config import Config
from migrator.params import SUPPORTED, Parameter
from migrator.reference import PAGES

DOCS = Path(__file__).parents[2] / "docs"
NEED_MORE = {"CREDENTIAL", "DIRECTORY", "PARFILE"}
"""Parameters whose examples are valid only with a configuration, a directory or a file."""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == PAGES[name](), "run: make docs"


OF_PLACES = {"CREDENTIAL", "DIRECTORY", "PARFILE", "USERID"}
"""Parameters whose examples name what is not there."""


NEEDED = {
    ("impdp", "ESTIMATE"): "NETWORK_LINK=sqlite:///y.db",
    ("impdp", "REJECT_LIMIT"): "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS",
    ("impdp", "FLASHBACK_SCN"): "NETWORK_LINK=sqlite:///y.db",
    ("impdp", "FLASHBACK_TIME"): "NETWORK_LINK=sqlite:///y.db",
    ("impdp", "PROFILE"): "NETWORK_LINK=sqlite:///y.db",
    ("expdp", "COMPRESSION_ALGORITHM"): "COMPRESSION=ALL",
}
"""What an example needs besides."""


@pytest.mark.parametrize(
    "row", [row for row in SUPPORTED if row.example and row.name not in OF_PLACES], ids=lambda row: row.name
)
def test_the_examples_are_valid(row: Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for client in sorted(row.clients):
        arguments = ["sqlite:///x.db", row.example, *filter(None, [NEEDED.get((client, row.name))])]
        assert (
            from_arguments(client, arguments, Config(encryption_password="x")).connection
            == f"sqlite:///{Path('x.db').absolute()}"
        )


def test_rules_about_parameters_that_are_refused_are_said_to_hold_never() -> None:
    lines = [line for line in PAGES["access-methods"]().splitlines() if line.startswith("| `")]
    assert {line.split("`")[1] for line in lines if "(never: " in line} == {"sample", "remap-data"}
