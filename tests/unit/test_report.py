"""The job log's lines, letter by letter, and a grammar that reads logs of Data Pump and ours alike."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator import __version__
from migrator.errors import DumpFileMissing, InternalError, LogFileNotWritable
from migrator.inventory import Fate, Inventory, Item
from migrator.job.report import JobLog, elapsed_text, size_text
from migrator.model.catalog import Loss, path_of
from migrator.model.objects import QName, Schema
from migrator.spec import JobSpec
from tests.support.disk import files_end_at

JOB = QName("hr", "SYS_EXPORT_SCHEMA_01")
EMP = QName("HR", "EMPLOYEES")
START = datetime(2025, 4, 26, 7, 43, 5, 678_900)

GRAMMAR = re.compile(
    r"""
    (?:\d\d-[A-Z]{3}-\d\d[ ]\d\d:\d\d:\d\d\.\d{3}:[ ])?
    (?:W-\d+[ ])?
    (?:
        |(?:Export|Import):[ ]Release[ ][\d.]+[ ]-[ ]Production[ ]on[ ]\w{3}[ ]\w{3}[ ]\d\d[ ][\d:]{8}[ ]\d{4}
        |(?:migrator|Version)[ ][\d.]+
        |(?:Connected|Linked)[ ]to:[ ].+
        |Starting[ ]"[^"]+"\."[^"]+":[ ]{2}.+
        |Master[ ]table[ ]"[^"]+"\."[^"]+"[ ]successfully[ ](?:un)?loaded
        |Processing[ ]object[ ]type[ ][A-Z_]+(?:/[A-Z_]+)+
        |Estimate[ ]in[ ]progress[ ]using[ ](?:BLOCKS|STATISTICS)[ ]method\.\.\.
        |\.[ ]{2}estimated[ ]"[^"]+"\."[^"]+"(?::"[^"]+")?[ ]+[\d.]+[ ][KMGTP]B
        |Total[ ]estimation[ ]using[ ](?:BLOCKS|STATISTICS)[ ]method:[ ][\d.]+[ ][KMGTP]B
        |[ ]{5}Completed[ ]\d+[ ][A-Z_]+[ ]objects[ ]in[ ]\d+[ ]seconds
        |\.[ ]\.[ ](?:exported|imported)[ ]"[^"]+"\."[^"]+"(?::"[^"]+")?[ ]+[\d.]+[ ][KMGTP]B[ ]+\d+[ ]rows
         (?:[ ]in[ ]\d+[ ]seconds[ ]using[ ][a-z_]+)?
        |\.[ ]\.[ ]loss:[ ].+
        |Loss[ ]list:[ ].+
        |[A-Z]{3}-\d{5}:[ ].+
        |\*{78}
        |Dump[ ]file[ ]set[ ]for[ ]\S+[ ]is:
        |[ ]{2}/.+
        |Job[ ]"[^"]+"\."[^"]+"[ ](?:successfully[ ]completed|completed[ ]with[ ]\d+[ ]error\(s\)|stopped[ ][a-z ]+)[ ]at
         [ ]\w{3}[ ]\w{3}[ ]\d\d[ ][\d:]{8}[ ]\d{4}[ ]elapsed[ ]\d+[ ]\d\d:\d\d:\d\d
    )""",
    re.VERBOSE,
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Iterator[Callable[..., JobLog]]:
    """``log(metrics=True, …)``: an open log; its lines are in its ``out``."""
    opened = []

    def open_log(**changes: Any) -> JobLog:
        spec = replace(JobSpec("EXPORT", "SCHEMA", "x", Path("/")), **changes)
        opened.append(JobLog(spec, io.StringIO(), clock))
        return opened[-1]

    yield open_log
    for one in opened:
        one.__exit__()


def lines(log: JobLog) -> list[str]:
    assert isinstance(log.out, io.StringIO)
    return log.out.getvalue().splitlines()


def test_a_whole_export_reads_like_data_pump(log: Callable[..., JobLog], clock: Clock) -> None:
    job = log()
    job.banner(["PostgreSQL 16.4"])
    job.starting(JOB, "postgresql://hr@db1/hr SCHEMAS=hr")
    job.processing("SCHEMA_EXPORT/TABLE/TABLE")
    job.completed("TABLE", 14, 2, 1)
    job.rows("exported", EMP, 17_490, 107, 0.4, "direct_path", 1)
    job.rows("exported", QName("SH", "SALES"), 2_411_724, 69_749, 3.6, "direct_path", 2, partition="SALES_Q4_2001")
    job.master(JOB, "unloaded")
    job.dump_set(JOB, [Path("/dumps/f1_01.dmp"), Path("/dumps/f1_02.dmp")])
    clock.now += timedelta(seconds=10)
    assert job.finish(JOB, "COMPLETED") == 0
    assert lines(job) == [
        "",
        f"Export: Release {__version__} - Production on Sat Apr 26 07:43:05 2025",
        f"migrator {__version__}",
        "",
        "Connected to: PostgreSQL 16.4",
        'Starting "hr"."SYS_EXPORT_SCHEMA_01":  postgresql://hr@db1/hr SCHEMAS=hr',
        "Processing object type SCHEMA_EXPORT/TABLE/TABLE",
        '. . exported "HR"."EMPLOYEES"                            17.08 KB     107 rows',
        '. . exported "SH"."SALES":"SALES_Q4_2001"                2.300 MB   69749 rows',
        'Master table "hr"."SYS_EXPORT_SCHEMA_01" successfully unloaded',
        "*" * 78,
        "Dump file set for hr.SYS_EXPORT_SCHEMA_01 is:",
        "  /dumps/f1_01.dmp",
        "  /dumps/f1_02.dmp",
        'Job "hr"."SYS_EXPORT_SCHEMA_01" successfully completed at Sat Apr 26 07:43:15 2025 elapsed 0 00:00:10',
    ]
    assert all(GRAMMAR.fullmatch(line) for line in lines(job))


REAL_LINES = (
    "Export: Release 19.0.0.0.0 - Production on Sat Apr 26 07:43:05 2025",
    "Processing object type SCHEMA_EXPORT/TABLE/TABLE",
    "W-1      Completed 14 TABLE objects in 2 seconds",
    '. . exported "HR"."EMPLOYEES"                            17.08 KB     107 rows',
    '. . exported "SH"."SALES":"SALES_Q4_2001"                  2.3 MB   69749 rows',
    'Master table "DPUSER"."SYS_EXPORT_SCHEMA_01" successfully loaded',
    "Dump file set for DPUSER.SYS_EXPORT_SCHEMA_01 is:",
    'Job "DPUSER"."SYS_EXPORT_SCHEMA_01" successfully completed at Sat Apr 26 07:43:17 2025 elapsed 0 00:00:10',
)


@pytest.mark.parametrize("line", REAL_LINES)
def test_the_grammar_of_these_tests_reads_data_pumps_own_lines(line: str) -> None:
    assert GRAMMAR.fullmatch(line)


@given(st.text("aB$_ ", min_size=1, max_size=70), st.integers(0, 10**14), st.integers(0, 10**9))
def test_sizes_end_in_column_65_and_counts_have_seven_columns(name: str, size: int, rows: int) -> None:
    job = JobLog(JobSpec("EXPORT", "SCHEMA", "x", Path("/")), io.StringIO())
    job.rows("exported", QName("s", name), size, rows, 0, "direct_path", 1)
    (line,) = lines(job)
    assert GRAMMAR.fullmatch(line)
    if len(name) < 30:
        assert line[:65].endswith("B")
        assert line[65:] == f" {rows:7d} rows"


def test_a_long_name_pushes_the_size_to_the_right(log: Callable[..., JobLog]) -> None:
    job = log()
    job.rows("imported", QName("s", "x" * 60), 0, 1, 0, "direct_path", 1)
    assert lines(job) == [f'. . imported "s"."{"x" * 60}" 0 KB       1 rows']


def test_an_estimate_has_the_columns_of_the_rows(log: Callable[..., JobLog]) -> None:
    job = log()
    job.estimating("BLOCKS", "SCHEMA_EXPORT/TABLE/TABLE_DATA")
    job.estimated(EMP, 65_536)
    job.total_estimate("BLOCKS", 1_244_659)
    assert lines(job) == [
        "Estimate in progress using BLOCKS method...",
        "Processing object type SCHEMA_EXPORT/TABLE/TABLE_DATA",
        '.  estimated "HR"."EMPLOYEES"                               64 KB',
        "Total estimation using BLOCKS method: 1.187 MB",
    ]
    assert all(GRAMMAR.fullmatch(line) for line in lines(job))


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 KB"), (100, "0.098 KB"), (6_591, "6.437 KB"), (17_490, "17.08 KB"), (142_848, "139.5 KB"),
     (1_047_552, "1023 KB"),
     (1_048_473, "1.000 MB"), (31_037_849, "29.60 MB"), (65_536, "64 KB"), (36_352 << 20, "35.50 GB"), (5 << 40, "5 TB")],
)  # fmt: skip
def test_sizes_have_four_significant_digits_but_for_whole_ones(size: int, text: str) -> None:
    assert size_text(size) == text


def test_elapsed_time_has_days() -> None:
    assert elapsed_text(timedelta(days=2, hours=3, minutes=4, seconds=5, microseconds=999_999)) == "2 03:04:05"


# --- METRICS and LOGTIME


def test_metrics_name_worker_seconds_and_method(log: Callable[..., JobLog]) -> None:
    job = log(metrics=True)
    job.processing("SCHEMA_EXPORT/TABLE/TABLE", worker=1)
    job.completed("TABLE", 14, 2, 1)
    job.rows("exported", EMP, 17_490, 107, 0.4, "direct_path", 3)
    assert lines(job) == [
        "W-1 Processing object type SCHEMA_EXPORT/TABLE/TABLE",
        "W-1      Completed 14 TABLE objects in 2 seconds",
        'W-3 . . exported "HR"."EMPLOYEES"                            17.08 KB     107 rows in 0 seconds using direct_path',
    ]


@pytest.mark.parametrize(
    ("logtime", "on_terminal", "in_file"),
    [("NONE", False, False), ("STATUS", True, False), ("LOGFILE", False, True), ("ALL", True, True)],
)
def test_logtime_stamps_the_terminal_the_file_or_both(
    logtime: str, on_terminal: bool, in_file: bool, log: Callable[..., JobLog], tmp_path: Path
) -> None:
    job = log(logtime=logtime, logfile=tmp_path / "x.log")
    job.message("hello")
    stamp = "26-APR-25 07:43:05.678: "
    assert lines(job) == [(stamp if on_terminal else "") + "hello"]
    assert (tmp_path / "x.log").read_text() == (stamp if in_file else "") + "hello\n"


# --- errors, losses, endings


def test_an_error_of_several_lines_counts_once(log: Callable[..., JobLog]) -> None:
    job = log()
    job.error("ORA-39083: Object type INDEX failed to create with error:", "MIG-30001: no")
    assert job.finish(JOB, "COMPLETED") == 5
    assert 'Job "hr"."SYS_EXPORT_SCHEMA_01" completed with 1 error(s) at' in lines(job)[-1]


def test_losses_are_listed_and_counted_apart_from_errors(log: Callable[..., JobLog]) -> None:
    job = log()
    job.loss(Loss('TABLE:"hr"."emp"', "type-year", "becomes a number", "born", 12))
    assert job.finish(JOB, "COMPLETED") == 0
    assert lines(job)[:2] == [
        '. . loss: TABLE:"hr"."emp"."born": becomes a number (12 rows) [type-year]',
        "Loss list: 1 entry, shown above as '. . loss'",
    ]


def clocks(*tables: str) -> list[Loss]:
    return [Loss(f'TABLE:"hr"."{table}"', "clock", "is cut off", "at") for table in tables]


def test_losses_that_say_the_same_are_told_as_one_sentence_with_its_places(log: Callable[..., JobLog]) -> None:
    job, other = log(), Loss('TABLE:"hr"."emp"', "type-year", "becomes a number", "born", 12)
    job.losses_of([*clocks("a", "b"), other, *clocks("c", "d" * 90, "e")])
    assert job.finish(JOB, "COMPLETED") == 0
    assert lines(job)[:5] == [
        ". . loss in 5 places: is cut off [clock]",
        '    TABLE:"hr"."a"."at", TABLE:"hr"."b"."at", TABLE:"hr"."c"."at",',
        f'    TABLE:"hr"."{"d" * 90}"."at",',
        '    TABLE:"hr"."e"."at"',
        '. . loss: TABLE:"hr"."emp"."born": becomes a number (12 rows) [type-year]',
    ]
    assert lines(job)[5] == "Loss list: 6 entries, shown above as '. . loss'"


def test_some_losses_that_say_the_same_are_told_one_by_one(log: Callable[..., JobLog]) -> None:
    job = log()
    job.losses_of(clocks("a", "b", "c"))
    assert [line.startswith(". . loss: TABLE:") for line in lines(job)] == [True] * 3


def test_every_loss_of_a_sentence_that_is_to_be_warned_of_is_an_error(log: Callable[..., JobLog]) -> None:
    job = log()
    job.losses_of(replace(loss, policy="warn") for loss in clocks("a", "b", "c", "d"))
    assert (job.losses, job.errors) == (4, 4)


def test_the_inventory_is_one_line_and_with_metrics_one_for_each_type(log: Callable[..., JobLog]) -> None:
    whole = Inventory(((Item("TABLE", "a"), Fate.MOVED), (Item("VIEW", "VIEW:v"), Fate.FAILED)))
    job, wordy = log(), log(metrics=True)
    job.inventory(whole)
    assert lines(job) == ["Inventory of the source's objects: 2 = 1 moved + 1 failed", ". . failed: VIEW:v"]
    assert job.finish(JOB, "COMPLETED") == 0, "what failed was an error of its own"
    wordy.inventory(whole)
    assert lines(wordy)[1:3] == [". . TABLE             1 = 1 moved", ". . VIEW              1 = 1 failed"]


def test_an_inventory_that_does_not_add_up_is_an_error(log: Callable[..., JobLog]) -> None:
    job = log()
    job.inventory(Inventory(((Item("VIEW", "VIEW:v"), Fate.MISSING),)))
    assert lines(job)[1:] == [
        "MIG-20009: the inventory does not add up: 1 object(s) of the source are missing at the target",
        ". . missing: VIEW:v",
    ]
    assert job.finish(JOB, "COMPLETED") == 5


@pytest.mark.parametrize(
    ("error", "in_file", "words"),
    [
        (DumpFileMissing(path="x.dmp", detail="gone"), "ORA-31640: unable to open dump", "stopped due to fatal error at"),
        (
            RuntimeError("boom"),
            "ORA-39126: Worker unexpected fatal error: RuntimeError: boom",
            "stopped due to fatal error at",
        ),
        (KeyboardInterrupt(), "", "stopped by user request at"),
    ],
    ids=["an error", "a defect", "Ctrl-C"],
)
def test_a_job_that_stops_says_why(
    error: BaseException, in_file: str, words: str, log: Callable[..., JobLog], tmp_path: Path
) -> None:
    job = log(logfile=tmp_path / "x.log")
    job.starting(JOB, "x")
    job.fatal(error)
    assert in_file in (tmp_path / "x.log").read_text()
    assert words in lines(job)[-1]
    assert len(lines(job)) == 2, "the command line shows the error by itself"


def test_a_job_that_never_started_has_no_last_line(log: Callable[..., JobLog]) -> None:
    job = log()
    job.fatal(InternalError(detail="boom"))
    assert lines(job) == []


def test_a_stopped_job_exits_with_1(log: Callable[..., JobLog]) -> None:
    assert log().finish(JOB, "STOPPED") == 1


# --- the file


def test_the_file_says_what_the_terminal_says(log: Callable[..., JobLog], tmp_path: Path) -> None:
    job = log(logfile=tmp_path / "x.log")
    job.banner(["A", "B"])
    job.message("ünïcode \udcff")
    job.__exit__()
    assert (tmp_path / "x.log").read_text("utf-8").splitlines() == [line.replace("\udcff", "\\udcff") for line in lines(job)]
    assert lines(job)[-3:-1] == ["Connected to: A", "Linked to: B"]


def test_an_older_log_is_overwritten(log: Callable[..., JobLog], tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("old")
    log(logfile=tmp_path / "x.log")
    assert (tmp_path / "x.log").read_text() == ""


def test_a_log_that_cannot_be_opened_is_refused(log: Callable[..., JobLog], tmp_path: Path) -> None:
    with pytest.raises(LogFileNotWritable, match=r"ORA-39070: Unable to open the log file .*Is a directory"):
        log(logfile=tmp_path)


def test_a_log_on_a_full_disk_is_an_error_of_the_job_not_its_end(log: Callable[..., JobLog], tmp_path: Path) -> None:
    job = log(logfile=tmp_path / "x.log")
    with files_end_at(0):
        job.message("one")
        job.message("two")
    assert lines(job)[0] == f'ORA-39070: Unable to open the log file "{tmp_path}/x.log": File too large'
    assert lines(job)[1:] == ["one", "two"]
    assert job.finish(JOB, "COMPLETED") == 5


def test_passwords_never_reach_the_log(log: Callable[..., JobLog], tmp_path: Path) -> None:
    job = log(logfile=tmp_path / "x.log")
    job.starting(JOB, "postgresql://hr:s3cret@db1/hr")
    job.error("cannot connect: password=s3cret")
    assert "s3cret" not in "".join(lines(job)) + (tmp_path / "x.log").read_text()


def test_a_name_fakes_no_line(log: Callable[..., JobLog]) -> None:
    job = log(metrics=True)
    name = 'a"b\nJob "hr"."x" successfully completed\r\x1b[2J'
    job.rows("exported", QName("hr", name), 1024, 1, 0, "direct_path", 1)
    job.loss(Loss(path_of(Schema(name)), "rule", "detail", name))
    job.message(f"remark on {name}")
    job.error("ORA-39083: failed:", "CREATE TABLE t (\n  a int\n)")
    assert r'"hr"."a""b\nJob ""hr"".""x"" successfully completed\r\x1b[2J"' in lines(job)[0]
    assert not any(line.startswith("Job") or "\r" in line or "\x1b" in line for line in lines(job))
    assert lines(job)[-3:] == ["CREATE TABLE t (", "   a int", " )"]
