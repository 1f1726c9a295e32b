"""Mails through SES: whole MIME messages, handed over as they are.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

import logging
from collections.abc import Sequence
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.errors import Refused, Unavailable

log = logging.getLogger(__name__)

OLDEST = "us-east-1"
"""The region whose message ids are of a domain without a region."""
REFUSALS = {
    "AccountSuspendedException": "AWS has stopped this account's mails for good: ask AWS Support",
    "BadRequestException": "it does not take this mail: look at its addresses and at the bot's log",
    "MailFromDomainNotVerifiedException": "verify the sender's MAIL FROM domain in SES",
    "MessageRejected": "verify the sender in SES; without production access, those addressed too",
    "NotFoundException": "what it should send with is not there: make the sender's identity in SES",
    "SendingPausedException": "sending is paused in this account: have it resumed in SES",
}
"""What no retry mends, and who has to do what."""


class NotSent(Refused):
    """SES will not carry this mail until somebody has acted."""


class SesOutbox:
    """What `bot.mail` hands its mails to. `mail_failed` is in the log once for each that was not taken."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def send(self, message: bytes, to: Sequence[str]) -> str:
        """Send a MIME message; give the Message-ID it arrives with, without angle brackets.

        That is SES's own: it overrides `Message-ID` and `Date`
        (https://docs.aws.amazon.com/ses/latest/dg/header-fields.html). Raise `NotSent` or `Unavailable`.
        """
        try:
            with unavailable("ses:SendEmail"):
                return self._sent(message, to)
        except Unavailable as trouble:
            log.error("mail_failed: %s", trouble)
            raise
        except (ClientError, BotoCoreError) as error:
            log.error("mail_failed: %s", error)
            raise _failure(error) from error

    def _sent(self, message: bytes, to: Sequence[str]) -> str:
        ses = self._clients("sesv2")
        answer = ses.send_email(
            FromEmailAddress=parseaddr(BytesHeaderParser().parsebytes(message)["From"])[1],
            Destination={"ToAddresses": list(to)},
            Content={"Raw": {"Data": message}},
        )
        region = ses.meta.region_name
        return f"{answer['MessageId']}@{'email' if region == OLDEST else region}.amazonses.com"


def _failure(error: ClientError | BotoCoreError) -> Refused | Unavailable:
    """A mail must never hold up the chat cards of its job, so nothing is left to be taken for a bug."""
    code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
    if advice := REFUSALS.get(code):
        return NotSent(f"SES refused the mail ({code}): {advice}.")
    return Unavailable(f"ses:SendEmail failed: {code}")
