"""The command: ``migrator expdp``, ``migrator impdp``, ``migrator help``. Exit codes 0, 5 and 1, as Data Pump's clients.

Modules that load database libraries are imported when they are needed: a password in the arguments must be hidden from the
process list before anything slow happens.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import cast

import setproctitle

from migrator.errors import (
    InternalError,
    Interrupted,
    MigratorError,
    UnknownCommand,
    UnknownParameter,
    mask,
    mask_argument,
    redact,
)

FAILURE = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (without the program's name; None: the process's own); the exit code."""
    if arguments is None:
        arguments = sys.argv[1:]
        hide_passwords(arguments)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the job cleans up behind itself
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except MigratorError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail(Interrupted(job=arguments[0]))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:
        return _fail(InternalError(detail=redact(f"{type(error).__name__}: {error}")), error)


def hide_passwords(arguments: Sequence[str]) -> None:
    """Take passwords out of the title that the process list shows, if there are any."""
    shown = [mask_argument(argument) for argument in arguments]
    if shown != list(arguments):
        setproctitle.setproctitle(" ".join(["migrator", *shown]))


def _fail(error: MigratorError, cause: BaseException | None = None) -> int:
    if os.environ.get("MIGRATOR_TRACE") == "1":
        import traceback

        traceback.print_exception(cause or error)
    print(" ".join(str(error).split("\n")), file=sys.stderr)
    action = redact(error.action.format(**error.facts)) if error.action else ""
    if action:
        print(f" Action: {action}", file=sys.stderr)
    return FAILURE


def _run(arguments: Sequence[str]) -> int:
    if not arguments:
        _help([])
        return FAILURE
    command, *rest = arguments
    if command.lower() not in _COMMANDS:
        raise UnknownCommand(name=mask(command))
    return _COMMANDS[command.lower()](rest)


def _expdp(arguments: Sequence[str]) -> int:
    return _client("expdp", arguments)


def _impdp(arguments: Sequence[str]) -> int:
    return _client("impdp", arguments)


def _client(client: str, arguments: Sequence[str]) -> int:
    from migrator import command_line, config, console, params, reference

    which = cast(params.Client, client)
    request = params.parse(which, arguments)
    if request.flag("HELP"):
        print(reference.client_help(which), end="")
        return 0
    settings = config.load()
    spec = command_line.from_request(which, request, settings, arguments)
    from migrator import operations

    with console.terminal(sys.stdout, sys.stderr) as (out, progress):
        return operations.run(spec, settings.resolve, out, progress)


def _help(arguments: Sequence[str]) -> int:
    from migrator import reference

    if "--markdown" in arguments:
        for name in [word for word in arguments if word != "--markdown"] or ["parameters"]:
            if name not in reference.PAGES:
                raise UnknownParameter(name=name, hint=f" (pages: {', '.join(reference.PAGES)})")
            print(reference.PAGES[name](), end="")
    elif arguments:
        print("\n".join(reference.parameter_help(name) for name in arguments), end="")
    else:
        print(reference.overview(), end="")
    return 0


def _version(_: Sequence[str]) -> int:
    from migrator import __version__

    print(f"migrator {__version__}")
    return 0


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "expdp": _expdp,
    "impdp": _impdp,
    "help": _help,
    "--help": _help,
    "-h": _help,
    "--version": _version,
}
