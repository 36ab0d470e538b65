"""What a deparsed default of PostgreSQL means."""

from __future__ import annotations

import pytest

from dialects.postgresql.defaults import parse
from migrator.model import types as t
from migrator.model.objects import Default, Expression, Literal, NewUuid, NextValue, Now, QName


@pytest.mark.parametrize(
    ("sql", "meaning"),
    [
        ("true", Literal("1", "boolean")),
        ("false", Literal("0", "boolean")),
        ("4.99", Literal("4.99", "number")),
        ("'-1'::integer", Literal("-1", "number")),
        ("(-1.5)", Literal("-1.5", "number")),
        ("(0)::numeric", Literal("0", "number")),
        ("'9223372036854775807'::bigint", Literal("9223372036854775807", "number")),
        ("NULL::character varying", Literal("", "null")),
        ("''::text", Literal("")),
        ("'it''s'::text", Literal("it's")),
        ("E'back\\\\slash'::text", Literal("back\\slash")),
        ("'G'::public.mpaa_rating", Literal("G")),
        ('\'x\'::"Odd Schema"."My Type"', Literal("x")),
        ("'{sad}'::public.mood[]", Literal("{sad}")),
        ("'{\"a\": 1}'::jsonb", Literal('{"a": 1}')),
        ("'2020-01-01 00:00:00'::timestamp without time zone", Literal("2020-01-01 00:00:00")),
        ("'\\xdead'::bytea", Literal("dead", "binary")),
        ("'101'::\"bit\"", Literal("101", "bit")),
        ("now()", Now()),
        ("timezone('utc'::text, now())", Now(utc=True)),
        ("(timezone('utc'::text, now()))::date", Now("date", utc=True)),
        ("CURRENT_TIMESTAMP", Now()),
        ("CURRENT_TIMESTAMP(3)", Now("timestamp", 3)),
        ("LOCALTIMESTAMP", Now()),
        ("date_trunc('second'::text, now())", Now(precision=0, cut=True)),
        ("timezone('utc'::text, date_trunc('milliseconds'::text, now()))", Now(precision=3, utc=True, cut=True)),
        ("(date_trunc('second'::text, now()))::time without time zone", Now("time", 0, cut=True)),
        ("statement_timestamp()", Now(moment="statement")),
        ("(clock_timestamp())::date", Now("date", moment="call")),
        ("(timezone('utc'::text, transaction_timestamp()))::date", Now("date", utc=True, moment="transaction")),
        ("(statement_timestamp())::timestamp(2) with time zone", Now(precision=2, moment="statement")),
        ("date_trunc('second'::text, statement_timestamp())", Now(precision=0, cut=True, moment="statement")),
        ("CURRENT_DATE", Now("date")),
        ("LOCALTIME", Now("time")),
        ("gen_random_uuid()", NewUuid()),
        ("nextval('public.actor_actor_id_seq'::regclass)", NextValue(QName("public", "actor_actor_id_seq"))),
        ('nextval(\'"Odd ""S"""."it\'\'s"\'::regclass)', NextValue(QName('Odd "S"', "it's"))),
    ],
)
def test_a_default_is_told_in_the_models_words(sql: str, meaning: Default) -> None:
    assert parse(sql, t.Timestamp()) == meaning


@pytest.mark.parametrize(
    "sql",
    [
        "('a'::text || 'b'::text)",
        "'a'::text || 'b'::text",
        "public.twice(4)",
        "'NaN'::numeric + 1",
        "ARRAY[1, 2]",
        "('now'::text)::date",
        "now() + '1 day'::interval",
        "date_trunc('minute'::text, now())",
        "(now())::date",
        "statement_timestamp() - now()",
        "statement_timestamp() - clock_timestamp()",
        "date_trunc('second'::text, now()) + date_trunc('second'::text, now())",
    ],
)
def test_any_other_default_stays_an_expression(sql: str) -> None:
    assert parse(sql, t.Timestamp()) == Expression(sql, "postgresql")


@pytest.mark.parametrize(
    ("sql", "meaning"),
    [
        ("now()", Now()),
        ("CURRENT_TIMESTAMP(0)", Now("timestamp", 0)),
        *(
            (sql, Expression(sql, "postgresql"))
            for sql in ("date_trunc('second'::text, now())", "LOCALTIMESTAMP", "LOCALTIMESTAMP(0)", "LOCALTIME")
        ),
    ],
)
def test_a_text_shows_whether_a_clock_has_a_zone_and_digits_that_were_cut_off(sql: str, meaning: Default) -> None:
    assert parse(sql, t.String()) == parse(sql, t.Native("postgresql", "public.citext")) == meaning
