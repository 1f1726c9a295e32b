"""The digest of a card changes when something that is shown changes, and at no other time."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.card import Card, Mark, Step, Table, card_of
from bot.card import Row as MetricRow
from bot.domain import Answer, ChatUser, ModelVersion, RequestId
from bot.entries import Champion, Hand, Observed, Opened, Requester, Revoked, Unknown, Vote
from bot.evidence import Evidence, Metric
from bot.history import VersionState, apply, next_entry
from bot.line import Line, Mention, Moment, Strong, plain
from bot.members import Person
from bot.package import Container
from tests.memory import START

MODEL = ModelVersion("churn", 7)
PINNED = Container("image", "sha256:1", "s3://models/7", '"etag"')
METRICS = (Metric("auc", 0.91), Metric("log_loss", 0.2))


def opened(environment="dev", number=1, **changes):
    found = Opened(
        environment=environment,
        round=number,
        arn="arn:1",
        fingerprint="f",
        containers=(PINNED,),
        path=("dev", "test", "uat"),
        approvers="group",
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("Kim", "oid-kim"),
        evidence=Evidence(METRICS, "s3://reports/7"),
        champion=Champion(6, METRICS),
        approvers_name="approvers",
    )
    return replace(found, **changes)


def vote(environment="dev", number=1, by="Maya", answer=Answer.APPROVE, reason=""):
    user = ChatUser("slack", "T1", by.lower())
    return Vote(environment, number, answer, Person(f"oid-{by}", by), user, "group", START, 1, reason)


def revoked(environment="dev", number=1):
    user = ChatUser("slack", "T1", "omar")
    return Revoked(environment, number, Person("oid-Omar", "Omar"), user, "g", START, "bad")


def card(*events, environment="dev", number=1):
    state = VersionState(MODEL)
    for minute, event in enumerate(events):
        state = apply(state, next_entry(state, event, f"op-{minute}", START + timedelta(minutes=minute)))
    return card_of(state, state.rounds[environment][number - 1])


@pytest.mark.parametrize(
    "change",
    [
        {"arn": "arn:2"},
        {"containers": (Container("image"),)},
        {"path": ("dev", "prod")},
        {"required": 2},
        {"requester": Requester("Eli")},
        {"evidence": Evidence(METRICS, "s3://reports/8")},
        {"evidence": Evidence(METRICS[:1], "s3://reports/7")},
        {"evidence": Evidence((Metric("auc", 0.9), METRICS[1]), "s3://reports/7")},
        {"evidence": Evidence(METRICS, "s3://reports/7", problem="late")},
        {"champion": None},
        {"champion": Champion(5, METRICS)},
        {"champion": Champion(9, METRICS)},
        {"champion": Champion(6)},
        {"commit": "0123456789"},
        {"approvers_name": "others"},
        {"four_eyes": True, "requester": Requester("Kim")},
    ],
)
def test_what_is_shown_otherwise_has_another_digest(change):
    assert card(opened(**change)).digest != card(opened()).digest


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "g"},
        {"approvers": "other"},
        {"distinct": True},
        {"policy": "q"},
        {"expires_at": START},
        {"four_eyes": True},
        {"unknown_requester": "refuse"},
        {"evidence": Evidence(METRICS, "s3://reports/7", "sha")},
        {"evidence": Evidence((Metric("auc", 0.9100001), METRICS[1]), "s3://reports/7")},
    ],
)
def test_what_is_not_shown_leaves_the_digest(change):
    assert card(opened(**change)).digest == card(opened()).digest


WAITS = [opened(required=2)]
CARDS = {
    "waits": card(*WAITS),
    "half": card(*WAITS, vote()),
    "half by another": card(*WAITS, vote(by="Omar")),
    "approved": card(*WAITS, vote(), vote(by="Omar")),
    "approved in turn": card(*WAITS, vote(by="Omar"), vote()),
    "rejected": card(*WAITS, vote(answer=Answer.REJECT, reason="drifts")),
    "rejected otherwise": card(*WAITS, vote(answer=Answer.REJECT, reason="slow")),
    "revoked": card(opened(), vote(), revoked()),
}


def test_every_state_of_a_request_has_a_digest_of_its_own():
    assert len({each.digest for each in CARDS.values()}) == len(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_the_buttons_are_there_as_long_as_the_request_waits(name):
    assert CARDS[name].open == (name in ("waits", "half", "half by another"))


SEEN = [opened(), vote()]
LATER = {
    "the next request": [opened("test")],
    "its approval": [opened("test"), vote("test")],
    "its rejection": [opened("test"), vote("test", answer=Answer.REJECT, reason="no")],
    "its revoke": [opened("test"), vote("test"), revoked("test")],
    "a new round": [opened(number=2)],
    "a new round that was rejected": [opened(number=2), vote(number=2, answer=Answer.REJECT, reason="no")],
    "a second vote": [vote(by="Omar")],
    "a hand": [Observed("changed", "kim", Hand.BRAKE)],
    "what is not known": [Unknown("party")],
}


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_elsewhere_does_not_repaint_a_card(name):
    assert card(*SEEN, *LATER[name]) == card(*SEEN)


def test_a_revoke_repaints_the_card_of_its_own_round_alone():
    events = [*SEEN, opened("test"), vote("test"), opened("uat")]
    for environment, changes in (("dev", True), ("test", False), ("uat", True)):
        before, after = (card(*each, environment=environment) for each in (events, [*events, revoked()]))
        assert (before.digest != after.digest) == changes


def test_the_card_of_an_old_round_shows_its_own_end():
    events = [opened(), vote(), opened(number=2), vote(number=2), revoked(number=1)]
    found = card(*events)
    assert (found.mark, found.path[0].mark) == (Mark.NO, Mark.NO)
    assert found.title == "churn v7 was revoked for dev"


def test_an_environment_off_its_own_path_is_asked_about_all_the_same():
    found = card(opened("old", path=("dev", "test")), environment="old")
    assert plain(found.history).startswith("Asked 2026-11-24 09:00 UTC")
    assert [step.here for step in found.path] == [False, False]


MENTION = Mention("Maya", ChatUser("slack", "T1", "maya"))
SHOWN: Line = ("Approved by ", MENTION, Moment(START))
WHOLE = Card(
    request=RequestId("churn", 7, "dev", 1),
    title="title",
    summary="summary",
    path=(Step("dev", Mark.DONE, here=True),),
    table=Table("v7", "v6 in dev", (MetricRow("AUC", "0.9", "0.8", "better"),)),
    facts=(("fact",),),
    verdict=SHOWN,
    mark=Mark.DONE,
    history=SHOWN,
    open=True,
    consequence="consequence",
    package_arn="arn:1",
    report_uri="s3://reports/7",
    stands=False,
)
WORSE = Table("v7", "v6 in dev", (MetricRow("AUC", "0.9", "0.8", "worse"),))
OTHERS: dict[str, list[Any]] = {
    "request": [RequestId("churn", 7, "dev", 2)],
    "title": ["other"],
    "summary": ["other"],
    "path": [(), (Step("dev", Mark.NO, here=True),), (Step("dev", Mark.DONE, here=False),)],
    "table": [None, Table("v7", "", ()), WORSE],
    "facts": [(), (("other",),), ((Strong("fact"),),), (("fa", "ct"),)],
    "verdict": [(), SHOWN[:2], (SHOWN[0], "Maya", SHOWN[2]), (SHOWN[0], Mention("Maya"), SHOWN[2])],
    "mark": [Mark.NO],
    "history": [(), ("Approved by ", MENTION, Moment(START + timedelta(seconds=1)))],
    "open": [False],
    "consequence": ["other"],
    "package_arn": ["arn:2"],
    "report_uri": [""],
    "stands": [True],
}


def test_every_part_of_a_card_is_tried_here():
    assert [*OTHERS] == [each.name for each in fields(Card)]


@pytest.mark.parametrize("part", OTHERS)
def test_every_part_of_a_card_counts(part):
    digests = {replace(WHOLE, **{part: other}).digest for other in OTHERS[part]}
    assert len(digests | {WHOLE.digest}) == len(OTHERS[part]) + 1
