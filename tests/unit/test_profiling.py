"""What follows from the facts of a profile: findings, suggestions, and the numbers in the loss list."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from migrator.adapter import Adapter, Capabilities, Read, load_adapter
from migrator.converting import Pair, pair_of
from migrator.model import types as t
from migrator.model.catalog import Loss
from migrator.model.measures import MEANINGS, Ask, Measure
from migrator.model.misfits import Misfit
from migrator.model.objects import Column, QName, Table
from migrator.profiling.profiles import TROUBLES, ColumnProfile, Finding, TableProfile, Way, counted, profile
from migrator.profiling.proofs import PROOFS, Evidence, suggestion
from migrator.profiling.questions import QUESTIONS, facts_asked, misfits_asked
from migrator.profiling.scans import Answer, Scan, scan

M = Measure
NAME = QName("s", "t")


def seen(type_: t.Type, values: int = 3, *, key: bool = False, **facts: Answer) -> Evidence:
    return Evidence(Column("c", type_), values, {M(name): answer for name, answer in facts.items()}, key)


WHOLE: dict[str, Answer] = {"no_number": 0, "scale": 0, "not_boolean": 2}

PROVED = [
    ("0 and 1", seen(t.Integer(8), not_boolean=0), t.Boolean()),
    ("another number", seen(t.Integer(8), not_boolean=1), None),
    ("0 and 1 in a key", seen(t.Integer(8), key=True, not_boolean=0), None),
    ("0 and 1 as decimals", seen(t.Decimal(1, 0), no_number=0, scale=0, not_boolean=0), t.Boolean()),
    ("small whole numbers", seen(t.Decimal(10, 2), least="-32768", most="32767", **WHOLE), t.Integer(16)),
    ("one more", seen(t.Decimal(10, 2), least="-32768", most="32768", **WHOLE), t.Integer(32)),
    ("one less", seen(t.Decimal(10, 2), least="-32769", most="1.00", **WHOLE), t.Integer(32)),
    ("64 bits", seen(t.Decimal(20, 0), least="0", most=str((1 << 63) - 1), **WHOLE), t.Integer(64)),
    ("more than 64 bits", seen(t.Decimal(20, 0), least="0", most=str(1 << 63), **WHOLE), None),
    ("as SQLite writes them", seen(t.Decimal(15, 0), least="-1.0e+05", most="2.0", **WHOLE), t.Integer(32)),
    ("a digit", seen(t.Decimal(10, 2), least="0", most="1.5", **WHOLE | {"scale": 1}), None),
    ("a NaN", seen(t.Decimal(10, 2), least="0", most="1", **WHOLE | {"no_number": 1}), None),
    ("no limits", seen(t.Decimal(), least="-12.5", most="100", **WHOLE | {"scale": 3}), t.Decimal(6, 3)),
    ("no limits, and a NaN", seen(t.Decimal(), least="0", most="1.5", **WHOLE | {"scale": 1, "no_number": 1}), None),
    ("midnights", seen(t.Timestamp(), no_number=0, timed=0, least="a", most="b"), t.Date()),
    ("midnights and infinity", seen(t.Timestamp(), no_number=1, timed=0, least="a", most="b"), None),
    ("a time", seen(t.Timestamp(), timed=1), None),
    ("instants", seen(t.Timestamp(zoned=True)), None),
    ("UUIDs", seen(t.String(36), not_uuid=0, not_json=3), t.Uuid()),
    ("no UUIDs", seen(t.String(36), not_uuid=1), None),
    ("documents", seen(t.String(), not_uuid=3, not_json=0), t.Json()),
    ("what was not asked", seen(t.String(), not_json=None), None),
    ("no values", seen(t.Integer(8), values=0, not_boolean=0), None),
]


@pytest.mark.parametrize(("evidence", "type_"), [case[1:] for case in PROVED], ids=[case[0] for case in PROVED])
def test_a_type_is_suggested_if_all_values_prove_it(evidence: Evidence, type_: t.Type | None) -> None:
    found = suggestion(evidence, evidence.column.type)
    assert (found and found.type) == type_


def test_every_proof_has_a_case() -> None:
    found = [suggestion(evidence, evidence.column.type) for _, evidence, _ in PROVED]
    assert {one.rule for one in found if one is not None} == {proof.name for proof in PROOFS}


def test_what_a_column_becomes_anyhow_is_not_suggested() -> None:
    whole = seen(t.Decimal(9, 0), least="2", most="3", **WHOLE)
    assert suggestion(whole, t.Decimal(9, 0)) is not None
    assert suggestion(whole, t.Integer(32)) is None
    unlimited = seen(t.Decimal(), least="0", most="1.5", **WHOLE | {"scale": 1})
    assert suggestion(unlimited, t.Decimal(65, 30)) is None


def test_a_suggestion_says_what_proves_it() -> None:
    found = suggestion(seen(t.Decimal(10, 2), 7, least="-3", most="4000.00", **WHOLE), t.Decimal(10, 2))
    assert found is not None
    assert (found.values, found.least, found.most) == (7, "-3", "4000.00")
    assert str(found) == "c: smallint: each of 7 values is whole, from -3 to 4000.00"
    assert str(replace(found, declared="int2")).startswith("c: int2: each of 7")


# --- what is asked --------------------------------------------------------------------------------------------------


def test_each_measure_is_asked_once_and_has_a_meaning() -> None:
    assert sorted(question.measure for question in QUESTIONS) == sorted(Measure)
    assert set(MEANINGS) == set(Measure)


@pytest.mark.parametrize(
    ("type_", "asked", "not_asked"),
    [
        (t.Integer(), {M.LEAST, M.NOT_BOOLEAN}, {M.SCALE, M.EMPTY}),
        (t.Decimal(), {M.SCALE, M.NO_NUMBER}, {M.BYTES}),
        (t.Timestamp(), {M.TIMED, M.MOST}, {M.NOT_BOOLEAN}),
        (t.Timestamp(zoned=True), {M.MOST, M.TIMED}, {M.NOT_BOOLEAN}),
        (t.String(35), {M.EMPTY, M.CHARACTERS}, {M.NOT_UUID, M.NOT_JSON, M.LEAST}),
        (t.String(36), {M.NOT_UUID}, {M.NOT_JSON}),
        (t.String(), {M.NOT_UUID, M.NOT_JSON}, set()),
        (t.Domain("s", "d", t.Binary()), {M.BYTES, M.NULLS}, {M.CHARACTERS}),
    ],
    ids=lambda value: " ".join(sorted(value)) or "none" if isinstance(value, set) else str(value),
)
def test_a_type_is_asked_what_matters_to_it(type_: t.Type, asked: set[Measure], not_asked: set[Measure]) -> None:
    found = {ask.what for ask in facts_asked(Column("c", type_))}
    assert asked <= found
    assert not not_asked & found


def asks(here: str, source: t.Type, there: str, target: t.Type) -> dict[Misfit, Ask]:
    return {Misfit(ask.what): ask for ask in misfits_asked(way_of(here, source, there, target))}


def way_of(here: str, source: t.Type, there: str, target: t.Type) -> Pair:
    return pair_of(Column("c", source), Column("d", target), load_adapter(here), load_adapter(there))


def test_misfits_are_asked_by_where_the_values_go() -> None:
    column = Column("c", t.Decimal(10, 2))
    assert asks("mysql", column.type, "postgresql", t.Integer(16)) == {
        Misfit.FRACTION: Ask(column, Misfit.FRACTION, digits=0),
        Misfit.OUT_OF_RANGE: Ask(column, Misfit.OUT_OF_RANGE, limits=(-32769, 32768)),
    }
    rounded = Ask(column, Misfit.OUT_OF_RANGE, limits=(Decimal("-32768.5"), Decimal("32767.5")))
    assert rounded in misfits_asked(way_of("mysql", column.type, "postgresql", t.Integer(16)), rounds=True)
    assert asks("mysql", column.type, "postgresql", t.Decimal(10, 2)) == {}
    text = Column("c", t.String())
    assert asks("sqlite", text.type, "mysql", t.String(5, unit="byte"))[Misfit.TOO_LONG] == Ask(
        text, Misfit.TOO_LONG, length=5, in_bytes=True
    )
    assert asks("sqlite", text.type, "postgresql", t.Json(binary=True))[Misfit.NUL_BYTE].escapes
    assert not asks("sqlite", text.type, "postgresql", t.String())[Misfit.NUL_BYTE].escapes
    assert set(asks("mysql", t.Date(), "postgresql", t.Date())) == {
        Misfit.ZERO_DATE,
        Misfit.PARTIAL_DATE,
        Misfit.OUT_OF_RANGE,
    }
    assert set(asks("postgresql", t.Date(), "mysql", t.Date())) == {Misfit.INFINITY, Misfit.OUT_OF_RANGE}
    assert asks("mysql", t.Timestamp(6), "postgresql", t.Timestamp(3))[Misfit.FRACTION].digits == 3


def test_what_an_older_postgresql_has_no_words_for_is_not_asked() -> None:
    postgresql = load_adapter("postgresql")
    document, number = Ask(Column("c", t.String()), M.NOT_JSON), Ask(Column("n", t.Decimal()), M.NO_NUMBER)
    assert postgresql.aggregate(document, (15, 4)) is None
    assert "IS JSON" in str(postgresql.aggregate(document, (16, 0)))
    assert "Infinity" not in str(postgresql.aggregate(number, (13, 0)))
    for measure in (M.NOT_UUID, M.NOT_JSON):  # patterns are refused where the column's own collation is not deterministic
        assert 'COLLATE pg_catalog."C" ~' in str(postgresql.aggregate(Ask(Column("c", t.String()), measure), (16, 0)))
    assert "Infinity" in str(postgresql.aggregate(number, (14, 0)))


# --- scans ----------------------------------------------------------------------------------------------------------


def test_a_table_is_gone_through_again_only_for_what_a_select_has_no_room_for(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    with sqlite3.connect(f"{tmp_path}/t.db") as plain:
        plain.execute('CREATE TABLE t ("a%s" INTEGER, b TEXT)')
        plain.execute("INSERT INTO t VALUES (1, 'x'), (NULL, ''), (3, NULL)")
    plain.close()
    adapter = load_adapter("sqlite")
    columns = (Column("a%s", t.Integer()), Column("b", t.String()))
    asked = [ask for column in columns for ask in facts_asked(column)]
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        found = scan(connection, adapter, (3,), Read(QName("main", "t"), columns), [*asked, *asked])
        assert (found.rows, found.queries) == (3, 1)
        assert {(ask.column.name, ask.what): answer for ask, answer in found.answers.items()}.items() >= {
            ("a%s", M.NULLS): 1,
            ("a%s", M.LEAST): "1",
            ("a%s", M.MOST): "3",
            ("a%s", M.INTEGERS): 2,
            ("b", M.EMPTY): 1,
            ("b", M.CHARACTERS): 1,
        }.items()
        narrow = _with_room(adapter, 5)
        split = scan(connection, narrow, (3,), Read(QName("main", "t"), columns), asked)
        assert split.queries == -(-len(found.answers) // 4)
        assert split.answers == found.answers
        nothing = scan(connection, adapter, (3,), Read(QName("main", "t"), ()), [])
        assert (nothing.rows, nothing.answers) == (3, {})


def _with_room(adapter: Adapter, room: int) -> Adapter:
    class Narrow(type(adapter)):  # type: ignore[misc]
        capabilities: Capabilities = replace(adapter.capabilities, select_list=room)

    narrow: Adapter = Narrow()
    return narrow


# --- findings -------------------------------------------------------------------------------------------------------


def test_misfits_are_findings_with_what_policy_does_about_them() -> None:
    pair = pair_of(Column("c", t.Date()), Column("d", t.Date()), load_adapter("mysql"), load_adapter("postgresql"))
    way = Way(pair.source, pair)
    zero, partial, beyond = misfits_asked(pair)
    found = Scan(5, {zero: 2, partial: 0, beyond: 0, Ask(pair.source, M.NULLS): 1})
    told = profile(NAME, [way], found, {"d": {Misfit.ZERO_DATE: "convert"}})
    assert [(one.column, one.case, one.rows, one.action) for one in told.findings] == [("d", "zero_date", 2, "convert")]
    assert str(told.findings[0]).startswith("d: 2 rows: MySQL's date 0000-00-00")
    refused = profile(NAME, [way], found, {})
    assert [one.action for one in refused.findings] == ["refuse"]
    assert counted((), [refused]) == ()
    (entry,) = counted((), [told])
    assert (entry.column, entry.rule, entry.rows, entry.policy) == ("d", "zero-date", 2, "convert")


def test_what_sql_cannot_find_is_named() -> None:
    pair = pair_of(Column("c", t.String()), Column("d", t.Integer()), load_adapter("sqlite"), load_adapter("postgresql"))
    way = Way(pair.source, pair)
    told = profile(NAME, [way], Scan(1, dict.fromkeys(way.asks, 0)), {})
    assert told.columns[0].unknown == (
        "other_type",
        Misfit.INFINITY,
        Misfit.NAN,
        Misfit.FRACTION,
        Misfit.OUT_OF_RANGE,
    )
    assert told.findings == ()


def way_to(source: t.Type, target: t.Type, here: str = "mysql", there: str = "postgresql") -> Way:
    """A column whose values go into one that is there already."""
    pair = way_of(here, source, there, target)
    return Way(pair.source, pair, existing=True)


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        (t.Binary(), t.String(), "bytes are no value of another type"),
        (t.Time(), t.Date(), "a time of day is on no day"),
        (t.Time(zoned=True), t.Interval(), "a time of day with an offset is no span of time"),
        (t.Decimal(), t.Date(), "only dates and times are dates or times"),
        (t.Domain("s", "d", t.Decimal(9, 2)), t.Binary(), "a number is no bytes and no bits"),
    ],
    ids=str,
)
def test_what_a_load_refuses_whatever_it_is_counts_as_found_and_nothing_else_is_asked(
    source: t.Type, target: t.Type, why: str
) -> None:
    way = way_to(source, target)
    told = profile(NAME, [way], Scan(5, {Ask(way.column, M.NULLS): 2}), {})
    assert told.findings == (Finding("other_type", 3, f"{TROUBLES['other_type']} ({why})", "d"),)
    assert told.columns[0].unknown == ()
    assert profile(NAME, [way], Scan(2, {Ask(way.column, M.NULLS): 2}), {}).findings == ()


UNKNOWN: list[tuple[t.Type, t.Type, tuple[str, ...]]] = [
    (t.Time(zoned=True), t.Time(), ("other_type",)),
    (t.Array(t.Integer()), t.String(9, fixed=True), ("other_type", "too_long")),
    (t.Interval(), t.String(fixed=True), ("other_type",)),
    (t.Enum(("a", "ab")), t.Enum(("a", "ab", "b")), ("other_type",)),
    (t.Bit(3), t.Bit(5), ("other_type",)),
    (t.Bit(3), t.Bit(5, varying=True), ()),
    (t.Bit(3, varying=True), t.Bit(3), ("other_type",)),
    (t.Bit(3), t.Bit(None, varying=True), ()),
    (t.Integer(64), t.String(20), ()),
    (t.Integer(64), t.String(19), ("too_long",)),
    (t.Uuid(), t.String(36, fixed=True), ()),
    (t.Enum(("a", "ż")), t.String(2), ()),
    (t.Enum(("a", "ż")), t.String(1), ("too_long",)),
    (t.Date(), t.Timestamp(), ()),
    (t.Time(), t.Interval(), ()),
    (t.Uuid(), t.Binary(16), ()),
    (t.Uuid(), t.Binary(8), ("other_type",)),
    (t.Binary(16), t.Uuid(), ()),
    (t.Integer(), t.Json(), ("other_type",)),
    (t.Boolean(), t.Decimal(3, 1), ()),
    (t.Boolean(), t.Decimal(2, 2), ("out_of_range",)),
    (t.Boolean(), t.Integer(16), ()),
    (t.Timestamp(zoned=True), t.Native("postgresql", "inet"), ("other_type",)),
    (t.Timestamp(zoned=True), t.Xml(), ("other_type",)),
    (t.Timestamp(zoned=True), t.String(), ()),
    (t.Timestamp(zoned=True), t.Date(), ()),
]


@pytest.mark.parametrize(("source", "target", "unknown"), UNKNOWN, ids=str)
def test_what_a_load_may_refuse_and_nothing_counts_is_not_known(
    source: t.Type, target: t.Type, unknown: tuple[str, ...]
) -> None:
    way = way_to(source, target, "postgresql", "postgresql")
    answered = [ask for ask in way.asks if load_adapter("postgresql").aggregate(ask, (18,)) is not None]
    assert profile(NAME, [way], Scan(1, dict.fromkeys(answered, 0)), {}).columns[0].unknown == unknown


def test_dates_that_no_calendar_has_may_not_go_where_a_zone_or_a_time_is_left_out() -> None:
    for source, target in ((t.Timestamp(zoned=True), t.Timestamp()), (t.Timestamp(), t.Date())):
        way = way_to(source, target, "postgresql", "postgresql")
        for strange in (0, 1):
            found = Scan(1, {ask: 0 if ask.what is not M.NO_NUMBER else strange for ask in way.asks})
            assert profile(NAME, [way], found, {}).columns[0].unknown == ("other_type",) * strange


@pytest.mark.parametrize(
    ("adapter", "column", "narrowed_by"),
    [
        ("mysql", Column("c", t.String(9)), "latin1"),
        ("mysql", Column("c", t.String(9), collation="utf8mb3_bin"), "utf8mb3"),
        ("mysql", Column("c", t.String(9), collation="utf8mb4_bin"), ""),
        ("mysql", Column("c", t.Json()), ""),
        ("mysql", Column("c", t.Timestamp(zoned=True)), "timestamp"),
        ("mysql", Column("c", t.Timestamp()), ""),
        ("postgresql", Column("c", t.Interval(), native="interval hour"), "interval hour"),
        ("postgresql", Column("c", t.Interval("year_month"), native="interval year to month"), ""),
        ("postgresql", Column("c", t.Interval(), native="interval"), ""),
        ("sqlite", Column("c", t.String(9), collation="NOCASE"), ""),
    ],
    ids=str,
)
def test_a_column_may_leave_out_values_of_its_type(adapter: str, column: Column, narrowed_by: str) -> None:
    table = Table("s", "t", (column,), options=(("ENGINE", "InnoDB"), ("COLLATE", "latin1_swedish_ci")))
    assert load_adapter(adapter).narrowed_by(table, column) == narrowed_by


def test_what_a_column_leaves_out_matters_to_values_that_may_have_it() -> None:
    for source, unknown in ((t.String(), ("other_type",)), (t.Uuid(), ()), (t.Integer(), ()), (t.Json(), ("other_type",))):
        way = replace(way_to(source, t.String(), "postgresql", "mysql"), narrowed=True)
        assert profile(NAME, [way], Scan(1, dict.fromkeys(way.asks, 0)), {}).columns[0].unknown == unknown


def test_a_new_column_has_room_for_what_it_is_made_for() -> None:
    pair = way_of("postgresql", t.Interval(), "mysql", t.String(60))
    assert profile(NAME, [Way(pair.source, pair)], Scan(1, {}), {}).columns[0].unknown == ()


def test_an_empty_text_is_found_where_it_would_be_null() -> None:
    way = way_to(t.String(), t.String(9), "mysql", "oracle")
    found = Scan(5, {ask: 2 if ask.what is Misfit.EMPTY_TEXT else 0 for ask in way.asks})
    (finding,) = profile(NAME, [way], found, {}).findings
    assert (finding.case, finding.rows, finding.action, finding.hinders) == ("empty_text", 2, "refuse", True)
    assert profile(NAME, [way_to(t.String(), t.String(9), "mysql", "postgresql")], found, {}).findings == ()


@pytest.mark.parametrize(
    ("action", "hinders"), [("convert", False), ("warn", True), ("relax", False), ("'1900-01-01'", False)]
)
@pytest.mark.parametrize("nullable", [True, False])
def test_what_policy_does_hinders_no_import_unless_it_is_to(action: str, hinders: bool, nullable: bool) -> None:
    """A value of one's own can be put into a column that is NOT NULL, and NULL cannot."""
    way = way_to(t.Date(), t.Date(), "mysql", "postgresql")
    assert way.pair is not None
    way = replace(way, pair=replace(way.pair, target=replace(way.pair.target, nullable=nullable)))
    found = Scan(5, {ask: 2 if ask.what is Misfit.ZERO_DATE else 0 for ask in way.asks})
    (finding,) = profile(NAME, [way], found, {way.target.name: {Misfit.ZERO_DATE: action}}).findings
    put = action.startswith("'")
    assert finding.hinders == (hinders or (not nullable and not put))
    assert finding.action == (action if nullable or put else "refuse")


def test_entries_get_their_number_of_rows() -> None:
    path = f"TABLE:{NAME}"
    facts: dict[Measure, Answer] = {M.NULLS: 4, M.EMPTY: 3}
    known = TableProfile(NAME, 10, 1, (ColumnProfile("c", "text", facts, {Misfit.OUT_OF_RANGE: 2}),))
    losses = [
        Loss(path, "type-interval", "each", "c", each=True),
        Loss(path, "oracle-empty-string", "some", "c"),
        Loss(path, "number-types", "some", "c"),
        Loss(path, "collation", "not about rows", "c"),
        Loss(path, "type-interval", "another column", "x", each=True),
        Loss('TABLE:"s"."other"', "type-interval", "another table", "c", each=True),
        Loss(path, "type-interval", "known before", "c", 1, each=True),
    ]
    assert [loss.rows for loss in counted(losses, [known])] == [6, 3, 2, None, None, None, 1]
    assert [loss.rows for loss in counted(losses, [replace(known, problem="gone")])] == [None] * 6 + [1]
