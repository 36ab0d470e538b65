"""The tests' own comparison of rows: what it holds equal, and that it sees what differs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.support.rows import Rows, assert_same_rows, common_kind, differences, rows_of, tables_of


def one(kind: str, *values: object) -> Rows:
    return Rows("t", ("c",), (kind,), [(value,) for value in values])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (one("number", "1.50"), one("number", "1.5")),
        (one("any", 1), one("any", 1.0)),
        (one("any", 0.1), one("number", "0.1000")),
        (one("any", "0.10"), one("number", "0.1")),
        (one("number", "1"), one("truth", "t")),
        (one("bits", "101"), one("number", "5")),
        (one("single", "0.10000000149011612"), one("single", "0.1")),
        (one("any", "2024-02-29 00:00:00"), one("moment", "2024-02-29")),
        (one("moment", "2024-02-29 12:00:00.500000"), one("moment", "2024-02-29 12:00:00.5+00")),
        (one("span", "-838:59:59"), one("span", "-838:59:59.000")),
        (one("padded", "a  "), one("text", "a")),
        (one("octets", b"\x00" * 16), one("uuid", "00000000-0000-0000-0000-000000000000")),
        (one("json", '{"a": 1, "b": 2.0}'), one("text", '{"b":2,"a":1.0}')),
        (one("number", "NaN"), one("number", "NaN")),
        (one("text", "b", "a", None), one("text", None, "a", "b")),
    ],
)
def test_equal_values_in_different_clothes_are_equal(source: Rows, target: Rows) -> None:
    assert differences(source, target) == ""


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (one("text", ""), one("text", None)),
        (one("any", "1"), one("any", 1)),
        (one("any", b"a"), one("any", "a")),
        (one("text", "a "), one("text", "a")),
        (one("text", "a", "a"), one("text", "a")),
        (one("number", "12345678901234567890.123"), one("number", "12345678901234567890.124")),
        (one("moment", "2024-02-29 12:00:00.000001"), one("moment", "2024-02-29 12:00:00")),
        (one("moment", "0000-00-00"), one("moment", None)),
        (one("json", '{"a": 12345678901234567890.123}'), one("json", '{"a": 12345678901234567890.1}')),
    ],
)
def test_a_changed_value_is_a_difference(source: Rows, target: Rows) -> None:
    assert "rows are missing" in differences(source, target)


def test_a_difference_names_the_column_and_both_values() -> None:
    source = Rows("emp", ("id", "name"), ("number", "text"), [("1", "Jo"), ("2", "Al")])
    target = Rows("emp", ("name", "id"), ("text", "number"), [("Jo", "1"), ("AI", "2")])
    assert "id=Decimal('2'): name (text): 'Al' became 'AI'" in differences(source, target)


def test_a_lost_column_is_a_difference() -> None:
    assert "became" in differences(one("text", "a"), Rows("t", ("d",), ("text",), [("a",)]))


def test_the_more_specific_kind_decides() -> None:
    assert common_kind("any", "number") == "number"
    assert common_kind("moment", "text") == "moment"
    assert common_kind("bits", "truth") == "bits number"


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_same_rows_read_from_three_databases_are_equal(
    sqlite_file: Callable[[], str], postgresql: Callable[[], str], mysql: Callable[[], str]
) -> None:
    urls = sqlite_file(), postgresql(), mysql()
    types = {
        "sqlite": ("INTEGER", "TEXT", "REAL", "REAL", "BLOB", "TEXT", "TEXT"),
        "postgresql": ("boolean", "char(5)", "numeric(9,3)", "real", "bytea", "timestamp(3)", "interval"),
        "mysql": ("tinyint(1)", "char(5)", "decimal(9,3)", "float", "blob", "datetime(3)", "time"),
    }
    for url, blob in zip(urls, ("X'00FF'", "'\\x00ff'::bytea", "X'00FF'"), strict=True):
        a, b, c, d, e, f, g = types[sa.make_url(url).get_backend_name()]
        truth = "true" if url.startswith("postgresql") else "1"
        execute(
            url,
            f"CREATE TABLE t (a {a}, b {b}, c {c}, d {d}, e {e}, f {f}, g {g})",
            f"INSERT INTO t VALUES ({truth}, 'é', 1.5, 0.1, {blob}, '2024-02-29 12:00:00.500', '25:00:01')",
            "INSERT INTO t VALUES (NULL, '', NULL, NULL, NULL, NULL, NULL)",
        )
    for url in urls:
        assert tables_of(url) == ["t"]
        for other in urls:
            assert_same_rows(url, other)


def test_an_unknown_table_is_an_error(postgresql: Callable[[], str]) -> None:
    with pytest.raises(LookupError, match="nothing"):
        rows_of(postgresql(), "nothing")
