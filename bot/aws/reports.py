"""Reports in S3, fetched with care: known buckets, of a known owner, within bounds of size and time.

`ExpectedBucketOwner`: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.errors import Unavailable
from bot.text import one_line

LARGEST, CHUNK = 1024 * 1024, 64 * 1024
"""Bytes of a report, and of what is read at once."""
LONGEST = 10.0
"""Seconds after which no further chunk of a report is read; how long one may take, the client says."""
LONGEST_NAME = 60
Json = Mapping[str, Any]
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
_REASONS = {
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
}
_DENIED = "reading it is not permitted, or there is no such object, or {} does not belong to the account {}"


class Unreadable(Exception):
    """Why a report says nothing, in words for the card."""


class Missing(Unreadable):
    """There is no report."""


class Passing(Unreadable):
    """It may be there the next time."""


class NotJson(Exception):
    """A text is no JSON at all."""


class S3Reports:
    """Objects of buckets that the policy names, each with the account that owns it; without any, of our own account."""

    def __init__(
        self,
        clients: Clients,
        *,
        account: str,
        buckets: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients = clients
        self._owners = buckets or {"*": account}
        self._clock = clock

    def body(self, uri: str, *, since: datetime | None = None) -> bytes:
        """Fetch a report; raise `Missing` for none, or for one that was written before `since`.

        `Unreadable` for what may not or cannot be read, `Passing` for what may be read later.
        """
        found = _URI.fullmatch(uri)
        if not found or not uri.isprintable():
            raise Unreadable("the address is not s3://bucket/key")
        bucket, key = found[1], found[2]
        owner = next((owner for pattern, owner in self._owners.items() if fnmatchcase(bucket, pattern)), "")
        if not owner:
            raise Unreadable(f"the policy does not name the bucket {bucket}")
        try:
            with unavailable("s3:GetObject"):
                return self._download(bucket, key, owner, since)
        except (Unavailable, ClientError, BotoCoreError, OSError) as error:
            raise _why(error.__cause__ or error, bucket, owner, passes=isinstance(error, Unavailable)) from error

    def _download(self, bucket: str, key: str, owner: str, since: datetime | None) -> bytes:
        answer = self._clients("s3").get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=owner)
        with closing(answer["Body"]) as stream:
            if since and answer["LastModified"] < since.replace(microsecond=0):  # S3 counts in seconds
                raise Missing("there is only one of an earlier run")
            return b"" if _too_large(answer["ContentLength"]) else self._within(stream)

    def _within(self, stream: Any) -> bytes:  # noqa: ANN401 - botocore's
        body, until = bytearray(), self._clock() + LONGEST
        while chunk := stream.read(CHUNK):
            body += chunk
            _too_large(len(body))
            if self._clock() > until:
                raise Unreadable(f"it took longer than {LONGEST:.0f} seconds")
        return bytes(body)


def _too_large(size: int) -> bool:
    if size > LARGEST:
        raise Unreadable(f"the report is larger than {LARGEST // 1024} KiB")
    return False


def _why(error: BaseException, bucket: str, owner: str, *, passes: bool) -> Unreadable:
    code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
    if code == "AccessDenied":
        return Unreadable(_DENIED.format(bucket, owner))
    kind = Missing if code == "NoSuchKey" else Passing if passes else Unreadable
    return kind(_REASONS.get(code, code))


def text_of(body: bytes) -> str:
    """The text of a report, without a byte order mark."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Unreadable("the report is not UTF-8") from problem


def object_of(text: str, what: str) -> Json:
    """A JSON object, each of whose keys stands once; raise `NotJson`, or `Unreadable` for any other JSON."""
    try:
        report = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as problem:
        raise NotJson(f"{what} is not JSON") from problem
    if not isinstance(report, dict):
        raise Unreadable(f"{what} is not a JSON object")
    return report


def short(text: str, limit: int) -> str:
    """On one line and of bounded length, whatever the report says."""
    return one_line(text)[:limit]


def _each_once(pairs: list[tuple[str, Any]]) -> Json:
    """Of a key that stands twice, readers see different values: nobody could say what was approved."""
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise Unreadable(f"the key {short(name, LONGEST_NAME)!r} stands twice in one object")
    return found
