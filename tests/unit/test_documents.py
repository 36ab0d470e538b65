"""Documents whose objects have a key twice: jsonb would keep the last."""

from __future__ import annotations

import pytest

from dialects.postgresql.documents import repeats_a_key


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '{"x":"v",":id":1,":id":2}', '[{"a" : {"b":1,"b" :2}}]', '{"a":1,"\\u0061":2}', '{"":1,"":2}'],
)
def test_a_key_is_there_twice(text: str) -> None:
    assert repeats_a_key(text)


@pytest.mark.parametrize(
    "text", [None, "", "{", "1", '"a"', '{"a":1,"b":"a"}', '[{"a":1},{"a":2}]', '{"a":"\\"a\\":","b":1}', '{"x":",",":":1}']
)
def test_each_key_is_there_once(text: str | None) -> None:
    assert not repeats_a_key(text)
