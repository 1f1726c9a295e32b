"""The card and the thread: what people read about a request, in each of its states."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.card import Mark, card_of, compare, told, who_ended
from bot.domain import Answer, ChatUser, ModelVersion
from bot.entries import Champion, Expiry, Hand, Observed, Opened, Requester, Revoked, Superseded, Unknown, Vote
from bot.evidence import Evidence, Metric
from bot.history import VersionState, apply, next_entry
from bot.line import Code, Link, Moment, plain
from bot.members import Person
from bot.package import Container
from tests.memory import START

MODEL = ModelVersion("churn", 7)
PINNED = Container("image", "sha256:1", "s3://models/7", '"etag"')
NOT_PINNED = "Not pinned: AWS gives no digest for the image or the model data."


def opened(environment="dev", number=1, **changes):
    found = Opened(
        environment=environment,
        round=number,
        arn="arn:1",
        fingerprint="f",
        containers=(PINNED,),
        path=("dev", "test", "uat"),
        approvers="00000000-0000-4000-8000-000000000000",
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("Kim", "oid-kim"),
        approvers_name=f"approvers-{environment}",
    )
    return replace(found, **changes)


def vote(environment="dev", number=1, by="Maya", answer=Answer.APPROVE, reason=""):
    user = ChatUser("slack", "T1", by.lower())
    return Vote(environment, number, answer, Person(f"oid-{by}", by), user, "group", START, 1, reason)


def reject(reason="drifts"):
    return vote(answer=Answer.REJECT, reason=reason)


def revoked(environment="dev", number=1):
    return Revoked(environment, number, Person("oid-Omar", "Omar"), ChatUser("slack", "T1", "omar"), "g", START, "bad")


def log(*events):
    state = VersionState(MODEL)
    for event in events:
        state = apply(state, next_entry(state, event, f"op-{state.head + 1}", START))
    return state


def card(*events, environment="dev", number=1):
    state = log(*events)
    return card_of(state, state.rounds[environment][number - 1])


def facts(**changes):
    return [plain(line) for line in card(opened(**changes)).notes]


def metrics(*values, name="auc", **changes):
    return tuple(replace(Metric(f"{name}_{place}", value), **changes) for place, value in enumerate(values))


def marks(found):
    return [step.mark for step in found.path]


def test_a_request_that_waits_says_for_whom():
    found = card(opened())
    assert (found.title, found.mark, found.open) == ("Approve churn v7 for dev?", Mark.ASKED, True)
    assert plain(found.verdict) == "Waits for members of approvers-dev"
    assert found.summary == "churn version 7 awaits approval for dev. Open to approve or reject."
    assert marks(found) == [Mark.ASKED, Mark.LATER, Mark.LATER]
    assert found.consequence == "churn v7 becomes the model that dev loads."
    assert plain(found.history) == "Asked 2026-11-24 09:00 UTC"


def test_a_quorum_is_counted():
    assert plain(card(opened(required=2)).verdict) == "Waits for members of approvers-dev · needs 2 approvals"
    assert plain(card(opened(required=2), vote()).verdict) == "1 of 2 approvals: Maya"
    assert plain(card(opened(approvers_name="")).verdict) == "Waits for its approvers"


@pytest.mark.parametrize(
    ("events", "title", "mark", "verdict"),
    [
        ([vote()], "is approved for dev", Mark.DONE, "Approved by Maya · {} · dev loads v7 from its next run"),
        ([reject()], "was rejected for dev", Mark.NO, "Rejected by Maya: drifts · {}"),
        ([reject("")], "was rejected for dev", Mark.NO, "Rejected by Maya · {}"),
        ([Expiry("dev", 1)], "was not answered in time for dev", Mark.OVER, "Expired: nobody answered in time · {}"),
        ([Superseded("dev", 1, 9)], "is no longer asked about for dev", Mark.OVER, "Superseded by v9 · {}"),
        ([vote(), revoked()], "was revoked for dev", Mark.NO, "Revoked by Omar: bad · {}"),
        (
            [Observed("rejected", "kim", Hand.STOP, "dev", 1)],
            "was rejected for dev",
            Mark.NO,
            "Rejected in the registry by kim · {}",
        ),
    ],
)
def test_a_round_that_ended_says_how_and_by_whom(events, title, mark, verdict):
    found = card(opened(), *events)
    assert (found.title, found.mark, found.open) == (f"churn v7 {title}", mark, False)
    assert plain(found.verdict) == verdict.format("2026-11-24 09:00 UTC")
    assert found.summary == f"churn version 7, dev: {verdict.partition(' · ')[0]}."
    assert marks(found)[0] == mark


def test_a_round_that_a_new_one_replaced_names_it():
    found = card(opened(), opened(number=2))
    assert (found.title, found.mark, found.open) == ("churn v7 is no longer asked about for dev", Mark.OVER, False)
    assert plain(found.verdict).startswith("Replaced by round 2, because the model package changed · ")


def test_a_request_that_a_revoke_ended_names_the_environment_and_the_person():
    found = card(opened(), vote(), opened("test"), revoked(), environment="test")
    assert found.title == "churn v7 is no longer asked about for test"
    assert plain(found.verdict).startswith("Ended, because dev was revoked by Omar · ")
    assert marks(found) == [Mark.NO, Mark.OVER, Mark.LATER]


def test_the_history_names_who_approved_the_environments_before():
    found = card(opened(required=2), vote(), vote(by="Omar"), opened("test"), environment="test")
    assert plain(found.history) == "Asked 2026-11-24 09:00 UTC · dev approved by Maya, Omar 2026-11-24 09:00 UTC"
    assert marks(found) == [Mark.DONE, Mark.ASKED, Mark.LATER]


def test_an_environment_before_that_does_not_stand_is_not_named():
    assert "approved by" not in plain(card(opened("test"), environment="test").history)


def test_later_steps_do_not_repaint_a_card():
    before = card(opened(), vote())
    after = card(opened(), vote(), opened("test"), vote("test"))
    assert before.digest == after.digest
    assert before.digest != card(opened()).digest


def test_the_digest_tells_a_link_from_plain_words():
    one, other = card(opened(commit="abc1234")), card(opened(commit="abc1234", commit_url="https://git.example/c/1"))
    assert one.digest != other.digest


def test_a_round_that_waits_has_no_end():
    state = log(opened())
    assert who_ended(state.pending[0]) == ()


def test_the_first_fact_names_requester_and_commit():
    assert facts() == ["Requested by Kim"]
    assert facts(requester=Requester("")) == ["Requester unknown"]
    assert facts(commit="0123456789") == ["Requested by Kim · commit 0123456"]
    assert Code("0123456") in card(opened(commit="0123456789")).facts[0]
    linked = card(opened(commit="0123456789", commit_url="https://git.example/c/1")).facts[0]
    assert Link("0123456", "https://git.example/c/1") in linked


def test_a_requester_whom_only_a_pipeline_names_is_marked():
    declared = Requester("dana@example.com", "oid-dana", declared=True)
    assert facts(requester=declared)[0] == "Requested by dana@example.com (as its pipeline says)"
    said = "Four eyes are wanted, and only the pipeline says who asked: nobody else is excluded."
    assert said in facts(four_eyes=True, requester=declared)
    assert said not in facts(requester=declared)


def test_four_eyes_without_a_known_requester_are_said_to_exclude_nobody():
    unknown = Requester("pipeline")
    said = "Four eyes are wanted, but the requester is not known in the directory: nobody is excluded."
    assert said in facts(four_eyes=True, requester=unknown)
    assert said not in facts(four_eyes=True)
    assert said not in facts(requester=unknown)
    assert said not in facts(four_eyes=True, requester=unknown, unknown_requester="refuse")


@pytest.mark.parametrize(
    "containers",
    [
        (Container("image"),),
        (PINNED, Container("image", "sha256:1", "s3://models/7")),
        (Container("image", "", "s3://models/7", '"etag"'),),
    ],
)
def test_what_is_not_pinned_is_said(containers):
    assert NOT_PINNED in facts(containers=containers)


def test_an_image_without_model_data_is_pinned_by_its_digest():
    assert NOT_PINNED not in facts(containers=(Container("image", "sha256:1"),))


def test_a_problem_with_the_report_is_said():
    assert "metrics could not be read" in facts(evidence=Evidence(problem="metrics could not be read"))


def test_a_champion_is_replaced_or_stays_for_rollback():
    older, newer = card(opened(champion=Champion(6))), card(opened(champion=Champion(9)))
    assert older.consequence.endswith("Version 6 stays available for rollback.")
    assert newer.consequence.endswith("It replaces the newer v9.")
    assert "Replaces the newer v9." in [plain(line) for line in newer.facts]
    assert len(older.facts) == 1


def table(challenger, champion=None):
    found = card(opened(evidence=Evidence(challenger, "s3://reports/7"), champion=champion))
    assert found.table
    assert found.report_uri == "s3://reports/7"
    return found.table


def test_a_card_without_metrics_has_no_table():
    assert card(opened(champion=Champion(6, metrics(0.5)))).table is None


def test_metrics_stand_beside_those_of_the_champion():
    challenger = (Metric("auc", 0.91), Metric("log_loss", 0.25), Metric("latency", 120.0, unit="ms"), Metric("size", 5))
    champion = Champion(6, (Metric("auc", 0.9), Metric("log_loss", 0.2), Metric("latency", 100.0, unit="ms")))
    found = table(challenger, champion)
    assert (found.challenger, found.champion) == ("v7", "v6 in dev")
    assert [(row.name, row.challenger, row.champion, row.change) for row in found.rows] == [
        ("AUC", "0.910", "0.900", "▲ 0.010 better"),
        ("log loss", "0.250", "0.200", "▲ 0.050 worse"),
        ("latency", "120 ms", "100 ms", "▲ 20 ms worse"),
        ("size", "5.000", "–", "new"),
    ]


def test_metrics_without_a_champion_have_no_change():
    found = table(metrics(0.5))
    assert (found.champion, found.rows[0].champion, found.rows[0].change) == ("", "–", "")


def test_of_more_than_six_metrics_the_worse_ones_are_never_left_out():
    challenger = metrics(*[0.9] * 9, 0.1, 0.2)
    champion = Champion(6, metrics(*[0.5] * 11))
    rows = table(challenger, champion).rows
    assert [row.name for row in rows] == [f"AUC {place}" for place in (0, 1, 2, 3, 9, 10)]
    assert "5 more metrics on the page of this request." in facts(evidence=Evidence(challenger), champion=champion)


def test_the_summary_reads_three_metrics_with_their_change():
    found = card(opened(evidence=Evidence(metrics(0.9, 0.8, 0.7, 0.6)), champion=Champion(6, metrics(0.8))))
    assert "AUC 0 0.900 (▲ 0.100 better), AUC 1 0.800 (new), AUC 2 0.700 (new)." in found.summary
    plainly = card(opened(evidence=Evidence(metrics(0.9))))
    assert "dev. AUC 0 0.900. Open" in plainly.summary


def compared(name, challenger, champion, *, noise=None, unit=""):
    return compare(Metric(name, challenger, noise, unit), Metric(name, champion, None, unit))


@pytest.mark.parametrize(
    ("name", "challenger", "champion", "says"),
    [
        ("accuracy", 0.8, 0.9, "▼ 0.100 worse"),
        ("rmse", 0.8, 0.9, "▼ 0.100 better"),
        ("false_positive_rate", 0.2, 0.1, "▲ 0.100 worse"),
        ("true_positive_rate", 0.2, 0.1, "▲ 0.100 better"),
        ("width", 0.2, 0.1, "▲ 0.100"),
        ("auc", 0.9, 0.9, "no change"),
        ("auc", 0.90001, 0.9, "no change"),
        ("rows", 12345.0, 0.0, "▲ 12,345"),
    ],
)
def test_a_change_is_an_arrow_a_size_and_a_verdict_where_the_direction_is_known(name, challenger, champion, says):
    assert compared(name, challenger, champion) == says


def test_a_change_within_its_deviation_is_not_clear():
    assert compared("auc", 0.91, 0.9, noise=0.02) == "▲ 0.010 no clear change"
    assert compare(Metric("auc", 0.91), Metric("auc", 0.9, 0.02)) == "▲ 0.010 no clear change"
    assert compared("auc", 0.95, 0.9, noise=0.02) == "▲ 0.050 better"


def test_units_follow_the_number():
    assert compared("latency", 1250.0, 250.0, unit="ms") == "▲ 1,000 ms worse"
    assert compared("latency", 1.5, 0.5, unit="s") == "▲ 1.000 s worse"


def lines(*events):
    state = log(*events)
    return [plain(told(state, entry)) for entry in state.entries]


def test_the_thread_tells_each_step():
    second = vote(by="Omar")
    assert lines(opened(required=2), vote(), second, opened("test"), revoked(), Unknown("party")) == [
        "churn v7 asks for dev.",
        "Maya approved churn v7 for dev (1 of 2).",
        "Omar approved churn v7 for dev.",
        "churn v7 asks for test.",
        "Omar revoked churn v7 for dev: bad",
        "Entry 6 is of a kind this version of the bot does not know.",
    ]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (reject(), "Maya rejected churn v7 for dev: drifts"),
        (Superseded("dev", 1, 9), "churn v7 is no longer asked about for dev: v9 was approved."),
        (Expiry("dev", 1), "Nobody answered in time: the request of churn v7 for dev has expired."),
    ],
)
def test_the_thread_tells_how_a_round_ended(event, says):
    assert lines(opened(), event)[1] == says


@pytest.mark.parametrize(
    ("hand", "says"),
    [
        (Hand.PUT_BACK, "It was put back; please answer on the card."),
        (Hand.STOP, "It counts as a stop: the pending request is rejected."),
        (
            Hand.BRAKE,
            "It is not put back. What the environments load has not changed; approvers may restore or revoke it.",
        ),
        (Hand.LEFT, "It was put back twice before and is now left as it is: please look into it."),
    ],
)
def test_the_thread_tells_what_was_done_about_a_hand_in_the_registry(hand, says):
    start = "changed churn v7 in the registry by hand, without an answer here. "
    assert lines(opened(), Observed("changed", "kim", hand, "dev", 1))[1] == f"kim {start}{says}"
    assert lines(opened(), Observed("changed", "", hand, "dev", 1))[1] == f"Somebody {start}{says}"


def test_plain_text_has_times_in_utc():
    assert plain(("at ", Moment(START), " ", Link("there", "https://example.com"))) == "at 2026-11-24 09:00 UTC there"
