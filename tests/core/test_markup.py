"""A neutral line as HTML: whatever its texts hold, nothing in it acts."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import ChatUser
from bot.line import Code, Link, Mention, Moment, Strong
from bot.markup import html
from tests.memory import START

NASTY = st.sampled_from(
    ["<", ">", "&", '"', "'", "<script>", "</strong>", "<img src=x onerror=alert(1)>", "&lt;", "&#60;", "javascript:",
     "https://evil.example/", "]]>", "<!--", "-->", "{{", "{%", "\u202e", "\u2066", "\u200f", "\x00", "`", "=", "\n"]
)  # fmt: skip
TEXT = st.text(max_size=12) | st.lists(NASTY | st.text(max_size=4), max_size=6).map("".join)
PART = (
    TEXT
    | st.builds(Strong, TEXT)
    | st.builds(Code, TEXT)
    | st.builds(Mention, TEXT, st.none() | st.builds(ChatUser, TEXT, TEXT, TEXT))
    | st.just(Moment(START))
    | st.builds(Link, TEXT, TEXT | st.just("https://git.example.com/churn/commit/9f3c2ab"))
)
ALLOWED = {"strong": set(), "code": set(), "time": {"datetime"}, "a": {"href"}}
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Reader(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.open = [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def words(part):
    match part:
        case str():
            return part
        case Mention(name):
            return name
        case Moment(at):
            return f"{at:%Y-%m-%d %H:%M} UTC"
    return part.text


@given(line=st.lists(PART, max_size=6).map(tuple))
@settings(max_examples=60)
def test_no_text_acts_and_none_is_lost(line):
    read = Reader(html(line))
    assert read.open == []
    for tag, attributes in read.elements:
        assert set(attributes) == ALLOWED[tag]
        assert attributes.get("href", "https://").startswith("https://")
    shown = "".join(TURNING.sub("", words(part)) for part in line)
    assert read.words.replace("\r\n", "\n") == shown.replace("\r\n", "\n")
    wanted = [kind for part in line if (kind := element_of(part))]
    assert [tag for tag, _ in read.elements] == wanted


def element_of(part):
    match part:
        case Strong():
            return "strong"
        case Code():
            return "code"
        case Moment():
            return "time"
        case Link(_, url) if re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%/+-]*)?", url):
            return "a"
    return ""


@given(text=TEXT)
def test_no_text_leaves_the_attribute_it_stands_in(text):
    """Pages may put what was written inside an element of their own."""
    written = html((text,))
    assert not set('<>"') & set(written)
    assert "'" not in written


def test_a_line_is_written_with_the_elements_that_say_what_it_means():
    line = (
        Mention("Maya Chen", ChatUser("slack", "T1", "U0MAYA")), " approved ", Strong("churn v7"), " of ",
        Code("9f3c2ab"), ", ", Moment(START), ": ", Link("diff", "https://git.example.com:8443/a/b.git"),
    )  # fmt: skip
    assert html(line) == (
        "Maya Chen approved <strong>churn v7</strong> of <code>9f3c2ab</code>, "
        '<time datetime="2026-11-24T09:00:00.000Z">2026-11-24 09:00 UTC</time>: '
        '<a href="https://git.example.com:8443/a/b.git">diff</a>'
    )


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://git.example.com/", "//evil.example/", "https://a@evil.example/", "data:,x", "",
     "https://evil example/", "https://git.example.com/?next=x", 'https://git.example.com/"onclick="x',
     "https://git.example.com/\n"],
)  # fmt: skip
def test_an_address_that_is_no_plain_web_address_is_words_alone(url):
    assert html((Link("diff & more", url),)) == "diff &amp; more"


def test_nothing_turns_the_words_around_it():
    assert html(("\u202eevil\u202c ", Strong("\u2067x"), Code("\u200f"), Mention("\u061cy"), Link("\u202ez", ""))) == (
        "evil <strong>x</strong><code></code>yz"
    )


def test_an_empty_line_is_nothing():
    assert html(()) == ""
