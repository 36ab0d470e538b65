"""Expressions that cannot be translated: an entry each, whatever the translator stumbles over, and never the job's end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

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


def test_a_difference_that_mysql_refuses_below_zero_is_named_where_it_is_carried(
    mysql: Callable[[], str], postgresql: Callable[..., str]
) -> None:
    source, target = mysql(), postgresql()
    execute(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, a int unsigned, b smallint unsigned, c int, y year, d decimal(5,2),"
        " k int AS (c - 1) STORED, l bigint AS (a - c) VIRTUAL, CONSTRAINT near CHECK (a - b < 5),"
        " CONSTRAINT low CHECK (c - id < 100))",
        "INSERT INTO t (id, a, b, c, y, d) VALUES (1, 5, 3, 1, 2000, 1.5)",
        "CREATE VIEW v AS SELECT a - b AS x FROM t",
        "CREATE VIEW of_a_sum AS SELECT a + 1 - c AS x FROM t",
        "CREATE VIEW of_years AS SELECT y - 2000 AS x FROM t",
        "CREATE VIEW of_a_view AS SELECT x - 1 AS z FROM v",
        "CREATE VIEW within AS SELECT id FROM t WHERE id IN (SELECT a - b FROM t)",
        "CREATE VIEW signed_ones AS SELECT c - 1 AS x, a - d AS z, (SELECT count(a) FROM t) - 1 AS n FROM t",
    )
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES"))
    told = [loss.partition(": a difference")[0] for loss in run.losses if loss.endswith("[unsigned-difference]")]
    views = [f'VIEW:"public"."{name}"' for name in ("of_a_sum", "of_a_view", "of_years", "v", "within")]
    table = ['TABLE:"public"."t"."l"', 'TABLE:"public"."t": check near (`a` - `b` < 5)']
    assert sorted(told) == [*table, *views]
    assert rows(target, "SELECT x, l FROM of_a_sum, t") == [(5, 4)]
