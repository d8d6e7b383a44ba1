"""Canonical bytes: what another implementation of RFC 8785 makes of the same value, or a refusal."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from verbund.events.canonical import LARGEST_INTEGER, canonical_bytes

keys = st.text(st.characters(min_codepoint=0, max_codepoint=127), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=6), max_leaves=30
)


@given(values)
def test_the_bytes_are_those_of_another_implementation(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_reading_and_writing_again_gives_the_same_bytes(value: Any) -> None:
    written = canonical_bytes(value)
    assert canonical_bytes(json.loads(written)) == written


@given(st.dictionaries(keys, scalars, max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_fields_were_set_leaves_no_trace(value: dict[str, Any], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert canonical_bytes(dict(items)) == canonical_bytes(value)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        {"n": 1.0},
        [2**53],
        {"n": -(2**53)},
        {"ä": 1},
        {1: "a"},
        {"a": {"b": [b"bytes"]}},
        {"a": {1, 2}},
        Ellipsis,
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        canonical_bytes({"name": "\ud800"})
