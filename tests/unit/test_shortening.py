"""Names that are too long for a target."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.adapter import Capabilities
from migrator.expressions import Language
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.naming import Known, fit_names
from migrator.shortening import cut, fit_lengths, length

TEN = Capabilities(identifier_limit=(20, "bytes"))
LONG = "a_table_whose_name_is_long"
COLUMN = "a_column_whose_name_is_long"
EXPRESSION = o.Expression(f"{COLUMN} > 0 AND 'x {COLUMN}' <> \"{COLUMN}\" -- {COLUMN}", "sqlite")
TABLE = o.Table(
    "s",
    LONG,
    (o.Column(COLUMN, t.Integer()), o.Column("id", t.Integer())),
    primary_key=o.PrimaryKey(None, (COLUMN, "id")),
    checks=(o.Check("a_check_whose_name_is_long", EXPRESSION),),
    foreign_keys=(o.ForeignKey("fk", ("id",), o.QName("s", LONG), (COLUMN,)),),
    indexes=(o.Index("i", (o.IndexKey(COLUMN),)),),
)
VIEW = o.View(
    "s", "v", o.Expression(f"SELECT {COLUMN.upper()} FROM [{LONG}]", "sqlite"), (COLUMN,), depends_on=(TABLE.qname,)
)


def fitted(*objects: o.Object, dialect: str = "sqlite") -> tuple[list[o.Object], list[str]]:
    catalog = fit_names(Catalog(dialect, "", objects), TEN, Known())
    return list(catalog.objects), [str(loss) for loss in catalog.losses]


def test_a_name_is_cut_wherever_it_stands() -> None:
    (table, view), _ = fitted(TABLE, VIEW)
    short, column = cut(LONG, TEN), cut(COLUMN, TEN)
    assert isinstance(table, o.Table)
    assert table.name == short
    assert [c.name for c in table.columns] == [column, "id"]
    assert table.primary_key == o.PrimaryKey(None, (column, "id"))
    assert table.foreign_keys[0].referred == o.QName("s", short)
    assert table.foreign_keys[0].referred_columns == (column,)
    assert table.indexes[0].keys[0].column == column
    assert view == replace(
        VIEW,
        definition=o.Expression(f"SELECT {column} FROM [{short}]", "sqlite"),
        columns=(column,),
        depends_on=(o.QName("s", short),),
    )


def test_a_columns_name_that_the_target_keeps_for_itself_is_changed_wherever_it_stands() -> None:
    own = Capabilities(identifier_limit=(63, "bytes"), reserved_columns=frozenset({"xmin"}))
    other = cut("xmin", own)
    table = o.Table(
        "s",
        "xmin",
        (o.Column("xmin", t.Integer()), o.Column(other, t.Integer()), o.Column("XMIN", t.Integer())),
        primary_key=o.PrimaryKey(None, ("xmin",)),
        checks=(o.Check(None, o.Expression(f"`xmin` > `{other}`", "mysql")),),
    )
    catalog = fit_names(Catalog("mysql", "", (table,)), own, Known())
    (found,) = catalog.of(o.Table)
    free = cut("xmin", own, "2.")
    assert [(c.name, c.source) for c in found.columns] == [(free, "xmin"), (other, other), ("XMIN", "XMIN")]
    assert (found.name, found.primary_key) == ("xmin", o.PrimaryKey(None, (free,)))
    assert found.checks[0].expression.sql == f"`{free}` > `{other}`"
    assert [str(loss) for loss in catalog.losses] == [
        f'TABLE:"s"."xmin"."{free}": xmin is named {free} here [name-reserved]'
    ]
    assert [rename.reason for rename in catalog.renames] == ["RESERVED"]
    again = fit_names(Catalog("mysql", "", (table,)), own, Known(catalog.renames))
    assert again.objects == catalog.objects


def test_a_name_that_the_target_keeps_for_itself_is_changed_in_no_text_about_something_else() -> None:
    own = Capabilities(identifier_limit=(63, "bytes"), reserved_columns=frozenset({"xmin"}))
    table = o.Table("s", "t", (o.Column("xmin", t.Integer()),))
    other = o.Table("s", "u", (o.Column("XMIN", t.Integer()),))

    def view(name: str, sql: str, *reads: str) -> o.View:
        return o.View("s", name, o.Expression(sql, "mysql"), depends_on=tuple(o.QName("s", read) for read in reads))

    views = (
        view("near", "select `t`.`xmin` AS `x` from `t`", "t"),
        view("over", "select `near`.`xmin` AS `xmin` from `near`", "near"),
        view("away", "select `u`.`XMIN` AS `xmin` from `u`", "u"),
    )
    catalog = fit_names(Catalog("mysql", "", (table, other, *views)), own, Known())
    near, *rest = catalog.of(o.View)
    assert near.definition.sql == f"select `t`.`{cut('xmin', own)}` AS `x` from `t`"
    assert tuple(rest) == views[1:]


def test_a_name_that_the_target_keeps_for_a_column_of_one_kind_stays_with_such_a_column() -> None:
    own = Capabilities(
        ignores_column_case=True, reserved_columns=frozenset({"doc"}), reserved_but_for=frozenset({("DOC", t.Integer(64))})
    )
    table = o.Table("s", "t", (o.Column("DOC", t.Integer(64), nullable=False),))
    assert fit_names(Catalog("mysql", "", (table,)), own, Known()).objects == (table,)
    for column in (
        o.Column("DOC", t.Integer(64)),
        o.Column("doc", t.Integer(64), nullable=False),
        o.Column("DOC", t.Integer(32), nullable=False),
        o.Column("DOC", t.Integer(64, unsigned=True), nullable=False),
    ):
        catalog = fit_names(Catalog("mysql", "", (o.Table("s", "t", (column,)),)), own, Known())
        assert [rename.reason for rename in catalog.renames] == ["RESERVED"]


@pytest.mark.parametrize(
    ("dialect", "literal"),
    [
        ("mysql", rf"'it\'s {COLUMN}'"),
        ("postgresql", rf"E'it\'s {COLUMN}'"),
        ("postgresql", f"'\\' || $$it's {COLUMN}$$"),
        ("postgresql", f"$q$ $$ {COLUMN} $q$"),
        ("mysql", f'"{COLUMN}"'),
        ("oracle", f"q'[it's {COLUMN}]'"),
    ],
)
def test_literals_are_read_as_the_dialect_writes_them(dialect: str, literal: str) -> None:
    check = o.Check(None, o.Expression(f"{literal} <> {COLUMN}", dialect))
    (table,), _ = fitted(replace(TABLE, checks=(check,)), dialect=dialect)
    assert isinstance(table, o.Table)
    assert table.checks[0].expression.sql == f"{literal} <> {cut(COLUMN, TEN)}"


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgresql", "words[{} + 1] || 'x'"),
        ("mysql", "`{}` # '\nand {}"),
        ("postgresql", "{} /* ' /* */ ' */ || {}"),
        ("mysql", "replace(`{}`, 'a', 'b')"),
        ("sqlite", "[{}] /* ' */ || REPLACE({}, ']', 'b')"),
    ],
)
def test_names_are_found_where_the_dialect_has_them(dialect: str, sql: str) -> None:
    check = o.Check(None, o.Expression(sql.replace("{}", COLUMN), dialect))
    (table,), _ = fitted(replace(TABLE, checks=(check,)), dialect=dialect)
    assert isinstance(table, o.Table)
    assert table.checks[0].expression.sql == sql.replace("{}", cut(COLUMN, TEN))


def test_an_expression_is_read_as_its_own_dialect_writes_it() -> None:
    check = o.Check(None, o.Expression(rf"'\' <> {COLUMN}", "postgresql"))
    (table,), _ = fitted(replace(TABLE, checks=(check,)), dialect="mysql")
    assert isinstance(table, o.Table)
    assert table.checks[0].expression.sql == rf"'\' <> {cut(COLUMN, TEN)}"


def test_a_name_that_is_spelled_exactly_is_not_another_one() -> None:
    """MySQL may tell tables apart by their case."""
    both = (TABLE, replace(TABLE, name=LONG.upper()))
    view = replace(VIEW, definition=o.Expression(f"select 1 from `{LONG}` join `{LONG.upper()}`", "mysql"))
    (*_, view_there), _ = fitted(*both, view, dialect="mysql")
    assert isinstance(view_there, o.View)
    assert view_there.definition.sql == f"select 1 from `{cut(LONG, TEN)}` join `{cut(LONG.upper(), TEN)}`"


def test_a_text_that_cannot_be_read_stays() -> None:
    """It cannot be translated either, and the entry about that tells of it."""
    text = o.Expression(f"SELECT '{COLUMN}", "sqlite")
    (_, view), _ = fitted(TABLE, replace(VIEW, definition=text))
    assert isinstance(view, o.View)
    assert view.definition == text


def test_literals_and_comments_keep_their_text() -> None:
    (table,), _ = fitted(TABLE)
    column = cut(COLUMN, TEN)
    assert isinstance(table, o.Table)
    assert table.checks[0].expression.sql == f"{column} > 0 AND 'x {COLUMN}' <> \"{column}\" -- {COLUMN}"


def test_case_tells_names_apart_where_the_source_does() -> None:
    text = o.Expression(f'SELECT "{COLUMN.upper()}"', "postgresql")
    (_, view), _ = fitted(TABLE, replace(VIEW, definition=text), dialect="postgresql")
    assert isinstance(view, o.View)
    assert view.definition == text


def test_rows_are_read_by_the_names_at_the_source() -> None:
    (table,), _ = fitted(TABLE)
    assert isinstance(table, o.Table)
    assert table.source == TABLE.qname
    assert [column.at_source for column in table.columns] == list(TABLE.columns)
    (moved,), _ = fitted(replace(TABLE, schema="other", origin=TABLE.qname))
    assert isinstance(moved, o.Table)
    assert moved.source == TABLE.qname


def test_each_name_is_in_the_loss_list() -> None:
    _, losses = fitted(TABLE, VIEW)
    where = f'TABLE:"s"."{cut(LONG, TEN)}"'
    assert losses == [
        f"{where}: {LONG} is named {cut(LONG, TEN)} here [name-cut]",
        f'{where}."{cut(COLUMN, TEN)}": {COLUMN} is named {cut(COLUMN, TEN)} here [name-cut]',
        f"{where}: a_check_whose_name_is_long is named {cut('a_check_whose_name_is_long', TEN)} here [name-cut]",
    ]


def test_what_fits_stays() -> None:
    catalog = Catalog("sqlite", "", (TABLE, VIEW))
    assert fit_lengths(catalog, Capabilities(identifier_limit=(63, "bytes"))) is catalog


def test_a_view_whose_words_all_fit_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def names_shown(sql: str, read: Language) -> tuple[str, ...]:
        parsed.append(sql)
        return ()

    monkeypatch.setattr("migrator.shortening.names_shown", names_shown)
    queries = ("SELECT id, name AS shown FROM t WHERE name <> 'x'", f"SELECT id AS {COLUMN} FROM t")
    fitted(*(o.View("s", f"v{number}", o.Expression(sql, "sqlite")) for number, sql in enumerate(queries)))
    assert set(parsed) == {queries[1]}


@pytest.mark.parametrize("unit", ["bytes", "characters"])
@given(name=st.text(min_size=1, max_size=200), other=st.text(min_size=1, max_size=200))
def test_a_cut_name_fits_and_is_always_the_same(unit: str, name: str, other: str) -> None:
    capabilities = Capabilities(identifier_limit=(63, unit))  # type: ignore[arg-type]
    assert length(cut(name, capabilities), capabilities) <= 63
    assert cut(name, capabilities) == cut(name, capabilities)
    assert (cut(name, capabilities) == cut(other, capabilities)) == (name == other)
