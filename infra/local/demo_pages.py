"""The part of the demo that happens in browsers and mailboxes: linking a chat account, and answering from a mail."""

import re

from infra.local.entra_people import ELI, MAYA, PRIYA
from infra.local.journey import Findings, Journey, expect, expect_lines, expect_same, expect_words, metrics
from infra.local.mailbox import Mail
from infra.local.visitor import Page, Visitor

APPROVE = "approval.approve"
NAMES = {MAYA: "Maya Chen", ELI: "Eli Outside", PRIYA: "Priya Nair"}


# A chat account is linked to its person

OWNERS = {"U0MAYA": (MAYA, "Maya Chen", "@maya"), "U0PRIYA": (PRIYA, "Priya Nair", "@priya")}
"""Whose an account of Slack is."""


def link_is_offered(user: str, version: int, environment: str, journey: Journey) -> Findings:
    """The environment wants to know who somebody is, not only whose address an account has."""
    before = journey.truth(version)
    told = journey.press(user, journey.card(version, environment), APPROVE)
    yield expect_words("told privately", told, "Nothing is recorded yet", "Link this account", "works once")
    yield expect_same("history, approved models and registry, before and after", journey.truth(version), before)


def others_link_binds_nothing(user: str, journey: Journey) -> Findings:
    """The link was forwarded: whoever opens it is not whom the account belongs to."""
    with Visitor() as visitor:
        page = signed_in(visitor, journey.whispered_link(user), ELI)
    yield expect_lines("page", page.text, "has another address than Eli Outside", "administrators")
    yield expect("links of the account", links_of(user, journey), [])


def account_is_linked(user: str, version: int, environment: str, journey: Journey) -> Findings:
    """Whose account it is sees which one, and says so."""
    oid, name, called = OWNERS[user]
    with Visitor() as visitor:
        page = signed_in(visitor, journey.whispered_link(user), oid)
        yield expect_lines("page", page.text, "will be able to answer as you", called, name)
        yield expect("links of the account, before she presses", links_of(user, journey), [])
        page = visitor.press(page, "Link")
    linked = journey.stack.parameter(f"_people/slack/{journey.workspace.team_id}/{user}")
    yield expect("the account is", [linked["oid"], linked["name"]], [oid, name])
    yield expect(
        "the page she is on then",
        page.url.partition("?")[0].rpartition("/requests/")[2],
        f"{journey.group}/{version}/{environment}/1",
    )


# A request is answered from a mail


def mail_arrives(version: int, environment: str, journey: Journey) -> Findings:
    """In addition to the card; its text alone is enough to decide."""
    mail = request_mail(journey, version, environment)
    yield expect("to", mail.to, f"approvers-{environment}@example.com")
    yield expect_words("subject", mail.subject, f"{journey.group} v{version}", environment)
    yield expect_lines("text", mail.text, "AUC", auc_of(version, environment, journey), "Maya Chen", "Review")
    first = request_mail(journey, version, "dev")
    yield expect_same("the first mail of this version and the one that it follows", mail.in_reply_to, first.message_id)


def scanner_changes_nothing(version: int, environment: str, journey: Journey) -> Findings:
    """Scanners of mails follow every link, without cookies and without asking."""
    before, link = journey.truth(version), review_link(journey, version, environment)
    with Visitor(keeps_cookies=False) as scanner:
        headed = scanner.open(link, method="HEAD")
        page = scanner.open(link)
    yield expect("HTTP status of HEAD", headed.status, 200)
    yield expect("where GET ends", page.url.partition("?")[0].rpartition("/")[2], "authorize")
    yield expect_same("history, approved models and registry, before and after", journey.truth(version), before)


def outsider_is_refused(version: int, environment: str, journey: Journey) -> Findings:
    """The link gives no right: Eli may look, and hears which group it takes."""
    before = journey.truth(version)
    with Visitor() as visitor:
        page = signed_in(visitor, review_link(journey, version, environment), ELI)
    yield expect("HTTP status", page.status, 403)
    yield expect_lines("page", page.text, "Eli Outside is not an approver", f"approvers-{environment}")
    yield expect("buttons to answer", [each for each in page.buttons if each.startswith(("Approve", "Reject"))], [])
    yield expect_same("history, approved models and registry, before and after", journey.truth(version), before)


def approved_from_mail(oid: str, version: int, environment: str, journey: Journey) -> Findings:
    """Link, sign-in, the same card, one press; then the page says what became of it."""
    with Visitor() as visitor:
        page = signed_in(visitor, review_link(journey, version, environment), oid)
        auc = auc_of(version, environment, journey)
        yield expect_lines("page", page.text, f"Approve {journey.group} v{version} for {environment}?", auc)
        page = visitor.press(page, f"Approve for {environment}")
        journey.stack.settle()
        page = visitor.open(page.url)
    yield expect_lines("outcome page", page.text, "recorded", f"is approved for {environment}")
    yield expect("ModelApprovalStatus", journey.status(version), "Approved")
    yield expect(f"field of {environment}", journey.fields(version)[environment], "Approved")


def outcome_mail_follows(oid: str, version: int, environment: str, journey: Journey) -> Findings:
    """It stands below the mail that asked."""
    asked = request_mail(journey, version, environment)
    replies = [each for each in journey.stack.mailbox.mails() if each.in_reply_to == asked.message_id]
    outcome = [each for each in replies if "is approved" in each.subject]
    yield expect("outcome mails", len(outcome), 1)
    yield expect_lines("its text", outcome[0].text, f"Approved by {NAMES[oid]}")


def signed_in(visitor: Visitor, link: str, oid: str) -> Page:
    """Open a link, which leads to the sign-in, and be somebody."""
    page = visitor.open(link)
    return visitor.press(page, NAMES[oid])


def request_mail(journey: Journey, version: int, environment: str) -> Mail:
    """The mail that asks for an environment, by the id that the bot has stored of it."""
    record = journey.stack.parameter(f"{journey.group}/cards/{version}/{environment}/1")
    found = {each.message_id: each for each in journey.stack.mailbox.mails()}
    return found[record["surfaces"]["email"]["ts"]]


def review_link(journey: Journey, version: int, environment: str) -> str:
    """The one link of the mail, as its text has it."""
    found = re.search(
        rf"{re.escape(journey.stack.gateway.pages_url)}/\S+", request_mail(journey, version, environment).text
    )
    return found[0] if found else ""


def auc_of(version: int, environment: str, journey: Journey) -> str:
    """What the card in Slack shows of the first metric."""
    return metrics(journey.card(version, environment))[1][1]


def links_of(user: str, journey: Journey) -> list[str]:
    """Whom a Slack account is tied to."""
    return [name for name in journey.parameters("/_people") if name.endswith(f"/{user}")]
