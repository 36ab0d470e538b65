"""The commands of interactive-command mode: their names, short forms and arguments."""

from __future__ import annotations

import pytest

from migrator.commands import COMMANDS, help_text, of_client, parse
from migrator.errors import InvalidValue, UnknownClientCommand


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("status", "STATUS", None),
        ("  StAtUs = 30  ", "STATUS", "30"),
        ("stat", "STATUS", None),
        ("k", "KILL_JOB", None),
        ("stop_j=imm", "STOP_JOB", "IMMEDIATE"),
        ("START=s", "START_JOB", "SKIP_CURRENT"),
        ("add_file=a.dmp, b%U.dmp", "ADD_FILE", "a.dmp, b%U.dmp"),
        ("reuse", "REUSE_DUMPFILES", None),
        ("REUSE_DUMPFILES=n", "REUSE_DUMPFILES", "NO"),
        ("PARALLEL=4", "PARALLEL", "4"),
    ],
)
def test_a_line_means_a_command(line: str, name: str, value: str | None) -> None:
    command, given = parse("expdp", line)
    assert (command.name, given) == (name, value)


@pytest.mark.parametrize("line", ["st", "stop", "s=1", "frob", "status now", "=4", "exit client", "add_file=x"])
def test_what_is_no_command_or_means_several_is_refused(line: str) -> None:
    with pytest.raises(UnknownClientCommand):
        parse("impdp", line)


@pytest.mark.parametrize("line", ["parallel", "parallel=", "help=x", "stop_job=later", "start_job=immediate", "add_file"])
def test_arguments_are_checked(line: str) -> None:
    with pytest.raises((InvalidValue, UnknownClientCommand)):
        parse("expdp", line)


def test_a_short_form_that_means_several_names_them() -> None:
    with pytest.raises(UnknownClientCommand, match="it may be STOP_JOB, STOP_WORKER"):
        parse("expdp", "stop")


def test_every_command_of_the_client_is_in_its_help_and_no_other() -> None:
    exported, imported = help_text("expdp"), help_text("impdp")
    assert all(command.usage in exported for command in COMMANDS)
    assert [c.name for c in COMMANDS if c.usage not in imported] == ["ADD_FILE", "FILESIZE", "REUSE_DUMPFILES"]
    assert len(of_client("impdp")) == len(COMMANDS) - 3
