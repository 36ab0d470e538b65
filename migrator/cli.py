"""The command: ``migrator expdp``, ``impdp``, ``plan``, ``verify``, ``refresh``, ``jobs``, ``dumpinfo``, ``renames``,
``retry-rejects``, ``help``.

Exit codes are 0, 5 and 1.

Modules that load database libraries are imported when they are needed: a password in the arguments must be hidden from the
process list before anything slow happens.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import setproctitle

from migrator.errors import (
    ConflictingParameters,
    InternalError,
    Interrupted,
    InvalidFormat,
    MigratorError,
    MissingFile,
    MissingRejectFile,
    NotText,
    UnknownCommand,
    UnknownOption,
    UnknownParameter,
    is_text,
    mask,
    mask_argument,
    nearest,
    redact,
)

if TYPE_CHECKING:
    from migrator.client import ClientSession, Prompt
    from migrator.config import Config, Secrets
    from migrator.params import Client, Request
    from migrator.spec import JobSpec

FAILURE = 1
_WANTS_HELP = re.compile(r"HELP\s*=\s*Y(?:ES)?|--help|-h", re.IGNORECASE)


def _hide_warnings() -> None:
    """Python's warnings are about this program's source: they tell its users nothing, here and in processes of the job."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")


def main(arguments: Sequence[str] | None = None, run: Run | None = None) -> int:
    """Run the command line (without the program's name; None: the process's own); the exit code.

    ``run`` runs jobs; None: :func:`in_own_process`.
    """
    if arguments is None:
        from migrator import console

        arguments = sys.argv[1:]
        hide_passwords(arguments)
        console.open_closed()
        _hide_warnings()
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="surrogateescape")  # a command with such bytes is refused as an argument is
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        _check_text(arguments)
        return _run(arguments, run or in_own_process)
    except MigratorError as error:
        return _fail(error, client=_client_of(arguments))
    except KeyboardInterrupt:
        return _fail(Interrupted(job=arguments[0]))
    except BrokenPipeError:
        from migrator import console

        console.discard(sys.stdout)
        return FAILURE
    except Exception as error:
        return _fail(InternalError(detail=redact(f"{type(error).__name__}: {error}")), error)


def hide_passwords(arguments: Sequence[str]) -> None:
    """Take passwords out of the title that the process list shows, if there are any."""
    shown = [mask_argument(argument) for argument in arguments]
    if shown != list(arguments):
        title = " ".join(["migrator", *shown])
        setproctitle.setproctitle(title.encode(errors="backslashreplace").decode())


def _check_text(arguments: Sequence[str]) -> None:
    """:raises NotText: an argument has bytes that are no text, and so could be neither compared nor recorded."""
    for argument in arguments:
        if not is_text(argument):
            name, equals, _ = argument.partition("=")
            shown = os.fsencode(mask_argument(argument)).decode(errors="backslashreplace")
            parameter = name.strip().upper() if equals and "://" not in name and is_text(name) else "connection"
            raise NotText(name=parameter, shown=shown, encoding=sys.getfilesystemencoding())


def _client_of(arguments: Sequence[str]) -> str:
    """The client whose command line it is: ``migrator plan`` takes that of either, ``migrator verify`` an import's."""
    command, of_plan, *_ = (*(word.lower() for word in arguments[:2]), "", "")
    return {"plan": of_plan, "verify": "impdp", "refresh": "impdp"}.get(command, command)


def _fail(error: MigratorError, cause: BaseException | None = None, client: str = "") -> int:
    if os.environ.get("MIGRATOR_TRACE") == "1":
        import traceback

        traceback.print_exception(cause or error)
    print(error.explained(client), file=sys.stderr)
    return FAILURE


def _run(arguments: Sequence[str], run: Run) -> int:
    if not arguments:
        _help([], run)
        return FAILURE
    command, *rest = arguments
    name = command.lower()
    if name not in _COMMANDS and _WANTS_HELP.fullmatch(command):
        return _help([], run)
    if name not in _COMMANDS and command.startswith("-"):
        raise UnknownOption(name=mask_argument(command), hint=nearest(name, (word for word in _COMMANDS if "--" in word)))
    if name not in _COMMANDS:
        raise UnknownCommand(name=mask(command))
    if any(map(_WANTS_HELP.fullmatch, rest)):
        return _COMMANDS[name](["HELP=Y"], run) if name in {"expdp", "impdp"} else _usage(name)
    _check_options(name, rest)
    return _COMMANDS[name](rest, run)


_PRINTED = ("--json", "--format=")
_OPTIONS: dict[str, tuple[str, ...]] = {
    "plan": _PRINTED,
    "verify": _PRINTED,
    "renames": _PRINTED,
    "refresh": ("--plan", "--remove"),
    "help": ("--markdown",),
}
"""The options of commands, besides --help; all else that a command takes are words and parameters."""


def _check_options(command: str, words: Sequence[str]) -> None:
    """:raises UnknownOption: a word begins as an option does, and the command has no such."""
    from migrator import params

    options = (*_OPTIONS.get(command, ()), "--help")
    for word in words:
        name = "".join(word.partition("=")[:2])
        if word.startswith("-") and name.lower() not in options:
            known = (*options, *(f"{parameter}=" for parameter in params.NAMES))
            raise UnknownOption(name=mask_argument(word), hint=nearest(name, known))


def _expdp(arguments: Sequence[str], run: Run) -> int:
    return _client("expdp", arguments, run)


def _impdp(arguments: Sequence[str], run: Run) -> int:
    return _client("impdp", arguments, run)


def _client(client: Client, arguments: Sequence[str], run: Run) -> int:
    from migrator import params

    request = params.parse(client, arguments)
    if request.flag("HELP"):
        from migrator import console, reference

        console.say(reference.client_help(client), end="")
        return 0
    if "ATTACH" in request:
        from migrator import config, interactive

        return interactive.attach(client, request, config.load())
    _check_no_profile(request)
    return run(client, request, arguments)


def _check_no_profile(request: Request) -> None:
    """:raises ConflictingParameters: the rows are to be looked at, which only a plan does."""
    if request.flag("PROFILE"):
        raise ConflictingParameters(detail="PROFILE=YES is for migrator plan, which moves nothing")


# --- where jobs run ---------------------------------------------------------------------------------------------------


def in_own_process(client: Client, request: Request, arguments: Sequence[str]) -> int:
    """Run a job in a process of its own and be its client; the exit code. A script is written in this process."""
    if "SQLFILE" in request:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no half file stays
        return in_process(client, request, arguments)
    from migrator.job.launch import JobProcess, Order

    with JobProcess() as process:  # loads libraries while this one reads the request
        settings, spec, secrets = _order(client, request, arguments)
        order = Order(spec, settings.urls(spec.connection, spec.network_link), secrets)
        pressed: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))  # the job has its order: it is not undone
        process.send(order)
        from migrator import command_line
        from migrator.client import ClientSession

        every = command_line.seconds(request.one("STATUS") or "0")
        session = ClientSession(client, settings, secrets, order.urls[spec.connection], process, every, _prompt)
        session.pressed = pressed
        return session.run("LOG")


def _prompt(session: ClientSession) -> Prompt:
    from migrator import interactive

    return interactive.Prompt(session)


def in_process(client: Client, request: Request, arguments: Sequence[str]) -> int:
    """Run a job in this process; the exit code."""
    settings, spec, secrets = _order(client, request, arguments)
    from migrator import console, operations

    urls = settings.urls(spec.connection, spec.network_link)
    with console.terminal(sys.stdout, sys.stderr) as (out, progress):
        return operations.run(spec, urls.__getitem__, out, progress, secrets)


def _order(client: Client, request: Request, arguments: Sequence[str]) -> tuple[Config, JobSpec, Secrets]:
    from migrator import command_line, config

    settings = config.load()
    spec = command_line.from_request(client, request, settings, arguments)
    return settings, spec, command_line.secrets(request, settings)


# --- other commands ---------------------------------------------------------------------------------------------------


_FORMAT = re.compile(r"(?:--)?format\s*=\s*(.*)", re.IGNORECASE)


def _formatted(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments but for those that say how to print, and whether that is as JSON.

    :raises InvalidFormat: it is neither that nor a table.
    """
    as_json = any(word.lower() == "--json" for word in arguments)
    words = []
    for word in arguments:
        found = _FORMAT.fullmatch(word)
        if found is None:
            words += [] if word.lower() == "--json" else [word]
        elif (name := found[1].strip().upper()) in {"JSON", "TABLE"}:
            as_json = as_json or name == "JSON"
        else:
            raise InvalidFormat(name="FORMAT", detail=mask(f"{found[1]} is neither JSON nor TABLE"))
    return words, as_json


def _plan(arguments: Sequence[str], _: Run) -> int:
    """``migrator plan expdp …``: say what a job would do, and do nothing."""
    from migrator import params

    client, *rest = arguments or [""]
    if client.lower() not in params.BOTH:
        raise UnknownCommand(name=mask(f"plan {client}".strip()))
    words, as_json = _formatted(rest)
    request = params.parse(cast("Client", client.lower()), words)
    for name in ("ATTACH", "HELP"):
        if name in request:
            raise ConflictingParameters(detail=f"{name} starts no job: there is nothing to plan")
    settings, spec, secrets = _order(cast("Client", client.lower()), request, words)
    from migrator import console
    from migrator.operations.planning import plan_job

    resolve = settings.urls(spec.connection, spec.network_link).__getitem__
    plan = plan_job(spec, resolve, secrets, profiling=request.flag("PROFILE"))
    if as_json:
        console.say(json.dumps(plan.to_json(), indent=2, ensure_ascii=False))
    else:
        with console.output() as out:
            console.print_plan(plan, out)
    return plan.code


def _verify(arguments: Sequence[str], run: Run) -> int:
    """``migrator verify``, with an import's command line: compare its target with its source."""
    from migrator import params

    words, as_json = _formatted(arguments)
    request = params.parse("impdp", words)
    for name in ("ATTACH", "HELP"):
        if name in request:
            raise ConflictingParameters(detail=f"{name} starts no job: there is nothing to verify")
    _check_no_profile(request)
    settings, spec, secrets = _order("impdp", request, words)
    from migrator import command_line, console

    command_line.check_verifiable(spec)
    from migrator.operations.verifying import verify_job

    with console.terminal(sys.stdout, sys.stderr) as (_, progress):
        found = verify_job(spec, settings.resolve, secrets, progress)
    if as_json:
        console.say(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        with console.output() as out:
            console.print_verification(found, out)
    return found.code


def _refresh(arguments: Sequence[str], _: Run) -> int:
    """``migrator refresh``, with an import's command line: make the rows that differ as its source has them."""
    from migrator import command_line, console, params

    removing, planned = "--remove" in arguments, "--plan" in arguments
    words = [word for word in arguments if word not in {"--remove", "--plan"}]
    request = params.parse("impdp", words)
    for name in ("ATTACH", "HELP"):
        if name in request:
            raise ConflictingParameters(detail=f"{name} starts no job: there are no rows to refresh")
    settings, spec, secrets = _order("impdp", request, words)
    command_line.check_refreshable(spec)
    from migrator.operations.refreshing import refresh

    return refresh(spec, settings.resolve, console.say, secrets, removing=removing, planned=planned)


def _dumpinfo(arguments: Sequence[str], _: Run) -> int:
    from migrator import command_line, config, console
    from migrator.dump import info

    names, credential = command_line.dump_files_and_credential(arguments, config.load())
    if not names:
        raise MissingFile
    found = [(name, info.get_dumpfile_info(name, credential)) for name in names]
    console.say("".join(info.report(name, about) for name, about in found), end="")
    return FAILURE if any(about.kind is info.Kind.UNKNOWN for _, about in found) else 0


def _jobs(arguments: Sequence[str], _: Run) -> int:
    from migrator import config, console, interactive
    from migrator.ends import Database
    from migrator.job import control

    settings = config.load()
    databases = [Database(settings.resolve(settings.reference(argument))) for argument in arguments]
    jobs = [job for database in databases for job in control.jobs_in(database)] + control.local_jobs()
    console.say(interactive.jobs_text(list(control.standing(jobs))), end="")
    return 0


def _renames(arguments: Sequence[str], _: Run) -> int:
    """``migrator renames``: what the rename maps of a database say."""
    from migrator import command_line, config, console
    from migrator.ends import Database
    from migrator.operations import naming

    words, as_json = _formatted(arguments)
    settings = config.load()
    found = naming.every_entry(Database(settings.resolve(settings.reference(command_line.only_word(words)))))
    if as_json:
        console.say(json.dumps([entry.to_json() for entry in found], indent=2, ensure_ascii=False))
    else:
        console.say("\n".join(map(str, found)) or "nothing has another name")
    return 0


def _retry_rejects(arguments: Sequence[str], _: Run) -> int:
    from migrator import command_line, config, console
    from migrator.ends import Database
    from migrator.operations import retrying

    if not arguments:
        raise MissingRejectFile
    name, *words = arguments
    settings = config.load()
    path = command_line.reject_file(name, settings)
    database = Database(settings.resolve(settings.reference(command_line.only_word(words))))
    database.adapter.find(database.url)
    return retrying.retry(path, database, console.say)


def _help(arguments: Sequence[str], _: Run) -> int:
    from migrator import console, reference

    if "--markdown" in arguments:
        for name in [word for word in arguments if word != "--markdown"] or ["parameters"]:
            if name not in reference.PAGES:
                raise UnknownParameter(name=name, hint=f" (pages: {', '.join(reference.PAGES)})")
            console.say(reference.PAGES[name](), end="")
    elif arguments:
        console.say("\n".join(reference.parameter_help(name) for name in arguments), end="")
    else:
        console.say(reference.overview(), end="")
    return 0


def _usage(command: str) -> int:
    from migrator import console, reference

    console.say(reference.usage(command), end="")
    return 0


def _version(_: Sequence[str], __: Run) -> int:
    from migrator import __version__, console

    console.say(f"migrator {__version__}")
    return 0


Run = Callable[["Client", "Request", Sequence[str]], int]
"""Runs the job that a client's request asks for; the exit code. The arguments are what the log shows as typed."""

_COMMANDS: dict[str, Callable[[Sequence[str], Run], int]] = {
    "expdp": _expdp,
    "impdp": _impdp,
    "plan": _plan,
    "verify": _verify,
    "refresh": _refresh,
    "jobs": _jobs,
    "renames": _renames,
    "retry-rejects": _retry_rejects,
    "dumpinfo": _dumpinfo,
    "help": _help,
    "--help": _help,
    "-h": _help,
    "--version": _version,
}
