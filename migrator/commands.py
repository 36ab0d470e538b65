"""The commands of interactive-command mode, one row each; parser, HELP and the page of docs/ come from them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from migrator.errors import InvalidArgument, UnknownClientCommand
from migrator.params import BOTH, EXPDP, Client

PROMPTS: dict[Client, str] = {"expdp": "Export> ", "impdp": "Import> "}
SURE = "Are you sure you wish to stop this job ([yes]/no): "


@dataclass(frozen=True)
class Command:
    """One command. ``argument`` shows what follows the name, in brackets what may be left out; ``choices``: all it takes."""

    name: str
    clients: frozenset[Client]
    argument: str
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The command as it is typed."""
        return f"{self.name}{self.argument}"


COMMANDS = (
    Command(
        "ADD_FILE",
        EXPDP,
        "=[directory:]file[, …]",
        "Add files or templates to the dump file set; a stopped job takes them when it is started again.",
    ),
    Command("CONTINUE_CLIENT", BOTH, "", "Return to logging mode; a job that is stopped is started again."),
    Command("EXIT_CLIENT", BOTH, "", "Leave the client; the job goes on."),
    Command("FILESIZE", EXPDP, "=size", "The greatest size of files that ADD_FILE adds from now on: bytes, or K, M, G, T."),
    Command("HELP", BOTH, "", "List the commands."),
    Command("KILL_JOB", BOTH, "", "End the job for good: its master table is dropped, an export's dump files are deleted."),
    Command(
        "PARALLEL",
        BOTH,
        "=number",
        "The most workers at work, where the job has windows until the next begins or ends; workers too many end what they "
        "are doing first.",
    ),
    Command(
        "REUSE_DUMPFILES", EXPDP, "[=YES | NO]", "Whether ADD_FILE overwrites files that exist, from now on.", ("YES", "NO")
    ),
    Command(
        "START_JOB",
        BOTH,
        "[=SKIP_CURRENT]",
        "Start a stopped job again where it stopped; SKIP_CURRENT leaves out what was in progress, and says what.",
        ("SKIP_CURRENT",),
    ),
    Command(
        "STATUS",
        BOTH,
        "[=seconds]",
        "Show the job and its workers; with a number, in logging mode too, at that interval (0: never).",
    ),
    Command(
        "STOP_JOB",
        BOTH,
        "[=IMMEDIATE]",
        "Stop the job when the workers have ended what they are doing; IMMEDIATE: at once, to be done again on START_JOB.",
        ("IMMEDIATE",),
    ),
    Command("STOP_WORKER", BOTH, "=number", "End one worker at once; what it was doing is done again by another."),
)
"""All commands, by name."""

_LINE = re.compile(r"\s*(?P<name>[A-Za-z_]+)\s*(?:=\s*(?P<value>.*\S))?\s*", re.DOTALL)


def of_client(client: Client) -> tuple[Command, ...]:
    """The commands that one client has."""
    return tuple(command for command in COMMANDS if client in command.clients)


def parse(client: Client, line: str) -> tuple[Command, str | None]:
    """The command on a line, and its argument; None: there is none.

    :raises UnknownClientCommand: it is none, or its short form means several.
    :raises InvalidArgument: the argument is missing, or one too many, or not one that the command takes.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise UnknownClientCommand(name=line.strip(), hint="")
    command = _named(client, match["name"].upper())
    value: str | None = match["value"]
    if value is None and command.argument.startswith("="):
        raise InvalidArgument(name=command.name, detail=f"no value is given; it is {command.usage}")
    if value is not None and not command.argument:
        raise InvalidArgument(name=command.name, detail="it takes no value")
    if value is not None and command.choices:
        value = _choice(command, value.upper())
    return command, value


def _named(client: Client, name: str) -> Command:
    found = [command for command in of_client(client) if command.name.startswith(name)]
    exact = [command for command in found if command.name == name]
    if len(exact or found) != 1:
        hint = f" (it may be {', '.join(command.name for command in found)})" if found else ""
        raise UnknownClientCommand(name=name, hint=hint)
    return (exact or found)[0]


def _choice(command: Command, word: str) -> str:
    found = [choice for choice in command.choices if choice.startswith(word)]
    if len(found) != 1:
        raise InvalidArgument(name=command.name, detail=f"'{word}' is none of {', '.join(command.choices)}")
    return found[0]


def help_text(client: Client) -> str:
    """What HELP shows: each command and its meaning."""
    lines = ["", "Names of commands may be cut short as long as they mean one only.", ""]
    for command in of_client(client):
        lines += textwrap.wrap(command.meaning, 115, initial_indent=f"{command.usage:32} ", subsequent_indent=" " * 33)
    return "\n".join(lines) + "\n"
