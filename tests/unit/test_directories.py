"""Directory objects: which one a file lies in, who may read and write there, and what a name must not do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.command_line import from_arguments
from migrator.config import Config, load, read
from migrator.directories import PUBLIC, Directory, User, current_user, over
from migrator.errors import (
    ConflictingParameters,
    DirectoryMissing,
    DirectoryNotGranted,
    InvalidDirectory,
    InvalidFileName,
    UnreadableConfig,
    UnsupportedParameter,
)
from migrator.params import Client
from migrator.spec import JobSpec

URL = "sqlite:////data/hr.db"
BOB = User("bob")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with directories in it."""
    for name in ("in_name", "in_parameter", "in_variable", "default", "dumps/hr/2025", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def public(place: Path, **paths: str) -> dict[str, Directory]:
    return {name: Directory.public(name, place / path) for name, path in paths.items()}


def job(client: Client, config: Config, *arguments: str) -> JobSpec:
    return from_arguments(client, [URL, *arguments], config)


# --- the order of precedence


@pytest.fixture
def four(place: Path) -> Callable[..., Config]:
    """A configuration of a directory object for each step of the order."""
    places = {name.upper(): name for name in ("in_name", "in_parameter", "in_variable")}
    objects = public(place, DATA_PUMP_DIR="default", **places)
    return lambda variable=None: Config(directories=objects, data_pump_dir=variable)


@pytest.mark.parametrize(
    ("dumpfile", "directory", "variable", "expected"),
    [
        ("IN_NAME:x.dmp", "IN_PARAMETER", "IN_VARIABLE", "in_name"),
        ("x.dmp", "IN_PARAMETER", "IN_VARIABLE", "in_parameter"),
        ("x.dmp", None, "IN_VARIABLE", "in_variable"),
        ("x.dmp", None, None, "default"),
    ],
)
def test_the_file_then_directory_then_the_variable_then_the_default(
    place: Path, four: Callable[..., Config], dumpfile: str, directory: str | None, variable: str | None, expected: str
) -> None:
    given = [] if directory is None else [f"DIRECTORY={directory}"]
    made = job("expdp", four(variable), f"DUMPFILE={dumpfile}", "LOGFILE=x.log", *given)
    assert made.dumpfiles == (str(place / expected / "x.dmp"),)


def test_each_file_goes_by_the_order_on_its_own(place: Path, four: Callable[..., Config]) -> None:
    made = job("impdp", four("IN_VARIABLE"), "DUMPFILE=IN_NAME:a,b", "LOGFILE=IN_PARAMETER:c", "SQLFILE=d")
    assert made.dumpfiles == (str(place / "in_name/a.dmp"), str(place / "in_variable/b.dmp"))
    assert (made.logfile, made.sqlfile) == (place / "in_parameter/c.log", place / "in_variable/d.sql")


def test_the_variable_is_read_from_the_environment(place: Path) -> None:
    (place / "config.toml").write_text('[directories]\nA = "in_variable"\n')
    environment = {"MIGRATOR_CONFIG": str(place / "config.toml"), "DATA_PUMP_DIR": "A"}
    assert load(environment).directory(None, "WRITE") == place / "in_variable"
    assert load({"XDG_CONFIG_HOME": str(place), "DATA_PUMP_DIR": "default"}).directory(None, "WRITE") == place / "default"


def test_an_empty_variable_is_none(place: Path) -> None:
    assert load({"XDG_CONFIG_HOME": str(place), "DATA_PUMP_DIR": ""}).directory(None, "WRITE") == place


def test_the_variable_must_name_a_directory(place: Path) -> None:
    with pytest.raises(InvalidDirectory, match="directory name NOWHERE is invalid"):
        Config(data_pump_dir="NOWHERE").directory(None, "WRITE")


def test_an_empty_name_is_not_the_default(place: Path) -> None:
    with pytest.raises(InvalidDirectory, match="it is empty"):
        job("expdp", Config(), "DUMPFILE=:x.dmp")


def test_without_any_of_them_it_is_the_current_directory(place: Path) -> None:
    assert Config().directory(None, "WRITE") == place


# --- names and paths


def test_a_name_is_found_in_another_case_where_that_is_clear(place: Path) -> None:
    config = Config(directories=public(place, BACKUP="in_name", Twin="dumps", TWIN="elsewhere"))
    assert config.directory("backup", "READ") == place / "in_name"
    assert config.directory("TWIN", "READ") == place / "elsewhere"
    with pytest.raises(InvalidDirectory):
        config.directory("twin", "READ")


def test_a_name_goes_before_a_path(place: Path) -> None:
    assert Config(directories=public(place, elsewhere="in_name")).directory("elsewhere", "READ") == place / "in_name"


def test_links_in_a_directorys_path_are_resolved_once(place: Path) -> None:
    (place / "link").symlink_to(place / "elsewhere")
    assert Config().directory("link", "READ") == place / "elsewhere"
    assert Config(directories=public(place, A="link")).directory("A", "READ") == place / "elsewhere"


def test_paths_can_be_forbidden(place: Path) -> None:
    config = Config(directories=public(place, A="in_name"), only_directory_objects=True)
    assert config.directory("A", "READ") == place / "in_name"
    with pytest.raises(InvalidDirectory, match="directory objects are A"):
        config.directory(str(place / "in_name"), "READ")
    with pytest.raises(InvalidDirectory, match="directory objects are A"):
        job("expdp", config, "DIRECTORY=A", "DUMPFILE=elsewhere:x.dmp")


def test_where_paths_are_forbidden_there_is_no_current_directory(place: Path) -> None:
    with pytest.raises(DirectoryMissing, match="ORA-39145: directory object parameter must be specified and non-null"):
        Config(only_directory_objects=True).directory(None, "WRITE")


# --- grants


def granted(place: Path, user: User = BOB, **grants: list[str]) -> Config:
    """A configuration whose one object HR (and the default one, public) has these grants."""
    users = {access: frozenset(names) for access, names in grants.items()}
    objects = {"HR": Directory("HR", place / "dumps/hr", **users), **public(place, DATA_PUMP_DIR="default")}
    return Config(directories=objects, user=user)


ELSEWHERE = "LOGFILE=DATA_PUMP_DIR:x.log"


@pytest.mark.parametrize(
    ("client", "arguments", "needed"),
    [
        ("expdp", ["DUMPFILE=HR:x.dmp"], "write"),
        ("impdp", ["DUMPFILE=HR:x.dmp"], "read"),
        ("impdp", ["LOGFILE=HR:x.log"], "write"),
        ("expdp", ["LOGFILE=HR:x.log"], "write"),
        ("impdp", ["SQLFILE=HR:x.sql"], "write"),
    ],
)
def test_reading_needs_read_and_writing_needs_write(place: Path, client: Client, arguments: list[str], needed: str) -> None:
    other = "read" if needed == "write" else "write"
    log = [] if arguments[0].startswith("LOGFILE") else [ELSEWHERE]
    assert job(client, granted(place, **{needed: ["bob"]}), *arguments, *log).connection == URL
    with pytest.raises(DirectoryNotGranted, match=f"ORA-39087: .* {needed.upper()} on HR is not granted to bob"):
        job(client, granted(place, **{other: ["bob"]}), *arguments, *log)


def test_the_default_log_needs_write_where_the_dump_is(place: Path) -> None:
    config = granted(place, read=["bob"])
    with pytest.raises(DirectoryNotGranted, match="WRITE"):
        job("impdp", config, "DIRECTORY=HR")
    assert job("impdp", config, "DIRECTORY=HR", "NOLOGFILE=Y").logfile is None
    assert job("impdp", config, "DIRECTORY=HR", ELSEWHERE).logfile == place / "default/x.log"


def test_a_job_without_files_needs_no_grant(place: Path) -> None:
    assert job("impdp", granted(place), "DIRECTORY=HR", "NETWORK_LINK=sqlite:///y.db", "NOLOGFILE=Y").dumpfiles == ()


def test_what_is_not_granted_is_not_granted(place: Path) -> None:
    for access in ("READ", "WRITE"):
        with pytest.raises(DirectoryNotGranted):
            granted(place, write=["alice"], read=["alice"]).directory("HR", access)  # type: ignore[arg-type]


def test_a_grant_to_public_is_everybodys(place: Path) -> None:
    assert granted(place, read=[PUBLIC]).directory("HR", "READ") == place / "dumps/hr"


def test_a_privileged_user_needs_no_grant(place: Path) -> None:
    assert granted(place, User("dba", privileged=True)).directory("HR", "WRITE") == place / "dumps/hr"


@pytest.mark.parametrize(
    ("user", "read_grant", "may"), [(BOB, [], False), (BOB, ["bob"], True), (User("dba", privileged=True), [], True)]
)
def test_the_default_object_is_for_the_privileged_and_those_granted(
    place: Path, user: User, read_grant: list[str], may: bool
) -> None:
    default = Directory("DATA_PUMP_DIR", place / "default", read=frozenset(read_grant))
    config = Config(directories={"DATA_PUMP_DIR": default}, user=user)
    if may:
        assert config.directory(None, "READ") == place / "default"
    else:
        with pytest.raises(DirectoryNotGranted, match="READ on DATA_PUMP_DIR is not granted to bob"):
            config.directory(None, "READ")


@pytest.mark.parametrize("path", ["dumps/hr", "dumps/hr/2025", "elsewhere/../dumps/hr", "link", "link/2025"])
def test_a_path_into_a_directory_object_needs_its_grants(place: Path, path: str) -> None:
    (place / "link").symlink_to(place / "dumps/hr")
    with pytest.raises(DirectoryNotGranted, match="READ on HR"):
        granted(place, write=["bob"]).directory(path, "READ")
    assert granted(place, read=["bob"]).directory(path, "READ").is_relative_to(place / "dumps/hr")


def test_the_current_directory_is_a_path_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "dumps/hr")
    config = Config(directories={"HR": Directory("HR", place / "dumps/hr")}, user=BOB)
    with pytest.raises(DirectoryNotGranted):
        config.directory(None, "WRITE")


def test_the_nearest_object_decides_and_any_of_its_names_will_do(place: Path) -> None:
    around, hr = Directory.public("ALL", place), Directory("HR", place / "dumps/hr")
    again = Directory("X", place / "dumps/hr")
    assert over(place / "dumps/hr/2025", [around, hr, again]) == (hr, again)
    assert over(place / "dumps", [around, hr, again]) == (around,)
    assert over(Path("/nowhere"), [around, hr, again]) == ()
    objects = {"HR": hr, "X": Directory.public("X", place / "dumps/hr")}
    assert Config(directories=objects, user=BOB).directory("dumps/hr", "WRITE") == place / "dumps/hr"


# --- who runs the job


def test_the_user_is_the_effective_one_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody")
    assert current_user().name == pwd.getpwuid(os.geteuid()).pw_name


def test_a_user_without_a_name_goes_by_his_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 2_000_000_011)
    assert current_user() == User("2000000011")


@pytest.mark.parametrize(
    ("uid", "owner", "privileged"), [(0, 500, True), (500, 500, True), (501, 500, False), (501, None, False)]
)
def test_privileged_are_the_superuser_and_who_owns_the_configuration(
    monkeypatch: pytest.MonkeyPatch, uid: int, owner: int | None, privileged: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    assert current_user(owner).privileged == privileged


def test_the_owner_is_the_one_of_the_file_that_was_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "config.toml").write_text('[directories.HR]\npath = "dumps/hr"\n')
    assert read(place / "config.toml").user.privileged
    monkeypatch.setattr("os.geteuid", lambda: 2_000_000_011)
    assert read(place / "config.toml").user == User("2000000011")


# --- the configuration file


def test_grants_are_lists_of_users(place: Path) -> None:
    (place / "config.toml").write_text('[directories.HR]\npath = "dumps/hr"\nread = ["PUBLIC"]\nwrite = ["hr", "bob"]\n')
    hr = Directory("HR", place / "dumps/hr", frozenset({PUBLIC}), frozenset({"hr", "bob"}))
    assert read(place / "config.toml").directories == {"HR": hr}


def test_a_path_alone_is_for_everybody(place: Path) -> None:
    (place / "config.toml").write_text('only_directory_objects = true\n[directories]\nA = "in_name"\n')
    config = read(place / "config.toml")
    assert config.directories == public(place, A="in_name")
    assert config.only_directory_objects


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[directories.A]\nread=['x']", "needs path"),
        ("[directories.A]\npath=1", "needs path"),
        ("[directories.A]\npath='/'\nread='bob'", "read is a list of users"),
        ("[directories.A]\npath='/'\nwrite=[1]", "write is a list of users"),
        ("[directories.A]\npath='/'\nwrite=['']", "write is a list of users"),
        ("[directories.A]\npath='/'\nexecute=['bob']", "unknown entries: execute"),
        ("only_directory_objects='yes'", "true or false"),
    ],
)
def test_a_wrong_entry_is_refused(place: Path, text: str, words: str) -> None:
    (place / "config.toml").write_text(text)
    with pytest.raises(UnreadableConfig, match=words):
        read(place / "config.toml")


# --- names of files


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "..", ".", "a\\b", "in_name:../x", "in_name:/etc/x", "x\0y"])
@pytest.mark.parametrize("parameter", ["DUMPFILE", "LOGFILE", "SQLFILE"])
def test_a_file_name_never_carries_a_path(place: Path, parameter: str, name: str) -> None:
    with pytest.raises(InvalidFileName, match="ORA-39088"):
        job("impdp", Config(), f"{parameter}={name}")


@pytest.mark.parametrize("parameter", ["LOGFILE", "SQLFILE"])
def test_a_uri_is_refused_as_such_and_not_shown(place: Path, parameter: str) -> None:
    with pytest.raises(UnsupportedParameter, match=f"{parameter} with a URI is known, but only dump files") as caught:
        job("impdp", Config(), f"{parameter}=s3://key:s3cret@bucket/x.dmp")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("target", ["elsewhere/x", "in_name/other"])
@pytest.mark.parametrize("argument", ["DUMPFILE=in_name:x.dmp", "LOGFILE=in_name:x.log", "SQLFILE=in_name:x.sql"])
def test_a_file_that_is_a_link_is_refused(place: Path, argument: str, target: str) -> None:
    for suffix in ("dmp", "log", "sql"):
        (place / f"in_name/x.{suffix}").symlink_to(place / target)
    with pytest.raises(InvalidFileName, match="a symbolic link"):
        job("impdp", Config(), argument)


@pytest.mark.parametrize(
    "arguments",
    [
        ("DUMPFILE=x%U.dmp", "LOGFILE=x01.dmp"),
        ("DUMPFILE=x%U.dmp", "SQLFILE=x17.dmp"),
        ("DUMPFILE=100%%.dmp", "LOGFILE=100%.dmp"),
        ("DIRECTORY=50%d", "DUMPFILE=x%U.dmp", "LOGFILE=x01.dmp"),
    ],
)
def test_a_log_or_sql_file_never_gets_the_name_of_a_dump_file(place: Path, arguments: tuple[str, ...]) -> None:
    (place / "50%d").mkdir()
    with pytest.raises(ConflictingParameters, match="is named for two purposes"):
        job("impdp", Config(), *arguments)


@pytest.mark.parametrize("log", ["x1a.dmp", "x.dmp", "in_name:x01.dmp"])
def test_a_log_may_have_a_name_that_no_dump_file_gets(place: Path, log: str) -> None:
    assert job("impdp", Config(), "DUMPFILE=x%U.dmp", f"LOGFILE={log}").dumpfiles == (str(place / "x%U.dmp"),)
