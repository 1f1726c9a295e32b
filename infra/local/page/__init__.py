"""The page of `make run`: a small workspace, with every part of the local stack in a pane of its own.

    with Page(panes(stack)) as page:
        print(page.url)

What a person does there goes the way it would go outside: a press is a signed request to the real handlers.
"""

from collections.abc import Sequence

from infra.local.page import site
from infra.local.page.aws import AwsPane
from infra.local.page.faults import FaultsPane
from infra.local.page.log import LogPane
from infra.local.page.mail import MailPane
from infra.local.page.pane import Pane
from infra.local.page.people import PeoplePane
from infra.local.page.pipelines import PipelinesPane
from infra.local.page.site import Page
from infra.local.page.slack import SlackPane
from infra.local.page.teams import TeamsPane
from infra.local.stack import Stack

__all__ = ["Page", "SlackPane", "panes", "site", "workspace_page"]


def panes(stack: Stack) -> Sequence[Pane]:
    """Everything there is to see and to do, on a started stack."""
    people = PeoplePane(stack)
    return (
        people,
        SlackPane(stack.slack),
        TeamsPane(stack.teams, people.oid),
        MailPane(stack.mailbox),
        AwsPane(stack),
        LogPane(stack.bus),
        PipelinesPane(stack, people),
        FaultsPane(stack),
    )


def workspace_page(stack: Stack, port: int = 0) -> Page:
    """The page of a started stack, not served yet; permalinks of Slack lead to it."""
    page = Page(panes(stack), port)
    stack.slack.page_url = page.url
    return page
