"""The standard output, and what a person at a terminal sees besides: a bar with bytes, rows, speed and the time left."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, cast

from migrator.errors import LogNotShown, OutputRefused

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from rich.table import Table as Grid

    from migrator.operations.planning import JobPlan, TablePlan
    from migrator.operations.verified import Verification
    from migrator.profiling.profiles import TableProfile


def say(text: str = "", end: str = "\n") -> None:
    """Write whole lines to the standard output.

    :raises OutputRefused: it takes no more.
    :raises BrokenPipeError: whoever read it is gone.
    """
    with output() as out:
        print(text, end=end, file=out)


def open_closed() -> None:
    """Give the process the standard streams that it was started without (``>&-``, a daemon's).

    The input has nothing in it; the output cannot be written, which is told as of a full one; what would be told on the
    standard error is lost. Nothing may have been opened before: it would have taken a stream's place.
    """
    for stream, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, stream) is None:
            number = os.open(os.devnull, flags)  # the lowest that is free: the one that is missing
            os.set_inheritable(number, True)
            setattr(sys, stream, os.fdopen(number, mode, closefd=False))


@contextmanager
def output() -> Iterator[TextIO]:
    """The standard output; what was written to it has arrived when the block ends.

    :raises OutputRefused: it takes no more, a full disk's file for example.
    :raises BrokenPipeError: whoever read it is gone.
    """
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise OutputRefused(detail=error.strerror or str(error)) from error


def discard(stream: TextIO) -> None:
    """From now on, what is written to a stream that takes no more is lost, what it still holds included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class LogOutput(io.TextIOBase):
    """A job's log on a stream. If the stream stops taking it, ``err`` is told once, and the job goes on.

    :raises BrokenPipeError: whoever read it is gone.
    """

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err

    def write(self, text: str) -> int:
        """Write it at once."""
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            discard(self._out)
            with suppress(OSError):  # where neither takes anything, nobody can be told
                self._err.write(f"{LogNotShown(detail=error.strerror or str(error)).explained()}\n")
        return len(text)


class TerminalProgress:
    """A progress bar under the log's lines. Sizes are the source's estimates: the bar never says done before it is."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        self._bars = Progress(
            TextColumn("{task.fields[done]}/{task.fields[tables]} tables"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TextColumn("{task.fields[rows]:,} rows"),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task: TaskID | None = None
        self._moved, self._rows, self._done = 0, 0, 0
        self._expected: int | None = None

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        """Show the bar, in the place of an earlier one."""
        self.end()
        self._moved, self._rows, self._done, self._expected = 0, 0, 0, size
        self._task = self._bars.add_task("", total=size, done=0, tables=tables, rows=0)
        self._bars.start()

    def advance(self, rows: int, size: int) -> None:
        """Count rows and bytes."""
        self._moved, self._rows = self._moved + size, self._rows + rows
        total = None if self._expected is None else max(self._expected, self._moved)
        if self._task is not None:
            self._bars.update(self._task, completed=self._moved, total=total, rows=self._rows)

    def table_done(self, name: str) -> None:
        """Count a table."""
        self._done += 1
        if self._task is not None:
            self._bars.update(self._task, done=self._done)

    def pause(self) -> None:
        """Take the bar away for a while."""
        self._bars.stop()

    def resume(self) -> None:
        """Show the bar again, if it was there."""
        if self._task is not None:
            self._bars.start()

    def end(self) -> None:
        """Take the bar away."""
        self._bars.stop()
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


class AboveBar(io.TextIOBase):
    """A text stream whose lines appear above the bar of ``console``."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open = ""

    def write(self, text: str) -> int:
        """Print the lines that ``text`` completes."""
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
        return len(text)


@contextmanager
def terminal(out: TextIO, err: TextIO) -> Iterator[tuple[TextIO, TerminalProgress | None]]:
    """Where the log's lines go, and the progress bar; None where ``err`` is no terminal."""
    log = cast(TextIO, LogOutput(out, err))
    if not err.isatty():
        yield log, None
        return
    from rich.console import Console

    console = Console(file=err)
    progress = TerminalProgress(console)
    try:
        yield cast(TextIO, AboveBar(console)) if out.isatty() else log, progress
    finally:
        progress.end()


# --- plans ----------------------------------------------------------------------------------------------------------

_PLAIN_WIDTH = 200
"""How many columns a plan takes where it is not printed on a terminal."""


def print_plan(plan: JobPlan, out: TextIO) -> None:
    """Print what a job would do, the tables as a table."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    from migrator.errors import visible

    console = Console(file=out, width=None if out.isatty() else _PLAIN_WIDTH, highlight=False, emoji=False)
    grid = Grid(title=f"{plan.operation} {plan.mode}", title_justify="left")
    grid.add_column("table", overflow="fold")
    about = "about " * plan.estimated
    for heading in (f"{about}rows", f"{about}size", "granules"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for heading in ("method", "why it is not a faster one", "what would lift that"):
        grid.add_column(heading, overflow="fold")
    for table in plan.tables:
        grid.add_row(*(Text(visible(cell)) for cell in _cells(table)))
    console.print(grid)
    sections = {
        ("Objects" if plan.operation == "EXPORT" else "Objects to make"): [
            f"{count} {path}" for path, count in plan.objects.items()
        ],
        "Objects that are there": plan.existing,
        "Losses": [str(loss) for loss in plan.losses],
        "Remarks": plan.notes,
    }
    sections |= _profiled(plan.profiles or ())
    if plan.profiles is not None:
        console.print(_profile_grid(plan.profiles))
    for title, lines in sections.items():
        for line in [f"{title}:", *(f"  {line}" for line in lines)] if lines else ():
            console.print(visible(line), markup=False, soft_wrap=True)


def _profile_grid(profiles: Sequence[TableProfile]) -> Grid:
    """What the rows say of each column."""
    from rich.table import Table as Grid
    from rich.text import Text

    from migrator.errors import visible
    from migrator.model.measures import Measure

    apart = (Measure.NULLS, Measure.LEAST, Measure.MOST)
    grid = Grid(title="PROFILE", title_justify="left")
    for heading in ("table", "column", "declared"):
        grid.add_column(heading, overflow="fold")
    for heading in ("rows", *apart):
        grid.add_column(str(heading), justify="right", overflow="fold")
    grid.add_column("else", overflow="fold")
    for table in profiles:
        for column in table.columns:
            told = ("" if column.facts.get(measure) is None else str(column.facts[measure]) for measure in apart)
            rest = [
                *(
                    f"{measure} {value}"
                    for measure, value in column.facts.items()
                    if value is not None and measure not in apart
                ),
                *(f"{misfit} {rows}" for misfit, rows in column.misfits.items()),
                *(f"{misfit} not known" for misfit in column.unknown),
            ]
            cells = (str(table.table), column.name, column.declared, str(table.rows), *told, ", ".join(rest))
            grid.add_row(*(Text(visible(cell)) for cell in cells))
    return grid


def _profiled(profiles: Sequence[TableProfile]) -> dict[str, list[str]]:
    """What follows from profiles."""
    return {
        "Findings": [f"{one.table}: {finding}" for one in profiles for finding in one.findings],
        "Types that the values prove": [f"{one.table}: {suggested}" for one in profiles for suggested in one.suggestions],
        "Not profiled": [
            *(f"{one.table}: {one.problem}" for one in profiles if one.problem),
            *(f"{one.table}: {remark}" for one in profiles for remark in (*one.unread, *one.remarks)),
        ],
    }


def _cells(table: TablePlan) -> tuple[str, ...]:
    from migrator.job.report import size_text

    name = str(table.table)
    lifts = "; ".join(dict.fromkeys(bar.lift for bar in table.barred))
    if table.problem:
        return name, "0", "", "0", "none", table.problem, lifts
    method = f"{table.method}, loaded by {table.loaded_by}" if table.loaded_by else table.method
    rows = "unknown" if table.rows is None else str(table.rows)
    why = "; ".join(filter(None, [table.remark, table.reason]))
    return name, rows, size_text(table.bytes), str(table.granules), method, why, lifts


# --- verifications --------------------------------------------------------------------------------------------------


def print_verification(found: Verification, out: TextIO) -> None:
    """Print what was found of each table, and the rows that differ."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    from migrator.errors import visible
    from migrator.operations.verified import result_text, row_text

    console = Console(file=out, width=None if out.isatty() else _PLAIN_WIDTH, highlight=False, emoji=False)
    grid = Grid(title="VERIFY", title_justify="left")
    grid.add_column("table", overflow="fold")
    for heading in ("rows at the source", "at the target"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for heading in ("result", "columns that differ"):
        grid.add_column(heading, overflow="fold")
    for table in found.tables:
        rows = ("not counted", "not counted") if table.rows is None else map(str, table.rows)
        cells = (str(table.table), *rows, result_text(table), ", ".join(table.columns))
        grid.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(grid)
    differing = [f"{table.table}: {row_text(row)}" for table in found.tables for row in table.examples]
    left_out = [f"{table.table}: {', '.join(table.left_out)}" for table in found.tables if table.left_out]
    sections = {
        "Rows that differ": differing,
        "Compared as the import converts them": [str(loss) for table in found.tables for loss in table.ledger],
        "Columns at the target alone": left_out,
        "Remarks": found.notes,
    }
    for title, lines in sections.items():
        for line in [f"{title}:", *(f"  {line}" for line in lines)] if lines else ():
            console.print(visible(line), markup=False, soft_wrap=True)
