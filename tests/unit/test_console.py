"""The progress bar, on a terminal only, with the log's lines above it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from migrator.console import AboveBar, TerminalProgress, terminal

SHOW_CURSOR = "\x1b[?25h"


@pytest.fixture(autouse=True)
def _a_terminal_that_can_move_its_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_no_bar() -> None:
    out, err = io.StringIO(), io.StringIO()
    with terminal(out, err) as (lines, progress):
        lines.write("a line\n")
        assert progress is None
    assert out.getvalue() == "a line\n"
    assert not err.getvalue()


def test_a_redirected_log_goes_where_it_is_sent() -> None:
    out = io.StringIO()
    with terminal(out, Terminal()) as (lines, progress):
        lines.write("a line\n")
        assert progress is not None
    assert out.getvalue() == "a line\n"


def test_an_output_that_takes_no_more_is_told_of_once_and_the_job_goes_on() -> None:
    err = io.StringIO()
    with open("/dev/full", "w") as full, terminal(full, err) as (lines, _):
        for number in range(3):
            assert lines.write(f"line {number}\n") == 7
    assert err.getvalue().count("No space left on device") == 1
    assert "The job goes on" in err.getvalue()


def test_a_bar_takes_the_place_of_an_earlier_one() -> None:
    """A job that is started again at the prompt begins its own."""
    file = Terminal()
    progress = TerminalProgress(Console(file=file, force_terminal=True, width=120, color_system=None))
    progress.begin(5, None, 1024)
    progress.pause()
    progress.begin(4, None, 1024)
    file.seek(0)
    file.truncate()
    progress.table_done("a")
    progress.end()
    assert "1/4 tables" in file.getvalue()
    assert "/5 tables" not in file.getvalue()


def test_lines_of_the_log_appear_above_the_bar_as_they_are() -> None:
    console = Console(file=Terminal(), force_terminal=True, width=40, color_system=None)
    stream = AboveBar(console)
    line = '. . exported "s"."[bold]" :smile: ' + "x" * 60
    stream.write(f"{line[:10]}")
    stream.write(f"{line[10:]}\n")
    assert console.file.getvalue() == line + "\n"  # type: ignore[attr-defined]


def test_the_bar_counts_tables_bytes_and_rows() -> None:
    file = Terminal()
    progress = TerminalProgress(Console(file=file, force_terminal=True, width=120, color_system=None))
    progress.begin(2, None, 4096)
    progress.advance(1000, 2048)
    progress.table_done("a")
    progress.end()
    assert "1/2 tables" in file.getvalue()
    assert "2.0/4.0 KiB" in file.getvalue()
    assert "1,000 rows" in file.getvalue()


def test_an_estimate_that_was_too_low_grows() -> None:
    file = Terminal()
    progress = TerminalProgress(Console(file=file, force_terminal=True, width=120, color_system=None))
    progress.begin(1, None, 1024)
    progress.advance(1, 3072)
    progress.end()
    assert "3.0/3.0 KiB" in file.getvalue()


def test_the_bar_is_taken_away_when_a_job_fails() -> None:
    file = Terminal()

    def job() -> None:
        with terminal(io.StringIO(), file) as (_, progress):
            assert progress is not None
            progress.begin(1, None, None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job()
    assert SHOW_CURSOR in file.getvalue()
