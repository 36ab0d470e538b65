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
