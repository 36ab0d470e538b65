"""The page on directory objects shows a configuration file that works."""

from __future__ import annotations

import re
from pathlib import Path

from migrator.config import read
from migrator.directories import PUBLIC, Directory

PAGE = Path(__file__).parents[2] / "docs" / "directories.md"


def test_the_configuration_shown_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "config.toml").write_text(shown, encoding="utf-8")
    config = read(tmp_path / "config.toml")
    assert config.directories == {
        "DATA_PUMP_DIR": Directory.public("DATA_PUMP_DIR", Path("/dumps")),
        "HR_DUMPS": Directory("HR_DUMPS", Path("/dumps/hr"), frozenset({PUBLIC}), frozenset({"hr", "backup"})),
    }
    assert not config.only_directory_objects
