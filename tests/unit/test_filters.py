"""Which objects and rows belong to a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import AmbiguousName, NothingSelected, ObjectNotFound, SchemaNotFound
from migrator.filters import (
    conditions,
    matching,
    needed_anyway,
    schemas_wanted,
    select,
    spelled,
    tables_with_rows,
    unmatched,
)
from migrator.model import types as t
from migrator.model.catalog import Catalog, Loss, path_of
from migrator.model.objects import (
    Check,
    Column,
    DomainType,
    EnumType,
    Exclusion,
    Expression,
    ForeignKey,
    Index,
    IndexKey,
    NextValue,
    PrimaryKey,
    Program,
    QName,
    Schema,
    Sequence,
    Table,
    Unique,
    View,
)
from migrator.spec import JobSpec, Mode, NameClause, ObjectFilter, TableName, TableQuery


def sql(text: str) -> Expression:
    return Expression(text, "postgresql")


def column(name: str, type_: t.Type = t.Integer(), **more: Any) -> Column:  # noqa: B008 - frozen
    return Column(name, type_, comment=f"about {name}", **more)


DEPT = Table(
    "hr",
    "dept",
    (column("id", default=NextValue(QName("hr", "ids"))), column("colour", t.Enum(("red",), "colour", "hr"))),
    PrimaryKey("dept_pk", ("id",)),
    indexes=(Index("dept_ix", (IndexKey("id"),), comment="fast"),),
    comment="departments",
)
EMP = Table(
    "hr",
    "emp",
    (column("id"), column("dept"), column("tags", t.Array(t.Domain("hr", "tag", t.Enum(("x",), "tag_kind", "hr"))))),
    PrimaryKey("emp_pk", ("id",)),
    uniques=(Unique("emp_uk", ("dept", "id")), Unique(None, ("dept",))),
    checks=(Check("emp_ck", sql("id > 0")),),
    foreign_keys=(ForeignKey("emp_fk", ("dept",), QName("hr", "dept"), ("id",)),),
    indexes=(Index("emp_ix", (IndexKey("dept"),)), Index("emp_ix2", (IndexKey("id"),))),
    exclusions=(Exclusion("emp_xk", sql("EXCLUDE …"), "no two"),),
)
EMP_LOG = Table("hr", "EMP_LOG", (column("id"),))
SALES = Table("sales", "emp", (column("id"),))
OBJECTS = (
    Schema("hr"),
    Schema("sales"),
    EnumType("hr", "colour", ("red",)),
    EnumType("hr", "tag_kind", ("x",)),
    EnumType("hr", "unused", ("y",)),
    DomainType("hr", "tag", t.Enum(("x",), "tag_kind", "hr")),
    Sequence("hr", "ids"),
    Sequence("hr", "free"),
    Sequence("hr", "emp_id_seq", owner=("emp", "id")),
    DEPT,
    EMP,
    EMP_LOG,
    SALES,
    View("hr", "staff", sql("SELECT * FROM emp"), comment="people"),
    View("hr", "totals", sql("SELECT 1"), materialized=True, indexes=(Index("totals_ix", (IndexKey("a"),)),)),
    Program("hr", "emp_audit", "TRIGGER", sql("CREATE TRIGGER …"), table="emp"),
    Program("hr", "staff_guard", "RULE", sql("CREATE RULE …"), table="staff"),
    Program("hr", "raise", "FUNCTION", sql("CREATE FUNCTION …")),
)
HR = Catalog("postgresql", "16", OBJECTS, (Loss(path_of(EMP), "r", "emp lost"), Loss(path_of(DEPT), "r", "dept lost")))


def job(mode: Mode = "FULL", **changes: Any) -> JobSpec:
    return replace(JobSpec("EXPORT", mode, "x", Path("/")), **changes)


def named(path: str, comparison: str | None = None, *values: str) -> ObjectFilter:
    return ObjectFilter(path, None if comparison is None else NameClause(comparison, values))  # type: ignore[arg-type]


def selected(spec: JobSpec, default_schema: str = "hr") -> list[str]:
    return [path_of(obj).replace('"', "") for obj in select(HR, spec, default_schema).objects]


def table(spec: JobSpec, name: QName = EMP.qname) -> Table:
    found = select(HR, spec, "hr").table(name)
    assert found is not None
    return found


# --- names


def test_a_name_means_the_object_spelled_so() -> None:
    assert spelled("Emp", ["emp", "Emp", "EMP"]) == "Emp"


def test_else_the_only_one_that_differs_in_case() -> None:
    assert spelled("EMP", ["emp", "dept"]) == "emp"
    assert spelled("EMP", ["emp", "Emp"]) is None


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        (NameClause("=", ("a1",)), {"a1"}),
        (NameClause("!=", ("a1",)), {"a2", "B1"}),
        (NameClause("IN", ("A1", "b1", "zz")), {"a1", "B1"}),
        (NameClause("NOT IN", ("A1",)), {"a2", "B1"}),
        (NameClause("LIKE", ("a%",)), {"a1", "a2"}),
        (NameClause("LIKE", ("_1",)), {"a1", "B1"}),
        (NameClause("LIKE", ("A%",)), {"a1", "a2"}),
        (NameClause("NOT LIKE", ("a%",)), {"B1"}),
        (NameClause(">", ("a1",)), {"a2"}),
        (NameClause("<=", ("a1",)), {"a1", "B1"}),
        (None, {"a1", "a2", "B1"}),
    ],
)
def test_name_clauses(clause: NameClause | None, found: set[str]) -> None:
    assert matching(clause, ["a1", "a2", "B1"]) == found


def test_a_pattern_that_fits_as_written_minds_case() -> None:
    assert matching(NameClause("LIKE", ("a%",)), ["a1", "A2"]) == {"a1"}


@given(st.lists(st.text(max_size=5), max_size=5), st.text(max_size=3))
def test_a_clause_and_its_opposite_share_all_names_out(names: list[str], value: str) -> None:
    for positive, negative in (("=", "!="), ("IN", "NOT IN"), ("LIKE", "NOT LIKE")):
        one, other = (matching(NameClause(c, (value,)), names) for c in (positive, negative))  # type: ignore[arg-type]
        assert one | other == set(names)
        assert not one & other


# --- schemas to read


def test_a_full_job_reads_all_schemas() -> None:
    assert schemas_wanted(job(), "hr", ["hr", "sales"]) == ("hr", "sales")


def test_a_schema_job_reads_those_named_or_the_users() -> None:
    assert schemas_wanted(job("SCHEMA", schemas=("SALES",)), "hr", ["hr", "sales"]) == ("sales",)
    assert schemas_wanted(job("SCHEMA"), "hr", ["hr", "sales"]) == ("hr",)


def test_a_table_job_reads_its_tables_schemas() -> None:
    tables = (TableName(None, "a"), TableName("sales", "b"), TableName("hr", "c"))
    assert schemas_wanted(job("TABLE", tables=tables), "hr", ["hr", "sales"]) == ("hr", "sales")


def test_a_missing_schema_is_named_with_those_there() -> None:
    with pytest.raises(SchemaNotFound, match=r"ORA-39165: Schema hrx \(the nearest: hr\) was not found") as caught:
        schemas_wanted(job("SCHEMA", schemas=("hrx",)), "hr", ["sales", "hr"])
    assert caught.value.facts["known"] == "hr, sales"
    with pytest.raises(SchemaNotFound, match=r"Schema Hr \(which of HR and hr\? Spell it exactly so\) was not found"):
        schemas_wanted(job("SCHEMA", schemas=("Hr",)), "hr", ["sales", "hr", "HR"])


# --- modes


def test_full_takes_everything_in_order() -> None:
    assert select(HR, job(), "hr").objects == OBJECTS


def test_schema_mode_takes_the_schema_and_what_is_in_it() -> None:
    assert selected(job("SCHEMA", schemas=("sales",))) == ["SCHEMA:sales", "TABLE:sales.emp"]
    assert "TABLE:sales.emp" not in selected(job("SCHEMA"))
    assert "VIEW:hr.staff" in selected(job("SCHEMA"))


def test_table_mode_takes_tables_their_triggers_and_what_they_need() -> None:
    assert selected(job("TABLE", tables=(TableName(None, "emp"),))) == [
        "TYPE:hr.tag_kind",
        "DOMAIN:hr.tag",
        "SEQUENCE:hr.emp_id_seq",
        "TABLE:hr.emp",
        "TRIGGER:hr.emp_audit",
    ]
    assert selected(job("TABLE", tables=(TableName("hr", "DEPT"),))) == [
        "TYPE:hr.colour",
        "SEQUENCE:hr.ids",
        "TABLE:hr.dept",
    ]


def test_a_table_keeps_its_keys_to_tables_outside_the_job() -> None:
    assert table(job("TABLE", tables=(TableName(None, "emp"),))).foreign_keys == EMP.foreign_keys


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("e%", ["emp"]), ("%", ["dept", "emp", "EMP_LOG"]), ("DE%", ["dept"]), ("EMP%", ["EMP_LOG"]), ("emp", ["emp"])],
)
def test_a_percent_sign_in_a_table_name_stands_for_any_text(pattern: str, found: list[str]) -> None:
    result = select(HR, job("TABLE", tables=(TableName("hr", pattern),)), "hr")
    assert [table.name for table in result.of(Table)] == found


def test_a_table_without_schema_is_the_default_schemas_or_the_only_ones() -> None:
    spec = job("TABLE", tables=(TableName(None, "emp"),))
    assert "TABLE:sales.emp" in selected(spec, "sales")
    only = Catalog("sqlite", "3", (Table("main", "emp", ()),))
    assert len(select(only, spec, "public").objects) == 1


@pytest.mark.parametrize("name", [TableName(None, "nope"), TableName("hr", "x%"), TableName("hr", "staff")])
def test_a_missing_table_is_named(name: TableName) -> None:
    with pytest.raises(ObjectNotFound, match=f"ORA-39166: Object hr.{name.name} was not found"):
        selected(job("TABLE", tables=(name,)))


# --- INCLUDE


def test_include_takes_what_it_names_and_its_dependents() -> None:
    assert selected(job(include=(named("TABLE", "IN", "emp"),))) == [
        "TYPE:hr.tag_kind",
        "DOMAIN:hr.tag",
        "SEQUENCE:hr.emp_id_seq",
        "TABLE:hr.emp",
        "TABLE:sales.emp",
        "TRIGGER:hr.emp_audit",
    ]
    assert selected(job(include=(named("VIEW"),))) == ["VIEW:hr.staff", "RULE:hr.staff_guard"]


def test_includes_add_up() -> None:
    assert selected(job(include=(named("FUNCTION"), named("TYPE", "=", "unused")))) == [
        "TYPE:hr.unused",
        "FUNCTION:hr.raise",
    ]


def test_include_works_within_the_mode() -> None:
    assert selected(job("SCHEMA", schemas=("sales",), include=(named("TABLE"),))) == ["TABLE:sales.emp"]


def test_include_schema_takes_all_that_is_in_it() -> None:
    assert selected(job(include=(named("SCHEMA", "=", "sales"),))) == ["SCHEMA:sales", "TABLE:sales.emp"]


def test_include_user_takes_schemas_alone() -> None:
    assert selected(job(include=(named("USER"),))) == ["SCHEMA:hr", "SCHEMA:sales"]


def test_exclude_narrows_what_include_takes() -> None:
    spec = job(include=(named("TABLE"),), exclude=(named("TABLE", "!=", "dept"),))
    assert selected(spec) == ["TYPE:hr.colour", "SEQUENCE:hr.ids", "TABLE:hr.dept"]


# --- EXCLUDE of objects


def test_an_excluded_table_takes_its_dependents_with_it() -> None:
    gone = set(selected(job())) - set(selected(job(exclude=(named("TABLE", "=", "emp"),))))
    assert gone == {"TABLE:hr.emp", "TABLE:sales.emp", "TRIGGER:hr.emp_audit", "SEQUENCE:hr.emp_id_seq"}


def test_keys_to_an_excluded_table_stay() -> None:
    assert table(job(exclude=(named("TABLE", "=", "dept"),))).foreign_keys == EMP.foreign_keys


def test_an_excluded_schema_takes_everything_in_it() -> None:
    assert selected(job(exclude=(named("SCHEMA", "=", "hr"),))) == ["SCHEMA:sales", "TABLE:sales.emp"]


def test_an_excluded_user_is_a_schemas_definition_only() -> None:
    assert set(selected(job())) - set(selected(job(exclude=(named("USER"),)))) == {"SCHEMA:hr", "SCHEMA:sales"}


def test_what_tables_need_cannot_be_excluded() -> None:
    left = selected(job(exclude=(named("TYPE"), named("DOMAIN"), named("SEQUENCE"))))
    assert [path for path in left if path.startswith(("TYPE", "DOMAIN", "SEQUENCE"))] == [
        "TYPE:hr.colour",
        "TYPE:hr.tag_kind",
        "DOMAIN:hr.tag",
        "SEQUENCE:hr.ids",
        "SEQUENCE:hr.emp_id_seq",
    ]


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("VIEW", {"VIEW:hr.staff", "RULE:hr.staff_guard"}),
        ("MATERIALIZED_VIEW", {"MATERIALIZED_VIEW:hr.totals"}),
        ("TRIGGER", {"TRIGGER:hr.emp_audit"}),
        ("FUNCTION", {"FUNCTION:hr.raise"}),
        ("STATISTICS", set()),
    ],
)
def test_types_are_excluded_by_name(path: str, gone: set[str]) -> None:
    assert set(selected(job())) - set(selected(job(exclude=(named(path),)))) == gone


# --- EXCLUDE of parts


def test_excluding_constraints_leaves_foreign_keys() -> None:
    found = table(job(exclude=(named("CONSTRAINT"),)))
    assert (found.primary_key, found.uniques, found.checks, found.exclusions) == (None, (), (), ())
    assert found.foreign_keys == EMP.foreign_keys


def test_excluding_ref_constraints_leaves_the_others() -> None:
    found = table(job(exclude=(named("REF_CONSTRAINT"),)))
    assert found == replace(EMP, foreign_keys=())


def test_parts_are_excluded_by_their_names() -> None:
    assert [i.name for i in table(job(exclude=(named("INDEX", "=", "emp_ix"),))).indexes] == ["emp_ix2"]
    found = table(job(exclude=(named("CONSTRAINT", "LIKE", "EMP_%K"),)))
    assert (found.primary_key, found.checks, found.exclusions) == (None, (), ())
    assert [unique.name for unique in found.uniques] == [None]


def test_a_pattern_for_parts_is_tried_on_all_tables_before_case_is_ignored() -> None:
    other = replace(EMP_LOG, indexes=(Index("EMP_IX", (IndexKey("id"),)),))
    catalog = Catalog("x", "1", (EMP, other))
    result = select(catalog, job(exclude=(named("INDEX", "LIKE", "EMP%"),)), "hr")
    assert [len(found.indexes) for found in result.of(Table)] == [2, 0]


def test_indexes_of_materialized_views_are_indexes() -> None:
    result = select(HR, job(exclude=(named("INDEX"),)), "hr")
    assert all(view.indexes == () for view in result.of(View))


def test_excluding_comments_takes_all_of_them() -> None:
    result = select(HR, job(exclude=(named("COMMENT"),)), "hr")
    assert "comment='" not in repr(result.objects)
    assert len(result.objects) == len(OBJECTS)


# --- the rest


def test_losses_of_objects_outside_the_job_are_not_the_jobs() -> None:
    result = select(HR, job(exclude=(named("TABLE", "=", "emp"),)), "hr")
    assert [loss.detail for loss in result.losses] == ["dept lost"]


@pytest.mark.parametrize(
    "spec",
    [
        job(include=(named("TABLE", "=", "nope"),)),
        job("SCHEMA", exclude=(named("SCHEMA", "=", "hr"),)),
        job(include=(named("VIEW"),), content="DATA_ONLY"),
        job(exclude=(named("TABLE_DATA"),), content="DATA_ONLY"),
    ],
)
def test_a_job_of_nothing_is_refused(spec: JobSpec) -> None:
    with pytest.raises(NothingSelected):
        selected(spec)


def test_schemas_alone_are_no_job_unless_asked_for() -> None:
    with pytest.raises(NothingSelected):
        select(Catalog("x", "1", (Schema("hr"),)), job("SCHEMA"), "hr")


def test_names_in_filters_that_nothing_answers_to_are_remarked_on() -> None:
    spec = job(
        include=(named("TABLE", "IN", "EMP_log", "nope"), named("SCHEMA", "=", "hr")),
        exclude=(named("INDEX", "=", "emp_ixx"), named("CONSTRAINT", "=", "emp_pk"), named("TABLE_DATA", "!=", "depd")),
    )
    assert unmatched(spec, HR) == (
        "INCLUDE=TABLE: the source has no nope",
        "EXCLUDE=INDEX: the source has no emp_ixx",
        "EXCLUDE=TABLE_DATA: the source has no depd",
    )


def test_what_is_excluded_and_stays_since_tables_need_it_is_remarked_on() -> None:
    spec = job(exclude=(named("TYPE", "IN", "colour", "unused"), named("SEQUENCE"), named("VIEW")))
    assert needed_anyway(spec, select(HR, spec, "hr")) == (
        'EXCLUDE=TYPE: tables of the job need what stays: TYPE:"hr"."colour"',
        'EXCLUDE=SEQUENCE: tables of the job need what stays: SEQUENCE:"hr"."ids", SEQUENCE:"hr"."emp_id_seq"',
    )


def test_patterns_are_not_remarked_on() -> None:
    assert unmatched(job(exclude=(named("TABLE", "LIKE", "tmp%"), named("VIEW"))), HR) == ()


# --- rows


def test_a_query_limits_its_table_and_the_general_one_all_others() -> None:
    spec = job(query=(TableQuery(None, "g"), TableQuery(TableName("HR", "EMP"), "e")))
    assert conditions(spec, HR) == {DEPT.qname: "g", EMP.qname: "e", EMP_LOG.qname: "g", SALES.qname: "g"}


def test_no_query_limits_nothing() -> None:
    assert conditions(job(), HR) == {}


def test_a_query_finds_a_renamed_table_by_its_name_at_the_source() -> None:
    renamed = Catalog("x", "1", (replace(EMP, name="staff", origin=EMP.qname),))
    assert conditions(job(query=(TableQuery(TableName(None, "emp"), "e"),)), renamed) == {EMP.qname: "e"}


def test_a_query_for_a_table_outside_the_job_is_refused() -> None:
    with pytest.raises(ObjectNotFound, match=r"sales\.dept"):
        select(HR, job(query=(TableQuery(TableName("sales", "dept"), "x"),)), "hr")


def test_a_query_that_fits_tables_of_two_schemas_is_refused() -> None:
    with pytest.raises(AmbiguousName, match=r'emp, which fits several tables: "hr"."emp", "sales"."emp"'):
        select(HR, job(query=(TableQuery(TableName(None, "emp"), "x"),)), "hr")


def test_excluding_table_data_leaves_the_table_without_rows() -> None:
    spec = job(exclude=(named("TABLE_DATA", "=", "emp"),))
    assert [found.name for found in tables_with_rows(spec, select(HR, spec, "hr"))] == ["dept", "EMP_LOG"]
    assert "TABLE:hr.emp" in selected(spec)


def test_metadata_only_moves_no_rows() -> None:
    assert tables_with_rows(job(content="METADATA_ONLY"), HR) == ()


# --- row security


def secured(spec: JobSpec) -> set[str]:
    """What of the row security of two tables belongs to a job, each object by its type, its table and its name."""
    programs = (
        Program("hr", name, kind, sql("…"), table=on, named_by_table=True)  # type: ignore[arg-type]
        for on in ("dept", "emp")
        for kind, name in (("POLICY", "own"), ("ROW_SECURITY", "ENABLE ROW LEVEL SECURITY"), ("POLICY", f"of_{on}"))
    )
    catalog = Catalog("postgresql", "16", (DEPT, EMP, *programs))
    found = select(catalog, spec, "hr").of(Program)
    return {f"{one.kind.lower()} {one.table} {one.name.split()[0].lower()}" for one in found}


EVERY = {
    one.format(on) for on in ("dept", "emp") for one in ("policy {0} own", "policy {0} of_{0}", "row_security {0} enable")
}


@pytest.mark.parametrize(
    ("filter_", "left_out"),
    [
        (named("POLICY"), EVERY),
        (named("POLICY", "=", "own"), {"policy dept own", "policy emp own"}),
        (named("POLICY", "=", "emp"), set()),
        (named("ROW_SECURITY"), {"row_security dept enable", "row_security emp enable"}),
        (named("ROW_SECURITY", "=", "emp"), {"row_security emp enable"}),
        (named("TABLE", "=", "emp"), {"policy emp own", "policy emp of_emp", "row_security emp enable"}),
    ],
)
def test_a_policy_goes_by_its_own_name_and_whether_it_is_in_force_by_its_tables(
    filter_: ObjectFilter, left_out: set[str]
) -> None:
    assert secured(job(exclude=(filter_,))) == EVERY - left_out
    included = secured(job(include=(filter_,))) if left_out else set()
    assert included == left_out
