"""The tutorial's commands run as they stand, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = "\n".join(["set -euo pipefail", *blocks])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("successfully completed at") == done.stdout.count("Release ") > 8
    assert re.search(r'^\. \. exported "main"\."customer" +0\.\d{3} KB       2 rows$', done.stdout, re.MULTILINE)
    assert re.search(r'^\. \. exported "main"\."order" +0\.\d{3} KB       1 rows$', done.stdout, re.MULTILINE), "QUERY"
    assert "CREATE TABLE" in (tmp_path / "shop-oracle.sql").read_text(encoding="utf-8")
