"""The page on database links shows a configuration file that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.config import read

PAGE = Path(__file__).parents[2] / "docs" / "links.md"


def test_the_configuration_shown_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "config.toml").write_text(shown, encoding="utf-8")
    monkeypatch.setenv("PAYROLL_PASSWORD", "tiger")
    config, job = read(tmp_path / "config.toml"), sa.make_url("postgresql://hr:lion@db1/hr")
    urls = {name: config.linked(config.link(name), job).render_as_string(hide_password=False) for name in config.links}
    assert urls == {
        "PAYROLL": "mysql://reader:tiger@db2/payroll",
        "ARCHIVE": "postgresql://hr:lion@db3/archive",
        "SAMPLES": "sqlite:////srv/samples/hr.db",
    }
