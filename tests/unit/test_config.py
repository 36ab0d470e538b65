"""Connections and directories by name, and where passwords come from and never go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.command_line import from_arguments
from migrator.config import Config, load, read
from migrator.directories import Directory
from migrator.errors import InvalidDirectory, InvalidLink, InvalidUrl, NotText, UnreadableConfig, mask, mask_argument, redact


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A configuration file that others may read."""
    path = tmp_path / "config.toml"
    path.touch(0o644)
    return path


# --- connections


def test_a_url_is_referred_to_without_its_password_and_resolves_to_it() -> None:
    config = Config()
    reference = config.reference("postgresql://hr:s3cret@db1:5433/hr?sslmode=require")
    assert reference == "postgresql://hr@db1:5433/hr?sslmode=require"
    assert config.resolve(reference) == sa.make_url("postgresql://hr:s3cret@db1:5433/hr?sslmode=require")


def test_secrets_in_the_query_of_a_url_are_no_part_of_its_reference() -> None:
    config = Config()
    assert config.reference("mysql://h/db?ssl_key_password=x&charset=utf8mb4") == "mysql://h/db?charset=utf8mb4"


def test_a_dialect_alone_resolves_to_its_bare_url() -> None:
    assert Config().resolve("oracle:").get_backend_name() == "oracle"


def test_a_file_is_the_same_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reference = Config().reference("sqlite:///x.db")
    monkeypatch.chdir("/")
    assert Config().resolve(reference).database == str(tmp_path / "x.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x.db?uri=true", "postgresql://h/x.db"])
def test_what_is_no_file_stays_as_it_is(url: str) -> None:
    assert Config().resolve(url) == sa.make_url(url)


def test_a_name_means_its_configured_url(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@db1/hr"\n')
    config = read(config_file)
    assert config.reference("hr") == "hr"
    assert config.resolve("hr") == sa.make_url("postgresql://hr@db1/hr")


def test_an_unknown_name_is_refused_with_those_configured(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "sqlite:///x.db"\n')
    with pytest.raises(InvalidUrl, match=r"MIG-12154: 'sales' .* configured are hr"):
        read(config_file).reference("sales")


def test_a_bare_sqlite_file_is_refused_with_its_url(config_file: Path) -> None:
    with pytest.raises(InvalidUrl, match=f"a SQLite file's URL is sqlite:///{config_file}"):
        Config().reference(str(config_file))


@pytest.mark.parametrize("url", ["postgresql://h:port/db", "://x", "postgresql://u:p@ss@host/db"])
def test_a_broken_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        Config().reference(url)
    assert "p@ss" not in str(caught.value)
    assert "ss@" not in str(caught.value)


def test_a_logon_in_oracles_style_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidUrl) as caught:
        Config().reference("hr/tiger@orcl")
    assert "tiger" not in str(caught.value)


# --- passwords


def test_a_password_comes_from_the_environment(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@h/hr"\npassword_env = "HR_PW"\n')
    monkeypatch.setenv("HR_PW", "p w")
    assert read(config_file).resolve("hr").password == "p w"


def test_an_unset_password_variable_is_named(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@h/hr"\npassword_env = "HR_PW"\n')
    monkeypatch.delenv("HR_PW", raising=False)
    with pytest.raises(InvalidUrl, match="HR_PW is not set"):
        read(config_file).resolve("hr")


def test_a_password_comes_from_a_file_beside_the_configuration(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@h/hr"\npassword_file = "hr.pw"\n')
    config_file.with_name("hr.pw").write_text("secret\n")
    assert read(config_file).resolve("hr").password == "secret"


def test_a_missing_password_file_is_named(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@h/hr"\npassword_file = "none.pw"\n')
    with pytest.raises(InvalidUrl, match=r"none\.pw cannot be read"):
        read(config_file).resolve("hr")


@pytest.mark.parametrize(
    "entry", ['url = "postgresql://hr:s3cret@h/hr"', 'url = "postgresql://hr@h/hr"\npassword = "s3cret"']
)
def test_a_password_in_the_file_needs_a_file_of_mode_0600(entry: str, config_file: Path) -> None:
    config_file.write_text(f"[connections.hr]\n{entry}\n")
    with pytest.raises(UnreadableConfig, match="others can read the file"):
        read(config_file)
    config_file.chmod(0o600)
    assert read(config_file).resolve("hr").password == "s3cret"


def test_two_passwords_for_one_connection_are_refused(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "postgresql://hr@h/hr"\npassword_env = "A"\npassword_file = "b"\n')
    with pytest.raises(UnreadableConfig, match="more than one password"):
        read(config_file)


def test_a_question_mark_asks_for_the_password_once() -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "typed"

    config = Config(ask=ask)
    reference = config.reference("postgresql://hr:?@db1/hr")
    assert [config.resolve(reference).password for _ in range(2)] == ["typed", "typed"]
    assert prompts == ["Password of hr for postgresql://hr@db1/hr: "]


def test_without_a_terminal_there_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = Config()
    reference = config.reference("postgresql://hr:?@db1/hr")
    with (tmp_path / "empty").open("w+") as no_terminal:
        monkeypatch.setattr("sys.stdin", no_terminal)
        with pytest.raises(InvalidUrl, match="no terminal to ask"):
            config.resolve(reference)


def test_a_configuration_shows_no_password_of_this_run() -> None:
    config = Config()
    config.reference("postgresql://hr:s3cret@db1/hr")
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:********@h/d"),
        ("postgresql://u:p w:/@x@h/d", "postgresql://u:********@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("mysql://h/d?password=x&a=b", "mysql://h/d?password=********&a=b"),
        ("hr/tiger@orcl", "hr/********@orcl"),
        ("hr/tiger", "hr/********"),
        ("hr/ti@ger@orcl", "hr/********@orcl"),
        ("hr:tiger@localhost/orcl", "hr:********@localhost/orcl"),
        ("hr:ti@ger@localhost", "hr:********@localhost"),
        ("hr", "hr"),
        ("/data/hr.db", "/data/hr.db"),
        ("./hr.db", "./hr.db"),
        ("oracle:", "oracle:"),
    ],
)
def test_a_connection_is_shown_with_its_password_masked(typed: str, shown: str) -> None:
    assert mask(typed) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("network_link=mysql://u:p w@h/d", "network_link=mysql://u:********@h/d"),
        ("USERID=hr:tiger@db1/hr", "USERID=hr:********@db1/hr"),
        ("ENCRYPTION_PASSWORD=x", "ENCRYPTION_PASSWORD=********"),
        ("DIRECTORY=/a/b", "DIRECTORY=/a/b"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql://u:********@h/d?sslmode=require"),
    ],
)
def test_a_parameter_is_shown_with_its_password_masked(typed: str, shown: str) -> None:
    assert mask_argument(typed) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach postgresql://hr:tiger@db1/hr", "cannot reach postgresql://hr:********@db1/hr"),
        ("/data/postgresql:/hr:tiger@db1 is no directory", "/data/postgresql:/hr:********@db1 is no directory"),
        ("failed: password=tiger", "failed: password=********"),
        ("Access denied for user 'hr'@'h' (using password: YES)", "Access denied for user 'hr'@'h' (using password: YES)"),
    ],
)
def test_passwords_in_messages_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert redact(text) == shown


# --- directories


def test_a_directory_is_a_name_of_the_configuration_or_a_path(tmp_path: Path) -> None:
    config = Config(directories={"HERE": Directory.public("HERE", tmp_path)})
    assert config.directory("HERE", "READ") == config.directory(str(tmp_path), "READ") == tmp_path


def test_directories_are_relative_to_the_configuration_file(config_file: Path) -> None:
    (config_file.parent / "dumps").mkdir()
    config_file.write_text('[directories]\nDATA_PUMP_DIR = "dumps"\n')
    assert read(config_file).directory(None, "WRITE") == config_file.parent / "dumps"


def test_a_file_is_no_directory(config_file: Path) -> None:
    with pytest.raises(InvalidDirectory, match="is no directory"):
        Config().directory(str(config_file), "READ")


# --- the file


def test_the_file_is_the_one_the_environment_names(config_file: Path) -> None:
    config_file.write_text('[connections.hr]\nurl = "sqlite:///x.db"\n')
    assert list(load({"MIGRATOR_CONFIG": str(config_file)}).connections) == ["hr"]


def test_else_the_one_in_the_users_configuration_directory(tmp_path: Path) -> None:
    (tmp_path / "migrator").mkdir()
    (tmp_path / "migrator" / "config.toml").write_text('[directories]\nA = "/"\n')
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).directories == {"A": Directory.public("A", Path("/"))}


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}) == Config()


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfig, match="No such file"):
        load({"MIGRATOR_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "MIG-12160"),
        ("[conections.hr]\nurl='sqlite://'", "unknown entries: conections"),
        ("[connections.hr]\nurl='sqlite://'\npasword='x'", "unknown entries: pasword"),
        ("[connections]\nhr='sqlite://'", "is not as it should be"),
        ("[connections.hr]\npassword_env='X'", "needs url"),
        ("[connections.hr]\nurl='hr'", "neither a database URL"),
        ("[directories]\na=1", "is not as it should be"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(text: str, words: str, config_file: Path) -> None:
    config_file.write_text(text)
    with pytest.raises(UnreadableConfig, match=words):
        read(config_file)


# --- encryption


def test_the_key_file_is_relative_to_the_configuration_file(config_file: Path) -> None:
    config_file.write_text('[encryption]\nkey_file = "wallet.key"\n')
    assert read(config_file).key_file == config_file.parent / "wallet.key"


def test_the_environment_goes_before_the_configured_key_file(config_file: Path) -> None:
    config_file.write_text('[encryption]\nkey_file = "wallet.key"\n')
    environment = {"MIGRATOR_CONFIG": str(config_file), "MIGRATOR_KEY_FILE": "/keys/other.key"}
    config = load({**environment, "MIGRATOR_ENCRYPTION_PASSWORD": "swordfish"})
    assert config.key_file == Path("/keys/other.key")
    assert config.encryption_password == "swordfish"
    assert "swordfish" not in repr(config)


# --- what no file system and no recipient takes


def test_a_configuration_is_an_ordinary_file() -> None:
    with pytest.raises(UnreadableConfig, match="not an ordinary file"):
        read(Path("/dev/null"))


def test_a_password_file_is_an_ordinary_file(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[connections.hr]\nurl = "postgresql://hr@h/d"\npassword_file = "/dev/null"\n')
    with pytest.raises(InvalidUrl, match="password file /dev/null cannot be read"):
        read(tmp_path / "c.toml").resolve("hr")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "~nobody-of-this-name/x", "gr\udcf6"])
def test_a_directory_that_cannot_be_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gr\udcf6").mkdir()
    with pytest.raises(InvalidDirectory):
        Config().directory(name, None)


def test_a_current_directory_whose_name_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gr\udcf6").mkdir()
    monkeypatch.chdir(tmp_path / "gr\udcf6")
    with pytest.raises(InvalidDirectory, match="no text"):
        Config().directory(None, None)
    with pytest.raises(InvalidUrl, match="no text"):
        Config().reference("sqlite:///x.db")


@pytest.mark.parametrize("name", ["x" * 300, "sqlite:///" + "x" * 300, "sqlite:///" + "x" * 250, "sqlite:///a\0b"])
def test_a_database_file_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(InvalidUrl):
        Config().reference(name)


def test_a_password_that_is_no_text_is_refused_and_not_shown() -> None:
    with pytest.raises(NotText, match="MIGRATOR_ENCRYPTION_PASSWORD") as refused:
        load({"MIGRATOR_ENCRYPTION_PASSWORD": "hush\udcf6", "XDG_CONFIG_HOME": "/nowhere"})
    assert "hush" not in str(refused.value)


# --- links ----------------------------------------------------------------------------------------------------------


def links(tmp_path: Path, text: str, mode: int = 0o600) -> Config:
    """The configuration in a file that nobody else reads, as it is by default."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return read(path)


JOB = sa.make_url("mysql://hr:lion@db1/hr")


def test_a_link_of_the_connected_user_is_used_as_the_job_connects(tmp_path: Path) -> None:
    config = links(tmp_path, '[links.there]\nkind = "connected user"\nurl = "postgresql://db2/hr?sslmode=require"')
    url = config.linked(config.link("there"), JOB)
    assert url.render_as_string(hide_password=False) == "postgresql://hr:lion@db2/hr?sslmode=require"
    with pytest.raises(InvalidLink, match="a file's job has none") as refused:
        config.linked("there", sa.make_url("sqlite:///x.db"))
    assert refused.value.code == "ORA-39200"


@pytest.mark.parametrize("kind", ["public", "fixed user"])
def test_a_link_with_a_user_of_its_own_is_used_by_every_job_as_that_user(kind: str, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("tiger\n")
    text = f'[links.there]\nkind = "{kind}"\nurl = "mysql://reader@db2/hr"\npassword_file = "pw"'
    urls = links(tmp_path, text).urls("sqlite:///x.db", "there")
    assert urls["there"].render_as_string(hide_password=False) == "mysql://reader:tiger@db2/hr"


def test_the_password_of_a_link_is_asked_for_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "tiger"

    config = links(tmp_path, '[links.there]\nkind = "fixed user"\nurl = "mysql://reader:?@db2/hr"')
    config = replace(config, ask=ask)
    assert [config.linked("there", JOB).password for _ in range(2)] == ["tiger", "tiger"]
    assert asked == ["Password of reader for there: "]


def test_a_link_of_the_current_user_is_refused_where_it_is_used(tmp_path: Path) -> None:
    config = links(tmp_path, '[links.there]\nkind = "current user"\nurl = "mysql://db2/hr"')
    with pytest.raises(InvalidLink, match="it is a link of the current user"):
        from_arguments("impdp", ["sqlite:///x.db", "NETWORK_LINK=there"], config)


def test_what_is_no_link_may_be_a_connection(tmp_path: Path) -> None:
    config = links(tmp_path, '[connections.there]\nurl = "mysql://hr@db2/hr"')
    assert config.linked(config.link("there"), JOB) == sa.make_url("mysql://hr@db2/hr")
    with pytest.raises(InvalidUrl):
        config.link("nowhere")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[links.x]\nurl = "mysql://hr@h/d"', "kind is one of public, fixed user"),
        ('[links.x]\nkind = "private"\nurl = "mysql://hr@h/d"', "kind is one of public, fixed user"),
        ('[links.x]\nkind = "public"', "needs url"),
        ('[links.x]\nkind = "fixed user"\nurl = "mysql://h/d"', "has the user in its url"),
        ('[links.x]\nkind = "connected user"\nurl = "mysql://hr@h/d"', "neither user nor password of its own"),
        ('[links.x]\nkind = "connected user"\nurl = "mysql://h/d"\npassword_env = "P"', "neither user nor password"),
        ('[links.x]\nkind = "connected user"\nurl = "sqlite:///x.db"', "leads to a server"),
        ('[links.x]\nkind = "public"\nurl = "mysql://h/d"\nowner = "hr"', "unknown entries: owner"),
        (
            '[links.x]\nkind = "public"\nurl = "mysql://h/d"\n[connections.x]\nurl = "mysql://h/d"',
            "a link and of a connection",
        ),
    ],
)
def test_a_link_that_is_wrong_is_refused_by_name(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfig, match=why):
        links(tmp_path, text).link("x")


def test_a_link_that_is_wrong_is_in_nobodys_way_who_does_not_name_it(tmp_path: Path) -> None:
    text = '[links.x]\nkind = "private"\nurl = "mysql://hr@h/d"\n[links.there]\nkind = "public"\nurl = "mysql://h/d"'
    config = links(tmp_path, text)
    assert config.linked(config.link("there"), JOB) == sa.make_url("mysql://h/d")
    with pytest.raises(UnreadableConfig) as refused:
        from_arguments("impdp", ["sqlite:///x.db", "NETWORK_LINK=x"], config)
    assert "docs/links.md" in refused.value.action


def test_a_link_that_shows_its_password_to_others_is_refused_at_once(tmp_path: Path) -> None:
    text = '[links.x]\nkind = "public"\nurl = "mysql://hr@h/d"\npassword = "tiger"'
    with pytest.raises(UnreadableConfig, match="others can read the file"):
        links(tmp_path, text, mode=0o644)
