"""Everybody's mailbox on the page."""

from collections.abc import Hashable

from infra.local.mailbox import Mail, Mailbox
from infra.local.page.pane import Json, Pane


class MailPane(Pane):
    """Every mail that was sent, to whomever."""

    name = "mail"

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def version(self) -> Hashable:
        """Mails only become more."""
        return len(self._mailbox)

    def seen_by(self, _: str) -> Json:
        """All mails, the oldest first; their HTML has an address of its own."""
        return {"mails": [_headers(number, mail) for number, mail in enumerate(self._mailbox.mails(), start=1)]}

    def document(self, number: str, /) -> str:
        """A mail's HTML, whose links open beside the page as in any mail program."""
        mails = self._mailbox.mails()
        if not number.isdecimal() or not 0 < int(number) <= len(mails):
            return ""
        return mails[int(number) - 1].html.replace("<head>", '<head><base target="_blank">', 1)


def _headers(number: int, mail: Mail) -> Json:
    return {
        "number": number,
        "from": mail.sender,
        "to": mail.to,
        "subject": mail.subject,
        "date": str(mail.headers["Date"] or ""),
        "text": mail.text,
        "reply": bool(mail.in_reply_to),
    }
