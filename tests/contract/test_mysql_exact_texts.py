"""Characters beyond the basic plane, for which the information schema shows question marks, and in MySQL's expressions all
beyond ASCII, which it shows as their bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from dialects.mysql import ADAPTER
from dialects.mysql.exact import Texts, may_be
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Expression, Literal, Program, QName, Table, View
from migrator.testing import Workbench
from tests.support.pump import done, pump, remap
from tests.support.sql import execute, is_mariadb, rows, scalar

pytestmark = pytest.mark.mysql

SOURCE = (
    """CREATE TABLE t (
      id int PRIMARY KEY COMMENT '?',
      word varchar(9) DEFAULT '😀?' CHECK (word <> '😀'),
      made varchar(30) DEFAULT (concat(word, '😀')),
      mark varchar(9) DEFAULT '?',
      old varchar(9) CHARACTER SET latin1 DEFAULT '?é',
      raw varbinary(9) DEFAULT x'F09F98803FFF',
      long_ text DEFAULT ('it''s 😀'),
      kind enum('x', '😀', '?', 'it''s \\\\', '') DEFAULT '😀',
      kinds set('a', '😀') DEFAULT 'a,😀',
      joined varchar(30) AS (concat(word, '😀', '?')) STORED,
      `odd ``?` varchar(30) AS (concat(word, ' AS (😀) ')) VIRTUAL,
      CONSTRAINT named CHECK (word <> '🍺' AND word <> '?')
    ) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_nopad_bin""",
    "INSERT INTO t (id, word) VALUES (1, 'a'), (2, DEFAULT), (3, 'b')",
    "CREATE TABLE `empty` (word varchar(9) DEFAULT '😀', kind enum('🍺') DEFAULT '🍺') DEFAULT CHARSET utf8mb4",
    "CREATE VIEW v AS SELECT id, concat(word, '😀') AS z FROM t WHERE word <> '😀' WITH LOCAL CHECK OPTION",
    "CREATE VIEW faces AS SELECT id FROM t WHERE kind = '😀'",
    "CREATE TRIGGER first_ BEFORE UPDATE ON t FOR EACH ROW SET NEW.mark = '😀?'",
    "CREATE TRIGGER second_ BEFORE UPDATE ON t FOR EACH ROW FOLLOWS first_ SET NEW.mark = concat(NEW.mark, '🍺')",
    "CREATE PROCEDURE p() SELECT '😀'",
    "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DISABLE DO SET @x = '😀'",
    "CREATE TABLE parts (a varchar(9) PRIMARY KEY) DEFAULT CHARSET utf8mb4"
    " PARTITION BY LIST COLUMNS (a) (PARTITION p1 VALUES IN ('😀'), PARTITION p2 VALUES IN ('b', '?'))",
    "INSERT INTO parts VALUES ('😀'), ('?')",
)


@pytest.fixture(scope="module")
def source(lasting: Callable[[str], str]) -> str:
    url = lasting("mysql")
    execute(url, *SOURCE)
    return url


@pytest.fixture(scope="module")
def catalog(source: str) -> Catalog:
    return Workbench.at(ADAPTER, source).catalog()


def table(catalog: Catalog, name: str) -> Table:
    return next(found for found in catalog.of(Table) if found.name == name)


def test_literals_and_labels_are_read_exactly(catalog: Catalog) -> None:
    columns = {column.name: column for column in table(catalog, "t").columns}
    assert {name: column.default for name, column in columns.items() if column.default is not None} == {
        "word": Literal("😀?"),
        "made": Expression("concat(`word`,'😀')", "mysql"),
        "mark": Literal("?"),
        "old": Literal("?é"),
        "raw": Literal("f09f98803fff", "binary"),
        "long_": Literal("it's 😀"),
        "kind": Literal("😀"),
        "kinds": Literal("a,😀"),
    }
    assert columns["kind"].type == t.Enum(("x", "😀", "?", "it's \\", ""))
    assert columns["kinds"].type == t.SetOf(("a", "😀"))
    empty = table(catalog, "empty")
    assert [column.default for column in empty.columns] == [Literal("😀"), Literal("🍺")]
    assert empty.column("kind").type == t.Enum(("🍺",))


def test_the_default_of_a_float_is_read_exactly_where_the_server_tells_it(mysql: Callable[[], str]) -> None:
    """Of a NOT NULL column it does while there is a row."""
    url = mysql()
    columns = "(`t` float DEFAULT 16777215, `1` float NOT NULL DEFAULT 16777215)"
    execute(url, f"CREATE TABLE filled {columns}", f"CREATE TABLE `empty` {columns}", "INSERT INTO filled VALUES (), ()")
    found = Workbench.at(ADAPTER, url).catalog()
    exact, shown = Literal("16777215.0", "number"), Literal("16777200", "number")
    assert [column.default for column in table(found, "filled").columns] == [exact, exact]
    assert [column.default for column in table(found, "empty").columns] == [exact, shown]
    (loss,) = found.losses
    assert (loss.object.split(".")[-1], loss.rule, loss.column) == ('"empty"', "default", "1")


def test_expressions_are_read_exactly(source: str, catalog: Catalog) -> None:
    found = table(catalog, "t")
    made = {column.name: column.generated.expression.sql for column in found.columns if column.generated is not None}
    assert made == {"joined": "concat(`word`,'😀','?')", "odd `?": "concat(`word`,' AS (😀) ')"}
    checks = {check.name: check.expression.sql for check in found.checks}
    if is_mariadb(source):
        assert checks == {None: "`word` <> '😀'", "named": "`word` <> '🍺' and `word` <> '?'"}
    else:
        assert checks == {"t_chk_1": "(`word` <> '😀')", "named": "((`word` <> '🍺') and (`word` <> '?'))"}
    views = {view.name: view.definition.sql for view in catalog.of(View)}
    assert "'😀') AS `z`" in views["v"]
    assert views["faces"].rstrip(")").endswith("`kind` = '😀'")
    programs = [program.create.sql for program in catalog.of(Program)]
    assert len(programs) == 4
    assert all("😀" in sql or "🍺" in sql for sql in programs)


def test_characters_of_the_basic_plane_are_read_as_they_are(mysql: Callable[[], str]) -> None:
    url = mysql()
    execute(
        url,
        "CREATE TABLE t (`é日` varchar(9) DEFAULT ('é日'), g varchar(9) AS (concat(`é日`, 'é')), u varchar(9) AS ('Ã©'),"
        " old varchar(9) CHARACTER SET latin1 DEFAULT (concat('é', '€')), CONSTRAINT c CHECK (`é日` <> 'Ã©€日'))",
        "CREATE TABLE e (kind enum('é', 'Ã©', '日') DEFAULT 'é', old set('é', '€') CHARACTER SET latin1)",
    )
    found = Workbench.at(ADAPTER, url).catalog()
    t_, e = table(found, "t"), table(found, "e")
    assert found.losses == ()
    assert [column.default for column in t_.columns] == [
        Literal("é日"),
        None,
        None,
        Expression("concat('é','€')", "mysql"),
    ]
    made = [column.generated.expression.sql for column in t_.columns if column.generated is not None]
    assert made == ["concat(`é日`,'é')", "'Ã©'"]
    assert [check.expression.sql.strip("()") for check in t_.checks] == ["`é日` <> 'Ã©€日'"]
    assert [column.type for column in e.columns] == [t.Enum(("é", "Ã©", "日")), t.SetOf(("é", "€"))]


def test_what_can_be_told_has_no_entry(catalog: Catalog) -> None:
    assert [str(loss) for loss in catalog.losses] == []


@pytest.mark.parametrize("target", ["mysql", "postgresql", "sqlite"])
def test_a_copy_means_the_same(target: str, source: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("sqlite_file")("t.db") if target == "sqlite" else request.getfixturevalue(target)()
    done(pump("impdp", url, f"NETWORK_LINK={source}", remap(source, url), "NOLOGFILE=YES", "VERIFY=YES"))
    execute(url, "INSERT INTO t (id) VALUES (9)", "INSERT INTO parts VALUES ('b')")
    asked = "SELECT word, mark, kind, kinds, joined, long_ FROM t WHERE id IN (2, 9) ORDER BY id"
    expected = ("😀?", "?", "😀", "a,😀", "😀?😀?", "it's 😀")
    shown = rows(url, asked)
    assert [tuple(str(value) for value in row) for row in shown] == [expected] * 2
    assert rows(url, "SELECT id, z FROM v WHERE id < 3 ORDER BY id") == [(1, "a😀"), (2, "😀?😀")]
    assert rows(url, "SELECT id FROM faces ORDER BY id") == [(1,), (2,), (3,), (9,)]
    with pytest.raises(sa.exc.DBAPIError):
        execute(url, "INSERT INTO t (id, word) VALUES (10, '🍺')")
    if target == "mysql":
        execute(url, "UPDATE t SET word = 'c' WHERE id = 9")
        assert scalar(url, "SELECT mark FROM t WHERE id = 9") == "😀?🍺"
        assert catalog_of(url) == catalog_of(source)


def catalog_of(url: str) -> dict[str, Any]:
    """The texts of a schema, its own name left out."""
    bench = Workbench.at(ADAPTER, url)
    found = bench.catalog()
    texts: dict[str, Any] = {
        obj.name: (obj.definition if isinstance(obj, View) else obj.create).sql.replace(f"`{bench.schema}`.", "")
        for obj in found.objects
        if isinstance(obj, View | Program)
    }
    tables = {
        obj.name: (
            [(c.native, c.default, c.generated) for c in obj.columns],
            {c.expression for c in obj.checks},
            obj.partitioning,
        )
        for obj in found.of(Table)
    }
    return texts | tables


# --- what cannot be told --------------------------------------------------------------------------------------------


class Untold(Texts):
    """A server that does not tell."""

    def table(self, name: QName) -> str:
        return ""

    def default(self, table: QName, column: str, *, binary: bool) -> bytes | None:
        return None

    def labelled(self, table: QName, column: str, shown: str) -> str | None:
        return None

    def view(self, name: QName) -> str | None:
        return None

    def trigger(self, name: QName, shown: str) -> str | None:
        return None


def test_what_cannot_be_told_is_left_out_by_name(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialects.mysql.dictionary.Texts", Untold)
    found = Workbench.at(ADAPTER, source).catalog()
    told = {(loss.object.split('"')[-2], loss.rule, loss.column) for loss in found.losses}
    assert told >= {("t", "default", name) for name in ("word", "made", "mark", "old", "raw", "long_", "kind", "kinds")}
    assert told >= {("t", "generated", "joined"), ("t", "generated", "odd `?"), ("t", "labels", "kind")}
    assert told >= {("v", "view", None), ("first_", "program", None), ("second_", "program", None)}
    assert not list(found.of(View))
    assert all(column.default is None and column.generated is None for column in table(found, "t").columns)


MYSQL = r"""CREATE TABLE `t` (
  `a` varchar(9) DEFAULT (concat(_utf8mb4'😀',_utf8mb4'?')),
  `b` varchar(9) GENERATED ALWAYS AS (concat(`a`,_utf8mb4'😀')) VIRTUAL,
  UNIQUE KEY `i` ((concat(`a`,_utf8mb4'😀'))),
  CONSTRAINT `c` CHECK ((`a` <> _utf8mb4'😀'))
) ENGINE=InnoDB"""


def test_mysql_writes_character_sets_and_brackets(source: str) -> None:
    with Workbench.at(ADAPTER, source).connect() as connection:
        texts, name = Texts(connection, False, lambda statement, column: MYSQL), QName("s", "t")
        assert texts.default_expression(name, "a", "concat('?','?')") == "concat('😀','?')"
        assert texts.generated(name, "b", "concat(`a`,'?')") == "concat(`a`,'😀')"
        assert texts.check(name, "c", "(`a` <> '?')") == "(`a` <> '😀')"
        assert texts.index_key(name, "i", "concat(`a`,'?')") == "concat(`a`,'😀')"


@pytest.mark.parametrize(
    ("text", "shown", "same"),
    [
        ("a😀b", "a?b", True),
        ("a😀b", "a????b", True),
        ("a?😀", "a??", True),
        ("a?😀", "a?????", True),
        ("a?", "a?", True),
        ("ab", "a?", False),
        ("a😀😀", "a?", False),
        ("a", "a?", False),
        ("a.b😀", "axb?", False),
    ],
)
def test_a_question_mark_stands_for_itself_or_for_one_character(text: str, shown: str, same: bool) -> None:
    assert may_be(text, shown) is same


def test_nothing_more_is_asked_where_no_text_has_a_question_mark(mysql: Callable[[], str]) -> None:
    """Nor, of MySQL, where all expressions are ASCII."""
    bench = Workbench.at(ADAPTER, mysql())
    statements: list[str] = []
    sa.event.listen(bench.engine, "before_cursor_execute", lambda c, cursor, sql, *rest: statements.append(sql))

    letter = "é" if is_mariadb(bench.engine.url) else "e"

    def asked(number: int) -> int:
        joined = f"b varchar(9) AS (concat(a, '{letter}'))"
        made = f"CREATE TABLE t{number} (a varchar(9) DEFAULT 'é' CHECK (a <> 'x'), {joined})"
        execute(bench.engine.url, made)
        statements.clear()
        bench.catalog()
        return len(statements)

    assert asked(1) == asked(2) == asked(3)
