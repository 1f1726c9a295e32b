"""The local stack and its page, until Ctrl-C: `python -m infra.local.run`."""

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

from infra.local.shell import chosen, keep_to_ourselves

if __name__ == "__main__":
    keep_to_ourselves(os.environ)
    # From here on a signal waits until `stay` asks for it, also while the rest is loading.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

from bot import wiring
from bot.errors import SettingsError
from infra.local.models import PIPELINE
from infra.local.page import Page, workspace_page
from infra.local.slack import Message
from infra.local.stack import Stack
from infra.local.terminal import BOLD, CYAN, DIM, RED, Terminal

PORT = 8700
"""The page's, unless told otherwise; AWS has the next one, the bot's own pages have the one behind that."""
SWEEP_EVERY = 300.0
"""Seconds, as in production."""
RETRY_AFTER = 5
"""Seconds, of the hundred in production: long enough to look at a fault, short enough to wait for its end."""
GROUP, MAYA = "churn", "U0MAYA"
REQUESTER = "dana.scientist@example.com"
VISITOR = "a-visitor"
"""The access key of whoever tries things: the bot names it when it finds a change made by hand."""
PATIENCE = 10.0
"""Seconds to wait for the first card."""

FIRST = """
Things to try in another terminal, in this folder; there, first, for AWS's and the bot's own settings:

    source {variables}
"""
APPROVE = """
Maya approves for dev without a browser; then dev's inference pipeline finds its model, and the registry has its fields:

    curl -sS {page}/slack/press -H 'Content-Type: application/json' -d '{press}'
    aws --endpoint-url {aws} --region {region} ssm get-parameter --name /model-approvals/{group}/approved/dev
    {python} -c 'import boto3; print(boto3.client("sagemaker").describe_model_package(ModelPackageName="{arn}/1"))'
    {python} -m bot approved {group} dev
"""
MORE = """
Batch inference runs what is approved for dev, which asks for test with what it has measured:

    {python} -m infra.local.inference {group} dev

A training pipeline registers a further version; what waits for an answer, and who said what:

    {python} -m infra.local.models {group} churn-2
    {python} -m bot status
    {python} -m bot history {group}

Somebody approves the newest version in the registry by hand, without asking; it is put back, and its thread says so:

    aws --endpoint-url {aws} --region {region} sagemaker update-model-package \
--model-approval-status Approved --model-package-arn {arn}/{newest}

What the page shows to Maya, as JSON:

    curl -sS '{page}/state?user=U0MAYA'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until somebody says that it is enough."""
    parser = argparse.ArgumentParser(prog="make run", description="Run the local stack and its page until Ctrl-C.")
    parser.add_argument(
        "--port", type=int, default=PORT, help="of the page; AWS has the next; 0: free ones (%(default)s)"
    )
    parser.add_argument("--no-sample", action="store_true", help="register no version of a sample model")
    asked = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
    return serve(Terminal(os.environ), asked.port, sample=not asked.no_sample)


def serve(terminal: Terminal, port: int, *, sample: bool) -> int:
    """Bind everything to its place and let it run; 1 for a policy that the bot could not work with."""
    settings = chosen(os.environ)
    try:
        wiring.policy(settings)
    except SettingsError as mistakes:
        terminal.say(str(mistakes), RED)
        return 1
    if enough():
        return 0
    aws_port = available(terminal, port + 1 if port else 0)
    pages_port = available(terminal, port + 2 if port else 0)
    stack = Stack(
        port=aws_port, pages_port=pages_port, retry_after=RETRY_AFTER, sweep_every=SWEEP_EVERY, settings=settings
    )
    with stack, workspace_page(stack, available(terminal, port)) as page, stack.sweeping:
        if not enough():
            stay(terminal, stack, page, sample=sample)
        logging.disable()  # what is cut off from here on is nobody's trouble
    return 0


def stay(terminal: Terminal, stack: Stack, page: Page, *, sample: bool) -> None:
    """Say where it all is, and wait; a second signal, while everything ends, finds nobody who would care."""
    with terminal.busy("registering a first version"):
        card = first_card(stack) if sample else None
    tell(terminal, stack, page, card)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    terminal.say("\nEnding.", DIM)


def enough() -> bool:
    """Look whether somebody has pressed Ctrl-C while things were starting."""
    return bool(signal.sigpending())


def available(terminal: Terminal, port: int) -> int:
    """Give the port if nobody listens there, else 0: any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            terminal.say(f"Port {port} cannot be had; a free one is used instead.", RED)
            return 0
    return port


def first_card(stack: Stack) -> Message | None:
    """Register a version, so that there is something to see; nothing comes of it under a policy of somebody's own."""
    stack.aws.source_identities[PIPELINE] = REQUESTER
    stack.pipeline.register(GROUP)
    workspace = stack.slack.workspace
    try:
        found = workspace.until(lambda: [m for each in workspace.channels for m in workspace.messages(each)], PATIENCE)
    except TimeoutError:
        return None
    return found[0]


def tell(terminal: Terminal, stack: Stack, page: Page, card: Message | None) -> None:
    """Print where everything is, and what can be tried."""
    terminal.say("Model Approvals runs on this machine, with all its neighbours; nothing leaves 127.0.0.1.\n", BOLD)
    places = {
        "The workspace": f"{page.url}/",
        "The bot's own pages": f"{stack.gateway.pages_url}/",
        "AWS": stack.aws.endpoint_url,
        "Slack's Web API": stack.slack.api_url,
        "Slack's requests go to": stack.slack.request_url,
        "Entra and Graph": f"{stack.entra.authority} (its CA: {stack.entra.ca_bundle})",
    }
    for name, place in places.items():
        terminal.say(f"  {name:24}{terminal.styled(place, CYAN)}")
    if card:
        channel = stack.slack.workspace.channels[card.channel].name
        terminal.say(f"\nIn #{channel}: {card.text}")
    for block in (FIRST, APPROVE, MORE) if card else (FIRST, MORE):
        terminal.say(block.format(**filled(stack, page, card)).rstrip())
    terminal.say(f"\nOpen {page.url}/ in a browser; a guide leads through a first approval. Ctrl-C ends it.", BOLD)


def filled(stack: Stack, page: Page, card: Message | None) -> dict[str, object]:
    """Fill in what the lines to try leave open."""
    press = {"user": MAYA, "channel": card.channel, "ts": card.ts, "action_id": "approval.approve"} if card else {}
    python = os.path.relpath(sys.executable)
    return {
        "variables": stack.write_variables(AWS_ACCESS_KEY_ID=VISITOR, NO_PROXY="127.0.0.1"),
        "aws": stack.aws.endpoint_url,
        "region": stack.aws.region,
        "page": page.url,
        "press": json.dumps(press),
        "python": sys.executable if python.startswith("..") else python,
        "group": GROUP,
        "arn": f"arn:aws:sagemaker:{stack.aws.region}:{stack.aws.account}:model-package/{GROUP}",
        "newest": 2 if card else 1,
    }


if __name__ == "__main__":
    sys.exit(main())
