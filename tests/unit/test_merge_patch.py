"""RFC 7396: its own examples, and what must hold for any documents."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from items.merge_patch import apply

Json = Any  # any JSON value

# RFC 7396, appendix A: original, patch, result.
EXAMPLES: list[tuple[Json, Json, Json]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
names = st.sampled_from("abc")
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


@pytest.mark.parametrize(("original", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_rfc(original: Json, patch: Json, result: Json) -> None:
    assert apply(original, patch) == result


@given(documents, documents)
def test_a_patch_applied_twice_is_a_patch_applied_once(target: Json, patch: Json) -> None:
    once = apply(target, patch)
    assert apply(once, patch) == once


@given(documents, documents)
def test_neither_target_nor_patch_changes(target: Json, patch: Json) -> None:
    before = copy.deepcopy((target, patch))
    apply(target, patch)
    assert (target, patch) == before


@given(st.dictionaries(names, documents), st.dictionaries(names, documents))
def test_each_member_is_removed_merged_or_kept(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    result = apply(target, patch)
    for name in target.keys() | patch.keys():
        if name not in patch:
            assert result[name] == target[name]
        elif patch[name] is None:
            assert name not in result
        else:
            assert result[name] == apply(target.get(name), patch[name])


@given(documents)
def test_an_empty_target_takes_the_patch_without_its_nulls(patch: Json) -> None:
    assert apply({}, patch) == without_nulls(patch)
