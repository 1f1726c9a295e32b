"""A card as one MIME message: plain text and HTML that say the same. Pure.

https://www.rfc-editor.org/rfc/rfc5322 for the headers; https://www.rfc-editor.org/rfc/rfc3834 for Auto-Submitted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from bot.card import Card, Row, Table
from bot.encoding import sha256
from bot.errors import Refused
from bot.line import Line, plain
from bot.mail.letter import Letter, Section, Stop, outcome_letter, reminder_letter, request_letter
from bot.mail.lines import drawn, short
from bot.markup import html

SENDER_NAME = "Model Approvals"
SUBJECT = 150
MIME = SMTP.clone(cte_type="7bit")
"""SES wants what is not ASCII encoded: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_RawMessage.html."""
UNFOLDED = MIME.clone(max_line_length=998)
"""RFC 5322's limit. At the usual 78 `email` writes a long message id in References as an encoded word, which no mail
reader takes for an id any more."""
_MESSAGE_ID = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,200}@[A-Za-z0-9.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom, to whom, when, and after which mails; ids have no angle brackets, the last one is answered."""

    sender: str
    to: Sequence[str]
    at: datetime
    after: Sequence[str] = ()


def request_mail(card: Card, url: str, envelope: Envelope) -> EmailMessage:
    """The mail that asks; `url` is its one link. Raise `Refused` for what is no address."""
    message = _headers(card, envelope)
    return _filled(message, request_letter(card, url))


def reminder_mail(card: Card, line: Line, url: str, envelope: Envelope) -> EmailMessage:
    """The mail that asks once more; its id is that of what it says. Raise `Refused` for what is no address."""
    message = _headers(card, envelope, "reminder", sha256(f"{envelope.at:%Y-%m-%d}{plain(line)}")[:16])
    message.replace_header("Subject", short(f"Reminder: {card.title}", SUBJECT))
    return _filled(message, reminder_letter(card, line, url))


def outcome_mail(card: Card, line: Line, url: str, envelope: Envelope) -> EmailMessage:
    """The mail that tells how it ended; `url` leads to the request's page. Raise `Refused` for what is no address."""
    message = _headers(card, envelope, card.mark)
    return _filled(message, outcome_letter(card, line, url))


def written(message: EmailMessage) -> bytes:
    """The message as it is handed over."""
    return message.as_bytes(policy=UNFOLDED)


def text_of(letter: Letter) -> str:
    """A letter as plain text that is enough to decide by."""
    stops = (f"{number}. {_stop(stop)}" for number, stop in enumerate(letter.path, start=1))
    rows = [f"- {_row(row, letter.table)}" for row in letter.table.rows] if letter.table else []
    paragraphs = [
        letter.title,
        drawn(letter.lead),
        _paragraph("Path", stops),
        _paragraph(letter.caption, rows),
        *map(_section, letter.above),
        f"{letter.action}:\n{letter.url}",
        *map(_section, letter.below),
        "\n".join(("--", *letter.notes)),
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def html_of(letter: Letter) -> str:
    """A letter as HTML: no scripts, nothing loaded from elsewhere."""
    return _template().render(letter=letter)


def _headers(card: Card, envelope: Envelope, *kind: object) -> EmailMessage:
    """All headers; the subject says what is asked or what became of it.

    A twin of a mail has its Message-ID. SES overrides that, but leaves References, which begins with an id that all
    mails of a version share: so twins, too, stand in its thread.
    """
    request, domain = card.request, envelope.sender.rpartition("@")[2]
    own = _id(request.group, request.version, request.environment, request.round, *kind, domain=domain)
    thread = _id(request.group, request.version, domain=domain)
    after = [each for each in envelope.after if _MESSAGE_ID.fullmatch(each)]
    message = EmailMessage(MIME)
    message["From"] = _address(envelope.sender, SENDER_NAME)
    message["To"] = tuple(_address(each) for each in envelope.to)
    message["Subject"] = short(card.title, SUBJECT)
    message["Date"] = envelope.at
    message["Message-ID"] = f"<{own}>"
    if after:
        message["In-Reply-To"] = f"<{after[-1]}>"
    message["References"] = " ".join(f"<{each}>" for each in dict.fromkeys((thread, *after)))
    message["Auto-Submitted"] = "auto-generated"
    return message


def _id(*parts: object, domain: str) -> str:
    return ".".join(re.sub(r"[^A-Za-z0-9-]", "-", str(part)) or "-" for part in parts) + f"@{domain}"


def _address(address: str, name: str = "") -> Address:
    try:
        return Address(name, addr_spec=address)
    except (ValueError, IndexError, MessageError) as problem:
        raise Refused(f"{short(address, 100)} is no e-mail address; correct it where it is set.") from problem


def _filled(message: EmailMessage, letter: Letter) -> EmailMessage:
    message.set_content(text_of(letter))
    message.add_alternative(html_of(letter), subtype="html")
    return message


def _section(section: Section) -> str:
    lines = [drawn(line) for line in section.lines]
    return _paragraph(section.heading, lines if len(lines) == 1 else (f"- {line}" for line in lines))


def _paragraph(heading: str, lines: Iterable[str]) -> str:
    return "\n".join(filter(None, (heading, *lines)))


def _stop(stop: Stop) -> str:
    return f"{stop.environment}: {stop.standing}{' (this request)' if stop.here else ''}"


def _row(row: Row, table: Table | None) -> str:
    if not table or not table.champion:
        return f"{row.name}: {row.challenger}"
    return f"{row.name}: {row.challenger} ({table.challenger}), {row.champion} ({table.champion}): {row.change}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bot.mail"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["line"] = lambda line: Markup(html(line))  # noqa: S704 - `html` escapes what is in a line
    return environment.get_template("mail.html")
