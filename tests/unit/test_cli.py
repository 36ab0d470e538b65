"""The command: what it prints, where, and how it exits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import setproctitle

from migrator import __version__, operations, reference
from migrator.cli import _COMMANDS, _hide_warnings, in_process, main
from migrator.errors import MigratorError, UnknownCommand
from migrator.spec import JobSpec


@pytest.fixture(autouse=True)
def _without_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MIGRATOR_CONFIG", raising=False)
    monkeypatch.delenv("MIGRATOR_TRACE", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"migrator {__version__}\n"


def test_warnings_of_libraries_are_not_shown_to_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", [])
    monkeypatch.setenv("PYTHONWARNINGS", "")
    monkeypatch.delenv("PYTHONWARNINGS")
    with warnings.catch_warnings(record=True) as told:
        _hide_warnings()
        warnings.warn("a type that a library does not know", stacklevel=1)
    assert told == []
    assert os.environ["PYTHONWARNINGS"] == "ignore"


def test_nothing_shows_the_usage_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "migrator expdp CONNECTION" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["help", "--help", "-h", "HELP"])
def test_help_lists_both_clients_parameters(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 0
    out = capsys.readouterr().out
    assert "Export (expdp)" in out
    assert "Import (impdp)" in out


def test_help_on_one_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "table_exists_action"]) == 0
    assert capsys.readouterr().out == (
        "TABLE_EXISTS_ACTION (impdp)\n"
        "  What to do with a table that exists: leave it, add the rows, empty it first, or drop and\n  make it again."
        " When rows came in, identities and serial columns of PostgreSQL go on after\n"
        "  the last value, unless they stand beyond it; a sequence that no column owns stays where it\n"
        "  is, and the loss list says so.\n"
        "  Value:   SKIP | APPEND | TRUNCATE | REPLACE\n"
        "  Default: SKIP; with CONTENT=DATA_ONLY: APPEND\n"
        "  Example: TABLE_EXISTS_ACTION=REPLACE\n"
    )


def test_help_on_a_refused_parameter_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "SAMPLE"]) == 0
    assert "Refused: it is not supported yet." in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["help=y", "--help", "-h"])
def test_help_y_shows_the_clients_parameters_and_needs_no_connection(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["impdp", asked]) == 0
    out = capsys.readouterr().out
    assert "SQLFILE" in out
    assert "REUSE_DUMPFILES" not in out


def test_an_error_is_one_line_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expdp", "sqlite:///x.db", "PARALLEL=0"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "UDE-00014: invalid value for parameter, 'PARALLEL': '0' is no number from 1 to 9999\n"
        " Action: migrator help PARALLEL shows what it takes.\n"
    )


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "x"]) == 1
    assert capsys.readouterr().err.startswith("MIG-10001: 'export' is no command\n Action: The commands are")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bogus"], "unknown option '--bogus'"),
        (["--versoin"], "unknown option '--versoin' (the nearest: --version)"),
        (["impdp", "--bogus"], "unknown option '--bogus'"),
        (["impdp", "sqlite:///x.db", "--tables=hr.emp"], "unknown option '--tables=hr.emp' (the nearest: TABLES=)"),
        (["plan", "impdp", "sqlite:///x.db", "--jsn"], "unknown option '--jsn' (the nearest: --json)"),
        (["verify", "sqlite:///x.db", "--format", "json"], "unknown option '--format' (the nearest: --format=)"),
        (["refresh", "sqlite:///x.db", "--remov"], "unknown option '--remov' (the nearest: --remove)"),
        (["jobs", "-v"], "unknown option '-v'"),
        (["expdp", "sqlite:///x.db", "TABELS=a"], "unknown parameter name 'TABELS' (the nearest: TABLES)"),
    ],
)
def test_what_is_no_option_is_refused_with_the_nearest(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"LRM-00101: {message}\n Action: ")


def test_the_commands_that_are_offered_are_all_there_are() -> None:
    offered = set(re.findall(r"[a-z]+(?:-[a-z]+)*", UnknownCommand.action))
    assert {name for name in _COMMANDS if not name.startswith("-")} <= offered


def test_help_without_a_command_is_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["HELP=Y"]) == 0
    assert capsys.readouterr().out == reference.overview()


@pytest.mark.parametrize("command", ["plan", "refresh", "jobs", "dumpinfo", "renames", "retry-rejects", "help"])
def test_help_of_a_command_shows_how_it_is_used(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "help=yes"]) == 0
    out = capsys.readouterr().out
    assert out
    assert all(line.startswith(f"migrator {command} ") for line in out.splitlines())


@pytest.mark.parametrize(
    ("argument", "name", "shown"),
    [
        (b"DUMPFILE=gr\xf6.dmp", "DUMPFILE", "DUMPFILE=gr\\xf6.dmp"),
        (b"tables=gr\xf6", "TABLES", "tables=gr\\xf6"),
        (b"QUERY=t:WHERE a = '\xf6'", "QUERY", "'\\xf6'"),
        (b"sqlite:///gr\xf6.db", "connection", "sqlite:///gr\\xf6.db"),
        (b"ENCRYPTION_PASSWORD=hush\xf6", "ENCRYPTION_PASSWORD", "ENCRYPTION_PASSWORD=********"),
    ],
)
def test_an_argument_that_is_no_text_is_refused_by_name(
    argument: bytes, name: str, shown: str, tmp_path: Path, state_home: Path
) -> None:
    """Through a process: its title, from which passwords are taken, is part of the matter."""
    command = [sys.executable.encode(), b"-m", b"migrator", b"expdp", b"sqlite:///x.db", argument]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith(f"UDE-00014: invalid value for parameter, '{name}': ")
    assert shown in run.stderr
    assert "hush" not in run.stderr


def test_letters_that_the_locale_does_not_have_are_refused_by_name(tmp_path: Path) -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    (tmp_path / "x.par").write_text("DUMPFILE=gr\u00f6.dmp\n", encoding="utf-8")
    (tmp_path / "u.par").write_text("USERID=sqlite:///gr\u00f6.db\n", encoding="utf-8")
    for argument, code, word in (
        ("TABLES=gr\u00f6", "UDE-00014", "'TABLES'"),
        ("PARFILE=x.par", "UDE-00014", "'DUMPFILE'"),
        ("PARFILE=u.par", "MIG-12154", "database file"),
    ):
        words = [] if argument == "PARFILE=u.par" else [b"sqlite:///x.db"]
        command = [sys.executable.encode(), b"-m", b"migrator", b"expdp", *words, argument.encode()]
        run = subprocess.run(command, capture_output=True, check=False, env=plain)
        assert run.stderr.startswith(code.encode()), run.stderr
        assert word.encode() in run.stderr
        assert b"ascii" in run.stderr


@pytest.mark.parametrize("arguments", [["help"], ["--version"], ["expdp", "HELP=Y"], ["jobs"]])
def test_an_output_that_takes_no_more_is_said_so(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "migrator", *arguments]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("MIG-12164: the standard output cannot be written: No space left on device\n Action: ")
    assert run.stderr.count("\n") == 2


@pytest.mark.parametrize("arguments", [["help"], ["jobs"]])
def test_an_output_that_is_closed_is_said_so(arguments: list[str]) -> None:
    run = without(">&-", *arguments)
    assert run.returncode == 1
    assert run.stderr.startswith("MIG-12164: the standard output cannot be written: Bad file descriptor\n Action: ")
    assert run.stderr.count("\n") == 2


def test_where_the_standard_error_and_input_are_closed_the_output_is_as_ever() -> None:
    run = without("2>&- <&-", "--version")
    assert (run.returncode, run.stdout) == (0, f"migrator {__version__}\n")


def test_where_all_streams_are_closed_the_exit_code_says_how_it_ended() -> None:
    assert without("<&- >&- 2>&-", "nonsense").returncode == 1


def without(closing: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does that closes its streams."""
    command = ["sh", "-c", f'exec "$@" {closing}', "sh", sys.executable, "-m", "migrator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def subclasses(kind: type[MigratorError]) -> list[type[MigratorError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in subclasses(sub))]


def test_a_code_of_ours_means_one_error() -> None:
    """Data Pump's own codes stand for what they stand for there, which may be several errors."""
    ours = [kind.code for kind in subclasses(MigratorError) if "code" in vars(kind) and kind.code.startswith("MIG-")]
    assert len(ours) > 20
    assert {code for code in ours if ours.count(code) > 1} == set()


def test_every_error_has_an_action_that_can_be_filled() -> None:
    """The remedy of each error is written over the same facts as its message."""

    def fields(template: str) -> set[str]:
        import string

        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(template) if name}

    beyond = {kind.__name__: fields(kind.action) - fields(kind.template) for kind in subclasses(MigratorError)}
    assert {name: extra for name, extra in beyond.items() if extra} == {
        "InvalidFileName": {"parameter"},
        "SchemaNotFound": {"known"},
        "ObjectPathNotFound": {"known"},
        "UnsupportedType": {"table"},
        "StoredOtherwise": {"table", "others"},
        "AccessMethodRefused": {"lift"},
        "DataFileCopyRefused": {"lift"},
        "NoAccessMethod": {"lift"},
        "CheckBroken": {"check"},
        "RenameMapOutdated": {"definitions"},
    }


# --- what the job makes of it


def running(monkeypatch: pytest.MonkeyPatch, outcome: int | BaseException) -> None:
    """Stand in for the job itself; the command around it is what these tests are about."""

    def run(*_: object) -> int:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(operations, "run", run)


@pytest.mark.parametrize("code", [0, 5, 1])
def test_the_exit_code_is_the_jobs(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, code)
    assert main(["expdp", "sqlite:///x.db"], in_process) == code


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    running(monkeypatch, KeyboardInterrupt())
    assert main(["expdp", "sqlite:///x.db"], in_process) == 1
    assert capsys.readouterr().err.startswith("ORA-31625: expdp was stopped by the user\n")


def test_a_defect_is_one_line_that_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running(monkeypatch, RuntimeError("lost\npassword=hunter2"))
    assert main(["expdp", "sqlite:///x.db"], in_process) == 1
    err = capsys.readouterr().err
    assert err.startswith("ORA-39126: Worker unexpected fatal error: RuntimeError: lost password=********\n Action: ")
    assert "Traceback" not in err


def test_a_trace_is_shown_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    running(monkeypatch, RuntimeError("boom"))
    monkeypatch.setenv("MIGRATOR_TRACE", "1")
    assert main(["expdp", "sqlite:///x.db"], in_process) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_configured_connection_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text(f'[connections.hr]\nurl = "sqlite:///{tmp_path}/none.db"\n')
    monkeypatch.setenv("MIGRATOR_CONFIG", str(tmp_path / "c.toml"))
    seen = {}

    def run(spec: JobSpec, resolve: operations.Resolve, *_: object) -> int:
        seen["url"] = resolve(spec.connection)
        return 0

    monkeypatch.setattr(operations, "run", run)
    assert main(["expdp", "hr"], in_process) == 0
    assert seen["url"].database == f"{tmp_path}/none.db"


# --- passwords and processes


@pytest.mark.parametrize(
    "arguments",
    [["expdp", "postgresql://u:hunter2@h/d"], ["impdp", "sqlite:///x.db", "Network_Link=mysql://u:hunter 2@h/d"]],
)
def test_the_process_list_shows_no_password(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(setproctitle, "setproctitle", titles.append)
    monkeypatch.setattr(sys, "argv", ["migrator", *arguments])
    running(monkeypatch, 0)
    assert main(run=in_process) == 0
    assert [title.startswith("migrator ") for title in titles] == [True]
    assert "hunter" not in titles[0]


def test_a_command_without_a_password_keeps_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(setproctitle, "setproctitle", titles.append)
    monkeypatch.setattr(sys, "argv", ["migrator", "--version"])
    assert main() == 0
    assert titles == []


def test_python_m_migrator_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "migrator", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"migrator {__version__}\n"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m migrator help --markdown | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_database_libraries_are_loaded_only_when_they_are_needed() -> None:
    modules = "migrator.cli, migrator.params, migrator.job.launch"
    code = f"import sys, {modules}; print([name for name in ('sqlalchemy', 'pyarrow', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
