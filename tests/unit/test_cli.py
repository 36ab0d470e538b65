"""The command: what it prints, where, and how it exits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import setproctitle

from migrator import __version__, operations
from migrator.cli import in_process, main
from migrator.errors import MigratorError
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
        "  What to do with a table that exists: leave it, add the rows, empty it first, or drop and\n  make it again.\n"
        "  Value:   SKIP | APPEND | TRUNCATE | REPLACE\n"
        "  Default: SKIP; with CONTENT=DATA_ONLY: APPEND\n"
        "  Example: TABLE_EXISTS_ACTION=REPLACE\n"
    )


def test_help_on_a_refused_parameter_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "SAMPLE"]) == 0
    assert "Refused: it is not supported yet." in capsys.readouterr().out


def test_help_y_shows_the_clients_parameters_and_needs_no_connection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["impdp", "help=y"]) == 0
    out = capsys.readouterr().out
    assert "SQLFILE" in out
    assert "REUSE_DUMPFILES" not in out


def test_an_error_is_one_line_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expdp", "sqlite:///x.db", "PARALLEL=0"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "UDE-00014: invalid value for parameter, 'PARALLEL': '0' is no number from 1 to 9999\n"
        " Action: HELP=Y shows the values each parameter takes.\n"
    )


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "x"]) == 1
    assert capsys.readouterr().err.startswith("MIG-10001: 'export' is no command\n Action: The commands are")


def test_every_error_has_an_action_that_can_be_filled() -> None:
    """The remedy of each error is written over the same facts as its message."""

    def fields(template: str) -> set[str]:
        import string

        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(template) if name}

    def subclasses(kind: type[MigratorError]) -> list[type[MigratorError]]:
        return [kind, *(below for sub in kind.__subclasses__() for below in subclasses(sub))]

    beyond = {kind.__name__: fields(kind.action) - fields(kind.template) for kind in subclasses(MigratorError)}
    assert {name: extra for name, extra in beyond.items() if extra} == {
        "InvalidFileName": {"parameter"},
        "SchemaNotFound": {"known"},
        "ObjectPathNotFound": {"known"},
        "UnsupportedType": {"table"},
        "AccessMethodRefused": {"lift"},
        "NoAccessMethod": {"lift"},
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
