"""Three hundred reports that nobody should write: none stops the worker or decides anything, each is explained."""

import json
import random
import tempfile
from collections.abc import Iterator

import pytest
from moto.s3.models import s3_backends

from bot.aws.metrics import S3Evaluations
from bot.aws.reports import LARGEST, S3Reports
from bot.card import card_of
from bot.domain import ModelVersion, State
from bot.evidence import Run
from bot.hints import MeasureJob
from bot.slack.blocks import message as in_slack
from bot.teams.cards import drawn as in_teams
from infra.local.aws import ACCOUNT, Aws
from tests.proofs.scenarios import measurable

GOOD = json.dumps({"classification": {name: {"value": 0.9} for name in ("auc", "recall", "precision")}}).encode()
FILES = 300
GIB = 1 << 30
HOSTILE = ["<!channel>", "{{.Title}}", "{{name}}", "<script>alert(1)</script>", "*_~`", "\u202e", "@everyone", "[a](b)"]
SAYS = ("Metrics could not be read: ", "Not a number, so left out: ")
OURS, OTHERS, LOCKED = "models", "of-another-account", "locked"


def truncated() -> Iterator[bytes]:
    for cut in range(1, len(GOOD)):
        yield GOOD[:cut]


def damaged() -> Iterator[bytes]:
    """Bytes turned into others, until the report is none."""
    draw = random.Random(5)
    while True:
        body = bytearray(GOOD)
        for _ in range(8):
            body[draw.randrange(len(body))] = draw.choice(b"\x00\xff{}[]\\")
        yield bytes(body)


def wrong_types() -> Iterator[bytes]:
    for value in ("0.9", None, True, [0.9], {}, "", {"value": "0.9"}, {"value": [1]}, {"value": None}):
        yield json.dumps({"auc": value}).encode()
    for whole in ([], "auc", 0.9, None, True, [{"auc": 0.9}]):
        yield json.dumps(whole).encode()


def no_numbers() -> Iterator[bytes]:
    for value in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", '"NaN"', '"-inf"', "9" * 4000):
        yield f'{{"auc": {value}}}'.encode()
        yield f'{{"m": {{"auc": {{"value": {value}}}}}}}'.encode()


def deep() -> Iterator[bytes]:
    for depth in (50, 1000, 100_000):
        yield b'{"a":' * depth + b"1" + b"}" * depth
        yield b"[" * depth
        yield b'{"a":' * depth


def hostile() -> Iterator[bytes]:
    for name in HOSTILE:
        yield json.dumps({name: "NaN", f"{name} {name}": 1e308}).encode()
        yield f'{{"{name}": 1, "{name}": 2}}'.encode()
        yield json.dumps({name: {"value": "NaN", "unit": name}}).encode()


def other_text() -> Iterator[bytes]:
    yield from (
        b"",
        b"\n",
        b"auc,0.9",
        b"<html>",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf",
    )
    yield from (b'{"auc": 0.9}\n{', b'{"auc": 0.9}\n[1]', b'{"auc": 0.9} {"auc": 0.8}', b"{'auc': 0.9}", b"{auc: 0.9}")
    yield from (b" " * LARGEST + b"{}", b'{"auc":' + b" " * LARGEST + b"1}", b"{}", b'{"confusion": [[1, 2], [3, 4]]}')


def bodies() -> list[bytes]:
    """As many of each kind as there are, and damaged ones for the rest."""
    kinds = (truncated, wrong_types, no_numbers, deep, hostile, other_text)
    found = [body for kind in kinds for body in kind()]
    for body in damaged():
        if len(found) == FILES - len(PLACES):
            return found
        found.append(body)
    raise AssertionError("damage has no end")


PLACES = (
    "s3://models/missing.json",
    "s3://nowhere/a.json",
    "s3://of-another-account/a.json",
    "s3://locked/a.json",
    "https://models.example.com/a.json",
    "s3://models",
    "file:///etc/passwd",
    "s3://models/sparse.json",
)


@pytest.fixture(scope="module")
def aws():
    with Aws() as running:
        s3 = running.client("s3")
        for bucket in (OURS, OTHERS, LOCKED):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="a.json", Body=GOOD)
        yield running


@pytest.fixture
def sparse(aws):
    """An object of a gibibyte, of which the disk holds nothing."""
    aws.client("s3").put_object(Bucket=OURS, Key="sparse.json", Body=b"")
    [version] = s3_backends[ACCOUNT]["aws"].buckets[OURS].keys.getlist("sparse.json")
    with tempfile.TemporaryFile() as hole:
        hole.truncate(GIB)
        version._value_buffer.close()
        version._value_buffer, version.contentsize = hole, GIB
        yield
    aws.client("s3").delete_object(Bucket=OURS, Key="sparse.json")


@pytest.fixture
def read(aws):
    owners = {OTHERS: "999999999999", OURS: ACCOUNT, "nowhere": ACCOUNT}
    return S3Evaluations(S3Reports(aws.client, account=ACCOUNT, buckets=owners)).read


def stored(aws, count):
    for number, body in enumerate(bodies()):
        key = f"bad/{number}.json"
        aws.client("s3").put_object(Bucket=OURS, Key=key, Body=body)
        yield f"s3://{OURS}/{key}"
    yield from PLACES


def marked_up(shown):
    """The texts of a message in which Slack looks for markup."""
    if isinstance(shown, list):
        return [text for each in shown for text in marked_up(each)]
    if not isinstance(shown, dict):
        return []
    own = [shown["text"]] if isinstance(shown.get("text"), str) and shown.get("type") in (None, "mrkdwn") else []
    return own + [text for each in shown.values() for text in marked_up(each)]


def test_none_stops_anybody_or_decides_anything_and_each_is_explained(aws, read, sparse, figure):
    model, seen = ModelVersion("churn", 1), 0
    for uri in stored(aws, FILES):
        evidence, world = read(uri), measurable()
        assert evidence.problem.startswith(SAYS), (uri, evidence)
        world.evaluations.reports[uri] = evidence
        world.jobs.accept(MeasureJob(model, Run("dev", "night"), "event", uri=uri))
        world.drain()
        state = world.state(model)
        one = state.current("test")
        assert one
        assert (one.state, one.votes) == (State.PENDING, ()), uri
        card = card_of(state, one)
        assert any(evidence.problem in line for line in card.facts), uri
        assert in_teams(card)
        assert not any("<!channel>" in text for text in marked_up(in_slack(card, team="T1"))), uri
        seen += 1
    assert seen == FILES
    figure("bad reports", f"{seen} read over HTTP, none of them a reason to decide")
