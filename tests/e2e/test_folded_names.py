"""A MariaDB server that holds names of tables for one that differ in case (``lower_case_table_names=1``)."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.support.pump import pump, remap
from tests.support.servers import Servers
from tests.support.sql import execute, rows


def test_tables_whose_names_the_server_folds_are_refused_before_anything_is_made(
    servers: Servers, postgresql: Callable[[], str]
) -> None:
    server, source = servers.private_mysql("--lower-case-table-names=1"), postgresql()
    try:
        target = server.fresh().render_as_string(hide_password=False)
        execute(source, 'CREATE TABLE "T" (id int)', "CREATE TABLE t (id int)", 'INSERT INTO "T" VALUES (1)')
        run = pump("impdp", target, f"NETWORK_LINK={source}", remap(source, target), "NOLOGFILE=YES")
        assert run.code == 1, run.out + run.err
        assert re.search(r'MIG-10010: TABLE:.*"T" and TABLE:.*"t" would both be named t in M(aria|yS)', run.out + run.err)
        assert rows(target, "SHOW TABLES") == []
        execute(source, 'DROP TABLE "T"', 'CREATE SCHEMA "Public"', 'CREATE TABLE "Public".other (id int)')
        run = pump("impdp", target, f"NETWORK_LINK={source}", "SCHEMAS=public,Public", "NOLOGFILE=YES")
        assert run.code == 1, run.out + run.err
        assert re.search(r'MIG-10010: SCHEMA:"Public" and SCHEMA:"public" would both', run.out + run.err)
    finally:
        server.stop()
