"""Letters that are more than one byte: braces, emoji, halves of emoji, and what is cut of them."""

import pytest

from bot.encoding import cut, decode, encode, sha256

CHEAP = {"a": 1, "}": 1, '"': 2, "\\": 2, "\n": 2}
COST = {**CHEAP, "{": 6, "\x00": 6, "é": 6, "漢": 6, "😀": 12, "\ud83d": 6}


def size(text):
    return len(encode(text)) - 2


def tail(text):
    return f"… (cut; sha256 of the full text {sha256(text)})"


@pytest.mark.parametrize("letter", COST)
def test_a_letter_takes_what_it_takes(letter):
    assert size(letter * 3) == 3 * COST[letter]
    assert decode(encode(letter * 3)) == letter * 3


@pytest.mark.parametrize("letter", COST)
def test_a_text_is_cut_at_the_last_letter_that_fits(letter):
    limit = 300
    fits = letter * (limit // COST[letter])
    assert cut(fits, limit) == fits
    long = fits + letter
    kept = cut(long, limit).removesuffix(tail(long))
    assert kept == letter * ((limit - size(tail(long))) // COST[letter])
    assert size(cut(long, limit)) <= limit


def test_an_emoji_is_never_cut_in_half():
    long = "a" * 5 + "😀" * 100
    assert "\ud83d" not in cut(long, 207)
    assert cut(long, 207).removesuffix(tail(long)).rstrip("😀") == "aaaaa"
