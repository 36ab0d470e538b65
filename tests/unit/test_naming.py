"""Names of their own at the target, and what a target knows of names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.adapter import Capabilities, NameSpace, load_adapter
from migrator.model import objects as o
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, Rename, path_of
from migrator.naming import Known, fit_names, parts_of
from migrator.shortening import cut

LIMIT = Capabilities(identifier_limit=(63, "bytes"))
ID = (o.Column("id", t.Integer()),)
INDEX = o.Index("by_name", (o.IndexKey("id"),))
NOTHING = Known()
LONG = "a_name_of_more_than_sixty_three_bytes_" * 2


def table(name: str, *indexes: o.Index, **more: object) -> o.Table:
    return replace(o.Table("s", name, ID, indexes=indexes), **more)  # type: ignore[arg-type]


def fitted(*objects: o.Object, known: Known = NOTHING, capabilities: Capabilities = LIMIT) -> Catalog:
    return fit_names(Catalog("mysql", "", objects), capabilities, known)


def names(catalog: Catalog) -> list[str | None]:
    return [part.name for found in catalog.of(o.Table) for part in parts_of(found)]


def rules(catalog: Catalog) -> list[str]:
    return [loss.rule for loss in catalog.losses]


def renamed(kind: str, where: str, name: str, source: str) -> Rename:
    return Rename(kind, "s", where, name, "s", where, source, "COLLISION")


# --- the rules ------------------------------------------------------------------------------------------------------


def test_index_names_that_are_unique_per_table_only_are_told_apart_in_a_schema() -> None:
    catalog = fitted(*(table(name, INDEX) for name in ("a", "b", "by_name")))
    assert names(catalog) == ["a_by_name", "b_by_name", "by_name_by_name"]
    assert rules(catalog) == ["index-name"] * 3
    assert catalog.renames[0] == renamed("INDEX", "a", "a_by_name", "by_name")


def test_names_stay_where_each_table_has_its_own() -> None:
    one_table = Capabilities(name_spaces=(NameSpace(frozenset({"index"}), "table"),))
    catalog = Catalog("mysql", "", (table("a", INDEX), table("b", INDEX)))
    assert fit_names(catalog, one_table, Known()) == catalog


def test_entries_are_about_what_the_target_has() -> None:
    """What was said of a table and its columns before they got other names."""
    table = o.Table(
        "s", "t" * 70, (o.Column("xmin", t.Integer()), o.Column("c" * 70, t.Integer()), o.Column("d", t.Integer()))
    )
    said = [Loss(path_of(table), "texts", "one", column) for column in ("xmin", "c" * 70, "d", None)]
    own = Capabilities(identifier_limit=(63, "bytes"), reserved_columns=frozenset({"xmin"}))
    catalog = fit_names(Catalog("mysql", "", (table,), tuple(said)), own, Known())
    (there,) = catalog.of(o.Table)
    names = [column.name for column in there.columns]
    assert names[:2] == [cut("xmin", own), cut("c" * 70, own)]
    told = [(loss.object, loss.column) for loss in catalog.losses if loss.rule == "texts"]
    assert told == [(path_of(there), column) for column in (*names, None)]


def test_a_made_up_name_keeps_within_the_limit() -> None:
    first, second = names(fitted(*(table(name * 40, o.Index("x" * 60, ())) for name in ("a", "b"))))
    assert first == "x" * 60
    assert second is not None
    assert len(second.encode()) <= 63
    assert second.startswith("b" * 40)


def test_a_name_that_cannot_be_made_up_twice_is_made_up_again() -> None:
    """The second has the table's name before it already, and so has what it would be called."""
    catalog = fitted(table("a", INDEX), table("b", o.Index("b_by_name", ()), INDEX), table("c", o.Index("by_name", ())))
    assert names(catalog)[:2] == ["by_name", "b_by_name"]
    assert len(set(names(catalog))) == 4


@pytest.mark.parametrize(
    ("dialect", "part"),
    [
        ("mysql", {"foreign_keys": (o.ForeignKey("c", ("id",), o.QName("s", "a"), ("id",)),)}),
        ("mysql", {"checks": (o.Check("c", o.Expression("id > 0", "postgresql")),)}),
        ("postgresql", {"uniques": (o.Unique("c", ("id",)),)}),
        ("sqlite", {"indexes": (o.Index("c", ()),)}),
    ],
)
def test_what_must_be_unique_in_a_schema_is_its_databases_own(dialect: str, part: dict[str, object]) -> None:
    capabilities = load_adapter(dialect).capabilities
    assert names(fitted(table("a", **part), table("b", **part), capabilities=capabilities)) == ["c", "b_c"]


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_constraints_of_two_tables_may_have_one_name_where_they_are_their_tables(dialect: str) -> None:
    checks = (o.Check("c", o.Expression("id > 0", dialect)),)
    capabilities = load_adapter(dialect).capabilities
    assert names(fitted(table("a", checks=checks), table("b", checks=checks), capabilities=capabilities)) == ["c", "c"]


def test_a_key_is_not_named_as_one_without_a_name_will_be() -> None:
    nameless = table("a", primary_key=o.PrimaryKey(None, ("id",)), uniques=(o.Unique(None, ("id",)),))
    keys = (o.Unique("a_pkey", ("id",)), o.Unique("a_id_key", ("id",)))
    own = load_adapter("postgresql").capabilities
    catalog = fitted(nameless, table("b", o.Index("a_pkey", (o.IndexKey("id"),)), uniques=keys), capabilities=own)
    assert names(catalog) == [None, None, "b_a_pkey", "b_a_id_key", "a_pkey"]
    assert rules(catalog) == ["index-name"] * 2
    alone = table("c", primary_key=o.PrimaryKey("c_pkey", ("id",)))
    assert names(fitted(alone, capabilities=own)) == ["c_pkey"]


def test_constraints_of_one_table_are_told_apart_where_they_share_names() -> None:
    """MySQL has checks, keys and foreign keys of one name in one table; PostgreSQL has not."""
    key = o.ForeignKey("c", ("id",), o.QName("s", "a"), ("id",))
    both = table("a", checks=(o.Check("c", o.Expression("id > 0", "mysql")),), foreign_keys=(key,))
    catalog = fitted(both, capabilities=load_adapter("postgresql").capabilities)
    assert names(catalog) == ["c", "a_c"]
    assert rules(catalog) == ["constraint-name"]


def test_a_foreign_key_that_each_partition_has_for_itself_keeps_its_name() -> None:
    keys = tuple(o.ForeignKey("c", ("id",), o.QName("s", "a"), ("id",), partition=part) for part in ("p1", "p2"))
    assert names(fitted(table("a", foreign_keys=keys), capabilities=load_adapter("postgresql").capabilities)) == ["c", "c"]


def test_names_that_differ_in_case_only_are_one_where_the_target_says_so() -> None:
    tables = (table("a", o.Index("BY_ID", ())), table("b", o.Index("by_id", ())))
    assert names(fitted(*tables, capabilities=load_adapter("sqlite").capabilities)) == ["BY_ID", "b_by_id"]
    assert names(fitted(*tables, capabilities=load_adapter("postgresql").capabilities)) == ["BY_ID", "by_id"]


def test_an_index_is_not_named_as_the_targets_own_are() -> None:
    catalog = fitted(table("a", o.Index("SQLITE_i", ())), capabilities=load_adapter("sqlite").capabilities)
    assert names(catalog) == ["a_SQLITE_i"]


@pytest.mark.parametrize("name", ["PRIMARY", "Primary", "gen_clust_index"])
def test_nothing_with_an_index_is_named_as_mysqls_own_are(name: str) -> None:
    """A check may be: it has no index."""
    check = o.Check(name, o.Expression("id > 0", "postgresql"))
    key = o.ForeignKey(name, ("id",), o.QName("s", "a"), ("id",))
    parts = {"uniques": (o.Unique(name, ("id",)),), "checks": (check,), "foreign_keys": (key,)}
    catalog = fitted(table("a", o.Index(f"{name}_", ()), **parts), capabilities=load_adapter("mysql").capabilities)
    assert names(catalog) == [f"a_{name}", name, f"a_{name}", f"{name}_"]


# --- what is at the target ------------------------------------------------------------------------------------------


def test_a_name_that_another_table_has_at_the_target_is_taken() -> None:
    there = Catalog("postgresql", "", (table("a", INDEX), o.View("s", "v", o.Expression("SELECT 1", "postgresql"))))
    catalog = fitted(table("b", INDEX, o.Index("v", ())), known=Known((), there))
    assert names(catalog) == ["b_by_name", "b_v"]


def test_what_a_table_has_at_the_target_is_its_own() -> None:
    """It may have been made by this job before it died, or goes when the table is replaced."""
    there = Catalog("postgresql", "", (table("b", INDEX),))
    assert names(fitted(table("b", INDEX), known=Known((), there))) == ["by_name"]


def test_a_name_that_is_known_goes_before_the_rule() -> None:
    known = Known((renamed("INDEX", "b", "chosen", "by_name"),))
    assert names(fitted(table("a", INDEX), table("b", INDEX), known=known)) == ["by_name", "chosen"]
    assert names(fitted(table("b", INDEX), known=known)) == ["chosen"], "although nothing else has its own"
    assert names(fitted(table("c", INDEX), known=known)) == ["by_name"]


def test_a_known_name_that_is_taken_by_now_is_chosen_anew() -> None:
    known = (renamed("INDEX", "b", "chosen", "by_name"),)
    catalog = fitted(table("b", INDEX), known=Known(known, Catalog("", "", (table("chosen"),))))
    assert names(catalog) == ["by_name"]
    assert catalog.renames == ()


def test_a_known_name_for_a_long_one_stands_wherever_that_does() -> None:
    known = Known((Rename("TABLE", "s", "", "short", "s", LONG, LONG, "LENGTH"),))
    key = o.ForeignKey("fk", ("id",), o.QName("s", LONG), ("id",))
    view = o.View("s", "v", o.Expression(f"SELECT id FROM {LONG}", "mysql"), depends_on=(o.QName("s", LONG),))
    catalog = fitted(table("child", foreign_keys=(key,)), view, known=known)
    (child,), (seen,) = catalog.of(o.Table), catalog.of(o.View)
    assert child.foreign_keys[0].referred == o.QName("s", "short")
    assert seen.definition.sql == "SELECT id FROM short"
    assert seen.depends_on == (o.QName("s", "short"),)
    assert catalog.renames == (), "the table itself is not the job's"


def test_a_long_name_that_only_a_text_has_is_known_too() -> None:
    known = Known((Rename("COLUMN", "s", "t", "short", "s", "t", LONG, "LENGTH"),))
    catalog = fitted(o.View("s", "v", o.Expression(f"SELECT {LONG} AS x FROM t", "mysql")), known=known)
    (view,) = catalog.of(o.View)
    assert view.definition.sql == "SELECT short AS x FROM t"


def test_a_known_name_that_an_object_of_the_job_has_is_not_taken_from_it() -> None:
    known = Known((Rename("TABLE", "s", "", "other", "s", LONG, LONG, "LENGTH"),))
    catalog = fitted(table("other"), table(LONG), known=known)
    assert [found.name for found in catalog.of(o.Table)] == ["other", cut(LONG, LIMIT)]


# --- what came of it ------------------------------------------------------------------------------------------------


def test_every_name_that_is_another_is_a_rename_and_an_entry() -> None:
    origin = o.QName("source", "t")
    long = table(LONG, o.Index(LONG, ()), columns=(o.Column(LONG, t.Integer()),), origin=origin)
    catalog = fitted(o.Schema("s"), long, o.View("s", f"v{LONG}", o.Expression("SELECT 1", "mysql")))
    short = cut(LONG, LIMIT)
    where = ("source", "t", LONG, "LENGTH")
    assert catalog.renames == (
        Rename("TABLE", "s", "", short, *where),
        Rename("COLUMN", "s", short, short, *where),
        Rename("INDEX", "s", short, f"{cut(f'{short}_{short}', LIMIT, 's.')}", *where),
        Rename("VIEW", "s", "", cut(f"v{LONG}", LIMIT), "s", "", f"v{LONG}", "LENGTH"),
    )
    assert rules(catalog) == ["name-cut"] * 4


def test_a_name_that_a_view_gives_is_told_whatever_columns_are_called_that_it_does_not_read() -> None:
    long = table("t", columns=(o.Column(LONG, t.Integer()),))

    def view(name: str, query: str, read: str) -> o.View:
        return o.View("s", name, o.Expression(query, "mysql"), depends_on=(o.QName("s", read),))

    all_of_it = view("all_of_it", "SELECT * FROM t", "t")
    reading = (view("of_table", f"SELECT {LONG} FROM t", "t"), view("of_view", f"SELECT {LONG} FROM all_of_it", "all_of_it"))
    naming = view("naming", f"SELECT id AS {LONG} FROM u", "u")
    catalog = fitted(long, table("u"), all_of_it, *reading, naming)
    assert [loss.object for loss in catalog.losses] == [path_of(long), path_of(naming)]


def test_a_schema_that_is_remapped_is_named_as_the_source_names_it() -> None:
    view = o.View("target", f"v{LONG}", o.Expression("SELECT 1", "mysql"))
    catalog = fit_names(Catalog("mysql", "", (view,)), LIMIT, Known(), {path_of(view): "source"})
    assert [rename.source_schema for rename in catalog.renames] == ["source"]
