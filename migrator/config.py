"""Connections and directories by name, from a TOML file; and the one place that knows passwords.

::

    [connections.hr]
    url = "postgresql://hr@db1/hr"
    password_env = "HR_PASSWORD"          # or password_file = "…", or password = "…" in a file of mode 0600

    [directories]
    DATA_PUMP_DIR = "/dumps"              # where files are when DIRECTORY is not given

The file is the one that MIGRATOR_CONFIG names, else ``~/.config/migrator/config.toml`` where there is one. In a URL the
password ``?`` asks for it on the terminal.
"""

from __future__ import annotations

import getpass
import os
import re
import stat
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from migrator.errors import SECRET_ITEM, InvalidDirectory, InvalidUrl, UnreadableConfig, mask

DEFAULT_DIRECTORY = "DATA_PUMP_DIR"
"""The configured directory that stands in for DIRECTORY."""

ASK = "?"
"""The password that means: ask for it."""

_DIALECT_ONLY = re.compile(r"[A-Za-z]\w*(?:\+\w+)?:")


def is_dialect_only(reference: str) -> bool:
    """Whether a reference names a dialect and no database: ``oracle:``."""
    return _DIALECT_ONLY.fullmatch(reference) is not None


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise EOFError("there is no terminal to ask for the password on")
    return getpass.getpass(prompt)


@dataclass(frozen=True)
class Connection:
    """A configured connection: a URL, and where its password is if not in it."""

    url: sa.URL
    password_env: str | None = None
    password_file: Path | None = None


@dataclass(frozen=True)
class Config:
    """What the configuration file says, and the passwords of this run. ``ask`` prompts for a password."""

    connections: Mapping[str, Connection] = field(default_factory=dict)
    directories: Mapping[str, Path] = field(default_factory=dict)
    ask: Callable[[str], str] = _ask
    _urls: dict[str, sa.URL] = field(default_factory=dict, repr=False, compare=False)

    # --- connections ------------------------------------------------------------------------------------------------

    def reference(self, text: str) -> str:
        """How a request names the connection that the user typed: a name as it is, a URL without its secrets.

        The secrets are kept here, for :meth:`resolve`.

        :raises InvalidUrl: it is neither a URL nor a configured name.
        """
        if is_dialect_only(text) or text in self.connections:
            return text
        url = _parsed(text, self.connections)
        items = {name: value for name, value in url.query.items() if not SECRET_ITEM.search(name)}
        shown = sa.URL.create(url.drivername, url.username, None, url.host, url.port, url.database, items)
        reference = shown.render_as_string(hide_password=False)
        self._urls[reference] = url
        return reference

    def resolve(self, reference: str) -> sa.URL:
        """The URL of a reference, password included. A password is asked for, or read, once.

        :raises InvalidUrl: the reference is not known, or its password cannot be had.
        """
        if is_dialect_only(reference):
            return sa.URL.create(reference.removesuffix(":"))
        if reference not in self._urls:
            if reference not in self.connections:
                return self.resolve(self.reference(reference))
            self._urls[reference] = self._with_password(reference)
        url = self._urls[reference]
        if url.password == ASK:
            url = self._urls[reference] = url.set(password=self._asked(reference, url))
        return url

    def _with_password(self, name: str) -> sa.URL:
        connection = self.connections[name]
        try:
            if connection.password_env is not None:
                return connection.url.set(password=os.environ[connection.password_env])
            if connection.password_file is not None:
                return connection.url.set(password=connection.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        except KeyError as error:
            raise InvalidUrl(url=name, detail=f"environment variable {connection.password_env} is not set") from error
        except (OSError, UnicodeDecodeError) as error:
            detail = f"password file {connection.password_file} cannot be read"
            raise InvalidUrl(url=name, detail=detail) from error
        return connection.url

    def _asked(self, reference: str, url: sa.URL) -> str:
        try:
            return self.ask(f"Password of {url.username or 'the user'} for {reference}: ")
        except EOFError as error:
            raise InvalidUrl(url=reference, detail=str(error) or "no password was given") from error

    # --- directories ------------------------------------------------------------------------------------------------

    def directory(self, text: str | None) -> Path:
        """The existing directory that a name or path means; None: the default one.

        :raises InvalidDirectory: there is none.
        """
        if text is None:
            path = self.directories.get(DEFAULT_DIRECTORY, Path())
        else:
            path = self.directories.get(text, Path(text).expanduser())
        if not path.is_dir():
            raise InvalidDirectory(name=text or path, detail=f"{path.absolute()} is no directory")
        return path.absolute()


def _parsed(text: str, known: Mapping[str, object]) -> sa.URL:
    if "://" not in text:
        if Path(text).is_file():
            raise InvalidUrl(url=text, detail=f"a SQLite file's URL is sqlite:///{text}")
        detail = f"configured are {', '.join(sorted(known))}" if known else "no connection is configured"
        raise InvalidUrl(url=mask(text), detail=detail)
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InvalidUrl(url=mask(text), detail="it cannot be parsed") from error
    if url.host is not None and "@" in url.host:
        raise InvalidUrl(url=mask(text), detail="write @ in a password as %40")
    return url


# --- the file -------------------------------------------------------------------------------------------------------


def load(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration; empty where there is no file.

    :raises UnreadableConfig: the file cannot be read, is wrong, or holds a password that others can read.
    """
    named = environment.get("MIGRATOR_CONFIG")
    home = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    path = Path(named) if named else home / "migrator" / "config.toml"
    if not named and not path.exists():
        return Config()
    return read(path)


def read(path: Path) -> Config:
    """The configuration in a file.

    :raises UnreadableConfig: it cannot be read, is wrong, or holds a password that others can read.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableConfig(path=path, detail=getattr(error, "strerror", None) or str(error)) from error
    _only(path, data, "the file", {"connections", "directories"})
    connections = {name: _connection(path, name, table) for name, table in _table(path, data, "connections", dict).items()}
    directories = {
        name: path.parent / Path(text).expanduser() for name, text in _table(path, data, "directories", str).items()
    }
    return Config(connections, directories)


def _only(path: Path, table: Mapping[str, Any], where: str, known: set[str]) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise UnreadableConfig(path=path, detail=f"{where} has unknown entries: {', '.join(unknown)}")


def _table(path: Path, data: Mapping[str, Any], name: str, kind: type) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(value, kind) for value in table.values()):
        raise UnreadableConfig(path=path, detail=f"[{name}] is not as it should be")
    return table


def _connection(path: Path, name: str, table: Mapping[str, Any]) -> Connection:
    where = f"[connections.{name}]"
    _only(path, table, where, {"url", "password", "password_env", "password_file"})
    if not all(isinstance(value, str) for value in table.values()) or "url" not in table:
        raise UnreadableConfig(path=path, detail=f'{where} needs url = "…", and texts only')
    try:
        url = _parsed(table["url"], {})
    except InvalidUrl as error:
        raise UnreadableConfig(path=path, detail=f"{where}: {error.message}") from error
    if "password" in table:
        url = url.set(password=table["password"])
    sources = [key for key in ("password_env", "password_file") if key in table]
    if len(sources) + (url.password is not None) > 1:
        raise UnreadableConfig(path=path, detail=f"{where} has more than one password")
    if url.password not in {None, ASK} and _readable_by_others(path):
        raise UnreadableConfig(path=path, detail=f"{where} holds a password, and others can read the file")
    file = table.get("password_file")
    return Connection(url, table.get("password_env"), None if file is None else path.parent / Path(file).expanduser())


def _readable_by_others(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
