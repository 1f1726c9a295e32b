"""The mailboxes behind the local SES: what was delivered, as a mail reader would find it.

    aws.client("sesv2").create_email_identity(EmailIdentity="approvals@example.com")
    asked = Mailbox().until(lambda mails: mails and mails[-1], address="approvers-dev@example.com")
    asked.links[0]

SES keeps nothing for its senders; moto does, in this process, and that is what is read here.
"""

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from html import unescape
from typing import TypeVar

from moto.ses.models import RawMessage, ses_backends

from infra.local.aws import ACCOUNT, REGION

T = TypeVar("T")

HREF = re.compile(r'<a\s[^>]*?href="([^"]*)"')
STRICT = SMTP.clone(raise_on_defect=True)
PAUSE = 0.05
"""Seconds, at most, between two looks into a mailbox."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One delivered mail; ids have no angle brackets."""

    message_id: str
    sender: str
    to: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    links: tuple[str, ...]
    """Where its HTML leads, in order."""
    in_reply_to: str
    headers: EmailMessage
    """The whole message: `mail.headers["Date"]`."""
    raw: bytes


class Mailbox:
    """Everybody's mail of one account and region."""

    def __init__(self, account: str = ACCOUNT, region: str = REGION) -> None:
        self._account = account
        self._region = region

    def __len__(self) -> int:
        """How many mails were sent."""
        return len(ses_backends[self._account][self._region].sent_messages)

    def __bool__(self) -> bool:
        """An empty mailbox is one, too."""
        return True

    def mails(self, address: str = "") -> list[Mail]:
        """What was delivered to an address, or to anybody, oldest first; raise `MessageDefect` for a malformed mail."""
        sent = tuple(ses_backends[self._account][self._region].sent_messages)
        found = [_mail(message) for message in sent if isinstance(message, RawMessage)]
        return [mail for mail in found if not address or address in mail.recipients]

    def until(self, read: Callable[[Sequence[Mail]], T], *, address: str = "", timeout: float = 10.0) -> T:
        """Wait until `read` makes something truthy of the mails, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        for looks in itertools.count(1):
            if found := read(self.mails(address)):
                return found
            if time.monotonic() > deadline:
                break
            time.sleep(min(0.005 * looks, PAUSE))
        raise TimeoutError(f"no mail to {address or 'anybody'} made it true within {timeout} s")


def _mail(delivered: RawMessage) -> Mail:
    raw = delivered.raw_data.encode()
    message = message_from_bytes(raw, policy=STRICT)
    for part in message.walk():
        for value in part.values():
            for defect in value.defects:  # `email` notes those of headers, and raises nothing
                raise defect
    html = _part(message, "html")
    return Mail(
        message_id=_id(message, "Message-ID"),
        sender=str(message["From"]),
        to=str(message["To"]),
        recipients=tuple(address for _, address in getaddresses(delivered.destinations)),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=html,
        links=tuple(map(unescape, HREF.findall(html))),
        in_reply_to=_id(message, "In-Reply-To"),
        headers=message,
        raw=raw,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def _id(message: EmailMessage, header: str) -> str:
    return str(message.get(header, "")).strip("<>")
