"""Every secret is rotated while people go on working: nothing is lost, and no secret is seen anywhere."""

import json
import logging
import time
from collections.abc import Iterator

import pytest

from infra.local.stack import QUEUES, Stack
from tests.journeys.people import approve, registered, state
from tests.journeys.policies import by_approval

NAMES = {"SLACK_BOT_TOKEN": "token", "SLACK_SIGNING_SECRETS": "signing", "ENTRA_CLIENT_SECRET": "entra"}
REQUESTS, PAUSE = 200, 1.1
"""Presses and commands; seconds after which a secret that was refused is read again."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    named = {f"MODEL_APPROVALS_{name}": f"secretsmanager:approvals#{key}" for name, key in NAMES.items()}
    with Stack(settings={**by_approval(tmp_path_factory.mktemp("policy")), **named}) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        keep(
            running,
            token=running.slack.bot_token,
            signing=running.slack.signing_secret,
            entra=running.entra.client_secret,
        )
        yield running


def keep(stack: Stack, **secrets: str) -> None:
    """Put the secrets where the settings say that they are."""
    store = stack.aws.client("secretsmanager")
    names = [each["Name"] for each in store.list_secrets()["SecretList"]]
    if "approvals" not in names:
        store.create_secret(Name="approvals", SecretString="{}")
    kept = json.loads(store.get_secret_value(SecretId="approvals")["SecretString"])
    store.put_secret_value(SecretId="approvals", SecretString=json.dumps({**kept, **secrets}))


def test_secrets_are_rotated_during_two_hundred_requests_and_none_is_lost(stack, caplog):
    caplog.set_level(logging.INFO)
    old = (stack.slack.signing_secret, stack.slack.bot_token, stack.entra.client_secret)
    new = ("canary-signing-0123456789", "xoxb-canary-0123456789", "canary-entra-0123456789")
    steps = {
        60: lambda: keep(stack, signing=f"{old[0]},{new[0]}"),
        90: lambda: rotate_signing(stack, new[0]),
        120: lambda: rotate_token(stack, new[1]),
        150: lambda: rotate_entra(stack, new[2]),
        170: lambda: keep(stack, signing=new[0]),
    }
    approved = []
    for number in range(REQUESTS):
        if number in steps:
            steps[number]()
        if number % 20 == 10:
            model = registered(stack, f"churn-r{number}")
            assert approve(stack, model).status == 200
            approved.append(model)
        else:
            answer = stack.slack.command("U0MAYA", "C0MODELSDEV", "/model-status", "")
            assert (number, answer.status, answer.error) == (number, 200, "")
    assert len(approved) == REQUESTS // 20
    assert all(state(stack, model).standing("dev") for model in approved)
    seen = [caplog.text, str(stack.parameters()), *(str(each.raw) for each in stack.mailbox.mails())]
    seen += [str(each.blocks) for each in stack.slack.workspace.messages("C0MODELSDEV")]
    assert [secret for secret in (*old, *new) if any(secret in each for each in seen)] == []


def rotate_signing(stack: Stack, secret: str) -> None:
    """Slack signs with another secret, which is stored already beside the old one."""
    time.sleep(PAUSE)
    stack.slack.signing_secret = secret


def rotate_token(stack: Stack, token: str) -> None:
    """The old token is worth nothing from now on."""
    time.sleep(PAUSE)
    stack.slack.bot_token = token
    keep(stack, token=token)


def rotate_entra(stack: Stack, secret: str) -> None:
    """The app registration has another secret; tokens that were given out go on."""
    time.sleep(PAUSE)
    stack.entra.app.secret = secret
    keep(stack, entra=secret)
    for name in QUEUES:
        stack.functions[name].restart()
