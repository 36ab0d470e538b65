"""How parameters are written: names, lists, quotes, parameter files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import (
    ConflictingParameters,
    InvalidValue,
    UnknownParameter,
    UnreadableParfile,
    UnsupportedParameter,
)
from migrator.params import PARAMETERS, Client, Parameter, dotted, of_client, parse, read_parfile, split, unquoted

EXPORT_NAMES = """
    ABORT_STEP ACCESS_METHOD ATTACH CHECKSUM CHECKSUM_ALGORITHM CLUSTER COMPRESSION COMPRESSION_ALGORITHM CONTENT CREDENTIAL
    DATA_OPTIONS DIRECTORY DUMPFILE ENABLE_SECURE_ROLES ENCRYPTION ENCRYPTION_ALGORITHM ENCRYPTION_MODE ENCRYPTION_PASSWORD
    ENCRYPTION_PWD_PROMPT ESTIMATE ESTIMATE_ONLY EXCLUDE FILESIZE FLASHBACK_SCN FLASHBACK_TIME FULL HELP INCLUDE JOB_NAME
    KEEP_MASTER LOGFILE LOGTIME METRICS NETWORK_LINK NOLOGFILE PARALLEL PARALLEL_THRESHOLD PARFILE QUERY REMAP_DATA
    REUSE_DUMPFILES SAMPLE SCHEMAS SERVICE_NAME SOURCE_EDITION STATUS TABLES TABLESPACES TRANSPORT_DATAFILES_LOG
    TRANSPORT_FULL_CHECK TRANSPORT_TABLESPACES TRANSPORTABLE TTS_CLOSURE_CHECK USERID VERSION VIEWS_AS_TABLES
"""
IMPORT_NAMES = """
    ABORT_STEP ACCESS_METHOD ATTACH CLUSTER CONTENT CREDENTIAL DATA_OPTIONS DIRECTORY DUMPFILE ENABLE_SECURE_ROLES
    ENCRYPTION_PASSWORD ENCRYPTION_PWD_PROMPT ESTIMATE EXCLUDE FLASHBACK_SCN FLASHBACK_TIME FULL HELP INCLUDE JOB_NAME
    KEEP_MASTER LOGFILE LOGTIME MASTER_ONLY METRICS NETWORK_LINK NOLOGFILE ONESTEP_INDEX PARALLEL PARALLEL_THRESHOLD PARFILE
    PARTITION_OPTIONS QUERY REMAP_CONTAINER REMAP_DATA REMAP_DATAFILE REMAP_DIRECTORY REMAP_SCHEMA REMAP_TABLE
    REMAP_TABLESPACE REUSE_DATAFILES SCHEMAS SERVICE_NAME SKIP_UNUSABLE_INDEXES SOURCE_EDITION SQLFILE STATUS
    STREAMS_CONFIGURATION TABLE_EXISTS_ACTION TABLES TABLESPACES TARGET_EDITION TRANSFORM TRANSPORT_DATAFILES
    TRANSPORT_FULL_CHECK TRANSPORT_TABLESPACES TRANSPORTABLE USERID VERIFY_CHECKSUM VERIFY_ONLY VERSION VIEWS_AS_TABLES
"""


OWN_NAMES = {
    "expdp": {"DIGEST", "MASTER_TABLE", "PROFILE"},
    "impdp": {
        *("COLUMN_TYPE", "FRACTIONAL_SECONDS", "LEDGER", "MASTER_TABLE", "NUMBER_TYPES", "POLICY", "PROFILE"),
        *("REJECT_LIMIT", "VERIFY"),
    },
}
"""Parameters that Data Pump has not."""


def test_every_parameter_of_data_pump_is_known_to_its_client() -> None:
    assert set(of_client("expdp")) == set(EXPORT_NAMES.split()) | OWN_NAMES["expdp"]
    assert set(of_client("impdp")) == set(IMPORT_NAMES.split()) | OWN_NAMES["impdp"]


def test_a_client_has_one_row_for_a_name() -> None:
    for client in ("expdp", "impdp"):
        names = [row.name for row in PARAMETERS if client in row.clients]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.refusal], ids=lambda row: f"{row.name}-{len(row.clients)}")
def test_a_refused_parameter_is_refused_by_name_and_reason(row: Parameter) -> None:
    for client in row.clients:
        with pytest.raises(UnsupportedParameter) as caught:
            parse(client, [f"{row.name.lower()}=1"])
        assert row.name in str(caught.value)
        assert row.refusal in str(caught.value)


def test_names_are_case_insensitive_and_values_are_kept() -> None:
    assert parse("expdp", ["tAbLeS=Emp"]).values == {"TABLES": ("Emp",)}


def test_blanks_around_the_equals_sign_do_not_matter() -> None:
    assert parse("expdp", ["TABLES = a"]).items("TABLES") == ["a"]


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(UnknownParameter, match="LRM-00101: unknown parameter name 'COLOUR'"):
        parse("expdp", ["COLOUR=red"])


def test_a_parameter_of_the_other_client_says_so() -> None:
    with pytest.raises(UnknownParameter, match=r"'SQLFILE' \(impdp has it\)"):
        parse("expdp", ["SQLFILE=x.sql"])


def test_a_url_with_an_equals_sign_is_no_parameter() -> None:
    assert parse("expdp", ["postgresql://h/db?sslmode=require"]).words == ("postgresql://h/db?sslmode=require",)


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'TABLES': no value"):
        parse("expdp", ["TABLES="])


def test_a_list_parameter_may_be_repeated() -> None:
    assert parse("expdp", ["TABLES=a,b", "TABLES=c"]).items("TABLES") == ["a", "b", "c"]


def test_a_single_parameter_may_not_be_repeated() -> None:
    with pytest.raises(ConflictingParameters, match="PARALLEL takes one value and is given twice"):
        parse("expdp", ["PARALLEL=1", "parallel=2"])


def test_an_argument_that_ends_in_a_comma_is_continued_by_the_next() -> None:
    assert parse("expdp", ["TABLES=a,", "b,", "c", "sqlite:///x.db"]).items("TABLES") == ["a", "b", "c"]


@pytest.mark.parametrize(("written", "meant"), [("Y", "YES"), ("yes", "YES"), ("n", "NO"), ("NO", "NO")])
def test_flags_take_yes_and_no_and_their_first_letters(written: str, meant: str) -> None:
    assert parse("expdp", [f"METRICS={written}"]).choice("METRICS") == meant


def test_a_value_outside_the_choices_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'SOME' is none of ALL, DATA_ONLY, METADATA_ONLY"):
        parse("expdp", ["CONTENT=SOME"]).choice("CONTENT")


# --- values


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("a,b", ["a", "b"]),
        ("(a, b)", ["a", "b"]),
        ("(a),(b)", ["(a)", "(b)"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("TABLE:IN ('A','B'),VIEW", ["TABLE:IN ('A','B')", "VIEW"]),
        ("TABLE:\"IN ('A','B')\",VIEW", ["TABLE:\"IN ('A','B')\"", "VIEW"]),
        ("TABLE:= 'it''s, x',VIEW", ["TABLE:= 'it''s, x'", "VIEW"]),
        ('t:"WHERE \\"a,b\\" = 1",c', ['t:"WHERE \\"a,b\\" = 1"', "c"]),
    ],
)
def test_lists_are_split_at_commas_outside_quotes_and_parentheses(written: str, items: list[str]) -> None:
    assert split(written, "X") == items


@pytest.mark.parametrize("written", ["a,,b", ",a", "a,"])
def test_an_empty_item_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="an item is empty"):
        split(written, "X")


@pytest.mark.parametrize("written", ['"a', "'a", '"a" , "b'])
def test_an_open_quote_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="no closing quote"):
        split(written, "X")


@pytest.mark.parametrize("written", ["(a", "a)", "((a)"])
def test_unmatched_parentheses_are_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match="parentheses do not match"):
        split(written, "X")


@pytest.mark.parametrize(
    ("written", "text"),
    [('"a b"', "a b"), ("a b", "a b"), ('"a""b"', 'a"b'), ('"a\\"b"', 'a"b'), ('"a" or "b"', '"a" or "b"')],
)
def test_quotes_around_a_whole_value_are_taken_off(written: str, text: str) -> None:
    assert unquoted(written, "X") == text


def test_a_dot_inside_quotes_does_not_separate() -> None:
    assert dotted('hr."order.lines"', "X") == ["hr", "order.lines"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\\"), min_size=1), min_size=1, max_size=4))
def test_any_names_survive_when_quoted(names: list[str]) -> None:
    written = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    assert [unquoted(item, "X") for item in split(written, "X")] == names


# --- PARFILE


def parfile(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "job.par"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_parfile_has_one_parameter_a_line(tmp_path: Path) -> None:
    path = parfile(tmp_path, "tables = a\n\nparallel=4\n")
    assert read_parfile(path) == [("TABLES", "a"), ("PARALLEL", "4")]


def test_lines_that_begin_with_a_hash_are_comments(tmp_path: Path) -> None:
    assert read_parfile(parfile(tmp_path, "# TABLES=a\n  # more\nFULL=Y\n")) == [("FULL", "Y")]


def test_a_hash_inside_a_value_is_kept(tmp_path: Path) -> None:
    assert read_parfile(parfile(tmp_path, "TABLES=a#b\n")) == [("TABLES", "a#b")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TABLES=a,\n  b,\n# not this\n  c\n", "a,b,c"),
        ("TABLES=a,\\\nb\n", "a,b"),
        ("TABLES=(a\n,b\n)\n", "(a,b)"),
        ('TABLES="a\n# b"\n', '"a\n# b"'),
    ],
)
def test_a_value_goes_on_after_comma_and_backslash_and_inside_quotes_and_parentheses(
    text: str, value: str, tmp_path: Path
) -> None:
    assert read_parfile(parfile(tmp_path, text + "FULL=Y\n")) == [("TABLES", value), ("FULL", "Y")]


def test_a_query_over_several_lines_keeps_its_line_ends(tmp_path: Path) -> None:
    path = parfile(tmp_path, 'QUERY=emp:"WHERE a > 1\n  AND b < 2"\n')
    assert read_parfile(path) == [("QUERY", 'emp:"WHERE a > 1\n  AND b < 2"')]


def test_the_command_line_goes_before_the_parfile_and_lists_add_up(tmp_path: Path) -> None:
    path = parfile(tmp_path, "PARALLEL=4\nTABLES=b\n")
    request = parse("expdp", [f"PARFILE={path}", "PARALLEL=2", "TABLES=a"])
    assert request.one("PARALLEL") == "2"
    assert request.items("TABLES") == ["a", "b"]


def test_a_parfile_names_no_other_parfile(tmp_path: Path) -> None:
    with pytest.raises(UnreadableParfile, match="names another PARFILE"):
        parse("expdp", [f"PARFILE={parfile(tmp_path, 'PARFILE=x.par')}"])


def test_a_line_that_is_no_parameter_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableParfile, match="line 2 is no NAME=value"):
        parse("expdp", [f"PARFILE={parfile(tmp_path, 'FULL=Y' + chr(10) + 'nonsense')}"])


def test_a_missing_parfile_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableParfile, match=r"LRM-00109: .*none\.par.*No such file"):
        parse("expdp", [f"PARFILE={tmp_path}/none.par"])


def test_a_parfile_obeys_the_same_rules_as_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedParameter, match="SAMPLE"):
        parse("expdp", [f"PARFILE={parfile(tmp_path, 'SAMPLE=ALL')}"])


@pytest.mark.parametrize("client", ["expdp", "impdp"])
def test_userid_names_the_database_in_a_parameter_file(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "job.par"
    path.write_text('USERID="postgresql://hr@localhost/hr"\nFULL=YES\n')
    request = parse(client, [f"PARFILE={path}"])
    assert request.words == ("postgresql://hr@localhost/hr",)
    assert "USERID" not in request


def test_a_parfile_is_an_ordinary_file() -> None:
    """A device may never end."""
    with pytest.raises(UnreadableParfile, match="not an ordinary file"):
        read_parfile(Path("/dev/null"))
