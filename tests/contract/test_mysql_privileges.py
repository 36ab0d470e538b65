"""A user who may only read exports no less than he may see, and is told what he may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialects.mysql.privileges import Grant, hides_keys, key_rows, losses, parsed
from migrator.ends import Database
from migrator.model.catalog import Catalog
from migrator.model.objects import Literal, Program, Table, View
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, is_mariadb

USER = "migrator_reader@localhost"


@pytest.fixture
def source(mysql: Callable[[], str]) -> Iterator[str]:
    """Objects of every kind; the user USER has no privilege on them yet."""
    url = mysql()
    execute(
        url,
        "CREATE TABLE `a``,b` (`i``(` INT, j INT, PRIMARY KEY (`i``(`, j))",
        "CREATE TABLE child (id INT PRIMARY KEY, x INT, y INT, up INT, "
        "CONSTRAINT `f``1` FOREIGN KEY (x, y) REFERENCES `a``,b` (`i``(`, j) ON DELETE CASCADE ON UPDATE SET NULL, "
        "CONSTRAINT f2 FOREIGN KEY (up) REFERENCES child (id) ON UPDATE NO ACTION)",
        "CREATE VIEW v AS SELECT id FROM child",
        "CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW SET NEW.x = NEW.x",
        "CREATE FUNCTION fn() RETURNS INT RETURN 1",
        "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SET @x = 1",
        f"DROP USER IF EXISTS {USER}",
        f"CREATE USER {USER} IDENTIFIED BY 'reads'",
    )
    yield url
    execute(url, f"DROP USER {USER}")


def reader(url: str, privileges: str) -> str:
    """The URL of USER, who has these privileges on the database."""
    target = sa.make_url(url)
    execute(url, f"GRANT {privileges} ON `{target.database}`.* TO {USER}")
    return target.set(username=USER.split("@")[0], password="reads").render_as_string(False)


def catalog(url: str) -> Catalog:
    database = Database(sa.make_url(url))
    with database.connect() as connection:
        return database.adapter.catalog(connection, [str(database.url.database)])


def hidden(found: Catalog) -> set[str]:
    """The kinds of objects that the losses say are not shown."""
    return {loss.detail.split()[0] for loss in found.losses if loss.rule == "privileges"}


@pytest.mark.mysql
@pytest.mark.parametrize("privileges", ["SELECT", "SELECT, EVENT, EXECUTE", "SELECT, REFERENCES", "ALL"])
def test_tables_are_read_whole_by_who_may_select(source: str, privileges: str) -> None:
    """The numbers that the optimizer estimates aside."""

    def tables(found: Catalog) -> list[Table]:
        return [replace(table, rows=None, bytes=None) for table in found.of(Table)]

    whole = tables(catalog(source))
    assert sum(len(table.foreign_keys) for table in whole) == 2
    assert tables(catalog(reader(source, privileges))) == whole


@pytest.mark.mysql
def test_what_is_hidden_is_in_the_loss_list(source: str) -> None:
    found = catalog(reader(source, "SELECT"))
    assert not list(found.of(View))
    assert not list(found.of(Program))
    assert hidden(found) == {"triggers", "events", "routines"}
    assert any(loss.object.startswith("VIEW:") and "SHOW VIEW" in loss.detail for loss in found.losses)


@pytest.mark.mysql
def test_what_is_shown_without_its_text_is_in_the_loss_list_by_name(source: str) -> None:
    found = catalog(reader(source, "SELECT, INSERT, EXECUTE"))
    lost = {loss.object.split(":")[0] for loss in found.losses if "not carried: its text" in loss.detail}
    assert lost == {"FUNCTION", "VIEW"} | ({"TRIGGER"} if is_mariadb(source) else set())  # MySQL does not show it at all
    assert not list(found.of(Program))


@pytest.mark.mysql
def test_defaults_that_are_told_to_readers_only_are_in_the_loss_list(source: str) -> None:
    execute(source, "CREATE TABLE d (x float DEFAULT 16777215, w varchar(9) DEFAULT '😀') DEFAULT CHARSET utf8mb4")
    found = catalog(reader(source, "INSERT"))
    assert [column.default for table in found.of(Table) if table.name == "d" for column in table.columns] == [
        Literal("16777200", "number"),
        None,
    ]
    assert {loss.column for loss in found.losses if loss.rule == "default"} == {"x", "w"}


@pytest.mark.mysql
def test_nothing_is_hidden_from_who_has_the_privileges(source: str) -> None:
    found = catalog(reader(source, "SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE"))
    assert hidden(found) == set()
    assert {program.kind for program in found.of(Program)} == {"TRIGGER", "EVENT"}
    assert [view.name for view in found.of(View)] == ["v"]
    assert hidden(catalog(source)) == set()


@pytest.mark.mysql
def test_privileges_on_routines_that_are_not_shown_are_told_where_there_are_routines(source: str) -> None:
    url = reader(source, "CREATE ROUTINE, SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE")
    assert hidden(catalog(url)) == set()
    execute(url, "CREATE FUNCTION mine() RETURNS INT RETURN 1", "CREATE PROCEDURE mine() SELECT 1")
    found = [loss for loss in catalog(url).losses if loss.rule == "privileges"]
    assert [loss.detail.partition(" without")[0] for loss in found] == ["privileges on routines are not shown"]
    assert found[0].object.startswith("SCHEMA:")
    execute(source, f"GRANT SELECT ON mysql.procs_priv TO {USER}")
    assert hidden(catalog(url)) == set()


@pytest.mark.mysql
def test_an_export_by_a_reader_says_what_it_leaves_behind(source: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    run = done(pump("expdp", reader(source, "SELECT"), f"DIRECTORY={tmp_path}", "MASTER_TABLE=LOCAL"))
    assert any("triggers are not shown without the privilege TRIGGER" in loss for loss in run.losses)
    assert "Loss list:" in run.out


@pytest.mark.mysql
@pytest.mark.parametrize("others", ["LOCK TABLES, SHOW VIEW", "TRIGGER", "USAGE"])
@pytest.mark.parametrize("content", ["ALL", "METADATA_ONLY"])
def test_columns_that_are_hidden_and_what_names_them_are_in_the_loss_list(
    source: str, others: str, content: str, tmp_path: Path
) -> None:
    execute(
        source,
        "CREATE TABLE part (i INT PRIMARY KEY, secret INT, made INT AS (secret + 1) STORED, "
        "CONSTRAINT ck CHECK (secret > i), UNIQUE KEY us (secret), KEY ki (i), "
        "CONSTRAINT self FOREIGN KEY (secret) REFERENCES part (i))",
        "CREATE TABLE other (id INT PRIMARY KEY, CONSTRAINT up FOREIGN KEY (id) REFERENCES part (secret))",
        "INSERT INTO part (i, secret) VALUES (1, NULL)",
        f"GRANT SELECT (i, made) ON part TO {USER}",
        f"GRANT SELECT ON other TO {USER}",
    )
    url = reader(source, others)
    found = catalog(url)
    table = next(table for table in found.of(Table) if table.name == "part")
    assert [(column.name, column.generated) for column in table.columns] == [("i", None), ("made", None)]
    assert [index.name for index in table.indexes] == ["ki"]
    assert (table.uniques, table.checks, table.foreign_keys) == ((), (), ())
    assert [other.foreign_keys for other in found.of(Table) if other.name == "other"] == [()]
    named = {loss.column or loss.detail.split()[0] for loss in found.losses if "hidden" in loss.detail}
    assert {"made"} <= named <= {"made", "us", "ck", "self", "up"}
    assert "us" in named or others == "USAGE"  # whose server does not show the key either
    run = pump("expdp", url, f"DIRECTORY={tmp_path}", "MASTER_TABLE=LOCAL", f"CONTENT={content}")
    assert (run.code, run.rows.get("part")) == (5 if content == "ALL" else 0, None)
    assert [loss for loss in run.losses if '"part": only columns on which there is a privilege are shown' in loss]
    assert ("ORA-31631: privileges are required: SELECT on all columns of" in run.out) is (content == "ALL")


@pytest.mark.mysql
def test_a_table_all_of_whose_columns_are_granted_is_carried(source: str) -> None:
    execute(source, "CREATE TABLE part (i INT PRIMARY KEY, j INT)", f"GRANT SELECT (i, j) ON part TO {USER}")
    (table,) = catalog(reader(source, "USAGE")).of(Table)
    assert [column.name for column in table.columns] == ["i", "j"]


@pytest.mark.mysql
def test_a_table_of_which_no_column_is_shown_is_in_the_loss_list(source: str) -> None:
    found = catalog(reader(source, "DELETE, LOCK TABLES"))
    assert list(found.of(Table)) == []
    named = {loss.object for loss in found.losses if "no column" in loss.detail}
    assert len(named) == 2
    assert all(name.startswith("TABLE:") for name in named)


@pytest.mark.mysql
@pytest.mark.parametrize("method", ["AUTOMATIC", "CONVENTIONAL_PATH"])
def test_rows_with_computed_columns_are_loaded_by_who_may_set_nothing(
    source: str, method: str, mysql: Callable[[], str]
) -> None:
    """MySQL asks for a privilege before it keeps more notes about columns that it rounds."""
    target = mysql()
    execute(
        source,
        "CREATE TABLE counted (id INT PRIMARY KEY, d DECIMAL(10,5), g DECIMAL(5,2) AS (d / 3) STORED)",
        "INSERT INTO counted (id, d) SELECT seq, seq / 7 FROM seq_1_to_3000",
    )
    link = (f"NETWORK_LINK={source}", remap(source, target), "TABLES=counted", "NOLOGFILE=YES")
    run = done(pump("impdp", reader(target, "ALL"), *link, f"ACCESS_METHOD={method}", "VERIFY=YES"))
    assert run.rows == {"counted": 3000}


# --- SHOW GRANTS ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        (["GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION"], set()),
        (["GRANT USAGE ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `h\\_r`.* TO `u`@`%`"], set()),
        (["GRANT ALL PRIVILEGES ON `h\\_x`.* TO `u`@`%`"], {"tables", "triggers", "events", "routines"}),
        (["GRANT SELECT, TRIGGER ON `h%`.* TO `u`@`%`"], {"events", "routines"}),
        (["GRANT SELECT ON *.* TO `u`@`%`"], {"triggers", "events"}),
        (["GRANT SELECT (`a`, `b`), TRIGGER ON `h_r`.`t` TO `u`@`%`"], {"tables", "triggers", "events", "routines"}),
        (["GRANT SELECT ON `h_r`.* TO `u`@`%`", "GRANT SELECT ON `mysql`.`proc` TO `u`@`%`"], {"triggers", "events"}),
        (["GRANT SELECT, EVENT ON *.* TO `u`@`%`", "REVOKE SELECT ON `h_r`.* FROM `u`@`%`"], {"tables", "triggers"}),
        (["GRANT `role`@`%` TO `u`@`%`", "GRANT PROXY ON ``@`%` TO `u`@`%`"], {"tables", "triggers", "events", "routines"}),
    ],
)
def test_what_is_hidden_follows_from_the_grants(lines: list[str], kinds: set[str]) -> None:
    held = tuple(parsed(lines))
    assert {loss.detail.split()[0] for loss in losses(held, "h_r")} == kinds


def test_foreign_keys_are_hidden_from_who_may_only_select() -> None:
    assert hides_keys([Grant(frozenset({"SELECT", "EVENT"}), "hr", None)], "hr")
    assert not hides_keys([Grant(frozenset({"SELECT", "INSERT"}), "hr", None)], "hr")


def test_the_keys_of_a_created_table_are_those_of_mysql_too() -> None:
    sql = """CREATE TABLE `t` (
  `a` int DEFAULT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `t` (`a`)',
  CONSTRAINT `k` FOREIGN KEY (`a`) REFERENCES `other`.`p` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB"""
    (row,) = key_rows(sql, "hr", default="NO ACTION")
    assert row["constraint_name"] == "k"
    assert (row["referenced_table_schema"], row["referenced_table_name"]) == ("other", "p")
    assert (row["delete_rule"], row["update_rule"]) == ("SET NULL", "NO ACTION")
