"""The commands of interactive-command mode that are about dump files, against exports that an advisory lock holds up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.held import ROWS, HeldRows
from tests.support.pump import done, pump
from tests.support.sql import scalar
from tests.support.terminal import CTRL_C, Terminal

PROMPT = "Export> "


class HeldExport(HeldRows):
    """An export of one table whose rows are read only when the test lets them."""

    def begin(self, *options: str) -> Terminal:
        """The export at a terminal, when it waits for its rows."""
        where = (f"DIRECTORY={self.directory}", "DUMPFILE=one.dmp", "NOLOGFILE=YES", "JOB_NAME=NIGHTLY")
        terminal = Terminal("expdp", self.source, self.query, *where, *options, environment=self.environment)
        terminal.expect("Processing object type SCHEMA_EXPORT/TABLE/TABLE_DATA")
        return terminal

    def attach(self) -> Terminal:
        """Another client, attached to the export."""
        terminal = Terminal("expdp", self.source, "ATTACH=NIGHTLY", environment=self.environment)
        terminal.expect(PROMPT)
        return terminal

    def files(self) -> list[str]:
        """The dump files there are."""
        return sorted(path.name for path in self.directory.glob("*.dmp"))


@pytest.fixture
def held(postgresql: Callable[..., str], tmp_path: Path) -> Iterator[HeldExport]:
    job = HeldExport(postgresql(), tmp_path)
    yield job
    job.release()


@pytest.fixture
def target(postgresql: Callable[..., str]) -> str:
    return postgresql()


def imported(held: HeldExport, target: str) -> int:
    """How many rows an import of the set brings."""
    where = (f"DIRECTORY={held.directory}", "DUMPFILE=one.dmp,two%U.dmp", "NOLOGFILE=YES")
    done(pump("impdp", target, *where))
    return int(scalar(target, "SELECT count(*) FROM t"))


def test_add_file_gives_a_running_export_room(held: HeldExport, target: str) -> None:
    (held.directory / "two01.dmp").write_bytes(b"PK\x03\x04" + bytes(26) + b"header.json of an earlier export")
    with held.begin("FILESIZE=100K") as terminal:
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        assert "UDE-00014: invalid value for parameter" in terminal.command("filesize=many", PROMPT)
        assert "ORA-39088" in terminal.command("add_file=../two.dmp", PROMPT)
        terminal.command("filesize=200k", PROMPT)
        terminal.command("reuse_dumpfiles=yes", PROMPT)
        assert f"added {held.directory / 'two%U.dmp'}" in terminal.command("add_file=two%U", PROMPT)
        held.release()
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    sizes = {path.name: path.stat().st_size for path in held.directory.glob("*.dmp")}
    assert len(sizes) > 2
    assert sizes["one.dmp"] <= 100 << 10
    assert 100 << 10 < max(size for name, size in sizes.items() if name != "one.dmp") <= 200 << 10
    assert imported(held, target) == ROWS


def test_add_file_mends_an_export_that_ran_out_of_room(held: HeldExport, target: str) -> None:
    with held.begin("FILESIZE=100K") as terminal:
        held.release()
        terminal.expect("ORA-39095: Dump file space has been exhausted")
        assert terminal.ends() == 1
    with held.attach() as terminal:
        assert "State: STOPPED" in terminal.shown
        assert re.search(r"Dump File: .*one\.dmp", terminal.shown)
        assert "takes effect when the job is started again" in terminal.command("add_file=two%U.dmp", PROMPT)
        terminal.command("start_job", PROMPT)
        terminal.type("continue\n")
        terminal.expect("successfully completed at")
        assert terminal.ends() == 0
    assert imported(held, target) == ROWS


def test_kill_job_deletes_the_dump_files_of_a_running_export(held: HeldExport) -> None:
    with held.begin() as terminal:
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        assert held.files() == ["one.dmp"]
        terminal.type("kill\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("\n")
        terminal.expect("ORA-39098")
        assert terminal.ends() == 1
    assert held.files() == []


def test_kill_job_deletes_the_dump_files_of_a_stopped_export(held: HeldExport) -> None:
    with held.begin("FILESIZE=100K") as terminal:
        held.release()
        terminal.expect("ORA-39095")
        assert terminal.ends() == 1
    assert held.files() == ["one.dmp"]
    with held.attach() as terminal:
        terminal.type("kill_job\n")
        terminal.expect(re.escape("([yes]/no): "))
        terminal.type("yes\n")
        terminal.expect(r"Deleted .*one\.dmp")
        assert terminal.ends() == 0
    assert held.files() == []
    assert scalar(held.source, "SELECT to_regclass('\"NIGHTLY\"') IS NULL")
