"""A dialect whose package cannot be loaded: the job says why, in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.pump import pump_process


@pytest.mark.parametrize("link", [True, False])
def test_a_dialect_that_fails_in_its_own_way_is_named(link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "broken-1.dist-info"
    package.mkdir(parents=True)
    (package.parent / "broken_dialect.py").write_text("raise RuntimeError('made for another machine')\n")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[migrator.dialects]\nbroken = broken_dialect:ADAPTER\n")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    )
    if link:
        run = pump_process("impdp", f"sqlite:///{tmp_path}/x.db", "NETWORK_LINK=broken://x/y", "NOLOGFILE=YES")
    else:
        run = pump_process("expdp", "broken://x/y", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    assert run.code == 1
    assert "RuntimeError: made for another machine" in run.err
    assert run.err.startswith("ORA-39126")
    assert "Traceback" not in run.err
