"""The whole journey of a model, over real HTTP against the local stack: `python -m infra.local.demo`.

STEPS, further down, is the table of contents. Each step does one thing and reads back what became of it, with boto3
or from the messages that Slack has stored; the demo exits with 0 only if each has found what it expected.
"""

import json
import logging
import os
import sys
import time
from collections import Counter, deque
from datetime import UTC, datetime
from functools import partial

from infra.local.shell import chosen, keep_to_ourselves

if __name__ == "__main__":
    keep_to_ourselves(os.environ)

from bot import approved_model
from bot.history import broken
from infra.local import demo_inference, demo_pages, demo_teams
from infra.local.entra_people import PRIYA as PRIYA_IN_ENTRA
from infra.local.journey import (
    PATH,
    ROOT,
    Findings,
    Journey,
    Step,
    Unexpected,
    buttons,
    expect,
    expect_same,
    expect_words,
    matrix,
    metrics,
    shown,
    title,
)
from infra.local.models import PIPELINE
from infra.local.stack import Stack
from infra.local.terminal import BOLD, DIM, GREEN, RED, Terminal

GROUP = "churn"
OLDER = 50
FIRST, SECOND, THIRD, FOURTH = OLDER + 1, OLDER + 2, OLDER + 3, OLDER + 4
"""The versions that the journey is about."""
LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)
"""Before the `since` of infra/policy.toml."""

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
APPROVE, REJECT, REVOKE = "approval.approve", "approval.reject", "approval.revoke"
MAYA, OMAR, PRIYA, ELI, GUS = "U0MAYA", "U0OMAR", "U0PRIYA", "U0ELI", "U0GUS"
NAMES = {MAYA: "Maya Chen", OMAR: "Omar Haddad", PRIYA: "Priya Nair"}
APPROVERS = {"dev": MAYA, "test": OMAR, "uat": MAYA, "prod": PRIYA}
"""Who approves version 51. Maya has registered it, so prod, where four eyes are wanted, takes somebody else."""
CHANNELS = {"dev": "C0MODELSDEV", "test": "C0MODELSDEV", "uat": "C0MODELSPRD", "prod": "C0MODELSPRD"}
BUTTONS = {environment: [f"Approve for {environment}", "Reject…"] for environment in PATH}
DRIFT = "It has drifted since Monday."
REASON = "It finds fewer of those who leave than v52, which runs in test already."
CONSOLE = "LOCALCONSOLE"
"""The access key of somebody who edits the registry by hand."""
PATIENCE = 20.0
"""Seconds to wait for a word in Slack."""


# A registry with a past


def older_versions(journey: Journey) -> Findings:
    """Registered before there was a bot: nobody hears of their events."""
    journey.stack.bus.faults.drop = 1.0
    for number in range(OLDER):
        status = APPROVED if number % 2 else PENDING
        journey.stack.aws.backdate(journey.stack.pipeline.register(GROUP, status=status).arn, LONG_AGO)
    journey.stack.bus.faults.drop = 0.0
    pages = journey.registry.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP)
    listed = Counter(each["ModelApprovalStatus"] for page in pages for each in page["ModelPackageSummaryList"])
    yield expect("ListModelPackages", dict(listed), {PENDING: OLDER // 2, APPROVED: OLDER // 2})


def first_sweep(journey: Journey) -> Findings:
    """The sweep opens what no event has told of, so it is what would open these."""
    journey.stack.sweep()
    yield from untouched(journey)
    kept = [name for name in journey.parameters() if not name.startswith(f"{ROOT}/_services/")]
    yield expect(f"parameters below {ROOT}, but for where Teams is", kept, [f"{ROOT}/_status/_health"])
    messages = [each for channel in journey.workspace.channels for each in journey.workspace.messages(channel)]
    yield expect("messages in Slack", len(messages), 0)


def untouched(journey: Journey) -> Findings:
    """Asked once more at the end: what happens to newer versions must not touch them either."""
    packages = [journey.package(version) for version in range(1, FIRST)]
    statuses = Counter(each["ModelApprovalStatus"] for each in packages)
    changed = [each["ModelPackageVersion"] for each in packages if each.get("LastModifiedTime")]
    logged = [name for name in journey.parameters(f"/{GROUP}/history") if int(name.split("/")[4]) < FIRST]
    yield expect("their approval statuses", dict(statuses), {PENDING: OLDER // 2, APPROVED: OLDER // 2})
    yield expect("versions changed since", changed, [])
    yield expect("history entries", logged, [])


# Version 51: from dev to prod


def register_first(journey: Journey) -> Findings:
    """What a training pipeline does at its end; Maya has started this one."""
    journey.stack.aws.source_identities[PIPELINE] = "maya.chen@example.com"
    registered = journey.stack.pipeline.register(GROUP, "churn-1")
    yield expect("ModelPackageVersion", registered.version, FIRST)
    yield expect("ModelApprovalStatus", journey.status(FIRST), PENDING)


def first_card_asks(journey: Journey) -> Findings:
    """The first card follows the registration, and shows what was measured in training."""
    journey.stack.settle()
    card = journey.card(FIRST, "dev")
    yield expect("channel", card.channel, CHANNELS["dev"])
    yield expect("title", title(card), f"Approve {GROUP} v{FIRST} for dev?")
    yield expect("metrics", metrics(card)[:3], [["Metric", f"v{FIRST}"], ["AUC", "0.793"], ["accuracy", "0.839"]])
    yield expect("buttons", buttons(card), BUTTONS["dev"])
    yield expect_words("text", card.text, f"{GROUP} version {FIRST} awaits approval for dev.")


def refused(user: str, because: str, environment: str, journey: Journey) -> Findings:
    """Whoever may not answer is told so, alone, and nothing has changed."""
    before = journey.truth(FIRST)
    told = journey.press(user, journey.card(FIRST, environment), APPROVE)
    yield expect_words("told privately", told, because)
    yield expect_same("history, approved models and registry, before and after", journey.truth(FIRST), before)
    yield expect("buttons", buttons(journey.card(FIRST, environment)), BUTTONS[environment])


def approve(environment: str, journey: Journey) -> Findings:
    """A signed click passes the Bolt app and the queue; the registry shows what came of it."""
    journey.press(APPROVERS[environment], journey.card(FIRST, environment), APPROVE)
    done = PATH[: PATH.index(environment) + 1]
    yield expect("ModelApprovalStatus", journey.status(FIRST), APPROVED)
    yield expect("fields", journey.fields(FIRST), {each: APPROVED if each in done else PENDING for each in PATH})


def is_loaded(environment: str, journey: Journey) -> Findings:
    """What the environment's inference pipeline reads."""
    found, registered = journey.approved(environment), journey.package(FIRST)
    container = registered["InferenceSpecification"]["Containers"][0]
    entry = json.loads(journey.parameters()[found["history"]])
    who = NAMES[APPROVERS[environment]]
    yield expect("status", found["status"], APPROVED)
    yield expect("model_package_version", found["model_package_version"], FIRST)
    yield expect("model_package_arn", found["model_package_arn"], registered["ModelPackageArn"])
    yield expect("environment", found["environment"], environment)
    yield expect("model_data_url", found["model_data_url"], container["ModelDataUrl"])
    yield expect("approved_by", [each["name"] for each in found["approved_by"]], [who])
    yield expect(
        "its history entry", [entry["answer"], entry["environment"], entry["by"]["name"]], ["approve", environment, who]
    )


def card_is_decided(environment: str, journey: Journey) -> Findings:
    """Everybody sees who decided, and nobody can answer any more; approvers may take it back."""
    card = journey.card(FIRST, environment)
    yield expect("title", title(card), f"{GROUP} v{FIRST} is approved for {environment}")
    yield expect_words("text", card.text, f"Approved by {NAMES[APPROVERS[environment]]}")
    yield expect("buttons", buttons(card), ["Revoke…"])


def thread_tells(environment: str, journey: Journey) -> Findings:
    """The history of a request stands under its card."""
    line = f"{NAMES[APPROVERS[environment]]} approved {GROUP} v{FIRST} for {environment}."
    yield expect("thread", journey.thread(FIRST, environment), [line])


def late_click(user: str, environment: str, journey: Journey) -> Findings:
    """Somebody's Slack still shows the card as it was before the answer."""
    before = journey.truth(FIRST)
    told = journey.press(user, journey.card(FIRST, environment), APPROVE, stale=True)
    who = NAMES[APPROVERS[environment]]
    yield expect_words("told privately", told, f"already decided. Approved by {who}")
    yield expect_same("history, approved models and registry, before and after", journey.truth(FIRST), before)


# What pipelines and colleagues read


def command_line_says(journey: Journey) -> Findings:
    """For people, and for pipelines that are no Python."""
    printed = journey.run_command("approved", GROUP, "prod").splitlines()
    stored = json.loads(journey.run_command("approved", GROUP, "prod", "--json"))
    yield expect("first line", " ".join(printed[0].split()), f"model {GROUP} v{FIRST}")
    yield expect_same("the JSON it prints and the parameter", stored, journey.approved("prod"))


def library_says(journey: Journey) -> Findings:
    """For pipelines in Python: `from bot import approved_model`."""
    found = approved_model(GROUP, "prod")
    yield expect("model_package_version", found.model_package_version, FIRST)
    yield expect_same("its other fields and the parameter", json.loads(found.encoded()), journey.approved("prod"))


# Version 52: a challenger, from dev to prod


def events_in_disorder(journey: Journey) -> Findings:
    """EventBridge may deliver an event twice and late; a pipeline may add metadata right after it registered."""
    faults, taken = journey.stack.bus.faults, journey.stack.bus.taken
    faults.duplicates, faults.reorder = 2, 5
    arn = journey.stack.pipeline.register(GROUP, "churn-2").arn
    pipeline = journey.stack.aws.client("sagemaker", access_key=PIPELINE)
    pipeline.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"run": "nightly"})
    journey.stack.settle()
    faults.duplicates = faults.reorder = 0
    journey.stack.settle()
    yield f"{journey.stack.bus.taken - taken} events, each delivered three times and in no order"
    yield expect("cards", len(journey.cards(SECOND, "dev")), 1)
    yield expect("history entries", len(journey.entries(SECOND)), 1)
    yield expect("the pipeline's own metadata", journey.package(SECOND)["CustomerMetadataProperties"]["run"], "nightly")


def champion_is_shown(journey: Journey) -> Findings:
    """Who approves a challenger wants to know what it replaces."""
    head, *rows = metrics(journey.card(SECOND, "dev"))
    yield expect("head of the table", head, ["Metric", f"v{SECOND}", f"v{FIRST} in dev", "Change"])
    yield expect("its first row", rows[0], ["AUC", "0.903", "0.793", "▲ 0.110 better"])


def challenger_takes_over(user: str, environment: str, journey: Journey) -> Findings:
    """The newer approval takes the environment over; what ran there stays at hand."""
    journey.press(user, journey.card(SECOND, environment), APPROVE)
    found = journey.approved(environment)
    yield expect(f"approved/{environment}", found["model_package_version"], SECOND)
    yield expect("previous", found["previous"], FIRST)
    yield expect("buttons", buttons(journey.card(SECOND, environment)), ["Revoke…"])


# Version 53: rejected


def third_in_dev(journey: Journey) -> Findings:
    """Another challenger, as fast as the first."""
    journey.stack.pipeline.register(GROUP, "churn-1")
    journey.stack.settle()
    journey.press(OMAR, journey.card(THIRD, "dev"), APPROVE)
    yield expect("approved/dev", journey.approved("dev")["model_package_version"], THIRD)


def reject_wants_a_reason(journey: Journey) -> Findings:
    """Slack's own form asks for it, and does not close without."""
    journey.press(MAYA, journey.card(THIRD, "test"), REJECT)
    form = journey.workspace.modals(MAYA)[-1]
    mistakes = dict(journey.stack.slack.submit(MAYA, form.id, {}).errors)
    yield expect("title of the form", form.body["title"]["text"], f"Reject {GROUP} v{THIRD}")
    yield expect("sent empty", mistakes, {"reason": "Please complete this required field."})
    journey.stack.slack.submit(MAYA, form.id, {"reason": REASON})
    journey.stack.settle()
    yield expect("fields", journey.fields(THIRD), {"dev": APPROVED, "test": REJECTED, "uat": PENDING, "prod": PENDING})
    yield expect("approved/test", journey.approved("test")["model_package_version"], SECOND)


def taken_back(environment: str, journey: Journey) -> Findings:
    """The approval goes, and what was approved before is loaded again, without anybody touching the pipeline."""
    journey.press(PRIYA, journey.card(SECOND, environment), REVOKE)
    journey.stack.slack.submit(PRIYA, journey.workspace.modals(PRIYA)[-1].id, {"reason": DRIFT})
    journey.stack.settle()
    found = journey.approved(environment)
    yield expect(f"approved/{environment}", found["model_package_version"], FIRST)
    yield expect("field", journey.fields(SECOND)[environment], REJECTED)
    card = journey.card(SECOND, environment)
    yield expect("title", title(card), f"{GROUP} v{SECOND} was revoked for {environment}")
    yield expect("buttons", buttons(card), [])
    told = f"Priya Nair revoked {GROUP} v{SECOND} for {environment}: {DRIFT} {environment} loads v{FIRST} now."
    yield expect("thread", journey.thread(SECOND, environment)[-1], told)


def reject_is_told(journey: Journey) -> Findings:
    """Everybody can read why."""
    card = journey.card(THIRD, "test")
    yield expect("title", title(card), f"{GROUP} v{THIRD} was rejected for test")
    yield expect("buttons", buttons(card), [])
    yield expect("thread", journey.thread(THIRD, "test"), [f"Maya Chen rejected {GROUP} v{THIRD} for test: {REASON}"])


# Version 54: a hand in the registry, and a directory that is away


def approval_by_hand(journey: Journey) -> Findings:
    """Dana has the rights of AWS, but has not asked anybody."""
    role = "arn:aws:sts::123456789012:assumed-role/DataScience/dana.scientist@example.com"
    journey.stack.aws.identities[CONSOLE] = role
    arn = journey.stack.pipeline.register(GROUP, "churn-1").arn
    journey.stack.settle()
    console = journey.stack.aws.client("sagemaker", access_key=CONSOLE)
    console.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=APPROVED)
    journey.stack.settle()
    yield expect("ModelApprovalStatus, put back", journey.status(FOURTH), PENDING)
    yield expect("approved/dev", journey.approved("dev")["model_package_version"], THIRD)


def hand_is_named(journey: Journey) -> Findings:
    """So that a colleague can explain what the bot cannot know."""
    line = journey.thread(FOURTH, "dev")[-1]
    by_hand = f"dana.scientist@example.com approved {GROUP} v{FOURTH} in the registry by hand"
    yield expect_words("thread", line, by_hand, "It was put back")
    yield expect("buttons", buttons(journey.card(FOURTH, "dev")), BUTTONS["dev"])


def directory_away(journey: Journey) -> Findings:
    """Without the directory nobody knows who may answer, so nothing may be recorded."""
    journey.stack.entra.faults.add("*", status=503, times=None)
    before, card = journey.truth(FOURTH), journey.card(FOURTH, "dev")
    journey.stack.slack.press(MAYA, card.channel, card.ts, APPROVE)
    told = journey.workspace.until(lambda: _told(journey, MAYA, "Still trying"), PATIENCE)
    yield expect_words("told privately", told, "Still trying")
    yield expect_same("history, approved models and registry, before and after", journey.truth(FOURTH), before)


def directory_back(journey: Journey) -> Findings:
    """The answer has waited in the queue; nobody has to press again."""
    journey.stack.entra.faults.clear()
    told = journey.workspace.until(lambda: _told(journey, MAYA, "recorded."), PATIENCE)
    journey.stack.settle()
    yield expect("told privately", told, "Your answer is recorded.")
    yield expect("field of dev", journey.fields(FOURTH)["dev"], APPROVED)
    yield expect("approved/dev", journey.approved("dev")["model_package_version"], FOURTH)


def _told(journey: Journey, user: str, words: str) -> str:
    return next((each.text for each in journey.workspace.ephemerals(user)[-1:] if words in each.text), "")


# What is left to read


def status_overview(journey: Journey) -> Findings:
    """The short answer to "where are we?"."""
    answer = journey.type_command(OMAR, CHANNELS["dev"])
    yield expect("text", answer.text, "1 request waits for an answer.")
    loads = ["group dev test uat prod", f"{GROUP} v{FOURTH} v{SECOND} v{FOURTH}? v{SECOND} v{SECOND}"]
    yield expect("table", matrix(answer), loads)


def health_is_told(journey: Journey) -> Findings:
    """What a sweep has sent through the queue has arrived, so everything on its way works."""
    journey.stack.sweep()
    answer = journey.type_command(OMAR, CHANNELS["dev"], "health")
    yield expect_words("answer", answer.text, "All is well: schedule, queue and worker did their part")


def status_of_group(journey: Journey) -> Findings:
    """The longer answer, for one group."""
    answer = journey.type_command(OMAR, CHANNELS["dev"], GROUP)
    stands = [
        "version dev test uat prod",
        f"v{FOURTH} in use waiting – –",
        f"v{THIRD} approved rejected – –",
        f"v{SECOND} approved in use in use in use",
        f"v{FIRST} approved approved approved approved",
    ]
    yield expect("table", matrix(answer), stands)


def history_is_printed(journey: Journey) -> Findings:
    """Every entry, in the order of time: `python -m bot history churn`."""
    head, *lines = journey.run_command("history", GROUP).splitlines()
    entries = sum(len(journey.entries(version)) for version in (FIRST, SECOND, THIRD, FOURTH))
    yield expect("lines, one for each history entry", len(lines), entries)
    yield head
    yield from lines


def chain_holds(journey: Journey) -> Findings:
    """Each entry carries the digest of the one before, and an auditor finds nothing either."""
    for version in (FIRST, SECOND, THIRD, FOURTH):
        entries = journey.entries(version)
        yield expect(
            f"first broken link among the {len(entries)} entries of v{version}", broken(entries) or "none", "none"
        )
    yield expect_words("`python -m bot verify`", journey.run_command("verify", GROUP), "All of it holds.")


def inferring(version: int, environment: str, *, champion: int = 0) -> tuple[Step, ...]:
    """A run in one environment asks for the next."""
    following = PATH[PATH.index(environment) + 1]
    compared = f", beside v{champion}, which runs there: better, but slower" if champion else ""
    return (
        Step(
            f"Batch inference runs v{version} in {environment}, measures it, and so asks for {following}",
            partial(demo_inference.run_asks, version, environment),
        ),
        Step(
            f"The card for {following} shows what was measured{compared}",
            partial(demo_inference.card_shows_run, version, champion, following),
        ),
    )


def taking_over(user: str, environment: str) -> Step:
    """The challenger is approved."""
    who = NAMES[user]
    title = f"{who} approves v{SECOND} for {environment}, which takes over from v{FIRST}"
    return Step(title, partial(challenger_takes_over, user, environment))


def linking(user: str, environment: str, version: int = FIRST) -> tuple[Step, ...]:
    """An account is tied to its person, once."""
    who = NAMES[user]
    return (
        Step(
            f"{environment} wants a linked account: {who} is sent a link, in private",
            partial(demo_pages.link_is_offered, user, version, environment),
        ),
        Step(
            "Eli opens that link and signs in: it links nothing",
            partial(demo_pages.others_link_binds_nothing, user),
        ),
        Step(
            f"{who} opens it, signs in and links the account",
            partial(demo_pages.account_is_linked, user, version, environment),
        ),
    )


def answering(environment: str) -> tuple[Step, ...]:
    """A request is approved in Slack, and everything that has to follow follows."""
    title = (
        f"{NAMES[APPROVERS[environment]]} approves v{FIRST} for {environment}, by a signed click: the registry says so"
    )
    return (Step(title, partial(approve, environment)), *following(environment))


def answering_in_teams(environment: str) -> tuple[Step, ...]:
    """A request is approved in Teams, and the same follows."""
    who, asked = NAMES[APPROVERS[environment]], (FIRST, environment)
    return (
        Step("Teams shows the same card", partial(demo_teams.card_is_there, *asked)),
        Step(
            "Eli presses its button in Teams, and is refused privately", partial(demo_teams.outsider_is_refused, *asked)
        ),
        Step(
            f"{who} approves v{FIRST} for {environment} in Teams: the registry says so",
            partial(demo_teams.approved_in_teams, *asked),
        ),
        Step("Card and thread in Teams tell it", partial(demo_teams.card_follows, who, *asked)),
        *following(environment),
        Step("The mail follows too", partial(demo_teams.mail_follows, who, *asked)),
    )


def answering_by_mail(environment: str) -> tuple[Step, ...]:
    """A request is approved from the mail, and the same follows."""
    who, mail = NAMES[APPROVERS[environment]], (FIRST, environment)
    return (
        Step(f"A mail asks the approvers of {environment}, too", partial(demo_pages.mail_arrives, *mail)),
        Step(
            "A scanner of mails follows its link: nothing changes", partial(demo_pages.scanner_changes_nothing, *mail)
        ),
        Step("Eli signs in with it, and is refused", partial(demo_pages.outsider_is_refused, *mail)),
        Step(
            f"{who} signs in with it, and approves on the page: the registry says so",
            partial(demo_pages.approved_from_mail, PRIYA_IN_ENTRA, *mail),
        ),
        *following(environment),
        Step(
            "The outcome follows in the mail's thread", partial(demo_pages.outcome_mail_follows, PRIYA_IN_ENTRA, *mail)
        ),
        Step(
            "Maya's Slack still shows buttons; pressing one, she hears who decided",
            partial(late_click, MAYA, environment),
        ),
    )


def following(environment: str) -> tuple[Step, ...]:
    """What follows from an approval, wherever it was given."""
    short = f"v{FIRST}"
    return (
        Step(f"approved/{environment} names {short}", partial(is_loaded, environment)),
        Step(
            f"The card for {environment} says who approved, and can be answered no more",
            partial(card_is_decided, environment),
        ),
        Step(f"The thread below the card for {environment} tells it", partial(thread_tells, environment)),
    )


def refusing(user: str, who: str, environment: str, because: str) -> Step:
    """Somebody presses who may not."""
    return Step(f"{who} is refused privately", partial(refused, user, because, environment))


STEPS = (
    Step(f"{OLDER} older versions are in the registry, from before the policy's `since`", older_versions),
    Step("The first sweep leaves them alone", first_sweep),
    Step(f"A training pipeline registers v{FIRST}", register_first),
    Step("Slack shows a card that asks for dev", first_card_asks),
    refusing(ELI, "Eli, who is no approver for dev,", "dev", "Eli Outside is not an approver for dev"),
    refusing(GUS, "Gus, a guest of the company,", "dev", "guests cannot answer"),
    *answering("dev"),
    Step("A second click, on a card that is out of date, is told who decided", partial(late_click, OMAR, "dev")),
    Step("The card in Teams follows the answer in Slack", partial(demo_teams.card_follows, NAMES[MAYA], FIRST, "dev")),
    Step(
        "Batch inference in dev fails: nothing is asked for, and the thread says why",
        partial(demo_inference.failed_run_is_told, FIRST, "dev"),
    ),
    *inferring(FIRST, "dev"),
    *answering_in_teams("test"),
    *inferring(FIRST, "test"),
    *linking(MAYA, "uat"),
    *answering("uat"),
    *inferring(FIRST, "uat"),
    refusing(MAYA, f"Maya, who has registered v{FIRST} herself,", "prod", "You asked for this promotion"),
    *answering_by_mail("prod"),
    Step(f"`python -m bot approved {GROUP} prod` answers v{FIRST}", command_line_says),
    Step("`from bot import approved_model` answers the same", library_says),
    Step(f"v{SECOND} is registered; duplicate and reordered events make one card", events_in_disorder),
    Step(f"The card compares v{SECOND} with v{FIRST}, the champion", champion_is_shown),
    taking_over(OMAR, "dev"),
    *inferring(SECOND, "dev", champion=FIRST),
    taking_over(OMAR, "test"),
    *inferring(SECOND, "test", champion=FIRST),
    taking_over(MAYA, "uat"),
    *inferring(SECOND, "uat", champion=FIRST),
    *linking(PRIYA, "prod", SECOND),
    taking_over(PRIYA, "prod"),
    Step(f"v{THIRD} is registered, and approved for dev", third_in_dev),
    Step(
        f"Batch inference runs v{THIRD} in dev, measures it, and so asks for test",
        partial(demo_inference.run_asks, THIRD, "dev"),
    ),
    Step(f"Maya rejects v{THIRD} for test, and has to say why", reject_wants_a_reason),
    Step("Card and thread tell the reject and its reason", reject_is_told),
    Step(f"v{FOURTH} is approved in the registry by hand, and put back", approval_by_hand),
    Step("The thread names whose hand it was", hand_is_named),
    Step("Entra does not answer: Maya's approval is not recorded yet, and she is told", directory_away),
    Step("Entra answers again: it is recorded without another click, and she is told", directory_back),
    Step(
        f"Batch inference runs v{FOURTH} in dev, measures it, and so asks for test",
        partial(demo_inference.run_asks, FOURTH, "dev"),
    ),
    Step("`/model-status` shows all groups", status_overview),
    Step(f"`/model-status {GROUP}` shows its versions", status_of_group),
    Step("`/model-status health` says that the bot itself is well", health_is_told),
    Step("`model-status` in Teams answers the same", demo_teams.status_in_teams),
    Step(f"`python -m bot history {GROUP}` tells the whole history", history_is_printed),
    Step(f"Priya revokes v{SECOND} for prod, and says why: prod loads v{FIRST} again", partial(taken_back, "prod")),
    Step("The chain of the history holds", chain_holds),
    Step("Every event is told three times more, in no order: nothing changes", demo_inference.events_again),
    Step(f"The {OLDER} older versions are still as they were", untouched),
)


class Recent(logging.Handler):
    """Keeps what the handlers have logged last: of interest only when a step fails."""

    def __init__(self, most: int = 6) -> None:
        """Listen to everybody's warnings."""
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=most)
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


def take(step: Step, journey: Journey) -> tuple[list[str], Unexpected | None]:
    """Take a step; give what it has read back, and what was not as it should be."""
    found: list[str] = []
    try:
        for line in step.run(journey):
            found.append(line)  # noqa: PERF402 - what came before a failure is of interest
    except Unexpected as unexpected:
        return found, unexpected
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is, the step has failed
        return found, Unexpected("the step", expected="to end", found=f"{type(error).__name__}: {error}")
    return found, None


def travel(journey: Journey, terminal: Terminal) -> int:
    """Take the steps until one fails, and print each; give the number of those that were verified."""
    for number, step in enumerate(STEPS, start=1):
        place = f"{number:2}/{len(STEPS)}"
        with terminal.busy(f"{place}  {step.title}"):
            found, unexpected = take(step, journey)
        mark = terminal.styled("FAILED", RED, BOLD) if unexpected else terminal.styled("ok", GREEN)
        terminal.say(f"{place}  {terminal.styled(step.title, BOLD)}  {mark}")
        for line in found:
            terminal.say(f"         {line}", DIM)
        if unexpected:
            explain(unexpected, terminal)
            return number - 1
    return len(STEPS)


def explain(unexpected: Unexpected, terminal: Terminal) -> None:
    """Say what was expected, and what was found instead."""
    terminal.say(f"         {unexpected.what}", RED)
    terminal.say(f"           expected: {shown(unexpected.expected)}")
    terminal.say(f"           found:    {shown(unexpected.found)}")


def main() -> int:
    """Travel; 0 when every step was verified."""
    terminal, recent, started = Terminal(os.environ), Recent(), time.monotonic()
    terminal.say("Model Approvals: a model's way to production, on a local stack, every step read back.", BOLD)
    with Stack(settings=chosen(os.environ)) as stack:
        verified = travel(Journey(stack, GROUP), terminal)
    summary = f"{verified} of {len(STEPS)} steps verified, {time.monotonic() - started:.1f} s"
    if verified == len(STEPS):
        terminal.say(summary, GREEN, BOLD)
        return 0
    for line in recent.lines:
        terminal.say(f"         logged: {line}", DIM)
    terminal.say(f"{summary}; step {verified + 1} failed: {STEPS[verified].title}", RED, BOLD)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
