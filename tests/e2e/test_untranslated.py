"""Expressions that cannot be translated: an entry each, whatever the translator stumbles over, and never the job's end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.expressions.carrier import Carrier
from tests.support.pump import done, pump, remap, schema_of
from tests.support.sql import execute, rows

CASTS = ("'q'::regclass::text", "'integer'::regtype::text", "a::text::regclass::text", 'a::"char"::text', "id::oid::text")
"""Casts to types that name objects, and to types with names in quotes."""


@pytest.mark.parametrize("target", ["mysql:", "sqlite:", "oracle:"])
def test_a_cast_to_a_type_of_postgresql_is_an_entry(target: str, postgresql: Callable[..., str], tmp_path: Path) -> None:
    source = postgresql()
    execute(
        source,
        "CREATE SEQUENCE q",
        "CREATE TABLE t (id integer PRIMARY KEY, a text, x integer DEFAULT nextval('q'::regclass) * 10)",
        *(f"ALTER TABLE t ADD CONSTRAINT c{n} CHECK ({cast} > 'k')" for n, cast in enumerate(CASTS)),
        *(f"CREATE VIEW v{n} AS SELECT id FROM t WHERE {cast} = 'q'" for n, cast in enumerate(CASTS)),
    )
    asked = (f"NETWORK_LINK={source}", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql")
    run = done(pump("impdp", target, *asked, *(("REMAP_SCHEMA=public:main",) if target == "sqlite:" else ())))
    told = Counter(re.sub(r".*\[(.*)\]", r"\1", loss) for loss in run.losses)
    assert (told["default"], told["check"], told["view"]) == (1, len(CASTS), len(CASTS)), run.losses


def test_whatever_the_translator_stumbles_over_is_an_entry(
    postgresql: Callable[..., str], mysql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgresql(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, b integer CONSTRAINT over_0 CHECK (b > 0))",
        "CREATE VIEW v AS SELECT id FROM t WHERE id > 1",
        "INSERT INTO t VALUES (1, 2)",
    )

    def stumble(*_: object) -> None:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr(Carrier, "value", stumble)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", "NOLOGFILE=YES", remap(source, target)))
    assert [loss for loss in run.losses if "not understood: a slip" in loss] == [
        f'TABLE:"{schema_of(target)}"."t": check over_0 ((b > 0)) is left out: not understood: a slip [check]',
        f'VIEW:"{schema_of(target)}"."v": not carried: not understood: a slip [view]',
    ]
    assert rows(target, "SELECT id, b FROM t") == [(1, 2)]


IN_SQLS_WORDS: dict[str, dict[str, str]] = {
    "postgresql": {
        "SELECT id FROM t FOR UPDATE": "a query with FOR UPDATE, or another lock",
        "SELECT DISTINCT ON (a) a FROM t": "a query with DISTINCT ON",
        "SELECT id FROM t TABLESAMPLE SYSTEM (10)": "a query with TABLESAMPLE",
        "SELECT row_number() OVER w AS n FROM t WINDOW w AS (ORDER BY id)": "a query with WINDOW",
        "SELECT count(*) FILTER (WHERE id > 1) AS n FROM t": "what FILTER means elsewhere",
        'SELECT a COLLATE "C" AS b FROM t': "what COLLATE means elsewhere",
        "SELECT sqrt(id) AS b FROM t": "what SQRT of float means elsewhere",
        "SELECT a::integer AS b FROM t": "what CAST AS INT of text means elsewhere",
    },
    "mysql": {
        "SELECT id FROM t GROUP BY id WITH ROLLUP": "a query with ROLLUP",
        "SELECT id FROM t USE INDEX (PRIMARY)": "a query with a hint",
        "SELECT CAST(a AS UNSIGNED) AS b FROM t": "what CAST AS BIGINT UNSIGNED of caseless means elsewhere",
        "SELECT json_extract(a, '$.b') AS b FROM t": "what JSON_EXTRACT means elsewhere",
        "SELECT json_object('b', id) AS b FROM t": "what JSON_OBJECT means elsewhere",
        "SELECT substring_index(a, 'b', 1) AS b FROM t": "what SUBSTRING_INDEX of caseless, string, integer means elsewhere",
    },
}


@pytest.mark.parametrize("here", sorted(IN_SQLS_WORDS))
def test_what_is_left_out_is_told_in_the_words_of_its_sql(
    here: str, postgresql: Callable[..., str], mysql: Callable[[], str], tmp_path: Path
) -> None:
    source = {"postgresql": postgresql, "mysql": mysql}[here]()
    queries = IN_SQLS_WORDS[here]
    views = {f"v{number}": query for number, query in enumerate(queries)}
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(20))",
        *(f"CREATE VIEW {name} AS {query}" for name, query in views.items()),
    )
    asked = (f"NETWORK_LINK={source}", "NOLOGFILE=YES", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql")
    run = done(pump("impdp", "sqlite:", *asked, f"REMAP_SCHEMA={schema_of(source)}:main"))
    for name, query in views.items():
        (told,) = (loss for loss in run.losses if f'."{name}": ' in loss)
        assert queries[query] in told


def test_what_mysql_refuses_below_zero_is_named_where_it_is_carried(
    mysql: Callable[[], str], postgresql: Callable[..., str]
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, a int unsigned, b smallint unsigned, c int, y year, d decimal(5,2),"
        " k int AS (c - 1) STORED, l bigint AS (a - c) VIRTUAL, g bigint AS (b + c) STORED,"
        " CONSTRAINT near CHECK (a - b < 5), CONSTRAINT low CHECK (c - id < 100), CONSTRAINT far CHECK (a + c < 100))",
        "INSERT INTO t (id, a, b, c, y, d) VALUES (1, 5, 3, 1, 2000, 1.5)",
        "CREATE VIEW v AS SELECT a - b AS x FROM t",
        "CREATE VIEW of_a_sum AS SELECT a + 1 - c AS x FROM t",
        "CREATE VIEW of_years AS SELECT y - 2000 AS x FROM t",
        "CREATE VIEW of_a_view AS SELECT x - 1 AS z FROM v",
        "CREATE VIEW within AS SELECT id FROM t WHERE id IN (SELECT a - b FROM t)",
        "CREATE VIEW signed_ones AS SELECT c - 1 AS x, a - d AS z, (SELECT count(a) FROM t) - 1 AS n FROM t",
    )
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    told = [
        re.sub(r": a \w+ with a number that has no sign may be less than 0 here, .*", "", loss)
        for loss in run.losses
        if loss.endswith("[unsigned-arithmetic]")
    ]
    views = [f'VIEW:"public"."{name}"' for name in ("of_a_sum", "of_a_view", "of_years", "v", "within")]
    checks = [f'TABLE:"public"."t": check {check}' for check in ("far `a` + `c` < 100", "near `a` - `b` < 5")]
    told = [
        re.sub(r"check (\w+) (.*)", lambda found: f"check {found[1]} {found[2].translate(BRACKETS)}", one) for one in told
    ]
    assert sorted(told) == sorted(['TABLE:"public"."t"."g"', 'TABLE:"public"."t"."l"', *checks, *views])
    assert rows(target, "SELECT x, l, g FROM of_a_sum, t") == [(5, 4, 4)]


BRACKETS = str.maketrans("", "", "()")
"""MySQL writes more of them than MariaDB."""

NUMBERS = "a int unsigned, b smallint unsigned, c int, d decimal(5,2), n int, y year, s varchar(9)"

BELOW_ZERO = (
    *("a + c", "c + a", "a * c", "c DIV a", "a + c + 100", "a * n * -1", "y + c - 2000", "a + DATEDIFF(at, till)"),
    *("ROUND(a) - 30", "ROUND(a, 0) - 30", "FLOOR(a) - 30", "CEIL(a) - 30", "ABS(a) - 30", "NULLIF(a, c) - 30"),
    *("COALESCE(a, b) - 30", "GREATEST(a, b) - 30", "IF(n = 1, a, b) - 30", "CASE WHEN n = 1 THEN a END - 30"),
    *("CAST(a AS SIGNED) - a - 30", "CHAR_LENGTH(s) - a", "FLOOR(d) - b - 3", "MAX(a) - 30", "c + 11 - a * 3", "a % 3 - 30"),
)
"""What MySQL's numbers without a sign make an error in a row where it is less than 0."""

ELSEWHERE_TOO = (
    *("c - 30", "a + b", "a + CHAR_LENGTH(s)", "a * 2 + 1", "-a", "-a - 1", "c * n - 5", "a + 0.5 - 30", "a + d - 30"),
    *("COALESCE(a, 5) - 30", "COALESCE(a, c) - 30", "GREATEST(a, 3) - 30", "IF(n = 1, a, c) - 30", "c % a - 30"),
    *("CAST(a AS SIGNED) - 30", "CHAR_LENGTH(s) - 30", "SUM(a) - 30", "SUM(a) - SUM(b) * 1000", "COUNT(a) - 30"),
    *("a DIV b", "ROUND(d) - b"),
)
"""What has a value there as everywhere."""


def test_arithmetic_is_named_if_and_only_if_mysql_refuses_it(
    mysql: Callable[[], str], postgresql: Callable[..., str]
) -> None:
    source, target = mysql(), postgresql()
    views = {f"v{n:02}": sql for n, sql in enumerate((*BELOW_ZERO, *ELSEWHERE_TOO))}
    execute(
        source,
        f"CREATE TABLE t (id int PRIMARY KEY, {NUMBERS}, at date, till date)",
        "INSERT INTO t VALUES (1, 5, 3, -10, 1.5, 1, 2000, 'abc', '2000-01-01', '2001-01-01')",
        *(f"CREATE VIEW {name} AS SELECT {sql} AS x FROM t" for name, sql in views.items()),
    )
    assert {sql for name, sql in views.items() if _is_refused(source, name)} == set(BELOW_ZERO)
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    told = [(sql, loss) for loss in run.losses for name, sql in views.items() if f'"{name}"' in loss]
    assert [entry for entry in told if entry[1].endswith("[view]")] == []
    assert {sql for sql, loss in told if loss.endswith("[unsigned-arithmetic]")} == set(BELOW_ZERO)


def test_oracles_script_names_it_too_if_and_only_if_mysql_refuses_it(mysql: Callable[[], str], tmp_path: Path) -> None:
    source = mysql()
    views = {f"v{n:02}": sql for n, sql in enumerate((*BELOW_ZERO, *ELSEWHERE_TOO))}
    execute(
        source,
        f"CREATE TABLE t (id int PRIMARY KEY, {NUMBERS}, at date, till date, h bigint AS (a + c) STORED,"
        " CONSTRAINT near CHECK (a - b < 5), CONSTRAINT low CHECK (c - id < 100))",
        *(f"CREATE VIEW {name} AS SELECT {sql} AS x FROM t" for name, sql in views.items()),
        "CREATE VIEW of_a_view AS SELECT x - 1 AS z FROM v00",
        "CREATE VIEW of_signs AS SELECT a - b AS z FROM (SELECT c AS a, n AS b FROM t) u",
    )
    asked = (f"NETWORK_LINK={source}", "CONTENT=METADATA_ONLY", "NOLOGFILE=YES", f"DIRECTORY={tmp_path}", "SQLFILE=x.sql")
    losses = done(pump("impdp", "oracle:", *asked)).losses
    told = [loss for loss in losses if loss.endswith("[unsigned-arithmetic]")]
    assert [loss for loss in losses if loss.endswith("[view]")] == []
    assert {sql for name, sql in views.items() if any(f'"{name}"' in loss for loss in told)} == set(BELOW_ZERO)
    tables = [re.sub(r"^.*?\"t\"|: a \w+ with .*", "", loss) for loss in told if "TABLE:" in loss]
    assert [one.translate(BRACKETS) for one in tables] == ['."h"', ": check near `a` - `b` < 5"]
    assert ['"of_a_view"' in loss for loss in told].count(True) == 1
    assert not any('"of_signs"' in loss for loss in told)


def _is_refused(url: str, view: str) -> bool:
    try:
        rows(url, f"SELECT x FROM {view}")
    except sa.exc.DBAPIError:
        return True
    return False


def test_arithmetic_that_mysql_would_refuse_is_left_out_there(
    sqlite_file: Callable[..., str], mysql: Callable[[], str]
) -> None:
    source, target = sqlite_file(), mysql()
    execute(
        source,
        "CREATE TABLE t (id integer PRIMARY KEY, a INT UNSIGNED, c INT)",
        "INSERT INTO t VALUES (1, 5, -10)",
        *(f"CREATE VIEW v{n} AS SELECT a {operator} c AS x FROM t" for n, operator in enumerate("+-*")),
        "CREATE VIEW w AS SELECT coalesce(a, 3) * c AS x, a * 2 + 1 AS y, a % 3 AS z FROM t",
    )
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    assert sorted(re.findall(r'"(\w+)": not carried: .*\[view\]', "\n".join(run.losses))) == ["v0", "v1", "v2"]
    assert rows(target, "SELECT x, y, z FROM w") == [(-50, 11, 2)]
