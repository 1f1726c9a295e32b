"""How values are written: compact, ASCII, within a limit of encoded bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.encoding import cut, decode, encode, sha256
from bot.errors import Malformed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def size(text):
    """Bytes that a text takes inside a value, without its quotes."""
    return len(encode(text)) - 2


def tail(text):
    return f"… (cut; sha256 of the full text {sha256(text)})"


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert decode(encode(value)) == value


@given(VALUES)
def test_what_is_written_is_ascii_and_never_a_template(value):
    text = encode(value)
    assert text.isascii()
    assert "{{" not in text
    assert json.loads(text) == value


def test_a_brace_is_escaped_only_inside_a_text():
    assert encode({"b": "{{x}}", "a": {}}) == '{"a":{},"b":"\\u007b\\u007bx}}"}'


def test_a_number_that_json_does_not_have_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(float("nan"))


@pytest.mark.parametrize("text", ["", "{", "nothing", "[" * 100_000])
def test_what_is_no_json_is_malformed(text):
    with pytest.raises(Malformed, match="not JSON"):
        decode(text)


def test_a_digest_is_given_even_of_half_a_letter():
    assert len(sha256("\ud83d")) == 64


def test_a_text_that_fits_is_left_as_it_is():
    assert cut("a" * 200, 200) == "a" * 200
    assert cut("ü" * 50, 300) == "ü" * 50


def test_a_text_is_cut_by_its_encoded_bytes_and_names_the_digest_of_all():
    text = "a" * 201
    room = 200 - size(tail(text))
    assert cut(text, 200) == "a" * room + tail(text)
    wide = "ü" * 51
    assert cut(wide, 300) == "ü" * ((300 - size(tail(wide))) // 6) + tail(wide)


@given(st.text(min_size=1), st.integers(min_value=130, max_value=600))
def test_a_cut_text_never_takes_more_than_its_limit(text, limit):
    long = text * 100
    short = cut(long, limit)
    assert size(short) <= limit
    assert short == long or short.endswith(tail(long))
    assert short == long or long.startswith(short.removesuffix(tail(long)))
