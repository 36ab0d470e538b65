"""The job log: what Data Pump's clients print, line by line in Data Pump's layout, on the terminal and into LOGFILE.

Every line passes :func:`~migrator.errors.redact` and shows control characters as escapes; what goes on in a second line,
as SQL does, is indented there. LOGTIME stamps lines, METRICS names the worker and counts objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol, TextIO

from migrator import files
from migrator.adapter import Estimation
from migrator.errors import (
    InternalError,
    JobKilled,
    JobStopped,
    LogFileNotWritable,
    MigratorError,
    ObjectsMissing,
    redact,
    visible,
)
from migrator.inventory import Fate, Inventory
from migrator.model.catalog import Loss
from migrator.model.objects import QName
from migrator.spec import JobSpec

NAME_AND_SIZE = 52
"""Columns that a table's name, at their left end, and its size, at their right end, share."""

CLIENTS = {"EXPORT": "Export", "IMPORT": "Import", "SQL_FILE": "Import"}
_KIND = 17
"""Columns that the longest object type takes."""
_UNITS = ("KB", "MB", "GB", "TB", "PB")


class Progress(Protocol):
    """Something that shows how far a job is. All calls come from one thread but ``advance``, which comes from any."""

    def begin(self, tables: int, rows: int | None, size: int | None) -> None:
        """The rows of ``tables`` tables begin to move: ``rows`` rows, ``size`` bytes, None where not known."""

    def advance(self, rows: int, size: int) -> None:
        """So many more rows and bytes have moved."""

    def table_done(self, name: str) -> None:
        """The rows of a table are all there, or were given up."""

    def end(self) -> None:
        """No more rows move."""


def size_text(size: int) -> str:
    """A size in bytes as the log shows it: four significant digits of KB, MB …: ``17.08 KB``, whole ones as ``64 KB``."""
    amount, unit = size / 1024, 0
    while amount >= 1023.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    digits = (0,) if amount.is_integer() else (3, 2, 1, 0)
    decimals = next(places for places in digits if places == 0 or len(f"{amount:.{places}f}") <= 5)
    return f"{amount:.{decimals}f} {_UNITS[unit]}"


def elapsed_text(elapsed: timedelta) -> str:
    """A span as ``days hh:mm:ss``."""
    minutes, seconds = divmod(elapsed.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{elapsed.days} {hours:02}:{minutes:02}:{seconds:02}"


_LOSS = ". . loss: {}"
_LOSSES = ". . loss in {} places: {}"
_ALIKE = 4
"""How many entries that say the same are told as one sentence."""
_WIDTH = 120
"""Columns of the lines that list where such a sentence holds, names that are longer apart."""


def loss_line(loss: Loss) -> str:
    """An entry of the loss list as the log has it."""
    return _shown(_LOSS.format(loss))


class JobLog:
    """The log of one job, to ``out`` and to the request's LOGFILE; a context manager that closes the file.

    ``again``: the job goes on, and so does its log file. ``errors`` and ``losses`` count what was logged. A log file that
    stops taking lines is an error of the job, not its end: the log goes on on ``out``.

    :raises LogFileNotWritable: LOGFILE cannot be created.
    """

    def __init__(
        self, spec: JobSpec, out: TextIO, clock: Callable[[], datetime] = datetime.now, *, again: bool = False
    ) -> None:
        self._spec, self.out, self._clock = spec, out, clock
        self._started = clock()
        self._job: QName | None = None
        self.errors = 0
        self.losses = 0
        self.sink: Callable[[str], None] = lambda line: None
        """Gets every line too."""
        self._file = None if spec.logfile is None else _create(spec.logfile, again=again)

    def __enter__(self) -> JobLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    # --- how a job begins -------------------------------------------------------------------------------------------

    def banner(self, servers: Sequence[str]) -> None:
        """The release, and the servers connected to: the job's own, then a network link's."""
        release = version("migrator-pump")
        client = CLIENTS[self._spec.operation]
        self._write("")
        self._write(f"{client}: Release {release} - Production on {self._clock():%a %b %d %H:%M:%S %Y}")
        self._write(f"migrator {release}")
        self._write("")
        for label, server in zip(("Connected to", *["Linked to"] * len(servers)), servers, strict=False):
            self._write(f"{label}: {server}")

    def starting(self, job: QName, command: str) -> None:
        """The job's name and the command line."""
        self._job = job
        self._write(f"Starting {job}:  {command}")

    def master(self, job: QName, verb: Literal["loaded", "unloaded"]) -> None:
        """The master table was read or written."""
        self._write(f"Master table {job} successfully {verb}")

    def counted(self, errors: int, losses: int) -> None:
        """Earlier runs of the job have logged so many."""
        self.errors, self.losses = self.errors + errors, self.losses + losses

    def restarting(self, done: int, granules: int) -> None:
        """The job goes on where it stopped."""
        self._write(f"Restarting {self._job}: {done} of {granules} granules of rows are done")

    # --- what it estimates ------------------------------------------------------------------------------------------

    def estimating(self, method: Estimation, path: str) -> None:
        """The estimate of the rows begins; ``path``: of what."""
        self._write(f"Estimate in progress using {method} method...")
        self.processing(path)

    def estimated(self, table: QName, size_bytes: int) -> None:
        """A table's rows were estimated."""
        self._write(f".  estimated {_name_and_size(str(table), size_bytes)}")

    def total_estimate(self, method: Estimation, size_bytes: int) -> None:
        """All rows were estimated."""
        self._write(f"Total estimation using {method} method: {size_text(size_bytes)}")

    # --- what it does -----------------------------------------------------------------------------------------------

    def processing(self, path: str, worker: int | None = None) -> None:
        """Objects of one path begin."""
        self._write(f"Processing object type {path}", worker)

    def completed(self, kind: str, count: int, seconds: int, worker: int) -> None:
        """So many objects were made; shown with METRICS only."""
        if self._spec.metrics:
            self._write(f"     Completed {count} {kind} objects in {seconds} seconds", worker)

    def rows(
        self,
        verb: Literal["exported", "imported", "verified"],
        table: QName,
        size_bytes: int,
        rows: int,
        seconds: float,
        method: str,
        worker: int,
        partition: str | None = None,
    ) -> None:
        """A table's (or partition's) rows are there, or are verified: name and size in 52 columns, the count in 7."""
        name = f'{table}:"{partition}"' if partition else str(table)
        line = f". . {verb} {_name_and_size(name, size_bytes)} {rows:7d} rows"
        if self._spec.metrics:
            line += f" in {round(seconds)} seconds using {method}"
        self._write(line, worker)

    def rejected(self, rows: int, reason: str) -> None:
        """So many rows of the table that was told last were left out; ``reason``: of the first."""
        which = "" if rows == 1 else ", the first of them"
        self.error(f"{rows} row(s) were rejected{which} with the following error:", reason)

    def files(
        self, verb: Literal["exported", "imported"], table: QName, size_bytes: int, seconds: float, method: str, worker: int
    ) -> None:
        """A table's data files are there; how many rows they have, nobody has counted."""
        line = f". . {verb} {_name_and_size(str(table), size_bytes)}  data files"
        if self._spec.metrics:
            line += f" in {round(seconds)} seconds using {method}"
        self._write(line, worker)

    def message(self, text: str, worker: int | None = None) -> None:
        """A remark."""
        self._write(text, worker)

    def error(self, *lines: str, worker: int | None = None) -> None:
        """One error, told in one or several lines."""
        self.errors += 1
        for line in lines:
            self._write(line, worker)

    def loss(self, loss: Loss) -> None:
        """An entry of the loss list; under the policy ``warn`` an error of the job, too."""
        self.losses += 1
        self.errors += loss.policy == "warn"
        self._write(_LOSS.format(loss))

    def losses_of(self, losses: Iterable[Loss]) -> None:
        """Entries of the loss list that come about together: several that say the same as one sentence, with its places."""
        alike: dict[str, list[Loss]] = {}
        for loss in losses:
            alike.setdefault(loss.what, []).append(loss)
        for what, found in alike.items():
            if len(found) < _ALIKE:
                for loss in found:
                    self.loss(loss)
                continue
            self.losses += len(found)
            self.errors += sum(loss.policy == "warn" for loss in found)
            self._write("\n".join([_LOSSES.format(len(found), what), *_places(found)]))

    # --- how it ends ------------------------------------------------------------------------------------------------

    def inventory(self, inventory: Inventory) -> None:
        """What became of the source's objects; by their types with METRICS. What is missing without an error is one."""
        self._write(f"Inventory of the source's objects: {inventory.sum()}")
        if self._spec.metrics:
            for kind in inventory.kinds():
                self._write(f". . {kind:<{_KIND}} {inventory.sum(kind)}")
        for fate in (Fate.UNSUPPORTED, Fate.FAILED):
            for label in inventory.of(fate):
                self._write(f". . {fate}: {label}")
        missing = inventory.of(Fate.MISSING)
        if missing:
            self.error(str(ObjectsMissing(count=len(missing))), *(f". . missing: {label}" for label in missing))

    def dump_set(self, job: QName, files: Sequence[str]) -> None:
        """The files an export wrote."""
        self._write("*" * 78)
        self._write(f"Dump file set for {job.schema}.{job.name} is:")
        for name in files:
            self._write(f"  {name}")

    def fatal(self, error: BaseException) -> None:
        """The job ends here because of ``error``: written to LOGFILE only, since the command line shows it by itself."""
        interrupted = isinstance(error, KeyboardInterrupt | JobStopped | JobKilled)
        if not interrupted:
            known = isinstance(error, MigratorError)
            shown = error if known else InternalError(detail=f"{type(error).__name__}: {error}")
            self._to_file(f"{self._stamp('LOGFILE')}{shown}")
        self.errors += 1
        if self._job is not None:
            self.finish(self._job, "INTERRUPTED" if interrupted else "STOPPED")

    def after_all(self, error: MigratorError) -> int:
        """An error behind the last line of a job that has completed; the exit code."""
        self.error(*error.explained().split("\n"))
        return 5

    def finish(self, job: QName, state: Literal["COMPLETED", "STOPPED", "INTERRUPTED"]) -> int:
        """The last line; the exit code: 0 completed, 5 completed with errors, 1 stopped."""
        if self.losses:
            entries = "entry" if self.losses == 1 else "entries"
            self._write(f"Loss list: {self.losses} {entries}, shown above as '. . loss'")
        how, code = self._ending(state)
        now = self._clock()
        self._write(f"Job {job} {how} {now:%a %b %d %H:%M:%S %Y} elapsed {elapsed_text(now - self._started)}")
        return code

    def _ending(self, state: str) -> tuple[str, int]:
        if state == "STOPPED":
            return "stopped due to fatal error at", 1
        if state == "INTERRUPTED":
            return "stopped by user request at", 1
        if self.errors:
            return f"completed with {self.errors} error(s) at", 5
        return "successfully completed at", 0

    # --- lines ------------------------------------------------------------------------------------------------------

    def _write(self, text: str, worker: int | None = None) -> None:
        if worker is not None and self._spec.metrics:
            text = f"W-{worker} {text}"
        text = _shown(text)
        self._to_file(f"{self._stamp('LOGFILE')}{text}")
        self.sink(text)
        self.out.write(f"{self._stamp('STATUS')}{text}\n")
        self.out.flush()

    def _stamp(self, where: Literal["LOGFILE", "STATUS"]) -> str:
        if self._spec.logtime not in {where, "ALL"}:
            return ""
        now = self._clock()
        return f"{now:%d-%b-%y %H:%M:%S}.{now.microsecond // 1000:03}: ".upper()

    def _to_file(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(f"{line}\n")
        except OSError as error:
            stopped, self._file = self._file, None
            _abandon(stopped)
            self.error(str(LogFileNotWritable(path=self._spec.logfile, detail=error.strerror or str(error))))


def _shown(text: str) -> str:
    return "\n ".join(map(visible, redact(text).split("\n")))


def _places(losses: Iterable[Loss]) -> Iterator[str]:
    """Where losses are, several to a line."""
    line = ""
    for loss in losses:
        if line and len(line) + len(loss.where) >= _WIDTH:
            yield f"{line},"
            line = ""
        line = f"{line}, {loss.where}" if line else f"   {loss.where}"
    yield line


def _name_and_size(name: str, size_bytes: int) -> str:
    size = size_text(size_bytes)
    return f"{name}{size:>{max(NAME_AND_SIZE - len(name), len(size) + 1)}}"


def _create(path: Path, *, again: bool) -> TextIO:
    try:
        return files.log(path, again=again)
    except OSError as error:
        raise LogFileNotWritable(path=path, detail=error.strerror or str(error)) from error


def _abandon(stream: TextIO) -> None:
    """Close a file that takes no more: what it still buffers is lost, which the caller has reported."""
    try:
        stream.close()
    except OSError:
        return
