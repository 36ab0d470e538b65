"""Connections, links and directories by name, from a TOML file; and the one place that knows passwords.

::

    [connections.hr]
    url = "postgresql://hr@db1/hr"
    password_env = "HR_PASSWORD"          # or password_file = "…", or password = "…" in a file of mode 0600

    [links.PAYROLL]                       # a database link, for NETWORK_LINK: docs/links.md
    kind = "fixed user"                   # or "public", "connected user"
    url = "mysql://reader@db2/payroll"
    password_env = "PAYROLL_PASSWORD"     # as of a connection

    [encryption]
    key_file = "wallet.key"               # for ENCRYPTION_MODE=TRANSPARENT and DUAL: 32 random bytes or more, mode 0600

    [directories]
    DATA_PUMP_DIR = "/dumps"              # a directory object that everybody may read and write in

    [directories.HR_DUMPS]
    path = "/dumps/hr"
    read = ["PUBLIC"]                     # operating system users; who is not named has no grant
    write = ["hr", "backup"]

    [credentials.archive]                 # of an object store, for CREDENTIAL
    endpoint = "https://s3.example.com"
    access_key = "AKEXAMPLE"
    secret_key_env = "ARCHIVE_KEY"        # or secret_key_file = "…", or secret_key = "…" in a file of mode 0600

The file is the one that MIGRATOR_CONFIG names, else ``~/.config/migrator/config.toml`` where there is one. In a URL the
password ``?`` asks for it on the terminal. MIGRATOR_KEY_FILE goes before ``key_file``; MIGRATOR_ENCRYPTION_PASSWORD is the
password of dump file sets.
"""

from __future__ import annotations

import errno
import getpass
import os
import re
import stat
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, cast, get_args

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from migrator import files
from migrator.directories import PUBLIC, Access, Directory, User, current_user, over
from migrator.errors import (
    SECRET_ITEM,
    DirectoryMissing,
    DirectoryNotGranted,
    InvalidCredential,
    InvalidDatabaseFile,
    InvalidDirectory,
    InvalidLink,
    InvalidUrl,
    NotText,
    PasswordShown,
    UnreadableConfig,
    UnusableLink,
    UsageError,
    is_text,
    mask,
)

DEFAULT_DIRECTORY = "DATA_PUMP_DIR"
"""The directory object that stands in for DIRECTORY, and the environment variable that goes before it."""

ASK = "?"
"""The password that means: ask for it."""

_DIALECT_ONLY = re.compile(r"[A-Za-z]\w*(?:\+\w+)?:")


def is_dialect_only(reference: str) -> bool:
    """Whether a reference names a dialect and no database: ``oracle:``."""
    return _DIALECT_ONLY.fullmatch(reference) is not None


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise EOFError("there is no terminal to ask for the password on")
    try:
        return check_text("password", getpass.getpass(prompt), secret=True)
    except UnicodeDecodeError as error:
        raise NotText(name="password", shown="it", encoding=error.encoding) from error


@dataclass(frozen=True)
class Connection:
    """A configured connection: a URL, and where its password is if not in it."""

    url: sa.URL
    password_env: str | None = None
    password_file: Path | None = None


LinkKind = Literal["public", "fixed user", "connected user", "current user"]
"""Whose name a link uses at its database: everybody's or its own, which the definition writes, or the job's. Links of the
current user are known in order to be refused."""


@dataclass(frozen=True)
class Link:
    """A configured database link."""

    kind: LinkKind
    connection: Connection


@dataclass(frozen=True)
class Credential:
    """How to get into an object store. Without ``access_key``: as the environment and the machine have it."""

    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    secret_key_env: str | None = None
    secret_key_file: Path | None = None
    region: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True)
class Secrets:
    """What opens dump file sets: a password, a key file; a credential, where they are in an object store.

    ``demanded``: the password is for this very job.
    """

    password: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    demanded: bool = False
    credential: Credential | None = None


NO_SECRETS = Secrets()


@dataclass(frozen=True)
class Config:
    """What the configuration file says, and the passwords of this run. ``ask`` prompts for a password.

    ``data_pump_dir`` is what the environment variable says; ``user`` is who runs the job. With ``only_directory_objects``
    a directory cannot be named by its path.
    """

    connections: Mapping[str, Connection] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    directories: Mapping[str, Directory] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    only_directory_objects: bool = False
    data_pump_dir: str | None = None
    user: User = field(default_factory=current_user)
    ask: Callable[[str], str] = _ask
    key_file: Path | None = None
    encryption_password: str | None = field(default=None, repr=False)
    wrong_links: Mapping[str, UnusableLink] = field(default_factory=dict)
    """The links that cannot be used as they are written, and why."""
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

    def url(self, reference: str) -> sa.URL:
        """The URL of a reference that :meth:`reference` gave, for all but connecting: its password may be missing."""
        if is_dialect_only(reference):
            return sa.URL.create(reference.removesuffix(":"))
        return self._urls.get(reference) or self.connections[reference].url

    def resolve(self, reference: str) -> sa.URL:
        """The URL of a reference, password included. A password is asked for, or read, once.

        :raises InvalidUrl: the reference is not known, or its password cannot be had.
        """
        if is_dialect_only(reference):
            return sa.URL.create(reference.removesuffix(":"))
        if reference not in self._urls:
            if reference not in self.connections:
                return self.resolve(self.reference(reference))
            self._urls[reference] = _with_password(self.connections[reference], reference)
        return self._asked(reference)

    def link(self, text: str) -> str:
        """How a request names the link that the user typed: that of a configured link or connection, or a URL's.

        :raises InvalidLink: it is a link of a kind that no job uses.
        :raises UnusableLink: it is a link that is wrong.
        :raises InvalidUrl: it is neither.
        """
        if text in self.wrong_links:
            raise self.wrong_links[text]
        if text not in self.links:
            return self.reference(text)
        if self.links[text].kind == "current user":
            detail = "it is a link of the current user; links are public, of a fixed user or of the connected user"
            raise InvalidLink(name=text, detail=detail)
        return text

    def linked(self, reference: str, connected: sa.URL) -> sa.URL:
        """The URL of a link that :meth:`link` gave, password included; ``connected``: the job's own connection.

        :raises InvalidLink: it is to be used by the job's user, and there is none.
        :raises InvalidUrl: its password cannot be had.
        """
        link = self.links.get(reference)
        if link is None:
            return self.resolve(reference)
        if link.kind == "connected user":
            if connected.get_backend_name() in _FILES:
                raise InvalidLink(name=reference, detail="it is used by the connected user, and a file's job has none")
            return link.connection.url.set(username=connected.username, password=connected.password)
        if reference not in self._urls:
            self._urls[reference] = _with_password(link.connection, reference)
        return self._asked(reference)

    def urls(self, connection: str, link: str | None) -> dict[str, sa.URL]:
        """The URLs of a request's references, passwords included."""
        connected = self.resolve(connection)
        return {connection: connected, **({} if link is None else {link: self.linked(link, connected)})}

    def _asked(self, reference: str) -> sa.URL:
        """The URL, whose password has been asked for if it is to be."""
        url = self._urls[reference]
        if url.password == ASK:
            try:
                password = self.ask(f"Password of {url.username or 'the user'} for {reference}: ")
            except EOFError as error:
                raise InvalidUrl(url=reference, detail=str(error) or "no password was given") from error
            url = self._urls[reference] = url.set(password=password)
        return url

    # --- directories ------------------------------------------------------------------------------------------------

    def directory(self, text: str | None, access: Access | None) -> Path:
        """The existing directory that a name or path means, its links resolved: what is checked here is what is used.

        ``access`` is what a file in it is for; None: no file yet.

        None: what the environment variable DATA_PUMP_DIR says, else the directory object of that name, else the current
        directory. A path that leads into a directory object is a way of writing that object, and needs its grants.

        :raises InvalidDirectory: there is none, or paths are not taken.
        :raises DirectoryNotGranted: the user has no such grant on it.
        :raises DirectoryMissing: there is no default, and paths are not taken.
        """
        if text is None:
            text = self.data_pump_dir
        elif not text:
            raise InvalidDirectory(name="''", detail="it is empty")
        named = self._directory_object(text or DEFAULT_DIRECTORY)
        if named is None and self.only_directory_objects:
            raise self._no_directory_object(text)
        name = text or (DEFAULT_DIRECTORY if named is not None else ".")
        path = _existing(Path(text or ".") if named is None else named.path, name)
        shown = text or (str(path) if named is None else named.name)
        objects = over(path, self.directories.values()) if named is None else (named,)
        if access is not None and objects and not any(found.grants(access, self.user) for found in objects):
            raise DirectoryNotGranted(name=shown, object=objects[0].name, access=access, user=self.user.name)
        return path

    def _no_directory_object(self, name: str | None) -> UsageError:
        if name is None:
            return DirectoryMissing()
        return InvalidDirectory(name=name, detail=f"directory objects are {', '.join(sorted(self.directories)) or 'none'}")

    def _directory_object(self, name: str) -> Directory | None:
        """The object spelled exactly so, else the only one whose name differs in case only."""
        folded = [found for key, found in self.directories.items() if key.lower() == name.lower()]
        return self.directories.get(name) or (folded[0] if len(folded) == 1 else None)

    # --- credentials ------------------------------------------------------------------------------------------------

    def credential(self, name: str) -> str:
        """The name of a configured credential, as a request holds it.

        :raises InvalidCredential: there is none.
        """
        if name not in self.credentials:
            raise InvalidCredential(name=name, detail=f"configured are {', '.join(sorted(self.credentials)) or 'none'}")
        return name

    def unlock(self, name: str) -> Credential:
        """A configured credential with its secret key.

        :raises InvalidCredential: there is none, or its secret key cannot be had.
        """
        credential = self.credentials[self.credential(name)]
        try:
            if credential.secret_key_env is not None:
                secret = check_text(credential.secret_key_env, os.environ[credential.secret_key_env], secret=True)
                return replace(credential, secret_key=secret)
            if credential.secret_key_file is not None:
                return replace(credential, secret_key=_secret_in(credential.secret_key_file))
        except KeyError as error:
            detail = f"environment variable {credential.secret_key_env} is not set"
            raise InvalidCredential(name=name, detail=detail) from error
        except (OSError, UnicodeDecodeError) as error:
            detail = f"its file {credential.secret_key_file} cannot be read"
            raise InvalidCredential(name=name, detail=detail) from error
        return credential


def _with_password(connection: Connection, name: str) -> sa.URL:
    try:
        if connection.password_env is not None:
            password = check_text(connection.password_env, os.environ[connection.password_env], secret=True)
            return connection.url.set(password=password)
        if connection.password_file is not None:
            return connection.url.set(password=_secret_in(connection.password_file))
    except KeyError as error:
        raise InvalidUrl(url=name, detail=f"environment variable {connection.password_env} is not set") from error
    except (OSError, UnicodeDecodeError) as error:
        detail = f"password file {connection.password_file} cannot be read"
        raise InvalidUrl(url=name, detail=detail) from error
    return connection.url


def _existing(path: Path, name: str) -> Path:
    """The directory at a path, links resolved.

    :raises InvalidDirectory: there is none, or it is named by bytes that are no text.
    """
    try:
        found = path.expanduser().resolve()
        there = found.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidDirectory(name=name, detail=getattr(error, "strerror", None) or str(error)) from error
    if not there:
        raise InvalidDirectory(name=name, detail=f"{found} is no directory")
    if not is_text(str(found)):
        raise InvalidDirectory(name=name, detail=f"{found} has bytes that are no text")
    return found


def _secret_in(path: Path) -> str:
    return files.small(path).decode().rstrip("\r\n")


def check_text(name: str, value: str, *, secret: bool = False) -> str:
    """``value``, which is text.

    :raises NotText: it is not; what is secret is not shown.
    """
    if not is_text(value):
        shown = "it" if secret else os.fsencode(value).decode(errors="backslashreplace")
        raise NotText(name=name, shown=shown, encoding=sys.getfilesystemencoding())
    return value


_FILES = frozenset({"sqlite"})
"""The backends whose database is a file, named from the current directory."""


def _parsed(text: str, known: Mapping[str, object]) -> sa.URL:
    if "://" not in text:
        if os.path.isfile(text):
            raise InvalidUrl(url=text, detail=f"a SQLite file's URL is sqlite:///{text}")
        detail = f"configured are {', '.join(sorted(known))}" if known else "no connection is configured"
        raise InvalidUrl(url=mask(text), detail=detail)
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InvalidUrl(url=mask(text), detail="it cannot be parsed") from error
    if url.host is not None and "@" in url.host:
        raise InvalidUrl(url=mask(text), detail="write @ in a password as %40")
    return _from_anywhere(url)


def _from_anywhere(url: sa.URL) -> sa.URL:
    """The URL of the same file for a job that is started again from another directory."""
    relative = url.get_backend_name() in _FILES and url.database and not url.database.startswith((":", "file:"))
    return url.set(database=_absolute(url.database)) if relative and url.database else url


def _absolute(name: str) -> str:
    """The path of a database file.

    :raises InvalidDatabaseFile: no file can be named so.
    """
    path = os.path.abspath(name)
    if not is_text(path):
        raise InvalidDatabaseFile(url=name, detail="the current directory has bytes in its path that are no text")
    try:
        os.lstat(f"{path}-journal")
    except UnicodeEncodeError as error:
        detail = f"this locale's encoding, {sys.getfilesystemencoding()}, cannot write it"
        raise InvalidDatabaseFile(url=name, detail=detail) from error
    except ValueError as error:
        raise InvalidDatabaseFile(url=name, detail=str(error)) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidDatabaseFile(url=name, detail=f"{error.strerror}; beside it lies the file's journal") from error
    return path


# --- the file -------------------------------------------------------------------------------------------------------


def load(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration; empty where there is no file.

    :raises UnreadableConfig: the file cannot be read, is wrong, or holds a password that others can read.
    """
    config = _of_file(environment)
    key_file = environment.get("MIGRATOR_KEY_FILE")
    password = environment.get("MIGRATOR_ENCRYPTION_PASSWORD") or None
    return replace(
        config,
        key_file=Path(key_file).absolute() if key_file else config.key_file,
        encryption_password=password and check_text("MIGRATOR_ENCRYPTION_PASSWORD", password, secret=True),
    )


def _of_file(environment: Mapping[str, str]) -> Config:
    named = environment.get("MIGRATOR_CONFIG")
    home = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    path = Path(named) if named else home / "migrator" / "config.toml"
    data_pump_dir = environment.get(DEFAULT_DIRECTORY) or None
    if not named and not path.exists():
        return Config(data_pump_dir=data_pump_dir)
    return replace(read(path), data_pump_dir=data_pump_dir)


def read(path: Path) -> Config:
    """The configuration in a file.

    :raises UnreadableConfig: it cannot be read, is wrong, or holds a password that others can read.
    """
    try:
        with files.read_linked(path) as file:
            data, owner = tomllib.loads(files.content(file).decode()), os.fstat(file.fileno()).st_uid
    except (OSError, ValueError) as error:
        raise UnreadableConfig(path=path, detail=getattr(error, "strerror", None) or str(error)) from error
    known = {"connections", "links", "directories", "credentials", "encryption", "only_directory_objects"}
    _only(path, data, "the file", known)
    connections = {
        name: _connection(path, f"[connections.{name}]", table)
        for name, table in _table(path, data, "connections", dict).items()
    }
    sections = _table(path, data, "links", dict)
    both = sorted(set(sections) & set(connections))
    if both:
        raise UnreadableConfig(path=path, detail=f"{both[0]} is the name of a link and of a connection")
    links, wrong_links = _links(path, sections)
    directories = {
        name: _directory(path, name, entry) for name, entry in _table(path, data, "directories", str | dict).items()
    }
    encryption = _table(path, data, "encryption", str)
    _only(path, encryption, "[encryption]", {"key_file"})
    key_file = path.parent / Path(encryption["key_file"]).expanduser() if encryption else None
    credentials = {name: _credential(path, name, table) for name, table in _table(path, data, "credentials", dict).items()}
    only_objects = data.get("only_directory_objects", False)
    if not isinstance(only_objects, bool):
        raise UnreadableConfig(path=path, detail="only_directory_objects is true or false")
    return Config(
        *(connections, links, directories, credentials, only_objects),
        user=current_user(owner),
        key_file=key_file,
        wrong_links=wrong_links,
    )


def _only(path: Path, table: Mapping[str, Any], where: str, known: set[str]) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise UnreadableConfig(path=path, detail=f"{where} has unknown entries: {', '.join(unknown)}")


def _table(path: Path, data: Mapping[str, Any], name: str, kind: type | UnionType) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(value, kind) for value in table.values()):
        raise UnreadableConfig(path=path, detail=f"[{name}] is not as it should be")
    return table


def _links(path: Path, sections: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Link], dict[str, UnusableLink]]:
    """The links of a file, and why others of them cannot be used: only who names one of these needs to know.

    :raises PasswordShown: one holds a password that others can read.
    """
    links: dict[str, Link] = {}
    wrong: dict[str, UnusableLink] = {}
    for name, table in sections.items():
        try:
            links[name] = _link(path, f"[links.{name}]", table)
        except PasswordShown:
            raise
        except UnreadableConfig as error:
            wrong[name] = UnusableLink(**error.facts)
    return links, wrong


def _link(path: Path, where: str, table: Mapping[str, Any]) -> Link:
    kind = cast(LinkKind, table.get("kind"))
    if kind not in get_args(LinkKind):
        raise UnreadableConfig(path=path, detail=f"{where}: kind is one of {', '.join(get_args(LinkKind))}")
    connection = _connection(path, where, {key: value for key, value in table.items() if key != "kind"})
    url, secret = connection.url, {"password_env", "password_file"} & set(table)
    if kind == "fixed user" and not url.username:
        raise UnreadableConfig(path=path, detail=f"{where}: a link of a fixed user has the user in its url")
    if kind == "connected user" and (url.username or url.password or secret or url.get_backend_name() in _FILES):
        detail = f"{where}: a link of the connected user leads to a server, with neither user nor password of its own"
        raise UnreadableConfig(path=path, detail=detail)
    return Link(kind, connection)


def _connection(path: Path, where: str, table: Mapping[str, Any]) -> Connection:
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
        raise PasswordShown(path=path, detail=f"{where} holds a password, and others can read the file")
    return Connection(url, table.get("password_env"), _beside(path, table.get("password_file")))


def _beside(path: Path, text: str | None) -> Path | None:
    """The path that the configuration file at ``path`` writes, relative to itself."""
    return None if text is None else path.absolute().parent / Path(text).expanduser()


def _directory(path: Path, name: str, entry: str | dict[str, Any]) -> Directory:
    where = f"[directories.{name}]"
    if isinstance(entry, str):
        return Directory.public(name, path.absolute().parent / Path(entry).expanduser())
    _only(path, entry, where, {"path", "read", "write"})
    if not isinstance(entry.get("path"), str):
        raise UnreadableConfig(path=path, detail=f'{where} needs path = "…"')
    grants = {key: entry.get(key, []) for key in ("read", "write")}
    for key, users in grants.items():
        if not isinstance(users, list) or not all(isinstance(user, str) and user for user in users):
            raise UnreadableConfig(path=path, detail=f'{where}: {key} is a list of users: ["hr", "{PUBLIC}"]')
    place = path.absolute().parent / Path(entry["path"]).expanduser()
    return Directory(name, place, frozenset(grants["read"]), frozenset(grants["write"]))


def _credential(path: Path, name: str, table: Mapping[str, Any]) -> Credential:
    where = f"[credentials.{name}]"
    keys = ("secret_key", "secret_key_env", "secret_key_file")
    _only(path, table, where, {"access_key", "region", "endpoint", *keys})
    if not all(isinstance(value, str) for value in table.values()):
        raise UnreadableConfig(path=path, detail=f"{where} has texts only")
    if sum(key in table for key in keys) != ("access_key" in table):
        raise UnreadableConfig(path=path, detail=f"{where} needs access_key with one of {', '.join(keys)}, or neither")
    if not re.fullmatch(r"(?:https?://[^/@\s]+/?)?", table.get("endpoint", "")):
        raise UnreadableConfig(path=path, detail=f"{where}: endpoint is not https://host:port")
    if "secret_key" in table and _readable_by_others(path):
        raise UnreadableConfig(path=path, detail=f"{where} holds a secret key, and others can read the file")
    return Credential(**{**table, "secret_key_file": _beside(path, table.get("secret_key_file"))})


def _readable_by_others(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
