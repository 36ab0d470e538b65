"""What requests mean: defaults, values, and what contradicts itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.command_line import added_files, from_arguments, secrets
from migrator.config import Config, Credential, Secrets
from migrator.directories import Directory
from migrator.errors import (
    ActionNeedsMetadata,
    ConflictingParameters,
    InvalidCredential,
    InvalidDirectory,
    InvalidFileName,
    InvalidUrl,
    InvalidValue,
    MissingConnection,
    NoConnection,
    ObjectPathNotFound,
    UnsupportedParameter,
    UsageError,
)
from migrator.params import Client, parse
from migrator.spec import JobSpec, NameClause, ObjectFilter, TableName, TableQuery, TableRemap
from migrator.windows import Window

URL = "postgresql://hr@localhost/hr"
LINK = "NETWORK_LINK=mysql://hr@db1/hr"
META = "CONTENT=METADATA_ONLY"


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def expdp(*arguments: str) -> JobSpec:
    return from_arguments("expdp", [URL, *arguments], Config())


def impdp(*arguments: str) -> JobSpec:
    return from_arguments("impdp", [URL, *arguments], Config())


# --- operation, mode, connection


def test_the_connection_stands_anywhere() -> None:
    assert from_arguments("expdp", ["FULL=Y", URL], Config()).connection == URL


def test_a_job_needs_a_connection() -> None:
    with pytest.raises(MissingConnection):
        from_arguments("expdp", ["FULL=Y"], Config())


def test_a_second_connection_is_refused() -> None:
    with pytest.raises(InvalidValue, match="more than one"):
        expdp("sqlite:///y.db")


def test_a_job_is_an_export_an_import_or_a_sql_file() -> None:
    assert (expdp().operation, impdp().operation, impdp("SQLFILE=x").operation) == ("EXPORT", "IMPORT", "SQL_FILE")


@pytest.mark.parametrize(
    ("job", "mode"),
    [
        (lambda: expdp(), "SCHEMA"),
        (lambda: expdp("FULL=NO"), "SCHEMA"),
        (lambda: expdp("FULL=Y"), "FULL"),
        (lambda: expdp("TABLES=emp"), "TABLE"),
        (lambda: impdp(), "FULL"),
        (lambda: impdp("SCHEMAS=hr"), "SCHEMA"),
        (lambda: impdp(LINK), "SCHEMA"),
        (lambda: impdp(LINK, "FULL=Y"), "FULL"),
    ],
)
def test_the_mode_is_schema_but_for_an_import_of_a_dump(job: Callable[[], JobSpec], mode: str) -> None:
    assert job().mode == mode


@pytest.mark.parametrize("modes", [("FULL=Y", "SCHEMAS=a"), ("FULL=Y", "TABLES=a"), ("SCHEMAS=a", "TABLES=b")])
def test_modes_exclude_each_other(modes: tuple[str, str]) -> None:
    with pytest.raises(ConflictingParameters, match="multiple job modes requested"):
        expdp(*modes)


@pytest.mark.parametrize("dialect", ["oracle:", "postgresql:", "mysql:", "mariadb:", "sqlite:"])
def test_a_dialect_alone_will_do_for_a_sql_file(dialect: str) -> None:
    assert from_arguments("impdp", [dialect, "SQLFILE=x.sql"], Config()).connection == dialect


@pytest.mark.parametrize(
    ("client", "arguments"),
    [("expdp", ["oracle:"]), ("impdp", ["oracle:"]), ("impdp", [URL, "NETWORK_LINK=oracle:"])],
)
def test_a_dialect_alone_will_not_do_for_rows(client: Client, arguments: list[str]) -> None:
    with pytest.raises(NoConnection, match="dialect only"):
        from_arguments(client, arguments, Config())


def test_a_connection_that_is_neither_url_nor_name_is_refused() -> None:
    with pytest.raises(InvalidUrl, match="no connection is configured"):
        from_arguments("expdp", ["hr"], Config())


# --- secrets


def test_a_request_holds_no_password() -> None:
    job = from_arguments(
        "impdp", ["postgresql://hr:s3cret@h/hr", "NETWORK_LINK=mysql://a:t0p%40x@h/b?ssl_password=qq"], Config()
    )
    text = repr(job) + str(job.to_json())
    assert "s3cret" not in text
    assert "t0p" not in text
    assert "qq" not in text
    assert job.connection == "postgresql://hr@h/hr"


def test_the_command_is_kept_as_typed_with_passwords_masked() -> None:
    job = from_arguments("expdp", ["postgresql://hr:s3 cret@h/hr", "Tables=emp"], Config())
    assert job.command == "postgresql://hr:********@h/hr Tables=emp"


def test_the_password_comes_back_when_the_reference_is_resolved() -> None:
    config = Config()
    job = from_arguments("expdp", ["postgresql://hr:s3cret@h/hr"], config)
    assert config.resolve(job.connection).password == "s3cret"


# --- files


def test_files_lie_in_the_directory(tmp_path: Path) -> None:
    job = expdp(f"DIRECTORY={tmp_path}", "DUMPFILE=a%U.dmp,b", "LOGFILE=x")
    assert job.dumpfiles == (f"{tmp_path}/a%U.dmp", f"{tmp_path}/b.dmp")
    assert job.logfile == tmp_path / "x.log"


def test_the_directory_is_the_current_one_by_default(tmp_path: Path) -> None:
    assert (expdp().directory, expdp().dumpfiles) == (tmp_path, (f"{tmp_path}/expdat.dmp",))


def test_the_log_is_export_log_or_import_log(tmp_path: Path) -> None:
    assert (expdp().logfile, impdp().logfile) == (tmp_path / "export.log", tmp_path / "import.log")


def test_nologfile_writes_none() -> None:
    assert expdp("NOLOGFILE=Y").logfile is None


def test_a_configured_directory_goes_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    config = Config(directories={"BACKUP": Directory.public("BACKUP", tmp_path / "dumps")})
    job = from_arguments("expdp", [URL, "DIRECTORY=BACKUP"], config)
    assert job.dumpfiles == (f"{tmp_path}/dumps/expdat.dmp",)


def test_data_pump_dir_is_the_default_directory_where_it_is_configured(tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    config = Config(directories={"DATA_PUMP_DIR": Directory.public("DATA_PUMP_DIR", tmp_path / "dumps")})
    assert from_arguments("expdp", [URL], config).directory == tmp_path / "dumps"


def test_a_file_may_lie_in_a_directory_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert expdp("LOGFILE=logs:x.log").logfile == tmp_path / "logs" / "x.log"


def test_a_missing_directory_is_refused() -> None:
    with pytest.raises(InvalidDirectory, match="ORA-39087: directory name none is invalid"):
        expdp("DIRECTORY=none")


@pytest.mark.parametrize("name", ["../x.dmp", "/tmp/x.dmp", "a/b.dmp", "..", "a\\b.dmp"])
def test_a_file_name_carries_no_path(name: str) -> None:
    with pytest.raises(InvalidFileName, match="ORA-39088"):
        expdp(f"DUMPFILE={name}")


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "x.dmp").symlink_to(tmp_path / "elsewhere.dmp")
    with pytest.raises(InvalidFileName):
        expdp("DIRECTORY=inside", "DUMPFILE=x.dmp")


@pytest.mark.parametrize(
    "arguments", [("DUMPFILE=a.dmp,a.dmp",), ("DUMPFILE=x.log", "LOGFILE=x.log"), ("SQLFILE=x.log", "LOGFILE=x.log")]
)
def test_a_file_serves_one_purpose(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters, match="named for two purposes"):
        impdp(*arguments)


def test_substitution_variables_are_those_of_data_pump() -> None:
    (name,) = expdp("DUMPFILE=x_%T_%L.dmp").dumpfiles
    assert re.fullmatch(r"x_20\d{6}_%L\.dmp", Path(name).name)
    with pytest.raises(InvalidValue, match="no substitution variable is %X"):
        expdp("DUMPFILE=a%x.dmp")
    with pytest.raises(InvalidValue, match="%T is for exports"):
        impdp("DUMPFILE=x_%T_%L.dmp")


def test_logfile_and_nologfile_exclude_each_other() -> None:
    with pytest.raises(ConflictingParameters, match="NOLOGFILE"):
        expdp("LOGFILE=a", "NOLOGFILE=Y")


# --- content and existing tables


def test_rows_are_appended_by_default_when_only_rows_move() -> None:
    assert impdp().table_exists_action == "SKIP"
    assert impdp("CONTENT=DATA_ONLY").table_exists_action == "APPEND"


@pytest.mark.parametrize("action", ["SKIP", "REPLACE"])
def test_actions_that_make_tables_need_metadata(action: str) -> None:
    with pytest.raises(ActionNeedsMetadata, match=f"ORA-39137: cannot specify a TABLE_EXISTS_ACTION of {action}"):
        impdp("CONTENT=DATA_ONLY", f"TABLE_EXISTS_ACTION={action}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("CONTENT=DATA_ONLY", "SQLFILE=x.sql"),
        ("CONTENT=METADATA_ONLY", 'QUERY="WHERE a=1"'),
        ("SQLFILE=x.sql", 'QUERY="WHERE a=1"'),
        ("CONTENT=METADATA_ONLY", "TABLE_EXISTS_ACTION=TRUNCATE"),
        (LINK, "DUMPFILE=x.dmp"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters):
        impdp(*arguments)


@pytest.mark.parametrize("action", ["TRUNCATE", "REPLACE"])
def test_a_database_is_not_imported_over_itself(action: str) -> None:
    with pytest.raises(ConflictingParameters, match="would destroy what NETWORK_LINK reads"):
        impdp(f"NETWORK_LINK={URL}", f"TABLE_EXISTS_ACTION={action}")


def test_a_link_needs_no_dump_files() -> None:
    assert impdp(LINK).dumpfiles == ()


def test_an_export_over_a_link_has_dump_files_and_what_is_about_them() -> None:
    job = expdp(LINK, "DUMPFILE=hr%U.dmp", "ENCRYPTION_PASSWORD=swordfish", "CHECKSUM=YES")
    assert job.network_link == LINK.partition("=")[2]
    assert [Path(name).name for name in job.dumpfiles] == ["hr%U.dmp"]
    assert (job.mode, job.encryption, job.checksum) == ("SCHEMA", "ALL", "SHA256")


# --- names


@pytest.mark.parametrize(
    ("written", "tables"),
    [
        ("emp", [TableName(None, "emp")]),
        ("hr.emp,job%", [TableName("hr", "emp"), TableName(None, "job%")]),
        ('"Order Details","a.b"."c,d"', [TableName(None, "Order Details"), TableName("a.b", "c,d")]),
        ("(a,b)", [TableName(None, "a"), TableName(None, "b")]),
        ('"a:b"', [TableName(None, "a:b")]),
    ],
)
def test_tables_are_named_with_or_without_schema(written: str, tables: list[TableName]) -> None:
    assert list(expdp(f"TABLES={written}").tables) == tables


@pytest.mark.parametrize("written", ["a.b.c", "sales:q1"])
def test_what_is_no_table_name_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="TABLES"):
        expdp(f"TABLES={written}")


def test_schemas_keep_their_case() -> None:
    assert expdp('SCHEMAS=hr,"Sales Data"').schemas == ("hr", "Sales Data")


def test_remap_schema_takes_pairs() -> None:
    assert impdp('REMAP_SCHEMA=a:b,"c:d":e', "REMAP_SCHEMA=f:g").remap_schema == (("a", "b"), ("c:d", "e"), ("f", "g"))


@pytest.mark.parametrize(
    ("written", "remap"),
    [("old:new", TableRemap(None, "old", "new")), ('hr.old:"new one"', TableRemap("hr", "old", "new one"))],
)
def test_remap_table_takes_old_and_new(written: str, remap: TableRemap) -> None:
    assert impdp(f"REMAP_TABLE={written}").remap_table == (remap,)


@pytest.mark.parametrize("written", ["REMAP_SCHEMA=a", "REMAP_SCHEMA=a:b:c", "REMAP_TABLE=a:b.c", "REMAP_TABLE=a.b.c:d"])
def test_what_is_no_remap_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match=written.partition("=")[0]):
        impdp(written)


@pytest.mark.parametrize("name", ["1st", "a b", "a" * 64, "ä"])
def test_a_job_name_is_an_identifier(name: str) -> None:
    assert expdp("JOB_NAME=Nightly_1").job_name == "Nightly_1"
    with pytest.raises(InvalidValue, match="JOB_NAME"):
        expdp(f"JOB_NAME={name}")


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "٣"])
def test_parallel_is_a_number_from_1(number: str) -> None:
    assert expdp("PARALLEL=4").parallel == 4
    with pytest.raises(InvalidValue, match="PARALLEL"):
        expdp(f"PARALLEL={number}")


def test_parallel_has_windows() -> None:
    job = expdp("PARALLEL=2,22:00-06:00=8")
    assert (job.parallel, job.windows) == (2, (Window(22 * 60, 6 * 60, 8),))


def test_metrics_logtime_and_reuse_are_carried() -> None:
    job = expdp("METRICS=Y", "LOGTIME=all", "REUSE_DUMPFILES=YES")
    assert (job.metrics, job.logtime, job.reuse_dumpfiles) == (True, "ALL", True)


# --- INCLUDE and EXCLUDE


@pytest.mark.parametrize(
    ("written", "clause"),
    [
        ("IN ('A','B')", NameClause("IN", ("A", "B"))),
        ("in('A')", NameClause("IN", ("A",))),
        ("NOT  IN ('it''s')", NameClause("NOT IN", ("it's",))),
        ("LIKE 'X%'", NameClause("LIKE", ("X%",))),
        ("not like 'X%'", NameClause("NOT LIKE", ("X%",))),
        ("= 'A'", NameClause("=", ("A",))),
        ("<> 'A'", NameClause("!=", ("A",))),
        (">'M'", NameClause(">", ("M",))),
        ("<= 'M'", NameClause("<=", ("M",))),
    ],
)
@pytest.mark.parametrize("quote", ['"', ""], ids=["quoted", "quotes lost to the shell"])
def test_a_name_clause_says_which_objects(written: str, clause: NameClause, quote: str) -> None:
    assert expdp(f"EXCLUDE=table:{quote}{written}{quote}").exclude == (ObjectFilter("TABLE", clause),)


@pytest.mark.parametrize("written", ["IN (A)", "'A'", "IN 'A'", "LIKE 'A' OR 1=1", "BETWEEN 'A' AND 'B'"])
def test_another_clause_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="EXCLUDE"):
        expdp(f'EXCLUDE=TABLE:"{written}"')


def test_filters_are_lists() -> None:
    filters = expdp("EXCLUDE=VIEW,TRIGGER", "EXCLUDE=INDEX:\"LIKE 'X%'\"").exclude
    assert [f.path for f in filters] == ["VIEW", "TRIGGER", "INDEX"]


@pytest.mark.parametrize("path", ["SCHEMA_EXPORT/TABLE/INDEX/INDEX", "table/index", "INDEX"])
def test_a_path_means_the_type_it_ends_in(path: str) -> None:
    assert expdp(f"EXCLUDE={path}").exclude == (ObjectFilter("INDEX"),)


@pytest.mark.parametrize("path", ["TABEL", "TABLE/INDEXX", "SCHEMA_EXPORT"])
def test_an_unknown_type_is_refused(path: str) -> None:
    with pytest.raises(ObjectPathNotFound, match=f"ORA-39168: Object path {path} was not found"):
        expdp(f"EXCLUDE={path}")


def test_include_and_exclude_combine() -> None:
    job = expdp("INCLUDE=TABLE", "EXCLUDE=INDEX")
    assert (job.include, job.exclude) == ((ObjectFilter("TABLE"),), (ObjectFilter("INDEX"),))


@pytest.mark.parametrize("path", ["INDEX", "CONSTRAINT", "REF_CONSTRAINT", "COMMENT", "TABLE_DATA"])
def test_parts_of_tables_are_included_with_all_tables_only(path: str) -> None:
    assert expdp(f"INCLUDE=TABLE,{path}").include[1].path == path
    with pytest.raises(UnsupportedParameter, match=path):
        expdp(f"INCLUDE={path}")
    with pytest.raises(UnsupportedParameter, match=path):
        expdp(f"INCLUDE=TABLE:\"= 'A'\",{path}")


def test_types_that_no_job_moves_can_be_excluded_and_not_included() -> None:
    assert expdp("EXCLUDE=STATISTICS,GRANT").exclude[0].path == "STATISTICS"
    with pytest.raises(UnsupportedParameter, match="INCLUDE=GRANT"):
        expdp("INCLUDE=TABLE,GRANT")


def test_comments_have_no_names() -> None:
    with pytest.raises(InvalidValue, match="COMMENT takes no name clause"):
        expdp("EXCLUDE=COMMENT:\"= 'A'\"")


# --- QUERY


@pytest.mark.parametrize(
    ("written", "queries"),
    [
        ('"WHERE a > 1"', [TableQuery(None, "a > 1")]),
        ('emp:"where a > 1"', [TableQuery(TableName(None, "emp"), "a > 1")]),
        ('hr.emp:"WHERE a IN (1,2)",dept:"WHERE b=1"', [
            TableQuery(TableName("hr", "emp"), "a IN (1,2)"),
            TableQuery(TableName(None, "dept"), "b=1"),
        ]),
        ('"Order Details":"WHERE ""Unit Price"" > 1"', [TableQuery(TableName(None, "Order Details"), '"Unit Price" > 1')]),
        ("emp:WHERE a > 1", [TableQuery(TableName(None, "emp"), "a > 1")]),
        ("WHERE a::int IN (1, b)", [TableQuery(None, "a::int IN (1, b)")]),
        ("emp:WHERE x IN ('a,b', c),dept:WHERE c=1", [
            TableQuery(TableName(None, "emp"), "x IN ('a,b', c)"),
            TableQuery(TableName(None, "dept"), "c=1"),
        ]),
        ('"WHERE a=1",emp:"WHERE a=2"', [TableQuery(None, "a=1"), TableQuery(TableName(None, "emp"), "a=2")]),
    ],
)  # fmt: skip
def test_a_query_is_a_condition_for_a_table_or_for_all(written: str, queries: list[TableQuery]) -> None:
    assert list(expdp(f"QUERY={written}").query) == queries


@pytest.mark.parametrize("written", ["emp", 'emp:"a > 1"', 'emp:"WHERE "', 'emp:"ORDER BY a"'])
def test_what_is_no_condition_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="QUERY"):
        expdp(f"QUERY={written}")


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("a > 1 ORDER BY a", "ORDER BY"),
        ("a > 1 order  by a LIMIT 3", "ORDER BY"),
        ("a > 1 LIMIT 3", "LIMIT"),
        ("a > 1 OFFSET 3", "OFFSET"),
        ("a > 1 FETCH FIRST ROW ONLY", "FETCH FIRST"),
        ("a > 1 GROUP BY a HAVING true", "GROUP BY"),
        ("a > 1 UNION SELECT 1", "UNION"),
        ("a = 1) OR (1 = 1", r"\)"),
        ("a = 1; DROP TABLE b", ";"),
    ],
)
def test_a_query_that_is_more_than_a_condition_is_refused(clause: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=rf"more than a condition, by its {said}: a table is read in parts"):
        expdp(f'QUERY=emp:"WHERE {clause}"')


@pytest.mark.parametrize(
    "clause",
    [
        "a IN (SELECT b FROM c ORDER BY b LIMIT 3)",
        "a = 'ORDER BY) x'",
        r"path = 'C:\\' AND b = 'x LIMIT 3'",
        r"b = 'it\'s; UNION'",
        '`group by` = 1 AND ""order by"" = 2',
        "a = 1 -- LIMIT 3",
        "a /* ; */ = 1",
        "limit_1 = 1 AND offset > 3",
    ],
)
def test_a_condition_may_have_clauses_in_its_subqueries_and_their_words_in_texts_and_names(clause: str) -> None:
    assert [query.where for query in expdp(f'QUERY=emp:"WHERE {clause}"').query] == [clause.replace('""', '"')]


def test_a_table_has_one_query() -> None:
    with pytest.raises(InvalidValue, match="two of them"):
        expdp('QUERY=emp:"WHERE a=1"', 'QUERY=emp:"WHERE b=1"')


def test_an_import_takes_a_query_from_a_dump_and_over_a_link() -> None:
    assert impdp('QUERY="WHERE a=1"').query == impdp(LINK, 'QUERY="WHERE a=1"').query == (TableQuery(None, "a=1"),)


def test_the_comparisons_of_a_name_clause_are_listed_where_one_is_wrong() -> None:
    with pytest.raises(InvalidValue, match=r"foo is none of = 'A', != 'A', <.*\[NOT\] IN .*\[NOT\] LIKE"):
        expdp("EXCLUDE=TABLE:foo")


@pytest.mark.parametrize("parameter", ["DUMPFILE", "LOGFILE"])
def test_a_file_that_is_a_uri_is_refused_without_showing_its_password(parameter: str) -> None:
    with pytest.raises((UnsupportedParameter, InvalidValue), match=r"URI|no object store") as refused:
        expdp(f"{parameter}=postgresql://a:s3cret@h:1/d")
    assert "s3cret" not in str(refused.value)


# --- dump file sets: size, compression, checksums, encryption


def test_filesize_compression_and_checksum_by_default() -> None:
    job = expdp()
    assert (job.filesize, job.compression, job.compression_algorithm, job.checksum) == (None, "METADATA_ONLY", "BASIC", None)


def test_filesize_compression_and_checksum_as_given() -> None:
    job = expdp("FILESIZE=2G", "COMPRESSION=all", "COMPRESSION_ALGORITHM=HIGH", "CHECKSUM=Y")
    assert (job.filesize, job.compression, job.compression_algorithm, job.checksum) == (2 << 30, "ALL", "HIGH", "SHA256")
    assert expdp("CHECKSUM_ALGORITHM=CRC32").checksum == "CRC32"


def test_checksums_are_verified_where_there_are_some_unless_said_otherwise() -> None:
    assert impdp().verify_checksum is None
    assert impdp("VERIFY_CHECKSUM=NO").verify_checksum is False
    assert impdp("VERIFY_ONLY=YES").verify_only


KEY_FILE = Path("/keys/wallet.key")


@pytest.mark.parametrize(
    ("arguments", "config", "expected"),
    [
        ((), Config(), ("NONE", "TRANSPARENT")),
        ((), Config(key_file=KEY_FILE), ("NONE", "TRANSPARENT")),
        (("ENCRYPTION_PASSWORD=x",), Config(), ("ALL", "PASSWORD")),
        (("ENCRYPTION_PWD_PROMPT=Y",), Config(), ("ALL", "PASSWORD")),
        ((), Config(encryption_password="x"), ("ALL", "PASSWORD")),
        (("ENCRYPTION=DATA_ONLY",), Config(), ("DATA_ONLY", "TRANSPARENT")),
        (("ENCRYPTION=DATA_ONLY", "ENCRYPTION_PASSWORD=x"), Config(key_file=KEY_FILE), ("DATA_ONLY", "DUAL")),
        (("ENCRYPTION=ALL", "ENCRYPTION_MODE=PASSWORD"), Config(key_file=KEY_FILE), ("ALL", "PASSWORD")),
        (("ENCRYPTION=NONE",), Config(encryption_password="x"), ("NONE", "PASSWORD")),
    ],
)
def test_what_is_encrypted_and_how(arguments: tuple[str, ...], config: Config, expected: tuple[str, str]) -> None:
    job = from_arguments("expdp", [URL, *arguments], config)
    assert (job.encryption, job.encryption_mode) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("ENCRYPTION_PASSWORD=x", "ENCRYPTION_PWD_PROMPT=YES"),
        ("ENCRYPTION=NONE", "ENCRYPTION_PASSWORD=x"),
        ("ENCRYPTION_ALGORITHM=AES256",),
        ("ENCRYPTION_MODE=DUAL",),
        ("ENCRYPTION_MODE=TRANSPARENT", "ENCRYPTION_PASSWORD=x"),
        ("CHECKSUM=NO", "CHECKSUM_ALGORITHM=SHA256"),
    ],
)
def test_parameters_of_dump_files_that_exclude_or_need_each_other(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters):
        expdp(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        (LINK, "VERIFY_ONLY=YES"),
        (LINK, "ENCRYPTION_PASSWORD=x"),
        ("SQLFILE=x.sql", "VERIFY_ONLY=YES"),
        ("VERIFY_CHECKSUM=NO", "VERIFY_ONLY=YES"),
    ],
)
def test_parameters_of_reading_dump_files_that_exclude_each_other(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters):
        impdp(*arguments)


def test_there_are_no_encrypted_columns() -> None:
    with pytest.raises(UnsupportedParameter, match="encrypted columns"):
        expdp("ENCRYPTION=ENCRYPTED_COLUMNS_ONLY")


@pytest.mark.parametrize("password", ["swordfish", "sword,fish", "sword fish", "sword'fish;", 'sword"fish', "swordfish,"])
def test_the_encryption_password_is_no_part_of_the_request(password: str) -> None:
    arguments = [URL, f"ENCRYPTION_PASSWORD={password}", "FULL=Y"]
    job = from_arguments("expdp", arguments, Config())
    assert "fish" not in str(job.to_json())
    assert job.command == f"{URL} ENCRYPTION_PASSWORD=******** FULL=Y"
    assert secrets(parse("expdp", arguments), Config()) == Secrets(password, None, True)


def test_where_the_encryption_password_comes_from() -> None:
    config = Config(ask=lambda prompt: f"answer to {prompt}", encryption_password="surroundings", key_file=KEY_FILE)
    assert secrets(parse("impdp", []), config) == Secrets("surroundings", KEY_FILE, False)
    assert secrets(parse("impdp", ["ENCRYPTION_PASSWORD=given"]), config) == Secrets("given", KEY_FILE, True)
    asked = secrets(parse("impdp", ["ENCRYPTION_PWD_PROMPT=YES"]), config)
    assert asked == Secrets("answer to Encryption password: ", KEY_FILE, True)


def test_no_answer_is_no_password() -> None:
    with pytest.raises(InvalidValue, match="no password was given"):
        secrets(parse("impdp", ["ENCRYPTION_PWD_PROMPT=YES"]), Config(ask=lambda _: ""))


# --- ESTIMATE and MASTER_ONLY


def test_an_estimate_is_by_blocks_unless_said_otherwise() -> None:
    assert (expdp().estimate, expdp("ESTIMATE=statistics").estimate) == (None, "STATISTICS")
    assert (expdp("ESTIMATE_ONLY=YES").estimate, expdp("ESTIMATE_ONLY=NO").estimate) == ("BLOCKS", None)
    assert impdp(LINK, "ESTIMATE=BLOCKS").estimate == "BLOCKS"


def test_a_job_that_only_estimates_has_no_dump_file() -> None:
    assert expdp("ESTIMATE_ONLY=YES").dumpfiles == ()
    assert expdp("ESTIMATE_ONLY=YES", "COMPRESSION=ALL", "ENCRYPTION=ALL").estimate_only


@pytest.mark.parametrize(
    "arguments",
    [
        ("ESTIMATE_ONLY=YES", "DUMPFILE=x.dmp"),
        ("ESTIMATE_ONLY=YES", "FILESIZE=1M"),
        ("ESTIMATE_ONLY=YES", "REUSE_DUMPFILES=YES"),
        ("ESTIMATE_ONLY=YES", "QUERY=emp:WHERE a = 1"),
        ("ESTIMATE_ONLY=YES", "CONTENT=METADATA_ONLY"),
        ("ESTIMATE=BLOCKS", "CONTENT=METADATA_ONLY"),
    ],
)
def test_what_would_be_passed_over_by_an_estimate_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters, match=r"nothing to estimate|has no meaning"):
        expdp(*arguments)


@pytest.mark.parametrize("arguments", [("ESTIMATE=BLOCKS",), (LINK, "SQLFILE=x.sql", "ESTIMATE=BLOCKS")])
def test_an_import_estimates_what_a_link_will_bring(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters, match="ESTIMATE"):
        impdp(*arguments)


@pytest.mark.parametrize(
    "argument",
    [
        *(LINK, "KEEP_MASTER=NO", "SQLFILE=x.sql", "VERIFY_ONLY=YES", "CONTENT=DATA_ONLY", "TABLE_EXISTS_ACTION=REPLACE"),
        *("QUERY=emp:WHERE a = 1", "REMAP_SCHEMA=a:b", "REMAP_TABLE=a:b"),
    ],
)
def test_what_would_be_passed_over_by_an_import_of_the_master_table_is_refused(argument: str) -> None:
    assert impdp("MASTER_ONLY=YES", "TABLES=emp", "JOB_NAME=held").master_only
    with pytest.raises(ConflictingParameters, match="MASTER_ONLY"):
        impdp("MASTER_ONLY=YES", argument)


# --- object stores --------------------------------------------------------------------------------------------------

STORE = Config(credentials={"archive": Credential(access_key="AK", secret_key="s3cret")})
CREDENTIAL = "CREDENTIAL=archive"


def exported(*arguments: str, config: Config = STORE) -> JobSpec:
    return from_arguments("expdp", ["sqlite:///x.db", "NOLOGFILE=YES", *arguments], config)


def test_a_uri_keeps_its_slashes_and_a_credential_is_a_name() -> None:
    job = exported("DUMPFILE=s3://bucket/a/b%U.dmp,s3://bucket/c%L", CREDENTIAL)
    assert job.dumpfiles == ("s3://bucket/a/b%U.dmp", "s3://bucket/c%L")
    assert job.credential == "archive"
    assert JobSpec.from_json(json.loads(json.dumps(job.to_json()))) == job
    assert "s3cret" not in str(job.to_json())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["DUMPFILE=s3://bucket/a.dmp"], InvalidValue),
        (["DUMPFILE=s3://bucket"], InvalidValue),
        (["DUMPFILE=s3://bucket/a%U/"], InvalidValue),
        (["DUMPFILE=s3://bucket/a//b%U"], InvalidValue),
        (["DUMPFILE=s3://bucket/../b%U"], InvalidValue),
        (["DUMPFILE=s3://AK:s3cret@bucket/b%U"], InvalidValue),
        (["DUMPFILE=s3://bucket/b%U?secret_key=s3cret"], InvalidValue),
        (["DUMPFILE=gs://bucket/b%U"], InvalidValue),
        (["DUMPFILE=s3://bucket/a%U,b%U.dmp"], ConflictingParameters),
        (["DUMPFILE=b%U.dmp", CREDENTIAL], ConflictingParameters),
        (["DUMPFILE=s3://bucket/a%U", "CREDENTIAL=other"], InvalidCredential),
    ],
)
def test_what_is_no_place_for_a_dump_set_is_refused(arguments: list[str], error: type[UsageError]) -> None:
    with pytest.raises(error) as caught:
        exported(*arguments)
    assert "s3cret" not in str(caught.value)


def test_a_log_file_is_no_object() -> None:
    with pytest.raises(UnsupportedParameter, match="only dump files"):
        from_arguments("expdp", ["sqlite:///x.db", "DUMPFILE=s3://bucket/a%U", "LOGFILE=s3://bucket/x.log"], STORE)


def test_an_import_takes_an_object_by_its_own_name() -> None:
    arguments = ["sqlite:///x.db", "NOLOGFILE=YES", "DUMPFILE=s3://bucket/a01.dmp"]
    assert from_arguments("impdp", arguments, STORE).dumpfiles == ("s3://bucket/a01.dmp",)


def test_added_files_are_where_the_others_are() -> None:
    job = exported("DUMPFILE=s3://bucket/a%U.dmp", CREDENTIAL)
    assert added_files("s3://bucket/more%U.dmp", STORE, job) == ("s3://bucket/more%U.dmp",)
    with pytest.raises(ConflictingParameters, match="not in both"):
        added_files("more%U.dmp", STORE, job)
    with pytest.raises(ConflictingParameters, match="not in both"):
        added_files("s3://bucket/more%U.dmp", STORE, exported("DUMPFILE=a.dmp"))


# --- what would be passed over, and what is said of it


def test_filesize_0_sets_no_limit() -> None:
    assert expdp("FILESIZE=0").filesize is None
    with pytest.raises(InvalidValue, match="less than 40K"):
        expdp("FILESIZE=1K")


@pytest.mark.parametrize("others", [(), ("COMPRESSION=METADATA_ONLY",), ("COMPRESSION=NONE",)])
def test_how_rows_are_compressed_needs_rows_that_are(others: tuple[str, ...]) -> None:
    with pytest.raises(ConflictingParameters, match="needs COMPRESSION=ALL or DATA_ONLY"):
        expdp("COMPRESSION_ALGORITHM=HIGH", *others)


@pytest.mark.parametrize("name", ["x" * 256 + ".dmp", "x" * 247 + "%T.dmp", "x" * 250 + "%U.dmp"])
def test_a_dump_file_whose_name_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"'DUMPFILE'.* the file system takes 255"):
        expdp(f"DUMPFILE={name}")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("s3://b/k%U.dmp", "'b' is no bucket's name"),
        ("s3://Backups/k%U.dmp", "'Backups' is no bucket's name"),
        ("s3://backups", "it has no key"),
        ("s3://backups//k", "its key is not made of plain names"),
        ("gs://backups/k", "gs:// is no object store"),
    ],
)
def test_what_is_wrong_with_an_objects_name_is_said(uri: str, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        expdp(f"DUMPFILE={uri}")


def test_a_parameter_without_a_value_is_no_second_connection() -> None:
    with pytest.raises(InvalidValue, match="'KEEP_MASTER': no value is given"):
        expdp("KEEP_MASTER")
    with pytest.raises(InvalidValue, match="'connection': there is more than one"):
        expdp("mysql://h/d")


def test_a_job_has_no_name_that_sqlite_keeps_to_itself() -> None:
    with pytest.raises(InvalidValue, match="SQLite keeps names"):
        expdp("JOB_NAME=SQLite_x")


# --- FLASHBACK_TIME and FLASHBACK_SCN -------------------------------------------------------------------------------


def test_a_flashback_says_which_state_rows_are_read_in() -> None:
    job = expdp("FLASHBACK_TIME=\"TO_TIMESTAMP('2024-02-29 12:00', 'YYYY-MM-DD HH24:MI')\"")
    assert (job.past, job.flashback_scn) == ("2024-02-29 12:00:00.000000", None)
    assert impdp(LINK, "FLASHBACK_TIME=SYSTIMESTAMP").past is None
    assert impdp(LINK, "FLASHBACK_SCN=00000003-0000001B-1").flashback_scn == "00000003-0000001B-1"
    assert JobSpec.from_json(job.to_json()) == job


def test_the_two_flashbacks_exclude_each_other() -> None:
    with pytest.raises(
        ConflictingParameters, match="FLASHBACK_TIME is incompatible with parameter FLASHBACK_SCN"
    ) as refused:
        expdp("FLASHBACK_TIME=SYSTIMESTAMP", "FLASHBACK_SCN=1")
    assert refused.value.code == "ORA-39050"


@pytest.mark.parametrize("name", ["FLASHBACK_TIME=SYSTIMESTAMP", "FLASHBACK_SCN=00000003-0000001B-1"])
def test_a_flashback_reads_rows_of_a_database(name: str) -> None:
    for arguments, why in (
        ((), "needs NETWORK_LINK"),
        ((LINK, "SQLFILE=x.sql"), "SQLFILE"),
        ((LINK, META), "METADATA_ONLY"),
    ):
        with pytest.raises(ConflictingParameters, match=why):
            impdp(*arguments, name)
    with pytest.raises(ConflictingParameters, match="ESTIMATE_ONLY"):
        expdp("ESTIMATE_ONLY=YES", name)


# --- ACCESS_METHOD=INSERT_AS_SELECT ---------------------------------------------------------------------------------


def test_insert_as_select_is_for_imports_over_a_link() -> None:
    assert impdp(LINK, "ACCESS_METHOD=INSERT_AS_SELECT").access_method == "INSERT_AS_SELECT"
    with pytest.raises(ConflictingParameters, match="needs NETWORK_LINK"):
        impdp("ACCESS_METHOD=INSERT_AS_SELECT")
    past = "FLASHBACK_TIME=\"TO_TIMESTAMP('2024-02-29 12:00', 'YYYY-MM-DD HH24:MI')\""
    for state in (past, "FLASHBACK_SCN=00000003-0000001B-1"):
        with pytest.raises(ConflictingParameters, match="such a state is read by a session of its own"):
            impdp(LINK, "ACCESS_METHOD=INSERT_AS_SELECT", state)
    with pytest.raises(InvalidValue, match="rows are never unloaded by INSERT_AS_SELECT"):
        expdp(LINK, "ACCESS_METHOD=INSERT_AS_SELECT")
