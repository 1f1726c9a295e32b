"""What a mail says, that its text and its HTML say the same, and that nothing in it acts; and the channel."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.aws.clients import Clients
from bot.aws.outbox import SesOutbox
from bot.card import Mark, Row, Step, Table
from bot.domain import ChatUser, MessageRef, RequestId
from bot.errors import Refused, Unavailable
from bot.line import Code, Link, Mention, Moment, Strong
from bot.links import Links
from bot.mail import letter
from bot.mail.channel import MailChannel
from bot.mail.letter import in_words
from bot.mail.lines import clean, drawn, fitted
from bot.mail.message import Envelope, outcome_mail, reminder_mail, request_mail, written
from bot.members import Contact, Person
from bot.ports import Channel
from bot.seals import ReviewLink, Seals
from infra.local.aws import REGION
from infra.local.mailbox import Mailbox
from tests.adapters.slack_examples import ARN, BY_MAYA, DECIDED, FIRST, NOW, REQUEST
from tests.adapters.slack_examples import CARD as BARE
from tests.memory import ManualClock, MemoryChannel, MemorySealer

SENDER = "approvals@example.com"
MAYA, OMAR = "maya.chen@example.com", "omar.haddad@example.com"
ADDRESSES = f"{MAYA}, {OMAR}"
PAGES = "https://approvals.example.com"
URL = f"{PAGES}/r?t=" + "A-z_9" * 120
COMMIT = "https://github.com/example/churn/commit/9f3c2ab4"
FIRST_ID = "0107018f0e9c3d1a-5d9f7a0e-7a2e-4b0a-9d4c-3f8d6a1c2b3e-000000@ap-northeast-1.amazonses.com"
CARD = replace(
    BARE,
    facts=(
        ("Requested by ", Strong("train-pipeline"), " · commit ", Link("9f3c2ab", COMMIT)),
        ("1 more metric on the page of this request.",),
    ),
    verdict=("Waits for members of ", Strong("approvers-test"), " · needs 2 approvals"),
)
REJECTED = replace(
    CARD,
    title="churn-xgb v12 was rejected for test",
    verdict=("Rejected by ", BY_MAYA, ": Recall is <b>too low</b>.", " · ", Moment(NOW)),
    mark=Mark.NO,
    open=False,
)
TOLD = (BY_MAYA, " rejected churn-xgb v12 for test: ", "Recall is <b>too low</b>.")
STRICT = SMTP.clone(raise_on_defect=True)
BLOCKS = frozenset({"h1", "h2", "p", "li", "td", "th", "caption"})
VOID = frozenset({"meta", "br"})


# ------------------------------------------------------------------------------------------------------- how it is read


class Page(HTMLParser):
    """What a reader of HTML finds: elements with their attributes, the styles, and the words block by block."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.styles, self.open = [], "", []
        self.blocks = [""]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open += [tag] if tag not in VOID else []
        self.blocks += [""] if tag in BLOCKS else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.blocks += [""] if tag in BLOCKS else []

    def handle_data(self, data):
        if "style" in self.open:
            self.styles += data
        elif "title" not in self.open:
            self.blocks[-1] += data

    @property
    def words(self):
        return [words for block in self.blocks if (words := " ".join(block.split()))]

    def named(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def read(raw):
    """A mail as strict a reader as there is takes it apart: whole, text, HTML."""
    message = message_from_bytes(raw, policy=STRICT)
    for part in message.walk():
        assert not part.defects
        assert not [value for value in part.values() if value.defects]
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert (message.get_content_type(), kinds) == ("multipart/alternative", ["text/plain", "text/html"])
    plain, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return message, plain, html


def envelope(*after, to=(MAYA, OMAR), sender=SENDER, at=NOW):
    return Envelope(sender, to, at, after)


def asked(card=CARD, url=URL, **more):
    return read(written(request_mail(card, url, envelope(**more))))


def told(card=REJECTED, line=TOLD):
    return read(written(outcome_mail(card, line, f"{PAGES}/requests/{card.request}", envelope(FIRST_ID))))


# --------------------------------------------------------------------------------------------------------- what it says


def test_the_text_alone_is_enough_to_decide():
    _, text, _ = asked()
    assert (
        text
        == f"""\
Approve churn-xgb v12 for test?

churn-xgb version 12 awaits approval for test. AUC 0.914 (▲ 0.011 better). Open to approve or reject.

Path
1. dev: approved
2. test: pending (this request)
3. uat: not asked yet
4. prod: not asked yet

Metrics of v12, compared with v11 in test
- AUC: 0.914 (v12), 0.903 (v11 in test): up 0.011, better
- Precision: 0.871 (v12), 0.868 (v11 in test): up 0.003, better
- Recall: 0.842 (v12), 0.855 (v11 in test): down 0.013, worse
- p95 latency: 41 ms (v12), 52 ms (v11 in test): down 11 ms, better

What approving does
churn-xgb v12 becomes the model that test loads. Version 11 stays available for rollback.

Review and answer:
{URL}

Who may answer
Waits for members of approvers-test · needs 2 approvals

About this version
- Requested by train-pipeline · commit 9f3c2ab ({COMMIT})
- 1 more metric on the page of this request.
- Model package: {ARN}
- Evaluation report: s3://reports/churn/12/evaluation report.json

History
Asked 2026-11-24 09:31 UTC · dev approved by Maya Chen 2026-11-24 09:31 UTC

--
The link gives no right to anybody: whoever opens it signs in, and only approvers can answer.
Replies to this mail are not read.
Request churn-xgb/12/test/1
"""
    )


def test_the_outcome_says_who_decided_when_and_why():
    message, text, _ = told()
    assert message["Subject"] == "churn-xgb v12 was rejected for test"
    assert text.startswith(
        "churn-xgb v12 was rejected for test\n\n"
        "Rejected by Maya Chen: Recall is <b>too low</b>. · 2026-11-24 09:31 UTC\n\nPath\n1. dev: approved\n"
    )
    assert "- Maya Chen rejected churn-xgb v12 for test: Recall is <b>too low</b>.\n" in text
    assert f"See the request and its history:\n{PAGES}/requests/churn-xgb/12/test/1\n" in text


def test_an_approval_says_what_runs_from_now_on():
    _, text, html = told(DECIDED, (BY_MAYA, " approved churn-xgb v12 for ", Strong("test"), "."))
    assert "Approved by Maya Chen · 2026-11-24 09:51 UTC · test loads v12\n" in text
    assert "Approved by Maya Chen · 2026-11-24 09:51 UTC · test loads v12" in Page(html).words


def test_nothing_to_compare_with_is_said():
    _, text, html = asked(FIRST)
    assert "Metrics of v12; test runs no version to compare with\n- AUC: 0.914\n" in text
    assert [each.get("scope") for each in Page(html).named("th")] == ["col"] * 2 + ["row"] * 4


def test_no_metrics_are_said_too():
    _, text, html = asked(replace(CARD, table=None))
    assert "\nNo metrics to show.\n" in text
    assert "No metrics to show." in Page(html).words
    assert "caption" not in html


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("▲ 0.011 better", "up 0.011, better"),
        ("▼ 11 ms worse", "down 11 ms, worse"),
        ("▼ 0.001 no clear change", "down 0.001, no clear change"),
        ("▲ 13.59", "up 13.59"),
        ("no change", "no change"),
        ("new", "new"),
        ("", ""),
    ],
)
def test_direction_and_verdict_are_words(change, words):
    assert in_words(change) == words


def same_facts(text, html):
    """Everything the HTML shows stands in the text, in this order but for how a table is written."""
    page = Page(html)
    links = [attributes["href"] for attributes in page.named("a")]
    flat = " ".join(re.sub(r" \(https://[^)\s]*\)", "", text).split())
    assert [words for words in page.words if words not in flat and words not in {"Metric", "Change"}] == []
    assert [link for link in links if link not in text] == []
    shown = " ".join(page.words) + " ".join(links)
    lines = (re.sub(r"^(- |\d+\. )", "", line) for line in text.splitlines() if not line.startswith("--"))
    pieces = (piece for line in lines for piece in re.split(r": | \(|\), |\): |\)$|:$", line) if piece.strip())
    assert [piece for piece in pieces if " ".join(piece.split()) not in shown] == []


def test_text_and_html_say_the_same():
    for _, text, html in (asked(), asked(FIRST), asked(replace(CARD, table=None)), told()):
        same_facts(text, html)


# ---------------------------------------------------------------------------------------------------------- its headers


def test_a_mail_says_whom_it_is_from_and_that_a_program_wrote_it():
    message, _, _ = asked()
    assert message["From"] == "Model Approvals <approvals@example.com>"
    assert message["To"] == ADDRESSES
    assert message["Subject"] == "Approve churn-xgb v12 for test?"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_first_mail_answers_nothing():
    message, _, _ = asked()
    assert message["In-Reply-To"] is None
    assert message["References"] == "<churn-xgb.12@example.com>"


def test_ids_of_the_thread_arrive_as_they_are():
    """They are longer than a usual line, and `email` would write them as encoded words."""
    raw = written(request_mail(CARD, URL, envelope(FIRST_ID)))
    assert f"\r\nIn-Reply-To: <{FIRST_ID}>\r\n".encode() in raw
    assert f"\r\nReferences: <churn-xgb.12@example.com> <{FIRST_ID}>\r\n".encode() in raw


def test_letters_beyond_ascii_are_encoded_even_in_short_lines():
    brief = replace(DECIDED, verdict=("Approved by Zoë",), history=(), facts=())
    raw = written(outcome_mail(brief, ("Zoë",), PAGES, envelope()))
    assert raw.isascii()
    assert max(map(len, read(raw)[1].splitlines())) < 78


def test_a_twin_is_known_by_its_id():
    again = request_mail(CARD, URL + "other", envelope(FIRST_ID, at=NOW.replace(year=2027)))
    assert again["Message-ID"] == asked()[0]["Message-ID"] == "<churn-xgb.12.test.1@example.com>"
    others = (CARD, REJECTED, DECIDED, replace(CARD, request=replace(REQUEST, round=2)))
    mails = [request_mail(card, URL, envelope()) if card.open else outcome_mail(card, (), URL, envelope())
             for card in others]  # fmt: skip
    assert len({mail["Message-ID"] for mail in mails}) == len(others)


@pytest.mark.parametrize("wrong", ["", "no id", "a@b\r\nBcc: eve@evil.example", "<a@b>", "a@b c@d", "ü@example.com"])
def test_what_is_no_message_id_is_no_header(wrong):
    message = request_mail(CARD, URL, envelope(wrong))
    assert message["In-Reply-To"] is None
    assert message["References"] == "<churn-xgb.12@example.com>"


@pytest.mark.parametrize(
    "wrong",
    ["", "eve", "a@b@c", "a b@example.com", "<a@example.com>", "ü@example.com", ".a@example.com", "a@example.com,",
     "a@example.com\r\nBcc: eve@evil.example", "a@example.com\nX: y", "a@example.com, b@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(wrong):
    for each in (envelope(to=(MAYA, wrong)), envelope(sender=wrong)):
        with pytest.raises(Refused, match="is no e-mail address"):
            request_mail(CARD, URL, each)


def test_a_name_cannot_add_a_header():
    evil = "churn\r\nBcc: eve@evil.example\r\n\r\n<h1>"
    card = replace(CARD, title=evil, request=RequestId(evil, 1, evil, 1))
    message, _, _ = asked(card)
    assert message["Bcc"] is None
    assert message["Subject"] == "churn Bcc: eve@evil.example <h1>"
    assert sorted(set(message.keys()) - {"Content-Type", "MIME-Version"}) == [
        "Auto-Submitted", "Date", "From", "Message-ID", "References", "Subject", "To",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- its HTML


def test_the_page_says_its_language_and_follows_light_and_dark():
    page = Page(asked()[2])
    assert page.named("html") == [{"lang": "en"}]
    assert {"name": "color-scheme", "content": "light dark"} in page.named("meta")
    dark = page.styles.partition("@media (prefers-color-scheme: dark)")[2]
    classes = {name for each in page.elements for name in each[1].get("class", "").split()}
    assert classes - set(re.findall(r"\.([a-z]+)", dark)) == set()
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")


def test_the_metrics_are_a_table_with_headings():
    page = Page(asked()[2])
    layout, data = page.named("table")[:2], page.named("table")[2:]
    assert [each["role"] for each in layout] == ["presentation"] * 2
    assert len(data) == 1
    assert "role" not in data[0]
    assert [each["scope"] for each in page.named("th")] == ["col"] * 4 + ["row"] * 4
    assert "Metrics of v12, compared with v11 in test" in page.words


def test_a_verdict_is_in_words_and_not_in_its_colour_alone():
    page = Page(asked()[2])
    classes = [attributes.get("class", "") for attributes in page.named("td")]
    assert [classes.count(f"line {verdict}") for verdict in ("better", "worse")] == [3, 1]
    assert [sum(each.endswith(f", {verdict}") for each in page.words) for verdict in ("better", "worse")] == [3, 1]


def test_there_is_one_button_and_a_link_to_the_commit():
    for (_, text, html), url in ((asked(), URL), (told(), f"{PAGES}/requests/churn-xgb/12/test/1")):
        page = Page(html)
        assert [each["href"] for each in page.named("a") if each.get("class") == "button"] == [url]
        assert [each["href"] for each in page.named("a") if "class" not in each] == [COMMIT]
        assert text.count(url) == 1


def inert(html):
    """Nothing is loaded, nothing runs, and links lead to a plain page alone."""
    page = Page(html)
    assert page.open == []
    tags = {tag for tag, _ in page.elements}
    assert tags <= BLOCKS | VOID | {
        "html", "head", "title", "style", "body", "table", "thead", "tbody", "tr", "ol", "div", "a", "strong", "code",
        "time",
    }  # fmt: skip
    attributes = {name for _, each in page.elements for name in each}
    assert attributes <= {
        "lang", "charset", "name", "content", "class", "style", "role", "width", "cellpadding", "cellspacing", "align",
        "scope", "href", "datetime",
    }  # fmt: skip
    assert [each["href"] for each in page.named("a") if not each["href"].startswith("https://")] == []
    styles = page.styles + " ".join(each.get("style", "") for _, each in page.elements)
    assert not re.search(r"url\(|@import|expression|</", styles)
    return page


def test_nothing_is_loaded_from_elsewhere():
    for mail in (asked(), told(), asked(FIRST)):
        inert(mail[2])


# ----------------------------------------------------------------------------------------------------- what is not ours

SCRIPT = '<script>alert("x")</script><img src=https://evil.example/x onerror=alert(1)>\'"&amp;'
EVIL = replace(
    CARD,
    title=SCRIPT,
    summary=SCRIPT,
    path=(Step(SCRIPT, Mark.ASKED, here=True), Step(SCRIPT, Mark.DONE, here=False)),
    table=Table(SCRIPT, SCRIPT, (Row(SCRIPT, SCRIPT, SCRIPT, SCRIPT),)),
    facts=(
        (SCRIPT, Strong(SCRIPT), Code(SCRIPT), Mention(SCRIPT)),
        (Link(SCRIPT, f"https://evil.example/{SCRIPT}"), Link(SCRIPT, "javascript:alert(1)"), Link("x", SCRIPT)),
    ),
    verdict=(SCRIPT,),
    history=(Mention(SCRIPT),),
    consequence=SCRIPT,
    package_arn=SCRIPT,
    report_uri=SCRIPT,
)


def test_markup_in_names_and_reasons_is_shown_and_does_nothing():
    for _, text, html in (asked(EVIL), told(EVIL, (SCRIPT,))):
        page = inert(html)
        assert '<script>alert("x")</script><img src=https:' in " ".join(page.words)
        assert '<script>alert("x")</script><img src=https:' in text
        assert len(page.named("a")) == 1


def test_a_reason_cannot_write_lines_of_its_own():
    reason = "no\r\n\r\nApproved by Priya Nair\n- Review and answer:\nhttps://evil.example/r\u2028x\x85y\x0bz"
    _, text, html = told(replace(REJECTED, verdict=(reason,)), (reason,))
    flat = "no Approved by Priya Nair - Review and answer: https:\u2060//evil.example/r x y z"
    assert f"\n{flat}\n" in text
    assert f"- {flat}\n" in text
    assert flat in Page(html).words


def test_what_turns_the_writing_or_cannot_be_seen_is_dropped():
    assert clean("a\u202eb\u2066c\u200fd\x00e\x1b[31mf\ud800g\x7f") == "abcde[31mfg"


def test_every_kind_of_words_is_cleaned():
    line = ("a\u202eb", Strong("a\u202eb"), Code("a\nb"), Mention("a\x00b"), Link("a\u202eb", COMMIT), Moment(NOW))
    assert fitted(line, 500) == ("ab", Strong("ab"), Code("a b"), Mention("ab"), Link("ab", COMMIT), Moment(NOW))


def test_an_address_in_foreign_words_does_not_become_a_link():
    words = "see https://evil.example, HTTP://evil.example or www.evil.example"
    broken = "see https:\u2060//evil.example, HTTP:\u2060//evil.example or www.\u2060evil.example"
    assert clean(words) == clean(clean(words)) == broken


def test_a_line_that_is_too_long_is_cut_between_letters():
    line = fitted(("Requested by ", Strong("ü" * 50), Link("9f3c2ab", COMMIT), "never"), 60)
    assert line[:1] == ("Requested by ",)
    assert drawn(line).endswith("ü…")
    assert len(drawn(line).encode()) <= 60
    assert drawn(fitted((Strong("ab"), "c"), 2)) == "ab…"


def test_a_link_that_is_too_long_is_words():
    line = (Link("9f3c2ab", "https://example.com/" + "a" * 500),)
    assert fitted(line, 2000) == ("9f3c2ab",)


NASTY = (
    "<script>alert(1)</script>", "<b>", "&lt;", "&", '"', "'", "]]>", "<!--", "-->", "</style>", "{{ url }}",
    "{% x %}", "https://evil.example/x", "www.evil.example", "\r\nBcc: eve@evil.example", "\r\n.\r\n", "\r\n\r\n",
    "\u202e", "\u2028", "\x00\x1b", "\ud800", "=?utf-8?q?x?=", "=3D", "--===", "e\u0301" * 9, "👩🏽\u200d🔬" * 9,
    "字" * 30, "", " ", "\ufeff", "\uffff",
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=30)), max_size=5).map("".join)
LONG = st.tuples(TEXTS, st.integers(1, 400)).map(lambda drawn: (drawn[0] * drawn[1])[:1500])
EARLY, LATE = (datetime(year, 1, 1) for year in (1971, 2999))  # noqa: DTZ001 - hypothesis adds the zone
PARTS = st.one_of(
    TEXTS,
    LONG,
    st.builds(Strong, TEXTS),
    st.builds(Code, LONG),
    st.builds(Mention, TEXTS),
    st.builds(Link, TEXTS, st.one_of(TEXTS, st.just(COMMIT), TEXTS.map("https://evil.example/".__add__))),
    st.builds(Moment, st.datetimes(timezones=st.just(UTC), min_value=EARLY, max_value=LATE)),
)
LINES = st.lists(PARTS, max_size=4).map(tuple)
ROWS = st.builds(Row, LONG, TEXTS, TEXTS, st.one_of(TEXTS, TEXTS.map(lambda text: f"▲ {text} worse")))
CARDS = st.builds(
    replace,
    st.sampled_from((CARD, REJECTED, FIRST)),
    request=st.builds(RequestId, TEXTS, st.integers(1), TEXTS, st.integers(1)),
    title=LONG,
    summary=LONG,
    path=st.lists(st.builds(Step, LONG, st.sampled_from(Mark), st.booleans()), max_size=4).map(tuple),
    table=st.none() | st.builds(Table, LONG, LONG, st.lists(ROWS, max_size=3).map(tuple)),
    facts=st.lists(LINES, max_size=3).map(tuple),
    verdict=LINES,
    history=LINES,
    consequence=LONG,
    package_arn=LONG,
    report_uri=LONG,
)


def filled(letters):
    """A card with more of the same letters everywhere than fits."""
    text = (letters * 2000)[:2000]
    row = Row(text, text, text, f"▲ {text} no clear change")
    return replace(
        CARD, title=text, summary=text, path=(Step(text, Mark.LATER, here=True),) * 50,
        table=Table(text, text, (row,) * 50), facts=((text,),) * 9, verdict=(text,), history=(text,),
        consequence=text, package_arn=text, report_uri=text,
    )  # fmt: skip


def fine(mail):
    """Well-formed, harmless and small."""
    raw = written(mail)
    assert len(raw) < 100_000
    assert raw.isascii()
    assert max(map(len, raw.splitlines(keepends=True))) <= 1000
    message, text, html = read(raw)
    assert message["Bcc"] is None
    assert len(str(message["Subject"]).encode()) <= 150
    for shown in (text, html):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    inert(html)


@pytest.mark.parametrize("letters", ['"', "=", "字", "👩🏽\u200d🔬", "<script>", "é\n"])
def test_however_much_it_holds_a_mail_is_small(letters):
    card = filled(letters)
    fine(request_mail(card, URL, envelope(FIRST_ID)))
    fine(outcome_mail(card, (Strong(letters * 2000),), URL, envelope(FIRST_ID)))


@given(CARDS, LINES)
@settings(max_examples=30)
def test_whatever_it_holds_a_mail_is_well_formed_and_harmless(card, line):
    fine(
        request_mail(card, URL, envelope(FIRST_ID)) if card.open else outcome_mail(card, line, URL, envelope(FIRST_ID))
    )


def test_twenty_metrics_are_shown():
    rows = tuple(Row(f"metric {number}", "1.000", "2.000", "▼ 1.000") for number in range(25))
    _, text, html = asked(replace(CARD, table=Table("v12", "v11 in test", rows)))
    assert len(re.findall(r"- metric \d+: 1.000", text)) == letter.ROWS == 20
    assert len(Page(html).named("th")) == 4 + 20


# -------------------------------------------------------------------------------------------- the channel: its contract


class Drawer:
    """An outbox that keeps what it is given."""

    def __init__(self):
        self.sent = []
        self.trouble = None

    def send(self, message, to):
        if self.trouble:
            raise self.trouble
        self.sent.append((read(message), to))
        return f"{len(self.sent)}@drawer.example.com"


@pytest.fixture
def links():
    clock = ManualClock()
    return Links(PAGES, Seals(MemorySealer(), clock), clock)


@pytest.fixture
def drawer():
    return Drawer()


@pytest.fixture
def channel(drawer, links) -> Channel:
    return MailChannel(drawer, SENDER, links, clock=lambda: NOW)


@pytest.fixture(params=["memory", "mail"])
def either(request, running, links) -> Channel:
    """The port in memory, and by mail through SES."""
    if request.param == "memory":
        return MemoryChannel(repaints=False)
    running.faults.clear()
    running.reset()
    running.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    return MailChannel(SesOutbox(Clients(REGION)), SENDER, links)


def test_a_card_is_posted_where_it_was_asked_for_each_with_an_id_of_its_own(either):
    refs = [either.post(ADDRESSES, CARD), either.post(ADDRESSES, CARD)]
    assert [ref.channel for ref in refs] == [ADDRESSES] * 2
    assert len({ref.ts for ref in refs}) == 2


def test_its_end_is_told_and_it_is_not_repainted(either):
    ref = either.post(ADDRESSES, CARD)
    either.update(ref, CARD)
    either.reply(ref, TOLD, REJECTED)
    assert either.repaints is False


def test_a_private_word_to_anybody_is_no_error(either):
    either.tell(ChatUser("email", "", "maya"), "Hello")


# -------------------------------------------------------------------------------------------- the channel: what it does


def test_a_request_is_sent_to_its_addresses_with_a_sealed_link(channel, drawer):
    assert channel.post(ADDRESSES, CARD) == MessageRef(ADDRESSES, "1@drawer.example.com")
    (((message, text, html), to),) = drawer.sent
    assert to == (MAYA, OMAR)
    assert message["To"] == ADDRESSES
    assert f"\n{PAGES}/r?t=sealed-0\n" in text
    assert f'href="{PAGES}/r?t=sealed-0"' in html


def test_the_link_names_the_request(drawer):
    clock = ManualClock()
    seals = Seals(MemorySealer(), clock)
    MailChannel(drawer, SENDER, Links(PAGES, seals, clock)).post(MAYA, CARD)
    assert seals.open(ReviewLink, "sealed-0").request == REQUEST


def test_later_mails_of_a_version_follow_its_first(channel, drawer):
    first = channel.post(ADDRESSES, CARD)
    later = channel.post(OMAR, replace(CARD, request=replace(REQUEST, environment="uat")), first)
    channel.reply(later, TOLD, REJECTED)
    mails = [message for (message, _, _), _ in drawer.sent]
    assert [mail["In-Reply-To"] for mail in mails] == [None, f"<{first.ts}>", f"<{later.ts}>"]
    assert [str(mail["References"]).split()[1:] for mail in mails] == [[], [f"<{first.ts}>"], [f"<{later.ts}>"]]
    assert len({str(mail["References"]).split()[0] for mail in mails}) == 1


def test_the_outcome_goes_to_those_who_were_asked(channel, drawer):
    channel.reply(MessageRef(OMAR, FIRST_ID), TOLD, REJECTED)
    (((message, text, _), to),) = drawer.sent
    assert (to, message["To"]) == ((OMAR,), OMAR)
    assert f"{PAGES}/requests/churn-xgb/12/test/1" in text


def test_addresses_that_somebody_altered_are_refused(channel, drawer):
    for altered in ("", "eve", "a@example.com\r\nBcc: eve@evil.example"):
        with pytest.raises(Refused, match="is no e-mail address"):
            channel.reply(MessageRef(altered, FIRST_ID), TOLD, REJECTED)
    assert drawer.sent == []


@pytest.mark.parametrize("trouble", [Refused("never"), Unavailable("later")])
def test_what_the_outbox_says_is_passed_on(channel, drawer, trouble):
    drawer.trouble = trouble
    for send in (lambda: channel.post(MAYA, CARD), lambda: channel.reply(MessageRef(MAYA, FIRST_ID), TOLD, REJECTED)):
        with pytest.raises(type(trouble), match=str(trouble)):
            send()


def test_a_link_that_cannot_be_sealed_now_is_tried_later(drawer):
    class Closed(MemorySealer):
        def seal(self, purpose, text):
            raise Unavailable("KMS does not answer")

    clock = ManualClock()
    shut = MailChannel(drawer, SENDER, Links(PAGES, Seals(Closed(), clock), clock))
    with pytest.raises(Unavailable, match="KMS"):
        shut.post(MAYA, CARD)
    assert drawer.sent == []


def test_a_private_word_is_noted_without_its_text(channel, drawer, caplog):
    channel.tell(ChatUser("email", "", "maya"), "a secret")
    assert drawer.sent == []
    assert "nothing told to maya" in caplog.text
    assert "a secret" not in caplog.text


def test_a_mail_is_dated_now_unless_told(drawer, links):
    MailChannel(drawer, SENDER, links).post(MAYA, CARD)
    (((message, _, _), _),) = drawer.sent
    assert abs((datetime.now(UTC) - message["Date"].datetime).total_seconds()) < 60


def test_the_thread_holds_through_ses(running, links):
    """What the bot keeps of a mail is what later ones refer to, although SES gives it another id than ours."""
    running.reset()
    running.client("sesv2").create_email_identity(EmailIdentity="example.com")
    mail = MailChannel(SesOutbox(Clients(REGION)), SENDER, links)
    first = mail.post(ADDRESSES, CARD)
    later = mail.post(OMAR, replace(CARD, request=replace(REQUEST, environment="uat")), first)
    mail.reply(later, TOLD, REJECTED)
    arrived = Mailbox().mails()
    assert [each.message_id for each in arrived[:2]] == [first.ts, later.ts]
    assert [each.in_reply_to for each in arrived] == ["", first.ts, later.ts]
    assert [len(Mailbox().mails(address)) for address in (MAYA, OMAR)] == [1, 3]


# ------------------------------------------------------------------------------------------------------- the reminders


def reminder(channel, drawer, *addresses):
    ref = channel.post(ADDRESSES, CARD)
    people = [Contact(Person(f"oid-{number}", "Somebody"), address) for number, address in enumerate(addresses)]
    channel.remind(ref, ("churn-xgb v12 still waits for ", Strong("test"), "."), CARD, people)
    return drawer.sent[-1]


def test_a_reminder_goes_to_the_people_themselves_in_the_thread_of_what_was_asked(channel, drawer):
    (message, text, html), to = reminder(channel, drawer, "priya.nair@example.com", "no address", "", OMAR)
    assert to == ("priya.nair@example.com", OMAR)
    assert message["Subject"] == "Reminder: Approve churn-xgb v12 for test?"
    assert message["In-Reply-To"] == "<1@drawer.example.com>"
    assert text.startswith("Reminder: Approve churn-xgb v12 for test?\n\nchurn-xgb v12 still waits for test.")
    assert f"{PAGES}/r?t=sealed-1" in text
    assert f"{PAGES}/r?t=sealed-1" in html


def test_a_reminder_that_is_for_nobody_goes_to_those_who_were_asked(channel, drawer):
    _, to = reminder(channel, drawer)
    assert to == (MAYA, OMAR)


def test_a_reminder_goes_to_no_more_people_than_a_mail_can_have(channel, drawer):
    _, to = reminder(channel, drawer, *[f"person-{number}@example.com" for number in range(60)])
    assert len(to) == 50


def test_two_reminders_have_ids_of_their_own():
    first, second = (
        reminder_mail(CARD, ("waits",), URL, envelope(at=NOW + timedelta(days=day)))["Message-ID"] for day in (1, 3)
    )
    assert first != second != asked()[0]["Message-ID"]
