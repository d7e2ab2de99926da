"""What a variable stands for in an address, and the address without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import variables


@pytest.mark.parametrize(
    ("written", "address", "known"),
    [
        (None, "http://e.org/", {}),
        ("http://e.org/$${KEY}", "http://e.org/${KEY}", {}),
        ("http://e.org/?k=${KEY}&l=1", "http://e.org/?k=a.b&l=1", {"KEY": "a.b"}),
        ("${BASE}/feed?k=${KEY}", "http://e.org/x/feed?k=1", {"BASE": "http://e.org/x", "KEY": "1"}),
        ("http://e.org/${K}/${K}$${K}", "http://e.org/1/1${K}", {"K": "1"}),
        ("http://e.org/${KEY}", "http://other.org/", {}),
        ("http://e.org/${KEY}", "http://e.org/${KEY}", {"KEY": "${KEY}"}),
    ],
)
def test_what_a_variable_stands_for_is_seen(written, address, known):
    assert variables.values(written, address) == known


PIECES = st.sampled_from(["a", "b", "/", "%", "${", "}", "é", "&"])


@given(st.lists(PIECES).map("".join), st.text("ab/{", max_size=4), st.text("b%é", max_size=3))
def test_what_is_hidden_is_found_again(text, key, other):
    known = {"KEY": key, "OTHER": other}
    hidden = variables.hidden(text, known)
    if all(form == value or form not in text for value in known.values() for form in variables._forms(value)):
        assert variables.filled(hidden, known) == text


def test_a_value_is_hidden_as_an_address_has_it_encoded():
    known = {"KEY": "a/b é"}
    text = "http://e.org/?a/b é&a%2Fb%20%C3%A9&a/b%20%C3%A9"
    assert variables.hidden(text, known) == "http://e.org/?${KEY}&${KEY}&${KEY}"
