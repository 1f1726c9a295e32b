"""What Parameter Store and the registry take, to the last character."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.aws import limits
from bot.domain import ModelVersion, RequestId
from bot.encoding import LIMIT, encode
from bot.errors import Malformed
from bot.names import Names

ARN = "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter"
LONGEST_NAME = 1011 - len(ARN)
NAMES = Names("/model-approvals")
MODEL = ModelVersion("churn", 7)


def refused(check, *arguments):
    with pytest.raises(Malformed) as caught:
        check(*arguments)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        NAMES.entry(MODEL, 1),
        NAMES.approved("churn", "prod"),
        NAMES.cards(RequestId("churn", 7, "uat", 1)),
        NAMES.markers,
        NAMES.marker(MODEL, "dev"),
        NAMES.shard("churn"),
        "/a",
        "/a.b_c-9",
        "/" + "a" * (LONGEST_NAME - 1),
        "/a" * 15,
        "/paws/ssm/aws",
    ],
)
def test_a_good_name_passes(name):
    limits.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "a", "a/b", "//a", "/a/", "/a//b", "/a b", "/a:3", "/a$", "/ä", "/a\n", "/a{b}", "/\ud800",
        "arn:aws:ssm:us-east-1:123456789012:parameter/a",
        "/aws", "/AWS/a", "/aws-models/a", "/ssm/a", "/Ssm", "/SSMx/y",
        "/a" * 16,
        "/" + "a" * LONGEST_NAME,
    ],
)  # fmt: skip
def test_a_name_that_aws_refuses_is_refused(name):
    message = refused(limits.check_name, name)
    assert message.endswith(".")
    message.encode()


def test_the_longest_name_fits_with_its_arn():
    assert len(ARN + "/" + "a" * (LONGEST_NAME - 1)) == 1011


@pytest.mark.parametrize("name", ["/a/b", "/a/b:1", "/a/b:100"])
def test_a_version_of_a_name_may_be_read(name):
    limits.check_asked(name)


@pytest.mark.parametrize("name", ["/a/b:", "/a/b:0", "/a/b:x", "/a/b:1:2", "/a/b:-1", ":1", "/a/b:1\n", "/a/b:²"])
def test_what_is_no_version_may_not_be_read(name):
    refused(limits.check_asked, name)


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=60) | st.from_regex(r"(/[a-zA-Z0-9_.:-]{0,9}){0,18}"))
@example("/a\n")
@example("/\u0661")
def test_whatever_the_name_it_is_refused_or_fits_awss_words(name):
    try:
        limits.check_name(name)
    except Malformed:
        return
    assert re.fullmatch(r"[a-zA-Z0-9_./-]+", name)
    assert name.count("/") <= 15
    assert not re.match(r"/*(aws|ssm)", name, re.IGNORECASE)
    assert len(ARN + name) <= 1011


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("value", ["x", "x" * LIMIT, "é" * (LIMIT // 2), "{", "{ {", "}}", "\n"])
def test_a_good_value_passes(value):
    limits.check_value("/a", value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty"),
        ("x" * (LIMIT + 1), "4097"),
        ("é" * (LIMIT // 2) + "x", "4097"),
        ("{{a}}", "{{"),
        ('{"a":{"b":"{{"}}', "{{"),
        ("\ud800", "text"),
    ],
)
def test_a_value_that_aws_refuses_is_refused(value, why):
    message = refused(limits.check_value, "/a/b", value)
    assert why in message
    assert "/a/b" in message


def test_what_a_value_holds_is_not_in_the_message():
    assert "secret" not in refused(limits.check_value, "/a", "secret{{" + "x" * 5000)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES)
def test_whatever_we_encode_is_taken_when_it_is_not_too_long(value):
    text = encode(value)
    if len(text) <= LIMIT:
        limits.check_value("/a", text)


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=40).map(lambda text: text * 200))
def test_a_value_is_taken_exactly_when_aws_would(value):
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        size = -1
    if 1 <= size <= 4096 and "{{" not in value:
        limits.check_value("/a", value)
    else:
        refused(limits.check_value, "/a", value)


# -------------------------------------------------------------------------------------------- description


@pytest.mark.parametrize("text", ["", "x" * 1024, "dev approved by Zoë 北京; (2) [ok]", "tab\tis fine"])
def test_a_good_description_passes(text):
    limits.check_description(text)


@pytest.mark.parametrize("text", ["x" * 1025, "a\nb", "a\r", "a\x85b", "\u2028", "\u2029", "\udfff"])
def test_a_description_that_aws_refuses_is_refused(text):
    refused(limits.check_description, text).encode()


# ----------------------------------------------------------------------------------------------- metadata


@pytest.mark.parametrize(
    "metadata",
    [
        {"dev": "Approved"},
        {"k" * 128: "v" * 256},
        {f"k{number}": "v" for number in range(50)},
        {"größe 大": "٣ a\u00a0b_.:/=+-@"},
        {"approved-by": "maya.chen@example.com", "at": "2026-11-24T02:20:31.123Z"},
    ],
)
def test_good_metadata_passes(metadata):
    limits.check_metadata(metadata)


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({}, "0"),
        ({f"k{number}": "v" for number in range(51)}, "51"),
        ({"": "v"}, "0"),
        ({"k": ""}, "0"),
        ({"k" * 129: "v"}, "129"),
        ({"k": "v" * 257}, "257"),
        *[({"k": letter}, ascii(letter)) for letter in ",;\"'{}[]()#*!?\n\t\\\x00"],
        ({"a,b": "v"}, "','"),
        ({"k": "😀"}, "k"),
        ({"k": "e\u0301"}, "k"),
        ({"k": "\ud800"}, "k"),
    ],
)
def test_metadata_that_aws_refuses_is_refused(metadata, why):
    message = refused(limits.check_metadata, metadata)
    assert why in message
    message.encode()


WORDS = st.text(st.characters(codec=None), max_size=300) | st.text("aZ9_.:/=+-@ é", max_size=300)


@settings(deadline=None)
@given(st.dictionaries(WORDS, WORDS, max_size=3))
def test_metadata_is_taken_exactly_when_it_fits_awss_pattern(metadata):
    def fits(word, longest):
        letters = all(each in "_.:/=+-@" or unicodedata.category(each)[0] in {"L", "Z", "N"} for each in word)
        return 1 <= len(word) <= longest and letters

    if metadata and all(fits(key, 128) and fits(value, 256) for key, value in metadata.items()):
        limits.check_metadata(metadata)
    else:
        refused(limits.check_metadata, metadata)


# --------------------------------------------------------------------------------------------- life cycle


@pytest.mark.parametrize("words", [("dev", "Approved"), ("a" * 63, "PendingApproval"), ("a--b", "0")])
def test_a_good_life_cycle_passes(words):
    limits.check_life_cycle(*words)


@pytest.mark.parametrize("word", ["", "a" * 64, "-a", "a-", "a b", "a_b", "a.b", "é", "a\n"])
def test_a_life_cycle_that_aws_refuses_is_refused(word):
    refused(limits.check_life_cycle, word, "Approved")
    refused(limits.check_life_cycle, "dev", word)
