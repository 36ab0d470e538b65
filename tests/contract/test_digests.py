"""What databases say of rows by digests of their own: equal for equal rows only, whatever their order and granules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from migrator.adapter import Granule, Read, adapter_for_backend
from migrator.model.objects import QName
from tests.support.pump import schema_of
from tests.support.sql import execute

Fresh = Callable[[], str]
Found = tuple[int, int] | None


@pytest.fixture(params=["postgresql", "mysql"])
def url(request: pytest.FixtureRequest) -> str:
    made: str = request.getfixturevalue(request.param)()
    return made


def digest(url: str, name: str, *, where: str = "", columns: tuple[str, ...] | None = None) -> Found:
    """What the database says of a table, or of the rows that meet a condition."""
    target = sa.make_url(url)
    adapter = adapter_for_backend(target.get_backend_name())
    engine, schema = adapter.engine(target), schema_of(url)
    with engine.connect() as connection:
        table = adapter.catalog(connection, [schema], proof=False).table(QName(schema, name))
    assert table is not None
    chosen = table.columns if columns is None else tuple(table.column(column) for column in columns)
    read = Read(table.qname, chosen, granule=Granule(where=where))
    with adapter.snapshot(engine, 1) as snapshot, adapter.reading(engine, snapshot) as connection:
        return adapter.digest(connection, read)


def test_rows_in_another_order_have_one_digest_and_parts_add_up(url: str) -> None:
    execute(
        url,
        "CREATE TABLE a (n integer, t varchar(10))",
        "CREATE TABLE b (n integer, t varchar(10))",
        "INSERT INTO a VALUES (1, 'x'), (2, NULL), (2, NULL), (3, '100%')",
        "INSERT INTO b VALUES (3, '100%'), (2, NULL), (1, 'x'), (2, NULL)",
    )
    whole, parts = digest(url, "a"), [digest(url, "a", where="t LIKE '1%'"), digest(url, "a", where="t IS NULL OR n = 1")]
    assert whole == digest(url, "b")
    assert None not in parts
    assert whole == tuple(sum(values) for values in zip(*filter(None, parts), strict=True))
    assert digest(url, "a", where="n > 9") == (0, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["(NULL, 'a')"], ["('', 'a')"]),
        (["('a', NULL)"], ["(NULL, 'a')"]),
        (["('a', 'b')"], ["('ab', '')"]),
        (["('a,b', 'c')"], ["('a', 'b,c')"]),
        (["('1:a', 'b')"], ["('1', 'a1:b')"]),
        (["('N', 'N')"], ["(NULL, NULL)"]),
        (["('a', 'b')"], ["('a', 'b')", "('a', 'b')"]),
        (["('a', 'b')", "('c', 'd')"], ["('a', 'd')", "('c', 'b')"]),
        (["('a', 'b')"], ["('A', 'b')"]),
        (["('a', 'b')"], ["('a ', 'b')"]),
        (["('e', 'b')"], ["('é', 'b')"]),
    ],
)
def test_other_rows_have_another_digest(url: str, first: list[str], second: list[str]) -> None:
    execute(url, *[f"CREATE TABLE {name} (a varchar(10), b varchar(10))" for name in ("one", "other")])
    execute(url, f"INSERT INTO one VALUES {', '.join(first)}", f"INSERT INTO other VALUES {', '.join(second)}")
    assert digest(url, "one") != digest(url, "other")


def test_values_are_digested_to_their_last_digit(url: str) -> None:
    double = "double precision"
    execute(
        url,
        *[f"CREATE TABLE {t} (f {double}, r real, d decimal(30,10), at timestamp(6) NULL)" for t in ("one", "other")],
        "INSERT INTO one VALUES (0.1, 0.1, 12345678901234567890.0000000001, '2020-01-01 00:00:00.000001')",
        "INSERT INTO other SELECT * FROM one",
    )
    assert digest(url, "one") == digest(url, "other")
    values = {
        "f": "0.10000000000000002",
        "r": "0.10000001",
        "d": "12345678901234567890.0000000002",
        "at": "'2020-01-01 00:00:00.000002'",
    }
    for column, value in values.items():
        execute(url, "DELETE FROM other", "INSERT INTO other SELECT * FROM one", f"UPDATE other SET {column} = {value}")
        assert digest(url, "one") != digest(url, "other"), column
        assert digest(url, "one", columns=(column,)) != digest(url, "other", columns=(column,)), column


def test_character_sets_of_mysql_are_told_apart(mysql: Fresh) -> None:
    url = mysql()
    for charset in ("latin1", "latin2", "utf8mb4"):
        execute(url, f"CREATE TABLE {charset} (t varchar(10) CHARACTER SET {charset})")
    execute(url, "INSERT INTO latin1 VALUES (_latin1 x'EB')", "INSERT INTO latin2 VALUES (_latin2 x'E6')")
    execute(url, "INSERT INTO utf8mb4 VALUES ('ë')")
    assert digest(url, "latin1") == digest(url, "utf8mb4")
    assert digest(url, "latin2") != digest(url, "utf8mb4")
    execute(url, "UPDATE utf8mb4 SET t = 'ć'")
    assert digest(url, "latin2") == digest(url, "utf8mb4")


def test_a_row_that_is_too_long_to_be_digested_says_so(mysql: Fresh) -> None:
    url = mysql()
    target = sa.make_url(url)
    adapter = adapter_for_backend("mysql")
    execute(url, "CREATE TABLE t (a longblob, b longblob)", "INSERT INTO t VALUES (REPEAT('a', 200), REPEAT('b', 200))")
    with adapter.engine(target).connect() as connection:
        table = adapter.catalog(connection, [schema_of(url)], proof=False).table(QName(schema_of(url), "t"))
        assert table is not None
        read = Read(table.qname, table.columns)
        most = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
        half = f"REPEAT('a', {most // 2 + 10})"
        connection.exec_driver_sql(f"UPDATE t SET a = {half}, b = {half}")
        assert adapter.digest(connection, read) is None
        assert adapter.digest(connection, replace(read, columns=table.columns[:1])) is not None
