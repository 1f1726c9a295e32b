"""Everything the bot shows in Slack: what it says, that nothing in it acts, and that Slack takes it."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.metadata import Metadata
from slack_sdk.models.views import View

from bot import overview as neutral
from bot.card import Mark, Row, Step, Table
from bot.console import package_link, report_link
from bot.domain import ChatUser, MessageRef, RequestId, State
from bot.errors import Malformed
from bot.line import Code, Mention, Moment, Strong
from bot.slack import blocks, overview
from bot.slack.buttons import LINK
from bot.slack.channel import METADATA
from bot.slack.lines import drawn
from bot.slack.modal import read_reason, reason_view, way_view
from bot.slack.mrkdwn import safe
from bot.slack.whispers import told
from bot.status import GroupStatus, Slot, Stand
from bot.status import Row as VersionRow
from bot.text import clean, cut, units
from infra.local import slack_rules as rules
from infra.local.slack_workspace import TEAM
from tests.adapters.slack_examples import (
    ARN,
    BY_MAYA,
    CARD,
    DECIDED,
    FIRST,
    MAYA,
    NOW,
    REQUEST,
    longest,
)

ENVIRONMENTS = ("dev", "test", "uat", "prod")
NASTY = (
    "<!channel>", "<!here|here>", "@here", "@channel please", "<@U0OMAR>", "<#C0MODELS|models>",
    "<https://evil.example|Approve>", "https://evil.example/x", "HTTP://evil.example", "<mailto:a@b.c|x>",
    "*bold*", "_italic_", "~gone~", "`code`", "```block```", ":white_check_mark:", "> quoted", "a\n> quoted",
    "&lt;!channel&gt;", "<!date^0^{date}|never>", "<!subteam^S01>", "\u202egnp.exe", "\x00\x1b[31m", "`", "*",
    "__init__", "*_~`*_~`", "<", ">", "&", "|", "\n\n\n", "\ud800", "e\u0301" * 9, "👩🏽‍🔬" * 9, "",
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=40)), max_size=6).map("".join)
LONG = st.tuples(TEXTS, st.integers(1, 400)).map(lambda drawn: drawn[0] * drawn[1]).map(lambda text: text[:9000])
USERS = st.builds(
    ChatUser,
    surface=st.sampled_from(("slack", "teams")),
    team=st.sampled_from((TEAM, "T0OTHER")),
    user=st.sampled_from((MAYA, "U0X>|<!channel", "29:teams")),
)
EARLY, LATE = (datetime(year, 1, 1) for year in (1971, 2999))  # noqa: DTZ001 - hypothesis adds the zone
PARTS = st.one_of(
    TEXTS,
    LONG,
    st.builds(Strong, TEXTS),
    st.builds(Code, TEXTS),
    st.builds(Mention, TEXTS, st.none() | USERS),
    st.builds(Moment, st.datetimes(timezones=st.just(UTC), min_value=EARLY, max_value=LATE)),
)
LINES = st.lists(PARTS, max_size=6).map(tuple)
CARDS = st.builds(
    replace,
    st.sampled_from((CARD, DECIDED, FIRST)),
    title=TEXTS,
    summary=LONG,
    path=st.lists(st.builds(Step, TEXTS, st.sampled_from(Mark), st.booleans()), max_size=6).map(tuple),
    table=st.none()
    | st.builds(Table, TEXTS, TEXTS, st.lists(st.builds(Row, LONG, TEXTS, TEXTS, TEXTS), max_size=30).map(tuple)),
    facts=st.lists(LINES, max_size=5).map(tuple),
    verdict=LINES,
    history=LINES,
    consequence=LONG,
    report_uri=st.one_of(TEXTS, TEXTS.map("s3://reports/".__add__)),
    package_arn=st.one_of(TEXTS, st.just(ARN)),
)
ALLOWED = re.compile(
    r"<@U0MAYA>"
    r"|<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
    r"|<https://approvals\.example\.com/[\w/?=&;.~%#-]*>"
)
OUR_EMOJI = set(blocks.EMOJI.values())
# What Slack makes of mrkdwn: https://docs.slack.dev/messaging/formatting-message-text
ACTIVE = re.compile(
    r"""(?x) (?P<code> `[^`\n]+` ) | (?P<angle> <[^<>\n]+> ) | (?P<emoji> :[\w+'-]+: )
    | (?<![\w*]) \*(?P<bold> \S(?:[^*\n]*\S)? )\* (?![\w*]) | (?<!\w) _(?P<italic> \S(?:[^_\n]*\S)? )_ (?!\w)
    | (?<![\w~]) ~(?P<strike> \S(?:[^~\n]*\S)? )~ (?![\w~]) | (?P<link> https?:// ) | (?P<at> (?<!\w)@\w+ )
    | ^[ ]*(?P<quote> &gt; )""",
    re.IGNORECASE | re.MULTILINE,
)


def objects(value):
    """Every JSON object inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def markup(text):
    """What is active in a mrkdwn text beyond our own mentions, times and links, as (kind, text)."""
    rest = ALLOWED.sub("", text)
    found = [(match.lastgroup, match[0]) for match in ACTIVE.finditer(rest)]
    assert not re.search(r"[<>]", rest)
    assert not re.search(r"&(?!amp;|lt;|gt;)", rest)
    return found


def mrkdwn_of(shown):
    return [each for each in objects(shown) if each.get("type") == "mrkdwn"]


def words_of(shown):
    """Every text a person sees, in order."""
    return [each["text"] for each in objects(shown) if isinstance(each.get("text"), str)]


def assert_inert(shown):
    """Nothing acts but what the renderer itself marks: bold, code and the emoji of the marks."""
    assert [kind for kind, _ in markup(shown["text"])] == []
    for each in mrkdwn_of(shown):
        assert each["verbatim"] is True
        kinds = {(kind, text if kind == "emoji" else "") for kind, text in markup(each["text"])}
        assert kinds <= {("bold", ""), ("code", ""), *(("emoji", emoji) for emoji in OUR_EMOJI)}
    assert all(each["emoji"] is False for each in objects(shown) if each.get("type") == "plain_text")


@pytest.mark.parametrize(
    "line",
    [
        ("@", "here"),
        ("@", Mention("here")),
        ("@he", "re"),
        (":smi", "le:"),
        (":", Mention("smile:")),
        ("htt", "ps://evil.example"),
        ("https:", "//evil.example"),
        ("https:/", Mention("/evil.example")),
    ],
)
def test_what_two_parts_of_a_line_make_together_does_nothing(line):
    shown = blocks.reply(line, team=TEAM)
    assert_inert(shown)
    assert shown["blocks"][0]["text"]["text"].replace("\u2060", "") == "".join(
        part if isinstance(part, str) else part.name for part in line
    )


def assert_taken(shown):
    """Slack would take it: by the rules of its documentation, and by those of its SDK."""
    assert rules.message_problems(shown["blocks"]) == []
    assert rules.letters(shown["blocks"]) <= rules.BLOCKS_TEXT
    assert 0 < len(shown["text"]) <= rules.MESSAGE_TEXT
    json.dumps(shown).encode()
    for block in shown["blocks"]:
        known = Block.parse(block)
        assert known is not None
        known.validate_json()


# ------------------------------------------------------------------------------------------------- what a card says


def test_a_card_that_waits_leads_to_its_page_where_there_are_pages():
    def links(**where):
        [actions] = [each for each in blocks.message(CARD, team=TEAM, **where)["blocks"] if each["type"] == "actions"]
        return {each["text"]["text"]: each["url"] for each in actions["elements"] if "url" in each}

    pages = "https://approvals.example.com"
    assert links(pages=pages)["Review page"] == f"{pages}/requests/{CARD.request}"
    assert "Review page" not in links()


def test_a_pending_card_is_the_one_of_the_design():
    shown = blocks.message(CARD, team=TEAM)
    assert [block["type"] for block in shown["blocks"]] == [
        "header", "context", "table", "context", "actions", "context"
    ]  # fmt: skip
    title, path, _, facts, _, history = shown["blocks"]
    assert title["text"]["text"] == "Approve churn-xgb v12 for test?"
    assert path["elements"][0]["text"] == (
        ":white_check_mark: dev   ›   :large_yellow_circle: *test*   ›   :white_circle: uat   ›   :white_circle: prod"  # noqa: RUF001
    )
    assert facts["elements"][0]["text"] == "Requested by *train-pipeline* · commit `9f3c2ab`"
    time = f"<!date^{int(NOW.timestamp())}^{{date_short_pretty}} {{time}}|2026-11-24 09:31 UTC>"
    assert history["elements"][0]["text"] == (
        f":thread: Asked {time} · dev approved by <@U0MAYA> {time} · history in thread"
    )
    assert_taken(shown)


def test_the_table_compares_challenger_and_champion():
    table = blocks.message(CARD, team=TEAM)["blocks"][2]
    assert [words_of(row) for row in table["rows"][:3]] == [
        ["Metric", "v12", "v11 in test", "Change"],
        ["AUC", "0.914", "0.903", "▲ 0.011 better"],
        ["Precision", "0.871", "0.868", "▲ 0.003 better"],
    ]
    assert [column["align"] for column in table["column_settings"]] == ["left", "right", "right", "right"]
    bold = [[cell["type"] == "rich_text" for cell in row] for row in table["rows"][:2]]
    assert bold == [[True, True, True, True], [False, False, False, True]]


def test_without_a_champion_nothing_is_compared():
    table = blocks.message(FIRST, team=TEAM)["blocks"][2]
    assert [words_of(row) for row in table["rows"][:2]] == [["Metric", "v12"], ["AUC", "0.914"]]
    assert len(table["column_settings"]) == 2


def test_a_card_without_metrics_has_no_table():
    for table in (None, Table("v12", "", ())):
        shown = blocks.message(replace(CARD, table=table), team=TEAM)
        assert "table" not in [block["type"] for block in shown["blocks"]]


def test_a_pending_card_has_its_four_buttons():
    approve, reject, model, report = blocks.message(CARD, team=TEAM)["blocks"][4]["elements"]
    assert [each["text"]["text"] for each in (approve, reject, model, report)] == [
        "Approve for test", "Reject…", "Model card", "Evaluation"
    ]  # fmt: skip
    assert (approve["action_id"], approve["style"]) == ("approval.approve", "primary")
    assert (reject["action_id"], reject["style"]) == ("approval.reject", "danger")
    assert approve["value"] == reject["value"] == "churn-xgb/12/test/1"
    assert approve["accessibility_label"] == "Approve churn-xgb version 12 for test"
    confirm = approve["confirm"]
    assert words_of(confirm) == ["Approve v12 for test?", CARD.consequence, "Approve", "Cancel"]
    assert "confirm" not in reject


def test_the_link_buttons_carry_no_value():
    _, _, model, report = blocks.message(CARD, team=TEAM)["blocks"][4]["elements"]
    assert (model["action_id"], report["action_id"]) == ("approval.link.model", "approval.link.report")
    assert "value" not in model
    assert model["url"] == (
        "https://console.aws.amazon.com/sagemaker/home?region=eu-central-1#/model-packages/churn-xgb/12"
    )
    assert report["url"] == (
        "https://console.aws.amazon.com/s3/object/reports?region=eu-central-1&prefix=churn/12/evaluation%20report.json"
    )


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "https://console.aws.amazon.com/"),
        ("aws-us-gov", "https://console.amazonaws-us-gov.com/"),
        ("aws-cn", "https://console.amazonaws.cn/"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(partition, console):
    arn = ARN.replace("arn:aws:", f"arn:{partition}:")
    assert package_link(arn).startswith(console)
    assert report_link(CARD.report_uri, arn=arn).startswith(console)


@pytest.mark.parametrize(
    ("arn", "uri"),
    [
        ("arn:aws-iso:sagemaker:us-iso-east-1:123456789012:model-package/churn/1", "s3://reports/1"),
        ("arn:aws:sagemaker:eu-central-1.evil.example/:123456789012:model-package/churn/1", "s3://reports/1"),
        ("", "s3://reports/1"),
    ],
)
def test_a_package_without_a_console_has_no_link_buttons(arn, uri):
    elements = blocks.message(replace(CARD, package_arn=arn, report_uri=uri), team=TEAM)["blocks"][4]["elements"]
    assert len(elements) == 2


@pytest.mark.parametrize("uri", ["", "https://evil.example/report", "s3://b", f"s3://reports/{'ü' * 900}"])
def test_a_report_that_is_not_a_plain_object_in_s3_has_no_button(uri):
    elements = blocks.message(replace(CARD, report_uri=uri), team=TEAM)["blocks"][4]["elements"]
    assert [each["action_id"] for each in elements[2:]] == ["approval.link.model"]


def test_a_decided_card_has_no_button_left_but_to_revoke_an_approval_that_stands():
    shown = blocks.message(DECIDED, team=TEAM)
    [button] = [each for each in objects(shown) if each.get("type") == "button"]
    assert (button["action_id"], button["value"]) == ("approval.revoke", "churn-xgb/12/test/1")
    over = blocks.message(replace(DECIDED, stands=False), team=TEAM)
    assert [each for each in objects(over) if each.get("type") in {"button", "actions"}] == []
    verdict = shown["blocks"][-3]["elements"][0]["text"]
    assert verdict.startswith(":white_check_mark: Approved by <@U0MAYA> · <!date^")
    assert verdict.endswith("> · test loads v12")
    assert_taken(shown)


def test_votes_so_far_stand_below_the_buttons():
    shown = blocks.message(replace(CARD, verdict=("1 of 2 approvals: ", BY_MAYA)), team=TEAM)
    assert shown["blocks"][5]["elements"][0]["text"] == ":large_yellow_circle: 1 of 2 approvals: <@U0MAYA>"


def test_every_fact_has_a_line_of_its_own():
    shown = blocks.message(replace(CARD, facts=(("one\ntwo",), (Strong("three"),))), team=TEAM)
    assert shown["blocks"][3]["elements"][0]["text"] == "one two\n*three*"


def test_block_ids_change_exactly_when_the_card_does():
    def ids(card):
        return [block["block_id"] for block in blocks.message(card, team=TEAM)["blocks"]]

    assert ids(CARD) == ids(replace(CARD))
    assert not set(ids(CARD)) & set(ids(replace(CARD, verdict=("x",))))


def test_the_text_for_notifications_is_the_summary():
    assert blocks.message(CARD, team=TEAM)["text"] == CARD.summary


# ----------------------------------------------------------------------------------------------- lines and their parts


@pytest.mark.parametrize(
    "user",
    [
        None,
        ChatUser("teams", TEAM, MAYA),
        ChatUser("slack", "T0OTHER", MAYA),
        ChatUser("slack", TEAM, "U0X> <!channel"),
    ],
)
def test_a_person_whom_this_workspace_does_not_know_is_named_only(user):
    assert drawn((Mention("Maya <b>", user),), team=TEAM, limit=100) == "Maya &lt;b&gt;"


def test_a_mark_around_nothing_is_left_out():
    assert drawn(("a", Strong(" "), Code(""), "b"), team=TEAM, limit=100) == "ab"


def test_ordinary_words_stay_as_they_are():
    text = "f1_score of train_pipeline_v2 rose 3 % (14:31), a@b.example says: s3://b/k & more – naïve 模型 👩🏽‍🔬"
    assert safe(text, 900) == text.replace("&", "&amp;")


def test_a_line_that_is_cut_ends_in_an_ellipsis_and_keeps_its_marks_whole():
    line = ("Approved by ", BY_MAYA, ": ", "&" * 50)
    for limit in range(1, 80):
        text = drawn(line, team=TEAM, limit=limit)
        assert units(text) <= limit
        assert text.endswith("…")
        assert re.fullmatch(r"(A[a-z ]*)?(<@U0MAYA>)?(: ?)?(&amp;)*…", text)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("👩🏽‍🔬👩🏽‍🔬", 13, "👩🏽‍🔬…"),
        ("ab  cd", 5, "ab…"),
        ("👩🏽‍🔬", 3, "…"),
    ],
)
def test_a_text_is_cut_on_whole_characters(text, limit, expected):
    assert cut(text, limit) == expected


def test_invisible_and_turning_characters_are_dropped_and_lines_kept():
    assert clean("a\u202eb\x00\ud800c\r\nd\te\u2028\n\n\nf") == "abc\nd e\n\nf"


@given(line=LINES, limit=st.integers(1, 3000))
@settings(max_examples=150, deadline=None)
def test_no_line_is_longer_than_its_limit(line, limit):
    assert units(drawn(line, team=TEAM, limit=limit)) <= limit


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
@example("".join(NASTY))
def test_nothing_in_an_untrusted_text_acts(text):
    assert markup(safe(text, 3000)) == []


@pytest.mark.parametrize("text", NASTY)
def test_the_judge_of_this_test_sees_what_acts(text):
    raw = text.replace("\ud800", "")
    if re.search(r"[<>]", raw):
        with pytest.raises(AssertionError):
            assert markup(raw) == []
    elif text in {"@here", "@channel please", "*bold*", "_italic_", "~gone~", "`code`", ":white_check_mark:"}:
        assert len(markup(raw)) == 1


@given(card=CARDS)
@settings(max_examples=50, deadline=None)
def test_no_card_acts_or_is_refused_whatever_its_texts(card):
    shown = blocks.message(card, team=TEAM)
    assert_inert(shown)
    assert_taken(shown)
    assert_taken(blocks.without_table(shown))


@given(line=LINES, text=LONG)
@settings(max_examples=80, deadline=None)
def test_no_reply_or_private_word_acts_or_is_refused_whatever_its_texts(line, text):
    for shown in (blocks.reply(line, team=TEAM), told(text, pages="https://approvals.example.com")):
        assert_inert(shown)
        assert_taken(shown)


def test_the_largest_card_stays_within_every_limit():
    for card in (longest(), longest(metrics=30), replace(longest(), open=False)):
        shown = blocks.message(card, team=TEAM)
        assert_inert(shown)
        assert_taken(shown)
        assert_taken(blocks.without_table(shown))


def test_a_path_longer_than_a_line_ends_in_an_ellipsis():
    steps = tuple(Step(f"{number:02}".ljust(31, "e"), Mark.LATER, here=False) for number in range(90))
    shown = blocks.message(replace(CARD, path=steps), team=TEAM)
    assert shown["blocks"][1]["elements"][0]["text"].endswith("   ›   …")  # noqa: RUF001
    assert_taken(shown)


def test_a_card_takes_less_than_six_kilobytes():
    assert len(json.dumps(blocks.message(CARD, team=TEAM))) < 6 * 1024


def test_a_reply_keeps_its_lines():
    shown = blocks.reply((BY_MAYA, " rejected it: ", "too slow\nand *wrong*"), team=TEAM)
    assert shown["text"] == "Maya Chen rejected it: too slow\nand ∗wrong∗"  # noqa: RUF001
    assert shown["blocks"][0]["text"]["text"] == "<@U0MAYA> rejected it: too slow\nand ∗wrong∗"  # noqa: RUF001


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "Go to https://approvals.example.com/link/a?b=1&c=2.",
            ["<https://approvals.example.com/link/a?b=1&amp;c=2>"],
        ),
        ("Go to https://approvals.example.com.evil.example/", []),
        ("Go to https://approvals.example.com/|x", []),
        ("Go to https://evil.example/https://approvals.example.com/a", ["<https://approvals.example.com/a>"]),
        ("Nothing to click", []),
    ],
)
def test_only_our_own_pages_can_be_clicked_in_a_private_word(text, links):
    shown = told(text, pages="https://approvals.example.com")
    assert re.findall(r"<[^>]*>", shown["blocks"][0]["text"]["text"]) == links
    assert re.findall(r"<[^>]*>", told(text)["blocks"][0]["text"]["text"]) == []


OWN = "https://approvals.example.com"
SEALED = f"{OWN}/link?t=AQICAHh-x_7"


def way(text, pages=OWN, name="Link my account"):
    shown = told(text, pages=pages, way=name)
    assert_taken(shown)
    return shown


def test_the_address_that_ends_a_private_word_becomes_a_button():
    shown = way(f"Nothing is recorded yet: link this account, once: {SEALED}")
    assert shown["text"] == "Nothing is recorded yet: link this account, once."
    section, actions = shown["blocks"]
    assert section["text"]["text"] == "Nothing is recorded yet: link this account, once."
    (button,) = actions["elements"]
    assert (button["url"], button["text"]["text"], button["style"]) == (SEALED, "Link my account", "primary")
    assert button["action_id"].startswith(LINK)
    assert "value" not in button


@pytest.mark.parametrize(
    ("text", "words"),
    [(f"Sign in {SEALED}", "Sign in."), (f"Sign in. {SEALED}", "Sign in."), (f"a *b*:\n{SEALED}", "a \u2217b\u2217.")],
)
def test_the_words_before_a_button_are_a_sentence(text, words):
    assert way(text)["blocks"][0]["text"]["text"] == words


@pytest.mark.parametrize(
    "text",
    ["Sign in.", SEALED, f"See {SEALED} now", "See https://evil.example/r?t=x", f"See {OWN}.evil.example/x",
     f"x{SEALED}", f"See {OWN}/r?t={'x' * 3000}", f"See {SEALED}<script>", ""],
)  # fmt: skip
def test_without_an_address_of_ours_at_its_end_a_private_word_has_no_button(text):
    assert [block["type"] for block in way(text)["blocks"]] == ["section"]


def test_without_pages_there_is_no_button():
    shown = way(f"Sign in: {SEALED}", pages="")
    assert [block["type"] for block in shown["blocks"]] == ["section"]
    assert "<" not in shown["blocks"][0]["text"]["text"]


@given(text=LONG)
@settings(max_examples=30, deadline=None)
def test_no_text_before_a_button_acts_or_is_refused(text):
    shown = way(f"{text} {SEALED}")
    assert_inert({**shown, "blocks": shown["blocks"][:1]})
    assert all(block["elements"][0]["url"] == SEALED for block in shown["blocks"][1:])


# -------------------------------------------------------------------------------------------------- a table as text


def test_a_table_that_slack_does_not_take_becomes_aligned_text():
    shown = blocks.message(CARD, team=TEAM)
    instead = blocks.without_table(shown)
    assert [block["type"] for block in instead["blocks"]].count("rich_text") == 1
    assert instead["blocks"][2]["block_id"] == shown["blocks"][2]["block_id"]
    assert words_of(instead["blocks"][2])[0].splitlines() == [
        "Metric         v12  v11 in test          Change",
        "AUC          0.914        0.903  ▲ 0.011 better",
        "Precision    0.871        0.868  ▲ 0.003 better",
        "Recall       0.842        0.855   ▼ 0.013 worse",
        "p95 latency  41 ms        52 ms  ▼ 11 ms better",
    ]
    assert_taken(instead)


def test_letters_that_take_two_columns_are_counted_as_two():
    assert blocks.aligned([["模型", "1"], ["abcd", "22"], ["e\u0301", "3"]]) == [
        "模型   1",
        "abcd  22",
        "e\u0301      3",
    ]


# ---------------------------------------------------------------------------------------------- the form of a Reject


def test_the_form_says_what_is_rejected_and_who_will_read_it():
    view = reason_view(REQUEST, MessageRef("C1", "1.2"))
    assert rules.modal_problems(view) == []
    View(**view).validate_json()
    assert view["title"]["text"] == "Reject churn-xgb v12"
    assert view["callback_id"] == "approval.reject.reason"
    context, question = view["blocks"]
    assert words_of(context) == ["churn-xgb v12 for test. Everybody in the channel will see the reason."]
    assert (question["block_id"], question["element"]["action_id"]) == ("reason", "reason")
    assert question["label"]["text"] == "Reason"
    assert (question["element"]["multiline"], question["element"]["max_length"]) == (True, 2000)
    assert json.loads(view["private_metadata"]) == {
        "request": "churn-xgb/12/test/1", "channel": "C1", "ts": "1.2"
    }  # fmt: skip


@pytest.mark.parametrize("pages", [OWN, ""])
def test_a_view_that_shows_the_way_is_one_that_slack_opens(pages):
    view = way_view(f"Nothing is recorded yet. Link it: {SEALED}", pages=pages, way="Link my account")
    assert rules.modal_problems(view) == []
    assert "submit" not in view
    assert [block["type"] for block in view["blocks"]] == ["section", "actions"][: 2 if pages else 1]


def test_a_long_name_leaves_the_title_to_the_version():
    request = RequestId("g" * 63, 999999999, "e" * 31, 999999999)
    view = reason_view(request, MessageRef("C1", "1.2"))
    assert view["title"]["text"] == "Reject v999999999"
    assert rules.modal_problems(view) == []


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"private_metadata": "no JSON"},
        {"private_metadata": "[]"},
        {"private_metadata": '{"request":"x","channel":"C","ts":"1"}', "state": {"values": {}}},
        {
            "private_metadata": '{"request":"churn/1/dev/1","channel":"C","ts":"1"}',
            "state": {"values": {"reason": None}},
        },
        {"private_metadata": None, "state": None},
    ],
)
def test_a_form_that_is_not_ours_is_malformed(view):
    with pytest.raises(Malformed):
        read_reason(view)


# ---------------------------------------------------------------------------------------------------- /model-status


def stand(state, minutes=0):
    return Stand(state, 1, NOW - timedelta(minutes=minutes))


def version(**environments):
    return VersionRow(3, {name: stand(state) for name, state in environments.items()})


def loads(**versions):
    return {name: Slot(NOW, "", number) for name, number in versions.items()}


CHURN = GroupStatus(
    {
        "12": VersionRow(5, {"dev": stand(State.APPROVED), "test": stand(State.PENDING, 30)}),
        "11": version(dev=State.APPROVED, test=State.APPROVED, uat=State.REJECTED),
        "9": version(dev=State.APPROVED, test=State.APPROVED, uat=State.APPROVED),
    },
    loads(dev=12, test=11, uat=9, prod=None),
)
FRAUD = GroupStatus({"3": version(dev=State.APPROVED)}, loads(dev=3))


def matrices(answer):
    return [words_of(block)[0].splitlines() for block in answer["blocks"] if block["type"] == "rich_text"]


def all_groups(groups, environments=()):
    return overview.answer(neutral.overview(groups, environments))


def one_group(name, status, environments=()):
    return overview.answer(neutral.group(name, status, environments))


def test_the_overview_shows_what_waits_first():
    answer = all_groups([("a-fraud", FRAUD), ("churn", CHURN)], ENVIRONMENTS)
    assert answer["response_type"] == "ephemeral"
    assert answer["text"] == "1 request waits for an answer."
    waiting = answer["blocks"][1]["text"]["text"]
    assert waiting.startswith(":large_yellow_circle: *churn v12* waits for *test* since <!date^")
    assert matrices(answer) == [
        [
            "group    dev  test      uat  prod",
            "churn    v12  v11 v12?  v9   –",
            "a-fraud  v3   –         –    –",
        ]
    ]
    assert_taken(answer)
    assert_inert(answer)


def test_the_longest_waiting_stands_first():
    older = GroupStatus({"1": VersionRow(1, {"dev": stand(State.PENDING, 600)})})
    answer = all_groups([("churn", CHURN), ("older", older)], ENVIRONMENTS)
    lines = answer["blocks"][1]["text"]["text"].splitlines()
    assert [line.split("*")[1] for line in lines] == ["older v1", "churn v12"]


def test_several_waiting_versions_of_an_environment_are_counted():
    status = GroupStatus({str(number): version(dev=State.PENDING) for number in (2, 10, 9)})
    assert matrices(all_groups([("churn", status)]))[0][1] == "churn  v10?+2"


def test_an_environment_that_the_policy_no_longer_has_comes_last():
    status = GroupStatus({"1": version(old=State.APPROVED)})
    assert matrices(all_groups([("churn", status)], ("dev",)))[0][0] == "group  dev  old"


def test_a_group_shows_its_versions_and_what_is_in_use():
    answer = one_group("churn", CHURN, ENVIRONMENTS)
    assert answer["text"] == "churn: 1 request waits for an answer."
    assert matrices(answer) == [
        [
            "version  dev       test      uat       prod",
            "v12      in use    waiting   –         –",
            "v11      approved  in use    rejected  –",
            "v9       approved  approved  in use    –",
        ]
    ]
    assert_taken(answer)
    assert_inert(answer)


def test_a_version_in_use_that_is_asked_about_again_says_both():
    status = GroupStatus({"3": version(dev=State.PENDING)}, loads(dev=3))
    assert matrices(one_group("churn", status))[0][1] == "v3       in use, waiting"


def test_a_version_in_use_is_shown_even_when_its_row_was_dropped():
    assert matrices(one_group("churn", GroupStatus({}, loads(prod=4))))[0][1] == "v4       in use"


def test_nothing_yet_is_said_in_words():
    assert all_groups([])["text"] == "No model version has been asked about yet."
    assert one_group("churn", GroupStatus())["text"] == "Nothing is recorded of churn yet."
    assert "churn" in overview.answer(neutral.unknown("churn", "/model-status"))["text"]
    assert_taken(overview.answer(neutral.usage("/model-status", unlink="unlink")))


@pytest.mark.parametrize("length", [12, 63])
def test_a_hundred_groups_stay_readable_within_slacks_limits(length):
    names = [f"{number:03}-".ljust(length, "g") for number in range(100)]
    groups = [(name, CHURN if number % 2 else FRAUD) for number, name in enumerate(names)]
    answer = all_groups(groups, ENVIRONMENTS)
    assert_taken(answer)
    assert all(len(text) <= 3000 for text in words_of(answer))
    shown = [line.split()[0] for matrix in matrices(answer) for line in matrix[1:]]
    asked_first = [name for name, status in sorted(groups, key=lambda each: (each[1] is not CHURN, each[0]))]
    assert shown == asked_first[: len(shown)]
    notes = words_of(answer["blocks"][-1])
    if len(shown) < 100:
        assert notes[0] == f"and {100 - len(shown)} more of 100 groups: `/model-status GROUP`"
    assert len(shown) == (100 if length == 12 else len(shown)) >= 80


def test_more_waiting_requests_than_fit_are_counted():
    status = GroupStatus({str(number): version(dev=State.PENDING) for number in range(1, 200)})
    answer = one_group("churn", status, ENVIRONMENTS)
    lines = answer["blocks"][1]["text"]["text"].splitlines()
    assert lines[-1] == f"and {199 - (len(lines) - 1)} more requests"
    assert_taken(answer)


@given(
    groups=st.lists(
        st.tuples(
            TEXTS,
            st.builds(
                GroupStatus,
                st.dictionaries(
                    st.integers(1, 999999999).map(str),
                    st.builds(
                        VersionRow,
                        st.integers(1, 9),
                        st.dictionaries(
                            TEXTS,
                            st.builds(Stand, st.sampled_from(State), st.just(1), st.just(NOW)),
                            max_size=4,
                        ),
                    ),
                    max_size=40,
                ),
                st.dictionaries(
                    TEXTS,
                    st.builds(Slot, st.just(NOW), st.just(""), st.none() | st.integers(1, 9)),
                    max_size=4,
                ),
            ),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda each: each[0],
    )
)
@settings(max_examples=20, deadline=None)
def test_no_status_acts_or_is_refused_whatever_the_parameters_hold(groups):
    for answer in (all_groups(groups, ENVIRONMENTS), one_group(groups[0][0], groups[0][1], ENVIRONMENTS)):
        if "blocks" in answer:
            assert_taken(answer)
            assert_inert(answer)


def test_the_metadata_of_a_card_has_a_name_that_slack_takes():
    assert rules.metadata_problems({"event_type": METADATA, "event_payload": {"request": str(REQUEST)}}) == []
    Metadata(event_type=METADATA, event_payload={}).validate_json()


def test_the_sdk_knows_every_block_that_is_used(caplog):
    with caplog.at_level(logging.WARNING):
        assert None not in [Block.parse(block) for block in blocks.message(CARD, team=TEAM)["blocks"]]
    assert caplog.messages == []


def test_a_line_keeps_its_limit_also_where_two_parts_are_kept_apart():
    shown = blocks.reply(("a" * 2998 + "h", "x"), team=TEAM)
    assert len(shown["blocks"][0]["text"]["text"]) <= 3000
